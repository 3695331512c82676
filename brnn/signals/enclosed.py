"""Between which values a signal lies over a whole interval of activities: no samples.

The signals of the literature rise, and their hill functions rise up to one place and fall from there; the formulas of
users are worked out in interval arithmetic. Of a class of the user's own nothing is known but samples.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.signals.expression import Expression
from brnn.signals.formula.bounds import Bounded, Bounds
from brnn.signals.formula.walk import walk
from brnn.signals.rate import Linear, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear

__all__ = ["enclosable", "enclosed", "may_jump", "shape_is_known", "top_of_hill"]

_KNOWN = (Linear, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear)


def shape_is_known(signal: Any) -> bool:
    """Return whether `Signal.shape` is worked out in closed form; else it is found from samples."""
    return type(signal) in _KNOWN


def enclosable(signal: Any) -> bool:
    """Return whether `enclosed` knows bounds of this signal."""
    return type(signal) in _KNOWN or isinstance(signal, Expression)


def top_of_hill(signal: Any) -> float:
    """Return up to which activity the hill function of a signal of the literature rises; it falls from there.

    0 if it falls all the way, inf if it never falls; nan for the logistic signal, which may do both twice.
    """
    if isinstance(signal, Power):
        return math.inf if signal.exponent >= 1.0 else 0.0
    if isinstance(signal, Sigmoid):
        p = signal.exponent
        return signal.half * (p - 1.0) ** (1.0 / p) if p > 1.0 else 0.0
    if isinstance(signal, ThresholdLinear):
        return signal.threshold + signal.ceiling if signal.threshold > 0.0 else 0.0
    if isinstance(signal, Step):
        return max(signal.threshold, 0.0)
    if isinstance(signal, Linear):
        return math.inf
    return 0.0 if isinstance(signal, Saturating) else math.nan


def enclosed(signal: Any, part: str, low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the lowest and the highest value that a part of a signal can have between two activities.

    Parameters
    ----------
    signal : Signal
        One for which `enclosable` is true.
    part : {"kernel", "quotient", "slope"}
        f, its hill function h(w) = f(w)/w, or f'; "slope" for an Expression alone.
    low, high : array
        The intervals, 0 < low <= high.

    Raises
    ------
    InputError
        If no bounds are known.
    """
    low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
    with np.errstate(all="ignore"):
        if isinstance(signal, Expression):
            found = _walked(signal, part, low, high, Bounded())
            return np.broadcast_to(found.low, low.shape), np.broadcast_to(found.high, low.shape)
        if type(signal) not in _KNOWN or part == "slope":
            raise InputError(f"no bounds are known of the {part} of {type(signal).__name__}")
        bottom, top = np.asarray(signal(low)), np.asarray(signal(high))
        if part == "quotient":
            peak = top_of_hill(signal)
            if math.isnan(peak):
                bottom, top = bottom / high, top / low
            else:
                ends = np.asarray(signal.hill(low)), np.asarray(signal.hill(high))
                bottom = np.minimum(*ends)
                top = np.maximum(np.maximum(*ends), np.asarray(signal.hill(np.clip(peak, low, high))))
    result = Bounds.of(bottom, top)
    return result.low, result.high


def may_jump(signal: Any, low: Any, high: Any) -> np.ndarray:
    """Return in which intervals a condition of a formula holds in one part only; nowhere without conditions."""
    arithmetic = Bounded()
    low = np.asarray(low, dtype=np.float64)
    if isinstance(signal, Expression):
        with np.errstate(all="ignore"):
            _walked(signal, "kernel", low, np.asarray(high, dtype=np.float64), arithmetic)
    return np.broadcast_to(arithmetic.undecided, low.shape)


def _walked(signal: Expression, part: str, low: np.ndarray, high: np.ndarray, arithmetic: Bounded) -> Bounds:
    values = {name: Bounds(np.float64(v), np.float64(v)) for name, v in signal.parameters}
    found: Bounds = walk(signal._trees[part], {**values, "w": Bounds(low, high)}, arithmetic)
    return found
