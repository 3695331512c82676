"""Integration: exact solutions, pulses, delays, noise, discrete time, rest, and what is refused."""

from __future__ import annotations

import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
import threadpoolctl

import brnn
from brnn.compiler.right_hand_side import RightHandSide
from brnn.integrate.failures import why_not_further
from brnn.integrate.times import steady_times

SOLVERS = ["LSODA", "RK45", "Tsit5", "RK23", "DOP853", "Radau", "BDF", "ROS34PW2", "ETD4"]


def decaying(n: int = 1, A: float = 0.5, **changes: object) -> brnn.Network:
    return brnn.Network("decay", [brnn.Layer.additive("a", n, A=A, initial=changes.pop("initial", 0.0))], **changes)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_short_pulse_in_a_long_run_is_not_missed(solver: str) -> None:
    on, length, A, strength = 500.0, 1e-3, 0.5, 3.0
    network = decaying(stimuli=[brnn.Stimulus("a", "excitatory", strength, brnn.Pulse(on, on + length))])
    times = np.array([499.0, 500.0, 500.001, 501.0, 510.0, 1000.0])
    x = brnn.simulate(network, 1000.0, times=times, solver=solver, rtol=1e-7)["a.x"].values[:, 0]
    peak = strength / A * (1 - np.exp(-A * length))
    exact = np.where(times >= on + length, peak * np.exp(-A * (times - on - length)), 0.0)
    np.testing.assert_allclose(x, exact, rtol=1e-5, atol=1e-8)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_break_point_may_be_as_near_to_the_beginning_as_numbers_allow(solver: str) -> None:
    network = decaying(stimuli=[brnn.Stimulus("a", "excitatory", 3.0, brnn.Pulse(3e-300, 1.0))])
    x = brnn.simulate(network, 2.0, times=[1.0], solver=solver)["a.x"].values
    assert x[0, 0] == pytest.approx(6.0 * (1 - np.exp(-0.5)), rel=1e-4)


@pytest.mark.parametrize("solver", SOLVERS)
def test_tolerances_hold_for_a_small_active_part(solver: str) -> None:
    """Ten oscillating cells beside many quiet ones are as accurate as alone."""
    n = 2000 if solver in ("RK45", "Tsit5", "RK23", "DOP853") else 60
    W = np.array([[0.0, -2.0], [2.0, 0.0]])
    network = brnn.Network(
        "hidden",
        [brnn.Layer.additive("quiet", n, A=1.0), brnn.Layer.additive("active", 2, A=0.0, initial=[1.0, 0.0])],
        [brnn.Projection("active", "active", "excitatory", brnn.Linear(), brnn.Dense(W))],
    )
    result = brnn.simulate(network, 10.0, times=[10.0], solver=solver, rtol=1e-6, atol=1e-9)
    exact = [math.cos(20.0), math.sin(20.0)]
    np.testing.assert_allclose(result["active.x"].values[0], exact, atol=3e-4)


@pytest.mark.parametrize("solver", ["auto", "RK45", "compiled"])
def test_a_time_beyond_the_end_by_rounding_is_the_end(solver: str) -> None:
    result = brnn.simulate(decaying(initial=1.0), 1.0, times=[0, 0.5, 1.0, 1.0 + 5e-13], solver=solver)
    np.testing.assert_array_equal(result.times, [0.0, 0.5, 1.0])


@pytest.mark.parametrize("strength", [1e4, 1e5])
@pytest.mark.parametrize("solver", ["auto", "RK45", "compiled"])
def test_a_pulse_that_is_nothing_beside_the_time_does_what_it_does(strength: float, solver: str) -> None:
    """dx/dt = -A x + (1 - x) I: it takes x to I/(A + I) (1 - exp(-(A + I) width)), and from there it decays."""
    A, on, width = 1e-5, 1e6, 1e-4
    pulse = brnn.Stimulus("n", "excitatory", strength, brnn.Pulse(on=on, off=on + width))
    network = brnn.Network("n", [brnn.Layer.shunting("n", 1, A=A, B=1.0)], [], [pulse])
    reached = strength / (A + strength) * -np.expm1(-(A + strength) * (on + width - on))
    result = brnn.simulate(network, 1.1e6, times=[0, on + width, 1.1e6], solver=solver)
    expected = [0.0, reached, reached * np.exp(-A * 1e5)]
    np.testing.assert_allclose(result["n.x"].values[:, 0], expected, rtol=1e-5)
    assert result.solver.details["largest_projection"] < 1e-5


def test_saved_times_are_exactly_those_asked_for() -> None:
    times = [0.0, 0.1, 3.0, 7.5]
    result = brnn.simulate(decaying(initial=1.0), 10.0, times=times)
    assert result.times.tolist() == times
    np.testing.assert_allclose(result["a.x"].values[:, 0], np.exp(-0.5 * np.array(times)), rtol=1e-5)
    assert brnn.simulate(decaying(), 10.0).times.size == 201


