"""The group /events of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.errors import FileError
from brnn.files.attributes import put_attributes, text_of, time_units
from brnn.files.hdf5 import READ_ERRORS, reason, unused_value
from brnn.result.events import LONG_NAMES, TYPES, EventTable

if TYPE_CHECKING:
    import h5py

__all__ = ["GROUP", "create_events", "event_names", "stored_events"]

GROUP = "events"
_CHUNK = 1024  # rows at most


def create_events(
    file: h5py.File, names: Sequence[str], units: str, count: int, in_place: bool = False
) -> dict[str, h5py.Dataset]:
    """Make the group /events with room for `count` events, and return its datasets: "event", their axis, and columns.

    Parameters
    ----------
    file : h5py.File
        Open for writing.
    names : sequence of str
        Names of the network's events.
    units : str
        Unit of time.
    count : int
        Number of rows.
    in_place : bool
        Each dataset in one piece.
    """
    group = file.create_group(GROUP, track_order=True)
    put_attributes(group, {"names": " ".join(names)})
    options: dict[str, Any] = {"maxshape": (None,), "chunks": (max(1, min(count, _CHUNK)),), "fletcher32": True}
    if in_place:
        options = {"fill_time": "never"}
    options |= {"shape": (count,), "track_order": True}
    index = group.create_dataset("event", dtype="<i4", fillvalue=unused_value(np.dtype("<i4")), **options)
    index.make_scale("event")
    put_attributes(index, {"units": "1", "long_name": "number of the event"})
    result = {"event": index}
    for key, kind in TYPES.items():
        dataset = group.create_dataset(key, dtype=kind, fillvalue=unused_value(np.dtype(kind)), **options)
        meaning = {"units": time_units(units) if key == "time" else "1", "long_name": LONG_NAMES[key]}
        put_attributes(dataset, meaning)
        dataset.dims[0].attach_scale(index)
        result[key] = dataset
    # As the CF conventions want categories to be described.
    flags = {"flag_values": np.arange(len(names), dtype="<i4"), "flag_meanings": " ".join(names)}
    put_attributes(result["which"], flags)
    return result


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
        if any(column.shape != (count,) for column in columns.values()):
            raise ValueError("its columns differ in shape")
        if count and not 0 <= which.min() <= which.max() < len(names):
            raise ValueError("there is an event that the network does not have")
    except READ_ERRORS as error:
        raise FileError(f"{label} is damaged: its events cannot be read ({reason(error)})") from None
    return EventTable(names, columns)
