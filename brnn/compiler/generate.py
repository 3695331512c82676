"""Generate a network's right-hand side.

Its statements depend only on the network's structure (which layers, laws, signals, topologies, gates, learning laws and
stimuli there are). Every number, weight and pattern is an argument, so a new number never compiles anything anew. The
generated function is

    rhs(t, u, du, places)

whose arguments after the time are addresses: those of the state, of du/dt, which it writes, and of a table that says
where everything else lies (`argument_table`): n, where the blocks of u begin and end, p, the numbers, then the arrays.
It allocates nothing. Addresses, because then every network's function has one signature, so that integrators are
compiled once for all networks, and a call costs the same however many arrays there are.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from brnn.base.codetext import Code
from brnn.compiler.convolutions import add_shared
from brnn.compiler.modulation import modulating_factor
from brnn.compiler.plasticity import add_gated, add_given, add_matrix, add_plastic
from brnn.compiler.program import CALLED, Course, Program, SentSignals
from brnn.compiler.rates import with_rates
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    Comment,
    Constant,
    Element,
    Expression,
    Index,
    Local,
    Loop,
    Printer,
    Statement,
    Time,
)  # fmt: skip
from brnn.signals import Signal
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules.along import AlongTrajectory, place_on
from brnn.spec.topologies import Topology
from brnn.spec.topologies.successive import Successive
from brnn.spec.variable import Variable

__all__ = [
    "ADDRESSES",
    "HEADER",
    "argument_table",
    "found_by_address",
    "generate",
    "text_of",
    "text_of_arrays",
    "text_with_rates",
    "text_with_steps",
]

HEADER = '''"""Right-hand side of a network, generated from its structure; every number is an argument."""

import numpy as np
{numba}
{imports}
options = {{"error_model": "numpy", "fastmath": {{"contract", "reassoc", "nsz"}}, "nogil": True}}

'''
ADDRESSES = """from numba import cfunc

from brnn.compiler.numba_internals import RHS_SIGNATURE, array_in, block_in, compiled_once, numbers_in"""
_ARRAYS = "from numba import njit"
Shape = tuple[int, ...]

_I, _CONNECTION = Index("i"), Index("k")
_WHOLE = np.zeros(1, dtype=np.int64)
_SHORT = {"excitatory": "I", "inhibitory": "J", "modulatory": "mod"}  # names of input


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
    share no transforms. With `by_object` projections share signals only if these are one object, not if they are equal,
    so that the structure does not depend on numbers.
    """
    program = Program(tuple(f"{variable.quantity}_{variable.group}" for variable in variables), explicit, apart)
    signals = SignalTable(network, by_object)
    sent = {str(projection.name): _sent_by(projection, network, signals) for projection in network.projections}
    inputs = _add_stimuli(program, network)
    for (name, _, lag), (signal, source) in signals.sent.items():
        if lag >= 0.0:
            _add_signal(program, network.layer(name), signal, lag, source)
    for projection in network.projections:
        if _changed_at_source(projection):
            own = signals.of(projection.source, projection.signal, projection.delay)
            factor = _factor(program, projection, signals, "source")
            add_gated(program, projection, own, sent[str(projection.name)], factor)
    fields: dict[tuple[str, str], Array] = {}
    for projection in network.projections:
        if not projection.immediate:
            _add_field(program, network, projection, signals, sent, fields, given)
    for layer in network.layers:
        _add_layer(program, network, layer, signals, sent, fields, inputs)
        _send_at_once(program, network, layer, signals, sent, fields)
    program.source = text_of(program)
    return program


