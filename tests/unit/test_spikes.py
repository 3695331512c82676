"""Cells that fire: thresholds, traces, random spikes, and what a run keeps of them."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.integrate.methods import equal_steps
from brnn.spec.layers.spiking import RandomSpikesLayer, SpikingLayer, TraceLayer


def leaky(step: float = 1e-3, **given: float) -> SpikingLayer:
    """A cell without conductances of its own inputs but a leak that drives it: V' = 10 (0 - V)."""
    values = {"leak": 10.0, "rest": 0.0, "threshold": -1.0, "reset": -10.0, "initial": -10.0, **given}
    return SpikingLayer("cell", 1, step=step, **values)


def test_a_driven_cell_fires_with_the_period_of_its_closed_form() -> None:
    """From reset to threshold a leak takes (ln 10)/10; Euler's steps make it n with (1 - 10 h)^n < 1/10."""
    for h in (1e-3, 1e-4):
        network = brnn.Network("cell", [leaky(h)])
        result = brnn.simulate(network, 2.0, times=[0.0, 2.0])
        period = h * math.ceil(math.log(0.1) / math.log(1.0 - 10.0 * h))
        found = result.events.time.values
        np.testing.assert_allclose(found, period * np.arange(1, found.size + 1), atol=1e-9)
        assert found.size == int(2.0 / period)
        assert set(result.events.name.values) == {"cell"}


def rate_and_traces(process: str, rate: float, cells: int = 200, step: float = 0.01) -> brnn.Network:
    layers = [
        RandomSpikesLayer("noise", cells, process=process, step=step, spikes="events"),
        TraceLayer("count", cells, of="noise", tau=np.inf, saturating=False),
        TraceLayer("trace", cells, of="noise", tau=0.1, jump=0.5),
    ]
    return brnn.Network("noise", layers, stimuli=[brnn.Stimulus("noise", "excitatory", rate)])


@pytest.mark.parametrize("process", ["bernoulli", "poisson"])
def test_random_spikes_have_the_mean_and_variance_of_their_process(process: str) -> None:
    rate, h, T = 40.0, 0.01, 20.0
    result = brnn.simulate(rate_and_traces(process, rate), T, times=np.linspace(0.0, T, 2001), seed=7)
    # The spikes of the last step have not arrived at the traces.
    counts = np.diff(np.asarray(result["count.x"]), axis=0)
    p = rate * h
    variance = p * (1.0 - p) if process == "bernoulli" else p
    assert counts.mean() == pytest.approx(p, abs=4.5 * math.sqrt(variance / counts.size))
    assert counts.var() == pytest.approx(variance, rel=0.02)
    assert np.corrcoef(counts[:-1].ravel(), counts[1:].ravel())[0, 1] == pytest.approx(0.0, abs=0.01)
    # A saturating trace: x = 1 - (1 - x)/2 at a spike, x (1 - h/tau) in each step.
    x, expected, events = np.zeros(200), [np.zeros(200)], result.event_table
    assert events is not None
    fired = np.zeros((2001, 200), dtype=int)
    np.add.at(fired, (np.round(events.columns["time"] / h).astype(int), events.columns["cell"]), 1)
    for step in range(1, 2001):
        x = np.where(fired[step - 1] > 0, x + 0.5 * (1.0 - x), x) * (1.0 - h / 0.1)
        expected.append(x)
    np.testing.assert_allclose(np.asarray(result["trace.x"]), expected, atol=1e-12)


def test_the_random_numbers_are_those_of_splitmix64() -> None:
    """Published first numbers of the sequence that begins with 1234567."""
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    code = equal_steps.load_copy(equal_steps._FILE)
    key = np.array([1234567], dtype=np.uint64)
    assert [code.draw(key, k) for k in range(5)] == [(z >> 11) / 2.0**53 for z in known]


