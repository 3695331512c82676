"""Files of sweeps on full disks, and files that are not what they should be: one line that says so, and no crash."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import sweeping
from recording import one_line

import brnn
from brnn.errors import FileError
from brnn.files.placed import PlacedFile
from brnn.files.sweep.describe import describe_sweep
from brnn.files.sweep.writer import SweepWriter

N = 110


@pytest.fixture
def good(tmp_path: Path) -> Path:
    sweeping.write(tmp_path / "sweep.h5", [np.arange(50)]).close()
    return tmp_path / "sweep.h5"


# ---------------------------------------------------------------------------------------------- full disks

FULL = """
import resource, sys
sys.path.insert(0, {tests!r})
import numpy as np
import sweeping
from sweeping import BLOCK, MEMBERS, SIDE, give
from brnn.files.sweep import writer as sweep_writer
sweep_writer._LONGEST = sweep_writer._WRITE_TIMES = 0.0
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))  # Python ignores SIGXFSZ: writing gives EFBIG
try:
    with sweep_writer.SweepWriter({path!r}, sweeping.header(SIDE), force=True) as writer:
        for members in np.split(np.arange(MEMBERS), range(BLOCK, MEMBERS, BLOCK)):
            give(writer, members, fail=False)
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.parametrize("limit", [1_000, 20_000, 300_000, *range(520_000, 600_000, 15_000)])
def test_full_disk(good: Path, limit: int) -> None:
    """A size limit of the process stands for the full disk; the members become larger until the file does not fit."""
    before = good.read_bytes()
    code = FULL.format(tests=str(Path(sweeping.__file__).parent), path=str(good), limit=limit)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(good.parent) == ["sweep.h5"]
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith(f"FileError {good} cannot be written: File too large")
    assert ("is kept" in lines[0]) == (limit > 500_000)
    if limit < 500_000:
        assert good.read_bytes() == before
        return
    given = sweeping.header(sweeping.SIDE)
    with brnn.open(good) as data:
        members = np.flatnonzero(data["status"])
        assert f"what was saved of {len(members):,} members is kept" in lines[0]
        sweeping.check(data, members)
    with SweepWriter(good, given, resume=True) as writer:
        np.testing.assert_array_equal(writer.pending(), np.setdiff1d(np.arange(given.members), members))
        for group in sweeping.pieces(np.random.default_rng(2), writer.pending()):
            sweeping.give(writer, group, fail=False)
        with writer.finish() as data:
            sweeping.check(data, np.arange(given.members))


