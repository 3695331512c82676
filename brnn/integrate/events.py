"""Events during a run: what waits for thresholds and for given times, and what happens then."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler import System, compile_network
from brnn.errors import InputError, IntegrationError, SpecError
from brnn.integrate.crossings import Crossed, Dense, first_crossing
from brnn.integrate.timetable import Timetable
from brnn.integrate.watches import Watch, Watches
from brnn.result.events import EventTable, Happened
from brnn.result.start import Start
from brnn.spec.events.triggers import Crossing
from brnn.spec.network import Network

__all__ = ["Reactor", "schedules_ahead"]

_ROUNDING = 1e-10  # relative: so near to its threshold is what has just crossed it
_CASCADE = 1000  # events at one time
_CHATTER = 200  # events that follow each other in a time that is nothing beside the run
_NOTHING = 1e-9  # of the duration
_STREAM = 0x6576656E74  # keeps the random numbers of events apart from those of white noise, for the same seed


@dataclass(eq=False)
class _Moment:
    """What actions see (see brnn.spec.events.actions.Moment)."""

    reactor: Reactor
    time: float
    state_vector: np.ndarray
    cells: np.ndarray
    random: np.random.Generator
    chosen: int = -1

    def state(self, name: str) -> np.ndarray:
        return self.state_vector[self.reactor.places[name]]

    def input(self, layer: str, kind: str = "excitatory") -> np.ndarray:
        system, clock = self.reactor.system, self.reactor.timetable.clock
        base = system.program.inputs.get((layer, kind))
        if base is None:
            return np.zeros(self.network.layer(layer).cells)
        return np.array(system.values(self.time, clock)[1][base])

    def switch(self, stimulus: str, on: bool) -> None:
        self.reactor.timetable.switch(stimulus, on)

    def start(self, stimulus: str) -> None:
        self.reactor.timetable.start(stimulus, self.time)

    @property
    def network(self) -> Network:
        return self.reactor.system.network

    def set_parameters(self, values: Mapping[str, Any]) -> None:
        try:
            # Without the events: what one of them sets need not be there any more when another one has.
            changed = self.network.replace(events=()).with_(values)
        except (InputError, SpecError) as error:  # beside what other events have set
            names = "', '".join(values)
            raise IntegrationError(
                f"SetParameter '{names}' at t = {self.time:.6g}: {error}", time=self.time, state=self.state_vector
            ) from None
        self.reactor.system = compile_network(changed)

    def next_phase(self) -> None:
        self.reactor.due += self.reactor.timetable.next_phase(self.time)

    def stop(self) -> None:
        self.reactor.stopped = True


class Reactor:
    """Finds the events of a run and lets them happen.

    Parameters
    ----------
    system : System
        What is run.
    timetable : Timetable
        Its break points and given times.
    seed : int or None
        Seed of the draws.
    record : callable
        Takes each thing that happened.

    Attributes
    ----------
    system : System
        What is run from now on: events may change its parameters.
    stopped : bool
        Whether an event ended the run.
    last : str
        Name of the event that happened last.
    """

    def __init__(
        self, system: System, timetable: Timetable, seed: int | None, record: Callable[[Happened], None]
    ) -> None:
        self.timetable = timetable
        self.system = system
        self.places = {variable.name: slice(variable.start, variable.stop) for variable in system.variables}
        self.due: list[int] = []
        self.stopped = False
        self.last = ""
        self._events = system.network.events
        self._random = np.random.default_rng([_STREAM, seed or 0])
        self._record = record
        self._watches = Watches([
            Watch(number, event, event.when, self.places[event.when.state])
            for number, event in enumerate(self._events)
            if isinstance(event.when, Crossing)
        ])  # fmt: skip
        self._found: list[Crossed] = []  # what crosses at the moment that `search` returned
        self._recent: list[float] = []
        self._many = _CHATTER + len(self._events)

    @property
    def watching(self) -> bool:
        """Whether any event waits for a crossing."""
        return bool(self._watches.each)

    @property
    def watched(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What compiled steps watch (see `brnn.integrate.watches.Watches.table`)."""
        return self._watches.table()

    @property
    def waiting(self) -> bool:
        """Whether `search` found a crossing that has not happened yet."""
        return bool(self._found)

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Let the events of time 0 happen; return the state after them."""
        self._watches.armed[:] = self._watches.beyond(state) < 0.0
        return self.react(0.0, state, self.timetable.first)

    def go_on(self, start: Start, state: np.ndarray) -> None:
        """Stand where a run stood at `start`: what happened happens again, to nothing but the schedules."""
        table = EventTable.of((), ()) if start.events is None else start.events
        others, scratch = np.random.default_rng(0), state.copy()
        for first, last in _at_once(table):
            number, time = int(table.columns["which"][first]), float(table.columns["time"][first])
            cells = table.columns["cell"][first:last].astype(np.int64)
            self.timetable.reach(time)
            moment = _Moment(self, time, scratch, cells[cells >= 0], self._random if first >= start.drawn else others)
            for action in self._events[number].actions:
                action.apply(moment)
            self.timetable.jumped(time)
            for watch in self._watches.each:
                if watch.number == number:
                    there = moment.cells if watch.when.per == "cell" else np.zeros(1, np.int64)
                    watch.last[there] = time
                    watch.spent[there] |= watch.event.once
        self.due, self.stopped = [], False
        self.timetable.reach(start.time)
        for watch in self._watches.each:
            beyond = watch.beyond(state)
            # What has just crossed may stand on either side of its threshold, by rounding.
            at_it = np.abs(beyond) <= _ROUNDING * np.abs(watch.quantity(state))
            watch.armed[:] = (beyond < 0.0) & ~(at_it & (watch.last == start.time))

    def search(
        self,
        start: float,
        before: np.ndarray,
        stop: float,
        after: np.ndarray,
        dense: Callable[[], Dense],
        slopes: tuple[np.ndarray, np.ndarray] | None,
    ) -> float | None:
        """Return when the first crossing of a step happens; None if there is none.

        Parameters
        ----------
        start, before, stop, after
            Times and states at both ends.
        dense : callable
            Returns the state as a function of time in the step.
        slopes : pair of ndarray, or None
            du/dt at both ends; None if the step is a straight line.
        """
        found = first_crossing(self._watches, start, before, stop, after, dense, slopes, self.timetable.clock.shift)
        if not found:
            return None
        self._found = found
        return min(crossing.time for crossing in found)

    def react(self, time: float, state: np.ndarray, due: Sequence[int] = ()) -> np.ndarray:
        """Let everything happen that was found or is due at this time; return the state after it."""
        state = state.copy()
        self._watches.arm(time, self._watches.beyond(state))
        crossings, self._found = self._found, []
        self.due = list(due)
        for _ in range(_CASCADE):
            crossings = crossings or self._jumped(time, state)
            if crossings:
                seen = [
                    (hit, hit.watch.crossing_cells(hit.cells, state), hit.watch.quantity(state)) for hit in crossings
                ]
                for hit in crossings:
                    hit.watch.armed[hit.cells] = False
                    hit.watch.last[hit.cells] = time
                    hit.watch.spent[hit.cells] |= hit.watch.event.once
                for hit, cells, values in seen:
                    self._happen(hit.watch.number, time, state, cells, values[hit.cells])
                crossings = []
            elif self.due:
                self._given(time, state)
            else:
                return state
        raise self._chattering(time, state, "happen at once, each causing the next")

    def _given(self, time: float, state: np.ndarray) -> None:
        due, self.due = self.due, []
        for number in due:
            event = self._events[number]
            if event.schedule is not None:
                segment = event.schedule.segment(time + self.timetable.clock.shift, np.ones(()))
                if not np.any(segment.base):
                    continue
            self._happen(number, time, state, np.empty(0, dtype=np.int64), np.array([np.nan]))

    def _jumped(self, time: float, state: np.ndarray) -> list[Crossed]:
        """Return what is beyond its threshold and was not: an event carried it there."""
        found = []
        for watch in self._watches.each:
            cells = np.flatnonzero(watch.armed & (watch.beyond(state) >= 0.0))
            if cells.size:
                watch.armed[cells] = False
                allowed = watch.may(cells, time, time + self.timetable.clock.shift)
                if allowed.size:
                    found.append(Crossed(watch, allowed, time))
        return found

    def _happen(self, number: int, time: float, state: np.ndarray, cells: np.ndarray, values: np.ndarray) -> None:
        event = self._events[number]
        before = [watch.beyond(state) for watch in self._watches.each]
        moment = _Moment(self, time, state, cells, self._random)
        for action in event.actions:
            action.apply(moment)
        self.timetable.jumped(time)
        for watch, old in zip(self._watches.each, before, strict=True):
            new = watch.beyond(state)
            watch.armed |= (new < 0.0) & (new != old)  # an action took them back to the near side
        for cell, value in zip(cells.tolist() or [-1], values.tolist(), strict=True):
            self._record(Happened(time, number, cell, value, moment.chosen))
        self.last = event.name
        self._recent.append(time)
        del self._recent[: -self._many]
        if len(self._recent) == self._many and time - self._recent[0] < _NOTHING * self.timetable.length:
            raise self._chattering(time, state, "follow each other without end")

    def _chattering(self, time: float, state: np.ndarray, how: str) -> IntegrationError:
        return IntegrationError(
            f"event '{self.last}': at t = {time:.6g} events {how}; let its actions lead away from the threshold, or "
            f"give it a refractory time",
            time=time,
            state=state,
        )


def schedules_ahead(system: System, start: Start, end: float) -> float:
    """Return how far the schedules of a run that goes on from `start` are ahead of its time."""
    timetable = Timetable(system, end)
    Reactor(system, timetable, 0, lambda row: None).go_on(start, start.state)
    return timetable.clock.shift


def _at_once(table: EventTable) -> list[tuple[int, int]]:
    """Return the first row, and the one after the last, of each event: cells that crossed together have a row each."""
    time, which = table.columns["time"], table.columns["which"]
    if not len(time):
        return []
    cuts = np.flatnonzero((np.diff(time) != 0.0) | (np.diff(which) != 0)) + 1
    return list(zip([0, *cuts.tolist()], [*cuts.tolist(), len(time)], strict=True))
