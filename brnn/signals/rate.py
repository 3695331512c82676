"""The signal functions of the literature.

w is the activity of the sending cell, in the units of its layer; f(w) is a rate. Each class holds its mathematics
once, as text that runs in NumPy and compiled alike (see `brnn.signals.base.Signal`).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import number
from brnn.signals.base import Signal, power

__all__ = ["Linear", "Logistic", "Power", "Saturating", "Sigmoid", "Step", "ThresholdLinear"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Linear(Signal):
    """Linear signal, f(w) = gain * w for every w: the one signal that keeps the sign of a negative w.

    Parameters
    ----------
    gain : float
        C of the literature; >= 0.
    """

    gain: float = 1.0
    _formula: ClassVar[str] = "gain*w"
    nonnegative: ClassVar[bool] = False

    def __post_init__(self) -> None:
        self._set(gain=number(self.gain, "Linear: gain", minimum=0))

    @staticmethod
    def _kernel(w: Any, gain: float) -> Any:
        return gain * w

    @staticmethod
    def _slope(w: Any, gain: float) -> Any:
        return gain + 0.0 * w

    @staticmethod
    def _quotient(w: Any, gain: float) -> Any:
        return gain + 0.0 * w

    def _shape(self, w_max: float) -> str:
        return "linear"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Power(Signal):
    """Power law, f(w) = gain * w**exponent for w >= 0, and 0 for w < 0.

    Faster than linear for exponent > 1: a recurrent competitive field with it chooses a winner.

    Parameters
    ----------
    gain : float
        >= 0.
    exponent : float
        > 0.
    """

    gain: float = 1.0
    exponent: float = 2.0
    _formula: ClassVar[str] = "gain*w**exponent"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "Power: gain", minimum=0),
            exponent=number(self.exponent, "Power: exponent", above=0),
        )

    @staticmethod
    def _kernel(w: Any, gain: float, exponent: float) -> Any:
        if gain == 0.0:  # not 0*inf where the power overflows
            return 0.0 * np.abs(w)
        return gain * power(np.maximum(w, 0.0), exponent)

    @staticmethod
    def _slope(w: Any, gain: float, exponent: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        v = np.maximum(w, 1.0 * (w < 0.0))  # any w < 0 becomes 1, where the power is finite
        return (w >= 0.0) * (gain * exponent * power(v, exponent - 1.0))

    @staticmethod
    def _quotient(w: Any, gain: float, exponent: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        v = np.maximum(w, 1.0 * (w < 0.0))
        return (w >= 0.0) * (gain * power(v, exponent - 1.0))

    def _shape(self, w_max: float) -> str:
        return "linear" if self.gain == 0 else _by_exponent(self.exponent)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Saturating(Signal):
    """Saturating signal, f(w) = gain * w/(half + w) for w >= 0, and 0 for w < 0.

    Slower than linear: a recurrent competitive field with it makes all activities equal.

    Parameters
    ----------
    gain : float
        The level that f approaches; >= 0.
    half : float
        The activity at which f = gain/2; > 0.
    """

    gain: float = 1.0
    half: float = 1.0
    _formula: ClassVar[str] = "gain*w/(half + w)"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "Saturating: gain", minimum=0),
            half=number(self.half, "Saturating: half", above=0),
        )

    @staticmethod
    def _kernel(w: Any, gain: float, half: float) -> Any:
        w = np.maximum(w, 0.0)
        return gain * (w / (half + w))

    @staticmethod
    def _slope(w: Any, gain: float, half: float) -> Any:
        total = half + np.maximum(w, 0.0)
        return (w >= 0.0) * (gain * (half / total) / total)

    @staticmethod
    def _quotient(w: Any, gain: float, half: float) -> Any:
        return (w >= 0.0) * (gain / (half + np.maximum(w, 0.0)))

    def _shape(self, w_max: float) -> str:
        return "linear" if self.gain == 0 else "slower-than-linear"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Sigmoid(Signal):
    """Sigmoid signal, f(w) = gain * w**exponent/(half**exponent + w**exponent) for w >= 0, and 0 for w < 0.

    For exponent > 1 its hill function rises up to w = half * (exponent - 1)**(1/exponent) and falls after it.
    A recurrent competitive field with it has a quenching threshold. (Another name: Hill or Naka-Rushton.)

    Parameters
    ----------
    gain : float
        The level that f approaches; >= 0.
    half : float
        The activity at which f = gain/2; > 0.
    exponent : float
        Steepness; > 0.
    """

    gain: float = 1.0
    half: float = 1.0
    exponent: float = 2.0
    _formula: ClassVar[str] = "gain*w**exponent/(half**exponent + w**exponent)"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "Sigmoid: gain", minimum=0),
            half=number(self.half, "Sigmoid: half", above=0),
            exponent=number(self.exponent, "Sigmoid: exponent", above=0),
        )

    @property
    def arguments(self) -> tuple[float, ...]:
        """gain, 1/half and exponent: a product for each cell costs less than a division."""
        gain, half, exponent = super().arguments
        return gain, min(1.0 / half, 1e300), exponent  # 0 times infinity would not be 0

    @staticmethod
    def _kernel(w: Any, gain: float, scale: float, exponent: float) -> Any:
        # In p = (w/half)**exponent f is gain*p/(1 + p); an infinite p would give inf/inf.
        p = np.minimum(power(np.maximum(w, 0.0) * scale, exponent), 1e300)
        return gain * (p / (1.0 + p))

    @staticmethod
    def _slope(w: Any, gain: float, scale: float, exponent: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        v = np.maximum(w * scale, 1.0 * (w < 0.0))
        p = np.minimum(power(v, exponent), 1e300)
        # p/v beyond the middle, v**(exponent - 1) below it: neither overflows where the slope is small
        q = power(np.minimum(v, 1.0), exponent - 1.0) * (np.maximum(p, 1.0) / np.maximum(v, 1.0))
        return (w >= 0.0) * (gain * exponent * scale * (q / (1.0 + p)) / (1.0 + p))

    @staticmethod
    def _quotient(w: Any, gain: float, scale: float, exponent: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        v = np.maximum(w * scale, 1.0 * (w < 0.0))
        p = np.minimum(power(v, exponent), 1e300)
        q = power(np.minimum(v, 1.0), exponent - 1.0) * (np.maximum(p, 1.0) / np.maximum(v, 1.0))
        return (w >= 0.0) * (gain * scale * (q / (1.0 + p)))

    def _shape(self, w_max: float) -> str:
        if self.gain == 0:
            return "linear"
        if self.exponent <= 1:
            return "slower-than-linear"
        top = self.half * (self.exponent - 1) ** (1 / self.exponent)
        return "faster-than-linear" if w_max <= top else "sigmoid"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Logistic(Signal):
    """Logistic signal, f(w) = gain/(1 + exp(-slope * (w - midpoint))) for every w, also for w < 0.

    Unlike the other rates it is not cut to 0 for w < 0: it is the signal of additive networks, whose activities
    (like potentials) have both signs, and a cut would put a jump where it must be smooth. It is positive
    everywhere; in particular f(0) > 0, so its hill function is infinite at 0.

    Parameters
    ----------
    gain : float
        The level that f approaches for large w; >= 0.
    slope : float
        Steepness; > 0. The largest derivative is gain * slope/4.
    midpoint : float
        The activity at which f = gain/2; any sign.
    """

    gain: float = 1.0
    slope: float = 1.0
    midpoint: float = 0.0
    _formula: ClassVar[str] = "gain/(1 + exp(-slope*(w - midpoint)))"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "Logistic: gain", minimum=0),
            slope=number(self.slope, "Logistic: slope", above=0),
            midpoint=number(self.midpoint, "Logistic: midpoint"),
        )

    @staticmethod
    def _kernel(w: Any, gain: float, slope: float, midpoint: float) -> Any:
        return gain / (1.0 + np.exp(np.minimum(-slope * (w - midpoint), 700.0)))  # exp(710) overflows

    @staticmethod
    def _slope(w: Any, gain: float, slope: float, midpoint: float) -> Any:
        e = np.exp(np.minimum(-slope * (w - midpoint), 700.0))
        return gain * slope * (e / (1.0 + e)) / (1.0 + e)

    @staticmethod
    def _quotient(w: Any, gain: float, slope: float, midpoint: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        f = gain / (1.0 + np.exp(np.minimum(-slope * (w - midpoint), 700.0)))
        return (1.0 - 2.0 * (w < 0.0)) * f / np.abs(w)  # f/w, but also at -0.0 the limit from the right

    def _shape(self, w_max: float) -> str:
        if self.gain == 0:
            return "linear"
        # With v = slope*w and m = slope*midpoint, h falls where 1 + exp(v - m) > v; the difference is
        # least, 2 - m, at v = m.
        m = self.slope * self.midpoint
        v = min(self.slope * w_max, m)
        return "slower-than-linear" if m <= 2 or 1 + math.exp(v - m) >= v else "mixed"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ThresholdLinear(Signal):
    """Threshold-linear signal, f(w) = gain * min(max(w - threshold, 0), ceiling).

    It is 0 for w < 0 unless the threshold is negative (as it can be for a potential): then the threshold says
    where the signal begins, and it is 0 below that.

    Parameters
    ----------
    gain : float
        >= 0.
    threshold : float
        The activity from which the cell sends a signal; any sign.
    ceiling : float
        The largest excess over the threshold that counts; > 0, may be inf. The largest signal is gain * ceiling.
    """

    gain: float = 1.0
    threshold: float = 0.0
    ceiling: float = math.inf
    _formula: ClassVar[str] = "gain*min(max(w - threshold, 0), ceiling)"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "ThresholdLinear: gain", minimum=0),
            threshold=number(self.threshold, "ThresholdLinear: threshold"),
            ceiling=number(self.ceiling, "ThresholdLinear: ceiling", above=0, infinite=True),
        )

    @staticmethod
    def _kernel(w: Any, gain: float, threshold: float, ceiling: float) -> Any:
        return gain * np.minimum(np.maximum(w - threshold, 0.0), ceiling)

    @staticmethod
    def _slope(w: Any, gain: float, threshold: float, ceiling: float) -> Any:
        return gain * ((w >= threshold) & (w - threshold < ceiling))

    @staticmethod
    def _quotient(w: Any, gain: float, threshold: float, ceiling: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        if threshold == 0.0:
            return (w >= 0.0) * (gain * np.minimum(1.0, ceiling / np.abs(w)))
        f = gain * np.minimum(np.maximum(w - threshold, 0.0), ceiling)
        if threshold > 0.0:
            return f / np.maximum(w, threshold)  # f is 0 up to the threshold
        return (1.0 - 2.0 * (w < 0.0)) * f / np.abs(w)  # the limit at 0 is the one from the right

    def _shape(self, w_max: float) -> str:
        if self.gain == 0 or (self.threshold > 0 and w_max <= self.threshold):
            return "linear"
        if self.threshold < 0:
            return "slower-than-linear"
        below_ceiling = w_max - self.threshold <= self.ceiling
        if self.threshold == 0:
            return "linear" if below_ceiling else "slower-than-linear"
        return "faster-than-linear" if below_ceiling else "sigmoid"


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Step(Signal):
    """Step signal, f(w) = gain for w >= threshold, and 0 below it.

    It is 0 for w < 0 unless the threshold is negative (as it can be for a potential). Its derivative is 0
    everywhere: the jump has none.

    Parameters
    ----------
    gain : float
        Height of the step; >= 0.
    threshold : float
        The activity from which the cell sends a signal; any sign.
    """

    gain: float = 1.0
    threshold: float = 0.0
    _formula: ClassVar[str] = "gain if w >= threshold else 0"

    def __post_init__(self) -> None:
        self._set(
            gain=number(self.gain, "Step: gain", minimum=0),
            threshold=number(self.threshold, "Step: threshold"),
        )

    def _jumps(self) -> tuple[float, ...]:
        return (self.threshold,) if self.gain > 0.0 else ()

    @staticmethod
    def _kernel(w: Any, gain: float, threshold: float) -> Any:
        return gain * (w >= threshold)

    @staticmethod
    def _slope(w: Any, gain: float, threshold: float) -> Any:
        return 0.0 * np.abs(w)

    @staticmethod
    def _quotient(w: Any, gain: float, threshold: float) -> Any:
        if gain == 0.0:
            return 0.0 * np.abs(w)
        if threshold > 0.0:
            return gain * (w >= threshold) / np.maximum(w, threshold)
        return (1.0 - 2.0 * (w < 0.0)) * gain * (w >= threshold) / np.abs(w)  # at 0 the limit from the right

    def _shape(self, w_max: float) -> str:
        if self.gain == 0 or (self.threshold > 0 and w_max < self.threshold):
            return "linear"
        if self.threshold <= 0:
            return "slower-than-linear"
        return "faster-than-linear" if w_max == self.threshold else "sigmoid"


def _by_exponent(exponent: float) -> str:
    if exponent == 1:
        return "linear"
    return "faster-than-linear" if exponent > 1 else "slower-than-linear"