def test_initial_by_array_and_by_name() -> None:
    network = brnn.Network("two", [brnn.Layer.additive("a", 2, A=1), brnn.Layer.additive("b", (2, 2), A=1)])
    result = brnn.simulate(network, 1.0, initial={"a": [1.0, 2.0], "b.x": 3.0}, times=[0.0])
    assert result["a.x"].values.tolist() == [[1, 2]]
    assert (result["b.x"].values == 3).all()
    for bad, says in (({"c": 1}, "not a state"), ({"a": [1, 2, 3]}, "must be one number"), ([1, 2], "several layers")):
        with pytest.raises(brnn.SpecError, match=says):
            brnn.simulate(network, 1.0, initial=bad)


@pytest.mark.parametrize("solver", ["RK45", "DOP853"])
def test_delay_by_the_method_of_steps(solver: str) -> None:
    """x' = -x(t - 1), x = 1 before 0: a polynomial of degree k on [k - 1, k]."""
    network = brnn.Network(
        "delay",
        [brnn.Layer.additive("a", 1, A=0.0, initial=1.0)],
        [brnn.Projection("a", "a", "inhibitory", brnn.Linear(), brnn.OneToOne(), delay=1.0)],
    )

    def exact(t: float) -> float:
        return 1.0 + sum((-1) ** k * max(t - (k - 1), 0.0) ** k / math.factorial(k) for k in range(1, int(t) + 2))

    times = np.linspace(0, 8, 33)
    x = brnn.simulate(network, 8.0, times=times, solver=solver, rtol=1e-9, atol=1e-12)["a.x"].values[:, 0]
    np.testing.assert_allclose(x, [exact(t) for t in times], atol=2e-8)


def test_two_delays_and_a_pulse_against_the_exact_solution() -> None:
    """A chain of two lags: the pulse arrives, low-passed, after the sum of the delays."""
    network = brnn.Network(
        "chain",
        [brnn.Layer.additive("a", 1, A=1.0), brnn.Layer.additive("b", 1, A=1.0), brnn.Layer.additive("c", 1, A=1.0)],
        [
            brnn.Projection("a", "b", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=0.7),
            brnn.Projection("b", "c", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=1.9),
        ],
        [brnn.Stimulus("a", "excitatory", 1.0, brnn.Pulse(1.0, np.inf))],
    )
    t = np.linspace(0, 12, 49)
    result = brnn.simulate(network, 12.0, times=t, rtol=1e-9, atol=1e-12)
    s = np.maximum(t - 1.0 - 0.7 - 1.9, 0.0)
    np.testing.assert_allclose(result["c.x"].values[:, 0], 1 - np.exp(-s) * (1 + s + s**2 / 2), atol=1e-8)


def test_two_white_noises_on_a_layer_are_independent() -> None:
    noises = [brnn.Stimulus("a", kind, s, brnn.WhiteNoise()) for kind, s in (("excitatory", 3.0), ("inhibitory", 4.0))]
    network = decaying(4000, 1.0, stimuli=noises)
    x = brnn.simulate(network, 8.0, times=[0.0, 8.0], step=0.01, seed=5).final("a").values
    # Their variances add up, not their strengths: (9 + 16)/2 and not 49/2; the relative error of 4000 cells is 2 %.
    assert np.var(x) == pytest.approx(12.5, rel=0.08)


def test_ornstein_uhlenbeck_has_its_variance() -> None:
    """dx = -A x dt + s dW: stationary variance s^2 / 2A, autocorrelation exp(-A lag)."""
    A, s, n = 0.8, 0.5, 4000
    network = decaying(n, A, stimuli=[brnn.Stimulus("a", "excitatory", s, brnn.WhiteNoise())])
    for solver, step in (("SRIW1", 0.05), ("EulerMaruyama", 0.01)):
        x = brnn.simulate(network, 12.0, times=[11.0, 12.0], solver=solver, step=step, seed=1)["a.x"].values
        variance = s**2 / (2 * A)
        assert abs(x[1].var() / variance - 1) < 4 * np.sqrt(2 / n) + A * (0.005 if solver == "EulerMaruyama" else 0)
        assert abs(np.corrcoef(x)[0, 1] - np.exp(-A)) < 0.03


