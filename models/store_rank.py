"""STORE with ranks (Item-Order-Rank): a working memory for lists in which items come again, as in ABACBDE.

An item that comes again needs a second place in a memory whose activities code the order. Each item i therefore has a
cell for each rank r, and the cells (i, r) are those of STORE 1:

    dx_ir/dt = (A c(u_ir) + y_ir - x_ir x) I       dy_ir/dt = (x_ir - y_ir) (1 - I)                         (41), (42)

A routing layer before it finds the cell: item i is on, the rank before is taken, and this rank is still free,

    du_ir/dt = v (-u_ir + I_i + s_i,r-1 - s_ir),       s_i,-1 = 1,      u_ir goes to 2 for that cell, to 1 or less for
                                                                        all others;  c(u) = min(2 [u - 1.25]+, 1)

where s is 1 if the rank is taken, else 0: min([y - h]+/h, 1), y being the trace of the cell itself (rank code
"occurrence": the first A, the second A, ...), or the sum of it over all items (rank code "position": rank r is the
place in the list). y stands still while an item is on, so that the choice is made once for each presentation.

Source: Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480, where a preprocessor represents repeats of
an event at places of their own; Silver, Grossberg, Bullock, Histed and Miller (2012), A neural model of sequential
movement planning and control of eye movements: Item-Order-Rank working memory and saccade selection by the
supplementary eye fields, Neural Networks 26, 29-58, where an item excites the rank cell that a counting cell for the
place in the list selects; Grossberg (2013), Scholarpedia 8(2):1888, "Item-Order-Rank". The cells of STORE are (41) and
(42); the equation of u is ours, a network that counts, with the two codes of these articles.

What is known:

- every presentation has a cell of its own, and the cells hold what STORE holds for a list of as many different items:
  S_j = sqrt(A + S_{j-1}), A/S_j for the new one, all others divided by S_j. All other cells stay 0.
- with A below A_n the activities of the cells, in falling order, spell the whole list; STORE without ranks loses
  repeats, since an item has one activity only.
"""

from __future__ import annotations

import functools
import warnings
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import choice, number, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Bars, Curve, FigureDescription, Mark, Panel, Run, figure, matrix_panel, time_panel
from brnn.models import store as plain
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import run
from brnn.models.parts.store import STORE, TRACE, ItemList, ends_of, memory, pulses_of
from brnn.signals import ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Dense
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import store as theory

__all__ = ["build", "places"]

_ROUTE = "route"


def places(items: str | ArrayLike, code: str = "occurrence") -> np.ndarray:
    """Return the item and the rank of each presentation, counted from 0, shape (presentations, 2).

    Parameters
    ----------
    items : str or array of int
        The list: letters, numbered in alphabetical order, or numbers from 0 on.
    code : str
        Rank is the "occurrence" of the item or the "position" in the list.

    Raises
    ------
    SpecError
        If the list is empty or an item is not a letter or a whole number >= 0.
    """
    code = choice(code, "store_rank: code", ("occurrence", "position"))
    if isinstance(items, str):
        letters = sorted(set(items))
        if not items.isalnum():
            raise SpecError(f"store_rank: items = {items!r}: must be letters or digits, one for each item")
        found = np.array([letters.index(letter) for letter in items])
    else:
        shown = ItemList.checked("store_rank", None, 1.0, items, repeats=False)
        found = shown.places
    counts: dict[int, int] = {}
    ranks = []
    for position, item in enumerate(found.tolist()):
        ranks.append(counts.get(item, 0) if code == "occurrence" else position)
        counts[item] = counts.get(item, 0) + 1
    return np.stack([found, ranks], axis=1)