def test_spikes_depend_on_the_seed_and_on_nothing_that_is_saved() -> None:
    network = rate_and_traces("bernoulli", 30.0, 5)
    runs = [brnn.simulate(network, 4.0, times=times, seed=seed) for seed, times in
            ((1, [0.0, 4.0]), (1, np.arange(9) * 0.5), (2, [0.0, 4.0]))]  # fmt: skip
    first, same, other = (run.event_table.columns for run in runs)  # type: ignore[union-attr]
    np.testing.assert_allclose(first["time"], same["time"], atol=1e-12)
    assert first["cell"].tolist() == same["cell"].tolist()
    assert first["cell"].tolist() != other["cell"].tolist()


def test_a_file_keeps_every_spike_and_runs_again_to_the_same_bits(tmp_path: Path) -> None:
    network = rate_and_traces("poisson", 30.0, 300)
    in_memory = brnn.simulate(network, 30.0, times=np.linspace(0.0, 30.0, 4), seed=3)
    result = brnn.simulate(network, 30.0, times=np.linspace(0.0, 30.0, 4), seed=3, record=tmp_path / "run.h5")
    assert in_memory.event_table is not None
    assert result.event_table is not None
    assert len(result.event_table) > equal_steps._ROOM  # more than one call returns
    for name, column in in_memory.event_table.columns.items():
        np.testing.assert_array_equal(result.event_table.columns[name], column)
    again = brnn.rerun(tmp_path / "run.h5")
    assert again.passed
    assert again.largest_difference == 0.0
    assert brnn.Network.from_json(network.to_json()) == network


def test_a_run_that_was_cut_off_is_resumed_to_the_same_bits(tmp_path: Path) -> None:
    """What is resumed begins anew, with the same random numbers."""
    network, arguments = rate_and_traces("bernoulli", 30.0, 50), {"times": np.linspace(0.0, 20.0, 9), "seed": 3}
    file = tmp_path / "run.h5"

    def cut(time: float) -> None:
        if time > 8.0:
            raise KeyboardInterrupt

    whole = brnn.simulate(network, 20.0, **arguments)
    with pytest.raises(KeyboardInterrupt):
        brnn.simulate(network, 20.0, record=file, progress=cut, **arguments)
    resumed = brnn.simulate(network, 20.0, record=file, resume=True, **arguments)
    np.testing.assert_array_equal(resumed["trace.x"], whole["trace.x"])
    assert whole.event_table is not None
    assert resumed.event_table is not None
    for name, column in whole.event_table.columns.items():
        np.testing.assert_array_equal(resumed.event_table.columns[name], column)


def grids() -> brnn.Network:
    """Stripe cells that fire at random as a rat runs, grid cells with thresholds and traces that learn of them."""
    path = brnn.Trajectory.random_walk(4.0, 2)
    return brnn.models.grid_cells.build(path, cells=4)


@pytest.mark.parametrize("name", ["poisson", "grids"])
def test_a_run_that_goes_on_from_another_one_is_one_run_to_the_last_bit(name: str, tmp_path: Path) -> None:
    """In memory, from a file, and from a run that went on itself: states, traces, weights and spikes."""
    network, first, last = (grids(), 1.0, 3.0) if name == "grids" else (rate_and_traces("poisson", 30.0, 50), 3.0, 9.0)
    times = np.linspace(0.0, last, 4)
    whole = brnn.simulate(network, last, times=times, seed=3)
    parts = [brnn.simulate(network, first, times=times[:2], seed=3, record=tmp_path / "first.h5")]
    parts.append(brnn.simulate(network, first, times=times[1:3], start=tmp_path / "first.h5"))
    parts.append(brnn.simulate(network, first, times=times[2:], start=parts[1], record=tmp_path / "third.h5"))
    for part, row in zip(parts, (1, 2, 3), strict=True):
        for entry in whole.recorded:
            last_row = next(other.data[-1] for other in part.recorded if other.column.name == entry.column.name)
            np.testing.assert_array_equal(last_row, entry.data[row], err_msg=entry.column.name)
    assert whole.event_table is not None
    for column in ("time", "which", "cell"):
        together = np.concatenate([part.event_table.columns[column] for part in parts])  # type: ignore[union-attr]
        np.testing.assert_array_equal(together, whole.event_table.columns[column])
    again = brnn.rerun(tmp_path / "third.h5")
    assert again.passed
    assert again.largest_difference == 0.0
    with pytest.raises(brnn.InputError, match="which cells have just fired is known only at the end of a run") as error:
        brnn.simulate(network, first, start=whole, at=times[1])
    assert "\n" not in str(error.value)


