"""Wilson and Cowan's cells: a sigmoid of the summed input, times the fraction that can still be excited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import spread
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["WilsonCowanLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class WilsonCowanLayer(LayerLaw):
    """Populations that obey the equations of Wilson and Cowan (1972).

    tau dx_i/dt = -x_i + (k - r x_i) S(net_i),   S(w) = 1/(1 + exp(-a (w - theta))) - 1/(1 + exp(a theta))

    net_i is the excitatory minus the inhibitory input.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of populations along each axis.
    a : float or array, > 0
        Slope of the sigmoid.
    theta : float or array
        Its midpoint.
    tau : float or array, > 0
        Time constant.
    k : float or array, > 0
        Largest fraction that can be active; 1 here, S(infinity) in the paper.
    r : float or array, >= 0
        Refractory coefficient.
    initial : float or array
        Activities at time 0.
    """

    a: float | np.ndarray
    theta: float | np.ndarray
    tau: float | np.ndarray = 1.0
    k: float | np.ndarray = 1.0
    r: float | np.ndarray = 1.0
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("a", "theta", "tau", "k", "r")
    signed_input: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(
            a=spread(self.a, f"{at}: a", self.shape, above=0.0),
            theta=spread(self.theta, f"{at}: theta", self.shape),
            tau=spread(self.tau, f"{at}: tau", self.shape, above=0.0),
            k=spread(self.k, f"{at}: k", self.shape, above=0.0),
            r=spread(self.r, f"{at}: r", self.shape, minimum=0.0),
        )

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, a: Any, theta: Any, tau: Any, k: Any, r: Any) -> Any:
        """Return dx/dt."""
        s = 1.0 / (1.0 + np.exp(-a * (exc - inh - theta))) - 1.0 / (1.0 + np.exp(a * theta))
        return (-x + (k - r * x) * s) / tau

    def bounds(self) -> Bounds | None:
        """Return None: S is negative for a net input below 0, so that 0 is no bound."""
        return None
