"""Explicit pairs of order 5 in compiled code: many steps in one call, whatever the network.

One function integrates every network (`brnn.integrate.steppers.pair_steps`). It is compiled once, when brnn
is first used, and kept in the cache folder.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler import jumps, onward
from brnn.compiler.cache import load_copy
from brnn.compiler.rooms import lines_apart
from brnn.ensemble.kernels import control
from brnn.integrate.steppers import plan, step_lengths
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.many_steps import SAVED, CompiledSteps, at_times, kept_by_steps
from brnn.integrate.steppers.onward import NO_STAGES, Stages
from brnn.integrate.steppers.pairs import pair
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import Pair
from brnn.integrate.steppers.plan import DONE, UNWATCHED, Plan

__all__ = ["STEP_FILES", "PairStepper", "compiled_steps", "steps_over_jumps"]


_FILE = Path(__file__).with_name("pair_steps.py")
# What is compiled into all steps of the pair.
STEP_FILES = _FILE, *(Path(str(module.__file__)) for module in (pair, plan, step_lengths, control, onward))
_OVER_JUMPS = Path(__file__).with_name("jumping_steps.py")
_NONE = np.empty(0)
_NOTHING: tuple[np.ndarray, ...] = ()  # more than a plan
_IN_CACHE = 2**16  # numbers of smaller states that are saved in one call, which stay in the cache until they are kept


def compiled_steps() -> Any:
    """Return the module of the compiled steps."""
    return load_copy(*STEP_FILES)


def steps_over_jumps() -> Any:
    """Return the module of the compiled steps that end where signals jump."""
    return load_copy(_OVER_JUMPS, *STEP_FILES, Path(jumps.__file__))


class PairStepper(CompiledSteps):
    """Makes the steps of one piece, one at a time or many in one call. It cannot run networks with delays.

    Parameters
    ----------
    piece : Piece
        What is to be integrated.
    pair : Pair
        By which pair.

    Attributes
    ----------
    status : str
        "running", "finished" or "failed".
    njev : int
        0: it needs no Jacobian.
    bounds : tuple of ndarray
        The interval onto which saved states are projected; empty if there is none.
    watched : tuple of ndarray
        What `brnn.integrate.watches.Watches.table` returns; `advance` comes back after each step that may concern it.
    concerned : bool
        Whether the last step may.
    jumps : tuple of ndarray or None
        What `brnn.integrate.sides.Sides.of_steps` returns; `advance` ends steps where signals jump then, and nothing
        else is watched.
    """

    bounds: tuple[np.ndarray, np.ndarray] = (_NONE, _NONE)
    watched: tuple[np.ndarray, np.ndarray, np.ndarray] = UNWATCHED
    concerned = False
    jumps: tuple[np.ndarray, ...] | None = None

    def __init__(self, piece: Piece, pair: Pair = DORMAND_PRINCE) -> None:
        size, self._code = piece.state.size, compiled_steps()
        self.status = "running"
        self._piece, self._pair = piece, pair
        self._moments, self._counts = kept_by_steps(piece.start)
        self._states, self._K = lines_apart(2 * size).reshape(2, size), lines_apart(7 * size).reshape(7, size)
        self._stage = lines_apart(size)
        self._saved = np.empty((0, size))
        self._states[0] = piece.state
        self._plan = Plan(pair, self._moments, self._counts, self._states, self._K, self._stage)
        self._plan.hold_to(piece.rtol, piece.atol, piece.norm == "rms")
        self._taken: np.ndarray | None = None  # the stages that the plan tells of
        self._stages = Stages(piece.system, piece.fun.source, self._K, self._stage)
        self.advance(_NONE, 0, 0)  # finds du/dt and a first step

    @property
    def here(self) -> np.ndarray:
        """The state there, in an array that is written by later steps."""
        return np.asarray(self._states[self._counts[self._code.ROW]])

    @property
    def f(self) -> np.ndarray:
        """du/dt there."""
        return self._K[6 if self._counts[self._code.STEPPED] else 0]

    @property
    def last_step(self) -> tuple[float, np.ndarray, tuple[np.ndarray, np.ndarray]]:
        """When the last step began, the state there, and du/dt there and at its end."""
        other = self._states[1 - self._counts[self._code.ROW]]
        return float(self._moments[self._code.BEFORE]), other, (self._K[0], self._K[6])

    @property
    def rate(self) -> float:
        """About the fastest rate of the network, from the last two slopes at nearly one time: never much too large."""
        K, stepped = self._K, self._counts[self._code.STEPPED]
        if not (stepped or K[0].any()):
            return 0.0  # no stage was made: there stands what memory held before
        slopes = (K[5], K[6]) if stepped else (K[0], K[1])
        moved = np.abs(self._stage - self._states[self._counts[self._code.ROW]]).max()
        return float(np.abs(slopes[1] - slopes[0]).max() / moved) if moved > 0.0 else 0.0

    @property
    def projected(self) -> float:
        """How far the saved state was from the bounds that lay farthest outside."""
        return float(self._moments[self._code.PROJECTED])

    @property
    def remembered(self) -> tuple[float, float, float]:
        """The fastest rate that is not forgotten, the length that the last step's error allowed, and how that grew."""
        rate, allowed, trend = self._moments[[self._code.RATE, self._code.ALLOWED, self._code.TREND]].tolist()
        return rate, allowed, trend

    @remembered.setter
    def remembered(self, numbers: tuple[float, float, float]) -> None:
        self._moments[[self._code.RATE, self._code.ALLOWED, self._code.TREND]] = numbers

    @staticmethod
    def rows_at_once(size: int) -> int:
        """Return how many states are saved in one call."""
        return max(1, (_IN_CACHE if 16 * size < _IN_CACHE else SAVED) // size)

    def advance(self, times: np.ndarray, rows: int, most: int, room: np.ndarray | None = None) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows.

        They are written into `room`, or lie where the next call overwrites them: new memory for each would take as long
        as the steps.
        """
        piece, plan, saved = self._piece, self._plan, self._room(times, rows, room)
        if self.jumps is None:
            stages = self._stages.of(piece.fun.arguments[1])
            follow, more = self._code.follow, _NOTHING
        else:
            stages = NO_STAGES
            follow, more = steps_over_jumps().follow_over_jumps, self.jumps
        if stages is not self._taken:
            plan.go(piece.fun, piece.stop, piece.longest, piece.fun.shift, stages)
            self._taken = stages
        plan.watch(self.watched)
        plan.keep_within(self.bounds)
        plan.save(0, times.size, most)
        status = follow(plan.address, times, saved, *more)
        done = plan.wholes[DONE]
        self.status = ("running", "finished", "failed", "running")[status]
        self.concerned = status == self._code.CONCERNED
        return saved[:done]

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        before, h, state = (
            float(self._moments[self._code.BEFORE]),
            self.step_size,
            self._states[1 - self._counts[self._code.ROW]].copy(),
        )
        K, after, interpolate, pair = self._K.copy(), self.y, self._code.interpolate, self._pair.numbers

        def write(moment: float, out: np.ndarray) -> None:
            interpolate((moment - before) / h, h, state, after, K, out, pair)

        return at_times(write, state.size)
