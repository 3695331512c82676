"""Runs that were cut off go on: with the numbers of a run that nothing disturbed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from typer.testing import CliRunner

import brnn
from brnn.cli.app import app
from brnn.files.run.checkpoint import stored_checkpoint
from brnn.files.run.writer import FileRecorder
from brnn.integrate import stepwise
from brnn.integrate.methods import auto, compiled
from brnn.integrate.methods.explicit import RK45
from brnn.reproduce import run as rerun
from brnn.result.checkpoint import Checkpoint
from brnn.result.metadata import CHECKPOINT


@pytest.fixture
def cut(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Run with a checkpoint at every occasion, and interrupt when so many states are in the file.

    Compiled code comes back every few steps: in one call it would go through most pieces between two break points.
    """
    monkeypatch.setattr(compiled, "_LOOK_STEPS", 7)
    monkeypatch.setattr(stepwise, "_FIRST_NUMBERS", 0)
    monkeypatch.setattr(stepwise, "_CALL_SECONDS", 0.0)

    def simulated(path: Path, network: brnn.Network, duration: float, after: int, **options: Any) -> None:
        keep, begin = FileRecorder.keep, FileRecorder.__init__

        def often(self: FileRecorder, *arguments: Any, **more: Any) -> None:
            begin(self, *arguments, **{**more, "flush_every": 0.0})

        def until(self: FileRecorder, stand: Any = None) -> None:
            self._due = 0.0  # whatever the last one cost
            keep(self, stand)
            if stand is not None and self._state.counts["time"] >= after:
                raise KeyboardInterrupt

        with monkeypatch.context() as changed:
            changed.setattr(FileRecorder, "__init__", often)
            changed.setattr(FileRecorder, "keep", until)
            with pytest.raises(KeyboardInterrupt):
                brnn.simulate(network, duration, record=options.pop("record", path), **options)
        with brnn.open(path) as result:
            kept = result.checkpoint()
            assert (result.status, kept is not None and kept.time > 0.0) == ("interrupted", True)

    return simulated


def noisy() -> brnn.Network:
    noise = brnn.Stimulus("x", pattern=0.3, schedule=brnn.WhiteNoise())
    drive = brnn.Stimulus("x", pattern=1.0, schedule=brnn.Pulse(0.5, 2.5))
    return brnn.Network("noisy", [brnn.Layer.shunting("x", 3, A=1.0, B=2.0)], stimuli=[noise, drive])


def stepping() -> brnn.Network:
    ring = brnn.Dense([[0, 1, 0], [0, 0, 1], [-1, 0, 0]])
    link = brnn.Projection("x", "x", signal=brnn.Linear(), topology=ring, delay=2.0)
    return brnn.Network("stepping", [brnn.BinaryLayer("x", 3, initial=[1, 0, 0])], [link])


def late() -> brnn.Network:
    link = brnn.Projection("x", "x", "inhibitory", brnn.Linear(1.2), brnn.OneToOne(), delay=1.0)
    return brnn.Network("late", [brnn.Layer.additive("x", 1, A=0.0, initial=1.0)], [link])


def spiking() -> brnn.Network:
    events = [
        brnn.Event("spike", brnn.Crossing("x", 1.0), brnn.SetState("x")),
        brnn.Event("draw", brnn.AtTimes(np.arange(1, 40) * 0.33), brnn.SampleWinner("x", brnn.Linear(), 0.5, None)),
    ]
    drive = brnn.Stimulus("x", pattern=[0.6, 0.9, 1.2])
    return brnn.Network("spiking", [brnn.Layer.additive("x", 3, A=0.4)], stimuli=[drive], events=events)


def travelling() -> brnn.Network:
    """The same with a cell that hears of the others later, and a parameter that changes at t = 2."""
    spikes = spiking()
    changed = brnn.Event("changed", brnn.AtTimes(2.0), brnn.SetParameter("late.A", 2.0))
    return spikes.replace(
        layers=(*spikes.layers, brnn.Layer.additive("late", 3, A=0.5)),
        projections=[brnn.Projection("x", "late", delay=0.7)],
        events=(*spikes.events, changed),
    )


def learning() -> brnn.Network:
    link = brnn.Projection(
        "a", "b", signal=brnn.Linear(), topology=brnn.AllToAll(0.3), learning=brnn.Outstar(0.4), name="p"
    )
    layers = [brnn.Layer.shunting("a", 2, A=1.0, B=2.0), brnn.Layer.shunting("b", 3, A=0.5, B=2.0)]
    inputs = [
        brnn.Stimulus("a", pattern=[2.0, 1.0], schedule=brnn.Pulses([(0.5, 1.5), (2.0, 3.0), (6.0, 8.0)])),
        brnn.Stimulus("b", pattern=[0.1, 0.5, 1.0], schedule=brnn.Sine(0.3, 0.5, 0.5)),
    ]
    return brnn.Network("learning", layers, [link], inputs)


