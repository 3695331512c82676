"""A step in which the layers move one after the other, each with what the layers before it send when it is over.

A network that leads from layer to layer needs no more than one evaluation of each law for a step of order 2: where the
layer before has moved already, its signals at both ends of the step are known (those of Gauss and Seidel, not of
Jacobi). Layer by layer:

1. its net inputs are computed from the newest signals;
2. each unknown x, whose slope was f when the step began, and is g with the new inputs, moves to

       x + h (phi_1(w) - phi_2(w)) f + h phi_2(w) g,    w = h times its rate (`brnn.compiler.rates`),

   which is exact where the rate is constant and the rest of the slope is linear in time, but for phi_1 and phi_2:
   rational functions take the place of exponentials, with exp(w) = (1 + w/3)/(1 - 2w/3 + w^2/6) + O(w^4), which goes
   to 0 where w goes to minus infinity;
3. its slope at the end is kept for the next step, and its signals there are computed.

What a layer receives from itself or from a later one is taken from where these will be at the end of the step if their
inputs stay as they are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from brnn.base.codetext import code_of
from brnn.compiler.bands import divide
from brnn.compiler.generate import (
    SignalTable,
    add_field,
    add_layer,
    add_signal,
    changed_at_source,
    factor_of,
    modulating_signals,
    sent_by,
)  # fmt: skip
from brnn.compiler.module_text import text_in_sequence
from brnn.compiler.plasticity import add_gated
from brnn.compiler.program import Program
from brnn.compiler.rates import change_of, is_affine
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Element,
    Local,
    Loop,
    Operation,
    Statement,
    renamed,
)  # fmt: skip
from brnn.compiler.stimuli import add_stimuli
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.variable import Variable

__all__ = ["in_order", "in_sequence"]

_STEP, _NEW, _LATE, _CHANGE, _RATE = Local("step"), Local("new"), Local("late"), Local("change"), Local("rate")


def moved(x: Any, early: Any, late: Any, rate: Any, step: Any) -> Any:
    """Return x at the end of a step, from its slopes with the inputs of its beginning and of its end."""
    w = -step * rate
    part = step / (1.0 + w * (2.0 / 3.0 + w * (1.0 / 6.0)))  # one division for all cells where all have one rate
    return x + part * (0.5 * early + (0.5 + w * (1.0 / 6.0)) * late)


def ahead(x: Any, slope: Any, rate: Any, step: Any) -> Any:
    """Return x at the end of a step if its inputs stay as they are."""
    w = -step * rate
    return x + slope * (step * (1.0 + w * (1.0 / 6.0)) / (1.0 + w * (2.0 / 3.0 + w * (1.0 / 6.0))))


def additive(x: Any, exc: Any, inh: Any, A: Any, B: Any, E: Any) -> Any:
    """Return dx/dt of equation (9) where C and F are 0."""
    return B * exc - E * inh - A * x


@dataclass(frozen=True)
class _Piece:
    """What computes signals of one layer, or what one of its projections makes of them.

    Attributes
    ----------
    name : str
        Of the signals.
    turn : int
        Of the layer.
    readers : frozenset of int
        The turns in which they are read.
    needs : tuple of str
        The names of the signals from which they are made.
    statements : tuple of Statement
        What computes them.
    """

    name: str
    turn: int
    readers: frozenset[int]
    needs: tuple[str, ...]
    statements: tuple[Statement, ...]


def in_order(network: Network) -> tuple[LayerLaw, ...]:
    """Return the layers so that those come first which send to a layer or modulate what it receives.

    Where the order is free, and among layers that send to each other in a circle, the one that was given first comes
    first.
    """
    layers = network.layers
    place = {layer.name: k for k, layer in enumerate(layers)}
    whence: list[set[int]] = [set() for _ in layers]  # from where one comes to each layer, by however many layers
    for projection in network.projections:
        third = () if projection.modulation is None else (projection.modulation.layer,)
        for k in _receivers(network, projection, place):
            whence[k].update(place[name] for name in (projection.source, *third))
    for k in range(len(layers)):
        for some in whence:
            if k in some:
                some |= whence[k]
    order: list[int] = []
    while len(order) < len(layers):
        left = [k for k in range(len(layers)) if k not in order]
        order.append(next(k for k in left if all(j in order or k in whence[j] or j == k for j in whence[k])))
    return tuple(layers[k] for k in order)


def in_sequence(network: Network, variables: tuple[Variable, ...]) -> Program:
    """Return the program of a step (`brnn.compiler.module_text.text_in_sequence`).

    The network has neither delays nor learning, gates of connections or white noise.
    """
    program = Program(tuple(f"{variable.quantity}_{variable.group}" for variable in variables), apart=True, joins=True)
    order = in_order(network)
    turns = {layer.name: k for k, layer in enumerate(order)}
    signals = SignalTable(network)
    sent = {str(projection.name): sent_by(projection, network, signals) for projection in network.projections}
    inputs = add_stimuli(program, network)
    courses = _taken(program)
    pieces = _pieces(program, network, signals, turns)
    fields: dict[tuple[str, str], Array] = {}
    nets: dict[str, list[Statement]] = {layer.name: [] for layer in order}
    for projection in network.projections:
        add_field(program, network, projection, signals, sent, fields)
        nets[order[min(_receivers(network, projection, turns))].name] += _taken(program)
    laws: dict[str, list[Statement]] = {}
    for layer in order:
        add_layer(program, network, layer, signals, sent, fields, inputs)
        laws[layer.name] = [*_simpler(_taken(program), program, layer)]
    moved_name, ahead_name = (program.kernel(function.__name__, function).name for function in (moved, ahead))
    early, late = _when(pieces)
    again = _again(program, early, late)
    rates = {f"x_{layer.name}": _rate(laws[layer.name]) for layer in order if _is_additive(layer)}
    kept: set[str] = set()
    affine = _affine_laws(program, network)
    program.add(*courses)
    for piece in early:
        program.add(*_ahead(piece.statements, ahead_name, kept, rates))
    for turn, layer in enumerate(order):
        names = {name: new for name, (own, new) in again.items() if own < turn}
        after = {name: new for name, (own, new) in again.items() if own <= turn}
        loops = [*renamed(_moving(laws[layer.name], moved_name, kept, affine, rates), names)]
        for piece in late:
            if piece.turn == turn:
                loops += renamed(_moving(piece.statements, moved_name, kept, affine, rates), after)
        program.add(*renamed(nets[layer.name], names), *loops)
    stimulated = [layer for layer in order if any(s.target in layer.receives for s in network.stimuli)]
    places = {turns[layer.name] for layer in stimulated}
    program.renewed += courses
    for piece in _with_needs((piece for piece in pieces if piece.readers & places), pieces):
        program.renewed += _of_signals(piece.statements)
    for layer in stimulated:
        program.renewed += [*nets[layer.name], *laws[layer.name]]
    divide(network, program)
    if not program.bands:
        program.source = text_in_sequence(program)
    return program


def _again(program: Program, early: Sequence[_Piece], late: Sequence[_Piece]) -> dict[str, tuple[int, str]]:
    """Return, for signals that are computed both before and after their layer moves, its turn and the name after."""
    both: dict[str, tuple[int, str]] = {}
    for piece in late:
        if any(other.name == piece.name for other in early):
            both[piece.name] = piece.turn, f"{piece.name}_late"
            both[f"sum_{piece.name}"] = piece.turn, f"sum_{piece.name}_late"
            room = program.arrays.get(piece.name)
            if room is not None:
                program.work(f"{piece.name}_late", room.size)
    return both


def _taken(program: Program) -> list[Statement]:
    """Take the statements that were added out of the program."""
    taken, program.statements = program.statements, []
    return taken


def _receivers(network: Network, projection: Projection, places: dict[str, int]) -> list[int]:
    """Return the places of the layers that receive what a projection brings."""
    return [places[layer.name] for layer in network.layers if projection.target in layer.receives]


def _pieces(program: Program, network: Network, signals: SignalTable, turns: dict[str, int]) -> list[_Piece]:
    """Return what computes signals, of whole layers first."""
    readers: dict[str, set[int]] = {source.name: set() for _, source in signals.sent.values()}
    gated: list[_Piece] = []
    for projection in network.projections:
        read_in = frozenset(_receivers(network, projection, turns))
        own = signals.of(projection.source, projection.signal)
        modulation = projection.modulation
        third = None if modulation is None else modulating_signals(projection, signals)
        if not changed_at_source(projection):
            readers[own.name] |= read_in
        if third is not None and modulation is not None and modulation.at != "source":
            readers[third.name] |= read_in
        if changed_at_source(projection):
            at_source = third is not None and modulation is not None and modulation.at == "source"
            needs = (own.name, third.name) if at_source and third is not None else (own.name,)
            given = sent_by(projection, network, signals)
            factor = factor_of(program, projection, signals, "source")
            add_gated(program, projection, own, given, factor)
            gated.append(_Piece(given.name, turns[projection.source], read_in, needs, tuple(_taken(program))))
    plain = []
    for (name, _, lag), (signal, source) in signals.sent.items():
        add_signal(program, network.layer(name), signal, lag, source)
        plain.append(_Piece(source.name, turns[name], frozenset(readers[source.name]), (), tuple(_taken(program))))
    return [*plain, *gated]


def _with_needs(some: Iterable[_Piece], pieces: Sequence[_Piece]) -> list[_Piece]:
    """Return some of the pieces and those that they need, in the order of all."""
    names = {name for piece in some for name in (piece.name, *piece.needs)}
    return [piece for piece in pieces if piece.name in names]


def _when(pieces: Sequence[_Piece]) -> tuple[list[_Piece], list[_Piece]]:
    """Return the pieces that are computed before all layers move, and those that are when their layer has moved."""
    late = max((piece.turn for piece in pieces), default=0) + 1
    before = _with_needs((piece for piece in pieces if min(piece.readers, default=late) <= piece.turn), pieces)
    made = [piece for piece in pieces if piece.needs]
    after = {piece.name for piece in pieces if max(piece.readers, default=-1) > piece.turn}
    for piece in made:
        if piece.name in after or _states(piece.statements):
            after.add(piece.name)
            needed = [other for other in pieces if other.name in piece.needs]
            after.update(other.name for other in needed if other.turn <= piece.turn)
            before += [other for other in needed if other.turn > piece.turn and other not in before]
    order = {piece.name: k for k, piece in enumerate(pieces)}
    return sorted(before, key=lambda piece: order[piece.name]), [piece for piece in pieces if piece.name in after]


def _states(statements: Iterable[Statement]) -> bool:
    """Tell whether there are slopes of states among what statements assign."""
    return any(_is_slope(inner) for s in statements if isinstance(s, Loop) for inner in s.body)


def _is_slope(statement: Statement) -> bool:
    match statement:
        case Assign(Element(Array(_, "state"), _)):
            return True
    return False


def _of_signals(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Yield the statements without those that assign slopes."""
    for statement in statements:
        if isinstance(statement, Loop):
            yield replace(statement, body=tuple(_of_signals(statement.body)))
        elif not _is_slope(statement):
            yield statement


