"""A family of networks of one structure, du/dt = F(u, p), whose numbers depend on one parameter or on two."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brnn.compiler import System, compile_network
from brnn.compiler.system import RightHandSide
from brnn.compiler.variants import Variants
from brnn.ensemble.rest import difference_steps
from brnn.errors import InputError
from brnn.integrate.jacobian import ATOL, RTOL, jacobian_matrix
from brnn.spec.network import Network
from brnn.sweeps.building.find import builder_of

__all__ = ["Family"]

_STEP = float(np.cbrt(np.finfo(float).eps))  # of a difference of order 2, relative
_KEPT = 8  # parameter values whose right-hand sides are kept: a step asks for three around one value


class Family:
    """The right-hand sides of the networks that a build makes of values of its parameters.

    Parameters
    ----------
    build : callable, str, module or Network
        As in `brnn.sweep`.
    settings : mapping
        Values of other parameters, by dotted name.
    ranges : mapping of str to tuple of float
        For each parameter that varies, in the order in which values are given, its smallest and largest value.

    Raises
    ------
    InputError
        If a parameter is not a number of the network, or a network is not one of ordinary differential equations
        that stop to depend on time.
    """

    def __init__(self, build: Any, settings: Mapping[str, Any], ranges: Mapping[str, tuple[float, float]]) -> None:
        self._builder = builder_of(build)
        self._settings = dict(settings)
        self.ranges = dict(ranges)
        self.names = tuple(ranges)
        self._kept: dict[tuple[float, ...], RightHandSide] = {}
        first = tuple(low for low, _ in ranges.values())
        self._variants = Variants(self._made, first)
        self.system: System = self._variants.system
        _check(self.system.network)
        self.time = max(0.0, self.system.network.settled()) + 1.0
        u = np.random.default_rng(0).uniform(0.1, 1.0, self.size)
        middle = tuple(0.5 * (low + high) for low, high in ranges.values())
        for k, name in enumerate(self.names):
            if np.array_equal(self.rates(u, first), self.rates(u, (*first[:k], middle[k], *first[k + 1 :]))):
                raise InputError(f"{name}: no rate of the network depends on it")

    @property
    def size(self) -> int:
        """Number of unknowns."""
        return self.system.size

    def network(self, values: tuple[float, ...]) -> Network:
        """Return the network at these values of the parameters."""
        return self._made([float(value) for value in values])

    def _made(self, values: Sequence[Any]) -> Network:
        return self._builder.build({**self._settings, **dict(zip(self.names, values, strict=True))})

    def rates(self, u: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return F(u, p), shape (size,)."""
        return self._fun(values)(self.time, u)

    def jacobian(self, u: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return dF/du, shape (size, size)."""
        return jacobian_matrix(self._fun(values), self.time, u)

    def all_rates(self, states: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return F of many states, shape (states, size)."""
        into = self._fun(values).into
        result = np.empty_like(states)
        for u, du in zip(states, result, strict=True):
            into(self.time, u, du)
        return result

    def all_jacobians(self, states: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return dF/du of many states of one orbit, shape (states, size, size), by the differences of `jacobian`."""
        count, n = states.shape
        steps = difference_steps(states.ravel(), RTOL, ATOL).reshape(count, n)
        aside = np.abs(states) <= np.abs(steps)  # both points lie on the unknown's own side of zero
        own = np.arange(n)
        one, two = (np.repeat(states[:, None, :], n, axis=1) for _ in range(2))
        one[:, own, own] += steps
        two[:, own, own] += np.where(aside, 2.0 * steps, -steps)
        at_one, at_two = (self.all_rates(p.reshape(-1, n), values).reshape(count, n, n) for p in (one, two))
        here = self.all_rates(states, values)[:, None, :] if aside.any() else 0.0
        step = steps[:, :, None]
        slopes = np.where(
            aside[:, :, None], (4.0 * at_one - at_two - 3.0 * here) / (2.0 * step), (at_one - at_two) / (2.0 * step)
        )
        return np.asarray(slopes.transpose(0, 2, 1))

    def by_parameter(self, u: np.ndarray, values: tuple[float, ...], which: int = 0) -> np.ndarray:
        """Return dF/dp of one of the parameters, shape (size,), by a difference of order 2.

        Where a network does not exist on one side, by one of order 1 on the other. Of many states at once, shape
        (states, size), if that is the shape of `u`.
        """
        low, high = self.ranges[self.names[which]]
        p = values[which]
        h = _STEP * max(abs(p), 1e-3 * (high - low))

        def at(value: float) -> np.ndarray:
            moved = (*values[:which], value, *values[which + 1 :])
            return self.rates(u, moved) if u.ndim == 1 else self.all_rates(u, moved)

        sides = []
        for value in (p - h, p + h):
            try:
                sides.append((value, at(value)))
            except InputError:
                sides.append((p, at(p)))
        (below, f_below), (above, f_above) = sides
        return np.asarray((f_above - f_below) / (above - below))

    def _fun(self, values: tuple[float, ...]) -> RightHandSide:
        found = self._kept.get(values)
        if found is None:
            variant = self._variants.at(values)
            if variant is not None:
                return self._keep(values, variant.rates(self._here))
            system = compile_network(self.network(values))
            if system.source != self.system.source:
                text = ", ".join(f"{n}={v:g}" for n, v in zip(self.names, values, strict=True))
                raise InputError(f"{text}: the network has other equations than at the start of the range")
            return self._keep(values, system.rhs(self.time))
        return found

    def _keep(self, values: tuple[float, ...], fun: RightHandSide) -> RightHandSide:
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[values] = fun
        return fun

    @functools.cached_property
    def _here(self) -> RightHandSide:
        """du/dt of the network at the beginning of the ranges."""
        return self.system.rhs(self.time)


def _check(network: Network) -> None:
    """Raise InputError if a network has no equilibria that could be followed."""
    if network.step is not None or any(p.delay > 0 for p in network.projections):
        raise InputError("continuation: the network must have continuous time and no delays")
    if network.noisy:
        raise InputError("continuation: the network must have no white noise")
    if network.events:
        raise InputError("continuation: the network must have no events, which change its equations and its state")
    if not np.isfinite(network.settled()):
        raise InputError("continuation: a stimulus of the network never stops to change")
