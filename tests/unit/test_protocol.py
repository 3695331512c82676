"""Protocols: inputs, learning windows and ends of phases, against exponentials; what files and the command know."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import brnn
from brnn import Crossing, Event, InPhase, NextPhase, Phase, PhaseBegins, Protocol, SetState

TIGHT: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-13}
PATTERNS = np.array([[2.0, 0.0, 1.0], [0.5, 1.5, 0.0]])


def learn_and_test(**more: Any) -> brnn.Network:
    """Two trials of learning and rest, then a test, for three leaky integrators x' = -x + I - J."""
    trials = Protocol((Phase("learn", 0.7, {"F": PATTERNS}), Phase("rest", 0.4)), repeats=2)
    test = Phase("test", 1.1, {"F": 1.0, "F.inhibitory": [0.0, 0.25, 0.5]})
    return brnn.Network("trials", [brnn.Layer.additive("F", 3, A=1.0)], protocol=Protocol((trials, test)), **more)


def charged(x: Any, drive: Any, time: float) -> np.ndarray:
    return np.asarray(drive + (x - drive) * np.exp(-time))


@pytest.mark.parametrize("solver", ["auto", "RK45", "ROS34PW2"])
def test_states_at_the_ends_of_phases(solver: str) -> None:
    network = learn_and_test()
    assert network.duration == network.protocol.duration == pytest.approx(3.3)
    x = np.zeros(3)
    expected = [x]
    for drive, length in [(PATTERNS[0], 0.7), (0.0, 0.4), (PATTERNS[1], 0.7), (0.0, 0.4)]:
        x = charged(x, drive, length)
        expected.append(x)
    expected.append(charged(x, 1.0 - np.array([0.0, 0.25, 0.5]), 1.1))
    tolerances = {"rtol": 1e-9, "atol": 1e-11} if solver == "ROS34PW2" else TIGHT
    result = brnn.simulate(network, times=network.protocol.edges, solver=solver, **tolerances)
    np.testing.assert_allclose(result["F.x"], expected, atol=1e-7 if solver == "ROS34PW2" else 1e-9)


def test_spans() -> None:
    spans = learn_and_test().protocol.spans
    assert [span[:2] for span in spans] == [("learn", 0), ("rest", 0), ("learn", 1), ("rest", 1), ("test", 0)]
    np.testing.assert_allclose([span.start for span in spans], [0.0, 0.7, 1.1, 1.8, 2.2])
    assert [span.stop for span in spans[:-1]] == [span.start for span in spans[1:]]
    assert learn_and_test().protocol.names == ("learn", "rest", "test")


def test_patterns_of_nested_repetitions() -> None:
    # The inner protocol is repeated twice in each of three blocks: its two patterns come in turn.
    protocol = Protocol((Protocol((Phase("a", 1.0, {"F": PATTERNS}),), 2), Phase("b", 1.0, {"F": 9.0})), 3)
    network = brnn.Network("nested", [brnn.Layer.additive("F", 3, A=1.0)], protocol=protocol)
    (stimulus,) = network.stimuli
    assert stimulus.pattern.shape == (3, 3)
    shown = [stimulus.at(k + 0.5, (3,)).tolist() for k in range(9)]
    assert shown == [PATTERNS[0].tolist(), PATTERNS[1].tolist(), [9.0] * 3] * 3
    assert stimulus.at(9.5, (3,)).tolist() == [0.0] * 3


def test_the_structure_of_the_code_does_not_depend_on_the_number_of_trials() -> None:
    sources = set()
    for repeats in (1, 5):
        protocol = Protocol((Phase("a", 1.0, {"F": 1.0}), Phase("b", 1.0, {"F": [1.0, 2.0, 3.0]})), repeats)
        network = brnn.Network("n", [brnn.Layer.additive("F", 3, A=1.0)], protocol=protocol)
        sources.add(brnn.compile_network(network).source)
    assert len(sources) == 1


def test_learning_in_a_phase_only() -> None:
    # An outstar with constant ends learns with rate 1 in "learn": z = h (1 - exp(-t)), t the time spent in it.
    layers = [brnn.Layer.additive("s", 1, A=0.0, initial=1.0), brnn.Layer.additive("t", 2, A=0.0, initial=[0.3, 0.8])]
    law = brnn.Outstar(rate=1.0, schedule=InPhase("learn"))
    learned = brnn.Projection("s", "t", topology=brnn.AllToAll(0.0), learning=law, name="p")
    protocol = Protocol((Phase("learn", 0.5), Phase("rest", 1.0)), 3)
    network = brnn.Network("window", layers, [learned], protocol=protocol)
    for solver in ("auto", "ROS34PW2"):
        result = brnn.simulate(network, times=protocol.edges, solver=solver, rtol=1e-9, atol=1e-11)
        spent = np.array([0.0, 0.5, 0.5, 1.0, 1.0, 1.5, 1.5])
        expected = np.outer(1.0 - np.exp(-spent), [0.3, 0.8])
        np.testing.assert_allclose(result["p.z"][:, :, 0], expected, atol=1e-7)
        z = result["p.z"].to_numpy()
        np.testing.assert_array_equal(z[1], z[2])  # to the last bit


