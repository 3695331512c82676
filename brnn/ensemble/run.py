"""Run members that have one layout, over several threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.lanes import LANES
from brnn.ensemble.arrays import EnsembleLayout, Member
from brnn.ensemble.cells import CellSteps
from brnn.ensemble.load import integrator, lane_function, rule_of_rest
from brnn.ensemble.status import FAILURES, OF_CODE

__all__ = ["Ensemble", "Finished", "lane_memory", "run_ensemble"]

_BLOCK_MEMBERS = 512  # that one thread takes at once
_ENDLESS = 2**62


@dataclass(frozen=True)
class Ensemble:
    """Members that run side by side: their numbers, in the places of one layout.

    Attributes
    ----------
    layout : EnsembleLayout
        Where they go.
    initial : ndarray, shape (members, size)
        States at time 0.
    numbers : ndarray, shape (members, numbers)
        Numbers.
    arrays : ndarray, shape (members or 1, values)
        Constant arrays; one row if all members have the same.
    first : ndarray, shape (members + 1,)
        Where the segments of each member begin.
    stops : ndarray, shape (segments,)
        Where they end.
    segments : ndarray, shape (segments, values)
        What changes from one to the next.
    settled : ndarray, shape (members,)
        The time after which no stimulus changes any more.
    longest : ndarray, shape (members,)
        No step is longer.
    """

    layout: EnsembleLayout
    initial: np.ndarray
    numbers: np.ndarray
    arrays: np.ndarray
    first: np.ndarray
    stops: np.ndarray
    segments: np.ndarray
    settled: np.ndarray
    longest: np.ndarray

    @classmethod
    def of(cls, members: Sequence[Member]) -> Ensemble:
        """Return members with one layout."""
        counts = np.array([0, *(member.stops.size for member in members)])
        parts = members[0].arrays
        alike = all(
            all(a is b or np.array_equal(a, b) for a, b in zip(member.arrays, parts, strict=True)) for member in members
        )
        rows = [np.concatenate([np.zeros(0), *member.arrays]) for member in (members[:1] if alike else members)]
        arrays = np.array(rows)
        return cls(
            members[0].layout,
            np.array([member.initial for member in members]),
            np.array([member.numbers for member in members]).reshape(len(members), -1),
            arrays,
            np.cumsum(counts).astype(np.int64),
            np.concatenate([member.stops for member in members]),
            np.concatenate([member.segments for member in members]),
            np.array([member.settled for member in members], dtype=np.float64),
            np.array([member.longest for member in members], dtype=np.float64),
        )

    @classmethod
    def together(cls, member: Member, members: int) -> Ensemble:
        """Return so many members that differ only in the numbers of `member.columns`."""
        numbers = np.tile(member.numbers, (members, 1))
        for place, values in member.columns.items():
            numbers[:, place] = values
        pieces = member.stops.size
        return cls(
            member.layout,
            np.tile(member.initial, (members, 1)),
            numbers,
            np.concatenate([np.zeros(0), *member.arrays])[None],
            np.arange(0, (members + 1) * pieces, pieces, dtype=np.int64),
            np.tile(member.stops, members),
            np.tile(member.segments, (members, 1)),
            np.full(members, member.settled, dtype=np.float64),
            np.full(members, member.longest, dtype=np.float64),
        )

    @property
    def members(self) -> int:
        """How many members there are."""
        return len(self.initial)

    def part(self, start: int, stop: int) -> Ensemble:
        """Return the members `start` .. `stop` - 1, without copying their numbers."""
        own, first = slice(start, stop), self.first[start : stop + 1]
        arrays, pieces = self.arrays if len(self.arrays) == 1 else self.arrays[own], slice(first[0], first[-1])
        return Ensemble(
            self.layout, self.initial[own], self.numbers[own], arrays, first - first[0], self.stops[pieces],
            self.segments[pieces], self.settled[own], self.longest[own],
        )  # fmt: skip

    @property
    def fixed(self) -> tuple[Any, ...]:
        """What the lane function needs besides the numbers of members, as `run_members` takes it."""
        layout = self.layout
        return layout.n, layout.whole, layout.work, layout.text.scratch

    @property
    def given(self) -> tuple[Any, ...]:
        """The numbers of the members, as `run_members` takes them."""
        layout = self.layout
        return (
            self.initial, self.first, self.stops, self.numbers, self.arrays, self.segments, layout.array_rows,
            layout.segment_rows, self.settled, self.longest,
        )  # fmt: skip


@dataclass(frozen=True)
class Finished:
    """What an ensemble came to.

    Attributes
    ----------
    final : ndarray, shape (members, size)
        The last states.
    reached : ndarray, shape (members,)
        Their times.
    codes : ndarray of int, shape (members,)
        How they ended, as the kernels say it; `status` and `failure` say it as the rest of brnn does.
    counts : ndarray of int, shape (members, 3)
        Steps, evaluations, Jacobians.
    trajectory : ndarray, shape (members, times, size)
        The states at the saved times; NaN after a member came to rest or failed.
    """

    final: np.ndarray
    reached: np.ndarray
    codes: np.ndarray
    counts: np.ndarray
    trajectory: np.ndarray

    @property
    def status(self) -> np.ndarray:
        """How the members ended: COMPLETE, STEADY or FAILED of `brnn.ensemble.status`."""
        return np.array(OF_CODE)[self.codes]

    def failure(self, member: int) -> str:
        """Return in words why a member failed; "" if it did not."""
        return FAILURES[self.codes[member]]


def run_ensemble(
    ensemble: Ensemble,
    *,
    rtol: float,
    atol: float,
    times: np.ndarray | None = None,
    until_steady: bool = False,
    threads: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Finished:
    """Integrate every member of an ensemble.

    Parameters
    ----------
    ensemble : Ensemble
        The members.
    rtol, atol : float
        Tolerances of every unknown.
    times : ndarray, optional
        Times to save.
    until_steady : bool
        Whether members stop at rest.
    threads : int, optional
        How many threads; as many as there are processors by default. The results do not depend on it.
    done : callable, optional
        Told how many members have been finished, each time some have.
    """
    function, run_members = lane_function(ensemble.layout.text.source), integrator("run").run_members
    members, size = ensemble.initial.shape
    times = np.zeros(0) if times is None else np.ascontiguousarray(times, dtype=np.float64)
    result = Finished(
        np.empty((members, size)),  # every member writes its own
        np.zeros(members),
        np.zeros(members, np.int64),
        np.zeros((members, 3), np.int64),
        np.full((members, times.size, size), np.nan),
    )
    fixed = (function.address, *ensemble.fixed)
    rules = (
        times,
        0,
        rtol,
        atol,
        rule_of_rest() if until_steady else 0,
        ensemble.layout.varying,
        ensemble.layout.sides,
    )

    steps = CellSteps(ensemble.layout)

    def block(start: int, stop: int) -> int:
        results = (result.final, result.reached, result.codes, result.counts, result.trajectory[start:stop])
        given, memory = (*ensemble.given, *rules, *results), lane_memory(ensemble)
        if run_members(*fixed, start, stop, False, _ENDLESS, *given, *memory, *steps.begin()):
            run_members(*fixed, start, stop, True, _ENDLESS, *given, *memory, *steps.known())
        return stop - start

    threads = threads or os.cpu_count() or 1
    edges = list(_blocks(members, threads)) if threads > 1 or done is not None else [(0, members)]
    if len(edges) == 1:
        count = block(*edges[0])
        if done is not None:
            done(count)
        return result
    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(lambda edge: block(*edge), edges):
            if done is not None:
                done(count)
    return result


def lane_memory(ensemble: Ensemble) -> tuple[np.ndarray, np.ndarray]:
    """Return arrays for everything that the lanes of one thread remember."""
    layout = ensemble.layout
    numbers = ensemble.numbers.shape[1] + layout.array_rows.size + layout.segment_rows.size
    memory = integrator("state").lane_memory
    arrays: tuple[np.ndarray, np.ndarray] = memory(ensemble.initial.shape[1], numbers, layout.work, layout.text.scratch)
    return arrays


def _blocks(members: int, threads: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of members that threads take: several for each, so that none waits long for another."""
    size = min(_BLOCK_MEMBERS, max(LANES, -(-members // (4 * threads))))
    for start in range(0, members, size):
        yield start, min(start + size, members)
