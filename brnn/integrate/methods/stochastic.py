"""Go through time with white noise: dX = a(t, X) dt + b(t, X) dW, a Wiener process of its own for each unknown.

The noise is diagonal: cell i is driven by W_i alone and b_i depends on x_i alone. For this case there are schemes of
high strong order that need only two normal numbers per step and cell:

- "EulerMaruyama", strong order 0.5 (1 if b is constant);
- "SRIW1", strong order 1.5 (Rößler 2010, SIAM J. Numer. Anal. 48, 922-952: SRI1W1), the Itô integrals I_(1), I_(1,1),
  I_(1,1,1) and I_(1,0) made from the increments.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from brnn.ensemble.arrays import PER_PERIOD
from brnn.ensemble.noise import default_step
from brnn.errors import InputError
from brnn.integrate.driver import Driver, RunTask
from brnn.integrate.jacobian import fastest_rate
from brnn.integrate.methods.base import Method, has_delays
from brnn.integrate.start import Origin
from brnn.integrate.times import saved_times
from brnn.result.checkpoint import Checkpoint
from brnn.spec.breaks import segments

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["SRIW1", "EulerMaruyama", "check_step", "noise_of", "too_long"]

_LOOKED_AT = 16  # segments whose rates are looked at
_MOST_STEPS = 1e10
_MANY_STEPS = 1e6  # a minute or so with a small network
_DRAWN = 2**20  # random numbers at once


def check_step(step: float, duration: float, rate: float, asked: bool) -> None:
    """Refuse a step of which a run would have to make too many; warn of one that is too long for the network.

    Of many steps that nobody asked for a warning says how many they are.
    """
    if duration / step > _MOST_STEPS:
        raise InputError(f"step = {step:g}: the run would take {duration / step:.2g} steps, more than {_MOST_STEPS:g}")
    if not asked and duration / step > _MANY_STEPS:
        by_rate = (
            f"because the fastest rate of the network is about {rate:.3g}; a longer step (step=, --step) may do, up to "
            f"{1.0 / rate:.2g}"
            if step * rate > 0.05  # the default is 0.1
            else "because an input swings so fast"
        )
        warnings.warn(
            f"white noise: the run makes {duration / step:.2g} steps of {step:.2g}, {by_rate}",
            UserWarning,
            stacklevel=6,
        )
    if step * rate > 1.0:
        warnings.warn(
            f"step = {step:g}: is too long for white noise in this network, whose fastest rate is about {rate:.3g}: "
            f"the result is wrong above {1.0 / rate:.3g}, and grows without bound above {2.0 / rate:.3g}; try "
            f"{0.1 / rate:.1g} (step=, --step)",
            UserWarning,
            stacklevel=6,
        )


def too_long(step: float) -> str:
    """Return why a run with white noise cannot go on whose step is this."""
    return f"the solution grows without bound, or the step of the noise, {step:g}, is too long (step=, --step)"


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


class _Noisy(Method):
    """A method for white noise: `scheme` makes a step, from `evaluations` values of the drift."""

    purpose = "with white noise"
    order = 50
    takes_step = True
    scheme: ClassVar[Callable[..., np.ndarray]]
    evaluations: ClassVar[int]

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse networks without white noise, and what no method can do with it."""
        if not network.noisy:
            return f"{self.name} is for networks with white noise"
        if has_delays(network):
            return "white noise and delays cannot be in one network: no solver can do both"
        return "until = 'steady': a network with white noise never comes to rest" if until == "steady" else None

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time in equal steps."""
        return _Stochastic(task, self)


class EulerMaruyama(_Noisy):
    """The plainest scheme."""

    name = "EulerMaruyama"
    description = "strong order 0.5 (1 if the noise does not depend on the state)"
    order = 51
    scheme = staticmethod(_euler_maruyama)
    evaluations = 1


class SRIW1(_Noisy):
    """The scheme of Rößler."""

    name = "SRIW1"
    description = "strong order 1.5 (Rößler)"
    scheme = staticmethod(_sriw1)
    evaluations = 2


def noise_of(branch: Origin) -> str:
    """Return where the generator of a noisy run stood at one of its saved times, as JSON.

    That of its end was kept. Before, the numbers are drawn again: so many as the run had taken. An event ends a step at
    a time of its own, so that with events nobody can tell.
    """
    if branch.kept is not None and "noise" in branch.kept.facts:
        return str(branch.kept.facts["noise"])
    result, network = branch.result, branch.result.network
    method, step = result.solver.method, result.solver.details.get("step")
    schemes = {"SRIW1": 2, "compiled": 2, "EulerMaruyama": 1}
    if network.events or step is None or method not in schemes:
        raise InputError(
            f"at = {branch.time:g}: where the random numbers of the run stood is known only at its end; go on from "
            f"there, or give a seed for new ones"
        )
    random = np.random.default_rng(result.seed)
    begin = 0.0 if branch.before is None else branch.before.time
    if branch.before is not None and "noise" in branch.before.random:
        random.bit_generator.state = _generator_state(branch.before.random["noise"])
    end, given = begin + result.duration, result.options.get("times")
    times = saved_times(given, end, begin)
    edges = [stop for _, stop in segments(network, end)]
    marks = np.unique(np.concatenate([[begin], edges, times]))
    marks = marks[(marks >= begin) & (marks <= branch.time)]
    counts = np.maximum(1, np.ceil(np.diff(marks) / step * (1 - 1e-12)))
    left = int(counts.sum()) * schemes[method] * branch.variables[-1].stop
    while left > 0:
        left -= random.standard_normal(min(left, _DRAWN)).size
    return json.dumps(random.bit_generator.state)


@dataclass
class _Stochastic(Driver):
    """A run of stochastic differential equations (in the sense of Itô) with fixed steps.

    Each interval between saved times and break points is divided into equal steps, none longer than the one asked for,
    nor than an eighth of the period of an input.
    The same seed, step and saved times give the same path to the last bit.
    """

    method: _Noisy
    here: tuple[float, np.ndarray] | None = None

    def stands(self) -> tuple[float, dict[str, Any], dict[str, np.ndarray]] | None:
        """Return the state at a saved time that is no break point, and where the random numbers stand."""
        if self.here is None:
            return None
        facts = {"step": self.step, "noise": json.dumps(self.random.bit_generator.state)}
        return self.here[0], facts, {"state": self.here[1]}

    @property
    def options(self) -> dict[str, Any]:
        """The step."""
        return {"step": self.step}

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run, and let the events of time 0 happen."""
        assert self.task.seed is not None
        self.timetable = self.task.timetable()
        self.random = np.random.default_rng(self.task.seed)
        if self.task.start is not None and "noise" in self.task.start.random:
            self.random.bit_generator.state = _generator_state(self.task.start.random["noise"])
        state = self.begin_events(state, self.timetable)
        begin, end = self.task.begin, self.task.duration
        pieces = [(max(start, begin), stop) for start, stop in segments(self.task.system.network, end) if stop > begin]
        some = {pieces[k] for k in np.linspace(0, len(pieces) - 1, min(_LOOKED_AT, len(pieces))).astype(int)}
        middles = [0.5 * (start + stop) for start, stop in some]
        rate = max(fastest_rate(self.task.system.rhs(middle), middle, state) for middle in middles)
        asked = self.task.step
        step = default_step(end - begin, rate) if asked is None else asked
        self.step = min(step, self.task.system.network.period() / PER_PERIOD)
        if self.task.kept is not None:
            self.step = float(self.task.kept.facts["step"])
        check_step(self.step, end - begin, rate, asked is not None)
        return state

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Go step by step."""
        time = self.task.begin
        while not self.timetable.over and not self.stopped:
            time, state = self._piece(time, self.timetable.stop, state)
            system = self.task.system
            state = self.react(time, state, self.timetable.reach(time))
            if self.task.system is not system:
                self._follow_rate(time, state)
            self.save_reached(time, state)
        self.reached = time
        return "complete", f"{self.ending(time, state)} with seed {self.task.seed}"

    def _follow_rate(self, time: float, state: np.ndarray) -> None:
        """Take shorter steps if parameters that an event has set ask for them; of a step that was given, warn."""
        task = self.task
        rate = fastest_rate(task.system.rhs(time, clock=self.timetable.clock), time, state)
        if task.step is None:
            self.step = min(self.step, default_step(task.duration - task.begin, rate))
        check_step(self.step, task.duration - task.begin, rate, task.step is not None)

    def kept(self) -> Checkpoint | None:
        """Return where the random numbers stand."""
        return Checkpoint(self.reached, {"noise": json.dumps(self.random.bit_generator.state)})

    def _piece(self, start: float, stop: float, state: np.ndarray) -> tuple[float, np.ndarray]:
        """Go to `stop`, or to the first event before, which is taken from the straight line between two steps."""
        rhs = self.task.system.rhs(0.5 * (start + stop), clock=self.timetable.clock)
        scheme = self.method.scheme
        inside = self.task.times[(self.task.times > start) & (self.task.times < stop)]
        for before, after in zip([start, *inside], [*inside, stop], strict=True):
            count = max(1, int(np.ceil((after - before) / self.step * (1 - 1e-12))))
            h = (after - before) / count
            for k in range(count):
                time = before + k * h
                new = scheme(rhs, rhs.diffusion, time, state, h, self.random)
                if not np.isfinite(new).all():
                    raise self.failure(time, state, rhs(time, state), 1.0, too_long(self.step))
                self.steps += 1
                self.evaluations += self.method.evaluations
                if self.reactor is not None and self.reactor.watching:
                    line = _Line(time, state, float(after) if k == count - 1 else before + (k + 1) * h, new)
                    event = self.reactor.search(time, state, line.stop, new, lambda line=line: line, None)  # type: ignore[misc]
                    if event is not None:
                        self.here = None
                        self.progressed(event - before)
                        return event, line(event)
                state = new
            self.here = None
            if after < stop:
                self.save_reached(float(after), state)
                self.here = float(after), state
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


def _generator_state(text: str) -> Any:
    """Return the state of a generator of random numbers from JSON; InputError if it is none."""
    try:
        trial = np.random.default_rng(0)
        trial.bit_generator.state = json.loads(text)
        return trial.bit_generator.state
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise InputError(f"the state of the random numbers is damaged: {error}") from None
