"""What explicit methods for very many unknowns share: control of the step, and many steps in one call."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.many_steps import ManySteps, at_times
from brnn.integrate.steppers.step_lengths import FIFTH, after_step, first_step, first_trial, shrinkage

__all__ = ["TINY", "ExplicitSteps"]

TINY = 1e-300


class ExplicitSteps(ManySteps):
    """Makes the steps of one piece with a pair of orders 5 and 4.

    A subclass has ``_begin()``, which makes the end of the last step the first stage of the next;
    ``_attempt(t, end, h)``, which writes the new state into `_new` and returns its error in units of the tolerance and
    about the fastest rate that the step shows; and ``_within(t, out)``, which writes the state at a time within the
    last step.

    Parameters
    ----------
    piece : Piece
        What is to be integrated.

    Attributes
    ----------
    status : str
        "running", "finished" or "failed".
    t, stop, h_abs, step_size : float
        Where it stands, where the piece ends, the next step, the last one.
    nfev, njev, steps : int
        What was counted.
    remembered : tuple of float
        The fastest rate that was seen and is not forgotten, and the length that the last step's error allowed, and
        how that grew.
    """

    njev = 0

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self.status, self.nfev, self.steps = "running", 2, 0
        self.t, self.stop = piece.start, piece.stop
        self._u, self._new = piece.state.copy(), np.empty_like(piece.state)
        self._before, self.step_size, self._rate = self.t, 0.0, 0.0
        self.remembered = 0.0, 0.0, 0.0
        self._saved = np.empty((0, piece.state.size))
        self.h_abs = self._first()

    @property
    def y(self) -> np.ndarray:
        """The state, in an array of its own."""
        return self._u.copy()

    @property
    def here(self) -> np.ndarray:
        """The state, in an array that is written by later steps."""
        return self._u

    @property
    def rate(self) -> float:
        """About the fastest rate of the network, from two slopes at nearly one time: never much too large."""
        return self._rate

    def _first(self) -> float:
        """Return a first step, as `brnn.integrate.steppers.pair_steps` does."""
        piece, u = self._piece, self._u
        scale = piece.atol + piece.rtol * np.abs(u)
        slope, length = piece.fun(self.t, u), self.stop - self.t
        state, speed = float(np.max(np.abs(u) / scale)), float(np.max(np.abs(slope) / scale))
        if not speed > 0.0:
            return length
        trial = first_trial(length, state, speed)
        rise = np.abs(piece.fun(self.t + trial, u + trial * slope) - slope)
        self._rate = float(rise.max() / (trial * np.abs(slope).max()))
        bend = float(np.max(rise / scale))
        return first_step(length, trial, speed, bend)

    def step(self) -> None:
        """Make one step."""
        t, piece = self.t, self._piece
        if self.steps:
            self._begin()
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(self.h_abs, shortest), piece.longest)
        rejected = False
        while True:
            if size < shortest:
                self.status = "failed"
                return
            end = min(t + size, self.stop)
            h = size = end - t
            error, rate = self._attempt(t, end, h)
            self.nfev += 6
            if error < 1.0:
                break
            size *= shrinkage(error, FIFTH)
            rejected = True
        self._u, self._new = self._new, self._u
        self._before, self.t, self.step_size = t, end, h
        self.steps += 1
        self._rate = rate
        self.h_abs, self.remembered = after_step(h, error, rejected, rate, self.remembered)
        if end >= self.stop:
            self.status = "finished"

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them.
        """
        saved = self._room(times, rows, room)
        rows, done, made = len(saved), 0, 0
        while True:
            if self.steps:
                while done < rows and times[done] <= self.t:
                    self._within(times[done], saved[done])
                    done += 1
                if done == rows < times.size and times[done] <= self.t:
                    self.status = "running"  # there is no room for what was passed
                    break
                self.status = "finished" if self.t >= self.stop else self.status
            if self.status != "running" or made == most:
                break
            self.step()
            made += 1
        return saved[:done]

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        return at_times(self._within, self._u.size)

    def _norm(self, errors: Sequence[np.ndarray]) -> float:
        """Return the error of a step from the largest ones of its parts, or from their sums of squares."""
        if self._piece.norm == "rms":
            result = math.sqrt(sum(float(np.sum(part)) for part in errors) / self._u.size)
        else:
            result = max(float(np.max(part)) for part in errors)
        return result if result == result else math.inf

    def _begin(self) -> None:
        raise NotImplementedError

    def _attempt(self, t: float, end: float, h: float) -> tuple[float, float]:
        raise NotImplementedError

    def _within(self, t: float, out: np.ndarray) -> None:
        raise NotImplementedError
