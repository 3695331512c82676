"""Partial derivatives of the functions of scalars that generated code calls, as text made from theirs.

A law, a signal, a schedule is arithmetic and functions of NumPy on scalars. Its derivative by one of its arguments has
the same statements, each followed by what it makes of a small change of that argument: the chain rule, applied to the
text. So a user's own law has exact derivatives as well, without a rule beside it. Where a text has a corner, the
derivative is that from the right, as of signals. A jump has none: it is refused, unless its sides alone matter.
"""

from __future__ import annotations

import ast
import copy
import functools
from collections.abc import Mapping

from brnn.base.codetext import Code, code_of
from brnn.errors import SpecError
from brnn.signals.base import power, power_growth, power_slope

__all__ = ["derivative", "derivative_name"]

# Of the function's value y and its arguments a, b: its derivatives by a and by b.
_RULES: dict[str, tuple[str, ...]] = {
    "exp": ("np.exp(a)",),
    "expm1": ("np.exp(a)",),
    "log": ("1.0 / a",),
    "log1p": ("1.0 / (1.0 + a)",),
    "log2": ("1.4426950408889634 / a",),
    "log10": ("0.4342944819032518 / a",),
    "sqrt": ("0.5 / np.sqrt(a)",),
    "cbrt": ("np.cbrt(a) / (3.0 * a)",),
    "square": ("2.0 * a",),
    "reciprocal": ("-1.0 / (a * a)",),
    "sin": ("np.cos(a)",),
    "cos": ("-np.sin(a)",),
    "tan": ("1.0 + np.tan(a) ** 2",),
    "arcsin": ("1.0 / np.sqrt(1.0 - a * a)",),
    "arccos": ("-1.0 / np.sqrt(1.0 - a * a)",),
    "arctan": ("1.0 / (1.0 + a * a)",),
    "sinh": ("np.cosh(a)",),
    "cosh": ("np.sinh(a)",),
    "tanh": ("1.0 - np.tanh(a) ** 2",),
    "abs": ("(1.0 if a >= 0.0 else -1.0)",),
    "absolute": ("(1.0 if a >= 0.0 else -1.0)",),
    "maximum": ("(1.0 if a >= b else 0.0)", "(0.0 if a >= b else 1.0)"),
    "minimum": ("(1.0 if a < b else 0.0)", "(0.0 if a < b else 1.0)"),
    "hypot": ("a / np.hypot(a, b)", "b / np.hypot(a, b)"),
    "arctan2": ("b / (a * a + b * b)", "-a / (a * a + b * b)"),
    "power": ("b * np.power(a, b - 1.0)", "(np.power(a, b) * np.log(a) if a > 0.0 else 0.0)"),
}
_SAME_AS = {"max": "maximum", "min": "minimum", "pow": "power"}  # Python's own
_PLAIN = ("float", "np.float64")
_JUMPS = ("sign", "floor", "ceil", "round", "rint", "trunc", "fix", "heaviside", "signbit")
_ZERO, _ONE = ast.Constant(0.0), ast.Constant(1.0)


def derivative_name(name: str, argument: int) -> str:
    """Return the name of the derivative of a function by one of its arguments, counted from 0."""
    return f"d{argument}_{name}"


def derivative(code: Code, argument: int, known: Mapping[str, Code], *, flat_jumps: bool = False) -> list[Code]:
    """Return the derivative of a function by one of its arguments, after the functions that it calls.

    Parameters
    ----------
    code : Code
        The function.
    argument : int
        Which of its arguments, counted from 0.
    known : mapping of str to Code
        Its helpers by their names, the function itself may be among them.
    flat_jumps : bool
        Whether a jump has the slope 0 that it has on both sides: at one state that is right, but not for what a state
        becomes that passes it.

    Raises
    ------
    SpecError
        If there is none: the text jumps where the argument passes a value, or calls what has no known derivative.
    """
    return list(_derivative(code, argument, _KnownFunctions(known), flat_jumps))


