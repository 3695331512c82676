"""What 10,000 recurrent competitive fields store, over the exponent of the signal and the rate of decay.

The field dx_i/dt = -A x_i + (B - x_i) f(x_i) - x_i sum_{k != i} f(x_k) with f(w) = w^p starts from one pattern of ten
activities. The theorems of 1973 divide the plane of p and A/B:

- p < 1, slower than linear: every activity goes to the same level, the root u of A = (B - n u) u^(p-1).
- p = 1, linear: the pattern is stored if A < B, else everything decays.
- p > 1, faster than linear: the largest activity wins if it can be held. No activity can be held above the line
  A/B = (p - 1)^(p-1) p^-p B^(p-1), where h(x)(B - x) does not reach A any more; below it, but near, the start decides,
  and theory bounds its fate from both sides (`brnn.theory.rcf.ignites`, `brnn.theory.rcf.quenches`).

The sweep measures the regime of each field at rest. Theory's word is compared with it in every field on which it has
one. Between the bounds, for p > 1, the edge of storage is bisected for some p with an independent integration (SciPy's
LSODA on the plain equations) and compared with the edge in the map.

Reproduces: the four signal functions of S. Grossberg, Contour enhancement, short term memory, and constancies in
reverberating neural networks, Studies in Applied Mathematics 52, 213-257 (1973), as a map.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute
from scipy.optimize import brentq

import brnn
from brnn.claims import Comparison
from brnn.theory import rcf as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

B = 3.0
PATTERN = np.array([0.2, 0.6, 0.9, 0.6, 0.2, 0.1, 0.4, 0.8, 0.4, 0.1])
DURATION = 5000.0  # at most; fields stop when they rest
QUENCHED = 1e-3  # of the largest initial activity, as the measure "regime" has it
REGIMES = ("quenched", "winner-take-all", "pattern stored", "uniform")


def critical(p: np.ndarray) -> np.ndarray:
    """Return the A/B above which no activity can be held, for p > 1: the maximum of h(x)(B - x) over B."""
    return np.asarray((p - 1.0) ** (p - 1.0) * p**-p * B ** (p - 1.0))


def uniform_level(p: float, A: float) -> float:
    """Return the level at which all cells rest, for p < 1."""
    n = PATTERN.size
    return float(brentq(lambda v: A * np.exp((1.0 - p) * v) - B + n * np.exp(v), -700.0, np.log(B / n)))


def predicted(p: float, A: float) -> str:
    """Return the regime that theory gives, or "" where it leaves the question open."""
    quenched = QUENCHED * PATTERN.max()
    if p < 1.0:
        return "uniform" if np.exp(uniform_level(p, A)) > quenched else "quenched"
    if p == 1.0:
        level = B - A
        return (
            "pattern stored" if level * PATTERN.min() / PATTERN.sum() > quenched else "quenched" if level <= 0 else ""
        )
    signal = brnn.Power(1.0, p)
    if theory.quenches(PATTERN, A, B, signal):
        return "quenched"
    return "winner-take-all" if theory.ignites(PATTERN, A, B, signal) else ""


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the sweep and set theory beside it."""
    side = options.side
    p = np.unique(np.append(np.linspace(0.51, 2.49, side - 1), 1.0))
    ratio = np.linspace(0.02, 1.2, side)
    design = brnn.Grid({"signal.exponent": p, "A": B * ratio})
    result = brnn.sweep(
        "rcf",
        brnn.Grid({"B": [B], "signal": [brnn.Power(1.0, 2.0)], "initial": [PATTERN]}) * design,
        duration=DURATION,
        until="steady",
        measures=["regime", "total", "winner", "time"],
        out=options.output,
        force=options.force,
        resume=options.resume,
    )
    measured = np.array([str(value) for value in result["regime"].values]).reshape(p.size, ratio.size)
    theirs = np.array([[predicted(float(a), float(B * r)) for r in ratio] for a in p])
    known = theirs != ""
    wrong = known & (theirs != measured)
    rows = [
        Comparison(
            0, int(np.sum(wrong & (theirs == regime))), 0, f"{regime}: {np.sum(theirs == regime)} fields, exceptions"
        )
        for regime in REGIMES
        if np.any(theirs == regime)
    ]
    winners = result["winner"].values[(measured == "winner-take-all").ravel()]
    rows.append(
        Comparison(np.array([np.argmax(PATTERN)]), np.unique(winners), 0, "winner-take-all: the largest activity wins")
    )
    rows.append(_levels(p, ratio, measured, result))
    edges = independent_edges(p[p > 1.0][:: max(1, side // 12)], ratio)
    rows.append(
        Comparison(
            np.array(list(edges.values())),
            np.array([measured_edge(measured[list(p).index(exponent)], ratio) for exponent in edges]),
            0.51 * (ratio[1] - ratio[0]),
            "edge of storage A/B, bisected independently",
        )
    )
    above = (p[:, None] > 1.0) & (ratio[None] > critical(np.maximum(p, 1.0 + 1e-12))[:, None])
    rows.append(Comparison(0, int(np.sum(above & (measured != "quenched"))), 0, "stored above the critical line"))
    note = (
        f"{measured.size} fields; on {int(np.sum(known))} of them theory has a word, the edge of the others is bisected"
    )
    return Outcome(rows, lambda: draw(p, ratio, measured, edges), result, (note,))


def independent_edges(exponents: np.ndarray, ratio: np.ndarray) -> dict[float, float]:
    """Return for some p > 1 the A/B above which the pattern is quenched, from an integration of the plain equations."""
    edges = {}
    for p in exponents:
        signal = brnn.Power(1.0, float(p))
        low, high = float(ratio[0]), float(ratio[-1])
        while high - low > 0.02 * (ratio[1] - ratio[0]):
            middle = 0.5 * (low + high)
            stored = theory.settle(PATTERN, B * middle, B, signal).max() > QUENCHED * PATTERN.max()
            low, high = (middle, high) if stored else (low, middle)
        edges[float(p)] = 0.5 * (low + high)
    return edges


def measured_edge(regimes: np.ndarray, ratio: np.ndarray) -> float:
    """Return the A/B halfway between the last field that stores and the first that does not."""
    stored = regimes != "quenched"
    last = int(np.flatnonzero(stored)[-1]) if stored.any() else 0
    return float(0.5 * (ratio[last] + ratio[min(last + 1, ratio.size - 1)]))


def _levels(p: np.ndarray, ratio: np.ndarray, measured: np.ndarray, result: Any) -> Comparison:
    """Compare the stored totals with the closed forms, where there are any."""
    total = result["total"].values.reshape(measured.shape)
    want, found = [], []
    for i, exponent in enumerate(p):
        for j, r in enumerate(ratio):
            if measured[i, j] == "uniform":
                want.append(PATTERN.size * np.exp(uniform_level(float(exponent), float(B * r))))
            elif measured[i, j] == "pattern stored":
                want.append(B - B * r)
            elif measured[i, j] == "winner-take-all":
                levels = theory.faster_levels(float(B * r), B, 1.0, float(exponent))
                want.append(levels[1] if levels is not None else np.nan)
            else:
                continue
            found.append(total[i, j])
    return Comparison(np.array(want), np.array(found), 1e-3, "stored totals, roots of h(x)(B - x) = A")


def draw(p: np.ndarray, ratio: np.ndarray, measured: np.ndarray, edges: dict[float, float]) -> Figure:
    """Draw the measured map with theory's lines over it."""
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    names = [*REGIMES, *sorted(set(measured.ravel()) - set(REGIMES))]
    colors = ["#d9d9d9", "#d95f02", "#1b9e77", "#7570b3", "#e7298a", "#66a61e"][: len(names)]
    code = np.vectorize(names.index)(measured)
    figure = Figure(figsize=(9.0, 5.8), layout="constrained")
    axes = figure.subplots()
    axes.pcolormesh(p, ratio, code.T, cmap=ListedColormap(colors), vmin=-0.5, vmax=len(names) - 0.5, shading="nearest")
    fine = np.linspace(1.0 + 1e-6, p.max(), 400)
    axes.plot(fine, critical(fine), color="black", lw=1.6, label="no activity can be held above")
    axes.axvline(1.0, color="black", lw=1.0, ls=":")
    axes.plot(
        list(edges), list(edges.values()), "o", color="black", ms=3.5, label="edge from this start, independently"
    )
    axes.set(xlabel="exponent p of the signal $f(w) = w^p$", ylabel="decay A/B", ylim=(0.0, ratio.max()))
    axes.set_title(f"What {measured.size:,} recurrent competitive fields store (colours: measured, lines: theory)")
    handles = [Patch(color=color, label=name) for color, name in zip(colors, names, strict=True)]
    lines = [line for line in axes.get_lines() if not str(line.get_label()).startswith("_")]
    figure.legend(handles=[*handles, *lines], loc="outside lower center", ncols=3, frameon=False)
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument(
        "--side", type=int, default=100, metavar="N", help="values along each axis (100: 10,000 fields)"
    )
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
