"""Runs that go on from another one: the numbers are those of the undivided run, and what theory says of it (M1)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.polynomial import Polynomial
from typer.testing import CliRunner

import brnn
from brnn import Crossing, Event, SetState
from brnn.cli.app import app
from brnn.result.start import Start

SOLVERS = ["RK45", "Tsit5", "LSODA", "compiled", "ROS34PW2", "ETD4"]


def pulsed() -> brnn.Network:
    """x' = -x + I: a pulse at 10 to 12, and another at 1 to 2, which falls into the first part of a split run."""
    early = brnn.Stimulus("x", pattern=1.0, schedule=brnn.Pulse(1.0, 2.0))
    later = brnn.Stimulus("x", pattern=1.0, schedule=brnn.Pulse(10.0, 12.0))
    return brnn.Network("pulsed", [brnn.Layer.additive("x", 1, A=1.0)], stimuli=[early, later])


def late(delay: float = 1.0) -> brnn.Network:
    """x'(t) = -1.2 x(t - delay), x = 1 before 0."""
    link = brnn.Projection("x", "x", "inhibitory", brnn.Linear(1.2), brnn.OneToOne(), delay=delay)
    return brnn.Network("late", [brnn.Layer.additive("x", 1, A=0.0, initial=1.0)], [link])


def by_steps(time: float) -> float:
    """Its solution by the method of steps: a polynomial for each unit of time."""
    piece = Polynomial([1.0])
    for _ in range(math.ceil(time)):
        # In s, the time since the last whole number: x' = -1.2 times the last piece.
        piece = Polynomial([piece(1.0)]) - 1.2 * piece.integ(lbnd=0.0)
    return float(piece(time - math.ceil(time) + 1.0))


@pytest.mark.parametrize("solver", SOLVERS)
def test_schedules_stand_where_they_stood(solver: str) -> None:
    """Split at 9, the pulse at 10 to 12 comes when it should."""
    first = brnn.simulate(pulsed(), 9.0, solver=solver)
    second = brnn.simulate(pulsed(), 11.0, start=first, times=[9.0, 10.0, 12.0, 20.0], solver=solver)
    early = math.exp(-8.0) - math.exp(-9.0)  # what is left of the first pulse at t = 10, times e
    expected = [early * math.e, early]
    expected.append(early * math.exp(-2.0) + 1.0 - math.exp(-2.0))
    expected.append(expected[-1] * math.exp(-8.0))
    np.testing.assert_allclose(second["x.x"].values[:, 0], expected, rtol=3e-5)
    assert second.start_time == 9.0
    assert (second.duration, second.reached) == (11.0, 20.0)


@pytest.mark.parametrize("split", [0.3, 1.0, 2.7, 3.0, 5.5])
@pytest.mark.parametrize("solver", ["RK45", "RK23", "DOP853"])
def test_delays_keep_their_history(solver: str, split: float) -> None:
    """-0.29300... at 6 wherever it was split; a constant past would give 6e-5 at a split at 3."""
    first = brnn.simulate(late(), split, solver=solver, rtol=1e-8, times=[split])
    second = brnn.simulate(late(), 6.0 - split, start=first, solver=solver, rtol=1e-8)
    assert float(second.final("x")[0]) == pytest.approx(by_steps(6.0), abs=1e-6)
    third = brnn.simulate(late(), 2.0, start=second, solver=solver, rtol=1e-8)
    assert float(third.final("x")[0]) == pytest.approx(by_steps(8.0), abs=1e-6)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0, 3.0, 4.25])
def test_a_past_made_of_saved_states(at: float) -> None:
    whole = brnn.simulate(late(), 6.0, rtol=1e-8, times=np.linspace(0.0, 6.0, 121))
    branched = brnn.simulate(late(), 6.0 - at, start=whole, at=at, rtol=1e-8)
    assert float(branched.final("x")[0]) == pytest.approx(by_steps(6.0), abs=2e-5)
    # The past of a run that itself went on reaches into that of the other.
    again = brnn.simulate(late(), 2.0, start=branched, at=float(branched.times[10]), rtol=1e-8)
    assert float(again.final("x")[0]) == pytest.approx(by_steps(float(branched.times[10]) + 2.0), abs=1e-4)


