"""Opening the file of a sweep as an xarray Dataset, and what can be said of it in a few lines."""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from brnn.ensemble.status import FAILED, MISSING, STATUS_NAMES
from brnn.errors import FileError, InputError
from brnn.files.attributes import checked_format
from brnn.files.hdf5 import READ_ERRORS, reason, text_of
from brnn.files.opening import open_hdf5
from brnn.files.stored import Key, StoredRows
from brnn.files.sweep.layout import Layout, axis_attributes
from brnn.files.sweep.schema import (
    FLAGS,
    SEED,
    SweepHeader,
    header_of,
    parameter_attributes,
    parameter_variable,
    read_attributes,
    texts_joined,
)
from brnn.files.sweep.shared import PlacedRows, SharedFile, place_of
from brnn.result.lazy import lazy_variable

if TYPE_CHECKING:
    import h5py
    import xarray as xr

__all__ = ["Contents", "describe", "open_contents", "open_sweep", "unstack"]

_SMALLER = 2000  # times; gzip reaches 1032
_RUNS = 8  # of missing members that are listed


@dataclass(frozen=True)
class Contents:
    """The file of a sweep, open.

    Attributes
    ----------
    header : SweepHeader
    attributes : dict
        Root attributes, with `wall_time`.
    layout : Layout
        The variables along members.
    rows : dict of StoredRows
        Every variable, the parameters and seeds included. Texts are bytes of one length.
    status : ndarray of uint8, shape (members,)
        How each member ended, when the file was opened.
    close : callable
    """

    header: SweepHeader
    attributes: dict[str, Any]
    layout: Layout
    rows: dict[str, StoredRows]
    status: np.ndarray
    close: Callable[[], None]

    def errors(self) -> np.ndarray:
        """Return for each member why it failed; "" for those that did not."""
        result = np.full(len(self.status), "", object)
        if "failed" in self.rows:
            members = self.rows["failed"][:]
            known = np.flatnonzero((members >= 0) & (members < len(self.status)))
            known = known[self.status[members[known]] == FAILED]
            result[members[known]] = StoredTexts(self.rows["error_text"])[:][known]
        return result


class StoredTexts(StoredRows):
    """The texts of rows that are bytes, as Python's."""

    def __init__(self, rows: StoredRows) -> None:
        self._rows = rows
        self.shape = rows.shape
        self.dtype = np.dtype(object)

    def __getitem__(self, key: Key) -> Any:
        return np.strings.decode(np.asarray(self._rows[key]), "utf-8", "replace").astype(object)


class _Letters(StoredRows):
    """The texts of a dataset of characters (..., bytes), as bytes of one length."""

    def __init__(self, dataset: h5py.Dataset, label: str) -> None:
        super().__init__(dataset, dataset.shape[0], label)
        self.shape = self.shape[:-1]
        self.dtype = np.dtype(f"S{dataset.shape[-1]}")

    def __getitem__(self, key: Key) -> Any:
        return texts_joined(super().__getitem__(key))


def open_sweep(path: str | Path) -> xr.Dataset:
    """Open the file of a sweep.

    Parameters
    ----------
    path : str or Path
        A file of `brnn.sweep`. It may be that of a sweep that was killed or still goes on: then some members are
        missing, and this is how far it was when it was opened.

    Returns
    -------
    xarray.Dataset
        Along the dimension `member`: `status` (0 missing, 1 complete, 2 steady, 3 failed), `error` (texts), measures,
        final states (``dataset["rcf.x"]``, one dimension per axis of the layer); parameters and seeds are
        coordinates. It is read from the file when it is used. NaN (-1 for whole numbers) stands where a member is
        missing, and for cells that it does not have. The attributes are those of the file, with the numbers of members
        that are `complete`, `steady`, `failed` and `missing`.

    Raises
    ------
    FileError
        If there is no such file, or it is not that of a sweep, or it is damaged.
    """
    contents = open_contents(path, str(path))
    try:
        dataset = _dataset(contents)
    except BaseException:
        contents.close()
        raise
    dataset.set_close(contents.close)
    return dataset


def open_contents(path: str | Path, label: str) -> Contents:
    """Open the file of a sweep; raise FileError if it is none, or damaged. HDF5 is not kept busy with it."""
    if not isinstance(path, (str, Path)):
        raise FileError(f"{path!r} is not the name of a file")
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(contextlib.ExitStack())
        try:
            contents = _contents(open_hdf5(path, file), SharedFile(path, stack), label)
        except FileError:
            raise
        except READ_ERRORS as error:
            raise FileError(f"{label} is damaged: {reason(error)}") from None
        if all(isinstance(rows, PlacedRows) for rows in contents.rows.values()):
            file.close()
        return replace(contents, close=stack.pop_all().close)


