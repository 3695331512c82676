"""Values of the formulas that `brnn.signals.formula.symbolic` writes, found by walking their syntax tree.

Nothing is executed: the tree is walked node by node, in NumPy on arrays or in mpmath on one number.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np

from brnn.signals.base import power

__all__ = ["Arrays", "Digits", "limit_at_zero", "walk"]

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class Arithmetic(Protocol):
    """The functions of one kind of number."""

    def number(self, value: float) -> Any: ...
    def power(self, base: Any, exponent: Any) -> Any: ...
    def call(self, name: str, *values: Any) -> Any: ...
    def choose(self, holds: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any: ...


def walk(node: ast.expr, values: Mapping[str, Any], arithmetic: Arithmetic) -> Any:
    """Return the value of a formula for the given `values` of its names."""
    if isinstance(node, ast.Name):
        return values[node.id]
    if isinstance(node, ast.Constant):
        return arithmetic.number(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        return -walk(node.operand, values, arithmetic)
    if isinstance(node, ast.BinOp):
        left, right = walk(node.left, values, arithmetic), walk(node.right, values, arithmetic)
        return _BINARY[type(node.op)](left, right)
    if isinstance(node, ast.IfExp):
        test = node.test
        assert isinstance(test, ast.Compare)
        a, b = walk(test.left, values, arithmetic), walk(test.comparators[0], values, arithmetic)
        holds = a < b if isinstance(test.ops[0], ast.Lt) else a <= b
        one, other = node.body, node.orelse
        return arithmetic.choose(holds, lambda: walk(one, values, arithmetic), lambda: walk(other, values, arithmetic))
    assert isinstance(node, ast.Call)
    arguments = [walk(argument, values, arithmetic) for argument in node.args]
    if isinstance(node.func, ast.Name):
        return arithmetic.power(*arguments)
    assert isinstance(node.func, ast.Attribute)
    return arithmetic.call(node.func.attr, *arguments)


class Arrays:
    """Arrays and scalars of NumPy."""

    def number(self, value: float) -> Any:
        """Return a number of the text."""
        return np.float64(value)

    def power(self, base: Any, exponent: Any) -> Any:
        """Return base**exponent; products where the exponent is small and whole."""
        return power(base, exponent)

    def call(self, name: str, *values: Any) -> Any:
        """Return what the function np.NAME gives."""
        return getattr(np, name)(*values)

    def choose(self, holds: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Return for each element one of two values; both are worked out."""
        return np.where(holds, one(), other())


class Digits:
    """Numbers of mpmath, with many digits and an exponent that hardly ever overflows."""

    def __init__(self) -> None:
        import mpmath  # comes with SymPy

        self.context = mpmath.mp.clone()
        self.context.dps = 250

    def number(self, value: float) -> Any:
        """Return a number of the text, every digit of the float kept."""
        return self.context.mpf(value)

    def power(self, base: Any, exponent: Any) -> Any:
        """Return base**exponent, nan where it is not real."""
        return self._real(self.context.power(base, exponent))

    def call(self, name: str, *values: Any) -> Any:
        """Return what the function of this name gives, nan where it is not real."""
        if name == "power":
            return self.power(*values)
        if name in ("abs", "minimum", "maximum"):
            functions: dict[str, Callable[..., Any]] = {"abs": abs, "minimum": min, "maximum": max}
            return functions[name](*values)
        x = values[0]
        if name in ("exp", "sin", "cos") and abs(x) > self.context.mpf("1e70"):
            # Too large to reduce: the limit of exp, and no limit of the others.
            return (self.context.inf if x > 0 else self.context.mpf(0)) if name == "exp" else self.context.nan
        return self._real(getattr(self.context, name)(x))

    def choose(self, holds: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Return one of two values; the other is not worked out."""
        return one() if holds else other()

    def _real(self, value: Any) -> Any:
        return self.context.nan if isinstance(value, self.context.mpc) else value


def limit_at_zero(node: ast.expr, parameters: Mapping[str, float]) -> float:
    """Return the limit of a formula for w -> 0 from the right: a number, inf, -inf, or nan if it finds none.

    The formula is evaluated with 250 digits at w = 1e-50, 1e-60 and 1e-70. If it goes on changing by the same factor,
    like a power of w or like log w, the limit is 0 or infinite. Otherwise the last value is the limit, to all digits
    of a float if the formula differs from its limit by a power of w above 1/4.
    """
    digits = Digits()
    values = {name: digits.number(value) for name, value in parameters.items()}
    results = []
    for exponent in (-50, -60, -70):
        values["w"] = digits.context.mpf(10) ** exponent
        try:
            results.append(walk(node, values, digits))
        except (ZeroDivisionError, OverflowError, ValueError):
            return math.nan
    if results[2] == 0 or not all(digits.context.isfinite(result) for result in results):
        return float(results[2])
    if results[0] == 0 or results[1] == 0:
        return math.nan
    before, after = (
        float(digits.context.log10(abs(later / earlier))) for earlier, later in itertools.pairwise(results)
    )
    # The ratio is 1 for a power and 0.85 for log w; for a limit that is reached like w**a it is 10**(-10*a).
    if abs(after) < 1e-15 or after / before < 0.7:
        return float(results[2])
    return 0.0 if after < 0 else math.copysign(math.inf, float(digits.context.sign(results[2])))
