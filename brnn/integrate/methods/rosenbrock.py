"""A Rosenbrock-W method for stiff networks, with one of two matrices; neither is that of all unknowns.

Fast activities beside slow weights force explicit methods to short steps, and the dense Jacobian of an implicit one
would have (n_x + n_z)^2 elements. A W-method keeps its order with any approximate Jacobian; with the blocks of
`brnn.compiler.jacobian` a step costs one LU of the n_x activities and O(n_z).

Where cells meet in totals alone, as with all-but-self inhibition, the exact Jacobian is a small matrix for each cell
plus one of low rank (`brnn.compiler.cell_jacobian`), and by the formula of Sherman, Morrison and Woodbury a step costs
O(n): that is for many cells whose total inhibition is itself fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from brnn.compiler.cell_jacobian import cell_text, meets_elsewhere
from brnn.compiler.jacobian import BlockJacobian
from brnn.ensemble.kernels.control import SAFETY, SMALLEST
from brnn.errors import InputError, SpecError
from brnn.integrate.methods.base import StepperMethod
from brnn.integrate.steppers.base import Piece, Stepper
from brnn.integrate.steppers.low_rank import LowRank

if TYPE_CHECKING:
    from brnn.compiler.system import System
    from brnn.spec.network import Network

__all__ = ["ROS34PW2", "ROS34PW2Totals"]

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


def _inside() -> np.ndarray:
    """Return the coefficients of the powers 1 to 3 of the part of a step, for each stage: the state after that part.

    They are the only ones of order 3 with the exact Jacobian: four conditions for four stages.
    """
    stages, exact = np.zeros((4, 4)), _GAMMA * np.eye(4)
    stages[:, :3] = _A
    exact[:, :3] += _A + _G
    conditions = np.array([np.ones(4), exact.sum(axis=1), stages.sum(axis=1) ** 2, exact @ exact.sum(axis=1)])
    integrals = np.array([[1.0, 0.0, 0.0], [0.0, 1 / 2, 0.0], [0.0, 0.0, 1 / 3], [0.0, 0.0, 1 / 6]])
    return np.asarray(np.linalg.solve(conditions, integrals))


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
        return RosenbrockStepper(piece, _Blocks(piece))


class ROS34PW2Totals(StepperMethod):
    """The same with the exact Jacobian of a network whose cells meet in totals alone."""

    name = "ROS34PW2-totals"
    description = "ROS34PW2 in O(cells), for large networks whose cells meet in totals alone (all-but-self inhibition)"
    order = 30
    copies = 24

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse networks whose cells meet elsewhere, too."""
        refusal = super().refuses(network, until, step)
        where = None if refusal is not None else meets_elsewhere(network)
        return refusal if where is None else f"{self.name} is for cells that meet in totals alone: {where}"

    def fits(self, system: System) -> bool:
        """Tell whether all laws and signals have derivatives."""
        try:
            cell_text(system.program)
        except SpecError:
            return False
        return True

    def matrices(self, size: int, cells: int) -> int:
        """Return about the numbers of the cells' matrices, of their inverses and of what they are made from."""
        return 16 * size

    def stepper(self, piece: Piece) -> Stepper:
        """Return what makes its steps."""
        try:
            return _ExactStepper(piece, LowRank(piece))
        except SpecError as error:
            raise InputError(f"solver = {self.name!r}: {error}") from None


class Matrix(Protocol):
    """An approximate Jacobian J, and what a step does with it."""

    def update(self, t: float, y: np.ndarray) -> None:
        """Let J be that of a time and a state."""

    def factor(self, m: float) -> None:
        """Make ready to solve with 1 - m J."""

    def add_product(self, h: float, v: np.ndarray, out: np.ndarray) -> None:
        """Add h J v to `out`."""

    def solve(self, right: np.ndarray, out: np.ndarray) -> None:
        """Write the solution of (1 - m J) out = right."""


