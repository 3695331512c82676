"""Levels of recurrent competitive fields, and what they store, beside exact arithmetic and independent integration."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from scipy.integrate import solve_ivp

from brnn import Expression, Power, Saturating, Sigmoid
from brnn.theory import rcf


def exact_levels(A: float, B: float, C: float, p: float) -> tuple[float, float] | None:
    """Return the roots of C w^(p-1) (B - w) = A by bisection with 60 digits, on both sides of the maximum."""
    with mp.workdps(60):
        top = mpf(B) * (mpf(p) - 1) / mpf(p)

        def excess(w: mpf) -> mpf:
            return mpf(C) * w ** (mpf(p) - 1) * (mpf(B) - w) - mpf(A)

        if excess(top) <= 0:
            return None
        roots = []
        for inside, outside, by in ((top, mpf(0), "w"), (top, mpf(B), "gap")):
            for _ in range(1200):
                if by == "w":
                    middle = (inside + outside) / 2 if outside > 0 else inside / 2**8
                    inside, outside = (middle, outside) if excess(middle) > 0 else (inside, middle)
                    if outside > 0 and (inside - outside) < inside * mpf(10) ** -30:
                        break
                else:
                    middle = (inside + outside) / 2
                    inside, outside = (middle, outside) if excess(middle) > 0 else (inside, middle)
            roots.append(float(inside))
        return roots[0], roots[1]


@given(p=st.floats(1.001, 1.5), share=st.floats(-12.0, -0.05), B=st.floats(0.1, 100.0))
@settings(max_examples=25)
@example(p=1.2, share=math.log10(0.05 / 3.0), B=3.0)
@example(p=1.1, share=-1.0, B=3.0)
@example(p=1.01, share=-3.0, B=1.0)  # E1 = 1e-300
@example(p=1.4, share=-12.0, B=2.0)  # E2 within 1e-12 of B
def test_both_levels_are_found_however_near_to_the_ends(p: float, share: float, B: float) -> None:
    """f = w^p: A = 10^share times the most that can be held at B."""
    A = 10.0**share * B**p
    expected = exact_levels(A, B, 1.0, p)
    found = rcf.equilibria(A, B, Power(1.0, p))
    if expected is None:
        assert found == ()
        return
    assert [level.stable for level in found] == [False, True]
    if expected[0] > 1e-300:
        assert found[0].level == pytest.approx(expected[0], rel=1e-11)
    else:
        assert found[0].level < 1e-299
    assert found[1].level == pytest.approx(expected[1], rel=1e-14)
    np.testing.assert_allclose(rcf.faster_levels(A, B, 1.0, p), [level.level for level in found], rtol=1e-11)


@given(B=st.floats(0.1, 50.0), C=st.floats(0.1, 50.0))
@settings(max_examples=25)
def test_roots_that_touch(B: float, C: float) -> None:
    """f = C w^2 with B^2 = 4 A/C: one half-stable level, B/2; a little less decay makes it two, a little more none."""
    A = 0.25 * C * B * B
    (found,) = rcf.equilibria(A, B, Power(C, 2.0))
    assert (found.touches, found.stable) == (True, False)
    assert found.level == pytest.approx(0.5 * B, rel=1e-9)
    for start, end in ((0.5 * B, 0.5 * B), (0.9 * B, 0.5 * B), (0.4 * B, 0.0)):
        assert rcf.storage(A, B, Power(C, 2.0), [start]).total == pytest.approx(end, rel=1e-9)
    assert len(rcf.equilibria(A * (1.0 - 1e-13), B, Power(C, 2.0))) == 2
    assert rcf.equilibria(A * (1.0 + 1e-13), B, Power(C, 2.0)) == ()


SIGNALS = st.one_of(
    st.builds(lambda p: Power(1.0, p), st.floats(1.05, 3.0)),
    st.builds(lambda p: Expression("w**p", p=p), st.floats(1.05, 1.3)),
    st.builds(lambda p, half: Sigmoid(1.0, half, p), st.floats(1.05, 3.0), st.floats(0.05, 2.0)),
    st.builds(lambda half: Saturating(1.0, half), st.floats(0.05, 2.0)),
)


@given(signal=SIGNALS, A=st.floats(0.05, 2.0), start=st.lists(st.floats(0.01, 2.5), min_size=1, max_size=3))
@settings(max_examples=40)
@example(signal=Expression("w**p", p=1.2), A=0.05, start=[0.5, 0.3])
@example(signal=Power(1.0, 1.1), A=0.3, start=[0.5, 0.3])
def test_what_is_said_to_be_stored_is_where_integration_goes(signal: object, A: float, start: list[float]) -> None:
    """If theory names final states, SciPy's solution of (21), in logarithms of the activities, goes to one of them."""
    B = 3.0
    storage = rcf.storage(A, B, signal, start)
    if not storage.possible:
        return

    def growth(_: float, v: np.ndarray) -> np.ndarray:  # of log x: B h(x_i) - A - S
        x = np.exp(v)
        return np.asarray(B * signal.hill(x) - A - np.sum(signal(x)))

    run = solve_ivp(growth, (0.0, 3e3), np.log(start), "Radau", rtol=1e-8, atol=1e-8)
    assert run.success
    assert np.isfinite(run.y).all()
    speed = np.abs(growth(0.0, run.y[:, -1]) * np.exp(run.y[:, -1])).max()
    if speed > 1e-9:  # still on its way
        return
    final = np.exp(run.y[:, -1])
    assert min(np.abs(final - state.ravel()).max() for state in storage.possible) < 1e-3
