"""Signal functions: how the activity of a cell becomes the signal that it sends.

A new signal is one new file here: it is found and registered by itself. The files that are named below are named for
type checkers only, which cannot find any.
"""

from brnn.base.publish import publish
from brnn.signals.base import Signal as Signal
from brnn.signals.expression import Expression as Expression
from brnn.signals.function import Function as Function
from brnn.signals.parse import parse_signal
from brnn.signals.rate import *

__all__ = ["parse_signal"]
__all__ += publish(__name__, Signal)
