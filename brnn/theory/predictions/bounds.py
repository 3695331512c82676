"""Intervals that activities, gates and weights cannot leave: for any network, from its signs and its inputs.

Where all that arrives stays between two values, a cell (9) stays between the equilibria that belong to them (or where
it begins, if that is outside): at the upper end dx/dt <= 0, at the lower one dx/dt >= 0. Signals of activities in
known intervals lie in intervals themselves, so that this is done again and again. It begins with x >= 0 wherever x
is so at first and no rate points out of that; the theorem after (8), -E/F <= x <= B/C, is the first round. A gate (10)
stays between 0 and K, a weight that tracks a signal, (11) and (12), between its first value and those of the signal.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Linear, Logistic, Power, Saturating, Sigmoid, Signal, Step, ThresholdLinear
from brnn.spec.events.actions import NextPhase, SetState, StartStimulus, StopRun, SwitchStimulus
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.layers.box import BoxLayer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.gated_unit import GatedUnitLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.layers.memory_cell import MemoryCellLayer
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.layers.update_gate import UpdateGateLayer
from brnn.spec.layers.wilson_cowan import WilsonCowanLayer
from brnn.spec.learning import DoublyGated, Instar, Outstar, PassiveDecay, SelfNormalizing
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.theory.habituation import gate_level
from brnn.theory.predictions.base import Prediction, Unmet

__all__ = ["bounded_activities", "input_range", "signal_range", "variable_ranges"]

_BOUNDED = "intervals that activities cannot leave (8)"
_SOURCE = "review, after (8), (10)-(12); interval arithmetic, derived in brnn.theory.predictions.bounds"
_ROUNDS = 40  # each makes intervals smaller, or changes nothing
_ELEMENTS = 4_000_000  # of all connections; of more only what follows from signs is said
_SAMPLES = 4001  # of a signal of the user's own
_FAR = 1e8  # a signal of the user's own that has stopped to change there has a limit


@dataclass(frozen=True)
class Interval:
    """Lowest and highest value of each element, flat."""

    low: np.ndarray
    high: np.ndarray

    @classmethod
    def around(cls, values: Any, size: int) -> Interval:
        """Return the intervals of single values."""
        one = np.array(np.broadcast_to(np.ravel(values), size), dtype=np.float64)
        return cls(one, one)

    @classmethod
    def everything(cls, size: int) -> Interval:
        """Return what is known of nothing."""
        return cls(np.full(size, -np.inf), np.full(size, np.inf))

    def __add__(self, other: Interval) -> Interval:
        return Interval(self.low + other.low, self.high + other.high)

    def __mul__(self, other: Interval) -> Interval:
        with np.errstate(invalid="ignore"):
            ends = np.stack([np.nan_to_num(a * b, nan=0.0, posinf=np.inf, neginf=-np.inf)
                             for a in (self.low, self.high) for b in (other.low, other.high)])  # fmt: skip
        return Interval(ends.min(axis=0), ends.max(axis=0))

    def joined(self, other: Interval) -> Interval:
        """Return the smallest intervals that contain both."""
        return Interval(np.minimum(self.low, other.low), np.maximum(self.high, other.high))

    def within(self, other: Interval) -> Interval:
        """Return what lies in both."""
        return Interval(np.maximum(self.low, other.low), np.minimum(self.high, other.high))


def signal_range(signal: Signal, x: Interval) -> Interval:
    """Return between which values a signal lies if activities do."""
    low, high = x.low, x.high
    if isinstance(signal, (Linear, Power, Saturating, Sigmoid, Logistic, ThresholdLinear, Step)):
        top = signal.gain * (signal.ceiling if isinstance(signal, ThresholdLinear) else 1.0)
        unbounded = isinstance(signal, (Linear, Power))
        ends = []
        for value in (low, high):
            finite = np.where(np.isfinite(value), value, 0.0)
            at = np.asarray(signal(finite), dtype=np.float64)
            above = np.full(at.shape, np.sign(signal.gain) * np.inf if unbounded else top)
            below = np.full(at.shape, -np.sign(signal.gain) * np.inf if isinstance(signal, Linear) else 0.0)
            ends.append(np.where(np.isposinf(value), above, np.where(np.isneginf(value), below, at)))
        return Interval(np.minimum(*ends), np.maximum(*ends))
    return _own_signal_range(signal, x)


def _own_signal_range(signal: Signal, x: Interval) -> Interval:
    """Return the range of a signal of the user's own, where it rises or falls all the way, as far as samples tell."""
    lowest = np.full(x.low.size, 0.0 if signal.nonnegative else -np.inf)
    result = Interval(lowest, np.full(x.low.size, np.inf))
    far = np.geomspace(1.0, _FAR, 200)
    low, high = np.maximum(x.low, -_FAR), np.minimum(x.high, _FAR)
    places = np.concatenate([np.linspace(max(low.min(), -9.0), min(high.max(), 9.0), _SAMPLES), -far, far, low, high])
    samples = np.asarray(signal(np.unique(places[(places >= low.min()) & (places <= high.max())])), dtype=np.float64)
    slopes = np.diff(samples)
    if not (np.isfinite(samples).all() and ((slopes >= 0.0).all() or (slopes <= 0.0).all())):
        return result
    ends = []
    for value, cut in ((x.low, low), (x.high, high)):
        at, before = np.asarray(signal(cut)), np.asarray(signal(0.01 * cut))
        growing = np.isinf(value) & (np.abs(at - before) > 1e-12 * np.abs(at))
        ends.append(np.where(growing, np.where(at > before, np.inf, -np.inf), at))
    return Interval(np.minimum(*ends), np.maximum(*ends))


