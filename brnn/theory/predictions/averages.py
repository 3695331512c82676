"""What instars learn: every vector of weights is a mean of its start and of the patterns that were shown.

The weights to one cell obey dz_i/dt = M f (x_i - z_i) (12), with one factor M f >= 0 for all i: z goes to x and never
leaves the convex hull of its start and of all x. If the source cells are driven by inputs alone, at one rate, x goes on
straight lines from one equilibrium to the next. So z stays in the hull of its start, of the start of x, and of these
equilibria, whatever category cells do (Grossberg 1976: a time average of the patterns that the cell has coded).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Linear
from brnn.spec.layers.generalized import Layer
from brnn.spec.learning import Instar
from brnn.spec.network import Network
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases
from brnn.theory.predictions.bounds import variable_ranges
from brnn.theory.predictions.intervals import signal_range
from brnn.theory.predictions.measuring import saved

__all__ = ["averaged_patterns"]

_AVERAGES = "instars that average patterns (12)"
_SOURCE = "Grossberg (1976), Biol. Cybern. 23, 121-134; a linear equation with one factor for all weights of a cell"
_PATTERNS = 200
_CELLS = 400
_SHOWN = 12  # rows of weights that are measured


def averaged_patterns(network: Network) -> list[Prediction] | Unmet:
    """Say that the weights of each cell are a mean of their start and of the patterns."""
    links = [link for link in network.projections if type(link.learning) is Instar]
    if not links:
        return Unmet(_AVERAGES, "a projection that learns by (12)")
    found: list[Prediction] = []
    why = ""
    for link in links:
        said = _mean(network, link)
        if isinstance(said, str):
            why = said
        else:
            found.append(said)
    return found or Unmet(_AVERAGES, why)


def _mean(network: Network, link: Any) -> Prediction | str:
    source: Any = network.layer(link.source)
    law = link.learning
    if law.sampled != Linear() or law.layer_at("source", link.source, link.target) != source.name:
        return "weights that learn activities, h(w) = w"
    if link.topology.storage != "dense" or source.cells > _CELLS:
        return f"connections from all of at most {_CELLS} source cells"
    if any(s.target == source.name and (s.schedule.varying or s.schedule.white) for s in network.stimuli):
        return f"inputs of {source.name} that stay as they are or jump"
    if type(source) is not Layer or any(p.target == source.name for p in network.projections):
        return f"source cells that inputs alone drive ({source.label})"
    if any(event.actions for event in network.events):
        return "events that only record"
    f = signal_range(law.sampling or link.signal, variable_ranges(network)[f"{link.target}.x"])
    if f.low.min() < 0.0:
        return f"signals that gate learning and are not negative (one may be {f.low.min():.3g})"
    rows = [np.array(np.broadcast_to(source.initial, source.shape), dtype=float).ravel()]
    for phase in constant_phases(network):
        exc, inh = phase.inputs[source.name, "excitatory"].ravel(), phase.inputs[source.name, "inhibitory"].ravel()
        rate = np.broadcast_to(source.A + source.C * exc + source.F * inh, source.cells)
        if np.ptp(rate) > 1e-12 * rate.max() or rate.min() <= 0.0:
            return f"source cells that decay at one rate (they differ by {np.ptp(rate):.3g}, {phase})"
        rows.append((source.B * exc - source.E * inh) / rate)
    patterns = np.unique(np.round(rows, 12), axis=0)
    if len(patterns) > _PATTERNS:
        return f"at most {_PATTERNS} patterns"
    start = law.start(network.layer(link.target).cells * source.cells).reshape(-1, source.cells)
    size = max(float(np.abs(patterns).max()), float(np.abs(start).max()), 1e-3)
    return Prediction(
        f"distance of {link.name}.z from means of patterns",
        0.0,
        f"{len(start)} vectors of weights, each a mean of its start and of {len(patterns)} activities of {source.name}",
        f"{source.name} is driven by inputs alone, at one rate; the factor of learning is not negative",
        _SOURCE,
        details={"patterns": patterns},
        tolerance=1e-4 * size,
        _measure=partial(_outside, name=f"{link.name}.z", patterns=patterns, start=start, size=size),
    )


def _outside(result: Any, name: str, patterns: np.ndarray, start: np.ndarray, size: float) -> float:
    """Return how far the last weights are from the hull, of the cells whose weights moved most."""
    from scipy.optimize import nnls

    _, values = saved(result, name, None)
    weights = values[-1].reshape(start.shape)
    moved = np.argsort(-np.abs(weights - start).max(axis=1), kind="stable")[:_SHOWN]
    off = 0.0
    for j in moved:
        corners = np.concatenate([patterns, start[j][None]]) / size
        heavy = 10.0  # of the equation that the shares add up to 1
        M = np.concatenate([corners.T, np.full((1, len(corners)), heavy)])
        shares, _ = nnls(M, np.append(weights[j] / size, heavy))
        off = max(off, float(np.abs(corners.T @ shares - weights[j] / size).max()), heavy * abs(shares.sum() - 1.0))
    return size * off
