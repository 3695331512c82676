"""In which pieces a run goes whose derivatives are taken: between break points, and events at given times.

What delays make of break points is smoother than these, so that no derivative jumps there; but where events set states,
a delay later du/dt jumps.

An event at a given time makes of a state ``factor * state + added``, sets parameters, and switches and starts stimuli;
through all of these derivatives are exact. Through an event whose time depends on the state they are not taken.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from brnn.compiler.system import Clock, System
from brnn.errors import InputError
from brnn.integrate.events import Reactor
from brnn.integrate.timetable import Timetable
from brnn.spec.breaks import segments
from brnn.spec.events.actions import StopRun
from brnn.spec.events.set_parameter import SetParameter
from brnn.spec.events.set_state import SetState
from brnn.spec.events.stimulus_actions import StartStimulus, SwitchStimulus
from brnn.spec.events.triggers import Crossing, Event
from brnn.spec.network import Network

__all__ = ["Change", "NetworkPiece", "pieces"]

_KNOWN = (SetState, SetParameter, SwitchStimulus, StartStimulus, StopRun)


@dataclass(frozen=True)
class Change:
    """What events make of a state: ``factor * state + added``, for each unknown."""

    factor: np.ndarray
    added: np.ndarray


@dataclass(frozen=True)
class NetworkPiece:
    """A time between break points.

    Attributes
    ----------
    start, stop : float
        When it begins and ends.
    network : Network
        The network of this time: events set parameters.
    clock : Clock or None
        Where the schedules stand; None before any event.
    change : Change or None
        What events make of the state at its beginning.
    """

    start: float
    stop: float
    network: Network
    clock: Clock | None = None
    change: Change | None = None


def pieces(system: System, duration: float) -> list[NetworkPiece]:
    """Return those of a run.

    Raises
    ------
    InputError
        If an event depends on the state, or does what has no derivative.
    """
    network = system.network
    given = [event for event in network.events if _is_given(network, event)]
    if not given:
        return [NetworkPiece(start, stop, network) for start, stop in segments(network, duration)]
    plain = System(network.replace(events=given), system.variables, replace(system.program, lags={}))
    timetable = Timetable(plain, duration)
    reactor = Reactor(plain, timetable, None, lambda happened: None)
    marked = np.full(system.size, 1j)  # what is made of it has the factor as its imaginary part
    found, time = [], 0.0
    after: np.ndarray | None = reactor.begin(marked)
    while not (timetable.over or reactor.stopped):
        clock = Clock(timetable.clock.shift, dict(timetable.clock.on), dict(timetable.clock.begun))
        change = (
            None if after is None or np.array_equal(after, marked) else Change(after.imag.copy(), after.real.copy())
        )
        stop = timetable.stop
        here = network if reactor.system is plain else reactor.system.network
        found.append(NetworkPiece(time, stop, here, clock, change))
        due = timetable.reach(stop)
        after = reactor.react(stop, marked, due) if due and stop < duration else None
        time = stop
    if time < duration:
        raise InputError(
            f"{network.name}: event '{reactor.last}' ends the run at t = {time:g}; derivatives are taken of runs of a "
            f"given length: duration={time:g}"
        )
    jumps = [piece.start for piece in found if piece.change is not None]
    return _split(found, sorted({jump + delay for jump in jumps for delay in system.delays}))


def _split(every: Sequence[NetworkPiece], times: Sequence[float]) -> list[NetworkPiece]:
    """Return the pieces with new ones that begin at these times."""
    found = []
    for piece in every:
        inner = [time for time in times if piece.start < time < piece.stop]
        edges = [piece.start, *inner, piece.stop]
        for k, (start, stop) in enumerate(itertools.pairwise(edges)):
            found.append(replace(piece, start=start, stop=stop, change=None if k else piece.change))
    return found


def _is_given(network: Network, event: Event) -> bool:
    """Tell whether an event comes at given times and changes anything."""
    if not event.actions:
        return False
    if isinstance(event.when, Crossing):
        raise InputError(
            f"{network.name}: {event.label} comes when a state crosses a threshold; derivatives are taken through "
            "events at given times alone"
        )
    other = next((action for action in event.actions if not isinstance(action, _KNOWN)), None)
    if other is not None:
        raise InputError(
            f"{network.name}: {event.label}: through {type(other).__name__} derivatives are not taken "
            f"(through {', '.join(action.__name__ for action in _KNOWN)} they are)"
        )
    return True
