"""From the values of parameters to members that are ready to run.

Members that differ in numbers alone are specified all at once (`brnn.base.tracer`), which costs as much as one of
them; where that cannot be, each gets its own network.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.tracer import Diverges, Varying, alike
from brnn.ensemble.arrays import Member, pack, unfit
from brnn.ensemble.run import Batch, batch, batch_of
from brnn.errors import BrnnError
from brnn.signals.base import PRODUCT_EXPONENTS
from brnn.spec.durations import STEADY_DURATIONS, natural_duration
from brnn.spec.network import Network
from brnn.sweeps.building.builder import Family

__all__ = [
    "NOTHING",
    "Built",
    "Given",
    "Options",
    "build_members",
    "built_one_by_one",
    "given",
    "networks",
    "one_line",
]

_CHECKED = 4  # members of a chunk that are also built one by one, besides those with the extreme values
_EXTREMES = 8  # parameters whose extreme values are checked
_FEW = 4  # members are not told apart in groups that are smaller than this, on average


@dataclass(frozen=True)
class Options:
    """How the members are run: the arguments of `simulate` that a sweep takes.

    Attributes
    ----------
    duration : float or None
        How long; each network's own if None.
    times : tuple of float
        Times to save.
    rtol, atol : float
        Tolerances.
    until : str
        "duration" or "steady".
    solver : str
        "auto": the compiled ensemble for networks that fit; else a solver of `simulate`, one by one.
    references : bool
        Whether the patterns that layers were given are needed.
    """

    duration: float | None = None
    times: tuple[float, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    until: str = "duration"
    solver: str = "auto"
    references: bool = False

    def length(self, network: Network) -> float:
        """Return how long a network runs, at most."""
        if self.duration is not None:
            return self.duration
        return natural_duration(network) * (STEADY_DURATIONS if self.until == "steady" else 1.0)


@dataclass(frozen=True)
class Given:
    """What layers of members were given, as measures compare with it.

    Attributes
    ----------
    patterns : dict of ndarray, shape (members, cells)
        For each layer its initial activities or, if these are all 0, its first excitatory input.
    ceilings : dict of ndarray, shape (members,)
        For each layer the largest activity that is possible; infinite where there is no such bound.
    """

    patterns: Mapping[str, np.ndarray]
    ceilings: Mapping[str, np.ndarray]

    @classmethod
    def together(cls, parts: Sequence[Given]) -> Given:
        """Return that of all members from those of each."""
        if not parts:
            return cls({}, {})
        return cls(
            {name: np.concatenate([part.patterns[name] for part in parts]) for name in parts[0].patterns},
            {name: np.concatenate([part.ceilings[name] for part in parts]) for name in parts[0].ceilings},
        )


NOTHING = Given({}, {})


@dataclass(frozen=True)
class Built:
    """Members that are ready to run.

    Attributes
    ----------
    members : ndarray of int64, shape (k,)
        Their numbers; `seeds` are their seeds, of the same shape. What follows counts places in these.
    options : Options
        How they run.
    groups : list of (places, batch, given)
        Members of the compiled ensemble with one layout.
    singles : list of (place, Network)
        Members that run one by one.
    broken : dict of int to str
        Members that could not be built, and why.
    """

    members: np.ndarray
    seeds: np.ndarray
    options: Options
    groups: Sequence[tuple[np.ndarray, Batch, Given]]
    singles: Sequence[tuple[int, Network]]
    broken: Mapping[int, str]


def build_members(
    family: Family, columns: Mapping[str, Any], members: np.ndarray, seeds: np.ndarray, options: Options
) -> Built:
    """Build the networks of members, `columns` being the values of their parameters, and sort them by how they run."""
    groups, left = [], []
    apart = _split(columns, np.arange(members.size), _kinds)
    if len(apart) * _FEW > members.size:
        apart, left = [], list(range(members.size))
    for wide in apart:
        group = _together(family, columns, wide, options)
        if group is not None:
            groups.append((wide, *group))
            continue
        parts = _split(columns, wide, _wholes)
        for places in parts:
            group = _together(family, columns, places, options) if len(parts) > 1 else None
            if group is None:
                left += places.tolist()
            else:
                groups.append((places, *group))
    found = networks(family, {name: _at(column, left) for name, column in columns.items()}, len(left))
    rest = built_one_by_one(dict(zip(left, found, strict=True)), members, seeds, options)
    return replace(rest, groups=[*groups, *rest.groups])


def _split(
    columns: Mapping[str, Any], places: np.ndarray, key: Callable[[Any, np.ndarray], np.ndarray | None]
) -> list[np.ndarray]:
    """Return places apart that differ in what `key` makes of any column."""
    keys = [codes for codes in (key(column, places) for column in columns.values()) if codes is not None]
    if not keys:
        return [places]
    _, which = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    which = which.ravel()
    return [places[which == k] for k in range(which.max() + 1)]


def _kinds(column: Any, places: np.ndarray) -> np.ndarray | None:
    """Tell values apart that are no numbers."""
    if isinstance(column, np.ndarray):
        return None
    codes: dict[Any, int] = {}
    known: dict[int, int] = {}  # most members share the object
    for value in column:
        if id(value) not in known:
            known[id(value)] = codes.setdefault(_key(value), len(codes))
    return np.array([known[id(column[place])] for place in places.tolist()])


def _key(value: Any) -> Any:
    """Return something that is equal, and hashable, for the same values alone."""
    if isinstance(value, Spec):
        return Spec, value.to_json()
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(_key(part) for part in value)
    return type(value), value


def _wholes(column: Any, places: np.ndarray) -> np.ndarray | None:
    """Tell small whole numbers from each other and from all others: as exponents they are other code."""
    if not isinstance(column, np.ndarray):
        return None
    values = column[places]
    return np.where(np.isin(values, PRODUCT_EXPONENTS), values, 0).astype(np.int64)


def _together(
    family: Family, columns: Mapping[str, Any], places: np.ndarray, options: Options
) -> tuple[Batch, Given] | None:
    """Build members at once, if they differ only in numbers and their build asks nothing that tells them apart.

    Some are also built one by one; if anything is not the same to the last bit, all of them have to be.
    """
    count = places.size
    if options.solver != "auto" or count <= _CHECKED:
        return None
    own = {name: _at(column, places) for name, column in columns.items()}
    try:
        network = family.plan(tuple(own))([_in_all(column) for column in own.values()])
        if unfit(network) is not None:
            return None
        work = batch_of(pack(network, options.length(network)), count)
        patterns = given(network, count) if options.references else NOTHING
    except (Exception, Diverges):  # what the build of one member raises is told by building it
        return None
    arrays = (work.initial, work.numbers, work.arrays, work.stops, work.segments, work.settled)
    if any(array.dtype != np.float64 for array in arrays):
        return None
    some = _checked(own, count)
    alone = networks(family, {name: _at(column, some) for name, column in own.items()}, len(some))
    if not all(alike(network, single, place) for place, single in zip(some, alone, strict=True)):
        return None
    for place, single in ((some[0], alone[0]), (some[-1], alone[-1])):
        assert isinstance(single, Network)
        if not _same(pack(single, options.length(single)), work, place):
            return None
    return work, patterns


def _in_all(column: Any) -> Any:
    """Return what stands for a column in all members together, which have the same wherever it is no number."""
    if not isinstance(column, np.ndarray):
        return column[0]
    return column[0].item() if (column == column[0]).all() else Varying(column)


def _checked(columns: Mapping[str, Any], count: int) -> list[int]:
    """Return the places of members to look at: spread over all, and where parameters are smallest and largest."""
    places = set(np.linspace(0, count - 1, _CHECKED).astype(int).tolist())
    numbers = [column for column in columns.values() if isinstance(column, np.ndarray)]
    for column in numbers[:_EXTREMES]:
        places |= {int(column.argmin()), int(column.argmax())}
    return sorted(places)


def _at(column: Any, places: Any) -> Any:
    return column[places] if isinstance(column, np.ndarray) else [column[place] for place in places]


def _same(own: Member, work: Batch, place: int) -> bool:
    """Tell whether a member has the numbers that its place in a batch has."""
    first, stop = work.first[place], work.first[place + 1]
    pairs = [
        (own.initial, work.initial[place]),
        (own.numbers, work.numbers[place]),
        (np.concatenate([np.zeros(0), *own.arrays]), work.arrays[0]),
        (own.stops, work.stops[first:stop]),
        (own.segments, work.segments[first:stop]),
    ]
    return (
        own.layout.key == work.layout.key
        and own.settled == work.settled[place]
        and all(np.array_equal(a, b) for a, b in pairs)
    )


def networks(family: Family, columns: Mapping[str, Any], count: int) -> list[Network | str]:
    """Return each member's network, or the error that building it raised."""
    build = family.plan(tuple(columns))
    lists = [column.tolist() if isinstance(column, np.ndarray) else column for column in columns.values()]
    result: list[Network | str] = []
    for values in zip(*lists, strict=True) if lists else [()] * count:
        try:
            result.append(build(values))
        except BrnnError as error:
            result.append(one_line(error))
        except Exception as error:  # a user's build may raise anything; the other members go on
            result.append(f"build: {type(error).__name__}: {one_line(error)}")
    return result


