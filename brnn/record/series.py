"""The samples of one variable, appended to its dataset in chunks that a kill cannot spoil."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

__all__ = ["Axis", "Series"]

_BLOCK = 8 * 1024 * 1024  # bytes that are converted at once


class Series:
    """Appends rows to a dataset (time, *cells).

    A chunk that is full is written once, compressed. A chunk that has to be on disk before it is full is written as
    it is, past the filters, and stays so: its place and its size never change, later rows are added in it, and
    writing over the earlier ones writes the same bytes. Rewriting a compressed chunk would move it each time, and
    SWMR does not give the old place back.

    Parameters
    ----------
    dataset : h5py.Dataset
        Of shape (0, *cells), chunked (k, *cells), or (1, ...) for large rows.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self._rows: int = dataset.chunks[0]
        self._filters = (1 << dataset.id.get_create_plist().get_nfilters()) - 1
        shape = dataset.chunks if self._rows > 1 else (0,)
        self._buffer = np.zeros(shape, dtype=dataset.dtype)
        self._chunk = 0  # number of the chunk in the buffer
        self._filled = 0  # rows of it that are known
        self._raw = False  # whether it is on disk, past the filters
        self._dirty = False

    @property
    def buffered(self) -> int:
        """Bytes of the chunk that is being filled."""
        return self._buffer.nbytes

    def put(self, at: int, rows: np.ndarray) -> None:
        """Store rows number `at`, `at` + 1, ...; those that were stored before are overwritten."""
        if self._rows == 1:
            step = max(1, _BLOCK // max(1, rows[:1].nbytes))
            for k in range(0, len(rows), step):
                block = rows[k : k + step]
                self._extend(at + k + len(block))
                self._dataset[at + k : at + k + len(block)] = block
            return
        while len(rows):
            chunk, offset = divmod(at, self._rows)
            if chunk != self._chunk:
                self._turn_to(chunk, offset)
            count = min(self._rows - offset, len(rows))
            self._buffer[offset : offset + count] = rows[:count]
            self._filled = offset + count
            self._dirty = True
            if self._filled == self._rows:
                self._write(raw=self._raw)
            at, rows = at + count, rows[count:]

    def flush(self, final: bool = False) -> None:
        """Bring everything to the disk. `final`: no row will follow."""
        if self._dirty:
            self._write(raw=self._raw or not final)
        self._dataset.flush()

    def _turn_to(self, chunk: int, offset: int) -> None:
        self._chunk, self._filled, self._raw, self._dirty = chunk, 0, False, False
        first = chunk * self._rows
        if offset:  # only when rows are stored again after an interruption
            self._buffer[:offset] = self._dataset[first : first + offset]

    def _write(self, raw: bool) -> None:
        first = self._chunk * self._rows
        self._extend(first + self._filled)
        if raw:
            place = (first,) + (0,) * (self._dataset.ndim - 1)
            self._dataset.id.write_direct_chunk(place, self._buffer, self._filters)
        else:
            self._dataset[first : first + self._filled] = self._buffer[: self._filled]
        self._raw, self._dirty = raw, False

    def _extend(self, rows: int) -> None:
        if rows > self._dataset.shape[0]:
            self._dataset.resize(rows, axis=0)


class Axis:
    """A time axis: the only thing that says how many rows count.

    Its dataset grows after the rows themselves are on disk, so that a reader of a killed file who trusts its length
    reads only rows that were written.

    Attributes
    ----------
    count : int
        Rows that are stored.
    last : float
        The last time that counts; NaN if there is none.
    """

    def __init__(self, dataset: h5py.Dataset) -> None:
        self._dataset = dataset
        self.count = 0
        self.last = math.nan
        # Both change in one assignment, so that an interruption finds them in agreement.
        self._state: tuple[int, np.ndarray] = (0, np.empty(0))

    def put(self, times: np.ndarray) -> None:
        """Add times, those of rows that are stored."""
        committed, fresh = self._state
        self._state = (committed, np.concatenate([fresh[: self.count - committed], times]))
        self.count += len(times)

    def commit(self) -> None:
        """Let the rows count, on disk."""
        committed, fresh = self._state
        if self.count > committed:
            self._dataset.resize((self.count,))
            self._dataset[committed : self.count] = fresh[: self.count - committed]
            self._dataset.flush()
            self._state = (self.count, np.empty(0))
            self.last = float(fresh[self.count - committed - 1])
