"""The rate at which each unknown relaxes by itself, du_i/dt = rate_i u_i + ..., for exponential methods.

Shunting, membrane and gate laws, and all learning laws, are affine in their own unknown while their inputs stay as they
are, so that a difference over a step of 1 is the rate: that of a shunting cell is -(A + C exc + F inh), which is where
bright inputs make a network stiff. Where a law has signals of its own (a and b of Cohen and Grossberg) it is a
derivative.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

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
    elements,
)

__all__ = ["change_of", "is_affine", "with_rates"]

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
            case Assign(Element(Array(name, "state"), index) as slope, Call(_, (Element(), *_)) as value):
                rate = Array(f"rate_{name[1:]}", "state")[index]
                result.append(Assign(rate, Call("np.minimum", (ZERO, change_of(value, slope)))))
    return tuple(result)


def change_of(value: Call, slope: CodeExpression) -> CodeExpression:
    """Return how the value of a law, `slope`, changes with the unknown that is its first argument."""
    own = value.arguments[0]
    assert isinstance(own, Element)
    inner = any(isinstance(other, Call) and own in elements(other) for other in value.arguments[1:])
    step = _STEP if inner else _ONE
    moved = Call(value.function, tuple(_moved(argument, own, step) for argument in value.arguments))
    change: CodeExpression = moved - slope
    return change * _PER_STEP if inner else change


@functools.cache
def is_affine(law: Callable[..., Any]) -> bool:
    """Tell whether a law of numbers is affine in its first argument, by its values at some places."""
    rng = np.random.default_rng(0)
    x = np.array([-100.0, -1.3, 0.4, 2.1, 100.0])
    for _ in range(4):
        others = rng.uniform(0.1, 2.0, len(inspect.signature(law).parameters) - 1)
        f = np.array([float(law(np.float64(place), *others)) for place in x])
        if not np.allclose(f, f[0] + (f[-1] - f[0]) * (x - x[0]) / (x[-1] - x[0]), rtol=1e-9, atol=1e-9):
            return False
    return True


def _moved(expression: CodeExpression, own: Element, step: ConstantNumber) -> CodeExpression:
    """Return an argument of a law, with the cell's own unknown moved by a step."""
    if expression == own:
        return own + step
    if isinstance(expression, Call):
        return Call(expression.function, tuple(_moved(argument, own, step) for argument in expression.arguments))
    return expression