def test_a_past_with_a_jump_of_the_input_and_two_delays() -> None:
    """Saved states before and after the jump are two curves, and reach as far back as the longer delay."""
    links = [
        brnn.Projection("x", "x", "inhibitory", brnn.Linear(gain), brnn.OneToOne(), delay=delay, name=name)
        for name, gain, delay in (("soon", 0.4, 0.5), ("late", 0.8, 2.0))
    ]
    pulse = brnn.Stimulus("x", pattern=20.0, schedule=brnn.Pulse(2.2, 2.6))
    network = brnn.Network("two", [brnn.Layer.additive("x", 1, A=0.5, initial=1.0)], links, [pulse])
    options: dict[str, Any] = {"rtol": 1e-7, "atol": 1e-9}
    whole = brnn.simulate(network, 8.0, times=np.linspace(0.0, 8.0, 401), **options)
    branched = brnn.simulate(network, 4.0, start=whole, at=4.0, times=[5.0, 6.0, 8.0], **options)
    np.testing.assert_allclose(branched["x.x"].values, whole["x.x"].values[[250, 300, 400]], atol=2e-6)


def test_saved_states_that_do_not_hold_the_past() -> None:
    whole = brnn.simulate(late(2.0), 9.0, times=[0.0, 3.0, 6.0, 9.0])
    with pytest.raises(
        brnn.InputError, match=r"at = 6: signals travel for up to 2, and the . states saved from"
    ) as told:
        brnn.simulate(late(2.0), 3.0, start=whole, at=6.0)
    assert "do not hold them densely enough" in str(told.value)
    assert "\n" not in str(told.value)
    brnn.simulate(late(2.0), 3.0, start=whole)  # the end has what it needs


def learning() -> brnn.Network:
    """A gate and weights that learn while a pulse is on."""
    link = brnn.Projection(
        "a", "b", signal=brnn.Sigmoid(2.0), topology=brnn.AllToAll(0.3), gate=brnn.HabituativeGate(0.3, 1.5, 0.8),
        learning=brnn.Outstar(0.4), name="p",
    )  # fmt: skip
    layers = [brnn.Layer.shunting("a", 2, A=1.0, B=2.0), brnn.Layer.shunting("b", 3, A=0.5, B=2.0)]
    inputs = [
        brnn.Stimulus("a", pattern=[2.0, 1.0], schedule=brnn.Pulses([(0.5, 1.5), (2.0, 3.0), (4.5, 5.0), (6.0, 8.0)])),
        brnn.Stimulus("b", pattern=[0.1, 0.5, 1.0], schedule=brnn.Sine(0.3, 0.5, 0.5)),
    ]
    return brnn.Network("learning", layers, [link], inputs)


@pytest.mark.parametrize("solver", SOLVERS)
def test_gates_and_weights_go_on(solver: str, tmp_path: Path) -> None:
    path = tmp_path / "first.h5"
    whole = brnn.simulate(learning(), 10.0, solver=solver, times=[10.0])
    brnn.simulate(learning(), 10.0, solver=solver, times=[1.3, 3.7, 6.0], record=path).close()
    second = brnn.simulate(learning(), 6.3, start=path, at=3.7, solver=solver)
    for name in whole:
        np.testing.assert_allclose(second.final(name), whole.final(name), rtol=1e-4, atol=1e-7)
    assert second.times[0] == 3.7


