"""How small disturbances of an equilibrium grow in a network with delays.

Disturbances obey dv/dt = J_0 v(t) + sum_k J_k v(t - tau_k). Their growth rates are the eigenvalues of the operator that
takes the past of length tau, the longest delay, to its derivative; here it is replaced by a matrix, with polynomials on
Chebyshev points (Breda, Maset and Vermiglio 2005, SIAM J. Sci. Comput. 27, 482-495).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from brnn.compiler.system import RightHandSide
from brnn.ensemble.rest import sizes
from brnn.integrate.jacobian import ATOL, RTOL, RateFunction, eigenvalues, jacobian_matrix

__all__ = ["characteristic_roots", "delayed_eigenvalues", "lagged_radius", "without_lag"]

_MOST = 1600  # rows of the matrix
_POINTS, _FEWEST = 40, 8  # of the past; with fewer the matrix says little
_BESIDE = 12  # so many roots more than unknowns are returned
_REFINED = 8  # of them by Newton's method on the characteristic equation, to rounding
_NEAR = 1e-3  # of a root and the fastest rate; Newton's method that goes farther went to another one


def without_lag(fun: RightHandSide) -> RateFunction:
    """Return du/dt as a function of the present state alone, the past being the same."""
    return lambda time, state: replace(fun, history=lambda _: state)(time, state)


def delayed_eigenvalues(
    fun: RightHandSide, time: float, state: np.ndarray, rtol: float = RTOL, atol: float = ATOL
) -> np.ndarray:
    """Return the rightmost growth rates of small disturbances of an equilibrium (and others, which mean nothing).

    Parameters
    ----------
    fun : RightHandSide
        The equation, with its delays.
    time : float
        Where the stimuli are taken.
    state : ndarray, shape (n,)
        The equilibrium.
    rtol, atol : float
        As for `jacobian_matrix`.

    Returns
    -------
    ndarray
        Complex; NaN if there are too many unknowns for the matrix (more than 177).
    """
    delays = sorted({delay for _, _, delay in fun.lags})
    n = state.size
    points = min(_POINTS, _MOST // n - 1)
    if points < _FEWEST:
        return np.array([np.nan])
    past = {delay: jacobian_matrix(_then(fun, state, delay), time, state, rtol, atol) for delay in delays}
    matrix = _matrix(jacobian_matrix(_now(fun, state), time, state, rtol, atol), past, points)
    if not np.isfinite(matrix).all():
        return np.array([np.nan])
    return eigenvalues(matrix, np.tile(sizes(state, rtol, atol), points + 1))


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
    points = min(points, _MOST // n - 1)
    if points < 16:
        return np.array([np.nan])
    values = np.linalg.eigvals(_matrix(now, past, points))
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


def _matrix(now: np.ndarray, past: Mapping[float, np.ndarray], points: int) -> np.ndarray:
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


def lagged_radius(
    fun: RightHandSide, time: float, state: np.ndarray, step: float, rtol: float = RTOL, atol: float = ATOL
) -> float:
    """Return the factor by which the fastest small disturbance of a map's fixed point grows in a step.

    The arguments are those of `delayed_eigenvalues`, with the map and the time of its step. The disturbance is that of
    the present and of all past states that signals come from. NaN if there are too many unknowns for the matrix.
    """
    delays = sorted({delay for _, _, delay in fun.lags})
    lags, n = [round(delay / step) for delay in delays], state.size
    if n * (1 + max(lags, default=0)) > _MOST:
        return float("nan")
    matrix = np.eye(n * (1 + max(lags, default=0)), k=-n)
    matrix[:n, :n] = jacobian_matrix(_now(fun, state), time, state, rtol, atol)
    for lag, delay in zip(lags, delays, strict=True):
        matrix[:n, lag * n : (lag + 1) * n] += jacobian_matrix(_then(fun, state, delay), time, state, rtol, atol)
    if not np.isfinite(matrix).all():
        return float("nan")
    return float(np.max(np.abs(eigenvalues(matrix, np.tile(sizes(state, rtol, atol), 1 + max(lags, default=0))))))


def _now(fun: RightHandSide, state: np.ndarray) -> RateFunction:
    """Return du/dt as a function of the present, the past being `state`."""
    return replace(fun, history=lambda _: state)


def _then(fun: RightHandSide, state: np.ndarray, delay: float) -> RateFunction:
    """Return du/dt as a function of the state a delay ago, all else being `state`."""

    def rate(time: float, late: np.ndarray) -> np.ndarray:
        def history(at: float) -> np.ndarray:
            return late if abs(time - at - delay) <= 1e-9 * delay + 1e-14 * abs(time) else state

        return replace(fun, history=history, between=(-np.inf, np.inf))(time, state)

    return rate


def _interpolation(nodes: np.ndarray, weights: np.ndarray, at: float) -> np.ndarray:
    """Return the numbers by which values at the nodes are multiplied to get the polynomial's value elsewhere."""
    here = np.flatnonzero(nodes == at)
    if here.size:
        return np.asarray(np.arange(nodes.size) == here[0], dtype=np.float64)
    parts = weights / (at - nodes)
    return np.asarray(parts / parts.sum())
