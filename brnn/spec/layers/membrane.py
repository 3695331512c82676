"""The membrane equation (20) as a layer law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import spread
from brnn.errors import SpecError
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["MembraneLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class MembraneLayer(LayerLaw):
    """Cells that obey the membrane equation; the inputs are conductances.

    C dV/dt = (V_plus - V) g+ + (V_minus - V) g- + (V_p - V) g_p                              (20)

    Parameters
    ----------
    name : str
        Name of the layer; its potentials are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    C : float or array, > 0
        Membrane capacitance (nF).
    V_plus, V_minus, V_p : float or array
        Excitatory, inhibitory and passive reversal potentials (mV), V_minus <= V_p <= V_plus.
    g_p : float or array, >= 0
        Passive conductance (nS). With nF, nS and mV the unit of time is the second.
    initial : float or array, optional
        Potentials at time 0 (mV); V_p by default.

    Raises
    ------
    SpecError
        If a value is not valid or the potentials are not in order.

    Notes
    -----
    V_minus <= V <= V_plus for conductances >= 0. The excitatory input of the layer is g+, the inhibitory one g-.
    """

    C: float | np.ndarray
    V_plus: float | np.ndarray
    V_minus: float | np.ndarray
    V_p: float | np.ndarray
    g_p: float | np.ndarray
    initial: float | np.ndarray | None = None

    parameters: ClassVar[tuple[str, ...]] = ("C", "V_plus", "V_minus", "V_p", "g_p")
    units: ClassVar[str] = "mV"

    def __post_init__(self) -> None:
        self._check_common(self.V_p if self.initial is None else self.initial)
        at = self.label
        self._set(
            C=spread(self.C, f"{at}: C", self.shape, above=0.0),
            V_plus=spread(self.V_plus, f"{at}: V_plus", self.shape),
            V_minus=spread(self.V_minus, f"{at}: V_minus", self.shape),
            V_p=spread(self.V_p, f"{at}: V_p", self.shape),
            g_p=spread(self.g_p, f"{at}: g_p", self.shape, minimum=0.0),
        )
        if np.any(np.less(self.V_p, self.V_minus)) or np.any(np.less(self.V_plus, self.V_p)):
            raise SpecError(f"{at}: the potentials must satisfy V_minus <= V_p <= V_plus")

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, C: Any, V_plus: Any, V_minus: Any, V_p: Any, g_p: Any) -> Any:
        """Return dV/dt of equation (20); `exc` is g+ and `inh` is g-."""
        return ((V_plus - x) * exc + (V_minus - x) * inh + (V_p - x) * g_p) / C

    def bounds(self) -> Bounds | None:
        """Return (V_minus, V_plus)."""
        return self.V_minus, self.V_plus
