"""Antagonistic rebound of gated dipoles, over arousal and phasic input, and over an arousal burst.

A gated dipole has an ON and an OFF channel with tonic arousal I; the phasic input J goes to ON. Gates (10) habituate at
the rate H + L S, and cells are fast. With linear signals:

- when J ends, OFF rebounds by H K L I J/((H + L I)(H + L (I + J))) before the gates recover. Over I this is an inverted
  U: too little arousal has nothing to rebound with, too much has nothing left; the best is I = sqrt(H (H + L J))/L.
- a burst dI of arousal while J is on makes OFF rebound if and only if dI > H/L, whatever J is.

Two sweeps of gated dipoles measure both, in every field of a grid.

Reproduces: S. Grossberg, A neural theory of punishment and avoidance, II, Mathematical Biosciences 15, 253-285 (1972).
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
from brnn.theory import habituation as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

H, K, L = 1.0, 1.0, 0.2
RATE = 4000.0  # of the cells; large compared with that of the gates, H + L (I + J)
ON = 20.0  # how long J is on: many time constants of the gates
AFTER = np.geomspace(0.5, 100.0, 60) / RATE  # when the cells are looked at, after a change
FIXED = {"H": H, "K": K, "L": L, "A": RATE, "start": 0.0, "on": ON}
BURST_AROUSAL = 2.0


def rebound(result: Any) -> float:
    """Largest OFF response after the change."""
    return float(result["off.x"].max())


def sweep(axes: dict[str, Any], times: np.ndarray, fixed: dict[str, Any], options: argparse.Namespace | None) -> Any:
    """Run a grid of dipoles and measure the rebound of each."""
    return brnn.sweep(
        "gated_dipole",
        brnn.Grid({name: [value] for name, value in {**FIXED, **fixed}.items()}) * brnn.Grid(axes),
        duration=float(times[-1]),
        times=times,
        measures=[rebound],
        out=None if options is None else options.output,
        force=options is not None and options.force,
        resume=options is not None and options.resume,
    )


def experiment(options: argparse.Namespace) -> Outcome:
    """Run both sweeps and set theory beside them."""
    side = options.side
    I, J = np.geomspace(0.2, 200.0, side), np.linspace(1.0, 20.0, side)
    offset = sweep({"I": I, "pattern": J}, ON + AFTER, {}, options)
    dI = np.linspace(0.25, 2.0 * H / L, side)
    # The burst comes when the gates have settled to I and J; J stays on.
    fixed = {"I": BURST_AROUSAL, "on": 2.0 * ON, "burst_start": ON, "burst_on": ON}
    burst = sweep({"burst": dI, "pattern": J}, ON + AFTER, fixed, None)
    measured = offset["rebound"].values.reshape(side, side)
    predicted = theory.dipole_rebound(I[:, None], J[None], lambda w: w, H, K, L)
    best = np.sqrt(H * (H + L * J)) / L
    peak = I[np.argmax(measured, axis=0)]
    fires = burst["rebound"].values.reshape(side, side) > 0.0
    far = np.abs(dI - H / L) > 2.0 * (dI[1] - dI[0])
    rows = [
        Comparison(predicted, measured, 0.03, f"OFF rebound at the offset of J, {side * side} dipoles", relative=True),
        Comparison(np.log(best), np.log(peak), 1.1 * np.log(I[1] / I[0]), "ln of the arousal with the largest rebound"),
        Comparison.at_least(
            1.05, float((measured.max(axis=0) / measured[-1]).min()), 0.0, "inverted U: largest/overaroused"
        ),
        Comparison(
            np.broadcast_to(dI[far, None] > H / L, (int(far.sum()), side)).astype(int),
            fires[far].astype(int),
            0,
            "burst: OFF rebounds if and only if dI > H/L",
        ),
    ]
    note = f"{2 * side * side} dipoles with 8 states each; cells are {RATE / H:g} times as fast as rested gates"
    return Outcome(rows, lambda: draw(I, J, measured, best, dI, fires), offset, (note,))


def draw(
    I: np.ndarray, J: np.ndarray, measured: np.ndarray, best: np.ndarray, dI: np.ndarray, fires: np.ndarray
) -> Figure:
    """Draw both maps, theory's lines over what was measured."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    image = left.pcolormesh(I, J, measured.T, shading="nearest", cmap="viridis")
    left.plot(best, J, color="white", lw=1.8, ls="--", label=r"$I = \sqrt{H (H + L J)}/L$")
    left.set(xscale="log", xlabel="arousal I", ylabel="phasic input J", title="OFF rebound when J ends")
    left.legend(loc="upper left", frameon=False, labelcolor="white")
    figure.colorbar(image, ax=left, label="largest OFF response")
    right.pcolormesh(dI, J, fires.T.astype(float), shading="nearest", cmap="Blues", vmin=0.0, vmax=1.6)
    right.axvline(H / L, color="black", lw=1.6, label="dI = H/L")
    right.set(xlabel="arousal burst dI", ylabel="phasic input J", title="Does a burst make OFF rebound? (blue: yes)")
    right.legend(loc="lower right")
    return figure


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script."""
    parser = command_line(__doc__, sweeps=True)
    parser.add_argument("--side", type=int, default=40, metavar="N", help="values along each axis (40)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
