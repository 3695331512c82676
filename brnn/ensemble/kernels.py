"""The integrators that run many networks of one structure side by side, in compiled code.

Each lane carries one network (a member) with its own time, step, error control and break points; when a member is
done its lane takes the next one. What a lane computes depends on its own member only, so that results do not depend on
which members run side by side, nor on how many threads share them.

The explicit method is Dormand and Prince's 5(4) pair (J. Comput. Appl. Math. 6, 19-26, 1980) with the interpolant of
Shampine (Math. Comput. 46, 135-150, 1986), the same as SciPy's RK45. A member whose steps are limited by stability,
by the test of Hairer and Wanner (Solving Ordinary Differential Equations II, section IV.2), goes on with the method of
`brnn.ensemble.stiff`, and comes back if that is not worth its price. The error is held for every unknown:
the largest of error/(atol + rtol |u|) is below 1. When a member rests is said in `brnn.integrate.steady`.

Everything that a lane remembers lies in two arrays of the caller, so that a run can stop anywhere and go on.

This file is compiled as it stands for 32 lanes and, with the number replaced, for one (`brnn.ensemble.load`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import carray, njit, types

from brnn.compiler.numba_internals import address
from brnn.ensemble import stiff
from brnn.ensemble.stiff import Function, evaluate
from brnn.ensemble.vectors import (
    errors,
    interpolate,
    sizes,
    stage1,
    stage2,
    stage3,
    stage4,
    stage5,
    stretch,
    take,
)  # fmt: skip

LANES = 32

OPTIONS = {"error_model": "numpy", "fastmath": {"contract", "nsz"}, "nogil": True}
_f1, _f2, _i1 = types.float64[::1], types.float64[:, ::1], types.int64[::1]
SIGNATURE = types.int64(
    types.int64, _i1, _i1, types.int64, types.int64,  # lanes .. scratch_rows
    types.int64, types.int64, types.boolean, types.int64,  # start .. most
    _f2, _i1, _f1, _f2, _f2, _f2, _i1, _i1, _f1,  # Members
    _f1, types.int64, types.float64, types.float64, types.boolean, types.boolean,  # Rules
    _f2, _f1, _i1, types.int64[:, ::1], types.float64[:, :, ::1],  # Results
    _f1, _i1,  # room, marks
)  # fmt: skip

# How a member ended, 0 as long as it runs; `brnn.ensemble.status` says what these are outside.
COMPLETE, STEADY, TOO_SHORT, TOO_MANY = 1, 2, 3, 4
VECTORS, STATES, MARKS = 13, 11, 11  # how many vectors of each sort `Lanes` has
FOLLOWING, ACTIVE, FULL = 0, 1, 2  # places in `Lanes.common`

SAFETY, SMALLEST, LARGEST = 0.9, 0.2, 10.0
MOST_STEPS = 5_000_000
WINDOW = 4.0  # units of time
DITHER = 1000.0  # tolerances per unit of time
STRETCHED = 3.25  # step times fastest rate; at about 3.3 the explicit method becomes unstable
FROM = 100  # steps before a member is looked at
IN_A_ROW, RESET = 15, 6  # limited steps, and steps that are not
TRIAL = 20  # steps in which the stiff method shows what it is worth
PATIENCE = 4  # how many times as long it is not tried again after each failure


class Members(NamedTuple):
    """The numbers of all members; see `brnn.ensemble.run.Batch`."""

    initial: Any
    first: Any
    stops: Any
    numbers: Any
    arrays: Any
    segments: Any
    array_rows: Any
    segment_rows: Any
    settled: Any


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
def _bare(array):
    """Return an array of the caller without the counter of its users, which would be moved up and down at each use."""
    return carray(address(array), array.shape)


@njit(forceinline=True, **OPTIONS)
def _lanes(room, marks, size, rows, work_rows, scratch_rows):
    r, m = _bare(room), _bare(marks)
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
def _enter_segment(l, segment, s, members):
    s.segment[l] = segment
    for k in range(members.segment_rows.size):
        s.q[members.segment_rows[k] * LANES + l] = members.segments[segment, k]


@njit(**OPTIONS)
def _fill(l, m, s, members):
    """Give lane l the numbers and the first state of member m."""
    for i in range(members.initial.shape[1]):
        s.u[i * LANES + l] = members.initial[m, i]
        s.mark[i * LANES + l] = members.initial[m, i]
    for k in range(members.numbers.shape[1]):
        s.q[k * LANES + l] = members.numbers[m, k]
    own = min(m, members.arrays.shape[0] - 1)  # one row if all members have the same
    for k in range(members.array_rows.size):
        s.q[members.array_rows[k] * LANES + l] = members.arrays[own, k]
    _enter_segment(l, members.first[m], s, members)


@njit(**OPTIONS)
def _start(l, m, s, members, rules, results):
    """Let lane l begin with member m."""
    _fill(l, m, s, members)
    s.member[l], s.saved[l], s.limited[l], s.unlimited[l] = m, 0, 0, 0
    s.fresh[l], s.rejected[l], s.stiff[l], s.tried[l], s.patience[l] = 1, 0, 0, 0, IN_A_ROW
    s.t[l], s.mark_t[l], s.trial_t[l], s.checked[l] = 0.0, 0.0, 0.0, np.inf
    if rules.times.size and rules.times[0] == 0.0:
        for i in range(members.initial.shape[1]):
            results.trajectory[m - results.start, 0, i] = s.u[i * LANES + l]
        s.saved[l] = 1


@njit(**OPTIONS)
def _first_steps(fun, s, members, rules, results):
    """Choose the first step of fresh lanes, as Hairer, Norsett and Wanner do (section II.4)."""
    evaluate(fun, s.t, s.u, s.k7)
    sizes(s.u, s.k7, s.k7, rules.rtol, rules.atol, s.rise, s.run, s.norm)
    for l in range(LANES):
        chosen = s.fresh[l] and not s.stiff[l]
        s.pick[l] = 1.0 if chosen else 0.0
        guess = 1e-6 if s.rise[l] < 1e-5 or s.run[l] < 1e-5 else 0.01 * s.rise[l] / s.run[l]
        s.used[l] = min(guess, members.stops[s.segment[l]] - s.t[l]) if chosen else 0.0
    take(s.pick, s.u, s.k7, s.new, s.k1)
    stage1(s.t, s.u, s.used, s.k1, 1.0, 1.0, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k2)
    sizes(s.u, s.k1, s.k2, rules.rtol, rules.atol, s.rise, s.run, s.norm)
    for l in range(LANES):
        if s.pick[l] > 0.0:
            s.fresh[l] = 0
            results.counts[s.member[l], 1] += 2
            bend = max(s.run[l], s.norm[l] / s.used[l]) if s.used[l] > 0.0 else s.run[l]
            guess = max(1e-6, s.used[l] * 1e-3) if bend <= 1e-15 else (0.01 / bend) ** 0.2
            s.h[l] = min(100.0 * s.used[l], guess)
            if not s.h[l] > 0.0:
                s.h[l] = 1e-6 * (members.stops[s.segment[l]] - s.t[l])


@njit(forceinline=True, **OPTIONS)
def _attempt(fun, s, members, rules):
    """Compute one explicit step of all lanes."""
    for l in range(LANES):
        left = members.stops[s.segment[l]] - s.t[l]
        s.last[l] = 1.000001 * s.h[l] >= left
        s.used[l] = (left if s.last[l] else s.h[l]) if s.member[l] >= 0 and not s.stiff[l] else 0.0
    stage1(s.t, s.u, s.used, s.k1, 0.2, 0.2, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k2)
    stage2(s.t, s.u, s.used, s.k1, s.k2, 0.3, 3 / 40, 9 / 40, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k3)
    stage3(s.t, s.u, s.used, s.k1, s.k2, s.k3, 0.8, 44 / 45, -56 / 15, 32 / 9, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k4)
    stage4(
        s.t, s.u, s.used, s.k1, s.k2, s.k3, s.k4,
        8 / 9, 19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, s.stage_t, s.v,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.v, s.k5)
    stage5(
        s.t, s.u, s.used, s.k1, s.k2, s.k3, s.k4, s.k5,
        1.0, 9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, s.stage_t, s.v,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.v, s.k6)
    stage5(
        s.t, s.u, s.used, s.k1, s.k3, s.k4, s.k5, s.k6,
        1.0, 35 / 384, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, s.stage_t, s.new,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.new, s.k7)
    errors(s.u, s.new, s.used, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, rules.rtol, rules.atol, s.norm, s.bad)


@njit(forceinline=True, **OPTIONS)
def _save_step(l, m, end, s, rules, results):
    """Save what was asked for of lane l's step up to `end`; tell whether there was room for all of it."""
    trajectory = results.trajectory
    while s.saved[l] < rules.times.size and rules.times[s.saved[l]] <= end:
        row, time = s.saved[l] - rules.base, rules.times[s.saved[l]]
        if row == trajectory.shape[1]:
            s.common[FULL] = 1
            return False
        out = trajectory[m - results.start, row]
        if time == end:
            for i in range(out.size):
                out[i] = s.new[i * LANES + l]
        else:
            part = (time - s.t[l]) / s.used[l]
            interpolate(l, part, s.used[l], s.u, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, out)
        s.saved[l] += 1
    return True


