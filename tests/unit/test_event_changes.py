"""Events that change parameters of a run that goes on, and events in networks with delays: beside closed forms."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn import AtTimes, Crossing, Event, SetParameter, SetState
from brnn.integrate.delays import History

SOLVERS = ["auto", "RK45", "LSODA", "ROS34PW2", "ETD4"]


def relaxing(*actions: brnn.Action, B: float = 4.0, **more: object) -> brnn.Network:
    """x' = -A x + (B - x) I with A = 1, I = 1: to B/2 at the rate 2; at t = 1 something changes."""
    return brnn.Network(
        "relaxing",
        [brnn.Layer.shunting("x", 2, A=1.0, B=B)],
        stimuli=[brnn.Stimulus("x", pattern=1.0, name="drive")],
        events=[Event("change", AtTimes(1.0), actions)],
        **more,  # type: ignore[arg-type]
    )


def relaxed(first: float, goal: float, rate: float, time: float) -> float:
    return goal + (first - goal) * math.exp(-rate * time)


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_parameter_changes_and_the_run_goes_on(solver: str) -> None:
    """A = 3 for one cell from t = 1 on: to B/4 at the rate 4; the other goes on as it did."""
    result = brnn.simulate(relaxing(SetParameter("x.A.1", 3.0)), 2.0, times=[1.0, 1.5, 2.0], solver=solver, rtol=1e-8)
    at_one = relaxed(0.0, 2.0, 2.0, 1.0)
    for time, found in zip([1.0, 1.5, 2.0], result["x.x"].values, strict=True):
        expected = [relaxed(0.0, 2.0, 2.0, time), relaxed(at_one, 1.0, 4.0, time - 1.0)]
        np.testing.assert_allclose(found, expected, rtol=3e-6)


def test_several_change_and_the_bounds_follow() -> None:
    """B falls below the activity, which comes down from outside of its new bounds; I rises at the same time."""
    changes = [SetParameter("x.B", 0.5), SetParameter("drive.pattern", 3.0)]
    result = brnn.simulate(relaxing(*changes), 1.4, times=[1.0, 1.1, 1.4], rtol=1e-8)
    at_one = relaxed(0.0, 2.0, 2.0, 1.0)
    expected = [at_one, relaxed(at_one, 0.375, 4.0, 0.1), relaxed(at_one, 0.375, 4.0, 0.4)]
    np.testing.assert_allclose(result["x.x"].values[:, 0], expected, rtol=1e-6)
    # The other way round activities rise above the old bounds.
    result = brnn.simulate(relaxing(SetParameter("x.B", 40.0)), 3.0, times=[3.0], rtol=1e-8)
    assert float(result.final("x")[0]) == pytest.approx(relaxed(at_one, 20.0, 2.0, 2.0), rel=1e-6)


def test_signals_topologies_gates_and_learning_change() -> None:
    """From t = 1 on the signal is 2w^2 instead of w, at twice the strength, the gate is emptied twice as fast."""
    link = brnn.Projection(
        "a",
        "b",
        signal=brnn.Linear(),
        topology=brnn.OneToOne(1.0),
        gate=brnn.HabituativeGate(1e-12, 1.0, 0.1),
        name="p",
    )
    changes = [
        SetParameter("p.signal", brnn.Function("g*w**2", g=2.0)),
        SetParameter("p.topology.weight", 2.0),
        SetParameter("p.gate.L", 0.2),
    ]
    network = brnn.Network(
        "chain",
        [brnn.Layer.additive("a", 1, A=0.0, initial=3.0), brnn.Layer.additive("b", 1, A=0.0)],
        [link],
        events=[Event("change", AtTimes(1.0), changes)],
    )
    result = brnn.simulate(network, 2.0, times=[1.0, 2.0], rtol=1e-9)
    # y' = -L f y with f = 3, then 18; b' = W f y.
    y = [math.exp(-0.3), math.exp(-0.3 - 0.2 * 18.0)]
    b = [3.0 * (1.0 - y[0]) / 0.3, 0.0]
    b[1] = b[0] + 2.0 * 18.0 * (y[0] - y[1]) / 3.6
    np.testing.assert_allclose(result["p.y"].values[:, 0], y, rtol=1e-7)
    np.testing.assert_allclose(result["b.x"].values[:, 0], b, rtol=1e-7)


