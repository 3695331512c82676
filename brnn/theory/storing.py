"""What a recurrent competitive field stores from a given initial state, and by which theorem.

`storage` never guesses. Where a theorem (or a condition derived below) settles the final state it
is returned; where it is not settled by the initial state alone the answer is None, with what is
known in words.

Besides the theorems it uses, for the field (21) with I = J = 0 and f(0) = 0:

- *Quenching.* If B h(0) < A and the total x(0) is below the smallest root of (25), everything is
  quenched: with h below A/(B - w) up to that root, ``sum f(x_k) <= x max_{w <= x} h(w)`` gives
  ``dx/dt <= x [-A + (B - x) max h] < 0``. `brnn.theory.quenching.quenches` is a second condition.
- *Ignition, faster than linear.* If the largest cell grows at the start, it grows for ever
  (`brnn.theory.quenching.ignites`), so it wins and ends at a root of (25) above its start.
- *A linear stretch of f* (h = C between x1 and x2, below C elsewhere, rising up to x1). Let P be
  the cells at x1 or above, x_P their total, Q the others, S_Q their summed signal, m the largest of
  them, K = B - A/C, all at the start, and L = min(x_P, K - S_Q/C). If every cell of P has x_i/x_P
  >= x1/L and <= x2/max(x_P, K), and if B h(m) - A < C L, then P is stored, with its ratios, with
  the total K, and Q is quenched. For as long as P stays within the stretch its cells have one
  growth rate, ``dx_P/dt = x_P (C K - C x_P - S_Q)``; so x_P never falls below L while Q falls; and
  Q falls, because S >= C L is above its best rate. If the cells of Q are equal, it is enough that
  they fall at the start (`brnn.theory.quenching`, argument for the smallest cell). A state that
  starts within the stretch with a total above K keeps its ratios until its smallest cell comes to
  x1, and is looked at there.

Sources: Grossberg (1973), Stud. Appl. Math. 52, 213-257; review, section on recurrent competitive
fields. The conditions above are derived here.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.signals.enclosed import enclosable, enclosed, shape_is_known
from brnn.theory.certain import flat_stretch, holds_between
from brnn.theory.liapunov_functions.signal import SignalFunction
from brnn.theory.quenching import ignites, quenches
from brnn.theory.survivors import equilibria, modes, most_survivors

__all__ = ["Storage", "storage"]

_SOURCE = "Grossberg (1973), Stud. Appl. Math. 52, 213-257"
_EQUAL = 1e-12
_SAMPLED = " (as far as samples of this signal tell)"


@dataclasses.dataclass(frozen=True, eq=False)
class Storage:
    """What theory says about the state that is stored.

    Attributes
    ----------
    shape : str
        Kind of the signal on [0, B].
    theorem : str
        What applies, in words.
    possible : tuple of ndarray
        The final states that theory allows, each of the shape of the initial state: one if the final
        state is determined; two where only the choice between a winner and quenching is open; none
        if theory does not narrow it down to a few.
    most : int
        The greatest number of cells that can be stored stably.
    source : str
        Where the theorem is published.
    """

    shape: str
    theorem: str
    possible: tuple[np.ndarray, ...]
    most: int
    source: str = _SOURCE

    @property
    def final(self) -> np.ndarray | None:
        """The stored activities; None if theory does not determine them."""
        return self.possible[0] if len(self.possible) == 1 else None

    @property
    def total(self) -> float | None:
        """Total stored activity, or None."""
        return None if self.final is None else float(self.final.sum())

    @property
    def stored(self) -> np.ndarray | None:
        """Which cells are stored (boolean), or None."""
        return None if self.final is None else self.final > 0

    def __repr__(self) -> str:
        total = "not determined" if self.total is None else f"{self.total:.8g}"
        return f"Storage({self.theorem}; final total {total}; at most {self.most} stored)"


def storage(A: float, B: float, signal: SignalFunction, initial: Any) -> Storage:
    """Say what the field (21) without inputs stores from an initial state.

    Parameters
    ----------
    A, B : float
        Decay rate and upper bound, > 0.
    signal : signal
        f, with f(0) = 0.
    initial : array
        Activities at time 0, between 0 and B, of any shape.

    Returns
    -------
    Storage

    Raises
    ------
    InputError
        If an activity is outside [0, B] or not a number.
    """
    initial = np.asarray(initial, dtype=np.float64)
    if initial.size == 0 or not ((initial >= 0) & (initial <= B)).all():
        raise InputError(f"initial: must have activities between 0 and B = {B:g}")
    x = initial.ravel()
    shape = signal.shape(B)
    most = most_survivors(A, B, signal, x.size)
    if float(signal(0.0)) != 0.0:
        words = "f(0) is not 0: silent cells excite themselves, and the theorems do not apply"
        return Storage(shape, words, (), most)
    known = _quenched(A, B, signal, x)
    certain = known is not None
    known = known or _equal(A, B, signal, x) or _linear_stretch(A, B, signal, x)
    if known is None and shape == "slower-than-linear":
        known = _slower(A, B, signal, x)
    if known is None and shape == "faster-than-linear":
        known = _faster(A, B, signal, x)
    if known is None:
        known = _UNDECIDED.get(shape, _UNDECIDED["mixed"]).format(most=most), ()
    words, states = known
    if not (certain or shape_is_known(signal)):
        words += _SAMPLED
    return Storage(shape, words, tuple(state.reshape(initial.shape) for state in states), most)


_OPEN = (
    "faster-than-linear signal: the largest activity wins, at the upper root E2 of h(x) = A/(B - x), "
    "or everything is quenched; which of the two is decided before contrast is complete and has no closed form"
)
_UNDECIDED = {
    "linear": "linear signal: the pattern is stored unchanged",
    "slower-than-linear": "slower-than-linear signal: differences die out where h falls; "
    "part of the state is where h is flat",
    "faster-than-linear": "faster-than-linear signal: the largest activity wins or everything is quenched; here the "
    "largest are equally strong, which is unstable, or the activities come to where f is linear",
    "sigmoid": "sigmoid signal: a quenching threshold; order is kept, cells below it are quenched; "
    "at most {most} can be stored, with equal activities unless f is linear there; which cells has no closed form here",
    "mixed": "the hill function has several rises and falls: order is kept and the field converges; "
    "at most {most} equal cells can be stored; which cells has no closed form here",
}

Known = tuple[str, tuple[np.ndarray, ...]] | None


def _quenched(A: float, B: float, signal: SignalFunction, x: np.ndarray) -> Known:
    if not x.any():
        return "no cell is active, and 0 is an equilibrium", (np.zeros_like(x),)
    at_zero = B * float(signal.hill(0.0))
    if at_zero <= A:
        roots = equilibria(A, B, signal)
        if not roots:
            words = "h(x) = A/(B - x) has no root: nothing can be stored, everything is quenched"
            return words + _unless_certain(A, B, signal, B), (np.zeros_like(x),)
        if at_zero < A and x.sum() < roots[0].level * (1 - _EQUAL):
            words = f"noise suppression: the total activity is below the lowest equilibrium {roots[0].level:.6g}"
            return words + _unless_certain(A, B, signal, float(x.sum())), (np.zeros_like(x),)
    if quenches(x, A, B, signal):
        words = "noise suppression: no cell can grow, B h(w) < A for all activities"
        return words + ("" if enclosable(signal) else _SAMPLED), (np.zeros_like(x),)
    return None


def _unless_certain(A: float, B: float, signal: SignalFunction, top: float) -> str:
    """Return the reservation that belongs to "(B - w) h(w) < A up to `top`" where only samples say so."""
    if shape_is_known(signal):  # one turn at most, which is found
        return ""

    def below(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        return (B - low) * np.maximum(enclosed(signal, "quotient", low, high)[1], 0.0) < A

    return "" if enclosable(signal) and holds_between(below, top) else _SAMPLED


def _equal(A: float, B: float, signal: SignalFunction, x: np.ndarray) -> Known:
    """Return the limit of m equal cells beside silent ones, which stay equal: an equation in one variable."""
    active = x > 0
    start, m = float(x.max()), int(active.sum())
    if (x[active] != start).any():
        return None
    levels = equilibria(A, B, signal, survivors=m)
    rate = (B - m * start) * float(signal.hill(start)) - A
    here = [found.level for found in levels if abs(found.level - start) <= _EQUAL * start]
    if here:
        end = here[0]
    elif rate > 0:
        end = min((found.level for found in levels if found.level > start), default=0.0)
    else:
        end = max((found.level for found in levels if found.level < start), default=0.0)
    if end > 0 and m > 1 and modes(end, A, B, signal, survivors=m, n=x.size).difference > 0:
        return None  # true of exactly equal cells only; the smallest disturbance makes them differ
    words = f"{m} equal cells stay equal" if m > 1 else "one active cell"
    touched = next((found for found in levels if found.touches and found.level == end), None)
    where = (
        "the next stable root of (25)"
        if touched is None
        else (
            f"{end:.6g}, where two roots of (25) have become one: slower than any exponential, and left to the other "
            "side by the smallest disturbance"
        )
    )
    return f"{words}: the total obeys (24) and goes to {where}", (np.where(active, end, 0.0),)


def _linear_stretch(A: float, B: float, signal: SignalFunction, x: np.ndarray) -> Known:
    stretch = _flat_top(signal, B)
    if stretch is None:
        return None
    x1, x2, C = stretch
    K = B - A / C
    if K <= 0:
        return None
    active = x > 0
    least = float(x[active].min())
    if x1 > 0 and least >= x1 and x.max() <= x2 and x.sum() > K and least * K < x1 * x.sum():
        x = x * (x1 / least)  # the ratios stay until the smallest cell comes to x1
        below = active & (x <= x1 * (1 + _EQUAL))
    else:
        below = active & (x < x1)
    above = active & ~below
    if not above.any():
        return None
    in_above, silenced = float(x[above].sum()), np.asarray(signal(x[below]))
    lowest = min(in_above, K - float(silenced.sum()) / C)
    share = x[above] / in_above
    inside = lowest > 0 and share.min() * lowest >= x1 * (1 - _EQUAL)
    inside = inside and share.max() * max(in_above, K) <= x2 * (1 + _EQUAL)
    if below.any():
        m = float(x[below].max())
        drive = B * float(signal.hill(m)) - A
        alike = float(x[below].min()) >= m * (1 - _EQUAL)
        falls = drive < C * lowest or (alike and drive <= C * in_above + float(silenced.sum()))
        inside = inside and falls
    if not inside:
        return None
    final = np.where(above, x * (K / in_above), 0.0)
    if x1 == 0.0:
        return f"linear signal: every pattern is stored unchanged, with the total B - A/C = {K:.6g}", (final,)
    words = (
        f"linear stretch of f from {x1:.6g} on: the cells above it are stored with their ratios and the total "
        f"B - A/C = {K:.6g}, the others are quenched; no stored relative activity is below the QT {x1 / K:.6g}"
    )
    return words, (final,)


def _slower(A: float, B: float, signal: SignalFunction, x: np.ndarray) -> Known:
    active = x > 0
    m = int(active.sum())
    levels = equilibria(A, B, signal, survivors=m)
    if not levels:
        return "slower-than-linear signal with B h(0) <= A: nothing is stored", (np.zeros_like(x),)
    u = levels[-1].level
    stretch = flat_stretch(signal, B)
    if shape_is_known(signal):
        flat = stretch is not None and u <= stretch[1] * (1 + _EQUAL)
    else:
        flat = not float(signal.hill(u)) < float(signal.hill(1e-6 * u)) * (1 - 1e-9)
    if flat:
        return None  # h is flat up to here: f is linear where it matters
    return "slower-than-linear signal: every pattern becomes uniform", (np.where(active, u, 0.0),)


def _faster(A: float, B: float, signal: SignalFunction, x: np.ndarray) -> Known:
    """Return the winner's state if it ignites; otherwise it and quenching, between which the choice is open."""
    order = np.argsort(x, kind="stable")
    first, second = float(x[order[-1]]), float(x[order[-2]])  # one cell alone has been decided by _equal
    if not float(signal.hill(first)) > float(signal.hill(second)):
        return None
    levels = [found.level for found in equilibria(A, B, signal) if found.stable or found.touches]
    winner = np.arange(x.size) == order[-1]
    at_zero = float(signal.hill(0.0))
    if ignites(x, A, B, signal):
        levels = [level for level in levels if level >= first * (1 - _EQUAL)]
    elif B * at_zero <= A:
        return _OPEN, (np.zeros_like(x), *(np.where(winner, level, 0.0) for level in levels))
    elif not float(signal.hill(1e-6 * B)) > at_zero * (1 + _EQUAL):
        return None  # f begins with a linear stretch, on which the whole pattern can be stored
    words = (
        "faster-than-linear signal: the largest activity wins and is stored at the upper root E2 of h(x) = A/(B - x)"
    )
    return words, tuple(np.where(winner, level, 0.0) for level in levels)


