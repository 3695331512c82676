"""One run of one network: `simulate`."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brnn.compiler import System, Variable, compile_network
from brnn.compiler.layout import state_size
from brnn.errors import InputError, IntegrationError, SpecError
from brnn.integrate import solvers
from brnn.integrate.delays import History
from brnn.integrate.steady import SteadyRule
from brnn.integrate.times import saved_times, segments, steady_times
from brnn.memory import refuse_above
from brnn.record.memory import MemoryRecorder
from brnn.record.options import Record
from brnn.record.schema import metadata
from brnn.record.writer import FileRecorder
from brnn.spec.network import Network
from brnn.spec.validate import array, closest, number, whole

if TYPE_CHECKING:
    from brnn.record.result import Result

__all__ = ["simulate"]

_BLOCK = 16_000_000  # bytes of saved states that are made at once
_DURATION = 20.0  # of a network that names none, in units of time
_COPIES = {
    "RK45": 14,
    "RK23": 10,
    "DOP853": 28,
    "LSODA": 30,
    "Radau": 20,
    "BDF": 20,
}  # of the state, in the solver


def simulate(
    network: Network,
    duration: float | None = None,
    *,
    initial: Any = None,
    times: Any = None,
    solver: str = "auto",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    until: Literal["duration", "steady"] = "duration",
    record: str | Path | Sequence[str] | Record | None = None,
    seed: int | None = None,
    progress: bool = False,
) -> Result:
    """Integrate a network from time 0.

    Parameters
    ----------
    network : Network
        What to run.
    duration : float, optional
        How long; the network's own duration by default (20 if it has none). With ``until="steady"`` it is the longest
        that the run may take (by default 1024 times the network's own).
    initial : array or dict, optional
        Activities at time 0: an array for a network of one layer, or ``{"<layer>": array}`` for some of its layers
        (also ``"<layer>.x"``); the others start as the network says.
    times : array, optional
        The times that are saved, exactly these. By default 201 times from 0 to `duration`; with ``until="steady"``
        times whose spacing doubles as time does. A run that comes to rest also saves its last state.
    solver : str
        "RK45", "RK23", "DOP853", "LSODA", "Radau", "BDF", or "auto": LSODA up to 256 unknowns, else RK45.
    rtol, atol : float
        Relative and absolute tolerance of each unknown (see brnn.integrate.solvers for how it is held).
    until : {"duration", "steady"}
        "steady" stops when every unknown would move by less than its tolerance in a unit of time, no stimulus changes
        any more, and the state is not one that small disturbances leave.
    record : path, list of str, or Record, optional
        A path streams the results to an HDF5 file while the run goes on, in bounded memory; a list of names
        (``["F1.x"]``) keeps only these; a Record says both and more. By default everything is kept in memory.
    seed : int, optional
        Recorded; for networks with randomness of their own.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    Result
        ``result["F1.x"]`` and so on, as xarray.

    Raises
    ------
    SpecError, InputError
        If a value is not valid.
    FileError
        If the file cannot be written or exists.
    IntegrationError
        If the solver fails; what was recorded until then is kept (in the file, if there is one).
    """
    if not isinstance(network, Network):
        raise InputError(f"network = {type(network).__name__}: must be a brnn.Network, e.g. brnn.models.rcf.build()")
    if until not in ("duration", "steady"):
        raise InputError(f"until = {until!r}: must be 'duration' or 'steady'")
    natural = network.duration if network.duration is not None else _DURATION
    length = number(duration, "duration", above=0.0) if duration is not None else natural
    rtol = number(rtol, "rtol", minimum=1e-13, maximum=1.0)
    atol = number(atol, "atol", above=0.0)
    seed = None if seed is None else whole(seed, "seed", minimum=0)
    if until == "steady" and duration is None:
        length = 1024.0 * natural
    elif until == "steady":
        natural = length / 64.0
    saved = steady_times(natural, length) if until == "steady" and times is None else saved_times(times, length)
    options = Record.from_argument(record)

    cells = state_size(network)
    delayed = any(projection.delay > 0 for projection in network.projections)
    method, reason = solvers.choose(solver, cells, delayed)
    needed = 8 * cells * _COPIES[method] + solvers.matrix_bytes(method, cells)
    needed += sum(
        projection.topology.memory(network.layer(projection.source).shape, network.layer(projection.target).shape)
        for projection in network.projections
    )
    refuse_above(needed, f"a network of {cells} unknowns with {method}")
    system = compile_network(network)
    state = initial_state(system, initial)
    described = {"solver": method, "rtol": rtol, "atol": atol, "until": until, "duration": length}
    root = metadata(system, seed=seed, options=described)
    extra = 1 if until == "steady" else 0
    recorder: Any
    if options.path is None:
        recorder = MemoryRecorder(
            system.variables, saved.size + extra, root, select=options.variables, dtype=options.dtype
        )
    else:
        recorder = FileRecorder(
            options.path,
            system.variables,
            root,
            force=options.force,
            select=options.variables,
            ltm_every=options.ltm_every,
            dtype=options.dtype,
        )
    run = _Run(system, method, reason, rtol, atol, length, saved, recorder, until == "steady")
    return run.go(state, progress)


def initial_state(system: System, initial: Any) -> np.ndarray:
    """Return the state vector at time 0, with the user's `initial` put over the network's own."""
    state = system.initial_state()
    if initial is None:
        return state
    if not isinstance(initial, Mapping):
        if len(system.network.layers) > 1:
            names = ", ".join(layer.name for layer in system.network.layers)
            raise SpecError(f"initial: the network has several layers; give a dict with some of the keys {names}")
        initial = {system.network.layers[0].name: initial}
    names = [variable.name for variable in system.variables]
    for key, value in initial.items():
        variable = system.variable(key if "." in str(key) else f"{key}.x")
        if variable is None:
            raise SpecError(f"initial: '{key}' is not a state (there is {', '.join(names)}){closest(str(key), names)}")
        given = array(value, f"initial['{key}']")
        if given.shape not in ((), variable.shape):
            raise SpecError(
                f"initial['{key}']: has shape {given.shape}, must be one number or have shape {variable.shape}"
            )
        state[variable.start : variable.stop] = np.broadcast_to(given, variable.shape).ravel()
    return state


@dataclass
class _Run:
    """The state of one integration: how far it got, what is saved next, what it cost."""

    system: System
    method: str
    reason: str
    rtol: float
    atol: float
    duration: float
    times: np.ndarray
    recorder: Any
    until_steady: bool
    saved: int = 0
    steps: int = 0
    evaluations: int = 0
    jacobians: int = 0
    started: float = field(default_factory=clock.perf_counter)

    def go(self, state: np.ndarray, progress: bool) -> Result:
        """Integrate to the end and return the result; on failure keep what was recorded and raise."""
        bar = _progress_bar(self.duration, self.system, progress)
        try:
            with np.errstate(all="ignore"):
                status, message = self._integrate(state, bar)
        except IntegrationError as error:
            self.recorder.finish("failed", self._summary(str(error)))
            raise
        except BaseException as error:
            self.recorder.finish("interrupted", self._summary(f"interrupted ({type(error).__name__})"))
            raise
        finally:
            if bar is not None:
                bar.close()
        result: Result = self.recorder.finish(status, self._summary(message))
        return result

    def _summary(self, message: str) -> dict[str, Any]:
        return {
            "method": self.method,
            "reason": self.reason,
            "rtol": self.rtol,
            "atol": self.atol,
            "steps": self.steps,
            "evaluations": self.evaluations,
            "jacobians": self.jacobians,
            "seconds": round(clock.perf_counter() - self.started, 6),
            "message": message,
        }

    def _integrate(self, state: np.ndarray, bar: Any) -> tuple[str, str]:
        if self.times[0] == 0.0:
            self._save(np.zeros(1), state[None, :])
        delays = self.system.delays
        history = History(state, delays[-1]) if delays else None
        settled = self.system.network.settled() + sum(delays)
        rule = SteadyRule(self.rtol, self.atol, delays[-1] if delays else 0.0)
        for start, stop in segments(self.system.network, self.duration, delays):
            fun = self.system.rhs(0.5 * (start + stop), history)
            if stop - start <= 1e-10 * stop and history is None:
                state = state + (stop - start) * fun(start, state)
                self._save_until(None, stop, state)
                continue
            longest = delays[0] if delays else np.inf
            solver = solvers.make(
                self.method, fun, start, state, stop, self.rtol, self.atol, self.system.variables, longest
            )
            while solver.status == "running":
                before = solver.t
                solver.step()
                if solver.status == "failed" or not np.isfinite(solver.y).all():
                    self._count(solver)
                    raise self._failure(fun, before, state)
                self.steps += 1
                state = solver.y
                if history is not None:
                    history.append(solver.t, solver.dense_output())
                self._save_until(solver, solver.t, state)
                if bar is not None:
                    bar.update(solver.t - before)
                if self.until_steady and solver.t > settled and rule.holds(fun, solver.t, state):
                    self._count(solver)
                    if self.saved == 0 or self.last_saved < solver.t:
                        self._save(np.array([solver.t]), state[None, :])
                    return "steady", f"steady at t = {solver.t:.6g}"
            self._count(solver)
        if self.until_steady:
            return "complete", f"not steady after t = {self.duration:g}"
        return "complete", f"reached t = {self.duration:g}"

    def _count(self, solver: Any) -> None:
        self.evaluations += solver.nfev
        self.jacobians += solver.njev

    @property
    def last_saved(self) -> float:
        """The last time that was saved."""
        return float(self.times[self.saved - 1])

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
                self._save(block, np.ascontiguousarray(dense(block).T))
        if exact:
            self._save(self.times[stop - 1 : stop], state[None, :])

    def _save(self, times: np.ndarray, states: np.ndarray) -> None:
        self.recorder.write(times, states)
        self.saved += len(times)

    def _failure(self, fun: Any, time: float, state: np.ndarray) -> IntegrationError:
        """Return the error that says where it broke."""
        slope = np.abs(fun(time, state))
        slope[~np.isfinite(slope)] = np.inf
        worst = int(np.argmax(slope / (self.atol + self.rtol * np.abs(state))))
        variable = next(v for v in self.system.variables if v.start <= worst < v.stop)
        where = f"{variable.name}[{_index(variable, worst)}]"
        return IntegrationError(
            f"{self.method} could not go on after t = {time:.6g}; {where} = {state[worst]:.6g} changes fastest there "
            f"(rate {slope[worst]:.3g}): the solution grows without bound, jumps, or is too stiff for this solver",
            time=time,
            variable=where,
            state=state.copy(),
        )


def _index(variable: Variable, place: int) -> str:
    return ", ".join(str(int(k)) for k in np.unravel_index(place - variable.start, variable.shape))


def _progress_bar(duration: float, system: System, progress: bool) -> Any:
    if not progress:
        return None
    from tqdm import tqdm

    unit = "" if system.time_units == "1" else f" {system.time_units}"
    form = "{desc}: {percentage:3.0f}%|{bar}| t = {n:.4g}/{total:.4g}" + unit + " [{elapsed}<{remaining}]"
    return tqdm(total=duration, desc=system.network.name, bar_format=form)
