"""The objects of a result file, made with h5py: the same for a run that is streamed and for a result that is saved."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.errors import FileError
from brnn.record.columns import Column, storage
from brnn.record.schema import SOLVER_SIZE, STATUS_SIZE, TEXT_AT_MOST, Metadata, solver_text

if TYPE_CHECKING:
    import h5py

__all__ = [
    "READ_ERRORS",
    "WRITE_ERRORS",
    "Layout",
    "StoredArrays",
    "abandon",
    "check_target",
    "create",
    "describe",
    "mark",
    "move_into_place",
    "reason",
    "text_of",
]

# What h5py raises when a write fails, and when a file is not what it should be.
WRITE_ERRORS = (OSError, RuntimeError)
READ_ERRORS = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    MemoryError,
)

_LARGE = 4096  # elements; larger arrays are compressed


@dataclass(frozen=True)
class Layout:
    """The datasets that grow: one per column, and one per time axis ("time", "ltm_time")."""

    columns: dict[str, h5py.Dataset]
    axes: dict[str, h5py.Dataset]


def create(
    file: h5py.File,
    columns: Sequence[Column],
    metadata: Metadata,
    *,
    dtype: str = "float64",
    n_times: int | None = None,
    status: str,
    solver: Mapping[str, Any],
    compression: int | None = None,
) -> Layout:
    """Write everything but the samples into a new, empty file, and return what will hold them.

    Parameters
    ----------
    file : h5py.File
        Open for writing, made with ``track_order=True``.
    columns : sequence of Column
        What is recorded.
    metadata : Metadata
        Root attributes and arrays.
    dtype : {"float64", "float32"}
        Precision of the samples; times are always float64.
    n_times : int, optional
        Number of samples, if it is known.
    status, solver
        First values of these attributes.
    compression : int, optional
        gzip level of every dataset (0: none); by default what `storage` chooses.
    """
    # The texts come first, so that their heap is at the beginning of the file (see brnn.record.heap).
    texts = {**metadata.attributes, "variables": json.dumps([column.description() for column in columns])}
    for name, value in texts.items():
        if isinstance(value, str) and len(value.encode()) > TEXT_AT_MOST:
            _create_text(file, f"{name}_text", value.encode())
        else:
            file.attrs[name] = value
    file.attrs.create("status", status.encode(), dtype=f"S{STATUS_SIZE}")
    file.attrs.create("solver", solver_text(solver).encode(), dtype=f"S{SOLVER_SIZE}")
    for name, arrays in metadata.arrays.items():
        if arrays:
            _create_arrays(file.create_group(name, track_order=True), arrays)
    layout = Layout({}, {})
    itemsize = np.dtype(dtype).itemsize
    for column in columns:
        if column.group not in file:
            file.create_group(column.group, track_order=True)
        group = file[column.group]
        time = _time_axis(group, column.axis, layout.axes, str(metadata.attributes.get("time_units", "1")))
        chunks, level = storage(column.shape, itemsize, len(columns), n_times)
        level = level if compression is None else compression
        dataset = group.create_dataset(
            column.quantity,
            shape=(0, *column.shape),
            maxshape=(None, *column.shape),
            chunks=chunks,
            dtype="<f8" if itemsize == 8 else "<f4",
            shuffle=level > 0,
            compression="gzip" if level > 0 else None,
            compression_opts=level if level > 0 else None,
            fletcher32=True,
            track_order=True,
        )
        describe(dataset, units=column.units, long_name=column.long_name)
        dataset.dims[0].attach_scale(time)
        for axis, (dim, size) in enumerate(zip(column.dims, column.shape, strict=True), start=1):
            dataset.dims[axis].attach_scale(_cell_axis(group, dim, size))
        layout.columns[column.name] = dataset
    return layout


def mark(file: h5py.File, status: str, solver: Mapping[str, Any]) -> None:
    """Write `solver` and then `status` over the ones that `create` wrote, in place."""
    file.attrs.modify("solver", np.array(solver_text(solver).encode(), dtype=f"S{SOLVER_SIZE}"))
    file.attrs.modify("status", np.array(status.encode(), dtype=f"S{STATUS_SIZE}"))


def _time_axis(group: h5py.Group, name: str, axes: dict[str, h5py.Dataset], units: str) -> h5py.Dataset:
    """Return the time axis of a group: one dataset, linked into every group, so that all groups have one length."""
    if name not in group:
        if name in axes:
            group[name] = axes[name]
        else:
            axes[name] = group.create_dataset(
                name, shape=(0,), maxshape=(None,), chunks=(1024,), dtype="<f8", fillvalue=math.nan, track_order=True
            )
            axes[name].make_scale(name)
            describe(axes[name], units=units, long_name="time" if name == "time" else "time of the saved weights")
    return axes[name]


def _cell_axis(group: h5py.Group, name: str, size: int) -> h5py.Dataset:
    if name not in group:
        scale = group.create_dataset(name, data=np.arange(size, dtype="<i4"), track_order=True, **_packed(size))
        scale.make_scale(name)
        describe(scale, units="1", long_name=f"index along {name}")
    return group[name]


def _create_arrays(group: h5py.Group, arrays: Mapping[str, np.ndarray]) -> None:
    for name, given in arrays.items():
        array = np.asarray(given)
        dataset = group.create_dataset(name, data=array, track_order=True, **_packed(array.size))
        for axis in range(array.ndim):
            _name_axis(group, dataset, axis, f"{name}_{axis}")


def _create_text(file: h5py.File, name: str, text: bytes) -> None:
    """Write a text that is too long for an attribute: an array of characters, as netCDF-4 has them."""
    dataset = file.create_dataset(name, data=np.frombuffer(text, dtype="S1"), track_order=True, **_packed(len(text)))
    _name_axis(file, dataset, 0, f"{name}_length")


def _name_axis(group: h5py.Group, dataset: h5py.Dataset, axis: int, name: str) -> None:
    """Give an axis a name without coordinates, in the way of netCDF-4."""
    size = dataset.shape[axis]
    scale = group.create_dataset(name, shape=(size,), dtype=">f4", track_order=True)
    scale.make_scale(f"This is a netCDF dimension but not a netCDF variable. {size:10d}")
    dataset.dims[axis].attach_scale(scale)


def describe(target: h5py.HLObject, units: str, long_name: str) -> None:
    """Give a dataset the attributes that everything in a file has."""
    target.attrs["units"] = units
    target.attrs["long_name"] = long_name


def _packed(size: int) -> dict[str, Any]:
    return {"compression": "gzip", "compression_opts": 1, "shuffle": True} if size > _LARGE else {}


def abandon(file: h5py.File) -> None:
    """Close a file that cannot be written any more, without writing anything more to it.

    HDF5 does not let go of a file before it could write what it still has, complains at every later opportunity, and
    may crash at the end of the process. So it gets a place where everything can be written.
    """
    with contextlib.suppress(*WRITE_ERRORS):
        sink = os.open(os.devnull, os.O_RDWR)
        os.dup2(sink, file.id.get_vfd_handle())
        os.close(sink)
    with contextlib.suppress(*WRITE_ERRORS):
        file.close()


class StoredArrays(Mapping[str, np.ndarray]):
    """The arrays of /network_arrays or /option_arrays, each read when it is asked for."""

    def __init__(self, group: h5py.Group | None) -> None:
        self._group = group
        # The others are their axes.
        self._names = () if group is None else tuple(name for name in group if "_" not in name)

    def __getitem__(self, name: str) -> np.ndarray:
        if self._group is None or name not in self._names:
            raise KeyError(name)
        try:
            return np.asarray(self._group[name][()])
        except READ_ERRORS as error:
            raise FileError(
                f"the array {name} cannot be read, the file is closed or damaged ({reason(error)})"
            ) from None

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def text_of(value: Any) -> str:
    """Return an attribute, which HDF5 may hold as bytes, as text."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def reason(error: BaseException) -> str:
    """Return in a few words what HDF5 or the operating system did not like."""
    text = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    short = re.search(r"truncated file: eof = (\d+),.* stored_eof = (\d+)", text)
    if short:
        return f"the file is truncated, {short.group(1)} of {short.group(2)} bytes are left"
    inner = re.search(r"error message = '([^']*)'", text)  # HDF5's report of a system call that failed
    if inner is None and isinstance(error, OSError) and error.errno and "(" not in text:
        return os.strerror(error.errno)
    inner = inner or re.search(r"\((.*)\)\s*$", text.split("\n")[0])
    return inner.group(1) if inner else text.split("\n")[0] or type(error).__name__


