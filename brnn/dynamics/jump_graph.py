"""Jump graphs of competitive systems (26): which cell can take over from which, and whether that ends.

dx_i/dt = a_i(x) M_i(x), a_i = 0 where x_i = 0, dM_i/dx_j <= 0 for j != i: the cell with the largest M_i wins at the
moment. Where cell i is alone, at rest at a level at which it is stable by itself, cell j takes over if M_j > 0 there. A
graph of these jumps without circles leads to an end; around a circle the winners may follow each other for ever, as in
the voting paradox (Grossberg 1978, J. Math. Anal. Appl. 66, 470-493; review, (26)-(28)).
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

import numpy as np

from brnn.base.named import says_what_is_meant
from brnn.compiler import compile_network
from brnn.compiler.linear_rates import LinearRates, linear_rates
from brnn.dynamics.certain_jumps import CertainGrowth
from brnn.dynamics.equilibria import refuse_for_equilibria, search_box
from brnn.errors import InputError
from brnn.integrate.jacobian import RateFunction
from brnn.spec.network import Network

__all__ = ["JumpEdge", "JumpGraph", "jump_graph"]

_SAMPLES = 64  # random states at which the signs of a competitive system are looked at
_EXACT = 1e-12  # of the largest derivative; a smaller one is rounding
_GRID = 4001  # of the activity of one cell alone
_TINY = 1e-7  # of the size: an activity of a cell that is about to take over
_GROWS = 1e-9  # a growth rate below it is rounding
_AT_MOST = 100
_NAMED = 12  # jumps


@dataclass(frozen=True)
class JumpEdge:
    """Cell `winner` takes over from cell `alone`, which rests at `level`; its growth rate there is `rate` > 0."""

    alone: int
    winner: int
    level: float
    rate: float


@dataclass(frozen=True, eq=False)
class JumpGraph:
    """The jumps of a competitive system.

    Attributes
    ----------
    cells : int
        How many.
    levels : tuple of tuple of float
        The stable levels above 0 of each cell alone.
    jumps : tuple of Jump
        Which cell takes over from which, one for each pair of a level and a cell.
    circle : tuple of int
        A circle of jumps that do not lead back, the first cell again at the end; empty if there is none.
    excitation : float
        The largest d(dx_i/dt)/dx_j, j != i, at random states: above 0 the system is not competitive.
    sampled : tuple of str
        What is known from samples only, and from how many; empty where bounds of the law make all of it certain.
    """

    cells: int
    levels: tuple[tuple[float, ...], ...]
    jumps: tuple[JumpEdge, ...]
    circle: tuple[int, ...]
    excitation: float
    sampled: tuple[str, ...] = ()

    @property
    def certainty(self) -> str:
        """How it is known: by bounds of the law, or by samples, and how many."""
        if self.excitation > 0.0:
            return "certain: seen at a state"
        return f"sampled: {'; '.join(self.sampled)}" if self.sampled else "certain: by bounds of the law"

    @property
    def verdict(self) -> str:
        """What follows, and how it is known."""
        return f"{self._verdict} ({self.certainty})"

    @property
    def _verdict(self) -> str:
        if self.excitation > 0.0:
            return f"not competitive: an activity raises another's rate by up to {self.excitation:.4g}; nothing follows"
        if not any(self.levels):
            return "no cell rests above 0 alone, so that there is no winner to take over from"
        if self.circle:
            text = " -> ".join(str(cell) for cell in self.circle)
            return f"a circle of jumps, {text}: the winners may follow each other for ever"
        both = [(i, j) for i, j in self.edges if i < j and (j, i) in self.edges]
        if both:
            return f"no circle of one-way jumps; {len(both)} pairs let each other in, so that several may stay together"
        return "no circle of jumps between single winners: they end, and competition decides"

    @property
    def words(self) -> str:
        """Who takes over from whom, what follows, and how it is known, in lines."""
        pairs = sorted(self.edges)
        named = ", ".join(f"{i} -> {j}" for i, j in pairs[:_NAMED]) + (", ..." if pairs[_NAMED:] else "")
        nobody = "nobody grows where another cell rests alone" if any(self.levels) else "no winners"
        return f"{named or f'none: {nobody}'}\n{self._verdict}\n{self.certainty}"

    @property
    def edges(self) -> frozenset[tuple[int, int]]:
        """The pairs (i, j) of which j takes over from i."""
        return frozenset((jump.alone, jump.winner) for jump in self.jumps)


@says_what_is_meant
def jump_graph(network: Network) -> JumpGraph:
    """Return which cells of a competitive system can take over from which, computed from its law.

    Parameters
    ----------
    network : Network
        One layer in continuous time, of at most 100 cells whose activities are 0 or above and stay 0 where they are 0:
        a field (21), species, any layer in the form (32) with a(0) = 0.

    Raises
    ------
    InputError
        If the network is not of the form, in one line why.
    """
    refuse_for_equilibria(network, "jump_graph")
    when = network.settled() + 1.0
    if not np.isfinite(when):
        raise InputError("jump_graph: a stimulus of the network never stops to change")
    if len(network.layers) != 1 or len(network.states) != 1 or any(p.delay > 0 for p in network.projections):
        raise InputError("jump_graph: the network must have one layer, without gates, learning and delays")
    system = compile_network(network)
    n = system.size
    if n > _AT_MOST:
        raise InputError(f"jump_graph: the layer has {n} cells: at most {_AT_MOST}")
    fun = linear_rates(network, when)
    _, box = search_box(network, system)
    top = float(np.max(box[1]))
    rest = np.abs(fun(when, np.zeros(n)))
    if rest.max() > 1e-12:
        _refuse_at_0(int(rest.argmax()), rest.max())
    excitation = _excitation(fun, when, n, top)
    law = CertainGrowth(network, when, top)
    sampled = [] if law.competitive() else [f"the signs of the influences, at {_SAMPLES} random states"]
    levels, jumps = [], []
    edges: dict[int, set[int]] = {i: set() for i in range(n)}
    all_levels, all_jumps = law.known, law.known
    for i in range(n):
        zeros = _alone(fun, when, i, n, top)
        all_levels = all_levels and law.all_levels(i, [level for level, _ in zeros])
        levels.append(tuple(level for level, falls in zeros if falls))
        for level in levels[-1]:
            for j in range(n):
                if j == i:
                    continue
                rate = _growth(fun, when, i, j, n, level, _TINY * top)
                all_jumps = all_jumps and law.takes_over(i, j, level) is (rate > _GROWS)
                if rate > _GROWS:
                    jumps.append(JumpEdge(i, j, level, rate))
                    edges[i].add(j)
    if not all_levels:
        sampled.append(f"the levels of each cell alone, at {_GRID - 1:,} activities")
    if not all_jumps:
        sampled.append(f"the growth of each other cell there, at {_TINY:g} of the largest activity")
    try:
        # Two cells each of which grows where the other is alone stay together: that is no circle of winners.
        TopologicalSorter({i: {j for j in edges[i] if i not in edges[j]} for i in edges}).prepare()
        circle: tuple[int, ...] = ()
    except CycleError as error:
        circle = tuple(error.args[1])[::-1]
    return JumpGraph(n, tuple(levels), tuple(jumps), circle, max(excitation, 0.0), tuple(sampled))


def _excitation(fun: LinearRates, when: float, n: int, top: float) -> float:
    """Return the largest d(dx_i/dt)/dx_j at random states; refuse a law by which a cell does not stay at 0."""
    random = np.random.default_rng(0)
    excitation = -np.inf
    for _ in range(_SAMPLES):
        u = random.uniform(0.0, top, n) * (random.uniform(size=n) < 0.7)
        silent = np.where(u == 0.0, np.abs(fun(when, u)), 0.0)
        if silent.max() > 1e-12 * max(1.0, top):
            _refuse_at_0(int(silent.argmax()), silent.max())
        J = fun.jacobian(when, u)
        scale = float(np.max(np.abs(J))) or 1.0
        np.fill_diagonal(J, -np.inf)
        excitation = max(excitation, float(np.max(J)) if float(np.max(J)) > _EXACT * scale else 0.0)
    return excitation


def _refuse_at_0(cell: int, rate: float) -> None:
    raise InputError(
        f"jump_graph: cell {cell} does not stay at 0 (dx/dt = {rate:.4g}): its law is not a(x) M(x) with a = 0 at x = 0"
    )


def _alone(fun: RateFunction, when: float, i: int, n: int, top: float) -> list[tuple[float, bool]]:
    """Return the levels above 0 of one cell alone, and of each whether it is stable: whether the rate falls there."""
    from scipy.optimize import brentq

    def rate(x: float) -> float:
        u = np.zeros(n)
        u[i] = x
        return float(fun(when, u)[i])

    grid = np.linspace(0.0, top * (1.0 + 1e-9), _GRID)[1:]
    values = np.array([rate(x) for x in grid])
    falls = (values[:-1] > 0.0) & (values[1:] <= 0.0)
    rises = (values[:-1] <= 0.0) & (values[1:] > 0.0)
    return [
        (float(brentq(rate, grid[k], grid[k + 1], xtol=1e-15 * top, rtol=1e-14)), bool(falls[k]))
        for k in np.flatnonzero(falls | rises)
    ]


def _growth(fun: RateFunction, when: float, i: int, j: int, n: int, level: float, tiny: float) -> float:
    """Return M_j, the growth rate of cell j where i is alone."""
    u = np.zeros(n)
    u[i], u[j] = level, tiny
    return float(fun(when, u)[j]) / tiny
