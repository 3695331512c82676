"""What the lanes of one thread remember, and how a lane takes a member.

Everything lies in two arrays of the caller, so that a run can stop anywhere and go on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray, njit

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import address

from . import stiff
from .control import OPTIONS
from .vectors import interpolate

VECTORS, STATES, MARKS = 13, 11, 11  # how many vectors of each sort `Lanes` has
FOLLOWING, ACTIVE, FULL = 0, 1, 2  # places in `Lanes.common`
# How a member ended, 0 as long as it runs; `brnn.ensemble.status` says what these are outside.
COMPLETE, STEADY, TOO_SHORT, TOO_MANY = 1, 2, 3, 4
IN_A_ROW = 15  # steps that stability limits, before the stiff method is tried


class Members(NamedTuple):
    """The numbers of all members; see `brnn.ensemble.run.Ensemble`."""

    initial: Any
    first: Any
    stops: Any
    numbers: Any
    arrays: Any
    segments: Any
    array_rows: Any
    segment_rows: Any
    settled: Any
    longest: Any


class Rules(NamedTuple):
    """What is saved (from number `base` on there is room for it), the tolerances, and what members are like."""

    times: Any
    base: Any
    rtol: Any
    atol: Any
    until_steady: Any
    varying: Any


class Results(NamedTuple):
    """Where results go; the trajectories begin with that of member `start`."""

    start: Any
    final: Any
    reached: Any
    status: Any
    counts: Any
    trajectory: Any


class Lanes(NamedTuple):
    """What the lanes remember."""

    t: Any  # time
    stage_t: Any
    h: Any  # step that is planned
    used: Any  # step that is tried
    norm: Any
    bad: Any
    pick: Any  # positive if it was accepted
    rise: Any
    run: Any
    pace: Any  # last explicit step
    checked: Any  # speed at which the eigenvalues were looked at
    mark_t: Any  # beginning of the window in which movement is measured
    trial_t: Any  # beginning of a trial of the stiff method
    u: Any
    new: Any
    v: Any
    k1: Any
    k2: Any
    k3: Any
    k4: Any
    k5: Any
    k6: Any
    k7: Any
    mark: Any  # state at mark_t
    q: Any
    work: Any
    scratch: Any
    member: Any  # -1: none
    segment: Any
    saved: Any  # how many times are saved
    limited: Any  # steps in a row that stability limits
    unlimited: Any
    fresh: Any  # whether the slope is not known yet: at the start and after break points
    rejected: Any
    last: Any  # whether the step ends at a break point
    stiff: Any  # whether the stiff method is at work
    tried: Any  # steps of its trial
    patience: Any  # how many limited steps in a row call it
    common: Any  # what all lanes share


@njit(forceinline=True, **OPTIONS)
def bare(array):
    """Return an array of the caller without the counter of its users, which would be moved up and down at each use."""
    return carray(address(array), array.shape)


@njit(forceinline=True, **OPTIONS)
def lanes_of(room, marks, size, rows, work_rows, scratch_rows):
    """Return the parts of the two arrays of the caller."""
    r, m = bare(room), bare(marks)
    w, n = LANES, LANES * size
    b = VECTORS * w
    q = b + STATES * n
    work = q + LANES * rows
    scratch = work + LANES * work_rows
    end = scratch + LANES * scratch_rows
    return Lanes(
        r[:w], r[w : 2 * w], r[2 * w : 3 * w], r[3 * w : 4 * w], r[4 * w : 5 * w], r[5 * w : 6 * w],
        r[6 * w : 7 * w], r[7 * w : 8 * w], r[8 * w : 9 * w], r[9 * w : 10 * w], r[10 * w : 11 * w],
        r[11 * w : 12 * w], r[12 * w : b],
        r[b : b + n], r[b + n : b + 2 * n], r[b + 2 * n : b + 3 * n], r[b + 3 * n : b + 4 * n],
        r[b + 4 * n : b + 5 * n], r[b + 5 * n : b + 6 * n], r[b + 6 * n : b + 7 * n], r[b + 7 * n : b + 8 * n],
        r[b + 8 * n : b + 9 * n], r[b + 9 * n : b + 10 * n], r[b + 10 * n : q],
        r[q:work], r[work:scratch], r[scratch:end],
        m[:w], m[w : 2 * w], m[2 * w : 3 * w], m[3 * w : 4 * w], m[4 * w : 5 * w], m[5 * w : 6 * w],
        m[6 * w : 7 * w], m[7 * w : 8 * w], m[8 * w : 9 * w], m[9 * w : 10 * w], m[10 * w : 11 * w],
        m[11 * w : 11 * w + 3],
    )  # fmt: skip


@njit(**OPTIONS)
def enter_segment(l, segment, s, members):
    """Give lane l the numbers of a segment between break points."""
    s.segment[l] = segment
    for k in range(members.segment_rows.size):
        s.q[members.segment_rows[k] * LANES + l] = members.segments[segment, k]


@njit(**OPTIONS)
def fill(l, m, s, members):
    """Give lane l the numbers and the first state of member m."""
    for i in range(members.initial.shape[1]):
        s.u[i * LANES + l] = members.initial[m, i]
        s.mark[i * LANES + l] = members.initial[m, i]
    for k in range(members.numbers.shape[1]):
        s.q[k * LANES + l] = members.numbers[m, k]
    own = min(m, members.arrays.shape[0] - 1)  # one row if all members have the same
    for k in range(members.array_rows.size):
        s.q[members.array_rows[k] * LANES + l] = members.arrays[own, k]
    enter_segment(l, members.first[m], s, members)


@njit(**OPTIONS)
def begin(l, m, s, members, rules, results):
    """Let lane l begin with member m."""
    fill(l, m, s, members)
    s.member[l], s.saved[l], s.limited[l], s.unlimited[l] = m, 0, 0, 0
    s.fresh[l], s.rejected[l], s.stiff[l], s.tried[l], s.patience[l] = 1, 0, 0, 0, IN_A_ROW
    s.t[l], s.mark_t[l], s.trial_t[l], s.checked[l] = 0.0, 0.0, 0.0, np.inf
    if rules.times.size and rules.times[0] == 0.0:
        for i in range(members.initial.shape[1]):
            results.trajectory[m - results.start, 0, i] = s.u[i * LANES + l]
        s.saved[l] = 1


@njit(forceinline=True, **OPTIONS)
def save(l, m, end, taken, s, one, rules, results):
    """Save what was asked for of lane l's step of size `taken` up to `end`; tell whether there was room for it."""
    trajectory = results.trajectory
    while s.saved[l] < rules.times.size and rules.times[s.saved[l]] <= end:
        row, time = s.saved[l] - rules.base, rules.times[s.saved[l]]
        if row == trajectory.shape[1]:
            s.common[FULL] = 1
            return False
        out, part = trajectory[m - results.start, row], (time - s.t[l]) / taken
        if s.stiff[l]:
            if time == end:
                out[:] = one.after
            else:
                stiff.dense(one, part, out)
        elif time == end:
            for i in range(out.size):
                out[i] = s.new[i * LANES + l]
        else:
            interpolate(l, part, taken, s.u, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, out)
        s.saved[l] += 1
    return True


def lane_memory(size, numbers, work_rows, scratch_rows):
    """Return the two arrays of the caller, for members of so many unknowns and numbers."""
    rows = numbers + work_rows + scratch_rows + STATES * size + VECTORS
    own = stiff.single_room.py_func(size, numbers)
    return np.zeros(LANES * rows + own), np.zeros(LANES * MARKS + 3 + size, np.int64)