def _sent_by(projection: Projection, network: Network, signals: SignalTable) -> SentSignals:
    """Return the signals that a projection sends, and note everything that it reads."""
    topology, gate = projection.topology, projection.gate
    plastic = _is_plastic(projection)
    array = plastic or not topology.local or topology.needs_self
    total = topology.local and not plastic
    for signal, place in signals.read_by(projection):
        layer, lag = _end(projection, place)
        signals.of(layer, signal, lag, array=place != "source total", total=place == "source total")
    if projection.modulation is not None:
        modulating, single = _modulating(projection, signals), projection.modulation.at == "total"
        modulating.needs_array |= not single
        modulating.needs_total |= single
    own, lag = projection.source, projection.lag(network.step)
    if not _changed_at_source(projection):
        return signals.of(own, projection.signal, lag, array=array or gate is not None, total=total)
    signals.of(own, projection.signal, lag, array=True)
    return SentSignals(f"fy_{projection.name}", network.layer(projection.source).cells, array, total)


def _is_plastic(projection: Projection) -> bool:
    """Tell whether each connection has a gate or weight of its own."""
    return projection.learning is not None or (projection.gate is not None and projection.gate.per == "connection")


def _changed_at_source(projection: Projection) -> bool:
    """Tell whether each source cell has a gate or a factor of its own."""
    gate, modulation = projection.gate, projection.modulation
    return (gate is not None and gate.per == "source") or (modulation is not None and modulation.at == "source")


def _modulating(projection: Projection, signals: SignalTable) -> SentSignals:
    """Return the signals of the layer that modulates a projection."""
    modulation = projection.modulation
    assert modulation is not None
    return signals.of(modulation.layer, modulation.signal, projection.delay if modulation.at == "source" else 0.0)


def _factor(program: Program, projection: Projection, signals: SignalTable, *places: str) -> Expression | None:
    """Return the factor of a projection if it is one of these places."""
    if projection.modulation is None or projection.modulation.at not in places:
        return None
    return modulating_factor(program, projection, _modulating(projection, signals))


def _end(projection: Projection, place: str) -> tuple[str, float]:
    """Return the layer at which a learning law reads, and how long ago: signals of the source arrive late."""
    learning = projection.learning
    name = projection.target if place == "target" else projection.source
    if learning is not None:
        name = learning.layer_at(place, projection.source, projection.target)
    return name, 0.0 if place == "target" else projection.delay


def _add_stimuli(program: Program, network: Network) -> dict[tuple[str, str], list[Expression]]:
    """Add the time courses; return, for each (layer, kind), the terms of its input."""
    terms: dict[tuple[str, str], list[Expression]] = {}
    for index, stimulus in enumerate(network.stimuli):
        if stimulus.schedule.white:
            continue
        key = (stimulus.target, stimulus.kind)
        if key not in terms:
            base = program.array(f"{_SHORT[stimulus.kind]}_{stimulus.target}", None)
            terms[key] = [base[_I]]
            program.inputs[key] = base.name
        if isinstance(stimulus.schedule, AlongTrajectory):
            if not program.explicit:
                terms[key].append(_along(program, index, stimulus.schedule, stimulus.target))
        elif stimulus.schedule.varying:
            course, first = program.course(f"g{index}", stimulus.schedule)
            count = len(program.numbers) - first
            pattern = program.array(f"pattern{index}_{stimulus.target}", None)
            terms[key].append(course * pattern[_I])
            program.courses.append(Course(index, first, pattern.name, count))
    return terms


