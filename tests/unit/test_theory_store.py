"""The closed forms of STORE beside direct integration, polynomial roots and sampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from brnn.errors import InputError
from brnn.theory import store as theory

TABLED = {  # (A, n): what is stored, computed independently
    (0.3, 5): [0.37274068, 0.20415848, 0.18797249, 0.20768353, 0.24616073],
    (0.1, 7): [0.48222225, 0.15249206, 0.09838135, 0.08492523, 0.08334903, 0.08667659, 0.09254215],
    (1.0, 7): [0.06758947, 0.06758947, 0.09558595, 0.14851896, 0.23734119, 0.38255787, 0.61825989],
    (2.0, 7): [0.02454308, 0.03470915, 0.06413415, 0.12580366, 0.25039576, 0.50018830, 1.00007530],
}


def integrated(
    A: float, places: list[int], strengths: np.ndarray, durations: np.ndarray, gaps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Integrate (41), (42) as they are written, with SciPy."""
    cells = max(places) + 1
    u = np.zeros(2 * cells)

    def slope(_: float, u: np.ndarray, item: np.ndarray) -> np.ndarray:
        x, y = u[:cells], u[cells:]
        total = float(item.any())
        return np.concatenate([(A * item + y - x * x.sum()) * total, (x - y) * (1 - total)])

    xs, ys = [], []
    for place, strength, on, off in zip(places, strengths, durations, gaps, strict=True):
        for item, length in ((strength * np.eye(cells)[place], on), (np.zeros(cells), off)):
            u = solve_ivp(slope, (0, length), u, "DOP853", args=(item,), rtol=1e-11, atol=1e-13).y[:, -1]
        xs.append(u[:cells])
        ys.append(u[cells:])
    return np.array(xs), np.array(ys)


@pytest.mark.parametrize("A", [0.05, 0.4, 1.7])
def test_presented_is_the_solution_of_the_equations(A: float) -> None:
    rng = np.random.default_rng(3)
    places = [0, 1, 0, 2, 2, 1]
    strengths, durations, gaps = rng.uniform(0.5, 2, 6), rng.uniform(0.1, 3, 6), rng.uniform(0.1, 3, 6)
    expected = integrated(A, places, strengths, durations, gaps)
    found = theory.presented(A, 6, durations, gaps, strengths, places)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-9)


def test_what_equilibrates_is_the_recursion() -> None:
    strengths, places = np.array([1.0, 0.5, 2.0, 1.0]), [0, 1, 2, 0]
    _, y = integrated(0.3, places, strengths, np.full(4, 60.0), np.full(4, 40.0))
    np.testing.assert_allclose(theory.history(0.3, 4, strengths, places), y, atol=1e-9)


@pytest.mark.parametrize(("A", "n"), TABLED)
def test_tabled_lists(A: float, n: int) -> None:
    np.testing.assert_allclose(theory.stored(A, n), TABLED[A, n], atol=6e-9)


def test_long_pulses_and_gaps_do_not_overflow() -> None:
    x, y = theory.presented(0.3, 5, np.inf, np.inf)
    np.testing.assert_allclose(y, theory.history(0.3, 5), rtol=1e-14)
    np.testing.assert_allclose(theory.presented(0.3, 5, 1e6, 1e6)[0], x, rtol=1e-14)


def test_boundaries_are_roots_of_polynomials() -> None:
    assert theory.boundary(2) == 1.0
    assert theory.boundary(3) == pytest.approx((3 - 5**0.5) / 2, abs=1e-13)
    # S_3 = 1: S_2 = 1 - A, S_1 = (1 - A)^2 - A, A = S_1^2
    roots = np.roots(np.polysub(np.polymul([1, -3, 1], [1, -3, 1]), [1, 0]))
    real = roots[np.abs(roots.imag) < 1e-12].real
    assert theory.boundary(4) == pytest.approx(real[(real > 0) & (real < 0.3)][0], abs=1e-12)
    tabled = [0.1137738061, 0.0679527442, 0.0410027347, 0.0246203865]
    np.testing.assert_allclose([theory.boundary(n) for n in range(5, 9)], tabled, atol=1e-10)


