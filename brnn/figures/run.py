"""A run as figures read it: its variables thinned to what can be seen, its inputs, and its words."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from brnn.figures.caption import caption
from brnn.figures.description import Span
from brnn.figures.view import View, drawn_network, input_intervals, input_pattern
from brnn.spec.begun import as_begun
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus
from brnn.theory.predictions.base import Predictions

__all__ = ["Run"]


class Run:
    """A result, read for a figure.

    Attributes
    ----------
    result : Result
        The run, in memory or in a file.
    network : Network
        What was run, without what needs classes of the user's own that are not there.
    waits : bool
        Whether the figure asked for what theory says, and was not told.

    With ``theory=False`` it is as if theory had nothing to say: what theory says may take longer than the run.
    """

    def __init__(self, result: Any, *, theory: bool = True) -> None:
        self.result = result
        self.waits = False
        self._theory = theory
        self._views: dict[str, View] = {}

    @cached_property
    def network(self) -> Network:
        """What was run, without what needs classes of the user's own that are not there."""
        return drawn_network(self.result)

    def part(self, name: str) -> Any:
        """Return the layer or the projection of this name, to read its parameters."""
        parts: tuple[Any, ...] = (*self.network.layers, *self.network.projections)
        return next(part for part in parts if part.name == name)

    def inputs_to(self, layer: str, kind: str = "excitatory", time: float | None = None) -> np.ndarray:
        """Return the whole input of a layer at `time` (when it first gets some, without it), in its shape."""
        law = self.network.layer(layer)
        if time is None:
            given = input_pattern(self.network, law, self.end)
            return np.zeros(law.shape) if given is None else given
        own = [s for s in self.network.stimuli if s.target == layer and s.kind == kind]
        return np.asarray(sum((s.at(time, law.shape) for s in own), np.zeros(law.shape)))

    def view(self, name: str) -> View:
        """Return a variable, by its full name or that of its layer."""
        full = name if name in self.result else f"{name}.x"
        if full not in self._views:
            self._views[full] = View(full, self.result[full], self.network)
        return self._views[full]

    def times(self, name: str) -> np.ndarray:
        """Return the times of a variable that are drawn, 600 at most."""
        return self.view(name).times

    @cached_property
    def saved(self) -> tuple[str, ...]:
        """The variables of which there is a sample."""
        return tuple(name for name in self.result if self.result[name].sizes["time"])

    def values(self, name: str) -> np.ndarray:
        """Return a variable at these times, shape (times, elements)."""
        return self.view(name).activities()

    def cell(self, name: str, *place: int) -> np.ndarray:
        """Return one element of a variable over time, ``cell("F1", 2)``; without a place the first."""
        view = self.view(name)
        flat = int(np.ravel_multi_index(place, view.shape)) if place else 0
        return self.values(name)[:, flat]

    def at(self, name: str, time: float) -> np.ndarray:
        """Return a variable at the last saved time that is not after `time`, in its shape."""
        return self.view(name).frame_at(time)[1]

    def first(self, name: str) -> np.ndarray:
        """Return the first saved values."""
        return self.view(name).frame(0)

    def last(self, name: str) -> np.ndarray:
        """Return the last saved values."""
        view = self.view(name)
        return view.frame(view.all_times.size - 1)

    @cached_property
    def start(self) -> float:
        """The first saved time."""
        return min(float(self.view(name).all_times[0]) for name in self.result)

    @cached_property
    def end(self) -> float:
        """The last saved time."""
        return max(float(self.view(name).all_times[-1]) for name in self.result)

    @cached_property
    def predictions(self) -> Predictions:
        """What theory says of the network."""
        from brnn.theory.predictions.predict import predict

        self.waits = not self._theory
        if not self._theory:
            return Predictions(self.network.name, ())
        return predict(as_begun(self.network, getattr(self.result, "options", {}).get("initial")))

    @property
    def time_label(self) -> str:
        """What a time axis is called."""
        units = self.network.time_units
        return "time" if units == "1" else f"time ({units})"

    @cached_property
    def inputs(self) -> tuple[Span, ...]:
        """When the network gets any input; nothing if that is always."""
        return tuple(Span(on, off, "input on") for on, off in input_intervals(self.network, self.end))

    def spans(self, stimulus: Stimulus, label: str, color: int | None = None) -> tuple[Span, ...]:
        """Return when one of the network's inputs is on, until the end of the run."""
        alone = Network(self.network.name, self.network.layers, stimuli=(stimulus,))
        found = input_intervals(alone, self.end)
        return tuple(Span(on, off, label, color) for on, off in found)

    @property
    def below(self) -> str:
        """The line under the title: how many cells, how the run ended, and where the model is published."""
        return caption(self.network, self.result.status, self.end)
