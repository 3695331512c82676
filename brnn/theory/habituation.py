"""The habituative gate (10) and what is made of it: depressing synapses and gated dipoles.

    dy/dt = H (K - y) - L f y                                                                            (10)

f is the signal through the gate and f y what gets through. Signals of cells are taken for instantaneous here: at a
step of the input they change at once, and the gates after them.

Source: review, equation (10); the dipole: Grossberg (1972), "A neural theory of punishment and avoidance. II", Math.
Biosci. 15, 253-285. The closed forms of this page follow from the equations in a few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = [
    "before_spikes",
    "burst_response",
    "dipole_onset",
    "dipole_rebound",
    "dipole_response",
    "gate_level",
    "gate_trajectory",
    "train_level",
]

RealFunction = Callable[[Any], Any]


def gate_level(f: Any, H: float, K: float, L: float) -> Any:
    """Return the gate at a constant signal f, ``y = H K/(H + L f)``."""
    return H * K / (H + L * np.asarray(f, dtype=np.float64))


def gate_trajectory(t: Any, f: Any, H: float, K: float, L: float, y0: Any) -> np.ndarray:
    """Return y(t) at a constant signal: ``y + (y0 - y) exp(-(H + L f) t)``, y being the level that is approached.

    Parameters
    ----------
    t : array, shape (times,)
        Times since the gate was at `y0`.
    f : float or array, shape (gates,)
        Signal through each gate.
    y0 : float or array, shape (gates,)
        Gates at time 0.

    Returns
    -------
    ndarray, shape (times, gates)
    """
    f = np.atleast_1d(np.asarray(f, dtype=np.float64))
    level = gate_level(f, H, K, L)
    return np.asarray(level + (y0 - level) * np.exp(-(H + L * f) * np.asarray(t, dtype=np.float64)[:, None]))


def before_spikes(period: float, tau_rec: float, U: float, count: int) -> np.ndarray:
    """Return the resources x just before each of `count` spikes of a regular train that finds them whole.

    Each spike takes the fraction U of them; between spikes they recover: ``x -> 1 - (1 - (1 - U) x) exp(-T/tau_rec)``.

    Returns
    -------
    ndarray, shape (count,)
    """
    e = np.exp(-period / tau_rec)
    x = np.ones(count)
    for k in range(1, count):
        x[k] = 1.0 - (1.0 - (1.0 - U) * x[k - 1]) * e
    return x


def train_level(period: Any, tau_rec: float, U: float) -> Any:
    """Return the fixed point of `before_spikes`: ``(1 - e)/(1 - (1 - U) e)``, ``e = exp(-T/tau_rec)``."""
    e = np.exp(-np.asarray(period, dtype=np.float64) / tau_rec)
    return -np.expm1(-np.asarray(period, dtype=np.float64) / tau_rec) / (1.0 - (1.0 - U) * e)


def dipole_response(I: Any, J: Any, f: RealFunction, H: float, K: float, L: float) -> Any:
    """Return the equilibrium of the ON minus the OFF channel of a gated dipole, with arousal I and phasic input J.

    ``f(I + J) y(I + J) - f(I) y(I) = H^2 K [f(I + J) - f(I)] / ((H + L f(I)) (H + L f(I + J)))``
    """
    off, on = f(np.asarray(I, dtype=np.float64)), f(np.add(I, J))
    return H**2 * K * (on - off) / ((H + L * off) * (H + L * on))


def dipole_onset(I: Any, J: Any, f: RealFunction, H: float, K: float, L: float) -> Any:
    """Return ON minus OFF just after J is switched on, the gates being those of I alone: ``y(I) [f(I + J) - f(I)]``."""
    off, on = f(np.asarray(I, dtype=np.float64)), f(np.add(I, J))
    return gate_level(off, H, K, L) * (on - off)


def dipole_rebound(I: Any, J: Any, f: RealFunction, H: float, K: float, L: float) -> Any:
    """Return OFF minus ON just after J is switched off, the gates being those of I and J.

    ``f(I) [y(I) - y(I + J)] = H K L f(I) [f(I + J) - f(I)] / ((H + L f(I)) (H + L f(I + J)))``
    """
    off, on = f(np.asarray(I, dtype=np.float64)), f(np.add(I, J))
    return H * K * L * off * (on - off) / ((H + L * off) * (H + L * on))


def burst_response(I: Any, J: Any, dI: Any, f: RealFunction, H: float, K: float, L: float) -> Any:
    """Return OFF minus ON just after a burst dI of arousal while J is on, the gates being those of I and J.

    ``f(I + dI) y(I) - f(I + J + dI) y(I + J)``; for f(w) = w it is ``H K L J (dI - H/L)/((H + L I) (H + L (I + J)))``,
    so that its sign is that of dI - H/L, whatever I and J are.
    """
    off, on = gate_level(f(np.asarray(I, dtype=np.float64)), H, K, L), gate_level(f(np.add(I, J)), H, K, L)
    return f(np.add(I, dI)) * off - f(np.add(np.add(I, J), dI)) * on
