"""What holds of a signal at every activity, not only at samples: bounds over cells that are halved until they tell.

Of the signals of the literature and of formulas bounds are known over whole intervals (`brnn.signals.enclosed`); of a
class of the user's own there are samples alone, and nothing is said for certain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.signals.enclosed import enclosable, enclosed, may_jump, shape_is_known
from brnn.signals.rate import Linear, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear

__all__ = ["falls_relative", "flat_stretch", "holds_between", "nondecreasing"]

_LEAST = 1e-300  # activities below it are 0
_CELLS = 40_000  # looked at before it is given up
_NARROW = 1e-12  # of the range: where a formula may jump, its two sides are looked at so near
_ROUNDING = 1e-13

Cells = Callable[[np.ndarray, np.ndarray], np.ndarray]


def holds_between(below: Cells, top: float) -> bool:
    """Say whether a condition holds of all activities from 1e-300 to `top`.

    Parameters
    ----------
    below : callable
        Takes the ends of cells, and says of each whether the condition is sure to hold in all of it.
    top : float
        The largest activity, > 0.
    """
    count = max(1, math.ceil(math.log2(top / _LEAST))) if top > _LEAST else 1
    edges = top * np.concatenate([np.exp2(-np.arange(count, -1.0, -1.0))])
    low, high = edges[:-1], edges[1:]
    used = 0
    while low.size:
        used += low.size
        if used > _CELLS:
            return False
        open_ = ~below(low, high)
        low, high = low[open_], high[open_]
        middle = 0.5 * (low + high)
        if ((middle <= low) | (middle >= high)).any():  # neighbouring numbers
            return False
        low, high = np.concatenate([low, middle]), np.concatenate([middle, high])
    return True


def nondecreasing(signal: Any, top: float) -> bool | None:
    """Say whether a signal is sure not to fall up to `top` (by more than rounding); None if nothing is known."""
    if not enclosable(signal):
        return None
    if shape_is_known(signal):
        return True
    size = max(abs(float(signal(0.0))), abs(float(signal(top))))
    allowed = _ROUNDING * size

    def rising(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        slope, steepest = enclosed(signal, "slope", low, high)
        smooth = (slope >= -allowed / top) & np.isfinite(steepest) & ~may_jump(signal, low, high)
        narrow = high - low <= _NARROW * top
        if narrow.any():
            smooth |= narrow & (np.asarray(signal(high)) >= np.asarray(signal(low)) - 1e2 * allowed)
        return smooth

    return holds_between(rising, top)


def falls_relative(signal: Any, top: float, excitation: float) -> bool | None:
    """Say whether h(w) + I/w, with the hill function h = f/w, is sure to fall up to `top`; None if nothing is known.

    It falls where w f'(w) - f(w) < I. Of the signals of the literature the largest w f' - f is known: C (p - 1) w^p of
    C w^p, C (p - 1)^2/(4 p) of the sigmoid (where (w/half)^p = (p - 1)/(p + 1)), C times the threshold of a
    threshold-linear one, and without bound where a step is.
    """
    if not enclosable(signal):
        return None
    most = _steepest(signal, top)
    if most is not None:
        return most < excitation or (most == 0.0 and flat_stretch(signal, top) is None)
    known = holds_between(lambda low, high: _falls(signal, low, high, excitation), top)
    return True if known else None


def _steepest(signal: Any, top: float) -> float | None:
    """Return the largest w f'(w) - f(w) up to `top`; None where it has no closed form."""
    gain = float(getattr(signal, "gain", 1.0))
    if gain == 0.0 or isinstance(signal, (Linear, Saturating)):
        return 0.0
    if isinstance(signal, Power):
        return max(0.0, gain * (signal.exponent - 1.0) * top**signal.exponent)
    if isinstance(signal, Sigmoid):
        p = signal.exponent
        if p <= 1.0:
            return 0.0
        v = min((p - 1.0) / (p + 1.0), (top / signal.half) ** p)
        return gain * v * (p - 1.0 - v) / (1.0 + v) ** 2
    if isinstance(signal, ThresholdLinear):
        return gain * signal.threshold if 0.0 < signal.threshold < top else 0.0
    if isinstance(signal, Step):
        return math.inf if 0.0 < signal.threshold <= top else 0.0
    return None


def _falls(signal: Any, low: np.ndarray, high: np.ndarray, excitation: float) -> np.ndarray:
    if not isinstance(signal, Logistic):
        slope, steepest = enclosed(signal, "slope", low, high)
        bottom, _ = enclosed(signal, "kernel", low, high)
        with np.errstate(all="ignore"):
            growth = np.maximum(low * steepest, high * steepest) - bottom
        return (growth < excitation) & np.isfinite(slope) & ~may_jump(signal, low, high)
    # f' = s f (1 - f/C), which rises up to the midpoint and falls from there
    slopes = np.stack([signal.derivative(w) for w in (low, high, np.clip(signal.midpoint, low, high))])
    return high * slopes.max(axis=0) * (1.0 + _ROUNDING) - np.asarray(signal(low)) < excitation


def flat_stretch(signal: Any, top: float) -> tuple[float, float] | None:
    """Return where the hill function of a signal of the literature is flat and not 0, up to `top`; None if nowhere."""
    if float(getattr(signal, "gain", 1.0)) == 0.0:
        return None
    if isinstance(signal, Linear) or (isinstance(signal, Power) and signal.exponent == 1.0):
        return 0.0, top
    if isinstance(signal, ThresholdLinear) and signal.threshold == 0.0:
        return 0.0, min(top, signal.ceiling)
    return None
