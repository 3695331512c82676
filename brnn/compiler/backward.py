"""The right-hand side of a network backward: what a weighting of du/dt says of state and arguments.

With du/dt = f(u, a) and weights q of the slopes, the generated function returns q f_u and q f_a: a product of a vector
with the Jacobian at about the cost of f, however many arguments there are. It has the form of all generated functions
(`brnn.compiler.module_text`): its state is u and then q, and it writes f, q f_u, and the derivatives by numbers and
arrays one after the other.

The statements are run forward, which leaves all signals; then backward, each with what it hands on to the things it
reads. Within loops numbers are computed again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from brnn.compiler.linearized import Factor, Linearized
from brnn.compiler.module_text import text_of
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    CodeExpression,
    ConstantNumber,
    Element,
    Index,
    Local,
    Loop,
    Number,
    Statement,
    leaves,
)  # fmt: skip

__all__ = ["BackwardText", "backward_text"]

_I = Index("i")
_ONE = ConstantNumber("1.0")


@dataclass(frozen=True)
class BackwardText:
    """A right-hand side that is read backward.

    Attributes
    ----------
    source : str
        Text of the module.
    numbers : tuple of int
        Places in `p` of the numbers by which it is differentiated.
    arrays : tuple of str
        The array arguments by which it is differentiated.
    work : dict
        For each array for work the array of the program, or the block of its state, that has as many numbers.
    """

    source: str
    numbers: tuple[int, ...]
    arrays: tuple[str, ...]
    work: dict[str, str]


def backward_text(program: Program, numbers: Collection[int] = (), arrays: Collection[str] = ()) -> BackwardText:
    """Return the right-hand side of a program in explicit form, backward.

    Parameters
    ----------
    program : Program
        In explicit form.
    numbers : collection of int
        Places in `p` of numbers by which it is differentiated.
    arrays : collection of str
        Array arguments by which it is differentiated.

    Raises
    ------
    SpecError
        If the right-hand side has no derivative.
    """
    places, names = tuple(sorted(numbers)), tuple(name for name in program.arrays if name in set(arrays))
    linear = Linearized(program, places, names)
    writer = _BackwardWriter(linear, {place: row for row, place in enumerate(places)})
    outputs = ("p", *names)
    cleared = [
        *(Array(_adjoint(name), "work") for name in program.arrays if name in linear.work),
        *(Array(f"d{_adjoint(name)}", "state") for name in (*program.blocks, *outputs)),
    ]
    seeds = [(Array(_seed(name), "work"), Array(_adjoint(name), "state")) for name in program.blocks]
    backward = list(writer.whole(linear.statements))
    statements = [
        *linear.statements,
        *(Loop(_I, array.size, (Assign(array[_I], ZERO),)) for array in cleared),
        *(Loop(_I, own.size, (Assign(own[_I], given[_I]),)) for own, given in seeds),
        *backward,
    ]
    work = {_adjoint(name): name for name in program.arrays if name in linear.work}
    work |= {_seed(name): name for name in program.blocks}
    changed = replace(
        program,
        blocks=(*program.blocks, *(_adjoint(name) for name in (*program.blocks, *outputs))),
        arrays={**program.arrays, **dict.fromkeys(work)},
        statements=statements,
        diffusion=[],
        functions=linear.functions,
    )
    return BackwardText(text_of(changed), places, names, work)


def _adjoint(name: str) -> str:
    return f"a_{name}"


def _seed(name: str) -> str:
    return f"seed_{name}"


class _BackwardWriter:
    """Writes what statements hand on, backward."""

    def __init__(self, linear: Linearized, rows: dict[int, int]) -> None:
        self.linear, self.rows = linear, rows
        self.count = 0

    def whole(self, statements: Sequence[Statement]) -> Iterator[Statement]:
        """Yield what the statements outside of loops hand on."""
        for name in sorted(_given(statements) & self.linear.locals):
            yield Assign(Local(_adjoint(name)), ZERO)
        for statement in reversed(statements):
            if isinstance(statement, Loop):
                yield from self._loop(statement)
            elif isinstance(statement, Assign):
                first, factors = self._factors(statement)
                yield from first
                yield from self._handed_on(statement, factors)

    def _loop(self, loop: Loop) -> list[Statement]:
        """Return the loop backward; nothing if nothing in it varies."""
        own = _given(loop.body)
        once: list[Statement] = [Assign(Local(_adjoint(name)), ZERO) for name in sorted(own & self.linear.locals)]
        back: list[list[Statement]] = []
        summed: list[Loop] = []
        for statement in loop.body:
            if isinstance(statement, Loop):
                back.append(self._loop(statement))
                once.append(statement)
                summed.append(statement)
            elif isinstance(statement, Assign):
                first, factors = self._factors(statement)
                once += first
                if isinstance(statement.target, Index) or (
                    isinstance(statement.target, Local) and statement.target.name in own
                ):
                    once.append(statement)
                back.append(list(self._handed_on(statement, factors)))
        backward = [part for group in reversed(back) for part in group]
        if not backward:
            return []
        # Sums that inner loops make are made again if something backward reads them.
        read = _read([*(part for part in once if part not in summed), *backward])
        again = [_summing(part, own & read) if part in summed else part for part in once]
        return [replace(loop, body=(*(part for part in again if part is not None), *backward))]

    def _factors(self, statement: Assign) -> tuple[list[Assign], list[Factor]]:
        """Return the statements that compute the factors, before the statement itself changes anything."""
        first: list[Assign] = []
        factors: list[Factor] = []
        if isinstance(statement.target, Index) or not self.linear.varies(statement.target):
            return first, factors
        for factor in self.linear.factors(statement.value):
            if factor.plain:
                factors.append(factor)
                continue
            kept = Local(f"c{self.count}")
            self.count += 1
            first.append(Assign(kept, factor.value))
            factors.append(Factor(factor.leaf, kept))
        return first, factors

    def _handed_on(self, statement: Assign, factors: Sequence[Factor]) -> Iterator[Statement]:
        target = statement.target
        if isinstance(target, Index) or not self.linear.varies(target):
            return
        weight: CodeExpression = self._adjoint_of(target, written=True)
        if isinstance(target, Local) and statement.symbol == "=":
            kept = Local(f"b{self.count}")
            self.count += 1
            yield Assign(kept, weight)
            yield Assign(Local(_adjoint(target.name)), ZERO)
            weight = kept
        for factor in factors:
            value = weight if factor.value == _ONE else factor.value * weight
            yield Assign(self._adjoint_of(factor.leaf), value, "+=")

    def _adjoint_of(self, leaf: CodeExpression, *, written: bool = False) -> Local | Element:
        match leaf:
            case Number(_, place):
                return Array(f"d{_adjoint('p')}", "state")[ConstantNumber(str(self.rows[place]))]
            case Element(Array(name, "state"), index) if name.startswith("d"):  # blocks begin with x, y or z
                return Array(_seed(name[1:]), "work")[index]
            case Element(Array(name, "state" | "values"), index):
                assert not written
                return Array(f"d{_adjoint(name)}", "state")[index]
            case Element(Array(name, _), index):
                return Array(_adjoint(name), "work")[index]
        assert isinstance(leaf, Local)
        return Local(_adjoint(leaf.name))


def _given(statements: Sequence[Statement]) -> set[str]:
    """Return the names of the numbers that statements give a value, outside of inner loops."""
    return {
        part.target.name
        for part in statements
        if isinstance(part, Assign) and type(part.target) is Local and part.symbol == "="
    }


def _read(statements: Sequence[Statement]) -> set[str]:
    """Return the names of the numbers that statements read, within inner loops as well."""
    names: set[str] = set()
    for part in statements:
        if isinstance(part, Loop):
            names |= _read(part.body)
        elif isinstance(part, Assign):
            names |= {leaf.name for leaf in leaves(part.value) if type(leaf) is Local}
    return names


def _summing(loop: Loop, names: Collection[str]) -> Loop | None:
    """Return what of a loop these numbers need; None if it changes none of them."""
    if not _changed(loop.body) & set(names):
        return None
    body = [
        part
        for part in loop.body
        if isinstance(part, Assign)
        and isinstance(part.target, (Index, Local))
        and (part.symbol == "=" or part.target.name in names)
    ]
    return replace(loop, body=tuple(body))


def _changed(statements: Sequence[Statement]) -> set[str]:
    """Return the names of the numbers that statements change, within inner loops as well."""
    names = {part.target.name for part in statements if isinstance(part, Assign) and type(part.target) is Local}
    return names.union(*(_changed(part.body) for part in statements if isinstance(part, Loop)))
