"""The file of a bifurcation diagram: every variable along `point`, texts as numbers with their meanings.

/             attributes: Conventions, brnn_format, kind ("diagram"), along, network, versions, created,
              command
  point       dimension; the parameter, branch, kind, special, stable ... and the states along it
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.paths import check_target, replacing
from brnn.errors import FileError
from brnn.files.attributes import CONVENTIONS, attribute_value, checked_format, put_attributes, text_of
from brnn.files.hdf5 import READ_ERRORS, WRITE_ERRORS, reason, unused_value
from brnn.files.opening import open_hdf5
from brnn.result.metadata import FORMAT, provenance

if TYPE_CHECKING:
    import h5py
    import xarray as xr

__all__ = ["open_diagram", "save_diagram"]

_NOTHING = "none"  # the meaning of an empty text: flag_meanings has no empty word


def save_diagram(diagram: xr.Dataset, path: str | Path, *, force: bool = False, command: str | None = None) -> Path:
    """Write a bifurcation diagram to a file that xarray opens without brnn.

    Parameters
    ----------
    diagram : xarray.Dataset
        From `brnn.bifurcation_diagram` or `brnn.bifurcation_curve`.
    path : str or Path
        The file.
    force : bool
        Replace an existing file.
    command : str, optional
        Command line; that of this process by default.

    Raises
    ------
    FileError
        If it may not be written, or cannot.
    """
    import h5py

    target = check_target(path, force, suffixes=(".h5", ".hdf5", ".nc"))
    try:
        with replacing(target, force) as name, h5py.File(name, "w", track_order=True) as file:
            attributes = {str(key): value for key, value in diagram.attrs.items()}
            put_attributes(
                file, {"Conventions": CONVENTIONS, "brnn_format": FORMAT, "kind": "diagram", **provenance(command)}
            )
            put_attributes(file, {f"diagram_{key}" if key == "kind" else key: v for key, v in attributes.items()})
            for dim, size in diagram.sizes.items():
                file.create_dataset(str(dim), data=np.arange(size, dtype=np.int32)).make_scale(str(dim))
            for key, variable in diagram.data_vars.items():
                _write(file, str(key), variable)
    except WRITE_ERRORS as error:
        raise FileError(f"{path} cannot be written: {reason(error)}") from None
    return target


def _write(file: h5py.File, name: str, variable: xr.DataArray) -> None:
    values = np.asarray(variable.values)
    attributes: dict[str, Any] = {str(key): value for key, value in variable.attrs.items()}
    if values.dtype == bool:
        values = values.astype(np.int8)
        attributes |= {"flag_values": np.array([0, 1], dtype=np.int8), "flag_meanings": "no yes"}
    elif values.dtype.kind in "OU":
        words = sorted({str(value) for value in values.ravel()})
        values = np.searchsorted(words, values.astype(str)).astype(np.int8)
        meanings = [word.replace(" ", "_") or _NOTHING for word in words]
        attributes |= {"flag_values": np.arange(len(words), dtype=np.int8), "flag_meanings": " ".join(meanings)}
    options = {"fletcher32": True, "chunks": True} if values.size else {}
    dataset = file.create_dataset(name, data=values, fillvalue=unused_value(values.dtype), **options)
    put_attributes(dataset, attributes)
    for axis, dim in enumerate(variable.dims):
        dataset.dims[axis].attach_scale(file[str(dim)])


def open_diagram(path: str | Path) -> xr.Dataset:
    """Open the file of a bifurcation diagram as the Dataset that was saved.

    Raises
    ------
    FileError
        If there is no such file, or it is not a diagram, or it is damaged.
    """
    import xarray as xr

    try:
        with contextlib.ExitStack() as stack:
            file = open_hdf5(path, stack)
            attributes = {key: attribute_value(value) for key, value in file.attrs.items() if not key.startswith("_")}
            if text_of(file.attrs.get("kind", "")) != "diagram":
                raise FileError(f"{path} is not the file of a bifurcation diagram")
            checked_format(dict(file.attrs), str(path))
            data = {}
            for name, dataset in file.items():
                if not dataset.is_scale:
                    dims = [dataset.dims[axis][0].name.rpartition("/")[2] for axis in range(dataset.ndim)]
                    data[name] = (dims, _read(dataset), _others(dataset.attrs))
            kept = {k: v for k, v in attributes.items() if k not in ("Conventions", "brnn_format", "kind")}
            kept |= {"kind": kept.pop("diagram_kind")} if "diagram_kind" in kept else {}
            return xr.Dataset(data, attrs=kept)
    except FileError:
        raise
    except READ_ERRORS as error:
        raise FileError(f"{path} is damaged: {reason(error)}") from None


def _read(dataset: h5py.Dataset) -> np.ndarray:
    values = np.asarray(dataset[()])
    if "flag_meanings" not in dataset.attrs:
        return values
    words = text_of(dataset.attrs["flag_meanings"]).split()
    if words == ["no", "yes"]:
        return values.astype(bool)
    texts = np.array(["" if word == _NOTHING else word.replace("_", " ") for word in words], dtype=object)
    return np.asarray(texts[values])


def _others(attributes: Mapping[str, Any]) -> dict[str, Any]:
    known = ("flag_values", "flag_meanings", "DIMENSION_LIST", "CLASS", "NAME", "REFERENCE_LIST")
    return {k: attribute_value(v) for k, v in attributes.items() if k not in known and not k.startswith("_")}
