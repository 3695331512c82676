"""The interface of a topology: who sends to whom, and how strongly."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from brnn.base.checks import fitting
from brnn.base.data import Spec
from brnn.errors import SpecError

__all__ = ["Argument", "Topology", "same_shape"]

Argument = float | np.ndarray
Shape = tuple[int, ...]


@dataclass(frozen=True, eq=False, repr=False)
class Topology(Spec):
    """Constant strengths W[target, source] of a projection, and a kernel that applies them.

    To write a new topology, subclass it in a new file:

    1. The subclass is ``@dataclass(frozen=True, eq=False, repr=False)`` and validates its fields in ``__post_init__``.
    2. ``check(source, target, where)`` raises SpecError if it cannot join layers of these shapes.
    3. If the input of a cell needs only the signal of the cell with the same index and the sum over all
       signals, set ``local = True`` and write the static function of scalars ``kernel(s, total, *arguments)``;
       otherwise ``kernel(s, net, *arguments)``, a static function of flat arrays that adds W s to `net`.
       Its text goes into the generated Numba code: it may use only ``np``, arithmetic and loops, it must not
       allocate; it may call functions of its own module, and names listed in ``imports``.
    4. ``arguments(source, target)`` returns the numbers and arrays that `kernel` takes after the first two,
       work arrays included.
    5. If its connections can carry gates and weights of their own, ``storage`` says how these are laid out: "dense"
       (target by source; then ``strength(j, i, *weights)`` is a static function of scalars that returns W[j, i], from
       the arguments ``weights(source, target)``), "sparse" (the rows of a CSR matrix) or "single" (one per cell).
    6. ``strengths(source, target)`` returns W itself, made in the plainest way: tests and theory use it.
    """

    needs: ClassVar[tuple[str, ...]] = ("arguments", "strengths")
    kernel: ClassVar[Callable[..., Any]]
    strength: ClassVar[Callable[..., Any]]
    local: ClassVar[bool] = False
    needs_self: ClassVar[bool] = False  # local kernels: whether the cell of the same index matters
    storage: ClassVar[Literal["dense", "sparse", "single"] | None] = None  # of one number per connection
    signed: ClassVar[bool] = False  # whether strengths of both signs are its purpose
    rooms: ClassVar[tuple[str, ...]] = ()  # arguments of a kernel that it writes before it reads them, of one dimension
    imports: ClassVar[dict[str, str]] = {}  # global name used by a kernel -> the import line it needs

    @classmethod
    def meant(cls, value: Any) -> str:
        """Return what was probably meant: a matrix is a Dense or a Sparse, W[target, source]."""
        if hasattr(value, "tocsr"):
            return "brnn.Sparse(W), W being this matrix"
        if isinstance(value, (np.ndarray, list, tuple)) and np.ndim(value) == 2:
            return "brnn.Dense(W), W being this array"
        return super().meant(value)

    def check(self, source: Shape, target: Shape, where: str) -> None:
        """Raise SpecError if layers of these shapes cannot be joined."""
        return None

    def arguments(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the kernel's arguments after the first two."""
        raise NotImplementedError

    def chosen_kernel(self, source: Shape, target: Shape) -> tuple[str, Callable[..., Any]]:
        """Return the name that the kernel has in the generated code, and the kernel for these shapes."""
        return _snake(type(self).__name__), type(self).kernel

    def strengths(self, source: Shape, target: Shape) -> np.ndarray:
        """Return W, of shape (target cells, source cells)."""
        raise NotImplementedError

    def weights(self, source: Shape, target: Shape) -> tuple[Argument, ...]:
        """Return the arguments of `strength` after j and i."""
        return self.arguments(source, target)

    def connections(self, source: Shape, target: Shape) -> int:
        """Return how many connections there are room for."""
        return cells(target) if self.storage == "single" else cells(target) * cells(source)

    def fits(self, value: Any, source: Shape, target: Shape, where: str) -> None:
        """Raise SpecError unless an array has a number for each connection, in their order."""
        if self.storage == "single":
            fitting(value, target, where)
        elif self.connections(source, target) == cells(target) * cells(source):
            fitting(value, (cells(target), cells(source)), where, " [target, source]")
        else:
            fitting(value, (self.connections(source, target),), where, " (one for each that is stored)")

    def smallest_weight(self) -> float:
        """Return a lower bound of the strengths, to tell whether signs are mixed."""
        raise NotImplementedError


def same_shape(topology: Topology, source: Shape, target: Shape, where: str) -> None:
    """Raise SpecError unless both layers have the same shape."""
    if source != target:
        raise SpecError(
            f"{where}: {type(topology).__name__} joins layers of the same shape, "
            f"not {source} (source) and {target} (target)"
        )


def _snake(name: str) -> str:
    return "".join(("_" + c.lower()) if c.isupper() and k else c.lower() for k, c in enumerate(name))


def cells(shape: Shape) -> int:
    """Return the number of cells of a layer of this shape."""
    return math.prod(shape)
