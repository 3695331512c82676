"""Whether a member is at rest, by the rule of `brnn.integrate.steady`.

It is a module of its own, compiled for those who ask, and called at its address: linear algebra takes long to compile.
"""

from __future__ import annotations

import numpy as np
from numba import carray, cfunc, njit

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import REST_SIGNATURE, address
from brnn.ensemble import rest

from .control import INNER, OPTIONS
from .state import EVALUATIONS, JACOBIANS
from .stiff import LaneFunction, evaluate, single_member, slope

beyond, derivative, difference_steps, distance_left, grows, leeway, second_point, sizes = (
    njit(**INNER)(function)
    for function in (
        rest.beyond, rest.derivative, rest.difference_steps, rest.distance_left, rest.grows, rest.leeway,
        rest.second_point, rest.sizes,
    )
)  # fmt: skip


@njit(**INNER)
def _at(one, t, u, points, c):
    """Write the slopes at a state in which each lane has put one unknown, from number c on, to its point."""
    n = u.size
    for l in range(LANES):
        one.t[l] = t
        for i in range(n):
            one.u[i * LANES + l] = u[i]
        if c + l < n:
            one.u[(c + l) * LANES + l] = points[c + l]
    evaluate(one.fun, one.t, one.u, one.du)


@njit(**INNER)
def _jacobian(one, t, u, f, rtol, atol):
    """Return the Jacobian at a state whose slope is f, by the differences of `brnn.integrate.jacobian`."""
    n = u.size
    J = np.empty((n, n))
    steps = difference_steps(u, rtol, atol)
    second = np.empty(n)
    for k in range(n):
        second[k] = second_point(u[k], steps[k])
    for first in range(0, n, LANES):
        last = min(first + LANES, n)
        _at(one, t, u, u + steps, first)
        for k in range(first, last):
            for i in range(n):
                J[i, k] = one.du[i * LANES + k - first]
        _at(one, t, u, second, first)
        for k in range(first, last):
            for i in range(n):
                J[i, k] = derivative(u[k], steps[k], second[k], f[i], J[i, k], one.du[i * LANES + k - first])
    return J


@cfunc(REST_SIGNATURE, cache=True, **OPTIONS)
def rests(lanes, n, work, scratch, whole, size, rows, room, pivots, t, rtol, atol, counts):
    """Tell whether the member in `room` (see `single_member`) rests at time t; `after` is then its state of rest."""
    one = single_member(LaneFunction(lanes, n, room, work, scratch, whole), size, rows, room, pivots)
    state, f = carray(one.state, (size,)), carray(one.slope, (size,))
    J = _jacobian(one, t, state, f, rtol, atol)
    counts[EVALUATIONS] += 2 * size
    counts[JACOBIANS] += 1
    if not (np.isfinite(J).all() and np.isfinite(f).all()):
        return 0
    distance, step = distance_left(J, f, sizes(state, rtol, atol), atol + rtol * np.abs(state), t)
    if not distance <= max(1.0, rest.FAR / rtol):
        return 0
    there, slope_there = beyond(state, step), np.empty(size)
    slope(one, t, address(there), address(slope_there))
    J = _jacobian(one, t, there, slope_there, rtol, atol)
    counts[EVALUATIONS] += 2 * size + 1
    counts[JACOBIANS] += 1
    if not np.isfinite(J).all():
        return 0
    size_there = sizes(there, rtol, atol)
    alike = np.empty((size, size), np.complex128)
    for i in range(size):
        for k in range(size):
            alike[i, k] = J[i, k] * size_there[k] / size_there[i]
    values = np.linalg.eigvals(alike)
    if grows(values) or distance > leeway(values, rtol):
        return 0
    if distance > 1.0:
        again = distance_left(J, slope_there, size_there, atol + rtol * np.abs(there), t)[0]
        if not again <= 1.0:
            return 0
    for i in range(size):
        one.after[i] = there[i] if distance > 1.0 else state[i]
    return 1
