"""The figures of one run: activities, totals, patterns and images of its layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.figures.caption import caption
from brnn.figures.describe import describe
from brnn.figures.view import View, drawn_network, input_intervals, mixed, shares
from brnn.plot.draw import draw_figure
from brnn.plot.image import draw_image
from brnn.plot.lines import LINES_AT_MOST, NAMED_AT_MOST, draw_activities, draw_spread, draw_total, mark_intervals
from brnn.plot.pattern import draw_levels, draw_pattern, draw_scatter
from brnn.plot.style import key, new_figure

if TYPE_CHECKING:
    from brnn.figures.own import ModelFigure
    from brnn.result.result import Result

__all__ = ["KINDS", "run_figure"]

KINDS = ("auto", "time", "image", "pattern", "total")

_VIEWS_AT_MOST = 8
_GONE = 1e-3  # part of a layer's largest activity
_WIDEST_HEAT_MAP = 4000  # cells; of more the spread is drawn
_WIDEST_PATTERN = 400  # cells drawn one by one


def run_figure(
    result: Result, kind: str = "auto", *, names: str | Sequence[str] | None = None, own: ModelFigure | None = None
) -> Figure:
    """Draw a run.

    Parameters
    ----------
    result : Result
        From `brnn.simulate` or `brnn.open`.
    kind : str
        - "time": activities over time, with the total activity beside them. Up to 12 cells have a legend, up to 200
          are lines colored by the share that they were given, more are a heat map; of more than 4000 cells, and of
          layers of two and more dimensions, the spread over the cells is drawn.
        - "pattern": relative activities (x_i / sum x) at the beginning, or in the input, beside those at the end.
        - "image": layers of two dimensions as images: what they were given, when the input ends, at the end.
        - "total": total activity of each layer over time.
        - "auto": the figure that the model declares, or the one that is usual for its kind of network (see
          `brnn.figures`); with `names`, activities, totals and patterns of these.
    names : str or sequence of str, optional
        What is drawn: layers (``"F1"``) or variables (``"F1_F2_exc.z"``). By default the first eight variables: layers,
        then gates, then weights.
    own : ModelFigure, optional
        The figure that the user's own model declares, for "auto". Those of published models are found by their names.

    Returns
    -------
    matplotlib.figure.Figure
        It belongs to no window and needs no display. `brnn.plot.save` writes it to a file.

    Raises
    ------
    InputError
        If there is no such kind or variable, or nothing of two dimensions for "image".
    """
    if kind not in KINDS:
        hint = closest(kind, KINDS) if isinstance(kind, str) else ""
        raise InputError(f"kind = {kind!r}: must be one of {', '.join(KINDS)}{hint}")
    if kind == "auto" and names is None:
        return draw_figure(describe(result, own))
    views = _views(result, names)
    flat = [view for view in views if len(view.shape) == 2]
    if kind == "image" or (kind == "auto" and any(view.layer is not None for view in flat)):
        if not flat:
            raise InputError("kind = 'image': nothing here has two dimensions; use 'time', 'pattern' or 'total'")
        return _images(result, flat if kind == "image" else [view for view in flat if view.layer is not None])
    if kind == "total":
        return _totals(result, views)
    columns = {"time": ("time", "total"), "pattern": ("pattern",), "auto": ("time", "total", "pattern")}[kind]
    return _table_of_panels(result, views, columns)


def _views(result: Any, names: str | Sequence[str] | None) -> list[View]:
    network = drawn_network(result)
    known = sorted(result, key=lambda name: "xyz".find(name[-1]))  # layers, gates, weights
    chosen = known if names is None else [names] if isinstance(names, str) else list(names)
    views = []
    for name in chosen:
        full = name if name in known else f"{name}.x"
        if full not in known:
            raise InputError(f"'{name}' was not recorded (there is {', '.join(known)}){closest(str(name), known)}")
        array = result[full]
        if array.sizes["time"] > 0:
            views.append(View(full, array, network))
    if not views:
        raise InputError("there is nothing to draw: no state was recorded")
    return views[:_VIEWS_AT_MOST] if names is None else views


def _heading(result: Any, views: list[View]) -> tuple[str, str]:
    """Return the two lines over a figure: the network, and which run of it this is."""
    network = views[0].network
    shown, layers = {view.group for view in views if view.layer is not None}, len(network.layers)
    some = [f"{len(shown)} of {layers} layers"] if 0 < len(shown) < layers else []
    last = max(view.all_times[-1] for view in views)
    return network.name.replace("_", " "), caption(network, result.status, last, some)


def _table_of_panels(result: Any, views: list[View], columns: tuple[str, ...]) -> Figure:
    if "time" in columns and all(view.cells == 1 for view in views):
        columns = ("time",)
    widths = {"time": 5.6, "total": 3.4, "pattern": 3.8 if len(columns) > 1 else 6.4}
    figure = new_figure(sum(widths[c] for c in columns), 0.75 + 2.9 * len(views), *_heading(result, views))
    ratios = [widths[c] for c in columns]
    axes = figure.subplots(len(views), len(columns), squeeze=False, width_ratios=ratios)
    intervals = input_intervals(views[0].network, max(view.all_times[-1] for view in views))
    draw = {"time": _draw_time, "total": _draw_own_total, "pattern": _draw_own_pattern}
    for row, view in zip(axes, views, strict=True):
        for ax, column in zip(row, columns, strict=True):
            if view.cells == 1 and column != "time":  # it would repeat the activity
                ax.set_axis_off()
                continue
            draw[column](ax, view, "" if len(views) == 1 else f"{view.group}: ")
            if column != "pattern" and intervals:
                mark_intervals(ax, intervals)
                if column == "total":
                    key(ax, loc="best")
    return figure


def _titled(prefix: str, words: str) -> str:
    return f"{prefix}{words}" if prefix else words[0].upper() + words[1:]


def _draw_time(ax: Axes, view: View, prefix: str) -> None:
    words: dict[str, str] = {"title": _titled(prefix, view.noun), "x": view.time_label, "y": view.label}
    if view.cells > (LINES_AT_MOST if len(view.shape) > 1 else _WIDEST_HEAT_MAP):
        draw_spread(ax, view.times, view.summary[1], **words)
        return
    told = "" if view.start is None else view.start[0]
    share_label = "share of the input" if told == "input" else f"relative activity {told}".strip()
    names = view.elements() if view.cells <= NAMED_AT_MOST else None
    draw_activities(ax, view.times, view.activities(), view.share, share_label=share_label, names=names, **words)


def _draw_own_total(ax: Axes, view: View, prefix: str) -> None:
    if view.adds_up:
        title = _titled(prefix, "total activity")
        draw_total(ax, view.times, {view.name: view.summary[0]}, title=title, x=view.time_label)
        return
    mean = {view.name: view.summary[0] / view.cells}
    title = _titled(prefix, f"mean {view.label.split(' ')[0]}")
    draw_total(ax, view.times, mean, title=title, x=view.time_label, y=f"mean {view.label}")


def _draw_own_pattern(ax: Axes, view: View, prefix: str) -> None:
    when, held = view.end
    title = _titled(prefix, "pattern")
    if not view.adds_up:
        draw_levels(ax, held, view.frame(0), labels=("at the beginning", when), title=title, x=view.word, y=view.label)
    elif view.start is None or mixed(held) or mixed(view.start[1]):
        draw_pattern(ax, held, title=f"{title} {when}", y=view.label)
    elif len(view.shape) > 1 or view.cells > _WIDEST_PATTERN:
        told = "share of the input" if view.start[0] == "input" else f"relative activity {view.start[0]}"
        draw_scatter(ax, held, view.start[1], labels=(told, when), title=title)
    else:
        draw_pattern(ax, shares(held), shares(view.start[1]), labels=(view.start[0], when), title=title)


def _totals(result: Any, views: list[View]) -> Figure:
    """Draw the totals of all layers in one panel."""
    views = [view for view in views if view.adds_up]
    if not views:
        raise InputError("kind = 'total': nothing here has a total that means something; use 'time' or 'pattern'")
    figure = new_figure(7.5, 4.4, *_heading(result, views))
    ax = figure.subplots()
    totals = {view.group: view.summary[0] for view in views}
    draw_total(ax, views[0].times, totals, title="Total activity of each layer", x=views[0].time_label)
    intervals = input_intervals(views[0].network, float(views[0].all_times[-1]))
    if intervals:
        mark_intervals(ax, intervals)
        key(ax, loc="best")
    return figure


def _images(result: Any, views: list[View]) -> Figure:
    """Draw, for each layer, what it was given, its activities when the input ends, and those at the end."""
    rows: list[tuple[_Frame | None, ...]] = [_frames(view) for view in views]
    columns = [k for k in range(3) if any(row[k] is not None for row in rows)]
    height, width = views[0].shape
    wide = 3.6 if len(views) <= 3 else 2.7
    tall = float(np.clip((wide - 0.9) * height / width, 1.2, 4.4))
    figure = new_figure(0.4 + wide * len(columns), 0.75 + (tall + 0.35) * len(views), *_heading(result, views))
    axes = figure.subplots(len(views), len(columns), squeeze=False)
    for line, row, view in zip(axes, rows, views, strict=True):
        largest = max(float(np.abs(frame[1]).max()) for frame in row if frame is not None and not frame[2])
        for ax, frame in zip(line, [row[k] for k in columns], strict=True):
            if frame is None:
                ax.set_axis_off()
                continue
            title, values, own = frame
            limits, colors = _scale(view, values, 0.0 if own else largest)
            title = title if len(views) == 1 else f"{view.group}: {title}"
            draw_image(ax, values, title, limits=limits, bar="input" if own else view.label, colors=colors)
    return figure


_Frame = tuple[str, np.ndarray, bool]  # title, values, whether it has a scale of its own because it is the input


def _frames(view: View) -> tuple[_Frame | None, _Frame | None, _Frame | None]:
    """Return what the layer was given, what it held when the input ended, and what in the end."""
    first, last = float(view.all_times[0]), float(view.all_times[-1])
    given: _Frame | None = None
    if view.start is not None and view.start[0] == "input":
        given = ("input", view.start[1], True)
    elif view.frame(0).any() or last == first:
        given = (f"t = {first:.4g}", view.frame(0), False)
    middle: _Frame | None = None
    off = view.network.settled()
    if view.network.stimuli and 0.0 < off < last:
        time, values = view.frame_at(off)
        if first < time < last:
            middle = (f"t = {time:.4g}, input ends", values, False)
    end = (f"t = {last:.4g}", view.frame(view.all_times.size - 1), False) if last > first else None
    return given, middle, end


def _scale(view: View, values: np.ndarray, largest: float) -> tuple[tuple[float, float] | None, str]:
    """Return the limits and colors of an image: gray from 0 on, or two colors around 0 if it has both signs.

    Each image has a scale of its own, because what is stored may be far smaller than the response to the input; but
    what has fallen below a thousandth of the layer's `largest` activity is gone, and is not blown up.
    """
    if not view.adds_up:
        return None, "gray"
    top = float(np.abs(values).max())
    top = largest if top < _GONE * largest else top
    return ((-top, top), "PuOr_r") if mixed(values) and top > largest * _GONE else ((0.0, top), "gray")