class _Blocks:
    """A dense block for the activities, a diagonal for gates and weights."""

    def __init__(self, piece: Piece) -> None:
        self._jacobian = BlockJacobian(piece.system, piece.clock)

    def update(self, t: float, y: np.ndarray) -> None:
        self._J, self._rest = self._jacobian(t, y)

    def factor(self, m: float) -> None:
        from scipy.linalg import lu_factor

        self._lu = lu_factor(np.eye(len(self._J)) - m * self._J, overwrite_a=True, check_finite=False)
        self._diagonal = 1.0 - m * self._rest

    def add_product(self, h: float, v: np.ndarray, out: np.ndarray) -> None:
        n = len(self._J)
        out[:n] += h * (self._J @ v[:n])
        out[n:] += h * self._rest * v[n:]

    def solve(self, right: np.ndarray, out: np.ndarray) -> None:
        from scipy.linalg import lu_solve

        n = len(self._J)
        out[:n] = lu_solve(self._lu, right[:n], check_finite=False)
        out[n:] = right[n:] / self._diagonal


class RosenbrockStepper(Stepper):
    """Steps of ROS34PW2 with a matrix."""

    def __init__(self, piece: Piece, matrix: Matrix) -> None:
        super().__init__(piece)
        self._matrix = matrix
        self._varying = any(schedule.varying for schedule in piece.system.network.schedules)
        scale = piece.atol + piece.rtol * np.abs(self.y)
        speed = float((np.abs(self.f) / scale).max())
        # The first step moves no unknown by more than a hundred tolerances; if that is too long the error says so.
        self.h_abs = min(self.stop - self.t, 100.0 / speed if speed > 0.0 else self.stop - self.t)

    def _step(self) -> bool:
        t, y, f, matrix = self.t, self.y, self.f, self._matrix
        matrix.update(t, y)
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
            matrix.factor(h * _GAMMA)
            for i in range(4):
                stage = f if i == 0 else self.fun(t + h * _A[i].sum(), y + _A[i, :i] @ k[:i])
                right = h * stage
                if i > 0:
                    matrix.add_product(h, _G[i, :i] @ k[:i], right)
                if drift is not None:
                    right += h * h * (_GAMMA + _G[i].sum()) * drift
                matrix.solve(right, k[i])
            new = y + _B @ k
            error = (_B - _EMBEDDED) @ k / (self.piece.atol + self.piece.rtol * np.maximum(np.abs(y), np.abs(new)))
            norm = float(np.abs(error).max())
            if norm < 1.0:
                factor = _LARGEST if norm == 0.0 else min(_LARGEST, SAFETY * norm ** (-1.0 / 3.0))
                break
            size *= max(SMALLEST, SAFETY * norm ** (-1.0 / 3.0)) if np.isfinite(norm) else SMALLEST
            rejected = True
        self.t, self.y, self._stages = end, new, k
        self.h_abs = h * (min(1.0, factor) if rejected else factor)
        return True

    def _drift(self, t: float, y: np.ndarray, f: np.ndarray) -> np.ndarray | None:
        """Return the derivative of du/dt with respect to time, by a difference inside of the segment."""
        if not self._varying:
            return None
        h = 1e-7 * max(abs(t), self.stop - t, 1e-3)
        h = min(h, 0.5 * (self.stop - t), 1e-3 * self.piece.longest)
        return np.asarray((self.fun(t + h, y) - f) / h)


class _ExactStepper(RosenbrockStepper):
    """The same with the exact Jacobian, so that states within a step can be made of its stages.

    Slopes, of which the cubic of other steps is made, are no guide where J times the step is large: an error of a
    tolerance at the end of a step became 28 within it.
    """

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""
        start, h, y_old, k, inside = self.t_old, self.t - self.t_old, self.y_old, self._stages, _inside()

        def of_stages(t: Any) -> np.ndarray:
            s = (np.asarray(t, dtype=np.float64) - start) / h
            weights = np.tensordot(inside, np.array([s, s**2, s**3]), 1)
            return np.asarray(y_old.reshape(y_old.shape + (1,) * s.ndim) + np.tensordot(k.T, weights, 1))

        return of_stages
