"""Steps of members with white noise, side by side in the lanes, in compiled code.

The schemes are those of `brnn.integrate.methods.stochastic`, with the same normal numbers in the same order.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit, types

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import address, call_lanes

from .control import OPTIONS

VECTORS, LARGE = 3, 10  # of numbers for each lane, and of numbers for each unknown of each lane, that are needed
COMPLETE, TOO_LARGE = 1, 5  # how a member ended; `brnn.ensemble.status` says what these are outside
U = np.uint64  # compiled code asks whether a signed index counts from the end
_f1, _i1 = types.float64[::1], types.int64[::1]
SIGNATURE = types.int64(
    types.int64, types.int64, _i1, _i1, types.boolean,  # drift .. fourfold
    types.float64[:, :, :, ::1],  # normals
    _f1, _f1, _i1, _i1, _i1, types.float64[:, ::1], _i1,  # begins .. segment_rows
    _i1, _i1, _i1, _i1, _i1,  # member .. inside
    _f1, _f1, _f1, _f1, _f1,  # u .. room
    types.float64[:, ::1], _f1, _i1, types.int64[:, ::1], types.float64[:, :, ::1],  # results
)  # fmt: skip


@njit(forceinline=True, **OPTIONS)
def _rate(function, t, u, out, n, q, work, scratch, whole):
    """Write the drift, or the strength of the noise."""
    out[:] = 0.0
    call_lanes(
        function, address(t), address(u), address(out), address(n), address(q), address(work), address(scratch),
        address(whole),
    )  # fmt: skip


@njit(SIGNATURE, cache=True, **OPTIONS)
def noisy_steps(
    drift, noise, n, whole, fourfold,
    normals,
    begins, steps, counts_of, segment_of, saved_of, segments, segment_rows,
    member, piece, last, segment, inside,
    u, q, work, scratch, room,
    final, reached, codes, counts, trajectory,
):  # fmt: skip
    """Make as many steps of every lane as there are normal numbers for; return how many lanes go on.

    Parameters
    ----------
    drift, noise : int
        Addresses of the lane functions.
    n, whole
        What they take, see `brnn.compiler.lanes`; `q`, `work`, `scratch` and the state `u` as well.
    fourfold : bool
        SRIW1, else Euler-Maruyama.
    normals : shape (lanes, steps, 2 or 1, unknowns)
        Normal numbers.
    begins, steps, counts_of, segment_of, saved_of
        The pieces of all members: where each begins, its step and how many, in which segment of `segments` it lies, and
        at which of the saved times it ends (-1: none).
    segment_rows
        Rows of `q` that take the numbers of a segment.
    member, piece, last, segment, inside
        What each lane remembers: its member (-1: none), its piece and the one after its last, its segment, and how many
        steps of the piece are made.
    room
        For whatever else is needed.
    final, reached, codes, counts, trajectory
        Results.
    """
    size = u.size // LANES
    t, h, bad = room[:LANES], room[LANES : 2 * LANES], room[2 * LANES : 3 * LANES]
    at = VECTORS * LANES
    w, v = room[at : at + u.size], room[at + u.size : at + 2 * u.size]
    a1, a2 = room[at + 2 * u.size : at + 3 * u.size], room[at + 3 * u.size : at + 4 * u.size]
    b1, b2 = room[at + 4 * u.size : at + 5 * u.size], room[at + 5 * u.size : at + 6 * u.size]
    b3, b4 = room[at + 6 * u.size : at + 7 * u.size], room[at + 7 * u.size : at + 8 * u.size]
    new, inner = room[at + 8 * u.size : at + 9 * u.size], room[at + 9 * u.size : at + 10 * u.size]
    stage = bad  # times of stages, and later what is not finite
    third = 1.0 / math.sqrt(3.0)
    for row in range(normals.shape[1]):
        going = 0
        for l in range(LANES):
            if member[l] < 0:  # a lane without a member computes on what it had, and keeps nothing
                continue
            going += 1
            p = piece[l]
            if segment_of[p] != segment[l]:
                segment[l] = segment_of[p]
                for k in range(segment_rows.size):
                    q[segment_rows[k] * LANES + l] = segments[segment[l], k]
            h[l] = steps[p]
            t[l] = begins[p] + inside[l] * h[l]
        if going == 0:
            return 0
        for i in range(size):
            for l in range(LANES):
                w[i * LANES + l] = normals[l, row, 0, i]
        _rate(drift, t, u, a1, n, q, work, scratch, whole)
        _rate(noise, t, u, b1, n, q, work, scratch, whole)
        if fourfold:
            for i in range(size):
                for l in range(LANES):
                    v[i * LANES + l] = normals[l, row, 1, i]
            for l in range(LANES):
                stage[l] = t[l] + 0.25 * h[l]
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    inner[k] = u[k] + 0.25 * h[l] * a1[k] + 0.5 * math.sqrt(h[l]) * b1[k]
            _rate(noise, stage, inner, b2, n, q, work, scratch, whole)
            for l in range(LANES):
                stage[l] = t[l] + h[l]
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    inner[k] = u[k] + h[l] * a1[k] - math.sqrt(h[l]) * b1[k]
            _rate(noise, stage, inner, b3, n, q, work, scratch, whole)
            for l in range(LANES):
                stage[l] = t[l] + 0.75 * h[l]
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    mixed = 0.5 * h[l] * math.sqrt(h[l]) * (w[k] + v[k] * third)
                    inner[k] = u[k] + 0.75 * h[l] * a1[k] + 1.5 * mixed / h[l] * b1[k]
            _rate(drift, stage, inner, a2, n, q, work, scratch, whole)
            for l in range(LANES):
                stage[l] = t[l] + 0.25 * h[l]
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    inner[k] = u[k] + 0.25 * h[l] * a1[k] + math.sqrt(h[l]) * (-5.0 * b1[k] + 3.0 * b2[k] + 0.5 * b3[k])
            _rate(noise, stage, inner, b4, n, q, work, scratch, whole)
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    root = math.sqrt(h[l])
                    one = root * w[k]  # I_(1)
                    two = 0.5 * (one * one - h[l]) / root  # I_(1,1)
                    three = (one * one * one - 3.0 * h[l] * one) / (6.0 * h[l])  # I_(1,1,1)
                    mixed = 0.5 * root * (w[k] + v[k] * third)  # I_(1,0)
                    new[k] = (
                        u[k]
                        + h[l] * (a1[k] / 3.0 + 2.0 * a2[k] / 3.0)
                        + b1[k] * (-one - two + 2.0 * mixed - 2.0 * three)
                        + b2[k] * (4.0 / 3.0 * one + 4.0 / 3.0 * two - 4.0 / 3.0 * mixed + 5.0 / 3.0 * three)
                        + b3[k] * (2.0 / 3.0 * one - two / 3.0 - 2.0 / 3.0 * mixed - 2.0 / 3.0 * three)
                        + b4[k] * three
                    )
        else:
            for i in range(size):
                for l in range(LANES):
                    k = U(i * LANES + l)
                    new[k] = u[k] + h[l] * a1[k] + math.sqrt(h[l]) * b1[k] * w[k]
        bad[:] = 0.0
        for i in range(size):
            for l in range(LANES):
                bad[l] += 0.0 * new[i * LANES + l]
        for l in range(LANES):
            m = member[l]
            if m < 0:
                continue
            if bad[l] != 0.0:  # NaN
                codes[m], reached[m], member[l] = TOO_LARGE, t[l], -1
                for i in range(size):
                    final[m, i] = u[i * LANES + l]
                continue
            for i in range(size):
                u[i * LANES + l] = new[i * LANES + l]
            counts[m, 0] += 1
            counts[m, 1] += 2 if fourfold else 1
            inside[l] += 1
            p = piece[l]
            if inside[l] < counts_of[p]:
                continue
            if saved_of[p] >= 0:
                for i in range(size):
                    trajectory[m, saved_of[p], i] = u[i * LANES + l]
            inside[l] = 0
            piece[l] += 1
            if piece[l] == last[l]:
                codes[m], member[l] = COMPLETE, -1
                for i in range(size):
                    final[m, i] = u[i * LANES + l]
    going = 0
    for l in range(LANES):
        going += member[l] >= 0
    return going
