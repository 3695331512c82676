"""A recorded variable as a CSV file."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.paths import new_text_file

__all__ = ["write_table"]

_BLOCK = 16_000_000  # bytes that are read at once


def write_table(values: Any, name: str, path: Path, force: bool = False) -> None:
    """Write a recorded variable as CSV, in blocks, so that it may be larger than memory.

    Lines that begin with # say what it is. Then comes a row of column names, ``time`` and ``<name>[i]`` or
    ``<name>[i][j]`` for each element, and a row of numbers for each saved time, which give back the same floats.

    Parameters
    ----------
    values : DataArray, dims (time, ...)
        May lie on disk.
    name : str
        Name of the variable.
    path : Path
        The file; it appears when it is complete.
    force : bool
        Replace an existing file.
    """
    sizes = values.shape[1:]
    time = values.dims[0]
    attributes, of_time = values.attrs, values[time].attrs
    rows = max(1, _BLOCK // (8 * max(1, int(np.prod(sizes)))))
    with new_text_file(path, force) as file:
        file.write(f"# {attributes.get('long_name', name)} ({name}), units: {attributes.get('units', '1')}\n")
        file.write(f"# {time}: units: {of_time.get('units', '1')}, {values.shape[0]} saved times\n")
        for dim in values.dims[1:]:
            file.write(f"# {dim}: {_coordinate(values, dim)}\n")
        indices = itertools.product(*(range(size) for size in sizes))
        names = (name + "".join(f"[{k}]" for k in index) for index in indices)
        file.write(",".join([str(time), *names]) + "\n")
        times = np.asarray(values[time].values, dtype=np.float64)
        for start in range(0, len(times), rows):
            block = np.asarray(values[start : start + rows].values, dtype=np.float64).reshape(-1, int(np.prod(sizes)))
            for moment, row in zip(times[start : start + rows].tolist(), block.tolist(), strict=True):
                file.write(",".join(map(repr, [moment, *row])) + "\n")


def _coordinate(values: Any, dim: str) -> str:
    """Return the coordinate of an axis in words: its ends, and its unit."""
    if dim not in values.coords:
        return f"0 ... {values.sizes[dim] - 1}"
    coordinate = values[dim]
    units = coordinate.attrs.get("units", "1")
    points = np.asarray(coordinate.values)
    return f"{points[0]} ... {points[-1]}, {points.size} of them, units: {units}"
