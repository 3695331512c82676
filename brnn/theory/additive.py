"""The additive network (6)(7) with linear signals: everything follows from one matrix.

    dx_i/dt = -A_i x_i + sum_j W_ij x_j + I_i,        dx/dt = M x + I,        M = W - diag(A)

W[target, source] is the excitatory minus the inhibitory strength times the gain of the (linear)
signal, A_i > 0 the decay rates and I_i constant inputs. Small activities of a shunting network (8)
obey the same equation with inputs B E - D I.

Source: review, equations (6), (7); the solution is that of a linear equation with constant
coefficients.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.errors import InputError

__all__ = ["equilibrium", "growth_rate", "matrix", "trajectory"]


def matrix(A: Any, W: Any) -> np.ndarray:
    """Return ``M = W - diag(A)``.

    Parameters
    ----------
    A : float or array, shape (n,)
        Decay rates.
    W : array, shape (n, n)
        Net strengths, W[target, source].

    Raises
    ------
    InputError
        If W is not square or A does not fit it.
    """
    W = np.asarray(W, dtype=np.float64)
    A = np.asarray(A, dtype=np.float64)
    if W.ndim != 2 or W.shape[0] != W.shape[1]:
        raise InputError(f"W has shape {W.shape}: must be a square matrix W[target, source]")
    if A.ndim and A.shape != W.shape[:1]:
        raise InputError(f"A has shape {A.shape}: must be a number or have shape {W.shape[:1]}")
    return W - np.diag(np.broadcast_to(A, W.shape[:1]))


def growth_rate(A: Any, W: Any) -> float:
    """Return the largest real part of the eigenvalues of M: the network settles if it is negative."""
    return float(np.linalg.eigvals(matrix(A, W)).real.max())


def equilibrium(A: Any, W: Any, inputs: Any) -> np.ndarray:
    """Return the equilibrium ``x = -M^{-1} I``, shape (n,).

    It is approached only if `growth_rate` is negative.

    Raises
    ------
    InputError
        If M is singular, so that there is no equilibrium or a continuum of them.
    """
    M = matrix(A, W)
    try:
        return np.linalg.solve(-M, np.broadcast_to(np.asarray(inputs, dtype=np.float64), M.shape[:1]))
    except np.linalg.LinAlgError:
        raise InputError("the matrix W - diag(A) is singular: the network has no isolated equilibrium") from None


def trajectory(A: Any, W: Any, inputs: Any, t: Any, x0: Any = 0.0) -> np.ndarray:
    """Return the solution for constant inputs by the matrix exponential, for any M, singular or not.

    ``(x, 1)' = [[M, I], [0, 0]] (x, 1)``, so that ``(x(t), 1) = exp([[M, I], [0, 0]] t) (x0, 1)``.

    Parameters
    ----------
    A, W : see `matrix`
    inputs : float or array, shape (n,)
        I_i.
    t : float or array
        Times.
    x0 : float or array, shape (n,)
        Activities at time 0.

    Returns
    -------
    ndarray, shape of `t` + (n,)
    """
    from scipy.linalg import expm

    M = matrix(A, W)
    n = M.shape[0]
    generator = np.zeros((n + 1, n + 1))
    generator[:n, :n] = M
    generator[:n, n] = inputs
    start = np.append(np.broadcast_to(np.asarray(x0, dtype=np.float64), (n,)), 1.0)
    t = np.asarray(t, dtype=np.float64)
    states = [(expm(generator * time) @ start)[:n] for time in t.ravel()]
    return np.array(states).reshape((*t.shape, n))
