"""Convolutions by FFT of the same signals with several kernels: the signals are transformed once for all of them."""

from __future__ import annotations

from collections.abc import Mapping

from brnn.compiler.program import Program, SentSignals
from brnn.compiler.statements import Array
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.convolution import Convolution, back_kernel, forth_kernel

__all__ = ["add_shared"]


def add_shared(
    program: Program, network: Network, projection: Projection, sent: Mapping[str, SentSignals], net: Array
) -> bool:
    """Add a projection whose transform others share, the transform itself with the first of them.

    Return whether there are others; if not, nothing is added.
    """
    key = _transform(network, projection, sent)
    others = [other for other in network.projections if key is not None and _transform(network, other, sent) == key]
    if key is None or len(others) < 2:
        return False
    assert isinstance(projection.topology, Convolution)
    shape, name = network.layer(projection.source).shape, str(projection.name)
    sizes, rows, columns, transfer, buffer, spectrum, axes = projection.topology.arguments(shape, shape)
    forth, back = (program.kernel(*item) for item in (("transform", forth_kernel), ("transform_back", back_kernel)))
    if key not in program.transforms:
        for line in projection.topology.imports.values():
            program.imports[line] = None
        values = (sizes, rows, columns, buffer, spectrum, axes)
        shared = program.arguments(forth, 1, values, name)
        program.transforms[key] = (shared, program.named(["product"], [spectrum.copy()], name)[0])  # type: ignore[union-attr]
        program.add(program.call(forth, sent[name].array, *shared))
    (size, _, _, field, waves, both), product = program.transforms[key]
    own = program.named(["transfer"], [transfer], name)
    program.add(program.call(back, net, size, *own, waves, product, field, both))
    return True


def _transform(network: Network, projection: Projection, sent: Mapping[str, SentSignals]) -> tuple[object, ...] | None:
    """Return what two projections have in common that share a transform; None if one is not made by FFT."""
    topology, shape = projection.topology, network.layer(projection.source).shape
    if not isinstance(topology, Convolution) or projection.learning is not None:
        return None
    if projection.gate is not None and projection.gate.per == "connection":
        return None
    transform = topology.transform(shape)
    return None if transform is None else (sent[str(projection.name)].name, *transform)
