"""A network that is run again and again with other numbers: `prepare`."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from brnn.base.checks import number
from brnn.base.named import says_what_is_meant
from brnn.compiler.variants import Variants
from brnn.errors import InputError
from brnn.integrate.course import SmallRun, SmallRunEnd
from brnn.integrate.methods import check_norm, choose
from brnn.integrate.methods.explicit import CompiledPair
from brnn.integrate.run import initial_state, simulate
from brnn.integrate.times import saved_times
from brnn.result.columns import columns
from brnn.result.metadata import Metadata, metadata
from brnn.result.recorded import Recorded, state_vectors
from brnn.result.result import Result
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network

__all__ = ["Prepared", "prepare"]

_FLOAT = np.dtype(np.float64)
_KEPT = 64  # sets of names, and layouts in time, that are remembered


@says_what_is_meant
def prepare(
    network: Network,
    *,
    solver: str = "auto",
    rtol: float = 1e-6,
    atol: float = 1e-9,
    norm: Literal["max", "rms"] = "max",
) -> Prepared:
    """Return an object that runs a network again and again, with other numbers, at little more than the integration.

    For what asks for many runs one after the other: a slider, a fit, an explorer. A sweep of many members at once is
    faster with `brnn.sweep`.

    Parameters
    ----------
    network : Network
        The network.
    solver : str
        As for `simulate`. Only the explicit methods RK45 and Tsit5, which "auto" means here until a run proves to
        be stiff, are quick to begin; with others, and for networks with delays, events, white noise or discrete
        time, each run is one of `simulate`.
    rtol, atol : float
        Relative and absolute tolerance of each unknown.
    norm : {"max", "rms"}
        As for `simulate`.

    Returns
    -------
    Prepared
        Its `run` returns results, `final` and `trajectory` arrays.

    Raises
    ------
    InputError
        If a value is not valid, or there is no such solver.

    Examples
    --------
    >>> prepared = brnn.prepare(brnn.models.rcf.build(n=10))
    >>> for A in np.linspace(0.5, 2.0, 1000):
    ...     state = prepared.final({"rcf.A": A}, 20.0)
    """
    if not isinstance(network, Network):
        raise InputError(f"network = {type(network).__name__}: must be a brnn.Network, e.g. brnn.models.rcf.build()")
    tolerances = number(rtol, "rtol", minimum=1e-13, maximum=1.0), number(atol, "atol", above=0.0)
    return Prepared(network, solver, *tolerances, norm)


class Prepared:
    """A network that is ready to be run with other numbers; `prepare` makes it.

    The first run with a set of names takes as long as building the network; each later one little more than the
    integration. Changes are checked as by `Network.with_`. One that changes the structure, or what is no number (an
    array, an initial state, a time of a schedule), is built as by `with_` each time, and may have to be compiled.
    Runs share their work arrays: one thread uses an object at a time.

    Attributes
    ----------
    network : Network
        The network.
    states : dict of str to slice
        Where each of its states stands in the state vector.
    """

    def __init__(self, network: Network, solver: str, rtol: float, atol: float, norm: str) -> None:
        self.network = network
        self._solver, self._rtol, self._atol = solver, rtol, atol
        method = choose(solver, network, "duration", None)
        self._norm = check_norm(norm, method, network)
        plain = network.step is None and not network.noisy and not network.events
        explicit = method.settle(network)[0]
        plain = plain and not any(p.delay > 0 for p in network.projections)
        self._explicit = explicit if plain and isinstance(explicit, CompiledPair) else None
        self._mean = self._norm == "rms"
        self._auto = method.name == "auto" and not self._mean
        self._variants: dict[tuple[str, ...], Variants] = {}
        self._courses: dict[tuple[tuple[str, ...], float], SmallRun | None] = {}
        self._own = Variants(lambda _: network, ())
        self._variants[()] = self._own
        self._first = self._own.system.initial_state()
        self._saved: tuple[bytes, float, np.ndarray] | None = None  # the last saved times, found to be valid
        self._columns = columns(self._own.system.variables)
        self.states = {variable.name: slice(variable.start, variable.stop) for variable in self._own.system.variables}

    def run(
        self,
        changes: Mapping[str, Any] | None = None,
        duration: float | None = None,
        *,
        initial: Any = None,
        times: Any = None,
    ) -> Result:
        """Return the result of a run, as of ``simulate(network.with_(changes), duration, ...)``.

        Parameters
        ----------
        changes : mapping, optional
            Values by dotted name, as for `Network.with_`.
        duration, initial, times : optional
            As for `simulate`.

        Raises
        ------
        InputError, SpecError, IntegrationError
            As `Network.with_` and `simulate`.
        """
        started, now = clock.perf_counter(), datetime.now(UTC)
        length, saved, state = self._arguments(changes, duration, initial, times)
        done = self._quickly(changes or {}, length, saved, state)
        if done is None:
            return self._simulate(changes, duration, initial, times)
        saved = saved.copy()  # the caller's own
        given: dict[str, Any] = {
            "duration": length, "initial": None if initial is None else state,
            "times": None if times is None else saved, "solver": self._solver, "rtol": self._rtol, "atol": self._atol,
            "norm": self._norm, "step": None, "until": "duration", "variables": None, "ltm_every": None,
            "dtype": "float64",
        }  # fmt: skip

        def said() -> Metadata:
            network = self.network.with_(changes) if changes else self.network
            return metadata(_Said(network, network.time_units), options=given, created=now)

        solver = done.in_words("prepared", self._rtol, self._atol, started, length)
        recorded = [
            Recorded(column, saved, done.states[:, column.start : column.stop].reshape(saved.size, *column.shape))
            for column in self._columns
        ]
        return Result(recorded, said, "complete", solver)

    def trajectory(
        self,
        changes: Mapping[str, Any] | None = None,
        duration: float | None = None,
        *,
        initial: Any = None,
        times: Any = None,
    ) -> np.ndarray:
        """Return the state vectors at the saved times, shape (times, unknowns); arguments as for `run`."""
        length, saved, state = self._arguments(changes, duration, initial, times)
        done = self._quickly(changes or {}, length, saved, state)
        if done is not None:
            return done.states
        result = self._simulate(changes, duration, initial, times)
        return state_vectors(result.recorded)

    def final(
        self, changes: Mapping[str, Any] | None = None, duration: float | None = None, *, initial: Any = None
    ) -> np.ndarray:
        """Return the state vector at the end of a run, shape (unknowns,); arguments as for `run`."""
        length = self._length(changes, duration)
        return np.asarray(self.trajectory(changes, length, initial=initial, times=np.array([length]))[-1])

    def _length(self, changes: Mapping[str, Any] | None, duration: float | None) -> float:
        if duration is not None:
            return number(duration, "duration", above=0.0)
        return natural_duration(self.network.with_(changes) if changes and "duration" in changes else self.network)

    def _arguments(
        self, changes: Mapping[str, Any] | None, duration: float | None, initial: Any, times: Any
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Return how long the run is, its saved times, and the state in which it begins."""
        if changes is not None and type(changes) is not dict and not isinstance(changes, Mapping):
            raise InputError(f"changes = {type(changes).__name__}: must be a mapping of dotted names to values")
        length = self._length(changes, duration)
        saved = self._times(times, length)
        state = self._first if initial is None else initial_state(self._own.system, initial)
        return length, saved, state

    def _times(self, times: Any, length: float) -> np.ndarray:
        """Return the saved times; those of the run before need not be looked at again."""
        if type(times) is not np.ndarray or times.dtype is not _FLOAT or times.ndim != 1:
            return saved_times(times, length)
        content, last = times.tobytes(), self._saved
        if last is None or last[0] != content or last[1] != length:
            self._saved = last = content, length, saved_times(times, length)
        return last[2]

    def _simulate(self, changes: Mapping[str, Any] | None, duration: float | None, initial: Any, times: Any) -> Result:
        network = self.network.with_(changes) if changes else self.network
        return simulate(
            network, duration, initial=initial, times=times, solver=self._solver, rtol=self._rtol, atol=self._atol,
            norm=self._norm,  # type: ignore[arg-type]
        )  # fmt: skip

    def _quickly(
        self, changes: Mapping[str, Any], length: float, saved: np.ndarray, state: np.ndarray
    ) -> SmallRunEnd | None:
        """Make a run in compiled code; None if it is one for `simulate`: another structure, stiff, long, or in vain."""
        if self._explicit is None:
            return None
        names = tuple(changes)
        variants = self._variants.get(names)
        if variants is None:
            variants = Variants(
                lambda values: self.network.with_(dict(zip(names, values, strict=True))), [*changes.values()]
            )
            while len(self._variants) >= _KEPT:
                del self._variants[next(iter(self._variants))]
            self._variants[names] = variants
        variant = variants.at(tuple(changes.values()))
        if variant is None:
            return None
        key = names, length
        try:
            course = self._courses[key]
        except KeyError:
            while len(self._courses) >= _KEPT:
                del self._courses[next(iter(self._courses))]
            course = SmallRun.of(variants.system, length, self._explicit, other_numbers=True)
            self._courses[key] = course
        if course is None:
            return None
        return course.run(variant, saved, state, self._rtol, self._atol, self._mean, self._auto)


@dataclass(frozen=True)
class _Said:
    """What metadata tell of."""

    network: Network
    time_units: str
