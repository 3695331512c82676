"""The results of a sweep as tables, for programs that know neither HDF5 nor netCDF."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.paths import check_target, new_text_file, replacing
from brnn.ensemble.status import STATUS_NAMES
from brnn.errors import BrnnError, FileError, InputError
from brnn.files.hdf5 import WRITE_ERRORS, reason
from brnn.files.sweep.reader import open_sweep

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["to_csv", "to_parquet"]

_BLOCK = 16_000_000  # bytes that are read at once


def to_csv(path: str | Path, folder: str | Path, *, force: bool = False) -> list[Path]:
    """Write the results of a sweep as CSV tables.

    ``members.csv`` has a row for each member: its number, parameters, seed, status, error, and all that is one value
    for a member. Everything else, final states for example, gets a file of its name: a row for each member (and saved
    time), a column for each cell, ``rcf.x[0]`` and so on. The numbers give back the same floats.

    Parameters
    ----------
    path : str or Path
        The file of the sweep.
    folder : str or Path
        Where the tables go; made if needed.
    force : bool
        Replace existing tables.

    Returns
    -------
    list of Path
        The tables.

    Raises
    ------
    FileError
        If the sweep cannot be read, or a table exists or cannot be written.
    """
    place = Path(folder)
    if not place.parent.is_dir():
        raise FileError(f"{folder}: the folder {place.parent} does not exist")
    if place.exists() and not place.is_dir():
        raise FileError(f"{folder} is a file, must be a folder")
    with open_sweep(path) as dataset:
        single, larger = _columns(dataset)
        names = {name: "members_cells" if name == "members" else name for name in larger}
        targets = {None: place / "members.csv"} | {name: place / f"{names[name]}.csv" for name in larger}
        if place.exists():
            for target in targets.values():
                check_target(target, force)
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder} cannot be made: {reason(error)}") from None
        for name, target in targets.items():
            _write_table(target, force, _member_rows(dataset, single) if name is None else _cell_rows(dataset[name]))
    return list(targets.values())


def to_parquet(path: str | Path, file: str | Path, *, force: bool = False) -> Path:
    """Write the results of a sweep as a Parquet file, a row for each member.

    A column holds one value for each member, or a list of them (final states), nested where there are several axes:
    ``np.stack(pandas.read_parquet(file)["rcf.x"])`` is an array (member, cell). The root attributes of the sweep are
    JSON in the metadata of the schema, ``b"brnn"``.

    Parameters
    ----------
    path : str or Path
        The file of the sweep.
    file : str or Path
        The file to write.
    force : bool
        Replace an existing file.

    Raises
    ------
    FileError
        If the sweep cannot be read, or the file exists or cannot be written.
    InputError
        If pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("Parquet needs the package pyarrow: pip install 'brnn[parquet]'") from None
    target = check_target(file, force)
    try:
        with open_sweep(path) as dataset, replacing(target, force) as name:
            single, larger = _columns(dataset)
            attributes = {
                key: value.item() if isinstance(value, np.generic) else value for key, value in dataset.attrs.items()
            }
            writer = None
            for block in _blocks(dataset, dataset.nbytes // max(1, dataset.sizes["member"])):
                table = pyarrow.table({column: _arrow(_values(block, column)) for column in (*single, *larger)})
                if writer is None:
                    schema = table.schema.with_metadata({"brnn": json.dumps(attributes)})
                    writer = pyarrow.parquet.ParquetWriter(name, schema)
                writer.write_table(table.cast(schema))
            if writer is not None:
                writer.close()
    except BrnnError:
        raise
    except (*WRITE_ERRORS, pyarrow.ArrowException) as error:
        raise FileError(f"{file} cannot be written: {reason(error)}") from None
    return target


def _columns(dataset: xr.Dataset) -> tuple[list[str], list[str]]:
    """Return the names of what has one value for each member, and of what has more."""
    names = [str(name) for name in (*dataset.coords, *dataset.data_vars) if "member" in dataset[name].dims]
    single = [name for name in names if dataset[name].ndim == 1]
    return single, [name for name in names if name not in single]


def _blocks(dataset: Any, row: int) -> Iterator[Any]:
    """Yield the members of a Dataset or DataArray piece by piece."""
    step = max(1, _BLOCK // max(1, row))
    for start in range(0, dataset.sizes["member"], step):
        yield dataset.isel(member=slice(start, start + step))


def _values(dataset: xr.Dataset, name: str) -> np.ndarray:
    values = np.asarray(dataset[name].values)
    return np.array(STATUS_NAMES, object)[values] if name == "status" else values


def _member_rows(dataset: xr.Dataset, names: list[str]) -> Iterator[list[Any]]:
    yield names
    for block in _blocks(dataset[names], 100 * len(names)):
        yield from map(list, zip(*(_values(block, name).tolist() for name in names), strict=True))


def _cell_rows(variable: xr.DataArray) -> Iterator[list[Any]]:
    """Yield the rows of a variable; saved times stand below each other, all other axes beside."""
    timed = "time" in variable.dims and "time" in variable.coords
    variable = variable.transpose("member", "time", ...) if timed else variable
    times = variable["time"].values.tolist() if timed else [None]
    cells = variable.shape[1 + timed :]
    indices = itertools.product(*map(range, cells))
    yield [
        "member",
        *(["time"] if timed else []),
        *(str(variable.name) + "".join(f"[{k}]" for k in i) for i in indices),
    ]
    for block in _blocks(variable, 8 * math.prod(variable.shape[1:])):
        values = np.asarray(block.values).reshape(-1, len(times), math.prod(cells)).tolist()
        for member, rows in zip(block["member"].values.tolist(), values, strict=True):
            for time, row in zip(times, rows, strict=True):
                yield [member, time, *row] if timed else [member, *row]


def _write_table(path: Path, force: bool, rows: Iterator[list[Any]]) -> None:
    with new_text_file(path, force) as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _arrow(values: np.ndarray) -> Any:
    import pyarrow

    flat = values.reshape(-1)
    array = pyarrow.array(flat.tolist(), pyarrow.string()) if flat.dtype == object else pyarrow.array(flat)
    for size in reversed(values.shape[1:]):
        array = pyarrow.FixedSizeListArray.from_arrays(array, size)
    return array
