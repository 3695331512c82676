"""Generate the text of a network's right-hand side.

The text depends only on the network's structure (which layers, laws, signals, topologies, stimuli there are). Every
number, weight and pattern is an argument, so a new number never compiles anything anew. The generated function is

    rhs(t, u, du, n, p, ...)      n: where the blocks of u begin and end, p: numbers, then arrays,

it writes du/dt into `du` and allocates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.codetext import function_text, helper_texts
from brnn.errors import SpecError
from brnn.signals import Signal
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection

__all__ = ["Program", "generate"]

_HEADER = '''"""Right-hand side of the network '{name}', generated from its structure; every number is an argument."""

import numpy as np
from numba import njit
{imports}
options = {{"error_model": "numpy", "fastmath": {{"contract", "reassoc", "nsz"}}, "nogil": True}}

'''


@dataclass
class Program:
    """Generated text, and the values of its arguments.

    Attributes
    ----------
    source : str
        Text of the module.
    numbers : list of float
        Values of `p`, but for the stimuli's.
    arrays : dict
        Values of the array arguments by name; None for those that each segment fills in.
    stimuli : dict
        For (layer, kind): the name of the base array, and for each varying stimulus (index of the stimulus, place
        of its first parameter in `p`, name of its array).
    """

    source: str = ""
    numbers: list[float] = field(default_factory=list)
    arrays: dict[str, np.ndarray | None] = field(default_factory=dict)
    stimuli: dict[tuple[str, str], tuple[str, list[tuple[int, int, str]]]] = field(default_factory=dict)


class _Text:
    """Collects lines, functions and arguments."""

    def __init__(self) -> None:
        self.program = Program()
        self.lines: list[str] = []
        self.unpack: list[str] = []
        self.functions: dict[str, str] = {}
        self.imports: dict[str, None] = {}

    def line(self, text: str = "", depth: int = 1) -> None:
        self.lines.append("    " * depth + text if text else "")

    def number(self, name: str, value: float) -> str:
        self.unpack.append(f"    {name} = p[{len(self.program.numbers)}]")
        self.program.numbers.append(float(value))
        return name

    def array(self, name: str, value: np.ndarray | None) -> str:
        self.program.arrays[name] = value
        return name

    def argument(self, name: str, value: float | np.ndarray) -> str:
        return self.array(name, value) if isinstance(value, np.ndarray) else self.number(name, value)

    def function(self, name: str, text: str, helpers: Iterable[str] = ()) -> str:
        """Add a function; the same name with another text gets a number."""
        for helper in helpers:
            match = re.match(r"def (\w+)", helper)
            assert match is not None
            self.functions.setdefault(match[1], helper)
        chosen, k = name, 2
        while self.functions.get(chosen, text) != text:
            chosen, text, k = f"{name}_{k}", text.replace(f"def {chosen}(", f"def {name}_{k}(", 1), k + 1
        self.functions[chosen] = text
        return chosen

    def kernel(self, name: str, function: Callable[..., Any]) -> str:
        """Add a function given as a Python function."""
        try:
            return self.function(name, function_text(function, name), helper_texts(function))
        except OSError:
            raise SpecError(f"the text of {function.__qualname__} cannot be read; define it in a file") from None


@dataclass(eq=False)
class _Source:
    """One signal of one layer: shared by all projections that send it."""

    name: str
    layer: LayerLaw
    signal: Signal
    needs_array: bool = False
    needs_total: bool = False


def generate(network: Network) -> Program:
    """Return the program of a network."""
    text = _Text()
    sources = _collect_sources(network)
    places = {layer.name: k for k, layer in enumerate(network.layers)}
    for layer in network.layers:
        k = places[layer.name]
        text.line(f"x_{layer.name} = u[n[{k}] : n[{k + 1}]]")
        text.line(f"dx_{layer.name} = du[n[{k}] : n[{k + 1}]]")
    varying = _write_stimuli(text, network)
    for source in dict.fromkeys(sources.values()):
        _write_signal(text, source)
    fields = _write_fields(text, network, sources)
    for layer in network.layers:
        _write_layer(text, network, layer, sources, fields, varying)
    return _assemble(text, network)


def _collect_sources(network: Network) -> dict[str, _Source]:
    """Return, for each projection by name, the signal that it sends; equal signals of a layer are one."""
    found: dict[tuple[str, Signal], _Source] = {}
    by_projection: dict[str, _Source] = {}
    for projection in network.projections:
        key = (projection.source, projection.signal)
        if key not in found:
            found[key] = _Source(f"f{len(found)}", network.layer(projection.source), projection.signal)
        source = found[key]
        topology = projection.topology
        source.needs_array |= not topology.local or topology.needs_self
        source.needs_total |= topology.local
        by_projection[str(projection.name)] = source
    return by_projection


def _write_stimuli(text: _Text, network: Network) -> dict[tuple[str, str], list[str]]:
    """Write the time courses; return, for each (layer, kind), the terms of its input."""
    terms: dict[tuple[str, str], list[str]] = {}
    kinds = {"excitatory": "I", "inhibitory": "J"}
    for index, stimulus in enumerate(network.stimuli):
        key = (stimulus.target, stimulus.kind)
        if key not in terms:
            base = text.array(f"{kinds[stimulus.kind]}_{stimulus.target}", None)
            terms[key] = [f"{base}[i]"]
            text.program.stimuli[key] = (base, [])
        schedule = stimulus.schedule
        if schedule.varying:
            function = text.kernel(f"schedule_{type(schedule).__name__.lower()}", type(schedule).kernel)
            first = len(text.program.numbers)
            names = [text.number(f"{name}_g{index}", 0.0) for name in _argument_names(text.functions[function], 1)]
            text.line(f"g{index} = {function}({', '.join(['t', *names])})")
            pattern = text.array(f"pattern{index}_{stimulus.target}", None)
            terms[key].append(f"g{index} * {pattern}[i]")
            text.program.stimuli[key][1].append((index, first, pattern))
    return terms


def _write_signal(text: _Text, source: _Source) -> None:
    code = source.signal.code()
    function = text.function(code.name, code.source, code.helpers)
    names = _argument_names(code.source, 1)
    parameters = [text.number(f"{name}_{source.name}", v) for name, v in zip(names, code.parameters, strict=True)]
    x = f"x_{source.layer.name}"
    text.line()
    text.line(f"# {source.name}: {type(source.signal).__name__} signal of layer {source.layer.name}")
    if source.needs_total:
        text.line(f"sum_{source.name} = 0.0")
    text.line(f"for i in range({x}.size):")
    text.line(f"s = {function}({', '.join([f'{x}[i]', *parameters])})", 2)
    if source.needs_array:
        text.array(source.name, np.empty(source.layer.cells))
        text.line(f"{source.name}[i] = s", 2)
    if source.needs_total:
        text.line(f"sum_{source.name} += s", 2)


def _write_fields(text: _Text, network: Network, sources: dict[str, _Source]) -> dict[tuple[str, str], str]:
    """Write the projections that need a whole array at once; return the arrays of net input by (layer, kind)."""
    fields: dict[tuple[str, str], str] = {}
    for projection in network.projections:
        topology = projection.topology
        if topology.local:
            continue
        target = network.layer(projection.target)
        key = (projection.target, projection.kind)
        text.line()
        text.line(f"# {projection.name}: {type(topology).__name__}")
        if key not in fields:
            fields[key] = text.array(f"net_{projection.kind[:3]}_{target.name}", np.empty(target.cells))
            text.line(f"for i in range({fields[key]}.size):")
            text.line(f"{fields[key]}[i] = 0.0", 2)
        source = sources[str(projection.name)]
        name, kernel = topology.chosen_kernel(source.layer.shape, target.shape)
        function = text.kernel(name, kernel)
        for needed in kernel.__code__.co_names:
            if needed in topology.imports:
                text.imports[topology.imports[needed]] = None
        arguments = _topology_arguments(text, projection, source.layer, target, function)
        text.line(f"{function}({', '.join([source.name, fields[key], *arguments])})")
    return fields


def _topology_arguments(
    text: _Text, projection: Projection, source: LayerLaw, target: LayerLaw, function: str
) -> list[str]:
    names = _argument_names(text.functions[function], 2)
    values = projection.topology.arguments(source.shape, target.shape)
    return [text.argument(f"{name}_{projection.name}", value) for name, value in zip(names, values, strict=True)]


def _argument_names(function: str, skip: int) -> list[str]:
    """Return the names of a function's arguments after the first `skip`."""
    match = re.match(r"def \w+\((.*)\):", function)
    assert match is not None
    return [name.strip() for name in match[1].split(",")][skip:]


