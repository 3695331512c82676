"""The exponential method of Krogstad: order 4, each unknown's own rate taken exactly, with an embedded estimate.

Krogstad (2005), J. Comput. Phys. 203, 72-88. Half of the estimate is that of Whalen, Brio and Moloney (2015), J.
Comput. Phys. 280, 579-601: the new state's slope, which the next step needs anyway, in the place of the fourth stage's.
The other half, and the interpolant, use the slope where the step before began, or, in the first step of a piece, after
a quarter of it: without that they would take for a parabola what is none, and saved times within the first step after a
jump of the input were wrong by up to 650 tolerances.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.compiler.rooms import room_apart
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.step_lengths import growth, shrinkage

__all__ = ["Exponential"]

_FILE = Path(__file__).with_name("exponential_steps.py")
_EXPONENT = -0.25
_FIRST = 100.0  # tolerances by which the first step may move an unknown,
_PART = 0.01  # or the part that it may be of the fastest time constant, if that is longer
_EARLY = 0.25  # part of the first step after which its slope is asked for once more


class Exponential:
    """Makes the steps of one piece; see `brnn.integrate.steppers.base.Stepper` for its attributes."""

    njev = 0

    def __init__(self, piece: Piece) -> None:
        size = piece.state.size
        self._piece, self._code = piece, load_copy(_FILE)
        self.status, self.nfev = "running", 1
        self.t, self.stop = piece.start, piece.stop
        self.y = piece.state
        self._both, self._other = room_apart(2 * size), room_apart(2 * size)
        self._phi = room_apart(3 * size).reshape(3, size)
        self._slope, self._stage, self._D2, self._D3, self._D4 = (room_apart(size) for _ in range(5))
        self._D_before, self._f_before = np.zeros(size), np.zeros(size)
        self._weights = np.zeros(3)
        piece.fun.with_rates(self.t, self.y, self._both)
        scale = piece.atol + piece.rtol * np.abs(self.y)
        speed = float(np.max(np.abs(self.f) / scale))
        fastest = float(np.max(np.abs(self.rates)))
        first = max(_FIRST / speed if speed > 0.0 else np.inf, _PART / fastest if fastest > 0.0 else 0.0)
        self.h_abs = min(self.stop - self.t, first)
        self._before: tuple[float, np.ndarray] = (self.t, self.y)

    @property
    def f(self) -> np.ndarray:
        """du/dt where it stands."""
        return self._both[: self.y.size]

    @property
    def f_old(self) -> np.ndarray:
        """du/dt where the last step began."""
        return self._f_before

    @property
    def rates(self) -> np.ndarray:
        """The rates of the unknowns where it stands."""
        return self._both[self.y.size :]

    @property
    def step_size(self) -> float:
        """Length of the last step."""
        return self.t - self._before[0]

    def step(self) -> None:
        """Make one step."""
        t, u, piece, code = self.t, self.y, self._piece, self._code
        f, L, phi, k, stage = self.f, self.rates, self._phi, self._slope, self._stage
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(self.h_abs, shortest), piece.longest)
        new = room_apart(u.size)
        rejected, n, (t_before, u_before) = False, u.size, self._before
        if t_before < t:
            code.change(u, f, L, u_before, self._f_before, self._D_before)
        while True:
            if size < shortest:
                self.status = "failed"
                return
            end = min(t + size, self.stop)
            h = size = end - t
            code.begin(h, u, f, L, phi, stage)
            piece.fun.into(t + 0.5 * h, stage, k)
            code.middle(h, u, f, L, phi, k, stage, self._D2)
            piece.fun.into(t + 0.5 * h, stage, k)
            code.third(h, u, f, L, phi, k, stage, self._D3)
            piece.fun.into(end, stage, k)
            code.end(h, u, f, L, phi, k, stage, self._D2, self._D3, self._D4, new)
            piece.fun.with_rates(end, new, self._other)
            self.nfev += 4
            if t_before < t:
                self._weigh((t - t_before) / h)
            else:
                self._weights[:] = 0.0
                slope = self._other[:n]
                code.interpolate(_EARLY, h, u, f, L, self._D_before, self._D3, new, slope, self._weights, stage)
                piece.fun.into(t + _EARLY * h, stage, k)
                self.nfev += 1
                code.change(u, f, L, stage, k, self._D_before)
                self._weigh(-_EARLY)
            error = code.largest_error(
                h, u, f, L, phi, self._D_before, self._D3, self._D4, new, self._other[:n], self._weights, piece.rtol,
                piece.atol,
            )  # fmt: skip
            if error < 1.0:
                break
            size *= shrinkage(error, _EXPONENT)
            rejected = True
        self._f_before[:] = f
        self._both, self._other = self._other, self._both
        self._before = t, u
        self.t, self.y = end, new
        self.h_abs = h * growth(error, _EXPONENT, rejected)
        if end >= self.stop:
            self.status = "finished"

    def _weigh(self, r: float) -> None:
        """Set the weights of D in its third divided difference, that of the time -r h for one: see `largest_error`."""
        self._weights[:] = -1.0 / (r * (r + 0.5) * (r + 1.0)), -4.0 / (r + 0.5), 2.0 / (r + 1.0)

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        (start, u), h, n = self._before, self.t - self._before[0], self.y.size
        f, L = self._other[:n].copy(), self._other[n:].copy()
        before, D3, new, slope = self._D_before.copy(), self._D3.copy(), self.y, self.f.copy()
        weights, interpolate = self._weights.copy(), self._code.interpolate

        def interpolated(t: Any) -> np.ndarray:
            moments = np.asarray(t, dtype=np.float64)
            out = np.empty((moments.size, n))
            for k, moment in enumerate(moments.ravel()):
                interpolate((moment - start) / h, h, u, f, L, before, D3, new, slope, weights, out[k])
            return out[0] if moments.ndim == 0 else np.ascontiguousarray(out.T)

        return interpolated
