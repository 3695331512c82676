"""Delay differential equations by the method of steps.

Signals that travel for a time tau are signals of the past, which is known as long as no step is longer than the
shortest delay. The past is kept as the dense output of the accepted steps, as far back as the longest delay. A jump of
the derivative at time b (a stimulus that jumps, or the beginning of the run) comes back, one order smoother each time,
at b plus every sum of delays; the integration is restarted there up to the order of the method.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.result.start import Past
from brnn.spec.breaks import NEAR

__all__ = ["History", "inside", "points_of"]

_LOOKS = 33  # at the past of the longest delay
_LARGEST = 256 * 1024 * 1024  # bytes of a past that is kept
_POINTS = 4  # by which a cubic polynomial is kept


def points_of(count: int) -> np.ndarray:
    """Return so many Chebyshev points of the interval from 0 to 1, its ends among them."""
    return np.asarray(0.5 * (1.0 - np.cos(np.pi * np.arange(count) / (count - 1))))


def inside(start: float, stop: float, duration: float) -> tuple[float, float]:
    """Return between which times signals of the past are read in a piece: at its ends, on the side that is its own.

    There the past may jump, as events set states.
    """
    away = min(2.0 * NEAR * duration, 0.25 * (stop - start))
    return start + away, stop - away


class _Polynomial:
    """The polynomial through states (points, size) at the Chebyshev points between two times."""

    def __init__(self, start: float, stop: float, values: np.ndarray) -> None:
        self.points = len(values)
        self._nodes = start + (stop - start) * points_of(self.points)
        self._values = values
        self._weights = (-1.0) ** np.arange(self.points)
        self._weights[[0, -1]] *= 0.5

    def __call__(self, time: Any) -> np.ndarray:
        apart = np.subtract.outer(np.asarray(time, dtype=np.float64), self._nodes)
        with np.errstate(divide="ignore", invalid="ignore"):
            parts = self._weights / apart
            parts /= parts.sum(axis=-1, keepdims=True)
        parts = np.where((apart == 0.0).any(axis=-1, keepdims=True), apart == 0.0, parts)
        return np.asarray((parts @ self._values).T)


def _points(piece: Any) -> int:
    """Return how many points tell the polynomials of a dense output."""
    if isinstance(piece, _Polynomial):
        return piece.points
    if hasattr(piece, "Q"):  # SciPy's RK45 and RK23
        return int(piece.Q.shape[1]) + 1
    return len(piece.F) + 1 if hasattr(piece, "F") else _POINTS  # DOP853, and the cubic one of a Stepper


class History:
    """The state vector at earlier times.

    Parameters
    ----------
    initial : ndarray
        The state at time 0, and at all times before.
    longest : float
        How far back it must reach.
    past : Past, optional
        What was before, if the run goes on from another one; then `initial` is not needed.
    """

    def __init__(self, initial: np.ndarray, longest: float, past: Past | None = None) -> None:
        self._initial = initial.copy() if past is None else past.values[0, 0]
        self._first = 0.0 if past is None else float(past.edges[0])
        self.longest = longest
        self._ends: list[float] = [] if past is None else past.edges[1:].tolist()
        self._pieces: list[Callable[[Any], np.ndarray]] = []
        if past is not None:
            edges = past.edges.tolist()
            self._pieces += [_Polynomial(edges[k], edges[k + 1], values) for k, values in enumerate(past.values)]

    def append(self, end: float, piece: Any) -> None:
        """Add the dense output of the step that ended at `end`, and forget what is no more needed.

        The step itself may still be asked for: the dense output of DOP853 evaluates du/dt within it.
        """
        needed = (self._ends[-1] if self._ends else self._first) - self.longest
        self._ends.append(end)
        self._pieces.append(piece)
        if len(self._ends) > 64 and self._ends[len(self._ends) // 2] < needed:
            first = max(bisect_left(self._ends, needed) - 1, 0)
            if first:
                self._first, self._initial = self._ends[first - 1], self._pieces[first - 1](self._ends[first - 1])
            del self._ends[:first], self._pieces[:first]

    def __call__(self, time: float) -> np.ndarray:
        """Return the state at `time`."""
        if time <= self._first or not self._ends:
            return self._initial
        k = min(bisect_left(self._ends, time), len(self._ends) - 1)
        return self._pieces[k](time)

    def strayed(self, time: float, state: np.ndarray, tolerance: np.ndarray) -> float:
        """Return how far `state`, that at `time`, is from those of the longest delay before, in tolerances."""
        past = (self(float(at)) for at in np.linspace(time - self.longest, time, _LOOKS))
        return max(float(np.max(np.abs(then - state) / tolerance)) for then in past)

    def past(self, time: float) -> Past | None:
        """Return what is needed to go on from `time`, the end of the last step; None if it is nothing, or very much."""
        first = max(bisect_left(self._ends, time - self.longest), 0)
        pieces = self._pieces[first:]
        if not pieces:
            return None
        edges = np.array([self._ends[first - 1] if first else self._first, *self._ends[first:]])
        points = max(map(_points, pieces))
        if 8 * len(pieces) * points * self._initial.size > _LARGEST:
            return None
        inside = points_of(points)
        values = [piece(a + (b - a) * inside).T for piece, a, b in zip(pieces, edges[:-1], edges[1:], strict=True)]
        return Past(edges, np.array(values))
