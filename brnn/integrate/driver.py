"""What every way of going through time shares: what is saved, what is counted, how a run ends."""

from __future__ import annotations

import functools
import sys
import time as clock
import warnings
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import threadpoolctl
from tqdm import tqdm

from brnn.compiler import System, Variable
from brnn.errors import IntegrationError
from brnn.integrate.bounds import Bounds, bounds_around, kept_within
from brnn.integrate.events import Reactor
from brnn.integrate.failures import why_not_further
from brnn.integrate.faint import FAINT, largest_activity, says_something, warn_if_faint
from brnn.integrate.sunk import Sunk, sunk_of
from brnn.integrate.timetable import Timetable
from brnn.result.checkpoint import Checkpoint
from brnn.result.recorder import Recorder
from brnn.result.start import Start

if TYPE_CHECKING:
    from brnn.integrate.methods.base import Method
    from brnn.result.result import Result

__all__ = ["Driver", "Progress", "RunTask"]

Progress = bool | Callable[[float], object]  # whether there is a bar, or what is told the time that was reached

_COUNTS = ("saved", "steps", "evaluations", "jacobians", "projected", "reason")
_THREADED = 500  # unknowns from which BLAS would use several threads for products with vectors,
_MATRICES = 64  # and for the factors and eigenvalues of their matrices


@dataclass(frozen=True)
class RunTask:
    """A run that is to be made.

    Attributes
    ----------
    system : System
        What is run.
    duration : float
        Where the run ends at the latest.
    times : ndarray
        The times that are saved.
    recorder : Recorder
        Takes them.
    rtol, atol : float
        Tolerances of each unknown.
    step : float or None
        The step that the user asked for.
    until_steady : bool
        Whether to stop at rest.
    seed : int or None
        Seed of white noise, and of what events draw.
    begin : float
        Where it begins.
    start : Start or None
        The run from which it goes on.
    ahead : float
        How far the schedules are ahead of the time of the run when it begins.
    kept : Checkpoint or None
        Where it was cut off, if it is the rest of a run.
    norm : {"max", "rms"}
        Of the errors of a step.
    """

    system: System
    duration: float
    times: np.ndarray
    recorder: Recorder
    rtol: float = 1e-6
    atol: float = 1e-9
    step: float | None = None
    until_steady: bool = False
    seed: int | None = None
    begin: float = 0.0
    start: Start | None = None
    ahead: float = 0.0
    kept: Checkpoint | None = None
    norm: str = "max"

    def timetable(self) -> Timetable:
        """Return when the integration has to be restarted."""
        return Timetable(self.system, self.duration, self.begin, self.ahead)


