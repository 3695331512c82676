"""Gated dipole: overshoot, habituation, antagonistic rebound at offset and to arousal, and the inverted U.

Two channels, ON and OFF, get the arousal I; ON gets the phasic input J as well. Their signals S_1 = f(I + J) and
S_2 = f(I) pass habituative gates, dy/dt = H (K - y) - L S y, and compete. With cells that are much faster than gates:

- at the onset of J the ON response overshoots, y(I) [S_1 - S_2], and habituates to H^2 K (S_1 - S_2)/(h_1 h_2), where
  h_i = H + L S_i;
- at its offset the OFF channel rebounds by H K L S_2 (S_1 - S_2)/(h_1 h_2): pain relieved, light after dark, a
  negative afterimage;
- a burst dI of arousal while J is on rebounds, too, if and only if dI > H/L (f linear), whatever I and J are: an
  unexpected event disconfirms what is going on;
- with a sigmoid f the ON response is an inverted U of arousal: small in underarousal and in overarousal.

The tabled numbers are those for H/L = 5, I = 1, J = 10.

Reproduces: S. Grossberg, A neural theory of punishment and avoidance. II: Quantitative theory, Mathematical Biosciences
15, 253-285 (1972); equation (10) of S. Grossberg, Recurrent neural networks, Scholarpedia 8(2):1888 (2013).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute, simulate

import brnn
from brnn.base.checks import whole
from brnn.claims import Comparison
from brnn.models import gated_dipole
from brnn.theory import habituation as theory

if TYPE_CHECKING:
    from matplotlib.figure import Figure

H, K, L = 0.05, 1.0, 0.01
A = 1e4  # cells are instantaneous beside the gates
I, J = 1.0, 10.0
START, ON, END = 20.0, 80.0, 180.0
OFF = START + ON
BURSTS = np.array([4.0, 5.0, 6.0, 10.0])
BURST_START, BURST_ON = 120.0, 20.0  # late enough for the gates to have settled under J
TABLED = np.array([-0.52083333, 0.0, 0.52083333, 2.60416667])
PLACES = ((0.5, 4.0), (1.0, 10.0), (4.0, 10.0), (1.0, 40.0))  # (I, J) of the thresholds
GRID = np.linspace(1.0, 9.0, 17)  # sizes of bursts there
AROUSAL = np.linspace(0.0, 15.0, 61)
PHASIC = 3.0  # J of the inverted U
SIGNALS: dict[str, brnn.Signal] = {
    "linear": brnn.Linear(),
    "sigmoid": brnn.Sigmoid(gain=20.0, half=5.0, exponent=4.0),
    "threshold": brnn.ThresholdLinear(gain=1.0, threshold=4.0),
}
PHOTOGRAPH = "grace_hopper.jpg"  # ships inside matplotlib
SHOWN = 60.0  # how long the photograph is on
RATE = 10.0  # of the cells that see it


@dataclass
class Runs:
    """Everything that was simulated.

    Attributes
    ----------
    course : Result
        One dipole through onset and offset of J.
    bursts : Result
        A dipole for each of BURSTS.
    sizes : array, shape (places, bursts)
        OFF minus ON just after a burst, for each pair (I, J) and each size of GRID.
    curves : dict
        ON response at rest for each arousal, by signal.
    picture, seen, after : array, shape (rows, columns)
        A photograph J, the ON response to it, and the OFF response after it.
    """

    course: Any
    bursts: Any
    sizes: np.ndarray
    curves: dict[str, np.ndarray]
    picture: np.ndarray
    seen: np.ndarray
    after: np.ndarray


def around(event: float, end: float) -> np.ndarray:
    """Return times from `event` to `end`, dense at first: the jump, and then the slow course."""
    return np.concatenate([event + np.geomspace(1.0 / A, 1.0, 120), np.linspace(event + 1.0, end, 120)[1:]])


def run(options: argparse.Namespace) -> Runs:
    """Simulate all parts of the figure."""
    times = np.concatenate([[0.0, START], around(START, OFF), around(OFF, END)])
    gates = {"H": H, "K": K, "L": L}
    course = simulate(gated_dipole.build(I=I, pattern=J, start=START, on=ON, A=A, **gates), options, times=times)
    common: dict[str, Any] = {"start": 0.0, "on": math.inf, "burst_start": BURST_START, "burst_on": BURST_ON, **gates}
    stop = BURST_START + BURST_ON
    times = np.concatenate([np.linspace(100.0, BURST_START, 41), around(BURST_START, stop), around(stop, 180.0)])
    bursts = simulate(gated_dipole.build(I=I, pattern=J, burst=BURSTS, A=A, **common), duration=180.0, times=times)
    tonic, phasic = (np.repeat([place[k] for place in PLACES], GRID.size) for k in (0, 1))
    network = gated_dipole.build(I=tonic, pattern=phasic, burst=np.tile(GRID, len(PLACES)), A=A, **common)
    just_after = BURST_START + 30.0 / A
    # Cells that are 10^5 times as fast as gates: stiff.
    sizes = simulate(network, duration=just_after, times=[just_after], solver="LSODA").final("off")
    curves = {}
    for name, signal in SIGNALS.items():
        network = gated_dipole.build(I=AROUSAL, pattern=PHASIC, start=0.0, on=math.inf, signal=signal, **gates)
        curves[name] = np.asarray(simulate(network, until="steady").final("on"))
    picture = 10.0 * photograph(options.columns)
    network = gated_dipole.build(I=I, pattern=picture, start=0.0, on=SHOWN, A=RATE, **gates)
    seen = simulate(network, duration=SHOWN + 1.0, times=[SHOWN, SHOWN + 1.0], rtol=1e-6)
    return Runs(
        course,
        bursts,
        np.asarray(sizes).reshape(len(PLACES), GRID.size),
        curves,
        picture,
        np.asarray(seen["on.x"])[0],
        np.asarray(seen["off.x"])[1],
    )


def photograph(columns: int) -> np.ndarray:
    """Return matplotlib's sample photograph in levels of gray from 0 to 1, averaged down to this width."""
    import matplotlib.cbook
    from PIL import Image

    with Image.open(str(matplotlib.cbook.get_sample_data(PHOTOGRAPH, asfileobj=False))) as image:
        gray = image.convert("L")
    rows = max(1, round(columns * gray.height / gray.width))
    return np.asarray(gray.resize((columns, rows), Image.Resampling.BOX), dtype=np.float64) / 255.0


