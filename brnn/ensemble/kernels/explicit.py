"""One explicit step of all lanes, and what follows from its error for each.

The method is Dormand and Prince's 5(4) pair (J. Comput. Appl. Math. 6, 19-26, 1980) with the interpolant of Shampine
(Math. Comput. 46, 135-150, 1986), the same as SciPy's RK45. The error is held for every unknown: the largest of
error/(atol + rtol |u|) is below 1.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from brnn.compiler.jumps import BEYOND, NEAR_END
from brnn.compiler.lanes import LANES

from .control import INNER, LARGEST, SAFETY, SMALLEST
from .sides import WHOLE, change, mended, part_of_step, put_all
from .state import EVALUATIONS, RENEWED, STEPS, TOO_SHORT, save
from .stiff import evaluate
from .vectors import errors, interpolate, sizes, stage1, stage2, stage3, stage4, stage5, take

STRETCHED = 3.25  # step times fastest rate; at about 3.3 the explicit method becomes unstable
FROM = 100  # steps before a member is looked at
RESET = 6  # steps in a row that stability does not limit


@njit(**INNER)
def _slopes(fun, s, sides, results):
    """Write the slopes of fresh lanes, on the sides of jumps on which their cells are."""
    for l in range(LANES):
        if s.fresh[l] == 1 and not s.stiff[l]:
            put_all(l, s, sides)
    evaluate(fun, s.t, s.u, s.k7)
    for again in range(2 if sides.count else 0):
        found = False
        for l in range(LANES):
            if s.fresh[l] and not s.stiff[l] and s.member[l] >= 0 and mended(l, again, s.k7, LANES, l, s, sides):
                results.counts[3 * s.member[l] + EVALUATIONS] += 1
                found = True
        if not found:
            break
        evaluate(fun, s.t, s.u, s.k7)


@njit(**INNER)
def first_steps(fun, s, sides, members, rules, results):
    """Choose the first step of fresh lanes, as Hairer, Norsett and Wanner do (section II.4)."""
    _slopes(fun, s, sides, results)
    sizes(s.size, s.u, s.k7, s.k7, rules.rtol, rules.atol, s.rise, s.run, s.norm)
    for l in range(LANES):
        chosen = s.fresh[l] and not s.stiff[l]
        s.pick[l] = 1.0 if chosen else 0.0
        guess = 1e-6 if s.rise[l] < 1e-5 or s.run[l] < 1e-5 else 0.01 * s.rise[l] / s.run[l]
        s.used[l] = min(guess, members.stops[s.segment[l]] - s.t[l]) if chosen else 0.0
    take(s.size, s.pick, s.u, s.k7, s.new, s.k1)
    stage1(s.size, s.t, s.u, s.used, s.k1, 1.0, 1.0, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k2)
    sizes(s.size, s.u, s.k1, s.k2, rules.rtol, rules.atol, s.rise, s.run, s.norm)
    for l in range(LANES):
        if s.pick[l] > 0.0:
            renewed, s.fresh[l] = s.fresh[l] == RENEWED, 0
            if renewed:
                results.counts[3 * s.member[l] + EVALUATIONS] += 1
                continue
            results.counts[3 * s.member[l] + EVALUATIONS] += 2
            bend = max(s.run[l], s.norm[l] / s.used[l]) if s.used[l] > 0.0 else s.run[l]
            guess = max(1e-6, s.used[l] * 1e-3) if bend <= 1e-15 else (0.01 / bend) ** 0.2
            s.h[l] = min(100.0 * s.used[l], guess)
            if not s.h[l] > 0.0:
                s.h[l] = 1e-6 * (members.stops[s.segment[l]] - s.t[l])


@njit(forceinline=True, **INNER)
def attempt(fun, s, members, rules):
    """Compute one explicit step of all lanes."""
    for l in range(LANES):
        left = members.stops[s.segment[l]] - s.t[l]
        if s.member[l] >= 0:
            s.h[l] = min(s.h[l], members.longest[s.member[l]])
        s.last[l] = 1.000001 * s.h[l] >= left
        s.used[l] = (left if s.last[l] else s.h[l]) if s.member[l] >= 0 and not s.stiff[l] else 0.0
    stage1(s.size, s.t, s.u, s.used, s.k1, 0.2, 0.2, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k2)
    stage2(s.size, s.t, s.u, s.used, s.k1, s.k2, 0.3, 3 / 40, 9 / 40, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k3)
    stage3(s.size, s.t, s.u, s.used, s.k1, s.k2, s.k3, 0.8, 44 / 45, -56 / 15, 32 / 9, s.stage_t, s.v)
    evaluate(fun, s.stage_t, s.v, s.k4)
    stage4(
        s.size, s.t, s.u, s.used, s.k1, s.k2, s.k3, s.k4,
        8 / 9, 19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, s.stage_t, s.v,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.v, s.k5)
    stage5(
        s.size, s.t, s.u, s.used, s.k1, s.k2, s.k3, s.k4, s.k5,
        1.0, 9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, s.stage_t, s.v,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.v, s.k6)
    stage5(
        s.size, s.t, s.u, s.used, s.k1, s.k3, s.k4, s.k5, s.k6,
        1.0, 35 / 384, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84, s.stage_t, s.new,
    )  # fmt: skip
    evaluate(fun, s.stage_t, s.new, s.k7)
    errors(s.size, s.u, s.new, s.used, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, rules.rtol, rules.atol, s.norm, s.bad)


@njit(forceinline=True, **INNER)
def control(l, s, one, sides, members, rules, results):
    """Accept or reject the explicit step of lane l, and plan the next."""
    m, used, norm = s.member[l], s.used[l], s.norm[l]
    s.pick[l] = 0.0
    if m < 0 or s.stiff[l]:
        return
    bad = s.bad[l] != 0.0  # only NaN differs from 0
    if bad or not norm < 1.0:
        s.h[l] = used * (SMALLEST if bad else max(SMALLEST, SAFETY * norm**-0.2))
        s.rejected[l] = 1
        results.counts[3 * m + EVALUATIONS] += 6
        if s.h[l] < 16.0 * np.spacing(s.t[l]):
            results.status[m] = TOO_SHORT
        return
    at = part_of_step(l, used, s, one, sides, rules) if sides.count else WHOLE
    if at < NEAR_END:
        s.h[l] = BEYOND * at * used
        results.counts[3 * m + EVALUATIONS] += 6
        return
    cut = at < 1.0
    end = s.t[l] + at * used if cut else members.stops[s.segment[l]] if s.last[l] else s.t[l] + used
    if not save(l, m, end, used, cut, s, one, rules, results):
        return  # to be made again when there is room
    if at <= 1.0:
        change(l, end, at, used, s, one, sides, rules)
        s.fresh[l] = RENEWED
    if cut:
        interpolate(s.size, l, at, used, s.u, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7, one.after)
        for i in range(s.size):
            s.new[i * LANES + l] = one.after[i]
    s.pick[l] = 1.0
    results.counts[3 * m + STEPS] += 1
    results.counts[3 * m + EVALUATIONS] += 6
    factor = min(LARGEST, SAFETY * norm**-0.2) if norm > 0.0 else LARGEST
    if s.rejected[l]:
        factor = min(1.0, factor)
    # A step cut short by a break point says nothing against the size that was planned.
    s.h[l] = max(factor * used, s.h[l]) if s.last[l] and not s.rejected[l] else factor * used
    s.rejected[l] = 0
    s.pace[l] = used
    s.t[l] = end
    if results.counts[3 * m + STEPS] > FROM:
        if s.run[l] > 0.0 and used * np.sqrt(s.rise[l] / s.run[l]) > STRETCHED:
            s.limited[l] += 1
            s.unlimited[l] = 0
        else:
            s.unlimited[l] += 1
            if s.unlimited[l] == RESET:
                s.limited[l] = 0
