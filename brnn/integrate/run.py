"""One run of one network: `simulate`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.base.text import closest
from brnn.compiler import System, compile_network
from brnn.compiler.layout import state_size
from brnn.errors import InputError, SpecError
from brnn.files.run.writer import FileRecorder
from brnn.integrate.driver import Driver
from brnn.integrate.methods import solvers
from brnn.integrate.methods.adaptive import Adaptive
from brnn.integrate.methods.discrete import Discrete
from brnn.integrate.methods.stochastic import Stochastic
from brnn.integrate.times import saved_times, steady_times, whole_steps
from brnn.result.memory import MemoryRecorder
from brnn.result.metadata import metadata
from brnn.result.options import Record
from brnn.result.recorder import Recorder
from brnn.spec.durations import STEADY_DURATIONS, natural_duration
from brnn.spec.network import Network

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["simulate"]

_NOISY_STEPS = 10_000
_COPIES = {
    "RK45": 14,
    "RK23": 10,
    "DOP853": 28,
    "LSODA": 30,
    "Radau": 20,
    "BDF": 20,
    "ROS34PW2": 16,
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
    step: float | None = None,
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
        times whose spacing doubles as time does. A run that comes to rest, or that an event ends, also saves its last
        state. The state saved at the very time of an event is the one after it.
    solver : str
        "RK45", "RK23", "DOP853", "LSODA", "Radau", "BDF", "ROS34PW2", "compiled" (the integrator of sweeps: for small
        networks that must be fast), with white noise "EulerMaruyama" or "SRIW1", or
        "auto": LSODA up to 256 unknowns, else RK45, which gives way to LSODA (up to 2000 unknowns) or ROS34PW2 (up to
        2000 cells) where the network proves to be stiff; RK45 with delays; SRIW1 with white noise. Networks of discrete
        time need none.
    rtol, atol : float
        Relative and absolute tolerance of each unknown (see brnn.integrate.methods.solvers for how it is held).
    step : float, optional
        Step of the solvers for white noise; a 10,000th of the duration by default.
    until : {"duration", "steady"}
        "steady" stops when every unknown would move by less than its tolerance in a unit of time, no stimulus changes
        any more, and the state is not one that small disturbances leave.
    record : path, list of str, or Record, optional
        A path streams the results to an HDF5 file while the run goes on, in bounded memory; a list of names
        (``["F1.x"]``) keeps only these; a Record says both and more. By default everything is kept in memory.
    seed : int, optional
        Seed of the white noise, and of what events draw. Without one a seed is drawn; it is recorded in any case.
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
    natural = natural_duration(network)
    length = number(duration, "duration", above=0.0) if duration is not None else natural
    rtol = number(rtol, "rtol", minimum=1e-13, maximum=1.0)
    atol = number(atol, "atol", above=0.0)
    step = None if step is None else number(step, "step", above=0.0)
    seed = None if seed is None else whole(seed, "seed", minimum=0)
    options = Record.from_argument(record)
    size = state_size(network)
    method, reason = solvers.choose(solver, network, size, until, step)
    if until == "steady" and duration is None:
        length = STEADY_DURATIONS * natural
    elif until == "steady":
        natural = length / 64.0
    if network.step is not None:
        length = max(1, round(length / network.step)) * network.step
    saved = _times(times, network, natural, length, until)
    if network.random and seed is None:
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    _refuse_too_large(network, method, size)
    system = compile_network(network)
    state = initial_state(system, initial)
    given = {
        "duration": length,
        "initial": None if initial is None else state.copy(),
        "times": None if times is None else saved,
        "solver": solver,
        "rtol": rtol,
        "atol": atol,
        "step": step,
        "until": until,
        "variables": None if options.variables is None else list(options.variables),
    }
    root = metadata(system, seed=seed, options=given)
    recorder = _recorder(options, system, saved.size + (until == "steady" or bool(network.events)), root)
    common = (system, method, reason, length, saved, recorder)
    driver: Driver
    if network.step is not None:
        driver = Discrete(*common, {"step": network.step}, step=network.step, until_steady=until == "steady")
    elif network.noisy:
        assert seed is not None
        chosen = step if step is not None else length / _NOISY_STEPS
        driver = Stochastic(*common, {"step": chosen}, step=chosen, seed=seed)
    elif method == solvers.COMPILED:
        from brnn.integrate.methods.compiled import Compiled

        tolerances = {"rtol": rtol, "atol": atol}
        driver = Compiled(*common, tolerances, rtol=rtol, atol=atol, until_steady=until == "steady")
    else:
        tolerances = {"rtol": rtol, "atol": atol}
        driver = Adaptive(*common, tolerances, rtol=rtol, atol=atol, until_steady=until == "steady", seed=seed)
        driver.may_switch = method == "RK45" and reason.startswith("auto") and not system.delays
    return driver.go(state, progress)


def _times(times: Any, network: Network, natural: float, length: float, until: str) -> np.ndarray:
    """Return the times that are saved."""
    if network.step is not None:
        return whole_steps(times, network.step, length)
    if until == "steady" and times is None:
        return steady_times(natural, length)
    return saved_times(times, length)


def _refuse_too_large(network: Network, method: str, size: int) -> None:
    needed = 8 * size * _COPIES.get(method, 8) + solvers.matrix_bytes(
        method, size, sum(layer.cells for layer in network.layers)
    )
    refuse_above(needed, f"a network of {size} unknowns with {method}")


def _recorder(options: Record, system: System, rows: int, root: Any) -> Recorder:
    if options.path is None:
        return MemoryRecorder(
            system.variables, rows, root, select=options.variables, ltm_every=options.ltm_every, dtype=options.dtype
        )
    return FileRecorder(
        options.path,
        system.variables,
        root,
        force=options.force,
        select=options.variables,
        ltm_every=options.ltm_every,
        dtype=options.dtype,
        n_times=rows,
    )


def initial_state(system: System, initial: Any) -> np.ndarray:
    """Return the state vector at time 0, with the user's `initial` put over the network's own."""
    state = system.initial_state()
    if initial is None:
        return state
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
            raise SpecError(
                f"initial['{key}']: has shape {given.shape}, must be one number or have shape {variable.shape}"
            )
        state[variable.start : variable.stop] = np.broadcast_to(given, variable.shape).ravel()
    return state
