"""What is settled before a sweep runs: which members, how large it is, and what its file says of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.text import bytes_in_words
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout, state_size
from brnn.ensemble.arrays import unfit
from brnn.errors import BrnnError, InputError
from brnn.files.sweep.schema import SweepHeader
from brnn.integrate.methods.solvers import choose
from brnn.spec.network import Network
from brnn.sweeps.building.builder import Family
from brnn.sweeps.building.members import Options, networks, one_line
from brnn.sweeps.designs import Design
from brnn.sweeps.measures import Measure

__all__ = [
    "check_solver",
    "header",
    "longest",
    "probe",
    "refuse_enormous",
    "refuse_very_many",
    "seeds",
    "selected",
]

_PROBED = 16  # first members of which one is built to see what the networks are like
_MEMBERS = 5_000_000  # more than these, or
_BYTES = 4e9  # more bytes of results, are run only if the user says so


def probe(family: Family, design: Design) -> Network | None:
    """Return the network of one of the first members that can be built; None if none can."""
    build = family.plan(design.names)
    error: Exception | None = None
    for index in range(min(design.size, _PROBED)):
        try:
            return build(list(design.member(index).values()))
        except Exception as failure:  # its member will fail, too, and say why
            error = error or failure
    if error is not None and design.size <= _PROBED:  # nothing is left to run
        if isinstance(error, BrnnError):
            raise error
        raise InputError(f"build: {type(error).__name__}: {one_line(error)}")
    return None


def check_solver(solver: str, sample: Network | None, until: str) -> None:
    """Raise InputError if no member could run in this way."""
    if sample is not None:
        choose(solver, sample, state_size(sample), until, None)


def longest(family: Family, design: Design, options: Options, sample: Network | None) -> float:
    """Return how long members run, as far as the first and the last one tell."""
    last = networks(family, {name: [value] for name, value in design.member(design.size - 1).items()}, 1)
    known = [options.length(network) for network in (sample, *last) if isinstance(network, Network)]
    return max(known, default=options.duration or np.inf)


def refuse_enormous(design: Design, measures: tuple[Measure, ...], options: Options, sample: Network | None) -> None:
    """Raise InputError if the user should say that so large a sweep is meant."""
    states = 0 if sample is None else state_size(sample)
    rows = sum(states if measure.scope in ("cells", "states") else 1 for measure in measures)
    needed = 8.0 * design.size * (rows + len(options.times) * states + len(design.names) + 4)
    if needed > _BYTES:
        raise _enormous(design.size, needed)


def refuse_very_many(design: Design, measures: int) -> None:
    """Raise InputError if there are so many members that nothing should be made of them before the user says so."""
    if design.size > _MEMBERS:
        raise _enormous(design.size, 8.0 * design.size * (len(design.names) + measures))


def _enormous(members: int, needed: float) -> InputError:
    return InputError(
        f"design: has {members:,} members, whose results take {bytes_in_words(needed)}; if that is meant, say so "
        "(enormous=True, --yes)"
    )


def selected(size: int, shard: tuple[int, int] | None) -> np.ndarray | None:
    """Return the members of a shard (i, n), every n-th one from the i-th on; None if there is no shard."""
    if shard is None:
        return None
    try:
        part, parts = (whole(value, "shard") for value in shard)
    except (TypeError, ValueError):
        raise InputError(f"shard = {shard!r}: must be (i, n) with 1 <= i <= n") from None
    if not 1 <= part <= parts:
        raise InputError(f"shard = {part}/{parts}: must be i/n with 1 <= i <= n")
    if parts > size:
        raise InputError(f"shard = {part}/{parts}: the design has only {size} members")
    return np.arange(part - 1, size, parts)


def header(
    family: Family,
    design: Design,
    columns: Mapping[str, Any],
    measures: tuple[Measure, ...],
    options: Options,
    root: int,
    sample: Network | None,
    chosen: np.ndarray | None,
    shard: tuple[int, int] | None,
    command: str | None,
) -> SweepHeader:
    """Return what the file says of the sweep."""
    equations = ""
    if sample is not None:
        source = generate(sample, layout(sample), explicit=unfit(sample) is None).source
        equations = hashlib.sha256(source.encode()).hexdigest()[:24]
    attributes: dict[str, Any] = {
        "root_seed": str(root),
        "rtol": options.rtol,
        "atol": options.atol,
        "duration": "own" if options.duration is None else options.duration,
        "until": options.until,
        "solver": options.solver,
        "time_units": "1" if sample is None else sample.time_units,
    }
    if shard is not None:
        attributes["shard"] = f"{shard[0]}/{shard[1]}"
    if command is not None:
        attributes["command"] = command
    return SweepHeader(
        members=design.size,
        parameters=columns,
        design=design.to_json(),
        axes=design.axes,
        reference=json.dumps(family.reference if family.reference is not None else {"name": family.name}),
        network="" if sample is None else sample.to_json(),
        equations=equations,
        measures=tuple(measure.name for measure in measures),
        seeds=seeds(root, np.arange(design.size)),
        times=np.array(options.times) if options.times else None,
        attributes=attributes,
        selected=chosen,
    )


def seeds(root: int, members: np.ndarray) -> np.ndarray:
    """Return the seed of each member: a hash (splitmix64) of the root and its number, the same wherever it runs.

    It has 53 bits, so that it is the same number in whatever it is read with.
    """
    base = np.random.SeedSequence(root).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = base + (members.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray((z ^ (z >> np.uint64(31))) >> np.uint64(11))