@njit(forceinline=True, **OPTIONS)
def _control(l, s, members, rules, results):
    """Accept or reject the explicit step of lane l, and plan the next."""
    m, used, norm = s.member[l], s.used[l], s.norm[l]
    s.pick[l] = 0.0
    if m < 0 or s.stiff[l]:
        return
    bad = s.bad[l] != 0.0  # only NaN differs from 0
    if bad or not norm < 1.0:
        s.h[l] = used * (SMALLEST if bad else max(SMALLEST, SAFETY * norm**-0.2))
        s.rejected[l] = 1
        results.counts[m, 1] += 6
        if s.h[l] < 16.0 * np.spacing(s.t[l]):
            results.status[m] = TOO_SHORT
        return
    end = members.stops[s.segment[l]] if s.last[l] else s.t[l] + used
    if not _save_step(l, m, end, s, rules, results):
        return  # to be made again when there is room
    s.pick[l] = 1.0
    results.counts[m, 0] += 1
    results.counts[m, 1] += 6
    factor = min(LARGEST, SAFETY * norm**-0.2) if norm > 0.0 else LARGEST
    if s.rejected[l]:
        factor = min(1.0, factor)
    # A step cut short by a break point says nothing against the size that was planned.
    s.h[l] = max(factor * used, s.h[l]) if s.last[l] and not s.rejected[l] else factor * used
    s.rejected[l] = 0
    s.pace[l] = used
    s.t[l] = end
    if results.counts[m, 0] > FROM:
        if s.run[l] > 0.0 and used * np.sqrt(s.rise[l] / s.run[l]) > STRETCHED:
            s.limited[l] += 1
            s.unlimited[l] = 0
        else:
            s.unlimited[l] += 1
            if s.unlimited[l] == RESET:
                s.limited[l] = 0