def input_range(network: Network, layer: str, kind: str) -> Interval:
    """Return between which values the input of each cell lies at all times."""
    target = network.layer(layer)
    stimuli = [s for s in network.stimuli if s.target == layer and s.kind == kind]
    total = Interval.around(0.0, target.cells)
    if not stimuli:
        return total
    last = network.settled()
    if any(s.schedule.white for s in stimuli):
        return Interval.everything(target.cells)
    if not np.isfinite(last):
        return _endless_range(stimuli, target.shape)
    edges = np.concatenate([[0.0], network.breaks(last + 1.0), [last]])
    times = np.unique(np.concatenate([edges, np.nextafter(edges[1:], 0.0)]))
    if network.events:  # they may switch stimuli, and move the times of phases
        for stimulus in stimuli:
            values = np.stack([stimulus.at(t, target.shape).ravel() for t in times] + [np.zeros(target.cells)])
            total = total + Interval(values.min(axis=0), values.max(axis=0))
        return total
    values = np.stack([sum((s.at(t, target.shape).ravel() for s in stimuli), np.zeros(target.cells)) for t in times])
    return Interval(values.min(axis=0), values.max(axis=0))


def _endless_range(stimuli: list[Any], shape: tuple[int, ...]) -> Interval:
    """Return the range of stimuli of which one changes for ever: only what the lowest factors say."""
    size = int(np.prod(shape))
    low = np.zeros(size)
    for stimulus in stimuli:
        pattern = (
            np.broadcast_to(stimulus.pattern, shape).ravel() if np.shape(stimulus.pattern) in ((), shape) else None
        )
        lowest = stimulus.schedule.lowest()
        low += -np.inf if pattern is None or (pattern < 0).any() else np.minimum(lowest * pattern, 0.0)
    return Interval(low, np.full(size, np.inf))


def bounded_activities(network: Network) -> list[Prediction] | Unmet:
    """Say between which values each variable of a network stays."""
    setting = [event for event in network.events if any(not _keeps(action) for action in event.actions)]
    if setting:
        return Unmet(_BOUNDED, f"events that take no state out of bounds ({setting[0].label} may)")
    ranges = variable_ranges(network)
    return list(_predictions(network, ranges)) or Unmet(_BOUNDED, "inputs and signals with known signs or bounds")


def _keeps(action: Any) -> bool:
    if isinstance(action, SetState):
        return 0.0 <= action.scale < 1.0
    return isinstance(action, (NextPhase, StopRun, StartStimulus, SwitchStimulus))


