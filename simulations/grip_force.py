"""Grip force comes in time: in 60 lifts a cerebellum learns when an object is going to slip.

A context comes 0.3 s before the hand lifts; granule cells of forty speeds are active at different times after it. Where
they were active when the climbing fibre told of a slip, their parallel fibres are depressed: the Purkinje cell pauses
there, the nuclear cell that it inhibits is active, and grip force rises before anything slips.

    first trial: reactive, a lag late, and the slip is load/(40 gain) = 3.125, less what is left after the trial
    later: slips, grip force at the lift, and when grip begins, as computed in Euler steps of 1 ms from the public code

Reproduces: F. E. Ulloa, D. Bullock and B. J. Rhodes, Adaptive force generation for precision-grip lifting by a spectral
timing model of the cerebellum, Neural Networks 16, 521-528 (2003), after D. Bullock, J. C. Fiala and S. Grossberg, A
neural model of timed response learning in the cerebellum, Neural Networks 7, 1101-1114 (1994). The climbing fibre is
that of the article (slip), of the code (constant), or one that knows nothing before the slip (constant_while_rising).
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
from brnn.models import grip_force

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of trials 1, 10, 20 and 60: slip, S at the lift, and when S passes 0.1 after it (s), in Euler steps of 1 ms. Steps of
# 0.2 ms, and what stands before what in a step, move slips by 0.02 and S at the lift by 0.05, or 0.1 with the code's h.
COMPUTED: dict[str, dict[int, tuple[float, float | None, float | None]]] = {
    "slip": {1: (3.114, 0.0, 0.064), 10: (1.405, 0.84, -0.045), 20: (0.888, 1.44, -0.061), 60: (0.792, 1.81, -0.070)},
    "constant": {
        1: (3.114, 0.0, 0.064),
        10: (0.941, 4.21, -0.118),
        20: (0.240, 5.56, -0.128),
        60: (0.161, 6.10, -0.132),
    },
    "constant_while_rising": {
        1: (3.114, None, None),
        10: (3.114, None, None),
        20: (3.114, None, None),
        60: (2.497, None, None),
    },
}
NEAR = {"slip": 0.05, "constant": 0.15, "constant_while_rising": 0.05}  # tolerances of S at the lift
RATE = 4.359475  # 1/s: the slowest one of S' = 40 e, e' = 50 (-e + 0.08 (10 - S), 0.05 s late), by its equation
STEP, FINE = 0.05, np.linspace(-0.4, 1.0, 141)  # s: between saved times, and around the lifts that are drawn


def course(options: argparse.Namespace, climbing: str, keep: bool) -> Any:
    """Return a run with this climbing fibre; `keep` says whether it is the one that `-o` keeps."""
    network = grip_force.build(trials=options.trials, climbing=climbing).replace(name="grip_force")
    drawn = np.add.outer(3.0 * (np.array(shown(options.trials)) - 1) + 1.0, FINE)
    times = np.unique(np.round([*np.arange(0.0, network.duration + 1e-9, STEP), *drawn.ravel()], 6))
    settings: dict[str, Any] = {"times": times, "rtol": 1e-4, "atol": 1e-7}
    return simulate(network, options, **settings) if keep else brnn.simulate(network, **settings)


def shown(trials: int) -> list[int]:
    """Return the trials whose grip force is drawn."""
    return sorted({k for k in (1, 5, 10, 20, 60) if k <= trials} | {trials})


def rows_of(climbing: str, result: Any) -> list[Comparison]:
    """Compare a run with what is known of the first trial, and with what was computed of the others."""
    slips, began, S = grip_force.slips(result), grip_force.onsets(result), result["grip.x"][:, 0]
    # What is left after a trial falls at this rate, from 0.05 s before its end on.
    left = (10.0 - float(S.sel(time=2.95, method="nearest"))) * np.exp(-0.05 * RATE) / RATE
    rows = [
        Comparison(3.125 - left, slips[0], 1e-3, f"{climbing}: first slip, load/(40 gain) less what is left"),
        Comparison(0.98, float(result["mossy.x"][-1, 0]), 1e-4, f"{climbing}: mossy fibre at rest, 0.98"),
    ]
    for k, (slip, at_lift, passed) in COMPUTED[climbing].items():
        if k > slips.size:
            continue
        rows.append(Comparison(slip, slips[k - 1], 0.04, f"{climbing}: slip of trial {k}"))
        if at_lift is not None and passed is not None:
            found = float(S.sel(time=3.0 * (k - 1) + 1.0, method="nearest"))
            rows.append(Comparison(at_lift, found, NEAR[climbing], f"{climbing}: S at the lift of trial {k}"))
            rows.append(Comparison(passed, began[k - 1], 3e-3, f"{climbing}: S passes 0.1 in trial {k}, after it (s)"))
    return rows


def draw(results: dict[str, Any]) -> Figure:
    """Draw grip forces and the Purkinje and nuclear cells around the lift, and slips and onsets of all trials."""
    plot, result = brnn.plot, results["slip"]
    below = (
        "granule cells of forty speeds, climbing fibres that tell of slips   ·   after Ulloa, Bullock and Rhodes (2003)"
    )
    figure = plot.new_figure(11.8, 7.8, "Grip learns to come before the object slips", below)
    axes = figure.subplots(2, 2)
    lasts = len(grip_force.slips(result))
    for k, trial in enumerate(shown(lasts)):
        around = 3.0 * (trial - 1) + 1.0 + FINE
        S, B, n = (np.asarray(result[f"{name}.x"][:, 0].sel(time=around, method="nearest"))
                   for name in ("grip", "purkinje", "nuclear"))  # fmt: skip
        look = {"color": f"C{k}", "label": f"trial {trial}"}
        axes[0, 0].plot(FINE, S, **look)
        axes[0, 1].plot(FINE, n, **look)
        axes[0, 1].plot(FINE, 1.0 + 1.5 * B * np.abs(B) / (1.0 + B**2), "--", color=f"C{k}")
    axes[0, 0].axhline(10.0, color="0.5", linewidth=1.0, label="load")
    plot.polish(axes[0, 0], "Grip force (h = e while it grows)", "time since the lift (s)", "grip force S")
    plot.polish(axes[0, 1], "Nuclear cell (solid) and Purkinje cell (dashed)", "time since the lift (s)", "activity")
    trials = np.arange(1, lasts + 1)
    for k, (name, one) in enumerate(results.items()):
        slips, began = grip_force.slips(one), grip_force.onsets(one)
        axes[1, 0].plot(trials, slips, color=f"C{k}", label=name.replace("_", " "))
        axes[1, 1].plot(trials, 1e3 * began, color=f"C{k}", label=name.replace("_", " "))
        known = [j for j in COMPUTED[name] if j <= lasts]
        label = "computed, Euler" if not k else None
        axes[1, 0].plot(known, [COMPUTED[name][j][0] for j in known], "k^", markersize=5, label=label)
        passed = [(j, 1e3 * at) for j in known if (at := COMPUTED[name][j][2]) is not None]
        if passed:
            axes[1, 1].plot(*zip(*passed, strict=True), "k^", markersize=5, label=label)
    axes[1, 0].axhline(3.125, color="0.5", linestyle=":", label="reactive, load/(40 gain)")
    plot.polish(axes[1, 0], "Slips", "trial", "integral of the missing force")
    plot.polish(axes[1, 1], "When grip begins (S = 0.1)", "trial", "after the lift (ms)")
    for panel in axes[:, 0]:
        panel.set_ylim(bottom=0.0)
    plot.key(axes[0, 0], loc="lower right")
    plot.key(axes[1, 0], loc="best")
    plot.key(axes[1, 1], loc="best")
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all trials with each climbing fibre, and compare."""
    if options.trials < 1:
        raise brnn.InputError(f"--trials {options.trials}: must be at least 1")
    results = {name: course(options, name, name == "slip") for name in COMPUTED}
    rows = [row for name, result in results.items() for row in rows_of(name, result)]
    return Outcome(rows, lambda: draw(results), results["slip"])


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--trials", type=int, default=60, metavar="N", help="how many lifts (default: 60)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
