"""Opening files that are not what they should be: one line that says so, no other error, no crash, no hang."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import recording
import sweeping
from recording import SMALL, SMALL_ROWS, SMALL_SIZE, one_line, write_small

import brnn
from brnn.errors import FileError
from brnn.files.export import to_csv
from brnn.files.run.writer import FileRecorder
from brnn.result.metadata import metadata


@pytest.fixture
def good(tmp_path: Path) -> Path:
    write_small(tmp_path / "run.h5")
    return tmp_path / "run.h5"


def cannot_open(path: Path, *words: str) -> None:
    with pytest.raises(FileError) as caught:
        brnn.open(path)
    one_line(caught.value, path.name, *words)


def test_no_file(tmp_path: Path) -> None:
    cannot_open(tmp_path / "run.h5", "does not exist")
    cannot_open(tmp_path / "nowhere" / "run.h5", "does not exist")
    cannot_open(tmp_path, "is a folder")


@pytest.mark.parametrize("path", [3, None, "a\0b"])
def test_no_path(path: object) -> None:
    with pytest.raises(FileError) as caught:
        brnn.open(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x89HDF", b"hello, this is no HDF5 file" * 100, b"\x89PNG\r\n\x1a\n"])
def test_not_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "run.h5"
    path.write_bytes(content)
    cannot_open(path, "not a result file: it is not HDF5")


def test_hdf5_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(3)
    cannot_open(path, "not a result file", "no attribute brnn_format")


def set_attribute(name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file.attrs[name] = value

    return change


def remove_attribute(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file.attrs[name]

    return change


def remove(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]

    return change


def replace(name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


def shorten(name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name].resize(7, axis=0)

    return change


def fall_back(file: h5py.File) -> None:
    file["F1/time"][5] = 1.0


def outer_link(file: h5py.File) -> None:
    del file["F1/x"]
    file["F1/x"] = h5py.ExternalLink("/dev/null", "/x")


def outer_storage(file: h5py.File) -> None:
    del file["F1/x"]
    file["F1"].create_dataset("x", shape=(40, 10), dtype="f8", external=[("other.raw", 0, 3200)])


def virtual(file: h5py.File) -> None:
    del file["F1/x"]
    layout = h5py.VirtualLayout((40, 10), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", (40, 10))
    file["F1"].create_virtual_dataset("x", layout)


def moved(group: str, quantity: str) -> Callable[[h5py.File], None]:
    """Give a variable another name, and let all that it says agree with it."""

    def change(file: h5py.File) -> None:
        values, times = file["F1/x"][:], file["F1/time"][:]
        del file["F1"]
        file.create_dataset(f"{group}/{quantity}" if quantity else f"{group}/unnamed", data=values)
        file.create_dataset(f"{group}/time", data=times)
        about = {"name": f"{group}.{quantity}", "axis": "time", "dims": ["F1"], "role": "stm", "long_name": "x"}
        file.attrs["variables"] = json.dumps([{**about, "units": "1"}])

    return change


def twice(file: h5py.File) -> None:
    file.attrs["variables"] = json.dumps(2 * json.loads(file.attrs["variables"])[:1])


def huge_times(file: h5py.File) -> None:
    for name in ("F1", "F3", "P"):
        del file[name]["time"]
        file[name].create_dataset("time", shape=(2**60,), maxshape=(None,), chunks=(1024,), dtype="f8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_attribute("brnn_format", 3), ("newer brnn", "format 3", "reads format 2")),
        (set_attribute("brnn_format", 0), ("damaged",)),
        (set_attribute("brnn_format", "one"), ("damaged",)),
        (set_attribute("kind", "cake"), ("damaged",)),
        (set_attribute("status", b"perfect"), ("damaged", "perfect")),
        (set_attribute("duration", "long"), ("damaged",)),
        (set_attribute("seed", "many"), ("damaged", "seed is 'many'")),
        (set_attribute("seed", h5py.Empty("f8")), ("damaged", "seed is ''")),
        (set_attribute("seed", np.array([1.5, np.nan])), ("damaged", "seed is")),
        (set_attribute("solver", b'{"steps": "many"}'), ("damaged",)),
        (set_attribute("solver", b"{"), ("damaged", "solver")),
        (set_attribute("network", b'{"type": "Network", '), ("damaged", "network")),
        (set_attribute("network", b"[" * 50_000), ("damaged", "network")),
        (set_attribute("network", 3.0), ("damaged", "network")),
        (set_attribute("variables", b"{}"), ("damaged", "variables")),
        (set_attribute("variables", '["F1.x"]'), ("damaged",)),
        (set_attribute("variables", '[{"name": "F9.x", "axis": "time", "dims": ["F9"]}]'), ("damaged", "/F9/x")),
        (set_attribute("variables", '[{"name": "../F1", "axis": "time", "dims": ["F9"]}]'), ("damaged",)),
        (set_attribute("variables", '[{"name": "F1.x", "axis": "x", "dims": ["F9"]}]'), ("damaged", "/F1/x")),
        (set_attribute("variables", '[{"name": "F1.x", "axis": "time", "dims": ["F1"]}]'), ("damaged", "role")),
        (remove_attribute("network"), ("damaged", "network is missing")),
        (remove_attribute("status"), ("damaged", "status is missing")),
        (remove("F1"), ("damaged", "/F1/x is missing")),
        (remove("P/z"), ("damaged", "/P/z is missing")),
        (remove("F1/time"), ("damaged", "times of /F1/x")),
        (replace("F1/x", np.arange(40)), ("damaged", "/F1/x")),
        (replace("F1/x", "text"), ("damaged", "/F1/x")),
        (replace("F1", np.arange(3)), ("damaged", "/F1/x")),
        (replace("F1/x", np.zeros((40, 2, 5))), ("damaged", "/F1/x")),
        (outer_link, ("damaged", "/F1/x stands in another file")),
        (outer_storage, ("damaged", "/F1/x stands in another file")),
        (virtual, ("damaged", "/F1/x stands in another file")),
        (moved("F1", "x/../../../outside"), ("damaged", "is not a name")),
        (moved("", "x"), ("damaged", "is not a name")),
        (moved("F1", ""), ("damaged", "is not a name")),
        (moved("/tmp/F1", "x"), ("damaged", "is not a name")),
        (moved("a b", "x"), ("damaged", "is not a name")),
        (moved("F1", "x\\y"), ("damaged", "is not a name")),
        (twice, ("damaged", "two variables F1.x")),
        (set_attribute("solver", '{"message": "\\ud800"}'), ("damaged", "solver")),
        (shorten("F1/x"), ("damaged", "/F1/x has 7 samples for 40 times")),
        (shorten("F1/time"), ("damaged", "has 40 samples for 7 times")),
        (fall_back, ("damaged", "do not rise")),
        (huge_times, ("damaged",)),
    ],
)
def test_changed_files(good: Path, change: Callable[[h5py.File], None], words: tuple[str, ...]) -> None:
    with h5py.File(good, "r+") as file:
        change(file)
    cannot_open(good, *words)


def test_tables_stay_in_their_folder(good: Path, tmp_path: Path) -> None:
    """A name from a file must not lead elsewhere when tables are called after it."""
    before = (tmp_path / "outside.csv").write_text("mine") and sorted(tmp_path.iterdir())
    with h5py.File(good, "r+") as file:
        moved("F1", "x/../../../outside")(file)
    for force in (False, True):
        with pytest.raises(FileError, match="is not a name"):
            to_csv(good, tmp_path / "tables", force=force)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "outside.csv").read_text() == "mine"


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "final.x/../../outside", "..", "a b", "", "x\\y"])
def test_tables_of_sweeps_stay_in_their_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "sweep.h5"
    sweeping.write(path, given=sweeping.header(2)).close()
    with h5py.File(path, "r+") as file:
        told = json.loads(file.attrs["variables"])
        state = next(entry for entry in told if "." in entry["name"])
        if name and name != "..":
            file.copy(state["name"], file, name)
        state["name"] = name
        del file.attrs["variables"]
        file.attrs["variables"] = json.dumps(told)
    for force in (False, True):
        with pytest.raises(FileError, match="damaged"):
            to_csv(path, tmp_path / "tables", force=force)
    assert [entry.name for entry in tmp_path.iterdir()] == ["sweep.h5"]


def datasets(path: Path) -> list[str]:
    names: list[str] = []
    with h5py.File(path) as file:
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
    return names


@pytest.mark.parametrize("value", ["x", 1.0, np.zeros(0), np.zeros((2, 2, 2)), np.array([b"a", b"a"])], ids=repr)
def test_any_dataset_may_hold_something_else(tmp_path: Path, value: Any) -> None:
    """Of a run with events, and of a sweep: it is damaged, or what can be read is."""
    decay = brnn.Layer.additive("F1", 2, A=1.0, initial=[1.0, 0.9])
    events = [brnn.Event("half", brnn.Crossing("F1", 0.5, "falling"))]
    brnn.simulate(brnn.Network("decay", [decay], events=events), 1.0, record=tmp_path / "run.h5").close()
    design = brnn.Grid({"F1.A": [1.0, 2.0]})
    brnn.sweep(
        brnn.Network("decay", [decay]), design, duration=1.0, measures=["final", "regime"], out=tmp_path / "sweep.h5"
    ).close()
    for path in (tmp_path / "run.h5", tmp_path / "sweep.h5"):
        for name in datasets(path):
            damaged = shutil.copy(path, tmp_path / "damaged.h5")
            with h5py.File(damaged, "r+") as file:
                replace(name, value)(file)
            with contextlib.suppress(FileError):
                with brnn.open(damaged) as found:
                    repr(found)
                to_csv(damaged, tmp_path / "tables", force=True)
                brnn.rerun(damaged)


def test_texts_that_are_no_utf8(good: Path) -> None:
    """Bytes in another encoding are shown as such; what is made of them can be written."""
    with h5py.File(good, "r+") as file:
        for name in ("reference", "time_units"):
            file.attrs[name] = np.bytes_(b"\xb5s \xff")
        about = file.attrs["variables"]
        del file.attrs["variables"]
        plain = about.encode() if isinstance(about, str) else about
        file.attrs["variables"] = np.bytes_(plain.replace(b'"units": "1"', b'"units": "\xb5V"'))
    with brnn.open(good) as result:
        assert result["F1.x"].attrs["units"] == "\ufffdV"
        result["F1.x"].attrs["units"].encode()
        result.save(good.with_name("copy.h5"))
    with brnn.open(good.with_name("copy.h5")) as copy:
        assert copy.time_units == "\ufffds \ufffd"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "network is damaged"),
        ('{"type": "Network"}', "network is damaged"),
        ('{"type": "Cake"}', "has a Cake, which is no class of brnn"),  # it may be the user's own
        ('{"type": "Network", "name": "x", "layers": 3}', "network is damaged"),
        ('{"kind": []}', "network is damaged"),
    ],
)
def test_network_that_is_none(good: Path, text: str, words: str) -> None:
    """The samples can be read; the network says what is wrong with it when it is asked for."""
    with h5py.File(good, "r+") as file:
        file.attrs["network"] = text
    with brnn.open(good) as result:
        assert result["F1.x"].shape == (SMALL_ROWS, 10)
        with pytest.raises(FileError) as caught:
            _ = result.network
        one_line(caught.value, "run.h5", words)


def test_a_run_without_variables(good: Path) -> None:
    with h5py.File(good, "r+") as file:
        file.attrs["variables"] = "[]"
    with pytest.raises(FileError) as caught:
        brnn.open(good)
    one_line(caught.value, "run.h5", "is damaged: it has no variables")


def test_options_that_are_none(good: Path) -> None:
    with h5py.File(good, "r+") as file:
        del file["option_arrays"]
    with brnn.open(good) as result:
        with pytest.raises(FileError) as caught:
            _ = result.options
        one_line(caught.value, "run.h5", "options are damaged")


def read_all(path: Path) -> None:
    with brnn.open(path) as result:
        repr(result)
        for name in result:
            result[name].load()
            result.total(name)
        _ = result.options
        _ = result.network


def test_damaged_network_array(tmp_path: Path) -> None:
    weights = np.linspace(0.0, 1.0, 80 * 80).reshape(80, 80)
    network = brnn.Network(
        "dense",
        [brnn.Layer.shunting("F1", 80, A=1.0, B=2.0)],
        [brnn.Projection("F1", "F1", topology=brnn.Dense(weights))],
    )
    path = tmp_path / "run.h5"
    system = SimpleNamespace(network=network, time_units="1")
    recorder = FileRecorder(path, SMALL, metadata(system))
    recorder.write(recording.times(0, 1), recording.states(0, 1, SMALL_SIZE))
    with recorder.finish("complete", {}) as result:
        assert result.network == network
    with h5py.File(path) as file:
        chunk = file["network_arrays/a0"].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset : chunk.byte_offset + chunk.size] = bytes(chunk.size)
    path.write_bytes(content)
    with brnn.open(path) as result:
        with pytest.raises(FileError) as caught:
            _ = result.network
        one_line(caught.value, "run.h5", "network is damaged", "a0")


def test_truncated_anywhere(good: Path) -> None:
    content = good.read_bytes()
    for size in [*range(8, 4000, 97), *np.linspace(4000, len(content) - 1, 80).astype(int)]:
        good.write_bytes(content[:size])
        cannot_open(good)


def test_truncated_while_the_run_goes_on(tmp_path: Path) -> None:
    recorder = write_small(tmp_path / "run.h5", finish=False)
    content = (tmp_path / "run.h5").read_bytes()
    recorder.finish("interrupted", {}).close()
    path = tmp_path / "killed.h5"
    for size in [*range(8, 4000, 97), *np.linspace(4000, len(content) - 1, 80).astype(int)]:
        path.write_bytes(content[:size])
        cannot_open(path)


def test_recover(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = write_small(path, finish=False)
    shutil.copy(path, tmp_path / "killed.h5")
    recorder.finish("complete", {}).close()
    with brnn.recover(tmp_path / "killed.h5") as result:
        assert result.status == "incomplete"
        assert result.reached == 0.5 * (SMALL_ROWS - 1)
        np.testing.assert_array_equal(
            result["P.z"], recording.states(0, SMALL_ROWS)[:, 34:274].reshape(SMALL_ROWS, 24, 10)
        )
    before = path.read_bytes()
    brnn.recover(path).close()  # nothing to do
    assert path.read_bytes() == before
    path.write_bytes(b"nonsense")
    with pytest.raises(FileError, match="not a result file"):
        brnn.recover(path)
    assert path.read_bytes() == b"nonsense"


@pytest.mark.parametrize("status", ["incomplete", "complete"])
def test_a_file_of_an_earlier_version(tmp_path: Path, status: str) -> None:
    """Runs were streamed in SWMR mode: chunks that grow, and a mark if the process was killed while HDF5 closed it."""
    rows = SMALL_ROWS + 3  # whose times were not written yet
    write_small(tmp_path / "now.h5")
    marked, path = tmp_path / "open.h5", tmp_path / "run.h5"
    with h5py.File(tmp_path / "now.h5", "r") as now, h5py.File(marked, "w", libver=("v110", "v110")) as old:
        old.attrs.update({name: value for name, value in now.attrs.items() if name != "status"})
        old.attrs["status"] = status.encode()
        now.copy("option_arrays", old)
        for group, name in (("F1", "x"), ("F3", "x"), ("P", "z")):
            made = old.create_group(group)
            shape = now[group][name].shape[1:]
            options = {"maxshape": (None, *shape), "chunks": (16, *shape), "fletcher32": True}
            made.create_dataset(name, (0, *shape), "f8", **options)
            if group == "F1":
                made.create_dataset("time", shape=(0,), maxshape=(None,), chunks=(1024,), dtype="f8")
            else:
                made["time"] = old["F1/time"]
        old.swmr_mode = True
        for group, name in (("F1", "x"), ("F3", "x"), ("P", "z")):
            dataset = old[group][name]
            dataset.resize(rows if status == "incomplete" else SMALL_ROWS, axis=0)
            dataset[:SMALL_ROWS] = now[group][name][:]
            dataset.flush()
        old["F1/time"].resize((SMALL_ROWS,))
        old["F1/time"][:] = now["F1/time"][:]
        old.flush()
        shutil.copy(marked, path)
    with pytest.raises(OSError, match="already open for write"), h5py.File(path, "r"):
        pass
    with brnn.recover(path) as result, h5py.File(path, "r") as file:
        assert result.status == status
        np.testing.assert_array_equal(file["F1/x"], recording.states(0, SMALL_ROWS)[:, :10])
        np.testing.assert_array_equal(result.times, recording.times(0, SMALL_ROWS))
        assert result.options["initial"].size == 100


@pytest.mark.parametrize("read", [brnn.read_pattern, brnn.read_trajectory, brnn.read_weights])
def test_names_that_are_no_text(tmp_path: Path, read: Callable[[Path], Any]) -> None:
    """HDF5 takes any bytes as a name, and h5py gives those that are not UTF-8 as bytes."""
    with h5py.File(tmp_path / "named.h5", "w") as file:
        file[b"\xff\xfe"] = np.zeros(3)
    with pytest.raises(brnn.BrnnError, match=r"named\.h5: .*no text \(UTF-8\)"):
        read(tmp_path / "named.h5")
