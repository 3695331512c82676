"""A stimulus: the input I_i (excitatory), J_i (inhibitory) or the modulatory input of a layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from brnn.base.checks import array, choice, identifier, one_of
from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.spec.layers.base import KINDS
from brnn.spec.schedules import Constant, Schedule

__all__ = ["Stimulus"]


@dataclass(frozen=True, eq=False, repr=False)
class Stimulus(Spec):
    """A spatial pattern, presented to a layer by a schedule.

    Parameters
    ----------
    target : str
        Name of the layer.
    kind : {"excitatory", "inhibitory", "modulatory"}
        "excitatory" is I of equation (9), "inhibitory" is J; "modulatory" is the nonspecific input of a layer whose law
        has one (GatedLayer).
    pattern : float or array
        One number for all cells, or an array of the layer's shape (for a Sequence of indices: one more axis first).
    schedule : Schedule
        When it is on and how strong.
    name : str, optional
        Name by which events switch or start it.
    on : bool
        False: off until an event switches it on or starts it.

    Raises
    ------
    SpecError
        If a value is not valid, not finite, or its shape does not fit.
    """

    target: str
    kind: Literal["excitatory", "inhibitory", "modulatory"] = "excitatory"
    pattern: float | np.ndarray = 1.0
    schedule: Schedule = Constant()  # noqa: RUF009  (frozen)
    name: str | None = None
    on: bool = True

    def __post_init__(self) -> None:
        target = identifier(self.target, "Stimulus: target")
        at = f"Stimulus of '{target}'"
        self._set(
            kind=choice(self.kind, f"{at}: kind", KINDS),
            pattern=array(self.pattern, f"{at}: pattern"),
            schedule=one_of(self.schedule, f"{at}: schedule", Schedule, "a schedule, e.g. Pulse(on=0, off=1)"),
            name=None if self.name is None else identifier(self.name, f"{at}: name"),
            on=one_of(self.on, f"{at}: on", bool, "True or False"),
        )
        if not self.on and self.name is None:
            raise SpecError(f"{at}: on = False: needs a name=, by which an event switches it on")

    @property
    def label(self) -> str:
        """How error messages call the stimulus."""
        return f"Stimulus of '{self.target}'" if self.name is None else f"Stimulus '{self.name}'"

    def at(self, time: float, shape: tuple[int, ...]) -> np.ndarray:
        """Return the input of every cell of a layer of this shape at one time.

        At a break point the value is the one that holds after it.
        """
        pattern = np.asarray(self.pattern)
        segment = self.schedule.segment(time, pattern)
        value = np.asarray(segment.base, dtype=float)
        if self.schedule.varying:
            value = value + self.schedule.factor(time, segment) * np.asarray(segment.varying)
        return np.array(np.broadcast_to(value, shape))
