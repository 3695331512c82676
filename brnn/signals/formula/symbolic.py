"""Exact derivative and hill function of an expression, by SymPy, as text for generated code.

This module imports SymPy, so it is itself imported only when an expression is made.
"""

from __future__ import annotations

import ast
import functools
from typing import Any, NamedTuple

import sympy
from sympy.core.symbol import Str

from brnn.errors import SpecError
from brnn.signals.formula.grammar import number_of, read

__all__ = ["Formulas", "formulas"]

_W = sympy.Symbol("w")
_LONGEST = 5_000  # characters of a formula: Numba would need more than some seconds for a longer one


class Formulas(NamedTuple):
    """Python expressions in w and the parameters; at w = 0 those of slope and quotient may be 0/0."""

    kernel: str
    slope: str
    quotient: str


@functools.lru_cache(maxsize=256)
def formulas(text: str, names: tuple[str, ...], where: str) -> Formulas:
    """Return the formulas of f, f' and f/w for an expression that `brnn.signals.formula.grammar.read` allows."""
    tree = read(text, names, where)
    symbols: dict[str, Any] = {"w": _W, **{name: sympy.Symbol(name) for name in names}}
    try:
        f = _merge(_build(tree, symbols))
        return Formulas(_text(f), _text(_merge(sympy.diff(f, _W))), _text(_merge(_divide(f))))
    except (NotImplementedError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise SpecError(f"{where}: {error}") from None
        raise SpecError(f"{where}: its derivative cannot be found") from None


class _Call(sympy.Expr):
    """A function, a condition or a power that is not whole, of which SymPy knows only the derivative.

    SymPy's own functions simplify themselves, and for that look into the real and imaginary parts of what they are
    given and for roots of polynomials, which can take for ever; its Piecewise tries to solve the conditions for w.
    """

    is_commutative = True

    def __new__(cls, name: str | Str, *args: Any) -> _Call:
        return super().__new__(cls, name if isinstance(name, Str) else Str(name), *args)

    @property
    def name(self) -> str:
        return str(self.args[0].name)

    @property
    def given(self) -> tuple[Any, ...]:
        return tuple(self.args[1:])

    def _eval_derivative(self, symbol: Any) -> Any:
        args, slopes = self.given, [argument.diff(symbol) for argument in self.given]
        match self.name:
            case "exp":
                return self * slopes[0]
            case "log":
                return slopes[0] / args[0]
            case "tanh":
                return (1 - self**2) * slopes[0]
            case "sin":
                return _Call("cos", *args) * slopes[0]
            case "cos":
                return -_Call("sin", *args) * slopes[0]
            case "abs":
                return _Call("<", args[0], sympy.S.Zero, sympy.S.NegativeOne, sympy.S.One) * slopes[0]
            case "minimum":
                return _choose("<", args[1], args[0], slopes[1], slopes[0])
            case "maximum":
                return _choose("<", args[0], args[1], slopes[1], slopes[0])
            case "power":
                base, exponent = args
                growth = self * _Call("log", base) * slopes[1] if slopes[1] != 0 else sympy.S.Zero
                return exponent * _raise(base, exponent - 1) * slopes[0] + growth
            case comparison:
                return _choose(comparison, args[0], args[1], slopes[2], slopes[3])


def _choose(comparison: str, a: Any, b: Any, x: Any, y: Any) -> Any:
    """Return x where ``a < b`` (or ``a <= b``) holds, else y."""
    return x if x == y else _Call(comparison, a, b, x, y)


def _power_of(e: Any) -> tuple[Any, Any]:
    """Return base and exponent of a power; anything else is the first power of itself."""
    if isinstance(e, _Call) and e.name == "power":
        return e.given
    return (e.base, e.exp) if e.is_Pow else (e, sympy.S.One)


def _raise(base: Any, exponent: Any) -> Any:
    if not (exponent.is_Number and float(exponent).is_integer()):
        return _Call("power", base, exponent)  # (w**2)**0.5 stays: it is not w for w < 0
    if isinstance(base, _Call) and base.name == "power":
        return _raise(base.given[0], base.given[1] * exponent)
    return base ** int(exponent)


def _build(node: ast.expr, symbols: dict[str, Any]) -> Any:
    """Make the SymPy expression of a checked tree, node by node: no text is ever given to SymPy."""
    if isinstance(node, ast.Constant):
        return _sympy_number(number_of(node))
    if isinstance(node, ast.Name):
        return symbols[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_build(node.operand, symbols)
    if isinstance(node, ast.BinOp):
        left = _build(node.left, symbols)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            return _raise(left, _sympy_exponent(number_of(node.right)))
        right = _build(node.right, symbols)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        return left / right if isinstance(node.op, ast.Div) else _raise(left, right)
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name == "where":
        condition, x, y = node.args[0], _build(node.args[1], symbols), _build(node.args[2], symbols)
        assert isinstance(condition, ast.Compare)
        a, b = _build(condition.left, symbols), _build(condition.comparators[0], symbols)
        if isinstance(condition.ops[0], (ast.Gt, ast.GtE)):
            a, b = b, a
        return _choose("<" if isinstance(condition.ops[0], (ast.Lt, ast.Gt)) else "<=", a, b, x, y)
    first, *others = (_build(argument, symbols) for argument in node.args)
    if name in ("min", "max"):
        return functools.reduce(lambda a, b: _Call(f"{name}imum", a, b), others, first)
    return _raise(first, sympy.Rational(1, 2)) if name == "sqrt" else _Call(name, first)


def _sympy_number(value: float) -> Any:
    # Whole numbers other than these stay floating point: exact powers of them could become gigantic.
    return sympy.Integer(int(value)) if value in (-1.0, 0.0, 1.0) else sympy.Float(value)


def _sympy_exponent(value: float) -> Any:
    if (2 * value).is_integer():
        return sympy.Rational(int(2 * value), 2)
    return sympy.Float(value)


def _merge(e: Any) -> Any:
    """Write products so that they are not 0/0 or 0*inf where they need not be.

    Powers of w become one power (w**n/w is w**(n - 1)), and the other factors of a condition with a branch 0 go into
    its other branch (the slope of ``max(w - 0.2, 0)**0.5`` is 0 below 0.2, not 0 times an infinite power).
    """
    if not e.args or isinstance(e, Str):
        return e
    args = [_merge(argument) for argument in e.args]
    if not e.is_Mul:
        return e.func(*args)
    exponents, factors = [], []
    for factor in args:
        base, exponent = _power_of(factor)
        if base == _W:
            exponents.append(exponent)
        else:
            factors.append(factor)
    return _into_branch(sympy.Mul(*factors, _raise(_W, sympy.Add(*exponents))))


def _into_branch(e: Any) -> Any:
    factors = sympy.Mul.make_args(e)
    for condition in factors:
        if len(factors) > 1 and _is_condition(condition) and 0 in condition.given[2:]:
            rest = sympy.Mul(*(factor for factor in factors if factor is not condition))
            a, b, x, y = condition.given
            return _choose(condition.name, a, b, _into_branch(rest * x), _into_branch(rest * y))
    return e


def _divide(e: Any) -> Any:
    """Divide by w inside each branch, so that a linear branch gives an exactly constant hill function."""
    factors = sympy.Mul.make_args(e)
    conditions = [factor for factor in factors if _is_condition(factor)]
    if len(conditions) == 1:  # the text would double with every further one
        rest = sympy.Mul(*(factor for factor in factors if factor is not conditions[0]))
        a, b, x, y = conditions[0].given
        return _choose(conditions[0].name, a, b, _divide(rest * x), _divide(rest * y))
    return e / _W


def _is_condition(e: Any) -> bool:
    return isinstance(e, _Call) and e.name in ("<", "<=")


_SUM, _PRODUCT, _ATOM = range(3)  # how tightly a text holds together


def _text(e: Any) -> str:
    text = _write(e, _SUM)
    if len(text) > _LONGEST:
        raise SpecError("is too long, or its derivative is")
    return text


def _write(e: Any, level: int) -> str:
    """Return `e` as Python text that needs no parentheses at this `level`."""
    if e.is_Symbol:
        return str(e.name)
    if e.is_Number or e.is_NumberSymbol:
        value = float(e)
        if value != value or value in (float("inf"), -float("inf")):
            raise SpecError("contains a number that is not finite")
        return _wrap(repr(value), _SUM if value < 0 else _ATOM, level)
    if e.is_Add:
        return _wrap(_write_sum(e), _SUM, level)
    if e.is_Mul:
        return _write_product(e, level)
    base, exponent = _power_of(e)
    if exponent.is_Number and exponent.is_negative:
        return _wrap(f"1.0/{_write(_raise(base, -exponent), _ATOM)}", _PRODUCT, level)
    if exponent == sympy.Rational(1, 2):
        return f"np.sqrt({_write(base, _SUM)})"
    if exponent != 1:
        # The helper branches on the exponent, so that must be the same for all cells.
        function = "np.power" if exponent.has(_W) else "power"
        return f"{function}({_write(base, _SUM)}, {_write(exponent, _SUM)})"
    if isinstance(e, _Call):
        given = [_write(argument, _SUM) for argument in e.given]
        if _is_condition(e):
            a, b, x, y = given
            return f"({x} if {a} {e.name} {b} else {y})"
        return f"np.{e.name}({', '.join(given)})"
    raise SpecError("is not a real number")  # I, zoo and nan come here


def _wrap(text: str, have: int, need: int) -> str:
    return f"({text})" if have < need else text


def _write_sum(e: Any) -> str:
    minus = [term for term in e.args if term.as_coeff_Mul()[0].is_negative]
    first, *rest = [term for term in e.args if term not in minus] + minus
    text = _write(first, _SUM)
    for term in rest:
        text += f" - {_write(-term, _PRODUCT)}" if term in minus else f" + {_write(term, _PRODUCT)}"
    return text


def _write_product(e: Any, level: int) -> str:
    number, rest = e.as_coeff_Mul()
    if number.is_negative:
        return _wrap(f"-{_write(-number * rest, _PRODUCT)}", _SUM, level)
    above, below = [], []
    for factor in e.args:
        base, exponent = _power_of(factor)
        if exponent.is_Number and exponent.is_negative:
            below.append(_write(_raise(base, -exponent), _ATOM))
        else:
            above.append(_write(factor, _ATOM))
    text = "*".join(above) or "1.0"
    if below:
        text += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
    return _wrap(text, _PRODUCT, level)
