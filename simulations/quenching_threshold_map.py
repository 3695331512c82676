"""The quenching threshold of recurrent competitive fields, measured over decay and over the corner of the signal.

With f(w) = C w g(w), g rising linearly to 1 at w = x1 and g = 1 from there on, theory gives the quenching threshold on
relative activity exactly: QT = x1/(B - A/C) (Grossberg 1973). Here it is measured for every A and x1 of a grid: for
each of them fields are started whose first cell has a share that rises from field to field, and the threshold lies
between the last field that quenches the cell and the first that stores it.

Reproduces: the quenching threshold of S. Grossberg, Contour enhancement, short term memory, and constancies in
reverberating neural networks, Studies in Applied Mathematics 52, 213-257 (1973), over its parameters.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, competitive_field, execute

import brnn
from brnn.claims import Comparison
from brnn.theory import rcf as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

B, C = 3.0, 1.0
OTHERS = np.array([0.25, 0.35, 0.4])  # shares of the cells beside the one whose threshold is measured
CORNERS = (0.1, 0.2, 0.3)
DURATION = 4000.0  # at most; fields stop when they rest


def build(A: float, x1: float, share: float) -> brnn.Network:
    """Return a field of four cells at the total B - A/C, of which the first has this share."""
    total = theory.linear_level(A, B, C)
    signal = brnn.Expression("where(w < x1, C*w**2/x1, C*w)", C=C, x1=x1)
    layer, recurrent = competitive_field("field", A, B, signal, initial=total * np.append(share, (1 - share) * OTHERS))
    return brnn.Network("quenching_map", [layer], recurrent, duration=DURATION)


def experiment(options: argparse.Namespace) -> Outcome:
    """Run the sweep and set theory beside it."""
    A = np.linspace(0.2, 1.1, options.rates)
    share = np.linspace(0.02, 0.18, options.shares)
    design = brnn.Grid(x1=list(CORNERS), A=A, share=share)
    result = brnn.sweep(
        build,
        design,
        duration=DURATION,
        until="steady",
        measures=["final"],
        out=options.output,
        force=options.force,
        resume=options.resume,
    )
    first = result["field.x"].values[:, 0].reshape(len(CORNERS), A.size, share.size)
    stored = first > 0.5 * np.array(CORNERS)[:, None, None]
    once = np.all(np.diff(stored.astype(int), axis=2) >= 0)
    edge = np.argmax(stored, axis=2)
    measured = 0.5 * (share[edge] + share[edge - 1])
    predicted = np.array([[theory.quenching_threshold(a, B, C, x1) for a in A] for x1 in CORNERS])
    half = 0.5 * (share[1] - share[0])
    rows = [
        Comparison(predicted[k], measured[k], 1.02 * half, f"x1 = {x1:g}: QT over A, x1/(B - A/C)")
        for k, x1 in enumerate(CORNERS)
    ]
    rows.append(Comparison(1, int(once), 0, "one threshold each: what is stored stays stored above it"))
    kept = [
        _kept(stored[k], result["field.x"].values.reshape(len(CORNERS), A.size, share.size, 4)[k], A) for k in range(3)
    ]
    rows.append(Comparison(0.0, max(kept), 1e-3, "survivors share B - A/C: largest relative difference"))
    note = f"{design.size} fields; a threshold is known to within half the spacing of shares, {half:.2g}"
    return Outcome(rows, lambda: draw(A, share, stored, predicted), result, (note,))


def _kept(stored: np.ndarray, final: np.ndarray, A: np.ndarray) -> float:
    """Return how far the stored totals are from B - A/C."""
    return float(np.abs(final.sum(axis=2) / (B - A / C)[:, None] - 1.0)[stored].max())


def draw(A: np.ndarray, share: np.ndarray, stored: np.ndarray, predicted: np.ndarray) -> Figure:
    """Draw for each x1 what was stored, theory's threshold over it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.4), layout="constrained")
    panels: Any = figure.subplots(1, len(CORNERS), sharey=True)
    for k, (axes, x1) in enumerate(zip(panels, CORNERS, strict=True)):
        axes.pcolormesh(A, share, stored[k].T.astype(float), shading="nearest", cmap="Oranges", vmin=-0.2, vmax=1.8)
        axes.plot(A, predicted[k], color="black", lw=1.6, label="theory: $x_1/(B - A/C)$")
        axes.set(xlabel="decay A", title=f"$x_1$ = {x1:g}")
    panels[0].set_ylabel("share of the cell at the start")
    panels[0].legend(loc="upper left", frameon=False)
    figure.suptitle("Quenching threshold: stored (dark) and quenched (light) cells")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--rates", type=int, default=19, metavar="N", help="values of A (19)")
    parser.add_argument("--shares", type=int, default=81, metavar="N", help="values of the share (81)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
