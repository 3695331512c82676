"""A family of networks of one structure, du/dt = F(u, p), whose numbers depend on one parameter or on two.

With delays F is the rate of a state that has been there for ever, as it has at an equilibrium; how disturbances grow
is told by the characteristic equation with its delays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.delay_roots import characteristic_roots
from brnn.compiler import System
from brnn.compiler.linear_rates import LinearRates, Structure, explicit_system
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.variants import Variants
from brnn.errors import InputError
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
        self._kept: dict[tuple[float, ...], LinearRates] = {}
        first = tuple(low for low, _ in ranges.values())
        self._variants = Variants(self._made, first, explicit_system)
        self.system: System = self._variants.system
        self._structure = Structure(self.system)
        _check(self.system.network)
        self.time = max(0.0, self.system.network.settled()) + 1.0
        self._here = self._structure.rates(self._rhs(self.system))  # at the values that were asked for last
        self._numbers = self._here.plain.arguments[1].copy()
        self._set: tuple[float, ...] | None = None
        u = np.random.default_rng(0).uniform(0.1, 1.0, self.size)
        middle = tuple(0.5 * (low + high) for low, high in ranges.values())
        for k, name in enumerate(self.names):
            moved = (*first[:k], middle[k], *first[k + 1 :])
            late = [[delay for *_, delay in self._fun(values).plain.lags] for values in (first, moved)]
            if late[0] == late[1] and np.array_equal(self.rates(u, first), self.rates(u, moved)):
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
        return self._fun(values).jacobian(self.time, u)

    @property
    def delayed(self) -> bool:
        """Whether signals arrive late."""
        return bool(self._here.plain.lags)

    def eigenvalues(self, u: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return the eigenvalues of dF/du, the largest real part first; with delays, the rightmost growth rates."""
        fun = self._fun(values)
        if self.delayed:
            return characteristic_roots(*fun.parts(self.time, u))
        found = np.linalg.eigvals(fun.jacobian(self.time, u))
        return np.asarray(found[np.lexsort((-found.imag, -found.real))])

    def all_rates(self, states: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return F of many states, shape (states, size)."""
        into = self._fun(values).into
        result = np.empty_like(states)
        for u, du in zip(states, result, strict=True):
            into(self.time, u, du)
        return result

    def all_jacobians(self, states: np.ndarray, values: tuple[float, ...]) -> np.ndarray:
        """Return dF/du of many states, shape (states, size, size)."""
        fun = self._fun(values)
        return np.array([fun.jacobian(self.time, u) for u in states])

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

    def _fun(self, values: tuple[float, ...]) -> LinearRates:
        """Return du/dt at these values; what was returned before may be this object, with other numbers in it."""
        found = self._kept.get(values)
        if found is not None:
            return found
        if values == self._set:
            return self._here
        variant = self._variants.at(values)
        if variant is not None:
            p = self._here.plain.arguments[1]
            p[:] = self._numbers
            p[variant.places] = variant.numbers
            self._set = values
            return self._here
        system = explicit_system(self.network(values))
        if system.source != self.system.source:
            text = ", ".join(f"{n}={v:g}" for n, v in zip(self.names, values, strict=True))
            raise InputError(f"{text}: the network has other equations than at the start of the range")
        return self._keep(values, self._structure.rates(self._rhs(system)))

    def _rhs(self, system: System) -> RightHandSide:
        return system.rhs(self.time, lambda _: np.empty(0))  # the past is the present: see LinearRates

    def _keep(self, values: tuple[float, ...], fun: LinearRates) -> LinearRates:
        while len(self._kept) >= _KEPT:
            del self._kept[next(iter(self._kept))]
        self._kept[values] = fun
        return fun


def _check(network: Network) -> None:
    """Raise InputError if a network has no equilibria that could be followed."""
    if network.step is not None:
        raise InputError("continuation: the network must have continuous time")
    if network.noisy:
        raise InputError("continuation: the network must have no white noise")
    if network.events:
        raise InputError("continuation: the network must have no events, which change its equations and its state")
    if not np.isfinite(network.settled()):
        raise InputError("continuation: a stimulus of the network never stops to change")
