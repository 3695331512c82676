"""Streaming to a file: every row arrives, whatever the blocks; other programs read it; memory stays bounded."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import netCDF4
import numpy as np
import pytest
import recording
import xarray as xr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import brnn
from brnn.errors import FileError, InputError
from brnn.files.placed import PlacedFile
from brnn.files.run import growing
from brnn.files.run.writer import FileRecorder
from brnn.result.events import Happened
from brnn.result.memory import MemoryRecorder
from brnn.result.metadata import Metadata, metadata
from brnn.result.result import Result

ENGINES = ("h5netcdf", "netcdf4")


def record(path: Path, rows: int = 20, block: int = 7, **options: Any) -> Result:
    recorder = FileRecorder(path, recording.VARIABLES, recording.description(0.5 * rows), **options)
    for first in range(0, rows, block):
        count = min(block, rows - first)
        recorder.write(recording.times(first, count), recording.states(first, count))
    return recorder.finish("complete", {"method": "none", "steps": rows, "evaluations": 3, "seconds": 0.5})


def check(result: Result, rows: int) -> None:
    np.testing.assert_array_equal(result.times, recording.times(0, rows))
    for variable in recording.VARIABLES:
        np.testing.assert_array_equal(result[variable.name], recording.expected(variable, 0, rows))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(
    counts=st.lists(st.integers(0, 40), min_size=1, max_size=8),
    flush_every=st.sampled_from([0.0, 1e-3, 100.0]),
    n_times=st.sampled_from([None, 1, 10, 1000]),
    compression=st.sampled_from([None, 0, 4]),
)
def test_blocks(
    tmp_path: Path, counts: list[int], flush_every: float, n_times: int | None, compression: int | None
) -> None:
    path = tmp_path / "run.h5"
    recorder = FileRecorder(
        path,
        recording.VARIABLES,
        recording.description(),
        force=True,
        flush_every=flush_every,
        n_times=n_times,
        compression=compression,
    )
    rows = 0
    for count in counts:
        states = recording.states(rows, count)
        recorder.write(recording.times(rows, count), states)
        states[:] = np.nan  # the recorder must not rely on it
        rows += count
    with recorder.finish("complete", {}) as result:
        check(result, rows)
    assert os.listdir(tmp_path) == ["run.h5"]


def test_memory_and_file_agree(tmp_path: Path) -> None:
    memory = MemoryRecorder(recording.VARIABLES, 5, recording.description(10.0))
    for first in range(0, 20, 7):  # more than announced
        count = min(7, 20 - first)
        memory.write(recording.times(first, count), recording.states(first, count))
    kept = memory.finish("complete", {"method": "none"})
    check(kept, 20)
    with record(tmp_path / "run.h5") as streamed:
        check(streamed, 20)
        for name in kept:
            xr.testing.assert_identical(kept[name], streamed[name].load())
        assert streamed.network == kept.network == recording.network(reference="nobody (1900)")


@pytest.mark.parametrize("kind", ["file", "memory"])
def test_weights_less_often(tmp_path: Path, kind: str) -> None:
    recorder: FileRecorder | MemoryRecorder
    if kind == "file":
        recorder = FileRecorder(tmp_path / "run.h5", recording.VARIABLES, recording.description(), ltm_every=2.0)
    else:
        recorder = MemoryRecorder(recording.VARIABLES, 20, recording.description(), ltm_every=2.0)
    for first in range(0, 20, 3):
        count = min(3, 20 - first)
        recorder.write(recording.times(first, count), recording.states(first, count))
    with recorder.finish("complete", {}) as result:
        rows = np.array([0, 4, 8, 12, 16, 19])  # every 2.0 = 4 rows, and the last
        weights = result["P.z"]
        assert weights.dims == ("time", "target", "source")
        np.testing.assert_array_equal(weights["time"], 0.5 * rows)
        np.testing.assert_array_equal(weights, recording.expected(recording.VARIABLES[4], 0, 20)[rows])
        np.testing.assert_array_equal(result["P.y"], recording.expected(recording.VARIABLES[3], 0, 20))
        node = result.tree["P"]
        assert node["z"].dims == ("ltm_time", "target", "source")
        assert node["y"].dims == ("time", "source")
    if kind == "file":
        for engine in ENGINES:
            with xr.open_dataset(tmp_path / "run.h5", engine=engine, group="P") as data:
                np.testing.assert_array_equal(data["ltm_time"], 0.5 * rows)
                assert data["z"].dims == ("ltm_time", "target", "source")


def test_selection_and_precision(tmp_path: Path) -> None:
    with record(tmp_path / "run.h5", select=["P.z", "F1.x"], dtype="float32") as result:
        assert list(result) == ["F1.x", "P.z"]
        for variable in (recording.VARIABLES[0], recording.VARIABLES[4]):
            assert result[variable.name].dtype == np.float32
            np.testing.assert_array_equal(result[variable.name], recording.expected(variable, 0, 20).astype("f4"))
    with h5py.File(tmp_path / "run.h5") as file:
        assert "F2" not in file
        assert "y" not in file["P"]
        assert file["F1/time"].dtype == np.float64


def test_h5py_alone(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    record(path, 600).close()
    with h5py.File(path, "r") as file:
        for variable in recording.VARIABLES:
            dataset = file[variable.group][variable.quantity]
            np.testing.assert_array_equal(dataset, recording.expected(variable, 0, 600))
            assert dataset.fletcher32
            assert dataset.attrs["units"] == b"1"
            assert dataset.attrs["long_name"].decode() == variable.long_name
            names = [scales[0].name.rpartition("/")[2] for scales in dataset.dims]
            assert names == ["time", *variable.dims]
            for scales in dataset.dims:
                assert scales[0].attrs["long_name"]
        assert file["F1/x"].compression == "gzip"
        assert file["F2/x"].compression is None
        assert file["F1/time"].attrs["units"] == b"s"
        np.testing.assert_array_equal(file["F2/F2"], np.arange(5000))
        attributes = dict(file.attrs)
    assert attributes["brnn_format"] == 2
    assert attributes["seed"] == 7
    assert attributes["command"] == b"made up"
    assert attributes["status"] == b"complete"
    assert json.loads(attributes["network"])["name"] == "made_up"
    assert json.loads(attributes["solver"])["steps"] == 600
    assert {"brnn_version", "versions", "created", "command", "duration", "time_units", "options"} <= set(attributes)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("saved", [False, True], ids=["streamed", "saved"])
def test_xarray(tmp_path: Path, engine: Any, saved: bool) -> None:
    path = tmp_path / "run.h5"
    large = recording.description(initial=np.linspace(0.0, 1.0, 5000), words="x" * 70_000)
    recorder = FileRecorder(path, recording.VARIABLES, large)
    recorder.write(recording.times(0, 20), recording.states(0, 20))
    with recorder.finish("complete", {}) as result:
        if saved:
            path = tmp_path / "saved.nc"
            result.save(path)
    with brnn.open(path) as result:
        assert result.options["words"] == "x" * 70_000
        np.testing.assert_array_equal(result.options["initial"], np.linspace(0.0, 1.0, 5000))
        check(result, 20)
    with xr.open_datatree(path, engine=engine) as tree:
        assert tree.attrs["status"] == "complete"
        assert tree.attrs["reference"] == "nobody (1900)"
        for variable in recording.VARIABLES:
            array = tree[variable.group][variable.quantity]
            assert array.dims == ("time", *variable.dims)
            assert set(array.coords) == set(array.dims)
            assert array.attrs["units"] == "1"
            np.testing.assert_array_equal(array, recording.expected(variable, 0, 20))
            np.testing.assert_array_equal(array["time"], recording.times(0, 20))
    with xr.open_dataset(path, engine=engine, group="P") as data:
        assert dict(data.sizes) == {"time": 20, "source": 10, "target": 24}
    with xr.open_dataset(path, engine=engine) as root:
        assert root.attrs["brnn_format"] == 2


def test_netcdf4_library(tmp_path: Path) -> None:
    record(tmp_path / "run.h5").close()
    with netCDF4.Dataset(tmp_path / "run.h5") as file:
        assert file.groups["F3"].variables["x"].dimensions == ("time", "F3_row", "F3_column")
        assert file.groups["F3"].variables["time"].units == "s"
        assert file.seed == 7


def test_the_old_file_stays_until_the_new_one_has_begun(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    record(path).close()
    before = path.read_bytes()
    with pytest.raises(FileError, match=r"run\.h5 exists; use force=True \(--force on the command line\)"):
        FileRecorder(path, recording.VARIABLES, recording.description())
    recorder = FileRecorder(path, recording.VARIABLES, recording.description(), force=True)
    assert path.read_bytes() == before
    recorder.write(recording.times(0, 1), recording.states(0, 1))
    with h5py.File(path, "r") as file:
        assert file.attrs["status"] == b"incomplete"
        assert np.isfinite(file["F1/time"]).sum() == 1
    recorder.finish("complete", {}).close()
    assert os.listdir(tmp_path) == ["run.h5"]


def test_a_run_that_never_begins_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    record(path).close()
    before = path.read_bytes()
    result = FileRecorder(path, recording.VARIABLES, recording.description(), force=True).finish("interrupted", {})
    assert path.read_bytes() == before
    assert result.path is None
    assert "interrupted, last saved before the first state" in repr(result)
    with pytest.raises(InputError, match="no state was recorded"):
        result.final("F1")


def test_somebody_else_wrote_the_file_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, recording.description())
    path.write_bytes(b"precious")
    with pytest.raises(FileError, match="exists"):
        recorder.write(recording.times(0, 1), recording.states(0, 1))
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["run.h5"]


def test_somebody_else_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, recording.description(), flush_every=0.0)
    recorder.write(recording.times(0, 1), recording.states(0, 1))
    path.unlink()
    path.write_bytes(b"precious")
    with pytest.raises(FileError) as caught:
        recorder.finish("complete", {})
    recording.one_line(caught.value, "run.h5 cannot be written: something else has replaced it")
    assert "kept" not in str(caught.value)
    assert path.read_bytes() == b"precious"
    assert os.listdir(tmp_path) == ["run.h5"]


STEPS = ["put_block", "fill", "same_as", "move_into_place", "take_place"]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("at", [1, 2, 3, 5, 8, 13, 21, 34])
def test_interruption_anywhere(
    tmp_path: Path, at: int, step: str, after: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C raises between any two steps: what `finish` leaves is whole, and nothing is missing or doubled."""
    path = tmp_path / "run.h5"
    monkeypatch.setattr(growing, "_ROWS", 8)  # so that more room is needed now and then
    monkeypatch.setattr(growing, "_EVENTS", 2)
    recorder = FileRecorder(path, recording.VARIABLES, spiking(), flush_every=0.0, ltm_every=2.0)
    recorder.write(recording.times(0, 5), recording.states(0, 5))
    owner = PlacedFile if hasattr(PlacedFile, step) else growing
    original = getattr(owner, step)
    calls = 0

    def interrupted(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == at and not after:
            raise KeyboardInterrupt
        result = original(*arguments)
        if calls == at and after:
            raise KeyboardInterrupt
        return result

    rows, begun = 5, False
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, interrupted)
        while rows < 100:
            try:
                recorder.happened(Happened(0.5 * rows, 0, rows, 1.0, -1))
                recorder.write(recording.times(rows, 19), recording.states(rows, 19))
            except KeyboardInterrupt:
                begun = True
                break
            rows += 19
    assert begun == (calls >= at)
    count = rows + 19 if begun else rows
    with recorder.finish("interrupted", {}) as result:
        assert result.status == "interrupted"
        np.testing.assert_array_equal(result.times, recording.times(0, count))
        for variable in recording.VARIABLES[:-1]:
            np.testing.assert_array_equal(result[variable.name], recording.expected(variable, 0, count))
        kept = sorted({*range(0, count, 4), count - 1})
        np.testing.assert_array_equal(result["P.z"]["time"], 0.5 * np.array(kept))
        np.testing.assert_array_equal(result["P.z"], recording.expected(recording.VARIABLES[4], 0, count)[kept])
        np.testing.assert_array_equal(result.events["cell"], range(5, count, 19))
    assert os.listdir(tmp_path) == ["run.h5"]


