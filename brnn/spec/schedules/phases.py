"""Schedules that follow the phases of a protocol: InPhase, and Presented, which the protocol's own inputs have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import array, identifier
from brnn.errors import SpecError
from brnn.spec.schedules.base import OnInIntervals

__all__ = ["InPhase", "Presented"]


@dataclass(frozen=True, eq=False, repr=False)
class InPhase(OnInIntervals):
    """On during some phases of the network's protocol: a stimulus, a learning window, or a window of an event.

    Parameters
    ----------
    names : str or sequence of str
        Names of the phases. The network, which knows the protocol, fills in when they are.
    """

    names: Any

    _intervals: ClassVar[np.ndarray | None] = None  # of this class; the network gives each instance its own

    def __post_init__(self) -> None:
        names: Sequence[Any] = (self.names,) if isinstance(self.names, str) else self.names
        if not isinstance(names, Sequence) or not names:
            raise SpecError("InPhase: names: must be the name of a phase, or a list of them")
        self._set(names=tuple(identifier(name, "InPhase: names") for name in names))

    def bound(self, intervals: np.ndarray) -> InPhase:
        """Return the schedule that is on during these intervals, shape (occurrences, 2), in rising order."""
        result = self.replace()
        result._set(_intervals=intervals)
        return result

    @property
    def intervals(self) -> np.ndarray:
        """Beginning and end of each occurrence, shape (occurrences, 2)."""
        if self._intervals is None:
            raise SpecError(f"InPhase({', '.join(self.names)}): has a meaning only in a network with a protocol")
        return self._intervals


@dataclass(frozen=True, eq=False, repr=False)
class Presented(OnInIntervals):
    """Rows of the stimulus' pattern, each during an interval of its own.

    Parameters
    ----------
    intervals : array, shape (presentations, 2)
        Pairs (on, off), in rising order and not overlapping.
    rows : array of int, shape (presentations,)
        Which row of the pattern, which has shape ``(rows, *layer shape)``, is on in each.
    """

    intervals: np.ndarray
    rows: np.ndarray

    def __post_init__(self) -> None:
        pairs = array(self.intervals, "Presented: intervals", ndim=2)
        if pairs.shape[1] != 2 or (np.diff(pairs.ravel()) < 0).any() or (pairs[:, 0] >= pairs[:, 1]).any():
            raise SpecError("Presented: intervals: must be pairs (on, off) that rise and do not overlap")
        rows = array(self.rows, "Presented: rows", minimum=0.0, shape=(len(pairs),)).astype(np.int64)
        if (rows != self.rows).any():
            raise SpecError("Presented: rows: must be whole numbers")
        rows.setflags(write=False)
        self._set(intervals=pairs, rows=rows)

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require a pattern for each row."""
        if pattern[1:] != layer or len(pattern) != len(layer) + 1 or self.rows.max() >= pattern[0]:
            raise SpecError(
                f"{where}: pattern: has shape {pattern}, must be (rows, *{layer}) with {self.rows.max() + 1} rows"
            )

    def given(self, k: int, pattern: np.ndarray) -> np.ndarray:
        """Return the row that is on."""
        return pattern[self.rows[k]]
