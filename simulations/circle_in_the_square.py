"""Circle in the square: four kinds of ARTMAP learn which points of a square lie within a circle.

The circle has half the area of the square. Random points are shown once, each with its class; then every point of the
square is asked for. Training with a winner that takes all is that of fuzzy ARTMAP, of ART-EMAP and of ARTMAP-IC; in
tests the last two let all nodes vote. dARTMAP codes in a distributed way in training, too.

Reproduces: the task of G. A. Carpenter, S. Grossberg, N. Markuzon, J. H. Reynolds and D. B. Rosen, Fuzzy ARTMAP, IEEE
Transactions on Neural Networks 3, 698-713 (1992), for the four networks of G. A. Carpenter, Distributed learning,
recognition, and prediction by ART and ARTMAP neural networks, Neural Networks 10, 1473-1494 (1997). With 1,000 points
of seed 0 another program for the same algorithm gave the numbers of nodes and of right answers that are predicted here.
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
from brnn.models.distributed_artmap import VARIANTS, build
from brnn.theory import artmap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = {"fuzzy": "fuzzy ARTMAP", "ic": "ARTMAP-IC", "emap": "ART-EMAP", "distributed": "dARTMAP"}
OTHER_PROGRAM = {"fuzzy": (21, 90.6), "ic": (21, 93.0), "emap": (21, 93.9), "distributed": (18, 92.0)}
SAID_WITH = 1000  # points
SIDE = 200  # points of the square that are asked for, along each side
ASKED = 20  # points that the network itself is asked for


@dataclass(frozen=True)
class Trained:
    """What a network became by the points of one seed."""

    points: np.ndarray
    classes: np.ndarray
    result: Any

    def weight(self, name: str) -> np.ndarray:
        """Return a weight at the end."""
        return np.asarray(self.result.final(name))

    @property
    def nodes(self) -> int:
        """How many nodes have learned."""
        return int(self.weight("labels").any(axis=1).sum())

    def answers(self, points: np.ndarray, variant: str) -> np.ndarray:
        """Return the class that each point is taken for."""
        _, code, counting = VARIANTS[variant]
        weights = [self.weight(name) for name in ("instar", "count", "labels")]
        return artmap.answers(points, *weights, code=code, counting=counting).argmax(axis=1)


def within(points: np.ndarray) -> np.ndarray:
    """Return 1 for points in the circle, 0 for others."""
    return (((points - 0.5) ** 2).sum(axis=1) < 0.5 / np.pi).astype(int)


def square(side: int) -> np.ndarray:
    """Return the points of a grid, row by row."""
    middle = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(middle, middle), axis=-1).reshape(-1, 2)


def train(seed: int, count: int, variant: str, options: argparse.Namespace | None = None) -> Trained:
    """Show the points of a seed to a network."""
    rng = np.random.default_rng(seed)
    points = rng.random((count, 2))
    asked = rng.random((ASKED, 2))
    network = build(points, within(points), np.column_stack([asked, within(asked)]), variant, m=min(count, 80))
    network = network.replace(name="circle_in_the_square")
    result = simulate(network, options, times=np.arange(0.5, count + ASKED))
    return Trained(points, within(points), result)


def judged(runs: dict[str, list[Trained]], count: int) -> tuple[list[Comparison], dict[str, np.ndarray]]:
    """Return predicted beside measured, and the right answers of each seed in per cent."""
    rows = []
    grid = square(SIDE)
    truth = within(grid)
    rows.append(Comparison(0.5, float(truth.mean()), 0.005, "half of the square is in the circle"))
    for kind, found in runs.items():
        one = found[0]
        y = np.asarray(one.result["category.x"])[:count]
        name = NAMES[kind]
        learned = artmap.largest_instar(one.points, y)
        rows.append(Comparison(learned, one.weight("instar"), 1e-12, f"{name}: tau = largest [y - A]+"))
        rows.append(Comparison(float(count), float(one.weight("count").sum()), 1e-6, f"{name}: sum of counts"))
        asked = np.random.default_rng(0).random((count + ASKED, 2))[count:]
        told = np.asarray(one.result["prediction.x"])[count:].argmax(axis=1)
        rows.append(Comparison.order(told, one.answers(asked, kind), f"{name}: answers of the network in its tests"))
    boxes = runs["fuzzy"][0]
    y = np.asarray(boxes.result["category.x"])[:count]
    exact = [artmap.box(boxes.points[y[:, j] == 1.0]) for j in range(boxes.nodes)]
    rows.append(Comparison(exact, boxes.weight("instar")[: boxes.nodes], 1e-12, "fuzzy ARTMAP: boxes of its patterns"))
    right = {
        variant: np.array([100.0 * (one.answers(grid, variant) == truth).mean() for one in trained_as(runs, variant)])
        for variant in NAMES
    }
    if count == SAID_WITH:
        for variant, (nodes, share) in OTHER_PROGRAM.items():
            found = trained_as(runs, variant)
            rows.append(Comparison.count(nodes, found[0].nodes, f"{NAMES[variant]}: nodes, seed 0"))
            rows.append(Comparison(share, right[variant][0], 1.5, f"{NAMES[variant]}: % right, seed 0"))
    return rows, right


def trained_as(runs: dict[str, list[Trained]], variant: str) -> list[Trained]:
    """Return the runs with the training of a variant."""
    return runs["distributed" if variant == "distributed" else "fuzzy"]


def draw_regions(ax: Any, one: Trained, variant: str, right: float) -> None:
    """Draw what each point of the square is taken for, and the circle."""
    taken = one.answers(square(SIDE), variant).reshape(SIDE, SIDE)
    ax.imshow(taken, origin="lower", extent=(0, 1, 0, 1), cmap="Blues", vmin=-0.3, vmax=1.8, interpolation="nearest")
    around = np.linspace(0.0, 2.0 * np.pi, 200)
    radius = np.sqrt(0.5 / np.pi)
    ax.plot(0.5 + radius * np.cos(around), 0.5 + radius * np.sin(around), color="black", linestyle="--", linewidth=1.5)
    for k, ink in ((0, "#777777"), (1, brnn.plot.PALETTE[1])):
        x, y = one.points[one.classes == k].T
        ax.plot(x, y, ".", color=ink, markersize=2.0, alpha=0.6)
    ax.set_aspect("equal")
    brnn.plot.polish(ax, f"{NAMES[variant]}: {one.nodes} nodes, {right:.1f} % right", "feature 1", "feature 2")
    ax.grid(False)


def draw_numbers(ax: Any, values: dict[str, Any], other: int, title: str, y: str, compared: bool) -> None:
    """Draw a number of each seed, and that of the other program."""
    for k, variant in enumerate(NAMES):
        given = np.asarray(values[variant])
        across = k + np.linspace(-0.18, 0.18, len(given)) if len(given) > 1 else np.array([float(k)])
        ax.plot(across, given, "o", color=brnn.plot.PALETTE[0], label="each seed" if k == 0 else None)
        ax.plot([k - 0.3, k + 0.3], [given.mean()] * 2, color=brnn.plot.PALETTE[0], label="mean" if k == 0 else None)
        if compared:
            name = "another program, seed 0" if k == 0 else None
            ax.plot(
                k, OTHER_PROGRAM[variant][other], "D", markerfacecolor="none", color="black", markersize=9, label=name
            )
    ax.set_xticks(range(len(NAMES)), list(NAMES.values()))
    ax.set_xlim(-0.6, len(NAMES) - 0.4)
    brnn.plot.polish(ax, title, "", y)
    ax.yaxis.get_major_locator().set_params(integer=True)
    brnn.plot.key(ax)


def draw_course(ax: Any, runs: dict[str, list[Trained]], count: int) -> None:
    """Draw how often the class was predicted before it was learned, over the last presentations."""
    span = max(1, count // 10)
    for k, (kind, found) in enumerate(runs.items()):
        told = np.array([np.asarray(one.result["prediction.x"])[:count].argmax(axis=1) for one in found])
        right = (told == np.array([one.classes for one in found])).mean(axis=0)
        mean = 100.0 * np.convolve(right, np.ones(span) / span, mode="valid")
        label = "winner takes all" if kind == "fuzzy" else "distributed"
        ax.plot(np.arange(span, count + 1), mean, color=brnn.plot.PALETTE[k], label=label)
    title = "Right before it is learned, mean of all seeds"
    brnn.plot.polish(ax, title, f"points shown (mean of the last {span})", "%")
    brnn.plot.key(ax)


def experiment(options: argparse.Namespace) -> Outcome:
    """Train with all seeds; the file of -o keeps dARTMAP with seed 0."""
    count = whole(options.points, "--points", minimum=20)
    seeds = whole(options.seeds, "--seeds", minimum=1)
    runs = {
        kind: [
            train(seed, count, kind, options if kind == "distributed" and seed == 0 else None) for seed in range(seeds)
        ]
        for kind in ("fuzzy", "distributed")
    }
    rows, right = judged(runs, count)
    notes = tuple(
        f"{NAMES[variant]}: nodes {spread([one.nodes for one in trained_as(runs, variant)], 0)}, "
        f"right {spread(right[variant], 1)} %, mean {right[variant].mean():.1f}"
        for variant in NAMES
    )

    def draw() -> Figure:
        figure: Figure = brnn.plot.new_figure(
            15.0,
            8.4,
            "Circle in the square: nodes that vote see the circle rounder than a winner",
            f"{count} points are shown once (dots; seed 0), then the whole square is asked for   ·   dashed: the circle"
            "   ·   after Carpenter, Grossberg and others (1992), Carpenter (1997)",
        )
        shapes = figure.add_gridspec(2, 12, height_ratios=(1.25, 1.0))
        for k, variant in enumerate(NAMES):
            ax = figure.add_subplot(shapes[0, 3 * k : 3 * k + 3])
            draw_regions(ax, trained_as(runs, variant)[0], variant, right[variant][0])
        compared = count == SAID_WITH
        draw_numbers(figure.add_subplot(shapes[1, :4]), right, 1, "Right answers", "% of the square", compared)
        nodes = {variant: [one.nodes for one in trained_as(runs, variant)] for variant in NAMES}
        draw_numbers(figure.add_subplot(shapes[1, 4:8]), nodes, 0, "Nodes that were needed", "nodes", compared)
        draw_course(figure.add_subplot(shapes[1, 8:]), runs, count)
        return figure

    return Outcome(rows, draw, runs["distributed"][0].result, notes)


def spread(values: Any, digits: int) -> str:
    """Return the smallest and the largest of numbers."""
    return f"{np.min(values):.{digits}f} to {np.max(values):.{digits}f}"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--points", type=int, default=SAID_WITH, metavar="N", help="points that are shown (1000)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="how many seeds, from 0 on (5)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
