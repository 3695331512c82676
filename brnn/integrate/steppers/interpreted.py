"""Explicit pairs of order 5 in NumPy, for runs that are over before Numba would be loaded.

Steps, errors and the rule of stability are those of `brnn.integrate.steppers.pair_steps`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.compiler.cache import load_plain
from brnn.compiler.system import System
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import STAGES, Pair
from brnn.integrate.steppers.step_lengths import FIFTH, after_step, first_step, first_trial, shrinkage

__all__ = ["NumPySteps", "Slope", "slope_of"]

_TINY = 1e-300

Slope = Callable[..., None]


def slope_of(system: System) -> Slope | None:
    """Return du/dt of a network as a function of whole arrays, which needs no compiling; None if it has none."""
    if system.whole_arrays is None:
        return None
    function: Slope = load_plain(system.whole_arrays).rhs
    return function


class NumPySteps:
    """Makes the steps of one piece.

    Parameters
    ----------
    piece : Piece
        What is to be integrated; it has no delays.
    slope : callable
        Its du/dt, of `slope_of`.
    pair : Pair
        By which pair.

    Attributes
    ----------
    status : str
        "running", "finished" or "failed".
    t, h_abs, step_size : float
        Where it stands, the next step, the last one.
    remembered : tuple of float
        The fastest rate that was seen and is not forgotten, and the length that the last step's error allowed, and
        how that grew.
    f : ndarray
        du/dt where it stands.
    nfev, njev, steps : int
        What was counted.
    """

    njev = 0

    def __init__(self, piece: Piece, slope: Slope, pair: Pair = DORMAND_PRINCE) -> None:
        n, p, *arrays = piece.fun.arguments
        self._piece, self._slope, self._pair = piece, slope, pair
        self._arguments = (n.tolist(), p.tolist(), *arrays)
        self.status, self.nfev, self.steps = "running", 2, 0
        self.t, self.remembered = float(piece.start), (0.0, 0.0, 0.0)
        self._u, self._K = piece.state.copy(), np.empty((STAGES, piece.state.size))
        self._old, self._before, self.step_size = self._u, self.t, 0.0
        self._evaluate(self.t, self._u, self._K[0])
        self.f = self._K[0]
        self.h_abs = self._first()

    @property
    def y(self) -> np.ndarray:
        """The state, in an array of its own."""
        return self._u.copy()

    @property
    def here(self) -> np.ndarray:
        """The state."""
        return self._u

    def _evaluate(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        self._slope(t + self._piece.fun.shift, u, du, *self._arguments)

    def _first(self) -> float:
        """Return a first step, as the compiled steps do."""
        piece, u, slope, length = self._piece, self._u, self._K[0], self._piece.stop - self.t
        scale = piece.atol + piece.rtol * np.abs(u)
        state, speed = float((np.abs(u) / scale).max()), float((np.abs(slope) / scale).max())
        if not speed > 0.0:
            return length
        trial = first_trial(length, state, speed)
        self._evaluate(self.t + trial, u + trial * slope, self._K[1])
        bend = float((np.abs(self._K[1] - slope) / scale).max())
        return first_step(length, trial, speed, bend)

    def step(self) -> None:
        """Make one step."""
        piece, pair, K, t, u = self._piece, self._pair, self._K, self.t, self._u
        if self.steps:
            K[0] = K[-1]
        shortest = 10.0 * math.ulp(t)
        size, rejected = min(max(self.h_abs, shortest), piece.longest), False
        while True:
            if not size >= shortest:
                self.status = "failed"
                return
            end = min(t + size, piece.stop)
            h = size = end - t
            stage = u
            for k in range(1, STAGES):
                last, stage = stage, u + h * (pair.rows[k, :k] @ K[:k])
                self._evaluate(t + pair.nodes[k] * h if k < STAGES - 1 else end, stage, K[k])
            self.nfev += STAGES - 1
            scale = piece.atol + piece.rtol * np.maximum(np.abs(u), np.abs(stage))
            error = float(np.abs(h * (pair.error @ K) / scale).max())
            if error < 1.0:
                break
            size *= shrinkage(error, FIFTH)
            rejected = True
        rate = float(np.abs(K[6] - K[5]).max()) / max(float(np.abs(stage - last).max()), _TINY)
        self.h_abs, self.remembered = after_step(h, error, rejected, rate, self.remembered)
        self._old, self._u, self.f = u, stage, K[-1]
        self._before, self.t, self.step_size = t, end, h
        self.steps += 1
        if end >= piece.stop:
            self.status = "finished"

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, which need no `room`."""
        saved: list[np.ndarray] = []
        done = made = 0
        while self.status == "running" and made < most and done < rows:
            self.step()
            made += 1
            passed = times[done : int(np.searchsorted(times, self.t, side="right"))]
            if self.status != "failed" and passed.size:
                saved.append(self._at(passed))
                done += passed.size
        return np.concatenate(saved) if saved else np.empty((0, self._u.size))

    def _at(self, times: np.ndarray) -> np.ndarray:
        """Return the states at times within the last step, one a row."""
        s = (times - self._before) / self.step_size
        states: np.ndarray = (
            self._old + self.step_size * (s[:, None] ** np.arange(1, 5)) @ self._pair.inside.T @ self._K
        )
        states[times == self.t] = self._u
        return states

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""

        def interpolated(t: Any) -> np.ndarray:
            moments = np.asarray(t, dtype=np.float64)
            states = self._at(moments.reshape(-1))
            return states[0] if moments.ndim == 0 else states.T

        return interpolated
