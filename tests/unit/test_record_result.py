"""What a result answers, in memory and from a file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import recording
import xarray as xr

import brnn
from brnn.errors import FileError, InputError
from brnn.files.run.writer import FileRecorder
from brnn.result.memory import MemoryRecorder
from brnn.result.result import Result, UnknownVariable
from brnn.result.solver import Solver

ROWS = 12
F1, F3 = recording.VARIABLES[0], recording.VARIABLES[2]


@pytest.fixture(params=["memory", "file", "saved"])
def result(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Result]:
    recorder: FileRecorder | MemoryRecorder
    if request.param == "file":
        recorder = FileRecorder(tmp_path / "run.h5", recording.VARIABLES, recording.description(6.0))
    else:
        recorder = MemoryRecorder(recording.VARIABLES, ROWS, recording.description(6.0))
    recorder.write(recording.times(0, ROWS), recording.states(0, ROWS))
    summary = {"method": "LSODA", "evaluations": 30, "steps": 20, "seconds": 0.25, "message": "well", "rtol": 1e-6}
    result = recorder.finish("complete", summary)
    if request.param == "saved":
        result.save(tmp_path / "saved.h5")
        result = brnn.open(tmp_path / "saved.h5")
    with result:
        yield result


def test_array(result: Result) -> None:
    x = result["F3.x"]
    assert x.name == "F3.x"
    assert x.dims == ("time", "F3_row", "F3_column")
    assert x.attrs == {"units": "1", "long_name": "quantity x of F3"}
    assert x["time"].attrs == {"units": "s", "long_name": "time"}
    np.testing.assert_array_equal(x["time"], recording.times(0, ROWS))
    np.testing.assert_array_equal(x["F3_column"], np.arange(6))
    np.testing.assert_array_equal(x, recording.expected(F3, 0, ROWS))


def test_labels_that_runs_share() -> None:
    """What is written to the array of one run is not seen in that of another, whose times are its own."""

    def run(dt: float) -> Result:
        recorder = MemoryRecorder(recording.VARIABLES, ROWS, recording.description(6.0))
        recorder.write(dt * recording.times(0, ROWS), recording.states(0, ROWS))
        return recorder.finish("complete", {"method": "LSODA", "message": "well"})

    first, second = run(1.0), run(1.0)
    one, total, final = first["F3.x"], first.total("F3"), first.final("F3")
    for array in (one, total, final):
        array[...] = 7.0
        array.name = "mine"
        array.attrs["units"] = "mV"
        for label in array.coords.values():
            label.attrs["units"] = "ms"
            with pytest.raises((ValueError, TypeError)):
                label.values[0] = 5
        for index in array.indexes.values():
            with pytest.raises(ValueError, match="read-only"):
                np.asarray(index)[0] = 5
        array.coords[array.dims[0]] = array.coords[array.dims[0]] + 3
    x = second["F3.x"]
    xr.testing.assert_identical(x, second["F3.x"])
    np.testing.assert_array_equal(x, recording.expected(F3, 0, ROWS))
    assert [a.name for a in (x, second.total("F3"), second.final("F3"))] == ["F3.x", "total of F3.x", "F3.x"]
    for array in (x, second.total("F3"), second.final("F3")):
        assert array.attrs["units"] == "1"
        for dim in array.dims:
            times = dim == "time"
            assert array[dim].attrs == ({"units": "s", "long_name": "time"} if times else {})
            np.testing.assert_array_equal(array[dim], recording.times(0, ROWS) if times else np.arange(array[dim].size))
    np.testing.assert_array_equal(run(2.0)["F3.x"]["time"], 2.0 * recording.times(0, ROWS))


@pytest.mark.parametrize(
    "key",
    [
        (3,),
        (-1,),
        (slice(None, None, -2), 1),
        (slice(2, 9, 3), slice(None), -1),
        ([1, 5, 5, 0], [2, 0]),
        (np.arange(ROWS) % 2 == 0,),
        (slice(20, 30),),
    ],
)
def test_indexing_is_that_of_numpy(result: Result, key: tuple) -> None:
    all_rows = xr.DataArray(recording.expected(F3, 0, ROWS))
    np.testing.assert_array_equal(result["F3.x"][key], all_rows[key])


def test_selecting_a_time(result: Result) -> None:
    np.testing.assert_array_equal(result["F1.x"].sel(time=2.1, method="nearest"), recording.expected(F1, 4, 1)[0])


def test_final(result: Result) -> None:
    for name in ("F3", "F3.x"):
        last = result.final(name)
        assert last.dims == ("F3_row", "F3_column")
        assert "time" not in last.coords
        np.testing.assert_array_equal(last, recording.expected(F3, ROWS - 1, 1)[0])
    assert result.final("P.z").dims == ("target", "source")


def test_total_and_relative(result: Result) -> None:
    values = recording.expected(F3, 0, ROWS)
    sums = values.reshape(ROWS, -1).sum(axis=1)
    total = result.total("F3")
    assert total.dims == ("time",)
    assert total.attrs["units"] == "1"
    np.testing.assert_allclose(total, sums, rtol=1e-14)
    relative = result.relative("F3")
    assert relative.dims == ("time", "F3_row", "F3_column")
    assert relative.attrs["units"] == "1"
    np.testing.assert_allclose(relative, values / sums[:, None, None], rtol=1e-14)
    np.testing.assert_allclose(relative.isel(time=[3, 7], F3_row=0), values[[3, 7], 0] / sums[[3, 7], None], rtol=1e-14)
    np.testing.assert_allclose(relative.sum(("F3_row", "F3_column")), 1.0, rtol=1e-12)


def test_relative_of_nothing_is_nan(tmp_path: Path) -> None:
    layer = recording.variables(("F1.x", (3,), ("F1",), "stm"))
    for recorder in (
        MemoryRecorder(layer, 2, recording.description()),
        FileRecorder(tmp_path / "run.h5", layer, recording.description()),
    ):
        recorder.write(np.array([0.0, 1.0]), np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 3.0]]))
        with recorder.finish("complete", {}) as result, warnings.catch_warnings():
            warnings.simplefilter("error")
            np.testing.assert_array_equal(result.relative("F1"), [[np.nan] * 3, [0.25, 0.0, 0.75]])


def test_mapping(result: Result) -> None:
    assert list(result) == [variable.name for variable in recording.VARIABLES]
    assert len(result) == 5
    assert "F1.x" in result
    assert "F1" not in result
    assert result.get("F9.x") is None


@pytest.mark.parametrize(
    ("name", "hint"), [("F1", "did you mean 'F1.x'?"), ("F1.z", "did you mean 'F1.x'?"), ("P", "'P.y'"), ("zz", "")]
)
def test_unknown_names(result: Result, name: str, hint: str) -> None:
    for kind in (KeyError, InputError, UnknownVariable):
        with pytest.raises(kind) as caught:
            result[name]
        assert str(caught.value).startswith(f"result['{name}']: no such variable (there is F1.x, F2.x, F3.x, P.y, P.z)")
        assert hint in str(caught.value)
    with pytest.raises(UnknownVariable):
        result.final("P")


def test_what_it_says(result: Result) -> None:
    assert result.status == result.solver.status == "complete"
    assert (result.solver.method, result.solver.evaluations, result.solver.steps) == ("LSODA", 30, 20)
    assert (result.solver.seconds, result.solver.message) == (0.25, "well")
    assert result.solver.details["rtol"] == 1e-6
    assert result.duration == 6.0
    assert result.reached == 5.5
    assert result.network == recording.network(reference="nobody (1900)")
    assert result.attributes["seed"] == 7
    shown = repr(result)
    assert shown.startswith("<brnn.Result of 'made_up': complete, at t = 5.5 s>")
    assert "F3.x  (time: 12, F3_row: 4, F3_column: 6)  quantity x of F3" in shown
    assert "LSODA: 20 steps, 30 evaluations, 0.25 s" in shown
    tree = result.tree
    assert set(tree.children) == {"F1", "F2", "F3", "P"}
    assert tree.attrs["status"] == "complete"
    xr.testing.assert_equal(tree["F1"]["x"], result["F1.x"])


def test_files_are_read_only_where_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = FileRecorder(tmp_path / "run.h5", recording.VARIABLES, recording.description())
    recorder.write(recording.times(0, 50), recording.states(0, 50))
    recorder.finish("complete", {}).close()
    read: list[int] = []
    original = h5py.Dataset.__getitem__

    def counted(dataset: h5py.Dataset, key: object) -> object:
        values = original(dataset, key)
        read.append(np.size(values))
        return values

    monkeypatch.setattr(h5py.Dataset, "__getitem__", counted)
    with brnn.open(tmp_path / "run.h5") as result:
        repr(result)
        x = result["F2.x"]
        _ = result.tree
        assert sum(read) == 4 * 50  # the times, of each group
        x[7, :3].load()
        assert sum(read) == 4 * 50 + 3


def test_closed_file(tmp_path: Path) -> None:
    recorder = FileRecorder(tmp_path / "run.h5", recording.VARIABLES, recording.description())
    recorder.write(recording.times(0, 5), recording.states(0, 5))
    result = recorder.finish("complete", {})
    read = result["F1.x"].load()
    unread = result["F3.x"]
    result.close()
    result.close()
    assert read.shape == (5, 10)
    with pytest.raises(FileError, match=r"F3\.x cannot be read: the file was closed"):
        unread.load()


def test_time_does_not_tell_solvers_apart() -> None:
    """Nor does a time that is not known: NaN is not equal to NaN."""
    known = Solver("RK45", steps=3, seconds=1.0)
    unknown = [Solver("RK45", steps=3, seconds=float("nan")) for _ in range(2)]
    assert known == unknown[0] == unknown[1]
    assert known != Solver("RK45", steps=4, seconds=1.0)


def test_save(tmp_path: Path) -> None:
    recorder = MemoryRecorder(recording.VARIABLES, 5, recording.description())
    recorder.write(recording.times(0, 5), recording.states(0, 5))
    result = recorder.finish("steady", {"method": "RK45"})
    path = tmp_path / "run.h5"
    result.save(path)
    with pytest.raises(FileError, match="exists; use force=True"):
        result.save(path)
    result.save(path, force=True)
    assert [file.name for file in tmp_path.iterdir()] == ["run.h5"]
    with brnn.open(path) as again:
        assert again.status == "steady"
        assert again.solver == result.solver
        # Onto itself: the file that is read stays what it is until it is closed.
        again.save(path, force=True)
        for name in result:
            xr.testing.assert_identical(result[name], again[name].load())


def test_memory_that_is_not_there() -> None:
    layer = recording.variables(("F1.x", (10**6,), ("F1",), "stm"))
    with pytest.raises(InputError, match=r'keeping 10000000 states in memory needs about 80 TB .*record="run\.h5"'):
        MemoryRecorder(layer, 10**7, recording.description())