@njit(forceinline=True, **OPTIONS)
def _slow(l, speed, s, rules):
    """Tell whether lane l, whose slope is `speed` tolerances per unit of time, may rest: the eigenvalues will say."""
    size = s.u.size // LANES
    if speed > DITHER:
        s.mark_t[l] = s.t[l]
        for i in range(size):
            s.mark[i * LANES + l] = s.u[i * LANES + l]
    since = s.t[l] - s.mark_t[l]
    if since >= WINDOW:
        moved = 0.0
        for i in range(size):
            k = i * LANES + l
            moved = max(moved, abs(s.u[k] - s.mark[k]) / (rules.atol + rules.rtol * abs(s.u[k])))
            s.mark[k] = s.u[k]
        speed = min(speed, moved / since)
        s.mark_t[l] = s.t[l]
    if speed > 1.0:
        s.checked[l] = np.inf
        return False
    if speed > 0.1 * s.checked[l]:
        return False
    s.checked[l] = speed
    return True


@njit(**OPTIONS)
def _spread(l, s, one):
    """Take the member of lane l out of it."""
    for k in range(one.q.size // LANES):
        for other in range(LANES):
            one.q[k * LANES + other] = s.q[k * LANES + l]
    for i in range(one.state.size):
        one.state[i] = s.u[i * LANES + l]
        one.slope[i] = s.k1[i * LANES + l]


@njit(**OPTIONS)
def _rests(l, m, s, one, results):
    """Tell whether no small disturbance of lane l's state grows."""
    _spread(l, s, one)
    results.counts[m, 1] += stiff.jacobian(one, s.t[l])
    results.counts[m, 2] += 1
    return not stiff.leaves(one.J)


@njit(**OPTIONS)
def _price(size):
    """Return about how many explicit steps of one lane take the time of a stiff one, which has all lanes to itself."""
    return LANES * (6.0 + np.ceil(size / LANES)) / 8.0 + 0.2 * size + 0.005 * size * size


@njit(**OPTIONS)
def _save_stiff(l, m, end, taken, s, one, rules, results):
    """Save what was asked for of lane l's stiff step up to `end`; tell whether there was room for all of it."""
    trajectory = results.trajectory
    while s.saved[l] < rules.times.size and rules.times[s.saved[l]] <= end:
        row, time = s.saved[l] - rules.base, rules.times[s.saved[l]]
        if row == trajectory.shape[1]:
            s.common[FULL] = 1
            return False
        out = trajectory[m - results.start, row]
        if time == end:
            out[:] = one.after
        else:
            stiff.dense(one, (time - s.t[l]) / taken, out)
        s.saved[l] += 1
    return True


@njit(**OPTIONS)
def _stiff_step(l, m, s, one, members, rules, results):
    """Make one stiff step of lane l; tell whether it is made (there was room for what is saved of it)."""
    _spread(l, s, one)
    stop, counts = members.stops[s.segment[l]], results.counts
    if s.fresh[l]:
        stiff.slope(one, s.t[l], one.state, one.slope)
        # The first step moves no unknown by more than a thousand tolerances; if that is too long the error says so.
        speed = stiff.speed_of(one.slope, one.state, rules.rtol, rules.atol)
        s.h[l] = min(stop - s.t[l], 1000.0 / speed if speed > 0.0 else stop - s.t[l])
        for i in range(one.state.size):
            s.k1[i * LANES + l] = one.slope[i]
        s.fresh[l] = 0
        counts[m, 1] += 1
    counts[m, 1] += stiff.jacobian(one, s.t[l])
    counts[m, 2] += 1
    one.drift[:] = 0.0
    if rules.varying:
        stiff.drift(one, s.t[l], stop)
        counts[m, 1] += 1
    end, taken, ahead, tries = stiff.rodas4(one, s.t[l], stop, s.h[l], rules.rtol, rules.atol)
    counts[m, 1] += 5 * tries
    if taken == 0.0:
        results.status[m] = TOO_SHORT
        return False
    if not _save_stiff(l, m, end, taken, s, one, rules, results):
        return False
    counts[m, 0] += 1
    counts[m, 1] += 1
    s.t[l], s.h[l] = end, ahead
    stiff.slope(one, end, one.after, one.slope)
    for i in range(one.state.size):
        s.u[i * LANES + l] = one.after[i]
        s.k1[i * LANES + l] = one.slope[i]
    s.tried[l] += 1
    if s.tried[l] == TRIAL:
        if end - s.trial_t[l] < TRIAL * _price(one.state.size) * s.pace[l]:
            # The explicit method is cheaper.
            s.stiff[l], s.h[l], s.rejected[l] = 0, s.pace[l], 0
            s.patience[l] *= PATIENCE
        s.tried[l], s.trial_t[l] = 0, end
    return True


@njit(forceinline=True, **OPTIONS)
def _proceed(l, m, s, members, results):
    """End lane l's member, or its segment, if it is at the end; call the stiff method where it may help."""
    final = members.first[m + 1] - 1
    if s.t[l] >= members.stops[s.segment[l]]:
        if s.segment[l] == final:
            results.status[m] = COMPLETE
            return
        _enter_segment(l, s.segment[l] + 1, s, members)
        s.fresh[l] = 1
    if results.counts[m, 0] >= MOST_STEPS:
        results.status[m] = TOO_MANY
    if s.limited[l] >= s.patience[l]:
        s.limited[l] = 0
        if members.stops[final] - s.t[l] > TRIAL * _price(s.u.size // LANES) * s.pace[l]:
            s.stiff[l], s.tried[l], s.trial_t[l] = 1, 0, s.t[l]


@njit(SIGNATURE, cache=True, **OPTIONS)
def run_members(
    lanes, n, whole, work_rows, scratch_rows,
    start, stop, resume, most,
    initial, first, stops, numbers, arrays, segments, array_rows, segment_rows, settled,
    times, base, rtol, atol, until_steady, varying,
    final, reached, status, counts, trajectory,
    room, marks,
):  # fmt: skip
    """Integrate the members start .. stop - 1; see `brnn.ensemble.run` for the arguments.

    Returns how many are not done, because `most` steps of all lanes were made, or `trajectory` is full.
    """
    size = initial.shape[1]
    rows = numbers.shape[1] + array_rows.size + segment_rows.size
    s = _lanes(room, marks, size, rows, work_rows, scratch_rows)
    fun = Function(lanes, address(n), address(s.q), address(s.work), address(s.scratch), address(whole))
    members = Members(
        _bare(initial), _bare(first), _bare(stops), _bare(numbers), _bare(arrays), _bare(segments),
        _bare(array_rows), _bare(segment_rows), _bare(settled),
    )  # fmt: skip
    rules = Rules(_bare(times), base, rtol, atol, until_steady, varying)
    results = Results(start, _bare(final), _bare(reached), _bare(status), _bare(counts), _bare(trajectory))
    one = stiff.alone(
        fun, size, rows, _bare(room)[room.size - stiff.alone_room(size, rows) :], _bare(marks)[marks.size - size :]
    )
    if not resume:
        s.common[FOLLOWING], s.common[ACTIVE] = start, 0
        for l in range(LANES):
            if s.common[FOLLOWING] < stop:
                _start(l, s.common[FOLLOWING], s, members, rules, results)
                s.common[FOLLOWING] += 1
                s.common[ACTIVE] += 1
            else:  # a lane without a member computes what another does, and counts nothing
                _fill(l, stop - 1, s, members)
                s.member[l] = -1
    s.common[FULL] = 0
    while s.common[ACTIVE] > 0 and s.common[FULL] == 0 and most > 0:
        most -= 1
        fresh, explicit, long = False, False, False
        for l in range(LANES):
            if s.member[l] >= 0:
                fresh = fresh or (s.fresh[l] and not s.stiff[l])
                explicit = explicit or not s.stiff[l]
                long = long or results.counts[s.member[l], 0] >= FROM
        if fresh:
            _first_steps(fun, s, members, rules, results)
        if explicit:
            _attempt(fun, s, members, rules)
            if long:
                stretch(s.new, s.v, s.k6, s.k7, s.rise, s.run)
            for l in range(LANES):
                _control(l, s, members, rules, results)
            take(s.pick, s.new, s.k7, s.u, s.k1)
            if until_steady:
                sizes(s.u, s.k1, s.k1, rtol, atol, s.rise, s.run, s.norm)
        for l in range(LANES):
            m = s.member[l]
            if m < 0:
                continue
            speed = s.run[l]
            made = s.pick[l] > 0.0
            if s.stiff[l]:
                made = _stiff_step(l, m, s, one, members, rules, results)
                speed = stiff.speed_of(one.slope, one.state, rtol, atol)
            if made:
                slow = until_steady and s.t[l] > members.settled[m] and _slow(l, speed, s, rules)
                if slow and _rests(l, m, s, one, results):
                    results.status[m] = STEADY
                if results.status[m] == 0:
                    _proceed(l, m, s, members, results)
            if results.status[m] == 0:
                continue
            for i in range(size):
                results.final[m, i] = s.u[i * LANES + l]
            results.reached[m] = s.t[l]
            s.h[l] = 0.0
            if s.common[FOLLOWING] < stop:
                _start(l, s.common[FOLLOWING], s, members, rules, results)
                s.common[FOLLOWING] += 1
            else:
                s.member[l] = -1
                s.common[ACTIVE] -= 1
    return s.common[ACTIVE]
