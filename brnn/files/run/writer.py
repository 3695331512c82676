"""Results streamed to an HDF5 file while the run goes on, in bounded memory, so that a kill loses seconds only.

Crash safety has one strategy, HDF5's SWMR mode (single writer, multiple readers), which keeps the file valid at every
moment: all objects are made first; then rows are appended, and last the time axes, on whose length every reader
relies (see `brnn.files.run.series`). What SWMR leaves to the end, the first 48 bytes, is kept up to date by
`brnn.files.run.superblock`, so that a killed file opens in h5py and xarray without further ado. At the end
`status` and `solver`, attributes of fixed size, are written over in place, still in SWMR mode: reopening the file
for it would leave a moment in which a kill makes the file unreadable.

The file is made beside its final name and gets it when the first state is on disk; until then an older file of that
name stays what it is. A kill is not a power failure: what the operating system has not yet brought to the disk is
lost with the power, and then the file may be damaged.
"""

from __future__ import annotations

import contextlib
import os
import time as clock
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import choice, number, whole
from brnn.base.paths import check_target, move_into_place, temporary_name
from brnn.errors import FileError, InputError
from brnn.files.hdf5 import WRITE_ERRORS, abandon, reason
from brnn.files.opening import status_of
from brnn.files.run.create import create, mark
from brnn.files.run.events import EventLog
from brnn.files.run.reader import open_result
from brnn.files.run.series import Axis, Series
from brnn.files.run.superblock import Superblock, in_use
from brnn.result.columns import Column, columns, thin
from brnn.result.events import Happened
from brnn.result.memory import MemoryRecorder
from brnn.result.metadata import INCOMPLETE, STATUSES, Metadata
from brnn.spec.variable import Variable

if TYPE_CHECKING:
    import h5py

    from brnn.result.result import Result

__all__ = ["FileRecorder", "being_written"]

_LOOKS = 10
_MARGIN = 1024 * 1024  # bytes of HDF5's own structures that one `write` may add, and more
_PATIENCE = 20.0  # flushing takes one part in 20 of the time at most, unless that would need
_LONGEST = 5.0  # more than this many times `flush_every`


