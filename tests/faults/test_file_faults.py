"""Files that cannot be written, and disks that fill up."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace

import h5py
import numpy as np
import pytest
import recording
from recording import SMALL, SMALL_ROWS, SMALL_SIZE, one_line, write_small

import brnn
from brnn.errors import FileError, InputError
from brnn.files.placed import PlacedFile
from brnn.files.run.writer import FileRecorder


@pytest.fixture
def good(tmp_path: Path) -> Path:
    write_small(tmp_path / "run.h5")
    return tmp_path / "run.h5"


# ---------------------------------------------------------------------------------------------- not to be written


def test_target_folder_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        write_small(tmp_path / "nowhere" / "run.h5")
    one_line(caught.value, "run.h5 cannot be written", "nowhere does not exist")


def test_target_folder_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError) as caught:
        write_small(tmp_path / "file" / "run.h5")
    one_line(caught.value, "is not a folder")


def test_target_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(FileError) as caught:
        write_small(tmp_path)
    one_line(caught.value, "is a folder")


@pytest.mark.parametrize("path", ["", 3, None, "a\0b", "x" * 5000])
def test_target_is_no_path(path: object) -> None:
    with pytest.raises(FileError) as caught:
        FileRecorder(path, SMALL, recording.description())  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_target_is_a_device() -> None:
    with pytest.raises(FileError) as caught:
        FileRecorder("/dev/null", SMALL, recording.description(), force=True)
    one_line(caught.value, "/dev/null", "not a regular file")


def test_no_permission() -> None:
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(recording.__file__).parent)!r})
import recording
from brnn.files.run.writer import FileRecorder
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
    one_line(caught.value, "record: ")
    assert os.listdir(tmp_path) == []


# ------------------------------------------------------------------------------------------------------ full disk

FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
import recording
from brnn.files.run.writer import FileRecorder
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, -1))  # Python ignores SIGXFSZ: writing gives EFBIG
limit({limit})
recorder = FileRecorder({path!r}, recording.VARIABLES, recording.description(), flush_every=0.0, force=True, n_times=21)
rows = 0
try:
    while rows < {until}:
        recorder.write(recording.times(rows, 7), recording.states(rows, 7))
        rows += 7
    limit({limit_at_the_end})
    recorder.finish("complete", {{}})
except Exception as error:
    print(type(error).__name__, error)
print(rows)
result = recorder.finish("failed", {{}})
print(result.summary())
"""


@pytest.mark.parametrize(
    ("limit", "limit_at_the_end", "former"),
    [
        *((limit, limit, True) for limit in (1_000, 20_000, 400_000, 900_000)),  # no room for any row
        *((limit, limit, False) for limit in range(1_300_000, 5_000_000, 555_555)),  # none for more than were announced
        (2_000_000, 2_000_000, True),
        *((2_000_000, limit, True) for limit in (1_000, 100_000, 500_000)),  # none for the file that is left in the end
    ],
)
def test_full_disk(tmp_path: Path, limit: int, limit_at_the_end: int, former: bool) -> None:
    """A size limit of the process stands for the full disk: HDF5 gets an error of `write` in both cases."""
    path = tmp_path / "run.h5"
    write_small(path)
    before = path.read_bytes()
    if not former:
        path.unlink()
    tests = str(Path(recording.__file__).parent)
    until = 1000 if limit == limit_at_the_end else 21
    code = FULL.format(tests=tests, path=str(path), limit=limit, limit_at_the_end=limit_at_the_end, until=until)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    message, rows, summary = done.stdout.splitlines()
    assert message.startswith(f"FileError {path} cannot be written: File too large")
    assert os.listdir(tmp_path) == ["run.h5"]
    if limit < 1_000_000:
        assert int(rows) == 0
        assert path.read_bytes() == before
        return
    assert int(rows) >= 21
    if former and limit == limit_at_the_end:
        assert message.endswith("; the file that was to be replaced is in its place again")
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
    with brnn.recover(path) as result:  # when there is room
        np.testing.assert_array_equal(result["F2.x"], recording.expected(recording.VARIABLES[1], 0, int(rows)))
        assert os.listdir(tmp_path) == ["run.h5"]


def test_a_failed_recorder_stays_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = write_small(tmp_path / "run.h5", finish=False)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PlacedFile, "_write", full)
    for _ in range(2):
        with pytest.raises(FileError) as caught:
            recorder.write(recording.times(SMALL_ROWS, 50), recording.states(SMALL_ROWS, 50, SMALL_SIZE))
        one_line(caught.value, "No space left on device", "until t = 19.5 is kept")
    with pytest.raises(FileError, match="No space left"):
        recorder.finish("complete", {})
    with recorder.finish("interrupted", {}) as result:
        assert result.status == "incomplete"
        np.testing.assert_array_equal(result["F1.x"], recording.states(0, SMALL_ROWS)[:, :10])


def test_too_small_a_disk_shows_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.statvfs", lambda _: SimpleNamespace(f_bavail=10, f_frsize=4096))
    with pytest.raises(FileError) as caught:
        write_small(tmp_path / "run.h5")
    one_line(caught.value, "run.h5 cannot be written: it needs", "free on the disk")
    assert os.listdir(tmp_path) == []


def test_a_disk_without_any_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HDF5 makes the file, and fails when it writes its first bytes."""

    def full(path: Path, *_: object, **__: object) -> None:
        Path(path).touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(h5py, "File", full)
    with pytest.raises(FileError) as caught:
        write_small(tmp_path / "run.h5")
    one_line(caught.value, "run.h5 cannot be written: No space left on device")
    assert os.listdir(tmp_path) == []


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


def test_file_errors_are_value_errors() -> None:
    assert issubclass(FileError, InputError)
    assert issubclass(FileError, ValueError)
