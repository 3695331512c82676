"""The Dataset of a sweep, in which a measure's own name is enough where only one layer has it."""

from __future__ import annotations

import json
from typing import Any

import xarray as xr

__all__ = ["Dataset", "full_name"]


class Dataset(xr.Dataset):
    """The results of a sweep: a Dataset in which ``ds["total"]`` is the ``ds["rcf.total"]`` of the only layer."""

    __slots__ = ()

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            return super().__getitem__(full_name(self, key))
        if isinstance(key, list):
            return super().__getitem__([full_name(self, name) for name in key])
        return super().__getitem__(key)

    def __getattr__(self, name: str) -> Any:
        found = name if name.startswith("_") else full_name(self, name)
        return super().__getattr__(name) if found == name else self[found]

    def __getstate__(self) -> Any:
        """Return what goes to another process: the values, and no open file."""
        state: Any = super().__getstate__()
        return state[0], {**state[1], "_close": None}


def full_name(dataset: xr.Dataset, name: str) -> str:
    """Return the variable of a measure that is called by its own name, ``"rcf.total"`` for ``"total"``.

    A name that is that of a variable, or of the measures of several layers, stays as it is.
    """
    if name in dataset.variables:
        return name
    try:
        measures = json.loads(str(dataset.attrs.get("measures", "[]")))
    except ValueError:
        return name
    if not isinstance(measures, list) or name not in measures:
        return name
    found = [str(variable) for variable in dataset.data_vars if str(variable).rpartition(".")[2] == name]
    return found[0] if len(found) == 1 else name
