"""One chunk of a sweep: members as plain data, built and run here or in any other process.

A WorkerTask holds everything that is needed and nothing that is not data: how the networks are built (a model's name, a
function's place, or the networks themselves as JSON), the values of their parameters, and the options. What comes
back are arrays. Members whose networks have the same structure run side by side in the compiled ensemble, others one by
one with `simulate`.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn._version import __version__
from brnn.base.text import one_line
from brnn.compiler import compile_network
from brnn.compiler.layout import layout
from brnn.ensemble.noise import NoiseRules, run_noisy
from brnn.ensemble.run import Ensemble, Finished, run_ensemble
from brnn.ensemble.status import COMPLETE, FAILED, STEADY
from brnn.errors import BrnnError, InputError
from brnn.integrate.faint import FAINT
from brnn.integrate.run import initial_state, simulate
from brnn.result.recorded import state_vectors
from brnn.spec.network import Network
from brnn.spec.variable import Variable
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.find import builder_from_reference
from brnn.sweeps.building.given import NO_PATTERNS, given_patterns
from brnn.sweeps.building.members import BUILD_SECONDS, BuiltMembers, build_members, sort_members
from brnn.sweeps.designs import Table
from brnn.sweeps.options import MemberOptions
from brnn.sweeps.states import MemberStates

__all__ = ["FinishedMembers", "WorkerMismatch", "WorkerTask", "failed_members", "run_built", "run_task"]


class WorkerMismatch(BrnnError):
    """The reference of a task does not lead to the same networks in the process where it was to run."""


@dataclass(frozen=True)
class WorkerTask:
    """Members to run, as plain data that any process understands.

    Attributes
    ----------
    members : ndarray of int64, shape (k,)
        Their numbers.
    seeds : ndarray of uint64, shape (k,)
        Their seeds.
    reference : dict or None
        How the builder of the networks is found (`NetworkBuilder.reference`); None if the networks themselves are
        given.
    values : dict
        For each dotted name an array with a value for each member; None where `others` has them.
    others : str or None
        Columns that are not numbers, as the JSON of a Table.
    networks : tuple of str
        The networks as JSON, if there is no reference; an error text begins with "!".
    options : MemberOptions
        How they are run.
    proof : str
        Digest of the first member's network, by which it is seen whether the reference leads to the same one.
    version : str
        Version of brnn.
    """

    members: np.ndarray
    seeds: np.ndarray
    reference: Mapping[str, Any] | None
    values: Mapping[str, np.ndarray | None]
    others: str | None
    networks: tuple[str, ...]
    options: MemberOptions
    proof: str = ""
    version: str = __version__

    @classmethod
    def of(
        cls,
        builder: NetworkBuilder,
        columns: Mapping[str, Any],
        members: np.ndarray,
        seeds: np.ndarray,
        options: MemberOptions,
        by_value: bool = False,
    ) -> WorkerTask:
        """Return the task as data that any process understands; `by_value` with the networks, whatever is known.

        Where the networks are built here, and that takes long, the task has the first members only.
        """
        if builder.reference is None or by_value:
            texts = tuple(
                f"!{built}" if isinstance(built, str) else built.to_json()
                for built in builder.build_each(columns, len(members), BUILD_SECONDS)
            )
            return cls(members[: len(texts)], seeds[: len(texts)], None, {}, None, texts, options)
        values = {name: column if isinstance(column, np.ndarray) else None for name, column in columns.items()}
        others = {name: column for name, column in columns.items() if values[name] is None}
        text = Table(others).to_json() if others else None
        return cls(members, seeds, builder.reference, values, text, (), options, _proof(builder, columns))

    def build(self) -> BuiltMembers:
        """Return the members, ready to run.

        Raises
        ------
        Elsewhere
            If the networks have to be sent themselves.
        InputError
            If this is another version of brnn.
        """
        if self.version != __version__:
            raise InputError(f"executor: a worker has brnn {__version__}, this is brnn {self.version}")
        if self.reference is None:
            found = {
                place: text[1:] if text.startswith("!") else Network.from_json(text)
                for place, text in enumerate(self.networks)
            }
            return sort_members(found, self.members, self.seeds, self.options)
        columns: dict[str, Any] = dict(self.values)
        if self.others is not None:
            columns |= Table.from_json(self.others).columns()
        try:
            builder = builder_from_reference(self.reference)
            proof = _proof(builder, columns)
        except Exception as error:  # whatever the import of the user's module does here
            raise WorkerMismatch(f"{type(error).__name__}: {one_line(error)}") from None
        if proof != self.proof:
            raise WorkerMismatch("the build is another one")
        return build_members(builder, columns, self.members, self.seeds, self.options)


def _proof(builder: NetworkBuilder, columns: Mapping[str, Any]) -> str:
    """Return a digest of the first member's network, or of the error that it gives."""
    (first,) = builder.build_each({name: column[:1] for name, column in columns.items()}, 1)
    return hashlib.sha256((first if isinstance(first, str) else first.to_json()).encode()).hexdigest()


