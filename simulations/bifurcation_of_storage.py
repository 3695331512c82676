"""Where a competitive field can store at all: folds along the upper bound B, for one, two and three equal cells.

With f(w) = w^2 a cell in a group of k equal ones rests where k u^2 - B u + A = 0: stored from B = 2 sqrt(k A) on, at
the larger root, and quenched below the smaller one. Several cells are never stable together: differences grow.

Reproduces: Grossberg (1973), Stud. Appl. Math. 52, 213-257; review, Grossberg, Scholarpedia 8(2):1888 (2013), (25).
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison

A = 1.0


def experiment(options: argparse.Namespace) -> Outcome:
    """Follow the stored states down, and run fields on both sides of the first fold."""
    rows, diagrams = [], []
    for k in (1, 2, 3):
        top = 2.0 * np.sqrt(k * A) + 1.5
        level = (top + np.sqrt(top**2 - 4.0 * k * A)) / (2.0 * k)
        settings = {"n": k, "A": A, "signal": "w**2", "pattern": 0.0}
        diagram = brnn.bifurcation_diagram(
            "rcf", {"B": (top, 1.0)}, settings=settings, initial=np.full(k, level), branches=1, cycles=False
        )
        diagrams.append(diagram)
        B, x = diagram.B.values, diagram["rcf.x_max"].values.reshape(diagram.sizes["point"], -1)
        fold = B[diagram.special.values == "fold"]
        rows.append(Comparison(2.0 * np.sqrt(k * A), fold.min(), 1e-6, f"{k} cells: fold at B = 2 sqrt(k A)"))
        same = np.ptp(x, axis=1) < 1e-9
        active = same & (x[:, 0] > 1e-6)
        left = k * x[active, 0] ** 2 - B[active] * x[active, 0] + A
        rows.append(Comparison(np.zeros(left.size), left, 1e-6, f"{k} cells: k u^2 - B u + A along the branch"))
        stable = diagram.stable.values[active]
        upper = (x[active, 0] > B[active] / (2.0 * k) + 1e-3) & (k == 1)
        inside = np.abs(x[active, 0] - B[active] / (2.0 * k)) > 1e-3
        rows.append(Comparison.exact(upper[inside], stable[inside], f"{k} cells: which states are stable"))
    stored, lost = (_run(bound, kept) for bound, kept in ((2.02, options), (1.98, None)))
    ends = [float(result.final("rcf")[0]) for result in (stored, lost)]
    rows.append(Comparison((2.02 + np.sqrt(2.02**2 - 4.0)) / 2.0, ends[0], 1e-6, "B = 2.02: stored"))
    rows.append(Comparison(0.0, ends[1], 1e-6, "B = 1.98: quenched"))

    def draw() -> Any:
        figure = brnn.plot.new_figure(12.0, 4.8, "States that a field with f = w^2 can hold, along B")
        for k, (ax, diagram) in enumerate(zip(figure.subplots(1, 3), diagrams, strict=True)):
            brnn.plot.draw_diagram(ax, diagram)
            ax.set_title(f"{k + 1} equal", fontsize=10, loc="left")
        return figure

    return Outcome(rows, draw, stored)


def _run(bound: float, options: argparse.Namespace | None) -> Any:
    """Run one cell from near the fold, with the upper bound on one side of it."""
    network = brnn.models.rcf.build(n=1, A=A, B=bound, signal=brnn.Power(), pattern=0.0, initial=1.05)
    network = network.replace(name="bifurcation_of_storage")
    return simulate(network, options, duration=200.0, times=np.linspace(0.0, 200.0, 401))


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
