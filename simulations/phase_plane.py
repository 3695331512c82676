"""The phase plane of a cell with a slow inhibitory interneuron: nullclines, the equilibrium, and the cycle around it.

Reproduces: form of Ellias and Grossberg (1975), Biol. Cybern. 20, 69-98; review, Grossberg, Scholarpedia 8(2):1888
(2013), section on slow inhibition. The parameters are our own; the cycle's numbers were computed by LSODA.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.analysis import measure_oscillation
from brnn.claims import Comparison
from brnn.theory import slow_inhibition as theory

A, B, I, G, E = 1.0, 1.0, 0.1, 8.0, 0.4
SIGNAL = brnn.Sigmoid(gain=8.0, half=np.sqrt(0.5), exponent=2.0)
CYCLE = (0.06836807, 0.47106518, 9.7976540)  # smallest and largest x, and the period


def experiment(options: argparse.Namespace) -> Outcome:
    """Find the equilibrium in three ways, and run the cycle."""
    network = brnn.models.slow_inhibition.build(A=A, B=B, G=G, e=E, pattern=I, signal=SIGNAL).replace(
        name="phase_plane"
    )
    (known,) = theory.equilibria(A, B, I, G, SIGNAL)
    search = brnn.equilibria(network, starts=30)
    values = theory.eigenvalues(known, E, A, B, I, G, SIGNAL)
    times = np.linspace(0.0, 200.0, 8001)
    result = simulate(network, options, duration=200.0, times=times)
    x, y = (np.asarray(result[f"{name}.x"])[:, 0] for name in ("cells", "interneurons"))
    late = times > 100.0
    cycle = measure_oscillation(times[late], x[late])
    exponents = brnn.lyapunov_exponents(network, count=1, duration=200.0)
    rows = [
        Comparison.count(1, len(search), "equilibria, found by a search from 30 states"),
        Comparison([known, known], search[0].state, 1e-9, "equilibrium: where the nullclines cross"),
        Comparison(np.sort(values.real), np.sort(search[0].eigenvalues.real), 1e-6, "its growth rates"),
        Comparison(CYCLE[0], float(x[late].min()), 1e-4, "cycle: smallest activity"),
        Comparison(CYCLE[1], float(x[late].max()), 1e-4, "cycle: largest activity"),
        Comparison(CYCLE[2], float(cycle.period), 1e-4, "cycle: period"),
        Comparison(0.0, exponents.largest, 0.02, "largest Lyapunov exponent of a cycle"),
    ]

    def draw() -> Any:
        words = "Lines: where the cell and where the interneuron stands still. Black: the run."
        figure = brnn.plot.new_figure(9.0, 7.0, "A cell and its slow interneuron", words)
        ax = figure.subplots()
        brnn.plot.draw_phase_plane(ax, network, "cells.x", "interneurons.x", limits=((0.005, 0.7), (0.0, 0.6)))
        ax.plot(x, y, color="black", lw=0.8)
        ax.plot(known, known, "o", mfc="white", mec="black", ms=8)
        return figure

    return Outcome(rows, draw, result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
