"""Steps of the explicit method of Dormand and Prince with weights whose learning law is affine, compiled as they stand.

In each stage of a Runge-Kutta method such weights are c z + sum_m w_m H_m: z are those at the beginning of the step,
H_m the driver of the law in stage m, at one end of the connections, and c and w_m belong to the other end. So no stage
of the weights is ever formed. A stage costs a product of z with a vector; the last one writes the new weights and takes
their errors and their product with the signals there, which the next step begins with, while a row is in the cache.

Threads share the pieces of a pass, some rows of a projection each (`brnn.integrate.steppers.sharing`). Each row is
computed in one way, whoever does it.
"""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit

from brnn.compiler.numba_internals import (
    RHS_SIGNATURE,
    SHARE_SIGNATURE,
    array_at,
    array_in,
    bits_of,
    call_rhs,
    number_of,
    place_of,
    set_shared,
)
from brnn.integrate.steppers.affine_weights_rows import (
    AT,
    BUT_SELF,
    BY_TARGET,
    DECAY,
    DECAYS,
    DRIVER,
    DRIVERS,
    EC,
    ERRORS,
    EW,
    FAR,
    GAIN,
    GAINS,
    HELPER,
    LAST,
    NEAR,
    OWN,
    PASS_ALONE,
    PRODUCT,
    SENT,
    SOURCES,
    TARGETS,
    TOTAL,
    VECTOR,
    C,
    W,
    factors,
    new_of_sources,
    new_of_target,
    product,
    row_within,
    row_within_by_target,
)
from brnn.integrate.steppers.pair_steps import (
    ALLOWED,
    BEFORE,
    EVALUATIONS,
    FAILED,
    FINISHED,
    NEXT,
    NOW,
    RATE,
    ROW,
    RUNNING,
    STEPPED,
    STEPS,
    TINY,
    TREND,
    next_length,
    shrunk,
    stable,
)
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import STAGES
from brnn.integrate.steppers.sharing import CLOSED, DO, FREE, PARTS, PLACE, TAKEN, asked_on, share
from brnn.integrate.steppers.step_lengths import FIFTH

__all__ = ["DO", "PARTS", "PLACE", "TAKEN", "advance", "do_piece", "set_factors"]

_A = DORMAND_PRINCE.rows
_E = DORMAND_PRINCE.error
_P = DORMAND_PRINCE.inside
_NODES = DORMAND_PRINCE.nodes

# What a pass is, beside what `brnn.integrate.steppers.sharing` has of one: what to do; addresses of the state, the
# new one, and of a saved one; of the function, its table, the slopes of the cells, and a stage of theirs; how many
# cells and unknowns there are; addresses of `set_factors`, and of the functions that come before du/dt. The first
# argument of `do_piece` and `set_factors` is a table of their arrays.
KIND, U, NEW, OUT, FUNCTION, TABLE, K, STAGE, CELLS, SIZE, FACTORS, SIGNALS, LAWS = range(FREE, FREE + 13)
WHOLE = FREE + 13
# Numbers: tolerances, whether the errors are added as squares, and coefficients.
RTOL, ATOL, MEAN, A = range(4)
NUMBERS = A + STAGES
SEEN = 7  # `moments`, beside those of `brnn.integrate.steppers.pair_steps`: the rate that was seen last
BEGUN = 4  # `counts`, in the place of the last: whether du/dt is known
_PRODUCTS, _STEP, _WITHIN = range(3)  # kinds of a pass
_ERROR, _INSIDE = STAGES, STAGES + 1  # in the place of a stage