def linear(w: Any) -> Any:
    """Return f(w) = w, the signal of all parts but the inverted U."""
    return w


def compare(runs: Runs) -> list[Comparison]:
    """Set the closed forms beside the simulation."""
    x, times = np.asarray(runs.course["on.x"])[:, 0], np.asarray(runs.course.times)
    closed = (linear, H, K, L)
    at_end = int(np.flatnonzero(times == OFF)[0])
    gates = [float(np.asarray(runs.course[f"{side}_gates.y"])[at_end, 0]) for side in ("on", "off")]
    bursts = np.asarray(runs.bursts["off.x"])
    jump = int(np.searchsorted(runs.bursts.times, BURST_START + 30.0 / A))
    rebound = theory.dipole_rebound(I, J, *closed)
    rows = [
        Comparison(theory.gate_level([I + J, I], H, K, L), gates, 1e-5, "gates under J: ON, OFF"),
        Comparison(theory.dipole_onset(I, J, *closed), x.max(), 5e-3, "ON overshoot at the onset of J", relative=True),
        Comparison(theory.dipole_response(I, J, *closed), x[at_end], 1e-4, "ON response after habituation"),
        Comparison(rebound, -x.min(), 2e-3, "OFF rebound at the offset of J"),
        Comparison(0.52083333, -x.min(), 2e-3, "the same, tabled"),
        Comparison(TABLED, bursts[jump], 2e-3, "bursts dI = 4, 5, 6, 10: OFF - ON just after, tabled"),
    ]
    for (tonic, phasic), sizes in zip(PLACES, runs.sizes, strict=True):
        # OFF - ON is proportional to dI - H/L.
        found = float(np.interp(0.0, sizes, GRID))
        rows.append(Comparison(H / L, found, 5e-3, f"I = {tonic:g}, J = {phasic:g}: threshold of the burst, H/L"))
    for name, curve in runs.curves.items():
        predicted = theory.dipole_response(AROUSAL, PHASIC, SIGNALS[name], H, K, L)
        rows.append(Comparison(predicted, curve, 1e-6, f"f {name}: ON response as a function of arousal"))
        if name == "linear":
            rows.append(Comparison.monotone("falling", curve, label="f linear: it falls as arousal rises"))
        else:
            top = int(curve.argmax())
            label = f"f {name}: arousal at its largest response"
            rows.append(Comparison(AROUSAL[int(predicted.argmax())], AROUSAL[top], 1e-9, label))
            rows.append(Comparison.monotone("rising", curve[: top + 1], 1e-8, f"f {name}: below that it rises"))
            rows.append(Comparison.monotone("falling", curve[top:], 1e-8, f"f {name}: above that it falls"))
    afterimage = theory.dipole_rebound(I, runs.picture, *closed)
    ratio = float(np.corrcoef(afterimage.ravel(), runs.after.ravel())[0, 1])
    rows.append(Comparison(1.0, ratio, 1e-3, "photograph: correlation of the afterimage with its closed form"))
    return rows


