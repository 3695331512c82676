"""On which side of their jumps the signals of a run are, and when a cell comes to the other side.

Where a signal jumps, so does du/dt, and the error estimate of a method sees little of a jump within a step: that of
Dormand and Prince may see 1/811 of it. So a step is made with every signal kept on its side (`brnn.compiler.sides`);
then it is looked up when the first cell reached a jump, the run goes on from that moment, and the signal changes sides
there.

Where du/dt leads to a jump from both sides, a cell cannot leave it: it slides. Its signal is let loose then, so that it
jumps within steps, which become as short as the tolerance asks for; away from the jump it is kept on its side again.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brnn.compiler.jumps import AWAY, CLOSER, TREMBLE
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import System
from brnn.integrate.crossings import Dense
from brnn.integrate.watches import EPS, NEAR

__all__ = ["AT_MOST", "Sides", "look_up"]

AT_MOST = 2_000  # cells times jumps that are looked up; each ends a step
_LOOKS = 17  # points of a step at which a cell that turns in it is looked at


def look_up(system: System) -> tuple[bool, str]:
    """Tell whether the jumps of the signals of a network are looked up, and what to say of it; "" if none jumps."""
    if not system.jumps:
        return False, ""
    sizes = {variable.name: variable.size for variable in system.variables}
    count = sum(sizes[f"{side.layer}.x"] * len(side.jumps) for side in system.jumps)
    if count > AT_MOST:
        return False, f"; steps go over the jumps of {count} signals, which may cost accuracy: use a smaller rtol"
    return True, "; steps end where signals jump"


class Sides:
    """The sides of all signals of a run that jump.

    Parameters
    ----------
    system : System
        What is run.
    rtol, atol : float
        Its tolerances.

    Attributes
    ----------
    sided : System
        The system in which no signal jumps, whose right-hand sides `begin` takes.
    slides : str
        Which cell slid along its jump first, and when; "" as long as none did.
    """

    def __init__(self, system: System, rtol: float, atol: float) -> None:
        self.system, self.slides = system, ""
        self.sided, self._sides = system.on_sides
        self._rtol, self._atol = rtol, atol
        first = {variable.name: (variable.start, variable.size) for variable in system.variables}
        self._places = [first[f"{side.layer}.x"] for side in self._sides]
        states = [
            np.tile(np.arange(start, start + size), len(side.jumps))
            for side, (start, size) in zip(self._sides, self._places, strict=True)
        ]
        jumps = [
            np.repeat(np.array(side.jumps), size) for side, (_, size) in zip(self._sides, self._places, strict=True)
        ]
        self._spans = np.cumsum([0, *(part.size for part in states)])
        self._states, self._jumps = np.concatenate(states), np.concatenate(jumps)
        self._late = np.concatenate(
            [np.full(s.size, side.lag > 0.0) for s, side in zip(states, self._sides, strict=True)]
        )
        names = list(self.sided.program.arrays)
        self._arrays = [(names.index(side.low), names.index(side.high)) if side.low else None for side in self._sides]
        count = self._states.size
        self._above, self._loose = np.zeros(count, dtype=bool), np.zeros(count, dtype=bool)
        self._rounding = 16.0 * EPS * np.abs(self._jumps)
        self._last = np.full(count, -np.inf)
        self._waiting = np.zeros(count, dtype=bool)  # what changes sides at the time that `search` returned
        self._fun: RightHandSide | None = None
        firsts = np.cumsum([0, *(size for _, size in self._places)]).tolist()
        self._slots = np.concatenate([
            np.tile(np.arange(first, first + size), len(side.jumps))
            for first, side, (_, size) in zip(firsts, self._sides, self._places, strict=False)
        ])  # fmt: skip
        self._kept = np.array([-1.0, 0.0, 0.0])  # between calls of compiled steps

    @property
    def waiting(self) -> bool:
        """Whether `search` found a moment at which `change` has to be called."""
        return bool(self._waiting.any())

    @property
    def sliding(self) -> bool:
        """Whether any signal is loose."""
        return bool(self._loose.any())

    def forget(self) -> None:
        """Do not let change what `search` found: an event comes first."""
        self._waiting[:] = False

    def begin(self, fun: RightHandSide, time: float, state: np.ndarray) -> int:
        """Find the sides at the beginning of a piece; return how often du/dt was evaluated."""
        self._fun = fun
        away = self._away(state)
        self._loose &= np.abs(away) <= AWAY * self._tolerance(state)
        changed = (self._last == time) & (np.abs(away) <= self._rounding)
        self._above[:] = np.where(changed, self._above, away >= 0.0)
        evaluations = self._leave(fun, time, state) if self.sliding else 0
        self._write()
        slope = fun(time, state)[self._states]
        near = np.abs(away) <= self._rounding + NEAR * time * np.abs(slope)
        back = near & ~self._late & ~self._loose & np.where(self._above, slope < 0.0, slope > 0.0)
        if not back.any():
            return evaluations + 1
        self._above ^= back
        self._settle(fun, time, state, back)
        return evaluations + 2

    def _leave(self, fun: RightHandSide, time: float, state: np.ndarray) -> int:
        """Keep those on their sides again whom du/dt leads the same way from both; return how often it was evaluated.

        A step that crosses a jump, with one slope before it, may be wrong by 70 times the error that it estimates.
        """
        loose, above = self._loose.copy(), self._above.copy()
        self._loose[:] = False
        slopes = []
        for side in (False, True):
            self._above[loose] = side
            self._write()
            slopes.append(fun(time, state)[self._states])
        self._above[:], self._loose[:] = above, loose & ~(slopes[0] * slopes[1] > 0.0)
        return len(slopes)

    def change(self, time: float, state: np.ndarray) -> int:
        """Let the signals change sides that `search` found; return how often du/dt was evaluated."""
        assert self._fun is not None
        waiting, self._waiting = self._waiting, np.zeros_like(self._waiting)
        self._above ^= waiting
        self._loosen(waiting & (time == self._last), time)
        trembling = waiting & ~self._late & (-np.inf < self._last) & (self._last < time)
        if trembling.any():
            slope = np.abs(self._fun(time, state)[self._states])
            trembling &= slope * (time - self._last) <= TREMBLE * self._tolerance(state)
            self._loosen(trembling, time)
        self._last[waiting] = time
        self._settle(self._fun, time, state, waiting & ~self._late)
        return 2

    def search(
        self,
        start: float,
        before: np.ndarray,
        stop: float,
        after: np.ndarray,
        dense: Callable[[], Dense],
        slopes: tuple[np.ndarray, np.ndarray] | None,
    ) -> float | None:
        """Return when the first signal of a step jumps, at which `change` is due; None if none does.

        Arguments are those of `brnn.integrate.events.Reactor.search`; without slopes each step is looked at closely.
        """
        sign = np.where(self._above, -1.0, 1.0)
        fixed = ~self._loose
        beyond = sign * self._away(after)
        crossing = fixed & ((beyond > 0.0) | ((beyond == 0.0) & ~self._above))
        turning = fixed & ~crossing
        if slopes is not None:
            turning &= (sign * slopes[0][self._states] > 0.0) & (sign * slopes[1][self._states] < 0.0)
        if not crossing.any() and not turning.any():
            return None
        output = dense()
        ends = np.where(crossing, stop, -np.inf)
        if turning.any():
            ends[turning] = self._peaks(np.flatnonzero(turning), sign, output, start, stop)
        found = np.flatnonzero(ends > -np.inf)
        if not found.size:
            return None
        # Bisection of all of them at once: the first one is where any of them is beyond.
        low, high = start, float(ends[found].min())
        found = found[self._beyond_at(found, sign, output(high)) | (ends[found] == high)]
        while True:
            middle = low + 0.5 * (high - low)
            if not low < middle < high or high - low <= NEAR * high:
                break
            there = self._beyond_at(found, sign, output(middle))
            if there.any():
                high = middle
            else:
                low = middle
        here = self._beyond_at(found, sign, output(min(high + NEAR * high, stop)))
        if not here.any():
            here = self._beyond_at(found, sign, output(high)) | (high == stop)
        found = found[here]
        still = found[self._still(found, start, before, high, slopes)]
        self._waiting[still if still.size else found] = True
        return start if still.size else high

    def table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what compiled steps watch, as `brnn.integrate.watches.Watches.table` does."""
        kept = ~self._loose
        states = self._states[kept]
        signs = np.where(self._above[kept], -1.0, 1.0)
        spans = np.stack([states, states + 1, np.zeros_like(states)], axis=1)
        return spans, np.stack([signs, self._jumps[kept]], axis=1), np.ones(states.size, dtype=np.uint8)

    def of_steps(self) -> tuple[np.ndarray, ...]:
        """Return what compiled steps that end where signals jump read and write: nothing may be read late."""
        assert self._fun is not None
        places = []
        for (_, size), arrays in zip(self._places, self._arrays, strict=True):
            assert arrays is not None
            both = [self._fun.arguments[2 + array].ctypes.data for array in arrays]
            places.append(np.add.outer(8 * np.arange(size), both))
        flags = self._above.view(np.uint8), self._loose.view(np.uint8)
        return self._states, self._jumps, *flags, self._last, self._slots, np.concatenate(places), self._kept

    def see_slides(self) -> None:
        """Take over which cell slid first in compiled steps."""
        if self._kept[0] >= 0.0:
            self._say_slide(int(self._kept[0]), float(self._kept[1]))

    def lags_at(self) -> list[float]:
        """Return how much later what `search` found jumps again, where it is read late."""
        lags = np.concatenate([np.full(n, side.lag) for n, side in zip(np.diff(self._spans), self._sides, strict=True)])
        return sorted(set(lags[self._waiting & self._late].tolist()))

    def _away(self, state: np.ndarray) -> np.ndarray:
        """Return how far each is above its jump."""
        return np.asarray(state[self._states] - self._jumps)

    def _tolerance(self, state: np.ndarray) -> np.ndarray:
        return np.asarray(self._atol + self._rtol * np.abs(state[self._states]))

    def _beyond_at(self, which: np.ndarray, sign: np.ndarray, state: np.ndarray) -> np.ndarray:
        away = sign[which] * (state[self._states[which]] - self._jumps[which])
        return np.asarray((away > 0.0) | ((away == 0.0) & ~self._above[which]))

    def _still(
        self,
        which: np.ndarray,
        start: float,
        before: np.ndarray,
        jump: float,
        slopes: tuple[np.ndarray, np.ndarray] | None,
    ) -> np.ndarray:
        """Tell which stand at their jumps when a step begins, and have not moved by more than rounding up to `jump`.

        They leave with du/dt = 0 to the side on which they are not: no step would be short enough to end there.
        """
        near = np.abs(self._away(before)[which]) <= self._rounding[which]
        if near.any():
            assert self._fun is not None
            slope = (self._fun(start, before) if slopes is None else slopes[0])[self._states[which]]
            near &= np.abs(slope) * (jump - start) <= self._rounding[which]
        return np.asarray(near)

    def _peaks(self, which: np.ndarray, sign: np.ndarray, output: Dense, start: float, stop: float) -> np.ndarray:
        """Return moments at which cells that turn within a step are beyond their jumps; -inf for those that are not."""
        found = np.full(which.size, -np.inf)
        moments = np.linspace(start, stop, _LOOKS)
        values = sign[which, None] * (output(moments)[self._states[which]] - self._jumps[which, None])
        rows, best = np.arange(which.size), values.argmax(axis=1)
        inner = np.clip(best, 1, _LOOKS - 2)
        # No smooth peak stands higher above its best moment than the lower of the neighbours stands below it.
        rise = values[rows, inner] - np.minimum(values[rows, inner - 1], values[rows, inner + 1])
        for j in np.flatnonzero(values[rows, best] + np.maximum(rise, 0.0) >= 0.0).tolist():
            times, heights = moments, values[j]
            for _ in range(CLOSER):
                beyond = heights[1:] > 0.0  # where it begins rounding may put it on either side
                if beyond.any():
                    found[j] = times[1 + int(np.flatnonzero(beyond)[0])]
                    break
                k = min(max(int(np.argmax(heights)), 1), _LOOKS - 2)
                times = np.linspace(times[k - 1], times[k + 1], _LOOKS)
                heights = sign[which[j]] * (output(times)[self._states[which[j]]] - self._jumps[which[j]])
        return found

    def _settle(self, fun: RightHandSide, time: float, state: np.ndarray, changed: np.ndarray) -> None:
        """Let those loose that du/dt leads back at once."""
        self._write()
        slope = fun(time, state)[self._states]
        back = changed & ~self._loose & np.where(self._above, slope < 0.0, slope > 0.0)
        if back.any():
            self._loosen(back, time)
            self._write()

    def _loosen(self, which: np.ndarray, time: float) -> None:
        self._loose |= which
        if which.any():
            self._say_slide(int(np.flatnonzero(which)[0]), time)

    def _say_slide(self, k: int, time: float) -> None:
        if not self.slides:
            side = int(np.searchsorted(self._spans, k, side="right")) - 1
            cell = int(self._states[k]) - self._places[side][0]
            self.slides = f"{self._sides[side].layer}.x[{cell}] slides along its jump from t = {time:.6g}"

    def keep_again(self, state: np.ndarray) -> None:
        """Keep loose signals on their sides whose cells have gone away from their jumps."""
        away = self._away(state)
        left = self._loose & (np.abs(away) > AWAY * self._tolerance(state))
        if left.any():
            self._loose &= ~left
            self._above[left] = away[left] >= 0.0
            self._write()

    def _write(self) -> None:
        """Set the arrays of the right-hand side between whose numbers signals are read."""
        assert self._fun is not None
        for k, (side, places) in enumerate(zip(self._sides, self._arrays, strict=True)):
            if places is None:
                continue
            span = slice(self._spans[k], self._spans[k + 1])
            shape = len(side.jumps), -1
            jumps, above = self._jumps[span].reshape(shape), self._above[span].reshape(shape)
            kept = ~self._loose[span].reshape(shape)
            low, high = (self._fun.arguments[2 + place] for place in places)
            low[:] = np.where(above & kept, jumps, -np.inf).max(axis=0)
            high[:] = np.where(~above & kept, np.nextafter(jumps, -np.inf), np.inf).min(axis=0)
