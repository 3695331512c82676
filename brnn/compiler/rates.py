"""The rate at which each unknown relaxes by itself, du_i/dt = rate_i u_i + ..., for exponential methods.

Shunting, membrane and gate laws, and all learning laws, are affine in their own unknown while their inputs stay as they
are, so that a difference over a step of 1 is the rate: that of a shunting cell is -(A + C exc + F inh), which is where
bright inputs make a network stiff. Where a law has signals of its own (a and b of Cohen and Grossberg) it is a
derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    ConstantNumber,
    Element,
    Loop,
    Statement,
)

__all__ = ["with_rates"]

_ONE, _STEP, _PER_STEP = ConstantNumber("1.0"), ConstantNumber("1e-6"), ConstantNumber("1e6")


def with_rates(statements: Sequence[Statement]) -> tuple[Statement, ...]:
    """Return the statements, after each slope that is assigned (to ``dx_F[i]``) its rate (to ``rate_x_F[i]``).

    No rate is above 0: where a law drives its own unknown away, that is left to the other part.
    """
    result: list[Statement] = []
    for statement in statements:
        if isinstance(statement, Loop):
            statement = replace(statement, body=with_rates(statement.body))
        result.append(statement)
        match statement:
            case Assign(Element(Array(name, "state"), index) as slope, Call(law, (Element() as own, *others))):
                inner = any(isinstance(other, Call) and own in _elements(other) for other in others)
                step = _STEP if inner else _ONE
                moved = Call(law, tuple(_moved(argument, own, step) for argument in (own, *others)))
                change: CodeExpression = moved - slope
                rate = Array(f"rate_{name[1:]}", "state")[index]
                result.append(Assign(rate, Call("np.minimum", (ZERO, change * _PER_STEP if inner else change))))
    return tuple(result)


def _elements(expression: CodeExpression) -> list[CodeExpression]:
    """Return the elements of arrays that a call reads."""
    match expression:
        case Call(_, arguments):
            return [element for argument in arguments for element in _elements(argument)]
        case Element():
            return [expression]
    return []


def _moved(expression: CodeExpression, own: Element, step: ConstantNumber) -> CodeExpression:
    """Return an argument of a law, with the cell's own unknown moved by a step."""
    if expression == own:
        return own + step
    if isinstance(expression, Call):
        return Call(expression.function, tuple(_moved(argument, own, step) for argument in expression.arguments))
    return expression
