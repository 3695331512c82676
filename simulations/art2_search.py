"""Analog patterns find their categories by search, and what ART 2 is made of decides which.

Four patterns A, B, C and D of 25 cells, shown in the order A B C A D, twice. The five columns of the article's figure:

    a  vigilance 0.95: each pattern gets a category of its own, after searches that never happen again;
    b  vigilance 0: two categories; those of A change while they learn, and what D weakened comes back;
    c  the same without feedback from q to v (b = 0): A goes to and fro between them;
    d  without feedback from u to w (a = 0): noise comes in;
    e  without threshold (theta = 0): all is one category.

First the algorithm to which fast cells lead, then the differential equations, whose cells take the time eps. There a
template captures u before the match has fallen; so the search of column a needs a vigilance of 0.98 instead of 0.95.

Reproduces: Fig. 8 of G. A. Carpenter and S. Grossberg, ART 2: self-organization of stable category recognition codes
for analog input patterns, Applied Optics 26, 4919-4930 (1987). The patterns were read off its drawings.
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
from brnn.models import art2
from brnn.theory import art2 as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LETTERS = "ABCAD"
RHO, SLOWER = 0.95, 0.98  # vigilance of column a: in the limit, and with cells of finite speed
FAST: dict[str, Any] = {"solver": "RK45", "rtol": 1e-5, "atol": 1e-8}


def columns() -> dict[str, theory.Learned2]:
    """Let the algorithm learn the five columns."""
    order = list(art2.ORDER) * 2
    found = {"a": theory.art2(theory.PATTERNS, RHO, order=order)}
    for name, (changed, _) in art2.COLUMNS.items():
        found[name] = theory.art2(theory.PATTERNS, 0.0, order=order, **changed)
    return found


def draw(found: dict[str, theory.Learned2], result: Any, lengths: np.ndarray) -> Figure:
    """Draw the categories of each column, its templates, the search in time and how a template grows."""
    plot = brnn.plot
    title = "ART 2 codes analog patterns: vigilance searches, contrast and feedback keep codes stable"
    below = "patterns A B C A D, twice   ·   rows: columns a to e of Fig. 8   ·   after Carpenter and Grossberg (1987)"
    figure = plot.new_figure(13.0, 10.4, title, below)
    grid = figure.add_gridspec(6, 4, height_ratios=[1.0, 1.0, 1.0, 1.0, 1.0, 1.6])
    said = {
        "a": "a  vigilance 0.95", "b": "b  vigilance 0", "c": "c  vigilance 0, b = 0", "d": "d  vigilance 0, a = 0",
        "e": "e  vigilance 0, threshold 0",
    }  # fmt: skip
    shown = [f"{letter}\n{k + 1}" for k, letter in enumerate(LETTERS * 2)]
    for row, (name, learned) in enumerate(found.items()):
        ax = figure.add_subplot(grid[row, :2])
        for trial, tried in enumerate(learned.tried):
            ax.plot([trial] * len(tried), np.array(tried) + 1, "x", color="#888888", markersize=5)
        ax.plot(np.arange(10), learned.labels + 1, "o", markersize=7)
        plot.polish(ax, said[name], "", "category")
        ax.set(xlim=(-0.6, 9.6), ylim=(0.4, 4.6), yticks=(1, 2, 3, 4))
        ax.set_xticks(np.arange(10), shown if row == 4 else [""] * 10)
        if row == 0:
            ax.plot([], [], "x", color="#888888", label="tried and reset")
            plot.key(ax, loc="upper left")
        for k in range(2):
            ax = figure.add_subplot(grid[row, 2 + k])
            trial = (4, 9)[k]
            z = learned.templates[trial, learned.labels[trial]]
            ax.bar(np.arange(25), z, width=0.8)
            ax.plot(np.arange(25), theory.PATTERNS[3], "_", color="#222222", markersize=7)
            plot.polish(ax, f"template that answers D in trial {trial + 1}", "cell" if row == 4 else "", "z", ticks=3)
            ax.set_ylim(0.0, 7.6)
    ax = figure.add_subplot(grid[5, :2])
    match = result["length_r.x"]
    ax.plot(match.time.values, np.asarray(match)[:, 0], linewidth=1.2, label="match |r|")
    ax.axhline(SLOWER, color="#222222", linewidth=0.9, linestyle=(0, (5, 3)), label="vigilance")
    for k, (letter, tried) in enumerate(zip(LETTERS, art2.categories(result), strict=True)):
        path = " > ".join(str(j + 1) for j in tried)
        ax.text(60.0 * k + 30.0, 1.012, f"{letter}: {path}", ha="center", fontsize=9)
    plot.polish(ax, "Column a as differential equations: search by reset", "time (1/learning rate)", "|r|")
    ax.set_ylim(0.93, 1.025)
    plot.key(ax, loc="lower left")
    ax = figure.add_subplot(grid[5, 2:])
    t, z = lengths
    ax.plot(t, z, linewidth=1.8, label="length of the template of a pattern")
    ax.axhline(10.0, color="#222222", linewidth=0.9, linestyle=(0, (5, 3)), label="1/(1 - d)")
    plot.polish(ax, "What is learned has one length", "time (1/learning rate)", "|z|")
    plot.key(ax, loc="lower right")
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Learn the five columns in the limit and in time."""
    found = columns()
    tried = [[j + 1 for j in order] for order in found["a"].tried]
    rows = [Comparison.order(art2.TRIED, tried, f"a, rho = {RHO}, in the limit: categories tried")]
    for name, (_, path) in art2.COLUMNS.items():
        rows.append(Comparison.order(path, found[name].labels + 1, f"{name}, rho = 0, in the limit: categories"))
    network = art2.build(rho=SLOWER).replace(name="art2_search")
    times = np.union1d(np.linspace(0.0, 300.0, 1_201), [0.0])
    result = simulate(network, options, times=times, **FAST)
    measured = [[j + 1 for j in order] for order in art2.categories(result)]
    rows.append(Comparison.order(art2.TRIED[:5], measured, f"a, rho = {SLOWER}, eps = 0.2: categories tried"))
    low = art2.categories(brnn.simulate(art2.build(rho=RHO), times=[0.0, 300.0], **FAST))
    alone = art2.build(theory.PATTERNS[[0]], rho=0.0, m=1, each=120.0)
    grown = brnn.simulate(alone, times=np.linspace(0.0, 120.0, 121), **FAST)
    z = np.linalg.norm(np.asarray(grown["down.z"])[:, :, 0], axis=1)
    rows.append(Comparison(10.0, z[-1], 1e-3, "|z_J| goes to 1/(1 - d)", relative=True))
    path = ", ".join(
        f"{letter}: {' > '.join(str(j + 1) for j in order)}" for letter, order in zip(LETTERS, low, strict=True)
    )
    note = f"With rho = {RHO} and eps = 0.2 fewer categories are reset: {path}."
    return Outcome(rows, lambda: draw(found, result, np.array([np.linspace(0.0, 120.0, 121), z])), result, (note,))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