def test_a_stimulus_in_a_phase() -> None:
    stimulus = brnn.Stimulus("F", pattern=1.0, schedule=InPhase(["rest", "test"]))
    network = learn_and_test().replace(stimuli=[stimulus])
    own = network.stimuli[0]
    assert [own.at(t, (3,))[0] for t in (0.5, 0.9, 1.5, 2.0, 3.0, 4.0)] == [0.0, 1.0, 0.0, 1.0, 1.0, 0.0]


def test_states_are_cleared_when_phases_begin() -> None:
    network = learn_and_test(events=[Event("clear", PhaseBegins("learn"), SetState("F", 0.0, "all"))])
    edges = network.protocol.edges
    result = brnn.simulate(network, times=[0.0, 0.5, edges[2], edges[2] + 0.5], **TIGHT)
    zero = np.zeros(3)
    expected = [zero, charged(zero, PATTERNS[0], 0.5), zero, charged(zero, PATTERNS[1], 0.5)]
    np.testing.assert_allclose(result["F.x"], expected, atol=1e-10)
    assert result.events["time"].to_numpy().tolist() == [0.0, edges[2]]


def self_paced() -> brnn.Network:
    """A phase "learn" ends when the largest cell reaches 0.5; the cells start each from 0."""
    return learn_and_test(
        events=[
            Event("clear", PhaseBegins("learn"), SetState("F", 0.0, "all")),
            Event("done", Crossing("F", 0.5, per="maximum"), NextPhase(), schedule=InPhase("learn")),
        ]
    )


def test_phases_that_events_end() -> None:
    # 2 (1 - exp(-t)) = 0.5 and 1.5 (1 - exp(-t)) = 0.5
    first, second = np.log(4.0 / 3.0), np.log(1.5)
    result = brnn.simulate(self_paced(), **TIGHT)
    starts = np.cumsum([0.0, first, 0.4, second, 0.4])
    np.testing.assert_allclose(result.phases["start"], starts, atol=1e-9)
    np.testing.assert_allclose(result.phases["stop"], [*starts[1:], starts[-1] + 1.1], atol=1e-9)
    assert result.phases["name"].to_numpy().tolist() == ["learn", "rest", "learn", "rest", "test"]
    assert result.phases["trial"].to_numpy().tolist() == [0, 0, 1, 1, 0]
    assert result.reached == pytest.approx(starts[-1] + 1.1, abs=1e-9)
    assert "(3.3 were planned)" in result.solver.message
    # What comes later moves along: the test phase has its own input for its whole length.
    x = charged(charged(charged(0.0, PATTERNS[1], second), 0.0, 0.4), 1.0 - np.array([0.0, 0.25, 0.5]), 1.1)
    np.testing.assert_allclose(result.final("F"), x, atol=1e-9)


def test_learning_windows_move_along() -> None:
    layers = [*self_paced().layers, brnn.Layer.additive("s", 1, A=0.0, initial=1.0)]
    law = brnn.Outstar(rate=1.0, sampled=brnn.Power(0.0, 1), schedule=InPhase("test"), initial=1.0)
    learned = brnn.Projection("s", "F", topology=brnn.AllToAll(0.0), learning=law, name="p")
    network = self_paced().replace(layers=layers, projections=[learned])
    result = brnn.simulate(network, **TIGHT)
    start = result.during("test").start
    z, t = result["p.z"][:, 0, 0].to_numpy(), result.times
    np.testing.assert_allclose(z, np.exp(-np.maximum(t - start, 0.0)), atol=1e-9)


