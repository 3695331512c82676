"""A step of layers that move one after the other, in bands of rows: for large maps, and for several threads.

Most of what a step of a network of maps does (`brnn.compiler.sequence`) needs of every map the same rows alone. So it
goes through the maps in bands of rows that stay in the cache, and threads share the bands. Only where something reads
rows of other bands, or whole layers, must all be done that comes before: there a phase ends.

    bands(t, u, du, places, phase, band, room)    one phase of a step, for one band of all maps

Of m bands, number k has the rows from size k // m to size (k + 1) // m of every map; the cells of a layer of one
dimension are its rows. What one phase alone needs of a band's rows lies at the address `room`, and nowhere else. What
is not a matter of rows is done with band 0. Statements keep their order as far as one needs what another writes, and
nothing depends on who does which band.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from brnn.base.codetext import code_of
from brnn.compiler.blocks import is_of_one_cell, sums_of
from brnn.compiler.cell_loops import CellLoops
from brnn.compiler.idle_sums import names_in, without_idle_sums
from brnn.compiler.module_text import text_in_bands
from brnn.compiler.phases import Part, Shape, groups, rows_of, tasks_of
from brnn.compiler.program import Program
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Comment,
    Element,
    Index,
    Local,
    Loop,
    Printer,
    Size,
    Statement,
    elements,
)  # fmt: skip
from brnn.spec.network import Network
from brnn.spec.topologies.rows import IN_ROWS, InRows

__all__ = ["divide"]

_I = Index("i")
_BAND = 98_304  # unknowns of a band at most: few enough that threads can share them, too many to be often begun
_LINE = 8  # numbers in a line of the cache
_SMALL = 1024  # cells; a layer of fewer is not divided


@dataclass
class _Division:
    """What is known of a program that is being divided: shapes of its arrays, its sums, and the grids that it needs."""

    program: Program
    shapes: Mapping[str, Shape]
    sums: Mapping[str, int]
    grids: dict[Shape, int] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)
    of_one_map: set[str] = field(default_factory=set)
    loops: CellLoops = field(default_factory=CellLoops)

    def part(self, statement: Statement) -> Part:
        """Return what a statement touches, and in which way."""
        names = frozenset(self._names([statement]))
        match statement:
            case Loop(index, Size(array), body, None) if index == _I and all(is_of_one_cell(s) for s in body):
                shape = self._grid(array.name)
                if shape is not None and not sums_of(statement):
                    targets = [inner.target for inner in body if isinstance(inner, Assign)]
                    written = frozenset(target.array.name for target in targets if isinstance(target, Element))
                    sums = names & self.sums.keys()
                    return Part(statement, shape, rows_of(shape), names - sums, sums, written)
            case Call(name, (Array(s), Array(net), *_)) if name in self.program.functions:
                shape, kernel = self._grid(net), self._in_rows(name)
                if shape is not None and kernel is not None and self._grid(s) is not None:
                    own = frozenset([net, s] if kernel.reads_own else [net] if kernel.writes_own else [])
                    divided = rows_of(shape) if kernel.writes_own else "maps"
                    near = kernel.reach is not None and self._reach(statement) <= rows_of(shape) // self.program.bands
                    return Part(statement, shape, divided, own, names - own, frozenset([net]), kernel, near)
        return Part(statement, None, None, frozenset(), names, names)

    def _grid(self, array: str) -> Shape | None:
        """Return the shape of an array if its rows are divided."""
        shape = self.shapes.get(array)
        if shape is None or math.prod(shape) < _SMALL:
            return None
        self.grids.setdefault(shape, len(self.grids))
        return shape

    def _in_rows(self, name: str) -> InRows | None:
        source = self.program.functions[name].source
        return next((rows for kernel, rows in IN_ROWS.items() if code_of(kernel, name).source == source), None)

    def _reach(self, call: Call) -> int:
        """Return how many rows of the target a kernel looks beyond those that it writes."""
        kernel, names = self._in_rows(call.function), self.program.functions[call.function].arguments
        assert kernel is not None
        assert kernel.reach is not None
        arrays = {name: a.name for name, a in zip(names, call.arguments, strict=True) if isinstance(a, Array)}
        given = {name: self.program.arrays.get(array) for name, array in arrays.items()}
        return kernel.reach(given)

    def _names(self, parts: Iterable[Statement | CodeExpression]) -> Iterator[str]:
        """Yield the names of the arrays and sums that statements and expressions read and write."""
        for name, is_local in names_in(parts):
            if not is_local or name in self.sums:
                yield name

    def make_room(self, phases: Sequence[Sequence[Part]]) -> None:
        """Find places for the arrays that one phase needs for the rows of a band alone; later ones take them again."""
        program = self.program
        places: list[int] = []
        kept = frozenset(self._names(program.renewed))
        for phase in phases:
            others = [part for other in phases if other is not phase for part in other]
            apart = frozenset().union(*(part.touches for part in others), *(part.any for part in phase))
            apart |= frozenset().union(*(part.touches for part in phase if part.shape is None))
            grouped = [*groups(phase)]
            last = {name: k for k, group in enumerate(grouped) for part in group for name in part.touches - apart}
            first = {name: k for k, group in reversed([*enumerate(grouped)]) for part in group for name in part.touches}
            taken: list[tuple[int, int, int]] = []  # from, to, and until when
            for k, group in enumerate(grouped):
                taken = [entry for entry in taken if entry[2] >= k]
                touched = frozenset().union(*(part.touches for part in group))
                for name in sorted(touched - apart - self.rooms.keys()):
                    if name not in program.names or program.names[name].kind != "work":
                        continue
                    by_map = first[name] == last[name] == k and all(p.by_map for p in group)
                    shape = self.shapes[name]
                    start, need = 0, self._need(shape[-2:] if by_map else shape)
                    for begin, end, _ in sorted(taken):
                        if begin - start >= need:
                            break
                        start = max(start, end)
                    taken.append((start, start + need, last[name]))
                    self.rooms[name] = len(places)
                    if by_map:
                        self.of_one_map.add(name)
                    places.append(8 * start)
                    program.room = max(program.room, start + need)
                    if name not in kept:
                        program.arrays[name] = np.broadcast_to(np.empty(1), (1,))
        program.array("rooms", np.array(places, dtype=np.int64))

    def _need(self, shape: Shape) -> int:
        """Return how many numbers the rows of a band are at most, in whole lines of the cache."""
        rows = -(-rows_of(shape) // self.program.bands)
        return -(-(math.prod(shape) // rows_of(shape) * rows) // _LINE) * _LINE

    def lines(self) -> Iterator[str]:
        """Yield the lines that find the rows of a band, and sums of earlier phases."""
        program = self.program
        for shape, k in self.grids.items():
            sizes = [math.prod(shape[:-2]), rows_of(shape), math.prod(shape[1:][-1:]), program.bands]
            program.array(f"grid_{k}", np.array(sizes))
            yield f"    channels_{k}, rows_{k}, width_{k} = grid_{k}[0], grid_{k}[1], grid_{k}[2]"
            yield f"    low_{k} = rows_{k} * band // grid_{k}[3]"
            yield f"    high_{k} = rows_{k} * (band + 1) // grid_{k}[3]"
            yield f"    plane_{k}, own_{k} = rows_{k} * width_{k}, (high_{k} - low_{k}) * width_{k}"
        if self.sums:
            program.work("sums", len(self.sums))
        for name, k in self.sums.items():
            yield f"    {name} = sums[{k}]"

    def of_phase(self, parts: Sequence[Part]) -> Iterator[str]:
        """Yield the lines of one phase."""
        printer = Printer()
        for group in groups(parts):
            part = group[0]
            if part.shape is None:
                yield "        if band == 0:"
                yield from printer.lines([part.statement], 3)
                written = [name for name in self._names([part.statement]) if name in self.sums]
                yield from (f"            sums[{self.sums[name]}] = {name}" for name in written)
            elif part.by_map:
                yield from self._map_by_map(group)
            else:
                assert isinstance(part.statement, Call)
                yield from printer.lines([self._call(part.statement, part)], 2)

    def _map_by_map(self, group: Sequence[Part]) -> Iterator[str]:
        """Yield the lines of what is done with one map after the other."""
        printer, shape = Printer(), group[0].shape
        assert shape is not None
        together: list[Loop] = []
        k = self.grids[shape]
        yield f"        for c in range(channels_{k}):"
        yield f"            first = 8 * (c * plane_{k} + low_{k} * width_{k})"
        found: set[str] = set()
        for part, after in zip(group, [*group[1:], None], strict=True):
            statement = part.statement
            touched = {*_arrays(statement)} if isinstance(statement, Loop) else part.writes
            for name in sorted(touched - found):
                place = f"place_of({name}) + first"
                if name in self.of_one_map:
                    place = f"room + rooms[{self.rooms[name]}]"
                elif name in self.rooms:
                    place = f"room + rooms[{self.rooms[name]}] + 8 * c * own_{k}"
                yield f"            {name}_b = array_at({place}, own_{k})"
            found |= touched
            if isinstance(statement, Loop):
                together.append(statement)
                if after is None or not isinstance(after.statement, Loop):
                    yield " " * 12 + self.loops.call(together, found, f"own_{k}")
                    together = []
            else:
                assert isinstance(statement, Call)
                yield from printer.lines([self._call(statement, part)], 3)

    def _call(self, call: Call, part: Part) -> Call:
        """Return the call of a kernel as that of the kernel of some rows."""
        assert part.kernel is not None
        assert part.shape is not None
        program, kernel, grid = self.program, part.kernel, self.grids[part.shape]
        given = list(call.arguments)
        for j, name in enumerate(program.functions[call.function].arguments):
            argument = call.arguments[j]
            if isinstance(argument, Array) and name in (*kernel.rooms, *kernel.in_turn):
                room = program.arrays[argument.name]
                assert room is not None
                if name in kernel.rooms:
                    program.arrays[argument.name] = np.empty((math.prod(part.shape[:-2]), *room.shape), room.dtype)
                else:
                    program.arrays[argument.name] = np.broadcast_to(np.empty(1), (room.size * program.bands,))
                    size = f"{argument.name}.size // grid_{grid}[3]"
                    given[j] = Index(f"array_at(place_of({argument.name}) + 8 * band * ({size}), {size})")
        more = ["c"] if kernel.by_map else []
        more += [f"{name}_{grid}" for name in ("low", "high", "width")]
        for j, array in enumerate(call.arguments[:2]):
            assert isinstance(array, Array)
            k = self.grids[self.shapes[array.name]]
            if kernel.by_map and j == 1:
                given[1] = Index(f"{array.name}_b")
            elif array.name in self.rooms:
                given[j] = Index(f"array_at(room + rooms[{self.rooms[array.name]}], channels_{k} * own_{k})")
                more += [f"own_{k}", f"low_{k}"]
            else:
                more += [f"plane_{k}", "0"]
        more += [str(part.begins)] if kernel.begins else []
        code = program.kernel(kernel.kernel.__name__, kernel.kernel)
        return Call(code.name, (*given, *map(Index, more)))


def divide(network: Network, program: Program) -> None:
    """Divide a step into phases and bands if it is large enough."""
    shapes = _shapes(network, program)
    count = -(-sum(math.prod(shapes.get(name, (0,))) for name in program.blocks) // _BAND)
    if count < 3:
        return
    program.bands = count
    statements = [*without_idle_sums(program)]
    sums = [name for statement in statements if isinstance(statement, Loop) for name in sums_of(statement)]
    division = _Division(program, shapes, {name: k for k, name in enumerate(sums)})
    first: list[Statement] = []
    parts: list[Part] = []
    placed: list[int] = []
    for statement in statements:
        match statement:
            case Comment():
                continue
            case Assign(Local(name), _) if name not in sums:
                first.append(statement)
                continue
        part = division.part(statement)
        if part.kernel is not None and part.kernel.begins:
            zeros = next((k for k in reversed(range(len(parts))) if part.writes & parts[k].touches), None)
            if zeros is not None and _is_zeros(parts[zeros].statement):
                part = replace(part, begins=True)
                del parts[zeros], placed[zeros]
        apart = [(k, part.after(other)) for k, other in enumerate(parts)]
        placed.append(max((placed[k] + distance for k, distance in apart if distance is not None), default=0))
        parts.append(part)
    for k in reversed(range(len(parts))):  # not before it is needed
        apart = [(j, parts[j].after(parts[k])) for j in range(k + 1, len(parts))]
        placed[k] = min((placed[j] - distance for j, distance in apart if distance is not None), default=placed[k])
    phases = [[part for part, place in zip(parts, placed, strict=True) if place == k] for k in range(max(placed) + 1)]
    program.tasks = tasks_of(phases, count)
    division.make_room(phases)
    lines = [*division.lines(), *Printer().lines(first)]
    for k, phase in enumerate(phases):
        lines += [f"    if phase == {k}:", *division.of_phase(phase)]
    program.source = text_in_bands(program, lines, division.loops.texts)


def _is_zeros(statement: Statement) -> bool:
    """Tell whether a statement sets the elements of an array to 0 and does nothing else."""
    match statement:
        case Loop(_, _, (Assign(Element(), value, "="),)):
            return value == ZERO
    return False


def _shapes(network: Network, program: Program) -> dict[str, Shape]:
    """Return the shapes of arrays, as far as loops over all cells of layers tell them."""
    shapes: dict[str, Shape] = dict(program.shapes)
    for layer in network.layers:
        shapes |= {f"{prefix}x_{layer.name}": layer.shape for prefix in ("", "d", "rate_")}
    loops = [frozenset(_arrays(s)) for s in program.statements if isinstance(s, Loop)]
    before = -1
    while before != len(shapes):
        before = len(shapes)
        for names in loops:
            known = next((shapes[name] for name in names if name in shapes), None)
            if known is not None:
                shapes |= dict.fromkeys(names, known)
    return shapes


def _arrays(statement: Statement) -> Iterator[str]:
    """Yield the names of the arrays whose elements of the same index a loop touches."""
    if isinstance(statement, Loop):
        for inner in statement.body:
            yield from _arrays(inner)
    elif isinstance(statement, Assign):
        touched = [*elements(statement.value), *([statement.target] if isinstance(statement.target, Element) else [])]
        yield from (element.array.name for element in touched if element.index == _I)
