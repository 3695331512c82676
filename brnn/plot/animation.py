"""Animations of fields and sequences: a layer of two dimensions as an image that changes, one of one as a profile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.animation import FFMpegWriter
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from brnn.base.paths import check_target, replacing
from brnn.base.text import closest
from brnn.errors import FileError, InputError
from brnn.figures.run import Run
from brnn.figures.view import View, mixed
from brnn.plot.image import draw_image
from brnn.plot.lines import value_limits
from brnn.plot.pattern import draw_pattern
from brnn.plot.style import new_figure

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["ANIMATED", "animate"]

ANIMATED = (".gif", ".mp4")

_FRAMES_AT_MOST = 100
_PER_SECOND = 12
_CELLS_AT_MOST = 4_000_000


def animate(result: Result, path: str | Path, *, layer: str | None = None, force: bool = False) -> Path:
    """Write an animation of one layer of a run, and return the path.

    Parameters
    ----------
    result : Result
        From `brnn.simulate` or `brnn.open`.
    path : str or Path
        Ends in .gif, or .mp4 where the program ffmpeg is installed.
    layer : str, optional
        Which layer; by default the largest of two dimensions, else the largest. It must have two cells or more.
    force : bool
        Replace an existing file.

    Raises
    ------
    InputError
        If there is no such layer, or nothing in the run that moves.
    FileError
        If the name ends in something else, the file exists (and not `force`) or cannot be written, or for .mp4 there is
        no ffmpeg.
    """
    target = check_target(path, force, suffixes=ANIMATED)
    if target.suffix.lower() == ".mp4" and shutil.which("ffmpeg") is None:
        raise FileError(f"{path}: needs the program ffmpeg, which is not installed here; a .gif needs nothing")
    run = Run(result)
    view = _chosen(run, layer)
    figure, show = _stage(run, view)
    count = view.all_times.size
    rows = np.unique(np.linspace(0, count - 1, min(count, _FRAMES_AT_MOST)).round().astype(int))
    try:
        with replacing(target, force) as name:
            write = _write_gif if target.suffix.lower() == ".gif" else _write_video
            write(figure, show, rows.tolist(), str(name))
    except OSError as error:
        raise FileError(f"{path} cannot be written: {error.strerror or error}") from None
    return target


def _chosen(run: Run, layer: str | None) -> View:
    names = [name for name in run.result if name.endswith(".x") and run.result[name].sizes["time"] > 1]
    known = [run.view(name) for name in names]
    if layer is not None:
        found = [view for view in known if view.name in (layer, f"{layer}.x")]
        if not found:
            groups = [view.group for view in known]
            raise InputError(f"layer '{layer}': there is {', '.join(groups) or 'none'}{closest(layer, groups)}")
        known = found
    moving = [view for view in known if 1 < view.cells <= _CELLS_AT_MOST]
    if not moving:
        raise InputError("nothing to animate: no layer of two cells or more was recorded at two times or more")
    return max(moving, key=lambda view: (len(view.shape) == 2, view.cells))


def _stage(run: Run, view: View) -> tuple[Figure, Callable[[int], None]]:
    """Return a figure, and what shows one saved time in it."""
    values = view.summary[1]
    low, high = float(values.min()), float(values.max())
    units = "" if run.network.time_units == "1" else f" {run.network.time_units}"
    flat = len(view.shape) == 2
    wide, tall = (view.shape[1], view.shape[0]) if flat else (3, 2)
    figure = new_figure(5.6, float(np.clip(4.4 * tall / wide, 2.4, 6.0)) + 0.8, _title(run, view))
    ax = figure.subplots()
    first = view.frame(0)
    update: Callable[[np.ndarray], Any]
    if flat:
        limits = (-max(-low, high), max(-low, high)) if mixed(values) else (0.0, high)
        colors = "PuOr_r" if mixed(values) else "gray"
        image = draw_image(ax, first, "t", limits=limits, bar=view.label, colors=colors)
        update = image.set_data
    else:
        draw_pattern(ax, first, title="t", y=view.label)
        ax.set_ylim(*value_limits(values))
        bars: list[Any] = list(ax.patches)
        lines = list(ax.lines)

        def update(frame: np.ndarray) -> None:
            if bars:
                for bar, height in zip(bars, frame.ravel(), strict=True):
                    bar.set_height(float(height))
            else:
                lines[0].set_ydata(frame.ravel())

    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the panel stays where it is

    def show(row: int) -> None:
        update(view.frame(row))
        ax.set_title(f"t = {view.all_times[row]:.4g}{units}", fontsize=10.5, loc="left")

    return figure, show


def _title(run: Run, view: View) -> str:
    name = run.network.name.replace("_", " ")
    return name if len(run.network.layers) == 1 else f"{name}: {view.group.replace('_', ' ')}"


def _write_gif(figure: Figure, show: Callable[[int], None], rows: list[int], name: str) -> None:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg)

    def frames() -> Iterator[Image.Image]:
        for row in rows:
            show(row)
            canvas.draw()
            picture = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
            yield picture.quantize(64, dither=Image.Dither.NONE)

    following = frames()
    first = next(following)
    first.save(
        name, format="GIF", save_all=True, append_images=following, duration=1000 // _PER_SECOND, loop=0, optimize=False
    )


def _write_video(figure: Figure, show: Callable[[int], None], rows: list[int], name: str) -> None:
    writer = FFMpegWriter(fps=_PER_SECOND, extra_args=["-f", "mp4"])
    with writer.saving(figure, name, dpi=figure.dpi):
        for row in rows:
            show(row)
            writer.grab_frame()
