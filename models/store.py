"""STORE: a working memory in which the relative activities of items code their order in time.

    I_i = 1 while item i is shown, else 0, with silent gaps long enough to equilibrate                            (40)
    dx_i/dt = (A I_i + y_i - x_i x) I,     x = sum x_k,  I = sum I_k                                              (41)
    dy_i/dt = (x_i - y_i) (1 - I)                                                                                 (42)

While an item is shown, x competes for a normalized total, and y stands still: the new item is added to what was
stored before. In the gap x stands still, and y takes it over. In the layers of this model x is "store", y is "trace".

Source: Bradski, Carpenter and Grossberg (1994), STORE working memory networks for storage and recall of arbitrary
temporal sequences, Biol. Cybern. 71, 469-480; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888,
equations (40)-(42) (STORE 1).

What is known (with S_0 = 0, S_j = sqrt(A + S_{j-1}); `brnn.theory.store` has the closed forms):

- the total after item j is S_j; the new item is stored as A/S_j, each older one is divided by S_j. Items to which more
  attention is paid have a larger A of their own.
- primacy while S_j < 1, recency from then on: with A > 1 every list has a recency gradient, with A < 1 long lists bow.
- a list of n items has primacy throughout if A < A_n (A_2 = 1, A_3 = 0.382, A_4 = 0.198, ..., A_7 = 0.041): the
  longest such list is the transient memory span.
- the ratios of stored items never change afterwards (LTM invariance), and the total goes to (1 + sqrt(1 + 4 A))/2
  whatever the list is (normalization).
- none of this depends on how long items are shown and how long the gaps are, if they are long enough.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.claims import Comparison, claim
from brnn.figures import Bars, Curve, FigureDescription, Level, Mark, Panel, Run, figure, time_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import run, slope
from brnn.models.parts.store import STORE, TRACE, ItemList, ends_of, memory
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.network import Network
from brnn.spec.stimulus import Stimulus
from brnn.theory import store as theory

__all__ = ["build"]


@takes_dotted_names
def build(
    n: int | None = None,
    A: float = 0.1,
    strengths: ArrayLike | None = None,
    items: ArrayLike | None = None,
    duration: ArrayLike | None = None,
    gap: ArrayLike | None = None,
) -> Network:
    """Return a STORE working memory to which a list of items is presented; it runs until the list is stored.

    By default `duration` and `gap` are so long that the stored pattern is that of the recursion to nine digits.

    Parameters
    ----------
    n : int, >= 1
        Number of items that are presented (1); by default that of the other arguments, else 7.
    A : float, > 0
        Strength of the input (1): below 1 the list begins with a primacy gradient.
    strengths : float or array, > 0
        Attention: factor of A for each presentation (1); 1 by default.
    items : array
        The cell of each presentation, from 0 on (1); by default each has its own. A repeated item has one cell only.
    duration : float or array, > 0
        How long each item is shown (time).
    gap : float or array, > 0
        Silence after each item (time).

    Returns
    -------
    Network
        Layers "store" (x) and "trace" (y).

    Warns
    -----
    UserWarning
        If pulses or gaps are too short to equilibrate; the warning names the length that is needed.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, is not finite, or if items overlap or touch (gap <= 0).
    """
    shown = ItemList.checked("store", n, A, items, strengths, duration, gap)
    cells = int(shown.places.max()) + 1
    layers, projections, stimuli = memory(cells, shown)
    return Network(
        "store",
        layers=layers,
        projections=projections,
        stimuli=[Stimulus(STORE, "excitatory", shown.rows(cells), shown.shown), *stimuli],
        duration=shown.end,
        reference="Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480",
    )


# Claims --------------------------------------------------------------------------------------------------------

_1994 = "Bradski, Carpenter and Grossberg (1994); review, "


def _after_each(network: Network) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y at the end of each gap, shape (items, cells)."""
    result = run(network, times=ends_of(network))
    return np.asarray(result[f"{STORE}.x"]), np.asarray(result[f"{TRACE}.x"])


def _kept(network: Network) -> np.ndarray:
    """Return what is stored after the whole list."""
    return np.asarray(run(network, times=[network.duration]).final(TRACE))