def draw(runs: Runs) -> Figure:
    """Draw the classical figure."""
    plot = brnn.plot
    figure = plot.new_figure(
        15.0,
        8.2,
        "The gated dipole: opponent channels with habituative gates",
        f"H = {H:g}, K = {K:g}, L = {L:g}, arousal I = {I:g}, phasic input J = {J:g}   ·   lines: simulated, circles: "
        "closed forms   ·   after Grossberg (1972)",
    )
    places = figure.add_gridspec(2, 4, width_ratios=[1.25, 1.0, 1.0, 0.85])
    axes = {
        name: figure.add_subplot(places[row, column])
        for row, names in enumerate(
            (("course", "gates", "burst", "picture"), ("inverted", "threshold", "seen", "after"))
        )
        for column, name in enumerate(names)
    }
    _draw_course(axes["course"], runs)
    _draw_gates(axes["gates"], runs)
    _draw_bursts(axes["burst"], runs)
    _draw_curves(axes["inverted"], runs)
    _draw_thresholds(axes["threshold"], runs)
    plot.draw_image(axes["picture"], runs.picture, "J: a photograph", note="phasic input of the ON channels")
    plot.draw_image(axes["after"], -runs.after, "Just after J: negative afterimage", note="OFF rebound (dark: strong)")
    plot.draw_image(axes["seen"], runs.seen, f"ON response after {SHOWN:g} units of J", note="habituated: compressed")
    return figure


def _circles(color: str) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "marker": "o",
        "markersize": 6.5,
        "markerfacecolor": "none",
        "markeredgecolor": color,
        "markeredgewidth": 1.5,
        "zorder": 5,
    }


