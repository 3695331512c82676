"""Distributed ARTMAP: patterns and their classes are learned by distributed codes, or by a winner that takes all.

    dA_i/dt = -A_i + I_i                                                what is shown, complement coded: (a, 1 - a)
    T_j = sum_i min(A_i, 1 - tau_ij) + (1 - alpha)(sum_i tau_ij - M)    choice; nodes with T_j >= alpha M may code
    y_j = (M - T_j)^-p/sum_l (M - T_l)^-p                               increased-gradient code
    Y_j = c_j y_j/sum_l c_l y_l                                         with instance counting
    sigma_i = sum_j [Y_j - tau_ji]+                                     what the code expects of A_i
    tau_ij <- tau_ij + beta [y_j - tau_ij - A_i]+                       distributed instar
    tau_ji <- tau_ji + beta ([sigma_i - A_i]+/sigma_i) [Y_j - tau_ji]+  distributed outstar
    c_j <- c_j + y_j

Choices, searches and learning happen at once, when a phase of the protocol begins: an event makes a pass
(`brnn.ArtmapPass`), and another one for each reset. Between them nothing changes. If sum_i min(A_i, sigma_i) < rho M,
or if the class with the largest sum of Y_j is wrong, the code is reset; after a wrong prediction rho becomes the match
plus epsilon. Then single nodes are tried in the order of T_j, and after them a new one. A distributed code that is
right learns with its nodes of the right class alone. In tests there is no search and no learning; if no node may code,
the one with the largest T_j does.

    variant       training        test
    fuzzy         winner          winner                                fuzzy ARTMAP
    emap          winner          distributed                           ART-EMAP (stage 1)
    ic            winner          distributed, with counting            ARTMAP-IC
    distributed   distributed     distributed, with counting            dARTMAP

Source: Carpenter (1997), Distributed learning, recognition, and prediction by ART and ARTMAP neural networks, Neural
Netw. 10, 1473-1494, in the form of the public code of its authors' laboratory.

What is known:

- with a winner the weights are boxes: 1 - tau_j = (minima, 1 - maxima) of the patterns of node j (beta 1).
- tau_ij is the largest [y_j - A_i]+ of all patterns that were learned, whatever their order (beta 1).
- the counts add up to the number of patterns that were learned.
- no weight goes beyond the patterns: tau_ij <= 1 - A_i for the smallest A_i that was learned.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import array, choice, number, whole
from brnn.base.text import counted
from brnn.claims import Comparison, claim
from brnn.errors import InputError, SpecError
from brnn.figures import Curve, FigureDescription, Mark, Panel, Picture, Run, Span, figure, matrix_panel, member_numbers
from brnn.models.parts import artmap_by_hand
from brnn.models.parts.by_hand import equations_by_hand
from brnn.models.parts.presentations import pattern_rows
from brnn.models.parts.resonance import refuse_size
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.events.artmap_pass import ArtmapPass
from brnn.spec.events.protocol import Phase, Protocol
from brnn.spec.events.set_state import SetState
from brnn.spec.events.triggers import Crossing, Event, PhaseBegins
from brnn.spec.layers import Layer
from brnn.spec.network import Network
from brnn.theory import art
from brnn.theory import artmap as theory

__all__ = ["PATTERNS", "TESTS", "VARIANTS", "build"]

# The sample of the public code: two features and the class.
PATTERNS = (
    (0.8, 0.5, 1), (0.5, 0.2, 1), (0.8, 0.8, 0), (0.7, 0.1, 0), (1.0, 1.0, 0), (1.0, 1.0, 0), (0.6, 0.4, 1),
    (0.2, 0.3, 1),
)  # fmt: skip
TESTS = (
    (0.2, 0.9, 1), (0.9, 0.6, 1), (0.6, 0.6, 0), (0.9, 0.8, 1), (0.7, 0.5, 0), (0.2, 0.7, 1), (0.4, 0.9, 1),
    (0.9, 0.7, 1),
)  # fmt: skip
_Code = Literal["distributed", "choice"]
VARIANTS: dict[str, tuple[_Code, _Code, bool]] = {  # code in training, code in tests, counting
    "fuzzy": ("choice", "choice", False),
    "emap": ("choice", "distributed", False),
    "ic": ("choice", "distributed", True),
    "distributed": ("distributed", "distributed", True),
}


@takes_dotted_names
def build(
    pattern: ArrayLike = PATTERNS,
    classes: ArrayLike | None = None,
    test: ArrayLike | None = None,
    variant: Literal["distributed", "fuzzy", "ic", "emap"] = "distributed",
    m: int = 20,
    cycles: int = 1,
    rho: float = 0.0,
    alpha: float = 0.01,
    beta: float = 1.0,
    p: float = 1.0,
    epsilon: float = -0.001,
) -> Network:
    """Return a network that is taught the classes of a list of patterns, and then says those of others.

    Each pattern is shown for a unit of time.

    Parameters
    ----------
    pattern : array in [0, 1]
        What is learned, as rows (1). The last column is the class (0, 1, 2 ...), if `classes` is not given.
    classes : array
        The class of each of them (1); of the default patterns in the place of their own.
    test : array in [0, 1]
        What is asked afterwards, as rows (1), which may have the right class in one column more; by default what was
        learned, or, for the default patterns and classes, those of the public code.
    variant : str
        distributed (dARTMAP), fuzzy (fuzzy ARTMAP), ic (ARTMAP-IC) or emap (ART-EMAP).
    m : int, >= 1
        Number of nodes (1). If all have learned and none can learn a pattern, it is not learned.
    cycles : int, >= 1
        How often the list is learned (1).
    rho : float, in [0, 1]
        Vigilance at the beginning of each pattern (1).
    alpha : float, > 0
        Choice parameter, below 1 (1).
    beta : float, in [0, 1]
        Learning rate: the part of what is left to learn (1).
    p : float, > 0
        Exponent of the distributed code (1): the larger, the more it is a choice.
    epsilon : float
        Match tracking: what is added to the match after a wrong prediction (1).

    Returns
    -------
    Network
        Layers "input", "target" (the class), "category" (y), "read_out" (Y), "expectation" (sigma), "prediction" (sums
        of Y by class), "vigilance", "tried" (what was reset; the last cell stands for the distributed code), and the
        weights "instar" (tau_ij), "outstar" (tau_ji), "count" (c) and "labels" (the class of each node).

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "distributed_artmap"
    given = pattern is PATTERNS and classes is None
    if pattern is PATTERNS and classes is not None:
        pattern = [row[:-1] for row in PATTERNS]
    shown, taught = _examples(pattern, classes, f"{model}: pattern", f"{model}: classes")
    M = shown.shape[1]
    if test is None:
        asked, right = _examples(TESTS, None, "", "") if given else (shown, taught)
    else:
        asked, right = _asked(test, M, f"{model}: test")
    count = int(max(taught.max(), right.max())) + 1
    nodes, lists = whole(m, f"{model}: m", minimum=1), whole(cycles, f"{model}: cycles", minimum=1)
    rows = lists * len(shown) + len(asked)
    numbers = 4 * nodes * M + nodes * count + rows * (2 * M + count)
    refuse_size(model, numbers, f"{nodes} nodes of {M} features and {count} classes")
    training, testing, counting = VARIANTS[choice(variant, f"{model}: variant", tuple(VARIANTS))]
    decisive = number(alpha, f"{model}: alpha", above=0.0)
    if decisive >= 1.0:
        raise InputError(f"{model}: alpha = {decisive:g}: must be a number > 0 and < 1")
    rule: dict[str, Any] = {
        "counting": counting,
        "alpha": decisive,
        "beta": number(beta, f"{model}: beta", minimum=0.0, maximum=1.0),
        "p": number(p, f"{model}: p", above=0.0),
        "epsilon": number(epsilon, f"{model}: epsilon"),
        "rho": number(rho, f"{model}: rho", minimum=0.0, maximum=1.0),
    }

    def shown_in(name: str, features: np.ndarray, which: np.ndarray) -> Phase:
        unit = np.vstack([np.eye(count), np.zeros(count)])  # the last row is for patterns whose class is not known
        return Phase(name, 1.0, {"input": art.complement(features), "target": unit[which]})

    learning = shown_in("train", np.tile(shown, (lists, 1)), np.tile(taught, lists))
    asking = shown_in("test", asked, right)
    sizes = {
        "vigilance": 1, "tried": nodes + 1, "category": nodes, "read_out": nodes, "expectation": 2 * M,
        "prediction": count, "instar": (nodes, 2 * M), "outstar": (nodes, 2 * M), "count": nodes,
        "labels": (nodes, count),
    }  # fmt: skip
    return Network(
        model,
        [
            Layer.additive("input", 2 * M, A=1.0),
            Layer.additive("target", count, A=1.0),
            *(Layer.additive(name, size, A=0.0) for name, size in sizes.items()),
        ],
        protocol=Protocol((Protocol((learning,), lists * len(shown)), Protocol((asking,), len(asked)))),
        events=[
            Event("onset", PhaseBegins("train"), SetState("tried", 0.0, "all")),
            Event("train", PhaseBegins("train"), ArtmapPass("train", training, **rule)),
            Event("reset", Crossing("tried", 0.5), ArtmapPass("search", training, **rule)),
            Event("test", PhaseBegins("test"), ArtmapPass("test", testing, **rule)),
        ],
        reference="Carpenter (1997), Neural Netw. 10, 1473-1494",
    )


