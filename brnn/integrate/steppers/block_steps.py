"""Steps of explicit pairs of order 5 in passes over blocks of cells, compiled as they stand.

For networks whose cells meet in totals or convolutions alone (brnn.compiler.blocks). A pass goes over the state once:
of each block it finishes du/dt of the last stage, forms the state of the next one, and begins its sums and transforms,
while the block is in the cache. A step has seven passes, one more after each for the columns of convolutions, and one
for all states that are saved within it.

Threads share the blocks of a pass (`brnn.integrate.steppers.sharing`). Blocks are those of the network, whoever
computes them, and their sums are added in their order, so that no bit depends on the number of threads.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit

from brnn.compiler.numba_internals import (
    SHARE_SIGNATURE,
    array_at,
    array_in,
    bits_of,
    call_block,
    call_pass,
    number_of,
    place_of,
    set_shared,
)
from brnn.integrate.steppers.block_sums import (
    four_within,
    keep_between,
    new_state,
    next_stage,
    sizes,
    speed_of,
    step_error,
    two_within,
    within,
)
from brnn.integrate.steppers.pair_steps import (
    ALLOWED,
    BEFORE,
    EVALUATIONS,
    FAILED,
    FINISHED,
    NEXT,
    NOW,
    PROJECTED,
    RATE,
    ROW,
    RUNNING,
    STEPPED,
    STEPS,
    TINY,
    TREND,
    first_length,
    keep_within,
    next_length,
    shrunk,
    stable,
    trial_step,
)
from brnn.integrate.steppers.pairs.pair import CHANGE, NODES
from brnn.integrate.steppers.pairs.pair import NEW as NEW_STATE
from brnn.integrate.steppers.sharing import CLOSED, DO, FREE, PARTS, PLACE, TAKEN, asked_on, share
from brnn.integrate.steppers.step_lengths import FIFTH

__all__ = ["DO", "PARTS", "PLACE", "TAKEN", "advance", "do_block", "interpolate"]

# What a pass is, beside what `brnn.integrate.steppers.sharing` has of one: what to do; addresses of the functions,
# their table, sums of each block and of all; where states are saved, and how many; so many unknowns stay together; the
# state, the new one, room for a stage, and six slopes, the last of a step in the place of the second. The first
# argument of `do_block` is a table of arrays.
(
    KIND, TOTALS, SLOPES, FUSED, TABLE, SUMS, SHARES, SUM, OUT, ROWS, UNIT, ACROSS, U, NEW, SPARE, K,
) = range(FREE, FREE + 16)  # fmt: skip
WHOLE = K + 7
# In numbers: the times of the stages, the step, tolerances, whether the errors are added as squares.
T_SLOPES, T_TOTALS, H, MEAN, WEIGHTS, RTOL, ATOL = 0, 1, 2, 3, 4, 12, 13
FURTHER = 14  # and what the slopes count in the new state and in the error, in the pass before these are made
NUMBERS = FURTHER + 2 * (CHANGE + 1)
# Kinds of a pass beside 1 to 7, the stages: what comes before the first step, the states that are saved, and what is
# done between the two halves of du/dt where there are convolutions.
FIRST, SECOND, TRIAL, BENT, WITHIN, BETWEEN = 0, 8, 9, 10, 11, 12

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@cfunc(SHARE_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def do_block(table: int, room: int, b: int) -> None:
    """Do what the pass asks for to one block; write three numbers about it into a row of what is found."""
    whole, numbers = array_in(table, 1, (2,), np.int64), array_in(table, 3, (4,), np.float64)
    found, parts = array_in(table, 5, (6, 7), np.float64), array_in(table, 8, (9,), np.int64)
    s, pair = array_in(table, 10, (11,), np.float64), array_in(table, 12, (13, 14), np.float64)
    lowest, highest = array_in(table, 15, (16,), np.float64), array_in(table, 17, (18,), np.float64)
    kind, m, h = whole[KIND], whole[PARTS], numbers[H]
    if whole[FUSED] != 0 and 1 <= kind <= 7:
        spare = whole[SPARE] if whole[SPARE] != 0 else whole[NEW]
        now, then = (whole[NEW], spare) if kind % 2 == 1 else (spare, whole[NEW])
        call_pass(
            whole[FUSED], kind, numbers[T_SLOPES], numbers[T_TOTALS], now, then, whole[U], place_of(whole) + 8 * K,
            place_of(numbers) + 8 * WEIGHTS, whole[TABLE], whole[SUM], whole[SHARES] + 8 * b * whole[SUMS],
            place_of(found) + 24 * b, b, m,
        )  # fmt: skip
        if kind == 7 and numbers[MEAN] > 0.0:
            found[b, 0] = found[b, 1]
        return
    u, new, places = whole[U], whole[NEW], whole[TABLE]
    own = whole[SHARES] + 8 * b * whole[SUMS]  # sums
    rtol, atol = numbers[RTOL], numbers[ATOL]
    if 2 <= kind <= 7:
        call_block(whole[SLOPES], numbers[T_SLOPES], new, whole[K + kind - 1], places, whole[SUM], room, b, m)
    elif kind == SECOND and whole[FUSED] == 0:
        call_block(whole[SLOPES], numbers[T_SLOPES], u, whole[K], places, whole[SUM], room, b, m)
    elif kind == BENT:
        call_block(whole[SLOPES], numbers[T_SLOPES], new, whole[K + 1], places, whole[SUM], room, b, m)
    elif kind == BETWEEN:
        call_block(whole[ACROSS], numbers[T_TOTALS], new, whole[K], places, whole[SUM], room, b, m)
        return
    one, two, three = 0.0, 0.0, 0.0
    for part in range(parts.size - 1):
        size = (parts[part + 1] - parts[part]) // whole[UNIT]
        first = size * b // m * whole[UNIT]
        n, at = size * (b + 1) // m * whole[UNIT] - first, 8 * (parts[part] + first)
        x, y = array_at(u + at, n), array_at(new + at, n)
        k0, k1, k2 = array_at(whole[K] + at, n), array_at(whole[K + 1] + at, n), array_at(whole[K + 2] + at, n)
        k3, k4, k5 = array_at(whole[K + 3] + at, n), array_at(whole[K + 4] + at, n), array_at(whole[K + 5] + at, n)
        k6 = array_at(whole[K + 6] + at, n)
        if 1 <= kind <= 5 or kind == TRIAL:
            next_stage(kind, h, x, k0, k1, k2, k3, k4, y, pair)
        elif kind == 6:
            one = max(one, new_state(h, x, k0, k2, k3, k4, k5, y, pair))
        elif kind == 7:
            largest, squares, turned = step_error(h, x, y, k0, k2, k3, k4, k5, k6, rtol, atol, pair)
            if numbers[MEAN] > 0.0:
                one += squares
            else:
                one = number_of(max(bits_of(one), bits_of(largest)))  # nan is above all
            three = max(three, turned)
        elif kind == SECOND:
            state, speed = speed_of(x, k0, rtol, atol)
            one, two = max(one, state), max(two, speed)
        elif kind == BENT:
            two = max(two, sizes(x, k1, k0, rtol, atol)[1])
        elif kind == WITHIN:
            width, rows = 8 * parts[parts.size - 1], whole[ROWS]
            low, high = (lowest[0], highest[0]) if lowest.size == 1 else (-np.inf, np.inf)
            row = 0
            while row < rows:
                place, inner = whole[OUT] + width * row + at, 0
                while row + inner < rows and inner < 4 and s[row + inner] < 1.0:
                    inner += 1
                if inner > 1:
                    inner = 4 if inner == 4 else 2  # a third one goes alone: all arrays are said to share no memory
                    out, more = array_at(place, n), array_at(place + width, n)
                    if inner == 2:
                        farthest = two_within(
                            s[row], s[row + 1], h, low, high, x, y, k0, k2, k3, k4, k5, k6, out, more, pair
                        )
                    else:
                        farthest = four_within(
                            (s[row], s[row + 1], s[row + 2], s[row + 3]), h, low, high, x, y, k0, k2, k3, k4, k5, k6,
                            out, more, array_at(place + 2 * width, n), array_at(place + 3 * width, n), pair,
                        )  # fmt: skip
                    one = max(one, farthest)
                    row += inner
                    continue
                out = array_at(place, n)
                if s[row] == 1.0:
                    out[:] = y
                    one = max(one, keep_between(low, high, out))
                else:
                    one = max(one, within(s[row], h, low, high, x, y, k0, k2, k3, k4, k5, k6, out, pair))
                row += 1
            if lowest.size > 1:
                low_at, high_at = array_at(place_of(lowest) + at, n), array_at(place_of(highest) + at, n)
                for row in range(rows):
                    one = max(one, keep_within(low_at, high_at, array_at(whole[OUT] + width * row + at, n)))
    if kind == FIRST:
        call_block(whole[TOTALS], numbers[T_TOTALS], u, whole[K], places, own, room, b, m)
    elif kind <= 6 or kind == TRIAL:
        slope = whole[K + 1] if kind == TRIAL else whole[K + kind]
        call_block(whole[TOTALS], numbers[T_TOTALS], new, slope, places, own, room, b, m)
    found[b, 0], found[b, 1], found[b, 2] = one, two, three


@njit(**_HELPER)
def _turn(whole: np.ndarray) -> None:
    """Let the last slope be the first one."""
    whole[K], whole[K + 1] = whole[K + 1], whole[K]
    whole[K + 6] = whole[K + 1]


@njit(**_HELPER)
def _weigh(stage: int, h: float, numbers: np.ndarray, pair: np.ndarray) -> None:
    """Write what each slope and the change count in a stage, or (7) in the error; the last two rows before, too."""
    for k in range(CHANGE):
        numbers[WEIGHTS + k] = h * pair[stage, k]
    numbers[WEIGHTS + CHANGE] = pair[stage, CHANGE]
    if stage == NEW_STATE - 1:
        for row in range(2):
            at = FURTHER + row * (CHANGE + 1)
            for k in range(CHANGE):
                numbers[at + k] = h * pair[NEW_STATE + row, k]
            numbers[at + CHANGE] = pair[NEW_STATE + row, CHANGE]


@njit(**_HELPER)
def _go(
    kind: int, whole: np.ndarray, numbers: np.ndarray, found: np.ndarray, room: int, sums: np.ndarray,
    shares: np.ndarray, helpers: int, give_way: int,
) -> tuple[float, float, float]:  # fmt: skip
    """Make a pass, add up the sums, and make the one between; return the three numbers of all blocks."""
    m, begins = whole[PARTS], kind <= 6 or kind == TRIAL
    for between in range(2 if begins and whole[ACROSS] != 0 else 1):
        whole[KIND] = BETWEEN if between else kind
        share(whole, room, helpers, give_way)
    if begins:
        sums[:] = 0.0
        for b in range(m):
            for k in range(sums.size):
                sums[k] += shares[b, k]
    one, two, three = 0.0, 0.0, 0.0
    for b in range(m):
        if kind == 7 and numbers[MEAN] > 0.0:
            one += found[b, 0]
        else:
            one = number_of(max(bits_of(one), bits_of(found[b, 0])))
        two, three = max(two, found[b, 1]), max(three, found[b, 2])
    return one, two, three


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    whole: np.ndarray, numbers: np.ndarray, found: np.ndarray, parts: np.ndarray, sums: np.ndarray, shares: np.ndarray,
    shift: float, moments: np.ndarray, counts: np.ndarray, stop: float, longest: float, times: np.ndarray,
    saved: np.ndarray, s: np.ndarray, room: int, most: int, helpers: int,
    give_way: int, pair: np.ndarray,
) -> tuple[int, int]:  # fmt: skip
    """Make up to `most` steps towards `stop`; write the states at `times` into the rows of `saved`.

    It does what `advance` of `brnn.integrate.steppers.pair_steps` does, whose arguments these are, in passes
    that `helpers` share. `s` has room for the parts of a step at which states are saved.
    """
    done, made = 0, 0
    # Numba compiles a function once more for each whole number that is given to it as it stands in the text.
    first, second, again, last = np.int64(FIRST), np.int64(SECOND), np.int64(6), np.int64(7)
    tried, bent, inside, alone = np.int64(TRIAL), np.int64(BENT), np.int64(WITHIN), np.int64(0)
    t, h_next, fastest, allowed, trend = moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND]
    row_bytes = 8 * parts[parts.size - 1]
    if counts[EVALUATIONS] == 0:
        numbers[T_SLOPES] = numbers[T_TOTALS] = t + shift
        _go(first, whole, numbers, found, room, sums, shares, alone, give_way)
        if whole[FUSED] != 0:
            # The slopes of a beginning are found as those at the end of a step, to the same bits: a step of no length.
            _weigh(6, 0.0, numbers, pair)
            _go(again, whole, numbers, found, room, sums, shares, alone, give_way)
            _go(last, whole, numbers, found, room, sums, shares, alone, give_way)
            _turn(whole)
        found_there = _go(second, whole, numbers, found, room, sums, shares, alone, give_way)
        state, speed = found_there[0], found_there[1]
        length = stop - t
        counts[EVALUATIONS] = 1
        trial = length
        if speed > 0.0:
            trial = trial_step(length, state, speed)
            numbers[T_SLOPES] = numbers[T_TOTALS] = t + trial + shift
            numbers[H] = trial
            _go(tried, whole, numbers, found, room, sums, shares, alone, give_way)
            bend = _go(bent, whole, numbers, found, room, sums, shares, alone, give_way)[1]
            trial = first_length(length, trial, speed, bend)
            counts[EVALUATIONS] = 2
        h_next = h_next if h_next > 0.0 else trial
    status = RUNNING
    while True:
        if counts[STEPPED]:
            before = moments[BEFORE]
            while True:
                count = 0
                while done + count < min(times.size, saved.shape[0], done + s.size) and times[done + count] <= t:
                    s[count] = (times[done + count] - before) / (t - before)
                    count += 1
                if count == 0:
                    break
                numbers[H], whole[ROWS], whole[OUT] = t - before, count, place_of(saved) + done * row_bytes
                whole[U], whole[NEW] = whole[NEW], whole[U]  # the last step, once more
                outside, _, _ = _go(inside, whole, numbers, found, room, sums, shares, helpers, give_way)
                whole[U], whole[NEW] = whole[NEW], whole[U]
                moments[PROJECTED] = max(moments[PROJECTED], outside)
                done += count
        if done == saved.shape[0] and done < times.size and times[done] <= t:
            break  # there is no room for what was passed
        if t >= stop:
            status = FINISHED
            break
        if made == most:
            break
        if counts[STEPPED]:
            _turn(whole)
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(h_next, shortest), longest)
        rejected = False
        while size >= shortest:
            end = min(t + size, stop)
            h = size = end - t
            numbers[H] = h
            moved, error, rate = 0.0, 0.0, 0.0
            helpers = asked_on(whole, counts[STEPS], helpers)
            for stage in range(1, 8):
                numbers[T_SLOPES] = t + shift + pair[NODES, stage - 1] * h
                numbers[T_TOTALS] = t + shift + pair[NODES, min(stage, 6)] * h
                _weigh(stage, h, numbers, pair)
                one, _, turned = _go(stage, whole, numbers, found, room, sums, shares, helpers, give_way)
                if stage == 6:
                    moved = one
                elif stage == 7:
                    error = np.sqrt(one / parts[parts.size - 1]) if numbers[MEAN] > 0.0 else one
                    error = error if error == error else np.inf
                    rate = turned / max(moved, TINY)
            counts[EVALUATIONS] += 6
            if error < 1.0:
                h_next, allowed, trend = next_length(h, error, FIFTH, rejected, allowed, trend)
                h_next, fastest = stable(h_next, rate, fastest)
                moments[BEFORE] = t
                t = end
                whole[U], whole[NEW] = whole[NEW], whole[U]
                counts[ROW] = 1 - counts[ROW]
                break
            size *= shrunk(error, FIFTH)
            rejected = True
        else:
            status = FAILED
            break
        counts[STEPPED] = 1
        counts[STEPS] += 1
        made += 1
    moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND] = t, h_next, fastest, allowed, trend
    set_shared(whole, CLOSED, 1)
    return status, done


@njit(cache=True, nogil=True, error_model="numpy")
def interpolate(
    part: float, h: float, u: np.ndarray, after: np.ndarray, k0: np.ndarray, k2: np.ndarray, k3: np.ndarray,
    k4: np.ndarray, k5: np.ndarray, k6: np.ndarray, out: np.ndarray, pair: np.ndarray,
) -> None:  # fmt: skip
    """Write the state after a part of the last step."""
    within(part, h, -np.inf, np.inf, u, after, k0, k2, k3, k4, k5, k6, out, pair)
