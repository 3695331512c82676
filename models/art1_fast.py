"""ART 1 after fast learning: the algorithm learns, the network recognizes.

    T_j = L |I & V_j|/(L - 1 + |V_j|)                                   choice
    |I & V_j|/|I| >= rho                                                match; else the next one is tried
    V_j becomes I & V_j,  z_ji = V_ji,  z_ij = L V_ji/(L - 1 + |V_j|)   fast learning, dz/dt = 0

When weights come to rest within each presentation, the differential equations of `art1` reduce to this algorithm,
`brnn.theory.art.art1`. It presents a list until no template changes. The network that is returned is that of `art1`
with what was learned as its weights, learning switched off (dz/dt = 0): it shows how the list is recognized.

Source: Carpenter and Grossberg (1987), A massively parallel architecture for a self-organizing neural pattern
recognition machine, Comput. Vision Graph. Image Process. 37, 54-115; Georgiopoulos, Heileman and Huang (1991),
Properties of learning related to pattern diversity in ART1, Neural Netw. 4, 751-757.

What is known:

- with small L - 1 learning ends within as many list presentations as there are sizes of patterns.
- after that every pattern has direct access: the category that it chooses first is its own.
- with rho = 1 there is a category for each distinct pattern. Between lists the number of categories rises with rho on
  the average; for a single list it may fall.
"""

from __future__ import annotations

import functools
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, one_of, whole
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Run, figure, matrix_panel
from brnn.models import art1
from brnn.models.parts import art1_by_hand
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.category_figure import chosen_panel, presented_patterns
from brnn.models.parts.resonance import ACCURACY, choices, labels, refuse_size, times
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.network import Network
from brnn.theory import art

__all__ = ["build"]


