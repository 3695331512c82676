"""Draw a figure's description with Matplotlib: one function for each kind of mark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from brnn.figures.description import (
    Band,
    Bars,
    Curve,
    FigureDescription,
    Level,
    Lines,
    Note,
    Panel,
    Picture,
    Raster,
    Span,
)
from brnn.plot.lines import color_bar, time_axis, value_limits
from brnn.plot.style import (
    DASHES,
    INK,
    MUTED,
    PALETTE,
    framed,
    heat_colors,
    key,
    new_figure,
    ordered_colors,
    polish,
    ranked,
)

__all__ = ["draw_figure", "draw_panel"]

_WIDTH, _HEIGHT = 4.7, 2.9  # inches of one panel
_WIDEST, _NARROWEST = 14.0, 6.8
_OUTSIDE = 0.85  # inches of a row that are title, ticks and label
_LETTERS = 62  # of a legend that fit beside each other into a panel of width 1
_GIVEN, _GIVEN_BAR = "#8c8c8c", "#c9c9c9"
_PREDICTED: tuple[int, tuple[float, ...]] = (0, (3.5, 2.5))


def draw_figure(description: FigureDescription) -> Figure:
    """Draw a description.

    Parameters
    ----------
    description : FigureDescription
        From `brnn.figures.describe`, or made by hand.

    Returns
    -------
    matplotlib.figure.Figure
        It belongs to no window and needs no display.
    """
    width = _WIDTH * max(sum(panel.width for panel in row) for row in description.rows) + 0.3
    height = 0.75 + _HEIGHT * sum(description.heights)
    width = float(np.clip(width, _NARROWEST, _WIDEST))
    figure = new_figure(width, height, description.title, description.below)
    places = figure.add_gridspec(len(description.rows), 1, height_ratios=list(description.heights))
    for k, row in enumerate(description.rows):
        inner = places[k].subgridspec(1, len(row), width_ratios=[panel.width for panel in row])
        for j, panel in enumerate(row):
            draw_panel(figure.add_subplot(inner[0, j]), panel, description.heights[k])
    return figure


def draw_panel(ax: Axes, panel: Panel, height: float = 1.0) -> None:
    """Draw one panel onto axes; `height` is that of its row, 1 being the usual height."""
    told: set[str] = set()
    for mark in panel.marks:
        _DRAW[type(mark)](ax, mark, told)
    picture = any(isinstance(mark, Picture) for mark in panel.marks)
    squares = any(isinstance(mark, Picture) and not mark.x.size for mark in panel.marks)
    if panel.x_scale == "settling":
        time_axis(ax, _all_x(panel))
    elif panel.x_scale == "log":
        ax.set_xscale("log")
    if panel.y_scale == "log":
        ax.set_yscale("log")
    polish(ax, panel.title, panel.x, panel.y, grid=not picture)
    _set_limits(ax, panel, picture, height)
    if panel.square and not squares:
        ax.set_aspect("equal", adjustable="box")
    _set_ticks(ax, panel, squares)
    if panel.legend == "beside":
        key(ax, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0.0, title=panel.legend_title or None)
    elif panel.legend == "top":
        key(ax, loc="upper center", ncols=_columns(panel)[0], columnspacing=1.4, borderaxespad=0.2)
    elif panel.legend == "inside":
        key(ax, loc="best", title=panel.legend_title or None)


def _columns(panel: Panel) -> tuple[int, int]:
    """Return into how many columns and rows the names in a panel are put that stand over what is drawn."""
    names = dict.fromkeys(name for mark in panel.marks if (name := getattr(mark, "label", "")))
    if not names or panel.legend != "top":
        return 1, 0
    lengths = [len(name) + 6 for name in names]
    for rows in range(1, len(names)):  # filled column by column; each is as wide as its longest name
        if sum(max(lengths[k : k + rows]) for k in range(0, len(names), rows)) <= _LETTERS * panel.width:
            return -(-len(names) // rows), rows
    return 1, len(names)


def _set_limits(ax: Axes, panel: Panel, picture: bool, height: float) -> None:
    if panel.x_limits is not None:
        ax.set_xlim(*panel.x_limits)
    if panel.y_limits is not None:
        ax.set_ylim(*panel.y_limits)
    elif not picture and panel.y_scale == "linear":
        values = _all_y(panel)
        if values.size:
            bars = any(isinstance(mark, Bars) and mark.label for mark in panel.marks)
            room = 0.35 if bars and panel.legend == "inside" else 0.06  # for the legend over bars
            low, high = value_limits(values, room=room)
            rows = _columns(panel)[1]
            part = min(0.5, (0.17 * rows + 0.08) / max(0.8, _HEIGHT * height - _OUTSIDE)) if rows else 0.0
            ax.set_ylim(low, high + (high - low) * part / (1.0 - part))


def _set_ticks(ax: Axes, panel: Panel, squares: bool) -> None:
    if squares:
        framed(ax)
    for mark in panel.marks:
        if isinstance(mark, Picture) and mark.x.size:
            for axis, edges in ((ax.xaxis, mark.x), (ax.yaxis, mark.y)):
                if np.allclose(np.diff(edges), 1.0):  # cells, not times
                    axis.set_major_locator(MaxNLocator(6, integer=True))
    bars = [mark.heights.size for mark in panel.marks if isinstance(mark, Bars)]
    if bars and panel.x_ticks is None:
        ax.grid(False, axis="x")
        count = max(bars)
        ax.set_xlim(-0.7, count - 0.3)
        if count <= 12:
            ax.set_xticks(range(count))
        else:
            ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for ticks, setter in ((panel.x_ticks, ax.set_xticks), (panel.y_ticks, ax.set_yticks)):
        if ticks is not None:
            setter([place for place, _ in ticks], [name for _, name in ticks])


def _all_x(panel: Panel) -> np.ndarray:
    drawn = [mark.x for mark in panel.marks if isinstance(mark, (Curve, Lines, Band, Raster))]
    return max(drawn, key=len)


def _all_y(panel: Panel) -> np.ndarray:
    parts = []
    for mark in panel.marks:
        if isinstance(mark, (Curve, Lines)):
            parts.append(mark.y.ravel())
        elif isinstance(mark, Band):
            parts += [mark.low, mark.high]
        elif isinstance(mark, Bars):
            parts += [mark.heights, np.zeros(1)]
        elif isinstance(mark, Level) and mark.axis == "y":
            parts.append(np.array([mark.value]))
    values = np.concatenate(parts) if parts else np.empty(0)
    return values[np.isfinite(values)]


def _look(color: int, shade: float | None) -> dict[str, Any]:
    """Return color and pattern of a simulated line."""
    if shade is not None:
        return {"color": ordered_colors()(shade), "linestyle": "-"}
    return {"color": PALETTE[color % len(PALETTE)], "linestyle": DASHES[color % len(DASHES)]}


def _curve(ax: Axes, mark: Curve, told: set[str]) -> None:
    look: dict[str, Any] = {"linewidth": 1.9, **_look(mark.color, mark.shade)}
    color = look["color"]
    if mark.role == "predicted":
        look |= {"linewidth": 1.2, "linestyle": _PREDICTED, "color": INK, "zorder": 4}
    elif mark.role == "given":
        look |= {"linewidth": 1.7, "linestyle": "-", "color": _GIVEN}
    elif mark.role == "guide":
        look |= {"linewidth": 0.9, "linestyle": "-", "color": MUTED}
    if mark.marker:
        look |= {"linestyle": "none", "marker": mark.marker, "markersize": 2.5 if mark.marker == "." else 4.5}
        if mark.role == "predicted":
            look |= {
                "markersize": 8.0,
                "markerfacecolor": "none",
                "markeredgecolor": color,
                "markeredgewidth": 1.5,
                "zorder": 5,
                "clip_on": False,
            }
    label = _once(mark.label, told)
    if mark.steps:
        ax.step(mark.x, mark.y, where="post", label=label, **look)
    else:
        ax.plot(mark.x, mark.y, label=label, **look)


def _lines(ax: Axes, mark: Lines, told: set[str]) -> None:
    colors = ordered_colors()(ranked(mark.values))
    order = np.argsort(mark.values, kind="stable")
    paths = [np.column_stack([mark.x, mark.y[:, k]]) for k in order]
    ax.add_collection(LineCollection(paths, colors=colors[order], linewidths=1.2))
    ax.autoscale_view()
    low, high = float(mark.values.min()), float(mark.values.max())
    if mark.label and high > low:
        color_bar(ax, ScalarMappable(Normalize(low, high), ordered_colors()), mark.label)


def _band(ax: Axes, mark: Band, told: set[str]) -> None:
    color = {"predicted": MUTED, "given": _GIVEN}.get(mark.role, PALETTE[mark.color % len(PALETTE)])
    label = _once(mark.label, told)
    ax.fill_between(mark.x, mark.low, mark.high, color=color, alpha=0.22, linewidth=0.0, label=label)


def _level(ax: Axes, mark: Level, told: set[str]) -> None:
    line = ax.axhline if mark.axis == "y" else ax.axvline
    predicted = mark.role == "predicted"
    line(
        mark.value,
        color=INK if predicted else MUTED,
        linewidth=1.2 if predicted else 0.9,
        linestyle=_PREDICTED if predicted else "-",
        label=_once(mark.label, told),
        zorder=1.5 if predicted else 1.0,
    )


def _span(ax: Axes, mark: Span, told: set[str]) -> None:
    color = PALETTE[4] if mark.color is None else PALETTE[mark.color % len(PALETTE)]
    label = _once(mark.label, told)
    ax.axvspan(mark.start, mark.stop, color=color, alpha=0.16, linewidth=0.0, zorder=0, label=label)


def _bars(ax: Axes, mark: Bars, told: set[str]) -> None:
    cells = np.arange(mark.heights.size)
    k, of = mark.place
    wide = 0.84 / of
    at = cells + (k - 0.5 * (of - 1)) * wide
    label = _once(mark.label, told)
    if mark.role == "predicted":
        look: dict[str, Any] = {"marker": "o", "markersize": 7.0, "markerfacecolor": "none", "markeredgewidth": 1.4}
        ax.plot(at, mark.heights, linestyle="none", markeredgecolor=INK, label=label, zorder=5, **look)
        return
    color = PALETTE[mark.color % len(PALETTE)] if mark.role == "simulated" else _GIVEN_BAR
    edge = color if mark.role == "simulated" else MUTED
    ax.bar(at, mark.heights, wide, color=color, edgecolor=edge, linewidth=0.5, label=label)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)


def _picture(ax: Axes, mark: Picture, told: set[str]) -> None:
    values = np.asarray(mark.values)
    low, high = mark.limits or (float(np.nanmin(values)), float(np.nanmax(values)))
    if mark.colors == "signed" and mark.limits is None:
        high = max(abs(low), abs(high))
        low = -high
    if not high > low:
        high = low + 1.0
    colors: Any = {"gray": "gray", "heat": heat_colors(), "signed": "PuOr_r"}[mark.colors]
    if mark.x.size:
        image: Any = ax.pcolormesh(mark.x, mark.y, values, cmap=colors, vmin=low, vmax=high, rasterized=True)
        ax.set_xlim(float(mark.x[0]), float(mark.x[-1]))
        ax.set_ylim(float(mark.y[0]), float(mark.y[-1]))
    else:
        image = ax.imshow(values, cmap=colors, vmin=low, vmax=high, interpolation="nearest", aspect="equal")
    if mark.label:
        color_bar(ax, image, mark.label)


def _raster(ax: Axes, mark: Raster, told: set[str]) -> None:
    ax.vlines(
        mark.x,
        mark.rows - 0.4,
        mark.rows + 0.4,
        color=PALETTE[mark.color % len(PALETTE)],
        linewidth=1.6,
        label=_once(mark.label, told) or "",
    )


def _note(ax: Axes, mark: Note, told: set[str]) -> None:
    offsets = {"right": (6, 0), "left": (-6, 0), "above": (0, 5), "below": (0, -5)}
    across = {"right": "left", "left": "right"}.get(mark.side, "center")
    along = {"above": "bottom", "below": "top"}.get(mark.side, "center")
    ax.annotate(
        mark.text,
        (mark.x, mark.y),
        offsets[mark.side],
        textcoords="offset points",
        fontsize=8.5,
        color=INK if mark.color is None else PALETTE[mark.color % len(PALETTE)],
        ha=across,
        va=along,
        zorder=6,
    )


def _once(label: str, told: set[str]) -> str | None:
    """Return a label that no earlier mark has: each stands in the legend once."""
    if not label or label in told:
        return None
    told.add(label)
    return label


_DRAW: dict[type, Callable[[Axes, Any, set[str]], None]] = {
    Curve: _curve,
    Lines: _lines,
    Band: _band,
    Level: _level,
    Span: _span,
    Bars: _bars,
    Picture: _picture,
    Raster: _raster,
    Note: _note,
}
