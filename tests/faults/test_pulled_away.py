"""Outputs that something else deletes, replaces or cuts while they are written: said at once, and nothing lost."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import recording
import sweeping
from recording import SMALL, SMALL_SIZE, one_line

import brnn
from brnn.errors import FileError
from brnn.files.run.writer import FileRecorder
from brnn.files.sweep.writer import SweepWriter

NETWORK = brnn.Network("one", [brnn.Layer.additive("F1", 1, A=1.0, initial=1.0)])


def delete(path: Path) -> None:
    path.unlink()


def move(path: Path) -> None:
    path.rename(path.with_name("moved.h5"))


def replace(path: Path) -> None:
    path.with_name("other").write_bytes(b"another's")
    path.with_name("other").rename(path)


def cut(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size - 1)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def begun(path: Path, flush_every: float = 0.0) -> FileRecorder:
    recorder = FileRecorder(path, SMALL, recording.description(20.0), flush_every=flush_every, n_times=40)
    recorder.write(recording.times(0, 20), recording.states(0, 20, SMALL_SIZE))
    return recorder


@pytest.mark.parametrize("pull", [delete, move])
@pytest.mark.parametrize("late", [False, True], ids=["while it goes on", "at the end"])
def test_the_file_of_a_run_is_written_anew(tmp_path: Path, pull: Callable[[Path], None], late: bool) -> None:
    path = tmp_path / "run.h5"
    recorder = begun(path)
    if late:
        recorder.write(recording.times(20, 20), recording.states(20, 20, SMALL_SIZE))
    pull(path)
    with warnings.catch_warnings(record=True, action="always") as said:
        if not late:
            recorder.write(recording.times(20, 20), recording.states(20, 20, SMALL_SIZE))
            assert path.exists()
        result = recorder.finish("complete", {})
    (warning,) = said
    assert "run.h5 was deleted or moved while it was being written; it is written anew" in str(warning.message)
    with result:
        assert result.status == "complete"
        for variable in SMALL:
            kept = recording.states(0, 40, SMALL_SIZE)[:, variable.start : variable.stop]
            np.testing.assert_array_equal(result[variable.name], kept.reshape(40, *variable.shape))
    assert sorted(os.listdir(tmp_path)) == (["run.h5"] if pull is delete else ["moved.h5", "run.h5"])


@pytest.mark.parametrize(
    ("pull", "words"),
    [
        (replace, "something else has replaced it"),
        (cut, r"something else cut it, \d+ of \d+ bytes are left"),
        (empty, "something else cut it, 0 of"),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["while it goes on", "at the end"])
def test_the_file_of_a_run_cannot_be_written(
    tmp_path: Path, pull: Callable[[Path], None], words: str, late: bool
) -> None:
    path = tmp_path / "run.h5"
    recorder = begun(path)
    pull(path)
    left = path.read_bytes()
    with pytest.raises(FileError, match=words) as caught:
        if not late:
            recorder.write(recording.times(20, 20), recording.states(20, 20, SMALL_SIZE))
        recorder.finish("complete", {})
    one_line(caught.value, "run.h5 cannot be written")
    assert "is kept" not in str(caught.value)
    assert path.read_bytes() == left  # what is there now is not ours
    assert os.listdir(tmp_path) == ["run.h5"]


def test_it_is_seen_while_nothing_is_saved(tmp_path: Path) -> None:
    """Between two saved times a run may compute for hours."""
    recorder = begun(tmp_path / "run.h5")
    recorder.keep()
    cut(tmp_path / "run.h5")
    with pytest.raises(FileError, match="something else cut it"):
        recorder.keep()


def test_a_folder_that_is_deleted(tmp_path: Path) -> None:
    path = tmp_path / "there" / "run.h5"
    path.parent.mkdir()
    recorder = begun(path)
    path.unlink()
    path.parent.rmdir()
    with pytest.warns(UserWarning, match="was deleted"), pytest.raises(FileError) as caught:
        recorder.write(recording.times(20, 20), recording.states(20, 20, SMALL_SIZE))
    one_line(caught.value, "run.h5 cannot be written", "No such file or directory")


@pytest.fixture
def pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Callable[[Path], None]]]:
    """Do to the output what the list says, when the run has written half of its rows."""
    todo: list[Callable[[Path], None]] = []
    write = FileRecorder.write

    def then(self: FileRecorder, times: np.ndarray, states: np.ndarray) -> None:
        if todo and times[-1] > 5.0:
            todo.pop()(tmp_path / "run.h5")
            self._flush_every = 0.0
        write(self, times, states)

    monkeypatch.setattr(FileRecorder, "write", then)
    yield todo
    assert not todo


@pytest.mark.parametrize("pull", [replace, cut, empty])
def test_a_run_ends_at_once(tmp_path: Path, pulled: Any, pull: Callable[[Path], None]) -> None:
    pulled.append(pull)
    with pytest.raises(FileError, match=r"run.h5 cannot be written: something else (has replaced|cut) it"):
        brnn.simulate(NETWORK, 10.0, times=np.linspace(0.0, 10.0, 101), record=tmp_path / "run.h5")


def test_a_run_goes_on(tmp_path: Path, pulled: Any) -> None:
    pulled.append(delete)
    with pytest.warns(UserWarning, match="written anew"):
        result = brnn.simulate(NETWORK, 10.0, times=np.linspace(0.0, 10.0, 101), record=tmp_path / "run.h5")
    with result:
        np.testing.assert_allclose(result["F1.x"][:, 0], np.exp(-np.linspace(0.0, 10.0, 101)), rtol=1e-4, atol=1e-8)


def half(path: Path, **options: Any) -> SweepWriter:
    writer = sweeping.declare(SweepWriter(path, sweeping.header(), **options))
    members = np.arange(50)
    writer.write(members, sweeping.rows(members), sweeping.status(members))
    writer._commit()
    return writer


@pytest.mark.parametrize("pull", [delete, move])
@pytest.mark.parametrize("late", [False, True], ids=["while it goes on", "at the end"])
def test_the_file_of_a_sweep_is_written_anew(tmp_path: Path, pull: Callable[[Path], None], late: bool) -> None:
    path = tmp_path / "sweep.h5"
    writer = half(path)
    rest = np.arange(50, 110)
    if late:
        writer.write(rest, sweeping.rows(rest), sweeping.status(rest))
        writer._commit()
    pull(path)
    with warnings.catch_warnings(record=True, action="always") as said:
        if not late:
            writer.write(rest, sweeping.rows(rest), sweeping.status(rest))
        data = writer.finish()
    (warning,) = said
    assert "sweep.h5 was deleted or moved while it was being written; it is written anew" in str(warning.message)
    with data:
        sweeping.check(data, np.arange(110))


@pytest.mark.parametrize(
    ("pull", "words"), [(replace, "something else has replaced it"), (cut, "something else cut it")]
)
@pytest.mark.parametrize("late", [False, True], ids=["while it goes on", "at the end"])
def test_the_file_of_a_sweep_cannot_be_written(
    tmp_path: Path, pull: Callable[[Path], None], words: str, late: bool
) -> None:
    path = tmp_path / "sweep.h5"
    writer = half(path)
    pull(path)
    left = path.read_bytes()
    rest = np.arange(50, 110)
    with pytest.raises(FileError, match=words) as caught:
        if not late:
            writer.write(rest, sweeping.rows(rest), sweeping.status(rest))
        writer.finish()
    one_line(caught.value, "sweep.h5 cannot be written")
    writer.close()
    assert path.read_bytes() == left
    assert os.listdir(tmp_path) == ["sweep.h5"]


def test_a_file_that_appears_in_the_place_of_a_deleted_one(tmp_path: Path) -> None:
    """The moment between looking and writing anew."""
    path = tmp_path / "sweep.h5"
    path.write_bytes(b"old")
    writer = half(path, force=True)
    path.unlink()
    rebuilt = writer._file._copy

    def late(*arguments: Any) -> None:
        rebuilt(*arguments)
        path.write_bytes(b"another's")

    writer._file._copy = late  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match="written anew"), pytest.raises(FileError, match="something else wrote it"):
        writer.finish()
    assert path.read_bytes() == b"another's"
