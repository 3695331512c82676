"""Which times are saved."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from brnn.base.text import short_repr
from brnn.errors import InputError

__all__ = ["saved_times", "steady_times", "whole_steps"]

_SAVED = 201  # times, if the user asks for none


def saved_times(times: Any, end: float, begin: float = 0.0) -> np.ndarray:
    """Return the times at which the state is saved: those given, or 201 evenly spaced ones.

    Raises
    ------
    InputError
        If the times do not rise, are not finite, or do not lie in [begin, end]. Times beyond the end by no more than
        rounding are the end, once.
    """
    if times is None:
        return _evenly(begin, end).copy()
    try:
        result = np.array(times, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"times = {short_repr(times)}: must be an array of numbers") from None
    if (
        result.ndim == 1
        and result.size
        and begin <= result[0]
        and result[-1] <= end
        and (result[1:] > result[:-1]).all()
    ):
        return result
    if result.ndim == 0 and float(result).is_integer() and result >= 1:
        raise InputError(
            f"times = {int(result)}: must be a list of times; did you mean np.linspace({begin:g}, {end:g}, "
            f"{int(result)})?"
        )
    if result.ndim != 1 or result.size == 0:
        raise InputError(f"times: has shape {result.shape}, must be a list of at least one time")
    if not np.isfinite(result).all():
        raise InputError(f"times: {result[~np.isfinite(result)][0]} is among them; every time must be finite")
    if (np.diff(result) <= 0).any():
        k = int(np.argmax(np.diff(result) <= 0))
        raise InputError(f"times: must rise, but {result[k + 1]:g} follows {result[k]:g}")
    if result[0] < begin * (1 - 1e-12) or result[-1] > end * (1 + 1e-12):
        wrong = result[0] if result[0] < begin else result[-1]
        raise InputError(f"times: {wrong:g} is outside of the run, which goes from {begin:g} to {end:g}")
    return np.unique(np.clip(result, begin, end))


@functools.lru_cache(maxsize=8)
def _evenly(begin: float, end: float) -> np.ndarray:
    return np.linspace(begin, end, _SAVED)


def steady_times(first: float, longest: float, begin: float = 0.0) -> np.ndarray:
    """Return times for a run whose end is not known: 200 steps up to `first`, then the spacing doubles as t does.

    Both are counted from `begin`. A run that comes to rest early is seen in detail, one that takes long needs little
    memory.
    """
    times = [np.linspace(0.0, first, _SAVED)]
    while first < longest:
        times.append(np.linspace(first, 2.0 * first, _SAVED // 2 + 1)[1:])
        first *= 2.0
    result = np.concatenate(times)
    return begin + result[result <= longest]


def whole_steps(times: Any, step: float, end: float, begin: float = 0.0) -> np.ndarray:
    """Return the saved times of a network of discrete time: those given, or all steps, or 201 of many.

    Raises
    ------
    InputError
        As `saved_times`, or if a time is not a multiple of the step.
    """
    first, last = round(begin / step), round(end / step)
    count = last - first
    if times is None:
        every = 1 if count <= 5 * _SAVED else -(-count // (_SAVED - 1))
        return np.unique(np.append(np.arange(first, last + 1, every), last)) * step
    given = saved_times(times, end, begin)
    steps = np.round(given / step)
    off = np.abs(given - steps * step) > 1e-9 * step * np.maximum(1.0, steps)
    if off.any():
        raise InputError(f"times: {given[off][0]:g} is not a multiple of the step {step:g}")
    return np.asarray(steps * step)
