"""Events: their times and what they do, against closed forms; what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import brnn
from brnn import AtTimes, Crossing, Event, SampleWinner, SetState, StartStimulus, StopRun, SwitchStimulus

TIGHT: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-13}


def leaky(drive: Sequence[float], threshold: float, **options: Any) -> brnn.Network:
    """Leaky integrators x' = -x + I that are set back to 0 when they reach the threshold."""
    return brnn.Network(
        "leaky",
        [brnn.Layer.additive("x", len(drive), A=1.0)],
        stimuli=[brnn.Stimulus("x", pattern=drive)],
        events=[Event("spike", Crossing("x", threshold), SetState("x"), **options)],
    )


def ramp(n: int = 1, events: Sequence[Event] = (), speed: Any = 1.0, **options: Any) -> brnn.Network:
    """Cells that rise in a straight line, x' = speed."""
    layer = brnn.Layer.additive("x", n, A=0.0, initial=options.pop("initial", 0.0))
    more = [*options.pop("layers", ())]
    stimuli = [brnn.Stimulus("x", pattern=speed), *options.pop("stimuli", ())]
    return brnn.Network("ramp", [layer, *more], options.pop("projections", ()), stimuli, events=events, **options)


def times_of(result: brnn.Result, name: str, cell: int | None = None) -> np.ndarray:
    events = result.events
    chosen = events["name"].to_numpy() == name
    if cell is not None:
        chosen &= events["cell"].to_numpy() == cell
    return events["time"].to_numpy()[chosen]


@pytest.mark.parametrize("solver", ["LSODA", "RK45", "DOP853", "Radau", "BDF"])
def test_period_of_a_leaky_integrator(solver: str) -> None:
    drive, threshold = [2.0, 3.0, 1.0], 1.5
    result = brnn.simulate(leaky(drive, threshold), 10.0, solver=solver, **TIGHT)
    for cell in (0, 1):
        period = np.log(drive[cell] / (drive[cell] - threshold))
        expected = period * np.arange(1, int(10.0 / period) + 1)
        np.testing.assert_allclose(times_of(result, "spike", cell), expected, atol=3e-9)
    assert times_of(result, "spike", 2).size == 0
    np.testing.assert_allclose(result.events["value"], threshold, rtol=1e-9)
    x = result["x.x"]
    since = x["time"].to_numpy() % np.log(4.0)
    far = np.minimum(since, np.log(4.0) - since) > 1e-6
    np.testing.assert_allclose(x[far, 0], 2.0 * (1.0 - np.exp(-since[far])), atol=1e-8)


