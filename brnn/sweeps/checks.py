"""What is looked at before a sweep runs: whether its members can be built and run, how many they are, how large."""

from __future__ import annotations

import warnings
from collections.abc import Mapping

import numpy as np

from brnn.base.checks import whole
from brnn.base.text import bytes_in_words, one_line
from brnn.compiler.layout import state_size
from brnn.errors import BrnnError, InputError
from brnn.integrate.faint import FAINT
from brnn.integrate.methods import choose
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.designs import Design
from brnn.sweeps.measures import Measure
from brnn.sweeps.options import MemberOptions

__all__ = [
    "MANY_MEMBERS",
    "check_solver",
    "longest_duration",
    "refuse_enormous",
    "refuse_very_many",
    "sample_network",
    "shard_members",
    "warn_alike",
    "warn_faint",
    "warn_of_members",
]

_TRIED = 16  # first members of which one is built to see what the networks are like
MANY_MEMBERS = 5_000_000  # more than these, or
_MANY_BYTES = 4e9  # more bytes of results, are run only if the user says so


def sample_network(builder: NetworkBuilder, design: Design) -> Network | None:
    """Return the network of one of the first members that can be built; None if none can."""
    build = builder.for_names(design.taken)
    error: Exception | None = None
    for index in range(min(design.size, _TRIED)):
        try:
            return build(list(design.settings(index).values()))
        except Exception as failure:  # its member will fail, too, and say why
            error = error or failure
    if error is not None and design.size <= _TRIED:  # nothing is left to run
        if isinstance(error, BrnnError):
            raise error
        raise InputError(f"build: {type(error).__name__}: {one_line(error)}")
    return None


def warn_alike(design: Design, sample: Network | None) -> None:
    """Warn if repeats are all the same."""
    if design.counted and sample is not None and not sample.random:
        warnings.warn(
            f"Repeats: {sample.name} has no white noise and no events of chance, so that all repeats are the same",
            UserWarning,
            stacklevel=4,
        )


def warn_faint(faint: int, members: int, atol: float) -> None:
    """Warn of members whose activities are so small that the absolute tolerance says little of them."""
    if faint:
        warnings.warn(
            f"{faint:,} of {members:,} members have no activity above {FAINT * atol:.1g}, and the absolute tolerance "
            f"is atol = {atol:g}: errors may be as large as the activities; give a smaller one (atol=, --atol)",
            UserWarning,
            stacklevel=4,
        )


def warn_of_members(warned: Mapping[str, int], members: int) -> None:
    """Say once what was warned of while members ran, and of how many."""
    for words, count in warned.items():
        warnings.warn(f"{count:,} of {members:,} members: {words}", UserWarning, stacklevel=4)


def check_solver(solver: str, sample: Network | None, until: str) -> None:
    """Raise InputError if no member could run in this way."""
    if sample is not None:
        choose(solver, sample, until, None)


def longest_duration(builder: NetworkBuilder, design: Design, options: MemberOptions, sample: Network | None) -> float:
    """Return how long members run, as far as the first and the last one tell."""
    last = builder.build_each({name: [value] for name, value in design.settings(design.size - 1).items()}, 1)
    known = [options.length(network) for network in (sample, *last) if isinstance(network, Network)]
    return max(known, default=options.duration or np.inf)


def refuse_enormous(
    design: Design, measures: tuple[Measure, ...], options: MemberOptions, sample: Network | None
) -> None:
    """Raise InputError if the user should say that so large a sweep is meant."""
    states = 0 if sample is None else state_size(sample)
    rows = sum(states if measure.scope in ("cells", "states") else 1 for measure in measures)
    needed = 8.0 * design.size * (rows + len(options.times) * states + len(design.names) + 4)
    if needed > _MANY_BYTES:
        raise _enormous(design.size, needed)


def refuse_very_many(design: Design, measures: int) -> None:
    """Raise InputError if there are so many members that nothing should be made of them before the user says so."""
    if design.size > MANY_MEMBERS:
        raise _enormous(design.size, 8.0 * design.size * (len(design.names) + measures))


def _enormous(members: int, needed: float) -> InputError:
    return InputError(
        f"design: has {members:,} members, whose results take {bytes_in_words(needed)}; if that is meant, say so "
        "(enormous=True, --yes)"
    )


def shard_members(size: int, shard: tuple[int, int] | None) -> np.ndarray | None:
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
