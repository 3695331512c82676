"""Weber law and shift property of on-center off-surround shunting networks.

A cell receives its own input I_i = e^K and is inhibited by the inputs of all others, which sum to J:

    dx/dt = -A x + (B - x) e^K - x J,      at equilibrium      x(K, J) = B e^K/(A + e^K + J)          (18)

- Shift property: raising J from J1 to J2 moves the response curve along the K axis by S = ln[(A + J2)/(A + J1)], and
  does not compress it: x(K + S, J2) = x(K, J1). (The review prints J2 - J1 in its equation (19); from (18) the shift is
  this logarithm.)
- Weber law: the input that is needed for a given response is proportional to A + J, and so is the increment that
  raises the response by a given step: the Weber fraction is the same on every background.

The simulation measures the curves; shifts and thresholds are read from them by cubic splines, which know nothing
of (18).

Reproduces: the shift property and the Weber law of shunting networks, S. Grossberg, Recurrent neural networks,
Scholarpedia 8(2):1888 (2013), equations (18), (19); for the retina: F. S. Werblin, Control of retinal sensitivity II:
lateral interactions at the outer plexiform layer, Journal of General Physiology 63, 62-87 (1974).
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
from brnn.theory import feedforward as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

A, B = 1.0, 1.0
BACKGROUNDS = (1.0, 10.0, 100.0, 1000.0)  # J
LOG_INPUT = np.linspace(-4.0, 11.0, 61)  # K
SETTLED = 20.0
LEVELS = np.array([0.2, 0.35, 0.5, 0.65, 0.8]) * B  # responses at which shifts are measured
STEP = 0.05 * B  # increment of the response, for the Weber fraction


def layer_name(J: float) -> str:
    """Return the name of the layer with this background."""
    return f"J_{J:g}"


def build() -> brnn.Network:
    """Return one layer for each background J; its cells differ in their own input e^K."""
    names = [layer_name(J) for J in BACKGROUNDS]
    return brnn.Network(
        "weber_law_and_shift",
        [brnn.Layer.shunting(name, LOG_INPUT.size, A, B) for name in names],
        stimuli=[brnn.Stimulus(name, "excitatory", np.exp(LOG_INPUT)) for name in names]
        + [brnn.Stimulus(name, "inhibitory", J) for name, J in zip(names, BACKGROUNDS, strict=True)],
        duration=SETTLED,
        reference="Grossberg (2013), Scholarpedia 8(2):1888, equations (18), (19)",
    )


def curves(result: Any) -> dict[float, np.ndarray]:
    """Return the measured response curves x(K) by background."""
    return {J: np.asarray(result.final(layer_name(J))) for J in BACKGROUNDS}


def inputs_for(x: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Return the log inputs K at which a measured curve reaches the levels, from a spline through its points."""
    from scipy.interpolate import CubicSpline

    spline = CubicSpline(LOG_INPUT, x)
    found = []
    for level in levels:
        roots = spline.solve(level, extrapolate=False)
        found.append(float(roots[0]) if roots.size else float("nan"))
    return np.array(found)


def weber_fraction(x: np.ndarray) -> float:
    """Return dI/I for the increment dI that raises the response from B/2 by STEP."""
    low, high = inputs_for(x, np.array([0.5 * B, 0.5 * B + STEP]))
    return float(np.expm1(high - low))


def compare(result: Any) -> list[Comparison]:
    """Set (18), the shifts and the Weber law beside the measured curves."""
    measured = curves(result)
    rows = [
        Comparison(theory.weber(LOG_INPUT, J, A, B), measured[J], 1e-8, f"J = {J:g}: response curve, (18)")
        for J in BACKGROUNDS
    ]
    first = inputs_for(measured[BACKGROUNDS[0]], LEVELS)
    for J in BACKGROUNDS[1:]:
        shifts = inputs_for(measured[J], LEVELS) - first
        predicted = theory.shift(A, BACKGROUNDS[0], J)
        label = f"J = {BACKGROUNDS[0]:g} to {J:g}:"
        rows += [
            Comparison(predicted, shifts[2], 1e-4, f"{label} shift at x = B/2"),
            Comparison(np.full(LEVELS.size, predicted), shifts, 1e-3, f"{label} shift at every response level"),
        ]
    needed = np.array([np.exp(inputs_for(x, LEVELS)) for x in measured.values()]) / (A + np.array(BACKGROUNDS))[:, None]
    predicted = np.broadcast_to(LEVELS / (B - LEVELS), needed.shape)
    rows.append(Comparison(predicted, needed, 1e-3, "Weber law: I/(A + J) = x/(B - x)"))
    fractions = [weber_fraction(x) for x in measured.values()]
    expected = (0.5 * B + STEP) / (0.5 * B - STEP) - 1.0
    rows.append(
        Comparison(np.full(len(fractions), expected), fractions, 1e-3, "Weber fraction dI/I on every background")
    )
    return rows