@cfunc(SHARE_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def do_piece(table: int, _: int, p: int) -> None:
    """Do what the pass asks for to some rows of a projection.

    It is called by its address: compiled into what calls it, it would be compiled again and again.
    """
    whole, links = array_in(table, 1, (2,), np.int64), array_in(table, 3, (4, 5), np.int64)
    pieces, numbers = array_in(table, 6, (7, 8), np.int64), array_in(table, 9, (10,), np.float64)
    link, first, last = links[pieces[p, 0]], pieces[p, 1], pieces[p, 2]
    u, new, n = whole[U], whole[NEW], link[SOURCES]
    by_target = link[BY_TARGET] == 1
    if whole[KIND] == _PRODUCTS:
        v, y = array_at(link[VECTOR], n), array_at(link[PRODUCT], link[TARGETS])
        for j in range(first, last):
            y[j] = product(array_at(u + 8 * (link[AT] + j * n), n), v)
    elif whole[KIND] == _STEP:
        rtol, atol, mean = numbers[RTOL], numbers[ATOL], numbers[MEAN] > 0.0
        if by_target:
            new_of_target(link, u, new, first, last, rtol, atol, mean)
        else:
            new_of_sources(link, u, new, first, last, rtol, atol, mean)
    else:
        near, far = link[NEAR], link[FAR]
        c, w, h = array_at(link[EC], near), array_at(link[EW], STAGES * near), array_at(link[DRIVER], STAGES * far)
        for j in range(first, last):
            at = 8 * (link[AT] + j * n)
            z, out = array_at(new + at, n), array_at(whole[OUT] + at, n)  # the last step began where `new` is now
            if by_target:
                row_within_by_target(c, w, h, z, j, near, out)
            else:
                row_within(c, w, h, z, j, far, out)


@njit(**HELPER)
def _go(kind: int, whole: np.ndarray, helpers: int, give_way: int) -> None:
    """Make a pass."""
    whole[KIND] = kind
    share(whole, np.int64(0), helpers, give_way)


@njit(**PASS_ALONE)
def _copy(values: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = values[i]


@njit(**PASS_ALONE)
def _multiply(values: np.ndarray, factors: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] = values[i] * factors[i]


@njit(**PASS_ALONE)
def _add(values: np.ndarray, factor: float, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] += factor * values[i]


@njit(**PASS_ALONE)
def _leave_out(c: np.ndarray, z: np.ndarray, s: np.ndarray, out: np.ndarray) -> None:
    for i in range(out.size):
        out[i] -= c[i] * z[i] * s[i]


@njit(**HELPER)
def _reads(link: np.ndarray, stage: int) -> None:
    """Take over the parts of a law in a stage, and what the weights of the beginning are multiplied with."""
    near, far, n = link[NEAR], link[FAR], link[SOURCES]
    for what, now, size in ((DECAY, DECAYS, near), (GAIN, GAINS, near), (DRIVER, DRIVERS, far)):
        _copy(array_at(link[now], size), array_at(link[what] + 8 * stage * size, size))
    if link[BY_TARGET] == 1 or stage == LAST:  # with which the next step begins
        _copy(array_at(link[SENT], n), array_at(link[VECTOR], n))
    else:
        _multiply(array_at(link[C] + 8 * stage * n, n), array_at(link[SENT], n), array_at(link[VECTOR], n))


@njit(**HELPER)
def _totals(link: np.ndarray, stage: int, strength: float) -> None:
    """Write what the target cells get in a stage."""
    near, far, n, m = link[NEAR], link[FAR], link[SOURCES], link[TARGETS]
    total, y, s = array_at(link[TOTAL], m), array_at(link[PRODUCT], m), array_at(link[SENT], n)
    c = array_at(link[C] + 8 * stage * near, near)
    if link[BY_TARGET] == 1:
        _multiply(c, y, total)
    else:
        _copy(y, total)
    if link[BUT_SELF] == 1:
        _leave_out(c, array_at(link[OWN], n), s, total)
    for k in range(stage):
        w, h = array_at(link[W] + 8 * (stage * STAGES + k) * near, near), array_at(link[DRIVER] + 8 * k * far, far)
        if link[BY_TARGET] == 1:
            _add(w, product(h, s), total)
        else:
            _add(h, product(w, s), total)
        if link[BUT_SELF] == 1:
            _leave_out(w, h, s, total)
    for j in range(m):
        total[j] *= strength


@njit(**HELPER)
def _find_own(links: np.ndarray, u: int) -> None:
    """Find the weights of cells to themselves."""
    for k in range(links.shape[0]):
        if links[k, BUT_SELF] == 1:
            n = links[k, SOURCES]
            z, own = array_at(u + 8 * links[k, AT], n * n), array_at(links[k, OWN], n)
            for i in range(n):
                own[i] = z[i * n + i]


@cfunc(RHS_SIGNATURE, cache=True, nogil=True, error_model="numpy")
def set_factors(h: float, table: int, stage: int, count: int) -> None:
    """Write the factors of a stage, of the error, or of a state within a step, for all weights."""
    links, numbers = array_in(table, 3, (4, 5), np.int64), array_in(table, 9, (10,), np.float64)
    for k in range(links.shape[0]):
        link, n = links[k], links[k, NEAR]
        c, w = link[EC], link[EW]
        if stage < STAGES:
            c, w = link[C] + 8 * stage * n, link[W] + 8 * stage * STAGES * n
        factors(
            0.0 if stage == _ERROR else 1.0, h, numbers[A:], count, array_at(link[DECAY], STAGES * n),
            array_at(link[GAIN], STAGES * n), array_at(link[C], STAGES * n), array_at(link[W], STAGES * STAGES * n),
            array_at(c, n), array_at(w, STAGES * n),
        )  # fmt: skip


@njit(**PASS_ALONE)
def _cells(h: float, numbers: np.ndarray, count: int, u: np.ndarray, slopes: np.ndarray, out: np.ndarray) -> None:
    """Write u + h sum_k a_k slopes_k."""
    n = out.size
    out[:] = 0.0
    for k in range(count):
        for i in range(n):
            out[i] += numbers[A + k] * slopes[k * n + i]
    for i in range(n):
        out[i] = u[i] + h * out[i]


@njit(**PASS_ALONE)
def _farthest(x: np.ndarray, y: np.ndarray) -> float:
    largest = np.int64(0)
    for i in range(x.size):
        largest = max(largest, bits_of(abs(x[i] - y[i])))
    return number_of(largest)


@njit(**HELPER)
def _attempt(
    whole: np.ndarray, links: np.ndarray, numbers: np.ndarray, strengths: np.ndarray, t: float, h: float,
    helpers: int, give_way: int,
) -> tuple[float, float]:  # fmt: skip
    """Write the new state; return its error in units of the tolerance, and about the fastest rate."""
    n, function, table = whole[CELLS], whole[FUNCTION], whole[TABLE]
    u, new, cells = array_at(whole[U], n), array_at(whole[NEW], n), array_at(whole[STAGE], n)
    slopes = array_at(whole[K], STAGES * n)
    rate = 0.0
    for stage in range(1, STAGES):
        for k in range(stage):
            numbers[A + k] = _A[stage, k]
        at, slope = whole[NEW] if stage == LAST else whole[STAGE], whole[K] + 8 * n * stage
        _cells(h, numbers, stage, u, slopes, array_at(at, n))
        now = t + _NODES[stage] * h
        call_rhs(whole[SIGNALS], now, at, slope, table)
        call_rhs(whole[LAWS], now, at, slope, table)
        call_rhs(whole[FACTORS], h, whole[PLACE], stage, stage)
        for k in range(links.shape[0]):
            _reads(links[k], stage)
        kind, of = _PRODUCTS, stage
        if stage == LAST:
            # Times, and inputs from the weights, of these two slopes are the same.
            call_rhs(function, now, at, slope, table)
            rate = _farthest(array_at(slope, n), array_at(slope - 8 * n, n)) / max(_farthest(new, cells), TINY)
            for k in range(STAGES):
                numbers[A + k] = _E[k]
            call_rhs(whole[FACTORS], h, whole[PLACE], _ERROR, STAGES)
            kind, of = _STEP, 0  # as at the beginning of the next step, and of a run that is resumed there
        _go(kind, whole, helpers, give_way)
        if stage == LAST:
            _find_own(links, whole[NEW])
        for k in range(links.shape[0]):
            _totals(links[k], of, strengths[k])
        call_rhs(function, now, at, slope, table)
    largest, squares = np.int64(0), 0.0
    for i in range(n):
        error = 0.0
        for k in range(STAGES):
            error += _E[k] * slopes[k * n + i]
        error *= h / (numbers[ATOL] + numbers[RTOL] * max(abs(u[i]), abs(new[i])))
        largest, squares = max(largest, bits_of(abs(error))), squares + error * error
    for link in range(links.shape[0]):
        errors, near = array_at(links[link, ERRORS], links[link, TARGETS]), links[link, NEAR]
        for j in range(errors.size):
            largest, squares = max(largest, bits_of(errors[j])), squares + errors[j]
        decay = array_at(links[link, DECAY], STAGES * near)
        for i in range(decay.size):
            rate = max(rate, decay[i])  # the weights' own are known
    error = np.sqrt(squares / whole[SIZE]) if numbers[MEAN] > 0.0 else number_of(largest)
    return error if error == error else np.inf, rate


@njit(**HELPER)
def _begin(whole: np.ndarray, links: np.ndarray) -> None:
    """Let what was known at the end of the last step be the first stage of the next."""
    n = whole[CELLS]
    _copy(array_at(whole[K] + 8 * n * LAST, n), array_at(whole[K], n))
    for link in range(links.shape[0]):
        for what, end in ((DECAY, NEAR), (GAIN, NEAR), (DRIVER, FAR)):
            size, at = links[link, end], links[link, what]
            _copy(array_at(at + 8 * size * LAST, size), array_at(at, size))


@njit(**HELPER)
def _write_within(
    s: float, h: float, whole: np.ndarray, numbers: np.ndarray, out: int, helpers: int, give_way: int
) -> None:  # fmt: skip
    """Write the state after the part s of the last step at an address."""
    for k in range(STAGES):
        numbers[A + k] = s * (_P[k, 0] + s * (_P[k, 1] + s * (_P[k, 2] + s * _P[k, 3])))
    n = whole[CELLS]
    _cells(h, numbers, STAGES, array_at(whole[NEW], n), array_at(whole[K], STAGES * n), array_at(out, n))
    call_rhs(whole[FACTORS], h, whole[PLACE], _INSIDE, STAGES)
    whole[OUT] = out
    _go(_WITHIN, whole, helpers, give_way)


@njit(cache=True, nogil=True, error_model="numpy")
def advance(
    whole: np.ndarray, links: np.ndarray, numbers: np.ndarray, strengths: np.ndarray, shift: float,
    moments: np.ndarray, counts: np.ndarray, stop: float, longest: float, times: np.ndarray, saved: np.ndarray,
    most: int, helpers: int, give_way: int,
) -> tuple[int, int]:  # fmt: skip
    """Make up to `most` steps towards `stop`; write the states at `times` into the rows of `saved`.

    It does what `advance` of `brnn.integrate.steppers.pair_steps` does, whose arguments these are, in passes
    that threads share. The first step is given.
    """
    done, made = 0, 0
    t, h_next, fastest, allowed, trend = moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND]
    size = whole[SIZE]
    if counts[BEGUN] == 0:
        counts[BEGUN] = 1
        for k in (SIGNALS, LAWS):
            call_rhs(whole[k], t + shift, whole[U], whole[K], whole[TABLE])
        _find_own(links, whole[U])
        for k in range(links.shape[0]):
            _reads(links[k], 0)
            n, v, y = links[k, SOURCES], array_at(links[k, VECTOR], links[k, SOURCES]), links[k, PRODUCT]
            for j in range(links[k, TARGETS]):
                array_at(y, links[k, TARGETS])[j] = product(array_at(whole[U] + 8 * (links[k, AT] + j * n), n), v)
            _totals(links[k], 0, strengths[k])
        call_rhs(whole[FUNCTION], t + shift, whole[U], whole[K], whole[TABLE])
    status = RUNNING
    while True:
        if counts[STEPPED]:
            before = moments[BEFORE]
            while done < min(times.size, saved.shape[0]) and times[done] <= t:
                out = place_of(saved) + 8 * done * size
                if times[done] == t:
                    _copy(array_at(whole[U], size), array_at(out, size))
                else:
                    part = (times[done] - before) / (t - before)
                    _write_within(part, t - before, whole, numbers, out, helpers, give_way)
                done += 1
        if done == saved.shape[0] and done < times.size and times[done] <= t:
            break  # there is no room for what was passed
        if t >= stop:
            status = FINISHED
            break
        if made == most:
            break
        if counts[STEPPED]:
            _begin(whole, links)
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        length = min(max(h_next, shortest), longest)
        rejected = False
        while length >= shortest:
            end = min(t + length, stop)
            h = length = end - t
            helpers = asked_on(whole, counts[STEPS], helpers)
            error, rate = _attempt(whole, links, numbers, strengths, t + shift, h, helpers, give_way)
            counts[EVALUATIONS] += 6
            if error < 1.0:
                moments[SEEN] = rate
                h_next, allowed, trend = next_length(h, error, FIFTH, rejected, allowed, trend)
                h_next, fastest = stable(h_next, rate, fastest)
                moments[BEFORE] = t
                t = end
                whole[U], whole[NEW] = whole[NEW], whole[U]
                counts[ROW] = 1 - counts[ROW]
                break
            length *= shrunk(error, FIFTH)
            rejected = True
            _find_own(links, whole[U])
        else:
            status = FAILED
            break
        counts[STEPPED] = 1
        counts[STEPS] += 1
        made += 1
    moments[NOW], moments[NEXT], moments[RATE], moments[ALLOWED], moments[TREND] = t, h_next, fastest, allowed, trend
    set_shared(whole, CLOSED, 1)
    return status, done
