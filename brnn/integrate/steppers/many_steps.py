"""What steppers have in common that make many steps in one call: rooms for saved states, and where they stand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.integrate.steppers.base import Piece

__all__ = ["SAVED", "CompiledSteps", "ManySteps", "at_times", "kept_by_steps"]

SAVED = 2**21  # numbers that are saved in one call
_NONE = np.empty(0)


def at_times(write: Callable[[float, np.ndarray], None], size: int) -> Callable[[Any], np.ndarray]:
    """Return the state as a function of one time, or of several: shape (unknowns, times); `write` writes one state."""

    def states(t: Any) -> np.ndarray:
        moments = np.asarray(t, dtype=np.float64)
        out = np.empty((moments.size, size))
        for k, moment in enumerate(moments.ravel()):
            write(moment, out[k])
        return out[0] if moments.ndim == 0 else np.ascontiguousarray(out.T)

    return states


def kept_by_steps(start: float = 0.0, more: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return what compiled steps of a pair keep (`brnn.integrate.steppers.pair_steps`), before the first of them.

    There is room for so many `more` numbers of others in the first array.
    """
    return np.array([start, 0.0, start, *[0.0] * (4 + more)]), np.zeros(7, dtype=np.int64)


class ManySteps:
    """Saves states in rows that the caller gives, or in rows of its own, `_saved`."""

    _saved: np.ndarray

    @staticmethod
    def rows_at_once(size: int) -> int:
        """Return how many states are saved in one call."""
        return max(1, SAVED // size)

    def _room(self, times: np.ndarray, rows: int, room: np.ndarray | None) -> np.ndarray:
        """Return where states are saved."""
        size = self._saved.shape[1]
        rows = min(rows, times.size, self.rows_at_once(size))
        if room is None and rows > len(self._saved):
            self._saved = np.empty((rows, size))
        return (self._saved if room is None else room)[:rows]


class CompiledSteps(ManySteps):
    """Stands where compiled steps say in `_moments`, and has made as many as they say in `_counts`.

    A subclass has `here` and `advance`.

    Attributes
    ----------
    status : str
        "running", "finished" or "failed".
    njev : int
        0: it needs no Jacobian.
    """

    njev = 0
    status: str
    _code: Any
    _piece: Piece
    _moments: np.ndarray
    _counts: np.ndarray

    @property
    def here(self) -> np.ndarray:
        """The state there, in an array that is written by later steps."""
        raise NotImplementedError

    @property
    def y(self) -> np.ndarray:
        """The state there, in an array of its own."""
        return self.here.copy()

    @property
    def t(self) -> float:
        """Where it stands."""
        return float(self._moments[self._code.NOW])

    @property
    def h_abs(self) -> float:
        """Length of the step that it will try next."""
        return float(self._moments[self._code.NEXT])

    @h_abs.setter
    def h_abs(self, length: float) -> None:
        self._moments[self._code.NEXT] = length

    @property
    def step_size(self) -> float:
        """Length of the last step."""
        return float(self._moments[self._code.NOW] - self._moments[self._code.BEFORE])

    @property
    def steps(self) -> int:
        """Steps made."""
        return int(self._counts[self._code.STEPS])

    @property
    def nfev(self) -> int:
        """Evaluations of du/dt."""
        return int(self._counts[self._code.EVALUATIONS])

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them: new memory for each would take as long
        as the steps.
        """
        raise NotImplementedError

    def step(self) -> None:
        """Make one step."""
        self.advance(_NONE, 0, 1)
        if self.status == "running" and self.t >= self._piece.stop:
            self.status = "finished"