def brownian_error(solver: str, step: float) -> float:
    """Strong error of dX = -0.5 X dt + 0.8 (2 - X) dW at T = 1 against a path with 64 times smaller steps."""
    from brnn.integrate.methods import stochastic

    n, fine, T = 400, step / 64, 1.0
    random = np.random.default_rng(5)
    w = np.sqrt(fine) * random.standard_normal((round(T / fine), n))
    v = np.sqrt(fine) * random.standard_normal((round(T / fine), n))

    def a(t: float, x: np.ndarray) -> np.ndarray:
        return -0.5 * x

    def b(t: float, x: np.ndarray) -> np.ndarray:
        return 0.8 * (2.0 - x)

    class Drawn:
        """Normal numbers made from the fine increments, so that both step sizes see the same Wiener path."""

        def __init__(self, every: int) -> None:
            h = every * fine
            W = w.reshape(-1, every, n)
            area = (np.cumsum(W, axis=1) - W).sum(axis=1) * fine + (
                0.5 * fine * (W + v.reshape(W.shape) / np.sqrt(3))
            ).sum(1)
            first = W.sum(axis=1) / np.sqrt(h)
            second = (2.0 * area / h - W.sum(axis=1)) * np.sqrt(3.0) / np.sqrt(h)
            self.rows = iter(np.stack([first, second], axis=1) if solver == "SRIW1" else first[:, None])
            self.left: list[np.ndarray] = []

        def standard_normal(self, size: int) -> np.ndarray:
            self.left = self.left or list(next(self.rows))
            return self.left.pop(0)

    scheme = {"SRIW1": stochastic._sriw1, "EulerMaruyama": stochastic._euler_maruyama}[solver]
    ends = []
    for every in (64, 1):
        x, random_ = np.full(n, 0.5), Drawn(every)
        for k in range(round(T / fine) // every):
            x = scheme(a, b, k * every * fine, x, every * fine, random_)
        ends.append(x)
    return float(np.abs(ends[0] - ends[1]).mean())


@pytest.mark.parametrize(("solver", "order"), [("EulerMaruyama", 0.5), ("SRIW1", 1.5)])
def test_strong_order_of_the_schemes(solver: str, order: float) -> None:
    errors = [brownian_error(solver, step) for step in (1 / 8, 1 / 16, 1 / 32)]
    slopes = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert slopes.mean() == pytest.approx(order, abs=0.25)


def test_noise_is_reproducible_and_a_drawn_seed_is_recorded() -> None:
    network = decaying(3, stimuli=[brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())])
    first = brnn.simulate(network, 1.0, step=0.01)
    again = brnn.simulate(network, 1.0, step=0.01, seed=first.seed)
    np.testing.assert_array_equal(first["a.x"].values, again["a.x"].values)
    assert brnn.simulate(network, 1.0, step=0.01).seed != first.seed


def test_discrete_networks_apply_their_map() -> None:
    ring = brnn.Network(
        "ring",
        [brnn.BinaryLayer("a", 3, threshold=1.0, levels="unipolar", initial=[1, 0, 0])],
        [brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.Chain(boundary="periodic"))],
    )
    result = brnn.simulate(ring, 6)
    assert result.times.tolist() == list(range(7))
    expected = [np.roll([1, 0, 0], k).tolist() for k in range(7)]
    assert result["a.x"].values.tolist() == expected
    delayed = brnn.Network(
        "delayed",
        [brnn.BinaryLayer("a", 1, threshold=1.0, levels="unipolar", initial=1)],
        [brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), delay=2.0)],
        [brnn.Stimulus("a", "inhibitory", 1.0, brnn.Pulse(2.5, 4.5))],
    )
    # x(t+1) = 1[x(t-2) - 1 - J(t)], J = 1 at t = 3, 4; x = 1 before 0.
    x = [1.0]
    for t in range(9):
        past = x[t - 2] if t >= 2 else 1.0
        x.append(float(past - (1.0 if t in (3, 4) else 0.0) >= 1.0))
    assert brnn.simulate(delayed, 9)["a.x"].values[:, 0].tolist() == x


@pytest.mark.parametrize(("levels", "low"), [("unipolar", 0.0), ("bipolar", -1.0)])
def test_a_cell_at_its_threshold_takes_the_level_or_keeps_its_state(levels: str, low: float) -> None:
    """Net inputs 0 (just the threshold), then 1 above it, 0, 1 below it, 0."""
    shown = brnn.Sequence([[2.0], [3.0], [2.0], [1.0], [2.0]], 1.0)
    kept, level = (
        brnn.simulate(
            brnn.Network(
                "n",
                [brnn.BinaryLayer("a", 1, threshold=2.0, levels=levels, initial=low, at_threshold=rule)],
                stimuli=[brnn.Stimulus("a", "excitatory", 1.0, shown)],
            ),
            5.0,
        )["a.x"].values[:, 0]
        for rule in ("keep", "level")
    )
    np.testing.assert_array_equal(kept, [low, low, 1.0, 1.0, low, low])
    tie = 1.0 if levels == "unipolar" else 0.0
    np.testing.assert_array_equal(level, [low, tie, 1.0, tie, low, tie])


def test_rest_is_found_by_every_solver_and_polished_by_newton() -> None:
    network = brnn.models.rcf.build()
    exact = (3 + math.sqrt(6)) / 6
    for solver in SOLVERS:
        result = brnn.simulate(network, until="steady", solver=solver)
        assert result.status == "steady", solver
        assert result.final("rcf").values.max() == pytest.approx(exact, abs=1e-5)
    rest = brnn.steady_state(network)
    assert rest["rcf.x"].max() == pytest.approx(exact, abs=1e-13)
    assert rest.residual < 1e-12
    assert rest.stable
    with pytest.raises(brnn.InputError, match="did you mean 'rcf.x'"):
        rest["rfc.x"]


