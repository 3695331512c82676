"""Go through time in whole steps: networks of discrete time, x(t + step) = law(x(t), inputs at t)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.integrate.driver import Driver, RunTask
from brnn.integrate.methods.base import TAKES_NO_STEP, Method
from brnn.integrate.steady import MapRule
from brnn.result.checkpoint import Checkpoint

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["WITHIN", "Map"]

WITHIN = 1e-6  # of a step: a stimulus that begins with a step does so even if rounding puts k * step just before it


class Map(Method):
    """The network's own map, applied again and again."""

    name = "map"
    description = "the network's own map, step by step"
    purpose = "in discrete time"
    order = 60

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse continuous time."""
        if network.step is None:
            return "the map is for discrete time"
        return None if step is None else TAKES_NO_STEP

    def drive(self, task: RunTask) -> Driver:
        """Return what applies the map."""
        return _Discrete(task, self)


class _Discrete(Driver):
    """A run of a network whose layers are all discrete."""

    @property
    def options(self) -> dict[str, Any]:
        """The step."""
        return {"step": self.task.system.network.step}

    def stands(self) -> tuple[float, dict[str, Any], dict[str, np.ndarray]] | None:
        """Return the present state, and those of the last steps."""
        now, kept = max(self._past), self.kept()
        arrays = {"state": self._past[now], **({} if kept is None else kept.arrays)}
        return now * float(self.task.system.network.step or 0.0), {}, arrays

    def kept(self) -> Checkpoint | None:
        """Return the states of the last steps, from which signals are on their way."""
        step, now = self.task.system.network.step, max(self._past)
        if step is None or not self.task.system.delays:
            return None
        steps = sorted(k for k in self._past if k >= now - round(self.task.system.delays[-1] / step))
        values = np.array([self._past[k] for k in steps])[:, None, :]
        return Checkpoint(now * step, {}, {"past_edges": np.array(steps) * step, "past_values": values})

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Apply the map again and again; signals with a delay are those of some steps ago."""
        task, system = self.task, self.task.system
        step = system.network.step
        assert step is not None
        count = round(task.duration / step)
        lags = [round(delay / step) for delay in system.delays]
        first, start = round(task.begin / step), task.start
        past = self._past = {first: state}
        if start is not None and start.past is not None:
            steps = [round(float(time) / step) for time in start.past.edges]
            past |= {k: values[0] for k, values in zip(steps, start.past.values, strict=True) if k < first}
        earliest = min(past)  # before, nothing changed
        settled = system.network.settled()
        edges = np.concatenate([system.network.breaks(task.duration), [np.inf]])
        binary = all(layer.levels_only for layer in system.network.layers)
        rule = MapRule(task.rtol, task.atol, step, max(lags, default=0), binary)
        fun, segment = None, -1

        def history(time: float) -> np.ndarray:
            return past.get(round(time / step), past[earliest])

        for k in range(first, count):
            time = k * step
            inside = time + WITHIN * step
            here = int(np.searchsorted(edges, inside, side="right"))
            if fun is None or here != segment:
                fun, segment = system.rhs(inside, history), here
            new = fun(time, state)
            self.steps += 1
            self.evaluations += 1
            if not np.isfinite(new).all():
                raise self.failure(time, state, new, 1.0, "a step takes it beyond all numbers")
            # Delayed signals of a schedule that has come to its end arrive later.
            settles = task.until_steady and time >= settled + max(lags, default=0) * step
            rests = settles and rule.rests(fun, time, state, new)
            state = new
            past[k + 1] = state
            if k - max(lags, default=0) > earliest:
                past.pop(k - max(lags, default=0), None)
            self.save_reached((k + 1) * step, state)
            self.progressed(step)
            if rests:
                return self.at_rest((k + 1) * step, state)
        if task.until_steady:
            return "complete", f"not steady after t = {task.duration:g}"
        return "complete", f"reached t = {task.duration:g}"
