"""Units of discrete time: the whole course of what has no feedback, and how fast differences can grow with it.

- Units without feedback, x(n + 1) = g(W u(n) + b), know only their inputs; a cell that keeps a part of itself that
  inputs alone set, h(n + 1) = a(n) h(n) + v(n), is linear in h: ``h(n) = sum_k v(k) prod_{j > k} a(j)`` and what is
  left of its start (Martin and Cundy 2018; Feng et al. 2024, minGRU).
- tanh, max(w, 0) and w itself have no slope above 1, and the logistic function none above 1/4. So two courses of a
  network of units differ after a step in layer l by at most ``sum_m L_l |W_lm| d_m``: |W| is the largest singular value
  (Pascanu, Mikolov and Bengio 2013). If the matrix of these numbers has a spectral radius below 1, all courses with the
  same inputs come together: the network forgets its start, and with inputs that stay it has one equilibrium
  (the echo state property, Jaeger 2001). The same bound holds of a course and itself one step later.
"""

from __future__ import annotations

import itertools
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from brnn.signals import Linear
from brnn.spec.layers.activations import activated, logistic
from brnn.spec.layers.gated_unit import GatedUnitLayer
from brnn.spec.layers.memory_cell import MemoryCellLayer
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.layers.update_gate import UpdateGateLayer
from brnn.spec.network import Network
from brnn.spec.projection import ImmediateProjection
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet
from brnn.theory.predictions.measuring import saved

__all__ = ["growth_of_differences", "units_without_feedback"]

_COURSE = "units of discrete time without feedback"
_GROWTH = "units of discrete time whose differences grow by a known factor at most"
_LINEAR = "Martin and Cundy (2018), ICLR; Feng et al. (2024), arXiv:2410.01201; a linear recurrence"
_LIPSCHITZ = "Pascanu, Mikolov and Bengio (2013), ICML; Jaeger (2001), GMD Report 148"
_UNITS = (UnitLayer, GatedUnitLayer, UpdateGateLayer, MemoryCellLayer)
_STEPS = 5000
_ELEMENTS = 1_000_000


def units_without_feedback(network: Network) -> list[Prediction] | Unmet:
    """Give the course of units that nothing comes back to; what cells keep of themselves is no feedback here."""
    reason = _unmet(network, (UnitLayer, GatedUnitLayer, UpdateGateLayer, MemoryCellLayer))
    if reason is not None:
        return Unmet(_COURSE, reason)
    try:
        before = {x.name: {p.source for p in network.projections if p.target == x.name} for x in network.layers}
        names = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        return Unmet(_COURSE, f"no feedback ({' -> '.join(reversed(error.args[1]))})")
    step: Any = network.step
    count = round((network.duration or 1.0) / step)
    if count > _STEPS:
        return Unmet(_COURSE, f"at most {_STEPS} steps")
    courses: dict[str, np.ndarray] = {}
    for name in names:
        courses[name] = _course(network, network.layer(name), courses, count)
    return [
        Prediction(
            f"distance of {name}.x from its course",
            0.0,
            f"what {count} steps of its inputs lead to; at the end between {x[-1].min():.6g} and {x[-1].max():.6g}",
            "no feedback but what cells keep of themselves, by gates that inputs alone set",
            _LINEAR,
            details={"course": x},
            tolerance=1e-9 * max(1.0, float(np.abs(x).max())),
            _measure=partial(_away, name=f"{name}.x", course=x, step=step),
        )
        for name, x in courses.items()
    ]


def _unmet(network: Network, kinds: tuple[type, ...]) -> str | None:
    if not all(type(layer) in kinds for layer in network.layers):
        return "units of discrete time: " + ", ".join(kind.__name__ for kind in kinds)
    for link in network.projections:
        if link.signal != Linear() or link.gate is not None or link.learning is not None or link.modulation is not None:
            return f"signals that are the activities, without gates, learning and modulation ({link.label})"
        if link.delay:
            return f"projections without delays ({link.label})"
    if any(s.schedule.white for s in network.stimuli):
        return "no noise"
    if sum(network.layer(p.source).cells * network.layer(p.target).cells for p in network.projections) > _ELEMENTS:
        return f"at most {_ELEMENTS} connections"
    return None


