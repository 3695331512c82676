"""The Jacobian of a network whose cells meet in totals alone: a small matrix for each cell, plus one of low rank.

In such a network (`brnn.compiler.blocks`) du_i/dt of cell i is F_i(u_i, S), where u_i are the unknowns of that cell
(its activity, its gates, those of other layers in the same place) and S = sum_i G_i(u_i) a few sums over all cells. So

    J = D + U^T W,    D_i = dF_i/du_i,    U_i = dF_i/dS,    W_i = dG_i/du_i:

for all-but-self inhibition the rank is one. All are exact, from the derivatives of the statements, and take O(cells).
A generated function writes them behind du/dt; it is compiled when a method asks for it.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from brnn.compiler.blocks import halves
from brnn.compiler.linearized import Linearized
from brnn.compiler.module_text import text_of
from brnn.compiler.program import Program
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.compiler.statements import (
    Array,
    Assign,
    Call,
    CodeExpression,
    ConstantNumber,
    Element,
    Index,
    Local,
    Loop,
    Operation,
    Statement,
)  # fmt: skip
from brnn.compiler.system import System
from brnn.errors import SpecError
from brnn.spec.network import Network

__all__ = ["CellDerivatives", "CellJacobian", "CellPlan", "CellText", "Part", "cell_text", "meets_elsewhere"]

_I, _ONE = Index("i"), ConstantNumber("1.0")

Tangents = dict[str, CodeExpression]  # of a number, by what moves: the name of a block of the state, or of a sum


def meets_elsewhere(network: Network) -> str | None:
    """Return which part of a network lets its cells meet elsewhere than in totals; None if none does."""
    for link in network.projections:
        if link.delay > 0.0:
            return f"{link.label} has a delay"
        if link.learning is not None:
            return f"{link.label} learns"
        if link.gate is not None and link.gate.per == "connection":
            return f"{link.label} has a gate for each connection"
        if not link.topology.local:
            return f"{link.label} has the topology {type(link.topology).__name__}, whose cells do not meet in a total"
        if link.modulation is not None and link.modulation.at == "total":
            return f"{link.label} is modulated by a total"
    for stimulus in network.stimuli:
        if stimulus.schedule.per_cell:
            return f"{stimulus.label} is another one for each cell at each time"
    return None


@dataclass(frozen=True)
class Part:
    """An array of derivatives: how `row` changes with `column`, for each cell that the array `of` has."""

    name: str
    row: str
    column: str
    of: str


class CellDerivatives:
    """The statements of du/dt with those that write the parts of D, U and W.

    Parameters
    ----------
    program : Program
        That of the network.

    Raises
    ------
    SpecError
        If its cells do not meet in totals alone, or a law or signal has no derivative.

    Attributes
    ----------
    program : Program
        The same with these statements and the functions that they call.
    parts : list of Part
        What they write.
    sums : list of str
        The sums that depend on cells, and on which cells depend.
    """

    def __init__(self, program: Program) -> None:
        found = halves(program)
        if found is None:
            raise SpecError("its cells do not meet in totals alone")
        linear = Linearized(program, flat_jumps=True)
        writer = _Writer(linear, found.sums)
        statements = list(writer.statements(linear.statements))
        self.program = replace(program, statements=statements, functions=linear.functions)
        self.parts = writer.parts
        rows, columns = {part.row for part in self.parts}, {part.column for part in self.parts}
        self.sums = [name for name in found.sums if name in rows and name in columns]


@dataclass(frozen=True)
class CellPlan:
    """Where the numbers of D, U and W stand in one array: D of each group, then U, then W.

    Attributes
    ----------
    groups : list of ndarray
        For each group of blocks of the state whose unknowns meet in a cell: where these begin.
    cells : list of int
        How many cells each group has.
    places : list of int
        For each part, where it begins; -1 if it belongs to none of the three.
    rank, unknowns : int
        How many rows and columns U and W have.
    """

    groups: list[np.ndarray]
    cells: list[int]
    places: list[int]
    rank: int
    unknowns: int

    @classmethod
    def of(cls, derivatives: CellDerivatives, starts: Mapping[str, int], sizes: Mapping[str, int]) -> CellPlan:
        """Return the plan of a network whose blocks of the state begin at `starts`, and are as long as `sizes` says."""
        parts, sums, unknowns = derivatives.parts, derivatives.sums, sum(sizes[name] for name in starts)
        places = [-1] * len(parts)
        groups, cells, at = [], [], 0
        for blocks in _together(list(starts), parts):
            place = {name: k for k, name in enumerate(blocks)}
            groups.append(np.array([starts[name] for name in blocks], dtype=np.int64))
            cells.append(sizes[blocks[0]])
            for k, part in enumerate(parts):
                if part.row in place and part.column in place:
                    places[k] = at + (place[part.row] * len(blocks) + place[part.column]) * cells[-1]
            at += len(blocks) ** 2 * cells[-1]
        for k, part in enumerate(parts):
            if part.column in sums and part.row in starts:
                places[k] = at + sums.index(part.column) * unknowns + starts[part.row]
            elif part.row in sums and part.column in starts:
                places[k] = at + (len(sums) + sums.index(part.row)) * unknowns + starts[part.column]
        return cls(groups, cells, places, len(sums), unknowns)

    @property
    def own(self) -> int:
        """How many numbers D has."""
        return sum(len(starts) ** 2 * cells for starts, cells in zip(self.groups, self.cells, strict=True))

    @property
    def size(self) -> int:
        """How many numbers there are."""
        return self.own + 2 * self.rank * self.unknowns


class CellText(NamedTuple):
    """A module whose function writes the parts of D, U and W, and what these are, in its order."""

    source: str
    derivatives: CellDerivatives


_texts: weakref.WeakKeyDictionary[Program, CellText] = weakref.WeakKeyDictionary()


def cell_text(program: Program) -> CellText:
    """Return the text of a program; the same one again for each piece of a run.

    Raises
    ------
    SpecError
        As `CellDerivatives` does.
    """
    found = _texts.get(program)
    if found is None:
        derivatives = CellDerivatives(program)
        behind = [(part.name, part.of) for part in derivatives.parts]
        found = _texts[program] = CellText(text_of(derivatives.program, behind=behind), derivatives)
    return found


class CellJacobian:
    """D, U and W of a network whose cells meet in totals alone.

    Parameters
    ----------
    system : System
        The network.

    Raises
    ------
    SpecError
        As `cell_text` does.

    Attributes
    ----------
    groups : list of ndarray
        For each group of blocks of the state whose unknowns meet in a cell: where these begin.
    cells : list of int
        How many cells each group has.
    own : list of ndarray, shape (blocks, blocks, cells)
        D of each group: ``own[g][r, c, i]`` is the derivative of the slope of block r by block c in cell i.
    spread : ndarray, shape (sums, unknowns)
        U, how each slope changes with each sum.
    summed : ndarray, shape (sums, unknowns)
        W, how each sum changes with each unknown.
    """

    def __init__(self, system: System) -> None:
        program, text = system.program, cell_text(system.program)
        self._source, parts = text.source, text.derivatives.parts
        sizes = {name: v.size for name, v in zip(program.blocks, system.variables, strict=True)}
        starts = {name: v.start for name, v in zip(program.blocks, system.variables, strict=True)}
        sizes |= {name: array.size for name, array in program.arrays.items() if array is not None}
        plan = CellPlan.of(text.derivatives, starts, sizes)
        edges = system.size + np.cumsum([0, *(sizes[part.of] for part in parts)])
        self._out, numbers = room_apart(int(edges[-1])), np.zeros(plan.size)
        self._copies = [
            (numbers[place : place + b - a], self._out[a:b])
            for place, a, b in zip(plan.places, edges[:-1], edges[1:], strict=True)
            if place >= 0
        ]
        self.groups, self.cells, self.own = plan.groups, plan.cells, []
        at = 0
        for starts_of, cells in zip(plan.groups, plan.cells, strict=True):
            shape = len(starts_of), len(starts_of), cells
            self.own.append(numbers[at : at + math.prod(shape)].reshape(shape))
            at += math.prod(shape)
        self.spread, self.summed = numbers[at:].reshape(2, plan.rank, plan.unknowns)

    def of(self, fun: RightHandSide) -> RightHandSide:
        """Return the function that writes du/dt and what stands behind it, where `fun` holds."""
        return replace(fun, source=self._source)

    def update(self, function: RightHandSide, t: float, u: np.ndarray) -> None:
        """Let all parts be those of a time and a state; `function` comes from `of`."""
        function.into(t, u, self._out)
        for part, view in self._copies:
            part[...] = view


def _together(blocks: Sequence[str], parts: Sequence[Part]) -> list[list[str]]:
    """Return the blocks of the state in groups that meet in cells."""
    group = {name: {name} for name in blocks}
    for part in parts:
        if part.row in group and part.column in group and group[part.row] is not group[part.column]:
            joined = group[part.row] | group[part.column]
            group |= dict.fromkeys(joined, joined)
    return [[name for name in blocks if name in own] for own in dict.fromkeys(map(frozenset, group.values()))]


class _Writer:
    """Writes the statements of a right-hand side with those that compute its derivatives, cell by cell."""

    def __init__(self, linear: Linearized, sums: Sequence[str]) -> None:
        self.linear, self.sums = linear, sums
        self.parts: list[Part] = []
        self._arrays: dict[str, Tangents] = {}
        self._locals: dict[str, Tangents] = {}
        self._count = 0

    def statements(self, statements: Sequence[Statement]) -> Iterator[Statement]:
        """Yield the statements of the whole function."""
        for statement in statements:
            if isinstance(statement, Loop):
                self._locals = {name: {name: _ONE} for name in self.sums}
                yield replace(statement, body=tuple(self._of_cell(statement.body)))
            elif isinstance(statement, Assign) and self.linear.varies_with(statement.value):
                raise SpecError(f"{statement.target}: is made of sums outside of all cells")
            else:
                yield statement

    def _of_cell(self, body: Sequence[Statement]) -> Iterator[Statement]:
        for statement in body:
            assert isinstance(statement, Assign)
            change: Tangents = {}
            for factor in self.linear.factors(statement.value):
                tangents, value = self._tangents(factor.leaf), factor.value
                if not tangents or self._is_zero(value):
                    continue
                if not factor.plain:
                    kept = Local(f"c{self._count}")
                    self._count += 1
                    yield Assign(kept, value)
                    value = kept
                for seed, tangent in tangents.items():
                    term = value if tangent == _ONE else tangent if value == _ONE else value * tangent
                    change[seed] = change[seed] + term if seed in change else term
            yield statement
            yield from self._changed(statement, change)

    def _changed(self, statement: Assign, change: Tangents) -> Iterator[Statement]:
        """Yield the statements that keep how a target changes."""
        match statement.target, statement.symbol:
            case Local(name), "+=":  # a sum
                for seed, value in change.items():
                    yield Assign(self._part(name, seed, seed)[_I], value)
            case Local(name), _:
                self._locals[name] = {}
                for seed, value in change.items():
                    self._locals[name][seed] = Local(f"t_{name}_{seed}")
                    yield Assign(Local(f"t_{name}_{seed}"), value)
            case Element(Array(name, "work"), _), "=":
                self._arrays[name] = {}
                for seed, value in change.items():
                    self._arrays[name][seed] = self._part(name, seed, name)[_I]
                    yield Assign(self._part(name, seed, name)[_I], value)
            case Element(Array(name, "state"), _), "=":
                for seed, value in change.items():
                    yield Assign(self._part(name[1:], seed, name[1:])[_I], value)
            case target, symbol:
                raise SpecError(f"{target} {symbol}: is no statement of one cell")

    def _tangents(self, leaf: CodeExpression) -> Tangents:
        match leaf:
            case Element(Array(name, "state"), _):
                return {name: _ONE}
            case Element(Array(name, "work"), _):
                return self._arrays.get(name, {})
            case Local(name):
                return self._locals.get(name, {})
        return {}

    def _part(self, row: str, column: str, of: str) -> Array:
        """Return the array of a derivative; the same one if it is asked for again."""
        part = Part(f"d_{row}_by_{column}", row, column, of)
        if part not in self.parts:
            self.parts.append(part)
        return Array(part.name, "work")

    def _is_zero(self, value: CodeExpression) -> bool:
        """Tell whether a derivative is that of a function which does not read its argument."""
        match value:
            case Operation(left, "*", right):
                return self._is_zero(left) or self._is_zero(right)
            case Call(name, _):
                return self.linear.functions[name].source.rstrip().endswith(":\n    return 0.0")
        return False
