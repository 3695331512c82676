"""Successive: topologies one after the other, W = W_n ... W_2 W_1, without a layer between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import one_of
from brnn.base.checks import shape as sizes
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology

__all__ = ["Successive"]


@dataclass(frozen=True, eq=False, repr=False)
class Successive(Topology):
    """Topologies that follow each other: what one gives is what the next takes.

    Blocks of a fine map that are summed and then blurred, for instance, are one projection, without a layer of cells
    between, whose activities would follow late.

    Parameters
    ----------
    parts : sequence of Topology
        Each with kernels of whole layers: not OneToOne, AllToAll and AllButSelf.
    shapes : sequence of shapes
        What stands between two of them, one fewer.
    """

    parts: tuple[Topology, ...]
    shapes: tuple[Shape, ...]

    def __post_init__(self) -> None:
        at = "Successive"
        for name in ("parts", "shapes"):
            if not isinstance(getattr(self, name), (tuple, list)):
                raise SpecError(f"{at}: {name}: must be a list")
        parts = tuple(one_of(part, f"{at}: parts[{k}]", Topology, "a topology") for k, part in enumerate(self.parts))
        shapes = tuple(sizes(shape, f"{at}: shapes[{k}]") for k, shape in enumerate(self.shapes))
        if len(parts) < 2 or len(shapes) != len(parts) - 1:
            raise SpecError(
                f"{at}: {len(parts)} parts with {len(shapes)} shapes: at least two, and a shape between two"
            )
        for part in parts:
            if part.local or isinstance(part, Successive):
                raise SpecError(f"{at}: parts: {type(part).__name__} cannot be one of them")
        self._set(parts=parts, shapes=shapes)

    def steps(self, source: Shape, target: Shape) -> Iterator[tuple[Topology, Shape, Shape]]:
        """Yield each part with the shapes that it joins."""
        ends = (source, *self.shapes, target)
        return zip(self.parts, ends[:-1], ends[1:], strict=True)

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Let each part check what it joins."""
        for part, before, after in self.steps(source, target):
            part.check(before, after, where)

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return those of all parts; each has a kernel of its own."""
        return tuple(value for step in self.steps(source, target) for value in step[0].arguments(*step[1:]))

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return that of the last part."""
        part, *shapes = tuple(self.steps(source, target))[-1]
        return part.chosen_kernel(*shapes)

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return the product of the matrices."""
        matrices = [part.strengths(before, after) for part, before, after in self.steps(source, target)]
        W = matrices[0]
        for matrix in matrices[1:]:
            W = matrix @ W
        return W

    def smallest_weight(self) -> float:
        """Return 0 if no part has a negative strength, else minus infinity: no bound is known."""
        return 0.0 if all(part.smallest_weight() >= 0.0 for part in self.parts) else -np.inf
