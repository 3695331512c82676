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

__all__ = ["History"]

_LOOKS = 33  # at the past of the longest delay


class History:
    """The state vector at earlier times.

    Parameters
    ----------
    initial : ndarray
        The state at time 0, and at all times before.
    longest : float
        How far back it must reach.
    """

    def __init__(self, initial: np.ndarray, longest: float) -> None:
        self._initial = initial.copy()
        self.longest = longest
        self._ends: list[float] = []
        self._pieces: list[Callable[[float], np.ndarray]] = []

    def append(self, end: float, piece: Any) -> None:
        """Add the dense output of the step that ended at `end`, and forget what is no more needed."""
        self._ends.append(end)
        self._pieces.append(piece)
        if len(self._ends) > 64 and self._ends[len(self._ends) // 2] < end - self.longest:
            first = max(bisect_left(self._ends, end - self.longest) - 1, 0)
            del self._ends[:first], self._pieces[:first]

    def __call__(self, time: float) -> np.ndarray:
        """Return the state at `time`."""
        if time <= 0.0 or not self._ends:
            return self._initial
        k = min(bisect_left(self._ends, time), len(self._ends) - 1)
        return self._pieces[k](time)

    def strayed(self, time: float, state: np.ndarray, tolerance: np.ndarray) -> float:
        """Return how far `state`, that at `time`, is from those of the longest delay before, in tolerances."""
        past = (self(float(at)) for at in np.linspace(time - self.longest, time, _LOOKS))
        return max(float(np.max(np.abs(then - state) / tolerance)) for then in past)
