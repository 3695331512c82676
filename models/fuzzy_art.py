"""Fuzzy ART, adaptive resonance for analog patterns, as differential equations.

    du_ji/dt = 4 s (-u_ji + w_ji - I_i)                                 difference between memory and pattern
    dw_ji/dt = -M f(x_j) [u_ji]+                                        memory, in the phase "learn"
    do_j/dt  = 4 s (-o_j + sum_i I_i - sum_i [-u_ji]+)                  overlap
    dT_j/dt  = (8 s/n) (-alpha T_j + o_j - T_j sum_i w_ji)              choice, a shunting cell (9)
    dv_j/dt  = 4 s (-v_j + rho sum_i I_i - o_j - 2 n (1 - f(x_j)))      orienting cells

I is the complement code (a, 1 - a) of a pattern of n features in [0, 1]. At rest the overlap is |I ^ w_j|, the sum of
the smaller ones of I_i and w_ji, and T_j = |I ^ w_j|/(alpha + |w_j|). F2 (j), a recurrent competitive field (21),
chooses a category by T_j; f(x_j) is 1 for the chosen one and 0 for the others. If it is chosen but overlaps too little,
v_j becomes positive, F2 is reset, and another one is tried; the equations of this search stand in
`models/parts/resonance.py`. A category that has not learned has w = 1. Fast learning takes w_j to I ^ w_j.

A presentation takes a unit of time: search, and then fast learning (M is large). Between presentations there is a rest.

Source: Carpenter, Grossberg and Rosen (1991), Fuzzy ART: fast stable learning and categorization of analog patterns by
an adaptive resonance system, Neural Netw. 4, 759-771, which gives the algorithm; this network form is ours.

What is known:

- the network does what the algorithm does (`brnn.theory.art.fuzzy_art` with fresh = 1: categories that have not
  learned compete with the others): the same categories, resets and weights.
- with fast learning w_j is a box, the smallest that contains the patterns of its category: (their minima, one minus
  their maxima). Its sides add up to at most n (1 - rho).
- weights only fall, so that learning is stable.
- after one presentation of the list nothing is left to learn, if alpha is small.
- with binary patterns it is ART 1 with L = 1 + alpha, which sees their complement code.
"""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, one_of, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import InputError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Run, figure, matrix_panel
from brnn.models.parts.by_hand import equations_by_hand, integrated
from brnn.models.parts.category_figure import chosen_panel, presented_patterns
from brnn.models.parts.presentations import pattern_rows
from brnn.models.parts.resonance import (
    ACCURACY,
    CHOSEN,
    LEARN,
    SEARCH,
    CategoryField,
    choices,
    labels,
    presentations,
    refuse_size,
    times,
)
from brnn.models.parts.resonance_by_hand import chosen_by_hand, search_at_rest, search_by_hand
from brnn.models.parts.runs import run
from brnn.signals import Function, Linear, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import InPhase
from brnn.spec.stimulus import Stimulus
from brnn.spec.topologies.matrix import Sparse
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import art

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["build"]

PATTERNS = ((0.1, 0.2), (0.2, 0.1), (0.8, 0.9), (0.15, 0.3), (0.9, 0.8), (0.5, 0.1), (0.1, 0.9), (0.45, 0.2))
_REMAINS = 1e-6  # what is left of the difference between memory and pattern after one presentation
_BIAS = 1e-6


