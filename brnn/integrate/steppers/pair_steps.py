"""Steps of explicit pairs of order 5 and seven stages, of any network, compiled as they stand.

The right-hand side is called at its address: all have one signature (brnn.compiler.module_text). The coefficients,
the error estimate and the interpolant of order 4 are those of a pair that is given (`brnn.integrate.steppers.pairs`).
The error is held for every unknown by itself, or for their root mean square if that is asked for. This file is run from
a copy in the cache folder (brnn.compiler.cache.load_copy).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import (
    NoAlias,
    array_at,
    array_in,
    at_least,
    at_most,
    bits_of,
    call_onward,
    call_rhs,
    number_of,
    place_of,
    times_plus,
    whole_at,
)
from brnn.compiler.onward import BASE, BEGIN, END, ONWARD, PLACES, SLOPES, STAGE, THEN, WEIGHTS
from brnn.integrate.steppers import plan
from brnn.integrate.steppers.pairs.pair import CHANGE, COUNTED, ERROR, FIVES, INSIDE, NEW, NODES
from brnn.integrate.steppers.step_lengths import (
    FIFTH,
    first_step,
    first_trial,
    following,
    growth,
    kept_stable,
    shrinkage,
)

TINY = 1e-300

# What `advance` keeps between calls: in `moments` the time, the next step, where the last step began, how far a saved
# state was from its bounds, the fastest rate that was seen, the length that the last error allowed and how that grew;
# in `counts` the evaluations, the steps, which row of `states` holds the state, whether K[6] is du/dt there, whether it
# began outside of the bounds (-1: to be found out). It begins where there was no evaluation yet.
NOW, NEXT, BEFORE, PROJECTED, RATE, ALLOWED, TREND = 0, 1, 2, 3, 4, 5, 6
EVALUATIONS, STEPS, ROW, STEPPED, OUTSIDE = 0, 1, 2, 3, 4
_ROW = 8 * PLACES  # bytes
RUNNING, FINISHED, FAILED, CONCERNED = 0, 1, 2, 3

# What is watched (see brnn.integrate.watches.Watches.table): a state, the total of some, or the largest of them.
CELL, TOTAL, LARGEST_OF = 0, 1, 2
_ROUNDING = 1e-12  # relative: sums of NumPy and of loops differ by less

_HELPER = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "forceinline": True,
}
# Helpers take each row of K as an array of its own that shares memory with no other (NoAlias), so that short loops ask
# nothing before they use vector instructions. `array_at` makes them: slices would be counted, at each step.


@njit(pipeline_class=NoAlias, **_HELPER)
def _stages(
    function: int, places: int, t: float, h: float, u: np.ndarray, k0: np.ndarray, k1: np.ndarray, k2: np.ndarray,
    k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, stage: np.ndarray, new: np.ndarray,
    pair: np.ndarray,
) -> None:  # fmt: skip
    """Fill k1 to k6 and `new` from k0 = du/dt at time t (of the schedules)."""
    n = u.size
    at = place_of(stage)
    a0 = pair[1, 0]
    for i in range(n):
        stage[i] = u[i] + h * (a0 * k0[i])
    call_rhs(function, t + pair[NODES, 1] * h, at, place_of(k1), places)
    a0, a1 = pair[2, 0], pair[2, 1]
    for i in range(n):
        stage[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i])
    call_rhs(function, t + pair[NODES, 2] * h, at, place_of(k2), places)
    a0, a1, a2 = pair[3, 0], pair[3, 1], pair[3, 2]
    for i in range(n):
        stage[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i])
    call_rhs(function, t + pair[NODES, 3] * h, at, place_of(k3), places)
    a0, a1, a2, a3 = pair[4, 0], pair[4, 1], pair[4, 2], pair[4, 3]
    for i in range(n):
        stage[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i] + a3 * k3[i])
    call_rhs(function, t + pair[NODES, 4] * h, at, place_of(k4), places)
    a0, a1, a2, a3, a4 = pair[5, 0], pair[5, 1], pair[5, 2], pair[5, 3], pair[5, 4]
    for i in range(n):
        stage[i] = u[i] + h * (a0 * k0[i] + a1 * k1[i] + a2 * k2[i] + a3 * k3[i] + a4 * k4[i])
    call_rhs(function, t + h, at, place_of(k5), places)
    a0, a2, a3, a4, a5 = pair[NEW, 0], pair[NEW, 2], pair[NEW, 3], pair[NEW, 4], pair[NEW, 5]
    change = pair[NEW, CHANGE]
    for i in range(n):
        new[i] = u[i] + (
            h * (a0 * k0[i] + a2 * k2[i] + a3 * k3[i] + a4 * k4[i] + a5 * k5[i]) + change * (stage[i] - u[i])
        )
    call_rhs(function, t + h, place_of(new), place_of(k6), places)


@njit(**_HELPER)
def _stages_onward(stages: np.ndarray, places: int, t: float, h: float, u: int, new: int, pair: np.ndarray) -> None:
    """Do the same where each stage is formed as the slopes of the one before are found; arrays are addresses here."""
    function, at, counts = stages[-1, 0], place_of(stages), array_at(stages[0, WEIGHTS], COUNTED)
    numbers = array_at(place_of(pair[FIVES]), COUNTED)
    for i in range(COUNTED):
        counts[i] = h * numbers[i]
    counts[COUNTED - 1] = numbers[COUNTED - 1]  # of the change
    for row in range(7):
        stages[row, BASE] = u
    stages[5, THEN] = stages[6, STAGE] = new
    t1, t2, t3 = t + pair[NODES, 1] * h, t + pair[NODES, 2] * h, t + pair[NODES, 3] * h
    t4, t5 = t + pair[NODES, 4] * h, t + h
    call_onward(function, BEGIN, t1, t1, at, places)
    call_onward(function, ONWARD, t1, t2, at + _ROW, places)
    call_onward(function, ONWARD, t2, t3, at + 2 * _ROW, places)
    call_onward(function, ONWARD, t3, t4, at + 3 * _ROW, places)
    call_onward(function, ONWARD, t4, t5, at + 4 * _ROW, places)
    call_onward(function, ONWARD, t5, t5, at + 5 * _ROW, places)
    call_onward(function, END, t5, t5, at + 6 * _ROW, places)


@njit(**_HELPER)
def _slope(function: int, stages: np.ndarray, places: int, t: float, at: int, slope: int) -> None:
    """Find du/dt of the state at an address: its bits are those that the last slope of a step has there."""
    if stages.size == 0:
        call_rhs(function, t, at, slope, places)
        return
    # As a step of no length does, since the loop that begins a step may add up totals in another order.
    for row in range(7, 9):
        for k in range(WEIGHTS):
            stages[row, k] = at  # the earlier slopes, which count nothing, and the state
        stages[row, SLOPES] = slope
    stages[8, STAGE] = at
    here, there = place_of(stages) + 7 * _ROW, place_of(stages) + 8 * _ROW
    call_onward(stages[-1, 0], BEGIN, t, t, here, places)
    call_onward(stages[-1, 0], ONWARD, t, t, there, places)
    call_onward(stages[-1, 0], END, t, t, here, places)


@njit(pipeline_class=NoAlias, **_HELPER)
def _largest_error(
    h: float, u: np.ndarray, new: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray,
    k5: np.ndarray, k6: np.ndarray, stage: np.ndarray, rtol: float, atol: float, pair: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Return the largest estimated error of an unknown in units of its tolerance, infinity if one is not a number.

    Also return about the fastest rate that is seen in the step: the last two stages, k5 at `stage` and k6 at `new`, are
    at the same time (Hairer and Wanner 1996, section IV.2).
    """
    # Numbers that are not negative are in the order of their bits, and nan comes after infinity: whole numbers are
    # compared in vector instructions, and nothing is lost.
    largest = turned = moved = np.int64(0)
    e0, e2, e3, e4 = pair[ERROR, 0], pair[ERROR, 2], pair[ERROR, 3], pair[ERROR, 4]
    e5, e6, change = pair[ERROR, 5], pair[ERROR, 6], pair[ERROR, CHANGE]
    for i in range(u.size):
        turned = max(turned, bits_of(abs(k6[i] - k5[i])))
        moved = max(moved, bits_of(abs(new[i] - stage[i])))
        error = h * (e0 * k0[i] + e2 * k2[i] + e3 * k3[i] + e4 * k4[i] + e5 * k5[i] + e6 * k6[i])
        error += change * (new[i] - u[i])
        largest = max(largest, bits_of(abs(error / (atol + rtol * max(abs(u[i]), abs(new[i]))))))
    result = number_of(largest)
    return result if result == result else np.inf, number_of(turned) / max(number_of(moved), TINY)


