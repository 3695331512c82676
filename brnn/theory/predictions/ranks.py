"""Where a list goes whose items may come again, in a STORE memory behind cells that count (Item-Order-Rank).

    du/dt = v (-u + I + first + before s - own s),  c(u) A to the store,  s = 1 where the trace of a cell is there

While an item is on the trace stands still, so that u settles, and one cell of the store gets the input A, if c(u) is 1
there and 0 at all others. Then the store holds what it holds of a list of as many different items (41), (42).
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any

import numpy as np

from brnn.signals import ThresholdLinear
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import store
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases
from brnn.theory.predictions.lists import store_pair
from brnn.theory.predictions.measuring import saved

__all__ = ["ranked_list"]

_RANKS = "a working memory for lists behind cells that count (Item-Order-Rank)"
_SOURCE = (
    "Bradski, Carpenter and Grossberg (1994); Silver and others (2012), Neural Netw. 26, 29-58; review, (41), (42)"
)
_SETTLED = 1e-6  # relative; what pulses and gaps that are too short leave


def ranked_list(network: Network) -> list[Prediction] | Unmet:
    """Give the cell of each presentation, and what all cells hold after it."""
    routed: Any = [p for p in network.projections if isinstance(p.signal, ThresholdLinear) and p.plain
                   and isinstance(p.topology, OneToOne) and p.kind == "excitatory"]  # fmt: skip
    if len(network.layers) != 3 or len(routed) != 1:
        return Unmet(_RANKS, "one layer that counts before the store")
    pair = store_pair(network, routed[0])
    if isinstance(pair, Unmet):
        return Unmet(_RANKS, pair.hypothesis)
    first, trace = pair
    route: Any = network.layer(routed[0].source)
    counted = [p for p in network.projections if p.target == route.name]
    if routed[0].target != first.name or type(route) is not Layer or not route.accepts_signed_input():
        return Unmet(_RANKS, "additive cells that count, one for each cell of the store")
    if any(p.source != trace.name or not p.plain or not isinstance(p.signal, ThresholdLinear) for p in counted):
        return Unmet(_RANKS, "cells that count what the traces say is there, and nothing else")
    v, signal = float(np.max(route.A)), routed[0].signal
    taken = max((p.signal.threshold + p.signal.ceiling for p in counted), default=0.0)  # type: ignore[attr-defined]
    W = [
        (p, p.topology.strengths(trace.shape, route.shape) * (1.0 if p.kind == "excitatory" else -1.0)) for p in counted
    ]
    held, rows, cells, intervals = np.zeros(first.cells), [], [], []
    A = signal.gain * signal.ceiling * float(np.max(routed[0].topology.weight))
    for phase in constant_phases(network):
        if any(
            phase.inputs[name, kind].any() for name in (first.name, trace.name) for kind in ("excitatory", "inhibitory")
        ):
            return Unmet(_RANKS, "no inputs of the store but those that are counted")
        on = {float(x) for name in (first.name, trace.name) for x in np.unique(phase.inputs[name, "modulatory"])}
        if on not in ({0.0}, {1.0}):
            return Unmet(_RANKS, "I = 1 while an item is on, else 0")
        if on == {0.0}:
            continue
        if (held > 0.0).any() and held[held > 0.0].min() < taken:
            return Unmet(
                _RANKS, f"items stored above {taken:.3g}, from which they count (one is {held[held > 0.0].min():.3g})"
            )
        u = (phase.inputs[route.name, "excitatory"] - phase.inputs[route.name, "inhibitory"]).ravel()
        u = (u + sum((weights @ np.asarray(p.signal(held)) for p, weights in W), np.zeros(route.cells))) / v
        arriving = np.asarray(signal(u))
        if np.count_nonzero(arriving) != 1 or arriving.max() < signal.gain * signal.ceiling * (1.0 - 1e-9):
            return Unmet(
                _RANKS, f"one cell for each presentation ({np.count_nonzero(arriving)} at t = {phase.start:g})"
            )
        cells.append(int(arriving.argmax()))
        intervals.append((phase.start, phase.stop))
        held = store.history(A, len(cells), items=cells, cells=first.cells)[-1]
        rows.append(held)
    if not rows:
        return Unmet(_RANKS, "a list of items")
    edges = np.array([*intervals, (network.duration or intervals[-1][1], 0.0)])
    short = _short(A, np.diff(edges[:-1], axis=1).ravel() - 3.0 / v, edges[1:, 0] - edges[:-1, 1])
    if short is not None:
        return short
    places = [tuple(int(k) for k in np.unravel_index(cell, first.shape)) for cell in cells]
    made = partial(Prediction, hypothesis="pulses and gaps that last until all has settled", source=_SOURCE)
    return [
        made(
            f"{trace.name}.x after each item",
            np.array(rows),
            f"cells (item, rank) {' '.join(str(place) for place in places[:12])}{' ...' if len(places) > 12 else ''}",
            details={"cells": places},
            tolerance=1e-5,
            _measure=partial(_silent, name=f"{trace.name}.x", intervals=edges),
        )
    ]


def _short(A: float, durations: np.ndarray, gaps: np.ndarray) -> Unmet | None:
    needed = np.broadcast_to(store.needed_duration(A, durations.size, _SETTLED), durations.shape)
    quiet = np.broadcast_to(store.needed_gap(A, durations.size, _SETTLED), gaps.shape)
    for have, need, what in ((durations, needed, "pulses"), (gaps, quiet, "gaps")):
        if (have < need).any():
            k = int(np.argmax(need - have))
            return Unmet(_RANKS, f"{what} that are long enough (one settles in {need[k]:.4g} and has {have[k]:.4g})")
    return None


def _silent(result: Any, name: str, intervals: np.ndarray) -> np.ndarray:
    """Return what is held at the end of the gap after each item."""
    times, values = saved(result, name, None)
    rows = []
    for (_, off), (following, _) in itertools.pairwise(intervals):
        late = off + 0.8 * (following - off)
        inside = np.flatnonzero((times >= late) & (times <= following))
        if not inside.size:
            raise NotMeasured(f"{name}: no saved time at the end of the gap t = {off:g} ... {following:g}")
        rows.append(np.asarray(values[inside[-1]]).ravel())
    return np.array(rows)
