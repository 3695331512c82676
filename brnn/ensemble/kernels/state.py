"""What the lanes of one thread remember, and how a lane takes a member.

Everything lies in two arrays of the caller, so that a run can stop anywhere and go on.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import address, part

from . import stiff
from .control import INNER
from .vectors import interpolate

VECTORS, STATES, MARKS = 12, 10, 11  # how many vectors of each sort `Lanes` has
FOLLOWING, ACTIVE, FULL, COMMON = 0, 1, 2, 3  # places in `Lanes.common`, and how many there are
STEPS, EVALUATIONS, JACOBIANS = 0, 1, 2  # places in `Results.counts`, of three for each member
# How a member ended, 0 as long as it runs; `brnn.ensemble.status` says what these are outside.
COMPLETE, STEADY, TOO_SHORT, TOO_MANY = 1, 2, 3, 4
RENEWED = 2  # of `Lanes.fresh`: the step that is planned holds
IN_A_ROW = 15  # steps that stability limits, before the stiff method is tried


class Members(NamedTuple):
    """The numbers of all members, addresses and how many there are; see `brnn.ensemble.run.Ensemble`."""

    count: Any  # how many numbers, constant and changing ones a member has
    constant: Any
    changing: Any
    own: Any  # 1 if each member has its own constant ones, else 0
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
    """Which times are saved, tolerances, and what members are like."""

    times: Any  # address
    last: Any  # how many
    base: Any  # from this one on there is room
    room: Any  # for so many
    rtol: Any
    atol: Any
    varying: Any


class Results(NamedTuple):
    """Where results go, addresses but for `start`; the trajectories begin with that of member `start`."""

    start: Any
    final: Any
    reached: Any
    status: Any
    counts: Any
    trajectory: Any


class Lanes(NamedTuple):
    """What the lanes remember: addresses, but for the first two."""

    size: Any  # unknowns
    rows: Any  # of q
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
    looked: Any  # time at which it was last looked whether it rests
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
    q: Any
    work: Any
    scratch: Any
    member: Any  # -1: none
    segment: Any
    saved: Any  # how many times are saved
    limited: Any  # steps in a row that stability limits
    unlimited: Any
    fresh: (
        Any  # whether the slope is not known yet: 1 at the start and after break points, RENEWED where signals jumped
    )
    rejected: Any
    last: Any  # whether the step ends at a break point
    stiff: Any  # whether the stiff method is at work
    tried: Any  # steps of its trial
    patience: Any  # how many limited steps in a row call it
    common: Any  # what all lanes share


@njit(**INNER)
def lanes_of(room, marks, size, rows, work_rows):
    """Return the parts of the two arrays of the caller."""
    r, m = address(room), address(marks)
    w, n = LANES, LANES * size
    b = VECTORS * w
    q = b + STATES * n
    work = q + LANES * rows
    scratch = work + LANES * work_rows
    return Lanes(
        size, rows,
        r, part(r, w), part(r, 2 * w), part(r, 3 * w), part(r, 4 * w), part(r, 5 * w), part(r, 6 * w), part(r, 7 * w),
        part(r, 8 * w), part(r, 9 * w), part(r, 10 * w), part(r, 11 * w),
        part(r, b), part(r, b + n), part(r, b + 2 * n), part(r, b + 3 * n), part(r, b + 4 * n), part(r, b + 5 * n),
        part(r, b + 6 * n), part(r, b + 7 * n), part(r, b + 8 * n), part(r, b + 9 * n),
        part(r, q), part(r, work), part(r, scratch),
        m, part(m, w), part(m, 2 * w), part(m, 3 * w), part(m, 4 * w), part(m, 5 * w), part(m, 6 * w), part(m, 7 * w),
        part(m, 8 * w), part(m, 9 * w), part(m, 10 * w), part(m, 11 * w),
    )  # fmt: skip


@njit(**INNER)
def enter_segment(l, segment, s, members):
    """Give lane l the numbers of a segment between break points."""
    s.segment[l] = segment
    for k in range(members.changing):
        s.q[members.segment_rows[k] * LANES + l] = members.segments[segment * members.changing + k]


@njit(**INNER)
def fill(l, m, s, members):
    """Give lane l the numbers and the first state of member m."""
    for i in range(s.size):
        s.u[i * LANES + l] = members.initial[m * s.size + i]
    for k in range(members.count):
        s.q[k * LANES + l] = members.numbers[m * members.count + k]
    for k in range(members.constant):
        s.q[members.array_rows[k] * LANES + l] = members.arrays[members.own * m * members.constant + k]
    enter_segment(l, members.first[m], s, members)


@njit(**INNER)
def row_of(m, row, s, rules, results):
    """Return where the state of member m at one of the times goes for which there is room."""
    return part(results.trajectory, ((m - results.start) * rules.room + row) * s.size)


@njit(**INNER)
def begin(l, m, s, members, rules, results):
    """Let lane l begin with member m."""
    fill(l, m, s, members)
    s.member[l], s.saved[l], s.limited[l], s.unlimited[l] = m, 0, 0, 0
    s.fresh[l], s.rejected[l], s.stiff[l], s.tried[l], s.patience[l] = 1, 0, 0, 0, IN_A_ROW
    s.t[l], s.trial_t[l], s.looked[l] = 0.0, 0.0, 0.0
    if rules.last and rules.times[0] == 0.0:
        out = row_of(m, 0, s, rules, results)
        for i in range(s.size):
            out[i] = s.u[i * LANES + l]
        s.saved[l] = 1


@njit(**INNER)
def save(l, m, end, taken, cut, s, one, rules, results):
    """Save what was asked for of lane l's step of size `taken` up to `end`; tell whether there was room for it.

    If it was `cut`, its own end is later.
    """
    while s.saved[l] < rules.last and rules.times[s.saved[l]] <= end:
        row, time = s.saved[l] - rules.base, rules.times[s.saved[l]]
        if row == rules.room:
            s.common[FULL] = 1
            return False
        out, at = row_of(m, row, s, rules, results), (time - s.t[l]) / taken
        if s.stiff[l]:
            if time == end and not cut:
                for i in range(s.size):
                    out[i] = one.after[i]
            else:
                stiff.dense(one, at, out)
        elif time == end and not cut:
            for i in range(s.size):
                out[i] = s.new[i * LANES + l]
        else:
            interpolate(s.size, l, at, taken, s.u, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, out)
        s.saved[l] += 1
    return True


def lane_memory(size, numbers, work_rows, scratch_rows):
    """Return the two arrays of the caller, for members of so many unknowns and numbers."""
    rows = numbers + work_rows + scratch_rows + STATES * size + VECTORS
    own = stiff.single_room(size, numbers)
    return np.zeros(LANES * rows + own), np.zeros(LANES * MARKS + COMMON + size, np.int64)
