"""Recordings to which a network is fitted: times, values, and which unknowns they are of."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.text import closest, count_in
from brnn.errors import FileError, InputError
from brnn.files.open import open as open_file
from brnn.result.result import Result
from brnn.spec.variable import Variable

__all__ = ["Recording", "recordings"]

_TIME = ("time", "t")
_ELEMENT = re.compile(r"(?P<name>.+?)(?:\[(?P<counts>\d+(?:,\s*\d+)*)\]|\.(?P<dotted>\d+))$")


@dataclass(frozen=True)
class Recording:
    """What was measured in one run.

    Attributes
    ----------
    settings : dict
        Numbers of the network in this run alone, by dotted name.
    times : ndarray
        Rising.
    labels : tuple of str
        What each column is.
    names : tuple of str
        What it is called in the data: the variable, or the cell.
    unknowns : ndarray of int
        Where it stands in the state vector.
    values : ndarray, shape (times, columns)
        The measured values.
    """

    settings: dict[str, Any]
    times: np.ndarray
    labels: tuple[str, ...]
    names: tuple[str, ...]
    unknowns: np.ndarray
    values: np.ndarray


def recordings(data: Any, variables: Sequence[Variable]) -> list[Recording]:
    """Return what a user gave as data.

    Parameters
    ----------
    data : object
        A result, a Dataset or DataArray of xarray, a mapping of names to arrays with "time" among them, the path of a
        result file or of a CSV table; a pair (settings, one of these); or a list of all these.
    variables : sequence of Variable
        The variables of the network.

    Raises
    ------
    InputError
        If it is none of these, or has unknown names, values that are not numbers, or times that do not rise.
    """
    every = data if isinstance(data, list) else [data]
    if not every:
        raise InputError("data: the list is empty")
    found = []
    for k, one in enumerate(every):
        settings: dict[str, Any] = {}
        if isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], Mapping):
            settings, one = dict(one[0]), one[1]
        where = f"data[{k}]" if isinstance(data, list) else "data"
        if isinstance(one, (str, Path)):
            where, one = str(one), _read(Path(one))
        found.append(_recording(one, variables, settings, where))
    return found


def _read(path: Path) -> Mapping[str, Any]:
    """Return what a file holds."""
    if path.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _table(path)
    with open_file(path) as opened:
        if not isinstance(opened, Result):
            raise InputError(f"{path}: holds no run, to which a network could be fitted")
        return {name: opened[name].load() for name in opened}


def _table(path: Path) -> Mapping[str, Any]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            head = file.readline()
            file.seek(0)
            mark = max(",;\t", key=head.count)
            rows = [row for row in csv.reader(file, delimiter=mark) if row]
    except (OSError, UnicodeDecodeError) as error:
        raise FileError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is no text'}") from None
    if len(rows) < 2:
        raise InputError(f"{path}: must have a line of names and lines of numbers")
    names, columns = [name.strip() for name in rows[0]], []
    for k, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            raise InputError(f"{path}: line {k} has {len(row)} fields, must have {len(names)}")
        try:
            columns.append([float(part) if part.strip() else np.nan for part in row])
        except ValueError:
            wrong = next(part for part in row if not _is_number(part))
            raise InputError(f"{path}: line {k}: {wrong!r} is no number") from None
    return dict(zip(names, np.array(columns).T, strict=True))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return not text.strip()
    return True


def _recording(data: Any, variables: Sequence[Variable], settings: dict[str, Any], where: str) -> Recording:
    """Return what one recording holds of the network's variables."""
    named = _by_names(data, where)
    axis = next((name for name in _TIME if name in named), None)
    times = None if axis is None else _floats(named[axis], f"{where}: {axis}").ravel()
    labels: list[str] = []
    names: list[str] = []
    unknowns: list[int] = []
    values: list[np.ndarray] = []
    for name, array in named.items():
        if name == axis:
            continue
        array, times = _along_time(array, times, f"{where}: {name}")
        if times is None:
            raise InputError(f"{where}: has no times; there must be 'time'")
        places, shape = _places(name, variables, where)
        values.append(_block(array, times, shape, len(places), name, where))
        unknowns += places
        names += [name] * len(places)
        labels += [name] if len(places) == 1 else [f"{name}.{k}" for k in range(len(places))]
    if not values or times is None:
        raise InputError(f"{where}: holds no variable of the network (it has {_known(variables)})")
    if times.size == 0 or not np.isfinite(times).all() or (np.diff(times) <= 0).any():
        raise InputError(f"{where}: the times must be finite and rise")
    if len(set(unknowns)) < len(unknowns):
        raise InputError(f"{where}: a cell is given twice")
    return Recording(settings, times, tuple(labels), tuple(names), np.array(unknowns), np.concatenate(values, axis=1))


