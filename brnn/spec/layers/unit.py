"""Units of artificial networks in discrete time: a function of the net input, and no memory of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from brnn.spec.layers.activations import _Activated, activated

__all__ = ["UnitLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class UnitLayer(_Activated):
    """Units whose activity is a function of what arrives: the cells of Elman and Jordan, inputs, what is read out.

    x(t + step) = activation(exc - inh)

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of units along each axis.
    activation : {"tanh", "relu", "linear", "sigmoid"}
        The function; "sigmoid" is the logistic one.
    initial : float or array
        Activities at time 0.
    step : float, > 0
        Step of time.
    """

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, linear: Any, relu: Any, tanh: Any, sigmoid: Any) -> Any:
        """Return the activity one step later."""
        return activated(exc - inh, linear, relu, tanh, sigmoid)
