"""When networks are at rest, and where equilibria are, beside closed forms: slow, fast, small, large and mixed ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.integrate.delayed import delayed_eigenvalues
from brnn.integrate.jacobian import growth_rate, jacobian_matrix, jacobian_product
from brnn.integrate.times import steady_times

WINNER = (3.0 + math.sqrt(5.0)) / 2.0  # of f = w^2, A = 1, B = 3: the upper root of (25)
SOLVERS = ("auto", "compiled")  # the rule of one run, and that of the ensemble


def field(initial: object, A: float, B: float, signal: brnn.signals.Signal) -> brnn.Network:
    """Return a competitive field (21) without inputs."""
    initial = np.asarray(initial, dtype=float)
    return brnn.Network(
        "field",
        [brnn.Layer.shunting("F", initial.shape, A=A, B=B, initial=initial)],
        [
            brnn.Projection("F", "F", "excitatory", signal),
            brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf()),
        ],
    )


def quadratic(gain: float) -> brnn.signals.Signal:
    return brnn.Power(gain, 2.0)


def rotation(damping: float, frequency: float) -> brnn.Network:
    return brnn.Network(
        "rotation",
        [brnn.Layer.additive("F", 2, A=damping, initial=[1.0, 0.0])],
        [brnn.Projection("F", "F", topology=brnn.Dense([[0.0, frequency], [-frequency, 0.0]]))],
    )


def late(gain: float, delay: float) -> brnn.Network:
    """Return x' = -gain x(t - delay): stable if and only if gain delay < pi/2."""
    return brnn.Network(
        "late",
        [brnn.Layer.additive("F", 1, A=0.0)],
        [brnn.Projection("F", "F", "inhibitory", brnn.Linear(gain), delay=delay)],
    )


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_silent_cell_that_would_grow_is_not_at_rest(solver: str) -> None:
    """f = w/(1 + w), A = 1, B = 1.8: 0 is unstable, as B h(0) > A; the equilibrium is (B - A)/(1 + A) = 0.4."""
    network = field([1e-12], 1.0, 1.8, brnn.Saturating(1.0, 1.0))
    result = brnn.simulate(network, until="steady", solver=solver)
    assert result.final("F").values == pytest.approx(0.4, abs=1e-6)
    assert brnn.steady_state(network)["F.x"] == pytest.approx(0.4, abs=1e-13)
    assert brnn.simulate(network, 1000.0, until="steady", initial=0.0, solver=solver).status == "complete"


def test_a_faint_background_grows_until_all_are_alike() -> None:
    """Slower than linear: every cell holds (C B - A D)/(C + A/n)/n; 16 x 16 cells, a square on almost nothing."""
    picture = np.full((16, 16), 1e-9)
    picture[5:10, 5:10] = 0.05
    final = brnn.simulate(field(picture, 0.05, 2.0, brnn.Saturating(1.0, 1.0)), until="steady").final("F").values
    np.testing.assert_allclose(final, (2.0 - 0.05) / (1.0 + 0.05 / 256) / 256, rtol=1e-5)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("size", [1e5, 1e6, 1e9])
def test_a_large_cell_beside_does_not_change_the_verdict(size: float, solver: str) -> None:
    pair = field([1.0, 1.0], 1.0, 3.0, quadratic(1.0))
    network = brnn.Network(
        "beside",
        [*pair.layers, brnn.Layer.additive("G", 1, A=1.0, initial=size)],
        pair.projections,
        [brnn.Stimulus("G", "excitatory", size)],
    )
    options = {"until": "steady", "solver": solver}
    assert brnn.simulate(network, 200.0, **options).status == "complete"  # (1, 1) is a saddle
    result = brnn.simulate(network, 200.0, **options, initial={"F": [0.6, 0.9]})
    assert result.status == "steady"
    np.testing.assert_allclose(result.final("F"), [0.0, WINNER], atol=1e-5)


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6, 1e-8])
def test_growth_rates_of_small_activities(scale: float) -> None:
    """At the winner's equilibrium w^2/s^2 has the growth rate of s = 1: u (B - 2 u), u = 2.618."""
    fun = compile_network(field([0.0, 1.0], 1.0, 3.0 * scale, quadratic(1.0 / scale**2))).rhs(0.0)
    state = np.array([0.0, WINNER * scale])
    J = jacobian_matrix(fun, 0.0, state)
    np.testing.assert_allclose(
        np.sort(np.linalg.eigvals(J).real), [-1.0 - WINNER**2, WINNER * (3.0 - 2.0 * WINNER)], rtol=2e-3
    )
    assert growth_rate(fun, 0.0, state) == pytest.approx(WINNER * (3.0 - 2.0 * WINNER), rel=2e-5)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_differences_are_central(scale: float) -> None:
    """Beside derivatives by hand, of rates that bend: one-sided differences are wrong by 1e-6, central ones by 1e-9."""
    rng = np.random.default_rng(4)
    W, x = rng.normal(size=(5, 5)), np.array([1.3, -0.7, 2.1, 0.4, -3.2])

    def rate(_: float, u: np.ndarray) -> np.ndarray:
        v = u / scale
        return scale * (W @ v**3 - np.exp(v))

    expected = W * (3.0 * x**2) - np.diag(np.exp(x))
    found = jacobian_matrix(rate, 0.0, scale * x)
    assert np.abs(found - expected).max() < 2e-8 * np.abs(expected).max()
    product = jacobian_product(rate, 0.0, scale * x)
    for v in rng.standard_normal((3, 5)):
        np.testing.assert_allclose(product(v * scale), expected @ v * scale, rtol=2e-8)


