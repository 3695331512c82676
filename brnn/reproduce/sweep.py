"""The members of the sweep in a file, once more."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.ensemble.status import COMPLETE, STATUS_NAMES, STEADY
from brnn.errors import BrnnError, FileError
from brnn.files.placed import fill_value
from brnn.files.sweep.reader import open_sweep, open_sweep_contents
from brnn.reproduce.compare import Block, Rerun, difference, outcome
from brnn.reproduce.member import builder_of_sweep
from brnn.sweeps.designs import Design
from brnn.sweeps.measures import MEASURES
from brnn.sweeps.run import sweep

if TYPE_CHECKING:
    import xarray as xr

    from brnn.files.sweep.header import SweepHeader

__all__ = ["rerun_sweep"]

_UNCOMPARED = ("status", "error", "steps", "evaluations")  # statuses are compared first, the others are no results


def rerun_sweep(path: str | Path, tolerance: float | None, build: Any = None) -> Rerun:
    """Run the design of a sweep again, with its seed and options, and compare all that is complete; see `brnn.rerun`.

    Measures that are functions of the user's are left out: the file has only their names.
    """
    contents = open_sweep_contents(path, str(path))
    contents.close()
    header = contents.header
    done = np.flatnonzero(np.isin(contents.status, (COMPLETE, STEADY)))
    if not done.size:
        raise FileError(f"{path}: holds no finished member that could be compared")
    try:
        design, options = Design.from_json(header.design), _options(header)
    except (BrnnError, KeyError, ValueError) as error:
        raise FileError(f"{path}: what it says of its design makes no sense: {error}") from None
    builder = builder_of_sweep(header.reference or "null", build, design, header.network, where=f"{path}: ")
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
    ended, other = recorded["status"].values[done], repeated["status"].values[done]
    if not np.array_equal(ended, other):
        k = int(np.argmax(ended != other))
        ways = f"status[{done[k]}] ({STATUS_NAMES[ended[k]]}, now {STATUS_NAMES[other[k]]})"
        return Rerun(math.inf, tolerance or 0.0, ways, math.nan, 0, False, members=done.size)
    rtol, atol = float(header.attributes["rtol"]), float(header.attributes["atol"])
    own = {name for name in header.measures if name not in MEASURES}
    found = {
        name: difference(_blocks_of_members(recorded[name], repeated[name], done), tolerance, rtol, atol)
        for name in map(str, recorded.data_vars)
        if name not in _UNCOMPARED
        and name not in own
        # "rcf.largest": a measure of brnn's to which the user gave another name, and which was not taken again
        and (name in repeated.data_vars or name.rpartition(".")[2] not in own)
    }
    return outcome(found, tolerance, members=done.size)


def _blocks_of_members(first: xr.DataArray, second: xr.DataArray, done: np.ndarray) -> Iterator[Block]:
    """Yield two variables for the members that are done.

    The file of a sweep that was cut off has cells for the members that were run, which may be fewer.
    """
    shape = tuple(map(max, first.shape[1:], second.shape[1:]))
    step = rows_at_once(8 * math.prod(shape))
    for k in range(0, done.size, step):
        members = done[k : k + step]
        recorded, repeated = (_padded(np.asarray(values[members].values), shape) for values in (first, second))
        yield Block(members, recorded, repeated)


def _padded(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape[1:] == shape:
        return values
    padded = np.full((len(values), *shape), "" if values.dtype.kind == "O" else fill_value(values.dtype), values.dtype)
    padded[tuple(slice(size) for size in values.shape)] = values
    return padded
