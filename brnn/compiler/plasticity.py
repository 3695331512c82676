"""Add what gates (MTM) and learning laws (LTM) contribute to the right-hand side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from brnn.base.codetext import Code
from brnn.compiler.program import Course, Given, Program, SentSignals
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    CodeExpression,
    Comment,
    ConstantNumber,
    Index,
    Local,
    Loop,
    Statement,
)  # fmt: skip
from brnn.spec.network import Network
from brnn.spec.projection import Projection

__all__ = ["add_gated", "add_given", "add_matrix", "add_plastic"]

_I, _J, _K = Index("i"), Index("j"), Index("k")  # source cell, target cell, connection
_W, _TOTAL = Local("w"), Local("total")  # strength of a connection, input of a cell
_TAKEN = Local("taken")  # sum of the weights of a cell
_ONE, _FIRST = ConstantNumber("1"), ConstantNumber("0")


def _state(quantity: str, projection: Projection) -> Array:
    return Array(f"{quantity}_{projection.name}", "state")


def add_gated(
    program: Program, projection: Projection, sent: SentSignals, gated: SentSignals, factor: CodeExpression | None
) -> None:
    """Add what a projection sends of the signals of its source: times a gate for each source cell, and a factor there.

    Parameters
    ----------
    sent : SentSignals
        The signals of the source; gates are depleted by them.
    gated : SentSignals
        What the projection sends.
    factor : Expression, optional
        What else multiplies the signal of cell i.
    """
    name, gate = str(projection.name), projection.gate
    f = cells = sent.array
    slopes: list[Assign] = []
    signal: CodeExpression = f[_I]
    says = f"{gated.name}: signals {sent.name}"
    if gate is not None and gate.per == "source":
        y, dy = _state("y", projection), _state("dy", projection)
        law = program.kernel(f"gate_{type(gate).__name__.lower()}", type(gate).law)
        arguments = program.arguments(law, 2, gate.arguments, f"gate_{name}")
        slopes.append(Assign(dy[_I], program.call(law, y[_I], f[_I], *arguments)))
        signal, cells = signal * y[_I], y
        says += f" through the gates of {name}: {type(gate).__name__}"
    if factor is not None:
        signal = signal * factor
        says += f", modulated as {name} is"
    program.add(Comment(says), *gated.computed(cells, *slopes, signal=signal))
    if gated.needs_array:
        program.work(gated.name, gated.cells)


def add_plastic(
    program: Program,
    network: Network,
    projection: Projection,
    s: Array,
    f: Array,
    reads: list[tuple[SentSignals, str]],
    net: Array,
) -> None:
    """Add a projection with a number of its own for each connection: weights z, gates y, or both.

    Parameters
    ----------
    s : Array
        The signals that are sent (gated, if there is one gate per source cell).
    f : Array
        The signals before any gate; gates of connections are depleted by them.
    reads : list of (SentSignals, place)
        What the learning law reads.
    net : Array
        Net input to which the projection adds.
    """
    name = str(projection.name)
    source, target = network.layer(projection.source), network.layer(projection.target)
    topology, gate, learning = projection.topology, projection.gate, projection.learning
    connection: list[Statement] = []  # for connection k from cell i to cell j, whose constant strength is w
    factor: CodeExpression = _W
    if gate is not None and gate.per == "connection":
        y, dy = _state("y", projection), _state("dy", projection)
        law = program.kernel(f"gate_{type(gate).__name__.lower()}", type(gate).law)
        arguments = program.arguments(law, 2, gate.arguments, f"gate_{name}")
        connection.append(Assign(dy[_K], program.call(law, y[_K], f[_I], *arguments)))
        factor = factor * y[_K]
    if learning is not None:
        z, dz = _state("z", projection), _state("dz", projection)
        law = program.kernel(f"learn_{type(learning).__name__.lower()}", type(learning).law)
        rate = _rate(program, network, projection)
        read = [
            sent.total if place == "source total" else sent.array[_I if place == "source" else _J]
            for sent, place in reads
        ]
        if learning.sums_weights:
            read.append(_TAKEN)
        others = program.named(learning.parameters, learning.others, name)
        connection.append(Assign(dz[_K], program.call(law, z[_K], *read, rate, *others)))
        factor = factor * z[_K]
    connection.append(Assign(_TOTAL, factor * s[_I], "+="))

    def summed(first: CodeExpression | None, loop: Loop) -> tuple[Statement, ...]:
        """Return the loop over the connections of a cell, after one that adds up their weights if that is read."""
        if learning is None or not learning.sums_weights:
            return (loop,)
        at = () if first is None else (Assign(_K, first + _I),)
        return Assign(_TAKEN, ZERO), replace(loop, body=(*at, Assign(_TAKEN, z[_K], "+="))), loop

    if topology.storage == "single":
        if learning is not None and learning.sums_weights:
            connection = [Assign(_TAKEN, z[_K]), *connection]
        (weight,) = program.named(["weight"], topology.arguments(source.shape, target.shape), name)
        body = (Assign(_I, _K), Assign(_J, _K), Assign(_TOTAL, ZERO), *connection, Assign(net[_K], _TOTAL, "+="))
        program.add(Assign(_W, weight), Loop(_K, net.size, body))
        return
    if topology.storage == "sparse":
        data, indices, indptr = _rows(program, topology.arguments(source.shape, target.shape), name)
        inside = (Assign(_I, indices[_K]), Assign(_W, data[_K]), *connection)
        program.add(_sums(net, *summed(None, Loop(_K, indptr[_J + _ONE], inside, indptr[_J]))))
        return
    weights = topology.weights(source.shape, target.shape)
    if program.explicit and any(isinstance(value, np.ndarray) for value in weights):
        w: CodeExpression = program.array(f"W_{name}", topology.strengths(source.shape, target.shape).ravel())[_K]
    else:
        strength = program.kernel(f"strength_{type(topology).__name__.lower()}", type(topology).strength)
        w = program.call(strength, _J, _I, *program.arguments(strength, 2, weights, name))
    cells = Array(f"x_{source.name}", "state").size
    inside = (Assign(_K, _J * cells + _I), Assign(_W, w), *connection)
    program.add(_sums(net, *summed(_J * cells, Loop(_I, cells, inside))))


def add_given(
    program: Program,
    network: Network,
    projection: Projection,
    s: Array,
    reads: list[tuple[SentSignals, str]],
    net: Array,
) -> None:
    """Add a projection whose weights are kept elsewhere: its input is an array, the parts of its law are written down.

    The arguments are those of `add_plastic`.
    """
    name, learning = str(projection.name), projection.learning
    assert learning is not None
    source, target = network.layer(projection.source).cells, network.layer(projection.target).cells
    near, far = (target, source) if learning.end == "target" else (source, target)
    total = program.work(f"given_{name}", target)
    program.add(Loop(_I, net.size, (Assign(net[_I], total[_I], "+="),)))
    others, program.statements = program.statements, program.parts
    program.add(Comment(f"{name}: {type(learning).__name__}"))
    law = type(learning).__name__.lower()
    parts = program.kernel(f"parts_{law}", type(learning).parts)
    rate = _rate(program, network, projection)
    numbers = program.named(learning.parameters, learning.others, f"part_{name}")
    written = {}
    for k, (what, size, end) in enumerate((("decay", near, True), ("gain", near, True), ("driver", far, False))):
        body = f"    return {parts.name}({', '.join(parts.arguments)})[{k}]\n"
        function = program.function(Code(f"{what}_{law}", parts.arguments, body))
        # What a part does not depend on is read of the first cell.
        read = [
            sent.total if place == "source total" else sent.array[_I if (place == learning.end) is end else _FIRST]
            for sent, place in reads
        ]
        array = program.work(f"{what}_{name}", size)
        program.add(Loop(_I, array.size, (Assign(array[_I], program.call(function, *read, rate, *numbers)),)))
        written[what] = array.name
    program.statements = others
    program.given[name] = Given(s.name, **written, total=total.name)


def add_matrix(program: Program, network: Network, projection: Projection, s: Array, net: Array) -> None:
    """Add the product of a constant matrix with the signals `s`, added to `net`, as loops.

    A matrix that mostly connects neighbours is stored by its rows' nonzero elements.
    """
    name = str(projection.name)
    source, target = network.layer(projection.source), network.layer(projection.target)
    topology = projection.topology
    if topology.storage == "dense":
        W = program.array(f"W_{name}", topology.strengths(source.shape, target.shape).ravel())
        cells = Array(f"x_{source.name}", "state").size
        program.add(_sums(net, Loop(_I, cells, (Assign(_TOTAL, W[_J * cells + _I] * s[_I], "+="),))))
        return
    if topology.storage == "sparse":
        rows = topology.arguments(source.shape, target.shape)
    else:
        from scipy.sparse import csr_array

        csr = csr_array(topology.strengths(source.shape, target.shape))
        rows = (csr.data, csr.indices.astype(np.int64), csr.indptr.astype(np.int64))
    data, indices, indptr = _rows(program, rows, name)
    inside = (Assign(_I, indices[_K]), Assign(_TOTAL, data[_K] * s[_I], "+="))
    program.add(_sums(net, Loop(_K, indptr[_J + _ONE], inside, indptr[_J])))


def _rows(program: Program, values: Sequence[Any], owner: str) -> list[Array]:
    """Add the three arrays of a matrix that is stored by the nonzero elements of its rows."""
    names = ("data", "indices", "indptr")
    return [program.array(f"{name}_{owner}", value) for name, value in zip(names, values, strict=True)]


def _sums(net: Array, *loops: Statement) -> Loop:
    """Return the loop over target cells j that adds to each net input the total that the last of `loops` adds up."""
    return Loop(_J, net.size, (Assign(_TOTAL, ZERO), *loops, Assign(net[_J], _TOTAL, "+=")))


def _rate(program: Program, network: Network, projection: Projection) -> CodeExpression:
    """Add the learning rate at time t."""
    name, learning = str(projection.name), projection.learning
    assert learning is not None
    rate = program.number(f"rate_{name}", learning.rate)
    if learning.schedule is None:
        return rate
    place = len(network.stimuli)
    for other in network.projections:
        if other is projection:
            break
        place += other.learning is not None and other.learning.schedule is not None
    factor: CodeExpression = (base := program.number(f"window_{name}", 0.0))
    if not learning.schedule.varying:
        program.courses.append(Course(place, base=base.place))
    else:
        course, first = program.course(f"course_{name}", learning.schedule)
        varying = program.number(f"varying_{name}", 0.0)
        program.courses.append(Course(place, first, None, varying.place - first, base.place, varying.place))
        factor = base + course * varying
    now = Local(f"now_{name}")
    program.add(Assign(now, rate * factor))
    return now