def inhibiting() -> brnn.Network:
    f, gate = brnn.Sigmoid(1.0, 0.5), brnn.HabituativeGate(0.2, 1.0, 0.5, per="source")
    links = [
        brnn.Projection("F", "F", "excitatory", f, brnn.OneToOne()),
        brnn.Projection("F", "F", "inhibitory", f, brnn.AllButSelf(2.0), gate=gate),
    ]
    inputs = [brnn.Stimulus("F", "excitatory", [1.0, 3.0, 9.0], brnn.Pulse(0.0, 5.0))]
    return brnn.Network("inhibiting", [brnn.Layer.shunting("F", 3, A=1.0, B=2.0, D=0.0)], links, inputs)


EXACT = [
    (learning(), "RK45", {"rtol": 1e-9, "atol": 1e-12}),
    (learning(), "Tsit5", {"rtol": 1e-9, "atol": 1e-12}),
    (learning(), "DOP853", {}),
    (learning(), "ROS34PW2", {}),
    (inhibiting(), "ROS34PW2-totals", {}),
    (learning(), "compiled", {}),
    (noisy(), "SRIW1", {"step": 0.01, "seed": 3}),
    (noisy(), "EulerMaruyama", {"step": 0.01, "seed": 3}),
    (stepping(), "map", {"duration": 300.0}),
]


