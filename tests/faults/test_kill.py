"""SIGKILL at random times: the file opens, says that it is incomplete and how far it got, and every row is right.

The number of kills per test is 4, or what the environment variable BRNN_KILLS says; the tests marked slow do five times
as many.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
import recording
import victims
import xarray as xr
from killing import begin, kill, moments, wait_for

import brnn
from brnn.files.placed import PlacedFile
from brnn.files.run.writer import FileRecorder

KILLS = int(os.environ.get("BRNN_KILLS", "4"))


def check_recorded(path: Path) -> str:
    """Compare every row that the file claims with the formula, through brnn, h5py and xarray; return the status."""
    with brnn.open(path) as result:
        status = result.status
        count = len(result.times)
        assert status in ("incomplete", "complete")
        assert count > 0
        assert result.reached == 0.5 * (count - 1)
        if status == "complete":
            assert result.duration == 0.5 * count
            assert result.solver.steps == count
        else:
            assert f"incomplete, last saved at t = {result.reached:g} of {result.duration:g}" in repr(result)
        for variable in recording.VARIABLES[:-1]:
            np.testing.assert_array_equal(result[variable.name], recording.expected(variable, 0, count))
        weights = result["P.z"]
        rows = np.rint(2.0 * weights["time"].to_numpy()).astype(int)
        assert set(range(0, count, 4)) - {count - 1} <= set(rows)
        every = recording.expected(recording.VARIABLES[-1], 0, int(rows.max()) + 1)
        np.testing.assert_array_equal(weights, every[rows])
    with h5py.File(path, "r") as file:
        assert file.attrs["status"] == status.encode()
        # Groups get their times one after the other: the first may be one write, 59 rows at most, ahead of the last.
        samples = file["F1/x"][: np.isfinite(file["F1/time"]).sum()]
        assert count <= len(samples) < count + 60
        assert status == "incomplete" or len(samples) == count
        assert np.isnan(file["F1/x"][count + 60 :]).all()  # the others were being written
        np.testing.assert_array_equal(samples, recording.expected(recording.VARIABLES[0], 0, len(samples)))
    with xr.open_dataset(path, engine="h5netcdf", group="F2") as data:
        known = data.isel(time=data["time"].notnull())
        np.testing.assert_array_equal(known["x"], recording.expected(recording.VARIABLES[1], 0, known.sizes["time"]))
    return status


def kill_recorders(folder: Path, kills: int, rows: int) -> list[str]:
    path = folder / "run.h5"
    statuses = []
    source = moments(f"recorders of {rows} rows")
    for seed in range(kills):
        process, messages = begin(victims.record, str(path), seed, rows, seed % 2 == 0)
        assert messages.recv() == "there"
        time.sleep(source.uniform(0.0, 0.4))
        kill(process)
        statuses.append(check_recorded(path))
        brnn.recover(path).close()
        check_recorded(path)
        if statuses[-1] == "incomplete":
            assert os.listdir(folder) == ["run.h5"]
        for file in folder.iterdir():
            file.unlink()
    return statuses


@pytest.mark.parametrize("rows", [30, 100_000], ids=["short files", "one long file"])
def test_recorder(tmp_path: Path, rows: int) -> None:
    kill_recorders(tmp_path, KILLS, rows)


def test_between_the_times_of_two_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first group has the times of 40 rows more than the others, and all are right."""
    path, put = tmp_path / "run.h5", PlacedFile.put_block
    description = recording.description(100.0)
    recorder = FileRecorder(path, recording.VARIABLES, description, flush_every=0.0, ltm_every=2.0, n_times=200)
    recorder.write(recording.times(0, 50), recording.states(0, 50))

    def ends(self: PlacedFile, name: str, first: int, block: np.ndarray) -> None:
        put(self, name, first, block)
        if name == "F1/time":
            raise KeyboardInterrupt

    monkeypatch.setattr(PlacedFile, "put_block", ends)
    with pytest.raises(KeyboardInterrupt):
        recorder.write(recording.times(50, 40), recording.states(50, 40))
    assert check_recorded(path) == "incomplete"
    with brnn.open(path) as result, h5py.File(path, "r") as file:
        assert (len(result.times), np.isfinite(file["F1/time"]).sum()) == (50, 90)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rows", [30, 100_000], ids=["short files", "one long file"])
def test_recorder_often(tmp_path: Path, rows: int) -> None:
    assert "incomplete" in kill_recorders(tmp_path, 5 * KILLS, rows)


def reached(path: Path) -> float:
    """Return how far the file is; -1 while there is none."""
    if not path.exists():
        return -1.0
    with brnn.open(path) as result:
        return result.reached


@pytest.mark.parametrize("number", range(KILLS))
def test_simulation(tmp_path: Path, number: int) -> None:
    path = tmp_path / "run.h5"
    process, _ = begin(victims.drive, str(path))
    source = moments(f"simulation {number}")
    # The first run has come as far as this at least; the others are killed sooner or later. All end at 50,000.
    far = 100.0 if number == 0 else source.choice([0.0, source.uniform(0.0, 1500.0)])
    wait_for(lambda: reached(path) >= far, process)
    time.sleep(source.uniform(0.0, 1.0))  # not always after something was brought to the disk
    kill(process)
    with brnn.open(path) as result:
        assert result.status == "incomplete"
        assert result.duration == 50_000.0
        assert result.network.name == "driven"
        x = result["F1.x"]
        t = x["time"].to_numpy()
        np.testing.assert_allclose(t, 0.1 * np.arange(len(t)), rtol=1e-12)
        if number == 0:
            assert len(t) > 1000
        # x' = -A x + p (1 + sin(w t)), x(0) = 0
        a, w = 0.5, 2.0 * np.pi
        decay = np.exp(-a * t)
        factor = (1.0 - decay) / a + (a * np.sin(w * t) - w * np.cos(w * t) + w * decay) / (a * a + w * w)
        np.testing.assert_allclose(x, factor[:, None] * [1.0, 2.0, 3.0], atol=1e-4)
        assert f"incomplete, last saved at t = {t[-1]:g} of 50000" in repr(result)
    with h5py.File(path, "r") as file:
        assert file.attrs["status"] == b"incomplete"
    recovered = brnn.recover(path)
    with recovered, xr.open_dataset(path, engine="netcdf4", group="F1") as data:
        np.testing.assert_array_equal(data["time"], t)
        assert recovered.status == "incomplete"
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]
