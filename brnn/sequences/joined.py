"""Networks of discrete time that are joined: stacked, in both directions, encoder and decoder, output as next input.

Which steps have input and which are read is the pattern and what is taken of the result: a pattern that is 0 after its
first row is one-to-many, the last state alone is many-to-one, all states are many-to-many.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.base.checks import one_of
from brnn.errors import InputError
from brnn.signals import Linear
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["bidirectional", "both_ways", "continued", "fed_back", "stacked"]


def stacked(*networks: Network) -> Network:
    """Return a network in which each one is shown, within the same step, what the one before it gives out.

    What a network gives out is its layer "y", or "h" if there is none. Names get the number of the network: "h1", "h2";
    the input stays "x". The sequence is that of the first network.

    Raises
    ------
    InputError
        If a network is not of the cells' form, or sizes do not fit.
    """
    if not networks:
        raise InputError("stacked: needs a network at least")
    layers: list[Any] = []
    links: list[Projection] = []
    stimuli: list[Stimulus] = []
    before = ""
    for k, network in enumerate(networks, start=1):
        shown = _shown(network, f"stacked: network {k}")
        renamed = _renamed(network, lambda name, k=k: f"{name}{k}")  # type: ignore[misc]
        inputs = f"x{k}"
        if before:
            given = next(layer for layer in layers if layer.name == before)
            if given.shape != shown.shape:
                raise InputError(
                    f"stacked: network {k} has {shown.cells} inputs, the one before it gives {given.cells}"
                )
        at = before or "x"
        layers += [
            layer.replace(name=at) if layer.name == inputs else layer
            for layer in renamed.layers
            if layer.name != inputs or not before
        ]
        links += [link.replace(source=at) if link.source == inputs else link for link in renamed.projections]
        stimuli += [
            stimulus.replace(target=at) if stimulus.target == inputs else stimulus
            for stimulus in renamed.stimuli
            if stimulus.target != inputs or not before
        ]
        before = f"{_output(network)}{k}"
    return networks[0].replace(name="stacked", layers=layers, projections=links, stimuli=stimuli)


def bidirectional(forward: Network, backward: Network) -> Network:
    """Return both networks side by side; the second is shown the sequence of the first from its end to its beginning.

    Names get "_forward" and "_backward". `both_ways` reads the states of both at each step of the sequence.
    """
    parts = []
    for network, end in ((forward, "_forward"), (backward, "_backward")):
        _shown(network, f"bidirectional: the network {end[1:]}")
        parts.append(_renamed(network, lambda name, end=end: f"{name}{end}"))  # type: ignore[misc]
    items = _items(forward, "bidirectional")
    if forward.layer("x").shape != backward.layer("x").shape:
        raise InputError("bidirectional: both networks must have as many inputs")
    turned = [
        stimulus.replace(schedule=Sequence(items[::-1], 1.0)) if stimulus.target == "x_backward" else stimulus
        for stimulus in parts[1].stimuli
    ]
    return forward.replace(
        name="bidirectional",
        layers=[*parts[0].layers, *parts[1].layers],
        projections=[*parts[0].projections, *parts[1].projections],
        stimuli=[*parts[0].stimuli, *turned],
    )


def both_ways(result: Any, layer: str = "h") -> np.ndarray:
    """Return the states of a run of `bidirectional`, shape (steps, cells of both): row t is of what was shown at t.

    The run must have saved every step, which it does unless it is told otherwise or has more than 200.
    """
    ahead, back = (np.asarray(result[f"{layer}_{end}.x"].values) for end in ("forward", "backward"))
    times = np.asarray(result[f"{layer}_forward.x"]["time"].values)
    if not np.array_equal(times, np.arange(len(times))):
        raise InputError("both_ways: the run has not saved every step; give times=np.arange(steps + 1.0)")
    return np.concatenate([ahead[1:], back[1:][::-1]], axis=1)


def continued(network: Network, result: Any) -> Network:
    """Return a network that begins with the last states of a run: the decoder after its encoder.

    Layers of the same name take over the state; they must have the same shape, and there must be one besides "x".
    """
    one_of(network, "continued: network", Network, "a brnn.Network")
    known = {layer.name: layer.shape for layer in result.network.layers}
    taken = [layer.name for layer in network.layers if layer.name in known and layer.name != "x"]
    if not taken:
        raise InputError(f"continued: no layer of {network.name} has the name of one of {result.network.name}")
    layers = []
    for layer in network.layers:
        if layer.name in taken and layer.shape != known[layer.name]:
            raise InputError(f"continued: {layer.label}: has shape {layer.shape}, in the run {known[layer.name]}")
        state = np.asarray(result.final(layer.name)) if layer.name in taken else None
        layers.append(layer if state is None else layer.replace(initial=state))
    return network.replace(layers=layers)


def fed_back(network: Network) -> Network:
    """Return a network whose output is added to its next input: it goes on by itself from what it was shown."""
    shown = _shown(network, "fed_back")
    if _output(network) != "y" or network.layer("y").shape != shown.shape:
        raise InputError(f"fed_back: {network.name} must have a layer 'y' of as many cells as inputs, {shown.cells}")
    link = Projection("y", "x", "excitatory", Linear(), OneToOne(), name="fed_back")
    return network.replace(projections=[*network.projections, link])


def _shown(network: Network, where: str) -> Any:
    """Return the layer that the sequence is shown to."""
    one_of(network, where, Network, "a brnn.Network")
    names = {layer.name for layer in network.layers}
    if "x" not in names or "h" not in names or not isinstance(network.layer("x"), UnitLayer):
        raise InputError(
            f"{where}: {network.name} has no layers 'x' and 'h' of discrete time, as elman, lstm and gru have"
        )
    return network.layer("x")


def _output(network: Network) -> str:
    return "y" if any(layer.name == "y" for layer in network.layers) else "h"


def _items(network: Network, where: str) -> np.ndarray:
    for stimulus in network.stimuli:
        if stimulus.target == "x" and isinstance(stimulus.schedule, Sequence) and np.ndim(stimulus.schedule.items) == 2:
            return np.asarray(stimulus.schedule.items)
    raise InputError(f"{where}: {network.name} is shown no sequence")


def _renamed(network: Network, name: Callable[[str], str]) -> Network:
    """Return a network with other names of its layers, projections and inputs."""
    return network.replace(
        layers=[layer.replace(name=name(layer.name)) for layer in network.layers],
        projections=[
            link.replace(source=name(link.source), target=name(link.target), name=name(str(link.name)))
            for link in network.projections
        ],
        stimuli=[
            stimulus.replace(target=name(stimulus.target), name=None if stimulus.name is None else name(stimulus.name))
            for stimulus in network.stimuli
        ],
    )
