"""Recurrent competitive field (RCF): the simplest recurrent on-center off-surround shunting network.

    dx_i/dt = -A x_i + (B - x_i) [I_i + f(x_i)] - x_i [J_i + v sum_{k != i} f(x_k)]            (21), with v = 1

Each cell excites itself (on-center) and inhibits all others (off-surround) with the signal f(x), so that activity
can reverberate after the input is gone: short-term memory. v scales the recurrent inhibition; arousal is v < 1.

Source: Grossberg (1973), Contour enhancement, short term memory, and constancies in reverberating neural networks,
Stud. Appl. Math. 52, 213-257; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, equation (21).

What is known (I = J = 0, x = sum x_k, X_i = x_i/x, h(w) = f(w)/w): the signal decides what is stored.

- linear f = C w: every pattern is stored, the total goes to B - A/C; noise is amplified as strongly as signals.
- slower than linear f = C w/(D + w): the pattern becomes uniform, the total goes to (C B - A D)/(C + A/n).
- faster than linear f = C w^p: the largest activity wins; what starts below E1 is quenched, the winner is at E2.
- sigmoid: a quenching threshold (QT). Activities below it are quenched, those above are contrast-enhanced. With a
  linear stretch of f the survivors keep their ratios for ever; with a smooth sigmoid they become equal in the end,
  and the graded pattern that one sees before that is transient.

The order of activities never reverses; the total is normalized. `brnn.theory.rcf` holds the closed forms.

All this is without inputs. While an excitatory input I is on without an inhibitory J, the field keeps neither the
ratios of the inputs nor a total below B: with n cells it is bounded by n B, since only recurrent signals inhibit. Equal
survivors that sit where h has its maximum are marginal (four cells of B = 3, f = w^2/(0.25 + w^2), A = 1 hold 0.5
each): differences decay as 1/t, not exponentially.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.base.odes import solved
from brnn.base.words import value_in_words
from brnn.claims import Comparison, claim
from brnn.figures import (
    Curve,
    FigureDescription,
    Level,
    Run,
    figure,
    layer_panel,
    pattern_panel,
    predicted_levels,
    time_panel,
)
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.patterns import (
    PATTERN_A,
    PATTERN_B,
    activities,
    default_pattern,
    field_shape,
    presented,
    signal_of,
)
from brnn.models.parts.runs import final, run, slope
from brnn.signals import Expression, Linear, Power, Saturating, Sigmoid, Signal
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory import rcf as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | tuple[int, ...] | None = None,
    A: float = 1.0,
    B: float = 3.0,
    signal: Signal = Sigmoid(gain=1.0, half=0.5, exponent=2.0),
    pattern: ArrayLike | None = None,
    J: ArrayLike | None = None,
    on: float = 1.0,
    initial: ArrayLike | None = None,
    inhibition: float = 1.0,
) -> Network:
    """Return a recurrent competitive field.

    Without `pattern` and `initial` it is shown a ten-cell pattern for one unit of time, and stores its two peaks.
    With `initial` alone there is no input: the field starts with these activities, as in the theorems.

    Parameters
    ----------
    n : int or tuple of int, >= 1
        Number of cells along each axis (1); by default that of `pattern`, J or `initial`, else 10.
    A : float, >= 0
        Passive decay rate (1/time).
    B : float, > 0
        Upper bound of activity (1).
    signal : Signal
        f, what a cell with activity x sends to itself and to the others (1/time).
    pattern : float or array, >= 0
        Excitatory input I_i (1/time).
    J : float or array, >= 0
        Inhibitory input J_i (1/time).
    on : float, > 0
        How long I and J are on, from time 0 (time); may be infinite.
    initial : float or array, >= 0
        Activities at time 0 (1); 0 by default.
    inhibition : float, >= 0
        v, the strength of all recurrent inhibition (1); below 1 the network is aroused.

    Returns
    -------
    Network
        One layer, "rcf".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    cells = field_shape("rcf", n, 10, (("pattern", pattern), ("J", J), ("initial", initial)))
    if pattern is None and initial is None:
        pattern = default_pattern(cells)
    start = 0.0 if initial is None else activities(initial, "rcf: initial", cells, minimum=0.0)
    signal = signal_of(signal, "rcf: signal")
    schedule = presented(on, "rcf: on")
    inputs = []
    if pattern is not None:
        inputs.append(Stimulus("rcf", "excitatory", activities(pattern, "rcf: pattern", cells, minimum=0.0), schedule))
    if J is not None:
        inputs.append(Stimulus("rcf", "inhibitory", activities(J, "rcf: J", cells, minimum=0.0), schedule))
    v = number(inhibition, "rcf: inhibition", minimum=0.0)
    return Network(
        "rcf",
        layers=(Layer.shunting("rcf", cells, A=A, B=B, initial=start),),
        projections=(
            Projection("rcf", "rcf", "excitatory", signal, OneToOne()),
            Projection("rcf", "rcf", "inhibitory", signal, AllButSelf(weight=v)),
        ),
        stimuli=tuple(inputs),
        duration=40.0,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257",
    )


