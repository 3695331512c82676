"""The noise-saturation dilemma, and how an on-center off-surround shunting network solves it.

Ten cells receive inputs I_i = theta_i I. The reflectances theta_i are the pattern, the total input I grows by three
orders of magnitude. Without off-surround, dx_i/dt = -A x_i + (B - x_i) I_i, every cell approaches B I_i/(A + I_i): weak
inputs are lost in noise, strong ones saturate at B, and the pattern is lost. With off-surround,

    dx_i/dt = -A x_i + (B - x_i) I_i - x_i sum_{k != i} I_k                                    (13)

each cell approaches x_i = theta_i B I/(A + I)  (14): the pattern is kept at every intensity, and the total activity
B I/(A + I)  (17) never exceeds B.

Reproduces: the noise-saturation dilemma and its solution of S. Grossberg, Contour enhancement, short term memory, and
constancies in reverberating neural networks, Studies in Applied Mathematics 52, 213-257 (1973); equations (13)-(17) of
S. Grossberg, Recurrent neural networks, Scholarpedia 8(2):1888 (2013).
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
from brnn.theory import feedforward as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, B = 1.0, 1.0
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
THETA = PATTERN / PATTERN.sum()
TOTALS = np.array([1.0, 10.0, 100.0, 1000.0])
EACH = 24.0  # time for which each intensity is shown
SURROUND, NONE = "off_surround", "no_surround"


def build() -> brnn.Network:
    """Return two layers with the same input, which grows tenfold three times; one of them has an off-surround."""
    inputs = TOTALS[:, None] * THETA
    schedule = brnn.Sequence(np.arange(TOTALS.size), duration=EACH)
    return brnn.Network(
        "noise_saturation",
        [brnn.Layer.shunting(name, PATTERN.size, A, B) for name in (SURROUND, NONE)],
        stimuli=[
            brnn.Stimulus(SURROUND, "excitatory", inputs, schedule),
            brnn.Stimulus(SURROUND, "inhibitory", inputs.sum(axis=1, keepdims=True) - inputs, schedule),
            brnn.Stimulus(NONE, "excitatory", inputs, schedule),
        ],
        duration=EACH * TOTALS.size,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257",
    )


def responses(result: Any, name: str) -> np.ndarray:
    """Return the activities at the end of each presentation, shape (intensities, cells)."""
    ends = EACH * np.arange(1, TOTALS.size + 1)
    return np.asarray(result[f"{name}.x"].sel(time=ends, method="nearest"))


def compare(result: Any) -> list[Comparison]:
    """Set the closed forms beside the simulation."""
    with_, without = responses(result, SURROUND), responses(result, NONE)
    inputs = TOTALS[:, None] * THETA
    rows = []
    for k, total in enumerate(TOTALS):
        at = f"I = {total:g}:"
        rows += [
            Comparison(theory.equilibrium(inputs[k], A, B), with_[k], 1e-8, f"{at} off-surround, theta_i B I/(A + I)"),
            Comparison(theory.total_activity(total, A, B), with_[k].sum(), 1e-8, f"{at} total activity, B I/(A + I)"),
            Comparison(THETA, with_[k] / with_[k].sum(), 1e-8, f"{at} relative activities, theta_i"),
            Comparison(theory.unopposed(inputs[k], A, B), without[k], 1e-8, f"{at} no off-surround, B I_i/(A + I_i)"),
            Comparison(
                _contrast(theory.unopposed(inputs[k], A, B)),
                _contrast(without[k]),
                1e-6,
                f"{at} no off-surround, largest/smallest",
            ),
        ]
    first = np.asarray(result.times) <= EACH
    times = np.asarray(result.times)[first]
    predicted = theory.trajectory(inputs[0], A, B, times)
    rows.append(
        Comparison(predicted, np.asarray(result[f"{SURROUND}.x"])[first], 1e-8, "I = 1: response over time, (16)")
    )
    return rows


def _contrast(x: np.ndarray) -> float:
    return float(x.max() / x.min())


def draw(result: Any) -> Figure:
    """Draw the pattern as both networks see it, and how activities depend on the intensity."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        7.6,
        "The noise-saturation dilemma, and its solution by an off-surround",
        f"Ten cells, I$_i$ = θ$_i$ I, A = {A:g}, B = {B:g}   ·   lines: predicted, dots and bars: simulated   ·   "
        "after Grossberg (1973)",
    )
    axes = figure.subplots(2, 3)
    plot.draw_pattern(axes[0, 0], THETA, title="Input: reflectances θ$_i$", color="#8c8c8c", y="θ$_i$")
    colors = plot.ordered_colors()(np.linspace(0.05, 1.0, TOTALS.size))
    cells = np.arange(PATTERN.size)
    for ax, name, title in (
        (axes[0, 1], NONE, "Without off-surround: the pattern saturates"),
        (axes[0, 2], SURROUND, "With off-surround: the pattern is kept"),
    ):
        for k, x in enumerate(responses(result, name)):
            ax.bar(cells + 0.2 * (k - 1.5), x, 0.2, color=colors[k], label=f"I = {TOTALS[k]:g}")
        ax.set_xlim(-0.7, PATTERN.size - 0.3)
        ax.set_ylim(0, 1.3 if name == NONE else 0.29)
        plot.polish(ax, title, "cell", "activity x$_i$", ticks=5)
        ax.set_xticks(cells[::2])
        ax.grid(False, axis="x")
        plot.key(ax, loc="upper right", ncols=4, columnspacing=1.0, handlelength=0.9)
    _draw_curves(axes[1], result)
    return figure


