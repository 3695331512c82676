"""SetState: at an event, activities, gates or weights get other values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import array, fitting, number
from brnn.base.words import exact_in_words, number_in_words
from brnn.errors import SpecError
from brnn.spec.events.actions import Action, Moment, find_state, state_name

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["SetState"]

_WHERE = ("crossing", "others", "all")
_SHOWN = 12  # cells that are named one by one


@dataclass(frozen=True, eq=False, repr=False)
class SetState(Action):
    """Set a state, or some of its cells: new = scale * old + value.

    Parameters
    ----------
    state : str
        ``"<layer>.x"`` (or ``"<layer>"``), ``"<projection>.y"`` or ``"<projection>.z"``.
    value : float or array
        What the cells are set to; an array has one element for each cell of the state.
    where : {"crossing", "others", "all"} or sequence of int
        The cells that crossed, all but these, all, or the ones with these (flat) indices. The first two need a
        crossing per cell or of the maximum, and a state with as many cells.
    scale : float
        Factor of the old value: with ``value=0, scale=0.2`` a fifth is left.
    """

    state: str
    value: float | np.ndarray = 0.0
    where: Any = "crossing"
    scale: float = 0.0

    def __post_init__(self) -> None:
        name = state_name(self.state, "SetState: state")
        at = f"SetState '{name}'"
        value = array(self.value, f"{at}: value")
        where = self.where
        if not isinstance(where, str):
            where = array(where, f"{at}: where", minimum=0.0, ndim=1).astype(np.int64)
            if (where != self.where).any():
                raise SpecError(f"{at}: where: indices of cells must be whole numbers")
            where.setflags(write=False)
        elif where not in _WHERE:
            raise SpecError(f"{at}: where = {where!r}: must be one of {', '.join(_WHERE)} or a list of cells")
        self._set(
            state=name,
            value=float(value) if value.ndim == 0 else value,
            where=where,
            scale=number(self.scale, f"{at}: scale"),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        """The state."""
        return (self.state,)

    @property
    def words(self) -> str:
        """Which cells are set to what."""
        if isinstance(self.where, np.ndarray):
            cells = (
                "[" + ", ".join(map(str, self.where)) + "]"
                if self.where.size <= _SHOWN
                else f" ({self.where.size} cells)"
            )
        else:
            cells = {"all": "", "crossing": " of what crosses", "others": " of the others"}[self.where]
        given = exact_in_words(self.value)
        if self.scale != 0.0:
            old = self.state if self.scale == 1.0 else f"{number_in_words(self.scale)}·{self.state}"
            given = old if given == "0" else f"{old} + {given}"
        return f"{self.state}{cells} = {given}"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require a state, a value that fits, and a crossing cell if one is meant."""
        at = f"{where}: SetState"
        shape = find_state(network, self.state, f"{at}: state")
        fitting(self.value, shape, f"{at}: value", f" ('{self.state}')")
        size = math.prod(shape)
        if isinstance(self.where, np.ndarray) and self.where.max() >= size:
            raise SpecError(f"{at}: where: there is no cell {self.where.max()}, '{self.state}' has {size}")
        if isinstance(self.where, str) and self.where != "all":
            if cells is None:
                raise SpecError(f"{at}: where = '{self.where}': this event has no crossing cell; use where='all'")
            if cells != size:
                raise SpecError(
                    f"{at}: where = '{self.where}': '{self.state}' has {size} elements, the state that crosses {cells}"
                )

    def apply(self, moment: Moment) -> None:
        """Set the cells."""
        state = moment.state(self.state)
        if isinstance(self.where, np.ndarray):
            chosen: Any = self.where
        elif self.where == "all":
            chosen = slice(None)
        else:
            chosen = np.zeros(state.size, dtype=bool)
            chosen[moment.cells] = True
            chosen = chosen if self.where == "crossing" else ~chosen
        value = np.broadcast_to(np.ravel(self.value), state.shape)
        # Written so that an infinite old value does not become NaN.
        state[chosen] = value[chosen] if self.scale == 0.0 else self.scale * state[chosen] + value[chosen]