def _predictions(network: Network, ranges: dict[str, Interval]) -> Iterator[Prediction]:
    shapes = network.state_shapes
    for name, found in ranges.items():
        low, high = (np.array(side).reshape(shapes[name]) for side in (found.low, found.high))
        if np.isinf(low).all() and np.isinf(high).all():
            continue
        value = tuple(float(side.flat[0]) if (side == side.flat[0]).all() else side for side in (low, high))
        words = f"from {_in_words(low, min)} to {_in_words(high, max)} at all times"
        yield Prediction(
            f"bounds of {name}",
            value,
            words,
            "strengths, rates and learning rates that are not negative, and a start inside",
            _SOURCE,
            kind="within",
            tolerance=_tolerance(low, high),
            _measure=partial(_recorded, name=name),
        )


def _recorded(result: Any, name: str) -> np.ndarray:
    return np.asarray(result[name].values)


def _tolerance(low: np.ndarray, high: np.ndarray) -> float:
    ends = np.abs(np.concatenate([low.ravel(), high.ravel()]))
    return 1e-5 * max(1e-3, float(np.max(ends[np.isfinite(ends)], initial=0.0)))


def _in_words(side: np.ndarray, choose: Any) -> str:
    end = float(choose(side.ravel()))
    return f"{end:.6g}" if np.isfinite(end) else "-infinity" if end < 0 else "infinity"


def variable_ranges(network: Network) -> dict[str, Interval]:
    """Return the interval of each variable, by its name; nothing is known if there are too many connections."""
    elements = sum(network.layer(p.source).cells * network.layer(p.target).cells for p in network.projections)
    if elements > _ELEMENTS:
        return {}
    rates = _Rates(network)
    ranges = rates.guess()
    while True:  # what begins at 0 or above stays there, if no rate points out of it while all of these do
        found = rates.narrowed(ranges, keep=False)
        wrong = {name for name, part in ranges.items() if (found[name].low < part.low).any()}
        if not wrong:
            break
        for name in wrong:
            ranges[name] = Interval.everything(ranges[name].low.size)
    for _ in range(_ROUNDS):
        found = rates.narrowed(ranges)
        if all(
            np.array_equal(found[n].low, r.low) and np.array_equal(found[n].high, r.high) for n, r in ranges.items()
        ):
            break
        ranges = found
    return ranges


class _Rates:
    """What arrives at the cells of a network while its variables stay in given intervals."""

    def __init__(self, network: Network) -> None:
        self.network = network
        shapes = {layer.name: layer.shape for layer in network.layers}
        self.inputs = {(l.name, kind): input_range(network, l.name, kind) for l in network.layers for kind in l.kinds}
        self.weights = {p.name: p.topology.strengths(shapes[p.source], shapes[p.target]) for p in network.projections}
        self.start = {}
        parts: dict[str, Any] = {layer.name: layer for layer in network.layers}
        parts |= {str(link.name): link for link in network.projections}
        for name, size in network.states.items():
            group, _, quantity = name.rpartition(".")
            self.start[name] = Interval.around(parts[group].start(quantity, size), size)
        for action in (action for event in network.events for action in event.actions):
            if isinstance(action, SetState):  # s x + v lies between x and v/(1 - s)
                part = self.start[action.state]
                set_to = Interval.around(np.asarray(action.value) / (1.0 - action.scale), part.low.size)
                self.start[action.state] = part.joined(set_to)

    def guess(self) -> dict[str, Interval]:
        """Return what all begin with: nothing below 0 that does not begin there."""
        return {
            name: Interval(np.where(part.low >= 0.0, 0.0, -np.inf), np.full(part.low.size, np.inf))
            for name, part in self.start.items()
        }

    def narrowed(self, ranges: dict[str, Interval], keep: bool = True) -> dict[str, Interval]:
        """Return where each variable stays while all stay in `ranges`; with `keep` cut by these."""
        found: dict[str, Interval | None] = {}
        for layer in self.network.layers:
            arriving = {kind: self.inputs[layer.name, kind] for kind in layer.kinds}
            for link in self.network.projections:
                if link.target == layer.name:
                    arriving[link.kind] = arriving[link.kind] + _arriving(link, self.weights[str(link.name)], ranges)
            found[f"{layer.name}.x"] = _cell_range(layer, arriving)
        for link in self.network.projections:
            if link.gate is not None:
                found[f"{link.name}.y"] = _gate_range(link, ranges)
            if link.learning is not None:
                found[f"{link.name}.z"] = _weight_range(link, ranges, self.start[f"{link.name}.z"])
        result = {}
        for name, part in found.items():
            start = self.start[name]
            whole = Interval.everything(start.low.size) if part is None else part.joined(start)
            result[name] = whole.within(ranges[name]) if keep else whole
        return result