def _contents(file: h5py.File, source: SharedFile, label: str) -> Contents:
    if "brnn_format" not in file.attrs or text_of(file.attrs.get("kind", "")) != "sweep":
        raise FileError(f"{label} is not the file of a sweep")
    checked_format(file.attrs, label)
    attributes, parsed = read_attributes(file, label)
    listed = [str(entry["name"]) for entry in parsed["variables"]]
    names = dict.fromkeys([*listed, *map(parameter_variable, parsed["parameters"]), "member", "missing", "wall_time"])
    rows = {name: _rows(file[name], source, f"{label}: {name}") for name in names}
    layout = Layout.of_file(parsed["variables"], {name: (rows[name].shape, rows[name].dtype) for name in listed}, label)
    # What the header has beside parameters; the times are an axis, whose name a variable may have.
    extra = {"seed": "seed", "selected": "selected", "time": "time_cell" if "time" in listed else "time"}
    extra = {key: name for key, name in extra.items() if name in file}
    rows |= {name: _rows(file[name], source, f"{label}: {name}") for name in extra.values()}
    columns = {name: np.asarray(rows[name][:]) for name in map(parameter_variable, parsed["parameters"])}
    columns |= {key: np.asarray(rows[name][:]) for key, name in extra.items()}
    header = header_of(attributes, parsed, columns, label)
    for name in layout.axis_names(header).values():
        rows.setdefault(name, _rows(file[name], source, f"{label}: {name}"))
    status = np.asarray(rows["status"][:])
    if not (status.shape == rows["member"].shape == (header.members,)) or status.max() >= len(STATUS_NAMES):
        raise FileError(f"{label} is damaged: the variable status is not what it should be")
    attributes["wall_time"] = float(np.ravel(rows["wall_time"][:])[0])
    return Contents(header, attributes, layout, rows, status, lambda: None)


def _rows(dataset: h5py.Dataset, source: SharedFile, label: str) -> StoredRows:
    place = place_of(dataset)
    if place is not None:
        return PlacedRows(source, place, label)
    # Compression makes nothing this much smaller: a damaged file may claim any size, and HDF5 would take the memory.
    if dataset.size * dataset.dtype.itemsize > _SMALLER * dataset.id.get_storage_size():
        raise FileError(f"{label} is damaged: there are fewer values than there should be")
    if dataset.dtype == "S1":
        return _Letters(dataset, label)
    return StoredRows(dataset, dataset.shape[0] if dataset.ndim else 1, label)


def _dataset(contents: Contents) -> xr.Dataset:
    def variable(name: str, dims: tuple[str, ...], attributes: Mapping[str, Any]) -> xr.Variable:
        rows = contents.rows[name]
        if rows.dtype.kind == "S":
            return lazy_variable(dims, StoredTexts(rows), {k: v for k, v in attributes.items() if k != "units"})
        return lazy_variable(dims, rows, dict(attributes))

    header, layout = contents.header, contents.layout
    names = {"member": "member", **layout.axis_names(header)}
    coordinates: dict[Hashable, Any] = {}
    for dim, name in names.items():
        if dim != "failed":
            coordinates[name] = xr.Variable(name, contents.rows[name][:], axis_attributes(dim, header))
    for parameter in header.parameters:
        name = parameter_variable(parameter)
        coordinates[name] = variable(name, ("member",), parameter_attributes(parameter))
    if header.seeds is not None:
        coordinates["seed"] = variable("seed", ("member",), SEED)
    variables: dict[Hashable, Any] = {
        "status": xr.Variable("member", contents.status, dict(layout.fields["status"].attributes) | FLAGS),
        "error": xr.Variable("member", contents.errors(), {"long_name": "why the member failed"}),
    }
    for name, field in layout.fields.items():
        if field.dims[0] == "member" and name != "status":
            variables[name] = variable(name, tuple(names[dim] for dim in field.dims), dict(field.attributes))
    counts = np.bincount(contents.status[header.wanted()], minlength=len(STATUS_NAMES)).tolist()
    return xr.Dataset(variables, coordinates, contents.attributes | dict(zip(STATUS_NAMES, counts, strict=True)))


