"""The equations of a network one unknown at a time, with every number in them: for programs that know no vectors.

Sums over all cells stand once, under a name of their own, so that an all-but-self sum costs a subtraction and a network
of n cells n terms, not n squared. A formula is a syntax tree (`brnn.equations.syntax`); its names are those of the
unknowns, of the auxiliaries before it, and ``t``.
"""

from __future__ import annotations

import ast
import functools
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from brnn.base.codetext import Code, code_of
from brnn.equations.events import ZeroEvent, changes
from brnn.equations.syntax import call, constant, inlined, joined, name, value_of
from brnn.errors import InputError
from brnn.signals import Expression, Linear, Signal, ThresholdLinear
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Schedule

__all__ = ["ScalarEquations", "Unknown", "scalar_equations"]

Formula = ast.expr

_SEGMENTS = 500  # of a stimulus; more make no formula that anybody could use
_TERMS = 1_000_000


@dataclass(frozen=True)
class Unknown:
    """One unknown.

    Attributes
    ----------
    name : str
        Its name in the formulas: x1, x2, ... activities, y1, ... gates, z1, ... weights.
    variable : str
        The variable that it belongs to, as results name it.
    index : int
        Which element of the variable, in C order.
    start : float
        Its value at time 0.
    rate : ast.expr
        Its rate of change, or in discrete time its next value.
    """

    name: str
    variable: str
    index: int
    start: float
    rate: Formula


@dataclass(frozen=True)
class ScalarEquations:
    """All equations of a network.

    Attributes
    ----------
    title, reference : str
        Of the network.
    unknowns : tuple of Unknown
        In the order of the state vector.
    auxiliaries : tuple of (str, ast.expr)
        Names of parts of the formulas, each made of unknowns and of those before it.
    step : float or None
        The step of discrete time.
    duration : float or None
        How long a run lasts.
    breaks : tuple of float
        Times at which inputs jump.
    events : tuple of Change
        What sets unknowns to other values, and when; in the order of the network's events.
    """

    title: str
    reference: str
    unknowns: tuple[Unknown, ...]
    auxiliaries: tuple[tuple[str, Formula], ...]
    step: float | None
    duration: float | None
    breaks: tuple[float, ...]
    events: tuple[ZeroEvent, ...] = ()


def scalar_equations(network: Network, *, duration: float | None = None) -> ScalarEquations:
    """Return the equations of each unknown of a network.

    Parameters
    ----------
    network : Network
        Without white noise; its laws and signals are formulas, and its events set states.
    duration : float, optional
        Up to which time inputs are written out; by default that of the network.

    Raises
    ------
    InputError
        If something of the network is no formula: the message says what.
    """
    if network.spiking:
        raise InputError(f"{network.name}: cells that fire are no differential equations")
    if network.noisy:
        raise InputError(f"{network.name}: it has white noise, which is no differential equation")
    until = duration if duration is not None else network.duration
    return _ScalarWriter(network, np.inf if until is None else float(until)).all(until)


def _added(terms: Iterable[Formula]) -> Formula:
    return functools.reduce(lambda a, b: joined(a, "+", b), terms, constant(0.0))