def _gradient_of(y: np.ndarray) -> str:
    """Return which gradient a stored list has."""
    rises = np.diff(y) > 0
    return "recency" if rises.all() else "bow" if rises.any() else "primacy"


@claim("Every list is stored as the recursion S_j = sqrt(A_j + S_{j-1}) says", source=_1994 + "(40)-(42)")
def lists_are_stored_by_the_recursion() -> list[Comparison]:
    """Lists of 1 to 20 items, equally attended or not: what is stored after each item, and tabled numbers."""
    rng = np.random.default_rng(1994)
    rows = []
    for A, n in ((0.02, 7), (0.1, 7), (0.3, 20), (1.0, 7), (2.0, 7), (0.5, 1)):
        _, y = _after_each(build(n, A))
        rows.append(Comparison(theory.history(A, n), y, 3e-8, f"A = {A:g}: {n} items, after each"))
        attention = rng.uniform(0.3, 3.0, n)
        _, y = _after_each(build(n, A, attention))
        rows.append(Comparison(theory.history(A, n, attention), y, 3e-8, f"A = {A:g}: {n} items, random attention"))
    tabled = {
        0.1: [0.48222225, 0.15249206, 0.09838135, 0.08492523, 0.08334903, 0.08667659, 0.09254215],
        2.0: [0.02454308, 0.03470915, 0.06413415, 0.12580366, 0.25039576, 0.50018830, 1.00007530],
    }
    for A, values in tabled.items():
        rows.append(Comparison(values, _kept(build(7, A)), 3e-8, f"A = {A:g}: 7 items, numbers tabled independently"))
    return rows


@claim("The network obeys (41) and (42)", source="review, (41), (42)")
def network_obeys_its_equations() -> list[Comparison]:
    """The simulator's own dx/dt and dy/dt at random states, in a pulse and in a gap, are those of (41) and (42)."""
    states = np.random.default_rng(41).uniform(0.0, 1.0, size=(20, 2, 5))
    x, y = states[:, 0], states[:, 1]
    rows = []
    for label, time, shown in (("item 3 is on", 40.0, 2), ("gap after item 3", 50.0, None)):
        speed = slope(build(5, 0.3, duration=10.0, gap=8.0), states.reshape(20, 10), time).reshape(states.shape)
        item = np.zeros(5) if shown is None else np.eye(5)[shown]
        total = item.sum()
        dx = (0.3 * item + y - x * x.sum(axis=1, keepdims=True)) * total
        rows.append(Comparison(dx, speed[:, 0], 1e-12, f"{label}: dx/dt by (41)"))
        rows.append(Comparison((x - y) * (1 - total), speed[:, 1], 1e-12, f"{label}: dy/dt by (42)"))
    return rows


@claim("Primacy, bow or recency: the smallest item is the first with S_j >= 1", source=_1994 + "text after (42)")
def gradients_are_as_predicted() -> list[Comparison]:
    """Lists of 2 to 9 items: which gradient each has, and the position of its smallest item."""
    cases = [(A, n) for A in (0.03, 0.09, 0.25, 0.7, 1.2, 3.0) for n in (2, 3, 5, 9)]
    kept = [_kept(build(n, A)) for A, n in cases]
    return [
        Comparison.order(
            [theory.gradient(A, n) for A, n in cases], [_gradient_of(y) for y in kept], "gradients of 24 lists"
        ),
        Comparison.count(
            [theory.trough(A, n) for A, n in cases], [int(y.argmin()) + 1 for y in kept], "position of the smallest"
        ),
    ]


