"""The figures of one run: activities, totals, patterns and images of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brnn.errors import InputError
from brnn.plot.image import draw_image
from brnn.plot.lines import LINES_AT_MOST, draw_activities, draw_spread, draw_total, mark_intervals
from brnn.plot.pattern import draw_levels, draw_pattern, draw_scatter, shares
from brnn.plot.style import key, new_figure
from brnn.plot.view import LayerView, input_intervals, mixed
from brnn.spec.validate import closest

if TYPE_CHECKING:
    from brnn.record.result import Result

__all__ = ["KINDS", "run_figure"]

KINDS = ("auto", "time", "image", "pattern", "total")

_LAYERS_AT_MOST = 8
_WIDEST_PATTERN = 400  # cells drawn one by one


def run_figure(result: Result, kind: str = "auto", *, layers: str | Sequence[str] | None = None) -> Figure:
    """Draw a run.

    Parameters
    ----------
    result : Result
        From `brnn.simulate` or `brnn.open`.
    kind : str
        - "time": activities over time, with the total activity beside them. Up to 12 cells have a legend, up to 200 are
          lines colored by the share that they were given, more are a heat map; of layers of two and more
          dimensions the spread over the cells is drawn.
        - "pattern": relative activities (x_i / sum x) at the beginning, or in the input, beside those at the end.
        - "image": layers of two dimensions as images: what they were given, when the input ends, at the end.
        - "total": total activity of each layer over time.
        - "auto": "image" if there is a layer of two dimensions, else activities, totals and patterns in one figure.
    layers : str or sequence of str, optional
        Names of the layers that are drawn; by default the first eight.

    Returns
    -------
    matplotlib.figure.Figure
        It belongs to no window and needs no display. `brnn.plot.save` writes it to a file.

    Raises
    ------
    InputError
        If there is no such kind or layer, or no layer of two dimensions for "image".
    """
    if kind not in KINDS:
        hint = closest(kind, KINDS) if isinstance(kind, str) else ""
        raise InputError(f"kind = {kind!r}: must be one of {', '.join(KINDS)}{hint}")
    views = _views(result, layers)
    flat = [view for view in views if len(view.layer.shape) == 2]
    if kind == "image" or (kind == "auto" and flat):
        if not flat:
            raise InputError("kind = 'image': none of the layers has two dimensions; use 'time', 'pattern' or 'total'")
        return _images(result, flat)
    if kind == "total":
        return _totals(result, views)
    columns = {"time": ("time", "total"), "pattern": ("pattern",), "auto": ("time", "total", "pattern")}[kind]
    return _table_of_panels(result, views, columns)


def _views(result: Any, names: str | Sequence[str] | None) -> list[LayerView]:
    network = result.network
    known = [layer.name for layer in network.layers]
    chosen = known if names is None else [names] if isinstance(names, str) else list(names)
    views = []
    for name in chosen:
        if name not in known:
            raise InputError(
                f"layer '{name}': there is no such layer (there is {', '.join(known)}){closest(name, known)}"
            )
        try:
            array = result[f"{name}.x"]
        except KeyError:
            if names is not None:
                raise InputError(f"layer '{name}': its activities were not recorded") from None
            continue
        if array.sizes["time"] > 0:
            views.append(LayerView(array, network.layer(name), network))
    if not views:
        raise InputError("there is nothing to draw: no activities were recorded")
    return views[:_LAYERS_AT_MOST] if names is None else views


def _heading(result: Any, views: list[LayerView]) -> tuple[str, str]:
    """Return the two lines over a figure: the network, and which run of it this is."""
    network = result.network
    hidden = len(network.layers) - len(views)
    sizes = [" × ".join(map(str, view.layer.shape)) for view in views]
    parts = [f"{sizes[0]} cell{'s' if sizes[0] != '1' else ''}" + (" in each layer" if len(views) > 1 else "")]
    if len(set(sizes)) > 1:
        parts = [f"{sum(layer.cells for layer in network.layers)} cells in {len(network.layers)} layers"]
    if hidden > 0:
        parts.append(f"{len(views)} of {len(network.layers)} layers")
    last = max(view.all_times[-1] for view in views)
    units = "" if network.time_units == "1" else f" {network.time_units}"
    if result.status not in ("complete", "steady"):
        parts.append(f"{result.status}: reached t = {last:.4g}{units}")
    elif result.status == "steady":
        parts.append(f"at rest at t = {last:.4g}{units}")
    if network.reference:
        parts.append(network.reference)
    return network.name.replace("_", " "), "   ·   ".join(parts)


def _table_of_panels(result: Any, views: list[LayerView], columns: tuple[str, ...]) -> Figure:
    widths = {"time": 5.6, "total": 3.4, "pattern": 3.8 if len(columns) > 1 else 6.4}
    figure = new_figure(sum(widths[c] for c in columns), 0.75 + 2.9 * len(views), *_heading(result, views))
    ratios = [widths[c] for c in columns]
    axes = figure.subplots(len(views), len(columns), squeeze=False, width_ratios=ratios)
    intervals = input_intervals(result.network, max(view.all_times[-1] for view in views))
    draw = {"time": _draw_time, "total": _draw_own_total, "pattern": _draw_own_pattern}
    for row, view in zip(axes, views, strict=True):
        for ax, column in zip(row, columns, strict=True):
            draw[column](ax, view, "" if len(views) == 1 else f"{view.name}: ")
            if column != "pattern" and intervals:
                mark_intervals(ax, intervals)
                if column == "total":
                    key(ax, loc="best")
    return figure


def _draw_time(ax: Axes, view: LayerView, prefix: str) -> None:
    title = f"{prefix}{'potentials' if view.layer.units != '1' else 'activities'}"
    title = title if prefix else title.capitalize()
    words: dict[str, str] = {"title": title, "x": view.time_label, "y": view.label}
    if len(view.layer.shape) > 1 and view.layer.cells > LINES_AT_MOST:
        draw_spread(ax, view.times, view.summary[1], **words)
        return
    told = "" if view.start is None else view.start[0]
    share_label = "share of the input" if told == "input" else f"relative activity {told}".strip()
    draw_activities(ax, view.times, view.activities(), view.share, share_label=share_label, **words)


def _draw_own_total(ax: Axes, view: LayerView, prefix: str) -> None:
    if view.layer.units != "1":  # a sum of potentials means nothing
        title = f"{prefix}mean potential" if prefix else "Mean potential"
        mean = {view.name: view.summary[0] / view.layer.cells}
        draw_total(ax, view.times, mean, title=title, x=view.time_label, y=f"mean {view.label}")
        return
    title = f"{prefix}total activity" if prefix else "Total activity"
    draw_total(ax, view.times, {view.name: view.summary[0]}, title=title, x=view.time_label)


def _draw_own_pattern(ax: Axes, view: LayerView, prefix: str) -> None:
    when, held = view.end
    title = f"{prefix}pattern" if prefix else "Pattern"
    if view.layer.units != "1":
        draw_levels(ax, held, view.frame(0), labels=("at the beginning", when), title=title, y=view.label)
    elif view.start is None or mixed(held) or mixed(view.start[1]):
        draw_pattern(ax, held, title=f"{title} {when}", y=view.label)
    elif len(view.layer.shape) > 1 or view.layer.cells > _WIDEST_PATTERN:
        told = "share of the input" if view.start[0] == "input" else f"relative activity {view.start[0]}"
        draw_scatter(ax, held, view.start[1], labels=(told, when), title=title)
    else:
        draw_pattern(ax, shares(held), shares(view.start[1]), labels=(view.start[0], when), title=title)


def _totals(result: Any, views: list[LayerView]) -> Figure:
    figure = new_figure(7.5, 4.4, *_heading(result, views))
    ax = figure.subplots()
    draw_total(
        ax,
        views[0].times,
        {view.name: view.summary[0] for view in views},
        title="Total activity of each layer",
        x=views[0].time_label,
    )
    intervals = input_intervals(result.network, float(views[0].all_times[-1]))
    if intervals:
        mark_intervals(ax, intervals)
        key(ax, loc="best")
    return figure


def _images(result: Any, views: list[LayerView]) -> Figure:
    """Draw, for each layer, what it was given, its activities when the input ends, and those at the end."""
    rows = [_frames(view) for view in views]
    columns = max(len(row) for row in rows)
    height, width = views[0].layer.shape
    tall = float(np.clip(2.75 * height / width, 1.4, 4.4))
    figure = new_figure(0.4 + 3.7 * columns, 0.75 + (tall + 0.35) * len(views), *_heading(result, views))
    axes = figure.subplots(len(views), columns, squeeze=False)
    for line, row, view in zip(axes, rows, views, strict=True):
        for ax in line[len(row) :]:
            ax.set_axis_off()
        for ax, (title, values, label) in zip(line, row, strict=False):
            colors = "gray" if values.min() >= 0 else "cividis"
            draw_image(ax, values, title if len(views) == 1 else f"{view.name}: {title}", bar=label, colors=colors)
    return figure


def _frames(view: LayerView) -> list[tuple[str, np.ndarray, str]]:
    frames: list[tuple[str, np.ndarray, str]] = []
    last = float(view.all_times[-1])
    if view.start is not None and view.start[0] == "input":
        frames.append(("input", view.start[1], "input"))
    else:
        frames.append((f"t = {view.all_times[0]:.4g}", view.frame(0), view.label))
    end = view.network.settled()
    if view.network.stimuli and 0.0 < end < last:
        time, values = view.frame_at(end)
        if view.all_times[0] < time < last:
            frames.append((f"t = {time:.4g}, input ends", values, view.label))
    if view.all_times.size > 1:
        frames.append((f"t = {last:.4g}", view.frame(view.all_times.size - 1), view.label))
    return frames
