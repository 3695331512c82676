"""Mach bands: lateral inhibition that subtracts, beside lateral inhibition that divides.

Two eyes see the same luminance, which rises from a dark to a bright plateau, in lights of three strengths:

- the eye of Limulus (Hartline and Ratliff), in which neighbours are subtracted after a time tau:
      r_i = e_i - sum_j k_ij [v_j - r0]+,     tau dv_i/dt = r_i - v_i                                       (4), (5)
- a shunting on-center off-surround network, in which they also divide:
      dx_i/dt = -A x_i + (B - x_i) sum_k I_k C_ki - (D + x_i) sum_k I_k E_ki

Both have Mach bands: the response undershoots where the rise begins and overshoots where it ends. At rest the first
eye solves linear equations (all cells are above threshold), the second one has the closed form
x_i = [B (C*I)_i - D (E*I)_i]/[A + (C*I)_i + (E*I)_i]; both predictions are computed with full matrices, without the
simulator. What sets the two apart is the strength of the light: the response of the first eye grows in proportion to
it (if its threshold does), that of the second one tends to a limit in which only ratios of neighbouring luminances
count: both plateaus look alike, and the bands remain.

In time the inhibition of the first eye comes late: it responds with e at first, which then falls to (4).

Reproduces: Mach bands and the late onset of inhibition in the eye of Limulus, H. K. Hartline and F. Ratliff, Journal
of General Physiology 40, 357-376 (1957), F. Ratliff, H. K. Hartline and W. H. Miller, Journal of the Optical Society
of America 53, 110-120 (1963); contrast enhancement and constancy of distance-dependent shunting networks, S. Grossberg,
Recurrent neural networks, Scholarpedia 8(2):1888 (2013), equations (4), (5) and text after (19).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.claims import Comparison

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELLS = 120
DARK, BRIGHT = 2.0, 6.0
LUMINANCE = np.interp(np.arange(CELLS), [50.0, 69.0], [DARK, BRIGHT])
LIGHTS = (1.0, 10.0, 100.0)

WIDTH = 4.0  # of the inhibition of both eyes, in cells
K, R0, TAU = 1.0, 0.5, 1.0  # Hartline and Ratliff
A, B, D, CENTER = 10.0, 1.0, 0.5, 1.0  # shunting network
SETTLED = 24.0


def gaussian(width: float, *, center: bool) -> np.ndarray:
    """Return a Gaussian with the sum 1 at the displacements up to three widths; without the cell itself if asked."""
    d = np.arange(-math.ceil(3.0 * width), math.ceil(3.0 * width) + 1)
    kernel = np.where((d != 0) | center, np.exp(-(d**2) / (2.0 * width**2)), 0.0)
    return np.asarray(kernel / kernel.sum())


INHIBITION = K * gaussian(WIDTH, center=False)
ON, OFF = gaussian(CENTER, center=True), gaussian(WIDTH, center=True)


def build() -> brnn.Network:
    """Return both eyes in all lights: layers limulus_1 ... limulus_100 and shunting_1 ... shunting_100."""
    layers: list[brnn.Layer] = []
    projections, stimuli = [], []
    for light in LIGHTS:
        e = light * LUMINANCE
        limulus, receptors, shunting = (f"{name}_{light:g}" for name in ("limulus", "receptors", "shunting"))
        layers += [
            brnn.Layer.additive(limulus, CELLS, A=1.0 / TAU),
            brnn.Layer.additive(receptors, CELLS, A=1.0, initial=e),
            brnn.Layer.shunting(shunting, CELLS, A=A, B=B, D=D),
        ]
        # The threshold, too, is in units of light, so that the eyes differ in the light alone.
        late = brnn.ThresholdLinear(1.0 / TAU, light * R0)
        projections += [
            brnn.Projection(limulus, limulus, "inhibitory", late, brnn.Kernel(INHIBITION, "nearest")),
            brnn.Projection(receptors, shunting, "excitatory", topology=brnn.Kernel(ON, "nearest")),
            brnn.Projection(receptors, shunting, "inhibitory", topology=brnn.Kernel(OFF, "nearest")),
        ]
        stimuli += [brnn.Stimulus(limulus, "excitatory", e / TAU), brnn.Stimulus(receptors, "excitatory", e)]
    return brnn.Network(
        "lateral_inhibition",
        layers,
        projections,
        stimuli,
        duration=SETTLED,
        reference="Hartline and Ratliff (1957); Grossberg (2013), Scholarpedia 8(2):1888",
    )


# Predictions, without the simulator ------------------------------------------------------------------------------


def matrix(kernel: np.ndarray) -> np.ndarray:
    """Return W[target, source] of a kernel, each displacement written down; the outermost cells go on for ever."""
    W = np.zeros((CELLS, CELLS))
    reach = kernel.size // 2
    for i in range(CELLS):
        for d in range(-reach, reach + 1):
            W[i, min(max(i + d, 0), CELLS - 1)] += kernel[reach + d]
    return W


def limulus_at_rest(light: float) -> np.ndarray:
    """Return the solution of (4) above threshold: (1 + k) r = e + K r0."""
    return np.asarray(np.linalg.solve(np.eye(CELLS) + matrix(INHIBITION), light * (LUMINANCE + K * R0)))


def limulus_alone(times: np.ndarray, luminance: float) -> np.ndarray:
    """Return r(t) in a uniform light: e until the trace v reaches r0, then a fall at the rate (1 + K)/tau."""
    start = TAU * math.log(luminance / (luminance - R0))
    rest = (luminance + K * R0) / (1.0 + K)
    v = rest + (R0 - rest) * np.exp(-(1.0 + K) * np.maximum(times - start, 0.0) / TAU)
    return np.where(times < start, luminance, luminance - K * (v - R0))


def shunting_at_rest(light: float, rate: float = A) -> np.ndarray:
    """Return the equilibrium of the shunting network; with rate 0 its limit in strong light."""
    excitation, inhibition = matrix(ON) @ LUMINANCE, matrix(OFF) @ LUMINANCE
    return np.asarray((B * excitation - D * inhibition) / (rate / light + excitation + inhibition))


# Measurements ----------------------------------------------------------------------------------------------------


def response(trace: np.ndarray, light: float) -> np.ndarray:
    """Return r of (5) for traces v of shape (times, cells)."""
    inhibition = np.maximum(trace - light * R0, 0.0) @ matrix(INHIBITION).T
    return np.asarray(light * LUMINANCE - inhibition)


def bands(x: np.ndarray) -> np.ndarray:
    """Return over- and undershoot as parts of the difference of the plateaus."""
    dark, bright = x[0], x[-1]
    return np.array([x.max() - bright, dark - x.min()]) / (bright - dark)


def compare(result: Any) -> list[Comparison]:
    """Set the predictions beside what both eyes do."""
    rows = []
    limulus = {light: np.asarray(result.final(f"limulus_{light:g}")) for light in LIGHTS}
    shunting = {light: np.asarray(result.final(f"shunting_{light:g}")) for light in LIGHTS}
    for light in LIGHTS:
        at = f"light {light:g}"
        rows += [
            Comparison(limulus_at_rest(light), limulus[light], 1e-8, f"{at}: Limulus, linear solution", relative=True),
            Comparison(shunting_at_rest(light), shunting[light], 1e-8, f"{at}: shunting, closed form"),
        ]
    linear, closed = bands(limulus_at_rest(1.0)), bands(shunting_at_rest(1.0))
    rows += [
        Comparison(linear, bands(limulus[1.0]), 1e-7, "Limulus: over- and undershoot, of the plateaus"),
        Comparison(linear[0], bands(limulus[1.0])[1], 1e-7, "Limulus: they are equal"),
        Comparison(closed, bands(shunting[1.0]), 1e-7, "shunting: over- and undershoot, of the plateaus"),
    ]
    for name, x in (("Limulus", limulus[1.0]), ("shunting", shunting[1.0])):
        places = [int(x.argmin()), int(x.argmax())]
        rows.append(
            Comparison.within([50 - 12, 69 - 4], places, [50 + 4, 69 + 12], label=f"{name}: cells of the bands")
        )
    plateau = (BRIGHT + K * R0) / (1.0 + K)
    growth = [x[-1] for x in limulus.values()]
    rows.append(
        Comparison(plateau * np.array(LIGHTS), growth, 1e-8, "Limulus: bright plateau in all lights", relative=True)
    )
    limit = shunting_at_rest(1.0, rate=0.0)
    distances = [float(np.abs(x - limit).max()) for x in shunting.values()]
    rows += [
        Comparison.monotone("falling", distances, label="shunting: distance from its limit"),
        Comparison.at_most(1e-2, distances[-1], label=f"shunting: distance in light {LIGHTS[-1]:g}"),
    ]
    times = np.asarray(result.times)
    r = response(np.asarray(result["limulus_1.x"]), 1.0)
    for name, cell, luminance in (("dark", 0, DARK), ("bright", -1, BRIGHT)):
        rows.append(Comparison(limulus_alone(times, luminance), r[:, cell], 1e-6, f"Limulus, {name} plateau: r(t)"))
    return rows


# Figure ----------------------------------------------------------------------------------------------------------

_PLACES = np.arange(CELLS)
_PREDICTED: dict[str, Any] = {"color": "#222222", "linewidth": 1.1}


def draw(result: Any) -> Figure:
    """Draw what is shown and seen, the response in time, and what stronger light does to both eyes."""
    plot = brnn.plot
    figure = plot.new_figure(
        13.2,
        8.4,
        "Mach bands: lateral inhibition that subtracts, and lateral inhibition that divides",
        f"a luminance rises from {DARK:g} to {BRIGHT:g}   ·   inhibition reaches {WIDTH:g} cells (standard deviation)"
        "   ·   lines: predicted, dots: simulated   ·   Hartline and Ratliff (1957); Grossberg (2013)",
    )
    axes = figure.subplots(2, 3)
    limulus, shunting = (np.asarray(result.final(f"{name}_1")) for name in ("limulus", "shunting"))
    _draw_strips(axes[0, 0], [("luminance", LUMINANCE), ("Limulus", limulus), ("shunting network", shunting)])
    _draw_bands(axes[0, 1], limulus, limulus_at_rest(1.0), plot.PALETTE[0])
    axes[0, 1].plot(_PLACES, LUMINANCE, color="#a8a8a8", linewidth=1.4, linestyle=(0, (4, 2)), label="luminance e")
    axes[0, 1].set_ylim(0.0, 1.12 * BRIGHT)
    plot.polish(axes[0, 1], "Limulus: neighbours are subtracted", "cell", "response r$_i$")
    plot.key(axes[0, 1], loc="upper left")
    _draw_bands(axes[0, 2], shunting, shunting_at_rest(1.0), plot.PALETTE[1])
    low, high = float(shunting.min()), float(shunting.max())
    axes[0, 2].set_ylim(low - 0.25 * (high - low), high + 0.3 * (high - low))
    plot.polish(axes[0, 2], "Shunting network: neighbours also divide", "cell", "activity x$_i$")
    plot.key(axes[0, 2], loc="upper left")
    _draw_course(axes[1, 0], result)
    _draw_lights(axes[1, 1], result, "limulus", limulus_at_rest, "Limulus: proportional to the light", "response r$_i$")
    axes[1, 1].set_yscale("log")
    _draw_lights(axes[1, 2], result, "shunting", shunting_at_rest, "Shunting: only ratios count", "activity x$_i$")
    axes[1, 2].plot(_PLACES, shunting_at_rest(1.0, 0.0), color="#222222", linestyle=(0, (2, 2)), label="limit")
    axes[1, 1].set_ylim(top=3000.0)  # room for the legends
    axes[1, 2].set_ylim(0.0, 0.33)
    for ax in axes[1, 1:]:
        plot.key(ax, loc="upper left", ncols=2)
    return figure


def _draw_strips(ax: Any, strips: list[tuple[str, np.ndarray]]) -> None:
    """Draw profiles as bands of grey, as an eye would be shown them."""
    for row, (label, x) in enumerate(strips):
        top = -1.25 * row
        grey = 0.1 + 0.8 * (x - x.min()) / np.ptp(x)
        ax.imshow(grey[None, :], cmap="gray", aspect="auto", extent=(-0.5, CELLS - 0.5, top - 1.0, top), vmin=0, vmax=1)
        ax.text(0.0, top + 0.04, label, fontsize=8.5, va="bottom")
    ax.set_ylim(-1.25 * (len(strips) - 1) - 1.0, 0.3)
    ax.set_xlim(-0.5, CELLS - 0.5)
    brnn.plot.polish(ax, "What is shown, and what the eyes send on", "cell", "", grid=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)


def _draw_bands(ax: Any, measured: np.ndarray, predicted: np.ndarray, color: str) -> None:
    over, under = bands(predicted)
    ax.plot(_PLACES, measured, "o", color=color, markersize=3.2, label="simulated")
    ax.plot(_PLACES, predicted, **_PREDICTED, label="predicted")
    for place, text, up in (
        (int(measured.argmax()), f"overshoot {over:.1%}", True),
        (int(measured.argmin()), f"undershoot {under:.1%}", False),
    ):
        ax.annotate(
            text,
            (place, measured[place]),
            (place + (6 if up else -6), measured[place] + (0.12 if up else -0.12) * np.ptp(measured)),
            fontsize=8.5,
            va="center",
            ha="left" if up else "right",
            arrowprops={"arrowstyle": "-", "color": "#6b6b6b", "linewidth": 0.8},
        )
    ax.set_xlim(0, CELLS - 1)


def _draw_course(ax: Any, result: Any) -> None:
    """Draw r(t) on the plateaus and in the bands."""
    times = np.asarray(result.times)
    r = response(np.asarray(result["limulus_1.x"]), 1.0)
    shown = times <= 4.0
    rest = limulus_at_rest(1.0)
    for k, (name, cell) in enumerate(
        (("bright band", int(rest.argmax())), ("bright", CELLS - 1), ("dark", 0), ("dark band", int(rest.argmin())))
    ):
        ax.plot(times[shown], r[shown, cell], color=brnn.plot.PALETTE[k], linewidth=1.8, label=name)
        if name in ("bright", "dark"):
            course = limulus_alone(times[shown], LUMINANCE[cell])
            ax.plot(times[shown], course, "--", color="#222222", linewidth=1.0, label="predicted" if cell else None)
        ax.axhline(rest[cell], xmin=0.93, color="#222222", linewidth=1.6)
    ax.set_xlim(0.0, 4.0)
    ax.set_ylim(0.0, 1.1 * BRIGHT)
    brnn.plot.polish(ax, "Limulus: inhibition comes late, then equation (4)", "time t/τ", "response r$_i$(t)")
    brnn.plot.key(ax, loc="upper right", ncols=2)


def _draw_lights(ax: Any, result: Any, name: str, predicted: Any, title: str, y: str) -> None:
    colors = brnn.plot.ordered_colors()(np.linspace(0.1, 1.0, len(LIGHTS)))
    for light, color in zip(LIGHTS, colors, strict=True):
        ax.plot(_PLACES, predicted(light), color=color, linewidth=1.4)
        x = np.asarray(result.final(f"{name}_{light:g}"))
        ax.plot(_PLACES[::3], x[::3], "o", color=color, markersize=3.0, label=f"light {light:g}")
    ax.set_xlim(0, CELLS - 1)
    brnn.plot.polish(ax, title, "cell", y)


def experiment(options: argparse.Namespace) -> Outcome:
    """Let both eyes settle in all lights, and compare."""
    times = np.concatenate([np.linspace(0.0, 4.0, 161), np.linspace(4.0, SETTLED, 41)[1:]])
    result = simulate(build(), options, times=times)
    over, under = bands(np.asarray(result.final("shunting_1")))
    notes = (
        "",
        f"over- and undershoot are equal where lateral inhibition subtracts; where it divides the band on the dark "
        f"side is the larger one ({under:.1%} beside {over:.1%}).",
    )
    return Outcome(compare(result), lambda: draw(result), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    return execute(command_line(__doc__), argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
