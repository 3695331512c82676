"""Measures: what a sweep keeps of each member.

A measure is a name of this table, or a user's own function of one member's result. The named ones work on all members
of a group at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.compiler.layout import Variable
from brnn.ensemble.status import FAILED, STATUS_NAMES
from brnn.errors import InputError
from brnn.files.sweep.schema import OWN, cell_dims
from brnn.sweeps.building.members import Given

__all__ = ["MEASURES", "Group", "Measure", "MemberResult", "Rows", "chosen_measures", "computed"]

_QUENCHED = 1e-3  # of the largest activity that is known: below it an activity counts as quenched
_ALIKE = 1e-2  # relative difference up to which activities count as equal
_KEPT = 1e-3  # difference of relative activities up to which a pattern counts as kept
_TAKEN = (*OWN, "steps", "evaluations", "time")
REGIMES = ("quenched", "winner-take-all", "uniform", "pattern stored", "contrast enhanced", "several equal winners")


@dataclass(frozen=True)
class Group:
    """Members whose states have the same shapes.

    Attributes
    ----------
    variables : tuple of Variable
        The blocks of the state.
    final, initial : ndarray, shape (members, size)
        Last and first states.
    reached : ndarray, shape (members,)
        Time of the last state.
    status : ndarray, shape (members,)
        1 complete, 2 steady, 3 failed.
    times : ndarray, shape (times,)
        The saved times.
    trajectory : ndarray, shape (members, times, size)
        The states there.
    given : Given
        What the layers were given, if a measure asks for it.
    """

    variables: tuple[Variable, ...]
    final: np.ndarray
    initial: np.ndarray
    reached: np.ndarray
    status: np.ndarray
    times: np.ndarray
    trajectory: np.ndarray
    given: Given

    @property
    def layers(self) -> list[Variable]:
        """The blocks that are activities."""
        return [variable for variable in self.variables if variable.role == "stm"]

    def block(self, variable: Variable, states: np.ndarray) -> np.ndarray:
        """Return the part of states that is one block."""
        return states[..., variable.start : variable.stop]


@dataclass(frozen=True)
class MemberResult:
    """The result of one member, as the user's own measures see it.

    ``result["F1.x"]`` is the trajectory at the sweep's `times`, shape (times, ...); without `times` the last state
    alone, shape (1, ...).
    """

    group: Group
    index: int

    @property
    def status(self) -> str:
        """How it ended: "complete", "steady" or "failed"."""
        return STATUS_NAMES[int(self.group.status[self.index])]

    @property
    def times(self) -> np.ndarray:
        """The saved times."""
        return self.group.times if self.group.times.size else self.group.reached[self.index : self.index + 1]

    def __getitem__(self, name: str) -> np.ndarray:
        variable = self._variable(name)
        if self.group.times.size:
            values = self.group.block(variable, self.group.trajectory[self.index])
            return values.reshape(-1, *variable.shape)
        return self.final(name)[None]

    def final(self, name: str) -> np.ndarray:
        """Return the last state of a layer (``"F1"``) or variable (``"F1.x"``)."""
        variable = self._variable(name)
        return self.group.block(variable, self.group.final[self.index]).reshape(variable.shape)

    def initial(self, name: str) -> np.ndarray:
        """Return the state at time 0."""
        variable = self._variable(name)
        return self.group.block(variable, self.group.initial[self.index]).reshape(variable.shape)

    def total(self, layer: str) -> float:
        """Return the sum of a layer's last activities."""
        return float(self.final(layer).sum())

    def relative(self, layer: str) -> np.ndarray:
        """Return a layer's last activities divided by their sum."""
        values = self.final(layer)
        total = values.sum()
        return values / total if total > 0.0 else np.full(values.shape, np.nan)

    def _variable(self, name: str) -> Variable:
        wanted = name if "." in name else f"{name}.x"
        for variable in self.group.variables:
            if variable.name == wanted:
                return variable
        names = [variable.name for variable in self.group.variables]
        raise InputError(f"there is no '{name}' (there is {', '.join(names)}){closest(wanted, names)}")


@dataclass(frozen=True)
class Measure:
    """A measure.

    Attributes
    ----------
    name : str
        What its rows are called.
    function : callable
        Of a group and a layer, with one value (or one for each cell) for each member; the user's own of a MemberResult.
    scope : str
        "layer" or "cells": one value for a layer, or for each of its cells; "member": one for the member;
        "states": those themselves; "own": the user's.
    long_name : str
        What it is, in words.
    choices : tuple of str
        If its values are texts: what the numbers that the function gives stand for.
    compares : bool
        Whether it compares with the patterns that layers were given.
    """

    name: str
    function: Callable[..., Any]
    scope: str = "layer"
    long_name: str = ""
    choices: tuple[str, ...] = ()
    compares: bool = False


