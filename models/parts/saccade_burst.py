"""The burst cells of the brain stem that move the eye: the saccade generator without what drives it.

Its equations stand in `brnn.models.saccade_generator`. The network of four directions is the same behind stimuli, as
there, and behind the colliculus of another network, as in `brnn.models.listelos`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brnn.signals import Function, Linear
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.clamped import ClampedLayer
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import AllToAll, OneToOne

__all__ = ["DEGREES", "DIRECTIONS", "BurstGenerator", "burst_generator", "eye_position"]

DIRECTIONS = ("left", "right", "down", "up")
DEGREES = 260.0  # of the eye for a unit of T
_OPPOSITE = np.kron(np.eye(2), [[0.0, 1.0], [1.0, 0.0]])


@dataclass(frozen=True)
class BurstGenerator:
    """The parts of the network; "long_lead" is what drives it."""

    layers: tuple[LayerLaw, ...]
    projections: tuple[Projection, ...]
    stimuli: tuple[Stimulus, ...]


def burst_generator(tau: float, omnipause: float = 0.0) -> BurstGenerator:
    """Return its cells and what they send to each other.

    Parameters
    ----------
    tau : float
        Time constant of all cells (ms).
    omnipause : float
        P at time 0.
    """
    k = 1.0 / tau
    g = Function("w**4/(half**4 + w**4)", half=0.1)

    def opposite(weight: float) -> Dense:
        return Dense(weight * _OPPOSITE)

    return BurstGenerator(
        (
            ClampedLayer("long_lead", (4,), A=1.3 * k, B=k, C=0.0, E=k, F=0.0),
            ClampedLayer("excitatory_burst", (4,), A=3.5 * k, B=2.0 * k, C=k, E=k, F=k),
            ClampedLayer("inhibitory_burst", (4,), A=2.4 * k, B=k, C=0.0, E=k, F=0.0),
            ClampedLayer("omnipause", (1,), A=0.2 * k, B=k, C=k, E=0.4 * k, F=k, initial=omnipause),
            Layer("tonic", (4,), A=0.0, B=k, C=0.0, E=k, F=0.0, initial=0.5),
        ),
        (
            Projection("inhibitory_burst", "long_lead", "inhibitory", Linear(), OneToOne(2.0)),
            Projection("long_lead", "excitatory_burst", "excitatory", Linear(), OneToOne(5.0)),
            Projection("long_lead", "excitatory_burst", "inhibitory", Linear(), opposite(10.0)),
            Projection("omnipause", "excitatory_burst", "inhibitory", g, AllToAll(20.0)),
            Projection("excitatory_burst", "inhibitory_burst", "excitatory", Linear(), OneToOne(3.0)),
            Projection("long_lead", "omnipause", "inhibitory", g, AllToAll(3.5)),
            Projection("excitatory_burst", "tonic", "excitatory", Linear(), OneToOne(0.1)),
            Projection("excitatory_burst", "tonic", "inhibitory", Linear(), opposite(0.1)),
        ),
        (
            Stimulus("excitatory_burst", "excitatory", 1.0, name="arousal"),
            Stimulus("omnipause", "excitatory", 1.2, name="drive"),
        ),
    )


def eye_position(T: ArrayLike) -> np.ndarray:
    """Return how far the eye stands to the right and upwards, in degrees, shape (..., 2), of tonic cells (..., 4)."""
    return DEGREES * (np.asarray(T)[..., [1, 3]] - 0.5)
