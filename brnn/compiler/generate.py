"""Generate a network's right-hand side.

Its statements depend only on the network's structure (which layers, laws, signals, topologies, gates, learning laws and
stimuli there are). Every number, weight and pattern is an argument, so a new number never compiles anything anew. What
they become as text stands in `brnn.compiler.module_text`.
"""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields

import numpy as np

from brnn.base.codetext import Code
from brnn.compiler.convolutions import add_convolution
from brnn.compiler.modulation import modulating_factor
from brnn.compiler.module_text import text_of
from brnn.compiler.plasticity import add_gated, add_given, add_matrix, add_plastic
from brnn.compiler.program import Program, Reading, SentSignals
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Comment,
    ConstantNumber,
    Index,
    Local,
    Loop,
    locals_of,
)  # fmt: skip
from brnn.compiler.stimuli import add_stimuli
from brnn.signals import Signal
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies import Topology
from brnn.spec.topologies.successive import Successive
from brnn.spec.variable import Variable

__all__ = [
    "SignalTable",
    "add_field",
    "add_layer",
    "add_signal",
    "changed_at_source",
    "factor_of",
    "generate",
    "modulating_signals",
    "sent_by",
]

Shape = tuple[int, ...]

_I = Index("i")


@dataclass
class SignalTable:
    """The distinct signals of each layer, at the present and at each delay."""

    network: Network
    by_object: bool = False
    sent: dict[tuple[str, Signal | int, float], tuple[Signal, SentSignals]] = field(default_factory=dict)
    _read: dict[str, tuple[tuple[Signal, str], ...]] = field(default_factory=dict)

    def read_by(self, projection: Projection) -> tuple[tuple[Signal, str], ...]:
        """Return what the learning law of a projection reads, the same objects each time."""
        if projection.learning is None:
            return ()
        return self._read.setdefault(str(projection.name), projection.learning.reads(projection.signal))

    def of(
        self, layer: str, signal: Signal, delay: float = 0.0, *, array: bool = False, total: bool = False
    ) -> SentSignals:
        """Return the signals of this kind, noting what of them is needed."""
        new = SentSignals(f"f{len(self.sent)}", self.network.layer(layer).cells)
        key = id(signal) if self.by_object else signal
        _, found = self.sent.setdefault((layer, key, delay), (signal, new))
        found.needs_array |= array
        found.needs_total |= total
        return found


def generate(
    network: Network,
    variables: tuple[Variable, ...],
    *,
    explicit: bool = False,
    given: Collection[str] = (),
    apart: bool = False,
    by_object: bool = False,
) -> Program:
    """Return the program of a network whose states lie as `variables` says.

    With `explicit`, every topology that is not local is written out as loops over a matrix instead of a call of its
    kernel, so that the program consists of loops over cells alone. The weights of the projections named in `given` are
    not among its states: what they make of their signals is an argument (`Program.given`). With `apart` convolutions
    share no transforms, nor projections the last part of their topologies. With `by_object` projections share signals
    only if these are one object, not if they are equal, so that the structure does not depend on numbers.
    """
    program = Program(
        tuple(f"{variable.quantity}_{variable.group}" for variable in variables),
        explicit,
        apart,
        joins=not (explicit or apart),
    )
    signals = SignalTable(network, by_object)
    sent = {str(projection.name): sent_by(projection, network, signals) for projection in network.projections}
    inputs = add_stimuli(program, network)
    for (name, _, lag), (signal, source) in signals.sent.items():
        if lag >= 0.0:
            add_signal(program, network.layer(name), signal, lag, source)
    for projection in network.projections:
        if changed_at_source(projection):
            own = signals.of(projection.source, projection.signal, projection.delay)
            factor = factor_of(program, projection, signals, "source")
            add_gated(program, projection, own, sent[str(projection.name)], factor)
    if given:
        program.signals, program.statements = program.statements, []
    nets: dict[tuple[str, str], Array] = {}
    for projection in network.projections:
        if not projection.immediate:
            add_field(program, network, projection, signals, sent, nets, given)
    for layer in network.layers:
        add_layer(program, network, layer, signals, sent, nets, inputs)
        _send_at_once(program, network, layer, signals, sent, nets)
    if given:
        numbers = set(locals_of(program.signals)) & {*locals_of(program.parts), *locals_of(program.statements)}
        program.kept = tuple(sorted(numbers))
        program.work("kept", len(numbers))
    program.source = text_of(program)
    return program


