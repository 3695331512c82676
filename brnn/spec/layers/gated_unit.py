"""Units whose activity a gate multiplies: the output of an LSTM, what the reset gate of a GRU lets through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from brnn.spec.layers.activations import _Activated, activated, logistic

__all__ = ["GatedUnitLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class GatedUnitLayer(_Activated):
    """Units that pass on what arrives as far as their gate is open.

    x(t + step) = sigma(exc - inh) activation(mod),    sigma(w) = 1/(1 + exp(-w))

    exc - inh is the net input of the gate, mod what it gates.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of units along each axis.
    activation : {"tanh", "relu", "linear", "sigmoid"}
        The function of what is gated.
    initial : float or array
        Activities at time 0.
    step : float, > 0
        Step of time.
    """

    modulated: ClassVar[bool] = True

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, linear: Any, relu: Any, tanh: Any, sigmoid: Any) -> Any:
        """Return the activity one step later."""
        return logistic(exc - inh) * activated(mod, linear, relu, tanh, sigmoid)
