"""Loops over the cells of one layer as one function: its net inputs, its law and its signals while they are in a cache.

Whole arrays of net inputs and signals go through the memory otherwise, six or eight for each layer. A layer of maps
whose net inputs have kernels of rows (`Topology.row_kernel`) is gone through row by row of its maps, and its net inputs
are never more than a row. The functions take arrays as arguments, of which none overlaps another, so that the compiler
need not ask; it does not make vectors of loops about which it would have to ask too much.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from brnn.compiler.program import Program
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Comment,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Operation,
    Printer,
    Statement,
    Time,
    elements,
    leaves,
)  # fmt: skip

__all__ = ["CHANNEL", "ROW", "as_function"]

CHANNEL, ROW = Index("channel"), Index("row")
_I, _FIRST = Index("i"), Index("first")


def as_function(
    program: Program,
    name: str,
    shape: tuple[int, ...],
    kernels: Sequence[Call],
    statements: Sequence[Statement],
) -> list[Statement] | None:
    """Add a function of loops over the cells of a layer; return its call, or None if they cannot be one.

    Parameters
    ----------
    program : Program
        To which it is added.
    name : str
        Of the layer.
    shape : tuple of int
        Of the layer, if there are kernels of rows.
    kernels : sequence of Call
        Kernels of rows, which bring the net inputs.
    statements : sequence of Statement
        The loops, sums that they begin with 0, and comments.
    """
    loops = [statement for statement in statements if isinstance(statement, Loop)]
    says = [statement for statement in statements if isinstance(statement, Comment)]
    totals = [s.target for s in statements if isinstance(s, Assign) and isinstance(s.target, Local) and s.value == ZERO]
    body = [inner for loop in loops for inner in loop.body]
    if len(loops) + len(says) + len(totals) < len(statements) or any(loop.index != _I for loop in loops):
        return None
    if not all(isinstance(inner, Assign) for inner in body):
        return None
    assigned = [inner for inner in body if isinstance(inner, Assign)]
    read = [expression for inner in assigned for expression in (inner.value, inner.target)]
    cells = [element for expression in read for element in elements(expression)]
    if any(element.index != _I or element.array.kind == "whole" for element in cells):
        return None
    nets = [net for net in dict.fromkeys(call.arguments[1] for call in kernels) if isinstance(net, Array)]
    arrays = list(dict.fromkeys([*(element.array for element in cells), *_arrays(kernels)]))
    own = {inner.target for inner in assigned}
    numbers = list(
        dict.fromkeys(
            leaf
            for expression in [*read, *(argument for call in kernels for argument in call.arguments)]
            for leaf in leaves(expression)
            if isinstance(leaf, (Number, Local, Time)) and leaf not in own
        )
    )
    printer = Printer()
    lines = [f"{total.name} = 0.0" for total in totals]
    if kernels:
        sizes = program.array(f"shape_{name}", np.array([1, *shape][-3:]))
        arrays.append(sizes)
        lines += [
            f"channels, rows, width = {sizes.name}[0], {sizes.name}[1], {sizes.name}[2]",
            *(f"{net.name} = {net.name}[0:width]" for net in nets),
            "for row in range(rows):",
            "    for channel in range(channels):",
            "        first = np.uint64((channel * rows + row) * width)",
            "        for i in range(width):",
            *(f"            {printer.expression(net[_I])} = 0.0" for net in nets),
            *printer.lines(kernels, 2),
            "        for i in range(np.uint64(width)):",
            *printer.lines([_in_row(inner, nets) for inner in assigned], 3),
        ]
    else:
        lines += [f"for i in range({printer.expression(loops[0].stop)}):", *printer.lines(body, 1)]
    if totals:
        lines.append(f"return {', '.join(total.name for total in totals)}")
    call = Call(_function(program, [argument.name for argument in (*arrays, *numbers)], lines), (*arrays, *numbers))
    if not totals:
        return [*says, call]
    return [*says, Assign(Local(", ".join(total.name for total in totals)), call)]


def _function(program: Program, names: Sequence[str], lines: Sequence[str]) -> str:
    """Add a function of these arguments, whose names it loses: layers alike have one. Return its name."""
    places = {name: f"a{k}" for k, name in enumerate(names)}
    body = "\n".join(f"    {line}" for line in lines)
    for name in re.findall(r"\bsum_\w+", body):
        places.setdefault(name, f"total{len(places)}")
    body = re.sub(r"[A-Za-z_]\w*", lambda word: places.get(word[0], word[0]), body)
    text = f"({', '.join(places[name] for name in names)}):\n{body}"
    for known, other in program.loops.items():
        if other == f"def {known}{text}":
            return known
    name = f"loop{len(program.loops)}"
    program.loops[name] = f"def {name}{text}"
    return name


def _arrays(kernels: Sequence[Call]) -> Iterator[Array]:
    """Yield the arrays that kernels take."""
    for call in kernels:
        for argument in call.arguments:
            if isinstance(argument, Array):
                yield argument


def _in_row(statement: Assign, nets: Sequence[Array]) -> Assign:
    """Return a statement about cell i of a row; net inputs are only of that row."""
    target = _moved(statement.target, nets)
    assert isinstance(target, (Local, Element))
    return replace(statement, target=target, value=_moved(statement.value, nets))


def _moved(expression: CodeExpression, nets: Sequence[Array]) -> CodeExpression:
    match expression:
        case Element(array, _):
            return expression if array in nets else array[_FIRST + _I]
        case Operation(left, symbol, right):
            return Operation(_moved(left, nets), symbol, _moved(right, nets))
        case Call(function, arguments):
            return Call(function, tuple(_moved(argument, nets) for argument in arguments))
    return expression
