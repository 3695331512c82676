"""Write what gates (MTM) and learning laws (LTM) add to the right-hand side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brnn.compiler.statements import Course, Text
from brnn.spec.network import Network
from brnn.spec.projection import Projection

if TYPE_CHECKING:
    from brnn.compiler.statements import Sent

__all__ = ["write_gate", "write_matrix", "write_plastic"]


def write_gate(text: Text, projection: Projection, f: str, gated: Sent) -> None:
    """Write a gate for each source cell: its own law, and the signals multiplied by it."""
    name = str(projection.name)
    gate = projection.gate
    assert gate is not None
    law = text.kernel(f"gate_{type(gate).__name__.lower()}", type(gate).law)
    arguments = text.arguments(law, 2, gate.arguments, f"gate_{name}")
    text.line()
    text.line(f"# {gated.name}: signals {f} through the gates of {name}: {type(gate).__name__}")
    if gated.needs_total:
        text.line(f"sum_{gated.name} = 0.0")
    text.line(f"for i in range(y_{name}.size):")
    text.line(f"dy_{name}[i] = {law}({', '.join([f'y_{name}[i]', f'{f}[i]', *arguments])})", 2)
    text.line(f"s = {f}[i] * y_{name}[i]", 2)
    if gated.needs_array:
        text.work(gated.name, gated.cells)
        text.line(f"{gated.name}[i] = s", 2)
    if gated.needs_total:
        text.line(f"sum_{gated.name} += s", 2)


def write_plastic(
    text: Text, network: Network, projection: Projection, s: str, f: str, reads: list[tuple[str, str]], net: str
) -> None:
    """Write a projection with a number of its own for each connection: weights z, gates y, or both.

    Parameters
    ----------
    s : str
        Array of the signals that are sent (gated, if there is one gate per source cell).
    f : str
        Array of the signals before any gate; gates of connections are depleted by them.
    reads : list of (array, place)
        What the learning law reads.
    net : str
        Array of net input to which the projection adds.
    """
    name = str(projection.name)
    source, target = network.layer(projection.source), network.layer(projection.target)
    topology, gate, learning = projection.topology, projection.gate, projection.learning
    connection: list[str] = []  # lines for connection k from cell i to cell j, whose constant strength is w
    factor = "w"
    if gate is not None and gate.per == "connection":
        law = text.kernel(f"gate_{type(gate).__name__.lower()}", type(gate).law)
        arguments = text.arguments(law, 2, gate.arguments, f"gate_{name}")
        connection.append(f"dy_{name}[k] = {law}({', '.join([f'y_{name}[k]', f'{f}[i]', *arguments])})")
        factor += f" * y_{name}[k]"
    if learning is not None:
        law = text.kernel(f"learn_{type(learning).__name__.lower()}", type(learning).law)
        rate = _write_rate(text, network, projection)
        values = {"source": "{}[i]", "target": "{}[j]", "source total": "sum_{}"}
        read = [values[place].format(array) for array, place in reads]
        others = [text.number(f"{key}_{name}", v) for key, v in zip(learning.parameters, learning.others, strict=True)]
        call = f"{law}({', '.join([f'z_{name}[k]', *read, rate, *others])})"
        connection.append(f"dz_{name}[k] = {call}")
        factor += f" * z_{name}[k]"
    connection.append(f"total += {factor} * {s}[i]")
    if topology.storage == "single":
        weights = text.arguments_named(["weight"], topology.arguments(source.shape, target.shape), name)
        text.line(f"w = {weights[0]}")
        text.line(f"for k in range({net}.size):")
        for line in ["i = k", "j = k", "total = 0.0", *connection, f"{net}[k] += total"]:
            text.line(line, 2)
        return
    if topology.storage == "sparse":
        values_ = topology.arguments(source.shape, target.shape)
        data, indices, indptr = text.arguments_named(["data", "indices", "indptr"], values_, name)
        text.line(f"for j in range({net}.size):")
        text.line("total = 0.0", 2)
        text.line(f"for k in range({indptr}[j], {indptr}[j + 1]):", 2)
        for line in [f"i = {indices}[k]", f"w = {data}[k]", *connection]:
            text.line(line, 3)
        text.line(f"{net}[j] += total", 2)
        return
    weights_ = topology.weights(source.shape, target.shape)
    if text.explicit and any(isinstance(value, np.ndarray) for value in weights_):
        w = f"{text.array(f'W_{name}', topology.strengths(source.shape, target.shape).ravel())}[k]"
    else:
        strength = text.kernel(f"strength_{type(topology).__name__.lower()}", type(topology).strength)
        w = f"{strength}({', '.join(['j', 'i', *text.arguments(strength, 2, weights_, name)])})"
    text.line(f"for j in range({net}.size):")
    text.line("total = 0.0", 2)
    text.line(f"for i in range(x_{source.name}.size):", 2)
    text.line(f"k = j * x_{source.name}.size + i", 3)
    text.line(f"w = {w}", 3)
    for line in connection:
        text.line(line, 3)
    text.line(f"{net}[j] += total", 2)


def write_matrix(text: Text, network: Network, projection: Projection, s: str, net: str) -> None:
    """Write the product of a constant matrix with the signals `s`, added to `net`, as loops.

    A matrix that mostly connects neighbours is stored by its rows' nonzero elements.
    """
    name = str(projection.name)
    source, target = network.layer(projection.source), network.layer(projection.target)
    topology = projection.topology
    if topology.storage == "dense":
        W = text.array(f"W_{name}", topology.strengths(source.shape, target.shape).ravel())
        text.line(f"for j in range({net}.size):")
        text.line("total = 0.0", 2)
        text.line(f"for i in range(x_{source.name}.size):", 2)
        text.line(f"total += {W}[j * x_{source.name}.size + i] * {s}[i]", 3)
        text.line(f"{net}[j] += total", 2)
        return
    if topology.storage == "sparse":
        rows = topology.arguments(source.shape, target.shape)
    else:
        from scipy.sparse import csr_array

        csr = csr_array(topology.strengths(source.shape, target.shape))
        rows = (csr.data, csr.indices.astype(np.int64), csr.indptr.astype(np.int64))
    data, indices, indptr = text.arguments_named(["data", "indices", "indptr"], rows, name)
    text.line(f"for j in range({net}.size):")
    text.line("total = 0.0", 2)
    text.line(f"for k in range({indptr}[j], {indptr}[j + 1]):", 2)
    text.line(f"i = {indices}[k]", 3)
    text.line(f"total += {data}[k] * {s}[i]", 3)
    text.line(f"{net}[j] += total", 2)


def _write_rate(text: Text, network: Network, projection: Projection) -> str:
    """Write the learning rate; return the name of its value at time t."""
    name = str(projection.name)
    learning = projection.learning
    assert learning is not None
    rate = text.number(f"rate_{name}", learning.rate)
    if learning.schedule is None:
        return rate
    place = len(network.stimuli)
    for other in network.projections:
        if other is projection:
            break
        place += other.learning is not None and other.learning.schedule is not None
    base = len(text.program.numbers)
    factor = text.number(f"window_{name}", 0.0)
    if not learning.schedule.varying:
        text.program.courses.append(Course(place, base=base))
    else:
        first = text.write_course(f"course_{name}", learning.schedule)
        varying = len(text.program.numbers)
        text.program.courses.append(Course(place, first, None, varying - first, base, varying))
        factor = f"({factor} + course_{name} * {text.number(f'varying_{name}', 0.0)})"
    text.line(f"now_{name} = {rate} * {factor}")
    return f"now_{name}"
