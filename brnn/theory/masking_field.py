"""Masking fields: strengths that grow with the length of a list, choice states, and why they come to rest.

    dx_J/dt = -A x_J + (B - x_J) [S_J + D |J| f(x_J)] - (x_J + C) E sum_K c_JK g(x_K),
    c_JK = |K| (1 + |K n J|)/N_J,   N_J = sum_K |K| (1 + |K n J|),   S_J = sum_{j in J} I_j p_jJ

J and K are lists of items, |J| their length, |K n J| how many items two lists share.

A masking field is a system of Cohen and Grossberg (32) whatever its lists are: |J| N_J c_JK = |J| |K| (1 + |K n J|) is
symmetric, and (32) allows such a factor for each cell. So every trajectory converges.

Source: the equations as recalled from Cohen and Grossberg (1987), Masking fields, Applied Optics 26, 1866-1891; what
follows from them is derived here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from brnn.base.odes import solved

__all__ = ["choice", "filter_weights", "inhibition", "masses", "settled", "velocity"]

RealFunction = Callable[[Any], Any]


def inhibition(lists: Sequence[str]) -> np.ndarray:
    """Return c_JK, shape (lists, lists): how strongly list K inhibits list J; the sum over K is 1."""
    result = np.array([[len(K) * (1 + len(set(K) & set(J))) for K in lists] for J in lists], dtype=np.float64)
    return result / result.sum(axis=1, keepdims=True)


def masses(lists: Sequence[str]) -> np.ndarray:
    """Return ``|J| N_J``, the factors that make c_JK symmetric, shape (lists,)."""
    return np.array([len(J) * sum(len(K) * (1 + len(set(K) & set(J))) for K in lists) for J in lists], dtype=np.float64)


def filter_weights(lists: Sequence[str], items: str, gradient: float = 1.0) -> np.ndarray:
    """Return p_jJ, shape (lists, items): what a cell has learned from its own list as an item-and-order gradient.

    The k-th item of a list of m has ``p = gradient**k/(1 + gradient + ... + gradient**(m - 1))``: the weights of a cell
    have the sum 1, however long its list is.
    """
    result = np.zeros((len(lists), len(items)))
    for J, word in enumerate(lists):
        for k, item in enumerate(word):
            result[J, items.index(item)] = gradient**k
    return result / result.sum(axis=1, keepdims=True)


def velocity(
    x: Any, S: Any, lists: Sequence[str], A: float, B: float, C: float, D: float, E: float, f: RealFunction
) -> np.ndarray:
    """Return dx/dt, list by list and with g = f, as the equation stands at the top of this page.

    Parameters
    ----------
    x, S : array, shape (lists,)
        Activities, and inputs through the filter.

    Returns
    -------
    ndarray, shape (lists,)
    """
    result = []
    for j, J in enumerate(lists):
        shared = [len(K) * (1 + len(set(K) & set(J))) for K in lists]
        masked = sum(weight * float(f(x[k])) for k, weight in enumerate(shared)) / sum(shared)
        excited = S[j] + D * len(J) * float(f(x[j]))
        result.append(-A * x[j] + (B - x[j]) * excited - (x[j] + C) * E * masked)
    return np.array(result)


def choice(
    S: Any, lists: Sequence[str], winner: int, A: float, B: float, C: float, D: float, E: float, f: RealFunction
) -> np.ndarray | None:
    """Return the equilibrium at which only the cell `winner` sends signals, or None if there is none.

    The winner is the largest root of its own equation, in one unknown. It masks the others: each of them is held at

        x_J = (B S_J - C G_J)/(A + S_J + G_J),   G_J = E c_JK g(x_K),   K the winner,

    which has to be <= 0, where f and g (with g = f) are 0.

    Parameters
    ----------
    S : array, shape (lists,)
        Inputs through the filter.

    Returns
    -------
    ndarray of shape (lists,), or None
    """
    from scipy.optimize import brentq

    S = np.asarray(S, dtype=np.float64)
    c, length = inhibition(lists), len(lists[winner])

    def own(x: float) -> float:
        signal = float(f(x))
        excited = S[winner] + D * length * signal
        return -A * x + (B - x) * excited - (x + C) * E * c[winner, winner] * signal

    grid = np.linspace(B, 0.0, 2001)
    values = [own(x) for x in grid]
    k = next((k for k in range(1, grid.size) if values[k] > 0.0), None)
    if k is None:
        return None
    x = float(brentq(own, grid[k], grid[k - 1], xtol=1e-15, rtol=1e-14))
    G = E * c[:, winner] * float(f(x))
    result = (B * S - C * G) / (A + S + G)
    result[winner] = x
    return result if (np.delete(result, winner) <= 0.0).all() else None


def settled(S: Any, lists: Sequence[str], start: Any, *numbers: Any, duration: float = 400.0) -> np.ndarray:
    """Return the state that `velocity` leads to from `start`, by SciPy; `numbers` are A, B, C, D, E and f.

    Returns
    -------
    ndarray, shape (lists,)
    """

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        return velocity(x, S, lists, *numbers)

    found = solved(rate, (0.0, duration), start, rtol=1e-10, atol=1e-12)
    return np.asarray(found.y[:, -1])
