"""Context-sensitive avalanche: sampling cells code all items of a list so far, so that lists may share items.

    dx_i/dt = v I (A I_i + y_i - x_i [x + r(t)]),  dy_i/dt = v (1 - I) (x_i - y_i)      working memory     (41), (42)
    dx_i/dt = 2 s (-x_i + memory_i - shut(t))                                           input cells

and from the input cells on everything is as in self_organizing_avalanche: category cells that compete, instars, serial
links and outstars. There the input is the item that is shown. Here it is what an item-and-order working memory (STORE)
holds after it: the items of the list so far, the later ones stronger. A category is then a list chunk. I is 1 while an
item is written, in the first quarter of each slot, I_i for that item only; r empties the memory after each list, and
the input cells are shut off while nothing is shown.

Source: Grossberg (2013), review, section "Context-sensitive self-organizing avalanches", which says that working memory
and list chunks are what makes an avalanche context-sensitive; competition, timing, reset and numbers are choices made
here. Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480 (STORE).

What is known:

- the memory of a list is that of (41), (42): S_k = sqrt(A + S_(k-1)), the new item A/S_k, the older ones divided by
  S_k.
- every beginning of a list gets a category of its own: A, AB, ABC, D, DB, DBE. What follows is learned for each.
- the more recent items weigh more. So categories of A B C and E B C are hard to keep apart: fresh weights must be above
  0.685 and below 0.697 for that (0.634 for A B and D B).
- A B C and D B E are both replayed without error, in whichever order they were learned: the lists are told apart though
  they share their middle, which self_organizing_avalanche cannot do.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand, integrated_with_lag
from brnn.models.parts.list_figure import avalanche_figure
from brnn.models.parts.list_learning import (
    RECALLED,
    LearnedLists,
    ListSlots,
    SequenceSampler,
    items_and_lists,
    learned_in_slots,
    nearest,
)
from brnn.models.parts.presentations import refuse_weights
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.uniform import AllToAll, OneToOne

__all__ = ["build"]

_FRESH = 0.69  # of a weight that has learned nothing; for A = 2 and up to four items it must be below 0.697
_RESET = 5.0
_WRITTEN = 0.25  # part of each slot in which an item is written
_ERASE = 15.0  # r, in the silent slots after a list
_SHUT = 4.0  # more than the memory ever holds of one item


@takes_dotted_names
def build(
    items: ArrayLike | None = None,
    lists: Any = ((0, 1, 2), (3, 1, 4)),
    cycles: int = 3,
    cue: int = 1,
    m: int = 8,
    A: float = 2.0,
    M: float = 4.0,
    L: float = 1.0,
    speed: float = 40.0,
    weights: ArrayLike | None = None,
    seed: int = 0,
) -> Network:
    """Return a network that learns lists of items in turn, and then replays each of them from its beginning.

    Every item takes a unit of time, and two units of silence follow each list.

    Parameters
    ----------
    items : array, >= 0
        Pictures of the items as rows (1); by default as many as the lists need, of 36 pixels (up to 12).
    lists : sequence of sequences of int
        Indices of the items of each list (1); by default A B C and D B E.
    cycles : int, >= 1
        How often every list is learned (1).
    cue : int, >= 1
        How many items are shown in a replay (1).
    m : int, >= 1
        Number of category cells (1); each beginning of a list takes one.
    A : float, > 0
        Strength with which the working memory stores a new item (1).
    M : float, >= 0
        Learning rate of instars and outstars (1/time).
    L : float, >= 0
        Learning rate of the serial links (1/time).
    speed : float, > 0
        s, the rate of the cells (1/time); it must be large beside 1 for the competition to be over in time. The memory
        has the rate v = 1.5 s.
    weights : array
        z at time 0, [category, input] (1); by default 0.69, within 0.3%.
    seed : int, >= 0
        Seed of these differences (1).

    Returns
    -------
    Network
        Layers "memory", "trace", "input", "category" and "screen"; the weights "filter.z", "links.z" and "outstars.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "context_sensitive_avalanche"
    shown, slots = items_and_lists(items, lists, cycles, cue, model)
    n, categories = len(shown), whole(m, f"{model}: m", minimum=1)
    refuse_weights(model, categories * (n + shown.shape[1] + categories))
    sampler = SequenceSampler.checked(
        model, slots, (categories, n), _FRESH, weights=weights, M=M, L=L, speed=speed, seed=seed
    )
    s = sampler.speed
    return Network(
        model,
        layers=(*_memory(n, 1.5 * s), *sampler.layers(shown.shape[1])),
        projections=(
            Projection("trace", "memory", name="kept"),
            Projection("memory", "memory", "inhibitory", topology=AllToAll(), name="total"),
            Projection("memory", "trace", name="stored"),
            Projection("memory", "input", topology=OneToOne(2.0 * s), name="context"),
            *sampler.projections(),
        ),
        stimuli=(
            *_writing(slots, n, number(A, f"{model}: A", above=0.0)),
            Stimulus("input", "inhibitory", 2.0 * s * _SHUT, slots.during(slots.items < 0, 0.0, 1.0)),
            *sampler.stimuli(shown, _RESET),
        ),
        protocol=slots.protocol,
        reference="Grossberg (1978), Prog. Theor. Biol. 5, 233-374",
    )


