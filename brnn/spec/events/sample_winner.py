"""SampleWinner: at an event, a cell is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from brnn.base.checks import identifier, number, one_of
from brnn.base.plain import plain_spec
from brnn.base.words import exact_in_words, number_in_words
from brnn.errors import SpecError
from brnn.signals import Linear, Signal
from brnn.spec.events.actions import Action, Moment, find_state, state_name

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["SampleWinner"]


@dataclass(frozen=True, eq=False, repr=False)
class SampleWinner(Action):
    """Draw one cell with probability p_i = f(x_i)/sum_k f(x_k); set it to one value and the others to another.

    Parameters
    ----------
    layer : str
        The layer from whose activities x the probabilities are made.
    signal : Signal
        f; signals below 0 count as 0. If all are 0 nothing happens.
    winner, others : float
        The new activities; `others` None leaves the others as they are.
    into : str, optional
        The state that is set, with as many cells; the layer's own activities by default.

    Notes
    -----
    The numbers come from the run's seed (``simulate(..., seed=)``) and are recorded with the event as `chosen`.
    """

    layer: str
    signal: Signal = Linear()  # noqa: RUF009  (frozen)
    winner: float = 1.0
    others: float | None = 0.0
    into: str | None = None

    draws: ClassVar[bool] = True

    def __post_init__(self) -> None:
        at = f"SampleWinner '{identifier(self.layer, 'SampleWinner: layer')}'"
        one_of(self.signal, f"{at}: signal", Signal, "a signal of brnn.signals, e.g. Power(exponent=2)")
        self._set(
            winner=number(self.winner, f"{at}: winner"),
            others=None if self.others is None else number(self.others, f"{at}: others"),
            into=None if self.into is None else state_name(self.into, f"{at}: into"),
        )

    @property
    def sets(self) -> tuple[str, ...]:
        """The activities of the layer, or `into`."""
        return (self.into or f"{self.layer}.x",)

    @property
    def words(self) -> str:
        """From what is drawn, and what is set."""
        others = "" if self.others is None else f", the others {number_in_words(self.others)}"
        drawn = f"a cell, drawn by p_i ~ f({self.layer}.x[i]) with f(w) = {exact_in_words(plain_spec(self.signal))}"
        return f"{drawn}: {self.sets[0]} = {number_in_words(self.winner)}{others}"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require the layer, and a state of its size."""
        size = network.layer(self.layer, f"{where}: SampleWinner: layer").cells
        if self.into is not None:
            into = math.prod(find_state(network, self.into, f"{where}: SampleWinner: into"))
            if into != size:
                raise SpecError(f"{where}: SampleWinner: into: '{self.into}' has {into} elements, the layer has {size}")

    def apply(self, moment: Moment) -> None:
        """Draw, and set."""
        weights = np.maximum(self.signal(moment.state(f"{self.layer}.x").copy()), 0.0)
        total = np.cumsum(weights)
        # One number is drawn in any case, so that later draws do not depend on this layer.
        mark = moment.random.random() * total[-1]
        if not total[-1] > 0.0:
            return
        moment.chosen = min(int(np.searchsorted(total, mark, side="right")), weights.size - 1)
        state = moment.state(self.into or f"{self.layer}.x")
        if self.others is not None:
            state[:] = self.others
        state[moment.chosen] = self.winner
