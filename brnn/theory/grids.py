"""Grid cells that learn from stripe cells: spacing, activity of stripe cells, and what weights go to."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

__all__ = ["grid_spacing", "mean_stripe_activity", "sites_taken"]


def grid_spacing(spacing: float) -> float:
    """Return from peak to peak of the hexagonal lattice on which stripes 60 degrees apart meet: s/cos(30 degrees).

    Three families of parallel lines of spacing s, 60 degrees apart, have their common points on a triangular lattice
    whose rows are s apart; its points are 2 s/sqrt(3) apart.
    """
    return spacing / math.cos(math.pi / 6.0)


def mean_stripe_activity(spacing: float, width: float) -> float:
    """Return the mean of exp(-d^2/(2 width^2)) over places that are all as likely, d being to the nearest stripe."""
    return width * math.sqrt(2.0 * math.pi) / spacing * math.erf(spacing / (2.0 * math.sqrt(2.0) * width))


def sites_taken(x: ArrayLike, total: float) -> tuple[float, np.ndarray]:
    """Return the sum S of the weights of a cell, and the weights, where x_i (total - S) = z_i (X - x_i) for all i.

    With g_i = x_i/(X - x_i) and G = sum_i g_i these are S = total G/(1 + G) and z_i = g_i total/(1 + G).
    """
    given = np.asarray(x, dtype=np.float64)
    g = given / (given.sum() - given)
    return float(total * g.sum() / (1.0 + g.sum())), total * g / (1.0 + g.sum())
