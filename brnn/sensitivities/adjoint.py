"""Sensitivities backward in time: the gradient of one number by any number of parameters, at the same cost.

The steps of the run are kept, of long runs only some as checkpoints, between which the steps are made again. Then they
are read backward (`brnn.integrate.steppers.backward_steps`). Where an input jumps at a time that depends on a
parameter, the gradient gets the difference of the slopes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from brnn.compiler.cache import load_copy
from brnn.compiler.system import RightHandSide, room_apart
from brnn.errors import IntegrationError
from brnn.sensitivities.arguments import Arguments

__all__ = ["AdjointRun"]

_ROOM = 2**24  # numbers of kept states, 128 MB
_AT_ONCE = 4096  # steps
_AT_MOST = 20_000_000

Weights = Callable[[np.ndarray], tuple[float, np.ndarray]]
_STEPS = Path(__file__).parent.parent / "integrate" / "steppers"


def _compiled() -> Any:
    return load_copy(_STEPS / "backward_steps.py", _STEPS / "dormand_prince_steps.py")


class _Kept:
    """The steps of a piece: the times of all, the states after some of them."""

    def __init__(self, start: float, state: np.ndarray) -> None:
        self.ends = [np.array([start])]
        self.states = [state[None].copy()]
        self.every = 1
        self.count = 0

    def add(self, ends: np.ndarray, states: np.ndarray, room: int) -> None:
        """Keep further steps; of too many states every second one."""
        self.ends.append(ends.copy())
        first = self.count
        self.count += ends.size
        places = np.arange(first + 1, self.count + 1)
        self.states.append(states[places % self.every == 0].copy())
        while sum(part.size for part in self.states) > room:
            self.every *= 2
            self.states = [np.concatenate(self.states)[::2]]

    def spans(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return, from the last to the first, the ends of steps after each kept state, and that state."""
        ends, states = np.concatenate(self.ends), np.concatenate(self.states)
        places = range(0, self.count, self.every)
        return [(ends[k : k + self.every + 1], states[k // self.every]) for k in reversed(places)]


class AdjointRun:
    """Runs a network, and then backward, again and again.

    Parameters
    ----------
    arguments : Arguments
        The network and its parameters.
    """

    def __init__(self, arguments: Arguments) -> None:
        self.arguments, self._room = arguments, _ROOM
        self.steps = 0

    def run(
        self, here: np.ndarray, slopes: csr_array, times: np.ndarray, loss: Weights, *, rtol: float, atol: float
    ) -> tuple[np.ndarray, float, np.ndarray]:
        """Return states, shape (times, unknowns), a loss, and its gradient by all parameters.

        Parameters
        ----------
        here, slopes : ndarray, csr_array
            All arguments, and their derivatives (`Arguments`).
        times : ndarray
            Saved times.
        loss : callable
            Returns its value for the states, and its derivatives by them.
        rtol, atol : float
            Tolerances.
        """
        place, own = self.arguments.place, self.arguments.own
        edges, size = here[place.edges], own.size
        moved, arrays = self.arguments.moved(slopes)
        numbers = sorted(moved)
        text = own.backward(numbers, arrays)
        saved = np.empty((times.size, size))
        state = here[place.state].copy()
        done = 0
        if times[0] == 0.0:
            saved[0], done = state, 1
        pieces = []
        self.steps = 0
        for k in range(len(place.numbers)):
            start, stop = float(edges[k]), float(edges[k + 1])
            function, backward = own.system.rhs(0.5 * (start + stop)), own.read_backward(text, 0.5 * (start + stop))
            for one in (function, backward):
                self.arguments.fill(k, one, here)
            last = times.size if k + 1 == len(place.numbers) else int(np.searchsorted(times, stop, side="right"))
            kept, state = self._forward(function, start, stop, state, times[done:last], saved[done:last], rtol, atol)
            pieces.append((function, backward, kept, slice(done, last)))
            self.steps += kept.count
            done = last
        value, weights = loss(saved)
        weights = np.ascontiguousarray(weights, dtype=np.float64)
        bar = np.zeros(here.size)
        adjoint, code = np.zeros(size), _compiled()
        for k in reversed(range(len(pieces))):
            function, backward, kept, rows = pieces[k]
            total, K = np.zeros(backward.size - 2 * size), room_apart(7 * size).reshape(7, size)
            after = rows.stop
            for ends, first in kept.spans():
                states = np.empty((ends.size, size))
                states[0] = first
                code.made_again(function.address, function.table, ends, states, K)
                before = int(np.searchsorted(times[rows], ends[0], side="right")) + rows.start
                code.read_backward(
                    function.address, function.table, backward.address, backward.table, ends, states, K,
                    times[before:after], weights[before:after], adjoint, total,
                )  # fmt: skip
                after = before
            bar[place.numbers[k].start + np.array(numbers, dtype=np.intp)] = total[: len(numbers)]
            at = len(numbers)
            for name in text.arrays:
                there = place.arrays[k][name]
                bar[there] = total[at : at + there.stop - there.start]
                at += there.stop - there.start
            if k:
                state, edge = kept.states[0][0], float(edges[k])
                jump = pieces[k - 1][0](edge, state) - function(edge, state)
                bar[place.edges.start + k] = adjoint @ jump
        if times[0] == 0.0:
            adjoint += weights[0]
        bar[place.state] += adjoint
        return saved, value, slopes.T @ bar

    def _forward(
        self,
        function: RightHandSide,
        start: float,
        stop: float,
        state: np.ndarray,
        times: np.ndarray,
        saved: np.ndarray,
        rtol: float,
        atol: float,
    ) -> tuple[_Kept, np.ndarray]:
        code, size = _compiled(), state.size
        longest = self.arguments.own.system.network.period() / 8.0
        moments, counts = np.array([start, 0.0, start, 0.0, 0.0]), np.zeros(5, dtype=np.int64)
        states, K = room_apart(2 * size).reshape(2, size), room_apart(7 * size).reshape(7, size)
        states[0], stage = state, room_apart(size)
        kept = _Kept(start, state)
        chunk = max(16, min(_AT_ONCE, self._room // (2 * size)))
        ends, after = np.empty(chunk), np.empty((chunk, size))
        done, status = 0, code.RUNNING
        while status == code.RUNNING:
            status, rows, made = code.kept_steps(
                function.address, function.table, moments, counts, states, K, stage, stop, longest, rtol, atol,
                times[done:], saved[done:], ends, after,
            )  # fmt: skip
            done += rows
            kept.add(ends[:made], after[:made], self._room // 2)
            if kept.count > _AT_MOST:
                raise IntegrationError(f"more than {_AT_MOST:,} steps up to t = {moments[0]:g}", float(moments[0]))
        here = states[counts[code.ROW]].copy()
        if float(moments[code.NOW]) < stop or not np.isfinite(here).all():
            raise IntegrationError(f"the state is not finite after t = {float(moments[0]):g}", float(moments[0]))
        return kept, here
