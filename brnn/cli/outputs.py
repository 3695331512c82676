"""The files that commands write, in words."""

from __future__ import annotations

from pathlib import Path

from brnn.base.text import bytes_in_words

__all__ = ["RESULTS", "size_in_words"]

RESULTS = (".h5", ".hdf5", ".nc")  # suffixes of result files


def size_in_words(path: Path) -> str:
    """Return the size of a file as text."""
    return bytes_in_words(path.stat().st_size)
