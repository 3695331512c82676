"""What the self-organizing avalanches share: lists of items, in slots of time, and cells that learn their order.

Each slot takes a unit of time. In it an item is shown, or nothing; the category cells are reset at its beginning and at
its end, compete in between, and the winner samples what is there. Lists are followed by slots of silence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import array, number, whole
from brnn.errors import SpecError
from brnn.models.parts.presentations import order_of, pattern_rows
from brnn.models.parts.runs import run
from brnn.signals import ThresholdLinear
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.layers import Layer
from brnn.spec.learning import Instar, Outstar
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Pulses, Sequence
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllButSelf, AllToAll

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = [
    "DECIDED",
    "RECALLED",
    "SAMPLED",
    "LearnedLists",
    "ListSlots",
    "SequenceSampler",
    "items_and_lists",
    "learned_in_slots",
    "nearest",
    "pictures",
]

SAMPLED = (0.6, 0.85)  # parts of a slot between which the weights learn
DECIDED = 0.9  # when the winner of a slot is read
SILENCE = 2  # slots after each list
_OPEN = (0.35, 0.95)  # between them the category cells are not reset
_WINNER = ThresholdLinear(gain=4.0, threshold=0.25, ceiling=0.25)  # 1 from an activity of 0.5 on
_RECTIFIED = ThresholdLinear()
_PRIME = 0.2  # strength of a serial link: alone below the threshold of the signal
_AROUSAL = 0.5  # in a replay: all categories get it, none fires by it alone
RECALLED = 0.5  # of an outstar's weight
_PICTURES = 12


@dataclass(frozen=True)
class ListSlots:
    """Lists that are learned in turn, and then replayed from their first items.

    Attributes
    ----------
    items : ndarray of int, shape (slots,)
        What is shown in each slot; -1 for nothing.
    training : ndarray of bool, shape (slots,)
        Slots in which the weights learn.
    replaying : ndarray of bool, shape (slots,)
        Slots in which the network goes on by itself.
    replays : ndarray of int, shape (lists, slots)
        Indices of the slots of each replay, those with the cue included; -1 after the end of a shorter list.
    """

    items: np.ndarray
    training: np.ndarray
    replaying: np.ndarray
    replays: np.ndarray

    @classmethod
    def checked(cls, lists: Any, cycles: Any, cue: Any, count: int, model: str) -> ListSlots:
        """Return the slots of what a user gave.

        Parameters
        ----------
        lists : sequence of sequences of int
            Indices of items.
        cycles : int
            How often every list is learned.
        cue : int
            How many items are shown in a replay.
        count : int
            How many items there are.

        Raises
        ------
        SpecError
            If a list is too short, or an item does not exist.
        """
        shown = whole(cue, f"{model}: cue", minimum=1)
        if isinstance(lists, str) or not hasattr(lists, "__len__") or len(lists) == 0:
            raise SpecError(f"{model}: lists: must be one list of items or more, e.g. [[0, 1, 2], [3, 1, 4]]")
        given = [order_of(one, f"{model}: lists[{k}]", count) for k, one in enumerate(lists)]
        for k, one in enumerate(given):
            if len(one) <= shown:
                raise SpecError(f"{model}: lists[{k}]: has {len(one)} items; it must have more than the cue, {shown}")
        rest = [-1] * SILENCE
        items: list[int] = []
        for one in given * whole(cycles, f"{model}: cycles", minimum=1):
            items += [*one, *rest]
        trained = len(items)
        replaying = [False] * trained
        replays = np.full((len(given), max(map(len, given))), -1)
        for k, one in enumerate(given):
            replays[k, : len(one)] = len(items) + np.arange(len(one))
            items += [*one[:shown], *[-1] * (len(one) - shown), *rest]
            replaying += [False] * shown + [True] * (len(one) - shown) + [False] * SILENCE
        return cls(np.array(items), np.arange(len(items)) < trained, np.array(replaying), replays)

    @property
    def count(self) -> int:
        """Number of slots."""
        return len(self.items)

    @property
    def protocol(self) -> Protocol:
        """The phases: all lists are learned, all lists are replayed."""
        trained = int(self.training.sum())
        return Protocol((Phase("learn", float(trained)), Phase("replay", float(self.count - trained))))

    @property
    def silent(self) -> np.ndarray:
        """Slots after a list, in which nothing is shown and nothing is replayed."""
        return (self.items < 0) & ~self.replaying

    def during(self, slots: np.ndarray, first: float, last: float) -> Pulses:
        """Return the schedule that is on in these slots (bool), from one part of each to another."""
        begins = np.flatnonzero(slots)
        return Pulses(np.stack([begins + first, begins + last], axis=1))

    def shown(self, rows: np.ndarray, slots: np.ndarray | None = None) -> tuple[np.ndarray, Sequence]:
        """Return pattern and schedule of a stimulus that shows a row for each item (in some slots only)."""
        items = self.items if slots is None else np.where(slots, self.items, -1)
        return np.vstack([rows, np.zeros(rows.shape[1])]), Sequence(np.where(items < 0, len(rows), items), 1.0)


@dataclass(frozen=True)
class SequenceSampler:
    """Category cells with instars from the layer "input", serial links among them, and outstars to a screen.

    Parameters
    ----------
    slots : ListSlots
        What happens when.
    weights : ndarray, shape (categories, inputs)
        Instars at time 0.
    rate : float
        Learning rate of instars and outstars (1/time).
    links : float
        Learning rate of the serial links (1/time).
    speed : float
        Rate of all cells (1/time).
    """

    slots: ListSlots
    weights: np.ndarray
    rate: float
    links: float
    speed: float

    @classmethod
    def checked(
        cls, model: str, slots: ListSlots, shape: tuple[int, int], fresh: float,
        *, weights: Any, M: Any, L: Any, speed: Any, seed: Any,
    ) -> SequenceSampler:  # fmt: skip
        """Return the cells of what a user gave.

        Parameters
        ----------
        model : str
            Name of the model, for messages.
        slots : ListSlots
            What happens when.
        shape : tuple of int
            Category cells and inputs.
        fresh : float
            What the weights are about at time 0, within 0.3%, if none are given.
        weights, M, L, speed, seed : object
            The parameters of the model of these names; M is the rate of instars and outstars, L that of the links.

        Raises
        ------
        SpecError
            If one of them is not valid.
        """
        rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
        if weights is None:
            weights = fresh * rng.uniform(0.997, 1.003, size=shape)
        return cls(
            slots,
            array(weights, f"{model}: weights", shape=shape),
            number(M, f"{model}: M", minimum=0.0),
            number(L, f"{model}: L", minimum=0.0),
            number(speed, f"{model}: speed", above=0.0),
        )

    def layers(self, pixels: int) -> tuple[Layer, Layer, Layer]:
        """Return the layers "input", "category" and "screen"."""
        s, (m, n) = self.speed, self.weights.shape
        return (
            Layer.additive("input", n, A=2.0 * s),
            Layer.additive("category", m, A=s),
            Layer.additive("screen", pixels, A=s),
        )

    def projections(self) -> tuple[Projection, ...]:
        """Return instars, competition, serial links and outstars."""
        s, slots = self.speed, self.slots
        window = slots.during(slots.training, *SAMPLED)
        instars = Instar(self.rate, _WINNER, _RECTIFIED, initial=self.weights, schedule=window)
        links = Outstar(self.links, _WINNER, _WINNER, schedule=window)
        outstars = Outstar(self.rate / RECALLED, schedule=window)
        return (
            Projection("input", "category", "excitatory", _RECTIFIED, AllToAll(s), learning=instars, name="filter"),
            Projection("category", "category", "inhibitory", _RECTIFIED, AllButSelf(3.0 * s)),
            Projection(  # what won a slot ago samples what wins now
                "category", "category", "excitatory", _WINNER, AllButSelf(_PRIME * s), learning=links, delay=1.0,
                name="links",
            ),
            Projection(
                "category", "screen", "excitatory", _WINNER, AllToAll(RECALLED * s), learning=outstars, name="outstars"
            ),
        )  # fmt: skip

    def stimuli(self, shown: np.ndarray, resets: float) -> tuple[Stimulus, ...]:
        """Return the pictures on the screen in training, the resets, and the arousal of the replays."""
        s, slots = self.speed, self.slots
        begins = np.arange(slots.count + 1)
        closed = np.stack([begins - 1.0 + _OPEN[1], begins + _OPEN[0]], axis=1)
        return (
            Stimulus("screen", "excitatory", *_scaled(s, slots.shown(shown, slots.training))),
            Stimulus("category", "inhibitory", resets * s, Pulses(closed)),
            Stimulus("category", "excitatory", _AROUSAL * s, slots.during(slots.replaying, *_OPEN)),
        )

    def predicted(self, patterns: np.ndarray, shown: np.ndarray) -> LearnedLists:
        """Return what the same learning in discrete steps, a winner for each slot, leads to.

        Parameters
        ----------
        patterns : ndarray, shape (slots, inputs)
            What the input cells show in each slot; 0 if nothing.
        shown : ndarray, shape (items, pixels)
            Pictures of the items.
        """
        from scipy.linalg import expm

        slots, span = self.slots, SAMPLED[1] - SAMPLED[0]
        q, r = np.exp(-self.rate * span), np.exp(-self.links * span)
        z = self.weights.copy()
        m = len(z)
        links, outstars = np.zeros((m, m)), np.zeros((shown.shape[1], m))
        s, M = self.speed, self.rate / RECALLED
        flow = expm(span * np.array([[-s, RECALLED * s], [M, -M]]))  # of screen and outstar, away from where they rest
        before, winners = -1, np.full(slots.count, -1)
        for k in range(slots.count):
            primed = _PRIME * links[:, before] if before >= 0 else np.zeros(m)
            winner = -1
            if slots.items[k] >= 0:
                winner = int(np.argmax(z @ patterns[k] + primed))
            elif slots.replaying[k] and primed.any():
                winner = int(np.argmax(primed))
            if slots.training[k]:
                now = np.eye(m)[winner] if winner >= 0 else np.zeros(m)
                if before >= 0:
                    links[:, before] = now + (links[:, before] - now) * r
                if winner >= 0:
                    z[winner] = patterns[k] + (z[winner] - patterns[k]) * q
                    goal, w = shown[slots.items[k]] / (1.0 - RECALLED), outstars[:, winner]
                    # The screen follows at once: it begins at the picture and what is recalled of it.
                    away = np.stack([RECALLED * (w - goal), w - goal])
                    outstars[:, winner] = goal + (flow @ away)[1]
            winners[k] = before = winner
        np.fill_diagonal(links, 0.0)
        return LearnedLists(winners, z, links, outstars)


@dataclass(frozen=True)
class LearnedLists:
    """What was learned.

    Attributes
    ----------
    winners : ndarray of int, shape (slots,)
        Which category fires in each slot; -1 for none.
    filter : ndarray, shape (categories, inputs)
        Weights of the instars.
    links : ndarray, shape (categories, categories)
        Weights of the serial links, [next, before].
    outstars : ndarray, shape (pixels, categories)
        Weights of the outstars.
    """

    winners: np.ndarray
    filter: np.ndarray
    links: np.ndarray
    outstars: np.ndarray

    @classmethod
    def of(cls, result: Any, slots: int) -> LearnedLists:
        """Return it of a run whose saved times are those at which each slot is decided, and the end."""
        signal = _WINNER(np.asarray(result["category.x"])[:slots])
        winners = np.where(signal.max(axis=1) > 0.5, signal.argmax(axis=1), -1)
        weights = (np.asarray(result[f"{name}.z"])[-1] for name in ("filter", "links", "outstars"))
        return cls(winners, *weights)


def pictures(count: int) -> np.ndarray:
    """Return up to twelve pictures of 6 x 6 pixels, 12 of them lit; two pictures share 4 lit pixels or none.

    They are the lines of an affine plane of nine points, repeated: four directions, three places.
    """
    row, column = np.indices((6, 6))
    directions = (row, column, row + column, row - column)
    lines = [(direction % 3 == place).ravel() for place in range(3) for direction in directions]
    return np.array(lines[:count], dtype=np.float64)


def nearest(screen: np.ndarray, shown: np.ndarray) -> np.ndarray:
    """Return the item whose picture correlates most with each row of the screen; -1 for a dark screen."""
    found = np.full(len(screen), -1)
    lit = np.ptp(screen, axis=1) > 0.1 * np.ptp(shown)
    if lit.any():
        found[lit] = np.corrcoef(screen[lit], shown)[: lit.sum(), lit.sum() :].argmax(axis=1)
    return found


def items_and_lists(items: Any, lists: Any, cycles: Any, cue: Any, model: str) -> tuple[np.ndarray, ListSlots]:
    """Return the pictures of the items, one for each row, and the slots of the lists.

    Raises
    ------
    SpecError
        If they are not valid, or if there is no picture for an item.
    """
    if items is not None:
        rows = pattern_rows(items, f"{model}: items", minimum=0.0)
        return rows, ListSlots.checked(lists, cycles, cue, len(rows), model)
    slots = ListSlots.checked(lists, cycles, cue, _PICTURES, model)
    return pictures(int(slots.items.max()) + 1), slots


def learned_in_slots(
    build: Callable[..., Network], lists: Any, cycles: int
) -> tuple[Result, np.ndarray, SequenceSampler]:
    """Return a run in which a model learns these lists, the pictures of their items, and what predicts the run.

    States are saved when the winner of each slot is read, and at the end.
    """
    network = build(lists=lists, cycles=cycles)
    shown, slots = items_and_lists(None, lists, cycles, 1, network.name)
    result = run(network, times=np.append(np.arange(slots.count) + DECIDED, slots.count), rtol=1e-7, atol=1e-10)
    (start,) = (link.learning.initial for link in network.projections if link.name == "filter" and link.learning)
    return result, shown, SequenceSampler(slots, np.asarray(start), 4.0, 1.0, 40.0)  # as build() has them by default


def _scaled(factor: float, stimulus: tuple[np.ndarray, Sequence]) -> tuple[np.ndarray, Sequence]:
    return factor * stimulus[0], stimulus[1]
