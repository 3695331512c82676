"""Slopes and Jacobians of one member whose cells meet in totals alone, in O(cells).

Where all that stands says a table, which `brnn.ensemble.cells` writes when a member first proves to be stiff.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from brnn.compiler.numba_internals import call_cells, call_lanes, part

from .control import INNER

# Places in the table: what is known; addresses of functions; how many groups, sums and copies there are; where in
# the table the edges, the groups and the copies begin; and where in the room which numbers do.
STATE, SLOPES, PARTS, FACTOR, SOLVE, GROUPS, RANK, COPIES = 0, 1, 2, 3, 4, 5, 6, 7
AT_N, AT_GROUPS, AT_COPIES = 8, 9, 10
AT_Q, AT_WORK, AT_OUT, AT_JACOBIAN, AT_INVERSES, AT_X, AT_CORE, AT_SUMS = 11, 12, 13, 14, 15, 16, 17, 18
HEAD = 19
# States: matrices of all unknowns are to be used; not known yet; now asked for; these here are.
DENSE, UNKNOWN, WANTED, READY = 0, 1, 2, 3


class Cells(NamedTuple):
    """The two arrays of the caller, by their addresses, and the whole numbers of the member."""

    table: Any
    room: Any
    whole: Any


@njit(**INNER)
def _call(cells, function, t, u, out):
    """Call a lane function of one lane."""
    c, room = cells.table, cells.room
    room[0] = t
    call_lanes(
        function, room, u, out, part(c, c[AT_N]), part(room, c[AT_Q]), part(room, c[AT_WORK]), room, cells.whole
    )  # fmt: skip


@njit(**INNER)
def slope(cells, t, u, out):
    """Write du/dt."""
    _call(cells, cells.table[SLOPES], t, u, out)


@njit(**INNER)
def jacobian(cells, t, u):
    """Write the Jacobian at a state."""
    c, room = cells.table, cells.room
    _call(cells, c[PARTS], t, u, part(room, c[AT_OUT]))
    for k in range(c[COPIES]):
        copy = part(c, c[AT_COPIES] + 3 * k)
        come, go = part(room, c[AT_WORK] + copy[0]), part(room, c[AT_JACOBIAN] + copy[1])
        for i in range(copy[2]):
            go[i] = come[i]


@njit(**INNER)
def factor(cells, size, m, pivots):
    """Make ready to solve with 1/m - J; return False if that is singular."""
    c = cells.table
    return call_cells(c[FACTOR], c, cells.room, size, m, pivots, cells.room) == 1


@njit(**INNER)
def solve(cells, size, m, pivots, b):
    """Replace b by the solution of (1/m - J) x = b."""
    c = cells.table
    call_cells(c[SOLVE], c, cells.room, size, m, pivots, b)
