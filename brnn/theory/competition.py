"""Competitive systems (26)-(28): jump sets, the voting paradox, and a market that finds its price.

In a competitive system dx_i/dt = a_i(x) M_i(x), df_i/dx_j <= 0 for j != i, the cell with the largest M_i is the one
that wins at the moment; a jump is a change of the winner. If jumps must end, competition decides; if they go on in a
cycle, it does not (Grossberg 1978, J. Math. Anal. Appl. 66, 470-493).

The voting paradox is the system of May and Leonard with three species, in the general form of Chi, Hsu and Wu,

    dx_i/dt = x_i (1 - x_i - a_i x_{i+1} - b_i x_{i-1}),   0 < a_i < 1 < b_i, indices modulo 3.

Of each two species one wins (i + 1 loses against i: b_{i+1} > 1, a_i < 1), but among the three each loses against one.

- prod(1 - a_i) > prod(b_i - 1): all three coexist at the interior point c x = 1.
- prod(1 - a_i) = prod(b_i - 1): neutral periodic orbits; for equal a and b, a + b = 2, x1 x2 x3/(x1 + x2 + x3)^3 is
  constant along every orbit.
- prod(1 - a_i) < prod(b_i - 1): the winner changes for ever, i -> i - 1 -> i - 2 ..., and each dwell time is longer.

Why: where x_i is near 1 and the others near 0, i - 1 is the only one that grows, with M = 1 - a_{i-1}: it wins, and
will be the next to be near 1. Before it wins it falls with M = 1 - b_{i-1}, for the whole dwell time of the winner
before it (i). What it then has lost it must regain. So the dwell time of each i is that of i + 1 before it, times
(b_i - 1)/(1 - a_i).

Source: May and Leonard (1975), SIAM J. Appl. Math. 29, 243-253; Chi, Hsu and Wu (1998), SIAM J. Appl. Math. 58,
211-234; Grossberg (1978); review, (26)-(28).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from brnn.errors import InputError

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = [
    "Jump",
    "Jumps",
    "community_matrix",
    "cycle_factor",
    "dwell_factors",
    "growth_rates",
    "interior_eigenvalues",
    "interior_point",
    "jumps",
    "market_equilibrium",
]


class Jump(NamedTuple):
    """The winner is `winner` from `time` on."""

    time: float
    winner: int


class Jumps(NamedTuple):
    """The winners of a run and how long each of them was one.

    Attributes
    ----------
    jumps : list of Jump
        The first is the winner at the first time, which is no jump.
    dwell : array, shape (len(jumps) - 1,)
        Time from each jump to the next; the last winner's has no end.
    """

    jumps: list[Jump]
    dwell: np.ndarray

    @property
    def winners(self) -> list[int]:
        """The winners in their order."""
        return [jump.winner for jump in self.jumps]


def jumps(run: Result | Any, rates: Any | Callable[[np.ndarray], Any], margin: float = 0.0) -> Jumps:
    """Return who wins max_i M_i, from when on, and for how long.

    Parameters
    ----------
    run : Result or array, shape (times,)
        A run of a network whose first layer is the competitive system, or times that rise.
    rates : array, shape (times, cells), or callable
        M_i at these times; of a Result also a function of its activities, shape (times, cells).
    margin : float, >= 0
        A cell must lead by more than this to take over, which keeps rounding at a tie from counting as jumps.

    Returns
    -------
    Jumps
        Between two times the rates are straight lines; a cell that wins only between two times is seen if these lines
        show it. Equal rates are no reason to jump.

    Raises
    ------
    InputError
        If shapes do not fit, times do not rise, or a rate is not finite.
    """
    if hasattr(run, "network"):
        array = run[f"{run.network.layers[0].name}.x"]
        times = np.asarray(array["time"], dtype=np.float64)
        M = np.asarray(rates(array.values.reshape(times.size, -1)) if callable(rates) else rates, dtype=np.float64)
    else:
        times, M = np.asarray(run, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    if times.ndim != 1 or M.ndim != 2 or len(M) != times.size or M.size == 0:
        raise InputError(f"jumps: rates have shape {M.shape}, must be (times, cells) for {times.shape} times")
    if not (np.isfinite(times).all() and np.isfinite(M).all()):
        raise InputError("jumps: every time and every rate must be finite")
    if (np.diff(times) <= 0).any():
        raise InputError("jumps: times must rise")
    winner = int(M[0].argmax())
    found = [Jump(float(times[0]), winner)]
    k = 0
    best = M.max(axis=1)
    while True:
        beaten = np.flatnonzero(M[k:, winner] < best[k:] - margin)
        if beaten.size == 0:
            break
        k += int(beaten[0])  # at time k another one has won
        for place, cell in _overtaken(M[k - 1], M[k], winner):
            jump = Jump(float(times[k - 1] + place * (times[k] - times[k - 1])), cell)
            if jump.time <= found[-1].time:  # the one before won at a tie only
                found.pop()
            found.append(jump)
        winner = found[-1].winner
    return Jumps(found, np.diff([jump.time for jump in found]))


def _overtaken(before: np.ndarray, after: np.ndarray, winner: int) -> list[tuple[float, int]]:
    """Return where, on straight lines from `before` to `after`, the largest one changes, and to whom."""
    found = []
    place, slopes = 0.0, after - before
    while after[winner] < after.max():
        faster = np.flatnonzero(slopes > slopes[winner])
        if faster.size == 0:  # the lines are parallel but for rounding
            found.append((1.0, int(after.argmax())))
            break
        lead = before[winner] - before[faster]
        at = np.maximum(lead / (slopes[faster] - slopes[winner]), place)
        first = at.min()
        ties = faster[at <= first]
        winner = int(ties[slopes[ties].argmax()])  # of those that overtake together, the one that leads afterwards
        place = float(first)
        found.append((place, winner))
    return found


def community_matrix(a: Any, b: Any) -> np.ndarray:
    """Return c of dx_i/dt = x_i (1 - sum_j c_ij x_j): 1 on the diagonal, a_i for i + 1, b_i for i - 1, shape (3, 3).

    Parameters
    ----------
    a, b : float or array, shape (3,)
        See the module's docstring.
    """
    first, second = (np.broadcast_to(np.asarray(value, dtype=np.float64), (3,)) for value in (a, b))
    c = np.eye(3)
    for i in range(3):
        c[i, (i + 1) % 3] = first[i]
        c[i, (i - 1) % 3] = second[i]
    return c


def growth_rates(x: Any, c: Any, supply: Any = 1.0) -> np.ndarray:
    """Return M_i = supply_i - sum_j c_ij x_j at activities x, shape (..., n)."""
    return np.asarray(supply - np.asarray(x, dtype=np.float64) @ np.asarray(c, dtype=np.float64).T)


def interior_point(a: Any, b: Any) -> np.ndarray:
    """Return the equilibrium with all three species, c x = 1; every x_i is 1/(1 + a + b) if a and b are numbers."""
    return np.linalg.solve(community_matrix(a, b), np.ones(3))


def interior_eigenvalues(a: float, b: float) -> np.ndarray:
    """Return the eigenvalues of the Jacobian at the interior point, for equal a and b: -1 and a complex pair.

    The pair is ``((a + b)/2 - 1 +- i (sqrt 3/2) |a - b|)/(1 + a + b)``: the point is stable if a + b < 2.
    """
    pair = (0.5 * (a + b) - 1.0 + 0.5j * np.sqrt(3.0) * abs(a - b)) / (1.0 + a + b)
    return np.array([-1.0 + 0.0j, pair, np.conj(pair)])


def dwell_factors(a: Any, b: Any) -> np.ndarray:
    """Return, for each species, the limit of its dwell time divided by the one before, shape (3,).

    ``(b_i - 1)/(1 - a_i)`` for the dwell time of species i as the one with the largest growth rate; see the module's
    docstring.
    """
    first, second = (np.broadcast_to(np.asarray(value, dtype=np.float64), (3,)) for value in (a, b))
    if (first >= 1.0).any() or (second <= 1.0).any():
        raise InputError("dwell_factors: a jump cycle needs a < 1 < b for each species")
    return (second - 1.0) / (1.0 - first)


def cycle_factor(a: Any, b: Any) -> float:
    """Return the limit by which dwell times grow in a whole cycle of three: prod(b_i - 1)/prod(1 - a_i)."""
    return float(np.prod(dwell_factors(a, b)))


def market_equilibrium(costs: Any, top: float, demand: float, rise: float) -> tuple[float, np.ndarray]:
    """Return the price and the productions at which a competitive market comes to rest.

    Firm i produces x_i at unit cost ``costs_i + rise x_i`` and sees the price ``p = top - demand sum_j x_j``. A firm
    produces where its unit cost is the price, or not at all if even its first unit costs more:
    ``x_i = max(p - costs_i, 0)/rise``. Together, ``p = (rise top + demand sum_S costs_i)/(rise + demand |S|)``, S being
    the firms with costs_i < p, which are the cheapest ones.

    Parameters
    ----------
    costs : array, shape (firms,)
        Unit cost of the first unit.
    top : float
        Price at which nothing is sold.
    demand : float, > 0
        By how much each unit on the market lowers the price.
    rise : float, > 0
        By how much each unit raises the firm's own unit cost.

    Returns
    -------
    price : float
    production : ndarray, shape (firms,)
    """
    m = np.asarray(costs, dtype=np.float64)
    price = float(top)
    for k, cost in enumerate(np.sort(m)):
        if cost >= price:
            break
        price = float((rise * top + demand * np.sort(m)[: k + 1].sum()) / (rise + demand * (k + 1)))
    return price, np.maximum(price - m, 0.0) / rise
