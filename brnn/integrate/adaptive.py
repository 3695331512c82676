"""Go through time with SciPy's adaptive solvers, restarted at every break point of a schedule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.integrate import solvers
from brnn.integrate.delays import History
from brnn.integrate.driver import Driver
from brnn.integrate.steady import SteadyRule
from brnn.integrate.times import segments

__all__ = ["Adaptive"]

_TINY = 1e-9  # of the duration: a run in such steps would never end
_TINY_AT_MOST = 20_000  # of them in a row; a solver that slides along a jump of the equations takes them
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
    """

    rtol: float = 1e-6
    atol: float = 1e-9
    until_steady: bool = False

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Integrate piece by piece."""
        system = self.system
        delays = system.delays
        history = History(state, delays[-1]) if delays else None
        settled = system.network.settled() + sum(delays)
        rule = SteadyRule(self.rtol, self.atol, delays[-1] if delays else 0.0)
        tiny = 0
        for start, stop in segments(system.network, self.duration, delays):
            fun = system.rhs(0.5 * (start + stop), history)
            if stop - start <= 1e-10 * stop and history is None:
                state = state + (stop - start) * fun(start, state)
                self._save_until(None, stop, state)
                continue
            longest = delays[0] if delays else np.inf
            solver = solvers.make(self.method, fun, start, state, stop, self.rtol, self.atol, system, longest)
            while solver.status == "running":
                before = solver.t
                solver.step()
                if solver.status == "failed" or not np.isfinite(solver.y).all():
                    self._count(solver)
                    raise self.failure(before, state, fun(before, state), self.atol + self.rtol * np.abs(state))
                self.steps += 1
                tiny = tiny + 1 if solver.t - before < _TINY * self.duration else 0
                if tiny == _TINY_AT_MOST:
                    raise self.failure(before, state, fun(before, state), self.atol + self.rtol * np.abs(state))
                state = solver.y
                if history is not None:
                    history.append(solver.t, solver.dense_output())
                self._save_until(solver, solver.t, state)
                self.progressed(solver.t - before)
                if self.until_steady and solver.t > settled and rule.holds(fun, solver.t, state):
                    self._count(solver)
                    if self.saved == 0 or self.times[self.saved - 1] < solver.t:
                        self.save(np.array([solver.t]), state[None, :])
                    return "steady", f"steady at t = {solver.t:.6g}"
            self._count(solver)
        if self.until_steady:
            return "complete", f"not steady after t = {self.duration:g}"
        return "complete", f"reached t = {self.duration:g}"

    def _count(self, solver: Any) -> None:
        self.evaluations += solver.nfev
        self.jacobians += solver.njev

    def _save_until(self, solver: Any, time: float, state: np.ndarray) -> None:
        """Save every requested time up to `time`, in blocks of bounded size."""
        stop = int(np.searchsorted(self.times, time, side="right"))
        if stop == self.saved:
            return
        exact = self.times[stop - 1] == time
        inner = self.times[self.saved : stop - exact]
        if inner.size:
            dense = solver.dense_output() if solver is not None else lambda t: np.repeat(state[:, None], t.size, axis=1)
            rows = max(1, _BLOCK // (8 * state.size))
            for k in range(0, inner.size, rows):
                block = inner[k : k + rows]
                self.save(block, np.ascontiguousarray(dense(block).T))
        if exact:
            self.save(self.times[stop - 1 : stop], state[None, :])