# Claims --------------------------------------------------------------------------------------------------------

_1973 = "Grossberg (1973); review, "
_A, _B, _F = 1.0, 3.0, 0.25
_SIGMOID = Sigmoid(gain=1.0, half=math.sqrt(_F), exponent=2.0)
_FOUR: dict[str, Signal] = {
    "w": Linear(1.0),
    "w/(F + w)": Saturating(1.0, _F),
    "w^2": Power(1.0, 2.0),
    "sigmoid": _SIGMOID,
}


def _piecewise(C: float, x1: float) -> Signal:
    """Return f(w) = C w g(w) with g(w) = w/x1 up to x1 and 1 from there on."""
    return Expression("where(w < x1, C*w**2/x1, C*w)", C=C, x1=x1)


@claim("Linear signals keep every relative activity for ever", source=_1973 + "text after (23)")
def linear_keeps_the_pattern() -> Comparison:
    """With f = C w every X_i(t) is X_i(0), at every time."""
    result = run(build(signal=Linear(2.0), initial=PATTERN_A), duration=20.0)
    measured = np.asarray(result.relative("rcf"))
    return Comparison(np.broadcast_to(PATTERN_A / PATTERN_A.sum(), measured.shape), measured, 3e-8)


@claim("Linear signals: the total is logistic and ends at B - A/C, or at 0", source=_1973 + "text after (23)")
def linear_total_is_logistic() -> list[Comparison]:
    """The total x(t) = K/(1 + (K/x0 - 1) exp(-C K t)), K = B - A/C, is followed; with C B < A it dies."""
    rows = []
    for C in (0.25, 1.0, 2.0):
        result = run(build(signal=Linear(C), initial=PATTERN_A), duration=5.0)
        predicted = theory.linear_total(_A, _B, C, PATTERN_A.sum(), np.asarray(result.times))
        rows.append(Comparison(predicted, result.total("rcf"), 3e-8, f"linear signal, C = {C:g}: total over time"))
        level = theory.linear_level(_A, _B, C)
        stored = final(build(signal=Linear(C), initial=PATTERN_A)).sum()
        rows.append(Comparison(level, stored, 3e-8, f"linear signal, C = {C:g}: stored total"))
    at = run(build(signal=Linear(1.0), initial=PATTERN_A), duration=0.7, times=[0.7]).total("rcf")
    rows.append(Comparison(2.30388390, float(at[-1]), 1e-8, "linear signal: total at t = 0.7, tabled number"))
    return rows


@claim("Slower-than-linear signals make every pattern uniform", source=_1973 + "text after (23)")
def slower_makes_uniform() -> list[Comparison]:
    """With f = C w/(D + w) every cell ends at 1/n of (C B - A D)/(C + A/n), or at 0 if that is not positive."""
    rows = []
    for n, C, D in ((10, 1.0, 0.25), (10, 2.0, 0.5), (4, 0.5, 0.1), (10, 0.2, 0.75)):
        stored = final(build(signal=Saturating(C, D), initial=PATTERN_B[:n]))
        predicted = np.full(n, theory.slower_total(_A, _B, C, D, n) / n)
        rows.append(Comparison(predicted, stored, 3e-8, f"w/(D + w), n = {n}, C = {C:g}, D = {D:g}: stored"))
    return rows


