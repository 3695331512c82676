"""A run of the explicit method from beginning to end in compiled code, with nothing to be looked at on its way.

A driver (`brnn.integrate.stepwise`) takes more time for a run of few cells than its steps do. Most such runs need none:
no event, no delay, no file that grows, and no change of the method. Steps and states are those of a driver to the last
bit.
"""

from __future__ import annotations

import math
import time as clock
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from brnn.base.recycled import empty
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import lines_apart
from brnn.compiler.system import System
from brnn.integrate.bounds import Bounds, proven_bounds
from brnn.integrate.driver import RunTask
from brnn.integrate.faint import FAINT, largest_activity, says_something, warn_if_faint
from brnn.integrate.methods import Method
from brnn.integrate.methods.base import NORMS, why_by_norm
from brnn.integrate.methods.explicit import CompiledPair
from brnn.integrate.sides import Sides, look_up
from brnn.integrate.steppers.many_steps import kept_by_steps
from brnn.integrate.steppers.onward import NO_STAGES, Stages
from brnn.integrate.steppers.pair_stepper import compiled_steps, steps_over_jumps
from brnn.integrate.steppers.plan import DONE, Plan, as_memory
from brnn.integrate.stepwise import SHORT
from brnn.integrate.succession import LOOK_STEPS, WORTH_IN_ONE_GO
from brnn.integrate.sunk import sunk_of
from brnn.integrate.weights import by_factors
from brnn.result.memory import MemoryRecorder
from brnn.result.result import Result
from brnn.spec.breaks import segments

__all__ = ["SmallRun", "SmallRunEnd", "in_one_course"]

_AT_MOST = 20_000  # steps; a run that takes more is one for a driver, which shows progress
_CELLS = 2_000  # at most; for larger networks other methods are looked for before the first step
_NUMBERS = 200_000  # in the arrays of the right-hand side: 500 steps take less than about half a second
_LEFT = 0.75 * WORTH_IN_ONE_GO  # steps, from which a driver may change the method

Given = tuple[np.ndarray, Sequence[float], Bounds | None]
_NOTHING: tuple[np.ndarray, ...] = ()  # more than a plan
_UNCHANGED: tuple[np.ndarray, Sequence[float]] = np.empty(0, np.intp), ()


class SmallRunEnd(NamedTuple):
    """What a run came to.

    Attributes
    ----------
    states : ndarray, shape (times, unknowns)
        The saved states.
    steps, evaluations : int
        How many.
    projected : float
        How far the state was from its bounds that lay farthest outside.
    slides : str
        Which cell slid along its jump first, and when; "" if none did.
    method : str
        The method.
    """

    states: np.ndarray
    steps: int
    evaluations: int
    projected: float
    slides: str
    method: str

    def in_words(
        self, reason: str, rtol: float, atol: float, started: float, length: float, norm: str = "max"
    ) -> dict[str, Any]:
        """Return what is kept of the solver; `started` is when the run began, by `time.perf_counter`."""
        return {
            "method": self.method, "reason": reason, "rtol": rtol, "atol": atol,
            **({} if norm == "max" else {"norm": norm}), "steps": self.steps, "evaluations": self.evaluations,
            "jacobians": 0, "largest_projection": self.projected,
            "seconds": round(clock.perf_counter() - started, 6), "message": f"reached t = {length:g}",
        }  # fmt: skip


