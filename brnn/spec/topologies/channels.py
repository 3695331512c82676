"""ChannelKernels, AcrossChannels, BlockSums: topologies of stacks of maps, of shape (channels, rows, columns)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, choice, number, whole
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells
from brnn.spec.topologies.convolution import BOUNDARIES, Convolution, extend_field, fourier_kernel, separable_kernel
from brnn.spec.topologies.distance import Kernel

__all__ = ["AcrossChannels", "BlockSums", "ChannelKernels", "shared_sums"]

_AT_ONCE = 256  # cells of each map whose shared sums are kept, as `shared_across_channels` has it


def _stack(topology: Topology, shape: Shape, where: str, end: str) -> tuple[int, int, int]:
    """Return channels, rows and columns of a layer; one of two dimensions is a single map."""
    if len(shape) not in (2, 3):
        raise SpecError(
            f"{where}: {type(topology).__name__} needs layers of shape (channels, rows, columns) or (rows, columns), "
            f"not {shape} ({end})"
        )
    return (1, shape[0], shape[1]) if len(shape) == 2 else (shape[0], shape[1], shape[2])


def _maps(topology: Topology, source: Shape, target: Shape, where: str) -> tuple[int, int]:
    """Return how many channels two layers have, whose maps must be of one size."""
    before, after = _stack(topology, source, where, "source"), _stack(topology, target, where, "target")
    if before[1:] != after[1:]:
        raise SpecError(
            f"{where}: {type(topology).__name__} joins maps of the same size, "
            f"not {before[1:]} (source) and {after[1:]} (target)"
        )
    return before[0], after[0]


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


def shared_across_channels(s: Any, net: Any, left: Any, right: Any, weights: Any, sums: Any) -> None:
    """Add to each map the weighted sum of maps of the source, and of sums of two that several maps receive."""
    plane = net.size // weights.shape[0]
    given = weights.shape[1] - left.size
    for start in range(0, plane, 256):  # so many cells of every map and sum stay in the cache
        size = min(256, plane - start)
        for k in range(left.size):
            one = s[left[k] * plane + start : left[k] * plane + start + size]
            if left[k] >= given:
                one = sums[(left[k] - given) * 256 : (left[k] - given) * 256 + size]
            other = s[right[k] * plane + start : right[k] * plane + start + size]
            if right[k] >= given:
                other = sums[(right[k] - given) * 256 : (right[k] - given) * 256 + size]
            both = sums[k * 256 : k * 256 + size]
            for i in range(size):
                both[i] = one[i] + other[i]
        for c in range(weights.shape[0]):
            out = net[c * plane + start : c * plane + start + size]
            for k in range(weights.shape[1]):
                weight = weights[c, k]
                if weight != 0.0:
                    sent = s[k * plane + start : k * plane + start + size]
                    if k >= given:
                        sent = sums[(k - given) * 256 : (k - given) * 256 + size]
                    for i in range(size):
                        out[i] += weight * sent[i]


def shared_sums(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums of two columns each, of which several rows are made, and the weights of all columns and sums.

    Again and again the two columns, sums included, to which most rows give equal weights are added up once for these
    rows. Nothing is subtracted, so that no sum of numbers >= 0 becomes less than one of them.

    Returns
    -------
    pairs : array of int, shape (sums, 2)
        Numbers of columns, those of sums after those of the matrix.
    weights : array, shape (rows, columns and sums)
        What each row takes of them.
    """

    def alike(k: int) -> np.ndarray:
        return np.asarray(((weights == weights[:, k : k + 1]) & (weights != 0.0)).sum(axis=0))

    weights, pairs = np.array(matrix, dtype=np.float64), list[tuple[int, int]]()
    counts = np.array([alike(k) for k in range(weights.shape[1])])
    while counts.size:
        above = np.triu(counts, 1)
        one, other = divmod(int(above.argmax()), len(counts))
        if above[one, other] < 2:
            break
        rows = (weights[:, one] == weights[:, other]) & (weights[:, one] != 0.0)
        both = np.where(rows, weights[:, one], 0.0)
        weights[np.ix_(rows, (one, other))] = 0.0
        weights = np.hstack([weights, both[:, None]])
        pairs.append((one, other))
        counts = np.pad(counts, ((0, 1), (0, 1)))
        for k in (one, other, len(counts) - 1):
            counts[k] = counts[:, k] = alike(k)
    return np.array(pairs, dtype=np.int64).reshape(-1, 2), weights


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
        before, after = _maps(self, source, target, where)
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


