"""Where signals jump: a step of a lane ends where the first cell reaches a jump, as in `brnn.integrate.sides`.

The lane function reads signals of cells between two numbers, `low` and `high`, which are rows of its numbers
(`brnn.compiler.sides`): the jumps below and above the cell. What has neither, though it has jumps, is loose: it jumps
within steps, as it slides along a jump to which du/dt leads from both sides.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from brnn.compiler.jumps import AWAY, CLOSER, TREMBLE
from brnn.compiler.lanes import LANES

from . import stiff
from .control import INNER
from .vectors import value_within

STATE, LOW, HIGH, LAST, FIRST, COUNT, FIELDS = 0, 1, 2, 3, 4, 5, 6  # of each cell in the table
LOOKS = 16  # at a cell that turns within a step
NEAR = 16.0 * 2.0**-52
WHOLE = 2.0  # the fraction of a step in which nothing jumps


class Sides(NamedTuple):
    """How many cells have signals that jump, and the address of what is known of them: FIELDS for each."""

    count: Any
    table: Any


@njit(**INNER)
def _put(l, e, x, s, sides):
    """Let cell e of lane l be where x is."""
    low, high = -np.inf, np.inf
    for j in range(sides.table[e + COUNT]):
        jump = s.q[(sides.table[e + FIRST] + j) * LANES + l]
        if x >= jump:
            low = max(low, jump)
        else:
            high = min(high, np.nextafter(jump, -np.inf))
    s.q[sides.table[e + LOW] * LANES + l], s.q[sides.table[e + HIGH] * LANES + l] = low, high


@njit(**INNER)
def put_all(l, s, sides):
    """Let all cells of lane l be where their states are."""
    for e in range(0, FIELDS * sides.count, FIELDS):
        _put(l, e, s.u[sides.table[e + STATE] * LANES + l], s, sides)


@njit(**INNER)
def _loosen(l, e, s, sides):
    s.q[sides.table[e + LOW] * LANES + l], s.q[sides.table[e + HIGH] * LANES + l] = -np.inf, np.inf


@njit(**INNER)
def loosen_all(q, sides):
    """Let all signals jump, of numbers that are those of one member in all lanes."""
    for e in range(0, FIELDS * sides.count, FIELDS):
        for l in range(LANES):
            q[sides.table[e + LOW] * LANES + l], q[sides.table[e + HIGH] * LANES + l] = -np.inf, np.inf


@njit(**INNER)
def mended(l, again, slopes, stride, place, s, sides):
    """Let cells at a jump whose slopes lead over it be beyond; if `again`, loose. Tell whether there were any.

    Slope i is number ``i * stride + place`` of `slopes`.
    """
    found = False
    for e in range(0, FIELDS * sides.count, FIELDS):
        i = sides.table[e + STATE]
        x, slope = s.u[i * LANES + l], slopes[i * stride + place]
        low, high = s.q[sides.table[e + LOW] * LANES + l], s.q[sides.table[e + HIGH] * LANES + l]
        up, down = False, False
        if high < np.inf and slope > 0.0:
            up = x >= high - (NEAR * abs(high) + NEAR * s.t[l] * slope)
        if low > -np.inf and slope < 0.0:
            down = x <= low + (NEAR * abs(low) - NEAR * s.t[l] * slope)
        if up or down:
            found = True
            if again:
                _loosen(l, e, s, sides)
            else:
                _put(l, e, np.nextafter(high, np.inf) if up else np.nextafter(low, -np.inf), s, sides)
    return found


@njit(**INNER)
def _value(l, i, at, used, s, one):
    if s.stiff[l]:
        return stiff.dense_value(one, i, at)
    return value_within(i * LANES + l, at, used, s.u, s.k1, s.k3, s.k4, s.k5, s.k6, s.k7)


@njit(**INNER)
def _away_from(x, low, high):
    """Return how far x is beyond the nearer of two numbers; below 0 between them."""
    return max(x - high, low - x)


@njit(**INNER)
def _turned(l, i, low, high, used, s, one):
    """Return a fraction of a step at which a cell that turns in it is beyond a jump; WHOLE if there is none."""
    first, width = 0.0, 1.0
    for _ in range(CLOSER):
        best, where = -np.inf, 0
        for j in range(1, LOOKS):
            beyond = _away_from(_value(l, i, first + width * j / LOOKS, used, s, one), low, high)
            if beyond > 0.0:
                return first + width * j / LOOKS
            if beyond > best:
                best, where = beyond, j
        first, width = first + width * (where - 1) / LOOKS, 2.0 * width / LOOKS
    return WHOLE


@njit(**INNER)
def part_of_step(l, used, s, one, sides, rules):
    """Return the fraction of the step of lane l after which the first cell reaches a jump; WHOLE if none does."""
    first = WHOLE
    for e in range(0, FIELDS * sides.count, FIELDS):
        i = sides.table[e + STATE]
        k = i * LANES + l
        low, high = s.q[sides.table[e + LOW] * LANES + l], s.q[sides.table[e + HIGH] * LANES + l]
        end = one.after[i] if s.stiff[l] else s.new[k]
        if low == -np.inf and high == np.inf:
            nearest = np.inf
            for j in range(sides.table[e + COUNT]):
                nearest = min(nearest, abs(end - s.q[(sides.table[e + FIRST] + j) * LANES + l]))
            if nearest > AWAY * (rules.atol + rules.rtol * abs(end)):
                _put(l, e, end, s, sides)
            continue
        at = WHOLE
        if end < low or end > high:
            at = 1.0
        elif s.stiff[l] or (s.k1[k] > 0.0) != (s.k7[k] > 0.0):
            at = _turned(l, i, low, high, used, s, one)
        if at == WHOLE:
            continue
        bottom, top = 0.0, min(at, first)
        if top < at and not _away_from(_value(l, i, top, used, s, one), low, high) > 0.0:
            continue
        while True:
            middle = 0.5 * (bottom + top)
            if not bottom < middle < top or top - bottom <= NEAR * top:
                break
            if _away_from(_value(l, i, middle, used, s, one), low, high) > 0.0:
                top = middle
            else:
                bottom = middle
        first = top
    return first


@njit(**INNER)
def change(l, time, at, used, s, one, sides, rules):
    """Let those signals of lane l change sides whose cells are beyond their jumps after a fraction of its step."""
    for e in range(0, FIELDS * sides.count, FIELDS):
        i = sides.table[e + STATE]
        k = i * LANES + l
        low, high = s.q[sides.table[e + LOW] * LANES + l], s.q[sides.table[e + HIGH] * LANES + l]
        if low == -np.inf and high == np.inf:
            continue
        x = _value(l, i, at, used, s, one)
        if not _away_from(x, low, high) > 0.0:
            continue
        last = sides.table[e + LAST] * LANES + l
        slope = abs(one.slope[i]) if s.stiff[l] else abs(s.k7[k])
        if time > s.q[last] and slope * (time - s.q[last]) <= TREMBLE * (rules.atol + rules.rtol * abs(x)):
            _loosen(l, e, s, sides)
        else:
            _put(l, e, x, s, sides)
        s.q[last] = time
