"""Turn the right-hand side of one network into that of many networks of the same structure, side by side.

The generated statements (`brnn.compiler.generate`, in their explicit form) are loops over cells whose bodies are
arithmetic on numbers. Here every number of them gets one more axis, the lane: lane l belongs to network l. Each loop
body becomes a loop over the lanes, which the compiler turns into vector instructions, so that several networks cost
little more than one. They are the same statements: the same laws, signals and topologies in the same order.

The function made is

    lanes(t, u, du, n, q, work, scratch, whole)

whose arguments are the addresses of vectors in which rows of LANES numbers follow each other: the times are the row
`t`, unknown i is row i of `u` (lane l of it is ``u[i * LANES + l]``), and every number and array of the networks is a
row of `q`; there is room for signals and net inputs in `work` and for sums in `scratch`. `n` says at which rows the
blocks and arrays begin and end; `whole` holds the arrays of whole numbers (who is connected with whom), which all lanes
share. Networks whose text, `n` and `whole` are equal can be lanes of one call.

Addresses instead of arrays, because a call with eight arrays takes longer than its work for one network of ten cells,
and because whether an index of an array counts from the end would be asked at each access: half of the
time that the networks of the models took to compile.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from brnn.base.codetext import Code
from brnn.compiler.program import CALLED, Equations
from brnn.compiler.statements import (
    Array,
    Assign,
    CodeExpression,
    Comment,
    ConstantNumber,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Printer,
    Size,
    Statement,
    Time,
    leaves,
)  # fmt: skip

__all__ = ["LANES", "LaneText", "lane_text", "text_of_one"]

LANES = 32  # enough for the compiler to make a vector loop, few enough for the first-level cache

_HEADER = '''"""Right-hand side of {lanes} networks of one structure, side by side; every number is an argument."""

import numpy as np
from numba import cfunc

from brnn.compiler.numba_internals import LANE_SIGNATURE, NoAlias, compiled_once, part

LANES = {lanes}
options = {{"error_model": "numpy", "fastmath": {{"contract", "nsz"}}, "nogil": True}}

'''
_LANES, _LANE = ConstantNumber("LANES"), Index("l")


@dataclass(frozen=True)
class LaneText:
    """The text of a lane function.

    Attributes
    ----------
    source : str
        Text of the module.
    scratch : int
        How many rows of `scratch` it uses.
    """

    source: str
    scratch: int


@functools.lru_cache(maxsize=4096)
def lane_text(equations: Equations, constants: tuple[tuple[int, float], ...]) -> LaneText:
    """Return the lane function of equations in explicit form.

    Their array arguments lie, in the order that they have there, in `q` (values, after the numbers), `work` and
    `whole`.

    Parameters
    ----------
    equations : Equations
        The equations.
    constants : tuple of (int, float)
        Numbers that stand in the text itself, by their places in `p`: small whole exponents, for which powers are
        products.
    """
    statements = list(_side_by_side(equations.statements))
    shared = {name: row for row, name in enumerate(dict.fromkeys(_shared(statements)))}
    printer = _LanePrinter(dict(constants), shared, _edges(equations))
    text = _function("lanes", printer, statements)
    return LaneText("\n".join([*_head(LANES, equations.functions), text]), max(1, len(shared)))


def text_of_one(bodies: Mapping[str, Equations], constants: tuple[tuple[int, float], ...]) -> str:
    """Return the text of a module whose functions, by the names of `bodies`, are lane functions of a single lane.

    The sums that they add up are numbers of their own, so that they use no `scratch`.
    """
    functions = {code.name: code for equations in bodies.values() for code in equations.functions}
    parts = _head(1, functions.values())
    for name, equations in bodies.items():
        printer = _LanePrinter(dict(constants), {}, _edges(equations))
        parts.append(_function(name, printer, equations.statements, "l = 0"))
    return "\n".join(parts)


def _head(lanes: int, functions: Iterable[Code]) -> list[str]:
    """Return what a module begins with."""
    return [_HEADER.format(lanes=lanes), *(f"\n@{CALLED}\n{code.source}\n" for code in functions)]


def _function(name: str, printer: _LanePrinter, statements: Sequence[Statement], *first: str) -> str:
    """Return the text of a function."""
    parts = ["\n@cfunc(LANE_SIGNATURE, cache=True, pipeline_class=NoAlias, **options)"]
    parts.append(f"def {name}(t, u, du, n, q, work, scratch, whole):")
    parts += [
        f"    {block} = part({vector}, n[{at}]{'' if vector == 'whole' else ' * LANES'})"
        for block, (vector, at) in printer.edges.items()
    ]
    parts += [f"    {line}" for line in first]
    return "\n".join([*parts, *printer.lines(statements), ""])


def _edges(equations: Equations) -> dict[str, tuple[str, int]]:
    """Return, for each block and array, the vector that it is a part of, and the place in `n` where that begins."""
    edges: dict[str, tuple[str, int]] = {}
    at = 0
    for name in equations.blocks:
        edges |= {name: ("u", at), f"d{name}": ("du", at)}
        at += 1
    for kind, vector in (("values", "q"), ("work", "work"), ("whole", "whole")):
        at += 1  # after the last of each kind stands where it ends
        for name in equations.names(kind):
            edges[name] = (vector, at)
            at += 1
    return edges


def _side_by_side(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements with those about numbers put into loops over the lanes, as few as there can be.

    Whole numbers come from whole numbers alone, so that they may move up before such a loop.
    """
    group: list[Assign] = []
    for statement in statements:
        if isinstance(statement, Loop):
            if group:
                yield _over_lanes(group)
            group = []
            yield replace(statement, body=tuple(_side_by_side(statement.body)))
        elif isinstance(statement, Assign) and not isinstance(statement.target, Index):
            group.append(statement)
        elif not isinstance(statement, Comment):
            yield statement
    if group:
        yield _over_lanes(group)