def unstack(dataset: xr.Dataset) -> xr.Dataset:
    """Return the results of a grid with one dimension for each of its parameters instead of `member`.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `brnn.open` or `brnn.sweep`, with all members; its design is a grid, or a product of grids. All of it is
        read into memory: take the variables that are needed (``dataset[["total"]]``) where they are large.

    Returns
    -------
    xarray.Dataset
        The same variables; ``dataset["total"]`` has the dimensions ``("A", "B")`` for ``Grid(A=..., B=...)``, and
        can be drawn with ``.plot()``.

    Raises
    ------
    InputError
        If the design is not a grid, or some members were taken out.
    """
    axes = json.loads(str(dataset.attrs.get("axes", "null")))
    if not axes:
        raise InputError("unstack: the design of this sweep is not a grid")
    sizes = list(axes.values())
    members = dataset.sizes.get("member", 0)
    if members != math.prod(sizes) or not np.array_equal(dataset["member"], np.arange(members)):
        raise InputError(f"unstack: needs all {math.prod(sizes)} members of the grid; there are {members}")
    names = [parameter_variable(name) for name in axes]
    taken = {dim for dim in dataset.dims if dim != "member"} & set(names)
    if taken:
        raise InputError(f"unstack: {min(map(str, taken))} is a parameter as well as an axis; rename_dims it first")

    def spread(variable: xr.Variable) -> xr.Variable:
        if "member" not in variable.dims:
            return variable
        place = variable.dims.index("member")
        dims = (*variable.dims[:place], *names, *variable.dims[place + 1 :])
        values = np.asarray(variable.values)
        shape = (*values.shape[:place], *sizes, *values.shape[place + 1 :])
        return xr.Variable(dims, values.reshape(shape), variable.attrs)

    coordinates: dict[Hashable, Any] = {}
    variables: dict[Hashable, Any] = {}
    for name, variable in dataset.variables.items():
        if name in names:
            axis = names.index(str(name))
            along = np.asarray(variable.values).reshape(sizes)
            values = along[tuple(slice(None) if k == axis else 0 for k in range(len(sizes)))]
            coordinates[name] = xr.Variable(name, values, variable.attrs)
        elif name in dataset.coords:
            coordinates[name] = spread(variable)
        else:
            variables[name] = spread(variable)
    result = xr.Dataset(variables, coordinates, dataset.attrs)
    result.set_close(dataset.close)
    return result


def describe(path: str | Path) -> list[str]:
    """Return what the file of a sweep holds, in lines of text."""
    with open_sweep(path) as dataset:
        attributes = dataset.attrs
        counts = ", ".join(f"{attributes[name]:,} {name}" for name in STATUS_NAMES if attributes[name])
        total = sum(attributes[name] for name in STATUS_NAMES)
        part = "" if total == attributes["members"] else f" of {attributes['members']:,}"
        state = "incomplete" if attributes["missing"] else "complete"
        lines = [f"sweep{_title(attributes)}: {state}, {total:,}{part} members ({counts})"]
        missing = np.flatnonzero(dataset["status"].values == MISSING)
        if len(missing) and total == attributes["members"]:
            lines.append(f"missing: {_listed(missing)}")
        axes = json.loads(attributes["axes"])
        if axes:
            lines.append("grid: " + " x ".join(f"{name} ({size})" for name, size in axes.items()))
        for name in json.loads(attributes["parameters"]):
            lines.append(f"parameter {name}: {_range(dataset[parameter_variable(name)].values)}")
        for name, variable in dataset.data_vars.items():
            if name not in ("status", "error"):
                cells = ", ".join(f"{dim} {size}" for dim, size in variable.sizes.items() if dim != "member")
                text = str(variable.attrs.get("long_name", name))
                lines.append(f"{name}{f' ({cells})' if cells else ''}" + (f": {text}" if text != name else ""))
        known = ("solver", "rtol", "atol", "duration", "seed", "shard")
        lines.append(", ".join(f"{name} {attributes[name]}" for name in known if name in attributes))
        lines.append(f"wall time {attributes['wall_time']:.3g} s")
        lines.append(f"created {attributes['created']} by brnn {attributes['brnn_version']}: {attributes['command']}")
        texts, numbers = np.unique(dataset["error"].values[dataset["status"].values == FAILED], return_counts=True)
        for k in np.argsort(-numbers, kind="stable")[:5]:
            lines.append(f"failed ({numbers[k]:,}): {texts[k] or 'no reason given'}")
    return [line for line in lines if line]


def _title(attributes: dict[str, Any]) -> str:
    title = attributes.get("title") or attributes.get("model")
    return f" of {title}" if title else ""


def _listed(numbers: np.ndarray) -> str:
    """Return rising numbers as text: 0-4, 7, 9-11; the first of them if they are many."""
    cuts = np.flatnonzero(np.diff(numbers) > 1) + 1
    runs = [(int(run[0]), int(run[-1])) for run in np.split(numbers, cuts[:_RUNS])[:_RUNS]]
    text = ", ".join(f"{first}-{last}" if last > first else f"{first}" for first, last in runs)
    return text if len(cuts) < _RUNS else f"{text}, ..."


def _range(values: np.ndarray) -> str:
    if values.dtype == object:
        kinds = sorted(set(values.tolist()))
        return ", ".join(kinds[:3]) + (f", ... ({len(kinds)} values)" if len(kinds) > 3 else "")
    if values.min() == values.max():
        return f"{values[0]:g}"
    return f"{values.min():g} to {values.max():g}"