def one_line(error: BaseException) -> str:
    """Return the message of an error in one line."""
    return " ".join(str(error).split())


def built_one_by_one(
    found: Mapping[int, Network | str], members: np.ndarray, seeds: np.ndarray, options: Options
) -> Built:
    """Sort networks (or errors), by their places among the members, by how they run."""
    groups: dict[Any, list[tuple[int, Member]]] = {}
    singles: list[tuple[int, Network]] = []
    broken: dict[int, str] = {}
    for place, network in found.items():
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
        patterns = [given(found[place]) for place in places] if options.references else []  # type: ignore[arg-type]
        ready.append((np.array(places), batch([member for _, member in group]), Given.together(patterns)))
    return Built(members, seeds, options, ready, singles, broken)


def given(network: Network, members: int = 1) -> Given:
    """Return what the layers of so many members were given; `network` may have Varying numbers."""
    patterns, ceilings = {}, {}
    for layer in network.layers:
        pattern = np.asarray(layer.start("x", layer.cells), dtype=np.float64).reshape(layer.cells)
        if not pattern.any():
            pattern = _first_input(network, layer.name, pattern)
        patterns[layer.name] = np.broadcast_to(pattern, (members, pattern.size))
        ceilings[layer.name] = np.broadcast_to(_ceiling(layer), (members,))
    return Given(patterns, ceilings)


def _first_input(network: Network, name: str, nothing: np.ndarray) -> np.ndarray:
    """Return the first input of a layer that is not 0, or nothing if there is none."""
    own = [s for s in network.stimuli if s.target == name and s.kind == "excitatory" and not s.schedule.white]
    if own:
        duration = natural_duration(network)
        for start, stop in pairwise([0.0, *network.breaks(duration), duration]):
            inputs = sum(stimulus.at(0.5 * (start + stop), network.layer(name).shape) for stimulus in own)
            if np.any(inputs):
                return np.ravel(inputs)
    return nothing


def _ceiling(layer: Any) -> Any:
    """Return the upper bound of a layer's activities, or an array with that of each member."""
    B, C = getattr(layer, "B", None), getattr(layer, "C", None)
    if B is None or C is None:
        bounds = layer.bounds()
        return np.inf if bounds is None else np.max(bounds[1])
    if isinstance(B, np.ndarray) or isinstance(C, np.ndarray):
        with np.errstate(divide="ignore"):
            return np.max(B / C)
    bound = B / C if C > 0.0 else np.inf
    return bound.values if type(bound) is Varying else bound
