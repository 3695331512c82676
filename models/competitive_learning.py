"""Competitive learning (self-organizing map): category cells compete, and the winner's instar learns the pattern.

    dx_i/dt = 2 s (-x_i + p_i)                                       input cells
    T_j = sum_i x_i z_ij                                             adaptive filter
    dx_j/dt = s (-x_j + (1 - x_j) [T_j + C x_j^2] - x_j [C sum_{k != j} x_k^2 + J])           category cells    (21)
    dz_ij/dt = M f(x_j) [x_i - z_ij]                                 instars                                    (12)

with C = 5 (m + 1) for m categories, or, for `winner="fast"`, category cells with linear signals above 0,
dx_j/dt = s (-x_j + T_j - 3 sum_{k != j} [x_k]+ - J). Patterns p have unit length and are shown for a unit of time; J
resets the category cells around each change. The signal f is 1 for the winner and 0 for the others.

Source: Grossberg (1976), Adaptive pattern classification and universal recoding I, Biol. Cybern. 23, 121-134; von der
Malsburg (1973), Self-organization of orientation sensitive cells in the striate cortex, Kybernetik 14, 85-100.

What is known:

- the category with the largest T_j wins, and only its weights change; those of the others do not, in no bit.
- each presentation moves the winner's weights by the factor q = exp(-M int f dt) toward the pattern.
- sparse patterns, more alike within their groups than between them: learning is stable. Each group keeps its category
  for ever, and the category's weights track the group's mean.
- dense patterns that drift: categories are recoded without end, and what they held before is forgotten as q^k.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from brnn.base.checks import number, whole
from brnn.claims import Comparison, claim
from brnn.figures import Curve, FigureDescription, Mark, Panel, Raster, Run, figure, matrix_panel, time_panel
from brnn.models.parts.by_hand import Numbers, equations_by_hand, integrated
from brnn.models.parts.competition import (
    DECIDED,
    SETTLED,
    CategoryCompetition,
    competition_by_hand,
    random_weights,
    window_of,
)
from brnn.models.parts.presentations import Presentations, order_of, pattern_rows, refuse_weights, unit_rows
from brnn.models.parts.runs import run
from brnn.spec.dotted.arguments import takes_dotted_names
from brnn.spec.network import Network
from brnn.spec.schedules import Pulse, Schedule

__all__ = ["build"]


@takes_dotted_names
def build(
    pattern: ArrayLike | None = None,
    m: int = 3,
    cycles: int = 4,
    order: ArrayLike | None = None,
    M: float = 0.5,
    winner: Literal["rcf", "fast"] = "rcf",
    speed: float = 40.0,
    weights: ArrayLike | None = None,
    window: Schedule | None = None,
    seed: int = 0,
) -> Network:
    """Return a self-organizing map that sees patterns one after the other, each for a unit of time.

    Parameters
    ----------
    pattern : array, >= 0
        The patterns as rows (1), which are scaled to unit length; by default three groups of six in a plane.
    m : int, >= 1
        Number of category cells (1).
    cycles : int, >= 1
        How often every pattern is shown, each time in another order (1); not used if `order` is given.
    order : array
        Indices of the patterns in the order in which they are shown (1).
    M : float, >= 0
        Learning rate (1/time).
    winner : str
        How the winner is found: rcf, a recurrent competitive field, or fast, for many categories.
    speed : float, > 0
        s, the rate of the category cells (1/time); it must be large beside 1 for the competition to be over in time.
    weights : array
        z at time 0, [category, input] (1); by default random, of unit length.
    window : Schedule
        Factor of M in time: a learning window, or a rate that falls.
    seed : int, >= 0
        Seed of the random order and the random weights (1).

    Returns
    -------
    Network
        Layers "input" and "category", and the projection "filter" with the weights "filter.z".

    Raises
    ------
    SpecError, InputError
        If a value has the wrong type, shape, sign or size, or is not finite.
    """
    model = "competitive_learning"
    rng = np.random.default_rng(whole(seed, f"{model}: seed", minimum=0))
    given = _groups() if pattern is None else pattern_rows(pattern, f"{model}: pattern", minimum=0.0)
    patterns = unit_rows(given, f"{model}: pattern")
    categories = whole(m, f"{model}: m", minimum=1)
    refuse_weights(model, categories * patterns.shape[1])
    times = whole(cycles, f"{model}: cycles", minimum=1)
    if order is None:
        chosen = np.concatenate([rng.permutation(len(patterns)) for _ in range(times)])
    else:
        chosen = order_of(order, f"{model}: order", len(patterns))
    shown = Presentations(chosen, 1.0)
    start = random_weights(weights, f"{model}: weights", categories, patterns.shape[1], rng)
    rate, during = number(M, f"{model}: M", minimum=0.0), window_of(window, f"{model}: window")
    competition = CategoryCompetition.checked(patterns.shape[1], categories, shown, winner, speed, model)
    return Network(
        model,
        layers=competition.layers(),
        projections=competition.projections(rate, start, during),
        stimuli=competition.stimuli(patterns),
        duration=shown.stop,
        reference="Grossberg (1976), Biol. Cybern. 23, 121-134",
    )


def _groups(middles: tuple[float, ...] = (12.0, 45.0, 78.0), spread: float = 6.0, each: int = 6) -> np.ndarray:
    """Return groups of unit vectors in the plane: `each` directions within `spread` degrees of each middle."""
    angles = np.deg2rad(np.add.outer(middles, np.linspace(-spread, spread, each)).ravel())
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


# Claims --------------------------------------------------------------------------------------------------------

_1976 = "Grossberg (1976), "


def _algorithm(patterns: np.ndarray, order: np.ndarray, z: np.ndarray, q: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the winners, and the weights after each presentation, of competitive learning in discrete steps."""
    z, winners, course = z.copy(), [], []
    for p in patterns[order]:
        j = int(np.argmax(z @ p))
        z[j] += (1.0 - q) * (p - z[j])
        winners.append(j)
        course.append(z.copy())
    return np.array(winners), np.array(course)


