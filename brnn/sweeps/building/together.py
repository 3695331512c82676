"""Members that differ in numbers alone, built all at once: it costs as much as building one of them.

Their numbers are specified as `brnn.base.tracer.Varying`, which holds one for each member; a build that asks what
tells members apart (an `if` on such a number) cannot go this way. Some members are also built alone, and if anything is
not the same to the last bit, all have to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.tracer import Diverges, Varying, alike
from brnn.ensemble.arrays import Member, pack, unfit
from brnn.ensemble.run import Ensemble
from brnn.signals.base import PRODUCT_EXPONENTS
from brnn.spec.network import Network
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.given import NO_PATTERNS, GivenPatterns, given_patterns
from brnn.sweeps.columns import pick
from brnn.sweeps.options import MemberOptions

__all__ = ["build_together"]

_CHECKED = 4  # members of a chunk that are also built one by one, besides those with the extreme values
_EXTREMES = 8  # parameters whose extreme values are checked
_FEW = 4  # members are not told apart in groups that are smaller than this, on average


def build_together(
    builder: NetworkBuilder, columns: Mapping[str, Any], count: int, options: MemberOptions
) -> tuple[list[tuple[np.ndarray, Ensemble, GivenPatterns]], list[int]]:
    """Return groups of members that could be built at once, and the places of those that could not.

    Parameters
    ----------
    builder : NetworkBuilder
        What makes the networks.
    columns : mapping of str to array or list
        The values of each parameter; `count` of them.
    options : MemberOptions
        How the members run.

    Returns
    -------
    groups : list of (places, ensemble, given)
        The places of a group among the members, their numbers side by side, and what their layers were given.
    left : list of int
        The places of all others.
    """
    groups: list[tuple[np.ndarray, Ensemble, GivenPatterns]] = []
    left: list[int] = []
    alike_in_kind = _split(columns, np.arange(count), _kinds)
    if len(alike_in_kind) * _FEW > count:
        return groups, list(range(count))
    for wide in alike_in_kind:
        group = _build_at_once(builder, columns, wide, options)
        if group is not None:
            groups.append((wide, *group))
            continue
        parts = _split(columns, wide, _exponents)
        for places in parts:
            group = _build_at_once(builder, columns, places, options) if len(parts) > 1 else None
            if group is None:
                left += places.tolist()
            else:
                groups.append((places, *group))
    return groups, left


def _build_at_once(
    builder: NetworkBuilder, columns: Mapping[str, Any], places: np.ndarray, options: MemberOptions
) -> tuple[Ensemble, GivenPatterns] | None:
    """Build members at once, if they differ only in numbers and their build asks nothing that tells them apart.

    Some are also built one by one; if anything is not the same to the last bit, all of them have to be.
    """
    count = places.size
    if options.solver != "auto" or count <= _CHECKED:
        return None
    own = {name: pick(column, places) for name, column in columns.items()}
    try:
        network = builder.for_names(own)([_in_all(column) for column in own.values()])
        if unfit(network) is not None:
            return None
        work = Ensemble.together(pack(network, options.length(network)), count)
        patterns = given_patterns(network, count) if options.references else NO_PATTERNS
    except (Exception, Diverges):  # what the build of one member raises is told by building it
        return None
    arrays = (work.initial, work.numbers, work.arrays, work.stops, work.segments, work.settled, work.longest)
    if any(array.dtype != np.float64 for array in arrays):
        return None
    some = _checked(own, count)
    alone = builder.build_each({name: pick(column, some) for name, column in own.items()}, len(some))
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


def _same(own: Member, work: Ensemble, place: int) -> bool:
    """Tell whether a member has the numbers that its place in an ensemble has."""
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
        and own.longest == work.longest[place]
        and all(np.array_equal(a, b) for a, b in pairs)
    )


def _split(
    columns: Mapping[str, Any], places: np.ndarray, key: Callable[[Any, np.ndarray], np.ndarray | None]
) -> list[np.ndarray]:
    """Return places apart that differ in what `key` makes of any column."""
    codes = (key(column, places) for column in columns.values())
    keys = [known for known in codes if known is not None and (known != known[0]).any()]
    if not keys:
        return [places]
    _, which = np.unique(np.stack(keys, axis=1), axis=0, return_inverse=True)
    which = which.ravel()
    return [places[which == k] for k in range(which.max() + 1)]


def _kinds(column: Any, places: np.ndarray) -> np.ndarray | None:
    """Tell values apart that are no numbers."""
    if isinstance(column, np.ndarray):
        return None
    column = list(column)  # in which all objects stay, so that no other one gets the place of one
    if len(set(map(id, column))) == 1:
        return np.zeros(places.size, np.int64)  # most sweeps have such columns
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


def _exponents(column: Any, places: np.ndarray) -> np.ndarray | None:
    """Tell small whole numbers from each other and from all others: as exponents they are other code."""
    if not isinstance(column, np.ndarray):
        return None
    values = column[places]
    return np.where(np.isin(values, PRODUCT_EXPONENTS), values, 0).astype(np.int64)
