"""Exact derivative and hill function of an expression, by SymPy, as text for generated code.

This module imports SymPy, so it is itself imported only when an expression is made.
"""

from __future__ import annotations

import ast
import functools
from typing import Any, NamedTuple

import sympy

from brnn.errors import SpecError
from brnn.signals.grammar import number_of, read

__all__ = ["Formulas", "formulas"]

_LONGEST = 30_000  # characters of a formula: Numba needs seconds for more


class Formulas(NamedTuple):
    """Python expressions in w and the parameters, all for w > 0."""

    kernel: str
    slope: str
    quotient: str


@functools.lru_cache(maxsize=256)
def formulas(text: str, names: tuple[str, ...], where: str) -> Formulas:
    """Return the formulas of f, f' and f/w for an expression that `brnn.signals.grammar.read` allows."""
    tree = read(text, names, where)
    # Plain symbols: SymPy uses what it knows of their signs to look for roots of polynomials, without a limit.
    symbols: dict[str, Any] = {name: sympy.Symbol(name) for name in ("w", *names)}
    w = symbols["w"]
    try:
        f = _merge(_build(tree, symbols))
        return Formulas(_text(f), _text(_merge(sympy.diff(f, w))), _text(_merge(_divide(f, w))))
    except (NotImplementedError, RecursionError, TypeError, ValueError) as error:
        if isinstance(error, SpecError):
            raise SpecError(f"{where}: {error}") from None
        raise SpecError(f"{where}: its derivative cannot be found") from None


class _Where(sympy.Function):
    """``_Where(a, b, x, y)`` is x if the comparison of a with b holds, else y.

    SymPy's Piecewise would try to solve the condition for w, which can take for ever.
    """

    @classmethod
    def eval(cls, a: Any, b: Any, x: Any, y: Any) -> Any:
        return x if x == y else None

    def _eval_derivative(self, symbol: Any) -> Any:
        a, b, x, y = self.args
        return self.func(a, b, x.diff(symbol), y.diff(symbol))


class _Less(_Where):
    sign = "<"


class _LessEqual(_Where):
    sign = "<="


# SymPy's own Abs, Min and Max are not used: it writes the derivative of Abs with real and imaginary parts where it
# is not sure, and those of Min and Max as 1/2 of each at a corner.
class _Absolute(sympy.Function):
    def _eval_derivative(self, symbol: Any) -> Any:
        u = self.args[0]
        return _Less(u, sympy.S.Zero, sympy.S.NegativeOne, sympy.S.One) * u.diff(symbol)


class _Minimum(sympy.Function):
    def _eval_derivative(self, symbol: Any) -> Any:
        a, b = self.args
        return _Less(b, a, b.diff(symbol), a.diff(symbol))


class _Maximum(sympy.Function):
    def _eval_derivative(self, symbol: Any) -> Any:
        a, b = self.args
        return _Less(a, b, b.diff(symbol), a.diff(symbol))


_FUNCTIONS: dict[str, Any] = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "tanh": sympy.tanh,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "abs": _Absolute,
    "min": _Minimum,
    "max": _Maximum,
}


def _build(node: ast.expr, symbols: dict[str, Any]) -> Any:
    """Make the SymPy expression of a checked tree, node by node: no text is ever given to SymPy."""
    if isinstance(node, ast.Constant):
        return _number(number_of(node))
    if isinstance(node, ast.Name):
        return symbols[node.id]
    if isinstance(node, ast.UnaryOp):
        return -_build(node.operand, symbols)
    if isinstance(node, ast.BinOp):
        left = _build(node.left, symbols)
        if isinstance(node.op, ast.Pow) and isinstance(node.right, ast.Constant):
            return left ** _exponent(number_of(node.right))
        right = _build(node.right, symbols)
        if isinstance(node.op, ast.Add):
            return left + right
        if isinstance(node.op, ast.Sub):
            return left - right
        if isinstance(node.op, ast.Mult):
            return left * right
        return left / right if isinstance(node.op, ast.Div) else left**right
    assert isinstance(node, ast.Call)
    assert isinstance(node.func, ast.Name)
    name = node.func.id
    if name == "where":
        condition, x, y = node.args[0], _build(node.args[1], symbols), _build(node.args[2], symbols)
        assert isinstance(condition, ast.Compare)
        a, b = _build(condition.left, symbols), _build(condition.comparators[0], symbols)
        if isinstance(condition.ops[0], (ast.Gt, ast.GtE)):
            a, b = b, a
        return (_Less if isinstance(condition.ops[0], (ast.Lt, ast.Gt)) else _LessEqual)(a, b, x, y)
    values = [_build(argument, symbols) for argument in node.args]
    return functools.reduce(_FUNCTIONS[name], values) if len(values) > 1 else _FUNCTIONS[name](values[0])


