"""An HDF5 file that is made once, whole, then filled in place, so that it is valid at every moment.

All sizes are known when the file is made, so every dataset is contiguous and stays where it is. HDF5 makes the file and
closes it; from then on rows are written at the places that HDF5 gave the datasets, and no byte of HDF5's own structures
changes again. So there is nothing that a kill can leave half done but the rows in flight, and no mark of an open file.
What was written is kept when the process is killed: the operating system has it. Power failures are another matter.
Where more rows come than there is room for, a larger file is made beside this one, which it then replaces.

Every variable is filled with NaN (-1, nothing) when the file is made. That is what stands where rows are missing; and
it takes the disk space of all of them at once, so that a disk that is too small shows before anything is computed.
"""

from __future__ import annotations

import contextlib
import io
import math
import os
import threading
import warnings
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.paths import identity
from brnn.base.text import bytes_in_words
from brnn.errors import FileError
from brnn.files.hdf5 import READ_ERRORS, reason
from brnn.files.locks import lock_for_writing
from brnn.files.stored import Key, StoredRows

if TYPE_CHECKING:
    import h5py

__all__ = [
    "FilePlace",
    "PlacedFile",
    "PlacedRows",
    "SharedFile",
    "check_room",
    "fill_value",
    "place_of",
    "release",
    "reserve",
    "take_place",
    "warn_of_deletion",
]

_GAP = 16 * 1024  # bytes of other members that are written again (the same) rather than the rows apart


