"""What is said for certain holds between samples, too: touching levels, spikes, exponents near 1, levels at an end."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import brnn
from brnn import Expression, InputError, Logistic, Power, Saturating, Sigmoid, Step, ThresholdLinear
from brnn.signals.enclosed import enclosed, may_jump
from brnn.theory import rcf
from brnn.theory.certain import falls_relative, nondecreasing
from brnn.theory.quenching import certain_threshold
from brnn.theory.regime import field_regime

SIGNALS = (
    Power(1.0, 2.0), Power(2.0, 0.5), Power(1.0, 1.0 + 1e-9), Saturating(1.0, 0.3), Sigmoid(1.0, 0.5, 2.0),
    Sigmoid(1.0, 0.5, 0.7), ThresholdLinear(1.0, 0.2, 1.0), ThresholdLinear(2.0, 0.0, 1.0), Step(1.0, 0.4),
    Logistic(1.0, 3.0, 2.0), Expression("w**2/(d + w**2)", d=0.2), Expression("where(w < 0.3, w**2/0.3, w)"),
    Expression("min(max(w - 0.1, 0)**0.5, 1)"), Expression("1 - cos(3*w)"), Expression("tanh(w)**3"),
    Expression("exp(w) - 1"), Expression("abs(sin(w - 1))"), Expression("log(1 + w)"), Expression("(w + 0.3)**w - 1"),
    Expression("(w - 1)**3 + 1"), Expression("w/(1 + (w - 2)**2)"),
)  # fmt: skip


@pytest.mark.parametrize("signal", SIGNALS, ids=str)
def test_bounds_hold_everything_within(signal: brnn.Signal) -> None:
    random = np.random.default_rng(1)
    low = 10.0 ** random.uniform(-5.0, 0.6, 400)
    high = low * (1.0 + 10.0 ** random.uniform(-7.0, 0.5, 400))
    w = low + (high - low) * random.random((50, 400))
    for part, values in (("kernel", signal(w)), ("quotient", signal.hill(w)), ("slope", signal.derivative(w))):
        if part == "slope" and not isinstance(signal, Expression):
            continue
        least, most = enclosed(signal, part, low, high)
        assert ((values >= least) & (values <= most)).all(), part


@pytest.mark.parametrize(
    ("signal", "rises", "falls"),  # of h(w) + 0.5/w
    [
        (Power(1.0, 2.0), True, False),  # w f' - f = w^2, 9 at the end
        (Sigmoid(1.0, 0.5, 3.0), True, True),  # (p - 1)^2/(4 p) = 1/3
        (Sigmoid(1.0, 0.5, 4.0), True, False),  # 9/16
        (ThresholdLinear(1.0, 0.4), True, True),
        (ThresholdLinear(1.0, 0.6), True, False),
        (Step(1.0, 0.4), True, False),
        (Expression("w**2/(0.25 + w**2)"), True, True),
        (Expression("1 - cos(3*w)"), False, None),
        (Expression("where(w < 1, w, 0.999999)"), False, None),
        (Expression("where(w < 1, w, 1.000001)"), True, None),
    ],
    ids=str,
)
def test_what_rises_and_what_falls(signal: brnn.Signal, rises: bool, falls: bool | None) -> None:
    assert nondecreasing(signal, 3.0) is rises
    assert falls_relative(signal, 3.0, 0.5) is falls


def test_where_a_condition_is_open() -> None:
    signal = Expression("where(w < 0.3, w**2/0.3, w)")
    assert may_jump(signal, [0.1, 0.2, 0.4], [0.2, 0.4, 0.5]).tolist() == [False, True, False]


@given(place=st.floats(0.05, 0.95), width=st.floats(-7.0, -5.0))
@settings(max_examples=15)
@example(place=0.5001, width=-7.0)
def test_a_spike_between_samples_is_no_suppression(place: float, width: float) -> None:
    """f = w/100 + exp(-((w - c)/d)^2)/2: h(c) > 0.5, where A/B = 1/3, but 0.01 at nearly all w."""
    signal = Expression("0.01*w + 0.5*exp(-((w - c)/d)**2)", c=place, d=10.0**width)
    assert float(signal.hill(place)) > 0.5
    assert not rcf.quenches([1.0], 1.0, 3.0, signal)
    assert rcf.quenches([0.9 * place], 1.0, 3.0, signal)
    with pytest.raises(InputError, match="nondecreasing"):
        certain_threshold([1.0], 1.0, 3.0, signal)


@given(B=st.floats(0.1, 50.0), C=st.floats(0.1, 50.0))
@settings(max_examples=15)
def test_levels_that_touch_and_suppression(B: float, C: float) -> None:
    """(B - w) C w = A at w = B/2 for A = C B^2/4: the largest activity falls for certain from below, not from above."""
    A = 0.25 * C * B * B
    for signal in (Power(C, 2.0), Expression("c*w**2", c=C)):
        assert not rcf.quenches([0.6 * B], A, B, signal)
        assert not rcf.quenches([0.6 * B], A * (1.0 - 1e-9), B, signal)
        assert rcf.quenches([0.499 * B], A, B, signal)
        assert rcf.quenches([0.6 * B], A * (1.0 + 1e-5), B, signal)


@given(p=st.floats(1.01, 1.3), share=st.floats(-9.0, -1.0))
@settings(max_examples=15)
@example(p=1.2, share=-9.0)
@example(p=1.015625, share=-5.0)  # a lower root of 1e-319
@example(p=1.0216361312192432, share=-6.728469168863164)
def test_suppression_near_both_ends(p: float, share: float) -> None:
    """Below the lower root of w^(p-1) (B - w) = A, however small it is; above it not, nor above the upper one."""
    B = 3.0
    A = 10.0**share * B**p
    found = rcf.faster_levels(A, B, 1.0, p)
    if found is None or found[0] < 1e-250:
        return
    lower, upper = found
    signal = Power(1.0, p)
    assert rcf.quenches([lower * (1.0 - 1e-6)], A, B, signal)
    assert not rcf.quenches([lower * (1.0 + 1e-6)], A, B, signal)
    assert not rcf.quenches([min(upper * (1.0 + 1e-6), B)], A, B, signal)


@pytest.mark.parametrize("by", [1e-9, 1e-11, 1e-13])
def test_exponents_next_to_1(by: float) -> None:
    """C w^(1 +- by) is not linear: one winner, or all equal, however long that takes; B h(w) = A + S."""
    pattern = [0.5, 0.3, 0.2]
    slower, faster = Power(1.0, 1.0 - by), Power(1.0, 1.0 + by)
    assert rcf.storage(1.0, 3.0, slower, pattern).final == pytest.approx(np.full(3, 2.0 / 3.0), rel=1e-6)
    assert rcf.most_survivors(1.0, 3.0, slower, 3) == 3
    storage = rcf.storage(1.0, 3.0, faster, pattern)
    assert "linear stretch" not in storage.theorem
    assert rcf.most_survivors(1.0, 3.0, faster, 3) == 1
    for state in storage.possible:
        assert np.count_nonzero(state) <= 1
    inhibited = field_regime(1.0, 3.0, faster, pattern, 0.0, 0.1)
    assert inhibited.final is None, "B C - A is the same for all, but they do not keep their ratios"
    assert "ratios" not in inhibited.words


def test_a_flat_stretch_keeps_ratios() -> None:
    """f = min(w, 2.5) and J = 0.1: on the stretch all have the rate B - A - J, so that any ratio stays, total 1.9."""
    signal = ThresholdLinear(1.0, 0.0, 2.5)
    start = np.array([1.2, 0.5, 0.2])
    held = start * (1.9 / start.sum())
    rates = -1.1 * held + (3.0 - held) * held - held * (held.sum() - held)
    np.testing.assert_allclose(rates, 0.0, atol=1e-14)  # a rest, and so is every other pattern with this total
    found = field_regime(1.0, 3.0, signal, start, 0.0, 0.1)
    assert found.final is None
    assert "flat" in found.words


def test_a_signal_of_ones_own_says_that_it_was_sampled() -> None:
    class Own:
        """w^2, as a class of the user's own."""

        def __call__(self, w: np.ndarray) -> np.ndarray:
            return np.square(w)

        def hill(self, w: np.ndarray) -> np.ndarray:
            return np.asarray(w, dtype=float)

        def derivative(self, w: np.ndarray) -> np.ndarray:
            return 2.0 * np.asarray(w)

        def shape(self, w_max: float) -> str:
            return "faster-than-linear"

    found = rcf.storage(1.0, 3.0, Own(), [1.2, 0.3])
    assert found.final == pytest.approx([(3.0 + math.sqrt(5.0)) / 2.0, 0.0])
    assert "as far as samples" in found.theorem
    assert "as far as samples" not in rcf.storage(1.0, 3.0, Power(), [1.2, 0.3]).theorem
    with pytest.raises(InputError, match="between samples"):
        certain_threshold([1.0], 1.0, 3.0, Own())


def test_what_falls_is_not_said_to_rise_because_it_is_large_below_0() -> None:
    """exp(-80 w) falls from 1 to 0, and is e^80 at -1."""
    assert nondecreasing(brnn.Function("exp(-80*w)"), 1.0) is not True
