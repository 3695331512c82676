"""What an event does: set states and parameters, switch and start stimuli, draw a winner, end a phase or the run."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from brnn.base.checks import array, fitting, identifier, number, one_of
from brnn.base.data import Spec
from brnn.base.plain import plain_spec
from brnn.base.text import closest
from brnn.base.words import exact_in_words, number_in_words
from brnn.errors import InputError, SpecError
from brnn.signals import Linear, Signal

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = [
    "Action",
    "Moment",
    "NextPhase",
    "SampleWinner",
    "SetParameter",
    "SetState",
    "StartStimulus",
    "StopRun",
    "SwitchStimulus",
    "state_name",
]

_WHERE = ("crossing", "others", "all")
_SHOWN = 12  # cells that are named one by one


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


# What cannot change in a run that goes on, by the last part of its name but for counts, and what does it instead.
_FIXED = {
    "initial": "initial states hold at time 0; use SetState",
    "schedule": "use StartStimulus or SwitchStimulus",
    "on": "use StartStimulus or SwitchStimulus",
    "delay": "delays stay as they are",
    "shape": "the number of cells stays as it is",
}


@dataclass(frozen=True, eq=False, repr=False)
class SetParameter(Action):
    """Let a parameter of the network have another value from now on.

    Parameters
    ----------
    parameter : str
        Its dotted name, as for `Network.with_`: ``"F1.A"``, ``"F1.A.3"`` for one cell, ``"F1_F1_exc.signal.half"``,
        ``"arousal.pattern"`` for the strength of a stimulus with this name.
    value : float, array, text, signal or topology
        The new value.

    Notes
    -----
    States and times stay as they are. Signals that travel for a while are those of past activities, by the parameters
    that hold when they arrive.
    """

    parameter: str
    value: float | np.ndarray | str | Spec

    def __post_init__(self) -> None:
        if not isinstance(self.parameter, str) or "." not in self.parameter:
            raise SpecError(f"SetParameter: parameter = {self.parameter!r}: must be a dotted name, e.g. 'F1.A'")
        if not isinstance(self.value, (str, bool, Spec)):
            value = array(self.value, f"SetParameter '{self.parameter}': value")
            self._set(value=float(value) if value.ndim == 0 else value)

    @property
    def words(self) -> str:
        """Which parameter has what value."""
        value = plain_spec(self.value) if isinstance(self.value, Spec) else self.value
        return f"{self.parameter} = {exact_in_words(value)} from now on"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require a part that can change, and a network that is valid when it has."""
        at = f"{where}: SetParameter '{self.parameter}'"
        root, *parts = self.parameter.split(".")
        field = next((part for part in reversed(parts) if part in _FIXED), None)
        if field is not None:
            raise SpecError(f"{at}: cannot change in a run: {_FIXED[field]}")
        if root in ("protocol", "events") or root in {event.name for event in network.events}:
            raise SpecError(f"{at}: events and protocols cannot change in a run")
        plain = network.replace(events=())
        try:
            changed = plain.with_({self.parameter: self.value})
        except (InputError, SpecError) as error:
            raise SpecError(f"{at}: {error}") from None
        if changed.state_shapes != plain.state_shapes or [s.label for s in changed.stimuli] != [
            s.label for s in plain.stimuli
        ]:
            raise SpecError(f"{at}: cannot change in a run: it would change which states there are, or their names")

    def apply(self, moment: Moment) -> None:
        """Change it."""
        moment.set_parameters({self.parameter: self.value})


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


def _check_stimulus(network: Network, name: str, where: str) -> Any:
    names = [stimulus.name for stimulus in network.stimuli if stimulus.name is not None]
    for stimulus in network.stimuli:
        if stimulus.name == name:
            if stimulus.schedule.white:
                raise SpecError(f"{where} = '{name}': white noise cannot be switched by an event")
            return stimulus
    there = f"there is {', '.join(names)}" if names else "give the Stimulus a name="
    raise SpecError(f"{where} = '{name}': no stimulus has this name ({there}){closest(name, names)}")


@dataclass(frozen=True, eq=False, repr=False)
class SwitchStimulus(Action):
    """Switch a stimulus on or off. Its schedule goes on all the while.

    Parameters
    ----------
    stimulus : str
        Its name. With ``Stimulus(..., on=False)`` it is off in the beginning.
    on : bool
        Whether it is on from now on.
    """

    stimulus: str
    on: bool

    def __post_init__(self) -> None:
        identifier(self.stimulus, "SwitchStimulus: stimulus")
        one_of(self.on, f"SwitchStimulus '{self.stimulus}': on", bool, "True or False")

    @property
    def words(self) -> str:
        """What is switched."""
        return f"stimulus {self.stimulus} goes {'on' if self.on else 'off'}"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require the stimulus."""
        _check_stimulus(network, self.stimulus, f"{where}: SwitchStimulus: stimulus")

    def apply(self, moment: Moment) -> None:
        """Switch it."""
        moment.switch(self.stimulus, self.on)


@dataclass(frozen=True, eq=False, repr=False)
class StartStimulus(Action):
    """Let a stimulus begin now: time 0 of its schedule is the moment of the event. It can begin again and again.

    With a Pulse(0, 0.5) the event causes a pulse of this length; with a Sequence, a whole list of patterns.

    Parameters
    ----------
    stimulus : str
        Its name. With ``Stimulus(..., on=False)`` it is off until then.
    """

    stimulus: str

    def __post_init__(self) -> None:
        identifier(self.stimulus, "StartStimulus: stimulus")

    @property
    def words(self) -> str:
        """What begins."""
        return f"stimulus {self.stimulus} begins"

    def check(self, network: Network, cells: int | None, where: str) -> None:
        """Require the stimulus, and a schedule that can be moved."""
        at = f"{where}: StartStimulus: stimulus"
        schedule = _check_stimulus(network, self.stimulus, at).schedule
        if schedule.varying:
            raise SpecError(
                f"{at} = '{self.stimulus}': a {type(schedule).__name__} cannot be started by an event; its schedule "
                f"must be constant between its break points (Pulse, Pulses, Sequence)"
            )

    def apply(self, moment: Moment) -> None:
        """Start it."""
        moment.start(self.stimulus)


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