def _activities(group: Group, layer: Variable) -> np.ndarray:
    return group.block(layer, group.final)


def _total(group: Group, layer: Variable) -> np.ndarray:
    return _activities(group, layer).sum(axis=1)


def _relative(group: Group, layer: Variable) -> np.ndarray:
    x = _activities(group, layer)
    total = x.sum(axis=1, keepdims=True)
    return np.divide(x, total, out=np.full_like(x, np.nan), where=total > 0.0)


def _winner(group: Group, layer: Variable) -> np.ndarray:
    return np.where(_survivors(group, layer) > 0, np.argmax(_activities(group, layer), axis=1), -1)


def _largest(group: Group, layer: Variable) -> np.ndarray:
    """Return the largest activity that the member can be taken to have had, shape (members, 1).

    A layer that begins at 0 and is given an input was driven towards it, but not beyond its own bound.
    """
    x = np.concatenate([_activities(group, layer), group.block(layer, group.initial)], axis=1)
    largest = np.abs(x).max(axis=1, keepdims=True)
    if layer.group in group.given.patterns:
        given = group.given.patterns[layer.group].max(axis=1, keepdims=True)
        largest = np.maximum(largest, np.minimum(given, group.given.ceilings[layer.group][:, None]))
    return np.maximum(largest, np.finfo(np.float64).tiny)


def _alive(group: Group, layer: Variable) -> np.ndarray:
    return _activities(group, layer) > _QUENCHED * _largest(group, layer)


def _survivors(group: Group, layer: Variable) -> np.ndarray:
    return _alive(group, layer).sum(axis=1)


def _contrast(group: Group, layer: Variable) -> np.ndarray:
    x = _activities(group, layer)
    high, low = x.max(axis=1), x.min(axis=1)
    return np.divide(high - low, high + low, out=np.full(high.shape, np.nan), where=(high + low) > 0.0)


def _regime(group: Group, layer: Variable) -> np.ndarray:
    """Return the code of what the layer did with the pattern that it was given."""
    x, alive = _activities(group, layer), _alive(group, layer)
    count = alive.sum(axis=1)
    high = np.where(alive, x, 0.0).max(axis=1)
    low = np.where(alive, x, np.inf).min(axis=1, initial=np.inf)
    equal = high - low <= _ALIKE * np.abs(high)
    kept = np.zeros(len(x), dtype=bool)
    if layer.group in group.given.patterns:
        given = group.given.patterns[layer.group]
        total = given.sum(axis=1, keepdims=True)
        before = np.divide(given, total, out=np.zeros_like(given), where=total > 0.0)
        kept = np.abs(np.nan_to_num(_relative(group, layer)) - before).max(axis=1) <= _KEPT
    every = count == x.shape[1]
    order = [count == 0, (count == 1) & (x.shape[1] > 1), kept, every & equal, equal]
    names = ["quenched", "winner-take-all", "pattern stored", "uniform", "several equal winners"]
    return np.select(order, [REGIMES.index(name) for name in names], default=REGIMES.index("contrast enhanced"))


def _reached(group: Group) -> np.ndarray:
    return group.reached


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure("final", _activities, "states", "last states"),
        Measure("total", _total, "layer", "sum of the last activities"),
        Measure("relative", _relative, "cells", "last activities divided by their sum"),
        Measure(
            "winner", _winner, "layer", "cell with the largest last activity, -1 if all are quenched", compares=True
        ),
        Measure("survivors", _survivors, "layer", "cells that are not quenched", compares=True),
        Measure("stored_contrast", _contrast, "layer", "(max - min)/(max + min) of the last activities"),
        Measure("regime", _regime, "layer", "what became of the pattern", choices=REGIMES, compares=True),
        Measure("end", _reached, "member", "time of the last state"),
    )
}
MEASURES["time"] = MEASURES["end"]


def chosen_measures(given: Any, parameters: Sequence[str] = ()) -> tuple[Measure, ...]:
    """Return the measures that a user names.

    Parameters
    ----------
    given : str, callable, sequence of these, or mapping of name to these
        "final" for example, or own functions of a MemberResult, which are called by their ``__name__``.
    parameters : sequence of str
        Names of parameters, which no measure can have.

    Raises
    ------
    InputError
        If a name is not known or taken, or a function has none.
    """
    if given is None:
        return ()
    if isinstance(given, str) or callable(given):
        given = [given]
    if not isinstance(given, Iterable):
        raise InputError(f"measures: {given!r} is neither a name nor a function of a result")
    pairs = list(given.items()) if isinstance(given, Mapping) else [(None, item) for item in given]
    result: dict[str, Measure] = {}
    for name, item in pairs:
        measure = _measure(name, item)
        if measure.name in result:
            raise InputError(f"measures: '{measure.name}' occurs twice")
        if measure.name in _TAKEN or measure.name in parameters:
            owner = "a parameter" if measure.name in parameters else "something else in the file"
            raise InputError(f"measure '{measure.name}': has the name of {owner}; give it another one")
        result[measure.name] = measure
    return tuple(result.values())


