"""Explicit pairs of order 5 in passes over blocks.

It is for large networks whose cells meet in totals alone, and for fields whose kernels are applied by FFT.
A pass is shared by threads, and has the same bits for any number of them (`brnn.integrate.steppers.block_steps`).
"""

from __future__ import annotations

import time as clock
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy, load_module
from brnn.compiler.module_text import argument_table
from brnn.compiler.system import System
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.many_steps import at_times, kept_by_steps
from brnn.integrate.steppers.pair_stepper import STEP_FILES, PairStepper
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.steppers.threads import asked, give_way, passes_shared, place, processors, worth_of

__all__ = ["BlockedPairStepper", "blocks_of"]

_FILE = Path(__file__).with_name("block_steps.py")
_OTHERS = *(_FILE.with_name(f"{name}.py") for name in ("block_sums", "sharing")), *STEP_FILES
_AT_ONCE = 64  # states that are saved in one pass
_NONE = np.empty(0)
_CHUNK = 65_536  # numbers
_BLOCK = 5120  # unknowns; two states, six slopes and the signals of a block stay in the second-level cache
_OF_ROWS = 4096  # unknowns of a block of rows, about,
_TOGETHER = 16  # so many of which are transformed together
# Evaluations that show whether helpers are worth asking. Of more unknowns they always are.
_TRIED, _TRIED_SIZE = 48, 100_000


