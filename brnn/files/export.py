"""The results of a run or of a sweep as tables, for programs that know neither HDF5 nor netCDF."""

from __future__ import annotations

import csv
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

_Rows = Iterator[Sequence[Any]]  # of a table, the names of its columns first
_UNITS = "units"  # the table that says what the others hold


def to_csv(path: str | Path, folder: str | Path, *, force: bool = False) -> list[Path]:
    """Write the results of a run or of a sweep as CSV tables, whose numbers give back the same floats.

    The first line of each is the names of its columns. ``units.csv`` says what the variables and axes of all tables
    are, and in which units.

    Of a run each variable has a table, with a row for each saved time and a column for each cell: ``time``,
    ``F1.x[0]`` and so on. ``events.csv`` has a row for each event, if the network has any.

    Of a sweep ``members.csv`` has a row for each member: its number, parameters, seed, status, error, and all that is
    one value for a member. Everything else, final states for example, gets a file of its name: a row for each member
    (and saved time), a column for each cell.

    Of a bifurcation diagram ``points.csv`` has a row for each point.

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
        if isinstance(opened, Result):
            tables = _tables_of_run(opened)
        else:
            tables = _tables_of_diagram(opened) if "point" in opened.dims else _tables_of_sweep(opened)
        targets = [place / f"{name}.csv" for name in tables]
        if place.exists():
            for target in targets:
                check_target(target, force, kept=[Path(path)])
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise FileError(f"{folder} cannot be made: {reason(error)}") from None
        for target, rows in zip(targets, tables.values(), strict=True):
            with new_text_file(target, force) as file:
                csv.writer(file, lineterminator="\n").writerows(rows)
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
            if isinstance(dataset, Result) or "member" not in dataset.dims:
                kind = "run" if isinstance(dataset, Result) else "bifurcation diagram"
                raise InputError(f"{file}: {path} is a {kind}; only sweeps are written as one table (others as CSV)")
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


def _tables_of_run(result: Result) -> dict[str, _Rows]:
    """Return the tables of a run by their names: one for each variable, one of the events, and one of units."""
    tables = {name: _rows_in_time(result[name]) for name in result}
    described: dict[str, Iterable[xr.DataArray]] = {name: _with_axes(result[name]) for name in result}
    if result.event_table is not None:
        events = result.events
        names = ("time", "name", "cell", "value", "chosen")
        tables["events"] = _rows_of_events(events, names)
        described["events"] = [events[name] for name in names]
    return tables | {_UNITS: _rows_of_units(described)}


def _rows_of_events(events: xr.Dataset, names: Sequence[str]) -> _Rows:
    yield names
    yield from zip(*(events[name].values.tolist() for name in names), strict=True)


def _with_axes(variable: xr.DataArray) -> list[xr.DataArray]:
    return [*(variable[dim] for dim in variable.dims if dim in variable.coords), variable]


def _rows_of_units(described: Mapping[str, Iterable[xr.DataArray]]) -> _Rows:
    """Yield what the columns and axes of the tables are."""
    yield ["table", "name", "units", "long_name", "size"]
    for table, variables in described.items():
        for variable in variables:
            about = variable.attrs
            size = " x ".join(map(str, variable.shape))
            yield [table, variable.name, about.get("units", "1"), about.get("long_name", variable.name), size]


def _rows_in_time(variable: xr.DataArray) -> _Rows:
    """Yield the rows of a variable of a run: a time, and what each cell had."""
    time, cells = str(variable.dims[0]), math.prod(variable.shape[1:])
    yield [time, *_cell_names(str(variable.name), variable.shape[1:])]
    for block in _blocks(variable, time, 8 * cells):
        values = np.asarray(block.values, dtype=np.float64).reshape(-1, cells).tolist()
        for moment, row in zip(np.asarray(block[time].values, dtype=np.float64).tolist(), values, strict=True):
            yield [moment, *row]


def _tables_of_sweep(dataset: xr.Dataset) -> dict[str, _Rows]:
    """Return the tables of a sweep: one of what is one value for a member, one for each other, and one of units."""
    single, larger = _columns(dataset)
    tables = {"members": _rows_of_members(dataset, single)}
    described: dict[str, Iterable[xr.DataArray]] = {"members": [dataset[name] for name in single]}
    for name in larger:
        table = f"{name}_cells" if name in ("members", _UNITS) else name
        tables[table] = _rows_of_cells(dataset[name])
        described[table] = _with_axes(dataset[name])
    return tables | {_UNITS: _rows_of_units(described)}


def _tables_of_diagram(diagram: xr.Dataset) -> dict[str, _Rows]:
    """Return the table of a bifurcation diagram, a row for each point, and that of units."""
    return {"points": _rows_of_points(diagram), _UNITS: _rows_of_units({"points": diagram.data_vars.values()})}


def _rows_of_points(diagram: xr.Dataset) -> _Rows:
    variables = list(diagram.data_vars.values())
    yield [name for variable in variables for name in _cell_names(str(variable.name), variable.shape[1:])]
    parts = [variable.values.reshape(diagram.sizes["point"], -1).tolist() for variable in variables]
    yield from (list(itertools.chain.from_iterable(row)) for row in zip(*parts, strict=True))


def _rows_of_members(dataset: xr.Dataset, names: list[str]) -> _Rows:
    yield names
    for block in _blocks(dataset[names], "member", 100 * len(names)):
        yield from zip(*(_column_values(block, name).tolist() for name in names), strict=True)


def _rows_of_cells(variable: xr.DataArray) -> _Rows:
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