@takes_dotted_names
def build(
    items: str | ArrayLike = "ABACBDE",
    A: float = 0.03,
    code: Literal["occurrence", "position"] = "occurrence",
    ranks: int | None = None,
    v: float = 10.0,
    h: float = 1e-6,
    duration: ArrayLike | None = None,
    gap: ArrayLike | None = None,
) -> Network:
    """Return a STORE working memory with ranks to which a list is presented; it runs until the list is stored.

    Parameters
    ----------
    items : str or array
        The list: letters or digits such as ABACBDE, or numbers from 0 on.
    A : float, > 0
        Strength of the input (1).
    code : str
        What ranks count: occurrence of the item, or position in the list.
    ranks : int, >= 1
        Number of rank cells of each item (1); by default as many as the list needs.
    v : float, > 0
        Speed of the routing cells (1/time).
    h : float, > 0
        Activity from which on (to 2 h) a rank counts as taken (1).
    duration : float or array, > 0
        How long each item is shown (time); by default long enough to equilibrate.
    gap : float or array, > 0
        Silence after each item (time); by default long enough to equilibrate.

    Returns
    -------
    Network
        Layers "route" (u), "store" (x) and "trace" (y), each with one row for each item and one column for each rank.

    Warns
    -----
    UserWarning
        If pulses or gaps are too short to equilibrate; the warning names the length that is needed.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, is not finite, if items overlap or touch (gap <= 0), if the
        list needs more ranks than there are, or is so long that an item would be stored below 2 h.
    """
    where = places(items, code)
    v, h = number(v, "store_rank: v", above=0.0), number(h, "store_rank: h", above=0.0)
    shown = ItemList.checked(
        "store_rank", None, A, where[:, 0], duration=duration, gap=gap, repeats=False, delay=3.0 / v
    )
    needed = int(where[:, 1].max()) + 1
    R = needed if ranks is None else whole(ranks, "store_rank: ranks", minimum=1)
    if R < needed:
        raise SpecError(f"store_rank: ranks = {R}: the list needs {needed}")
    least = theory.history(A, len(where))[np.tri(len(where), dtype=bool)].min()
    if least < 2.0 * h:
        raise SpecError(
            f"store_rank: h = {h:g}: an item of this list is stored as {least:.3g}, which must be above 2 h"
        )
    shape = (int(where[:, 0].max()) + 1, R)
    refuse_above(8 * 4 * (shape[0] * shape[1]) ** 2, f"store_rank: {shape[0]} items with {shape[1]} ranks")
    layers, projections, stimuli = memory(shape, shown)
    own = np.kron(np.eye(shape[0]) if code == "occurrence" else np.ones((shape[0], shape[0])), np.eye(R))
    before = np.kron(np.eye(shape[0]) if code == "occurrence" else np.ones((shape[0], shape[0])), np.eye(R, k=-1))
    taken = ThresholdLinear(gain=1.0 / h, threshold=h, ceiling=h)
    first = np.zeros(shape)
    first[:, 0] = v
    rows = np.zeros((len(where), *shape))
    rows[np.arange(len(where)), where[:, 0]] = v
    return Network(
        "store_rank",
        layers=[Layer.additive(_ROUTE, shape, A=v), *layers],
        projections=[
            *projections,
            Projection(TRACE, _ROUTE, "excitatory", taken, Dense(v * before)),
            Projection(TRACE, _ROUTE, "inhibitory", taken, Dense(v * own)),
            Projection(_ROUTE, STORE, "excitatory", ThresholdLinear(2.0 * A, threshold=1.25, ceiling=0.5), OneToOne()),
        ],
        stimuli=[
            Stimulus(_ROUTE, "excitatory", rows, shown.shown),
            Stimulus(_ROUTE, "excitatory", first, Constant()),
            *stimuli,
        ],
        duration=shown.end,
        reference="Silver, Grossberg, Bullock, Histed and Miller (2012), Neural Networks 26, 29-58",
    )


# Claims --------------------------------------------------------------------------------------------------------

_LISTS = ("ABACBDE", "AAAA", "ABCABC")
_CASES: tuple[tuple[Literal["occurrence", "position"], float], ...] = (
    ("occurrence", 0.03),
    ("occurrence", 0.5),
    ("position", 2.0),
)
_SOURCE = "Bradski and others (1994); Silver and others (2012); review, (41), (42)"


