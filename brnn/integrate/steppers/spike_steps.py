"""Equal steps of Euler's method with spikes, compiled as they stand: see `brnn.integrate.methods.equal_steps`.

This file is run from a copy in the cache folder (brnn.compiler.cache.load_copy).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import call_rhs, place_of

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_NOTHING = 1e-290  # traces fall off until they have no digits left, with which processors are slow
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@njit(**_HELPER)
def drawn(key: int, number: int) -> float:
    """Return number `number` of the sequence SplitMix64 that begins with `key`, as a float in [0, 1)."""
    z = key + (np.uint64(number) + np.uint64(1)) * _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(**_HELPER)
def poisson(mean: float, uniform: float) -> int:
    """Return the Poisson number that belongs to a uniform one: by inversion, which small means make cheap."""
    count, term = 0, np.exp(-mean)
    below = term
    while uniform >= below and count < 1000:
        count += 1
        term *= mean / count
        below += term
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def draw(key: np.ndarray, number: int) -> float:
    """Return what is drawn with a number."""
    return drawn(key[0], number)


@njit(cache=True, nogil=True, error_model="numpy")
def steps(
    function: int, table: np.ndarray, before: float, shift: float, h: float, first: int, last: int, number: int,
    u: np.ndarray, du: np.ndarray, moving: int, firing: np.ndarray, levels: np.ndarray, traces: np.ndarray,
    jumps: np.ndarray, pending: np.ndarray, keys: np.ndarray, times: np.ndarray, whose: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Make the steps `first` to `last` of those that begin at `before`; return where it stopped, and the spikes.

    Parameters
    ----------
    function, table : int, ndarray
        The function that lets weights make a step, and what it reads.
    before, shift, h : float
        When step 0 begins, time of the schedules minus time of the run, length of the steps.
    first, last, number : int
        Which steps, and the number of the first one since the beginning of the run.
    u, du : ndarray
        The state, and room for du/dt and the length of the step.
    moving : int
        How many unknowns are not weights; they come first.
    firing : ndarray of int, shape (layers, 5)
        For each layer that fires: where its state begins, its cells, the place of the first one among all that fire, 0
        (threshold), 1 (Bernoulli) or 2 (Poisson), and whether its spikes are kept.
    levels : ndarray, shape (2, cells)
        Threshold and reset of each cell that fires.
    traces, jumps : ndarray of int, shape (layers, 4), and of float
        For each layer of traces: where its state begins, its cells, the place of the first cell that it follows, and
        whether it saturates; the jump.
    pending : ndarray of int
        How often each cell fired in the last step.
    keys : ndarray of uint64
        That of the random numbers.
    times, whose : ndarray
        Room for spikes that are kept: when, and the place of the cell. It comes back when this may become too small.
    """
    count, cells, key = 0, pending.size, keys[0]
    at, to, places = place_of(u), place_of(du), place_of(table)
    du[u.size] = h
    for k in range(first, last):
        if count + cells > times.size:
            return k, count
        for layer in range(len(traces)):
            start, size, place, saturating = traces[layer]
            jump = jumps[layer]
            for i in range(size):
                fired = pending[place + i]
                if fired:
                    x = u[start + i]
                    u[start + i] = x + jump * (1.0 - x) if saturating else x + jump * fired
        call_rhs(function, before + k * h + shift, at, to, places)
        for i in range(moving):
            x = u[i] + h * du[i]
            u[i] = 0.0 if abs(x) <= _NOTHING else x  # what is no number stays so
        now = before + (k + 1) * h
        base = (number + k - first) * cells
        for layer in range(len(firing)):
            start, size, place, kind, kept = firing[layer]
            for i in range(size):
                if kind == 0:
                    fired = 1 if u[start + i] >= levels[0, place + i] else 0
                    if fired:
                        u[start + i] = levels[1, place + i]
                else:
                    rate = du[start + i]
                    u[start + i] = rate
                    fired = 0
                    if rate > 0.0:
                        uniform = drawn(key, base + place + i)
                        if kind == 2:
                            fired = poisson(rate * h, uniform)
                        elif uniform < rate * h:
                            fired = 1
                pending[place + i] = fired
                if fired and kept:
                    times[count], whose[count] = now, place + i
                    count += 1
    return last, count
