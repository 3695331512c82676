"""The root-mean-square norm of SciPy and diffrax, where it is asked for: in every stepper, in files, and refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.integrate import RK45, solve_ivp
from typer.testing import CliRunner

import brnn
from brnn.cli.app import app
from brnn.compiler import compile_network
from brnn.integrate import weights
from brnn.integrate.steppers.affine_weights import AffineWeights
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.large import Large
from brnn.integrate.steppers.pair_stepper import PairStepper

CELLS, RTOL, ATOL = 400, 1e-5, 1e-8
SIGNAL = brnn.Sigmoid(2.0, 0.5, 2)


def network() -> brnn.Network:
    """Return three active cells among quiet ones, which the mean of the errors hides."""
    state = np.full(CELLS, 1e-7)
    state[:3] = 0.3, 0.6, 0.5
    return brnn.Network(
        "rcf",
        [brnn.Layer.shunting("rcf", CELLS, 1.0, 3.0, initial=state)],
        [
            brnn.Projection("rcf", "rcf", "excitatory", SIGNAL, brnn.OneToOne()),
            brnn.Projection("rcf", "rcf", "inhibitory", SIGNAL, brnn.AllButSelf()),
        ],
    )


def by_hand(t: float, x: np.ndarray) -> np.ndarray:
    s = 2.0 * x**2 / (0.25 + x**2)
    return -x + (3.0 - x) * s - x * (s.sum() - s)


@pytest.mark.parametrize("kind", [PairStepper, Large])
def test_the_next_step_is_what_the_mean_square_allows(kind: type) -> None:
    system = compile_network(network())
    piece = Piece(system.rhs(0.5), 0.0, system.initial_state(), 20.0, RTOL, ATOL, system, norm="rms")
    stepper = kind(piece)
    stepper.step()  # the third one is limited by stability
    t, y = stepper.t, stepper.y
    stepper.step()
    h, K = stepper.t - t, np.empty((7, CELLS))
    K[0] = by_hand(t, y)
    for s in range(1, 6):
        K[s] = by_hand(t, y + h * RK45.A[s, :s] @ K[:s])
    new = y + h * RK45.B @ K[:6]
    K[6] = by_hand(t, new)
    np.testing.assert_allclose(stepper.y, new, rtol=1e-12)
    errors = h * RK45.E @ K / (ATOL + RTOL * np.maximum(np.abs(y), np.abs(new)))
    norm = np.sqrt(np.mean(errors**2))
    assert norm < 0.3 * np.abs(errors).max()
    assert stepper.h_abs == pytest.approx(0.9 * h * norm**-0.2, rel=1e-6)


def test_weights_by_factors_make_the_same_steps() -> None:
    link = brnn.Projection(
        "a", "b", "excitatory", SIGNAL, brnn.AllToAll(), learning=brnn.Outstar(0.5, initial=np.full((5, 9), 0.3))
    )
    back = brnn.Projection(
        "b", "a", "excitatory", SIGNAL, brnn.AllToAll(0.1), learning=brnn.Instar(0.5, initial=np.full((9, 5), 0.2))
    )
    start = np.linspace(0.1, 0.9, 9)
    layers = [brnn.Layer.shunting("a", 9, 1.0, 1.0, initial=start), brnn.Layer.shunting("b", 5, 1.0, 2.0)]
    system = compile_network(brnn.Network("two", layers, [link, back]))
    ends = []
    for kind in (AffineWeights, PairStepper):
        piece = Piece(system.rhs(0.5), 0.0, system.initial_state(), 4.0, RTOL, ATOL, system, norm="rms")
        stepper: Any = kind(piece)
        while stepper.status == "running":
            stepper.step()
        ends.append((stepper.steps, stepper.y))
    assert ends[0][0] == ends[1][0]
    np.testing.assert_allclose(ends[0][1], ends[1][1], rtol=1e-11)


@pytest.mark.parametrize("solver", ["RK23", "DOP853"])
def test_scipys_methods_make_scipys_steps(solver: str) -> None:
    found = brnn.simulate(network(), 5.0, times=[5.0], solver=solver, norm="rms", rtol=1e-7, atol=ATOL)
    start = network().layers[0].initial
    expected = solve_ivp(by_hand, (0.0, 5.0), np.asarray(start), solver, rtol=1e-7, atol=ATOL)
    assert found.solver.evaluations == expected.nfev
    np.testing.assert_allclose(found.final("rcf"), expected.y[:, -1], rtol=1e-8, atol=1e-12)
    strict = brnn.simulate(network(), 5.0, times=[5.0], solver=solver, rtol=1e-7, atol=ATOL)
    assert strict.solver.evaluations > 1.1 * expected.nfev


def test_it_is_stored_and_run_again_and_prepared(tmp_path: Path) -> None:
    strict = brnn.simulate(network(), 5.0)
    with brnn.simulate(network(), 5.0, norm="rms", record=tmp_path / "run.h5") as result:
        assert result.solver.steps < 0.8 * strict.solver.steps
        assert result.solver.details["norm"] == "rms"
        assert result.options["norm"] == "rms"
        states = result["rcf.x"].values
    assert brnn.rerun(tmp_path / "run.h5", tolerance=0.0).passed
    np.testing.assert_array_equal(brnn.prepare(network(), norm="rms").trajectory({}, 5.0), states)
    with pytest.raises(brnn.BrnnError, match="its norm is rms, here it is max"):
        brnn.simulate(network(), 5.0, record=tmp_path / "run.h5", resume=True)


def test_the_command_takes_it(tmp_path: Path) -> None:
    out = str(tmp_path / "run.h5")
    done = CliRunner().invoke(app, ["run", "rcf", "--set", "n=5", "--norm", "rms", "-o", out], catch_exceptions=False)
    assert done.exit_code == 0
    with brnn.open(out) as result:
        assert result.options["norm"] == "rms"


@pytest.mark.parametrize("solver", ["LSODA", "Radau", "compiled", "ETD4", "ROS34PW2"])
def test_methods_that_cannot_say_so(solver: str) -> None:
    with pytest.raises(
        brnn.BrnnError, match=f"^norm = 'rms': {solver} does not .* can are auto, RK45, RK23, DOP853, Tsit5$"
    ):
        brnn.simulate(network(), 1.0, solver=solver, norm="rms")


def test_what_has_no_error_of_a_step_says_so() -> None:
    layer, white = brnn.Layer.shunting("a", 2, 1.0, 1.0), brnn.WhiteNoise()
    noisy = brnn.Network("noisy", [layer], [], [brnn.Stimulus("a", "excitatory", [0.1, 0.1], white)])
    with pytest.raises(brnn.BrnnError, match="SRIW1 does not"):
        brnn.simulate(noisy, 1.0, norm="rms")
    with pytest.raises(brnn.BrnnError, match="must be one of max, rms"):
        brnn.prepare(network(), norm="l2")  # type: ignore[arg-type]


def test_large_states_and_weights_do_not_dither_at_the_limit_of_stability(monkeypatch: pytest.MonkeyPatch) -> None:
    """dx/dt = I - A x rests at I/A; errors alone let a disturbance grow to the tolerance once the steps are long."""
    from brnn.integrate.methods import explicit

    layer = brnn.Layer.additive("x", 3, A=[100.0, 30.0, 1.0])
    stimulus = brnn.Stimulus("x", "excitatory", [1.0, 2.0, 0.5])
    learned = brnn.Projection("x", "x", "excitatory", brnn.Linear(), brnn.AllToAll(0.0), learning=brnn.PassiveDecay())
    times = np.linspace(40.0, 80.0, 101)
    for links, name in (([], "_LARGE"), ([learned], "")):
        monkeypatch.setattr(explicit, "_LARGE", 0) if name else monkeypatch.setattr(weights, "_LEAST", 0)
        spec = brnn.Network("rates", [layer], links, [stimulus])
        result = brnn.simulate(spec, 80.0, solver="RK45", times=times, rtol=1e-5)
        np.testing.assert_allclose(result["x.x"], np.tile([0.01, 2.0 / 30.0, 0.5], (101, 1)), rtol=1e-9)
        assert result.solver.steps < 1.1 * 80.0 * 100.0 / 2.8  # as many as stability asks for


def test_auto_makes_a_small_run_in_one_call_whatever_the_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = network()
    asked = brnn.simulate(spec, 0.1, solver="Tsit5", norm="rms")
    with monkeypatch.context() as patch:
        patch.setattr("brnn.integrate.methods.auto.Auto.drive", lambda *_: pytest.fail("a driver makes the run"))
        chosen = brnn.simulate(spec, 0.1, norm="rms")
    assert np.array_equal(chosen["rcf.x"], asked["rcf.x"])
    assert chosen.solver.details["reason"] == "auto: norm rms, an explicit method"
