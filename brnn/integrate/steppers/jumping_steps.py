"""Steps of explicit pairs that end where signals jump, many in one call.

What `brnn.integrate.sides` says, and `brnn.integrate.stepwise` does for other methods, of networks without delays and
events. Of each jump of each cell it is known: which unknown, where, whether it is above, whether it is loose, and when
it jumped last. This file is run from a copy in the cache folder, with that of the steps
(brnn.compiler.cache.load_copy).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.jumps import AWAY, BEYOND, CLOSER, NEAR_END, TREMBLE
from brnn.compiler.numba_internals import array_at, call_rhs, place_of, whole_at
from brnn.integrate.steppers.pair_steps import (
    ALLOWED,
    BEFORE,
    CELL,
    CONCERNED,
    EVALUATIONS,
    NEXT,
    NOW,
    PLACES,
    ROW,
    RUNNING,
    STEPPED,
    STEPS,
    TREND,
    advance,
    begin,
    interpolate,
    read,
    weights_within,
)
from brnn.integrate.steppers.plan import DONE, LAST, TWO

LOOKS = 17  # at a cell that turns within a step
NEAR = 16.0 * 2.0**-52
# What is kept between calls: which jump was the first along which a cell slides (-1: none), when, and whether the last
# step is still to be looked at.
SLID, SINCE, PENDING = 0, 1, 2

_INNER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_INNER)
def _write(jumps: np.ndarray, above: np.ndarray, loose: np.ndarray, slots: np.ndarray, places: np.ndarray) -> None:
    """Set between which numbers signals are read; `places` has the addresses of both for each slot."""
    for s in range(places.shape[0]):
        array_at(places[s, 0], 1)[0], array_at(places[s, 1], 1)[0] = -np.inf, np.inf
    for k in range(jumps.size):
        if loose[k]:
            continue
        low, high = array_at(places[slots[k], 0], 1), array_at(places[slots[k], 1], 1)
        if above[k]:
            low[0] = max(low[0], jumps[k])
        else:
            high[0] = min(high[0], np.nextafter(jumps[k], -np.inf))


@njit(**_INNER)
def _value(
    i: int, part: float, h: float, before: np.ndarray, after: np.ndarray, K: np.ndarray, pair: np.ndarray
) -> float:
    """Return unknown i after a part of the last step."""
    w0, w2, w3, w4, w5, w6, change = weights_within(part, h, pair)
    value = w0 * K[0, i] + w2 * K[2, i] + w3 * K[3, i] + w4 * K[4, i] + w5 * K[5, i] + w6 * K[6, i]
    return before[i] + (value + change * (after[i] - before[i]))


@njit(**_INNER)
def _is_beyond(
    i: int, jump: float, above: int, time: float, start: float, h: float, before: np.ndarray, after: np.ndarray,
    K: np.ndarray, pair: np.ndarray,
) -> bool:  # fmt: skip
    away = _value(i, (time - start) / h, h, before, after, K, pair) - jump
    return away < 0.0 if above else away >= 0.0


@njit(**_INNER)
def _turned(
    i: int, jump: float, sign: float, start: float, h: float, before: np.ndarray, after: np.ndarray, K: np.ndarray,
    pair: np.ndarray,
) -> float:  # fmt: skip
    """Return a moment at which a cell that turns within the step is beyond its jump; infinity if there is none."""
    first, width = start, h / (LOOKS - 1)
    for look in range(CLOSER):
        best, where = -np.inf, 0
        for j in range(LOOKS):
            time = first + width * j
            beyond = sign * (_value(i, (time - start) / h, h, before, after, K, pair) - jump)
            if j > 0 and beyond > 0.0:
                return min(time, start + h)
            if beyond > best:
                best, where = beyond, j
        where = min(max(where, 1), LOOKS - 2)
        if look == 0:
            # No smooth peak stands higher above its best moment than the lower of the neighbours stands below it.
            low = np.inf
            for j in (where - 1, where + 1):
                low = min(low, sign * (_value(i, j / (LOOKS - 1), h, before, after, K, pair) - jump))
            inner = sign * (_value(i, where / (LOOKS - 1), h, before, after, K, pair) - jump)
            if best + max(inner - low, 0.0) < 0.0:
                return np.inf
        first += width * (where - 1)
        width *= 2.0 / (LOOKS - 1)
    return np.inf


@njit(**_INNER)
def _first_jump(
    start: float, stop: float, before: np.ndarray, after: np.ndarray, K: np.ndarray, states: np.ndarray,
    jumps: np.ndarray, above: np.ndarray, loose: np.ndarray, waiting: np.ndarray, pair: np.ndarray,
) -> float:  # fmt: skip
    """Return when the first signal of a step jumps, infinity if none does; set which are `waiting` to change sides."""
    first, found, h = np.inf, -1, stop - start
    for k in range(jumps.size):
        waiting[k] = 0
        if loose[k]:
            continue
        i, jump, sign = states[k], jumps[k], -1.0 if above[k] else 1.0
        end = sign * (after[i] - jump)
        if end > 0.0 or (end == 0.0 and not above[k]):
            at = stop
        elif sign * K[0, i] > 0.0 and sign * K[6, i] < 0.0:
            at = _turned(i, jump, sign, start, h, before, after, K, pair)
            if at == np.inf:
                continue
        else:
            continue
        waiting[k] = 1
        low, high = start, min(at, first)
        if high < at and not _is_beyond(i, jump, above[k], high, start, h, before, after, K, pair):
            continue
        while True:
            middle = low + 0.5 * (high - low)
            if not low < middle < high or high - low <= NEAR * high:
                break
            if _is_beyond(i, jump, above[k], middle, start, h, before, after, K, pair):
                high = middle
            else:
                low = middle
        first, found = high, k
    if found < 0:
        return np.inf
    later = min(first + NEAR * first, stop)
    for k in range(jumps.size):
        if waiting[k] and k != found:
            waiting[k] = _is_beyond(states[k], jumps[k], above[k], later, start, h, before, after, K, pair)
    return first


@njit(**_INNER)
def _change(
    function: int, table: int, time: float, shift: float, u: np.ndarray, K: np.ndarray, rtol: float, atol: float,
    states: np.ndarray, jumps: np.ndarray, above: np.ndarray, loose: np.ndarray, last: np.ndarray, slots: np.ndarray,
    places: np.ndarray, waiting: np.ndarray, kept: np.ndarray,
) -> int:  # fmt: skip
    """Let those that wait change sides, and those loose that slide; fill K[0]; return the number of evaluations."""
    evaluations = 1
    for k in range(jumps.size):
        if waiting[k] and last[k] > -np.inf:
            call_rhs(function, time + shift, place_of(u), place_of(K[1]), table)
            evaluations += 1
            break
    for k in range(jumps.size):
        if waiting[k]:
            above[k] = 1 - above[k]
            tolerance = atol + rtol * abs(u[states[k]])
            if -np.inf < last[k] < time and abs(K[1, states[k]]) * (time - last[k]) <= TREMBLE * tolerance:
                _loosen(k, time, loose, kept)
            last[k] = time
    _write(jumps, above, loose, slots, places)
    call_rhs(function, time + shift, place_of(u), place_of(K[0]), table)
    back = False
    for k in range(jumps.size):
        slope = K[0, states[k]]
        if waiting[k] and not loose[k] and (slope < 0.0 if above[k] else slope > 0.0):
            _loosen(k, time, loose, kept)
            back = True
    if back:
        _write(jumps, above, loose, slots, places)
        call_rhs(function, time + shift, place_of(u), place_of(K[0]), table)
        evaluations += 1
    return evaluations


@njit(**_INNER)
def _loosen(k: int, time: float, loose: np.ndarray, kept: np.ndarray) -> None:
    loose[k] = 1
    if kept[SLID] < 0.0:
        kept[SLID], kept[SINCE] = k, time


@njit(**_INNER)
def _kept_again(
    u: np.ndarray, rtol: float, atol: float, states: np.ndarray, jumps: np.ndarray, above: np.ndarray, loose: np.ndarray
) -> bool:
    """Keep loose signals on their sides whose cells have gone away from their jumps; tell whether there are any."""
    found = False
    for k in range(jumps.size):
        away = u[states[k]] - jumps[k]
        if loose[k] and abs(away) > AWAY * (atol + rtol * abs(u[states[k]])):
            loose[k], above[k] = 0, away >= 0.0
            found = True
    return found


@njit(**_INNER)
def _watched(
    states: np.ndarray, jumps: np.ndarray, above: np.ndarray, loose: np.ndarray, spans: np.ndarray, numbers: np.ndarray
) -> int:
    """Write what steps are to look at; return how many jumps these are."""
    count = 0
    for k in range(jumps.size):
        if not loose[k]:
            spans[count, 0], spans[count, 1], spans[count, 2] = states[k], states[k] + 1, CELL
            numbers[count, 0], numbers[count, 1] = -1.0 if above[k] else 1.0, jumps[k]
            count += 1
    return count


@njit(cache=True, nogil=True, error_model="numpy")
def follow_over_jumps(
    at: int, times: np.ndarray, saved: np.ndarray, states: np.ndarray, jumps: np.ndarray, above: np.ndarray,
    loose: np.ndarray, last: np.ndarray, slots: np.ndarray, places: np.ndarray, kept: np.ndarray,
) -> int:  # fmt: skip
    """Do what `follow` does, and end steps where signals jump."""
    wholes, done = whole_at(at, TWO), begin(at, times, saved)
    status, rows = _advance(
        at, times[done : wholes[LAST]], saved[done:], states, jumps, above, loose, last, slots, places, kept
    )
    wholes[DONE] = done + rows
    return status


@njit(**_INNER)
def _advance(
    at: int, times: np.ndarray, saved: np.ndarray, states: np.ndarray, jumps: np.ndarray, above: np.ndarray,
    loose: np.ndarray, last: np.ndarray, slots: np.ndarray, places: np.ndarray, kept: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Do what `advance` does, and end steps where signals jump; `both` are the two states."""
    (
        (function, table, shift), (moments, counts), (both, K, stage), (stop, longest, rtol, atol), (lowest, highest),
        (most, mean), _, _, pair,
    ) = read(at)  # fmt: skip
    m = jumps.size
    spans, numbers, armed = np.empty((m, 3), np.int64), np.empty((m, 2)), np.ones(m, np.uint8)
    waiting, stages = np.empty(m, np.uint8), np.empty((0, PLACES), np.int64)
    watched = _watched(states, jumps, above, loose, spans, numbers)
    done, begun = 0, counts[STEPS]
    while True:
        left = most - (counts[STEPS] - begun)
        if watched < m and left > 0 and kept[PENDING] == 0.0:
            left = 1
            if _kept_again(both[counts[ROW]], rtol, atol, states, jumps, above, loose):
                _write(jumps, above, loose, slots, places)
                watched = _watched(states, jumps, above, loose, spans, numbers)
        status = CONCERNED
        if kept[PENDING] == 0.0:
            status, rows = advance(
                function, table, shift, moments, counts, both, K, stage, stop, longest, rtol, atol, times[done:],
                saved[done:], lowest, highest, left, mean, spans[:watched], numbers[:watched], armed[:watched], stages,
                pair,
            )  # fmt: skip
            done += rows
        if status == RUNNING and left == 1 and counts[STEPS] - begun < most:
            full = done == saved.shape[0] and done < times.size and times[done] <= moments[NOW]
            if not full:
                continue
        if status != CONCERNED:
            return status, done
        before, now, row = moments[BEFORE], moments[NOW], counts[ROW]
        jump = _first_jump(before, now, both[1 - row], both[row], K, states, jumps, above, loose, waiting, pair)
        if jump == np.inf:
            kept[PENDING] = 0.0
            continue
        if jump - before < NEAR_END * (now - before):
            counts[ROW], counts[STEPPED] = 1 - row, 0
            moments[NOW], moments[NEXT] = before, BEYOND * (jump - before)
            moments[ALLOWED] = moments[TREND] = 0.0
            continue
        passed = done + np.searchsorted(times[done:], jump, side="right")
        if passed > done:  # nothing but saved
            _, rows = advance(
                function, table, shift, moments, counts, both, K, stage, stop, longest, rtol, atol, times[done:passed],
                saved[done:], lowest, highest, 0, mean, spans[:0], numbers[:0], armed[:0], stages,
                pair,
            )  # fmt: skip
            done += rows
            if done < passed:
                kept[PENDING] = 1.0
                return RUNNING, done
        kept[PENDING] = 0.0
        if jump < now:
            after = both[row].copy()
            interpolate((jump - before) / (now - before), now - before, both[1 - row], after, K, both[row], pair)
        moments[NOW], counts[STEPPED] = jump, 0
        moments[ALLOWED] = moments[TREND] = 0.0
        counts[EVALUATIONS] += _change(
            function, place_of(table), jump, shift, both[row], K, rtol, atol, states, jumps, above, loose, last, slots,
            places, waiting, kept,
        )  # fmt: skip
        watched = _watched(states, jumps, above, loose, spans, numbers)
