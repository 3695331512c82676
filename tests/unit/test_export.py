"""The tables of a run; those of a sweep are tested with the files of sweeps."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.errors import FileError, InputError
from brnn.files.export import to_csv, to_parquet


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("run") / "run.h5"
    layer = brnn.Layer.shunting("F1", (2, 3), A=1.0, B=1.0, initial=np.arange(6.0).reshape(2, 3) / 7)
    with brnn.simulate(brnn.Network("small", [layer]), duration=1.0, times=[0.0, 0.3, 1.0], record=str(path)):
        return path


@pytest.mark.parametrize("block", [1, 96, 16_000_000])
def test_a_variable_of_a_run(run: Path, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", block)
    (path,) = to_csv(run, tmp_path / "tables")
    assert path == tmp_path / "tables" / "F1.x.csv"
    lines = path.read_text().splitlines()
    notes, rows = lines[:4], list(csv.reader(lines[4:]))
    assert notes == [
        "# STM activity of layer F1 (F1.x), units: 1",
        "# time: units: 1, 3 saved times",
        "# F1_row: 0 ... 1, 2 of them, units: 1",
        "# F1_column: 0 ... 2, 3 of them, units: 1",
    ]
    assert rows[0] == ["time", *(f"F1.x[{i}][{j}]" for i in range(2) for j in range(3))]
    numbers = np.array(rows[1:], dtype=float)
    np.testing.assert_array_equal(numbers[:, 0], [0.0, 0.3, 1.0])
    with brnn.open(run) as result:
        np.testing.assert_array_equal(numbers[:, 1:].reshape(3, 2, 3), result["F1.x"].values)
    np.testing.assert_allclose(numbers[2, 1:], np.arange(6) / 7 * np.exp(-1.0), rtol=1e-5)  # dx/dt = -A x


def test_what_is_refused(run: Path, tmp_path: Path) -> None:
    to_csv(run, tmp_path)
    with pytest.raises(FileError, match=r"F1\.x\.csv exists; use force=True"):
        to_csv(run, tmp_path)
    to_csv(run, tmp_path, force=True)
    with pytest.raises(FileError, match=r"none does not exist"):
        to_csv(run, tmp_path / "none" / "tables")
    pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match="is a run; only sweeps are written as one table"):
        to_parquet(run, tmp_path / "run.parquet")
    with pytest.raises(FileError, match="is read here, so it is not replaced"):
        to_parquet(run, run, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["F1.x.csv"]