@dataclass(frozen=True)
class FilePlace:
    """Where a variable stands in the file: its first byte, the type of an element, and its shape."""

    offset: int
    dtype: np.dtype
    shape: tuple[int, ...]

    @property
    def row(self) -> int:
        """Bytes of one row."""
        return math.prod(self.shape[1:]) * self.dtype.itemsize

    @property
    def end(self) -> int:
        """The byte behind the last one."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


class PlacedFile:
    """An open file whose variables are read and written in place.

    Parameters
    ----------
    path : Path
        An HDF5 file that nobody writes.
    where : mapping
        The places of its variables.

    Raises
    ------
    BlockingIOError
        If another program has it open, and still has it a second later.
    """

    def __init__(self, path: Path, where: Mapping[str, FilePlace]) -> None:
        self.places = dict(where)
        self._file = open(path, "r+b", buffering=0)  # noqa: SIM115 - closed by `close`
        self._size = os.fstat(self._file.fileno()).st_size
        try:
            lock_for_writing(self._file.fileno())
        except BlockingIOError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file, which is always in order."""
        self._file.close()

    def same_as(self, path: Path) -> bool:
        """Tell whether this is still the file that has the name `path`."""
        return identity(self._file.fileno()) == identity(path)

    def still_at(self, path: Path, label: str) -> bool:
        """Tell whether this is still the file that has the name `path`; False if nothing has: it was deleted or moved.

        Locks keep nobody from deleting a file, from replacing it, and from cutting it.

        Raises
        ------
        FileError
            If something else has the name now, or the file is shorter than it was: then what was in it is lost.
        """
        size = os.fstat(self._file.fileno()).st_size
        if size < self._size:
            raise FileError(f"{label} cannot be written: something else cut it, {size} of {self._size} bytes are left")
        if self.same_as(path):
            return True
        if os.path.lexists(path):
            raise FileError(f"{label} cannot be written: something else has replaced it")
        return False

    def put(self, name: str, rows: np.ndarray, values: np.ndarray) -> None:
        """Write `values` (k, ...) into the rows with the numbers `rows` (k,), which rise.

        Cells that the values do not have get the fill value.
        """
        place = self.places[name]
        values = _padded(values, place)
        row = max(1, place.row)
        cuts = np.flatnonzero(np.diff(rows) > max(1, _GAP // row)) + 1
        for first, last in zip([0, *cuts.tolist()], [*cuts.tolist(), len(rows)], strict=True):
            start, stop = int(rows[first]), int(rows[last - 1]) + 1
            block = values[first:last]
            if stop - start > last - first:
                # Between them are rows of other members: the same bytes are written over them.
                between = self.read(name, start, stop)
                between[rows[first:last] - start] = block
                block = between
            self._write(place.offset + start * row, block)

    def put_block(self, name: str, start: int, values: np.ndarray) -> None:
        """Write `values` (k, ...) into the rows `start`, `start` + 1, ..."""
        place = self.places[name]
        self._write(place.offset + start * place.row, _padded(values, place))

    def put_scalar(self, name: str, value: float) -> None:
        """Write a variable that is one number."""
        place = self.places[name]
        self._write(place.offset, np.array([value], place.dtype))

    def fill(self, name: str, first: int = 0) -> None:
        """Write the fill value everywhere, or from the row `first` on."""
        place = self.places[name]
        count = place.shape[0]
        step = rows_at_once(place.row)
        block = np.full((min(step, count - first), *place.shape[1:]), fill_value(place.dtype), place.dtype)
        for start in range(first, count, step):
            self.put_block(name, start, block[: count - start])

    def read(self, name: str, start: int, stop: int) -> np.ndarray:
        """Return the rows from `start` to before `stop`; of a single number, the number."""
        place = self.places[name]
        shape = (stop - start, *place.shape[1:]) if place.shape else ()
        result = np.empty(shape, place.dtype)
        _read(self._file, place.offset + start * place.row, result)
        return result

    def _write(self, offset: int, values: np.ndarray) -> None:
        view = _bytes(np.ascontiguousarray(values))
        self._file.seek(offset)
        while len(view):
            view = view[self._file.write(view) :]


class SharedFile:
    """A file that several variables are read from, by any thread; the stack closes it. It is not locked.

    HDF5 would keep what it read once, and its lock would keep a sweep from being resumed. Who drops the last of the
    variables has closed it, as with an array of NumPy that is mapped from a file.
    """

    def __init__(self, path: str | Path, stack: contextlib.ExitStack) -> None:
        self._file = stack.enter_context(open(path, "rb", buffering=0))  # noqa: SIM115
        weakref.finalize(self, self._file.close)
        self._alone = threading.Lock()
        self.size = os.fstat(self._file.fileno()).st_size

    @property
    def closed(self) -> bool:
        """Whether it was closed."""
        return self._file.closed

    @property
    def identity(self) -> tuple[int, int] | None:
        """What tells it from another file of its name."""
        return identity(self._file.fileno())

    def read(self, offset: int, values: np.ndarray) -> None:
        """Fill an array, which is in one piece, with the bytes from `offset` on."""
        with self._alone:
            _read(self._file, offset, values)


class PlacedRows(StoredRows):
    """The rows of a variable that stands in one piece, read past HDF5."""

    needs_hdf5 = False

    def __init__(self, source: SharedFile, place: FilePlace, label: str) -> None:
        if place.end > source.size:
            raise FileError(f"{label} is damaged: the file is truncated, {source.size} of {place.end} bytes are left")
        self._source = source
        self.place = place
        self._label = label
        self.shape = place.shape
        self.dtype = place.dtype

    def __getitem__(self, key: Key) -> Any:
        if self._source.closed:
            raise FileError(f"{self._label} cannot be read: the file was closed; open it again with brnn.open")
        try:
            return self._selected(key)
        except READ_ERRORS as error:
            raise FileError(f"{self._label} cannot be read: the file is damaged ({reason(error)})") from None

    def _selected(self, key: Key) -> Any:
        if not self.shape:
            return self._rows(0, 1)
        first, *others = key if isinstance(key, tuple) else (key,)
        rows = range(self.shape[0])[first]
        if isinstance(rows, int):
            return self._rows(rows, rows + 1)[(0, *others)]
        step = rows_at_once(self.place.row * rows.step)
        parts = []  # so that no more than the part that is asked for is in memory at once
        for k in range(0, len(rows), step):
            part = rows[k : k + step]
            parts.append(self._rows(part[0], part[-1] + 1)[(slice(None, None, rows.step), *others)])
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else np.empty((0, *self.shape[1:]), self.dtype)[(slice(None), *others)]

    def _rows(self, start: int, stop: int) -> np.ndarray:
        shape = (stop - start, *self.shape[1:]) if self.shape else ()
        values = np.empty(shape, self.dtype)
        self._source.read(self.place.offset + start * self.place.row, values)
        return values


def fill_value(dtype: np.dtype) -> Any:
    """Return what stands where there is nothing: NaN, -1, 0 (unsigned), or the empty text."""
    return {"f": np.nan, "i": -1, "u": 0, "S": b""}[dtype.kind]


def _bytes(values: np.ndarray) -> memoryview:
    plain: Any = values.reshape(-1).view(np.uint8)
    return memoryview(plain)


def _read(file: io.FileIO, offset: int, values: np.ndarray) -> None:
    view = _bytes(values)
    file.seek(offset)
    while len(view):
        count = file.readinto(view)
        if not count:
            raise OSError("the file is shorter than it should be")
        view = view[count:]


def _padded(values: np.ndarray, place: FilePlace) -> np.ndarray:
    if values.shape[1:] == place.shape[1:]:
        return values.astype(place.dtype, copy=False)
    padded = np.full((len(values), *place.shape[1:]), fill_value(place.dtype), place.dtype)
    padded[tuple(slice(size) for size in values.shape)] = values
    return padded


def warn_of_deletion(label: str) -> None:
    """Say that an output was deleted while it grows, and that nothing is lost: it is still open here."""
    message = f"{label} was deleted or moved while it was being written; it is written anew, with all that was in it"
    warnings.warn(message, UserWarning, stacklevel=2)


def check_room(path: Path, label: str, size: int) -> None:
    """Raise FileError if `size` bytes do not fit on the disk."""
    if hasattr(os, "statvfs"):
        disk = os.statvfs(path.parent)
        free = disk.f_bavail * disk.f_frsize
        if size > free:
            needed, left = bytes_in_words(size), bytes_in_words(free)
            raise FileError(f"{label} cannot be written: it needs {needed}, and {left} are free on the disk")


def place_of(dataset: h5py.Dataset) -> FilePlace | None:
    """Return where a dataset stands; None if it is not in one piece, as `create` makes it."""
    shape, dtype = dataset.shape, dataset.dtype
    if dtype == "S1" and shape:
        shape, dtype = shape[:-1], np.dtype(f"S{shape[-1]}")
    offset = dataset.id.get_offset()
    if dataset.chunks is not None or (offset is None and dataset.size):
        return None
    return FilePlace(offset or 0, dtype, shape)


def take_place(dataset: h5py.Dataset) -> FilePlace:
    """Write one element, so that HDF5 gives the dataset, which is in one piece, its place; return it."""
    from h5py import h5s

    if dataset.size:
        space = dataset.id.get_space()
        if dataset.ndim:
            space.select_elements([(0,) * dataset.ndim])
        dataset.id.write(h5s.create_simple((1,)), space, np.zeros(1, dataset.dtype))
    place = place_of(dataset)
    assert place is not None
    return place


def release(path: Path) -> None:
    """Give back the disk space that `reserve` took and HDF5 did not use. The file has an old superblock."""
    with open(path, "rb+") as file:
        start = file.read(48)
        if start[8:9] == b"\0":
            file.truncate(int.from_bytes(start[40:48], "little"))


def reserve(file: h5py.File, size: int) -> None:
    """Take the disk space of a new file, before HDF5 writes anything: it cannot cope with a disk that is full."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file.id.get_vfd_handle(), 0, size)
