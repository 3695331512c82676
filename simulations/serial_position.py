"""A network that associates all items of a list with each other finds the middle of the list the hardest.

Twelve cells, one for each item, all connected to all others, see a list several times:

    dx_i/dt = -A x_i + D sum_j f(x_j(t - tau)) z_ji + I_i(t),  f(w) = [w - threshold]+
    dz_ji/dt = M f(x_j(t - tau)) x_i

Then each item is cued alone. How much of all that the other cells answer is the right answer, the next item, gives
the serial position curve: easy at the beginning, hard in the middle, easier again at the end. Without feedback (D = 0)
every association is an integral of exponentials, and the whole curve a closed form, which is set beside simulations
with other thresholds, lengths of the list, and pauses between trials.

What is known from experiments was at hand in words only, not in numbers: the middle is the hardest and the beginning
easier than the end; a longer list makes the bow deeper, and its last items worse than its first ones (Robinson and
Brown 1926, as reported by Jahnke 1963); lists learned with pauses are retained better (Hovland 1940, as reported by
Underwood, who also found the opposite). These directions are compared.

Reproduces: S. Grossberg, On learning, information, lateral inhibition, and transmitters, Math. Biosci. 4, 255-310
(1969); S. Grossberg and J. Pepe, Spiking threshold and overarousal effects in serial learning, J. Stat. Phys. 3, 95-125
(1971), in directions: their abstracts say on what the bow depends, and how on the threshold. The equations are
recalled; see brnn.models.serial_learning.
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
from brnn.claims import Comparison
from brnn.models.serial_learning import build, cues, onsets
from brnn.theory import serial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, I, ON, M = 0.5, 2.0, 0.5, 0.1  # the defaults of the model
THRESHOLD, TAU, D, PAUSE = 0.2, 0.8, 0.1, 6.0
N, TRIALS = 12, 4
FADED = 12.0 / A  # after the last item learning goes on for so long
THRESHOLDS = (0.0, 0.05, 0.2, 0.4)
LENGTHS = (6, 9, 12, 15)
PAUSES = (0.0, 1.0, 3.0, 12.0)


@dataclass
class Curve:
    """One serial position curve."""

    value: float  # of what differs between the curves
    measured: np.ndarray
    predicted: np.ndarray


def ends(n: int, trials: int, pause: float) -> float:
    """Return when learning ends."""
    return float(onsets(n, trials, pause=pause)[-1, -1] + ON + TAU + FADED)


def curve(value: float, *, n: int = N, trials: int = 1, pause: float = PAUSE, threshold: float = THRESHOLD) -> Curve:
    """Return Z_j without feedback, simulated and as a closed form."""
    network = build(n=n, trials=trials, pause=pause, threshold=threshold, D=0.0, cued=False)
    z = np.asarray(simulate(network, times=[0.0, network.duration], rtol=1e-8)["associations.z"])[-1]
    end = ends(n, trials, pause)
    exact = serial.associations(onsets(n, trials, pause=pause), ON, I, A, end, threshold=threshold, tau=TAU, M=M)
    return Curve(value, serial.correct(z), serial.correct(exact))


@dataclass
class Seen:
    """Everything that is compared and drawn."""

    times: np.ndarray
    items: np.ndarray
    z: np.ndarray  # learned with feedback, [to, from]
    answers: np.ndarray  # relative activities of all cells, for each cue; 0 for the cue itself
    without: np.ndarray  # Z_j without feedback, closed form
    thresholds: list[Curve]
    lengths: list[Curve]
    pauses: list[Curve]


def see(options: argparse.Namespace) -> tuple[Any, Seen]:
    """Run the network with feedback, and the curves without."""
    network = build(n=N, trials=TRIALS).replace(name="serial_position")
    learned = ends(N, TRIALS, PAUSE)
    asked = cues(N, learned)[:, 0] + 2.0
    fine = np.linspace(0.0, onsets(N, TRIALS)[-1, -1] + 10.0, 600)
    times = np.unique(np.concatenate([fine, asked, [learned, network.duration or 0.0]]))
    result = simulate(network, options, times=times, atol=1e-14)
    items = np.asarray(result["items.x"], dtype=np.float64)
    answers = items[np.searchsorted(times, asked)] * (1.0 - np.eye(N))
    exact = serial.associations(onsets(N, TRIALS), ON, I, A, learned, threshold=THRESHOLD, tau=TAU, M=M)
    return result, Seen(
        times,
        items,
        np.asarray(result["associations.z"], dtype=np.float64)[-1],
        answers / answers.sum(axis=1, keepdims=True),
        serial.correct(exact),
        [curve(threshold, threshold=threshold) for threshold in THRESHOLDS],
        [curve(n, n=n) for n in LENGTHS],
        [curve(pause, n=9, trials=6, pause=pause) for pause in PAUSES],
    )


def compare(seen: Seen) -> list[Comparison]:
    """Set closed forms, theorems and the directions of data beside the simulations."""
    Z = serial.correct(seen.z)
    answered = np.diagonal(seen.answers, 1)
    k = int(Z.argmin())
    rows = [
        Comparison(Z, answered, 1e-5, "with feedback: part of the right answer to each cue, Z_j"),
        Comparison.order(np.arange(1, N), seen.answers[:-1].argmax(axis=1), "with feedback: strongest answers"),
        Comparison(seen.without, Z, 0.02, "with feedback: curve, without feedback"),
        Comparison.monotone("falling", Z[: k + 1], label="with feedback: Z_j up to the hardest position"),
        Comparison.monotone("rising", Z[k:], label="with feedback: Z_j from it on"),
    ]
    for name, curves in (("threshold", seen.thresholds), ("length", seen.lengths), ("pause", seen.pauses)):
        rows += [Comparison(one.predicted, one.measured, 1e-5, f"{name} {one.value:g}: curve") for one in curves]
    for one in seen.thresholds:
        ahead, back = serial.lags(N, 1.0, ON, I, A, threshold=one.value, tau=TAU)
        hardest = serial.hardest(ahead, back)
        rows.append(
            Comparison.count(hardest, int(one.measured.argmin()) + 1, f"threshold {one.value:g}: hardest position")
        )
    first, last, low = (
        {name: np.array([pick(one.measured) for one in curves]) for name, curves in _groups(seen)}
        for pick in (lambda Z: Z[0], lambda Z: Z[-1], lambda Z: Z.min())
    )
    return [
        *rows,
        Comparison.monotone("rising", (first["t"] - last["t"]), label="threshold: primacy less recency rises"),
        Comparison.at_most(-0.01, (first["t"] - last["t"])[0], label="threshold 0: recency prevails"),
        Comparison.at_least(0.01, (first["t"] - last["t"])[-1], label="threshold 0.4: primacy prevails"),
        Comparison.monotone("rising", first["n"] - low["n"], label="length: the bow becomes deeper"),
        Comparison.monotone("rising", first["n"] - last["n"], label="length: last items lose more than first ones"),
        Comparison.monotone("rising", first["p"] - low["p"], label="pause: the bow becomes deeper"),
        Comparison.monotone("rising", [one.measured for one in seen.pauses], 1e-9, "pause: all positions easier"),
    ]


def _groups(seen: Seen) -> list[tuple[str, list[Curve]]]:
    return [("t", seen.thresholds), ("n", seen.lengths), ("p", seen.pauses)]


def draw(seen: Seen) -> Figure:
    """Draw the first trials, the associations, and the curves."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.9,
        "Serial learning: the middle of a list is the hardest to learn",
        f"{N} items, A = {A:g}, f(w) = [w − threshold]$_+$, lag {TAU:g}   ·   dots: simulated, "
        "lines: closed form without feedback   ·   after Grossberg (1969), Grossberg and Pepe (1971)",
    )
    axes = figure.subplots(2, 3)
    colors = plot.ordered_colors()(np.linspace(0.0, 1.0, N))
    shown = seen.times <= 2 * N + 2 * PAUSE
    for item in range(N):
        axes[0, 0].plot(seen.times[shown], seen.items[shown, item], color=colors[item], linewidth=1.4)
    axes[0, 0].axhline(THRESHOLD, color="#222222", linewidth=0.8, linestyle=(0, (5, 3)), label="threshold")
    axes[0, 0].set_xlim(0.0, 2 * N + 2 * PAUSE)
    axes[0, 0].set_ylim(0.0, 1.25)
    plot.polish(axes[0, 0], "Two trials: activities of the items", "time t", "x$_i$")
    plot.key(axes[0, 0], loc="upper right")
    image = axes[0, 1].imshow(
        np.where(np.eye(N, dtype=bool), np.nan, seen.z).T, cmap="cividis", vmin=0.0, interpolation="nearest",
        extent=(0.5, N + 0.5, N + 0.5, 0.5),
    )  # fmt: skip
    plot.polish(axes[0, 1], "Associations z$_{ji}$ after four trials", "to item i", "from item j", grid=False)
    bar = figure.colorbar(image, ax=axes[0, 1], shrink=0.85, pad=0.02)
    bar.ax.tick_params(labelsize=8.0)
    bar.outline.set_linewidth(0.5)
    position = np.arange(1, N)
    ax = axes[0, 2]
    ax.plot(position, 1.0 - seen.without, color="#222222", linewidth=1.0, label="no feedback, closed form")
    ax.plot(
        position,
        1.0 - np.diagonal(seen.answers, 1),
        "o-",
        color=plot.PALETTE[1],
        linewidth=1.2,
        markersize=5,
        label="answers to the cues, D = 0.1",
    )
    ax.set_ylim(0.25, 0.8)
    plot.polish(ax, "Serial position curve: wrong answers, 1 − Z$_j$", "cued position j", "1 − Z$_j$")
    plot.key(ax, loc="lower right")
    panels = (
        (axes[1, 0], seen.thresholds, "Threshold: recency gives way to primacy", "threshold"),
        (axes[1, 1], seen.lengths, "Length: deeper bows, the end suffers most", "items"),
        (axes[1, 2], seen.pauses, "No pause between trials: no bow", "pause"),
    )
    for ax, curves, title, name in panels:
        for color, one in zip(plot.ordered_colors()(np.linspace(0.05, 1.0, len(curves))), curves, strict=True):
            position = np.arange(one.measured.size) + 1
            ax.plot(position, 1.0 - one.predicted, color=color, linewidth=1.3)
            ax.plot(position, 1.0 - one.measured, "o", color=color, markersize=4.5, label=f"{one.value:g}")
        plot.polish(ax, title, "cued position j", "1 − Z$_j$", ticks=7)
        ax.xaxis.get_major_locator().set_params(integer=True)
        low, high = ax.get_ylim()
        ax.set_ylim(low - 0.22 * (high - low), high)
        plot.key(ax, loc="lower right", title=name, ncols=4, columnspacing=0.9, handlelength=0.8)
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Learn, cue, vary, and compare."""
    result, seen = see(options)
    turn = seen.thresholds[0].measured
    notes = (
        "",
        f"hardest positions with thresholds {', '.join(f'{t:g}' for t in THRESHOLDS)}: "
        f"{', '.join(str(int(one.measured.argmin()) + 1) for one in seen.thresholds)} of {turn.size}.",
    )
    return Outcome(compare(seen), lambda: draw(seen), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
