"""Passes over the rows of weights whose learning law is affine, compiled into `affine_weights_steps`.

The new weights of a row and their errors are sums over stages. They are bound by arithmetic, not by memory: fifteen
products for each weight.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, array_at, bits_of, number_of
from brnn.integrate.steppers.pairs.pair import STAGES

__all__ = [
    "AT", "BUT_SELF", "BY_TARGET", "DECAY", "DECAYS", "DRIVER", "DRIVERS", "EC", "ERRORS", "EW", "FAR", "GAIN",
    "GAINS", "HELPER", "LAST", "LINK", "NEAR", "OWN", "PASS_ALONE", "PRODUCT", "SENT", "SOURCES", "SPARE",
    "TARGETS", "TOTAL", "VECTOR", "C", "W", "factors", "new_of_sources", "new_of_target", "product", "row_within",
    "row_within_by_target",
]  # fmt: skip

# What is known of the weights of a projection, in whole numbers: how many cells are at its ends and at those whose rate
# it is and the others; where its weights begin in the state; which end that is, and whether no cell is connected with
# itself; then addresses: parts of the law and factors of the weights in each stage, what they are multiplied with, the
# products, errors of the rows and factors of errors, weights of cells to themselves, a row that nobody reads, and
# arrays of the right-hand side.
(
    TARGETS, SOURCES, NEAR, FAR, AT, BY_TARGET, BUT_SELF, DECAY, GAIN, DRIVER, C, W, VECTOR, PRODUCT, ERRORS, EC, EW,
    OWN, SPARE, SENT, DECAYS, GAINS, DRIVERS, TOTAL,
) = range(24)  # fmt: skip
LINK = 24
LAST = STAGES - 1

HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
# Of functions of arrays that share no memory.
PASS_ALONE = {"pipeline_class": NoAlias, "fastmath": {"contract", "reassoc", "nsz"}, **HELPER}


@njit(**PASS_ALONE)
def factors(
    start: float, h: float, a: np.ndarray, count: int, decay: np.ndarray, gain: np.ndarray, c: np.ndarray,
    w: np.ndarray, out: np.ndarray, out_w: np.ndarray,
) -> None:  # fmt: skip
    """Write c into `out` and w_m into `out_w` for start z + h sum_k a_k (gain_k H_k - decay_k z_k), k below `count`.

    z_k is stage k, whose factors are in `c` and `w`; each array has one stage after the other.
    """
    n = out.size
    out[:] = start
    for k in range(count):
        for i in range(n):
            out[i] -= h * a[k] * decay[k * n + i] * c[k * n + i]
    for m in range(count):
        for i in range(n):
            out_w[m * n + i] = h * a[m] * gain[m * n + i]
        for k in range(m + 1, count):
            for i in range(n):
                out_w[m * n + i] -= h * a[k] * decay[k * n + i] * w[(k * STAGES + m) * n + i]


@njit(**PASS_ALONE)
def product(z: np.ndarray, v: np.ndarray) -> float:
    """Return the product of a row with a vector."""
    total = 0.0
    for i in range(v.size):
        total += z[i] * v[i]
    return total


@njit(**PASS_ALONE)
def _row_of_target(
    z: np.ndarray, new: np.ndarray, h0: np.ndarray, h1: np.ndarray, h2: np.ndarray, h3: np.ndarray, h4: np.ndarray,
    h5: np.ndarray, h6: np.ndarray, c: float, w0: float, w1: float, w2: float, w3: float, w4: float, w5: float,
    ec: float, e0: float, e1: float, e2: float, e3: float, e4: float, e5: float, e6: float, rtol: float, atol: float,
    mean: bool,
) -> float:  # fmt: skip
    """Write the new weights of one target cell; return the largest scaled error, or (`mean`) the sum of squares."""
    largest, squares = np.int64(0), 0.0
    for i in range(z.size):
        value = c * z[i] + w0 * h0[i] + w1 * h1[i] + w2 * h2[i] + w3 * h3[i] + w4 * h4[i] + w5 * h5[i]
        error = ec * z[i] + e0 * h0[i] + e1 * h1[i] + e2 * h2[i] + e3 * h3[i] + e4 * h4[i] + e5 * h5[i] + e6 * h6[i]
        new[i] = value
        error /= atol + rtol * max(abs(z[i]), abs(value))
        largest = max(largest, bits_of(abs(error)))
        squares += error * error
    return squares if mean else number_of(largest)


@njit(**PASS_ALONE)
def _rows_of_sources(
    z: np.ndarray, y: np.ndarray, new_z: np.ndarray, new_y: np.ndarray, h0: float, h1: float, h2: float, h3: float,
    h4: float, h5: float, h6: float, g0: float, g1: float, g2: float, g3: float, g4: float, g5: float, g6: float,
    c: np.ndarray, w0: np.ndarray, w1: np.ndarray, w2: np.ndarray, w3: np.ndarray, w4: np.ndarray, w5: np.ndarray,
    ec: np.ndarray, e0: np.ndarray, e1: np.ndarray, e2: np.ndarray, e3: np.ndarray, e4: np.ndarray, e5: np.ndarray,
    e6: np.ndarray, rtol: float, atol: float, mean: bool,
) -> tuple[float, float]:  # fmt: skip
    """Do the same for two target cells, with drivers h and g, where the factors belong to the source cells.

    For two at once, as the factors are more than the first cache holds.
    """
    largest_z, squares_z, largest_y, squares_y = np.int64(0), 0.0, np.int64(0), 0.0
    for i in range(z.size):
        value = c[i] * z[i] + w0[i] * h0 + w1[i] * h1 + w2[i] * h2 + w3[i] * h3 + w4[i] * h4 + w5[i] * h5
        error = ec[i] * z[i] + e0[i] * h0 + e1[i] * h1 + e2[i] * h2 + e3[i] * h3 + e4[i] * h4 + e5[i] * h5 + e6[i] * h6
        new_z[i] = value
        error /= atol + rtol * max(abs(z[i]), abs(value))
        largest_z = max(largest_z, bits_of(abs(error)))
        squares_z += error * error
        value = c[i] * y[i] + w0[i] * g0 + w1[i] * g1 + w2[i] * g2 + w3[i] * g3 + w4[i] * g4 + w5[i] * g5
        error = ec[i] * y[i] + e0[i] * g0 + e1[i] * g1 + e2[i] * g2 + e3[i] * g3 + e4[i] * g4 + e5[i] * g5 + e6[i] * g6
        new_y[i] = value
        error /= atol + rtol * max(abs(y[i]), abs(value))
        largest_y = max(largest_y, bits_of(abs(error)))
        squares_y += error * error
    return (squares_z, squares_y) if mean else (number_of(largest_z), number_of(largest_y))


@njit(**HELPER)
def _rows(at: int, size: int) -> tuple[np.ndarray, ...]:
    """Return the rows of seven stages."""
    step = 8 * size
    return (
        array_at(at, size), array_at(at + step, size), array_at(at + 2 * step, size), array_at(at + 3 * step, size),
        array_at(at + 4 * step, size), array_at(at + 5 * step, size), array_at(at + 6 * step, size),
    )  # fmt: skip


@njit(**HELPER)
def new_of_target(
    link: np.ndarray, u: int, new: int, first: int, last: int, rtol: float, atol: float, mean: bool
) -> None:
    """Write new weights, errors and products of some rows, for a law of the target's rate."""
    n, m = link[SOURCES], link[TARGETS]
    h0, h1, h2, h3, h4, h5, h6 = _rows(link[DRIVER], n)
    c = array_at(link[C] + 8 * LAST * m, m)
    w0, w1, w2, w3, w4, w5, _ = _rows(link[W] + 8 * LAST * STAGES * m, m)
    ec = array_at(link[EC], m)
    e0, e1, e2, e3, e4, e5, e6 = _rows(link[EW], m)
    v, y, errors = array_at(link[VECTOR], n), array_at(link[PRODUCT], m), array_at(link[ERRORS], m)
    for j in range(first, last):
        at = 8 * (link[AT] + j * n)
        z, new_z = array_at(u + at, n), array_at(new + at, n)
        errors[j] = _row_of_target(
            z, new_z, h0, h1, h2, h3, h4, h5, h6, c[j], w0[j], w1[j], w2[j], w3[j], w4[j], w5[j], ec[j], e0[j], e1[j],
            e2[j], e3[j], e4[j], e5[j], e6[j], rtol, atol, mean,
        )  # fmt: skip
        y[j] = product(new_z, v)


