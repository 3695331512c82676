"""Roots of characteristic equations with delays, det(lambda - J_0 - sum_k J_k exp(-lambda tau_k)) = 0.

The operator that takes the past to its derivative is replaced by a matrix, with polynomials on Chebyshev points (Breda,
Maset and Vermiglio 2005, SIAM J. Sci. Comput. 27, 482-495); Newton's method takes its eigenvalues to rounding.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["MOST_ROWS", "characteristic_roots", "delay_matrix"]

MOST_ROWS = 1600  # of the matrix
_BESIDE = 12  # so many roots more than unknowns are returned
_REFINED = 8  # of them by Newton's method on the characteristic equation, to rounding
_NEAR = 1e-3  # of a root and the fastest rate; Newton's method that goes farther went to another one


def characteristic_roots(now: np.ndarray, past: Mapping[float, np.ndarray]) -> np.ndarray:
    """Return the rightmost roots of det(lambda - J_0 - sum_k J_k exp(-lambda tau_k)), the largest real part first.

    Parameters
    ----------
    now : ndarray, shape (n, n)
        J_0.
    past : mapping of float to ndarray
        J_k by its delay, > 0.

    Returns
    -------
    ndarray of complex
        n + 12 of them, the first eight to rounding; NaN if there are too many unknowns for the matrix (more than 94).
    """
    n = now.shape[0]
    size = sum(float(np.linalg.norm(J, 2)) for J in (now, *past.values()))
    points = int(np.clip(np.ceil(0.7 * size * max(past)) + 16, 24, 90))
    points = min(points, MOST_ROWS // n - 1)
    if points < 16:
        return np.array([np.nan])
    values = np.linalg.eigvals(delay_matrix(now, past, points))
    values = values[np.lexsort((-values.imag, -values.real))][: n + _BESIDE]
    for k in range(min(_REFINED, values.size)):
        values[k] = _refined(complex(values[k]), now, past, size)
    return np.asarray(values[np.lexsort((-values.imag, -values.real))])


def _refined(root: complex, now: np.ndarray, past: Mapping[float, np.ndarray], size: float) -> complex:
    """Return a root of the characteristic equation by Newton's method from one nearby; the same if it leads away."""
    n, value = now.shape[0], root
    for _ in range(6):
        late = {delay: J * np.exp(-value * delay) for delay, J in past.items()}
        T = value * np.eye(n) - now - sum(late.values())
        left, sizes_, right = np.linalg.svd(T)
        u, v = left[:, -1].conj(), right[-1].conj()
        slope = u @ (v + sum(delay * (J @ v) for delay, J in late.items()))
        if not abs(slope) > 1e-8:
            return root  # a multiple root
        step = float(sizes_[-1]) / slope
        value -= complex(step)
        if abs(step) <= 1e-15 * (abs(value) + 1e-3 * size):
            break
    return value if abs(value - root) <= _NEAR * (abs(root) + 1e-2 * size) else root


def delay_matrix(now: np.ndarray, past: Mapping[float, np.ndarray], points: int) -> np.ndarray:
    """Return the matrix whose eigenvalues are growth rates, from the derivatives by the present and by the past."""
    n, longest = now.shape[0], max(past)
    angles = np.pi * np.arange(points + 1) / points
    nodes = 0.5 * longest * (np.cos(angles) - 1.0)  # from 0 back to -longest
    weights = np.where((angles == 0.0) | (np.arange(points + 1) == points), 0.5, 1.0) * (-1.0) ** np.arange(points + 1)
    apart = nodes[:, None] - nodes[None, :] + np.eye(points + 1)
    D = weights[None, :] / weights[:, None] / apart
    np.fill_diagonal(D, 0.0)
    np.fill_diagonal(D, -D.sum(axis=1))
    matrix = np.kron(D, np.eye(n))
    matrix[:n] = 0.0
    matrix[:n, :n] = now
    for delay, J in past.items():
        matrix[:n] += np.kron(_interpolation(nodes, weights, -delay)[None, :], J)
    return matrix


def _interpolation(nodes: np.ndarray, weights: np.ndarray, at: float) -> np.ndarray:
    """Return the numbers by which values at the nodes are multiplied to get the polynomial's value elsewhere."""
    here = np.flatnonzero(nodes == at)
    if here.size:
        return np.asarray(np.arange(nodes.size) == here[0], dtype=np.float64)
    parts = weights / (at - nodes)
    return np.asarray(parts / parts.sum())
