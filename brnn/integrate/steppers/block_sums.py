"""What a pass makes of the cells of one block, compiled as it stands: stages, errors, and states within a step.

Functions take each array by itself, which shares memory with no other (NoAlias), so that their loops become vector
instructions without questions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, bits_of, number_of
from brnn.integrate.steppers.dormand_prince_steps import _E, weights_within

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
) -> None:
    """Write the state of a stage."""
    if stage == 1:
        for i in range(u.size):
            new[i] = u[i] + h * (1 / 5 * k0[i])
    elif stage == 2:
        for i in range(u.size):
            new[i] = u[i] + h * (3 / 40 * k0[i] + 9 / 40 * k1[i])
    elif stage == 3:
        for i in range(u.size):
            new[i] = u[i] + h * (44 / 45 * k0[i] - 56 / 15 * k1[i] + 32 / 9 * k2[i])
    elif stage == 4:
        for i in range(u.size):
            new[i] = u[i] + h * (19372 / 6561 * k0[i] - 25360 / 2187 * k1[i] + 64448 / 6561 * k2[i] - 212 / 729 * k3[i])
    elif stage == 5:
        for i in range(u.size):
            new[i] = u[i] + h * (
                9017 / 3168 * k0[i] - 355 / 33 * k1[i] + 46732 / 5247 * k2[i] + 49 / 176 * k3[i] - 5103 / 18656 * k4[i]
            )
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
) -> float:
    """Write the new state over that of the stage before; return how far it is from it."""
    moved = np.int64(0)
    for i in range(u.size):
        value = u[i] + h * (
            35 / 384 * k0[i] + 500 / 1113 * k2[i] + 125 / 192 * k3[i] - 2187 / 6784 * k4[i] + 11 / 84 * k5[i]
        )
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
) -> tuple[float, float, float]:
    """Return the largest error in units of its tolerance, the sum of squares, and how far the last slopes differ."""
    largest, turned, squares = np.int64(0), np.int64(0), 0.0
    for i in range(u.size):
        turned = max(turned, bits_of(abs(k6[i] - k5[i])))
        error = h * (_E[0] * k0[i] + _E[2] * k2[i] + _E[3] * k3[i] + _E[4] * k4[i] + _E[5] * k5[i] + _E[6] * k6[i])
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
    s: float, h: float, lowest: float, highest: float, u: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray,
    k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray,
) -> float:  # fmt: skip
    """Write the state after the part s of the last step, kept between bounds; return how far one was beyond them."""
    w0, w2, w3, w4, w5, w6 = weights_within(s, h)
    largest = np.int64(0)
    for i in range(out.size):
        value = u[i] + (w0 * k0[i] + w2 * k2[i] + w3 * k3[i] + w4 * k4[i] + w5 * k5[i] + w6 * k6[i])
        kept = min(max(value, lowest), highest)
        largest = max(largest, bits_of(abs(kept - value)))
        out[i] = kept
    return number_of(largest)


@njit(**_ALIKE)
def two_within(
    s: float, r: float, h: float, lowest: float, highest: float, u: np.ndarray, k0: np.ndarray, k2: np.ndarray,
    k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray, more: np.ndarray,
) -> float:  # fmt: skip
    """Do that for two states: each slope is read once."""
    w0, w2, w3, w4, w5, w6 = weights_within(s, h)
    v0, v2, v3, v4, v5, v6 = weights_within(r, h)
    largest = np.int64(0)
    for i in range(out.size):
        value = u[i] + (w0 * k0[i] + w2 * k2[i] + w3 * k3[i] + w4 * k4[i] + w5 * k5[i] + w6 * k6[i])
        kept = min(max(value, lowest), highest)
        largest = max(largest, bits_of(abs(kept - value)))
        out[i] = kept
        value = u[i] + (v0 * k0[i] + v2 * k2[i] + v3 * k3[i] + v4 * k4[i] + v5 * k5[i] + v6 * k6[i])
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
