"""What figures need to know of a result, read in bounded memory: a file may hold far more than fits into it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from brnn.plot.pattern import shares
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network

__all__ = ["LayerView", "input_intervals", "input_pattern", "mixed"]

_TIMES_AT_MOST = 600  # points of a line; more cannot be seen
_FADED = 0.1  # part of the activity at input offset below which a layer has not stored it
_BLOCK = 16_000_000  # bytes that are read at once


@dataclass(frozen=True, eq=False)
class LayerView:
    """The recorded activities of one layer.

    Attributes
    ----------
    array : DataArray, dims (time, *layer axes)
        May lie on disk.
    layer : LayerLaw
        What the network says of it.
    network : Network
        The network.
    """

    array: Any
    layer: LayerLaw
    network: Network

    @property
    def name(self) -> str:
        """Name of the layer."""
        return self.layer.name

    @cached_property
    def all_times(self) -> np.ndarray:
        """Every saved time."""
        return np.asarray(self.array["time"].values, dtype=np.float64)

    @cached_property
    def rows(self) -> np.ndarray:
        """Indices of the saved times that are drawn: all, or 600 of them."""
        count = self.all_times.size
        return np.unique(np.linspace(0, count - 1, min(count, _TIMES_AT_MOST)).round().astype(int))

    @property
    def times(self) -> np.ndarray:
        """The times that are drawn."""
        return self.all_times[self.rows]

    @property
    def time_label(self) -> str:
        """Label of a time axis."""
        units = self.network.time_units
        return "time" if units == "1" else f"time ({units})"

    @property
    def label(self) -> str:
        """Label of an activity axis."""
        return "activity" if self.layer.units == "1" else f"potential ({self.layer.units})"

    def frame(self, index: int) -> np.ndarray:
        """Return the activities at one saved time, in the layer's shape."""
        return np.asarray(self.array.isel(time=index).values, dtype=np.float64)

    def frame_at(self, time: float) -> tuple[float, np.ndarray]:
        """Return the last saved time that is not after `time` (or the first), and the activities then."""
        index = max(int(np.searchsorted(self.all_times, time * (1 + 1e-12), side="right")) - 1, 0)
        return float(self.all_times[index]), self.frame(index)

    def activities(self) -> np.ndarray:
        """Return the activities at the times that are drawn, shape (times, cells)."""
        return np.concatenate(list(self._blocks()))

    @cached_property
    def summary(self) -> tuple[np.ndarray, np.ndarray]:
        """Totals, shape (times,), and smallest, quartiles and largest activity, shape (times, 5)."""
        totals, levels = [], []
        for block in self._blocks():
            totals.append(block.sum(axis=1))
            levels.append(np.percentile(block, [0, 25, 50, 75, 100], axis=1).T)
        return np.concatenate(totals), np.concatenate(levels)

    @cached_property
    def start(self) -> tuple[str, np.ndarray] | None:
        """What the layer was given, in its shape, and what that is called; None if nothing.

        The activities at the beginning; if there are none, its input; if it has none, the activities when the input
        of the network ends.
        """
        first = self.frame(0)
        if first.any():
            return "at the beginning", first
        given = input_pattern(self.network, self.layer)
        if given is not None:
            return "input", given
        end = self.network.settled()
        if 0.0 < end < self.all_times[-1]:
            held = self.frame_at(end)[1]
            if held.any():
                return "at input offset", held
        return None

    @cached_property
    def end(self) -> tuple[str, np.ndarray]:
        """What the layer held in the end, in its shape, and when.

        The last activities; those when the input of the network ends if hardly anything is left of them.
        """
        last = self.frame(self.all_times.size - 1)
        off = self.network.settled()
        if 0.0 < off < self.all_times[-1] and self.layer.units == "1":
            held = self.frame_at(off)[1]
            if np.abs(last).sum() < _FADED * np.abs(held).sum():
                return "at input offset", held
        return f"at t = {self.all_times[-1]:.4g}", last

    @cached_property
    def share(self) -> np.ndarray | None:
        """Shares of the cells in `start`, flat; None without it or if it has negative values."""
        return None if self.start is None or mixed(self.start[1]) else shares(self.start[1])

    def _blocks(self) -> Iterator[np.ndarray]:
        step = max(1, _BLOCK // (8 * self.layer.cells))
        for k in range(0, self.rows.size, step):
            values = np.asarray(self.array.isel(time=self.rows[k : k + step]).values, dtype=np.float64)
            yield values.reshape(len(values), -1)


def mixed(values: np.ndarray) -> bool:
    """Tell whether there are values below 0 that are more than a solver's error: then shares mean nothing."""
    return bool(values.min() < -1e-6 * np.abs(values).max())


def input_pattern(network: Network, layer: LayerLaw) -> np.ndarray | None:
    """Return the first excitatory input of a layer that is not zero, in its shape; None if there is none."""
    own = [s for s in network.stimuli if s.target == layer.name and s.kind == "excitatory"]
    if not own:
        return None
    length = network.duration if network.duration is not None else max(1.0, min(network.settled(), 1e6) * 2.0)
    edges = np.concatenate([[0.0], network.breaks(length)[:1000], [length]])
    for middle in 0.5 * (edges[1:] + edges[:-1]):
        total = sum((s.at(float(middle), layer.shape) for s in own), np.zeros(layer.shape))
        if total.any():
            return np.asarray(total)
    return None


def input_intervals(network: Network, end: float) -> list[tuple[float, float]]:
    """Return the intervals during which the network gets any input, at most 100; none if it never changes."""
    edges = np.concatenate([[0.0], network.breaks(end), [end]])
    if not network.stimuli or len(edges) == 2 or len(edges) > 1000:
        return []
    intervals: list[tuple[float, float]] = []
    for on, off in itertools.pairwise(edges):
        middle = 0.5 * float(on + off)
        if not any(s.at(middle, network.layer(s.target).shape).any() for s in network.stimuli):
            continue
        if intervals and intervals[-1][1] == on:
            intervals[-1] = (intervals[-1][0], float(off))
        else:
            intervals.append((float(on), float(off)))
    return intervals[:100]
