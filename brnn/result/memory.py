"""Results kept in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from brnn.base.checks import choice, number
from brnn.base.memory import refuse_above
from brnn.base.recycled import empty
from brnn.result.checkpoint import Checkpoint
from brnn.result.columns import columns, estimate_bytes, thin
from brnn.result.events import EventTable, Happened, Spikes
from brnn.result.metadata import STATUSES, Metadata
from brnn.result.recorded import Recorded
from brnn.result.result import Result
from brnn.spec.variable import Variable

__all__ = ["MemoryRecorder"]


class MemoryRecorder:
    """Keeps a run in memory.

    Parameters
    ----------
    variables : sequence of Variable
        The blocks of the state vector.
    n_times : int
        Number of times that will be written; more than these are possible.
    metadata : Metadata or callable
        From `brnn.result.metadata.metadata`, or what returns it when it is asked for.
    select : iterable of str, optional
        Names of the variables that are recorded; all by default.
    ltm_every : float, optional
        Least time between saved weights; the last ones are always kept.
    dtype : {"float64", "float32"}
        Precision of what is kept.
    events : tuple of str, optional
        Names of the network's events; those of the metadata by default.

    Raises
    ------
    InputError
        If what would be recorded does not fit into the memory that is free, or an option is not valid.
    """

    def __init__(
        self,
        variables: Sequence[Variable],
        n_times: int,
        metadata: Metadata | Callable[[], Metadata],
        select: Iterable[str] | None = None,
        ltm_every: float | None = None,
        dtype: str = "float64",
        events: tuple[str, ...] | None = None,
    ) -> None:
        self._ltm_every = None if ltm_every is None else number(ltm_every, "record: ltm_every", above=0.0)
        kind = choice(dtype, "record: dtype", ("float64", "float32"))
        self._columns = columns(variables, select, ltm_every)
        self._metadata = metadata
        if events is None:
            events = (metadata() if callable(metadata) else metadata).events
        self._names = events
        refuse_above(
            estimate_bytes(self._columns, n_times, dtype=kind, n_ltm_times=None if ltm_every is None else 2),
            f"keeping {n_times} states in memory",
            '; record="run.h5" (-o run.h5) streams them to a file, record=["..."] (--record NAMES) keeps only some '
            "variables",
        )
        self._rows = {
            column.name: empty((n_times if column.axis == "time" else 2, *column.shape), kind)
            for column in self._columns
        }
        size = variables[-1].stop
        self._whole = ltm_every is None and dtype == "float64" and [c.stop - c.start for c in self._columns] == [size]
        self._times = {"time": np.empty(n_times), "ltm_time": np.empty(2)}
        self._counts = {"time": 0, "ltm_time": 0}
        self._last_weight = -np.inf
        self._events: list[Happened | Spikes] = []
        self._last: tuple[np.ndarray, np.ndarray] | None = None  # time and weights, if they were not kept

    def write(self, times: np.ndarray, states: np.ndarray) -> None:
        """Record states (k, size) at rising `times` (k,); the arrays may be used for something else afterwards."""
        keep, last = thin(times, self._ltm_every, self._last_weight)
        if self._ltm_every is not None:
            self._put("ltm_time", times[keep], states[keep])
            if times.size:
                self._last = None if last == times[-1] else (times[-1:].copy(), states[-1:].copy())
        self._put("time", times, states)
        self._last_weight = last

    def room(self, count: int) -> np.ndarray | None:
        """Return where the next states are kept, if each is one row of one array."""
        if not self._whole:
            return None
        at, name = self._counts["time"], self._columns[0].name
        rows = self._rows[name] = _grown(self._rows[name], at + count)
        return rows[at : at + count].reshape(count, self._columns[0].stop)

    def happened(self, row: Happened | Spikes) -> None:
        """Record an event."""
        self._events.append(row)

    def keep(self, stand: Callable[[], Checkpoint | None] | None = None) -> None:
        """Do nothing: memory has nothing safer."""

    def finish(self, status: str, solver: Mapping[str, Any], kept: Checkpoint | None = None) -> Result:
        """Return what was recorded.

        Parameters
        ----------
        status : {"complete", "steady", "failed", "interrupted"}
            How the run ended.
        solver : mapping
            What is known of the solver: method, evaluations, steps, seconds, message, and more if wanted.
        kept : Checkpoint, optional
            What a run that goes on from the end needs.
        """
        choice(status, "status", STATUSES)
        if self._last is not None:
            self._put("ltm_time", *self._last)
            self._last = None
        recorded = [
            Recorded(column, self._times[column.axis][:count], self._rows[column.name][:count])
            for column in self._columns
            for count in (self._counts[column.axis],)
        ]
        events = EventTable.of(self._names, self._events) if self._names else None
        return Result(recorded, self._metadata, status, solver, events=events, kept=kept)

    def _put(self, axis: str, times: np.ndarray, states: np.ndarray) -> None:
        at = self._counts[axis]
        stop = at + len(times)
        self._times[axis] = _grown(self._times[axis], stop)
        self._times[axis][at:stop] = times
        for column in self._columns:
            if column.axis == axis:
                rows = _grown(self._rows[column.name], stop)
                if not _is_same(rows[at:stop], states):
                    rows[at:stop] = states[:, column.start : column.stop].reshape(len(times), *column.shape)
                self._rows[column.name] = rows
        self._counts[axis] = stop


def _is_same(rows: np.ndarray, states: np.ndarray) -> bool:
    """Tell whether these are the same numbers in the same memory."""
    first, second = (array.__array_interface__["data"][0] for array in (rows, states))
    return bool(first == second) and rows.nbytes == states.nbytes


def _grown(array: np.ndarray, rows: int) -> np.ndarray:
    if rows <= len(array):
        return array
    larger = empty((max(rows, 2 * len(array)), *array.shape[1:]), array.dtype)
    larger[: len(array)] = array
    return larger
