"""Grid cells and place cells learn from where a rat has been: GridPlaceMap with spikes.

Stripe cells fire at random along stripes across the arena. A population of a hundred cells that compete learns of them
for several trials, in each of which the animal runs another path (the same one, turned). Where three stripes 60
degrees apart meet, cells fire: on a hexagonal lattice of spacing s/cos(30 degrees). Place cells learn of the grid cells
by the same law. Weights go to a sum of 1.

The default, three trials, shows how it begins (half a minute); ``--trials 20`` is the experiment of the article, in
which most cells become hexagonal (`--trials 20 --scales 35`: as the numbers below), and ``--scales 20 35 50
--places 100`` is the whole network. ``--path FILE`` reads a trajectory of your own (CSV, MAT, HDF5; cm and s).

Reproduces: P. K. Pilly and S. Grossberg, Spiking neurons in a hierarchical self-organizing map model can learn to
develop spatial and temporal properties of entorhinal grid cells and hippocampal place cells, PLoS ONE 8(4), e60599
(2013). Beside it stand numbers found with the equations of its public code and the path of a rat.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.analysis import autocorrelogram, grid_score, rate_map
from brnn.claims import Comparison
from brnn.models import grid_cells
from brnn.theory import grids

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BIN = 2.5  # cm
SAVED = 60  # times at least


def spikes_of(result: Any, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return times and cells of the spikes of a layer."""
    table = result.event_table
    kept = table.columns["which"] == table.names.index(name)
    return table.columns["time"][kept], table.columns["cell"][kept]


def maps_of(walk: brnn.AlongTrajectory, spikes: tuple[np.ndarray, np.ndarray], cells: int, trial: int) -> np.ndarray:
    """Return the rate maps of all cells in one trial, in spikes a second."""
    start, stop = trial * walk.trajectory.duration, (trial + 1) * walk.trajectory.duration
    times, whose = spikes
    inside = (times > start) & (times <= stop)
    samples = np.arange(start, stop - 0.01, 0.02)
    x, y = (np.append(a, b) for a, b in zip(walk.at(times[inside]), walk.at(samples), strict=True))
    counts = np.zeros((x.size, cells))
    counts[np.arange(inside.sum()), whose[inside]] = 1.0
    lasting = np.append(np.zeros(inside.sum()), np.full(samples.size, 0.02))
    limits = walk.trajectory.limits
    return rate_map(x, y, counts, lasting, limits=limits, bins=round(float(limits[1] - limits[0]) / BIN))


def image(ax: Any, values: np.ndarray, title: str, **look: Any) -> None:
    """Draw a map, y upwards."""
    ax.imshow(values.T, origin="lower", **look)
    brnn.plot.without_scales(ax, title)