def test_a_varying_stimulus_moves_along() -> None:
    # x' = factor(time of the schedules), which jumps from 1 to 2 at time 1 of the run.
    ramp = brnn.Stimulus("F", pattern=1.0, schedule=brnn.Ramp(0.0, 10.0, 0.0, 10.0))
    network = brnn.Network(
        "ramp",
        [brnn.Layer.additive("F", 1, A=0.0), brnn.Layer.additive("clock", 1, A=0.0)],
        stimuli=[ramp, brnn.Stimulus("clock")],
        protocol=Protocol((Phase("a", 2.0), Phase("b", 3.0))),
        events=[Event("skip", Crossing("clock", 1.0), NextPhase())],
    )
    for solver in ("auto", "RK45", "ROS34PW2"):
        result = brnn.simulate(network, solver=solver, times=[1.0, 2.0, 4.0], rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(result["F.x"][:, 0], [0.5, 0.5 + 2.5, 0.5 + 10.5], atol=1e-7)
        assert result.reached == pytest.approx(4.0)


def test_during() -> None:
    result = brnn.simulate(learn_and_test())
    assert result.during("learn", 1) == slice(*result.network.protocol.spans[2][2:])
    assert result.during("rest") == result.during("rest", trial=1) == result.during("rest", trial=-1)
    part = result["F.x"].sel(time=result.during("test"))
    assert part["time"].min() >= 2.2
    with pytest.raises(brnn.InputError, match=r"no phase of this name .* did you mean 'learn'"):
        result.during("lern")
    with pytest.raises(brnn.InputError, match="only 2 phases"):
        result.during("learn", 2)
    short = brnn.simulate(learn_and_test(), 1.0)
    assert short.phases["name"].to_numpy().tolist() == ["learn", "rest"]
    plain = brnn.simulate(brnn.Network("plain", [brnn.Layer.additive("F", 1, A=1.0)]), 1.0)
    assert plain.phases.sizes["phase"] == 0
    with pytest.raises(brnn.InputError, match="the run has none"):
        plain.during("test")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    memory = brnn.simulate(self_paced())
    brnn.simulate(self_paced(), record=path).close()
    with brnn.open(path) as result:
        assert result.network == self_paced()
        assert result.phases.identical(memory.phases)
        assert result.events.identical(memory.events)
    outcome = brnn.rerun(path)
    assert outcome.passed
    assert outcome.largest_difference == 0.0


def test_json_and_replace() -> None:
    network = self_paced()
    text = network.to_json()
    assert "PhaseStimulus" not in text
    again = brnn.Network.from_json(text)
    assert again == network
    assert len(again.stimuli) == len(network.stimuli) == 2
    longer = network.replace(protocol=Protocol(network.protocol.phases, 2))
    assert longer.duration == pytest.approx(6.6)
    assert len(longer.stimuli) == 2
    assert network.replace(duration=50.0).replace(name="other").duration == 50.0
    without = network.replace(protocol=None, events=())
    assert without.stimuli == ()
    assert without.duration is None


def test_show_and_info(tmp_path: Path) -> None:
    from brnn.cli.app import app

    path = tmp_path / "network.json"
    path.write_text(self_paced().to_json())
    shown = CliRunner().invoke(app, ["show", str(path)]).output
    assert "Protocol of 5 phases" in shown
    assert "2 times" in shown
    lines = [line.split() for line in shown.splitlines()]
    assert ["rest", "0.4", "nothing"] in lines
    assert any(line[:3] == ["event", "done:", "Crossing(state='F.x',"] for line in lines)
    brnn.simulate(self_paced(), record=tmp_path / "run.h5").close()
    assert "events   4 (clear 2, done 2)" in CliRunner().invoke(app, ["info", str(tmp_path / "run.h5")]).output


def network_with(protocol: Any, **more: Any) -> brnn.Network:
    return brnn.Network("n", [brnn.Layer.additive("F", 3, A=1.0)], protocol=protocol, **more)


BAD = {
    "duration": (lambda: Phase("a", 0.0), "Phase 'a': duration = 0: must be a number > 0"),
    "name": (lambda: Phase("a b", 1.0), "must be a name"),
    "kind": (lambda: Phase("a", 1.0, {"F.inhibitry": 1.0}), "did you mean 'inhibitory'"),
    "twice": (lambda: Phase("a", 1.0, {"F": 1.0, "F.excitatory": 2.0}), "is given twice"),
    "inputs": (lambda: Phase("a", 1.0, [1.0]), "must be a dict"),
    "no phase": (lambda: Protocol(()), "must be a list of at least one Phase"),
    "not a phase": (lambda: Protocol(("learn",)), "Protocol: phases[0]"),
    "repeats": (lambda: Protocol((Phase("a", 1.0),), 0), "repeats = 0"),
    "too many": (lambda: Protocol((Phase("a", 1.0),), 10**8), "too many"),
    "layer": (lambda: network_with(Protocol(Phase("a", 1.0, {"G": 1.0}))), "Phase 'a': inputs: 'G': no such layer"),
    "shape": (lambda: network_with(Protocol(Phase("a", 1.0, {"F": [1.0, 2.0]}))), "has shape (2,), must be one number"),
    "trials": (
        lambda: network_with(Protocol(Phase("a", 1.0, {"F": PATTERNS}), 3)),
        "has patterns for 2 trials, its protocol has 3",
    ),
    "no protocol": (
        lambda: network_with(None, stimuli=[brnn.Stimulus("F", schedule=InPhase("a"))]),
        "InPhase(a): the network has no protocol",
    ),
    "phase": (
        lambda: network_with(Protocol(Phase("test", 1.0)), stimuli=[brnn.Stimulus("F", schedule=InPhase("tets"))]),
        "did you mean 'test'",
    ),
    "phase of an event": (
        lambda: network_with(Protocol(Phase("test", 1.0)), events=[Event("a", PhaseBegins("tset"))]),
        "did you mean 'test'",
    ),
    "negative": (
        lambda: brnn.Network(
            "n", [brnn.Layer.shunting("F", 1, A=1, B=1)], protocol=Protocol(Phase("a", 1.0, {"F": -1.0}))
        ),
        "has the negative element -1",
    ),
    "kind of a law": (
        lambda: network_with(Protocol(Phase("a", 1.0, {"F.modulatory": 1.0}))),
        "takes excitatory and inhibitory input only",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case: str) -> None:
    make, message = BAD[case]
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
