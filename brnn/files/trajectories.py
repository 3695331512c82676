"""Trajectories of a user's own: tables (CSV), MATLAB's files of both kinds, HDF5."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number
from brnn.base.named import says_what_is_meant
from brnn.base.text import closest, one_line
from brnn.errors import FileError, InputError, SpecError
from brnn.files.hdf5 import text_name
from brnn.files.matlab import read_matlab
from brnn.files.stored import refuse_claims
from brnn.spec.trajectory import Trajectory

__all__ = ["read_trajectory"]

_NAMES = {
    "t": ("t", "time", "times", "ts"),
    "x": ("x", "x1", "pos_x", "posx", "x_cm"),
    "y": ("y", "y1", "pos_y", "posy", "y_cm"),
}
_TEXTS = (".csv", ".tsv", ".txt")
_HDF5 = (".h5", ".hdf5", ".nc")
_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_LATE = 1.5  # median steps: what is longer is a gap
_PLACES = (0, 512, 1024, 2048)  # where HDF5 may begin; MATLAB writes a header of 512 bytes


_DAMAGE = (OSError, ValueError, LookupError, TypeError, RuntimeError, MemoryError, csv.Error)


@says_what_is_meant
def read_trajectory(
    source: str | Path,
    *,
    t: str | None = None,
    x: str | None = None,
    y: str | None = None,
    step: float | None = None,
    arena: ArrayLike | None = None,
    bridge: float = 0.0,
) -> Trajectory:
    """Return the trajectory in a file.

    Parameters
    ----------
    source : str or Path
        A file, by its suffix: CSV, TSV or TXT (columns with names in the first line, or three columns t, x, y without;
        comments begin with #; what is empty or nan is missing); MAT, of MATLAB's version 5 to 7 or 7.3; HDF5.
    t, x, y : str, optional
        Names of the columns or variables; by default "t" or "time", "x" or "x1", "y" or "y1".
    step : float, > 0, optional
        Time between samples, if the file has no times.
    arena : array, shape (4,), optional
        Least x, largest x, least y, largest y, which the path must not leave.
    bridge : float, >= 0
        The longest gap (samples that are missing or nan) that is taken for a straight line; a longer one is refused.

    Raises
    ------
    FileError, InputError
        If there is no such file, or it is not what its suffix says.
    SpecError
        If the path has a gap, leaves the arena or its times do not rise: the message says where.
    """
    path = Path(source)
    longest = number(bridge, "read_trajectory: bridge", minimum=0.0)
    spacing = None if step is None else number(step, "read_trajectory: step", above=0.0)
    if not path.exists():
        raise FileError(f"{path}: there is no such file")
    if not path.is_file():
        raise FileError(f"{path}: is {'a folder' if path.is_dir() else 'no regular file'}")
    suffix = path.suffix.lower()
    reader: Callable[[Path], Mapping[str, np.ndarray]]
    if suffix in _TEXTS:
        reader = _from_text
    elif suffix == ".mat":
        reader = _from_hdf5 if _is_hdf5(path) else _from_mat
    elif suffix in _HDF5:
        reader = _from_hdf5
    else:
        raise InputError(f"{path}: must be a file of the kind csv, tsv, txt, mat or h5")
    try:
        columns = reader(path)
    except _DAMAGE as error:
        if isinstance(error, (FileError, InputError)):
            raise
        raise FileError(f"{path}: cannot be read ({one_line(str(error)) or type(error).__name__})") from None
    places = {name: _column(columns, name, given, path) for name, given in (("x", x), ("y", y))}
    if spacing is None:
        times = _column(columns, "t", t, path)
    else:
        times = spacing * np.arange(places["x"].size)
    for name, values in places.items():
        if values.size != times.size:
            raise FileError(f"{path}: {name} has {values.size} samples, t has {times.size}")
    try:
        return Trajectory(
            *_bridged(times, places["x"], places["y"], longest), None if arena is None else np.array(arena)
        )
    except SpecError as error:
        raise SpecError(f"{path}: {str(error).removeprefix('Trajectory: ')}") from None


def _bridged(t: np.ndarray, x: np.ndarray, y: np.ndarray, longest: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the samples that are there; refuse a gap between two of them that is longer than `longest`."""
    known = np.isfinite(x) & np.isfinite(y) & np.isfinite(t)
    if known.sum() < 2:
        raise SpecError(f"has {int(known.sum())} samples that are numbers, a trajectory needs at least two")
    steps = np.diff(t[np.isfinite(t)])
    usual = _LATE * float(np.median(steps))
    where, between = np.flatnonzero(known), np.diff(t[known])
    gaps = np.flatnonzero(between > max(longest * (1.0 + 1e-9), usual))
    ends = known[0], known[-1]
    if not all(ends) and longest == 0.0:
        k = 0 if not ends[0] else int(where[-1]) + 1
        raise SpecError(
            f"is missing at its {'beginning' if not ends[0] else 'end'}, sample {k}; any bridge= (--set "
            f"trajectory.bridge=1) leaves that out"
        )
    if gaps.size:
        first, last = where[gaps[0]], where[gaps[0] + 1]
        longest_gap = _rounded_up(float(between[gaps].max()))
        raise SpecError(
            f"has a gap of {between[gaps[0]]:.4g} from t = {t[first]:g} to t = {t[last]:g} (after sample {first}; "
            f"{gaps.size} such gap{'s' * (gaps.size > 1)} in all); bridge={longest_gap} (--set trajectory.bridge="
            f"{longest_gap}) would take {'them for straight lines' if gaps.size > 1 else 'it for a straight line'}"
        )
    return t[known], x[known], y[known]


def _rounded_up(value: float) -> str:
    text = f"{value:.4g}"
    return text if float(text) >= value * (1.0 - 1e-10) else f"{1.001 * value:.4g}"


def _column(columns: Mapping[str, np.ndarray], name: str, given: str | None, path: Path) -> np.ndarray:
    """Return a column by the name that was given, or by the usual ones."""
    small = {key.lower(): key for key in columns}
    if given is not None:
        if given not in columns:
            raise InputError(
                f"{path}: {name} = '{given}': there is no such column (there is {', '.join(columns) or 'none'})"
                f"{closest(given, list(columns))}"
            )
        found = columns[given]
    else:
        usual = next((small[known] for known in _NAMES[name] if known in small), None)
        if usual is None:
            also = ", or step= (--set trajectory.step=T) if there are no times" if name == "t" else ""
            raise InputError(
                f"{path}: has no column '{name}' (there is {', '.join(columns)}); give {name}= (--set "
                f"trajectory.{name}=COLUMN){also}"
            )
        found = columns[usual]
    return np.asarray(found, dtype=np.float64).ravel()


def _from_text(path: Path) -> dict[str, np.ndarray]:
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise FileError(f"{path}: is empty")
    delimiter = next((mark for mark in "\t;," if mark in lines[0]), None)
    rows = [line.split() for line in lines] if delimiter is None else list(csv.reader(lines, delimiter=delimiter))
    rows = [[cell.strip() for cell in row] for row in rows]
    names = ["t", "x", "y"]
    first = 0
    if not all(_is_number(cell) for cell in rows[0]):
        names, first = rows[0], 1
    elif len(rows[0]) != 3:
        raise FileError(f"{path}: has {len(rows[0])} columns without names; must be t, x, y, or name them in line 1")
    values = np.full((len(rows) - first, len(names)), np.nan)
    for k, row in enumerate(rows[first:]):
        if len(row) != len(names):
            raise FileError(f"{path}: row {k + first + 1} has {len(row)} columns, the first one {len(names)}")
        for j, cell in enumerate(row):
            if not _is_number(cell):
                raise FileError(f"{path}: row {k + first + 1}: {names[j]} = '{cell[:30]}': must be a number")
            values[k, j] = float(cell) if cell else np.nan
    return {name: values[:, j] for j, name in enumerate(names)}


def _is_number(cell: str) -> bool:
    try:
        float(cell or "nan")
    except ValueError:
        return False
    return True


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        for place in _PLACES:
            file.seek(place)
            if file.read(len(_SIGNATURE)) == _SIGNATURE:
                return True
    return False


def _from_mat(path: Path) -> dict[str, np.ndarray]:
    return {name: value for name, value in read_matlab(path).items() if _is_column(value)}


def _from_hdf5(path: Path) -> dict[str, np.ndarray]:
    import h5py

    found: dict[str, Any] = {}
    with h5py.File(path, "r") as file:
        for name, item in file.items():
            if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu" and item.ndim in (1, 2):
                refuse_claims(item, str(path))
                if item.ndim == 1 or 1 in item.shape:
                    found[text_name(name)] = item[()]
    return found


def _is_column(value: Any) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size == max(value.shape, default=0)
