"""A function of activities of both signs, given as text."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

from brnn.signals.expression import Expression

__all__ = ["Function"]


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Function(Expression):
    """An Expression that is not cut at 0: f(w) is the value of the text for negative w, too.

    For laws of which it is a part (a and b of Cohen and Grossberg) and for networks whose states are not rates, e.g.
    logarithms of activities. Parameters, attributes and errors are those of Expression.
    """

    _rectified: ClassVar[bool] = False