def _over_lanes(statements: Sequence[Statement]) -> Loop:
    return Loop(_LANE, _LANES, tuple(statements))


def _shared(statements: Sequence[Statement]) -> Iterator[str]:
    """Yield the names of numbers that one loop over the lanes reads and another has computed."""
    for loop in statements:
        if not isinstance(loop, Loop):
            continue
        if loop.index != _LANE:
            yield from _shared(loop.body)
            continue
        written: set[CodeExpression] = set()
        for statement in loop.body:
            assert isinstance(statement, Assign)
            read = [statement.value] if statement.symbol == "=" else [statement.value, statement.target]
            for leaf in (leaf for expression in read for leaf in leaves(expression)):
                if isinstance(leaf, Local) and leaf not in written:
                    yield leaf.name
            written.add(statement.target)


class _LanePrinter(Printer):
    """Prints statements with every number and array at the place of its lane."""

    def __init__(
        self, constants: Mapping[int, float], shared: Mapping[str, int], edges: Mapping[str, tuple[str, int]]
    ) -> None:
        self.constants = constants
        self.shared = shared
        self.edges = edges

    def leaf(self, expression: CodeExpression, tightness: int) -> str:
        """Write the lane's own number."""
        match expression:
            case Number(_, place) if place in self.constants:
                return repr(self.constants[place])
            case Number(_, place):
                return f"q[{self.lane(ConstantNumber(str(place)))}]"
            case Local(name) if name in self.shared:
                return f"scratch[{self.lane(ConstantNumber(str(self.shared[name])))}]"
            case Element(Array(name, "whole"), index):
                return f"{name}[{self.expression(index)}]"
            case Element(Array(name), index):
                return f"{name}[{self.lane(index)}]"
            case Size(Array(name)):
                at = self.edges[name][1]
                return self.expression(ConstantNumber(f"n[{at + 1}]") - ConstantNumber(f"n[{at}]"), tightness)
            case Time(name):
                return f"{name}[l]"
        return super().leaf(expression, tightness)

    def lane(self, row: CodeExpression) -> str:
        """Return the index of this lane in a row."""
        return self.expression(row * _LANES + _LANE)
