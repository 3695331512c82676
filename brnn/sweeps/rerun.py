"""Run the members of a sweep's file again and compare: what a file says is what its networks do."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.ensemble.status import COMPLETE, STATUS_NAMES, STEADY
from brnn.errors import BrnnError, FileError
from brnn.files.sweep.reader import open_contents, open_sweep
from brnn.reproduce import Rerun, allowed_difference
from brnn.sweeps.building.builder import NetworkBuilder
from brnn.sweeps.building.find import builder_from_reference
from brnn.sweeps.designs import Design
from brnn.sweeps.measures import MEASURES
from brnn.sweeps.run import sweep

if TYPE_CHECKING:
    import xarray as xr

    from brnn.files.sweep.schema import SweepHeader

__all__ = ["rerun_sweep"]

_BYTES_AT_ONCE = 16_000_000  # that are compared
_UNCOMPARED = ("status", "error", "steps", "evaluations")  # statuses are compared first, the others are no results


def rerun_sweep(path: str | Path, tolerance: float | None = None) -> Rerun:
    """Run the design in the file of a sweep again, with its seed and options, and compare all that is complete.

    Measures that are functions of the user's are left out: the file has only their names.

    Parameters
    ----------
    path : str or Path
        The file.
    tolerance : float, optional
        As for `brnn.rerun`. Whole numbers and texts must be the same.

    Raises
    ------
    FileError
        If it is damaged, holds no finished member, or its networks come from a function of the user's: nothing in a
        file makes brnn import code.
    """
    contents = open_contents(path, str(path))
    contents.close()
    header = contents.header
    done = np.flatnonzero(np.isin(contents.status, (COMPLETE, STEADY)))
    if not done.size:
        raise FileError(f"{path}: holds no finished member that could be compared")
    builder = _builder(header, path)
    try:
        design, options = Design.from_json(header.design), _options(header)
    except (BrnnError, KeyError, ValueError) as error:
        raise FileError(f"{path}: what it says of its design makes no sense: {error}") from None
    with tempfile.TemporaryDirectory(prefix="brnn-rerun-") as folder:
        again = Path(folder) / "rerun.h5"
        sweep(
            builder,
            design,
            measures=[name for name in header.measures if name in MEASURES],
            out=again,
            times=header.times,
            enormous=True,
            **options,
        ).close()
        with open_sweep(path) as recorded, open_sweep(again) as repeated:
            return _compared(recorded, repeated, done, header, tolerance)


def _builder(header: SweepHeader, path: str | Path) -> NetworkBuilder:
    reference: Any = json.loads(header.reference or "null")
    keys = set(reference) if isinstance(reference, dict) else set()
    if keys not in ({"model"}, {"network"}):
        name = ".".join(str(reference[key]) for key in ("module", "function", "name") if key in keys)
        raise FileError(
            f"{path}: its networks are made by the function {name or '?'}, which no file may call: "
            "run brnn.sweep with it"
        )
    return builder_from_reference(reference)


def _options(header: SweepHeader) -> dict[str, Any]:
    attributes = header.attributes
    shard = str(attributes.get("shard", ""))
    return {
        "duration": None if attributes["duration"] == "own" else float(attributes["duration"]),
        "rtol": float(attributes["rtol"]),
        "atol": float(attributes["atol"]),
        "until": str(attributes["until"]),
        "solver": str(attributes["solver"]),
        "seed": int(attributes["root_seed"]),
        "shard": tuple(int(part) for part in shard.split("/")) if shard else None,
    }


def _compared(
    recorded: xr.Dataset, repeated: xr.Dataset, done: np.ndarray, header: SweepHeader, tolerance: float | None
) -> Rerun:
    same = Rerun(0.0, tolerance or 0.0, None, math.nan, 0, True, members=done.size)
    ended, other = recorded["status"].values[done], repeated["status"].values[done]
    if not np.array_equal(ended, other):
        k = int(np.argmax(ended != other))
        ways = f"status[{done[k]}] ({STATUS_NAMES[ended[k]]}, now {STATUS_NAMES[other[k]]})"
        return replace(same, largest_difference=math.inf, variable=ways, passed=False)
    rtol, atol = float(header.attributes["rtol"]), float(header.attributes["atol"])
    worst, excess, passed = same, 0.0, True
    for name in map(str, recorded.data_vars):
        if name in _UNCOMPARED or (name in header.measures and name not in MEASURES):
            continue
        difference, place, scale = _largest(recorded[name], repeated[name], done)
        exact = recorded[name].dtype.kind != "f"
        allowed = 0.0 if exact else allowed_difference(tolerance, rtol, atol, scale)
        passed = passed and difference <= allowed
        if difference / max(allowed, 1e-300) > excess:
            excess = difference / max(allowed, 1e-300)
            cell = ", ".join(map(str, place))
            worst = replace(same, largest_difference=difference, tolerance=allowed, variable=f"{name}[{cell}]")
    return replace(worst, passed=passed)


def _largest(first: xr.DataArray, second: xr.DataArray, done: np.ndarray) -> tuple[float, tuple[int, ...], float]:
    """Return the largest difference of two variables, where it is, and the largest value of the first.

    Texts differ by 1; what both have not (a cell of another member, a time after the end) does not differ.
    """
    worst, scale = 0.0, 0.0
    place: tuple[int, ...] = ()
    step = max(1, _BYTES_AT_ONCE // (8 * max(1, math.prod(first.shape[1:]))))
    for k in range(0, done.size, step):
        members = done[k : k + step]
        one, other = np.asarray(first[members].values), np.asarray(second[members].values)
        if one.dtype.kind == "O":
            distance = (one != other).astype(np.float64)
        else:
            one, other = one.astype(np.float64), other.astype(np.float64)
            distance = np.where(np.isnan(one) & np.isnan(other), 0.0, np.abs(one - other))
            distance[np.isnan(distance)] = math.inf
            scale = max(scale, float(np.nanmax(np.abs(one), initial=0.0)))
        at = np.unravel_index(int(np.argmax(distance)), distance.shape)
        if distance[at] > worst:
            worst, place = float(distance[at]), (int(members[at[0]]), *(int(i) for i in at[1:]))
    return worst, place, scale
