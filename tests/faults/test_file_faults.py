"""Files that cannot be written, disks that fill up, and files that are not what they should be."""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import recording

import brnn
from brnn.errors import FileError, InputError
from brnn.record import FileRecorder
from brnn.record.superblock import lookup3

SMALL = recording.variables(
    ("F1.x", (10,), ("F1",), "stm"),
    ("F3.x", (4, 6), ("F3_row", "F3_column"), "stm"),
    ("P.z", (24, 10), ("target", "source"), "ltm"),
)
WIDTH = SMALL[-1].stop
ROWS = 40


def write(path: Path, finish: bool = True) -> FileRecorder:
    recorder = FileRecorder(
        path, SMALL, recording.description(ROWS / 2, initial=np.arange(100.0)), flush_every=0.0, n_times=ROWS
    )
    for first in range(0, ROWS, 10):
        recorder.write(recording.times(first, 10), recording.states(first, 10, WIDTH))
    if finish:
        recorder.finish("complete", {"method": "none"}).close()
    return recorder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    write(tmp_path / "run.h5")
    return tmp_path / "run.h5"


def one_line(caught: pytest.ExceptionInfo[BaseException], *words: str) -> None:
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    for word in words:
        assert word in text


# ---------------------------------------------------------------------------------------------- not to be written


def test_target_folder_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        write(tmp_path / "nowhere" / "run.h5")
    one_line(caught, "run.h5 cannot be written", "nowhere does not exist")


def test_target_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError) as caught:
        write(tmp_path / "file" / "run.h5")
    one_line(caught, "is not a folder")


def test_target_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        write(tmp_path)
    one_line(caught, "is a folder")


@pytest.mark.parametrize("path", ["", 3, None, "a\0b", "x" * 5000])
def test_target_is_no_path(path: object) -> None:
    with pytest.raises(FileError) as caught:
        FileRecorder(path, SMALL, recording.description())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_target_is_a_device() -> None:
    with pytest.raises(FileError) as caught:
        FileRecorder("/dev/null", SMALL, recording.description(), force=True)
    one_line(caught, "/dev/null", "not a regular file")


def test_no_permission() -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(recording.__file__).parent)!r})
import recording
from brnn.record import FileRecorder
description = recording.description()
if os.getuid() == 0:  # permissions do not hold for root
    os.setuid(65534)
try:
    FileRecorder(sys.argv[1] + "/run.h5", recording.VARIABLES, description)
except Exception as error:
    print(type(error).__name__, error)
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o555)
        done = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True, check=True)
        Path(folder).chmod(0o755)
    assert done.stdout.startswith("FileError"), done
    assert "no permission to write into the folder" in done.stdout


@pytest.mark.parametrize(
    "options",
    [{"dtype": "float16"}, {"ltm_every": 0.0}, {"flush_every": -1.0}, {"compression": 10}, {"select": ["F7.x"]}],
)
def test_options(tmp_path: Path, options: dict) -> None:
    with pytest.raises(ValueError) as caught:
        FileRecorder(tmp_path / "run.h5", SMALL, recording.description(), **options)
    assert isinstance(caught.value, brnn.BrnnError)
    one_line(caught, "record: ")
    assert os.listdir(tmp_path) == []


# ------------------------------------------------------------------------------------------------------ full disk

FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
import recording
from brnn.record import FileRecorder
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))  # Python ignores SIGXFSZ: writing gives EFBIG
recorder = FileRecorder({path!r}, recording.VARIABLES, recording.description(), flush_every=0.0, force=True)
rows = 0
try:
    while rows < 1000:
        recorder.write(recording.times(rows, 7), recording.states(rows, 7))
        rows += 7
except Exception as error:
    print(type(error).__name__, error)
