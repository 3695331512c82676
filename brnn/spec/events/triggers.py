"""Events: things that happen at a moment, when a state crosses a threshold or at given times.

Between events the network obeys its differential equations; an event changes states, stimuli or the protocol at once.
The moment of a crossing is found to rounding on the solver's dense output, and the integration is restarted there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import array, choice, fitting, identifier, number, one_of
from brnn.base.data import Spec
from brnn.base.plain import plain_spec
from brnn.base.words import exact_in_words, number_in_words
from brnn.errors import SpecError
from brnn.spec.events.actions import Action, NextPhase, find_state, state_name
from brnn.spec.events.set_state import SetState
from brnn.spec.schedules import Schedule

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["AtTimes", "Crossing", "Event", "PhaseBegins", "Trigger"]

_SHOWN = 12  # times that are named one by one


@dataclass(frozen=True, eq=False, repr=False)
class Trigger(Spec):
    """Base of what causes an event: Crossing, AtTimes, PhaseBegins."""

    @property
    def words(self) -> str:
        """When it is, as it stands beside the equations of a network."""
        return exact_in_words(plain_spec(self))

    def check(self, network: Network, where: str) -> None:
        """Raise SpecError if the trigger does not fit the network."""
        return None

    def cells(self, network: Network) -> int | None:
        """Return the number of cells of which some cross; None if no single cell does."""
        return None

    def times(self, network: Network) -> np.ndarray:
        """Return the times at which the event happens whatever the state is."""
        return np.empty(0)


@dataclass(frozen=True, eq=False, repr=False)
class Crossing(Trigger):
    """A state crosses a threshold.

    Parameters
    ----------
    state : str
        ``"<layer>.x"`` (or ``"<layer>"``), ``"<projection>.y"`` or ``"<projection>.z"``.
    threshold : float or array
        One number, or with ``per="cell"`` one for each cell.
    direction : {"rising", "falling"}
        From below to the threshold or beyond, or from above.
    per : {"cell", "total", "maximum"}
        Each cell by itself; the sum over all cells; or the largest one (the crossing cell is the one that is largest).

    Notes
    -----
    It takes a crossing, not a level: a cell that begins beyond the threshold has to come back first. An event that
    carries a state beyond the threshold of another event causes that one at the same time.
    """

    state: str
    threshold: float | np.ndarray
    direction: str = "rising"
    per: str = "cell"

    def __post_init__(self) -> None:
        name = state_name(self.state, "Crossing: state")
        at = f"Crossing '{name}'"
        threshold = array(self.threshold, f"{at}: threshold")
        self._set(
            state=name,
            threshold=float(threshold) if threshold.ndim == 0 else threshold,
            direction=choice(self.direction, f"{at}: direction", ("rising", "falling")),
            per=choice(self.per, f"{at}: per", ("cell", "total", "maximum")),
        )
        if threshold.ndim and self.per != "cell":
            raise SpecError(f"{at}: threshold: must be one number for per='{self.per}'")

    @property
    def words(self) -> str:
        """What comes to which threshold."""
        one = {"cell": f"{self.state}[i]", "total": f"the sum of {self.state}", "maximum": f"the largest {self.state}"}
        verb = "rises" if self.direction == "rising" else "falls"
        return f"{one[self.per]} {verb} to {exact_in_words(self.threshold)}"

    def check(self, network: Network, where: str) -> None:
        """Require the state, and a threshold that fits."""
        shape = find_state(network, self.state, f"{where}: Crossing: state")
        fitting(self.threshold, shape, f"{where}: Crossing: threshold", f" ('{self.state}')")

    def cells(self, network: Network) -> int | None:
        """Return the size of the state; None for the total."""
        return None if self.per == "total" else network.states[self.state]


@dataclass(frozen=True, eq=False, repr=False)
class AtTimes(Trigger):
    """Given times.

    Parameters
    ----------
    at : float or array, >= 0
        The times; those of the protocol, if events end phases early.
    """

    at: float | np.ndarray

    def __post_init__(self) -> None:
        times = np.unique(np.atleast_1d(array(self.at, "AtTimes: at", minimum=0.0)))
        times.setflags(write=False)
        self._set(at=times)

    @property
    def words(self) -> str:
        """The times, or how many there are."""
        times = np.asarray(self.at).tolist()
        if len(times) > _SHOWN:
            return f"t is one of {len(times)} times from {number_in_words(times[0])} to {number_in_words(times[-1])}"
        return f"t = {', '.join(map(number_in_words, times))}"

    def times(self, network: Network) -> np.ndarray:
        """Return them."""
        return np.asarray(self.at)


@dataclass(frozen=True, eq=False, repr=False)
class PhaseBegins(Trigger):
    """The beginning of every phase of this name of the network's protocol.

    Parameters
    ----------
    phase : str
        Name of the phase.
    """

    phase: str

    def __post_init__(self) -> None:
        identifier(self.phase, "PhaseBegins: phase")

    @property
    def words(self) -> str:
        """Which phase begins."""
        return f"a phase {self.phase} begins"

    def check(self, network: Network, where: str) -> None:
        """Require a protocol with such a phase."""
        if network.protocol is None:
            raise SpecError(f"{where}: PhaseBegins '{self.phase}': the network has no protocol")
        network.protocol.intervals(self.phase, f"{where}: PhaseBegins")

    def times(self, network: Network) -> np.ndarray:
        """Return when these phases begin."""
        assert network.protocol is not None
        return network.protocol.intervals(self.phase)[:, 0]


@dataclass(frozen=True, eq=False, repr=False)
class Event(Spec):
    """Something that happens at once when something else does.

    Parameters
    ----------
    name : str
        Name in the record of the run.
    when : Trigger
        Crossing(state, threshold), AtTimes(times) or PhaseBegins(name).
    then : Action or sequence of Action
        What happens, in this order; nothing (an empty sequence) only records the event.
    once : bool
        Whether each cell (or the total) causes it at most once in a run.
    refractory : float, >= 0
        How long after an event the same cell causes no other; crossings in the meantime are lost.
    schedule : Schedule, optional
        The event happens only while its factor is not 0: a Pulse, or InPhase("test").

    Notes
    -----
    Events at the same time (to rounding) happen in the order in which the network lists them, crossings before given
    times. Cells that cross together cause one event, with a record for each. A state saved at the very time of an event
    is the one after it.
    """

    name: str
    when: Trigger
    then: Action | Sequence[Action] = ()
    once: bool = False
    refractory: float = 0.0
    schedule: Schedule | None = None

    def __post_init__(self) -> None:
        at = f"Event '{identifier(self.name, 'Event: name')}'"
        one_of(self.when, f"{at}: when", Trigger, "a Crossing, AtTimes or PhaseBegins")
        then: Any = (self.then,) if isinstance(self.then, Action) else self.then
        if not isinstance(then, Sequence) or isinstance(then, str):
            raise SpecError(f"{at}: then: must be an action such as SetState('F1.x', 0.0), or a list of them")
        for k, action in enumerate(then):
            one_of(action, f"{at}: then[{k}]", Action, "an action such as SetState('F1.x', 0.0)")
        one_of(self.once, f"{at}: once", bool, "True or False")
        if self.schedule is not None:
            one_of(self.schedule, f"{at}: schedule", Schedule, "a schedule, e.g. Pulse(on=0, off=1), or None")
            if self.schedule.varying or self.schedule.white:
                raise SpecError(f"{at}: schedule: must be constant between its break points (Pulse, InPhase)")
        self._set(then=tuple(then), refractory=number(self.refractory, f"{at}: refractory", minimum=0.0))

    @property
    def label(self) -> str:
        """How error messages call the event."""
        return f"Event '{self.name}'"

    @property
    def words(self) -> str:
        """When it is and what it does, on one line; states that are set to the same value stand together."""
        done: list[tuple[str, str]] = []  # names, and what they are set to
        for action in self.actions:
            names, equals, value = action.words.partition(" = ")
            if done and equals and isinstance(action, SetState) and done[-1][1] == value and action.scale == 0.0:
                done[-1] = f"{done[-1][0]}, {names}", value
            else:
                done.append((names, value if equals else ""))
        said = "; ".join(f"{names} = {value}" if value else names for names, value in done) or "it is recorded"
        limits = ["once"] if self.once else []
        limits += [f"not again for {number_in_words(self.refractory)}"] if self.refractory else []
        limits += [] if self.schedule is None else [f"while {exact_in_words(plain_spec(self.schedule))}"]
        return f"when {self.when.words}{''.join(f', {one}' for one in limits)}: {said}"

    @property
    def phases_ended(self) -> int:
        """How many phases of the protocol it ends early, each time that it happens."""
        return sum(isinstance(action, NextPhase) for action in self.actions)

    @property
    def draws(self) -> bool:
        """Whether it draws random numbers."""
        return any(action.draws for action in self.actions)

    @property
    def actions(self) -> tuple[Action, ...]:
        """What happens, as a tuple."""
        assert isinstance(self.then, tuple)
        return self.then

    def check(self, network: Network) -> None:
        """Raise SpecError if the event does not fit the network."""
        self.when.check(network, self.label)
        cells = self.when.cells(network)
        for action in self.actions:
            action.check(network, cells, self.label)
