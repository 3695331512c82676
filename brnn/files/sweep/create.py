"""Making the file of a sweep, whole and empty, with HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
from h5py import h5d, h5ds, h5p, h5s, h5t

from brnn.errors import InputError
from brnn.files.attributes import CONVENTIONS, put_attributes, time_units
from brnn.files.hdf5 import abandon, unused_value
from brnn.files.placed import FilePlace, reserve, take_place
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.layout import SweepLayout, SweepVariable, axis_attributes
from brnn.files.sweep.schema import (
    SEED_ATTRIBUTES,
    SELECTED_ATTRIBUTES,
    STATUS_ATTRIBUTES,
    parameter_attributes,
    parameter_variable,
)
from brnn.files.sweep.texts import TextColumn, flags
from brnn.result.metadata import TEXT_AT_MOST

if TYPE_CHECKING:
    import h5py

__all__ = ["create", "needed"]

_MARGIN = 128 * 1024  # bytes of HDF5's own structures,
_STRUCTURE = 4096  # of them for each dataset, and more than that
_SCALARS = {
    "missing": ("<i8", "number of members that are still to run", "1"),
    "wall_time": ("<f8", "time that the sweep took, up to the last member written", "s"),
}


def create(path: Path, header: SweepHeader, layout: SweepLayout) -> dict[str, FilePlace]:
    """Make a file in which everything is in its place but what the members give, and return these places.

    What HDF5 or the operating system does not like is raised as it is.
    """
    # Nothing newer than necessary: HDF5 1.8 reads it.
    file = h5py.File(path, "w", libver=("earliest", "v110"), track_order=True)
    try:
        reserve(file, needed(header, layout))
        where = _Builder(file, header, layout).build()
    except BaseException:
        abandon(file)
        raise
    file.close()
    return where


def needed(header: SweepHeader, layout: SweepLayout) -> int:
    """Return how many bytes the file will have at most."""
    columns = [*header.parameters.values(), header.seeds, header.times, header.wanted()]
    known = sum(column.nbytes for column in columns if column is not None)
    texts = sum(len(value.encode()) for value in header.root_attributes([]).values() if isinstance(value, str))
    axes = 4 * (header.members + sum(layout.sizes.values()))
    axes += sum(layout.sizes["failed"] * known.dtype.itemsize for known in [layout.fields.get("error_text")] if known)
    datasets = len(columns) + len(layout.fields) + len(layout.sizes)
    coded = [known.texts for known in layout.fields.values() if known.texts]
    coded += [column.texts for column in header.parameters.values() if isinstance(column, TextColumn)]
    texts += sum(4 * len("".join(known).encode()) for known in coded)
    return layout.size(header.members) + known + axes + 3 * texts + _MARGIN + _STRUCTURE * datasets


class _Builder:
    """Writes everything that HDF5 has to write, with its low-level functions: they take half of the time."""

    def __init__(self, file: h5py.File, header: SweepHeader, layout: SweepLayout) -> None:

        self._file = file
        self._header = header
        self._layout = layout
        self._names = layout.axis_names(header)
        # Space is taken at the first write, behind all structures; and HDF5 writes nothing into it.
        self._properties = h5p.create(h5p.DATASET_CREATE)
        self._properties.set_alloc_time(h5d.ALLOC_TIME_LATE)
        self._properties.set_fill_time(h5d.FILL_TIME_NEVER)
        self._properties.set_attr_creation_order(h5p.CRT_ORDER_TRACKED)
        self._scalar = h5s.create(h5s.SCALAR)
        self._scales: dict[str, h5py.Dataset] = {}
        self._known: list[tuple[h5py.Dataset, np.ndarray]] = []  # with their values
        self._open: dict[str, h5py.Dataset] = {}  # those that members fill

    def build(self) -> dict[str, FilePlace]:
        """Make everything, and return the places of what members fill."""
        header, layout = self._header, self._layout
        self._attributes()
        self._axis("member", "member", np.arange(header.members, dtype="<i4"))
        for dim in self._names:
            if dim != "failed":
                self._cells(dim)
        for name, column in header.parameters.items():
            kept, texts = (column.codes, column.texts) if isinstance(column, TextColumn) else (column, None)
            field = SweepVariable(("member",), kept.dtype, tuple(parameter_attributes(name).items()), texts)
            self._fill(self._variable(parameter_variable(name), field), kept)
        if header.seeds is not None:
            seeds = SweepVariable(("member",), header.seeds.dtype, tuple(SEED_ATTRIBUTES.items()))
            self._fill(self._variable("seed", seeds), header.seeds)
        if header.selected is not None:
            wanted = header.wanted().astype("i1")
            selected = SweepVariable(("member",), wanted.dtype, tuple(SELECTED_ATTRIBUTES.items()))
            self._fill(self._variable("selected", selected), wanted)
        for name in ("failed", *layout.fields):  # an axis before what stands along it
            if name in layout.fields and name not in self._open:
                self._open[name] = self._variable(name, layout.fields[name])
        for name, (dtype, long_name, units) in _SCALARS.items():
            attributes = (("long_name", long_name), ("units", units))
            self._open[name] = self._variable(name, SweepVariable((), np.dtype(dtype), attributes))
        for dataset, values in self._known:
            dataset.id.write(h5s.ALL, h5s.ALL, values.reshape(dataset.shape))
        places = {name: take_place(dataset) for name, dataset in self._open.items()}
        if "error_text" in places:
            count = layout.sizes["failed"]
            places["error_text"] = FilePlace(places["error_text"].offset, layout.fields["error_text"].dtype, (count,))
        return places

    def _attributes(self) -> None:
        variables = self._layout.description()
        put_attributes(self._file, {"Conventions": CONVENTIONS})
        for name, value in self._header.root_attributes(variables).items():
            if isinstance(value, str) and len(value.encode()) > TEXT_AT_MOST:
                text = np.frombuffer(value.encode(), "S1")
                dataset = self._create(f"{name}_text", text.shape, text.dtype)
                self._attach(dataset, 0, self._unnamed(f"{name}_length", text.size))
                self._fill(dataset, text)
            else:
                put_attributes(self._file, {name: value})

    def _cells(self, dim: str) -> None:
        times = self._header.times if dim == "time" else None
        size = self._layout.sizes.get(dim, 0) if times is None else len(times)
        if self._layout.sizes.get(dim, size) != size:
            raise InputError(f"sweep: there are {self._layout.sizes[dim]} samples for {size} saved times")
        self._axis(dim, self._names[dim], np.arange(size, dtype="<i4") if times is None else times)

    def _axis(self, dim: str, name: str, values: np.ndarray) -> None:
        dataset = self._create(name, values.shape, values.dtype)
        self._scale(dataset, name, name)
        attributes = axis_attributes(dim, self._header)
        put_attributes(dataset, attributes | {"units": time_units(attributes["units"])})
        self._fill(dataset, values)

    def _variable(self, name: str, field: SweepVariable) -> h5py.Dataset:
        sizes = {"member": self._header.members, **self._layout.sizes}
        shape = tuple(sizes[dim] for dim in field.dims)
        dims = [self._names.get(dim, dim) for dim in field.dims]
        attributes: dict[str, Any] = dict(field.attributes)
        if field.is_text:
            attributes.pop("units", None)
        if field.texts is not None:
            attributes |= flags(field.texts)
        elif name == "error_text":
            shape = (shape[0] * field.dtype.itemsize,)
            dims = [self._unnamed("error_text_length", shape[0])]
        elif field.is_text:
            dims.append(self._unnamed(f"string{field.dtype.itemsize}", field.dtype.itemsize))
            shape = (*shape, field.dtype.itemsize)
        if field.is_text and field.texts is None:
            attributes["_Encoding"] = "utf-8"
        if name == "status":
            attributes |= STATUS_ATTRIBUTES
        dataset = self._create(name, shape, np.dtype("S1") if field.dtype.kind == "S" else field.dtype)
        if name == "failed":
            self._scale(dataset, name, name)
        else:
            for axis, dim in enumerate(dims):
                self._attach(dataset, axis, dim)
        put_attributes(dataset, attributes)
        return dataset

    def _unnamed(self, name: str, size: int) -> str:
        """Make an axis without coordinates, in the way of netCDF-4, and return its name."""
        if name not in self._scales:
            dataset = self._create(name, (size,), np.dtype("i1"))
            self._scale(dataset, name, f"This is a netCDF dimension but not a netCDF variable. {size:10d}")
            self._fill(dataset, np.zeros(size, "i1"))  # nobody needs them, but a reader may show what is there
        return name

    def _create(self, name: str, shape: tuple[int, ...], dtype: np.dtype) -> h5py.Dataset:

        space = h5s.create_simple(shape) if shape else self._scalar
        properties = self._properties
        if dtype.kind in "fiu":
            properties = properties.copy()
            properties.set_fill_value(np.array(unused_value(dtype), dtype))
        return h5py.Dataset(h5d.create(self._file.id, name.encode(), h5t.py_create(dtype), space, properties))

    def _scale(self, dataset: h5py.Dataset, name: str, label: str) -> None:
        h5ds.set_scale(dataset.id, label.encode())
        self._scales[name] = dataset

    def _attach(self, dataset: h5py.Dataset, axis: int, name: str) -> None:
        h5ds.attach_scale(dataset.id, self._scales[name].id, axis)

    def _fill(self, dataset: h5py.Dataset, values: np.ndarray) -> None:
        whole = np.ascontiguousarray(values)
        self._known.append((dataset, whole.view("S1") if whole.dtype.kind == "S" else whole))
