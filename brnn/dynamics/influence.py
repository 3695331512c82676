"""What a network still knows of its past: singular values of d u(t)/d u(t0) along a run, by the variational equation.

dV/dt = J(t, u(t)) V with V(t0) = 1, through every change of the inputs. It is for continuous time what the products of
step Jacobians are for the cells of machine learning (`brnn.sequences.influence`): values that fall are gradients that
vanish, those that rise are gradients that explode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from brnn.base.checks import array, number
from brnn.base.named import says_what_is_meant
from brnn.base.odes import solved
from brnn.compiler import compile_network
from brnn.compiler.linear_rates import LinearRates, linear_rates
from brnn.dynamics.equilibria import refuse_for_equilibria
from brnn.errors import InputError
from brnn.integrate.run import initial_state, simulate
from brnn.result.recorded import last_state
from brnn.spec.breaks import segments
from brnn.spec.network import Network

__all__ = ["influence"]

_AT_MOST = 100  # unknowns: so many times as many are integrated


@says_what_is_meant
def influence(
    network: Network, times: Any, *, since: float = 0.0, layers: Sequence[str] | None = None, initial: Any = None
) -> np.ndarray:
    """Return the singular values of d u(t)/d u(since) along a run of a network of continuous time.

    Parameters
    ----------
    network : Network
        Without white noise, events and delays.
    times : array, > since
        When they are taken.
    since : float, >= 0
        The time of the states by which the derivative is taken.
    layers : sequence of str, optional
        Whose activities are meant, at both times; by default all unknowns, gates and weights included.
    initial : array or dict, optional
        As in `simulate`.

    Returns
    -------
    ndarray, shape (times, unknowns)
        The largest first.

    Raises
    ------
    InputError
        If the network has no variational equation, more than 100 unknowns, or a time is not after `since`.
    """
    refuse_for_equilibria(network, "influence")
    if any(link.delay > 0 for link in network.projections):
        raise InputError("influence: the network must have no delays, which make its states functions")
    start = number(since, "influence: since", minimum=0.0)
    asked = np.atleast_1d(array(times, "influence: times"))
    if asked.ndim != 1 or not (np.diff(asked, prepend=start) > 0).all():
        raise InputError(f"influence: times: must rise, and be after since = {start:g}")
    system = compile_network(network)
    n = system.size
    if n > _AT_MOST:
        raise InputError(f"influence: the network has {n} unknowns: at most {_AT_MOST}")
    meant = np.arange(n)
    if layers is not None:
        names = [f"{network.layer(name, 'influence: layers').name}.x" for name in layers]
        places = {variable.name: np.arange(variable.start, variable.stop) for variable in system.variables}
        meant = np.concatenate([places[name] for name in names])
    u = initial_state(system, initial)
    if start > 0.0:
        result = simulate(network, start, initial=initial, times=[start], rtol=1e-10, atol=1e-13)
        u = last_state(result.recorded)
    V, found = np.eye(n)[:, meant], []
    for begin, end in segments(network, float(asked[-1])):
        if end <= start:
            continue
        here = max(begin, start)
        within = asked[(asked > here) & (asked <= end)]
        u, V, seen = _carried(linear_rates(network, 0.5 * (begin + end)), here, end, u, V, within)
        found += [np.linalg.svd(part[meant], compute_uv=False) for part in seen]
    return np.array(found)


def _carried(
    fun: LinearRates, begin: float, end: float, u: np.ndarray, V: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return state and derivatives at the end of a piece without a jump, and derivatives at some times of it."""
    n, k = V.shape

    def velocity(t: float, w: np.ndarray) -> np.ndarray:
        state = np.ascontiguousarray(w[:n])
        rates, tangents = fun.change(t, state, w[n:].reshape(n, k))
        return np.concatenate([rates, tangents.ravel()])

    at = np.unique(np.append(times, end))
    solution = solved(velocity, (begin, end), np.append(u, V.ravel()), "DOP853", t_eval=at, rtol=1e-9, atol=1e-12)
    parts = [column[n:].reshape(n, k) for column in solution.y.T]
    return solution.y[:n, -1], parts[-1], parts[: len(times)]
