"""A photograph, seen at four intensities over three orders of magnitude, is normalized and kept in short-term memory.

    photograph  ->  F1_1 ... F1_4   on-center off-surround shunting layers     one pair of layers
                ->  F2_1 ... F2_4   recurrent competitive fields               for each intensity I

Every layer is two-dimensional, one cell for each pixel. The reflectances theta_i (sum theta_i = 1) are the
luminances of the photograph. Layer F1 gets them with the total input I = 0.1, 1, 10 and 100 (A = 1, so that its
cells are driven from far below to far above their decay rate):

    F1:  dx_i/dt = -A x_i + (B - x_i) I_i - x_i sum_{k != i} I_k                x_i -> theta_i B I/(A + I)

It keeps the reflectances at every intensity (no saturation, nothing lost in noise), and its total is B I/(A + I).
F2 gets the normalized picture and reverberates. Then the photograph is switched off, F1 forgets it, and F2 keeps it:

    F2:  dx_i/dt = -A x_i + (B - x_i) [f(x_i) + F1_i] - x_i sum_{k != i} [f(x_k) + F1_k]

Its signal is linear, f(w) = C w, by choice: of the four kinds of signal it alone keeps every relative activity for
ever (the hill function f(w)/w is constant, so that dX_i/dt = 0), and the total goes to B - A/C. The picture does
not fade, blur or lose its dark parts; the price is that noise, had there been any, would be stored as well.

With --surround WIDTH the center of F1 is a narrow Gaussian and its surround one of this width, both of sum 1. Then
I = 0.01, 0.1, 1 and 10 is the mean input of a cell, and x_i -> B (G*I)_i/[A + (G*I)_i + (S*I)_i]: F1 shows local
contrast, and F2 stores what reaches it.

Reproduces, on a real photograph: pattern normalization and storage in short-term memory, S. Grossberg, Contour
enhancement, short term memory, and constancies in reverberating neural networks, Studies in Applied Mathematics 52,
213-257 (1973); S. Grossberg, Recurrent neural networks, Scholarpedia 8(2):1888 (2013), equations (13)-(17), (21)-(23).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, competitive_field, execute, simulate

import brnn
from brnn.claims import Comparison
from brnn.theory import feedforward, fields, rcf

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INTENSITIES = (0.1, 1.0, 10.0, 100.0)  # total inputs; with a local surround a tenth of them, for each cell
A1, B1 = 1.0, 1.0  # of F1
A2, B2, C = 1.0, 3.0, 1.0  # of F2; f(w) = C w
RECEPTOR = 20.0  # rate at which the receptors of the photograph follow it
ON, OFF, END = 1.0, 16.0, 38.0
MIDDLE = 15.0  # time after offset when F1 has faded
CENTER = 0.6  # width of a local center, in cells
PHOTOGRAPH = "grace_hopper.jpg"  # ships inside matplotlib


@dataclass(frozen=True)
class Setting:
    """What is shown, and to which kind of surround.

    Attributes
    ----------
    theta : array, shape (rows, columns)
        Reflectances, with the sum 1.
    surround : float or None
        Width of a local surround in cells; None for one that covers all cells.
    """

    theta: np.ndarray
    surround: float | None

    @property
    def intensities(self) -> tuple[float, ...]:
        """The intensities I."""
        return INTENSITIES if self.surround is None else tuple(0.1 * intensity for intensity in INTENSITIES)

    @property
    def gain(self) -> float:
        """Factor from F1 to F2: F2 gets a total of up to a few units either way."""
        return 1.0 if self.surround is None else 6.0 / self.theta.size


def reflectances(path: str | None, columns: int) -> np.ndarray:
    """Return the luminances of an image, averaged down to this width, with the sum 1."""
    import matplotlib.cbook
    from PIL import Image

    from brnn.files.patterns import read_pattern

    gray = read_pattern(path or str(matplotlib.cbook.get_sample_data(PHOTOGRAPH, asfileobj=False)))
    if gray.ndim != 2 or gray.min() < 0 or not gray.any():
        raise brnn.InputError(f"{path}: must be an image, not all black")
    # The numbers in an image file are not proportional to light (sRGB); inputs to cells are.
    light = np.where(gray <= 0.04045, gray / 12.92, ((gray + 0.055) / 1.055) ** 2.4)
    rows = max(1, round(columns * light.shape[0] / light.shape[1]))
    small = Image.fromarray(light.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    theta = np.asarray(small, dtype=np.float64)
    return theta / theta.sum()


def build(setting: Setting) -> brnn.Network:
    """Return the receptors and, for each intensity, the layers F1 and F2."""
    shape = setting.theta.shape
    receptors = brnn.Layer.additive("photograph", shape, A=RECEPTOR)
    layers, projections = [receptors], []
    for k, intensity in enumerate(setting.intensities, start=1):
        first, second = f"F1_{k}", f"F2_{k}"
        center, surround = topologies(setting, intensity)
        field, recurrent = competitive_field(second, A2, B2, brnn.Linear(C), shape=shape)
        layers += [brnn.Layer.shunting(first, shape, A=A1, B=B1), field]
        projections += [
            brnn.Projection("photograph", first, "excitatory", topology=center),
            brnn.Projection("photograph", first, "inhibitory", topology=surround),
            brnn.Projection(first, second, "excitatory", topology=brnn.OneToOne(setting.gain)),
            brnn.Projection(first, second, "inhibitory", topology=brnn.AllButSelf(setting.gain)),
            *recurrent,
        ]
    stimulus = brnn.Stimulus("photograph", "excitatory", RECEPTOR * setting.theta, brnn.Pulse(ON, OFF))
    return brnn.Network(
        "image_normalization",
        layers,
        projections,
        [stimulus],
        duration=END,
        reference="Grossberg (1973), Stud. Appl. Math. 52, 213-257",
    )


def topologies(setting: Setting, intensity: float) -> tuple[brnn.Topology, brnn.Topology]:
    """Return the on-center and the off-surround of F1 at one intensity."""
    if setting.surround is None:
        return brnn.OneToOne(intensity), brnn.AllButSelf(intensity)
    weight = intensity * setting.theta.size
    return (
        brnn.GaussianKernel(weight, CENTER, boundary="reflect"),
        brnn.GaussianKernel(weight, setting.surround, boundary="reflect"),
    )


def predicted_response(setting: Setting, intensity: float) -> np.ndarray:
    """Return the equilibrium of F1 in closed form."""
    if setting.surround is None:
        return feedforward.equilibrium(intensity * setting.theta.ravel(), A1, B1).reshape(setting.theta.shape)
    center, surround = (
        fields.gaussian(width, math.ceil(4.0 * width), intensity * setting.theta.size, ndim=2, unit_sum=True)
        for width in (CENTER, setting.surround)
    )
    return fields.equilibrium(setting.theta, center, surround, A1, B1, 0.0, "reflect")


def driven_total(inputs: float) -> float:
    """Return the total of F2 while F1 drives it: the root of C x^2 + (A + S - B C) x - B S = 0, S the total from F1."""
    b = A2 + inputs - B2 * C
    return (-b + math.sqrt(b * b + 4.0 * C * B2 * inputs)) / (2.0 * C)


@dataclass
class Seen:
    """What the simulation gave for one intensity."""

    intensity: float
    response: np.ndarray  # F1 when the photograph is switched off
    held: np.ndarray  # F2 at that time
    middle: np.ndarray  # F2 some time later
    stored: np.ndarray  # F2 in the end
    first: np.ndarray  # total of F1 over time
    second: np.ndarray  # total of F2 over time


def read(setting: Setting, result: Any) -> list[Seen]:
    """Return what was recorded, by intensity."""
    seen = []
    for k, intensity in enumerate(setting.intensities, start=1):
        first, second = result[f"F1_{k}.x"], result[f"F2_{k}.x"]
        totals = [np.asarray(result.total(f"{layer}_{k}"), dtype=np.float64) for layer in ("F1", "F2")]
        frames = [first.sel(time=OFF), second.sel(time=OFF), second.sel(time=OFF + MIDDLE), second.isel(time=-1)]
        seen.append(Seen(intensity, *(np.asarray(frame, dtype=np.float64) for frame in frames), *totals))
    return seen


def compare(setting: Setting, seen: list[Seen]) -> list[Comparison]:
    """Set the closed forms beside what was seen, for each intensity."""
    rows = []
    level = rcf.linear_level(A2, B2, C)
    for one in seen:
        at = f"I = {one.intensity:g}:"
        response = predicted_response(setting, one.intensity)
        rows.append(Comparison(response, one.response, 1e-6, f"{at} response of F1, all cells", relative=True))
        if setting.surround is None:
            total = feedforward.total_activity(one.intensity, A1, B1)
            rows += [
                Comparison(total, one.response.sum(), 1e-6, f"{at} total of F1, B I/(A + I)"),
                Comparison(
                    setting.theta,
                    one.response / one.response.sum(),
                    1e-6,
                    f"{at} X_i of F1, reflectances theta_i",
                    relative=True,
                ),
            ]
        rows += [
            Comparison(
                driven_total(setting.gain * float(response.sum())),
                one.held.sum(),
                1e-5,
                f"{at} total of F2, photograph on",
            ),
            Comparison(0.0, one.first[-1] / one.response.sum(), 1e-6, f"{at} part that F1 keeps in the end"),
            Comparison(level, one.stored.sum(), 1e-6, f"{at} total stored by F2, B - A/C"),
        ]
        # A local F1 fades with a changing pattern; what it still adds to F2 after a while is below exp(-MIDDLE).
        before, accuracy = (one.held, 1e-6) if setting.surround is None else (one.middle, 1e-4)
        when = OFF if setting.surround is None else OFF + MIDDLE
        label = f"{at} X_i of F2, unchanged since t = {when:g}"
        rows.append(Comparison(before / before.sum(), one.stored / one.stored.sum(), accuracy, label, relative=True))
    if setting.surround is None:
        pictures = np.array([one.stored / one.stored.sum() for one in seen])
        every = np.broadcast_to(setting.theta, pictures.shape)
        rows.append(Comparison(every, pictures, 1e-6, "all I: X_i stored by F2, reflectances theta_i", relative=True))
    return rows


def draw(setting: Setting, result: Any, seen: list[Seen]) -> Figure:
    """Draw what a camera, F1 and F2 show at each intensity, the totals, and predicted beside measured."""
    plot = brnn.plot
    rows, columns = setting.theta.shape
    tall = float(np.clip(2.55 * rows / columns, 1.3, 3.4))
    figure = plot.new_figure(
        12.2,
        3 * (tall + 0.32) + 3.5,
        "A photograph is normalized at every intensity, and kept in short-term memory after it is gone",
        f"{rows} × {columns} cells in each layer   ·   on-center off-surround shunting layer F1, recurrent competitive "
        "field F2 with linear signals   ·   after Grossberg (1973)",
    )
    axes = figure.subplots(4, len(seen), height_ratios=[tall, tall, tall, 2.6])
    exposure = float(setting.theta.max()) * setting.intensities[-2]
    response = max(float(one.response.max()) for one in seen)
    for column, one in enumerate(seen):
        times = f"{one.intensity / setting.intensities[0]:g} ×"
        for ax, values, white, title in (
            (axes[0, column], setting.theta * one.intensity, exposure, f"Input I = {one.intensity:g}  ({times})"),
            (axes[1, column], one.response, response, f"F1: response, total {one.response.sum():.4g}"),
            (axes[2, column], one.stored, float(one.stored.max()), f"F2: stored, total {one.stored.sum():.6f}"),
        ):
            plot.draw_image(ax, _screen_grays(values / white), title, limits=(0.0, 1.0))
    for row, label in enumerate(
        (
            "as a camera with one\nexposure sees it",
            f"at input offset, t = {OFF:g}",
            f"at t = {END:g}, {END - OFF:g} after offset",
        )
    ):
        axes[row, 0].set_ylabel(label, fontsize=9.5, color="#6b6b6b")
    _draw_numbers(axes[3], setting, np.asarray(result.times), seen)
    return figure


def _screen_grays(light: np.ndarray) -> np.ndarray:
    """Return the gray values (sRGB) with which a screen shows this light; what is brighter than white is white."""
    light = np.clip(light, 0.0, 1.0)
    return np.asarray(np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055))


def _draw_numbers(axes: Any, setting: Setting, times: np.ndarray, seen: list[Seen]) -> None:
    plot = brnn.plot
    colors = plot.ordered_colors()(np.linspace(0.05, 1.0, len(seen)))
    broken: dict[str, Any] = {"color": "#222222", "linewidth": 0.9, "linestyle": (0, (5, 3))}
    level = rcf.linear_level(A2, B2, C)
    for color, one in zip(colors, seen, strict=True):
        axes[0].plot(times, one.first, color=color, linewidth=1.8, label=f"I = {one.intensity:g}")
        axes[1].plot(times, one.second, color=color, linewidth=1.8)
        total = float(predicted_response(setting, one.intensity).sum())
        axes[0].plot([ON, OFF], [total, total], **broken, label="predicted" if one is seen[-1] else None)
    axes[1].axhline(level, **broken, label=f"predicted, B − A/C = {level:g}")
    for ax, title in ((axes[0], "F1: total activity"), (axes[1], "F2: total activity")):
        plot.mark_intervals(ax, [(ON, OFF)], label="photograph on" if ax is axes[1] else "")
        ax.set_xlim(0.0, END)
        ax.set_ylim(0.0, 1.16 * max(float(one.first.max() if ax is axes[0] else one.second.max()) for one in seen))
        plot.polish(ax, title, "time t", "sum of x$_i$", ticks=5)
    plot.key(axes[0], loc="upper right")
    plot.key(axes[1], loc="lower right")
    grid = np.geomspace(setting.intensities[0] / 3, setting.intensities[-1] * 3, 40)
    if setting.surround is None:
        axes[2].semilogx(
            grid,
            feedforward.total_activity(grid, A1, B1),
            color=plot.PALETTE[0],
            linewidth=1.8,
            label="predicted, B I/(A + I)",
        )
    else:
        totals = [predicted_response(setting, float(I)).sum() for I in grid]
        axes[2].semilogx(grid, totals, color=plot.PALETTE[0], linewidth=1.8, label="predicted, closed form")
    measured = [one.response.sum() for one in seen]
    axes[2].semilogx(
        [one.intensity for one in seen], measured, "o", color=plot.PALETTE[1], markersize=6, label="simulated"
    )
    axes[2].set_ylim(0.0, 1.35 * max(measured))  # room for the legend
    plot.polish(axes[2], "F1: total over intensity", "intensity I", "sum of x$_i$")
    plot.key(axes[2], loc="upper left")
    given = setting.theta if setting.surround is None else seen[-1].held
    name = "reflectance θ$_i$" if setting.surround is None else "X$_i$ at input offset"
    plot.draw_scatter(
        axes[3],
        seen[-1].stored,
        given,
        labels=(name, "stored X$_i$"),
        title=f"F2: stored at I = {seen[-1].intensity:g}",
    )


def experiment(options: argparse.Namespace) -> Outcome:
    """Show the photograph at every intensity, in one run, and compare."""
    if not 4 <= options.width <= 2000:
        raise brnn.InputError(f"--width {options.width}: must be from 4 to 2000 pixels")
    if options.surround is not None and not 0.0 < options.surround <= 1e4:
        raise brnn.InputError(f"--surround {options.surround:g}: must be above 0 and at most 10000 cells")
    setting = Setting(reflectances(options.image, options.width), options.surround)
    after = np.concatenate(
        [[0.03, 0.1], np.linspace(0.2, 2.0, 10), np.linspace(2.4, 4.8, 7), np.linspace(6.0, OFF - ON, 6)]
    )
    times = np.concatenate([[0.0, ON], ON + after, OFF + after, [END]])
    result = simulate(
        build(setting), options, times=times, dtype="float32", rtol=1e-7, atol=1e-12, progress=sys.stderr.isatty()
    )
    seen = read(setting, result)
    notes = (
        "",
        f"{setting.theta.shape[0]} x {setting.theta.shape[1]} cells in each of {2 * len(INTENSITIES) + 1} layers; "
        f"the photograph is on from t = {ON:g} to {OFF:g}, and still stored at t = {END:g}.",
        "linear signals store every pattern for ever (h constant): total B - A/C, ratios kept.",
    )
    return Outcome(compare(setting, seen), lambda: draw(setting, result, seen), result, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    parser.add_argument("--image", metavar="FILE", help="another photograph (PNG or JPEG)")
    parser.add_argument(
        "--width", type=int, default=128, metavar="PIXELS", help="width to which it is averaged down (default: 128)"
    )
    parser.add_argument(
        "--surround", type=float, metavar="WIDTH", help="width of a local off-surround (default: all cells)"
    )
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
