"""The objects of a run's file, made with h5py: the same while a run goes on and in the file that is left of it.

While the run goes on every dataset is in one piece, with room for more rows than there are, so that rows can be written
in place (see `brnn.files.placed`). In the file that stays datasets are cut into chunks, compressed where that pays, and
have checksums.

The file of a run:

    /                      attributes: Conventions, comment (how to open the groups), brnn_format, kind, brnn_version,
                           title, reference, network (JSON), seed, options (JSON), versions (JSON), created, command,
                           duration, time_units, variables (JSON), status, solver (JSON)
    /<layer>/x             (time, *cells)
    /<projection>/y, z     (time, source) or (time, target, source)
    /<group>/time          the saved times, the same in every group: some readers see a dataset only once
    /<group>/ltm_time      the times of the weights, if they are saved less often than the rest
    /<group>/<axis>        numbers of the cells along an axis
    /events/<column>       what happened at which time, along the dimension `event` (only if the network has events)
    /run_checkpoint/<a>    bytes that a run which goes on needs beside the samples: see `brnn.files.run.checkpoint`
    /network_arrays/<a>    arrays to which the network's JSON refers by name; /option_arrays likewise for the options

Every axis is an HDF5 dimension scale, as netCDF-4 wants it. A text of more than 60 kB is not an attribute but an array
of characters ``/<attribute>_text``. HDF5's fill value is a number that no variable has (`hdf5.unused_value`).

In files of format 1 texts have a variable length, and all groups have one dataset of times, to which each has a link.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.files.attributes import CONVENTIONS, open_with_xarray, put_attributes, time_units
from brnn.files.hdf5 import unused_value
from brnn.files.run.events import GROUP
from brnn.files.run.storage import storage
from brnn.result.columns import Column
from brnn.result.metadata import CHECKPOINT, FORMAT, TEXT_AT_MOST, Metadata, solver_text

if TYPE_CHECKING:
    import h5py

__all__ = ["SampleDatasets", "create", "create_bytes", "needed"]

_LARGE = 4096  # elements; larger arrays are compressed
_STRUCTURE = 32 * 1024  # bytes of HDF5's own structures for a dataset, its axes and attributes, and more


@dataclass(frozen=True)
class SampleDatasets:
    """The datasets that have samples: one per column; and for each time axis ("time", "ltm_time") one per group."""

    columns: dict[str, h5py.Dataset]
    axes: dict[str, list[h5py.Dataset]]


def create(
    file: h5py.File,
    columns: Sequence[Column],
    metadata: Metadata,
    rows: Mapping[str, int],
    *,
    dtype: str = "float64",
    in_place: bool = False,
    status: str,
    solver: Mapping[str, Any],
    compression: int | None = None,
) -> SampleDatasets:
    """Write everything but the samples into a new, empty file, and return what will hold them.

    Parameters
    ----------
    file : h5py.File
        Open for writing, made with ``track_order=True``.
    columns : sequence of Column
        What is recorded.
    metadata : Metadata
        Root attributes and arrays.
    rows : mapping
        Number of samples along each time axis.
    dtype : {"float64", "float32"}
        Precision of the samples; times are always float64.
    in_place : bool
        Each dataset in one piece.
    status, solver
        Values of these attributes.
    compression : int, optional
        gzip level of every dataset (0: none); by default what `storage` chooses.
    """
    groups = [*dict.fromkeys(column.group for column in columns), *([GROUP] if metadata.events else [])]
    attributes = {
        "Conventions": CONVENTIONS,
        "comment": _comment(groups),
        **metadata.attributes,
        "brnn_format": FORMAT,
        "variables": json.dumps([column.description() for column in columns]),
        "status": status,
        "solver": solver_text(solver),
    }
    for name, value in attributes.items():
        if isinstance(value, str) and len(value.encode()) > TEXT_AT_MOST:
            _create_text(file, f"{name}_text", value.encode())
        else:
            put_attributes(file, {name: value})
    for name, arrays in metadata.arrays.items():
        if arrays:
            _create_arrays(file.create_group(name, track_order=True), arrays, in_place)
    layout = SampleDatasets({}, {})
    units = time_units(str(metadata.attributes.get("time_units", "1")))
    itemsize = np.dtype(dtype).itemsize
    for column in columns:
        if column.group not in file:
            file.create_group(column.group, track_order=True)
        group = file[column.group]
        count = rows[column.axis]
        if column.axis not in group:
            times = _create_times(group, column.axis, count, units, in_place)
            layout.axes.setdefault(column.axis, []).append(times)
        options: dict[str, Any] = {"fill_time": "never"}  # all is filled in place
        if not in_place:
            chunks, level = storage(column.shape, itemsize, len(columns), count)
            level = level if compression is None else compression
            options = {"chunks": chunks, "maxshape": (None, *column.shape), "fletcher32": True}
            if level > 0:
                options |= {"compression": "gzip", "compression_opts": level, "shuffle": True}
        dataset = group.create_dataset(
            column.quantity,
            shape=(count, *column.shape),
            dtype="<f8" if itemsize == 8 else "<f4",
            fillvalue=math.nan,
            track_order=True,
            **options,
        )
        put_attributes(dataset, {"units": column.units, "long_name": column.long_name})
        dataset.dims[0].attach_scale(group[column.axis])
        for axis, (dim, size) in enumerate(zip(column.dims, column.shape, strict=True), start=1):
            dataset.dims[axis].attach_scale(_cell_axis(group, dim, size))
        layout.columns[column.name] = dataset
    return layout


def needed(
    columns: Sequence[Column], metadata: Metadata, rows: Mapping[str, int], dtype: str, checkpoints: int = 0
) -> int:
    """Return how many bytes a file with so many rows along each axis has at most, but for the index of its chunks."""
    arrays = [array for group in metadata.arrays.values() for array in group.values()]
    texts = sum(len(str(value)) for value in metadata.attributes.values())
    samples = sum((rows[column.axis] + 1) * column.size for column in columns) * np.dtype(dtype).itemsize
    marks = 32 * len(columns) * sum(rows.values())  # times of each group, and events
    structures = _STRUCTURE * (1 + len(columns) + len(arrays))
    kept = checkpoints + checkpoints // 8 + _STRUCTURE // 2 if checkpoints else 0  # with their axes
    return 2 * (sum(array.nbytes for array in arrays) + texts) + samples + marks + structures + kept


def _create_times(group: h5py.Group, name: str, count: int, units: str, in_place: bool) -> h5py.Dataset:
    options: dict[str, Any] = {"maxshape": (None,), "chunks": (max(1, min(count, 1024)),), "fletcher32": True}
    if in_place:
        options = {"fill_time": "never"}
    axis = group.create_dataset(name, shape=(count,), dtype="<f8", fillvalue=math.nan, track_order=True, **options)
    axis.make_scale(name)
    long_name = "time" if name == "time" else "time of the saved weights"
    put_attributes(axis, {"units": units, "long_name": long_name})
    return axis


def _cell_axis(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    if name not in group:
        options = _packed(size) if size > _LARGE else {}
        scale = group.create_dataset(
            name,
            data=np.arange(size, dtype="<i4"),
            fillvalue=unused_value(np.dtype("<i4")),
            track_order=True,
            **options,
        )
        scale.make_scale(name)
        put_attributes(scale, {"units": "1", "long_name": f"index along {name}"})
    return group[name]


def _create_arrays(group: h5py.Group, arrays: Mapping[str, np.ndarray], in_place: bool) -> None:
    for name, given in arrays.items():
        array = np.asarray(given)
        options = {} if in_place and array.size <= _LARGE else _packed(array.size)
        if array.dtype.kind in "fiu":
            options["fillvalue"] = unused_value(array.dtype)
        dataset = group.create_dataset(name, data=array, track_order=True, **options)
        for axis in range(array.ndim):
            _name_axis(group, dataset, axis, f"{name}_{axis}")


def create_bytes(file: h5py.File, name: str, data: np.ndarray, in_place: bool = False) -> h5py.Dataset:
    """Write bytes into the group /run_checkpoint; `in_place` in one piece."""
    group = file.require_group(CHECKPOINT)
    options = {} if in_place else _packed(data.size)
    dataset = group.create_dataset(name, data=data, fillvalue=unused_value(data.dtype), track_order=True, **options)
    put_attributes(dataset, {"units": "1", "long_name": "what a run that goes on needs, for brnn alone"})
    _name_axis(group, dataset, 0, f"{name}_length")
    return dataset


def _create_text(file: h5py.File, name: str, text: bytes) -> None:
    """Write a text that is too long for an attribute: an array of characters, as netCDF-4 has them."""
    dataset = file.create_dataset(name, data=np.frombuffer(text, dtype="S1"), track_order=True, **_packed(len(text)))
    _name_axis(file, dataset, 0, f"{name}_length")


def _name_axis(group: h5py.Group, dataset: h5py.Dataset, axis: int, name: str) -> None:
    """Give an axis a name without coordinates, in the way of netCDF-4."""
    size = dataset.shape[axis]
    options = _packed(size) if size > _LARGE else {}
    values = np.zeros(size, "i1")  # nobody needs them, but a reader may show what is there
    scale = group.create_dataset(name, data=values, fillvalue=unused_value(values.dtype), track_order=True, **options)
    scale.make_scale(f"This is a netCDF dimension but not a netCDF variable. {size:10d}")
    dataset.dims[axis].attach_scale(scale)


def _packed(size: int) -> dict[str, Any]:
    """Return the options of a dataset in chunks, which have checksums; large ones are compressed."""
    if not size:
        return {}
    packed = {"compression": "gzip", "compression_opts": 1, "shuffle": True} if size > _LARGE else {}
    return {"chunks": True, "fletcher32": True, **packed}


def _comment(groups: Sequence[str]) -> str:
    """Return how to get at the groups: at the root of the file a reader finds no variable."""
    opening = open_with_xarray("FILE", groups[0])
    return f"There is a group for each of: {', '.join(groups)}. In Python: {opening}"
