"""The recurrent competitive field (RCF) without inputs: what it stores, by the theorems of 1973.

    dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k)         (21), I = J = 0

Symbols: A > 0 decay rate, B > 0 upper bound of activity, f signal with f(0) = 0, h(w) = f(w)/w its
hill function, x = sum x_k the total activity, X_i = x_i/x the pattern. Which theorem applies is
decided by the hill function on [0, B] (``signal.shape(B)``):

- h constant (f linear): every pattern is stored, and noise is amplified as strongly as the signal.
- h falling (f slower than linear): every pattern becomes uniform.
- h rising (f faster than linear): the largest activity wins, or everything is quenched.
- h rising, then flat or falling (f sigmoid): there is a quenching threshold.

What does not fit into this page stands in `brnn.theory.survivors` (levels and stability of stored
states, most survivors) and `brnn.theory.quenching` (quenching threshold, arousal, measured
thresholds), and the prediction for a given initial state in `brnn.theory.storing`. Their public
names can be had from here.

Arousal, in short: with all recurrent inhibition scaled by v, 0 < v <= 1, the QT of f(w) = C w g(w)
(g = 1 from x1 on) on the relative activity of stored cells is ``v x1 / [K - (1 - v) x1]``, K = B -
A/C, which falls from x1/K to 0 as v does; but only for v = 1 are the ratios of the survivors kept,
for v < 1 they become equal. `brnn.theory.quenching` derives it.

Source: Grossberg (1973), Contour enhancement, short term memory, and constancies in reverberating
neural networks, Stud. Appl. Math. 52, 213-257; review, equations (21)-(25). The review prints the
linear storage level as B - A, which is B - A/C for C = 1.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.theory.liapunov_functions.signal import SignalFunction
from brnn.theory.quenching import (
    Bracket,
    bisect,
    cell_threshold,
    ignites,
    noise_threshold,
    quenches,
    quenching_threshold,
    settle,
    stored_level,
)
from brnn.theory.storing import Storage, storage
from brnn.theory.survivors import (
    Modes,
    SurvivorLevel,
    equilibria,
    hill_of_field,
    jacobian,
    modes,
    most_survivors,
    velocity,
)

__all__ = [
    "Bracket",
    "Modes",
    "Storage",
    "SurvivorLevel",
    "bisect",
    "cell_threshold",
    "equilibria",
    "faster_levels",
    "hill_of_field",
    "ignites",
    "jacobian",
    "linear_level",
    "linear_total",
    "modes",
    "most_survivors",
    "noise_threshold",
    "pattern_velocity",
    "quenches",
    "quenching_threshold",
    "settle",
    "sigmoid_levels",
    "sigmoid_most_survivors",
    "slower_total",
    "storage",
    "stored_level",
    "total_velocity",
    "velocity",
]


def pattern_velocity(pattern: Any, total: float, B: float, signal: SignalFunction) -> np.ndarray:
    """Return (22), ``dX_i/dt = B X_i sum_k X_k [h(X_i x) - h(X_k x)]``, shape (n,).

    Parameters
    ----------
    pattern : array, shape (n,)
        X_i >= 0 with sum 1.
    total : float
        x > 0.
    B : float
        Upper bound.
    signal : signal
        f.

    Notes
    -----
    Each difference of two h is formed before it is weighted, so that equal h give
    exactly 0. For h unbounded at 0 all X_i have to be positive.
    """
    X = np.asarray(pattern, dtype=np.float64)
    h = np.asarray(signal.hill(X * total))
    return B * X * ((h[:, None] - h[None, :]) @ X)


def total_velocity(pattern: Any, total: float, A: float, B: float, signal: SignalFunction) -> float:
    """Return (23), ``dx/dt = -A x + (B - x) sum_k f(X_k x)``; see `pattern_velocity` for the arguments.

    With the pattern ``[1.0]`` it is (24), the equation of the total at late times when one cell
    remains.
    """
    X = np.asarray(pattern, dtype=np.float64)
    return -A * total + (B - total) * float(np.sum(signal(X * total)))


def linear_level(A: float, B: float, C: float) -> float:
    """Return the total activity that f = C w stores: ``B - A/C`` if C B > A, else 0."""
    return max(B - A / C, 0.0) if C > 0 else 0.0


def linear_total(A: float, B: float, C: float, x0: Any, t: Any) -> Any:
    """Return the total activity x(t) for f = C w, whatever the pattern.

    The solution of ``dx/dt = C x (K - x)``, K = B - A/C, is
    ``x(t) = K / [1 + (K/x0 - 1) exp(-C K t)]``, written so that K <= 0 (everything decays) and x0 =
    0 are included. `x0` and `t` are numbers or arrays that broadcast.
    """
    x0, t = np.asarray(x0, dtype=np.float64), np.asarray(t, dtype=np.float64)
    rate = B * C - A
    if rate > 0:
        return (x0 / (np.exp(-rate * t) - C * x0 / rate * np.expm1(-rate * t)))[()]
    if rate < 0:
        return (x0 * np.exp(rate * t) / (1.0 + C * x0 / rate * np.expm1(rate * t)))[()]
    return (x0 / (1.0 + C * x0 * t))[()]


def slower_total(A: float, B: float, C: float, D: float, n: int) -> float:
    """Return the total that f = C w/(D + w) stores over n cells: ``(C B - A D)/(C + A/n)`` or 0.

    It is 0 if that is not positive. Every cell holds 1/n of it: the root u of ``A (D + u) = (B - n
    u) C``.
    """
    return max((C * B - A * D) / (C + A / n), 0.0)


def faster_levels(A: float, B: float, C: float, p: float = 2.0) -> tuple[float, float] | None:
    """Return (E1, E2), the roots of (25) for f = C w^p, p > 1; None if there are none.

    They solve ``C w^(p-1) (B - w) = A``; without a root nothing is stored. Activity below E1 (unstable)
    is quenched, E2 (stable) is the level of the winner. For p = 2 they are
    ``[B -+ sqrt(B^2 - 4 A/C)]/2``; for any p they lie on both sides of the maximum at w = B (p - 1)/p.
    Where both roots coincide the pair is two equal numbers.
    """
    if not p > 1:
        raise InputError(f"p = {p}: must be > 1 (faster than linear)")
    if p == 2.0:
        square = B * B - 4.0 * A / C
        if square < 0:
            return None
        upper = 0.5 * (B + math.sqrt(square))
        return A / C / upper, upper  # the product of the roots is A/C; no cancellation
    from scipy.optimize import brentq

    top = B * (p - 1.0) / p

    def excess(w: float, gap: float) -> float:
        return C * w ** (p - 1.0) * gap - A

    highest = excess(top, B - top)
    if highest < 0:
        return None
    if highest == 0:
        return top, top
    options = {"maxiter": 2000}
    least = float(np.nextafter(0.0, 1.0))
    low = least  # where E1 is smaller than any number
    if excess(low, B) < 0:
        # In the logarithm, as E1 may be hundreds of orders of magnitude below B, which are not halved one by one; of
        # w/top, so that w is the maximum itself where that is 0, and less than any number at the other end.
        far = math.log(least) - math.log(top) - 1.0
        low = top * math.exp(
            brentq(lambda v: excess(top * math.exp(v), B - top * math.exp(v)), far, 0.0, xtol=1e-15, **options)
        )
        low = max(low, least)
        for _ in range(2 if low < 0.5 * top else 0):  # to the last digits, which a large logarithm has not
            step = math.log1p(excess(low, B - low) / A) / (p - 1.0 - low / (B - low))
            low = max(low * math.exp(-step), least)
    most = B - top
    if excess(B - most, most) <= 0:  # both roots are the maximum but for rounding
        return low, top
    high = B - float(brentq(lambda gap: excess(B - gap, gap), least, most, xtol=5e-324, rtol=1e-15, **options))
    return low, high


def sigmoid_levels(A: float, B: float, F: float, survivors: int, G: float = 1.0) -> tuple[float, float] | None:
    """Return both levels of k equal survivors for f = G w^2/(F + w^2); None if there are none.

    ``(A + k G) u^2 - B G u + A F = 0``, from ``[B - k u] h(u) = A`` with h = G w/(F + w^2). The
    lower one is unstable; for the upper one see `sigmoid_most_survivors`. (In the terms of
    brnn.Sigmoid, F = half^2.)
    """
    a, b, c = A + survivors * G, B * G, A * F
    square = b * b - 4.0 * a * c
    if square < 0:
        return None
    q = 0.5 * (b + math.sqrt(square))
    return c / q, q / a


def sigmoid_most_survivors(A: float, B: float, F: float, G: float = 1.0) -> int:
    """Return the greatest number of equal survivors that f = G w^2/(F + w^2) stores in a large field.

    Two or more are stable if their level is beyond the top sqrt(F) of the hill, that is ``k <
    B/sqrt(F) - 2 A/G``; one is stable wherever (25) has a root, which is so if ``B^2 G^2 > 4 (A +
    G) A F``.
    """
    bound = B / math.sqrt(F) - 2.0 * A / G
    several = math.ceil(bound * (1.0 - 1e-14)) - 1
    if several >= 2:
        return several
    return 1 if (B * G) ** 2 > 4.0 * (A + G) * A * F else 0
