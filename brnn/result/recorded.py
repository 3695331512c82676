"""One variable of a result, and the labelled arrays that are made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from brnn.errors import InputError
from brnn.result.columns import Column

if TYPE_CHECKING:
    import xarray as xr

    from brnn.result.lazy import LazyRows

__all__ = ["Recorded", "last_state", "state_vectors"]


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
        import xarray as xr

        column = self.column
        attributes = {"units": column.units, "long_name": f"sum of {column.name} over all cells"}
        coordinates = {"time": self._time(time_units)}
        return xr.DataArray(self._sums(), coordinates, ("time",), name=f"total of {column.name}", attrs=attributes)

    def last(self, label: str) -> np.ndarray:
        """Return the last samples as a plain array; InputError, which calls it `label`, if there are none."""
        if not len(self.times):
            raise InputError(f"'{label}' has no final values: no state was recorded")
        return np.asarray(self.data[-1])

    def final(self, label: str) -> xr.DataArray:
        """Return the last samples, without time; InputError, which calls it `label`, if there are none."""
        values = self.last(label)
        import xarray as xr

        column = self.column
        attributes = {"units": column.units, "long_name": column.long_name}
        return xr.DataArray(values, self._indices(), column.dims, name=column.name, attrs=attributes)

    def _array(self, time_units: str, attributes: dict[str, str], divisor: np.ndarray | None = None) -> xr.DataArray:
        import xarray as xr

        column = self.column
        dims = ("time", *column.dims)
        if not isinstance(self.data, np.ndarray):
            from brnn.result.lazy import lazy_variable

            variable = lazy_variable(dims, self.data, attributes, divisor)
        else:
            values = self.data
            if divisor is not None:
                with np.errstate(divide="ignore", invalid="ignore"):
                    values = values / divisor.reshape(-1, *(1,) * len(column.shape))
            variable = xr.Variable(dims, values, attributes)
        return xr.DataArray(variable, {"time": self._time(time_units), **self._indices()}, name=column.name)

    def _time(self, units: str) -> xr.Variable:
        import xarray as xr

        return xr.Variable(("time",), self.times, {"units": units, "long_name": "time"})

    def _indices(self) -> dict[str, np.ndarray]:
        return {dim: np.arange(size) for dim, size in zip(self.column.dims, self.column.shape, strict=True)}

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
