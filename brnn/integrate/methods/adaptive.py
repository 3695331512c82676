"""Go through time with SciPy's adaptive solvers, restarted at every break point of a schedule."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.system import RightHandSide
from brnn.integrate.delays import History
from brnn.integrate.driver import Driver
from brnn.integrate.events import Slopes
from brnn.integrate.methods import solvers
from brnn.integrate.restarts import Plan
from brnn.integrate.steady import SteadyRule, fastest_rate

__all__ = ["Adaptive"]

_STILL = 20  # steps in a row that do not change the time
_CHECK = 2_000  # steps between looks at whether an explicit method is limited by stability
_WORTH = 20_000  # steps that must be left for a stiff method to be worth its matrices
_LIMITED = 2.0  # step times fastest rate; at about 3 RK45 becomes unstable
_WINDOW = 10_000  # steps
_PATIENCE = 10  # windows in a row in which the rest of the run would need more than
_MOST = 1e7  # steps: a solver slides along a jump of the equations, or is not made for them
_BLOCK = 16_000_000  # bytes of saved states that are made at once


@dataclass
class Adaptive(Driver):
    """A run of ordinary or delay differential equations.

    Parameters
    ----------
    rtol, atol : float
        Tolerances.
    until_steady : bool
        Whether to stop at rest.
    may_switch : bool
        Whether a stiff method may take over.
    seed : int or None
        Seed of what events draw.
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    until_steady: bool = False
    may_switch: bool = False
    seed: int | None = None
    slow: int = 0
    mark: float = 0.0
    checked: float = 0.0

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run, and let the events of time 0 happen."""
        self.plan = Plan(self.system, self.duration)
        return self.begin_events(state, self.plan, self.seed)

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Integrate piece by piece."""
        plan, delays = self.plan, self.system.delays
        self.history = History(state, delays[-1]) if delays else None
        self.rule = SteadyRule(self.rtol, self.atol, delays[-1] if delays else 0.0)
        time = 0.0
        while not plan.over and not self.stopped:
            time, state, steady = self._piece(time, plan.stop, state)
            if steady:
                self.save_last(time, state)
                return "steady", f"steady at t = {time:.6g}"
            state = self.react(time, state, plan.reach(time))
            self.save_reached(time, state)
        message = self.ending(time, state)
        return "complete", f"not steady after t = {time:g}" if self.until_steady and not self.stopped else message

    def _piece(self, start: float, stop: float, state: np.ndarray) -> tuple[float, np.ndarray, bool]:
        """Integrate up to `stop`, or to the first event before; return time, state, and whether it is at rest there.

        All is saved that comes before that time.
        """
        plan, history = self.plan, self.history
        fun = self.system.rhs(0.5 * (start + stop), history, plan.clock)
        if stop - start <= max(1e-10 * stop, 1e-13 * self.duration) and history is None:
            state = state + (stop - start) * fun(start, state)
            self._save_before(None, stop, state)
            return stop, state, False
        settled = plan.settled + sum(self.system.delays)
        longest = self.system.delays[0] if self.system.delays else np.inf
        tolerances = (self.rtol, self.atol, self.system)
        solver = solvers.make(self.method, fun, start, state, stop, *tolerances, longest, plan.clock)
        slopes = Slopes(fun, start, state) if self.reactor is not None and self.reactor.watching else None
        still = 0
        while solver.status == "running":
            before = solver.t
            # BDF and Radau raise these when a trial step overflows.
            with contextlib.suppress(ValueError, np.linalg.LinAlgError):
                solver.step()
            # The first steps of LSODA may be too short to change the time, and still change the state.
            still = still + 1 if solver.t == before else 0
            if still == _STILL or solver.status == "failed" or not np.isfinite(solver.y).all():
                self._count(solver)
                raise self.failure(before, state, fun(before, state), self.atol + self.rtol * np.abs(state))
            self.steps += 1
            if self.steps % _WINDOW == 0 and self._hopeless(solver.t):
                raise self.failure(before, state, fun(before, state), self.atol + self.rtol * np.abs(state))
            if slopes is not None and self.reactor is not None:
                self.evaluations += 1
                dense, ends = solver.dense_output, slopes.step(solver.t, solver.y)
                event = self.reactor.search(before, state, solver.t, solver.y, dense, ends)
                if event is not None:
                    self._count(solver)
                    state = solver.y if event == solver.t else np.asarray(solver.dense_output()(event))
                    self._save_before(solver, event, state)
                    self.progressed(event - before)
                    return event, state, False
            state = solver.y
            turned = self.may_switch and self.steps % _CHECK == 0 and self._turned_stiff(fun, solver)
            if history is not None:
                history.append(solver.t, solver.dense_output())
            self._save_before(solver, solver.t, state)
            if solver.status == "running":
                self.save_reached(solver.t, state)
            self.progressed(solver.t - before)
            if self.until_steady and solver.t > settled and self.rule.holds(fun, solver.t, state):
                self._count(solver)
                return solver.t, state, True
            if turned and solver.status == "running":
                self._count(solver)
                solver = solvers.make(self.method, fun, solver.t, state, stop, *tolerances, np.inf, plan.clock)
        self._count(solver)
        return stop, state, False

    def _turned_stiff(self, fun: RightHandSide, solver: Any) -> bool:
        """Tell whether RK45's steps are limited by stability, and too many are left; then choose another method."""
        pace, self.checked = (solver.t - self.checked) / _CHECK, solver.t
        left = (self.duration - solver.t) / pace if pace > 0.0 else np.inf
        method = solvers.stiff_method(self.system)
        if method is None or left < _WORTH or solver.step_size * fastest_rate(fun, solver.t, solver.y) < _LIMITED:
            return False
        self.reason = f"{self.reason}; from t = {solver.t:.3g} on {method}: stiff, {left:.1g} steps were left"
        self.method, self.may_switch = method, False
        return True

    def _hopeless(self, time: float) -> bool:
        """Tell whether the run would need far too many steps, at the pace of the last ones."""
        pace, self.mark = (time - self.mark) / _WINDOW, time
        self.slow = self.slow + 1 if self.duration - time > _MOST * pace else 0
        return self.slow >= _PATIENCE

    def _count(self, solver: Any) -> None:
        self.evaluations += int(solver.nfev)
        self.jacobians += int(solver.njev)

    def _save_before(self, solver: Any, time: float, state: np.ndarray) -> None:
        """Save every requested time before `time`, in blocks of bounded size."""
        inner = self.times[self.saved : int(np.searchsorted(self.times, time, side="left"))]
        if inner.size:
            dense = solver.dense_output() if solver is not None else lambda t: np.repeat(state[:, None], t.size, axis=1)
            rows = max(1, _BLOCK // (8 * state.size))
            for k in range(0, inner.size, rows):
                block = inner[k : k + rows]
                self.save(block, np.ascontiguousarray(dense(block).T))