@claim("A list of n items has primacy throughout if and only if A < A_n", source=_1994 + "text after (42)")
def boundaries_are_known() -> list[Comparison]:
    """A at which the last two of n stored items are equal, found by a root search over runs; and spans."""
    from scipy.optimize import brentq

    def last_step(A: float, n: int) -> float:
        y = _kept(build(n, A))
        return float(y[-1] - y[-2])

    rows = []
    for n, known in ((2, 1.0), (3, (3.0 - 5.0**0.5) / 2.0), (4, 0.1980622642), (5, 0.1137738061), (7, 0.0410027347)):
        A = brentq(last_step, 0.7 * known, 1.3 * known, args=(n,), xtol=1e-9)
        rows.append(Comparison(known, A, 2e-7, f"A_{n}: the last two of {n} items are equal"))
    strengths = (0.03, 0.05, 0.1, 0.15, 0.3, 0.6, 1.5)
    spans = []
    for A in strengths:
        _, y = _after_each(build(9, A))
        broken = [j for j in range(1, 9) if not (np.diff(y[j, : j + 1]) < 0).all()]
        spans.append(broken[0] if broken else 9)
    rows.append(Comparison.count([theory.span(A) for A in strengths], spans, "longest list with primacy, seven A"))
    return rows


@claim("LTM invariance: the ratios of stored items never change again", source=_1994 + "LTM Invariance Principle")
def ratios_are_kept() -> list[Comparison]:
    """x_j/x_{j+1} is 1/S_j from the moment when both are stored, whatever follows."""
    rows = []
    for A in (0.1, 0.5, 2.0):
        _, y = _after_each(build(8, A))
        S = theory.totals(A, 8)
        measured = np.concatenate([y[j + 1 :, j] / y[j + 1 :, j + 1] for j in range(7)])
        predicted = np.concatenate([np.full(7 - j, 1.0 / S[j]) for j in range(7)])
        rows.append(Comparison(predicted, measured, 1e-6, f"A = {A:g}: x_j/x_j+1 after each later item"))
    return rows


@claim("Normalization: the total goes to (1 + sqrt(1 + 4 A))/2 whatever the list", source=_1994 + "Normalization Rule")
def total_is_normalized() -> list[Comparison]:
    """The total after each item is S_j, with repeated items, too; after 30 it is the capacity, 1.618 for A = 1."""
    rows = []
    for A, items in ((1.0, np.arange(30)), (0.3, np.arange(30) % 4), (2.0, np.zeros(30, dtype=int))):
        _, y = _after_each(build(A=A, items=items))
        cells = int(items.max()) + 1
        label = f"A = {A:g}: 30 items in {cells} cell{'s' if cells > 1 else ''}"
        rows.append(Comparison(theory.totals(A, 30), y.sum(axis=1), 3e-8, f"{label}: total after each"))
        rows.append(Comparison(theory.capacity(A), y[-1].sum(), 1e-7, f"{label}: capacity"))
    rows.append(Comparison(1.618033988749895, _kept(build(40, 1.0)).sum(), 3e-8, "A = 1: capacity, tabled"))
    return rows


@claim(
    "What is stored does not depend on durations and gaps, if both are long enough",
    source=_1994 + "(40), two processing levels",
)
def timing_does_not_matter() -> list[Comparison]:
    """Items of random durations with random gaps leave the same pattern as a regular list."""
    rng = np.random.default_rng(40)
    least = theory.needed_duration(0.2, 7, 1e-9), theory.needed_gap(0.2, 7, 1e-9)
    return [
        Comparison(
            theory.stored(0.2, 7),
            _kept(build(7, 0.2, duration=least[0] * rng.uniform(1, 4, 7), gap=least[1] * rng.uniform(1, 4, 7))),
            3e-8,
            f"A = 0.2: 7 items of random timing, list {k}",
        )
        for k in (1, 2, 3)
    ]


