"""Stacks of maps: layers of shape (channels, rows, columns)."""

from __future__ import annotations

from brnn.errors import SpecError
from brnn.spec.topologies.base import Shape, Topology

__all__ = ["channels_of", "stack_of"]


def stack_of(topology: Topology, shape: Shape, where: str, end: str) -> tuple[int, int, int]:
    """Return channels, rows and columns of a layer; one of two dimensions is a single map."""
    if len(shape) not in (2, 3):
        raise SpecError(
            f"{where}: {type(topology).__name__} needs layers of shape (channels, rows, columns) or (rows, columns), "
            f"not {shape} ({end})"
        )
    return (1, shape[0], shape[1]) if len(shape) == 2 else (shape[0], shape[1], shape[2])


def channels_of(topology: Topology, source: Shape, target: Shape, where: str) -> tuple[int, int]:
    """Return how many channels two layers have, whose maps must be of one size."""
    before, after = stack_of(topology, source, where, "source"), stack_of(topology, target, where, "target")
    if before[1:] != after[1:]:
        raise SpecError(
            f"{where}: {type(topology).__name__} joins maps of the same size, "
            f"not {before[1:]} (source) and {after[1:]} (target)"
        )
    return before[0], after[0]
