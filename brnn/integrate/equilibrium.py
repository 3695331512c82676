"""Equilibria: `steady_state`, by integration and then Newton's method."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.compiler import System, compile_network
from brnn.errors import InputError, IntegrationError
from brnn.integrate.run import initial_state, simulate
from brnn.integrate.steady import growth_rate, jacobian_product
from brnn.spec.network import Network

__all__ = ["Equilibrium", "steady_state"]

_NEWTON = 25  # steps at most
_DENSE = 1000  # unknowns up to which Newton's equations are solved by LU


@dataclass(frozen=True)
class Equilibrium:
    """An equilibrium of a network.

    Attributes
    ----------
    state : ndarray
        The whole state vector.
    residual : float
        Largest abs(du_i/dt) there.
    growth_rate : float
        Largest real part of the eigenvalues of the Jacobian there: negative if small disturbances die out, about 0 on a
        continuum of equilibria.
    time : float
        How long the integration ran before Newton's method took over.
    newton_steps : int
        Steps of Newton's method.
    """

    state: np.ndarray
    residual: float
    growth_rate: float
    time: float
    newton_steps: int
    _system: System = field(repr=False)

    @property
    def stable(self) -> bool:
        """Whether no small disturbance grows (to within what finite differences can tell)."""
        return self.growth_rate <= 1e-5

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one state, e.g. ``equilibrium["F1.x"]``, in the shape of its layer."""
        variable = self._system.variable(name)
        if variable is None:
            names = [v.name for v in self._system.variables]
            raise InputError(f"'{name}' is not a state (there is {', '.join(names)}){closest(name, names)}")
        return self.state[variable.start : variable.stop].reshape(variable.shape)


def steady_state(
    network: Network, *, initial: Any = None, duration: float | None = None, **options: Any
) -> Equilibrium:
    """Return the equilibrium that the network goes to.

    Parameters
    ----------
    network : Network
        Its stimuli must not change for ever.
    initial : array or dict, optional
        As in `simulate`.
    duration : float, optional
        The longest time that the integration may take.
    **options
        Other arguments of `simulate` (solver, rtol, atol).

    Returns
    -------
    Equilibrium
        Newton's method takes the state to where rounding ends it. Where the Jacobian is singular (a continuum of
        equilibria, as with linear signals) it takes the shortest step.

    Raises
    ------
    InputError
        If the network has delays, white noise, events or discrete time, or a stimulus that never stops to change.
    IntegrationError
        If it does not come to rest.
    """
    if network.step is not None or network.noisy or any(p.delay > 0 for p in network.projections):
        raise InputError("steady_state: the network must have continuous time, no delays and no white noise")
    if network.events:
        raise InputError("steady_state: the network must have no events, which change its equations and its state")
    if not np.isfinite(network.settled()):
        raise InputError("steady_state: a stimulus of the network never stops to change")
    system = compile_network(network)
    start = initial_state(system, initial)
    result = simulate(network, duration, initial=initial, until="steady", **options)
    if result.status != "steady":
        raise IntegrationError(f"steady_state: {result.solver.message}", time=float(result.times[-1]), state=start)
    u = np.concatenate([np.ravel(result[variable.name].values[-1]) for variable in system.variables])
    time = float(result.times[-1])
    fun = system.rhs(max(time, network.settled()) + 1.0)
    steps = 0
    f = fun(time, u)
    for steps in range(1, _NEWTON + 1):
        new = u + _newton_step(fun, time, u, f)
        g = fun(time, new)
        if not np.isfinite(g).all() or np.max(np.abs(g)) >= np.max(np.abs(f)):
            steps -= 1
            break
        u, f = new, g
    return Equilibrium(u, float(np.max(np.abs(f))), growth_rate(fun, time, u), time, steps, system)


def _newton_step(fun: Any, time: float, u: np.ndarray, f: np.ndarray) -> np.ndarray:
    """Return the step d of J d = -f."""
    product = jacobian_product(fun, time, u)
    if u.size <= _DENSE:
        jacobian = np.stack([product(column) for column in np.eye(u.size)], axis=1)
        return np.asarray(np.linalg.lstsq(jacobian, -f, rcond=1e-10)[0])
    from scipy.sparse.linalg import LinearOperator, gmres

    operator = LinearOperator((u.size, u.size), matvec=product, dtype=np.float64)
    return np.asarray(gmres(operator, -f, rtol=1e-6, maxiter=20)[0])
