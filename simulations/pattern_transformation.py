"""Four signal functions, and what each does to the same pattern.

A recurrent competitive field

    dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k)

starts with a pattern of ten activities, and with the same pattern made so weak that it is noise. The theorems of
Grossberg (1973) say what it stores, by the hill function h(w) = f(w)/w:

    linear (h constant)                 every pattern is stored; noise is amplified as strongly as signals
    slower than linear (h falls)        the pattern becomes uniform; noise is amplified
    faster than linear (h rises)        the largest activity wins; noise is suppressed
    sigmoid (h rises, then falls)       what is below the quenching threshold is suppressed; survivors are enhanced

Reproduces: S. Grossberg, Contour enhancement, short term memory, and constancies in reverberating neural networks,
Studies in Applied Mathematics 52, 213-257 (1973), as the comparison of four signal functions that is shown in
S. Grossberg, Nonlinear neural networks: principles, mechanisms, and architectures, Neural Networks 1, 17-61 (1988).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, competitive_field, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.theory import rcf as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, B, F = 1.0, 3.0, 0.25
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
NOISE = 0.02  # factor that makes the pattern noise
DURATION = 60.0
SHOWN = 15.0  # what the figure shows of it

SIGNALS: dict[str, brnn.Signal] = {
    "linear": brnn.Linear(1.0),
    "slower": brnn.Saturating(1.0, F),
    "faster": brnn.Power(1.0, 2.0),
    "sigmoid": brnn.Sigmoid(1.0, math.sqrt(F), 2.0),
}
TITLES = {
    "linear": ("Linear", "f(w) = w", "keeps the pattern, amplifies noise"),
    "slower": ("Slower than linear", "f(w) = w/(F + w)", "makes it uniform, amplifies noise"),
    "faster": ("Faster than linear", "f(w) = w²", "chooses the maximum, suppresses noise"),
    "sigmoid": ("Sigmoid", "f(w) = w²/(F + w²)", "enhances contrast, suppresses noise"),
}


def build() -> brnn.Network:
    """Return the eight fields, one layer each: every signal with the pattern and with noise."""
    layers, projections = [], []
    for name, signal in SIGNALS.items():
        for suffix, initial in (("", PATTERN), ("_noise", NOISE * PATTERN)):
            layer, recurrent = competitive_field(f"{name}{suffix}", A, B, signal, initial=initial)
            layers.append(layer)
            projections += recurrent
    return brnn.Network(
        "pattern_transformation",
        layers,
        projections,
        duration=DURATION,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257",
    )


def predicted_state(name: str, survivors: int) -> np.ndarray:
    """Return the activities that the theorems predict from the pattern; `survivors` matters for the sigmoid only."""
    largest = np.argsort(-PATTERN, kind="stable")
    if name == "linear":
        return PATTERN / PATTERN.sum() * theory.linear_level(A, B, 1.0)
    if name == "slower":
        return np.full(PATTERN.size, theory.slower_total(A, B, 1.0, F, PATTERN.size) / PATTERN.size)
    # Order is kept, so those that survive are the largest; how much they hold is in closed form.
    count, levels = (1, theory.faster_levels(A, B, 1.0)) if name == "faster" else (survivors, None)
    levels = levels or theory.sigmoid_levels(A, B, F, count)
    return np.where(np.isin(np.arange(PATTERN.size), largest[:count]), levels[1] if levels else math.nan, 0.0)


def survivors_of(result: Any, name: str) -> int:
    """Return how many cells are active in the end."""
    return int((np.asarray(result.final(name)) > 1e-6).sum())


def compare(result: Any) -> list[Comparison]:
    """Set what theory says beside what was stored."""
    rows = []
    for name, signal in SIGNALS.items():
        count = survivors_of(result, name)
        if name == "sigmoid":
            limit = theory.sigmoid_most_survivors(A, B, F)
            rows.append(Comparison.within(1, count, limit, label="sigmoid: survivors, k < B/sqrt(F) - 2A"))
        rows.append(Comparison(predicted_state(name, count), result.final(name), 1e-7, f"{name}: stored activities"))
        noise = theory.storage(A, B, signal, NOISE * PATTERN).total
        rows.append(
            Comparison(noise, float(result.total(f"{name}_noise")[-1]), 1e-7, f"{name}: total that noise becomes")
        )
    share = PATTERN / PATTERN.sum()
    relative = np.asarray(result.relative("linear"))
    rows.append(
        Comparison(np.broadcast_to(share, relative.shape), relative, 1e-8, "linear: relative activities, at all times")
    )
    total = theory.linear_total(A, B, 1.0, PATTERN.sum(), np.asarray(result.times))
    rows.append(Comparison(total, np.asarray(result.total("linear")), 1e-7, "linear: total over time, logistic"))
    for name in SIGNALS:
        x = np.asarray(result[f"{name}.x"])[:, np.argsort(PATTERN, kind="stable")]
        rows.append(Comparison.at_least(0.0, np.diff(x, axis=1), 1e-9, f"{name}: order of activities is kept"))
    return rows


def draw(result: Any) -> Figure:
    """Draw, for each signal: f, h, the patterns at the beginning and in the end, activities and totals over time."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        12.0,
        "What a recurrent competitive field stores depends on its signal function",
        f"Same field (A = {A:g}, B = {B:g}, F = {F:g}), same ten activities at the beginning (dark lines: the largest)"
        "   ·   after Grossberg (1973)",
    )
    axes = figure.subplots(6, 4, height_ratios=[1, 1, 0.85, 0.85, 1.15, 1.15])
    times = np.asarray(result.times)
    shown = times <= SHOWN
    share = plot.shares(PATTERN)
    for column, (name, signal) in enumerate(SIGNALS.items()):
        color = plot.PALETTE[column]
        ax = axes[:, column]
        head, formula, says = TITLES[name]
        plot.draw_signal(ax[0], signal, B, color=color, title=f"{head}\n{formula}")
        plot.draw_hill(ax[1], signal, B, color=color, title="Hill function h(w) = f(w)/w")
        if name == "faster":
            _mark_roots(ax[1])
        plot.draw_pattern(ax[2], share, title="Pattern at the beginning", color="#9a9a9a", y="X$_i$(0)")
        stored = plot.shares(result.final(name))
        plot.draw_pattern(ax[3], stored, title=f"Stored: {says.split(',')[0]}", color=color, y="X$_i$(∞)")
        for row, top in ((2, 0.25), (3, 1.05)):
            ax[row].set_ylim(0.0, top if row == 2 else max(0.25, 1.15 * stored.max()))
        x = np.asarray(result[f"{name}.x"])[shown]
        colors = plot.ordered_colors()(plot.ranked(share))
        for cell in np.argsort(share):
            ax[4].plot(times[shown], x[:, cell], color=colors[cell], linewidth=1.4)
        ax[4].set_xlim(0, SHOWN)
        ax[4].set_ylim(bottom=0)
        plot.polish(ax[4], "Activities over time", "time t", "x$_i$(t)", ticks=5)
        ax[5].plot(
            times[shown], np.asarray(result.total(name))[shown], color=color, linewidth=2.0, label="from the pattern"
        )
        noise = np.asarray(result.total(f"{name}_noise"))[shown]
        ax[5].plot(times[shown], noise, color=color, linewidth=2.0, linestyle=(0, (1.2, 1.2)), label="from noise")
        level = predicted_state(name, survivors_of(result, name)).sum()
        ax[5].axhline(level, color="#222222", linewidth=0.9, linestyle=(0, (5, 3)), label=f"predicted, {level:.3f}")
        ax[5].set_xlim(0, SHOWN)
        ax[5].set_ylim(0, 6.4)  # room for the legend
        plot.polish(ax[5], f"Total: {says.split(', ')[1]}", "time t", "x(t)", ticks=5)
        plot.key(ax[5], loc="upper right")
    return figure


def _mark_roots(ax: Any) -> None:
    """Draw A/(B - w), whose crossings with h are the equilibria (25) of one winner."""
    w = np.linspace(0.0, 0.97 * B, 400)
    ax.plot(w, A / (B - w), color="#222222", linewidth=1.1, linestyle=(0, (5, 3)), label="A/(B − w)")
    for label, root, full in zip(
        ("E$_1$", "E$_2$"), theory.faster_levels(A, B, 1.0) or (), ("white", "#222222"), strict=True
    ):
        ax.plot([root], [root], "o", markersize=5, color=full, markeredgecolor="#222222", zorder=4)
        ax.annotate(label, (root, root), xytext=(5, -11), textcoords="offset points", fontsize=8.5)
    brnn.plot.key(ax, loc="upper left")


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the eight fields together and compare."""
    times = np.concatenate([np.linspace(0.0, 20.0, 401), np.linspace(20.0, DURATION, 41)[1:]])
    result = simulate(build(), options, times=times)
    return Outcome(compare(result), lambda: draw(result), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
