"""What becomes of each step of a run: whether it can be made, what happens within it, and what is saved of it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.compiler.jumps import BEYOND, NEAR_END
from brnn.compiler.right_hand_side import RightHandSide
from brnn.integrate.crossings import Slopes
from brnn.integrate.delays import History
from brnn.integrate.failures import why_no_sliding, without_a_value
from brnn.integrate.sides import Sides
from brnn.integrate.steppers.base import Piece
from brnn.integrate.succession import Succession

__all__ = ["SingleSteps"]

_STILL_STEPS = 20  # in a row that do not change the time
_PACE_STEPS = 10_000  # over which the pace of a run is measured
_MOST_STEPS = 1e7  # for the rest of the run: the solver slides along a jump of the equations, or is not made for them
_PACE_SLIDING, _MOST_SLIDING = 200, 2e5  # the same where a cell slides and no compiled code makes the steps
_SLOW_PACES = 10  # in a row by which it would need more than that
_REMADE = 3  # times that a step over a jump is made again: BDF begins anew each time, with short steps of its own


@dataclass
class SingleSteps(Succession):
    """A run in steps. A subclass says from where to where they go."""

    history: History | None = field(default=None, init=False)  # of signals that travel
    stepper: Any = field(default=None, init=False)  # what the run could go on with, if it were cut off here
    still: int = field(default=0, init=False)  # steps in a row that did not change the time
    slow: int = field(default=0, init=False)  # paces in a row that were too slow
    mark: float = field(default=0.0, init=False)  # where the last pace began
    planned: float | None = field(default=None, init=False)  # the first step of the next stepper, if it is known
    remembered: tuple[float, float, float] | None = field(default=None, init=False)  # of earlier ones, for the same
    limited: bool = field(default=False, init=False)  # whether BLAS is kept to one thread for matrices
    again: bool = field(default=False, init=False)  # whether the last step is to be made again, shorter
    remade: int = field(default=0, init=False)  # times in a row that it was

    def make_stepper(self, piece: Piece) -> Any:
        """Return the stepper of the method; one that makes matrices has its BLAS loaded now."""
        stepper, size = self.method.stepper(piece), piece.state.size
        if not self.limited and self.method.matrices(size, size):
            self.limited = True
            self.keep_one_thread(matrices=True)
        return stepper

    def require_finite(self, stepper: Any, time: float, state: np.ndarray) -> None:
        """Raise IntegrationError if du/dt is not a number: SciPy's explicit methods would try steps for ever."""
        slope = getattr(stepper, "f", None)
        if slope is not None and not np.isfinite(slope).all():
            self.count(stepper)
            raise self.failure(time, state, slope, 1.0)

    def make_step(self, stepper: Any, fun: RightHandSide, state: np.ndarray) -> None:
        """Make one step from `state`; raise IntegrationError if that cannot be, or if the end is out of reach."""
        before = stepper.t
        # BDF and Radau raise these when a trial step overflows.
        with contextlib.suppress(ValueError, np.linalg.LinAlgError):
            stepper.step()
        # The first steps of LSODA may be too short to change the time, and still change the state.
        self.still = self.still + 1 if stepper.t == before else 0
        made = self.still < _STILL_STEPS and stepper.status != "failed" and bool(np.isfinite(stepper.y).all())
        if made:
            self.steps += 1
        needed = self.steps_needed(stepper.t) if made else None
        if not made or needed is not None:
            self.fail(stepper, fun, before, state, needed)

    def fail(self, stepper: Any, fun: RightHandSide, time: float, state: np.ndarray, needed: float | None) -> NoReturn:
        """Raise IntegrationError: from this state it cannot go on."""
        self.count(stepper)
        scale = self.task.atol + self.task.rtol * np.abs(state)
        slope = fun(time, state)
        why = None if needed is not None else without_a_value(fun, time, state, slope, stepper.t - time)
        if needed is not None and self.sides is not None and self.sides.sliding:
            why = why_no_sliding(self.sides.slides, needed, hasattr(stepper, "watched"))
        raise self.failure(time, state, slope, scale, why, needed)

    def event_within(
        self, stepper: Any, fun: RightHandSide, before: float, state: np.ndarray, slopes: Slopes | None
    ) -> float | None:
        """Return when the first event or jump of the step from `before` happens; None if there is none."""
        if stepper.t == before:
            return None
        if slopes is not None:
            self.evaluations += 1
            return self.first_within(stepper, fun, before, state, slopes.step(stepper.t, stepper.y))
        if hasattr(stepper, "f_old"):
            return self.first_within(stepper, fun, before, state, (stepper.f_old, stepper.f))
        stages = getattr(stepper, "K", None)  # of SciPy's explicit methods
        return self.first_within(stepper, fun, before, state, None if stages is None else (stages[0], stages[-1]))

    def first_within(
        self,
        stepper: Any,
        fun: RightHandSide,
        before: float,
        state: np.ndarray,
        slopes: tuple[np.ndarray, np.ndarray] | None,
    ) -> float | None:
        """Return when the first event of a step happens, or a signal jumps if that is earlier; None if nothing does."""
        stop, after = stepper.t, stepper.y
        jump = None if self.sides is None else self._jump_within(self.sides, stepper, before, state, slopes)
        if jump == before:
            return before
        if self.reactor is not None and self.reactor.watching and slopes is not None:
            if jump is not None:
                stop, after = jump, np.asarray(stepper.dense_output()(jump))
                slopes = slopes[0], fun(jump, after)
                self.evaluations += 1
            event = self.reactor.search(before, state, stop, after, stepper.dense_output, slopes)
            if event is not None:
                if self.sides is not None:
                    self.sides.forget()
                    self.planned = self.remembered = None
                return event
        return jump

    def _jump_within(
        self,
        sides: Sides,
        stepper: Any,
        before: float,
        state: np.ndarray,
        slopes: tuple[np.ndarray, np.ndarray] | None,
    ) -> float | None:
        """Return when the first signal jumps in a step; where it begins if the step is to be made again, shorter."""
        jump = sides.search(before, state, stepper.t, stepper.y, stepper.dense_output, slopes)
        if jump is None:
            return None
        self.planned = getattr(stepper, "h_abs", None)
        if hasattr(stepper, "remembered"):
            self.remembered = stepper.remembered[0], 0.0, 0.0  # beyond, errors are of another size
        if jump == before:
            return before
        late = jump - before >= NEAR_END * (stepper.t - before)
        if self.planned is None or late or self.remade >= _REMADE:
            self.remade = 0
            return jump
        self.remade += 1
        # No event is looked for in it: what waits for a crossing knows only of steps that count.
        sides.forget()
        self.planned, self.again = BEYOND * (jump - before), True
        return before

    def keep_step(self, stepper: Any, before: float) -> None:
        """Keep of the step from `before` what delayed signals will need, and save what was asked for."""
        if self.history is not None:
            self.history.append(stepper.t, stepper.dense_output())
        self.save_before(stepper.dense_output, stepper.t)
        self.stepper = None
        if stepper.status == "running":
            self.save_reached(stepper.t, stepper.y)
            self.stepper = stepper
        self.progressed(stepper.t - before)

    def end_at(self, stepper: Any, event: float) -> np.ndarray:
        """Return the state at an event in the last step, and save what comes before it."""
        self.count(stepper)
        self.stepper = None
        state = stepper.y if event == stepper.t else np.asarray(stepper.dense_output()(event))
        self.save_before(stepper.dense_output, event)
        return state

    def save_before(self, output: Callable[[], Any], time: float) -> None:
        """Save every requested time before `time`, in blocks of bounded size; `output` makes the state there."""
        inner = self.task.times[self.saved : int(np.searchsorted(self.task.times, time, side="left"))]
        if inner.size:
            dense = output()
            rows = rows_at_once(8 * self.task.system.size)
            for k in range(0, inner.size, rows):
                block = inner[k : k + rows]
                self.save(block, np.ascontiguousarray(dense(block).T))

    def steps_needed(self, time: float) -> float | None:
        """Return, now and then, how many steps the run would need at the pace of the last ones, if far too many."""
        dear = self.sides is not None and self.sides.sliding and not hasattr(self.stepper, "watched")
        steps, most = (_PACE_SLIDING, _MOST_SLIDING) if dear else (_PACE_STEPS, _MOST_STEPS)
        if self.steps % steps != 0:
            return None
        pace, self.mark = (time - self.mark) / steps, time
        left = self.task.duration - time
        self.slow = self.slow + 1 if left > most * pace else 0
        return left / max(pace, 1e-300) if self.slow >= _SLOW_PACES else None
