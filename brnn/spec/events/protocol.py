"""Protocols: what is presented when, as phases (learn, rest, test) that are repeated in trials."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from brnn.base.checks import array, identifier, number, one_of, whole
from brnn.base.data import Spec
from brnn.base.text import closest
from brnn.errors import SpecError
from brnn.spec.layers.base import KINDS, LayerLaw
from brnn.spec.schedules.base import MOST_BREAKS
from brnn.spec.schedules.phases import Presented
from brnn.spec.stimulus import Stimulus

__all__ = ["Phase", "PhaseSpan", "PhaseStimulus", "Protocol"]

Occurrence = tuple["Phase", int, int]  # a phase, the repetition in which it stands, and how many of these there are


class PhaseSpan(NamedTuple):
    """One occurrence of a phase: its name, which occurrence it is (counted from 0), and when it begins and ends."""

    name: str
    trial: int
    start: float
    stop: float


@dataclass(frozen=True, eq=False, repr=False)
class Phase(Spec):
    """A time of fixed length during which certain inputs are on.

    Parameters
    ----------
    name : str
        Name of the phase, e.g. "learn". Several phases of one protocol may share it if they are alike for analysis.
    duration : float, > 0
        How long it lasts.
    inputs : dict
        What is on: ``{"F1": pattern}`` is an excitatory input of layer F1, ``{"F1.inhibitory": pattern}`` and
        ``{"F1.modulatory": pattern}`` are those of the other kinds. A pattern is one number for all cells, an array of
        the layer's shape, or an array with one more axis first, of one pattern for each repetition of the protocol in
        which the phase stands.

    Raises
    ------
    SpecError
        If a value is not valid.
    """

    name: str
    duration: float
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        at = f"Phase '{identifier(self.name, 'Phase: name')}'"
        if not isinstance(self.inputs, Mapping):
            raise SpecError(f"{at}: inputs: must be a dict such as {{'F1': pattern}}")
        inputs = {}
        for key, pattern in self.inputs.items():
            layer, _, kind = str(key).partition(".")
            identifier(layer, f"{at}: inputs: the layer of '{key}'")
            if kind not in ("", *KINDS):
                raise SpecError(
                    f"{at}: inputs: '{key}': '{kind}' must be one of {', '.join(KINDS)}{closest(kind, KINDS)}"
                )
            full = f"{layer}.{kind or KINDS[0]}"
            if full in inputs:
                raise SpecError(f"{at}: inputs: '{full}' is given twice; add the patterns")
            inputs[full] = array(pattern, f"{at}: inputs['{key}']")
        self._set(duration=number(self.duration, f"{at}: duration", above=0.0), inputs=inputs)


@dataclass(frozen=True, eq=False, repr=False)
class Protocol(Spec):
    """Phases one after the other, repeated.

    A phase may itself be a protocol: ``Protocol((Protocol((learn, rest), 20), test))`` learns in 20 trials and then
    tests once. The time of a run begins with the first phase.

    Parameters
    ----------
    phases : sequence of Phase or Protocol
        At least one.
    repeats : int, >= 1
        How many times they follow each other.

    Raises
    ------
    SpecError
        If a value is not valid, or there are more than ten million phases in all.
    """

    phases: Sequence[Phase | Protocol]
    repeats: int = 1

    def __post_init__(self) -> None:
        phases = (self.phases,) if isinstance(self.phases, (Phase, Protocol)) else self.phases
        if not isinstance(phases, Sequence) or not phases:
            raise SpecError("Protocol: phases: must be a list of at least one Phase")
        for k, phase in enumerate(phases):
            one_of(phase, f"Protocol: phases[{k}]", (Phase, Protocol), "a Phase or a Protocol")
        self._set(phases=tuple(phases), repeats=whole(self.repeats, "Protocol: repeats", minimum=1))
        if self.count > MOST_BREAKS:
            raise SpecError(f"Protocol: repeats = {self.repeats}: makes {self.count} phases in all, which are too many")

    @property
    def count(self) -> int:
        """How many phases there are in all."""
        return self.repeats * sum(part.count if isinstance(part, Protocol) else 1 for part in self.phases)

    @property
    def names(self) -> tuple[str, ...]:
        """The distinct names of the phases, in the order in which they come first."""
        return tuple(dict.fromkeys(phase.name for phase in self._once()))

    @property
    def duration(self) -> float:
        """When the last phase ends."""
        return float(self.edges[-1])

    @property
    def edges(self) -> np.ndarray:
        """When each phase begins, and when the last one ends, shape (count + 1,)."""
        return np.concatenate([[0.0], np.cumsum([phase.duration for phase, _, _ in self._all()])])

    @property
    def spans(self) -> tuple[PhaseSpan, ...]:
        """Every occurrence of every phase, in order."""
        seen: dict[str, int] = {}
        spans = []
        edges = self.edges.tolist()
        for k, (phase, _, _) in enumerate(self._all()):
            trial = seen[phase.name] = seen.get(phase.name, -1) + 1
            spans.append(PhaseSpan(phase.name, trial, edges[k], edges[k + 1]))
        return tuple(spans)

    def spans_with(self, ends: Sequence[float], until: float) -> tuple[PhaseSpan, ...]:
        """Return the occurrences that begin up to `until`, if the phases that were on at the times `ends` ended there.

        What was to come later came earlier by the rest of that phase.
        """
        spans = []
        shift, place = 0.0, 0
        for span in self.spans:
            start, stop = span.start - shift, span.stop - shift
            if start > until:
                break
            if place < len(ends) and ends[place] * (1.0 + 1e-14) < stop:
                stop = ends[place]
                shift = span.stop - stop
                place += 1
            spans.append(span._replace(start=start, stop=stop))
        return tuple(spans)

    def intervals(self, names: str | Iterable[str], where: str = "Protocol: intervals") -> np.ndarray:
        """Return beginning and end of each phase of these names, shape (occurrences, 2)."""
        wanted = {names} if isinstance(names, str) else set(names)
        for name in sorted(wanted - set(self.names)):
            raise SpecError(
                f"{where}: no phase is named '{name}' (there is {', '.join(self.names)}){closest(name, self.names)}"
            )
        return np.array([(span.start, span.stop) for span in self.spans if span.name in wanted])

    def stimuli(self, layers: Sequence[LayerLaw]) -> tuple[PhaseStimulus, ...]:
        """Return the inputs of all phases as stimuli: one for each layer and kind.

        Raises
        ------
        SpecError
            If a layer is unknown, or a pattern fits neither the layer nor the number of repetitions.
        """
        shapes = {layer.name: layer.shape for layer in layers}
        starts = self.edges
        rows: dict[str, list[np.ndarray]] = {}  # of each input, the patterns
        first: dict[tuple[int, int, str], int] = {}  # where those of a phase begin
        shown: dict[str, tuple[list[tuple[float, float]], list[int]]] = {}
        for k, (phase, repetition, repeats) in enumerate(self._all()):
            for key, pattern in phase.inputs.items():
                name = key.partition(".")[0]
                if name not in shapes:
                    raise SpecError(
                        f"Phase '{phase.name}': inputs: '{name}': no such layer (there is {', '.join(shapes)})"
                        f"{closest(name, shapes)}"
                    )
                place = (id(phase), repeats, key)
                if place not in first:
                    first[place] = len(rows.setdefault(key, []))
                    rows[key].extend(_of_trials(pattern, shapes[name], repeats, phase.name, key))
                intervals, which = shown.setdefault(key, ([], []))
                intervals.append((starts[k], starts[k + 1]))
                which.append(first[place] + (repetition if pattern.ndim > len(shapes[name]) else 0))
        result = []
        for key, patterns in rows.items():
            name, _, kind = key.partition(".")
            intervals, which = shown[key]
            schedule = Presented(np.array(intervals), np.array(which))
            result.append(PhaseStimulus(name, kind, np.stack(patterns), schedule))  # type: ignore[arg-type]
        return tuple(result)

    def _once(self) -> Iterator[Phase]:
        """Yield every phase once."""
        for part in self.phases:
            if isinstance(part, Protocol):
                yield from part._once()
            else:
                yield part

    def _all(self) -> Iterator[Occurrence]:
        """Yield every occurrence of every phase."""
        for repetition in range(self.repeats):
            for part in self.phases:
                if isinstance(part, Protocol):
                    yield from part._all()
                else:
                    yield part, repetition, self.repeats


@dataclass(frozen=True, eq=False, repr=False)
class PhaseStimulus(Stimulus):
    """A stimulus that a network made of its protocol; the protocol is what is stored, not this."""


def _of_trials(pattern: np.ndarray, shape: tuple[int, ...], repeats: int, phase: str, key: str) -> list[np.ndarray]:
    """Return the patterns of the successive trials, one if they are all the same."""
    if pattern.shape in ((), shape):
        return [np.broadcast_to(pattern, shape)]
    if pattern.shape[1:] != shape or pattern.ndim != len(shape) + 1:
        raise SpecError(
            f"Phase '{phase}': inputs['{key}']: has shape {pattern.shape}, must be one number or have the shape "
            f"{shape} or (trials, {', '.join(map(str, shape))})"
        )
    if len(pattern) != repeats:
        raise SpecError(
            f"Phase '{phase}': inputs['{key}']: has patterns for {len(pattern)} trials, its protocol has {repeats}"
        )
    return list(pattern)