def _measure(name: str | None, item: Any) -> Measure:
    if name is not None and not (isinstance(name, str) and name.isidentifier()):
        raise InputError(f"measures: {name!r} cannot be the name of a measure, such as contrast")
    if isinstance(item, str):
        if item not in MEASURES:
            raise InputError(
                f"measures: there is no '{item}' (there is {', '.join(MEASURES)}){closest(item, MEASURES)}"
            )
        found = MEASURES[item]
        if name is None:
            return found
        if found.scope == "states":
            raise InputError(f"measures: '{item}' gives the states, which keep their own names; it cannot be '{name}'")
        return replace(found, name=name)
    if not callable(item):
        raise InputError(f"measures: {item!r} is neither a name nor a function of a result")
    own = name if name is not None else str(getattr(item, "__name__", ""))
    if not own.isidentifier():
        raise InputError(f"measures: a function called '{own}' needs a name: measures={{'name': function}}")
    words = (getattr(item, "__doc__", None) or own).strip() or own
    return Measure(own, item, "own", words.splitlines()[0])


@dataclass(frozen=True)
class Rows:
    """What one measure gave for the members of a group: values, and the names of their axes (None: not known)."""

    values: np.ndarray
    dims: tuple[str, ...] | None
    long_name: str


class Own:
    """Calls the user's own measures, which must give every member of a sweep the same kind of thing."""

    def __init__(self) -> None:
        self._kinds: dict[str, tuple[bool, int]] = {}  # whether they are texts; how many axes they have

    def rows(self, measure: Measure, group: Group, errors: dict[int, str]) -> np.ndarray | None:
        """Return the values for a group, None if there are none; add what was wrong to `errors`, by member."""
        found: dict[int, np.ndarray] = {}
        for index in np.flatnonzero(group.status != FAILED).tolist():
            try:
                found[index] = self._checked(measure, np.asarray(measure.function(MemberResult(group, index))))
            except Exception as error:  # the user's own code; whatever it is, the other members go on
                text = " ".join(f"measure '{measure.name}': {type(error).__name__}: {error}".split())
                errors[index] = f"{errors[index]}; {text}" if index in errors else text
        if not found:
            return None
        members = len(group.final)
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
            raise TypeError(f"returned {_in_words(kind)}, and {_in_words(first)} for other members")
        return value


def _in_words(kind: tuple[bool, int]) -> str:
    text, axes = kind
    return "a text" if text else f"an array of {axes} axes" if axes else "a number"


def computed(measures: Sequence[Measure], group: Group, own: Own) -> tuple[dict[str, Rows], dict[int, str]]:
    """Return what all measures give for a group, by the name of the row, and the errors of the user's own by member.

    A named measure of a network with several layers is taken of each of them and called ``"<layer>.<measure>"``.
    Members that failed have nothing: NaN, -1 or an empty text.
    """
    rows: dict[str, Rows] = {}
    errors: dict[int, str] = {}
    lost = group.status == FAILED
    members = len(group.final)
    with np.errstate(all="ignore"):  # members that failed are full of NaN and infinity
        for measure in measures:
            if measure.scope == "own":
                values = own.rows(measure, group, errors)
                if values is not None:
                    rows[measure.name] = Rows(values, None, measure.long_name)
            elif measure.scope == "states":
                for variable in group.variables:
                    states = _without(group.block(variable, group.final), lost)
                    rows[variable.name] = Rows(
                        states.reshape(members, *variable.shape), cell_dims(variable), variable.long_name
                    )
            elif measure.scope == "member":
                rows[measure.name] = Rows(_without(measure.function(group), lost), (), measure.long_name)
            else:
                for layer in group.layers:
                    name = f"{layer.group}.{measure.name}" if len(group.layers) > 1 else measure.name
                    values = _without(measure.function(group, layer), lost)
                    if measure.choices:
                        texts = np.array([*measure.choices, ""], dtype=np.bytes_)
                        rows[name] = Rows(texts[values], (), measure.long_name)
                    elif measure.scope == "cells":
                        rows[name] = Rows(values.reshape(members, *layer.shape), cell_dims(layer), measure.long_name)
                    else:
                        rows[name] = Rows(values, (), measure.long_name)
    return rows, errors


def _without(values: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Return values with nothing (NaN, or -1) where members failed."""
    if not lost.any():
        return values
    result = values.copy()
    result[lost] = np.nan if values.dtype.kind == "f" else -1
    return result
