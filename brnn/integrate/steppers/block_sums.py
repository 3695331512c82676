"""What a pass makes of the cells of one block, compiled as it stands: stages, errors, and states within a step.

Functions take each array by itself, which shares memory with no other (NoAlias), so that their loops become vector
instructions without questions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, bits_of, number_of
from brnn.integrate.steppers.dormand_prince_steps import weights_within
from brnn.integrate.steppers.pairs.pair import CHANGE, ERROR, NEW

__all__ = [
    "keep_between",
    "new_state",
    "next_stage",
    "sizes",
    "speed_of",
    "step_error",
    "two_within",
    "within",
]

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_PASS = {"pipeline_class": NoAlias, "fastmath": {"contract", "reassoc"}, **_HELPER}
# Of what two functions compute, and must have the same bits in both.
_ALIKE = {"pipeline_class": NoAlias, **_HELPER}


@njit(**_PASS)
def next_stage(
    stage: int,
    h: float,
    u: np.ndarray,
    k0: np.ndarray,
    k1: np.ndarray,
    k2: np.ndarray,
    k3: np.ndarray,
    k4: np.ndarray,
    new: np.ndarray,
    pair: np.ndarray,
) -> None:
    """Write the state of a stage."""
    if stage == 1:
        a0 = pair[1, 0]
        for i in range(u.size):
            new[i] = u[i] + h * (a0 * k0[i])
    elif stage == 2:
        a0, a1 = pair[2, 0], pair[2, 1]
        for i in range(u.size):
            new[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i])
    elif stage == 3:
        a0, a1, a2 = pair[3, 0], pair[3, 1], pair[3, 2]
        for i in range(u.size):
            new[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i])
    elif stage == 4:
        a0, a1, a2, a3 = pair[4, 0], pair[4, 1], pair[4, 2], pair[4, 3]
        for i in range(u.size):
            new[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i] + a3 * k3[i])
    elif stage == 5:
        a0, a1, a2, a3, a4 = pair[5, 0], pair[5, 1], pair[5, 2], pair[5, 3], pair[5, 4]
        for i in range(u.size):
            new[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i] + a3 * k3[i] + a4 * k4[i])
    else:  # before the first step
        for i in range(u.size):
            new[i] = u[i] + h * k0[i]


@njit(**_PASS)
def new_state(
    h: float,
    u: np.ndarray,
    k0: np.ndarray,
    k2: np.ndarray,
    k3: np.ndarray,
    k4: np.ndarray,
    k5: np.ndarray,
    new: np.ndarray,
    pair: np.ndarray,
) -> float:
    """Write the new state over that of the stage before; return how far it is from it."""
    moved = np.int64(0)
    a0, a2, a3, a4, a5 = pair[NEW, 0], pair[NEW, 2], pair[NEW, 3], pair[NEW, 4], pair[NEW, 5]
    change = pair[NEW, CHANGE]
    for i in range(u.size):
        value = h * (a0 * k0[i] + a2 * k2[i] + a3 * k3[i] + a4 * k4[i] + a5 * k5[i])
        value = u[i] + (value + change * (new[i] - u[i]))
        moved = max(moved, bits_of(abs(value - new[i])))
        new[i] = value
    return number_of(moved)


@njit(**_PASS)
def step_error(
    h: float,
    u: np.ndarray,
    new: np.ndarray,
    k0: np.ndarray,
    k2: np.ndarray,
    k3: np.ndarray,
    k4: np.ndarray,
    k5: np.ndarray,
    k6: np.ndarray,
    rtol: float,
    atol: float,
    pair: np.ndarray,
) -> tuple[float, float, float]:
    """Return the largest error in units of its tolerance, the sum of squares, and how far the last slopes differ."""
    largest, turned, squares = np.int64(0), np.int64(0), 0.0
    e0, e2, e3, e4 = pair[ERROR, 0], pair[ERROR, 2], pair[ERROR, 3], pair[ERROR, 4]
    e5, e6, change = pair[ERROR, 5], pair[ERROR, 6], pair[ERROR, CHANGE]
    for i in range(u.size):
        turned = max(turned, bits_of(abs(k6[i] - k5[i])))
        error = h * (e0 * k0[i] + e2 * k2[i] + e3 * k3[i] + e4 * k4[i] + e5 * k5[i] + e6 * k6[i])
        error += change * (new[i] - u[i])
        error /= atol + rtol * max(abs(u[i]), abs(new[i]))
        largest = max(largest, bits_of(abs(error)))
        squares += error * error
    return number_of(largest), squares, number_of(turned)


@njit(**_PASS)
def sizes(u: np.ndarray, f: np.ndarray, g: np.ndarray, rtol: float, atol: float) -> tuple[float, float]:
    """Return the largest of |u| and of |f - g| in units of the tolerances."""
    state, speed = np.int64(0), np.int64(0)
    for i in range(u.size):
        scale = atol + rtol * abs(u[i])
        state, speed = max(state, bits_of(abs(u[i]) / scale)), max(speed, bits_of(abs(f[i] - g[i]) / scale))
    return number_of(state), number_of(speed)


@njit(**_PASS)
def speed_of(u: np.ndarray, f: np.ndarray, rtol: float, atol: float) -> tuple[float, float]:
    """Return the largest of |u| and of |f| in units of the tolerances."""
    state, speed = np.int64(0), np.int64(0)
    for i in range(u.size):
        scale = atol + rtol * abs(u[i])
        state, speed = max(state, bits_of(abs(u[i]) / scale)), max(speed, bits_of(abs(f[i]) / scale))
    return number_of(state), number_of(speed)


@njit(**_ALIKE)
def within(
    s: float, h: float, lowest: float, highest: float, u: np.ndarray, after: np.ndarray, k0: np.ndarray,
    k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Write the state after the part s of the last step, kept between bounds; return how far one was beyond them."""
    w0, w2, w3, w4, w5, w6, change = weights_within(s, h, pair)
    largest = np.int64(0)
    for i in range(out.size):
        value = w0 * k0[i] + w2 * k2[i] + w3 * k3[i] + w4 * k4[i] + w5 * k5[i] + w6 * k6[i]
        value = u[i] + (value + change * (after[i] - u[i]))
        kept = min(max(value, lowest), highest)
        largest = max(largest, bits_of(abs(kept - value)))
        out[i] = kept
    return number_of(largest)