def spiking() -> brnn.Network:
    """Leaky integrators that spike; now and then one is drawn, a stimulus goes on and off, phases end early."""
    drawn = brnn.SampleWinner("x", brnn.Linear(), 0.5, None)
    events = [
        Event("spike", Crossing("x", 1.0), SetState("x"), refractory=0.2),
        Event("draw", brnn.AtTimes(np.arange(1, 40) * 0.33), drawn),
        Event("early", Crossing("x", 3.0, per="total"), [brnn.NextPhase(), brnn.SwitchStimulus("drive", False)]),
        Event("again", brnn.PhaseBegins("rest"), [brnn.SwitchStimulus("drive", True), brnn.StartStimulus("kick")]),
    ]
    protocol = brnn.Protocol((brnn.Phase("on", 1.7, {"x": [1.5, 1.2, 0.9, 1.1]}), brnn.Phase("rest", 0.6)), 6)
    stimuli = [
        brnn.Stimulus("x", pattern=[0.3, 0.6, 0.9, 0.5], name="drive"),
        brnn.Stimulus("x", pattern=2.0, schedule=brnn.Pulse(0.1, 0.25), name="kick", on=False),
    ]
    return brnn.Network(
        "spiking", [brnn.Layer.additive("x", 4, A=0.4)], stimuli=stimuli, events=events, protocol=protocol
    )


@pytest.mark.parametrize("split", [0.33, 2.1, 4.0])
def test_events_and_protocols_go_on(split: float) -> None:
    """What happens after the split, to which cells, whom it draws, and the phases are those of the undivided run."""
    options: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11, "solver": "DOP853"}
    whole = brnn.simulate(spiking(), seed=5, times=[split, 5.0], **options)
    assert whole.phases.sizes["phase"] == 12
    second = brnn.simulate(spiking(), start=whole, at=split, times=[5.0], **options)
    assert second.seed == 5
    assert second.reached == pytest.approx(whole.reached, abs=1e-6)
    later = whole.events.isel(event=whole.events["time"].to_numpy() > split)
    assert second.events["name"].values.tolist() == later["name"].values.tolist()
    for key in ("cell", "chosen"):
        np.testing.assert_array_equal(second.events[key], later[key])
    np.testing.assert_allclose(second.events["time"], later["time"], atol=1e-6)
    np.testing.assert_allclose(second["x.x"].values, whole["x.x"].values[1:], atol=1e-6)
    assert second.phases["name"].values.tolist() == whole.phases["name"].values.tolist()
    np.testing.assert_allclose(second.phases["start"], whole.phases["start"], atol=1e-6)
    other = brnn.simulate(spiking(), start=whole, at=split, seed=6, **options)
    assert other.seed == 6
    assert other.events["chosen"].values.tolist() != second.events["chosen"].values.tolist()


def test_draws_go_on_after_those_of_another_seed() -> None:
    """The second run draws with a seed of its own; one that goes on in its middle draws as it did."""
    options: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-11, "solver": "DOP853"}
    first = brnn.simulate(spiking(), seed=5, times=[2.1], **options)
    second = brnn.simulate(spiking(), start=first, at=2.1, seed=6, times=[3.0, 5.0], **options)
    third = brnn.simulate(spiking(), start=second, at=3.0, times=[5.0], **options)
    later = second.events.isel(event=second.events["time"].to_numpy() > 3.0)
    assert len(set(later["chosen"].values.tolist())) > 2
    np.testing.assert_array_equal(third.events["chosen"], later["chosen"])


def test_a_start_that_is_damaged_is_refused() -> None:
    """Events that are none of the network's, or a past of another shape, would else be read as something else."""
    first = brnn.simulate(spiking(), 1.0, seed=5, times=[1.0])
    options = brnn.simulate(spiking(), 0.1, start=first).options["start"]
    assert Start.from_options(options).drawn == options["drawn"]
    for wrong in (
        {"columns": {**options["columns"], "which": np.full_like(options["columns"]["which"], 4)}},
        {"columns": {**options["columns"], "which": np.full_like(options["columns"]["which"], -1)}},
        {"columns": {**options["columns"], "time": options["columns"]["time"][1:]}},
        {"past_edges": np.zeros(4), "past_values": np.zeros((2, 3, 4))},
        {"time": "later"},
    ):
        with pytest.raises(brnn.InputError, match="the state from which the run went on is damaged"):
            Start.from_options({**options, **wrong})


