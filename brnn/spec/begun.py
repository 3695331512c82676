"""The network that a run was of: with the states in which that began, where these are not the network's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.spec.network import Network

__all__ = ["as_begun"]


def as_begun(network: Network, initial: Any) -> Network:
    """Return the network as it began in a run whose option ``initial`` was the state vector `initial`, or None."""
    if initial is None or np.size(initial) != sum(network.states.values()):
        return network
    ends = np.cumsum(list(network.states.values()))[:-1]
    parts = dict(zip(network.states, np.split(np.asarray(initial, dtype=np.float64), ends), strict=True))
    first = {name: part.reshape(network.state_shapes[name]) for name, part in parts.items()}
    layers = [layer.replace(initial=first[f"{layer.name}.x"]) for layer in network.layers]
    links = []
    for link in network.projections:
        changes: dict[str, Any] = {}
        if link.gate is not None:
            changes["gate"] = link.gate.replace(initial=first[f"{link.name}.y"])
        if link.learning is not None:
            changes["learning"] = link.learning.replace(initial=first[f"{link.name}.z"])
        links.append(link.replace(**changes) if changes else link)
    return network.replace(layers=layers, projections=links)
