"""One variable of a result, and the labelled arrays that are made of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brnn.errors import InputError
from brnn.result.columns import Column

if TYPE_CHECKING:
    import xarray as xr

    from brnn.result.lazy import LazyRows

__all__ = ["Recorded", "last_state", "state_vectors"]

_FEW = 20_000  # labels of an array that the next run may need, too


@dataclass(frozen=True)
class Recorded:
    """One variable of a result: what it is, its times, and its samples, in memory or in the file."""

    column: Column
    times: np.ndarray
    data: np.ndarray | LazyRows

    def array(self, time_units: str) -> xr.DataArray:
        """Return the samples with the dimensions ``(time, *cells)``."""
        return self._array(time_units, {"units": self.column.units, "long_name": self.column.long_name})

    def relative(self, time_units: str) -> xr.DataArray:
        """Return the samples divided by their sum over all cells; NaN where that is 0."""
        long_name = f"{self.column.name} relative to its sum over all cells"
        return self._array(time_units, {"units": "1", "long_name": long_name}, divisor=self._sums())

    def total(self, time_units: str) -> xr.DataArray:
        """Return the sum over all cells at every time."""
        column = self.column
        attributes = {"units": column.units, "long_name": f"sum of {column.name} over all cells"}
        return _labelled(self._sums(), (), f"total of {column.name}", attributes, (self.times, time_units))

    def last(self, label: str) -> np.ndarray:
        """Return the last samples as a plain array; InputError, which calls it `label`, if there are none."""
        if not len(self.times):
            raise InputError(f"'{label}' has no final values: no state was recorded")
        return np.asarray(self.data[-1])

    def final(self, label: str) -> xr.DataArray:
        """Return the last samples, without time; InputError, which calls it `label`, if there are none."""
        column = self.column
        attributes = {"units": column.units, "long_name": column.long_name}
        return _labelled(self.last(label), column.dims, column.name, attributes)

    def _array(self, time_units: str, attributes: dict[str, str], divisor: np.ndarray | None = None) -> xr.DataArray:
        column = self.column
        if isinstance(self.data, np.ndarray):
            values = self.data
            if divisor is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    values = values / divisor.reshape(-1, *(1,) * len(column.shape))
            return _labelled(values, column.dims, column.name, attributes, (self.times, time_units))
        import xarray as xr

        from brnn.result.lazy import lazy_variable

        variable = lazy_variable(("time", *column.dims), self.data, attributes, divisor)
        return xr.DataArray(variable, _coordinates(column.dims, column.shape, self.times, time_units), name=column.name)

    def _sums(self) -> np.ndarray:
        """Return the sum of each row, reading a few rows at a time."""
        data = self.data
        if isinstance(data, np.ndarray):
            return data.reshape(len(data), -1).sum(axis=1, dtype=np.float64) if len(data) else np.empty(0)
        sums = np.empty(len(data))
        for k in range(0, len(data), data.block):
            rows = data[k : k + data.block]
            sums[k : k + len(rows)] = rows.reshape(len(rows), -1).sum(axis=1, dtype=np.float64)
        return sums


def state_vectors(recorded: Sequence[Recorded]) -> np.ndarray:
    """Return the samples of all variables of a run side by side, shape (times, unknowns)."""
    return np.concatenate([entry.data[:].reshape(len(entry.times), -1) for entry in recorded], axis=1)


def last_state(recorded: Sequence[Recorded]) -> np.ndarray:
    """Return the last samples of all variables side by side, shape (unknowns,)."""
    return np.concatenate([np.ravel(entry.last(entry.column.name)) for entry in recorded])


def _labelled(
    values: np.ndarray,
    dims: tuple[str, ...],
    name: str,
    attributes: Mapping[str, str],
    times: tuple[np.ndarray, str] | None = None,
) -> xr.DataArray:
    """Return values with names for their axes, the time first, if there are `times` (with their units).

    Labels take longer than all else that a short run does in Python: the last ones are used again.
    """
    moments, units = (None, "") if times is None else (np.asarray(times[0], np.float64).tobytes(), times[1])
    make = _labels if sum(values.shape) <= _FEW else _labels.__wrapped__
    return make(values.shape, dims, name, tuple(attributes.items()), moments, units).copy(deep=False, data=values)


@functools.lru_cache(maxsize=16)
def _labels(
    shape: tuple[int, ...],
    dims: tuple[str, ...],
    name: str,
    attributes: tuple[tuple[str, str], ...],
    moments: bytes | None,
    units: str,
) -> xr.DataArray:
    """Return an array of zeros with these labels, which nobody can write to."""
    import xarray as xr

    zeros, times = np.broadcast_to(0.0, shape), None if moments is None else np.frombuffer(moments)
    cells = shape if times is None else shape[1:]
    axes = dims if times is None else ("time", *dims)
    found = xr.DataArray(zeros, _coordinates(dims, cells, times, units), axes, name=name, attrs=dict(attributes))
    for index in found.indexes.values():  # pandas made copies of its own
        np.asarray(index).flags.writeable = False
    return found


def _coordinates(
    dims: tuple[str, ...], shape: tuple[int, ...], times: np.ndarray | None, units: str
) -> dict[str, np.ndarray | xr.Variable]:
    """Return the numbers of the cells along each axis, and the times, if there are any."""
    import xarray as xr

    found: dict[str, np.ndarray | xr.Variable] = {}
    if times is not None:
        found["time"] = xr.Variable(("time",), times, {"units": units, "long_name": "time"})
    for dim, size in zip(dims, shape, strict=True):
        found[dim] = np.arange(size)
    return found
