"""Checks of the files that a command will write, made before any long work begins."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from brnn.errors import FileError

__all__ = ["RESULTS", "check_output", "size_in_words", "written_whole"]

RESULTS = (".h5", ".hdf5", ".nc")  # suffixes of result files


def check_output(
    path: Path, option: str, *, force: bool, suffixes: tuple[str, ...] = (), kept: Iterable[Path] = ()
) -> None:
    """Raise FileError if `path` could not be written, or must not be.

    Parameters
    ----------
    path : Path
        The file.
    option : str
        The option that names it, for messages.
    force : bool
        Whether an existing file may be replaced.
    suffixes : tuple of str
        What its name must end with; anything if empty.
    kept : iterable of Path
        Files that the command reads: they are never replaced.
    """
    at = f"{option} {path}"
    if suffixes and path.suffix.lower() not in suffixes:
        raise FileError(f"{at}: the name must end with {' or '.join([', '.join(suffixes[:-1]), suffixes[-1]])}")
    folder = path.parent
    if path.is_dir():
        raise FileError(f"{at}: is a folder; name a file in it")
    if not folder.is_dir():
        raise FileError(f"{at}: the folder {folder} does not exist")
    if not os.access(folder, os.W_OK):
        raise FileError(f"{at}: the folder {folder} cannot be written to")
    if not path.exists():
        return
    for other in kept:
        if other.exists() and path.samefile(other):
            raise FileError(f"{at}: is read by this command, so it is not replaced")
    if not force:
        raise FileError(f"{at}: exists already; --force replaces it")


def size_in_words(path: Path) -> str:
    """Return the size of a file as text."""
    from brnn.base.memory import in_words

    return in_words(path.stat().st_size)


@contextmanager
def written_whole(path: Path) -> Iterator[TextIO]:
    """Open a text file for writing that takes its name when it is complete: it is all there, or what it was before."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            yield file
        os.replace(partial, path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written ({error.strerror or error})") from None
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
