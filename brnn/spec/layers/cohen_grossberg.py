"""Systems of Cohen and Grossberg (32), and with them Lotka-Volterra, Hopfield and adaptation level systems (28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import one_of
from brnn.signals import Signal
from brnn.spec.layers.base import LayerLaw

__all__ = ["CohenGrossbergLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class CohenGrossbergLayer(LayerLaw):
    """Cells that obey the equation of Cohen and Grossberg.

    dx_i/dt = a(x_i) [b(x_i) + I_i - sum_j c_ij d(x_j)]                                        (32)

    The coefficients c are inhibitory projections with the signal d (an excitatory one is a negative c); the constant
    part of b_i that differs from cell to cell is an excitatory stimulus I_i.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    a : Signal
        Amplification; a ``Function("1 + w**2")`` is one of negative activities, too.
    b : Signal
        Self-signal.
    initial : float or array
        Activities at time 0.
    """

    a: Signal
    b: Signal
    initial: float | np.ndarray = 0.0

    signed_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        for name in ("a", "b"):
            one_of(getattr(self, name), f"{self.label}: {name}", Signal, "a signal, e.g. Function('1 - w')")

    def inner(self) -> dict[str, Signal]:
        """Return a and b."""
        return {"a": self.a, "b": self.b}

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, a: Any, b: Any) -> Any:
        """Return dx/dt of equation (32); `a` and `b` are the values a(x) and b(x)."""
        return a * (b + exc - inh)
