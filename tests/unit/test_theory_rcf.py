"""Theory of the recurrent competitive field beside two things that are not theory.

These are SciPy on the equation written out here, and reference numbers that were computed independently (NumPy,
LSODA at rtol 1e-11) for A = 1, B = 3 and ten cells with pattern a of a public course exercise.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from brnn.errors import InputError
from brnn.signals import Expression, Linear, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear
from brnn.theory import rcf
from brnn.theory.judged import judged
from brnn.theory.quenching import certain_threshold

A, B, F = 1.0, 3.0, 0.25
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
SIGMOID = Sigmoid(1.0, math.sqrt(F), 2.0)
STRETCH = Expression("min(w**2/a, w)", a=0.3)  # faster than linear below 0.3, linear from there on


def sigmoid(w):
    return w * w / (F + w * w)


def stretch(w):
    w = np.maximum(w, 0.0)
    return np.minimum(w * w / 0.3, w)


def ode(rhs, x0, t, method="DOP853"):
    """Integrate with SciPy and return the states at the times t (or the last one)."""
    t = np.atleast_1d(t)
    run = solve_ivp(rhs, (0.0, float(t[-1])), np.asarray(x0, float), method, t_eval=t, rtol=1e-11, atol=1e-13)
    assert run.success
    return run.y.T


def field(f, x0, t, v=1.0, a=A, b=B):
    """Integrate dx_i/dt = -A x_i + (B - x_i) f(x_i) - v x_i sum_{k != i} f(x_k), with f a plain function."""

    def rhs(time, x):
        fx = f(x)
        others = np.array([sum(fx[k] for k in range(len(x)) if k != i) for i in range(len(x))])
        return -a * x + (b - x) * fx - v * x * others

    return ode(rhs, x0, t, "LSODA")


# The recurrent competitive field: equations ------------------------------------------------------------------


@pytest.mark.parametrize("signal", [Linear(0.8), Power(2.0, 1.7), Saturating(), SIGMOID, STRETCH])
def test_pattern_equations_are_the_field(signal):
    x = PATTERN * 0.7
    total = x.sum()
    slopes = np.array(
        [
            -A * x[i] + (B - x[i]) * signal(x[i]) - x[i] * sum(signal(x[k]) for k in range(10) if k != i)
            for i in range(10)
        ]
    )
    assert rcf.velocity(x, A, B, signal) == pytest.approx(slopes, abs=1e-14)
    assert rcf.total_velocity(x / total, total, A, B, signal) == pytest.approx(slopes.sum(), abs=1e-13)
    pattern_slopes = slopes / total - x * slopes.sum() / total**2
    assert rcf.pattern_velocity(x / total, total, B, signal) == pytest.approx(pattern_slopes, abs=1e-14)


def test_linear_patterns_stand_still_exactly():
    assert not rcf.pattern_velocity(PATTERN / PATTERN.sum(), 2.0, B, Linear(1.0)).any()


@pytest.mark.parametrize("v", [1.0, 0.4])
@pytest.mark.parametrize("signal", [Power(2.0, 1.7), Saturating(), SIGMOID])
def test_jacobian_by_differences(signal, v):
    x, step = PATTERN[:4], 1e-6
    J = rcf.jacobian(x, A, B, signal, v)
    for j in range(4):
        e = np.eye(4)[j] * step
        column = (rcf.velocity(x + e, A, B, signal, v) - rcf.velocity(x - e, A, B, signal, v)) / (2 * step)
        assert J[:, j] == pytest.approx(column, abs=1e-8)


# Closed forms ------------------------------------------------------------------------------------------------


def test_linear_total():
    assert rcf.linear_total(A, B, 1.0, 4.3, 0.7) == pytest.approx(2.30388390, abs=5e-9)
    assert rcf.linear_total(A, B, 1.0, 4.3, 1e4) == 2.0 == rcf.linear_level(A, B, 1.0)
    assert rcf.linear_level(A, B, 0.2) == 0
    t = np.array([0.0, 0.5, 3.0])
    for C in (1.0, 0.2, 1 / 3):  # stored, decaying, and the case between
        want = field(lambda w, C=C: C * w, PATTERN, t)
        assert rcf.linear_total(A, B, C, 4.3, t) == pytest.approx(want.sum(axis=1), abs=1e-9)
        assert want[-1] / want[-1].sum() == pytest.approx(PATTERN / 4.3, abs=1e-9)
    assert rcf.linear_total(A, B, 1.0, 0.0, t) == pytest.approx(np.zeros(3))


def test_slower_than_linear_level():
    assert rcf.slower_total(A, B, 1.0, F, 10) == pytest.approx(2.5, abs=1e-15)
    end = field(lambda w: w / (F + w), PATTERN, 200.0)[-1]
    assert end == pytest.approx(np.full(10, 0.25), abs=1e-9)
    (only,) = rcf.equilibria(A, B, Saturating(1.0, F), survivors=10)
    assert (only.level, only.stable) == (pytest.approx(0.25), True)
    assert rcf.slower_total(A, 0.2, 1.0, F, 10) == 0


def test_faster_than_linear_levels():
    low, high = rcf.faster_levels(A, B, 1.0)
    assert (low, high) == (pytest.approx(0.381966011250105, abs=1e-15), pytest.approx(2.618033988749895, abs=1e-15))
    assert rcf.faster_levels(A, 1.9, 1.0) is None
    assert rcf.faster_levels(A, 2.0, 1.0) == (1.0, 1.0)
    assert field(lambda w: w * w, [0.381], 60.0)[-1] == pytest.approx([0.0], abs=1e-9)
    assert field(lambda w: w * w, [0.383], 60.0)[-1] == pytest.approx([high], abs=1e-9)
    for p in (1.3, 2.0 + 1e-12, 3.0, 4.0):
        for u in rcf.faster_levels(A, B, 0.7, p):
            assert -A * u + (B - u) * 0.7 * u**p == pytest.approx(0.0, abs=1e-11)
    assert rcf.faster_levels(A, B, 1e-3, 4.0) is None
    # Roots beside each other, at the maximum u = B (p - 1)/p but for rounding.
    first = 75.50401244530013, 16.0, 5.0, 1.1
    second = 46020.734513806536, 59.46144360613239, 91.71387815849319, 1.8307814914256122
    for a, b, c, p in (first, second):
        assert rcf.faster_levels(a, b, c, p) == pytest.approx([b * (p - 1.0) / p] * 2, rel=1e-7)
    with pytest.raises(InputError, match="p = 1"):
        rcf.faster_levels(A, B, 1.0, 1.0)


def test_sigmoid_levels():
    want = [1.41143783, (3 + math.sqrt(6)) / 6, 0.65450850, 0.5]
    for k, u in enumerate(want, start=1):
        low, high = rcf.sigmoid_levels(A, B, F, k)
        assert high == pytest.approx(u, abs=5e-9)
        lower, upper = rcf.equilibria(A, B, SIGMOID, survivors=k)
        assert (lower.level, upper.level) == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
        assert (lower.stable, upper.stable) == (False, True)
    assert rcf.sigmoid_levels(A, B, F, 20) is None
    a, b, f, g, k = 0.7, 2.0, 0.1, 1.9, 3
    for u in rcf.sigmoid_levels(a, b, f, k, g):
        signal = g * u**2 / (f + u**2)
        assert -a * u + (b - u) * signal - u * (k - 1) * signal == pytest.approx(0.0, abs=1e-13)


def test_a_weak_sigmoid_stores_nothing():
    """f = 0.2 w^2/(F + w^2) at most 0.2: h is at most 0.2, below A/(B - w) >= 1/3."""
    assert rcf.sigmoid_most_survivors(A, B, F, 0.2) == 0
    assert rcf.sigmoid_levels(A, B, F, 1, 0.2) is None


def test_most_survivors_of_large_numbers():
    """k < B/sqrt(F) - 2A/G = 4, a difference of two numbers of a million."""
    assert rcf.most_survivors(0.5e6, 1e6 + 4.0, Sigmoid(1.0, 1.0, 2.0), 10) == 3


def test_most_survivors():
    assert rcf.sigmoid_most_survivors(A, B, F) == 3  # k < 4, so that exactly 4 is not stored
    assert rcf.most_survivors(A, B, SIGMOID, 10) == 3
    assert rcf.most_survivors(A, B, SIGMOID, 2) == 2
    assert rcf.most_survivors(A, B, Power(), 10) == 1
    assert rcf.most_survivors(A, 1.9, Power(), 10) == 0
    assert rcf.most_survivors(A, B, Saturating(1.0, F), 10) == 10
    assert rcf.most_survivors(A, B, Linear(), 10) == 10
    assert rcf.most_survivors(A, B, STRETCH, 50) == 6  # below K/x1 = 2/0.3
    assert rcf.most_survivors(A, B, Step(1.0, 0.3), 50) == 8  # level B/(A + k) above 0.3
    for a, b, f, g in ((0.5, 2.0, 0.02, 1.5), (1.0, 4.0, 0.01, 3.0), (2.0, 3.0, 0.2, 1.0)):
        signal = Sigmoid(g, math.sqrt(f), 2.0)
        assert rcf.most_survivors(a, b, signal, 1000) == rcf.sigmoid_most_survivors(a, b, f, g)


@pytest.mark.parametrize(("a", "b", "f", "v"), [(1.0, 3.0, 0.01, 0.05), (0.5, 2.0, 0.02, 0.05), (1.0, 3.0, 0.01, 0.3)])
def test_most_survivors_with_weak_inhibition(a: float, b: float, f: float, v: float):
    """H' = 0 is B w^2 + 2 (1 - v) F w - B F = 0 for f = w^2/(F + w^2); the bound is the level formula at that top."""
    w = (-(1 - v) * f + math.sqrt(((1 - v) * f) ** 2 + b * b * f)) / b
    bound = 1 + ((b - a * (f + w * w) / w) / w - 1) / v
    assert rcf.most_survivors(a, b, Sigmoid(1.0, math.sqrt(f), 2.0), 10_000, inhibition=v) == math.floor(bound)


