"""From a remembered list to a moving eye: lisTELOS plans saccades, the brain stem's generator makes them.

One network holds both. Eye fields, basal ganglia and colliculus choose when and where (lisTELOS, serial recall: four
remembered targets, one of them twice). When the collicular layer passes its threshold at a site, burst cells there
drive the long-lead cells of the four directions, and the saccade generator turns this into a movement: omnipause cells
fall silent, excitatory burst cells fire, tonic cells add up where the eye is. Shown are

- the path of the eye beside the sites to which lisTELOS sent it: directions and sizes are right to a few degrees;
- each movement begins 10 to 30 ms after its command, sooner the larger it is, and lasts 40 to 55 ms;
- the main sequence: larger saccades are faster and last longer.

Reproduces: M. R. Silver and others, Neural Networks 26, 29-58 (2012), by the numbers of its public code, and G. Gancarz
and S. Grossberg, Neural Networks 11, 1159-1174 (1998), as replicated by M. Senden and others, ReScience 4(1) (2018).
How the two are joined, and that a site is 5 degrees wide, is ours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison
from brnn.models import listelos, saccade_generator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RECALL = [1279.6, 1386.4, 1528.4, 1708.8]  # ms, of lisTELOS alone
KEPT = ("colliculus.x", "M.x", "gaze.x", "burst.x", "excitatory_burst.x", "omnipause.x", "tonic.x")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the list and look at every saccade."""
    network = listelos.build("serial_recall", eye=True).replace(name="eye_movements")
    times = np.linspace(0.0, 2000.0, 2001)
    record = brnn.Record(path=options.output, variables=KEPT, force=options.force)
    result = brnn.simulate(network, times=times, record=record, rtol=1e-4, atol=1e-6)
    commands = listelos.saccades(result)
    made = saccade_generator.saccades(result)
    eye = listelos.eye_path(result)
    goals = listelos.site_position([site for _, site in commands])
    rows = [
        Comparison.order([41, 38, 14, 38, 68], [site for _, site in commands], "where lisTELOS sends the eye"),
        Comparison(RECALL, [time for time, _ in commands[1:]], 2.0, "times of the list (ms)"),
        Comparison.count(len(commands), len(made), "movements of the eye"),
    ]
    if len(made) == len(commands):
        ends = np.array([eye[np.searchsorted(times, saccade.offset + 20.0)] for saccade in made])
        moved = np.diff(np.vstack([eye[:1], goals]), axis=0)
        far = np.hypot(*moved.T)
        sizes, peaks = np.array([[s.amplitude, s.peak] for s in made]).T
        late = np.array([s.onset - time for s, (time, _) in zip(made, commands, strict=True)])
        rows += [
            Comparison(far, sizes, 0.08, "sizes (degrees), from site to site", relative=True),
            Comparison.at_most(3.5, np.hypot(*(ends - goals).T), label="distance from the sites (degrees)"),
            Comparison.within(10.0, late, 30.0, label="from command to movement (ms)"),
            Comparison.monotone("rising", peaks[np.argsort(np.round(far), kind="stable")][[0, -1]],
                                label="fastest: smallest and largest saccade"),
        ]  # fmt: skip
    return Outcome(rows, lambda: draw(result, commands, made, eye), result)


def draw(result: Any, commands: list[tuple[float, int]], made: list[Any], eye: np.ndarray) -> Figure:
    """Draw the path, the course in time, one saccade closely, and the main sequence."""
    plot = brnn.plot
    below = "lisTELOS drives the saccade generator   ·   one network   ·   after Silver and others (2012), Gancarz and Grossberg (1998)"  # noqa: E501
    figure = plot.new_figure(12.2, 7.6, "A remembered list moves the eye", below)
    (path, course), (close, sequence) = figure.subplots(2, 2)
    times = result["tonic.x"].time.values
    grid = listelos.site_position(np.arange(81) + 1)
    path.plot(*grid.T, ".", color="#cccccc", markersize=3, label="sites")
    path.plot(*eye.T, linewidth=1.6, label="the eye")
    for number, (_, site) in enumerate(commands):
        place = listelos.site_position(site)
        path.plot(*place, "o", color="#c1272d", fillstyle="none", markersize=10)
        path.annotate(str(number), place, (7 + 9 * (number == 3), 7), textcoords="offset points", fontsize=9)
    plot.polish(path, "Path of the eye; circles: commands", "degrees right", "degrees up")
    path.set_aspect("equal")
    course.plot(times, eye[:, 0], linewidth=1.6, label="to the right")
    course.plot(times, eye[:, 1], linewidth=1.6, label="up")
    for number, (time, site) in enumerate(commands):
        course.axvline(time, color="#999999", linewidth=0.8, label="" if number else "command")
        end = commands[number + 1][0] if number + 1 < len(commands) else times[-1]
        for value in listelos.site_position(site):
            course.plot([time, end], [value, value], color="#444444", linewidth=0.8, linestyle=(0, (4, 3)))
    plot.polish(course, "Where it is; broken: where lisTELOS sends it", "time (ms)", "degrees")
    plot.key(course, loc="upper center")
    since = commands[1][0]
    near = (times > since - 25.0) & (times < since + 100.0)
    t = times[near] - since
    for values, name in (
        (np.asarray(result["colliculus.x"]).max(axis=1), "colliculus, largest C"),
        (np.minimum(np.asarray(result["burst.x"]).max(axis=1), 1.0), "burst cell, what it sends"),
        (np.asarray(result["omnipause.x"])[:, 0], "omnipause"),
        (np.asarray(result["excitatory_burst.x"])[:, 3], "excitatory burst, up"),
    ):
        close.plot(t, values[near], linewidth=1.6, label=name)
    plot.polish(close, "The first saccade of the list", "time from its command (ms)", "activity")
    close.set_xlim(-25.0, 170.0)
    plot.key(close, loc="upper right")
    sizes = [saccade.amplitude for saccade in made]
    sequence.plot(sizes, [saccade.peak for saccade in made], "o", markersize=7, label="highest speed (degrees/s)")
    sequence.plot(sizes, [10.0 * (s.offset - s.onset) for s in made], "s", markersize=6, label="10 × duration (ms)")
    sequence.set_ylim(bottom=0.0)
    plot.polish(sequence, "Main sequence", "size (degrees)", "")
    plot.key(sequence, loc="lower right")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
