"""From one stage of an explicit method to the next in one loop, for small networks whose cells meet in totals alone.

`brnn.compiler.blocks` cuts du/dt into slopes and totals. What goes onward finishes the slopes of one stage, forms the
state of the next one, and begins its totals, cell by cell:

    onward(kind, t_slopes, t_totals, stages, places)

`stages` is where addresses stand. Of `kind` ONWARD it finds the SLOPES of the stage STAGE, and the next one, THEN: the
state BASE and what four EARLIER slopes and this one count, and the change from BASE to STAGE. BEGIN finds no slopes,
and of the earlier ones takes the first. END finds slopes alone. WEIGHTS is where it stands what each of the five slopes
counts, the step included, and that change; where there are fewer slopes, some count nothing.

So a slope goes from the law into the next signal in registers, and what is read besides is there before the totals are.
The steps of 1,000 cells of `rcf` take 482 us where they took 629, of 10 cells 23 where they took 26 (94 steps, in
one process in turn, least of 60). It is compiled in the place of the right-hand side, 0.7 s for 0.5 (`rcf`), 1.5 for
0.6 of three kinds of unknowns. So it is for one kind, the activities of one layer, of 8 cells and more. Loops of seven
kinds (`brnn.compiler.passes`, for large networks) would gain twice as much, and compile for seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from brnn.base.codetext import with_limits
from brnn.compiler.blocks import Halves
from brnn.compiler.module_text import HEADER, found_by_address
from brnn.compiler.passes import LOOP, Passes, known_of, parameters_of, slopes_of, totals_of
from brnn.compiler.program import CALLED, Program

__all__ = [
    "BASE", "BEGIN", "EACH", "EARLIER", "END", "ONWARD", "PLACES", "SLOPES", "STAGE", "SUMS", "THEN",
    "TOTALS", "WEIGHTS", "text_of_onward",
]  # fmt: skip

BEGIN, ONWARD, END = 0, 1, 2  # kinds of calls
EARLIER = 4  # slopes, whose addresses stand first; then come
BASE, WEIGHTS, TOTALS, STAGE, SLOPES, THEN = range(EARLIER, EARLIER + 6)
PLACES = THEN + 1
EACH = EARLIER + 2  # numbers at WEIGHTS
SUMS = 32  # for which there is room at TOTALS
_LEAST = 8  # cells; fewer do not fill a vector
_KINDS = ("begin", "go", "end")
_LIMITS = {"minimum": "at_most", "maximum": "at_least"}  # of numbers, an instruction instead of four
_NAMES = (
    "NoAlias, ONWARD_SIGNATURE, array_at, array_in, at_least, at_most, block_in, compiled_once, entry_at, numbers_in, "
    "times_plus"
)
_IMPORTS = f"from numba import cfunc, njit\n\nfrom brnn.compiler.numba_internals import {_NAMES}"


def text_of_onward(program: Program, halves: Halves, sizes: Mapping[str, int], numbers: np.ndarray) -> str | None:
    """Return the text of the module; None if the network has several kinds of unknowns, too many totals or few cells.

    The parameters are those of `brnn.compiler.passes.text_of_passes`.
    """
    if len(sizes) != 1 or sum(sizes.values()) < _LEAST or len(halves.sums) > SUMS:
        return None
    passes = Passes.of(program, halves, sizes, numbers)
    if passes is None:
        return None
    parts = [HEADER.format(numba=_IMPORTS, imports="".join(f"{line}\n" for line in program.imports))]
    parts += [f"\n@{CALLED}\n{with_limits(code.source, _LIMITS)}\n" for code in program.functions.values()]
    taken = {}
    for kind in _KINDS:
        lines = list(_loop(passes, kind))
        taken[kind] = parameters_of(passes, lines, EARLIER, ["a", "totals"])
        parts.append("\n".join([f"\n@{LOOP}\ndef {kind}({', '.join(taken[kind])}):", *lines]) + "\n")
    parts.append("\n".join(_whole(passes, taken)) + "\n")
    return "".join(parts)


def _loop(passes: Passes, kind: str) -> Iterator[str]:
    """Yield the lines of one kind: the slopes of a stage, the next one, and its totals."""
    halves, sums = passes.halves, kind != "end"
    earlier = 0 if kind == "end" else 1 if kind == "begin" else EARLIER
    yield from (f"    a{k} = a[{k}]" for k in range(EACH) if k < earlier or kind == "go")
    yield from (f"    then_{name} = 0.0" for name in halves.sums if sums)
    (group,) = passes.groups
    (name,) = group
    yield f"    for i in range(np.uint64({'then_' if sums else ''}{name}.size)):"
    if kind == "begin":
        yield from _stage(name, earlier, "")
    else:
        yield from slopes_of(passes, group, list(group), lambda _: _stage(name, earlier, "slope") if sums else iter(()))
    if sums:
        yield from totals_of(passes, group)
        yield from (f"    totals[{k}] = then_{name}" for k, name in enumerate(halves.sums))


def _stage(name: str, earlier: int, slope: str) -> Iterator[str]:
    """Yield what makes an unknown of the next stage."""
    before = " + ".join(f"a{k} * k{k}_{name}[i]" for k in range(earlier))
    if slope:
        before += f" + a{EARLIER + 1} * ({name}[i] - u_{name}[i])"
    value = f"u_{name}[i] + ({before})"
    yield f"        then_{name}[i] = {f'times_plus(a{EARLIER}, {slope}, {value})' if slope else value}"


def _whole(passes: Passes, taken: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the lines of the function."""
    program, halves = passes.program, passes.halves
    yield "\n@cfunc(ONWARD_SIGNATURE, cache=True, **options)\ndef onward(kind, t_slopes, t_totals, stages, places):"
    yield from found_by_address(replace(program, blocks=()))
    for k, name in enumerate(program.blocks):
        found = {name: STAGE, f"d{name}": SLOPES, f"u_{name}": BASE, f"then_{name}": THEN}
        found |= {f"k{j}_{name}": j for j in range(EARLIER)}
        yield from (f"    {array} = block_in(entry_at(stages, {j}), places, 1, {k})" for array, j in found.items())
    yield f"    a = array_at(entry_at(stages, {WEIGHTS}), {EACH})"
    yield f"    totals = array_at(entry_at(stages, {TOTALS}), {len(halves.sums)})"
    yield from known_of(passes)
    for k, kind in enumerate(_KINDS):
        yield f"    {'if' if k == 0 else 'elif'} kind == {k}:"
        yield f"        {kind}({', '.join(taken[kind])})"
