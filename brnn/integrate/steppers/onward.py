"""What the steps of the explicit method are given where a network has a function from stage to stage.

`brnn.compiler.onward` says what that function does. A table has a row of addresses for each of its seven calls in a
step, two for du/dt of a state alone, and one for the address of the function.
"""

from __future__ import annotations

import numpy as np

from brnn.compiler.cache import load_module
from brnn.compiler.onward import EACH, EARLIER, PLACES, SLOPES, STAGE, SUMS, THEN, TOTALS, WEIGHTS
from brnn.compiler.rooms import lines_apart
from brnn.compiler.system import System
from brnn.integrate.steppers.pairs import pair
from brnn.integrate.steppers.threads import place

__all__ = ["NO_STAGES", "Stages"]

NO_STAGES = np.empty((0, PLACES), np.int64)
_ROWS = 10  # of the table
# Which slopes count in each stage besides the last one, and one that counts nothing where there are fewer.
_COUNTED = ((0, 0, 0, 0), *pair.EARLIER, (0, 0, 0, 0))


class Stages:
    """The table of a network, for a stepper whose slopes and last stage but one lie in given arrays.

    Parameters
    ----------
    system : System
        The network.
    source : str
        Text of its right-hand side that is integrated: of another one than the network's own there is no table.
    K : ndarray, shape (7, unknowns)
        The slopes of a step.
    stage : ndarray, shape (unknowns,)
        The stage at which slope 5 is found.
    """

    def __init__(self, system: System, source: str, K: np.ndarray, stage: np.ndarray) -> None:
        self._system = system if source == system.source else None
        self._exponents = np.array(sorted(system.program.exponents), np.intp)
        self._arrays = K, stage
        self._asked: bytes | None = None
        self._table = NO_STAGES
        self._places, self._among = self._exponents, True  # what was asked about last

    def asks(self, places: np.ndarray) -> bool:
        """Tell whether numbers in these places matter."""
        if places is not self._places:
            self._places, self._among = places, bool(np.isin(places, self._exponents).any())
        return self._among

    def of(self, numbers: np.ndarray) -> np.ndarray:
        """Return the table for these numbers of the right-hand side, of which exponents matter; an empty one if none.

        It is valid for as long as this object lives and is not asked about others.
        """
        if self._system is None:
            return NO_STAGES
        asked = numbers[self._exponents].tobytes()
        if asked != self._asked:
            text = self._system.onward(numbers)
            if text is None:
                self._table = NO_STAGES
            else:
                self._function = load_module(text).onward  # held here while its address is used
                if self._table.size == 0:
                    self._table = self._filled()
                self._table[-1, 0] = self._function.address
            self._asked = asked
        return self._table

    def _filled(self) -> np.ndarray:
        """Return the table; the state, and the new one, are filled in at each step."""
        K, stage = self._arrays
        self._room = np.zeros(pair.COUNTED + EACH), np.zeros(SUMS), lines_apart(stage.size)
        weights, totals, spare = map(place, self._room)
        k = [place(row) for row in K]
        table = np.zeros((_ROWS, PLACES), np.int64)
        table[:, TOTALS] = totals
        # Stages are formed in turn at two places, so that the one before the new state lies in `stage`.
        now, then = spare, place(stage)
        for r, counted in enumerate(_COUNTED):
            table[r, :EARLIER] = [k[j] for j in counted]
            table[r, WEIGHTS] = weights + 8 * (0 if r == 0 else 1 + EACH * (r - 1))
            table[r, [STAGE, SLOPES, THEN]] = now, k[r], then
            now, then = then, now
        # du/dt of a state alone: nothing counts.
        table[7:9, WEIGHTS], table[7:9, [STAGE, THEN]] = weights + 8 * pair.COUNTED, spare
        return table