def test_too_small_a_disk_shows_before_the_members_run(tmp_path: Path) -> None:
    with SweepWriter(tmp_path / "sweep.h5", sweeping.header()) as writer:
        writer.declare("rcf.x", ["rcf"], shape=[10**14])
        writer.write([0], {"rcf.x": [[1.0]]}, 1)
        with pytest.raises(FileError) as caught:
            writer._commit()
        one_line(caught.value, "sweep.h5 cannot be written: it needs", "are free on the disk")
    assert os.listdir(tmp_path) == []


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_a_write_that_fails(good: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = sweeping.declare(SweepWriter(good, sweeping.header(), resume=True))
    members = np.arange(50, N)
    writer.write(members, sweeping.rows(members), sweeping.status(members))
    with monkeypatch.context() as patched:
        patched.setattr(PlacedFile, "_write", full)
        for _ in range(2):
            with pytest.raises(FileError) as caught:
                writer.finish()
            one_line(caught.value, "No space left on device; what was saved of 50 members is kept")
        with pytest.raises(FileError):
            writer.write(members, sweeping.rows(members), sweeping.status(members))
        writer.close()
    with brnn.open(good) as data:
        sweeping.check(data, np.arange(50))
        assert data.attrs["missing"] == N - 50


def test_a_file_without_members_is_removed_if_the_first_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "sweep.h5"
    with sweeping.declare(SweepWriter(path, sweeping.header())) as writer:
        writer.begin()
        assert path.exists()
        with monkeypatch.context() as patched:
            patched.setattr(PlacedFile, "_write", full)
            with pytest.raises(FileError) as caught:
                writer.write(np.arange(50), sweeping.rows(np.arange(50)), sweeping.status(np.arange(50)))
                writer.finish()
        one_line(caught.value, "No space left on device")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("resume", [False, True])
def test_a_sweep_that_begins_removes_what_a_killed_one_left(tmp_path: Path, resume: bool) -> None:
    """A kill while the file is made leaves one of another name, and none of its own."""
    (tmp_path / "sweep.h5.99999999.tmp").write_bytes(b"half a file")
    (tmp_path / "other.h5.99999999.tmp").write_bytes(b"of another sweep")
    with SweepWriter(tmp_path / "sweep.h5", sweeping.header(), resume=resume) as writer:
        writer.begin()
    assert sorted(os.listdir(tmp_path)) == ["other.h5.99999999.tmp", "sweep.h5"]


# ---------------------------------------------------------------------------------------------- wrong files


def cannot_open(path: Path, *words: str) -> None:
    """Neither open, nor describe, nor resume it; and leave it as it is."""
    before = path.read_bytes()
    for action in (brnn.open, describe_sweep, lambda name: SweepWriter(name, sweeping.header(), resume=True)):
        with pytest.raises(FileError) as caught:
            action(path)
        one_line(caught.value, path.name, *words)
    assert path.read_bytes() == before


def test_a_run_is_no_sweep(tmp_path: Path) -> None:
    path = tmp_path / "run.h5"
    brnn.simulate(brnn.models.load("rcf").build(n=3), duration=1.0, record=path).close()
    for action in (describe_sweep, lambda name: SweepWriter(name, sweeping.header(), resume=True)):
        with pytest.raises(FileError) as caught:
            action(path)
        one_line(caught.value, "run.h5 is not the file of a sweep")


@pytest.mark.parametrize("content", [b"", b"hello, this is no HDF5 file" * 100])
def test_not_hdf5(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "sweep.h5"
    path.write_bytes(content)
    cannot_open(path, "not HDF5")


@pytest.mark.parametrize("part", [0.05, 0.3, 0.6, 0.95, 0.999])
def test_truncated(good: Path, part: float) -> None:
    size = good.stat().st_size
    with open(good, "r+b") as file:
        file.truncate(int(size * part))
    cannot_open(good)


def attribute(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value

    return change


def remove(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def replace(name: str, value: Any) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (attribute("members", None), "attribute members is missing"),
        (attribute("members", 10**15), "damaged"),
        (attribute("members", "many"), "damaged"),
        (attribute("design", None), "attribute design is missing"),
        *((attribute(name, None), f"attribute {name} is missing") for name in ("brnn_version", "created", "command")),
        (attribute("brnn_format", 99), "was written by a newer brnn"),
        (attribute("variables", "["), "attribute variables is not the JSON"),
        (attribute("variables", "{}"), "attribute variables is not the JSON"),
        (attribute("variables", "[1]"), "damaged"),
        (attribute("variables", "[]"), "damaged"),
        (attribute("variables", "[" * 100_000), "damaged"),
        (attribute("parameters", '["B"]'), "damaged"),
        (attribute("axes", '{"A": 3}'), "do not make up the 110 members"),
        (attribute("axes", '{"A": "x"}'), "do not make up the 110 members"),
        (remove("status"), "damaged"),
        (remove("member"), "damaged"),
        (remove("A"), "damaged"),
        (remove("rcf"), "damaged"),
        (remove("wall_time"), "damaged"),
        (replace("status", np.full(N, 9, np.uint8)), "status is not what it should be"),
        (replace("status", np.zeros(7, np.uint8)), "damaged"),
        (replace("status", np.zeros(N)), "does not say how its members ended"),
        (replace("rcf.x", np.zeros((7, 6))), "axis member of rcf.x has 7 places, not 110"),
        (replace("rcf.x", np.zeros(N)), "rcf.x is not what it should be"),
        (replace("rcf.x", np.zeros((N, 6), complex)), "rcf.x is not what it should be"),
        (replace("A", np.zeros(3)), "parameter 'A' has 3 values"),
        (replace("seed", np.zeros(3, np.uint64)), "seeds have the shape (3,)"),
    ],
)
def test_changed(good: Path, change: Callable[[h5py.File], None], words: str) -> None:
    with h5py.File(good, "r+") as file:
        change(file)
    cannot_open(good, words)


@pytest.mark.parametrize(
    "values", [np.arange(3.0), np.float64(7.0), np.zeros((2, 2))], ids=["short", "number", "table"]
)
def test_an_axis_that_does_not_fit(good: Path, values: Any) -> None:
    with h5py.File(good, "r+") as file:
        del file["rcf"]
        file["rcf"] = values
    with pytest.raises(FileError) as caught:
        brnn.open(good)
    one_line(caught.value, "sweep.h5 is damaged")


@pytest.mark.parametrize("name", ["status", "A", "rcf.x", "member"])
def test_claims_of_enormous_size(good: Path, name: str) -> None:
    """A dataset that says that it has 8 TB, of which nothing is stored."""
    with h5py.File(good, "r+") as file:
        del file[name]
        file.create_dataset(name, shape=(10**12,), dtype="f8", chunks=(1000,))
    cannot_open(good, "is damaged: there are fewer values than there should be")