def _flat_top(signal: SignalFunction, B: float) -> tuple[float, float, float] | None:
    """Return (x1, x2, C): h = C on [x1, x2] and rises up to x1; None without a flat top of h."""
    if shape_is_known(signal):
        stretch = flat_stretch(signal, B)
        return None if stretch is None else (*stretch, float(signal.hill(0.5 * stretch[1])))
    grid = np.linspace(0.0, B, 4001)[1:]
    h = np.asarray(signal.hill(grid))
    C = float(h.max())
    if not (np.isfinite(C) and C > 0):
        return None
    level = C * (1.0 - 1e-12)
    flat = np.flatnonzero(h >= level)
    first, last = int(flat[0]), int(flat[-1])
    rising = bool((np.diff(h[: first + 1]) >= -1e-13 * C).all())
    if last - first < 20 or len(flat) != last - first + 1 or not rising:
        return None
    x1 = _edge(signal, level, float(grid[first - 1]) if first else 0.0, float(grid[first]))
    x2 = _edge(signal, level, float(grid[last + 1]), float(grid[last])) if last + 1 < len(grid) else B
    return x1, x2, C


def _edge(signal: SignalFunction, level: float, outside: float, inside: float) -> float:
    """Return, by bisection, where h reaches `level`; 0 if it does so from the beginning."""
    if outside == 0.0 and float(signal.hill(1e-9 * inside)) >= level:
        return 0.0
    for _ in range(100):
        middle = 0.5 * (outside + inside)
        if float(signal.hill(middle)) >= level:
            inside = middle
        else:
            outside = middle
    return inside
