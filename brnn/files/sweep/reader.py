"""Opening the file of a sweep as an xarray Dataset."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from brnn.base.paths import identity
from brnn.base.text import one_line, short_repr
from brnn.ensemble.status import FAILED, STATUS_NAMES
from brnn.errors import FileError
from brnn.files.attributes import checked_format, text_of
from brnn.files.hdf5 import READ_ERRORS, reason
from brnn.files.opening import open_hdf5
from brnn.files.placed import SharedFile
from brnn.files.stored import KeptRows, StoredRows
from brnn.files.sweep.dataset import Dataset
from brnn.files.sweep.header import SweepHeader, header_of, read_attributes
from brnn.files.sweep.layout import SweepLayout, axis_attributes
from brnn.files.sweep.schema import (
    SEED_ATTRIBUTES,
    STATUS_ATTRIBUTES,
    parameter_attributes,
    parameter_variable,
)
from brnn.files.sweep.texts import CodedTexts, StoredTexts, stored_rows
from brnn.result.lazy import lazy_variable

if TYPE_CHECKING:
    import h5py
    import xarray as xr

__all__ = ["SweepContents", "open_sweep", "open_sweep_contents"]


@dataclass(frozen=True)
class SweepContents:
    """The file of a sweep, open.

    Attributes
    ----------
    header : SweepHeader
    attributes : dict
        Root attributes, with `wall_time`.
    layout : SweepLayout
        The variables along members.
    rows : dict of StoredRows
        Every variable, the parameters and seeds included. Texts are bytes of one length.
    status : ndarray of uint8, shape (members,)
        How each member ended, when the file was opened.
    source : SharedFile
        The file.
    close : callable
    """

    header: SweepHeader
    attributes: dict[str, Any]
    layout: SweepLayout
    rows: dict[str, StoredRows]
    status: np.ndarray
    source: SharedFile
    close: Callable[[], None]

    def again(self, label: str) -> SweepContents:
        """Return how far the sweep is now, which goes on in the same file."""
        status, seconds = _state(self.rows, self.header, label)
        return replace(self, status=status, attributes=self.attributes | {"wall_time": seconds})

    def errors(self) -> np.ndarray:
        """Return for each member why it failed; "" for those that did not."""
        result = np.full(len(self.status), "", object)
        if "failed" in self.rows:
            members = self.rows["failed"][:]
            known = np.flatnonzero((members >= 0) & (members < len(self.status)))
            known = known[self.status[members[known]] == FAILED]
            result[members[known]] = [text.rstrip() for text in StoredTexts(self.rows["error_text"])[:][known]]
        return result


def open_sweep(path: str | Path, contents: SweepContents | None = None) -> xr.Dataset:
    """Open the file of a sweep.

    Parameters
    ----------
    path : str or Path
        A file of `brnn.sweep`. It may be that of a sweep that was killed or still goes on: then some members are
        missing, and this is how far it was when it was opened.
    contents : SweepContents, optional
        The file, if it has been opened.

    Returns
    -------
    xarray.Dataset
        Along the dimension `member`: `status` (0 missing, 1 complete, 2 steady, 3 failed), `error` (texts), final
        states (``dataset["rcf.x"]``, one dimension per axis of the layer) and measures (``dataset["rcf.total"]``; where
        there is one layer, ``dataset["total"]`` is enough); parameters and seeds are coordinates. It is read from the
        file when it is used. NaN (-1 for whole numbers) stands where a member is missing, and for cells that it does
        not have. The attributes are those of the file, with the numbers of members that are `complete`, `steady`,
        `failed` and `missing`.

    Raises
    ------
    FileError
        If there is no such file, or it is not that of a sweep, or it is damaged.
    """
    if contents is None:
        contents = open_sweep_contents(path, str(path))
    try:
        dataset = _dataset(contents)
    except (*READ_ERRORS, ValueError) as error:  # xarray on axes that do not fit each other
        contents.close()
        raise FileError(f"{path} is damaged: {one_line(error)}") from None
    except BaseException:
        contents.close()
        raise
    dataset.set_close(contents.close)
    return dataset


def open_sweep_contents(path: str | Path, label: str) -> SweepContents:
    """Open the file of a sweep; raise FileError if it is none, or damaged. HDF5 is not kept busy with it."""
    if not isinstance(path, (str, Path)):
        raise FileError(f"{path!r} is not the name of a file")
    while True:
        with contextlib.ExitStack() as stack:
            file, before = stack.enter_context(contextlib.ExitStack()), identity(path)
            try:
                hdf5, source = open_hdf5(path, file), SharedFile(path, stack)
                if source.identity != before:
                    continue  # a sweep that grows has replaced the file in between: HDF5 may have opened the former one
                contents = _contents(hdf5, source, label)
            except FileError:
                raise
            except READ_ERRORS as error:
                raise FileError(f"{label} is damaged: {reason(error)}") from None
            if not any(rows.needs_hdf5 for rows in contents.rows.values()):
                file.close()
            return replace(contents, close=stack.pop_all().close)


def _contents(file: h5py.File, source: SharedFile, label: str) -> SweepContents:
    if "brnn_format" not in file.attrs or text_of(file.attrs.get("kind", "")) != "sweep":
        raise FileError(f"{label} is not the file of a sweep")
    checked_format(file.attrs, label)
    attributes, parsed = read_attributes(file, label)
    listed = [str(entry["name"]) for entry in parsed["variables"]]
    for name in listed:
        # Tables are called after them: a measure has the name of a function, states are called after their layers.
        if not all(part.isidentifier() for part in name.split(".")):
            raise FileError(f"{label} is damaged: {short_repr(name)} is not the name of a variable")
    names = dict.fromkeys([*listed, *map(parameter_variable, parsed["parameters"]), "member", "missing", "wall_time"])
    rows = {name: stored_rows(file, name, source, f"{label}: {name}") for name in names}
    layout = SweepLayout.of_file(parsed["variables"], rows, label)
    # What the header has beside parameters; the times are an axis, whose name a variable may have.
    extra = {"seed": "seed", "selected": "selected", "time": "time_cell" if "time" in listed else "time"}
    extra = {key: name for key, name in extra.items() if name in file}
    rows |= {name: stored_rows(file, name, source, f"{label}: {name}") for name in extra.values()}
    columns: dict[str, Any] = {}
    for name in map(parameter_variable, parsed["parameters"]):
        stored = rows[name]
        columns[name] = stored.column() if isinstance(stored, CodedTexts) else np.asarray(stored[:])
    columns |= {key: np.asarray(rows[name][:]) for key, name in extra.items()}
    header = header_of(attributes, parsed, columns, label)
    for name in layout.axis_names(header).values():
        rows.setdefault(name, stored_rows(file, name, source, f"{label}: {name}"))
    status, attributes["wall_time"] = _state(rows, header, label)
    attributes["coordinates"] = " ".join(header.coordinates())
    return SweepContents(header, attributes, layout, rows, status, source, lambda: None)


def _state(rows: Mapping[str, StoredRows], header: SweepHeader, label: str) -> tuple[np.ndarray, float]:
    """Return how members ended, and how long the sweep took."""
    status = np.asarray(rows["status"][:])
    if not (status.shape == rows["member"].shape == (header.members,)) or status.max() >= len(STATUS_NAMES):
        raise FileError(f"{label} is damaged: the variable status is not what it should be")
    return status, float(np.ravel(rows["wall_time"][:])[0])


def _dataset(contents: SweepContents) -> xr.Dataset:
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
        coordinates["seed"] = variable("seed", ("member",), SEED_ATTRIBUTES)
    variables: dict[Hashable, Any] = {
        "status": xr.Variable("member", contents.status, dict(layout.fields["status"].attributes) | STATUS_ATTRIBUTES),
        "error": lazy_variable(("member",), KeptRows(contents.errors()), {"long_name": "why the member failed"}),
    }
    for name, field in layout.fields.items():
        if field.dims[0] == "member" and name != "status":
            variables[name] = variable(name, tuple(names[dim] for dim in field.dims), dict(field.attributes))
    counts = np.bincount(contents.status[header.wanted()], minlength=len(STATUS_NAMES)).tolist()
    return Dataset(variables, coordinates, contents.attributes | dict(zip(STATUS_NAMES, counts, strict=True)))
