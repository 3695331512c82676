"""Events of a network as formulas: when each happens, and what unknowns are from then on.

Events that only record something are none. What programs for differential equations cannot express gets one line:
random numbers, changes of parameters, of inputs and of the protocol, times in which an event is deaf.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from brnn.equations.syntax import constant, joined, name
from brnn.errors import InputError
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import Crossing, Event
from brnn.spec.network import Network

__all__ = ["ZeroEvent", "changes"]

_MOST = 10_000  # assignments

Formula = ast.expr


@dataclass(frozen=True)
class ZeroEvent:
    """What happens when a formula reaches 0.

    Attributes
    ----------
    rising : ast.expr
        It is below 0 before, and 0 or above from then on.
    time : float or None
        When, if it is a given time.
    assignments : tuple of (str, ast.expr)
        Unknowns, and what each is set to, of the values before.
    """

    rising: Formula
    time: float | None
    assignments: tuple[tuple[str, Formula], ...]


def changes(network: Network, unknowns: Mapping[str, list[Formula]], until: float) -> tuple[ZeroEvent, ...]:
    """Return what the events of a network do to its unknowns.

    Parameters
    ----------
    network : Network
        The network.
    unknowns : mapping of str to list of ast.expr
        The names of the elements of each state.
    until : float
        When the run ends.

    Raises
    ------
    InputError
        If an event cannot be expressed; the message says what of it.
    """
    result: list[ZeroEvent] = []
    for event in network.events:
        if event.actions:
            result += _of_event(network, event, unknowns, until)
    if sum(len(change.assignments) for change in result) > _MOST:
        raise InputError(f"{network.name}: its events have more than {_MOST:,} assignments")
    return tuple(result)


def _of_event(
    network: Network, event: Event, unknowns: Mapping[str, list[Formula]], until: float
) -> Iterator[ZeroEvent]:
    for action in event.actions:
        if not isinstance(action, SetState):
            raise InputError(
                f"{network.name}: its events change the equations: {event.label} has {type(action).__name__}, which "
                "formulas cannot express"
            )
    if event.refractory or event.once or event.schedule is not None:
        what = "a refractory time" if event.refractory else "a schedule" if event.schedule is not None else "once=True"
        raise InputError(f"{network.name}: {event.label} has {what}, which formulas cannot express")
    when = event.when
    if not isinstance(when, Crossing):
        for time in when.times(network).tolist():
            if time <= until:
                yield ZeroEvent(joined(name("t"), "-", constant(time)), time, _assigned(event, unknowns, None))
        return
    if when.per == "maximum":
        raise InputError(f"{network.name}: {event.label} crosses by the maximum, which formulas cannot express")
    states = unknowns[when.state]
    sign = 1.0 if when.direction == "rising" else -1.0
    values: list[Formula] = states
    if when.per == "total":
        total = states[0]
        for x in states[1:]:
            total = joined(total, "+", x)
        values = [total]
    thresholds = np.broadcast_to(np.ravel(when.threshold), len(values)).tolist()
    for k, (value, threshold) in enumerate(zip(values, thresholds, strict=True)):
        over = joined(value, "-", constant(threshold))
        rising = over if sign > 0.0 else joined(constant(0.0), "-", over)
        yield ZeroEvent(rising, None, _assigned(event, unknowns, k if when.per == "cell" else None))


def _assigned(event: Event, unknowns: Mapping[str, list[Formula]], cell: int | None) -> tuple[tuple[str, Formula], ...]:
    """Return what the actions set, one after the other, where one cell crosses."""
    known: dict[str, Formula] = {}
    for action in event.actions:
        assert isinstance(action, SetState)
        names = unknowns[action.state]
        value = np.broadcast_to(np.ravel(action.value), len(names))
        if isinstance(action.where, np.ndarray):
            places = action.where.tolist()
        else:
            places = [
                k for k in range(len(names)) if action.where == "all" or (action.where == "crossing") == (k == cell)
            ]
        for k in places:
            symbol = ast.unparse(names[k])
            old = known.get(symbol, names[k])
            new: Formula = constant(float(value[k]))
            if action.scale != 0.0:
                new = joined(joined(constant(action.scale), "*", old), "+", new)
            known[symbol] = new
    return tuple(known.items())
