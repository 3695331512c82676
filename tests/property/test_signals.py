"""Properties of signals that hold for all parameters and activities."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.signals import (
    Expression,
    Linear,
    Logistic,
    Power,
    Saturating,
    Sigmoid,
    Signal,
    Step,
    ThresholdLinear,
)

gains = st.one_of(st.just(0.0), st.floats(1e-3, 1e3))
positive = st.floats(1e-3, 1e3)
exponents = st.floats(0.2, 6)
thresholds = st.one_of(st.just(0.0), st.floats(1e-3, 10), st.floats(-10, -1e-3))
kinds: dict[str, st.SearchStrategy[Signal]] = {
    "linear": st.builds(Linear, gains),
    "power": st.builds(Power, gains, exponents),
    "saturating": st.builds(Saturating, gains, positive),
    "sigmoid": st.builds(Sigmoid, gains, positive, exponents),
    "logistic": st.builds(Logistic, gains, positive, st.floats(-10, 10)),
    "threshold-linear": st.builds(ThresholdLinear, gains, thresholds, st.one_of(st.just(math.inf), positive)),
    "step": st.builds(Step, gains, thresholds),
    "expression": st.builds(lambda c, d, n: Expression("c*w**n/(d + w**n)", c=c, d=d, n=n), gains, positive, exponents),
}
signals = st.one_of(*kinds.values())
usual = st.floats(1e-4, 1e3)
extreme = st.floats(-1e300, 1e300)


def is_zero_below(signal: Signal) -> bool:
    """Whether the signal is one of the rates that are 0 for w < 0."""
    if isinstance(signal, (Linear, Logistic)):
        return False
    return getattr(signal, "threshold", 0.0) >= 0


@given(signals, st.lists(extreme, min_size=2, max_size=20))
def test_never_falls(signal, activities):
    w = np.sort(np.array(activities))
    f = signal(w)
    if isinstance(signal, Expression):  # inf/inf where w**n overflows: it is computed as it is written
        f = f[~np.isnan(f)]
    assert not np.isnan(f).any()
    # a step down of rounding only
    assert (f[1:] >= f[:-1] * (1 - 1e-15 * np.sign(f[:-1]))).all()


@given(signals, st.lists(st.floats(-1e300, -5e-324), min_size=1, max_size=10))
def test_is_zero_for_negative_activity(signal, activities):
    w = np.array(activities)
    if is_zero_below(signal):
        for result in (signal(w), signal.derivative(w), signal.hill(w)):
            assert (result == 0).all()
    elif isinstance(signal, Linear):
        np.testing.assert_array_equal(signal(w), signal.gain * w)
    else:
        assert (signal(w) >= 0).all()


@given(signals, st.lists(extreme, min_size=1, max_size=20))
def test_is_bounded_by_its_gain(signal, activities):
    f = signal(np.array(activities))
    if isinstance(signal, (Saturating, Sigmoid, Logistic, Step)):
        assert (f >= 0).all()
        assert (f <= signal.gain).all()
    if isinstance(signal, ThresholdLinear) and math.isfinite(signal.ceiling):
        assert (f >= 0).all()
        assert (f <= signal.gain * signal.ceiling).all()


@given(signals, usual)
def test_derivative_is_the_slope_of_f(signal, w):
    step = 1e-5 * w
    corners = []
    if isinstance(signal, (Step, ThresholdLinear)):
        corners = [signal.threshold, signal.threshold + getattr(signal, "ceiling", 0.0)]
    if any(abs(w - corner) <= 3 * step for corner in corners):
        return
    before, after = signal(w - step), signal(w + step)
    scale = abs(signal(w)) / w  # the difference quotient cannot be better than rounding in f and its third derivative
    curvature = getattr(signal, "slope", 0.0) * w
    assert signal.derivative(w) == pytest.approx(
        (after - before) / (2 * step), rel=1e-6 * (1 + curvature**2), abs=1e-250 + 1e-8 * scale * (1 + curvature**2)
    )


@given(signals, st.one_of(usual, st.floats(-1e3, -1e-4)))
def test_hill_times_w_is_f(signal, w):
    assert signal.hill(w) * w == pytest.approx(signal(w), rel=1e-12, abs=1e-300)


@given(signals)
def test_hill_at_zero_is_its_limit(signal):
    limit = signal.hill(0.0)
    near = [signal.hill(w) for w in (1e-100, 1e-120, 1e-140)]
    if math.isinf(limit):
        assert near[2] > near[1] > near[0] > 0
    elif limit == 0:
        assert near[0] == near[1] == near[2] == 0 or near[2] < near[1] < near[0] or near[2] < 1e-12
    else:
        assert near == pytest.approx([limit] * 3, rel=1e-12)


@given(signals)
def test_json_gives_an_equal_signal(signal):
    assert Spec.from_json(signal.to_json()) == signal
    assert Spec.from_json(signal.to_json()).code("slope") == signal.code("slope")


@given(
    signals,
    st.lists(st.sampled_from([0.0, -0.0, 5e-324, -5e-324, 1e-310, 1e-200, 1e200, 1e300, -1e300]), min_size=1),
)
def test_extreme_activities_give_no_warning_and_no_nan(signal, activities):
    w = np.array(activities)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [signal(w), signal.derivative(w), signal.hill(w), signal.shape(1e300), signal.shape(1e-300)]
    if not isinstance(signal, Expression):
        assert not any(np.isnan(result).any() for result in results[:3])


@given(signals, st.floats(1e-3, 1e2))
def test_shape_is_that_of_the_sampled_hill_function(signal, w_max):
    h = signal.hill(np.linspace(0, w_max, 401)[1:])
    rises, falls = (np.diff(h) > 1e-9 * h[1:]).any(), (np.diff(h) < -1e-9 * h[1:]).any()
    kind = signal.shape(w_max)
    # 401 points may miss a small piece, but what they show must be in the name
    assert not (kind == "linear" and (rises or falls))
    assert not (kind == "faster-than-linear" and falls)
    assert not (kind == "slower-than-linear" and rises)


# ---- expressions made at random, together with what they mean ----

Meaning = Callable[[Any, dict[str, Any]], Any]
leaves = st.sampled_from(
    [
        ("w", lambda w, p: w),
        ("c", lambda w, p: p["c"]),
        ("d", lambda w, p: p["d"]),
        ("2", lambda w, p: 2),
        ("0.3", lambda w, p: mpmath.mpf(0.3)),
    ]
)


def grow(inner: st.SearchStrategy[tuple[str, Meaning]]) -> st.SearchStrategy[tuple[str, Meaning]]:
    def join(a, operator, b):
        (s, f), (t, g) = a, b
        return f"({s} {operator} {t})", {
            "+": lambda w, p: f(w, p) + g(w, p),
            "-": lambda w, p: f(w, p) - g(w, p),
            "*": lambda w, p: f(w, p) * g(w, p),
            "/": lambda w, p: f(w, p) / g(w, p),
        }[operator]

    def call(name, a):
        s, f = a
        functions = {"sqrt": mpmath.sqrt, "abs": abs, "exp": mpmath.exp, "log": mpmath.log, "tanh": mpmath.tanh}
        functions |= {"sin": mpmath.sin, "cos": mpmath.cos}
        return f"{name}({s})", lambda w, p: functions[name](f(w, p))

    def power(a, n):
        s, f = a
        exponent = {"2": 2, "-1": -1, "0.5": 0.5, "c": "c"}[n]
        return f"({s})**{n}", lambda w, p: mpmath.power(f(w, p), p.get(exponent, exponent))

    def smaller(name, a, b):
        (s, f), (t, g) = a, b
        return f"{name}({s}, {t})", lambda w, p: {"min": min, "max": max}[name](f(w, p), g(w, p))

    def where(a, comparison, b, x, y):
        (s, f), (t, g), (u, h), (v, k) = a, b, x, y
        tests = {"<": lambda l, r: l < r, ">=": lambda l, r: l >= r}
        return (
            f"where({s} {comparison} {t}, {u}, {v})",
            lambda w, p: h(w, p) if tests[comparison](f(w, p), g(w, p)) else k(w, p),
        )

    return st.one_of(
        st.builds(join, inner, st.sampled_from("+-*/"), inner),
        st.builds(call, st.sampled_from(["sqrt", "abs", "exp", "log", "tanh", "sin", "cos"]), inner),
        st.builds(power, inner, st.sampled_from(["2", "-1", "0.5", "c"])),
        st.builds(smaller, st.sampled_from(["min", "max"]), inner, inner),
        st.builds(where, inner, st.sampled_from(["<", ">="]), inner, inner, inner),
    )


def real(value: Any) -> float:
    value = mpmath.mpmathify(value)
    return math.nan if isinstance(value, mpmath.mpc) else float(value)


@settings(max_examples=150)
@given(st.recursive(leaves, grow, max_leaves=8), st.floats(0.05, 3))
def test_expressions_mean_what_is_written(made, w):
    text, meaning = made
    parameters = {"c": 1.5, "d": 0.25}
    try:
        signal = Expression(f"{text} + 0*(c + d)", parameters)  # a parameter that does not occur is an error
    except SpecError:
        return
    p = {name: mpmath.mpf(value) for name, value in parameters.items()}
    with mpmath.workdps(60):
        try:
            value = real(meaning(mpmath.mpf(w), p))
            step = mpmath.mpf("1e-20")
            sides = [real((meaning(w + k * step, p) - meaning(mpmath.mpf(w), p)) / (k * step)) for k in (-1, 1)]
        except (ZeroDivisionError, OverflowError, ValueError, TypeError):
            return
    if not all(math.isfinite(number) and abs(number) < 1e8 for number in (value, *sides)):
        return
    assert signal(w) == pytest.approx(value, rel=1e-7, abs=1e-7)
    if sides[0] == pytest.approx(sides[1], rel=1e-6, abs=1e-9):  # not at a corner
        assert signal.derivative(w) == pytest.approx(sides[1], rel=1e-5, abs=1e-5)
    assert signal.hill(w) == pytest.approx(value / w, rel=1e-6, abs=1e-5)
