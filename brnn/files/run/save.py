"""Results written at once: `Result.save`, and `recover` for the file of a run that was killed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.named import says_what_is_meant
from brnn.base.paths import check_target, replacing
from brnn.errors import FileError
from brnn.files.hdf5 import WRITE_ERRORS, abandon, reason
from brnn.files.locks import in_use, remove_leftovers
from brnn.files.opening import marked_open, status_of
from brnn.files.placed import release, reserve
from brnn.files.run.create import create, create_bytes, needed
from brnn.files.run.events import GROUP, create_events
from brnn.files.run.reader import open_result
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import EventTable
from brnn.result.metadata import INCOMPLETE, Metadata
from brnn.result.recorded import Recorded
from brnn.result.result import Result

__all__ = ["recover", "write_file"]

_RESERVED = 16 * 1024 * 1024  # bytes of samples for which the disk space is taken beforehand


def write_file(
    path: str | Path,
    recorded: Sequence[Recorded],
    metadata: Metadata,
    status: str,
    solver: Mapping[str, Any],
    force: bool = False,
    events: EventTable | None = None,
    compression: int | None = None,
    kept: Checkpoint | None = None,
) -> None:
    """Write a result file under a temporary name, and give it its name when it is whole and on the disk.

    The samples are copied piece by piece. `compression` is a gzip level; by default `storage` chooses. `kept` is what a
    run that goes on needs beside them.

    Raises
    ------
    FileError
        If the file exists (and not `force`), or cannot be written.
    """
    target = check_target(path, force)
    try:
        with replacing(target, force) as temporary:
            _write(temporary, recorded, metadata, status, solver, events, compression, kept)
    except FileError:
        raise
    except WRITE_ERRORS as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from None


def _write(
    path: Path,
    recorded: Sequence[Recorded],
    metadata: Metadata,
    status: str,
    solver: Mapping[str, Any],
    events: EventTable | None,
    compression: int | None,
    kept: Checkpoint | None,
) -> None:
    # Nothing newer than necessary: a superblock that old readers know.
    file = h5py.File(path, "w", libver=("earliest", "v110"), track_order=True)
    columns = [entry.column for entry in recorded]
    times: dict[str, np.ndarray] = {entry.column.axis: entry.times for entry in recorded}
    rows = {axis: len(values) for axis, values in times.items()}
    if events is not None:
        rows[GROUP] = len(events)
    dtype = recorded[0].data.dtype.name
    try:
        # HDF5 can cope with a disk that is full when it gets samples, not when it writes its own structures.
        empty = needed(columns, metadata, dict.fromkeys(rows, 0), dtype)
        reserve(file, min(needed(columns, metadata, rows, dtype), empty + _RESERVED))
        layout = create(
            file,
            columns,
            metadata,
            rows,
            dtype=dtype,
            status=status,
            solver=solver,
            compression=compression,
        )
        if events is not None:
            units = str(metadata.attributes.get("time_units", "1"))
            datasets = create_events(file, events.names, units, len(events))
            for name, values in {"event": np.arange(len(events)), **events.columns}.items():
                datasets[name][:] = values
        if kept is not None:
            create_bytes(file, "bytes", np.frombuffer(kept.to_bytes(), dtype=np.uint8))
        for name, axes in layout.axes.items():
            for axis in axes:
                axis[:] = times[name]
        for entry in recorded:
            dataset = layout.columns[entry.column.name]
            chunk = dataset.chunks[0]
            step = chunk * rows_at_once(chunk * entry.column.size * dataset.dtype.itemsize)
            for k in range(0, len(entry.times), step):
                dataset[k : k + step] = entry.data[k : k + step]
        file.flush()
    except BaseException:
        abandon(file)
        raise
    file.close()
    release(path)
    with open(path, "rb+") as written:
        os.fsync(written.fileno())


@says_what_is_meant
def recover(path: str | Path) -> Result:
    """Turn the file of a run that was killed into an orderly one, in one step, and open it.

    All samples up to the last saved time are copied to a new file, which then takes the place of the old one. Its
    status stays what it is. A file that is not incomplete, and that HDF5 opens, is only opened.

    Raises
    ------
    FileError
        If it is not a result file, is still being written, or cannot be written.
    """
    if status_of(path) == INCOMPLETE or (os.path.isfile(path) and marked_open(path)):
        if in_use(path):
            raise FileError(f"{path} cannot be recovered: it is open in another program, perhaps its run goes on")
        with open_result(path) as result:
            result.save(path, force=True)
        remove_leftovers(Path(path))
    return open_result(path)