def _ahead(
    statements: Iterable[Statement], function: str, kept: set[str], rates: Mapping[str, CodeExpression]
) -> Iterator[Statement]:
    """Yield the statements that compute signals, of where states will be; note whose rates that needs."""
    for statement in _of_signals(statements):
        if isinstance(statement, Loop):
            yield replace(statement, body=tuple(_ahead(statement.body, function, kept, rates)))
        elif isinstance(statement, Assign):
            yield replace(statement, value=_beyond(statement.value, function, kept, rates))
        else:
            yield statement


def _beyond(
    expression: CodeExpression, function: str, kept: set[str], rates: Mapping[str, CodeExpression]
) -> CodeExpression:
    """Return an expression that reads states, of where they will be."""
    match expression:
        case Element(Array(name, "state"), index):
            if name not in rates:
                kept.add(name)
            rate = rates.get(name, Array(f"rate_{name}", "state")[index])
            return Call(function, (expression, Array(f"d{name}", "state")[index], rate, _STEP))
        case Operation(left, symbol, right):
            return Operation(_beyond(left, function, kept, rates), symbol, _beyond(right, function, kept, rates))
        case Call(name, arguments):
            return Call(name, tuple(_beyond(argument, function, kept, rates) for argument in arguments))
    return expression


def _is_additive(layer: LayerLaw) -> bool:
    """Tell whether a layer obeys equation (9) with C = F = 0: its rate is -A."""
    return type(layer).law is Layer.law and layer.accepts_signed_input()


