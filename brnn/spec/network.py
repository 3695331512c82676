"""A network: layers, the projections between them, the stimuli that they receive, and events."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from html import escape
from typing import Any, Self

import numpy as np

from brnn.base.checks import identifier, number, one_of, text
from brnn.base.data import Spec
from brnn.base.text import closest
from brnn.errors import SpecError
from brnn.spec.dotted.networks import changed_network
from brnn.spec.dotted.parts import name_tree
from brnn.spec.events.protocol import PhaseStimulus, Protocol
from brnn.spec.events.triggers import Event
from brnn.spec.layers import LayerLaw
from brnn.spec.layers.spiking import TraceLayer
from brnn.spec.projection import Projection
from brnn.spec.schedules import InPhase, Schedule
from brnn.spec.stimulus import Stimulus

__all__ = ["Network"]

_SHOWN = 50  # parts of one kind that a notebook lists


@dataclass(frozen=True, eq=False, repr=False)
class Network(Spec):
    """A whole network, as data. It runs with ``brnn.simulate(network, duration)``.

    Parameters
    ----------
    name : str
        Name of the network.
    layers : sequence of layers
        At least one; names are unique.
    projections : sequence of Projection
        Names are unique, and differ from those of the layers.
    stimuli : sequence of Stimulus
        Inputs; several to one layer add up.
    protocol : Protocol, optional
        Phases with inputs of their own. These come after `stimuli`, as if they were some of them.
    events : sequence of Event
        What happens when a state crosses a threshold, or at given times; names are unique.
    duration : float, optional
        The natural duration of the network, used when `simulate` is given none; that of the protocol by default.
    time_units : str
        Unit of time: "1" (dimensionless) or e.g. "s".
    reference : str
        Where the network was published.

    Raises
    ------
    SpecError
        If a name is unknown or used twice, shapes do not fit, or a sign is not allowed.
    """

    name: str
    layers: Sequence[LayerLaw]
    projections: Sequence[Projection] = ()
    stimuli: Sequence[Stimulus] = ()
    _: KW_ONLY
    protocol: Protocol | None = None
    events: Sequence[Event] = ()
    duration: float | None = None
    time_units: str = "1"
    reference: str = ""

    def __post_init__(self) -> None:
        at = f"Network '{identifier(self.name, 'Network: name')}'"
        self._set(
            layers=_members(self.layers, f"{at}: layers", LayerLaw, "a layer"),
            projections=_members(self.projections, f"{at}: projections", Projection, "a Projection"),
            stimuli=_members(self.stimuli, f"{at}: stimuli", Stimulus, "a Stimulus"),
        )
        if not self.layers:
            raise SpecError(f"{at}: layers: a network needs at least one layer")
        self._follow_protocol(at)
        if self.duration is not None:
            self._set(duration=number(self.duration, f"{at}: duration", above=0.0))
        for field in ("time_units", "reference"):
            text(getattr(self, field), f"{at}: {field}")
        seen: set[str] = set()
        names = [layer.name for layer in self.layers] + [str(projection.name) for projection in self.projections]
        for name in names:
            if name in seen:
                raise SpecError(f"{at}: two layers or projections are named '{name}'; give one of them another name=")
            seen.add(name)
        self._check_time(at)
        for layer in self.layers:
            self._check_receiving(layer)
        self._check_spikes(at)
        for projection in self.projections:
            self._check_projection(projection)
        for stimulus in self.stimuli:
            self._check_stimulus(stimulus)
        self._check_events(at)

    def _follow_protocol(self, at: str) -> None:
        """Take the inputs and the duration of the protocol, and tell schedules that name phases when these are."""
        protocol = self.protocol
        own = tuple(stimulus for stimulus in self.stimuli if not isinstance(stimulus, PhaseStimulus))
        self._set(stimuli=own, events=_members(self.events, f"{at}: events", Event, "an Event"))
        if protocol is None:
            parts: list[Any] = [*own, *self.events, *(p.learning for p in self.projections if p.learning is not None)]
            for part in parts:
                if isinstance(part.schedule, InPhase):
                    raise SpecError(f"{at}: InPhase({', '.join(part.schedule.names)}): the network has no protocol")
            return
        one_of(protocol, f"{at}: protocol", Protocol, "a Protocol, or None")

        def bound(part: Any) -> Any:
            schedule = part.schedule
            if not isinstance(schedule, InPhase):
                return part
            return part.replace(schedule=schedule.bound(protocol.intervals(schedule.names, f"{at}: InPhase")))

        self._set(
            stimuli=(*(bound(stimulus) for stimulus in own), *protocol.stimuli(self.layers)),
            events=tuple(bound(event) for event in self.events),
            projections=tuple(
                link if link.learning is None else link.replace(learning=bound(link.learning))
                for link in self.projections
            ),
        )
        if self.duration is None:
            self._set(duration=protocol.duration)

    def to_dict(self, arrays: dict[str, np.ndarray] | None = None) -> dict[str, Any]:
        """Return plain data (see Spec), without what follows from the protocol."""
        plain = copy.copy(self)
        plain._set(stimuli=tuple(s for s in self.stimuli if not isinstance(s, PhaseStimulus)))
        if self.protocol is not None and self.duration == self.protocol.duration:
            plain._set(duration=None)
        return super(Network, plain).to_dict(arrays)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed (and everything validated again)."""
        if self.protocol is not None and self.duration == self.protocol.duration:
            changes.setdefault("duration", None)
        return super().replace(**changes)

    def _repr_html_(self) -> str:
        """Show it in a notebook: its equations, with all numbers in them, and what it is made of."""
        from brnn.equations.network import equations_of

        title, source = escape(self.name), escape(self.reference)
        equations = escape(equations_of(self).text().partition("\n")[2].strip("\n"))
        parts = [("layer", self.layers), ("projection", self.projections), ("stimulus", self.stimuli)]
        parts += [("event", self.events)]
        rows = "".join(
            f"<tr><td>{kind}</td><td style='text-align:left'>{escape(repr(part))}</td></tr>"
            for kind, members in parts
            for part in members[:_SHOWN]
        )
        more = sum(max(0, len(members) - _SHOWN) for _, members in parts)
        rest = f"<p>and {more} more</p>" if more else ""
        return (
            f"<div><p><b>Network {title}</b>{f', {source}' if source else ''}</p><pre>{equations}</pre>"
            f"<details><summary>parts</summary><table>{rows}</table>{rest}</details></div>"
        )

    def _repr_latex_(self) -> str:
        """Show its equations where LaTeX is shown: an environment align of amsmath."""
        from brnn.equations.network import equations_of

        return equations_of(self).latex().partition("\n")[2]

    def with_(self, changes: Mapping[str, Any] | None = None, /, **named: Any) -> Network:
        """Return a copy with some of its values changed, each by its dotted name, as a design of a sweep names it.

        Parameters
        ----------
        changes : mapping, optional
            Values by dotted name: ``"<name>.<field>"`` and further fields and elements, where the name is that of a
            layer, a projection, a stimulus or an event; ``"stimuli.<count>.<field>"`` for a stimulus without a name;
            ``"duration"``. Elements are counted from 0. Texts mean what they mean on the command line.
        **named
            The same, for names without a dot and rows of a design.

        Raises
        ------
        InputError, SpecError
            If there is no such part, or the changed network is not valid.

        Examples
        --------
        >>> network = brnn.models.rcf.build()
        >>> network.with_({"rcf.A": 0.5, "rcf.initial.3": 0.2, "rcf_rcf_exc.signal.half": 0.3})
        """
        settings = {**(changes or {}), **named}
        return changed_network(self, name_tree(tuple(settings)))(tuple(settings.values()))

    @property
    def states(self) -> dict[str, int]:
        """The names of all states, and how many elements each has."""
        return {name: math.prod(shape) for name, shape in self.state_shapes.items()}

    @property
    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """The names of all states, and the shape of each: that of the layer, or of the gates or weights."""
        shapes = {f"{layer.name}.x": layer.shape for layer in self.layers}
        for quantity in ("y", "z"):
            for link in self.projections:
                part = link.gate if quantity == "y" else link.learning
                if part is None:
                    continue
                source, target = self.layer(link.source).shape, self.layer(link.target).shape
                if quantity == "y" and link.gate is not None and link.gate.per == "source":
                    shapes[f"{link.name}.y"] = source
                elif link.topology.storage == "dense":
                    shapes[f"{link.name}.{quantity}"] = (math.prod(target), math.prod(source))
                elif link.topology.storage == "single":
                    shapes[f"{link.name}.{quantity}"] = target
                else:
                    shapes[f"{link.name}.{quantity}"] = (link.topology.connections(source, target),)
        return shapes

    @property
    def random(self) -> bool:
        """Whether a run draws random numbers of its own: white noise, or an event that does."""
        drawn = any(layer.random_spikes for layer in self.layers)
        return self.noisy or drawn or any(event.draws for event in self.events)

    def _check_events(self, at: str) -> None:
        """Refuse names that are used twice, and what events cannot be together with."""
        for what, found in (
            ("stimuli", [stimulus.name for stimulus in self.stimuli if stimulus.name is not None]),
            ("events", [event.name for event in self.events]),
        ):
            for name in found:
                if found.count(name) > 1:
                    raise SpecError(f"{at}: two {what} are named '{name}'; give one of them another name")
        if not self.events:
            return
        if self.step is not None:
            raise SpecError(f"{at}: events need continuous time")
        if "events" in {name.partition(".")[0] for name in self.states}:
            raise SpecError(f"{at}: no part of a network with events can be named 'events'; use another name")
        for event in self.events:
            event.check(self)

    def layer(self, name: str, where: str = "layer") -> LayerLaw:
        """Return the layer of this name, or raise SpecError."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        names = [layer.name for layer in self.layers]
        raise SpecError(f"{where} = '{name}': no such layer (there is {', '.join(names)}){closest(name, names)}")

    @property
    def step(self) -> float | None:
        """The step of a network of discrete time; None if time is continuous."""
        return self.layers[0].step if self.layers[0].discrete else None

    @property
    def spiking(self) -> bool:
        """Whether cells fire."""
        return any(layer.spiking for layer in self.layers)

    @property
    def event_names(self) -> tuple[str, ...]:
        """Names of all that a run keeps as events: those of the network, then the layers whose spikes are kept."""
        fires = [layer.name for layer in self.layers if layer.spiking and getattr(layer, "spikes", "none") == "events"]
        return (*(str(event.name) for event in self.events), *fires)

    @property
    def noisy(self) -> bool:
        """Whether a stimulus is white noise."""
        return any(stimulus.schedule.white for stimulus in self.stimuli)

    def _check_time(self, at: str) -> None:
        """Refuse networks that mix continuous and discrete time, or discrete time with what needs continuous time."""
        kinds = {layer.discrete for layer in self.layers}
        if len(kinds) > 1:
            raise SpecError(f"{at}: layers of discrete and of continuous time cannot be in one network")
        if self.step is None:
            for link in self.projections:
                if link.immediate:
                    raise SpecError(f"{link.label}: signals that arrive within a step need layers of discrete time")
            return
        if len({layer.step for layer in self.layers}) > 1:
            raise SpecError(f"{at}: all layers of discrete time must have the same step")
        if self.noisy:
            raise SpecError(f"{at}: white noise needs continuous time")
        places = {layer.name: k for k, layer in enumerate(self.layers)}
        for projection in self.projections:
            if projection.immediate and places.get(projection.source, -1) >= places.get(projection.target, len(places)):
                raise SpecError(
                    f"{projection.label}: its signals arrive within the same step: {projection.source} must stand "
                    f"before {projection.target} in `layers`"
                )
            if projection.gate is not None or projection.learning is not None:
                raise SpecError(f"{projection.label}: gates and learning laws need continuous time")
            if projection.modulation is not None:
                raise SpecError(f"{projection.label}: modulation needs continuous time")
            steps = projection.delay / self.step
            if abs(steps - round(steps)) > 1e-9:
                raise SpecError(
                    f"{projection.label}: delay = {projection.delay:g}: must be a multiple of the step {self.step:g}"
                )

    def _check_spikes(self, at: str) -> None:
        """Refuse traces of what does not fire, and spikes beside what equal steps do not have."""
        for layer in self.layers:
            if isinstance(layer, TraceLayer):
                sources = [self.layer(name, f"{layer.label}: of") for name in layer.sources]
                fit = sum(source.cells for source in sources) == layer.cells
                if not fit or not all(source.spiking for source in sources):
                    raise SpecError(
                        f"{layer.label}: of = {layer.of!r}: must be a layer that fires, of the shape {layer.shape}, "
                        f"e.g. a SpikingLayer"
                    )
        if not self.spiking:
            return
        if self.events:
            raise SpecError(f"{at}: events: a network with spikes can have none (its spikes are the events of a run)")
        late = next((link for link in self.projections if link.delay > 0.0), None)
        if late is not None or self.noisy:
            what = "white noise" if late is None else f"{late.label} has a delay"
            raise SpecError(f"{at}: spikes need equal steps, which know neither delays nor white noise ({what})")
        if "events" in {name.partition(".")[0] for name in self.states}:
            raise SpecError(f"{at}: no part of a network with spikes can be named 'events'; use another name")

    def _check_receiving(self, layer: LayerLaw) -> None:
        """Refuse a layer that shares the inputs of one with other cells, or of one that shares others' itself."""
        for name in layer.receives[:-1]:
            other = self.layer(name, f"{layer.label}: inputs_of")
            if any(s.target == name and s.schedule.white for s in self.stimuli):
                raise SpecError(
                    f"{layer.label}: inputs_of = '{name}': its input is white noise, which cannot be shared"
                )
            if other.shape != layer.shape or other.discrete or len(other.receives) > 1:
                raise SpecError(
                    f"{layer.label}: inputs_of = '{name}': must be another layer of continuous time with the shape "
                    f"{layer.shape} and inputs of its own"
                )

    def _check_projection(self, projection: Projection) -> None:
        source = self.layer(projection.source, f"{projection.label}: source")
        target = self.layer(projection.target, f"{projection.label}: target")
        _check_kind(projection.kind, target, projection.label)
        projection.topology.check(source.shape, target.shape, projection.label)
        for place, end in (("source", source), ("target", target)):
            if projection.learning is not None:
                name = projection.learning.layer_at(place, source.name, target.name)
                if self.layer(name, f"{projection.label}: learning: {place}_trace").cells != end.cells:
                    raise SpecError(
                        f"{projection.label}: learning: {place}_trace = '{name}': must have {end.cells} cells"
                    )
        for part in (projection.gate, projection.learning):
            if part is not None:
                part.check(source.shape, target.shape, projection.topology, projection.label)
        if projection.modulation is not None:
            projection.modulation.check(source, target, self.layer, projection.label)
        signed = projection.topology.signed
        if projection.topology.smallest_weight() < 0 and not (signed or target.accepts_signed_input()):
            raise SpecError(
                f"{projection.label}: {type(projection.topology).__name__} has the negative strength "
                f"{projection.topology.smallest_weight():g}; onto a shunting layer strengths must be >= 0 "
                f"(use a projection of the other kind for the negative ones)"
            )

    def _check_stimulus(self, stimulus: Stimulus) -> None:
        layer = self.layer(stimulus.target, f"{stimulus.label}: target")
        _check_kind(stimulus.kind, layer, stimulus.label)
        if layer.modulated and stimulus.schedule.white:
            raise SpecError(
                f"{stimulus.label}: white noise cannot drive a {type(layer).__name__}, whose modulatory input "
                f"multiplies the others (let it drive a layer before this one)"
            )
        pattern = np.asarray(stimulus.pattern)
        stimulus.schedule.check(pattern.shape, layer.shape, stimulus.label)
        if layer.accepts_signed_input():
            return
        other = {"excitatory": " (use kind='inhibitory')", "inhibitory": " (use kind='excitatory')"}
        if (pattern < 0).any():
            raise SpecError(
                f"{stimulus.label}: pattern: has the negative element {pattern.min():g}; the {stimulus.kind} input of "
                f"a shunting layer must be >= 0{other.get(stimulus.kind, '')}"
            )
        if stimulus.schedule.lowest() < 0:
            raise SpecError(
                f"{stimulus.label}: schedule: its factor falls to {stimulus.schedule.lowest():g}; the input of a "
                f"shunting layer must be >= 0"
            )

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Every schedule: of the stimuli, then of the learning rates."""
        windows = [p.learning.schedule for p in self.projections if p.learning is not None]
        return (*(stimulus.schedule for stimulus in self.stimuli), *(w for w in windows if w is not None))

    def breaks(self, duration: float) -> np.ndarray:
        """Return the break points of all schedules in (0, duration), in rising order."""
        times = [schedule.breaks(duration) for schedule in self.schedules]
        return np.unique(np.concatenate(times)) if any(some.size for some in times) else np.empty(0)

    def settled(self) -> float:
        """Return the time after which no schedule changes any more; infinity if one goes on for ever."""
        return max([0.0] + [schedule.last() for schedule in self.schedules])

    def period(self) -> float:
        """Return the shortest time in which a schedule swings to and fro; infinity if none does."""
        return min([schedule.period() for schedule in self.schedules], default=float("inf"))


def _check_kind(kind: str, target: LayerLaw, where: str) -> None:
    if kind not in target.kinds:
        raise SpecError(
            f"{where}: kind = '{kind}': {target.label} takes {' and '.join(target.kinds)} input only "
            f"(a GatedLayer takes modulatory input)"
        )


def _members(value: Any, where: str, kind: type, what: str) -> tuple[Any, ...]:
    if isinstance(value, kind):
        value = (value,)
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        raise SpecError(f"{where}: must be a list of them, each {what}")
    return tuple(one_of(member, f"{where}[{k}]", kind, what) for k, member in enumerate(value))