def _after_each(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return u at the end of each pulse and y at the end of each gap, shape (presentations, items, ranks)."""
    times = np.stack([pulses_of(network)[:, 1], ends_of(network)], axis=1)
    result = run(network, times=times.ravel())
    return np.asarray(result[f"{_ROUTE}.x"])[::2], np.asarray(result[f"{TRACE}.x"])[1::2]


@claim("Repeated items: every presentation is stored with its rank, by the recursion of STORE", source=_SOURCE)
def repeats_are_stored_with_their_rank() -> list[Comparison]:
    """Three lists, two rank codes, three A: what all cells hold after each item, most of them nothing."""
    rows = []
    for items in _LISTS:
        for code, A in _CASES:
            network = build(items, A, code)
            _, y = _after_each(network)
            predicted = np.zeros_like(y)
            cells = places(items, code)
            history = theory.history(A, len(items))
            for j, (item, rank) in enumerate(cells):
                predicted[:, item, rank] = history[:, j]
            rows.append(Comparison(predicted, y, 3e-8, f"{items}, {code}, A = {A:g}: all cells after each item"))
            empty = predicted[-1] == 0
            if empty.any():
                rows.append(Comparison(0.0, np.abs(y[:, empty]).max(), 0.0, f"{items}, {code}, A = {A:g}: other cells"))
    return rows


@claim("The routing cells choose item and rank", source="Silver and others (2012), counting cells; equation ours")
def routing_finds_the_rank() -> list[Comparison]:
    """At the end of each pulse u is 2 for the cell of this item and rank, and at most 1 for all others."""
    rows = []
    for items in _LISTS:
        for code in ("occurrence", "position"):
            u, _ = _after_each(build(items, 0.1, code))
            cells = places(items, code)
            chosen = np.zeros(u.shape, dtype=bool)
            chosen[np.arange(len(cells)), cells[:, 0], cells[:, 1]] = True
            rows.append(Comparison(np.full(len(cells), 2.0), u[chosen], 1e-7, f"{items}, {code}: u of the right cells"))
            if not chosen.all():
                rows.append(Comparison.at_most(1.0, u[~chosen], 1e-7, f"{items}, {code}: u of all other cells"))
    return rows


@claim("The activities of the cells, in falling order, spell ABACBDE", source="review, Item-Order-Rank; " + _SOURCE)
def order_spells_the_list() -> list[Comparison]:
    """With A below A_7 = 0.041 the list is read out; above it is not; without ranks repeats are lost."""
    rows = []
    letters = np.array(list("ABCDE"))
    for code in ("occurrence", "position"):
        for A in (0.02, 0.038, 0.045):
            _, y = _after_each(build("ABACBDE", A, code))
            strongest = np.argsort(-y[-1].ravel(), kind="stable")[:7]
            spelled = letters[strongest // y.shape[2]].tolist()
            order = np.argsort(-theory.stored(A, 7), kind="stable")
            rows.append(Comparison.order(np.array(list("ABACBDE"))[order].tolist(), spelled, f"{code}, A = {A:g}"))
    numbers = places("ABACBDE")[:, 0]
    y = np.asarray(run(plain.build(A=0.02, items=numbers)).final(TRACE))
    kept = theory.stored(0.02, 7, items=numbers)
    rows.append(Comparison(kept, y, 3e-8, "without ranks: five activities for seven items"))
    return rows


@claim("LTM invariance holds for repeated items, too", source=_SOURCE)
def ratios_are_kept() -> list[Comparison]:
    """The ratio of two neighbours of ABACBDE is 1/S_j after each later item."""
    rows = []
    for A in (0.03, 0.5):
        _, y = _after_each(build("ABACBDE", A))
        cells = places("ABACBDE")
        kept = y[:, cells[:, 0], cells[:, 1]]
        S = theory.totals(A, 7)
        measured = np.concatenate([kept[j + 1 :, j] / kept[j + 1 :, j + 1] for j in range(6)])
        predicted = np.concatenate([np.full(6 - j, 1.0 / S[j]) for j in range(6)])
        rows.append(Comparison(predicted, measured, 1e-6, f"A = {A:g}: ratios of neighbours after each later item"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    letters = list(dict.fromkeys(p.items))
    n, R = len(letters), p.ranks
    onsets = np.concatenate([[0.0], np.cumsum(p.duration + p.gap)])[:-1]

    def velocity(t: float, state: np.ndarray, when: float) -> np.ndarray:
        u, x, y = state.reshape(3, n, R)
        I = np.zeros(n)
        for k in np.flatnonzero((onsets < when) & (when < onsets + p.duration)):
            I[letters.index(p.items[k])] = 1.0
        held = y if p.code == "occurrence" else np.ones((n, 1)) * y.sum(axis=0)
        s = np.minimum(np.maximum(held - p.h, 0.0) / p.h, 1.0)
        before = np.hstack([np.ones((n, 1)), s[:, :-1]])
        c = np.minimum(2.0 * np.maximum(u - 1.25, 0.0), 1.0)
        on = I.sum()
        return np.concatenate(
            [
                (p.v * (-u + I[:, None] + before - s)).ravel(),
                ((p.A * c + y - x * x.sum()) * on).ravel(),
                ((x - y) * (1.0 - on)).ravel(),
            ]
        )

    states = integrated(velocity, np.zeros(3 * n * R), times, [*onsets, *(onsets + p.duration)])
    _, x, y = np.moveaxis(states.reshape(-1, 3, n, R), 1, 0)
    return {"store.x": x, "trace.x": y}


@claim("Its equations, written out by hand", source="(41), (42) with a routing layer, integrated by SciPy")
def equations() -> list[Comparison]:
    """The list ABA with both rank codes, every parameter off its default."""
    parameters = {
        "items": "ABA",
        "A": 0.5,
        "ranks": 4,
        "v": 4.0,
        "duration": np.array([5.0, 6.0, 5.5]),
        "gap": np.array([4.0, 5.0, 4.5]),
    }
    times = np.array([0.0, 1.0, 4.0, 6.0, 10.0, 14.0, 17.0, 21.0, 24.0, 28.0])
    rows = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some of these are too short for the memory to come to rest
        for code in ("occurrence", "position"):
            rows += equations_by_hand(
                functools.partial(build, code=code, h=0.08),
                parameters,
                lambda p, times, code=code: _by_hand(SimpleNamespace(code=code, h=0.08, **vars(p)), times),
                times,
                apart=("code", "h"),  # whether a rank is taken is decided long before its trace is near h again
                changed={"items": "AAB"},
                tolerance=1e-6,
            )
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("store.x", "trace.x")
def ranks(run: Run) -> FigureDescription | None:
    """Show what each presentation leaves behind, in the cell of its item and rank, beside STORE of different items."""
    view = run.view(TRACE)
    if view.cells > 60 or len(view.shape) != 2:
        return None
    times, y = run.times(TRACE), run.values(TRACE)
    held = np.flatnonzero(y[-1] > 1e-6)
    order = held[np.argsort([times[np.argmax(y[:, k] > 1e-6)] for k in held], kind="stable")]
    names = [f"item {k // view.shape[1] + 1}, rank {k % view.shape[1] + 1}" for k in order]
    shades = np.linspace(0.0, 1.0, max(order.size, 2))
    course: list[Mark] = [
        Curve(times, y[:, k], name, shade=float(shade)) for k, name, shade in zip(order, names, shades, strict=False)
    ]
    A = float(run.part("route_store_exc").signal.gain) / 2.0
    stored: list[Mark] = [Bars(y[-1, order], "stored")]
    if run.end >= (run.network.duration or 0.0):
        stored.append(Bars(theory.stored(A, order.size), "theory: STORE of different items", "predicted"))
    ticks = tuple((float(k), str(k + 1)) for k in range(order.size))
    panels = (
        Panel("In the order of presentation", stored, "presentation", "activity y", x_ticks=ticks, legend="top"),
        matrix_panel(run.last(TRACE), "Where it is stored", x="rank - 1", y="item - 1", label="activity y", width=0.8),
    )
    first = time_panel(run, "Activity of the cells that are used", course, y="activity y", legend="beside")
    return FigureDescription("An item that comes again gets a cell of its own", run.below, ((first,), panels))
