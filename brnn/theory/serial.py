"""Serial learning without feedback: which associations a list leaves behind, in closed form.

    dx_i/dt = -A x_i + I_i(t)                                                        I_i = I while item i is shown
    dz_ji/dt = -u z_ji + M [x_j(t - tau) - threshold]+ x_i(t)                        association from item j to item i

This is the fully recurrent learner in the limit of weak feedback (a "bare field"). Activities are exponentials between
onsets and offsets, signals are between crossings of the threshold, too, and products of exponentials are integrated
exactly.

What counts when item j is a cue is how strong the right association is among all that start from it,

    Z_j = z_j,j+1 / sum_(i != j) z_ji.

If one list has been shown once, z_ji = g(i - j). The denominator of Z_j sums g over all lags from 1 - j to n - j, so
that from one position to the next it changes by g(-j) - g(n - j): it rises, and Z_j falls, as long as the association
back over j items is stronger than that ahead over the n - j items that are left. So every list is bowed.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["activities", "associations", "correct", "hardest", "lags"]


def activities(times: Any, onsets: np.ndarray, on: float, I: float, A: float) -> np.ndarray:
    """Return x_i(t), shape (times, items).

    Parameters
    ----------
    times : array, shape (times,)
    onsets : ndarray, shape (items, trials)
        When each item begins in each trial.
    on : float
        How long each item is shown.
    I : float
        Input of an item that is shown (1/time).
    A : float
        Decay rate (1/time).
    """
    t = np.atleast_1d(np.asarray(times, dtype=np.float64))
    x = np.zeros((t.size, len(onsets)))
    for trial in onsets.T:
        since = t[:, None] - trial
        x += np.exp(-A * np.maximum(since - on, 0.0)) * -np.expm1(-A * np.clip(since, 0.0, on)) * (I / A)
    return x


def associations(
    onsets: np.ndarray,
    on: float,
    I: float,
    A: float,
    end: float,
    *,
    threshold: float = 0.0,
    tau: float = 0.0,
    M: float = 1.0,
    u: float = 0.0,
) -> np.ndarray:
    """Return the weights z_ji at the time `end`, in the order [i, j]: to item i, from item j; 0 from an item to itself.

    Parameters
    ----------
    onsets, on, I, A
        As for `activities`.
    end : float
        When the weights are read.
    threshold : float, >= 0
        Activity from which a cell sends a signal.
    tau : float, >= 0
        Lag of the signals.
    M : float
        Learning rate.
    u : float, >= 0
        Rate of forgetting.
    """
    edges = np.concatenate([onsets.ravel(), onsets.ravel() + on])
    edges = np.unique(np.concatenate([[0.0], edges, edges + tau, [end]]))
    nodes = np.unique(np.concatenate([edges, _crossings(edges, onsets, on, I, A, threshold) + tau]))
    nodes = nodes[(nodes >= 0.0) & (nodes <= end)]
    h, middle = np.diff(nodes), 0.5 * (nodes[1:] + nodes[:-1])
    a, b = _parts(nodes[:-1], middle, onsets, on, I, A)
    p, q = _parts(nodes[:-1] - tau, middle - tau, onsets, on, I, A)
    signals = activities(middle - tau, onsets, on, I, A) > threshold
    p, q = np.where(signals, p - threshold, 0.0), np.where(signals, q, 0.0)
    kept = np.exp(-u * (end - nodes[:-1]))
    one, decaying, twice = (kept * _integral(u - rate, h) for rate in (0.0, A, 2.0 * A))
    z = (a.T * one) @ p + (b.T * decaying) @ p + (a.T * decaying) @ q + (b.T * twice) @ q
    np.fill_diagonal(z, 0.0)
    return np.asarray(M * z)


def _parts(starts: np.ndarray, middle: np.ndarray, onsets: np.ndarray, on: float, I: float, A: float) -> Any:
    """Return a and b of x_i(t) = a + b exp(-A (t - start)) in each segment, each of shape (segments, items)."""
    shown = np.zeros((middle.size, len(onsets)))
    for trial in onsets.T:
        since = middle[:, None] - trial
        shown += (0.0 < since) & (since < on)
    level = shown * (I / A)
    return level, activities(starts, onsets, on, I, A) - level


def _crossings(edges: np.ndarray, onsets: np.ndarray, on: float, I: float, A: float, threshold: float) -> np.ndarray:
    """Return when an activity crosses the threshold, whichever item's it is."""
    starts = edges[:-1]
    level, away = _parts(starts, 0.5 * (edges[1:] + starts), onsets, on, I, A)
    with np.errstate(divide="ignore", invalid="ignore"):
        time = -np.log((threshold - level) / away) / A
    inside = np.isfinite(time) & (time > 0.0) & (time < np.diff(edges)[:, None])
    return np.asarray((starts[:, None] + time)[inside])


def _integral(rate: float, h: np.ndarray) -> np.ndarray:
    """Return the integral of exp(rate s) from 0 to h."""
    return h if rate == 0.0 else np.expm1(rate * h) / rate


def correct(z: np.ndarray) -> np.ndarray:
    """Return Z_j of each item but the last: the part of the associations from j that leads to j + 1 (0 if it has none).

    Parameters
    ----------
    z : ndarray, shape (items, items)
        Weights [to, from]; those from an item to itself do not count.
    """
    others = (z.sum(axis=0) - np.diagonal(z))[:-1]
    return np.divide(np.diagonal(z, -1), others, out=np.zeros(others.size), where=others > 0.0)


def lags(n: int, interval: float, on: float, I: float, A: float, **options: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the associations g(d) ahead and g(-d) back over d = 1, ..., n - 1 items, long after one list.

    Parameters
    ----------
    n : int
        Items of the list.
    interval : float
        From the onset of one to the onset of the next.
    on, I, A
        As for `activities`.
    **options
        Threshold, tau and M of `associations`.
    """
    onsets = interval * np.arange(n, dtype=np.float64)[:, None]
    z = associations(onsets, on, I, A, onsets[-1, 0] + 60.0 / A + options.get("tau", 0.0), **options)
    return z[1:, 0], z[-2::-1, -1]


def hardest(ahead: np.ndarray, back: np.ndarray) -> int:
    """Return the position j (from 1 on) with the smallest Z_j: the first with g(-j) <= g(n - j)."""
    rising = back[:-1] > ahead[:0:-1]  # the last Z is that of the last item but one
    return int(np.argmin(np.append(rising, False))) + 1