def _course(network: Network, layer: Any, courses: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Return the states of all steps, shape (steps + 1, cells)."""
    net = {kind: np.zeros((count, layer.cells)) for kind in layer.kinds}
    for s in network.stimuli:
        if s.target == layer.name:
            net[s.kind] += [s.at(n * layer.step, layer.shape).ravel() for n in range(count)]
    for link in network.projections:
        if link.target == layer.name:
            W = link.topology.strengths(network.layer(link.source).shape, layer.shape)
            now = courses[link.source]
            net[link.kind] += (now[1:] if isinstance(link, ImmediateProjection) else now[:-1]) @ W.T
    x = np.array(np.broadcast_to(layer.initial, layer.shape), dtype=float).ravel()
    kept, added = _linear(layer, net)
    rows = [x]
    for a, v in zip(kept, added, strict=True):
        rows.append(a * rows[-1] + v)
    return np.array(rows)


def _linear(layer: Any, net: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return a and v of h(n + 1) = a(n) h(n) + v(n)."""
    factors = (layer.linear, layer.relu, layer.tanh, layer.sigmoid)
    exc, inh, mod = net["excitatory"], net["inhibitory"], net.get("modulatory")
    if isinstance(layer, UnitLayer):
        return 0.0 * exc, activated(exc - inh, *factors)
    if isinstance(layer, GatedUnitLayer):
        return 0.0 * exc, logistic(exc - inh) * activated(mod, *factors)
    if isinstance(layer, UpdateGateLayer):
        kept = logistic(layer.sense * np.asarray(mod))
        return kept, (1.0 - kept) * activated(exc - inh, *factors)
    kept = {"gate": logistic(inh), "coupled": logistic(-exc), "none": np.ones_like(exc)}[layer.forget]
    return kept, logistic(exc) * activated(mod, *factors)


def _away(result: Any, name: str, course: np.ndarray, step: float) -> float:
    times, values = saved(result, name, None)
    steps = np.round(times / step).astype(int)
    inside = steps < len(course)
    return float(np.abs(values[inside].reshape(inside.sum(), -1) - course[steps[inside]]).max())


def growth_of_differences(network: Network) -> list[Prediction] | Unmet:
    """Bound by how much a difference can grow in a step, and say whether the network forgets its start."""
    reason = _unmet(network, (UnitLayer,))
    if reason is not None:
        return Unmet(_GROWTH, reason)
    places = {layer.name: k for k, layer in enumerate(network.layers)}
    late, now = np.zeros((2, len(places), len(places)))
    for link in network.projections:
        layer: Any = network.layer(link.target)
        W = link.topology.strengths(network.layer(link.source).shape, layer.shape)
        slope = 0.25 if layer.sigmoid else 1.0
        norms = now if isinstance(link, ImmediateProjection) else late
        norms[places[link.target], places[link.source]] += slope * float(np.linalg.norm(W, 2))
    # d(n + 1) <= late d(n) + now d(n + 1), where what arrives in the same step comes from layers that stand before.
    N = np.linalg.solve(np.eye(len(places)) - now, late)
    radius = float(np.max(np.abs(np.linalg.eigvals(N))))
    if radius == 0.0:
        return Unmet(_GROWTH, "feedback")
    if radius < 1.0:
        ends = f"{radius:.6g} a step: with the same inputs all courses come together"
    else:
        ends = f"{radius:.6g} a step, which is not below 1: that all courses come together does not follow"
    step: Any = network.step
    return [
        Prediction(
            "growth of steps beside its bound",
            (0.0, 1.0),
            f"a difference grows by at most {ends}\n(with inputs that stay as they are no step exceeds the bound)",
            "units whose slopes are at most 1 (logistic: 1/4), feedback by matrices of known norms",
            _LIPSCHITZ,
            details={"norms": N, "spectral radius": radius},
            kind="within",
            tolerance=1e-6,
            _measure=partial(_growth, network=network, N=N, step=step),
        )
    ]


def _growth(result: Any, network: Network, N: np.ndarray, step: float) -> float:
    """Return the largest ratio of a layer's step to its bound, of steps between which no input changed."""
    moves = []
    for layer in network.layers:
        times, values = saved(result, f"{layer.name}.x", None)
        steps = np.round(times / step).astype(int)
        if (np.diff(steps) != 1).any() or len(steps) < 3:
            raise NotMeasured(f"{layer.name}.x: the run did not save every step")
        moves.append(np.linalg.norm(np.diff(values.reshape(len(values), -1), axis=0), axis=1))
    moved = np.array(moves)  # |x(n + 1) - x(n)| of each layer
    inputs = [
        np.concatenate(
            [s.at(n * step, network.layer(s.target).shape).ravel() for s in network.stimuli] or [np.zeros(1)]
        )
        for n in steps[:-1]
    ]
    calm = np.array([np.array_equal(a, b) for a, b in itertools.pairwise(inputs)])
    if not calm.any():
        raise NotMeasured("inputs change at every step")
    bound = N @ moved[:, :-1]
    small = 1e-12 * max(float(moved.max()), 1e-300)
    fed = N.any(axis=1)
    ratios = np.where(moved[:, 1:] > small, moved[:, 1:] / np.maximum(bound, small), 0.0)[:, calm]
    return float(ratios[fed].max())
