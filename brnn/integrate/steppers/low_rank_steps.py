"""Passes over the small matrices of many cells, compiled as they stand: matrix [r, c, i] is that of cell i.

Unknown r of cell i stands at ``starts[r] + i`` of a vector. The innermost loops are over cells, which are many.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias

__all__ = ["add_product", "invert"]

_OPTIONS = {"nogil": True, "error_model": "numpy", "pipeline_class": NoAlias}


@njit(**_OPTIONS)
def _shifted(m: float, own: np.ndarray, one: float, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = one - m * own[i]


@njit(**_OPTIONS)
def _inverted(pivot: np.ndarray, part: np.ndarray) -> None:
    for i in range(part.size):
        part[i] = 1.0 / pivot[i]
        pivot[i] = 1.0


@njit(**_OPTIONS)
def _scaled(part: np.ndarray, row: np.ndarray) -> None:
    for i in range(part.size):
        row[i] *= part[i]


@njit(**_OPTIONS)
def _taken(row: np.ndarray, part: np.ndarray) -> None:
    for i in range(part.size):
        part[i] = row[i]
        row[i] = 0.0


@njit(**_OPTIONS)
def _less(part: np.ndarray, row: np.ndarray, other: np.ndarray) -> None:
    for i in range(part.size):
        other[i] -= part[i] * row[i]


@njit(cache=True, nogil=True, error_model="numpy")
def invert(m: float, own: np.ndarray, inverse: np.ndarray) -> None:
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


@njit(**_OPTIONS)
def _added(h: float, own: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
    for i in range(own.size):
        out[i] += h * own[i] * v[i]


@njit(cache=True, nogil=True, error_model="numpy")
def add_product(h: float, own: np.ndarray, starts: np.ndarray, v: np.ndarray, out: np.ndarray) -> None:
    """Add h times each matrix times its cell's part of `v` to `out`."""
    cells = own.shape[2]
    for r in range(own.shape[0]):
        for c in range(own.shape[1]):
            _added(h, own[r, c], v[starts[c] : starts[c] + cells], out[starts[r] : starts[r] + cells])
