"""Networks without feedback: where each layer settles, gates included, and what it does before gates have moved.

While inputs are constant every layer settles in its turn, and so does every gate (10), at H K/(H + L f). Cells are fast
and gates slow in gated dipoles: just after inputs change, cells answer with the gates that they had. That is the
overshoot of an onset, and the rebound of the opponent channels at an offset, for any number of channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from graphlib import CycleError, TopologicalSorter
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.network import Network
from brnn.theory.habituation import gate_level
from brnn.theory.predictions.base import InputPhase, NotMeasured, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest

__all__ = ["settling_layers"]

_CASCADE = "layers without feedback, which settle one after the other"
_SOURCE = "review, (9), (10); Grossberg (1972), Math. Biosci. 15, 253-285 for gated dipoles"
_ELEMENTS = 4_000_000
_PHASES = 50
_SOON, _LATE = 6.0, 15.0  # times of the slowest cell after a change, between which its first answer is looked at

State = dict[str, np.ndarray]


def settling_layers(network: Network) -> list[Prediction] | Unmet:
    """Give the rest of each layer and gate with each of its inputs, and the first answers to their changes."""
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_CASCADE, reason)
    if not network.projections:
        return Unmet(_CASCADE, "projections")
    order = _order(network)
    if isinstance(order, Unmet):
        return order
    phases = list(constant_phases(network))
    if len(phases) > _PHASES:
        return Unmet(_CASCADE, f"at most {_PHASES} intervals of constant inputs (it has {len(phases)})")
    found: list[Prediction] = []
    gates: State | None = None
    for phase in phases:
        settled = _settled(network, order, phase)
        if isinstance(settled, Unmet):
            return settled
        if gates is not None:
            found += _first_answers(network, order, phase, gates)
        found += list(_rests(network, settled, phase))
        gates = {name: value for name, value in settled.items() if name.endswith(".y")}
    return found


def _order(network: Network) -> list[Any] | Unmet:
    """Return the layers in the order in which they settle."""
    elements = 0
    for layer in network.layers:
        if not isinstance(layer, (Layer, MembraneLayer)):
            return Unmet(_CASCADE, f"layers of cells that obey (9) or (20) ({layer.label} does not)")
    before: dict[str, set[str]] = {layer.name: set() for layer in network.layers}
    for link in network.projections:
        if link.learning is not None:
            return Unmet(_CASCADE, f"projections that do not learn ({link.label} does)")
        if link.modulation is not None:
            return Unmet(_CASCADE, f"projections without modulation ({link.label} has one)")
        if link.gate is not None and not (isinstance(link.gate, HabituativeGate) and link.gate.per == "source"):
            return Unmet(_CASCADE, f"habituative gates, one for each source cell ({link.label})")
        before[link.target].add(link.source)
        elements += network.layer(link.source).cells * network.layer(link.target).cells
    if elements > _ELEMENTS:
        return Unmet(_CASCADE, f"at most {_ELEMENTS} connections (it has room for {elements})")
    try:
        names = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        return Unmet(_CASCADE, f"no feedback ({' -> '.join(reversed(error.args[1]))})")
    return [network.layer(name) for name in names]


def _settled(network: Network, order: list[Any], phase: InputPhase, gates: State | None = None) -> State | Unmet:
    """Return where everything settles; with `gates` where cells do while these have not moved."""
    state: State = {}
    for layer in order:
        exc, inh = (phase.inputs[layer.name, kind].ravel() for kind in ("excitatory", "inhibitory"))
        arriving = {"excitatory": exc.copy(), "inhibitory": inh.copy()}
        for link in network.projections:
            if link.target != layer.name:
                continue
            source = network.layer(link.source)
            f = np.asarray(link.signal(state[f"{link.source}.x"]), dtype=np.float64)
            if isinstance(link.gate, HabituativeGate):
                name = f"{link.name}.y"
                level = gate_level(f, link.gate.H, link.gate.K, link.gate.L)
                state[name] = level if gates is None else gates[name]
                f = f * state[name]
            arriving[link.kind] += link.topology.strengths(source.shape, layer.shape) @ f
        rate, current = _rate(layer, arriving["excitatory"], arriving["inhibitory"])
        if not np.all(rate > 0.0):
            return Unmet(_CASCADE, f"cells that decay ({layer.label} does not, {phase})")
        state[f"{layer.name}.x"] = current / rate
    return state


def _rate(layer: Any, exc: np.ndarray, inh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return r and c of dx/dt = c - r x."""
    if isinstance(layer, MembraneLayer):
        C, plus, minus, rest, g = (
            np.broadcast_to(p, layer.shape).ravel()
            for p in (layer.C, layer.V_plus, layer.V_minus, layer.V_p, layer.g_p)
        )
        return (exc + inh + g) / C, (plus * exc + minus * inh + rest * g) / C
    A, B, C, E, F = (np.broadcast_to(p, layer.shape).ravel() for p in (layer.A, layer.B, layer.C, layer.E, layer.F))
    return A + C * exc + F * inh, B * exc - E * inh


