"""How small disturbances of an equilibrium grow in a network with delays.

Disturbances obey dv/dt = J_0 v(t) + sum_k J_k v(t - tau_k). Their growth rates are the eigenvalues of the operator that
takes the past of length tau, the longest delay, to its derivative; here it is replaced by a matrix, with polynomials on
Chebyshev points (Breda, Maset and Vermiglio 2005, SIAM J. Sci. Comput. 27, 482-495).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from brnn.base.delay_roots import MOST_ROWS, delay_matrix
from brnn.compiler.right_hand_side import RightHandSide
from brnn.ensemble.rest import sizes
from brnn.integrate.jacobian import ATOL, RTOL, RateFunction, eigenvalues, jacobian_matrix

__all__ = ["delayed_eigenvalues", "lagged_radius", "without_lag"]

_POINTS, _FEWEST = 40, 8  # of the past; with fewer the matrix says little


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
    points = min(_POINTS, MOST_ROWS // n - 1)
    if points < _FEWEST:
        return np.array([np.nan])
    past = {delay: jacobian_matrix(_then(fun, state, delay), time, state, rtol, atol) for delay in delays}
    matrix = delay_matrix(jacobian_matrix(_now(fun, state), time, state, rtol, atol), past, points)
    if not np.isfinite(matrix).all():
        return np.array([np.nan])
    return eigenvalues(matrix, np.tile(sizes(state, rtol, atol), points + 1))


def lagged_radius(
    fun: RightHandSide, time: float, state: np.ndarray, step: float, rtol: float = RTOL, atol: float = ATOL
) -> float:
    """Return the factor by which the fastest small disturbance of a map's fixed point grows in a step.

    The arguments are those of `delayed_eigenvalues`, with the map and the time of its step. The disturbance is that of
    the present and of all past states that signals come from. NaN if there are too many unknowns for the matrix.
    """
    delays = sorted({delay for _, _, delay in fun.lags})
    lags, n = [round(delay / step) for delay in delays], state.size
    if n * (1 + max(lags, default=0)) > MOST_ROWS:
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