def test_a_saddle_is_not_rest() -> None:
    """Two equal competitors stay together for long, at a saddle, until the small difference between them has grown."""
    network = brnn.models.rcf.build(n=2, A=1.0, B=3.0, signal=brnn.Power(1.0, 2.0), initial=[0.6, 0.6 * (1 - 1e-9)])
    final = brnn.simulate(network, until="steady", rtol=1e-9, atol=1e-12).final("rcf").values
    np.testing.assert_allclose(final, [(3 + math.sqrt(5)) / 2, 0.0], atol=1e-8)


def test_growth_without_bound_is_an_error_that_says_where() -> None:
    network = brnn.Network(
        "explosion",
        [brnn.Layer.additive("a", 3, A=0.0, initial=[0.0, 1.0, 0.5])],
        [brnn.Projection("a", "a", "excitatory", brnn.Power(1.0, 2.0), brnn.OneToOne())],
    )
    for solver in ("LSODA", "RK45", "BDF"):
        with pytest.raises(brnn.IntegrationError) as caught:
            brnn.simulate(network, 5.0, solver=solver)
        assert caught.value.variable == "a.x[1]"
        assert 0.9 < caught.value.time <= 1.01
        assert caught.value.state.shape == (3,)


def test_an_overflow_in_a_trial_step_is_an_integration_error() -> None:
    """Cycles whose activities' logarithms fall for ever: some trial step overflows exp."""
    c = np.array([[1.0, 0.8, 1.3], [1.3, 1.0, 0.8], [0.8, 1.3, 1.0]])
    network = brnn.Network(
        "overflow",
        [brnn.Layer.additive("u", 3, A=0.0, initial=np.log([0.5, 0.3, 0.2]))],
        [brnn.Projection("u", "u", "inhibitory", brnn.Function("exp(w)"), brnn.Dense(c))],
        [brnn.Stimulus("u", "excitatory", 1.0)],
    )
    with pytest.raises(brnn.IntegrationError) as caught:
        brnn.simulate(network, 30000.0, solver="BDF", rtol=1e-9, atol=1e-12)
    assert 0 < caught.value.time < 30000


def test_a_solver_that_slides_along_a_jump_gives_up() -> None:
    network = brnn.Network(
        "slide",
        [brnn.Layer.additive("c", 1, A=1.0, initial=0.2)],
        [brnn.Projection("c", "c", "inhibitory", brnn.Step(1.0, 0.5), brnn.OneToOne())],
        [brnn.Stimulus("c", "excitatory", 1.0)],
    )
    with pytest.raises(brnn.IntegrationError, match="jumps") as caught:
        brnn.simulate(network, 10.0, solver="LSODA")
    assert np.log(1.6) - 1e-3 < caught.value.time < 1.0  # x reaches the threshold at log 1.6
    rest = brnn.simulate(network, 0.6, times=[0.6], solver="RK45").final("c").values
    assert rest[0] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("solver", ["LSODA", "RK45", "BDF", "compiled"])
def test_a_rate_that_is_no_number_is_named(solver: str) -> None:
    beyond = brnn.Projection("a", "a", "excitatory", brnn.Expression("log(0.5 - w)"))
    network = decaying(initial=0.6, projections=[beyond])
    with pytest.raises(brnn.IntegrationError, match=r"a.x\[0\] = 0.6 .*du/dt is not a number there"):
        brnn.simulate(network, 1.0, solver=solver)


@pytest.mark.parametrize("solver", ["LSODA", "RK45", "compiled"])
def test_a_rate_that_is_no_number_a_little_further_is_named(solver: str) -> None:
    """x' = 2 - x - log(1/2 - x) grows without bound on the way to x = 1/2, where it ends."""
    ends = brnn.Projection("a", "a", "inhibitory", brnn.Function("log(0.5 - w)"))
    network = decaying(initial=0.0, projections=[ends], stimuli=[brnn.Stimulus("a", pattern=2.0)])
    with pytest.raises(brnn.IntegrationError, match="a little further du/dt is not a number"):
        brnn.simulate(network, 10.0, solver=solver)


def test_so_is_one_into_which_a_step_of_lsoda_leads_from_afar() -> None:
    """x' = 30 - x + sqrt(1/2 - x) is near 30 on all of the way to x = 1/2, where it ends."""
    ends = brnn.Projection("a", "a", "excitatory", brnn.Expression("sqrt(0.5 - w)"))
    network = brnn.Network("n", [brnn.Layer.additive("a", 1, A=1.0)], [ends], [brnn.Stimulus("a", pattern=30.0)])
    with pytest.raises(brnn.IntegrationError, match=r"a.x\[0\] = 0.48.* a little further du/dt is not a number"):
        brnn.simulate(network, 10.0, solver="LSODA")


