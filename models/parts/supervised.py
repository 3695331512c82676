"""What the models that learn from errors share: a layer of errors drives the weights that make them."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.figures import Run
from brnn.models.parts.presentations import Presentations
from brnn.signals import Linear
from brnn.spec.layers import Layer
from brnn.spec.learning import PassiveDecay
from brnn.spec.projection import Projection
from brnn.spec.schedules import Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll, OneToOne

__all__ = ["OPENS", "TAUGHT", "correlation", "driven_by_errors", "step_factor", "taught_pairs"]

OPENS = 0.5  # part of a presentation after which learning begins: the cells have settled
TAUGHT = 1.0 - OPENS  # time for which each presentation is learned

NetworkParts = tuple[tuple[Layer, ...], tuple[Projection, ...], tuple[Stimulus, ...]]


def correlation(rate: Any, weights: Any, training: Presentations) -> PassiveDecay:
    """Return the law dz_ij/dt = M x_i x_j without decay, open in the second half of each presentation."""
    window = training.during(OPENS, 1.0)
    return PassiveDecay(rate=rate, sampling=Linear(), sampled=Linear(), decay=0.0, initial=weights, schedule=window)


def driven_by_errors(
    inputs: np.ndarray,
    targets: np.ndarray,
    training: Presentations,
    tests: tuple[np.ndarray, Sequence],
    rate: Any,
    speed: float,
    weights: Any,
) -> NetworkParts:
    """Return layers, projections and stimuli of a linear network that learns from its errors (LMS).

    Layer "error" holds e = d - sum_i z_i x_i, layer "output" d - e, which is sum_i z_i x_i with and without a target d.

    Parameters
    ----------
    inputs, targets : ndarray
        The patterns of the training, as rows.
    training : Presentations
        When they are shown; each lasts for a unit of time.
    tests : (ndarray, Sequence)
        Patterns that are shown without targets, and when.
    rate : float
        Learning rate.
    speed : float
        Rate at which all cells follow their inputs.
    weights : float or array
        Weights at time 0.
    """
    n, p, s = inputs.shape[1], targets.shape[1], speed
    shown = training.shown()
    layers = tuple(Layer.additive(name, size, A=s) for name, size in (("input", n), ("error", p), ("output", p)))
    projections = (
        Projection(
            "input",
            "error",
            "inhibitory",
            topology=AllToAll(weight=s),
            learning=correlation(rate, weights, training),
            name="memory",
        ),
        Projection("error", "output", "inhibitory", topology=OneToOne(weight=s)),
    )
    stimuli = (
        Stimulus("input", pattern=s * inputs, schedule=shown),
        Stimulus("input", pattern=s * tests[0], schedule=tests[1]),
        Stimulus("error", pattern=s * targets, schedule=shown),
        Stimulus("output", pattern=s * targets, schedule=shown),
    )
    return layers, projections, stimuli


def step_factor(rate: float, speed: float, inputs: np.ndarray) -> np.ndarray:
    """Return for each input the part of its error that one presentation takes away.

    With u = z.x the network obeys de/dt = s (d - u - e), du/dt = M |x|^2 e while learning is open, from e = d - u on.
    The weights move along x alone: z changes by (part) (d - z.x) x/|x|^2.
    """
    from scipy.linalg import expm

    length = (inputs**2).sum(axis=1)
    flows = [np.array([[-speed, -speed], [rate * size, 0.0]]) for size in length]  # of (e, u - d)
    return np.array([1.0 + (expm(TAUGHT * flow) @ [1.0, -1.0])[1] for flow in flows])


def taught_pairs(run: Run) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the patterns that were shown with targets and these targets, as rows, and when training ended."""
    shown, _, targets, _ = run.network.stimuli
    rates = [float(np.max(run.part(layer).A)) for layer in ("input", "error")]
    patterns, values = (np.asarray(s.pattern) / rate for s, rate in zip((shown, targets), rates, strict=True))
    schedule: Any = shown.schedule
    order = np.unique(np.asarray(schedule.items, dtype=int))
    return patterns[order], values[order], float(run.spans(shown, "")[-1].stop)
