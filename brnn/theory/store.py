"""STORE working memory (40)-(42), and what is read out of it with noise: closed forms.

    dx_i/dt = (A_j I_i + y_i - x_i x) I      dy_i/dt = (x_i - y_i) (1 - I)      x = sum x_k, I = sum I_k

While item j is on, y stands still and x_i goes to b_i/S_j, b_i = y_i + A_j for the item's cell and b_i = y_i for the
others, S_j^2 = sum b_k; in the gap after it y goes to x. After long pulses and gaps the whole state is therefore

    S_0 = 0,  S_j = sqrt(A_j + S_{j-1}):   the new item is stored as A_j/S_j, each older one is divided by S_j.

A_j = A (strength of item j); with constant attention A_j = A. What follows from it:

- x_j/x_{j+1} = 1/S_j: primacy as long as S_j < 1, recency from then on, so that long lists bow. S_j rises to
  (1 + sqrt(1 + 4 A))/2 > 1, the capacity, whatever the list is (normalization).
- ratios of stored items never change again (LTM invariance), since all older items are divided by the same number.
- a list of n items has primacy throughout if S_{n-1} < 1: A < A_n, with A_2 = 1, A_3 = (3 - sqrt 5)/2, ...
  The largest such n is the transient memory span.

Pulses and gaps need not be long: with u(t) = cosh(S t) + (X/S) sinh(S t), X = x at the beginning of the pulse,

    x = u'/u,      x_i(t) = [x_i(0) + b_i int_0^t u ds]/u(t),      and in a gap   y_i(t) = x_i + (y_i(0) - x_i) exp(-t),

the exact state at every time (`presented`), from which the length of pulses and gaps that a list needs follows.

Read-out: the largest item is performed first and inhibits itself. If to each stored activity y_i an independent normal
number with standard deviation s is added, items i and j change places with probability Phi(-(y_i - y_j)/(s sqrt 2)),
and an item is above a threshold h with probability Phi((y_i - h)/s).

Source: review, equations (40)-(42); Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480 (primacy,
recency, bow, invariance). Grossberg (1978) for the transient memory span and for transpositions as noise at neighbours.
The closed forms of this page are derived here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.errors import InputError

__all__ = [
    "boundary",
    "capacity",
    "deviation",
    "gradient",
    "history",
    "needed_duration",
    "needed_gap",
    "output_positions",
    "presented",
    "recalled",
    "span",
    "stored",
    "totals",
    "transposed",
    "trough",
]

_LONGEST_SPAN = 10_000


def _inputs(A: float, n: int, strengths: ArrayLike | None) -> np.ndarray:
    """Return A_j of each item."""
    if not (math.isfinite(A) and A > 0):
        raise InputError(f"store: A = {A!r}: must be a finite number > 0")
    if n < 1:
        raise InputError(f"store: n = {n!r}: must be at least 1")
    return np.asarray(A * np.broadcast_to(1.0 if strengths is None else np.asarray(strengths, dtype=float), (n,)))


def totals(A: float, n: int, strengths: ArrayLike | None = None) -> np.ndarray:
    """Return the total activity S_j after each item, ``S_j = sqrt(A_j + S_{j-1})``.

    Parameters
    ----------
    A : float, > 0
        Strength of the input.
    n : int, >= 1
        Number of items.
    strengths : float or array, shape (n,), > 0, optional
        Attention: factor of A for each item.

    Returns
    -------
    ndarray, shape (n,)
    """
    total, found = 0.0, []
    for a in _inputs(A, n, strengths):
        total = math.sqrt(a + total)
        found.append(total)
    return np.array(found)


def history(
    A: float, n: int, strengths: ArrayLike | None = None, items: ArrayLike | None = None, cells: int | None = None
) -> np.ndarray:
    """Return what every cell holds after each item, for pulses and gaps that are long enough.

    Parameters
    ----------
    A, n, strengths
        As for `totals`.
    items : array of int, shape (n,), optional
        The cell of each item; by default item j has cell j. A cell may come more than once.
    cells : int, optional
        Number of cells; by default the least that has room for all items.

    Returns
    -------
    ndarray, shape (n, cells)
    """
    places = np.arange(n) if items is None else np.asarray(items, dtype=int)
    state = np.zeros(places.max() + 1 if cells is None else cells)
    found = []
    for a, place in zip(_inputs(A, n, strengths), places, strict=True):
        state[place] += a
        state /= math.sqrt(state.sum())
        found.append(state.copy())
    return np.array(found)


def stored(
    A: float, n: int, strengths: ArrayLike | None = None, items: ArrayLike | None = None, cells: int | None = None
) -> np.ndarray:
    """Return what every cell holds after the whole list; see `history`."""
    return np.asarray(history(A, n, strengths, items, cells)[-1])


def presented(
    A: float,
    n: int,
    duration: ArrayLike,
    gap: ArrayLike,
    strengths: ArrayLike | None = None,
    items: ArrayLike | None = None,
    cells: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y at the end of each gap, for pulses and gaps of any length: the exact solution.

    Parameters
    ----------
    A, n, strengths, items, cells
        As for `history`.
    duration, gap : float or array, shape (n,)
        How long each item is on, and the silence after it; may be infinite.

    Returns
    -------
    x, y : ndarray, shape (n, cells)
    """
    places = np.arange(n) if items is None else np.asarray(items, dtype=int)
    x = np.zeros(places.max() + 1 if cells is None else cells)
    y = np.zeros_like(x)
    xs, ys = [], []
    lengths, silences = (np.broadcast_to(np.asarray(value, dtype=float), (n,)) for value in (duration, gap))
    for a, place, length, silence in zip(_inputs(A, n, strengths), places, lengths, silences, strict=True):
        b = y.copy()
        b[place] += a
        S, X = math.sqrt(b.sum()), x.sum()
        fade = math.exp(-S * length)  # all terms are divided by exp(S t), so that none overflows
        sinh, cosh = 0.5 * (1.0 - fade * fade), 0.5 * (1.0 + fade * fade)
        u = cosh + X / S * sinh
        area = sinh / S + X / S**2 * (cosh - fade)
        x = (x * fade + b * area) / u
        y = x + (y - x) * math.exp(-silence)
        xs.append(x)
        ys.append(y)
    return np.array(xs), np.array(ys)


