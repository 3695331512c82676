"""The root attributes of a file, which say what it holds, read and checked; the same for runs and sweeps."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn._version import __version__
from brnn.errors import FileError
from brnn.files.hdf5 import text_of
from brnn.result.metadata import FORMAT, Value

if TYPE_CHECKING:
    import h5py

__all__ = ["attribute_json", "attribute_value", "checked_format", "root_attributes"]


def root_attributes(file: h5py.File, long: Iterable[str]) -> dict[str, Any]:
    """Return the root attributes as HDF5 has them.

    Those named in `long` may stand in arrays of characters instead, if they are too long for an attribute.
    """
    attributes: dict[str, Any] = dict(file.attrs)
    for name in long:
        if name not in attributes and f"{name}_text" in file:
            attributes[name] = file[f"{name}_text"][()].tobytes()
    return attributes


def checked_format(attributes: Mapping[str, Any], label: str) -> int:
    """Return the format of a file; raise FileError if it is newer than what this brnn reads."""
    number = int(attributes["brnn_format"])
    if number > FORMAT:
        writer = text_of(attributes.get("brnn_version", "?"))
        raise FileError(
            f"{label} was written by a newer brnn ({writer}, format {number}); "
            f"this is brnn {__version__}, which reads format {FORMAT}"
        )
    return number


def attribute_value(value: Any) -> Value:
    """Return an attribute as a plain number or text."""
    plain = value.item() if isinstance(value, np.generic) else value
    return plain if isinstance(plain, (int, float)) else text_of(plain)


def attribute_json(value: Any, name: str, kinds: type | tuple[type, ...], label: str) -> Any:
    """Return what the attribute `name` says as JSON, one of `kinds`; raise FileError if it does not."""
    try:
        result = json.loads(text_of(value))
    except (ValueError, RecursionError):
        result = ...
    if not isinstance(result, kinds):
        raise FileError(f"{label} is damaged: its attribute {name} is not the JSON that it should be")
    return result
