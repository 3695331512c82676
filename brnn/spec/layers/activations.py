"""What the laws of artificial networks share: activation functions of the net input, and layers that have one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import choice, number
from brnn.spec.layers.base import LayerLaw

__all__ = ["ACTIVATIONS"]

ACTIVATIONS = ("tanh", "relu", "linear", "sigmoid")


def logistic(w: Any) -> Any:
    """Return 1/(1 + exp(-w))."""
    return 1.0 / (1.0 + np.exp(-w))


def activated(w: Any, linear: Any, relu: Any, tanh: Any, sigmoid: Any) -> Any:
    """Return one of the four functions of w: the one whose factor is 1, the others are 0."""
    return linear * w + relu * np.maximum(w, 0.0) + tanh * np.tanh(w) + sigmoid * logistic(w)


@dataclass(frozen=True, eq=False, repr=False)
class _Activated(LayerLaw):
    """A layer of discrete time with an activation function, which its law takes as four factors."""

    activation: str = "tanh"
    initial: float | np.ndarray = 0.0
    step: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = ("linear", "relu", "tanh", "sigmoid")
    signed_input: ClassVar[bool] = True
    discrete: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        self._set(
            activation=choice(self.activation, f"{self.label}: activation", ACTIVATIONS),
            step=number(self.step, f"{self.label}: step", above=0.0),
        )

    @property
    def linear(self) -> float:
        """1 if the activation function is w itself."""
        return float(self.activation == "linear")

    @property
    def relu(self) -> float:
        """1 if it is max(w, 0)."""
        return float(self.activation == "relu")

    @property
    def tanh(self) -> float:
        """1 if it is the hyperbolic tangent."""
        return float(self.activation == "tanh")

    @property
    def sigmoid(self) -> float:
        """1 if it is the logistic function."""
        return float(self.activation == "sigmoid")
