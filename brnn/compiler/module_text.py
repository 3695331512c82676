"""The text of a generated module: the program of a network as functions that Numba compiles.

The functions are ``rhs(t, u, du, places)`` and, of a network with white noise, ``diffusion`` with the same arguments.
Where weights are kept elsewhere (`Program.given`), ``signals`` and ``parts`` are called before.
The arguments after the time are addresses: those of the state, of du/dt, which `rhs` writes, and of a table that says
where everything else lies (`argument_table`): n, where the blocks of u begin and end, p, the numbers, then the arrays.
They allocate nothing. Addresses, because then every network's function has one signature, so that integrators are
compiled once for all networks, and a call costs the same however many arrays there are.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from brnn.compiler.program import CALLED, Program
from brnn.compiler.rates import with_rates
from brnn.compiler.statements import Array, Assign, Call, Element, Index, Local, Loop, Printer, Statement

__all__ = [
    "ADDRESSES",
    "HEADER",
    "argument_table",
    "changed_table",
    "found_by_address",
    "rates_behind",
    "text_in_bands",
    "text_in_sequence",
    "text_of",
    "text_of_arrays",
    "text_with_rates",
    "text_with_steps",
]

HEADER = '''"""Right-hand side of a network, generated from its structure; every number is an argument."""

import numpy as np
{numba}
{imports}
options = {{"error_model": "numpy", "fastmath": {{"contract", "reassoc", "nsz"}}, "nogil": True}}

'''
ADDRESSES = """from numba import cfunc

