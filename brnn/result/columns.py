"""Which variables a run records, and on which time axis."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.result.metadata import RESERVED

__all__ = ["Column", "VariableLike", "columns", "estimate_bytes", "thin"]


class VariableLike(Protocol):
    """What is needed of brnn.compiler.Variable."""

    @property
    def name(self) -> str: ...
    @property
    def group(self) -> str: ...
    @property
    def quantity(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...
    @property
    def shape(self) -> tuple[int, ...]: ...
    @property
    def dims(self) -> tuple[str, ...]: ...
    @property
    def role(self) -> Any: ...
    @property
    def long_name(self) -> str: ...
    @property
    def units(self) -> str: ...


@dataclass(frozen=True)
class Column:
    """One recorded variable: where it stands in the state vector and in the file.

    Attributes
    ----------
    name, group, quantity : str
        ``"F1.x"``, ``"F1"`` and ``"x"``: the dataset /F1/x.
    start, stop : int
        Its block of the state vector.
    shape, dims : tuple
        Shape of one sample, and the names of its axes.
    role, long_name, units : str
        "stm", "mtm" or "ltm", and attributes of the dataset.
    axis : {"time", "ltm_time"}
        The time axis to which its samples belong.
    """

    name: str
    group: str
    quantity: str
    start: int
    stop: int
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    role: str
    long_name: str
    units: str
    axis: Literal["time", "ltm_time"] = "time"

    def description(self) -> dict[str, Any]:
        """Return what a file says of it, as plain data."""
        names = ("name", "axis", "dims", "role", "long_name", "units")
        return {name: getattr(self, name) for name in names}

    @property
    def size(self) -> int:
        """Number of elements of one sample."""
        return math.prod(self.shape)


def columns(
    variables: Sequence[VariableLike],
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
    result = []
    for variable in variables:
        if variable.name not in wanted:
            continue
        if variable.group in RESERVED:
            raise InputError(f"record: '{variable.group}' has a meaning of its own in result files; use another name")
        # A layer may have the name of something else in its own group: its axis must not.
        taken = {"time", "ltm_time"} | {v.quantity for v in variables if v.group == variable.group}
        result.append(
            Column(
                name=variable.name,
                group=variable.group,
                quantity=variable.quantity,
                start=variable.start,
                stop=variable.stop,
                shape=tuple(variable.shape),
                dims=tuple(f"{dim}_cell" if dim in taken else dim for dim in variable.dims),
                role=variable.role,
                long_name=variable.long_name,
                units=variable.units,
                axis="ltm_time" if ltm_every is not None and variable.role == "ltm" else "time",
            )
        )
    return tuple(result)


def estimate_bytes(
    variables: Sequence[VariableLike],
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
    for column in columns(variables, select):
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
