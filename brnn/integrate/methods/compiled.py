"""Go through time with the compiled ensemble's own integrator, with this one network as its member.

It runs in one of as many lanes as members of a sweep do, and the others stand idle. That takes up to eight times as
long as code for a single lane would; but it is the same code, so that the numbers are those of a sweep to the last bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.compiler.lanes import LANES
from brnn.ensemble.arrays import Member, pack, unfit
from brnn.ensemble.cells import CellSteps
from brnn.ensemble.load import integrator, lane_function, rule_of_rest
from brnn.ensemble.noise import NoiseRules, default_step, fastest_rates, run_noisy
from brnn.ensemble.run import Ensemble, lane_memory
from brnn.ensemble.status import COMPLETE, FAILED, OF_CODE, STEADY, TOO_MANY
from brnn.integrate.driver import Driver, RunTask
from brnn.integrate.failures import without_a_value
from brnn.integrate.methods.base import TAKES_NO_STEP, Method
from brnn.integrate.methods.stochastic import SRIW1, check_step, too_long

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["Compiled"]

_LOOK_STEPS = 20_000  # between looks at the progress bar and at signals
_TIMES = ("t", "trial_t", "looked")  # what a lane remembers, and sets to 0 when it takes a member


class Compiled(Method):
    """The integrator of sweeps, for one network: compiled code from the beginning of a run to its end."""

    name = "compiled"
    description = "the integrator of sweeps, which gives the same numbers to the last bit: for small networks"
    order = 40
    takes_step = True  # of white noise

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse what the compiled ensemble cannot run, too."""
        if network.noisy:
            refusal = SRIW1().refuses(network, until, step)
        else:
            refusal = TAKES_NO_STEP if step is not None else super().refuses(network, until, step)
        if refusal is not None:
            return refusal
        why = unfit(network)
        return None if why is None else f"the compiled integrator cannot run this network: {why}"

    def drive(self, task: RunTask) -> Driver:
        """Return what lets the compiled integrator run."""
        return _Compiled(task, self)


def _from(member: Member, begin: float) -> Member:
    """Return a member that begins later, without the segments that are over then."""
    first = min(int(np.searchsorted(member.stops, begin, side="right")), member.stops.size - 1)
    return replace(member, stops=member.stops[first:], segments=member.segments[first:])


class _Compiled(Driver):
    """A run in compiled code."""

    _here: tuple[float, dict[str, Any], dict[str, np.ndarray]] | None = None

    def stands(self) -> tuple[float, dict[str, Any], dict[str, np.ndarray]] | None:
        """Return all that the integrator remembers: it goes on to the last bit as if nothing had been."""
        return self._here

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Let the integrator run until its room for saved states is full, save them, and let it go on."""
        task = self.task
        if task.system.network.noisy:
            return self._noisy(state)
        kept = task.kept
        begin = task.begin if kept is None else float(kept.facts["begin"])  # by which segments are numbered
        work = Ensemble.of([_from(pack(task.system.network, task.duration, state), begin)])
        function, run_members = lane_function(work.layout.text.source), integrator("run").run_members
        (room, marks), steps = lane_memory(work), CellSteps(work.layout)
        cells = steps.begin()
        rests = rule_of_rest() if task.until_steady else 0
        times = task.times[self.saved :]  # the first state is saved already
        rows = max(1, min(times.size, rows_at_once(8 * state.size)))
        trajectory = np.empty((1, rows, state.size))
        final, reached = np.empty((1, state.size)), np.zeros(1)
        status, counts = np.zeros(1, np.int64), np.zeros((1, 3), np.int64)
        base, before, resume = 0, task.begin, False
        running, most = 1, _LOOK_STEPS
        if kept is not None:
            for name, array in (("room", room), ("marks", marks), ("counts", counts)):
                array[...] = kept.arrays[name]
            base, resume = int(kept.facts["base"]), True
            times = task.times[self.saved - base :]
        elif task.begin > 0.0:
            most = 0  # the lane is filled, and nothing else
        while running:
            running = run_members(
                function.address, *work.fixed, 0, 1, resume, most, *work.given,
                times, base, task.rtol, task.atol, rests, work.layout.varying, work.layout.sides,
                final, reached, status, counts, trajectory, room, marks, *cells,
            )  # fmt: skip
            if steps.wanted(cells):
                cells = steps.known()
                said = f"; where steps are stiff {steps.words}"
                self.reason = self.reason.removesuffix(said) + said  # which a run that is resumed has said already
            if not most:
                fields = integrator("state").Lanes._fields
                for name in _TIMES:
                    room[(fields.index(name) - fields.index("t")) * LANES] = task.begin
            resume, most = True, _LOOK_STEPS
            done = int(marks[2 * LANES])  # how many times the lane has saved
            if done > base:
                self.save(times[base:done], trajectory[0, : done - base])
                base = done
            self.steps, self.evaluations, self.jacobians = (int(count) for count in counts[0])
            now = float(reached[0] if not running else room[0])
            self._here = None
            if running:
                facts, arrays = (
                    {"base": base, "begin": begin},
                    {"state": state, "room": room, "marks": marks, "counts": counts},
                )
                self._here = now, facts, arrays
            self.progressed(now - before)
            before = now
        time = float(reached[0])
        if OF_CODE[status[0]] == FAILED:
            fun = task.system.rhs(np.nextafter(time, task.duration))
            slope, scale = fun(time, final[0]), task.atol + task.rtol * np.abs(final[0])
            needed = self.steps * task.duration / time if status[0] == TOO_MANY and time > 0.0 else None
            why = None if needed is not None else without_a_value(fun, time, final[0], slope)
            raise self.failure(time, final[0], slope, scale, why, needed)
        if OF_CODE[status[0]] == STEADY:
            return self.at_rest(time, final[0])
        if task.until_steady:
            return "complete", f"not steady after t = {task.duration:g}"
        return "complete", f"reached t = {task.duration:g}"

    @property
    def options(self) -> dict[str, Any]:
        """The step, where there is white noise."""
        return {"step": self.step} if self.task.system.network.noisy else {}

    def _noisy(self, state: np.ndarray) -> tuple[str, str]:
        """Make the equal steps of white noise."""
        task, times = self.task, self.task.times[self.saved :]  # the first state is saved already
        assert task.seed is not None
        work = Ensemble.of([pack(task.system.network, task.duration, state)])
        (rate,) = fastest_rates(work, np.zeros(1, np.int64)).tolist()
        step = default_step(task.duration, rate) if task.step is None else task.step
        self.step = min(step, float(work.longest[0]))
        check_step(self.step, task.duration, rate, task.step is not None)
        rules = NoiseRules("SRIW1", np.array([self.step]), np.array([task.seed], dtype=object))
        finished = run_noisy(work, rules, times=times, threads=1)
        self.steps, self.evaluations, _ = (int(count) for count in finished.counts[0])
        time = float(finished.reached[0])
        done = times.size if finished.status[0] == COMPLETE else int(np.searchsorted(times, time, side="right"))
        self.save(times[:done], finished.trajectory[0, :done])
        if finished.status[0] != COMPLETE:
            slope = task.system.rhs(np.nextafter(time, task.duration))(time, finished.final[0])
            raise self.failure(time, finished.final[0], slope, 1.0, too_long(self.step))
        self.progressed(task.duration)
        return "complete", f"reached t = {task.duration:g} with seed {task.seed}"
