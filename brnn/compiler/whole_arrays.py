"""A network's right-hand side as plain Python on whole arrays, which runs at once: nothing has to be compiled.

Loops over cells become operations of NumPy on all cells, with the same texts of laws, signals and topologies. That is
slower than compiled code by a factor of 20 to 1,000, and quicker than loading Numba for a few hundred steps.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from brnn.compiler.program import Program
from brnn.compiler.statements import Assign, Call, CodeExpression, Comment, Element, Index, Loop, Printer, Statement

__all__ = ["text_of_whole_arrays"]

_HEADER = '''"""Right-hand side of a network on whole arrays, from its structure; every number is an argument."""

import numpy as np


def over(values, size):
    return float(np.broadcast_to(values, size).sum())

'''


class _OneByOne(Exception):
    """A loop reads other cells than its own."""


@dataclasses.dataclass
class _WholeArrays(Printer):
    """Prints the body of a loop over cells as operations on all of them."""

    index: Index

    def leaf(self, expression: CodeExpression, tightness: int) -> str:
        """Return the text of a leaf: of the cell's own element, the whole array."""
        if isinstance(expression, Element):
            if expression.index != self.index:
                raise _OneByOne
            return expression.array.name
        if isinstance(expression, Index):
            raise _OneByOne
        return super().leaf(expression, tightness)


def text_of_whole_arrays(program: Program) -> str | None:
    """Return the module with ``rhs(t, u, du, n, p, ...)``, or None if a loop of it is more than one over cells.

    Its arguments are those of the function of `brnn.compiler.module_text.text_of_arrays`.
    """
    if program.diffusion or program.lags or program.imports:
        return None
    try:
        body = list(_lines(program.statements))
    except _OneByOne:
        return None
    lines = [f"    {number.name} = p[{number.place}]" for number in program.places]
    for k, name in enumerate(program.blocks):
        lines += [f"    {name} = u[n[{k}] : n[{k + 1}]]", f"    d{name} = du[n[{k}] : n[{k + 1}]]"]
    arguments = ", ".join(["t", "u", "du", "n", "p", *program.arrays])
    functions = [f"\n{code.source}\n" for code in program.functions.values()]
    return "".join([_HEADER, *functions, "\n".join([f"\ndef rhs({arguments}):", *lines, *body]), "\n"])


def _lines(statements: Sequence[Statement]) -> Iterator[str]:
    printer = Printer()
    for statement in statements:
        if isinstance(statement, Loop):
            yield from _loop(statement)
        elif isinstance(statement, Call):
            raise _OneByOne  # the kernel of a topology, which is written for compiled code
        else:
            yield from printer.lines([statement])


def _loop(loop: Loop) -> Iterator[str]:
    if loop.start is not None:
        raise _OneByOne
    printer = _WholeArrays(loop.index)
    size = Printer().expression(loop.stop)
    for statement in loop.body:
        if isinstance(statement, Comment):
            continue
        if not isinstance(statement, Assign):
            raise _OneByOne
        value: Any = printer.expression(statement.value)
        if isinstance(statement.target, Element):
            yield f"    {printer.expression(statement.target)}[:] {statement.symbol} {value}"
        elif statement.symbol == "+=":
            yield f"    {printer.expression(statement.target)} += over({value}, {size})"
        else:
            yield f"    {printer.expression(statement.target)} = {value}"
