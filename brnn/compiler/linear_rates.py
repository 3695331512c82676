"""du/dt at inputs that stay as they are, with its exact derivatives by the state: what equilibria are looked at with.

The derivatives are those of `brnn.compiler.forward`, of all unknowns: activities, gates, weights. Where there are
delays the state is taken to have been there for ever, as it has at an equilibrium. A jump counts as flat.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.differentiable import tangent_rates
from brnn.compiler.forward import TangentText, tangent_text
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import Clock, System
from brnn.errors import SpecError
from brnn.spec.network import Network

__all__ = ["LinearRates", "Structure", "difference_jacobian", "explicit_system", "linear_rates"]

_AT_ONCE = 64  # directions
_DIFFERENCE = float(np.cbrt(np.finfo(float).eps))  # step of a difference of order 2, relative


def explicit_system(network: Network) -> System:
    """Return a network in explicit form: loops over cells alone."""
    variables = layout(network)
    return System(network, variables, generate(network, variables, explicit=True))


@functools.lru_cache(maxsize=8)
def _known(network: Network) -> Structure:
    return Structure(explicit_system(network))


def linear_rates(network: Network, time: float, clock: Clock | None = None) -> LinearRates:
    """Return du/dt of a network with the inputs of one time, and its derivatives."""
    structure = _known(network)
    return structure.rates(structure.system.rhs(time, lambda _: np.empty(0), clock))


@dataclass(frozen=True, eq=False)
class Structure:
    """What networks of one structure have in common.

    Attributes
    ----------
    system : System
        One of them, in explicit form.
    """

    system: System

    @functools.cached_property
    def text(self) -> TangentText | None:
        """Their right-hand side with tangents of the state and of the past; None if it has no derivatives."""
        late = [array.name for array in self.system.program.lags.values()]
        try:
            return tangent_text(self.system.program, arrays=late, flat_jumps=True)
        except SpecError:
            return None

    def rates(self, plain: RightHandSide) -> LinearRates:
        """Return du/dt of one of them, with its derivatives."""
        return LinearRates(self, plain)


@dataclass(frozen=True, eq=False)
class LinearRates:
    """du/dt of one network at inputs that stay as they are.

    Attributes
    ----------
    structure : Structure
        That of the network.
    plain : RightHandSide
        Its right-hand side.
    """

    structure: Structure
    plain: RightHandSide

    @property
    def exact(self) -> bool:
        """Whether the derivatives of all laws and signals are known; else they are differences of order 2."""
        return self.structure.text is not None

    def __call__(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return du/dt."""
        du = np.empty(u.size)
        self.into(t, u, du)
        return du

    def into(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        """Write du/dt into `du`."""
        function = self._rates if self.exact else self.plain
        for array, variable, _ in self.plain.lags:
            array[:] = u[variable.start : variable.stop]
        function.at_once(t, u, du)

    def jacobian(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return the derivatives of du/dt by the state, shape (unknowns, unknowns), the past being the same."""
        return self.change(t, u, np.eye(u.size))[1]

    def change(self, t: float, u: np.ndarray, directions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return du/dt, and how it changes when the state does so in each of some directions.

        Parameters
        ----------
        t : float
            The time.
        u : ndarray, shape (unknowns,)
            The state.
        directions : ndarray, shape (unknowns, directions)
            Its changes, which are those of the past as well.

        Returns
        -------
        rates, changes : ndarray
            Shapes (unknowns,) and (unknowns, directions).
        """
        late = [directions[variable.start : variable.stop] for _, variable, _ in self.plain.lags]
        return self._changed(t, u, directions, late)

    def parts(self, t: float, u: np.ndarray) -> tuple[np.ndarray, dict[float, np.ndarray]]:
        """Return the derivatives by the present state, and for each delay those by the state so long ago."""
        n = u.size
        none = [np.zeros((variable.size, n)) for _, variable, _ in self.plain.lags]
        now = self._changed(t, u, np.eye(n), none)[1]
        past: dict[float, np.ndarray] = {}
        for k, (_, variable, delay) in enumerate(self.plain.lags):
            late = [*none]
            late[k] = np.eye(n)[variable.start : variable.stop]
            past[delay] = past.get(delay, 0.0) + self._changed(t, u, np.zeros((n, n)), late)[1]
        return now, past

    def _changed(
        self, t: float, u: np.ndarray, directions: np.ndarray, late: list[np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray]:
        n, count = directions.shape
        if not self.exact:
            return self(t, u), self._by_differences(t, u, directions, late)
        for array, variable, _ in self.plain.lags:
            array[:] = u[variable.start : variable.stop]
        changes = np.empty((n, count))
        rates = np.empty(n)
        for first in range(0, count, _AT_ONCE):
            part = slice(first, min(count, first + _AT_ONCE))
            width = part.stop - part.start
            function, seeds = self._tangents(width)
            for seed, change in zip(seeds, late, strict=True):
                seed[:] = change[:, part]
            given, found = np.empty(n * (1 + width)), np.empty(n * (1 + width))
            given[:n], given[n:] = u, directions[:, part].ravel()
            function.at_once(t, given, found)
            rates, changes[:, part] = found[:n], found[n:].reshape(n, width)
        unknown = ~np.isfinite(changes).all(axis=0)
        if unknown.any() and np.isfinite(rates).all():  # a limit at 0 that the formula does not have: exp(-1/w)
            changes[:, unknown] = self._by_differences(t, u, directions[:, unknown], [x[:, unknown] for x in late])
        return rates, changes

    def _by_differences(self, t: float, u: np.ndarray, directions: np.ndarray, late: list[np.ndarray]) -> np.ndarray:
        """Return changes by differences of order 2."""

        def now(t: float, x: np.ndarray) -> np.ndarray:
            for array, variable, _ in self.plain.lags:
                array[:] = u[variable.start : variable.stop]
            du = np.empty(x.size)
            self.plain.at_once(t, x, du)
            return du

        changes = difference_jacobian(now, t, u) @ directions
        for (array, variable, _), change in zip(self.plain.lags, late, strict=True):

            def then(t: float, x: np.ndarray, array: np.ndarray = array, own: Any = variable) -> np.ndarray:
                for other, variable, _ in self.plain.lags:
                    other[:] = u[variable.start : variable.stop]
                array[:] = x
                du = np.empty(u.size)
                self.plain.at_once(t, u, du)
                return du

            changes = changes + difference_jacobian(then, t, u[variable.start : variable.stop]) @ change
        return np.asarray(changes)

    @functools.cached_property
    def _made(self) -> dict[int, tuple[RightHandSide, list[np.ndarray]]]:
        return {}

    @property
    def _rates(self) -> RightHandSide:
        return self._tangents(0)[0]

    def _tangents(self, directions: int) -> tuple[RightHandSide, list[np.ndarray]]:
        """Return the right-hand side with so many tangents, and those of the delayed activities."""
        if directions not in self._made:
            system, text = self.structure.system, self.structure.text
            assert text is not None
            function, seeds = tangent_rates(system, self.plain, text, directions)
            names = [array.name for array in system.program.lags.values()]
            self._made[directions] = function, [seeds[name] for name in names]
        return self._made[directions]


def difference_jacobian(fun: Callable[[float, np.ndarray], np.ndarray], t: float, u: np.ndarray) -> np.ndarray:
    """Return the derivatives of rates by a state by differences of order 2.

    Each unknown has a step of its own, of 6e-6 of its size; at 0 both points lie on the side of larger values.
    """
    here = fun(t, u)
    largest = float(np.max(np.abs(u))) or 1.0
    J = np.empty((here.size, u.size))
    for k, value in enumerate(u):
        h = _DIFFERENCE * max(abs(value), 1e-3 * largest)
        shifts, factors = ((h, -h), (0.5, -0.5)) if abs(value) > 2.0 * h else ((h, 2.0 * h), (2.0, -0.5))
        J[:, k] = -sum(factors) * here / h
        for shift, factor in zip(shifts, factors, strict=True):
            moved = u.copy()
            moved[k] += shift
            J[:, k] += factor * fun(t, moved) / h
    return J
