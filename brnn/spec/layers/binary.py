"""Two-valued cells in discrete time: McCulloch and Pitts (1), Caianiello (2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import choice, number, spread
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["BinaryLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class BinaryLayer(LayerLaw):
    """Cells that compare their net input with a threshold, once in each step.

    x_i(t + step) = sgn(net_i - threshold_i), sgn in {-1, 0, 1}                               (1)
    x_i(t + step) = 1[net_i - threshold_i], 1[w] = 1 if w >= 0 else 0                         (2)

    net_i is the excitatory minus the inhibitory input at time t; memory of several steps is a projection for each
    delay. With ``at_threshold="keep"`` a cell whose net input equals its threshold keeps its state, as in the
    bidirectional associative memory of Kosko.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    threshold : float or array
        B of (1) and (2).
    levels : {"bipolar", "unipolar"}
        (1) or (2).
    initial : float or array
        Activities at time 0.
    step : float, > 0
        Step of time.
    at_threshold : {"level", "keep"}
        What a cell does whose net input equals its threshold: it takes the level of (1) or (2), or keeps its state.
    """

    threshold: float | np.ndarray = 0.0
    levels: str = "bipolar"
    initial: float | np.ndarray = 0.0
    step: float = 1.0
    at_threshold: str = "level"

    parameters: ClassVar[tuple[str, ...]] = ("threshold", "unipolar", "keeps")
    signed_input: ClassVar[bool] = True
    discrete: ClassVar[bool] = True
    levels_only: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        self._set(
            threshold=spread(self.threshold, f"{self.label}: threshold", self.shape),
            levels=choice(self.levels, f"{self.label}: levels", ("bipolar", "unipolar")),
            step=number(self.step, f"{self.label}: step", above=0.0),
            at_threshold=choice(self.at_threshold, f"{self.label}: at_threshold", ("level", "keep")),
        )

    @property
    def unipolar(self) -> float:
        """1 for the levels 0 and 1; 0 for -1, 0 and 1."""
        return float(self.levels == "unipolar")

    @property
    def keeps(self) -> float:
        """1 if a cell at its threshold keeps its state, else 0."""
        return float(self.at_threshold == "keep")

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, threshold: Any, unipolar: Any, keeps: Any) -> Any:
        """Return the activity one step later."""
        w = exc - inh - threshold
        level = unipolar * (w >= 0.0) + (1.0 - unipolar) * np.sign(w)
        return level + keeps * (w == 0.0) * (x - level)

    def bounds(self) -> Bounds | None:
        """Return the lowest and the highest level; a state that is kept can be any that it started with."""
        return None if self.keeps else (-1.0 + self.unipolar, 1.0)