def spiking() -> Metadata:
    """Return what a file says of a network with an event."""
    event = brnn.Event("spike", brnn.Crossing("F1", 1.0), brnn.SetState("F1"))
    system = SimpleNamespace(network=recording.network(events=[event]), time_units="s")
    return metadata(system, seed=7, options={"duration": 100.0}, command="made up")


def test_more_events_than_there_is_room_for(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, spiking(), flush_every=0.0)
    for row in range(5):
        for k in range(1000):
            recorder.happened(Happened((1000 * row + k) / 2048, 0, k % 10, 1.0, -1))
        recorder.write(recording.times(row, 1), recording.states(row, 1))
        with brnn.open(path) as result:
            assert len(result.times) == row + 1
            np.testing.assert_array_equal(result.events["cell"], np.arange(1000 * (row + 1)) % 10)
    with recorder.finish("complete", {}) as result:
        np.testing.assert_array_equal(result.events["time"], np.arange(5000) / 2048)
    with h5py.File(path, "r") as file:
        assert file["events/event"].shape == (5000,)


def test_no_more_room_than_is_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of a run that goes on has room for what was announced, or for at most as many rows as it has."""
    monkeypatch.setattr(growing, "_ROOM", 5284 * 8 * 10)  # ten rows
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, recording.description(), flush_every=0.0, n_times=50)
    rooms = []
    for row in range(60):
        recorder.write(recording.times(row, 1), recording.states(row, 1))
        with h5py.File(path, "r") as file:
            rooms.append(len(file["F1/time"]))
    assert rooms == [10] * 10 + [22] * 12 + [46] * 24 + [50] * 4 + [102] * 10
    recorder.finish("complete", {}).close()


def test_a_finished_file_is_plain(tmp_path: Path) -> None:
    """HDF5 1.8 knows superblocks of version 0; every chunk went through all filters, so that it has its checksum."""
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, spiking(), flush_every=0.0, n_times=50, ltm_every=2.0)
    for row in range(20):
        recorder.happened(Happened(0.5 * row, 0, 1, 1.0, -1))
        recorder.write(recording.times(row, 1), recording.states(row, 1))
    assert path.read_bytes()[8] == 0
    recorder.finish("steady", {}).close()
    assert path.read_bytes()[8] == 0
    with h5py.File(path, "r") as file:
        for name in ("F1/x", "F2/x", "F3/x", "P/y", "P/z", "F1/time", "P/ltm_time", "events/event", "events/time"):
            dataset = file[name]
            assert dataset.fletcher32
            assert dataset.id.get_num_chunks() > 0
            assert all(dataset.id.get_chunk_info(k).filter_mask == 0 for k in range(dataset.id.get_num_chunks()))
        assert file["F2/x"].shape == (20, 5000)


LIVE = """
import sys, time
sys.path.insert(0, {tests!r})
import recording
from brnn.files.run.writer import FileRecorder
recorder = FileRecorder({path!r}, recording.VARIABLES, recording.description(), flush_every=0.0)
for row in range(100_000):
    recorder.write(recording.times(row, 1), recording.states(row, 1))
    time.sleep(0.005)
    if row == 0:
        print("there", flush=True)
