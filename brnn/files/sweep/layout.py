"""Which variables the file of a sweep has along its members, of what type, and how long their axes are.

What members give is known when they are there, and later ones may be larger (the number of cells is swept) or of
another type (whole numbers, then others; longer texts). So a layout grows; it never shrinks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn.errors import FileError, InputError
from brnn.files.stored import StoredRows
from brnn.files.sweep.header import SweepHeader
from brnn.files.sweep.schema import FILE_VARIABLES, parameter_variable, text_array
from brnn.files.sweep.texts import CodedTexts, with_texts

__all__ = ["SweepLayout", "SweepVariable", "axis_attributes", "storable"]


@dataclass(frozen=True)
class SweepVariable:
    """A variable of a sweep.

    Attributes
    ----------
    dims : tuple of str
        Names of its axes, `member` or `failed` first.
    dtype : dtype
        Its type in the file; "S<k>" for characters and lines.
    attributes : tuple of (str, str)
    texts : tuple of str, optional
        What its numbers stand for (see `brnn.files.sweep.texts`).
    """

    dims: tuple[str, ...]
    dtype: np.dtype
    attributes: tuple[tuple[str, str], ...] = ()
    texts: tuple[str, ...] | None = None

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return self.texts is not None or self.dtype.kind == "S"


@dataclass(frozen=True)
class SweepLayout:
    """Variables by name, and the lengths of all axes but `member`."""

    fields: Mapping[str, SweepVariable] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def cells(self, name: str) -> tuple[int, ...]:
        """Return the shape of what a variable has for one member."""
        return tuple(self.sizes[dim] for dim in self.fields[name].dims[1:])

    def row_bytes(self, name: str) -> int:
        """Return how many bytes that is."""
        return math.prod(self.cells(name)) * self.fields[name].dtype.itemsize

    def size(self, members: int) -> int:
        """Return how many bytes all variables need."""
        counts = {
            name: self.sizes.get("failed", 0) if f.dims[0] == "failed" else members for name, f in self.fields.items()
        }
        return sum(count * self.row_bytes(name) for name, count in counts.items())

    def including(self, name: str, values: np.ndarray, declared: SweepVariable | None) -> SweepLayout:
        """Return a layout that has room for `values` (members, ...) as well.

        Raises
        ------
        InputError
            If they do not fit to what the variable is: another number of axes, or texts and numbers.
        """
        known = self.fields.get(name)
        texts = with_texts(() if known is None else known.texts, values) if values.dtype.kind == "S" else None
        dtype = values.dtype if texts is None else np.dtype("<i4")
        if known is not None and known.dtype == dtype and known.texts == texts and self.cells(name) == values.shape[1:]:
            return self
        new = (
            known
            or declared
            or SweepVariable(("member", *(f"{name}_{axis}" for axis in range(values.ndim - 1))), values.dtype)
        )
        if len(new.dims) != values.ndim:
            raise InputError(f"sweep: '{name}' has {values.ndim - 1} axes for one member, must have {new.dims[1:]}")
        if known is not None and (declared is None or declared.dtype.kind in "OS"):
            new = replace(new, dtype=_common(name, known, dtype, texts), texts=texts)
        elif known is None and new.dtype.kind in "OS":
            new = replace(new, dtype=dtype, texts=texts)
        sizes = dict(self.sizes)
        for dim, size in zip(new.dims[1:], values.shape[1:], strict=True):
            sizes[dim] = max(size, sizes.get(dim, 0))
        return SweepLayout({**self.fields, name: new}, sizes)

    def with_sizes(self, least: Mapping[str, int]) -> SweepLayout:
        """Return a layout whose axes have at least these lengths."""
        sizes = {dim: max(size, least.get(dim, 0)) for dim, size in self.sizes.items()}
        return self if sizes == self.sizes else replace(self, sizes=sizes)

    def with_failed(self, count: int, longest: int) -> SweepLayout:
        """Return a layout with room for `count` members that failed, and texts of `longest` bytes."""
        room = self.sizes.get("failed", 0)
        known = self.fields.get("error_text")
        width = known.dtype.itemsize if known else 0
        if count <= room and longest < width:
            return self
        # Room for more of them, so that not each one makes the file be written anew.
        room = room if count <= room else max(count, 2 * room)
        width = width if longest < width else -(-(longest + 1) // 64) * 64  # each with the end of its line
        number = (("long_name", "member that failed (-1: none)"), ("units", "1"))
        fields = {
            "failed": SweepVariable(("failed",), np.dtype("<i8"), number),
            "error_text": SweepVariable(("failed",), np.dtype(f"S{width}"), (("long_name", "why it failed"),)),
        }
        return SweepLayout({**self.fields, **fields}, {**self.sizes, "failed": room})

    def axis_names(self, header: SweepHeader) -> dict[str, str]:
        """Return for each axis the name that it has in the file, where no variable has the same."""
        taken = {*self.fields, *FILE_VARIABLES, *map(parameter_variable, header.parameters)} - {"failed"}
        dims = dict.fromkeys((*self.sizes, *(() if header.times is None else ("time",))))
        return {dim: f"{dim}_cell" if dim in taken else dim for dim in dims}

    def description(self) -> list[dict[str, Any]]:
        """Return what the attribute `variables` of the file says: names, axes and attributes."""
        return [
            {"name": name, "dims": list(known.dims), "attributes": dict(known.attributes)}
            for name, known in self.fields.items()
        ]

    @classmethod
    def of_file(
        cls,
        description: Iterable[Mapping[str, Any]],
        rows: Mapping[str, StoredRows],
        label: str,
    ) -> SweepLayout:
        """Return the layout that a file describes.

        Parameters
        ----------
        description : iterable of mapping
            Its attribute `variables`.
        rows : mapping
            What there is of them.
        label : str
            Name of the file, for errors.

        Raises
        ------
        FileError
            If the two do not fit together.
        """
        fields, sizes = {}, dict(zip(("member",), rows["status"].shape, strict=True))
        for entry in description:
            name, dims = str(entry["name"]), tuple(map(str, entry["dims"]))
            stored = rows[name]
            texts = stored.texts if isinstance(stored, CodedTexts) else None
            shape, dtype = stored.shape, stored.dtype if texts is None else np.dtype("<i4")
            if len(shape) != len(dims) or dtype.kind not in "fiuS" or dims[:1] not in (("member",), ("failed",)):
                raise FileError(f"{label} is damaged: the variable {name} is not what it should be")
            for dim, size in zip(dims, shape, strict=True):
                if sizes.setdefault(dim, size) != size:
                    raise FileError(f"{label} is damaged: the axis {dim} of {name} has {size} places, not {sizes[dim]}")
            attributes = entry["attributes"].items()
            fields[name] = SweepVariable(dims, dtype, tuple((str(key), str(value)) for key, value in attributes), texts)
        del sizes["member"]
        if "status" not in fields or fields["status"].dtype != np.uint8:
            raise FileError(f"{label} is damaged: it does not say how its members ended")
        return cls(fields, sizes)


def storable(name: str, values: Any, dtype: np.dtype | None = None) -> np.ndarray:
    """Return what members gave as an array that a file can hold, of `dtype` if that is given.

    Raises
    ------
    InputError
        If it can hold no such thing.
    """
    array = np.asarray(values)
    if array.dtype.kind in "OTU":
        if array.dtype.kind == "O" and not all(isinstance(value, str) for value in array.flat):
            raise InputError(f"sweep: '{name}' has values that are neither numbers nor texts")
        array = text_array(array.astype(np.str_))
    kind = array.dtype.kind
    if kind not in "fiubS" or (kind == "f" and array.dtype.itemsize > 8):
        raise InputError(f"sweep: '{name}' has values of type {array.dtype}, which cannot be recorded")
    if kind == "S":
        if dtype is not None and dtype.kind not in "OS":
            raise InputError(f"sweep: '{name}' has texts, must be numbers")
        return array
    if dtype is not None and dtype.kind != "O":
        return array.astype(dtype, copy=False)
    if kind != "f" and array.ndim > 1:
        new = "<f8"  # only floating point knows NaN, which stands for cells that a member does not have
    elif kind in "iu":
        new = "<u8" if array.dtype == np.uint64 else "<i8"
    else:
        new = "i1" if kind == "b" else "<f4" if array.dtype.itemsize == 4 else "<f8"
    return array.astype(new, copy=False)


def axis_attributes(dim: str, header: SweepHeader) -> dict[str, str]:
    """Return the attributes of the coordinate of an axis."""
    if dim == "time" and header.times is not None:
        return {"long_name": "time", "units": str(header.attributes.get("time_units", "1"))}
    return {"long_name": "number of the member" if dim == "member" else f"index along {dim}", "units": "1"}


def _common(name: str, known: SweepVariable, dtype: np.dtype, texts: tuple[str, ...] | None) -> np.dtype:
    """Return the type that a variable has when there are values of `dtype`, or codes of `texts`, as well."""
    if known.is_text != (texts is not None or dtype.kind == "S"):
        raise InputError(f"sweep: '{name}' is a number for some members, and a text for others")
    if texts is not None:
        return dtype
    if known.texts is not None:  # there are too many texts for codes now
        dtype = np.promote_types(dtype, np.array([text.encode() for text in known.texts] or [b""]).dtype)
        return dtype
    return np.promote_types(known.dtype, dtype).newbyteorder("<")
