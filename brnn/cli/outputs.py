"""The files that commands write, in words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from brnn.base.text import bytes_in_words

__all__ = ["RESULTS", "print_written", "size_in_words"]

RESULTS = (".h5", ".hdf5", ".nc")  # suffixes of result files


def size_in_words(path: Path) -> str:
    """Return the size of a file as text."""
    return bytes_in_words(path.stat().st_size)


def print_written(paths: Iterable[Path], as_json: bool) -> None:
    """Say which files were written: a line each, or one JSON object."""
    if not as_json:
        for path in paths:
            print(f"wrote {path} ({size_in_words(path)})")
        return
    from brnn.cli.as_json import print_json, written

    print_json({"files": [written(path) for path in paths]})
