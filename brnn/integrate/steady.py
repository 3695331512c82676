"""When a network has come to rest: a rule that knows no unit of time.

A state rests if, no stimulus changing any more, it is as near to an equilibrium as the tolerances say, and no small
disturbance of it grows:

- near: the step of Newton's method, -J^-1 du/dt, is how far the equilibrium is. It moves no unknown by more than its
  tolerance, atol + rtol |u_i|, however fast or slow the network is. The speed alone would not tell: slow networks would
  rest where they are, and an explicit method that stability limits dithers about an equilibrium with a speed that
  depends on the fastest rate. In directions in which J is singular (a continuum of equilibria) there is no distance;
  there the state must not drift by more than its tolerance in as long as the run has taken so far;
- nothing grows: a trajectory that creeps past a saddle is near an equilibrium, too. Therefore no eigenvalue of J, at
  the end of Newton's step, may have a real part above NEUTRAL of the fastest rate, the largest modulus of all of them.
  What grows slower than that cannot be told from what neither grows nor dies.

The Jacobian comes from differences with a step of its own for each unknown (`brnn.integrate.jacobian`). It is looked at
only if the state seems near by the last step alone, |du/dt| |change of u| / |change of du/dt|, and after a look that
was in vain only when WAIT times its time has passed.

A weakly damped oscillation is farther from its equilibrium than a tolerance for ever, because the errors of many steps
add up in it; it rests within as many tolerances as the errors come to (`brnn.ensemble.rest.leeway`), and the state of
rest is then where Newton's step ends, if a second one says that this is within the tolerance.

With delays J is that of the equation in which nothing is late, which has the same equilibria; the state must have been
as near for the longest delay; and what grows is told by the eigenvalues of the equation with its delays
(`brnn.integrate.delayed`). In discrete time a state rests if the map does not change it, but for rounding, and what is
said of du/dt and J above is said of the change in a step and its Jacobian (`MapRule`).

`SteadyRule` is this rule for one run, `brnn.ensemble.kernels.rests` is it for the compiled ensemble (sweeps, and
``solver="compiled"``); the arithmetic of both is in `brnn.ensemble.rest`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from brnn.compiler.right_hand_side import RightHandSide
from brnn.ensemble.rest import (
    FAR,
    NEUTRAL,
    WAIT,
    beyond,
    distance_left,
    grows,
    leeway,
    seems_far,
    sizes,
    worth_a_look,
)  # fmt: skip
from brnn.integrate.delayed import delayed_eigenvalues, lagged_radius, without_lag
from brnn.integrate.delays import History
from brnn.integrate.jacobian import DENSE, RateFunction, fastest_rate, jacobian_matrix, jacobian_product, rightmost

__all__ = ["MapRule", "SteadyRule", "newton_step"]

_ROUNDING = 4.0 * float(np.finfo(float).eps)  # of an unknown; by so much a map may move it for ever


@dataclass
class SteadyRule:
    """The rule of this module, for one run in continuous time.

    Parameters
    ----------
    rtol, atol : float
        Tolerances of the run.
    history : History or None
        The past, of a network with delays.
    """

    rtol: float
    atol: float
    history: History | None = None
    _last: tuple[np.ndarray, np.ndarray] | None = field(default=None, init=False)
    _looked: float = field(default=0.0, init=False)

    def rest(self, fun: RightHandSide, time: float, state: np.ndarray) -> np.ndarray | None:
        """Return the state of rest at which `state`, reached at `time`, is; None if it is not at rest."""
        if self.history is not None:
            return self._rest_with_delays(fun, time, state, self.history)
        slope = fun(time, state)
        far = self._seems_far(slope, state)
        if not worth_a_look(far, time, self._looked, self.rtol):
            return None
        self._looked = time
        return self._look(fun, time, state, slope, lambda at: _eigenvalues(fun, time, at, self.rtol, self.atol))

    def _seems_far(self, slope: np.ndarray, state: np.ndarray) -> float:
        """Return how far the equilibrium seems to be by the last step alone, in tolerances."""
        last, self._last = self._last, (state, slope)
        if last is None:
            return np.inf
        tolerance = self.atol + self.rtol * np.abs(state)
        speed, moved, turned = (
            float(np.max(np.abs(change) / tolerance)) for change in (slope, state - last[0], slope - last[1])
        )
        return seems_far(speed, moved, turned)

    def _look(
        self,
        fun: RateFunction,
        time: float,
        state: np.ndarray,
        slope: np.ndarray,
        values_at: Callable[[np.ndarray], np.ndarray],
        strayed: float = 0.0,
    ) -> np.ndarray | None:
        """Apply the rule; `strayed` is how far, in tolerances, a state on which du/dt depends is from the present."""
        rtol, atol = self.rtol, self.atol
        distance, step = newton_step(fun, time, state, slope, rtol, atol)
        if not max(distance, strayed) <= max(1.0, FAR / rtol):
            return None
        there = beyond(state, step)
        values = values_at(there)
        if not np.isfinite(values).all() or grows(values) or max(distance, strayed) > leeway(values, rtol):
            return None
        if distance <= 1.0:
            return state
        again = newton_step(fun, time, there, fun(time, there), rtol, atol)[0]
        return there if again <= 1.0 else None

    def _rest_with_delays(
        self, fun: RightHandSide, time: float, state: np.ndarray, history: History
    ) -> np.ndarray | None:
        # The state of all of the longest delay counts; a look more often than ten times in it would see the same.
        if time < max(WAIT * self._looked, self._looked + 0.1 * history.longest):
            return None
        self._looked = time
        strayed = history.strayed(time, state, self.atol + self.rtol * np.abs(state))
        if not strayed <= max(1.0, FAR / self.rtol):
            return None
        present = without_lag(fun)
        slope = present(time, state)
        return self._look(
            present, time, state, slope, lambda at: delayed_eigenvalues(fun, time, at, self.rtol, self.atol), strayed
        )


@dataclass
class MapRule:
    """The rule of this module in discrete time.

    Parameters
    ----------
    rtol, atol : float
        Tolerances of the run.
    step : float
        Time of a step.
    lag : int
        From how many steps ago the oldest signal comes.
    binary : bool
        Whether all activities are levels, which no small disturbance changes.
    """

    rtol: float
    atol: float
    step: float
    lag: int
    binary: bool
    _same: int = field(default=0, init=False)
    _in_vain: np.ndarray | None = field(default=None, init=False)

    def rests(self, fun: RightHandSide, time: float, old: np.ndarray, new: np.ndarray) -> bool:
        """Tell whether the map, which took `old` to `new` at `time`, has come to rest."""
        same = bool((np.abs(new - old) <= _ROUNDING * np.abs(new)).all())
        self._same = self._same + 1 if same else 0
        if self._same <= self.lag:
            return False
        if self.binary:
            return True
        if self._in_vain is not None and np.array_equal(new, self._in_vain):
            return False
        rests = self._near(fun, time, new) and not self._grows(fun, time, new)
        self._in_vain = None if rests else new
        return rests

    def _near(self, fun: RightHandSide, time: float, state: np.ndarray) -> bool:
        present = without_lag(fun)

        def change(at: float, u: np.ndarray) -> np.ndarray:
            return np.asarray(present(at, u) - u)

        return newton_step(change, time, state, change(time, state), self.rtol, self.atol)[0] <= 1.0

    def _grows(self, fun: RightHandSide, time: float, state: np.ndarray) -> bool:
        return lagged_radius(fun, time, state, self.step, self.rtol, self.atol) > 1.0 + NEUTRAL


def newton_step(
    fun: RateFunction, time: float, state: np.ndarray, slope: np.ndarray, rtol: float, atol: float
) -> tuple[float, np.ndarray]:
    """Return how far the next equilibrium is, in tolerances, and the step to it.

    The distance is infinite where there is no Jacobian, or its equations could not be solved.
    """
    tolerance, size = atol + rtol * np.abs(state), sizes(state, rtol, atol)
    if state.size <= DENSE:
        J = jacobian_matrix(fun, time, state, rtol, atol)
        if not (np.isfinite(J).all() and np.isfinite(slope).all()):
            return np.inf, np.zeros(state.size)
        distance, step = distance_left(J, slope, size, tolerance, time)
        return float(distance), step
    from scipy.sparse.linalg import LinearOperator, gmres

    product, n = jacobian_product(fun, time, state, rtol, atol), state.size
    operator = LinearOperator((n, n), matvec=lambda v: product(size * np.ravel(v)) / size, dtype=np.float64)
    scaled, missed = gmres(operator, -slope / size, rtol=1e-3, maxiter=20)
    step = size * scaled
    return (np.inf if missed else float(np.max(np.abs(step) / tolerance))), step


def _eigenvalues(fun: RateFunction, time: float, state: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return all eigenvalues, of many unknowns the rightmost and about the fastest; NaN where there is no Jacobian."""
    if state.size > DENSE:
        return np.append(rightmost(fun, time, state, rtol, atol), -fastest_rate(fun, time, state))
    try:
        return rightmost(fun, time, state, rtol, atol)
    except np.linalg.LinAlgError:
        return np.array([np.nan])
