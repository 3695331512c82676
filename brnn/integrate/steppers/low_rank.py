"""Linear algebra with the Jacobian of a network whose cells meet in totals alone, in O(cells).

J = D + U^T W (`brnn.compiler.cell_jacobian`). With A = 1 - m D, a small matrix for each cell, the formula of Sherman,
Morrison and Woodbury solves with 1 - m J:

    x = A^-1 b + m X^T (1 - m W X^T)^-1 W A^-1 b,    X^T = A^-1 U^T.
"""

from __future__ import annotations

import numpy as np

from brnn.compiler.cell_jacobian import CellJacobian
from brnn.ensemble.load import integrator
from brnn.integrate.steppers.base import Piece

__all__ = ["LowRank"]


class LowRank:
    """The exact Jacobian in the steps of one piece; see `brnn.integrate.methods.rosenbrock.Matrix`."""

    def __init__(self, piece: Piece) -> None:
        self._code, self._jacobian = integrator("matrices"), CellJacobian(piece.system)
        self._function = self._jacobian.of(piece.fun)
        self._inverses = [np.empty_like(own) for own in self._jacobian.own]
        self._X = np.empty_like(self._jacobian.spread)
        self._core: np.ndarray = np.eye(len(self._X))

    def update(self, t: float, y: np.ndarray) -> None:
        """Let J be that of a time and a state."""
        self._jacobian.update(self._function, t, y)

    def factor(self, m: float) -> None:
        """Make ready to solve with 1 - m J."""
        jacobian, code = self._jacobian, self._code
        for own, inverse in zip(jacobian.own, self._inverses, strict=True):
            code.invert(m, own, inverse)
        for row, out in zip(jacobian.spread, self._X, strict=True):
            self._apply(row, out)
        core = np.eye(len(self._X)) - m * (jacobian.summed @ self._X.T)
        try:
            self._core = m * np.linalg.inv(core)
        except np.linalg.LinAlgError:  # singular: the step is tried again with a shorter one
            self._core = np.full_like(core, np.nan)

    def add_product(self, h: float, v: np.ndarray, out: np.ndarray) -> None:
        """Add h J v to `out`."""
        jacobian = self._jacobian
        for starts, own in zip(jacobian.groups, jacobian.own, strict=True):
            self._code.add_product(h, own, starts, v, out)
        if len(self._X):
            out += (h * (jacobian.summed @ v)) @ jacobian.spread

    def solve(self, right: np.ndarray, out: np.ndarray) -> None:
        """Write the solution of (1 - m J) out = right."""
        self._apply(right, out)
        if len(self._X):
            out += (self._core @ (self._jacobian.summed @ out)) @ self._X

    def _apply(self, v: np.ndarray, out: np.ndarray) -> None:
        """Write A^-1 v."""
        out[:] = 0.0
        for starts, inverse in zip(self._jacobian.groups, self._inverses, strict=True):
            self._code.add_product(1.0, inverse, starts, v, out)