def draw(result: Any) -> Figure:
    """Draw the shifted curves, the same curves shifted back, and the Weber law."""
    plot = brnn.plot
    measured = curves(result)
    figure = plot.new_figure(
        13.2,
        4.9,
        "Shift property and Weber law",
        f"x(K, J) = B e$^K$/(A + e$^K$ + J), A = {A:g}, B = {B:g}   ·   lines: predicted, dots: simulated   ·   "
        "Grossberg (2013), equations (18), (19)",
    )
    axes = figure.subplots(1, 3)
    fine = np.linspace(LOG_INPUT[0], LOG_INPUT[-1], 500)
    half = [inputs_for(x, np.array([0.5 * B]))[0] for x in measured.values()]
    for k, (J, x) in enumerate(measured.items()):
        color = plot.PALETTE[k]
        shift = theory.shift(A, BACKGROUNDS[0], J)
        dots: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 3.6, "color": color}
        axes[0].plot(fine, theory.weber(fine, J, A, B), color=color, linewidth=1.6, label=f"J = {J:g}")
        axes[0].plot(LOG_INPUT[::2], x[::2], **dots)
        axes[1].plot(
            LOG_INPUT - shift, x, **{**dots, "marker": "os^D"[k], "markersize": 4.2, "alpha": 0.8}, label=f"J = {J:g}"
        )
        if k:
            axes[0].annotate(
                "",
                (half[k], 0.5 * B),
                (half[k - 1], 0.5 * B),
                arrowprops={"arrowstyle": "->", "color": "#222222", "shrinkA": 5, "shrinkB": 5},
            )
            middle = 0.5 * (half[k] + half[k - 1])
            axes[0].text(
                middle,
                0.535 * B,
                f"{half[k] - half[k - 1]:.4f}",
                ha="center",
                fontsize=8.5,
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
            )
    axes[1].plot(fine, theory.weber(fine, BACKGROUNDS[0], A, B), color="#222222", linewidth=1.2, zorder=0)
    axes[0].set_ylim(0, 1.02 * B)
    axes[0].set_xlim(LOG_INPUT[0], LOG_INPUT[-1])
    axes[1].set_ylim(0, 1.02 * B)
    axes[1].set_xlim(-4, 5)
    plot.polish(axes[0], "Response curves shift by ln[(A + J$_2$)/(A + J$_1$)]", "log input K = ln I$_i$", "response x")
    plot.polish(axes[1], "Shifted back by the prediction: one curve", "K − ln[(A + J)/(A + 1)]", "response x")
    plot.key(axes[0], loc="upper left")
    plot.key(axes[1], loc="upper left")
    _draw_weber(axes[2], measured)
    return figure


def _draw_weber(ax: Any, measured: dict[float, np.ndarray]) -> None:
    plot = brnn.plot
    grid = np.geomspace(A + 0.5 * BACKGROUNDS[0], A + 2 * BACKGROUNDS[-1], 50)
    backgrounds = A + np.array(list(measured))
    for k, level in enumerate((0.2 * B, 0.5 * B, 0.8 * B)):
        needed = [np.exp(inputs_for(x, np.array([level]))[0]) for x in measured.values()]
        ax.loglog(
            grid, grid * level / (B - level), color=plot.PALETTE[k], linewidth=1.6, label=f"response x = {level:g} B"
        )
        ax.loglog(backgrounds, needed, "o", color=plot.PALETTE[k], markersize=5)
    fraction = (0.5 * B + STEP) / (0.5 * B - STEP) - 1.0
    increments = [np.exp(inputs_for(x, np.array([0.5 * B]))[0]) * weber_fraction(x) for x in measured.values()]
    ax.loglog(
        grid,
        grid * fraction,
        color=plot.PALETTE[3],
        linewidth=1.6,
        linestyle=(0, (4, 2)),
        label=f"increment for a step of {STEP:g} B",
    )
    ax.loglog(backgrounds, increments, "s", color=plot.PALETTE[3], markersize=4.5)
    ax.set_ylim(top=3e5)  # room for the legend
    plot.polish(ax, "Weber law: needed input grows in proportion", "background A + J", "input I$_i$, increment ΔI$_i$")
    plot.key(ax, loc="upper left")


def experiment(options: argparse.Namespace) -> Outcome:
    """Let every cell settle and compare."""
    result = simulate(build(), options, solver="LSODA", times=np.linspace(0.0, SETTLED, 41))
    return Outcome(compare(result), lambda: draw(result), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
