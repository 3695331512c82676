"""Which members make stiff steps in O(cells), and what `brnn.ensemble.kernels.cells` needs for that.

A member whose cells meet in totals alone, and which has so many of them that it pays, solves with its exact Jacobian in
O(cells); all others solve with a matrix of all unknowns. The choice depends on the structure alone. It is made, and the
functions are compiled, when the first member proves to be stiff: most never do.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np

from brnn.compiler.cell_jacobian import CellDerivatives, CellPlan, CellText
from brnn.compiler.lanes import text_of_one
from brnn.compiler.program import Equations, Program
from brnn.compiler.statements import Array
from brnn.ensemble.arrays import EnsembleLayout
from brnn.ensemble.load import integrator, lane_function
from brnn.errors import SpecError

__all__ = ["CellSteps"]

FEWEST = 10  # unknowns for which it pays to compile the functions
# What a step evaluates costs about as much as so many multiplications for each unknown, in one lane and in all.
_EVALUATIONS, _EVALUATIONS_OF_LANES = 100, 1000


@functools.lru_cache(maxsize=256)
def _code(equations: Equations, constants: tuple[tuple[int, float], ...]) -> CellText | None:
    """Return the functions of equations whose cells meet in totals alone; None for others."""
    program = Program(
        equations.blocks,
        explicit=True,
        source=equations.source,
        names={array.name: array for array in equations.arrays},
        statements=list(equations.statements),
        # Without the values of one network, which may differ between members.
        functions={code.name: replace(code, parameters=()) for code in equations.functions},
    )
    try:
        derivatives = CellDerivatives(program)
    except SpecError:
        return None
    arrays = (*equations.arrays, *(Array(part.name, "work") for part in derivatives.parts))
    with_parts = replace(derivatives.program.equations, arrays=arrays)
    bodies = {"slopes": replace(equations, arrays=arrays), "parts": with_parts}
    return CellText(text_of_one(bodies, constants), derivatives)


class CellSteps:
    """How members of one layout make stiff steps.

    Parameters
    ----------
    layout : EnsembleLayout
        The layout.
    """

    def __init__(self, layout: EnsembleLayout) -> None:
        self.layout = layout

    def begin(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the table and the room, as `run_members` takes them, before it asks which way is taken."""
        return self._without(integrator("cells").UNKNOWN)

    def wanted(self, cells: tuple[np.ndarray, np.ndarray]) -> bool:
        """Tell whether `run_members` asks which way is taken."""
        kernel = integrator("cells")
        return bool(cells[0][kernel.STATE] == kernel.WANTED)

    def known(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the table and the room, now that it is asked which way is taken."""
        if self._made is None:
            return self._without(integrator("cells").DENSE)
        _, table, numbers = self._made
        return table.copy(), np.zeros(numbers)

    def _without(self, state: int) -> tuple[np.ndarray, np.ndarray]:
        table = np.zeros(integrator("cells").HEAD, np.int64)
        table[integrator("cells").STATE] = state
        return table, np.zeros(1)

    @property
    def words(self) -> str:
        """Which way it is, in words."""
        plan, unknowns = self.plan, self._unknowns
        if plan is None:
            return f"Rodas4, a matrix of {unknowns} x {unknowns}"
        return f"Rodas4 in O(cells), {' and '.join(map(str, plan.cells))} cells and rank {plan.rank}"

    @property
    def _unknowns(self) -> int:
        return int(self.layout.n[len(self.layout.equations.blocks)])

    @functools.cached_property
    def plan(self) -> CellPlan | None:
        """Where the numbers of the Jacobian stand, if steps in O(cells) are possible and pay; else None."""
        size = self._unknowns
        code = (
            _code(self.layout.equations, self.layout.constants)
            if size >= FEWEST and not self.layout.sides.size
            else None
        )
        if code is None:
            return None
        names, n = self.layout.equations.blocks, self.layout.n
        starts = dict(zip(names, n.tolist(), strict=False))
        plan = CellPlan.of(code.derivatives, starts, self._sizes)
        blocks = max(len(of) for of in plan.groups)
        price = plan.own * (blocks + 6) + plan.rank * size * (plan.rank + blocks + 12) + _EVALUATIONS * size
        return plan if price < 0.5 * size * (size**2 / 3 + 6 * size + _EVALUATIONS_OF_LANES) else None

    @property
    def _work(self) -> tuple[tuple[str, ...], int]:
        """The names of the work arrays, and the place in `n` where their edges begin."""
        equations = self.layout.equations
        return equations.names("work"), len(equations.blocks) + len(equations.names("values")) + 2

    @property
    def _sizes(self) -> dict[str, int]:
        """The sizes of blocks of the state and of work arrays."""
        blocks, (work, at), n = self.layout.equations.blocks, self._work, self.layout.n
        sizes = dict(zip(blocks, np.diff(n[: len(blocks) + 1]).tolist(), strict=True))
        return sizes | dict(zip(work, np.diff(n[at : at + len(work) + 1]).tolist(), strict=True))

    def places(self) -> tuple[np.ndarray, list[int], list[int], int]:
        """Return what the functions take as `n`; where in `work` each part begins, how long it is, and the room there.

        The parts are work arrays behind those of the lane function.
        """
        code = _code(self.layout.equations, self.layout.constants)
        assert code is not None
        (work, at), sizes, n = self._work, self._sizes, self.layout.n
        lengths = [sizes[part.of] for part in code.derivatives.parts]
        ends = self.layout.work + np.cumsum(lengths, dtype=np.int64)
        edges = np.concatenate([n[: at + len(work) + 1], ends, n[at + len(work) + 1 :]])
        return edges, [self.layout.work, *ends[:-1].tolist()], lengths, int(ends[-1])

    @functools.cached_property
    def _made(self) -> tuple[Any, np.ndarray, int] | None:
        """The compiled functions, which are held here, the table, and how many numbers the room has."""
        plan = self.plan
        if plan is None:
            return None
        code = _code(self.layout.equations, self.layout.constants)
        assert code is not None
        parts, kernel = lane_function(code.source, "parts"), integrator("cells")
        slopes, algebra = lane_function(code.source, "slopes"), integrator("cell_steps")
        unknowns, rank = plan.unknowns, plan.rank
        edges, begins, sizes, width = self.places()
        groups = np.concatenate([[len(of), cells, *of] for of, cells in zip(plan.groups, plan.cells, strict=True)])
        copies = np.array([copy for copy in zip(begins, plan.places, sizes, strict=True) if copy[1] >= 0])
        rows = self.layout.rows
        lengths = [8, rows, width, unknowns, plan.size, plan.own, rank * unknowns, rank * rank, rank]
        places = np.cumsum([0, *lengths])
        table = np.zeros(kernel.HEAD, np.int64)
        table[: kernel.COPIES + 1] = (
            kernel.READY, slopes.address, parts.address, algebra.factor.address, algebra.solve.address,
            len(plan.groups), rank, len(copies),
        )  # fmt: skip
        table[kernel.AT_N : kernel.AT_COPIES + 1] = kernel.HEAD + np.cumsum([0, edges.size, groups.size])
        table[kernel.AT_Q : kernel.AT_SUMS + 1] = places[1:-1]
        return (slopes, parts), np.concatenate([table, edges, groups, copies.ravel()]), int(places[-1])
