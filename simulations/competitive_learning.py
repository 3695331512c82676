"""Competitive learning: sparse patterns are coded for ever, dense patterns that drift are recoded without end.

Category cells with weights z_j receive T_j = sum_i x_i z_ij; the one with the largest T_j wins the competition, and its
instar learns, dz_ij/dt = M f(x_j) [x_i - z_ij] (12). Each presentation moves the winner's weights by the factor
q = exp(-M int f dt) toward the pattern, and all others not at all, so that the whole network of differential equations
is predicted by a discrete algorithm: the winner of every presentation, and all weights.

- Three sparse groups of directions in a plane: each group gets a category and keeps it, whose weights track the mean.
- A ring of twelve cells, shown bumps at 36 positions: first in random order, a map forms. Then one bump goes round the
  ring again and again. The winner follows it until another category is nearer; after each round most positions have
  another category than before. What was learned is washed away: there is no stable memory without top-down feedback.

Reproduces: the stability of sparse codes and the instability of others in S. Grossberg, Adaptive pattern classification
and universal recoding I, Biological Cybernetics 23, 121-134 (1976).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.base.checks import whole
from brnn.claims import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

M = 2.0
OPEN = (0.6, 0.85)  # part of each presentation in which weights may learn: the winner is found, its signal is 1
KEPT = float(np.exp(-M * (OPEN[1] - OPEN[0])))  # q
LOOK = 0.8  # part of a presentation after which the winner is read
CELLS, POSITIONS, CATEGORIES = 12, 36, 4
MAPPING, ROUNDS = 3 * POSITIONS, 3
MIDDLES, SPREAD, EACH = np.array([12.0, 45.0, 78.0]), 6.0, 6  # of the groups in the plane, in degrees


@dataclass
class Course:
    """Winner of each presentation, and the weights at time 0 and after each of them."""

    winners: np.ndarray
    weights: np.ndarray


def directions(angles: np.ndarray) -> np.ndarray:
    """Return unit vectors in the plane, as rows."""
    return np.stack([np.cos(np.deg2rad(angles)), np.sin(np.deg2rad(angles))], axis=1)


def bumps(positions: np.ndarray) -> np.ndarray:
    """Return bumps of activity on the ring, of unit length, centred at the positions (0 to 1), as rows."""
    away = np.arange(CELLS)[None, :] / CELLS - positions[:, None]
    rows = np.exp(2.0 * np.cos(2.0 * np.pi * away))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))


GROUPS = directions(np.add.outer(MIDDLES, np.linspace(-SPREAD, SPREAD, EACH)).ravel())
GROUP = np.repeat(np.arange(MIDDLES.size), EACH)
RING = bumps(np.arange(POSITIONS) / POSITIONS)


def orders(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the order of the groups' patterns, and that of the positions: random, then round after round."""
    rng = np.random.default_rng(seed)
    sparse = np.concatenate([rng.permutation(len(GROUPS)) for _ in range(5)])
    mapping = np.concatenate([rng.permutation(POSITIONS) for _ in range(MAPPING // POSITIONS)])
    return sparse, np.concatenate([mapping, np.tile(np.arange(POSITIONS), ROUNDS)])


def build(patterns: np.ndarray, order: np.ndarray, weights: np.ndarray) -> brnn.Network:
    """Return the model with a learning window in each presentation."""
    onsets = np.arange(len(order))
    window = brnn.Pulses(np.stack([onsets + OPEN[0], onsets + OPEN[1]], axis=1))
    model = brnn.models.competitive_learning
    network: brnn.Network = model.build(patterns, len(weights), order=order, M=M, weights=weights, window=window)
    return network


def algorithm(patterns: np.ndarray, order: np.ndarray, weights: np.ndarray) -> Course:
    """Return what the discrete algorithm predicts."""
    z, winners, course = weights.copy(), [], [weights]
    for p in patterns[order]:
        j = int(np.argmax(z @ p))
        z[j] += (1.0 - KEPT) * (p - z[j])
        winners.append(j)
        course.append(z.copy())
    return Course(np.array(winners), np.array(course))


def measured(result: Any, count: int) -> Course:
    """Return what the simulation gave."""
    times = np.asarray(result.times)
    looks = np.searchsorted(times, np.arange(count) + LOOK - 1e-9)
    ends = np.searchsorted(times, np.arange(count + 1) - 1e-9)
    return Course(np.asarray(result["category.x"])[looks].argmax(axis=1), np.asarray(result["filter.z"])[ends])


def saved(count: int) -> np.ndarray:
    """Return the times of the winners and of the ends of all presentations."""
    starts = np.arange(count)
    return np.append(np.stack([starts, starts + LOOK], axis=1).ravel(), float(count))


def codes(weights: np.ndarray) -> np.ndarray:
    """Return the category of each position of the ring; `weights` may have more axes before the last two."""
    return np.asarray((weights @ RING.T).argmax(axis=-2))


def compare(sparse: tuple[Course, Course], dense: tuple[Course, Course], order: np.ndarray) -> list[Comparison]:
    """Set the discrete algorithm (first of each pair) beside the simulation."""
    rows = []
    for name, (predicted, found) in (("sparse", sparse), ("dense", dense)):
        rows.append(Comparison.order(predicted.winners, found.winners, f"{name}: winner of each presentation"))
        rows.append(Comparison(predicted.weights, found.weights, 1e-6, f"{name}: all weights after each presentation"))
    alike = GROUPS @ GROUPS.T
    same = GROUP[:, None] == GROUP
    rows.append(Comparison.at_least(alike[~same].max(), alike[same], label="sparse: products within, largest between"))
    last = {k: sparse[1].winners[order == k] for k in range(len(GROUPS))}
    changes = sum(int((np.diff(winners) != 0).sum()) for winners in last.values())
    rows.append(Comparison.count(0, changes, "sparse: changes of any pattern's category"))
    for j in np.unique(sparse[1].winners):
        means = np.stack([GROUPS[k] for k in range(len(GROUPS)) if last[k][-1] == j])
        lean = float(np.linalg.norm(means - means.mean(axis=0), axis=1).max())
        off = float(np.linalg.norm(sparse[1].weights[-1, j] - means.mean(axis=0)))
        rows.append(
            Comparison.at_most(lean, off, label=f"sparse, category {j}: distance to the mean, radius of the group")
        )
    for k in range(ROUNDS):
        before, after = MAPPING + k * POSITIONS, MAPPING + (k + 1) * POSITIONS
        expected, got = (int((codes(c.weights[before]) != codes(c.weights[after])).sum()) for c in dense)
        rows.append(Comparison.count(expected, got, f"dense, round {k + 1}: positions recoded, of {POSITIONS}"))
        rows.append(
            Comparison.at_least(POSITIONS // 4, got, label=f"dense, round {k + 1}: more than a quarter recoded")
        )
    return rows


def draw(sparse: tuple[Course, Course], dense: tuple[Course, Course], order: np.ndarray) -> Figure:
    """Draw the stable code above, the unstable one below."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.8,
        "Competitive learning: stable for sparse patterns, recoded for ever by dense ones that drift",
        f"Instars and a recurrent competitive field, M = {M:g}   ·   "
        "black and dashed: predicted by the discrete algorithm   ·   after Grossberg (1976)",
    )
    axes = figure.subplots(2, 3)
    _draw_plane(axes[0, 0], sparse[1])
    _draw_winners(axes[0, 1], sparse[1], order)
    _draw_means(axes[0, 2], sparse, order)
    _draw_codes(axes[1, 0], dense[1])
    _draw_preferred(axes[1, 1], dense)
    _draw_recoded(axes[1, 2], dense)
    return figure


_MEASURED: dict[str, Any] = {"linewidth": 2.2}
_PREDICTED: dict[str, Any] = {"color": "black", "linewidth": 0.9, "linestyle": (0, (4, 3)), "zorder": 3}


def _draw_plane(ax: Any, course: Course) -> None:
    plot = brnn.plot
    ax.plot(*directions(np.linspace(0.0, 90.0, 91)).T, color="#d0d0d0", linewidth=1.0)
    ax.plot(*GROUPS.T, "o", color="#9a9a9a", markersize=4.5, label="patterns")
    for j in range(course.weights.shape[1]):
        ax.plot(*course.weights[:, j].T, color=plot.PALETTE[j], linewidth=1.4)
        ax.plot(*course.weights[0, j], "o", color=plot.PALETTE[j], markersize=7, fillstyle="none")
        ax.plot(*course.weights[-1, j], "o", color=plot.PALETTE[j], markersize=8, label=f"weights of category {j}")
    ax.set_aspect("equal")
    ax.set_xlim(0.0, 1.1)
    ax.set_ylim(0.0, 1.1)
    plot.polish(ax, "Sparse: weights move to the means (○ to ●)", "input cell 0", "input cell 1")
    plot.key(ax, loc="lower left")


def _draw_winners(ax: Any, course: Course, order: np.ndarray) -> None:
    plot = brnn.plot
    for j in range(course.weights.shape[1]):
        won = course.winners == j
        ax.plot(np.flatnonzero(won), order[won], "s", color=plot.PALETTE[j], markersize=4.0)
    for edge in EACH * np.arange(1, MIDDLES.size):
        ax.axhline(edge - 0.5, color="#d0d0d0", linewidth=0.8)
    plot.polish(ax, "Sparse: every pattern keeps its category", "presentation", "pattern", ticks=7)


def _draw_means(ax: Any, pair: tuple[Course, Course], order: np.ndarray) -> None:
    plot = brnn.plot
    predicted, found = pair
    for j in np.unique(found.winners):
        mean = GROUPS[np.unique(order[found.winners == j])].mean(axis=0)
        off, expected = (np.linalg.norm(course.weights[:, j] - mean, axis=1) for course in (found, predicted))
        ax.plot(off, color=plot.PALETTE[j], label=f"category {j}", **_MEASURED)
        ax.plot(expected, **_PREDICTED)
    ax.set_ylim(bottom=0.0)
    plot.polish(ax, "Sparse: distance of the weights to the mean", "presentation", "distance")
    plot.key(ax, loc="upper right")


def _draw_codes(ax: Any, course: Course) -> None:
    from matplotlib.colors import ListedColormap

    plot = brnn.plot
    moments = MAPPING + POSITIONS * np.arange(ROUNDS + 1)
    image = codes(course.weights[moments])
    ax.imshow(image, aspect="auto", cmap=ListedColormap(plot.PALETTE[:CATEGORIES]), vmin=-0.5, vmax=CATEGORIES - 0.5)
    for row in range(1, ROUNDS + 1):
        ax.axhline(row - 0.5, color="white", linewidth=6.0)
    plot.polish(ax, "Ring: category of each position (colors)", "position of the bump", "", grid=False)
    ax.set_yticks(np.arange(ROUNDS + 1), ["map", *(f"round {k + 1}" for k in range(ROUNDS))])
    ax.spines[:].set_visible(False)


def _preferred(weights: np.ndarray) -> np.ndarray:
    """Return the position on the ring to which each category is tuned: the angle of the mean of its weights."""
    phases = np.exp(2j * np.pi * np.arange(CELLS) / CELLS)
    return np.asarray(np.angle(weights @ phases) / (2.0 * np.pi) % 1.0 * POSITIONS)


def _draw_preferred(ax: Any, pair: tuple[Course, Course]) -> None:
    plot = brnn.plot
    time = np.arange(len(pair[1].weights))
    for course, line in zip(pair, (_PREDICTED, _MEASURED), strict=True):
        for j in range(CATEGORIES):
            place = _preferred(course.weights[:, j])
            place[1:][np.abs(np.diff(place)) > POSITIONS / 2] = np.nan  # do not draw a line where it passes position 0
            ax.plot(time, place, **{"color": plot.PALETTE[j], **line})
    ax.axvline(MAPPING, color="#9a9a9a", linewidth=1.0)
    ax.text(MAPPING + 2, POSITIONS * 1.02, "the bump goes round", fontsize=8.5, color="#6b6b6b")
    ax.text(2, POSITIONS * 1.02, "random order", fontsize=8.5, color="#6b6b6b")
    ax.set_xlim(0, time[-1])
    ax.set_ylim(0, POSITIONS * 1.09)
    plot.polish(ax, "Ring: categories are dragged along", "presentation", "preferred position")


def _draw_recoded(ax: Any, pair: tuple[Course, Course]) -> None:
    plot = brnn.plot
    for course, line in zip(pair, (_PREDICTED, _MEASURED), strict=True):
        now = codes(course.weights[MAPPING:])
        label = "same category as in the map" if course is pair[1] else None
        ax.plot((now == now[0]).mean(axis=1), label=label, **{"color": plot.PALETTE[1], **line})
    for k in range(1, ROUNDS):
        ax.axvline(k * POSITIONS, color="#d0d0d0", linewidth=1.0)
    ax.set_ylim(0.0, 1.05)
    ax.set_xlim(0, ROUNDS * POSITIONS)
    plot.polish(ax, "Ring: the map is forgotten", "presentations of the bump that goes round", "fraction of positions")
    plot.key(ax, loc="upper right")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run both cases; the file of -o keeps the ring."""
    first, second = orders(whole(options.seed, "--seed", minimum=0))
    start = directions(np.array([25.0, 40.0, 65.0])), bumps(np.array([0.09, 0.31, 0.57, 0.82]))
    accuracy: dict[str, Any] = {"rtol": 1e-8, "atol": 1e-10}
    grouped = simulate(build(GROUPS, first, start[0]), times=saved(first.size), **accuracy)
    result = simulate(build(RING, second, start[1]), options, times=saved(second.size), **accuracy)
    sparse = algorithm(GROUPS, first, start[0]), measured(grouped, first.size)
    dense = algorithm(RING, second, start[1]), measured(result, second.size)
    return Outcome(compare(sparse, dense, first), lambda: draw(sparse, dense, first), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--seed", type=int, default=0, help="seed of the random orders (0)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
