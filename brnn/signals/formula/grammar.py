"""The grammar of expressions in w: what a user may write, checked before anything is computed.

The text is parsed into Python's syntax tree, and every node is checked against the short list below; nothing is
ever executed. Limits on length, depth and powers keep hostile text from taking more than milliseconds.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection

from brnn.base.text import closest, shortened
from brnn.errors import SpecError

__all__ = ["FUNCTIONS", "RESERVED", "number_of", "read"]

FUNCTIONS: dict[str, tuple[int, int]] = {  # name: fewest and most arguments
    "exp": (1, 1),
    "log": (1, 1),
    "sqrt": (1, 1),
    "tanh": (1, 1),
    "sin": (1, 1),
    "cos": (1, 1),
    "abs": (1, 1),
    "min": (2, 8),
    "max": (2, 8),
    "where": (3, 3),
}
# Names that a parameter cannot have, because they mean something else in the text or in generated code.
RESERVED = frozenset({"w", "np", "power", "at_zero", "inf", "nan", "text", "parameters", "self", *FUNCTIONS})

_LONGEST = 1000  # characters
_LARGEST_TREE = 250  # nodes
_DEEPEST = 40
_HIGHEST_POWER = 1000  # product of all powers inside each other
_LARGEST_NUMBER = 1e100

_CHARACTERS = re.compile(r"[A-Za-z0-9_ .+\-*/(),<>=]*\Z")
_OPERATORS = (ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Pow)
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
_COMPUTE: dict[str, Callable[..., float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "abs": abs,
    "min": min,
    "max": max,
}


def read(text: str, names: Collection[str], where: str) -> ast.expr:
    """Return the checked syntax tree of `text`, with every part that has no names in it computed.

    Parameters
    ----------
    text : str
        An expression of numbers, ``w``, `names`, ``+ - * / **``, parentheses and `FUNCTIONS`; comparisons
        (``< <= > >=``) only as the first argument of ``where(condition, value if true, value if false)``.
    names : collection of str
        Names of the parameters.
    where : str
        The beginning of error messages.

    Raises
    ------
    SpecError
        One line that says what is not allowed.
    """
    if len(text) > _LONGEST:
        raise SpecError(f"{where}: has {len(text)} characters, at most {_LONGEST} are allowed")
    if "^" in text:
        raise SpecError(f"{where}: '^' is not allowed; a power is written w**2")
    if not _CHARACTERS.match(text):
        strange = next(character for character in text if not _CHARACTERS.match(character))
        raise SpecError(f"{where}: the character {strange!r} is not allowed")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        place = f" near character {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        raise SpecError(f"{where}: is not a complete expression{place}") from None
    if sum(1 for _ in ast.walk(tree)) > 2 * _LARGEST_TREE:  # each operator is a node of its own
        raise SpecError(f"{where}: has too many parts")
    reader = _Reader(names, where)
    return reader.value(tree, 0)[0]


def number_of(node: ast.Constant) -> float:
    """Return the value of a constant of a checked tree."""
    value = node.value
    assert isinstance(value, float)
    return value


class _Reader:
    """Checks a tree from the leaves up; each part comes back with the power in which names occur in it."""

    def __init__(self, names: Collection[str], where: str) -> None:
        self.names = names
        self.where = where

    def fail(self, message: str) -> SpecError:
        return SpecError(f"{self.where}: {message}")

    def value(self, node: ast.expr, depth: int) -> tuple[ast.expr, int]:
        if depth > _DEEPEST:
            raise self.fail(f"is nested more than {_DEEPEST} deep")
        if isinstance(node, ast.Constant):
            return self.constant(node.value), 0
        if isinstance(node, ast.Name):
            return self.name(node), 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            operand, degree = self.value(node.operand, depth + 1)
            if isinstance(node.op, ast.UAdd):
                return operand, degree
            if isinstance(operand, ast.Constant):
                return self.constant(-number_of(operand)), 0
            return ast.UnaryOp(node.op, operand), degree
        if isinstance(node, ast.BinOp) and isinstance(node.op, _OPERATORS):
            return self.operation(node, depth)
        if isinstance(node, ast.Call):
            return self.call(node, depth)
        if isinstance(node, ast.Compare):
            raise self.fail("a comparison is allowed only as the first argument of where(condition, a, b)")
        raise self.fail(f"'{shortened(ast.unparse(node), 40)}' is not allowed; {_allowed(self.names)}")

    def constant(self, value: object) -> ast.Constant:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.fail(f"{value!r} is not a real number")
        size = abs(value)
        if not (value == 0 or 1 / _LARGEST_NUMBER <= size <= _LARGEST_NUMBER):
            raise self.fail(f"a number in it lies outside {1 / _LARGEST_NUMBER:g} ... {_LARGEST_NUMBER:g}")
        return ast.Constant(float(value))

    def name(self, node: ast.Name) -> ast.Name:
        if node.id == "w" or node.id in self.names:
            return node
        if node.id in FUNCTIONS:
            raise self.fail(f"the function {node.id} needs its arguments in parentheses")
        hint = closest(node.id, ["w", *self.names])
        raise self.fail(f"unknown name '{node.id}'{hint or '; ' + _allowed(self.names)}")

    def operation(self, node: ast.BinOp, depth: int) -> tuple[ast.expr, int]:
        # a + b - c + d is a chain, not nested
        chained = isinstance(node.left, ast.BinOp) and _rank(node.left.op) == _rank(node.op) < 2
        left, left_degree = self.value(node.left, depth if chained else depth + 1)
        right, right_degree = self.value(node.right, depth + 1)
        if isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            return self.compute(lambda: _apply(node.op, number_of(left), number_of(right))), 0
        degree = max(left_degree, right_degree)
        if isinstance(node.op, (ast.Mult, ast.Div)):
            degree = left_degree + right_degree
        if isinstance(node.op, ast.Pow) and isinstance(right, ast.Constant):
            degree = math.ceil(left_degree * max(abs(number_of(right)), 1.0))
        if degree > _HIGHEST_POWER:
            raise self.fail(f"contains a power above {_HIGHEST_POWER}")
        return ast.BinOp(left, node.op, right), degree

    def call(self, node: ast.Call, depth: int) -> tuple[ast.expr, int]:
        if not isinstance(node.func, ast.Name):
            raise self.fail(f"'{shortened(ast.unparse(node), 40)}' is not allowed; {_allowed(self.names)}")
        name = node.func.id
        if name not in FUNCTIONS:
            hint = closest(name, FUNCTIONS)
            raise self.fail(f"unknown function '{name}'{hint or '; there are ' + ', '.join(FUNCTIONS)}")
        fewest, most = FUNCTIONS[name]
        if node.keywords or not fewest <= len(node.args) <= most:
            count = str(fewest) if fewest == most else f"{fewest} to {most}"
            raise self.fail(f"{name} takes {count} argument{'s' if most > 1 else ''}")
        given, first = node.args, []
        degree = 1
        if name == "where":
            first, given = [self.condition(node.args[0], depth + 1)], node.args[1:]
        values = []
        for argument in given:
            value, inner = self.value(argument, depth + 1)
            values.append(value)
            degree = max(degree, inner)
        numbers = [number_of(value) for value in values if isinstance(value, ast.Constant)]
        if name in _COMPUTE and len(numbers) == len(values):
            return self.compute(lambda: _COMPUTE[name](*numbers)), 0
        return ast.Call(node.func, [*first, *values], []), degree

    def condition(self, node: ast.expr, depth: int) -> ast.expr:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or not isinstance(node.ops[0], _COMPARISONS):
            raise self.fail("where(condition, a, b) needs one comparison (<, <=, >, >=) as its condition")
        left, _ = self.value(node.left, depth + 1)
        right, _ = self.value(node.comparators[0], depth + 1)
        return ast.Compare(left, node.ops, [right])

    def compute(self, operation: Callable[[], object]) -> ast.Constant:
        try:
            return self.constant(operation())
        except (ZeroDivisionError, OverflowError, ValueError) as error:
            if isinstance(error, SpecError):
                raise
            raise self.fail("a part of it without w has no finite real value") from None


def _rank(operator: ast.operator) -> int:
    if isinstance(operator, (ast.Add, ast.Sub)):
        return 0
    return 1 if isinstance(operator, (ast.Mult, ast.Div)) else 2


def _apply(operator: ast.operator, a: float, b: float) -> object:
    if isinstance(operator, ast.Add):
        return a + b
    if isinstance(operator, ast.Sub):
        return a - b
    if isinstance(operator, ast.Mult):
        return a * b
    if isinstance(operator, ast.Div):
        return a / b
    return a**b


def _allowed(names: Collection[str]) -> str:
    return f"the names in it are w{''.join(', ' + name for name in sorted(names))}"
