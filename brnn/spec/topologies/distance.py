"""Distance-dependent topologies: GaussianKernel, DifferenceOfGaussians, Kernel, Shift, Chain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, choice, number, whole
from brnn.errors import SpecError
from brnn.spec.topologies.convolution import BOUNDARIES, Convolution

__all__ = ["Chain", "DifferenceOfGaussians", "GaussianKernel", "Kernel", "Shift"]

_LONGEST = 1_000_000  # cells; a wider kernel is a slip of units


def _profile(width: float, truncate: float) -> np.ndarray:
    """Return exp(-d^2 / (2 width^2)) at the displacements d = -radius, ..., radius."""
    radius = math.ceil(truncate * width)
    d = np.arange(-radius, radius + 1)
    return np.asarray(np.exp(-(d**2) / (2.0 * width**2)))


def _gaussian(weight: float, width: float, truncate: float, normalize: str, ndim: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (down, across) of a Gaussian whose sum or peak is `weight`."""
    profile = _profile(width, truncate)
    if normalize == "sum":
        profile = profile / profile.sum()
    return (profile if ndim == 2 else np.ones(1)), weight * profile


def _check_width(width: Any, truncate: float, where: str) -> float:
    result = number(width, where, above=0.0)
    if result * truncate > _LONGEST:
        raise SpecError(
            f"{where} = {result:g}: the kernel would reach {result * truncate:.3g} cells; at most {_LONGEST}"
        )
    return result


