"""STORE: primacy, bow and recency, and what does not change: ratios and the total.

Four working memories STORE 1, equations (40)-(42), are shown the same list of eight items, one after the other with
silent gaps. They differ in the strength A of the input, and the last one pays more attention to one item:

- A = 0.02 stores a primacy gradient, A = 0.25 a bow, A = 1.5 a recency gradient.
- the new item is stored as A/S_j, all older ones are divided by S_j = sqrt(A + S_{j-1}), so that ratios of stored
  items are kept for ever (LTM invariance) and the total goes to (1 + sqrt(1 + 4 A))/2 (normalization).
- with A = 0.25 and 2.5 times the attention at item 5, this item stands out from the bow (von Restorff).
- the transient memory span, the longest list with primacy throughout, falls with A in steps at A_2 = 1, A_3 = 0.382,
  A_4 = 0.198, ...: measured by presenting lists of nine items at many A.

Every number is set beside the closed recursion.

Reproduces: the gradients of G. Bradski, G. A. Carpenter and S. Grossberg, STORE working memory networks for storage and
recall of arbitrary temporal sequences, Biological Cybernetics 71, 469-480 (1994).
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
from brnn.models import store
from brnn.models.parts.store import TRACE, ItemList, ends_of, memory
from brnn.theory import store as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N = 8
ATTENTION = np.where(np.arange(N) == 4, 2.5, 1.0)
MEMORIES: dict[str, tuple[float, np.ndarray]] = {
    "primacy": (0.02, np.ones(N)),
    "bow": (0.25, np.ones(N)),
    "recency": (1.5, np.ones(N)),
    "attended": (0.25, ATTENTION),
}
SPANS_AT = np.geomspace(0.022, 1.6, 25)  # A of the measured spans
LONGEST = 9
TOLERANCE = 3e-8


def build() -> brnn.Network:
    """Return the four memories as one network; all are shown the same list at the same times."""
    duration, gap = (
        max(needed(A, N, 1e-9, strengths) for A, strengths in MEMORIES.values())
        for needed in (theory.needed_duration, theory.needed_gap)
    )
    layers, projections, stimuli = [], [], []
    for name, (A, strengths) in MEMORIES.items():
        shown = ItemList.checked("store_gradients", N, A, None, strengths, duration, gap)
        parts = memory(N, shown, (name, f"{name}_trace"))
        layers += parts[0]
        projections += parts[1]
        stimuli += [brnn.Stimulus(name, "excitatory", shown.rows(N), shown.shown), *parts[2]]
    return brnn.Network(
        "store_gradients",
        layers,
        projections,
        stimuli,
        duration=shown.end,
        reference="Bradski, Carpenter and Grossberg (1994), Biol. Cybern. 71, 469-480",
    )


def after_each(result: Any, name: str) -> np.ndarray:
    """Return what the memory holds after the gap of each item, shape (items, cells)."""
    return np.asarray(result[f"{name}_trace.x"].sel(time=ends_of(result.network), method="nearest"))


def measured_span(A: float) -> int:
    """Return the length of the longest list with primacy throughout, from one list of nine items."""
    network = store.build(LONGEST, A)
    y = np.asarray(brnn.simulate(network, times=ends_of(network), rtol=1e-8, atol=1e-11)[f"{TRACE}.x"])
    broken = [j for j in range(1, LONGEST) if not (np.diff(y[j, : j + 1]) < 0).all()]
    return broken[0] if broken else LONGEST


def compare(result: Any, spans: list[int]) -> list[Comparison]:
    """Set the recursion beside what is stored."""
    rows = []
    for name, (A, strengths) in MEMORIES.items():
        y = after_each(result, name)
        label = f"{name}, A = {A:g}: "
        S = theory.totals(A, N, strengths)
        rows += [
            Comparison(theory.stored(A, N, strengths), y[-1], TOLERANCE, label + "stored list"),
            Comparison(S, y.sum(axis=1), TOLERANCE, label + "total after each item"),
        ]
        measured = np.concatenate([y[j + 1 :, j] / y[j + 1 :, j + 1] for j in range(N - 1)])
        kept = np.concatenate([np.full(N - 1 - j, strengths[j] / strengths[j + 1] / S[j]) for j in range(N - 1)])
        rows.append(Comparison(kept, measured, 1e-6, label + "ratios of neighbours, for ever"))
        if name != "attended":
            order = [theory.gradient(A, N), theory.trough(A, N)]
            steps = np.diff(y[-1]) > 0
            kind = "recency" if steps.all() else "bow" if steps.any() else "primacy"
            rows.append(Comparison.order(order, [kind, int(y[-1].argmin()) + 1], label + "gradient, smallest item"))
    turn = int((-theory.stored(0.25, N, ATTENTION)).argsort().tolist().index(4)) + 1
    rows += [
        Comparison.count(
            turn, int((-after_each(result, "attended")[-1]).argsort().tolist().index(4)) + 1, "rank of item 5"
        ),
        Comparison.count([theory.span(A) for A in SPANS_AT], spans, f"spans at {len(SPANS_AT)} strengths A"),
    ]
    return rows


def draw(result: Any, spans: list[int]) -> Figure:
    """Draw gradients, the course of a list, ratios, totals, spans, and the item that stands out."""
    from matplotlib.ticker import NullFormatter

    plot = brnn.plot
    figure = plot.new_figure(
        12.8,
        8.0,
        "STORE working memory: relative activity codes temporal order",
        "lists of eight items through real pulses   ·   crosses: the recursion S$_j$ = √(A + S$_{j-1}$)   ·   after "
        "Bradski, Carpenter and Grossberg (1994)",
    )
    axes = figure.subplots(2, 3)
    items = np.arange(1, N + 1)
    for name, color in zip(("primacy", "bow", "recency"), plot.PALETTE, strict=False):
        A, strengths = MEMORIES[name]
        y = after_each(result, name)
        axes[0, 0].plot(items, y[-1], "o-", color=color, linewidth=1.8, label=f"{name}, A = {A:g}")
        axes[0, 0].plot(items, theory.stored(A, N), "x", color="#222222", markersize=8)
        axes[1, 0].plot(items, y.sum(axis=1), "o-", color=color, linewidth=1.8, label=f"A = {A:g}")
        axes[1, 0].plot(items, theory.totals(A, N), "x", color="#222222", markersize=8)
        axes[1, 0].axhline(theory.capacity(A), color=color, linewidth=1.1, linestyle=(0, (5, 3)))
    axes[0, 0].set_yscale("log")
    axes[0, 0].yaxis.set_minor_formatter(NullFormatter())
    axes[0, 0].set_ylim(0.014, 4.0)
    plot.polish(axes[0, 0], "Stored gradients", "item", "activity y$_i$ after the list")
    plot.key(axes[0, 0], loc="upper center")
    axes[1, 0].set_ylim(0.0, 2.7)
    plot.polish(axes[1, 0], "Normalization: the total and the capacity", "items presented", "total activity S$_j$")
    plot.key(axes[1, 0], loc="upper left")
    _draw_course(axes[0, 1], result)
    y = after_each(result, "bow")
    colors = plot.ordered_colors()(np.linspace(0.0, 1.0, N - 1))
    for j in range(N - 1):
        axes[0, 2].plot(items[j + 1 :], y[j + 1 :, j] / y[j + 1 :, j + 1], "o-", color=colors[j], linewidth=1.8)
    axes[0, 2].axhline(1.0, color="#888888", linewidth=1.1, linestyle=(0, (5, 3)))
    plot.polish(axes[0, 2], "Ratios of neighbours are kept, A = 0.25", "items presented", "y$_j$/y$_{j+1}$")
    _draw_spans(axes[1, 1], spans)
    for name, color in (("bow", "#b0b0b0"), ("attended", plot.PALETTE[3])):
        A, strengths = MEMORIES[name]
        label = "2.5 times the attention at item 5" if name == "attended" else "equal attention"
        axes[1, 2].plot(items, after_each(result, name)[-1], "o-", color=color, linewidth=1.8, label=label)
        axes[1, 2].plot(items, theory.stored(A, N, strengths), "x", color="#222222", markersize=8)
    axes[1, 2].set_ylim(0.0, 0.34)
    plot.polish(axes[1, 2], "An attended item stands out, A = 0.25", "item", "activity y$_i$ after the list")
    plot.key(axes[1, 2], loc="upper right")
    return figure


def _draw_course(ax: Any, result: Any) -> None:
    times = np.asarray(result.times)
    y = np.asarray(result["bow_trace.x"])
    colors = brnn.plot.ordered_colors()(np.linspace(0.0, 1.0, N))
    pulses = next(s.schedule for s in result.network.stimuli if s.kind == "modulatory")
    for on, off in pulses.intervals:
        ax.axvspan(on, off, color="#e9e9e9", linewidth=0)
    for j in range(N):
        ax.plot(times, y[:, j], color=colors[j], linewidth=1.8)
    ax.set_xlim(0.0, times[-1])
    ax.set_ylim(bottom=0.0)
    brnn.plot.polish(ax, "A = 0.25: items (gray) and traces", "time t", "activity y$_i$(t)")


def _draw_spans(ax: Any, spans: list[int]) -> None:
    for n in range(2, LONGEST):
        edge = theory.boundary(n)
        ax.axvline(edge, color="#c4c4c4", linewidth=1.0)
        ax.text(edge, 9.0, f"A$_{n}$", ha="left", va="top", fontsize=9, color="#555555")
    A = np.geomspace(SPANS_AT[0], SPANS_AT[-1], 2000)
    ax.plot(A, [theory.span(a) for a in A], color=brnn.plot.PALETTE[1], linewidth=1.6, label="theory")
    ax.plot(SPANS_AT, spans, "o", color=brnn.plot.PALETTE[0], label="measured")
    ax.set_xscale("log")
    ax.set_ylim(0.5, 9.2)
    brnn.plot.polish(ax, "Longest list with primacy throughout", "strength of the input A", "transient memory span")
    brnn.plot.key(ax, loc="center right")


def experiment(options: argparse.Namespace) -> Outcome:
    """Present the list to the four memories, and lists to others."""
    network = build()
    ends = ends_of(network)
    times = np.unique(np.concatenate([np.linspace(0.0, ends[-1], 600), ends]))
    result = simulate(network, options, times=times)
    spans = [measured_span(A) for A in SPANS_AT]
    return Outcome(compare(result, spans), lambda: draw(result, spans), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