@dataclass
class _ScalarWriter:
    network: Network
    until: float
    auxiliaries: list[tuple[str, Formula]] = field(default_factory=list)
    sent: dict[tuple[str, Signal, float], list[Formula]] = field(default_factory=dict)
    following: dict[str, list[Formula]] = field(default_factory=dict)  # the next states of discrete layers
    breaks: set[float] = field(default_factory=set)

    def all(self, duration: float | None) -> ScalarEquations:
        network = self.network
        self.x = self.named("x", ((layer.name, layer.cells) for layer in network.layers))
        gated = [link for link in network.projections if link.gate is not None]
        learned = [link for link in network.projections if link.learning is not None]
        self.y = self.named("y", ((str(link.name), self.count(link, "y")) for link in gated))
        self.z = self.named("z", ((str(link.name), self.count(link, "z")) for link in learned))
        unknowns: list[Unknown] = []
        for layer in network.layers:
            rates = self.following[layer.name] = self.layer(layer)
            unknowns += self.unknowns(f"{layer.name}.x", self.x[layer.name], layer.start("x", layer.cells), rates)
        for link in gated:
            y = self.y[str(link.name)]
            unknowns += self.unknowns(f"{link.name}.y", y, link.start("y", len(y)), self.gates(link))
        for link in learned:
            z = self.z[str(link.name)]
            unknowns += self.unknowns(f"{link.name}.z", z, link.start("z", len(z)), self.weights(link))
        breaks = tuple(sorted(time for time in self.breaks if 0.0 < time < self.until))
        states = {f"{owner}.{letter}": names for letter in "xyz" for owner, names in getattr(self, letter).items()}
        events = changes(network, states, self.until)
        if network.step is not None and events:
            raise InputError(f"{network.name}: events in discrete time, which formulas cannot express")
        return ScalarEquations(
            network.name,
            network.reference,
            tuple(unknowns),
            tuple(self.auxiliaries),
            network.step,
            duration,
            breaks,
            events,
        )

    def named(self, letter: str, sizes: Iterable[tuple[str, int]]) -> dict[str, list[Formula]]:
        result: dict[str, list[Formula]] = {}
        count = 0
        for owner, size in sizes:
            result[owner] = [name(f"{letter}{count + k + 1}") for k in range(size)]
            count += size
        return result

    def unknowns(self, variable: str, names: list[Formula], start: np.ndarray, rates: list[Formula]) -> list[Unknown]:
        return [
            Unknown(symbol.id, variable, k, float(value), rate)  # type: ignore[attr-defined]
            for k, (symbol, value, rate) in enumerate(zip(names, start, rates, strict=True))
        ]

    def auxiliary(self, formula: Formula) -> Formula:
        """Return a name for a formula; what is a number or a name already stays as it is."""
        if value_of(formula) is not None or isinstance(formula, ast.Name):
            return formula
        symbol = f"a{len(self.auxiliaries) + 1}"
        self.auxiliaries.append((symbol, formula))
        return name(symbol)

    # Signals

    def signals(self, layer: LayerLaw, signal: Signal, delay: float = 0.0) -> list[Formula]:
        """Return what each cell of a layer sends by a signal, after a delay; if that is negative, in the same step."""
        key = (layer.name, signal, delay)
        if key not in self.sent:
            cells = self.x[layer.name]
            if delay < 0.0:
                cells = [self.auxiliary(x) for x in self.following[layer.name]]
            elif delay > 0.0:
                cells = [call("delay", x, constant(delay)) for x in cells]
            self.sent[key] = [self.auxiliary(_applied(signal, x)) for x in cells]
        return self.sent[key]

    def ends(self, link: Projection) -> tuple[LayerLaw, LayerLaw]:
        return self.network.layer(link.source), self.network.layer(link.target)

    def outgoing(self, link: Projection) -> list[Formula]:
        """Return the signal of each source cell, times its gate if each cell has one."""
        source, _ = self.ends(link)
        signals = self.signals(source, link.signal, link.lag(self.network.step))
        if link.gate is not None and link.gate.per == "source":
            gates = self.y[str(link.name)]
            signals = [self.auxiliary(joined(s, "*", y)) for s, y in zip(signals, gates, strict=True)]
        if link.modulation is not None and link.modulation.at == "source":
            factors = self.factors(link)
            signals = [self.auxiliary(joined(s, "*", c)) for s, c in zip(signals, factors, strict=True)]
        return signals

    def factors(self, link: Projection) -> list[Formula]:
        """Return the factors that a third layer sets: one for each of its cells, or one for all."""
        modulation = link.modulation
        assert modulation is not None
        lag = link.delay if modulation.at == "source" else 0.0
        signals = self.signals(self.network.layer(modulation.layer), modulation.signal, lag)
        if modulation.at == "total":
            signals = [_added(signals)]
        base, gain = constant(modulation.base), constant(modulation.gain)
        return [self.auxiliary(joined(base, "+", joined(gain, "*", h))) for h in signals]

    # Connections

    def connections(self, link: Projection) -> tuple[np.ndarray, np.ndarray]:
        """Return target and source cell of each connection that has a gate or weight of its own, in their order."""
        source, target = self.ends(link)
        if link.topology.storage == "dense":
            rows, columns = np.divmod(np.arange(target.cells * source.cells), source.cells)
            return rows, columns
        if link.topology.storage == "single":
            return np.arange(target.cells), np.arange(target.cells)
        _, indices, indptr = link.topology.arguments(source.shape, target.shape)
        return np.repeat(np.arange(target.cells), np.diff(np.asarray(indptr))), np.asarray(indices)

    def count(self, link: Projection, quantity: str) -> int:
        if quantity == "y" and link.gate is not None and link.gate.per == "source":
            return self.network.layer(link.source).cells
        return self.connections(link)[0].size

    def arriving(self, link: Projection) -> list[Formula]:
        """Return the input of each target cell by a projection."""
        totals = self.unmodulated(link)
        if link.modulation is None or link.modulation.at == "source":
            return totals
        factors = self.factors(link)
        if len(factors) == 1:
            factors = factors * len(totals)
        return [joined(total, "*", factor) for total, factor in zip(totals, factors, strict=True)]

    def unmodulated(self, link: Projection) -> list[Formula]:
        """Return the same without factors of the target cells."""
        source, target = self.ends(link)
        W = link.topology.strengths(source.shape, target.shape)
        if np.count_nonzero(W) > _TERMS:
            raise InputError(f"{link.label}: has {np.count_nonzero(W):,} connections, too many for formulas")
        outgoing = self.outgoing(link)
        own_gates = link.gate is not None and link.gate.per == "connection"
        if link.learning is None and not own_gates:
            return self.summed(W, outgoing)
        rows, columns = self.connections(link)
        terms: list[list[Formula]] = [[] for _ in range(target.cells)]
        for number, (i, k) in enumerate(zip(rows, columns, strict=True)):
            term = joined(constant(W[i, k]), "*", outgoing[k])
            if own_gates:
                term = joined(term, "*", self.y[str(link.name)][number])
            if link.learning is not None:
                term = joined(term, "*", self.z[str(link.name)][number])
            terms[i].append(term)
        return [_added(term for term in parts if value_of(term) != 0.0) for parts in terms]

    def summed(self, W: np.ndarray, outgoing: list[Formula]) -> list[Formula]:
        """Return W times the signals; where all others send with one strength, by their total."""
        cells = W.shape[1]
        off = np.subtract.outer(np.arange(W.shape[0]), np.arange(cells)) != 0
        common = W[off][0] if off.any() else 0.0
        if cells > 2 and common != 0.0 and np.all(W[off] == common):
            total = self.auxiliary(_added(outgoing))
            result = []
            for i in range(W.shape[0]):
                term = joined(constant(common), "*", total)
                if i < cells and W[i, i] != common:
                    term = joined(term, "+", joined(constant(W[i, i] - common), "*", outgoing[i]))
                result.append(term)
            return result
        return [_added(joined(constant(row[k]), "*", outgoing[k]) for k in np.flatnonzero(row)) for row in W]

    # Laws

    def layer(self, layer: LayerLaw) -> list[Formula]:
        totals = [self.inputs(layer, kind) for kind in layer.kinds]
        values = [np.broadcast_to(np.ravel(getattr(layer, p)), layer.cells) for p in layer.parameters]
        rates = []
        for i, x in enumerate(self.x[layer.name]):
            inner = [self.auxiliary(_applied(signal, x)) for signal in layer.inner().values()]
            arguments = [x, *(total[i] for total in totals), *(constant(value[i]) for value in values), *inner]
            rates.append(_law(type(layer).law, arguments, f"Layer '{layer.name}'"))
        return rates

    def inputs(self, layer: LayerLaw, kind: str) -> list[Formula]:
        """Return all that arrives at each cell of a layer in one bracket of its law."""
        owners = layer.receives
        parts = [self.arriving(p) for p in self.network.projections if p.target in owners and p.kind == kind]
        parts += [
            self.course(stimulus.schedule, np.asarray(stimulus.pattern), layer.shape, f"{layer.name}: stimulus")
            for stimulus in self.network.stimuli
            if stimulus.target in owners and stimulus.kind == kind
        ]
        totals = [_added(part[i] for part in parts) for i in range(layer.cells)]
        return [total if value_of(total) is not None else self.auxiliary(total) for total in totals]

    def gates(self, link: Projection) -> list[Formula]:
        gate = link.gate
        assert gate is not None
        source, _ = self.ends(link)
        signals = self.signals(source, link.signal, link.delay)
        if gate.per == "connection":
            signals = [signals[k] for k in self.connections(link)[1]]
        numbers = [constant(value) for value in gate.arguments]
        law, label = type(gate).law, f"{link.label}: gate"
        return [_law(law, [y, f, *numbers], label) for y, f in zip(self.y[str(link.name)], signals, strict=True)]

    def weights(self, link: Projection) -> list[Formula]:
        learning = link.learning
        assert learning is not None
        source, target = self.ends(link)
        rows, columns = self.connections(link)
        reads: list[list[Formula]] = []
        for signal, place in learning.reads(link.signal):
            at = self.network.layer(learning.layer_at(place, source.name, target.name))
            if place == "target":
                values = self.signals(at, signal)
                reads.append([values[i] for i in rows])
                continue
            values = self.signals(at, signal, link.delay)
            if place == "source total":
                reads.append([self.auxiliary(_added(values))] * rows.size)
            else:
                reads.append([values[k] for k in columns])
        if learning.sums_weights:
            z = self.z[str(link.name)]
            totals = [self.auxiliary(_added(z[c] for c in np.flatnonzero(rows == j))) for j in range(target.cells)]
            reads.append([totals[j] for j in rows])
        rate = constant(learning.rate)
        if learning.schedule is not None:
            (factor,) = self.course(learning.schedule, np.ones(()), (1,), f"{link.label}: schedule")
            rate = self.auxiliary(joined(rate, "*", factor))
        others = [constant(value) for value in learning.others]
        law, label = type(learning).law, f"{link.label}: learning"
        return [
            _law(law, [z, *(read[c] for read in reads), rate, *others], label)
            for c, z in enumerate(self.z[str(link.name)])
        ]

    # Inputs

    def course(self, schedule: Schedule, pattern: np.ndarray, shape: tuple[int, ...], where: str) -> list[Formula]:
        """Return the input of each cell by a schedule: for each distinct pattern, when it is on."""
        if schedule.per_cell:
            raise InputError(f"{where}: an input along a trajectory cannot be written as a formula")
        horizon = self.until if np.isfinite(self.until) else schedule.last() + 1.0
        if not np.isfinite(horizon):
            raise InputError(f"{where}: has no end; say up to which time it is written: duration")
        breaks = schedule.breaks(horizon)
        if breaks.size >= _SEGMENTS:
            raise InputError(f"{where}: changes {breaks.size:,} times, at most {_SEGMENTS} can be written as a formula")
        self.breaks |= set(breaks.tolist())
        edges = [-np.inf, *breaks.tolist(), np.inf]
        cells = int(np.prod(shape))
        on: dict[bytes, tuple[np.ndarray, list[Formula]]] = {}
        for start, stop in itertools.pairwise(edges):
            low, high = max(start, 0.0), min(stop, horizon)
            segment = schedule.segment(0.5 * (low + high), pattern)
            inside = _within(start, stop)
            kernel = None
            if schedule.varying and np.any(segment.varying):
                values = [name("t"), *(constant(float(v)) for v in segment.parameters)]
                kernel = _law(type(schedule).kernel, values, where)
            for part, factor in ((segment.base, inside), (segment.varying, kernel and joined(inside, "*", kernel))):
                row = np.array(np.broadcast_to(np.asarray(part, dtype=float), shape)).ravel()
                if factor is not None and np.any(row):
                    on.setdefault(row.tobytes(), (row, []))[1].append(factor)
        terms: list[list[Formula]] = [[] for _ in range(cells)]
        for row, factors in on.values():
            factor = self.auxiliary(_added(factors))
            for i in np.flatnonzero(row):
                terms[i].append(joined(constant(row[i]), "*", factor))
        return [_added(parts) for parts in terms]


