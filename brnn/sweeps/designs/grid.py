"""Designs whose values are given one by one: a grid, and a table."""

from __future__ import annotations

import csv
import dataclasses
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import FileError, SpecError
from brnn.spec.dotted.texts import number_in, short_value
from brnn.sweeps.columns import Column, pick
from brnn.sweeps.designs.base import Design, check_name, named, places_of
from brnn.sweeps.designs.values import Values, refuse_repeated, values_of

__all__ = ["Grid", "Table"]


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Grid(Design):
    """All combinations of the values of some parameters.

    Parameters
    ----------
    axes : mapping of str to sequence, optional
        Values by name; a way to write names with dots: ``Grid({"signal.half": [0.1, 0.2]})``.
    **named : sequence
        Values by name: numbers, texts (read as on the command line: ``signal=["linear", "sigmoid"]``), signals,
        arrays or sequences of numbers (``initial=[[0.1, 0.2], [0.2, 0.1]]``; each row is a value), or a mixture.

    Raises
    ------
    SpecError
        If there are no parameters, one has no values or a value twice, or a value is none that a parameter can have.

    Examples
    --------
    >>> Grid(A=[0.5, 1.0], B=[1, 2, 3]).size
    6
    """

    values: Mapping[str, Values]

    def __init__(self, axes: Mapping[str, Any] | None = None, /, **axes_named: Any) -> None:
        values = {}
        for name, given in named("Grid", axes, axes_named, "values").items():
            values[name] = values_of(given, f"Grid: {name}")
            refuse_repeated(values[name], f"Grid: {name}")
        self._set(values=values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters; the last one varies fastest."""
        return tuple(self.values)

    @property
    def size(self) -> int:
        """Number of members: the product of the numbers of values."""
        result = 1
        for values in self.values.values():
            result *= len(values)
        return result

    @property
    def axes(self) -> dict[str, Column]:
        """The values of each parameter."""
        return {
            name: values if isinstance(values, np.ndarray) else list(values) for name, values in self.values.items()
        }

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        sizes = [len(values) for values in self.values.values()]
        return {
            name: pick(values, index)
            for (name, values), index in zip(self.values.items(), places_of(members, sizes), strict=True)
        }

    def __repr__(self) -> str:
        return f"Grid({', '.join(f'{name}={_shown(values)}' for name, values in self.values.items())})"


@dataclasses.dataclass(frozen=True, eq=False, init=False, repr=False)
class Table(Design):
    """Members that are given one by one: the rows of a table.

    Parameters
    ----------
    source : path or mapping, optional
        A CSV file (TSV if it ends in .tsv): its first line has the names of the parameters, every other line is a
        member. A column of numbers holds numbers, any other one texts (read as on the command line); lines that
        begin with # and empty ones are left out. The file is read once: the design holds its values. Or a mapping of
        names to columns of equal lengths, whose values may be all that those of a Grid may be.
    **columns : sequence
        Columns by name.

    Raises
    ------
    SpecError
        If there is no column or no row, or columns have different lengths.
    FileError
        If the file cannot be read, or a line does not fit; the message names the line.
    """

    values: Mapping[str, Values]

    def __init__(self, source: str | os.PathLike[str] | Mapping[str, Any] | None = None, /, **columns: Any) -> None:
        if isinstance(source, (str, os.PathLike)):
            if columns:
                raise SpecError("Table: takes a file or columns, not both")
            source = _read(Path(source))
        values = {
            name: values_of(given, f"Table: {name}")
            for name, given in named("Table", source, columns, "values").items()
        }
        first = next(iter(values))
        for name, column in values.items():
            if len(column) != len(values[first]):
                raise SpecError(f"Table: {name} has {len(column)} values, {first} has {len(values[first])}")
        self._set(values=values)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.values)

    @property
    def size(self) -> int:
        """Number of rows."""
        return len(next(iter(self.values.values())))

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        return {name: pick(values, members) for name, values in self.values.items()}

    def __repr__(self) -> str:
        return f"Table({', '.join(f'{name}={_shown(values)}' for name, values in self.values.items())})"


def _shown(values: Values) -> str:
    if len(values) > 6:
        return f"[{short_value(values[0])}, ..., {short_value(values[-1])}]"
    return f"[{', '.join(map(short_value, values))}]"


def _read(path: Path) -> dict[str, list[Any]]:
    """Return the columns of a CSV file, texts where not all are numbers."""
    if not path.exists():
        raise FileError(f"{path}: there is no such file")
    if not path.is_file():
        raise FileError(f"{path}: is {'a folder' if path.is_dir() else 'no regular file'}")
    refuse_above(20 * path.stat().st_size, f"{path}, a table,")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            # Lines are counted while they are read, because a quoted cell may contain ends of lines.
            reader = csv.reader(file, delimiter="\t" if path.suffix.lower() == ".tsv" else ",", skipinitialspace=True)
            return _table(path, reader)
    except UnicodeDecodeError:
        raise FileError(f"{path}: is not a text in UTF-8") from None
    except csv.Error as error:
        raise FileError(f"{path}: line {reader.line_num}: {error}") from None
    except OSError as error:
        raise FileError(f"{path}: {error.strerror}") from None


def _table(path: Path, reader: Any) -> dict[str, list[Any]]:
    names: list[str] = []
    rows: list[list[str]] = []
    for cells in reader:
        row = [cell.strip() for cell in cells]
        if not any(row) or row[0].startswith("#"):
            continue
        at = f"{path}: line {reader.line_num}"
        if not names:
            names = row
            _check_header(names, at)
            continue
        if len(row) != len(names):
            raise FileError(f"{at}: has {len(row)} values, there are {len(names)} columns ({', '.join(names)})")
        for name, cell in zip(names, row, strict=True):
            if not cell:
                raise FileError(f"{at}: {name} is empty")
            if cell.lower() in ("nan", "+nan", "-nan"):
                raise FileError(f"{at}: {name} = {cell}: must be a number or a text that means a value")
        rows.append(row)
    if not names:
        raise FileError(f"{path}: is empty; the first line must have the names of the parameters")
    if not rows:
        raise FileError(f"{path}: has no line after the names; every member is a line")
    return {name: _column([row[k] for row in rows]) for k, name in enumerate(names)}


def _check_header(names: list[str], at: str) -> None:
    for k, name in enumerate(names):
        if number_in(name) is not None:
            raise FileError(
                f"{at}: begins with the number {name}; the first line must have the names of the parameters"
            )
        if name in names[:k]:
            raise FileError(f"{at}: the column '{name}' occurs twice")
        try:
            check_name(name, "header")
        except SpecError:
            hint = "; columns are separated by commas" if any(mark in name for mark in ";\t|") else ""
            raise FileError(
                f"{at}: '{shortened(name)}' is not the name of a parameter, such as A, signal.half or initial.3{hint}"
            ) from None


def _column(cells: list[str]) -> list[Any]:
    numbers = [number_in(cell) for cell in cells]
    if None in numbers:
        return cells
    # Numbers of more digits than int64 surely holds are floats.
    return [int(cell) for cell in cells] if all(re.fullmatch(r"[+-]?\d{1,18}", cell) for cell in cells) else numbers
