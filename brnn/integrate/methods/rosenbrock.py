"""A Rosenbrock-W method for stiff networks with many slow weights: no large matrix is ever made.

Fast activities beside slow weights force explicit methods to short steps, and the dense Jacobian of an implicit one
would have (n_x + n_z)^2 elements. A W-method keeps its order with any approximate Jacobian; with the blocks of
`brnn.compiler.jacobian` a step costs one LU of the n_x activities and O(n_z).
"""

from __future__ import annotations

import numpy as np

from brnn.compiler.jacobian import BlockJacobian
from brnn.ensemble.kernels.control import SAFETY, SMALLEST
from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.steppers.base import Piece, Stepper

__all__ = ["ROS34PW2"]

# Coefficients of ROS34PW2, Rang and Angermann (2005), BIT Numerical Mathematics 45, 761-787: order 3, 4 stages, stiffly
# accurate, with an embedded method of order 2.
_GAMMA = 4.3586652150845900e-01
_A = np.array(
    [
        [0.0, 0.0, 0.0],
        [8.7173304301691801e-01, 0.0, 0.0],
        [8.4457060015369423e-01, -1.1299064236484185e-01, 0.0],
        [0.0, 0.0, 1.0],
    ]
)
_G = np.array(
    [
        [0.0, 0.0, 0.0],
        [-8.7173304301691801e-01, 0.0, 0.0],
        [-9.0338057013044082e-01, 5.4180672388095326e-02, 0.0],
        [2.4212380706095346e-01, -1.2232505839045147e00, 5.4526025533510214e-01],
    ]
)
_B = np.array([2.4212380706095346e-01, -1.2232505839045147e00, 1.5452602553351020e00, _GAMMA])
_EMBEDDED = np.array([3.7810903145819369e-01, -9.6042292212423178e-02, 0.5, 2.1793326075422950e-01])

_LARGEST = 6.0  # factor of a step


class ROS34PW2(StepperMethod):
    """The method of Rang and Angermann with the block Jacobian of a network; each unknown keeps the tolerance."""

    name = "ROS34PW2"
    description = "for stiff networks with many slow weights: a Rosenbrock-W method, order 3"
    order = 30
    copies = 16

    def matrices(self, size: int, cells: int) -> int:
        """Return the numbers of the cells' Jacobian, of its factors and of what they are made from."""
        return 6 * cells * cells

    def stepper(self, piece: Piece) -> Stepper:
        """Return what makes its steps."""
        return RosenbrockStepper(piece)


class RosenbrockStepper(Stepper):
    """Steps of ROS34PW2."""

    def __init__(self, piece: Piece) -> None:
        super().__init__(piece)
        self._jacobian = BlockJacobian(piece.system, piece.clock)
        self._varying = any(schedule.varying for schedule in piece.system.network.schedules)
        scale = piece.atol + piece.rtol * np.abs(self.y)
        speed = float((np.abs(self.f) / scale).max())
        # The first step moves no unknown by more than a hundred tolerances; if that is too long the error says so.
        self.h_abs = min(self.stop - self.t, 100.0 / speed if speed > 0.0 else self.stop - self.t)

    def _step(self) -> bool:
        from scipy.linalg import lu_factor, lu_solve

        t, y, f, n = self.t, self.y, self.f, self._jacobian.cells
        J, rest = self._jacobian(t, y)
        self.njev += 1
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = max(min(self.h_abs, self.piece.longest), shortest)
        k = np.empty((4, y.size))
        rejected = False
        drift = self._drift(t, y, f)
        while True:
            if size < shortest:
                return False
            end = min(t + size, self.stop)
            h = size = end - t
            lu = lu_factor(np.eye(n) - h * _GAMMA * J, overwrite_a=True, check_finite=False)
            diagonal = 1.0 - h * _GAMMA * rest
            for i in range(4):
                stage = f if i == 0 else self.fun(t + h * _A[i].sum(), y + _A[i, :i] @ k[:i])
                right = h * stage
                if i > 0:
                    mixed = _G[i, :i] @ k[:i]
                    right[:n] += h * (J @ mixed[:n])
                    right[n:] += h * rest * mixed[n:]
                if drift is not None:
                    right += h * h * (_GAMMA + _G[i].sum()) * drift
                k[i, :n] = lu_solve(lu, right[:n], check_finite=False)
                k[i, n:] = right[n:] / diagonal
            new = y + _B @ k
            error = (_B - _EMBEDDED) @ k / (self.piece.atol + self.piece.rtol * np.maximum(np.abs(y), np.abs(new)))
            norm = float(np.abs(error).max())
            if norm < 1.0:
                factor = _LARGEST if norm == 0.0 else min(_LARGEST, SAFETY * norm ** (-1.0 / 3.0))
                break
            size *= max(SMALLEST, SAFETY * norm ** (-1.0 / 3.0)) if np.isfinite(norm) else SMALLEST
            rejected = True
        self.t, self.y = end, new
        self.h_abs = h * (min(1.0, factor) if rejected else factor)
        return True

    def _drift(self, t: float, y: np.ndarray, f: np.ndarray) -> np.ndarray | None:
        """Return the derivative of du/dt with respect to time, by a difference inside of the segment."""
        if not self._varying:
            return None
        h = 1e-7 * max(abs(t), self.stop - t, 1e-3)
        h = min(h, 0.5 * (self.stop - t), 1e-3 * self.piece.longest)
        return np.asarray((self.fun(t + h, y) - f) / h)