@njit(**_ALIKE)
def two_within(
    s: float, r: float, h: float, lowest: float, highest: float, u: np.ndarray, after: np.ndarray,
    k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray,
    more: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Do that for two states: each slope is read once."""
    w0, w2, w3, w4, w5, w6, change = weights_within(s, h, pair)
    v0, v2, v3, v4, v5, v6, other = weights_within(r, h, pair)
    largest = np.int64(0)
    for i in range(out.size):
        value = w0 * k0[i] + w2 * k2[i] + w3 * k3[i] + w4 * k4[i] + w5 * k5[i] + w6 * k6[i]
        value = u[i] + (value + change * (after[i] - u[i]))
        kept = min(max(value, lowest), highest)
        largest = max(largest, bits_of(abs(kept - value)))
        out[i] = kept
        value = v0 * k0[i] + v2 * k2[i] + v3 * k3[i] + v4 * k4[i] + v5 * k5[i] + v6 * k6[i]
        value = u[i] + (value + other * (after[i] - u[i]))
        kept = min(max(value, lowest), highest)
        largest = max(largest, bits_of(abs(kept - value)))
        more[i] = kept
    return number_of(largest)


@njit(**_PASS)
def keep_between(lowest: float, highest: float, out: np.ndarray) -> float:
    """Project a state onto bounds that are equal; return by how much the unknown that was farthest outside moved."""
    largest = np.int64(0)
    for i in range(out.size):
        value = min(max(out[i], lowest), highest)
        largest = max(largest, bits_of(abs(value - out[i])))
        out[i] = value
    return number_of(largest)