print(rows)
result = recorder.finish("failed", {{}})
print(result.summary())
"""


@pytest.mark.parametrize("limit", [1_000, 20_000, 400_000, *range(900_000, 5_000_000, 555_555)])
def test_full_disk(tmp_path: Path, limit: int) -> None:
    """A size limit of the process stands for the full disk: HDF5 gets an error of `write` in both cases."""
    path = tmp_path / "run.h5"
    write(path)
    before = path.read_bytes()
    code = FULL.format(tests=str(Path(recording.__file__).parent), path=str(path), limit=limit)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    message, rows, summary = done.stdout.splitlines()
    assert message.startswith(f"FileError {path} cannot be written: File too large")
    assert os.listdir(tmp_path) == ["run.h5"]
    if int(rows) == 0:
        assert path.read_bytes() == before
        return
    assert f"what was saved until t = {0.5 * (int(rows) - 1):g} is kept" in message
    assert summary.startswith(f"incomplete, last saved at t = {0.5 * (int(rows) - 1):g} of 100 s")
    with brnn.open(path) as result, h5py.File(path, "r") as plain:
        assert len(result.times) == int(rows)
        for variable in recording.VARIABLES:
            expected = recording.expected(variable, 0, int(rows))
            np.testing.assert_array_equal(result[variable.name], expected)
            np.testing.assert_array_equal(plain[variable.group][variable.quantity][: int(rows)], expected)


def test_a_failed_recorder_stays_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = write(tmp_path / "run.h5", finish=False)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py.Dataset, "resize", full)
    for _ in range(2):
        with pytest.raises(FileError) as caught:
            recorder.write(recording.times(ROWS, 50), recording.states(ROWS, 50, WIDTH))
        one_line(caught, "No space left on device", "until t = 19.5 is kept")
    with pytest.raises(FileError, match="No space left"):
        recorder.finish("complete", {})
    with recorder.finish("interrupted", {}) as result:
        assert result.status == "incomplete"
        np.testing.assert_array_equal(result["F1.x"], recording.states(0, ROWS)[:, :10])


def test_saving_to_a_full_disk(good: Path) -> None:
    code = f"""