def _memory(n: int, rate: float) -> tuple[GatedLayer, GatedLayer]:
    """Return the two layers of STORE, at the given rate; a unit of the modulatory input is I = 1."""
    return (
        GatedLayer.store("memory", n).replace(gain=rate),
        GatedLayer.store_trace("trace", n).replace(rest=rate, gain=-rate),
    )


def _writing(slots: ListSlots, n: int, A: float) -> tuple[Stimulus, ...]:
    """Return the stimuli that write the items, and those that empty the memory after each list."""
    written = slots.during(slots.items >= 0, 0.0, _WRITTEN)
    pattern, schedule = slots.shown(A * np.eye(n))
    brief = schedule.replace(duration=_WRITTEN, gap=1.0 - _WRITTEN)
    erased = slots.during(slots.silent, 0.0, _WRITTEN)
    gates = [Stimulus(layer, "modulatory", 1.0, when) for layer in ("memory", "trace") for when in (written, erased)]
    return (
        Stimulus("memory", "excitatory", pattern, brief),
        Stimulus("memory", "inhibitory", _ERASE, erased),
        *gates,
    )


# Claims --------------------------------------------------------------------------------------------------------


def _held(slots: ListSlots, n: int, A: float) -> np.ndarray:
    """Return what the memory holds in each slot, by the recursion for STORE."""
    x, rows = np.zeros(n), []
    for item, silent in zip(slots.items, slots.silent, strict=True):
        if item >= 0:  # x_i S = A I_i + y_i
            x = x + A * np.eye(n)[item]
            x = x / np.sqrt(x.sum())
        elif silent:  # x_i (S + r) = y_i
            x = 2.0 * x / (_ERASE + np.sqrt(_ERASE**2 + 4.0 * x.sum()))
        rows.append(x)
    return np.array(rows)


_REVIEW = "review, section on context-sensitive avalanches; "
_LISTS = ((0, 1, 2), (3, 1, 4))
_CYCLES = 2
_NAMES = ("A B C, D B E: ", "D B E, A B C: ")


@functools.cache
def _learned(lists: tuple[tuple[int, ...], ...]) -> tuple[Any, ListSlots, LearnedLists]:
    """Return the run of these lists, its slots, and what discrete learning predicts for it."""
    result, shown, sampler = learned_in_slots(build, lists, _CYCLES)
    slots = sampler.slots
    return result, slots, sampler.predicted(_held(slots, len(shown), 2.0), shown)


@claim("The memory of a list obeys S_k = sqrt(A + S_(k-1))", source="(41), (42) solved; Bradski et al. (1994)")
def memory_is_store() -> list[Comparison]:
    """In every slot, replays and the emptying of the memory included; the first list's patterns are written out."""
    result, slots, _ = _learned(_LISTS)
    held = np.asarray(result["memory.x"])[: slots.count]
    S1, S2 = np.sqrt(2.0), np.sqrt(2.0 + np.sqrt(2.0))
    S3 = np.sqrt(2.0 + S2)
    first = [[S1, 0, 0, 0, 0], [S1 / S2, 2 / S2, 0, 0, 0], [S1 / S2 / S3, 2 / S2 / S3, 2 / S3, 0, 0]]
    return [
        Comparison(first, held[:3], 1e-6, "A, AB, ABC"),
        Comparison(_held(slots, 5, 2.0), held, 1e-6, "every slot"),
    ]


@claim("Every beginning of a list gets a category of its own", source=_REVIEW + "discrete algorithm")
def chunks_get_categories() -> list[Comparison]:
    """A, AB, ABC, D, DB, DBE: six categories, though there are five items; weights of the discrete algorithm."""
    rows = []
    for lists, label in zip((_LISTS, _LISTS[::-1]), _NAMES, strict=True):
        result, slots, predicted = _learned(lists)
        found = LearnedLists.of(result, slots.count)
        trained = found.winners[slots.training & (slots.items >= 0)].reshape(_CYCLES, -1)
        rows += [
            Comparison.order(predicted.winners, found.winners, label + "winner of each slot"),
            Comparison.count(np.full(_CYCLES, 6), [np.unique(one).size for one in trained], label + "categories"),
            Comparison(predicted.filter, found.filter, 1e-6, label + "instars"),
            Comparison(predicted.links, found.links, 1e-6, label + "links"),
            Comparison(predicted.outstars, found.outstars, 1e-4, label + "outstars"),
        ]
    return rows