def test_it_is_repeated_where_a_run_goes_on(tmp_path: Path) -> None:
    """A run that goes on, one that is resumed, a file that is rerun and the JSON all know what was set."""
    path = tmp_path / "run.h5"
    network = relaxing(SetParameter("x.A", 3.0))
    assert brnn.Network.from_json(network.to_json()) == network
    first = brnn.simulate(network, 1.5, record=path, rtol=1e-8)
    at_one = relaxed(0.0, 2.0, 2.0, 1.0)
    second = brnn.simulate(network, 0.5, start=first, rtol=1e-8)
    assert float(second.final("x")[0]) == pytest.approx(relaxed(at_one, 1.0, 4.0, 1.0), rel=1e-6)
    first.close()
    assert brnn.rerun(path)


def test_noise_takes_shorter_steps_when_rates_rise() -> None:
    """A = 1 becomes 1,000: the variance falls from 1/2 to 1/2,000 with steps that the network allows."""
    network = brnn.Network(
        "ou",
        [brnn.Layer.additive("x", 400, A=1.0)],
        stimuli=[brnn.Stimulus("x", schedule=brnn.WhiteNoise())],
        events=[Event("faster", AtTimes(5.0), SetParameter("x.A", 1000.0))],
    )
    result = brnn.simulate(network, 6.0, times=[5.0, 6.0], seed=4)
    slow, fast = result["x.x"].values.var(axis=1)
    assert slow == pytest.approx(0.5, rel=0.3)
    assert fast == pytest.approx(0.0005, rel=0.3)
    with pytest.warns(UserWarning, match="step = 0.01: is too long"):
        brnn.simulate(network.with_({"faster.then.0.value": 150.0}), 5.1, times=[5.1], seed=4, step=0.01)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("x.C", 1.0, None),
        ("x.Q", 1.0, r"SetParameter 'x\.Q': .*no field 'Q'"),
        ("y.A", 1.0, r"SetParameter 'y\.A': .* has no 'y'"),
        ("x.A", -1.0, r"Event 'change': SetParameter 'x\.A': .*A = -1"),
        ("x.A", [1.0, 2.0, 3.0], r"SetParameter 'x\.A': .*shape"),
        ("x.initial", 1.0, "initial states hold at time 0; use SetState"),
        ("x.shape", 3.0, "the number of cells stays"),
        ("drive.schedule.on", 3.0, "use StartStimulus or SwitchStimulus"),
        ("drive.on", False, "use StartStimulus or SwitchStimulus"),
        ("change.when.times", 3.0, "events and protocols cannot change"),
        ("A", 1.0, "must be a dotted name, e.g. 'F1.A'"),
    ],
)
def test_what_cannot_change(name: str, value: object, told: str | None) -> None:
    if told is None:
        relaxing(SetParameter(name, value))
        return
    with pytest.raises(brnn.SpecError, match=told) as error:
        relaxing(SetParameter(name, value))
    assert "\n" not in str(error.value)


def test_changes_that_do_not_go_together_end_the_run_with_one_line() -> None:
    first = brnn.Projection("x", "x", topology=brnn.Dense(np.eye(2)), name="p")
    events = [
        Event("one", AtTimes(0.1), SetParameter("p.topology", brnn.OneToOne())),
        Event("two", AtTimes(0.2), SetParameter("p.topology.matrix.0.1", 2.0)),
    ]
    network = brnn.Network("n", [brnn.Layer.additive("x", 2, A=1.0)], [first], events=events)
    with pytest.raises(
        brnn.IntegrationError, match=r"SetParameter 'p\.topology\.matrix\.0\.1' at t = 0\.2: .*no field 'matrix'"
    ):
        brnn.simulate(network, 1.0)


