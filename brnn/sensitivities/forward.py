"""Sensitivities forward in time: the tangents of all parameters are unknowns beside the state.

They are integrated together with it, under the same tolerances, so that their errors are controlled as well. Where an
input jumps, at a time that depends on a parameter, the tangent jumps by the difference of the slopes. With delays the
past of the tangents is kept beside that of the state; delays that are parameters take the slope of the past, too. In
discrete time the map is applied to both.
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from scipy.sparse import csr_array

from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.errors import InputError, IntegrationError
from brnn.integrate.delays import History, inside
from brnn.integrate.steppers.many_steps import kept_by_steps
from brnn.integrate.steppers.pair_stepper import compiled_steps
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.plan import DONE, Plan
from brnn.sensitivities.arguments import NO_TIMES, Arguments
from brnn.sensitivities.past import Late, PastSlopes, late_steps, restarts

__all__ = ["SOLVERS", "ForwardRun"]

SOLVERS = ("auto", "RK45", "DOP853", "Radau", "BDF", "LSODA")
_LOOK = 2_000  # steps between looks at whether a run is stiff
_PACE, _MOST_CALLS, _SLOW = 5_000, 1e8, 2  # evaluations between looks, so many are too many to go, how often in a row
_AT_MOST = 2_000_000  # steps
_STIFF = 2.0  # step times fastest rate where stability limits the steps
_DENSE = 400  # unknowns up to which LSODA may take over


class ForwardRun:
    """Runs a network with the tangents of its parameters again and again.

    Parameters
    ----------
    arguments : Arguments
        The network and its parameters.
    """

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = arguments
        self._numbers: frozenset[int] = frozenset()
        self._arrays: frozenset[str] = frozenset()
        self._pieces: list[tuple[RightHandSide, dict[str, np.ndarray]]] = []
        self._filled: tuple[csr_array, np.ndarray] | None = None
        self.evaluations = self.steps = 0

    def run(
        self,
        here: np.ndarray,
        slopes: csr_array,
        scale: np.ndarray,
        times: np.ndarray,
        *,
        rtol: float,
        atol: float,
        solver: str = "auto",
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return states, shape (times, unknowns), and their derivatives, shape (times, unknowns, parameters).

        Parameters
        ----------
        here, slopes : ndarray, csr_array
            All arguments, and their derivatives (`Arguments`).
        scale : ndarray
            Size of each parameter: tangents are integrated in units of it.
        times : ndarray
            Saved times.
        rtol, atol : float
            Tolerances.
        solver : str
            One of SOLVERS.
        """
        place, count, own = self.arguments.place, slopes.shape[1], self.arguments.own
        self._take(slopes, scale)
        state = np.concatenate([here[place.state], self._initial])
        for k, (function, _) in enumerate(self._pieces):
            self.arguments.fill(k, function, here)
        saved = np.empty((times.size, state.size))
        self.evaluations = self.steps = 0
        if own.system.network.step is None:
            self._through_pieces(here, state, times, saved, rtol, atol, solver)
        else:
            self._by_steps(here, state, times, saved, own.system.network.step)
        size = own.size
        with np.errstate(divide="ignore", invalid="ignore"):
            return saved[:, :size], saved[:, size:].reshape(times.size, size, count) / scale

    def _through_pieces(
        self, here: np.ndarray, state: np.ndarray, times: np.ndarray, saved: np.ndarray, rtol: float, atol: float,
        solver: str,
    ) -> None:  # fmt: skip
        """Integrate piece after piece; write the states at `times` into `saved`."""
        place = self.arguments.place
        edges = here[place.edges]
        before: np.ndarray | None = None
        past = _Past(self.arguments, here, state, self._late) if place.delays.stop > place.delays.start else None
        done = 0
        for k, (function, _) in enumerate(self._pieces):
            start, stop = float(edges[k]), float(edges[k + 1])
            first = function if past is None else past.late(function, *past.within(start, stop)[0])
            state = self._entered(k, first, start, state, before, here)
            if done < times.size and times[done] == start:
                saved[done], done = state, done + 1
            last = place.rows_until(k, stop, times)
            part = times[done:last], saved[done:last]
            if past is None:
                state = self._piece(function, start, stop, state, *part, rtol, atol, solver)
                before = function(stop, state) if k + 1 < len(self._pieces) else None
            else:
                state, before = self._late_piece(function, start, stop, state, past, *part, rtol, atol, solver)
            done = last

    def _entered(
        self, k: int, function: RightHandSide | Late, start: float, state: np.ndarray, before: np.ndarray | None,
        here: np.ndarray,
    ) -> np.ndarray:  # fmt: skip
        """Return the state with its tangents after what happens at the beginning of a piece.

        `before` is du/dt at the end of the last piece.
        """
        size, change = self.arguments.own.size, self.arguments.place.changes[k]
        u, V = state[:size], state[size:].reshape(size, -1)
        slope = None if before is None else before[:size]
        if change is not None:
            factor, added = here[change].reshape(2, size)
            of_factor, of_added = self._changing[k].reshape(2, size, -1)
            V = factor[:, None] * V + of_factor * u[:, None] + of_added
            u = factor * u + added
            slope = None if slope is None else factor * slope
        if slope is not None and self._moving[k].any():
            after = function(start, np.concatenate([u, V.ravel()]))[:size]
            V = V + np.outer(slope - after, self._moving[k])
        return np.concatenate([u, V.ravel()])

    def _by_steps(self, here: np.ndarray, state: np.ndarray, times: np.ndarray, saved: np.ndarray, step: float) -> None:
        """Apply the map again and again; write the states at `times` into `saved`."""
        if self._moving.any():
            raise InputError(f"{self.arguments.own.system.network.name}: {NO_TIMES}")
        delays = self.arguments.own.system.delays
        lag = round(delays[-1] / step) if delays else 0
        past = {0: state}
        functions = [
            replace(function, history=lambda time: past.get(round(time / step), past[min(past)]))
            for function, _ in self._pieces
        ]
        done = 0
        for k, piece in self.arguments.place.steps(here, step):
            while done < times.size and round(times[done] / step) == k:
                saved[done], done = state, done + 1
            if piece is None:
                break
            state = past[k + 1] = functions[piece](k * step, state)
            self.steps += 1
            self.evaluations += 1
            if not np.isfinite(state).all():
                raise IntegrationError(f"the derivatives are not finite after t = {k * step:g}", k * step)
            if k > lag + 1:
                del past[k - lag - 1]

    def _take(self, slopes: csr_array, scale: np.ndarray) -> None:
        """Set the tangents of all arguments, if they are not those of the last run."""
        if self._filled is not None and self._filled[0] is slopes and self._filled[1] is scale:
            return
        place, scaled = self.arguments.place, slopes.multiply(scale).tocsr()
        self._prepare(scaled, slopes.shape[1])
        self._initial, self._moving = scaled[place.state].toarray().ravel(), scaled[place.edges].toarray()
        self._late = scaled[place.delays].toarray()
        self._changing = [np.empty(0) if there is None else scaled[there].toarray() for there in place.changes]
        for k, (_, seeds) in enumerate(self._pieces):
            for name, tangents in seeds.items():
                if name in self.arguments.own.late:
                    continue
                there = place.numbers[k] if name == "p" else place.arrays[k][name]
                rows = scaled[there]
                tangents[:] = (rows[self._rows] if name == "p" else rows).toarray()
        self._filled = slopes, scale

    def _prepare(self, slopes: csr_array, count: int) -> None:
        """Compile what has tangents of the arguments that depend on parameters, if it is not yet."""
        more, others = self.arguments.moved(slopes)
        numbers, arrays = self._numbers | more, self._arrays | others
        if self._pieces and numbers == self._numbers and arrays == self._arrays:
            return
        self._numbers, self._arrays = numbers, arrays
        own = self.arguments.own
        text = own.tangents(numbers, arrays)
        edges = self.arguments.first[self.arguments.place.edges]
        self._rows = np.array(text.numbers, dtype=np.intp)
        self._pieces = [
            own.with_tangents(text, 0.5 * (start + stop), count) for start, stop in itertools.pairwise(edges)
        ]

    def _piece(
        self,
        function: RightHandSide,
        start: float,
        stop: float,
        state: np.ndarray,
        times: np.ndarray,
        saved: np.ndarray,
        rtol: float,
        atol: float,
        solver: str,
    ) -> np.ndarray:
        """Integrate one piece; return the state at its end."""
        if solver not in ("auto", "RK45"):
            return self._by_scipy(function, start, stop, state, times, saved, rtol, atol, solver)
        code, size = compiled_steps(), state.size
        longest = self.arguments.own.system.network.period() / 8.0
        moments, counts = kept_by_steps(start)
        states, K = room_apart(2 * size).reshape(2, size), room_apart(7 * size).reshape(7, size)
        states[0], stage, done, status = state, room_apart(size), 0, code.RUNNING
        plan = Plan(DORMAND_PRINCE, moments, counts, states, K, stage)
        plan.hold_to(rtol, atol, mean=False)
        plan.go(function, stop, longest)
        while status == code.RUNNING:
            plan.save(done, times.size, _LOOK)
            status, done = code.follow(plan.address, times, saved), plan.wholes[DONE]
            now = float(moments[code.NOW])
            stiff = (now - moments[code.BEFORE]) * moments[code.RATE] >= _STIFF
            if status == code.RUNNING and solver == "auto" and size <= _DENSE and stiff:
                here = states[counts[code.ROW]].copy()
                return self._by_scipy(function, now, stop, here, times[done:], saved[done:], rtol, atol, "LSODA")
            if status == code.RUNNING and counts[code.STEPS] > _AT_MOST:
                raise IntegrationError(f"more than {_AT_MOST:,} steps up to t = {now:g}; try solver='Radau'", now)
        self.evaluations += int(counts[code.EVALUATIONS])
        self.steps += int(counts[code.STEPS])
        here = states[counts[code.ROW]].copy()
        if status == code.FAILED or not np.isfinite(here).all():
            raise IntegrationError(f"the derivatives are not finite after t = {float(moments[code.NOW]):g}")
        return here

    def _late_piece(
        self, function: RightHandSide, start: float, stop: float, state: np.ndarray, past: _Past,
        times: np.ndarray, saved: np.ndarray, rtol: float, atol: float, solver: str,
    ) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
        """Integrate one piece of a network with delays; return the state at its end, and its slope there."""
        longest = min(float(past.delays.min()), self.arguments.own.system.network.period() / 16.0)
        done = 0
        for first, last in past.within(start, stop):
            late = past.late(function, first, last)
            to = times.size if last == stop else int(np.searchsorted(times, last, side="right"))
            part = times[done:to], saved[done:to]
            keep = past.history.append
            state, steps, calls = late_steps(late, first, last, state, *part, keep, longest, solver, rtol, atol)
            self.steps, self.evaluations, done = self.steps + steps, self.evaluations + calls, to
        return state, late(stop, state)

    def _by_scipy(
        self,
        function: RightHandSide,
        start: float,
        stop: float,
        state: np.ndarray,
        times: np.ndarray,
        saved: np.ndarray,
        rtol: float,
        atol: float,
        solver: str,
    ) -> np.ndarray:
        from scipy.integrate import solve_ivp

        name = "LSODA" if solver == "auto" else solver
        longest = self.arguments.own.system.network.period() / 16.0
        wanted = np.append(times, stop) if not times.size or times[-1] < stop else times
        calls, slow, mark = 0, 0, start

        def counted(t: float, u: np.ndarray) -> np.ndarray:
            nonlocal calls, slow, mark
            calls += 1
            if calls % _PACE == 0:
                slow = slow + 1 if (t - mark) * _MOST_CALLS < (stop - t) * _PACE else 0
                mark = t
                if slow == _SLOW:
                    raise IntegrationError(
                        f"{name}: the derivatives grow without bound, or too many steps are left, after t = {t:g}", t
                    )
            return function(t, u)

        try:
            found = solve_ivp(counted, (start, stop), state, name, wanted, rtol=rtol, atol=atol, max_step=longest)
        except ValueError:  # BDF and Radau, where a matrix has elements that are no numbers
            raise IntegrationError(f"{name}: the derivatives are not finite after t = {start:g}", start) from None
        if found.status < 0 or not np.isfinite(found.y).all():
            why = found.message if found.status < 0 else "the derivatives are not finite"
            raise IntegrationError(f"{name}: {why}", float(found.t[-1]) if len(found.t) else start)
        saved[:] = found.y.T[: times.size]
        self.evaluations += int(found.nfev)
        self.steps += len(found.t)
        return np.array(found.y[:, -1])


class _Past:
    """What a run with delays has behind it."""

    def __init__(self, arguments: Arguments, here: np.ndarray, state: np.ndarray, moving: np.ndarray) -> None:
        place = arguments.place
        self.delays, self._end = here[place.delays], float(here[place.edges][-1])
        self._moving = moving if moving.any() else None
        # du/dt at an earlier time asks for a state that is older still.
        self.history = History(state, float(self.delays.max()) * (1.0 if self._moving is None else 2.0))
        self._slopes = PastSlopes(arguments, here, self.history) if self._moving is not None else None
        self._restarts = restarts(here[place.edges], self.delays)

    def within(self, start: float, stop: float) -> list[tuple[float, float]]:
        """Return between which times a piece is smooth."""
        at = self._restarts[(start <= self._restarts) & (self._restarts <= stop)].tolist()
        return list(itertools.pairwise(at))

    def late(self, function: RightHandSide, start: float, stop: float) -> Late:
        """Return a right-hand side that reads the past as it is between two restarts."""
        return Late(function, self.delays, self.history, inside(start, stop, self._end), self._moving, self._slopes)
