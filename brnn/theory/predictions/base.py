"""What a prediction is, and what every theorem asks of the inputs of a network."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.text import text_table
from brnn.comparison import Comparison, Comparisons
from brnn.errors import InputError
from brnn.spec.network import Network

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = [
    "InputPhase",
    "Measure",
    "NotMeasured",
    "Prediction",
    "Predictions",
    "Unmet",
    "constant_phases",
    "unmet_by_inputs",
]

Measure = Callable[["Result"], Any]

_ACCURACY = 1e-5  # relative to the largest predicted value; ten times the tolerance that runs have by default


class NotMeasured(InputError):
    """A run from which a quantity cannot be measured: it ended too soon, or was not at rest."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """One thing that mathematics says of a network.

    Attributes
    ----------
    quantity : str
        What it is about: ``"stored at most"``, or a variable, ``"F1.x"``.
    value : object
        What is said: a number, an array, a text; None if the theorem leaves it open.
    words : str
        The same in words, with what belongs to it; its lines are those of ``brnn theory``.
    hypothesis : str
        Under which conditions, which this network meets.
    source : str
        Where the theorem is published, or derived.
    during : (float, float) or None
        The interval of time that it is about; None for all of it.
    details : dict
        What belongs to the value, by name.
    kind : {"near", "within", "monotone", "count", "order"}
        How a measured value is judged, as in `brnn.Comparison`; the value of "within" is (lowest, highest).
    tolerance : float or None
        By how much a measured value may differ; None for 1e-5 of the largest predicted one.
    """

    quantity: str
    value: Any
    words: str
    hypothesis: str
    source: str
    during: tuple[float, float] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "near"
    tolerance: float | None = None
    _measure: Measure | None = field(default=None, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"the prediction '{self.quantity}' knows how a run is measured, and cannot be sent alone: send all that "
            "predict() returned, or its value"
        )

    def __copy__(self) -> Prediction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Prediction:
        return self

    @property
    def measurable(self) -> bool:
        """Whether it is about something that a run shows."""
        return self._measure is not None

    def measure(self, result: Result) -> Any:
        """Return what a run of the network gives for the same quantity.

        Raises
        ------
        NotMeasured
            If the run does not show it: it ended too soon, or was not at rest; or no run does.
        """
        if self._measure is None:
            raise NotMeasured(f"{self.quantity}: a run does not show it")
        return self._measure(result)

    def compare(self, result: Result) -> Comparison:
        """Return the predicted value beside the one that a run gives; see `measure`."""
        measured = self.measure(result)
        label = self.quantity if self.during is None else f"{self.quantity}, {_interval(*self.during)}"
        exact = self.kind in ("count", "order")
        return Comparison(self.value, measured, 0.0 if exact else self._allowed, label, kind=self.kind)

    @property
    def _allowed(self) -> float:
        if self.tolerance is not None:
            return self.tolerance
        sides = self.value if isinstance(self.value, tuple) else (self.value,)
        numbers = [np.abs(np.asarray(side, dtype=np.float64)) for side in sides if not isinstance(side, str)]
        finite = [float(np.max(side[np.isfinite(side)], initial=0.0)) for side in numbers]
        return _ACCURACY * max([1e-3, *finite])


@dataclass(frozen=True)
class Unmet:
    """Why a theorem says nothing of a network.

    Attributes
    ----------
    theorem : str
        What it is about: ``"a recurrent competitive field (21)"``.
    hypothesis : str
        The first of its conditions that the network does not meet: what it must have.
    """

    theorem: str
    hypothesis: str


@dataclass(frozen=True, eq=False, repr=False)
class Predictions:
    """What mathematics says of one network, in the order of the theorems; iterating gives each Prediction.

    Attributes
    ----------
    network : str
        Its name.
    outcomes : tuple of Prediction or Unmet
        What each theorem says, or why it says nothing.
    """

    network: str
    outcomes: tuple[Prediction | Unmet, ...]
    _said: tuple[Callable[..., Predictions], Network] | None = None  # by what, and of which network

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as the network: what theorems say and measure is found there again."""
        if self._said is None:
            return super().__reduce__()  # type: ignore[return-value]
        return self._said[0], self._said[1:]

    @property
    def unmet(self) -> tuple[Unmet, ...]:
        """Why the other theorems say nothing, each reason once."""
        return tuple(dict.fromkeys(outcome for outcome in self.outcomes if isinstance(outcome, Unmet)))

    @property
    def why_not(self) -> str:
        """The same in one line."""
        theorems: dict[str, list[str]] = {}
        for unmet in self.unmet:
            theorems.setdefault(unmet.hypothesis, []).append(unmet.theorem)
        return "; ".join(f"{' or '.join(names)} must have {hypothesis}" for hypothesis, names in theorems.items())

    def of(self, quantity: str) -> tuple[Prediction, ...]:
        """Return the predictions about one quantity; none if there are none."""
        return tuple(prediction for prediction in self if prediction.quantity == quantity)

    def compare(self, result: Result) -> Comparisons:
        """Return what is predicted beside what a run gives, of everything that the run shows."""
        rows = Comparisons()
        for prediction in self:
            try:
                rows.append(prediction.compare(result))
            except NotMeasured:
                continue
        return rows

    def __iter__(self) -> Iterator[Prediction]:
        return (outcome for outcome in self.outcomes if isinstance(outcome, Prediction))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        if not len(self):
            return f"no theory here for {self.network}: {self.why_not}"
        return text_table([[prediction.quantity, " | ".join(prediction.words.splitlines())] for prediction in self])


@dataclass(frozen=True, eq=False)
class InputPhase:
    """An interval in which no input changes.

    Attributes
    ----------
    start, stop : float
        From when to when.
    inputs : dict of ndarray
        The input of each layer, by its name and the kind, ``("F1", "excitatory")``.
    """

    start: float
    stop: float
    inputs: Mapping[tuple[str, str], np.ndarray]

    def __str__(self) -> str:
        return _interval(self.start, self.stop)


def _interval(start: float, stop: float) -> str:
    return f"t = {start:g} ... {stop:g}"


def unmet_by_inputs(network: Network) -> str | None:
    """Return the condition that inputs do not meet: that they are constant, or change at known times; else None."""
    if any(stimulus.schedule.varying or stimulus.schedule.white for stimulus in network.stimuli):
        return "inputs that do not change all the time"
    if network.events:
        return "no events"
    return None


def constant_phases(network: Network) -> Iterator[InputPhase]:
    """Yield the intervals between the times at which inputs change, up to the network's own duration."""
    length = network.duration or 1.0
    edges = np.concatenate([[0.0], network.breaks(length), [length]])
    for start, stop in itertools.pairwise(edges.tolist()):
        inputs = {(layer.name, kind): np.zeros(layer.shape) for layer in network.layers for kind in layer.kinds}
        for stimulus in network.stimuli:
            layer = network.layer(stimulus.target)
            inputs[stimulus.target, stimulus.kind] += stimulus.at(0.5 * (start + stop), layer.shape)
        yield InputPhase(start, stop, inputs)