class FileRecorder:
    """Streams a run into an HDF5 file.

    Parameters
    ----------
    path : str or Path
        The file. It appears with the first state.
    variables : sequence of Variable
        The blocks of the state vector.
    metadata : Metadata
        From `brnn.result.metadata.metadata`.
    force : bool
        Replace an existing file, at the moment when the first new state is on disk.
    select : iterable of str, optional
        Names of the variables that are recorded; all by default.
    ltm_every : float, optional
        Least time between saved weights; the last ones are always kept.
    dtype : {"float64", "float32"}
        Precision of what is kept.
    n_times : int, optional
        How many times will be written, if it is known.
    flush_every : float
        Seconds after which what is recorded is brought to the disk, at the next `write` (0: at each). Where that
        takes long, up to five times as many.
    compression : int, optional
        gzip level 0 to 9; by default 1 for small rows and none for large ones (see `brnn.result.columns.storage`).

    Raises
    ------
    FileError
        If the file exists, its folder does not, or it cannot be written.
    InputError
        If an option is not valid.
    """

    def __init__(
        self,
        path: str | Path,
        variables: Sequence[Variable],
        metadata: Metadata,
        *,
        force: bool = False,
        select: Iterable[str] | None = None,
        ltm_every: float | None = None,
        dtype: str = "float64",
        n_times: int | None = None,
        flush_every: float = 1.0,
        compression: int | None = None,
    ) -> None:
        self._columns: tuple[Column, ...] = columns(variables, select, ltm_every)
        self._metadata = metadata
        self._ltm_every = None if ltm_every is None else number(ltm_every, "record: ltm_every", above=0.0)
        self._dtype = choice(dtype, "record: dtype", ("float64", "float32"))
        self._n_times = n_times
        self._flush_every = number(flush_every, "record: flush_every", minimum=0.0)
        self._compression = None if compression is None else whole(compression, "record: compression", minimum=0)
        if self._compression is not None and self._compression > 9:
            raise InputError(f"record: compression = {compression}: must be a gzip level from 0 to 9")
        self._name = str(path)
        self._force = force
        self._path = check_target(path, force)
        if self._path.exists() and being_written(self._path):
            raise FileError(f"{path} cannot be replaced: another run is writing it")
        self._file: h5py.File | None = None
        self._in_place = False
        self._kept = np.nan  # time up to which the file is on the disk
        self._failure: FileError | None = None
        self._series: dict[str, Series] = {}
        self._axes: dict[str, Axis] = {}
        self._unfinished: tuple[np.ndarray, np.ndarray, dict[str, int], float] | None = None
        self._last_weight = -np.inf  # time
        self._last: tuple[float, np.ndarray] | None = None  # time and weights, if they were not kept
        self._flushed = -np.inf
        self._held_back = False
        self._pause = self._flush_every
        self._happened: list[Happened] = []
        self._events: EventLog | None = None

    def write(self, times: np.ndarray, states: np.ndarray) -> None:
        """Record states.

        Parameters
        ----------
        times : ndarray, shape (k,)
            Rising, later than those of earlier calls.
        states : ndarray, shape (k, size)
            May be used for something else afterwards.

        Raises
        ------
        FileError
            If the disk is full or fails. What was recorded before stays readable.
        """
        if self._failure is not None:
            raise self._failure
        with self._translated():
            if self._file is None:
                self._begin()
            counts = {name: axis.count for name, axis in self._axes.items()}
            self._unfinished = (times, states, counts, self._last_weight)
            self._reserve(states.nbytes)
            self._store()
            self._held_back = True
        self.keep()

    def happened(self, row: Happened) -> None:
        """Record an event."""
        self._happened.append(row)
        self._held_back = self._held_back or self._file is not None

    def keep(self) -> None:
        """Bring to the disk what was written since, if that is due. To be called now and then between writes."""
        if self._held_back and self._failure is None and clock.monotonic() - self._flushed >= self._pause:
            with self._translated():
                self._commit()

    def finish(self, status: str, solver: Mapping[str, Any]) -> Result:
        """Close the file and return what it holds.

        Parameters
        ----------
        status : {"complete", "steady", "failed", "interrupted"}
            How the run ended.
        solver : mapping
            What is known of the solver: method, evaluations, steps, seconds, message, and more if wanted.
        """
        choice(status, "status", STATUSES)
        if self._failure is None and self._file is not None:
            with contextlib.suppress(FileError):
                self._finish(status, solver)
        # A run that did not end well has an error of its own to tell.
        if self._failure is not None and status in ("complete", "steady"):
            raise self._failure
        if not self._in_place:
            return self._nothing(status, solver)

        return open_result(self._path)

    def _finish(self, status: str, solver: Mapping[str, Any]) -> None:
        with self._translated():
            if self._file is None:
                return
            self._reserve(0)
            self._store()  # again, if it was interrupted
            if self._last is not None:
                self._put_weights(np.array([self._last[0]]), self._last[1][None, :], np.arange(1))
            self._commit(final=True)
            mark(self._file, status, solver)
            self._settle()
            self._file.close()
            self._superblock.close()
            self._file = None

    def _begin(self) -> None:
        import h5py

        self._temporary = temporary_name(self._path)
        # v110 is the oldest format that knows SWMR. No chunk cache: chunks are written whole, and at once.
        file = h5py.File(self._temporary, "w", libver=("v110", "v110"), track_order=True, rdcc_nbytes=0)
        try:
            layout = create(
                file,
                self._columns,
                self._metadata,
                dtype=self._dtype,
                n_times=self._n_times,
                status=INCOMPLETE,
                solver={},
                compression=self._compression,
            )
            if self._metadata.events:
                units = str(self._metadata.attributes.get("time_units", "1"))
                self._events = EventLog(file, self._metadata.events, units, self._happened)
            self._series = {name: Series(dataset) for name, dataset in layout.columns.items()}
            self._axes = {name: Axis(layout.axes[name]) for name in ("time", "ltm_time") if name in layout.axes}
            self._buffered = sum(series.buffered for series in self._series.values())
            file.swmr_mode = True
            self._superblock = Superblock(self._temporary)
        except BaseException:
            abandon(file)
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)
            raise
        self._file = file

    def _store(self) -> None:
        """Hand the rows of `_unfinished` to their series. After an interruption it starts from the beginning."""
        if self._unfinished is None:
            return
        times, states, counts, last = self._unfinished
        for name, axis in self._axes.items():
            axis.count = counts[name]
        main = self._axes.get("time")
        for column in self._columns:
            if column.axis == "time" and main is not None:
                self._put(column, main.count, states[:, column.start : column.stop])
        keep, last = thin(times, self._ltm_every, last)
        self._put_weights(times, states, keep)
        if main is not None:
            main.put(times)
        if "ltm_time" in self._axes and times.size:
            self._last = None if last == times[-1] else (float(times[-1]), states[-1].copy())
        self._last_weight = last
        self._unfinished = None

    def _put_weights(self, times: np.ndarray, states: np.ndarray, keep: np.ndarray) -> None:
        axis = self._axes.get("ltm_time")
        if axis is None or keep.size == 0:
            return
        for column in self._columns:
            if column.axis == "ltm_time":
                self._put(column, axis.count, states[keep, column.start : column.stop])
        axis.put(times[keep])

    def _put(self, column: Column, at: int, rows: np.ndarray) -> None:
        self._series[column.name].put(at, rows.reshape(len(rows), *column.shape))

    def _commit(self, final: bool = False) -> None:
        """Bring everything to the disk: the rows, then the times that make them count."""
        begun = clock.monotonic()
        self._held_back = False
        for series in self._series.values():
            series.flush(final)
        if self._events is not None:
            self._reserve(self._events.waiting)
            self._events.commit()
        # The times of the weights first: where there is a state, there are its weights.
        for axis in reversed(self._axes.values()):
            axis.commit()
        self._kept = next(iter(self._axes.values())).last
        if not self._in_place:
            move_into_place(self._temporary, self._path, self._force)
            self._in_place = True
        self._settle()
        self._flushed = clock.monotonic()
        cost = self._flushed - begun
        self._pause = self._flush_every * min(_LONGEST, max(1.0, _PATIENCE * cost))

    def _reserve(self, size: int) -> None:
        if self._file is not None:
            end = self._file.id.get_filesize()
            self._superblock.reserve(end + size + size // 8 + self._buffered + _MARGIN)

    def _settle(self) -> None:
        if self._file is not None:
            self._superblock.settle(self._file.id.get_filesize())

    @contextlib.contextmanager
    def _translated(self) -> Any:
        """Turn what HDF5 and the operating system raise into a FileError, and give the file up."""
        try:
            yield
        except FileError as error:
            self._give_up(error)
            raise
        except WRITE_ERRORS as error:
            kept = f"; what was saved until t = {self._kept:g} is kept" if self._in_place else ""
            failure = FileError(f"{self._name} cannot be written: {reason(error)}{kept}")
            self._give_up(failure)
            raise failure from None

    def _give_up(self, failure: FileError) -> None:
        """Let go of the file. Its time axes do not count what was not written, so that it stays valid."""
        self._failure = failure
        if self._file is None:
            return
        abandon(self._file)
        self._superblock.settle(None)
        self._superblock.close()
        if not self._in_place:
            with contextlib.suppress(OSError):
                os.unlink(self._temporary)

    def _nothing(self, status: str, solver: Mapping[str, Any]) -> Result:
        """Return the result of a run that ended before its first state was recorded."""
        recorder = MemoryRecorder(self._columns, 0, self._metadata)
        for row in self._happened:
            recorder.happened(row)
        return recorder.finish(status, solver)


def being_written(path: Path) -> bool:
    """Tell whether a living process writes this result file."""
    for _ in range(_LOOKS):
        if not in_use(path):
            return False
        status = status_of(path)
        if status:
            return status == INCOMPLETE
        clock.sleep(0.02)  # its writer may just have been changing it
    return False
