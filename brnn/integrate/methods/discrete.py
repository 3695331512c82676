"""Go through time in whole steps: networks of discrete time, x(t + step) = law(x(t), inputs at t)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brnn.integrate.driver import Driver

__all__ = ["Discrete"]

_WITHIN = 1e-6  # of a step: a stimulus that begins with a step does so even if rounding puts k * step just before it


@dataclass
class Discrete(Driver):
    """A run of a network whose layers are all discrete.

    Parameters
    ----------
    step : float
        The step of its layers.
    until_steady : bool
        Whether to stop when the state repeats from one step to the next.
    """

    step: float = 1.0
    until_steady: bool = False

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Apply the map again and again; signals with a delay are those of some steps ago."""
        system = self.system
        count = round(self.duration / self.step)
        lags = [round(delay / self.step) for delay in system.delays]
        past = {0: state}
        settled = system.network.settled()
        edges = np.concatenate([system.network.breaks(self.duration), [np.inf]])
        fun, segment = None, -1

        def history(time: float) -> np.ndarray:
            return past.get(round(time / self.step), past[min(past)])

        for k in range(count):
            time = k * self.step
            inside = time + _WITHIN * self.step
            here = int(np.searchsorted(edges, inside, side="right"))
            if fun is None or here != segment:
                fun, segment = system.rhs(inside, history), here
            new = fun(time, state)
            self.steps += 1
            self.evaluations += 1
            if not np.isfinite(new).all():
                raise self.failure(time, state, new, 1.0)
            rests = bool(np.array_equal(new, state))
            state = new
            past[k + 1] = state
            if k + 1 - max(lags, default=0) - 1 in past and k - max(lags, default=0) > 0:
                del past[k - max(lags, default=0)]
            self.save_reached((k + 1) * self.step, state)
            self.progressed(self.step)
            if self.until_steady and rests and time >= settled and not lags:
                if self.saved == 0 or self.times[self.saved - 1] < (k + 1) * self.step:
                    self.save(np.array([(k + 1) * self.step]), state[None, :])
                return "steady", f"steady at t = {(k + 1) * self.step:.6g}"
        if self.until_steady:
            return "complete", f"not steady after t = {self.duration:g}"
        return "complete", f"reached t = {self.duration:g}"