def check_target(path: str | Path, force: bool) -> Path:
    """Return the path of a file that may be written, with links followed; raise FileError if it may not."""
    if not isinstance(path, (str, Path)) or not str(path):
        raise FileError(f"{path!r} is not the name of a file")
    try:
        target = Path(os.path.realpath(os.path.expanduser(path)))
        _check_target(target, path, force)
    except (OSError, ValueError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path!r} cannot be written: {reason(error)}") from None
    return target


def _check_target(target: Path, path: str | Path, force: bool) -> None:
    folder = Path(path).parent
    if target.is_dir():
        raise FileError(f"{path} is a folder, not a file that can be written")
    if not target.parent.is_dir():
        what = "is not a folder" if target.parent.exists() else "does not exist"
        raise FileError(f"{path} cannot be written: the folder {folder} {what}")
    if target.exists() and not target.is_file():
        raise FileError(f"{path} cannot be replaced: it is not a regular file")
    if target.exists() and not force:
        raise FileError(f"{path} exists; use force=True (--force on the command line) to replace it")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise FileError(f"{path} cannot be written: no permission to write into the folder {folder}")


def move_into_place(temporary: Path, target: Path, force: bool) -> None:
    """Give a file its final name, in one step; another file of that name is lost only with `force`."""
    if not temporary.exists():  # done before, by a call that was interrupted
        return
    if force:
        os.replace(temporary, target)
        return
    try:
        os.link(temporary, target)
    except FileExistsError:
        if not os.path.samefile(temporary, target):
            raise FileError(f"{target} exists: something else wrote it in the meantime") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise FileError(f"{target} exists: something else wrote it in the meantime") from None
        os.replace(temporary, target)
        return
    os.unlink(temporary)