def _rests(network: Network, settled: State, phase: InputPhase) -> Iterator[Prediction]:
    shapes = network.state_shapes
    for name, value in settled.items():
        x = value.reshape(shapes[name])
        during = (phase.start, phase.stop)
        yield Prediction(
            name,
            x,
            f"{phase}: settles at {pattern_in_words(x)}",
            "the inputs stay as they are, no feedback",
            _SOURCE,
            during,
            _measure=partial(at_rest, name=name, during=during),
        )


def _first_answers(network: Network, order: list[Any], phase: InputPhase, gates: State) -> Iterator[Prediction]:
    """Give what layers behind gates do just after a change, while the gates are still those of before."""
    if not gates:
        return
    first = _settled(network, order, phase, gates)
    late = _settled(network, order, phase)
    if isinstance(first, Unmet) or isinstance(late, Unmet):
        return
    slowest = min(float(np.min(layer.A)) if isinstance(layer, Layer) else np.inf for layer in order)
    fastest = max(
        float(np.max(link.gate.H + link.gate.L * np.abs(link.signal(late[f"{link.source}.x"]))))
        for link in network.projections
        if isinstance(link.gate, HabituativeGate)
    )
    if not (np.isfinite(slowest) and slowest > 0.0):
        return
    # Until the answer is looked at gates move by this part of their way, and cells have nearly come to theirs.
    moved = _LATE * fastest / slowest + len(order) * 6.0 * np.exp(-_SOON)
    for layer in order:
        name = f"{layer.name}.x"
        size = float(np.max(np.abs(first[name] - late[name])))
        if size <= 1e-12 * max(1.0, float(np.max(np.abs(first[name])))):
            continue
        x = first[name].reshape(layer.shape)
        scale = max(size, float(np.max(np.abs(first[name]))))
        yield Prediction(
            f"first answer of {name}",
            x,
            f"t = {phase.start:g}, before the gates move: {pattern_in_words(x)}",
            f"gates that were at rest and are slow beside cells: {fastest:.4g} of {slowest:.4g} per unit of time",
            _SOURCE,
            (phase.start, phase.stop),
            tolerance=min(1.0, moved) * scale,
            _measure=partial(_soon, name=name, start=phase.start, rate=slowest, gates=dict(gates)),
        )


def _soon(result: Any, *, name: str, start: float, rate: float, gates: State) -> np.ndarray:
    """Return a layer when cells have answered and gates have hardly moved."""
    times = np.asarray(result[name]["time"].values)
    for gate, level in gates.items():
        array = result[gate]
        before = np.flatnonzero(np.asarray(array["time"].values) <= start)
        if not before.size or np.max(np.abs(np.ravel(array.values[before[-1]]) - level)) > 1e-3 * np.max(np.abs(level)):
            raise NotMeasured(f"{name}: gate {gate} was not at rest at t = {start:g}")
    inside = np.flatnonzero((times >= start + _SOON / rate) & (times <= start + _LATE / rate))
    if not inside.size:
        raise NotMeasured(f"{name}: no saved time between t = {start + _SOON / rate:g} and {start + _LATE / rate:g}")
    return np.asarray(result[name].values[inside[0]])