class _KnownFunctions(dict[str, Code]):
    """Functions by name; two are equal if they have equal functions."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))


@functools.lru_cache(maxsize=1024)
def _derivative(code: Code, argument: int, known: _KnownFunctions, flat_jumps: bool) -> tuple[Code, ...]:
    name = derivative_name(code.name, argument)
    rules = (power_slope, power_growth)
    if code.source == code_of(power).source:
        rule = code_of(rules[argument], name)
        return (*rule.helpers, rule)
    text = _Text(code, argument, known, flat_jumps)
    body = text.body()
    return (*text.called, Code(name, code.arguments, body, signature=code.signature))


class _Text:
    """The text of one derivative, as it is made."""

    def __init__(self, code: Code, argument: int, known: _KnownFunctions, flat_jumps: bool) -> None:
        tree = ast.parse(code.source).body[0]
        assert isinstance(tree, ast.FunctionDef)
        self.code, self.tree, self.known, self.flat_jumps = code, tree, known, flat_jumps
        self.seed = code.arguments[argument]
        self.called: dict[Code, None] = {}
        self.active = {self.seed}
        count = 0
        while count != len(self.active):  # loops may carry what depends on the argument to statements above
            count = len(self.active)
            for node in ast.walk(tree):
                targets, value = _assignment(node)
                if value is not None and self._depends(value):
                    self.active.update(targets)

    def body(self) -> str:
        first = [_assign(_small(name), _ONE if name == self.seed else _ZERO) for name in sorted(self.active)]
        module = ast.Module([*first, *self._statements(self.tree.body)], [])
        text = ast.unparse(ast.fix_missing_locations(module))
        return "\n".join(f"    {line}" for line in text.splitlines()) + "\n"

    def _depends(self, node: ast.AST) -> bool:
        return any(isinstance(part, ast.Name) and part.id in self.active for part in ast.walk(node))

    def _statements(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        result: list[ast.stmt] = []
        for node in statements:
            if isinstance(node, ast.Return):
                assert node.value is not None
                result.append(ast.Return(self._slope(node.value) or _ZERO))
            elif isinstance(node, ast.If):
                result.append(ast.If(node.test, self._statements(node.body), self._statements(node.orelse)))
            elif isinstance(node, (ast.For, ast.While)):
                if self._depends(node.test if isinstance(node, ast.While) else node.iter):
                    raise self._refused("how often a loop is run depends on it")
                changed = copy.copy(node)
                changed.body = self._statements(node.body)
                result.append(changed)
            else:
                result += self._simple(node)
        return result

    def _simple(self, node: ast.stmt) -> list[ast.stmt]:
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            whole = ast.BinOp(ast.Name(node.target.id, ast.Load()), node.op, node.value)
            return self._simple(ast.Assign([node.target], whole))
        if isinstance(node, ast.AnnAssign) and node.value is not None:
            return self._simple(ast.Assign([node.target], node.value))
        targets, value = _assignment(node)
        if value is None or not self.active.intersection(targets):
            return [node]
        assert isinstance(node, ast.Assign)
        target = node.targets[0] if len(node.targets) == 1 else None
        if isinstance(target, ast.Name):
            slope = self._slope(value) or _ZERO
            names = ast.Tuple([ast.Name(_small(target.id), ast.Store()), target], ast.Store())
            return [ast.Assign([names], ast.Tuple([slope, value], ast.Load()))]
        if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            own = [part.id for part in target.elts if isinstance(part, ast.Name)]
            if len(own) == len(target.elts) == len(value.elts):
                both = [(name, part) for name, part in zip(own, value.elts, strict=True) if name in self.active]
                left: list[ast.expr] = [ast.Name(_small(name), ast.Store()) for name, _ in both]
                right: list[ast.expr] = [self._slope(part) or _ZERO for _, part in both]
                into = ast.Tuple([*left, *target.elts], ast.Store())
                return [ast.Assign([into], ast.Tuple([*right, *value.elts], ast.Load()))]
        raise self._refused(f"'{ast.unparse(node)}' has no rule")

    def _slope(self, node: ast.expr) -> ast.expr | None:
        """Return what an expression changes by; None for nothing."""
        if isinstance(node, ast.Name):
            return ast.Name(_small(node.id), ast.Load()) if node.id in self.active else None
        if not self._depends(node):
            return None
        match node:
            case ast.UnaryOp(ast.USub(), operand):
                return _minus(self._slope(operand))
            case ast.UnaryOp(ast.UAdd(), operand):
                return self._slope(operand)
            case ast.BinOp():
                return self._operation(node)
            case ast.IfExp(test, body, orelse):
                parts = self._slope(body), self._slope(orelse)
                return None if parts == (None, None) else ast.IfExp(test, *(part or _ZERO for part in parts))
            case ast.Call():
                return self._call(node)
            case ast.Compare() | ast.BoolOp():
                self._jump(node)
                return None
        raise self._refused(f"'{ast.unparse(node)}' has no rule")

    def _operation(self, node: ast.BinOp) -> ast.expr | None:
        a, b = node.left, node.right
        da, db = self._slope(a), self._slope(b)
        match node.op:
            case ast.Add():
                return _plus(da, db)
            case ast.Sub():
                return _plus(da, _minus(db))
            case ast.Mult():
                return _plus(_times(da, b), _times(a, db))
            case ast.Div():
                # In this order nothing overflows that the quotient does not.
                top = _plus(da, _minus(_times(node, db)))
                return None if top is None else ast.BinOp(top, ast.Div(), b)
            case ast.Pow():
                if db is None and isinstance(b, ast.Constant) and b.value == 2:
                    return _times(ast.BinOp(ast.Constant(2.0), ast.Mult(), a), da)
                return self._by_rule("power", [a, b], [da, db])
            case ast.Mod() if db is None:
                return da
        raise self._refused(f"'{ast.unparse(node)}' has no rule")

    def _call(self, node: ast.Call) -> ast.expr | None:
        if node.keywords:
            raise self._refused(f"'{ast.unparse(node)}' has no rule")
        name = ast.unparse(node.func)
        chosen = name.rpartition(".")[2] == "where" and len(node.args) == 3  # by a test, which has no slope
        slopes = [None if chosen and k == 0 else self._slope(argument) for k, argument in enumerate(node.args)]
        if name in self.known:
            total: ast.expr | None = None
            for k, slope in enumerate(slopes):
                if slope is not None:
                    codes = _derivative(self.known[name], k, self.known, self.flat_jumps)
                    self.called |= dict.fromkeys(codes)
                    outer = ast.Call(ast.Name(codes[-1].name, ast.Load()), node.args, [])
                    total = _plus(total, _times(outer, slope))
            return total
        if name in _PLAIN:
            return slopes[0]
        known = _SAME_AS.get(name, name.removeprefix("np.").removeprefix("math."))
        if known == "where" and len(node.args) == 3:
            parts = [part or _ZERO for part in slopes[1:]]
            return None if slopes[1:] == [None, None] else ast.IfExp(node.args[0], *parts)
        if known == "clip" and len(node.args) == 3:
            inner = ast.parse("np.minimum(np.maximum(x, low), high)", mode="eval").body
            filled = _FilledNames(dict(zip(("x", "low", "high"), node.args, strict=True))).visit(inner)
            return self._call(filled)
        if known in _JUMPS:
            self._jump(node)
            return None
        if known not in _RULES or len(_RULES[known]) != len(node.args):
            raise self._refused(f"the derivative of '{name}' is not known")
        return self._by_rule(known, node.args, slopes)

    def _by_rule(self, name: str, arguments: list[ast.expr], slopes: list[ast.expr | None]) -> ast.expr | None:
        total: ast.expr | None = None
        for rule, slope in zip(_RULES[name], slopes, strict=True):
            if slope is not None:
                outer = _FilledNames(dict(zip("ab", arguments, strict=False))).visit(ast.parse(rule, mode="eval").body)
                total = _plus(total, _times(outer, slope))
        return total

    def _jump(self, node: ast.expr) -> None:
        if not self.flat_jumps:
            raise self._refused(f"it jumps at '{ast.unparse(node)}'")

    def _refused(self, why: str) -> SpecError:
        return SpecError(f"{self.code.name}: has no derivative by {self.seed}: {why}")


class _FilledNames(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Replace a name."""
        return self.values.get(node.id, node)


def _assignment(node: ast.AST) -> tuple[list[str], ast.expr | None]:
    """Return the names that a statement sets, and what they are made of."""
    if isinstance(node, ast.Assign):
        names = [part.id for target in node.targets for part in ast.walk(target) if isinstance(part, ast.Name)]
        return names, node.value
    if isinstance(node, (ast.AugAssign, ast.AnnAssign)) and isinstance(node.target, ast.Name):
        return [node.target.id], node.value
    return [], None


def _assign(name: str, value: ast.expr) -> ast.stmt:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _small(name: str) -> str:
    """Return the name of the change of a number."""
    return f"_d_{name}"


def _minus(a: ast.expr | None) -> ast.expr | None:
    return None if a is None else ast.UnaryOp(ast.USub(), a)


def _plus(a: ast.expr | None, b: ast.expr | None) -> ast.expr | None:
    return b if a is None else a if b is None else ast.BinOp(a, ast.Add(), b)


def _times(a: ast.expr | None, b: ast.expr | None) -> ast.expr | None:
    if a is None or b is None:
        return None
    for one, other in ((a, b), (b, a)):
        if isinstance(one, ast.Constant) and one.value == 1.0:
            return other
    return ast.BinOp(a, ast.Mult(), b)