def _learned(network: Network, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the measured winner of each presentation, and the weights at time 0 and after each presentation."""
    starts = np.arange(count)
    times = np.stack([starts, starts + DECIDED], axis=1).ravel()
    result = run(network, times=np.append(times, count), rtol=1e-8, atol=1e-10)
    return np.asarray(result["category.x"])[1::2].argmax(axis=1), np.asarray(result["filter.z"])[::2]


def _ring(cells: int, positions: np.ndarray) -> np.ndarray:
    """Return bumps of activity on a ring of cells, one centred at each position (0 to 1), of unit length."""
    away = np.arange(cells)[None, :] / cells - positions[:, None]
    bumps = np.exp(2.0 * np.cos(2.0 * np.pi * away))
    return np.asarray(bumps / np.linalg.norm(bumps, axis=1, keepdims=True))


def _recoded(before: np.ndarray, after: np.ndarray, patterns: np.ndarray) -> int:
    """Return how many patterns have another category than before."""
    return int(((patterns @ before.T).argmax(axis=1) != (patterns @ after.T).argmax(axis=1)).sum())


@claim("The largest T_j wins, and each presentation moves its weights by exp(-M int f dt)", source=_1976 + "equations")
def network_follows_the_algorithm() -> list[Comparison]:
    """Random patterns, two kinds of competition: every winner and weight of the discrete algorithm, q = exp(-M/4)."""
    rng = np.random.default_rng(76)
    patterns = unit_rows(rng.uniform(size=(12, 5)) ** 2, "patterns")
    order = rng.integers(12, size=40)
    shown, rows = Presentations(order, 1.0), []
    cases: tuple[tuple[Literal["rcf", "fast"], int], ...] = (("rcf", 4), ("fast", 4), ("fast", 8))
    for winner, m in cases:
        z0 = random_weights(None, "weights", m, 5, np.random.default_rng(m))
        network = build(patterns, m, order=order, M=2.0, winner=winner, weights=z0, window=shown.during(*SETTLED))
        winners, z = _learned(network, 40)
        predicted, course = _algorithm(patterns, order, z0, np.exp(-0.25 * 2.0))
        rows.append(Comparison.order(predicted, winners, f"{winner}, {m} categories: winners"))
        rows.append(Comparison(course, z[1:], 1e-7, f"{winner}, {m} categories: weights"))
    return rows + _as_drawn()


def _as_drawn() -> list[Comparison]:
    """Return the same for the default patterns, in an order and from weights that are drawn here with the same seed."""
    angles = np.deg2rad(np.repeat([12.0, 45.0, 78.0], 6) + np.tile([-6.0, -3.6, -1.2, 1.2, 3.6, 6.0], 3))
    patterns, drawn = np.stack([np.cos(angles), np.sin(angles)], axis=1), np.random.default_rng(5)
    order = np.concatenate([drawn.permutation(18) for _ in range(2)])
    z0 = np.abs(drawn.standard_normal((2, 2)))
    z0 /= np.sqrt((z0**2).sum(axis=1))[:, None]
    window = Presentations(order, 1.0).during(*SETTLED)
    winners, z = _learned(build(m=2, cycles=2, seed=5, M=2.0, winner="fast", window=window), 36)
    predicted, course = _algorithm(patterns, order, z0, np.exp(-0.25 * 2.0))
    return [
        Comparison(z0, z[0], 1e-14, "seed 5: weights at time 0"),
        Comparison.order(predicted, winners, "seed 5, each pattern twice: winners"),
        Comparison(course, z[1:], 1e-7, "seed 5, each pattern twice: weights"),
    ]


@claim("The weights of a category that does not win change in no bit", source=_1976 + "stimulus sampling, (12)")
def losers_learn_nothing() -> list[Comparison]:
    """Learning is open all the time; in each presentation only one row of the weights may change."""
    rows = []
    kinds: tuple[Literal["rcf", "fast"], ...] = ("rcf", "fast")
    for winner in kinds:
        network = build(m=4, cycles=2, M=1.0, winner=winner, seed=3)
        winners, z = _learned(network, 36)
        lost = winners[:, None] != np.arange(4)
        rows.append(Comparison.exact(z[:-1][lost], z[1:][lost], f"{winner}: weights of the losers"))
        moved = np.abs(np.diff(z, axis=0)).max(axis=2)[~lost]
        rows.append(Comparison.at_least(1e-6, moved, label=f"{winner}: change of the winner's weights"))
    return rows


@claim(
    "Sparse patterns: every group keeps its category, whose weights track the group's mean", source=_1976 + "theorem"
)
def sparse_patterns_are_stable() -> list[Comparison]:
    """Four groups in ten dimensions, more alike within than between: nothing is recoded, and the means are found."""
    rng = np.random.default_rng(10)
    middles = unit_rows(np.eye(4, 10) + 0.15 * rng.uniform(size=(4, 10)), "middles")
    patterns = unit_rows(np.repeat(middles, 5, axis=0) + 0.1 * rng.uniform(size=(20, 10)), "patterns")
    group = np.repeat(np.arange(4), 5)
    z0 = patterns[::5]
    alike = patterns @ np.concatenate([patterns, z0]).T
    own = group[:, None] == np.concatenate([group, np.arange(4)])
    rows = [Comparison.at_least(alike[~own].max(), alike[own], label="sparse: products within, the largest between")]
    order = np.tile(rng.permutation(20), 8)
    shown = Presentations(order, 1.0)
    for M in (4.0, 0.4):
        winners, z = _learned(build(patterns, 4, order=order, M=M, weights=z0, window=shown.during(*SETTLED)), 160)
        rows.append(Comparison.order(group[order], winners, f"M = {M:g}: category of each presentation"))
        # In the limit of many cycles the weights are means in which a step back counts exp(-M/4) less.
        q = np.exp(-0.25 * M)
        for j in range(4):
            seen = patterns[order[-20:][group[order[-20:]] == j]]
            recent = (1.0 - q) * q ** np.arange(5)[::-1] / (1.0 - q**5)
            limit, mean = recent @ seen + q**40 * (z0[j] - recent @ seen), seen.mean(axis=0)
            rows.append(Comparison(limit, z[-1, j], 1e-6, f"M = {M:g}, group {j}: mean, the latest counts most"))
            lean = np.abs(limit - mean).max() + 1e-6
            rows.append(Comparison(mean, z[-1, j], lean, f"M = {M:g}, group {j}: mean of the group"))
    return rows


@claim(
    "Dense patterns that drift: categories are recoded without end",
    source=_1976 + "unstable coding; discrete algorithm",
)
def dense_drift_recodes() -> list[Comparison]:
    """A map of a ring, then a bump that goes round it three times: each round shifts most of the codes."""
    patterns = _ring(12, np.arange(36) / 36)
    rng = np.random.default_rng(20)
    first = np.concatenate([rng.permutation(36) for _ in range(2)])
    order = np.concatenate([first, np.tile(np.arange(36), 3)])
    shown, z0 = Presentations(order, 1.0), patterns[[3, 11, 20, 29]]
    winners, z = _learned(build(patterns, 4, order=order, M=2.0, weights=z0, window=shown.during(*SETTLED)), 180)
    predicted, course = _algorithm(patterns, order, z0, np.exp(-0.25 * 2.0))
    rows = [
        Comparison.order(predicted, winners, "winner of each presentation"),
        Comparison(course, z[1:], 1e-6, "weights after each presentation"),
    ]
    for k in range(3):
        before, after = 72 + 36 * k, 108 + 36 * k
        count = _recoded(z[before], z[after], patterns)
        rows.append(
            Comparison.count(
                _recoded(course[before - 1], course[after - 1], patterns), count, f"round {k + 1}: patterns recoded"
            )
        )
        rows.append(Comparison.at_least(9, count, label=f"round {k + 1}: more than a quarter of 36"))
    still = np.tile(np.concatenate([np.arange(k, k + 3) for k in (2, 11, 20, 29)]), 8)  # four groups of neighbours
    fixed = Presentations(still, 1.0)
    _, kept = _learned(build(patterns, 4, order=still, M=2.0, weights=z0, window=fixed.during(*SETTLED)), still.size)
    rows.append(
        Comparison.count(0, _recoded(z0, kept[-1], patterns[np.unique(still)]), "four sparse groups: patterns recoded")
    )
    return rows


@claim("A pattern is forgotten by q = exp(-M int f dt) with each later one", source=_1976 + "(12) solved")
def memory_decays_geometrically() -> Comparison:
    """Two runs of one category that differ only in the first pattern: their weights differ by (1 - q) q^k (a - b)."""
    patterns = _ring(6, np.arange(8) / 8)
    courses = []
    for first in (0, 2):
        order = np.append(first, np.tile([1, 3, 7], 8))
        window = Presentations(order, 1.0).during(*SETTLED)
        courses.append(
            _learned(build(patterns, 1, order=order, M=1.6, weights=patterns[:1], window=window), 25)[1][1:, 0]
        )
    q = np.exp(-0.25 * 1.6)
    predicted = (1.0 - q) * q ** np.arange(25)[:, None] * (patterns[0] - patterns[2])
    return Comparison(predicted, courses[0] - courses[1], 1e-6)


def _by_hand(p: Any, times: np.ndarray) -> dict[str, np.ndarray]:
    lengths = np.sqrt((p.pattern**2).sum(axis=1, keepdims=True))
    shown, s = p.pattern / lengths, p.speed
    n, m = shown.shape[1], len(p.weights)
    changes = np.arange(len(p.order) + 1.0)

    def velocity(t: float, u: np.ndarray, when: float) -> np.ndarray:
        x, y, z = u[:n], u[n : n + m], u[n + m :].reshape(m, n)
        J = float((np.abs(changes - when) < 0.15).any())
        dy, f = competition_by_hand(p.winner, y, z @ x, J, getattr(p, "m", m))
        dz = (p.window.on < when < p.window.off) * p.M * f[:, None] * (x - z)
        return np.concatenate([2.0 * s * (shown[p.order[int(when)]] - x), s * dy, dz.ravel()])

    breaks = [*changes, *(changes - 0.15), *(changes + 0.15), p.window.on, p.window.off]
    u = integrated(velocity, np.concatenate([np.zeros(n + m), np.ravel(p.weights)]), times, breaks)
    return {"input.x": u[:, :n], "category.x": u[:, n : n + m], "filter.z": u[:, n + m :].reshape(-1, m, n)}


@claim("Its equations, written out by hand", source=_1976 + "integrated by SciPy")
def equations() -> list[Comparison]:
    """Two categories, three presentations, both ways to find the winner, every parameter off its default."""
    parameters = {
        "pattern": np.array([[0.9, 0.2, 0.4], [0.1, 0.8, 0.5]]),
        "m": 2,
        "order": np.array([1, 0, 1]),
        "M": 0.8,
        "speed": 15.0,
        "weights": np.array([[0.7, 0.3, 0.5], [0.2, 0.6, 0.4]]),
        "window": Numbers(Pulse, on=0.3, off=2.75),
    }
    times = np.array([0.0, 0.3, 0.6, 0.8, 1.1, 1.5, 1.8, 2.3, 2.6, 2.8])
    rows = []
    without = {name: value for name, value in parameters.items() if name != "m"}
    given: dict[str, Any]
    winner: Any
    for winner, given, apart in (("rcf", parameters, ()), ("fast", without, ("m",))):
        rows += equations_by_hand(
            functools.partial(build, m=2, winner=winner) if apart else functools.partial(build, winner=winner),
            given,
            lambda p, times, winner=winner: _by_hand(SimpleNamespace(winner=winner, **vars(p)), times),
            times,
            apart=("winner", "cycles", "seed", *apart),
            changed={"order": np.array([0, 0, 1])},
            tolerance=1e-6,
        )
    drawn = {"pattern": parameters["pattern"], "m": 2, "cycles": 2, "M": 0.8, "speed": 15.0, "seed": 7}
    rows += equations_by_hand(
        build, drawn, _drawn_by_hand, times, apart=("order", "winner", "weights", "window"), tolerance=1e-6
    )
    return rows


def _drawn_by_hand(p: Any, times: np.ndarray) -> dict[str, Any]:
    """Return the course with what is random, the order and the weights, drawn here with the same seed."""
    rng = np.random.default_rng(p.seed)
    order = [k for _ in range(p.cycles) for k in rng.permutation(len(p.pattern))]
    weights = np.array([[abs(rng.standard_normal()) for _ in p.pattern[0]] for _ in range(p.m)])
    weights /= np.sqrt((weights**2).sum(axis=1, keepdims=True))
    given = {"order": order, "weights": weights, "window": Pulse(-1.0, 1e9), "winner": "rcf"}
    return {**_by_hand(SimpleNamespace(**vars(p), **given), times), "duration": float(len(order))}


# Figure -------------------------------------------------------------------------------------------------------


@figure("category.x", "filter.z")
def categories_of_patterns(run: Run) -> FigureDescription | None:
    """Show where the weights went among the patterns, and who won when."""
    categories, inputs = run.view("category").cells, run.view("input").cells
    if categories > 24 or inputs > 200:
        return None
    times, x = run.times("category"), run.values("category")
    when, which = np.nonzero(x > 0.5)
    ticks = tuple((float(k), str(k)) for k in range(categories)) if categories <= 12 else None
    won = time_panel(
        run,
        "Who wins",
        [Raster(times[when], which)],
        y="category",
        spans=(),
        y_limits=(-0.7, categories - 0.3),
        y_ticks=ticks,
        legend="none",
        width=1.1,
    )
    z = run.values("filter.z").reshape(-1, categories, inputs)
    if inputs == 2:
        shown = unit_rows(np.asarray(run.network.stimuli[0].pattern), "pattern")
        marks: list[Mark] = [Curve(shown[:, 0], shown[:, 1], "patterns", "given", marker="x")]
        marks += [Curve(z[:, j, 0], z[:, j, 1], color=j) for j in range(categories)]
        marks += [Curve(z[-1:, j, 0], z[-1:, j, 1], f"weights of {j}", color=j, marker="o") for j in range(categories)]
        limits = (-0.05, 1.15)
        look = {"square": True, "x_limits": limits, "y_limits": limits} if shown.min() >= 0.0 else {"square": True}
        plane = Panel("Weights move to the means", marks, "input cell 0", "input cell 1", width=0.9, **look)
    else:
        plane = matrix_panel(z[-1], "Weights in the end", x="input cell", y="category", width=0.9)
    title = "The winner learns: each category goes to the mean of its patterns"
    return FigureDescription(title, run.below, ((won, plane),), (1.5,))