@takes_dotted_names
def build(
    pattern: ArrayLike = PATTERNS,
    rho: float = 0.75,
    m: int = 5,
    cycles: int = 2,
    alpha: float = 1e-3,
    M: float | None = None,
    speed: float | None = None,
    events: bool = True,
) -> Network:
    """Return fuzzy ART, which sees a list of patterns one after the other.

    Parameters
    ----------
    pattern : array in [0, 1]
        The patterns as rows, one column for each feature; they are complement coded (1).
    rho : float, in [0, 1]
        Vigilance (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 1
        How often the list is presented (1).
    alpha : float, > 0
        Choice parameter (1).
    M : float, >= 0
        Learning rate (1/time); by default learning ends within a presentation. With 0 nothing is learned.
    speed : float, > 0
        s (1/time); by default so large that all categories can be tried within a presentation. At least 2 M.
    events : bool
        Whether the choices and resets of the search are recorded as events.

    Returns
    -------
    Network
        Layers "input", "memory" (the weights w), "difference", "overlap", "choice", "F2" and the cells of the search.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    import scipy.sparse as sparse

    model = "fuzzy_art"
    shown = pattern_rows(pattern, f"{model}: pattern", minimum=0.0)
    wrong = np.argwhere(shown > 1.0)
    if wrong.size:
        k, i = wrong[0]
        raise InputError(f"{model}: pattern: pattern {k} has the element {shown[k, i]:g}; all must be in [0, 1]")
    n, vigilance = shown.shape[1], number(rho, f"{model}: rho", minimum=0.0, maximum=1.0)
    count, alpha = whole(m, f"{model}: m", minimum=1), number(alpha, f"{model}: alpha", above=0.0)
    rows = np.tile(art.complement(shown), (whole(cycles, f"{model}: cycles", minimum=1), 1))
    refuse_size(model, 4 * count * n + rows.size, f"{count} categories of {n} features")
    rate = -math.log(_REMAINS) / LEARN if M is None else number(M, f"{model}: M", minimum=0.0)
    s = max(12.0 * (count + 2), 2.0 * rate) if speed is None else number(speed, f"{model}: speed", above=0.0)
    if s < 2.0 * rate:
        raise InputError(f"{model}: speed = {s:g}: must be at least 2 M = {2.0 * rate:g}, or memories overshoot")
    recorded = one_of(events, f"{model}: events", bool, "True or False")

    # F2 is let go of when even choices that differ by the bias only have settled.
    field = CategoryField(count, s, _BIAS, orienting=count, quiet=0.4, total=n)
    one, every, off = OneToOne(weight=4.0 * s), AllToAll(weight=4.0 * s * vigilance), 2.0 * n
    of_category = sparse.kron(sparse.eye(count), np.ones((1, 2 * n)))  # memory cells of each category
    of_feature = sparse.kron(np.ones((count, 1)), sparse.eye(2 * n))  # the input cell of each memory cell
    positive, missing = ThresholdLinear(), Function("max(0, -w)")
    return Network(
        model,
        [
            Layer.additive("input", 2 * n, A=4.0 * s),
            GatedLayer("memory", (count, 2 * n), A=0.0, B=1.0, C=0.0, E=1.0, F=0.0, initial=1.0, rest=-rate, gain=rate),
            Layer.additive("difference", (count, 2 * n), A=4.0 * s, initial=1.0),
            Layer.additive("overlap", count, A=4.0 * s),
            Layer("choice", (count,), A=8.0 * s * alpha / n, B=8.0 * s / n, C=0.0, E=0.0, F=8.0 * s / n),
            *field.layers(),
        ],
        [
            Projection("memory", "difference", "excitatory", Linear(), one),
            Projection("input", "difference", "inhibitory", Linear(), Sparse(4.0 * s * of_feature)),
            Projection("difference", "memory", "inhibitory", positive, OneToOne()),
            Projection("F2", "memory", "modulatory", CHOSEN, Sparse(of_category.T)),
            Projection("input", "overlap", "excitatory", Linear(), AllToAll(weight=4.0 * s)),
            Projection("difference", "overlap", "inhibitory", missing, Sparse(4.0 * s * of_category)),
            Projection("overlap", "choice", "excitatory", Linear(), OneToOne()),
            Projection("memory", "choice", "inhibitory", Linear(), Sparse(of_category)),
            Projection("choice", "F2", "excitatory", positive, OneToOne()),
            Projection("input", "orienting", "excitatory", Linear(), every),
            Projection("overlap", "orienting", "inhibitory", Linear(), one),
            Projection("F2", "orienting", "excitatory", CHOSEN, OneToOne(weight=4.0 * s * off)),
            *field.projections(),
        ],
        [
            *field.stimuli(),
            Stimulus("orienting", "inhibitory", 4.0 * s * off),
            Stimulus("memory", "modulatory", 1.0, InPhase("learn")),
        ],
        protocol=presentations(rows, 4.0 * s),
        events=field.events() if recorded else (),
        reference="Carpenter, Grossberg and Rosen (1991), Neural Netw. 4, 759-771",
    )


# Claims --------------------------------------------------------------------------------------------------------

_1991 = "Carpenter, Grossberg and Rosen (1991)"
_LEFT = 2.0 * _REMAINS  # by which memories may differ from what fast learning in the limit gives


@functools.cache
def _default_run(rho: float) -> Result:
    """Return the run of the default list, presented three times; claims look at it from several sides."""
    network = build(rho=rho, cycles=3)
    return run(network, times=times(network), **ACCURACY)


def _memories(result: Result) -> np.ndarray:
    """Return w at time 0 and after each presentation, shape (times, categories, 2 features)."""
    return np.asarray(result["memory.x"])


@claim("Eight patterns worked out by hand: categories, resets and boxes", source=_1991 + ", algorithm")
def worked_by_hand() -> list[Comparison]:
    """The sides of a box may add up to 2 (1 - 0.75) = 0.5; a category without learning has T = 2/(4 + alpha)."""
    result = _default_run(0.75)
    tried = [len(order) - 1 for order in choices(result)]
    # Minima of both features, and one minus their maxima.
    boxes = [[0.1, 0.1, 0.8, 0.7], [0.8, 0.8, 0.1, 0.1], [0.45, 0.1, 0.5, 0.8], [0.1, 0.9, 0.9, 0.1], [1, 1, 1, 1]]
    return [
        Comparison.order([0, 0, 1, 0, 1, 2, 3, 2], labels(result)[:8], "category of each pattern"),
        Comparison.order([0, 0, 0, 0, 0, 1, 2, 0], tried[:8], "resets before it"),
        Comparison(boxes, _memories(result)[8], _LEFT, "memories; the last category is still unused"),
    ]


@claim("The network has the categories, resets and memories of the algorithm", source=_1991 + ", algorithm")
def same_as_the_algorithm() -> list[Comparison]:
    """Two random lists, of two and of three features, each presented twice."""
    rng = np.random.default_rng(1991)
    rows = []
    for features, rho, alpha in ((2, 0.8, 1e-3), (3, 0.4, 0.1)):
        shown = rng.uniform(size=(6, features))
        network = build(shown, rho, 5, 2, alpha=alpha)
        result = run(network, times=times(network), **ACCURACY)
        learned = art.fuzzy_art(art.complement(shown), rho, alpha=alpha, categories=5, lists=2, fresh=1.0)
        tried = [len(order) - 1 for order in choices(result)]
        name = f"{features} features, rho = {rho:g}"
        rows.append(Comparison.order(learned.labels.ravel(), labels(result), f"{name}: category of each presentation"))
        rows.append(Comparison.order(learned.resets.ravel(), tried, f"{name}: resets in each presentation"))
        rows.append(Comparison(learned.memories(5), _memories(result)[-1], _LEFT, f"{name}: memories"))
    return rows


@claim("A category is the smallest box around its patterns, with sides of at most n (1 - rho)", source=_1991)
def categories_are_boxes() -> list[Comparison]:
    """Boxes of the patterns that the network itself has put together; memories after every presentation."""
    rows = []
    for rho in (0.6, 0.75):
        result = _default_run(rho)
        w, found, shown = _memories(result), labels(result), np.tile(PATTERNS, (3, 1))
        used = np.unique(found)
        boxes = [[*shown[found == j].min(axis=0), *(1.0 - shown[found == j].max(axis=0))] for j in used]
        sizes = shown.shape[1] - w[1:].sum(axis=2)
        name = f"rho = {rho:g}"
        rows.append(Comparison(boxes, w[-1, used], _LEFT, f"{name}: (minima, 1 - maxima) of {len(used)} categories"))
        rows.append(Comparison.at_most(2.0 * (1.0 - rho), sizes, 1e-9, f"{name}: sums of sides"))
        rows.append(Comparison.monotone("falling", w, label=f"{name}: memories over all presentations"))
    return rows


@claim("One presentation of the list suffices: then each pattern finds its box at once, and it stays", source=_1991)
def one_shot_is_stable() -> list[Comparison]:
    """The second and third presentations of the default list, for two vigilances."""
    rows = []
    for rho in (0.6, 0.75):
        result = _default_run(rho)
        w, order, count = _memories(result), choices(result), len(PATTERNS)
        name = f"rho = {rho:g}"
        rows.append(Comparison(np.stack([w[count]] * (2 * count)), w[count + 1 :], _LEFT, f"{name}: memories"))
        rows.append(Comparison.count(np.ones(2 * count), [len(tried) for tried in order[count:]], f"{name}: choices"))
        rows.append(Comparison.order(order[count : 2 * count], order[2 * count :], f"{name}: categories"))
    return rows


@claim("Memory goes to I ^ w at the rate M", source=_1991 + ", slow learning")
def memory_is_exponential() -> list[Comparison]:
    """Slow learning of one pattern. The difference u follows w - I at the rate 4 s: two linear equations, solved."""
    M, s, code = 2.5, 200.0, np.array([0.3, 0.9, 0.7, 0.1])
    network = build(code[:2], 0.5, 2, 1, M=M, speed=s)
    t = np.linspace(0.0, 1.0 - SEARCH, 7)[:, None]
    result = run(network, times=np.append(0.0, SEARCH + t), **{**ACCURACY, "rtol": 1e-8, "atol": 1e-10})
    w = _memories(result)[1:]
    fast, slow = (-2.0 * s * (1.0 + sign * math.sqrt(1.0 - M / s)) for sign in (1.0, -1.0))
    remains = ((M + fast) * np.exp(slow * t) - (M + slow) * np.exp(fast * t)) / (fast - slow)
    return [
        Comparison(code + (1.0 - code) * remains, w[:, 0], 1e-6, "memory of the chosen category"),
        Comparison(code + (1.0 - code) * np.exp(-M * t), w[:, 0], M / (4.0 * s), "to within M/(4 s): exp(-M t)"),
        Comparison.exact(np.ones((7, 4)), w[:, 1], "memory of the other category"),
    ]


@claim("With binary patterns it is ART 1: and in place of the minimum, in exact arithmetic", source=_1991)
def binary_is_art1() -> list[Comparison]:
    """Seven patterns of three bits, shown twice; ART 1 with L = 1 + alpha sees their complement code, in fractions."""
    from brnn.models.art1_fast import sets_of_cells

    shown = np.array([[0, 0, 0], [0, 0, 1], [1, 1, 1], [0, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 1]])
    network = build(shown, 0.6, 4, 2, alpha=0.1)
    result = run(network, times=times(network), **ACCURACY)
    coded = art.complement(shown)
    found, templates = sets_of_cells(coded, Fraction(3, 5), Fraction(11, 10), 2, Fraction(1))
    V = [[float(i in cells) for i in range(6)] for cells in templates]
    return [
        Comparison.order(found, labels(result), "categories"),
        Comparison(V, _memories(result)[-1, : len(V)], _LEFT, f"memories and templates of {len(V)} categories"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    (count, n), m, s = p.pattern.shape, p.m, p.speed
    code = np.hstack([p.pattern, 1.0 - p.pattern])
    search = search_by_hand(m, s, 1e-6, quiet=0.4, total=n)

    def velocity(t: float, state: np.ndarray, when: float) -> np.ndarray:
        I, o, T, v, rest = np.split(state[: 2 * n + 6 * m + 2], np.cumsum([2 * n, m, m, m]))
        w, u = state[2 * n + 6 * m + 2 :].reshape(2, m, 2 * n)
        part, place = when % 3.0, int(when // 3.0)
        shown = code[place % count] if part < 1.0 and place < count * p.cycles else 0.0
        f, learn = chosen_by_hand(rest[:m]), p.M * (0.7 < part < 1.0)
        return np.concatenate([
            4.0 * s * (shown - I),
            4.0 * s * (-o + I.sum() - np.maximum(-u, 0.0).sum(axis=1)),
            8.0 * s / n * (-p.alpha * T + o - T * w.sum(axis=1)),
            4.0 * s * (-v + p.rho * I.sum() - o - 2.0 * n * (1.0 - f)),
            search(rest, np.maximum(T, 0.0), v, I.sum()),
            (-learn * f[:, None] * np.maximum(u, 0.0)).ravel(),
            (4.0 * s * (-u + w - I)).ravel(),
        ])  # fmt: skip

    start = np.concatenate([np.zeros(2 * n + 3 * m), search_at_rest(m), np.ones(4 * m * n)])
    breaks = [3.0 * k + part for k in range(int(times[-1] / 3.0) + 1) for part in (0.0, 0.7, 1.0)]
    found = integrated(velocity, start, times, breaks)
    names = {"input.x": 2 * n, "overlap.x": m, "choice.x": m, "orienting.x": m, "F2.x": m, "arousal.x": 1}
    names |= {"rebound.x": m, "silence.x": 1, "on_channel.y": m, "memory.x": 2 * m * n, "difference.x": 2 * m * n}
    course = dict(zip(names, np.split(found, np.cumsum(list(names.values()))[:-1], axis=1), strict=True))
    matrices = {name: course[name].reshape(-1, m, 2 * n) for name in ("memory.x", "difference.x")}
    return {**course, **matrices}


@claim("Its equations, written out by hand", source=_1991 + " and the text above, integrated by SciPy")
def equations() -> list[Comparison]:
    """Two patterns of two features and two categories, the first of which is reset, every parameter off its default."""
    parameters = {
        "pattern": np.array([[0.2, 0.7], [0.9, 0.6]]),
        "rho": 0.7,
        "cycles": 1,
        "alpha": 0.02,
        "M": 9.0,
        "speed": 25.0,
    }
    return equations_by_hand(
        functools.partial(build, m=2, events=False),
        parameters,
        lambda p, times: _by_hand(SimpleNamespace(m=2, **vars(p)), times),
        np.array([0.0, 0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.95, 1.1, 3.2, 3.4, 3.6, 3.8, 6.05]),
        apart=("m", "events"),
        tolerance=1e-6,
        solver="LSODA",
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("F2.x", "memory.x")
def boxes(run: Run) -> FigureDescription | None:
    """Show which category answered each pattern, and the boxes that were learned, beside those of the algorithm."""
    categories, cells = run.view("memory").shape
    if categories > 24 or cells > 60:
        return None
    shown = presented_patterns(run)
    rho = float(run.part("input_orienting_exc").topology.weight) / float(np.max(run.part("input").A))
    learned = art.fuzzy_art(shown, min(rho, 1.0), categories=categories, fresh=1.0)
    w = run.last("memory")
    chosen = chosen_panel(run, [int(j) for j in learned.labels[0]])
    if cells != 4:
        memory = matrix_panel(w, "Memory w", x="cell of the input", y="category")
        return FigureDescription("Categories are boxes", run.below, ((chosen,), (memory,)))
    marks: list[Mark] = [Curve(shown[:, 0], shown[:, 1], "patterns", "given", marker="x")]
    for j in range(categories):
        x, y = _box(w[j])
        if x[1] >= x[0] and y[2] >= y[0]:
            marks.append(Curve(x, y, f"category {j}", color=j))
    for template in learned.templates:
        marks.append(Curve(*_box(template), "the algorithm", "predicted"))
    plane = Panel("Categories are boxes around their patterns", marks, "feature 1", "feature 2", legend="beside")
    plane = plane.replace(square=True, x_limits=(-0.03, 1.03), y_limits=(-0.03, 1.03))
    title = f"Patterns lie in {counted(learned.categories, 'box', 'boxes')}, as the algorithm predicts"
    return FigureDescription(title, f"vigilance {rho:g}   ·   {run.below}", ((chosen,), (plane,)), (1.0, 1.5))


def _box(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of the box of a category of two features, in turn: w = (minima, 1 - maxima)."""
    low, high = w[:2], 1.0 - w[2:]
    return np.array([low[0], high[0], high[0], low[0], low[0]]), np.array([low[1], low[1], high[1], high[1], low[1]])
