"""Which parts of a step in bands must come after which, and in which order threads begin them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from brnn.compiler.statements import Statement
from brnn.spec.topologies.rows import InRows

__all__ = ["Part", "Shape", "groups", "rows_of", "tasks_of"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Part:
    """A statement, and what it touches.

    Attributes
    ----------
    statement : Statement
        The statement.
    shape : tuple of int or None
        Of the maps whose rows are divided; None if it is done as a whole.
    divided : object
        What is equal for those of which the same band needs the same rows.
    own, any, writes : frozenset of str
        Arrays and sums that it reads within its rows alone, that it reads anywhere, and that it writes.
    kernel : InRows or None
        What does it for some rows, if it is the call of a kernel.
    near : bool
        Whether what it reads anywhere lies in the bands next to its own.
    begins : bool
        Whether the kernel sets, in the place of adding.
    """

    statement: Statement
    shape: Shape | None
    divided: object
    own: frozenset[str]
    any: frozenset[str]
    writes: frozenset[str]
    kernel: InRows | None = None
    near: bool = False
    begins: bool = False

    @property
    def by_map(self) -> bool:
        """Whether it can be done for one map after the other."""
        return self.shape is not None and (self.kernel is None or self.kernel.by_map)

    def crosses(self, other: Part) -> bool:
        """Tell whether one of two such statements writes what the other reads of other maps."""
        elsewhere, elsewhere_too = (frozenset() if p.kernel is None else p.touches - p.writes for p in (self, other))
        return bool(elsewhere & other.writes or elsewhere_too & self.writes)

    @property
    def touches(self) -> frozenset[str]:
        """All of them."""
        return self.own | self.any | self.writes

    def after(self, other: Part) -> int | None:
        """Return how many phases after an earlier one it comes at least; None if they have nothing in common."""
        apart = (self.any & other.writes) | (self.writes & other.any)
        if not apart and not (self.own & other.writes) | (self.writes & (other.own | other.writes)):
            return None
        if self.shape is None and other.shape is None:  # both with band 0, in their order
            return 0
        return 1 if apart or self.divided != other.divided else 0

    def beyond(self, other: Part) -> bool:
        """Tell whether one of two that come in different phases needs of the other more than the bands next to it."""
        if None in (self.shape, other.shape):
            return True
        reading = [part for part, writer in ((self, other), (other, self)) if part.any & writer.writes]
        return not all(part.near for part in reading) if reading else self.divided != other.divided


def groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Yield runs of statements that can be done one map after the other, all of them with each; others alone."""
    group: list[Part] = []
    for part in parts:
        alike = bool(group) and part.by_map and group[0].by_map and group[0].shape == part.shape
        if group and not (alike and not any(part.crosses(other) for other in group)):
            yield group
            group = []
        group.append(part)
    if group:
        yield group


def tasks_of(phases: Sequence[Sequence[Part]], bands: int) -> np.ndarray:
    """Return the order in which phases of bands are begun, and for each, which bands must be over in the phase before.

    Where a phase needs of the one before its own band and the next ones alone, bands follow each other through both,
    while they are in the caches.
    """
    first = 0
    starts: list[int] = []  # with which phase those begin that bands go through one after the other
    for k, phase in enumerate(phases):
        earlier = [other for before in phases[first:k] for other in before]
        if any(part.after(other) is not None and part.beyond(other) for part in phase for other in earlier):
            first = k
        starts.append(first)
    order = sorted(
        ((start, band + 2 * (k - start), -k, band) for k, start in enumerate(starts) for band in range(bands))
    )
    return np.array(
        [
            (-k, band, 0, bands) if -k == start else (-k, band, max(0, band - 1), min(bands, band + 2))
            for start, _, k, band in order
        ]
    )


def rows_of(shape: Shape) -> int:
    """Return the number of rows of each map; of a layer of one dimension, its cells."""
    return shape[-2] if len(shape) > 1 else shape[0]
