"""The membrane equation (20), and the shunting equation (8) as the same thing in other units.

    C dV/dt = (V+ - V) g+ + (V- - V) g- + (Vp - V) gp                 (20)

V: membrane potential; V+, V-, Vp: saturation (reversal) potentials of the excitatory, the
inhibitory and the passive channel, V- <= Vp <= V+; g+, g-, gp >= 0: their conductances; C > 0:
capacitance. (The review prints g- in the last term; the passive channel has its own conductance
gp.)

With ``x = (V - Vp) / s`` for any unit s > 0 of activity, (20) becomes (8),

    dx/dt = -A x + (B - x) E - (D + x) I,

with ``A = gp / C``, ``B = (V+ - Vp) / s``, ``D = (Vp - V-) / s``, ``E = g+ / C`` and ``I = g- /
C``: substitute V = Vp + s x and divide by C s. The bounds -D <= x <= B are V- <= V <= V+.

Source: review, equations (8) and (20); the change of variable is derived here.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Self

import numpy as np

from brnn.theory.feedforward import _relax

__all__ = ["Membrane", "equilibrium", "trajectory"]


@dataclasses.dataclass(frozen=True)
class Membrane:
    """The constants of (20), and the affine change of variable from it to (8) and back.

    Parameters
    ----------
    V_plus, V_minus, V_passive : float
        Saturation potentials, in any one unit (mV).
    g_passive : float
        Passive conductance gp > 0.
    capacitance : float
        C > 0. ``C / gp`` is the passive time constant.
    scale : float
        s > 0, the potential that counts as activity 1.

    Attributes
    ----------
    A, B, D : float
        The constants of (8) that correspond to these.
    """

    V_plus: float
    V_minus: float
    V_passive: float
    g_passive: float = 1.0
    capacitance: float = 1.0
    scale: float = 1.0

    @property
    def A(self) -> float:
        """Decay rate ``gp / C``."""
        return self.g_passive / self.capacitance

    @property
    def B(self) -> float:
        """Upper bound ``(V+ - Vp) / s``."""
        return (self.V_plus - self.V_passive) / self.scale

    @property
    def D(self) -> float:
        """Minus the lower bound, ``(Vp - V-) / s``."""
        return (self.V_passive - self.V_minus) / self.scale

    @classmethod
    def from_shunting(
        cls, A: float, B: float, D: float, *, V_passive: float = 0.0, capacitance: float = 1.0, scale: float = 1.0
    ) -> Self:
        """Return the membrane whose activity ``x = (V - Vp) / s`` obeys (8) with the constants A, B, D."""
        return cls(V_passive + scale * B, V_passive - scale * D, V_passive, A * capacitance, capacitance, scale)

    def activity(self, potential: Any) -> Any:
        """Return the activity ``x = (V - Vp) / s`` of a potential V (number or array)."""
        return (np.asarray(potential, dtype=np.float64) - self.V_passive)[()] / self.scale

    def potential(self, activity: Any) -> Any:
        """Return the potential ``V = Vp + s x`` of an activity x (number or array)."""
        return self.V_passive + self.scale * np.asarray(activity, dtype=np.float64)[()]

    def input(self, conductance: Any) -> Any:
        """Return the input of (8) that a conductance of (20) makes, ``g / C``: E of g+, and I of g-."""
        return np.asarray(conductance, dtype=np.float64)[()] / self.capacitance

    def conductance(self, value: Any) -> Any:
        """Return the conductance of (20) that makes an input of (8): the inverse of `input`."""
        return np.asarray(value, dtype=np.float64)[()] * self.capacitance


def equilibrium(membrane: Membrane, g_plus: Any, g_minus: Any) -> Any:
    """Return the potential at which (20) settles, a mean of the saturation potentials.

    The weights are the conductances: ``V = (V+ g+ + V- g- + Vp gp) / (g+ + g- + gp)``. The
    conductances are numbers or arrays that broadcast.
    """
    g_plus, g_minus = (np.asarray(g, dtype=np.float64) for g in (g_plus, g_minus))
    current = membrane.V_plus * g_plus + membrane.V_minus * g_minus + membrane.V_passive * membrane.g_passive
    return (current / (g_plus + g_minus + membrane.g_passive))[()]


def trajectory(membrane: Membrane, g_plus: Any, g_minus: Any, t: Any, V0: Any) -> np.ndarray:
    """Return the solution of (20) for conductances that are constant from time 0 on, and V(0) = V0.

    ``V(t) = V(inf) + (V0 - V(inf)) exp(-(g+ + g- + gp) t / C)``.

    Returns
    -------
    ndarray, shape of `t` + shape of the cells
    """
    end = np.asarray(equilibrium(membrane, g_plus, g_minus))
    rate = (np.asarray(g_plus) + np.asarray(g_minus) + membrane.g_passive) / membrane.capacitance
    return _relax(end, V0, rate, t)
