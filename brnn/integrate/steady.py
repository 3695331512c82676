"""When a network has come to rest: the rule, which all that go through time share.

In continuous time a state rests if, no stimulus changing any more, it is slow, and no small disturbance of it grows:

- slow: no unknown moves by more than its tolerance, atol + rtol |u_i|, in a unit of time. An explicit method whose step
  is limited by stability dithers about an equilibrium by about a tolerance, so that du/dt stays above that by the
  fastest rate of the network; therefore the speed may be du/dt, or, where du/dt is at most DITHER tolerances, the
  distance moved in the last WINDOW units of time or more, over that time;
- nothing grows: a trajectory that creeps past a saddle is slow, too. Therefore the largest real part of the eigenvalues
  of the Jacobian must not be above NEUTRAL. It is computed at most once for each tenfold decrease of the speed.

`SteadyRule` is this rule for one run; the compiled ensemble has the same one, with its own Jacobian
(`brnn.ensemble.kernels`). In discrete time a state rests if the map takes it to itself, to the last bit (`repeats`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["SteadyRule", "fastest_rate", "growth_rate", "jacobian_product", "repeats"]

NEUTRAL = 1e-5  # 1/time; a real part below it cannot be told from 0 by finite differences
WINDOW = 4.0  # units of time
DITHER = 1000.0  # tolerances per unit of time
_SLOWER = 0.1  # so much slower than at the last look at the eigenvalues
_POWERS = 10
_DENSE_UNKNOWNS = 200  # up to which all eigenvalues are computed


@dataclass
class SteadyRule:
    """The rule of this module, for one run in continuous time.

    With delays the Jacobian does not tell; there the speed must have stayed small for ten times the longest delay.

    Parameters
    ----------
    rtol, atol : float
        Tolerances of the run.
    delay : float
        The longest delay; 0 if there is none.
    """

    rtol: float
    atol: float
    delay: float = 0.0
    _checked: float = float("inf")
    _since: float | None = None
    _mark: tuple[float, np.ndarray] | None = None

    def holds(self, fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray) -> bool:
        """Tell whether `state`, reached at `time`, is at rest."""
        speed = self._speed(fun, time, state)
        if speed > 1.0:
            self._checked = float("inf")
            self._since = None
            return False
        if self.delay > 0.0:
            self._since = time if self._since is None else self._since
            return time - self._since > 10.0 * self.delay
        if speed > _SLOWER * self._checked:
            return False
        self._checked = speed
        return growth_rate(fun, time, state) <= NEUTRAL

    def _speed(self, fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray) -> float:
        """Return the speed in tolerances per unit of time."""
        tolerance = self.atol + self.rtol * np.abs(state)
        speed = float(np.max(np.abs(fun(time, state)) / tolerance))
        if self._mark is None or speed > DITHER:
            self._mark = (time, state.copy())
        since = time - self._mark[0]
        if since >= WINDOW:
            speed = min(speed, float(np.max(np.abs(state - self._mark[1]) / tolerance)) / since)
            self._mark = (time, state.copy())
        return speed


def repeats(new: np.ndarray, old: np.ndarray) -> bool:
    """Tell whether a map has come to rest: it took the state `old` to `new`, which is the same."""
    return bool(np.array_equal(new, old))


def jacobian_product(
    fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function v -> J v, J being the Jacobian of `fun` at `state`, by central differences."""
    step = np.cbrt(np.finfo(float).eps) * max(1.0, float(np.max(np.abs(state))))

    def product(v: np.ndarray) -> np.ndarray:
        v = np.ravel(v)
        size = float(np.max(np.abs(v)))
        if size == 0.0:
            return np.zeros(state.size)
        h = step / size
        return np.asarray((fun(time, state + h * v) - fun(time, state - h * v)) / (2.0 * h))

    return product


def fastest_rate(fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray) -> float:
    """Return about the largest absolute value of the eigenvalues of the Jacobian at `state`, by power iteration."""
    product = jacobian_product(fun, time, state)
    v = np.random.default_rng(0).standard_normal(state.size)
    rate = 0.0
    for _ in range(_POWERS):
        v /= max(float(np.linalg.norm(v)), np.finfo(float).tiny)
        v = product(v)
        rate = float(np.linalg.norm(v))
        if not np.isfinite(rate) or rate == 0.0:
            return 0.0
    return rate


def growth_rate(fun: Callable[[float, np.ndarray], np.ndarray], time: float, state: np.ndarray) -> float:
    """Return the largest real part of the eigenvalues of the Jacobian at `state`, from differences of `fun`.

    Parameters
    ----------
    fun : callable
        ``fun(t, u)`` is du/dt.
    time : float
        Where the stimuli are taken.
    state : ndarray, shape (n,)
        The state, at or near an equilibrium.
    """
    n = state.size
    product = jacobian_product(fun, time, state)
    if n <= _DENSE_UNKNOWNS:
        jacobian = np.stack([product(column) for column in np.eye(n)], axis=1)
        return float(np.max(np.linalg.eigvals(jacobian).real))
    from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigs

    operator = LinearOperator((n, n), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).standard_normal(n)
    try:
        values = eigs(operator, k=1, which="LR", v0=start, tol=1e-3, maxiter=300, return_eigenvectors=False)
    except ArpackNoConvergence as error:
        values = error.eigenvalues
        if len(values) == 0:
            return float("inf")
    return float(np.max(values.real))
