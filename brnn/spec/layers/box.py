"""Brain-state-in-a-box: linear cells in discrete time that saturate at both ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import number, spread
from brnn.errors import SpecError
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["BoxLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class BoxLayer(LayerLaw):
    """Cells of the brain-state-in-a-box model (Anderson, Silverstein, Ritz and Jones 1977).

    x_i(t + step) = min(max(decay x_i(t) + net_i(t), lowest), highest)

    net_i is the excitatory minus the inhibitory input, usually alpha sum_j W_ij x_j.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    decay : float or array
        How much of its activity a cell keeps; 1 in the model.
    lowest, highest : float
        The sides of the box.
    initial : float or array
        Activities at time 0.
    step : float, > 0
        Step of time.
    """

    decay: float | np.ndarray = 1.0
    lowest: float = -1.0
    highest: float = 1.0
    initial: float | np.ndarray = 0.0
    step: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("decay", "lowest", "highest")
    signed_input: ClassVar[bool] = True
    discrete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        self._set(
            decay=spread(self.decay, f"{self.label}: decay", self.shape),
            lowest=number(self.lowest, f"{self.label}: lowest"),
            highest=number(self.highest, f"{self.label}: highest"),
            step=number(self.step, f"{self.label}: step", above=0.0),
        )
        if self.lowest >= self.highest:
            raise SpecError(f"{self.label}: lowest = {self.lowest:g}: must be below highest = {self.highest:g}")

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, decay: Any, lowest: Any, highest: Any) -> Any:
        """Return the activity one step later."""
        return np.minimum(np.maximum(decay * x + exc - inh, lowest), highest)

    def bounds(self) -> Bounds | None:
        """Return the sides of the box."""
        return (self.lowest, self.highest)