@claim("Faster-than-linear signals: the largest activity wins and is stored at E2", source=_1973 + "(25)")
def faster_chooses_the_winner() -> list[Comparison]:
    """With f = C w^p only the cell that is largest at the start remains, at the upper root of h(x) = A/(B - x)."""
    rows = []
    for name, initial in (("a", PATTERN_A), ("b", PATTERN_B)):
        for C, p in ((1.0, 2.0), (2.0, 2.0), (1.0, 3.0)):
            levels = theory.faster_levels(_A, _B, C, p)
            assert levels is not None
            predicted = np.where(np.arange(10) == initial.argmax(), levels[1], 0.0)
            stored = final(build(signal=Power(C, p), initial=initial))
            rows.append(Comparison(predicted, stored, 3e-8, f"{C:g} w^{p:g}, pattern {name}: winner alone at E2"))
    stored = final(build(signal=Power(1.0, 2.0), initial=PATTERN_A)).sum()
    rows.append(Comparison(2.618033988749895, stored, 1e-8, "w^2: stored total, (3 + sqrt 5)/2"))
    return rows


@claim("Faster-than-linear signals: E1 is unstable, activity below it is quenched", source=_1973 + "text after (25)")
def faster_suppresses_noise() -> list[Comparison]:
    """One cell from just below E1 dies and from just above goes to E2; a pattern with a total below E1 is quenched."""
    rows = []
    for C, p in ((1.0, 2.0), (1.0, 3.0)):
        levels = theory.faster_levels(_A, _B, C, p)
        assert levels is not None
        for factor, end in ((1 - 1e-6, 0.0), (1 + 1e-6, levels[1])):
            stored = final(build(signal=Power(C, p), initial=[levels[0] * factor]))
            rows.append(Comparison([end], stored, 3e-8, f"w^{p:g}: one cell from E1 * {factor:.6f}"))
    for start, end in ((0.381, 0.0), (0.383, 2.618033988749895)):
        stored = final(build(signal=Power(1.0, 2.0), initial=[start]))
        rows.append(Comparison([end], stored, 3e-8, f"w^2: one cell from {start}, tabled"))
    noise = PATTERN_A / PATTERN_A.sum() * 0.38
    stored = final(build(signal=Power(1.0, 2.0), initial=noise))
    rows.append(Comparison(np.zeros(10), stored, 1e-9, "w^2: ten cells with a total of 0.38 < E1 are quenched"))
    stored = final(build(signal=Power(0.4, 2.0), initial=PATTERN_A))
    rows.append(Comparison(np.zeros(10), stored, 1e-9, "0.4 w^2: nothing is stored where B^2 < 4 A/C"))
    return rows


@claim("Total activity quantization: equilibria are alternately unstable and stable", source=_1973 + "(24), (25)")
def total_is_quantized() -> list[Comparison]:
    """With a hill of two tops (25) has four roots; from both sides of E1 and E3 the total goes to their neighbours."""
    signal = Expression("0.25*w**2/(0.2**2 + w**2) + 3*w**8/(1.6**8 + w**8)")
    roots = theory.equilibria(_A, _B, signal)
    rows = [
        Comparison.order(
            [False, True, False, True], [root.stable for root in roots], "roots of (25): which are stable"
        ),
    ]
    levels = [0.0, *(root.level for root in roots)]
    for k in range(1, len(levels), 2):
        for factor, end in ((1 - 1e-5, levels[k - 1]), (1 + 1e-5, levels[k + 1])):
            total = final(build(signal=signal, initial=[levels[k] * factor])).sum()
            rows.append(
                Comparison(
                    end, total, 3e-8, f"total from E{k} * {factor:.5f} goes to E{k - 1 if factor < 1 else k + 1}"
                )
            )
    initial = np.where(np.arange(10) == 2, 0.382, 1e-4)  # the others are gone before the winner has left E1
    late = run(build(signal=_FOUR["w^2"], initial=initial), duration=20.0, times=np.linspace(10.0, 20.0, 11))
    x = np.asarray(late["rcf.x"])
    total, velocity = x.sum(axis=1), slope(late.network, x).sum(axis=1)
    predicted = total * (-_A + (_B - total) * total)
    return [*rows, Comparison(predicted, velocity, 1e-6, "w^2, ten cells, t >= 10: dx/dt by (24)")]


