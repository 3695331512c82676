"""Passes over very many unknowns, compiled as they stand: stage sums, errors and states inside of a step.

The memory's bandwidth is their cost, so that each reads and writes everything once. Every function takes a range of
blocks, so that threads can share a pass; each number is computed in the same way in any of them.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, array_at, bits_of, number_of, place_of
from brnn.integrate.steppers.pairs.pair import CHANGE

__all__ = ["BLOCK", "errors", "new", "stage", "within"]

BLOCK = 4096  # unknowns
_OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract", "reassoc"}, "pipeline_class": NoAlias}


@njit(nogil=True)
def _some(values: np.ndarray, block: int) -> np.ndarray:
    """Return the numbers of one block as an array that is not counted."""
    start = block * BLOCK
    return array_at(place_of(values) + 8 * start, min(BLOCK, values.size - start))


@njit(**_OPTIONS)
def _stage(
    u: np.ndarray, k0: np.ndarray, k1: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, a: np.ndarray,
    h: float, out: np.ndarray,
) -> None:  # fmt: skip
    n = out.size
    if a.size == 1:
        for i in range(n):
            out[i] = u[i] + h * (a[0] * k0[i])
    elif a.size == 2:
        for i in range(n):
            out[i] = u[i] + h * (a[0] * k0[i] + a[1] * k1[i])
    elif a.size == 3:
        for i in range(n):
            out[i] = u[i] + h * (a[0] * k0[i] + a[1] * k1[i] + a[2] * k2[i])
    elif a.size == 4:
        for i in range(n):
            out[i] = u[i] + h * (a[0] * k0[i] + a[1] * k1[i] + a[2] * k2[i] + a[3] * k3[i])
    else:
        for i in range(n):
            out[i] = u[i] + h * (a[0] * k0[i] + a[1] * k1[i] + a[2] * k2[i] + a[3] * k3[i] + a[4] * k4[i])


@njit(cache=True, nogil=True)
def stage(
    u: np.ndarray, k0: np.ndarray, k1: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, a: np.ndarray,
    h: float, out: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Write u + h sum_j a_j k_j, the sum being over as many slopes as there are numbers in `a`, at most five."""
    for b in range(first, last):
        _stage(_some(u, b), _some(k0, b), _some(k1, b), _some(k2, b), _some(k3, b), _some(k4, b), a, h, _some(out, b))


@njit(**_OPTIONS)
def _new(
    u: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, a: np.ndarray,
    h: float, out: np.ndarray,
) -> float:  # fmt: skip
    most = np.int64(0)
    for i in range(out.size):
        value = h * (a[0] * k0[i] + a[2] * k2[i] + a[3] * k3[i] + a[4] * k4[i] + a[5] * k5[i])
        value = u[i] + (value + a[CHANGE] * (out[i] - u[i]))
        most = max(most, bits_of(abs(value - out[i])))
        out[i] = value
    return number_of(most)


@njit(cache=True, nogil=True)
def new(
    u: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, a: np.ndarray,
    h: float, out: np.ndarray, moved: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Write the new state over that of the stage before, and how far each block moves at most."""
    for b in range(first, last):
        moved[b] = _new(
            _some(u, b), _some(k0, b), _some(k2, b), _some(k3, b), _some(k4, b), _some(k5, b), a, h, _some(out, b)
        )


@njit(**_OPTIONS)
def _largest(
    u: np.ndarray, new: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray,
    k6: np.ndarray, e: np.ndarray, h: float, rtol: float, atol: float, mean: bool,
) -> tuple[float, float]:  # fmt: skip
    most, turned, squares = np.int64(0), np.int64(0), 0.0
    for i in range(u.size):
        error = h * (e[0] * k0[i] + e[2] * k2[i] + e[3] * k3[i] + e[4] * k4[i] + e[5] * k5[i] + e[6] * k6[i])
        error += e[CHANGE] * (new[i] - u[i])
        error /= atol + rtol * max(abs(u[i]), abs(new[i]))
        most = max(most, bits_of(abs(error)))
        turned = max(turned, bits_of(abs(k6[i] - k5[i])))
        squares += error * error
    return squares if mean else number_of(most), number_of(turned)


@njit(cache=True, nogil=True)
def errors(
    u: np.ndarray, new: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray,
    k6: np.ndarray, e: np.ndarray, h: float, rtol: float, atol: float, mean: bool, errors: np.ndarray,
    turned: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Write the largest estimated error of each block in units of the tolerance, or (`mean`) the sum of their squares.

    Also write by how much du/dt differs at most between the last two stages.
    """
    for b in range(first, last):
        errors[b], turned[b] = _largest(
            _some(u, b), _some(new, b), _some(k0, b), _some(k2, b), _some(k3, b), _some(k4, b), _some(k5, b),
            _some(k6, b), e, h, rtol, atol, mean,
        )  # fmt: skip


@njit(**_OPTIONS)
def _within(
    u: np.ndarray, after: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray,
    k6: np.ndarray, a: np.ndarray, h: float, out: np.ndarray,
) -> None:  # fmt: skip
    for i in range(u.size):
        value = a[0] * k0[i] + a[2] * k2[i] + a[3] * k3[i] + a[4] * k4[i] + a[5] * k5[i] + a[6] * k6[i]
        out[i] = u[i] + (h * value + a[CHANGE] * (after[i] - u[i]))


@njit(cache=True, nogil=True)
def within(
    u: np.ndarray, after: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray,
    k6: np.ndarray, a: np.ndarray, h: float, out: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Write a state inside of the last step, which goes from u to `after`."""
    for b in range(first, last):
        _within(
            _some(u, b), _some(after, b), _some(k0, b), _some(k2, b), _some(k3, b), _some(k4, b), _some(k5, b),
            _some(k6, b), a, h, _some(out, b),
        )  # fmt: skip