def test_products_with_the_jacobian_do_not_cross_the_kink_at_0() -> None:
    fun = compile_network(field([0.0, 1.0, 0.5, 1e-12], 1.0, 1.8, brnn.Saturating(1.0, 1.0))).rhs(0.0)
    state = np.array([0.0, 1.0, 0.5, 1e-12])
    J = jacobian_matrix(fun, 0.0, state)
    assert J[0, 0] == pytest.approx(1.8 - 1.0 - 1.0 / 2.0 - 0.5 / 1.5, rel=1e-6)  # B h(0) - A - S
    product = jacobian_product(fun, 0.0, state)
    for v in np.random.default_rng(0).standard_normal((4, 4)):
        np.testing.assert_allclose(product(v), J @ v, rtol=1e-5, atol=1e-7)


def test_a_field_below_its_lower_level_is_quenched_however_slow_it_is() -> None:
    """A = c, f = c w^2, B = 3: below E1 = 0.382 everything is quenched, and E1 itself is unstable."""
    rest = brnn.steady_state(field([0.3], 1e-6, 3.0, quadratic(1e-6)), duration=1e9)
    assert abs(rest["F.x"][0]) < 1e-12
    assert rest.stable
    assert rest.accurate
    assert rest.growth_rate == pytest.approx(-1e-6, rel=1e-6)


def test_the_ghost_of_a_fold_is_passed() -> None:
    """B = 2, A = 1 + e: no level but 0, and x stays near 1 for about pi/sqrt(e)."""
    rest = brnn.steady_state(field([2.0], 1.0 + 1e-6, 2.0, quadratic(1.0)))
    assert abs(rest["F.x"][0]) < 1e-12
    assert rest.time > math.pi * 1e3


def test_many_faint_cells_decay() -> None:
    """20,000 cells whose speed per unit of time is below the tolerance at once; all is quenched."""
    result = brnn.simulate(field(np.full(20_000, 1.5e-5), 1e-4, 3.0, quadratic(1.0)), 1e7, until="steady")
    assert result.status == "steady"
    assert float(result.total("F")[-1]) < 20_000 * 1e-9


@pytest.mark.parametrize("e", [0.821, 0.85, 1.1])
def test_weakly_damped_foci_come_to_rest(e: float) -> None:
    """Slow inhibition just above its Hopf point, e = 0.8198855; the equilibrium is at 0.24297068."""
    for solver in ("RK45", "LSODA", "compiled"):
        result = brnn.simulate(brnn.models.slow_inhibition.build(e=e), until="steady", solver=solver)
        assert result.status == "steady"
        assert result.final("cells").values == pytest.approx(0.24297068, abs=2e-6)


@pytest.mark.parametrize("frequency", [1e-6, 1.0, 1e6])
def test_an_oscillation_without_damping_never_rests(frequency: float) -> None:
    for solver in SOLVERS:
        result = brnn.simulate(rotation(0.0, frequency), 50.0 / frequency, until="steady", solver=solver)
        assert result.status == "complete"


def test_what_never_rests_is_given_up_after_1024_natural_durations() -> None:
    result = brnn.simulate(rotation(0.0, 10.0).replace(duration=0.05), until="steady")
    assert (result.status, result.times[-1]) == ("complete", 51.2)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_slow_weight_beside_fast_cells(solver: str) -> None:
    """Passive decay, z' = c (f f - z), from 0 towards 1, the cells having rates of 1."""
    for rate in (1e-8, 1.0):
        network = brnn.Network(
            "slow",
            [brnn.Layer.additive("a", 1, A=1.0, initial=1.0), brnn.Layer.additive("b", 1, A=1.0, initial=0.0)],
            [brnn.Projection("a", "b", learning=brnn.Outstar(rate=rate, initial=0.0, sampled=brnn.Linear(0.5)))],
            [brnn.Stimulus("a"), brnn.Stimulus("b")],
        )
        result = brnn.simulate(network, 1e3 / rate, until="steady", solver=solver)
        assert result.status == "steady"  # z = 0.5 b, b = 1 + z
        np.testing.assert_allclose([result.final("b")[0], result["a_b_exc.z"][-1].item()], [2.0, 1.0], atol=1e-5)