def _examples(pattern: Any, classes: Any, where: str, labels: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features and classes."""
    rows = pattern_rows(pattern, where)
    if classes is not None:
        named = array(classes, labels, ndim=1)
        if len(named) != len(rows):
            raise SpecError(f"{labels}: there are {len(named)} classes for {len(rows)} patterns")
        return _features(rows, where), _classes(named, labels)
    if rows.shape[1] < 2:
        raise SpecError(f"{where}: has one column, must have features and, in the last column, the class")
    return _features(rows[:, :-1], where), _classes(rows[:, -1], f"{where}: the last column")


def _asked(test: Any, features: int, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Return features and classes, -1 where the class is not given."""
    rows = pattern_rows(test, where)
    if rows.shape[1] == features:
        return _features(rows, where), np.full(len(rows), -1)
    if rows.shape[1] != features + 1:
        raise SpecError(
            f"{where}: has {rows.shape[1]} columns, must have the {features} features of what is learned, and "
            "may have the class"
        )
    return _features(rows[:, :-1], where), _classes(rows[:, -1], f"{where}: the last column")


def _features(rows: np.ndarray, where: str) -> np.ndarray:
    wrong = np.argwhere((rows < 0.0) | (rows > 1.0))
    if wrong.size:
        k, i = wrong[0]
        raise InputError(f"{where}: row {k} has the feature {rows[k, i]:g}; all must be in [0, 1]: scale them")
    return rows


def _classes(named: np.ndarray, where: str) -> np.ndarray:
    wrong = np.flatnonzero((named != np.round(named)) | (named < 0))
    if wrong.size:
        k = int(wrong[0])
        raise InputError(f"{where}: row {k} has the class {named[k]:g}; classes are whole numbers from 0 on")
    return named.astype(np.int64)


# Claims --------------------------------------------------------------------------------------------------------

_1997 = "Carpenter (1997)"
_SAMPLE = _1997 + ", sample of the public code"


def _run(**arguments: Any) -> Any:
    """Return a run with a saved time in each presentation."""
    network = build(**arguments)
    assert network.duration is not None
    return run(network, times=np.arange(0.5, network.duration), solver="RK45")


def _predicted(result: Any) -> list[int]:
    """Return the class that was predicted in each presentation."""
    return [int(k) for k in np.asarray(result["prediction.x"]).argmax(axis=1)]


@claim("The sample of the public code: nodes, weights and right answers of all variants", source=_SAMPLE)
def sample() -> list[Comparison]:
    """Eight patterns are learned, eight asked; the numbers were found by another program from the same algorithm."""
    rows = []
    right = [int(row[-1]) for row in TESTS]
    for variant, correct in (("fuzzy", 2), ("ic", 4), ("emap", 2), ("distributed", 4)):
        result = _run(variant=variant)
        answers = _predicted(result)[len(PATTERNS) :]
        found = sum(a == b for a, b in zip(answers, right, strict=True))
        rows.append(Comparison.count(3, int(np.asarray(result.final("labels")).any(axis=1).sum()), f"{variant}: nodes"))
        rows.append(Comparison.count(correct, found, f"{variant}: right of 8"))
    counts, sums = np.asarray(result.final("count"))[:3], np.asarray(result.final("instar"))[:3].sum(axis=1)
    rows.append(Comparison([4.0, 2.474, 1.526], counts, 5e-4, "distributed: instance counts"))
    rows.append(Comparison([2.9, 2.0, 2.176], sums, 5e-4, "distributed: sums of tau_ij"))
    return rows


@claim("Weights are boxes with a winner, and the largest [y_j - A_i]+ with any code; counts add up", source=_1997)
def closed_forms() -> list[Comparison]:
    """Random lists of three features and three classes, beta = 1; the codes that learned are read from the run."""
    rng = np.random.default_rng(1997)
    shown, classes = rng.uniform(size=(30, 3)), rng.integers(3, size=30)
    rows = []
    for variant in ("fuzzy", "distributed"):
        result = _run(pattern=shown, classes=classes, test=shown[:1], variant=variant, m=30)
        y, w = np.asarray(result["category.x"])[:30], np.asarray(result.final("instar"))
        rows.append(Comparison(theory.largest_instar(shown, y), w, 1e-12, f"{variant}: tau_ij, whatever the order"))
        rows.append(Comparison(30.0, float(np.asarray(result.final("count")).sum()), 1e-9, f"{variant}: sum of c"))
        rows.append(Comparison(np.ones(30), y.sum(axis=1), 1e-12, f"{variant}: sum of y in each presentation"))
        if variant == "fuzzy":
            used = np.flatnonzero(y.any(axis=0))
            boxes = [theory.box(shown[y[:, j] == 1.0]) for j in used]
            rows.append(Comparison(boxes, w[used], 1e-12, f"boxes around the patterns of {used.size} nodes"))
            rows.append(Comparison(w, result.final("outstar"), 1e-12, "tau_ji = tau_ij"))
    one = _run(pattern=[[0.3, 0.9]], classes=[1], test=[[0.3, 0.9], [0.9, 0.1]])
    rows.append(Comparison([0.7, 0.1, 0.3, 0.9], np.asarray(one.final("instar"))[0], 1e-12, "one pattern: 1 - A"))
    rows.append(Comparison([[1.0, 0.0]] * 2, np.asarray(one["category.x"])[1:, :2], 1e-12, "one node: y = 1"))
    return rows


@claim(
    "A pattern that a point box holds is coded by it alone; with rho = 1 each distinct pattern has a node", source=_1997
)
def points() -> list[Comparison]:
    """Nine distinct patterns, four of them twice; then all are asked for, and all classes are right."""
    rng = np.random.default_rng(9)
    nine = np.round(rng.uniform(size=(9, 2)), 3)
    shown, classes = np.vstack([nine, nine[:4]]), np.arange(13) % 9 % 2
    rows = []
    for variant in VARIANTS:
        result = _run(pattern=shown, classes=classes, test=nine, variant=variant, rho=1.0)
        labels, y = np.asarray(result.final("labels")), np.asarray(result["category.x"])[13:]
        rows.append(Comparison.count(9, int(labels.any(axis=1).sum()), f"{variant}: nodes"))
        rows.append(Comparison.order(np.arange(9), y.argmax(axis=1), f"{variant}: node of each pattern"))
        rows.append(Comparison(np.ones(9), y.max(axis=1), 1e-12, f"{variant}: its y"))
        rows.append(Comparison.order(classes[:9], _predicted(result)[13:], f"{variant}: classes"))
    return rows


@claim("Its algorithm, written out by hand", source=_1997 + ": the text above in plain numbers")
def equations() -> list[Comparison]:
    """Ten patterns of two features, twice, then three tests, every parameter off its default; all four variants."""
    rng = np.random.default_rng(5)
    parameters = {
        "pattern": rng.uniform(0.1, 0.85, size=(10, 2)),
        "classes": np.array([0, 1, 2, 1, 0, 0, 2, 1, 1, 0]),
        "test": rng.uniform(0.1, 0.85, size=(3, 2)),
        "m": 15,
        "cycles": 2,
        "rho": 0.45,
        "alpha": 0.05,
        "beta": 0.7,
        "p": 1.7,
        "epsilon": 0.002,
    }
    rows = []
    for variant in VARIANTS:
        fixed: dict[str, Any] = {"variant": variant}
        if variant == "fuzzy":  # which has no distributed code
            fixed["p"] = parameters["p"]
        found = equations_by_hand(
            functools.partial(build, **fixed),
            {name: value for name, value in parameters.items() if name not in fixed},
            lambda p, times, fixed=fixed: artmap_by_hand.course(SimpleNamespace(**vars(p), **fixed), times),
            np.arange(0.5, 23.0),
            apart=tuple(fixed),
            changed={"classes": np.array([1, 1, 2, 1, 0, 0, 2, 1, 1, 0]), "cycles": 1, "alpha": 0.7},
            tolerance=1e-9,
            solver="RK45",
        )
        rows += [dataclasses.replace(row, label=f"{variant}: {row.label}") for row in found]
    return rows


# Figure -------------------------------------------------------------------------------------------------------


@figure("category.x", "prediction.x", "target.x", "instar.x", "count.x", "labels.x")
def learned(run: Run) -> FigureDescription | None:
    """Show which nodes code each pattern, the classes taught and predicted, and what the network has made of them."""
    cells, known = run.view("instar").shape[1], run.last("labels")
    used = int(known.any(axis=1).sum())
    if used == 0 or used > 60:
        return None
    assert run.network.protocol is not None
    begins, tests = (run.network.protocol.intervals(name)[:, 0] for name in ("train", "test"))
    when = run.times("category")
    every = np.append(np.concatenate([begins, tests]), np.inf)
    place = np.searchsorted(when, every)
    one = place[:-1][place[:-1] < place[1:]]  # the first sample of each presentation that has one
    y = run.values("category")[one, :used]
    edges = np.append(every[:-1][place[:-1] < place[1:]], run.end)
    coded: list[Mark] = [Picture(y.T, "y", "heat", (0.0, 1.0), edges, np.arange(used + 1) - 0.5)]
    ticks = tuple((float(k), str(k)) for k in range(0, used, max(1, used // 8)))
    code = Panel("Which nodes code each pattern", coded, run.time_label, "node", legend="none", y_ticks=ticks)
    taught, told = run.values("target")[one], run.values("prediction")[one]
    given, said = taught.any(axis=1), told.any(axis=1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    marks: list[Mark] = [
        Span(float(tests[0]), float(tests[-1]) + 1.0, "test: nothing is learned"),
        Curve(middle[given], taught[given].argmax(axis=1), "right", "given", marker="o"),
        Curve(middle[said], told[said].argmax(axis=1), "predicted, before it is learned", color=1, marker="x"),
    ]
    classes = tuple((float(k), str(k)) for k in range(taught.shape[1]))
    limits = (-0.5, 1.4 * taught.shape[1] - 0.2)
    answer = Panel("Classes: right, and predicted", marks, run.time_label, "class")
    answer = answer.replace(y_ticks=classes, y_limits=limits, legend="top")
    span = (run.start, run.end)
    rows: list[tuple[Panel, ...]] = [(code.replace(x_limits=span), answer.replace(x_limits=span))]
    tau = run.last("instar")[:used]
    weights = matrix_panel(tau, "Thresholds tau of the nodes", x="cell of the input", y="node", label="tau")
    rows.append((_plane(run, begins), weights) if cells == 4 else (weights,))
    classes_known = int(known.any(axis=0).sum())
    title = (
        f"{counted(used, 'node')} for {counted(len(begins), 'pattern')} of {counted(classes_known, 'class', 'classes')}"
    )
    return FigureDescription(title, run.below, tuple(rows), (0.8, 1.5))


@member_numbers("instar.x", "count.x", "labels.x")
def learned_in_a_sweep(network: Network, final: Mapping[str, np.ndarray]) -> dict[str, float]:
    """Return how many nodes have learned, and how many of the tests whose class is known are answered rightly."""
    labels = final["labels.x"]
    numbers = {"nodes that have learned": float(labels.any(axis=1).sum())}
    assert network.protocol is not None
    rows, right = [], []
    for time in network.protocol.intervals("test")[:, 0].tolist():
        features, target = (
            np.sum([s.at(time, network.layer(name).shape) for s in network.stimuli if s.target == name], axis=0)
            for name in ("input", "target")
        )
        if target.any():
            rows.append(features[: features.size // 2])
            right.append(int(target.argmax()))
    if rows:
        votes = _votes(network, np.array(rows), final["instar.x"], final["count.x"], labels)
        answered = votes.any(axis=1) & (votes.argmax(axis=1) == right)
        numbers["right answers in the test (%)"] = 100.0 * float(answered.mean())
    return numbers


def _votes(network: Network, rows: np.ndarray, instar: np.ndarray, count: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the votes for each class in a test."""
    actions = [a for event in network.events for a in event.actions if isinstance(a, ArtmapPass)]
    rule = next(a for a in actions if a.begins == "test")
    return theory.answers(
        rows, instar, count.ravel(), labels, code=rule.code, counting=rule.counting, alpha=rule.alpha, p=rule.p
    )


def _plane(run: Run, begins: np.ndarray) -> Panel:
    """Return what every point of the square would be taken for, with what was learned."""
    side = (np.arange(60) + 0.5) / 60
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    votes = _votes(run.network, grid, run.last("instar"), run.last("count"), run.last("labels"))
    corners, two = np.linspace(0.0, 1.0, 61), votes.shape[1] <= 2
    said = votes[:, -1] if two else votes.argmax(axis=1).astype(float)
    name = f"votes for class {votes.shape[1] - 1}" if two else "class"
    top = 1.0 if two else votes.shape[1] - 1.0
    marks: list[Mark] = [Picture(said.reshape(60, 60), name, "gray", (0.0, top), corners, corners)]
    shown = np.array([run.inputs_to("input", time=float(t))[:2] for t in begins])
    taught = np.array([int(run.inputs_to("target", time=float(t)).argmax()) for t in begins])
    for k in np.unique(taught)[:6].tolist():
        x, y = shown[taught == k].T
        marks.append(Curve(x, y, f"learned, class {k}", color=k, marker="ox^sv+"[k % 6]))
    (left, below), (right, above) = shown.min(axis=0), shown.max(axis=0)
    around = np.array([left, right, right, left, left]), np.array([below, below, above, above, below])
    marks.append(Curve(*around, "theory: no category\nreaches further", "predicted"))
    title = "What the nodes say of each point" if two else "What each point is taken for"
    plane = Panel(title, marks, "feature 1", "feature 2", legend="beside", square=True)
    return plane.replace(x_limits=(-0.03, 1.03), y_limits=(-0.03, 1.03), width=1.4)
