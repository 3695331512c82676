"""The samples of one variable, appended to its dataset in chunks that a kill cannot spoil."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import h5py

__all__ = ["Axis", "Series"]

_BLOCK = 8 * 1024 * 1024  # bytes that are converted at once


class _Chunk:
    """A chunk that is being filled.

    Attributes
    ----------
    number : int
        Its place: rows number * k, ...
    rows : ndarray, shape (k, *cells)
        Its samples.
    filled : int
        How many of them are known.
    raw : bool
        Whether it is on disk as it is, past the filters.
    dirty : bool
        Whether the disk does not have all of it.
    """

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        self.rows = np.zeros(shape, dtype)
        self.begin(-1)

    def begin(self, number: int) -> _Chunk:
        """Become another chunk, an empty one."""
        self.number, self.filled, self.raw, self.dirty = number, 0, False, False
        return self


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
        # The chunk in which the last call of `put` began is kept until the next call, because an interrupted call
        # is repeated. (To read it back from the file does not do: HDF5 2.0 fails to read what it wrote past filters
        # itself.)
        self._first = _Chunk(shape, dataset.dtype)
        self._other = _Chunk(shape, dataset.dtype)
        self._current = self._first

    @property
    def buffered(self) -> int:
        """Bytes of the chunks that are being filled."""
        return 2 * self._first.rows.nbytes

    def put(self, at: int, rows: np.ndarray) -> None:
        """Store rows number `at`, `at` + 1, ..., either the next ones or those of the last call again."""
        if self._rows == 1:
            self._put_large(at, rows)
            return
        number = at // self._rows
        if number == self._other.number:
            self._first, self._other = self._other, self._first
        elif number != self._first.number:
            self._first.begin(number)
        self._current = self._first
        while len(rows):
            number, offset = divmod(at, self._rows)
            if number != self._current.number:
                self._current = self._other.begin(number)
            chunk = self._current
            count = min(self._rows - offset, len(rows))
            chunk.rows[offset : offset + count] = rows[:count]
            chunk.filled, chunk.dirty = offset + count, True
            if chunk.filled == self._rows:
                self._write(chunk, raw=chunk.raw)
            at, rows = at + count, rows[count:]

    def flush(self, final: bool = False) -> None:
        """Bring everything to the disk. `final`: no row will follow."""
        if self._current.dirty:
            self._write(self._current, raw=self._current.raw or not final)
        self._dataset.flush()

    def _put_large(self, at: int, rows: np.ndarray) -> None:
        step = max(1, _BLOCK // max(1, rows[:1].nbytes))
        for k in range(0, len(rows), step):
            block = rows[k : k + step]
            self._extend(at + k + len(block))
            self._dataset[at + k : at + k + len(block)] = block

    def _write(self, chunk: _Chunk, raw: bool) -> None:
        first = chunk.number * self._rows
        self._extend(first + chunk.filled)
        chunk.raw = raw  # before it is: if we are interrupted, it may be
        if raw:
            self._dataset.id.write_direct_chunk((first,) + (0,) * (self._dataset.ndim - 1), chunk.rows, self._filters)
        else:
            self._dataset[first : first + chunk.filled] = chunk.rows[: chunk.filled]
        chunk.dirty = False

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
