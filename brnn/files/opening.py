"""Opening a file with HDF5, whether its writer closed it or not, and what kind of file it is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brnn.errors import FileError
from brnn.files.attributes import text_of
from brnn.files.hdf5 import READ_ERRORS, reason
from brnn.files.locks import in_use, when_unlocked
from brnn.result.metadata import INCOMPLETE

if TYPE_CHECKING:
    import h5py

__all__ = ["being_written", "data_elsewhere", "kind_of", "marked_open", "open_hdf5", "status_of"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_MARK = "already open for"  # HDF5 on a file that carries the mark of one that is being written
_LOCKED = "unable to lock file"  # and on one that another program has locked


def open_hdf5(path: str | Path, stack: contextlib.ExitStack) -> h5py.File:
    """Open a file with HDF5, whether its writer closed it or not; the stack will close it."""
    import h5py

    try:
        if os.path.isdir(path):
            raise FileError(f"{path} is a folder, not a result file")
        with open(path, "rb") as start:
            if start.read(len(_SIGNATURE)) != _SIGNATURE:
                raise FileError(f"{path} is not a result file: it is not HDF5")
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from None
    try:
        try:
            file = stack.enter_context(when_unlocked(lambda: h5py.File(path, "r"), lambda error: _LOCKED in str(error)))
        except OSError as error:
            if _MARK not in str(error):
                raise
            file = stack.enter_context(h5py.File(path, "r", swmr=True))
        outer = data_elsewhere(file)
    except READ_ERRORS as error:
        raise FileError(f"{path} cannot be opened: {reason(error)}") from None
    if outer:
        raise FileError(f"{path} is damaged: {outer} stands in another file, and brnn reads none but this one")
    return file


def data_elsewhere(file: h5py.File) -> str:
    """Return the name of something that the file takes from another file, or nothing.

    A file that somebody else made could have HDF5 open, and brnn export, whatever the user may read.
    """
    from h5py import h5d, h5l, h5o

    def is_outer(name: bytes, link: h5l.LinkInfo) -> bytes | None:
        return name if link.type not in (h5l.TYPE_HARD, h5l.TYPE_SOFT) else None

    def has_outer_data(name: bytes, known: h5o.ObjInfo) -> bytes | None:
        if known.type != h5o.TYPE_DATASET:
            return None
        properties = h5d.open(file.id, name).get_create_plist()
        outer = properties.get_layout() == h5d.VIRTUAL or properties.get_external_count()
        return name if outer else None

    found: bytes | None = file.id.links.visit(is_outer, info=True) or h5o.visit(file.id, has_outer_data, info=True)
    return "" if found is None else f"/{found.decode('utf-8', 'replace')}"


def marked_open(path: str | Path) -> bool:
    """Tell whether the file carries HDF5's mark of a file that is being written.

    Early versions of brnn streamed runs in SWMR mode, and the mark stayed if they were killed while HDF5 closed the
    file. Then only programs open it that ask for ``swmr=True``.
    """
    import h5py

    try:
        h5py.File(path, "r").close()
    except OSError as error:
        return _MARK in str(error)
    except READ_ERRORS:
        pass
    return False


def being_written(path: Path) -> bool:
    """Tell whether a living process writes this result file."""
    return in_use(path) and status_of(path) == INCOMPLETE


def kind_of(path: str | Path) -> str:
    """Return the `kind` of a result file, "run" or "sweep", or "" if it is none."""
    try:
        with contextlib.ExitStack() as stack:
            return text_of(open_hdf5(path, stack).attrs["kind"])
    except READ_ERRORS:
        return ""


def status_of(path: str | Path) -> str:
    """Return the `status` of a result file, or "" if it is none."""
    try:
        with contextlib.ExitStack() as stack:
            file = open_hdf5(path, stack)
            if text_of(file.attrs.get("kind", "run")) == "sweep":
                return INCOMPLETE if np.any(file["missing"][()]) else "complete"
            return text_of(file.attrs["status"])
    except READ_ERRORS:
        return ""
