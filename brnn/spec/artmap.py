"""The arithmetic of distributed ARTMAP: choices, codes, what they expect, and what is learned.

A holds M features and their complements, (a, 1 - a); [w]+ = max(0, w). Node j has thresholds tau_ij toward it and
tau_ji from it, and an instance count c_j.

    T_j = sum_i min(A_i, 1 - tau_ij) + (1 - alpha)(sum_i tau_ij - M)        choice; nodes with T_j >= alpha M may code
    y_j ~ (M - T_j)^-p,  sum_j y_j = 1                                      increased-gradient code; 1 where M = T_j
    Y_j ~ c_j y_j with instance counting, else y_j                          what is read out, sum_j Y_j = 1
    sigma_i = sum_j [Y_j - tau_ji]+                                         what the code expects
    tau_ij += beta [y_j - tau_ij - A_i]+                                    distributed instar
    tau_ji += beta ([sigma_i - A_i]+/sigma_i) [Y_j - tau_ji]+               distributed outstar
    c_j += y_j

Where one node alone has y = 1 (winner take all) this is fuzzy ARTMAP with w = 1 - tau.

Source: Carpenter (1997), Distributed learning, recognition, and prediction by ART and ARTMAP neural networks, Neural
Networks 10, 1473-1494.
"""

from __future__ import annotations

import numpy as np

__all__ = ["ROUNDING", "choices", "expected", "largest", "learn", "may_code", "read_out", "shares"]

ROUNDING = 1e-12  # choices and matches that differ by less are equal


def choices(A: np.ndarray, instar: np.ndarray, alpha: float) -> np.ndarray:
    """Return T of each node: shape (..., nodes) for patterns A of shape (..., 2 M) and tau_ij of (nodes, 2 M)."""
    features = A.shape[-1] / 2
    matched = np.minimum(A[..., None, :], 1.0 - instar).sum(axis=-1)
    return np.asarray(matched + (1.0 - alpha) * (instar.sum(axis=-1) - features))


def may_code(T: np.ndarray, alpha: float, features: float) -> np.ndarray:
    """Tell which nodes have choices that are large enough."""
    return np.asarray(T >= (alpha - ROUNDING) * features)


def largest(values: np.ndarray) -> np.ndarray:
    """Return the index of the largest along the last axis; the first of those that are equal to rounding."""
    return np.asarray(np.argmax(values >= values.max(axis=-1, keepdims=True) - ROUNDING, axis=-1))


def shares(T: np.ndarray, eligible: np.ndarray, features: float, p: float) -> np.ndarray:
    """Return y of shape (..., nodes), which is 0 where no node is `eligible`."""
    apart = np.where(eligible, np.maximum(features - T, 0.0), np.inf)
    nearest = apart.min(axis=-1, keepdims=True)
    point = nearest <= ROUNDING * features
    with np.errstate(divide="ignore", invalid="ignore"):
        y = np.where(point, apart <= ROUNDING * features, (nearest / apart) ** p) * eligible
        return np.asarray(np.nan_to_num(y / y.sum(axis=-1, keepdims=True)))


def read_out(y: np.ndarray, count: np.ndarray, counting: bool) -> np.ndarray:
    """Return Y of shape (..., nodes)."""
    weighed = y * count if counting else y
    total = weighed.sum(axis=-1, keepdims=True)
    return np.asarray(weighed / np.where(total > 0.0, total, 1.0))


def expected(Y: np.ndarray, outstar: np.ndarray) -> np.ndarray:
    """Return sigma, shape (2 M,)."""
    return np.asarray(np.maximum(Y[:, None] - outstar, 0.0).sum(axis=0))


def learn(
    A: np.ndarray,
    y: np.ndarray,
    Y: np.ndarray,
    sigma: np.ndarray,
    instar: np.ndarray,
    outstar: np.ndarray,
    count: np.ndarray,
    beta: float,
) -> None:
    """Change the thresholds and counts in place."""
    surplus = np.maximum(sigma - A, 0.0) / np.where(sigma > 0.0, sigma, 1.0)
    outstar += beta * surplus * np.maximum(Y[:, None] - outstar, 0.0)
    instar += beta * np.maximum(y[:, None] - instar - A, 0.0)
    count += y