from brnn.compiler.numba_internals import RHS_SIGNATURE, array_in, block_in, compiled_once, numbers_in"""
_ARRAYS = "from numba import njit"
_CONNECTION = Index("k")
_WHOLE = np.zeros(1, dtype=np.int64)


def text_with_rates(program: Program) -> str:
    """Return the module whose ``rhs`` writes behind du/dt, in an array of twice its length, the rates of the unknowns.

    Only exponential methods need it, which compile it when they are chosen.
    """
    changed = replace(program, statements=list(with_rates(program.statements)), diffusion=[])
    return text_of(changed, rates=True)


def text_with_steps(program: Program) -> str:
    """Return the module whose ``rhs`` lets the weights make a step of Euler's method and writes du/dt of all others.

    Weights are read by the loop of their own connection alone, so that they can change where they are read: one pass
    over them instead of three. The length of the step stands behind du/dt.
    """
    changed = replace(program, statements=list(_stepped(program.statements)), diffusion=[])
    return text_of(changed, steps=True)


def _stepped(statements: Sequence[Statement]) -> Iterator[Statement]:
    """Yield the statements, those that assign slopes of weights at the end of their loops and as steps."""
    later = []
    for statement in statements:
        match statement:
            case Assign(Element(Array(name, "state"), index), value) if name.startswith("dz_"):
                z = Array(name[1:], "state")[index]
                later.append(Assign(z, z + Local("step") * value))
            case Assign(Index() as index, value) if index == _CONNECTION:
                # Whole numbers without a sign: nothing asks at each weight whether it is counted from the end.
                yield Assign(index, Call("np.uint64", (value,)))
            case Loop():
                yield replace(statement, body=tuple(_stepped(statement.body)))
            case _:
                yield statement
    yield from later


def text_in_sequence(program: Program) -> str:
    """Return the module of a program in sequence (`brnn.compiler.sequence`): ``rhs`` makes a step, ``renew`` slopes.

    ``rhs`` moves the state at `u`; at `du` it finds the slopes where the step begins, which it replaces by those at the
    end, then rates, and the length of the step. ``renew`` writes the slopes that jump where inputs do.
    """
    return text_of(program, rates=True, steps=True)


def text_of(
    program: Program, *, rates: bool = False, steps: bool = False, behind: Sequence[tuple[str, str]] = ()
) -> str:
    """Return the text of the module, whose functions find everything by its address.

    `behind` are names of arrays that lie behind du/dt, each with the name of one that is as long.

    They do so in calls of three functions, as indices and slices of arrays, which may be negative or too large, and
    wrappers of functions that Python never calls, were four tenths of the time that a network took to compile.
    """
    imports, lines = _found(program, rates, steps, behind)
    clear = [f"    d{name}[:] = 0.0" for name in program.blocks]
    return _module(program, imports, CALLED, "cfunc(RHS_SIGNATURE, ", "t, u, du, places", lines, clear)


def text_in_bands(program: Program, lines: Sequence[str], called: Sequence[str]) -> str:
    """Return the module of a step in bands (`brnn.compiler.bands`): ``bands`` and ``renew``.

    The lines of ``bands`` are given, and the functions that only it calls.
    """
    imports, first = _found(program, True, True, ())
    imports = imports.replace("import RHS", "import BAND_SIGNATURE, NoAlias, RHS")
    parts = [_head(program, imports.replace("numbers_in", "numbers_in, place_of"), CALLED), *called]
    for name, kind, more, body in (
        ("bands", "BAND_SIGNATURE", ", phase, band, room", lines),
        ("renew", "RHS_SIGNATURE", "", Printer().lines(program.renewed)),
    ):
        parts.append(f"\n@cfunc({kind}, cache=True, **options)\ndef {name}(t, u, du, places{more}):\n")
        parts.append("\n".join([*first, *body]) + "\n")
    return "".join(parts)


def _head(program: Program, imports: str, called: str) -> str:
    """Return what stands before the functions of a module, and the functions that they call."""
    head = HEADER.format(numba=imports, imports="".join(f"{line}\n" for line in program.imports))
    return head + "".join(f"\n@{called}\n{code.source}\n" for code in program.functions.values())


def _found(program: Program, rates: bool, steps: bool, behind: Sequence[tuple[str, str]]) -> tuple[str, list[str]]:
    """Return what a module imports, and the lines that find everything by its address."""
    lines = found_by_address(program)
    if rates:
        lines += rates_behind(program)
    imports = ADDRESSES
    if steps:
        size = " + ".join(f"d{name}.size" for name in program.blocks)
        lines.append(f"    step = array_at(du + {16 if rates else 8} * ({size}), 1)[0]")
        imports = ADDRESSES.replace("array_in", "array_at, array_in")
    if behind:
        lines.append(f"    behind = du + 8 * ({' + '.join(f'd{name}.size' for name in program.blocks)})")
        for name, other in behind:
            lines += [f"    {name} = array_at(behind, {other}.size)", f"    behind += 8 * {other}.size"]
        imports = ADDRESSES.replace("array_in", "array_at, array_in")
    return imports, lines


def rates_behind(program: Program) -> list[str]:
    """Return the lines that find the rates of the unknowns behind du/dt."""
    size = " + ".join(f"d{name}.size" for name in program.blocks)
    found = [f"    rate_{name} = block_in(rates, places, 1, {k})" for k, name in enumerate(program.blocks)]
    return [f"    rates = du + 8 * ({size})", *found]


def found_by_address(program: Program) -> list[str]:
    """Return the lines that find numbers, arrays, state and slopes by the addresses of a table."""
    arrays: dict[str, np.ndarray | None] = {"n": _WHOLE, "p": None, **program.arrays}
    places: dict[str, int] = {}
    lines, place = [], 1
    for name, value in arrays.items():
        kind, dimensions = ("float64", 1) if value is None else (value.dtype.name, value.ndim)
        places[name] = place
        sizes = "".join(f"{place + 1 + k}, " for k in range(dimensions)).strip()
        if name in program.arrays:
            lines.append(f"    {name} = array_in(places, {place}, ({sizes}), np.{kind})")
        place += 1 + dimensions
    if program.places:
        names = ", ".join(number.name for number in program.places)
        lines.append(f"    ({names},) = numbers_in(places, {places['p']}, {len(program.places)})")
    for k, name in enumerate(program.blocks):
        lines.append(f"    {name} = block_in(u, places, {places['n']}, {k})")
        lines.append(f"    d{name} = block_in(du, places, {places['n']}, {k})")
    return lines


def text_of_arrays(program: Program) -> str:
    """Return the module as functions of arrays: ``rhs(t, u, du, n, p, ...)``, which nothing has to be known about.

    It is not compiled. Sweep files hold its hash, so that it stays as it is.
    """
    lines = [f"    {number.name} = p[{number.place}]" for number in program.places]
    for k, name in enumerate(program.blocks):
        lines += [f"    {name} = u[n[{k}] : n[{k + 1}]]", f"    d{name} = du[n[{k}] : n[{k + 1}]]"]
    arguments = ", ".join(["t", "u", "du", "n", "p", *program.arrays])
    return _module(program, _ARRAYS, "njit(**options)", "njit(", arguments, lines, ["    du[:] = 0.0"])


def _module(
    program: Program, imports: str, called: str, decorator: str, arguments: str, first: list[str], clear: list[str]
) -> str:
    """Return the text of a module.

    Parameters
    ----------
    program : Program
        What it computes.
    imports : str
        What it imports of Numba, and of what belongs to it.
    called : str
        Decorator of the functions that are called by others.
    decorator : str
        That of the others, and its first arguments.
    arguments : str
        Their arguments.
    first : list of str
        Their first lines.
    clear : list of str
        The lines that set du/dt to 0.
    """
    printer = Printer()
    bodies = {"rhs": printer.lines(program.statements)}
    if program.given:
        keep = (f"    kept[{k}] = {name}" for k, name in enumerate(program.kept))
        begun = [f"    {name} = kept[{k}]" for k, name in enumerate(program.kept)]
        bodies = {
            "signals": itertools.chain(printer.lines(program.signals), keep),
            "parts": itertools.chain(begun, printer.lines(program.parts)),
            "rhs": itertools.chain(begun, printer.lines(program.statements)),
        }
    if program.diffusion:
        bodies["diffusion"] = itertools.chain(clear, printer.lines(program.diffusion))
    if program.renewed:
        bodies["renew"] = printer.lines(program.renewed)
    texts = [
        "\n".join([f"\n@{decorator}cache=True, **options)\ndef {name}({arguments}):", *first, *body]) + "\n"
        for name, body in bodies.items()
    ]
    return _head(program, imports, called) + "\n".join(texts)


def argument_table(size: int, arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the table that a generated function takes: the length of the state, and address and shape of each array.

    Parameters
    ----------
    size : int
        Length of the state.
    arrays : sequence of ndarray
        n, p, and the arrays of the program in their order, each in C order. They must live as long as the table is
        used.
    """
    table = [size]
    for array in arrays:
        table += [array.__array_interface__["data"][0], *array.shape]
    return np.array(table, dtype=np.int64)


def changed_table(table: np.ndarray, before: Sequence[np.ndarray], arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Return the table of other arrays of the same shapes, from that of those `before`, most of which are the same."""
    changed, place = table.copy(), 1
    for old, new in zip(before, arrays, strict=True):
        if new is not old:
            changed[place] = new.__array_interface__["data"][0]
        place += 1 + new.ndim
    return changed