@claim("The pattern X_i and the total x obey (22) and (23)", source=_1973 + "(22), (23)")
def pattern_equations_hold() -> list[Comparison]:
    """The simulator's own derivative, turned into dX_i/dt and dx/dt, is that of (22) and (23) at random states."""
    rows = []
    states = np.random.default_rng(1973).uniform(0.01, _B, size=(20, 7))
    total = states.sum(axis=1)
    for name, signal in {**_FOUR, "logistic": Expression("1/(1 + exp(2 - 3*w))")}.items():
        speed = slope(build(signal=signal, initial=states[0]), states)
        change = speed.sum(axis=1)
        pattern = (speed * total[:, None] - states * change[:, None]) / total[:, None] ** 2
        expected = [theory.pattern_velocity(x / x.sum(), x.sum(), _B, signal) for x in states]
        rows.append(Comparison(np.array(expected), pattern, 1e-12, f"{name}: dX_i/dt by (22)"))
        totals = [theory.total_velocity(x / x.sum(), x.sum(), _A, _B, signal) for x in states]
        rows.append(Comparison(totals, change, 1e-12, f"{name}: dx/dt by (23)"))
    return rows


@claim("The order of activities is never reversed", source=_1973 + "(22)")
def order_is_kept() -> list[Comparison]:
    """With each of the four signals, cells sorted by initial activity are sorted at every later time."""
    rows = []
    for name, signal in _FOUR.items():
        for label, initial in (("a", PATTERN_A), ("b", PATTERN_B)):
            x = np.asarray(run(build(signal=signal, initial=initial), duration=100.0)["rcf.x"])
            gaps = np.diff(x[:, np.argsort(initial, kind="stable")], axis=1)
            rows.append(
                Comparison.at_least(0.0, gaps, 1e-8, f"{name}, pattern {label}: gaps between sorted activities")
            )
    return rows


@claim("Total activity is normalized whatever the pattern and its size", source=_1973 + "text after (23)")
def total_is_normalized() -> list[Comparison]:
    """With a linear stretch of f, patterns of different contrast and total are all stored with the total B - A/C."""
    totals = []
    for scale in (0.4, 0.7, 1.0, 2.0):
        for pattern in (PATTERN_A, PATTERN_B, PATTERN_A**2):
            totals.append(final(build(signal=_piecewise(1.0, 0.3), initial=np.minimum(scale * pattern, _B))).sum())
    level = theory.linear_level(_A, _B, 1.0)
    return [Comparison(np.full(len(totals), level), np.array(totals), 3e-8, "stored totals of 12 patterns: B - A/C")]


@claim(
    "A linear stretch of f: cells above the QT are stored with their ratios, the others are quenched",
    source=_1973 + "QT",
)
def graded_patterns_are_stored() -> list[Comparison]:
    """f = w^2/0.3 below 0.3 and w above: partial contrast enhancement that lasts, with the total B - A/C."""
    initial = np.array([0.1, 0.35, 0.2, 0.5, 0.15, 0.7])
    stored = final(build(signal=_piecewise(1.0, 0.3), initial=initial))
    survivors = np.where(initial > 0.3, initial, 0.0)
    ratios = stored[[3, 5]] / stored[1]
    return [
        Comparison(survivors / survivors.sum() * 2.0, stored, 3e-8, "survivors share B - A/C in their old ratios"),
        Comparison([0.45161290, 0.64516129, 0.90322581], stored[[1, 3, 5]], 3e-8, "tabled numbers"),
        Comparison(initial[[3, 5]] / initial[1], ratios, 3e-8, "ratios of the survivors"),
    ]


@claim("The quenching threshold on relative activity is x1/(B - A/C)", source=_1973 + "QT")
def quenching_threshold_is_known() -> list[Comparison]:
    """Bisection over the relative activity of the smallest cell, at the total B - A/C, beside the closed form."""
    rows = []
    for C, x1 in ((1.0, 0.3), (2.0, 0.3), (1.0, 0.15)):
        K = theory.linear_level(_A, _B, C)
        others = np.array([0.25, 0.35, 0.4])

        def stored(X: float, C: float = C, x1: float = x1, K: float = K, others: np.ndarray = others) -> bool:
            initial = K * np.append(X, (1.0 - X) * others)
            end = run(build(signal=_piecewise(C, x1), initial=initial), duration=100.0, times=[100.0]).final("rcf")
            return float(end[0]) > 0.5 * x1

        found = theory.bisect(stored, 0.2 * x1 / K, 1.5 * x1 / K, 1e-8)
        predicted = theory.quenching_threshold(_A, _B, C, x1)
        rows.append(Comparison(predicted, found.value, 1e-6, f"QT, C = {C:g}, x1 = {x1:g} (error {found.error:.0e})"))
    return rows


