"""The group /events of a file, which grows while the run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.errors import FileError
from brnn.files.hdf5 import READ_ERRORS, describe, reason, text_of
from brnn.result.events import LONG_NAMES, TYPES, EventTable, Happened

if TYPE_CHECKING:
    import h5py

__all__ = ["GROUP", "EventLog", "event_names", "stored_events"]

GROUP = "events"
_CHUNK = 1024  # rows


class EventLog:
    """Appends events to the group /events.

    The dimension `event` grows after the columns are on disk, so that a reader of a killed file who trusts its length
    reads only rows that were written.

    Parameters
    ----------
    file : h5py.File
        A new file, not yet in SWMR mode.
    names : sequence of str
        Names of the network's events.
    time_units : str
        Unit of time.
    rows : list of Happened
        Those that happened, to which the run appends more.
    """

    def __init__(self, file: h5py.File, names: Sequence[str], time_units: str, rows: list[Happened]) -> None:
        group = file.create_group(GROUP, track_order=True)
        group.attrs["names"] = " ".join(names)
        options: dict[str, Any] = {"shape": (0,), "maxshape": (None,), "chunks": (_CHUNK,), "track_order": True}
        self._index = group.create_dataset("event", dtype="<i4", fillvalue=-1, **options)
        self._index.make_scale("event")
        describe(self._index, units="1", long_name="number of the event")
        self._columns = {}
        for key, kind in TYPES.items():
            fill = {"fillvalue": np.nan} if kind == "<f8" else {"fillvalue": -1}
            dataset = group.create_dataset(key, dtype=kind, **fill, **options)
            describe(dataset, units=time_units if key == "time" else "1", long_name=LONG_NAMES[key])
            dataset.dims[0].attach_scale(self._index)
            self._columns[key] = dataset
        # As the CF conventions want categories to be described.
        self._columns["which"].attrs["flag_values"] = np.arange(len(names), dtype="<i4")
        self._columns["which"].attrs["flag_meanings"] = " ".join(names)
        self._rows = rows
        self._written = 0

    @property
    def waiting(self) -> int:
        """Bytes that are not on the disk."""
        return 64 * (len(self._rows) - self._written)

    def commit(self) -> None:
        """Bring everything to the disk."""
        stop = len(self._rows)
        if stop == self._written:
            return
        table = EventTable.of((), self._rows[self._written : stop])
        for key, dataset in self._columns.items():
            dataset.resize((stop,))
            dataset[self._written : stop] = table.columns[key]
            dataset.flush()
        self._index.resize((stop,))
        self._index[self._written : stop] = np.arange(self._written, stop, dtype="<i4")
        self._index.flush()
        self._written = stop


def event_names(file: h5py.File) -> tuple[str, ...]:
    """Return the names of the network's events: none if the file has no group of events (a layer may be called so)."""
    group = file.get(GROUP)
    names = None if group is None else group.attrs.get("names")
    return () if names is None else tuple(text_of(names).split())


def stored_events(group: h5py.Group, label: str) -> EventTable:
    """Return the events of a file; what a killed run did not bring to the disk is missing.

    Parameters
    ----------
    group : h5py.Group
        /events
    label : str
        How error messages call the file.

    Raises
    ------
    FileError
        If they are damaged.
    """
    try:
        names = tuple(text_of(group.attrs["names"]).split())
        index = np.asarray(group["event"][()])
        wrong = index != np.arange(index.size)
        count = int(np.argmax(wrong)) if wrong.any() else index.size
        columns = {key: np.asarray(group[key][:count], dtype=kind) for key, kind in TYPES.items()}
        which = columns["which"]
        if any(len(column) != count for column in columns.values()):
            raise ValueError("its columns differ in length")
        if count and not 0 <= which.min() <= which.max() < len(names):
            raise ValueError("there is an event that the network does not have")
    except READ_ERRORS as error:
        raise FileError(f"{label} is damaged: its events cannot be read ({reason(error)})") from None
    return EventTable(names, columns)
