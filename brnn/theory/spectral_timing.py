"""Spectral timing: how cells of many speeds, seen through depleting gates, learn when something happens.

    dx/dt = r (-x + (1 - x) I)                    a cell of rate r, driven by the conditioned stimulus I from time 0
    dy/dt = C (1 - y) - D f(x) y                  its habituative gate, f(x) = x^n/(half^n + x^n)
    f(x) y                                        what gets through
    dg/dt = relay (-g + f(x) y)                   a cell that follows it
    dz/dt = M g (N - z)                           its weight, sampled by g; N = 1 while the unconditioned stimulus is on
    dR/dt = relay (-R + (1/n) sum g z)            the timed response

x = I/(1 + I) (1 - exp(-r (1 + I) t)) is known exactly, and the equations of y and z are linear, so that both are
integrals; here they are integrated by SciPy, to about ten digits.

Fast gates. While x = r I t (small times) and C is negligible, g = a t^n exp(-D a t^(n + 1)/(n + 1)), a = (r I/half)^n.
Then g has its top at t = (n/(D a))^(1/(n + 1)), and g/g(top) is one function of t/t(top), for every rate r: its width
is proportional to the time of its top, which is Weber's law for each cell. With slow gates (small D) x saturates before
the gate is depleted, and the width is that of the gate, the same for all fast cells.

Source: the equations as recalled from Grossberg and Schmajuk (1989), Neural dynamics of adaptive timing and temporal
discrimination during associative learning, Neural Networks 2, 79-102; what follows from them is derived here.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from brnn.base.odes import solved

__all__ = ["Bell", "activation", "bell", "fast_gate_top", "fast_gate_width", "gated", "learned", "response"]


class Bell(NamedTuple):
    """Where a response has its top, how high it is there, and how wide it is at half of that."""

    time: float
    height: float
    width: float


def activation(t: Any, rates: Any, I: float = 1.0) -> np.ndarray:
    """Return x(t) of each cell, ``I/(1 + I) (1 - exp(-r (1 + I) t))``, shape (times, cells)."""
    t, rates = np.asarray(t, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    return np.asarray(-I / (1.0 + I) * np.expm1(-(1.0 + I) * np.multiply.outer(t, rates)))


def _signal(t: Any, rates: np.ndarray, I: float, half: float, exponent: float) -> np.ndarray:
    power = activation(t, rates, I) ** exponent
    return np.asarray(power / (half**exponent + power))


def gated(t: Any, rates: Any, I: float, half: float, exponent: float, C: float, D: float) -> np.ndarray:
    """Return what gets through the gates, f(x) y, since the onset of the stimulus; the gates were full.

    Parameters
    ----------
    t : array, shape (times,)
        Rising times, the first of them >= 0.
    rates : array, shape (cells,)
        Rates r.
    I : float
        The conditioned stimulus.
    half, exponent : float
        Of the signal f.
    C, D : float
        Rates at which a gate recovers, and at which it is depleted per unit of signal.

    Returns
    -------
    ndarray, shape (times, cells)
    """
    t, rates = np.atleast_1d(np.asarray(t, dtype=np.float64)), np.asarray(rates, dtype=np.float64)

    def velocity(time: float, y: np.ndarray) -> np.ndarray:
        return C * (1.0 - y) - D * _signal(time, rates, I, half, exponent) * y

    return _signal(t, rates, I, half, exponent) * _solved(velocity, t, np.ones(rates.size))


def learned(us_on: float, us_off: float, cs_off: float, trials: int, M: float, relay: float, *numbers: Any) -> Any:
    """Return the weights after some trials, each from resting cells and full gates; they are 0 before the first.

    Parameters
    ----------
    us_on, us_off : float
        When N is 1, counted from the onset of the conditioned stimulus.
    cs_off : float
        When a trial ends.
    trials : int
        How many there are.
    M, relay : float
        Learning rate, and rate at which g follows.
    numbers
        rates, I, half, exponent, C and D as for `gated`.

    Returns
    -------
    ndarray, shape (cells,)
    """
    area = _courses([0.0, us_on, us_off, cs_off], relay, *numbers)[1]
    # One trial: forgetting before, learning during and forgetting after the unconditioned stimulus.
    gain = -np.expm1(-M * (area[2] - area[1])) * np.exp(-M * (area[3] - area[2]))
    z = np.zeros(area.shape[1])
    for _ in range(trials):
        z = z * np.exp(-M * area[3]) + gain
    return z


def response(t: Any, z: Any, M: float, relay: float, *numbers: Any) -> np.ndarray:
    """Return R(t) in a trial without the unconditioned stimulus; the weights are forgotten at the rate M g in it.

    Arguments are those of `learned`; `z` are the weights at the beginning.

    Returns
    -------
    ndarray, shape (times,)
    """
    from scipy.interpolate import CubicSpline

    t = np.asarray(t, dtype=np.float64)
    fine = np.union1d(t, np.linspace(0.0, float(t[-1]), 8001))
    g, area = _courses(fine, relay, *numbers)
    drive = CubicSpline(fine, (g * np.asarray(z) * np.exp(-M * area)).mean(axis=1))

    def velocity(time: float, R: np.ndarray) -> np.ndarray:
        return relay * (float(drive(time)) - R)

    return _solved(velocity, t, np.zeros(1))[:, 0]


def _courses(t: Any, relay: float, rates: Any, *numbers: float) -> tuple[np.ndarray, np.ndarray]:
    """Return g and its integral from 0 on, each of shape (times, cells)."""
    rates = np.asarray(rates, dtype=np.float64)
    I, half, exponent, C, D = numbers
    n = rates.size

    def velocity(time: float, u: np.ndarray) -> np.ndarray:
        y, g = u[:n], u[n : 2 * n]
        through = _signal(time, rates, I, half, exponent) * y
        return np.concatenate([C * (1.0 - y) - D * through, relay * (through - g), g])

    u = _solved(velocity, np.asarray(t, dtype=np.float64), np.concatenate([np.ones(n), np.zeros(2 * n)]))
    return u[:, n : 2 * n], u[:, 2 * n :]


def _solved(velocity: Any, t: np.ndarray, start: np.ndarray) -> np.ndarray:
    span = (0.0, max(float(t[-1]), 1e-12))
    return np.asarray(solved(velocity, span, start, t_eval=t, rtol=1e-10, atol=1e-14).y.T)


def bell(t: Any, response: Any) -> Bell:
    """Return the top of a response with one top, and its width at half height, by a cubic spline through its values.

    Raises
    ------
    ArithmeticError
        If the response does not fall to half its height on both sides within the times.
    """
    from scipy.interpolate import CubicSpline

    t, values = np.asarray(t, dtype=np.float64), np.asarray(response, dtype=np.float64)
    spline = CubicSpline(t, values)
    k = int(values.argmax())
    slope = spline.derivative().solve(0.0, extrapolate=False)
    near = slope[(slope >= t[max(k - 1, 0)]) & (slope <= t[min(k + 1, t.size - 1)])]
    top = float(near[np.argmax(spline(near))]) if near.size else float(t[k])
    height = float(spline(top))
    sides = spline.solve(0.5 * height, extrapolate=False)
    before, after = sides[sides < top], sides[sides > top]
    if before.size == 0 or after.size == 0:
        raise ArithmeticError("spectral_timing: the response does not fall to half its height within the times")
    return Bell(top, height, float(after.min() - before.max()))


def fast_gate_top(rate: Any, I: float, half: float, exponent: float, D: float) -> Any:
    """Return when the gated signal of a cell has its top in the limit of fast gates, ``(n/(D a))^(1/(n + 1))``.

    It is proportional to ``r^(-n/(n + 1))``: nearly, but not quite, to 1/r.
    """
    a = (np.asarray(rate, dtype=np.float64) * I / half) ** exponent
    return (exponent / (D * a)) ** (1.0 / (exponent + 1.0))


def fast_gate_width(exponent: float) -> float:
    """Return the width of a gated signal at half height, divided by the time of its top, in the limit of fast gates."""
    from scipy.optimize import brentq

    def excess(s: float) -> float:  # logarithm of g/g(top) at t = s t(top), above that of 1/2
        return exponent * np.log(s) - exponent / (exponent + 1.0) * (s ** (exponent + 1.0) - 1.0) + np.log(2.0)

    return float(brentq(excess, 1.0, 10.0, xtol=1e-14) - brentq(excess, 1e-12, 1.0, xtol=1e-14))
