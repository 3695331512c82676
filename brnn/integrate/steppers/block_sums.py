"""What a pass makes of the cells of one block, compiled as it stands: stages, errors, and states within a step.

Functions take each array by itself, which shares memory with no other (NoAlias), so that their loops become vector
instructions without questions.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, at_least, at_most, bits_of, number_of
from brnn.integrate.steppers.pair_steps import value_within, weights_within
from brnn.integrate.steppers.pairs.pair import CHANGE, ERROR, NEW

__all__ = [
    "four_within",
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


@njit(**_HELPER)
def _put(i: int, value: float, lowest: float, highest: float, out: np.ndarray) -> int:
    """Write an unknown, kept between bounds; return the bits of how far it was beyond them."""
    out[i] = at_most(at_least(value, lowest), highest)
    return bits_of(abs(out[i] - value))


@njit(**_ALIKE)
def within(
    s: float, h: float, lowest: float, highest: float, u: np.ndarray, after: np.ndarray, k0: np.ndarray,
    k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Write the state after the part s of the last step, kept between bounds; return how far one was beyond them."""
    w, k, largest = weights_within(s, h, pair), (k0, k2, k3, k4, k5, k6), np.int64(0)
    for i in range(out.size):
        largest = max(largest, _put(i, value_within(i, w, u, after, k), lowest, highest, out))
    return number_of(largest)


@njit(**_ALIKE)
def two_within(
    s: float, r: float, h: float, lowest: float, highest: float, u: np.ndarray, after: np.ndarray,
    k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray,
    more: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Do that for two states: each slope is read once."""
    w, v, largest = weights_within(s, h, pair), weights_within(r, h, pair), np.int64(0)
    k = (k0, k2, k3, k4, k5, k6)
    for i in range(out.size):
        one = _put(i, value_within(i, w, u, after, k), lowest, highest, out)
        largest = max(largest, max(one, _put(i, value_within(i, v, u, after, k), lowest, highest, more)))
    return number_of(largest)


@njit(**_ALIKE)
def four_within(
    parts: tuple[float, float, float, float], h: float, lowest: float, highest: float, u: np.ndarray,
    after: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray,
    out0: np.ndarray, out1: np.ndarray, out2: np.ndarray, out3: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Do that for four states."""
    w0, w1 = weights_within(parts[0], h, pair), weights_within(parts[1], h, pair)
    w2, w3 = weights_within(parts[2], h, pair), weights_within(parts[3], h, pair)
    k, largest = (k0, k2, k3, k4, k5, k6), np.int64(0)
    for i in range(out0.size):
        one = _put(i, value_within(i, w0, u, after, k), lowest, highest, out0)
        two = _put(i, value_within(i, w1, u, after, k), lowest, highest, out1)
        three = _put(i, value_within(i, w2, u, after, k), lowest, highest, out2)
        four = _put(i, value_within(i, w3, u, after, k), lowest, highest, out3)
        largest = max(largest, max(max(one, two), max(three, four)))
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
