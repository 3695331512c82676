"""When states cross thresholds within a step.

A crossing is looked for in each accepted step: at its end, and, where the slopes at both ends say that a state turns
in between, inside of it. Its moment is found by Brent's method on the dense output of the step, as SciPy's solve_ivp
does it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from brnn.integrate.watches import EPS, NEAR, Watch, Watches

__all__ = ["Crossed", "Dense", "Slopes", "first_crossing"]

_LOOKS = 17  # points of a step at which a state that turns in it is looked at, before its extremum is

Dense = Callable[[Any], np.ndarray]  # the state as a function of time; a column for each if times are many
_Group = tuple[np.ndarray, float, float]  # cells that cross, and between which times


class Crossed(NamedTuple):
    """Some cells of one watch that cross together."""

    watch: Watch
    cells: np.ndarray
    time: float


class Slopes:
    """du/dt at both ends of each step; the end of one is the beginning of the next.

    Parameters
    ----------
    fun : callable
        ``fun(t, u)`` is du/dt.
    time, state
        Where the first step begins.
    """

    def __init__(self, fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray) -> None:
        self._fun = fun
        self._last = fun(time, state)

    def step(self, time: float, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return du/dt at the beginning and at the end of a step that ended at `time`."""
        before, self._last = self._last, self._fun(time, state)
        return before, self._last


def first_crossing(
    watches: Watches,
    start: float,
    before: np.ndarray,
    stop: float,
    after: np.ndarray,
    dense: Callable[[], Dense],
    slopes: tuple[np.ndarray, np.ndarray] | None,
    ahead: float,
) -> list[Crossed]:
    """Return what crosses first in a step, all at one time; an empty list if nothing does.

    Parameters
    ----------
    watches : Watches
        What may cross. Where nothing does, what came back to its near side is armed again.
    start, before, stop, after
        Times and states at both ends.
    dense : callable
        Returns the state as a function of time in the step.
    slopes : pair of ndarray, or None
        du/dt at both ends; None if the step is a straight line.
    ahead : float
        How far the schedules, which say when an event may happen, are ahead of the time.
    """
    far = watches.beyond(after)
    crossing = watches.armed & (far >= 0.0)
    peaks = dips = np.zeros(far.size, dtype=bool)
    if slopes is not None:
        # Rising at the beginning and falling at the end, it may have been beyond; the other way round, back.
        rates = watches.rate(before, slopes[0]), watches.rate(after, slopes[1])
        peaks = watches.armed & (far < 0.0) & (rates[0] > 0.0) & (rates[1] < 0.0)
        dips = ~watches.armed & (far >= 0.0) & (rates[0] < 0.0) & (rates[1] > 0.0)
    turning = peaks | dips
    concerned = crossing | turning
    if not concerned.any():
        watches.arm(stop, far)
        return []
    output = dense()
    hits: list[Crossed] = []
    lost: list[Crossed] = []
    for watch in watches.each:
        span = watch.span
        groups = [(crossing[span].copy(), start, stop)]
        if turning[span].any():
            groups += _turning(watch, peaks[span], dips[span], output, start, stop)
        for group in groups:
            for found in _crossed(watch, group, output, stop):
                allowed = watch.may(found.cells, found.time, found.time + ahead)
                if allowed.size:
                    hits.append(found._replace(cells=allowed))
                    break
                lost.append(found)  # they cross when they may not
    first = min((hit.time for hit in hits), default=np.inf)
    for found in lost:
        if found.time <= first:
            found.watch.armed[found.cells] = False
    if not hits:
        watches.arm(stop, far)
    return [hit for hit in hits if hit.time <= first + NEAR * first]


def _crossed(watch: Watch, group: _Group, output: Dense, stop: float) -> Iterator[Crossed]:
    """Give the cells of a group in the order in which they cross, those together that cross together."""
    candidates, begin, end = group
    while candidates.any():
        time = _moment(watch, candidates, output, begin, end)
        here = watch.beyond(output(min(time + NEAR * time, stop)))
        cells = np.flatnonzero(candidates & (here >= 0.0))
        if not cells.size:
            cells = np.flatnonzero(candidates)[[int(np.argmax(here[candidates]))]]
        yield Crossed(watch, cells, time)
        candidates[cells] = False


def _turning(
    watch: Watch, peaks: np.ndarray, dips: np.ndarray, output: Dense, start: float, stop: float
) -> list[_Group]:
    """Return which of the cells that turn in a step cross within it, and between which times."""
    moments = np.linspace(start, stop, _LOOKS)
    values, times = watch.beyond_at(output(moments)), moments.tolist()
    groups: list[_Group] = []
    inside = values[1:-1]
    crossed = (peaks & (inside >= 0.0) | dips & (inside < 0.0)).any(axis=1)
    for k in (np.flatnonzero(crossed) + 1).tolist():
        above = peaks & (values[k] >= 0.0)
        below = dips & (values[k] < 0.0)
        if above.any():
            groups.append((above, times[k - 1], times[k]))
        if below.any():
            groups.append((below, times[k], stop))
        peaks, dips = peaks & ~above, dips & ~below
    for sign, cells in ((1.0, peaks), (-1.0, dips)):
        for cell in np.flatnonzero(cells).tolist():
            at = _turn(watch, cell, sign, sign * values[:, cell], times, output)
            if at is not None:
                only = np.arange(peaks.size) == cell
                groups.append((only, start, at) if sign > 0.0 else (only, at, stop))
    return groups


def _turn(watch: Watch, cell: int, sign: float, values: np.ndarray, times: list[float], output: Dense) -> float | None:
    """Return when a cell that turns between the moments `times` is on the other side of its threshold, if it is.

    Parameters
    ----------
    sign : float
        1 for a peak, -1 for a dip, which is the peak of minus the distance.
    values : ndarray
        `sign` times the distance at these moments, below 0 (at 0 or below for a dip).
    """
    from scipy.optimize import minimize_scalar

    k = min(max(int(np.argmax(values)), 1), len(times) - 2)
    # No smooth peak stands higher above its best moment than the lower of the neighbours stands below it.
    if 2.0 * values[k] - min(values[k - 1], values[k + 1]) < 0.0:
        return None
    found = minimize_scalar(
        lambda time: -sign * float(watch.beyond(output(time))[cell]),
        bounds=(times[k - 1], times[k + 1]),
        method="bounded",
        options={"xatol": 1e-9 * (times[-1] - times[0])},
    )
    return float(found.x) if (found.fun <= 0.0 if sign > 0.0 else found.fun < 0.0) else None


def _moment(watch: Watch, candidates: np.ndarray, output: Dense, start: float, stop: float) -> float:
    """Return when the first of the candidates crosses; one of them is beyond at `stop`."""
    from scipy.optimize import brentq

    def largest(time: float) -> float:
        return float(watch.beyond(output(time))[candidates].max())

    if largest(start) >= 0.0:  # to within rounding of the dense output
        return start
    if largest(stop) < 0.0:
        return stop
    return float(brentq(largest, start, stop, xtol=4.0 * EPS * max(stop, 1e-300), rtol=4.0 * EPS))
