"""Rows that stay where they are until they are asked for, as an array that xarray reads piece by piece."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

__all__ = ["LazyRows", "lazy_variable"]


class LazyRows(Protocol):
    """Samples in a file: rows that are read by ``rows[key]`` with integers and slices of positive step."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of rows, and the shape of one."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""

    @property
    def block(self) -> int:
        """Number of rows that are read together with little effort and memory."""

    def __getitem__(self, key: Any) -> Any: ...
    def __len__(self) -> int: ...


class _Rows(BackendArray):
    """Rows, each divided by its own number if `divisor` is given."""

    def __init__(self, rows: LazyRows, divisor: np.ndarray | None) -> None:
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
    dims: tuple[str, ...], rows: LazyRows, attributes: dict[str, str], divisor: np.ndarray | None = None
) -> xr.Variable:
    """Return an xarray Variable whose values are read from the file when they are used.

    Parameters
    ----------
    dims : tuple of str
        Names of the axes, time first.
    rows : LazyRows
        The samples.
    attributes : dict
        Attributes of the variable.
    divisor : ndarray, shape (time,), optional
        Each row is divided by its element.
    """
    return xr.Variable(dims, indexing.LazilyIndexedArray(_Rows(rows, divisor)), attributes)
