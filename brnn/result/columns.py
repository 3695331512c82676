"""Which variables a run records, and on which time axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.result.metadata import RESERVED
from brnn.spec.variable import Variable

__all__ = ["Column", "columns", "estimate_bytes", "thin"]

TimeAxis = Literal["time", "ltm_time"]


@dataclass(frozen=True)
class Column(Variable):
    """A variable that is recorded, with the names that its axes have in the file.

    Attributes
    ----------
    axis : {"time", "ltm_time"}
        The time axis to which its samples belong.
    """

    axis: TimeAxis = "time"

    def description(self) -> dict[str, Any]:
        """Return what a file says of it, as plain data."""
        names = ("name", "axis", "dims", "role", "long_name", "units")
        return {name: getattr(self, name) for name in names}


def columns(
    variables: Sequence[Variable],
    select: Iterable[str] | None = None,
    ltm_every: float | None = None,
) -> tuple[Column, ...]:
    """Return the variables that are recorded, in the order of the state vector.

    Parameters
    ----------
    variables : sequence of Variable
        All blocks of the state vector.
    select : iterable of str, optional
        Names of those that are recorded; all by default.
    ltm_every : float, optional
        If given, variables of role "ltm" have a time axis of their own.

    Raises
    ------
    InputError
        If a name is unknown or cannot be a group of the file, or nothing is selected.
    """
    names = [variable.name for variable in variables]
    wanted = set(names) if select is None else {select} if isinstance(select, str) else set(select)
    for name in sorted(wanted - set(names), key=str):
        hint = closest(name, names) if isinstance(name, str) else ""
        raise InputError(f"record: '{name}' is not a state (there is {', '.join(names)}){hint}")
    if not wanted:
        raise InputError("record: no state is selected; give at least one name")
    result: list[Column] = []
    for variable in variables:
        if variable.name not in wanted:
            continue
        if variable.group in RESERVED:
            raise InputError(f"record: '{variable.group}' has a meaning of its own in result files; use another name")
        # A layer may have the name of something else in its own group: its axis must not.
        taken = {"time", "ltm_time"} | {v.quantity for v in variables if v.group == variable.group}
        known = {field.name: getattr(variable, field.name) for field in fields(Variable)}
        known |= {"lowest": None, "highest": None}  # bounds, which may be large, are for the run alone
        known["dims"] = tuple(f"{dim}_cell" if dim in taken else dim for dim in variable.dims)
        axis: TimeAxis = "ltm_time" if ltm_every is not None and variable.role == "ltm" else "time"
        result.append(Column(**known, axis=axis))
    return tuple(result)


def estimate_bytes(
    variables: Sequence[Variable],
    n_times: int,
    select: Iterable[str] | None = None,
    dtype: str = "float64",
    n_ltm_times: int | None = None,
) -> int:
    """Return the bytes of all samples of the selected variables (uncompressed), with their times.

    Parameters
    ----------
    variables, select
        As for `columns`.
    n_times : int
        Number of saved times.
    dtype : {"float64", "float32"}
        Precision of what is kept.
    n_ltm_times : int, optional
        Number of saved times of the weights, if it is another one.
    """
    total = 8 * n_times
    chosen = variables if select is None else columns(variables, select)
    for column in chosen:
        count = n_ltm_times if column.role == "ltm" and n_ltm_times is not None else n_times
        total += count * column.size * np.dtype(dtype).itemsize
    return total


def thin(times: np.ndarray, every: float | None, last: float) -> tuple[np.ndarray, float]:
    """Return the indices of the `times` that are kept, at least `every` apart, and the last one kept.

    `last` is the last time kept before these (minus infinity if there is none).
    """
    if every is None:
        return np.arange(times.size), float(times[-1]) if times.size else last
    kept: list[int] = []
    place = 0
    while place < times.size:
        # The tolerance: multiples of `every` are not exact in floating point.
        place += int(np.searchsorted(times[place:], last + every * (1.0 - 1e-9)))
        if place < times.size:
            kept.append(place)
            last = float(times[place])
            place += 1
    return np.array(kept, dtype=np.intp), last
