"""Run members with white noise, side by side in compiled code: the same steps as a run by itself makes.

Each member draws from a generator of its own, begun with its own seed, in the order in which a run by itself draws. So
what comes of a member depends on its seed alone, not on the members beside it nor on the number of threads.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_module, text_hash
from brnn.compiler.lanes import LANES
from brnn.ensemble.load import lane_function
from brnn.ensemble.run import Batch, Finished

__all__ = ["NoiseRules", "run_noisy"]

_STEPS = Path(__file__).parent / "noisy_steps.py"
_INTERNALS = Path(__file__).parents[1] / "compiler" / "numba_internals.py"
_NORMALS = 2**19  # normal numbers that are drawn at once for the lanes of a thread
_LEAST = 16  # steps at once


@dataclass(frozen=True)
class NoiseRules:
    """How the steps are made.

    Attributes
    ----------
    scheme : str
        "SRIW1" or "EulerMaruyama".
    steps : ndarray, shape (members,)
        The longest step of each member.
    seeds : ndarray of int, shape (members,)
        The seed of each member.
    """

    scheme: str
    steps: np.ndarray
    seeds: np.ndarray


@dataclass(frozen=True)
class _Pieces:
    """The pieces of runs between break points and saved times, one run after the other."""

    begins: np.ndarray
    steps: np.ndarray
    counts: np.ndarray
    segments: np.ndarray
    saved: np.ndarray


def run_noisy(
    ensemble: Batch,
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
    groups = [np.arange(start, min(start + LANES, members)) for start in range(0, members, LANES)]

    def group(some: np.ndarray) -> int:
        _run_lanes(ensemble, some, rules, times, result)
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


def _run_lanes(ensemble: Batch, some: np.ndarray, rules: NoiseRules, times: np.ndarray, result: Finished) -> None:
    """Take members to their ends, one in each lane."""
    layout = ensemble.layout
    assert layout.noise is not None
    drift, noise = lane_function(layout.text.source), lane_function(layout.noise.source)
    step = _kernel().noisy_steps
    size = ensemble.initial.shape[1]
    rows = ensemble.numbers.shape[1] + layout.array_rows.size + layout.segment_rows.size
    u, q = np.zeros(size * LANES), np.zeros(rows * LANES)
    work = np.zeros(max(1, layout.work) * LANES)
    scratch = np.zeros(max(layout.text.scratch, layout.noise.scratch) * LANES)
    room = np.zeros((_kernel().VECTORS + _kernel().LARGE * size) * LANES)
    state, numbers = u.reshape(size, LANES), q.reshape(rows, LANES)
    member = np.full(LANES, -1, np.int64)
    member[: some.size] = some
    for lane, m in enumerate(np.resize(some, LANES)):  # a lane without a member has the numbers of another
        state[:, lane] = ensemble.initial[m]
        numbers[: ensemble.numbers.shape[1], lane] = ensemble.numbers[m]
        numbers[layout.array_rows, lane] = ensemble.arrays[m if len(ensemble.arrays) > 1 else 0]
        numbers[layout.segment_rows, lane] = ensemble.segments[ensemble.first[m]]
    runs = [_pieces(ensemble, m, float(rules.steps[m]), times) for m in some.tolist()]
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
        going = step(
            drift, noise, layout.n, layout.whole, draws == 2, normals, table.begins, table.steps, table.counts,
            table.segments, table.saved, ensemble.segments, layout.segment_rows, member, piece, last, segment, inside,
            u, q, work, scratch, room, result.final, result.reached, result.codes, result.counts, result.trajectory,
        )  # fmt: skip


def _pieces(ensemble: Batch, m: int, step: float, times: np.ndarray) -> _Pieces:
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


@functools.cache
def _kernel() -> Any:
    """Return the module `noisy_steps`, compiled or from the cache of compiled code."""
    internals = text_hash(_INTERNALS.read_text(encoding="utf-8"))  # whose code is in that of the steps
    return load_module(f"{_STEPS.read_text(encoding='utf-8')}\n# with numba_internals {internals}\n")
