"""Cells that keep a part of their activity and renew the rest: GRU, minGRU, and leaky units with a gate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from brnn.base.checks import choice
from brnn.spec.layers.activations import _Activated, activated, logistic

__all__ = ["SENSES", "UpdateGateLayer"]

SENSES = ("keep", "renew")  # what an open gate does


@dataclass(frozen=True, eq=False, repr=False)
class UpdateGateLayer(_Activated):
    """Cells with an update gate z = sigma(mod), which says how much is kept or how much is renewed.

    x(t + step) = z x + (1 - z) n        gate = "keep" (PyTorch, Keras, ONNX)
    x(t + step) = (1 - z) x + z n        gate = "renew" (Chung et al. 2014; minGRU)

    n = activation(exc - inh) is the candidate, sigma(w) = 1/(1 + exp(-w)).

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    activation : {"tanh", "relu", "linear", "sigmoid"}
        The function of the candidate.
    initial : float or array
        Activities at time 0.
    step : float, > 0
        Step of time.
    gate : {"keep", "renew"}
        What an open gate does.
    """

    gate: str = "keep"

    parameters: ClassVar[tuple[str, ...]] = (*_Activated.parameters, "sense")
    modulated: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(gate=choice(self.gate, f"{self.label}: gate", SENSES))

    @property
    def sense(self) -> float:
        """1 if an open gate keeps, -1 if it renews."""
        return 1.0 if self.gate == "keep" else -1.0

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, linear: Any, relu: Any, tanh: Any, sigmoid: Any, sense: Any) -> Any:
        """Return the activity one step later."""
        kept = logistic(sense * mod)
        return kept * x + logistic(-sense * mod) * activated(exc - inh, linear, relu, tanh, sigmoid)
