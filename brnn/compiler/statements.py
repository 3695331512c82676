"""Statements of generated functions as objects, and how they are printed for one network.

Expressions are made with Python's own operators: ``Assign(total, weight * y[k] * s[i], "+=")`` for arrays `y` and `s`.
How they are printed for many networks side by side says `brnn.compiler.lanes`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

__all__ = [
    "ZERO",
    "Array",
    "Assign",
    "Call",
    "CodeExpression",
    "Comment",
    "ConstantNumber",
    "Element",
    "Index",
    "Local",
    "Loop",
    "Number",
    "Operation",
    "Printer",
    "Size",
    "Statement",
    "Time",
    "elements",
    "leaves",
    "locals_of",
    "renamed",
]  # fmt: skip

_TIGHTNESS = {"+": 1, "-": 1, "*": 2, "//": 2, "**": 3}


class CodeExpression:
    """A number, or an array as an argument of a function."""

    __slots__ = ()

    def __add__(self, other: CodeExpression) -> Operation:
        return Operation(self, "+", other)

    def __sub__(self, other: CodeExpression) -> Operation:
        return Operation(self, "-", other)

    def __mul__(self, other: CodeExpression) -> Operation:
        return Operation(self, "*", other)

    def __floordiv__(self, other: CodeExpression) -> Operation:
        return Operation(self, "//", other)

    def __pow__(self, other: CodeExpression) -> Operation:
        return Operation(self, "**", other)


@dataclass(frozen=True, slots=True)
class Name(CodeExpression):
    """What is printed as it stands."""

    name: str


class ConstantNumber(Name):
    """A number that is the same for all networks."""

    __slots__ = ()


class Time(Name):
    """The time at which the function is called."""

    __slots__ = ()


class Local(Name):
    """A number that the function computes."""

    __slots__ = ()


class Index(Name):
    """A whole number that says which cell or connection is meant; the same for all networks of one structure."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Number(Name):
    """A number of the network, which the function finds at a place in `p`."""

    place: int


@dataclass(frozen=True, slots=True)
class Array(Name):
    """An array: a block of states or slopes, values, room for work, or whole numbers (who is connected with whom)."""

    kind: Literal["state", "values", "work", "whole"]

    def __getitem__(self, index: CodeExpression) -> Element:
        return Element(self, index)

    @property
    def size(self) -> Size:
        """Its number of elements."""
        return Size(self)


@dataclass(frozen=True, slots=True)
class Element(CodeExpression):
    """An element of an array."""

    array: Array
    index: CodeExpression


@dataclass(frozen=True, slots=True)
class Size(CodeExpression):
    """How many elements an array has."""

    array: Array


@dataclass(frozen=True, slots=True)
class Operation(CodeExpression):
    """Two expressions joined by an arithmetic operator."""

    left: CodeExpression
    symbol: str
    right: CodeExpression


@dataclass(frozen=True, slots=True)
class Call(CodeExpression):
    """A call of a function of numbers; as a statement, of a function of arrays that writes into one of them."""

    function: str
    arguments: tuple[CodeExpression, ...]


ZERO = ConstantNumber("0.0")


@dataclass(frozen=True, slots=True)
class Comment:
    """An empty line, and one that says what follows."""

    text: str


@dataclass(frozen=True, slots=True)
class Assign:
    """A number, or an element of an array, is given a value, or has it added (``+=``)."""

    target: Local | Index | Element
    value: CodeExpression
    symbol: Literal["=", "+="] = "="


@dataclass(frozen=True, slots=True)
class Loop:
    """Statements are repeated for each index from `start` (0 if None) to the last before `stop`."""

    index: Index
    stop: CodeExpression
    body: tuple[Statement, ...]
    start: CodeExpression | None = None


Statement = Comment | Assign | Call | Loop


