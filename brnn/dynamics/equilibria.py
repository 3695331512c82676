"""All equilibria of a network that a search finds: Newton's method from many starts, with deflation.

Newton's method is applied to M(u) F(u) in place of F(u), M(u) = prod_k (1 + s^2/|u - u_k|^2) over the equilibria u_k
that are known: these are no roots any more, so that the same start leads to another one. The step is that of Newton
times a number, which costs nothing (Farrell, Birkisson and Funke 2015, SIAM J. Sci. Comput. 37, A2026). What is found
is then made accurate by Newton's method for F itself. Where cells may be exchanged without any change of the equations,
so may they in each equilibrium.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.base.checks import whole
from brnn.base.delay_roots import characteristic_roots
from brnn.base.named import says_what_is_meant
from brnn.base.text import counted, text_table
from brnn.compiler import System, compile_network
from brnn.compiler.linear_rates import linear_rates
from brnn.ensemble.rest import NEUTRAL
from brnn.errors import InputError
from brnn.integrate.equilibrium import Equilibrium
from brnn.integrate.jacobian import DENSE, eigenvalues
from brnn.spec.network import Network
from brnn.theory.predictions.bounds import variable_ranges

__all__ = ["EquilibriumSearch", "equilibria", "kind_of_equilibrium", "refuse_for_equilibria", "search_box"]

_STEPS = 60  # of Newton's method from one start
_HALVINGS = 8  # of a step that makes things worse
_SMALL = 1e-9  # of the terms of du/dt, at which a root is believed
_SAME = 1e-6  # of the size of the box: equilibria nearer than that are one
_WIDE = 10.0  # times the initial state: the box where nothing is known
_COPIES = 5000  # roots, in the box and beyond it, above which none is added by exchanging cells
_ROOM = 64  # roots, at first
_ROUNDS = 200  # starts from which no new equilibrium came, at most


@dataclass(frozen=True, eq=False, repr=False)
class EquilibriumSearch:
    """Equilibria, in the order of how stable they are, and how they were searched.

    Attributes
    ----------
    network : str
        Name of the network.
    found : tuple of Equilibrium
        The equilibria; iterating gives them.
    kinds : tuple of str
        Of each: "stable node", "stable focus", "saddle (1 unstable)", "unstable node", "unstable focus", "neutral".
    starts, seed : int
        From how many random states, by which seed.
    box : ndarray, shape (2, unknowns)
        Where they were drawn.
    outside : int
        How many roots of the equations lie outside of what the network can reach, and were left out.
    """

    network: str
    found: tuple[Equilibrium, ...]
    kinds: tuple[str, ...]
    starts: int
    seed: int
    box: np.ndarray
    outside: int = 0
    _system: System | None = field(default=None, repr=False)

    def __iter__(self) -> Iterator[Equilibrium]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    def __getitem__(self, k: int) -> Equilibrium:
        return self.found[k]

    @property
    def stable(self) -> tuple[Equilibrium, ...]:
        """Those at which no small disturbance grows."""
        return tuple(e for e in self.found if e.stable)

    @property
    def how(self) -> str:
        """How they were searched, and what that cannot promise."""
        return (
            f"Newton's method with deflation from {self.starts} random states (seed {self.seed}); there may be others: "
            "no search of this kind finds all for certain, nor those at which the equations have a corner"
        )

    def __repr__(self) -> str:
        title = f"{counted(len(self), 'equilibrium').replace('equilibriums', 'equilibria')} of {self.network}"
        rows = [
            [
                kind,
                f"{e.growth_rate:.5g}",
                " ".join(f"{x:.5g}" for x in e.state[:8]) + (" ..." if e.state.size > 8 else ""),
            ]
            for e, kind in zip(self.found, self.kinds, strict=True)
        ]
        table = text_table(rows, ["kind", "growth rate", "state"], rule=True) if rows else ""
        return "\n".join(part for part in (title, table, self.how) if part)


@says_what_is_meant
def equilibria(
    network: Network, *, starts: int = 100, seed: int = 0, box: Any = None, time: float | None = None
) -> EquilibriumSearch:
    """Return the equilibria of a network that a search from many states finds, stable or not.

    Parameters
    ----------
    network : Network
        Continuous time, no noise and no events; with delays the equilibria are those without, and their
        stability is that with them.
    starts : int, >= 1
        From how many random states of the box.
    seed : int, >= 0
        Of these.
    box : (array, array), optional
        Lowest and highest value of each unknown of the starts; by default what the variables cannot leave, where
        that is known (`brnn.theory.predict`).
    time : float, optional
        When inputs are taken; by default after their last change.

    Returns
    -------
    EquilibriumSearch

    Raises
    ------
    InputError
        If the network has no equilibria that could be searched, or more than 500 unknowns.

    Examples
    --------
    >>> import brnn
    >>> field = brnn.models.rcf.build(n=2, signal=brnn.Power(), A=1.0, B=3.0, pattern=0.0)
    >>> len(brnn.equilibria(field))  # 0, each cell alone at two levels, both together at two levels
    7
    """
    refuse_for_equilibria(network, "equilibria")
    starts, seed = whole(starts, "equilibria: starts", minimum=1), whole(seed, "equilibria: seed", minimum=0)
    when = network.settled() + 1.0 if time is None else float(time)
    if not np.isfinite(when):
        raise InputError("equilibria: a stimulus of the network never stops to change; say at which time= it is taken")
    system = compile_network(network)
    if system.size > DENSE:
        raise InputError(f"equilibria: the network has {system.size} unknowns: at most {DENSE} are searched")
    limits, draws = search_box(network, system)
    if box is not None:
        draws = np.array([np.broadcast_to(np.asarray(side, dtype=np.float64).ravel(), system.size) for side in box])
        if draws.shape != (2, system.size) or not (np.isfinite(draws).all() and (draws[0] <= draws[1]).all()):
            raise InputError(f"box: must be the lowest and the highest value of each of {system.size} unknowns")
    return _Search(system, when, draws, limits, seed).run(starts)


def refuse_for_equilibria(network: Network, where: str) -> None:
    """Raise InputError if a network has no equilibria of differential equations."""
    if network.step is not None or network.noisy:
        raise InputError(f"{where}: the network must have continuous time and no white noise")
    if network.events:
        raise InputError(f"{where}: the network must have no events, which change its equations and its state")


def search_box(network: Network, system: System) -> tuple[np.ndarray, np.ndarray]:
    """Return what the unknowns cannot leave, and a finite box in it, each of shape (2, unknowns)."""
    first = system.initial_state()
    size = _WIDE * max(1.0, float(np.max(np.abs(first))))
    limits = np.array([np.full(system.size, -np.inf), np.full(system.size, np.inf)])
    ranges = variable_ranges(network)
    for variable in system.variables:
        if variable.name in ranges:
            found = ranges[variable.name]
            limits[:, variable.start : variable.stop] = found.low, found.high
    draws = np.clip(limits, -size, size)
    return limits, draws


def kind_of_equilibrium(values: np.ndarray) -> str:
    """Return the kind of an equilibrium with these eigenvalues."""
    fastest = float(np.max(np.abs(values), initial=0.0))
    growing = values.real > NEUTRAL * fastest
    turning = bool(np.any(np.abs(values.imag) > NEUTRAL * fastest))
    if growing.any():
        if growing.all():
            return f"unstable {'focus' if turning else 'node'}"
        return f"saddle ({int(growing.sum())} unstable)"
    if (values.real > -NEUTRAL * fastest).any():
        return "neutral"
    return f"stable {'focus' if turning else 'node'}"


def kind_with_delays(values: np.ndarray) -> str:
    """Return the kind of an equilibrium whose rightmost growth rates, of which there is no end, are these."""
    if np.isnan(values).any():
        return "not known: too many unknowns with delays"
    fastest = float(np.max(np.abs(values)))
    growing = int((values.real > NEUTRAL * fastest).sum())
    if growing:
        return f"unstable ({growing} growing)"
    if (values.real > -NEUTRAL * fastest).any():
        return "neutral"
    return f"stable {'focus' if abs(values[0].imag) > NEUTRAL * fastest else 'node'}"


class _Search:
    def __init__(self, system: System, time: float, draws: np.ndarray, limits: np.ndarray, seed: int) -> None:
        self.system, self.time, self.draws, self.limits, self.seed = system, time, draws, limits, seed
        self.fun = linear_rates(system.network, time)
        self.size = max(float(np.max(draws[1] - draws[0])), 1e-6)
        self.roots: list[np.ndarray] = []
        self.beyond: list[np.ndarray] = []
        self.known = np.empty((_ROOM, system.size))  # its first rows: all of both

    def run(self, starts: int) -> EquilibriumSearch:
        """Search from random states, and from the state of the network itself."""
        random = np.random.default_rng(self.seed)
        low, high = self.draws
        states = [self.system.initial_state(), 0.5 * (low + high), low + 1e-3 * (high - low)]
        for variable in self.system.variables:  # one cell alone
            alone = np.where(np.arange(low.size) == variable.start, 0.75, 0.0)
            states.append(low + alone * (high - low))
        for k in range(starts):
            share = random.uniform(size=low.size)
            if k % 4 == 1:  # few are active
                share *= random.uniform(size=low.size) < 0.4
            elif k % 4 == 2:  # groups are equal
                share = random.choice(random.uniform(size=2), size=low.size)
            elif k % 4 == 3:  # of all sizes
                share = 10.0 ** random.uniform(-3.0, 0.0, low.size) * (random.uniform(size=low.size) < 0.7)
            states.append(low + share * (high - low))
        swaps = self._exchangeable(random)
        for state in states:
            for _ in range(_ROUNDS):
                root = self._newton(state, deflated=True)
                polished = None if root is None else self._newton(root, deflated=False)
                if polished is None or not self._add(polished):
                    break
                self._add_copies(polished, swaps)
                if len(self._found()) >= _COPIES:  # it may be one of a line of them: other starts have more to tell
                    break
        return self._answer(starts)

    def _exchangeable(self, random: np.random.Generator) -> list[np.ndarray]:
        """Return permutations of two neighbouring cells each that leave the equations as they are."""
        variables = self.system.variables
        swaps = []
        for size in {v.size for v in variables}:
            places = [v.start for v in variables if v.size == size]
            for i in range(size - 1):
                swap = np.arange(self.system.size)
                for start in places:
                    swap[[start + i, start + i + 1]] = start + i + 1, start + i
                if self._symmetric(swap, random):
                    swaps.append(swap)
        return swaps

    def _symmetric(self, swap: np.ndarray, random: np.random.Generator) -> bool:
        low, high = self.draws
        for _ in range(3):
            u = low + random.uniform(size=low.size) * (high - low)
            f, g = self.fun(self.time, u), self.fun(self.time, np.ascontiguousarray(u[swap]))
            if not np.allclose(g, f[swap], rtol=1e-10, atol=1e-10 * float(np.max(np.abs(f)))):
                return False
        return True

    def _add_copies(self, root: np.ndarray, swaps: list[np.ndarray]) -> None:
        """Add what a root becomes when cells are exchanged that are alike."""
        waiting = [root]
        while waiting and len(self._found()) < _COPIES:
            one = waiting.pop()
            for swap in swaps:
                other = one[swap]
                if self._add(other):
                    waiting.append(other)

    def _answer(self, starts: int) -> EquilibriumSearch:
        found = []
        for root in self.roots:
            values = self._eigenvalues(root)
            residual = float(np.max(np.abs(self.fun(self.time, root))))
            kind = kind_with_delays(values) if self.fun.plain.lags else kind_of_equilibrium(values)
            found.append((kind, Equilibrium(root, residual, True, values, 0.0, 0, self.system)))
        order = sorted(found, key=lambda pair: (round(pair[1].growth_rate, 9), tuple(np.round(pair[1].state, 9))))
        return EquilibriumSearch(
            self.system.network.name,
            tuple(e for _, e in order),
            tuple(kind for kind, _ in order),
            starts,
            self.seed,
            self.draws,
            len(self.beyond),
            self.system,
        )

    def _eigenvalues(self, root: np.ndarray) -> np.ndarray:
        """Return the eigenvalues of the Jacobian; with delays the rightmost growth rates."""
        if self.fun.plain.lags:
            return characteristic_roots(*self.fun.parts(self.time, root))
        J = self.fun.jacobian(self.time, root)
        return eigenvalues(J, np.maximum(np.abs(root), 1e-9 + 1e-6 * self.size))

    def _add(self, root: np.ndarray) -> bool:
        """Keep a root that is new; tell whether it was."""
        found = self._found()
        count = len(found)
        if (np.abs(found - root).max(axis=1) <= _SAME * self.size).any():
            return False
        if count == len(self.known):
            self.known = np.concatenate([self.known, np.empty_like(self.known)])
        edge = _SAME * self.size
        inside = bool((root >= self.limits[0] - edge).all() and (root <= self.limits[1] + edge).all())
        if inside:
            near = np.clip(root, *self.limits)  # rounding may have led over an edge that is exact
            exact = self.fun(self.time, near)
            root = near if np.max(np.abs(exact)) <= 2.0 * np.max(np.abs(self.fun(self.time, root))) else root
        self.known[count] = root
        (self.roots if inside else self.beyond).append(root)
        return True

    def _newton(self, start: np.ndarray, deflated: bool) -> np.ndarray | None:
        """Return where Newton's method ends, or None if it is nowhere."""
        u = np.array(start)
        with np.errstate(all="ignore"):
            f = self.fun(self.time, u)
            for _ in range(_STEPS):
                J = self.fun.jacobian(self.time, u)
                terms = np.maximum(np.abs(J) @ np.maximum(np.abs(u), 1e-6 * self.size), np.finfo(float).tiny)
                if np.max(np.abs(f) / terms) <= _SMALL * (1.0 if deflated else 1e-5) or not f.any():
                    return u
                step = _solved(J, -f)
                if step is None or not np.isfinite(step).all():
                    return None
                if deflated:
                    slope = self._log_slope(u) @ step
                    step = step / (1.0 - slope) if abs(1.0 - slope) > 1e-12 else step
                    step *= min(1.0, 0.5 * self.size / max(float(np.max(np.abs(step))), 1e-300))
                merit = self._merit(u, f / terms, deflated)
                for _ in range(_HALVINGS):
                    new = u + step
                    g = self.fun(self.time, new)
                    if np.isfinite(g).all() and self._merit(new, g / terms, deflated) < merit:
                        break
                    step = 0.5 * step
                else:
                    if not deflated:
                        return u if np.max(np.abs(f) / terms) <= _SMALL else None
                if not np.isfinite(g).all():
                    return None
                u, f = new, g
        return u if not deflated and np.max(np.abs(f) / terms) <= _SMALL else None

    def _merit(self, u: np.ndarray, f: np.ndarray, deflated: bool) -> float:
        value = float(np.max(np.abs(f)))
        if deflated:
            value *= float(np.prod(1.0 + self.size**2 / self._squares(u - self._found())))
        return value

    def _log_slope(self, u: np.ndarray) -> np.ndarray:
        """Return the gradient of log M."""
        apart = u - self._found()
        square = self._squares(apart)
        return (-2.0 * self.size**2 / (square * (square + self.size**2))) @ apart

    def _found(self) -> np.ndarray:
        """Return all roots, one a row."""
        return self.known[: len(self.roots) + len(self.beyond)]

    @staticmethod
    def _squares(apart: np.ndarray) -> np.ndarray:
        return np.maximum((apart**2).sum(axis=1), 1e-300)


def _solved(J: np.ndarray, f: np.ndarray) -> np.ndarray | None:
    try:
        return np.linalg.solve(J, f)
    except np.linalg.LinAlgError:
        try:
            return np.linalg.lstsq(J, f, rcond=1e-12)[0]
        except np.linalg.LinAlgError:
            return None