@njit(pipeline_class=NoAlias, fastmath={"contract", "reassoc"}, **_HELPER)
def _mean_error(
    h: float, u: np.ndarray, new: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray, k4: np.ndarray,
    k5: np.ndarray, k6: np.ndarray, stage: np.ndarray, rtol: float, atol: float, pair: np.ndarray,
) -> tuple[float, float]:  # fmt: skip
    """Return the root mean square of what `_largest_error` takes the largest of, and the same rate."""
    squares, turned, moved = 0.0, np.int64(0), np.int64(0)
    e0, e2, e3, e4 = pair[ERROR, 0], pair[ERROR, 2], pair[ERROR, 3], pair[ERROR, 4]
    e5, e6, change = pair[ERROR, 5], pair[ERROR, 6], pair[ERROR, CHANGE]
    for i in range(u.size):
        turned = max(turned, bits_of(abs(k6[i] - k5[i])))
        moved = max(moved, bits_of(abs(new[i] - stage[i])))
        error = h * (e0 * k0[i] + e2 * k2[i] + e3 * k3[i] + e4 * k4[i] + e5 * k5[i] + e6 * k6[i])
        error += change * (new[i] - u[i])
        error /= atol + rtol * max(abs(u[i]), abs(new[i]))
        squares += error * error
    result = np.sqrt(squares / u.size)
    return result if result == result else np.inf, number_of(turned) / max(number_of(moved), TINY)


