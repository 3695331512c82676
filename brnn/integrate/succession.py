"""Whether the steps of a method are limited by stability, and which method takes over then."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.integrate.driver import Driver
from brnn.integrate.jacobian import fastest_rate
from brnn.integrate.sides import Sides
from brnn.integrate.steppers.base import Piece
from brnn.integrate.timetable import Timetable

if TYPE_CHECKING:
    from brnn.integrate.methods.base import StepperMethod

__all__ = ["LOOK_STEPS", "WORTH_IN_ONE_GO", "Succession"]

LOOK_STEPS = 500  # between looks at whether an explicit method is limited by stability
_WORTH_STEPS = 2_000  # that must be left for a stiff method to be worth its matrices,
WORTH_IN_ONE_GO = 20_000  # or so many where a step takes no time outside of compiled code
_WORTH_IN_A_PIECE = 0.1  # of that for each piece, since a stiff method begins each with short steps,
_WORTH_ROWS = 0.25  # and so many steps in each for a row of its matrices
_HELD_STEPS, _HELD_WORTH = 2_000, 2e7  # that must be left, and times unknowns, where an exponential method is held
_HELD_LOOK = 100  # steps of it before the first look at whether it is,
_HELD = 0.2  # step times fastest rate of what it does not take exactly, where it is not worth to try another method,
_TRIAL_STEPS, _TRIAL_GAIN = 10, 4.0  # steps of a trial, and how much longer the last one must be
_LIMITED = 2.0  # step times fastest rate; at about 3 RK45 becomes unstable
_STABLE = 3.3  # the same where it does


@dataclass
class Succession(Driver):
    """A run whose method gives way to another if the network proves to be too stiff for it.

    Parameters
    ----------
    successors : tuple of StepperMethod
        What takes over, one after the other, if the network proves to be too stiff for the method. The first ones may
        not fit the network: the first that does is taken.
    look : int
        Steps between looks at whether it does.
    worth : float or None
        How many steps must be left; if this is given, the first look is before the first step.
    rows : int
        Of the matrix that the first of the successors makes.
    least : float
        How many steps must be left at least, where how many pieces there will be is not known.
    """

    method: StepperMethod
    successors: tuple[StepperMethod, ...] = ()
    look: int = LOOK_STEPS
    worth: float | None = None
    rows: int = 0
    least: float = 0.0
    timetable: Timetable = field(init=False)
    began: int = field(default=0, init=False)
    checked: float = field(default=0.0, init=False)
    stiff: bool = field(default=False, init=False)
    sides: Sides | None = field(default=None, init=False)
    patience: int = field(default=_HELD_LOOK, init=False)

    def turned_stiff(self, piece: Piece, stepper: Any, worth: int = _WORTH_STEPS) -> bool:
        """Tell, now and then, whether the steps are limited by stability and too many are left; then change method.

        LSODA may go on with its explicit method where a network is stiff but at rest to the last bit: it makes no
        Jacobian in many steps of one piece then.
        """
        if not self.successors or self.steps % self.look != 0:
            return False
        if self.sides is not None and self.sides.sliding:
            return False  # no method has long steps there, and those of an explicit one are cheap
        pace, self.checked = (stepper.t - self.checked) / self.look, stepper.t
        left = (self.task.duration - stepper.t) / pace if pace > 0.0 else np.inf
        in_a_piece = _WORTH_IN_A_PIECE * worth + _WORTH_ROWS * self.rows
        if left < (max(worth, self.least, self.timetable.pieces * in_a_piece) if self.worth is None else self.worth):
            return False
        if self.stiff and hasattr(stepper, "rates"):
            if not self._is_held(piece, stepper, left):
                return False
            self._succeed(f"from t = {stepper.t:.3g} on", left, "stiff by what totals over cells do")
            return True
        if self.stiff:
            if stepper.njev > 0 or self.steps - self.began < LOOK_STEPS or left < WORTH_IN_ONE_GO:
                return False
        elif self.worth is not None and stepper.step_size * stepper.rate < _LIMITED:
            return False  # which costs nothing, and where the estimate is too small another look will do
        elif stepper.step_size * fastest_rate(piece.fun, stepper.t, stepper.y) < _LIMITED:
            return False
        self._succeed(f"from t = {stepper.t:.3g} on", left)
        return True

    def _is_held(self, piece: Piece, stepper: Any, left: float) -> bool:
        """Tell whether a method that takes each unknown's own rate exactly is held up by what it does not take so.

        That is, of many cells which inhibit each other, their total. How much longer the steps of the next method may
        be is tried, for as many steps as a look is worth.
        """
        made, worth = self.steps - self.began, max(_HELD_STEPS, _HELD_WORTH / stepper.y.size)
        if left < worth or made < self.patience:
            return False
        self.patience = 2 * made
        fun, rates, method = piece.fun, stepper.rates, self.successors[0]

        def others(t: float, u: np.ndarray) -> np.ndarray:
            return np.asarray(fun(t, u) - rates * u)

        if stepper.step_size * fastest_rate(others, stepper.t, stepper.y) < _HELD or not method.fits(self.task.system):
            return False
        trial = method.stepper(replace(piece, start=stepper.t, state=stepper.y))
        trial.h_abs = stepper.step_size
        for _ in range(_TRIAL_STEPS):
            if trial.status == "running":
                trial.step()
        self.count(trial)
        longer = trial.t - trial.t_old >= _TRIAL_GAIN * stepper.step_size
        return trial.status != "failed" and (longer or trial.status == "finished")

    def begins_stiff(self, stepper: Any, piece: Piece) -> bool:
        """Tell whether stability alone would ask for many steps in a large network; then change method at once."""
        if self.worth is None or self.stiff or not self.successors:
            return False
        rate = getattr(stepper, "rate", None)
        if rate is None:
            return False
        left = (piece.stop - piece.start) * rate / _STABLE
        if not self.worth <= left < np.inf:
            return False
        self._succeed("from the start" if piece.start == self.task.begin else f"from t = {piece.start:.3g} on", left)
        return True

    def _succeed(self, since: str, left: float, why: str = "stiff") -> None:
        """Let the next method take over."""
        while not self.successors[0].fits(self.task.system):
            self.successors = self.successors[1:]
        self.method, *rest = self.successors
        self.stiff, self.successors, self.began = True, tuple(rest), self.steps
        self.reason += f"; {since} {self.method.name}: {why}, {left:.1g} steps were left"

    def count(self, stepper: Any) -> None:
        """Count what a stepper that ends has evaluated."""
        self.evaluations += int(stepper.nfev)
        self.jacobians += int(stepper.njev)
