"""Frames: a movie as an input, each frame held until the next."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, number, one_of, whole
from brnn.errors import SpecError
from brnn.spec.schedules.base import OnInIntervals

__all__ = ["Frames"]

_WHITE = 255.0  # of whole numbers of 8 bits


@dataclass(frozen=True, eq=False, repr=False)
class Frames(OnInIntervals):
    """The frames of a movie, one after the other; after the last one there is nothing.

    What a layer gets of a frame is made when the frame is shown, so that a movie takes no more memory than its own
    numbers do: one byte a pixel if it is of 8 bits, none if it is a numpy.memmap. Several inputs can share one movie,
    each with its own resolution and filter; it is stored once.

    Parameters
    ----------
    frames : array, shape (frames, rows, columns)
        Luminances from 0 to 1; or of type uint8, from 0 to 255, which stand for the same.
    interval : float, > 0
        How long each frame is shown.
    start : float
        When the first one appears.
    block : int
        A frame is averaged over blocks of so many rows and columns.
    opponent : bool
        Whether the layer has two maps, shape (2, rows, columns): luminance, and 1 - luminance.
    filter : array of 2 dimensions of odd length, optional
        Each map is convolved with it; beyond the edge there is nothing.
    """

    frames: np.ndarray
    interval: float = 1.0
    start: float = 0.0
    block: int = 1
    opponent: bool = False
    filter: np.ndarray | None = None

    def __post_init__(self) -> None:
        movie, block = _movie(self.frames), whole(self.block, "Frames: block", minimum=1)
        rows, columns = movie.shape[1:]
        if rows % block or columns % block:
            raise SpecError(f"Frames: frames of {rows} x {columns} pixels are not whole blocks of {block} x {block}")
        self._set(
            frames=movie,
            interval=number(self.interval, "Frames: interval", above=0.0),
            start=number(self.start, "Frames: start"),
            block=block,
            opponent=one_of(self.opponent, "Frames: opponent", bool, "True or False"),
        )
        if self.filter is not None:
            kernel = array(self.filter, "Frames: filter", ndim=2)
            if any(size % 2 == 0 for size in kernel.shape):
                raise SpecError(
                    f"Frames: filter: has shape {kernel.shape}, must have an odd number of rows and columns"
                )
            self._set(filter=kernel)

    @functools.cached_property
    def intervals(self) -> np.ndarray:
        """Beginning and end of each frame."""
        edges = self.start + self.interval * np.arange(len(self.frames) + 1)
        return np.stack([edges[:-1], edges[1:]], axis=1)

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require a layer of the shape of what is made of a frame."""
        rows, columns = (size // self.block for size in self.frames.shape[1:])
        need = (2, rows, columns) if self.opponent else (rows, columns)
        if layer != need:
            raise SpecError(f"{where}: Frames: give {need}, the layer has shape {layer}")
        super().check(pattern, layer, where)

    def given(self, k: int, pattern: np.ndarray) -> np.ndarray:
        """Return what is made of frame `k`."""
        shown = self._filtered(_block_means(self.frames[k], self.block))
        if not self.opponent:
            return pattern * shown
        both = np.empty((2, *shown.shape))
        np.multiply(pattern if pattern.ndim == 0 else pattern[0], shown, out=both[0])
        np.subtract(self._white, shown, out=both[1])
        both[1] *= pattern if pattern.ndim == 0 else pattern[1]
        return both

    def _filtered(self, shown: np.ndarray) -> np.ndarray:
        """Return a map convolved with the filter."""
        if self.filter is None:
            return shown
        from scipy.ndimage import convolve, convolve1d

        profiles = self._profiles()
        if profiles is None:
            return np.asarray(convolve(shown, self.filter, mode="constant"))
        down, across = profiles
        return np.asarray(convolve1d(convolve1d(shown, down, axis=0, mode="constant"), across, mode="constant"))

    @functools.cached_property
    def _white(self) -> np.ndarray:
        """What luminances of 1 give: with it, one convolution of a frame serves both maps."""
        return self._filtered(np.ones([size // self.block for size in self.frames.shape[1:]]))

    def _profiles(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return down and across of a filter that is their product: two passes cost less than one; None of others."""
        assert self.filter is not None
        if "_product" not in vars(self):
            U, S, V = np.linalg.svd(self.filter)
            product = (U[:, 0], S[0] * V[0]) if S.size and (S[1:] <= 1e-15 * S[0]).all() else None
            vars(self)["_product"] = product
        found: tuple[np.ndarray, np.ndarray] | None = vars(self)["_product"]
        return found

    def lowest(self) -> float:
        """Return a bound: what the negative elements of the filter can make of a luminance of 1."""
        return 0.0 if self.filter is None else float(np.minimum(self.filter, 0.0).sum())


def _block_means(frame: np.ndarray, block: int) -> np.ndarray:
    """Return the luminances of a frame, from 0 to 1, averaged over blocks."""
    sums = np.asarray(frame, dtype=np.float64)
    white = _WHITE if frame.dtype == np.uint8 else 1.0
    if block > 1:  # slices of whole rows, then of columns: NumPy's mean over two axes takes several times as long
        sums = functools.reduce(np.add, [sums[k::block] for k in range(block)])
        sums = functools.reduce(np.add, [sums[:, k::block] for k in range(block)])
    return sums / (white * block**2)


def _movie(value: Any) -> np.ndarray:
    """Return the frames as they are, of 8 bits or as numbers from 0 to 1; a memmap is not copied."""
    movie = np.asarray(value)
    if movie.ndim != 3 or movie.size == 0:
        raise SpecError(f"Frames: frames: has shape {movie.shape}, must be (frames, rows, columns)")
    if movie.dtype != np.uint8:
        if movie.dtype.kind not in "fiub":
            raise SpecError("Frames: frames: must be an array of numbers")
        for k, frame in enumerate(movie):
            low, high = frame.min(), frame.max()
            if not (low >= 0.0 and high <= 1.0):
                worst = high if high > 1.0 or low >= 0.0 else low
                raise SpecError(
                    f"Frames: frames[{k}]: has the luminance {worst:g}; all must be from 0 to 1 (255 if uint8)"
                )
    if not isinstance(value, np.memmap):
        kept = movie.dtype if movie.dtype in (np.uint8, np.float32) else np.float64
        movie = np.array(movie, dtype=kept, order="C")
    movie = movie.view()
    movie.setflags(write=False)
    return movie
