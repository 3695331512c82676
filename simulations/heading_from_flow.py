"""Where one is heading, read off what streams by: dots of random scenes, and a photograph that comes nearer.

Each scene has dots at random distances, through which one moves straight ahead, to a place that is drawn at random;
the frames of 96 x 128 pixels are all that the network sees (ViSTARS, about 780,000 cells from contrast to MSTd). The
heading that wins must lie within a template's width, 20 pixels, of the focus of expansion across the picture; and it
must not depend on the steps of the integration. The photograph is the one that comes with Matplotlib; without it there
are clouds of random luminances in its place.

Reproduces: N. A. Browning, S. Grossberg and E. Mingolla, A neural model of how the brain computes heading from optic
flow in realistic scenes, Cognitive Psychology 59, 320-356 (2009), by the equations of its public code; the heading of
each scene is known by construction.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from _common import Outcome, command_line, execute

import brnn
from brnn.claims import Comparison
from brnn.models import vistars
from brnn.theory import optic_flow

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 20.0  # pixels from template to template across the picture
ROUGH: dict[str, Any] = {"solver": "GaussSeidel", "step": 0.2}
FINER: dict[str, Any] = {"solver": "RK45", "rtol": 1e-3, "atol": 1e-4, "norm": "rms"}
SEED = 2009


def photograph() -> np.ndarray:
    """Return the photograph of Matplotlib, in grey levels; clouds if it is not there."""
    spec = importlib.util.find_spec("matplotlib")
    file = Path(spec.origin or "").parent / "mpl-data" / "sample_data" / "grace_hopper.jpg" if spec else Path()
    if file.is_file() and importlib.util.find_spec("PIL"):
        from PIL import Image

        return np.asarray(Image.open(file).convert("L"))
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(SEED)
    clouds = sum(2.0**k * gaussian_filter(rng.standard_normal((600, 512)), 2.0**k, mode="wrap") for k in range(6))
    return np.asarray((clouds - clouds.min()) / np.ptp(clouds))


def places(shape: tuple[int, int], count: int) -> np.ndarray:
    """Return a focus for each scene, drawn where the templates are."""
    known = vistars.headings(*shape)
    rng = np.random.default_rng(SEED)
    return rng.uniform(known.min(axis=0), known.max(axis=0), (count, 2))


def of_run(result: Any, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Return the heading that won in the end, and its R."""
    R = vistars.outputs(np.asarray(result.final("mstd")))
    return vistars.headings(*shape)[R.argmax()], float(R.max())


def run(network: brnn.Network, method: dict[str, Any], **record: Any) -> Any:
    """Run a scene, keeping MT and MSTd at five times of each frame."""
    times = np.arange(5.0 * float(network.duration or 0.0) + 1.0) / 5.0
    return brnn.simulate(network, times=times, record=brnn.Record(variables=("mt.x", "mstd.x"), **record), **method)


def draw(shown: dict[str, tuple[np.ndarray, Any, np.ndarray, np.ndarray]], scenes: np.ndarray, found: np.ndarray,
         count: int) -> Figure:  # fmt: skip
    """Draw frames with the true and the found heading, the flow in MT, the templates over time, and all scenes."""
    plot = brnn.plot
    title = f"Heading from optic flow: {count} of {len(scenes)} scenes within a template's width"
    below = (
        "ViSTARS   ·   frames of moving dots, and of a photograph that comes nearer   ·   after Browning et al. (2009)"
    )
    figure = plot.new_figure(12.4, 7.4, title, below)
    axes = figure.subplots(2, 3)
    for row, (name, (movie, result, focus, heading)) in enumerate(shown.items()):
        shape = movie.shape[1:]
        for ax, picture, cmap, words in (
            (axes[row, 0], movie[-1], "gray", name),
            (axes[row, 1], flow(result), "RdBu_r", "MT: motion to the right (red), left (blue)"),
        ):
            limit = np.abs(picture).max() or 1.0
            low = -limit if cmap != "gray" else 0.0
            extent = (-0.5, shape[1] - 0.5, shape[0] - 0.5, -0.5)
            ax.imshow(picture, cmap=cmap, vmin=low, vmax=limit, extent=extent)
            ax.plot(focus[1], focus[0], "x", color="#e0a000", markersize=9)
            ax.plot(heading[1], heading[0], "o", color="#009060", fillstyle="none", markersize=11)
            plot.polish(ax, words, "", "")
            ax.grid(visible=False)
    R = vistars.outputs(np.asarray(next(iter(shown.values()))[1]["mstd.x"]))
    for h in np.argsort(R[-1])[::-1][:6]:
        row, column = vistars.headings(*next(iter(shown.values()))[0].shape[1:])[h]
        axes[0, 2].plot(np.arange(len(R)) / 5.0, R[:, h], linewidth=1.6, label=f"({row}, {column})")
    plot.polish(axes[0, 2], "MSTd: headings (row, column)", "time (frames)", "R", ticks=5)
    plot.key(axes[0, 2], loc="upper left")
    ax = axes[1, 2]
    ends = [scenes[:, 1].min() - 8.0, scenes[:, 1].max() + 8.0]
    ax.fill_between(
        ends, [x - WIDTH for x in ends], [x + WIDTH for x in ends], color="#dddddd", label="a template's width"
    )
    ax.plot(scenes[:, 1], found[:, 1], "o", markersize=5, label="scenes")
    plot.polish(ax, "All scenes", "focus of expansion (column)", "heading found (column)")
    plot.key(ax, loc="upper left")
    return figure


