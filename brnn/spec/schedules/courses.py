"""Schedules whose strength takes many values: Ramp, Sine, Noise, Samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, choice, number, whole
from brnn.errors import SpecError
from brnn.spec.schedules.base import MOST_BREAKS, Schedule, Segment, inside

__all__ = ["Noise", "Ramp", "Samples", "Sine"]


@dataclass(frozen=True, eq=False, repr=False)
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
        return inside(np.array([self.start, self.stop]), duration)

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


@dataclass(frozen=True, eq=False, repr=False)
class Sine(Schedule):
    """The factor mean + amplitude * sin(2 pi frequency t + phase).

    A sine has no kink, at which a solver would have to begin anew, but steps must not jump over its swings: at least 8
    are made in each period by explicit methods, the compiled one and those for white noise, 16 by LSODA and the stiff
    ones, 48 by BDF. So a run costs at least that many steps times frequency times duration.

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
        """Return no times: a sine is smooth. One with more periods than a run could follow is refused."""
        if duration * self.frequency > MOST_BREAKS:
            raise SpecError(f"Sine: frequency = {self.frequency:g}: has too many periods in a duration of {duration:g}")
        return np.empty(0)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the sine."""
        return Segment(0.0, (self.mean, self.amplitude, self.frequency, self.phase), pattern)

    def lowest(self) -> float:
        """Return mean - abs(amplitude)."""
        return self.mean - abs(self.amplitude)

    def last(self) -> float:
        """Return infinity."""
        return float("inf")

    def period(self) -> float:
        """Return 1/frequency."""
        return 1.0 / self.frequency


@dataclass(frozen=True, eq=False, repr=False)
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
        if duration / self.interval > MOST_BREAKS:
            raise SpecError(f"Noise: interval = {self.interval:g}: is too short for a duration of {duration:g}")
        return inside(np.arange(1, int(duration / self.interval) + 1) * self.interval, duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern times the factors of this interval."""
        draw = np.random.default_rng([self.seed, self._place(time)]).standard_normal(pattern.shape)
        return Segment(pattern * np.maximum(self.mean + self.deviation * draw, 0.0))

    def _place(self, time: float) -> int:
        """Return the number of the interval around `time`; at a break, as `breaks` rounds it, the one that begins."""
        place = int(time // self.interval)
        return place + 1 if (place + 1) * self.interval <= time else place

    def last(self) -> float:
        """Return infinity."""
        return float("inf")


@dataclass(frozen=True, eq=False, repr=False)
class Samples(Schedule):
    """A factor given at sample times.

    Parameters
    ----------
    t : array, shape (samples,)
        Rising times. Before the first and after the last, the end values hold.
    values : array, shape (samples,) or ``(samples, *layer shape)``
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
            raise SpecError(
                f"{where}: Samples: values: has shape {self.values.shape}, must be (samples,) or (samples, *{layer})"
            )

    def breaks(self, duration: float) -> np.ndarray:
        """Return the sample times."""
        return inside(self.t, duration)

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
