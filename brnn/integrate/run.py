"""One run of one network: `simulate`."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.base.named import says_what_is_meant
from brnn.base.text import closest
from brnn.compiler import System, compile_network
from brnn.compiler.layout import state_size
from brnn.errors import InputError, SpecError
from brnn.files.run.reader import open_result
from brnn.files.run.writer import FileRecorder
from brnn.integrate.course import in_one_course
from brnn.integrate.driver import Progress, RunTask
from brnn.integrate.events import schedules_ahead
from brnn.integrate.methods import Method, as_list, check_norm, choose
from brnn.integrate.methods.stochastic import noise_of
from brnn.integrate.resume import checked, gone_on, unfinished
from brnn.integrate.silence import what_stays_silent
from brnn.integrate.start import Origin, branch
from brnn.integrate.times import saved_times, steady_times, whole_steps
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import EventTable
from brnn.result.memory import MemoryRecorder
from brnn.result.metadata import LateMetadata, Metadata, metadata
from brnn.result.options import Record
from brnn.result.recorder import Recorder
from brnn.result.result import Result
from brnn.result.start import Start
from brnn.spec.durations import STEADY_DURATIONS, natural_duration
from brnn.spec.network import Network

__all__ = ["simulate"]

_MOST_STEPS = 10**8  # hours
_STAGES = 8  # vectors that a step of the past keeps


@says_what_is_meant
def simulate(
    network: Network,
    duration: float | None = None,
    *,
    initial: Any = None,
    start: Any = None,
    at: float | None = None,
    times: Any = None,
    solver: str = "auto",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    norm: Literal["max", "rms"] = "max",
    step: float | None = None,
    until: Literal["duration", "steady"] = "duration",
    record: str | Path | Sequence[str] | Record | None = None,
    seed: int | None = None,
    progress: Progress = False,
    force: bool = False,
    resume: bool = False,
) -> Result:
    """Integrate a network, from time 0 or from a state of another run.

    Parameters
    ----------
    network : Network
        What to run.
    duration : float, optional
        How long; the network's own duration by default (20 if it has none). With ``until="steady"`` it is the longest
        that the run may take (by default 1024 times the network's own). A run with `start` is by default as long as
        what is left of the network's own duration, or, if nothing is, as long as that.
    initial : array, dict, or Result, optional
        Activities at time 0: an array for a network of one layer, or ``{"<layer>": array}`` for some of its layers
        (also ``"<layer>.x"``); the others start as the network says. Of a Result the last saved states, gates and
        weights included.
    start : Result or path, optional
        A run that this one goes on from, or its file: with its activities, gates and weights, its phase of the
        protocol, what its events have done, its random numbers, and what travels in delays. Time goes on, too: it
        begins at `at`, and schedules stand where they stood. The network must have the same layers, gates and weights
        of the same sizes, and the same events; all numbers may be others. `initial` replaces states.
    at : float, optional
        The saved time of that run at which this one begins; the last by default.
    times : array, optional
        The times that are saved, exactly these. By default 201 times from the beginning to the end; with
        ``until="steady"`` times whose spacing doubles as time does. A run that comes to rest, or that an event ends,
        also saves its last state. The state saved at the very time of an event is the one after it.
    solver : str
        Name of a method (any case), one of those in `brnn.integrate.methods`.
    rtol, atol : float
        Relative and absolute tolerance of each unknown (see brnn.integrate.methods for how it is held).
    norm : {"max", "rms"}
        "max" holds the error of a step for every unknown by itself. "rms" holds the root mean square over all of them,
        as SciPy and diffrax do: fewer steps, and few active cells among many quiet ones are followed less closely.
        RK45, Tsit5, RK23 and DOP853 can; "auto" takes Tsit5.
    step : float, optional
        Step of the solvers for white noise; a 10,000th of the duration by default.
    until : {"duration", "steady"}
        "steady" stops when no stimulus changes any more, the state is within its tolerance of an equilibrium, by the
        step of Newton's method, and no small disturbance of it grows: see `brnn.integrate.steady`.
    record : path, list of str, or Record, optional
        A path streams the results to an HDF5 file while the run goes on, in bounded memory; a list of names
        (``["F1.x"]``) keeps only these; a Record says both and more. By default everything is kept in memory.
    seed : int, optional
        Seed of the white noise, and of what events draw. Without one a seed is drawn; it is recorded in any case. A
        run with `start` goes on with the random numbers of the other one, unless it is given a seed.
    progress : bool or callable
        Show a progress bar on standard error; or a function that is called again and again with the time that the run
        has reached. What it raises stops the run.
    force : bool
        Replace the file if it exists.
    resume : bool
        Go on with the file, if it is that of a run with the same arguments that was killed or stopped: from its last
        checkpoint, of which it has one about every second. With equal steps (white noise, discrete time) and with
        ``solver="compiled"`` the numbers are those of a run that nothing disturbed to the last bit, with others within
        the tolerances. A file that is finished is returned as it is; if there is none, the run begins.

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

    Warns
    -----
    UserWarning
        If an input is never on in the run, there is neither input nor initial activity, no activity is much larger
        than atol, or one that cannot reach 0 fell below atol and grew again.
    """
    if not isinstance(network, Network):
        raise InputError(f"network = {type(network).__name__}: must be a brnn.Network, e.g. brnn.models.rcf.build()")
    if until not in ("duration", "steady"):
        raise InputError(f"until = {until!r}: must be 'duration' or 'steady'")
    if at is not None and start is None:
        raise InputError(f"at = {at!r}: is a time of the run that start= (--start) names, which is not given")
    origin = None if start is None else branch(start, at, network)
    rtol = number(rtol, "rtol", minimum=1e-13, maximum=1.0)
    atol = number(atol, "atol", above=0.0)
    step = None if step is None else number(step, "step", above=0.0)
    seed = None if seed is None else whole(seed, "seed", minimum=0)
    from_it, seed, step = _gone_on_from(origin, network, seed, step)
    begin, ahead = 0.0 if from_it is None else from_it.time, _ahead(from_it, network)
    length, natural = _durations(network, duration, until, begin + ahead)
    end = begin + length
    options = Record.from_argument(record)
    if resume and options.path is None:
        raise InputError('resume: needs the file to go on with: record="run.h5"')
    if force or resume:
        options = dataclasses.replace(options, force=True)
    old = unfinished(Path(options.path)) if resume and options.path is not None else None
    if old is not None and network.random and seed is None:
        seed = old.seed
    method = choose(solver, network, until, step)
    norm = check_norm(norm, method, network)  # type: ignore[assignment]
    if from_it is not None and method.settle(network)[0].name == "compiled" and network.noisy:
        raise InputError("solver = 'compiled': with white noise it begins at time 0; use SRIW1 with start= (--start)")
    saved = _times(times, network, natural, end, until, begin)
    if network.random and seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    _refuse_too_large(network, method)
    _refuse_short_delays(network, natural if until == "steady" else length)
    system = compile_network(network)
    state = initial_state(system, initial, None if from_it is None else from_it.state)
    for words in what_stays_silent(network, state, system.variables, end):
        warnings.warn(words, UserWarning, stacklevel=3)
    given: dict[str, Any] = {
        "duration": length,
        "initial": None if initial is None else state.copy(),
        "times": None if times is None else saved,
        "solver": solver,
        "rtol": rtol,
        "atol": atol,
        "norm": norm,
        "step": step,
        "until": until,
        "variables": None if options.variables is None else list(options.variables),
        "ltm_every": options.ltm_every,
        "dtype": options.dtype,
    }
    if from_it is not None:
        given["start"] = from_it.to_options()
    now = datetime.now(UTC)

    root = LateMetadata(
        lambda: metadata(system, seed=seed, options=given, start=from_it, created=now), system.time_units
    )

    kept = None
    if old is not None:
        kept = checked(old, root(), given)
        if old.status in ("complete", "steady"):
            return old
        old.close()
    recorder = _recorder(options, system, saved.size + (until == "steady" or bool(network.events)), root)
    task = RunTask(system, end, saved, recorder, rtol, atol, step, until == "steady", seed, begin, from_it, ahead,
                norm=norm)  # fmt: skip
    if not progress:
        done = in_one_course(task, method, state)
        if done is not None:
            return done
    if kept is not None and isinstance(recorder, FileRecorder) and options.path is not None:
        with open_result(options.path) as cut:
            recorder.take_up(cut, kept)
            events = _first_rows(cut.event_table, kept)
        task = gone_on(task, kept, events)
        if task.start is not None:
            state = task.start.state
    return method.drive(task).go(state, progress)


if simulate.__doc__ is not None:  # with -OO there is none
    simulate.__doc__ = simulate.__doc__.replace(
        "one of those in `brnn.integrate.methods`.", f"one of\n\n{as_list(indent=' ' * 8)}\n"
    )


def _gone_on_from(
    origin: Origin | Start | None, network: Network, seed: int | None, step: float | None
) -> tuple[Start | None, int | None, float | None]:
    """Return the state from which the run goes on, its seed, and its step: those of the other run, if none is given."""
    if not isinstance(origin, Origin):
        return origin, seed, step
    random = network.random and seed is None and origin.result.seed is not None
    if network.noisy and step is None:
        step = origin.result.solver.details.get("step")
    return origin.start(noise_of if random else None), origin.result.seed if random else seed, step


def _first_rows(table: EventTable | None, kept: Checkpoint) -> EventTable | None:
    """Return the events before a checkpoint."""
    if table is None:
        return None
    count = int(kept.facts["counts"]["event"])
    return EventTable(table.names, {name: column[:count] for name, column in table.columns.items()})


def _ahead(start: Start | None, network: Network) -> float:
    """Return how far the schedules are ahead of the time of the run: the rest of phases that events ended early."""
    if start is None or start.events is None or not len(start.events) or network.protocol is None:
        return 0.0
    return schedules_ahead(compile_network(network), start, start.time + network.protocol.duration)


def _durations(network: Network, duration: Any, until: str, begin: float) -> tuple[float, float]:
    """Return how long the run may take, and for how long it is looked at closely if it shall come to rest."""
    natural = natural_duration(network)
    natural = natural - begin if natural > begin else natural
    length = natural if duration is None else number(duration, "duration", above=0.0)
    if until == "steady":
        length, natural = (STEADY_DURATIONS * natural, natural) if duration is None else (length, length / 64.0)
    if network.step is not None:
        length = max(1, round(length / network.step)) * network.step
    return length, natural


def _times(times: Any, network: Network, natural: float, end: float, until: str, begin: float) -> np.ndarray:
    """Return the times that are saved."""
    if network.step is not None:
        return whole_steps(times, network.step, end, begin)
    if until == "steady" and times is None:
        return steady_times(natural, end - begin, begin)
    return saved_times(times, end, begin)


def _refuse_too_large(network: Network, method: Method) -> None:
    size, settled = state_size(network), method.settle(network)[0]
    needed = settled.bytes(size, sum(layer.cells for layer in network.layers))
    refuse_above(needed, f"a network of {size} unknowns with {settled.name}")


def _refuse_short_delays(network: Network, length: float) -> None:
    """Refuse delays so short that the run would not end, or its past not fit: no step is longer than the shortest."""
    delays = [projection.delay for projection in network.projections if projection.delay > 0]
    if not delays or network.step is not None:
        return
    shortest = min(delays)
    if length > _MOST_STEPS * shortest:
        raise InputError(
            f"a delay of {shortest:g} is too short for a run of {length:g}: no step is longer than the shortest "
            f"delay, and {_MOST_STEPS:,} steps are the most that are made"
        )
    points = min(max(delays), length) / shortest
    refuse_above(
        points * _STAGES * 8 * state_size(network),
        f"the past of a network with delays of {shortest:g} and {max(delays):g}, at least {points:.3g} steps,",
    )


def _recorder(options: Record, system: System, rows: int, root: Callable[[], Metadata]) -> Recorder:
    if options.path is None:
        return MemoryRecorder(
            system.variables, rows, root, select=options.variables, ltm_every=options.ltm_every, dtype=options.dtype,
            events=system.network.event_names,
        )  # fmt: skip
    return FileRecorder(
        options.path,
        system.variables,
        root(),
        force=options.force,
        select=options.variables,
        ltm_every=options.ltm_every,
        dtype=options.dtype,
        n_times=rows,
    )


def initial_state(system: System, initial: Any, first: np.ndarray | None = None) -> np.ndarray:
    """Return the state vector at the beginning: the user's `initial` put over `first`, or over the network's own."""
    state = system.initial_state() if first is None else first.copy()
    if initial is None:
        return state
    if isinstance(initial, Result):
        initial = {name: initial.final(name) for name in initial}
    if not isinstance(initial, Mapping):
        if len(system.network.layers) > 1:
            keys = ", ".join(layer.name for layer in system.network.layers)
            raise SpecError(f"initial: the network has several layers; give a dict with some of the keys {keys}")
        initial = {system.network.layers[0].name: initial}
    names = [variable.name for variable in system.variables]
    for key, value in initial.items():
        variable = system.variable(key if "." in str(key) else f"{key}.x")
        if variable is None:
            raise SpecError(f"initial: '{key}' is not a state (there is {', '.join(names)}){closest(str(key), names)}")
        given = array(value, f"initial['{key}']")
        if given.shape not in ((), variable.shape):
            rows = given.shape[1:] == variable.shape
            hint = "; of the states that a run saved, initial=result takes the last, and so does [-1]" if rows else ""
            raise SpecError(
                f"initial['{key}']: has shape {given.shape}, must be one number or have shape {variable.shape}{hint}"
            )
        state[variable.start : variable.stop] = np.broadcast_to(given, variable.shape).ravel()
    return state
