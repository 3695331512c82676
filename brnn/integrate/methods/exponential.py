"""An exponential method for stiff networks of any size: no matrix is made, a step costs O(n)."""

from __future__ import annotations

from typing import Any

from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.methods.explicit import goes_in_blocks
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.exponential import Exponential

__all__ = ["ETD4"]


class ETD4(StepperMethod):
    """Krogstad's method; the rate at which each unknown relaxes by itself, -(A + E + J) of a cell, is taken exactly."""

    name = "ETD4"
    description = "for large stiff networks: exponential, order 4 (Krogstad), each unknown's own rate taken exactly"
    order = 31
    copies = 19

    def stepper(self, piece: Piece) -> Any:
        """Return what makes its steps, of large networks in blocks if that can be."""
        return Exponential(piece, in_blocks=goes_in_blocks(piece))
