"""What compiled steps are told, in one table: a call is given its address instead of twenty arrays, each unpacked anew.

A call from Python with all these arrays took as long as five steps of ten cells.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from brnn.compiler.onward import PLACES
from brnn.compiler.right_hand_side import RightHandSide
from brnn.integrate.steppers.onward import NO_STAGES
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.steppers.threads import place

__all__ = [
    "ARMED", "ATOL", "BEGIN", "BOUNDS", "COUNTS", "DONE", "EACH", "FUNCTION", "HIGHEST", "KINDS", "LAST",
    "LONGEST", "LOWEST", "MEAN", "MOMENTS", "MOST", "NUMBERS", "PAIR", "ROWS", "RTOL", "SEVEN", "SHIFT", "SIZE",
    "SLOPES", "SPANS", "STAGE", "STAGES", "START", "STATES", "STOP", "TABLE", "THREE", "TWO", "UNWATCHED", "WATCHED",
    "WIDTH", "Plan", "as_memory",
]  # fmt: skip

# Addresses and other whole numbers, of which compiled steps change BEGIN (where the first state lies, 0 once it is
# taken) and DONE (how many of the times are saved, of those up to LAST),
FUNCTION, TABLE, MOMENTS, COUNTS, STATES, SLOPES, STAGE, SIZE, MOST, MEAN, BEGIN, DONE, LAST, PAIR = range(14)
LOWEST, HIGHEST, BOUNDS, SPANS, NUMBERS, ARMED, WATCHED, STAGES, ROWS = range(14, 23)
START, STOP, SHIFT, LONGEST, RTOL, ATOL = range(23, 29)  # numbers that are not whole,
TWO, THREE, SEVEN, WIDTH, KINDS, EACH = range(29, 35)  # and how long arrays are whatever the network
UNWATCHED = np.empty((0, 3), np.int64), np.empty((0, 2)), np.empty(0, np.uint8)
_NONE = np.empty(0)


def as_memory(array: np.ndarray) -> memoryview[float]:
    """Return the memory of an array of numbers: one of them is read or set there in half the time."""
    return cast("memoryview[float]", array.data)


class Plan:
    """The table, and the arrays whose addresses stand in it.

    Parameters
    ----------
    pair : Pair
        The pair of methods.
    moments, counts, states, K, stage : ndarray
        What the steps keep, and where they work (`brnn.integrate.steppers.pair_steps`).

    Attributes
    ----------
    address : int
        Where the table lies, for as long as this object lives.
    wholes, numbers : memoryview
        The table, as whole numbers and as numbers.
    """

    def __init__(
        self, pair: Pair, moments: np.ndarray, counts: np.ndarray, states: np.ndarray, K: np.ndarray, stage: np.ndarray
    ) -> None:
        table = np.zeros(EACH + 1, np.int64)
        self.address = place(table)
        self._work = moments, counts, states, K, stage
        table[MOMENTS:MOST] = *map(place, self._work), stage.size
        self._pair = pair.numbers
        table[PAIR], table[TWO:] = place(self._pair), (2, 3, len(K), PLACES, *self._pair.shape)
        self.wholes, self.numbers = table.data, as_memory(table.view(np.float64))
        # The arrays whose addresses stand there now.
        self._integrated: tuple[RightHandSide, np.ndarray] | None = None
        self._state, self._lowest, self._highest = _NONE, _NONE, _NONE
        self._watched: tuple[np.ndarray, ...] = ()
        self.watch(UNWATCHED)

    def begin(self, start: float, state: np.ndarray) -> None:
        """Let the next call begin anew at a state."""
        if state is not self._state:
            self._state = np.ascontiguousarray(state, np.float64)
            self._first = place(self._state)
        self.numbers[START], self.wholes[BEGIN] = start, self._first

    def keep_within(self, bounds: tuple[np.ndarray, np.ndarray] | None) -> None:
        """Project saved states onto this interval; None for no projection."""
        lowest, highest = bounds or (_NONE, _NONE)
        if lowest is not self._lowest or highest is not self._highest:
            both = np.ascontiguousarray(lowest), np.ascontiguousarray(highest)
            self.wholes[LOWEST], self.wholes[HIGHEST], self.wholes[BOUNDS] = *map(place, both), lowest.size
            self._lowest, self._highest = both  # last: what an interruption leaves half done is done again

    def watch(self, watched: tuple[np.ndarray, ...]) -> None:
        """Come back after steps that may concern what `brnn.integrate.watches.Watches.table` says."""
        if watched is not self._watched:
            self.wholes[SPANS], self.wholes[NUMBERS], self.wholes[ARMED] = map(place, watched)
            self.wholes[WATCHED] = len(watched[0])
            self._watched = watched

    def hold_to(self, rtol: float, atol: float, mean: bool) -> None:
        """Set the tolerances, and whether they hold for the root mean square."""
        self.numbers[RTOL], self.numbers[ATOL], self.wholes[MEAN] = rtol, atol, mean

    def go(
        self, fun: RightHandSide, stop: float, longest: float, shift: float = 0.0, stages: np.ndarray = NO_STAGES
    ) -> None:
        """Say what is integrated, how far, in which steps, and how (`brnn.integrate.steppers.onward`)."""
        self._integrated = fun, stages
        self.wholes[TABLE], self.wholes[STAGES], self.wholes[ROWS] = place(fun.table), place(stages), len(stages)
        self.wholes[FUNCTION] = 0 if len(stages) else fun.address  # not compiled where it is not called
        self.numbers[STOP], self.numbers[LONGEST], self.numbers[SHIFT] = stop, longest, shift

    def save(self, done: int, last: int, most: int) -> None:
        """Save from one of the times on, before another one, in so many steps."""
        self.wholes[DONE], self.wholes[LAST], self.wholes[MOST] = done, last, most
