"""What the models with category cells share: cells that compete for each pattern, the winner learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, choice, number, one_of
from brnn.models.parts.presentations import Presentations
from brnn.signals import Power, Signal, ThresholdLinear
from brnn.spec.layers import Layer
from brnn.spec.learning import Instar
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulses, Schedule
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne

__all__ = ["DECIDED", "SETTLED", "CategoryCompetition", "competition_by_hand", "random_weights", "window_of"]

SETTLED = (0.6, 0.85)  # parts of a presentation between which the competition is over, and not yet reset
DECIDED = 0.8  # within them
_RESET = 0.15  # part of each presentation, at its beginning and at its end, in which the category cells are reset
_RCF = ThresholdLinear(gain=5.0, threshold=0.6, ceiling=0.2)
_FAST = ThresholdLinear(gain=4.0, threshold=0.25, ceiling=0.25)


@dataclass(frozen=True)
class CategoryCompetition:
    """Layers "input" and "category", the adaptive filter between them, and the competition.

    Each presentation takes one unit of time. Around each change of the pattern the category cells are reset by
    inhibition; then all of them receive T_j = sum_i x_i z_ij, and the one with the largest T_j suppresses the others.
    Only its activity passes the threshold of the signal by which it samples. This signal saturates at 1, which the
    winner reaches if its T_j is not small (at T_j = 0.5 for "fast"): weights and patterns should have unit length.

    Parameters
    ----------
    inputs, categories : int
        Numbers of cells.
    shown : Presentations
        When which pattern is shown.
    winner : str
        "rcf", a recurrent competitive field, or "fast", linear cells above threshold that inhibit each other.
    speed : float
        Rate of the category cells (1/time).
    """

    inputs: int
    categories: int
    shown: Presentations
    winner: str
    speed: float

    @classmethod
    def checked(cls, inputs: int, categories: int, shown: Presentations, winner: Any, speed: Any, model: str) -> Any:
        """Return a competition of what a user gave; SpecError if it is not valid."""
        name = choice(winner, f"{model}: winner", ("rcf", "fast"))
        return cls(inputs, categories, shown, name, number(speed, f"{model}: speed", above=0.0))

    @property
    def signal(self) -> Signal:
        """The signal of the winner: 1 while it wins, 0 for all others."""
        return _RCF if self.winner == "rcf" else _FAST

    def layers(self) -> tuple[Layer, Layer]:
        """Return the two layers; the input cells follow their pattern with twice the speed."""
        s = self.speed
        category = (
            Layer.shunting("category", self.categories, A=s, B=1.0)
            if self.winner == "rcf"
            else Layer.additive("category", self.categories, A=s)
        )
        return Layer.additive("input", self.inputs, A=2.0 * s), category

    def projections(self, rate: Any, weights: np.ndarray, schedule: Schedule | None) -> tuple[Projection, ...]:
        """Return the adaptive filter with its instars, and the recurrent signals of the category cells."""
        s = self.speed
        instars = Instar(rate=rate, sampling=self.signal, initial=weights, schedule=schedule)
        adaptive = Projection("input", "category", topology=AllToAll(weight=s), learning=instars, name="filter")
        if self.winner == "fast":
            lateral = Projection("category", "category", "inhibitory", ThresholdLinear(), AllButSelf(weight=3.0 * s))
            return adaptive, lateral
        # The more cells share the activity at the beginning, the steeper must their signals be for one to win.
        square = Power(gain=5.0 * (self.categories + 1) * s, exponent=2.0)
        return (
            adaptive,
            Projection("category", "category", "excitatory", square, OneToOne()),
            Projection("category", "category", "inhibitory", square, AllButSelf()),
        )

    def stimuli(self, patterns: np.ndarray) -> tuple[Stimulus, Stimulus]:
        """Return the patterns as they are shown, and the resets."""
        times = np.append(self.shown.onsets(), self.shown.stop)
        resets = np.stack([times - _RESET, times + _RESET], axis=1)
        strength = (10.0 if self.winner == "rcf" else 2.0) * self.speed
        return (
            Stimulus("input", "excitatory", 2.0 * self.speed * patterns, self.shown.shown()),
            Stimulus("category", "inhibitory", strength, Pulses(resets)),
        )


def competition_by_hand(winner: str, y: np.ndarray, T: np.ndarray, J: float, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return dy/dt (of rate 1) of m category cells and the signals by which they sample, written out for claims.

    Parameters
    ----------
    winner : str
        How the winner is found.
    y, T : ndarray
        Activities, and what arrives through the filter.
    J : float
        1 while the cells are reset.
    m : int
        Their number, which says how steep the signals of "rcf" are.
    """
    if winner == "rcf":
        square = 5.0 * (m + 1) * y**2
        dy = -y + (1.0 - y) * (T + square) - y * (square.sum() - square + 10.0 * J)
        return dy, np.minimum(5.0 * np.maximum(y - 0.6, 0.0), 1.0)
    sent = np.maximum(y, 0.0)
    return -y + T - 3.0 * (sent.sum() - sent) - 2.0 * J, np.minimum(4.0 * np.maximum(y - 0.25, 0.0), 1.0)


def random_weights(value: Any, where: str, categories: int, inputs: int, rng: np.random.Generator) -> np.ndarray:
    """Return the weights that a user gave, [category, input], or random ones of unit length."""
    if value is not None:
        return array(value, where, shape=(categories, inputs))
    drawn = np.abs(rng.standard_normal((categories, inputs)))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


def window_of(value: Any, where: str) -> Schedule | None:
    """Return the learning window that a user gave, a schedule or None; SpecError if it is neither."""
    return one_of(value, where, (Schedule, type(None)), "a schedule, e.g. Pulse(on=0, off=1), or None")
