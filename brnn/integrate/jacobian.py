"""The Jacobian of a network by differences, whatever its unit of time and the sizes of its activities.

Each unknown has a step of its own, from its own size. The difference is central, but where an unknown is smaller than
its step both points lie on its own side of zero: the rates of signals have a kink there, across which no slope holds.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from brnn.ensemble.rest import derivative, difference_steps, second_point, sizes

__all__ = [
    "RateFunction",
    "eigenvalues",
    "fastest_rate",
    "growth_rate",
    "jacobian_matrix",
    "jacobian_product",
    "rightmost",
]

RateFunction = Callable[[float, np.ndarray], np.ndarray]

DENSE = 500  # unknowns up to which the whole Jacobian is made, and all its eigenvalues
_POWERS = 10
RTOL, ATOL = 1e-6, 1e-9  # where nothing else says what is small


def jacobian_matrix(
    fun: RateFunction, time: float, state: np.ndarray, rtol: float = RTOL, atol: float = ATOL
) -> np.ndarray:
    """Return the Jacobian of `fun` at `state`, shape (n, n).

    Parameters
    ----------
    fun : callable
        ``fun(t, u)`` is du/dt.
    time : float
        Where the stimuli are taken.
    state : ndarray, shape (n,)
        Where the Jacobian is taken.
    rtol, atol : float
        Their quotient says below what size an activity counts as small.
    """
    here = fun(time, state)
    J = np.empty((state.size, state.size))
    for k, step in enumerate(difference_steps(state, rtol, atol)):
        J[:, k] = _difference(fun, time, state, here, k, step)
    return J


def _difference(fun: RateFunction, time: float, u: np.ndarray, here: np.ndarray, k: int, step: float) -> np.ndarray:
    def at(value: float) -> np.ndarray:
        moved = u.copy()
        moved[k] = value
        return fun(time, moved)

    second = second_point(u[k], step)
    return np.asarray(derivative(u[k], step, second, here, at(u[k] + step), at(second)))


def jacobian_product(
    fun: RateFunction, time: float, state: np.ndarray, rtol: float = RTOL, atol: float = ATOL
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function v -> J v, with the steps of `jacobian_matrix`, whose arguments these are."""
    u = state
    steps = difference_steps(u, rtol, atol)
    one_sided = np.abs(u) <= np.abs(steps)
    away = np.sign(steps)
    here = fun(time, u)

    def product(v: np.ndarray) -> np.ndarray:
        v = np.ravel(v)
        result = np.zeros(u.size)
        free = np.where(one_sided, 0.0, v)
        largest = float(np.max(np.abs(free / steps)))
        if largest > 0.0:
            w = free / largest
            result += (fun(time, u + w) - fun(time, u - w)) * (0.5 * largest)
        for side in (1.0, -1.0):
            part = np.where(one_sided & (v * away * side > 0.0), side * v, 0.0)
            largest = float(np.max(np.abs(part / steps)))
            if largest > 0.0:
                w = part / largest
                result += (4.0 * fun(time, u + w) - fun(time, u + 2.0 * w) - 3.0 * here) * (0.5 * side * largest)
        return result

    return product


def eigenvalues(J: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of J, whose unknowns have these sizes."""
    return np.asarray(np.linalg.eigvals(J * size / size[:, None]))


def fastest_rate(fun: RateFunction, time: float, state: np.ndarray) -> float:
    """Return about the largest absolute value of the eigenvalues of the Jacobian at `state`, by power iteration."""
    product, size = jacobian_product(fun, time, state), sizes(state, RTOL, ATOL)
    v = np.random.default_rng(0).standard_normal(state.size)
    rate = 0.0
    for _ in range(_POWERS):
        v /= max(float(np.linalg.norm(v)), np.finfo(float).tiny)
        v = product(size * v) / size
        rate = float(np.linalg.norm(v))
        if not np.isfinite(rate) or rate == 0.0:
            return 0.0
    return rate


def growth_rate(fun: RateFunction, time: float, state: np.ndarray, rtol: float = RTOL, atol: float = ATOL) -> float:
    """Return the largest real part of the eigenvalues of the Jacobian at `state`, as `rightmost` computes them."""
    return float(np.max(rightmost(fun, time, state, rtol, atol).real))


def rightmost(fun: RateFunction, time: float, state: np.ndarray, rtol: float = RTOL, atol: float = ATOL) -> np.ndarray:
    """Return the eigenvalues of the Jacobian at `state`; of many unknowns only that with the largest real part.

    Where that one cannot be computed the result is infinite. The arguments are those of `jacobian_matrix`.
    """
    size = sizes(state, rtol, atol)
    if state.size <= DENSE:
        return eigenvalues(jacobian_matrix(fun, time, state, rtol, atol), size)
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    product, n = jacobian_product(fun, time, state, rtol, atol), state.size
    operator = LinearOperator((n, n), matvec=lambda v: product(size * np.ravel(v)) / size, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    try:
        values = eigs(operator, k=1, which="LR", v0=start, tol=1e-3, maxiter=300, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        values = error.eigenvalues
    return np.asarray(values if len(values) else [np.inf])