@pytest.mark.parametrize("solver", ["RK23", "ROS34PW2"])
def test_period_with_methods_of_low_order(solver: str) -> None:
    result = brnn.simulate(leaky([2.0], 1.5), 10.0, solver=solver, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(times_of(result, "spike"), np.log(4.0) * np.arange(1, 8), atol=1e-6)


@pytest.mark.parametrize("solver", ["LSODA", "RK45", "DOP853", "Radau"])
def test_crossings_of_a_sine(solver: str) -> None:
    # The threshold lies 0.001 below the peak: a step may begin and end below it.
    w, threshold = 2.0 * np.pi, 0.999
    plain = {"A": 0.0, "B": 1.0, "C": 0.0, "E": 1.0, "F": 0.0}
    network = brnn.Network(
        "sine",
        [brnn.Layer("s", 1, **plain), brnn.Layer("c", 1, initial=1.0, **plain)],
        [
            brnn.Projection("c", "s", signal=brnn.Linear(w)),
            brnn.Projection("s", "c", "inhibitory", signal=brnn.Linear(w)),
        ],
        events=[
            Event("up", Crossing("s", threshold)),
            Event("down", Crossing("s", threshold, "falling")),
            Event("zero", Crossing("s", 0.0, "falling")),
        ],
    )
    result = brnn.simulate(network, 5.0, solver=solver, **TIGHT)
    up = np.arcsin(threshold) / w
    whole = np.arange(5.0)
    np.testing.assert_allclose(times_of(result, "up"), up + whole, atol=1e-8)
    np.testing.assert_allclose(times_of(result, "down"), 0.5 - up + whole, atol=1e-8)
    np.testing.assert_allclose(times_of(result, "zero"), 0.5 + whole, atol=1e-9)


def test_crossing_time_to_a_billionth() -> None:
    # x = exp(-A t) meets the threshold at ln(1/threshold)/A
    network = brnn.Network(
        "decay",
        [brnn.Layer.additive("x", 4, A=[0.5, 1.0, 2.0, 3.0], initial=1.0)],
        events=[Event("low", Crossing("x", 0.1, "falling"), ())],
    )
    result = brnn.simulate(network, 6.0, rtol=1e-12, atol=1e-14)
    order = result.events["cell"].to_numpy()
    assert order.tolist() == [3, 2, 1, 0]
    np.testing.assert_allclose(result.events["time"], np.log(10.0) / np.array([3.0, 2.0, 1.0, 0.5]), atol=1e-9)


def test_bouncing() -> None:
    # Dropped from 1 with gravity 1; each bounce keeps half of the speed: bounces at sqrt(2) (1, 2, 2.5, 2.75, ...)
    network = brnn.Network(
        "ball",
        [brnn.Layer.additive("h", 1, A=0.0, initial=1.0), brnn.Layer.additive("v", 1, A=0.0)],
        [brnn.Projection("v", "h")],
        [brnn.Stimulus("v", "inhibitory", 1.0)],
        events=[Event("bounce", Crossing("h", 0.0, "falling"), [SetState("v", scale=-0.5), SetState("h")])],
    )
    result = brnn.simulate(network, 4.0, **TIGHT)
    np.testing.assert_allclose(times_of(result, "bounce"), np.sqrt(2.0) * np.array([1.0, 2.0, 2.5, 2.75]), atol=1e-9)


def test_total_and_maximum() -> None:
    events = [
        Event("total", Crossing("x", 6.0, per="total"), once=True),
        Event("largest", Crossing("x", 3.0, per="maximum"), SetState("x", -1.0, where="others")),
    ]
    result = brnn.simulate(ramp(3, events, speed=[1.0, 3.0, 2.0]), 2.0, times=[0.5, 1.0, 1.5])
    np.testing.assert_allclose(result.events["time"], [1.0, 1.0], atol=1e-12)
    assert result.events["cell"].to_numpy().tolist() == [-1, 1]
    np.testing.assert_allclose(result["x.x"][1], [-1.0, 3.0, -1.0], atol=1e-9)
    falling = Event("gone", Crossing("x", 0.0, "falling", per="maximum"))
    result = brnn.simulate(ramp(2, [falling], speed=[-1.0, -2.0], initial=[1.0, 1.0]), 2.0)
    np.testing.assert_allclose(result.events["time"], [1.0], atol=1e-12)
    assert result.events["cell"].to_numpy().tolist() == [0]


def test_a_threshold_for_each_cell() -> None:
    result = brnn.simulate(ramp(3, [Event("up", Crossing("x", [0.3, 0.1, 0.2]))]), 1.0)
    np.testing.assert_allclose(result.events["time"], [0.1, 0.2, 0.3], atol=1e-12)
    assert result.events["cell"].to_numpy().tolist() == [1, 2, 0]


def test_a_level_is_no_crossing() -> None:
    events = [Event("up", Crossing("x", 0.5)), Event("start", Crossing("x", 1.0))]
    result = brnn.simulate(ramp(2, events, initial=[0.7, 0.0]), 2.0)
    assert times_of(result, "up", 0).size == 0
    np.testing.assert_allclose(times_of(result, "up", 1), [0.5], atol=1e-12)
    np.testing.assert_allclose(times_of(result, "start"), [0.3, 1.0], atol=1e-12)


def test_cells_that_cross_together_make_one_event() -> None:
    # All three cross at 1: each halves what the others have only once.
    events = [Event("up", Crossing("x", 1.0), [SetState("x"), SetState("count", 1.0, "all", scale=1.0)])]
    result = brnn.simulate(ramp(3, events, layers=[brnn.Layer.additive("count", 1, A=0.0)]), 2.5)
    assert result.events["cell"].to_numpy().tolist() == [0, 1, 2, 0, 1, 2]
    assert result.final("count").item() == 2.0


def test_order_of_simultaneous_events() -> None:
    set_to = [SetState("mark", value, "all") for value in (1.0, 2.0)]
    layers = [brnn.Layer.additive("mark", 1, A=0.0)]
    for first, second in ((0, 1), (1, 0)):
        events = [Event(f"e{k}", Crossing("x", 1.0), set_to[k]) for k in (first, second)]
        result = brnn.simulate(ramp(1, events, layers=layers), 2.0)
        assert result.events["name"].to_numpy().tolist() == [f"e{first}", f"e{second}"]
        assert result.final("mark").item() == second + 1.0


def test_a_state_carried_across_causes_the_next_event() -> None:
    layers = [brnn.Layer.additive("y", 2, A=0.0)]
    events = [Event("a", Crossing("x", 1.0), SetState("y", [0.0, 5.0], "all")), Event("b", Crossing("y", 2.0))]
    result = brnn.simulate(ramp(1, events, layers=layers), 2.0)
    assert result.events["name"].to_numpy().tolist() == ["a", "b"]
    assert result.events["cell"].to_numpy().tolist() == [0, 1]
    assert result.events["time"][0] == result.events["time"][1]


def test_once_and_refractory() -> None:
    again = [SetState("x")]
    result = brnn.simulate(ramp(2, [Event("up", Crossing("x", 1.0), again, once=True)], speed=[1.0, 2.0]), 5.0)
    np.testing.assert_allclose(result.events["time"], [0.5, 1.0], atol=1e-12)
    # Without the event x goes on: it has to come back first, which it never does.
    result = brnn.simulate(ramp(1, [Event("up", Crossing("x", 1.0), again, refractory=1.5)]), 5.0)
    np.testing.assert_allclose(result.events["time"], [1.0], atol=1e-12)
    result = brnn.simulate(ramp(1, [Event("up", Crossing("x", 1.0), again, refractory=0.5)]), 3.5)
    np.testing.assert_allclose(result.events["time"], [1.0, 2.0, 3.0], atol=1e-12)


def test_a_window() -> None:
    window = brnn.Pulses([[1.5, 3.5]])
    network = leaky([2.0], 1.5, schedule=window)
    network = network.replace(events=[*network.events, Event("back", AtTimes([1.45, 4.2]), SetState("x", 0.0, "all"))])
    period = np.log(4.0)
    result = brnn.simulate(network, 6.0, **TIGHT)
    np.testing.assert_allclose(times_of(result, "spike"), [1.45 + period], atol=1e-9)


@pytest.mark.parametrize("solver", ["auto", "RK45", "ROS34PW2"])
def test_a_row_at_the_time_of_an_event_is_the_one_after_it(solver: str) -> None:
    events = [Event("reset", AtTimes([0.0, 1.0, 2.0]), SetState("x", 10.0, "all"))]
    result = brnn.simulate(ramp(1, events), 2.0, times=[0.0, 0.5, 1.0, 1.5, 2.0], solver=solver)
    np.testing.assert_allclose(result["x.x"][:, 0], [10.0, 10.5, 10.0, 10.5, 10.0], atol=1e-9)
    assert result.events["time"].to_numpy().tolist() == [0.0, 1.0, 2.0]
    assert np.isnan(result.events["value"]).all()
    crossing = Event("up", Crossing("x", 1.0), SetState("x"))
    result = brnn.simulate(ramp(1, [crossing]), 2.0, times=[0.5, 1.5], solver=solver)
    at = float(result.events["time"][0])
    result = brnn.simulate(ramp(1, [crossing]), 2.0, times=[0.5, at, 1.5], solver=solver)
    np.testing.assert_allclose(result["x.x"][:, 0], [0.5, 0.0, 0.5], atol=1e-9)
    assert result["x.x"][1, 0] == 0.0


def test_depletion_of_a_gate() -> None:
    # The gate recovers with rate H + L f; each reset leaves a fifth of it.
    H, K, L, f = 0.5, 1.0, 2.0, 1.0
    network = brnn.Network(
        "gated",
        [brnn.Layer.additive("a", 2, A=0.0, initial=f), brnn.Layer.additive("b", 2, A=1.0)],
        [brnn.Projection("a", "b", gate=brnn.HabituativeGate(H, K, L), name="p")],
        events=[Event("reset", AtTimes([1.0, 3.0]), SetState("p.y", scale=0.2, where="all"))],
    )
    result = brnn.simulate(network, 5.0, times=[0.5, 1.0, 2.0, 3.0, 4.0], **TIGHT)
    rate, rest = H + L * f, H * K / (H + L * f)

    def later(y: float, time: float) -> float:
        return float(rest + (y - rest) * np.exp(-rate * time))

    first = 0.2 * later(K, 1.0)
    second = 0.2 * later(first, 2.0)
    expected = [later(K, 0.5), first, later(first, 1.0), second, later(second, 1.0)]
    np.testing.assert_allclose(result["p.y"][:, 0], expected, atol=1e-10)


def test_stop() -> None:
    result = brnn.simulate(ramp(1, [Event("enough", Crossing("x", 2.0), StopRun())]), 100.0)
    assert result.status == "complete"
    assert result.solver.message == "stopped by event 'enough' at t = 2"
    assert result.reached == pytest.approx(2.0, abs=1e-12)
    assert result.final("x").item() == pytest.approx(2.0, abs=1e-12)


def test_stimuli_that_events_start_and_switch() -> None:
    def charged(time: float) -> float:
        return 1.0 - float(np.exp(-time))

    stimuli = [
        brnn.Stimulus("y", pattern=1.0, schedule=brnn.Pulse(0.0, 0.5), name="kick", on=False),
        brnn.Stimulus("z", pattern=1.0, name="tonic"),
    ]
    events = [
        Event("first", Crossing("x", 1.0), [StartStimulus("kick"), SwitchStimulus("tonic", False)]),
        Event("second", AtTimes(3.0), [StartStimulus("kick"), SwitchStimulus("tonic", True)]),
    ]
    layers = [brnn.Layer.additive(name, 1, A=1.0) for name in "yz"]
    at = [0.9, 1.0, 1.5, 2.9, 3.5, 4.0]
    for solver in ("auto", "ROS34PW2"):
        result = brnn.simulate(
            ramp(1, events, layers=layers, stimuli=stimuli), 4.0, times=at, solver=solver, rtol=1e-9, atol=1e-10
        )
        y = [0.0, 0.0, charged(0.5), charged(0.5) * np.exp(-1.4), charged(0.5) * (1.0 + np.exp(-2.0))]
        np.testing.assert_allclose(result["y.x"][:5, 0], y, atol=1e-7)
        z = [charged(0.9), charged(1.0), charged(1.0) * np.exp(-0.5), charged(1.0) * np.exp(-1.9)]
        np.testing.assert_allclose(result["z.x"][:4, 0], z, atol=1e-7)
        last = 1.0 + (charged(1.0) * np.exp(-2.0) - 1.0) * np.exp(-1.0)
        np.testing.assert_allclose(result["z.x"][5, 0], last, atol=1e-7)


def test_a_started_sequence_runs_to_its_end() -> None:
    # The event comes at 1.25; then each of three items is on for 0.5, after which their integrals are 0.5.
    stimuli = [brnn.Stimulus("y", "excitatory", np.eye(3), brnn.Sequence([2, 0, 1], 0.5, 0.1), name="list", on=False)]
    layers = [brnn.Layer.additive("y", 3, A=0.0)]
    events = [Event("go", Crossing("x", 1.25), StartStimulus("list"))]
    network = ramp(1, events, layers=layers, stimuli=stimuli)
    result = brnn.simulate(network, 4.0, times=[1.25 + 0.55, 1.25 + 1.1, 4.0])
    np.testing.assert_allclose(result["y.x"], [[0, 0, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0.5]], atol=1e-9)


def test_winners_are_drawn_by_their_signals() -> None:
    # Chi-square of 2000 draws with 4 cells: 16.3 is exceeded by chance once in a thousand times.
    x, draws = np.array([1.0, 2.0, 3.0, 4.0]), 2000
    network = brnn.Network(
        "draw",
        [brnn.Layer.additive("x", 4, A=0.0, initial=x), brnn.Layer.additive("w", 4, A=0.0)],
        events=[Event("draw", AtTimes(np.arange(1, draws + 1)), SampleWinner("x", brnn.Power(exponent=2), into="w"))],
    )
    result = brnn.simulate(network, draws + 0.5, times=np.arange(1, draws + 1) + 0.25, seed=7)
    chosen = result.events["chosen"].to_numpy()
    assert result.seed == 7
    expected = draws * x**2 / np.sum(x**2)
    counts = np.bincount(chosen, minlength=4)
    assert np.sum((counts - expected) ** 2 / expected) < 16.3
    np.testing.assert_array_equal(result["w.x"], np.eye(4)[chosen])
    again = brnn.simulate(network, draws + 0.5, times=[1.0], seed=7, solver="RK45").events["chosen"]
    np.testing.assert_array_equal(again, chosen)
    other = brnn.simulate(network, draws + 0.5, times=[1.0], seed=8).events["chosen"]
    assert (other.to_numpy() != chosen).any()


def test_nothing_is_drawn_where_all_is_silent() -> None:
    network = brnn.Network(
        "silent",
        [brnn.Layer.additive("x", 3, A=0.0, initial=[-1.0, -2.0, 0.0])],
        events=[Event("draw", AtTimes(1.0), SampleWinner("x"))],
    )
    result = brnn.simulate(network, 2.0, seed=1)
    assert result.events["chosen"].to_numpy().tolist() == [-1]
    assert result.final("x").to_numpy().tolist() == [-1.0, -2.0, 0.0]


def test_a_seed_is_drawn_and_recorded(tmp_path: Path) -> None:
    network = brnn.Network(
        "draw",
        [brnn.Layer.additive("x", 50, A=0.1, initial=1.0)],
        events=[Event("draw", AtTimes([1.0, 2.0, 3.0]), SampleWinner("x", others=None))],
    )
    result = brnn.simulate(network, 4.0, record=tmp_path / "run.h5")
    assert result.seed is not None
    assert brnn.rerun(tmp_path / "run.h5").passed


def test_white_noise() -> None:
    # A walk x' = v + s dW/dt is set back at 1: the interval has mean 1/v (Wald).
    v, s, n, length = 2.0, 0.3, 60, 12.0
    network = brnn.Network(
        "walk",
        [brnn.Layer.additive("x", n, A=0.0)],
        stimuli=[brnn.Stimulus("x", pattern=v), brnn.Stimulus("x", pattern=s, schedule=brnn.WhiteNoise())],
        events=[Event("up", Crossing("x", 1.0), SetState("x"))],
    )
    result = brnn.simulate(network, length, step=5e-3, seed=1, times=[length])
    events = result.events
    intervals = np.concatenate([np.diff(times_of(result, "up", cell)) for cell in range(n)])
    # Looking only at the ends of steps adds about 0.58 s sqrt(step) to the threshold.
    mean = (1.0 + 0.5826 * s * np.sqrt(5e-3)) / v
    assert abs(intervals.mean() - mean) < 5.0 * s / v**1.5 / np.sqrt(intervals.size)
    assert (np.diff(events["time"]) >= 0).all()
    twice = brnn.simulate(network, length, step=5e-3, seed=1, times=[length])
    assert twice.events.identical(events)


def test_steady_runs_wait_for_events() -> None:
    # At rest long before the events; it rests for good after the last.
    network = brnn.Network(
        "rest",
        [brnn.Layer.additive("x", 1, A=1.0)],
        stimuli=[brnn.Stimulus("x", pattern=1.0, name="on")],
        events=[Event("kick", AtTimes([100.0, 200.0]), SetState("x", 3.0, "all"))],
    )
    result = brnn.simulate(network, 1000.0, until="steady")
    assert result.status == "steady"
    assert 210.0 < result.reached < 260.0
    assert result.events.sizes["event"] == 2


def test_endless_events_are_an_error() -> None:
    back = Event("back", Crossing("x", 1.0), SetState("x", 1.0 - 1e-12))
    with pytest.raises(brnn.IntegrationError, match="event 'back': at t = 1 events follow each other"):
        brnn.simulate(ramp(1, [back]), 2.0)
    both = [
        Event("a", Crossing("x", 1.0), [SetState("x"), SetState("y", 1.0)]),
        Event("b", Crossing("y", 1.0), [SetState("y"), SetState("x", 1.0)]),
    ]
    with pytest.raises(brnn.IntegrationError, match="without end|at once") as caught:
        brnn.simulate(ramp(1, both, layers=[brnn.Layer.additive("y", 1, A=0.0)]), 2.0)
    assert caught.value.time == pytest.approx(1.0)
    assert "\n" not in str(caught.value)


def test_an_event_may_leave_the_proven_bounds() -> None:
    network = brnn.Network(
        "out",
        [brnn.Layer.shunting("x", 1, A=1.0, B=1.0, initial=0.5)],
        events=[Event("out", AtTimes(1.0), SetState("x", 5.0, "all"))],
    )
    result = brnn.simulate(network, 2.0, times=[1.0, 2.0], **TIGHT)
    np.testing.assert_allclose(result["x.x"][:, 0], [5.0, 5.0 * np.exp(-1.0)], atol=1e-9)


def test_events_in_files(tmp_path: Path) -> None:
    network = leaky([2.0, 3.0], 1.5)
    memory = brnn.simulate(network, 10.0)
    streamed = brnn.simulate(network, 10.0, record=tmp_path / "run.h5")
    memory.save(tmp_path / "saved.h5")
    for path in (tmp_path / "run.h5", tmp_path / "saved.h5"):
        with brnn.open(path) as result:
            assert result.events.identical(memory.events)
            assert "events 21 (spike 21)" in repr(result)
            assert result.tree["events"].to_dataset().identical(memory.events)
        for engine in ("h5netcdf", "netcdf4"):
            with xr.open_dataset(path, group="events", engine=engine) as plain:
                np.testing.assert_array_equal(plain["time"], memory.events["time"])
                np.testing.assert_array_equal(plain["cell"], memory.events["cell"])
                assert plain["which"].attrs["flag_meanings"] == "spike"
    streamed.close()
    assert brnn.rerun(tmp_path / "run.h5").passed
    recovered = brnn.recover(tmp_path / "run.h5")
    with recovered:
        assert recovered.events.identical(memory.events)


def test_without_events_there_is_no_group(tmp_path: Path) -> None:
    network = leaky([2.0], 1.5).replace(events=())
    result = brnn.simulate(network, 1.0, record=tmp_path / "run.h5")
    assert result.events.sizes["event"] == 0
    assert "events" not in result.tree
    assert "\n    events" not in repr(result)
    result.close()


def test_rerun_tells_that_events_differ(tmp_path: Path) -> None:
    import h5py

    brnn.simulate(leaky([2.0], 1.5), 10.0, record=tmp_path / "run.h5").close()
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file["events/cell"][3] = 5
    outcome = brnn.rerun(tmp_path / "run.h5")
    assert not outcome.passed
    assert outcome.different_event == 3
    assert "event 3 is not the same" in repr(outcome)


def test_rerun_of_a_stopped_run(tmp_path: Path) -> None:
    network = ramp(1, [Event("enough", Crossing("x", 2.0), StopRun())])
    brnn.simulate(network, 100.0, record=tmp_path / "run.h5").close()
    assert brnn.rerun(tmp_path / "run.h5").passed


def test_damaged_events(tmp_path: Path) -> None:
    import h5py

    brnn.simulate(leaky([2.0], 1.5), 10.0, record=tmp_path / "run.h5").close()
    with h5py.File(tmp_path / "run.h5", "r+") as file:
        file["events/which"][0] = 3
    with pytest.raises(brnn.FileError, match="damaged: its events cannot be read"):
        brnn.open(tmp_path / "run.h5")


def test_json() -> None:
    events = [
        Event("a", Crossing("x", [1.0, 2.0], "falling"), SetState("x", [0.0, 1.0], where=[0, 1], scale=0.5)),
        Event("b", Crossing("x.x", 9.0, per="total"), [StopRun()], once=True, schedule=brnn.Pulse(0, 1)),
        Event("c", AtTimes(3.0), [SampleWinner("x", brnn.Sigmoid(), others=None), StartStimulus("s")], refractory=1.0),
        Event("d", Crossing("x", 4.0, per="maximum"), SwitchStimulus("s", False)),
    ]
    stimuli = [brnn.Stimulus("x", schedule=brnn.Pulse(0, 1), name="s", on=False)]
    network = ramp(2, events, stimuli=stimuli)
    again = brnn.Network.from_json(network.to_json())
    assert again == network
    assert again.events[0].actions == network.events[0].actions
    assert network.random
    assert not ramp(1).random


BAD = {
    "no such state": (lambda: ramp(1, [Event("a", Crossing("y", 1.0))]), "Event 'a': Crossing: state = 'y.x': no such"),
    "threshold": (
        lambda: ramp(2, [Event("a", Crossing("x", [1.0, 2.0, 3.0]))]),
        "has shape (3,), must have 2 elements ('x.x')",
    ),
    "threshold of a total": (lambda: Crossing("x", [1.0], per="total"), "must be one number for per='total'"),
    "direction": (lambda: Crossing("x", 1.0, "rise"), "did you mean 'rising'"),
    "no crossing cell": (
        lambda: ramp(1, [Event("a", Crossing("x", 1.0, per="total"), SetState("x"))]),
        "has no crossing cell; use where='all'",
    ),
    "another size": (
        lambda: ramp(1, [Event("a", Crossing("x", 1.0), SetState("y"))], layers=[brnn.Layer.additive("y", 3, A=1.0)]),
        "has 3 elements, the state that crosses 1",
    ),
    "value": (
        lambda: ramp(1, [Event("a", Crossing("x", 1.0), SetState("x", [1.0, 2.0]))]),
        "has shape (2,), must have 1 element ('x.x')",
    ),
    "cell": (lambda: ramp(1, [Event("a", Crossing("x", 1.0), SetState("x", where=[1]))]), "there is no cell 1"),
    "where": (lambda: SetState("x", where="crossed"), "must be one of crossing, others, all"),
    "stimulus": (lambda: ramp(1, [Event("a", AtTimes(1.0), StartStimulus("s"))]), "no stimulus has this name"),
    "near name": (
        lambda: ramp(
            1, [Event("a", AtTimes(1.0), SwitchStimulus("god", True))], stimuli=[brnn.Stimulus("x", name="good")]
        ),
        "did you mean 'good'",
    ),
    "varying stimulus": (
        lambda: ramp(
            1,
            [Event("a", AtTimes(1.0), StartStimulus("s"))],
            stimuli=[brnn.Stimulus("x", schedule=brnn.Ramp(0, 1), name="s")],
        ),
        "a Ramp cannot be started by an event",
    ),
    "off without a name": (lambda: brnn.Stimulus("x", on=False), "on = False: needs a name="),
    "two names": (
        lambda: ramp(1, [Event("a", AtTimes(1.0)), Event("a", AtTimes(2.0))]),
        "two events are named 'a'; give one of them another name",
    ),
    "discrete time": (
        lambda: brnn.Network("d", [brnn.BinaryLayer("x", 1)], events=[Event("a", Crossing("x", 0.5))]),
        "events need continuous time",
    ),
    "reserved": (
        lambda: brnn.Network("d", [brnn.Layer.additive("events", 1, A=1.0)], events=[Event("a", AtTimes(0.5))]),
        "can be named 'events'",
    ),
    "no protocol": (lambda: ramp(1, [Event("a", AtTimes(1.0), brnn.NextPhase())]), "the network has no protocol"),
    "no phases": (lambda: ramp(1, [Event("a", brnn.PhaseBegins("learn"))]), "the network has no protocol"),
    "action": (lambda: Event("a", AtTimes(1.0), "stop"), "must be an action such as SetState"),
    "trigger": (lambda: Event("a", 1.0), "must be a Crossing, AtTimes or PhaseBegins"),
    "window": (lambda: Event("a", AtTimes(1.0), schedule=brnn.Sine(1.0)), "must be constant between its break points"),
    "negative time": (lambda: AtTimes([-1.0]), "must be >= 0"),
    "refractory": (lambda: Event("a", AtTimes(1.0), refractory=-1.0), "refractory = -1: must be a number >= 0"),
    "layer of a draw": (lambda: ramp(1, [Event("a", AtTimes(1.0), SampleWinner("y"))]), "no such layer"),
    "into": (
        lambda: ramp(
            1, [Event("a", AtTimes(1.0), SampleWinner("x", into="y"))], layers=[brnn.Layer.additive("y", 3, A=1.0)]
        ),
        "has 3 elements, the layer has 1",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_events_cannot_be_together_with() -> None:
    network = leaky([2.0], 1.5)
    with pytest.raises(brnn.InputError, match="must have no events"):
        brnn.steady_state(network)
    with pytest.raises(brnn.InputError, match="Event 'spike' changes states"):
        brnn.theory.liapunov(network)


@pytest.mark.parametrize(
    ("solver", "gap", "rtol"),
    [("DOP853", 1e-4, 1e-6), ("auto", 1e-5, 1e-8), ("DOP853", 1e-6, 1e-10), ("auto", 1e-6, 1e-10)],
)
def test_a_crossing_there_and_back_within_a_step_is_found(solver: str, gap: float, rtol: float) -> None:
    """x = (sin t, cos t): sin is within `gap` of 1, and of -1, for 2 sqrt(2 gap) at a time, 32 times until 200."""
    network = brnn.Network(
        "osc",
        [brnn.Layer.additive("F1", 2, A=0.0, initial=[0.0, 1.0])],
        [brnn.Projection("F1", "F1", topology=brnn.Dense([[0.0, 1.0], [-1.0, 0.0]]))],
        events=[
            brnn.Event("up", brnn.Crossing("F1.x", [1.0 - gap, 99.0]), []),
            brnn.Event("down", brnn.Crossing("F1.x", [-1.0 + gap, -99.0], direction="falling"), []),
            brnn.Event("back", brnn.Crossing("F1.x", [-1.0 + gap, 99.0]), []),
        ],
    )
    events = brnn.simulate(network, 200.0, solver=solver, rtol=rtol, atol=1e-3 * rtol).events
    assert events["time"].size == 3 * 32