def _along(program: Program, index: int, schedule: AlongTrajectory, target: str) -> Expression:
    """Add the place of an animal at time t; return what a cell of the target receives there.

    In explicit form, which has loops over cells alone, the input is that of one time (`System.values`).
    """
    owner = f"{index}_{target}"
    first = len(program.numbers)
    trial = [program.number(f"{name}_{owner}", 0.0) for name in ("origin", "cos", "sin")]
    walls = program.named(("low_x", "high_x", "low_y", "high_y"), schedule.walls, owner)
    path = schedule.trajectory
    samples = program.named(("times", "xs", "ys"), (path.t, path.x, path.y), owner)
    place = program.work(f"place{owner}", 2)
    find = program.kernel("place_on", place_on)
    program.add(
        Comment(f"place{owner}: where the animal is"),
        program.call(find, Time("t"), *trial, *walls, *samples, place),
    )
    tuning = schedule.tuning
    kernel = program.kernel(f"tuning_{type(tuning).__name__.lower()}", type(tuning).kernel)
    values = [np.ravel(value) if isinstance(value, np.ndarray) else value for value in tuning.arguments]
    arguments = [
        argument[_I] if isinstance(argument, Array) else argument
        for argument in program.named(kernel.arguments[2:], values, f"tuning{owner}")
    ]
    pattern = program.array(f"pattern{owner}", None)
    program.courses.append(Course(index, first, pattern.name, len(trial)))
    return pattern[_I] * program.call(kernel, place[Constant("0")], place[Constant("1")], *arguments)


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
            _add_signal(program, layer, signal, lag, source)
    for projection in network.projections:
        if projection.immediate and projection.source == layer.name:
            _add_field(program, network, projection, signals, sent, fields)


def _add_signal(program: Program, layer: LayerLaw, signal: Signal, lag: float, sent: SentSignals) -> None:
    code = signal.code()
    function = program.function(code)
    parameters = program.arguments(function, 1, code.parameters, sent.name)
    x = _state("dx" if lag < 0.0 else "x", layer) if lag <= 0.0 else program.lag(layer, lag)
    late = ", delayed" if lag > 0.0 else ", of the next state" if lag < 0.0 else ""
    program.add(Comment(f"{sent.name}: {type(signal).__name__} signal of layer {layer.name}{late}"))
    program.add(*sent.computed(x, signal=program.call(function, x[_I], *parameters)))
    if sent.needs_array:
        program.work(sent.name, sent.cells)


