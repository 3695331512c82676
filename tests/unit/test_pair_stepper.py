"""The compiled explicit stepper: its coefficients and error are SciPy's, and one step at a time is the same as many."""

from __future__ import annotations

import gc
import os
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import RK45

import brnn
from brnn.compiler import compile_network
from brnn.integrate import stepwise
from brnn.integrate.steppers import pair_stepper
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.pair_stepper import PairStepper

NETWORK = brnn.models.rcf.build(n=5)
RTOL, ATOL = 1e-4, 1e-6
TIMES = np.linspace(0.0, 3.0, 301)


def piece(stop: float = 0.5) -> Piece:
    system = compile_network(NETWORK)
    state = np.array([0.3, 0.05, 0.9, 0.2, 0.0])
    return Piece(system.rhs(0.25), 0.0, state, stop, RTOL, ATOL, system)


def test_a_step_is_that_of_scipys_tableau() -> None:
    one = piece()
    stepper = PairStepper(one)
    stepper.step()  # the first one is too short to show an error
    t, y = stepper.t, stepper.y
    stepper.step()
    h = stepper.t - t
    assert h > 0.01
    K = np.empty((7, 5))
    K[0] = one.fun(t, y)
    for s in range(1, 6):
        K[s] = one.fun(t + RK45.C[s] * h, y + h * RK45.A[s, :s] @ K[:s])
    state = y + h * RK45.B @ K[:6]
    K[6] = one.fun(t + h, state)
    np.testing.assert_allclose(stepper.y, state, rtol=1e-14)
    for part in (0.2, 0.7):
        expected = y + h * (K.T @ RK45.P) @ part ** np.arange(1, 5)
        np.testing.assert_allclose(stepper.dense_output()(t + part * h), expected, rtol=1e-12)
    # The next step is what the largest error of an unknown allows, not the mean one.
    errors = np.abs(h * RK45.E @ K) / (ATOL + RTOL * np.maximum(np.abs(y), np.abs(state)))
    assert 1.2 * np.sqrt(np.mean(errors**2)) < errors.max() < 1.0
    stepper.step()
    np.testing.assert_allclose(stepper.step_size, h * 0.9 * errors.max() ** -0.2, rtol=1e-9)


def test_a_step_of_too_large_an_error_is_made_again() -> None:
    """Between two saved times as far apart as the run, the error is of the size of the tolerance."""
    strict = brnn.simulate(NETWORK, 1.0, solver="RK45", rtol=1e-11, atol=1e-13, times=[1.0]).final("rcf.x")
    for rtol in (1e-3, 1e-5, 1e-7):
        found = brnn.simulate(NETWORK, 1.0, solver="RK45", rtol=rtol, atol=1e-12, times=[1.0]).final("rcf.x")
        error = float((np.abs(found - strict) / (rtol * np.abs(strict) + 1e-12)).max())
        assert 1e-4 < error < 5.0


@pytest.mark.parametrize("first", [0.6, 1.0, 1.7, 2.5, 4.0])
def test_a_step_that_was_made_again_is_not_followed_by_a_longer_one(first: float) -> None:
    """With one unknown the largest error is the mean one, so that all steps are those of SciPy."""
    network = brnn.models.rcf.build(n=1, A=1.0, B=3.0, signal=brnn.Power(1.0, 2.0), initial=0.5)
    system = compile_network(network)
    stepper = PairStepper(Piece(system.rhs(0.25), 0.0, np.array([0.5]), 8.0, RTOL, ATOL, system))
    theirs = RK45(lambda t, x: -x + (3.0 - x) * x * x, 0.0, [0.5], 8.0, first_step=first, rtol=RTOL, atol=ATOL)
    stepper.h_abs = first
    for _ in range(3):
        stepper.step()
        theirs.step()
        assert stepper.step_size == pytest.approx(theirs.step_size, rel=1e-6)
        assert stepper.h_abs == pytest.approx(min(theirs.h_abs, 2.8 / stepper.remembered[0]), rel=1e-6)


