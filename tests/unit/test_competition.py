"""Jump sets of rates that are known, the voting paradox in closed form, and a market's equilibrium."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import minimize

import brnn
from brnn.errors import InputError
from brnn.theory import competition as theory

# Jumps ---------------------------------------------------------------------------------------------------------


def test_jumps_of_straight_lines_are_exact() -> None:
    """1 - t, t and 3 t - 4: the second wins from 0.5 on, the third from 2 on."""
    t = np.array([0.0, 0.3, 1.1, 2.7, 3.0])
    found = theory.jumps(t, np.stack([1 - t, t, 3 * t - 4], axis=1))
    assert found.winners == [0, 1, 2]
    np.testing.assert_allclose([jump.time for jump in found.jumps], [0.0, 0.5, 2.0], atol=1e-14)
    np.testing.assert_allclose(found.dwell, [0.5, 1.5], atol=1e-14)


def test_several_jumps_between_two_times() -> None:
    """The same lines, seen at their ends only: the winner in between is found."""
    t = np.array([0.0, 4.0])
    found = theory.jumps(t, np.stack([1 - t, t, 3 * t - 4], axis=1))
    assert found.winners == [0, 1, 2]
    np.testing.assert_allclose([jump.time for jump in found.jumps], [0.0, 0.5, 2.0])


def test_lines_that_are_parallel_but_for_rounding_end_with_the_larger() -> None:
    """Both rise by 2**54 when rounded, so that neither is faster; the second is larger in the end."""
    found = theory.jumps([0.0, 1.0], np.array([[-(2.0**54)] * 2, [1.0, 2.0]]))
    assert [(jump.time, jump.winner) for jump in found.jumps] == [(0.0, 0), (1.0, 1)]


def test_jumps_of_waves() -> None:
    t = np.linspace(0.0, 30.0, 30001)
    rates = np.cos(t[:, None] - 2 * np.pi * np.arange(3) / 3)
    found = theory.jumps(t, rates)
    assert found.winners == [k % 3 for k in range(len(found.jumps))]
    expected = np.pi / 3 + 2 * np.pi / 3 * np.arange(len(found.jumps) - 1)
    np.testing.assert_allclose([jump.time for jump in found.jumps[1:]], expected, atol=1e-7)
    np.testing.assert_allclose(found.dwell[1:], 2 * np.pi / 3, atol=1e-7)


def test_ties_are_no_jumps() -> None:
    t = np.arange(5.0)
    assert theory.jumps(t, np.ones((5, 3))).jumps == [(0.0, 0)]
    # At the first time two are equal; the one that leads afterwards has won from the beginning.
    assert theory.jumps(t, np.stack([-t, t], axis=1)).jumps == [(0.0, 1)]
    # Two meet and part again.
    assert theory.jumps(t, np.stack([np.abs(t - 2), np.zeros(5)], axis=1)).jumps == [(0.0, 0)]
    noise = np.stack([np.zeros(5), 1e-12 * (-1.0) ** t], axis=1)
    assert len(theory.jumps(t, noise).jumps) == 5
    assert len(theory.jumps(t, noise, margin=1e-9).jumps) == 1


def test_jumps_of_a_result() -> None:
    network = brnn.models.may_leonard.build()
    c = theory.community_matrix(0.8, 1.3)
    result = brnn.simulate(network, 100.0, times=np.linspace(0, 100, 1001))
    rates = theory.growth_rates(np.exp(result["species.x"].values), c)
    found = theory.jumps(result, lambda u: theory.growth_rates(np.exp(u), c))
    assert found.winners == [2, 1, 0, 2, 1, 0]
    assert found.jumps == theory.jumps(result.times, rates).jumps == theory.jumps(result, rates).jumps


@pytest.mark.parametrize(
    ("times", "rates", "words"),
    [
        ([0.0, 1.0], np.ones((3, 2)), "rates have shape"),
        ([0.0, 1.0], np.ones(2), "rates have shape"),
        ([0.0, 0.0], np.ones((2, 2)), "must rise"),
        ([0.0, np.nan], np.ones((2, 2)), "must be finite"),
        ([0.0, 1.0], np.full((2, 2), np.inf), "must be finite"),
        ([], np.ones((0, 2)), "rates have shape"),
    ],
)
def test_jumps_of_nonsense(times: list[float], rates: np.ndarray, words: str) -> None:
    with pytest.raises(InputError, match=words):
        theory.jumps(np.array(times), rates)


# The voting paradox --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("a", "b"), [(0.8, 1.3), (0.5, 0.9), (0.2, 1.8), (1.1, 1.4)])
def test_interior_point_and_eigenvalues(a: float, b: float) -> None:
    c = np.array([[1, a, b], [b, 1, a], [a, b, 1]])
    np.testing.assert_array_equal(theory.community_matrix(a, b), c)
    x = theory.interior_point(a, b)
    np.testing.assert_allclose(x, 1 / (1 + a + b))
    expected = np.linalg.eigvals(-np.diag(x) @ c)
    found = theory.interior_eigenvalues(a, b)
    assert sorted(expected.round(10), key=lambda z: (z.real, z.imag)) == pytest.approx(
        sorted(found.round(10), key=lambda z: (z.real, z.imag))
    )


def test_asymmetric_matrix() -> None:
    """Row i: a_i for the next species, b_i for the one before."""
    c = theory.community_matrix([0.1, 0.2, 0.3], [1.1, 1.2, 1.3])
    np.testing.assert_array_equal(c, [[1, 0.1, 1.1], [1.2, 1, 0.2], [0.3, 1.3, 1]])
    x = np.array([[0.2, 0.4, 0.1], [0.0, 0.0, 1.0]])
    np.testing.assert_allclose(theory.growth_rates(x, c), [[0.65, 0.34, 0.32], [-0.1, 0.8, 0.0]])


def test_factors() -> None:
    np.testing.assert_allclose(theory.dwell_factors(0.8, 1.3), [1.5, 1.5, 1.5])
    assert theory.cycle_factor(0.8, 1.3) == pytest.approx(1.5**3)
    np.testing.assert_allclose(theory.dwell_factors([0.8, 0.7, 0.5], [1.5, 1.6, 1.4]), [2.5, 2.0, 0.8])
    with pytest.raises(InputError, match="a < 1 < b"):
        theory.dwell_factors(0.8, 0.9)


# The market ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(5))
def test_market_by_minimization(seed: int) -> None:
    """At rest productions minimize sum_i (m_i - top) x_i + rise x_i^2/2 + demand (sum x)^2/2, convex, over x >= 0."""
    rng = np.random.default_rng(seed)
    costs, top, demand, rise = rng.uniform(0, 6, 5), rng.uniform(3, 8), rng.uniform(0.1, 2), rng.uniform(0.1, 2)

    def potential(x: np.ndarray) -> float:
        return float((costs - top) @ x + 0.5 * rise * x @ x + 0.5 * demand * x.sum() ** 2)

    found = minimize(potential, np.ones(5), bounds=[(0, None)] * 5, options={"ftol": 1e-15, "gtol": 1e-10})
    price, production = theory.market_equilibrium(costs, top, demand, rise)
    np.testing.assert_allclose(production, found.x, atol=1e-5)
    assert price == pytest.approx(top - demand * production.sum())


def test_markets_of_one_and_of_none() -> None:
    assert theory.market_equilibrium([2.0], 10.0, 1.0, 1.0) == (pytest.approx(6.0), pytest.approx([4.0]))
    price, production = theory.market_equilibrium([11.0, 12.0], 10.0, 1.0, 1.0)
    assert price == 10.0
    assert not production.any()
    for order in itertools.permutations([1.0, 3.0, 9.5]):
        assert theory.market_equilibrium(order, 10.0, 1.0, 1.0)[0] == pytest.approx(14 / 3)


def test_may_and_leonard_without_logarithms_keep_time_if_the_absolute_tolerance_allows() -> None:
    """When the largest species changes, by independent integration of the logarithms."""
    times = np.arange(0.0, 1100.0)
    network = brnn.models.may_leonard.build(logarithmic=False)
    x = brnn.simulate(network, 1099.0, times=times, solver="DOP853", atol=1e-300)["species.x"].values
    largest = x.argmax(axis=1)
    assert (x > 0.0).all()
    changes = [11, 27, 44, 63, 83, 107, 136, 173, 222, 289, 384, 520, 717, 1007]
    np.testing.assert_allclose(np.flatnonzero(np.diff(largest)), changes, rtol=0, atol=1)


def test_times_of_jumps_have_one_dimension() -> None:
    with pytest.raises(InputError, match=r"must be \(times, cells\) for \(3, 1\) times"):
        theory.jumps(np.arange(3.0)[:, None], np.zeros((3, 2)))
