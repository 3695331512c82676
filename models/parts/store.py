"""What the models with a STORE working memory share: lists of items in time, and the two layers (41), (42)."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.base.memory import refuse_above
from brnn.errors import SpecError
from brnn.signals import Linear
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulses, Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import store as theory

__all__ = ["STORE", "TRACE", "ItemList", "ends_of", "memory", "pulses_of"]

STORE, TRACE = "store", "trace"  # the layers of (41) and of (42)

_SETTLED = 1e-9  # relative error of the stored items with the lengths that are chosen by default
_TOLERATED = 0.01  # relative error above which lengths that were given are warned of
_BYTES_PER_CELL = 8 * 20


@dataclass(frozen=True)
class ItemList:
    """A list of items in time.

    Parameters
    ----------
    places : ndarray of int, shape (items,)
        Which item is shown in each presentation, from 0 on.
    inputs : ndarray, shape (items,)
        A_j: A times the attention that each gets.
    intervals : ndarray, shape (items, 2)
        When each is on and when it goes off.
    end : float
        When the gap after the last one is over.
    """

    places: np.ndarray
    inputs: np.ndarray
    intervals: np.ndarray
    end: float

    @classmethod
    def checked(
        cls,
        model: str,
        n: Any,
        A: Any,
        items: Any = None,
        strengths: Any = None,
        duration: Any = None,
        gap: Any = None,
        *,
        default: int = 7,
        repeats: bool = True,
        delay: float = 0.0,
    ) -> ItemList:
        """Return the list that a user asked for; what is None is chosen.

        Parameters
        ----------
        model : str
            Name of the model, for messages.
        n : int or None
            Number of presentations.
        A : float
            Strength of the input.
        items, strengths, duration, gap
            As for `brnn.models.store.build`.
        default : int
            Number of presentations if nothing says how many.
        repeats : bool
            Whether repeated items share a cell, which changes how long pulses and gaps must be.
        delay : float
            How long it takes until an item that is on reaches the memory.

        Warns
        -----
        UserWarning
            If the given pulses or gaps are too short for the memory to equilibrate.

        Raises
        ------
        SpecError, InputError
            If a value is not valid, if items overlap or touch, or if the list would not fit into memory.
        """
        A = number(A, f"{model}: A", above=0.0)
        given = {"items": items, "strengths": strengths, "duration": duration, "gap": gap}
        rows = {
            name: array(value, f"{model}: {name}", minimum=None if name == "gap" else 0.0)
            for name, value in given.items()
            if value is not None
        }
        count = _number_of_presentations(model, n, rows, default)
        places = np.arange(count) if items is None else _places(rows["items"], f"{model}: items")
        cells = int(places.max()) + 1
        refuse_above(_BYTES_PER_CELL * cells + 8 * cells * count, f"{model}: items: {cells} cells")
        weights = np.broadcast_to(rows.get("strengths", 1.0), count)
        for name in ("strengths", "duration"):
            if name in rows and (rows[name] == 0).any():
                raise SpecError(f"{model}: {name} = 0: must be > 0")
        if "gap" in rows and (rows["gap"] <= 0).any():
            raise SpecError(
                f"{model}: gap = {rows['gap'].min():g}: must be > 0: items must not overlap or touch, since what was "
                f"stored is updated only in the silent gap after each item (42)"
            )
        shared = places if repeats else None
        if "duration" not in rows:
            rows["duration"] = np.array(delay + theory.needed_duration(A, count, _SETTLED, weights, shared))
        if "gap" not in rows:
            rows["gap"] = np.array(theory.needed_gap(A, count, _SETTLED, weights, shared))
        lengths, silences = np.broadcast_to(rows["duration"], count), np.broadcast_to(rows["gap"], count)
        if duration is not None or gap is not None:
            _warn_if_short(model, A, weights, shared, lengths, silences, delay)
        onsets = np.concatenate([[0.0], np.cumsum(lengths + silences)])
        return cls(places, A * weights, np.stack([onsets[:-1], onsets[:-1] + lengths], axis=1), float(onsets[-1]))

    @property
    def shown(self) -> Sequence:
        """The schedule of a stimulus whose pattern has one row for each presentation."""
        on, off = self.intervals.T
        return Sequence(np.arange(len(on)), duration=off - on, gap=np.append(on[1:], self.end) - off)

    @property
    def during(self) -> Pulses:
        """The schedule of I = sum I_k: on while any item is."""
        return Pulses(self.intervals)

    def rows(self, cells: int) -> np.ndarray:
        """Return the input A_j of each cell in each presentation, shape (presentations, cells)."""
        found = np.zeros((len(self.places), cells))
        found[np.arange(len(self.places)), self.places] = self.inputs
        return found


def pulses_of(network: Network) -> np.ndarray:
    """Return when each item of a network with a `memory` is on and goes off, shape (presentations, 2)."""
    schedule = next(stimulus.schedule for stimulus in network.stimuli if stimulus.kind == "modulatory")
    assert isinstance(schedule, Pulses)
    return schedule.intervals


def ends_of(network: Network) -> np.ndarray:
    """Return when the gap after each item is over, if the network ends with the last, shape (presentations,)."""
    return np.append(pulses_of(network)[1:, 0], float(network.duration or 0.0))


def memory(
    shape: int | tuple[int, ...], shown: ItemList, names: tuple[str, str] = (STORE, TRACE)
) -> tuple[list[GatedLayer], list[Projection], list[Stimulus]]:
    """Return STORE 1 without the input A I_i: the layers of (41) and (42), and what drives and gates them.

    Parameters
    ----------
    shape : int or tuple of int
        Shape of both layers.
    shown : ItemList
        When I is 1.
    names : tuple of two str
        Names of the two layers.
    """
    store, trace = names
    layers = [GatedLayer.store(store, shape), GatedLayer.store_trace(trace, shape)]
    projections = [
        Projection(trace, store, "excitatory", Linear(), OneToOne()),
        Projection(store, store, "inhibitory", Linear(), AllToAll()),
        Projection(store, trace, "excitatory", Linear(), OneToOne()),
    ]
    return layers, projections, [Stimulus(name, "modulatory", 1.0, shown.during) for name in names]


def _number_of_presentations(model: str, n: Any, rows: dict[str, np.ndarray], default: int) -> int:
    """Return the number of presentations: `n`, or what the arrays say."""
    sizes = {name: len(value) for name, value in rows.items() if value.ndim}
    for name, value in rows.items():
        if value.ndim > 1:
            raise SpecError(f"{model}: {name}: has shape {value.shape}, must be one number for each item")
    if n is not None:
        sizes = {"n": whole(n, f"{model}: n", minimum=1), **sizes}
    count = next(iter(sizes.values()), default)
    for name, size in sizes.items():
        if size != count:
            first = next(iter(sizes))
            raise SpecError(f"{model}: {name}: has {size} elements, must have one for each of {count} items ({first})")
    refuse_above(_BYTES_PER_CELL * count * count, f"{model}: a list of {count} items")  # theory takes that much
    return count


def _places(value: np.ndarray, where: str) -> np.ndarray:
    found = value.astype(np.int64)
    if value.ndim != 1 or (found != value).any():
        raise SpecError(f"{where}: must be whole numbers, one for each presentation")
    return found


def _warn_if_short(
    model: str,
    A: float,
    weights: np.ndarray,
    places: np.ndarray | None,
    lengths: np.ndarray,
    silences: np.ndarray,
    delay: float,
) -> None:
    """Warn if a stored item differs from that of an equilibrated memory; name the length that is needed."""
    n = len(weights)
    off = theory.deviation(A, n, np.maximum(lengths - delay, 0.0), silences, weights, places)
    if off <= _TOLERATED:
        return
    half = 0.4 * _TOLERATED  # for each of the two, so that both together stay within what is tolerated
    parts = [
        f"{name} = {given.min():.4g} is too short to equilibrate, {needed:.4g} is needed"
        for name, given, needed in (
            ("duration", lengths, delay + theory.needed_duration(A, n, half, weights, places)),
            ("gap", silences, theory.needed_gap(A, n, half, weights, places)),
        )
        if given.min() < needed
    ]
    warnings.warn(
        f"{model}: {'; '.join(parts)}: stored items differ by up to {off:.2g} times their size from the recursion",
        stacklevel=5,  # the line that calls `build`, which is wrapped (takes_dotted_names)
    )
