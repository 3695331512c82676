"""A whole pass of an explicit method over a block of cells, for networks whose cells meet in totals alone.

`brnn.compiler.blocks` cuts du/dt into slopes and totals. A pass finishes the slopes of one stage, forms the state of
the next one, and begins its totals:

    fused(kind, t_slopes, t_totals, now, then, u, ks, weights, places, totals, share, out, block, blocks)

Where a cell reads no state but its own, `then` is `now`: memory that is read before it is written takes less time.

All of it is one loop over the cells. A division, of which most signals have one, takes as long as the slopes of the
stages before need from the second-level cache, and the processor does both at once. Pass `kind` reads the stage `now`,
or nothing if `kind` is 1, and writes the next one, `then`; pass 6 makes the new state, and pass 7 finds its last slope
and the error of the step.

Pass 5 also adds up what the slopes up to its own one count in the new state and in the error. These sums stand where
the slopes that passes 6 and 7 find will stand: each of the two reads one array for five. The last slope, and so the
second sum, stands in the place of the second one.

`ks` is where the addresses of the seven slopes stand, `weights` what each counts, the step included: in the stage, and
in pass 7 in the error; behind them what the change from the state to `now` counts (6 and 7), rtol and atol; for pass 5
then the same numbers of the new state, with what the change to `then` counts, and of the error. `totals`
are the sums over all blocks, `share` receives those of the block. `out` receives how far the new state is from the
stage before it (6), or the largest error in units of its tolerance, the sum of their squares, and how far the last two
slopes differ at most (7).

Whole exponents up to 4 are written into the text: a loop that asks for them calls `pow`, or is two loops.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from brnn.compiler.blocks import Halves
from brnn.compiler.module_text import HEADER, found_by_address
from brnn.compiler.program import CALLED, Program
from brnn.compiler.statements import Array, Assign, Element, Local, Loop, Printer, Size, Statement

__all__ = [
    "LOOP", "WEIGHTS", "WRITTEN", "Passes", "known_of", "parameters_of", "slopes_of", "text_of_passes", "totals_of",
]  # fmt: skip

WRITTEN = 1.0, 2.0, 3.0, 4.0  # exponents that stand in the text
WEIGHTS, _BEFORE, _NEW, _LAST = 7, 5, 6, 7
_FURTHER = WEIGHTS + 3  # where the numbers of the two sums of pass 5 begin
_HUGE = 300_000  # unknowns, whose memory takes longer than a second division
_MOST = 3  # blocks of unknowns; each takes nine arrays, and time to compile
_READ = {_NEW: (0, 2, 3, 4, 5), _LAST: (0, 2, 3, 4, 5, 6)}  # the slopes that have a weight in the last two passes
_SUMMED = 0, 2, 3, 4  # the slopes of the sums of pass 5
_NAMES = (
    "NoAlias, PASS_SIGNATURE, array_at, array_in, bits_of, block_in, compiled_once, entry_at, number_of, numbers_in"
)
_IMPORTS = f"from numba import cfunc, njit\n\nfrom brnn.compiler.numba_internals import {_NAMES}"
# Inlined, as Numba 0.68.1 compiles what is called twice: for itself, which the process that compiles it calls, and
# within what is kept of its caller, which later processes load; the two add up in different orders.
LOOP = "njit(pipeline_class=NoAlias, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True, **options)"
_ARGUMENTS = "kind, t_slopes, t_totals, now, then, u, ks, weights, places, totals_at, share_at, out_at, block, blocks"


@dataclass(frozen=True)
class Passes:
    """What the text of the passes is made of.

    `groups` are the unknowns whose blocks are equally long, whose cells one loop goes through; `known` the numbers that
    both halves compute first, and `exponents` the texts of numbers that do not change. Signals are computed `anew`
    where they are needed again, and not kept, if that is quicker.
    """

    program: Program
    halves: Halves
    groups: tuple[tuple[str, ...], ...]
    known: tuple[str, ...]
    exponents: Mapping[str, str]
    anew: bool = False

    @classmethod
    def of(cls, program: Program, halves: Halves, sizes: Mapping[str, int], numbers: np.ndarray) -> Passes | None:
        """Return those of a network, whose arguments are those of `text_of_passes`; None if it has too many kinds."""
        loops = [s for s in (*halves.totals, *halves.slopes) if isinstance(s, Loop)]
        if len(sizes) > _MOST or any(_of(loop) not in sizes for loop in loops):
            return None
        known = tuple(s.target.name for s in halves.slopes if isinstance(s, Assign) and isinstance(s.target, Local))
        groups = tuple(tuple(n for n in sizes if sizes[n] == size) for size in dict.fromkeys(sizes.values()))
        exponents = {n.name: float(numbers[n.place]) for n in program.places if n.place in program.exponents}
        whole = {name: repr(exponent) for name, exponent in exponents.items() if exponent in WRITTEN}
        passes = cls(program, halves, groups, known, whole)
        return replace(passes, anew=sum(sizes.values()) >= _HUGE and passes.in_place)

    @property
    def later(self) -> dict[str, str]:
        """What stands in the second half for the names of the first: it is about the next stage."""
        slopes = [f"d{name}" for name in self.program.blocks]
        return {name: f"then_{name}" for name in (*self.program.blocks, *slopes, *self.known, *self.halves.sums)}

    @functools.cached_property
    def signals(self) -> frozenset[str]:
        """What the first half writes of each cell for the second one."""
        written = [
            s.target for group in self.groups for s in _statements(self.halves.totals, group) if isinstance(s, Assign)
        ]
        arrays = {target.array.name for target in written if isinstance(target, Element)}
        return frozenset(arrays - {f"d{name}" for name in self.program.blocks})

    @functools.cached_property
    def in_place(self) -> bool:
        """Whether each cell reads what is its own alone, so that the next stage may be written over it."""
        own = {*self.program.blocks, *self.signals}
        halves = (*self.halves.slopes, *self.halves.totals)
        lines = [line for group in self.groups for line in Printer().lines(_statements(halves, group), 2)]
        text = re.sub(rf"\b({'|'.join(own)})\[i\]", "", "\n".join(lines))
        return not own & set(re.findall(r"\w+", text))


def text_of_passes(program: Program, halves: Halves, sizes: Mapping[str, int], numbers: np.ndarray) -> str | None:
    """Return the module of the passes; None if the network has too many kinds of unknowns.

    Parameters
    ----------
    program, halves : Program, Halves
        What the network computes, and its two halves.
    sizes : mapping
        How many unknowns each block has.
    numbers : ndarray
        The values of the program's numbers, of which whole exponents are looked at.
    """
    passes = Passes.of(program, halves, sizes, numbers)
    if passes is None:
        return None
    parts = [HEADER.format(numba=_IMPORTS, imports="".join(f"{line}\n" for line in program.imports))]
    parts += [f"\n@{CALLED}\n{code.source}\n" for code in program.functions.values()]
    parameters = []
    edges = [f"{edge}_{k}" for k in range(len(passes.groups)) for edge in ("first", "last")]
    for kind in range(1, _LAST + 1):
        lines = list(_pass(passes, kind))
        parameters.append(parameters_of(passes, lines, WEIGHTS, [*edges, "a", "share"]))
        parts.append("\n".join([f"\n@{LOOP}\ndef pass_{kind}({', '.join(parameters[-1])}):", *lines]) + "\n")
    parts.append("\n".join(_fused(passes, parameters)) + "\n")
    return "".join([*parts, f"\nIN_PLACE = {passes.in_place}\n"])


def _of(loop: Loop) -> str:
    """Return the unknowns through which a loop goes; nothing if it goes through something else."""
    match loop.stop:
        case Size(Array(name, "state")):
            return name
    return ""


def _read(kind: int) -> tuple[int, ...]:
    """Return the slopes that have a weight in a pass; the last of them is the one that the pass finds."""
    return _READ.get(kind, tuple(range(kind)))


def _pass(passes: Passes, kind: int) -> Iterator[str]:
    """Yield the lines of a pass: slopes of the stage before, the next stage or the error, and its totals."""
    halves = passes.halves
    yield from (f"    a{k} = a[{k}]" for k in _read(kind))
    if kind >= _NEW:
        yield f"    change = a[{WEIGHTS}]"
    if kind == _BEFORE:
        for n, sum_of in enumerate("ne"):
            yield from (f"    {sum_of}{k} = a[{_FURTHER + n * (WEIGHTS + 1) + k}]" for k in _SUMMED)
        yield f"    further = a[{_FURTHER + WEIGHTS}]"
    yield "    moved = turned = np.int64(0)"
    yield "    squares = 0.0"
    if kind == _LAST:
        yield f"    rtol, atol = a[{WEIGHTS + 1}], a[{WEIGHTS + 2}]"
    else:
        yield from (f"    then_{name} = 0.0" for name in halves.sums)
    for k, group in enumerate(passes.groups):
        yield f"    for i in range(np.uint64(first_{k}), np.uint64(last_{k})):"
        lines = _cell(passes, group, kind)
        yield from _over(group, lines) if 1 < kind < _LAST and passes.in_place else lines
    if kind < _LAST:
        yield from (f"    share[{k}] = then_{name}" for k, name in enumerate(halves.sums))
    yield "    return number_of(moved), squares, number_of(turned)"


def _cell(passes: Passes, group: Sequence[str], kind: int) -> Iterator[str]:
    """Yield the lines of the loop through a group."""
    yield from _signals_in(passes, _slopes(passes, group, kind), "now")
    if kind < _LAST:
        yield from _signals_in(passes, totals_of(passes, group), "next")


def _slopes(passes: Passes, group: Sequence[str], kind: int) -> Iterator[str]:
    left = list(group)
    if kind > 1 and passes.anew:
        for statement in _statements(passes.halves.totals, group):
            if not (isinstance(statement, Assign) and _is_kept(passes, statement)):
                yield from _changed(Printer().lines([statement], 2), passes.exponents)
    if kind > 1:
        yield from slopes_of(passes, group, left, functools.partial(_made, kind=kind))
    for name in left:  # their slopes are there: those of gates, which stand among the totals, and before the first
        yield f"        slope = k{_read(kind)[-1]}_{name}[i]"
        yield from _made(name, kind, summed=False)


def _signals_in(passes: Passes, lines: Iterator[str], word: str) -> Iterator[str]:
    """Yield lines in which signals that are computed anew are numbers, whose names begin with a word."""
    if not (passes.anew and passes.signals):
        return lines
    return (re.sub(rf"\b({'|'.join(passes.signals)})\[i\]", rf"{word}_\1", line) for line in lines)


def _is_kept(passes: Passes, statement: Assign) -> bool:
    """Tell whether a statement of the first half writes what lasts: a sum over cells, or the slope of a gate."""
    match statement.target:
        case Local(name):
            return name in passes.halves.sums
        case Element(array, _):
            return array.name not in passes.signals
    return True


def _over(group: Sequence[str], lines: Iterator[str]) -> Iterator[str]:
    """Yield lines that write the next stage over the one that they read: under one name, as the memory is one."""
    yield from (f"        now_{name} = {name}[i]" for name in group)
    cells = "|".join(group)
    for line in lines:
        yield re.sub(rf"\bthen_({cells})\b", r"\1", re.sub(rf"\b({cells})\[i\]", r"now_\1", line))


def slopes_of(
    passes: Passes, group: Sequence[str], left: list[str], made: Callable[[str], Iterator[str]]
) -> Iterator[str]:
    """Yield the lines that find slopes of a group, each with what is `made` of it; these are no longer `left` then."""
    printer = Printer()
    for loop in _loops(passes.halves.slopes, group):
        for statement in loop.body:
            name = _sloped(statement, left)
            if name is None:
                yield from _changed(printer.lines([statement], 2), passes.exponents)
                continue
            assert isinstance(statement, Assign)
            yield from _changed([f"        slope = {printer.expression(statement.value)}"], passes.exponents)
            yield from made(name)
            yield f"        d{name}[i] = slope"
            left.remove(name)


def totals_of(passes: Passes, group: Sequence[str]) -> Iterator[str]:
    """Yield the lines that begin the totals of the next stage in a group."""
    for loop in _loops(passes.halves.totals, group):
        yield from _changed(Printer().lines(loop.body, 2), {**passes.later, **passes.exponents})


def known_of(passes: Passes) -> Iterator[str]:
    """Yield the lines that give sums over all cells their names, and make the numbers known at both times."""
    halves = passes.halves
    yield from (f"    {name} = totals[{k}]" for k, name in enumerate(halves.sums))
    lines = list(Printer().lines([s for s in halves.slopes if isinstance(s, Assign)]))
    if passes.known:
        yield from ("    t = t_totals", *lines, *(f"    then_{name} = {name}" for name in passes.known))
    yield from ("    t = t_slopes", *lines)


def _statements(statements: Sequence[Statement], group: Sequence[str]) -> list[Statement]:
    return [statement for loop in _loops(statements, group) for statement in loop.body]


def _loops(statements: Sequence[Statement], group: Sequence[str]) -> list[Loop]:
    return [statement for statement in statements if isinstance(statement, Loop) and _of(statement) in group]


def _changed(lines: Iterator[str] | Sequence[str], names: Mapping[str, str]) -> Iterator[str]:
    """Yield lines in which other words stand for some names."""
    for line in lines:
        yield re.sub(r"\w+", lambda word: names.get(word[0], word[0]), line)


def _sloped(statement: Statement, names: Sequence[str]) -> str | None:
    """Return which of the unknowns a statement of a loop gives its slope."""
    match statement:
        case Assign(Element(Array(name, "state")), _, "=") if name[1:] in names:
            return name[1:]
    return None


def _made(name: str, kind: int, summed: bool = True) -> Iterator[str]:
    """Yield what a pass makes of the slope of an unknown, with the sums of pass 5 or without.

    Without them, where the slope of the next stage is known at the end of a pass: it stands where the sum would.
    """
    *before, last = _read(kind)
    total = " + ".join([*(f"a{k} * k{k}_{name}[i]" for k in before), f"a{last} * slope"])
    change = f"change * ({name}[i] - u_{name}[i])"
    value = f"u_{name}[i] + ({total})"
    if kind == _NEW:
        value = f"d{name}[i] + a{last} * slope" if summed else f"u_{name}[i] + ({total} + {change})"
    if kind == _LAST:
        total = f"d{name}[i] + a{before[-1]} * k{before[-1]}_{name}[i] + a{last} * slope" if summed else total
        yield f"        turned = max(turned, bits_of(abs(slope - k5_{name}[i])))"
        yield f"        error = ({total} + {change}) / (atol + rtol * max(abs(u_{name}[i]), abs({name}[i])))"
        yield "        moved = max(moved, bits_of(abs(error)))"
        yield "        squares += error * error"
        return
    yield f"        value = {value}"
    if kind == _NEW:
        yield f"        moved = max(moved, bits_of(abs(value - {name}[i])))"
    if kind == _BEFORE and summed:
        slopes = [*(f"k{k}_{name}[i]" for k in _SUMMED[:-1]), "slope"]
        new, error = (" + ".join(f"{n}{k} * {k_i}" for k, k_i in zip(_SUMMED, slopes, strict=True)) for n in "ne")
        yield f"        k{_NEW - 1}_{name}[i] = u_{name}[i] + ({new} + further * (value - u_{name}[i]))"
        yield f"        k1_{name}[i] = {error}"
    yield f"        then_{name}[i] = value"


def parameters_of(passes: Passes, lines: Sequence[str], slopes: int, more: Sequence[str]) -> list[str]:
    """Return the names that lines read and do not make themselves; there may be so many `slopes`, and `more` names."""
    words = set(re.findall(r"\w+", "\n".join(lines)))
    program, sums = passes.program, passes.halves.sums
    names = ["t", *program.arrays, *(number.name for number in program.places), *passes.known, *sums]
    names += [f"then_{name}" for name in passes.known]
    for name in program.blocks:
        names += [name, f"d{name}", f"u_{name}", f"then_{name}", f"then_d{name}"]
        names += [f"k{k}_{name}" for k in range(slopes)]
    return [name for name in (*names, *more) if name in words]


def _fused(passes: Passes, parameters: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of the function that does a pass."""
    program, halves = passes.program, passes.halves
    yield f"\n@cfunc(PASS_SIGNATURE, cache=True, **options)\ndef fused({_ARGUMENTS}):"
    yield from found_by_address(replace(program, blocks=()))
    for k, name in enumerate(program.blocks):
        for array, place in ((name, "now"), (f"u_{name}", "u"), (f"then_{name}", "then")):
            yield f"    {array} = block_in({place}, places, 1, {k})"
        for slope in range(WEIGHTS):
            yield f"    k{slope}_{name} = block_in(entry_at(ks, {slope}), places, 1, {k})"
    yield f"    a, out = array_at(weights, {_FURTHER + 2 * (WEIGHTS + 1)}), array_at(out_at, 3)"
    yield f"    totals, share = array_at(totals_at, {len(halves.sums)}), array_at(share_at, {len(halves.sums)})"
    yield from known_of(passes)
    yield "    one, two, three = 0.0, 0.0, 0.0"
    for k, group in enumerate(passes.groups):
        yield f"    first_{k}, last_{k} = {group[0]}.size * block // blocks, {group[0]}.size * (block + 1) // blocks"
    for kind, names in enumerate(parameters, 1):
        found = {f"d{name}": f"k{_read(kind)[-1]}_{name}" for name in program.blocks}
        found |= {f"then_d{name}": f"k{kind}_{name}" for name in program.blocks}
        yield f"    {'if' if kind == 1 else 'elif'} kind == {kind}:"
        yield f"        one, two, three = pass_{kind}({', '.join(found.get(name, name) for name in names)})"
    yield "    out[0], out[1], out[2] = one, two, three"
