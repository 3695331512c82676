"""The right-hand side in functions of a block of cells, for networks whose cells meet in totals or convolutions alone.

In such a network a cell's du/dt needs its own numbers, a few sums over all cells, and what convolutions by FFT bring,
which are made in phases (`brnn.compiler.fourier_steps`). So a pass over blocks that stay in the cache can finish du/dt
of one stage, form the state of the next one, and begin its sums and transforms:

    totals(t, u, du, places, sums, room, block, blocks)    signals and gates of a block, and its part of each sum;
                                                           transforms of its rows
    across(t, u, du, places, sums, room, block, blocks)    products, for part of the columns of all convolutions
    slopes(t, u, du, places, sums, room, block, blocks)    du/dt of the block's cells, with the sums over all blocks

Block k of m has the cells from size k // m to size (k + 1) // m of every layer: whole rows if there are convolutions.
Which sums are added up, and in which order, does not depend on who computes which block.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from brnn.compiler.convolutions import ACROSS, BACK, FORTH
from brnn.compiler.module_text import ADDRESSES, HEADER, found_by_address, rates_behind
from brnn.compiler.program import CALLED, Program
from brnn.compiler.rates import with_rates
from brnn.compiler.statements import (
    Array,
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

__all__ = ["Halves", "InBlocks", "halves", "in_blocks", "is_of_one_cell", "rated_text", "sums_of"]

_IMPORTS = ADDRESSES.replace("import RHS_SIGNATURE, ", "import BLOCK_SIGNATURE, array_at, ")
_I = Index("i")


@dataclass(frozen=True)
class Halves:
    """The statements of the functions, and the names of the sums that go from one to the other.

    `across` is empty if there are no convolutions.
    """

    totals: tuple[Statement, ...]
    across: tuple[Statement, ...]
    slopes: tuple[Statement, ...]
    sums: tuple[str, ...]


@dataclass(frozen=True)
class InBlocks:
    """What integrators need to know of a right-hand side in blocks.

    Attributes
    ----------
    text : str
        That of the module.
    sums : int
        How many sums there are.
    unit : int
        Cells that stay together, those of a row where there are convolutions.
    room : int
        How many numbers of room each thread needs for work; 0 without convolutions.
    """

    text: str
    sums: int
    unit: int = 1
    room: int = 0


def in_blocks(program: Program, sizes: Sequence[int]) -> InBlocks | None:
    """Return the right-hand side in blocks; None if there is none. `sizes` are those of the blocks of the state."""
    found = halves(program, convolutions=True)
    if found is None:
        return None
    if not found.across:
        return InBlocks(text_in_blocks(program, found), len(found.sums))
    calls = [call for call in found.across if isinstance(call, Call)]
    widths = {int(value[1]) for call in calls if (value := _value(program, call, _SIZES)) is not None}
    room = max(value.size for call in calls if (value := _value(program, call, _ROOM)) is not None)
    (unit, *others) = widths
    if others or any(size % unit for size in sizes):
        return None
    return InBlocks(text_in_blocks(program, found), len(found.sums), unit, room)


_SIZES, _ROOM = 0, -3  # which arguments of a phase across columns they are


def _value(program: Program, call: Call, which: int) -> np.ndarray | None:
    return program.arrays[_name(call.arguments[which])]


def _name(argument: CodeExpression) -> str:
    assert isinstance(argument, Array)
    return argument.name


def halves(program: Program, *, convolutions: bool = False) -> Halves | None:
    """Return the parts of a right-hand side; None if its cells do not meet in totals alone, or in `convolutions`."""
    if program.lags or program.diffusion or program.given:
        return None
    numbers, parts = [], list[Loop | Call]()
    for statement in program.statements:
        match statement:
            case Comment():
                continue
            case Assign(Local(), value, "=") if not list(elements(value)):
                numbers.append(statement)
            case Loop(index, _, body, None) if index == _I and all(is_of_one_cell(inner) for inner in body):
                parts.append(statement)
            case Call(function) if convolutions and function in (FORTH, ACROSS, BACK):
                parts.append(statement)
            case _:
                return None
    begun = [k for k, part in enumerate(parts) if _calls(part, FORTH) or sums_of(part)]
    cut = begun[-1] + 1 if begun else 0
    sums = tuple(name for part in parts[:cut] for name in sums_of(part))
    # What convolutions bring comes after all that is sent.
    nets = {_name(part.arguments[0]) for part in parts if isinstance(part, Call) and part.function == BACK}
    if any(set(sums) & set(_read(part)) or nets & set(_arrays(part)) for part in parts[:cut]):
        return None
    totals = [Local(name) for name in sums]
    known = [number for number in numbers if number.target not in totals]
    zero = [number for number in numbers if number.target in totals]
    first = [part for part in parts[:cut] if isinstance(part, Loop) or _calls(part, FORTH)]
    across = [part for part in parts if _calls(part, ACROSS)]
    back = [part for part in parts[:cut] if _calls(part, BACK)]
    last = [part for part in parts[cut:] if not _calls(part, ACROSS)]
    return Halves((*known, *zero, *first), tuple(across), (*known, *back, *last), sums)


def rated_text(program: Program) -> str:
    """Return the module of ``totals`` and ``slopes`` that write rates behind du/dt, of a program that has blocks.

    The slopes of gates may stand among the totals; if none do, there is no ``totals``: that of `in_blocks` serves.
    """
    found = halves(program, convolutions=True)
    assert found is not None
    totals, slopes = with_rates(found.totals), with_rates(found.slopes)
    return text_in_blocks(program, replace(found, totals=totals, slopes=slopes), rates=totals != found.totals)


def text_in_blocks(program: Program, halves: Halves, rates: bool | None = None) -> str:
    """Return the module of the functions, or of those that write rates; `rates` says whether ``totals`` does."""
    printer, arguments = Printer(), "t, u, du, places, sums_at, room, block, blocks"
    first = [*found_by_address(program), f"    sums = array_at(sums_at, {len(halves.sums)})"]
    # Each thread works in a room of its own.
    rooms = dict.fromkeys(_name(call.arguments[_ROOM]) for call in halves.across if isinstance(call, Call))
    first += [f"    {name} = array_at(room, {name}.size)" for name in rooms]
    ended = [f"    sums[{k}] = {name}" for k, name in enumerate(halves.sums)]
    begun = [f"    {name} = sums[{k}]" for k, name in enumerate(halves.sums)]
    unit = ""
    if halves.across and isinstance(halves.across[0], Call):
        unit = f"{_name(halves.across[0].arguments[_SIZES])}[1]"
    totals, across, slopes = (
        list(printer.lines(list(_within_block(part, unit)))) for part in (halves.totals, halves.across, halves.slopes)
    )
    bodies = {"totals": [*totals, *ended], "slopes": [*begun, *slopes]} | ({"across": across} if across else {})
    if rates is not None:
        first += rates_behind(program)
        bodies = {name: body for name, body in bodies.items() if name == "slopes" or (rates and name == "totals")}
    parts = [HEADER.format(numba=_IMPORTS, imports="".join(f"{line}\n" for line in program.imports))]
    parts += [f"\n@{CALLED}\n{code.source}\n" for code in program.functions.values()]
    for name, body in bodies.items():
        parts.append(f"\n@cfunc(BLOCK_SIGNATURE, cache=True, **options)\ndef {name}({arguments}):\n")
        parts.append("\n".join([*first, *body]) + "\n")
    return "".join(parts)


def _within_block(statements: Sequence[Statement], unit: str) -> Iterator[Statement]:
    """Yield the statements, loops over all cells as loops over those of one block, phases as its part of them."""
    block, blocks = Index("block"), Index("blocks")
    for statement in statements:
        if isinstance(statement, Call):
            yield Call(statement.function, (*statement.arguments[:-2], block, blocks))
        elif isinstance(statement, Loop):
            size = statement.stop // Index(unit) if unit else statement.stop
            # Unsigned: an index that might be negative would have to be looked at.
            first, last = size * block // blocks, size * Index("(block + 1)") // blocks
            if unit:
                first, last = first * Index(unit), last * Index(unit)
            yield Loop(_I, Call("np.uint64", (last,)), statement.body, Call("np.uint64", (first,)))
        else:
            yield statement


def _calls(part: Loop | Call, function: str) -> bool:
    return isinstance(part, Call) and part.function == function


def _arrays(part: Loop | Call) -> Iterator[str]:
    """Yield the names of the arrays that a loop reads or writes."""
    for inner in part.body if isinstance(part, Loop) else ():
        if isinstance(inner, Assign):
            target = [inner.target] if isinstance(inner.target, Element) else []
            yield from (element.array.name for element in (*target, *elements(inner.value)))


def is_of_one_cell(statement: Statement) -> bool:
    """Tell whether a statement of a loop reads and writes elements of the cell of the loop alone."""
    if not isinstance(statement, Assign):
        return False
    target = [statement.target] if isinstance(statement.target, Element) else []
    return all(element.index == _I for element in (*target, *elements(statement.value)))


def sums_of(part: Loop | Call) -> tuple[str, ...]:
    """Return the names of the numbers that a loop adds up."""
    added = [
        inner
        for inner in (part.body if isinstance(part, Loop) else ())
        if isinstance(inner, Assign) and inner.symbol == "+="
    ]
    return tuple(inner.target.name for inner in added if isinstance(inner.target, Local))


def _read(part: Loop | Call) -> Iterator[str]:
    for inner in part.body if isinstance(part, Loop) else ():
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