def test_a_duration_counts_from_the_split() -> None:
    """However much earlier events made the protocol end before."""
    whole = brnn.simulate(spiking(), seed=5, times=[5.0])
    second = brnn.simulate(spiking(), 0.1, start=whole, at=5.0)
    assert (second.reached, second.times.size) == (5.1, 201)


def noisy() -> brnn.Network:
    noise = brnn.Stimulus("x", pattern=0.3, schedule=brnn.WhiteNoise())
    drive = brnn.Stimulus("x", pattern=1.0, schedule=brnn.Pulse(0.5, 2.5))
    return brnn.Network("noisy", [brnn.Layer.shunting("x", 3, A=1.0, B=2.0)], stimuli=[noise, drive])


@pytest.mark.parametrize("solver", ["SRIW1", "EulerMaruyama"])
def test_random_numbers_go_on(solver: str) -> None:
    """The path of a divided run is that of the undivided one to the last bit, wherever it is taken up."""
    times = [0.0, 1.1, 2.0, 3.3, 4.0]
    whole = brnn.simulate(noisy(), 4.0, times=times, step=0.01, seed=3, solver=solver)
    first = brnn.simulate(noisy(), 2.0, times=[0.0, 1.1, 2.0], step=0.01, seed=3, solver=solver)
    for at, rows in ((2.0, slice(2, None)), (1.1, slice(1, None)), (0.0, slice(0, None))):
        second = brnn.simulate(noisy(), 4.0 - at, start=first, at=at, times=times[rows], solver=solver)
        np.testing.assert_array_equal(second["x.x"].values, whole["x.x"].values[rows])
    third = brnn.simulate(noisy(), 0.7, start=second, at=3.3, times=[4.0], solver=solver)
    np.testing.assert_array_equal(third["x.x"].values[-1], whole["x.x"].values[-1])
    anew = brnn.simulate(noisy(), 2.0, start=first, seed=4, times=[4.0], solver=solver)
    assert not np.array_equal(anew["x.x"].values[-1], whole["x.x"].values[-1])


def stepping() -> brnn.Network:
    """x(t + 1) = the sign of x two steps before, a shift register of period 6."""
    link = brnn.Projection(
        "x", "x", signal=brnn.Linear(), topology=brnn.Dense([[0, 1, 0], [0, 0, 1], [-1, 0, 0]]), delay=2.0
    )
    return brnn.Network("stepping", [brnn.BinaryLayer("x", 3, initial=[1, 0, 0])], [link])


def test_discrete_time_goes_on() -> None:
    network = stepping()
    whole = brnn.simulate(network, 20.0)
    for at in (1.0, 2.0, 7.0):
        second = brnn.simulate(network, 20.0 - at, start=whole, at=at)
        np.testing.assert_array_equal(second["x.x"].values, whole["x.x"].values[int(at) :])
    first = brnn.simulate(network, 7.0, times=[7.0])
    np.testing.assert_array_equal(brnn.simulate(network, 13.0, start=first)["x.x"].values, whole["x.x"].values[7:])
    with pytest.raises(
        brnn.InputError, match=r"at = 7: signals travel for up to 2 steps, and the state at t = 5 is not"
    ):
        brnn.simulate(network, 3.0, start=brnn.simulate(network, 9.0, times=[7.0, 9.0]), at=7.0)


def test_other_numbers_and_other_activities() -> None:
    """The same structure with other numbers: x' = -2 x from the x of the other run."""
    one = brnn.simulate(brnn.Network("one", [brnn.Layer.additive("x", 2, A=1.0, initial=[1.0, 3.0])]), 1.0)
    two = brnn.Network("two", [brnn.Layer.additive("x", 2, A=2.0)], duration=5.0)
    second = brnn.simulate(two, start=one)
    np.testing.assert_allclose(second["x.x"].sel(time=5.0), np.array([1.0, 3.0]) * math.exp(-1.0 - 8.0), rtol=1e-4)
    lesioned = brnn.simulate(two, 1.0, start=one, initial={"x": [0.0, 1.0]})
    np.testing.assert_allclose(lesioned.final("x"), [0.0, math.exp(-2.0)], rtol=1e-4)