def draw(found: Any, places: np.ndarray | None, spacing: float) -> Figure:
    """Draw the best cell's spikes on the path, its map and autocorrelogram, others, and how gridness grows."""
    walk, spikes, maps, scores, course = found
    plot, trials = brnn.plot, walk.turns.size
    grid = f"grids of {grids.grid_spacing(spacing):.1f} cm in theory"
    below = f"trial {trials}   ·   stripes of {spacing:g} cm, {grid}   ·   after Pilly and Grossberg (2013)"
    figure = plot.new_figure(12.2, 7.4, "Grid cells learn hexagons from stripes", below)
    axes = figure.subplots(2, 4)
    gridness = np.array([score.gridness for score in scores])
    order = np.argsort(-np.nan_to_num(gridness, nan=-9.0))
    best, duration = int(order[0]), walk.trajectory.duration
    start = (trials - 1) * duration
    x, y = walk.at(np.arange(start, trials * duration - 0.01, 0.1))
    axes[0, 0].plot(x, y, linewidth=0.4, color="#bbbbbb")
    times, whose = spikes
    sx, sy = walk.at(times[(whose == best) & (times > start)])
    axes[0, 0].plot(sx, sy, ".", markersize=2.5, color="#c1272d")
    plot.polish(axes[0, 0], f"Path and spikes of cell {best}", "x (cm)", "y (cm)", ticks=3)
    axes[0, 0].set_aspect("equal")
    image(axes[0, 1], maps[best], f"Its rate map, gridness {gridness[best]:.2f}", cmap="viridis")
    image(axes[0, 2], autocorrelogram(maps[best]), "Its autocorrelogram", cmap="RdBu_r", vmin=-1.0, vmax=1.0)
    bars = np.arange(-1.0, 1.6, 0.1)
    axes[0, 3].hist(gridness[np.isfinite(gridness)], bins=bars, color="#1f6f8b")
    plot.polish(axes[0, 3], "Gridness of all cells", "gridness", "cells", ticks=4)
    for k, cell in enumerate(order[1:3]):
        image(axes[1, k], maps[cell], f"Cell {cell}, gridness {gridness[cell]:.2f}", cmap="viridis")
    if places is None:
        middle = int(order[len(order) // 2])
        image(axes[1, 2], maps[middle], f"A middling cell, {gridness[middle]:.2f}", cmap="viridis")
    else:
        peaks = np.nanmax(places, axis=(1, 2)) / (np.nanmean(places, axis=(1, 2)) + 1e-9)
        image(axes[1, 2], places[int(np.argmax(peaks))], "A place cell", cmap="viridis")
    axes[1, 3].plot(1 + np.arange(trials), course[0], "o-", linewidth=1.8, label="mean gridness")
    axes[1, 3].plot(1 + np.arange(trials), course[1], "s-", linewidth=1.2, label="sum of weights - 1")
    axes[1, 3].axhline(0.0, color="#222222", linewidth=0.9, linestyle=(0, (5, 3)), label="sum in theory, in the end")
    plot.polish(axes[1, 3], "Trial by trial", "trial", "", ticks=4)
    plot.key(axes[1, 3], loc="best")
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all trials as one run, and look at every one of them."""
    if not 1 <= options.trials <= 100 or options.minutes <= 0.0 or not options.scales or options.places < 0:
        raise brnn.InputError("--trials must be from 1 to 100, --minutes > 0, --places >= 0")
    if options.path is None:
        path = brnn.Trajectory.random_walk(60.0 * options.minutes, options.seed)
    else:
        path = brnn.read_trajectory(options.path, arena=(-50.0, 50.0, -50.0, 50.0), bridge=1.0)
    path = path.from_origin(15.0)
    turns = 2.0 * np.pi * np.random.default_rng(options.seed).random(options.trials)
    network = grid_cells.build(
        path, scales=options.scales, cells=options.cells, place_cells=options.places, turns=turns, seed=options.seed
    )
    often = -(-SAVED // options.trials)  # in each trial
    times = path.duration * np.arange(often * options.trials + 1) / often
    result = simulate(network, options, times=times, seed=options.seed)
    rows: list[Comparison] = []
    notes = []
    shown: Any = None
    for k, spacing in enumerate(options.scales):
        walk: Any = network.stimuli[k].schedule
        spikes = spikes_of(result, f"grid{k}")
        totals = np.asarray(result[f"learned{k}.z"])[::often].sum(axis=-1)
        course: list[list[float]] = [[], (totals.mean(axis=1)[1:] - 1.0).tolist()]
        for trial in range(options.trials):
            maps = maps_of(walk, spikes, options.cells, trial)
            scores = [grid_score(one) for one in maps]
            course[0].append(float(np.nanmean([score.gridness for score in scores])))
        gridness = np.array([score.gridness for score in scores])
        found = BIN * float(np.nanmedian([score.spacing for score in scores]))
        rate = float((spikes[0] > (options.trials - 1) * path.duration).sum()) / options.cells / path.duration
        name = f"{spacing:g} cm"
        if options.trials >= 5 and options.minutes >= 10:
            rows.append(Comparison(grids.grid_spacing(spacing), found, 1.0, f"{name}: spacing of the grids (cm)"))
        rows += [
            Comparison.at_least(1.0, totals, 1e-9, f"{name}: sums of weights do not pass 1"),
            Comparison.at_least(0.0, -np.diff(totals, axis=0), 1e-9, f"{name}: and fall"),
        ]
        if options.trials >= 17 and options.minutes >= 10:
            rows.append(Comparison(1.0, totals[-1].mean(), 1e-2, f"{name}: sum of weights at the end"))
        if options.trials >= 20 and options.minutes >= 10:
            # With the public code 0.737 was found for 35 cm and one seed; between seeds it differs by some 0.1.
            rows.append(Comparison.at_least(0.737, course[0][-1], 0.1, f"{name}: mean gridness"))
        notes.append(
            f"{name}: {rate:.2f} Hz, mean gridness {course[0][-1]:.3f}, above 0.3: {np.mean(gridness > 0.3):.0%}, "
            f"above 0: {np.mean(gridness > 0.0):.0%}, spacing {found:.1f} cm, sum of weights {totals[-1].mean():.4f}"
        )
        if shown is None:
            shown = (walk, spikes, maps, scores, course), float(spacing)
    told = path.statistics()
    notes.append("path: " + ", ".join(f"{key} {value:.3g}" for key, value in told.items()))
    places = None
    if options.places:
        places = maps_of(shown[0][0], spikes_of(result, "place"), options.places, options.trials - 1)
    parts, first = shown
    return Outcome(rows, lambda: draw(parts, places, first), result, tuple(notes))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--trials", type=int, default=3, metavar="N", help="default: 3")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="of each trial (default: 10)")
    parser.add_argument("--scales", type=float, nargs="+", default=[35.0], metavar="CM", help="default: 35")
    parser.add_argument("--cells", type=int, default=100, metavar="N", help="grid cells of each scale (default: 100)")
    parser.add_argument("--places", type=int, default=0, metavar="N", help="place cells (default: none)")
    parser.add_argument("--path", metavar="FILE", help="trajectory of your own, in cm and s")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="default: 1")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
