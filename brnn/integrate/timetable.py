"""When the integration of a run has to be restarted, and how events move that."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np

from brnn.compiler.system import System
from brnn.spec.breaks import NEAR, propagated, segments, sums_of

__all__ = ["Timetable"]

_SUMS = 1000  # of delays that are looked at after each event


class Timetable:
    """The break points of a run, its given times of events, and its end.

    The times of schedules, of which it is made, and the time of the run are the same until an event ends a phase early;
    then what is left comes earlier by the rest of that phase, the end of the run too.

    Parameters
    ----------
    system : System
        What is run.
    duration : float
        When it ends, if no phase ends early.
    begin : float
        When it begins, if it goes on from another run: from there on delays carry what has changed.
    ahead : float
        How far the schedules are ahead of the time of the run then: what was left of phases that ended early.

    Attributes
    ----------
    clock : Clock
        Where the schedules stand.
    """

    def __init__(self, system: System, duration: float, begin: float = 0.0, ahead: float = 0.0) -> None:
        self._network = network = system.network
        self._end, self._ahead = duration, ahead
        duration += ahead
        self._names = {stimulus.name: k for k, stimulus in enumerate(network.stimuli) if stimulus.name is not None}
        self._due: dict[float, list[int]] = {}
        for number, event in enumerate(network.events):
            for time in event.when.times(network).tolist():
                self._due.setdefault(time, []).append(number)
        self._more: list[float] = []  # break points that events and delays make, by the time of the run
        # Where events move times, or signals jump, what delays make of a jump is known when it comes.
        moves = bool(network.events or system.jumps)
        self._sums = sums_of(system.delays, _SUMS) if system.delays and moves else np.zeros(0)
        edges = {stop for _, stop in segments(network, duration, () if moves else system.delays)}
        edges.update(time for time in self._due if 0.0 < time <= duration)
        if begin > 0.0 and system.delays and not moves:
            later = propagated(np.array([begin]), system.delays, duration)
            edges.update(later[later > begin].tolist())
        self._edges = sorted(edges)
        self._place = 0  # of the next one
        self._phases: list[float] = [] if network.protocol is None else network.protocol.edges.tolist()
        self._last = max([network.settled(), *self._due])
        self._duration = duration
        self.clock = system.clock()
        for time in {0.0, begin}:
            self.jumped(time)

    @property
    def length(self) -> float:
        """How long the run is to be."""
        return self._duration

    @property
    def over(self) -> bool:
        """Whether the end of the run was reached."""
        return self._place == len(self._edges)

    @property
    def pieces(self) -> int:
        """How many pieces are left, the present one among them."""
        return len(self._edges) - self._place + len(self._more)

    @property
    def stop(self) -> float:
        """When, by the time of the run, the integration has to be restarted next."""
        edge = self._next
        return min(edge, self._more[0]) if self._more else edge

    @property
    def _next(self) -> float:
        edge = self._edges[self._place]
        if edge == self._duration and self.clock.shift == self._ahead:
            return self._end  # without rounding
        return edge - self.clock.shift

    @property
    def settled(self) -> float:
        """The time of the run after which no schedule changes any more, and no event comes at a given time."""
        return max([self._last - self.clock.shift, *self._more])

    def reach(self, time: float) -> list[int]:
        """Note that the run has come to `time`; return the numbers of the events that were given this time."""
        while self._more and self._more[0] <= time:
            del self._more[0]
        due = []
        while not self.over and self._next <= time:
            due += self._due.get(self._edges[self._place], [])
            self.jumped(self._next)
            self._place += 1
        return due

    def jumped(self, time: float) -> None:
        """Note that something jumps at `time` of the run: delays bring it back (where there are events)."""
        if self._sums.size < 2:
            return
        later = time + self._sums[1:]
        later = later[later < self._duration - self.clock.shift]
        if later.size:
            known = np.array([*self._more, *self._edges[self._place :]])
            known[len(self._more) :] -= self.clock.shift
            new = np.abs(np.subtract.outer(later, known)).min(axis=1, initial=np.inf) > NEAR * self._duration
            self._more = sorted([*self._more, *later[new].tolist()])

    @property
    def first(self) -> list[int]:
        """The numbers of the events that were given the time 0."""
        return self._due.get(0.0, [])

    def switch(self, stimulus: str, on: bool) -> None:
        """Switch a stimulus on or off."""
        self.clock.on[self._names[stimulus]] = on

    def start(self, stimulus: str, time: float) -> None:
        """Let the schedule of a stimulus begin at `time` of the run."""
        number = self._names[stimulus]
        self.clock.on[number] = True
        self.clock.begun[number] = time
        left = self._duration - self.clock.shift - time
        if left > 0.0:
            breaks = time + self._network.stimuli[number].schedule.breaks(left)
            self._more = sorted({*self._more, *breaks[breaks > time].tolist()})

    def next_phase(self, time: float) -> list[int]:
        """Let the present phase end at `time` of the run; return the numbers of the events given that time."""
        edges = self._phases
        # What is as near to the end of a phase as rounding allows has reached it.
        k = bisect_right(edges, (time + self.clock.shift) * (1.0 + 1e-14))
        if k == len(edges):
            return []
        self.clock.shift = edges[k] - time
        due = []
        while not self.over and self._edges[self._place] <= edges[k]:
            here = self._edges[self._place]
            due += self._due.get(here, []) if here == edges[k] else []
            self._place += 1
        return due