def deviation(
    A: float,
    n: int,
    duration: ArrayLike,
    gap: ArrayLike,
    strengths: ArrayLike | None = None,
    items: ArrayLike | None = None,
) -> float:
    """Return the largest relative difference, after any item, between `presented` and `history`.

    It says how far a memory with these pulses and gaps is from one that equilibrates.
    """
    settled = history(A, n, strengths, items)
    _, y = presented(A, n, duration, gap, strengths, items)
    seen = settled > 0
    return float(np.abs(y[seen] / settled[seen] - 1.0).max())


def _least(error: Callable[[float], float], tolerance: float) -> float:
    """Return the least length whose error is within the tolerance."""
    if not 0 < tolerance < 1:
        raise InputError(f"store: tolerance = {tolerance!r}: must lie between 0 and 1")
    high = 1.0
    while error(high) > tolerance:
        high *= 2.0
    low = 0.0
    while high - low > 1e-3 * high:
        middle = 0.5 * (low + high)
        low, high = (middle, high) if error(middle) > tolerance else (low, middle)
    return high


def needed_duration(
    A: float,
    n: int,
    tolerance: float = 0.01,
    strengths: ArrayLike | None = None,
    items: ArrayLike | None = None,
) -> float:
    """Return how long each item must be on (to 0.1 %) for all stored items to be right to a relative `tolerance`.

    Gaps are taken to be long.
    """
    return _least(lambda length: deviation(A, n, length, np.inf, strengths, items), tolerance)


def needed_gap(
    A: float,
    n: int,
    tolerance: float = 0.01,
    strengths: ArrayLike | None = None,
    items: ArrayLike | None = None,
) -> float:
    """Return how long gaps must be (to 0.1 %) for all stored items to be right to a relative `tolerance`.

    Pulses are taken to be long.
    """
    return _least(lambda silence: deviation(A, n, np.inf, silence, strengths, items), tolerance)


def capacity(A: float) -> float:
    """Return the total activity that every list tends to, ``(1 + sqrt(1 + 4 A))/2``."""
    return 0.5 * (1.0 + math.sqrt(1.0 + 4.0 * _inputs(A, 1, None)[0]))


