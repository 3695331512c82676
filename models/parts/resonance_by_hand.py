"""The equations of the cells of `brnn.models.parts.resonance`, which choose, reset and search, written out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["chosen_by_hand", "search_at_rest", "search_by_hand"]


def search_by_hand(m: int, s: float, bias: float, quiet: float = 2.0, total: float = 1.0) -> Callable[..., np.ndarray]:
    """Return a function for the derivative of F2, arousal, rebound, silence and gates, by models/parts/resonance.py.

    Its arguments are these, T, the orienting cells and the sum of the input.
    """
    b, H = 0.1 + bias * np.arange(m, 0, -1), 0.6
    S = 3.0 * s / H

    def derivative(u: np.ndarray, T: np.ndarray, v: np.ndarray, pattern: float) -> np.ndarray:
        x, a, r, q, y = u[:m], u[m], u[m + 1 : 2 * m + 1], u[2 * m + 1], u[2 * m + 2 :]
        sent, f = 5.0 * np.maximum(x, 0.0), chosen_by_hand(x)
        J = 5.0 * (min(20.0 * max(a - 0.03, 0.0), 1.0) + np.minimum(10.0 * np.maximum(r - 0.1, 0.0), 1.0))
        mismatch = np.minimum(1e4 * np.maximum(v - 1e-4, 0.0), 1.0).sum()
        silence = min(2.0 * max(q - 0.25, 0.0), 1.0)
        through = (1.0 + S * f) * y
        return np.concatenate([
            s * (-x + (1.0 - x) * (T + b + sent) - (1.0 + x) * (sent.sum() - sent + J)),
            [s * (-a + 10.0 * (1.0 - a) * (mismatch + silence))],
            4.0 * s * (-r + 1.0 - through),
            [quiet * s * (-q + 1.0 - pattern / total)],
            H * (2.0 - y) - H * through,
        ])  # fmt: skip

    return derivative


def chosen_by_hand(x: np.ndarray) -> np.ndarray:
    """Return the signal of the categories, which rises from 0 at 0.45 to 1 at 0.65."""
    return np.minimum(np.maximum(x - 0.45, 0.0) / 0.2, 1.0)


def search_at_rest(m: int) -> np.ndarray:
    """Return F2, arousal, rebound, silence and gates at time 0."""
    return np.concatenate([np.full(m, -5.0 / 6.0), [10.0 / 11.0], np.zeros(m), [1.0], np.ones(m)])