trial_step, first_length, next_length, grown, shrunk, stable = (
    njit(**_HELPER)(function) for function in (first_trial, first_step, following, growth, shrinkage, kept_stable)
)


@njit(**_HELPER)
def _first_step(
    function: int, stages: np.ndarray, places: int, t: float, length: float, u: np.ndarray, k0: np.ndarray,
    k1: np.ndarray, stage: np.ndarray, rtol: float, atol: float,
) -> float:  # fmt: skip
    """Return a first step (`brnn.integrate.steppers.step_lengths`)."""
    state, speed = 0.0, 0.0
    for i in range(u.size):
        scale = atol + rtol * abs(u[i])
        state, speed = max(state, abs(u[i]) / scale), max(speed, abs(k0[i]) / scale)
    if not speed > 0.0:
        return length
    trial = trial_step(length, state, speed)
    for i in range(u.size):
        stage[i] = u[i] + trial * k0[i]
    _slope(function, stages, places, t + trial, place_of(stage), place_of(k1))
    bend = 0.0
    for i in range(u.size):
        bend = max(bend, abs(k1[i] - k0[i]) / (atol + rtol * abs(u[i])))
    return first_length(length, trial, speed, bend)


@njit(**_HELPER)
def _weight(pair: np.ndarray, column: int, s: float) -> float:
    return pair[INSIDE, column] + s * (
        pair[INSIDE + 1, column] + s * (pair[INSIDE + 2, column] + s * pair[INSIDE + 3, column])
    )


@njit(**_HELPER)
def weights_within(s: float, h: float, pair: np.ndarray) -> tuple[float, float, float, float, float, float, float]:
    """Return what the slopes 0 and 2 to 6 and the change of a step count in the state after the part s of it."""
    return (
        h * s * _weight(pair, 0, s),
        h * s * _weight(pair, 2, s),
        h * s * _weight(pair, 3, s),
        h * s * _weight(pair, 4, s),
        h * s * _weight(pair, 5, s),
        h * s * _weight(pair, 6, s),
        s * _weight(pair, CHANGE, s),
    )


@njit(**_HELPER)
def value_within(i: int, w: tuple, before: np.ndarray, after: np.ndarray, k: tuple) -> float:  # type: ignore[type-arg]
    """Return an unknown within the last step, from what the slopes count there; its bits are the same in any loop."""
    value = times_plus(w[2], k[2][i], times_plus(w[1], k[1][i], w[0] * k[0][i]))
    value = times_plus(w[5], k[5][i], times_plus(w[4], k[4][i], times_plus(w[3], k[3][i], value)))
    return before[i] + times_plus(w[6], after[i] - before[i], value)


@njit(**_HELPER)
def _kept(value: float, i: int, bounded: bool, lowest: np.ndarray, highest: np.ndarray) -> float:
    return at_most(at_least(value, lowest[i]), highest[i]) if bounded else value


