"""Self-organizing avalanche: sampling cells, their order and their patterns are all learned, from lists of items.

    dx_i/dt = 2 s (-x_i + p_i(t))                                                       input cells: the item shown
    dx_j/dt = s (-x_j + T_j + d sum_k f(x_k(t-1)) l_kj - 3 sum_(k != j) [x_k]+ + G(t) - J(t))      category cells
    dz_ij/dt = M f(x_j) [x_i - z_ij],  T_j = sum_i x_i z_ij                             instars                  (12)
    dl_kj/dt = L f(x_k(t-1)) [f(x_j) - l_kj]                                            serial links            (11)
    dy_i/dt = s (-y_i + 1/2 sum_j f(x_j) w_ji + picture_i(t))                           screen
    dw_ji/dt = 2 M f(x_j) [y_i - w_ji]                                                  outstars                (11)

Time goes in slots of one unit: in each an item is shown, or nothing. J resets the category cells around each change; in
between they compete, and f is 1 for the winner and 0 for the others. The winner learns the item (instar), its picture
(outstar), and to expect the winners of the next slot (serial link). In a replay only the first item is shown; then G, a
nonspecific arousal, lets the links alone choose the winner: no cell is fired by either of the two without the other.

Source: Grossberg (2013), review, section "Self-organizing avalanches", which says what is learned and by which laws;
competition, timing and numbers are choices made here. Grossberg (1976), Biol. Cybern. 23, 121-134 and 187-202 (instars
and outstars); Grossberg (1969), Math. Biosci. 4, 255-310 (serial learning).

What is known:

- each item gets a category of its own, if the weights of a category that has learned nothing suit a new item better
  than what others have learned, and a known item worse than its own category.
- links learn how often one item follows another: A B C and D B E give B two successors.
- a link knows only the item before. What follows B is the same after A B as after D B: one of the two lists is replayed
  wrongly, the one that was learned first. See context_sensitive_avalanche.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import whole
from brnn.claims import Comparison, claim
from brnn.figures import FigureDescription, Run, figure
from brnn.models.parts.by_hand import equations_by_hand, integrated_with_lag
from brnn.models.parts.list_figure import avalanche_figure
from brnn.models.parts.list_learning import (
    LearnedLists,
    ListSlots,
    SequenceSampler,
    items_and_lists,
    learned_in_slots,
    nearest,
)
from brnn.models.parts.presentations import refuse_weights, unit_rows
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus

__all__ = ["build"]

_FRESH = 0.22  # of a weight that has learned nothing: T = 0.76 for a picture of 12 pixels, whose overlaps are 1/3
_RESET = 2.0


@takes_dotted_names
def build(
    items: ArrayLike | None = None,
    lists: Any = ((0, 1, 2), (3, 1, 4)),
    cycles: int = 3,
    cue: int = 1,
    m: int = 8,
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
        Number of category cells (1).
    M : float, >= 0
        Learning rate of instars and outstars (1/time).
    L : float, >= 0
        Learning rate of the serial links (1/time).
    speed : float, > 0
        s, the rate of the cells (1/time); it must be large beside 1 for the competition to be over in time.
    weights : array
        z at time 0, [category, input] (1); by default 0.22, within 0.3%.
    seed : int, >= 0
        Seed of these differences (1).

    Returns
    -------
    Network
        Layers "input", "category" and "screen"; the weights "filter.z", "links.z" and "outstars.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "self_organizing_avalanche"
    shown, slots = items_and_lists(items, lists, cycles, cue, model)
    inputs = unit_rows(shown, f"{model}: items")
    categories = whole(m, f"{model}: m", minimum=1)
    refuse_weights(model, categories * (2 * shown.shape[1] + categories))
    sampler = SequenceSampler.checked(
        model, slots, (categories, shown.shape[1]), _FRESH, weights=weights, M=M, L=L, speed=speed, seed=seed
    )
    pattern, schedule = slots.shown(2.0 * sampler.speed * inputs)
    return Network(
        model,
        layers=sampler.layers(shown.shape[1]),
        projections=sampler.projections(),
        stimuli=(Stimulus("input", "excitatory", pattern, schedule), *sampler.stimuli(shown, _RESET)),
        protocol=slots.protocol,
        reference="Grossberg (1976), Biol. Cybern. 23, 187-202",
    )


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "review, section on self-organizing avalanches; "
_ABC, _DBE = (0, 1, 2), (3, 1, 4)
_LISTS = (_ABC, _DBE)
_CYCLES = 2


@functools.cache
def _learned(lists: tuple[tuple[int, ...], ...]) -> tuple[Any, ListSlots, LearnedLists]:
    """Return the run of these lists, its slots, and what discrete learning predicts for it."""
    result, shown, sampler = learned_in_slots(build, lists, _CYCLES)
    slots, inputs = sampler.slots, unit_rows(shown, "items")
    return result, slots, sampler.predicted(np.where(slots.items[:, None] < 0, 0.0, inputs[slots.items]), shown)


@claim("Every item gets a category of its own and keeps it", source=_REVIEW + "discrete algorithm")
def items_get_categories() -> list[Comparison]:
    """A B C and D B E: the winner of each slot is that of the discrete algorithm, five for five items."""
    result, slots, predicted = _learned(_LISTS)
    winners = LearnedLists.of(result, slots.count).winners
    used = [np.unique(winners[slots.training & (slots.items == item)]) for item in range(5)]
    return [
        Comparison.order(predicted.winners, winners, "winner of each slot (-1: none)"),
        Comparison.count(np.ones(5, int), [one.size for one in used], "categories of each item"),
        Comparison.count(5, np.unique(np.concatenate(used)).size, "categories of all items"),
    ]


@claim("Instars, links and outstars learn geometrically", source="(11), (12) solved for each slot")
def weights_are_geometric() -> list[Comparison]:
    """All weights are those of the discrete algorithm; a link that is always followed is 1 - exp(-L int f dt)^k."""
    result, slots, predicted = _learned(_LISTS)
    found = LearnedLists.of(result, slots.count)
    a, b = (found.winners[slots.items == item][0] for item in (0, 1))
    r = math.exp(-0.25)
    return [
        Comparison(predicted.filter, found.filter, 1e-7, "instars"),
        Comparison(predicted.links, found.links, 1e-7, "links"),
        Comparison(predicted.outstars, found.outstars, 1e-4, "outstars"),
        Comparison(1.0 - r**_CYCLES, found.links[b, a], 1e-7, "link from A to B, 1 - r^k"),
    ]


@claim("Links learn which items follow, in proportion to how often and how late", source="(11) solved for each slot")
def links_learn_successors() -> list[Comparison]:
    """B is followed by C and by E in turn: the later one has (1 - r) (1 + r^2 + r^4 ...), the other r times as much."""
    rows = []
    for lists, later, earlier in ((_LISTS, 4, 2), (_LISTS[::-1], 2, 4)):
        result, slots, _ = _learned(lists)
        found = LearnedLists.of(result, slots.count)
        b, first, last = (found.winners[slots.items == item][0] for item in (1, earlier, later))
        r = math.exp(-0.25)
        strength = (1.0 - r) * sum(r ** (2 * k) for k in range(_CYCLES))
        label = "A B C, D B E: " if lists is _LISTS else "D B E, A B C: "
        rows += [
            Comparison([strength, r * strength], found.links[[last, first], b], 1e-7, label + "links from B"),
            Comparison.exact(np.zeros(6), np.delete(found.links[:, b], [first, last]), label + "other links from B"),
        ]
    return rows


@claim("What follows B does not depend on what came before: one list is replayed wrongly", source=_REVIEW + "logic")
def the_middle_is_ambiguous() -> list[Comparison]:
    """After the cues A and D, in both orders of learning: the same third item, that of the list learned last."""
    rows = []
    for lists, third in ((_LISTS, 4), (_LISTS[::-1], 2)):
        result, slots, _ = _learned(lists)
        shown, _ = items_and_lists(None, lists, _CYCLES, 1, "self_organizing_avalanche")
        screen, x = np.asarray(result["screen.x"]), np.asarray(result["category.x"])
        label = "A B C, D B E: " if lists is _LISTS else "D B E, A B C: "
        predicted = [item for one in lists for item in (*one[:2], third)]
        seen = nearest(screen[slots.replays.ravel()], shown)
        last = x[slots.replays[:, 2]]
        rows += [
            Comparison.order(predicted, seen, label + "items replayed from the cues"),
            Comparison(0.0, np.abs(last[0] - last[1]).max(), 1e-6, label + "difference of the third slots"),
            Comparison.count(1, int((seen != np.ravel(lists)).sum()), label + "items replayed wrongly"),
        ]
    return rows


def slots_by_hand(lists: Any, cycles: int, cue: int) -> tuple[list[int], list[bool], list[bool]]:
    """Return what is shown in each slot (-1: nothing), in which slots weights learn, and which are replayed alone."""
    shown: list[int] = []
    learning: list[bool] = []
    alone: list[bool] = []
    for one in list(lists) * cycles:
        shown += [*one, -1, -1]
        learning += [True] * (len(one) + 2)
        alone += [False] * (len(one) + 2)
    for one in lists:
        rest = len(one) - cue
        shown += [*one[:cue], *[-1] * (rest + 2)]
        learning += [False] * (len(one) + 2)
        alone += [*[False] * cue, *[True] * rest, False, False]
    return shown, learning, alone


def sampling_by_hand(p: Any, n: int, reset: float) -> Callable[..., np.ndarray]:
    """Return a function for the derivative of category cells, screen, instars, links and outstars, see above.

    Its arguments are the slot, what part of it is over, the category cells one unit of time ago, the n input cells, and
    all that it gives the derivative of.
    """
    shown, learning, alone = slots_by_hand(p.lists, p.cycles, p.cue)
    m, s, k = p.m, p.speed, p.items.shape[1]
    zs, ls, ws = m + k, m + k + m * n, m + k + m * n + m * m
    others = 1.0 - np.eye(m)

    def derivative(slot: int, part: float, late: np.ndarray, x: np.ndarray, u: np.ndarray) -> np.ndarray:
        c, y = u[:m], u[m:zs]
        z, l, w = u[zs:ls].reshape(m, n), u[ls:ws].reshape(m, m), u[ws:].reshape(k, m)  # [to, from]
        f = np.minimum(4.0 * np.maximum(c - 0.25, 0.0), 1.0)
        before = np.minimum(4.0 * np.maximum(late - 0.25, 0.0), 1.0)
        h, sent = np.maximum(x, 0.0), np.maximum(c, 0.0)
        open_ = learning[slot] and 0.6 < part < 0.85
        J, G = reset * (part < 0.35 or part > 0.95), 0.5 * (alone[slot] and 0.35 < part < 0.95)
        picture = p.items[shown[slot]] if learning[slot] and shown[slot] >= 0 else 0.0
        drive = z @ h + 0.2 * (others * l) @ before - 3.0 * (sent.sum() - sent)
        return np.concatenate([
            s * (-c + drive + G - J),
            s * (-y + 0.5 * w @ f + picture),
            (open_ * p.M * f[:, None] * (h - z)).ravel(),
            (open_ * p.L * before * (f[:, None] - l)).ravel(),
            (open_ * 2.0 * p.M * f * (y[:, None] - w)).ravel(),
        ])  # fmt: skip

    return derivative


def start_by_hand(p: Any, n: int, fresh: float) -> np.ndarray:
    """Return category cells, screen, instars, links and outstars at time 0."""
    m, k = p.m, p.items.shape[1]
    drawn = fresh * np.random.default_rng(p.seed).uniform(0.997, 1.003, size=(m, n))
    z = drawn if p.weights is None else p.weights
    return np.concatenate([np.zeros(m + k), np.ravel(z), np.zeros(m * m + k * m)])


def parts_by_hand(p: Any, n: int, u: np.ndarray) -> dict[str, np.ndarray]:
    """Return the course of category cells, screen and weights by name."""
    m, k = p.m, p.items.shape[1]
    c, y, z, l, w = np.split(u, np.cumsum([m, k, m * n, m * m]), axis=1)
    weights = {"filter.z": z.reshape(-1, m, n), "links.z": l.reshape(-1, m, m), "outstars.z": w.reshape(-1, k, m)}
    return {"category.x": c, "screen.x": y, **weights}


def breaks_by_hand(p: Any) -> list[float]:
    """Return when something goes on or off within the slots."""
    count = len(slots_by_hand(p.lists, p.cycles, p.cue)[0])
    return [k + part for k in range(count + 1) for part in (0.0, 0.35, 0.6, 0.85, 0.95)]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    shown, _, _ = slots_by_hand(p.lists, p.cycles, p.cue)
    inputs = p.items / np.sqrt((p.items**2).sum(axis=1, keepdims=True))
    n = inputs.shape[1]
    sampling = sampling_by_hand(p, n, 2.0)

    def velocity(t: float, u: np.ndarray, when: float, late: np.ndarray) -> np.ndarray:
        slot = int(when)
        item = inputs[shown[slot]] if shown[slot] >= 0 else 0.0
        sampled = sampling(slot, when - slot, late[n : n + p.m], u[:n], u[n:])
        return np.concatenate([2.0 * p.speed * (item - u[:n]), sampled])

    start = np.concatenate([np.zeros(n), start_by_hand(p, n, 0.22)])
    breaks = [b for b in breaks_by_hand(p) if b < times[-1]]
    u = integrated_with_lag(velocity, start, times, 1.0, breaks)
    return {"input.x": u[:, :n], **parts_by_hand(p, n, u[:, n:])}


@claim("Its equations, written out by hand", source="(11), (12) and the text above with a lag, integrated by SciPy")
def equations() -> list[Comparison]:
    """A list of two items that is learned and replayed by two categories, every parameter off its default."""
    parameters: dict[str, Any] = {
        "items": np.array([[0.9, 0.2, 0.1], [0.1, 0.7, 0.8]]),
        "lists": ((0, 0, 1),),
        "cycles": 1,
        "cue": 2,
        "M": 5.0,
        "L": 3.0,
        "speed": 8.0,
    }
    rows = equations_by_hand(
        functools.partial(build, m=2),
        {**parameters, "weights": np.array([[0.6, 0.5, 0.4], [0.4, 0.5, 0.6]])},
        lambda p, times: _by_hand(SimpleNamespace(**vars(p), m=2, seed=0), times),
        np.array([0.0, 0.5, 0.8, 1.2, 1.8, 2.5, 2.9, 5.5, 6.6, 7.2, 7.6]),
        apart=("m", "seed"),  # the other case is about these
        changed={"lists": ((0, 1, 0),), "cycles": 2, "cue": 1},
        tolerance=1e-6,
    )
    return rows + equations_by_hand(
        functools.partial(build, **parameters),
        {"m": 2, "seed": 3},
        lambda p, times: _by_hand(SimpleNamespace(**vars(p), **parameters, weights=None), times),
        np.array([0.0, 0.5]),
        apart=("weights", *parameters),
        tolerance=1e-6,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("category.x", "screen.x", "filter.z", "links.z")
def lists(run: Run) -> FigureDescription | None:
    """Show who fires while lists are learned and replayed, what is replayed, and what was learned."""
    links = run.last("links.z")
    branches = np.count_nonzero(links > 0.2 * links.max(), axis=0).max() > 1
    title = "Order is learned: one item, and the list goes on by itself"
    if branches:
        title = "Order is learned, but of lists that share an item one is replayed wrongly"
    return avalanche_figure(run, title, "input cell")