@dataclass(frozen=True, eq=False, repr=False)
class GaussianKernel(Convolution):
    """Gaussian fall-off with distance on a 1-D or 2-D layer.

    ``W[i, j]`` is proportional to ``exp(-|i - j|^2 / (2 width^2))``, cut off at `truncate` widths.

    Parameters
    ----------
    weight : float, >= 0
        Sum over all displacements (``normalize="sum"``) or strength at distance 0 (``normalize="peak"``).
    width : float, > 0
        Standard deviation, in cells. The coefficient mu of exp(-mu d^2) is 1 / (2 width^2).
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the edge.
    normalize : {"sum", "peak"}
        What `weight` means.
    truncate : float, > 0
        Radius of the kernel in widths.
    """

    weight: float = 1.0
    width: float = 1.0
    boundary: str = "zero"
    normalize: str = "sum"
    truncate: float = 4.0

    def __post_init__(self) -> None:
        truncate = number(self.truncate, "GaussianKernel: truncate", above=0.0)
        self._set(
            weight=number(self.weight, "GaussianKernel: weight", minimum=0.0),
            width=_check_width(self.width, truncate, "GaussianKernel: width"),
            boundary=choice(self.boundary, "GaussianKernel: boundary", BOUNDARIES),
            normalize=choice(self.normalize, "GaussianKernel: normalize", ("sum", "peak")),
            truncate=truncate,
        )

    def terms(self, ndim: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the two profiles of the product."""
        down, across = _gaussian(self.weight, self.width, self.truncate, self.normalize, ndim)
        return down[None, :], across[None, :]

    def smallest_weight(self) -> float:
        """Return 0: no strength is negative."""
        return 0.0


@dataclass(frozen=True, eq=False, repr=False)
class DifferenceOfGaussians(Convolution):
    """Center Gaussian minus surround Gaussian in one projection; its strengths have both signs.

    A shunting layer keeps its bounds only if center and surround are two projections of their own kinds (an
    excitatory and an inhibitory GaussianKernel).

    Parameters
    ----------
    center_weight, surround_weight : float, >= 0
        Sum (or peak) of each Gaussian.
    center_width, surround_width : float, > 0
        Standard deviations, in cells.
    boundary, normalize, truncate
        As in GaussianKernel.
    """

    center_weight: float = 1.0
    center_width: float = 1.0
    surround_weight: float = 1.0
    surround_width: float = 3.0
    boundary: str = "zero"
    normalize: str = "sum"
    truncate: float = 4.0

    signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        truncate = number(self.truncate, "DifferenceOfGaussians: truncate", above=0.0)
        self._set(truncate=truncate)
        for name in ("center_weight", "surround_weight"):
            self._set(**{name: number(getattr(self, name), f"DifferenceOfGaussians: {name}", minimum=0.0)})
        for name in ("center_width", "surround_width"):
            self._set(**{name: _check_width(getattr(self, name), truncate, f"DifferenceOfGaussians: {name}")})
        self._set(
            boundary=choice(self.boundary, "DifferenceOfGaussians: boundary", BOUNDARIES),
            normalize=choice(self.normalize, "DifferenceOfGaussians: normalize", ("sum", "peak")),
        )

    def terms(self, ndim: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the profiles of both products, the shorter ones padded with zeros."""
        center = _gaussian(self.center_weight, self.center_width, self.truncate, self.normalize, ndim)
        surround = _gaussian(-self.surround_weight, self.surround_width, self.truncate, self.normalize, ndim)
        rows = []
        for one, other in zip(center, surround, strict=True):
            length = max(one.size, other.size)
            rows.append(np.array([np.pad(p, (length - p.size) // 2) for p in (one, other)]))
        return rows[0], rows[1]

    def smallest_weight(self) -> float:
        """Return a bound: the surround alone."""
        return -self.surround_weight


@dataclass(frozen=True, eq=False, repr=False)
class Kernel(Convolution):
    """Any strengths that depend on the displacement only.

    Parameters
    ----------
    array : array of 1 or 2 dimensions, each of odd length
        ``array[c + d]`` is the strength from a cell to the cell displaced by d, c being the middle index.
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the edge.
    """

    array: np.ndarray
    boundary: str = "zero"

    signed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        taps = array(self.array, "Kernel: array")
        if taps.ndim > 2 or any(size % 2 == 0 for size in taps.shape):
            raise SpecError(f"Kernel: array: has shape {taps.shape}, must have 1 or 2 dimensions of odd length")
        self._set(array=taps, boundary=choice(self.boundary, "Kernel: boundary", BOUNDARIES))

    def check(self, source: tuple[int, ...], target: tuple[int, ...], where: str) -> None:
        """Require a layer of as many dimensions as the kernel."""
        super().check(source, target, where)
        if len(source) != self.array.ndim:
            raise SpecError(f"{where}: Kernel: a kernel of {self.array.ndim} dimensions on a layer of shape {source}")

    def terms(self, ndim: int) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the singular vectors if the kernel is a sum of at most three products."""
        U, S, V = np.linalg.svd(np.atleast_2d(self.array), full_matrices=False)
        rank = int((S > 1e-14 * S[0]).sum()) if S[0] > 0 else 1
        if rank > 3:
            return None
        return np.ascontiguousarray(U[:, :rank].T), np.ascontiguousarray(S[:rank, None] * V[:rank])

    def taps(self, ndim: int) -> np.ndarray:
        """Return the array, of two dimensions."""
        return np.atleast_2d(self.array)

    def extent(self, ndim: int) -> tuple[int, int]:
        """Return height and width of the array, for which it need not be decomposed."""
        height, width = self.taps(ndim).shape
        return height, width


@dataclass(frozen=True, eq=False, repr=False)
class Shift(Convolution):
    """Each cell sends to the cell displaced by `offset`.

    Parameters
    ----------
    offset : int or tuple of int
        Displacement along each axis; one number is for 1-D layers.
    weight : float, >= 0
        Strength of every connection.
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the edge; "periodic" makes a ring.
    """

    offset: int | tuple[int, ...] = 1
    weight: float = 1.0
    boundary: str = "zero"

    def __post_init__(self) -> None:
        at = type(self).__name__
        offsets = self.offset if isinstance(self.offset, (tuple, list)) else (self.offset,)
        values = tuple(whole(value, f"{at}: offset") for value in offsets)
        if len(values) not in (1, 2) or any(abs(value) > _LONGEST for value in values):
            raise SpecError(f"{at}: offset = {values}: must be 1 or 2 whole numbers of at most {_LONGEST}")
        self._set(
            offset=values,
            weight=number(self.weight, f"{at}: weight", minimum=0.0),
            boundary=choice(self.boundary, f"{at}: boundary", BOUNDARIES),
        )

    def check(self, source: tuple[int, ...], target: tuple[int, ...], where: str) -> None:
        """Require a layer of as many dimensions as the offset."""
        super().check(source, target, where)
        assert isinstance(self.offset, tuple)
        if len(source) != len(self.offset):
            raise SpecError(f"{where}: {type(self).__name__}: offset = {self.offset} on a layer of shape {source}")

    def terms(self, ndim: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the profiles: zero but for one element each."""
        assert isinstance(self.offset, tuple)
        down, across = (0, self.offset[0]) if len(self.offset) == 1 else self.offset
        profiles = []
        for value, strength in ((down, 1.0), (across, self.weight)):
            profile = np.zeros(2 * abs(value) + 1)
            profile[abs(value) + value] = strength
            profiles.append(profile[None, :])
        return profiles[0], profiles[1]

    def smallest_weight(self) -> float:
        """Return 0: no strength is negative."""
        return 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Shift):
    """Each cell sends to the next one: Shift by 1. With ``boundary="periodic"`` the chain is a ring.

    Parameters
    ----------
    offset : int
        1 by default.
    weight : float, >= 0
        Strength of every connection.
    boundary : {"zero", "periodic", "reflect", "nearest"}
        What lies beyond the ends.
    """
