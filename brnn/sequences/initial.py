"""Initial weights of trained networks: Glorot, orthogonal, identity, and biases by how long a memory is to last."""

from __future__ import annotations

import numpy as np

from brnn.base.checks import number, whole
from brnn.errors import InputError

__all__ = ["chrono", "glorot", "identity", "orthogonal"]


def glorot(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return a matrix [target, source] of Glorot and Bengio (2010): uniform in +-sqrt(6/(rows + columns)).

    Its products keep the variance of what they are given, forward and backward, on the average.
    """
    rows, columns = _size(rows, "rows"), _size(columns, "columns")
    bound = np.sqrt(6.0 / (rows + columns))
    return np.random.default_rng(seed).uniform(-bound, bound, (rows, columns))


def orthogonal(rows: int, columns: int, seed: int) -> np.ndarray:
    """Return a matrix with orthonormal columns (or rows, if there are fewer), uniformly distributed (Saxe et al. 2014).

    A square one keeps every length: linear recurrent activity neither vanishes nor explodes.
    """
    rows, columns = _size(rows, "rows"), _size(columns, "columns")
    drawn = np.random.default_rng(seed).normal(size=(max(rows, columns), min(rows, columns)))
    Q, R = np.linalg.qr(drawn)
    Q = Q * np.sign(np.diag(R))  # without this the distribution would not be uniform
    return np.ascontiguousarray(Q if rows >= columns else Q.T)


def identity(n: int, factor: float = 1.0) -> np.ndarray:
    """Return factor times the unit matrix: recurrent weights of rectified units that begin as sums (Le et al. 2015)."""
    return number(factor, "identity: factor") * np.eye(_size(n, "n"))


def chrono(n: int, longest: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return biases of the forget and of the input gates for memories of up to `longest` steps.

    b_f = log u with u uniform in [1, longest - 1], and b_i = -b_f (Tallec and Ollivier 2018). A cell with the forget
    gate sigma(b_f) forgets with the time constant of about u + 1 steps.

    Raises
    ------
    InputError
        If `longest` is not above 2.
    """
    if not number(longest, "chrono: longest") > 2.0:
        raise InputError(f"chrono: longest = {longest:g}: must be > 2 steps")
    forget = np.log(np.random.default_rng(seed).uniform(1.0, longest - 1.0, _size(n, "n")))
    return forget, -forget


def _size(value: int, name: str) -> int:
    return whole(value, f"initial weights: {name}", minimum=1)