def test_four_equal_cells_decay_to_three_and_two_stay():
    def settled(k):
        start = np.full(k, rcf.sigmoid_levels(A, B, F, k)[1]) * (1 + 0.01 * np.arange(k) / k)
        return field(sigmoid, start, 3000.0)[-1]

    assert settled(2) == pytest.approx(np.full(2, 0.90824829), abs=1e-8)
    assert settled(3) == pytest.approx(np.full(3, 0.65450850), abs=1e-8)
    assert np.sum(settled(5) > 1e-3) == 3


@pytest.mark.parametrize(
    ("signal", "k", "n", "v"),
    [
        (SIGMOID, 2, 5, 1.0),
        (SIGMOID, 4, 4, 1.0),
        (SIGMOID, 5, 7, 0.3),
        (Power(), 1, 3, 1.0),
        (Saturating(2.0, 0.5), 3, 5, 0.6),
    ],
)
def test_modes_are_the_eigenvalues(signal, k, n, v):
    for found in rcf.equilibria(A, B, signal, survivors=k, inhibition=v):
        x = np.where(np.arange(n) < k, found.level, 0.0)
        assert rcf.velocity(x, A, B, signal, v) == pytest.approx(np.zeros(n), abs=1e-12)
        modes = rcf.modes(found.level, A, B, signal, survivors=k, n=n, inhibition=v)
        want = np.linalg.eigvals(rcf.jacobian(x, A, B, signal, v)).real
        parts = [modes.common] + [modes.difference] * (k - 1) + [modes.silent] * (n - k)
        assert np.sort(parts) == pytest.approx(np.sort(want), abs=1e-7)
        assert modes.stable == (want.max() < -1e-7)
        assert found.stable == (modes.common < 0)