@dataclass
class Driver:
    """One run. A subclass says how to advance: it overrides `advance`.

    Parameters
    ----------
    task : Task
        What is to be run.
    method : Method
        By what; a run may change it on its way.
    reason : str
        Why it was chosen.
    """

    task: RunTask
    method: Method
    reason: str = "asked for"
    saved: int = 0
    steps: int = 0
    evaluations: int = 0
    jacobians: int = 0
    projected: float = 0.0
    bounds: Bounds | None = None
    bar: Any = None
    largest: float = 0.0  # of the saved activities and the first ones, as long as they are faint
    sunk: Sequence[Sunk] = ()
    reactor: Reactor | None = None
    started: float = field(default_factory=clock.perf_counter)
    threads: ExitStack = field(default_factory=ExitStack, init=False)

    @property
    def options(self) -> dict[str, Any]:
        """What the summary says of the accuracy: tolerances, or the step."""
        norm = {} if self.task.norm == "max" else {"norm": self.task.norm}
        return {"rtol": self.task.rtol, "atol": self.task.atol, **norm}

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Return the state from which the run starts: `state`, unless events change it at time 0."""
        return state

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Go from the beginning to the end; return the status ("complete" or "steady") and one line about it."""
        raise NotImplementedError

    def go(self, state: np.ndarray, progress: Progress) -> Result:
        """Run to the end and return the result; if that fails, keep what was recorded and raise."""
        if progress:
            self.bar = _Told(progress, self.task.begin) if callable(progress) else _progress_bar(self.task)
        self.bounds = bounds_around(self.task.system, state)
        self.largest = largest_activity(state, self.task.system.variables)
        first = self.largest
        self.sunk = sunk_of(self.task.system.network, self.task.system.variables, state, self.task.atol)
        if self.task.kept is not None:
            self.restore(self.task.kept)
        try:
            with np.errstate(all="ignore"), warnings.catch_warnings(), self.threads:
                self.keep_one_thread(matrices=self.task.until_steady)
                # A solver that gives up says so by its status; LSODA also warns.
                warnings.filterwarnings("ignore", module=r"scipy\.integrate")
                state = self.begin(state)
                if not self.saved and self.task.times[0] == self.task.begin:
                    self.save(self.task.times[:1], state[None, :])
                status, message = self.advance(state)
        except IntegrationError as error:
            self.task.recorder.finish("failed", self.summary(str(error)))
            raise
        except BaseException as error:
            self.task.recorder.finish("interrupted", self.summary(f"interrupted ({type(error).__name__})"))
            raise
        finally:
            if self.bar is not None:
                self.bar.close()
        result = self.task.recorder.finish(status, self.summary(message), self.kept())
        network = self.task.system.network
        if says_something(network, first, self.saved):
            warn_if_faint(network, self.largest, self.task.atol, stacklevel=5)
        for one in self.sunk:
            one.warn(network.name, stacklevel=5)
        return result

    def keep_one_thread(self, matrices: bool) -> None:
        """Keep BLAS to one thread for the rest of the run, if it would use more.

        For vectors and matrices of this size more only get in each other's way; where another process has the cores
        they wait for each other, and the singular values of 256 rows take 40 times their time.
        """
        if self.task.system.size >= (_MATRICES if matrices else _THREADED):
            scipy = "scipy.linalg" in sys.modules or "scipy.integrate" in sys.modules
            for pool in _pools(scipy):
                count = pool.get_num_threads()
                if count is not None and count > 1:
                    self.threads.callback(pool.set_num_threads, count)
                    pool.set_num_threads(1)

    def kept(self) -> Checkpoint | None:
        """Return what a run that goes on from the end of this one needs beside its states; None if they are all."""
        return None

    def stands(self) -> tuple[float, dict[str, Any], dict[str, np.ndarray]] | None:
        """Return the time, and what the method remembers as facts and arrays (the `state` one of them).

        None if the run could not go on from here as it will: then a later moment is as good.
        """
        return None

    def restore(self, kept: Checkpoint) -> None:
        """Take over the counts of a run that was cut off."""
        for name in _COUNTS:
            setattr(self, name, type(getattr(self, name))(kept.facts[name]))
        if not kept.facts["bounded"]:
            self.bounds = None

    def _stand(self) -> Checkpoint | None:
        found = self.stands()
        if found is None:
            return None
        time, facts, arrays = found
        times = self.task.times
        if self.saved < times.size and times[self.saved] <= time:
            return None  # states before this time are still to be saved
        counts = {name: getattr(self, name) for name in _COUNTS}
        return Checkpoint(time, {**counts, "bounded": self.bounds is not None, **facts}, arrays)

    def begin_events(self, state: np.ndarray, timetable: Timetable) -> np.ndarray:
        """Let the events of time 0 happen, if the network has any; return the state after them."""
        if not self.task.system.network.events:
            timetable.reach(self.task.begin)
            return state
        self.reactor = Reactor(self.task.system, timetable, self.task.seed, self.task.recorder.happened)
        if self.task.start is not None:
            self.reactor.go_on(self.task.start, state)
            return self._kept_within(self.reactor, state)
        return self._kept_within(self.reactor, self.reactor.begin(state))

    def react(self, time: float, state: np.ndarray, due: list[int]) -> np.ndarray:
        """Let the events happen that were found, or are due; return the state after them."""
        if self.reactor is None or not (self.reactor.waiting or due):
            return state
        return self._kept_within(self.reactor, self.reactor.react(time, state, due))

    @property
    def stopped(self) -> bool:
        """Whether an event ended the run."""
        return self.reactor is not None and self.reactor.stopped

    def ending(self, time: float, state: np.ndarray) -> str:
        """Return one line about a run that ended at `time`; save the last state if an event ended it early."""
        if self.reactor is not None and time < self.task.duration:
            self.save_last(time, state)
        if self.reactor is not None and self.reactor.stopped:
            return f"stopped by event '{self.reactor.last}' at t = {time:.6g}"
        early = f", where events that ended phases early brought the end ({self.task.duration:g} were planned)"
        return f"reached t = {time:g}{early if time < self.task.duration else ''}"

    def _kept_within(self, reactor: Reactor, state: np.ndarray) -> np.ndarray:
        """Return the state after events, with whose parameters the run goes on.

        One outside of the proven bounds takes what they are proven from away.
        """
        if reactor.system is not self.task.system:
            self.task = replace(self.task, system=reactor.system)
            self.bounds = None if self.bounds is None else bounds_around(reactor.system, state)
        if self.bounds is not None and not ((state >= self.bounds[0]) & (state <= self.bounds[1])).all():
            self.bounds = None
        return state

    def summary(self, message: str) -> dict[str, Any]:
        """Return what the file says about the solver."""
        return {
            "method": self.method.name,
            "reason": self.reason,
            **self.options,
            "steps": self.steps,
            "evaluations": self.evaluations,
            "jacobians": self.jacobians,
            "largest_projection": self.projected,
            "seconds": round(clock.perf_counter() - self.started, 6),
            "message": message,
        }

    def save(self, times: np.ndarray, states: np.ndarray, projected: float | None = None) -> None:
        """Save rows, each activity projected onto the interval that it provably cannot leave.

        There the exact solution lies, so that this only takes away error of the solver. The largest correction is part
        of the summary; it is of the size of the tolerances or something is wrong. States that are projected already
        come with it.
        """
        if projected is None and self.bounds is not None:
            states, projected = kept_within(states, self.bounds, self.task.system.variables)
        if projected is not None:
            self.projected = max(self.projected, projected)
        if self.largest < FAINT * self.task.atol:
            self.largest = max(self.largest, largest_activity(states, self.task.system.variables))
        for one in self.sunk:
            one.see(times, states)
        self.task.recorder.write(times, states)
        self.saved += len(times)

    def save_reached(self, time: float, state: np.ndarray) -> None:
        """Save `state` if `time` is the next of the saved times."""
        if self.saved < self.task.times.size and self.task.times[self.saved] == time:
            self.save(self.task.times[self.saved : self.saved + 1], state[None, :])

    def at_rest(self, time: float, state: np.ndarray) -> tuple[str, str]:
        """Save the state in which the network came to rest; return the status of the run and one line about it."""
        self.save_last(time, state)
        return "steady", f"steady at t = {time:.6g}"

    def save_last(self, time: float, state: np.ndarray) -> None:
        """Save the state at which the run ends, if it was not saved."""
        if self.saved == 0 or self.task.times[self.saved - 1] < time:
            self.save(np.array([time]), state[None, :])

    def progressed(self, by: float) -> None:
        """Move the progress bar, and let the recorder bring to the disk what it still holds back."""
        self.task.recorder.keep(self._stand)
        if self.bar is not None:
            self.bar.update(by)

    def failure(
        self,
        time: float,
        state: np.ndarray,
        slope: np.ndarray,
        scale: np.ndarray | float,
        why: str | None = None,
        needed: float | None = None,
    ) -> IntegrationError:
        """Return the error that names the state which changes fastest, says why, and what may help.

        `needed` is how many steps the rest of the run would take, if it was given up for that.
        """
        speed = np.abs(slope)
        speed[~np.isfinite(speed)] = np.inf
        worst = int(np.argmax(speed / scale))
        variable = next(v for v in self.task.system.variables if v.start <= worst < v.stop)
        where = f"{variable.name}[{_index(variable, worst)}]"
        if why is None:
            own = float(np.broadcast_to(scale, speed.shape)[worst])
            value, fastest = float(state[worst]), float(speed[worst])
            no_other = self.task.system.delays or self.method.name == "Radau"  # delays need an explicit method
            why = why_not_further(
                value, fastest, own, self.task.atol, self.task.duration, needed, "" if no_other else "Radau"
            )
        return IntegrationError(
            f"{self.method.name} could not go on after t = {time:.6g}; {where} = {state[worst]:.6g} changes fastest "
            f"there (rate {speed[worst]:.3g}): {why}",
            time=time,
            variable=where,
            state=state.copy(),
        )


@functools.cache
def _pools(scipy: bool) -> tuple[Any, ...]:
    """Return what limits the threads of each BLAS that is loaded: SciPy brings one of its own."""
    return tuple(threadpoolctl.ThreadpoolController().select(user_api="blas").lib_controllers)


def _index(variable: Variable, place: int) -> str:
    return ", ".join(str(int(k)) for k in np.unravel_index(place - variable.start, variable.shape))


@dataclass
class _Told:
    """In the place of a progress bar: a function that is told the time, and may raise to stop the run."""

    tell: Callable[[float], object]
    time: float

    def update(self, by: float) -> None:
        self.time += by
        self.tell(self.time)

    def close(self) -> None:
        """Do nothing."""


def _progress_bar(task: RunTask) -> Any:
    unit = "" if task.system.time_units == "1" else f" {task.system.time_units}"
    form = "{desc}: {percentage:3.0f}%|{bar}| t = {n:.4g}/{total:.4g}" + unit + " [{elapsed}<{remaining}]"
    return tqdm(initial=task.begin, total=task.duration, desc=task.system.network.name, bar_format=form)
