"""ART 1, adaptive resonance theory for binary patterns, as differential equations.

    dx_i/dt = 2 s (-x_i + (1 - A1 x_i)[I_i + D1 sum_j f(x_j) z_ji] - (B1 + C1 x_i) sum_j f(x_j))       F1 (i)
    T_j = sum_i h(x_i) z_ij                                                                             filter
    dz_ij/dt = M f(x_j) [(1 - z_ij) L h(x_i) - z_ij sum_{k != i} h(x_k)]                                instars
    dz_ji/dt = M f(x_j) [h(x_i) - z_ji]                                                                 outstars (11)

F2 (j), a recurrent competitive field (21), chooses a category by T_j. Its signal f is 1 for the chosen category and 0
for the others; the signal h of F1 is 0 below 0 and 1 for every cell that matches. Without F2 the cells of the input I
are active (x_i = I_i/(1 + A1 I_i)); with F2 only those that the template z_j supports, too: the 2/3 rule, for
max(1, D1) < B1 < 1 + D1. The orienting cell compares the match with the input, rho sum_i I_i - sum_i h(x_i). If it
becomes active, F2 is reset, and the category that was chosen is kept out by its depleted transmitter gate (10) for the
rest of the presentation, so that another one is tried. The equations of these cells stand in
`models/parts/resonance.py`.

A presentation takes a unit of time: search, and then, in the phase "learn", fast learning (M is large). Between
presentations there is a rest in which the gates recover.

Source: Carpenter and Grossberg (1987), A massively parallel architecture for a self-organizing neural pattern
recognition machine, Comput. Vision Graph. Image Process. 37, 54-115; the form of the reset is ours.

What is known:

- the network does what the algorithm does (`brnn.theory.art.art1`): the same categories, templates and resets.
- z_ji becomes V_i, z_ij becomes L V_i/(L - 1 + |V|), where V is the intersection of the patterns of the category.
- learning is stable: with small L - 1 it ends within as many list presentations as there are sizes of patterns. After
  that every pattern has direct access to its category.
- more vigilance makes finer categories; with rho = 1 each distinct pattern gets its own.
"""

from __future__ import annotations

import functools
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, number, one_of, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import SpecError
from brnn.figures import Curve, FigureDescription, Run, figure, matrix_panel
from brnn.models.parts import art1_by_hand
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.category_figure import chosen_panel, presented_patterns
from brnn.models.parts.resonance import (
    ACCURACY,
    CHOSEN,
    LEARN,
    LEARNED,
    PERIOD,
    SEARCH,
    CategoryField,
    choices,
    labels,
    presentations,
    refuse_size,
    times,
)
from brnn.models.parts.runs import run
from brnn.signals import Linear, ThresholdLinear
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.layers import Layer
from brnn.spec.learning import Outstar, SelfNormalizing
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import InPhase
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory import art
from brnn.theory.habituation import gate_trajectory

__all__ = ["build"]

PATTERNS = tuple(
    tuple(int(bit) for bit in row) for row in ("110000", "111000", "111100", "000111", "000011", "100000", "111111")
)


