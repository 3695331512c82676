"""Attributes as every reader knows them, and the root attributes of a file, checked; the same for runs and sweeps.

Texts have a fixed length (NC_CHAR in netCDF's words: Octave and older tools do not know texts of variable length), and
whole numbers 32 bits where the value fits (R has no others). Another program that rewrites a file may leave texts of
variable length, and arrays of one element for numbers: they are read as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn._version import __version__
from brnn.errors import FileError
from brnn.result.metadata import FORMAT, Value

if TYPE_CHECKING:
    import h5py

__all__ = [
    "CONVENTIONS",
    "attribute_json",
    "attribute_value",
    "checked_format",
    "open_with_xarray",
    "put_attributes",
    "root_attributes",
    "text_of",
    "time_units",
]

CONVENTIONS = "CF-1.8"  # of climate and forecast data: groups, units, flag_values and flag_meanings
_SHORT = {
    "days": "d",
    "hours": "h",
    "minutes": "min",
    "seconds": "s",
    "milliseconds": "ms",
    "microseconds": "us",
    "nanoseconds": "ns",
}
_OF_FILES = ("Conventions", "comment")  # attributes that say something of the file, not of what it holds


def time_units(units: str) -> str:
    """Return the unit of a time axis as xarray leaves it alone: it turns "seconds" into dates, rounded to them."""
    return _SHORT.get(units, units)


def open_with_xarray(path: str, group: str) -> str:
    """Return the lines of Python that open the file of a run without brnn."""
    return f'xarray.open_datatree("{path}"), or xarray.open_dataset("{path}", group="{group}")'


def put_attributes(target: h5py.HLObject, attributes: Mapping[str, Any]) -> None:
    """Write attributes: texts, numbers and arrays."""
    from h5py import h5a, h5s, h5t

    scalar = h5s.create(h5s.SCALAR)
    for name, value in attributes.items():
        if isinstance(value, str):
            text = value.encode() or b"\0"
            kind = h5t.C_S1.copy()
            kind.set_size(len(text))
            kind.set_cset(h5t.CSET_ASCII if text.isascii() else h5t.CSET_UTF8)
            h5a.create(target.id, name.encode(), kind, scalar).write(np.array(text, f"S{len(text)}"), mtype=kind)
        elif isinstance(value, int):
            target.attrs[name] = np.int32(value) if -(2**31) <= value < 2**31 else np.int64(value)
        else:
            target.attrs[name] = value


def root_attributes(file: h5py.File, long: Iterable[str]) -> dict[str, Any]:
    """Return the root attributes as HDF5 has them, but for those that are of the file and not of what it holds.

    Those named in `long` may stand in arrays of characters instead, if they are too long for an attribute.
    """
    attributes: dict[str, Any] = {
        name: value for name, value in file.attrs.items() if name not in _OF_FILES and not name.startswith("_")
    }
    for name in long:
        if name not in attributes and f"{name}_text" in file:
            attributes[name] = np.asarray(file[f"{name}_text"][()]).tobytes()
    return attributes


def checked_format(attributes: Mapping[str, Any], label: str) -> int:
    """Return the format of a file; raise FileError if it is newer than what this brnn reads."""
    number = attribute_value(attributes["brnn_format"])
    if not isinstance(number, int) or number < 1:
        raise FileError(f"{label} is damaged: there is no format {number}")
    if number > FORMAT:
        writer = text_of(attributes.get("brnn_version", "?"))
        raise FileError(
            f"{label} was written by a newer brnn ({writer}, format {number}); "
            f"this is brnn {__version__}, which reads format {FORMAT}"
        )
    return number


def attribute_value(value: Any) -> Value:
    """Return an attribute as a plain number or text."""
    plain = _single(value)
    return plain if isinstance(plain, (int, float)) else text_of(plain)


def text_of(value: Any) -> str:
    """Return an attribute, which HDF5 may hold as bytes, or as an array of one text, as text."""
    plain = _single(value)
    # HDF5's bytes that are no UTF-8 arrive as surrogates, which cannot be written or drawn.
    kept = plain if isinstance(plain, bytes) else str(plain).encode("utf-8", "replace")
    return kept.decode("utf-8", "replace").rstrip("\0")


def _single(value: Any) -> Any:
    """Return the one thing that an attribute holds."""
    if getattr(value, "shape", ()) is None:  # h5py.Empty: a text without characters
        return ""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value.item() if isinstance(value, np.generic) else value


def attribute_json(value: Any, name: str, kinds: type | tuple[type, ...], label: str) -> Any:
    """Return what the attribute `name` says as JSON, one of `kinds`; raise FileError if it does not."""
    try:
        text = text_of(value)
        result = json.loads(text)
        if "\\u" in text:
            json.dumps(result, ensure_ascii=False).encode()  # a half character cannot be written or drawn
    except (ValueError, RecursionError):
        result = ...
    if not isinstance(result, kinds):
        raise FileError(f"{label} is damaged: its attribute {name} is not the JSON that it should be")
    return result
