"""Cells whose activity is held at 0 while the generalized STM equation would take it below."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.spec.layers.base import Bounds
from brnn.spec.layers.generalized import _Generalized

__all__ = ["ClampedLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class ClampedLayer(_Generalized):
    """Cells that obey the generalized STM equation (9) above 0, and rest at 0 while it would take them below.

    dx_i/dt = r_i, but 0 where x_i <= 0 and r_i < 0;  r_i = -A x_i + (B - C x_i) exc_i - (E + F x_i) inh_i

    That is not a signal with threshold 0: a cell that is inhibited for long begins to rise at once when its input does.
    The burst cells of the saccade generator (Gancarz and Grossberg 1998) are such cells.

    Parameters
    ----------
    name : str
        Name of the layer; its activities are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    A, B, C, E, F : float or array
        As for Layer.
    initial : float or array, >= 0
        Activities at time 0.

    Raises
    ------
    SpecError
        If a value has the wrong type, shape, sign or is not finite.

    Notes
    -----
    0 <= x_i(t), whatever the inputs are. At x = 0 the right-hand side jumps where inhibition wins; the derivative there
    is 0.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_common(self.initial, minimum=0.0)

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, A: Any, B: Any, C: Any, E: Any, F: Any) -> Any:
        """Return dx/dt; `exc` and `inh` are the two square brackets of (9)."""
        rate = -A * x + (B - C * x) * exc - (E + F * x) * inh
        return np.where(x > 0.0, rate, np.maximum(rate, 0.0))

    def bounds(self) -> Bounds:
        """Return (0, B/C); infinite where C is 0."""
        limits = super().bounds()
        return 0.0, np.inf if limits is None else limits[1]
