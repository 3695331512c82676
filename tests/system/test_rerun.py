"""`brnn.rerun`: a file holds all that its run depended on, whatever kind of run it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import brnn
from brnn.models import rcf


def learning() -> brnn.Network:
    """One source that learns the pattern of three cells through gated, adaptive connections."""
    return brnn.Network(
        "outstar",
        [brnn.Layer.shunting("F1", 1, A=1, B=1), brnn.Layer.shunting("F2", 3, A=1, B=1)],
        [
            brnn.Projection(
                "F1",
                "F2",
                "excitatory",
                brnn.Linear(),
                brnn.AllToAll(),
                gate=brnn.HabituativeGate(H=0.1, K=1.0, L=1.0),
                learning=brnn.Outstar(rate=0.5, initial=0.1),
            )
        ],
        [
            brnn.Stimulus("F1", "excitatory", 1.0, brnn.Pulse(0.5, 3.0)),
            brnn.Stimulus("F2", "excitatory", np.array([0.2, 0.5, 0.3])),
        ],
    )


def noisy() -> brnn.Network:
    layer = brnn.Layer.additive("F1", 4, A=1.0)
    return brnn.Network("noisy", [layer], (), [brnn.Stimulus("F1", "excitatory", 0.3, brnn.WhiteNoise())])


def discrete() -> brnn.Network:
    """Three threshold cells in a ring: period 3."""
    W = np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]], dtype=float)
    layer = brnn.BinaryLayer("ring", 3, threshold=0.5, levels="unipolar", initial=np.array([1.0, 0.0, 0.0]))
    return brnn.Network("ring", [layer], [brnn.Projection("ring", "ring", "excitatory", brnn.Linear(), brnn.Dense(W))])


RUNS: dict[str, Callable[[Any], brnn.Result]] = {
    "default": lambda to: brnn.simulate(rcf.build(), 10, record=to()),
    "tolerances": lambda to: brnn.simulate(rcf.build(), 10, rtol=1e-3, atol=1e-6, solver="Radau", record=to()),
    "steady": lambda to: brnn.simulate(rcf.build(), until="steady", record=to()),
    "steady at chosen times": lambda to: brnn.simulate(rcf.build(), until="steady", times=[1.0, 5.0], record=to()),
    "initial state, not saved": lambda to: brnn.simulate(
        rcf.build(n=3), 2, initial=[0.1, 0.9, 0.4], times=[1.0, 2.0], record=to()
    ),
    "learning": lambda to: brnn.simulate(learning(), 4, initial={"F2": 0.5}, record=to()),
    "coarse weights": lambda to: brnn.simulate(learning(), 4, record=to(ltm_every=0.5)),
    "one variable": lambda to: brnn.simulate(learning(), 4, record=to(variables=["F1_F2_exc.z"])),
    "single precision": lambda to: brnn.simulate(rcf.build(), 10, record=to(dtype="float32")),
    "white noise": lambda to: brnn.simulate(noisy(), 1, seed=7, record=to()),
    "white noise, seed drawn": lambda to: brnn.simulate(noisy(), 1, record=to()),
    "discrete time": lambda to: brnn.simulate(discrete(), 12, record=to()),
}


@pytest.mark.parametrize("kind", RUNS)
def test_the_numbers_are_the_same_to_the_last_bit(tmp_path: Path, kind: str) -> None:
    RUNS[kind](lambda **options: brnn.Record(path=tmp_path / "run.h5", **options)).close()
    outcome = brnn.rerun(tmp_path / "run.h5")
    assert outcome.passed, outcome
    assert outcome.largest_difference == 0.0
    assert outcome.variable is None
    assert outcome.compared > 1
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


def test_a_result_that_was_saved_later(tmp_path: Path) -> None:
    brnn.simulate(rcf.build(), 10).save(tmp_path / "run.h5")
    assert brnn.rerun(tmp_path / "run.h5").largest_difference == 0.0


def test_a_difference_is_found_where_it_is(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    brnn.simulate(rcf.build(n=(2, 3)), 10, times=np.arange(11.0), record=path).close()
    with h5py.File(path, "r+") as file:
        file["rcf/x"][4, 1, 2] += 1e-3
    outcome = brnn.rerun(path)
    assert not outcome.passed
    assert outcome.variable == "rcf.x[1, 2]"
    assert outcome.time == 4.0
    assert outcome.largest_difference == pytest.approx(1e-3)
    assert outcome.compared == 11
    assert "DIFFERENT" in repr(outcome)
    assert brnn.rerun(path, tolerance=2e-3).passed
    with h5py.File(path, "r+") as file:
        file["rcf/x"][4, 1, 2] = np.nan
    assert brnn.rerun(path, tolerance=1e9).largest_difference == np.inf


def test_another_network_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    brnn.simulate(rcf.build(A=1.0), 10, record=path).close()
    with h5py.File(path, "r+") as file:
        network = file.attrs["network"].decode()
        assert '"A": 1.0' in network
        file.attrs["network"] = network.replace('"A": 1.0', '"A": 1.1')
    outcome = brnn.rerun(path)
    assert not outcome.passed
    assert outcome.largest_difference > 1e-2


def test_a_large_run_is_repeated_in_a_temporary_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.reproduce.run._BYTES_IN_MEMORY", 0)
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", 1000)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    brnn.simulate(rcf.build(), 10, record=tmp_path / "run.h5").close()
    assert brnn.rerun(tmp_path / "run.h5").largest_difference == 0.0
    assert [path.name for path in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.parametrize("tolerance", [-1.0, float("nan"), "x"])
def test_bad_tolerances(tmp_path: Path, tolerance: Any) -> None:
    brnn.simulate(rcf.build(), 1, record=tmp_path / "run.h5").close()
    with pytest.raises(brnn.SpecError, match="tolerance"):
        brnn.rerun(tmp_path / "run.h5", tolerance)
