"""Go through time in steps in which the layers move one after the other, each with the newest signals.

A step is that of `brnn.compiler.sequence`: of order 2 with one evaluation of each law, and damped whatever its length.
The first step after a jump of the inputs, where the states bend most, is half as long as the others. A saved time or a
jump ends a step; those before it are shortened alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.errors import InputError
from brnn.integrate.driver import Driver, RunTask
from brnn.integrate.methods.base import Method
from brnn.integrate.methods.equal_steps import Euler
from brnn.integrate.methods.given_steps import GivenSteps
from brnn.integrate.steppers.bands import BandSteps

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["GaussSeidel"]

_AT_ONCE = 16  # steps; after so many, progress shows and a run can be stopped
_FIRST, _GROWTH = 0.5, 2.0  # part of a step that the first one is, and by what the next one is longer


class GaussSeidel(Method):
    """Steps of given lengths, no error control."""

    name = "GaussSeidel"
    description = (
        "order 2 with one evaluation a step, layer after layer with the newest signals; for networks that lead from "
        "layer to layer"
    )
    purpose = "in equal steps"
    order = 56
    copies = 5
    takes_step = True

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse what Euler's method does, cells that fire, and what does not belong to a layer."""
        refusal = super().refuses(network, until, step)
        if refusal is not None:
            return refusal
        if any(projection.learning is not None for projection in network.projections):
            return "weights that learn are not its unknowns"
        if any(gate is not None and gate.per == "connection" for gate in (p.gate for p in network.projections)):
            return "gates of single connections are not its unknowns"
        return Euler().refuses(network, until, step)

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time in given steps."""
        if task.start is not None:
            raise InputError(
                "start: these equal steps begin at time 0; Euler (solver=, --solver) goes on from another run"
            )
        return _InSequence(task, self)


def lengths(span: float, last: float, longest: float) -> np.ndarray:
    """Return the steps that fill `span`: each twice as long as the one before, up to `longest`; then all shortened.

    `last` is the length of the step before, or 0 after a jump.
    """
    size = min(longest, _GROWTH * last if last > 0.0 else _FIRST * longest)
    steps: list[float] = []
    sum_ = 0.0
    while sum_ < span * (1.0 - 1e-9) and size < longest:
        steps.append(size)
        sum_ += size
        size = min(longest, _GROWTH * size)
    if sum_ < span * (1.0 - 1e-9):
        count = int(np.ceil((span - sum_) / longest * (1.0 - 1e-9)))
        steps += [longest] * count
    sizes = np.array(steps)
    return sizes * (span / sizes.sum())


class _InSequence(GivenSteps):
    """A run of a network whose layers move one after the other."""

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run."""
        assert self.task.step is not None
        self.step = self.task.step
        self._rhs: RightHandSide | None = None
        return super().begin(state)

    def _room(self, state: np.ndarray) -> np.ndarray:
        u, self._work = room_apart(state.size), room_apart(2 * state.size + 1)
        u[:], self._work[:] = state, 0.0
        system = self.task.system.in_sequence
        self._bands = BandSteps(system, u, self._work) if system.program.bands else None
        return u

    def _enter(self, time: float, stop: float, u: np.ndarray) -> None:
        fresh, clock = self._rhs is None, self.timetable.clock
        self._rhs, self._last = self.task.system.in_sequence.rhs(0.5 * (time + stop), clock=clock, room=self._rhs), 0.0
        if fresh:
            self._make(self._rhs, np.array([time]), np.zeros(1), u)  # a step of no length brings slopes and rates
        else:
            self._rhs.renew(time, u, self._work)

    def _go(self, before: float, after: float, u: np.ndarray) -> None:
        assert self._rhs is not None
        sizes = lengths(after - before, self._last, self.step)
        ends = before + np.cumsum(sizes)
        for first in range(0, sizes.size, _AT_ONCE):
            some = slice(first, first + _AT_ONCE)
            self._make(self._rhs, ends[some], sizes[some], u)
            self.steps += sizes[some].size
            self.progressed(float(sizes[some].sum()))
        self._last = float(sizes[-1])

    def _make(self, rhs: RightHandSide, ends: np.ndarray, sizes: np.ndarray, u: np.ndarray) -> None:
        """Make steps of these lengths, which end at these times."""
        if self._bands is not None:
            self._bands.make(rhs, ends, sizes)
        else:
            for end, h in zip(ends.tolist(), sizes.tolist(), strict=True):
                self._work[-1] = h
                rhs.at_once(end, u, self._work)
        self.evaluations += sizes.size
