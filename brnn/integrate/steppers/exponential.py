"""The exponential method of Krogstad: order 4, each unknown's own rate taken exactly, with an embedded estimate.

Krogstad (2005), J. Comput. Phys. 203, 72-88. Half of the estimate is that of Whalen, Brio and Moloney (2015), J.
Comput. Phys. 280, 579-601: the new state's slope, which the next step needs anyway, in the place of the fourth stage's.
The other half, and the interpolant, use the slope where the step before began, or, in the first step of a piece, after
a quarter of it: without that they would take for a parabola what is none, and saved times within the first step after a
jump of the input were wrong by up to 650 tolerances.

Steps are made in compiled code, many in one call (`brnn.integrate.steppers.exponential_passes`), of large networks
whose cells meet in totals or convolutions alone by all processors, with the same bits whatever their number is.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy, load_module
from brnn.compiler.rooms import room_apart
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.blocks import blocks_of
from brnn.integrate.steppers.many_steps import CompiledSteps, at_times
from brnn.integrate.steppers.pair_stepper import STEP_FILES
from brnn.integrate.steppers.threads import asked, give_way, passes_shared, place, processors

__all__ = ["Exponential"]

_FILE = Path(__file__).with_name("exponential_passes.py")
_OTHERS = *(_FILE.with_name(f"{name}.py") for name in ("exponential_steps", "sharing")), *STEP_FILES
_FIRST = 100.0  # tolerances by which the first step may move an unknown,
_PART = 0.01  # or the part that it may be of the fastest time constant, if that is longer
_NONE = np.empty(0)


class Exponential(CompiledSteps):
    """Makes the steps of one piece; see `brnn.integrate.steppers.base.Stepper` for its attributes.

    Parameters
    ----------
    piece : Piece
        What is to be integrated.
    in_blocks : bool
        Whether du/dt is found block by block, which `System.in_blocks` must have.
    """

    first_numbers = 1_000_000  # times steps in the first call: a step takes so long for each of them

    def __init__(self, piece: Piece, *, in_blocks: bool = False) -> None:
        n, self._code = piece.state.size, load_copy(_FILE, *_OTHERS)
        c, self._piece, self.status, self.stop = self._code, piece, "running", piece.stop
        self._moments, self._counts = np.array([piece.start, 0.0, piece.start]), np.zeros(5, dtype=np.int64)
        self._edges = np.array([0, *(variable.stop for variable in piece.system.variables)], dtype=np.int64)
        states = {"U": np.ascontiguousarray(piece.state), "U_NEW": room_apart(n), "U_BEFORE": room_apart(n)}
        slopes = {name: room_apart(2 * n) for name in ("F", "F_NEW", "F_BEFORE")}
        others = {name: room_apart(n) for name in ("STAGE", "K", "D_2", "D_3", "D_4", "D_BEFORE")}
        others["D_BEFORE"][:] = 0.0  # counts nothing before it is written
        self._rooms = {**states, **slopes, **others, "PHI": room_apart(3 * n)}
        self._arrays = {place(array): array for array in (*states.values(), *slopes.values())}
        whole = self._whole = np.zeros(c.WHOLE, dtype=np.int64)
        for name, array in self._rooms.items():
            whole[getattr(c, name)] = place(array)
        whole[[c.SIZE, c.VARIABLES, c.UNIT]] = n, len(self._edges) - 1, 1
        blocks, sums, room = self._in_blocks() if in_blocks else self._at_once()
        self._numbers, self._found = np.zeros(c.COUNT), np.zeros(blocks)
        self._numbers[[c.RTOL, c.ATOL]] = piece.rtol, piece.atol
        self._sums, self._shares = np.zeros(sums), np.zeros((blocks, sums))
        whole[[c.TABLE, c.NUMBERS, c.EDGES, c.FOUND, c.SUM, c.SHARES]] = [
            place(array)
            for array in (piece.fun.table, self._numbers, self._edges, self._found, self._sums, self._shares)
        ]
        whole[c.SUMS] = sums
        whole[[c.DO, c.PLACE, c.PARTS]] = c.do_block.address, place(whole), blocks
        whole[c.TAKEN] = blocks  # nothing is left before the first pass
        self._helpers = min(processors() - 1, blocks - 1) if in_blocks and give_way() else 0
        self._work = np.empty((self._helpers + 1, room))  # of each thread
        self._saved = np.empty((0, n))
        self.advance(_NONE, 0, 0)  # finds du/dt
        speed = float(np.max(np.abs(self.f) / (piece.atol + piece.rtol * np.abs(piece.state))))
        fastest = float(np.max(np.abs(self.rates)))
        first = max(_FIRST / speed if speed > 0.0 else np.inf, _PART / fastest if fastest > 0.0 else 0.0)
        self.h_abs = min(self.stop - self.t, first)

    def _in_blocks(self) -> tuple[int, int, int]:
        """Fill in the functions of blocks; return how many blocks, sums, and numbers of room of a thread there are."""
        c, system, whole = self._code, self._piece.system, self._whole
        compiled = system.in_blocks
        assert compiled is not None
        plain, rated = load_module(compiled.text), load_module(system.rates_in_blocks)
        self._functions = plain, rated  # held here while their addresses are used
        whole[[c.TOTALS, c.SLOPES, c.RATED_SLOPES]] = [f.address for f in (plain.totals, plain.slopes, rated.slopes)]
        whole[c.RATED_TOTALS] = getattr(rated, "totals", plain.totals).address
        whole[[c.UNIT, c.ACROSS]] = compiled.unit, plain.across.address if compiled.room else 0
        return blocks_of(system), compiled.sums, compiled.room

    def _at_once(self) -> tuple[int, int, int]:
        """Do the same where du/dt is found in one call."""
        fun = self._piece.fun
        self._whole[[self._code.RHS, self._code.RATED]] = fun.address, fun.rated_address
        return 1, 0, 0

    def _array(self, name: str) -> np.ndarray:
        """Return what is now the state, or slopes and rates, of a name."""
        return self._arrays[int(self._whole[getattr(self._code, name)])]

    @property
    def here(self) -> np.ndarray:
        """The state there, in an array that is written by later steps."""
        return self._array("U")

    @property
    def f(self) -> np.ndarray:
        """du/dt where it stands."""
        return self._array("F")[: self._piece.state.size]

    @property
    def f_old(self) -> np.ndarray:
        """du/dt where the last step began."""
        return self._array("F_BEFORE")[: self._piece.state.size]

    @property
    def rates(self) -> np.ndarray:
        """The rates of the unknowns where it stands."""
        return self._array("F")[self._piece.state.size :]

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them.
        """
        piece, saved = self._piece, self._room(times, rows, room)
        helpers = asked(self._helpers) if most > 0 else 0
        with passes_shared(self._whole, [place(room) for room in self._work[1 : helpers + 1]]):
            status, done = self._code.advance(
                self._whole, self._numbers, piece.fun.shift, self._moments, self._counts, piece.stop, piece.longest,
                times, saved, place(self._work), most, helpers, give_way(),
            )  # fmt: skip
        self.status = ("running", "finished", "failed")[status]
        return saved[:done]

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        n, c = self._piece.state.size, self._code
        start, h, weights = float(self._moments[c.BEFORE]), self.step_size, self._numbers[c.WEIGHTS :].copy()
        before, D3 = self._rooms["D_BEFORE"].copy(), self._rooms["D_3"].copy()
        old, both, new, f = self._array("U_BEFORE").copy(), self._array("F_BEFORE").copy(), self.y, self.f.copy()

        def write(moment: float, out: np.ndarray) -> None:
            part = (moment - start) / h
            c.state_within(part, h, old, both[:n], both[n:], before, D3, new, f, weights, out)

        return at_times(write, n)
