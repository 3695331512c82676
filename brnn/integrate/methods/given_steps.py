"""Go through time in steps of given lengths, without error control; saved times and break points end one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.integrate.driver import Driver

__all__ = ["GivenSteps"]

_MOST_STEPS = 1e11


class GivenSteps(Driver, ABC):
    """A run in steps none of which is longer than `step`, which a subclass sets before it begins."""

    step: float

    @property
    def options(self) -> dict[str, Any]:
        """The step."""
        return {"step": self.step}

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run."""
        length = self.task.duration - self.task.begin
        if length / self.step > _MOST_STEPS:
            raise InputError(f"step = {self.step:g}: the run would take {length / self.step:.2g} steps")
        self.timetable = self.task.timetable()
        return self.begin_events(state, self.timetable)

    def advance(self, state: np.ndarray) -> tuple[str, str]:
        """Go from one saved time or break point to the next."""
        time, times = self.task.begin, self.task.times
        u = self._room(state)
        while not self.timetable.over:
            stop = self.timetable.stop
            self._enter(time, stop, u)
            inside = times[(times > time) & (times < stop)].tolist()
            for before, after in zip([time, *inside], [*inside, stop], strict=True):
                self._go(before, after, u)
                if not np.isfinite(u).all():
                    rhs = self.task.system.rhs(0.5 * (before + after), clock=self.timetable.clock)
                    slope = rhs(before, np.nan_to_num(u))
                    raise self.failure(after, u, slope, 1.0, f"the step, {self.step:g}, is too long (step=, --step)")
                if after < stop:
                    self.save_reached(float(after), u)
            time = stop
            self.timetable.reach(time)
            self.save_reached(time, u)
        return "complete", f"reached t = {time:g} in steps of {self.step:g}"

    @abstractmethod
    def _room(self, state: np.ndarray) -> np.ndarray:
        """Return a copy of the state of the beginning, which moves with the steps, and make what they need."""

    @abstractmethod
    def _enter(self, time: float, stop: float, u: np.ndarray) -> None:
        """Get ready for a piece of the run between two break points."""

    @abstractmethod
    def _go(self, before: float, after: float, u: np.ndarray) -> None:
        """Make the steps between two times."""
