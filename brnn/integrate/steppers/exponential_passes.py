"""Steps of the exponential method of Krogstad in passes over blocks of cells, compiled as they stand.

A pass forms one stage of each block. Where cells meet in totals or convolutions alone (brnn.compiler.blocks) it also
finishes du/dt of the stage before and begins the sums and transforms of the next one, while the block is in the cache,
and threads share the blocks (`brnn.integrate.steppers.sharing`). Of other networks du/dt is found between two passes,
by one call.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit

from brnn.compiler.numba_internals import (
    SHARE_SIGNATURE,
    array_at,
    call_block,
    call_rhs,
    place_of,
    set_shared,
    whole_at,
)
from brnn.integrate.steppers.exponential_steps import begin, change, end, interpolate, largest_error, middle, third
from brnn.integrate.steppers.pair_steps import (
    BEFORE,
    EVALUATIONS,
    FAILED,
    FINISHED,
    NEXT,
    NOW,
    RUNNING,
    STEPPED,
    STEPS,
    grown,
    shrunk,
)
from brnn.integrate.steppers.sharing import CLOSED, DO, FREE, PARTS, PLACE, TAKEN, asked_on, share

__all__ = ["DO", "PARTS", "PLACE", "TAKEN", "advance", "do_block", "state_within"]

# What a pass is, beside what `brnn.integrate.steppers.sharing` has of one: what to do; addresses of functions for
# blocks, of those that write rates, too, and of those for whole states; of their table, sums of each block and of all,
# numbers, bounds of the variables in the state, and errors; where a state is saved, and how many sums, variables,
# unknowns, and of these so many that stay together there are; the states, and slopes with rates behind them, where the
# last step began, where it stands, and at the end of the next one; a stage and its slopes, phi, and D of four states.
(
    KIND, TOTALS, ACROSS, SLOPES, RATED_TOTALS, RATED_SLOPES, RHS, RATED, TABLE, SHARES, SUM, NUMBERS, EDGES, FOUND,
    OUT, SUMS, VARIABLES, SIZE, UNIT, U_BEFORE, U, U_NEW, F_BEFORE, F, F_NEW, STAGE, K, PHI, D_2, D_3, D_4, D_BEFORE,
) = range(FREE, FREE + 32)  # fmt: skip
WHOLE = FREE + 32
# Numbers: the times of the stage before and of the next one, the step, at which part of it a state is asked for,
# tolerances, and the weights of D in its third divided difference.
T_SLOPES, T_TOTALS, H, PART, RTOL, ATOL, WEIGHTS = range(7)
COUNT = WEIGHTS + 3
# Kinds of a pass: du/dt where the piece begins, in two parts; the stages; the slopes and the error of the new state,
# or, where no step was made yet, a state within the step instead of the error; its slopes and the error; a state that
# is saved; and what is done between the two halves of du/dt where there are convolutions.
_FIRST, _SECOND, _BEGIN, _MIDDLE, _THIRD, _END, _LAST, _EARLIER, _ERROR, _WITHIN, _BETWEEN = range(11)
_EXPONENT = -0.25
_EARLY = 0.25  # part of the first step after which its slope is asked for once more

_HELPER = {"nogil": True, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@njit(**_HELPER)
def _sends(kind: int) -> bool:
    """Tell whether a pass makes a state whose du/dt is needed."""
    return (kind <= _END and kind != _SECOND) or kind == _EARLIER


@njit(**_HELPER)
def _rated(kind: int) -> bool:
    """Tell whether the state that a pass makes is one whose rates are needed."""
    return kind in (_FIRST, _END)


@njit(**_HELPER)
def _sent(whole: np.ndarray, kind: int) -> tuple[int, int]:
    """Return addresses of the state that a pass makes, and of its slopes."""
    if kind == _FIRST:
        return whole[U], whole[F]
    if kind == _END:
        return whole[U_NEW], whole[F_NEW]
    return whole[STAGE], whole[K]


@cfunc(SHARE_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def do_block(place: int, room: int, b: int) -> None:
    """Do what the pass asks for to one block of cells."""
    whole = whole_at(place, WHOLE)
    numbers, kind, m = array_at(whole[NUMBERS], COUNT), whole[KIND] % 16, whole[PARTS]
    places, sums, in_blocks = whole[TABLE], whole[SUM], whole[TOTALS] != 0
    if kind == _BETWEEN:
        state, slopes = _sent(whole, whole[KIND] // 16)
        call_block(whole[ACROSS], numbers[T_TOTALS], state, slopes, places, sums, room, b, m)
        return
    if in_blocks:
        time = numbers[T_SLOPES]
        if kind == _SECOND:
            call_block(whole[RATED_SLOPES], time, whole[U], whole[F], places, sums, room, b, m)
        elif kind in (_LAST, _EARLIER):
            call_block(whole[RATED_SLOPES], time, whole[U_NEW], whole[F_NEW], places, sums, room, b, m)
        elif kind in (_MIDDLE, _THIRD, _END, _ERROR):
            call_block(whole[SLOPES], time, whole[STAGE], whole[K], places, sums, room, b, m)
    h, width, error = numbers[H], 8 * whole[SIZE], 0.0
    weights, edges = array_at(whole[NUMBERS] + 8 * WEIGHTS, 3), whole_at(whole[EDGES], whole[VARIABLES] + 1)
    for part in range(whole[VARIABLES] if kind not in (_FIRST, _SECOND) else 0):
        size = (edges[part + 1] - edges[part]) // whole[UNIT]
        first = size * b // m * whole[UNIT]
        n, at = size * (b + 1) // m * whole[UNIT] - first, 8 * (edges[part] + first)
        u, f, L = array_at(whole[U] + at, n), array_at(whole[F] + at, n), array_at(whole[F] + width + at, n)
        stage, k, before = array_at(whole[STAGE] + at, n), array_at(whole[K] + at, n), array_at(whole[D_BEFORE] + at, n)
        phi = whole[PHI] + at
        phi1, phi2, phi3 = array_at(phi, n), array_at(phi + width, n), array_at(phi + 2 * width, n)
        D2, D3, D4 = array_at(whole[D_2] + at, n), array_at(whole[D_3] + at, n), array_at(whole[D_4] + at, n)
        new, slope = array_at(whole[U_NEW] + at, n), array_at(whole[F_NEW] + at, n)
        if kind == _BEGIN:
            if weights[0] != 0.0:
                earlier, there = array_at(whole[U_BEFORE] + at, n), array_at(whole[F_BEFORE] + at, n)
                change(u, f, L, earlier, there, before)
            begin(h, u, f, L, phi1, phi2, phi3, stage)
        elif kind == _MIDDLE:
            middle(h, u, f, L, phi1, phi2, k, stage, D2)
        elif kind == _THIRD:
            third(h, u, f, L, phi1, phi2, phi3, k, stage, D3)
        elif kind == _END:
            end(h, u, f, L, phi1, phi2, phi3, k, stage, D2, D3, D4, new)
        elif kind == _EARLIER:
            interpolate(numbers[PART], h, u, f, L, before, D3, new, slope, weights, stage)
        elif kind == _WITHIN:
            # The last step, once more.
            old, f_old = array_at(whole[U_BEFORE] + at, n), array_at(whole[F_BEFORE] + at, n)
            L_old, out = array_at(whole[F_BEFORE] + width + at, n), array_at(whole[OUT] + at, n)
            interpolate(numbers[PART], h, old, f_old, L_old, before, D3, u, f, weights, out)
        else:
            if kind == _ERROR:
                change(u, f, L, stage, k, before)
            largest = largest_error(
                h, u, f, L, phi1, phi2, phi3, before, D3, D4, new, slope, weights, numbers[RTOL], numbers[ATOL]
            )
            error = max(error, largest)
    array_at(whole[FOUND], m)[b] = error
    if in_blocks and _sends(kind):
        state, slopes = _sent(whole, kind)
        function = whole[RATED_TOTALS] if _rated(kind) else whole[TOTALS]
        share_at = whole[SHARES] + 8 * b * whole[SUMS]
        call_block(function, numbers[T_TOTALS], state, slopes, places, share_at, room, b, m)


@njit(**_HELPER)
def _go(kind: int, time: float, whole: np.ndarray, room: int, helpers: int, give_way: int) -> float:
    """Make a pass, and what du/dt of the state that it makes, at a time, needs of all; return the largest error."""
    numbers = array_at(whole[NUMBERS], COUNT)
    numbers[T_TOTALS], whole[KIND] = time, kind
    share(whole, room, helpers, give_way)
    numbers[T_SLOPES] = time
    m, found = whole[PARTS], array_at(whole[FOUND], whole[PARTS])
    if _sends(kind) and whole[TOTALS] == 0:
        state, slopes = _sent(whole, kind)
        call_rhs(whole[RATED] if _rated(kind) else whole[RHS], time, state, slopes, whole[TABLE])
    elif _sends(kind):
        if whole[ACROSS] != 0:
            whole[KIND] = _BETWEEN + 16 * kind
            share(whole, room, helpers, give_way)
        count = whole[SUMS]
        sums, shares = array_at(whole[SUM], count), array_at(whole[SHARES], m * count)
        sums[:] = 0.0
        for b in range(m):
            for k in range(count):
                sums[k] += shares[b * count + k]
    error = 0.0
    for b in range(m):
        error = max(error, found[b])
    return error


@njit(**_HELPER)
def _weigh(r: float, numbers: np.ndarray) -> None:
    """Set the weights of D in its third divided difference, that of the time -r h for one: see `largest_error`."""
    numbers[WEIGHTS] = -1.0 / (r * (r + 0.5) * (r + 1.0))
    numbers[WEIGHTS + 1] = -4.0 / (r + 0.5)
    numbers[WEIGHTS + 2] = 2.0 / (r + 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    whole: np.ndarray, numbers: np.ndarray, shift: float, moments: np.ndarray, counts: np.ndarray, stop: float,
    longest: float, times: np.ndarray, saved: np.ndarray, room: int, most: int, helpers: int, give_way: int,
) -> tuple[int, int]:  # fmt: skip
    """Make up to `most` steps towards `stop`; write the states at `times` into the rows of `saved`.

    It does what `advance` of `brnn.integrate.steppers.pair_steps` does, whose arguments these are, in passes
    that `helpers` share. The first step is given. Where there was no evaluation yet it only finds du/dt.
    """
    done, made = 0, 0
    t, h_next = moments[NOW], moments[NEXT]
    status = RUNNING
    if counts[EVALUATIONS] == 0:
        counts[EVALUATIONS] = 1
        _go(np.int64(_FIRST), t + shift, whole, room, np.int64(0), give_way)
        _go(np.int64(_SECOND), t + shift, whole, room, np.int64(0), give_way)
        return status, done
    while True:
        if counts[STEPPED]:
            before = moments[BEFORE]
            while done < min(times.size, saved.shape[0]) and times[done] <= t:
                whole[OUT] = place_of(saved) + 8 * done * whole[SIZE]
                if times[done] == t:
                    array_at(whole[OUT], whole[SIZE])[:] = array_at(whole[U], whole[SIZE])
                else:
                    numbers[H], numbers[PART] = t - before, (times[done] - before) / (t - before)
                    _go(np.int64(_WITHIN), t, whole, room, helpers, give_way)
                done += 1
        if done == saved.shape[0] and done < times.size and times[done] <= t:
            break  # there is no room for what was passed
        if t >= stop:
            status = FINISHED
            break
        if made == most:
            break
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(h_next, shortest), longest)
        rejected = False
        while size >= shortest:
            ended = min(t + size, stop)
            h = size = ended - t
            helpers = asked_on(whole, counts[STEPS], helpers)
            numbers[H], numbers[WEIGHTS : WEIGHTS + 3] = h, 0.0
            if counts[STEPPED]:
                _weigh((t - moments[BEFORE]) / h, numbers)
            for kind in range(_BEGIN, _LAST):
                time = t + 0.5 * h if kind <= _MIDDLE else ended
                _go(kind, time + shift, whole, room, helpers, give_way)
            counts[EVALUATIONS] += 4
            last = np.int64(_LAST)
            if not counts[STEPPED]:
                numbers[PART] = _EARLY
                _go(np.int64(_EARLIER), t + _EARLY * h + shift, whole, room, helpers, give_way)
                counts[EVALUATIONS] += 1
                _weigh(-_EARLY, numbers)
                last = np.int64(_ERROR)
            error = _go(last, ended + shift, whole, room, helpers, give_way)
            if error < 1.0:
                break
            size *= shrunk(error, _EXPONENT)
            rejected = True
        else:
            status = FAILED
            break
        h_next = h * grown(error, _EXPONENT, rejected)
        moments[BEFORE] = t
        t = ended
        whole[U_BEFORE], whole[U], whole[U_NEW] = whole[U], whole[U_NEW], whole[U_BEFORE]
        whole[F_BEFORE], whole[F], whole[F_NEW] = whole[F], whole[F_NEW], whole[F_BEFORE]
        counts[STEPPED] = 1
        counts[STEPS] += 1
        made += 1
    moments[NOW], moments[NEXT] = t, h_next
    set_shared(whole, CLOSED, 1)
    return status, done


@njit(cache=True, nogil=True, error_model="numpy")
def state_within(
    s: float, h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, before: np.ndarray, D3: np.ndarray,
    new: np.ndarray, slope: np.ndarray, weights: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """Write the state after the part s of the last step."""
    interpolate(s, h, u, f, L, before, D3, new, slope, weights, out)
