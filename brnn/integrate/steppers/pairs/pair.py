"""What a pair of explicit methods of seven stages is made of, and as what compiled steps take it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["CHANGE", "COUNTED", "EARLIER", "ERROR", "FIVES", "INSIDE", "NEW", "NODES", "STAGES", "Pair"]

STAGES, _POWERS = 7, 4
# Rows of the numbers that compiled steps take: when each stage is, what makes it (its number is that of the row; the
# last one is the new state), the error, and what stands at each power of the part of a step. Columns are the slopes,
# and CHANGE: from the beginning of the step to the stage before in the row NEW, to the new state in those below.
NODES, NEW, ERROR, INSIDE = 0, 6, 7, 8
CHANGE = STAGES
# From the row FIVES on so many numbers follow each other as brnn.compiler.onward reads them: what the first slope is in
# the first stage, and for each further one what four EARLIER slopes, the last one and the change are. Where there are
# fewer slopes, the first stands there again, and counts once.
FIVES = INSIDE + _POWERS
EARLIER = ((0, 0, 0, 0), (0, 1, 0, 0), (0, 1, 2, 0), (0, 1, 2, 3), (0, 2, 3, 4))
COUNTED = 1 + len(EARLIER) * (len(EARLIER[0]) + 2)


@dataclass(frozen=True, eq=False)
class Pair:
    """A pair of orders 5 and 4 with an interpolant of order 4, whose last slope is the first one of the next step.

    Its last two stages are at the end of the step: their slopes tell how fast the network is.

    Attributes
    ----------
    nodes : ndarray, shape (7,)
        When each stage is, as a part of the step.
    rows : ndarray, shape (7, 7)
        Row k makes stage k, the last of them the new state.
    error : ndarray, shape (7,)
        What each slope counts in the estimated error.
    inside : ndarray, shape (7, 4)
        Column j are the coefficients of the power j + 1 of the part of a step.
    """

    nodes: np.ndarray
    rows: np.ndarray
    error: np.ndarray
    inside: np.ndarray

    @cached_property
    def numbers(self) -> np.ndarray:
        """The same for compiled steps, without the second slope, whose place the last one takes.

        What it counts in the new state is what it counts in the stage before, times a number: that many times the
        change up to that stage stand there in its place. In the error and inside of a step it is the change of the
        whole step.
        """
        table = np.zeros((FIVES + -(-COUNTED // (CHANGE + 1)), CHANGE + 1))
        table[NODES, :STAGES] = self.nodes
        table[1 : NEW + 1, :STAGES] = self.rows[1:]
        table[ERROR, :STAGES] = self.error
        table[INSIDE:FIVES, :STAGES] = self.inside.T
        new, last = self.rows[NEW], self.rows[NEW - 1]
        for row in range(NEW, FIVES):
            instead = last if row == NEW else new
            if table[row, 1] != 0.0:
                table[row, CHANGE] = table[row, 1] / instead[1]
                table[row, :STAGES] -= table[row, CHANGE] * instead
                table[row, 1] = 0.0
        fives = [table[1, 0]]
        for k, earlier in enumerate(EARLIER, 1):
            row = table[k + 1]
            fives += [row[j] if earlier.index(j) == place else 0.0 for place, j in enumerate(earlier)]
            fives += [row[k], row[CHANGE]]
        table[FIVES:].flat[:COUNTED] = fives
        return table