def _by_names(data: Any, where: str) -> dict[str, Any]:
    """Return arrays by their names: of a mapping, a Dataset, a DataArray, or a table of pandas."""
    if hasattr(data, "to_dataframe") and hasattr(data, "dims") and not hasattr(data, "data_vars"):
        if data.name is None:
            raise InputError(f"{where}: the DataArray has no name; call it as the variable: data.rename('rcf.x')")
        return {str(data.name): data}
    columns = getattr(data, "columns", None)
    if columns is not None and not isinstance(data, Mapping):
        return {str(name): np.asarray(data[name]) for name in columns}
    if hasattr(data, "data_vars"):
        return {str(name): data[name] for name in data.data_vars}
    if not isinstance(data, Mapping):
        raise InputError(
            f"{where}: is {type(data).__name__}, must be a result, a Dataset, a mapping of names to arrays, or a file"
        )
    return {str(name): array for name, array in data.items()}


def _along_time(array: Any, times: np.ndarray | None, where: str) -> tuple[Any, np.ndarray | None]:
    """Return an array with its times, if it knows any, along the first axis; and the times of all arrays so far."""
    own = getattr(array, "coords", None)
    if own is None:
        return array, times
    if "time" in own:
        axis = np.asarray(own["time"].values, dtype=np.float64)
        if times is not None and not np.array_equal(axis, times):
            raise InputError(f"{where} has other times than the others; give several recordings")
        return array.transpose("time", ...), axis
    if "ltm_time" in own:
        raise InputError(f"{where} has times of its own; give it as another recording")
    return array, times


def _block(array: Any, times: np.ndarray, shape: tuple[int, ...], cells: int, name: str, where: str) -> np.ndarray:
    """Return the values of a variable of this shape, or of one cell, as rows for the times."""
    block = _floats(array, f"{where}: {name}")
    if block.shape == (times.size,) and cells == 1:  # the only cell needs no number
        block = block.reshape(times.size, *shape)
    if block.shape != (times.size, *shape):
        each = f"; of single cells it is {name}[0], {name}[1], ..." if block.ndim == 1 else ""
        raise InputError(f"{where}: {name}: has shape {block.shape}, must have {(times.size, *shape)}{each}")
    rows = block.reshape(times.size, -1)
    wrong = ~np.isfinite(rows)
    if wrong.any():
        at = times[np.flatnonzero(wrong.any(axis=1))[0]]
        raise InputError(
            f"{where}: {name}: {int(wrong.sum())} values are not finite, the first at time {at:g}; leave these "
            "times or cells out"
        )
    return rows


def _floats(array: Any, where: str) -> np.ndarray:
    try:
        return np.array(getattr(array, "values", array), dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{where}: must be numbers") from None


def _known(variables: Sequence[Variable]) -> str:
    return ", ".join(variable.name for variable in variables)


def _places(name: str, variables: Sequence[Variable], where: str) -> tuple[list[int], tuple[int, ...]]:
    """Return where a variable, or one cell of it, stands in the state vector, and its shape."""
    by_name = {variable.name: variable for variable in variables}
    if name in by_name:
        variable = by_name[name]
        return list(range(variable.start, variable.stop)), variable.shape
    found = _ELEMENT.match(name)
    if found is not None and found["name"] in by_name:
        variable = by_name[found["name"]]
        parts = (found["counts"] or found["dotted"]).split(",")
        counts = [count for part in parts if (count := count_in(part.strip())) is not None]
        sizes = variable.shape if len(parts) > 1 else (variable.size,)
        if len(counts) == len(sizes) and all(k < size for k, size in zip(counts, sizes, strict=True)):
            return [variable.start + int(np.ravel_multi_index(counts, sizes))], ()
        raise InputError(f"{where}: {name}: there is no such cell, the shape is {variable.shape}")
    raise InputError(
        f"{where}: '{name}' is no variable of the network (it has {_known(variables)}){closest(name, list(by_name))}"
    )