def late(*events: Event, delay: float = 1.0) -> brnn.Network:
    """x'(t) = -1.2 x(t - delay), x = 1 before 0."""
    link = brnn.Projection("x", "x", "inhibitory", brnn.Linear(1.2), brnn.OneToOne(), delay=delay)
    return brnn.Network("late", [brnn.Layer.additive("x", 1, A=0.0, initial=1.0)], [link], events=events)


RESET = Event("reset", Crossing("x", 0.25, direction="falling"), SetState("x", 1.0), once=True)


def with_reset(time: float) -> float:
    """Return x of `late(RESET)`: x = 1 - 1.2 t is 0.25 at t = 0.625, where it jumps to 1, and the jump comes back."""
    slope = -1.2
    if time <= 0.625:
        return 1.0 + slope * time
    if time <= 1.0:
        return 1.0 + slope * (time - 0.625)
    if time <= 1.625:  # x' = -1.2 (1 - 1.2 s), s = t - 1
        s = time - 1.0
        return 0.55 + slope * (s - 0.6 * s * s)
    s = time - 1.625  # the past begins at 1 again
    return 0.55 + slope * (0.625 - 0.6 * 0.625**2) + slope * (s - 0.6 * s * s)


@pytest.mark.parametrize("solver", ["auto", "RK23", "DOP853"])
def test_a_jump_comes_back_after_the_delay(solver: str) -> None:
    times = [0.5, 0.8, 1.0, 1.3, 1.625, 1.8, 2.0]
    result = brnn.simulate(late(RESET), 2.0, times=times, solver=solver)
    np.testing.assert_allclose(result["x.x"].values[:, 0], [with_reset(t) for t in times], rtol=0, atol=1e-12)
    assert result.events["time"].values == pytest.approx([0.625], abs=1e-12)


@pytest.mark.parametrize("delay", [0.1, 0.37, 1.0 / 3.0, 2.5])
def test_a_square_pulse_made_by_events_arrives_as_it_left(delay: float) -> None:
    """a is set to 2 at t = 1 and to 0 at t = 1.7; b' = -b + a(t - delay)."""
    events = [
        Event("up", AtTimes(1.0), SetState("a", 2.0, "all")),
        Event("down", AtTimes(1.7), SetState("a", 0.0, "all")),
    ]
    network = brnn.Network(
        "sent",
        [brnn.Layer.additive("a", 1, A=0.0), brnn.Layer.additive("b", 1, A=1.0)],
        [brnn.Projection("a", "b", delay=delay)],
        events=events,
    )
    times = 1.0 + delay + np.array([-0.05, 0.0, 0.3, 0.7, 1.0, 2.0])
    found = brnn.simulate(network, 6.0, times=times, rtol=1e-9, atol=1e-12)["b.x"].values[:, 0]

    def exact(t: float) -> float:
        end = 2.0 * (1.0 - math.exp(-0.7))
        return 0.0 if t <= 0.0 else 2.0 * (1.0 - math.exp(-t)) if t <= 0.7 else end * math.exp(0.7 - t)

    np.testing.assert_allclose(found, [exact(t - 1.0 - delay) for t in times], rtol=0, atol=2e-9)


def test_where_inputs_jump_delays_bring_it_back_beside_events() -> None:
    """a rises from t = 1 to 2, and b' = a(t - 0.5): parabolas, exact if restarted between them."""
    network = brnn.Network(
        "ramps",
        [brnn.Layer.additive("a", 1, A=0.0), brnn.Layer.additive("b", 1, A=0.0)],
        [brnn.Projection("a", "b", delay=0.5)],
        [brnn.Stimulus("a", schedule=brnn.Pulse(1.0, 2.0))],
        events=[Event("half", Crossing("a", 0.5))],
    )
    result = brnn.simulate(network, 3.0, times=[1.5, 2.0, 2.5, 3.0])
    np.testing.assert_allclose(result["b.x"].values[:, 0], [0.0, 0.125, 0.5, 1.0], rtol=0, atol=1e-11)


