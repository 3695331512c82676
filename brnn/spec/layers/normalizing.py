"""Cells that a pool normalizes by shunting: the principal cells of ORGaNICs (Heeger and Mackey 2019)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import spread
from brnn.spec.layers.base import LayerLaw

__all__ = ["NormalizingLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class NormalizingLayer(LayerLaw):
    """Principal cells y that their pool a shunts at the rate sqrt(a), as the pool sees them: x = y sqrt(a).

    tau dy/dt = -sqrt(a) y + b exc
    tau_pool da/dt = -a + floor + mod

    exc is the input drive, mod what the pool sums up (of x^2 = a y^2), and inh is the pool's activity a itself, which
    arrives from a layer with the second equation. The chain rule gives the law of x, in which nothing but these occurs:

    dx/dt = sqrt(a) (b exc - x)/tau + x (floor + mod - a)/(2 a tau_pool)

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    tau, tau_pool : float or array, > 0
        Time constants of the principal cells and of the pool (time).
    b : float or array
        Gain of the input drive.
    floor : float or array, > 0
        Activity of the pool without principal cells, sigma^2 b0^2.
    initial : float or array
        x at time 0.
    """

    tau: float | np.ndarray = 1.0
    tau_pool: float | np.ndarray = 1.0
    b: float | np.ndarray = 1.0
    floor: float | np.ndarray = 1.0
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("tau", "tau_pool", "b", "floor")
    signed_input: ClassVar[bool] = True
    modulated: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(
            tau=spread(self.tau, f"{at}: tau", self.shape, above=0.0),
            tau_pool=spread(self.tau_pool, f"{at}: tau_pool", self.shape, above=0.0),
            b=spread(self.b, f"{at}: b", self.shape),
            floor=spread(self.floor, f"{at}: floor", self.shape, above=0.0),
        )

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, tau: Any, tau_pool: Any, b: Any, floor: Any) -> Any:
        """Return dx/dt; `inh` is the pool's activity a."""
        return np.sqrt(np.maximum(inh, 0.0)) * (b * exc - x) / tau + x * (floor + mod - inh) / (2.0 * inh * tau_pool)
