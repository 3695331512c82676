"""Feedforward on-center off-surround networks: the noise-saturation dilemma and its solution.

Equations (13)-(19) of the review. The inputs are I_i = theta_i I with sum theta_i = 1, I the total
input::

    dx_i/dt = -A x_i + (B - x_i) I_i - (D + x_i) sum_{k != i} I_k        (13) for D = 0

Symbols: A > 0 decay rate, B > 0 upper and -D <= 0 lower bound of activity. For constant inputs the
equation is linear in x_i, with the same rate A + I for every cell, so that everything here is
exact.

Source: Grossberg, "Recurrent neural networks", Scholarpedia 8(2):1888 (2013), equations (13)-(19),
and the review's text on hyperpolarization for D > 0. The response before it has settled, for any
initial value, is the solution of the same linear equation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "adaptation_level",
    "equilibrium",
    "shift",
    "shunt",
    "shunt_trajectory",
    "total_activity",
    "trajectory",
    "unopposed",
    "weber",
]


def equilibrium(inputs: Any, A: float, B: float, D: float = 0.0) -> np.ndarray:
    """Return the equilibrium of (13).

    ``x_i = [(B + D) theta_i - D] I / (A + I)``; with D = 0 this is (14), ``x_i = theta_i B I / (A +
    I)``: reflectances theta_i are kept at every total input I, where a network without off-surround
    (`unopposed`) saturates.

    Parameters
    ----------
    inputs : array, shape (..., n)
        I_i >= 0, the cells along the last axis.
    A, B, D : float
        Decay rate and the bounds of activity.

    Returns
    -------
    ndarray, shape (..., n)
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    total = inputs.sum(axis=-1, keepdims=True)
    return ((B + D) * inputs - D * total) / (A + total)


def trajectory(inputs: Any, A: float, B: float, t: Any, x0: Any = 0.0, D: float = 0.0) -> np.ndarray:
    """Return the solution of (13) for inputs that are constant from time 0 on.

    ``x_i(t) = x_i(inf) + (x_i(0) - x_i(inf)) exp(-(A + I) t)``; with x_i(0) = 0 and D = 0 this is
    (16).

    Parameters
    ----------
    inputs : array, shape (n,)
        I_i >= 0.
    A, B, D : float
        Decay rate and the bounds of activity.
    t : float or array
        Times >= 0.
    x0 : float or array of shape (n,)
        Activities at time 0.

    Returns
    -------
    ndarray, shape of `t` + (n,)
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    end = equilibrium(inputs, A, B, D)
    return _relax(end, x0, A + inputs.sum(), t)


def unopposed(inputs: Any, A: float, B: float) -> np.ndarray:
    """Return the equilibrium without off-surround, ``x_i = B I_i / (A + I_i)``: all cells saturate at B.

    It is the equilibrium of ``dx_i/dt = -A x_i + (B - x_i) I_i``; `inputs` has any shape, and so
    has the result.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    return B * inputs / (A + inputs)


def total_activity(total: Any, A: float, B: float, D: float = 0.0, n: int = 1) -> Any:
    """Return the total activity at equilibrium, (17) for D = 0: ``sum x_i = B I / (A + I)``.

    It does not depend on theta: normalization. With hyperpolarization each of the n cells is
    inhibited by the inputs of the other n - 1, and the sum over cells of (13) gives ``sum x_i = [B
    - (n - 1) D] I / (A + I)``.

    Parameters
    ----------
    total : float or array
        Total input I.
    A, B, D : float
        Decay rate and the bounds of activity.
    n : int
        Number of cells; it matters only if D > 0.
    """
    total = np.asarray(total, dtype=np.float64)
    return ((B - (n - 1) * D) * total / (A + total))[()]


def weber(K: Any, J: Any, A: float, B: float) -> Any:
    """Return (18), the response to an own input ``I_i = exp(K)`` beside a total input J to the others.

    ``x(K, J) = B exp(K) / (A + exp(K) + J)``, computed without overflow for large K. Arrays
    broadcast.
    """
    K, J = np.asarray(K, dtype=np.float64), np.asarray(J, dtype=np.float64)
    grown = np.exp(-np.abs(K))  # whichever of exp(K) and exp(-K) cannot overflow
    return np.where(K > 0, B / (1.0 + (A + J) * grown), B * grown / (A + J + grown))[()]


def shift(A: float, J1: Any, J2: Any) -> Any:
    """Return the shift of the response curve (18) when the off-surround input is raised from J1 to J2.

    ``x(K + S, J2) = x(K, J1)`` for every K with ``S = ln[(A + J2) / (A + J1)]``: the curve moves,
    and is not compressed. (The review prints J2 - J1 in (19); the logarithm follows from (18).)
    """
    return (np.log(A + np.asarray(J2, dtype=np.float64)) - np.log(A + np.asarray(J1, dtype=np.float64)))[()]


def adaptation_level(B: float, D: float) -> float:
    """Return the adaptation level ``D / (B + D)``: a cell is excited only if its theta_i is above it.

    By `equilibrium`, ``x_i = (B + D) I / (A + I) [theta_i - D / (B + D)]``. A uniform pattern over
    n cells is suppressed exactly, at every intensity, if the level is 1/n.
    """
    return D / (B + D)


def shunt(excitation: Any, inhibition: Any, A: Any, B: Any, D: Any = 0.0) -> Any:
    """Return the equilibrium of one shunting cell, ``x = (B E - D I) / (A + E + I)``.

    It is the equilibrium of (8), ``dx/dt = -A x + (B - x) E - (D + x) I``, for constant total
    excitation E and inhibition I, of any layer with any input. All arguments are numbers or arrays
    that broadcast.
    """
    excitation, inhibition = (np.asarray(value, dtype=np.float64) for value in (excitation, inhibition))
    return ((B * excitation - D * inhibition) / (A + excitation + inhibition))[()]


def shunt_trajectory(
    excitation: Any, inhibition: Any, A: Any, B: Any, t: Any, x0: Any = 0.0, D: Any = 0.0
) -> np.ndarray:
    """Return the response of shunting cells to excitation and inhibition that are constant from time 0 on.

    ``x(t) = x(inf) + (x0 - x(inf)) exp(-(A + E + I) t)`` with `shunt` as the limit. The rate
    belongs to the cell: strong inputs are answered fast.

    Returns
    -------
    ndarray, shape of `t` + shape of the cells
    """
    end = np.asarray(shunt(excitation, inhibition, A, B, D))
    return _relax(end, x0, A + np.asarray(excitation) + np.asarray(inhibition), t)


def _relax(end: np.ndarray, x0: Any, rate: Any, t: Any) -> np.ndarray:
    """Return ``end + (x0 - end) exp(-rate t)`` with the axes of `t` first."""
    t = np.asarray(t, dtype=np.float64)
    t = t.reshape(t.shape + (1,) * end.ndim)
    decay = np.exp(-np.asarray(rate, dtype=np.float64) * t)
    return end + (np.asarray(x0, dtype=np.float64) - end) * decay