def test_events_at_time_0_do_not_change_the_past() -> None:
    """x = 1 before 0 and 3 at 0: x = 3 - 1.2 t up to 1, then x' = -1.2 (3 - 1.2 (t - 1))."""
    network = late(Event("first", AtTimes(0.0), SetState("x", 3.0, "all")))
    result = brnn.simulate(network, 2.0, times=[0.0, 1.0, 2.0])
    np.testing.assert_allclose(result["x.x"].values[:, 0], [3.0, 1.8, 1.8 - 3.6 + 0.72], atol=1e-12)


def test_phases_that_end_early_do_not_move_what_travels() -> None:
    """a is driven to 1 from t = 0 on and the phase ends when it is at 1/2, at t = ln 2; b hears of both 0.4 later."""
    end = Event("half", Crossing("a", 0.5), brnn.NextPhase())
    phases = [brnn.Phase("on", 5.0, {"a": 1.0}), brnn.Phase("off", 3.0)]
    network = brnn.Network(
        "phases",
        [brnn.Layer.additive("a", 1, A=1.0), brnn.Layer.additive("b", 1, A=0.0)],
        [brnn.Projection("a", "b", delay=0.4)],
        events=[end],
        protocol=brnn.Protocol(phases),
    )
    result = brnn.simulate(network, rtol=1e-9, atol=1e-12)
    turn = math.log(2.0)
    assert result.reached == pytest.approx(turn + 3.0, abs=1e-8)
    # The integral of a up to 0.4 before the end: t - 1 + e^-t up to ln 2, then 1/2 (1 - e^-s).
    expected = (turn - 0.5) + 0.5 * (1.0 - math.exp(-2.6))
    assert float(result.final("b")[0]) == pytest.approx(expected, abs=1e-8)


def test_parameters_change_while_signals_travel() -> None:
    """From t = 0.5 on the gain is 2: what arrives then is 2 x(t - 1)."""
    network = late(Event("gain", AtTimes(0.5), SetParameter("x_x_inh.signal.gain", 2.0)))
    result = brnn.simulate(network, 1.5, times=[0.5, 1.0, 1.5])
    # x' = -1.2, then -2, then -2 (1 - 1.2 (t - 1)).
    np.testing.assert_allclose(result["x.x"].values[:, 0], [0.4, -0.6, -0.6 - 2.0 * (0.5 - 0.6 * 0.25)], atol=1e-12)


@pytest.mark.parametrize("split", [0.4, 0.9, 1.3, 1.7])
def test_a_run_with_jumps_on_their_way_goes_on(split: float, tmp_path: Path) -> None:
    path = tmp_path / "first.h5"
    brnn.simulate(late(RESET), split, record=path).close()
    second = brnn.simulate(late(RESET), 2.0 - split, start=path)
    assert float(second.final("x")[0]) == pytest.approx(with_reset(2.0), abs=1e-9)


def test_saved_states_do_not_hold_jumps() -> None:
    first = brnn.simulate(late(RESET), 2.0)
    with pytest.raises(brnn.InputError, match="where events made them jump; go on from the end of the run"):
        brnn.simulate(late(RESET), 1.0, start=first, at=float(first.times[180]))


def test_a_sweep_with_delays_and_events() -> None:
    """The parameter is one of an event's action."""
    table = brnn.sweep(late(RESET), brnn.Grid(**{"reset.then.0.value": [1.0, 2.0]}), duration=1.0, measures=["final"])
    np.testing.assert_allclose(table["x.x"].values.ravel(), [0.55, 1.55], atol=1e-9)


def test_the_past_of_a_step_is_there_while_the_step_is_looked_at() -> None:
    """DOP853 evaluates du/dt within its last step for the dense output, when that step is already the past."""
    history = History(np.zeros(1), 1.0)
    ends = [*np.linspace(0.01, 1.0, 100), 1.9]  # small steps after an event, and a large one
    for end in ends:
        history.append(float(end), lambda time: np.array([time]))
    for time in (0.05, 0.3, 0.5, 1.2):  # from the beginning of the last step, and less than the delay ago
        assert history(time)[0] == time
