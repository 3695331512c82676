"""Draw activities over time: a line for each cell while they are few, else colors by share, a heat map, or a spread."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from brnn.figures.view import settling
from brnn.plot.style import ACCENT, INK, MUTED, PALETTE, heat_colors, key, ordered_colors, polish, ranked

__all__ = [
    "color_bar",
    "draw_activities",
    "draw_heat",
    "draw_spread",
    "draw_total",
    "mark_intervals",
    "time_axis",
    "value_limits",
]

NAMED_AT_MOST = 12  # cells with a legend
LINES_AT_MOST = 200  # cells with a line each


def draw_activities(
    ax: Axes,
    times: np.ndarray,
    activities: np.ndarray,
    share: np.ndarray | None = None,
    *,
    title: str = "Activities",
    x: str = "time",
    y: str = "activity",
    share_label: str = "relative activity at the beginning",
    names: Sequence[str] | None = None,
) -> None:
    """Draw x_i(t) of each cell, colored by the share that it was given.

    Parameters
    ----------
    times : array, shape (times,)
    activities : array, shape (times, cells)
        More than 200 cells are drawn as a heat map.
    share : array, shape (cells,), optional
        Relative activity of the cells at the beginning (or in the input). Without it, or if all are equal, the
        cells are colored by their index.
    names : sequence of str, optional
        What the cells are called in a legend without shares.
    """
    cells = activities.shape[1]
    if cells > LINES_AT_MOST:
        draw_heat(ax, times, activities, title=title, x=x, y=y)
        return
    told = share is not None and float(np.ptp(share)) > 0
    values = np.asarray(share, dtype=np.float64) if told else np.arange(cells, dtype=np.float64)
    if cells <= NAMED_AT_MOST:
        # By rank, so that neighbours in the legend can be told apart.
        rank = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        colors = ordered_colors()(rank / max(cells - 1, 1)) if cells > 1 else [ACCENT]
        for k in np.argsort(-values, kind="stable") if told else range(cells):
            label = f"{k}   {values[k]:.3f}" if told else (names[k] if names else f"cell {k}")
            ax.plot(times, activities[:, k], color=colors[k], linewidth=1.8, label=label)
        if cells > 1:
            title_of_key = f"cell  {share_label}" if told else None
            key(ax, loc="upper left", bbox_to_anchor=(1.01, 1.02), title=_wrapped(title_of_key), borderaxespad=0.0)
    else:
        colors = ordered_colors()(ranked(values))
        order = np.argsort(values, kind="stable")
        paths = [np.column_stack([times, activities[:, k]]) for k in order]
        ax.add_collection(LineCollection(paths, colors=colors[order], linewidths=1.0))
        ax.autoscale_view()
        scale = ScalarMappable(Normalize(float(values.min()), float(values.max())), ordered_colors())
        color_bar(ax, scale, share_label if told else "cell")
    _nonnegative(ax, activities)
    time_axis(ax, times)
    polish(ax, title, x, y)


def draw_heat(
    ax: Axes,
    times: np.ndarray,
    activities: np.ndarray,
    *,
    title: str = "Activities",
    x: str = "time",
    y: str = "activity",
) -> None:
    """Draw activities of shape (times, cells) as colors over time and cell."""
    mesh = ax.pcolormesh(
        _edges(times), np.arange(activities.shape[1] + 1) - 0.5, activities.T, cmap=heat_colors(), rasterized=True
    )
    color_bar(ax, mesh, y)
    time_axis(ax, times)
    polish(ax, title, x, "cell", grid=False)


def draw_spread(
    ax: Axes, times: np.ndarray, levels: np.ndarray, *, title: str = "Activities", x: str = "time", y: str = "activity"
) -> None:
    """Draw how the activities of many cells are spread, over time.

    Parameters
    ----------
    levels : array, shape (times, 5)
        Smallest, lower quartile, median, upper quartile and largest activity.
    """
    ax.fill_between(
        times, levels[:, 0], levels[:, 4], color=ACCENT, alpha=0.15, linewidth=0.0, label="smallest to largest"
    )
    ax.fill_between(
        times, levels[:, 1], levels[:, 3], color=ACCENT, alpha=0.35, linewidth=0.0, label="middle half of the cells"
    )
    ax.plot(times, levels[:, 2], color=ACCENT, linewidth=1.8, label="median")
    _nonnegative(ax, levels)
    time_axis(ax, times)
    polish(ax, title, x, y)
    key(ax, loc="best")


def draw_total(
    ax: Axes,
    times: np.ndarray,
    totals: dict[str, np.ndarray],
    *,
    title: str = "Total activity",
    x: str = "time",
    y: str = "total activity",
    predicted: dict[str, float] | None = None,
) -> None:
    """Draw the total activity of one or several layers over time.

    Parameters
    ----------
    totals : dict
        Label -> array of shape (times,); a single one gets no legend.
    predicted : dict, optional
        Label -> level that theory predicts, drawn as a broken line.
    """
    for number, (label, total) in enumerate(totals.items()):
        color = PALETTE[number % len(PALETTE)]
        style = "-" if number < len(PALETTE) else (0, (5, 2))
        told = label if len(totals) > 1 or predicted else None
        ax.plot(times, total, color=color, linewidth=2.0, linestyle=style, label=told)
    for label, level in (predicted or {}).items():
        ax.axhline(level, color=INK, linewidth=1.0, linestyle=(0, (4, 3)), label=label)
    _nonnegative(ax, np.concatenate([np.ravel(total) for total in totals.values()]))
    time_axis(ax, times)
    polish(ax, title, x, y)
    key(ax, loc="best")


def mark_intervals(ax: Axes, intervals: Any, label: str = "input on") -> None:
    """Shade the intervals (on, off) during which something is presented."""
    for number, (on, off) in enumerate(intervals):
        ax.axvspan(on, off, color=PALETTE[4], alpha=0.16, linewidth=0.0, zorder=0, label=label if number == 0 else None)


def time_axis(ax: Axes, times: np.ndarray) -> None:
    """Set the limits of a time axis; logarithmic beyond its first part if the times are spaced so."""
    first, last = float(times[0]), float(times[-1])
    if last <= first:
        ax.set_xlim(first - 0.5, first + 0.5)
        return
    linear = settling(times)
    if linear is not None:
        ax.set_xscale("symlog", linthresh=linear, linscale=1.5)
    ax.set_xlim(first, last)


def value_limits(values: np.ndarray, room: float = 0.06) -> tuple[float, float]:
    """Return the ends of an axis: from 0 on if no value is below it, with a little room above the largest.

    `room` is that part of the range. Values that are not finite give the limits 0 and 1.
    """
    low, high = float(np.min(values)), float(np.max(values))
    if not (np.isfinite(low) and np.isfinite(high)):
        return 0.0, 1.0
    if low >= -1e-6 * high:  # what is left of a solver's error is no negative activity
        return 0.0, (1.0 + room) * high or 1.0
    more = room * (high - low) or 1.0
    return low - min(more, 0.06 * (high - low) or 1.0), high + more


def _nonnegative(ax: Axes, values: np.ndarray) -> None:
    """Set the limits of the axis of values, if they are finite."""
    if np.isfinite(values).all():
        ax.set_ylim(*value_limits(values))


def _edges(times: np.ndarray) -> np.ndarray:
    if times.size == 1:
        return np.array([times[0] - 0.5, times[0] + 0.5])
    middle = 0.5 * (times[1:] + times[:-1])
    return np.concatenate([times[:1], middle, times[-1:]])


def color_bar(ax: Axes, mappable: Any, label: str) -> None:
    """Draw the bar that says which color is which value, beside axes."""
    assert ax.figure is not None
    bar = ax.figure.colorbar(mappable, ax=ax, pad=0.015, aspect=22)
    bar.set_label(label, fontsize=8.5, color=INK)
    bar.ax.tick_params(labelsize=8.0, length=2.5, colors=INK)
    bar.outline.set_edgecolor(MUTED)
    bar.outline.set_linewidth(0.5)


def _wrapped(text: str | None) -> str | None:
    return None if text is None else "\n".join(textwrap.wrap(text, 20))