def _read(link: Projection, ranges: dict[str, Interval], signal: Signal, at: str) -> Interval:
    """Return the range of all values of a signal that is read at one end of a projection, or summed there."""
    x = ranges[f"{link.source if at.startswith('source') else link.target}.x"]
    found = signal_range(signal, x)
    if at.endswith("total"):
        return Interval(np.atleast_1d(found.low.sum()), np.atleast_1d(found.high.sum()))
    return Interval(np.atleast_1d(found.low.min()), np.atleast_1d(found.high.max()))


def _gate_range(link: Projection, ranges: dict[str, Interval]) -> Interval | None:
    f = _read(link, ranges, link.signal, "source")
    if not isinstance(link.gate, HabituativeGate) or f.low[0] < 0.0:
        return None
    size = ranges[f"{link.name}.y"].low.size
    most, least = (gate_level(end[0], link.gate.H, link.gate.K, link.gate.L) for end in (f.low, f.high))
    return Interval(np.full(size, least), np.full(size, most))


def _weight_range(link: Projection, ranges: dict[str, Interval], start: Interval) -> Interval | None:
    law, size = link.learning, start.low.size
    assert law is not None
    read = [_read(link, ranges, signal, at) for signal, at in law.reads(link.signal)]
    if isinstance(law, (Outstar, Instar, DoublyGated)) and all(f.low[0] >= 0.0 for f in read[:-1]):
        low, high = float(read[-1].low[0]), float(read[-1].high[0])
    elif isinstance(law, SelfNormalizing) and all(f.low[0] >= 0.0 for f in read):
        low, high = 0.0, 1.0
    elif isinstance(law, PassiveDecay):
        product = read[0] * read[1]
        low, high = (law.rate * _lasting(law, float(end[0])) for end in (product.low, product.high))
        if law.decay > 0.0:
            low, high = low / law.decay, high / law.decay
        else:
            return Interval(
                start.low if low >= 0.0 else np.full(size, -np.inf),
                start.high if high <= 0.0 else np.full(size, np.inf),
            )
    else:
        return None
    return Interval(np.full(size, low), np.full(size, high))


def _lasting(law: PassiveDecay, end: float) -> float:
    """Return an end of f h times what a schedule of the rate may make of it: nothing, or itself; more is unknown."""
    return end if law.schedule is None else min(end, 0.0) if end < 0 else end


def _arriving(link: Projection, W: np.ndarray, ranges: dict[str, Interval]) -> Interval:
    """Return between which values the sum of a projection's signals lies, for each target cell."""
    sent = signal_range(link.signal, ranges[f"{link.source}.x"])
    if link.gate is not None:
        y = ranges[f"{link.name}.y"]
        sent = sent * (y if y.low.size == sent.low.size and link.gate.per == "source" else _whole(y, sent.low.size))
    if link.learning is not None:
        sent = sent * _whole(ranges[f"{link.name}.z"], sent.low.size)
    positive, negative = np.maximum(W, 0.0), np.minimum(W, 0.0)
    return Interval(_product(positive, sent.low) + _product(negative, sent.high),
                    _product(positive, sent.high) + _product(negative, sent.low))  # fmt: skip


def _whole(part: Interval, size: int) -> Interval:
    return Interval(np.full(size, part.low.min()), np.full(size, part.high.max()))


