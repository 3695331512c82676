"""Spatial maps of firing: rate maps, their autocorrelation, gridness and grid spacing.

All functions take arrays of one axis along x and one along y; none of them knows a network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, whole
from brnn.errors import InputError

__all__ = ["GridScore", "autocorrelogram", "grid_score", "rate_map"]

_LEAST = 20  # overlapping bins of a correlation
_SIGMAS = 2  # the smoothing kernel ends after so many: 5 x 5 bins for a deviation of one


def rate_map(
    x: ArrayLike,
    y: ArrayLike,
    amount: ArrayLike,
    time: ArrayLike,
    *,
    limits: ArrayLike = (-50.0, 50.0, -50.0, 50.0),
    bins: int = 40,
    smoothing: float = 1.0,
) -> np.ndarray:
    """Return how much each cell fires in each bin of the arena: sums of amounts over sums of time, each smoothed.

    Parameters
    ----------
    x, y : array, shape (samples,)
        Where the animal was.
    amount : array, shape (samples,) or (samples, cells)
        What was fired there: spikes, or a rate times the time of the sample.
    time : float or array, shape (samples,)
        How long each sample lasts.
    limits : array, shape (4,)
        Least x, largest x, least y, largest y.
    bins : int, >= 2
        Along each axis.
    smoothing : float, >= 0
        Standard deviation of the Gaussian with which amounts and times are smoothed, in bins; it ends after two.

    Returns
    -------
    ndarray, shape (bins, bins) or (cells, bins, bins)
        Rates, first axis x; NaN where the animal never came near.
    """
    places = [array(value, f"rate_map: {name}", ndim=1) for name, value in (("x", x), ("y", y))]
    count = whole(bins, "rate_map: bins", minimum=2)
    walls = array(limits, "rate_map: limits", shape=(4,))
    amounts = np.asarray(amount, dtype=np.float64)
    single = amounts.ndim == 1
    amounts = amounts[:, None] if single else amounts
    if places[0].shape != places[1].shape or len(amounts) != places[0].size:
        raise InputError(
            f"rate_map: x, y and amount have {places[0].size}, {places[1].size} and {len(amounts)} samples, "
            f"must have as many"
        )
    row, column = (
        np.clip(((p - walls[2 * k]) / (walls[2 * k + 1] - walls[2 * k]) * count).astype(int), 0, count - 1)
        for k, p in enumerate(places)
    )
    flat = row * count + column
    lasted = np.bincount(flat, np.broadcast_to(time, flat.shape), count * count).reshape(count, count)
    lasted = _smoothed(lasted, number(smoothing, "rate_map: smoothing", minimum=0.0))
    maps = np.empty((amounts.shape[1], count, count))
    with np.errstate(invalid="ignore", divide="ignore"):
        for k in range(len(maps)):
            total = np.bincount(flat, amounts[:, k], count * count).reshape(count, count)
            maps[k] = np.where(lasted > 0.0, _smoothed(total, smoothing) / lasted, np.nan)
    return maps[0] if single else maps


def _smoothed(values: np.ndarray, deviation: float) -> np.ndarray:
    if deviation == 0.0:
        return values
    reach = max(1, round(_SIGMAS * deviation))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / deviation) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        wide = np.apply_along_axis(np.convolve, axis, values, taps)
        values = np.take(wide, range(reach, reach + values.shape[axis]), axis)
    return values


def autocorrelogram(rates: ArrayLike) -> np.ndarray:
    """Return the correlation of a rate map with itself, shifted by every number of bins along both axes.

    Parameters
    ----------
    rates : array, shape (n, m)
        A rate map; bins that are NaN are left out.

    Returns
    -------
    ndarray, shape (2 n - 1, 2 m - 1)
        Pearson's correlation of the bins that overlap; NaN where fewer than 20 do. The middle is 1.
    """
    given = np.asarray(rates, dtype=np.float64)
    if given.ndim != 2:
        raise InputError(f"autocorrelogram: rates: has {given.ndim} axes, must be a rate map of two")
    known = np.isfinite(given)
    values = np.where(known, given, 0.0)
    values = np.where(known, values - values.sum() / max(known.sum(), 1), 0.0)  # for rounding alone
    shape = [2 * size - 1 for size in given.shape]

    def shifted(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        product = np.fft.rfft2(a, shape) * np.conj(np.fft.rfft2(b, shape))
        return np.asarray(np.fft.fftshift(np.fft.irfft2(product, shape)))

    mask = known.astype(np.float64)
    count = np.round(shifted(mask, mask))
    first, second = shifted(values, mask), shifted(mask, values)
    squares, others = shifted(values**2, mask), shifted(mask, values**2)
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = shifted(values, values) - first * second / count
        spread = (squares - first**2 / count) * (others - second**2 / count)
        scale = float((values**2).sum()) ** 2
        result = np.where((count >= _LEAST) & (spread > 1e-20 * scale), covariance / np.sqrt(spread), np.nan)
    return np.asarray(result)


@dataclass(frozen=True)
class GridScore:
    """How much a rate map is a grid.

    Attributes
    ----------
    gridness : float
        Of the ring of the autocorrelogram that holds its nearest peaks: the smaller of its correlations with itself
        turned by 60 and 120 degrees, minus the largest with itself turned by 30, 90 and 150. NaN without such a ring.
    spacing : float
        Median distance of the (up to six) nearest peaks from the middle, in bins. NaN without any.
    """

    gridness: float
    spacing: float


def grid_score(rates: ArrayLike) -> GridScore:
    """Return gridness and spacing of a rate map.

    The ring begins where the mean of the autocorrelogram around the middle has its first minimum, and ends as far
    beyond its next maximum as that lies beyond the minimum.
    """
    from scipy.ndimage import map_coordinates, maximum_filter

    nothing = GridScore(float("nan"), float("nan"))
    found = autocorrelogram(rates)
    middle = np.array(found.shape) // 2
    if not np.isfinite(found[tuple(middle)]):
        return nothing  # the map is constant
    i, j = np.meshgrid(*map(np.arange, found.shape), indexing="ij")
    r = np.hypot(i - middle[0], j - middle[1])
    filled = np.where(np.isfinite(found), found, 0.0)
    whole_bins = np.round(r).astype(int)
    reach = int(min(middle))
    mean = np.bincount(whole_bins.ravel(), filled.ravel())[:reach] / np.bincount(whole_bins.ravel())[:reach]
    rises = np.flatnonzero(np.diff(mean) > 0.0)
    if not rises.size:
        return nothing
    inner = int(rises[0])
    falls = np.flatnonzero(np.diff(mean[inner:]) < 0.0)
    if not falls.size or inner < 1:
        return nothing
    peak = inner + int(falls[0])
    outer = min(2 * peak - inner, reach)
    smooth = _smoothed(filled, 1.0)
    peaks = np.asarray(smooth == maximum_filter(smooth, size=5)) & (r > inner) & (smooth > 0.0)
    near: np.ndarray = np.sort(r[peaks])[:6]
    near = near[near <= 1.5 * near[0]] if near.size else near
    ring = (r >= inner) & (r <= outer) & np.isfinite(found)
    y, x = i[ring] - middle[0], j[ring] - middle[1]
    correlations = {}
    for degrees in (30, 60, 90, 120, 150):
        c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
        turned = map_coordinates(filled, [middle[0] + c * y - s * x, middle[1] + s * y + c * x], order=1)
        correlations[degrees] = float(np.corrcoef(filled[ring], turned)[0, 1])
    gridness = min(correlations[60], correlations[120]) - max(correlations[30], correlations[90], correlations[150])
    return GridScore(gridness, _refined(filled, peaks, r, near) if near.size else float("nan"))


def _refined(values: np.ndarray, peaks: np.ndarray, r: np.ndarray, near: np.ndarray) -> float:
    """Return the median distance of peaks, each by the centroid of what is positive within two bins of it."""
    middle = np.array(values.shape) // 2
    distances = []
    for row, column in np.argwhere(peaks & (r <= near[-1])).tolist():
        if not (2 <= row < values.shape[0] - 2 and 2 <= column < values.shape[1] - 2):
            continue
        box = np.maximum(values[row - 2 : row + 3, column - 2 : column + 3], 0.0)
        shift = np.arange(-2, 3)
        total = box.sum()
        at = np.array([row + (box.sum(axis=1) @ shift) / total, column + (box.sum(axis=0) @ shift) / total])
        distances.append(float(np.hypot(*(at - middle))))
    return float(np.median(distances)) if distances else float("nan")
