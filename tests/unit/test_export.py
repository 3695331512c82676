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
    network = brnn.Network("small", [layer], time_units="s")
    with brnn.simulate(network, duration=1.0, times=[0.0, 0.3, 1.0], record=str(path)):
        return path


@pytest.mark.parametrize("block", [1, 96, 16_000_000])
def test_a_variable_of_a_run(run: Path, tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", block)
    path, units = to_csv(run, tmp_path / "tables")
    assert path == tmp_path / "tables" / "F1.x.csv"
    rows = list(csv.reader(path.read_text().splitlines()))
    assert units.read_text().splitlines() == [
        "table,name,units,long_name,size",
        "F1.x,time,s,time,3",
        "F1.x,F1_row,1,F1_row,2",
        "F1.x,F1_column,1,F1_column,3",
        "F1.x,F1.x,1,STM activity of layer F1,3 x 2 x 3",
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
    assert sorted(path.name for path in tmp_path.iterdir()) == ["F1.x.csv", "units.csv"]


def test_events_have_a_table_and_any_program_reads_them(tmp_path: Path) -> None:
    """x = t/4 crosses 0.1 at 0.4 and 0.2 at 0.8, and NumPy and pandas read it."""
    ramp = brnn.Layer.additive("F1", 1, A=0.0)
    crossings = [brnn.Event(name, brnn.Crossing("F1.x", level), []) for name, level in (("a", 0.1), ("b", 0.2))]
    network = brnn.Network("ramp", [ramp], stimuli=[brnn.Stimulus("F1", "excitatory", 0.25)], events=crossings)
    with brnn.simulate(network, 1.0, record=tmp_path / "run.h5"):
        tables = to_csv(tmp_path / "run.h5", tmp_path / "tables")
    assert [path.name for path in tables] == ["F1.x.csv", "events.csv", "units.csv"]
    pandas = pytest.importorskip("pandas")
    events = pandas.read_csv(tables[1])
    assert events.columns.tolist() == ["time", "name", "cell", "value", "chosen"]
    np.testing.assert_allclose(events["time"], [0.4, 0.8], atol=1e-9)
    assert events["name"].tolist() == ["a", "b"]
    values = np.genfromtxt(tables[0], delimiter=",", names=True)
    np.testing.assert_allclose(values["F1x0"], values["time"] / 4, atol=1e-6)
    assert pandas.read_csv(tables[2]).query("table == 'events'")["name"].tolist() == events.columns.tolist()
