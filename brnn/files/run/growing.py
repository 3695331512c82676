"""The file of a run while the run goes on: made whole with room for rows to come, then filled in place.

It is valid at every moment (see `brnn.files.placed`): the rows are written first, and last the times that make them
count. Where there is no time, NaN, the run has not come yet.

There is room for all rows if they are 64 MB or less together, else for so many at first; when they are used up, a file
with twice as much takes its place. Events, of which nobody knows how many there will be, likewise. So at most half of
the file is empty, and each row is written a constant number of times.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.paths import move_into_place, set_aside, temporary_name
from brnn.errors import FileError
from brnn.files.hdf5 import abandon
from brnn.files.placed import PlacedFile, check_room, reserve, take_place, warn_of_deletion
from brnn.files.run.create import create, create_bytes, needed
from brnn.files.run.events import create_events
from brnn.result.columns import Column
from brnn.result.events import TYPES
from brnn.result.metadata import INCOMPLETE, Metadata

__all__ = ["EVENTS", "GrowingFile"]

EVENTS = "event"  # the axis of events; their columns are called "event.time" and so on
_ROOM = 64 * 1024 * 1024  # bytes of rows for which there is room at first,
_ROWS = 256  # or rows, if nobody knows how many will come
_EVENTS = 1024  # rows
_SLOTS = ("a", "b")  # of checkpoints, which are written in turn


class GrowingFile:
    """Takes the rows of a run.

    Parameters
    ----------
    path : Path
        The file. It appears with the first rows.
    label : str
        How error messages call it.
    columns : sequence of Column
        What is recorded.
    metadata : Metadata
        Root attributes and arrays.
    dtype : {"float64", "float32"}
        Precision of the samples.
    expected : mapping
        How many rows will come along each axis for which that is known; there may be fewer or more.
    force : bool
        Replace an existing file, when the first rows are there.
    checkpoint : int
        About how many bytes a checkpoint will have.
    """

    def __init__(
        self,
        path: Path,
        label: str,
        columns: Sequence[Column],
        metadata: Metadata,
        *,
        dtype: str,
        expected: Mapping[str, int],
        force: bool,
        checkpoint: int = 2048,
    ) -> None:
        self._path = path
        self._temporary = temporary_name(path)
        self._label = label
        self._columns = columns
        self._metadata = metadata
        self._dtype = dtype
        self._expected = expected
        self._force = force
        self._former: Path | None = None  # another name of the file that ours has replaced
        self._file: PlacedFile | None = None
        self._next: PlacedFile | None = None  # what is about to take its place
        self._axis_of = {column.name: str(column.axis) for column in columns}
        if metadata.events:
            self._axis_of |= {f"{EVENTS}.{name}": EVENTS for name in TYPES}
        self.axes = tuple(dict.fromkeys(self._axis_of.values()))
        # The datasets that hold the times of an axis, or the numbers of the events.
        self._marks = {axis: [axis] if axis == EVENTS else [] for axis in self.axes}
        for column in columns:
            name = f"{column.group}/{column.axis}"
            if name not in self._axis_of:
                self._axis_of[name] = column.axis
                self._marks[column.axis].append(name)
        self._axis_of |= {axis: axis for axis in self.axes if axis == EVENTS}
        self._slot = checkpoint
        self._written = 0  # checkpoints

    @property
    def begun(self) -> bool:
        """Whether there are rows under the name of the file."""
        return self._file is not None

    @property
    def in_place(self) -> bool:
        """Whether the file that has our name is ours, and whole."""
        try:
            return self._file is not None and self._file.still_at(self._path, self._label)
        except FileError:
            return False

    def write(
        self,
        first: Mapping[str, int],
        rows: Mapping[str, Any],
        axes: Mapping[str, np.ndarray],
        checkpoint: Callable[[int], bytes] | None = None,
    ) -> None:
        """Write rows behind those that are there, or over them. After an interruption it may be done again.

        Parameters
        ----------
        first : mapping
            How many rows there are along each axis.
        rows : mapping
            More rows for each column: arrays, or what has a length and gives arrays for slices.
        axes : mapping
            Their times and the numbers of events, which are written in this order when the rows are there.
        checkpoint : callable, optional
            Returns the bytes of what the run needs to go on after these rows, which is its checkpoint of this number.
        """
        self._settle()
        data = None if checkpoint is None else np.frombuffer(checkpoint(self._written + 1), dtype=np.uint8)
        narrow = data is not None and data.size > self._slot
        if narrow and data is not None:
            self._slot = 2 * data.size
        file = self._with_room(first, {axis: first[axis] + len(axes[axis]) for axis in first}, narrow)
        marks = ((name, values) for axis, values in axes.items() for name in self._marks[axis])
        for name, values in (*rows.items(), *marks):
            step = rows_at_once(file.places[name].row)
            for k in range(0, len(values), step):
                block = np.asarray(values[k : min(k + step, len(values))])
                file.put_block(name, first[self._axis_of[name]] + k, block)
        if data is not None:
            self._written += 1
            file.put_block(_SLOTS[self._written % 2], 0, data)
        if file is not self._file:
            if self._file is None and self._force:
                self._former = set_aside(self._path)
            # One that appeared in the place of a deleted one is not ours.
            move_into_place(self._temporary, self._path, self._force and not self.check())
            self._adopt(file)

    def check(self) -> bool:
        """Tell whether our file was deleted; raise FileError if another file has our name, or ours was cut."""
        return self._file is not None and not self._file.still_at(self._path, self._label)

    def restore(self) -> bool:
        """Put the file that ours has replaced back into its place; False if there was none."""
        if self._former is None or not self.in_place:
            return False
        os.replace(self._former, self._path)
        self._former = None
        return True

    def surpass(self) -> None:
        """Let the file go that ours has replaced: ours is worth more."""
        if self._former is not None:
            with contextlib.suppress(OSError):
                self._former.unlink()
            self._former = None

    def close(self) -> None:
        """Close the file, which is always in order, and remove one that was about to take its place."""
        self.surpass()
        if self._next is not None:
            self._next.close()
            with contextlib.suppress(OSError):
                self._temporary.unlink()
        if self._file is not None:
            self._file.close()

    def _adopt(self, file: PlacedFile) -> None:
        if self._file is not None:
            self._file.close()
        self._file, self._next, self._force = file, None, True

    def _settle(self) -> None:
        """See which file is ours if making one was interrupted."""
        if self._next is not None:
            if self._next.same_as(self._path):
                self._adopt(self._next)
            else:
                self._next.close()

    def _with_room(self, first: Mapping[str, int], wanted: Mapping[str, int], narrow: bool = False) -> PlacedFile:
        """Return the file, or a new one that has what it has and more room, or has its name, which it lost."""
        old = self._file
        have = (
            dict.fromkeys(wanted, 0)
            if old is None
            else {axis: old.places[self._marks[axis][0]].shape[0] for axis in wanted}
        )
        deleted = self.check()
        if old is not None and not deleted and not narrow and all(wanted[axis] <= have[axis] for axis in wanted):
            return old
        if deleted:
            warn_of_deletion(self._label)
        room = {axis: have[axis] or 1 for axis in wanted}
        room |= {axis: self._room(axis, wanted[axis]) for axis in wanted if wanted[axis] > room[axis] or old is None}
        self._next = new = self._made(room)
        for name in _SLOTS:
            new.fill(name)
            if old is not None:
                new.put_block(name, 0, old.read(name, 0, old.places[name].shape[0]))
        for name, place in new.places.items():
            if name in _SLOTS:
                continue
            done = 0 if old is None else first[self._axis_of[name]]
            step = rows_at_once(place.row)
            for start in range(0, done if old is not None else 0, step):
                assert old is not None
                new.put_block(name, start, old.read(name, start, min(start + step, done)))
            new.fill(name, done)
        return new

    def _room(self, axis: str, wanted: int) -> int:
        """Return for how many rows a new file has room: for all that may come, but for no more than the class says."""
        if axis == EVENTS:
            return max(_EVENTS, 2 * wanted)
        row = sum(column.size for column in self._columns if column.axis == axis) * np.dtype(self._dtype).itemsize
        most = max(2 * wanted if self._file is not None else 0, _ROOM // max(1, row))
        expected = self._expected.get(axis, max(_ROWS, 2 * wanted))
        if wanted <= expected:
            most = min(most, expected)
        return max(wanted, most)

    def _made(self, room: Mapping[str, int]) -> PlacedFile:
        """Make a file under another name, in which all that HDF5 has to write is written."""
        import h5py

        metadata = self._metadata
        size = needed(self._columns, metadata, room, self._dtype, checkpoints=2 * self._slot)
        check_room(self._path, self._label, size)
        # A superblock that old readers know. Aligned, so that a kill leaves no half of a time.
        options = {"alignment_threshold": 1, "alignment_interval": 8, "track_order": True}
        file = None
        try:
            file = h5py.File(self._temporary, "w", libver=("earliest", "v110"), **options)
            reserve(file, size)
            layout = create(
                file, self._columns, metadata, room, dtype=self._dtype, in_place=True, status=INCOMPLETE, solver={}
            )
            datasets = dict(layout.columns)
            for axis, times in layout.axes.items():
                datasets |= dict(zip(self._marks[axis], times, strict=True))
            if metadata.events:
                units = str(metadata.attributes.get("time_units", "1"))
                events = create_events(file, metadata.events, units, room[EVENTS], in_place=True)
                datasets |= {EVENTS if name == EVENTS else f"{EVENTS}.{name}": events[name] for name in events}
            for name in _SLOTS:
                datasets[name] = create_bytes(file, name, np.zeros(self._slot, np.uint8), in_place=True)
            places = {name: take_place(dataset) for name, dataset in datasets.items()}
        except BaseException:
            if file is not None:
                abandon(file)
            with contextlib.suppress(OSError):
                self._temporary.unlink()
            raise
        file.close()
        return PlacedFile(self._temporary, places)
