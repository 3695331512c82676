"""What measures give for members that have run: the rows of a sweep's file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.text import one_line
from brnn.ensemble.status import FAILED
from brnn.files.sweep.schema import cell_dims
from brnn.sweeps.measures import Measure
from brnn.sweeps.states import MemberResult, MemberStates

__all__ = ["MeasuredValues", "OwnMeasures", "measured"]


@dataclass(frozen=True)
class MeasuredValues:
    """What one measure gave: values for each member, and the names of the axes that these have."""

    values: np.ndarray
    dims: tuple[str, ...]
    long_name: str


class OwnMeasures:
    """Calls the user's own measures, which must give every member of a sweep the same kind of thing."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[bool, int]] = {}  # whether they are texts; how many axes they have

    def rows(self, measure: Measure, states: MemberStates, errors: dict[int, str]) -> np.ndarray | None:
        """Return the values for members, None if there are none; add what was wrong to `errors`, by member."""
        found: dict[int, np.ndarray] = {}
        for index in np.flatnonzero(states.status != FAILED).tolist():
            try:
                found[index] = self._checked(measure, np.asarray(measure.function(MemberResult(states, index))))
            except Exception as error:  # the user's own code; whatever it is, the other members go on
                text = one_line(f"measure '{measure.name}': {type(error).__name__}: {error}")
                errors[index] = f"{errors[index]}; {text}" if index in errors else text
        if not found:
            return None
        members = len(states.final)
        if self._kinds[measure.name][0]:
            return np.array([str(found.get(index, "")) for index in range(members)])
        shape = np.max([value.shape for value in found.values()], axis=0).astype(int)
        result = np.full((members, *shape), np.nan)
        for index, value in found.items():
            place: tuple[Any, ...] = (index, *map(slice, value.shape))
            result[place] = value
        return result

    def _checked(self, measure: Measure, value: np.ndarray) -> np.ndarray:
        if value.dtype.kind not in "fiubU" or (value.dtype.kind == "U" and value.ndim):
            raise TypeError("returned what is neither a number, nor an array of numbers, nor a text")
        kind = (value.dtype.kind == "U", value.ndim)
        first = self._kinds.setdefault(measure.name, kind)
        if kind != first:
            raise TypeError(f"returned {_kind_in_words(kind)}, and {_kind_in_words(first)} for other members")
        return value


def _kind_in_words(kind: tuple[bool, int]) -> str:
    text, axes = kind
    return "a text" if text else f"an array of {axes} axes" if axes else "a number"


def measured(
    measures: Sequence[Measure], states: MemberStates, own: OwnMeasures
) -> tuple[dict[str, MeasuredValues], dict[int, str]]:
    """Return what all measures give for members, by the name of the row, and the errors of the user's own by member.

    A named measure is taken of each layer and called ``"<layer>.<measure>"``, as the states are.
    Members that failed have nothing: NaN, -1 or an empty text.
    """
    rows: dict[str, MeasuredValues] = {}
    errors: dict[int, str] = {}
    with np.errstate(all="ignore"):  # members that failed are full of NaN and infinity
        for measure in measures:
            if measure.scope == "own":
                values = own.rows(measure, states, errors)
                if values is not None:
                    axes = tuple(f"{measure.name}_{axis}" for axis in range(values.ndim - 1))
                    rows[measure.name] = MeasuredValues(values, axes, measure.long_name)
            else:
                rows.update(_named_rows(measure, states))
    return rows, errors


def _named_rows(measure: Measure, states: MemberStates) -> Iterator[tuple[str, MeasuredValues]]:
    """Yield the rows of a named measure."""
    lost = states.status == FAILED
    if measure.scope == "states":
        for variable in states.variables:
            values = _without(states.block(variable, states.final), lost).reshape(-1, *variable.shape)
            yield variable.name, MeasuredValues(values, cell_dims(variable), variable.long_name)
        return
    if measure.scope == "member":
        yield measure.name, MeasuredValues(_without(measure.function(states), lost), (), measure.long_name)
        return
    for layer in states.layers:
        name = f"{layer.group}.{measure.name}"
        values = _without(measure.function(states, layer), lost)
        if measure.choices:
            values = np.array([*measure.choices, ""], dtype=np.bytes_)[values]
        if measure.scope == "cells":
            yield name, MeasuredValues(values.reshape(-1, *layer.shape), cell_dims(layer), measure.long_name)
        else:
            yield name, MeasuredValues(values, (), measure.long_name)


def _without(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return values with nothing (NaN, or -1) where members failed."""
    if not lost.any():
        return values
    result = values.copy()
    result[lost] = np.nan if values.dtype.kind == "f" else -1
    return result