def test_a_tolerance_that_numbers_cannot_keep_is_named() -> None:
    network = decaying(stimuli=[brnn.Stimulus("a")])
    with pytest.raises(brnn.IntegrationError, match="its tolerance there, 1e-300, is finer .* a larger atol"):
        brnn.simulate(network, 10.0, rtol=1e-13, atol=1e-300, solver="LSODA")


@pytest.mark.parametrize("solver", ["auto", "BDF", "Radau"])
def test_a_pulse_that_is_too_short_for_the_times_of_a_solver(solver: str) -> None:
    """x' = -x + 1e6 for 1e-6 at t = 5000: 1e6 (1 - e^-s) while it is on, and from there it decays."""
    on, off = 5000.0, 5000.0 + 1e-6
    inside = on + np.array([0.25, 0.5]) * (off - on)
    pulse = brnn.Stimulus("a", "excitatory", 1e6, brnn.Pulse(on=on, off=off))
    times = [*inside, off, 5001.0]
    result = brnn.simulate(decaying(A=1.0, stimuli=[pulse]), 5001.0, solver=solver, times=times)
    risen = [1e6 * -np.expm1(-(time - on)) for time in times[:3]]
    expected = [*risen, risen[-1] * np.exp(-(5001.0 - off))]
    np.testing.assert_allclose(result["a.x"].values[:, 0], expected, rtol=1e-5)


def test_no_steps_are_kept_of_a_piece_that_is_short_only_beside_the_time() -> None:
    """x' = w y + 1, y' = -w x: sin(w s)/w after s = 50 of a pulse at t = 1e12; all its steps would take 3.7 MB."""
    w, on, rotors = 2.0, 1e12, 25
    turn = np.kron(np.eye(rotors), [[0.0, w], [-w, 0.0]])
    links = [brnn.Projection("a", "a", topology=brnn.Dense(turn))]
    pulse = brnn.Stimulus("a", "excitatory", np.tile([1.0, 0.0], rotors), brnn.Pulse(on=on, off=on + 50.0))
    network = decaying(2 * rotors, A=0.0, projections=links, stimuli=[pulse])
    brnn.simulate(network, 1.0, solver="LSODA", times=[1.0], initial=np.ones(2 * rotors))  # compiles
    tracemalloc.start()
    result = brnn.simulate(network, on + 50.0, solver="LSODA", times=[on + 25.0, on + 50.0])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert result.solver.evaluations > 1000
    np.testing.assert_allclose(result["a.x"].values[:, 0], np.sin(w * np.array([25.0, 50.0])) / w, atol=1e-4)
    assert peak < 1e6


def test_a_run_that_would_take_for_ever_says_how_many_steps_and_what_may_help() -> None:
    jump = brnn.Projection("a", "a", "inhibitory", brnn.Step(1.0, 0.5), brnn.OneToOne())
    network = decaying(A=1.0, initial=0.2, projections=[jump], stimuli=[brnn.Stimulus("a")])
    with pytest.raises(brnn.IntegrationError, match=r"would take \de\+\d\d steps at its pace.*solver='Radau'"):
        brnn.simulate(network, 1e4, solver="LSODA")


