"""Transient memory span of STORE over the strength of the input and the length of the list.

For every A and every list length n a list is presented to a STORE memory, equations (40)-(42), through real pulses, and
it is measured where the smallest stored activity is and whether the list has primacy throughout, a bow or recency.
Theory, S_j = sqrt(A + S_{j-1}), says: the smallest item is the first with S_j >= 1; a list of n items has primacy
throughout if and only if A < A_n, A_n being the A at which S_{n-1} = 1. The longest list with primacy is the transient
memory span. A span of four items, which the theory expects when there is no help of long-term memory, takes A
between A_5 = 0.114 and A_4 = 0.198.

Reproduces: primacy, bow and recency of G. Bradski, G. A. Carpenter and S. Grossberg, STORE working memory networks for
storage and recall of arbitrary temporal sequences, Biological Cybernetics 71, 469-480 (1994), over their parameters;
the transient memory span is that of S. Grossberg, A theory of human memory (1978).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison
from brnn.theory import store as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHORTEST = 2
LOWEST, HIGHEST = 0.011, 2.1  # of A
KINDS = ("primacy", "bow", "recency")


def trough(result: Any) -> int:
    """Return the position of the smallest stored item, from 1 on."""
    return int(np.argmin(result.final("trace"))) + 1


def rises(result: Any) -> int:
    """Return how many items are stored stronger than the one before."""
    return int((np.diff(result.final("trace")) > 0).sum())


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the sweep and set theory beside it."""
    if not 4 <= options.longest <= 15:
        raise brnn.InputError(f"--longest {options.longest}: must be from 4 to 15 items")
    if not 10 <= options.strengths <= 2000:
        raise brnn.InputError(f"--strengths {options.strengths}: must be from 10 to 2000")
    n = np.arange(SHORTEST, options.longest + 1)
    A = np.geomspace(LOWEST, HIGHEST, options.strengths)
    result = brnn.sweep(
        "store",
        brnn.Grid(n=n.tolist(), A=A),
        measures=[trough, rises],
        rtol=1e-8,
        atol=1e-11,
        out=options.output,
        force=options.force,
        resume=options.resume,
    )
    smallest = np.asarray(result["trough"]).reshape(n.size, A.size)
    steps = np.asarray(result["rises"]).reshape(n.size, A.size)
    kinds = np.where(steps == 0, 0, np.where(steps == n[:, None] - 1, 2, 1))
    predicted = np.array([[KINDS.index(theory.gradient(a, int(m))) for a in A] for m in n])
    rows = [
        Comparison.count(0, int((kinds != predicted).sum()), f"{kinds.size} lists: gradients that differ from theory"),
        Comparison.count(
            np.array([[theory.trough(a, int(m)) for a in A] for m in n]), smallest, "position of the smallest item"
        ),
        Comparison.count(
            [min(theory.span(a), options.longest) for a in A],
            [int(n[kinds[:, k] == 0].max(initial=1)) for k in range(A.size)],
            f"transient memory span at {A.size} strengths",
        ),
    ]
    for m, row in zip(n, kinds, strict=True):
        edge = theory.boundary(int(m))
        k = int((row == 0).sum())
        if 0 < k < A.size:
            rows.append(Comparison.within(A[k - 1], edge, A[k], label=f"A_{m} = {edge:.4f}: last primacy, first bow"))
    notes = (f"{kinds.size} lists; neighbouring A differ by {100.0 * (A[1] / A[0] - 1.0):.2g} %",)
    return Outcome(rows, lambda: draw(n, A, smallest), result, notes)


def draw(n: np.ndarray, A: np.ndarray, smallest: np.ndarray) -> Figure:
    """Draw where the smallest item was, and theory's boundaries over it."""
    plot = brnn.plot
    figure = plot.new_figure(
        10.4,
        5.6,
        "STORE: where the smallest item of a list is",
        "colours: measured   ·   lines: A$_n$, where S$_{n-1}$ = 1   ·   after Bradski, Carpenter and Grossberg (1994)",
    )
    ax: Any = figure.subplots()
    image = ax.pcolormesh(A, n, smallest, shading="nearest", cmap="viridis", vmin=1, vmax=n[-1])
    figure.colorbar(image, ax=ax, label="position of the smallest item", pad=0.02)
    for m in range(2, int(n[-1]) + 1):
        edge = theory.boundary(m)
        ax.plot([edge, edge], [m - 0.5, n[-1] + 0.5], color="white", linewidth=1.2)
        if m < n[-1]:
            following = theory.boundary(m + 1)
            ax.plot([following, edge], [m + 0.5, m + 0.5], color="white", linewidth=2.6)
        ax.text(edge, n[-1] + 0.55, f"A$_{{{m}}}$", ha="center", va="bottom", fontsize=9)
    ax.plot([1.0, 1.0], [n[0] - 0.5, 2.5], color="white", linewidth=2.6)
    ax.text(0.03, 2.2, "primacy throughout", color="white", fontsize=11, ha="left")
    ax.text(0.45, n[-1] - 0.7, "bow", color="white", fontsize=11, ha="center")
    ax.text(1.4, n[-1] - 0.7, "recency", color="white", fontsize=11, ha="center")
    ax.set_xscale("log")
    ax.set_ylim(n[0] - 0.5, n[-1] + 0.5)
    ax.set_xlim(A[0], A[-1])
    ax.set_xlabel("strength of the input A")
    ax.set_ylabel("length of the list n")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--strengths", type=int, default=121, metavar="N", help="values of A (121)")
    parser.add_argument("--longest", type=int, default=9, metavar="N", help="length of the longest list (9)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
