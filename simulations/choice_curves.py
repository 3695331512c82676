"""Which of two remembered targets is looked at first, and how microstimulation shifts the choice: Histed and Miller.

Six pairs of targets; the second comes 0, 60, 130 or 200 ms after the first, or before it. Without stimulation lisTELOS
looks first at what was shown first. Stimulation of the supplementary eye fields at one of the targets, for 900 ms of
the delay, makes the other one, which is farther from the site, be first more often: the curve of choices shifts.

Reproduces: the batch of M. R. Silver, S. Grossberg, D. Bullock, M. H. Histed and E. K. Miller, Neural Networks 26,
29-58 (2012): its pairs, times and strength, without noise; stimulation is at the targets here, and not at all 81 sites
(see `microstimulation_map.py`). Targets that come at once are alike without noise: the eye goes to neither.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.models import listelos

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAIRS = ((26, 14), (62, 26), (68, 62), (68, 56), (56, 20), (20, 14))
LATE = (-200.0, -130.0, -60.0, 0.0, 60.0, 130.0, 200.0)  # ms, of the second target
SITES = ("no stimulation", "at the first target", "at the second target")


def trial(pair: tuple[int, int], late: float, site: int | None) -> brnn.Network:
    """Return a trial of the task."""
    onsets = (0.0, 500.0 + max(0.0, -late), 500.0 + max(0.0, late))
    return listelos.build(
        "histed_miller", site, cues=(41, *pair), onsets=onsets, offsets=(2000.0, 1000.0, 1000.0)
    ).replace(name="choice_curves")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all trials; 1 where the first target is looked at first, NaN where neither is."""
    if not 1 <= options.pairs <= len(PAIRS):
        raise brnn.InputError(f"--pairs {options.pairs}: must be from 1 to {len(PAIRS)}")
    pairs, lates = PAIRS[-options.pairs :], LATE[1::4] if options.quick else LATE
    choice = np.full((len(SITES), len(pairs), len(lates)), np.nan)
    kept = None
    for p, pair in enumerate(pairs):
        for s, site in enumerate((None, *pair)):
            for k, late in enumerate(lates):
                record = options if kept is None else None
                result = simulate(
                    trial(pair, late, site),
                    record,
                    times=np.linspace(0.0, 2700.0, 136) if kept is None else [0.0, 2700.0],
                    rtol=1e-4,
                    atol=1e-6,
                )
                kept = kept or result
                goals = [goal for _, goal in listelos.saccades(result)[1:] if goal in pair]
                if goals:
                    choice[s, p, k] = goals[0] == pair[0]
    made = np.isfinite(choice).sum(axis=1)
    curves = np.where(made > 0, np.nansum(choice, axis=1) / np.maximum(made, 1), np.nan)
    apart = np.array(lates) != 0.0
    expected = np.broadcast_to(np.array(lates)[apart] > 0.0, (len(pairs), int(apart.sum())))
    shares = np.nanmean(curves, axis=1)
    rows = [
        Comparison.exact(expected.astype(float), choice[0][:, apart], "no stimulation: what was shown first is first"),
        Comparison.monotone("falling", [shares[2], shares[0], shares[1]],
                            label="first target first: stimulated at the other, nowhere, at it"),
        Comparison.at_most(0.0, (curves[1] - curves[0])[apart], 1e-9, "at the first target: never more often first"),
        Comparison.at_least(0.0, (curves[2] - curves[0])[apart], 1e-9, "at the second target: never less often first"),
    ]  # fmt: skip
    notes = tuple(
        f"{words}: first target first at {' '.join(f'{value:.2f}' for value in curve)} (second later by "
        f"{' '.join(f'{late:g}' for late in lates)} ms)"
        for words, curve in zip(SITES, curves, strict=True)
    )
    return Outcome(rows, lambda: draw(np.array(lates), curves, len(pairs)), kept, notes)


def draw(lates: np.ndarray, curves: np.ndarray, pairs: int) -> Figure:
    """Draw the three curves."""
    plot = brnn.plot
    below = f"lisTELOS   ·   {pairs} pairs of targets   ·   after Silver and others (2012), Histed and Miller (2006)"
    figure = plot.new_figure(8.4, 5.2, "Microstimulation shifts which target is first", below)
    ax = figure.subplots()
    for curve, words, mark in zip(curves, SITES, "os^", strict=True):
        wide: dict[str, Any] = {"markersize": 11, "fillstyle": "none"} if mark == "o" else {}
        ax.plot(lates, curve, mark + "-", linewidth=1.8, label=words, **wide)
    plot.polish(ax, "Choices of the first target", "second target later by (ms)", "part of trials")
    ax.set_ylim(-0.05, 1.05)
    plot.key(ax, loc="center")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--pairs", type=int, default=len(PAIRS), metavar="N", help="how many pairs (default: all six)")
    parser.add_argument("--quick", action="store_true", help="two differences of time instead of seven")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
