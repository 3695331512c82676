"""Run members with white noise, side by side in compiled code: the same steps as a run by itself makes.

Each member draws from a generator of its own, begun with its own seed, in the order in which a run by itself draws. So
what comes of a member depends on its seed alone, not on the members beside it nor on the number of threads.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.lanes import LANES
from brnn.ensemble.load import integrator, lane_function
from brnn.ensemble.run import Ensemble, Finished

__all__ = ["NoiseRules", "default_step", "fastest_rates", "run_noisy"]

_NORMALS = 2**19  # normal numbers that are drawn at once for the lanes of a thread
_LEAST = 16  # steps at once
_OF_A_RUN = 10_000  # steps of a run at least, if the user asks for none,
_OF_A_RATE = 0.1  # and no step is longer than this part of the shortest time constant
_LOOKED_AT = 16  # segments whose rates are looked at
_POWERS = 10  # of the Jacobian, which show its largest eigenvalue
_DIFFERENCE = 1e-6  # of the largest activity
_Lanes = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 8)


@dataclass(frozen=True)
class NoiseRules:
    """How the steps are made.

    Attributes
    ----------
    scheme : str
        "SRIW1" or "EulerMaruyama".
    steps : ndarray, shape (members,), or None
        The longest step of each member; by default what `default_step` says of its duration and its rates. None is
        longer than a part of the period of an input.
    seeds : ndarray of int, shape (members,)
        The seed of each member.
    """

    scheme: str
    steps: np.ndarray | None
    seeds: np.ndarray


def default_step(duration: float, rate: float) -> float:
    """Return the longest step of a run whose fastest rate is `rate`, if the user asks for none."""
    step = duration / _OF_A_RUN
    return min(step, _OF_A_RATE / rate) if rate > 0.0 else step


@dataclass(frozen=True)
class _Pieces:
    """The pieces of runs between break points and saved times, one run after the other."""

    begins: np.ndarray
    steps: np.ndarray
    counts: np.ndarray
    segments: np.ndarray
    saved: np.ndarray


def run_noisy(
    ensemble: Ensemble,
    rules: NoiseRules,
    *,
    times: np.ndarray | None = None,
    threads: int | None = None,
    done: Callable[[int], None] | None = None,
) -> Finished:
    """Take every member of an ensemble with white noise to its end; the arguments are those of `run_ensemble`."""
    members, size = ensemble.initial.shape
    times = np.zeros(0) if times is None else np.ascontiguousarray(times, dtype=np.float64)
    result = Finished(
        np.empty((members, size)),
        ensemble.stops[ensemble.first[1:] - 1].copy(),
        np.zeros(members, np.int64),
        np.zeros((members, 3), np.int64),
        np.full((members, times.size, size), np.nan),
    )
    if times.size and times[0] == 0.0:
        result.trajectory[:, 0] = ensemble.initial
    drift = lane_function(ensemble.layout.text.source)
    assert ensemble.layout.noise is not None
    noise, kernel = lane_function(ensemble.layout.noise.source), integrator("noisy_steps")
    groups = [np.arange(start, min(start + LANES, members)) for start in range(0, members, LANES)]

    def group(some: np.ndarray) -> int:
        _run_lanes(ensemble, some, rules, times, result, drift.address, noise.address, kernel)
        return some.size

    threads = min(threads or os.cpu_count() or 1, len(groups))
    if threads == 1:
        for some in groups:
            count = group(some)
            if done is not None:
                done(count)
        return result
    with ThreadPoolExecutor(threads) as pool:
        for count in pool.map(group, groups):
            if done is not None:
                done(count)
    return result


def fastest_rates(ensemble: Ensemble, some: np.ndarray) -> np.ndarray:
    """Return about the fastest rate of each of so many members as there are lanes at most, at their first states."""
    layout, lanes = ensemble.layout, _filled(ensemble, some)
    compiled = lane_function(layout.text.source)
    function = _Lanes(compiled.address)
    first, ends = ensemble.first[some], ensemble.first[some + 1]
    edges = np.concatenate([np.zeros(1), ensemble.stops])
    fastest = np.zeros(some.size)
    scale = np.abs(lanes.u).max(axis=0)
    small = _DIFFERENCE * np.where(scale > 0.0, scale, 1.0)
    for part in np.linspace(0.0, 1.0, min(_LOOKED_AT, int((ends - first).max()))):
        segment = first + np.rint(part * (ends - first - 1)).astype(np.int64)
        lanes.q[layout.segment_rows[:, None], np.arange(some.size)] = ensemble.segments[segment].T
        start = np.where(segment == first, 0.0, edges[segment])
        time = np.zeros(LANES)
        time[: some.size] = 0.5 * (start + ensemble.stops[segment])

        def drift(u: np.ndarray, time: np.ndarray = time) -> np.ndarray:
            du = np.zeros_like(u)
            given = (time, u, du, layout.n, lanes.q, lanes.work, lanes.scratch, layout.whole)
            function(*(array.ctypes.data for array in given))
            return du

        here = drift(lanes.u)
        v = np.repeat(np.random.default_rng(0).standard_normal((len(lanes.u), 1)), LANES, axis=1)
        rate = np.zeros(LANES)
        with np.errstate(all="ignore"):
            for _ in range(_POWERS):
                v = np.ascontiguousarray(v / np.maximum(np.linalg.norm(v, axis=0), np.finfo(float).tiny))
                v = (drift(lanes.u + small * v) - here) / small
                rate = np.linalg.norm(v, axis=0)
        fastest = np.fmax(fastest, np.where(np.isfinite(rate), rate, 0.0)[: some.size])
    return fastest


@dataclass(frozen=True)
class _Filled:
    """The states and numbers of members, one in each lane."""

    u: np.ndarray
    q: np.ndarray
    work: np.ndarray
    scratch: np.ndarray


def _filled(ensemble: Ensemble, some: np.ndarray) -> _Filled:
    """Fill the lanes with members; a lane without one has the numbers of another."""
    layout = ensemble.layout
    size, numbers = ensemble.initial.shape[1], ensemble.numbers.shape[1]
    u = np.zeros((size, LANES))
    q = np.zeros((numbers + layout.array_rows.size + layout.segment_rows.size, LANES))
    for lane, m in enumerate(np.resize(some, LANES)):
        u[:, lane] = ensemble.initial[m]
        q[:numbers, lane] = ensemble.numbers[m]
        q[layout.array_rows, lane] = ensemble.arrays[m if len(ensemble.arrays) > 1 else 0]
        q[layout.segment_rows, lane] = ensemble.segments[ensemble.first[m]]
    scratch = max(text.scratch for text in (layout.text, layout.noise) if text is not None)
    return _Filled(u, q, np.zeros(max(1, layout.work) * LANES), np.zeros(scratch * LANES))


def _run_lanes(
    ensemble: Ensemble,
    some: np.ndarray,
    rules: NoiseRules,
    times: np.ndarray,
    result: Finished,
    drift: int,
    noise: int,
    kernel: Any,
) -> None:
    """Take members to their ends, one in each lane."""
    layout, size = ensemble.layout, ensemble.initial.shape[1]
    lanes = _filled(ensemble, some)
    u, q = lanes.u.ravel(), lanes.q.ravel()
    room = np.zeros((kernel.VECTORS + kernel.LARGE * size) * LANES)
    if rules.steps is None:
        lengths = ensemble.stops[ensemble.first[some + 1] - 1].tolist()
        longest = [default_step(*each) for each in zip(lengths, fastest_rates(ensemble, some).tolist(), strict=True)]
    else:
        longest = rules.steps[some].tolist()
    longest = np.minimum(longest, ensemble.longest[some]).tolist()
    member = np.full(LANES, -1, np.int64)
    member[: some.size] = some
    runs = [_pieces(ensemble, m, step, times) for m, step in zip(some.tolist(), longest, strict=True)]
    ends = np.cumsum([0, *(run.begins.size for run in runs)])
    table = _Pieces(*(np.concatenate([getattr(run, name) for run in runs]) for name in _Pieces.__annotations__))
    piece, last = np.zeros(LANES, np.int64), np.zeros(LANES, np.int64)
    piece[: some.size], last[: some.size] = ends[:-1], ends[1:]
    inside, segment = np.zeros(LANES, np.int64), np.full(LANES, -1, np.int64)
    draws = 2 if rules.scheme == "SRIW1" else 1
    length = max(int(run.counts.sum()) for run in runs)
    normals = np.zeros((LANES, min(length, max(_LEAST, _NORMALS // (LANES * draws * size))), draws, size))
    generators = [np.random.default_rng(int(seed)) for seed in rules.seeds[some]]
    going = some.size
    while going:
        for lane, generator in enumerate(generators):
            if member[lane] >= 0:
                generator.standard_normal(out=normals[lane])
        going = kernel.noisy_steps(
            drift, noise, layout.n, layout.whole, draws == 2, normals, table.begins, table.steps, table.counts,
            table.segments, table.saved, ensemble.segments, layout.segment_rows, member, piece, last, segment, inside,
            u, q, lanes.work, lanes.scratch, room, result.final, result.reached, result.codes, result.counts,
            result.trajectory,
        )  # fmt: skip


def _pieces(ensemble: Ensemble, m: int, step: float, times: np.ndarray) -> _Pieces:
    """Return the pieces of a member: each is divided into equal steps, none longer than `step`."""
    first, end = ensemble.first[m], ensemble.first[m + 1]
    stops = ensemble.stops[first:end]
    ends = np.union1d(stops, times[(times > 0.0) & (times < stops[-1])])
    begins = np.concatenate([[0.0], ends[:-1]])
    counts = np.maximum(1, np.ceil((ends - begins) / step * (1 - 1e-12))).astype(np.int64)
    saved = np.full(ends.size, -1, np.int64)
    place = np.searchsorted(times, ends)
    known = place < times.size
    known[known] = times[place[known]] == ends[known]
    saved[known] = place[known]
    return _Pieces(begins, (ends - begins) / counts, counts, first + np.searchsorted(stops, ends), saved)
