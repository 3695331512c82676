"""The right-hand side in two functions of a block of cells, for networks whose cells meet in totals alone.

In such a network a cell's du/dt needs its own numbers and a few sums over all cells. So a pass over blocks that stay in
the cache can finish du/dt of one stage, form the state of the next one, and begin its sums:

    totals(t, u, du, places, sums, block, blocks)    signals and gates of a block, and its part of each sum
    slopes(t, u, du, places, sums, block, blocks)    du/dt of the block's cells, with the sums over all blocks

Block k of m has the cells from size k // m to size (k + 1) // m of every layer. Which sums are added up, and in which
order, does not depend on who computes which block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brnn.compiler.module_text import ADDRESSES, HEADER, found_by_address
from brnn.compiler.program import CALLED, Program
from brnn.compiler.statements import (
    Assign,
    Call,
    CodeExpression,
    Comment,
    Element,
    Index,
    Local,
    Loop,
    Operation,
    Printer,
    Statement,
    elements,
)  # fmt: skip

__all__ = ["Halves", "halves", "is_of_one_cell", "sums_of", "text_in_blocks"]

_IMPORTS = ADDRESSES.replace("import RHS_SIGNATURE, ", "import BLOCK_SIGNATURE, array_at, ")
_I = Index("i")


@dataclass(frozen=True)
class Halves:
    """The statements of the two functions, and the names of the sums that go from one to the other."""

    totals: tuple[Statement, ...]
    slopes: tuple[Statement, ...]
    sums: tuple[str, ...]


def halves(program: Program) -> Halves | None:
    """Return the two halves of a right-hand side; None if its cells do not meet in totals alone."""
    if program.lags or program.diffusion or program.given:
        return None
    numbers, loops = [], []
    for statement in program.statements:
        match statement:
            case Comment():
                continue
            case Assign(Local(), value, "=") if not list(elements(value)):
                numbers.append(statement)
            case Loop(index, _, body, None) if index == _I and all(is_of_one_cell(inner) for inner in body):
                loops.append(statement)
            case _:
                return None
    summed = [k for k, loop in enumerate(loops) if sums_of(loop)]
    cut = summed[-1] + 1 if summed else 0
    sums = tuple(name for loop in loops[:cut] for name in sums_of(loop))
    if any(set(sums) & set(_read(loop)) for loop in loops[:cut]):
        return None
    totals = [Local(name) for name in sums]
    known = [number for number in numbers if number.target not in totals]
    zero = [number for number in numbers if number.target in totals]
    return Halves((*known, *zero, *loops[:cut]), (*known, *loops[cut:]), sums)


def text_in_blocks(program: Program, halves: Halves) -> str:
    """Return the module of the two functions."""
    printer, arguments = Printer(), "t, u, du, places, sums_at, block, blocks"
    first = [*found_by_address(program), f"    sums = array_at(sums_at, {len(halves.sums)})"]
    ended = [f"    sums[{k}] = {name}" for k, name in enumerate(halves.sums)]
    begun = [f"    {name} = sums[{k}]" for k, name in enumerate(halves.sums)]
    bodies = {
        "totals": [*printer.lines(list(_within_block(halves.totals))), *ended],
        "slopes": [*begun, *printer.lines(list(_within_block(halves.slopes)))],
    }
    parts = [HEADER.format(numba=_IMPORTS, imports="".join(f"{line}\n" for line in program.imports))]
    parts += [f"\n@{CALLED}\n{code.source}\n" for code in program.functions.values()]
    for name, body in bodies.items():
        parts.append(f"\n@cfunc(BLOCK_SIGNATURE, cache=True, **options)\ndef {name}({arguments}):\n")
        parts.append("\n".join([*first, *body]) + "\n")
    return "".join(parts)


def _within_block(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements, loops over all cells as loops over the cells of one block."""
    block, blocks = Index("block"), Index("blocks")
    for statement in statements:
        if isinstance(statement, Loop):
            # Unsigned: an index that might be negative would have to be looked at.
            first, last = statement.stop * block // blocks, statement.stop * Index("(block + 1)") // blocks
            yield Loop(_I, Call("np.uint64", (last,)), statement.body, Call("np.uint64", (first,)))
        else:
            yield statement


def is_of_one_cell(statement: Statement) -> bool:
    """Tell whether a statement of a loop reads and writes elements of the cell of the loop alone."""
    if not isinstance(statement, Assign):
        return False
    target = [statement.target] if isinstance(statement.target, Element) else []
    return all(element.index == _I for element in (*target, *elements(statement.value)))


def sums_of(loop: Loop) -> tuple[str, ...]:
    """Return the names of the numbers that a loop adds up."""
    added = [inner for inner in loop.body if isinstance(inner, Assign) and inner.symbol == "+="]
    return tuple(inner.target.name for inner in added if isinstance(inner.target, Local))


def _read(loop: Loop) -> Iterator[str]:
    for inner in loop.body:
        if isinstance(inner, Assign):
            yield from (part.name for part in _parts(inner.value) if isinstance(part, Local))


def _parts(expression: CodeExpression) -> Iterator[CodeExpression]:
    """Yield an expression and all that it consists of."""
    yield expression
    match expression:
        case Operation(left, _, right):
            yield from _parts(left)
            yield from _parts(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from _parts(argument)
