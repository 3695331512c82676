"""Saccades of lisTELOS in six tasks: to a target at once, from memory, from a list, and turned around by stimulation.

81 sites of the visual field; parietal cortex, supplementary and frontal eye fields, three loops of the basal ganglia
and the superior colliculus: some 4,000 equations, which `brnn.models.listelos` has. A fixation point at the middle
(site 41) holds the gates of the basal ganglia shut; targets are chosen and stored meanwhile, and when it goes:

- saccade, gap, overlap, delayed: the latencies that are published, 137, 64, 137 and 256 ms;
- serial recall: four remembered targets in their order, one of them twice;
- the task of Histed and Miller: two targets in their order, and in the other when the supplementary eye fields are
  stimulated near the first one, at site 21.

Reproduces: M. R. Silver, S. Grossberg, D. Bullock, M. H. Histed and E. K. Miller, A neural model of sequential movement
planning and control of eye movements, Neural Networks 26, 29-58 (2012), with the numbers of its public code.
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

# Task, site of stimulation, words; when the fixation point goes (in the gap task: when the target comes).
TRIALS: dict[str, tuple[str, int | None, str, float]] = {
    "recall": ("serial_recall", None, "A list: 38, 14, 38, 68", 1000.0),
    "saccade": ("saccade", None, "Saccade at once", 500.0),
    "gap": ("gap", None, "Gap of 500 ms", 1000.0),
    "overlap": ("overlap", None, "Overlap", 1000.0),
    "delayed": ("delayed", None, "Memory-guided", 1500.0),
    "free": ("histed_miller", None, "Two targets: 20, then 56", 2000.0),
    "stimulated": ("histed_miller", 21, "The same, stimulated at 21", 2000.0),
}
LATENCIES = {"saccade": 137.2, "gap": 64.0, "overlap": 137.2, "delayed": 256.8}
QUICK = ("recall", "gap", "stimulated")
ORDERS = {"recall": [38, 14, 38, 68], "free": [20, 56], "stimulated": [56, 20]}


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all trials."""
    rows, found, kept = [], {}, None
    trials = {name: trial for name, trial in TRIALS.items() if not options.quick or name in QUICK}
    for name, (task, site, words, since) in trials.items():
        network = listelos.build(task, site=site).replace(name="saccade_tasks")
        length = float(network.duration or 0.0)
        first = kept is None  # the list is what `-o` keeps
        times = np.linspace(0.0, length, 201) if first else [0.0, length]
        result = simulate(network, options if first else None, times=times, dtype="float32", rtol=1e-4, atol=1e-6)
        kept = kept or result
        found[name] = listelos.saccades(result)
        if name in LATENCIES:
            latency = found[name][-1][0] - since
            rows.append(Comparison(LATENCIES[name], latency, 2.0, f"{words.lower()}: latency (ms)"))
        else:
            rows.append(
                Comparison.order(ORDERS[name], [site for _, site in found[name][1:]], f"{words.lower()}: sites")
            )
    recall = [time for time, _ in found["recall"][1:]]
    rows.append(Comparison([1279.6, 1386.4, 1528.4, 1708.8], recall, 2.0, "recall of the list: times (ms)"))
    return Outcome(rows, lambda: draw(kept, found), kept)


def draw(result: Any, found: dict[str, list[tuple[float, int]]]) -> Figure:
    """Draw what is remembered of the list and when each task's saccades come."""
    plot = brnn.plot
    title = "A circuit of eye fields, basal ganglia and colliculus chooses, stores and makes saccades"
    below = "lisTELOS   ·   81 sites   ·   after Silver, Grossberg, Bullock, Histed and Miller (2012)"
    figure = plot.new_figure(12.2, 7.2, title, below)
    grid = figure.add_gridspec(2, 2, width_ratios=(1.0, 1.25))
    memory, colliculus, tasks = (figure.add_subplot(place) for place in (grid[0, 0], grid[1, 0], grid[:, 1]))
    times = result["M.x"].time.values
    for rank, values in enumerate(np.moveaxis(np.asarray(result["M.x"]).max(axis=2), 1, 0)[:4]):
        memory.plot(times, values, linewidth=1.8, label=f"item {rank + 1}: site {ORDERS['recall'][rank]}")
    plot.polish(memory, "Working memory of the list: primacy", "", "largest activity M")
    plot.key(memory, loc="upper right")
    colliculus.plot(times, np.asarray(result["colliculus.x"]).max(axis=1), linewidth=1.6, label="colliculus, largest C")
    colliculus.plot(times, np.asarray(result["R.x"])[:, 0], linewidth=1.6, label="gate of working memory, R")
    plot.polish(colliculus, "Fixation holds the gate; then one item goes after the other", "time (ms)", "activity")
    colliculus.set_ylim(top=1.22)  # room for the names over the curves
    plot.key(colliculus, loc="upper center", ncols=2)
    trials = [(name, *TRIALS[name][2:]) for name in reversed(TRIALS) if name in found]
    for row, (name, words, since) in enumerate(trials):
        tasks.plot([0.0, since if name != "gap" else 500.0], [row, row], color="#bbbbbb", linewidth=7.0, zorder=1)
        tasks.text(0.0, row + 0.22, words, fontsize=9)
        for time, site in found[name]:
            tasks.plot(time, row, "o", color="#1f6fb4", markersize=6, zorder=3)
            tasks.annotate(str(site), (time, row), (0, -14), textcoords="offset points", ha="center", fontsize=8)
    plot.polish(tasks, "Saccades and their goals; grey: the fixation point is on", "time (ms)", "")
    tasks.set_yticks([])
    tasks.set_ylim(-0.6, len(trials) - 0.2)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--quick", action="store_true", help="three trials instead of seven")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
