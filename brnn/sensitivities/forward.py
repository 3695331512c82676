"""Sensitivities forward in time: the tangents of all parameters are unknowns beside the state.

They are integrated together with it, under the same tolerances, so that their errors are controlled as well. Where an
input jumps, at a time that depends on a parameter, the tangent jumps by the difference of the slopes.
"""

from __future__ import annotations

import itertools

import numpy as np
from scipy.sparse import csr_array

from brnn.compiler.system import RightHandSide, room_apart
from brnn.errors import IntegrationError
from brnn.integrate.steppers.dormand_prince import UNWATCHED, compiled_steps
from brnn.sensitivities.arguments import Arguments

__all__ = ["SOLVERS", "ForwardRun"]

SOLVERS = ("auto", "RK45", "DOP853", "Radau", "BDF", "LSODA")
_NONE = np.empty(0)
_LOOK = 2_000  # steps between looks at whether a run is stiff
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
        place, count = self.arguments.place, slopes.shape[1]
        self._take(slopes, scale)
        size = self.arguments.own.size
        state = np.concatenate([here[place.state], self._initial])
        edges, moving = here[place.edges], self._moving
        saved = np.empty((times.size, state.size))
        done = 0
        if times[0] == 0.0:
            saved[0], done = state, 1
        self.evaluations = self.steps = 0
        before: np.ndarray | None = None
        for k, (function, _) in enumerate(self._pieces):
            start, stop = float(edges[k]), float(edges[k + 1])
            self.arguments.fill(k, function, here)
            if before is not None:
                jump = before - function(start, state)[:size]
                if moving[k].any():
                    state[size:] += np.outer(jump, moving[k]).ravel()
            last = times.size if k == len(self._pieces) - 1 else int(np.searchsorted(times, stop, side="right"))
            state = self._piece(function, start, stop, state, times[done:last], saved[done:last], rtol, atol, solver)
            done = last
            before = function(stop, state)[:size] if k + 1 < len(self._pieces) else None
        states = saved[:, :size]
        with np.errstate(divide="ignore", invalid="ignore"):
            return states, saved[:, size:].reshape(times.size, size, count) / scale

    def _take(self, slopes: csr_array, scale: np.ndarray) -> None:
        """Set the tangents of all arguments, if they are not those of the last run."""
        if self._filled is not None and self._filled[0] is slopes and self._filled[1] is scale:
            return
        place, scaled = self.arguments.place, slopes.multiply(scale).tocsr()
        self._prepare(scaled, slopes.shape[1])
        self._initial, self._moving = scaled[place.state].toarray().ravel(), scaled[place.edges].toarray()
        for k, (_, seeds) in enumerate(self._pieces):
            for name, tangents in seeds.items():
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
        moments, counts = np.array([start, 0.0, start, 0.0, 0.0]), np.zeros(5, dtype=np.int64)
        states, K = room_apart(2 * size).reshape(2, size), room_apart(7 * size).reshape(7, size)
        states[0], stage, done, status = state, room_apart(size), 0, code.RUNNING
        while status == code.RUNNING:
            status, rows = code.advance(
                function.address, function.table, 0.0, moments, counts, states, K, stage, stop, longest, rtol, atol,
                times[done:], saved[done:], _NONE, _NONE, _LOOK, False, *UNWATCHED,
            )  # fmt: skip
            done += rows
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
        found = solve_ivp(function, (start, stop), state, name, wanted, rtol=rtol, atol=atol, max_step=longest)
        if found.status < 0:
            raise IntegrationError(f"{name}: {found.message}", float(found.t[-1]) if found.t.size else start)
        saved[:] = found.y.T[: times.size]
        self.evaluations += int(found.nfev)
        self.steps += len(found.t)
        return np.array(found.y[:, -1])