@given(A=st.floats(0.003, 4), n=st.integers(2, 14))
@settings(max_examples=80, deadline=None)
def test_gradient_trough_and_span_agree_with_the_stored_list(A: float, n: int) -> None:
    y = theory.stored(A, n)
    steps = np.diff(y) / y[1:]
    if (np.abs(steps) < 1e-9).any():
        return  # a tie to rounding
    kind = "primacy" if (steps < 0).all() else "recency" if (steps > 0).all() else "bow"
    assert theory.gradient(A, n) == kind
    assert theory.trough(A, n) == y.argmin() + 1
    assert (theory.span(A) >= n) == (kind == "primacy")
    assert y.sum() == pytest.approx(theory.totals(A, n)[-1], rel=1e-12)


def test_ties() -> None:
    assert theory.gradient(1.0, 2) == "flat"
    assert theory.gradient(1.0, 3) == "recency"
    assert theory.span(1.0) == 1
    assert theory.trough(1.0, 5) == 1


def test_capacity_is_the_limit_of_the_total() -> None:
    for A in (0.01, 0.3, 1.0, 5.0):
        assert theory.totals(A, 200)[-1] == pytest.approx(theory.capacity(A), rel=1e-12)
    assert theory.capacity(2.0) == 2.0


@pytest.mark.parametrize("tolerance", [1e-2, 1e-6])
@pytest.mark.parametrize("A", [0.03, 0.5, 2.0])
def test_needed_lengths_are_just_enough(A: float, tolerance: float) -> None:
    on, gap = theory.needed_duration(A, 6, tolerance), theory.needed_gap(A, 6, tolerance)
    assert theory.deviation(A, 6, on, np.inf) <= tolerance < theory.deviation(A, 6, 0.99 * on, np.inf)
    assert theory.deviation(A, 6, np.inf, gap) <= tolerance < theory.deviation(A, 6, np.inf, 0.99 * gap)
    # exp(-gap) of the new item's activity is not yet taken over; older items, which shrink, are off by more
    assert -np.log(tolerance) <= gap <= -1.4 * np.log(tolerance)


def test_noisy_read_out_beside_sampling() -> None:
    y, s, lists = theory.stored(0.1, 5), 0.03, 200_000
    noisy = y + s * np.random.default_rng(9).standard_normal((lists, 5))
    place = np.argsort(np.argsort(-noisy, axis=1), axis=1)
    sampled = np.array([[(place[:, i] == k).mean() for k in range(5)] for i in range(5)])
    found = theory.output_positions(y, s)
    np.testing.assert_allclose(found, sampled, atol=5 * 0.5 / lists**0.5)
    np.testing.assert_allclose(found.sum(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(found.sum(axis=1), 1.0, atol=1e-12)
    later = (place[:, :, None] > place[:, None, :]).mean(axis=0) + 0.5 * np.eye(5)
    np.testing.assert_allclose(theory.transposed(y, s), later, atol=5 * 0.5 / lists**0.5)
    np.testing.assert_allclose(theory.recalled(y, 0.1, s), (noisy > 0.1).mean(axis=0), atol=5 * 0.5 / lists**0.5)


def test_two_items_change_places_with_the_normal_probability() -> None:
    from scipy.stats import norm

    found = theory.output_positions([0.5, 0.4], 0.1)
    assert found[0, 1] == pytest.approx(norm.cdf(-0.1 / (0.1 * 2**0.5)), abs=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: theory.totals(0.0, 3), "A = 0.0: must be a finite number > 0"),
        (lambda: theory.totals(float("nan"), 3), "must be a finite number > 0"),
        (lambda: theory.totals(0.1, 0), "n = 0: must be at least 1"),
        (lambda: theory.boundary(1), "n = 1: a gradient needs at least 2 items"),
        (lambda: theory.gradient(0.5, 1), "n = 1: a gradient needs at least 2 items"),
        (lambda: theory.span(1e-300), "the span is longer than 10000 items"),
        (lambda: theory.needed_gap(0.1, 3, 2.0), "tolerance = 2.0: must lie between 0 and 1"),
    ],
)
def test_bad_input_is_refused(call: object, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        call()  # type: ignore[operator]
