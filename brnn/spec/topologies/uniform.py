"""OneToOne, AllToAll, AllButSelf: topologies that cost O(n)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from brnn.base.checks import number
from brnn.spec.topologies.base import Argument, Shape, Topology, cells, same_shape

__all__ = ["AllButSelf", "AllToAll", "OneToOne"]


@dataclass(frozen=True, eq=False, repr=False)
class _Uniform(Topology):
    """A topology with one strength for all its connections."""

    weight: float = 1.0

    local: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._set(weight=number(self.weight, f"{type(self).__name__}: weight", minimum=0.0))

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the weight."""
        return (self.weight,)

    def smallest_weight(self) -> float:
        """Return the weight."""
        return self.weight


@dataclass(frozen=True, eq=False, repr=False)
class OneToOne(_Uniform):
    """Each cell sends to the cell with the same index: W = weight * identity.

    Parameters
    ----------
    weight : float, >= 0
        Strength of every connection.
    """

    needs_self: ClassVar[bool] = True
    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = "single"

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require equal shapes."""
        same_shape(self, source, target, where)

    @staticmethod
    def kernel(s: Any, total: Any, weight: Any) -> Any:
        """Return weight * s_i."""
        return weight * s

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return weight * identity."""
        return self.weight * np.eye(cells(target))


@dataclass(frozen=True, eq=False, repr=False)
class AllToAll(_Uniform):
    """Each cell sends to every cell, itself included: W = weight everywhere. Costs O(n).

    Parameters
    ----------
    weight : float, >= 0
        Strength of every connection.
    """

    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = "dense"

    @staticmethod
    def kernel(s: Any, total: Any, weight: Any) -> Any:
        """Return weight * sum_k s_k."""
        return weight * total

    @staticmethod
    def strength(j: Any, i: Any, weight: Any) -> Any:
        """Return the weight."""
        return weight

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return a matrix of equal elements."""
        return np.full((cells(target), cells(source)), self.weight)


@dataclass(frozen=True, eq=False, repr=False)
class AllButSelf(_Uniform):
    """Each cell sends to every other cell (off-surround): W = weight off the diagonal. Costs O(n).

    Parameters
    ----------
    weight : float, >= 0
        Strength of every connection.
    """

    needs_self: ClassVar[bool] = True
    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = "dense"

    @staticmethod
    def strength(j: Any, i: Any, weight: Any) -> Any:
        """Return the weight, but 0 on the diagonal."""
        return weight * (i != j)

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Require equal shapes."""
        same_shape(self, source, target, where)

    @staticmethod
    def kernel(s: Any, total: Any, weight: Any) -> Any:
        """Return weight * sum_{k != i} s_k as the total minus the cell's own signal."""
        return weight * (total - s)

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return weight * (1 - identity)."""
        return self.weight * (1.0 - np.eye(cells(target)))
