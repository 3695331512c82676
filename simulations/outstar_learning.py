"""Outstar learning: one cell learns a spatial pattern perfectly, and reads it out at any intensity.

A source cell k and a border of ten cells j:

    dx_k/dt = -A x_k + I_k(t)
    dx_j/dt = -A x_j + D sum_k f(x_k) z_kj + theta_j I(t)                                      (7)
    dz_kj/dt = M f(x_k) [x_j - z_kj]                                                           (11)

While the source is on together with the pattern theta I, each (x_j, z_j) obeys two linear equations, whose solution is
set beside the simulation; the weights go to theta_j I/(A - D f). After a silence the source alone recalls the pattern
with cues that span three orders of magnitude: X_j = x_j/sum x is theta_j every time. Two things show what sampling is:
a second source, which is silent all the time, keeps its weights to the last bit; and weights that decay passively,
dz/dt = -z + M f x_j (39), have forgotten when the recall comes.

Reproduces: the outstar theorem of S. Grossberg, Some nonlinear networks capable of learning a spatial pattern of
arbitrary complexity, Proc. Natl. Acad. Sci. USA 59, 368-372 (1968); equations (11), (39) of S. Grossberg, Recurrent
neural networks, Scholarpedia 8(2):1888 (2013).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, D, M, I = 1.0, 0.5, 1.0, 1.0
THRESHOLD = 0.05  # of the signal f(w) = [w - threshold]+
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
THETA = PATTERN / PATTERN.sum()
TRAINED = 40.0  # when the training ends
SILENT = math.log(1.0 / THRESHOLD) / A  # how long the source still signals after its cue of 1 is off
RECALL, PAUSE = 6.0, 14.0
FACTORS = np.array([0.1, 1.0, 10.0, 100.0])  # of the cue in each recall
ONSETS = TRAINED + 20.0 + (RECALL + PAUSE) * np.arange(FACTORS.size)
END = ONSETS[-1] + RECALL


def start() -> np.ndarray:
    """Return the weights at time 0, [border cell, source]: uneven, and nothing like the pattern."""
    rng = np.random.default_rng(1968)
    return rng.uniform(0.0, 0.4, size=(PATTERN.size, 2))


def build() -> brnn.Network:
    """Return two source cells, a border with outstars, and a border with weights that decay passively."""
    signal = brnn.ThresholdLinear(1.0, THRESHOLD)
    until = brnn.Pulse(0.0, ONSETS[0])  # recalls would change the size of the memory, though not its pattern
    cue = np.array([1.0, 0.0])
    laws = {
        "outstar": brnn.Outstar(M, initial=start(), schedule=until),
        "decaying": brnn.PassiveDecay(M, sampled=brnn.Linear(), initial=start(), schedule=until),
    }
    borders = {"outstar": "border", "decaying": "other_border"}
    training = brnn.Pulse(0.0, TRAINED)
    return brnn.Network(
        "outstar_learning",
        # The source has had its cue for a long time, so that f is constant while it learns.
        [
            brnn.Layer.additive("source", 2, A, initial=cue / A),
            *(brnn.Layer.additive(b, THETA.size, A) for b in borders.values()),
        ],
        [
            brnn.Projection("source", borders[k], signal=signal, topology=brnn.AllToAll(D), learning=law, name=k)
            for k, law in laws.items()
        ],
        [
            brnn.Stimulus("source", pattern=cue, schedule=training),
            *(brnn.Stimulus(border, pattern=I * THETA, schedule=training) for border in borders.values()),
            *(
                brnn.Stimulus("source", pattern=f * cue, schedule=brnn.Pulse(t, t + RECALL))
                for f, t in zip(FACTORS, ONSETS, strict=True)
            ),
        ],
        duration=END,
        reference="Grossberg (1968), Proc. Natl. Acad. Sci. USA 59, 368-372",
    )


def learned(times: np.ndarray) -> np.ndarray:
    """Return z_j(t) of the first source in training (times, cells): two linear equations for each border cell."""
    f = 1.0 / A - THRESHOLD
    flow = np.array([[-A, D * f], [M * f, -M * f]])
    rest = THETA * I / (A - D * f)  # of x_j and of z_j
    away = np.stack([-rest, start()[:, 0] - rest])
    rates, modes = np.linalg.eig(flow)
    share = np.linalg.solve(modes, away)  # of each mode at time 0
    return rest + np.exp(np.multiply.outer(times, rates)) @ (modes[1][:, None] * share)


def recalled(weight: float) -> np.ndarray:
    """Return the total border activity at the end of each recall from rest: f = F (1 - exp(-t)) - threshold."""
    t0 = -np.log1p(-THRESHOLD / FACTORS)  # when the signal begins (A = 1)
    level = FACTORS - THRESHOLD
    return np.asarray(D * weight * (level * (1.0 - np.exp(t0 - RECALL)) - FACTORS * (RECALL - t0) * np.exp(-RECALL)))


def compare(result: Any) -> list[Comparison]:
    """Set the closed forms and the theorem beside the simulation."""
    times = np.asarray(result.times)
    z, other = np.asarray(result["outstar.z"]), np.asarray(result["decaying.z"])
    training = times <= TRAINED
    silence = (times > TRAINED + SILENT + 1.0) & (times <= ONSETS[0])
    ends = np.searchsorted(times, ONSETS + RECALL)
    own = z[silence][:, :, 0]
    X = np.asarray(result.relative("border"))[ends]
    forgotten = np.exp(-(times[silence] - times[silence][0]))[:, None] * other[silence][0, :, 0]
    rows = [
        Comparison(learned(times[training]), z[training][:, :, 0], 1e-7, "training: z_j(t), two linear equations"),
        Comparison(THETA, z[ends[0], :, 0] / z[ends[0], :, 0].sum(), 1e-5, "after training: Z_j = theta_j"),
        Comparison.exact(np.broadcast_to(own[0], own.shape), own, "silence: weights of the source that learned"),
        Comparison.exact(
            np.broadcast_to(z[0, :, 1], z.shape[:2]), z[:, :, 1], "all the time: weights of the silent source"
        ),
        Comparison(forgotten, other[silence][:, :, 0], 1e-9, "silence: passive decay forgets exp(-t)"),
    ]
    rows += [
        Comparison(THETA, x, 1e-5, f"recall with {factor:g} times the cue: X_j = theta_j")
        for factor, x in zip(FACTORS, X, strict=True)
    ]
    total = np.asarray(result.total("border"))[ends]
    rows.append(Comparison(recalled(z[ends[0], :, 0].sum()), total, 1e-7, "recalls: total activity", relative=True))
    return rows


def draw(result: Any) -> Figure:
    """Draw training, silence and recall: activities, weights, and what is kept."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.8,
        "Outstar learning: a pattern is sampled, kept, and recalled at any intensity",
        f"Ten border cells, A = {A:g}, D = {D:g}, M = {M:g}, f(w) = [w − {THRESHOLD:g}]$_+$   ·   "
        "dashed: predicted   ·   after Grossberg (1968)",
    )
    axes = figure.subplots(2, 3)
    times = np.asarray(result.times)
    colors = plot.ordered_colors()(plot.ranked(THETA))
    _draw_course(axes[0, 0], times, result)
    X = np.asarray(result.relative("border"))
    for cell in np.argsort(THETA):
        axes[0, 1].plot(times[1:], X[1:, cell], color=colors[cell], linewidth=1.7)
        axes[0, 1].plot([0.0, END], [THETA[cell]] * 2, color=plot.PALETTE[6], linewidth=0.7, linestyle=(0, (5, 4)))
    axes[0, 1].set_xlim(0.0, END)
    axes[0, 1].set_ylim(0.0, 0.26)
    plot.polish(axes[0, 1], "Border: relative activities X$_j$ go to θ$_j$ and stay", "time t", "X$_j$")
    _draw_bars(axes[0, 2], X[np.searchsorted(times, ONSETS + RECALL)])
    z = np.asarray(result["outstar.z"])
    shown = times <= ONSETS[0]
    for cell in np.argsort(THETA):
        axes[1, 0].plot(times[shown], z[shown, cell, 0], color=colors[cell], linewidth=1.9)
    training = times <= TRAINED
    axes[1, 0].plot(
        times[training], learned(times[training]), color=plot.PALETTE[6], linewidth=0.9, linestyle=(0, (4, 3))
    )
    axes[1, 0].axvspan(TRAINED, ONSETS[0], color="#f0f0f0", zorder=0)
    axes[1, 0].text(0.5 * (TRAINED + ONSETS[0]), 0.02, "silence", ha="center", fontsize=8.5, color="#6b6b6b")
    axes[1, 0].set_xlim(0.0, ONSETS[0])
    axes[1, 0].set_ylim(bottom=0.0)
    plot.polish(axes[1, 0], "Weights z$_j$ learn and keep the pattern", "time t", "z$_j$")
    _draw_memory(axes[1, 1], times, result)
    _draw_intensities(axes[1, 2], times, result, colors)
    return figure