def _draw_course(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    times, x = np.asarray(runs.course.times), np.asarray(runs.course["on.x"])[:, 0]
    closed = (linear, H, K, L)
    on, off = plot.PALETTE[0], plot.PALETTE[1]
    plot.mark_intervals(ax, [(START, OFF)], "J on")
    ax.plot(times, np.maximum(x, 0.0), color=on, linewidth=2.0, label="ON channel")
    ax.plot(times, np.minimum(x, 0.0), color=off, linewidth=2.0, label="OFF channel (downward)")
    marks = (
        (START, theory.dipole_onset(I, J, *closed), "overshoot", on, (6, -2)),
        (OFF, theory.dipole_response(I, J, *closed), "habituated", on, (-62, 8)),
        (OFF, -theory.dipole_rebound(I, J, *closed), "antagonistic rebound", off, (8, -6)),
    )
    for time, level, label, color, offset in marks:
        ax.plot(time, level, **_circles(color))
        ax.annotate(label, (time, level), offset, textcoords="offset points", fontsize=8.5, color=color)
    ax.set_xlim(0.0, END)
    ax.set_ylim(-2.0, 11.5)
    plot.polish(ax, "Overshoot, habituation, rebound", "time", "response")
    plot.key(ax, loc="upper right")


def _draw_gates(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    plot.mark_intervals(ax, [(START, OFF)], "J on")
    for side, signal, color in (("on", I + J, plot.PALETTE[0]), ("off", I, plot.PALETTE[1])):
        y = np.asarray(runs.course[f"{side}_gates.y"])[:, 0]
        ax.plot(runs.course.times, y, color=color, linewidth=2.0, label=f"{side.upper()} gate")
        ax.plot(OFF, theory.gate_level(signal, H, K, L), **_circles(color))
    ax.set_xlim(0.0, END)
    ax.set_ylim(0.0, 1.15)
    plot.polish(ax, "Gates: H K/(H + L S)", "time", "gate y")
    plot.key(ax, loc="lower right")


def _draw_bursts(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    plot.mark_intervals(ax, [(BURST_START, BURST_START + BURST_ON)], "burst")
    colors = plot.ordered_colors()(np.linspace(0.1, 1.0, BURSTS.size))
    times, x = np.asarray(runs.bursts.times), np.asarray(runs.bursts["off.x"])
    for k in np.argsort(-BURSTS):
        ax.plot(times, x[:, k], color=colors[k], linewidth=1.8, label=f"dI = {BURSTS[k]:g}")
        ax.plot(BURST_START, TABLED[k], **_circles(colors[k]))
    ax.axhline(0.0, color="#222222", linewidth=0.9)
    ax.set_xlim(105.0, 165.0)
    ax.set_ylim(-4.2, 4.6)
    plot.polish(ax, "Rebound to an arousal burst, J on", "time", "OFF minus ON")
    plot.key(ax, loc="upper right", ncols=2)


def _draw_thresholds(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    fine = np.linspace(GRID[0], GRID[-1], 200)
    for k, (tonic, phasic) in enumerate(PLACES):
        color = plot.PALETTE[k]
        predicted = theory.burst_response(tonic, phasic, fine, linear, H, K, L)
        ax.plot(fine, predicted, color=color, linewidth=1.6, label=f"I = {tonic:g}, J = {phasic:g}")
        ax.plot(GRID, runs.sizes[k], linestyle="none", marker="o", markersize=3.6, color=color)
    ax.axhline(0.0, color="#222222", linewidth=0.9)
    ax.axvline(H / L, color="#6b6b6b", linewidth=1.1, linestyle=(0, (5, 3)))
    ax.annotate("H/L", (H / L, ax.get_ylim()[0]), (4, 6), textcoords="offset points", fontsize=9)
    ax.set_xlim(GRID[0], GRID[-1])
    plot.polish(ax, "Threshold of the burst: H/L for all", "burst dI", "OFF minus ON just after")
    plot.key(ax, loc="upper left", title="dots: simulated")


def _draw_curves(ax: Any, runs: Runs) -> None:
    plot = brnn.plot
    for (name, curve), color in zip(
        runs.curves.items(), (plot.PALETTE[6], plot.PALETTE[0], plot.PALETTE[2]), strict=True
    ):
        predicted = theory.dipole_response(AROUSAL, PHASIC, SIGNALS[name], H, K, L)
        ax.plot(AROUSAL, predicted, color=color, linewidth=1.8, label=f"f {name}")
        ax.plot(AROUSAL[::3], curve[::3], linestyle="none", marker="o", markersize=3.6, color=color)
    ax.set_xlim(AROUSAL[0], AROUSAL[-1])
    ax.set_ylim(bottom=0.0)
    plot.polish(ax, f"Inverted U: ON response to J = {PHASIC:g}", "arousal I", "ON response after habituation")
    plot.key(ax, loc="upper right", title="dots: simulated")


def experiment(options: argparse.Namespace) -> Outcome:
    """Simulate and compare."""
    whole(options.columns, "--columns", minimum=2)
    runs = run(options)
    return Outcome(compare(runs), lambda: draw(runs), runs.course)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--columns", type=int, default=56, help="width of the photograph in cells (default 56)")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
