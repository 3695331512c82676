"""What the models that learn share: lists of patterns, and when each of them is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.errors import SpecError
from brnn.spec.schedules import Pulses, Sequence

__all__ = ["Presentations", "order_of", "pattern_rows", "refuse_weights", "unit_rows"]

_BYTES_PER_WEIGHT = 8 * 16  # a run holds about sixteen numbers for each weight: states, slopes, stages of the solver


def pattern_rows(value: Any, where: str, *, cells: int | None = None, minimum: float | None = None) -> np.ndarray:
    """Return patterns as an array (patterns, cells); one pattern alone counts as a list of one.

    Parameters
    ----------
    value : array
        What the user gave.
    where : str
        Its place, for messages.
    cells : int, optional
        How many cells each pattern must have.
    minimum : float, optional
        Lower bound of every element.

    Raises
    ------
    SpecError
        If it is no such array.
    """
    rows = array(value, where, minimum=minimum)
    rows = rows[None, :] if rows.ndim == 1 else rows
    if rows.ndim != 2:
        raise SpecError(f"{where}: has shape {np.shape(value)}, must be (patterns, cells)")
    if cells is not None and rows.shape[1] != cells:
        raise SpecError(f"{where}: has patterns of {rows.shape[1]} cells, must have {cells}")
    return rows


def unit_rows(rows: np.ndarray, where: str) -> np.ndarray:
    """Return the patterns scaled to unit Euclidean length; SpecError if one is 0."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    if (length == 0).any():
        raise SpecError(f"{where}: pattern {int(np.argmin(length))} is 0 everywhere; it has no direction")
    return rows / length


def order_of(value: Any, where: str, count: int) -> np.ndarray:
    """Return the indices of the patterns in the order in which they are shown; SpecError if one does not exist."""
    given = array(value, where, ndim=1)
    order = given.astype(np.int64)
    if (order != given).any() or (order < 0).any() or (order >= count).any():
        wrong = given[(order != given) | (order < 0) | (order >= count)][0]
        raise SpecError(f"{where}: {wrong:g} is not the index of a pattern (there are {count}, from 0 on)")
    return order


def refuse_weights(model: str, count: int) -> None:
    """Raise InputError if a run with so many weights would not fit into memory."""
    refuse_above(_BYTES_PER_WEIGHT * count, f"{model}: {count:.6g} weights")


@dataclass(frozen=True)
class Presentations:
    """Patterns shown one after the other, all for the same time.

    Parameters
    ----------
    order : ndarray of int
        Which pattern is shown in each presentation.
    each : float
        How long a presentation lasts, silence included.
    start : float
        When the first begins.
    """

    order: np.ndarray
    each: float
    start: float = 0.0

    @classmethod
    def checked(cls, order: np.ndarray, each: Any, where: str) -> Presentations:
        """Return presentations from time 0 on; SpecError unless `each` is positive."""
        return cls(order, number(each, where, above=0.0))

    @classmethod
    def cycles(cls, patterns: int, count: Any, each: Any, model: str) -> Presentations:
        """Return `count` cycles through all patterns."""
        times = whole(count, f"{model}: cycles", minimum=1)
        return cls.checked(np.tile(np.arange(patterns), times), each, f"{model}: each")

    @property
    def count(self) -> int:
        """Number of presentations."""
        return len(self.order)

    @property
    def stop(self) -> float:
        """When the last one ends."""
        return self.start + self.each * self.count

    def then(self, order: np.ndarray) -> Presentations:
        """Return presentations that follow these."""
        return Presentations(order, self.each, self.stop)

    def onsets(self) -> np.ndarray:
        """Return when each begins."""
        return self.start + self.each * np.arange(self.count)

    def at(self, part: float) -> np.ndarray:
        """Return the time in each presentation when this part of it is over."""
        return self.onsets() + part * self.each

    def shown(self, silence: float = 0.0) -> Sequence:
        """Return the schedule of a stimulus whose pattern is the array of all patterns.

        The last part `silence` (0 to 1) of each presentation is empty.
        """
        off = silence * self.each
        return Sequence(self.order, duration=self.each - off, gap=off, start=self.start)

    def during(self, first: float, last: float) -> Pulses:
        """Return the schedule that is on from one part of each presentation to another (0 to 1)."""
        return Pulses(np.stack([self.at(first), self.at(last)], axis=1))
