"""SciPy's methods for stiff networks, all with a dense Jacobian of all unknowns."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.steppers.base import Piece

__all__ = ["BDF", "LSODA", "Radau"]


class _Implicit(StepperMethod):
    order = 20
    copies = 20

    def matrices(self, size: int, cells: int) -> int:
        """Return the numbers of the Jacobian, of its factors and of what they are made from."""
        return 3 * size * size


class LSODA(_Implicit):
    """Holds the tolerance for every single unknown by itself."""

    name = "LSODA"
    description = "switches between an explicit method and BDF when it must"
    copies = 30

    def stepper(self, piece: Piece) -> Any:
        """Return SciPy's solver."""
        from scipy import integrate

        return integrate.LSODA(
            piece.fun, piece.start, piece.state, piece.stop, rtol=piece.rtol, atol=piece.atol, max_step=piece.longest
        )


class _ByBlocks(_Implicit):
    """Holds the tolerance for the root mean square within each block of the state: each layer, gate, weight set.

    Weighting the tolerances of block b by sqrt(n_b / n) makes SciPy's norm the root of the sum of the blocks' mean
    squares, which is below 1 only if every block's is.
    """

    def stepper(self, piece: Piece) -> Any:
        """Return SciPy's solver with weighted tolerances."""
        from scipy import integrate

        kind = getattr(integrate, self.name)
        options = {"rtol": piece.rtol, "max_step": piece.longest}
        variables, size = piece.system.variables, piece.state.size
        if len(variables) == 1:
            return kind(piece.fun, piece.start, piece.state, piece.stop, atol=piece.atol, **options)
        weights = np.empty(size)
        for variable in variables:
            weights[variable.start : variable.stop] = np.sqrt(variable.size / size)
        solver = kind(piece.fun, piece.start, piece.state, piece.stop, atol=piece.atol * weights, **options)
        solver.rtol = piece.rtol * weights  # only steps use it; the constructor wants one number
        return solver


class Radau(_ByBlocks):
    """The implicit Runge-Kutta method Radau IIA."""

    name = "Radau"
    description = "for stiff networks: implicit Runge-Kutta (Radau IIA), order 5"


class BDF(_ByBlocks):
    """Backward differences."""

    name = "BDF"
    description = "for stiff networks: backward differences, order 1 to 5"
    per_period = 48
