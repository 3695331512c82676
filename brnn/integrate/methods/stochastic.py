"""Go through time with white noise: dX = a(t, X) dt + b(t, X) dW, a Wiener process of its own for each unknown.

The noise is diagonal: cell i is driven by W_i alone and b_i depends on x_i alone. For this case there are schemes of
high strong order that need only two normal numbers per step and cell:

- "EulerMaruyama", strong order 0.5 (1 if b is constant);
- "SRIW1", strong order 1.5 (Rößler 2010, SIAM J. Numer. Anal. 48, 922-952: SRI1W1), the Itô integrals I_(1), I_(1,1),
  I_(1,1,1) and I_(1,0) made from the increments.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brnn.integrate.driver import Driver
from brnn.integrate.restarts import Plan

__all__ = ["METHODS", "Stochastic"]

METHODS = ("EulerMaruyama", "SRIW1")


@dataclass
class Stochastic(Driver):
    """A run of stochastic differential equations (in the sense of Itô) with fixed steps.

    Parameters
    ----------
    step : float
        Longest step; each interval between saved times and break points is divided into equal steps.
    seed : int
        Seed of the increments. The same seed, step and saved times give the same path to the last bit.
    """

    step: float = 0.01
    seed: int = 0

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run, and let the events of time 0 happen."""
        self.plan = Plan(self.system, self.duration)
        self.random = np.random.default_rng(self.seed)
        return self.begin_events(state, self.plan, self.seed)

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Go step by step."""
        time = 0.0
        while not self.plan.over and not self.stopped:
            time, state = self._piece(time, self.plan.stop, state)
            state = self.react(time, state, self.plan.reach(time))
            self.save_reached(time, state)
        return "complete", f"{self.ending(time, state)} with seed {self.seed}"

    def _piece(self, start: float, stop: float, state: np.ndarray) -> tuple[float, np.ndarray]:
        """Go to `stop`, or to the first event before, which is taken from the straight line between two steps."""
        rhs = self.system.rhs(0.5 * (start + stop), clock=self.plan.clock)
        scheme = {"EulerMaruyama": _euler_maruyama, "SRIW1": _sriw1}[self.method]
        inside = self.times[(self.times > start) & (self.times < stop)]
        for before, after in zip([start, *inside], [*inside, stop], strict=True):
            count = max(1, int(np.ceil((after - before) / self.step * (1 - 1e-12))))
            h = (after - before) / count
            for k in range(count):
                time = before + k * h
                new = scheme(rhs, rhs.diffusion, time, state, h, self.random)
                if not np.isfinite(new).all():
                    raise self.failure(time, state, rhs(time, state), 1.0)
                self.steps += 1
                self.evaluations += 1 if self.method == "EulerMaruyama" else 2
                if self.reactor is not None and self.reactor.watching:
                    line = _Line(time, state, float(after) if k == count - 1 else before + (k + 1) * h, new)
                    event = self.reactor.search(time, state, line.stop, new, lambda line=line: line, None)  # type: ignore[misc]
                    if event is not None:
                        self.progressed(event - before)
                        return event, line(event)
                state = new
            if after < stop:
                self.save_reached(float(after), state)
            self.progressed(after - before)
        return stop, state


@dataclass(frozen=True)
class _Line:
    """The straight line between the states at both ends of a step."""

    start: float
    before: np.ndarray
    stop: float
    after: np.ndarray

    def __call__(self, time: float) -> np.ndarray:
        s = (time - self.start) / (self.stop - self.start)
        return (1.0 - s) * self.before + s * self.after


def _euler_maruyama(a, b, t, x, h, random):  # type: ignore[no-untyped-def]
    return x + h * a(t, x) + np.sqrt(h) * b(t, x) * random.standard_normal(x.size)


def _sriw1(a, b, t, x, h, random):  # type: ignore[no-untyped-def]
    root = np.sqrt(h)
    w = root * random.standard_normal(x.size)  # I_(1)
    v = root * random.standard_normal(x.size)
    two = 0.5 * (w * w - h)  # I_(1,1)
    three = (w * w * w - 3.0 * h * w) / 6.0  # I_(1,1,1)
    mixed = 0.5 * h * (w + v / np.sqrt(3.0))  # I_(1,0)
    a1, b1 = a(t, x), b(t, x)
    b2 = b(t + 0.25 * h, x + 0.25 * h * a1 + 0.5 * root * b1)
    b3 = b(t + h, x + h * a1 - root * b1)
    inner = x + 0.75 * h * a1 + 1.5 * mixed / h * b1
    a2 = a(t + 0.75 * h, inner)
    # The last stage of b starts from the third drift stage, which the tableau takes at x itself.
    b4 = b(t + 0.25 * h, x + 0.25 * h * a1 + root * (-5.0 * b1 + 3.0 * b2 + 0.5 * b3))
    drift = h * (a1 / 3.0 + 2.0 * a2 / 3.0)
    noise = (
        b1 * (-w - two / root + 2.0 * mixed / h - 2.0 * three / h)
        + b2 * (4.0 / 3.0 * w + 4.0 / 3.0 * two / root - 4.0 / 3.0 * mixed / h + 5.0 / 3.0 * three / h)
        + b3 * (2.0 / 3.0 * w - two / root / 3.0 - 2.0 / 3.0 * mixed / h - 2.0 / 3.0 * three / h)
        + b4 * (three / h)
    )
    return x + drift + noise