@pytest.mark.parametrize("after", [30, 150])
@pytest.mark.parametrize(
    ("network", "solver", "options"), EXACT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_to_the_last_bit(
    cut: Any, tmp_path: Path, network: brnn.Network, solver: str, options: dict[str, Any], after: int
) -> None:
    path = tmp_path / "run.h5"
    options = {"duration": 12.0, "solver": solver, **options}
    cut(path, network, after=after, **options)
    whole = brnn.simulate(network, **options)
    with brnn.simulate(network, record=path, resume=True, **options) as result:
        assert (result.status, result.solver.steps) == ("complete", whole.solver.steps)
        for name in whole:
            np.testing.assert_array_equal(result[name].values, whole[name].values)
            np.testing.assert_array_equal(result[name]["time"], whole[name]["time"])


def test_what_auto_began_with_another_method_goes_on_with_it(
    cut: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older brnn took RK45."""
    path = tmp_path / "run.h5"
    options: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-12}
    with monkeypatch.context() as older:
        older.setattr(auto, "explicit_for", lambda network: RK45())
        cut(path, learning(), 12.0, after=150, **options)
    whole = brnn.simulate(learning(), 12.0, solver="RK45", **options)
    with brnn.simulate(learning(), 12.0, record=path, resume=True, **options) as result:
        assert result.solver.method == "RK45"
        np.testing.assert_array_equal(result["b.x"].values, whole["b.x"].values)


@pytest.mark.parametrize(("network", "solver"), [(late(), "RK45"), (learning(), "LSODA"), (learning(), "BDF")])
def test_within_the_tolerances(cut: Any, tmp_path: Path, network: brnn.Network, solver: str) -> None:
    path = tmp_path / "run.h5"
    cut(path, network, 12.0, after=90, solver=solver)
    whole = brnn.simulate(network, 12.0, solver=solver)
    with brnn.simulate(network, 12.0, solver=solver, record=path, resume=True) as result:
        for name in whole:
            np.testing.assert_allclose(result[name].values, whole[name].values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("after", [20, 120])
@pytest.mark.parametrize("network", [spiking(), travelling()], ids=["plain", "delays"])
def test_events_and_their_random_numbers(cut: Any, tmp_path: Path, network: brnn.Network, after: int) -> None:
    path = tmp_path / "run.h5"
    options: dict[str, Any] = {"solver": "DOP853", "rtol": 1e-9, "atol": 1e-11}
    cut(path, network, 12.0, after=after, seed=7, **options)
    whole = brnn.simulate(network, 12.0, seed=7, **options)
    with brnn.simulate(network, 12.0, record=path, resume=True, **options) as result:
        assert result.seed == 7
        for key in ("name", "cell", "chosen"):
            np.testing.assert_array_equal(result.events[key], whole.events[key])
        np.testing.assert_allclose(result.events["time"], whole.events["time"], atol=1e-6)
        for layer in network.layers:
            np.testing.assert_allclose(result.final(layer.name), whole.final(layer.name), atol=1e-6)
    assert brnn.rerun(path).passed


def test_weights_that_are_saved_less_often(cut: Any, tmp_path: Path) -> None:
    """The last weights too, where the run is cut off after the last saved time."""
    path = tmp_path / "run.h5"
    kept = brnn.Record(path, ltm_every=0.7)
    options: dict[str, Any] = {"solver": "DOP853", "times": np.linspace(0.0, 9.0, 91)}
    whole = brnn.simulate(learning(), 12.0, record=brnn.Record(ltm_every=0.7), **options)
    for after in (42, 91):
        cut(path, learning(), 12.0, after=after, record=kept, force=True, **options)
        with brnn.simulate(learning(), 12.0, record=kept, resume=True, **options) as result:
            for name in whole:
                np.testing.assert_array_equal(result[name].values, whole[name].values)
                np.testing.assert_array_equal(result[name]["time"], whole[name]["time"])


def test_the_latest_checkpoint_that_is_whole(tmp_path: Path) -> None:
    """Of the two that are written in turn; one that a kill or a flipped bit spoiled is none."""
    older, latest = (
        Checkpoint(time, {"number": number}, {"state": np.array([time, 7.0])}) for time, number in ((1.0, 8), (2.0, 9))
    )
    data = latest.to_bytes()
    for place in (len(data) - 1, len(data) // 2, 20):
        spoiled = bytearray(data)
        spoiled[place] ^= 16
        with pytest.raises(ValueError, match="it is not whole|its checksum is wrong"):
            Checkpoint.from_bytes(bytes(spoiled))
    with h5py.File(tmp_path / "file.h5", "w") as file:
        for name, kept in (("a", data), ("b", older.to_bytes())):
            file[f"{CHECKPOINT}/{name}"] = np.frombuffer(kept, np.uint8)
        found = stored_checkpoint(file, "file.h5")
        assert found is not None
        assert (found.time, found.facts["number"], found.arrays["state"].tolist()) == (2.0, 9, [2.0, 7.0])
        file[f"{CHECKPOINT}/a"][len(data) - 1] ^= 16
        found = stored_checkpoint(file, "file.h5")
        assert found is not None
        assert found.time == 1.0


def test_a_run_that_itself_went_on(cut: Any, tmp_path: Path) -> None:
    first, path = brnn.simulate(noisy(), 2.0, step=0.01, seed=1), tmp_path / "run.h5"
    whole = brnn.simulate(noisy(), 4.0, start=first)
    cut(path, noisy(), 4.0, after=60, start=first)
    with brnn.simulate(noisy(), 4.0, start=first, record=path, resume=True) as result:
        assert result.start_time == 2.0
        np.testing.assert_array_equal(result["x.x"].values, whole["x.x"].values)


def test_what_is_run_again_of_a_run_that_went_on_and_was_cut_off(
    cut: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As far as it got, counted from where it began."""
    first, path = brnn.simulate(learning(), 2.0), tmp_path / "run.h5"
    cut(path, learning(), 9.0, after=60, start=first, solver="DOP853")
    lengths: list[float] = []

    def simulated(network: brnn.Network, **options: Any) -> brnn.Result:
        lengths.append(options["duration"])
        return brnn.simulate(network, **options)

    monkeypatch.setattr(rerun, "simulate", simulated)
    assert brnn.rerun(path).passed
    with brnn.open(path) as result:
        assert 4.0 < result.reached < 7.0
        assert lengths == [result.reached - 2.0]


def test_one_line_for_another_run(cut: Any, tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    options: dict[str, Any] = {"step": 0.01, "seed": 3, "solver": "SRIW1"}
    cut(path, noisy(), 4.0, after=60, **options)
    other = noisy().with_({"x.A": 2.0})
    cases: list[tuple[brnn.Network, float, dict[str, Any], str]] = [
        (other, 4.0, {}, "its network is another one"),
        (noisy(), 4.0, {"seed": 4}, "its seed is 3, here it is 4"),
        (noisy(), 4.0, {"solver": "EulerMaruyama"}, "its solver is SRIW1, here it is EulerMaruyama"),
        (noisy(), 4.0, {"step": 0.02}, "its step is 0.01, here it is 0.02"),
        (noisy(), 5.0, {}, "its duration is 4.0, here it is 5.0"),
        (noisy(), 4.0, {"times": [1.0, 4.0]}, r"its times are not those of this run \(times=\)"),
        (noisy(), 4.0, {"initial": {"x": 1.0}}, r"its initial are not those of this run"),
        (noisy(), 4.0, {"start": brnn.simulate(noisy(), 1.0)}, "it went on from another state than this run"),
    ]
    for network, duration, more, words in cases:
        with pytest.raises(brnn.InputError, match=f"run.h5 cannot be resumed: {words}") as told:
            brnn.simulate(network, duration, record=path, resume=True, **{**options, **more})
        assert "\n" not in str(told.value)
    with pytest.raises(brnn.InputError, match="resume: needs the file to go on with"):
        brnn.simulate(noisy(), 4.0, resume=True)
    with h5py.File(path, "r+") as file:  # as earlier versions left it
        del file["run_checkpoint"]
    with pytest.raises(brnn.InputError, match="it does not hold where its run stood .an older brnn wrote it"):
        brnn.simulate(noisy(), 4.0, record=path, resume=True, **options)


def test_what_is_finished_and_what_has_not_begun(tmp_path: Path) -> None:
    path = str(tmp_path / "run.h5")

    def run(*words: str) -> Any:
        return CliRunner().invoke(app, ["run", "rcf", "--duration", "5", "--resume", *words])

    assert run("-o", path).exit_code == 0
    before = Path(path).read_bytes()
    assert run("-o", path).exit_code == 0
    assert Path(path).read_bytes() == before
    assert isinstance(run().exception, brnn.InputError)
    assert "its rtol is 1e-06, here it is 1e-08" in str(run("-o", path, "--rtol", "1e-8").exception)
