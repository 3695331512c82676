"""The gated pacemaker with gates that are slow without limit: a relaxation oscillation.

    dx_1/dt = -A x_1 + (B - x_1) [I + f(x_1) z_1] - (x_1 + C) g f(x_2)             and the same with 1 and 2 exchanged
    dz_i/dt = s [D (1 - z_i) - H f(x_i) z_i]

For s -> 0 the activities are at a stable equilibrium of the first two equations, the gates frozen, while the gates
move; one cell is on, its gate falls, the other's rises, until that equilibrium meets an unstable one and disappears (a
fold: the determinant of the Jacobian is 0). Then the cells jump to the only equilibrium that is left, where they have
changed roles. Twice the time between jumps is the period, in units of 1/s. For small s the period is longer, by a
term that falls as s^(2/3), as for every passage of a fold.
"""

from __future__ import annotations

import numpy as np

from brnn.base.odes import solved
from brnn.errors import InputError
from brnn.signals import Signal

__all__ = ["singular_period"]

_ROUNDS = 40
_SETTLED = 1e-8


def singular_period(
    A: float, B: float, C: float, I: float, D: float, H: float, f: Signal, g: float
) -> tuple[float, np.ndarray]:
    """Return the limit of (period times s) as the rate s of the gates goes to 0, and the gates at the jump.

    Parameters
    ----------
    A, B, C, I, D, H, g : float
        As in the equations of this module.
    f : Signal
        The excitatory signal; g f is the inhibitory one.

    Returns
    -------
    period : float
        In units of 1/s.
    gates : ndarray, shape (2,)
        Gate of the cell that was on, and of the one that was off, when they change roles.

    Raises
    ------
    InputError
        If the cells do not change roles for ever: there is no relaxation oscillation.
    """

    def fast(t: float, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        signals = f(x)
        return np.asarray(-A * x + (B - x) * (I + signals * z) - (x + C) * g * signals[::-1])

    def jacobian(x: np.ndarray, z: np.ndarray) -> np.ndarray:
        signals, slopes = f(x), f.derivative(x)
        own = -A - I - signals * z + (B - x) * slopes * z - g * signals[::-1]
        cross = -(x + C) * g * slopes[::-1]
        return np.array([[own[0], cross[0]], [cross[1], own[1]]])

    def along(tau: float, u: np.ndarray) -> np.ndarray:
        """Return d(x, z, t)/dtau, dtau = dt/det J: x and z are smooth in tau at the fold, where dx/dt is infinite."""
        x, z = u[:2], u[2:4]
        J = jacobian(x, z)
        dz = D * (1.0 - z) - H * f(x) * z
        push = (B - x) * f(x) * dz
        adjugate = np.array([[J[1, 1], -J[0, 1]], [-J[1, 0], J[0, 0]]])
        det = float(np.linalg.det(J))
        return np.array([*(-(adjugate @ push)), *(dz * det), det])

    def folded(tau: float, u: np.ndarray) -> float:
        return float(np.linalg.det(jacobian(u[:2], u[2:4])))

    def resting(tau: float, u: np.ndarray) -> float:
        return float(np.max(np.abs(D * (1.0 - u[2:4]) - H * f(u[:2]) * u[2:4]))) - 1e-6 * D

    folded.terminal = resting.terminal = True  # type: ignore[attr-defined]
    span = (0.0, 1e4 / (D * A))
    z, before = np.array([0.9, 0.5]), np.inf
    for _ in range(_ROUNDS):
        # In a competitive planar system the corner (B, -C) leads to the equilibrium at which the first cell is most on.
        x = solved(fast, (0.0, 1e3 / A), [B, -C], rtol=1e-11, atol=1e-13, args=(z,)).y[:, -1]
        if x[0] - x[1] < 1e-6 * (B + C):
            raise InputError("the two cells of the pacemaker do not take turns: with these gates neither stays on")
        begin = np.array([*x, *z, 0.0])
        path = solved(along, span, begin, "DOP853", rtol=1e-11, atol=1e-13, events=(folded, resting))
        if path.status != 1 or not path.t_events[0].size:
            raise InputError("the pacemaker does not oscillate: a cell that is on stays on")
        end = path.y[:, -1]
        if abs(end[4] - before) < _SETTLED * before:
            return 2.0 * float(end[4]), end[2:4]
        z, before = end[3:1:-1].copy(), float(end[4])
    raise InputError("the pacemaker does not settle to a regular oscillation")
