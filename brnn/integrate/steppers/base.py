"""What a stepper is made for, and what those have in common that are not SciPy's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from brnn.compiler.right_hand_side import RightHandSide
    from brnn.compiler.system import Clock, System

__all__ = ["Piece", "Stepper"]


@dataclass(frozen=True)
class Piece:
    """A stretch of a run in which du/dt is smooth: from one break point to the next.

    Attributes
    ----------
    fun : RightHandSide
        ``fun(t, u)`` is du/dt, ``fun.into(t, u, du)`` writes it into an array.
    start : float
        Where the stepper begins.
    state : ndarray
        The state there; what makes the steps may write into it.
    stop : float
        Where it ends.
    rtol, atol : float
        Tolerances of each unknown.
    system : System
        What is run: its variables, and where its Jacobian comes from.
    step : float or None
        The step that the user asked for.
    longest : float
        No step may be longer: the shortest delay, or a part of the period of an input; else infinity.
    clock : Clock or None
        Where the schedules stand.
    norm : {"max", "rms"}
        Of the errors of a step in units of their tolerances: the largest, or the root mean square.
    sided : bool
        Whether signals of `fun` do not jump, and those of `system` do (`brnn.integrate.sides`).
    """

    fun: RightHandSide
    start: float
    state: np.ndarray
    stop: float
    rtol: float
    atol: float
    system: System
    step: float | None = None
    longest: float = np.inf
    clock: Clock | None = None
    norm: str = "max"
    sided: bool = False


class Stepper:
    """Makes the steps of one piece. SciPy's OdeSolver can stand in its place.

    A subclass writes ``_step()``: it takes `t` and `y` one step on, at most to `stop`, or returns False if it cannot.

    Attributes
    ----------
    t, y, f : float, ndarray, ndarray
        Where it stands: time, state, du/dt.
    t_old, y_old, f_old : float, ndarray, ndarray
        Where the last step began.
    stop : float
        Where the piece ends.
    status : str
        "running", "finished" or "failed".
    nfev, njev : int
        Evaluations of du/dt, which `fun` counts, and of its Jacobian.
    """

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.status = "running"
        self.nfev = 0
        self.njev = 0
        self.t, self.y, self.stop = piece.start, piece.state, piece.stop
        self.f = self.fun(self.t, self.y)
        self.t_old, self.y_old, self.f_old = self.t, self.y, self.f

    def fun(self, t: float, y: np.ndarray) -> np.ndarray:
        """Return du/dt."""
        self.nfev += 1
        return self.piece.fun(t, y)

    def step(self) -> None:
        """Make one step."""
        before = self.t, self.y, self.f
        if not self._step():
            self.status = "failed"
            return
        self.t_old, self.y_old, self.f_old = before
        self.f = self.fun(self.t, self.y)
        if self.t >= self.stop:
            self.status = "finished"

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times).

        It is the cubic polynomial with the states and slopes at both ends.
        """
        start, h, y_old, f_old, f = self.t_old, self.t - self.t_old, self.y_old, self.f_old, self.f
        whole = self.y - y_old

        def cubic(t: Any) -> np.ndarray:
            s = (np.asarray(t) - start) / h
            weights = (s**2 * (3 - 2 * s), h * s * (1 - s) ** 2, h * s**2 * (s - 1))
            # Written as a change from y_old, so that what does not change keeps its last bit.
            change = sum(np.multiply.outer(v, w) for v, w in zip((whole, f_old, f), weights, strict=True))
            return np.asarray(y_old.reshape(y_old.shape + (1,) * s.ndim) + change)

        return cubic

    def _step(self) -> bool:
        raise NotImplementedError
