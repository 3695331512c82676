"""What a run watches: states that may cross a threshold, and on which side of it they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brnn.spec.events.triggers import Crossing, Event

__all__ = ["EPS", "NEAR", "Watch", "Watches"]

EPS = float(np.finfo(float).eps)
NEAR = 16.0 * EPS  # relative to the time: what crosses within it crosses together


@dataclass(eq=False)
class Watch:
    """One event that waits for crossings.

    Attributes
    ----------
    number : int
        Its place in the network's list.
    span : slice
        Where its cells (or the one total or maximum) are among those of all watches.
    armed : ndarray of bool
        Which of them are on the near side of the threshold, so that they can cross.
    spent : ndarray of bool
        Which have caused it and can do so only once.
    last : ndarray
        When each caused it last.
    """

    number: int
    event: Event
    when: Crossing
    place: slice

    def __post_init__(self) -> None:
        self.sign = 1.0 if self.when.direction == "rising" else -1.0
        self.size = self.place.stop - self.place.start if self.when.per == "cell" else 1
        self.span = slice(0, self.size)
        self.armed = np.zeros(self.size, dtype=bool)
        self.spent = np.zeros(self.size, dtype=bool)
        self.last = np.full(self.size, -np.inf)

    def quantity(self, u: np.ndarray) -> np.ndarray:
        """Return what is compared with the threshold: one number for each cell, or one."""
        values = u[self.place]
        if self.when.per == "total":
            return values.sum(keepdims=True)
        return values.max(keepdims=True) if self.when.per == "maximum" else values

    def beyond(self, u: np.ndarray) -> np.ndarray:
        """Return how far each is beyond the threshold: negative on the near side."""
        return self.sign * (self.quantity(u) - np.ravel(self.when.threshold))

    def beyond_at(self, states: np.ndarray) -> np.ndarray:
        """Return `beyond` of several states, the columns of an array, as its rows."""
        if self.when.per == "cell":
            return self.sign * (states[self.place].T - np.ravel(self.when.threshold))
        return np.array([self.beyond(state) for state in states.T])

    def rate(self, u: np.ndarray, du: np.ndarray) -> np.ndarray:
        """Return the time derivative of `beyond`."""
        values = du[self.place]
        if self.when.per == "total":
            return self.sign * values.sum(keepdims=True)
        if self.when.per == "maximum":
            return self.sign * values[[int(np.argmax(u[self.place]))]]
        return self.sign * values

    def may(self, cells: np.ndarray, time: float, of_schedules: float) -> np.ndarray:
        """Return those of the `cells` that may cause the event at this time."""
        if self.event.schedule is not None:
            segment = self.event.schedule.segment(of_schedules, np.ones(()))
            if not np.any(segment.base):
                return cells[:0]
        free = ~self.spent[cells] & (time - self.last[cells] >= self.event.refractory * (1.0 - 1e-12))
        return cells[free]

    def crossing_cells(self, cells: np.ndarray, u: np.ndarray) -> np.ndarray:
        """Return the indices of the layer's cells that stand for `cells`: none for the total."""
        if self.when.per == "total":
            return cells[:0]
        return cells if self.when.per == "cell" else np.array([int(np.argmax(u[self.place]))])


class Watches:
    """All watches together: what is asked of every step is asked of all of them in one go.

    Attributes
    ----------
    each : tuple of Watch
        The watches.
    armed, last : ndarray
        Those of all watches, which share their memory.
    """

    def __init__(self, watches: Sequence[Watch]) -> None:
        self.each = tuple(watches)
        edges = np.cumsum([0, *(watch.size for watch in watches)]).tolist()
        self.armed, self.last = np.zeros(edges[-1], dtype=bool), np.full(edges[-1], -np.inf)
        self._signs, self._thresholds = np.empty(edges[-1]), np.empty(edges[-1])
        self._states = np.zeros(edges[-1], dtype=np.int64)  # the unknown of each cell
        self._others: list[Watch] = []  # of a total or a maximum
        for watch, first, last in zip(watches, edges, edges[1:], strict=False):
            watch.span = slice(first, last)
            watch.armed, watch.last = self.armed[watch.span], self.last[watch.span]
            self._signs[watch.span], self._thresholds[watch.span] = watch.sign, np.ravel(watch.when.threshold)
            if watch.when.per == "cell":
                self._states[watch.span] = np.arange(watch.place.start, watch.place.stop)
            else:
                self._others.append(watch)

    def table(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return all of it for compiled steps: states and kinds, signs and thresholds, and which are armed now."""
        spans = np.stack([self._states, self._states + 1, np.zeros_like(self._states)], axis=1)
        for watch in self._others:
            spans[watch.span] = watch.place.start, watch.place.stop, 1 if watch.when.per == "total" else 2
        return spans, np.stack([self._signs, self._thresholds], axis=1), self.armed.view(np.uint8)

    def beyond(self, u: np.ndarray) -> np.ndarray:
        """Return how far each is beyond its threshold (see `Watch.beyond`)."""
        values = self._signs * (u[self._states] - self._thresholds)
        for watch in self._others:
            values[watch.span] = watch.beyond(u)
        return values

    def rate(self, u: np.ndarray, du: np.ndarray) -> np.ndarray:
        """Return the time derivative of `beyond`."""
        values = self._signs * du[self._states]
        for watch in self._others:
            values[watch.span] = watch.rate(u, du)
        return values

    def arm(self, time: float, beyond: np.ndarray) -> None:
        """Let what came back to the near side of its threshold cross it again."""
        # Just after a crossing rounding may put a cell on either side.
        self.armed |= (time - self.last > 4.0 * NEAR * time) & (beyond < 0.0)
