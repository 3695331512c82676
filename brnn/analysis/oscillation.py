"""Period, range and phase of a recorded oscillation, and when a wave arrives.

Between samples a curve is taken for the cubic through the four nearest ones (for extrema, the quartic through five),
so that the error of a crossing falls with the fourth power of the spacing: about a hundred samples in the fastest part
of a cycle give six digits. Times need not be evenly spaced.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from brnn.errors import InputError

__all__ = ["Oscillation", "arrival_times", "measure_oscillation", "phase_lag"]

_HYSTERESIS = 0.1  # of the swing: what falls less than this below the level has not gone down
_FEWEST = 5  # samples, those of a quartic


@dataclass(frozen=True, eq=False)
class Oscillation:
    """A measured oscillation.

    Attributes
    ----------
    level : float
        The value whose upward crossings begin the cycles.
    crossings : ndarray, shape (cycles + 1,)
        Their times; empty if there is none.
    maxima, minima : ndarray, shape (cycles,)
        Largest and smallest value of each cycle.
    """

    level: float
    crossings: np.ndarray
    maxima: np.ndarray
    minima: np.ndarray

    @property
    def cycles(self) -> int:
        """Number of whole cycles."""
        return max(0, self.crossings.size - 1)

    @property
    def periods(self) -> np.ndarray:
        """Duration of each cycle, shape (cycles,)."""
        return np.diff(self.crossings)

    @property
    def period(self) -> float:
        """Mean duration of a cycle; NaN if there is no whole cycle."""
        return float(self.periods.mean()) if self.cycles else float("nan")

    @property
    def low(self) -> float:
        """Mean of the minima; NaN if there is no whole cycle."""
        return float(self.minima.mean()) if self.cycles else float("nan")

    @property
    def high(self) -> float:
        """Mean of the maxima; NaN if there is no whole cycle."""
        return float(self.maxima.mean()) if self.cycles else float("nan")

    @property
    def amplitude(self) -> float:
        """Half the distance from `low` to `high`; NaN if there is no whole cycle."""
        return 0.5 * (self.high - self.low)

    @property
    def irregularity(self) -> float:
        """Largest relative deviation of one cycle's duration from the mean: 0 on a limit cycle."""
        return float(np.abs(self.periods / self.period - 1.0).max()) if self.cycles else float("nan")

    def __repr__(self) -> str:
        if not self.cycles:
            return f"Oscillation(no whole cycle about {self.level:.6g})"
        return f"Oscillation({self.cycles} cycles, period {self.period:.8g}, from {self.low:.8g} to {self.high:.8g})"


def measure_oscillation(
    time: Any, values: Any, *, start: float | None = None, level: float | None = None
) -> Oscillation:
    """Measure the cycles of a recorded quantity.

    A cycle goes from one upward crossing of `level` to the next. A crossing counts only if, since the one before, the
    curve fell below the level by a tenth of its swing, so that small ripples are no cycles.

    Parameters
    ----------
    time : array, shape (samples,)
        Rising times, at least five.
    values : array, shape (samples,)
        One quantity at these times.
    start : float, optional
        Samples before this time (a transient) are left out.
    level : float, optional
        Where cycles begin; by default the middle between the smallest and the largest value.

    Returns
    -------
    Oscillation
        Without any cycle if the curve is constant or does not come back.

    Raises
    ------
    InputError
        If shapes do not fit, values are not finite, times do not rise, or fewer than five samples are left.
    """
    t, x = _series(time, values, start)
    if x.ndim != 1:
        raise InputError(f"values: has shape {x.shape}, must be one quantity at each of the {t.size} times")
    low, high = -_peak(t, -x, 0, t.size), _peak(t, x, 0, t.size)
    middle = 0.5 * (low + high) if level is None else float(level)
    if not np.isfinite(middle):
        raise InputError(f"level = {middle}: must be finite")
    places = _upward(x, middle, _HYSTERESIS * (high - low))
    crossings = np.array([_crossing(t, x, k, middle) for k in places])
    maxima, minima = [], []
    for first, last in pairwise(places):
        maxima.append(_peak(t, x, first, last + 1))
        minima.append(-_peak(t, -x, first, last + 1))
    return Oscillation(middle, crossings, np.array(maxima), np.array(minima))


def phase_lag(time: Any, first: Any, second: Any, *, start: float | None = None) -> float:
    """Return by which fraction of a cycle, in [0, 1), the second of two quantities lags behind the first.

    Each is timed by the upward crossings of its own middle level: 0 is synchrony, 0.5 antiphase.

    Raises
    ------
    InputError
        As `measure_oscillation`, or if one of them does not oscillate.
    """
    one = measure_oscillation(time, first, start=start)
    other = measure_oscillation(time, second, start=start)
    if not (one.cycles and other.cycles):
        raise InputError("phase_lag: both quantities must go through at least one whole cycle")
    # Angles, because fractions just above 0 and just below 1 are neighbours.
    at = np.interp(other.crossings, one.crossings, np.arange(one.crossings.size), left=np.nan, right=np.nan)
    angles = np.exp(2j * np.pi * at[np.isfinite(at)])
    if not angles.size:
        raise InputError("phase_lag: the two quantities have no common cycle")
    lag = float(np.angle(angles.mean())) / (2.0 * np.pi) % 1.0
    return 0.0 if lag > 1.0 - 1e-12 else lag  # rounding of synchrony