def _write_layer(
    text: _Text,
    network: Network,
    layer: LayerLaw,
    sources: dict[str, _Source],
    fields: dict[tuple[str, str], str],
    varying: dict[tuple[str, str], list[str]],
) -> None:
    inputs = {}
    for kind in ("excitatory", "inhibitory"):
        terms = list(varying.get((layer.name, kind), []))
        if (layer.name, kind) in fields:
            terms.append(f"{fields[layer.name, kind]}[i]")
        for projection in network.projections:
            if projection.target == layer.name and projection.kind == kind and projection.topology.local:
                source = sources[str(projection.name)]
                name, kernel = projection.topology.chosen_kernel(source.layer.shape, layer.shape)
                own = f"{source.name}[i]" if projection.topology.needs_self else "0.0"
                function = text.kernel(name, kernel)
                arguments = _topology_arguments(text, projection, source.layer, layer, function)
                terms.append(f"{function}({', '.join([own, f'sum_{source.name}', *arguments])})")
        inputs[kind] = " + ".join(terms) if terms else "0.0"
    law = text.kernel(f"law_{type(layer).__name__.lower()}", type(layer).law)
    parameters = []
    for name in layer.parameters:
        value = getattr(layer, name)
        if isinstance(value, np.ndarray):
            parameters.append(f"{text.array(f'{name}_{layer.name}', value.ravel())}[i]")
        else:
            parameters.append(text.number(f"{name}_{layer.name}", value))
    x = f"x_{layer.name}"
    text.line()
    text.line(f"# layer {layer.name}: {type(layer).__name__}")
    text.line(f"for i in range({x}.size):")
    text.line(f"exc = {inputs['excitatory']}", 2)
    text.line(f"inh = {inputs['inhibitory']}", 2)
    text.line(f"dx_{layer.name}[i] = {law}({', '.join([f'{x}[i]', 'exc', 'inh', *parameters])})", 2)


def _assemble(text: _Text, network: Network) -> Program:
    imports = "\n".join(text.imports) + ("\n" if text.imports else "")
    parts = [_HEADER.format(name=network.name, imports=imports)]
    for function in text.functions.values():
        parts.append(f"\n@njit(**options)\n{function}\n")
    arguments = ", ".join(["t", "u", "du", "n", "p", *text.program.arrays])
    parts.append(f"\n@njit(cache=True, **options)\ndef rhs({arguments}):\n")
    parts.append("\n".join([*text.unpack, *text.lines]) + "\n")
    text.program.source = "".join(parts)
    return text.program
