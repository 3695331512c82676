"""Integrals of one function from a fixed point to many others, by a table of Chebyshev series."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.polynomial import chebyshev

from brnn.errors import InputError

__all__ = ["Antiderivative"]

Integrand = Callable[[np.ndarray], np.ndarray]

_ORDER = 16  # nodes of a panel
_NODES = chebyshev.chebpts1(_ORDER)
_TO_SERIES = chebyshev.chebvander(_NODES, _ORDER - 1) * (2.0 / _ORDER)
_TO_SERIES[:, 0] *= 0.5
_ACCURACY = 1e-14  # of the integral over the whole range
_MOST = 20_000  # panels
_NEAREST = 1e-290  # distance from an edge at which an integral that still grows is taken for infinite


class Antiderivative:
    """F(v) = the integral of g from a reference point to v, for arrays of v.

    The range of v is divided into panels until on each of them g is a Chebyshev series of 16 terms, to 1e-14 of the
    integral of abs(g) over the whole range. The series are integrated once, so that a value of F costs a look-up and
    16 multiplications, whatever g is. Kinks of g (thresholds) end in panels that are too narrow to matter.

    Parameters
    ----------
    function : callable
        g, of arrays; it is never evaluated at an edge or at the reference point.
    reference : float
        F(reference) = 0. If it is the edge and the integral from there is infinite, F(edge + 1) = 0 instead.
    edge : float, optional
        Lowest v, where g may be infinite. F(edge) is infinite where the integral is.
    """

    def __init__(self, function: Integrand, reference: float = 0.0, edge: float | None = None) -> None:
        self._function = function
        self._reference = reference
        self._edge = edge
        self._low = self._high = reference
        self._infinite = 0.0  # F(edge), if that is infinite

    def __call__(self, v: np.ndarray) -> np.ndarray:
        """Return F(v), in the shape of `v`."""
        if v.size == 0:
            return np.zeros(v.shape)
        self._cover(float(v.min()), float(v.max()))
        if self._left.size == 0:  # every v is the reference point
            return np.zeros(v.shape)
        panel = np.clip(np.searchsorted(self._left, v, side="right") - 1, 0, self._left.size - 1)
        half = self._half[panel]
        t = (v - self._left[panel]) / half - 1.0
        # Clenshaw's recurrence, one coefficient of all v at a time.
        one, two = np.zeros(v.shape), np.zeros(v.shape)
        for coefficients in self._series[:0:-1]:
            one, two = coefficients[panel] + 2.0 * t * one - two, one
        result = self._start[panel] + half * (self._series[0][panel] + t * one - two)
        if self._infinite:
            result = np.where(v <= self._edge, self._infinite, result)
        return np.asarray(result)

    def _cover(self, low: float, high: float) -> None:
        """Make the table reach from `low` to `high`, and somewhat beyond: the next call may ask for more."""
        if self._low <= low and high <= self._high and hasattr(self, "_left"):
            return
        low, high = min(low, self._low), max(high, self._high)
        margin = 0.1 * (high - low)
        low, high = low - margin, high + margin
        if self._edge is not None:
            low = max(low, self._edge)
        self._low, self._high = low, high
        self._build()
        if self._infinite and self._reference == self._edge:
            self._reference = self._edge + 1.0
            self._high = max(high, self._reference)
            self._build()

    def _build(self) -> None:
        points = [self._low, self._reference, self._high]
        if self._low < 0.0 < self._high:
            points.append(0.0)  # where most signals have their kink
        edges = np.unique(points)
        left, right = edges[:-1], edges[1:]
        kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        settled = 0.0  # integral of abs(g) over the panels that are good
        count = 0
        self._infinite = 0.0
        while left.size:
            half = 0.5 * (right - left)
            values = np.asarray(self._function(left[:, None] + half[:, None] * (_NODES + 1.0)), dtype=np.float64)
            self._check(values, left)
            series = values @ _TO_SERIES
            size = 2.0 * half * np.abs(values).mean(axis=1)
            scale = settled + size.sum()
            tail = 2.0 * half * np.abs(series[:, -2:]).max(axis=1)
            narrow = 2.0 * half <= 4.0 * np.finfo(float).eps * np.maximum(np.abs(left), np.abs(right))
            good = (tail <= _ACCURACY * scale) | (size <= 1e-17 * scale) | narrow
            beside = left == self._edge if self._edge is not None else np.zeros(left.size, dtype=bool)
            hopeless = ~good & beside & (2.0 * half < _NEAREST)
            if hopeless.any():
                self._infinite = -float(np.sign(values[hopeless][0].mean())) * np.inf
            settled += size[good].sum()
            kept.append((left[good], right[good], series[good]))
            count += int(good.sum())
            middle = left + half
            open_ = ~good & ~hopeless
            left, right = np.append(left[open_], middle[open_]), np.append(middle[open_], right[open_])
            if count + left.size > _MOST:
                raise InputError(
                    f"an integral of the Liapunov function cannot be computed between {self._low:g} and "
                    f"{self._high:g}: its integrand is not smooth there"
                )
        self._store(kept)

    def _check(self, values: np.ndarray, left: np.ndarray) -> None:
        if not np.isfinite(values).all():
            where = left[np.argmin(np.isfinite(values).all(axis=1))]
            raise InputError(f"an integrand of the Liapunov function is not finite near {where:g}")

    def _store(self, kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> None:
        left = np.concatenate([part[0] for part in kept]) if kept else np.empty(0)
        order = np.argsort(left)
        self._left = left[order]
        if not kept:
            return
        right = np.concatenate([part[1] for part in kept])[order]
        series = np.concatenate([part[2] for part in kept])[order]
        self._half = 0.5 * (right - self._left)
        self._series = chebyshev.chebint(series.T, lbnd=-1.0, axis=0)
        areas = self._half * self._series.sum(axis=0)
        ends = np.concatenate([[0.0], np.cumsum(areas)])
        # Sums on both sides of the reference point, so that a large F far away costs no digits near it.
        place = int(np.searchsorted(self._left, self._reference))
        after = np.cumsum(areas[place:])
        before = -np.cumsum(areas[:place][::-1])[::-1]
        ends = np.concatenate([before, [0.0], after])
        self._start = ends[: self._left.size]
