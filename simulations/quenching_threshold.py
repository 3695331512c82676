"""The quenching threshold (QT) of a recurrent competitive field, measured by bisection beside theory.

In the field dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k) a sigmoid signal f has a quenching threshold:
activities below it are suppressed, those above it are enhanced and stored. Three cases, and what is exact in each:

- f(w) = C w g(w), g rising to 1 at x1 and g = 1 from there on: the QT on relative activity is x1/(B - A/C), and the
  survivors keep their ratios for ever. This is partial contrast enhancement that lasts.
- a smooth sigmoid f(w) = w^2/(F + w^2), one more cell beside stored ones: its QT has no closed form. It is bisected,
  stated with its error, and set beside a bisection of an independent integration (SciPy on the plain equations).
- the same, a whole pattern of noise: the factor s below which all of it is quenched.

With the smooth sigmoid the graded pattern that one sees for a while is transient: in the limit all survivors are
equal, and hold the root of (A + k) u^2 - B u + A F = 0, k being their number. Both are shown, transient and limit.

Reproduces: the quenching threshold of S. Grossberg, Contour enhancement, short term memory, and constancies in
reverberating neural networks, Studies in Applied Mathematics 52, 213-257 (1973).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, competitive_field, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.theory import rcf as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, B, C, F = 1.0, 3.0, 1.0, 0.25
X1 = 0.3  # where f becomes linear
K = theory.linear_level(A, B, C)  # B - A/C
PIECEWISE = brnn.Expression("where(w < x1, C*w**2/x1, C*w)", C=C, x1=X1)
SMOOTH = brnn.Sigmoid(1.0, math.sqrt(F), 2.0)

GRADED = np.array([0.1, 0.35, 0.2, 0.5, 0.15, 0.7])
OTHERS = np.array([0.25, 0.35, 0.4])  # shares of the cells beside the one whose threshold is measured
BESIDE = np.array([0.9, 0.8])  # the same, for the smooth sigmoid
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
TRANSIENT = 3.0  # when the graded pattern of the smooth sigmoid is looked at
DURATION = 60.0
NEAR = 1e-3  # relative distance from a threshold at which both fates are shown


@dataclass
class Thresholds:
    """The measured thresholds: relative activity, activity, and factor of a pattern."""

    relative: theory.Bracket
    beside: theory.Bracket
    noise: theory.Bracket


def mixed_with(share: float) -> np.ndarray:
    """Return four activities with the total K, of which the first has this share."""
    return K * np.append(share, (1.0 - share) * OTHERS)


def stores(signal: brnn.Signal, initial: np.ndarray) -> np.ndarray:
    """Return what the field holds at rest."""
    layer, recurrent = competitive_field("field", A, B, signal, initial=initial)
    network = brnn.Network("quenching", [layer], recurrent, duration=20.0)
    return np.asarray(simulate(network, until="steady").final("field"))


def measure(tolerance: float) -> Thresholds:
    """Bisect the three thresholds to this relative width."""
    qt = theory.quenching_threshold(A, B, C, X1)
    return Thresholds(
        theory.bisect(lambda X: stores(PIECEWISE, mixed_with(X))[0] > 0.5 * X1, 0.2 * qt, 1.5 * qt, tolerance),
        theory.bisect(lambda x: stores(SMOOTH, np.append(BESIDE, x))[-1] > 1e-3, 0.05, B, tolerance),
        theory.bisect(lambda s: stores(SMOOTH, s * PATTERN).sum() > 1e-3, 0.05, 0.2, tolerance),
    )


def build(found: Thresholds) -> brnn.Network:
    """Return the fields that are shown, one layer each: both signals, and starts just below and above thresholds."""
    starts = {
        "graded": (PIECEWISE, GRADED),
        "smooth": (SMOOTH, PATTERN),
        "qt_below": (PIECEWISE, mixed_with(found.relative.value * (1 - NEAR))),
        "qt_above": (PIECEWISE, mixed_with(found.relative.value * (1 + NEAR))),
        "noise_below": (SMOOTH, found.noise.value * (1 - NEAR) * PATTERN),
        "noise_above": (SMOOTH, found.noise.value * (1 + NEAR) * PATTERN),
    }
    fields = [competitive_field(name, A, B, signal, initial=initial) for name, (signal, initial) in starts.items()]
    return brnn.Network(
        "quenching_threshold",
        [layer for layer, _ in fields],
        [projection for _, recurrent in fields for projection in recurrent],
        duration=DURATION,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257",
    )


def compare(found: Thresholds, result: Any, tolerance: float) -> list[Comparison]:
    """Set theory beside the measured thresholds and the stored states."""
    qt = theory.quenching_threshold(A, B, C, X1)
    beside = theory.cell_threshold(BESIDE, A, B, SMOOTH, tolerance=tolerance)
    noise = theory.noise_threshold(PATTERN, A, B, SMOOTH, tolerance=tolerance)
    width = 2.0 * tolerance
    rows = [
        Comparison(qt, found.relative.value, width, "piecewise: QT on X_i, x1/(B - A/C)"),
        Comparison(beside.value, found.beside.value, width, "smooth: QT of a third cell, independently"),
        Comparison(noise.value, found.noise.value, width, "smooth: QT of a noise pattern, independently"),
    ]
    share = np.where(GRADED >= X1, GRADED, 0.0)
    stored = np.asarray(result.final("graded"))
    rows += [
        Comparison(K * share / share.sum(), stored, 1e-7, "piecewise: survivors share B - A/C"),
        Comparison(GRADED[5] / GRADED[3], stored[5] / stored[3], 1e-7, "piecewise: ratio of the two largest is kept"),
        Comparison.at_least(
            X1 / K, stored[stored > 1e-6] / stored.sum(), 1e-9, "piecewise: X_i of survivors, above the QT"
        ),
    ]
    early = np.asarray(result["smooth.x"].sel(time=TRANSIENT, method="nearest"))
    late = np.asarray(result.final("smooth"))
    count = int((late > 1e-6).sum())
    levels = theory.sigmoid_levels(A, B, F, count)
    largest = np.isin(np.arange(PATTERN.size), np.argsort(-PATTERN, kind="stable")[:count])
    limit = np.where(largest, levels[1] if levels else math.nan, 0.0)
    rows += [
        Comparison.at_least(
            1.0 + 1e-3, early[2] / early[7], label=f"smooth, t = {TRANSIENT:g}: ratio of the two largest"
        ),
        Comparison.at_least(count + 1, int((early > 0.1).sum()), label=f"smooth, t = {TRANSIENT:g}: active cells"),
        Comparison.at_most(
            theory.sigmoid_most_survivors(A, B, F), count, label="smooth, limit: survivors k < B/sqrt(F) - 2A"
        ),
        Comparison(limit, late, 1e-7, "smooth, limit: equal survivors"),
    ]
    for name, total in (("qt_below", K), ("qt_above", K), ("noise_below", 0.0), ("noise_above", _one())):
        rows.append(Comparison(total, float(result.total(name)[-1]), 1e-6, f"{name.replace('_', ', ')}: stored total"))
    return rows


def _one() -> float:
    """Return the level of a single survivor of the smooth sigmoid."""
    levels = theory.sigmoid_levels(A, B, F, 1)
    return levels[1] if levels else math.nan


def _stated(found: theory.Bracket) -> str:
    return f"{found.value:.8f} ± {found.error:.0e}"


def draw(found: Thresholds, result: Any) -> Figure:
    """Draw the thresholds, the pattern that lasts and the pattern that does not."""
    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        8.0,
        "The quenching threshold of a recurrent competitive field",
        f"A = {A:g}, B = {B:g}   ·   top: f linear from x$_1$ = {X1:g} on   ·   bottom: "
        f"smooth sigmoid w²/(F + w²), F = {F:g}   ·   after Grossberg (1973)",
    )
    axes = figure.subplots(2, 3)
    times = np.asarray(result.times)
    qt = theory.quenching_threshold(A, B, C, X1)
    _draw_bars(
        axes[0, 0],
        [
            ("at the beginning", plot.shares(GRADED), "#c4c4c4"),
            ("stored for ever", plot.shares(result.final("graded")), plot.PALETTE[0]),
        ],
        "Linear stretch: survivors keep their ratios",
    )
    axes[0, 0].axhline(
        qt, color=plot.PALETTE[1], linewidth=1.3, linestyle=(0, (5, 3)), label=f"QT = x$_1$/(B − A/C) = {qt:g}"
    )
    plot.key(axes[0, 0], loc="upper left")
    _draw_fates(
        axes[0, 1],
        times,
        result,
        "qt",
        0,
        12.0,
        "activity of the smallest cell",
        f"Bisected QT: {_stated(found.relative)}",
    )
    axes[0, 1].axhline(X1, color=plot.PALETTE[1], linewidth=1.1, linestyle=(0, (5, 3)), label="where f becomes linear")
    axes[0, 1].set_ylim(0.0, 1.15 * X1)
    plot.key(axes[0, 1], loc="center right")
    _draw_lines(axes[0, 2], times, result, "graded", GRADED, 12.0, "Linear stretch: activities over time")
    early = np.asarray(result["smooth.x"].sel(time=TRANSIENT, method="nearest"))
    _draw_bars(
        axes[1, 0],
        [
            ("at the beginning", plot.shares(PATTERN), "#c4c4c4"),
            (f"t = {TRANSIENT:g}, transient", plot.shares(early), plot.PALETTE[5]),
            ("limit", plot.shares(result.final("smooth")), plot.PALETTE[3]),
        ],
        "Smooth sigmoid: the graded pattern is transient",
    )
    plot.key(axes[1, 0], loc="upper left")
    _draw_fates(
        axes[1, 1],
        times,
        result,
        "noise",
        None,
        25.0,
        "total activity x(t)",
        f"Bisected noise factor: {_stated(found.noise)}",
    )
    plot.key(axes[1, 1], loc="center right")
    _draw_lines(axes[1, 2], times, result, "smooth", PATTERN, 12.0, "Smooth sigmoid: activities over time")
    axes[1, 2].axvline(TRANSIENT, color=plot.PALETTE[5], linewidth=1.6, label=f"t = {TRANSIENT:g}, transient")
    plot.key(axes[1, 2], loc="center right")
    return figure


def _draw_bars(ax: Any, patterns: list[tuple[str, np.ndarray, str]], title: str) -> None:
    cells = np.arange(patterns[0][1].size)
    width = 0.84 / len(patterns)
    for k, (label, values, color) in enumerate(patterns):
        ax.bar(cells + width * (k - 0.5 * (len(patterns) - 1)), values, width, color=color, label=label)
    ax.set_xticks(cells)
    ax.set_ylim(0.0, 1.45 * max(values.max() for _, values, _ in patterns))
    brnn.plot.polish(ax, title, "cell", "relative activity X$_i$", ticks=12)
    ax.grid(False, axis="x")


def _draw_fates(
    ax: Any, times: np.ndarray, result: Any, name: str, cell: int | None, end: float, y: str, title: str
) -> None:
    shown = times <= end
    for fate, color in (("above", brnn.plot.PALETTE[0]), ("below", brnn.plot.PALETTE[6])):
        x = np.asarray(result[f"{name}_{fate}.x"])[shown]
        values = x.sum(axis=1) if cell is None else x[:, cell]
        ax.plot(times[shown], values, color=color, linewidth=2.0, label=f"from {NEAR:.1%} {fate} the threshold")
    ax.set_xlim(0.0, end)
    ax.set_ylim(bottom=0.0)
    brnn.plot.polish(ax, title, "time t", y)


def _draw_lines(ax: Any, times: np.ndarray, result: Any, name: str, start: np.ndarray, end: float, title: str) -> None:
    shown = times <= end
    colors = brnn.plot.ordered_colors()(brnn.plot.ranked(start))
    for cell in np.argsort(start):
        ax.plot(times[shown], np.asarray(result[f"{name}.x"])[shown, cell], color=colors[cell], linewidth=1.8)
    ax.set_xlim(0.0, end)
    ax.set_ylim(0.0, 1.0)
    brnn.plot.polish(ax, title, "time t", "activity x$_i$(t)")


def experiment(options: argparse.Namespace) -> Outcome:
    """Bisect, run the fields that are shown, and compare."""
    tolerance = 1e-4 if options.quick else 1e-7
    found = measure(tolerance)
    times = np.concatenate([np.linspace(0.0, 25.0, 501), np.linspace(25.0, DURATION, 36)[1:]])
    result = simulate(build(found), options, times=times)
    notes = (
        "",
        f"measured QT, piecewise, relative activity:  {_stated(found.relative)}",
        f"measured QT, smooth, third cell:            {_stated(found.beside)}",
        f"measured QT, smooth, factor of the pattern: {_stated(found.noise)}",
        f"smooth sigmoid: the graded pattern at t = {TRANSIENT:g} is transient; in the limit the survivors are equal.",
    )
    return Outcome(compare(found, result, tolerance), lambda: draw(found, result), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--quick", action="store_true", help="bisect to 1e-4 instead of 1e-7")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
