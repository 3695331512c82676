"""What a STORE working memory (41), (42) holds after each item of a list: `brnn.theory.store`, on a Network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.signals import Linear
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import store
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases

__all__ = ["remembered_list", "store_pair"]

_STORE = "a STORE working memory (41), (42)"
_SOURCE = "Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480; review, (40)-(42)"
_LAWS = {  # A, B, C, E, F, rest, gain
    "store": (0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0),
    "trace": (1.0, 1.0, 0.0, 0.0, 1.0, 1.0, -1.0),
}


@dataclass(frozen=True, eq=False)
class _List:
    """The items of a list: inputs A_j, cells, when each is on, and when the silence after it ends."""

    inputs: np.ndarray
    cells: np.ndarray
    intervals: np.ndarray
    ends: np.ndarray


def remembered_list(network: Network) -> list[Prediction] | Unmet:
    """Give what every cell holds after each item, the gradient that is left, and the totals."""
    pair = store_pair(network)
    if isinstance(pair, Unmet):
        return pair
    first, trace = pair
    items = _items(network, first.name, trace.name)
    if isinstance(items, Unmet):
        return items
    durations = items.intervals[:, 1] - items.intervals[:, 0]
    gaps = items.ends - items.intervals[:, 1]
    held, _ = store.presented(1.0, len(durations), durations, gaps, items.inputs, items.cells, first.cells)
    totals, last = held.sum(axis=1), held[-1]
    shown = np.unique(items.cells)
    once = shown.size == items.cells.size
    words = f"after the last of {len(durations)} items {pattern_in_words(last[items.cells] if once else last)}"
    found = [
        Prediction(
            f"{first.name}.x after each item",
            held,
            words,
            "nothing but the list arrives; silence before it",
            _SOURCE,
            details={"totals": totals},
            _measure=lambda result: _after(result, f"{first.name}.x", items),
        )
    ]
    if once and len(durations) > 1:
        at = last[items.cells]
        low = int(np.argmin(at))
        kind = "recency" if low == 0 else "primacy" if low == at.size - 1 else "bow"
        found.append(
            Prediction(
                "position of the weakest item",
                low + 1,
                f"{low + 1} of {at.size}: {kind}",
                "each item has a cell of its own",
                _SOURCE,
                details={"gradient": kind},
                kind="count",
                _measure=lambda result: int(np.argmin(_after(result, f"{first.name}.x", items)[-1][items.cells])) + 1,
            )
        )
    return found


def store_pair(network: Network, routed: Projection | None = None) -> tuple[GatedLayer, GatedLayer] | Unmet:
    """Return the layers (41) and (42) of a network with these and nothing that acts on them, `routed` aside."""
    layers = {}
    for kind, numbers in _LAWS.items():
        found = [
            layer
            for layer in network.layers
            if isinstance(layer, GatedLayer)
            and all(np.all(np.asarray(getattr(layer, n)) == v) for n, v in zip(layer.parameters, numbers, strict=True))
        ]
        if len(found) != 1:
            return Unmet(_STORE, f"one layer of the law ({41 if kind == 'store' else 42})")
        layers[kind] = found[0]
    first, trace = layers["store"], layers["trace"]
    wanted = {
        (first.name, first.name, "inhibitory"): AllToAll,
        (trace.name, first.name, "excitatory"): OneToOne,
        (first.name, trace.name, "excitatory"): OneToOne,
    }
    for link in network.projections:
        if link.target in (first.name, trace.name) and link is not routed:
            topology = wanted.pop((link.source, link.target, link.kind), None)
            if topology is None or not _is_unit_weight(link, topology):
                return Unmet(_STORE, f"the three projections of (41) and (42) and no others ({link.label})")
    if wanted:
        return Unmet(_STORE, "the three projections of (41) and (42)")
    if np.any(first.initial) or np.any(trace.initial):
        return Unmet(_STORE, "nothing stored at first")
    return first, trace


def _is_unit_weight(link: Projection, topology: type) -> bool:
    return (
        isinstance(link.topology, topology)
        and getattr(link.topology, "weight", None) == 1.0
        and link.signal == Linear()
        and link.plain
    )


def _items(network: Network, first: str, trace: str) -> _List | Unmet:
    """Read the list off the inputs: one cell at a time, and I = 1 while one is on."""
    stimuli = [s for s in network.stimuli if s.target in (first, trace)]
    if any(s.schedule.varying or s.schedule.white or s.name is not None for s in stimuli):
        return Unmet(_STORE, "a list whose times are known")
    inputs, cells, intervals, ends = [], [], [], []
    for phase in constant_phases(network):
        exc = phase.inputs[first, "excitatory"].ravel()
        on = {float(v) for name in (first, trace) for v in np.unique(phase.inputs[name, "modulatory"])}
        if phase.inputs[first, "inhibitory"].any() or phase.inputs[trace, "excitatory"].any() or len(on) != 1:
            return Unmet(_STORE, "no other inputs than the list and its total I")
        if exc.any():
            if np.count_nonzero(exc) != 1 or on != {1.0}:
                return Unmet(_STORE, "one item at a time, and I = 1 while it is on")
            inputs.append(float(exc.max()))
            cells.append(int(np.argmax(exc)))
            intervals.append((phase.start, phase.stop))
            ends.append(phase.stop)
        elif on != {0.0}:
            return Unmet(_STORE, "I = 0 while no item is on")
        elif ends:
            ends[-1] = phase.stop
    if not inputs:
        return Unmet(_STORE, "a list of items")
    return _List(np.array(inputs), np.array(cells), np.array(intervals), np.array(ends))


def _after(result: Any, name: str, items: _List) -> np.ndarray:
    """Return what is held in the silence after each item, in which nothing changes."""
    rows = []
    for (_, off), end in zip(items.intervals, items.ends, strict=True):
        if not off < end:
            raise NotMeasured(f"{name}: no silence after an item")
        array: Any = result[name]
        times = np.asarray(array["time"].values)
        inside = np.flatnonzero((times >= off) & (times <= end))
        if not inside.size:
            raise NotMeasured(f"{name}: no saved time between {off:g} and {end:g}")
        rows.append(np.asarray(array.values[inside[-1]]).ravel())
    return np.array(rows)