@takes_dotted_names
def build(
    pattern: ArrayLike = art1.PATTERNS,
    rho: float = 0.5,
    m: int = 4,
    cycles: int = 20,
    L: float = 2.0,
    fresh: float = 0.9,
    speed: float | None = None,
    events: bool = True,
) -> Network:
    """Return ART 1 with the weights that the algorithm has learned; it sees the list once.

    Parameters
    ----------
    pattern : array of 0 and 1
        The patterns as rows, none of them empty (1).
    rho : float, in [0, 1]
        Vigilance (1).
    m : int, >= 1
        Number of categories (1).
    cycles : int, >= 1
        How often the algorithm presents the list at most (1); it stops when no template changes any more.
    L : float, > 1
        How much larger templates are preferred: the less, the nearer to 1 (1).
    fresh : float, in (0, 1]
        Weights of categories that have not learned, in units of the largest that is allowed (1).
    speed : float, > 0
        s (1/time); see `art1`.
    events : bool
        Whether the choices and resets are recorded as events.

    Returns
    -------
    Network
        As that of `art1`; "down.z" are the templates.

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "art1_fast"
    shown = art.binary_patterns(pattern, f"{model}: pattern")
    vigilance, count = number(rho, f"{model}: rho", minimum=0.0, maximum=1.0), whole(m, f"{model}: m", minimum=1)
    L, lists = number(L, f"{model}: L", above=1.0), whole(cycles, f"{model}: cycles", minimum=1)
    fresh = number(fresh, f"{model}: fresh", above=0.0, maximum=1.0)
    refuse_size(model, 2 * count * shown.shape[1] + shown.size, f"{count} categories of {shown.shape[1]} cells")
    speed = None if speed is None else number(speed, f"{model}: speed", above=0.0)
    recorded = one_of(events, f"{model}: events", bool, "True or False")
    learned = art.art1(shown, vigilance, L=L, categories=count, lists=lists, fresh=fresh, stop=True)
    return art1.build(
        shown, vigilance, count, 1, L=L, fresh=fresh, M=0.0, speed=speed, templates=learned.templates, events=recorded
    ).replace(name=model)


# Claims --------------------------------------------------------------------------------------------------------

_1987 = "Carpenter and Grossberg (1987)"
_1991 = "Georgiopoulos, Heileman and Huang (1991)"
_VIGILANCES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def _random_list(rng: np.random.Generator) -> np.ndarray:
    """Return up to 20 patterns of eight cells, none of them empty."""
    shown = rng.uniform(size=(rng.integers(3, 21), 8)) < rng.uniform(0.2, 0.8)
    shown[~shown.any(axis=1), 0] = True
    return shown.astype(int)


def sets_of_cells(
    patterns: np.ndarray, rho: Fraction, L: Fraction, lists: int, fresh: Fraction
) -> tuple[list[int], list[set[int]]]:
    """Return labels and templates of ART 1 in whole numbers and fractions, as sets of cells."""
    cells = patterns.shape[1]
    templates: list[set[int]] = []
    found = []
    for row in lists * patterns.tolist():
        shown = {i for i, bit in enumerate(row) if bit}
        T = [L * len(shown & V) / (L - 1 + len(V)) for V in templates]
        T.append(fresh * L * len(shown) / (L - 1 + cells))
        free = set(range(len(T)))
        while True:
            j = min(free, key=lambda j: (-T[j], j))
            if j == len(templates):
                templates.append(set(shown))
                break
            if len(shown & templates[j]) >= rho * len(shown):
                templates[j] &= shown
                break
            free.remove(j)
        found.append(j)
    return found, templates


@claim("The algorithm is that of 1987: labels and templates in exact arithmetic", source=_1987)
def algorithm_is_exact() -> list[Comparison]:
    """A list worked out by hand, and 200 random lists, each presented three times, with sets of cells and fractions."""
    by_hand = {0.5: [0, 0, 0, 1, 1, 0, 2], 0.7: [0, 1, 1, 2, 2, 0, 3], 0.9: [0, 1, 2, 3, 3, 0, 4]}
    rows = [
        Comparison.order(labels_, art.art1(art1.PATTERNS, rho).labels[0], f"rho = {rho:g}: seven patterns by hand")
        for rho, labels_ in by_hand.items()
    ]
    rng = np.random.default_rng(1987)
    same = 0
    for _ in range(200):
        shown, tenths, L = _random_list(rng), int(rng.integers(11)), int(rng.integers(2, 5))
        learned = art.art1(shown, tenths / 10, L=L, lists=3)
        found, templates = sets_of_cells(shown, Fraction(tenths, 10), Fraction(L), 3, Fraction(1))
        sets = [set(np.flatnonzero(V)) for V in learned.templates]
        same += int(found == learned.labels.ravel().tolist() and templates == sets)
    rows.append(Comparison.count(200, same, "random lists with equal labels and templates"))
    return rows


@claim("Learning ends within as many list presentations as there are sizes of patterns", source=_1991 + ", theorem")
def learning_ends() -> Comparison:
    """200 random lists, L = 1.0001: list presentations with learning, minus distinct sizes."""
    rng = np.random.default_rng(1991)
    excess = []
    for _ in range(200):
        shown = _random_list(rng)
        after = art.art1(shown, rng.uniform(), L=1.0001, lists=20, stop=True).stable_after
        excess.append((20 if after is None else after) - np.unique(shown.sum(axis=1)).size)
    return Comparison.at_most(0, np.array(excess))


@claim("After learning every pattern has direct access to its category, in the network, too", source=_1987)
def access_is_direct() -> list[Comparison]:
    """Three lists: the network's only choice is the label of the algorithm; 200 lists: no reset in the last list."""
    rng = np.random.default_rng(7)
    rows = []
    for rho in (0.4, 0.6, 0.8):
        shown = _random_list(rng)[:8]
        network = build(shown, rho, 8)
        result = run(network, times=times(network), **ACCURACY)
        expected, templates = sets_of_cells(shown, Fraction(str(rho)), Fraction(2), 10, Fraction(9, 10))
        last = expected[-len(shown) :]
        rows.append(Comparison.order([[j] for j in last], choices(result), f"rho = {rho:g}: categories tried"))
        rows.append(Comparison.order(last, labels(result), f"rho = {rho:g}: category of each pattern"))
        V = [[float(i in cells) for cells in templates] for i in range(8)]
        rows.append(Comparison.exact(V, np.asarray(result.final("down.z"))[:, : len(templates)], f"rho = {rho:g}: V"))
    resets = 0
    for _ in range(200):
        resets += int(art.art1(_random_list(rng), rng.uniform(), lists=30, stop=True).resets[-1].sum())
    rows.append(Comparison.count(0, resets, "200 random lists: resets after learning"))
    return rows