def _draw_curves(axes: Any, result: Any) -> None:
    plot = brnn.plot
    grid = np.geomspace(0.1, 1e4, 300)
    shades = plot.ordered_colors()(plot.ranked(THETA))
    predicted = {
        NONE: theory.unopposed(grid[:, None] * THETA, A, B),
        SURROUND: theory.equilibrium(grid[:, None] * THETA, A, B),
    }
    marks: dict[str, Any] = {
        "linestyle": "none",
        "marker": "o",
        "markersize": 4.5,
        "markeredgecolor": "white",
        "markeredgewidth": 0.6,
    }
    for ax, name, title in (
        (axes[1], NONE, "Without off-surround: x$_i$ → B"),
        (axes[2], SURROUND, "With off-surround: x$_i$ → θ$_i$ B"),
    ):
        measured = responses(result, name)
        for cell in np.argsort(THETA):
            ax.semilogx(grid, predicted[name][:, cell], color=shades[cell], linewidth=1.3)
            ax.semilogx(TOTALS, measured[:, cell], color=shades[cell], **marks)
        ax.set_xlim(grid[0], grid[-1])
        ax.set_ylim(bottom=0)
        plot.polish(ax, title, "total input I", "activity x$_i$")
    for name, label, color in (
        (NONE, "without off-surround", plot.PALETTE[1]),
        (SURROUND, "with off-surround: B I/(A + I)", plot.PALETTE[0]),
    ):
        axes[0].semilogx(grid, predicted[name].sum(axis=1), color=color, linewidth=2.0, label=label)
        axes[0].semilogx(TOTALS, responses(result, name).sum(axis=1), color=color, **marks)
    axes[0].set_xlim(grid[0], grid[-1])
    axes[0].set_ylim(bottom=0)
    plot.polish(axes[0], "Total activity", "total input I", "sum of x$_i$")
    plot.key(axes[0], loc="upper left")


def experiment(options: argparse.Namespace) -> Outcome:
    """Show the four intensities to both layers and compare."""
    within = np.concatenate([np.linspace(0.0, 4.0, 81)[1:], np.linspace(4.0, EACH, 41)[1:]])
    times = np.concatenate([[0.0], *(EACH * k + within for k in range(TOTALS.size))])
    result = simulate(build(), options, times=times)
    return Outcome(compare(result), lambda: draw(result), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
