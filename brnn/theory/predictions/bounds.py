"""Intervals that activities, gates and weights cannot leave: for any network, from its signs and its inputs.

Where all that arrives stays between two values, a cell (9) stays between the equilibria that belong to them (or where
it begins, if that is outside): at the upper end dx/dt <= 0, at the lower one dx/dt >= 0. Signals of activities in
known intervals lie in intervals themselves, so that this is done again and again. It begins with x >= 0 wherever x
is so at first and no rate points out of that; the theorem after (8), -E/F <= x <= B/C, is the first round. A gate (10)
stays between 0 and K, a weight that tracks a signal, (11) and (12), between its first value and those of the signal.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Signal
from brnn.spec.events.actions import NextPhase, StopRun
from brnn.spec.events.maps import MoveMaps
from brnn.spec.events.set_state import SetState
from brnn.spec.events.stimulus_actions import StartStimulus, SwitchStimulus
from brnn.spec.gates import HabituativeGate
from brnn.spec.layers.spiking import TraceLayer
from brnn.spec.learning import DoublyGated, Instar, Outstar, PassiveDecay, SelfNormalizing, Taught
from brnn.spec.modulation import Modulation
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.theory.habituation import gate_level
from brnn.theory.predictions.base import Prediction, Unmet
from brnn.theory.predictions.intervals import SAMPLES, Interval, cell_range, is_sampled, signal_range

__all__ = ["bounded_activities", "variable_ranges"]

_BOUNDED = "intervals that activities cannot leave (8)"
_SOURCE = "review, after (8), (10)-(12); interval arithmetic, derived in brnn.theory.predictions.bounds"
_ROUNDS = 40  # each makes intervals smaller, or changes nothing
_ELEMENTS = 4_000_000  # of all connections; of more only what follows from signs is said


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
    if not np.isfinite(last) or any(s.schedule.per_cell for s in stimuli):  # cells know where an animal goes
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
    """Return the range of stimuli of which one changes for ever, or along a path: only what the lowest factors say."""
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
    if network.spiking:  # equal steps of Euler's method, which takes other cells out of bounds where a step is long
        traces = [layer for layer in network.layers if isinstance(layer, TraceLayer)]
        steps = [getattr(network.layer(of), "step", 0.0) for trace in traces for of in trace.sources]
        kept = {f"{trace.name}.x" for trace in traces if trace.tau >= max(steps)}
        ranges = {name: part for name, part in ranges.items() if name in kept}
    return list(_predictions(network, ranges)) or Unmet(_BOUNDED, "inputs and signals with known signs or bounds")


def _keeps(action: Any) -> bool:
    if isinstance(action, SetState):
        return 0.0 <= action.scale < 1.0
    return isinstance(action, (NextPhase, StopRun, StartStimulus, SwitchStimulus, MoveMaps))


def _predictions(network: Network, ranges: dict[str, Interval]) -> Iterator[Prediction]:
    shapes = network.state_shapes
    sampled = sorted({type(s).__name__ for link in network.projections for s in _signals(link) if is_sampled(s)})
    by_samples = f"; the range of {', '.join(sampled)} is that of {SAMPLES:,} samples" if sampled else ""
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
            f"strengths, rates and learning rates that are not negative, and a start inside{by_samples}",
            _SOURCE,
            kind="within",
            tolerance=_tolerance(low, high),
            _measure=partial(_recorded, name=name),
        )


def _signals(link: Projection) -> Iterator[Signal]:
    """Yield the signals of a projection, of what modulates it and of what teaches it."""
    yield link.signal
    if link.modulation is not None:
        yield link.modulation.signal
    if link.learning is not None:
        yield from (signal for signal, _ in link.learning.reads(link.signal))


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
        return _from_signs(network)
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


def _from_signs(network: Network) -> dict[str, Interval]:
    """Return the intervals of the theorem after (8), and of gates, which need no more than signs: no matrix is made."""
    limits = {layer.name: layer.bounds() for layer in network.layers}
    bounded = {name: limit for name, limit in limits.items() if limit is not None}
    for stimulus in network.stimuli:
        if stimulus.schedule.white or stimulus.schedule.lowest() < 0.0 or np.min(stimulus.pattern) < 0.0:
            bounded.pop(stimulus.target, None)

    def rate(link: Projection) -> bool:
        source = bounded.get(link.source)
        return link.signal.nonnegative or (source is not None and bool(np.all(np.asarray(source[0]) >= 0.0)))

    changed = True
    while changed:
        changed = False
        for link in network.projections:
            if link.target in bounded and not (
                rate(link) and link.learning is None and link.topology.smallest_weight() >= 0.0
            ):
                del bounded[link.target]
                changed = True
    found = {}
    for layer in network.layers:
        if layer.name in bounded:
            start = Interval.around(layer.start("x", layer.cells), layer.cells)
            ends = (np.array(np.broadcast_to(end, layer.shape), dtype=float).ravel() for end in bounded[layer.name])
            found[f"{layer.name}.x"] = Interval(*ends).joined(start)
    for link in network.projections:
        if isinstance(link.gate, HabituativeGate) and rate(link):
            size = network.states[f"{link.name}.y"]
            found[f"{link.name}.y"] = Interval(np.zeros(size), np.full(size, link.gate.K))
    return found


class _Rates:
    """What arrives at the cells of a network while its variables stay in given intervals."""

    def __init__(self, network: Network) -> None:
        self.network = network
        shapes = {layer.name: layer.shape for layer in network.layers}
        self.inputs = {(l.name, kind): input_range(network, l.name, kind) for l in network.layers for kind in l.kinds}
        self.weights = {p.name: p.topology.strengths(shapes[p.source], shapes[p.target]) for p in network.projections}
        self.start = {}
        self.moved: set[str] = set()  # projections whose strengths events move to other cells
        parts: dict[str, Any] = {layer.name: layer for layer in network.layers}
        parts |= {str(link.name): link for link in network.projections}
        for name, size in network.states.items():
            group, _, quantity = name.rpartition(".")
            self.start[name] = Interval.around(parts[group].start(quantity, size), size)
        for action in (action for event in network.events for action in event.actions):
            if isinstance(action, MoveMaps):
                self.moved |= {*action.outward, *action.inward}
                gaze = self.start[action.gaze]
                self.start[action.gaze] = gaze.joined(Interval(0.0 * gaze.low, 0.0 * gaze.low + 1.0))
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
            for owner, kind in itertools.product(layer.receives[:-1], layer.kinds):
                arriving[kind] = arriving[kind] + self.inputs[owner, kind]
            for link in self.network.projections:
                if link.target in layer.receives and link.kind in arriving:
                    W = self.weights[str(link.name)]
                    found_here = _arriving(link, W, ranges, str(link.name) in self.moved)
                    arriving[link.kind] = arriving[link.kind] + found_here
            found[f"{layer.name}.x"] = cell_range(layer, arriving)
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
    name = link.source if at.startswith("source") else link.target
    x = ranges[f"{name if link.learning is None else link.learning.layer_at(at, link.source, link.target)}.x"]
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
    elif isinstance(law, (SelfNormalizing, Taught)) and all(f.low[0] >= 0.0 for f in read):
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


def _arriving(link: Projection, W: np.ndarray, ranges: dict[str, Interval], moved: bool) -> Interval:
    """Return between which values the sum of a projection's signals lies, for each target cell.

    If events move its strengths, any of them may be anywhere or nowhere.
    """
    sent = signal_range(link.signal, ranges[f"{link.source}.x"])
    if link.gate is not None:
        y = ranges[f"{link.name}.y"]
        sent = sent * (y if y.low.size == sent.low.size and link.gate.per == "source" else _whole(y, sent.low.size))
    if link.learning is not None:
        sent = sent * _whole(ranges[f"{link.name}.z"], sent.low.size)
    factor = None if link.modulation is None else _factor(link.modulation, ranges)
    if factor is not None and link.modulation is not None and link.modulation.at == "source":
        sent, factor = sent * factor, None
    positive, negative = np.maximum(W, 0.0), np.minimum(W, 0.0)
    if moved:
        positive, negative = np.full(W.shape, positive.max()), np.full(W.shape, negative.min())
        sent = Interval(np.minimum(sent.low, 0.0), np.maximum(sent.high, 0.0))
    arriving = Interval(_product(positive, sent.low) + _product(negative, sent.high),
                        _product(positive, sent.high) + _product(negative, sent.low))  # fmt: skip
    return arriving if factor is None else arriving * factor


def _factor(modulation: Modulation, ranges: dict[str, Interval]) -> Interval:
    """Return between which values the factors of a modulation lie."""
    h = signal_range(modulation.signal, ranges[f"{modulation.layer}.x"])
    with np.errstate(invalid="ignore"):
        ends = np.array([np.atleast_1d(modulation.factor(end)) for end in (h.low, h.high)])
    if np.isnan(ends).any():  # a gain of 0 of signals without a bound
        ends = np.full_like(ends, modulation.base)
    return Interval(ends.min(axis=0), ends.max(axis=0))


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