@claim(
    "A sigmoid quenches noise: the QT of a whole pattern",
    source="computed by independent integration; theorem: Grossberg (1973)",
)
def sigmoid_quenches_noise() -> list[Comparison]:
    """Bisection over the size s of the initial pattern: below s* everything is quenched, above it one cell survives."""

    def stored(s: float) -> bool:
        return bool(final(build(signal=_SIGMOID, initial=s * PATTERN_A)).sum() > 1e-3)

    found = theory.bisect(stored, 0.05, 0.2, 1e-8)
    oracle = theory.noise_threshold(PATTERN_A, _A, _B, _SIGMOID)
    one = np.where(np.arange(10) == 2, 1.41143783, 0.0)
    two = np.where(np.isin(np.arange(10), (2, 7)), 0.90824829, 0.0)
    return [
        Comparison(0.10264750, found.value, 2e-8, "s* of pattern a, tabled"),
        Comparison(oracle.value, found.value, 2e-8, "s* of pattern a, by independent integration"),
        Comparison(one, final(build(signal=_SIGMOID, initial=0.103 * PATTERN_A)), 3e-8, "s = 0.103: one survives"),
        Comparison(two, final(build(signal=_SIGMOID, initial=0.2 * PATTERN_A)), 3e-8, "s = 0.2: two survive"),
    ]


@claim(
    "A smooth sigmoid: survivors become equal; k of them hold the root of (A + k) u^2 - B u + A F = 0",
    source="derived from (21)",
)
def sigmoid_survivors_are_equal() -> list[Comparison]:
    """From states that are 1 % off k equal survivors; both ten-cell patterns end in states of this kind."""
    rows = []
    for k, tabled in ((1, 1.41143783), (2, 0.90824829), (3, 0.65450850)):
        levels = theory.sigmoid_levels(_A, _B, _F, k)
        assert levels is not None
        rows.append(Comparison(tabled, levels[1], 1e-8, f"k = {k}: closed form, tabled"))
        initial = np.where(np.arange(10) < k, levels[1] * (1.0 + 0.01 * np.cos(np.arange(10))), 0.001)
        predicted = np.where(np.arange(10) < k, levels[1], 0.0)
        rows.append(Comparison(predicted, final(build(signal=_SIGMOID, initial=initial)), 3e-8, f"k = {k} survivors"))
    for name, pattern, cells in (("a", PATTERN_A, (2, 7)), ("b", PATTERN_B, (2, 3, 8))):
        levels = theory.sigmoid_levels(_A, _B, _F, len(cells))
        assert levels is not None
        predicted = np.where(np.isin(np.arange(10), cells), levels[1], 0.0)
        stored = final(build(signal=_SIGMOID, initial=pattern))
        rows.append(Comparison(predicted, stored, 3e-8, f"pattern {name}: equal survivors, the largest cells"))
    return rows


@claim("A smooth sigmoid stores a limited number of cells: k < B/sqrt(F) - 2 A", source="derived from (21)")
def sigmoid_number_is_limited() -> list[Comparison]:
    """Four and five almost equal cells decay to three; random patterns never leave more than the limit."""
    most = theory.sigmoid_most_survivors(_A, _B, _F)
    rows = []
    for k in (4, 5):
        levels = theory.sigmoid_levels(_A, _B, _F, k)
        level = 0.5 if levels is None else levels[1]
        initial = np.where(np.arange(10) < k, level * (1.0 + 0.01 * np.cos(np.arange(10))), 0.0)
        stored = final(build(signal=_SIGMOID, initial=initial))
        rows.append(Comparison.count(most, int((stored > 1e-3).sum()), f"{k} cells, 1 % off equal: survivors"))
    rng = np.random.default_rng(1973)
    for B in (3.0, 4.0):
        counts = []
        for _ in range(6):
            stored = final(build(B=B, signal=_SIGMOID, initial=rng.uniform(0.5, 1.0, size=10)))
            counts.append(int((stored > 1e-3).sum()))
        limit = theory.sigmoid_most_survivors(_A, B, _F)
        rows.append(Comparison.within(1, counts, limit, label=f"B = {B:g}: survivors of 6 random patterns"))
    return rows