import resource, brnn
resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
with brnn.open({str(good)!r}) as result:
    result.save({str(good.with_name("copy.h5"))!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    copy = good.with_name("copy.h5")
    assert done.stderr.splitlines()[-1] == f"brnn.errors.FileError: {copy} cannot be written: File too large"
    assert os.listdir(good.parent) == ["run.h5"]


# -------------------------------------------------------------------------------------------------- hostile files


def cannot_open(path: Path, *words: str) -> None:
    with pytest.raises(FileError) as caught:
        brnn.open(path)
    one_line(caught, path.name, *words)


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


def huge_times(file: h5py.File) -> None:
    for name in ("F1", "F3", "P"):
        del file[name]["time"]
        file[name].create_dataset("time", shape=(2**60,), maxshape=(None,), chunks=(1024,), dtype="f8")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (set_attribute("brnn_format", 2), ("newer brnn", "format 2", "reads format 1")),
        (set_attribute("brnn_format", 0), ("damaged",)),
        (set_attribute("brnn_format", "one"), ("damaged",)),
        (set_attribute("kind", "cake"), ("damaged",)),
        (set_attribute("status", b"perfect"), ("damaged", "perfect")),
        (set_attribute("duration", "long"), ("damaged",)),
        (set_attribute("solver", b'{"steps": "many"}'), ("damaged",)),
        (set_attribute("solver", b"{"), ("damaged", "solver")),
        (set_attribute("network", b'{"type": "Network", '), ("damaged", "network")),
        (set_attribute("network", b"[" * 50_000), ("damaged", "network")),
        (set_attribute("network", 3.0), ("damaged", "network")),
        (set_attribute("variables", b"{}"), ("damaged", "variables")),
        (set_attribute("variables", b'["F1.x", "F9.x"]'), ("damaged", "/F9/x")),
        (set_attribute("variables", b'["../F1"]'), ("damaged",)),
        (remove_attribute("network"), ("damaged", "network is missing")),
        (remove_attribute("status"), ("damaged", "status is missing")),
        (remove("F1"), ("damaged", "/F1/x is missing")),
        (remove("P/z"), ("damaged", "/P/z is missing")),
        (remove("F1/time"), ("damaged", "times of /F1/x")),
        (replace("F1/x", np.arange(40)), ("damaged", "/F1/x")),
        (replace("F1/x", "text"), ("damaged", "/F1/x")),
        (replace("F1", np.arange(3)), ("damaged", "/F1/x")),
        (replace("F1/x", np.zeros((40, 10))), ("damaged", "dimensions")),
        (outer_link, ("damaged",)),
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


@pytest.mark.parametrize(
    "text",
    ["{}", '{"type": "Network"}', '{"type": "Cake"}', '{"type": "Network", "name": "x", "layers": 3}', '{"kind": []}'],
)
def test_network_that_is_none(good: Path, text: str) -> None:
    """The samples can be read; the network says what is wrong with it when it is asked for."""
    with h5py.File(good, "r+") as file:
        file.attrs["network"] = text
    with brnn.open(good) as result:
        assert result["F1.x"].shape == (ROWS, 10)
        with pytest.raises(FileError) as caught:
            _ = result.network
        one_line(caught, "run.h5", "network is damaged")


def test_options_that_are_none(good: Path) -> None:
    with h5py.File(good, "r+") as file:
        del file["option_arrays"]
    with brnn.open(good) as result:
        with pytest.raises(FileError) as caught:
            _ = result.options
        one_line(caught, "run.h5", "options are damaged")


def read_all(path: Path) -> None:
    with brnn.open(path) as result:
        repr(result)
        for name in result:
            result[name].load()
            result.total(name)
        _ = result.options
        _ = result.network


def test_truncated_anywhere(good: Path) -> None:
    content = good.read_bytes()
    for size in [*range(8, 4000, 97), *np.linspace(4000, len(content) - 1, 80).astype(int)]:
        good.write_bytes(content[:size])
        cannot_open(good)


@pytest.mark.parametrize("kind", ["complete", "saved", "killed", "killed and marked"])
def test_random_damage(tmp_path: Path, kind: str) -> None:
    """Whatever is wrong, it is a FileError of one line, or it is not noticed: no crash, no other error, no hang."""
    path = tmp_path / "run.h5"
    recorder = write(path, finish=False)
    if kind.startswith("killed"):
        shutil.copy(path, tmp_path / "killed.h5")
    recorder.finish("complete", {}).close()
    if kind == "saved":
        with brnn.open(path) as result:
            result.save(path, force=True)
    elif kind.startswith("killed"):
        path = tmp_path / "killed.h5"
    content = bytearray(path.read_bytes())
    if kind.endswith("marked"):
        content[11] = 5
        content[44:48] = struct.pack("<I", lookup3(bytes(content[:44])))
        path.write_bytes(content)
        read_all(path)
    # What happens in HDF5 cannot be stopped from Python: in a process of its own, with a limit of time.
    seeds = random.Random(kind).sample(range(10**6), 150)
    for k, seed in enumerate(seeds):
        (tmp_path / f"damaged{k}").write_bytes(damaged(content, random.Random(seed)))
    code = """
import pathlib, sys
import brnn
count = 0
for path in sorted(pathlib.Path(sys.argv[1]).glob("damaged*")):
    try:
        with brnn.open(path) as result:
            for name in result:
                result[name].load()
            repr(result), result.options, result.network
    except brnn.FileError as error:
        count += 1
        assert "\\n" not in str(error), error
print(count)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, (done.stderr, seeds)
    assert int(done.stdout) > 40


def damaged(content: bytearray, source: random.Random) -> bytes:
    result = bytearray(content)
    size = len(result)
    match source.randrange(3):
        case 0:
            return bytes(result[: source.randrange(size)])
        case 1:
            for _ in range(source.randint(1, 30)):
                result[source.randrange(size)] = source.randrange(256)
        case _:
            place, length = source.randrange(min(size, 40_000)), source.randint(1, 2000)
            result[place : place + length] = bytes(len(result[place : place + length]))
    return bytes(result)


def test_recover(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    recorder = write(path, finish=False)
    shutil.copy(path, tmp_path / "killed.h5")
    recorder.finish("complete", {}).close()
    with brnn.recover(tmp_path / "killed.h5") as result:
        assert result.status == "incomplete"
        assert result.reached == 0.5 * (ROWS - 1)
        np.testing.assert_array_equal(result["P.z"], recording.states(0, ROWS)[:, 34:274].reshape(ROWS, 24, 10))
    before = path.read_bytes()
    brnn.recover(path).close()  # nothing to do
    assert path.read_bytes() == before
    path.write_bytes(b"nonsense")
    with pytest.raises(FileError, match="not a result file"):
        brnn.recover(path)
    assert path.read_bytes() == b"nonsense"


def test_input_errors_are_value_errors() -> None:
    assert issubclass(FileError, InputError)
    assert issubclass(FileError, ValueError)
