"""What all files have in common: what h5py raises and how to say it, arrays in a file."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.text import short_repr
from brnn.errors import FileError

if TYPE_CHECKING:
    import h5py

__all__ = [
    "READ_ERRORS",
    "WRITE_ERRORS",
    "StoredArrays",
    "abandon",
    "reason",
    "text_name",
    "unused_value",
]

# What h5py raises when a write fails, and when a file is not what it should be.
WRITE_ERRORS = (OSError, RuntimeError)
READ_ERRORS = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)


def unused_value(dtype: np.dtype) -> Any:
    """Return a number that no variable has, for HDF5's fill value: what is equal to it counts as missing in Zarr.

    HDF5's own is 0, so that programs that read the file by way of Zarr (kerchunk, VirtualiZarr) lose every zero.
    """
    if dtype.kind == "f":
        return np.nan
    return np.iinfo(dtype).max if dtype.kind == "u" else np.iinfo(dtype).min if dtype.kind == "i" else b""


def text_name(name: str | bytes) -> str:
    """Return a name that h5py gave; ValueError if it is no text, which h5py gives as bytes."""
    if isinstance(name, bytes):
        raise ValueError(f"the name {short_repr(name)} in it is no text (UTF-8)")
    return name


def abandon(file: h5py.File) -> None:
    """Close a file that cannot be written any more, without writing anything more to it.

    HDF5 does not let go of a file before it could write what it still has, complains at every later opportunity, and
    may crash at the end of the process. So it gets a place where everything can be written.
    """
    with contextlib.suppress(*WRITE_ERRORS):
        sink = os.open(os.devnull, os.O_RDWR)
        os.dup2(sink, file.id.get_vfd_handle())
        os.close(sink)
    with contextlib.suppress(*WRITE_ERRORS):
        file.close()


class StoredArrays(Mapping[str, np.ndarray]):
    """The arrays of /network_arrays or /option_arrays, each read when it is asked for."""

    def __init__(self, group: h5py.Group | None) -> None:
        self._group = group
        # The others are their axes.
        self._names = () if group is None else tuple(name for name in group if "_" not in name)

    def __getitem__(self, name: str) -> np.ndarray:
        if self._group is None or name not in self._names:
            raise KeyError(name)
        try:
            return np.asarray(self._group[name][()])
        except READ_ERRORS as error:
            raise FileError(
                f"the array {name} cannot be read, the file is closed or damaged ({reason(error)})"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def reason(error: BaseException) -> str:
    """Return in a few words what HDF5 or the operating system did not like."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    short = re.search(r"truncated file: eof = (\d+),.* stored_eof = (\d+)", text)
    if short:
        return f"the file is truncated, {short.group(1)} of {short.group(2)} bytes are left"
    inner = re.search(r"error message = '([^']*)'", text)  # HDF5's report of a system call that failed
    if inner is None and isinstance(error, OSError) and error.errno and "(" not in text:
        return os.strerror(error.errno)
    inner = inner or re.search(r"\((.*)\)\s*$", text.split("\n")[0])
    return inner.group(1) if inner else text.split("\n")[0] or type(error).__name__
