"""Equilibria: `steady_state`, by integration and then Newton's method."""

from __future__ import annotations

import inspect
import warnings
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.named import says_what_is_meant
from brnn.base.text import closest
from brnn.compiler import System, compile_network
from brnn.ensemble.rest import FAR, NEUTRAL, beyond, sizes
from brnn.errors import InputError, IntegrationError
from brnn.integrate.jacobian import DENSE, RateFunction, fastest_rate, jacobian_matrix, rightmost
from brnn.integrate.run import initial_state, simulate
from brnn.integrate.steady import newton_step
from brnn.result.recorded import last_state
from brnn.spec.network import Network

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Equilibrium", "steady_state"]

_NEWTON = 25  # steps at most
_ROUNDING = 1e-9  # of the terms of du/dt; a larger sum is more than rounding leaves


@dataclass(frozen=True)
class Equilibrium:
    """An equilibrium of a network.

    Attributes
    ----------
    state : ndarray
        The whole state vector.
    residual : float
        Largest abs(du_i/dt) there.
    accurate : bool
        Whether that is no more than rounding leaves of the terms of du/dt.
    eigenvalues : ndarray of complex
        Those of the Jacobian there; of more than 500 unknowns that with the largest real part, and about the fastest.
    time : float
        How long the integration ran before Newton's method took over.
    newton_steps : int
        Steps of Newton's method.
    """

    state: np.ndarray
    residual: float
    accurate: bool
    eigenvalues: np.ndarray
    time: float
    newton_steps: int
    _system: System = field(repr=False)

    @property
    def growth_rate(self) -> float:
        """Largest real part of the eigenvalues: negative if small disturbances die out, about 0 on a continuum."""
        return float(np.max(self.eigenvalues.real))

    @property
    def stable(self) -> bool:
        """Whether no small disturbance grows: to within what differences can tell beside the fastest rate."""
        return self.growth_rate <= NEUTRAL * float(np.max(np.abs(self.eigenvalues)))

    @property
    def labelled(self) -> dict[str, xr.DataArray]:
        """The state by the names of its variables, as xarray with the dimensions that results have."""
        import xarray as xr

        return {v.name: xr.DataArray(self[v.name], dims=v.dims, name=v.name) for v in self._system.variables}

    def __getitem__(self, name: str) -> np.ndarray:
        """Return one state, e.g. ``equilibrium["F1.x"]``, in the shape of its layer."""
        variable = self._system.variable(name)
        if variable is None:
            names = [v.name for v in self._system.variables]
            raise InputError(f"'{name}' is not a state (there is {', '.join(names)}){closest(name, names)}")
        return self.state[variable.start : variable.stop].reshape(variable.shape)


@partial(says_what_is_meant, options=inspect.signature(simulate).parameters.keys() - {"until"})
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
        equilibria, as with linear signals) it takes the shortest step. If du/dt stays larger than rounding explains,
        `Equilibrium.accurate` is false, and a warning says so.

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
    u = last_state(result.recorded)
    time = float(result.times[-1])
    fun = system.rhs(max(time, network.settled()) + 1.0)
    rtol, atol = (float(result.solver.details[name]) for name in ("rtol", "atol"))
    u, steps = _newton(fun, time, u, rtol, atol)
    f = fun(time, u)
    values = rightmost(fun, time, u, rtol, atol)
    if u.size > DENSE:
        values = np.append(values, -fastest_rate(fun, time, u))
    remains = float(np.max(np.abs(f) / _terms(fun, time, u, rtol, atol)))
    accurate = remains <= _ROUNDING and steps < _NEWTON
    if not accurate:
        warnings.warn(
            f"steady_state: after {steps} steps Newton's method left {remains:.1g} of the terms of du/dt: the state is "
            "near no equilibrium, or at a jump of the equations; smaller rtol and atol may help",
            RuntimeWarning,
            stacklevel=2,
        )
    return Equilibrium(u, float(np.max(np.abs(f))), accurate, values, time, steps, system)


def _newton(fun: RateFunction, time: float, start: np.ndarray, rtol: float, atol: float) -> tuple[np.ndarray, int]:
    """Return where Newton's method takes a state at rest, and in how many steps; it does not leave its vicinity."""
    terms = _terms(fun, time, start, rtol, atol)
    u, f = start, fun(time, start)
    for steps in range(_NEWTON):
        new = beyond(u, newton_step(fun, time, u, f, rtol, atol)[1])
        g = fun(time, new)
        far = np.max(np.abs(new - start) / (atol + rtol * np.abs(start)))
        if not np.max(np.abs(g) / terms) < np.max(np.abs(f) / terms) or far > max(1.0, FAR / rtol):
            return u, steps
        u, f = new, g
    return u, _NEWTON


def _terms(fun: RateFunction, time: float, u: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return about the size of the terms that cancel in each du/dt of an equilibrium."""
    size = sizes(u, rtol, atol)
    if u.size <= DENSE:
        terms = np.max(np.abs(jacobian_matrix(fun, time, u, rtol, atol)) * size, axis=1)
    else:
        terms = fastest_rate(fun, time, u) * size
    return np.maximum(terms, np.finfo(float).tiny)
