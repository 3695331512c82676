"""Layers in front of others: what they do is theirs alone, whatever they excite, inhibit and teach behind them.

A part of a network that receives nothing from the rest obeys its own equations. So every theorem about whole networks
is one about it: cells that are driven by inputs before a field that competes, a linear network before a filter that
learns. The parts are the layers of each strongly connected component and all from which signals reach it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence

from brnn.errors import SpecError
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import AtTimes, Crossing
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus
from brnn.theory.predictions.base import Prediction, Unmet

__all__ = ["layers_in_front", "upstream_parts"]

_PARTS = "layers in front that receive nothing from the rest"
_LAYERS = 8  # of a part, at most
_AT_MOST = 12  # parts


def layers_in_front(
    network: Network, theorems: Sequence[Callable[[Network], list[Prediction] | Unmet]]
) -> list[Prediction] | Unmet:
    """Give what the theorems say of each part of a network that receives nothing from the rest of it."""
    parts = [] if network.spiking else upstream_parts(network)  # cells that fire are integrated by equal steps
    if not parts:
        return Unmet(_PARTS, "a layer or several to which nothing comes back from the others")
    found: dict[tuple[str, object], Prediction] = {}
    for part in parts[:_AT_MOST]:
        names = ", ".join(layer.name for layer in part.layers)
        for theorem in theorems:
            said = theorem(part)
            for prediction in [] if isinstance(said, Unmet) else said:
                if prediction.quantity == "network":
                    continue
                hypothesis = f"{names}: nothing comes from the rest of the network; {prediction.hypothesis}"
                key = prediction.quantity, prediction.during
                found.setdefault(key, dataclasses.replace(prediction, hypothesis=hypothesis))
    return list(found.values()) or Unmet(_PARTS, "layers in front of which something is known")


def upstream_parts(network: Network) -> list[Network]:
    """Return the parts of a network, smallest first, that receive nothing from the rest, as networks of their own.

    The whole network is not one of them, and a part is left out if events set it or its inputs.
    """
    sources: dict[str, set[str]] = {layer.name: set(_read_by(network, layer.name)) for layer in network.layers}
    reached = {name: _before(name, sources) for name in sources}
    chosen = sorted({frozenset(names) for names in reached.values()}, key=lambda names: (len(names), sorted(names)))
    return list(_made(network, [names for names in chosen if len(names) <= _LAYERS]))


def _read_by(network: Network, name: str) -> Iterator[str]:
    """Yield the layers on which what arrives at a layer depends."""
    yield from network.layer(name).receives
    for link in network.projections:
        if link.target not in network.layer(name).receives:
            continue
        yield link.source
        if link.modulation is not None:
            yield link.modulation.layer
        if link.learning is not None:
            yield from (link.learning.layer_at(place, link.source, link.target) for place in ("source", "target"))
    yield from getattr(network.layer(name), "sources", ())


def _before(name: str, sources: dict[str, set[str]]) -> set[str]:
    found, new = {name}, [name]
    while new:
        for other in sources[new.pop()] - found:
            found.add(other)
            new.append(other)
    return found


def _made(network: Network, chosen: list[frozenset[str]]) -> Iterator[Network]:
    for names in chosen:
        layers = [layer for layer in network.layers if layer.name in names]
        if len(layers) == len(network.layers):
            continue
        links = [link for link in network.projections if link.target in names]
        states = {f"{name}.x" for name in names} | {f"{link.name}.{v}" for link in links for v in "yz"}
        if not all(_leaves(event, states) for event in network.events):
            continue
        inputs = [  # those of a protocol, too, which the part does without
            Stimulus(s.target, s.kind, s.pattern, s.schedule, s.name, s.on)
            for s in network.stimuli
            if s.target in names
        ]
        try:
            yield Network(network.name, layers, links, inputs, duration=network.duration, time_units=network.time_units)
        except SpecError:  # a schedule that names phases of the protocol
            continue


def _leaves(event: object, states: set[str]) -> bool:
    """Whether an event only records, or sets states of other layers."""
    actions = getattr(event, "actions", ())
    when = getattr(event, "when", None)
    if not actions:
        return True
    return isinstance(when, (AtTimes, Crossing)) and all(
        isinstance(action, SetState) and action.state not in states for action in actions
    )