@njit(**HELPER)
def new_of_sources(
    link: np.ndarray, u: int, new: int, first: int, last: int, rtol: float, atol: float, mean: bool
) -> None:
    """Do the same for a law of the source's rate."""
    n, m = link[SOURCES], link[TARGETS]
    h0, h1, h2, h3, h4, h5, h6 = _rows(link[DRIVER], m)
    c = array_at(link[C] + 8 * LAST * n, n)
    w0, w1, w2, w3, w4, w5, _ = _rows(link[W] + 8 * LAST * STAGES * n, n)
    ec = array_at(link[EC], n)
    e0, e1, e2, e3, e4, e5, e6 = _rows(link[EW], n)
    v, y, errors = array_at(link[VECTOR], n), array_at(link[PRODUCT], m), array_at(link[ERRORS], m)
    for j in range(first, last, 2):
        k = min(j + 1, last - 1)
        at, to = 8 * (link[AT] + j * n), 8 * (link[AT] + k * n)
        new_j, new_k = array_at(new + at, n), array_at(new + to if k > j else link[SPARE], n)
        errors[j], errors[k] = _rows_of_sources(
            array_at(u + at, n), array_at(u + to, n), new_j, new_k, h0[j], h1[j], h2[j], h3[j], h4[j], h5[j], h6[j],
            h0[k], h1[k], h2[k], h3[k], h4[k], h5[k], h6[k], c, w0, w1, w2, w3, w4, w5, ec, e0, e1, e2, e3, e4, e5, e6,
            rtol, atol, mean,
        )  # fmt: skip
        y[j], y[k] = product(new_j, v), product(new_k, v)


@njit(**PASS_ALONE)
def row_within(c: np.ndarray, w: np.ndarray, h: np.ndarray, z: np.ndarray, j: int, far: int, out: np.ndarray) -> None:
    """Write row j of c z + sum_m w_m H_m, where c and w_m belong to the source cells."""
    n = z.size
    for i in range(n):
        out[i] = c[i] * z[i]
    for m in range(STAGES):
        for i in range(n):
            out[i] += w[m * n + i] * h[m * far + j]


@njit(**PASS_ALONE)
def row_within_by_target(
    c: np.ndarray, w: np.ndarray, h: np.ndarray, z: np.ndarray, j: int, near: int, out: np.ndarray
) -> None:
    """Do the same where they belong to the target cell."""
    n = z.size
    for i in range(n):
        out[i] = c[j] * z[i]
    for m in range(STAGES):
        for i in range(n):
            out[i] += w[m * near + j] * h[m * n + i]