@pytest.mark.parametrize("rate", [1e-6, 1.0])
def test_delays_decide_what_is_stable(rate: float) -> None:
    """x' = -g x(t - tau): at 0 it rests if g tau < pi/2, and not beyond."""
    for product, start, status in ((1.2, 0.1, "steady"), (1.2, 0.0, "steady"), (1.8, 0.0, "complete")):
        result = brnn.simulate(late(product * rate, 1.0 / rate), 300.0 / rate, initial=start, until="steady")
        assert result.status == status
        assert abs(result.final("F").values[0]) < 1e-8
    fun = compile_network(late(math.pi / 2.0, 1.0)).rhs(0.0)
    values = delayed_eigenvalues(fun, 0.0, np.zeros(1))
    assert np.max(values.real) == pytest.approx(0.0, abs=1e-7)  # +- i pi/2, exactly
    np.testing.assert_allclose(
        sorted(values.imag[np.argsort(values.real)[-2:]]), [-math.pi / 2, math.pi / 2], rtol=1e-7
    )


def test_maps_rest_where_they_stay_and_nothing_grows() -> None:
    """Brain state in a box: 0 is a fixed point from which everything grows; corners are at rest."""
    box = brnn.Network(
        "box",
        [brnn.BoxLayer("x", 2, initial=[0.0, 0.0])],
        [brnn.Projection("x", "x", "excitatory", brnn.Linear(), brnn.Dense([[0.3, 0.1], [0.1, 0.3]]))],
    )
    assert brnn.simulate(box, 100, until="steady").status == "complete"
    result = brnn.simulate(box, 100, until="steady", initial=[0.1, 0.02])
    assert (result.status, result.final("x").values.tolist()) == ("steady", [1.0, 1.0])
    shrinks = brnn.Network("shrinks", [brnn.BoxLayer("x", 1, decay=0.7, initial=1.0)], [], [brnn.Stimulus("x")])
    result = brnn.simulate(shrinks, 1000, until="steady")
    assert result.status == "steady"
    assert float(result.final("x")[0]) == 1.0  # the wall is below 1/(1 - 0.7)


def test_maps_with_memory_come_to_rest() -> None:
    """x(t + 1) = 0.5 x(t - 2) + 1/4 goes to 1/2; with gain -1.5 the fixed point 0.1 is unstable."""
    for kind, gain, level in (("excitatory", 0.5, 0.5), ("inhibitory", 1.5, 0.1)):
        network = brnn.Network(
            "memory",
            [brnn.BoxLayer("x", 1, decay=0.0, initial=0.1)],
            [brnn.Projection("x", "x", kind, brnn.Linear(gain), delay=2.0)],
            [brnn.Stimulus("x", "excitatory", 0.25)],
        )
        result = brnn.simulate(network, 300, until="steady")
        assert result.status == ("steady" if kind == "excitatory" else "complete")
        if kind == "excitatory":
            assert float(result.final("x")[0]) == pytest.approx(level, abs=1e-12)


def test_steady_state_says_if_it_found_no_equilibrium() -> None:
    """A jump of du/dt at the state where the solver stops: there is no equilibrium."""
    network = brnn.Network(
        "slide",
        [brnn.Layer.additive("c", 1, A=1.0, initial=0.5)],
        [brnn.Projection("c", "c", "inhibitory", brnn.Step(1.0, 0.5), brnn.OneToOne())],
        [brnn.Stimulus("c", "excitatory", 0.5 + 1e-7)],
    )
    with pytest.warns(RuntimeWarning, match="left .* of the terms of du/dt"):
        rest = brnn.steady_state(network, duration=10.0, solver="RK45")
    assert not rest.accurate


@pytest.mark.parametrize("size", [1e-300, 1.0, 1e200])
def test_products_with_directions_of_any_size(size: float) -> None:
    """J v of dx_i/dt = -x_i + w_i^2 x_j is linear in v, at x with cells at 0 too."""
    w = np.array([1.0, 2.0, 3.0])
    state, v = np.array([0.5, 0.0, 2.0]), np.array([1.0, -2.0, 0.5])
    product = jacobian_product(lambda t, x: -x + w**2 * np.roll(x, 1), 0.0, state)
    np.testing.assert_allclose(product(size * v), size * (-v + w**2 * np.roll(v, 1)), rtol=1e-6)
    np.testing.assert_array_equal(product(0.0 * v), np.zeros(3))


def test_saved_times_of_a_run_without_an_end_lie_twice_as_far_apart_each_time_that_t_doubles() -> None:
    apart = np.diff(steady_times(1.0, 4.0, begin=3.0))
    np.testing.assert_allclose(apart, np.repeat([1 / 200, 1 / 100, 1 / 50], [200, 100, 100]), rtol=1e-9)
