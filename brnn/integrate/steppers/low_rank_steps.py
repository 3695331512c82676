"""Passes over the small matrices of many cells, compiled as they stand: matrix [r, c, i] is that of cell i.

Unknown r of cell i stands at ``starts[r] + i`` of a vector.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias

__all__ = ["add_product", "invert"]


@njit(cache=True, nogil=True, error_model="numpy", pipeline_class=NoAlias)
def invert(m: float, own: np.ndarray, inverse: np.ndarray) -> None:
    """Write the inverse of 1 - m times each matrix; what is singular becomes infinite or no number."""
    size, cells = own.shape[1], own.shape[2]
    if size == 1:
        for i in range(cells):
            inverse[0, 0, i] = 1.0 / (1.0 - m * own[0, 0, i])
        return
    if size == 2:
        for i in range(cells):
            a, b, c, d = 1.0 - m * own[0, 0, i], -m * own[0, 1, i], -m * own[1, 0, i], 1.0 - m * own[1, 1, i]
            part = 1.0 / (a * d - b * c)
            inverse[0, 0, i], inverse[0, 1, i], inverse[1, 0, i], inverse[1, 1, i] = (
                d * part,
                -b * part,
                -c * part,
                a * part,
            )
        return
    M = np.empty((size, 2 * size))
    for i in range(cells):
        for r in range(size):
            for c in range(size):
                M[r, c] = -m * own[r, c, i]
                M[r, size + c] = 0.0
            M[r, r] += 1.0
            M[r, size + r] = 1.0
        for k in range(size):  # Gauss and Jordan, with partial pivoting
            row = k
            for r in range(k + 1, size):
                if abs(M[r, k]) > abs(M[row, k]):
                    row = r
            part = 1.0 / M[row, k]
            for c in range(2 * size):
                M[k, c], M[row, c] = M[row, c], M[k, c]
            for c in range(2 * size):
                M[k, c] *= part
            for r in range(size):
                if r != k:
                    part = M[r, k]
                    for c in range(2 * size):
                        M[r, c] -= part * M[k, c]
        for r in range(size):
            for c in range(size):
                inverse[r, c, i] = M[r, size + c]


@njit(cache=True, nogil=True, error_model="numpy", pipeline_class=NoAlias)
def add_product(h: float, own: np.ndarray, starts: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
    """Add h times each matrix times its cell's part of `v` to `out`."""
    cells = own.shape[2]
    for r in range(own.shape[0]):
        for c in range(own.shape[1]):
            a, b = starts[r], starts[c]
            for i in range(cells):
                out[a + i] += h * own[r, c, i] * v[b + i]
