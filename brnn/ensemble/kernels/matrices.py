"""Linear algebra: the LU factors of one matrix, and passes over the small matrices of many cells.

In an array of small ones [r, c, i] is that of cell i, and unknown r of cell i stands at ``starts[r] + i`` of a vector.
The innermost loops are over cells, which are many.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias

from .control import INNER, OPTIONS

_INNERMOST = {**OPTIONS, "pipeline_class": NoAlias}


@njit(**INNER)
def factor(size, M, pivots):
    """Replace M by its LU factors, with partial pivoting; return False if it is singular."""
    for k in range(size):
        best, row = abs(M[k * size + k]), k
        for i in range(k + 1, size):
            if abs(M[i * size + k]) > best:
                best, row = abs(M[i * size + k]), i
        pivots[k] = row
        if not best > 0.0:
            return False
        if row != k:
            for j in range(size):
                M[k * size + j], M[row * size + j] = M[row * size + j], M[k * size + j]
        for i in range(k + 1, size):
            ratio = M[i * size + k] / M[k * size + k]
            M[i * size + k] = ratio
            if ratio != 0.0:
                for j in range(k + 1, size):
                    M[i * size + j] -= ratio * M[k * size + j]
    return True


@njit(**INNER)
def solve(size, M, pivots, b):
    """Replace b by the solution of M x = b."""
    for k in range(size):
        row = pivots[k]
        if row != k:
            b[k], b[row] = b[row], b[k]
    for i in range(size):
        total = b[i]
        for j in range(i):
            total -= M[i * size + j] * b[j]
        b[i] = total
    for i in range(size - 1, -1, -1):
        total = b[i]
        for j in range(i + 1, size):
            total -= M[i * size + j] * b[j]
        b[i] = total / M[i * size + i]


@njit(**_INNERMOST)
def _shifted(m, own, one, out):
    for i in range(out.size):
        out[i] = one - m * own[i]


@njit(**_INNERMOST)
def _inverted(pivot, part):
    for i in range(part.size):
        part[i] = 1.0 / pivot[i]
        pivot[i] = 1.0


@njit(**_INNERMOST)
def _scaled(part, row):
    for i in range(part.size):
        row[i] *= part[i]


@njit(**_INNERMOST)
def _taken(row, part):
    for i in range(part.size):
        part[i] = row[i]
        row[i] = 0.0


@njit(**_INNERMOST)
def _less(part, row, other):
    for i in range(part.size):
        other[i] -= part[i] * row[i]


@njit(cache=True, **OPTIONS)
def invert(m, own, inverse):
    """Write the inverse of 1 - m times each matrix; what is singular becomes infinite or no number.

    By Gauss and Jordan in place, from the last unknown of a cell to the first. Gates, which come last, only relax, so
    that their pivots are at least 1; that of an activity is 0 only where the matrix of both is nearly singular.
    """
    size, cells = own.shape[1], own.shape[2]
    part = np.empty(cells)
    for r in range(size):
        for c in range(size):
            _shifted(m, own[r, c], 1.0 if r == c else 0.0, inverse[r, c])
    for k in range(size - 1, -1, -1):
        _inverted(inverse[k, k], part)
        for c in range(size):
            _scaled(part, inverse[k, c])
        for r in range(size):
            if r != k:
                _taken(inverse[r, k], part)
                for c in range(size):
                    _less(part, inverse[k, c], inverse[r, c])


@njit(**_INNERMOST)
def _added(h, own, v, out):
    for i in range(own.size):
        out[i] += h * own[i] * v[i]


@njit(cache=True, **OPTIONS)
def add_product(h, own, starts, v, out):
    """Add h times each matrix times its cell's part of `v` to `out`."""
    cells = own.shape[2]
    for r in range(own.shape[0]):
        for c in range(own.shape[1]):
            _added(h, own[r, c], v[starts[c] : starts[c] + cells], out[starts[r] : starts[r] + cells])
