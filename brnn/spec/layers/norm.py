"""Cells that hold the length of a vector of signals: the gain control of ART 2."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import spread
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["NormLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class NormLayer(LayerLaw):
    """Cells that follow the square root of their excitation: of the squares of activities, their Euclidean length.

    tau dx/dt = sqrt([exc]+) - x

    A projection whose signal is w**2, from all cells of a layer, makes x the length of its activities.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    tau : float or array, > 0
        Time constant (time).
    initial : float or array, >= 0
        Activities at time 0.
    """

    tau: float | np.ndarray = 1.0
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("tau",)

    def __post_init__(self) -> None:
        self._check_common(self.initial, minimum=0.0)
        self._set(tau=spread(self.tau, f"{self.label}: tau", self.shape, above=0.0))

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, tau: Any) -> Any:
        """Return dx/dt; inhibition has no meaning for a length."""
        return (np.sqrt(np.maximum(exc, 0.0)) - x) / tau

    def bounds(self) -> Bounds:
        """Return (0, infinity): a length is not negative."""
        return 0.0, np.inf
