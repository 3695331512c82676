"""What becomes of a recurrent competitive field, whole: any signal, cells that differ, inputs that stay on.

    dx_i/dt = -A_i x_i + (B_i - x_i)[I_i + f(x_i)] - x_i [J_i + sum_{k != i} f(x_k)]

is x_i [b_i(x_i) - s], with ``b_i(x) = B_i [f(x) + I_i]/x - A_i - I_i - J_i`` and the adaptation level ``s = sum_k
f(x_k)``, (28)-(31); so every trajectory converges (Grossberg 1978). Where it goes is settled if every b_i falls: cell i
then holds the one x with b_i(x) = s, or is silent if b_i(0) <= s, and ``sum_k f(x_k(s)) = s`` has one root, because the
left side falls as s rises. Every start in which the cells without input are active leads there:
V = sum_k int_{x_k*}^{x_k} f'(x) (b_k(x*) - b_k(x)) dx + (1/2) (s - s*)^2 falls. Linear signals are the limit: b_i is
constant, and the cells with the largest B_i C - A_i remain, the others are excluded.

Without inputs, and for cells that are alike, the states that can be stored are silence, k equal cells
(`brnn.theory.survivors`), and k equal cells with one more that is weaker, if the hill of the signal has no flat
stretch; the theorems of 1973 say which of them, as far as they do (`brnn.theory.storing`).

How it is approached: exponentially with the rate of the largest eigenvalue of the Jacobian; if that is 0, the state is
marginal, distances shrink like a power of 1/t, and no finite run shows the limit.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.theory.certain import falls_relative, flat_stretch, nondecreasing
from brnn.theory.storing import storage
from brnn.theory.survivors import equilibria, jacobian, modes, most_survivors

__all__ = ["FieldRegime", "adaptation_level_state", "field_regime"]

_HALVINGS = 200
_SAMPLES = 4001
_NEUTRAL = 1e-9  # of the decay rates
_FLAT = 1e-9
_MOST = 60  # survivors of which levels are looked for
_SOURCE = "Grossberg (1978), J. Math. Anal. Appl. 66, 470-493; review, (28)-(31); derived in brnn.theory.regime"


@dataclasses.dataclass(frozen=True, eq=False)
class FieldRegime:
    """What becomes of a field.

    Attributes
    ----------
    kind : str
        "quenched", "uniform", "winner", "pattern kept", "driven", "excluded", "survivors", or "one of several".
    states : tuple of ndarray
        The final states that theory allows: one if it is determined; none if they form a continuum.
    rate : float or None
        Largest eigenvalue at the state, negative: how fast it is approached; 0 if marginal; None if not determined.
    words : str
        All of it.
    source : str
        Where it is published or derived.
    """

    kind: str
    states: tuple[np.ndarray, ...]
    rate: float | None
    words: str
    source: str

    @property
    def final(self) -> np.ndarray | None:
        """The final state, if it is determined."""
        return self.states[0] if len(self.states) == 1 else None

    @property
    def marginal(self) -> bool:
        """Whether the state is only approached like a power of 1/t."""
        return self.rate is not None and self.rate > -_NEUTRAL

    def distance(self, x: Any) -> float:
        """Return how far a state is from the nearest one that theory allows; nan if there is none."""
        x = np.asarray(x, dtype=np.float64).ravel()
        return min((float(np.max(np.abs(x - s.ravel()))) for s in self.states), default=float("nan"))


def field_regime(A: Any, B: Any, signal: Any, initial: Any, I: Any = 0.0, J: Any = 0.0) -> FieldRegime:
    """Return what becomes of a field from an initial state, with inputs that stay on.

    Parameters
    ----------
    A, B : float or array, shape (n,)
        Decay rates and upper bounds, > 0.
    signal : Signal
        f, the same for all cells; it must not fall.
    initial : array, shape (n,)
        Activities at time 0, between 0 and B.
    I, J : float or array, shape (n,)
        Excitatory and inhibitory inputs, >= 0, that do not change.

    Raises
    ------
    InputError
        If a value is outside of what the theorems need.
    """
    x = np.asarray(initial, dtype=np.float64).ravel()
    parts = [np.array(np.broadcast_to(np.asarray(v, dtype=np.float64).ravel(), x.shape)) for v in (A, B, I, J)]
    rates, bounds, exc, inh = parts
    if not ((rates > 0.0).all() and (bounds > 0.0).all() and (exc >= 0.0).all() and (inh >= 0.0).all()):
        raise InputError("field_regime: A and B must be > 0, I and J >= 0")
    if not ((x >= 0.0) & (x <= bounds)).all():
        raise InputError("field_regime: initial: must have activities between 0 and B")
    alike = all(np.ptp(v) == 0.0 for v in parts)
    if alike and not exc.any() and not inh.any() and float(signal(0.0)) == 0.0:
        return _alike(float(rates[0]), float(bounds[0]), signal, x)
    active = (x > 0.0) | (exc > 0.0) | (float(signal(0.0)) > 0.0)
    found = adaptation_level_state(rates, bounds, signal, exc, inh, active)
    if isinstance(found, str):
        return FieldRegime("one of several", (), None, f"not determined: {found}; every start comes to rest", _SOURCE)
    quiet = int(np.sum(found == 0.0))
    rate = _rate(found, rates, bounds, signal, exc, inh)
    kind = "quenched" if not found.any() else "driven" if exc.any() else "excluded" if quiet else "survivors"
    words = (
        f"one state attracts every start: {found.size - quiet} of {found.size} cells active, total {found.sum():.8g}"
    )
    return FieldRegime(kind, (found,), rate, words + _approach(rate), _SOURCE)


def adaptation_level_state(
    A: np.ndarray, B: np.ndarray, signal: Any, I: np.ndarray, J: np.ndarray, active: np.ndarray
) -> np.ndarray | str:
    """Return the state that attracts all others if each b_i falls; else a text that says why there may be several.

    Parameters
    ----------
    A, B, I, J : ndarray, shape (n,)
        Decay rates, upper bounds, inputs.
    signal : Signal
        f.
    active : ndarray of bool, shape (n,)
        Which cells are active at first or have an input; the others stay 0.
    """
    if not active.any():
        return np.zeros(A.size)
    w = np.geomspace(1e-9, 1.0, _SAMPLES) * float(B.max())
    f, hill = np.asarray(signal(w)), np.asarray(signal.hill(w))
    if nondecreasing(signal, float(B.max())) is False and (np.diff(f) < -1e-12 * float(f.max())).any():
        return "the signal falls somewhere"
    linear = signal.shape(float(B.max())) == "linear"
    if linear and not I.any():
        return _excluded(A, B, float(hill[-1]), J, active)
    for i in np.flatnonzero(active):
        stretch = flat_stretch(signal, float(B[i]))
        if stretch is not None and I[i] == 0.0:
            return f"b_i is flat for cell {i} up to x = {stretch[1]:.3g}, so that more than one level may hold"
        falls = falls_relative(signal, float(B[i]), float(I[i]))
        if falls:
            continue
        if falls is False:
            return f"b_i rises for cell {i}, so that more than one level may hold"
        b = B[i] * (hill + I[i] / w)  # samples, where bounds do not tell
        inside = w <= B[i]
        rises = np.diff(b[inside]) > 1e-12 * np.abs(b[inside][:-1])
        if rises.any():
            place = float(w[:-1][inside[1:]][np.argmax(rises)]) if inside.all() else float(w[np.argmax(rises)])
            return f"b_i rises for cell {i} near x = {place:.3g}, so that more than one level may hold"
    from scipy.optimize import brentq

    def activities(s: float) -> np.ndarray:
        """Solve b_i(x) = s by bisection of the logarithm, all cells at once."""
        low, high = np.full(A.size, 1e-300), B.copy()
        with np.errstate(all="ignore"):
            for _ in range(_HALVINGS):
                middle = np.sqrt(low * high)
                above = B * (np.asarray(signal.hill(middle)) + I / middle) - A - I - J > s
                low, high = np.where(above, middle, low), np.where(above, high, middle)
        return np.where(active & (low > 2e-300), np.sqrt(low * high), 0.0)

    def excess(s: float) -> float:
        return float(np.sum(np.asarray(signal(activities(s)))[active])) - s

    top = float(np.sum(np.asarray(signal(B))[active])) + 1.0
    if excess(0.0) <= 0.0:
        return activities(0.0)
    s = float(brentq(excess, 0.0, top, xtol=1e-15 * top, rtol=1e-14, maxiter=500))
    return activities(s)


def _excluded(A: np.ndarray, B: np.ndarray, C: float, J: np.ndarray, active: np.ndarray) -> np.ndarray | str:
    """Return what remains with f = C w and no excitatory inputs: the cell with the largest B_i C - A_i - J_i."""
    fitness = np.where(active, B * C - A - J, -np.inf)
    best = float(fitness.max())
    if best <= 0.0:
        return np.zeros(A.size)
    winners = fitness >= best - 1e-12 * abs(best)
    if int(winners.sum()) > 1:
        return f"{int(winners.sum())} cells have the same B C - A, and keep the ratios with which they begin"
    return np.where(winners, best / C, 0.0)


def _alike(A: float, B: float, signal: Any, x: np.ndarray) -> FieldRegime:
    """Return what becomes of cells that are alike, without inputs."""
    known = storage(A, B, signal, x)
    if known.final is not None:
        state = known.final
        rate = _rate(state, np.full(x.size, A), np.full(x.size, B), signal, np.zeros(x.size), np.zeros(x.size))
        return FieldRegime(_kind(state, x), (state,), rate, known.theorem + _approach(rate), known.source)
    if known.possible:
        return FieldRegime("one of several", known.possible, None, known.theorem, known.source)
    w = np.geomspace(1e-6, 1.0, _SAMPLES) * B
    hill = np.asarray(signal.hill(w))
    steps = np.diff(hill)
    level = np.abs(steps) <= _FLAT * float(np.max(np.abs(hill)))
    if (level[:-1] & level[1:] & (hill[:-2] > 0.5 * float(hill.max()))).any() and not _flat(steps):
        return FieldRegime("one of several", (), None, known.theorem, known.source)
    states = _possible(A, B, signal, x)
    words = f"silence, or up to {most_survivors(A, B, signal, x.size)} equal cells, the largest at first"
    return FieldRegime("one of several", states, None, f"{known.theorem}; {words}", known.source)


def _possible(A: float, B: float, signal: Any, x: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return silence, if it is stable, and k equal survivors, the largest at first; ties stay together."""
    states = [np.zeros(x.size)] if B * float(signal.hill(0.0)) <= A else []
    values, counts = np.unique(-x, return_counts=True)
    k, n = 0, x.size
    for value, count in zip(values, counts, strict=True):
        k += int(count)
        if value == 0.0 or k > _MOST:
            break
        for held in equilibria(A, B, signal, survivors=k):
            mode = modes(held.level, A, B, signal, survivors=k, n=n)
            # Ties make a group that cannot be split: only what breaks other symmetries has to decay.
            grows = max(mode.common, *(v for v in (mode.silent, mode.difference if k > count else -1.0) if v == v))
            if not held.jump and grows <= _NEUTRAL * A:
                states.append(np.where(-x <= value, held.level, 0.0))
    return (*states, *_mixed(A, B, signal, x))