def arrival_times(time: Any, values: Any, level: float) -> np.ndarray:
    """Return when each of several quantities first rises above `level`; NaN for those that never do.

    A quantity that is above it at the first sample has that time.

    Parameters
    ----------
    time : array, shape (samples,)
        Rising times, at least five.
    values : array, shape ``(samples, *cells)``
        The quantities.
    level : float
        What counts as arrival.

    Returns
    -------
    ndarray, shape (cells,)

    Raises
    ------
    InputError
        As `measure_oscillation`.
    """
    t, x = _series(time, values, None)
    if not np.isfinite(level):
        raise InputError(f"level = {level}: must be finite")
    flat = x.reshape(t.size, -1)
    arrivals = np.full(flat.shape[1], np.nan)
    for cell, curve in enumerate(flat.T):
        above = np.flatnonzero(curve >= level)
        if above.size:
            arrivals[cell] = t[0] if above[0] == 0 else _crossing(t, curve, int(above[0]), level)
    return arrivals.reshape(x.shape[1:])


def _series(time: Any, values: Any, start: float | None) -> tuple[np.ndarray, np.ndarray]:
    """Return times and values from `start` on, checked."""
    try:
        t, x = np.asarray(time, dtype=np.float64), np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("time and values must be arrays of numbers") from None
    if t.ndim != 1 or x.shape[:1] != t.shape:
        raise InputError(f"values: has shape {x.shape}, must begin with one row for each time {t.shape}")
    if not (np.isfinite(t).all() and np.isfinite(x).all()):
        raise InputError("time and values must be finite")
    if (np.diff(t) <= 0).any():
        raise InputError("time: must rise")
    if start is not None:
        t, x = t[t >= start], x[t >= start]
    if t.size < _FEWEST:
        raise InputError(f"values: {t.size} samples are too few, at least {_FEWEST} are needed")
    return t, x


def _upward(x: np.ndarray, level: float, margin: float) -> list[int]:
    """Return the indices k with x[k - 1] < level <= x[k], one for each time that x was below level - margin."""
    rises = 1 + np.flatnonzero((x[:-1] < level) & (x[1:] >= level))
    lows = np.flatnonzero(x < level - margin)
    places: list[int] = []
    for k in rises:
        before = lows[: np.searchsorted(lows, k)]
        if before.size and (not places or before[-1] > places[-1]):
            places.append(int(k))
    return places


def _crossing(t: np.ndarray, x: np.ndarray, k: int, level: float) -> float:
    """Return when the curve crosses `level` between the samples k - 1 and k."""
    first = min(max(k - 2, 0), t.size - 4)
    width = t[k] - t[k - 1]
    polynomial = _through((t[first : first + 4] - t[k - 1]) / width, x[first : first + 4] - level)
    low, high = 0.0, 1.0
    place = (level - x[k - 1]) / (x[k] - x[k - 1])
    slope = np.polyder(polynomial)
    for _ in range(60):  # Newton's method, and bisection where it would leave the bracket
        value = float(np.polyval(polynomial, place))
        low, high = (place, high) if value < 0 else (low, place)
        steep = float(np.polyval(slope, place))
        new = place - value / steep if steep > 0 else 0.5 * (low + high)
        new = new if low <= new <= high else 0.5 * (low + high)
        if abs(new - place) < 1e-15:
            break
        place = new
    return float(t[k - 1] + place * width)


def _peak(t: np.ndarray, x: np.ndarray, first: int, stop: int) -> float:
    """Return the largest value of the curve at the samples first, ..., stop - 1 and between them."""
    k = first + int(np.argmax(x[first:stop]))
    begin = min(max(k - 2, 0), t.size - _FEWEST)
    span = slice(begin, begin + _FEWEST)
    width = t[span][-1] - t[span][0]
    places = (t[span] - t[k]) / width
    polynomial = _through(places, x[span] - x[k])
    roots = np.roots(np.polyder(polynomial))
    near = roots.real[np.abs(roots.imag) < 1e-9]
    left, right = places[max(k - 1 - begin, 0)], places[min(k + 1 - begin, _FEWEST - 1)]
    near = near[(near > left) & (near < right)]
    return float(x[k] + max([0.0, *np.polyval(polynomial, near)]))


def _through(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return the coefficients of the polynomial through a few points, highest power first."""
    return np.asarray(np.linalg.solve(np.vander(places), values))
