"""Shapes fade into their ground after their outlines were seen flickering, and shapes beside them do not.

Four crosses, two darker and two lighter than the ground by five grey levels, on 200 x 200 pixels. For six seconds
before, the outlines of two of them flicker, black and white. The gates of these contours (10) then hold so little
transmitter that the faint edges make no boundary any more, and the surface flows out:

    a boundary is where  y (tonic + z) - a y' (tonic + z') > 9.5,  so z > 0.35 unadapted, and z > 7.8 adapted;
    the edges of the crosses have z = 3.98.

Reproduces: condition "Crosses" of G. Francis and J. Kim, Simulations of induced visual scene fading with boundary
offset and filling-in, Vision Research 62, 181-191 (2012), and G. Francis, Contour adaptation (2015); both are parts of
S. Grossberg's FACADE theory of contours and surfaces.
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
from brnn.models import contour_adaptation
from brnn.theory import contours

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ADAPT, SHOWN = 5.9, 2.0  # 59 steps of 0.1 s, as in the published code
REST = 20.0 / 6.0  # gate without contours
ADAPTED = 20.0 / 31.0 + (REST - 20.0 / 31.0) * np.exp(-0.217 * ADAPT)
CONTRASTS = (5.0, 7.0, 9.0, 11.0, 14.0)  # grey levels


def seen(result: Any, time: float) -> np.ndarray:
    """Return the surface at a saved time, in grey levels from the ground."""
    parts = (result[name].sel(time=time) for name in ("luminance.x", "dipole_h.x", "dipole_v.x"))
    return contour_adaptation.surface(*(np.asarray(part) for part in parts))


def contrasts_that_survive(picture: np.ndarray, gates: Sequence[np.ndarray]) -> list[float]:
    """Return what is left of the adapted crosses at each contrast, by the equations at rest, relative to it."""
    left = []
    for level in CONTRASTS:
        z = contours.complex_responses(level / contour_adaptation.WHITE * picture)
        O = [gates[k] * (5.0 + z[k]) - 0.5 * gates[1 - k] * (5.0 + z[1 - k]) for k in (0, 1)]
        surface = contour_adaptation.surface(level / contour_adaptation.WHITE * picture, *O)
        left.append(float(np.abs(surface[places(len(picture))[1]]) / level))
    return left


def places(side: int) -> list[tuple[int, int]]:
    """Return the middles of the crosses: not adapted, adapted, not adapted, adapted."""
    quarter, half = side // 4, side // 2
    return [(half, quarter), (quarter, half), (half, 3 * quarter), (3 * quarter, half)]


def image(ax: Any, values: np.ndarray, title: str, **look: Any) -> None:
    """Draw a picture without scales."""
    ax.imshow(values, **look)
    brnn.plot.without_scales(ax, title)


def draw(result: Any, picture: np.ndarray, left: list[float]) -> Figure:
    """Draw what was shown and what is seen, over the gates behind it."""
    plot = brnn.plot
    side = len(picture)
    title = "Shapes fade when their contours were adapted, their neighbours stay"
    below = f"{side} × {side} pixels   ·   gates and dipoles of contours, filling-in   ·   after Francis and Kim (2012)"
    figure = plot.new_figure(12.2, 7.6, title, below)
    axes = figure.subplots(2, 3)
    adaptor = np.asarray(result["luminance.x"].sel(time=0.55))
    grey = {"cmap": "gray", "vmin": -7.0, "vmax": 7.0}
    for ax, values, look, name in (
        (axes[0, 0], adaptor, {"cmap": "gray", "vmin": -1.0, "vmax": 1.0}, "Adaptor: outlines, black and white"),
        (axes[0, 1], 5.0 * picture, grey, "Test: four crosses, ±5 grey levels"),
        (axes[0, 2], seen(result, ADAPT + 1.0), grey, "What is seen of it"),
    ):
        image(ax, values, name, **look)
    gate = result["gates_h.y"]
    times, y = gate.time.values, np.asarray(gate).reshape(gate.sizes["time"], -1)
    start = int(np.searchsorted(times, ADAPT))
    axes[1, 0].plot(times, y[:, y[start].argmin()], linewidth=1.8, label="adapted contour")
    axes[1, 0].plot(times, y[:, y[start].argmax()], linewidth=1.8, label="elsewhere")
    t = np.linspace(0.0, ADAPT, 60)
    broken: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "linestyle": (0, (5, 3))}
    axes[1, 0].plot(t, 20.0 / 31.0 + (REST - 20.0 / 31.0) * np.exp(-0.217 * t), label="closed form", **broken)
    plot.mark_intervals(axes[1, 0], [(ADAPT, ADAPT + SHOWN)], label="test")
    plot.polish(axes[1, 0], "Transmitter gates", "time (s)", "gate y", ticks=5)
    plot.key(axes[1, 0], loc="lower left")
    boundary = np.asarray(result["dipole_h.x"].sel(time=ADAPT + 1.0)) - contour_adaptation.THRESHOLD
    boundary = np.maximum(boundary, np.asarray(result["dipole_v.x"].sel(time=ADAPT + 1.0)) - 9.5)
    image(axes[1, 1], np.maximum(boundary, 0.0), "Boundaries during the test", cmap="gray_r")
    axes[1, 2].plot(CONTRASTS, left, "o-", linewidth=1.8)
    threshold = 5.0 * contours.contour_threshold(ADAPTED, REST, 9.5, 5.0, 0.5) / 3.98
    axes[1, 2].axvline(threshold, label="threshold: z = 7.8", **broken)
    plot.polish(axes[1, 2], "What is left of adapted crosses", "contrast (grey levels)", "part that is seen")
    plot.key(axes[1, 2], loc="center right")
    return figure


def experiment(options: argparse.Namespace) -> Outcome:
    """Adapt, test, and compare thresholds and surfaces with what is published."""
    if not 28 <= options.side <= 400:
        raise brnn.InputError(f"--side {options.side}: must be from 28 to 400 pixels")
    arm = 2 * (43 * options.side // 400) + 1
    thick = max(3, 2 * (15 * options.side // 400) + 1)
    picture, adaptor = contour_adaptation.crosses(options.side, arm, thick)
    network = contour_adaptation.build(picture, adaptor, adapt=ADAPT, shown=SHOWN)
    network = network.replace(name="fading_contours")
    times = [0.0, 0.55, *np.linspace(0.65, 5.65, 41), ADAPT, ADAPT + 0.1, ADAPT + 1.0, ADAPT + SHOWN]
    result = simulate(network, options, times=times, dtype="float32", rtol=1e-5, atol=1e-6)
    gates = [np.asarray(result[f"gates_{o}.y"].sel(time=ADAPT)).reshape(picture.shape) for o in "hv"]
    z = max(float(part.max()) for part in contours.complex_responses(5.0 / contour_adaptation.WHITE * picture))
    rows = [
        Comparison(0.35, contours.contour_threshold(REST, REST, 9.5, 5.0, 0.5), 1e-9, "threshold of z, unadapted"),
        Comparison(7.8, contours.contour_threshold(gates[0].min(), REST, 9.5, 5.0, 0.5), 0.05, "the same, adapted"),
        Comparison(ADAPTED, gates[0].min(), 2e-3, "gate of an adapted contour, closed form"),
    ]
    if options.side == 200:
        rows.append(Comparison(3.98, z, 5e-3, "z of an edge of 5 grey levels"))
    for when in (0.1, 1.0, SHOWN):
        surface = seen(result, ADAPT + when)
        grey = [surface[place] for place in places(options.side)]
        rows.append(Comparison([-5.0, 0.0, 5.0, 0.0], grey, 0.01, f"{when:g} s into the test: grey levels seen"))
    left = contrasts_that_survive(picture, gates)
    if options.side == 200:
        rows.append(Comparison([0.0, 0.0, 0.0, 1.0, 1.0], left, 0.01, "5, 7, 9, 11, 14 grey levels: part seen"))
    return Outcome(rows, lambda: draw(result, picture, left), result)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--side", type=int, default=200, metavar="PIXELS", help="of the picture (default: 200)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
