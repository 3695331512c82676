"""What an event does to a run: what all actions have in common, and those that end a phase or the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from brnn.base.data import Spec
from brnn.base.plain import plain_spec
from brnn.base.text import closest
from brnn.base.words import exact_in_words
from brnn.errors import SpecError

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["Action", "Moment", "NextPhase", "StopRun", "find_state", "state_name"]


class Moment(Protocol):
    """What an action can do at the moment of an event.

    Attributes
    ----------
    cells : ndarray of int
        The cells that crossed the threshold; empty if the event has none.
    random : numpy.random.Generator
        The run's random numbers for events.
    chosen : int
        The cell that was drawn, for the record.
    network : Network
        The network as it is now: with the parameters that events have set.
    """

    cells: np.ndarray
    random: np.random.Generator
    chosen: int

    @property
    def network(self) -> Network:
        """The network as it is now."""

    def state(self, name: str) -> np.ndarray:
        """Return a state, flat; what is written into it becomes the state after the event."""

    def input(self, layer: str, kind: str = "excitatory") -> np.ndarray:
        """Return what stimuli give to a layer from now on, flat; what changes all the while is left out."""

    def switch(self, stimulus: str, on: bool) -> None:
        """Switch a stimulus."""

    def start(self, stimulus: str) -> None:
        """Let the schedule of a stimulus begin now."""

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        """Let parameters of the network, by their dotted names, have other values from now on."""

    def next_phase(self) -> None:
        """End the present phase."""

    def stop(self) -> None:
        """End the run."""


@dataclass(frozen=True, eq=False, repr=False)
class Action(Spec):
    """Base of the actions. To write a new one, subclass it.

    1. ``check(network, cells, where)`` raises SpecError if it makes no sense in the network; `cells` is the number of
       cells of which some cross the threshold, None if the event has no crossing cell.
    2. ``apply(moment)`` does it. An action that draws random numbers sets ``draws = True``.
    3. ``sets`` names the states that it sets, and ``words`` says in short what it does (by default its name and
       parameters): both stand beside the equations of a network.
    """

    needs: ClassVar[tuple[str, ...]] = ("apply",)
    draws: ClassVar[bool] = False

    @property
    def sets(self) -> tuple[str, ...]:
        """The states that it sets."""
        return ()

    @property
    def words(self) -> str:
        """What it does, as it stands beside the equations of a network."""
        return exact_in_words(plain_spec(self))

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Raise SpecError if the action does not fit the network."""
        return None

    def apply(self, moment: Moment) -> None:
        """Do it."""
        raise NotImplementedError


def state_name(value: Any, where: str) -> str:
    """Return the full name of a state: ``"F1"`` stands for ``"F1.x"``."""
    if not isinstance(value, str) or not value:
        raise SpecError(f"{where} = {value!r}: must be the name of a state, e.g. 'F1.x'")
    return value if "." in value else f"{value}.x"


def find_state(network: Network, name: str, where: str) -> tuple[int, ...]:
    """Return the shape of a state; raise SpecError if the network has none of this name."""
    shapes: Mapping[str, tuple[int, ...]] = network.state_shapes
    if name not in shapes:
        raise SpecError(f"{where} = '{name}': no such state (there is {', '.join(shapes)}){closest(name, shapes)}")
    return shapes[name]


@dataclass(frozen=True, eq=False, repr=False)
class NextPhase(Action):
    """End the present phase of the network's protocol; the next one begins now, and everything later comes earlier.

    Every schedule moves along: stimuli, learning windows, times of other events, and the end of the run.
    """

    @property
    def words(self) -> str:
        """That the phase ends."""
        return "the phase ends"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require a protocol."""
        if network.protocol is None:
            raise SpecError(f"{where}: NextPhase: the network has no protocol")

    def apply(self, moment: Moment) -> None:
        """End it."""
        moment.next_phase()


@dataclass(frozen=True, eq=False, repr=False)
class StopRun(Action):
    """End the run; the last state is saved."""

    @property
    def words(self) -> str:
        """That the run ends."""
        return "the run ends"

    def apply(self, moment: Moment) -> None:
        """End it."""
        moment.stop()
