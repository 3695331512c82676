"""StoredRows as an array that xarray reads piece by piece."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from brnn.record.stored import StoredRows

__all__ = ["lazy_variable"]


class _Rows(BackendArray):
    """Rows, each divided by its own number if `divisor` is given."""

    def __init__(self, rows: StoredRows, divisor: np.ndarray | None) -> None:
        self._rows = rows
        self._divisor = divisor
        self.shape = rows.shape
        self.dtype = rows.dtype if divisor is None else np.result_type(rows.dtype, divisor.dtype)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._read)

    def _read(self, key: tuple[Any, ...]) -> Any:
        values = self._rows[key]
        if self._divisor is None:
            return values
        divisor = self._divisor[key[0]]
        extra = np.ndim(values) - np.ndim(divisor)
        with np.errstate(divide="ignore", invalid="ignore"):
            return values / np.reshape(divisor, np.shape(divisor) + (1,) * extra)


def lazy_variable(
    dims: tuple[str, ...], rows: StoredRows, attributes: dict[str, str], divisor: np.ndarray | None = None
) -> xr.Variable:
    """Return an xarray Variable whose values are read from the file when they are used.

    Parameters
    ----------
    dims : tuple of str
        Names of the axes, time first.
    rows : StoredRows
        The samples.
    attributes : dict
        Attributes of the variable.
    divisor : ndarray, shape (time,), optional
        Each row is divided by its element.
    """
    return xr.Variable(dims, indexing.LazilyIndexedArray(_Rows(rows, divisor)), attributes)