def _draw_course(ax: Any, times: np.ndarray, result: Any) -> None:
    """Draw the source and the total activity of the border over time."""
    plot = brnn.plot
    plot.mark_intervals(ax, [(0.0, TRAINED)])
    ax.semilogy(times, np.asarray(result["source.x"])[:, 0], color=plot.PALETTE[0], linewidth=1.8, label="source x$_0$")
    ax.semilogy(
        times[1:],
        np.asarray(result.total("border"))[1:],
        color=plot.PALETTE[1],
        linewidth=1.8,
        label="border, sum of x$_j$",
    )
    for onset, factor in zip(ONSETS, FACTORS, strict=True):
        ax.text(onset + 0.5 * RECALL, 1.6 * factor, f"× {factor:g}", ha="center", fontsize=8.5, color="#6b6b6b")
    ax.set_xlim(0.0, END)
    ax.set_ylim(1e-4, 3e3)
    plot.polish(ax, "Training, silence, recalls with cues of four intensities", "time t", "activity")
    plot.key(ax, loc="upper left")


def _draw_bars(ax: Any, recalls: np.ndarray) -> None:
    """Draw what was taught beside what each recall gives."""
    plot = brnn.plot
    cells, width = np.arange(THETA.size), 0.84 / (1 + FACTORS.size)
    shades = plot.ordered_colors()(np.linspace(0.1, 1.0, FACTORS.size))
    patterns = [
        ("taught", THETA, "#c4c4c4"),
        *((f"cue × {f:g}", x, c) for f, x, c in zip(FACTORS, recalls, shades, strict=True)),
    ]
    for k, (label, values, color) in enumerate(patterns):
        ax.bar(cells + width * (k - 0.5 * FACTORS.size), values, width, color=color, label=label)
    ax.set_xticks(cells)
    ax.set_ylim(0.0, 0.3)
    plot.polish(ax, "The pattern that is taught, and its recalls", "cell", "relative activity", ticks=5)
    ax.set_xticks(cells)
    ax.grid(False, axis="x")
    plot.key(ax, loc="upper right", ncols=3, columnspacing=1.0, handlelength=0.9)