"""


def test_while_the_run_goes_on(tmp_path: Path) -> None:
    """The file can be read, but neither replaced, recovered nor written by anything else."""
    path = tmp_path / "run.h5"
    code = LIVE.format(tests=str(Path(recording.__file__).parent), path=str(path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        try:
            seen: set[int] = set()
            until = time.monotonic() + 60.0
            while len(seen) < 10 and time.monotonic() < until:
                with brnn.open(path) as result:
                    assert result.status == "incomplete"
                    seen.add(len(result.times))
                    known = recording.expected(recording.VARIABLES[1], 0, len(result.times))
                    np.testing.assert_array_equal(result["F2.x"], known)
                with h5py.File(path, "r") as plain, netCDF4.Dataset(path) as other:
                    count = int(np.isfinite(plain["F1/time"]).sum())
                    np.testing.assert_array_equal(plain["F1/x"][:count], recording.states(0, count)[:, :10])
                    np.testing.assert_array_equal(other["F1/x"][:count], recording.states(0, count)[:, :10])
            assert len(seen) == 10
            with pytest.raises(FileError, match="another run is writing it"):
                FileRecorder(path, recording.VARIABLES, recording.description(), force=True)
            with pytest.raises(FileError, match="open in another program"):
                brnn.recover(path)
            with pytest.raises(OSError, match="lock"), h5py.File(path, "r+"):
                pass
        finally:
            process.kill()
    brnn.recover(path).close()
    record(path, force=True).close()


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads what Linux says of a process")
def test_bounded_memory(tmp_path: Path) -> None:
    """160 MB of samples of 100,000 cells are recorded, and read, with a fraction of that.

    The largest size that getrusage knows of a new process is that of the one that started it.
    """
    code = f"""
