"""SwitchStimulus and StartStimulus: at an event, an input is switched or begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from brnn.base.checks import identifier, one_of
from brnn.base.text import closest
from brnn.errors import SpecError
from brnn.spec.events.actions import Action, Moment

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["StartStimulus", "SwitchStimulus"]


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
