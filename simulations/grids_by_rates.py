"""How good the grids of GRIDSmap become: five cells, five trials of ten minutes, one random walk for each seed.

Stripe cells of nine directions and four phases, 20 cm apart, teach five map cells (rates, no spikes). Spacing and the
sum of weights are the same for all seeds. Gridness is not: the mean of five cells differs by about 0.2 from seed to
seed, so that two seeds (0.50 and 0.34 with the public code and the path of a rat) say little; many must be compared.

Reproduces: H. Mhatre, A. Gorchetchnikov and S. Grossberg, Grid cell modules and their place in a self-organizing map,
Hippocampus 22, 320-334 (2010), by the numbers of its public code.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.analysis import grid_score
from brnn.claims import Comparison
from brnn.models import gridsmap
from brnn.theory import grids

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRIALS, LAST = 5, 0.04  # s between the samples of the last trial
FOUND = (0.50, 0.34)  # mean gridness of two seeds, with the public code


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all seeds and score the last trial of each."""
    if options.seeds < 1 or options.minutes <= 0.0:
        raise brnn.InputError("--seeds must be >= 1, --minutes > 0")
    length = 60.0 * options.minutes
    scores, totals, maps, kept = [], [], None, None
    for seed in range(1, options.seeds + 1):
        network = gridsmap.build(brnn.Trajectory.random_walk(length, seed), trials=TRIALS, seed=seed)
        network = network.replace(name="grids_by_rates")
        times = np.append(0.0, np.arange((TRIALS - 1) * length + LAST, TRIALS * length, LAST))
        result = simulate(network, options if kept is None else None, times=times, rtol=1e-4, atol=1e-7)
        found = gridsmap.maps(network, times[1:], np.asarray(result["map.x"])[1:])
        scores.append([grid_score(one) for one in found])
        totals.append(np.asarray(result.final("filter.z")).sum(axis=1))
        kept, maps = kept or result, found if maps is None else maps
    gridness = np.array([[score.gridness for score in row] for row in scores])
    spacings = [2.5 * float(np.nanmedian([score.spacing for score in row])) for row in scores]
    means = np.nanmean(gridness, axis=1)
    rows = [Comparison(np.full(np.shape(totals), 1.015), totals, 0.5 if options.minutes < 10 else 5e-3,
                       "sums of weights, as found with the public code")]  # fmt: skip
    if options.minutes >= 10:
        rows.append(Comparison(grids.grid_spacing(20.0), float(np.mean(spacings)), 1.0, "mean spacing (cm)"))
    if options.minutes >= 10 and options.seeds >= 6:
        rows.append(Comparison(np.mean(FOUND), means.mean(), 0.2, "mean gridness, all seeds"))
        rows.append(Comparison.within(means.min(), FOUND, means.max(), label="the two of the public code, among them"))
    notes = (
        f"{options.seeds} seeds: mean gridness {means.mean():.2f}, standard deviation between seeds {means.std():.2f}, "
        f"{np.nanmean(gridness > 0.3):.0%} of cells above 0.3, spacing {np.mean(spacings):.1f} cm",
    )
    return Outcome(rows, lambda: draw(maps, gridness), kept, notes)


def draw(maps: Any, gridness: np.ndarray) -> Figure:
    """Draw the maps of the first seed and the gridness of all."""
    plot = brnn.plot
    below = "GRIDSmap   ·   maps of rates, yellow: highest   ·   five trials of a walk   ·   Mhatre and others (2010)"
    figure = plot.new_figure(12.4, 4.8, "How good grids become differs from walk to walk", below)
    axes = figure.subplots(1, 4)
    for ax, k in zip(axes, np.argsort(-gridness[0])[:3], strict=False):
        ax.imshow(maps[k].T, origin="lower", cmap="viridis")
        plot.without_scales(ax, f"Seed 1, cell {k}: {gridness[0, k]:.2f}")
    for seed, row in enumerate(gridness, 1):
        axes[3].plot(np.full(row.size, seed), row, ".", color="#1f6fb4")
    seeds = 1 + np.arange(len(gridness))
    axes[3].plot(seeds, np.nanmean(gridness, axis=1), "_", markersize=14, color="#c1272d", label="mean of a seed")
    plot.polish(axes[3], "Gridness of all cells", "seed", "gridness", ticks=5)
    axes[3].set_xticks(seeds)
    axes[3].set_ylim(bottom=np.nanmin(gridness) - 0.25)  # room for the name below the points
    plot.key(axes[3], loc="lower right")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--seeds", type=int, default=12, metavar="N", help="how many walks (default: 12)")
    parser.add_argument("--minutes", type=float, default=10.0, metavar="M", help="of each trial (default: 10)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