def test_equilibria_alternate_and_close_pairs_are_found():
    steps = Expression("w**2/(0.01 + w**2)/4 + 4*w**12/(1.3**12 + w**12)")
    found = rcf.equilibria(A, B, steps)
    assert len(found) >= 4
    assert [one.stable for one in found] == [False, True] * (len(found) // 2)
    for one in found:
        assert (B - one.level) * steps.hill(one.level) == pytest.approx(A, rel=1e-9)
    pair = rcf.equilibria(A, 2.0 + 1e-9, Power())
    assert [one.stable for one in pair] == [False, True]
    assert pair[1].level - pair[0].level < 1e-4


def test_a_step_separates_without_an_equilibrium():
    jump, level = rcf.equilibria(A, B, Step(1.0, 0.3), survivors=2)
    assert (jump.jump, jump.stable, jump.level) == (True, False, pytest.approx(0.3))
    assert (level.jump, level.stable, level.level) == (False, True, pytest.approx(B / (A + 2)))


@pytest.mark.parametrize(("name", "value"), [("A", 0.0), ("B", -1.0), ("survivors", 0), ("inhibition", -0.1)])
def test_bad_parameters_are_named(name, value):
    arguments = {"A": A, "B": B, "survivors": 1, "inhibition": 1.0, name: value}
    with pytest.raises(InputError, match=f"{name} = "):
        rcf.equilibria(
            arguments["A"],
            arguments["B"],
            SIGMOID,
            survivors=arguments["survivors"],
            inhibition=arguments["inhibition"],
        )


# What is stored ----------------------------------------------------------------------------------------------


def test_a_pattern_may_come_to_where_a_faster_than_linear_signal_is_linear():
    """f = w below 1: 20 cells come to share B - A/C = 2.5 there, with their ratios, and nothing wins."""
    signal, x = Expression("where(w < 1, w, w**2)"), np.array([1.2, *[0.9] * 20])
    assert signal.shape(3.0) == "faster-than-linear"
    assert rcf.storage(0.5, 3.0, signal, x).final is None
    end = field(lambda w: np.where(w < 1, w, w * w), x, 400.0, a=0.5, b=3.0)[-1]
    assert end.sum() == pytest.approx(2.5, abs=1e-8)
    assert end.max() < 0.2


def test_a_cell_beside_one_is_stored_if_it_is_the_larger():
    threshold = rcf.cell_threshold([1.0], A, B, Power())
    assert threshold.value == pytest.approx(1.0, abs=1e-6)


def test_storage_by_the_four_theorems():
    linear = rcf.storage(A, B, Linear(), PATTERN)
    assert linear.theorem.startswith("linear signal: every pattern is stored unchanged, with the total B - A/C = 2")
    assert linear.final == pytest.approx(PATTERN / 4.3 * 2, abs=1e-14)
    slower = rcf.storage(A, B, Saturating(1.0, F), PATTERN.reshape(2, 5))
    assert slower.final == pytest.approx(np.full((2, 5), 0.25))
    faster = rcf.storage(A, B, Power(), PATTERN)
    assert faster.final is None  # the total falls far before the contrast is complete
    nothing, winner = faster.possible
    assert not nothing.any()
    assert winner == pytest.approx(np.where(np.arange(10) == 2, 2.618033988749895, 0.0))
    assert field(lambda w: w * w, PATTERN, 100.0)[-1] == pytest.approx(winner, abs=1e-9)
    sure = rcf.storage(A, B, Power(), [0.2, 1.5, 0.3])
    assert sure.final == pytest.approx([0.0, 2.618033988749895, 0.0])
    sigmoid = rcf.storage(A, B, SIGMOID, PATTERN)
    assert (sigmoid.shape, sigmoid.final, sigmoid.most) == ("sigmoid", None, 3)
    assert sigmoid.total is None
    assert sigmoid.stored is None
    assert "quenching threshold" in repr(sigmoid)


def test_storage_on_a_linear_stretch():
    start = np.array([0.1, 0.35, 0.2, 0.5, 0.15, 0.7])
    known = rcf.storage(A, B, STRETCH, start)
    assert known.final == pytest.approx([0, 0.45161290, 0, 0.64516129, 0, 0.90322581], abs=5e-9)
    assert known.total == pytest.approx(2.0)
    assert known.stored.tolist() == [False, True, False, True, False, True]
    assert known.most == 6


@pytest.mark.parametrize("beside", [0.3881, 0.3884])
def test_the_quenching_threshold_on_relative_activity_is_exact(beside):
    # X_i(0) = x1/K = 0.15 for the smallest cell beside a total of 2.2 is an activity of 0.38823529.
    start = np.array([0.5, 0.7, 0.4, 0.6, beside])
    known = rcf.storage(A, B, STRETCH, start)
    assert known.stored[-1] == (beside / start.sum() > rcf.quenching_threshold(A, B, 1.0, 0.3))
    end = field(stretch, start, 2000.0)[-1]
    assert known.final == pytest.approx(end, abs=1e-6)


def test_a_hill_between_samples_is_reckoned_with():
    """Without it B h < A everywhere; a cell within it grows, so that "everything is quenched" is no theorem."""
    smooth = "0.1*w**2/(1 + w**2)"
    hidden = Expression(f"{smooth} + 400*w**2*exp(-((w - c)/1e-6)**2)", c=0.1234567)
    assert (1.0 - 0.1234567) * hidden(0.1234567) / 0.1234567 > 1.0
    known = rcf.storage(1.0, 1.0, hidden, [0.1, 0.3])
    assert known.theorem.endswith("everything is quenched (as far as samples of this signal tell)")
    certain = rcf.storage(1.0, 1.0, Expression(smooth), [0.1, 0.3])
    assert certain.theorem.endswith("everything is quenched")


def test_noise_is_suppressed():
    for signal, scale in ((Power(), 0.08), (SIGMOID, 0.02), (STRETCH, 0.02), (ThresholdLinear(1.0, 0.3), 0.3)):
        known = rcf.storage(A, B, signal, scale * PATTERN)
        assert not known.final.any()
        assert field(signal, scale * PATTERN, 100.0)[-1] == pytest.approx(np.zeros(10), abs=1e-8)


@pytest.mark.parametrize(
    "signal", [Linear(0.2), Linear(1 / 3), Saturating(0.05, 0.25), Power(0.2, 2.0), Sigmoid(0.1, 0.5)]
)
def test_nothing_is_stored_if_excitation_is_too_weak(signal):
    known = rcf.storage(A, B, signal, PATTERN)
    assert not known.final.any()
    assert known.most == 0


def test_cells_that_are_equal_or_alone():
    assert rcf.storage(A, B, SIGMOID, [0.0, 0.2, 0.0]).final == pytest.approx([0, 1.41143783, 0], abs=5e-9)
    assert rcf.storage(A, B, SIGMOID, [0.3, 0.3]).final == pytest.approx([0.90824829] * 2, abs=5e-9)
    assert rcf.storage(A, B, Power(), [0.5, 0.5]).final is None  # equal winners are unstable
    assert rcf.storage(A, B, Power(), [0.5, 0.5, 0.1]).possible == ()
    level = rcf.faster_levels(A, B, 1.0)[0]
    assert rcf.storage(A, B, Power(), [level]).final == pytest.approx([level])
    assert not rcf.storage(A, B, Power(), [0.0, 0.0]).final.any()
    assert rcf.storage(A, B, Saturating(1.0, F), [0.1, 0.0, 2.0]).stored.tolist() == [True, False, True]


def test_storage_says_when_the_theorems_do_not_apply():
    assert rcf.storage(A, B, Logistic(), PATTERN).possible == ()
    assert rcf.storage(A, B, ThresholdLinear(1.0, 0.0, 0.5), PATTERN).final is None
    inside = rcf.storage(A, B, ThresholdLinear(1.0, 0.0, 0.5), PATTERN / 2)
    assert inside.final == pytest.approx(PATTERN / 4.3 * 2)  # never leaves the linear stretch
    for bad in ([-0.1], [3.1], [math.nan], []):
        with pytest.raises(InputError, match="initial"):
            rcf.storage(A, B, Power(), bad)


@pytest.mark.parametrize(
    ("signal", "f"),
    [
        (STRETCH, stretch),
        (Expression("min(w**3/0.16, 2*w, 1.2)"), lambda w: np.minimum(np.minimum(w**3 / 0.16, 2 * w), 1.2)),
        (Power(1.5, 1.6), lambda w: 1.5 * np.maximum(w, 0) ** 1.6),
        (ThresholdLinear(2.0, 0.2), lambda w: 2 * np.maximum(w - 0.2, 0)),
        (SIGMOID, sigmoid),
        (Expression("w + w**2"), lambda w: w + w * w),
        (Expression("max(w, w**2/0.4)"), lambda w: np.maximum(w, w * np.maximum(w, 0) / 0.4)),
    ],
)
def test_what_storage_says_is_what_happens(signal, f):
    rng = np.random.default_rng(11)
    said = 0
    for _ in range(40):
        n = int(rng.integers(1, 7))
        start = rng.random(n) * rng.choice([0.1, 0.5, 1.5])
        known = rcf.storage(A, B, signal, start)
        if known.possible:
            end = field(f, start, 600.0)[-1]
            assert min(np.abs(end - state).max() for state in known.possible) < 1e-5, start
            said += known.final is not None
    assert said >= 8  # it has to say something often enough to be of use


# Quenching threshold and arousal -----------------------------------------------------------------------------


def test_noise_threshold_of_the_sigmoid():
    found = rcf.noise_threshold(PATTERN, A, B, SIGMOID, tolerance=1e-9)
    assert found.value == pytest.approx(0.10264750, abs=5e-9)
    assert found.error <= 5e-10
    assert "+-" in str(found)
    assert field(sigmoid, (found.value - 1e-5) * PATTERN, 400.0)[-1].max() < 1e-6
    above = field(sigmoid, (found.value + 1e-5) * PATTERN, 400.0)[-1]
    assert above == pytest.approx(np.where(np.arange(10) == 2, 1.41143783, 0), abs=1e-7)


def test_certain_threshold_has_closed_ends():
    """w^2, C = 1: below, (B - x) x = A for the largest x; above, B x = A + q x^2 with q = sum of X_i^2/X_max^2."""
    pattern = np.array([0.2, 0.9, 0.4])
    found = certain_threshold(pattern, A, B, Power())
    assert found.lower == pytest.approx((B - math.sqrt(B**2 - 4.0 * A)) / 2.0 / 0.9, rel=1e-3)  # of 2,001 points
    q = (pattern**2).sum() / 0.81
    assert found.upper == pytest.approx((B - math.sqrt(B**2 - 4.0 * A * q)) / (2.0 * q) / 0.9, rel=1e-12)
    assert found.lower < rcf.noise_threshold(pattern, A, B, Power()).value < found.upper
    with pytest.raises(InputError, match="no factor of this pattern"):
        certain_threshold(pattern, A, 1.9, Power())


def test_noise_threshold_of_one_cell_is_the_unstable_equilibrium():
    assert rcf.noise_threshold([1.0], A, B, Power(), tolerance=1e-10).value == pytest.approx(
        0.381966011250105, abs=1e-9
    )
    close = rcf.faster_levels(A, 2.0001, 1.0)  # both roots between two trials
    assert rcf.noise_threshold([1.0], A, 2.0001, Power()).value == pytest.approx(close[0], abs=1e-7)
    with pytest.raises(InputError, match="stores nothing"):
        rcf.noise_threshold([1.0], A, 1.9, Power())
    with pytest.raises(InputError, match="suppresses no noise"):
        rcf.noise_threshold([1.0], A, B, Linear())
    with pytest.raises(InputError, match="pattern"):
        rcf.noise_threshold([0.0], A, B, Power())


@pytest.mark.parametrize("signal", [Power(), Expression("w**2")])
def test_both_ends_of_a_measured_threshold_are_judged(signal):
    """One cell alone: the threshold is the unstable level, (3 - sqrt 5)/2; what is not near it is no bracket of it."""
    measured = rcf.noise_threshold([1.0], A, B, signal)
    found = judged(measured, [1.0], A, B, signal)
    assert found.lower < (3.0 - math.sqrt(5.0)) / 2.0 < found.upper
    assert found.error < 1e-7
    assert judged(rcf.Bracket(0.5, 0.6), [1.0], A, B, signal) is None
    assert judged(rcf.Bracket(0.1, 0.2), [1.0], A, B, signal) is None


def test_a_judged_threshold_of_many_cells():
    found = judged(rcf.noise_threshold(PATTERN, A, B, SIGMOID), PATTERN, A, B, SIGMOID)
    assert found.lower < 0.10264750 < found.upper
    assert found.error < 1e-6
    assert field(sigmoid, found.lower * PATTERN, 400.0)[-1].max() < 1e-6
    assert field(sigmoid, found.upper * PATTERN, 400.0)[-1].max() > 1.0


def test_settle_is_the_field():
    for signal, f in ((SIGMOID, sigmoid), (Power(), lambda w: w * w), (Linear(), lambda w: w)):
        assert rcf.settle(PATTERN, A, B, signal) == pytest.approx(field(f, PATTERN, 2000.0)[-1], abs=1e-7)
    assert rcf.settle(np.zeros((2, 2)), A, B, SIGMOID).tolist() == [[0, 0], [0, 0]]
    kept = rcf.settle([1.0, 0.0], A, B, Saturating(1.0, F))
    assert kept[1] == 0  # a silent cell stays silent, although a small disturbance of it would grow


def test_ignition_and_quenching_exclude_each_other():
    rng = np.random.default_rng(3)
    for _ in range(200):
        x = rng.random(5) * rng.choice([0.05, 0.3, 1.0])
        both = rcf.ignites(x, A, B, SIGMOID), rcf.quenches(x, A, B, SIGMOID)
        assert both != (True, True)
        if both[0]:
            assert rcf.settle(x, A, B, SIGMOID).any()
    assert not rcf.ignites([0.0], A, B, SIGMOID)
    assert rcf.quenches([0.0], A, B, SIGMOID)


@pytest.mark.parametrize("v", [0.7, 1.6])
def test_a_field_ignites_where_a_cell_grows_whatever_the_inhibition(v: float) -> None:
    rng = np.random.default_rng(4)
    found, grows = [], []
    for _ in range(200):
        x = rng.random(5) * rng.choice([0.05, 0.1, 0.3, 1.0])
        f = sigmoid(x)
        grows.append(bool((-A * x + (B - x) * f - v * x * (f.sum() - f)).max() >= 0.0))
        found.append(rcf.ignites(x, A, B, SIGMOID, v))
    assert found == grows
    assert 20 < sum(grows) < 180


def test_arousal_closed_forms():
    assert rcf.quenching_threshold(A, B, 1.0, 0.3) == pytest.approx(0.3 / 2)
    thresholds = [rcf.quenching_threshold(A, B, 1.0, 0.3, v) for v in (1.0, 0.7, 0.4, 0.1)]
    assert all(np.diff(thresholds) < 0)
    for v in (0.9, 0.5, 0.1):
        k = rcf.most_survivors(A, B, STRETCH, 500, inhibition=v)
        assert k == math.ceil(1 + (2 / 0.3 - 1) / v) - 1
        level = rcf.stored_level(A, B, 1.0, k, v)
        assert level > 0.3 >= rcf.stored_level(A, B, 1.0, k + 1, v)
        assert 1 / k > rcf.quenching_threshold(A, B, 1.0, 0.3, v) >= 1 / (k + 1)
        levels = rcf.equilibria(A, B, STRETCH, survivors=k, inhibition=v)
        assert levels[-1].level == pytest.approx(level)
    with pytest.raises(InputError, match="inhibition"):
        rcf.quenching_threshold(A, B, 1.0, 0.3, 1.5)
    with pytest.raises(InputError, match="x1"):
        rcf.quenching_threshold(A, B, 1.0, 2.5)


def test_less_inhibition_stores_more_and_equalizes():
    start = np.array([0.1, 0.35, 0.2, 0.5, 0.15, 0.7])
    counts = []
    for v in (1.2, 1.0, 0.5, 0.3, 0.1):
        end = field(stretch, start, 2000.0, v)[-1]
        alive = end[end > 1e-6]
        counts.append(len(alive))
        if v < 1:
            assert alive == pytest.approx(np.full(len(alive), rcf.stored_level(A, B, 1.0, len(alive), v)), abs=1e-6)
        assert rcf.settle(start, A, B, STRETCH, inhibition=v) == pytest.approx(end, abs=1e-6)
    assert counts == [1, 3, 3, 4, 5]


def test_arousal_lowers_the_measured_threshold():
    thresholds = [
        rcf.cell_threshold([0.5, 0.7, 0.4, 0.6], A, B, STRETCH, inhibition=v, upper=1.0, tolerance=1e-4)
        for v in (1.0, 0.7, 0.4, 0.1)
    ]
    assert thresholds[0].value == pytest.approx(0.15 / 0.85 * 2.2, abs=1e-3)
    assert all(low.upper < high.lower for high, low in itertools.pairwise(thresholds))


def test_bisection():
    found = rcf.bisect(lambda x: x > math.pi, 0.0, 10.0, 1e-6)
    assert found.lower <= math.pi <= found.upper
    assert found.error <= 5e-7
    assert rcf.bisect(lambda x: x > math.pi, 0.0, 10.0, 1e-30).value == pytest.approx(math.pi, abs=1e-14)
    with pytest.raises(InputError, match="no threshold"):
        rcf.bisect(lambda x: True, 0.0, 1.0, 1e-6)


def test_quenching_threshold_with_less_inhibition():
    # v x1/[K - (1 - v) x1] with K = 3 - 1/2: 0.4 0.5/(2.5 - 0.3)
    assert rcf.quenching_threshold(1.0, 3.0, 2.0, 0.5, inhibition=0.4) == pytest.approx(0.2 / 2.2, rel=1e-14)
