"""Where files are written: whether this one may be, and a new one that takes its name only when it is whole."""

from __future__ import annotations

import contextlib
import glob
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from brnn.base.text import closest
from brnn.errors import FileError

__all__ = [
    "check_target",
    "identity",
    "leftovers",
    "move_into_place",
    "new_text_file",
    "replacing",
    "set_aside",
    "temporary",
    "temporary_name",
]

_FORMER = ".former"


def check_target(
    path: str | Path,
    force: bool = False,
    *,
    option: str = "",
    suffixes: tuple[str, ...] = (),
    kept: Iterable[Path] = (),
) -> Path:
    """Return the path of a file that may be written, with links followed.

    Parameters
    ----------
    path : str or Path
        The file.
    force : bool
        Whether an existing file may be replaced.
    option : str
        The option of the command line that names it, for messages.
    suffixes : tuple of str
        What its name must end in, in small or capital letters; anything if empty.
    kept : iterable of Path
        Files that are read: they are never replaced.

    Raises
    ------
    FileError
        If it may not be written: the message says why.
    """
    if not isinstance(path, (str, Path)) or not str(path):
        raise FileError(f"{path!r} is not the name of a file")
    label = f"{option} {path}".strip()
    try:
        suffix = Path(path).suffix.lower()
        if suffixes and suffix not in suffixes:
            allowed = f"one of {', '.join(suffixes)}" if len(suffixes) > 1 else suffixes[0]
            raise FileError(f"{label}: the name must end in {allowed}{closest(suffix, suffixes)}")
        target = Path(os.path.realpath(os.path.expanduser(path)))
        _check(target, label, Path(path).parent, force, kept)
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{label!r} cannot be written: {_why(error)}") from None
    return target


def _check(target: Path, label: str, folder: Path, force: bool, kept: Iterable[Path]) -> None:
    if target.is_dir():
        raise FileError(f"{label} is a folder, not a file that can be written")
    if not target.parent.is_dir():
        what = "is not a folder" if target.parent.exists() else "does not exist"
        raise FileError(f"{label} cannot be written: the folder {folder} {what}")
    if target.exists():
        if not target.is_file():
            raise FileError(f"{label} cannot be replaced: it is not a regular file")
        if any(identity(target) == identity(other) for other in kept):
            raise FileError(f"{label} is read here, so it is not replaced")
        if not force:
            raise FileError(f"{label} exists; use force=True (--force on the command line) to replace it")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise FileError(f"{label} cannot be written: no permission to write into the folder {folder}")


def identity(path: str | Path | int) -> tuple[int, int] | None:
    """Return what tells a file, given by name or descriptor, from another one of its name; None if there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def temporary_name(path: Path) -> Path:
    """Return the name beside `path` under which this thread makes the file that is to have the name `path`.

    NAME.<id>.tmp, with the number that the operating system gave the thread: in the main thread of a process on Linux
    it is that of the process.
    """
    return path.with_name(f"{path.name}.{threading.get_native_id()}.tmp")


def leftovers(path: Path) -> list[Path]:
    """Return the files with temporary names of `path`: somebody makes them, or was killed while it did."""
    found = path.parent.glob(f"{glob.escape(path.name)}.*.tmp")
    return [name for name in found if name.name[len(path.name) + 1 : -4].removesuffix(_FORMER).isdigit()]


def set_aside(path: Path) -> Path | None:
    """Give a file a second name, by which it can come back if what replaces it cannot be finished.

    Returns None if there is no such file, or no second name for it (a file system without hard links).
    """
    name = temporary_name(path).with_suffix(f"{_FORMER}.tmp")
    try:
        os.link(path, name)
    except OSError:
        return None
    return name


@contextlib.contextmanager
def temporary(path: Path) -> Iterator[Path]:
    """Give the name of a new file beside `path`, and remove what is left of it in the end."""
    name = temporary_name(path)
    try:
        yield name
    finally:
        with contextlib.suppress(OSError):
            name.unlink()


def move_into_place(name: Path, target: Path, force: bool) -> None:
    """Give a file its final name, in one step; another file of that name is lost only with `force`."""
    if not name.exists():  # done before, by a call that was interrupted
        return
    if force:
        os.replace(name, target)
        return
    try:
        os.link(name, target)
    except FileExistsError:
        if not os.path.samefile(name, target):
            raise FileError(f"{target} exists: something else wrote it in the meantime") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileError(f"{target} exists: something else wrote it in the meantime") from None
        os.replace(name, target)
        return
    os.unlink(name)


@contextlib.contextmanager
def replacing(target: Path, force: bool) -> Iterator[Path]:
    """Give a temporary name; the file that is made there gets the name `target` when it is whole.

    If an exception ends the making, what was there stays as it was.
    """
    with temporary(target) as name:
        yield name
        move_into_place(name, target, force)


@contextlib.contextmanager
def new_text_file(path: str | Path, force: bool = False) -> Iterator[TextIO]:
    """Open a text file for writing that takes its name when it is complete: it is all there, or what it was before.

    Raises
    ------
    FileError
        If it may not be written (see `check_target`), or cannot.
    """
    target = check_target(path, force)
    try:
        with replacing(target, force) as name, name.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise FileError(f"{path} cannot be written: {_why(error)}") from None


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)
