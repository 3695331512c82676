"""How the states of a network lie in one flat vector."""

from __future__ import annotations

import math

import numpy as np

from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.variable import Role, Variable

__all__ = ["layout"]


def layout(network: Network, *, bounded: bool = True) -> tuple[Variable, ...]:
    """Return the blocks of the state vector of `network`: activities of each layer, then gates, then weights.

    Without `bounded` the bounds of the activities are left out.
    """
    variables: list[Variable] = []
    start = 0
    bounds = guaranteed_bounds(network) if bounded else {}
    for layer in network.layers:
        stop = start + math.prod(layer.shape)
        lowest, highest = bounds.get(layer.name, (None, None))
        variables.append(
            Variable(
                name=f"{layer.name}.x",
                group=layer.name,
                quantity="x",
                start=start,
                stop=stop,
                shape=layer.shape,
                dims=axes(layer),
                role="stm",
                long_name=f"STM activity of layer {layer.name}",
                units=layer.units,
                lowest=lowest,
                highest=highest,
            )
        )
        start = stop
    kinds: tuple[tuple[str, Role], ...] = (("y", "mtm"), ("z", "ltm"))
    for quantity, role in kinds:
        for projection in network.projections:
            if (projection.gate if quantity == "y" else projection.learning) is None:
                continue
            shape, dims = _plastic_shape(network, projection, quantity)
            what = "MTM gate" if quantity == "y" else "LTM weight"
            stop = start + math.prod(shape)
            variables.append(
                Variable(
                    name=f"{projection.name}.{quantity}",
                    group=str(projection.name),
                    quantity=quantity,
                    start=start,
                    stop=stop,
                    shape=shape,
                    dims=dims,
                    role=role,
                    long_name=f"{what} of projection {projection.name}",
                )
            )
            start = stop
    return tuple(variables)


def _plastic_shape(network: Network, projection: Projection, quantity: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return shape and axes of the gates or weights of a projection."""
    source, target = network.layer(projection.source), network.layer(projection.target)
    if quantity == "y" and projection.gate is not None and projection.gate.per == "source":
        return (source.cells,), ("source",)
    storage = projection.topology.storage
    if storage == "dense":
        return (target.cells, source.cells), ("target", "source")
    if storage == "single":
        return (target.cells,), ("target",)
    return (projection.topology.connections(source.shape, target.shape),), ("connection",)


def state_size(network: Network) -> int:
    """Return the length of the state vector, without making anything."""
    size = sum(layer.cells for layer in network.layers)
    for projection in network.projections:
        for quantity, part in (("y", projection.gate), ("z", projection.learning)):
            if part is not None:
                size += math.prod(_plastic_shape(network, projection, quantity)[0])
    return size


def axes(layer: LayerLaw) -> tuple[str, ...]:
    """Return the names of a layer's axes: its own name, or row and column, or numbers."""
    if len(layer.shape) == 1:
        return (layer.name,)
    if len(layer.shape) == 2:
        return (f"{layer.name}_row", f"{layer.name}_column")
    return tuple(f"{layer.name}_{k}" for k in range(len(layer.shape)))


def guaranteed_bounds(network: Network) -> dict[str, tuple[float | np.ndarray, float | np.ndarray]]:
    """Return the interval that each layer's activities cannot leave, for the layers for which this is a theorem.

    The theorem needs inputs that are never negative: strengths >= 0, stimuli >= 0, signals >= 0. A signal that
    can be negative (Linear, of a negative activity) is not negative if its own source layer stays >= 0; so the
    set of bounded layers is found by taking away layers until nothing changes. It also needs every layer to start
    inside of its interval, which is for the run to check.
    """
    bounded = {}
    for layer in network.layers:
        limits = layer.bounds()
        if limits is not None:
            bounded[layer.name] = limits
    for stimulus in network.stimuli:
        if stimulus.schedule.white or stimulus.schedule.lowest() < 0 or np.min(stimulus.pattern) < 0:
            for layer in network.layers:
                if stimulus.target in layer.receives:
                    bounded.pop(layer.name, None)
    changed = True
    while changed:
        changed = False
        for projection in network.projections:
            targets = [layer.name for layer in network.layers if projection.target in layer.receives]
            if not any(name in bounded for name in targets):
                continue
            source = bounded.get(projection.source)
            rate = projection.signal.nonnegative or (source is not None and np.all(source[0] >= 0.0))
            if projection.modulation is not None:
                third = bounded.get(projection.modulation.layer)
                rate = rate and projection.modulation.nonnegative(None if third is None else third[0])
            if not rate or projection.topology.smallest_weight() < 0 or projection.learning is not None:
                for name in targets:
                    bounded.pop(name, None)
                changed = True
    return bounded
