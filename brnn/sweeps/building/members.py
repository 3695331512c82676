"""From the values of parameters to members that are ready to run."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.base.text import one_line
from brnn.ensemble.arrays import Member, pack, unfit
from brnn.ensemble.run import Ensemble
from brnn.errors import BrnnError
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.given import GivenPatterns, given_patterns
from brnn.sweeps.building.together import build_together
from brnn.sweeps.columns import pick
from brnn.sweeps.options import MemberOptions

__all__ = ["BUILD_SECONDS", "BuiltMembers", "build_members", "sort_members"]

BUILD_SECONDS = 1.0  # for so long members are built one by one, before those that are ready begin to run
_TRYING = 4  # or so many times as long as it took to try to build them together


@dataclass(frozen=True)
class BuiltMembers:
    """Members that are ready to run.

    Attributes
    ----------
    members : ndarray of int64, shape (k,)
        Their numbers; `seeds` are their seeds, of the same shape. What follows counts places in these.
    options : MemberOptions
        How they run.
    groups : list of (places, ensemble, given)
        Members of the compiled ensemble with one layout.
    singles : list of (place, Network)
        Members that run one by one.
    broken : dict of int to str
        Members that could not be built, and why.
    seconds : float
        How long it took to build members one by one.

    Members in none of them are not built: there was no time for them.
    """

    members: np.ndarray
    seeds: np.ndarray
    options: MemberOptions
    groups: Sequence[tuple[np.ndarray, Ensemble, GivenPatterns]]
    singles: Sequence[tuple[int, Network]]
    broken: Mapping[int, str]
    seconds: float = 0.0

    @property
    def places(self) -> np.ndarray:
        """The places of the members that are ready, or could not be built."""
        single = [*(place for place, _ in self.singles), *self.broken]
        return np.sort(np.concatenate([np.array(single, np.int64), *(places for places, *_ in self.groups)]))

    @property
    def ready(self) -> int:
        """How many members run side by side."""
        return sum(places.size for places, *_ in self.groups)

    def split(self, count: int) -> tuple[BuiltMembers, BuiltMembers | None]:
        """Return those members, with `count` of the ones that run side by side, and the others; None if it has all."""
        taken, left = [], []
        room, ready = count, self.ready
        for places, work, given in self.groups:
            cut = min(room, places.size)
            if cut:
                taken.append((places[:cut], work.part(0, cut), given.part(0, cut)))
            if cut < places.size:
                stop = places.size
                left.append((places[cut:], work.part(cut, stop), given.part(cut, stop)))
            room -= cut
        if not left:
            return self, None
        seconds = self.seconds * (count / ready)
        first = replace(self, groups=taken, seconds=seconds)
        return first, replace(self, groups=left, singles=(), broken={}, seconds=self.seconds - seconds)


def build_members(
    builder: NetworkBuilder,
    columns: Mapping[str, Any],
    members: np.ndarray,
    seeds: np.ndarray,
    options: MemberOptions,
    most: int | None = None,
) -> BuiltMembers:
    """Build the networks of members, `columns` being the values of their parameters, and sort them by how they run.

    Where members have to be built one by one, and that takes long, or they are more than `most`, the last ones are left
    out: each may have large arrays of its own.
    """
    begun = time.monotonic()
    groups, left = build_together(builder, columns, members.size, options)
    left = left[:most]
    tried = time.monotonic()
    networks = builder.build_each(
        {name: pick(column, left) for name, column in columns.items()},
        len(left),
        max(BUILD_SECONDS, _TRYING * (tried - begun)),
    )
    rest = sort_members(dict(zip(left, networks, strict=False)), members, seeds, options)
    return replace(rest, groups=[*groups, *rest.groups], seconds=time.monotonic() - tried)


def sort_members(
    networks: Mapping[int, Network | str], members: np.ndarray, seeds: np.ndarray, options: MemberOptions
) -> BuiltMembers:
    """Sort the networks of members (or errors), by their places among the members, by how they run."""
    groups: dict[Any, list[tuple[int, Member]]] = {}
    singles: list[tuple[int, Network]] = []
    broken: dict[int, str] = {}
    for place, network in networks.items():
        if isinstance(network, str):
            broken[place] = network
        elif options.solver != "auto" or unfit(network) is not None:
            singles.append((place, network))
        else:
            try:
                member = pack(network, options.length(network))
            except BrnnError as error:
                broken[place] = one_line(error)
                continue
            groups.setdefault(member.layout.key, []).append((place, member))
    ready = []
    for group in groups.values():
        places = [place for place, _ in group]
        patterns = [given_patterns(networks[place]) for place in places] if options.references else []  # type: ignore[arg-type]
        ready.append((np.array(places), Ensemble.of([member for _, member in group]), GivenPatterns.together(patterns)))
    return BuiltMembers(members, seeds, options, ready, singles, broken)
