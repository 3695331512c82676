"""Files of earlier formats, kept in tests/data, are read for ever: they hold what they held when they were written."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.reader import open_sweep_contents
from brnn.files.sweep.writer import SweepWriter

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def old(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / f"{request.param}.h5"
    path.write_bytes(gzip.decompress((DATA / f"format1_{request.param}.h5.gz").read_bytes()))
    return path


@pytest.mark.parametrize("old", ["run"], indirect=True)
def test_a_run(old: Path) -> None:
    """Its network has a pulse, gates, weights saved at every fourth time, an event, and a matrix in an array."""
    with brnn.open(old) as result:
        assert result.status == "complete"
        assert {name: result[name].shape for name in result} == {
            "F1.x": (17, 9),
            "F2.x": (17, 2, 2),
            "up.y": (17, 9),
            "down.z": (5, 9, 4),
        }
        np.testing.assert_array_equal(result["F1.x"]["time"], np.linspace(0.0, 4.0, 17))
        np.testing.assert_array_equal(result["down.z"]["time"], np.arange(5.0))
        assert result.events["name"].values.tolist() == ["high"] * 6
        matrix = result.network.projections[0].topology.matrix
        np.testing.assert_array_equal(matrix, np.linspace(0.0, 0.1, 81).reshape(9, 9))
        np.testing.assert_allclose(result.events["value"], 0.3, rtol=1e-12)  # the threshold
        assert result.seed is None
    assert brnn.rerun(old).passed


@pytest.mark.parametrize("old", ["killed"], indirect=True)
def test_a_killed_run_can_be_recovered(old: Path) -> None:
    with brnn.open(old) as result:
        assert (result.status, result.reached) == ("incomplete", 4.0)
        before = result["rcf.x"].load()
    with brnn.recover(old) as result:
        assert result.attributes["brnn_format"] == 2
        assert before.identical(result["rcf.x"].load())


@pytest.mark.parametrize("old", ["sweep"], indirect=True)
def test_a_sweep(old: Path) -> None:
    """A = 0.5, 1, -1 by two signals by n = 3, 4: the last four members failed; texts are characters there."""
    with brnn.open(old) as data:
        assert data["status"].values.tolist() == [1] * 8 + [3] * 4
        assert data["kind"].values.tolist() == ["few é", "many"] * 4 + [""] * 4
        signals = ["Linear(gain=1.0)"] * 2 + ["Power(gain=1.0, exponent=2.0)"] * 2
        assert data["signal"].values.tolist() == signals * 3
        assert set(data["error"].values[8:]) == {"Layer 'rcf': A = -1: must be a number >= 0"}
        assert np.isnan(data["rcf.x"].values[0, 3])  # the first member has three cells
        before = data.load()
    with SweepWriter(old, header_of_file(old), resume=True) as writer:
        assert writer.pending().tolist() == [8, 9, 10, 11]
        rows = {"kind": np.array(["a longer text than there was"]), "total": np.array([2.5])}
        writer.write(np.array([8]), rows, 1)
        with writer.finish() as data:
            assert data["kind"].values[8] == "a longer text than there was"
            assert data.attrs["brnn_format"] == 2  # it was made anew, as there was no room for the text
            assert data.isel(member=slice(8))["kind"].equals(before.isel(member=slice(8))["kind"])
            assert data["error"].values[9] == "Layer 'rcf': A = -1: must be a number >= 0"


def header_of_file(path: Path) -> SweepHeader:
    contents = open_sweep_contents(path, str(path))
    contents.close()
    return contents.header
