"""Schedules: how the strength of a stimulus changes in time.

Between two neighbouring break points every schedule is smooth; the integration is restarted at each of them, so no
step can jump over a pulse. In such a segment the input of a cell is

    I_i(t) = base_i + g(t) varying_i,        g(t) = kernel(t, *parameters);

most schedules are constant there and have only the base.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from brnn.base.data import Spec
from brnn.errors import SpecError

__all__ = ["MOST_BREAKS", "OnInIntervals", "Schedule", "Segment", "inside"]

MOST_BREAKS = 10_000_000


class Segment(NamedTuple):
    """A stimulus between two break points: base + kernel(t, *parameters) * varying."""

    base: np.ndarray | float
    parameters: tuple[float, ...] = ()
    varying: np.ndarray | float = 0.0


@dataclass(frozen=True, eq=False, repr=False)
class Schedule(Spec):
    """Base of the schedules. To write a new one, subclass it.

    1. ``breaks(duration)`` returns the times in (0, duration) at which the strength jumps or has a kink.
    2. ``segment(time, pattern)`` returns the Segment that holds around `time`, which is not a break point.
    3. A schedule that changes within a segment sets ``varying = True`` and gives the static function of scalars
       ``kernel(t, *parameters)``; its text goes into the generated code.
    4. ``check(pattern_shape, layer_shape, where)`` refuses patterns that it cannot use.
    5. ``lowest()`` is a lower bound of the factor of the pattern.
    6. ``period()`` is the time in which the factor swings to and fro within a segment, if it does: no step is longer
       than a part of it, so that none jumps over a swing.
    """

    needs: ClassVar[tuple[str, ...]] = ("segment",)
    kernel: ClassVar[Callable[..., Any]]
    varying: ClassVar[bool] = False
    per_cell: ClassVar[bool] = (
        False  # whether each cell has a factor of its own, which depends on the place of an animal
    )
    white: ClassVar[bool] = False  # whether it is white noise, which only stochastic solvers can take

    @classmethod
    def meant(cls, value: Any) -> str:
        """Return what was probably meant: a pair of times is a pulse."""
        if isinstance(value, (tuple, list)) and len(value) == 2 and not any(np.ndim(time) for time in value):
            return f"brnn.Pulse(on={value[0]}, off={value[1]})"
        return super().meant(value)

    def breaks(self, duration: float) -> np.ndarray:
        """Return the break points in (0, duration), in rising order."""
        return np.empty(0)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return what holds around `time`."""
        raise NotImplementedError

    def factor(self, time: float, segment: Segment) -> Any:
        """Return the factor of the varying part of a segment: one number, or one for each cell."""
        return type(self).kernel(time, *segment.parameters)

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Raise SpecError if a pattern of this shape does not fit the layer."""
        if pattern not in ((), layer):
            raise SpecError(
                f"{where}: pattern: has shape {pattern}, must be one number or have the layer's shape {layer}"
            )

    def lowest(self) -> float:
        """Return a lower bound of the factor."""
        return 0.0

    def last(self) -> float:
        """Return the time after which the stimulus does not change any more (infinity if it goes on)."""
        return 0.0

    def period(self) -> float:
        """Return the time in which the factor swings to and fro within a segment; infinity if it does not."""
        return float("inf")


class OnInIntervals(Schedule):
    """Base of the schedules that are on during intervals, on <= t < off.

    A subclass has ``intervals``, shape (occurrences, 2), which rise and do not overlap, as a field or as a property;
    ``given(k, pattern)`` is what is on during the interval k.
    """

    if TYPE_CHECKING:  # a dataclass would take a property of its base for the default of its field

        @property
        def intervals(self) -> np.ndarray:
            """Beginning and end of each."""

    def given(self, k: int, pattern: np.ndarray) -> np.ndarray:
        """Return what is on during the interval `k`."""
        return pattern

    def breaks(self, duration: float) -> np.ndarray:
        """Return all beginnings and ends."""
        return inside(self.intervals.ravel(), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return what is on, or nothing between the intervals."""
        intervals = self.intervals
        k = int(np.searchsorted(intervals[:, 0], time, side="right")) - 1
        return Segment(self.given(k, pattern) if k >= 0 and time < intervals[k, 1] else 0.0)

    def last(self) -> float:
        """Return the end of the last one."""
        return float(self.intervals[-1, 1])


def inside(times: np.ndarray, duration: float) -> np.ndarray:
    """Return the times in (0, duration), in rising order and each once."""
    return np.unique(times[(times > 0) & (times < duration)])
