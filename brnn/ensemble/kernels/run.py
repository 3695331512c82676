"""Run members over the lanes, from their beginnings to their ends.

A member whose steps are limited by stability, by the test of Hairer and Wanner (Solving Ordinary Differential
Equations II, section IV.2), goes on with the method of `stiff`, and comes back if that is not worth its price. When a
member rests is said in `brnn.integrate.steady`.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from brnn.compiler.jumps import BEYOND, NEAR_END
from brnn.compiler.lanes import LANES
from brnn.compiler.numba_internals import address, call_rests, part
from brnn.ensemble import rest

from . import stiff
from .cells import AT_Q, READY, STATE, UNKNOWN, WANTED, Cells
from .control import INNER, OPTIONS
from .explicit import FROM, attempt, control, first_steps
from .sides import WHOLE, Sides, change, loosen_all, mended, part_of_step, put_all
from .state import (
    ACTIVE,
    COMMON,
    COMPLETE,
    EVALUATIONS,
    FOLLOWING,
    FULL,
    JACOBIANS,
    RENEWED,
    STEADY,
    STEPS,
    TOO_MANY,
    TOO_SHORT,
    Members,
    Results,
    Rules,
    begin,
    enter_segment,
    fill,
    lanes_of,
    save,
)  # fmt: skip
from .stiff import LaneFunction
from .vectors import changes, stretch, take

_f1, _f2, _i1 = types.float64[::1], types.float64[:, ::1], types.int64[::1]
SIGNATURE = types.int64(
    types.int64, _i1, _i1, types.int64, types.int64,  # lanes .. scratch_rows
    types.int64, types.int64, types.boolean, types.int64,  # start .. most
    _f2, _i1, _f1, _f2, _f2, _f2, _i1, _i1, _f1, _f1,  # Members
    _f1, types.int64, types.float64, types.float64, types.int64, types.boolean,  # Rules
    types.int64[:, ::1],  # sides
    _f2, _f1, _i1, types.int64[:, ::1], types.float64[:, :, ::1],  # Results
    _f1, _i1, _i1, _f1,  # room, marks, table, cell_room
)  # fmt: skip

MOST_STEPS = 5_000_000
TRIAL = 20  # steps in which the stiff method shows what it is worth
_PRICE_OF_CELLS = 10.0  # explicit steps that take the time of one in O(cells), measured from 3 to 200 unknowns
PATIENCE = 4  # how many times as long it is not tried again after each failure

seems_far, worth_a_look = njit(**INNER)(rest.seems_far), njit(**INNER)(rest.worth_a_look)


@njit(**INNER)
def _spread(l, s, one, q, lanes):
    """Take the member of lane l out of it, its numbers into so many lanes of `q`."""
    for k in range(s.rows):
        for other in range(lanes):
            q[k * lanes + other] = s.q[k * LANES + l]
    for i in range(s.size):
        one.state[i] = s.u[i * LANES + l]
        one.slope[i] = s.k1[i * LANES + l]


@njit(**INNER)
def _rests(l, m, s, one, sides, rests, rules, results):
    """Tell whether lane l, whose last step has changed it by so much, rests; its state is then that of rest."""
    far = seems_far(s.run[l], s.rise[l], s.norm[l])
    if not worth_a_look(far, s.t[l], s.looked[l], rules.rtol):
        return False
    s.looked[l] = s.t[l]
    _spread(l, s, one, one.q, LANES)
    loosen_all(one.q, sides)
    fun = one.fun
    at_rest = call_rests(
        rests, fun.lanes, fun.n, fun.work, fun.scratch, fun.whole, s.size, s.rows, one.t, one.pivots, s.t[l],
        rules.rtol, rules.atol, part(results.counts, 3 * m),
    )  # fmt: skip
    if at_rest:
        for i in range(s.size):
            s.u[i * LANES + l] = one.after[i]
    return at_rest


@njit(**INNER)
def _price(size, low):
    """Return about how many explicit steps of one lane take the time of a stiff one, which has all lanes to itself."""
    if low:
        return _PRICE_OF_CELLS
    return LANES * (6.0 + np.ceil(size / LANES)) / 8.0 + 0.2 * size + 0.005 * size * size


@njit(**INNER)
def _taken_out(l, s, one, cells):
    """Take the member of lane l out of it, for the way in which it makes stiff steps."""
    if cells.table[STATE] == READY:
        _spread(l, s, one, part(cells.room, cells.table[AT_Q]), 1)
    else:
        _spread(l, s, one, one.q, LANES)


@njit(**INNER)
def _begin_stiff(l, m, s, one, cells, sides, results):
    """Find the slope of a fresh lane, on the sides of jumps on which its cells are."""
    if s.fresh[l] == 1:
        put_all(l, s, sides)
    counts = part(results.counts, 3 * m)
    for again in range(3):
        _taken_out(l, s, one, cells)
        stiff.slope_by(one, cells, s.t[l], one.state, one.slope)
        counts[EVALUATIONS] += 1
        if again == 2 or not mended(l, again, one.slope, 1, 0, s, sides):
            break
    for i in range(s.size):
        s.k1[i * LANES + l] = one.slope[i]


@njit(**INNER)
def _stiff_step(l, m, s, one, cells, sides, members, rules, results):
    """Make one stiff step of lane l; tell whether it is made (there was room for what is saved of it)."""
    stop, counts = members.stops[s.segment[l]], part(results.counts, 3 * m)
    if s.fresh[l]:
        _begin_stiff(l, m, s, one, cells, sides, results)
    else:
        _taken_out(l, s, one, cells)
    if s.fresh[l] == 1:
        # The first step moves no unknown by more than a thousand tolerances; if that is too long the error says so.
        speed = stiff.speed_of(s.size, one.slope, one.state, rules.rtol, rules.atol)
        s.h[l] = min(stop - s.t[l], 1000.0 / speed if speed > 0.0 else stop - s.t[l])
    s.fresh[l] = 0
    counts[EVALUATIONS] += stiff.jacobian(one, cells, s.t[l])
    counts[JACOBIANS] += 1
    for i in range(s.size):
        one.drift[i] = 0.0
    if rules.varying:
        stiff.drift(one, cells, s.t[l], min(stop, s.t[l] + 0.01 * members.longest[m]))
        counts[EVALUATIONS] += 1
    longest = min(s.h[l], members.longest[m])
    end, taken, ahead, tries = stiff.rodas4(one, cells, s.t[l], stop, longest, rules.rtol, rules.atol)
    counts[EVALUATIONS] += 5 * tries
    if taken == 0.0:
        results.status[m] = TOO_SHORT
        return False
    at = part_of_step(l, taken, s, one, sides, rules) if sides.count else WHOLE
    if at < NEAR_END:
        s.h[l] = BEYOND * at * taken
        return False
    cut = at < 1.0
    end = s.t[l] + at * taken if cut else end
    if not save(l, m, end, taken, cut, s, one, rules, results):
        return False
    if at <= 1.0:
        change(l, end, at, taken, s, one, sides, rules)
        s.fresh[l] = RENEWED
    if cut:
        stiff.dense(one, at, one.after)
    counts[STEPS] += 1
    counts[EVALUATIONS] += 1
    s.t[l], s.h[l] = end, ahead
    stiff.slope_by(one, cells, end, one.after, one.slope)
    s.run[l], s.rise[l], s.norm[l] = 0.0, 0.0, 0.0
    for i in range(s.size):
        k = i * LANES + l
        scale = rules.atol + rules.rtol * abs(one.after[i])
        s.run[l] = max(s.run[l], abs(one.slope[i]) / scale)
        s.rise[l] = max(s.rise[l], abs(one.after[i] - s.u[k]) / scale)
        s.norm[l] = max(s.norm[l], abs(one.slope[i] - s.k1[k]) / scale)
        s.u[k], s.k1[k] = one.after[i], one.slope[i]
    s.tried[l] += 1
    if s.tried[l] == TRIAL:
        if end - s.trial_t[l] < TRIAL * _price(s.size, cells.table[STATE] == READY) * s.pace[l]:
            # The explicit method is cheaper.
            s.stiff[l], s.h[l], s.rejected[l] = 0, s.pace[l], 0
            s.patience[l] *= PATIENCE
        s.tried[l], s.trial_t[l] = 0, end
    return True


@njit(**INNER)
def _choose(s, cells, members):
    """Call the stiff method where it may help; return False if it is not known yet how it would work."""
    c = cells.table
    for l in range(LANES):
        called = s.limited[l] >= s.patience[l]
        if s.member[l] < 0 or not (called or s.stiff[l]):
            continue
        if c[STATE] == UNKNOWN:
            c[STATE] = WANTED
            return False
        if called:
            s.limited[l] = 0
            left = members.stops[members.first[s.member[l] + 1] - 1] - s.t[l]
            if left > TRIAL * _price(s.size, c[STATE] == READY) * s.pace[l]:
                s.stiff[l], s.tried[l], s.trial_t[l] = 1, 0, s.t[l]
    return True


@njit(forceinline=True, **INNER)
def _proceed(l, m, s, members, results):
    """End lane l's member, or its segment, if it is at the end."""
    final = members.first[m + 1] - 1
    if s.t[l] >= members.stops[s.segment[l]]:
        if s.segment[l] == final:
            results.status[m] = COMPLETE
            return
        enter_segment(l, s.segment[l] + 1, s, members)
        s.fresh[l] = 1
    if results.counts[3 * m + STEPS] >= MOST_STEPS:
        results.status[m] = TOO_MANY


