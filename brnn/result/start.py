"""Where a run begins that goes on from another one: `simulate(network, start=result, at=time)`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from brnn.errors import InputError
from brnn.result.events import TYPES, EventTable

__all__ = ["Past", "Start", "fingerprint", "joined"]


@dataclass(frozen=True, eq=False)
class Past:
    """The states of the last while, for signals that travel.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        Between which times there is a polynomial; the state before the first is the one there. In discrete time the
        times of the states, shape (k,).
    values : ndarray, shape (k, points, size)
        The states at the `points` Chebyshev points of each interval, its ends among them; in discrete time one.
    """

    edges: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Start:
    """A state of a run with everything on which it depends how the run goes on.

    Attributes
    ----------
    time : float
        Its time.
    state : ndarray
        The state vector.
    events : EventTable or None
        What had happened by then, since time 0; None if the network has no events.
    drawn : int
        How many rows of them had their random numbers from another seed than the run's.
    random : dict of str to str
        Where the generator of white noise stood, "noise", as JSON; if it is not there it begins with the run's seed.
    past : Past or None
        What travels in delays.
    source : dict of str to str
        Where it comes from: a hash of the network and the state; the name of the file and when it was made.
    """

    time: float
    state: np.ndarray
    events: EventTable | None = None
    drawn: int = 0
    random: Mapping[str, str] = field(default_factory=dict)
    past: Past | None = None
    source: Mapping[str, str] = field(default_factory=dict)

    def to_options(self) -> dict[str, Any]:
        """Return it as numbers, texts and arrays."""
        options: dict[str, Any] = {"time": self.time, "state": self.state, "source": dict(self.source)}
        if self.events is not None:
            options |= {"events": list(self.events.names), "drawn": self.drawn, "columns": dict(self.events.columns)}
        if self.random:
            options["random"] = dict(self.random)
        if self.past is not None:
            options |= {"past_edges": self.past.edges, "past_values": self.past.values}
        return options

    @classmethod
    def from_options(cls, options: Any) -> Self:
        """Return what `to_options` was asked for; raise InputError if it is damaged."""
        try:
            events = past = None
            if "events" in options:
                columns = {name: np.asarray(options["columns"][name], dtype=kind) for name, kind in TYPES.items()}
                events = EventTable(tuple(str(name) for name in options["events"]), columns)
                if len({column.shape for column in columns.values()}) > 1 or columns["time"].ndim != 1:
                    raise ValueError("its events")
                if len(events) and not 0 <= columns["which"].min() <= columns["which"].max() < len(events.names):
                    raise ValueError("its events")
            if "past_edges" in options:
                past = Past(np.asarray(options["past_edges"], float), np.asarray(options["past_values"], float))
                if past.edges.ndim != 1 or past.values.ndim != 3 or len(past.edges) - len(past.values) not in (0, 1):
                    raise ValueError("its past")
            random = {str(name): str(state) for name, state in dict(options.get("random", {})).items()}
            source = {str(name): str(text) for name, text in dict(options.get("source", {})).items()}
            state = np.array(options["state"], dtype=np.float64).ravel()
            return cls(float(options["time"]), state, events, int(options.get("drawn", 0)), random, past, source)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise InputError(f"the state from which the run went on is damaged: {error}") from None


def joined(first: EventTable | None, second: EventTable | None) -> EventTable | None:
    """Return the events of two tables of one network, one after the other."""
    if first is None or second is None:
        return second if first is None else first
    columns = {name: np.concatenate([first.columns[name], second.columns[name]]) for name in TYPES}
    return EventTable(second.names or first.names, columns)


def fingerprint(network: str, time: float, state: np.ndarray) -> str:
    """Return a hash of a network (its JSON) and a state."""
    digest = hashlib.sha256(network.encode())
    digest.update(np.float64(time).tobytes())
    digest.update(np.ascontiguousarray(state, dtype="<f8").tobytes())
    return digest.hexdigest()[:32]