@dataclass(frozen=True, eq=False, repr=False)
class AcrossChannels(Topology):
    """Each cell sends to the cells at the same place of other maps, by a matrix of channels.

    The layers have shape (channels, rows, columns), with maps of one size; one of shape (rows, columns) is a single
    map. The sum over all other channels, for instance, is ``AcrossChannels(1 - np.eye(channels))``.

    Parameters
    ----------
    matrix : array, shape (channels of the target, channels of the source)
        Strength from channel to channel. Negative elements are allowed only onto additive layers.
    """

    matrix: np.ndarray

    def __post_init__(self) -> None:
        self._set(matrix=array(self.matrix, "AcrossChannels: matrix", ndim=2))

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require maps of one size, and a matrix of the channels."""
        need = _maps(self, source, target, where)[::-1]
        if self.matrix.shape != need:
            raise SpecError(
                f"{where}: AcrossChannels: the matrix has shape {self.matrix.shape}, must have (target channels, "
                f"source channels) = {need}"
            )

    rooms: ClassVar[tuple[str, ...]] = ("sums",)

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return the kernel that computes once what several rows of the matrix add up, if there is any such sum."""
        if len(self._shared[0]) == 0:
            return super().chosen_kernel(source, target)
        return "across_channels_shared", shared_across_channels

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the matrix; with shared sums, of which maps they are, the weights of maps and sums, and their room."""
        pairs, weights = self._shared
        if len(pairs) == 0:
            return (self.matrix,)
        return pairs[:, 0].copy(), pairs[:, 1].copy(), weights, np.zeros(len(pairs) * _AT_ONCE)

    @functools.cached_property
    def _shared(self) -> tuple[np.ndarray, np.ndarray]:
        return shared_sums(self.matrix)

    @staticmethod
    def kernel(s: Any, net: Any, matrix: Any) -> None:
        """Add to each map the weighted sum of the maps of the source."""
        plane = net.size // matrix.shape[0]
        for start in range(0, plane, 1024):  # so many cells of every map stay in the cache
            stop = min(plane, start + 1024)
            for c in range(matrix.shape[0]):
                out = net[c * plane + start : c * plane + stop]
                for k in range(matrix.shape[1]):
                    weight = matrix[c, k]
                    if weight != 0.0:
                        sent = s[k * plane + start : k * plane + stop]
                        for i in range(out.size):
                            out[i] += weight * sent[i]

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return the matrix, a diagonal block for each element."""
        return np.kron(self.matrix, np.eye(cells(target[-2:])))

    def smallest_weight(self) -> float:
        """Return the smallest element."""
        return float(min(self.matrix.min(), 0.0))


@dataclass(frozen=True, eq=False, repr=False)
class BlockSums(Topology):
    """Each cell takes the sum over a block of cells of a finer map: maps of one resolution send to those of a coarser.

    The layers have shape (channels, rows, columns), and as many channels; or (rows, columns).

    Parameters
    ----------
    size : int
        Rows and columns of a block; those of the source are so many times those of the target.
    weight : float, >= 0
        Strength of every connection: 1 / size**2 for the mean.
    margin : int, >= 0
        Cells of the target along each edge that take nothing.
    """

    size: int
    weight: float = 1.0
    margin: int = 0

    def __post_init__(self) -> None:
        self._set(
            size=whole(self.size, "BlockSums: size", minimum=1),
            weight=number(self.weight, "BlockSums: weight", minimum=0.0),
            margin=whole(self.margin, "BlockSums: margin", minimum=0),
        )

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require whole blocks and as many channels."""
        before, after = _stack(self, source, where, "source"), _stack(self, target, where, "target")
        need = (before[0], *(size // self.size for size in before[1:]))
        if any(size % self.size for size in before[1:]):
            raise SpecError(
                f"{where}: BlockSums: maps of {before[1]} x {before[2]} cells are not whole blocks of "
                f"{self.size} x {self.size}"
            )
        if after != need:
            raise SpecError(f"{where}: BlockSums: the target has {after} channels, rows and columns, must have {need}")

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the size of blocks, the margin, rows and columns of the target, and the weight."""
        return np.array([self.size, self.margin, *target[-2:]]), self.weight

    @staticmethod
    def kernel(s: Any, net: Any, sizes: Any, weight: Any) -> None:
        """Add the sums, times the weight, to `net`."""
        size = sizes[0]
        margin = sizes[1]
        height = sizes[2]
        width = sizes[3]
        for c in range(net.size // (height * width)):
            for i in range(margin, height - margin):
                for j in range(margin, width - margin):
                    total = 0.0
                    for a in range(size):
                        start = ((c * height + i) * size + a) * width * size + j * size
                        for b in range(size):
                            total += s[start + b]
                    net[(c * height + i) * width + j] += weight * total

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W, block by block."""
        channels, height, width = (1, *target) if len(target) == 2 else target
        W = np.zeros((channels, height, width, channels, height * self.size, width * self.size))
        for c in range(channels):
            for i in range(self.margin, height - self.margin):
                for j in range(self.margin, width - self.margin):
                    rows, columns = (slice(k * self.size, (k + 1) * self.size) for k in (i, j))
                    W[c, i, j, c, rows, columns] = self.weight
        return W.reshape(cells(target), cells(source))

    def smallest_weight(self) -> float:
        """Return 0: no strength is negative."""
        return 0.0