def sent_by(projection: Projection, network: Network, signals: SignalTable) -> SentSignals:
    """Return the signals that a projection sends, and note everything that it reads."""
    topology, gate = projection.topology, projection.gate
    plastic = _is_plastic(projection)
    array = plastic or not topology.local or topology.needs_self
    total = topology.local and not plastic
    for signal, place in signals.read_by(projection):
        layer, lag = _end(projection, place)
        signals.of(layer, signal, lag, array=place != "source total", total=place == "source total")
    if projection.modulation is not None:
        modulating, single = modulating_signals(projection, signals), projection.modulation.at == "total"
        modulating.needs_array |= not single
        modulating.needs_total |= single
    own, lag = projection.source, projection.lag(network.step)
    if not changed_at_source(projection):
        return signals.of(own, projection.signal, lag, array=array or gate is not None, total=total)
    signals.of(own, projection.signal, lag, array=True)
    return SentSignals(f"fy_{projection.name}", network.layer(projection.source).cells, array, total)


def _is_plastic(projection: Projection) -> bool:
    """Tell whether each connection has a gate or weight of its own."""
    return projection.learning is not None or (projection.gate is not None and projection.gate.per == "connection")


def changed_at_source(projection: Projection) -> bool:
    """Tell whether each source cell has a gate or a factor of its own."""
    gate, modulation = projection.gate, projection.modulation
    return (gate is not None and gate.per == "source") or (modulation is not None and modulation.at == "source")


def modulating_signals(projection: Projection, signals: SignalTable) -> SentSignals:
    """Return the signals of the layer that modulates a projection."""
    modulation = projection.modulation
    assert modulation is not None
    return signals.of(modulation.layer, modulation.signal, projection.delay if modulation.at == "source" else 0.0)


def factor_of(program: Program, projection: Projection, signals: SignalTable, *places: str) -> CodeExpression | None:
    """Return the factor of a projection if it is one of these places."""
    if projection.modulation is None or projection.modulation.at not in places:
        return None
    return modulating_factor(program, projection, modulating_signals(projection, signals))


def _end(projection: Projection, place: str) -> tuple[str, float]:
    """Return the layer at which a learning law reads, and how long ago: signals of the source arrive late."""
    learning = projection.learning
    name = projection.target if place == "target" else projection.source
    if learning is not None:
        name = learning.layer_at(place, projection.source, projection.target)
    return name, 0.0 if place == "target" else projection.delay


def _send_at_once(
    program: Program,
    network: Network,
    layer: LayerLaw,
    signals: SignalTable,
    sent: dict[str, SentSignals],
    fields: dict[tuple[str, str], Array],
) -> None:
    """Add what a layer of discrete time, whose next state is known by now, sends within the same step."""
    for (name, _, lag), (signal, source) in signals.sent.items():
        if name == layer.name and lag < 0.0:
            add_signal(program, layer, signal, lag, source)
    for projection in network.projections:
        if projection.immediate and projection.source == layer.name:
            add_field(program, network, projection, signals, sent, fields)


def add_signal(program: Program, layer: LayerLaw, signal: Signal, lag: float, sent: SentSignals) -> None:
    """Add what computes the signals that a layer sends."""
    code = signal.code()
    function = program.function(code)
    parameters = program.arguments(function, 1, code.parameters, sent.name)
    x = _state("dx" if lag < 0.0 else "x", layer) if lag <= 0.0 else program.lag(layer, lag)
    late = ", delayed" if lag > 0.0 else ", of the next state" if lag < 0.0 else ""
    program.add(Comment(f"{sent.name}: {type(signal).__name__} signal of layer {layer.name}{late}"))
    call = program.call(function, x[_I], *parameters)
    program.readings.append(Reading(call, layer.name, layer.cells, signal, lag))
    program.add(*sent.computed(x, signal=call))
    if sent.needs_array:
        program.work(sent.name, sent.cells)