@njit(SIGNATURE, cache=True, **OPTIONS)
def run_members(
    lanes, n, whole, work_rows, scratch_rows,
    start, stop, resume, most,
    initial, first, stops, numbers, arrays, segments, array_rows, segment_rows, settled, longest,
    times, base, rtol, atol, rests, varying,
    jumping,
    final, reached, status, counts, trajectory,
    room, marks, table, cell_room,
):  # fmt: skip
    """Integrate the members start .. stop - 1; see `brnn.ensemble.run` for the arguments.

    Returns how many are not done, because `most` steps of all lanes were made, or `trajectory` is full, or `table` says
    that what is said in `cells` is wanted.
    """
    size = initial.shape[1]
    rows = numbers.shape[1] + array_rows.size + segment_rows.size
    s = lanes_of(room, marks, size, rows, work_rows)
    fun = LaneFunction(lanes, address(n), s.q, s.work, s.scratch, address(whole))
    members = Members(
        numbers.shape[1], array_rows.size, segment_rows.size, int(arrays.shape[0] > 1),
        address(initial), address(first), address(stops), address(numbers), address(arrays), address(segments),
        address(array_rows), address(segment_rows), address(settled), address(longest),
    )  # fmt: skip
    sides = Sides(jumping.shape[0], address(jumping))
    rules = Rules(address(times), times.size, base, trajectory.shape[1], rtol, atol, varying)
    results = Results(
        start, address(final), address(reached), address(status), address(counts), address(trajectory)
    )  # fmt: skip
    # Behind what the lanes remember is room for one member.
    one = stiff.single_member(
        fun, size, rows, part(s.scratch, LANES * scratch_rows), part(s.common, COMMON)
    )  # fmt: skip
    cells = Cells(address(table), address(cell_room), address(whole))
    if not resume:
        s.common[FOLLOWING], s.common[ACTIVE] = start, 0
        for l in range(LANES):
            if s.common[FOLLOWING] < stop:
                begin(l, s.common[FOLLOWING], s, members, rules, results)
                s.common[FOLLOWING] += 1
                s.common[ACTIVE] += 1
            else:  # a lane without a member computes what another does, and counts nothing
                fill(l, stop - 1, s, members)
                s.member[l] = -1
    s.common[FULL] = 0
    while s.common[ACTIVE] > 0 and s.common[FULL] == 0 and most > 0:
        if not _choose(s, cells, members):
            break
        most -= 1
        fresh, explicit, long = False, False, False
        for l in range(LANES):
            if s.member[l] >= 0:
                fresh = fresh or (s.fresh[l] and not s.stiff[l])
                explicit = explicit or not s.stiff[l]
                long = long or results.counts[3 * s.member[l] + STEPS] >= FROM
        if fresh:
            first_steps(fun, s, sides, members, rules, results)
        if explicit:
            attempt(fun, s, members, rules)
            if long:
                stretch(size, s.new, s.v, s.k6, s.k7, s.rise, s.run)
            for l in range(LANES):
                control(l, s, one, sides, members, rules, results)
            if rests:
                changes(size, s.u, s.new, s.k1, s.k7, rtol, atol, s.run, s.rise, s.norm)
            take(size, s.pick, s.new, s.k7, s.u, s.k1)
        for l in range(LANES):
            m = s.member[l]
            if m < 0:
                continue
            made = s.pick[l] > 0.0
            if s.stiff[l]:
                made = _stiff_step(l, m, s, one, cells, sides, members, rules, results)
            if made:
                looks = rests and not s.fresh[l] and s.t[l] > members.settled[m]
                if looks and _rests(l, m, s, one, sides, rests, rules, results):
                    results.status[m] = STEADY
                if results.status[m] == 0:
                    _proceed(l, m, s, members, results)
            if results.status[m] == 0:
                continue
            for i in range(size):
                results.final[m * size + i] = s.u[i * LANES + l]
            results.reached[m] = s.t[l]
            s.h[l] = 0.0
            if s.common[FOLLOWING] < stop:
                begin(l, s.common[FOLLOWING], s, members, rules, results)
                s.common[FOLLOWING] += 1
            else:
                s.member[l] = -1
                s.common[ACTIVE] -= 1
    return s.common[ACTIVE]
