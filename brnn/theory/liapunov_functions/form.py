"""Recognize networks of the form (32) of Cohen and Grossberg, and say in one line why another one is none.

A layer is of this form if the sum over other cells is multiplied by a function of the cell's own activity alone. For
the generalized law (9), with own signals f of the cell i to itself, that is so in three cases:

- other cells only inhibit:   a_i = E + F x,  b_i = [-A x + (B - C x)(I_i + f(x))]/(E + F x) - J_i,   c_ij = G_ij;
- other cells only excite:    a_i = B - C x,  b_i = [-A x - (E + F x)(J_i + f(x))]/(B - C x) + I_i,   c_ij = -D_ij;
- additive layers, C = F = 0: a_i = 1,        b_i = -A x + B I_i - E J_i,                     c_ij = E G_ij - B D_ij.

The first is the general form of (28)-(31); with E = D, F = C = 1 and f all signals it is the RCF.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.signals import Linear, Signal, Step
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.learning import PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.theory.liapunov_functions.cells import CellFunctions, Edge, Term
from brnn.theory.liapunov_functions.coupling import CouplingBlock

__all__ = ["CohenGrossbergForm", "NotOfTheForm", "gather", "refuse_time"]


class NotOfTheForm(InputError):
    """A network that is not of the form (32)."""


@dataclass
class CohenGrossbergForm:
    """What a network consists of, in the terms of (32), before symmetry is asked for.

    Attributes
    ----------
    cells : dict
        The functions of each layer, by its name.
    blocks : dict
        c[target, source] by the names of the two layers.
    learned : list of (Projection, CouplingBlock, float)
        Projections with weights z, their coefficients without z, and the rate of learning.
    """

    cells: dict[str, CellFunctions]
    blocks: dict[tuple[str, str], CouplingBlock]
    learned: list[tuple[Projection, CouplingBlock, float]]


def refuse_time(network: Network) -> float:
    """Return the time after which no stimulus changes; refuse what depends on time in another way."""
    if network.step is not None:
        raise NotOfTheForm(f"{network.layers[0].label} has discrete time; (32) is a differential equation")
    if network.events:
        raise NotOfTheForm(
            f"{network.events[0].label} changes states or inputs at once; V is for what (32) does by itself"
        )
    if network.noisy:
        raise NotOfTheForm("a stimulus is white noise, which drives V up and down")
    for projection in network.projections:
        if projection.delay > 0:
            raise NotOfTheForm(f"{projection.label} has a delay; (32) has none, and delays can make it oscillate")
        if projection.gate is not None:
            raise NotOfTheForm(
                f"{projection.label} has a gate, a state that (32) does not have and that can make it oscillate"
            )
        if projection.modulation is not None:
            raise NotOfTheForm(f"{projection.label} is modulated by a third layer; (32) has sums of signals alone")
        _check_learning(projection, network)
    since = network.settled()
    if not np.isfinite(since):
        stimulus = next(s for s in network.stimuli if not np.isfinite(s.schedule.last()))
        raise NotOfTheForm(
            f"{stimulus.label} ({type(stimulus.schedule).__name__}) never stops to change; V needs constant inputs"
        )
    return since


def _check_learning(projection: Projection, network: Network) -> None:
    law = projection.learning
    if law is None:
        return
    at = f"{projection.label} learns by {type(law).__name__}"
    if not isinstance(law, PassiveDecay):
        raise NotOfTheForm(f"{at}; V is known for PassiveDecay (39) between a pair of layers (bam) and no other law")
    if law.schedule is not None:
        raise NotOfTheForm(f"{at} with a schedule of its rate; V needs a constant rate")
    if law.rate == 0.0:
        raise NotOfTheForm(f"{at} with rate 0; leave learning out and give the weights as a topology")
    if projection.kind == "inhibitory":
        raise NotOfTheForm(f"{at} and is inhibitory; V is known for excitatory weights that learn")
    ends = (projection.source, projection.target)
    if not any(other.learning is not None and (other.target, other.source) == ends for other in network.projections):
        raise NotOfTheForm(
            f"{projection.label} learns, but no projection back from '{ends[1]}' to '{ends[0]}' does; V needs a pair"
        )


def gather(network: Network, since: float) -> CohenGrossbergForm:
    """Return the functions and coefficients of a network, or raise NotOfTheForm."""
    signals = _signals(network)
    blocks: dict[tuple[str, str], CouplingBlock] = {}
    learned = []
    cells = {}
    start = 0
    for layer in network.layers:
        inputs = {kind: np.zeros(layer.cells) for kind in layer.kinds}
        for stimulus in network.stimuli:
            if stimulus.target == layer.name:
                inputs[stimulus.kind] += stimulus.at(since + 1.0, layer.shape).ravel()
        own, coupled = _arriving(network, layer, signals)
        kinds: set[str] = {projection.kind for projection, _ in coupled}
        if isinstance(layer, CohenGrossbergLayer):
            amplification, terms, factors = _cohen_grossberg(layer, inputs, own)
        elif isinstance(layer, (Layer, MembraneLayer)):
            amplification, terms, factors = _generalized(layer, inputs, own, kinds)
        else:
            raise NotOfTheForm(
                f"{layer.label} obeys another law than (32): its dx/dt is not a(x) [b(x) - sum c d] with a of its own "
                "activity"
            )
        place = slice(start, start + layer.cells)
        start = place.stop
        cells[layer.name] = CellFunctions(layer.name, place, signals[layer.name], terms, amplification)
        for projection, block in coupled:
            scaled = block.scaled(factors[projection.kind])
            if projection.learning is not None:
                learned.append((projection, scaled.scaled(-1.0), _rate(projection, signals)))
                continue
            key = (layer.name, projection.source)
            blocks[key] = blocks[key] + scaled if key in blocks else scaled
    return CohenGrossbergForm(cells, blocks, learned)


def _gain(signal: Signal) -> float:
    """Return the factor by which a signal differs from the same one with gain 1; 1 for signals without a gain."""
    gain = getattr(signal, "gain", 1.0)
    return float(gain) if isinstance(gain, (int, float)) else 1.0


def _ratio(signal: Signal, other: Signal) -> float | None:
    """Return k if signal = k other, else None."""
    if _gain(other) == 0.0 or type(signal) is not type(other):
        return None
    if signal == other:
        return 1.0
    if not hasattr(signal, "gain") or signal.replace(gain=1.0) != other.replace(gain=1.0):
        return None
    return _gain(signal) / _gain(other)


def _block(network: Network, projection: Projection) -> CouplingBlock:
    """Return the strengths of a projection; 0 if its signal is."""
    shapes = network.layer(projection.source).shape, network.layer(projection.target).shape
    block = CouplingBlock.of(projection.topology, *shapes)
    return block.scaled(0.0) if _gain(projection.signal) == 0.0 else block


def _is_own(projection: Projection, block: CouplingBlock) -> bool:
    """Tell whether each cell sends only to itself, and nothing is learned: then the signal is a part of b_i."""
    return projection.learning is None and projection.source == projection.target and block.only_own()


def _signals(network: Network) -> dict[str, Signal]:
    """Return d of each layer: the one signal that its cells send to other cells, with the gain that it has first."""
    found: dict[str, Signal] = {}
    for projection in network.projections:
        block = _block(network, projection)
        if _is_own(projection, block) or block.norm() == 0.0:
            continue
        signal = projection.signal
        known = found.setdefault(projection.source, signal)
        if _ratio(signal, known) is None:
            raise NotOfTheForm(
                f"layer '{projection.source}' sends two signals to other cells, {known!r} and {signal!r}; "
                "(32) has one d for each cell"
            )
        if isinstance(signal, Step):
            raise NotOfTheForm(f"{projection.label} sends a Step, which jumps; V needs signals that have a slope")
    return {layer.name: found.get(layer.name, Linear()) for layer in network.layers}


def _arriving(
    network: Network, layer: LayerLaw, signals: dict[str, Signal]
) -> tuple[list[tuple[Projection, Signal, np.ndarray]], list[tuple[Projection, CouplingBlock]]]:
    """Return what cells send to themselves (signal and strengths), and what they get from other cells."""
    own, coupled = [], []
    for projection in network.projections:
        if projection.target != layer.name:
            continue
        block = _block(network, projection)
        if _is_own(projection, block):
            own.append((projection, projection.signal, block.own()))
        elif block.norm() > 0.0:
            ratio = _ratio(projection.signal, signals[projection.source])
            assert ratio is not None  # _signals has made sure
            coupled.append((projection, block.scaled(ratio)))
    return own, coupled


def _rate(projection: Projection, signals: dict[str, Signal]) -> float:
    """Return M of (39) for the signals d; refuse a law that reads other signals than those that are sent."""
    law = projection.learning
    assert law is not None
    rate = law.rate
    ends = {"source": projection.source, "target": projection.target}
    for signal, place in law.reads(projection.signal):
        ratio = _ratio(signal, signals[ends[place]])
        if not ratio:
            raise NotOfTheForm(
                f"{projection.label}: learning reads {signal!r} at layer '{ends[place]}', which sends "
                f"{signals[ends[place]]!r}; V needs (39) with the signals that are sent"
            )
        rate *= ratio
    return rate


LayerParts = tuple[Any, list[Term], dict[str, Any]]


def _cohen_grossberg(layer: CohenGrossbergLayer, inputs: dict[str, np.ndarray], own: list[Any]) -> LayerParts:
    every = np.ones(layer.cells)
    terms = [Term(every, layer.b), Term(inputs["excitatory"] - inputs["inhibitory"])]
    terms += [Term(_sign(projection) * weights, signal) for projection, signal, weights in own]
    return layer.a, terms, {"excitatory": -1.0, "inhibitory": 1.0}


def _sign(projection: Projection) -> float:
    return 1.0 if projection.kind == "excitatory" else -1.0


def _generalized(
    layer: Layer | MembraneLayer, inputs: dict[str, np.ndarray], own: list[Any], kinds: set[str]
) -> LayerParts:
    """Return the parts of a generalized layer: one of the three cases of this module's docstring."""
    A, constant, B, C, E, F = (
        np.array(np.broadcast_to(k, layer.shape), dtype=float).ravel() for k in _parameters(layer)
    )
    falls, rises = bool(C.any()), bool(F.any())  # whether excitation and inhibition are shunting
    if len(kinds) == 2 and (falls or rises):
        raise NotOfTheForm(
            f"{layer.label} is excited and inhibited by other cells, and shunting: (32) allows only one of these "
            "(a cell's own excitation may have any form)"
        )
    I, J = inputs["excitatory"], inputs["inhibitory"]
    if kinds == {"inhibitory"} and rises:
        numerator = (B * I + constant, -A - C * I)
        return _bounded(layer, own, "inhibitory", Edge(-E / _whole(layer, F, "F"), F, 1), numerator, (B, -C), -J)
    if kinds == {"excitatory"} and falls:
        numerator = (constant - E * J, -A - F * J)
        return _bounded(layer, own, "excitatory", Edge(B / _whole(layer, C, "C"), C, -1), numerator, (-E, -F), I)
    # Here all that comes from other cells is multiplied by constants, which are a_i if one of them is enough.
    a = np.ones(layer.cells)
    if kinds == {"inhibitory"} and (E > 0).all():
        a = E
    elif kinds == {"excitatory"} or (len(kinds) == 2 and (B == E).all()):
        a = B
    terms = [Term((B * I - E * J + constant) / a), Term((-A - C * I - F * J) / a, times_x=True)]
    for projection, signal, weights in own:
        plain, times_x = (B, -C) if projection.kind == "excitatory" else (-E, -F)
        terms += [Term(plain * weights / a, signal), Term(times_x * weights / a, signal, times_x=True)]
    return a, terms, {"excitatory": -B / a, "inhibitory": E / a}


