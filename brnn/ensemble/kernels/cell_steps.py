"""Linear algebra with the Jacobian of one member whose cells meet in totals alone, in O(cells).

It is D + U^T W, a small matrix for each cell and one of low rank (`brnn.compiler.cell_jacobian`). With A = 1 - m D the
formula of Sherman, Morrison and Woodbury solves with 1/m - J:

    x = m (y + m X^T (1 - m W X^T)^-1 W y),    y = A^-1 b,    X^T = A^-1 U^T.

It is a module of its own, compiled when a member needs it, and called at its addresses.
"""

from __future__ import annotations

from numba import carray, cfunc, njit

from brnn.compiler.numba_internals import CELLS_SIGNATURE, part

from . import matrices
from .cells import AT_CORE, AT_GROUPS, AT_INVERSES, AT_JACOBIAN, AT_OUT, AT_SUMS, AT_X, GROUPS, RANK
from .control import INNER, OPTIONS


@njit(**INNER)
def _apply(table, room, size, v, out):
    """Write A^-1 v."""
    group, inverse = part(table, table[AT_GROUPS]), part(room, table[AT_INVERSES])
    for i in range(size):
        out[i] = 0.0
    for _ in range(table[GROUPS]):
        blocks, count = group[0], group[1]
        matrices.add_product(
            1.0, carray(inverse, (blocks, blocks, count)), carray(part(group, 2), (blocks,)), carray(v, (size,)),
            carray(out, (size,)),
        )  # fmt: skip
        group, inverse = part(group, 2 + blocks), part(inverse, blocks * blocks * count)


@njit(**INNER)
def _dot(size, a, b):
    total = 0.0
    for i in range(size):
        total += a[i] * b[i]
    return total


@cfunc(CELLS_SIGNATURE, cache=True, **OPTIONS)
def factor(table, room, size, m, pivots, vector):
    """Make ready to solve with 1/m - J; return 0 if that is singular, else 1."""
    group, own, inverse, rank = (
        part(table, table[AT_GROUPS]),
        part(room, table[AT_JACOBIAN]),
        part(room, table[AT_INVERSES]),
        table[RANK],
    )
    for _ in range(table[GROUPS]):
        blocks, count = group[0], group[1]
        shape, step = (blocks, blocks, count), blocks * blocks * count
        matrices.invert(m, carray(own, shape), carray(inverse, shape))
        group, own, inverse = part(group, 2 + blocks), part(own, step), part(inverse, step)
    U, X, core = own, part(room, table[AT_X]), part(room, table[AT_CORE])  # U and W stand behind D
    W = part(U, rank * size)
    for r in range(rank):
        _apply(table, room, size, part(U, r * size), part(X, r * size))
    for i in range(rank):
        for j in range(rank):
            product = m * _dot(size, part(W, i * size), part(X, j * size))
            core[i * rank + j] = (1.0 if i == j else 0.0) - product
    return 1 if matrices.factor(rank, core, pivots) else 0


@cfunc(CELLS_SIGNATURE, cache=True, **OPTIONS)
def solve(table, room, size, m, pivots, vector):
    """Replace the vector b by the solution of (1/m - J) x = b; return 1."""
    rank, y, sums = table[RANK], part(room, table[AT_OUT]), part(room, table[AT_SUMS])
    W, X = part(room, table[AT_INVERSES] - rank * size), part(room, table[AT_X])
    _apply(table, room, size, vector, y)
    for r in range(rank):
        sums[r] = _dot(size, part(W, r * size), y)
    matrices.solve(rank, part(room, table[AT_CORE]), pivots, sums)
    for r in range(rank):
        total, row = m * sums[r], part(X, r * size)
        for i in range(size):
            y[i] += total * row[i]
    for i in range(size):
        vector[i] = m * y[i]
    return 1
