"""Schedules: how the strength of a stimulus changes in time.

Between two neighbouring break points every schedule is smooth; the integration is restarted at each of them, so no
step can jump over a pulse. In such a segment the input of a cell is

    I_i(t) = base_i + g(t) varying_i,        g(t) = kernel(t, *parameters);

most schedules are constant there and have only the base.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from brnn.errors import SpecError
from brnn.spec.base import Spec
from brnn.spec.validate import array, choice, number, whole

__all__ = [
    "Constant",
    "Noise",
    "Pulse",
    "Pulses",
    "Ramp",
    "Samples",
    "Schedule",
    "Segment",
    "Sequence",
    "Sine",
]

_MOST_BREAKS = 100_000_000


class Segment(NamedTuple):
    """A stimulus between two break points: base + kernel(t, *parameters) * varying."""

    base: np.ndarray | float
    parameters: tuple[float, ...] = ()
    varying: np.ndarray | float = 0.0


@dataclass(frozen=True, eq=False)
class Schedule(Spec):
    """Base of the schedules. To write a new one, subclass it.

    1. ``breaks(duration)`` returns the times in (0, duration) at which the strength jumps or has a kink.
    2. ``segment(time, pattern)`` returns the Segment that holds around `time`, which is not a break point.
    3. A schedule that changes within a segment sets ``varying = True`` and gives the static function of scalars
       ``kernel(t, *parameters)``; its text goes into the generated code.
    4. ``check(pattern_shape, layer_shape, where)`` refuses patterns that it cannot use.
    5. ``lowest()`` is a lower bound of the factor of the pattern.
    """

    varying: ClassVar[bool] = False

    @staticmethod
    def kernel(t: Any) -> Any:
        """Return g(t) within a segment."""
        raise NotImplementedError

    def breaks(self, duration: float) -> np.ndarray:
        """Return the break points in (0, duration), in rising order."""
        return np.empty(0)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return what holds around `time`."""
        raise NotImplementedError

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Raise SpecError if a pattern of this shape does not fit the layer."""
        if pattern not in ((), layer):
            raise SpecError(f"{where}: pattern: has shape {pattern}, must be one number or have the layer's shape {layer}")

    def lowest(self) -> float:
        """Return a lower bound of the factor."""
        return 0.0

    def last(self) -> float:
        """Return the time after which the stimulus does not change any more (infinity if it goes on)."""
        return 0.0


def _inside(times: np.ndarray, duration: float) -> np.ndarray:
    return np.unique(times[(times > 0) & (times < duration)])


@dataclass(frozen=True, eq=False)
class Constant(Schedule):
    """On all the time."""

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern."""
        return Segment(pattern)


