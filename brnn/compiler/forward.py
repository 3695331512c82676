"""The right-hand side of a network together with its tangents: how du/dt changes with state and arguments.

With du/dt = f(u, a), a tangent (v, b) gives J v + (df/da) b. Any number of tangents stand side by side: the tangents of
number k of an array are the numbers from ``k * directions`` on. The generated function is one as all others
(`brnn.compiler.module_text`), whose state is u and then the tangents of each block; so every method that integrates a
network integrates it with its sensitivities, and the tangents of the unit vectors at one state are the exact Jacobian.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from brnn.compiler.linearized import Factor, Linearized
from brnn.compiler.module_text import text_of
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    Array,
    Assign,
    CodeExpression,
    Comment,
    ConstantNumber,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Size,
    Statement,
    leaves,
)  # fmt: skip

__all__ = ["TangentText", "tangent_name", "tangent_text"]

_M, _DIRECTIONS = Index("m"), Index("directions")
_ZERO = ConstantNumber("0.0")


@dataclass(frozen=True)
class TangentText:
    """A right-hand side with tangents.

    Attributes
    ----------
    source : str
        Text of the module.
    numbers : tuple of int
        Places in `p` of the numbers that have tangents: rows of the array `tangent_name("p")`.
    work : dict
        For each array of tangents for work, how many numbers have them: a name of an array of the program, or 1.
    arrays : tuple of str
        The array arguments that have tangents.
    """

    source: str
    numbers: tuple[int, ...]
    arrays: tuple[str, ...]
    work: dict[str, str | None]


def tangent_name(name: str) -> str:
    """Return the name of the tangents of something."""
    return f"t_{name}"


def tangent_text(
    program: Program, numbers: Collection[int] = (), arrays: Collection[str] = (), *, flat_jumps: bool = False
) -> TangentText:
    """Return the right-hand side of a program in explicit form, with tangents.

    Parameters
    ----------
    program : Program
        In explicit form.
    numbers : collection of int
        Places in `p` of numbers that have tangents.
    arrays : collection of str
        Array arguments that have tangents.
    flat_jumps : bool
        Whether a jump counts as flat (`brnn.compiler.partials.derivative`).

    Raises
    ------
    SpecError
        If the right-hand side has no derivative.
    """
    places, names = tuple(sorted(numbers)), tuple(name for name in program.arrays if name in set(arrays))
    linear = Linearized(program, places, names, flat_jumps=flat_jumps)
    writer = _ForwardWriter(linear, {place: row for row, place in enumerate(places)})
    block = program.blocks[0]
    first = Assign(_DIRECTIONS, Size(_state(tangent_name(block))) // Size(_state(block)))
    statements = [first, *writer.statements(linear.statements)]
    work: dict[str, str | None] = {tangent_name(name): name for name in program.arrays if name in linear.work}
    work |= {tangent_name(name): None for name in writer.shared}
    extra = ["p", *names]
    changed = replace(
        program,
        blocks=(*program.blocks, *(tangent_name(name) for name in program.blocks)),
        arrays={**program.arrays, **{tangent_name(name): None for name in extra}, **dict.fromkeys(work)},
        statements=statements,
        diffusion=[],
        functions=linear.functions,
    )
    return TangentText(text_of(changed), places, names, work)


def _state(name: str) -> Array:
    return Array(name, "state")


class _ForwardWriter:
    """Writes statements with their tangents."""

    def __init__(self, linear: Linearized, rows: dict[int, int]) -> None:
        self.linear, self.rows = linear, rows
        self.shared = dict.fromkeys(_shared(linear.statements, linear.locals))
        self.count = 0

    def statements(self, statements: Sequence[Statement]) -> Iterator[Statement]:
        """Yield statements, after each group of them a loop over the directions of their tangents."""
        group: list[Assign] = []
        for statement in statements:
            if isinstance(statement, Assign):
                group.append(statement)
                continue
            yield from self._group(group)
            group = []
            if isinstance(statement, Loop):
                yield replace(statement, body=tuple(self.statements(statement.body)))
            elif isinstance(statement, Comment):
                yield statement
        yield from self._group(group)

    def _group(self, group: Sequence[Assign]) -> Iterator[Statement]:
        inside: list[Statement] = []
        for statement in group:
            if isinstance(statement.target, Index) or not self._has_tangent(statement.target):
                yield statement
                continue
            factors = []
            for factor in self.linear.factors(statement.value):
                if factor.plain:
                    factors.append(factor)
                    continue
                kept = Local(f"c{self.count}")
                self.count += 1
                yield Assign(kept, factor.value)
                factors.append(Factor(factor.leaf, kept))
            yield statement
            value: CodeExpression = _ZERO
            for k, factor in enumerate(factors):
                tangent = self._tangent(factor.leaf)
                term = tangent if factor.value == ConstantNumber("1.0") else factor.value * tangent
                value = value + term if k else term
            if statement.symbol == "=" or factors:
                inside.append(Assign(self._tangent(statement.target), value, statement.symbol))
        if inside:
            yield Loop(_M, _DIRECTIONS, tuple(inside))

    def _has_tangent(self, target: Local | Element) -> bool:
        return self.linear.varies(target)

    def _tangent(self, leaf: CodeExpression) -> Local | Element:
        """Return the tangent of something in direction m."""
        match leaf:
            case Number(_, place):
                return Element(
                    Array(tangent_name("p"), "values"), ConstantNumber(str(self.rows[place])) * _DIRECTIONS + _M
                )
            case Element(Array(name, kind), index):
                slope = kind == "state" and name.startswith("d")  # blocks begin with x, y or z
                own = f"d{tangent_name(name[1:])}" if slope else tangent_name(name)
                return Element(Array(own, kind), index * _DIRECTIONS + _M)
            case Local(name) if name in self.shared:
                return Element(Array(tangent_name(name), "work"), _M)
        assert isinstance(leaf, Local)
        return Local(tangent_name(leaf.name))


def _shared(statements: Sequence[Statement], varying: Collection[str]) -> Iterator[str]:
    """Yield the names of varying numbers that one group of assignments reads and another has computed."""
    written: set[str] = set()
    for statement in statements:
        if isinstance(statement, Loop):
            yield from _shared(statement.body, varying)
        if not isinstance(statement, Assign):
            written = set()
            continue
        read = _locals(statement.value)
        if statement.symbol == "+=":
            read |= _locals(statement.target)
        yield from sorted((read - written) & set(varying))
        if type(statement.target) is Local:
            written.add(statement.target.name)


def _locals(expression: CodeExpression) -> set[str]:
    return {leaf.name for leaf in leaves(expression) if type(leaf) is Local}
