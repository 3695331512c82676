"""Sensitivities backward in time: the gradient of one number by any number of parameters, at the same cost.

The steps of the run are kept, of long runs only some as checkpoints, between which the steps are made again. Then they
are read backward (`brnn.integrate.steppers.backward_steps`). Where an input jumps at a time that depends on a
parameter, the gradient gets the difference of the slopes. In discrete time all steps are kept.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from brnn.compiler.cache import load_copy
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.errors import InputError, IntegrationError
from brnn.integrate.steppers.many_steps import kept_by_steps
from brnn.integrate.steppers.pair_stepper import STEP_FILES
from brnn.integrate.steppers.pairs import dormand_prince
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.sensitivities.arguments import NO_TIMES, Arguments
from brnn.sensitivities.late_adjoint import LateAdjoint

__all__ = ["AdjointRun"]

_ROOM = 2**24  # numbers of kept states, 128 MB
_AT_ONCE = 4096  # steps
_AT_MOST = 20_000_000

Weights = Callable[[np.ndarray], tuple[float, np.ndarray]]
_FILE = Path(__file__).parent.parent / "integrate" / "steppers" / "backward_steps.py"


def _compiled() -> Any:
    return load_copy(_FILE, Path(str(dormand_prince.__file__)), *STEP_FILES)


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


@dataclass(frozen=True)
class _Piece:
    """A piece that was integrated: what its steps were, and which saved times are within it and at its beginning.

    `left` is the state before it, at the end of the piece before.
    """

    function: RightHandSide
    backward: RightHandSide
    kept: _Kept
    rows: slice
    entering: slice
    left: np.ndarray


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
        place, network = self.arguments.place, self.arguments.own.system.network
        pairs = self._functions(here, slopes)
        saved = np.empty((times.size, self.arguments.own.size))
        bar = np.zeros(here.size)
        if network.step is None and self.arguments.own.late:
            moving = slopes[place.delays].nnz > 0
            late = LateAdjoint(self.arguments, pairs, self._text, here, moving, rtol, atol)
            late.there(times, saved)
            value, weights = loss(saved)
            adjoint = late.back(times, np.ascontiguousarray(weights, dtype=np.float64), bar)
            self.steps = late.steps
        elif network.step is None:
            pieces = self._there(pairs, here, times, saved, rtol, atol)
            value, weights = loss(saved)
            adjoint = self._back(pieces, here, times, np.ascontiguousarray(weights, dtype=np.float64), bar)
        else:
            if slopes[place.edges].nnz:
                raise InputError(f"{network.name}: {NO_TIMES}")
            states = self._steps_there(pairs, here, network.step)
            rows = np.round(times / network.step).astype(np.int64)
            saved[:] = states[rows]
            value, weights = loss(saved)
            at = np.zeros(states.shape)
            at[rows] = weights
            adjoint = self._steps_back(pairs, here, network.step, states, at, bar)
        bar[place.state] += adjoint
        return saved, value, slopes.T @ bar

    def _functions(self, here: np.ndarray, slopes: csr_array) -> list[tuple[RightHandSide, RightHandSide]]:
        """Return for each piece the right-hand side, and what is read backward, with their arguments."""
        place, own = self.arguments.place, self.arguments.own
        numbers, arrays = self.arguments.moved(slopes)
        self._numbers, self._text = sorted(numbers), own.backward(numbers, {*arrays, *own.late})
        found = []
        for k, (start, stop) in enumerate(itertools.pairwise(here[place.edges].tolist())):
            middle = 0.5 * (start + stop)
            pair = own.system.rhs(middle), own.read_backward(self._text, middle)
            for one in pair:
                self.arguments.fill(k, one, here)
            found.append(pair)
        self._parts = own.parts(self._text, found[0][0])
        return found

    def _there(
        self, pairs: list[tuple[RightHandSide, RightHandSide]], here: np.ndarray, times: np.ndarray, saved: np.ndarray,
        rtol: float, atol: float,
    ) -> list[_Piece]:  # fmt: skip
        """Integrate piece after piece; write the states at `times` into `saved`."""
        place, edges, size = self.arguments.place, here[self.arguments.place.edges], self.arguments.own.size
        state, done, found = here[place.state].copy(), 0, []
        self.steps = 0
        for k, (function, backward) in enumerate(pairs):
            start, stop = float(edges[k]), float(edges[k + 1])
            left, change = state, place.changes[k]
            if change is not None:
                factor, added = here[change].reshape(2, size)
                state = factor * state + added
            first = done
            if done < times.size and times[done] == start:
                saved[done], done = state, done + 1
            last = place.rows_until(k, stop, times)
            kept, state = self._forward(function, start, stop, state, times[done:last], saved[done:last], rtol, atol)
            found.append(_Piece(function, backward, kept, slice(done, last), slice(first, done), left))
            self.steps += kept.count
            done = last
        return found

    def _back(
        self, pieces: list[_Piece], here: np.ndarray, times: np.ndarray, weights: np.ndarray, bar: np.ndarray
    ) -> np.ndarray:
        """Read the pieces backward; write derivatives by arguments into `bar`, and return that by the first state."""
        place, edges, size = self.arguments.place, here[self.arguments.place.edges], self.arguments.own.size
        adjoint, code = np.zeros(size), _compiled()
        for k in reversed(range(len(pieces))):
            piece = pieces[k]
            function, backward, rows = piece.function, piece.backward, piece.rows
            total, K = np.zeros(backward.size - 2 * size), room_apart(7 * size).reshape(7, size)
            after = rows.stop
            for ends, first in piece.kept.spans():
                states = np.empty((ends.size, size))
                states[0] = first
                code.made_again(function.address, function.table, ends, states, K, DORMAND_PRINCE.numbers)
                before = int(np.searchsorted(times[rows], ends[0], side="right")) + rows.start
                code.read_backward(
                    function.address, function.table, backward.address, backward.table, ends, states, K,
                    times[before:after], weights[before:after], adjoint, total, DORMAND_PRINCE.numbers,
                )  # fmt: skip
                after = before
            self._add(k, total, bar)
            adjoint += weights[piece.entering].sum(axis=0)
            slope = pieces[k - 1].function(edges[k], piece.left) if k else None
            change = place.changes[k]
            arriving = adjoint
            if change is not None:
                factor = here[change][:size]
                bar[change] = np.concatenate([adjoint * piece.left, adjoint])
                adjoint = adjoint * factor
                slope = None if slope is None else factor * slope
            if slope is not None:
                bar[place.edges.start + k] = arriving @ (slope - function(edges[k], piece.kept.states[0][0]))
        return adjoint

    def _steps_there(
        self, pairs: list[tuple[RightHandSide, RightHandSide]], here: np.ndarray, step: float
    ) -> np.ndarray:
        """Return all states of a network of discrete time, shape (steps + 1, unknowns)."""
        count = round(float(here[self.arguments.place.edges][-1]) / step)
        if (count + 1) * self.arguments.own.size > _ROOM:
            raise InputError(
                f"{self.arguments.own.system.network.name}: {count:,} steps of {self.arguments.own.size:,} cells are "
                "too many to be kept; mode='forward' keeps none"
            )
        states = np.empty((count + 1, self.arguments.own.size))
        states[0] = here[self.arguments.place.state]

        def past(time: float) -> np.ndarray:
            return np.asarray(states[max(0, round(time / step))])

        pairs[:] = [(replace(one, history=past), replace(other, history=past)) for one, other in pairs]
        for k, piece in self.arguments.place.steps(here, step):
            if piece is not None:
                states[k + 1] = pairs[piece][0](k * step, states[k])
        if not np.isfinite(states).all():
            raise IntegrationError("a step takes the state beyond all numbers")
        self.steps = count
        return states

    def _steps_back(
        self, pairs: list[tuple[RightHandSide, RightHandSide]], here: np.ndarray, step: float, states: np.ndarray,
        weights: np.ndarray, bar: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Read the steps backward; write into `bar` the derivative by arguments, and return that by the first state."""
        own = self.arguments.own
        size, adjoints = own.size, weights.copy()
        totals = [np.zeros(backward.size - 2 * size) for _, backward in pairs]
        lags = zip(own.late, pairs[0][0].lags, strict=True)
        late = [(self._parts[name], variable, round(delay / step)) for name, (_, variable, delay) in lags]
        for k, piece in reversed(list(self.arguments.place.steps(here, step))[:-1]):
            assert piece is not None
            backward = pairs[piece][1]
            out = room_apart(backward.size)
            backward.into(k * step, np.concatenate([states[k], adjoints[k + 1]]), out)
            adjoints[k] += out[size : 2 * size]
            for part, variable, lag in late:
                adjoints[max(0, k - lag), variable.start : variable.stop] += out[2 * size :][part]
            totals[piece] += out[2 * size :]
        for k, total in enumerate(totals):
            self._add(k, total, bar)
        return np.asarray(adjoints[0])

    def _add(self, k: int, total: np.ndarray, bar: np.ndarray) -> None:
        """Write the derivative by the arguments of a piece where these stand."""
        place = self.arguments.place
        bar[place.numbers[k].start + np.array(self._numbers, dtype=np.intp)] = total[: len(self._numbers)]
        for name, there in place.arrays[k].items():
            if name in self._parts:
                bar[there] = total[self._parts[name]]

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
        moments, counts = kept_by_steps(start)
        states, K = room_apart(2 * size).reshape(2, size), room_apart(7 * size).reshape(7, size)
        states[0], stage = state, room_apart(size)
        kept = _Kept(start, state)
        chunk = max(16, min(_AT_ONCE, self._room // (2 * size)))
        ends, after = np.empty(chunk), np.empty((chunk, size))
        done, status = 0, code.RUNNING
        while status == code.RUNNING:
            status, rows, made = code.kept_steps(
                function.address, function.table, moments, counts, states, K, stage, stop, longest, rtol, atol,
                times[done:], saved[done:], ends, after, DORMAND_PRINCE.numbers,
            )  # fmt: skip
            done += rows
            kept.add(ends[:made], after[:made], self._room // 2)
            if kept.count > _AT_MOST:
                raise IntegrationError(f"more than {_AT_MOST:,} steps up to t = {moments[0]:g}", float(moments[0]))
        here = states[counts[code.ROW]].copy()
        if float(moments[code.NOW]) < stop or not np.isfinite(here).all():
            raise IntegrationError(f"the state is not finite after t = {float(moments[0]):g}", float(moments[0]))
        return kept, here
