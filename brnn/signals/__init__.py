"""Signal functions: how the activity of a cell becomes the signal that it sends."""

from brnn.signals.base import Signal
from brnn.signals.expression import Expression
from brnn.signals.function import Function
from brnn.signals.parse import parse_signal
from brnn.signals.rate import Linear, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear

__all__ = [
    "Expression",
    "Function",
    "Linear",
    "Logistic",
    "Power",
    "Saturating",
    "Sigmoid",
    "Signal",
    "Step",
    "ThresholdLinear",
    "parse_signal",
]
