"""Opening a file with HDF5, whether its writer closed it or not, and what kind of file it is."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from brnn.errors import FileError
from brnn.files.hdf5 import READ_ERRORS, reason, text_of
from brnn.files.run.heap import heaps_are_whole
from brnn.files.run.superblock import SIGNATURE, MendedFile, marked_open
from brnn.result.metadata import INCOMPLETE

if TYPE_CHECKING:
    import h5py

__all__ = ["kind_of", "open_hdf5", "status_of"]


def open_hdf5(path: str | Path, stack: contextlib.ExitStack) -> h5py.File:
    """Open a file with HDF5, whether its writer closed it or not; the stack will close it."""
    import h5py

    try:
        if os.path.isdir(path):
            raise FileError(f"{path} is a folder, not a result file")
        with open(path, "rb") as start:
            if start.read(len(SIGNATURE)) != SIGNATURE:
                raise FileError(f"{path} is not a result file: it is not HDF5")
        if not heaps_are_whole(path):
            raise FileError(f"{path} is damaged: the texts that describe it cannot be read")
        source = stack.enter_context(MendedFile(path)) if marked_open(path) else path
    except FileError:
        raise
    except FileNotFoundError:
        raise FileError(f"{path} does not exist") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path} cannot be read: {reason(error)}") from None
    try:
        return stack.enter_context(h5py.File(source, "r"))
    except READ_ERRORS as error:
        raise FileError(f"{path} cannot be opened: {reason(error)}") from None


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
                return INCOMPLETE if file["missing"][()] else "complete"
            return text_of(file.attrs["status"])
    except READ_ERRORS:
        return ""
