"""How every figure of brnn looks, and how a figure is made without a display and without global state."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

__all__ = [
    "ACCENT",
    "DASHES",
    "DPI",
    "GRID",
    "INK",
    "MUTED",
    "PALETTE",
    "SECOND",
    "framed",
    "heading",
    "heat_colors",
    "key",
    "new_figure",
    "ordered_colors",
    "polish",
    "ranked",
    "without_scales",
]

# The colors of Okabe and Ito, which people with any color vision can tell apart (without yellow, too light for a line).
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
# With a pattern each, so that lines can be told apart in print without colors, too: on, off in points of line width.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5.0, 1.2)),
    (0, (1.3, 1.0)),
    (0, (6.0, 1.2, 1.3, 1.2)),
    (0, (9.0, 1.5)),
    (0, (3.0, 1.0, 1.2, 1.0, 1.2, 1.0)),
    "-",
)
ACCENT, SECOND = PALETTE[0], PALETTE[1]
INK, MUTED, GRID = "#222222", "#6b6b6b", "#e3e3e3"

DPI = 120
_TEXT = {"title": 10.5, "label": 9.5, "tick": 8.5, "heading": 13.0}


def new_figure(width: float, height: float, heading_text: str = "", below: str = "") -> Figure:
    """Return an empty figure with a canvas of its own (Agg), which no window and no global list knows of.

    Parameters
    ----------
    width, height : float
        In inches; a saved PNG has 120 pixels to the inch.
    heading_text, below : str
        See `heading`.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    layout: Any = figure.get_layout_engine()
    layout.set(w_pad=0.08, h_pad=0.08, wspace=0.03, hspace=0.04)
    if heading_text:
        heading(figure, heading_text, below)
    return figure


def heading(figure: Figure, text: str, below: str = "") -> None:
    """Put a heading over the figure, and smaller text under it."""
    width, height = (float(inches) for inches in figure.get_size_inches())
    lines = textwrap.wrap(below, max(20, int(width / 0.07)))  # inches of an average character
    used = (0.32 + 0.2 * len(lines)) / height
    layout: Any = figure.get_layout_engine()
    layout.set(rect=(0.0, 0.0, 1.0, 1.0 - used))
    style: dict[str, Any] = {"ha": "left", "va": "top", "in_layout": False}
    figure.text(0.012, 1.0 - 0.09 / height, text, fontsize=_TEXT["heading"], color=INK, weight="bold", **style)
    if lines:
        figure.text(0.012, 1.0 - 0.35 / height, "\n".join(lines), fontsize=_TEXT["label"], color=MUTED, **style)


def without_scales(ax: Axes, title: str = "") -> Axes:
    """Give axes that show a picture the look of all the others, without grid and ticks; return them."""
    polish(ax, title)
    ax.grid(visible=False)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def framed(ax: Axes) -> None:
    """Take the ticks from axes that show cells as squares, and draw a thin frame around them."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set_color(MUTED)
        spine.set_linewidth(0.6)


def polish(ax: Axes, title: str = "", x: str = "", y: str = "", *, grid: bool = True, ticks: int = 6) -> Axes:
    """Give axes their title and labels and the look of all the others; return them."""
    ax.set_title(title, fontsize=_TEXT["title"], color=INK, loc="left")
    ax.set_xlabel(x, fontsize=_TEXT["label"], color=INK)
    ax.set_ylabel(y, fontsize=_TEXT["label"], color=INK)
    ax.tick_params(labelsize=_TEXT["tick"], colors=INK, length=3.0, width=0.8)
    for side, spine in ax.spines.items():
        spine.set_visible(side in ("left", "bottom"))
        spine.set_color(MUTED)
        spine.set_linewidth(0.8)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(True, color=GRID, linewidth=0.7)
    for axis, scale in ((ax.xaxis, ax.get_xscale()), (ax.yaxis, ax.get_yscale())):
        if scale == "linear":
            axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10]))
    return ax


def key(ax: Axes, **options: Any) -> None:
    """Draw a legend of the labelled artists, if there are any."""
    handles, labels = ax.get_legend_handles_labels()
    if labels:
        chosen: dict[str, Any] = {
            "fontsize": _TEXT["tick"],
            "frameon": False,
            "labelcolor": INK,
            "handlelength": 2.2,
            **options,
        }
        legend = ax.legend(handles, labels, **chosen)
        legend.get_title().set_fontsize(_TEXT["tick"])
        legend.get_title().set_color(MUTED)


def ordered_colors() -> Colormap:
    """Return colors for an ordered quantity: from light to dark, none too light for a line on white."""
    return ListedColormap(colormaps["viridis_r"](np.linspace(0.12, 1.0, 256)), name="brnn_ordered")


def heat_colors() -> Colormap:
    """Return the colors of heat maps: a perceptually even scale that is readable with any color vision."""
    return colormaps["cividis"]


def ranked(values: np.ndarray) -> np.ndarray:
    """Return `values` scaled to 0...1 as arguments of a colormap; all 0.5 if they are equal."""
    low, high = float(values.min()), float(values.max())
    return np.full(values.shape, 0.5) if high <= low else (values - low) / (high - low)
