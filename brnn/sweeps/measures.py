"""Measures: what a sweep keeps of each member.

A measure is a name of this table, or a user's own function of one member's result. The named ones work on all members
that have states of the same shapes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.files.sweep.schema import COMMON_VARIABLES
from brnn.spec.variable import Variable
from brnn.sweeps.states import MemberStates

__all__ = ["MEASURES", "Measure", "chosen_measures"]

_QUENCHED = 1e-3  # of the largest activity that is known: below it an activity counts as quenched
_ALIKE = 1e-2  # relative difference up to which activities count as equal
_SAME_PATTERN = 1e-3  # difference of relative activities up to which a pattern counts as kept
REGIMES = ("quenched", "winner-take-all", "uniform", "pattern stored", "contrast enhanced", "several equal winners")


@dataclass(frozen=True)
class Measure:
    """A measure.

    Attributes
    ----------
    name : str
        What its rows are called.
    function : callable
        Of MemberStates and a layer, with one value (or one for each cell) for each member; the user's own of a
        MemberResult.
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


def _activities(states: MemberStates, layer: Variable) -> np.ndarray:
    return states.block(layer, states.final)


def _total(states: MemberStates, layer: Variable) -> np.ndarray:
    return _activities(states, layer).sum(axis=1)


def _relative(states: MemberStates, layer: Variable) -> np.ndarray:
    x = _activities(states, layer)
    total = x.sum(axis=1, keepdims=True)
    return np.divide(x, total, out=np.full_like(x, np.nan), where=total > 0.0)


def _winner(states: MemberStates, layer: Variable) -> np.ndarray:
    return np.where(_survivors(states, layer) > 0, np.argmax(_activities(states, layer), axis=1), -1)


def _largest(states: MemberStates, layer: Variable) -> np.ndarray:
    """Return the largest activity that the member can be taken to have had, shape (members, 1).

    A layer that begins at 0 and is given an input was driven towards it, but not beyond its own bound.
    """
    x = np.concatenate([_activities(states, layer), states.block(layer, states.initial)], axis=1)
    largest = np.abs(x).max(axis=1, keepdims=True)
    if layer.group in states.given.patterns:
        given = states.given.patterns[layer.group].max(axis=1, keepdims=True)
        largest = np.maximum(largest, np.minimum(given, states.given.ceilings[layer.group][:, None]))
    return np.maximum(largest, np.finfo(np.float64).tiny)


def _alive(states: MemberStates, layer: Variable) -> np.ndarray:
    return _activities(states, layer) > _QUENCHED * _largest(states, layer)


def _survivors(states: MemberStates, layer: Variable) -> np.ndarray:
    return _alive(states, layer).sum(axis=1)


def _contrast(states: MemberStates, layer: Variable) -> np.ndarray:
    x = _activities(states, layer)
    high, low = x.max(axis=1), x.min(axis=1)
    return np.divide(high - low, high + low, out=np.full(high.shape, np.nan), where=(high + low) > 0.0)


def _regime(states: MemberStates, layer: Variable) -> np.ndarray:
    """Return the code of what the layer did with the pattern that it was given."""
    x, alive = _activities(states, layer), _alive(states, layer)
    count = alive.sum(axis=1)
    high = np.where(alive, x, 0.0).max(axis=1)
    low = np.where(alive, x, np.inf).min(axis=1, initial=np.inf)
    equal = high - low <= _ALIKE * np.abs(high)
    kept = np.zeros(len(x), dtype=bool)
    if layer.group in states.given.patterns:
        given = states.given.patterns[layer.group]
        total = given.sum(axis=1, keepdims=True)
        before = np.divide(given, total, out=np.zeros_like(given), where=total > 0.0)
        kept = np.abs(np.nan_to_num(_relative(states, layer)) - before).max(axis=1) <= _SAME_PATTERN
    every = count == x.shape[1]
    order = [count == 0, (count == 1) & (x.shape[1] > 1), kept, every & equal, equal]
    names = ["quenched", "winner-take-all", "pattern stored", "uniform", "several equal winners"]
    return np.select(order, [REGIMES.index(name) for name in names], default=REGIMES.index("contrast enhanced"))


def _reached(states: MemberStates) -> np.ndarray:
    return states.reached


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
        if measure.name in COMMON_VARIABLES or measure.name in parameters:
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
        if name is None or name == item:
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
