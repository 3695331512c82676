"""Steps of Dormand and Prince that are kept, made again, and read backward: exact derivatives of the steps themselves.

What a step makes of small changes is known from its stages alone (the discrete adjoint). So the derivatives are those
of the computed states, whatever the tolerance. This file is run from a copy in the cache folder, with that of the steps
(brnn.compiler.cache.load_copy).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import call_rhs, place_of
from brnn.integrate.steppers.pair_steps import (
    NOW,
    PLACES,
    ROW,
    RUNNING,
    STEPS,
    _stages,
    advance,
)
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE

_A = DORMAND_PRINCE.rows
_C = DORMAND_PRINCE.nodes
_P = DORMAND_PRINCE.inside


@njit(cache=True, nogil=True, error_model="numpy")
def kept_steps(
    function: int, table: np.ndarray, moments: np.ndarray, counts: np.ndarray, states: np.ndarray, K: np.ndarray,
    stage: np.ndarray, stop: float, longest: float, rtol: float, atol: float, times: np.ndarray, saved: np.ndarray,
    ends: np.ndarray, after: np.ndarray, pair: np.ndarray,
) -> tuple[int, int, int]:  # fmt: skip
    """Make steps until `stop`, or until `ends` is full: write the time and the state after each.

    Return the status, how many rows of `saved` were written, and how many steps were made.
    """
    none = np.empty(0)
    nowhere = np.empty((0, 3), np.int64), np.empty((0, 2)), np.empty(0, np.uint8)  # nothing is watched
    stages = np.empty((0, PLACES), np.int64)
    done, made, status = 0, 0, RUNNING
    while status == RUNNING and made < ends.size:
        steps = counts[STEPS]
        status, rows = advance(
            function, table, 0.0, moments, counts, states, K, stage, stop, longest, rtol, atol, times[done:],
            saved[done:], none, none, 1, False, *nowhere, stages, pair,
        )  # fmt: skip
        done += rows
        if counts[STEPS] > steps:
            ends[made] = moments[NOW]
            after[made] = states[counts[ROW]]
            made += 1
    return status, done, made


@njit(cache=True, nogil=True, error_model="numpy")
def made_again(
    function: int, table: np.ndarray, ends: np.ndarray, states: np.ndarray, K: np.ndarray, pair: np.ndarray
) -> None:
    """Fill the states after the steps that end at ``ends[1:]`` from the first, at ``ends[0]``."""
    n = states.shape[1]
    stage, place = np.empty(n), place_of(table)
    for s in range(ends.size - 1):
        call_rhs(function, ends[s], place_of(states[s]), place_of(K[0]), place)
        _stages(
            function, place, ends[s], ends[s + 1] - ends[s], states[s], K[0], K[1], K[2], K[3], K[4], K[5], K[6],
            stage, states[s + 1], pair,
        )  # fmt: skip


@njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def _read(backward: int, places: int, t: float, both: np.ndarray, out: np.ndarray, n: int, total: np.ndarray) -> None:
    """Read f backward at the state and weights in `both`; add what it says of the arguments to `total`."""
    call_rhs(backward, t, place_of(both), place_of(out), places)
    for i in range(total.size):
        total[i] += out[2 * n + i]


@njit(cache=True, nogil=True, error_model="numpy")
def read_backward(
    function: int, table: np.ndarray, backward: int, other: np.ndarray, ends: np.ndarray, states: np.ndarray,
    K: np.ndarray, times: np.ndarray, weights: np.ndarray, adjoint: np.ndarray, total: np.ndarray,
    pair: np.ndarray,
) -> None:  # fmt: skip
    """Take `adjoint`, the derivative by the last of `states`, back to the first; add to `total` that by arguments.

    Parameters
    ----------
    times, weights
        Saved times within the steps, rising, and the derivatives by the states there.
    """
    n = states.shape[1]
    place, places = place_of(table), place_of(other)
    stages, bars = np.empty((7, n)), np.empty((7, n))
    both, out, stage = np.empty(2 * n), np.empty(2 * n + total.size), np.empty(n)
    row = times.size - 1
    for s in range(ends.size - 2, -1, -1):
        t, h = ends[s], ends[s + 1] - ends[s]
        u = states[s]
        call_rhs(function, t, place_of(u), place_of(K[0]), place)
        _stages(function, place, t, h, u, K[0], K[1], K[2], K[3], K[4], K[5], K[6], stage, stages[6], pair)
        stages[0] = u
        for j in range(1, 6):
            for i in range(n):
                value = 0.0
                for k in range(j):
                    value += _A[j][k] * K[k, i]
                stages[j, i] = u[i] + h * value
        bars[:] = 0.0
        at_start = np.zeros(n)
        dense = False
        while row >= 0 and times[row] > t:
            r = (times[row] - t) / h
            if r >= 1.0:
                for i in range(n):
                    adjoint[i] += weights[row, i]
            else:
                dense = True
                for k in range(7):
                    w = h * r * (_P[k][0] + r * (_P[k][1] + r * (_P[k][2] + r * _P[k][3])))
                    for i in range(n):
                        bars[k, i] += w * weights[row, i]
                for i in range(n):
                    at_start[i] += weights[row, i]
            row -= 1
        if dense:
            both[:n], both[n:] = stages[6], bars[6]
            _read(backward, places, t + h, both, out, n, total)
            for i in range(n):
                adjoint[i] += out[n + i]
        for k in range(6):
            for i in range(n):
                bars[k, i] += h * _A[6][k] * adjoint[i]
        for j in range(5, -1, -1):
            both[:n], both[n:] = stages[j], bars[j]
            _read(backward, places, t + _C[j] * h, both, out, n, total)
            for i in range(n):
                adjoint[i] += out[n + i]
            for k in range(j):
                for i in range(n):
                    bars[k, i] += h * _A[j][k] * out[n + i]
        for i in range(n):
            adjoint[i] += at_start[i]
