"""What a run of the field of `benchmarks.single_run` takes at least: its method as a bare loop, for it alone.

Dormand and Prince's method in Numba with the field's equations written into it, one thread: the same stages, control of
the step and states within steps as brnn's. Whatever makes brnn serve other networks is missing: a function that is
called by its address, numbers that come with the network, bounds, stiffness to be noticed, results with names.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from brnn.integrate.steppers.pair_steps import weights_within
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE

__all__ = ["bare_run"]

_PAIR = DORMAND_PRINCE.numbers


@njit(inline="always", error_model="numpy", fastmath=True, nogil=True)
def _slope(x: np.ndarray, signals: np.ndarray, dx: np.ndarray, A: float, B: float, gain: float, half: float) -> None:
    total = 0.0
    for i in range(x.size):
        w = x[i] * x[i]
        s = gain * w / (half + w)
        signals[i] = s
        total += s
    for i in range(x.size):
        dx[i] = -A * x[i] + (B - x[i]) * signals[i] - x[i] * (total - signals[i])


@njit(error_model="numpy", fastmath=True, nogil=True)
def bare_run(
    start: np.ndarray, times: np.ndarray, A: float, B: float, gain: float, half: float, rtol: float, atol: float,
    mean: bool,
) -> tuple[np.ndarray, int]:  # fmt: skip
    """Return the states at the saved times, of which the last ends the run, and the number of evaluations.

    Parameters
    ----------
    start, times : ndarray
        The first state, and the saved times.
    A, B, gain, half : float
        Of the field: rate of decay, upper bound, and of the signal gain w^2/(half + w^2).
    rtol, atol, mean : float, float, bool
        Tolerances, and whether they hold for the root mean square.
    """
    n = start.size
    u, new, signals = start.copy(), np.empty(n), np.empty(n)
    k0, k1, k2, k3 = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    k4, k5, k6 = np.empty(n), np.empty(n), np.empty(n)
    saved = np.empty((times.size, n))
    done, t, stop = 0, 0.0, times[-1]
    if times[0] == 0.0:
        saved[0] = u
        done = 1
    _slope(u, signals, k0, A, B, gain, half)
    speed, evaluations = 0.0, 1
    for i in range(n):
        speed = max(speed, abs(k0[i]) / (atol + rtol * abs(u[i])))
    h = 0.01 / rtol / speed if speed > 0.0 else stop
    while t < stop:
        h = min(h, stop - t)
        for i in range(n):
            new[i] = u[i] + h * (1 / 5 * k0[i])
        _slope(new, signals, k1, A, B, gain, half)
        for i in range(n):
            new[i] = u[i] + h * (3 / 40 * k0[i] + 9 / 40 * k1[i])
        _slope(new, signals, k2, A, B, gain, half)
        for i in range(n):
            new[i] = u[i] + h * (44 / 45 * k0[i] - 56 / 15 * k1[i] + 32 / 9 * k2[i])
        _slope(new, signals, k3, A, B, gain, half)
        for i in range(n):
            new[i] = u[i] + h * (19372 / 6561 * k0[i] - 25360 / 2187 * k1[i] + 64448 / 6561 * k2[i] - 212 / 729 * k3[i])
        _slope(new, signals, k4, A, B, gain, half)
        for i in range(n):
            new[i] = u[i] + h * (
                9017 / 3168 * k0[i] - 355 / 33 * k1[i] + 46732 / 5247 * k2[i] + 49 / 176 * k3[i] - 5103 / 18656 * k4[i]
            )
        _slope(new, signals, k5, A, B, gain, half)
        for i in range(n):
            new[i] = u[i] + h * (
                35 / 384 * k0[i] + 500 / 1113 * k2[i] + 125 / 192 * k3[i] - 2187 / 6784 * k4[i] + 11 / 84 * k5[i]
            )
        _slope(new, signals, k6, A, B, gain, half)
        evaluations += 6
        largest, squares = 0.0, 0.0
        for i in range(n):
            error = h * (
                -71 / 57600 * k0[i] + 71 / 16695 * k2[i] - 71 / 1920 * k3[i] + 17253 / 339200 * k4[i]
                - 22 / 525 * k5[i] + 1 / 40 * k6[i]
            )  # fmt: skip
            error = abs(error) / (atol + rtol * max(abs(u[i]), abs(new[i])))
            largest = max(largest, error)
            squares += error * error
        error = math.sqrt(squares / n) if mean else largest
        factor = min(10.0, max(0.2, 0.9 * error**-0.2)) if error > 0.0 else 10.0
        if error >= 1.0:
            h *= factor
            continue
        while done < times.size and times[done] <= t + h:
            s = (times[done] - t) / h
            w0, w2, w3, w4, w5, w6, _ = weights_within(s, h, _PAIR)
            for i in range(n):
                saved[done, i] = u[i] + (w0 * k0[i] + w2 * k2[i] + w3 * k3[i] + w4 * k4[i] + w5 * k5[i] + w6 * k6[i])
            done += 1
        t += h
        u, new, k0, k6 = new, u, k6, k0
        h *= factor
        if stop - t < 1e-12 * stop:
            break
    while done < times.size:
        saved[done] = u
        done += 1
    return saved, evaluations
