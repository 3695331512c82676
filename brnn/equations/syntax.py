"""Formulas as syntax trees: built of numbers and names, taken out of the texts of functions, and made shorter.

They are trees of Python's own (`ast`), which are never run. A name may be dotted (``F1.x``); a sum over cells is a call
of `SUM` with the index, the index that it leaves out (or None) and the summand.
"""

from __future__ import annotations

import ast
import copy
import math
from collections.abc import Mapping, Sequence

from brnn.base.codetext import Code
from brnn.base.words import number_in_words

__all__ = ["SUM", "call", "constant", "element", "inlined", "joined", "name", "sum_over", "value_of"]

SUM = "sum"

_FUNCTIONS = {"minimum": "min", "maximum": "max", "power": "pow"}  # NumPy's names, where ours are others
_SHORT = 8  # characters up to which a product of two numbers is written as one


def name(text: str) -> ast.expr:
    """Return a name."""
    return ast.Name(text)


def constant(value: float) -> ast.expr:
    """Return a number."""
    return ast.Constant(float(value))


def value_of(node: ast.expr | None) -> float | None:
    """Return the value of a number, None for anything else."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, float) else None


def element(array: str, *indices: ast.expr | None) -> ast.expr:
    """Return an element of an array; an index that is None is left out, as there is one cell only."""
    given = [index for index in indices if index is not None]
    if not given:
        return ast.Name(array)
    return ast.Subscript(ast.Name(array), given[0] if len(given) == 1 else ast.Tuple(given))


def call(function: ast.expr | str, *arguments: ast.expr) -> ast.expr:
    """Return the call of a function."""
    return ast.Call(ast.Name(function) if isinstance(function, str) else function, list(arguments), [])


def joined(left: ast.expr, symbol: str, right: ast.expr) -> ast.expr:
    """Return two formulas joined by an operator, in the shortest form that has the same value."""
    operators = {"+": ast.Add(), "-": ast.Sub(), "*": ast.Mult(), "/": ast.Div(), "**": ast.Pow()}
    return _shorter(ast.BinOp(left, operators[symbol], right))


def sum_over(index: str, summand: ast.expr, without: str | None = None) -> ast.expr:
    """Return the sum of a formula over all cells, or over all but one; what is nothing is no sum."""
    if value_of(summand) == 0.0:
        return summand
    factors = _factors(summand)
    for factor in factors:  # [k != i] as a factor says which cell is left out
        if isinstance(factor, ast.Compare) and isinstance(factor.ops[0], ast.NotEq):
            names = [node.id for node in (factor.left, factor.comparators[0]) if isinstance(node, ast.Name)]
            if len(names) == 2 and index in names and without is None:
                rest = [other for other in factors if other is not factor] or [constant(1.0)]
                product = rest[0]
                for other in rest[1:]:
                    product = joined(product, "*", other)
                return sum_over(index, product, next(other for other in names if other != index))
    return call(SUM, name(index), ast.Constant(None) if without is None else name(without), summand)


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    return [node]


def inlined(code: Code, arguments: Sequence[ast.expr]) -> ast.expr | None:
    """Return what a function returns for these arguments, or None if it is more than assignments and one value.

    Parameters
    ----------
    code : Code
        The text of a function of scalars, as generated code takes it over.
    arguments : sequence of ast.expr
        Formulas, one for each argument.
    """
    return _Inliner({helper.name: helper for helper in code.helpers}).result(code, arguments)


class _Inliner(ast.NodeTransformer):
    """Puts formulas in the place of names, and the values of functions in the place of their calls."""

    def __init__(self, helpers: Mapping[str, Code]) -> None:
        self.helpers = helpers
        self.names: dict[str, ast.expr] = {}
        self.known = True

    def result(self, code: Code, arguments: Sequence[ast.expr]) -> ast.expr | None:
        function = ast.parse(code.source).body[0]
        assert isinstance(function, ast.FunctionDef)
        self.names = dict(zip(code.arguments, arguments, strict=False))
        found = self.run(function.body)
        return found if self.known else None

    def run(self, statements: Sequence[ast.stmt]) -> ast.expr | None:
        for statement in statements:
            if isinstance(statement, ast.Return) and statement.value is not None:
                found: ast.expr = self.visit(statement.value)
                return found
            if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                self.names[statement.targets[0].id] = self.visit(statement.value)
            elif isinstance(statement, ast.If) and (test := _truth(self.visit(statement.test))) is not None:
                found_inside = self.run(statement.body if test else statement.orelse)
                if found_inside is not None:
                    return found_inside
            else:
                break
        else:
            return None
        self.known = False
        return None

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if node.id not in self.names:
            self.known = False
        return self.names.get(node.id, node)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return constant(node.value) if isinstance(node.value, (int, float)) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.known &= node.attr == "pi"
        return ast.Name("π")

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        return _shorter(ast.BinOp(self.visit(node.left), node.op, self.visit(node.right)))

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        operand: ast.expr = self.visit(node.operand)
        return _shorter(ast.UnaryOp(node.op, operand)) if isinstance(node.op, ast.USub) else operand

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        return _chosen(self.visit(node.test), self.visit(node.body), self.visit(node.orelse))

    def visit_Call(self, node: ast.Call) -> ast.expr:
        given = [self.visit(argument) for argument in node.args]
        if isinstance(node.func, ast.Name) and node.func.id in self.helpers:
            inner = _Inliner(self.helpers).result(self.helpers[node.func.id], given)
            if inner is None and node.func.id == "power":  # it looks at the exponent, which is a formula here
                return _shorter(ast.BinOp(given[0], ast.Pow(), given[1]))
            self.known &= inner is not None
            return node if inner is None else inner
        if isinstance(node.func, ast.Attribute):
            function = _FUNCTIONS.get(node.func.attr, node.func.attr)
        elif isinstance(node.func, ast.Name):
            function = node.func.id
        else:
            self.known = False
            return node
        if function == "pow":
            return _shorter(ast.BinOp(given[0], ast.Pow(), given[1]))
        return _chosen(*given) if function == "where" else _shorter(call(function, *given))


def _chosen(test: ast.expr, body: ast.expr, orelse: ast.expr) -> ast.expr:
    """Return one of two formulas by a condition; alone where it is known which."""
    truth = _truth(test)
    return ast.IfExp(test, body, orelse) if truth is None else body if truth else orelse


def _truth(test: ast.expr) -> bool | None:
    """Return whether a comparison of two numbers holds; None if it is another one."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return None
    left, right = value_of(test.left), value_of(test.comparators[0])
    if left is None or right is None:
        return None
    signs = (left > right) - (left < right)
    return {
        ast.Lt: signs < 0, ast.LtE: signs <= 0, ast.Gt: signs > 0, ast.GtE: signs >= 0, ast.Eq: signs == 0,
        ast.NotEq: signs != 0,
    }.get(type(test.ops[0]))  # fmt: skip