def _parameters(layer: Layer | MembraneLayer) -> tuple[Any, ...]:
    """Return A, a constant, B, C, E, F of dx/dt = -A x + constant + (B - C x) exc - (E + F x) inh."""
    if isinstance(layer, Layer):
        return layer.A, 0.0, layer.B, layer.C, layer.E, layer.F
    V_p, V_plus, V_minus, g, C = (np.asarray(k) for k in (layer.V_p, layer.V_plus, layer.V_minus, layer.g_p, layer.C))
    return g / C, g * V_p / C, V_plus / C, 1.0 / C, -V_minus / C, 1.0 / C


def _whole(layer: LayerLaw, values: np.ndarray, name: str) -> np.ndarray:
    if not values.all():
        raise NotOfTheForm(f"{layer.label}: {name} is 0 for some cells only; give them a layer of their own")
    return values


def _bounded(
    layer: LayerLaw,
    own: list[Any],
    shared: str,
    edge: Edge,
    numerator: tuple[np.ndarray, np.ndarray],
    opposite: tuple[np.ndarray, np.ndarray],
    direct: np.ndarray,
) -> LayerParts:
    """Return the parts of a shunting layer whose cells get signals of the kind `shared` from others.

    b_i = [p + q x + (P + Q x) f(x)]/(slope r) + direct, and x = s + side r separates what is infinite at the edge from
    what is not. p, q are the `numerator`; P, Q multiply the cell's own signals of the opposite kind.
    """
    (p, q), (P, Q) = numerator, opposite
    s, k, side = edge.place, edge.slope, edge.side
    terms = [Term((p + q * s) / k, over=True), Term(side * q / k + direct)]
    for projection, signal, weights in own:
        if projection.kind == shared:
            terms.append(Term(_sign(projection) * weights, signal))
        else:
            terms += [Term((P + Q * s) * weights / k, signal, over=True), Term(side * Q * weights / k, signal)]
    sign = -1.0 if shared == "excitatory" else 1.0
    return edge, terms, {shared: sign}