def _number(value: float) -> Any:
    # Whole numbers other than these stay floating point: exact powers of them could become gigantic.
    return sympy.Integer(int(value)) if value in (-1.0, 0.0, 1.0) else sympy.Float(value)


def _exponent(value: float) -> Any:
    if (2 * value).is_integer():
        return sympy.Rational(int(2 * value), 2)
    return sympy.Float(value)


def _merge(e: Any) -> Any:
    """Write products of powers of one base as one power: w**n/w, which is 0/0 at w = 0, as w**(n - 1)."""
    if not e.args:
        return e
    args = [_merge(argument) for argument in e.args]
    if not e.is_Mul:
        return e.func(*args)
    powers: dict[Any, list[Any]] = {}
    factors = []
    for factor in args:
        if factor.is_Number:
            factors.append(factor)
        else:
            base, exponent = factor.as_base_exp()
            powers.setdefault(base, []).append(exponent)
    return sympy.Mul(*factors, *(base ** sympy.Add(*exponents) for base, exponents in powers.items()))


def _divide(e: Any, w: Any) -> Any:
    """Divide by w inside each branch, so that a linear branch gives an exactly constant hill function."""
    if isinstance(e, _Where):
        a, b, x, y = e.args
        return e.func(a, b, _divide(x, w), _divide(y, w))
    if e.is_Mul:
        branches = [factor for factor in e.args if isinstance(factor, _Where)]
        if len(branches) == 1:  # the text would double with every further one
            rest = sympy.Mul(*(factor for factor in e.args if factor is not branches[0]))
            a, b, x, y = branches[0].args
            return branches[0].func(a, b, _divide(rest * x, w), _divide(rest * y, w))
    return e / w


_SUM, _PRODUCT, _ATOM = range(3)  # how tightly a text holds together
_CALLS = {
    sympy.exp: "np.exp",
    sympy.log: "np.log",
    sympy.tanh: "np.tanh",
    sympy.sin: "np.sin",
    sympy.cos: "np.cos",
    _Absolute: "np.abs",
    _Minimum: "np.minimum",
    _Maximum: "np.maximum",
}


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
    if e.is_Pow:
        base, exponent = e.base, e.exp
        if exponent.is_Number and exponent.is_negative:
            return _wrap(f"1.0/{_write(base**-exponent, _ATOM)}", _PRODUCT, level)
        if exponent == sympy.Rational(1, 2):
            return f"np.sqrt({_write(base, _SUM)})"
        # The helper branches on the exponent, so that must be the same for all cells.
        function = "np.power" if any(symbol.name == "w" for symbol in exponent.free_symbols) else "power"
        return f"{function}({_write(base, _SUM)}, {_write(exponent, _SUM)})"
    if isinstance(e, _Where):
        a, b, x, y = (_write(argument, _SUM) for argument in e.args)
        return f"({x} if {a} {e.sign} {b} else {y})"
    if e.func in _CALLS:
        return f"{_CALLS[e.func]}({', '.join(_write(argument, _SUM) for argument in e.args)})"
    raise SpecError("is not a real number for w > 0")  # I, zoo and nan come here


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
        if factor.is_Pow and factor.exp.is_Number and factor.exp.is_negative:
            below.append(_write(factor.base**-factor.exp, _ATOM))
        else:
            above.append(_write(factor, _ATOM))
    text = "*".join(above) or "1.0"
    if below:
        text += "/" + (below[0] if len(below) == 1 else f"({'*'.join(below)})")
    return _wrap(text, _PRODUCT, level)
