"""The run in a file, once more."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.memory import rows_at_once
from brnn.compiler.layout import layout
from brnn.errors import FileError, IntegrationError
from brnn.files.run.reader import open_result
from brnn.integrate import simulate
from brnn.reproduce.compare import Block, Rerun, difference, outcome
from brnn.result.options import Record
from brnn.result.start import Start

if TYPE_CHECKING:
    import xarray as xr

    from brnn.result.result import Result
    from brnn.spec.network import Network

__all__ = ["rerun_run"]

_BYTES_IN_MEMORY = 100_000_000  # of samples; a larger run is repeated into a temporary file


def rerun_run(path: str | Path, tolerance: float | None) -> Rerun:
    """Run the network of a result again, with its options, times and seed, and compare; see `brnn.rerun`."""
    with open_result(path) as recorded:
        if math.isnan(recorded.reached):
            raise FileError(f"{path}: holds no saved time that could be compared")
        with _repeated(recorded) as second:
            return _compared_runs(recorded, second, tolerance)


@contextmanager
def _repeated(recorded: Result) -> Iterator[Result]:
    """Simulate what was recorded once more, in memory or, if it is large, in a temporary file."""
    network, options = recorded.network, recorded.options
    times = np.unique(np.concatenate([np.asarray(recorded[name]["time"].values) for name in recorded]))
    planned, begin, reached = recorded.duration, recorded.start_time, float(times[-1])
    # A run that was stopped is repeated as far as it got. One that failed should fail again; the step of white noise
    # depends on the planned duration, and so does the end of a run in which events end phases.
    stopped = recorded.status not in ("complete", "steady", "failed") and not (network.noisy or network.events)
    arguments: dict[str, Any] = {
        "duration": 1e-9 * planned if reached == begin else reached - begin if stopped else planned,
        "start": Start.from_options(options["start"]) if "start" in options else None,
        "until": "duration" if stopped else options.get("until", "duration"),
        "times": times,
        "initial": _initial(network, options.get("initial")),
        "seed": _seed(recorded.attributes.get("seed")),
        **{name: options[name] for name in ("solver", "rtol", "atol", "norm", "step") if options.get(name) is not None},
    }
    names = tuple(recorded)
    size = 8 * times.size * sum(math.prod(recorded[name].shape[1:]) for name in names)
    if size <= _BYTES_IN_MEMORY and recorded.status != "failed":
        yield simulate(network, record=Record(variables=names), **arguments)
        return
    with tempfile.TemporaryDirectory(prefix="brnn-rerun-") as folder:
        path = Path(folder) / "rerun.h5"
        try:
            second = simulate(network, record=Record(path=path, variables=names), **arguments)
        except IntegrationError:
            if recorded.status != "failed" or not path.exists():
                raise
            second = open_result(path)
        with second:
            yield second


def _initial(network: Network, state: Any) -> dict[str, Any] | None:
    """Return the recorded first state, a flat vector, by the names of its blocks."""
    if state is None:
        return None
    flat = np.asarray(state)
    blocks = layout(network)
    if flat.shape != (blocks[-1].stop,):
        raise FileError(f"the recorded first state has shape {flat.shape}, the network's has {(blocks[-1].stop,)}")
    return {block.name: flat[block.start : block.stop].reshape(block.shape) for block in blocks}


def _seed(value: Any) -> int | None:
    text = str(value)
    return int(text) if text.isdigit() else None


def _compared_runs(recorded: Result, second: Result, tolerance: float | None) -> Rerun:
    rtol, atol = float(recorded.options.get("rtol", 1e-6)), float(recorded.options.get("atol", 1e-9))
    found = {
        name: difference(_blocks_of_times(recorded[name], second[name]), tolerance, rtol, atol) for name in recorded
    }
    whole = all(found[name].compared == recorded[name].shape[0] for name in recorded)
    return outcome(found, tolerance, whole=whole, different_event=_different_event(recorded, second))


def _blocks_of_times(first: xr.DataArray, second: xr.DataArray) -> Iterator[Block]:
    """Yield two variables at the times that both have."""
    times, others = (np.asarray(values["time"].values) for values in (first, second))
    step = max(1, rows_at_once(8 * math.prod(first.shape[1:])) * len(times) // max(len(times), len(others)))
    for k in range(0, len(times), step):
        block = times[k : k + step]
        low, high = np.searchsorted(others, block[0]), np.searchsorted(others, block[-1], side="right")
        common = np.isin(block, others[low:high])
        recorded = np.asarray(first[k : k + step].values)[common]
        repeated = np.asarray(second[low:high].values)[np.isin(others[low:high], block)]
        yield Block(block[common], recorded, repeated)


def _different_event(recorded: Result, second: Result) -> int | None:
    """Return the number of the first event up to the last saved time that is not the same; None if all are."""
    if recorded.event_table is None or second.event_table is None:
        return None
    first, other = recorded.event_table.columns, second.event_table.columns
    # One that came at the last saved time may have been cut off.
    count = int(np.searchsorted(first["time"], recorded.reached))
    if len(second.event_table) < count:
        return len(second.event_table)
    same = np.ones(count, dtype=bool)
    for key in ("which", "cell", "chosen"):
        same &= first[key][:count] == other[key][:count]
    return None if same.all() else int(np.argmin(same))