@njit(pipeline_class=NoAlias, **_HELPER)
def _within(
    s: float, h: float, before: np.ndarray, after: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray,
    k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray, pair: np.ndarray, bounded: bool,
    lowest: np.ndarray, highest: np.ndarray,
) -> float:  # fmt: skip
    """Write the state after the part s of the last step; return how far it was from bounds that it is kept in."""
    w, k, largest = weights_within(s, h, pair), (k0, k2, k3, k4, k5, k6), np.int64(0)
    for i in range(out.size):
        value = value_within(i, w, before, after, k)
        out[i] = _kept(value, i, bounded, lowest, highest)
        if bounded:
            largest = max(largest, bits_of(abs(out[i] - value)))
    return number_of(largest)


@njit(pipeline_class=NoAlias, **_HELPER)
def _four_within(
    parts: tuple, h: float, before: np.ndarray, after: np.ndarray, k0: np.ndarray, k2: np.ndarray,
    k3: np.ndarray, k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out0: np.ndarray, out1: np.ndarray,
    out2: np.ndarray, out3: np.ndarray, pair: np.ndarray, bounded: bool, lowest: np.ndarray, highest: np.ndarray,
) -> float:  # type: ignore[type-arg]  # fmt: skip
    """Do the same after four parts of the step: each slope is read once."""
    w0, w1 = weights_within(parts[0], h, pair), weights_within(parts[1], h, pair)
    w2, w3 = weights_within(parts[2], h, pair), weights_within(parts[3], h, pair)
    k, largest = (k0, k2, k3, k4, k5, k6), np.int64(0)
    for i in range(out0.size):
        a, b = value_within(i, w0, before, after, k), value_within(i, w1, before, after, k)
        c, d = value_within(i, w2, before, after, k), value_within(i, w3, before, after, k)
        out0[i], out1[i] = _kept(a, i, bounded, lowest, highest), _kept(b, i, bounded, lowest, highest)
        out2[i], out3[i] = _kept(c, i, bounded, lowest, highest), _kept(d, i, bounded, lowest, highest)
        if bounded:
            one = max(bits_of(abs(out0[i] - a)), bits_of(abs(out1[i] - b)))
            largest = max(largest, max(one, max(bits_of(abs(out2[i] - c)), bits_of(abs(out3[i] - d)))))
    return number_of(largest)


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate(
    s: float, h: float, before: np.ndarray, after: np.ndarray, K: np.ndarray, out: np.ndarray, pair: np.ndarray
) -> None:
    """Write the state after the part s of the last step."""
    _within(s, h, before, after, K[0], K[2], K[3], K[4], K[5], K[6], out, pair, False, out, out)


