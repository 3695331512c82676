"""The avalanche: when each cell of its chain fires, and what its outstars then learn and show.

    dx_k/dt = -A x_k + P p_(k-1) + P p_k + c - J x_k p_(k+1),      p_k = 1 if x_k >= threshold, else 0

A cell of the chain fires only if the cell before it and the command c are on together: P/A and c/A lie below the
threshold, (P + c)/A above it. Once it fires it keeps itself on, starts the next cell, and is switched off by it.

    dy_i/dt = rate (I_i(t) - y_i) + D sum_k p_k z_ki             screen
    dz_ki/dt = M p_k (y_i - z_ki)                                outstars                                      (11)

Between two times at which a cell fires or falls silent, or a frame changes, all of this is linear with constant
coefficients. So the times are logarithms, and the rest are exponentials of matrices of at most four rows.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.errors import InputError

__all__ = ["AvalancheChain", "play"]

_EDGE = 1e-6  # of activity: a cell that comes so near to its threshold may fire or not


def _toward(x: float, level: float, rate: float, time: float) -> float:
    """Return the solution of dx/dt = rate (level - x) after some time."""
    return level + (x - level) * math.exp(-rate * time)


@dataclass(frozen=True)
class AvalancheChain:
    """The chain of an avalanche.

    Parameters
    ----------
    A : float
        Decay rate of the cells (1/time).
    P : float
        Strength of a firing cell's signal to the next one and to itself (1/time); less than A threshold.
    J : float
        Strength of its signal to the cell before it (1/time).
    threshold : float
        Activity from which a cell fires.
    rate : float
        Rate of the command cell, dx/dt = rate (c(t) - x); greater than A.
    """

    A: float
    P: float
    J: float
    threshold: float
    rate: float

    @property
    def commands(self) -> tuple[float, float]:
        """The commands between which the chain runs: below the first nothing fires, at the second everything does."""
        return self.A * self.threshold - self.P, self.A * self.threshold

    def step(self, command: Any) -> Any:
        """Return the time from one cell's firing to the next, ``-ln(1 - (A threshold - c)/P)/A``.

        A cell starts from c/A, goes to (P + c)/A, and fires on its way.
        """
        return -np.log1p((np.asarray(command, dtype=np.float64) - self.commands[1]) / self.P) / self.A

    def command(self, step: Any) -> Any:
        """Return the command that gives this step: the inverse of `step`."""
        return self.commands[1] + self.P * np.expm1(-self.A * np.asarray(step, dtype=np.float64))

    def firing(self, command: float, go: float, cells: int) -> np.ndarray:
        """Return when each cell fires, with the command on from time 0 and a start signal P to the first cell.

        Parameters
        ----------
        command : float
            c.
        go : float
            When the start signal comes, many times 1/rate later: the cells need not have reached c/A yet.
        cells : int
            Length of the chain.

        Returns
        -------
        ndarray, shape (cells,)
        """
        A, P, c = self.A, self.P, command
        missing = (c / A) * self.rate / (self.rate - A)  # to c/A, at time t times exp(-A t)
        times, before = [], go
        for _ in range(cells):
            before += math.log((P / A + missing * math.exp(-A * before)) / ((P + c) / A - self.threshold)) / A
            times.append(before)
        return np.array(times)

    def silence(self, command: float, fired: np.ndarray, start: float) -> np.ndarray:
        """Return when each cell falls silent again; infinity for the last, which keeps itself on.

        Parameters
        ----------
        command : float
            c, which stays on.
        fired : ndarray, shape (cells,)
            When they fired.
        start : float
            When the start signal of the first cell ended.

        Returns
        -------
        ndarray, shape (cells,)

        Raises
        ------
        InputError
            If a cell is not silent yet when the next but one fires.
        """
        rest = (command + self.P) / (self.A + self.J)
        silent, earlier = [], start
        for k in range(len(fired) - 1):
            x = self._level(command, fired[k], earlier, fired[k + 1])
            earlier = fired[k + 1] + math.log((x - rest) / (self.threshold - rest)) / (self.A + self.J)
            if k + 2 < len(fired) and earlier >= fired[k + 2]:
                raise InputError(f"command = {command:g}: a cell takes longer to fall silent than a step lasts")
            silent.append(earlier)
        return np.array([*silent, np.inf])

    def _level(self, command: float, fired: float, earlier: float, time: float) -> float:
        """Return the activity of a cell that fired, while it is not inhibited and the cell before is on to `earlier`.

        `time` must come before the cell is switched off.
        """
        A, P = self.A, self.P
        both = max(min(earlier, time) - fired, 0.0)
        x = _toward(self.threshold, (command + 2.0 * P) / A, A, both)
        return _toward(x, (command + P) / A, A, time - fired - both)

    def stopped(
        self, command: float, fired: np.ndarray, silent: np.ndarray, start: float, stop: float
    ) -> tuple[int, float]:
        """Return how many cells fire if the command goes off at the time `stop`, and when the last of them is silent.

        Parameters
        ----------
        command : float
            c until then.
        fired, silent : ndarray
            When the cells fire and fall silent if the command stays on.
        start : float
            When the start signal of the first cell ended.
        stop : float
            Not before the first cell fires.

        Raises
        ------
        InputError
            If the outcome hangs by a thread: the next cell is about to fire, or the last has just fired.
        """
        from scipy.optimize import brentq

        count = int(np.searchsorted(fired, stop, side="right"))
        earlier = start if count < 2 else silent[count - 2]
        if count == 0 or earlier > stop:
            raise InputError(f"stop = {stop:g}: a cell is about to fire, or has just fired; choose another time")
        A, P, rate, last = self.A, self.P, self.rate, count - 1
        x = self._level(command, fired[last], earlier, stop)
        fading = command / (rate - A)  # what the command still adds, times exp(-A s) - exp(-rate s)

        def course(x: float, s: Any) -> Any:
            return P / A + (x + fading - P / A) * np.exp(-A * s) - fading * np.exp(-rate * s)

        longest = math.log((x + fading - P / A) / (self.threshold - P / A)) / A
        quiet = float(brentq(lambda s: course(x, s) - self.threshold, 0.0, longest, xtol=1e-14))
        waiting = command / A + P / A * -math.expm1(-A * (stop - fired[last]))
        if count < len(fired) and course(waiting, np.linspace(0.0, quiet, 1001)).max() > self.threshold - _EDGE:
            raise InputError(f"stop = {stop:g}: a cell is about to fire, or has just fired; choose another time")
        return count, stop + quiet


def play(
    times: Any,
    fired: np.ndarray,
    silent: np.ndarray,
    weights: np.ndarray,
    rate: float,
    D: float,
    *,
    M: float = 0.0,
    frames: np.ndarray | None = None,
    changes: np.ndarray | None = None,
    stop: float = np.inf,
) -> tuple[np.ndarray, np.ndarray]:
    """Return what the screen shows while the chain runs, from darkness, and the weights of the outstars at the end.

    Parameters
    ----------
    times : array, shape (times,)
        Times in rising order, none before 0.
    fired, silent : ndarray, shape (cells,)
        When each cell of the chain fires and falls silent.
    weights : ndarray, shape (cells, pixels)
        z at time 0.
    rate : float
        Rate of the screen (1/time).
    D : float
        Strength of the outstars' signals (1/time).
    M : float
        Learning rate (1/time).
    frames : ndarray, shape (frames, pixels), optional
        The input I of the screen: one frame after the other.
    changes : ndarray, shape (frames + 1,), optional
        When each frame begins, and when the last one ends.
    stop : float
        When every cell falls silent.

    Returns
    -------
    screen : ndarray, shape (times, pixels)
    weights : ndarray, shape (cells, pixels)
        At the last of the times.
    """
    from scipy.linalg import expm

    times = np.asarray(times, dtype=np.float64)
    silent = np.minimum(silent, stop)
    breaks = [times, fired, silent] + ([] if changes is None else [changes])
    nodes = np.unique(np.concatenate([[0.0], *breaks]))
    nodes = nodes[(nodes >= 0.0) & (nodes <= times[-1])]
    z = np.array(weights, dtype=np.float64)
    y = np.zeros(z.shape[1])
    shown, flows = [y] if times[0] == 0.0 else [], {}
    for start, end in itertools.pairwise(nodes):
        middle = 0.5 * (start + end)
        on = np.flatnonzero((fired <= middle) & (middle < silent))
        light = np.zeros(z.shape[1])
        if frames is not None and changes is not None and changes[0] <= middle < changes[-1]:
            light = frames[np.searchsorted(changes, middle, side="right") - 1]
        key = (on.size, end - start)
        if key not in flows:
            flow = np.zeros((on.size + 2, on.size + 2))  # of y, the weights of the firing cells, and the light
            flow[0, 0], flow[0, -1], flow[0, 1:-1] = -rate, rate, D
            flow[1:-1, 0] = M
            flow[range(1, on.size + 1), range(1, on.size + 1)] = -M
            flows[key] = expm(flow * (end - start))
        state = flows[key] @ np.vstack([y, z[on], light])
        y, z[on] = state[0], state[1:-1]
        if end in times:
            shown.append(y)
    return np.array(shown), z