def _product(W: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return W v, where an infinite v counts only if its strength is not 0."""
    infinite = np.isinf(values)
    result = W @ np.where(infinite, 0.0, values)
    if infinite.any():
        with np.errstate(invalid="ignore"):
            touched = np.where(W[:, infinite] != 0.0, np.sign(W[:, infinite]) * values[infinite], 0.0)
        result = result + touched.sum(axis=1)
    return np.asarray(result)


def _cell_range(layer: Any, arriving: dict[str, Interval]) -> Interval | None:
    """Return between which equilibria a cell lies whose inputs lie between these values; None if the law has none."""
    if isinstance(layer, WilsonCowanLayer):
        return _wilson_cowan(layer, arriving)
    if isinstance(layer, (BinaryLayer, BoxLayer)):  # cut there, whatever arrives
        limits: Any = layer.bounds()
        return Interval(*(np.array(np.broadcast_to(side, layer.shape)).ravel() for side in limits))
    if isinstance(layer, (UnitLayer, GatedUnitLayer, UpdateGateLayer, MemoryCellLayer)):
        return _unit(layer, arriving)
    if not isinstance(layer, (Layer, GatedLayer, MembraneLayer)):
        return None
    exc, inh = arriving["excitatory"], arriving["inhibitory"]
    if isinstance(layer, MembraneLayer):
        C = np.broadcast_to(layer.C, layer.shape).ravel()
        A, gain, shunt = layer.g_p / C, layer.V_plus / C, 1.0 / C
        lost, constant = -np.asarray(layer.V_minus) / C, layer.g_p * np.asarray(layer.V_p) / C
        parts: tuple[Any, ...] = (A, gain, shunt, lost, shunt, constant)
    else:
        parts = (layer.A, layer.B, layer.C, layer.E, layer.F, 0.0)
    A, B, C, E, F, constant = (np.array(np.broadcast_to(p, layer.shape), dtype=float).ravel() for p in parts)
    shunted = bool(C.any() or F.any())
    if shunted and not ((exc.low >= 0.0).all() and (inh.low >= 0.0).all()):
        return None
    # An equilibrium is a mean of B/C, -E/F and the rest, weighted by what arrives: it is largest at one of the corners.
    corners = [_equilibrium(A, B, C, E, F, constant, e, i)
               for e in (exc.low, exc.high) for i in (inh.low, inh.high)]  # fmt: skip
    stacked = np.stack(corners)
    low, high = (np.where(np.isnan(stacked), end, stacked) for end in (np.inf, -np.inf))
    return Interval(low.min(axis=0), high.max(axis=0))


def _equilibrium(A: Any, B: Any, C: Any, E: Any, F: Any, constant: Any, exc: np.ndarray, inh: np.ndarray) -> np.ndarray:
    """Return (constant + B exc - E inh)/(A + C exc + F inh), infinite inputs included; nan where nothing is known."""
    big = 1e290
    e, i = np.clip(exc, -big, big), np.clip(inh, -big, big)
    with np.errstate(all="ignore"):
        numerator, rate = constant + B * e - E * i, A + C * e + F * i
        value = numerator / rate
        value = np.where(rate > 0.0, value, np.sign(numerator) * np.inf)  # nan where nothing moves
        value = np.where(np.abs(value) > 1e200, np.sign(value) * np.inf, value)
    return np.asarray(value)


def _unit(layer: Any, arriving: dict[str, Interval]) -> Interval | None:
    """Return the range of units of discrete time: of what they become, or of what they approach a part of the way."""
    net = arriving["excitatory"] + Interval(-arriving["inhibitory"].high, -arriving["inhibitory"].low)
    if isinstance(layer, MemoryCellLayer):
        return _activated(layer.activation, arriving["modulatory"]) if layer.forget == "coupled" else None
    if isinstance(layer, GatedUnitLayer):
        return _activated("sigmoid", net) * _activated(layer.activation, arriving["modulatory"])
    return _activated(layer.activation, net)


def _activated(activation: str, net: Interval) -> Interval:
    if activation == "linear":
        return net
    if activation == "relu":
        return Interval(np.maximum(net.low, 0.0), np.maximum(net.high, 0.0))
    if activation == "tanh":
        return Interval(np.tanh(net.low), np.tanh(net.high))
    return Interval(*(0.5 * (1.0 + np.tanh(0.5 * end)) for end in (net.low, net.high)))


def _wilson_cowan(layer: WilsonCowanLayer, arriving: dict[str, Interval]) -> Interval | None:
    a, theta, k, r = (np.broadcast_to(p, layer.shape).ravel() for p in (layer.a, layer.theta, layer.k, layer.r))
    net = arriving["excitatory"] + Interval(-arriving["inhibitory"].high, -arriving["inhibitory"].low)
    with np.errstate(all="ignore"):
        S = [1.0 / (1.0 + np.exp(-a * (w - theta))) - 1.0 / (1.0 + np.exp(a * theta)) for w in (net.low, net.high)]
    if np.isnan(S).any() or (1.0 + r * S[0] <= 0.0).any():
        return None
    return Interval(*(k * s / (1.0 + r * s) for s in S))