class BlockedPairStepper(PairStepper):
    """Makes the steps of one piece, as `PairStepper` does, of a network that `System.in_blocks` has."""

    first_numbers = 1_000_000  # times steps in the first call: a step takes so long for each of them

    def __init__(self, piece: Piece, pair: Pair = DORMAND_PRINCE) -> None:
        size, self._code = piece.state.size, load_copy(_FILE, *_OTHERS)
        compiled = piece.system.in_blocks
        assert compiled is not None
        self._functions = load_module(compiled.text)  # whose addresses are used
        self.status = "running"
        self._piece, self._pair = piece, pair
        c = self._code
        self._moments, self._counts = kept_by_steps(piece.start)
        self._u = [np.ascontiguousarray(piece.state), np.empty(size)]  # the first one becomes its own
        self._slopes = [np.zeros(size) for _ in range(6)]  # read before they are written, but count nothing then
        self._saved = np.empty((0, size))
        self._bounds = (_NONE, _NONE)
        self._parts = np.array([0, *(variable.stop for variable in piece.system.variables)], dtype=np.int64)
        blocks = blocks_of(piece.system)
        self._found, self._sums = np.zeros((blocks, 3)), np.zeros(compiled.sums)
        self._shares = np.zeros((blocks, compiled.sums))
        self._numbers, self._whole = np.zeros(c.NUMBERS), np.zeros(c.WHOLE, dtype=np.int64)
        self._numbers[[c.RTOL, c.ATOL, c.MEAN]] = piece.rtol, piece.atol, piece.norm == "rms"
        u, k = [place(array) for array in self._u], [place(array) for array in self._slopes]
        self._whole[[c.TOTALS, c.SLOPES, c.TABLE]] = (
            self._functions.totals.address, self._functions.slopes.address, place(piece.fun.table),
        )  # fmt: skip
        # Nothing is left before the first pass.
        self._whole[[c.PARTS, c.SUMS, c.TAKEN]] = blocks, compiled.sums, blocks
        self._whole[c.DO] = c.do_block.address
        self._whole[[c.UNIT, c.ACROSS]] = compiled.unit, self._functions.across.address if compiled.room else 0
        self._whole[[c.SHARES, c.SUM, c.U, c.NEW]] = place(self._shares), place(self._sums), *u
        passes = piece.system.passes(piece.fun.arguments[1])
        if passes is not None:
            self._passes = load_module(passes)
            self._whole[c.FUSED] = self._passes.fused.address
            if self._passes.IN_PLACE:
                self._u[1][:] = self._u[0]
            else:
                self._spare = self._u[0].copy()
                self._whole[c.SPARE] = place(self._spare)
            # Where the pass that makes a new state finds its sum, at the beginning, too.
            self._slopes[5][:] = self._u[0]
        self._whole[c.K : c.K + 7] = *k, k[1]
        self._places = dict(zip(k, self._slopes, strict=True))
        self._helpers = min(processors() - 1, blocks - 1) if give_way() else 0
        self._rooms = np.empty((self._helpers + 1, compiled.room))  # of each thread
        self.advance(_NONE, 0, 0)  # finds du/dt and a first step

    @property
    def bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """The interval onto which saved states are projected: a number where all bounds are equal."""
        return self._bounds

    @bounds.setter
    def bounds(self, bounds: tuple[np.ndarray, np.ndarray]) -> None:
        if all(bound.size and bound.strides == (0,) for bound in bounds):
            bounds = bounds[0][:1], bounds[1][:1]
        # What may not be written is another type, for which all would be compiled again.
        lowest, highest = (np.require(bound, requirements=["C", "W"]) for bound in bounds)
        self._bounds = lowest, highest

    def _slope(self, k: int) -> np.ndarray:
        return self._places[int(self._whole[self._code.K + k])]

    @property
    def y(self) -> np.ndarray:
        """The state there, in an array of its own."""
        return self.here if self.status == "finished" else self.here.copy()

    @property
    def here(self) -> np.ndarray:
        """The state there, in an array that is written by later steps."""
        return self._u[int(self._counts[self._code.ROW])]

    @property
    def f(self) -> np.ndarray:
        """du/dt there."""
        return self._slope(6 if self._counts[self._code.STEPPED] else 0)

    @property
    def rate(self) -> float:
        """About the fastest rate of the network, from two slopes at nearly one time: never much too large."""
        if self._counts[self._code.STEPPED]:
            return self.remembered[0]
        moved = _farthest(self._u[1], self._u[0])
        return _farthest(self._slope(1), self._slope(0)) / moved if moved > 0.0 else 0.0

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them.
        """
        piece, code = self._piece, self._code
        saved, s = self._room(times, rows, room), np.empty(_AT_ONCE)
        helpers = asked(self._helpers) if most > 0 else 0
        worth = worth_of(self._whole[code.SLOPES], self.here.size) if self._tries(most) else None
        helpers = helpers if worth is None or worth.asked else 0
        before, began = int(self._counts[code.EVALUATIONS]), clock.perf_counter()
        shared, more = (self._whole, self._numbers, self._found, self._parts), (self._pair.numbers, *self._bounds)
        table = argument_table(0, (*shared, s, *more))
        self._whole[code.PLACE] = place(table)
        with passes_shared(self._whole, [place(room) for room in self._rooms[1 : helpers + 1]]):
            status, done = code.advance(
                *shared, self._sums, self._shares, piece.fun.shift, self._moments, self._counts, piece.stop,
                piece.longest, times, saved, s, place(self._rooms), most, helpers, give_way(), self._pair.numbers,
            )  # fmt: skip
        made = int(self._counts[code.EVALUATIONS]) - before
        if worth is not None and made >= _TRIED:
            worth.note(helpers > 0, (clock.perf_counter() - began) / made)
        self.status = ("running", "finished", "failed")[status]
        return saved[:done]

    def _tries(self, most: int) -> bool:
        """Tell whether a call is long enough to see whether helpers are worth asking, and no longer than needed."""
        return self._helpers > 0 and 6 * most >= _TRIED and self.here.size <= _TRIED_SIZE

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        code, h, pair = self._code, self.step_size, self._pair.numbers
        before = float(self._moments[code.BEFORE])
        state, end, new = self._u[1 - int(self._counts[code.ROW])].copy(), self.t, self.here.copy()
        slopes = [self._slope(k).copy() for k in (0, 2, 3, 4, 5, 6)]

        def write(moment: float, out: np.ndarray) -> None:
            if moment == end:
                out[:] = new
            else:
                code.interpolate((moment - before) / h, h, state, new, *slopes, out, pair)

        return at_times(write, state.size)


def blocks_of(system: System) -> int:
    """Return into how many blocks a network is cut: fields in two, or more of as many rows as go together."""
    compiled = system.in_blocks
    assert compiled is not None
    if not compiled.room:
        return -(-system.size // _BLOCK)
    rows = max(variable.size for variable in system.variables) // compiled.unit
    each = max(1, _OF_ROWS // (compiled.unit * _TOGETHER)) * _TOGETHER
    return max(2, -(-rows // each))


def _farthest(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference, without arrays of the size of the state."""
    return max(float(np.max(np.abs(a[k : k + _CHUNK] - b[k : k + _CHUNK]))) for k in range(0, a.size, _CHUNK))
