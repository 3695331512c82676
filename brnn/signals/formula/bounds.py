"""Interval arithmetic for the formulas of `brnn.signals.formula.symbolic`: what they cannot leave over whole intervals.

Each result contains every value that the formula takes for real arguments within the given bounds: ends are rounded
outward. A formula in which w occurs twice gets bounds that are too wide, the less so the narrower the interval is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["Bounded", "Bounds", "Truth"]

_ULPS = 4.0 * float(np.finfo(float).eps)  # what functions of NumPy may be wrong by
_RISING = {"exp": np.exp, "log": np.log, "sqrt": np.sqrt, "tanh": np.tanh}


@dataclass(frozen=True)
class Truth:
    """Where a comparison always holds, and where never; elsewhere it is open."""

    always: np.ndarray
    never: np.ndarray


@dataclass(frozen=True, eq=False)
class Bounds:
    """Lowest and highest value, arrays of one shape or numbers."""

    low: Any
    high: Any

    @classmethod
    def of(cls, *candidates: Any) -> Bounds:
        """Return what holds all candidates, rounded outward; everything where one of them is unknown."""
        stacked = np.stack(np.broadcast_arrays(*candidates))
        low, high = stacked.min(axis=0), stacked.max(axis=0)
        unknown = np.isnan(stacked).any(axis=0)
        low = np.nextafter(low - _ULPS * np.abs(low), -np.inf)
        high = np.nextafter(high + _ULPS * np.abs(high), np.inf)
        return cls(np.where(unknown | np.isnan(low), -np.inf, low), np.where(unknown | np.isnan(high), np.inf, high))

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds.of(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Bounds) -> Bounds:
        return Bounds.of(self.low - other.high, self.high - other.low)

    def __neg__(self) -> Bounds:
        return Bounds(-self.high, -self.low)

    def __mul__(self, other: Bounds) -> Bounds:
        return Bounds.of(*(a * b for a in (self.low, self.high) for b in (other.low, other.high)))

    def __truediv__(self, other: Bounds) -> Bounds:
        through = (other.low <= 0.0) & (other.high >= 0.0)
        parts = [np.where(through, np.nan, a / b) for a in (self.low, self.high) for b in (other.low, other.high)]
        return Bounds.of(*parts)

    def __lt__(self, other: Bounds) -> Truth:
        return Truth(self.high < other.low, self.low >= other.high)

    def __le__(self, other: Bounds) -> Truth:
        return Truth(self.high <= other.low, self.low > other.high)


class Bounded:
    """The arithmetic of `Bounds`, for `brnn.signals.formula.walk.walk`.

    Attributes
    ----------
    undecided : ndarray of bool
        In which intervals a condition holds in one part only: there the formula may jump.
    """

    def __init__(self) -> None:
        self.undecided: Any = np.zeros((), dtype=bool)

    def number(self, value: float) -> Any:
        """Return a number of the text."""
        return Bounds(np.float64(value), np.float64(value))

    def power(self, base: Any, exponent: Any) -> Any:
        """Return base**exponent: it rises or falls in each of the two, if the base is not negative."""
        ends = [np.power(b, e) for b in (base.low, base.high) for e in (exponent.low, exponent.high)]
        whole = (exponent.low == exponent.high) & (exponent.low == np.round(exponent.low)) & (exponent.low >= 0.0)
        negative = base.low < 0.0
        inner = np.where(negative & ~whole, np.nan, np.where(negative & (base.high > 0.0), 0.0, ends[0]))
        return Bounds.of(*ends, inner)

    def call(self, name: str, *values: Any) -> Any:
        """Return what the function np.NAME gives."""
        x = values[0]
        if name == "power":
            return self.power(*values)
        if name in _RISING:
            return Bounds.of(_RISING[name](x.low), _RISING[name](x.high))
        if name == "abs":
            inside = (x.low < 0.0) & (x.high > 0.0)
            return Bounds.of(np.abs(x.low), np.abs(x.high), np.where(inside, 0.0, np.abs(x.low)))
        if name in ("minimum", "maximum"):
            other = values[1]
            function = getattr(np, name)
            return Bounds.of(function(x.low, other.low), function(x.high, other.high))
        return _wave(x, 0.0 if name == "cos" else 0.5 * np.pi, getattr(np, name))

    def choose(self, holds: Any, one: Callable[[], Any], other: Callable[[], Any]) -> Any:
        """Return one of two values where it is known which, and what holds both elsewhere."""
        self.undecided = self.undecided | ~(holds.always | holds.never)
        a, b = one(), other()
        low = np.where(holds.always, a.low, np.where(holds.never, b.low, np.minimum(a.low, b.low)))
        high = np.where(holds.always, a.high, np.where(holds.never, b.high, np.maximum(a.high, b.high)))
        return Bounds(low, high)


def _wave(x: Bounds, top: float, function: Callable[[Any], Any]) -> Bounds:
    """Return the bounds of a wave of period 2 pi that is 1 at `top`."""
    ends = function(x.low), function(x.high)

    def within(place: float) -> Any:  # whether one of place + 2 pi k lies within
        turns = 2.0 * np.pi
        return np.floor((x.high - place) / turns + 1e-9) >= np.ceil((x.low - place) / turns - 1e-9)

    far = ~(np.abs(x.low) < 1e6) | ~(np.abs(x.high) < 1e6)
    high = np.where(far | within(top), 1.0, np.maximum(*ends))
    low = np.where(far | within(top + np.pi), -1.0, np.minimum(*ends))
    return Bounds.of(low, high)