def test_equal_steps_of_a_network_without_spikes_go_on() -> None:
    network = brnn.Network("one", [brnn.Layer.additive("F1", 1, A=1.0, initial=2.0)])
    whole = brnn.simulate(network, 2.0, times=[0.0, 1.0, 2.0], solver="Euler", step=0.05)
    half = brnn.simulate(network, 1.0, times=[0.0, 1.0], solver="Euler", step=0.05)
    rest = brnn.simulate(network, 1.0, times=[1.0, 2.0], solver="Euler", step=0.05, start=half)
    assert rest.final("F1").values == pytest.approx(2.0 * 0.95**40, rel=1e-13)
    np.testing.assert_array_equal(rest.final("F1"), whole.final("F1"))


def test_steps_end_at_saved_times_and_inputs_that_jump() -> None:
    """Euler's method of any network: x' = -x + I(t) in equal steps, by hand."""
    pulse = brnn.Stimulus("F1", "excitatory", 3.0, brnn.Pulse(0.35, 0.75))
    network = brnn.Network("one", [brnn.Layer.additive("F1", 1, A=1.0, initial=2.0)], stimuli=[pulse])
    result = brnn.simulate(network, 1.0, times=[0.0, 0.5, 1.0], solver="Euler", step=0.05)
    x, expected = 2.0, [2.0]
    for k in range(20):
        x += 0.05 * (-x + (3.0 if 7 <= k < 15 else 0.0))
        expected += [x] if k in (9, 19) else []
    np.testing.assert_allclose(np.asarray(result["F1.x"])[:, 0], expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: [TraceLayer("t", 3, of="F1"), brnn.Layer.additive("F1", 3, A=1.0)], "must be a layer that fires"),
        (lambda: [TraceLayer("t", 2, of="cell"), leaky()], "must be a layer that fires, of the shape (2,)"),
        (lambda: [leaky(reset=0.0)], "reset = 0: must be below the threshold"),
        (lambda: [TraceLayer("t", 2, of=[])], "must be the name of a layer that fires, or several"),
        (lambda: [RandomSpikesLayer("r", 2, process="gamma")], "must be"),
    ],
)
def test_bad_cells_are_refused_in_one_line(make, says: str) -> None:
    with pytest.raises(brnn.SpecError) as error:
        brnn.Network("n", make())
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_what_cannot_run_spikes_says_so() -> None:
    network = brnn.Network("cell", [leaky()])
    with pytest.raises(
        brnn.InputError, match=r"solver = 'RK45': must be one of auto, Euler \(cells that fire need equal"
    ):
        brnn.simulate(network, 1.0, solver="RK45")
    with pytest.raises(brnn.InputError, match="look for no rest"):
        brnn.simulate(network, until="steady")
    with pytest.raises(brnn.SpecError, match="a network with spikes can have none"):
        brnn.Network("n", [leaky()], events=[brnn.Event("e", brnn.AtTimes([1.0]), [brnn.StopRun()])])
    plain = brnn.Network("one", [brnn.Layer.additive("F1", 1, A=1.0, initial=2.0)])
    with pytest.raises(brnn.InputError, match="needs a step"):
        brnn.simulate(plain, 1.0, solver="Euler")
    with pytest.raises(brnn.IntegrationError, match="the step, 5, is too long"):
        brnn.simulate(plain, 20000.0, solver="Euler", step=5.0)
