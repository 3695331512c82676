"""BlockSums: maps of one resolution send to those of a coarser one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import number, whole
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells
from brnn.spec.topologies.stacks import stack_of

__all__ = ["BlockSums"]


@dataclass(frozen=True, eq=False, repr=False)
class BlockSums(Topology):
    """Each cell takes the sum over a block of cells of a finer map: maps of one resolution send to those of a coarser.

    The layers have shape (channels, rows, columns), and as many channels; or (rows, columns).

    Parameters
    ----------
    size : int
        Rows and columns of a block; those of the source are so many times those of the target.
    weight : float, >= 0
        Strength of every connection: 1 / size**2 for the mean.
    margin : int, >= 0
        Cells of the target along each edge that take nothing.
    """

    size: int
    weight: float = 1.0
    margin: int = 0

    def __post_init__(self) -> None:
        self._set(
            size=whole(self.size, "BlockSums: size", minimum=1),
            weight=number(self.weight, "BlockSums: weight", minimum=0.0),
            margin=whole(self.margin, "BlockSums: margin", minimum=0),
        )

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require whole blocks and as many channels."""
        before, after = stack_of(self, source, where, "source"), stack_of(self, target, where, "target")
        need = (before[0], *(size // self.size for size in before[1:]))
        if any(size % self.size for size in before[1:]):
            raise SpecError(
                f"{where}: BlockSums: maps of {before[1]} x {before[2]} cells are not whole blocks of "
                f"{self.size} x {self.size}"
            )
        if after != need:
            raise SpecError(f"{where}: BlockSums: the target has {after} channels, rows and columns, must have {need}")

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the size of blocks, the margin, rows and columns of the target, and the weight."""
        return np.array([self.size, self.margin, *target[-2:]]), self.weight

    @staticmethod
    def kernel(s: Any, net: Any, sizes: Any, weight: Any) -> None:
        """Add the sums, times the weight, to `net`."""
        size = sizes[0]
        margin = sizes[1]
        height = sizes[2]
        width = sizes[3]
        for c in range(net.size // (height * width)):
            for i in range(margin, height - margin):
                for j in range(margin, width - margin):
                    total = 0.0
                    for a in range(size):
                        start = ((c * height + i) * size + a) * width * size + j * size
                        for b in range(size):
                            total += s[start + b]
                    net[(c * height + i) * width + j] += weight * total

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W, block by block."""
        channels, height, width = (1, *target) if len(target) == 2 else target
        W = np.zeros((channels, height, width, channels, height * self.size, width * self.size))
        for c in range(channels):
            for i in range(self.margin, height - self.margin):
                for j in range(self.margin, width - self.margin):
                    rows, columns = (slice(k * self.size, (k + 1) * self.size) for k in (i, j))
                    W[c, i, j, c, rows, columns] = self.weight
        return W.reshape(cells(target), cells(source))

    def smallest_weight(self) -> float:
        """Return 0: no strength is negative."""
        return 0.0
