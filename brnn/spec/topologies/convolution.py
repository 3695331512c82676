"""How a distance-dependent kernel is applied: separable passes, FFT or direct sum, whichever costs least."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, same_shape

__all__ = ["BOUNDARIES", "Convolution"]

BOUNDARIES = ("zero", "periodic", "reflect", "nearest")

# Seconds per multiply-add of a pass, per point and octave of a forward and an inverse FFT (a single long row is not
# vectorised), and per call of the FFT. Measured on rows of 256 to 10,000 and fields of 64 x 64 to 1024 x 1024.
_PASS = 0.16e-9
_FFT_ROW = 1.2e-9
_FFT_FIELD = 0.45e-9
_FFT_CALL = 5e-6
# The same for an FFT in phases (`brnn.compiler.convolutions`), measured on fields of 16 x 16 to 512 x 512.
_PHASES = 0.15e-9
_PHASES_CALL = 1e-6


def extend_field(field: Any, rows: Any, columns: Any, buffer: Any) -> None:
    """Copy `field` into `buffer`, continued beyond its edges; index -1 stands for 0."""
    for i in range(rows.size):
        if rows[i] < 0:
            for j in range(columns.size):
                buffer[i, j] = 0.0
        else:
            for j in range(columns.size):
                if columns[j] < 0:
                    buffer[i, j] = 0.0
                else:
                    buffer[i, j] = field[rows[i], columns[j]]


def separable_kernel(
    s: Any, net: Any, rows: Any, columns: Any, across: Any, down: Any, buffer: Any, partial: Any
) -> None:
    """Add the convolution of s with sum_r down[r] x across[r] to `net`, one pass along each axis."""
    height = rows.size - down.shape[1] + 1
    width = columns.size - across.shape[1] + 1
    extend_field(s.reshape(height, width), rows, columns, buffer)
    out = net.reshape(height, width)
    for r in range(down.shape[0]):
        for i in range(rows.size):
            line = partial[i]
            for j in range(width):
                line[j] = 0.0
            for b in range(across.shape[1]):
                tap = across[r, b]
                if tap != 0.0:
                    for j in range(width):
                        line[j] += tap * buffer[i, j + b]
        for i in range(height):
            for a in range(down.shape[1]):
                tap = down[r, a]
                if tap != 0.0:
                    for j in range(width):
                        out[i, j] += tap * partial[i + a, j]


def direct_kernel(s: Any, net: Any, rows: Any, columns: Any, taps: Any, buffer: Any) -> None:
    """Add the convolution of s with the kernel to `net`, tap by tap."""
    height = rows.size - taps.shape[0] + 1
    width = columns.size - taps.shape[1] + 1
    extend_field(s.reshape(height, width), rows, columns, buffer)
    out = net.reshape(height, width)
    for i in range(height):
        for a in range(taps.shape[0]):
            for b in range(taps.shape[1]):
                tap = taps[a, b]
                for j in range(width):
                    out[i, j] += tap * buffer[i + a, j + b]


if TYPE_CHECKING:  # the generated module imports them, when a network needs them
    from rocket_fft import c2r, r2c


def fourier_kernel(
    s: Any,
    net: Any,
    sizes: Any,
    rows: Any,
    columns: Any,
    transfer: Any,
    buffer: Any,
    spectrum: Any,
    axes: Any,
) -> None:
    """Add the convolution of s with the kernel to `net`, by FFT with work arrays made once."""
    height = sizes[0]
    width = sizes[1]
    extend_field(s.reshape(height, width), rows, columns, buffer)
    r2c(buffer, spectrum, axes, True, 1.0, 1)
    for i in range(spectrum.shape[0]):
        for j in range(spectrum.shape[1]):
            spectrum[i, j] *= transfer[i, j]
    c2r(spectrum, buffer, axes, False, 1.0 / buffer.size, 1)
    out = net.reshape(height, width)
    for i in range(height):
        for j in range(width):
            out[i, j] += buffer[i, j]


def forth_kernel(s: Any, sizes: Any, rows: Any, columns: Any, buffer: Any, spectrum: Any, axes: Any) -> None:
    """Transform s for several kernels; a field that is not continued beyond its edges is read where it stands."""
    if rows.size == sizes[0] and columns.size == sizes[1]:
        r2c(s.reshape(sizes[0], sizes[1]), spectrum, axes, True, 1.0, 1)
    else:
        extend_field(s.reshape(sizes[0], sizes[1]), rows, columns, buffer)
        r2c(buffer, spectrum, axes, True, 1.0, 1)


def back_kernel(net: Any, sizes: Any, transfer: Any, spectrum: Any, product: Any, buffer: Any, axes: Any) -> None:
    """Add to `net` the convolution with one kernel of what `forth_kernel` transformed."""
    for i in range(spectrum.shape[0]):
        for j in range(spectrum.shape[1]):
            product[i, j] = spectrum[i, j] * transfer[i, j]
    c2r(product, buffer, axes, False, 1.0 / buffer.size, 1)
    height = sizes[0]
    width = sizes[1]
    out = net.reshape(height, width)
    for i in range(height):
        for j in range(width):
            out[i, j] += buffer[i, j]


@dataclass(frozen=True, eq=False, repr=False)
class Convolution(Topology):
    """Base of the distance-dependent topologies: W[i, j] depends only on the displacement i - j.

    A subclass has a field `boundary`, which says what lies beyond the edge of the layer: "zero" (no cells),
    "periodic" (a ring or torus), "reflect" (d c b a | a b c d) or "nearest" (a a a a | a b c d), and overrides
    `terms` if its kernel is a sum of few products of 1-D profiles, else `taps`.
    """

    imports: ClassVar[dict[str, str]] = {name: f"from rocket_fft import {name}" for name in ("r2c", "c2r")}

    @property
    def boundary(self) -> str:
        """What lies beyond the edge; a field of each subclass."""
        raise NotImplementedError

    def terms(self, ndim: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return (down, across), each of shape (rank, odd length), if the kernel is their sum of products."""
        return None

    def taps(self, ndim: int) -> np.ndarray:
        """Return the kernel, of shape (odd height, odd width); the height is 1 for a 1-D layer."""
        terms = self.terms(ndim)
        if terms is None:
            raise NotImplementedError(f"{type(self).__name__} must override terms or taps")
        return np.asarray(np.einsum("ra,rb->ab", *terms))

    def extent(self, ndim: int) -> tuple[int, int]:
        """Return height and width of the kernel."""
        terms = self.terms(ndim)
        return (terms[0].shape[1], terms[1].shape[1]) if terms is not None else self.taps(ndim).shape[:2]

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require equal shapes of one or two dimensions."""
        same_shape(self, source, target, where)
        if len(source) > 2:
            raise SpecError(f"{where}: {type(self).__name__} needs a layer of 1 or 2 dimensions, not {source}")

    def costs(self, shape: Shape) -> dict[str, float]:
        """Return seconds for each method that can be taken on this shape."""
        height, width = _field(shape)
        terms = self.terms(len(shape))
        tall, wide = self.extent(len(shape))
        points = float(np.prod(self.lengths(shape)))
        costs = {
            "direct": _PASS * height * width * tall * wide,
            "fourier": _FFT_CALL + (_FFT_ROW if height == 1 else _FFT_FIELD) * points * np.log2(points + 1),
        }
        if terms is not None:
            costs["separable"] = _PASS * len(terms[0]) * width * ((height + tall - 1) * wide + height * tall)
        return costs

    def tap_cost(self, shape: Shape) -> float:
        """Return seconds for a direct sum that skips taps that are 0."""
        return _PASS * float(np.prod(shape)) * np.count_nonzero(self.taps(len(shape)))

    def method(self, shape: Shape, *, phases: bool = False) -> str:
        """Return what costs least on this shape: "separable", "fourier" (perhaps in `phases`) or "direct"."""
        costs = self.costs(shape)
        if phases:
            points = float(np.prod(self.lengths(shape)))
            costs["fourier"] = _PHASES_CALL + _PHASES * points * np.log2(points + 1)
        return min(costs, key=lambda name: costs[name])

    def transform(self, shape: Shape, *, phases: bool) -> tuple[Any, ...] | None:
        """Return what kernels must have in common to share a transform of the signals; None if it is not by FFT.

        `phases` tells whether it can be made in phases, which take less time.
        """
        return (self.boundary, self._transform(shape)) if self.method(shape, phases=phases) == "fourier" else None

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return the kernel of the cheapest method."""
        method = self.method(source)
        kernels: dict[str, Callable[..., Any]] = {
            "separable": separable_kernel,
            "direct": direct_kernel,
            "fourier": fourier_kernel,
        }
        return f"convolve_{method}", kernels[method]

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return index maps, taps or transfer function, and work arrays."""
        return self.arguments_of(source, self.method(source))

    def arguments_of(self, shape: Shape, method: str) -> tuple[Argument, ...]:
        """Return the arguments of one of the methods."""
        height, width = _field(shape)
        tall, wide = self.extent(len(shape))
        if method == "fourier":
            return self.fourier_arguments(shape)
        rows = _continued(height, tall // 2, height + tall - 1, self.boundary)
        columns = _continued(width, wide // 2, width + wide - 1, self.boundary)
        buffer = np.zeros((rows.size, columns.size))
        # The kernels above correlate; turning the kernel by 180 degrees makes that the convolution.
        if method == "direct":
            return rows, columns, np.ascontiguousarray(self.taps(len(shape))[::-1, ::-1]), buffer
        terms = self.terms(len(shape))
        assert terms is not None  # "separable" is chosen only then
        down, across = (np.ascontiguousarray(profile[:, ::-1]) for profile in terms)
        return rows, columns, across, down, buffer, np.zeros((rows.size, width))

    def lengths(self, shape: Shape) -> tuple[int, int]:
        """Return the sizes of the FFT."""
        return self._transform(shape)[0]

    def _transform(self, shape: Shape) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the sizes of the FFT, and by how much the field is continued before its first cell."""
        height, width = _field(shape)
        tall, wide = self.extent(len(shape))
        if self.boundary == "periodic":
            return (height, width), (0, 0)
        import scipy.fft

        # Where there is nothing beyond the edges, the same cells of 0 serve both of two opposite ones.
        one = self.boundary == "zero"
        beyond, aside = (tall // 2, wide // 2) if one else (tall - 1, wide - 1)
        rows = scipy.fft.next_fast_len(height + beyond, real=True) if height > 1 or tall > 1 else 1
        columns = scipy.fft.next_fast_len(width + aside, real=True)
        return (rows, columns), ((0, 0) if one else (tall // 2, wide // 2))

    def fourier_arguments(self, shape: Shape) -> tuple[np.ndarray, ...]:
        """Return sizes of the field, index maps, transfer function, work arrays, and the axes of the FFT."""
        height, width = _field(shape)
        taps = self.taps(len(shape))
        (P, Q), (above, left) = self._transform(shape)
        rows = _continued(height, above, P, self.boundary)
        columns = _continued(width, left, Q, self.boundary)
        # The response at cell i stands at index i of the result: the kernel's center is moved to -above, -left.
        periodic = np.zeros((P, Q))
        down = (np.arange(taps.shape[0]) - taps.shape[0] // 2 - above) % P
        across = (np.arange(taps.shape[1]) - taps.shape[1] // 2 - left) % Q
        np.add.at(periodic, np.ix_(down, across), taps)
        transfer = np.fft.rfft2(periodic)
        sizes = np.array([height, width])
        return sizes, rows, columns, transfer, np.zeros((P, Q)), np.zeros_like(transfer), np.array([0, 1])

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W, cell by cell from the kernel and the boundary."""
        height, width = _field(source)
        taps = self.taps(len(source))
        up, left = taps.shape[0] // 2, taps.shape[1] // 2
        rows = _continued(height, up, height + 2 * up, self.boundary)
        columns = _continued(width, left, width + 2 * left, self.boundary)
        W = np.zeros((height, width, height, width))
        for i in range(height):
            for j in range(width):
                for a in range(taps.shape[0]):
                    for b in range(taps.shape[1]):
                        k, m = rows[i + 2 * up - a], columns[j + 2 * left - b]
                        if k >= 0 and m >= 0:
                            W[i, j, k, m] += taps[a, b]
        return W.reshape(height * width, height * width)

    def smallest_weight(self) -> float:
        """Return the smallest element of the kernel."""
        return float(self.taps(2).min())


def _field(shape: Shape) -> tuple[int, int]:
    return (1, shape[0]) if len(shape) == 1 else (shape[0], shape[1])


def _continued(size: int, before: int, length: int, boundary: str) -> np.ndarray:
    """Return which cell stands at each place -before, ..., length - before - 1 of the continued axis (-1: none)."""
    place = np.arange(length) - before
    if boundary == "periodic":
        return place % size
    if boundary == "nearest":
        return np.clip(place, 0, size - 1)
    if boundary == "reflect":
        place = place % (2 * size)
        return np.minimum(place, 2 * size - 1 - place)
    return np.where((place >= 0) & (place < size), place, -1)
