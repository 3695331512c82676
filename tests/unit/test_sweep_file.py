"""The file of a sweep: what is written, in whatever order and of whatever size, is what is read, by any program."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import sweeping
import xarray as xr
from recording import one_line

import brnn
from brnn.base import codec
from brnn.errors import FileError, InputError
from brnn.files import locks
from brnn.files.opening import kind_of
from brnn.files.placed import PlacedFile
from brnn.files.sweep import reader
from brnn.files.sweep.create import create, needed
from brnn.files.sweep.describe import describe_sweep
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.layout import SweepLayout, SweepVariable, storable
from brnn.files.sweep.reader import open_sweep
from brnn.files.sweep.schema import cell_dims
from brnn.files.sweep.writer import SweepWriter

N = 110


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sweep.h5"


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every `write` reach the file at once."""
    monkeypatch.setattr("brnn.files.sweep.writer._LONGEST", 0.0)
    monkeypatch.setattr("brnn.files.sweep.writer._WRITE_TIMES", 0.0)


def plain(count: int, **parameters: Any) -> SweepHeader:
    return SweepHeader(count, parameters, "{}")


# ---------------------------------------------------------------------------------------------- what is read


def test_everything_is_read_back(path: Path) -> None:
    with sweeping.write(path) as data:
        sweeping.check(data, np.arange(N))
        assert data["rcf.x"].dims == ("member", "rcf")
        assert data["rcf.x.t"].dims == ("member", "time", "rcf")
        assert data["rcf.x"].attrs["long_name"] == "STM activity of layer rcf"
        assert set(data.coords) == {"member", "A", "signal.half", "seed", "time", "rcf"}
        np.testing.assert_array_equal(data["time"], sweeping.TIMES)
        np.testing.assert_array_equal(data["seed"], np.arange(N, dtype=np.uint64) + np.uint64(2**63))
        np.testing.assert_array_equal(data["signal.half"], np.tile(np.arange(1.0, 12.0), 10))
        assert (data["error"] == "").all()
        assert (data.attrs["complete"], data.attrs["steady"], data.attrs["missing"]) == (55, 55, 0)
        assert data.attrs["rtol"] == 1e-6
        assert data.attrs["wall_time"] > 0.0
        with brnn.open(path) as again:
            assert again.identical(data)


@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_opens_it(path: Path, engine: str) -> None:
    sweeping.write(path).close()
    with xr.open_dataset(path, engine=engine) as data:
        expected = sweeping.rows(np.arange(N))
        for name in ("rcf.x", "total", "winner", "steps"):
            np.testing.assert_array_equal(data[name].values, expected[name])
        texts = json.loads(data["regime"].attrs["texts"])  # the flags of the CF conventions cannot have blanks
        assert [texts[code] for code in data["regime"].values] == expected["regime"].tolist()
        assert data["regime"].attrs["flag_meanings"] == " ".join(texts)
        assert data["regime"].attrs["flag_values"].tolist() == [0, 1, 2]
        assert data["rcf.x"].dims == ("member", "rcf")
        assert {"A", "signal.half", "seed"} <= set(data.coords)
        assert data["status"].attrs["flag_meanings"] == "missing complete steady failed"
        np.testing.assert_array_equal(data["status"].attrs["flag_values"], [0, 1, 2, 3])
        assert data["missing"] == 0
        assert data.attrs["kind"] == "sweep"


def test_other_libraries_may_have_it_open(path: Path) -> None:
    """HDF5 refuses to open a file in two ways at once: so ours must not stay open in it."""
    sweeping.write(path, [np.arange(50)]).close()
    with brnn.open(path) as data, h5py.File(path, "r") as file, xr.open_dataset(path, engine="h5netcdf"):
        assert file["status"][0] == 1
        sweeping.check(data, np.arange(50))


