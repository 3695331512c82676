"""Lateral inhibition of Hartline and Ratliff: the solution of (4).

r_i = e_i - sum_j k_ij [r_j - r_ij]+                                                            (4)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array
from brnn.errors import InputError, SpecError

__all__ = ["static"]

_ROUNDS, _STEPS = 100, 50  # of the damped iteration: how often the linear equations are tried


def static(e: ArrayLike, k: ArrayLike, threshold: ArrayLike = 0.0) -> np.ndarray:
    """Return the responses of (4).

    Parameters
    ----------
    e : array, shape (cells,)
        Excitation of each cell.
    k : matrix [target, source], >= 0
        Inhibition.
    threshold : float or matrix [target, source]
        r0 or r_ij.

    Returns
    -------
    ndarray, shape (cells,)
        (4) is linear as long as the same pairs are above threshold: which ones is found by damped iteration from r = e,
        then the linear equations are solved. If there are several solutions it is one of them.

    Raises
    ------
    InputError
        If the shapes do not fit, or if no solution is found: with strong mutual inhibition there can be a continuum.
    """
    e = array(e, "static: e", ndim=1)
    K = array(k, "static: k", shape=(e.size, e.size), minimum=0.0)
    given = array(threshold, "static: threshold")
    if given.shape not in ((), K.shape):
        raise SpecError(f"static: threshold: has shape {given.shape}, must be one number or have shape {K.shape}")
    levels = np.broadcast_to(given, K.shape)
    r = np.array(e)
    step = 1.0 / (1.0 + K.sum(axis=1))
    for _ in range(_ROUNDS):
        active = np.where(r > levels, K, 0.0)
        try:
            solution = np.linalg.solve(np.eye(e.size) + active, e + (active * levels).sum(axis=1))
        except np.linalg.LinAlgError:
            solution = r
        if np.allclose(solution + (K * np.maximum(solution - levels, 0.0)).sum(axis=1), e, rtol=1e-12, atol=1e-12):
            return np.asarray(solution)
        for _ in range(_STEPS):
            r += step * (e - (K * np.maximum(r - levels, 0.0)).sum(axis=1) - r)
    raise InputError("static: no solution was found: with mutual inhibition as strong as this there can be several")
