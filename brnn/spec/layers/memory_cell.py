"""The memory cells of an LSTM: what the forget gate keeps, and what the input gate adds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from brnn.base.checks import choice
from brnn.spec.layers.activations import _Activated, activated, logistic

__all__ = ["MemoryCellLayer"]

_FORGET = ("gate", "none", "coupled")


@dataclass(frozen=True, eq=False, repr=False)
class MemoryCellLayer(_Activated):
    """Memory cells c of an LSTM (Hochreiter and Schmidhuber 1997; Gers, Schmidhuber and Cummins 2000).

    x(t + step) = f x + i activation(mod),    i = sigma(exc),    sigma(w) = 1/(1 + exp(-w))

    exc is the net input of the input gate i, inh that of the forget gate f, mod that of the candidate.

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
    forget : {"gate", "none", "coupled"}
        f = sigma(inh); f = 1, as in 1997; or f = 1 - i (ONNX: input_forget).
    """

    forget: str = "gate"

    parameters: ClassVar[tuple[str, ...]] = (*_Activated.parameters, "gated", "coupled")
    modulated: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(forget=choice(self.forget, f"{self.label}: forget", _FORGET))

    @property
    def gated(self) -> float:
        """1 if the forget gate has a net input of its own."""
        return float(self.forget == "gate")

    @property
    def coupled(self) -> float:
        """1 if it is 1 - i."""
        return float(self.forget == "coupled")

    @staticmethod
    def law(
        x: Any, exc: Any, inh: Any, mod: Any, linear: Any, relu: Any, tanh: Any, sigmoid: Any, gated: Any, coupled: Any
    ) -> Any:
        """Return the activity one step later."""
        kept = gated * logistic(inh) + coupled * logistic(-exc) + (1.0 - gated - coupled)
        return kept * x + logistic(exc) * activated(mod, linear, relu, tanh, sigmoid)