def add_field(
    program: Program,
    network: Network,
    projection: Projection,
    signals: SignalTable,
    sent: dict[str, SentSignals],
    fields: dict[tuple[str, str], Array],
    given: Collection[str] = (),
) -> None:
    """Add a projection, if it needs whole arrays at once; note the array of net input of its (layer, kind)."""
    topology = projection.topology
    plastic = _is_plastic(projection)
    if topology.local and not plastic:
        return
    source, target = network.layer(projection.source), network.layer(projection.target)
    key, room = (projection.target, str(projection.kind)), f"net_{projection.kind[:3]}_{target.name}"
    laws = [type(part).__name__ for part in (topology, projection.gate, projection.learning) if part is not None]
    program.add(Comment(f"{projection.name}: {', '.join(laws)}"))
    if projection.modulation is not None and projection.modulation.at != "source":
        key, room = (str(projection.name), "own"), f"own_{projection.name}"
    fresh = key not in fields
    if fresh:
        fields[key] = program.work(room, target.cells)
    s, net = sent[str(projection.name)].array, fields[key]
    if not (plastic or program.explicit or program.apart) and add_convolution(
        program, network, projection, sent, net, fresh=fresh
    ):
        return
    if fresh:
        program.add(Loop(_I, net.size, (Assign(net[_I], ZERO),)))
    if plastic:
        reads = [
            (signals.of(_end(projection, place)[0], signal, _end(projection, place)[1]), place)
            for signal, place in signals.read_by(projection)
        ]
        if projection.name in given:
            add_given(program, network, projection, s, reads, net)
            return
        f = signals.of(projection.source, projection.signal, projection.delay).array
        add_plastic(program, network, projection, s, f, reads, net)
        return
    if program.explicit:
        add_matrix(program, network, projection, s, net)
        return
    if not isinstance(topology, Successive):
        _add_kernel(program, topology, source.shape, target.shape, s, net, str(projection.name))
        return
    steps = list(topology.steps(source.shape, target.shape))
    alike = [other for other in network.projections if _ends_alike(other, projection)]
    # What projections of one layer bring through the same last part is added up before it; the last of them sends it.
    joined = program.joins and len(alike) > 1
    for k, (part, before, after) in enumerate(steps):
        owner, out = f"{projection.name}_{k}", net
        if k < len(steps) - 1:
            first = alike[0] if joined and k == len(steps) - 2 else projection
            out = program.work(f"between_{first.name}_{k}", math.prod(after))
            program.shapes[out.name] = after
            if first is projection:
                program.add(Loop(_I, out.size, (Assign(out[_I], ZERO),)))
        elif joined and projection is not alike[-1]:
            break
        _add_kernel(program, part, before, after, s, out, owner)
        s = out


def _ends_alike(other: Projection, one: Projection) -> bool:
    """Tell whether two projections add to the same net input through the same last one of several topologies."""
    if (other.target, other.kind) != (one.target, one.kind) or other.immediate or one.immediate:
        return False
    if any(p.modulation is not None and p.modulation.at != "source" for p in (one, other)):
        return False
    if not (isinstance(other.topology, Successive) and isinstance(one.topology, Successive)):
        return False
    last, given = one.topology.parts[-1], other.topology.parts[-1]
    if type(last) is not type(given) or one.topology.shapes[-1] != other.topology.shapes[-1]:
        return False
    return all(np.array_equal(getattr(last, f.name), getattr(given, f.name)) for f in fields(last))


def _add_kernel(
    program: Program, topology: Topology, source: Shape, target: Shape, s: Array, net: Array, owner: str
) -> None:
    """Add a call of the kernel of a topology, which adds W s to `net`."""
    function = program.kernel(*topology.chosen_kernel(source, target))
    text = "".join(code.source for code in (function, *function.helpers))
    for needed, line in topology.imports.items():
        if re.search(rf"\b{needed}\(", text):
            program.imports[line] = None
    values = topology.arguments(source, target)
    arguments = program.arguments(function, 2, values, owner)
    for k, (name, value) in enumerate(zip(function.arguments[2:], values, strict=True)):
        if name in topology.rooms and isinstance(value, np.ndarray):
            arguments[k] = program.work(f"{name}_{owner}", value.size)
    program.add(program.call(function, s, net, *arguments))