import sys
sys.path.insert(0, {str(Path(recording.__file__).parent)!r})
import numpy as np, recording
from brnn.files.run.writer import FileRecorder
import xarray, h5netcdf
layer = recording.variables(("F1.x", (100_000,), ("F1",), "stm"))
recorder = FileRecorder({str(tmp_path / "run.h5")!r}, layer, recording.description())
states = np.random.default_rng(1).random((5, 100_000))
def peak():
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))  # KiB
before = peak()
for k in range(0, 200, 5):
    recorder.write(np.arange(k, k + 5.0), states)
result = recorder.finish("complete", {{}})
sums = result.total("F1")
np.testing.assert_allclose(sums, np.tile(states.sum(axis=1), 40))
last = result.relative("F1")[-1]
np.testing.assert_allclose(last, states[-1] / states[-1].sum())
print((peak() - before) / 1024)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 100.0
    with h5py.File(tmp_path / "run.h5") as file:
        assert file["F1/x"].chunks == (1, 100_000)


def test_rows_do_not_wait_for_the_next_write(tmp_path: Path) -> None:
    """What was written is on the disk soon after, even if the next saved time is far away."""
    path = tmp_path / "run.h5"
    recorder = FileRecorder(path, recording.VARIABLES, recording.description(100.0), flush_every=0.05)
    recorder.write(recording.times(0, 1), recording.states(0, 1))
    recorder.write(recording.times(1, 2), recording.states(1, 2))
    time.sleep(0.3)
    recorder.keep()
    code = "import sys, brnn; result = brnn.open(sys.argv[1]); print(result.status, len(result.times))"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["incomplete", "3"]
    recorder.finish("interrupted", {}).close()
