"""Lyapunov exponents: how fast states that are near each other part, by the variational equation.

dV/dt = J(u(t)) V along the trajectory; V is made orthonormal again and again, and what is divided out there is the
growth (Benettin, Galgani, Giorgilli and Strelcyn 1980). One exponent of 0 belongs to the direction of the flow itself
on everything but an equilibrium; a positive one is chaos.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import number, whole
from brnn.base.named import says_what_is_meant
from brnn.base.odes import solved
from brnn.compiler import compile_network
from brnn.compiler.linear_rates import linear_rates
from brnn.dynamics.equilibria import refuse_for_equilibria
from brnn.errors import InputError
from brnn.integrate.run import initial_state, simulate
from brnn.result.recorded import last_state
from brnn.spec.network import Network

__all__ = ["LyapunovExponents", "lyapunov_exponents"]

_AT_MOST = 200  # unknowns; the Jacobian is made at every step


@dataclass(frozen=True, eq=False)
class LyapunovExponents:
    """Exponents, the largest first.

    Attributes
    ----------
    values : ndarray, shape (count,)
        Their estimates, in 1/time.
    spread : ndarray, shape (count,)
        By how much the estimates of the second half of the time differ from these: how far they can be believed.
    duration : float
        Over which time they are means.
    state : ndarray
        The state at the end.
    """

    values: np.ndarray
    spread: np.ndarray
    duration: float
    state: np.ndarray

    @property
    def largest(self) -> float:
        """The largest of them."""
        return float(self.values[0])

    @property
    def words(self) -> str:
        """What they say."""
        near = 3.0 * float(self.spread[0]) + 1e-6
        if self.largest > max(near, 10.0 / self.duration):
            return "states part exponentially: chaos, or a time too short to tell"
        if self.largest < -near:
            return "all neighbours come together: an equilibrium attracts"
        return "neighbours neither part nor come together along one direction: a cycle, a torus or a continuum"


@says_what_is_meant
def lyapunov_exponents(
    network: Network,
    *,
    count: int | None = None,
    duration: float = 200.0,
    transient: float = 100.0,
    interval: float | None = None,
    initial: Any = None,
) -> LyapunovExponents:
    """Return Lyapunov exponents of a network, gates and weights included.

    Parameters
    ----------
    network : Network
        Continuous time, no noise, events and delays; inputs are those after their last change.
    count : int, optional
        How many, the largest first; by default all.
    duration : float, > 0
        Time over which they are averaged, after `transient`.
    transient : float, >= 0
        Time until the trajectory is where it stays.
    interval : float, optional
        Time after which vectors are made orthonormal again; by default a 200th of the duration.
    initial : array or dict, optional
        As in `simulate`.

    Raises
    ------
    InputError
        If the network has no variational equation, or more than 200 unknowns.
    """
    refuse_for_equilibria(network, "lyapunov_exponents")
    if any(link.delay > 0 for link in network.projections):
        raise InputError("lyapunov_exponents: the network must have no delays, which make its states functions")
    when = network.settled() + 1.0
    if not np.isfinite(when):
        raise InputError("lyapunov_exponents: a stimulus of the network never stops to change")
    length = number(duration, "lyapunov_exponents: duration", above=0.0)
    waiting = number(transient, "lyapunov_exponents: transient", minimum=0.0)
    step = length / 200.0 if interval is None else number(interval, "lyapunov_exponents: interval", above=0.0)
    system = compile_network(network)
    n = system.size
    if n > _AT_MOST:
        raise InputError(f"lyapunov_exponents: the network has {n} unknowns: at most {_AT_MOST}")
    k = n if count is None else min(n, whole(count, "lyapunov_exponents: count", minimum=1))
    u = initial_state(system, initial)
    if waiting > 0.0 or network.settled() > 0.0:
        result = simulate(network, network.settled() + waiting, initial=initial, rtol=1e-9, atol=1e-12)
        u = last_state(result.recorded)
    fun = linear_rates(network, when)

    def velocity(t: float, w: np.ndarray) -> np.ndarray:
        state = np.ascontiguousarray(w[:n])
        rates, tangents = fun.change(when, state, w[n:].reshape(n, k))
        return np.concatenate([rates, tangents.ravel()])

    rounds = max(2, round(length / step))
    V = np.linalg.qr(np.random.default_rng(0).standard_normal((n, k)))[0]
    growth = np.empty((rounds, k))
    for r in range(rounds):
        found = solved(
            velocity, (0.0, length / rounds), np.concatenate([u, V.ravel()]), "DOP853", rtol=1e-8, atol=1e-10
        )
        u, V = found.y[:n, -1], found.y[n:, -1].reshape(n, k)
        V, R = np.linalg.qr(V)
        growth[r] = np.log(np.maximum(np.abs(np.diag(R)), 1e-300))
    half = rounds // 2
    values, late = growth.sum(axis=0) / length, growth[half:].sum(axis=0) / (length * (rounds - half) / rounds)
    order = np.argsort(-values)
    return LyapunovExponents(values[order], np.abs(late - values)[order], length, u)
