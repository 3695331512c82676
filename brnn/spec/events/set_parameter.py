"""SetParameter: at an event, a number of the network gets another value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brnn.base.checks import array
from brnn.base.data import Spec
from brnn.base.plain import plain_spec
from brnn.base.words import exact_in_words
from brnn.errors import InputError, SpecError
from brnn.spec.events.actions import Action, Moment

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["SetParameter"]

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