def test_what_may_help_is_something_that_can_run_the_network() -> None:
    given = (1.0, 1e9, 1e-9, 1e-9, 10.0)
    assert "solver='Radau', larger rtol and atol, or" in why_not_further(*given, needed=1e12)
    assert "solver" not in why_not_further(*given, needed=1e12, implicit="").replace("this solver", "")
    assert "for a stiff one larger rtol and atol may help" in why_not_further(*given[:2], 1.0, *given[3:], implicit="")
    square = brnn.Projection("a", "a", "excitatory", brnn.Power(exponent=2), brnn.OneToOne())
    late = brnn.Projection("a", "a", "excitatory", brnn.Linear(), brnn.OneToOne(), name="late", delay=0.5)
    network = decaying(A=0.0, initial=1.0, projections=[square, late])
    with pytest.raises(brnn.IntegrationError, match="could not go on") as told:
        brnn.simulate(network, 10.0)
    assert "Radau" not in str(told.value)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"duration": -1}, "duration = -1: must be a number > 0"),
        ({"duration": math.inf}, "duration = inf: must be finite"),
        ({"duration": "long"}, "duration = 'long': must be a number"),
        ({"solver": "RK54"}, "must be one of auto, RK45"),
        ({"solver": "SRIW1"}, "must be one of auto, RK45"),
        ({"rtol": 0}, "rtol = 0: must be a number >= 1e-13"),
        ({"atol": 0}, "atol = 0: must be a number > 0"),
        ({"step": 0.1}, "only the solvers for white noise"),
        ({"until": "rest"}, "until = 'rest': must be 'duration' or 'steady'"),
        ({"times": [0, 2, 1]}, "times: must rise, but 1 follows 2"),
        ({"times": [0, 99]}, "times: 99 is outside of the run"),
        ({"times": []}, "at least one time"),
        ({"times": [0, math.nan]}, "times: nan is among them; every time must be finite"),
        ({"times": [10**5000]}, "times = a value of type list that cannot be written: must be an array of numbers"),
        ({"seed": -1}, "seed = -1: must be a number >= 0"),
        ({"record": 3}, "record = 3: must be a path"),
        ({"record": ["a.y"]}, "a.y"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(options: dict, says: str) -> None:
    with pytest.raises((brnn.InputError, brnn.SpecError)) as caught:
        brnn.simulate(decaying(), **{"duration": 10.0, **options})
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_run_may_be_no_longer_than_its_delay() -> None:
    """dx/dt = -x(t) - x(t - 1), x = 1 before: x = 2 exp(-t) - 1, and no break point within the run."""
    back = [brnn.Projection("a", "a", "inhibitory", brnn.Linear(), brnn.OneToOne(), delay=1.0)]
    x = brnn.simulate(decaying(A=1.0, initial=1.0, projections=back), 1.0, times=[1.0]).final("a")
    assert float(x[0]) == pytest.approx(2.0 * math.exp(-1.0) - 1.0, abs=1e-6)


@pytest.mark.parametrize("until", ["duration", "steady"])
def test_delays_that_would_take_for_ever_are_refused(until: str) -> None:
    """Each step is 1e-12 at most, so that a run of 1 needs 1e12 of them."""
    back = [brnn.Projection("a", "a", "inhibitory", brnn.Linear(), brnn.OneToOne(), delay=1e-12)]
    network = decaying(A=1.0, initial=1.0, projections=back)
    with pytest.raises(brnn.InputError, match=r"a delay of 1e-12 is too short for a run of .*100,000,000 steps"):
        brnn.simulate(network, 1.0, until=until)
    x = brnn.simulate(network, 1e-11, times=[1e-11], atol=1e-16).final("a")
    assert float(x[0]) == pytest.approx(math.exp(-2e-11), abs=1e-15)  # dx/dt = -2 x, nearly


def test_a_past_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 1e-6 at most, kept for 1: a million of them, of 100 cells."""
    many = [
        brnn.Projection("a", "a", kind, brnn.Linear(), brnn.OneToOne(), delay=delay)
        for kind, delay in (("excitatory", 1e-6), ("inhibitory", 1.0))
    ]
    monkeypatch.setattr("brnn.base.memory.available_memory", lambda: 5 * 10**9)
    with pytest.raises(brnn.InputError, match=r"delays of 1e-06 and 1, at least 1e\+06 steps, needs about 6.4 GB"):
        brnn.simulate(brnn.Network("n", [brnn.Layer.additive("a", 100, A=1.0)], many), 10.0)


def test_what_cannot_fit_is_refused_before_it_is_tried() -> None:
    network = brnn.Network("huge", [brnn.Layer.shunting("a", 10**11, 1, 1)])
    with pytest.raises(brnn.InputError, match=r"needs about .* TB of memory"):
        brnn.simulate(network, 1.0)


@pytest.mark.parametrize(
    ("parts", "options", "says"),
    [
        (
            {"projections": [brnn.Projection("a", "a", "inhibitory", delay=1.0)]},
            {"solver": "BDF"},
            "solver = 'BDF': must be one of auto, RK45, RK23, DOP853 (delays need an explicit method)",
        ),
        (
            {"stimuli": [brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())]},
            {"solver": "rk45"},
            "solver = 'rk45': must be one of auto, compiled, SRIW1, EulerMaruyama "
            "(white noise needs a method made for it)",
        ),
        (
            {"stimuli": [brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())]},
            {"solver": "SRIW2"},
            "solver = 'SRIW2': must be one of auto, compiled, SRIW1, EulerMaruyama; did you mean 'SRIW1'?",
        ),
        (
            {"stimuli": [brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())]},
            {"solver": "RK45", "until": "steady"},
            "until = 'steady': a network with white noise never comes to rest",
        ),
        (
            {
                "stimuli": [brnn.Stimulus("a", "excitatory", 1.0, brnn.WhiteNoise())],
                "projections": [brnn.Projection("a", "a", "inhibitory", delay=1.0)],
            },
            {"solver": "RK45"},
            "white noise and delays cannot be in one network: no solver can do both",
        ),
    ],
)
def test_a_solver_refuses_what_it_cannot_do_and_says_why(parts: dict, options: dict, says: str) -> None:
    with pytest.raises(brnn.InputError) as caught:
        brnn.simulate(decaying(**parts), 1.0, **options)
    assert str(caught.value) == says


@pytest.mark.parametrize("solver", ["RK45", "RK23", "DOP853"])
def test_fused_steps_are_scipys_steps(solver: str, monkeypatch) -> None:
    """Step by step the same as SciPy's own passes, delays and pulses included."""
    from brnn.integrate.methods import explicit

    network = brnn.Network(
        "fused",
        [brnn.Layer.shunting("a", 3000, A=1.0, B=2.0, initial=np.linspace(0, 1, 3000))],
        [brnn.Projection("a", "a", "inhibitory", brnn.Sigmoid(2.0, 0.5), brnn.OneToOne(), delay=0.3)],
        [brnn.Stimulus("a", "excitatory", 1.0, brnn.Pulse(0.5, 1.0))],
    )
    runs = []
    for from_ in (1, 10**9):
        monkeypatch.setattr(explicit, "_FUSE_FROM", from_)
        runs.append(brnn.simulate(network, 2.0, solver=solver, times=np.linspace(0, 2, 9)))
    assert (runs[0].solver.steps, runs[0].solver.evaluations) == (runs[1].solver.steps, runs[1].solver.evaluations)
    np.testing.assert_allclose(runs[0]["a.x"].values, runs[1]["a.x"].values, rtol=0, atol=1e-13)


def test_auto_takes_a_stiff_method_for_a_stiff_network() -> None:
    """x_i = theta_i B I/(A + I) at a rate of A + I = 1e5: an explicit method would need 3 million steps."""
    network = brnn.models.feedforward_shunting.build(n=300, total=1e5, on=100.0)
    result = brnn.simulate(network, 100.0, times=[100.0])
    assert result.solver.method == "LSODA"
    assert "stiff" in result.solver.details["reason"]
    assert result.solver.steps < 5000
    assert result.total("F1").values[-1] == pytest.approx(1e5 / (1 + 1e5), rel=1e-5)
    calm = brnn.simulate(brnn.models.feedforward_shunting.build(n=300, total=10.0, on=100.0), 100.0, times=[100.0])
    assert calm.solver.method == "Tsit5"


@pytest.mark.parametrize("cells", [4, 1000])
def test_auto_takes_no_stiff_method_for_many_short_pieces(cells: int) -> None:
    """Cells that follow 100 pulses in 150 steps each, which is less than a stiff method's beginning; x ends at I/A."""
    pattern = np.linspace(0.0, 2.0, cells)
    pulses = brnn.Stimulus("F", "excitatory", pattern, brnn.Pulses.periodic(1.0, 0.5, 100, start=0.5))
    network = brnn.Network("pulsed", [brnn.Layer.additive("F", cells, A=1e3)], [], [pulses])
    result = brnn.simulate(network, 100.0, times=[0.4, 100.0])
    assert result.solver.method == "Tsit5"
    assert result.solver.evaluations < 300_000
    np.testing.assert_allclose(result["F.x"].values, [0.0 * pattern, pattern / 1e3], rtol=1e-5, atol=1e-12)


def test_auto_makes_no_matrices_anew_after_every_event() -> None:
    """392 unknowns and 17 events in 25,000 steps; LSODA and ROS34PW2 after it took three hundred times as long."""
    network = brnn.models.art2.build()
    result = brnn.simulate(network, times=[300.0])
    assert result.solver.method == "RK45"
    assert result.solver.evaluations < 200_000
    assert brnn.models.art2.categories(result) == [[0], [0, 1], [0, 2], [0], [2, 0, 3]]


@pytest.mark.parametrize("options", [{"solver": "LSODA"}, {"until": "steady"}], ids=str)
def test_blas_keeps_to_one_thread_where_matrices_are_made(options: dict[str, Any]) -> None:
    """That of NumPy and that of SciPy; afterwards they have the threads that they had."""
    import scipy.linalg  # noqa: F401  # loads the second one

    def threads(_: float = 0.0) -> None:
        seen.update(pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas")

    network, seen = brnn.models.feedforward_shunting.build(n=80), set[int]()
    with threadpoolctl.threadpool_limits(2, "blas"):
        brnn.simulate(network, 10.0, progress=threads, **options)
        assert seen == {1}
        threads()
        assert seen == {1, 2}


def test_what_takes_over_gives_way_where_it_goes_on_with_an_explicit_method(monkeypatch: pytest.MonkeyPatch) -> None:
    """LSODA may do that where the potentials rest to the last bit, and it sees no error.

    At rest with inhibition from all others, V_i is the mean of the reversal potentials weighted by the conductances.
    """
    from brnn.integrate.methods import auto
    from brnn.integrate.methods.explicit import DOP853
    from brnn.integrate.methods.rosenbrock import ROS34PW2

    rng = np.random.default_rng(20)
    for _ in range(3):
        initial, pattern = rng.uniform(-75.0, 0.0, size=10), rng.random(10)
    network = brnn.models.membrane.build(signal=brnn.Linear(1e6), pattern=pattern, initial=initial, surround=1.0)
    monkeypatch.setattr(auto, "_for_stiff", lambda size, cells: (DOP853(), ROS34PW2()))
    result = brnn.simulate(network, rtol=1e-9, atol=1e-12, times=[0.2])
    assert result.solver.method == "ROS34PW2"
    assert result.solver.steps < 20_000
    excitation, inhibition = 1e6 * pattern, 1e6 * (pattern.sum() - pattern)
    layer = network.layers[0]
    passive = layer.g_p
    expected = (excitation * layer.V_plus + inhibition * layer.V_minus + passive * layer.V_p) / (
        excitation + inhibition + passive
    )
    np.testing.assert_allclose(result[f"{layer.name}.x"].values[0], expected, rtol=1e-8)


@pytest.mark.parametrize("solver", ["compiled", "RK45"])
def test_progress_tells_times_that_rise_to_the_end(solver: str) -> None:
    """A rotation of 6,000 periods takes many calls of compiled code."""
    told: list[float] = []
    network = brnn.Network(
        "rotation",
        [brnn.Layer.additive("a", 2, A=0.0, initial=[1.0, 0.0])],
        [brnn.Projection("a", "a", topology=brnn.Dense([[0.0, -2.0], [2.0, 0.0]]))],
    )
    brnn.simulate(network, 2e4, times=[2e4], solver=solver, progress=told.append)
    assert len(told) > 3
    assert 0.0 < told[0] < told[1] < told[-1] == pytest.approx(2e4)
    assert (np.diff(told) >= 0.0).all()


def test_evaluations_are_those_that_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a pulse too short for the times of a solver, and with events, whose slopes are asked for after each step."""
    made = 0
    into = RightHandSide.into

    def counted(self: RightHandSide, t: float, u: np.ndarray, du: np.ndarray) -> None:
        nonlocal made
        made += 1
        into(self, t, u, du)

    monkeypatch.setattr(RightHandSide, "into", counted)
    pulse = brnn.Stimulus("a", "excitatory", 1e6, brnn.Pulse(on=5000.0, off=5000.0 + 1e-6))
    for events in ([], [brnn.Event("half", brnn.Crossing("a", 0.5))]):
        made = 0
        result = brnn.simulate(decaying(A=1.0, stimuli=[pulse], events=events), 5001.0, solver="LSODA", times=[5001.0])
        # Slopes at the beginning of each of the three pieces are not counted.
        assert made == result.solver.evaluations + (3 if events else 0)


def test_a_state_that_grows_without_bound_in_a_short_pulse_is_not_taken() -> None:
    """x' = x^2 from 1e9 on is infinite after 1e-9; the pulse that brings it there lasts for 1e-6."""
    square = brnn.Projection("a", "a", signal=brnn.Function("w**2"))
    pulse = brnn.Stimulus("a", "excitatory", 1e16, brnn.Pulse(on=5000.0, off=5000.0 + 1e-6))
    network = decaying(A=0.0, projections=[square], stimuli=[pulse])
    with pytest.raises(brnn.IntegrationError, match=r"could not go on after t = 5000; a\.x\[0\]") as told:
        brnn.simulate(network, 5001.0, solver="LSODA")
    assert told.value.time == pytest.approx(5000.0)


def test_a_crossing_in_a_noisy_run_lies_on_a_straight_line_between_two_steps() -> None:
    """dx = dt + 0 dW: x = t whatever the step, which is 0.4 here; its threshold of 0.9 is within one."""
    network = decaying(
        A=0.0,
        stimuli=[brnn.Stimulus("a"), brnn.Stimulus("a", pattern=0.0, schedule=brnn.WhiteNoise())],
        events=[brnn.Event("there", brnn.Crossing("a", 0.9), brnn.SetState("a", 0.0))],
    )
    result = brnn.simulate(network, 2.0, times=[0.0, 2.0], step=0.4, seed=1)
    np.testing.assert_allclose(result.events["time"], [0.9, 1.8], rtol=1e-12)
    assert float(result.final("a")[0]) == pytest.approx(0.2, rel=1e-12)


def test_the_times_of_a_run_until_rest_rise() -> None:
    times = steady_times(2.0, 100.0, begin=3.0)
    assert (np.diff(times) > 0.0).all()
    assert times[0] == 3.0
    assert 100.0 < times[-1] <= 103.0


@pytest.mark.parametrize("times", [{"a": 1.0}, "soon", [[0.0], [0.0, 1.0]]])
def test_times_that_are_no_numbers(times: Any) -> None:
    with pytest.raises(brnn.InputError, match="times = .*: must be an array of numbers"):
        brnn.simulate(decaying(), 1.0, times=times)


def test_times_of_whole_steps_may_be_off_by_rounding() -> None:
    network = brnn.Network("map", [brnn.BinaryLayer("a", 1, threshold=0.5)])
    assert brnn.simulate(network, 3.0, times=[1e-10, 1.0 + 1e-10, 3.0]).times.tolist() == [0.0, 1.0, 3.0]
    with pytest.raises(brnn.InputError, match="is not a multiple of the step 1"):
        brnn.simulate(network, 3.0, times=[1e-8, 1.0])
