"""What runs show of predicted states: the last ones before inputs change, if they were at rest there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.theory.predictions.base import NotMeasured

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["approached", "at_rest", "saved"]

_MOVED = 1e-6  # of the largest activity: more, in the last quarter of a time, is not at rest
_DECAYED = 1.0  # times the rate: after less, where a linear law goes cannot be told from two samples


def saved(result: Result, name: str, during: tuple[float, float] | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the saved times in an interval, shape (times,), and what a variable was then, shape (times, ...)."""
    array: Any = result[name]
    times = np.asarray(array["time"].values, dtype=np.float64)
    start, stop = (-math.inf, math.inf) if during is None else during
    chosen = (times >= start) & (times <= stop)
    if int(chosen.sum()) < 2:
        raise NotMeasured(f"{name}: the run has fewer than two saved times between {start:g} and {stop:g}")
    return times[chosen], np.asarray(array.values, dtype=np.float64)[chosen]


def at_rest(
    result: Result,
    name: str,
    during: tuple[float, float] | None = None,
    rate: float = math.inf,
    moved: float = _MOVED,
) -> np.ndarray:
    """Return the last values of a variable in an interval, in which it has come to rest.

    Raises
    ------
    NotMeasured
        If it moved by more than the fraction `moved` of its size in the last quarter of it, or that is too short for
        what decays at `rate`.
    """
    times, values = saved(result, name, during)
    if result.status == "steady" and (during is None or times[-1] == result.reached):
        return values[-1]
    k = min(int(np.searchsorted(times, times[0] + 0.75 * (times[-1] - times[0]))), len(times) - 2)
    late = values[k:]
    size = max(float(np.max(np.abs(values))), np.finfo(float).tiny)
    if float(np.max(np.abs(late - late[-1]))) > moved * size or rate * (times[-1] - times[k]) < 4.0 * _DECAYED:
        raise NotMeasured(f"{name}: was not at rest before t = {times[-1]:g}")
    return values[-1]


def approached(result: Result, name: str, during: tuple[float, float], rate: np.ndarray) -> np.ndarray:
    """Return where a variable goes that obeys dx/dt = rate (end - x), by its first and its last value.

    Raises
    ------
    NotMeasured
        If the interval is too short to tell.
    """
    times, values = saved(result, name, during)
    decay = np.asarray(rate) * (times[-1] - times[0])
    if np.min(decay) < _DECAYED:
        raise NotMeasured(f"{name}: the run says too little between t = {times[0]:g} and {times[-1]:g}")
    return np.asarray((values[-1] - values[0] * np.exp(-decay)) / -np.expm1(-decay))
