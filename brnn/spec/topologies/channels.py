"""ChannelKernels: each map of a stack is convolved with a kernel of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, choice
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells
from brnn.spec.topologies.convolution import BOUNDARIES, Convolution, extend_field, fourier_kernel, separable_kernel
from brnn.spec.topologies.distance import Kernel
from brnn.spec.topologies.stacks import channels_of

__all__ = ["ChannelKernels"]


def shifted_channels(s: Any, net: Any, sizes: Any, senders: Any, first: Any, down: Any, across: Any, taps: Any) -> None:
    """Add to each map, for each tap that is not 0, the map that sends to it; beyond the edge there is nothing."""
    height = sizes[0]
    width = sizes[1]
    for c in range(senders.size):
        for i in range(height):
            to = (c * height + i) * width
            for k in range(first[c], first[c + 1]):
                row = i + down[k]
                if row >= 0 and row < height:
                    tap = taps[k]
                    low = max(0, -across[k])
                    high = min(width, width - across[k])
                    if low < high:  # slices that both begin at 0, so that the loop becomes one of vectors
                        start = (senders[c] * height + row) * width + across[k]
                        out = net[to + low : to + high]
                        sent = s[start + low : start + high]
                        for j in range(out.size):
                            out[j] += tap * sent[j]


def continued_channels(
    s: Any, net: Any, sizes: Any, senders: Any, first: Any, down: Any, across: Any, taps: Any, rows: Any, columns: Any,
    buffer: Any,
) -> None:  # fmt: skip
    """Add to each map, for each tap that is not 0, the map that sends to it, continued beyond its edges."""
    height = sizes[0]
    width = sizes[1]
    above = (rows.size - height) // 2
    left = (columns.size - width) // 2
    for c in range(senders.size):
        field = s[senders[c] * height * width : (senders[c] + 1) * height * width].reshape(height, width)
        extend_field(field, rows, columns, buffer)
        for i in range(height):
            out = net[(c * height + i) * width : (c * height + i + 1) * width]
            for k in range(first[c], first[c + 1]):
                shift = left + across[k]
                sent = buffer[i + above + down[k], shift : shift + width]
                tap = taps[k]
                for j in range(width):
                    out[j] += tap * sent[j]


def separable_channels(
    s: Any, net: Any, sizes: Any, senders: Any, rows: Any, columns: Any, across: Any, down: Any, buffer: Any,
    partial: Any,
) -> None:  # fmt: skip
    """Add to each map the convolution of the map that sends to it, one pass along each axis."""
    plane = sizes[0] * sizes[1]
    for c in range(senders.size):
        field = s[senders[c] * plane : (senders[c] + 1) * plane]
        separable_kernel(
            field, net[c * plane : (c + 1) * plane], rows, columns, across[c], down[c], buffer, partial
        )  # fmt: skip


def fourier_channels(
    s: Any, net: Any, sizes: Any, senders: Any, rows: Any, columns: Any, transfer: Any, buffer: Any, spectrum: Any,
    axes: Any,
) -> None:  # fmt: skip
    """Add to each map the convolution of the map that sends to it, by FFT."""
    plane = sizes[0] * sizes[1]
    for c in range(senders.size):
        field = s[senders[c] * plane : (senders[c] + 1) * plane]
        fourier_kernel(
            field, net[c * plane : (c + 1) * plane], sizes, rows, columns, transfer[c], buffer, spectrum, axes
        )  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class ChannelKernels(Topology):
    """Each map of a stack is convolved with a kernel of its own.

    The layers have shape (channels, rows, columns); one of shape (rows, columns) is a single map.

    Parameters
    ----------
    kernels : array, shape (channels, height, width) or (height, width)
        ``kernels[c, p + i, q + j]`` is the strength from a cell to the cell of channel c that lies i rows and j columns
        farther, p and q being the middle indices; height and width are odd. Without channels: the same for all.
    senders : array of int, shape (channels,), optional
        Which channel of the source sends to each channel of the target; that of the same number by default.
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the edge of each map.
    """

    kernels: np.ndarray
    senders: np.ndarray | None = None
    boundary: str = "zero"

    signed: ClassVar[bool] = True
    imports: ClassVar[dict[str, str]] = Convolution.imports

    def __post_init__(self) -> None:
        at = type(self).__name__
        kernels = array(self.kernels, f"{at}: kernels")
        if kernels.ndim not in (2, 3) or any(size % 2 == 0 for size in kernels.shape[-2:]):
            raise SpecError(
                f"{at}: kernels: has shape {kernels.shape}, must be (channels, height, width) or (height, width), with "
                f"odd height and width"
            )
        if self.senders is not None:
            given = array(self.senders, f"{at}: senders", minimum=0.0, ndim=1)
            if (given != np.floor(given)).any():
                raise SpecError(f"{at}: senders: must be whole numbers")
            if kernels.ndim == 3 and given.size != len(kernels):
                raise SpecError(
                    f"{at}: senders: has {given.size} elements, must have one for each of {len(kernels)} kernels"
                )
            senders = given.astype(np.int64)
            senders.setflags(write=False)
            self._set(senders=senders)
        self._set(kernels=kernels, boundary=choice(self.boundary, f"{at}: boundary", BOUNDARIES))

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require maps of one size, and channels as many as there are kernels and senders."""
        before, after = channels_of(self, source, target, where)
        at = f"{where}: {type(self).__name__}"
        if self.kernels.ndim == 3 and len(self.kernels) != after:
            raise SpecError(f"{at}: {len(self.kernels)} kernels for the {after} channels of the target")
        if self.senders is None:
            if before != after:
                raise SpecError(f"{at}: from {before} channels to {after}: senders= must say which sends to which")
        elif self.senders.size != after or self.senders.max() >= before:
            raise SpecError(
                f"{at}: senders: {self.senders.size} numbers up to {self.senders.max()}, must be {after} below {before}"
            )

    def _each(self, target: Shape) -> list[Kernel]:
        """Return the kernel of each channel."""
        count = 1 if len(target) == 2 else target[0]
        known: dict[int, list[Kernel]] = vars(self).setdefault("_kernels", {})
        if count not in known:
            all_taps = np.broadcast_to(self.kernels, (count, *self.kernels.shape[-2:]))
            known[count] = [Kernel(taps, self.boundary) for taps in all_taps]
        return known[count]

    def method(self, target: Shape) -> str:
        """Return what costs least on this shape: "separable", "fourier" or "direct", which skips taps that are 0."""
        known: dict[Shape, str] = vars(self).setdefault("_methods", {})  # a decomposition of each kernel takes a while
        if target not in known:
            known[target] = self._cheapest(target)
        return known[target]

    def _cheapest(self, target: Shape) -> str:
        """Return it, computed anew."""
        plane, each = target[-2:], self._each(target)
        costs = [{**kernel.costs(plane), "direct": kernel.tap_cost(plane)} for kernel in each]
        total = {name: sum(cost[name] for cost in costs) for name in sorted(set.intersection(*map(set, costs)))}
        return min(total, key=lambda name: total[name])

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return the kernel of the cheapest method."""
        method = self.method(target)
        if method == "direct":
            method = "shifted" if self.boundary == "zero" else "continued"
        kernels: dict[str, Callable[..., Any]] = {
            "shifted": shifted_channels,
            "continued": continued_channels,
            "separable": separable_channels,
            "fourier": fourier_channels,
        }
        return f"channels_{method}", kernels[method]

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return sizes, senders, and what the kernels of the channels take."""
        plane, each, method = target[-2:], self._each(target), self.method(target)
        senders = np.arange(len(each)) if self.senders is None else np.asarray(self.senders)
        start = (np.array(plane), senders)
        if method == "direct":
            return (*start, *self._taps(plane, each))
        parts = [kernel.arguments_of(plane, method) for kernel in each]
        if method == "fourier":
            _, rows, columns, _, buffer, spectrum, axes = parts[0]
            return (*start, rows, columns, np.stack([part[3] for part in parts]), buffer, spectrum, axes)
        rows, columns, _, _, buffer, partial = parts[0]
        rank = max(part[2].shape[0] for part in parts)  # type: ignore[union-attr]
        profiles = [
            np.stack([np.pad(part[k], ((0, rank - len(part[k])), (0, 0))) for part in parts])  # type: ignore[arg-type]
            for k in (2, 3)
        ]
        return (*start, rows, columns, *profiles, buffer, partial)

    def _taps(self, plane: Shape, each: list[Kernel]) -> tuple[Argument, ...]:
        """Return where the taps of each channel begin, from where each takes, the taps, and how maps are continued."""
        taps = [np.argwhere(kernel.array) for kernel in each]
        first = np.concatenate([[0], np.cumsum([len(places) for places in taps])])
        tall, wide = self.kernels.shape[-2:]
        # A cell takes from where it lies opposite to the displacement: the kernel is turned by 180 degrees.
        down, across = ((np.array([tall // 2, wide // 2]) - np.concatenate(taps)).T).copy()
        values = np.concatenate([kernel.array[tuple(places.T)] for kernel, places in zip(each, taps, strict=True)])
        if self.boundary == "zero":
            return first, down, across, values
        rows, columns, _, buffer = each[0].arguments_of(plane, "direct")
        return first, down, across, values, rows, columns, buffer

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W, in blocks of the maps that are joined."""
        plane, each = target[-2:], self._each(target)
        size = cells(plane)
        W = np.zeros((cells(target), cells(source)))
        for c, kernel in enumerate(each):
            k = c if self.senders is None else int(self.senders[c])
            W[c * size : (c + 1) * size, k * size : (k + 1) * size] = kernel.strengths(plane, plane)
        return W

    def smallest_weight(self) -> float:
        """Return the smallest element of the kernels."""
        return float(self.kernels.min())
