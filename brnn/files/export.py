"""The results of a run or of a sweep as tables, for programs that know neither HDF5 nor netCDF."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.base.paths import check_target, new_text_file, replacing
from brnn.ensemble.status import STATUS_NAMES
from brnn.errors import BrnnError, FileError, InputError
from brnn.files.hdf5 import WRITE_ERRORS, reason
from brnn.files.open import open as open_file
from brnn.result.result import Result

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["to_csv", "to_parquet"]


@dataclass(frozen=True)
class _Table:
    """What becomes a CSV file: rows, the first of them the names of the columns, below what is said of them."""

    rows: Iterator[Sequence[Any]]
    notes: tuple[str, ...] = ()


def to_csv(path: str | Path, folder: str | Path, *, force: bool = False) -> list[Path]:
    """Write the results of a run or of a sweep as CSV tables, whose numbers give back the same floats.

    Of a run each variable has a table, with a row for each saved time and a column for each cell: ``time``,
    ``F1.x[0]`` and so on. Lines before it that begin with # say what it is.

    Of a sweep ``members.csv`` has a row for each member: its number, parameters, seed, status, error, and all that is
    one value for a member. Everything else, final states for example, gets a file of its name: a row for each member
    (and saved time), a column for each cell.

    Parameters
    ----------
    path : str or Path
        The file of the run or of the sweep; it may be larger than memory.
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
        If the results cannot be read, or a table exists or cannot be written.
    """
    place = Path(folder)
    if not place.parent.is_dir():
        raise FileError(f"{folder}: the folder {place.parent} does not exist")
    if place.exists() and not place.is_dir():
        raise FileError(f"{folder} is a file, must be a folder")
    with open_file(path) as opened:
        tables = _tables_of_run(opened) if isinstance(opened, Result) else _tables_of_sweep(opened)
        targets = [place / f"{name}.csv" for name in tables]
        if place.exists():
            for target in targets:
                check_target(target, force, kept=[Path(path)])
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder} cannot be made: {reason(error)}") from None
        for target, table in zip(targets, tables.values(), strict=True):
            with new_text_file(target, force) as file:
                file.writelines(f"# {line}\n" for line in table.notes)
                csv.writer(file, lineterminator="\n").writerows(table.rows)
    return targets


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
        If it is a run, or pyarrow is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise InputError("Parquet needs the package pyarrow: pip install 'brnn[parquet]'") from None
    target = check_target(file, force, kept=[Path(path)])
    try:
        with open_file(path) as dataset, replacing(target, force) as name:
            if isinstance(dataset, Result):
                raise InputError(f"{file}: {path} is a run; only sweeps are written as one table (a run as CSV)")
            single, larger = _columns(dataset)
            attributes = {
                key: value.item() if isinstance(value, np.generic) else value for key, value in dataset.attrs.items()
            }
            writer = None
            for block in _blocks(dataset, "member", dataset.nbytes // max(1, dataset.sizes["member"])):
                table = pyarrow.table({column: _arrow(_column_values(block, column)) for column in (*single, *larger)})
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


def _blocks(data: Any, dim: str, row: int) -> Iterator[Any]:
    """Yield a Dataset or DataArray piece by piece along an axis; `row` is the bytes of one step along it."""
    step = rows_at_once(row)
    for start in range(0, data.sizes[dim], step):
        yield data.isel({dim: slice(start, start + step)})


def _column_values(dataset: xr.Dataset, name: str) -> np.ndarray:
    values = np.asarray(dataset[name].values)
    return np.array(STATUS_NAMES, object)[values] if name == "status" else values


def _tables_of_run(result: Result) -> dict[str, _Table]:
    """Return the tables of a run by their names: one for each variable."""
    return {name: _Table(_rows_in_time(result[name]), tuple(_notes(result[name]))) for name in result}


def _notes(variable: xr.DataArray) -> Iterator[str]:
    """Yield what the variable and its axes are."""
    attributes, time = variable.attrs, variable.dims[0]
    name = variable.name
    yield f"{attributes.get('long_name', name)} ({name}), units: {attributes.get('units', '1')}"
    yield f"{time}: units: {variable[time].attrs.get('units', '1')}, {variable.shape[0]} saved times"
    for dim in variable.dims[1:]:
        if dim in variable.coords:
            points = np.asarray(variable[dim].values)
            units = variable[dim].attrs.get("units", "1")
            yield f"{dim}: {points[0]} ... {points[-1]}, {points.size} of them, units: {units}"
        else:
            yield f"{dim}: 0 ... {variable.sizes[dim] - 1}"


def _rows_in_time(variable: xr.DataArray) -> Iterator[Sequence[Any]]:
    """Yield the rows of a variable of a run: a time, and what each cell had."""
    time, cells = str(variable.dims[0]), math.prod(variable.shape[1:])
    yield [time, *_cell_names(str(variable.name), variable.shape[1:])]
    for block in _blocks(variable, time, 8 * cells):
        values = np.asarray(block.values, dtype=np.float64).reshape(-1, cells).tolist()
        for moment, row in zip(np.asarray(block[time].values, dtype=np.float64).tolist(), values, strict=True):
            yield [moment, *row]


def _tables_of_sweep(dataset: xr.Dataset) -> dict[str, _Table]:
    """Return the tables of a sweep by their names: one of what is one value for a member, and one for each other."""
    single, larger = _columns(dataset)
    tables = {"members": _Table(_rows_of_members(dataset, single))}
    for name in larger:
        tables["members_cells" if name == "members" else name] = _Table(_rows_of_cells(dataset[name]))
    return tables


def _rows_of_members(dataset: xr.Dataset, names: list[str]) -> Iterator[Sequence[Any]]:
    yield names
    for block in _blocks(dataset[names], "member", 100 * len(names)):
        yield from zip(*(_column_values(block, name).tolist() for name in names), strict=True)


def _rows_of_cells(variable: xr.DataArray) -> Iterator[Sequence[Any]]:
    """Yield the rows of a variable of a sweep; saved times stand below each other, all other axes beside."""
    timed = "time" in variable.dims and "time" in variable.coords
    variable = variable.transpose("member", "time", ...) if timed else variable
    times = variable["time"].values.tolist() if timed else [None]
    shape = variable.shape[1 + timed :]
    yield ["member", *(["time"] if timed else []), *_cell_names(str(variable.name), shape)]
    for block in _blocks(variable, "member", 8 * math.prod(variable.shape[1:])):
        values = np.asarray(block.values).reshape(-1, len(times), math.prod(shape)).tolist()
        for member, rows in zip(block["member"].values.tolist(), values, strict=True):
            for time, row in zip(times, rows, strict=True):
                yield [member, time, *row] if timed else [member, *row]


def _cell_names(name: str, shape: tuple[int, ...]) -> Iterator[str]:
    """Yield the names of the columns of the cells: ``F1.x[0]``, ``F2.x[0][1]``."""
    return (name + "".join(f"[{k}]" for k in index) for index in itertools.product(*map(range, shape)))


def _arrow(values: np.ndarray) -> Any:
    import pyarrow

    flat = values.reshape(-1)
    array = pyarrow.array(flat.tolist(), pyarrow.string()) if flat.dtype == object else pyarrow.array(flat)
    for size in reversed(values.shape[1:]):
        array = pyarrow.FixedSizeListArray.from_arrays(array, size)
    return array
