"""Item-and-Order read-out: a rehearsal wave performs the items of a working memory, the largest first.

A list is stored by STORE 1 (41), (42): layers "store" (x) and "trace" (y), see `brnn.models.store`. Then a nonspecific
rehearsal wave R opens the choice cells c and their self-inhibitory interneurons d to all items alike:

    dc_i/dt = R [ -c_i + (1 - c_i) (G (y_i + e_i) + p(c_i)) - c_i (sum_{k != i} p(c_k) + K q(d_i)) ]
    dd_i/dt = 2 R [ -d_i + (1 - d_i) (4 d_i^4/(0.3^4 + d_i^4) + 5 [c_i - 1/2]+) ]
    p(c) = H [c - 1/5]+,     q(d) = [d - 2/5]+

The choice cells are a recurrent competitive field whose signal p has a threshold: below it cells do not interact, and
the cell with the largest input reaches it first, excites itself and inhibits the others. This is the performance of its
item. It switches the interneuron d_i on, which keeps itself on and shuts c_i: no item is performed twice, and the next
largest has its turn. G is such that an input of h, the threshold of recall, just reaches 1/5: items that are stored
below h are never performed. H = 10 (1 + e) and K = 20 (1 + e), e being the largest input that may come, so that strong
inputs are decided among and shut off, too.

Noise adds to each y_i a number e_i = m + s N(0, 1) of its own, drawn once for each list (m = 5 s, the same for all, is
taken into account in G). Many lists with independent noise can be recalled side by side (`lists`).

Source: Grossberg (1978), A theory of human memory, and Behavioral contrast in short-term memory, J. Math. Psychol. 17,
199-219; Grossberg (2013), Recurrent neural networks, Scholarpedia 8(2):1888, "Working memory": rehearsal wave,
self-inhibition, transpositions, von Restorff effects, transient memory span. The review describes the parts in words;
the equations of c and d are ours (a competitive queue). The interneuron inhibits the output here, the trace stays.

What is known:

- items are performed in the falling order of what is stored, each once: a list is recalled in its own order if and only
  if its gradient is one of primacy, n <= transient memory span (A < A_n). A span of 4, that of the review, needs
  0.114 < A < 0.198.
- noise makes items i and j change places with probability Phi(-(y_i - y_j)/(s sqrt 2)): neighbours, whose activities
  are similar, more often than far ones. Items are recalled at all with probability Phi((y_i - h)/s).
- an item to which more attention is paid is stored stronger, and is recalled earlier and more often (von Restorff).
- the stronger the wave, the faster the performance; the order stays.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.base.memory import refuse_above
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Mark, Note, Panel, Run, figure, time_panel, trace
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.runs import frequencies, run
from brnn.models.parts.store import STORE, TRACE, ItemList, memory
from brnn.signals import Linear, Sigmoid, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.triggers import Crossing, Event
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Noise, Pulse
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Sparse
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory import store as theory

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["build", "performed", "rising", "wave_times"]

CHOICE, DONE = "choice", "done"
_START = 0.2  # activity from which on choice cells send signals
_HALF = 0.5  # activity of an interneuron at which its item counts as performed
_MEAN = 5.0  # mean of the noise in its standard deviations, so that it is practically never negative


@takes_dotted_names
def build(
    n: int | None = None,
    A: float = 0.1,
    strengths: ArrayLike | None = None,
    noise: float = 0.0,
    threshold: float = 0.01,
    wave: float = 1.0,
    lists: int = 1,
    seed: int = 0,
    rehearsal: float | None = None,
    duration: ArrayLike | None = None,
    gap: ArrayLike | None = None,
) -> Network:
    """Return a working memory to which a list is presented and which then performs it.

    Parameters
    ----------
    n : int, >= 1
        Number of items (1); by default that of `strengths`, else 5.
    A : float, > 0
        Strength of the input of the working memory (1).
    strengths : float or array, > 0
        Attention: factor of A for each item (1).
    noise : float, >= 0
        s, standard deviation of the noise on each stored activity during recall (1).
    threshold : float, >= 0
        h, the least stored activity that is recalled (1); above 0 unless there is noise.
    wave : float, > 0
        R, strength of the rehearsal wave (1/time), which sets the speed.
    lists : int, >= 1
        How many lists are recalled side by side, each with its own noise (1).
    seed : int, >= 0
        Seed of the noise (1).
    rehearsal : float, > 0
        How long the wave lasts (time); by default (10 + 4 n)/R, enough for all items.
    duration : float or array, > 0
        How long each item is shown (time); by default long enough to equilibrate.
    gap : float or array, > 0
        Silence after each item (time); by default long enough to equilibrate.

    Returns
    -------
    Network
        Layers "store" and "trace" (n cells), "choice" and "done" (n cells, or lists x n). With one list each
        performance is an event, "performed": the moment when the interneuron is half on.

    Warns
    -----
    UserWarning
        If pulses or gaps are too short to equilibrate; the warning names the length that is needed.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, is not finite, or if items overlap or touch (gap <= 0).
    """
    shown = ItemList.checked("item_and_order_readout", n, A, None, strengths, duration, gap, default=5)
    n = len(shown.places)
    where = "item_and_order_readout: "
    s, R = number(noise, where + "noise", minimum=0.0), number(wave, where + "wave", above=0.0)
    least = (None, 0.0) if s == 0 else (0.0, None)
    h = number(threshold, where + "threshold", minimum=least[0], above=least[1])
    many, root = whole(lists, where + "lists", minimum=1), whole(seed, where + "seed", minimum=0)
    last = number((10.0 + 4.0 * n) / R if rehearsal is None else rehearsal, where + "rehearsal", above=0.0)
    refuse_above(8 * many * n * (60 + 3 * n), where + f"{many} lists of {n} items")
    layers, projections, stimuli = memory(n, shown)
    one = many == 1
    cells = (n,) if one else (many, n)
    G = _START / (1.0 - _START) / (h + _MEAN * s)
    largest = G * (float(theory.capacity(shown.inputs.max())) + (_MEAN + 6.0) * s)
    send = ThresholdLinear(10.0 * (1.0 + largest), threshold=_START)
    wave_on = Pulse(shown.end, shown.end + last)
    opened = [Stimulus(name, "modulatory", R, wave_on) for name in (CHOICE, DONE)]
    if s > 0:
        held = Noise(root, interval=2.0 * (shown.end + last), mean=_MEAN * s, deviation=s)
        opened.append(Stimulus(CHOICE, "excitatory", np.full(cells, G), held))
    return Network(
        "item_and_order_readout",
        layers=[*layers, GatedLayer(CHOICE, cells, A=1.0, B=1.0), GatedLayer(DONE, cells, A=2.0, B=1.0)],
        projections=[
            *projections,
            Projection(TRACE, CHOICE, "excitatory", Linear(G), OneToOne() if one else _to_all(n, many)),
            Projection(CHOICE, CHOICE, "excitatory", send, OneToOne()),
            Projection(CHOICE, CHOICE, "inhibitory", send, _others(n, many)),
            Projection(DONE, CHOICE, "inhibitory", ThresholdLinear(20.0 * (1.0 + largest), threshold=0.4), OneToOne()),
            Projection(DONE, DONE, "excitatory", Sigmoid(8.0, 0.3, 4.0), OneToOne()),
            Projection(CHOICE, DONE, "excitatory", ThresholdLinear(10.0, threshold=0.5), OneToOne()),
        ],
        stimuli=[Stimulus(STORE, "excitatory", shown.rows(n), shown.shown), *stimuli, *opened],
        events=[Event("performed", Crossing(DONE, _HALF))] if one else [],
        duration=shown.end + last,
        reference="Grossberg (1978), A theory of human memory; Scholarpedia 8(2):1888 (2013)",
    )


def _to_all(n: int, lists: int) -> Sparse:
    """Return the connections of each item to its cell in every list."""
    from scipy.sparse import eye_array, vstack

    return Sparse(vstack([eye_array(n)] * lists, format="csr"))


def _others(n: int, lists: int) -> AllButSelf | Sparse:
    """Return the connections of each cell to the other cells of its list."""
    if lists == 1:
        return AllButSelf()
    from scipy.sparse import csr_array, eye_array, kron

    return Sparse(kron(eye_array(lists), csr_array(np.ones((n, n)) - np.eye(n)), format="csr"))


def wave_times(network: Network, per_unit: int = 10) -> np.ndarray:
    """Return times from the beginning of the rehearsal wave to its end, `per_unit` of them in each unit of 1/R."""
    wave = next(s for s in network.stimuli if s.target == CHOICE and s.kind == "modulatory")
    pulse = wave.schedule
    assert isinstance(pulse, Pulse)
    count = math.ceil(per_unit * (pulse.off - pulse.on) * float(np.max(wave.pattern))) + 1
    return np.linspace(pulse.on, pulse.off, count)


def performed(result: Result) -> np.ndarray:
    """Return when each item was performed: when its interneuron was half on.

    Parameters
    ----------
    result : Result
        A run of what `build` returned. With several lists it needs saved times that are dense during the wave, such as
        those of `wave_times`: between them the moment is interpolated. With one list it is that of the event.

    Returns
    -------
    ndarray, shape (n,) or (lists, n)
        Times from the beginning of the wave on; infinite for items that were not performed.
    """
    start = wave_times(result.network)[0]
    if not result.network.events:
        return rising(np.asarray(result[f"{DONE}.x"]), np.asarray(result.times) - start, _HALF)
    found = np.full(result.network.layer(DONE).cells, np.inf)
    found[result.events["cell"].to_numpy()] = result.events["time"].to_numpy() - start
    return found


def rising(x: np.ndarray, times: np.ndarray, level: float) -> np.ndarray:
    """Return when each cell first rises above a level (infinite if it does not), between samples by a straight line."""
    above = x > level
    at = above.argmax(axis=0)
    before = np.maximum(at - 1, 0)
    x0, x1 = (np.take_along_axis(x, k[None], axis=0)[0] for k in (before, at))
    part = np.divide(level - x0, x1 - x0, out=np.zeros(x0.shape), where=x1 > x0)
    found = times[before] + np.clip(part, 0.0, 1.0) * (times[at] - times[before])
    return np.where(above.any(axis=0), found, np.inf)


# Claims --------------------------------------------------------------------------------------------------------

_REVIEW = "Grossberg (1978); review, "


def _perform(network: Network, rtol: float = 1e-3) -> np.ndarray:
    """Run the network and return when each item is performed; orders do not need more accuracy than the default."""
    from brnn.integrate import simulate

    return performed(simulate(network, times=wave_times(network), rtol=rtol, atol=1e-2 * rtol))


def _order(times: np.ndarray) -> list[int]:
    """Return the items of one list, from 1 on, in the order of their performance."""
    done = np.flatnonzero(np.isfinite(times))
    return (done[np.argsort(times[done], kind="stable")] + 1).tolist()


def _falling(y: np.ndarray) -> list[int]:
    return (np.argsort(-y, kind="stable") + 1).tolist()


@claim("Items are performed in the falling order of what is stored, each once", source=_REVIEW + "rehearsal wave")
def largest_first() -> list[Comparison]:
    """Primacy, bow and recency gradients: the order of the performances, and how often each choice cell fires."""
    rows = []
    for A, n in ((0.03, 7), (0.1, 5), (0.3, 6), (0.7, 7), (2.0, 5)):
        network = build(n, A)
        label = f"A = {A:g}, {n} items"
        rows.append(Comparison.order(_falling(theory.stored(A, n)), _order(_perform(network)), f"{label}: order"))
        x = np.asarray(run(network, times=wave_times(network, 20))[f"{CHOICE}.x"])
        fired = np.count_nonzero((x[1:] > 0.5) & (x[:-1] <= 0.5), axis=0)
        rows.append(Comparison.count(np.ones(n, dtype=int), fired, f"{label}: how often each is performed"))
    return rows


@claim("The wave sets the speed, and the first choice comes when a charging cell reaches 1/5", source=_REVIEW + "wave")
def wave_sets_the_speed() -> list[Comparison]:
    """All times scale as 1/R; up to 1/5 the first cell is c (1 - exp(-(1 + e) R t)), c = e/(1 + e), e = G y_1."""
    rows = []
    slow = _perform(build(5, 0.1), rtol=1e-9)
    for R in (0.5, 3.0):
        fast = _perform(build(5, 0.1, wave=R), rtol=1e-9)
        rows.append(Comparison(slow / R, fast, 1e-8, f"R = {R:g}: times of the five performances"))
    for A, n, R in ((0.1, 5, 1.0), (2.0, 4, 0.5)):
        network = build(n, A, wave=R)
        e = 0.25 / 0.01 * theory.stored(A, n).max()
        predicted = -math.log(1.0 - 0.2 * (1.0 + e) / e) / ((1.0 + e) * R)
        start, times = wave_times(network)[0], np.linspace(0.0, 2.0 * predicted, 401)
        x = np.asarray(run(network, start + times[-1], times=start + times)["choice.x"])
        rows.append(Comparison(predicted, rising(x, times, 0.2).min(), 1e-4, f"A = {A:g}, R = {R:g}: first choice"))
    return rows


@claim("The transient memory span: the longest list that is recalled in its order", source=_REVIEW + "span")
def span_is_known() -> list[Comparison]:
    """Lists of 2 to 7 items at seven A: the longest one that is performed from the first item to the last."""
    strengths = (0.035, 0.05, 0.09, 0.13, 0.18, 0.3, 0.8)
    measured = []
    for A in strengths:
        right = [_order(_perform(build(n, A))) == list(range(1, n + 1)) for n in range(2, 8)]
        measured.append(1 + (right.index(False) if False in right else len(right)))
    return [
        Comparison.count([min(theory.span(A), 7) for A in strengths], measured, "spans at seven A"),
        Comparison.count([4, 4], measured[3:5], "A from A_5 = 0.114 to A_4 = 0.198: a span of 4"),
    ]


def _pairs(times: np.ndarray) -> np.ndarray:
    """Return in how many lists item i comes after item j, shape (n, n)."""
    return np.asarray((times[:, :, None] > times[:, None, :]).sum(axis=0))


@claim("Noise transposes neighbours more often than far items", source=_REVIEW + "transposition errors")
def neighbours_are_transposed() -> list[Comparison]:
    """600 lists: how often each pair changes places, by its distance, and how far items are displaced."""
    A, n, s, trials = 0.1, 5, 0.03, 600
    times = _perform(build(n, A, noise=s, threshold=0.0, lists=trials, seed=7))
    y = theory.stored(A, n)
    upper = np.triu_indices(n, 1)
    p = theory.transposed(y, s)
    rows = frequencies(p[upper], _pairs(times)[upper], trials, "each pair of items changes places")
    lag = upper[1] - upper[0]
    mean = [p[upper][lag == k].mean() for k in range(1, n)]
    found = [_pairs(times)[upper][lag == k].mean() / trials for k in range(1, n)]
    rows.append(Comparison(mean, found, 4.5 * 0.5 / math.sqrt(trials), "pairs by distance 1 to 4"))
    rows.append(Comparison.order(_falling(np.array(mean)), _falling(np.array(found)), "distances by their errors"))
    place = np.argsort(np.argsort(times, axis=1), axis=1)
    moved = np.abs(place - np.arange(n))
    positions = theory.output_positions(y, s)
    distance = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    expected = np.array([positions[distance == k].sum() / n for k in range(n)])
    counts = np.array([(moved == k).sum() / n for k in range(n)])
    rows += frequencies(expected, counts, trials, "displacement by 0 to 4 places")
    rows.append(Comparison.monotone("falling", counts / trials, label="the farther the rarer"))
    return rows


@claim("With noise an item is recalled with probability Phi((y_i - h)/s)", source="derived; " + _REVIEW + "free recall")
def recall_is_a_matter_of_activity() -> list[Comparison]:
    """Bowed lists with thresholds amid the stored activities: how often each item is recalled."""
    rows = []
    for A, n, h, s in ((0.3, 7, 0.15, 0.04), (0.15, 9, 0.08, 0.05)):
        times = _perform(build(n, A, noise=s, threshold=h, lists=250, seed=3, rehearsal=6.0 * n))
        counts = np.isfinite(times).sum(axis=0)
        rows += frequencies(theory.recalled(theory.stored(A, n), h, s), counts, 250, f"A = {A:g}, {n} items, h = {h:g}")
    return rows


@claim("Attention at one item: it is recalled earlier and more often (von Restorff)", source=_REVIEW + "von Restorff")
def attended_items_stand_out() -> list[Comparison]:
    """Item 4 of 7 with three times the attention: what is stored, its turn, and how often each item is recalled."""
    A, n, h, s = 0.15, 7, 0.12, 0.05
    attention = np.ones(n)
    attention[3] = 3.0
    plain, bent = theory.stored(A, n), theory.stored(A, n, attention)
    times = _perform(build(n, A, attention))
    kept = np.asarray(run(build(n, A, attention), build(n, A, attention).duration).final(TRACE))
    rows = [
        Comparison(bent, kept, 3e-8, "stored pattern, by the recursion"),
        Comparison.order(_falling(bent), _order(times), "order of recall"),
        Comparison.count(
            [_falling(plain).index(4) + 1, _falling(bent).index(4) + 1],
            [_order(_perform(build(n, A))).index(4) + 1, _order(times).index(4) + 1],
            "turn of item 4 without and with attention",
        ),
    ]
    for label, strengths, y in (("equal attention", None, plain), ("attention at item 4", attention, bent)):
        found = _perform(build(n, A, strengths, noise=s, threshold=h, lists=250, seed=5, rehearsal=6.0 * n))
        rows += frequencies(theory.recalled(y, h, s), np.isfinite(found).sum(axis=0), 250, f"recall, {label}")
    return rows


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    n, A = len(p.strengths), p.A * p.strengths
    onsets = np.concatenate([[0.0], np.cumsum(p.duration + p.gap)])
    shown, end = onsets[:-1], onsets[-1]
    G = 0.25 / (p.threshold + 5.0 * p.noise)
    most = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * A.max()))  # that the memory ever holds
    largest = G * (most + 11.0 * p.noise)
    # The noise of each cell is drawn once, as `Noise` says it.
    e = np.maximum(5.0 * p.noise + p.noise * np.random.default_rng([p.seed, 0]).standard_normal((p.lists, n)), 0.0)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y = u[:n], u[n : 2 * n]
        c, d = u[2 * n :].reshape(2, p.lists, n)
        on = (shown < when) & (when < shown + p.duration)
        I = float(on.any())
        R = p.wave * (end < when < end + p.rehearsal)
        sent = 10.0 * (1.0 + largest) * np.maximum(c - 0.2, 0.0)
        shut = 20.0 * (1.0 + largest) * np.maximum(d - 0.4, 0.0)
        others = sent.sum(axis=1, keepdims=True) - sent
        dc = R * (-c + (1.0 - c) * (G * (y + e) + sent) - c * (others + shut))
        itself = 4.0 * d**4 / (0.3**4 + d**4)
        dd = 2.0 * R * (-d + (1.0 - d) * (itself + 5.0 * np.maximum(c - 0.5, 0.0)))
        return np.concatenate([(A * on + y - x * x.sum()) * I, (x - y) * (1.0 - I), dc.ravel(), dd.ravel()])

    u = integrated(
        velocity, np.zeros(2 * n * (1 + p.lists)), times, [*shown, *(shown + p.duration), end, end + p.rehearsal]
    )
    c, d = np.moveaxis(u[:, 2 * n :].reshape(len(u), 2, p.lists, n), 1, 0)
    return {"store.x": u[:, :n], "trace.x": u[:, n : 2 * n], "choice.x": c, "done.x": d}


@claim("Its equations, written out by hand", source="(41), (42) and the text above, integrated by SciPy")
def equations() -> list[Comparison]:
    """Two lists of two items that are not at rest when the wave comes, every parameter off its default."""
    parameters = {
        "A": 0.4,
        "strengths": np.array([1.2, 0.7]),
        "noise": 0.05,
        "threshold": 0.15,
        "wave": 2.5,
        "lists": 2,
        "seed": 4,
        "rehearsal": 1.5,
        "duration": np.array([2.0, 2.6]),
        "gap": np.array([1.5, 1.2]),
    }
    times = np.array([0.0, 1.0, 2.5, 5.0, 6.5, 7.2, 7.5, 7.7, 7.9, 8.1, 8.3, 8.5, 8.7, 9.5])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # duration and gap are too short for the memory to come to rest
        return equations_by_hand(build, parameters, _by_hand, times, tolerance=1e-6)


# Figure -------------------------------------------------------------------------------------------------------


@figure("trace.x", "choice.x", "done.x")
def rehearsal(run: Run) -> FigureDescription | None:
    """Show what is stored, and how the rehearsal wave performs it, the largest first."""
    view = run.view(CHOICE)
    if len(view.shape) > 1 or view.cells > 6:
        return None
    wave = run.spans(next(s for s in run.network.stimuli if s.target == CHOICE), "rehearsal wave")
    if not wave:
        return None
    begin, table = wave[0].start, run.result.event_table
    if table is None or not len(table.columns["time"]):
        return None
    when, which = table.columns["time"], np.asarray(table.columns["cell"])
    held = run.at(TRACE, begin).ravel()
    spoken = [int(k) + 1 for k in which]
    order: list[Mark] = [Curve(when - begin, held[which], role="guide"), Curve(when - begin, held[which], marker="o")]
    ranked = np.sort(held)[::-1][: len(which)]
    order.append(Curve((when - begin)[: ranked.size], ranked, "theory: the next largest", "predicted", 6, marker="s"))
    performed = zip(when - begin, which, strict=True)
    order += [Note(float(t), float(held[k]), f"item {k + 1}", "above") for t, k in performed]
    below, late = "time since the wave began", float(when[-1] - begin)
    course: list[Mark] = [trace(run, TRACE, k, label=f"item {k + 1}", color=k) for k in range(view.cells)]
    rows = np.asarray(run.network.stimuli[0].pattern)
    kept = theory.stored(1.0, len(rows), rows.max(axis=1), rows.argmax(axis=1), view.cells)
    course.append(Curve(np.full(kept.size, begin), kept, "theory", "predicted", 6, marker="o"))
    panels = (
        Panel(
            "Performed in the rehearsal wave",
            order,
            below,
            "stored activity y",
            x_limits=(0.0, 1.25 * late),
            y_limits=(0.0, 1.25 * float(held.max())),
            legend="none",
        ),
    )
    first = time_panel(run, "The list is presented, then the wave comes", course, y="activity y", legend="beside")
    title = "The largest is performed first, then inhibits itself"
    told = f"circles, squares: theory   ·   performed: {', '.join(map(str, spoken))}   ·   {run.below}"
    return FigureDescription(title, told, ((first,), panels))
