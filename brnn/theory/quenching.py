"""The quenching threshold (QT) of a recurrent competitive field: closed forms, and an oracle.

**Where the QT is known in closed form.** Let f(w) = C w g(w), with g rising to 1 at x1 and g = 1
from x1 on, K = B - A/C, and v the factor of the recurrent inhibition (v = 1 is equation (21); the
equation with v stands in `brnn.theory.survivors`).

For v = 1 the QT on relative activity is x1/K (Grossberg 1973). What it says, exactly:

- In a stored pattern of several cells every one is at x1 or above and their total is K: h(x_i) is
  one constant, and below x1 it could only be that of equal cells, which are unstable there. So no
  stored relative activity is below x1/K, and at most K/x1 cells are stored.
- If all cells start at x1 or above with a total of K or more, the total falls to K and the ratios
  stay: cells with X_i(0) >= x1/K are all stored if there are no others. If the smallest cell has
  X_i(0) < x1/K it comes to x1 while S >= C K, and from then on it falls for ever. (The growth rate
  of cell k is b_k - S with b_k = B h(x_k) - A. Where S = b_q for the smallest cell q, the sum
  dS/dt = sum_k f'(x_k) x_k (b_k - S) has no negative term and b_q stands still, so that S - b_q
  cannot change its sign from plus to minus.)

**Arousal: inhibition scaled by v.** Scaling all recurrent inhibition down (an arousal signal that
inhibits the inhibitory interneurons) lowers the QT. On its linear stretch the growth rate of a cell
is now C [B - (1 - v) w] - A - v S, which no longer is the same for all: for v < 1 it falls with w,
so that survivors become equal in the end, and only for v = 1 are ratios kept for ever; for v > 1 it
rises, so that one winner remains. k equal survivors hold

    u = K / (1 + v (k - 1)),

they are stored while u > x1, and each has the relative activity 1/k. Eliminating k at u = x1,

    QT(v) = v x1 / [K - (1 - v) x1],          k < 1 + (K/x1 - 1)/v          (0 < v <= 1)

which is x1/K at v = 1 and falls steadily to 0 with v. That is the QT of stored states. (One further
survivor below x1, on the rising side, is possible in principle. For g(w) = w/x1 and B > 2 x1 every
such state is unstable: by the condition in `brnn.theory.survivors` it needs H'/f' < v at that cell,
and there H'/f' = B/(2 w) - (1 - v) > v.) Which cells of a given initial pattern survive at v < 1
has no closed form; `cell_threshold` measures it.

**Noise suppression.** `quenches` and `ignites` are sufficient conditions for the two fates of a
weak pattern. `noise_threshold` integrates until one of them is met, so that a bisection needs no
judgement about what counts as zero.

Sources: Grossberg (1973), Stud. Appl. Math. 52, 213-257, and review, section 4, for x1/K;
everything with v, and the arguments in brackets, are derived here. The integrations of this module
are of the equation as it is written, by SciPy alone.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.base.odes import solved
from brnn.errors import InputError, IntegrationError
from brnn.signals.enclosed import enclosable, enclosed
from brnn.theory.certain import holds_between, nondecreasing
from brnn.theory.liapunov_functions.signal import SignalFunction
from brnn.theory.survivors import hill_of_field, jacobian, velocity

__all__ = [
    "Bracket",
    "bisect",
    "cell_threshold",
    "certain_threshold",
    "ignites",
    "noise_threshold",
    "quenches",
    "quenching_threshold",
    "settle",
    "stored_level",
]

_ROUNDING = 1e-14


@dataclasses.dataclass(frozen=True)
class Bracket:
    """A threshold between two values: `lower` is still quenched, `upper` is already stored."""

    lower: float
    upper: float

    @property
    def value(self) -> float:
        """The middle."""
        return 0.5 * (self.lower + self.upper)

    @property
    def error(self) -> float:
        """The largest error of `value`."""
        return 0.5 * (self.upper - self.lower)

    def __str__(self) -> str:
        return f"{self.value:.10g} +- {self.error:.1g}"


def quenching_threshold(A: float, B: float, C: float, x1: float, inhibition: float = 1.0) -> float:
    """Return the QT on relative activity, ``v x1 / [K - (1 - v) x1]`` with K = B - A/C; ``x1/K`` for v = 1.

    Parameters
    ----------
    A, B : float
        Decay rate and upper bound.
    C : float
        Gain of f(w) = C w g(w).
    x1 : float
        Where g reaches 1, > 0.
    inhibition : float
        v, 0 < v <= 1.

    Raises
    ------
    InputError
        If K <= x1: then no cell can be stored on the linear stretch of f.
    """
    level = B - A / C
    if not 0.0 < inhibition <= 1.0:
        raise InputError(f"inhibition = {inhibition}: must be > 0 and <= 1 (above 1 there is one winner)")
    if not 0.0 < x1 < level:
        raise InputError(f"x1 = {x1}: must be > 0 and below B - A/C = {level:g}")
    return inhibition * x1 / (level - (1.0 - inhibition) * x1)


def stored_level(A: float, B: float, C: float, survivors: int, inhibition: float = 1.0) -> float:
    """Return ``(B - A/C) / (1 + v (k - 1))``, held by k equal survivors on the linear stretch of f."""
    return (B - A / C) / (1.0 + inhibition * (survivors - 1))


def bisect(stored: Callable[[float], bool], lower: float, upper: float, tolerance: float) -> Bracket:
    """Return the threshold between `lower`, where `stored` is false, and `upper`, where it is true.

    Parameters
    ----------
    stored : callable
        Any test, of the simulator or of this module.
    lower, upper : float
        The first bracket.
    tolerance : float
        Largest width of the bracket that is returned, > 0.

    Raises
    ------
    InputError
        If the test is true at `lower` or false at `upper`.
    """
    if stored(lower) or not stored(upper):
        raise InputError(f"no threshold between {lower:g} (must be quenched) and {upper:g} (must be stored)")
    while upper - lower > tolerance:
        middle = 0.5 * (lower + upper)
        if not lower < middle < upper:  # neighbouring floating-point numbers
            break
        if stored(middle):
            upper = middle
        else:
            lower = middle
    return Bracket(lower, upper)


def quenches(x: Any, A: float, B: float, signal: SignalFunction, inhibition: float = 1.0) -> bool:
    """Say whether a state is sure to be quenched altogether, because its largest activity can only fall.

    Sufficient, for f >= 0: H(w) - v f(w) < A for all w from 0 to the largest activity. The growth rate of the cell
    that has it is H(w) - A - v S, and S >= f(w), so that it falls from there to 0. That it holds of all w is known from
    bounds of the signal over cells that are halved until they tell (`brnn.theory.certain`). A signal without bounds (a
    class of the user's own) is looked at in 2,001 points; between them the left side may be higher by an eighth of its
    second difference, of which eight times as much is allowed for. The condition is met sooner or later by every state
    that dies if B h(0) < A.
    """
    largest = float(np.max(x))
    if largest <= 0.0:
        return True
    bounded = enclosable(signal)
    w = np.linspace(0.0, largest, 65 if bounded else 2001)
    growth = hill_of_field(w, B, signal, inhibition) - inhibition * np.asarray(signal(w))
    if not np.max(growth) < A:
        return False
    if not bounded:
        bend = np.abs(np.diff(growth, 2))
        return bool(np.max(growth + np.concatenate([bend[:1], bend, bend[-1:]])) < A)

    def falls(low: np.ndarray, high: np.ndarray) -> np.ndarray:
        hill = np.maximum(enclosed(signal, "quotient", low, high)[1], 0.0)
        left = np.maximum(B - (1.0 - inhibition) * low, B - (1.0 - inhibition) * high)
        least = inhibition * enclosed(signal, "kernel", low, high)[0]
        return left * hill - least < A * (1.0 - _ROUNDING)

    return holds_between(falls, largest)


def ignites(x: Any, A: float, B: float, signal: SignalFunction, inhibition: float = 1.0) -> bool:
    """Say whether a state is sure not to be quenched altogether, because one cell grows.

    Sufficient: ``max_i H(x_i) >= c``, c = A + v S, over the active cells, for a nondecreasing f
    with B h(0) < A. Where max H = c, ``dc/dt = v sum_k f'(x_k) x_k [H(x_k) - c] <= 0`` while the
    largest H stands still, so the inequality holds for ever after; but if all x_i fell to 0, H
    would tend to B h(0) < A <= c.
    """
    x = np.asarray(x, dtype=np.float64)
    active = x[x > 0]
    if active.size == 0:
        return False
    drive = np.asarray(hill_of_field(active, B, signal, inhibition))
    return bool(drive.max() >= (A + inhibition * np.sum(signal(active))) * (1.0 + _ROUNDING))


def settle(
    initial: Any, A: float, B: float, signal: SignalFunction, *, inhibition: float = 1.0, longest: float = 1e7
) -> np.ndarray:
    """Return the state in which the field settles from `initial`, by direct integration.

    It is meant as an oracle for small fields: SciPy's LSODA at rtol 1e-10 on the plain right-hand
    side, until the state stands still and no disturbance of a cell that was active at the start
    grows. Activities below 1e-8 B are then taken as 0.

    Raises
    ------
    IntegrationError
        If it has not settled within `longest` (in units of 1/A), or if the solver fails.
    """
    initial = np.asarray(initial, dtype=np.float64)
    active = initial.ravel() > 0
    result = np.zeros(initial.size)
    x = initial.ravel()[active]
    span, elapsed = 20.0 / A, 0.0
    while x.size:
        run = solved(lambda t, y: velocity(y, A, B, signal, inhibition), (0.0, span), x, rtol=1e-10, atol=1e-13)
        elapsed += span
        x = np.maximum(run.y[:, -1], 0.0)
        trimmed = np.where(x < 1e-8 * B, 0.0, x)
        still = np.abs(velocity(trimmed, A, B, signal, inhibition)).max() <= 1e-9 * A * B
        if still and np.linalg.eigvals(jacobian(trimmed, A, B, signal, inhibition)).real.max() <= 1e-6 * A:
            result[active] = trimmed
            break
        if elapsed > longest / A:
            raise IntegrationError(f"the field has not settled by time {elapsed:g}", elapsed, state=x)
        span *= 2.0
    return result.reshape(initial.shape)


def noise_threshold(
    pattern: Any, A: float, B: float, signal: SignalFunction, *, inhibition: float = 1.0, tolerance: float = 1e-8
) -> Bracket:
    """Return the factor s at which the initial state s * pattern stops being quenched altogether.

    Parameters
    ----------
    pattern : array
        Relative initial activities >= 0; not all 0.
    A, B, signal, inhibition
        The field.
    tolerance : float
        Largest width of the bracket.

    Raises
    ------
    InputError
        If every factor is quenched or none is (B h(0) >= A).
    """
    pattern = np.asarray(pattern, dtype=np.float64).ravel()
    if not (pattern.min() >= 0 and 0 < pattern.max() < math.inf):
        raise InputError("pattern: must have activities >= 0 that are finite and not all 0")
    upper = B / float(pattern.max())
    if not B * float(signal.hill(0.0)) < A:
        raise InputError("the field suppresses no noise: B h(0) is not below A")
    lower = 1e-9 * upper
    while lower > 0.0 and not quenches(lower * pattern, A, B, signal, inhibition):
        lower *= 1e-3
    if not lower > 1e-290 * upper:
        raise InputError("the field suppresses no noise that a number can hold: B h(w) falls below A only next to 0")

    rises = nondecreasing(signal, B)
    if rises is None:
        rises = bool((np.diff(np.asarray(signal(np.linspace(0.0, B, 2001)))) >= 0.0).all())

    def survives(scale: float) -> bool:
        return _survives(scale * pattern, A, B, signal, inhibition, rises)

    # Large factors may quench one another, so the least factor that survives is looked for from below.
    trials = np.geomspace(lower, upper, max(61, round(7 * np.log10(upper / lower))))
    for low, high in itertools.pairwise(trials):
        if survives(float(high)):
            return bisect(survives, float(low), float(high), tolerance)
    raise InputError("the field stores nothing from this pattern, whatever its size")


def certain_threshold(pattern: Any, A: float, B: float, signal: SignalFunction, *, inhibition: float = 1.0) -> Bracket:
    """Return two factors between which `noise_threshold` lies for certain: no integration is needed for them.

    Every factor up to the lower one is quenched by `quenches`, which holds for all smaller states if it holds for one;
    at the upper one, found from below, `ignites` holds, so that something stays.

    Parameters
    ----------
    pattern : array
        Relative initial activities >= 0; not all 0.
    A, B, signal, inhibition
        The field, with B h(0) < A and a nondecreasing f.

    Raises
    ------
    InputError
        If one of the two says nothing of this pattern, or the signal is not known to be nondecreasing.
    """
    if not nondecreasing(signal, B):
        raise InputError("nothing is certain of a signal that is not known to be nondecreasing between samples")
    pattern = np.asarray(pattern, dtype=np.float64).ravel()
    largest = float(pattern.max())
    trials = np.geomspace(1e-9, 1.0, 600) * B / largest

    def burns(scale: float) -> bool:
        return ignites(scale * pattern, A, B, signal, inhibition)

    def grows(scale: float) -> bool:
        return not quenches(scale * pattern, A, B, signal, inhibition)

    found = []
    for test in (grows, burns):
        first = next((k for k, scale in enumerate(trials) if test(float(scale))), 0)
        if first == 0:
            raise InputError("no factor of this pattern is quenched, or kept, for certain")
        found.append(bisect(test, float(trials[first - 1]), float(trials[first]), 0.0))
    return Bracket(found[0].lower, found[1].upper)


def _survives(x: np.ndarray, A: float, B: float, signal: SignalFunction, inhibition: float, rises: bool) -> bool:
    elapsed, span = 0.0, 0.5 / A
    while elapsed < 200.0 / A:
        if rises and ignites(x, A, B, signal, inhibition):
            return True
        if quenches(x, A, B, signal, inhibition):
            return False
        run = solved(lambda t, y: velocity(y, A, B, signal, inhibition), (0.0, span), x, rtol=1e-11, atol=1e-14)
        x, elapsed = np.maximum(run.y[:, -1], 0.0), elapsed + span
    # A state that approaches what is stored from above never meets `ignites`.
    return bool(settle(x, A, B, signal, inhibition=inhibition).any())


def cell_threshold(
    others: Any,
    A: float,
    B: float,
    signal: SignalFunction,
    *,
    inhibition: float = 1.0,
    upper: float | None = None,
    tolerance: float = 1e-6,
) -> Bracket:
    """Return the initial activity from which one more cell beside `others` is stored: the QT of that pattern.

    Parameters
    ----------
    others : array
        Initial activities of the other cells.
    A, B, signal, inhibition
        The field.
    upper : float, optional
        An activity at which the cell is stored; B if it is not given.
    tolerance : float
        Largest width of the bracket.
    """
    others = np.asarray(others, dtype=np.float64).ravel()

    def stored(level: float) -> bool:
        return bool(settle(np.append(others, level), A, B, signal, inhibition=inhibition)[-1] > 0)

    return bisect(stored, 0.0, B if upper is None else upper, tolerance)
