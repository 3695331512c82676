"""VITE: how a movement goes on that is computed as V' = alpha (-V + T - P), P' = G V.

T is the target, P the present position, V the difference between them as far as it has been computed, and G the GO
signal. For a pair of opponent muscles P' = G V holds in both directions (each channel alone is rectified). Everything
is proportional to the distance, so that this page speaks of relative positions: q = (P - P(0))/(T - P(0)) goes from 0
to 1, and v = V/(T - P(0)) begins at v0: 0 if target and GO come together, 1 if the target was there long before.

With e = 1 - q:  e'' + alpha e' + alpha G e = 0 at constant G, a damped oscillator with the damping ratio
(1/2) sqrt(alpha/G): no overshoot if alpha >= 4 G.

Source: the equations as recalled from Bullock and Grossberg (1988), Neural dynamics of planned arm movements, Psychol.
Rev. 95, 49-90; what follows from them is derived here.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

__all__ = [
    "instant_speed",
    "overshoot",
    "peak_speed_time",
    "position",
    "ramp_movement",
    "roots",
    "time_to",
]


def roots(alpha: float, G: float) -> tuple[complex, complex]:
    """Return the rates at which differences decay, ``(alpha -+ sqrt(alpha^2 - 4 alpha G))/2``, the slower one first."""
    root = cmath.sqrt(alpha * alpha - 4.0 * alpha * G)
    fast = 0.5 * (alpha + root)
    return alpha * G / fast, fast


def position(t: Any, alpha: float, G: float, v0: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return the relative position q(t) and speed q'(t) at a constant GO signal.

    Parameters
    ----------
    t : array
        Times since the GO signal.
    alpha, G : float, > 0
        Rate at which V follows, and GO signal.
    v0 : float
        V at time 0 as part of the distance.

    Returns
    -------
    (ndarray, ndarray)
    """
    t = np.asarray(t, dtype=np.float64)
    slow, fast = roots(alpha, G)
    # e(0) = 1 and e'(0) = -G v0
    if abs(fast - slow) < 1e-7 * abs(fast):
        rate = 0.5 * alpha
        e = np.exp(-rate * t) * (1.0 + (rate - G * v0) * t)
        return 1.0 - e, rate * e - np.exp(-rate * t) * (rate - G * v0)
    first, second = (fast - G * v0) / (fast - slow), (G * v0 - slow) / (fast - slow)
    parts = first * np.exp(-slow * t), second * np.exp(-fast * t)
    return np.real(1.0 - parts[0] - parts[1]), np.real(slow * parts[0] + fast * parts[1])


def peak_speed_time(alpha: float, G: float) -> float:
    """Return when the speed is highest if target and GO signal come together (v0 = 0), at constant G.

    ``ln(fast/slow)/(fast - slow)``, for an oscillation ``arctan(w/(alpha/2))/w``, w its angular frequency.
    """
    slow, fast = roots(alpha, G)
    if abs(fast - slow) < 1e-7 * abs(fast):
        return 2.0 / alpha
    return float(np.real(cmath.log(fast / slow) / (fast - slow)))


def time_to(part: float, alpha: float, G: float, v0: float = 0.0) -> float:
    """Return when the relative position first is `part`, 0 < part < 1, at a constant GO signal."""
    from scipy.optimize import brentq

    slow, _ = roots(alpha, G)
    step = 0.02 / max(alpha, G)
    stop = step
    while float(position(stop, alpha, G, v0)[0]) < part:
        stop += step
        if stop > 1e3 * (1.0 + abs(math.log1p(-part))) / slow.real:
            raise ArithmeticError(f"vite: the movement does not come to {part:g} of the distance")
    return float(
        brentq(lambda t: float(position(t, alpha, G, v0)[0]) - part, stop - step, stop, xtol=1e-14, rtol=1e-14)
    )


def overshoot(alpha: float, G: float) -> float:
    """Return how far a movement (v0 = 0) of a pair of muscles goes beyond its target, as part of the distance.

    0 for alpha >= 4 G, else ``exp(-pi d/sqrt(1 - d^2))`` with the damping ratio ``d = (1/2) sqrt(alpha/G)``.
    """
    d = 0.5 * math.sqrt(alpha / G)
    return 0.0 if d >= 1.0 else math.exp(-math.pi * d / math.sqrt(1.0 - d * d))


def ramp_movement(t: Any, alpha: float, slope: float, v0: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return q(t) and q'(t) for a GO signal that grows linearly, ``G = slope t``.

    V'' + alpha V' + alpha slope t V = 0 is Airy's equation for ``exp(alpha t/2) V`` as a function of
    ``-(alpha slope)^(1/3) (t - alpha/(4 slope))``.

    Parameters
    ----------
    t : array, shape (times,)
        Times since the GO signal began to grow.
    alpha, slope : float, > 0
        Rate at which V follows, and rate at which G grows.
    v0 : float
        V at time 0 as part of the distance.

    Returns
    -------
    (ndarray, ndarray), shape (times,)

    Raises
    ------
    ArithmeticError
        If V follows so much faster than G grows that Airy's functions overflow; see `instant_speed` for this limit.
    """
    from scipy.special import airy

    t = np.asarray(t, dtype=np.float64)
    k = (alpha * slope) ** (1.0 / 3.0)
    centre = alpha / (4.0 * slope)
    if k * centre > 80.0:
        raise ArithmeticError(f"vite: alpha = {alpha:g} is too high for slope = {slope:g}: Airy's functions overflow")
    Ai0, dAi0, Bi0, dBi0 = airy(k * centre)
    # W = exp(alpha t/2) V = a Ai + b Bi with W(0) = v0, W'(0) = alpha/2 v0 + V'(0), V'(0) = alpha (1 - v0)
    start = np.array([v0, 0.5 * alpha * v0 + alpha * (1.0 - v0)])
    a, b = np.linalg.solve(np.array([[Ai0, Bi0], [-k * dAi0, -k * dBi0]]), start)
    Ai, dAi, Bi, dBi = airy(-k * (t - centre))
    decay = np.exp(-0.5 * alpha * t)
    V = decay * (a * Ai + b * Bi)
    dV = -0.5 * alpha * V - k * decay * (a * dAi + b * dBi)
    return 1.0 - V - dV / alpha, slope * t * V


def instant_speed(t: Any, slope: float) -> np.ndarray:
    """Return q'(t) for ``G = slope t`` in the limit of a V that follows at once: ``slope t exp(-slope t^2/2)``.

    A bell whose top is at ``t = 1/sqrt(slope)``.
    """
    t = np.asarray(t, dtype=np.float64)
    return np.asarray(slope * t * np.exp(-0.5 * slope * t * t))
