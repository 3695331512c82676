"""A network's program in which no signal jumps: each reads its cell only on one side of where it jumps.

f(x_i) becomes f(min(max(x_i, low_i), high_i)): while x_i lies between both, that is the same, and beyond them f goes on
as it was at the last of them. So du/dt stays smooth in a step that goes over a jump, a method keeps its order, and when
x_i got there can be found from the step. Whoever integrates sets `low` and `high` (`brnn.integrate.sides`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.compiler.program import Program, Reading
from brnn.compiler.statements import (
    Array,
    Assign,
    Call,
    CodeExpression,
    Element,
    Loop,
    Operation,
    Statement,
)

__all__ = ["Side", "sides_of", "with_sides"]

_OPEN = -np.inf, np.inf


@dataclass(frozen=True)
class Side:
    """The signals of one layer that jump, all at the same activities.

    Attributes
    ----------
    layer : str
        Whose cells they are.
    jumps : tuple of float
        Where, rising.
    lag : float
        How late they are read.
    low, high : str
        The arrays of the program between whose numbers they are read; "" if they are read late.
    last, places : str
        For lanes, the arrays of the times at which each signal jumped, and of the activities at which it does.
    """

    layer: str
    jumps: tuple[float, ...]
    lag: float
    low: str = ""
    high: str = ""
    last: str = ""
    places: str = ""


def sides_of(program: Program) -> tuple[Side, ...]:
    """Return what jumps in a program, without arrays."""
    return tuple(
        Side(reading.layer, reading.signal.jumps, reading.lag) for reading in program.readings if reading.signal.jumps
    )


def with_sides(program: Program, *, lanes: bool = False) -> tuple[Program, tuple[Side, ...]]:
    """Return the program that reads signals on one side of their jumps, and what jumps.

    For `lanes` the arrays are among its values: nothing jumps at first, and beside them stand two more.
    """
    changed = replace(program, arrays=dict(program.arrays), names=dict(program.names))
    calls: dict[Call, Call] = {}
    sides = []
    for k, reading in enumerate(program.readings):
        if not reading.signal.jumps:
            continue
        side = Side(reading.layer, reading.signal.jumps, reading.lag)
        if reading.lag <= 0.0:
            kinds = ("low", "high", "last", "jumps") if lanes else ("low", "high")
            names = [f"{kind}{k}_{reading.layer}" for kind in kinds]
            side = Side(reading.layer, reading.signal.jumps, reading.lag, *names)
            if lanes:
                low, high = (changed.array(n, np.full(reading.cells, v)) for n, v in zip(names, _OPEN, strict=False))
                changed.array(side.last, np.full(reading.cells, -np.inf))
                changed.array(side.places, np.array(reading.signal.jumps))
            else:
                low, high = (changed.work(name, reading.cells) for name in names)
            calls[reading.call] = _between(reading, low, high)
        sides.append(side)
    changed.statements = list(_replaced(program.statements, calls))
    return changed, tuple(sides)


def _between(reading: Reading, low: Array, high: Array) -> Call:
    """Return the call with its first argument, the cell's activity, between two others."""
    x, *others = reading.call.arguments
    assert isinstance(x, Element)
    inside = Call("np.minimum", (Call("np.maximum", (x, low[x.index])), high[x.index]))
    return Call(reading.call.function, (inside, *others))


def _replaced(statements: Sequence[Statement], calls: dict[Call, Call]) -> Iterator[Statement]:
    for statement in statements:
        match statement:
            case Loop():
                yield replace(statement, body=tuple(_replaced(statement.body, calls)))
            case Assign():
                yield replace(statement, value=_expression(statement.value, calls))
            case _:
                yield statement


def _expression(expression: CodeExpression, calls: dict[Call, Call]) -> Any:
    match expression:
        case Call() if expression in calls:
            return calls[expression]
        case Call(function, arguments):
            return Call(function, tuple(_expression(argument, calls) for argument in arguments))
        case Operation(left, symbol, right):
            return Operation(_expression(left, calls), symbol, _expression(right, calls))
    return expression