def add_layer(
    program: Program,
    network: Network,
    layer: LayerLaw,
    signals: SignalTable,
    sent: dict[str, SentSignals],
    fields: dict[tuple[str, str], Array],
    inputs: dict[tuple[str, str], list[CodeExpression]],
) -> None:
    """Add what computes the slopes of a layer from its net inputs."""
    brackets: dict[Local, CodeExpression] = {}
    for kind in layer.kinds:
        terms: list[CodeExpression] = []
        for name in layer.receives:
            terms += inputs.get((name, kind), [])
            if (name, kind) in fields:
                terms.append(fields[name, kind][_I])
            for projection in network.projections:
                if projection.target != name or projection.kind != kind:
                    continue
                factor = factor_of(program, projection, signals, "target", "total")
                if projection.topology.local and not _is_plastic(projection):
                    term = _local_term(program, network, projection, sent[str(projection.name)])
                    terms.append(term if factor is None else term * factor)
                elif factor is not None:
                    terms.append(fields[str(projection.name), "own"][_I] * factor)
        brackets[Local(kind[:3])] = functools.reduce(operator.add, terms) if terms else ZERO
    law, parameters = _law(program, layer)
    x, dx = _state("x", layer), _state("dx", layer)
    inside = [Assign(name, bracket) for name, bracket in brackets.items()]
    inside.append(Assign(dx[_I], program.call(law, x[_I], *brackets, *parameters)))
    program.add(Comment(f"layer {layer.name}: {type(layer).__name__}"), Loop(_I, x.size, tuple(inside)))
    white = [
        (stimulus.kind, program.array(f"white{index}_{layer.name}", _spread(stimulus.pattern, layer)))
        for index, stimulus in enumerate(network.stimuli)
        if stimulus.target == layer.name and stimulus.schedule.white
    ]
    if white:
        value = _diffusion(program, law, [x[_I]], parameters, white)
        program.diffusion.append(Loop(_I, x.size, (Assign(dx[_I], value),)))


def _state(quantity: str, layer: LayerLaw) -> Array:
    return Array(f"{quantity}_{layer.name}", "state")


def _law(program: Program, layer: LayerLaw) -> tuple[Code, list[CodeExpression]]:
    """Add the law of a layer; return it and its arguments after x and the inputs."""
    law = program.kernel(f"law_{type(layer).__name__.lower()}", type(layer).law)
    parameters: list[CodeExpression] = []
    for name in layer.parameters:
        value = getattr(layer, name)
        if isinstance(value, np.ndarray):
            parameters.append(program.array(f"{name}_{layer.name}", value.ravel())[_I])
        else:
            parameters.append(program.number(f"{name}_{layer.name}", value))
    for name, signal in layer.inner().items():
        code = signal.code()
        function = program.function(code)
        values = program.arguments(function, 1, code.parameters, f"{name}_{layer.name}")
        call = program.call(function, _state("x", layer)[_I], *values)
        program.readings.append(Reading(call, layer.name, layer.cells, signal))
        parameters.append(call)
    return law, parameters


def _spread(pattern: object, layer: LayerLaw) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(pattern, dtype=np.float64), layer.shape)).ravel()


def _diffusion(
    program: Program,
    law: Code,
    state: Sequence[CodeExpression],
    parameters: Sequence[CodeExpression],
    white: Sequence[tuple[str, Array]],
) -> CodeExpression:
    """Return b_i, the strength of the white noise of a cell.

    The law is linear in its inputs, so a unit of input changes dx/dt by law(unit) - law(nothing). Several independent
    noises add up to one whose variance is the sum of theirs.
    """
    one, two = ConstantNumber("1.0"), ConstantNumber("2")
    nothing = program.call(law, *state, ZERO, ZERO, *parameters)
    units = {"excitatory": (one, ZERO), "inhibitory": (ZERO, one)}
    terms = [
        (program.call(law, *state, *units[kind], *parameters) - nothing) * strength[_I] for kind, strength in white
    ]
    if len(terms) == 1:
        return terms[0]
    return Call("np.sqrt", (functools.reduce(operator.add, (term**two for term in terms)),))


def _local_term(program: Program, network: Network, projection: Projection, source: SentSignals) -> CodeExpression:
    """Return the term of a projection whose input to a cell needs only that cell's signal and the total."""
    topology = projection.topology
    shapes = network.layer(projection.source).shape, network.layer(projection.target).shape
    function = program.kernel(*topology.chosen_kernel(*shapes))
    arguments = program.arguments(function, 2, topology.arguments(*shapes), str(projection.name))
    own = source.array[_I] if topology.needs_self else ZERO
    return program.call(function, own, source.total, *arguments)
