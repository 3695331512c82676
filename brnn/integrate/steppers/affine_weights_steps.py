"""Passes over weights whose learning law is affine, compiled as they stand.

In each stage of a Runge-Kutta method such weights are c z + sum_m w_m H_m: z are those at the beginning of the step,
H_m the driver of the law in stage m, at one end of the connections, and c and w_m belong to the other end. So no stage
of the weights is ever formed. Every function takes the rows of some target cells, so that threads can share the work;
each row is summed by one of them, in an order of its own.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, bits_of, number_of

_FAST = {"contract", "reassoc", "nsz"}

__all__ = ["by_source", "by_target", "factors", "products"]


@njit(cache=True, nogil=True, error_model="numpy")
def factors(
    start: float, h: float, a: np.ndarray, decay: np.ndarray, gain: np.ndarray, c: np.ndarray, w: np.ndarray,
    out: np.ndarray, out_w: np.ndarray,
) -> None:  # fmt: skip
    """Write c into `out` and w_m into the rows of `out_w` for start z + h sum_m a_m (gain_m H_m - decay_m z_m).

    z_m is stage m, whose factors are the rows of `c` and `w`.
    """
    out[:] = start
    for k in range(a.size):
        for i in range(out.size):
            out[i] -= h * a[k] * decay[k, i] * c[k, i]
    for m in range(a.size):
        for i in range(out.size):
            out_w[m, i] = h * a[m] * gain[m, i]
        for k in range(m + 1, a.size):
            for i in range(out.size):
                out_w[m, i] -= h * a[k] * decay[k, i] * w[k, m, i]


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)
def products(z: np.ndarray, v: np.ndarray, y: np.ndarray, first: int, last: int) -> None:
    """Write the product of z with v into `y`."""
    for j in range(first, last):
        total = 0.0
        for i in range(v.size):
            total += z[j, i] * v[i]
        y[j] = total


@njit(nogil=True, error_model="numpy", fastmath=_FAST, pipeline_class=NoAlias)
def _row_of_target(
    z: np.ndarray, new: np.ndarray, h0: np.ndarray, h1: np.ndarray, h2: np.ndarray, h3: np.ndarray,
    h4: np.ndarray, h5: np.ndarray, h6: np.ndarray, c: float, w: np.ndarray, ec: float, e: np.ndarray, rtol: float,
    atol: float, mean: bool,
) -> float:  # fmt: skip
    """Write the new weights of one target cell; return the largest scaled error, or (`mean`) the sum of squares."""
    largest, squares = np.int64(0), 0.0
    w0, w1, w2, w3, w4, w5, w6 = w[0], w[1], w[2], w[3], w[4], w[5], w[6]
    e0, e1, e2, e3, e4, e5, e6 = e[0], e[1], e[2], e[3], e[4], e[5], e[6]
    for i in range(z.size):
        value = c * z[i] + w0 * h0[i] + w1 * h1[i] + w2 * h2[i] + w3 * h3[i] + w4 * h4[i] + w5 * h5[i] + w6 * h6[i]
        error = ec * z[i] + e0 * h0[i] + e1 * h1[i] + e2 * h2[i] + e3 * h3[i] + e4 * h4[i] + e5 * h5[i] + e6 * h6[i]
        new[i] = value
        error /= atol + rtol * max(abs(z[i]), abs(value))
        largest = max(largest, bits_of(abs(error)))
        squares += error * error
    return squares if mean else number_of(largest)


@njit(cache=True, nogil=True, error_model="numpy")
def by_target(
    z: np.ndarray, new: np.ndarray, H: np.ndarray, c: np.ndarray, w: np.ndarray, ec: np.ndarray, e: np.ndarray,
    rtol: float, atol: float, mean: bool, largest: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Write the new weights, and each row's largest error or (`mean`) sum of squares, for laws of the target's rate.

    The rows of `H` are the drivers; `c` and the rows of `w` the factors of the new weights, `ec` and those of `e` of
    the error.
    """
    for j in range(first, last):
        largest[j] = _row_of_target(
            z[j], new[j], H[0], H[1], H[2], H[3], H[4], H[5], H[6], c[j], w[:, j], ec[j], e[:, j], rtol, atol,
            mean,
        )  # fmt: skip


@njit(nogil=True, error_model="numpy", fastmath=_FAST, pipeline_class=NoAlias)
def _row_of_sources(
    z: np.ndarray, new: np.ndarray, H: np.ndarray, c: np.ndarray, w0: np.ndarray, w1: np.ndarray,
    w2: np.ndarray, w3: np.ndarray, w4: np.ndarray, w5: np.ndarray, w6: np.ndarray, ec: np.ndarray, e0: np.ndarray,
    e1: np.ndarray, e2: np.ndarray, e3: np.ndarray, e4: np.ndarray, e5: np.ndarray, e6: np.ndarray, rtol: float,
    atol: float, mean: bool,
) -> float:  # fmt: skip
    """Do what `_row_of_target` does where c and w belong to the source cells, and the drivers to the target cell."""
    largest, squares = np.int64(0), 0.0
    h0, h1, h2, h3, h4, h5, h6 = H[0], H[1], H[2], H[3], H[4], H[5], H[6]
    for i in range(z.size):
        value = c[i] * z[i] + w0[i] * h0 + w1[i] * h1 + w2[i] * h2 + w3[i] * h3 + w4[i] * h4 + w5[i] * h5 + w6[i] * h6
        error = ec[i] * z[i] + e0[i] * h0 + e1[i] * h1 + e2[i] * h2 + e3[i] * h3 + e4[i] * h4 + e5[i] * h5 + e6[i] * h6
        new[i] = value
        error /= atol + rtol * max(abs(z[i]), abs(value))
        largest = max(largest, bits_of(abs(error)))
        squares += error * error
    return squares if mean else number_of(largest)


@njit(cache=True, nogil=True, error_model="numpy")
def by_source(
    z: np.ndarray, new: np.ndarray, H: np.ndarray, c: np.ndarray, w: np.ndarray, ec: np.ndarray, e: np.ndarray,
    rtol: float, atol: float, mean: bool, largest: np.ndarray, first: int, last: int,
) -> None:  # fmt: skip
    """Do what `by_target` does for laws whose rate is the source's."""
    for j in range(first, last):
        largest[j] = _row_of_sources(
            z[j], new[j], H[:, j], c, w[0], w[1], w[2], w[3], w[4], w[5], w[6], ec, e[0], e[1], e[2], e[3], e[4],
            e[5], e[6], rtol, atol, mean,
        )  # fmt: skip
