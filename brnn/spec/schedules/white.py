"""White noise as an input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from brnn.spec.schedules.base import Schedule, Segment

__all__ = ["WhiteNoise"]


@dataclass(frozen=True, eq=False, repr=False)
class WhiteNoise(Schedule):
    """White noise of a strength given by the stimulus' pattern, independent for each cell.

    The input I_i becomes pattern_i dW_i/dt. In an additive layer the noise is additive; in a shunting layer it is
    multiplied by (B - C x_i), or by -(E + F x_i) as an inhibitory input: multiplicative noise, in the sense of Itô.
    Activities are then no more bounded by -D and B. Only solvers made for it can take it; the seed is the run's.
    """

    white: ClassVar[bool] = True

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return 0: white noise adds nothing to the drift."""
        return Segment(0.0)

    def last(self) -> float:
        """Return infinity."""
        return float("inf")
