"""IndexShift: the same field in two frames of reference, one moved beside the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, number, one_of, whole
from brnn.errors import SpecError
from brnn.spec.topologies.base import Argument, Shape, Topology, cells

__all__ = ["IndexShift"]


@dataclass(frozen=True, eq=False, repr=False)
class IndexShift(Topology):
    """Cell k of the source sends to cell k + offset of the target, counted as one row of cells; what leaves is lost.

    So a map of the retina and one of the head are connected, whose offset is the position of the eye. The action
    `MoveMaps` changes it during a run; the structure of the network stays the same.

    Parameters
    ----------
    offset : int
        How much further on the target cell is.
    weight : float, >= 0
        Strength of every connection.
    others : bool
        Whether each cell gets the signals of all cells that arrive, but for the one that would be its own.
    without : sequence of int
        Cells, counted from 0, that neither send nor receive.

    Notes
    -----
    The target has as many cells as the source, or is a stack of such maps, of shape (maps, cells), which all get the
    same.
    """

    offset: int = 0
    weight: float = 1.0
    others: bool = False
    without: Any = ()

    def __post_init__(self) -> None:
        without: Any = self.without
        if len(without):
            given = array(without, "IndexShift: without", minimum=0.0, ndim=1)
            without = tuple(sorted({whole(float(k), "IndexShift: without") for k in given}))
        self._set(
            offset=whole(self.offset, "IndexShift: offset"),
            weight=number(self.weight, "IndexShift: weight", minimum=0.0),
            others=one_of(self.others, "IndexShift: others", bool, "True or False"),
            without=tuple(without),
        )

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require maps of one size, which have the cells that are left out."""
        size = cells(source)
        if cells(target) != size and not (len(target) > 1 and cells(target[1:]) == size):
            raise SpecError(
                f"{where}: IndexShift joins maps of as many cells, or a map and a stack of them, not {source} (source) "
                f"and {target} (target)"
            )
        if self.without and self.without[-1] >= size:
            raise SpecError(f"{where}: IndexShift: without: there is no cell {self.without[-1]}, the map has {size}")

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return offset, weight, 1 for all but the own signal, and which cells take part."""
        takes_part = np.ones(cells(source))
        takes_part[list(self.without)] = 0.0
        return float(self.offset), self.weight, float(self.others), takes_part

    @staticmethod
    def kernel(s: Any, net: Any, offset: Any, weight: Any, others: Any, takes_part: Any) -> None:
        """Add W s to `net`."""
        size, shift = s.size, int(offset)
        total = 0.0
        if others > 0.0:
            for k in range(max(0, -shift), min(size, size - shift)):
                total += takes_part[k] * takes_part[k + shift] * s[k]
        for i in range(net.size):
            place = i % size
            k = place - shift
            own = s[k] * takes_part[k] if 0 <= k < size else 0.0
            net[i] += weight * takes_part[place] * (total - own if others > 0.0 else own)

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W: ones on a diagonal, or everywhere in the columns that arrive but there."""
        size = cells(source)
        takes_part = np.ones(size)
        takes_part[list(self.without)] = 0.0
        W = np.eye(size, k=-self.offset) * takes_part * takes_part[:, None]
        if self.others:
            W = takes_part[:, None] * (W.sum(axis=0) - W)
        return self.weight * np.tile(W, (cells(target) // size, 1))

    def smallest_weight(self) -> float:
        """Return 0: no strength is negative."""
        return 0.0