@dataclass(frozen=True, eq=False)
class Pulse(Schedule):
    """On while on <= t < off.

    Parameters
    ----------
    on, off : float
        on < off; `off` may be infinite.
    """

    on: float
    off: float

    def __post_init__(self) -> None:
        on = number(self.on, "Pulse: on")
        self._set(on=on, off=number(self.off, "Pulse: off", above=on, infinite=True))

    def breaks(self, duration: float) -> np.ndarray:
        """Return on and off."""
        return _inside(np.array([self.on, self.off]), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern while the pulse is on."""
        return Segment(pattern if self.on <= time < self.off else 0.0)

    def last(self) -> float:
        """Return off (or on, if the pulse does not end)."""
        return self.off if np.isfinite(self.off) else self.on


@dataclass(frozen=True, eq=False)
class Pulses(Schedule):
    """On during each of several intervals on <= t < off.

    Parameters
    ----------
    intervals : array, shape (pulses, 2)
        The pairs (on, off), in rising order and not overlapping.
    """

    intervals: np.ndarray

    def __post_init__(self) -> None:
        pairs = array(self.intervals, "Pulses: intervals", ndim=2)
        if pairs.shape[1] != 2:
            raise SpecError(f"Pulses: intervals: has shape {pairs.shape}, must be pairs (on, off)")
        if (np.diff(pairs.ravel()) < 0).any() or (pairs[:, 0] >= pairs[:, 1]).any():
            raise SpecError("Pulses: intervals: must rise and not overlap, with on < off in each pair")
        self._set(intervals=pairs)

    @classmethod
    def periodic(cls, period: float, width: float, count: int, start: float = 0.0) -> Self:
        """Return `count` pulses of the given width, one per period, the first at `start`."""
        number(width, "Pulses: width", above=0.0, maximum=number(period, "Pulses: period", above=0.0))
        onsets = start + period * np.arange(whole(count, "Pulses: count", minimum=1))
        return cls(np.stack([onsets, onsets + width], axis=1))

    def breaks(self, duration: float) -> np.ndarray:
        """Return all onsets and offsets."""
        return _inside(self.intervals.ravel(), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern while a pulse is on."""
        k = int(np.searchsorted(self.intervals[:, 0], time, side="right")) - 1
        return Segment(pattern if k >= 0 and time < self.intervals[k, 1] else 0.0)

    def last(self) -> float:
        """Return the last offset."""
        return float(self.intervals[-1, 1])


@dataclass(frozen=True, eq=False)
class Sequence(Schedule):
    """Several patterns, one after the other, with gaps between them.

    Parameters
    ----------
    items : array of int, or array of shape (items, *layer shape)
        Either rows of the stimulus' pattern (which then has shape (patterns, *layer shape)), in the order in
        which they are shown, or the patterns themselves (the stimulus' pattern then multiplies each of them).
    duration : float or array, > 0
        How long each item is on; one number, or one for each item.
    gap : float or array, >= 0
        Silence after each item.
    start : float
        When the first item begins.
    """

    items: np.ndarray
    duration: float | np.ndarray
    gap: float | np.ndarray = 0.0
    start: float = 0.0

    def __post_init__(self) -> None:
        items = np.asarray(self.items)
        if items.ndim == 1 and items.dtype.kind in "iu":
            if items.size == 0:
                raise SpecError("Sequence: items: the array is empty")
            if (items < 0).any():
                raise SpecError(f"Sequence: items: has the index {items.min()}; indices of patterns must be >= 0")
            items = items.astype(np.int64)
            items.setflags(write=False)
        else:
            items = array(self.items, "Sequence: items")
            if items.ndim < 2:
                raise SpecError("Sequence: items: must be whole numbers (rows of the pattern) or patterns")
        length = np.array(array(self.duration, "Sequence: duration", minimum=0.0))
        silence = np.array(array(self.gap, "Sequence: gap", minimum=0.0))
        for name, value in (("duration", length), ("gap", silence)):
            if value.shape not in ((), (len(items),)):
                raise SpecError(f"Sequence: {name}: has shape {value.shape}, must be one number or one per item")
        if (length <= 0).any():
            raise SpecError(f"Sequence: duration = {length.min():g}: must be > 0")
        self._set(
            items=items,
            duration=float(length) if length.ndim == 0 else array(length, "Sequence: duration"),
            gap=float(silence) if silence.ndim == 0 else array(silence, "Sequence: gap"),
            start=number(self.start, "Sequence: start"),
        )

    @property
    def intervals(self) -> np.ndarray:
        """Onset and offset of each item, shape (items, 2)."""
        count = len(self.items)
        length = np.broadcast_to(self.duration, count)
        onsets = self.start + np.concatenate([[0.0], np.cumsum(length + np.broadcast_to(self.gap, count))[:-1]])
        return np.stack([onsets, onsets + length], axis=1)

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require one pattern for each index, or patterns of the layer's shape."""
        if self.items.ndim == 1:
            if len(pattern) != len(layer) + 1 or pattern[1:] != layer:
                raise SpecError(f"{where}: pattern: has shape {pattern}, must be (patterns, *{layer}) for a Sequence of indices")
            if self.items.max() >= pattern[0]:
                raise SpecError(f"{where}: Sequence: item {self.items.max()}: the pattern has only {pattern[0]} rows")
        else:
            if self.items.shape[1:] != layer:
                raise SpecError(f"{where}: Sequence: items: have shape {self.items.shape[1:]}, the layer has {layer}")
            super().check(pattern, layer, where)

    def breaks(self, duration: float) -> np.ndarray:
        """Return all onsets and offsets."""
        return _inside(self.intervals.ravel(), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the item that is on."""
        intervals = self.intervals
        k = int(np.searchsorted(intervals[:, 0], time, side="right")) - 1
        if k < 0 or time >= intervals[k, 1]:
            return Segment(0.0)
        return Segment(pattern[self.items[k]] if self.items.ndim == 1 else pattern * self.items[k])

    def lowest(self) -> float:
        """Return the smallest factor."""
        return 0.0 if self.items.ndim == 1 else min(0.0, float(self.items.min()))

    def last(self) -> float:
        """Return the last offset."""
        return float(self.intervals[-1, 1])


@dataclass(frozen=True, eq=False)
class Ramp(Schedule):
    """A factor that goes in a straight line from `first` at time `start` to `final` at time `stop`.

    Parameters
    ----------
    start, stop : float
        start < stop; before and after, the factor stays at its end values.
    first, final : float
        The end values.
    """

    start: float
    stop: float
    first: float = 0.0
    final: float = 1.0

    varying: ClassVar[bool] = True

    def __post_init__(self) -> None:
        start = number(self.start, "Ramp: start")
        self._set(
            start=start,
            stop=number(self.stop, "Ramp: stop", above=start),
            first=number(self.first, "Ramp: first"),
            final=number(self.final, "Ramp: final"),
        )

    @staticmethod
    def kernel(t: Any, origin: Any, value: Any, slope: Any) -> Any:
        """Return a straight line."""
        return value + slope * (t - origin)

    def breaks(self, duration: float) -> np.ndarray:
        """Return start and stop."""
        return _inside(np.array([self.start, self.stop]), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the constant ends or the line between them."""
        if time < self.start:
            return Segment(0.0, (0.0, self.first, 0.0), pattern)
        if time >= self.stop:
            return Segment(0.0, (0.0, self.final, 0.0), pattern)
        slope = (self.final - self.first) / (self.stop - self.start)
        return Segment(0.0, (self.start, self.first, slope), pattern)

    def lowest(self) -> float:
        """Return the smaller end value."""
        return min(self.first, self.final)

    def last(self) -> float:
        """Return stop."""
        return self.stop


@dataclass(frozen=True, eq=False)
class Sine(Schedule):
    """The factor mean + amplitude * sin(2 pi frequency t + phase).

    Parameters
    ----------
    frequency : float, > 0
        Cycles per unit of time.
    amplitude, mean : float
        With ``mean >= abs(amplitude)``, the default, the factor is never negative.
    phase : float
        In radians.
    """

    frequency: float
    amplitude: float = 1.0
    mean: float = 1.0
    phase: float = 0.0

    varying: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set(
            frequency=number(self.frequency, "Sine: frequency", above=0.0),
            amplitude=number(self.amplitude, "Sine: amplitude"),
            mean=number(self.mean, "Sine: mean"),
            phase=number(self.phase, "Sine: phase"),
        )

    @staticmethod
    def kernel(t: Any, mean: Any, amplitude: Any, frequency: Any, phase: Any) -> Any:
        """Return the factor at time t."""
        return mean + amplitude * np.sin(2.0 * np.pi * frequency * t + phase)

    def breaks(self, duration: float) -> np.ndarray:
        """Return every period's beginning, so that no step jumps over a whole period."""
        if duration * self.frequency > _MOST_BREAKS:
            raise SpecError(f"Sine: frequency = {self.frequency:g}: has too many periods in a duration of {duration:g}")
        return _inside(np.arange(1, int(duration * self.frequency) + 1) / self.frequency, duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the sine."""
        return Segment(0.0, (self.mean, self.amplitude, self.frequency, self.phase), pattern)

    def lowest(self) -> float:
        """Return mean - abs(amplitude)."""
        return self.mean - abs(self.amplitude)

    def last(self) -> float:
        """Return infinity."""
        return float("inf")


@dataclass(frozen=True, eq=False)
class Noise(Schedule):
    """A random factor for each cell, drawn anew after each interval and held in between.

    The factor is max(mean + deviation * standard normal, 0). Interval k has a random stream of its own, made
    from (seed, k), so the same seed gives the same input whatever the solver does.

    Parameters
    ----------
    seed : int, >= 0
        Seed of the random numbers.
    interval : float, > 0
        How long each value is held.
    mean, deviation : float
        Mean and standard deviation (>= 0) before the cut at 0.
    """

    seed: int
    interval: float = 0.1
    mean: float = 1.0
    deviation: float = 0.1

    def __post_init__(self) -> None:
        self._set(
            seed=whole(self.seed, "Noise: seed", minimum=0),
            interval=number(self.interval, "Noise: interval", above=0.0),
            mean=number(self.mean, "Noise: mean"),
            deviation=number(self.deviation, "Noise: deviation", minimum=0.0),
        )

    def breaks(self, duration: float) -> np.ndarray:
        """Return the beginning of each interval."""
        if duration / self.interval > _MOST_BREAKS:
            raise SpecError(f"Noise: interval = {self.interval:g}: is too short for a duration of {duration:g}")
        return _inside(np.arange(1, int(duration / self.interval) + 1) * self.interval, duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern times the factors of this interval."""
        draw = np.random.default_rng([self.seed, int(time // self.interval)]).standard_normal(pattern.shape)
        return Segment(pattern * np.maximum(self.mean + self.deviation * draw, 0.0))

    def last(self) -> float:
        """Return infinity."""
        return float("inf")


@dataclass(frozen=True, eq=False)
class Samples(Schedule):
    """A factor given at sample times.

    Parameters
    ----------
    t : array, shape (samples,)
        Rising times. Before the first and after the last, the end values hold.
    values : array, shape (samples,) or (samples, *layer shape)
        The factor of the pattern at these times.
    interpolation : {"linear", "previous"}
        A straight line between samples, or the value of the sample before.
    """

    t: np.ndarray
    values: np.ndarray
    interpolation: str = "linear"

    varying: ClassVar[bool] = True

    def __post_init__(self) -> None:
        t = array(self.t, "Samples: t", ndim=1)
        values = array(self.values, "Samples: values")
        if (np.diff(t) <= 0).any():
            raise SpecError("Samples: t: must rise")
        if values.ndim == 0 or len(values) != len(t):
            raise SpecError(f"Samples: values: has shape {values.shape}, must have one row for each of {len(t)} times")
        self._set(
            t=t,
            values=values,
            interpolation=choice(self.interpolation, "Samples: interpolation", ("linear", "previous")),
        )

    @staticmethod
    def kernel(t: Any, origin: Any) -> Any:
        """Return the time since the sample before."""
        return t - origin

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require values for the whole layer or for each cell."""
        super().check(pattern, layer, where)
        if self.values.shape[1:] not in ((), layer):
            raise SpecError(f"{where}: Samples: values: has shape {self.values.shape}, must be (samples,) or (samples, *{layer})")

    def breaks(self, duration: float) -> np.ndarray:
        """Return the sample times."""
        return _inside(self.t, duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the line from the sample before to the sample after."""
        k = int(np.searchsorted(self.t, time, side="right")) - 1
        value = pattern * self.values[max(k, 0)]
        if k < 0 or k == len(self.t) - 1 or self.interpolation == "previous":
            return Segment(value, (0.0,), 0.0)
        slope = (self.values[k + 1] - self.values[k]) / (self.t[k + 1] - self.t[k])
        return Segment(value, (float(self.t[k]),), pattern * slope)

    def lowest(self) -> float:
        """Return the smallest value."""
        return float(self.values.min())

    def last(self) -> float:
        """Return the last sample time."""
        return float(self.t[-1])
