"""Signals that arrive late: how small disturbances grow, and from which delay on they do, in closed form.

    dx_i/dt = -A x_i(t) + sum_j W_ij x_j(t - tau) + I_i

Disturbances go like exp(lambda t) with ``lambda + A = mu exp(-lambda tau)`` for an eigenvalue mu of W, so that

    lambda = -A + W_0(mu tau exp(A tau))/tau,    W_0 the principal branch of Lambert's function,

is the one with the largest real part. One is i omega where ``omega^2 = |mu|^2 - A^2`` and ``omega tau = arg mu -
arg(A + i omega)``, modulo 2 pi: for |mu| > A there is a Hopf point, for |mu| <= A none, whatever the delay. For one
cell that inhibits itself, mu = -C: omega = sqrt(C^2 - A^2) and tau = arccos(-A/C)/omega. For a ring of n cells, each
of which inhibits the next with strength C: mu = -C exp(2 pi i k/n).

A network of other signals has the same equation around an equilibrium, with the slopes of its signals in W.

Source: the characteristic equation of linear delay equations, as in Hale and Verduyn Lunel (1993), Introduction to
functional differential equations; with Lambert's function, Corless et al. (1996), Adv. Comput. Math. 5, 329-359.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.delay_roots import characteristic_roots
from brnn.errors import InputError

__all__ = ["SOURCE", "DelayHopf", "growth_rate", "growth_rates", "hopf"]

SOURCE = "the characteristic equation; derived in brnn.theory.delays"
_SAME = 1e-12


@dataclass(frozen=True)
class DelayHopf:
    """Where disturbances begin to grow as the delay does: the delay, and the frequency of the oscillation there."""

    delay: float
    frequency: float

    @property
    def period(self) -> float:
        """2 pi/omega."""
        return 2.0 * math.pi / self.frequency


def growth_rates(A: float, W: Any, delay: float) -> np.ndarray:
    """Return lambda by Lambert's function, one for each eigenvalue of W, the largest real part first.

    Parameters
    ----------
    A : float
        Decay rate of all cells.
    W : array, shape (n, n), or float
        Strengths of the signals that arrive late, W[target, source].
    delay : float
        tau, > 0.
    """
    from scipy.special import lambertw

    if not (math.isfinite(delay) and delay > 0.0):
        raise InputError(f"growth_rates: delay = {delay}: must be a finite number > 0")
    mu = np.linalg.eigvals(np.atleast_2d(np.asarray(W, dtype=np.float64))).astype(complex)
    if A * delay > 600.0:
        raise InputError(f"growth_rates: A times the delay is {A * delay:g}: must be at most 600")
    found = -A + lambertw(mu * delay * math.exp(A * delay)) / delay
    return np.asarray(found[np.lexsort((-found.imag, -found.real))])


def hopf(A: float, W: Any) -> DelayHopf | None:
    """Return the least delay at which a pair of growth rates reaches the imaginary axis; None if no delay does that.

    Parameters
    ----------
    A, W
        As for `growth_rates`; without a delay the network has to settle.
    """
    mu = np.linalg.eigvals(np.atleast_2d(np.asarray(W, dtype=np.float64)))
    if float(np.max(mu.real)) >= A:  # it does not settle without a delay
        return None
    found = []
    for value in mu[np.abs(mu) > A * (1.0 + _SAME)]:
        omega = math.sqrt(abs(value) ** 2 - A**2)
        # -omega belongs to the conjugate eigenvalue, which is among them, too.
        turn = (math.atan2(value.imag, value.real) - math.atan2(omega, A)) % (2.0 * math.pi)
        found.append(DelayHopf(turn / omega, omega))
    return min(found, key=lambda point: point.delay, default=None)


def growth_rate(now: np.ndarray, past: Mapping[float, np.ndarray]) -> float:
    """Return the largest real part of the roots of det(lambda - J_0 - sum_k J_k exp(-lambda tau_k)).

    By Lambert's function where there is one delay and J_0 is -A times the unit matrix; else by Chebyshev collocation.

    Parameters
    ----------
    now : ndarray, shape (n, n)
        J_0.
    past : mapping of float to ndarray
        J_k by its delay.
    """
    A = -float(now[0, 0])
    if len(past) == 1 and np.array_equal(now, -A * np.eye(now.shape[0])):
        ((delay, W),) = past.items()
        if abs(A * delay) < 600.0:
            return float(growth_rates(A, W, delay)[0].real)
    return float(characteristic_roots(now, past)[0].real)