def flow(result: Any) -> np.ndarray:
    """Return motion to the right minus motion to the left in MT."""
    mt = np.maximum(np.asarray(result.final("mt")), 0.0)
    right = np.array([step[1] / np.hypot(*step) for step in optic_flow.STEPS])
    return np.einsum("kij,k->ij", mt, right)


def experiment(options: argparse.Namespace) -> Outcome:
    """Run all scenes, some of them with finer steps, and the photograph at each heading of the uppermost templates."""
    shape = (options.rows, options.columns)
    if options.scenes < 1 or options.frames < 1:
        raise brnn.InputError("--scenes and --frames: must be at least 1")
    dots = max(1, round(250 * shape[0] * shape[1] / (96 * 128)))
    scenes = places(shape, options.scenes)
    found, finer, shown = np.empty((len(scenes), 2), dtype=int), [], {}
    for k, focus in enumerate(scenes):
        movie = optic_flow.moving_dots(tuple(focus), options.frames, shape, dots=dots, seed=SEED + k)
        network = vistars.build(movie).replace(name="heading_from_flow")
        result = run(network, ROUGH, path=options.output if k == 0 else None, force=options.force)
        found[k] = of_run(result, shape)[0]
        if k < options.finer:
            finer.append(of_run(run(network, FINER), shape)[0])
        if k == 0:
            shown["Last frame of dots (× focus, ○ heading)"] = (movie, result, focus, found[k])
            kept = result
    known = vistars.headings(*shape)
    upper = known[known[:, 0] == known[0, 0]]
    picture, approached = photograph(), np.empty((len(upper), 2), dtype=int)
    for k, (row, column) in enumerate(upper):
        movie = optic_flow.approached_picture(picture, (row + 6.0, column), options.frames, shape, zoom=1.03)
        result = run(vistars.build(movie), ROUGH)
        approached[k] = of_run(result, shape)[0]
        if k == len(upper) // 2:
            focus = np.array([row + 6.0, column])
            shown["A photograph (× focus, ○ heading)"] = (movie, result, focus, approached[k])
    off = np.abs(found[:, 1] - scenes[:, 1])
    count = int((off <= WIDTH).sum())
    nearest = np.array([np.unique(known[:, 1])[np.abs(np.unique(known[:, 1]) - x).argmin()] for x in scenes[:, 1]])
    rows = [
        Comparison.at_least(np.ceil(len(scenes) * 29 / 30), count, label="scenes within a template's width across"),
        Comparison.at_most(WIDTH, off.mean(), label="mean distance across (pixels)"),
        Comparison.exact(upper[:, 1], approached[:, 1], "photograph: column of the heading"),
    ]
    if finer:
        rows.append(Comparison.exact(found[: len(finer)], finer, f"{len(finer)} scenes with finer steps: headings"))
    notes = (
        f"{count} of {len(scenes)} scenes within {WIDTH:g} pixels of the focus across; the nearest template won in "
        f"{int((found[:, 1] == nearest).sum())}; mean distance {off.mean():.1f} pixels across, "
        f"{np.abs(found[:, 0] - scenes[:, 0]).mean():.1f} down",
    )
    return Outcome(rows, lambda: draw(shown, scenes, found, count), kept, notes)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the script; see its docstring."""
    parser = command_line(__doc__)
    for name, default, words in (
        ("scenes", 30, "how many random scenes"),
        ("finer", 3, "how many of them are run with finer steps, too"),
        ("frames", 10, "of each movie"),
        ("rows", 96, "of a frame"),
        ("columns", 128, "of a frame"),
    ):
        parser.add_argument(f"--{name}", type=int, default=default, metavar="N", help=f"{words} (default: {default})")
    return execute(parser, argv, experiment)


if __name__ == "__main__":
    sys.exit(main())