@claim(
    "A smooth sigmoid: the graded pattern is transient", source="(21) integrated independently; public course exercise"
)
def graded_pattern_is_transient() -> list[Comparison]:
    """Pattern a shown for one unit of time: four graded cells at t = 10, which look stored; two equal ones at rest."""
    network = build(signal=_SIGMOID, pattern=PATTERN_A, on=1.0)
    early = np.asarray(run(network, duration=10.0, times=[10.0]).final("rcf"))
    late = final(network)
    oracle = _independent(_SIGMOID, PATTERN_A, 1.0, 10.0)
    return [
        Comparison(oracle, early, 1e-6, "transient: activities at t = 10"),
        Comparison.count(4, int((early > 1e-3).sum()), "transient: active cells at t = 10"),
        Comparison.at_least(0.2, float(early[2] - early[1]), label="transient: difference of active cells"),
        Comparison(np.where(np.isin(np.arange(10), (2, 7)), 0.90824829, 0.0), late, 3e-8, "limit: two equal survivors"),
    ]


def _independent(signal: Signal, pattern: np.ndarray, on: float, stop: float) -> np.ndarray:
    """Integrate (21) by SciPy, with the sum over the others written out: I = pattern until `on`, x(0) = 0."""

    def velocity(t: float, x: np.ndarray, I: np.ndarray) -> np.ndarray:
        f = signal(x)
        others = np.array([sum(f[k] for k in range(x.size) if k != i) for i in range(x.size)])
        return -_A * x + (_B - x) * (I + f) - x * others

    x = np.zeros(pattern.size)
    for start, end, I in ((0.0, on, pattern), (on, stop, 0.0 * pattern)):
        x = solved(velocity, (start, end), x, "DOP853", rtol=1e-11, atol=1e-13, args=(I,)).y[:, -1]
    return x


@claim("Arousal, less recurrent inhibition, lowers the quenching threshold", source=_1973 + "arousal")
def arousal_lowers_the_threshold() -> list[Comparison]:
    """The QT of a weak cell beside three strong ones falls with v, and more cells are stored."""
    others, strengths = np.array([0.9, 0.8, 0.7]), (1.0, 0.8, 0.6, 0.4)
    measured, predicted = [], []
    for v in strengths:

        def stored(level: float, v: float = v) -> bool:
            return bool(final(build(signal=_SIGMOID, initial=np.append(others, level), inhibition=v))[-1] > 1e-3)

        measured.append(theory.bisect(stored, 0.0, _B, 1e-5).value)
        predicted.append(theory.cell_threshold(others, _A, _B, _SIGMOID, inhibition=v, tolerance=1e-5).value)
    rows = [
        Comparison(predicted, measured, 2e-5, f"QT at v = {strengths}, by independent integration"),
        Comparison.monotone("falling", measured, label="QT as v falls from 1 to 0.4"),
    ]
    x1 = 0.3
    for v in (1.0, 0.8, 0.5):

        def all_stored(k: int, v: float = v) -> bool:
            level = theory.stored_level(_A, _B, 1.0, k, v)
            initial = np.where(np.arange(20) < k, level * (1.0 + 0.001 * np.cos(np.arange(20))), 0.0)
            stored = final(build(signal=_piecewise(1.0, x1), initial=initial, inhibition=v))
            return int((stored > 1e-3).sum()) == k

        most = next(k for k in range(1, 20) if not all_stored(k + 1))
        limit = math.floor(1.0 / theory.quenching_threshold(_A, _B, 1.0, x1, v))  # each has 1/k of the total
        rows.append(Comparison.count(limit, most, f"v = {v:g}: most cells that are stored, 1/QT(v)"))
    return rows