def test_what_comes_to_rest_does_not_dither_at_the_limit_of_stability() -> None:
    """dx/dt = I - A x rests at I/A; errors alone let a disturbance grow to the tolerance once the steps are long."""
    rates = np.array([100.0, 30.0, 1.0])
    network = brnn.Network(
        "rates", [brnn.Layer.additive("x", 3, A=rates)], stimuli=[brnn.Stimulus("x", "excitatory", [1.0, 2.0, 0.5])]
    )
    result = brnn.simulate(network, 80.0, solver="RK45", times=np.linspace(40.0, 80.0, 101), rtol=1e-5)
    np.testing.assert_allclose(result["x.x"], np.tile([0.01, 2.0 / 30.0, 0.5], (101, 1)), rtol=1e-9)
    assert result.solver.steps < 1.1 * 80.0 * 100.0 / 2.8  # as many as stability asks for


def test_many_steps_in_one_call_are_those_made_one_by_one() -> None:
    one, many = PairStepper(piece()), PairStepper(piece())
    ends = [one.t]
    while one.status == "running":
        one.step()
        ends.append(one.t)
    times = np.linspace(0.01, 0.49, 30)
    blocks = []
    while many.status == "running":
        done = sum(len(block) for block in blocks)
        blocks.append(many.advance(times[done:], 7, 4).copy())  # the next call overwrites them
        assert len(blocks[-1]) <= 7
    assert (many.steps, many.nfev, many.t) == (one.steps, one.nfev, one.t)
    np.testing.assert_array_equal(many.y, one.y)
    rows, again = np.concatenate(blocks), PairStepper(piece())
    assert len(rows) == 30
    for time, row in zip(times, rows, strict=True):
        while again.t < time:
            again.step()
        np.testing.assert_array_equal(again.y if again.t == time else again.dense_output()(time), row)


@pytest.mark.parametrize("count", [31, 300])
def test_states_written_four_at_once_are_those_written_alone_and_kept_in_the_same_bounds(count: int) -> None:
    """Bounds that the state soon leaves: each saved one lies on them or within, and the farthest is told."""
    times, rows = np.linspace(0.0, 0.5, count), np.empty((0, 5))
    together, alone, free = (PairStepper(piece()) for _ in range(3))
    bounds = np.zeros(5), together.y + 0.01
    together.bounds = alone.bounds = bounds
    while len(rows) < count:
        block = together.advance(times[len(rows) :], count, 1).copy()
        unbound = free.advance(times[len(rows) :], count, 1).copy()
        one_by_one = [alone.advance(times[len(rows) + k :], 1, 1)[0].copy() for k in range(len(block))]
        np.testing.assert_array_equal(block, np.reshape(one_by_one, block.shape))
        np.testing.assert_array_equal(block, np.clip(unbound, *bounds))
        rows = np.concatenate([rows, unbound])
        if len(rows):
            assert together.projected == np.abs(rows - np.clip(rows, *bounds)).max()
    assert together.projected > 0.01


def test_results_do_not_depend_on_how_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    in_memory = brnn.simulate(NETWORK, 3.0, solver="RK45", times=TIMES)["rcf.x"].values
    with brnn.simulate(NETWORK, 3.0, solver="RK45", times=TIMES, record=tmp_path / "run.h5") as result:
        np.testing.assert_array_equal(result["rcf.x"].values, in_memory)
    monkeypatch.setattr(stepwise, "rows_at_once", lambda _: 3)
    monkeypatch.setattr(stepwise, "_CALL_SECONDS", 0.0)  # one step in a call
    np.testing.assert_array_equal(brnn.simulate(NETWORK, 3.0, solver="RK45", times=TIMES)["rcf.x"].values, in_memory)