def test_rerun_needs_nothing_but_the_file(tmp_path: Path) -> None:
    first, second = tmp_path / "first.h5", tmp_path / "second.h5"
    for network, options in ((late(), {}), (spiking(), {"seed": 1}), (noisy(), {"seed": 2})):
        brnn.simulate(network, 3.0, record=first, force=True, **options).close()
        with brnn.simulate(network, 2.0, start=first, record=second, force=True) as result:
            assert result.attributes["start_file"] == "first.h5"
            assert len(str(result.attributes["start_hash"])) == 32
        first.unlink()
        found = brnn.rerun(second)
        assert (found.passed, found.largest_difference) == (True, 0.0)


def test_one_line_for_what_does_not_fit(tmp_path: Path) -> None:
    run = brnn.simulate(learning(), 4.0, times=[1.0, 4.0])
    network = learning()
    larger = brnn.Network("l", [brnn.Layer.shunting("a", 2, A=1.0, B=2.0), brnn.Layer.shunting("b", 4, A=0.5, B=2.0)])
    only = brnn.Network("l", [brnn.Layer.shunting("a", 2, A=1.0, B=2.0)])
    some = brnn.simulate(network, 1.0, record=["a.x"])
    cases: list[tuple[brnn.Network, dict[str, Any], str]] = [
        (larger, {"start": run}, r"start: 'b.x' has shape \(3,\) in the run and \(4,\) in the network"),
        (only, {"start": run}, r"start: the run holds 'b.x', which the network does not have"),
        (network, {"start": some}, r"start: the run holds no 'b.x', which the network has \(it holds a.x\)"),
        (network, {"start": run, "at": 2.0}, r"at = 2: 'a.x' is not saved at this time; .* near by at 1 and 4"),
        (network, {"start": run, "at": 9.0}, r"at = 9: 'a.x' is not saved at this time"),
        (network, {"at": 2.0}, r"at = 2.0: is a time of the run that start= \(--start\) names, which is not given"),
        (network, {"start": 3}, r"start = int: must be a brnn.Result or the file of one"),
        (network, {"start": run, "times": [3.0]}, r"times: 3 is outside of the run, which goes from 4 to 5"),
    ]
    for other, options, words in cases:
        with pytest.raises(brnn.InputError, match=words) as told:
            brnn.simulate(other, 1.0, **options)
        assert "\n" not in str(told.value)
    with pytest.raises(brnn.FileError, match="does not exist"):
        brnn.simulate(network, 1.0, start=tmp_path / "none.h5")
    with pytest.raises(brnn.InputError, match="the run has the events spike, draw, early, again, the network has none"):
        brnn.simulate(brnn.Network("n", [brnn.Layer.additive("x", 4, A=0.4)]), 1.0, start=brnn.simulate(spiking(), 3.0))


def test_on_the_command_line(tmp_path: Path) -> None:
    first, second = str(tmp_path / "first.h5"), str(tmp_path / "second.h5")

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["run", "rcf", *words])

    assert run("--duration", "6", "--times", "0,2,6", "-o", first).exit_code == 0
    assert run("--start", first, "--at", "2", "--duration", "4", "--times", "5", "-o", second).exit_code == 0
    with brnn.open(first) as one, brnn.open(second) as two:
        np.testing.assert_array_equal(two.times, [2.0, 3.0, 4.0, 5.0, 6.0])
        np.testing.assert_allclose(two.final("rcf"), one.final("rcf"), rtol=1e-4)
    assert "reached t = 7" in run("--start", first, "--duration", "1").output
    for words, line in (
        (("--start", first, "--at", "3"), "at = 3: 'rcf.x' is not saved at this time"),
        (("--at", "3"), r"at = 3.0: is a time of the run that start= \(--start\) names, which is not given"),
    ):
        with pytest.raises(brnn.InputError, match=line):
            raise run(*words).exception