def _decided(node: ast.expr) -> ast.expr:
    """Return 1 or 0 for a comparison of two numbers, which as a factor is one of these; anything else as it is."""
    truth = _truth(node)
    return node if truth is None else constant(float(truth))


def _shorter(node: ast.expr) -> ast.expr:
    """Return a formula whose parts are in their shortest form in its own shortest form."""
    if isinstance(node, ast.UnaryOp):
        value = value_of(node.operand)
        if value is not None:
            return constant(0.0 - value)
        return node.operand.operand if isinstance(node.operand, ast.UnaryOp) else node
    if isinstance(node, ast.Call):
        return _shorter_call(node)
    if not isinstance(node, ast.BinOp):
        return node
    if isinstance(node.op, (ast.Mult, ast.Div, ast.Pow)):
        return _shorter_product(node.left, node.op, node.right, node)
    return _shorter_sum(node.left, isinstance(node.op, ast.Sub), node.right)


def _shorter_call(node: ast.Call) -> ast.expr:
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    numbers = [value_of(argument) for argument in node.args]
    if function in ("min", "max"):
        none = math.inf if function == "min" else -math.inf  # the number that changes nothing
        given = [argument for argument, number in zip(node.args, numbers, strict=True) if number != none]
        if len(given) == 1:
            return given[0]
        if given and all(number is not None for number in numbers):
            return constant((min if function == "min" else max)(number for number in numbers if number is not None))
    return node


def _shorter_product(left: ast.expr, operator: ast.operator, right: ast.expr, node: ast.BinOp) -> ast.expr:
    left, right = _decided(left), _decided(right)
    a, b = value_of(left), value_of(right)
    if isinstance(operator, ast.Pow):
        return left if b == 1.0 else constant(1.0) if b == 0.0 else node
    if a == 0.0 or (b == 0.0 and isinstance(operator, ast.Mult)):
        return constant(0.0)
    if b == 1.0:
        return left
    if isinstance(operator, ast.Mult):
        if a == 1.0:
            return right
        if a is not None and b is not None and len(number_in_words(a * b)) <= _SHORT:
            return constant(a * b)
        if b is not None and a is None:
            return _shorter(ast.BinOp(right, operator, left))  # numbers first
        if a is not None and a < 0.0:
            return _shorter(ast.UnaryOp(ast.USub(), _shorter(ast.BinOp(constant(-a), operator, right))))
        if isinstance(right, ast.UnaryOp):
            return _shorter(ast.UnaryOp(ast.USub(), _shorter(ast.BinOp(left, operator, right.operand))))
    if isinstance(left, ast.UnaryOp):
        return _shorter(ast.UnaryOp(ast.USub(), _shorter(ast.BinOp(left.operand, operator, right))))
    return node


def _shorter_sum(left: ast.expr, minus: bool, right: ast.expr) -> ast.expr:
    a, b = value_of(left), value_of(right)
    if b == 0.0:
        return left
    if a == 0.0:
        return _shorter(ast.UnaryOp(ast.USub(), right)) if minus else right
    if a is not None and b is not None and len(number_in_words(a - b if minus else a + b)) <= _SHORT:
        return constant(a - b if minus else a + b)
    if isinstance(right, ast.UnaryOp):
        return _shorter_sum(left, not minus, right.operand)
    if b is not None and b < 0.0:
        return _shorter_sum(left, not minus, constant(-b))
    if minus and ast.dump(left) == ast.dump(right):
        return constant(0.0)
    if minus and (rest := _without_own(left, right)) is not None:
        return rest
    return ast.BinOp(left, ast.Sub() if minus else ast.Add(), right)


def _without_own(total: ast.expr, own: ast.expr) -> ast.expr | None:
    """Return the sum over the other cells, if `total` is one over all cells and `own` is the term of one of them."""
    if not (isinstance(total, ast.Call) and isinstance(total.func, ast.Name) and total.func.id == SUM):
        return None
    index, without, summand = total.args
    cells = [node.slice for node in ast.walk(own) if isinstance(node, ast.Subscript)]
    if not (isinstance(index, ast.Name) and isinstance(without, ast.Constant) and cells):
        return None
    cell = cells[0]
    if not isinstance(cell, ast.Name) or ast.dump(_renamed(summand, index.id, cell.id)) != ast.dump(own):
        return None
    return sum_over(index.id, summand, cell.id)


def _renamed(node: ast.expr, old: str, new: str) -> ast.expr:
    result = copy.deepcopy(node)
    for inner in ast.walk(result):
        if isinstance(inner, ast.Name) and inner.id == old:
            inner.id = new
    return result