@njit(pipeline_class=NoAlias, **_HELPER)
def _copy(values: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = values[i]


@njit(pipeline_class=NoAlias, **_HELPER)
def keep_within(lowest: np.ndarray, highest: np.ndarray, out: np.ndarray) -> float:
    """Project a state onto its bounds; return by how much the unknown that was farthest outside moved."""
    largest = np.int64(0)
    for i in range(out.size):
        value = min(max(out[i], lowest[i]), highest[i])
        largest = max(largest, bits_of(abs(value - out[i])))
        out[i] = value
    return number_of(largest)


@njit(**_HELPER)
def _concerns(
    spans: np.ndarray, numbers: np.ndarray, armed: np.ndarray, before: np.ndarray, after: np.ndarray, k0: np.ndarray,
    k6: np.ndarray,
) -> bool:  # fmt: skip
    """Tell whether a step may concern what is watched: something is beyond its threshold, back, or turned between."""
    for i in range(spans.shape[0]):
        first, stop, kind = spans[i, 0], spans[i, 1], spans[i, 2]
        value, left, entered = after[first], k0[first], k6[first]
        if kind == TOTAL:
            for k in range(first + 1, stop):
                value, left, entered = value + after[k], left + k0[k], entered + k6[k]
        elif kind == LARGEST_OF:
            old = before[first]
            for k in range(first + 1, stop):
                if after[k] > value:
                    value, entered = after[k], k6[k]
                if before[k] > old:
                    old, left = before[k], k0[k]
        sign, threshold = numbers[i, 0], numbers[i, 1]
        beyond, near = sign * (value - threshold), _ROUNDING * (abs(value) + abs(threshold))
        left, entered = sign * left, sign * entered
        if armed[i]:
            if beyond >= -near or (left > 0.0 and entered < 0.0):
                return True
        elif beyond < near or (left < 0.0 and entered > 0.0):
            return True
    return False


@njit(nogil=True, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)
def advance(
    function: int, table: np.ndarray, shift: float, moments: np.ndarray, counts: np.ndarray, states: np.ndarray,
    K: np.ndarray, stage: np.ndarray, stop: float, longest: float, rtol: float, atol: float, times: np.ndarray,
    saved: np.ndarray, lowest: np.ndarray, highest: np.ndarray, most: int, mean: bool, spans: np.ndarray,
    numbers: np.ndarray, armed: np.ndarray, stages: np.ndarray, pair: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Make up to `most` steps towards `stop`; write the states at `times` into the rows of `saved`.

    If there are bounds, these states are projected onto them, unless the first state lies outside. It comes back
    earlier when `saved` is full. Return the status and how many rows were written. A step is accepted if the largest
    error of an unknown is below its tolerance, or (`mean`) their root mean square. After a step that may concern what
    is watched it comes back at once, and has not saved what lies within it. `stages` is empty, or what
    `brnn.integrate.steppers.onward` makes; `pair` are the numbers of a `brnn.integrate.steppers.pairs.pair.Pair`.
    """
    done, made = 0, 0
    n = stage.size
    length, first = 8 * n, place_of(K)
    k0, k1, k2 = array_at(first, n), array_at(first + length, n), array_at(first + 2 * length, n)
    k3, k4, k5 = array_at(first + 3 * length, n), array_at(first + 4 * length, n), array_at(first + 5 * length, n)
    k6 = array_at(first + 6 * length, n)
    row, places, rows = counts[ROW], place_of(table), place_of(saved)
    u, other = array_at(place_of(states) + row * length, n), array_at(place_of(states) + (1 - row) * length, n)
    t, h_next, fastest, allowed, trend = moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND]
    if counts[EVALUATIONS] == 0:
        _slope(function, stages, places, t + shift, place_of(u), place_of(k0))
        trial = _first_step(function, stages, places, t + shift, stop - t, u, k0, k1, stage, rtol, atol)
        h_next = h_next if h_next > 0.0 else trial
        counts[EVALUATIONS] = 2
        if counts[OUTSIDE] < 0:
            counts[OUTSIDE] = 0
            for i in range(lowest.size):
                if not lowest[i] <= u[i] <= highest[i]:
                    counts[OUTSIDE] = 1
    bounded = lowest.size > 0 and counts[OUTSIDE] == 0
    status = RUNNING
    while True:
        if counts[STEPPED]:
            before, some = moments[BEFORE], min(times.size, saved.shape[0])
            h = t - before
            while done < some and times[done] <= t:
                out, farthest = array_at(rows + done * length, n), 0.0
                if times[done] == t:
                    _copy(u, out)
                    if bounded:
                        farthest = keep_within(lowest, highest, out)
                elif done + 3 < some and times[done + 1] < t:
                    # Four at once; where fewer lie within the step, the last stands in the rows of those that come.
                    p0, p1 = (times[done] - before) / h, (times[done + 1] - before) / h
                    p2 = (times[done + 2] - before) / h if times[done + 2] < t else p1
                    p3 = (times[done + 3] - before) / h if times[done + 3] < t else p2
                    farthest = _four_within(
                        (p0, p1, p2, p3), h, other, u, k0, k2, k3, k4, k5, k6, out,
                        array_at(rows + (done + 1) * length, n), array_at(rows + (done + 2) * length, n),
                        array_at(rows + (done + 3) * length, n), pair, bounded, lowest, highest,
                    )  # fmt: skip
                    done += 1 + (times[done + 2] < t) + (times[done + 3] < t)
                else:
                    s = (times[done] - before) / h
                    farthest = _within(s, h, other, u, k0, k2, k3, k4, k5, k6, out, pair, bounded, lowest, highest)
                moments[PROJECTED] = max(moments[PROJECTED], farthest)
                done += 1
        if done == saved.shape[0] and done < times.size and times[done] <= t:
            break  # there is no room for what was passed
        if t >= stop:
            status = FINISHED
            break
        if made == most:
            break
        if counts[STEPPED]:
            _copy(k6, k0)
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(h_next, shortest), longest)
        rejected = False
        while size >= shortest:
            end = min(t + size, stop)
            h = size = end - t
            if stages.size > 0:
                _stages_onward(stages, places, t + shift, h, place_of(u), place_of(other), pair)
            else:
                _stages(function, places, t + shift, h, u, k0, k1, k2, k3, k4, k5, k6, stage, other, pair)
            counts[EVALUATIONS] += 6
            if mean:
                error, rate = _mean_error(h, u, other, k0, k2, k3, k4, k5, k6, stage, rtol, atol, pair)
            else:
                error, rate = _largest_error(h, u, other, k0, k2, k3, k4, k5, k6, stage, rtol, atol, pair)
            if error < 1.0:
                h_next, allowed, trend = next_length(h, error, FIFTH, rejected, allowed, trend)
                h_next, fastest = stable(h_next, rate, fastest)
                moments[BEFORE] = t
                t = end
                row = 1 - row
                u, other = other, u
                break
            size *= shrunk(error, FIFTH)
            rejected = True
        else:
            status = FAILED
            break
        counts[STEPPED] = 1
        counts[STEPS] += 1
        made += 1
        if _concerns(spans, numbers, armed, other, u, k0, k6):
            status = CONCERNED
            break
    moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND] = t, h_next, fastest, allowed, trend
    counts[ROW] = row
    return status, done


@njit(**_HELPER)
def read(at: int) -> tuple:  # type: ignore[type-arg]
    """Return what a plan (`brnn.integrate.steppers.plan`) at an address tells: the arguments of `advance`."""
    wholes, numbers = whole_at(at, plan.TWO), array_at(at, plan.TWO)
    return (
        (wholes[plan.FUNCTION], whole_at(wholes[plan.TABLE], 1), numbers[plan.SHIFT]),
        (array_in(at, plan.MOMENTS, (plan.SEVEN,), np.float64), array_in(at, plan.COUNTS, (plan.SEVEN,), np.int64)),
        (
            array_in(at, plan.STATES, (plan.TWO, plan.SIZE), np.float64),
            array_in(at, plan.SLOPES, (plan.SEVEN, plan.SIZE), np.float64),
            array_in(at, plan.STAGE, (plan.SIZE,), np.float64),
        ),
        (numbers[plan.STOP], numbers[plan.LONGEST], numbers[plan.RTOL], numbers[plan.ATOL]),
        (
            array_in(at, plan.LOWEST, (plan.BOUNDS,), np.float64),
            array_in(at, plan.HIGHEST, (plan.BOUNDS,), np.float64),
        ),
        (wholes[plan.MOST], wholes[plan.MEAN] != 0),
        (
            array_in(at, plan.SPANS, (plan.WATCHED, plan.THREE), np.int64),
            array_in(at, plan.NUMBERS, (plan.WATCHED, plan.TWO), np.float64),
            array_in(at, plan.ARMED, (plan.WATCHED,), np.uint8),
        ),
        array_in(at, plan.STAGES, (plan.ROWS, plan.WIDTH), np.int64),
        array_in(at, plan.PAIR, (plan.KINDS, plan.EACH), np.float64),
    )


@njit(**_HELPER)
def begin(at: int, times: np.ndarray, saved: np.ndarray) -> int:
    """Begin anew if a plan tells from where; return how many of the times are saved.

    The first one is if it is that of the start.
    """
    wholes, (moments, counts), states = whole_at(at, plan.TWO), read(at)[1], read(at)[2][0]
    if wholes[plan.BEGIN] == 0:
        return wholes[plan.DONE]
    start, state = array_at(at, plan.TWO)[plan.START], array_at(wholes[plan.BEGIN], states.shape[1])
    wholes[plan.BEGIN] = 0
    for k in range(moments.size):
        moments[k], counts[k] = 0.0, 0
    moments[NOW], counts[OUTSIDE] = start, -1
    _copy(state, states[0])
    if wholes[plan.LAST] == 0 or times[0] != start:
        return 0
    _copy(state, saved[0])
    return 1


@njit(cache=True, nogil=True, error_model="numpy")
def follow(at: int, times: np.ndarray, saved: np.ndarray) -> int:
    """Do what `advance` does, as a plan at an address tells; return the status."""
    (
        (function, table, shift), (moments, counts), (states, K, stage), (stop, longest, rtol, atol),
        (lowest, highest), (most, mean), (spans, numbers, armed), stages, pair,
    ) = read(at)  # fmt: skip
    wholes, done = whole_at(at, plan.TWO), begin(at, times, saved)
    status, rows = advance(
        function, table, shift, moments, counts, states, K, stage, stop, longest, rtol, atol,
        times[done : wholes[plan.LAST]], saved[done:], lowest, highest, most, mean, spans, numbers, armed, stages,
        pair,
    )  # fmt: skip
    wholes[plan.DONE] = done + rows
    return status
