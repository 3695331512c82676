"""Small changes of generated statements: what each makes of changes of what it reads.

A statement ``y = f(a, b)`` changes y by ``f_a da + f_b db``. From the list of these factors follow a statement about
tangents, forward (`brnn.compiler.forward`), and one about adjoints, backward.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from brnn.compiler.partials import derivative, derivative_name
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    Array,
    Assign,
    Call,
    CodeExpression,
    Comment,
    ConstantNumber,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Operation,
    Statement,
)  # fmt: skip
from brnn.errors import SpecError

__all__ = ["Factor", "Linearized", "explicit_only", "single_names"]

_ONE, _MINUS = ConstantNumber("1.0"), ConstantNumber("-1.0")

Leaf = Local | Number | Element


@dataclass(frozen=True)
class Factor:
    """One thing that a statement reads and that varies, and the derivative of the statement's value by it."""

    leaf: Leaf
    value: CodeExpression

    @property
    def plain(self) -> bool:
        """Whether the derivative is a constant, or stands in one place."""
        return isinstance(self.value, (ConstantNumber, Local, Number))


class Linearized:
    """Which things of a program vary, and how each of its statements changes with them.

    Parameters
    ----------
    program : Program
        In explicit form: loops and assignments alone.
    numbers : collection of int
        Places in `p` of the numbers that vary.
    arrays : collection of str
        The array arguments that vary.
    flat_jumps : bool
        Whether a jump counts as flat (`brnn.compiler.partials.derivative`); else it raises SpecError.

    Attributes
    ----------
    statements : tuple of Statement
        Those of the program; each number outside of loops has a name that is given a value once.
    locals, work : set of str
        The computed numbers and the work arrays that vary.
    derivatives : dict
        The derivatives of functions that were asked for.
    """

    def __init__(
        self, program: Program, numbers: Collection[int] = (), arrays: Collection[str] = (), *, flat_jumps: bool = False
    ) -> None:
        explicit_only(program.statements)
        self.statements = tuple(single_names(program.statements))
        self.numbers, self.arrays = frozenset(numbers), frozenset(arrays)
        self.locals: set[str] = set()
        self.work: set[str] = set()
        self._program, self._flat_jumps = program, flat_jumps
        self.derivatives: dict[str, None] = {}
        self.functions = dict(program.functions)
        count = -1
        while count != len(self.locals) + len(self.work):
            count = len(self.locals) + len(self.work)
            for statement in assignments(self.statements):
                if self.varies_with(statement.value):
                    self._mark(statement.target)

    def varies(self, leaf: CodeExpression) -> bool:
        """Tell whether a number, or an element of an array, varies."""
        match leaf:
            case Index():
                return False
            case Local(name):
                return name in self.locals
            case Number(_, place):
                return place in self.numbers
            case Element(Array(_, "state"), _):
                return True
            case Element(Array(name, "work"), _):
                return name in self.work
            case Element(Array(name, "values"), _):
                return name in self.arrays
        return False

    def varies_with(self, expression: CodeExpression) -> bool:
        """Tell whether an expression reads something that varies."""
        match expression:
            case Operation(left, "//", right):
                return False
            case Operation(left, _, right):
                return self.varies_with(left) or self.varies_with(right)
            case Call(_, arguments):
                return any(self.varies_with(argument) for argument in arguments)
        return self.varies(expression)

    def factors(self, expression: CodeExpression) -> list[Factor]:
        """Return the derivatives of an expression by all that varies in it."""
        return list(self._factors(expression, _ONE))

    def _factors(self, expression: CodeExpression, outer: CodeExpression) -> Iterator[Factor]:
        if not self.varies_with(expression):
            return
        match expression:
            case Operation(left, "+", right):
                yield from self._factors(left, outer)
                yield from self._factors(right, outer)
            case Operation(left, "-", right):
                yield from self._factors(left, outer)
                yield from self._factors(right, _product(_MINUS, outer))
            case Operation(left, "*", right):
                yield from self._factors(left, _product(outer, right))
                yield from self._factors(right, _product(outer, left))
            case Call(name, arguments):
                for k, argument in enumerate(arguments):
                    if self.varies_with(argument):
                        slope = Call(self._derivative(name, k), arguments)
                        yield from self._factors(argument, _product(outer, slope))
            case Local() | Number() | Element():
                yield Factor(expression, outer)
            case _:
                raise SpecError(f"{expression}: has no derivative")

    def _derivative(self, name: str, argument: int) -> str:
        found = derivative_name(name, argument)
        if found not in self.functions:
            known = self._program.functions
            for code in derivative(self.functions[name], argument, known, flat_jumps=self._flat_jumps):
                self.functions.setdefault(code.name, code)
        return found

    def _mark(self, target: Local | Index | Element) -> None:
        match target:
            case Local(name):
                self.locals.add(name)
            case Element(Array(name, "work"), _):
                self.work.add(name)


def explicit_only(statements: Sequence[Statement]) -> None:
    """Require that statements are loops and assignments."""
    for statement in statements:
        if isinstance(statement, Loop):
            explicit_only(statement.body)
        elif isinstance(statement, Call):
            raise SpecError(f"{statement.function}: is applied as a whole, so that it has no derivative here")


def assignments(statements: Sequence[Statement]) -> Iterator[Assign]:
    """Yield all assignments, those within loops as well."""
    for statement in statements:
        if isinstance(statement, Loop):
            yield from assignments(statement.body)
        elif isinstance(statement, Assign):
            yield statement


def single_names(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements with a new name for each number that is given a value outside of loops once more."""
    seen: set[str] = set()
    names: dict[str, str] = {}
    for statement in statements:
        if isinstance(statement, Assign) and type(statement.target) is Local and statement.symbol == "=":
            name, value = statement.target.name, _renamed(statement.value, names)
            if name in seen:
                names[name] = f"{name}_{len(seen)}"
            seen.add(names.get(name, name))
            yield Assign(Local(names.get(name, name)), value)
        else:
            yield _renamed_in(statement, names)


def _renamed_in(statement: Statement, names: dict[str, str]) -> Statement:
    if not names or isinstance(statement, Comment):
        return statement
    if isinstance(statement, Loop):
        own = {part.target for part in statement.body if isinstance(part, Assign) and part.symbol == "="}
        inner = {name: new for name, new in names.items() if Local(name) not in own}
        return replace(statement, body=tuple(_renamed_in(part, inner) for part in statement.body))
    assert isinstance(statement, Assign)
    target = _renamed(statement.target, names)
    assert isinstance(target, (Local, Index, Element))
    return Assign(target, _renamed(statement.value, names), statement.symbol)


def _renamed(expression: CodeExpression, names: dict[str, str]) -> CodeExpression:
    match expression:
        case Operation(left, symbol, right):
            return Operation(_renamed(left, names), symbol, _renamed(right, names))
        case Call(function, arguments):
            return Call(function, tuple(_renamed(argument, names) for argument in arguments))
        case Local(name) if type(expression) is Local and name in names:
            return Local(names[name])
    return expression


def _product(left: CodeExpression, right: CodeExpression) -> CodeExpression:
    if left == _ONE:
        return right
    return left if right == _ONE else left * right
