"""Samples that stay in the file until they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.errors import FileError
from brnn.files.hdf5 import READ_ERRORS, reason

if TYPE_CHECKING:
    import h5py

__all__ = ["KeptRows", "StoredRows", "refuse_claims"]

_SMALLER = 2000  # times that compression may make values smaller; gzip reaches 1032

Key = int | slice | tuple[int | slice, ...]


def refuse_claims(dataset: h5py.Dataset, label: str) -> None:
    """Raise FileError if a dataset claims far more values than are stored: a damaged file may claim any number.

    HDF5 would take the memory for all of them.
    """
    if dataset.size * dataset.dtype.itemsize > _SMALLER * dataset.id.get_storage_size():
        raise FileError(f"{label} is damaged: there are fewer values than there should be")


class StoredRows:
    """The rows of a dataset that count, read by ``rows[key]`` with integers and slices of positive step.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of shape (at least count, *cells).
    count : int
        Number of rows that count.
    label : str
        How error messages call it.
    """

    needs_hdf5 = True  # whether reading needs the file to stay open in HDF5

    def __init__(self, dataset: h5py.Dataset, count: int, label: str) -> None:
        self._dataset = dataset
        self._label = label
        self.shape: tuple[int, ...] = (count, *dataset.shape[1:])
        self.dtype = np.dtype(dataset.dtype)

    def __getitem__(self, key: Key) -> Any:
        first, *others = key if isinstance(key, tuple) else (key,)
        rows = range(self.shape[0])[first]
        plain = slice(rows.start, rows.stop, rows.step) if isinstance(rows, range) else rows
        if not self._dataset:
            raise FileError(f"{self._label} cannot be read: the file was closed; open it again with brnn.open")
        try:
            return self._dataset[(plain, *others)]
        except READ_ERRORS as error:
            raise FileError(f"{self._label} cannot be read: the file is damaged ({reason(error)})") from None

    def __deepcopy__(self, memo: dict[int, Any]) -> StoredRows:
        """Return itself, which never changes: xarray copies what it puts into trees."""
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as values: it may see no file, and what is read there later is what was read here."""
        return KeptRows, (np.asarray(self[:]),)

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def block(self) -> int:
        """Number of rows that are read together with little effort and memory (whole chunks, about 16 MB)."""
        chunk: int = self._dataset.chunks[0] if self._dataset.chunks else 1
        row = max(1, self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64)))
        return chunk * rows_at_once(row * chunk)


class KeptRows:
    """Rows that came from another process: those of a file there, in memory here.

    Parameters
    ----------
    values : ndarray
        All of them.
    """

    needs_hdf5 = False

    def __init__(self, values: np.ndarray) -> None:
        self._values = values
        self.shape: tuple[int, ...] = values.shape
        self.dtype = values.dtype
        self.block = max(1, len(values)) if values.ndim else 1

    def __getitem__(self, key: Key) -> Any:
        return self._values[key]

    def __len__(self) -> int:
        return len(self._values)
