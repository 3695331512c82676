"""Draw spatial patterns: what was given beside what is stored."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from brnn.figures.view import shares
from brnn.plot.style import ACCENT, INK, MUTED, key, polish

__all__ = ["draw_levels", "draw_pattern", "draw_scatter"]

_BARS_AT_MOST = 48
_LEVELS_AT_MOST = 1000
_POINTS_AT_MOST = 5000


def draw_pattern(
    ax: Axes,
    stored: Any,
    given: Any = None,
    *,
    labels: tuple[str, str] = ("at the beginning", "stored"),
    title: str = "Pattern",
    color: str = ACCENT,
    y: str = "relative activity",
    legend: bool = True,
) -> None:
    """Draw one pattern, or two beside each other: bars for few cells, lines for many.

    Parameters
    ----------
    stored, given : array
        Values of the cells, as they shall be drawn (see `shares`); `given` may be left out.
    labels : (str, str)
        What `given` and `stored` are called.
    """
    stored = np.asarray(stored, dtype=np.float64).ravel()
    given = None if given is None else np.asarray(given, dtype=np.float64).ravel()
    cells = np.arange(stored.size)
    if stored.size <= _BARS_AT_MOST:
        wide, offset = (0.8, 0.0) if given is None else (0.42, 0.21)
        if given is not None:
            ax.bar(cells - offset, given, wide, color="#c9c9c9", edgecolor=MUTED, linewidth=0.5, label=labels[0])
        ax.bar(cells + offset, stored, wide, color=color, edgecolor=color, linewidth=0.5, label=labels[1])
        ax.set_xlim(-0.7, stored.size - 0.3)
    else:
        if given is not None:
            ax.fill_between(cells, given, step="mid", color="#d0d0d0", linewidth=0.0, label=labels[0])
        ax.step(cells, stored, where="mid", color=color, linewidth=1.4, label=labels[1])
        ax.set_xlim(-0.5, stored.size - 0.5)
    ax.axhline(0.0, color=MUTED, linewidth=0.8)
    top = max(0.0, float(stored.max()), 0.0 if given is None else float(given.max()))
    low = min(0.0, float(stored.min()), 0.0 if given is None else float(given.min()))
    told = given is not None and legend
    low = 0.0 if low > -1e-6 * top else 1.15 * low
    ax.set_ylim(low, (1.42 if told else 1.1) * top if top > low else 1.0)  # with room for the legend
    polish(ax, title, "cell", y, ticks=5)
    ax.grid(False, axis="x")
    _whole_ticks(ax, stored.size)
    if told:
        key(ax, loc="upper right", borderaxespad=0.1)


def draw_levels(
    ax: Axes,
    held: Any,
    given: Any,
    *,
    labels: tuple[str, str] = ("at the beginning", "stored"),
    title: str = "Pattern",
    color: str = ACCENT,
    x: str = "cell",
    y: str = "activity",
) -> None:
    """Draw two levels of each cell (of 1000 cells) and the way between them: for what has no natural zero."""
    held, given = (np.asarray(values, dtype=np.float64).ravel() for values in (held, given))
    size = held.size
    cells = np.unique(np.linspace(0, size - 1, min(size, _LEVELS_AT_MOST)).round().astype(int))
    held, given = held[cells], given[cells]
    many = size > _BARS_AT_MOST
    ax.vlines(cells, given, held, color=color, linewidth=0.8 if many else 2.0, alpha=0.6)
    ax.plot(cells, given, "_", color=MUTED, markersize=3 if many else 12, markeredgewidth=1.6, label=labels[0])
    ax.plot(cells, held, "o", color=color, markersize=2 if many else 6, label=labels[1])
    ax.set_xlim(-0.7, size - 0.3)
    low, high = (float(edge(np.concatenate([held, given]))) for edge in (np.min, np.max))
    room = high - low or 1.0
    ax.set_ylim(low - 0.1 * room, high + 0.45 * room)  # with room for the legend
    polish(ax, title, x, y, ticks=5)
    _whole_ticks(ax, size)
    key(ax, loc="upper right", borderaxespad=0.1)


def _whole_ticks(ax: Axes, cells: int) -> None:
    """Put ticks at cells only."""
    if cells <= 12:
        ax.set_xticks(range(0, cells, 1 if cells <= 6 else 2))
    else:
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def draw_scatter(
    ax: Axes,
    stored: Any,
    given: Any,
    *,
    labels: tuple[str, str] = ("relative activity at the beginning", "stored"),
    title: str = "Pattern",
    color: str = ACCENT,
) -> None:
    """Draw the shares of many cells against the shares they were given; on the line, they are equal."""
    stored, given = shares(stored), shares(given)
    if stored.size > _POINTS_AT_MOST:
        chosen = np.linspace(0, stored.size - 1, _POINTS_AT_MOST).astype(int)
        stored, given = stored[chosen], given[chosen]
    top = max(float(stored.max()), float(given.max()), 1e-300)
    scale = 10.0 ** np.floor(np.log10(top))
    power = "" if scale >= 0.1 else f" (10$^{{{int(np.log10(scale))}}}$)"
    factor = 1.0 if not power else 1.0 / scale
    ax.plot([0.0, top * factor], [0.0, top * factor], color=INK, linewidth=0.9, linestyle=(0, (4, 3)), label="equal")
    ax.plot(
        given * factor,
        stored * factor,
        ".",
        color=color,
        markersize=2.5,
        alpha=0.5,
        label="one cell each",
        rasterized=True,
    )
    polish(ax, title, f"{labels[0]}{power}", f"{labels[1]}{power}")
    key(ax, loc="upper left")