def boundary(n: int) -> float:
    """Return A_n: a list of n items has primacy throughout if and only if A < A_n.

    It is where S_{n-1} = 1, which is a root of a polynomial; A_2 = 1, A_3 = (3 - sqrt 5)/2.

    Parameters
    ----------
    n : int, >= 2
        Length of the list.
    """
    from scipy.optimize import brentq

    if n < 2:
        raise InputError(f"store: n = {n!r}: a gradient needs at least 2 items")
    if n == 2:
        return 1.0
    return float(brentq(lambda A: totals(A, n - 1)[-1] - 1.0, 1e-12, 1.0, xtol=1e-15, rtol=1e-14))


def span(A: float) -> int:
    """Return the transient memory span: the length of the longest list with primacy throughout (1 for A >= 1)."""
    total, n = math.sqrt(_inputs(A, 1, None)[0]), 1
    while total < 1.0:
        if n >= _LONGEST_SPAN:
            raise InputError(f"store: A = {A!r}: the span is longer than {_LONGEST_SPAN} items")
        total, n = math.sqrt(A + total), n + 1
    return n


def trough(A: float, n: int) -> int:
    """Return the position (from 1 on) of the smallest item; of two equal ones (S_j = 1) the earlier."""
    return min(span(A), n)


def gradient(A: float, n: int) -> str:
    """Return the gradient of a list of n >= 2 items: "primacy", "bow", "recency", or "flat" (A = 1, n = 2)."""
    steps = totals(A, n)[:-1] - 1.0
    if not steps.size:
        raise InputError(f"store: n = {n!r}: a gradient needs at least 2 items")
    if (steps < 0).all():
        return "primacy"
    if (steps < 0).any():
        return "bow"
    return "recency" if (steps > 0).any() else "flat"


# Read-out with noise --------------------------------------------------------------------------------------------


def _normal(z: Any) -> np.ndarray:
    from scipy.special import ndtr

    return np.asarray(ndtr(z))


def recalled(y: ArrayLike, threshold: float, noise: float) -> np.ndarray:
    """Return the probability that each item is above the threshold, ``Phi((y_i - threshold)/noise)``."""
    return _normal((np.asarray(y, dtype=float) - threshold) / noise)


def transposed(y: ArrayLike, noise: float) -> np.ndarray:
    """Return the probability that item i is performed after item j, ``Phi(-(y_i - y_j)/(noise sqrt 2))``.

    Parameters
    ----------
    y : array, shape (n,)
        Stored activities.
    noise : float, > 0
        Standard deviation of the normal number that is added to each.

    Returns
    -------
    ndarray, shape (n, n)
        Element [i, j]; 1/2 on the diagonal.
    """
    values = np.asarray(y, dtype=float)
    return _normal((values[None, :] - values[:, None]) / (noise * math.sqrt(2.0)))


def output_positions(y: ArrayLike, noise: float) -> np.ndarray:
    """Return the probability that item i is performed as number k, when all items are performed, the largest first.

    Given the noisy value v of item i, the number of items before it is a sum of independent events with the
    probabilities Phi((y_j - v)/noise); the mean over v is taken by Gauss-Hermite quadrature.

    Parameters
    ----------
    y : array, shape (n,)
        Stored activities.
    noise : float, > 0
        Standard deviation of the normal number that is added to each.

    Returns
    -------
    ndarray, shape (n, n)
        Element [i, k]; rows and columns add up to 1.
    """
    values = np.asarray(y, dtype=float)
    nodes, weights = np.polynomial.hermite_e.hermegauss(96)
    weights = weights / weights.sum()
    n = values.size
    found = np.zeros((n, n))
    for i in range(n):
        v = values[i] + noise * nodes
        before = np.zeros((nodes.size, n))
        before[:, 0] = 1.0  # number of items that come before, one item after the other
        for j in range(n):
            if j == i:
                continue
            p = _normal((values[j] - v) / noise)[:, None]
            before[:, 1:] = before[:, 1:] * (1.0 - p) + before[:, :-1] * p
            before[:, :1] *= 1.0 - p
        found[i] = weights @ before
    return found
