"""Which of two remembered targets is looked at first, and how microstimulation shifts the choice: Histed and Miller.

Six pairs of targets; the second comes 0, 60, 130 or 200 ms after the first, or before it. Without stimulation lisTELOS
looks first at what was shown first. Stimulation of the supplementary eye fields at one of the targets, for 900 ms of
the delay, makes the other one, which is farther from the site, be first more often: the curve of choices shifts.

Reproduces: the batch of M. R. Silver, S. Grossberg, D. Bullock, M. H. Histed and E. K. Miller, Neural Networks 26,
29-58 (2012): its pairs, times and strength, without noise, and with stimulation at the targets. Targets that come at
once are alike without noise: the eye goes to neither. With ``--sites`` it is a batch of stimulation at sites of your
own with noise of working memory; that of the article, 68,040 trials of about two seconds, is ``--sites 1 2 ... 81
--repeats 20 -o batch.h5``, which ``--resume`` goes on with after a stop.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
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
MOMENTS = np.arange(2000.0, 2700.0, 20.0)  # ms of a batch: the fixation point goes at 2000
SITES = ("no stimulation", "at the first target", "at the second target")


def trial(pair: tuple[int, int], late: float, site: int | None) -> brnn.Network:
    """Return a trial of the task."""
    onsets = (0.0, 500.0 + max(0.0, -late), 500.0 + max(0.0, late))
    return listelos.build(
        "histed_miller", site, cues=(41, *pair), onsets=onsets, offsets=(2000.0, 1000.0, 1000.0)
    ).replace(name="choice_curves")


def noisy_trial(site: int, first: int, second: int, late: float, noise: float, draw: int) -> brnn.Network:
    """Return a trial of the batch; site 0 is no stimulation."""
    onsets = (0.0, 500.0 + max(0.0, -late), 500.0 + max(0.0, late))
    cues, offsets, drawn = (41, first, second), (2000.0, 1000.0, 1000.0), draw if noise else None
    return listelos.build(
        "histed_miller", site or None, working_memory_noise=noise, seed=drawn, cues=cues, onsets=onsets, offsets=offsets
    )


def looked_at(result: Any) -> float:
    """Site to which the eye goes first after fixation, NaN if it stays."""
    gaze = np.asarray(result["gaze.x"]).argmax(axis=1) + 1
    moved = np.flatnonzero(gaze != gaze[0])
    return float(gaze[moved[0]]) if moved.size else np.nan


def batch(options: argparse.Namespace) -> Outcome:
    """Sweep over sites, pairs, differences of time and repeats, and over no stimulation."""
    lates = LATE[1::4] if options.quick else LATE
    plan = list(itertools.product((0, *options.sites), PAIRS[-options.pairs :], lates, range(options.repeats)))
    table: dict[str, list[Any]] = {
        "site": [site for site, *_ in plan],
        "first": [pair[0] for _, pair, *_ in plan],
        "second": [pair[1] for _, pair, *_ in plan],
        "late": [late for _, _, late, _ in plan],
        "noise": [options.noise] * len(plan),
        "draw": list(range(1, len(plan) + 1)),
    }
    result = brnn.sweep(
        noisy_trial, brnn.Table(table), measures=[looked_at], times=MOMENTS, rtol=1e-4, atol=1e-6,
        out=options.output, force=options.force, resume=options.resume, executor=ThreadPoolExecutor(1),
    )  # fmt: skip
    site, late, looked = np.array(table["site"]), np.array(table["late"]), result["looked_at"].values
    one, other = (np.array(table[name]) for name in ("first", "second"))

    def apart(target: np.ndarray) -> np.ndarray:
        rows, columns = (
            np.subtract(*pair) for pair in zip(*(np.divmod(k - 1, 9) for k in (site, target)), strict=True)
        )
        return np.hypot(rows, columns)

    made = np.isin(looked, np.unique([one, other])) & ((looked == one) | (looked == other))
    nearer = np.where(site == 0, 0.0, np.sign(apart(other) - apart(one)))  # 1: nearer to the first target
    groups = [made & (nearer == -1.0), made & (site == 0), made & (nearer == 1.0)]
    shares = [float((looked == one)[group].mean()) if group.any() else np.nan for group in groups]
    curves = np.array([
        [(looked == one)[group & (late == each)].mean() if (group & (late == each)).any() else np.nan for each in lates]
        for group in (groups[1], groups[2], groups[0])
    ])  # fmt: skip
    rows = [
        Comparison.monotone(
            "falling",
            [share for share in shares if np.isfinite(share)],
            label="first target first: site nearer to the other, none, to it",
        )
    ]
    counts = ", ".join(f"{int(group.sum())}" for group in groups)
    note = f"{len(plan)} trials, a target looked at first in {int(made.sum())} ({counts}); shares {np.round(shares, 3)}"
    names = ("no stimulation", "sites nearer to the first target", "sites nearer to the second target")
    return Outcome(rows, lambda: draw(np.array(lates), curves, options.pairs, names), result, (note,))


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all trials; 1 where the first target is looked at first, NaN where neither is."""
    if not 1 <= options.pairs <= len(PAIRS):
        raise brnn.InputError(f"--pairs {options.pairs}: must be from 1 to {len(PAIRS)}")
    if options.repeats < 1:
        raise brnn.InputError(f"--repeats {options.repeats}: must be at least 1")
    outside = next((site for site in options.sites if not 1 <= site <= 81), None)
    if outside is not None:
        raise brnn.InputError(f"--sites {outside}: must be from 1 to 81")
    if options.sites:
        return batch(options)
    if options.resume:
        raise brnn.InputError("--resume: is for a batch, with --sites")
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


def draw(lates: np.ndarray, curves: np.ndarray, pairs: int, names: Sequence[str] = SITES) -> Figure:
    """Draw the three curves."""
    plot = brnn.plot
    below = f"lisTELOS   ·   {pairs} pairs of targets   ·   after Silver and others (2012), Histed and Miller (2006)"
    figure = plot.new_figure(8.4, 5.2, "Microstimulation shifts which target is first", below)
    ax = figure.subplots()
    for curve, words, mark in zip(curves, names, "os^", strict=True):
        wide: dict[str, Any] = {"markersize": 11, "fillstyle": "none"} if mark == "o" else {}
        ax.plot(lates, curve, mark + "-", linewidth=1.8, label=words, **wide)
    plot.polish(ax, "Choices of the first target", "second target later by (ms)", "part of trials")
    ax.set_ylim(-0.05, 1.4)  # room for the legend: the curves may be anywhere between 0 and 1
    ax.set_yticks(np.linspace(0.0, 1.0, 6))
    plot.key(ax, loc="upper left")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--pairs", type=int, default=len(PAIRS), metavar="N", help="how many pairs (default: all six)")
    parser.add_argument("--quick", action="store_true", help="two differences of time instead of seven")
    parser.add_argument("--sites", type=int, nargs="+", default=[], metavar="SITE", help="stimulate at these, 1 to 81")
    parser.add_argument("--noise", type=float, default=1.0, metavar="S", help="of a batch with --sites (default: 1)")
    parser.add_argument("--repeats", type=int, default=1, metavar="N", help="of each trial of a batch (default: 1)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
