"""The method of Euler, with steps of one size: that of many published simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.compiler.system import room_apart
from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.steppers.base import Piece

__all__ = ["Euler"]

_STEP = 1e-3


class _Steps:
    """Makes the steps of one piece; see `brnn.integrate.steppers.base.Stepper` for its attributes."""

    njev = 0

    def __init__(self, piece: Piece) -> None:
        size = piece.state.size
        self._piece, self.status, self.nfev = piece, "running", 1
        self.t, self.stop, self.y = piece.start, piece.stop, piece.state
        self.f, self._other = room_apart(size), room_apart(size)
        self.t_old, self.y_old = self.t, room_apart(size)
        piece.fun.into(self.t, self.y, self.f)

    def step(self) -> None:
        """Make one step; those of a piece are equal, the last one as long as what is left."""
        step = self._piece.step or _STEP
        left = self.stop - self.t
        h = min(left if left < step * (1.0 + 1e-9) else step, self._piece.longest)
        new = self.y_old
        np.multiply(self.f, h, out=new)
        new += self.y
        self.t_old, self.y_old = self.t, self.y
        self.t, self.y = (self.stop if h == left else self.t + h), new
        self.f, self._other = self._other, self.f
        self._piece.fun.into(self.t, self.y, self.f)
        self.nfev += 1
        if self.t >= self.stop:
            self.status = "finished"

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the straight line of the last step as a function of one time, or of several."""
        start, h, y_old, whole = self.t_old, self.t - self.t_old, self.y_old.copy(), self.y - self.y_old

        def line(t: Any) -> np.ndarray:
            s = (np.asarray(t) - start) / h
            return np.asarray(y_old.reshape(y_old.shape + (1,) * s.ndim) + np.multiply.outer(whole, s))

        return line


class Euler(StepperMethod):
    """Order 1, no error control: what a published simulation did is done again with its own step."""

    name = "Euler"
    description = "explicit, order 1, with fixed steps (`step`, 0.001 by default), as many published simulations"
    order = 12
    copies = 6
    takes_step = True

    def stepper(self, piece: Piece) -> Any:
        """Return what makes the steps."""
        return _Steps(piece)
