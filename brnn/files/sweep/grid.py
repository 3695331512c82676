"""The results of a grid with an axis for each parameter."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable
from typing import Any

import numpy as np
import xarray as xr

from brnn.base.named import says_what_is_meant
from brnn.errors import InputError
from brnn.files.sweep.dataset import Dataset
from brnn.files.sweep.schema import parameter_variable

__all__ = ["unstack"]


@says_what_is_meant
def unstack(dataset: xr.Dataset) -> xr.Dataset:
    """Return the results of a grid with one dimension for each of its parameters instead of `member`.

    Parameters
    ----------
    dataset : xarray.Dataset
        From `brnn.open` or `brnn.sweep`, with all members; its design is a grid, or a product of grids. All of it is
        read into memory: take the variables that are needed (``dataset[["total"]]``) where they are large.

    Returns
    -------
    xarray.Dataset
        The same variables; ``dataset["total"]`` has the dimensions ``("A", "B")`` for ``Grid(A=..., B=...)``, and
        can be drawn with ``.plot()``.

    Raises
    ------
    InputError
        If the design is not a grid, or some members were taken out.
    """
    axes = json.loads(str(dataset.attrs.get("axes", "null")))
    if not axes:
        raise InputError("unstack: the design of this sweep is not a grid")
    sizes = list(axes.values())
    members = dataset.sizes.get("member", 0)
    if members != math.prod(sizes) or not np.array_equal(dataset["member"], np.arange(members)):
        raise InputError(f"unstack: needs all {math.prod(sizes)} members of the grid; there are {members}")
    names = [parameter_variable(name) for name in axes]
    taken = {dim for dim in dataset.dims if dim != "member"} & set(names)
    if taken:
        raise InputError(f"unstack: {min(map(str, taken))} is a parameter as well as an axis; rename_dims it first")

    def spread(variable: xr.Variable) -> xr.Variable:
        if "member" not in variable.dims:
            return variable
        place = variable.dims.index("member")
        dims = (*variable.dims[:place], *names, *variable.dims[place + 1 :])
        values = np.asarray(variable.values)
        shape = (*values.shape[:place], *sizes, *values.shape[place + 1 :])
        return xr.Variable(dims, values.reshape(shape), variable.attrs)

    coordinates: dict[Hashable, Any] = {}
    variables: dict[Hashable, Any] = {}
    for name, variable in dataset.variables.items():
        if name in names:
            axis = names.index(str(name))
            along = np.asarray(variable.values).reshape(sizes)
            values = along[tuple(slice(None) if k == axis else 0 for k in range(len(sizes)))]
            coordinates[name] = xr.Variable(name, values, variable.attrs)
        elif name in dataset.coords:
            coordinates[name] = spread(variable)
        else:
            variables[name] = spread(variable)
    result = Dataset(variables, coordinates, dataset.attrs)
    result.set_close(dataset.close)
    return result