def _mixed(A: float, B: float, signal: Any, x: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the stable states in which one cell is on the rising side of the hill and the larger ones on the falling.

    No more than one can be there, by (33). The levels a < b have h(a) = h(b), and B h(a) - A = k f(b) + f(a).
    """
    from scipy.optimize import brentq

    order = np.argsort(-x, kind="stable")
    w = np.geomspace(1e-6, 1.0, _SAMPLES) * B
    hill = np.asarray(signal.hill(w))
    top = int(np.argmax(hill))
    if top in (0, w.size - 1) or (np.diff(hill[: top + 1]) < 0.0).any() or (np.diff(hill[top:]) > 0.0).any():
        return

    def other(a: float) -> float:
        """Return the level on the falling side with the hill of a."""
        level = float(signal.hill(a))
        if level <= hill[-1]:
            return float("nan")
        if level >= hill[top]:  # between the points around the top
            return float(w[top])
        return float(brentq(lambda b: float(signal.hill(b)) - level, w[top], B, xtol=1e-15 * B, rtol=1e-14))

    low = w[: top + 1 : 4]
    high = np.array([other(a) if float(signal.hill(a)) < hill[top] else np.nan for a in low])
    for k in range(1, min(int(np.sum(x > 0.0)), _MOST)):
        if x[order[k]] == x[order[k - 1]] or (k + 1 < x.size and x[order[k + 1]] == x[order[k]] > 0.0):
            continue
        excess = B * np.asarray(signal.hill(low)) - A - k * np.asarray(signal(high)) - np.asarray(signal(low))

        def surplus(a: float, k: int = k) -> float:
            return B * float(signal.hill(a)) - A - k * float(signal(other(a))) - float(signal(a))

        places = _with_turns(surplus, low, excess)
        for begin, end in itertools.pairwise(places):
            if not surplus(begin) * surplus(end) <= 0.0:  # nan, too
                continue
            a = float(brentq(surplus, begin, end, xtol=1e-15 * B))
            if not abs(surplus(a)) <= 1e-6 * A:  # a jump, or where there is no second level
                continue
            state = np.zeros(x.size)
            state[order[:k]], state[order[k]] = other(a), a
            if float(np.max(np.linalg.eigvals(jacobian(state, A, B, signal)).real)) <= _NEUTRAL * A:
                yield state


def _with_turns(function: Callable[[float], float], places: np.ndarray, values: np.ndarray) -> list[float]:
    """Return places between which a function changes its sign: of a grid, and turns that cross 0 between its points."""
    from scipy.optimize import minimize_scalar

    known = np.isfinite(values)
    x, v = places[known], values[known]
    changes = np.flatnonzero(v[:-1] * v[1:] <= 0.0)
    found = set(x[changes].tolist()) | set(x[changes + 1].tolist())
    size = np.abs(v)
    turns = 1 + np.flatnonzero((size[1:-1] < size[:-2]) & (size[1:-1] <= size[2:]) & (v[:-2] * v[2:] > 0.0))
    for m in turns.tolist():
        sign = float(np.sign(v[m]))
        turn = minimize_scalar(lambda a, sign=sign: sign * function(a), bounds=(x[m - 1], x[m + 1]), method="bounded")
        if turn.fun <= 0.0:
            found |= {float(x[m - 1]), float(turn.x), float(x[m + 1])}
    return sorted(found)


def _flat(values: np.ndarray) -> bool:
    return bool(np.ptp(values) <= _FLAT * max(float(np.max(np.abs(values))), 1e-300))


def _kind(state: np.ndarray, start: np.ndarray) -> str:
    alive = state > 0.0
    if not alive.any():
        return "quenched"
    if alive.sum() == 1:
        return "winner"
    if np.ptp(state[alive]) <= 1e-9 * state.max():
        return "uniform" if alive.all() else "survivors"
    return "pattern kept" if np.array_equal(alive, start > 0.0) else "survivors"


def _rate(x: np.ndarray, A: np.ndarray, B: np.ndarray, signal: Any, I: np.ndarray, J: np.ndarray) -> float:
    """Return the largest eigenvalue at a state of rest, leaving out directions in which it is a continuum."""
    f, slope = np.asarray(signal(x)), np.asarray(signal.derivative(x))
    M = -np.outer(x, slope)
    np.fill_diagonal(M, -A - I - J - f + (B - x) * slope - (f.sum() - f))
    values = np.sort(np.linalg.eigvals(M).real)[::-1]
    scale = float(np.max(A))
    values = np.where(np.abs(values) <= _NEUTRAL * scale, 0.0, values)
    active = int(np.sum(x > 0.0))
    if active > 1 and _flat(np.asarray(signal.hill(x[x > 0.0]))) and np.ptp(x[x > 0.0]) > 0.0:
        return float(values[active - 1]) if values.size >= active else float(values[-1])
    return float(values[0])


def _approach(rate: float) -> str:
    if rate >= -_NEUTRAL:
        return "; marginal: approached like a power of 1/t, which no finite run shows"
    return f"; approached at rate {-rate:.5g}"
