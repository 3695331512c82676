"""One cell with slow inhibition: equilibria, their eigenvalues, and where oscillations begin.

    dx/dt = -A x + (B - x) [I + f(x)] - G x y                    dy/dt = e (x - y)

At an equilibrium y = x and A x = (B - x) [I + f(x)] - G x^2. There the Jacobian is [[p, -G x], [e, -e]] with
p = -A - I - f + (B - x) f' - G x; its trace is p - e and its determinant e (G x - p). If 0 < p < G x, the equilibrium
is stable for e > p and loses its stability at e = p exactly: a Hopf bifurcation of the period 2 pi/sqrt(p (G x - p)).
"""

from __future__ import annotations

import math

import numpy as np

from brnn.errors import InputError
from brnn.signals import Signal

__all__ = ["eigenvalues", "equilibria", "hopf"]

_GRID = 4001


def equilibria(A: float, B: float, I: float, G: float, f: Signal) -> np.ndarray:
    """Return all equilibria x = y in [0, B], in rising order.

    Two that are nearer to each other than B/4000 are not told apart.
    """
    from scipy.optimize import brentq

    def excess(x: np.ndarray | float) -> np.ndarray:
        return np.asarray(-A * x + (B - x) * (I + f(x)) - G * np.square(x))

    grid = np.linspace(0.0, B, _GRID)
    value = excess(grid)
    found = [float(x) for x in grid[value == 0.0]]
    for k in np.flatnonzero(value[:-1] * value[1:] < 0.0):
        found.append(float(brentq(excess, grid[k], grid[k + 1], xtol=1e-15, rtol=1e-14)))
    return np.array(sorted(found))


def eigenvalues(x: float, e: float, A: float, B: float, I: float, G: float, f: Signal) -> np.ndarray:
    """Return the two eigenvalues at the equilibrium x, for interneurons of the rate e."""
    p = _self_excitation(x, A, B, I, G, f)
    root = np.sqrt(complex((p - e) ** 2 / 4.0 - e * (G * x - p)))
    return np.array([(p - e) / 2.0 + root, (p - e) / 2.0 - root])


def hopf(x: float, A: float, B: float, I: float, G: float, f: Signal) -> tuple[float, float]:
    """Return the rate e at which the equilibrium x loses its stability, and the period of the oscillation there.

    Raises
    ------
    InputError
        If there is no such rate: p <= 0 (the equilibrium is stable for every e) or p >= G x (for none).
    """
    p = _self_excitation(x, A, B, I, G, f)
    if not 0.0 < p < G * x:
        raise InputError(f"x = {x:.6g}: no Hopf bifurcation there (p = {p:.4g}, it needs 0 < p < G x = {G * x:.4g})")
    return p, 2.0 * math.pi / math.sqrt(p * (G * x - p))


def _self_excitation(x: float, A: float, B: float, I: float, G: float, f: Signal) -> float:
    return float(-A - I - f(x) + (B - x) * f.derivative(x) - G * x)