def test_a_lock_that_a_starting_process_holds_for_a_moment(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A process that another thread starts has all open files, and their locks, until its own program runs.
    path.write_bytes(b"x")
    before = os.open(path, os.O_RDONLY)
    fcntl.flock(before, fcntl.LOCK_EX)
    starting = threading.Timer(0.2, os.close, (before,))
    starting.start()
    PlacedFile(path, {}).close()
    starting.join()
    with h5py.File(path, "w") as file:
        file.attrs["kind"] = "sweep"
        before = os.dup(file.id.get_vfd_handle())
    starting = threading.Timer(0.2, os.close, (before,))
    starting.start()
    assert kind_of(path) == "sweep"
    starting.join()
    with path.open() as other:
        fcntl.flock(other, fcntl.LOCK_SH)
        monkeypatch.setattr(locks, "_PAUSE", 0.0)
        with pytest.raises(BlockingIOError):
            PlacedFile(path, {})


def test_a_file_that_is_replaced_while_it_is_opened(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep makes its file anew when the first members come: HDF5 knew the places of the former one."""
    new = tmp_path / "new.h5"
    sweeping.write(new).close()
    with SweepWriter(path, plain(N)) as writer:
        writer.begin()
    opened = reader.open_hdf5

    def replaced(*arguments: Any) -> Any:
        file = opened(*arguments)
        if new.exists():
            new.replace(path)
        return file

    monkeypatch.setattr(reader, "open_hdf5", replaced)
    with brnn.open(path) as data:
        sweeping.check(data, np.arange(N))


def test_lazy_reading(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with sweeping.write(path) as data:
        x = sweeping.states(np.arange(N))
        np.testing.assert_array_equal(data["rcf.x"][7], x[7])
        np.testing.assert_array_equal(data["rcf.x"][7, 2], x[7, 2])
        np.testing.assert_array_equal(data["rcf.x"][-3:, ::2], x[-3:, ::2])
        np.testing.assert_array_equal(data["rcf.x"][5:90:7], x[5:90:7])
        np.testing.assert_array_equal(data["rcf.x"][[9, 3, 3], 1], x[[9, 3, 3], 1])
        np.testing.assert_array_equal(data["rcf.x"][90:5:-7], x[90:5:-7])
        assert data["rcf.x"][5:5].shape == (0, 6)
        monkeypatch.setattr("brnn.base.memory._BLOCK_BYTES", 100)  # pieces of a few rows
        np.testing.assert_array_equal(data["rcf.x"][3:100:5, 1:3], x[3:100:5, 1:3])
        assert data["regime"][4].item() == "winner-take-all"
    with pytest.raises(FileError) as caught:
        data["total"].load()
    one_line(caught.value, "the file was closed")


# ---------------------------------------------------------------------------------------------- any order and size


@pytest.mark.parametrize("seed", range(5))
def test_any_order(path: Path, seed: int, eager: None) -> None:
    random = np.random.default_rng(seed)
    order = random.permutation(N)
    groups = np.split(order, np.sort(random.choice(N, 12)))
    with sweeping.write(path, groups) as data:
        sweeping.check(data, np.arange(N))


def test_gathered_members_are_as_those_written_at_once(path: Path, tmp_path: Path) -> None:
    order = np.random.default_rng(1).permutation(N)
    sweeping.write(path, np.array_split(order, 20)).close()
    sweeping.write(tmp_path / "other.h5").close()
    with brnn.open(path) as one, brnn.open(tmp_path / "other.h5") as two:
        assert one.equals(two)
        assert one.attrs.keys() == two.attrs.keys()


def test_missing_members_are_nan(path: Path) -> None:
    some = np.array([3, 4, 50, 109])
    with sweeping.write(path, [some]) as data:
        sweeping.check(data, some)
        rest = data.isel(member=np.setdiff1d(np.arange(N), some))
        assert np.isnan(rest["rcf.x"]).all()
        assert (rest["winner"] == -1).all()
        assert (rest["regime"] == "").all()
        assert (rest["status"] == 0).all()
        assert data.attrs["missing"] == 106


def test_the_last_of_two_counts(path: Path) -> None:
    with SweepWriter(path, plain(5, A=np.arange(5.0))) as writer:
        writer.write([1, 1], {"total": [1.0, 2.0]}, 1)
        writer.write([2], {"total": [3.0]}, 1)
        writer.write([2, 1], {"total": [4.0, 5.0]}, 2)
        with writer.finish() as data:
            np.testing.assert_array_equal(data["total"], [np.nan, 5.0, 4.0, np.nan, np.nan])
            np.testing.assert_array_equal(data["status"], [0, 2, 2, 0, 0])


def test_rows_may_be_reused(path: Path) -> None:
    values = np.zeros((1, 3))
    with SweepWriter(path, plain(4, A=np.arange(4.0))) as writer:
        for member in range(4):
            values[:] = member
            writer.write([member], {"x": values, "part": values[:, 0]}, 1)
        with writer.finish() as data:
            np.testing.assert_array_equal(data["x"][:, 1], np.arange(4.0))
            np.testing.assert_array_equal(data["part"], np.arange(4.0))


@pytest.mark.parametrize("order", [range(2, 9), range(8, 1, -1)])
def test_larger_members_later(path: Path, order: range, eager: None) -> None:
    """The number of cells is swept: n = 2 ... 8."""
    with SweepWriter(path, plain(7, n=np.arange(2, 9))) as writer:
        writer.declare("rcf.x", ["rcf"])
        writer.declare("rcf_rcf.z", ["rcf_rcf_target", "rcf_rcf_source"])
        for n in order:
            cells = np.arange(1.0, n + 1.0)
            writer.write([n - 2], {"rcf.x": cells[None] * n, "rcf_rcf.z": np.outer(cells, cells)[None]}, 1)
        with writer.finish() as data:
            assert data["rcf_rcf.z"].shape == (7, 8, 8)
            for n in range(2, 9):
                cells = np.arange(1.0, n + 1.0)
                np.testing.assert_array_equal(data["rcf.x"][n - 2, :n], cells * n)
                np.testing.assert_array_equal(data["rcf_rcf.z"][n - 2, :n, :n], np.outer(cells, cells))
                assert np.isnan(data["rcf.x"][n - 2, n:]).all()
                assert np.isnan(data["rcf_rcf.z"][n - 2, n:]).all()
                assert np.isnan(data["rcf_rcf.z"][n - 2, :, n:]).all()


def test_declared_lengths_make_room(path: Path, eager: None) -> None:
    with SweepWriter(path, plain(3, n=np.arange(3))) as writer:
        writer.declare("x", ["cell"], shape=[5])
        writer.write([0], {"x": np.ones((1, 2))}, 1)
        before = os.stat(path).st_ino
        writer.write([1], {"x": np.ones((1, 5))}, 1)
        assert os.stat(path).st_ino == before
        with writer.finish() as data:
            np.testing.assert_array_equal(data["x"].notnull().sum("cell"), [2, 5, 0])


def test_other_types_later(path: Path, eager: None) -> None:
    with SweepWriter(path, plain(6, A=np.arange(6.0))) as writer:
        writer.write([0, 1], {"number": [1, 2], "flag": [True, False], "word": ["a", "bc"]}, 1)
        writer.write([4], {"number": [0.5], "flag": [7], "word": ["a much longer one, größer"]}, 1)
        with writer.finish() as data:
            np.testing.assert_array_equal(data["number"], [1.0, 2.0, np.nan, np.nan, 0.5, np.nan])
            np.testing.assert_array_equal(data["flag"], [1, 0, -1, -1, 7, -1])
            assert data["word"].values.tolist() == ["a", "bc", "", "", "a much longer one, größer", ""]


def test_rows_that_appear_later(path: Path, eager: None) -> None:
    with SweepWriter(path, plain(3, A=np.arange(3.0))) as writer:
        writer.write([0], {"total": [1.0]}, 1)
        writer.write([1], {"total": [2.0], "winner": [3], "parts": [[1.0, 2.0]]}, 1)
        with writer.finish() as data:
            np.testing.assert_array_equal(data["winner"], [-1, 3, -1])
            np.testing.assert_array_equal(data["parts"][1], [1.0, 2.0])
            assert data["parts"].dims == ("member", "parts_0")


def test_wrong_rows(path: Path) -> None:
    with SweepWriter(path, plain(3, A=np.arange(3.0))) as writer:
        writer.declare("x", ["cell"])
        writer.write([0], {"total": [1.0], "x": [[1.0]]}, 1)
        for rows, words in [
            ({"total": [1.0, 2.0]}, "'total' has the shape (2,) for 1 members"),
            ({"total": ["text"]}, "'total' is a number for some members, and a text for others"),
            ({"x": [1.0]}, "'x' has 0 axes for one member"),
            ({"total": [1j]}, "'total' has values of type complex128"),
            ({"total": [None]}, "neither numbers nor texts"),
            ({"A": [1.0]}, "cannot have the name 'A'"),
            ({"status": [1.0]}, "cannot have the name 'status'"),
        ]:
            with pytest.raises(InputError) as caught:
                writer.write([1], rows, 1)
            one_line(caught.value, words)
        for members, status in [([3], 1), ([-1], 1), ([1], 0), ([1], 4)]:
            with pytest.raises(InputError):
                writer.write(members, {"total": [1.0]}, status)
        with writer.finish() as data:  # what was right before is there
            np.testing.assert_array_equal(data["total"], [1.0, np.nan, np.nan])


def test_names_that_meet(path: Path) -> None:
    """Parameters, layers and measures may have the names of each other, or of what every file has."""
    parameters = {"seed": np.arange(3), "time": np.arange(3.0), "steps": np.arange(3), "rcf": ["a", "b", "c"]}
    given = SweepHeader(3, parameters, "{}", times=np.array([0.0, 1.0]), seeds=np.arange(3, dtype=np.uint64))
    with SweepWriter(path, given) as writer:
        writer.declare("rcf.x", ["rcf"])
        writer.declare("rcf.x.t", ["time", "rcf"])
        x = np.arange(6.0).reshape(3, 2)
        t = x[:, None] * [[0], [1]]
        writer.write(np.arange(3), {"rcf.x": x, "rcf.x.t": t, "time": x[:, 0], "steps": [7] * 3}, 1)
        writer.finish().close()
    with brnn.open(path) as data, xr.open_dataset(path, engine="netcdf4") as other:
        for found in (data, other):
            np.testing.assert_array_equal(found["rcf.x"], x)
            assert found["rcf.x.t"].dims == ("member", "time_cell", "rcf_cell")
            np.testing.assert_array_equal(found["time_cell"], [0.0, 1.0])
            np.testing.assert_array_equal(found["time"], x[:, 0])
            np.testing.assert_array_equal(found["parameter.steps"], np.arange(3))
        assert data["rcf"].values.tolist() == ["a", "b", "c"]
        assert (other["rcf"].values.tolist(), other["rcf"].attrs["flag_meanings"]) == ([0, 1, 2], "a b c")
    assert SweepWriter(path, given, resume=True).pending().size == 0


def test_axes_of_states() -> None:
    network = brnn.models.load("rcf").build(n=3)
    variables = brnn.compile_network(network).variables
    assert [cell_dims(variable) for variable in variables] == [("rcf",)]
    weights = brnn.models.load("outstar").build()
    dims = {variable.name: cell_dims(variable) for variable in brnn.compile_network(weights).variables}
    z = next(name for name in dims if name.endswith(".z"))
    assert dims[z] == (f"{z[:-2]}_target", f"{z[:-2]}_source")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"parameters": {"A": np.arange(3.0)}, "axes": None}, "parameter 'A' has 3 values for 110 members"),
        ({"measures": ["A"]}, "measure 'A': has the name of a parameter"),
        ({"measures": ["status"]}, "measure 'status'"),
        ({"axes": {"A": [1.0]}}, "do not make up the 110 members"),
        ({"seeds": np.arange(3)}, "seeds have the shape (3,)"),
        ({"selected": np.array([110])}, "from 0 to 109"),
        ({"attributes": {"x": {}}}, "attribute 'x' of type dict"),
        ({"attributes": {"design": ""}}, "attribute 'design'"),
    ],
)
def test_wrong_headers(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError) as caught:
        sweeping.header(**changes)
    one_line(caught.value, words)


def test_texts_and_signals_as_parameters(path: Path) -> None:
    signals = [brnn.Sigmoid(half=0.3), brnn.Linear(), brnn.Linear(gain=2.0)]
    patterns = [np.array([0.5, 1.0]), np.array([1.0, 0.25]), np.zeros(2)]
    with SweepWriter(path, plain(3, signal=signals, initial=patterns, name=["a", "", "ß"])) as writer:
        writer.write(np.arange(3), {"total": np.arange(3.0)}, 1)
        with writer.finish() as data:
            assert data["signal"].values.tolist() == [repr(signal) for signal in signals]
            assert data["initial"].values.tolist() == ["[0.5, 1.0]", "[1.0, 0.25]", "[0.0, 0.0]"]
            assert data["name"].values.tolist() == ["a", "", "ß"]


def test_a_long_design_is_kept(path: Path) -> None:
    given = sweeping.header(design='{"values": [' + ", ".join(map(str, range(40_000))) + "]}")
    sweeping.write(path, given=given).close()
    with brnn.open(path) as data:
        assert data.attrs["design"] == given.design
    assert SweepWriter(path, given, resume=True).pending().size == 0


# ---------------------------------------------------------------------------------------------- errors of members


def test_errors(path: Path, eager: None) -> None:
    given = plain(100, A=np.arange(100.0))
    with SweepWriter(path, given) as writer:
        members = np.arange(100)
        for group in np.array_split(members, 10):
            failed = group[group % 7 == 3]
            errors = {int(member): f"too small a step at t = {member}" for member in failed}
            writer.write(group, {"total": group * 1.0}, np.where(group % 7 == 3, 3, 1), errors)
        bad = np.flatnonzero(members % 7 == 3)
        np.testing.assert_array_equal(writer.pending(), bad)
        with writer.finish() as data:
            assert data["error"].values[bad].tolist() == [f"too small a step at t = {member}" for member in bad]
            assert (data["error"].values[members % 7 != 3] == "").all()
            assert data.attrs["failed"] == len(bad)
    assert any(line.startswith("failed (1): too small a step") for line in describe_sweep(path))
    with xr.open_dataset(path, engine="h5netcdf") as data:
        text, failed = data["error_text"].item(), data["failed"].values
        length, place = len(text) // failed.size, failed.tolist().index(10)
        assert text[length * place : length * (place + 1)].rstrip() == "too small a step at t = 10"
    with SweepWriter(path, given, resume=True) as writer:
        np.testing.assert_array_equal(writer.pending(), bad)
        writer.write(bad[:5], {"total": bad[:5] * 1.0}, 2)
        writer.write(bad[5:6], {"total": [np.nan]}, 3, {int(bad[5]): "x" * 10_000})
        with writer.finish() as data:
            assert (data["error"].values[bad[:5]] == "").all()
            assert data["error"].values[bad[5]] == "x" * 500
            assert data["error"].values[bad[6]] == f"too small a step at t = {bad[6]}"
    np.testing.assert_array_equal(SweepWriter(path, given, resume=True).pending(), bad[5:])


# ---------------------------------------------------------------------------------------------- existing files


def test_existing_files(path: Path) -> None:
    path.write_text("something of the user's")
    with pytest.raises(FileError) as caught:
        sweeping.write(path)
    one_line(caught.value, "sweep.h5 exists", "--force")
    with SweepWriter(path, sweeping.header(), force=True) as writer:
        assert path.read_text() == "something of the user's"
        with writer.finish() as data:
            assert data.attrs["missing"] == N
    assert os.listdir(path.parent) == ["sweep.h5"]


def test_a_sweep_without_members_leaves_no_file(path: Path) -> None:
    with SweepWriter(path, sweeping.header()):
        pass
    assert not path.exists()


def test_resume(path: Path, tmp_path: Path) -> None:
    some = np.arange(0, N, 3)
    sweeping.write(path, [some]).close()
    with SweepWriter(path, sweeping.header(), resume=True) as writer:
        sweeping.declare(writer)
        rest = writer.pending()
        np.testing.assert_array_equal(rest, np.setdiff1d(np.arange(N), some))
        writer.write(rest, sweeping.rows(rest), sweeping.status(rest))
        assert writer.pending().size == 0
        resumed = writer.finish()
    with resumed, sweeping.write(tmp_path / "other.h5") as whole:
        assert resumed.equals(whole)


@pytest.mark.parametrize(("more", "failed"), [({}, False), ({}, True), ({"late": [1.0, 2.0]}, True)])
def test_what_was_opened_early_has_all_that_came_later(path: Path, more: dict[str, Any], failed: bool) -> None:
    """With errors or other variables the file is written anew, and opened anew."""
    with SweepWriter(path, plain(4, A=np.arange(4.0))) as writer:
        writer.write([1], {"total": [1.0]}, 1)
        writer.settle()
        assert writer.kept == 1
        errors = {3: "too small a step"} if failed else {}
        writer.write([0, 3], {"total": [0.0, 3.0], **more}, [2, 3 if failed else 1], errors)
        with writer.finish() as data, brnn.open(path) as again:
            np.testing.assert_array_equal(data["total"], [0.0, 1.0, np.nan, 3.0])
            np.testing.assert_array_equal(data["status"], [2, 1, 0, 3 if failed else 1])
            assert data["error"].values.tolist() == ["", "", "", errors.get(3, "")]
            assert data.attrs["missing"] == 1
            assert set(more) <= set(data)
            assert data.attrs["wall_time"] > 0.0
            assert data.identical(again)


def test_what_was_opened_early_and_replaced_is_not_read(path: Path, tmp_path: Path) -> None:
    with SweepWriter(path, plain(2, A=np.arange(2.0))) as writer:
        writer.write([0], {"total": [1.0]}, 1)
        writer.settle()
        path.rename(tmp_path / "moved.h5")
        writer.write([1], {"total": [2.0]}, 1)
        with pytest.warns(UserWarning, match="was deleted or moved"):
            data = writer.finish()
        with data:
            np.testing.assert_array_equal(data["total"], [1.0, 2.0])


def test_resume_without_a_file_begins_one(path: Path) -> None:
    with sweeping.write(path, resume=True) as data:
        sweeping.check(data, np.arange(N))


def test_resume_however_the_design_was_compressed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(1).uniform(size=1000)
    plain, other = (brnn.Table(A=values) for values in (numbers, np.append(numbers[:-1], 0.5)))
    monkeypatch.setattr(codec, "_WORTH", 2.0)
    packed = brnn.Table(A=numbers).to_json()
    monkeypatch.undo()
    assert len(packed) < len(plain.to_json())  # bytes of random numbers do not become fewer, and stay as they are
    assert brnn.Table.from_json(plain.to_json()) == brnn.Table.from_json(packed)
    columns = {"A": numbers}
    with SweepWriter(path, SweepHeader(1000, columns, packed)) as writer:
        writer.begin()
    SweepWriter(path, SweepHeader(1000, columns, plain.to_json()), resume=True).close()
    with pytest.raises(FileError, match=r"its design differs \(design\..*packed"):
        SweepWriter(path, SweepHeader(1000, columns, other.to_json()), resume=True)


def test_resume_while_it_is_open_for_reading(path: Path) -> None:
    with sweeping.write(path, [np.arange(50)]) as seen:
        rest = np.arange(50, N)
        with sweeping.write(path, [rest], resume=True) as data:
            sweeping.check(data, np.arange(N))
        sweeping.check(seen, np.arange(50))
        with brnn.open(path) as data:
            sweeping.check(data, np.arange(N))


GRID = {"type": "Grid", "A": [0.5, 1.5], "signal.half": [1.0]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"design": '{"type": "Grid", "A": [0.5]}'}, "its design differs (design.A: 10 elements in the file, 1 now)"),
        ({"design": '{"type": "Sobol"}'}, "its design differs (design.type: Grid in the file, Sobol now)"),
        ({"reference": '{"model": "dipole"}'}, "its build differs (build.model: rcf in the file, dipole now)"),
        ({"network": '{"type": "Network", "name": "x"}'}, "its network differs (network.name: rcf in the file, x now)"),
        ({"equations": "fedcba9876543210"}, "its equations are of another version (0123456789ab in the file"),
        ({"measures": ("total",)}, "its options differ (measures: 3 elements in the file, 1 now)"),
        ({"attributes": {"rtol": 1e-8}}, "its options differ (rtol: 1e-06 in the file, 1e-08 now)"),
        ({"times": np.array([0.0, 1.0, 2.0])}, "its options differ (the saved times)"),
        ({"times": None}, "its options differ (the saved times)"),
        ({"seeds": None}, "its seeds differ"),
        ({"selected": np.arange(5)}, "it is to hold other members"),
        ({"parameters": {"A": np.zeros(N), "signal.half": np.zeros(N)}}, "its design differs (the values of A)"),
    ],
)
def test_another_sweep_is_not_resumed(path: Path, changes: dict[str, Any], words: str) -> None:
    sweeping.write(path, [np.arange(50)]).close()
    before = path.read_bytes()
    with pytest.raises(FileError) as caught:
        SweepWriter(path, sweeping.header(**changes), resume=True)
    one_line(caught.value, "sweep.h5 cannot be resumed", words)
    assert path.read_bytes() == before


def test_provenance_may_differ(path: Path) -> None:
    sweeping.write(path, [np.arange(50)]).close()
    with brnn.open(path) as data:
        before = data.attrs
    changes = {"command": "another one", "versions": "{}", "created": "now"}
    given = sweeping.header(attributes={**sweeping.header().attributes, **changes})
    with SweepWriter(path, given, resume=True) as writer:
        assert writer.pending().size == N - 50
        writer.write([60], {"not_in_the_file": [1.0]}, 1)  # so it is made anew
        with writer.finish() as data:
            assert {name: data.attrs[name] for name in changes} == {name: before[name] for name in changes}


def test_two_writers(path: Path) -> None:
    with sweeping.declare(SweepWriter(path, sweeping.header())) as writer:
        members = np.arange(10)
        writer.write(members, sweeping.rows(members), sweeping.status(members))
        writer._commit()
        for options in ({"resume": True}, {"force": True}):
            with pytest.raises(FileError) as caught:
                SweepWriter(path, sweeping.header(), **options)
            one_line(caught.value, "sweep.h5 cannot be re")
        with brnn.open(path) as data, h5py.File(path) as file:  # but looked at
            sweeping.check(data, members)
            assert file["missing"][()] == N - 10


def test_a_file_that_is_taken_away(path: Path, eager: None) -> None:
    with SweepWriter(path, sweeping.header()) as writer:
        sweeping.declare(writer)
        writer.write(np.arange(10), sweeping.rows(np.arange(10)), sweeping.status(np.arange(10)))
        path.unlink()
        rest = np.arange(10, N)
        with pytest.warns(UserWarning, match="was deleted"):
            writer.write(rest, sweeping.rows(rest), sweeping.status(rest))
        with writer.finish() as data:
            sweeping.check(data, np.arange(N))


def test_a_file_that_is_replaced(path: Path, eager: None) -> None:
    with SweepWriter(path, sweeping.header()) as writer:
        writer.write([0], {"total": [1.0]}, 1)
        path.unlink()
        path.write_text("something else")
        with pytest.raises(FileError) as caught:
            writer.write([1], {"total": [1.0]}, 1)
        one_line(caught.value, "something else has replaced it")
    assert path.read_text() == "something else"


@pytest.mark.parametrize("count", [0, 60])
def test_room_is_taken_for_all_of_it(path: Path, count: int) -> None:
    """What HDF5 writes fits into the space that is taken before."""
    names = [f"a_rather_long_name_of_a_parameter_{k}" for k in range(count)]
    given = plain(50, **{name: [f"text {k}" for k in range(50)] for name in names})
    rows = {f"measure_{name}": storable(name, np.zeros((50, 3))) for name in names}
    layout = SweepLayout({"status": SweepVariable(("member",), np.dtype("u1"))})
    for name, values in rows.items():
        layout = layout.including(name, values, None)
    layout = layout.with_failed(20, 500)
    create(path, given, layout)
    assert path.stat().st_size <= needed(given, layout)


# ---------------------------------------------------------------------------------------------- interruptions


class Stop(BaseException):
    pass


def test_interrupted_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eager: None) -> None:
    """An interruption at any step of writing is made good by the next one, in small and in growing files."""
    steps = [0, 0]
    names = ["_write", "put_block", "same_as", "read", "close"]

    def counted(name: str) -> Any:
        original = getattr(PlacedFile, name)

        def step(self: PlacedFile, *args: Any) -> Any:
            steps[0] += 1
            if steps[0] == steps[1]:
                raise Stop
            return original(self, *args)

        return step

    for name in names:
        monkeypatch.setattr(PlacedFile, name, counted(name))
    k = 0
    while k <= steps[0]:  # there were as many steps as that
        k += 1
        steps[:] = [0, k]
        path = tmp_path / f"{k}.h5"
        writer = SweepWriter(path, plain(6, A=np.arange(6.0)))
        writer.declare("x", ["cell"])
        for member in range(6):
            # The cells grow once, and one member fails.
            cells = np.full((1, 2 if member < 3 else 4), float(member))
            arguments = [member], {"x": cells}, 3 if member == 4 else 1, {4: "why"}
            with contextlib.suppress(Stop):
                writer.write(*arguments)
        with contextlib.suppress(Stop):
            writer.close()
        steps[1] = 0
        writer.close()
        with open_sweep(path) as data:
            np.testing.assert_array_equal(data["x"][:, 0], np.arange(6.0), err_msg=f"stopped at step {k}")
            assert data["status"].values.tolist() == [1, 1, 1, 1, 3, 1]
            assert data["error"].values[4] == "why"
    assert k > 50
    assert not list(tmp_path.glob("*.tmp"))


# ---------------------------------------------------------------------------------------------- grids, in words


def test_unstack(path: Path) -> None:
    with sweeping.write(path) as data:
        grid = brnn.unstack(data)
        assert grid["rcf.x"].dims == ("A", "signal.half", "rcf")
        assert grid["rcf.x.t"].dims == ("A", "signal.half", "time", "rcf")
        np.testing.assert_array_equal(grid["A"], np.linspace(0.5, 1.5, 10))
        a, half = 3, 7
        np.testing.assert_array_equal(grid["rcf.x"][a, half], sweeping.states(np.array([a * 11 + half]))[0])
        assert grid["total"].sel({"signal.half": 8.0}, method="nearest").dims == ("A",)
        assert grid["seed"].dims == ("A", "signal.half")
        only = brnn.unstack(data[["total"]])
        assert list(only.data_vars) == ["total"]
        with pytest.raises(InputError) as caught:
            brnn.unstack(data.isel(member=slice(5)))
        one_line(caught.value, "needs all 110 members of the grid; there are 5")
    random = sweeping.header(axes=None)
    with sweeping.write(path, given=random, force=True) as data, pytest.raises(InputError) as caught:
        brnn.unstack(data)
    one_line(caught.value, "is not a grid")


def test_description(path: Path) -> None:
    sweeping.write(path, [np.r_[0:20, 25:N]]).close()
    lines = describe_sweep(path)
    assert lines[0] == "sweep of rcf: incomplete, 110 members (5 missing, 52 complete, 53 steady)"
    assert "missing: 20-24" in lines
    assert "grid: A (10) x signal.half (11)" in lines
    assert "parameter signal.half: 1 to 11" in lines
    assert "rcf.x (rcf 6): STM activity of layer rcf" in lines


def test_other_commands_for_runs(path: Path) -> None:
    sweeping.write(path).close()
    with pytest.raises(FileError) as caught:
        brnn.recover(path)
    one_line(caught.value, "is the file of a sweep, not of a run")


def test_a_rearranged_file_is_read_but_not_written(path: Path, tmp_path: Path) -> None:
    """As h5repack does it: compressed and in chunks."""
    sweeping.write(path, [np.arange(50)]).close()
    other = tmp_path / "packed.h5"
    with h5py.File(path) as source, h5py.File(other, "w") as target:
        for name, value in source.attrs.items():
            target.attrs[name] = value
        for name, dataset in source.items():
            packed = {"chunks": True, "compression": "gzip"} if dataset.ndim else {}
            target.create_dataset(name, data=dataset[()], **packed)
            for key, value in dataset.attrs.items():
                if key in ("texts", "units"):
                    target[name].attrs[key] = value
    with brnn.open(other) as data:
        sweeping.check(data, np.arange(50))
    with pytest.raises(FileError) as caught:
        SweepWriter(other, sweeping.header(), resume=True)
    one_line(caught.value, "another program has rearranged it")
