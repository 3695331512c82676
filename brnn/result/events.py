"""The events of a run as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["LONG_NAMES", "TYPES", "EventTable", "Happened", "Spikes", "count_of"]

LONG_NAMES = {
    "time": "time of the event",
    "which": "which event of the network happened",
    "cell": "index of the cell that crossed the threshold, -1 if it was none",
    "value": "what crossed the threshold, just before the event",
    "chosen": "index of the cell that was drawn, -1 if none was",
}
TYPES = {"time": "<f8", "which": "<i4", "cell": "<i4", "value": "<f8", "chosen": "<i4"}


class Happened(NamedTuple):
    """One thing that happened: an event, or one of the cells of an event of several.

    Attributes
    ----------
    time : float
        When.
    which : int
        Which event of the network, counted from 0.
    cell : int
        The cell that crossed, counted from 0 in C order; -1 if it was none.
    value : float
        What crossed the threshold, before the actions; NaN for events at given times.
    chosen : int
        The cell that was drawn; -1 if none was.
    """

    time: float
    which: int
    cell: int
    value: float
    chosen: int


class Spikes(NamedTuple):
    """Many spikes, in the order of time.

    Attributes
    ----------
    time : ndarray of float
        When each cell fired.
    which : ndarray of int
        Of which layer it is: its place among the names of the events.
    cell : ndarray of int
        Which cell it was.
    """

    time: np.ndarray
    which: np.ndarray
    cell: np.ndarray


@dataclass(frozen=True, eq=False)
class EventTable:
    """All events of a run in the order in which they happened.

    Attributes
    ----------
    names : tuple of str
        Names of the network's events.
    columns : dict of ndarray
        The fields of Happened.
    """

    names: tuple[str, ...]
    columns: dict[str, np.ndarray]

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[Happened | Spikes]) -> Self:
        """Return the table of these rows."""
        if any(isinstance(row, Spikes) for row in rows):
            parts = [_spikes(row) if isinstance(row, Spikes) else cls.of(names, [row]).columns for row in rows]
            return cls(tuple(names), {key: np.concatenate([part[key] for part in parts]) for key in TYPES})
        columns = zip(*rows, strict=True) if rows else ((),) * len(TYPES)
        arrays = (np.array(column, dtype=kind) for column, kind in zip(columns, TYPES.values(), strict=True))
        return cls(tuple(names), dict(zip(TYPES, arrays, strict=True)))

    def __len__(self) -> int:
        return len(self.columns["time"])

    def counts(self) -> dict[str, int]:
        """Return how often each event happened."""
        counts = np.bincount(self.columns["which"], minlength=len(self.names))
        return {name: int(count) for name, count in zip(self.names, counts, strict=False)}

    def in_words(self) -> str:
        """Return in one line how many events there were."""
        counts = ", ".join(f"{name} {count}" for name, count in self.counts().items())
        return f"{len(self)} ({counts})" if len(self) else "none"

    def first_times(self, most: int) -> dict[str, np.ndarray]:
        """Return when each event that happened did so first, at most so many times of each."""
        which, times = self.columns["which"], self.columns["time"]
        found = {name: times[np.flatnonzero(which == k)[:most]] for k, name in enumerate(self.names)}
        return {name: first for name, first in found.items() if first.size}

    def dataset(self, time_units: str) -> xr.Dataset:
        """Return the table as an xarray.Dataset along the dimension `event`."""
        import xarray as xr

        values = {key: column for key, column in self.columns.items() if key != "which"}
        data: dict[str, Any] = {
            key: ("event", column, {"units": time_units if key == "time" else "1", "long_name": LONG_NAMES[key]})
            for key, column in values.items()
        }
        names = np.array(self.names, dtype=str)[self.columns["which"]]
        data["name"] = ("event", names, {"long_name": "name of the event"})
        return xr.Dataset(data, {"event": np.arange(len(self))})


def _spikes(row: Spikes) -> dict[str, np.ndarray]:
    """Return the columns of spikes, for which no value is kept and nothing is drawn."""
    none = np.full(row.time.size, -1)
    values = {"time": row.time, "which": row.which, "cell": row.cell, "value": np.full(row.time.size, np.nan)}
    return {key: np.asarray(values.get(key, none), dtype=kind) for key, kind in TYPES.items()}


def count_of(rows: Sequence[Happened | Spikes]) -> int:
    """Return how many events these are."""
    return sum(row.time.size if isinstance(row, Spikes) else 1 for row in rows)