def _draw_memory(ax: Any, times: np.ndarray, result: Any) -> None:
    """Draw the total weight of the outstar and of the weights that decay passively."""
    plot = brnn.plot
    totals = {name: np.asarray(result[f"{name}.z"])[:, :, 0].sum(axis=1) for name in ("outstar", "decaying")}
    labels = {"outstar": "outstar: no forgetting while f = 0", "decaying": "passive decay: exp(−t)"}
    for (name, label), color in zip(labels.items(), plot.PALETTE, strict=False):
        ax.semilogy(times, np.maximum(totals[name], 1e-12), color=color, linewidth=2.0, label=label)
    first = int(np.searchsorted(times, TRAINED + SILENT + 1.0))
    ax.semilogy(
        times[first:],
        totals["decaying"][first] * np.exp(times[first] - times[first:]),
        color=plot.PALETTE[6],
        linewidth=0.9,
        linestyle=(0, (4, 3)),
    )
    ax.axvspan(TRAINED, ONSETS[0], color="#f0f0f0", zorder=0)
    ax.text(0.5 * (TRAINED + ONSETS[0]), 2.2e-8, "silence", ha="center", fontsize=8.5, color="#6b6b6b")
    ax.set_xlim(0.0, ONSETS[0])
    ax.set_ylim(1e-8, 30.0)
    plot.polish(ax, "Memory in silence: total weight", "time t", "sum of z$_j$")
    plot.key(ax, loc="center left")


def _draw_intensities(ax: Any, times: np.ndarray, result: Any, colors: np.ndarray) -> None:
    """Draw each border cell's activity against the strength of the cue."""
    plot = brnn.plot
    ends = np.searchsorted(times, ONSETS + RECALL)
    x = np.asarray(result["border.x"])[ends]
    weight = float(np.asarray(result["outstar.z"])[ends[0], :, 0].sum())
    for cell in np.argsort(THETA):
        ax.loglog(FACTORS, recalled(weight) * THETA[cell], color=plot.PALETTE[6], linewidth=0.9, linestyle=(0, (4, 3)))
        ax.loglog(FACTORS, x[:, cell], "o", color=colors[cell], markersize=5.5)
    plot.polish(ax, "Recall: ratios do not depend on the intensity", "strength of the cue", "activity x$_j$")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run training, silence and recalls, and compare."""
    times = np.unique(np.concatenate([np.linspace(0.0, END, 701), ONSETS, ONSETS + RECALL]))
    result = simulate(build(), options, times=times)
    return Outcome(compare(result), lambda: draw(result), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
