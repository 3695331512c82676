"""Run the network of a result again and compare: what a file says is what its network does."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import number
from brnn.errors import FileError, IntegrationError

if TYPE_CHECKING:
    from brnn.result.result import Result
    from brnn.spec.network import Network

__all__ = ["Rerun", "allowed_difference", "rerun"]

_IN_MEMORY = 100_000_000  # bytes of samples; a larger run is repeated into a temporary file
_BLOCK = 16_000_000  # bytes that are compared at once
_ROOM = 100.0  # how many tolerances of one step the error of a whole run may be


@dataclass(frozen=True)
class Rerun:
    """How far a second run is from the recorded one.

    Attributes
    ----------
    largest_difference : float
        ``max |recorded - repeated|`` over all cells and saved times, of the variable that differs most (by its
        tolerance).
    tolerance : float
        What passes for this variable.
    variable : str or None
        Its name and the cell, ``"F1.x[3]"``; None if nothing differs.
    time : float
        When it differs most; NaN if nothing differs.
    compared : int
        How many saved times were compared.
    passed : bool
        Whether each variable differs by its tolerance at most, no saved time is missing, and the same events happened
        to the same cells. (That the times of events differ shows as a difference of the variables.)
    different_event : int or None
        Number of the first event that was not the same in the second run.
    members : int or None
        Of a sweep: how many members were compared. The variable is then followed by the member and the cell, and there
        is no `time`.
    """

    largest_difference: float
    tolerance: float
    variable: str | None
    time: float
    compared: int
    passed: bool
    different_event: int | None = None
    members: int | None = None

    def __repr__(self) -> str:
        verdict = "same" if self.passed else "DIFFERENT"
        times = f"{self.compared} saved times" if self.members is None else f"{self.members:,} members"
        if self.different_event is not None:
            times += f"; event {self.different_event} is not the same"
        if self.variable is None:
            return f"{verdict}: largest difference 0 {'at' if self.members is None else 'in'} {times}"
        when = f" at t = {self.time:g}" if self.members is None else ""
        return (
            f"{verdict}: largest difference {self.largest_difference:.3g} in {self.variable}{when} "
            f"(tolerance {self.tolerance:.3g}, {times})"
        )


def rerun(path: str | Path, tolerance: float | None = None) -> Rerun:
    """Run the network in a result file again, with the options, times and seed in it, and compare.

    Parameters
    ----------
    path : str or Path
        A result file; of a run that ended early what there is of it is compared. Of a sweep every member that is
        complete: measures that are functions of the user's, of which the file has the names only, are left out.
    tolerance : float, optional
        The largest difference that passes, >= 0. By default 100 (atol + rtol max|x|) for each variable x, with the
        tolerances of the run: on one machine the numbers are the same to the last bit, on another one roundings
        differ, and after them the steps of the solver.

    Returns
    -------
    Rerun

    Raises
    ------
    FileError
        If it is not a result file, is damaged, or holds no saved time (no finished member), or if the networks of a
        sweep come from a function of the user's, which no file may call.
    InputError
        If the tolerance is not valid.
    IntegrationError
        If the repeated run fails before the last saved time.
    """
    from brnn.files.opening import kind_of
    from brnn.files.run.reader import open_result

    if tolerance is not None:
        tolerance = number(tolerance, "tolerance", minimum=0.0)
    if kind_of(path) == "sweep":
        from brnn.sweeps.rerun import rerun_sweep

        return rerun_sweep(path, tolerance)
    with open_result(path) as recorded:
        if math.isnan(recorded.reached):
            raise FileError(f"{path}: holds no saved time that could be compared")
        with _repeated(recorded) as second:
            return _compared(recorded, second, tolerance)


@contextmanager
def _repeated(recorded: Result) -> Iterator[Result]:
    """Simulate what was recorded once more, in memory or, if it is large, in a temporary file."""
    from brnn.files.run.reader import open_result
    from brnn.integrate import simulate
    from brnn.result.options import Record

    network, options = recorded.network, recorded.options
    times = np.unique(np.concatenate([np.asarray(recorded[name]["time"].values) for name in recorded]))
    planned, reached = recorded.duration, float(times[-1])
    # A run that was stopped is repeated as far as it got. One that failed should fail again; the step of white noise
    # depends on the planned duration, and so does the end of a run in which events end phases.
    stopped = recorded.status not in ("complete", "steady", "failed") and not (network.noisy or network.events)
    arguments: dict[str, Any] = {
        "duration": 1e-9 * planned if reached == 0.0 else reached if stopped else planned,
        "until": "duration" if stopped else options.get("until", "duration"),
        "times": times,
        "initial": _initial(network, options.get("initial")),
        "seed": _seed(recorded.attributes.get("seed")),
        **{name: options[name] for name in ("solver", "rtol", "atol", "step") if options.get(name) is not None},
    }
    names = tuple(recorded)
    size = 8 * times.size * sum(math.prod(recorded[name].shape[1:]) for name in names)
    if size <= _IN_MEMORY and recorded.status != "failed":
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
    from brnn.compiler.layout import layout

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


def _compared(recorded: Result, second: Result, tolerance: float | None) -> Rerun:
    options = recorded.options
    rtol, atol = float(options.get("rtol", 1e-6)), float(options.get("atol", 1e-9))
    worst = Rerun(0.0, tolerance or 0.0, None, math.nan, 0, True)
    compared, passed, excess = 0, True, 0.0
    for name in recorded:
        found = _largest(recorded[name], second[name])
        allowed = allowed_difference(tolerance, rtol, atol, found.scale)
        compared = max(compared, found.rows)
        passed = passed and found.rows == recorded[name].shape[0] and found.difference <= allowed
        ratio = found.difference / max(allowed, 1e-300)
        if ratio > excess:
            excess = ratio
            cell = ", ".join(str(k) for k in found.cell)
            worst = Rerun(found.difference, allowed, f"{name}[{cell}]", found.time, 0, True)
    event = _different_event(recorded, second)
    return replace(worst, compared=compared, passed=passed and event is None, different_event=event)


def allowed_difference(tolerance: float | None, rtol: float, atol: float, scale: float) -> float:
    """Return the largest difference that passes for values up to `scale`; by default so many tolerances of one step."""
    return _ROOM * (atol + rtol * scale) if tolerance is None else tolerance


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


@dataclass
class _Largest:
    """The largest difference of two variables so far, where it is, and the largest value of the first."""

    difference: float = 0.0
    time: float = math.nan
    cell: tuple[int, ...] = ()
    scale: float = 0.0
    rows: int = 0


def _largest(first: Any, second: Any) -> _Largest:
    """Compare two variables at the times that both have, a block of rows at a time."""
    found = _Largest()
    times, others = (np.asarray(values["time"].values) for values in (first, second))
    row = 8 * max(1, math.prod(first.shape[1:]))
    step = max(1, _BLOCK // row * len(times) // max(len(times), len(others)))
    for k in range(0, len(times), step):
        block = times[k : k + step]
        low, high = np.searchsorted(others, block[0]), np.searchsorted(others, block[-1], side="right")
        common = np.isin(block, others[low:high])
        one = np.asarray(first[k : k + step].values)[common]
        # What single precision keeps is compared with what it makes of the repeated numbers.
        other = np.asarray(second[low:high].values)[np.isin(others[low:high], block)].astype(one.dtype)
        found.rows += len(one)
        if not one.size:
            continue
        found.scale = max(found.scale, float(np.abs(one).max()))
        distance = np.abs(one.astype(np.float64) - other)
        distance[np.isnan(distance)] = math.inf
        place = np.unravel_index(int(np.argmax(distance)), distance.shape)
        if distance[place] > found.difference:
            found.difference = float(distance[place])
            found.time = float(block[common][place[0]])
            found.cell = tuple(int(i) for i in place[1:])
    return found