@claim("After B the links know which list it is", source=_REVIEW + "(11) solved for each slot")
def links_know_the_context() -> list[Comparison]:
    """The categories of AB and DB have one link each, 1 - r^k, to ABC and to DBE; all others are 0 in every bit."""
    result, slots, _ = _learned(_LISTS)
    found = LearnedLists.of(result, slots.count)
    first, second = found.winners[slots.training & (slots.items >= 0)][:6].reshape(2, 3)
    expected = np.zeros((8, 2))
    expected[[first[2], second[2]], [0, 1]] = 1.0 - np.exp(-0.25 * _CYCLES)
    links = found.links[:, [first[1], second[1]]]
    others = expected == 0.0
    return [
        Comparison(expected, links, 1e-7, "links from AB and from DB"),
        Comparison.exact(np.zeros(others.sum()), links[others], "links that were never followed"),
    ]


@claim("Lists that share their middle are both replayed without error", source=_REVIEW + "logic")
def lists_are_told_apart() -> list[Comparison]:
    """After the cues A and D alone, in both orders of learning: every item of both lists."""
    rows = []
    for lists, label in zip((_LISTS, _LISTS[::-1]), _NAMES, strict=True):
        result, slots, predicted = _learned(lists)
        shown, _ = items_and_lists(None, lists, _CYCLES, 1, "context_sensitive_avalanche")
        screen = np.asarray(result["screen.x"])[slots.replays]
        expected = RECALLED * predicted.outstars[:, predicted.winners[slots.replays]]
        rows += [
            Comparison.order(np.ravel(lists), nearest(screen.reshape(6, -1), shown), label + "items replayed"),
            Comparison(np.moveaxis(expected, 0, -1), screen, 1e-4, label + "pictures on the screen"),
        ]
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    # From the input cells on it is the other model.
    from brnn.models import self_organizing_avalanche as other

    shown, learning, alone = other.slots_by_hand(p.lists, p.cycles, p.cue)
    n, v = len(p.items), 1.5 * p.speed
    sampling = other.sampling_by_hand(p, n, 5.0)

    def velocity(t: float, u: np.ndarray, when: float, late: np.ndarray) -> np.ndarray:
        x, y, input_ = u[:n], u[n : 2 * n], u[2 * n : 3 * n]
        slot = int(when)
        part, item = when - slot, shown[slot]
        silent = item < 0 and not alone[slot]
        I = float(part < 0.25 and (item >= 0 or silent))
        written, r = p.A * (np.arange(n) == item), 15.0 * silent * (part < 0.25)
        return np.concatenate([
            v * I * (written * I + y - x * (x.sum() + r)),
            v * (1.0 - I) * (x - y),
            2.0 * p.speed * (x - 4.0 * (item < 0) - input_),
            sampling(slot, part, late[3 * n : 3 * n + p.m], input_, u[3 * n :]),
        ])  # fmt: skip

    start = np.concatenate([np.zeros(3 * n), other.start_by_hand(p, n, 0.69)])
    breaks = [b for b in [*other.breaks_by_hand(p), *(np.arange(len(learning)) + 0.25)] if b < times[-1]]
    u = integrated_with_lag(velocity, start, times, 1.0, breaks)
    found = {"memory.x": u[:, :n], "trace.x": u[:, n : 2 * n], "input.x": u[:, 2 * n : 3 * n]}
    return {**found, **other.parts_by_hand(p, n, u[:, 3 * n :])}


@claim("Its equations, written out by hand", source="(11), (12), (41), (42) with a lag, integrated by SciPy")
def equations() -> list[Comparison]:
    """A list of two items that is learned and replayed by two categories, every parameter off its default."""
    parameters: dict[str, Any] = {
        "items": np.array([[0.9, 0.2, 0.1], [0.1, 0.7, 0.8]]),
        "lists": ((0, 1, 0),),
        "cycles": 1,
        "cue": 2,
        "A": 1.4,
        "M": 5.0,
        "L": 3.0,
        "speed": 8.0,
    }
    rows = equations_by_hand(
        functools.partial(build, m=2),
        {**parameters, "weights": np.array([[0.9, 0.7], [0.5, 1.0]])},
        lambda p, times: _by_hand(SimpleNamespace(**vars(p), m=2, seed=0), times),
        np.array([0.0, 0.2, 0.5, 0.8, 1.2, 1.8, 2.5, 2.9, 3.2, 5.5, 6.6, 7.2, 7.6]),
        apart=("m", "seed"),  # the other case is about these
        changed={"lists": ((0, 0, 1),), "cycles": 2, "cue": 1},
        tolerance=1e-6,
    )
    return rows + equations_by_hand(
        functools.partial(build, **parameters),
        {"m": 2, "seed": 3},
        lambda p, times: _by_hand(SimpleNamespace(**vars(p), **parameters, weights=None), times),
        np.array([0.0, 0.2]),
        apart=("weights", *parameters),
        tolerance=1e-6,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("category.x", "screen.x", "filter.z", "links.z")
def lists_in_context(run: Run) -> FigureDescription | None:
    """Show who fires while lists are learned and replayed, what is replayed, and what was learned."""
    return avalanche_figure(run, "Lists that share items are replayed without confusion", "item in memory")
