"""Generate the text of a network's right-hand side.

The text depends only on the network's structure (which layers, laws, signals, topologies, gates, learning laws and
stimuli there are). Every number, weight and pattern is an argument, so a new number never compiles anything anew. The
generated function is

    rhs(t, u, du, n, p, ...)      n: where the blocks of u begin and end, p: numbers, then arrays,

it writes du/dt into `du` and allocates nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from brnn.compiler.layout import Variable
from brnn.compiler.plasticity import write_gate, write_matrix, write_plastic
from brnn.compiler.statements import Course, Program, Sent, Text, argument_names
from brnn.signals import Signal
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection

__all__ = ["generate"]

_HEADER = '''"""Right-hand side of a network, generated from its structure; every number is an argument."""

import numpy as np
from numba import njit
{imports}
options = {{"error_model": "numpy", "fastmath": {{"contract", "reassoc", "nsz"}}, "nogil": True}}

'''


@dataclass
class Signals:
    """The distinct signals of each layer, at the present and at each delay."""

    network: Network
    sent: dict[tuple[str, Signal, float], Sent] = field(default_factory=dict)

    def of(self, layer: str, signal: Signal, delay: float = 0.0, *, array: bool = False, total: bool = False) -> Sent:
        """Return the array of this signal, noting what of it is needed."""
        key = (layer, signal, delay)
        if key not in self.sent:
            self.sent[key] = Sent(f"f{len(self.sent)}", self.network.layer(layer).cells)
        found = self.sent[key]
        found.needs_array |= array
        found.needs_total |= total
        return found


def generate(network: Network, variables: tuple[Variable, ...], *, explicit: bool = False) -> Program:
    """Return the program of a network whose states lie as `variables` says.

    With `explicit`, every topology that is not local is written out as loops over a matrix instead of a call of its
    kernel, so that the text consists of loops over cells alone.
    """
    text = Text(explicit)
    signals = Signals(network)
    sent = {str(projection.name): _sent_by(projection, network, signals) for projection in network.projections}
    for k, variable in enumerate(variables):
        text.line(f"{variable.quantity}_{variable.group} = u[n[{k}] : n[{k + 1}]]")
        text.line(f"d{variable.quantity}_{variable.group} = du[n[{k}] : n[{k + 1}]]")
    inputs = _write_stimuli(text, network)
    for (name, signal, delay), source in signals.sent.items():
        _write_signal(text, network.layer(name), signal, delay, source)
    for projection in network.projections:
        if projection.gate is not None and projection.gate.per == "source":
            own = signals.of(projection.source, projection.signal, projection.delay)
            write_gate(text, projection, own.name, sent[str(projection.name)])
    fields = _write_fields(text, network, signals, sent)
    for layer in network.layers:
        _write_layer(text, network, layer, sent, fields, inputs)
    return _assemble(text)


def _sent_by(projection: Projection, network: Network, signals: Signals) -> Sent:
    """Return the array of signals that a projection sends, and note everything that it reads."""
    topology, gate, learning = projection.topology, projection.gate, projection.learning
    plastic = _is_plastic(projection)
    array = plastic or not topology.local or topology.needs_self
    total = topology.local and not plastic
    if learning is not None:
        for signal, place in learning.reads(projection.signal):
            layer, lag = _end(projection, place)
            signals.of(layer, signal, lag, array=place != "source total", total=place == "source total")
    own, lag = projection.source, projection.delay
    if gate is None or gate.per == "connection":
        return signals.of(own, projection.signal, lag, array=array or gate is not None, total=total)
    signals.of(own, projection.signal, lag, array=True)
    return Sent(f"fy_{projection.name}", network.layer(projection.source).cells, array, total)


def _is_plastic(projection: Projection) -> bool:
    """Tell whether each connection has a gate or weight of its own."""
    return projection.learning is not None or (projection.gate is not None and projection.gate.per == "connection")


def _end(projection: Projection, place: str) -> tuple[str, float]:
    """Return the layer at which a learning law reads, and how long ago: signals of the source arrive late."""
    return (projection.target, 0.0) if place == "target" else (projection.source, projection.delay)


def _write_stimuli(text: Text, network: Network) -> dict[tuple[str, str], list[str]]:
    """Write the time courses; return, for each (layer, kind), the terms of its input."""
    terms: dict[tuple[str, str], list[str]] = {}
    kinds = {"excitatory": "I", "inhibitory": "J", "modulatory": "mod"}
    for index, stimulus in enumerate(network.stimuli):
        if stimulus.schedule.white:
            continue
        key = (stimulus.target, stimulus.kind)
        if key not in terms:
            base = text.array(f"{kinds[stimulus.kind]}_{stimulus.target}", None)
            terms[key] = [f"{base}[i]"]
            text.program.inputs[key] = base
        if stimulus.schedule.varying:
            first = text.write_course(f"g{index}", stimulus.schedule)
            pattern = text.array(f"pattern{index}_{stimulus.target}", None)
            terms[key].append(f"g{index} * {pattern}[i]")
            count = len(text.program.numbers) - first
            text.program.courses.append(Course(index, first, pattern, count))
    return terms


def _write_signal(text: Text, layer: LayerLaw, signal: Signal, delay: float, sent: Sent) -> None:
    code = signal.code()
    function = text.function(code.name, code.source, code.helpers)
    names = argument_names(code.source, 1)
    parameters = [text.number(f"{name}_{sent.name}", v) for name, v in zip(names, code.parameters, strict=True)]
    x = f"x_{layer.name}" if delay == 0.0 else text.write_lag(layer, delay)
    text.line()
    text.line(f"# {sent.name}: {type(signal).__name__} signal of layer {layer.name}" + (", delayed" if delay else ""))
    if sent.needs_total:
        text.line(f"sum_{sent.name} = 0.0")
    text.line(f"for i in range({x}.size):")
    text.line(f"s = {function}({', '.join([f'{x}[i]', *parameters])})", 2)
    if sent.needs_array:
        text.work(sent.name, sent.cells)
        text.line(f"{sent.name}[i] = s", 2)
    if sent.needs_total:
        text.line(f"sum_{sent.name} += s", 2)


def _write_fields(text: Text, network: Network, signals: Signals, sent: dict[str, Sent]) -> dict[tuple[str, str], str]:
    """Write the projections that need whole arrays at once; return the arrays of net input by (layer, kind)."""
    fields: dict[tuple[str, str], str] = {}
    for projection in network.projections:
        topology = projection.topology
        plastic = _is_plastic(projection)
        if topology.local and not plastic:
            continue
        source, target = network.layer(projection.source), network.layer(projection.target)
        key = (projection.target, projection.kind)
        text.line()
        laws = [type(part).__name__ for part in (topology, projection.gate, projection.learning) if part is not None]
        text.line(f"# {projection.name}: {', '.join(laws)}")
        if key not in fields:
            fields[key] = text.work(f"net_{projection.kind[:3]}_{target.name}", target.cells)
            text.line(f"for i in range({fields[key]}.size):")
            text.line(f"{fields[key]}[i] = 0.0", 2)
        if plastic:
            reads = [
                (signals.of(_end(projection, place)[0], signal, _end(projection, place)[1]).name, place)
                for signal, place in (projection.learning.reads(projection.signal) if projection.learning else ())
            ]
            own = signals.of(projection.source, projection.signal, projection.delay).name
            write_plastic(text, network, projection, sent[str(projection.name)].name, own, reads, fields[key])
            continue
        if text.explicit:
            write_matrix(text, network, projection, sent[str(projection.name)].name, fields[key])
            continue
        name, kernel = topology.chosen_kernel(source.shape, target.shape)
        function = text.kernel(name, kernel)
        for needed in kernel.__code__.co_names:
            if needed in topology.imports:
                text.imports[topology.imports[needed]] = None
        arguments = text.arguments(function, 2, topology.arguments(source.shape, target.shape), str(projection.name))
        text.line(f"{function}({', '.join([sent[str(projection.name)].name, fields[key], *arguments])})")
    return fields


def _write_layer(
    text: Text,
    network: Network,
    layer: LayerLaw,
    sent: dict[str, Sent],
    fields: dict[tuple[str, str], str],
    inputs: dict[tuple[str, str], list[str]],
) -> None:
    brackets = {}
    for kind in layer.kinds:
        terms = list(inputs.get((layer.name, kind), []))
        if (layer.name, kind) in fields:
            terms.append(f"{fields[layer.name, kind]}[i]")
        for projection in network.projections:
            if projection.target != layer.name or projection.kind != kind:
                continue
            if projection.topology.local and not _is_plastic(projection):
                terms.append(_local_term(text, network, projection, sent[str(projection.name)]))
        brackets[kind] = " + ".join(terms) if terms else "0.0"
    law, parameters = _law(text, layer)
    x = f"x_{layer.name}"
    text.line()
    text.line(f"# layer {layer.name}: {type(layer).__name__}")
    text.line(f"for i in range({x}.size):")
    for kind, bracket in brackets.items():
        text.line(f"{kind[:3]} = {bracket}", 2)
    net = [kind[:3] for kind in brackets]
    text.line(f"dx_{layer.name}[i] = {law}({', '.join([f'{x}[i]', *net, *parameters])})", 2)
    white = [
        (stimulus.kind, text.array(f"white{index}_{layer.name}", _spread(stimulus.pattern, layer)))
        for index, stimulus in enumerate(network.stimuli)
        if stimulus.target == layer.name and stimulus.schedule.white
    ]
    if white:
        text.diffusion.append(_diffusion(layer, law, parameters, white))


def _law(text: Text, layer: LayerLaw) -> tuple[str, list[str]]:
    """Add the law of a layer; return the name of the function and its arguments after x and the inputs."""
    law = text.kernel(f"law_{type(layer).__name__.lower()}", type(layer).law)
    parameters = []
    for name in layer.parameters:
        value = getattr(layer, name)
        if isinstance(value, np.ndarray):
            parameters.append(f"{text.array(f'{name}_{layer.name}', value.ravel())}[i]")
        else:
            parameters.append(text.number(f"{name}_{layer.name}", value))
    for name, signal in layer.inner().items():
        code = signal.code()
        function = text.function(code.name, code.source, code.helpers)
        values = text.arguments(function, 1, code.parameters, f"{name}_{layer.name}")
        parameters.append(f"{function}({', '.join([f'x_{layer.name}[i]', *values])})")
    return law, parameters


def _spread(pattern: object, layer: LayerLaw) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(pattern, dtype=np.float64), layer.shape)).ravel()


def _diffusion(layer: LayerLaw, law: str, parameters: list[str], white: Sequence[tuple[str, str]]) -> str:
    """Return the lines that write b_i, the strength of the white noise of each cell.

    The law is linear in its inputs, so a unit of input changes dx/dt by law(unit) - law(nothing). Several independent
    noises add up to one whose variance is the sum of theirs.
    """
    x = f"x_{layer.name}"
    nothing = f"{law}({', '.join([f'{x}[i]', '0.0', '0.0', *parameters])})"
    units = {"excitatory": ("1.0", "0.0"), "inhibitory": ("0.0", "1.0")}
    calls = {
        kind: f"{law}({', '.join([f'{x}[i]', *inputs, *parameters])}) - {nothing}" for kind, inputs in units.items()
    }
    terms = [f"({calls[kind]}) * {array}[i]" for kind, array in white]
    value = terms[0] if len(terms) == 1 else f"np.sqrt({' + '.join(f'({term}) ** 2' for term in terms)})"
    return f"    for i in range({x}.size):\n        dx_{layer.name}[i] = {value}"


def _local_term(text: Text, network: Network, projection: Projection, source: Sent) -> str:
    """Return the term of a projection whose input to a cell needs only that cell's signal and the total."""
    topology = projection.topology
    shapes = network.layer(projection.source).shape, network.layer(projection.target).shape
    function = text.kernel(*topology.chosen_kernel(*shapes))
    arguments = text.arguments(function, 2, topology.arguments(*shapes), str(projection.name))
    own = f"{source.name}[i]" if topology.needs_self else "0.0"
    return f"{function}({', '.join([own, f'sum_{source.name}', *arguments])})"


def _assemble(text: Text) -> Program:
    imports = "\n".join(text.imports) + ("\n" if text.imports else "")
    parts = [_HEADER.format(imports=imports)]
    for function in text.functions.values():
        parts.append(f"\n@njit(**options)\n{function}\n")
    arguments = ", ".join(["t", "u", "du", "n", "p", *text.program.arrays])
    parts.append(f"\n@njit(cache=True, **options)\ndef rhs({arguments}):\n")
    parts.append("\n".join([*text.unpack, *text.lines]) + "\n")
    if text.diffusion:
        views = [line for line in text.lines if " = u[n[" in line or " = du[n[" in line]
        parts.append(f"\n\n@njit(cache=True, **options)\ndef diffusion({arguments}):\n")
        parts.append("\n".join([*text.unpack, *views, "    du[:] = 0.0", *text.diffusion]) + "\n")
    text.program.source = "".join(parts)
    return text.program