class SmallRun:
    """A run from 0 to its end in pieces between break points, with all the room that it needs.

    Parameters
    ----------
    system : System
        The network.
    pieces : list of tuple
        Where each begins and ends.
    method : CompiledPair
        By which pair.
    """

    def __init__(self, system: System, pieces: list[tuple[float, float]], method: CompiledPair) -> None:
        self.system, self.length, self.method = system, pieces[-1][1], method
        read = system.on_sides[0] if system.jumps else system
        self._pieces = [(start, stop, read.rhs(0.5 * (start + stop))) for start, stop in pieces]
        self._last = self._pieces[-1][2]
        self._code = compiled_steps()
        self._longest = system.network.period() / method.per_period
        size = system.size
        self._states, self._K = lines_apart(2 * size).reshape(2, size), lines_apart(7 * size).reshape(7, size)
        self._stage, (moments, counts) = lines_apart(size), kept_by_steps()
        self._rows = list(self._states)
        self._stages = Stages(system, self._last.source, self._K, self._stage)
        self._plan = Plan(method.pair, moments, counts, self._states, self._K, self._stage)
        self._moments, self._counts = as_memory(moments), counts.data
        self._places, self._where = _UNCHANGED[0], list[int]()  # among the numbers, as they were given last
        self._told: tuple[RightHandSide | None, np.ndarray] = None, NO_STAGES  # of what the plan tells
        self._held: tuple[float, float, bool] | None = None  # to what errors are held now

    @classmethod
    def of(cls, system: System, length: float, method: CompiledPair, *, other_numbers: bool = False) -> SmallRun | None:
        """Return that of a network; None if a piece is too short for a stepper, or signals jump.

        That they jump matters if there are too many to be looked up, or where they do is among the `other_numbers`
        with which it is run.
        """
        if system.jumps and (other_numbers or not look_up(system)[0]):
            return None
        pieces = segments(system.network, length)
        if any(stop - start <= max(SHORT * stop, 1e-13 * length) for start, stop in pieces):
            return None
        return cls(system, pieces, method)

    def run(
        self,
        given: Given,
        times: np.ndarray,
        state: np.ndarray,
        rtol: float,
        atol: float,
        mean: bool,
        may_turn: bool,
        room: np.ndarray | None = None,
    ) -> SmallRunEnd | None:
        """Return what a run from `state` comes to; None if it fails, is long, or may have to change its method.

        Parameters
        ----------
        given : tuple
            Places among the numbers of the right-hand side, what stands there, and the bounds of all unknowns or None.
        times : ndarray
            The saved times.
        state : ndarray
            The first state.
        rtol, atol, mean : float, float, bool
            Tolerances, and whether they hold for the root mean square.
        may_turn : bool
            Whether the method may be changed where a network proves to be stiff.
        room : ndarray, optional
            Where the states are saved.
        """
        code, plan, moments, counts = self._code, self._plan, self._moments, self._counts
        places, numbers, bounds = given
        saved = empty((times.size, state.size)) if room is None else room
        if self._held != (rtol, atol, mean):
            plan.hold_to(rtol, atol, mean)
            self._held = rtol, atol, mean
        if places is not self._places:
            self._places, self._where = places, places.tolist()
        plan.keep_within(bounds)
        plan.begin(0.0, state)
        done, steps, evaluations, looked = 0, 0, 0, 0.0
        sides = Sides(self.system, rtol, atol) if self.system.jumps else None
        follow, more = code.follow, _NOTHING
        here = state
        for start, stop, fun in self._pieces:
            last = len(times) if fun is self._last else int(np.searchsorted(times, stop, side="right"))
            p = fun.arguments[1]
            for k, place in enumerate(self._where):
                p[place] = numbers[k]
            if here is not state:
                moments[code.NOW], moments[code.NEXT] = start, 0.0
                moments[code.RATE] = moments[code.ALLOWED] = moments[code.TREND] = 0.0
                counts[code.EVALUATIONS], counts[code.STEPPED] = 0, 0
            stages = self._told[1]
            if sides is not None:
                evaluations += sides.begin(fun, start, here)
                follow, more = steps_over_jumps().follow_over_jumps, sides.of_steps()
            elif fun is not self._told[0] or self._stages.asks(places):
                stages = self._stages.of(p)
            if fun is not self._told[0] or stages is not self._told[1]:
                plan.go(fun, stop, self._longest, stages=stages)
                self._told = fun, stages
            status = code.RUNNING
            while status == code.RUNNING:
                plan.save(done, last, LOOK_STEPS - steps % LOOK_STEPS)
                status = follow(plan.address, times, saved, *more)
                done, steps = plan.wholes[DONE], counts[code.STEPS]
                if status == code.RUNNING and steps % LOOK_STEPS == 0:
                    now = moments[code.NOW]
                    left = (self.length - now) / max(now - looked, 1e-300) * LOOK_STEPS
                    if steps >= _AT_MOST or (may_turn and left >= _LEFT):
                        return None
                    looked = now
            evaluations += counts[code.EVALUATIONS]
            here = self._rows[counts[code.ROW]]
            if status == code.FAILED or not math.isfinite(here.dot(here)):
                return None
        slides = ""
        if sides is not None:
            sides.see_slides()
            slides = sides.slides
        return SmallRunEnd(saved, steps, evaluations, moments[code.PROJECTED], slides, self.method.name)


@dataclass(eq=False)
class _Own:
    """The course of a network with its own numbers."""

    course: SmallRun
    bounds: Bounds | None
    reason: str


_idle: deque[_Own] = deque(maxlen=8)  # those that no run uses now; a run takes one out


def in_one_course(task: RunTask, method: Method, state: np.ndarray) -> Result | None:
    """Return the result of a whole run; None if a driver has to make it."""
    network, recorder, started = task.system.network, task.recorder, clock.perf_counter()
    if not (
        isinstance(recorder, MemoryRecorder)
        and task.start is None
        and not task.until_steady
        and (method.name == "auto" or isinstance(method, CompiledPair))
        and network.step is None
        and network.protocol is None
        and not (network.noisy or network.spiking or network.events or task.system.delays)
    ):
        return None
    explicit = method.settle(network)[0]
    assert isinstance(explicit, CompiledPair)
    own = _taken(task.system, task.duration, explicit)
    if own is None:
        return None
    given = *_UNCHANGED, own.bounds
    times, auto = task.times, method.name == "auto"
    room = recorder.room(times.size)
    may_turn = auto and task.norm == NORMS[0]
    done = own.course.run(given, times, state, task.rtol, task.atol, task.norm == "rms", may_turn, room)
    _idle.append(own)
    if done is None:
        return None
    recorder.write(times, done.states)
    why = "asked for"
    if auto:
        why = method.settle(network)[1] if may_turn else why_by_norm(task.norm)
    why += own.reason + (f"; {done.slides}" if done.slides else "")
    said = done.in_words(why, task.rtol, task.atol, started, task.duration, task.norm)
    result = recorder.finish("complete", said)
    largest = first = largest_activity(state, task.system.variables)
    if first < FAINT * task.atol and says_something(network, first, times.size):
        largest = max(first, largest_activity(done.states, task.system.variables))
        warn_if_faint(network, largest, task.atol, stacklevel=5)
    for one in sunk_of(network, task.system.variables, state, task.atol):
        one.see(times, done.states)
        one.warn(network.name, stacklevel=5)
    return result


def _taken(system: System, length: float, method: CompiledPair) -> _Own | None:
    """Return the course of a network that no other run uses; None if it has none."""
    for own in list(_idle):
        course = own.course
        if course.system is system and course.length == length and course.method.name == method.name:
            try:
                _idle.remove(own)
            except ValueError:  # another thread was faster
                continue
            return own
    network = system.network
    if sum(layer.cells for layer in network.layers) > _CELLS or by_factors(network)[0]:
        return None
    if sum(array.size for array in system.program.arrays.values() if array is not None) > _NUMBERS:
        return None
    new = SmallRun.of(system, length, method)
    reason = by_factors(network)[1] + look_up(system)[1]
    return None if new is None else _Own(new, proven_bounds(system), reason)
