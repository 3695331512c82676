"""Inputs that depend on where an animal is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, one_of
from brnn.errors import SpecError
from brnn.spec.schedules.base import Schedule, Segment, inside
from brnn.spec.trajectory import Trajectory
from brnn.spec.tunings import Tuning

__all__ = ["AlongTrajectory"]


@dataclass(frozen=True, eq=False, repr=False)
class AlongTrajectory(Schedule):
    """A factor for each cell that depends on where an animal is: F_i(x(t), y(t)).

    It is evaluated in the compiled right-hand side, from the samples of the trajectory: nothing is kept for each step.
    The path may be run several times, each time turned about the origin.

    Parameters
    ----------
    trajectory : Trajectory
        Where the animal is; its first sample is the beginning of each trial.
    tuning : Tuning
        F, e.g. ``StripeTuning(...)``.
    turns : array, shape (trials,)
        By how much the path is turned in each trial, in radians; one trial as it is by default. What a turn takes out
        of the trajectory's arena stays at the wall. After the last trial the animal stays where it is.

    Notes
    -----
    Between samples the path is straight, and F continuous, so that nothing jumps but at the beginning of a trial, where
    the integration is restarted. No step is longer than an eighth of the time in which the animal, at its highest
    speed, could cross the finest structure of F; kinks in between are the business of the error control.
    """

    trajectory: Trajectory
    tuning: Tuning
    turns: np.ndarray = 0.0  # type: ignore[assignment]

    varying: ClassVar[bool] = True
    per_cell: ClassVar[bool] = True

    def __post_init__(self) -> None:
        at = "AlongTrajectory"
        one_of(
            self.trajectory, f"{at}: trajectory", Trajectory, "a Trajectory, e.g. Trajectory.random_walk(600, seed=1)"
        )
        one_of(self.tuning, f"{at}: tuning", Tuning, "a tuning, e.g. StripeTuning(...)")
        turns = np.atleast_1d(np.asarray(array(self.turns, f"{at}: turns")))
        if turns.ndim != 1 or not turns.size:
            raise SpecError(f"{at}: turns: has shape {turns.shape}, must have one angle for each trial")
        self._set(turns=array(turns, f"{at}: turns"))

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require a tuning for the whole layer or for each cell."""
        if not layer:
            raise SpecError(f"{where}: AlongTrajectory: can be the schedule of a stimulus only")
        super().check(pattern, layer, where)
        self.tuning.check(layer, where)

    @property
    def begins(self) -> np.ndarray:
        """When each trial begins."""
        return self.trajectory.duration * np.arange(self.turns.size)

    def breaks(self, duration: float) -> np.ndarray:
        """Return the beginning of each trial."""
        return inside(self.begins[1:], duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return what a trial is: the time at which the first sample was, and its turn."""
        trial = self.trial(time)
        angle = float(self.turns[trial])
        origin = float(self.begins[trial]) - float(self.trajectory.t[0])
        return Segment(0.0, (origin, math.cos(angle), math.sin(angle)), pattern)

    def trial(self, time: float) -> int:
        """Return the number of the trial at a time, counted from 0."""
        return int(np.clip(np.searchsorted(self.begins, time, side="right") - 1, 0, self.turns.size - 1))

    def at(self, times: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
        """Return where the animal is at some times of the run, x and y."""
        when = np.atleast_1d(np.asarray(times, dtype=np.float64))
        trial = np.clip(np.searchsorted(self.begins, when, side="right") - 1, 0, self.turns.size - 1)
        x, y = self.trajectory.at(when - self.begins[trial] + self.trajectory.t[0])
        c, s = np.cos(self.turns[trial]), np.sin(self.turns[trial])
        low_x, high_x, low_y, high_y = self.walls
        places = np.clip(c * x - s * y, low_x, high_x), np.clip(s * x + c * y, low_y, high_y)
        return (places[0], places[1]) if np.ndim(times) else (places[0][0], places[1][0])

    @property
    def walls(self) -> tuple[float, ...]:
        """The arena; infinite without one."""
        arena = self.trajectory.arena
        return (-math.inf, math.inf, -math.inf, math.inf) if arena is None else tuple(arena.tolist())

    def factor(self, time: float, segment: Segment) -> Any:
        """Return the factor of every cell."""
        return self.tuning.at(*self.at(time))

    def last(self) -> float:
        """Return the end of the last trial."""
        return self.trajectory.duration * self.turns.size

    def period(self) -> float:
        """Return the shortest time in which the animal crosses the finest structure of the tuning."""
        fastest = float(self.trajectory.speeds.max())
        return self.tuning.length / fastest if fastest > 0.0 else math.inf


def place_on(  # type: ignore[no-untyped-def]
    t, origin, c, s, low_x, high_x, low_y, high_y, times, xs, ys, place
):
    """Write the place at time t; a function of arrays, for compiled code."""
    now = t - origin
    last = times.size - 1
    k = int((now - times[0]) / (times[last] - times[0]) * last)
    k = min(max(k, 0), last - 1)
    while k > 0 and times[k] > now:
        k -= 1
    while k < last - 1 and times[k + 1] <= now:
        k += 1
    w = min(max((now - times[k]) / (times[k + 1] - times[k]), 0.0), 1.0)
    x = xs[k] + w * (xs[k + 1] - xs[k])
    y = ys[k] + w * (ys[k + 1] - ys[k])
    place[0] = min(max(c * x - s * y, low_x), high_x)
    place[1] = min(max(s * x + c * y, low_y), high_y)
