"""Go through time step by step, with any stepper, restarted at every break point of a schedule."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.compiler.right_hand_side import RightHandSide
from brnn.integrate.crossings import Slopes
from brnn.integrate.delays import History, inside
from brnn.integrate.sides import Sides, look_up
from brnn.integrate.single_steps import SingleSteps
from brnn.integrate.steady import SteadyRule
from brnn.integrate.steppers.base import Piece
from brnn.integrate.succession import WORTH_IN_ONE_GO
from brnn.result.checkpoint import Checkpoint

if TYPE_CHECKING:
    from brnn.integrate.methods.base import StepperMethod

__all__ = ["SHORT", "Stepwise"]

SHORT = 1e-9  # of the time
_SLIDING_STEPS = 16  # in one call while a cell slides along a jump
_FIRST_NUMBERS = 100_000  # times steps that are made in the first call
_CALL_SECONDS = 0.1  # for which many steps in one call may take; then signals are heard, and the bar moves


@dataclass
class Stepwise(SingleSteps):
    """A run of ordinary or delay differential equations.

    Parameters
    ----------
    then : StepperMethod or None
        What goes on after the first steps, if the method is for short runs only.
    """

    then: StepperMethod | None = None
    reached: float = field(default=0.0, init=False)
    earlier: np.ndarray = field(default_factory=lambda: np.empty(0), init=False)  # the state before time 0

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run, and let the events of time 0 happen."""
        self.timetable = self.task.timetable()
        self.earlier = state
        self.reason += look_up(self.task.system)[1]
        return self.begin_events(state, self.timetable)

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Integrate piece by piece."""
        task, timetable, delays = self.task, self.timetable, self.task.system.delays
        past = None if task.start is None else task.start.past
        self.history = History(self.earlier, delays[-1], past) if delays else None
        self.rule = SteadyRule(task.rtol, task.atol, self.history)
        time = self.mark = self.checked = task.begin
        while not timetable.over and not self.stopped:
            time, state, steady = self._piece(time, timetable.stop, state)
            if steady:
                self.reached = time
                return self.at_rest(time, state)
            state = self.react(time, state, timetable.reach(time))
            self.save_reached(time, state)
        message = self.ending(time, state)
        self.reached = time
        return "complete", f"not steady after t = {time:g}" if task.until_steady and not self.stopped else message

    def stands(self) -> tuple[float, dict[str, Any], dict[str, np.ndarray]] | None:
        """Return the state after a step that did not end at a break point, and the next step."""
        stepper = self.stepper
        if stepper is None:
            return None
        facts = {"method": self.method.name, "next": getattr(stepper, "h_abs", None)}
        facts["remembered"] = getattr(stepper, "remembered", None)
        facts["evaluations"] = self.evaluations + int(stepper.nfev)
        arrays = {"state": stepper.y}
        past = None if self.history is None else self.history.past(stepper.t)
        if self.history is not None and past is None:
            return None
        if past is not None:
            arrays |= {"past_edges": past.edges, "past_values": past.values}
        return float(stepper.t), facts, arrays

    def restore(self, kept: Checkpoint) -> None:
        """Take over the method that was at work, and its step."""
        super().restore(kept)
        self.planned, self.remembered = kept.facts["next"], kept.facts.get("remembered")
        names = [method.name for method in self.successors]
        if kept.facts["method"] in names:
            place = names.index(kept.facts["method"])
            self.method, self.successors, self.stiff = self.successors[place], self.successors[place + 1 :], True
        elif self.then is not None and kept.facts["method"] == self.then.name:
            self.method, self.then = self.then, None

    def kept(self) -> Checkpoint | None:
        """Return what travels in delays."""
        past = None if self.history is None else self.history.past(self.reached)
        if past is None:
            return None
        return Checkpoint(self.reached, {}, {"past_edges": past.edges, "past_values": past.values})

    def _piece(self, start: float, stop: float, state: np.ndarray) -> tuple[float, np.ndarray, bool]:
        """Integrate up to `stop`, or to the first event before; return time, state, and whether it is at rest there.

        All is saved that comes before that time.
        """
        task, system, timetable = self.task, self.task.system, self.timetable
        fun = system.rhs(0.5 * (start + stop), self.history, timetable.clock)
        if stop - start <= max(SHORT * stop, 1e-13 * task.duration) and self.history is None:
            state = self._short(fun, start, stop, state)
            return stop, state, False
        if self.sides is None or self.sides.system is not system:
            self.sides = Sides(system, task.rtol, task.atol) if look_up(system)[0] else None
        if self.sides is None:
            return self._smoothly(fun, fun, start, stop, state)
        plain, fun = fun, self.sides.sided.rhs(0.5 * (start + stop), self.history, timetable.clock)
        self.evaluations += self.sides.begin(fun, start, state)
        while True:
            start, state, steady = self._smoothly(fun, plain, start, stop, state)
            if self.again:
                self.again = False
                continue
            if not self.sides.waiting:
                return start, state, steady
            timetable.jumped(start)
            self.evaluations += self.sides.change(start, state)
            self._say_sliding(self.sides)
            if start >= stop or self.history is not None:  # delays may have brought the end of the piece nearer
                return start, state, False

    def _say_sliding(self, sides: Sides) -> None:
        """Say once where a run slides along a jump."""
        if sides.slides and sides.slides not in self.reason:
            self.reason += f"; {sides.slides}"

    def _smoothly(
        self, fun: RightHandSide, plain: RightHandSide, start: float, stop: float, state: np.ndarray
    ) -> tuple[float, np.ndarray, bool]:
        """Integrate up to `stop`, or to the first event or jump of a signal before; in `plain` signals jump."""
        task, system, timetable = self.task, self.task.system, self.timetable
        if self.history is not None and (self.reactor is not None or self.sides is not None):
            inner = inside(start, stop, task.duration)
            fun, plain = replace(fun, between=inner), replace(plain, between=inner)
        longest = min(system.delays[0] if system.delays else np.inf, system.network.period() / self.method.per_period)
        piece = Piece(
            fun, start, state, stop, task.rtol, task.atol, system, task.step, longest=longest, clock=timetable.clock,
            norm=task.norm, sided=self.sides is not None,
        )  # fmt: skip
        stepper = self.make_stepper(piece)
        if self.begins_stiff(stepper, piece):
            self.count(stepper)
            stepper = self.make_stepper(piece)
        self.require_finite(stepper, start, state)
        if self.planned is not None:
            stepper.h_abs, self.planned = self.planned, None
            if self.remembered is not None:
                stepper.remembered, self.remembered = self.remembered, None
        watching = self.sides is not None or (self.reactor is not None and self.reactor.watching)
        settled = timetable.settled + sum(system.delays)
        self.still, self.began = 0, self.steps
        if self.history is None and not task.until_steady:
            stepper, state, event = self._in_one_go(stepper, piece, state, watching)
            if event is not None:
                return event, self.end_at(stepper, event), False
        of_events = self.reactor is not None and self.reactor.watching and stepper.status == "running"
        slopes = Slopes(fun, stepper.t, state) if of_events else None
        while stepper.status == "running":
            before = stepper.t
            self.make_step(stepper, fun, state)
            event = self.event_within(stepper, fun, before, state, slopes) if watching else None
            if event is not None:
                if self.history is not None and event > before:
                    self.history.append(event, stepper.dense_output())
                state = self.end_at(stepper, event)
                self.progressed(event - before)
                return event, state, False
            state = stepper.y
            turned = self.turned_stiff(piece, stepper)
            self.keep_step(stepper, before)
            rest = self.rule.rest(plain, stepper.t, state) if task.until_steady and stepper.t > settled else None
            if rest is not None:
                self.count(stepper)
                return stepper.t, rest, True
            if turned and stepper.status == "running":
                self.count(stepper)
                stepper = self.make_stepper(replace(piece, start=stepper.t, state=state))
        self.count(stepper)
        return stop, state, False

    def _short(self, fun: RightHandSide, start: float, stop: float, state: np.ndarray) -> np.ndarray:
        """Return the state at the end of a piece so short beside the time that a stepper's times would be rounded.

        All is saved that comes before. Where a straight line leads away by no more than a tolerance it is good enough;
        otherwise the piece is integrated with a time of its own.
        """
        slope, length, task = fun(start, state), stop - start, self.task
        self.evaluations += 1
        scale = task.atol + task.rtol * np.abs(state)
        if (np.abs(length * slope) <= scale).all():
            self.save_before(lambda: lambda times: state[:, None] + np.multiply.outer(slope, times - start), stop)
            return np.asarray(state + length * slope)
        from scipy.integrate import LSODA

        solver = LSODA(lambda s, u: fun(start + s, u), 0.0, state, length, rtol=task.rtol, atol=task.atol)
        while solver.status == "running":  # only the last step is kept: beside an endless time a piece may be long
            solver.step()
            if solver.status == "failed" or not np.isfinite(solver.y).all():
                raise self.failure(start, state, slope, scale)
            here = stop if solver.status == "finished" else start + solver.t
            self.save_before(lambda: lambda times: solver.dense_output()(times - start), here)
        self.evaluations += int(solver.nfev)
        return np.asarray(solver.y)

    def _in_one_go(
        self, stepper: Any, piece: Piece, state: np.ndarray, watching: bool
    ) -> tuple[Any, np.ndarray, float | None]:
        """Let a stepper that can make many steps in one call do so, as nothing has to be looked at after each.

        Return what goes on, in the state in which it does: the same at the end of the piece, or the successor of a
        method that is not made for the network; and when an event happens in its last step. If events are `watching`,
        only a stepper goes this way that comes back after each step that may concern them. Other steppers come back as
        they are.
        """
        most = max(16, getattr(stepper, "first_numbers", _FIRST_NUMBERS) // state.size)
        projects = self.bounds is not None and hasattr(stepper, "bounds")
        alone = self.reactor is None or not self.reactor.watching
        if projects and self.bounds is not None:
            stepper.bounds = self.bounds
        while hasattr(stepper, "watched" if watching else "advance") and stepper.status == "running":
            sides = self.sides if alone and self.worth is None and hasattr(stepper, "jumps") else None
            if sides is not None:
                stepper.jumps = sides.of_steps()
            elif watching:
                stepper.watched, most = self._watched(stepper.here, most)
            before, steps, began = stepper.t, stepper.steps, clock.perf_counter()
            inner = self.task.times[self.saved : int(np.searchsorted(self.task.times, piece.stop, side="left"))]
            block = stepper.advance(
                inner, rows_at_once(8 * state.size), min(most, self.look - self.steps % self.look),
                self.task.recorder.room(inner.size),
            )  # fmt: skip
            if clock.perf_counter() - began < _CALL_SECONDS:
                most *= 2
            elif most > 1:
                most //= 2
            self.steps += stepper.steps - steps
            here = stepper.here
            finite = bool(np.isfinite(here.dot(here))) or bool(np.isfinite(here).all())  # most need no array
            made = stepper.status != "failed" and finite
            if not made:  # what was reached before is kept; from here nothing can go on
                self.stepper = None
                block = block[: int(np.isfinite(block).all(axis=1).cumprod().sum())]
            if len(block):
                self.save(inner[: len(block)], block, getattr(stepper, "projected", None) if projects else None)
            needed = self.steps_needed(stepper.t) if made else None
            if not made or needed is not None:
                self.fail(stepper, piece.fun, stepper.t, here, needed)
            self.stepper = stepper if stepper.status == "running" else None
            if sides is not None:
                sides.see_slides()
                self._say_sliding(sides)
            event = self._concerned(stepper, piece.fun) if watching and stepper.concerned else None
            self.progressed((stepper.t if event is None else event) - before)
            if event is not None:
                return stepper, np.asarray(stepper.y), event
            if self.then is not None and self.steps >= self.look and stepper.status == "running":
                self._save_left(stepper, inner[len(block) :], projects)
                stepper = self._handed_over(stepper, piece)
            elif (
                stepper.steps > steps
                and stepper.t < piece.stop
                and self.turned_stiff(piece, stepper, WORTH_IN_ONE_GO)
                and stepper.status == "running"
            ):
                self._save_left(stepper, inner[len(block) :], projects)
                self.count(stepper)
                stepper = self.make_stepper(replace(piece, start=stepper.t, state=stepper.y))
        return stepper, np.asarray(stepper.y), None

    def _save_left(self, stepper: Any, times: np.ndarray, projects: bool) -> None:
        """Save what lies within the last step and had no room, before another method goes on from its end.

        A jump in that step is gone back to, once all before it is saved.
        """
        while times.size and times[0] <= stepper.t:
            block = stepper.advance(times, rows_at_once(8 * stepper.here.size), 0, self.task.recorder.room(times.size))
            if not len(block):
                break
            self.save(times[: len(block)], block, getattr(stepper, "projected", None) if projects else None)
            times = times[len(block) :]

    def _watched(self, state: np.ndarray, most: int) -> tuple[Any, int]:
        """Return what compiled steps watch, and how many they may make: few while a cell slides along a jump."""
        tables = [] if self.reactor is None or not self.reactor.watching else [self.reactor.watched]
        if self.sides is not None:
            if self.sides.sliding:
                self.sides.keep_again(state)
                most = min(most, _SLIDING_STEPS)
            tables.append(self.sides.table())
        return tuple(map(np.concatenate, zip(*tables, strict=True))), most

    def _concerned(self, stepper: Any, fun: RightHandSide) -> float | None:
        """Return when the first crossing happens in the last step of many; None if there is none."""
        before, state, slopes = stepper.last_step
        return self.first_within(stepper, fun, before, state, slopes)

    def _handed_over(self, stepper: Any, piece: Piece) -> Any:
        """Return the stepper that goes on with the same step."""
        assert self.then is not None
        self.count(stepper)
        self.method, self.then = self.then, None
        self.reason += f"; from t = {stepper.t:.3g} on {self.method.name}, in compiled code"
        new = self.make_stepper(replace(piece, start=stepper.t, state=stepper.y))
        new.h_abs, new.remembered = stepper.h_abs, stepper.remembered
        return new