def _within(start: float, stop: float) -> Formula:
    """Return 1 in an interval, and 0 outside."""
    if start == -np.inf and stop == np.inf:
        return constant(1.0)
    if start == -np.inf:
        return ast.Compare(name("t"), [ast.Lt()], [constant(stop)])
    after = ast.Compare(name("t"), [ast.GtE()], [constant(start)])
    if stop == np.inf:
        return after
    return joined(after, "*", ast.Compare(name("t"), [ast.Lt()], [constant(stop)]))


def _law(function: object, arguments: list[Formula], where: str) -> Formula:
    """Return what a law returns for these arguments."""
    try:
        found = inlined(code_of(function), arguments)
    except (OSError, TypeError):
        found = None
    if found is None:
        raise InputError(f"{where}: its law is more than a formula")
    return found


def _applied(signal: Signal, w: Formula) -> Formula:
    """Return a signal of a formula."""
    if type(signal) is Linear:
        return joined(constant(signal.gain), "*", w)
    values = dict(signal.parameters) if isinstance(signal, Expression) else vars(signal)
    numbers = {key: float(value) for key, value in values.items() if isinstance(value, (int, float))}
    code = Code("f", ("w", *numbers), f"    return {signal.formula or 'unknown'}\n")
    try:
        formula = inlined(code, [w, *map(constant, numbers.values())])
    except SyntaxError:
        formula = None
    if formula is None:
        raise InputError(f"the signal {type(signal).__name__} is more than a formula")
    if isinstance(signal, ThresholdLinear) and signal.threshold >= 0.0:
        return formula  # 0 for w < 0 as it stands
    with np.errstate(all="ignore"):
        cut = not np.any(signal(np.array([-1e-9, -1e-3, -1.0, -1e3])))
    if not cut:
        return formula
    return ast.IfExp(ast.Compare(w, [ast.GtE()], [constant(0.0)]), formula, constant(0.0))
