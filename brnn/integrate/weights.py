"""Whether the weights of a network can be integrated by factors, without stages of their own."""

from __future__ import annotations

from brnn.spec.learning import Learning
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllButSelf, AllToAll

__all__ = ["by_factors"]

_LEAST = 100_000  # weights; fewer are in the cache anyway


def by_factors(network: Network) -> tuple[bool, str]:
    """Tell whether `brnn.integrate.steppers.affine_weights` should be used, and what to say of it; "" if nothing."""
    learning = [projection for projection in network.projections if projection.learning is not None]
    weights = sum(
        projection.topology.connections(network.layer(projection.source).shape, network.layer(projection.target).shape)
        for projection in learning
    )
    if weights < _LEAST or any(projection.delay > 0.0 for projection in network.projections):
        return False, ""
    for projection in learning:
        why = _against(projection)
        if why is not None:
            return False, f"; weights stage by stage, as of {projection.name} {why}"
    return True, "; weights by factors, as their laws are affine"


def _against(projection: Projection) -> str | None:
    """Return why the weights of a projection need stages of their own; None if they do not."""
    assert projection.learning is not None
    law = type(projection.learning)
    if law.end is None or _defines(law, "law") is not _defines(law, "parts"):
        return f"the rate of {law.__name__} is not one of the source or the target cell alone"
    if type(projection.topology) not in (AllToAll, AllButSelf):
        return f"the topology is {type(projection.topology).__name__}, not AllToAll or AllButSelf"
    if projection.gate is not None and projection.gate.per == "connection":
        return "each connection has a gate of its own"
    return None


def _defines(law: type[Learning], name: str) -> type | None:
    """Return the class that a law has this function from: one with another `law` needs `parts` of its own."""
    return next((base for base in law.__mro__ if name in vars(base)), None)
