"""What one member needs beyond the explicit method: its Jacobian, and a stiff method.

The stiff method is Rodas4 of Hairer and Wanner, Solving Ordinary Differential Equations II, section IV.7: a Rosenbrock
method of order 4, L-stable and stiffly accurate, with six stages, an embedded method of order 3 and an interpolant of
order 3. It works with the network's own Jacobian, which comes from differences of the lane function: each lane takes
one column. The differences go away from zero, because rate signals have a kink there, across which no slope holds.
Where cells meet in totals alone, and are many, it is that of `cells`, from derivatives, and nothing takes more than
O(cells).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import call_lanes, part

from . import cells as by_cells
from . import matrices
from .cells import READY, STATE
from .control import INNER, SAFETY

_STEP = 1e-7  # of a difference, relative to the unknown: about the square root of the rounding error
_LEAST = 1e-9
_SMALLEST, _LARGEST = 1.0 / 6.0, 5.0  # factors of a step, those of the RODAS program of Hairer and Wanner

_GAMMA = 0.25
_A = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.544, 0.0, 0.0, 0.0, 0.0],
        [0.9466785280815826, 0.2557011698983284, 0.0, 0.0, 0.0],
        [3.314825187068521, 2.896124015972201, 0.9986419139977817, 0.0, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 0.0],
        [1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1.0],
    ]
)
_C = np.array(
    [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [-5.6688, 0.0, 0.0, 0.0, 0.0],
        [-2.430093356833875, -0.2063599157091915, 0.0, 0.0, 0.0],
        [-0.1073529058151375, -9.594562251023355, -20.47028614809616, 0.0, 0.0],
        [7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160, 0.0],
        [8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054],
    ]
)
_TIMES = np.array([0.0, 0.386, 0.21, 0.63, 1.0, 1.0])
_DRIFT = np.array([0.25, -0.1043, 0.1035, -0.0362, 0.0, 0.0])
_DENSE2 = np.array([10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662])
_DENSE3 = np.array([-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872])


class LaneFunction(NamedTuple):
    """A lane function with everything that it reads: see `brnn.compiler.lanes`."""

    lanes: Any
    n: Any
    q: Any
    work: Any
    scratch: Any
    whole: Any


class SingleMember(NamedTuple):
    """One member in all lanes, and room for what it needs then: addresses, but for the size."""

    size: Any  # unknowns
    fun: Any  # LaneFunction whose numbers are those of the member in all lanes
    t: Any  # arguments and result of the lane function
    u: Any
    du: Any
    q: Any
    state: Any  # state, slope and dslope/dt at the beginning of the step, state at its end
    slope: Any
    drift: Any
    after: Any
    J: Any
    M: Any
    stages: Any
    pivots: Any


def single_room(size, rows):
    """Return how many numbers `single_member` needs."""
    return LANES * (1 + 2 * size + rows) + size * (4 + 2 * size + 6)


@njit(**INNER)
def single_member(fun, size, rows, room, pivots):
    """Return the parts of `room`."""
    n = LANES * size
    q = part(room, LANES + 2 * n)
    state = part(q, LANES * rows)
    J = part(state, 4 * size)
    M = part(J, size * size)
    return SingleMember(
        size, LaneFunction(fun.lanes, fun.n, q, fun.work, fun.scratch, fun.whole),
        room, part(room, LANES), part(room, LANES + n), q,
        state, part(state, size), part(state, 2 * size), part(state, 3 * size),
        J, M, part(M, size * size), pivots,
    )  # fmt: skip


@njit(forceinline=True, **INNER)
def evaluate(fun, t, u, du):
    """Write du/dt of all lanes."""
    call_lanes(fun.lanes, t, u, du, fun.n, fun.q, fun.work, fun.scratch, fun.whole)


@njit(**INNER)
def slope(one, t, u, out):
    """Write du/dt of one member."""
    for l in range(LANES):
        one.t[l] = t
    for i in range(one.size):
        for l in range(LANES):
            one.u[i * LANES + l] = u[i]
    evaluate(one.fun, one.t, one.u, one.du)
    for i in range(one.size):
        out[i] = one.du[i * LANES]


@njit(**INNER)
def slope_by(one, cells, t, u, out):
    """Write du/dt of one member, in the way that was chosen for it."""
    if cells.table[STATE] == READY:
        by_cells.slope(cells, t, u, out)
    else:
        slope(one, t, u, out)


@njit(**INNER)
def jacobian(one, cells, t):
    """Write the Jacobian at the state of one member, whose slope there is known; return how many evaluations."""
    if cells.table[STATE] == READY:
        by_cells.jacobian(cells, t, one.state)
        return 1
    u, f, size = one.state, one.slope, one.size
    for l in range(LANES):
        one.t[l] = t
    for first in range(0, size, LANES):
        count = min(LANES, size - first)
        for i in range(size):
            for l in range(LANES):
                one.u[i * LANES + l] = u[i]
        for l in range(count):
            one.u[(first + l) * LANES + l] += _away(u[first + l])
        evaluate(one.fun, one.t, one.u, one.du)
        for l in range(count):
            c = first + l
            width = one.u[c * LANES + l] - u[c]
            for i in range(size):
                one.J[i * size + c] = (one.du[i * LANES + l] - f[i]) / width
    return size


@njit(**INNER)
def _away(u):
    """Return a small step away from zero."""
    step = max(_STEP * abs(u), _LEAST)
    return step if u >= 0.0 else -step


@njit(**INNER)
def drift(one, cells, t, stop):
    """Write how the slope of one member changes with time alone."""
    aside = min(1e-6 * max(abs(t), stop - t), 0.5 * (stop - t))
    slope_by(one, cells, t + aside, one.state, one.drift)
    for i in range(one.size):
        one.drift[i] = (one.drift[i] - one.slope[i]) / aside


@njit(**INNER)
def speed_of(size, f, u, rtol, atol):
    """Return the largest of |f|, in tolerances per unit of time."""
    largest = 0.0
    for i in range(size):
        largest = max(largest, abs(f[i]) / (atol + rtol * abs(u[i])))
    return largest


@njit(**INNER)
def rodas4(one, cells, t, stop, h, rtol, atol):
    """Try steps of decreasing size until one is accepted, with the Jacobian and the slopes that `one` holds.

    Returns
    -------
    (time, step, next, tries)
        Where the step ended, its size, the size to go on with, and how many were tried; a size of 0 says that the
        step became too short. ``one.after`` is the state then, and ``one.stages`` is what `dense` needs.
    """
    u, new, k, M, pivots, size = one.state, one.after, one.stages, one.M, one.pivots, one.size
    low = cells.table[STATE] == READY
    rejected = False
    tries = 0
    while True:
        last = t + 1.000001 * h >= stop
        if last:
            h = stop - t
        if h < 16.0 * np.spacing(abs(t)) and not last:
            return t, 0.0, 0.0, tries
        tries += 1
        norm = 0.0
        if low:
            finite = by_cells.factor(cells, size, h * _GAMMA, pivots)
        else:
            for i in range(size):
                for j in range(size):
                    M[i * size + j] = -one.J[i * size + j]
                M[i * size + i] += 1.0 / (h * _GAMMA)
            finite = matrices.factor(size, M, pivots)
        if finite:
            for stage in range(6):
                for i in range(size):
                    total = u[i]
                    for j in range(min(stage, 5)):
                        total += _A[stage, j] * k[j * size + i]
                    new[i] = total
                if stage == 0:
                    for i in range(size):
                        k[i] = one.slope[i]
                else:
                    slope_by(one, cells, t + _TIMES[stage] * h, new, part(k, stage * size))
                for i in range(size):
                    total = k[stage * size + i] + h * _DRIFT[stage] * one.drift[i]
                    for j in range(stage):
                        total += _C[stage, j] / h * k[j * size + i]
                    k[stage * size + i] = total
                if low:
                    by_cells.solve(cells, size, h * _GAMMA, pivots, part(k, stage * size))
                else:
                    matrices.solve(size, M, pivots, part(k, stage * size))
            for i in range(size):
                new[i] += k[5 * size + i]
                e = abs(k[5 * size + i]) / (atol + rtol * max(abs(u[i]), abs(new[i])))
                if not np.isfinite(e):
                    finite = False
                norm = max(norm, e)
        if finite and norm <= 1.0:
            larger = min(_LARGEST, SAFETY * norm**-0.25) if norm > 0.0 else _LARGEST
            ahead = h * (min(1.0, larger) if rejected else larger)
            return (stop if last else t + h), h, ahead, tries
        h *= max(_SMALLEST, SAFETY * norm**-0.25) if finite else _SMALLEST
        rejected = True


@njit(**INNER)
def dense(one, s, out):
    """Write the state at a fraction s of the last step."""
    for i in range(one.size):
        out[i] = dense_value(one, i, s)


@njit(**INNER)
def dense_value(one, i, s):
    """Return unknown i at a fraction s of the last step."""
    c, d = 0.0, 0.0
    for j in range(5):
        c += _DENSE2[j] * one.stages[j * one.size + i]
        d += _DENSE3[j] * one.stages[j * one.size + i]
    return one.state[i] * (1.0 - s) + s * (one.after[i] + (1.0 - s) * (c + s * d))
