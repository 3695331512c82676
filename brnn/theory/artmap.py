"""What a trained ARTMAP network answers, for many patterns at once, and closed forms of what it has learned.

The equations stand in `brnn.spec.artmap`. The weights of a run are ``result.final("instar")`` and so on.

Source: Carpenter (1997), Distributed learning, recognition, and prediction by ART and ARTMAP neural networks, Neural
Networks 10, 1473-1494.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from brnn.base.checks import array, choice, number
from brnn.errors import InputError
from brnn.spec.artmap import choices, largest, may_code, read_out, shares
from brnn.theory.art import complement

__all__ = ["answers", "box", "largest_instar"]

_AT_ONCE = 2**22  # numbers


def answers(
    patterns: Any,
    instar: Any,
    count: Any,
    labels: Any,
    *,
    code: Literal["distributed", "choice"] = "distributed",
    counting: bool = True,
    alpha: float = 0.01,
    p: float = 1.0,
) -> np.ndarray:
    """Return the sums of Y over the nodes of each class: what a test pass of `brnn.ArtmapPass` predicts.

    Parameters
    ----------
    patterns : array in [0, 1], shape (patterns, features)
        What is asked; it is complement coded here.
    instar : array, shape (nodes, 2 features)
        tau_ij.
    count : array, shape (nodes,)
        Instance counts c.
    labels : array of 0 and 1, shape (nodes, classes)
        The class of each node.
    code, counting, alpha, p
        As for `brnn.ArtmapPass`.

    Returns
    -------
    ndarray, shape (patterns, classes)
        The class with the largest sum is the answer; all are 0 if no node has learned.

    Raises
    ------
    SpecError, InputError
        If a value is not valid.
    """
    rows, tau = array(patterns, "answers: patterns", ndim=2), array(instar, "answers: instar", ndim=2)
    if tau.shape[1] != 2 * rows.shape[1]:
        raise InputError(f"answers: patterns: has {rows.shape[1]} features, the weights are of {tau.shape[1] // 2}")
    c = array(count, "answers: count", shape=(len(tau),))
    classes = array(labels, "answers: labels", ndim=2)
    if len(classes) != len(tau):
        raise InputError(f"answers: labels: has {len(classes)} rows for {len(tau)} nodes")
    single = choice(code, "answers: code", ("distributed", "choice")) == "choice"
    alpha, p = number(alpha, "answers: alpha", above=0.0, maximum=1.0), number(p, "answers: p", above=0.0)
    used, features = classes.any(axis=1), float(rows.shape[1])
    result = np.zeros((len(rows), classes.shape[1]))
    if not used.any():
        return result
    tau, c, classes = tau[used], c[used], classes[used]
    size = max(1, _AT_ONCE // tau.size)
    for start in range(0, len(rows), size):
        T = choices(complement(rows[start : start + size]), tau, alpha)
        y = np.zeros_like(T) if single else shares(T, may_code(T, alpha, features), features, p)
        alone = ~y.any(axis=1)
        Y = read_out(y, c, counting)
        Y[alone] = np.eye(len(tau))[largest(T[alone])]
        result[start : start + size] = Y @ classes
    return result


def box(patterns: Any) -> np.ndarray:
    """Return tau_ij of a node that alone has learned these patterns, beta = 1: 1 - (minima, 1 - maxima)."""
    return np.asarray(1.0 - complement(patterns).min(axis=0))


def largest_instar(patterns: Any, codes: Any) -> np.ndarray:
    """Return tau_ij, shape (nodes, 2 features), after patterns were learned with these y (patterns, nodes), beta = 1.

    The distributed instar takes tau_ij to max(tau_ij, y_j - A_i): what remains is the largest, in whatever order.
    """
    A, y = complement(patterns), np.asarray(codes, dtype=np.float64)
    return np.asarray(np.maximum(y[:, :, None] - A[:, None, :], 0.0).max(axis=0))
