"""What figures need to know of a result, read in bounded memory: a file may hold far more than fits into it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from brnn.base.data import Spec
from brnn.base.memory import rows_at_once
from brnn.base.plain import made_spec
from brnn.errors import SpecError
from brnn.result.result import Result, UnknownClass
from brnn.spec.layers import Layer, LayerLaw
from brnn.spec.network import Network

__all__ = ["View", "drawn_network", "input_intervals", "input_pattern", "mixed", "settling", "shares"]

_TIMES_AT_MOST = 600  # points of a line; more cannot be seen
_FADED = 0.1  # part of the activity at input offset below which a layer has not stored it


_NOUNS = {"x": ("activity", "activities"), "y": ("gate y", "gates"), "z": ("weight z", "weights")}


@dataclass(frozen=True, eq=False)
class View:
    """One recorded variable: the activities of a layer, or the gates or weights of a projection.

    Attributes
    ----------
    name : str
        ``"<layer>.x"``, ``"<projection>.y"`` or ``"<projection>.z"``.
    array : DataArray, dims (time, *axes)
        May lie on disk.
    network : Network
        The network that was run.
    """

    name: str
    array: Any
    network: Network

    @property
    def group(self) -> str:
        """Name of the layer or projection."""
        return self.name.rpartition(".")[0]

    @property
    def layer(self) -> LayerLaw | None:
        """The layer whose activities these are; None for gates and weights."""
        return self.network.layer(self.group) if self.name.endswith(".x") else None

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape at one time."""
        return tuple(self.array.shape[1:])

    @property
    def cells(self) -> int:
        """Number of elements at one time."""
        return math.prod(self.shape)

    @property
    def units(self) -> str:
        """Unit of the values; "1" for none."""
        return str(self.array.attrs.get("units", "1"))

    @property
    def adds_up(self) -> bool:
        """Whether sums over the cells and shares of them mean something: not for potentials, gates and weights."""
        return self.layer is not None and self.units == "1"

    @property
    def noun(self) -> str:
        """What the values are called, in the plural."""
        return "potentials" if self.units != "1" and self.layer is not None else _NOUNS[self.name[-1]][1]

    @property
    def label(self) -> str:
        """Label of an axis of values."""
        if self.units != "1" and self.layer is not None:
            return f"potential ({self.units})"
        return _NOUNS[self.name[-1]][0]

    def elements(self) -> list[str]:
        """Return what each element is called in a legend."""
        dims = self.array.dims[1:]
        if dims == ("target", "source"):
            return [f"{source} to {target}" for target in range(self.shape[0]) for source in range(self.shape[1])]
        return [f"{self.word} {k}" for k in range(self.cells)]

    @property
    def word(self) -> str:
        """What one element is called."""
        dims = self.array.dims[1:]
        return "cell" if self.layer is not None else str(dims[0]) if len(dims) == 1 else "connection"

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

    def frame(self, index: int) -> np.ndarray:
        """Return the activities at one saved time, in their shape."""
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
        """What there was first, in its shape, and what that is called; None if nothing.

        The values at the beginning; if they are all 0, the layer's input; if it has none, the activities when the
        input of the network ends.
        """
        first = self.frame(0)
        if first.any() or self.layer is None:
            return "at the beginning", first
        given = input_pattern(self.network, self.layer, float(self.all_times[-1]))
        if given is not None:
            return "input", given
        off = self.network.settled()
        if 0.0 < off < self.all_times[-1]:
            held = self.frame_at(off)[1]
            if held.any():
                return "at input offset", held
        return None

    @cached_property
    def end(self) -> tuple[str, np.ndarray]:
        """What there was in the end, in its shape, and when.

        The last values; those when the input of the network ends if hardly anything is left of them.
        """
        last = self.frame(self.all_times.size - 1)
        off = self.network.settled()
        if 0.0 < off < self.all_times[-1] and self.adds_up:
            held = self.frame_at(off)[1]
            if np.abs(last).sum() < _FADED * np.abs(held).sum():
                return "at input offset", held
        return f"at t = {self.all_times[-1]:.4g}", last

    @cached_property
    def share(self) -> np.ndarray | None:
        """Shares of the cells in `start`, flat; None if they would mean nothing."""
        if not self.adds_up or self.start is None or mixed(self.start[1]):
            return None
        return shares(self.start[1])

    def _blocks(self) -> Iterator[np.ndarray]:
        step = rows_at_once(8 * self.cells)
        for k in range(0, self.rows.size, step):
            values = np.asarray(self.array.isel(time=self.rows[k : k + step]).values, dtype=np.float64)
            yield values.reshape(len(values), -1)


def drawn_network(result: Result) -> Network:
    """Return the network of a result as far as figures need it, which is not the user's own classes.

    If a class of it is not there: its layers and inputs alone, an additive layer in the place of each layer whose class
    is not known, and without the inputs that need one.
    """
    try:
        return result.network
    except UnknownClass:
        plain = result.plain_network
    layers = []
    for part in plain.parts("layers"):
        known = part.kind in Spec.registry
        layers.append(made_spec(part) if known else Layer.additive(part.get("name"), part.get("shape"), A=1.0))
    stimuli = []
    for part in plain.parts("stimuli"):
        schedule = part.get("schedule")
        if (
            schedule.kind in Spec.registry
            and schedule.kind != "InPhase"
            and part.get("kind") in ("excitatory", "inhibitory")
        ):
            stimuli.append(made_spec(part))
    name, units, reference = (plain.get(field) for field in ("name", "time_units", "reference"))
    network = Network(name, layers, time_units=units, reference=reference)
    try:
        return network.replace(stimuli=stimuli)
    except SpecError:  # an input that only a layer of the user's own takes
        return network


def shares(values: Any) -> np.ndarray:
    """Return relative activities x_i / sum x, flat; zeros if nothing is active."""
    flat = np.asarray(values, dtype=np.float64).ravel()
    total = flat.sum()
    return flat / total if total != 0 else np.zeros_like(flat)


def settling(times: np.ndarray) -> float | None:
    """Return how long times are spaced evenly before their spacing begins to double; None if it does not.

    Runs that go on until the network rests save such times: on a linear axis nothing of the beginning could be seen.
    """
    first, last, middle = float(times[0]), float(times[-1]), float(np.median(times))
    if not (first >= 0 and middle > 0 and last > 12.0 * middle):
        return None
    spacing = np.diff(times)
    return float(times[int(np.argmax(spacing > 1.5 * spacing[0]))]) or middle


def mixed(values: np.ndarray) -> bool:
    """Tell whether there are values below 0 that are more than a solver's error: then shares mean nothing."""
    return bool(values.min() < -1e-6 * np.abs(values).max())


def input_pattern(network: Network, layer: LayerLaw, end: float) -> np.ndarray | None:
    """Return the first excitatory input of a layer before `end` that is not zero, in its shape; None without one."""
    own = [s for s in network.stimuli if s.target == layer.name and s.kind == "excitatory"]
    if not own:
        return None
    edges = np.concatenate([[0.0], network.breaks(end)[:1000], [max(end, 0.0)]])
    for middle in 0.5 * (edges[1:] + edges[:-1]):
        total = sum((s.at(float(middle), layer.shape) for s in own), np.zeros(layer.shape))
        if total.any():
            return np.asarray(total)
    return None


def input_intervals(network: Network, end: float) -> list[tuple[float, float]]:
    """Return the intervals during which the network gets any input, at most 100; none if it is always on."""
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
    return [] if intervals == [(0.0, end)] else intervals[:100]
