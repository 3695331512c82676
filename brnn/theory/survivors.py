"""Which states a recurrent competitive field can hold, and which of them are stable.

The field of n cells, with its recurrent inhibition scaled by v (v = 1 is (21) with I = J = 0), is

    dx_i/dt = -A x_i + (B - x_i) f(x_i) - v x_i sum_{k != i} f(x_k)  =  x_i [H(x_i) - A - v S]

with S = sum_k f(x_k), the hill function h(w) = f(w)/w and ``H(w) = [B - (1 - v) w] h(w)``, which is
B h(w) for v = 1. So at an equilibrium every active cell has the same H(x_i) = A + v S, and k equal
survivors beside silent cells hold a level u that solves

    [B - m u] h(u) = A,     m = 1 + v (k - 1)        (k = 1 is (25), h(u) = A/(B - u))

on 0 < u < B/m. Its stability follows from the Jacobian at that state, which has three different
eigenvalues:

    difference   u H'(u)                    one survivor against another, k - 1 times
    common       u H'(u) - v k u f'(u)      all survivors together, once
    silent       B h(0) - H(u)              a silent cell, n - k times

Derivation: d/dx_j of x_i [H(x_i) - A - v S] is delta_ij x_i H'(x_i) - v x_i f'(x_j) for an active
cell i (its bracket is 0), and delta_ij [H(0) - A - v S] for a silent one, H(0) = B h(0). The common
mode is stable exactly where [B - m u] h(u) falls.

A state whose survivors are not equal has levels on both sides of a maximum of H (or on a flat
stretch of it). At most one survivor can be where H rises: J = diag(x) [diag(H'/f') - v 1 1^T]
diag(f') is stable only if diag(-H'/f') + v 1 1^T is positive definite, and adding one positive
rank-one matrix repairs one negative direction at most.

Source: Grossberg (1973), Stud. Appl. Math. 52, 213-257; review, equations (21)-(25). The
eigenvalues, the factor m and the limit of `most_survivors` are derived here.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.signals.enclosed import shape_is_known, top_of_hill
from brnn.theory.certain import flat_stretch
from brnn.theory.liapunov_functions.signal import SignalFunction

__all__ = ["Modes", "SurvivorLevel", "equilibria", "hill_of_field", "jacobian", "modes", "most_survivors", "velocity"]

_FLAT = 1e-9  # |w h'| below this times h counts as a flat hill, of a signal of which it is not known
_TOUCHES = 4.0 * float(np.finfo(float).eps)  # of A; what [B - m u] h(u) - A is where rounding cannot tell it from 0
_FAR = 708.0  # exp(-t) is a number up to here


@dataclasses.dataclass(frozen=True)
class SurvivorLevel:
    """A level that equal survivors can hold.

    Attributes
    ----------
    level : float
        Activity u of each survivor.
    stable : bool
        Whether u is approached from both sides when the survivors move together.
    jump : bool
        True where f jumps up across the curve A/(B - m u): no equilibrium, but it separates as an
        unstable one does.
    touches : bool
        True where two levels have become one: approached from one side only.
    """

    level: float
    stable: bool
    jump: bool = False
    touches: bool = False


@dataclasses.dataclass(frozen=True)
class Modes:
    """The eigenvalues of the Jacobian at k equal survivors of n cells; NaN for a mode that does not exist.

    Attributes
    ----------
    difference : float
        A survivor against the others (k >= 2).
    common : float
        All survivors together.
    silent : float
        A silent cell (n > k).
    """

    difference: float
    common: float
    silent: float

    @property
    def largest(self) -> float:
        """The largest eigenvalue."""
        return max(value for value in (self.difference, self.common, self.silent) if not math.isnan(value))

    @property
    def stable(self) -> bool:
        """Whether every small disturbance dies out; false on a flat hill, where differences stay."""
        return self.largest < 0


def velocity(x: np.ndarray, A: float, B: float, signal: SignalFunction, inhibition: float = 1.0) -> np.ndarray:
    """Return dx/dt of the field without inputs, shape (n,), as written at the top of this module."""
    f = signal(x)
    return -A * x + (B - x) * f - inhibition * x * (f.sum() - f)


def jacobian(x: Any, A: float, B: float, signal: SignalFunction, inhibition: float = 1.0) -> np.ndarray:
    """Return the Jacobian of `velocity` at any state x, shape (n, n).

    ``J_ij = -v x_i f'(x_j)`` for j != i, and ``J_ii = -A - f(x_i) + (B - x_i) f'(x_i) - v sum_{k !=
    i} f(x_k)``.
    """
    x = np.asarray(x, dtype=np.float64)
    f, slope = signal(x), signal.derivative(x)
    result = -inhibition * np.outer(x, slope)
    np.fill_diagonal(result, -A - f + (B - x) * slope - inhibition * (f.sum() - f))
    return result


def hill_of_field(w: Any, B: float, signal: SignalFunction, inhibition: float = 1.0) -> Any:
    """Return ``H(w) = [B - (1 - v) w] h(w)``, which is equal at all survivors; B h(w) for v = 1."""
    return (B - (1.0 - inhibition) * w) * signal.hill(w)


def equilibria(
    A: float, B: float, signal: SignalFunction, *, survivors: int = 1, inhibition: float = 1.0
) -> tuple[SurvivorLevel, ...]:
    """Return all levels of k equal survivors, in rising order.

    They are the roots of ``[B - m u] h(u) = A`` on (0, B/m), m = 1 + v (k - 1). With one survivor
    these are the solutions of (25), the total activities that the field can hold at late times
    ("total activity quantization"). Those that do not touch are alternately unstable and stable; 0 comes
    before them, and is stable if B h(0) < A and unstable if B h(0) > A.

    Parameters
    ----------
    A, B : float
        Decay rate and upper bound, > 0.
    signal : signal
        f.
    survivors : int
        k >= 1.
    inhibition : float
        v >= 0.

    Notes
    -----
    Roots are bracketed in a variable t that resolves both ends, ``u = E/(1 + exp(-t))`` with E = B/m, on many thousand
    points and every local extremum between them, refined, so that a pair of roots between two points is not lost. The
    signs at both ends, B h(0) - A and -A, are part of it: a root below the smallest number that there is appears at
    that number. A root that touches, where both sides have one sign, is half-stable: approached from one side, left to
    the other. It is reported where rounding cannot tell the extremum from 0.
    """
    _check(A, B, survivors, inhibition)
    m = 1.0 + inhibition * (survivors - 1)
    end = B / m

    def excess(t: Any) -> Any:
        u, gap = _place(t, end)
        return m * gap * signal.hill(u) - A

    def slope(t: Any) -> Any:  # of it, times u/m
        u, gap = _place(t, end)
        h = signal.hill(u)
        return gap * (signal.derivative(u) - h) - u * h

    with np.errstate(all="ignore"):
        grid = np.union1d(_TWO_ENDS, _turns(slope, _TWO_ENDS))
        values = np.asarray(excess(grid))
        at_zero = B * float(signal.hill(0.0)) - A
    known = ~np.isnan(values)
    grid, values = grid[known], values[known]
    values[np.abs(values) <= _TOUCHES * A] = 0.0
    grid = np.concatenate([[-np.inf], grid, [np.inf]])
    values = np.concatenate([[values[0] if math.isnan(at_zero) else at_zero], values, [-A]])
    signs = np.sign(values)
    found = []
    places = np.flatnonzero(signs != 0)  # what lies between two of these is all on the curve, or nothing is
    eventful = (np.diff(signs[places]) != 0) | (np.diff(places) > 1)  # few of many thousand
    for k, after in zip(places[:-1][eventful].tolist(), places[1:][eventful].tolist(), strict=True):
        low, high = float(grid[k]), float(grid[after])
        crosses, stable = signs[k] != signs[after], bool(signs[after] < 0)
        if after == k + 1:
            if crosses:
                level, jump = _root(lambda u, gap: m * gap * float(signal.hill(u)) - A, low, high, end, A)
                found.append(SurvivorLevel(level, stable, jump))
        else:
            inside = grid[k + 1 : after]
            level = float(_place(inside[np.argmin(np.abs(slope(inside)))], end)[0])
            found.append(SurvivorLevel(level, bool(crosses and stable), touches=bool(not crosses)))
    return tuple(found)


def modes(
    level: float, A: float, B: float, signal: SignalFunction, *, survivors: int, n: int, inhibition: float = 1.0
) -> Modes:
    """Return the eigenvalues of the Jacobian where `survivors` of n cells hold `level`, the others 0.

    The level has to be one of `equilibria` with the same arguments; the formulas are at the top of
    this module.
    """
    _check(A, B, survivors, inhibition)
    if n < survivors:
        raise InputError(f"n = {n}: must be at least the number of survivors, {survivors}")
    u = float(level)
    h, slope = float(signal.hill(u)), float(signal.derivative(u))
    bend = slope - h  # u h'(u)
    if abs(bend) < _FLAT * h and _may_be_flat(signal, u):
        bend = 0.0
    difference = (B - (1.0 - inhibition) * u) * bend - (1.0 - inhibition) * u * h
    return Modes(
        difference=difference if survivors > 1 else math.nan,
        common=difference - inhibition * survivors * u * slope,
        silent=B * float(signal.hill(0.0)) - (B - (1.0 - inhibition) * u) * h if n > survivors else math.nan,
    )


def most_survivors(A: float, B: float, signal: SignalFunction, n: int, *, inhibition: float = 1.0) -> int:
    """Return the greatest number k <= n of equal cells that the field can store; 0 if it can store none.

    Two or more equal survivors are stable only on a falling side of H, and not below H(0) if a cell
    is silent. There the level falls as k grows: by ``[B - m u] h(u) = A`` the level u belongs to
    ``m(u) = [B - A/h(u)]/u``, which falls wherever H does. So the bound is the value at the top w
    of the hill H,

        k < 1 + [m(w) - 1]/v,     for v = 1:  k < [B - A/h(w)]/w.

    For f = G w^2/(F + w^2) and v = 1 the top is sqrt(F), and k < B/sqrt(F) - 2A/G. On a flat
    stretch of H (v = 1, and f linear there) differences neither grow nor die, and such states count
    as stored.
    """
    _check(A, B, 1, inhibition)
    single = _holds(1, A, B, signal, n, inhibition)
    if n == 1 or inhibition == 0.0:  # without inhibition the cells do not know of each other
        return n if single else 0

    def fall_at(w: Any) -> Any:  # w H'(w)
        h, slope = np.asarray(signal.hill(w)), np.asarray(signal.derivative(w))
        return (B - (1.0 - inhibition) * w) * (slope - h) - (1.0 - inhibition) * w * h

    with np.errstate(all="ignore"):
        grid = np.unique(_place(_TWO_ENDS, B)[0])
        grid = np.union1d(grid, _turns(fall_at, grid))
        h, fall = np.asarray(signal.hill(grid)), fall_at(grid)
        count = 1.0 + ((B - A / h) / grid - 1.0) / inhibition
    usable = (h > 0) & (fall <= _FLAT * B * h) & (count > 1.0)
    begins = np.flatnonzero(usable & ~np.append(False, usable[:-1]))  # where each falling stretch begins
    bounds = np.floor(np.minimum(count[begins], n)).astype(np.int64)
    near = {int(bound) + step for bound in bounds for step in (-1, 0, 1)}
    for k in sorted(near | {n}, reverse=True):
        if 2 <= k <= n and _holds(k, A, B, signal, n, inhibition):
            return k
    return 1 if single else 0


def _holds(k: int, A: float, B: float, signal: SignalFunction, n: int, inhibition: float) -> bool:
    """Say whether k equal survivors of n cells can be stored."""
    for found in equilibria(A, B, signal, survivors=k, inhibition=inhibition):
        if found.jump or not found.stable:
            continue
        u = found.level
        mode = modes(u, A, B, signal, survivors=k, n=n, inhibition=inhibition)
        top = float(hill_of_field(u, B, signal, inhibition))
        sides = np.asarray(hill_of_field(np.array([u * (1 - 1e-3), u * (1 + 1e-3)]), B, signal, inhibition))
        flat = _may_be_flat(signal, u) and bool((np.abs(sides - top) <= 1e-11 * top).all())
        differences_die = k == 1 or flat or mode.difference < -_FLAT * top
        if inhibition == 1.0 and shape_is_known(signal) and not math.isnan(top_of_hill(signal)):
            differences_die |= u > top_of_hill(signal) * (1.0 + _FLAT)  # h falls, however slowly
        if differences_die and (n == k or mode.silent <= _FLAT * top):
            return True
    return False


def _may_be_flat(signal: SignalFunction, u: float) -> bool:
    """Say whether the hill may be flat at u; with an exponent next to 1 it is nearly so, which decides in the end."""
    if not shape_is_known(signal):
        return True
    stretch = flat_stretch(signal, math.inf)
    return stretch is not None and u <= stretch[1] * (1.0 + _FLAT)


def _check(A: float, B: float, survivors: int, inhibition: float) -> None:
    for name, value in (("A", A), ("B", B)):
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{name} = {value}: must be a finite number > 0")
    if survivors < 1 or survivors != int(survivors):
        raise InputError(f"survivors = {survivors}: must be a whole number >= 1")
    if not (math.isfinite(inhibition) and inhibition >= 0):
        raise InputError(f"inhibition = {inhibition}: must be a finite number >= 0")


def _place(t: Any, end: float) -> tuple[Any, Any]:
    """Return u = end/(1 + exp(-t)) and end - u, each to its last digits."""
    with np.errstate(over="ignore"):
        return end / (1.0 + np.exp(-t)), end / (1.0 + np.exp(t))


def _two_ends() -> np.ndarray:
    """Return values of t: even steps of u, fine steps of t where u is not very near an end, coarse ones beyond."""
    even = np.linspace(0.0, 1.0, 4002)[1:-1]
    fine = np.arange(-30.0, 30.0, 0.02)
    return np.unique(np.concatenate([np.log(even / (1.0 - even)), fine, np.linspace(-_FAR, _FAR, 7081)]))


_TWO_ENDS = _two_ends()


def _turns(slope: Callable[[Any], Any], grid: np.ndarray) -> np.ndarray:
    """Return every place, to its last digits, where a function with this slope turns between points of a grid."""
    from scipy.optimize import brentq

    with np.errstate(all="ignore"):
        values = np.asarray(slope(grid))
        return np.array(
            [
                float(brentq(lambda w: float(slope(w)), grid[k], grid[k + 1], xtol=5e-324, rtol=1e-15, maxiter=2000))
                for k in np.flatnonzero(values[:-1] * values[1:] < 0.0)
            ]
        )


def _root(
    function: Callable[[float, float], float], low: float, high: float, end: float, scale: float
) -> tuple[float, bool]:
    """Return the level u, between two values of t, at which a function of u and end - u changes sign, and if it jumps.

    It is looked for in u or in end - u, whichever is smaller, to its last digits.
    """
    from scipy.optimize import brentq

    def by_level(u: float) -> float:
        return function(u, end - u)

    def by_gap(gap: float) -> float:
        return function(end - gap, gap)

    side = by_level if low + high < 0.0 else by_gap
    ends = sorted(float(_place(t, end)[0 if side is by_level else 1]) for t in (low, high))
    least = float(np.nextafter(0.0, 1.0))
    if ends[0] == 0.0 and side(least) * side(ends[1]) > 0.0:
        return (least if side is by_level else end), False
    where = float(brentq(side, max(ends[0], least), ends[1], xtol=5e-324, rtol=1e-15, maxiter=2000))
    width = 1e-9 * ends[1]
    around = (max(ends[0], where - width), min(ends[1], where + width))
    jump = min(abs(side(v)) for v in around) > 1e-4 * scale
    return (where if side is by_level else end - where), jump
