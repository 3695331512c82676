"""Whether a file may be written, and new files that take their names when they are whole."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from brnn.base import paths
from brnn.errors import FileError

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="links, modes and fifos of POSIX")


def refusal(*args: object, **kwargs: object) -> str:
    with pytest.raises(FileError) as caught:
        paths.check_target(*args, **kwargs)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_free_name_may_be_written(tmp_path: Path) -> None:
    assert paths.check_target(tmp_path / "new.h5") == tmp_path / "new.h5"
    assert paths.check_target(str(tmp_path / "NEW.H5"), suffixes=(".h5",)) == tmp_path / "NEW.H5"
    assert os.listdir(tmp_path) == []


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "old.h5"
    path.write_text("mine")
    words = "exists; use force=True (--force on the command line) to replace it"
    assert refusal(path) == f"{path} {words}"
    assert refusal(path, option="-o") == f"-o {path} {words}"
    assert paths.check_target(path, force=True) == path
    assert path.read_text() == "mine"


def test_what_is_read_is_not_replaced_under_any_of_its_names(tmp_path: Path) -> None:
    path, other, link = tmp_path / "run.h5", tmp_path / "other.h5", tmp_path / "link.h5"
    path.write_text("mine")
    other.write_text("")
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "run.h5"):
        assert refusal(name, True, kept=[other, path]).endswith("is read here, so it is not replaced")
    assert paths.check_target(path, True, kept=[other, tmp_path / "none"]) == path


def test_links_are_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "elsewhere" / "file.txt")
    with paths.new_text_file(tmp_path / "link.txt") as file:
        file.write("new")
    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "elsewhere" / "file.txt").read_text() == "new"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert paths.check_target("~/new.txt") == tmp_path / "new.txt"


@pytest.mark.parametrize("value", [None, 3, "", b"run.h5"])
def test_what_is_no_name(value: object) -> None:
    assert refusal(value) == f"{value!r} is not the name of a file"


def test_places_where_no_file_can_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "fifo")
    for name, words in [
        (".", "is a folder, not a file that can be written"),
        ("none/run.h5", f"cannot be written: the folder {tmp_path / 'none'} does not exist"),
        ("file/run.h5", f"cannot be written: the folder {tmp_path / 'file'} is not a folder"),
        ("fifo", "cannot be replaced: it is not a regular file"),
    ]:
        assert refusal(tmp_path / name, True) == f"{tmp_path / name} {words}"
    assert "null" in refusal(f"{tmp_path}/a\0b")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_not_mine(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o500)
    assert refusal(folder / "run.h5").endswith(f"no permission to write into the folder {folder}")


def test_suffixes(tmp_path: Path) -> None:
    words = refusal(tmp_path / "run.pgn", option="--plot", suffixes=(".png", ".pdf"))
    assert words == f"--plot {tmp_path / 'run.pgn'}: the name must end in one of .png, .pdf; did you mean '.png'?"
    assert refusal(tmp_path / "claims", suffixes=(".json",)).endswith("claims: the name must end in .json")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with paths.replacing(path, force=True) as name:
        assert name.parent == tmp_path
        name.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")

    def make() -> None:
        with paths.replacing(path, force=True) as name:
            name.write_text("half")
            raise error

    with pytest.raises(error):
        make()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file.txt"]


@pytest.mark.parametrize("links", [True, False])
def test_a_file_that_came_meanwhile_is_kept(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError()))
    path = tmp_path / "file.txt"
    words = "exists: something else wrote it in the meantime"
    with pytest.raises(FileError, match=words), paths.replacing(path, force=False) as name:
        name.write_text("mine")
        path.write_text("precious")
    assert path.read_text() == "precious"
    path.unlink()
    with paths.replacing(path, force=False) as name:
        name.write_text("mine")
    assert path.read_text() == "mine"
    assert os.listdir(tmp_path) == ["file.txt"]


def test_a_move_that_is_repeated(tmp_path: Path) -> None:
    """An interruption may come between the two steps of a move, and after it."""
    name, path = tmp_path / "file.txt.1.tmp", tmp_path / "file.txt"
    name.write_text("new")
    os.link(name, path)
    for _ in range(2):
        paths.move_into_place(name, path, force=False)
        assert os.listdir(tmp_path) == ["file.txt"]


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    with paths.new_text_file(path) as file:
        file.write("ä\n")
        file.flush()
        assert not path.exists()
    assert path.read_bytes() == "ä\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) & 0o400
    with pytest.raises(FileError, match="use force=True"), paths.new_text_file(path):
        pass
    with pytest.raises(FileError) as caught, paths.new_text_file(path, force=True):
        raise OSError(28, os.strerror(28))
    assert str(caught.value) == f"{path} cannot be written: No space left on device"
    assert path.read_bytes() == "ä\n".encode()


def test_threads_and_processes_have_names_of_their_own(tmp_path: Path) -> None:
    path, names = tmp_path / "a[1].h5", []
    both = threading.Barrier(2)

    def ask() -> None:
        names.append(paths.temporary_name(path))
        both.wait()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    script = (
        f"import sys, pathlib\nfrom brnn.base import paths\nprint(paths.temporary_name(pathlib.Path({str(path)!r})))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    names += [paths.temporary_name(path), Path(done.stdout.strip())]
    assert len(set(names)) == 4
    for name in names:
        name.write_text("")
    (tmp_path / "a[1].h5.mine.tmp").write_text("")
    (tmp_path / "a1.h5.7.tmp").write_text("")
    assert set(paths.leftovers(path)) == set(names)


def test_identity_tells_a_file_from_the_one_that_replaced_it(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    assert paths.identity(path) is None
    path.write_text("old")
    with path.open() as file:
        before = paths.identity(path)
        path.write_text("changed")
        assert paths.identity(path) == before == paths.identity(file.fileno())
        with paths.replacing(path, force=True) as name:
            name.write_text("new")
        assert paths.identity(path) != before
