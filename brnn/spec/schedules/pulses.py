"""Schedules that are on or off: Constant, Pulse, Pulses, Sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.errors import SpecError
from brnn.spec.schedules.base import OnInIntervals, Schedule, Segment, inside

__all__ = ["Constant", "Pulse", "Pulses", "Sequence"]


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Schedule):
    """On all the time."""

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern."""
        return Segment(pattern)


@dataclass(frozen=True, eq=False, repr=False)
class Pulse(Schedule):
    """On while on <= t < off.

    Parameters
    ----------
    on, off : float
        on < off; `off` may be infinite.
    """

    on: float
    off: float

    def __post_init__(self) -> None:
        on = number(self.on, "Pulse: on")
        self._set(on=on, off=number(self.off, "Pulse: off", above=on, infinite=True))

    def breaks(self, duration: float) -> np.ndarray:
        """Return on and off."""
        return inside(np.array([self.on, self.off]), duration)

    def segment(self, time: float, pattern: np.ndarray) -> Segment:
        """Return the pattern while the pulse is on."""
        return Segment(pattern if self.on <= time < self.off else 0.0)

    def last(self) -> float:
        """Return off (or on, if the pulse does not end)."""
        return self.off if np.isfinite(self.off) else self.on


@dataclass(frozen=True, eq=False, repr=False)
class Pulses(OnInIntervals):
    """On during each of several intervals on <= t < off.

    Parameters
    ----------
    intervals : array, shape (pulses, 2)
        The pairs (on, off), in rising order and not overlapping.
    """

    intervals: np.ndarray

    def __post_init__(self) -> None:
        pairs = array(self.intervals, "Pulses: intervals", ndim=2)
        if pairs.shape[1] != 2:
            raise SpecError(f"Pulses: intervals: has shape {pairs.shape}, must be pairs (on, off)")
        if (np.diff(pairs.ravel()) < 0).any() or (pairs[:, 0] >= pairs[:, 1]).any():
            raise SpecError("Pulses: intervals: must rise and not overlap, with on < off in each pair")
        self._set(intervals=pairs)

    @classmethod
    def periodic(cls, period: float, width: float, count: int, start: float = 0.0) -> Self:
        """Return `count` pulses of the given width, one per period, the first at `start`."""
        number(width, "Pulses: width", above=0.0, maximum=number(period, "Pulses: period", above=0.0))
        onsets = start + period * np.arange(whole(count, "Pulses: count", minimum=1))
        return cls(np.stack([onsets, onsets + width], axis=1))


@dataclass(frozen=True, eq=False, repr=False)
class Sequence(OnInIntervals):
    """Several patterns, one after the other, with gaps between them.

    Parameters
    ----------
    items : array of int, or array of shape ``(items, *layer shape)``
        Either rows of the stimulus' pattern (which then has shape ``(patterns, *layer shape)``), in the order in
        which they are shown, or the patterns themselves (the stimulus' pattern then multiplies each of them).
    duration : float or array, > 0
        How long each item is on; one number, or one for each item.
    gap : float or array, >= 0
        Silence after each item.
    start : float
        When the first item begins.
    """

    items: np.ndarray
    duration: float | np.ndarray
    gap: float | np.ndarray = 0.0
    start: float = 0.0

    def __post_init__(self) -> None:
        items = np.asarray(self.items)
        if items.ndim == 1 and items.dtype.kind in "iu":
            if items.size == 0:
                raise SpecError("Sequence: items: the array is empty")
            if (items < 0).any():
                raise SpecError(f"Sequence: items: has the index {items.min()}; indices of patterns must be >= 0")
            items = items.astype(np.int64)
            items.setflags(write=False)
        else:
            items = array(self.items, "Sequence: items")
            if items.ndim < 2:
                raise SpecError("Sequence: items: must be whole numbers (rows of the pattern) or patterns")
        length = np.array(array(self.duration, "Sequence: duration", minimum=0.0))
        silence = np.array(array(self.gap, "Sequence: gap", minimum=0.0))
        for name, value in (("duration", length), ("gap", silence)):
            if value.shape not in ((), (len(items),)):
                raise SpecError(f"Sequence: {name}: has shape {value.shape}, must be one number or one per item")
        if (length <= 0).any():
            raise SpecError(f"Sequence: duration = {length.min():g}: must be > 0")
        self._set(
            items=items,
            duration=float(length) if length.ndim == 0 else array(length, "Sequence: duration"),
            gap=float(silence) if silence.ndim == 0 else array(silence, "Sequence: gap"),
            start=number(self.start, "Sequence: start"),
        )

    @property
    def intervals(self) -> np.ndarray:
        """Onset and offset of each item, shape (items, 2)."""
        count = len(self.items)
        length = np.broadcast_to(self.duration, count)
        onsets = self.start + np.concatenate([[0.0], np.cumsum(length + np.broadcast_to(self.gap, count))[:-1]])
        return np.stack([onsets, onsets + length], axis=1)

    def check(self, pattern: tuple[int, ...], layer: tuple[int, ...], where: str) -> None:
        """Require one pattern for each index, or patterns of the layer's shape."""
        if self.items.ndim == 1:
            if len(pattern) != len(layer) + 1 or pattern[1:] != layer:
                raise SpecError(
                    f"{where}: pattern: has shape {pattern}, must be (patterns, *{layer}) for a Sequence of indices"
                )
            if self.items.max() >= pattern[0]:
                raise SpecError(f"{where}: Sequence: item {self.items.max()}: the pattern has only {pattern[0]} rows")
        else:
            if self.items.shape[1:] != layer:
                raise SpecError(f"{where}: Sequence: items: have shape {self.items.shape[1:]}, the layer has {layer}")
            super().check(pattern, layer, where)

    def given(self, k: int, pattern: np.ndarray) -> np.ndarray:
        """Return the item that is on."""
        return pattern[self.items[k]] if self.items.ndim == 1 else pattern * self.items[k]

    def lowest(self) -> float:
        """Return the smallest factor."""
        return 0.0 if self.items.ndim == 1 else min(0.0, float(self.items.min()))