@claim("With rho = 1 each distinct pattern has a category; the number rises with rho on the average", source=_1987)
def vigilance_refines() -> list[Comparison]:
    """200 random lists, rho in steps of 0.2: lists whose number falls are exceptions, no contradiction, and few."""
    rng = np.random.default_rng(2)
    counts, distinct = [], []
    for _ in range(200):
        shown = _random_list(rng)
        distinct.append(len(np.unique(shown, axis=0)))
        counts.append([art.art1(shown, rho, lists=30, stop=True).categories for rho in _VIGILANCES])
    numbers = np.array(counts)
    falls = int((np.diff(numbers, axis=1) < 0).any(axis=1).sum())
    return [
        Comparison.order(distinct, numbers[:, -1], "rho = 1: distinct patterns, categories"),
        Comparison.monotone("rising", numbers.mean(axis=0), label="mean number over rho = 0, 0.2 ... 1"),
        Comparison.at_most(20, falls, label="lists of 200 whose number falls somewhere"),
    ]


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    rho, L, fresh = (Fraction(str(round(value, 6))) for value in (p.rho, p.L, p.fresh))
    _, sets = sets_of_cells(p.pattern.astype(int), rho, L, p.cycles, fresh)
    V = np.array([[float(i in cells) for i in range(p.pattern.shape[1])] for cells in sets])
    fixed = {"cycles": 1, "A1": 1.0, "B1": 1.5, "C1": 1.0, "D1": 0.9, "M": 0.0, "templates": V}
    return art1_by_hand.course(SimpleNamespace(**{**vars(p), **fixed}), times)


@claim("Its equations, written out by hand", source=_1987 + ": templates in exact arithmetic, then SciPy")
def equations() -> list[Comparison]:
    """Three patterns, of which the first is recognized, every parameter off its default."""
    parameters = {
        "pattern": np.array([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0]]),
        "rho": 0.6,
        "m": 5,
        "cycles": 1,
        "L": 1.6,
        "fresh": 0.8,
        "speed": 30.0,
    }
    return equations_by_hand(
        functools.partial(build, events=False),
        parameters,
        _by_hand,
        np.array([0.0, 0.05, 0.12, 0.2, 0.3, 0.4, 0.55, 0.68]),
        apart=("events",),
        changed={"pattern": np.array([[1.0, 1.0, 0.0, 0.0]] * 3), "rho": 0.2, "cycles": 2},
        tolerance=1e-6,
        rtol=1e-10,
    )


# Figure -------------------------------------------------------------------------------------------------------


@figure("F2.x", "down.z")
def recognized(run: Run) -> FigureDescription | None:
    """Show which category answered each pattern, and the templates, beside those of the algorithm."""
    if run.view("F2").cells > 24 or run.view("F1").cells > 100:
        return None
    shown, L = presented_patterns(run), float(run.part("up").learning.L)
    rho = float(run.part("input_orienting_exc").topology.weight) / float(np.max(run.part("input").A))
    known = run.first("down.z").T.round()
    choices = []
    for pattern in shown:
        order = np.argsort(-art.art1_choices(pattern, known, L), kind="stable")
        good = [int(j) for j in order if np.minimum(pattern, known[j]).sum() >= rho * pattern.sum()]
        choices.append(good[0] if good else -1)
    templates = matrix_panel(run.last("down.z").T, "Templates z", x="cell of F1", y="category", width=0.9)
    rows, cells = np.nonzero(known[: run.view("F2").cells])
    templates = templates.with_marks(Curve(cells, rows, "the algorithm's template", "predicted", 1, marker="o"))
    patterns = np.unique(shown, axis=0)
    given = matrix_panel(patterns, "Patterns", x="cell of the input", y="pattern", label="input", width=0.9)
    title = "What was learned fast is recognized at once"
    return FigureDescription(title, run.below, ((chosen_panel(run, choices),), (given, templates)), (1.0, 0.9))
