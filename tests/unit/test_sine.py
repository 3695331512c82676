"""Inputs that swing: as accurate at any frequency as tolerances say, in single runs and in sweeps."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.errors import SpecError

FREQUENCIES = (0.1, 3.0, 100.0, 2000.0)
SOLVERS = ("LSODA", "RK45", "Tsit5", "RK23", "DOP853", "Radau", "BDF", "ROS34PW2", "ETD4", "compiled")


def driven(frequency: float, A: float = 1.0, **more: object) -> brnn.Network:
    wave = brnn.Stimulus("F1", "excitatory", 1.0, brnn.Sine(frequency))
    return brnn.Network("driven", [brnn.Layer.additive("F1", 1, A=A)], [], [wave], **more)  # type: ignore[arg-type]


def exact(t: np.ndarray, frequency: float, A: float = 1.0) -> np.ndarray:
    """Return the solution of dx/dt = -A x + 1 + sin(w t), x(0) = 0."""
    w = 2.0 * np.pi * frequency
    decay = np.exp(-A * t)
    return -np.expm1(-A * t) / A + (A * np.sin(w * t) - w * np.cos(w * t) + w * decay) / (A * A + w * w)


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("frequency", FREQUENCIES)
def test_the_error_stays_within_ten_tolerances(frequency: float, solver: str) -> None:
    end = min(10.0, 100.0 / frequency)
    result = brnn.simulate(driven(frequency), end, times=np.linspace(0.0, end, 21), solver=solver)
    error = np.abs(result["F1.x"].values[:, 0] - exact(result.times, frequency))
    # RK23 makes so many steps at this tolerance that their errors add up to more, whatever the input is.
    assert error.max() <= (3e-5 if solver == "RK23" else 1e-5) * min(1.0, end)
    assert result.solver.steps <= 60 * frequency * end + 1000  # what the docstring says that it costs


@pytest.mark.parametrize("solver", ["auto", "RK45", "compiled"])
def test_a_thousand_periods_do_not_add_up(solver: str) -> None:
    result = brnn.simulate(driven(150.0), 10.0, times=[10.0], solver=solver)
    assert result.final("F1")[0] == pytest.approx(exact(np.array(10.0), 150.0), rel=1e-5)


def test_members_of_a_sweep_each_follow_their_own_input() -> None:
    sweep = brnn.sweep(driven, brnn.Grid(frequency=[200.0, 700.0, 1000.0, 0.5]), duration=1.0, progress=False)
    expected = [exact(np.array(1.0), frequency) for frequency in (200.0, 700.0, 1000.0, 0.5)]
    np.testing.assert_allclose(np.ravel(sweep["F1.x"]), expected, rtol=1e-5)


def test_the_stiff_method_of_the_ensemble_follows_a_fast_input() -> None:
    """Beside a cell of rate 1e7, which only a stiff method follows with steps of this size."""
    inputs = [
        brnn.Stimulus("F1", "excitatory", [1.0, 0.0], brnn.Sine(1000.0)),
        brnn.Stimulus("F1", "excitatory", [0.0, 1e7]),
    ]
    network = brnn.Network("stiff", [brnn.Layer.additive("F1", 2, A=[1.0, 1e7])], [], inputs)
    result = brnn.simulate(network, 1.0, times=[1.0], solver="compiled")
    assert result.solver.details["jacobians"] > 0.9 * result.solver.steps > 1000
    np.testing.assert_allclose(result.final("F1"), [exact(np.array(1.0), 1000.0), 1.0], rtol=1e-5)


def test_a_field_with_a_fast_input_is_that_of_scipy() -> None:
    pattern = np.array([0.2, 0.9, 0.6, 0.8, 0.1])
    f = brnn.Sigmoid(gain=1.0, half=0.5)
    links = [
        brnn.Projection("F1", "F1", "excitatory", f),
        brnn.Projection("F1", "F1", "inhibitory", f, brnn.AllButSelf()),
    ]
    wave = brnn.Stimulus("F1", "excitatory", pattern, brnn.Sine(80.0))
    network = brnn.Network("field", [brnn.Layer.shunting("F1", 5, A=1.0, B=3.0)], links, [wave])

    def rate(t: float, x: np.ndarray) -> np.ndarray:
        y = x * x / (0.25 + x * x)
        inputs = pattern * (1.0 + np.sin(160.0 * np.pi * t))
        return -x + (3.0 - x) * (inputs + y) - x * (y.sum() - y)

    right = solve_ivp(rate, (0.0, 5.0), np.zeros(5), "DOP853", rtol=1e-11, atol=1e-13, max_step=1 / 400).y[:, -1]
    for solver in ("auto", "RK45", "compiled"):
        x = brnn.simulate(network, 5.0, times=[5.0], solver=solver).final("F1")
        np.testing.assert_allclose(x, right, rtol=1e-5)


@pytest.mark.parametrize("solver", ["SRIW1", "compiled"])
def test_the_steps_of_white_noise_follow_the_input_too(solver: str) -> None:
    """Whatever the step that was asked for: with noise too weak to be seen the mean is the solution without it."""
    network = driven(100.0).replace(
        stimuli=[*driven(100.0).stimuli, brnn.Stimulus("F1", "excitatory", 1e-12, brnn.WhiteNoise())]
    )
    result = brnn.simulate(network, 1.0, times=[1.0], solver=solver, seed=1, step=0.05)
    assert result.solver.steps == 800
    assert result.final("F1")[0] == pytest.approx(exact(np.array(1.0), 100.0), rel=1e-4)


def test_an_input_in_a_network_with_delays_follows_itself() -> None:
    """A delayed echo that goes nowhere: what drives it must not become less accurate by it."""
    layers = [brnn.Layer.additive("F1", 1, A=1.0), brnn.Layer.additive("echo", 1, A=1.0)]
    echo = brnn.Projection("F1", "echo", "excitatory", delay=0.5)
    network = brnn.Network("echo", layers, [echo], driven(50.0).stimuli)
    assert brnn.simulate(network, 2.0).final("F1")[0] == pytest.approx(exact(np.array(2.0), 50.0), rel=1e-5)


def test_a_frequency_that_no_run_could_follow_is_refused() -> None:
    with pytest.raises(SpecError, match="Sine: frequency = 1e\\+09: has too many periods in a duration of 1"):
        brnn.simulate(driven(1e9), 1.0)


def test_equal_members_take_equal_steps() -> None:
    """The first one too: the longest step, a part of the period, is that of each."""
    table = brnn.Table({"A": [1.0, 1.0, 1.0]})
    sweep = brnn.sweep(lambda A: driven(1000.0, A), table, duration=1.0, progress=False)
    assert len(set(sweep["steps"].values.tolist())) == 1
    assert len(set(np.ravel(sweep["F1.x"]).tolist())) == 1
