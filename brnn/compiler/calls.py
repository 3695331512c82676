"""Call a generated right-hand side from Python."""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import call_rhs, place_of

__all__ = ["call_at"]


@njit(cache=True, nogil=True)
def call_at(function: int, t: float, u: np.ndarray, du: np.ndarray, table: np.ndarray) -> None:
    """Call the function at the address `function` (see brnn.compiler.module_text)."""
    call_rhs(function, t, place_of(u), place_of(du), place_of(table))