@claim(
    "Without recurrent signals the field is feedforward: x_i = B I_i/(A + I_i + J_i)", source="review, (21) with f = 0"
)
def inputs_enter_as_in_21() -> Comparison:
    """Constant I and J, no recurrent signal: each cell settles on its own."""
    J = PATTERN_A[::-1].copy()
    stored = final(build(signal=Linear(0.0), pattern=PATTERN_B, J=J, on=math.inf))
    return Comparison(_B * PATTERN_B / (_A + PATTERN_B + J), stored, 1e-8)


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    def velocity(t: float, x: np.ndarray, when: float) -> np.ndarray:
        f = p.signal.gain * x**p.signal.exponent / (p.signal.half**p.signal.exponent + x**p.signal.exponent)
        shown = float(when < p.on)
        excited, inhibited = shown * p.pattern + f, shown * p.J + p.inhibition * (f.sum() - f)
        return np.asarray(-p.A * x + (p.B - x) * excited - x * inhibited)

    return {"rcf.x": integrated(velocity, p.initial, times, [p.on])}


@claim("Its equations, written out by hand", source="(21), integrated by SciPy")
def equations() -> list[Comparison]:
    """Four cells, every parameter off its default."""
    parameters = {
        "A": 0.7,
        "B": 2.2,
        "signal": Numbers(Sigmoid, gain=1.4, half=0.6, exponent=1.7),
        "pattern": np.array([0.3, 0.6, 0.1, 0.4]),
        "J": np.array([0.2, 0.1, 0.3, 0.05]),
        "on": 1.5,
        "initial": np.array([0.2, 0.4, 0.5, 0.1]),
        "inhibition": 0.6,
    }
    return equations_by_hand(build, parameters, _by_hand, np.linspace(0.0, 4.0, 9))


# Figure -------------------------------------------------------------------------------------------------------


@figure("rcf.x")
def stored(run: Run) -> FigureDescription | None:
    """Show what is stored of a pattern, beside the levels of equal survivors."""
    view = run.view("rcf")
    if len(view.shape) > 1 or view.cells > 200:
        return None
    x = run.last("rcf")
    kept = int(np.count_nonzero(x > 1e-2 * x.max())) if x.max() > 1e-3 else 0
    levels = [p for p in run.predictions if p.quantity in ("total of one cell", f"{kept} equal survivors")]
    overlays: list[Level] = []
    field, f, n = run.part("rcf"), run.part("rcf_rcf_exc").signal, x.size
    alone = run.part("rcf_rcf_inh").topology.weight == 1.0 and not np.any(run.inputs_to("rcf", time=run.end))
    total: float | None = None
    if kept == n > 1 and alone and isinstance(f, (Linear, Saturating)):
        A, B, C = float(field.A), float(field.B), float(f.gain)
        total = theory.linear_level(A, B, C)
        if isinstance(f, Saturating):
            total = theory.slower_total(A, B, C, float(f.half), n)
    for prediction in levels:
        if kept == 1 and prediction.quantity == "total of one cell":
            total = max((float(root.level) for root in prediction.value if root.stable), default=None)
        elif kept > 1 and prediction.quantity == f"{kept} equal survivors":
            total = kept * float(prediction.value)
    if total is not None and (kept < n or n == 1):
        words = "theory: the winner" if kept == 1 else f"theory: {kept} equal survivors"
        overlays.append(Level(total / kept, words))
    title = {0: "Nothing is stored: all activities fade", 1: "The largest activity wins, and is stored"}.get(
        kept, f"{kept} of {x.size} cells are stored, the others quenched" if kept < x.size else "The pattern is stored"
    )
    if kept == n > 1 and np.ptp(x) < 1e-3 * x.max():
        title = "All cells become equal: the pattern is lost"
    marks = [Curve(view.times, view.summary[0], "total"), *([] if total is None else [Level(total, "theory")])]
    pattern = pattern_panel(run, "rcf", "Pattern: given and stored")
    lower = [time_panel(run, "Total activity: normalized", marks, y="total activity"), *([pattern] if pattern else [])]
    activities = layer_panel(run, "rcf", "Activities", overlays=[*overlays, *predicted_levels(run, "rcf")])
    signal = value_in_words(run.part("rcf_rcf_exc").signal)
    return FigureDescription(title, f"signal {signal}   ·   {run.below}", ((activities,), lower), (1.15, 1.0))
