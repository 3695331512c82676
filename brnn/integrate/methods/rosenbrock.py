"""A Rosenbrock-W method for stiff networks with many slow weights: no large matrix is ever made.

Fast activities beside slow weights force explicit methods to short steps, and the dense Jacobian of an implicit one
would have (n_x + n_z)^2 elements. A W-method keeps its order with any approximate Jacobian; with the blocks of
`brnn.compiler.jacobian` a step costs one LU of the n_x activities and O(n_z).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import DenseOutput, OdeSolver
from scipy.linalg import lu_factor, lu_solve

from brnn.compiler import System
from brnn.compiler.jacobian import BlockJacobian
from brnn.compiler.system import Clock

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

_SAFETY, _SMALLEST, _LARGEST = 0.9, 0.2, 6.0


class ROS34PW2(OdeSolver):
    """Rosenbrock-W method of order 3 with the block Jacobian of a network.

    The error is controlled for each unknown. The dense output is the cubic through both ends of a step with the slopes
    there.

    Parameters
    ----------
    fun : RightHandSide
        du/dt.
    t0, y0, t_bound : float, ndarray, float
        As for SciPy's solvers.
    system : System
        The network: its Jacobian, and whether a stimulus changes within the segment.
    rtol, atol : float
        Tolerances.
    clock : Clock, optional
        Where the schedules stand.
    """

    t: float
    y: np.ndarray

    def __init__(
        self,
        fun: Any,
        t0: float,
        y0: np.ndarray,
        t_bound: float,
        *,
        system: System,
        rtol: float,
        atol: float,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(fun, t0, y0, t_bound, vectorized=False)
        self._jacobian = BlockJacobian(system, clock)
        self._varying = any(schedule.varying for schedule in system.network.schedules)
        self.rtol, self.atol = rtol, atol
        self.f = self.fun(t0, y0)
        scale = atol + rtol * np.abs(y0)
        speed = float((np.abs(self.f) / scale).max())
        # The first step moves no unknown by more than a hundred tolerances; if that is too long the error says so.
        self.h_abs = min(t_bound - t0, 100.0 / speed if speed > 0.0 else t_bound - t0)
        self.y_old: np.ndarray | None = None
        self._f_old = self.f

    def _step_impl(self) -> tuple[bool, str | None]:
        t, y, f, n = self.t, self.y, self.f, self._jacobian.cells
        J, rest = self._jacobian(t, y)
        self.njev += 1
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = max(self.h_abs, shortest)
        k = np.empty((4, y.size))
        rejected = False
        drift = self._drift(t, y, f)
        while True:
            if size < shortest:
                return False, self.TOO_SMALL_STEP
            end = min(t + size, self.t_bound)
            h = size = end - t
            lu = lu_factor(np.eye(n) - h * _GAMMA * J, overwrite_a=True, check_finite=False)
            diagonal = 1.0 - h * _GAMMA * rest
            self.nlu += 1
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
            error = (_B - _EMBEDDED) @ k / (self.atol + self.rtol * np.maximum(np.abs(y), np.abs(new)))
            norm = float(np.abs(error).max())
            if norm < 1.0:
                factor = _LARGEST if norm == 0.0 else min(_LARGEST, _SAFETY * norm ** (-1.0 / 3.0))
                break
            size *= max(_SMALLEST, _SAFETY * norm ** (-1.0 / 3.0)) if np.isfinite(norm) else _SMALLEST
            rejected = True
        self.y_old, self._f_old = y, f
        self.t, self.y = end, new
        self.f = self.fun(end, new)
        self.h_abs = h * (min(1.0, factor) if rejected else factor)
        return True, None

    def _drift(self, t: float, y: np.ndarray, f: np.ndarray) -> np.ndarray | None:
        """Return the derivative of du/dt with respect to time, by a difference inside of the segment."""
        if not self._varying:
            return None
        h = 1e-7 * max(abs(t), self.t_bound - t, 1e-3)
        h = min(h, 0.5 * (self.t_bound - t))
        return np.asarray((self.fun(t + h, y) - f) / h)

    def _dense_output_impl(self) -> DenseOutput:
        assert self.y_old is not None
        return _Cubic(self.t_old, self.t, self.y_old, self.y, self._f_old, self.f)


class _Cubic(DenseOutput):
    """The cubic polynomial with given values and slopes at both ends."""

    def __init__(
        self, t_old: float, t: float, y_old: np.ndarray, y: np.ndarray, f_old: np.ndarray, f: np.ndarray
    ) -> None:
        super().__init__(t_old, t)
        self._ends = (y_old, y, f_old, f)

    def _call_impl(self, t: np.ndarray) -> np.ndarray:
        y_old, y, f_old, f = self._ends
        h = self.t - self.t_old
        s = (np.asarray(t) - self.t_old) / h
        weights = (
            s**2 * (3 - 2 * s),
            h * s * (1 - s) ** 2,
            h * s**2 * (s - 1),
        )
        # Written as a change from y_old, so that what does not change keeps its last bit.
        change = sum(np.multiply.outer(v, w) for v, w in zip((y - y_old, f_old, f), weights, strict=True))
        return y_old.reshape(y_old.shape + (1,) * s.ndim) + change
