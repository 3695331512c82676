"""The adjoint of a run with delays: what a loss says of a state acts on what it became a delay later.

With du/dt = f(u(t), u(t - tau)) and the derivative q(t) of a loss by the state, -dq/dt is q f_u at t and q f_late at
t + tau, which is known when one comes to t from the end. It is integrated as the run is, under the same tolerances,
from restart to restart: where q jumps, at saved times, and where delays carry that back.
"""

from __future__ import annotations

import itertools

import numpy as np

from brnn.compiler.backward import BackwardText
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.errors import InputError
from brnn.integrate.delays import History, inside
from brnn.sensitivities.arguments import Arguments
from brnn.sensitivities.past import Late, PastSlopes, late_steps, restarts
from brnn.spec.breaks import NEAR

__all__ = ["LateAdjoint"]

_ROOM = 2**25  # numbers of the past that is kept, 256 MB
_STAGES = 8  # numbers of each unknown by which DOP853 keeps a step


class LateAdjoint:
    """A run with delays, all of which is kept, and what is read backward.

    Parameters
    ----------
    arguments : Arguments
        The network and its parameters.
    pairs : list of tuple of RightHandSide
        For each piece the right-hand side, and what is read backward.
    text : BackwardText
        By which arguments that is; the delayed activities are among them.
    here : ndarray
        All arguments.
    moving : bool
        Whether a delay depends on a parameter.
    rtol, atol : float
        Tolerances.
    """

    def __init__(
        self, arguments: Arguments, pairs: list[tuple[RightHandSide, RightHandSide]], text: BackwardText,
        here: np.ndarray, moving: bool, rtol: float, atol: float,
    ) -> None:  # fmt: skip
        place = arguments.place
        self._arguments, self._pairs, self._here = arguments, pairs, here
        self._edges, self._delays = here[place.edges], here[place.delays]
        self._size, self._rtol, self._atol = arguments.own.size, rtol, atol
        self._end = float(self._edges[-1])
        self._longest = min(float(self._delays.min()), arguments.own.system.network.period() / 16.0)
        self._history = History(here[place.state], np.inf)
        self._slopes = PastSlopes(arguments, here, self._history) if moving else None
        self._lefts: list[np.ndarray] = []
        self._entered: list[np.ndarray] = []
        self._backward = [Late(backward, self._delays, self._history) for _, backward in pairs]
        self._parts = arguments.own.parts(text, pairs[0][0])
        self._width = pairs[0][1].size - 2 * self._size
        self._numbers = text.numbers
        lags = zip(arguments.own.late, pairs[0][0].lags, strict=True)
        self._lags = [(variable, self._parts[name]) for name, (_, variable, _) in lags]
        self.steps = 0

    def there(self, times: np.ndarray, saved: np.ndarray) -> None:
        """Integrate, and keep all steps; write the states at `times` into `saved`."""
        place, size, done = self._arguments.place, self._size, 0
        state = self._here[place.state].copy()
        points = restarts(self._edges, self._delays)
        for k, (function, _) in enumerate(self._pairs):
            start, stop = float(self._edges[k]), float(self._edges[k + 1])
            self._lefts.append(state)
            change = place.changes[k]
            if change is not None:
                factor, added = self._here[change].reshape(2, size)
                state = factor * state + added
            self._entered.append(state)
            if done < times.size and times[done] == start:
                saved[done], done = state, done + 1
            until = place.rows_until(k, stop, times)
            for first, last in itertools.pairwise(points[(start <= points) & (points <= stop)].tolist()):
                to = until if last == stop else int(np.searchsorted(times, last, side="right"))
                late = Late(function, self._delays, self._history, inside(first, last, self._end))
                part = times[done:to], saved[done:to]
                state, steps, _ = late_steps(
                    late, first, last, state, *part, self._history.append, self._longest, "auto", self._rtol, self._atol
                )
                self.steps, done = self.steps + steps, to
                if self.steps * _STAGES * size > _ROOM:
                    raise InputError(
                        f"{self._arguments.own.system.network.name}: more than {self.steps:,} steps of {size:,} "
                        "unknowns are too many to be kept; mode='forward' keeps those of the longest delay alone"
                    )

    def back(self, times: np.ndarray, weights: np.ndarray, bar: np.ndarray) -> np.ndarray:
        """Write derivatives by arguments into `bar`, and return that by the first state."""
        place, size = self._arguments.place, self._size
        heavy = np.flatnonzero(weights.any(axis=1))
        rows = dict(zip(times[heavy].tolist(), heavy.tolist(), strict=True))
        edges = {time: j for j, time in enumerate(self._edges.tolist())}
        points = self._points(times[heavy])
        tolerance = self._atol * (np.abs(weights).max(initial=0.0) or 1.0)
        ahead = History(np.zeros(size), np.inf)
        w = np.zeros(size + self._width + self._delays.size)
        first_state = np.zeros(size)
        for hi, lo in itertools.pairwise([*points, -1.0]):
            j, row = edges.get(hi), rows.get(hi)
            inner = j is not None and 0 < j < len(self._pairs)
            # A saved time is before an input jumps, and after an event.
            early = not inner or place.changes[j or 0] is not None
            if row is not None and early:
                w[:size] += weights[row]
            if j is not None and j < len(self._pairs):
                self._jump(j, w[:size], bar)
            if row is not None and not early:
                w[:size] += weights[row]
            if lo < 0.0:
                break
            k = int(np.searchsorted(self._edges, hi)) - 1
            w = self._stretch(k, hi, lo, w, ahead, tolerance)
            self._collect(k, w[size:], bar, first_state)
        return np.asarray(w[:size] + first_state)

    def _points(self, times: np.ndarray) -> list[float]:
        """Return where the way back is begun anew, from the end on."""
        end = self._end
        marks = np.unique(np.concatenate([self._edges, times]))
        onward = end - restarts(self._edges, self._delays, times)
        back = end - restarts(np.array([0.0, end]), self._delays, np.clip(onward, 0.0, end))
        near = np.clip(np.searchsorted(marks, back), 1, marks.size - 1)
        apart = np.minimum(np.abs(back - marks[near - 1]), np.abs(marks[near] - back))
        return np.sort(np.concatenate([marks, back[apart > 8.0 * NEAR * end]]))[::-1].tolist()

    def _jump(self, j: int, adjoint: np.ndarray, bar: np.ndarray) -> None:
        """Take `adjoint` back through what happens at the beginning of a piece."""
        place, here, t = self._arguments.place, self._here, float(self._edges[j])
        arriving, change, left = adjoint.copy(), place.changes[j], self._lefts[j]
        factor = np.ones(self._size)
        if change is not None:
            factor = here[change][: self._size]
            bar[change] = np.concatenate([arriving * left, arriving])
            adjoint *= factor
        if j > 0:
            away = 2.0 * NEAR * self._end
            before, after = (
                Late(self._pairs[k][0], self._delays, self._history, between)
                for k, between in ((j - 1, (-np.inf, t - away)), (j, (t + away, np.inf)))
            )
            bar[place.edges.start + j] = arriving @ (factor * before(t, left) - after(t, self._entered[j]))

    def _read(self, k: int, t: float, adjoint: np.ndarray) -> np.ndarray:
        """Return what the slopes at a time say of the state and of all arguments."""
        backward = self._backward[k]
        backward.look_back(t)
        out = room_apart(backward.function.size)
        backward.now.into(t, np.concatenate([self._history(t), adjoint]), out)
        return out[self._size :]

    def _stretch(self, k: int, hi: float, lo: float, w: np.ndarray, ahead: History, tolerance: float) -> np.ndarray:
        """Go back from `hi` to `lo`; `ahead` has the adjoint of later times, by the time from the end."""
        size, end, last = self._size, self._end, len(self._pairs) - 1
        first, stop = inside(lo, hi, end)

        def rates(s: float, w: np.ndarray) -> np.ndarray:
            t = min(max(end - s, first), stop)
            found = self._read(k, t, w[:size])
            result = np.concatenate([found, np.zeros(self._delays.size)])
            for number, (variable, part) in enumerate(self._lags):
                delay = float(self._delays[number])
                arrived = found[size:][part]
                if self._slopes is not None:
                    slope = self._slopes(t - delay)[variable.start : variable.stop]
                    result[size + self._width + number] = -(arrived @ slope)
                if t >= delay:  # what was before the beginning is the first state
                    result[size:][part] = 0.0
            for delay in np.unique(self._delays).tolist():
                later = t + delay
                if later < end:
                    at = min(int(np.searchsorted(self._edges, later, side="right")) - 1, last)
                    found = self._read(at, later, ahead(end - later)[:size])
                    for number, (variable, part) in enumerate(self._lags):
                        if self._delays[number] == delay:
                            result[variable.start : variable.stop] += found[size:][part]
            return result

        none = np.empty(0)
        w, steps, _ = late_steps(
            rates, end - hi, end - lo, w, none, none, ahead.append, self._longest, "auto", self._rtol, tolerance
        )
        self.steps += steps
        return w

    def _collect(self, k: int, totals: np.ndarray, bar: np.ndarray, first_state: np.ndarray) -> None:
        """Add what was integrated along a stretch where it belongs, and begin anew."""
        place = self._arguments.place
        count = len(self._numbers)
        bar[place.numbers[k].start + np.array(self._numbers, dtype=np.intp)] += totals[:count]
        for name, part in self._parts.items():
            if name in place.arrays[k]:
                bar[place.arrays[k][name]] += totals[part]
        for variable, part in self._lags:
            first_state[variable.start : variable.stop] += totals[part]
        bar[place.delays] += totals[self._width :]
        totals[:] = 0.0