@takes_dotted_names
def build(
    pattern: ArrayLike = PATTERNS,
    rho: float = 0.5,
    m: int = 4,
    cycles: int = 2,
    L: float = 2.0,
    A1: float = 1.0,
    B1: float = 1.5,
    C1: float = 1.0,
    D1: float = 0.9,
    fresh: float = 0.9,
    M: float | None = None,
    speed: float | None = None,
    templates: ArrayLike | None = None,
    events: bool = True,
) -> Network:
    """Return ART 1, which sees a list of patterns one after the other.

    Parameters
    ----------
    pattern : array of 0 and 1
        The patterns as rows, none of them empty (1).
    rho : float, in [0, 1]
        Vigilance: which part of the pattern's cells must match (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 1
        How often the list is presented (1).
    L : float, > 1
        How much larger templates are preferred: the less, the nearer to 1 (1).
    A1 : float, >= 0
        Shunting of the excitation of F1 (1).
    B1 : float
        Inhibition of F1 by the gain control, above 1 and D1 and below 1 + D1 (1).
    C1 : float, >= 0
        Shunting of the inhibition of F1 (1).
    D1 : float, > 0
        Strength of the top-down signals (1).
    fresh : float, in (0, 1]
        Weights z_ij of categories that have not learned, in units of L/(L - 1 + cells), the largest allowed (1).
    M : float, >= 0
        Learning rate (1/time); by default learning ends within a presentation. With 0 nothing is learned.
    speed : float, > 0
        s (1/time); by default so large that all categories can be tried within a presentation.
    templates : array of 0 and 1, shape (categories, cells)
        What the first categories have learned before (1).
    events : bool
        Whether the choices and resets of the search are recorded as events.

    Returns
    -------
    Network
        Layers "input", "F1", "F2" and the cells of the search; projections "up" and "down" with the weights.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "art1"
    shown = art.binary_patterns(pattern, f"{model}: pattern")
    cells, vigilance = shown.shape[1], number(rho, f"{model}: rho", minimum=0.0, maximum=1.0)
    count, L = whole(m, f"{model}: m", minimum=1), number(L, f"{model}: L", above=1.0)
    rows = np.tile(shown, (whole(cycles, f"{model}: cycles", minimum=1), 1))
    refuse_size(model, 2 * count * cells + rows.size, f"{count} categories of {cells} cells")
    A, C = number(A1, f"{model}: A1", minimum=0.0), number(C1, f"{model}: C1", minimum=0.0)
    B, D = number(B1, f"{model}: B1"), number(D1, f"{model}: D1", above=0.0)
    if not max(1.0, D) < B < 1.0 + D:
        raise SpecError(
            f"{model}: B1 = {B:g}: must be above max(1, D1) = {max(1.0, D):g} and below 1 + D1 = {1.0 + D:g}, or the "
            f"2/3 rule does not hold"
        )
    fresh = number(fresh, f"{model}: fresh", above=0.0, maximum=1.0)
    rate = -math.log(LEARNED) / LEARN if M is None else number(M, f"{model}: M", minimum=0.0)
    s = 12.0 * (count + 2) if speed is None else number(speed, f"{model}: speed", above=0.0)
    recorded = one_of(events, f"{model}: events", bool, "True or False")
    known = np.empty((0, cells)) if templates is None else _templates(templates, f"{model}: templates", count, cells)
    up, down = np.full((count, cells), fresh * L / (L - 1.0 + cells)), np.ones((count, cells))
    up[: len(known)], down[: len(known)] = art.bottom_up(known, L), known

    gap = art.smallest_gap(cells, L, fresh) if cells <= 1000 else 0.0
    field = CategoryField(count, s, max(1e-8, min(2e-3, 0.5 * gap / count)))
    matching = (1.0 + D - B) / (1.0 + A * (1.0 + D) + C)  # activity of F1 where input and template agree
    h = ThresholdLinear(gain=2.0 / matching, threshold=0.0, ceiling=0.5 * matching)
    learning: dict[str, Any] = {"rate": rate, "sampling": CHOSEN, "sampled": h, "schedule": InPhase("learn")}
    return Network(
        model,
        [
            Layer.additive("input", cells, A=4.0 * s),
            Layer("F1", (cells,), A=2.0 * s, B=2.0 * s, C=2.0 * s * A, E=2.0 * s * B, F=2.0 * s * C),
            *field.layers(),
        ],
        [
            Projection("input", "F1", "excitatory", Linear(), OneToOne()),
            Projection(
                "F1", "F2", "excitatory", h, AllToAll(),
                learning=SelfNormalizing(initial=up, L=L, **learning), name="up",
            ),
            Projection(
                "F2", "F1", "excitatory", CHOSEN, AllToAll(weight=D),
                learning=Outstar(initial=down.T, **learning), name="down",
            ),
            Projection("F2", "F1", "inhibitory", CHOSEN, AllToAll(), name="gain"),
            Projection("input", "orienting", "excitatory", Linear(), AllToAll(weight=4.0 * s * vigilance)),
            Projection("F1", "orienting", "inhibitory", h, AllToAll(weight=4.0 * s)),
            *field.projections(),
        ],
        field.stimuli(),
        protocol=presentations(rows, 4.0 * s),
        events=field.events() if recorded else (),
        reference="Carpenter and Grossberg (1987), Comput. Vision Graph. Image Process. 37, 54-115",
    )  # fmt: skip


def _templates(value: Any, where: str, categories: int, cells: int) -> np.ndarray:
    given = array(value, where, ndim=2)
    if given.shape[0] > categories or given.shape[1] != cells:
        raise SpecError(f"{where}: has shape {given.shape}, must have at most {categories} rows of {cells} cells")
    return art.binary_patterns(given, where)


# Claims --------------------------------------------------------------------------------------------------------

_1987 = "Carpenter and Grossberg (1987)"


def _random_lists(seed: int, count: int) -> list[tuple[np.ndarray, float]]:
    """Return lists of eight patterns of six to eight cells, none of them empty, and a vigilance for each."""
    rng = np.random.default_rng(seed)
    lists = []
    for _ in range(count):
        shown = rng.uniform(size=(8, rng.integers(6, 9))) < rng.choice([0.2, 0.35, 0.5, 0.7])
        shown[~shown.any(axis=1), 0] = True
        lists.append((shown.astype(float), round(float(rng.uniform(0.2, 1.0)), 2)))
    return lists


@claim("2/3 rule: with a category active, F1 holds the intersection of input and template", source=_1987 + ", F1")
def two_thirds_rule() -> list[Comparison]:
    """Cells with each combination of input and template, before and after a category is chosen, against (9) at rest."""
    I, V = np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0, 0.0])
    rows = []
    for C1 in (1.0, 5.0):
        network = build([I], 0.0, 1, 1, C1=C1, templates=[V], M=0.0, speed=40.0)
        x = np.asarray(run(network, times=[0.0, 2.5 / 40.0, SEARCH], **{**ACCURACY, "rtol": 1e-7})["F1.x"])
        rows.append(Comparison(I / (1.0 + I), x[1], 1e-3, f"C1 = {C1:g}: F1 before a category is active"))
        rest = (I + 0.9 * V - 1.5) / (1.0 + I + 0.9 * V + C1)
        rows.append(Comparison(rest, x[2], 1e-6, f"C1 = {C1:g}: F1 with the category"))
        rows.append(Comparison.exact((I * V).astype(bool), x[2] > 0, f"C1 = {C1:g}: cells above 0, input and template"))
    return rows


@claim("The network has the categories, templates and resets of the algorithm", source=_1987 + ", fast learning")
def same_as_the_algorithm() -> list[Comparison]:
    """Seven patterns and three random lists, each presented twice or three times, against the algorithm."""
    rows = []
    default = (np.array(PATTERNS, dtype=float), 0.5)
    for k, (shown, rho) in enumerate([default, *_random_lists(1987, 3)]):
        m, lists = (4, 2) if k == 0 else (8, 2) if k < 3 else (8, 3)  # as often as there is something to learn
        network = build(shown, rho, m, lists)
        result = run(network, times=times(network), **ACCURACY)
        learned = art.art1(shown, rho, categories=m, lists=lists, fresh=0.9)
        V = learned.memories(m)
        name = f"list {k}, rho = {rho:g}"
        tried = [len(order) - 1 for order in choices(result)]
        rows.append(Comparison.order(learned.labels.ravel(), labels(result), f"{name}: category of each presentation"))
        rows.append(Comparison.order(learned.resets.ravel(), tried, f"{name}: resets in each presentation"))
        rows.append(Comparison(V.T, result.final("down.z"), 1e-6, f"{name}: templates"))
        up = np.asarray(result.final("up.z"))[: learned.categories]
        rows.append(Comparison(art.bottom_up(learned.templates), up, 1e-6, f"{name}: weights of the filter"))
    return rows


@claim("Search tries the categories in the order of T_j, and none of them twice", source=_1987 + ", search")
def search_goes_by_choice() -> list[Comparison]:
    """Five templates that match too little, and a category without learning: the order of L |I & V|/(L - 1 + |V|)."""
    V = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 0, 1]])
    I = np.array([1, 1, 1, 1, 1, 0])
    rows = []
    for L in (1.2, 2.0, 3.0):
        T = [*(L * (V * I).sum(axis=1) / (L - 1.0 + V.sum(axis=1))), 0.9 * L * 5.0 / (L - 1.0 + 6.0)]
        order = sorted(range(6), key=lambda j: -T[j])
        network = build([I], 0.9, 6, 1, L=L, templates=V, M=0.0)
        (measured,) = choices(run(network, times=times(network), **ACCURACY))
        rows.append(Comparison.order(order[: order.index(5) + 1], measured, f"L = {L:g}: categories tried"))
    return rows


@claim("Weights approach the pattern exponentially, at M and at M (L - 1 + |I|)", source=_1987 + ", LTM equations")
def weights_are_exponential() -> list[Comparison]:
    """Slow learning of one pattern of three cells out of six; outside of it the filter decays at M |I|."""
    I, L, M = np.array([1.0, 1, 1, 0, 0, 0]), 2.0, 2.5
    network = build([I], 0.5, 2, 1, L=L, M=M)
    moments = SEARCH + LEARN * np.linspace(0.0, 1.0, 7)
    result = run(network, times=np.append(0.0, moments), **{**ACCURACY, "rtol": 1e-7})
    t = (moments - SEARCH)[:, None]
    start, end = 0.9 * L / (L - 1.0 + 6.0), L / (L - 1.0 + 3.0)
    inside, outside = end + (start - end) * np.exp(-M * (L + 2.0) * t), start * np.exp(-M * 3.0 * t)
    up, down = np.asarray(result["up.z"])[1:, 0], np.asarray(result["down.z"])[1:, :, 0]
    return [
        Comparison(np.where(I > 0, inside, outside), up, 1e-6, "filter, L/(L - 1 + |I|) on the pattern"),
        Comparison(np.where(I > 0, 1.0, np.exp(-M * t)), down, 1e-6, "template"),
        Comparison.exact(np.full((7, 6), start), np.asarray(result["up.z"])[1:, 1], "filter of the other category"),
    ]


@claim("Reset is by MTM: the gate of a category that was active recovers as (10) says", source="review, (10)")
def gates_recover() -> list[Comparison]:
    """Two categories, the first of them reset; in the rest both gates go to 1 at the rate H + L."""
    V = [[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1]]
    speed = 48.0
    network = build([[1, 1, 1, 1, 0, 0]], 0.7, 2, 1, templates=V, M=0.0, speed=speed)
    moments = np.linspace(1.2, PERIOD, 10)
    result = run(network, times=np.concatenate([[0.0, 0.5], moments]), **{**ACCURACY, "rtol": 1e-7})
    y = np.asarray(result["on_channel.y"])
    S = 3.0 * speed / 0.6
    predicted = gate_trajectory(moments - moments[0], np.ones(2), 0.6, 2.0, 0.6, y[2])
    return [
        Comparison.order([0, 1], choices(result)[0], "categories tried"),
        Comparison(2.0 / (2.0 + S), y[1, 1], 1e-6, "gate of the active category, 2/(2 + S)"),
        Comparison(predicted, y[2:], 1e-6, "gates in the rest"),
        Comparison.at_least(0.2, 1.0 - y[1, 0], label="depletion of the other one, which keeps it out"),
    ]


@claim("Learning is stable: then no weight changes, and every pattern finds its category at once", source=_1987)
def learning_is_stable() -> list[Comparison]:
    """A list with four sizes of patterns, L = 1.01, presented six times: four are enough to learn it."""
    shown = PATTERNS[:6]
    sizes, count = len({sum(row) for row in shown}), len(shown)
    network = build(shown, 0.6, 5, sizes + 2, L=1.01)
    result = run(network, times=times(network), **ACCURACY)
    weights = [np.asarray(result[name])[::count] for name in ("up.z", "down.z")]
    chosen, order = labels(result).reshape(sizes + 2, count), choices(result)
    return [
        Comparison.count(4, sizes, "sizes of the patterns"),
        *(
            Comparison(z[sizes], z[sizes + 1], 1e-9, f"{name}: weights after {sizes} lists, and after one more")
            for name, z in zip(("filter", "templates"), weights, strict=True)
        ),
        Comparison.order(chosen[-2], chosen[-1], "categories in the last two lists"),
        Comparison.order(np.ones(count), [len(tried) for tried in order[-count:]], "last list: categories tried"),
    ]


@claim("More vigilance, finer categories; with rho = 1 each distinct pattern has its own", source=_1987)
def vigilance_refines() -> list[Comparison]:
    """Seven patterns; the categories for rho = 0.5, 0.7 and 0.9 were worked out by hand."""
    by_hand = {0.5: [0, 0, 0, 1, 1, 0, 2], 0.7: [0, 1, 1, 2, 2, 0, 3], 0.9: [0, 1, 2, 3, 3, 0, 4]}
    rows, counts = [], []
    for rho in (0.5, 0.7, 0.9, 1.0):
        network = build(PATTERNS, rho, *((5, 1) if rho < 1 else (7, 2)))
        found = labels(run(network, times=times(network), **ACCURACY))
        counts.append(np.unique(found[-7:]).size)
        if rho < 1:
            rows.append(Comparison.order(by_hand[rho], found, f"rho = {rho:g}: categories in the first list"))
    rows.append(Comparison.count(len(set(PATTERNS)), counts[-1], "rho = 1: categories, distinct patterns"))
    rows.append(Comparison.monotone("rising", counts, label="number of categories as rho rises"))
    return rows


@claim("Its equations, written out by hand", source=_1987 + " and the text above, integrated by SciPy")
def equations() -> list[Comparison]:
    """A pattern and two categories, one of which has learned and is reset, every parameter off its default."""
    parameters = {
        "pattern": np.array([[1.0, 1.0, 0.0]]),
        "rho": 0.8,
        "cycles": 1,
        "L": 1.6,
        "A1": 1.2,
        "B1": 1.4,
        "C1": 0.8,
        "D1": 0.7,
        "fresh": 0.8,
        "M": 4.0,
        "speed": 30.0,
        "templates": np.array([[1.0, 0.0, 0.0]]),
    }
    return equations_by_hand(
        functools.partial(build, m=2, events=False),
        parameters,
        lambda p, times: art1_by_hand.course(SimpleNamespace(m=2, **vars(p)), times),
        np.array([0.0, 0.05, 0.12, 0.2, 0.3, 0.4, 0.55, 0.68, 0.75, 0.9, 1.1, 3.05]),
        apart=("m", "events"),
        changed={"pattern": np.array([[0.0, 1.0, 1.0]]), "templates": np.array([[1.0, 1.0, 0.0]])},
        tolerance=1e-6,
        rtol=1e-10,  # errors scatter at corners of signals: 16 to 2,000 tolerances where the rebound falls to -51
        atol=1e-13,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("F2.x", "down.z")
def categories(run: Run) -> FigureDescription | None:
    """Show which category answered each pattern, and the templates, beside those of the algorithm."""
    if run.view("F2").cells > 24 or run.view("F1").cells > 100:
        return None
    shown, L = presented_patterns(run), float(run.part("up").learning.L)
    rho = float(run.part("input_orienting_exc").topology.weight) / float(np.max(run.part("input").A))
    fresh = run.first("up.z").max() * (L - 1.0 + shown.shape[1]) / L
    learned = art.art1(shown, rho, L=L, categories=run.view("F2").cells, fresh=min(float(fresh), 1.0))
    choices, known = [int(j) for j in learned.labels[0]], learned.templates
    templates = matrix_panel(run.last("down.z").T, "Templates z", x="cell of F1", y="category", width=0.9)
    rows, cells = np.nonzero(known[: run.view("F2").cells])
    templates = templates.with_marks(Curve(cells, rows, "the algorithm's template", "predicted", 1, marker="o"))
    patterns = np.unique(shown, axis=0)
    given = matrix_panel(patterns, "Patterns", x="cell of the input", y="pattern", label="input", width=0.9)
    title = (
        f"Resonance: {counted(learned.categories, 'stable category', 'stable categories')}, as the algorithm predicts"
    )
    return FigureDescription(title, run.below, ((chosen_panel(run, choices),), (given, templates)), (1.0, 0.9))
