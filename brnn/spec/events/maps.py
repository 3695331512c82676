"""MoveMaps: an event moves frames of reference beside each other, as the eye does in its head."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brnn.base.checks import identifier, whole
from brnn.base.text import closest
from brnn.errors import SpecError
from brnn.spec.events.actions import Action, Moment, find_state, state_name
from brnn.spec.topologies.index_shift import IndexShift

if TYPE_CHECKING:
    from brnn.spec.network import Network
    from brnn.spec.projection import Projection

__all__ = ["MoveMaps"]


@dataclass(frozen=True, eq=False, repr=False)
class MoveMaps(Action):
    """Move maps so that what was seen at the crossing cell is seen at the centre: what the eye does with its maps.

    If cell p of the map of the eye crosses, the gaze goes from place e of the field to e + p - centre. Projections from
    maps of the eye to the field get this offset minus `centre`, those from the field to the eye its negative.
    Where that place is not in the field, or is the present one, nothing happens.

    Parameters
    ----------
    gaze : str
        A state with a cell for each place of the field: 1 where the gaze is, else 0. It is set, so that a `Crossing`
        of 0.5 by its cells is an event at the place to which the gaze goes.
    centre : int
        The cell of the eye that sees the place of the gaze, counted from 0.
    outward : sequence of str
        Names of projections from maps of the eye to the field, with the topology `IndexShift`.
    inward : sequence of str
        Names of those from the field to maps of the eye.

    Notes
    -----
    Where the gaze is, is read off the offset of the projections, which must agree with the initial state of `gaze`.
    """

    gaze: str
    centre: int
    outward: Sequence[str] = ()
    inward: Sequence[str] = ()

    def __post_init__(self) -> None:
        at = "MoveMaps"
        for field in ("outward", "inward"):
            names = getattr(self, field)
            names = (names,) if isinstance(names, str) else tuple(names)
            self._set(**{field: tuple(identifier(name, f"{at}: {field}") for name in names)})
        self._set(gaze=state_name(self.gaze, f"{at}: gaze"), centre=whole(self.centre, f"{at}: centre", minimum=0))
        if not self.outward and not self.inward:
            raise SpecError(f"{at}: outward: names at least one projection there or in inward")

    @property
    def sets(self) -> tuple[str, ...]:
        """Where the gaze is."""
        return (self.gaze,)

    @property
    def words(self) -> str:
        """What moves where."""
        maps = ", ".join((*self.outward, *self.inward))
        return (
            f"if p crosses, the gaze ({self.gaze}) goes from e to e + p - {self.centre}, and with it the maps of {maps}"
        )

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require the projections, which all know the same place, and a crossing cell for each place."""
        at = f"{where}: MoveMaps"
        size = math.prod(find_state(network, self.gaze, f"{at}: gaze"))
        if cells != size:
            crossing = "no crossing cell" if cells is None else f"{cells} crossing cells"
            raise SpecError(f"{at}: gaze: '{self.gaze}' has {size} cells, the event has {crossing}")
        if self.centre >= size:
            raise SpecError(f"{at}: centre = {self.centre}: '{self.gaze}' has {size} cells, counted from 0")
        found = {self.place(link, name) for link, name in self._links(network, at)}
        if len(found) > 1 or not 0 <= min(found) < size:
            raise SpecError(
                f"{at}: the offsets of the projections say that the gaze is at {', '.join(map(str, sorted(found)))}; "
                f"they must say one place of 0 to {size - 1}"
            )
        if self.gaze.endswith(".x"):
            start = network.layer(self.gaze.removesuffix(".x")).start("x", size)
            (place,) = found
            if start[place] != 1.0 or start.sum() != 1.0:
                raise SpecError(
                    f"{at}: gaze: '{self.gaze}' must begin with 1 at {place}, where the maps are, and else 0"
                )

    def place(self, link: Projection, name: str) -> int:
        """Return where the gaze is by the offset of one of the projections."""
        topology: Any = link.topology
        return int(self.centre + (topology.offset if name in self.outward else -topology.offset))

    def _links(self, network: Network, where: str) -> list[tuple[Projection, str]]:
        known = {str(link.name): link for link in network.projections}
        result = []
        for name in (*self.outward, *self.inward):
            if name not in known:
                raise SpecError(f"{where}: '{name}': no such projection{closest(name, known)}")
            if not isinstance(known[name].topology, IndexShift):
                raise SpecError(f"{where}: {known[name].label}: its topology must be an IndexShift")
            result.append((known[name], name))
        return result

    def apply(self, moment: Moment) -> None:
        """Move them."""
        links = self._links(moment.network, "MoveMaps")
        state = moment.state(self.gaze)
        goal = self.place(*links[0]) + int(moment.cells[0]) - self.centre
        if not 0 <= goal < state.size or goal == self.place(*links[0]):
            return
        offset = goal - self.centre
        offsets = dict.fromkeys(self.outward, offset) | dict.fromkeys(self.inward, -offset)
        moment.set_parameters({f"{name}.topology.offset": value for name, value in offsets.items()})
        state[:] = 0.0
        state[goal] = 1.0