def leaves(expression: CodeExpression) -> Iterator[CodeExpression]:
    """Yield the names and sizes that an expression reads, from left to right."""
    match expression:
        case Operation(left, _, right):
            yield from leaves(left)
            yield from leaves(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from leaves(argument)
        case Element(_, index):
            yield from leaves(index)
        case _:
            yield expression


def locals_of(statements: Sequence[Statement]) -> Iterator[str]:
    """Yield the names of the numbers that statements compute or read."""
    for statement in statements:
        match statement:
            case Assign(target, value):
                yield from (leaf.name for part in (target, value) for leaf in leaves(part) if isinstance(leaf, Local))
            case Call():
                yield from (leaf.name for leaf in leaves(statement) if isinstance(leaf, Local))
            case Loop():
                yield from locals_of(statement.body)


def elements(expression: CodeExpression) -> Iterator[Element]:
    """Yield the elements of arrays that an expression reads, from left to right."""
    match expression:
        case Operation(left, _, right):
            yield from elements(left)
            yield from elements(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from elements(argument)
        case Element():
            yield expression


def renamed(statements: Iterable[Statement], names: Mapping[str, str]) -> Iterator[Statement]:
    """Yield statements with other arrays and numbers in the place of some."""
    for statement in statements:
        match statement:
            case Loop(_, stop, body):
                yield replace(statement, stop=_other(stop, names), body=tuple(renamed(body, names)))
            case Assign(target, value):
                place = _other(target, names)
                assert isinstance(place, (Local, Index, Element))
                yield replace(statement, target=place, value=_other(value, names))
            case Call():
                changed = _other(statement, names)
                assert isinstance(changed, Call)
                yield changed
            case _:
                yield statement


def _other(expression: CodeExpression, names: Mapping[str, str]) -> CodeExpression:
    match expression:
        case Array(name, _) | Local(name) if name in names:
            return replace(expression, name=names[name])
        case Size(array) | Element(array, _) if array.name in names:
            return replace(expression, array=replace(array, name=names[array.name]))
        case Operation(left, symbol, right):
            return Operation(_other(left, names), symbol, _other(right, names))
        case Call(function, arguments):
            return Call(function, tuple(_other(argument, names) for argument in arguments))
    return expression


class Printer:
    """Prints statements as Python, every name as it stands."""

    def expression(self, expression: CodeExpression, tightness: int = 0) -> str:
        """Return the text of an expression, in parentheses if what surrounds it binds more tightly."""
        if isinstance(expression, Call):
            return f"{expression.function}({', '.join([self.expression(a) for a in expression.arguments])})"
        if isinstance(expression, Operation):
            own = _TIGHTNESS[expression.symbol]
            left, right = self.expression(expression.left, own), self.expression(expression.right, own + 1)
            text = f"{left} {expression.symbol} {right}"
            return f"({text})" if own < tightness else text
        return self.leaf(expression, tightness)

    def leaf(self, expression: CodeExpression, tightness: int) -> str:
        """Return the text of what is neither a call nor an operation."""
        if isinstance(expression, Element):
            return f"{expression.array.name}[{self.expression(expression.index)}]"
        if isinstance(expression, Size):
            return f"{expression.array.name}.size"
        assert isinstance(expression, Name)
        return expression.name

    def lines(self, statements: Sequence[Statement], depth: int = 1) -> Iterator[str]:
        """Yield the lines of statements."""
        space = "    " * depth
        for statement in statements:
            if isinstance(statement, Assign):
                target, value = self.expression(statement.target), self.expression(statement.value)
                yield f"{space}{target} {statement.symbol} {value}"
            elif isinstance(statement, Loop):
                start = "" if statement.start is None else f"{self.expression(statement.start)}, "
                yield f"{space}for {statement.index.name} in range({start}{self.expression(statement.stop)}):"
                yield from self.lines(statement.body, depth + 1)
            elif isinstance(statement, Comment):
                yield from ("", f"{space}# {statement.text}")
            else:
                yield space + self.expression(statement)