def test_a_long_stretch_in_compiled_code_can_be_interrupted(tmp_path: Path) -> None:
    times = [0.0, 1.0, 8e6]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has its background jobs ignore it
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))

    def told(time: float) -> None:
        if time > 1.0 and timer.ident is None:
            timer.start()

    gc.disable()  # hypothesis has a function that collections call: Python would say an interrupt in it, and go on
    with pytest.raises(KeyboardInterrupt):
        brnn.simulate(NETWORK, 8e6, times=times, rtol=1e-12, solver="RK45", record=tmp_path / "run.h5", progress=told)
    gc.enable()
    timer.join()
    signal.signal(signal.SIGINT, before)
    with brnn.open(tmp_path / "run.h5") as result:
        assert result.status == "interrupted"
        assert 0 < result.reached < 8e6


@pytest.mark.parametrize(("per", "threshold"), [("cell", 0.5), ("total", 1.2), ("maximum", 0.8)])
def test_compiled_steps_find_events_by_themselves(per: str, threshold: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells approach (1, 0.6) as 1 - exp(-t): each kind of threshold is crossed at a known time, many steps a call."""
    monkeypatch.setattr(PairStepper, "step", None)  # nothing makes one step at a time
    drive = np.array([1.0, 0.6])
    crossed = {"cell": drive, "total": drive.sum(keepdims=True), "maximum": drive[:1]}[per]
    network = brnn.Network(
        "approach",
        [brnn.Layer.additive("x", 2, A=1.0)],
        stimuli=[brnn.Stimulus("x", pattern=drive)],
        events=[brnn.Event("up", brnn.Crossing("x", threshold, per=per))],
    )
    times = np.linspace(0.0, 5.0, 11)
    result = brnn.simulate(network, 5.0, times=times, solver="RK45", rtol=1e-9, atol=1e-12)
    expected = np.sort(-np.log1p(-threshold / crossed[crossed > threshold]))
    np.testing.assert_allclose(result.events["time"], expected, atol=1e-8)
    np.testing.assert_allclose(result["x.x"], -drive * np.expm1(-times)[:, None], atol=1e-8)
    assert result.solver.method == "RK45"


def test_what_had_no_room_is_saved_before_another_method_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two cells swing at 1250 with exp(-20 t), a third one is stiff: p = cos, q = -sin, and LSODA takes over."""
    frequency = 1250.0
    W = np.array([[0.0, frequency, 0.0], [-frequency, 0.0, 0.0], [0.0, 0.0, 0.0]])
    layer = brnn.Layer.additive("c", 3, A=[20.0, 20.0, 2e4], initial=[1.0, 0.0, 1.0])
    network = brnn.Network("swings", [layer], [brnn.Projection("c", "c", topology=brnn.Dense(W))])
    times = np.linspace(0.0, 0.2, 4001)
    right = np.exp(-20.0 * times) * np.array([np.cos(frequency * times), -np.sin(frequency * times)])
    monkeypatch.setattr(PairStepper, "rows_at_once", staticmethod(lambda size: 1))
    run = brnn.simulate(network, 8.0, times=np.append(times, 8.0))
    reason = run.solver.details["reason"]
    assert "LSODA: stiff" in reason
    assert 0.01 < float(reason.partition("from t = ")[2].split()[0]) < 0.19
    np.testing.assert_allclose(run["c.x"].values[:-1, :2].T, right, atol=1e-4)


def test_what_memory_held_before_is_no_rate_of_a_network_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing moves no stage is made; numbers that a stiff run left there made "auto" take ETD4."""
    monkeypatch.setattr(pair_stepper, "lines_apart", lambda size: np.full(size, 1e6) ** np.linspace(0.0, 1.0, size))
    network = brnn.models.rcf.build(n=5)
    system = compile_network(network.replace(stimuli=()))
    stepper = PairStepper(Piece(system.rhs(0.25), 0.0, np.zeros(5), 0.5, RTOL, ATOL, system))
    assert stepper.rate == 0.0
