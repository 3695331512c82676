"""Microstimulation of the supplementary eye fields, at every site: which of two targets is looked at first.

In the task of Histed and Miller two targets, at sites 20 and 56, are shown one after the other and remembered; without
stimulation the eye goes to them in this order. A sweep stimulates lisTELOS at each of the 81 sites (columns of nine)
for 900 ms of the delay, with a Gaussian of input around the site, on all ranks. Targets near the site are held back, so
that the farther one goes first: where that is the second one, the order is turned around.

Reproduces: the microstimulation experiment of M. R. Silver, S. Grossberg, D. Bullock, M. H. Histed and E. K. Miller,
Neural Networks 26, 29-58 (2012), after M. H. Histed and E. K. Miller, PLoS Biology 4, e134 (2006), without noise.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIDE = 9
TARGETS = (20, 56)
LOOKED_AT = np.arange(2000.0, 2700.0, 20.0)  # ms: the fixation point goes at 2000


def path(result: Any) -> list[int]:
    """Return the sites to which the eye goes after fixation, in their order."""
    gaze = np.asarray(result["gaze.x"]).argmax(axis=1) + 1
    changed = np.flatnonzero(np.diff(gaze)) + 1
    return [int(gaze[k]) for k in changed]


def first(result: Any) -> float:
    """Site to which the eye goes first, NaN if it stays."""
    found = path(result)
    return float(found[0]) if found else np.nan


def latency(result: Any) -> float:
    """Time from the offset of the fixation point to the first saccade, to 20 ms."""
    gaze = np.asarray(result["gaze.x"]).argmax(axis=1)
    changed = np.flatnonzero(np.diff(gaze)) + 1
    return float(LOOKED_AT[changed[0]] - LOOKED_AT[0]) if changed.size else np.nan


def distances(target: int) -> np.ndarray:
    """Return how far each site is from a target, in sites."""
    (column, row), (columns, rows) = divmod(target - 1, SIDE), np.divmod(np.arange(SIDE * SIDE), SIDE)
    return np.hypot(columns - column, rows - row)


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the sweep and set the rule beside it."""
    sites = np.arange(1, SIDE * SIDE + 1)[:: options.every]
    result = brnn.sweep(
        "listelos",
        brnn.Grid(task=["histed_miller"], site=sites.tolist()),
        measures=[first, latency],
        times=LOOKED_AT,
        rtol=1e-4,
        atol=1e-6,
        out=options.output,
        force=options.force,
        resume=options.resume,
        executor=ThreadPoolExecutor(1),  # a member takes a second, as long as a worker process needs to start
    )
    found = result["first"].values
    near, far = (distances(target)[sites - 1] for target in TARGETS)
    turned = found == TARGETS[1]
    beside, beyond = near <= 1.0, far < near
    rows = [
        Comparison(np.full(beside.sum(), 56), found[beside], 0, "at the first target and beside it: 56 first"),
        Comparison(np.full(beyond.sum(), 20), found[beyond], 0, "nearer to the second target: 20 first"),
        Comparison.at_most(0.0, (near - far)[turned], 0.0, "where the order is turned around: nearer to the first"),
    ]
    note = (
        f"{sites.size} sites; 56 comes first at {int(turned.sum())} of them, no saccade at {int(np.isnan(found).sum())}"
    )
    return Outcome(rows, lambda: draw(sites, found, result["latency"].values), result, (note,))


def draw(sites: np.ndarray, found: np.ndarray, latencies: np.ndarray) -> Figure:
    """Draw both maps over the field."""
    plot = brnn.plot
    title = "Stimulation near the first target turns the order of two saccades around"
    apart = "" if sites.size == SIDE * SIDE else ", or not stimulated"
    below = f"lisTELOS   ·   {sites.size} sites   ·   white: no saccade in 700 ms{apart}   ·   Silver and others (2012)"
    figure = plot.new_figure(11.0, 5.4, title, below)
    axes = figure.subplots(1, 2)
    field = np.full(SIDE * SIDE, np.nan)
    which = np.where(np.isnan(found), np.nan, found == TARGETS[1])
    panels: tuple[tuple[np.ndarray, str, dict[str, Any]], ...] = (
        (
            which,
            "Which target is first",
            {"cmap": "coolwarm", "vmin": 0.0, "vmax": 1.0},
        ),
        (latencies, "Latency of the first saccade (ms)", {"cmap": "viridis"}),
    )
    for ax, (values, name, look) in zip(axes, panels, strict=True):
        shown = field.copy()
        shown[sites - 1] = values
        image = ax.imshow(shown.reshape(SIDE, SIDE).T, **look)
        plot.polish(ax, name, "column of the stimulated site", "row")
        ax.grid(visible=False)
        for k, target in enumerate(TARGETS):
            column, row = divmod(target - 1, SIDE)
            ax.plot(column, row, "o", markersize=13, markerfacecolor="white", markeredgecolor="black")
            ax.text(column, row, str(k + 1), ha="center", va="center", fontsize=8)
        if name.startswith("Latency"):
            figure.colorbar(image, ax=ax)
        else:
            ax.set_xlabel("column of the stimulated site   (blue: 1 first, red: 2 first)")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--every", type=int, default=1, metavar="N", help="stimulate every N-th site (1)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