def _add_field(
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
    if key not in fields:
        fields[key] = program.work(room, target.cells)
        program.add(Loop(_I, fields[key].size, (Assign(fields[key][_I], ZERO),)))
    s, net = sent[str(projection.name)].array, fields[key]
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
    if not program.apart and add_shared(program, network, projection, sent, net):
        return
    if not isinstance(topology, Successive):
        _add_kernel(program, topology, source.shape, target.shape, s, net, str(projection.name))
        return
    steps = list(topology.steps(source.shape, target.shape))
    for k, (part, before, after) in enumerate(steps):
        owner, out = f"{projection.name}_{k}", net
        if k < len(steps) - 1:
            out = program.work(f"between_{owner}", math.prod(after))
            program.add(Loop(_I, out.size, (Assign(out[_I], ZERO),)))
        _add_kernel(program, part, before, after, s, out, owner)
        s = out


def _add_kernel(
    program: Program, topology: Topology, source: Shape, target: Shape, s: Array, net: Array, owner: str
) -> None:
    """Add a call of the kernel of a topology, which adds W s to `net`."""
    function = program.kernel(*topology.chosen_kernel(source, target))
    text = "".join(code.source for code in (function, *function.helpers))
    for needed, line in topology.imports.items():
        if re.search(rf"\b{needed}\(", text):
            program.imports[line] = None
    arguments = program.arguments(function, 2, topology.arguments(source, target), owner)
    program.add(program.call(function, s, net, *arguments))


def _add_layer(
    program: Program,
    network: Network,
    layer: LayerLaw,
    signals: SignalTable,
    sent: dict[str, SentSignals],
    fields: dict[tuple[str, str], Array],
    inputs: dict[tuple[str, str], list[Expression]],
) -> None:
    brackets: dict[Local, Expression] = {}
    for kind in layer.kinds:
        terms: list[Expression] = []
        for name in layer.receives:
            terms += inputs.get((name, kind), [])
            if (name, kind) in fields:
                terms.append(fields[name, kind][_I])
            for projection in network.projections:
                if projection.target != name or projection.kind != kind:
                    continue
                factor = _factor(program, projection, signals, "target", "total")
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


def _law(program: Program, layer: LayerLaw) -> tuple[Code, list[Expression]]:
    """Add the law of a layer; return it and its arguments after x and the inputs."""
    law = program.kernel(f"law_{type(layer).__name__.lower()}", type(layer).law)
    parameters: list[Expression] = []
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
        parameters.append(program.call(function, _state("x", layer)[_I], *values))
    return law, parameters


def _spread(pattern: object, layer: LayerLaw) -> np.ndarray:
    return np.array(np.broadcast_to(np.asarray(pattern, dtype=np.float64), layer.shape)).ravel()


def _diffusion(
    program: Program,
    law: Code,
    state: Sequence[Expression],
    parameters: Sequence[Expression],
    white: Sequence[tuple[str, Array]],
) -> Expression:
    """Return b_i, the strength of the white noise of a cell.

    The law is linear in its inputs, so a unit of input changes dx/dt by law(unit) - law(nothing). Several independent
    noises add up to one whose variance is the sum of theirs.
    """
    one, two = Constant("1.0"), Constant("2")
    nothing = program.call(law, *state, ZERO, ZERO, *parameters)
    units = {"excitatory": (one, ZERO), "inhibitory": (ZERO, one)}
    terms = [
        (program.call(law, *state, *units[kind], *parameters) - nothing) * strength[_I] for kind, strength in white
    ]
    if len(terms) == 1:
        return terms[0]
    return Call("np.sqrt", (functools.reduce(operator.add, (term**two for term in terms)),))


def _local_term(program: Program, network: Network, projection: Projection, source: SentSignals) -> Expression:
    """Return the term of a projection whose input to a cell needs only that cell's signal and the total."""
    topology = projection.topology
    shapes = network.layer(projection.source).shape, network.layer(projection.target).shape
    function = program.kernel(*topology.chosen_kernel(*shapes))
    arguments = program.arguments(function, 2, topology.arguments(*shapes), str(projection.name))
    own = source.array[_I] if topology.needs_self else ZERO
    return program.call(function, own, source.total, *arguments)


def text_with_rates(program: Program) -> str:
    """Return the module whose ``rhs`` writes behind du/dt, in an array of twice its length, the rates of the unknowns.

    Only exponential methods need it, which compile it when they are chosen.
    """
    changed = replace(program, statements=list(with_rates(program.statements)), diffusion=[])
    return text_of(changed, rates=True)


def text_with_steps(program: Program) -> str:
    """Return the module whose ``rhs`` lets the weights make a step of Euler's method and writes du/dt of all others.

    Weights are read by the loop of their own connection alone, so that they can change where they are read: one pass
    over them instead of three. The length of the step stands behind du/dt.
    """
    changed = replace(program, statements=list(_stepped(program.statements)), diffusion=[])
    return text_of(changed, steps=True)


def _stepped(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements, those that assign slopes of weights at the end of their loops and as steps."""
    later = []
    for statement in statements:
        match statement:
            case Assign(Element(Array(name, "state"), index), value) if name.startswith("dz_"):
                z = Array(name[1:], "state")[index]
                later.append(Assign(z, z + Local("step") * value))
            case Assign(Index() as index, value) if index == _CONNECTION:
                # Whole numbers without a sign: nothing asks at each weight whether it is counted from the end.
                yield Assign(index, Call("np.uint64", (value,)))
            case Loop():
                yield replace(statement, body=tuple(_stepped(statement.body)))
            case _:
                yield statement
    yield from later


def text_of(program: Program, *, rates: bool = False, steps: bool = False) -> str:
    """Return the text of the module, whose functions find everything by its address.

    They do so in calls of three functions, as indices and slices of arrays, which may be negative or too large, and
    wrappers of functions that Python never calls, were four tenths of the time that a network took to compile.
    """
    lines = found_by_address(program)
    if rates:
        size = " + ".join(f"d{name}.size" for name in program.blocks)
        lines.append(f"    rates = du + 8 * ({size})")
        for k, name in enumerate(program.blocks):
            lines.append(f"    rate_{name} = block_in(rates, places, 1, {k})")
    imports = ADDRESSES
    if steps:
        size = " + ".join(f"d{name}.size" for name in program.blocks)
        lines.append(f"    step = array_at(du + 8 * ({size}), 1)[0]")
        imports = ADDRESSES.replace("array_in", "array_at, array_in")
    clear = [f"    d{name}[:] = 0.0" for name in program.blocks]
    return _module(program, imports, CALLED, "cfunc(RHS_SIGNATURE, ", "t, u, du, places", lines, clear)


def found_by_address(program: Program) -> list[str]:
    """Return the lines that find numbers, arrays, state and slopes by the addresses of a table."""
    arrays: dict[str, np.ndarray | None] = {"n": _WHOLE, "p": None, **program.arrays}
    places: dict[str, int] = {}
    lines, place = [], 1
    for name, value in arrays.items():
        kind, dimensions = ("float64", 1) if value is None else (value.dtype.name, value.ndim)
        places[name] = place
        sizes = "".join(f"{place + 1 + k}, " for k in range(dimensions)).strip()
        if name in program.arrays:
            lines.append(f"    {name} = array_in(places, {place}, ({sizes}), np.{kind})")
        place += 1 + dimensions
    if program.places:
        names = ", ".join(number.name for number in program.places)
        lines.append(f"    ({names},) = numbers_in(places, {places['p']}, {len(program.places)})")
    for k, name in enumerate(program.blocks):
        lines.append(f"    {name} = block_in(u, places, {places['n']}, {k})")
        lines.append(f"    d{name} = block_in(du, places, {places['n']}, {k})")
    return lines


def text_of_arrays(program: Program) -> str:
    """Return the module as functions of arrays: ``rhs(t, u, du, n, p, ...)``, which nothing has to be known about.

    It is not compiled. Sweep files hold its hash, so that it stays as it is.
    """
    lines = [f"    {number.name} = p[{number.place}]" for number in program.places]
    for k, name in enumerate(program.blocks):
        lines += [f"    {name} = u[n[{k}] : n[{k + 1}]]", f"    d{name} = du[n[{k}] : n[{k + 1}]]"]
    arguments = ", ".join(["t", "u", "du", "n", "p", *program.arrays])
    return _module(program, _ARRAYS, "njit(**options)", "njit(", arguments, lines, ["    du[:] = 0.0"])


def _module(
    program: Program, imports: str, called: str, decorator: str, arguments: str, first: list[str], clear: list[str]
) -> str:
    """Return the text of a module.

    Parameters
    ----------
    program : Program
        What it computes.
    imports : str
        What it imports of Numba, and of what belongs to it.
    called : str
        Decorator of the functions that are called by others.
    decorator : str
        That of the others, and its first arguments.
    arguments : str
        Their arguments.
    first : list of str
        Their first lines.
    clear : list of str
        The lines that set du/dt to 0.
    """
    printer = Printer()
    parts = [HEADER.format(numba=imports, imports="".join(f"{line}\n" for line in program.imports))]
    parts += [f"\n@{called}\n{code.source}\n" for code in program.functions.values()]
    bodies = {"rhs": printer.lines(program.statements)}
    if program.diffusion:
        bodies["diffusion"] = itertools.chain(clear, printer.lines(program.diffusion))
    texts = [
        "\n".join([f"\n@{decorator}cache=True, **options)\ndef {name}({arguments}):", *first, *body]) + "\n"
        for name, body in bodies.items()
    ]
    return "".join(parts) + "\n".join(texts)


def argument_table(size: int, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the table that a generated function takes: the length of the state, and address and shape of each array.

    Parameters
    ----------
    size : int
        Length of the state.
    arrays : sequence of ndarray
        n, p, and the arrays of the program in their order, each in C order. They must live as long as the table is
        used.
    """
    table = [size]
    for array in arrays:
        table += [array.__array_interface__["data"][0], *array.shape]
    return np.array(table, dtype=np.int64)