@dataclass(frozen=True)
class FinishedMembers:
    """Finished members whose states have the same shapes.

    Attributes
    ----------
    members : ndarray of int64
        Their numbers.
    states : MemberStates or None
        Their states; None if there are none.
    steps, evaluations : ndarray
        What the solver needed.
    errors : dict of int to str
        Why members failed, by place among the members.
    seconds : float
        How long they took: to run, and to be built where each was built by itself.
    faint : int
        How many have no activity that is much larger than the absolute tolerance.
    warned : tuple of str
        What was warned of while they ran.
    """

    members: np.ndarray
    states: MemberStates | None
    steps: np.ndarray
    evaluations: np.ndarray
    errors: Mapping[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    faint: int = 0
    warned: tuple[str, ...] = ()

    @property
    def numbers(self) -> int:
        """How many numbers the states of each are, those at the saved times included; 0 without any."""
        return 0 if self.states is None else self.states.final.shape[1] * (1 + self.states.times.size)


def failed_members(members: np.ndarray, errors: Sequence[str]) -> FinishedMembers:
    """Return members that gave nothing but errors."""
    none = np.zeros(members.size, dtype=np.int64)
    return FinishedMembers(members, None, none, none, dict(enumerate(errors)))


def run_task(task: WorkerTask) -> list[FinishedMembers]:
    """Build and run the members of a task, in one thread; what any executor calls."""
    return run_built(task.build())


def run_built(built: BuiltMembers) -> list[FinishedMembers]:
    """Run members that are ready, in one thread."""
    options = built.options
    parts = []
    times = np.array(options.times)
    for places, work, patterns in built.groups:
        begun = time.monotonic()
        finished = _side_by_side(work, built.seeds[places], options, times)
        variables = work.layout.variables
        errors = {k: _failure(variables, finished, k) for k in np.flatnonzero(finished.status == FAILED).tolist()}
        states = MemberStates(
            variables,
            finished.final,
            work.initial,
            finished.reached,
            finished.status,
            times,
            finished.trajectory,
            patterns,
        )
        parts.append(
            FinishedMembers(
                built.members[places],
                states,
                finished.counts[:, 0],
                finished.counts[:, 1],
                errors,
                time.monotonic() - begun,
                0 if work.layout.noise is not None else _faint(states, work.settled, options.atol),
            )
        )
    for place, network in built.singles:
        begun = time.monotonic()
        parts.append(replace(_single(built, place, network), seconds=time.monotonic() - begun))
    if built.broken:
        parts.append(failed_members(built.members[list(built.broken)], list(built.broken.values())))
    if parts:
        parts[0] = replace(parts[0], seconds=parts[0].seconds + built.seconds)
    return parts


def _side_by_side(work: Ensemble, seeds: np.ndarray, options: MemberOptions, times: np.ndarray) -> Finished:
    """Run members in compiled code."""
    saved = times if times.size else None
    if work.layout.noise is not None:
        return run_noisy(work, NoiseRules("SRIW1", None, seeds), times=saved, threads=1)
    return run_ensemble(
        work,
        rtol=options.rtol,
        atol=options.atol,
        times=saved,
        until_steady=options.until == "steady",
        threads=1,
    )


def _failure(variables: Sequence[Variable], finished: Finished, k: int) -> str:
    reached, state = finished.reached[k], np.abs(finished.final[k])
    worst = int(np.argmax(np.where(np.isfinite(state), state, np.inf)))
    variable = next(v for v in variables if v.start <= worst < v.stop)
    return (
        f"could not go on after t = {reached:.6g}: {finished.failure(k)}; {variable.name}[{worst - variable.start}] = "
        f"{finished.final[k, worst]:.6g} is the largest there"
    )


def _single(built: BuiltMembers, place: int, network: Network) -> FinishedMembers:
    """Run one member with `simulate`."""
    options = built.options
    members = built.members[place : place + 1]
    saved = np.array(options.times)
    try:
        seed = int(built.seeds[place]) if network.random else None
        with warnings.catch_warnings(record=True) as raised:  # the sweep says each once for all members
            warnings.simplefilter("always")
            warnings.filterwarnings("ignore", "no activity of ")  # which is `faint`
            result = simulate(network, **{**options.alone(network, seed), "times": options.saved(network)})
    except BrnnError as error:
        return failed_members(members, [one_line(error)])
    except Exception as error:  # whatever it is, the other members go on
        return failed_members(members, [f"{type(error).__name__}: {one_line(error)}"])
    variables = layout(network)
    # All of them, as the state has them: plain arrays, as a worker has no other use for xarray.
    course = state_vectors(result.recorded)
    reached = float(result.times[-1])
    rows = np.full((1, saved.size, course.shape[1]), np.nan)
    count = np.count_nonzero(saved <= reached * (1.0 + 1e-12))  # a member at rest does not reach the others
    rows[0, :count] = course[:count]
    states = MemberStates(
        variables,
        course[-1:],
        initial_state(compile_network(network), None)[None],
        np.array([reached]),
        np.array([STEADY if result.status == "steady" else COMPLETE]),
        saved,
        rows,
        given_patterns(network) if options.references else NO_PATTERNS,
    )
    by_tolerance = network.step is None and not network.noisy
    faint = _faint(states, np.array([network.settled()]), options.atol) if by_tolerance else 0
    counts = np.array([result.solver.steps]), np.array([result.solver.evaluations])
    said = tuple(one_line(warning.message) for warning in raised if issubclass(warning.category, UserWarning))
    return FinishedMembers(members, states, *counts, faint=faint, warned=said)


def _faint(states: MemberStates, settled: np.ndarray, atol: float) -> int:
    """Return how many members have no activity that is much larger than atol, in any state that is known.

    Where inputs change, and activities begin at 0, the last state alone does not tell.
    """
    largest = np.zeros(len(states.final))
    begins = np.zeros(len(states.final))
    for variable in states.layers:
        for part in (states.initial, states.final, states.trajectory.reshape(len(largest), -1, states.final.shape[1])):
            block = np.abs(states.block(variable, part)).reshape(len(largest), -1)
            largest = np.fmax(largest, np.fmax.reduce(block, axis=1, initial=0.0))
        begins = np.maximum(begins, np.abs(states.block(variable, states.initial)).max(axis=1))
    known = (begins > 0.0) | (settled == 0.0) | (states.times.size > 0)
    return int(np.count_nonzero(known & (largest > 0.0) & (largest < FAINT * atol)))