@claim("Short pulses and gaps: the exact solution of (41), (42)", source="derived from the review, (41), (42)")
def short_pulses_have_an_exact_solution() -> list[Comparison]:
    """Pulses and gaps too short to equilibrate: x and y after each gap, by the hyperbolic functions of the theory."""
    import warnings

    rows = []
    for A, duration, gap in ((0.1, 2.0, 3.0), (0.8, 0.7, 0.4), (2.0, 0.2, 5.0)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that they are too short is what is wanted here
            x, y = _after_each(build(6, A, duration=duration, gap=gap))
        predicted = theory.presented(A, 6, duration, gap)
        label = f"A = {A:g}, on {duration:g}, gap {gap:g}"
        rows.append(Comparison(predicted[0], x, 1e-7, f"{label}: x after each gap"))
        rows.append(Comparison(predicted[1], y, 1e-7, f"{label}: y after each gap"))
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n = int(max(p.items)) + 1
    onsets = np.concatenate([[0.0], np.cumsum(p.duration + p.gap)])[:-1]

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y = np.split(u, 2)
        on = np.flatnonzero((onsets < when) & (when < onsets + p.duration))
        I, weighted = np.zeros(n), np.zeros(n)
        for k in on:
            I[p.items[k]], weighted[p.items[k]] = 1.0, p.strengths[k]
        return np.concatenate([(p.A * weighted + y - x * x.sum()) * I.sum(), (x - y) * (1.0 - I.sum())])

    u = integrated(velocity, np.zeros(2 * n), times, [*onsets, *(onsets + p.duration)])
    return {"store.x": u[:, :n], "trace.x": u[:, n:]}


@claim("Its equations, written out by hand", source=_1994 + "(40)-(42), integrated by SciPy")
def equations() -> list[Comparison]:
    """Four presentations of three items, of different strengths, durations and gaps."""
    parameters = {
        "A": 0.7,
        "strengths": np.array([1.0, 0.8, 1.3, 0.9]),
        "items": np.array([0, 2, 1, 2]),
        "duration": np.array([7.0, 6.0, 8.0, 7.0]),
        "gap": np.array([5.0, 6.0, 5.5, 5.0]),
    }
    times = np.array([0.0, 1.0, 8.0, 12.5, 14.0, 20.0, 25.0, 27.0, 38.5, 42.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # some of these are too short for the memory to come to rest
        return equations_by_hand(
            build, parameters, _by_hand, times, changed={"items": np.array([0, 1, 2, 2])}, tolerance=1e-6
        )


# Figure -------------------------------------------------------------------------------------------------------


@figure("store.x", "trace.x")
def gradient_in_time(run: Run) -> FigureDescription | None:
    """Show the items while the list is presented, what it leaves behind, and the total, all beside theory."""
    view = run.view(TRACE)
    if view.cells > 12:
        return None
    rows = np.asarray(run.network.stimuli[0].pattern)
    shown, inputs = rows.argmax(axis=1), rows.max(axis=1)
    ends = ends_of(run.network)
    heard = ends <= run.end * (1.0 + 1e-9)
    predicted = theory.history(1.0, len(rows), inputs, shown, view.cells)
    times, y = run.times(TRACE), run.values(TRACE)
    shades = np.linspace(0.0, 1.0, view.cells)
    course: list[Mark] = [Curve(times, y[:, k], f"item {k + 1}", shade=float(shades[k])) for k in range(view.cells)]
    for end, held in zip(ends[heard], predicted[heard], strict=True):
        there = held[held > 0]
        course.append(Curve(np.full(there.size, end), there, "theory", "predicted", 6, marker="o"))
    place = tuple((float(k), str(k + 1)) for k in range(view.cells))
    stored: list[Mark] = [Bars(run.last(TRACE), "stored")]
    if heard.all():
        stored.append(Bars(predicted[-1], "theory", "predicted"))
    total: list[Mark] = [
        Curve(times, y.sum(axis=1), "total"),
        Curve(ends[heard], predicted[heard].sum(axis=1), "theory: sqrt(A + S)", "predicted", 6, marker="o"),
    ]
    if np.ptp(inputs) == 0.0:
        total.append(Level(theory.capacity(float(inputs[0])), "capacity"))
    kept = run.last(TRACE)
    rises = np.diff(kept[kept > 0]) > 0
    word = "primacy" if not rises.any() else "recency" if rises.all() else "a bow"
    panels = (
        Panel("What the list leaves behind", stored, "item", "activity y", x_ticks=place, legend="top"),
        time_panel(run, "Total activity", total, y="total activity", width=0.9),
    )
    first = time_panel(run, "Each new item takes its part from the older ones", course, y="activity y", legend="beside")
    return FigureDescription(f"The order of a list is stored as a gradient: {word}", run.below, ((first,), panels))