def _simpler(statements: Iterable[Statement], program: Program, layer: LayerLaw) -> Iterator[Statement]:
    """Yield the statements of a layer, of an additive one without what is 0: its division is then the same for all."""
    for statement in statements:
        match statement:
            case Loop() if _is_additive(layer):
                yield replace(statement, body=tuple(_simpler(statement.body, program, layer)))
            case Assign(Element(Array(_, "state"), _), Call(_, (x, exc, inh, A, B, _, E, _))):
                name = program.kernel(additive.__name__, additive).name
                yield replace(statement, value=Call(name, (x, exc, inh, A, B, E)))
            case _:
                yield statement


def _rate(law: Sequence[Statement]) -> CodeExpression:
    """Return the rate of an additive layer."""
    for statement in law:
        if isinstance(statement, Loop):
            return _rate(statement.body)
        if isinstance(statement, Assign) and isinstance(statement.value, Call) and len(statement.value.arguments) == 6:
            return ZERO - statement.value.arguments[3]
    raise AssertionError("no law of an additive layer")


def _moving(
    statements: Iterable[Statement],
    function: str,
    kept: set[str],
    affine: Collection[str],
    rates: Mapping[str, CodeExpression],
) -> Iterator[Statement]:
    """Yield the statements, those that assign slopes as the moves of a step."""
    for statement in statements:
        match statement:
            case Loop():
                yield replace(statement, body=tuple(_moving(statement.body, function, kept, affine, rates)))
            case Assign(Element(Array(name, "state"), index) as slope, Call(law, (Element() as own, *_)) as value):
                yield Assign(_LATE, value)
                yield Assign(_CHANGE, rates[name[1:]] if name[1:] in rates else change_of(value, _LATE))
                yield Assign(_RATE, Call("np.minimum", (ZERO, _CHANGE)))
                yield Assign(_NEW, Call(function, (own, slope, _LATE, _RATE, _STEP)))
                if name[1:] in kept:
                    yield Assign(Array(f"rate_{name[1:]}", "state")[index], _RATE)
                if law in affine:
                    yield Assign(slope, _LATE + _CHANGE * (_NEW - own))
                    yield Assign(own, _NEW)
                else:
                    yield Assign(own, _NEW)
                    yield Assign(slope, value)
            case _:
                yield statement


def _affine_laws(program: Program, network: Network) -> set[str]:
    """Return the names of the laws of layers and gates that are affine in their own unknown."""
    laws = [type(layer).law for layer in network.layers if not layer.inner()]
    laws += [type(gate).law for gate in (projection.gate for projection in network.projections) if gate is not None]
    bodies = {code_of(law).body for law in laws if is_affine(law)}
    bodies.add(code_of(additive).body)
    return {name for name, code in program.functions.items() if code.body in bodies}
