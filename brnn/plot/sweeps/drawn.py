"""Figures of sweeps whose parameters were drawn: pair by pair, member by member."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from brnn.plot.style import MUTED, PALETTE, new_figure, ordered_colors, polish
from brnn.plot.sweeps.common import (
    categories_of,
    heading,
    in_numpy,
    legend,
    limits_of,
    one_of_each,
    require_few,
)

__all__ = ["coordinates_figure", "pairs_figure"]

_LINES = 2000  # members drawn as lines


def pairs_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw a triangle of scatter plots; the values of the measure along each parameter on the diagonal."""
    values, label = one_of_each(sweep, name)
    shade, colors, categories = _shades(values)
    count = len(swept)
    figure = new_figure(
        max(7.0, 2.6 * count + 1.5), max(5.5, 2.3 * count + 1.0), *heading(sweep, f"{name}, pair by pair")
    )
    panels = figure.subplots(count, count, sharex="col", squeeze=False)
    limits = (-0.5, len(categories) - 0.5) if categories is not None else limits_of(shade)
    image = None
    size = max(2.0, 40.0 / np.sqrt(len(shade)) * 3.0)
    for i, j in combinations(range(count), 2):
        panels[i, j].set_visible(False)
        ax = panels[j, i]
        x, y = in_numpy(sweep[swept[i]]), in_numpy(sweep[swept[j]])
        image = ax.scatter(
            x, y, c=shade, s=size, cmap=colors, vmin=limits[0], vmax=limits[1], lw=0, alpha=0.8, rasterized=True
        )
        polish(ax, "", swept[i] if j == count - 1 else "", swept[j] if i == 0 else "", ticks=4)
    for k, parameter in enumerate(swept):
        ax = panels[k, k]
        ax.scatter(in_numpy(sweep[parameter]), shade, s=size, color=MUTED, lw=0, alpha=0.5, rasterized=True)
        polish(ax, "", parameter if k == count - 1 else "", name, ticks=4)
        if categories is not None:
            ax.set_yticks(range(len(categories)), categories, fontsize=7)
    if categories is None and image is not None:
        figure.colorbar(image, ax=list(panels.ravel()), label=label, shrink=0.6)
    elif categories is not None:
        legend(figure, categories)
    return figure


def coordinates_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw each member as a line through its parameters, each scaled to its range."""
    values, label = one_of_each(sweep, name)
    shade, colors, categories = _shades(values)
    chosen = np.unique(np.linspace(0, len(shade) - 1, _LINES).astype(int))
    lows = np.array([in_numpy(sweep[p]).min() for p in swept])
    highs = np.array([in_numpy(sweep[p]).max() for p in swept])
    table = np.stack([in_numpy(sweep[p])[chosen] for p in swept], axis=1)
    scaled = (table - lows) / (highs - lows)
    order = np.argsort(shade[chosen])
    figure = new_figure(max(9.0, 1.5 * len(swept)), 5.6, *heading(sweep, f"{name}, member by member"))
    ax = figure.subplots()
    at = np.arange(len(swept), dtype=float)
    segments = [np.column_stack([at, row]) for row in scaled[order]]
    lines = LineCollection(segments, cmap=colors, array=shade[chosen][order], lw=0.7, alpha=0.6, rasterized=True)
    limits = (-0.5, len(categories) - 0.5) if categories is not None else limits_of(shade)
    lines.set_clim(*limits)
    ax.add_collection(lines)
    ax.set(xlim=(0, len(swept) - 1), ylim=(-0.02, 1.02))
    polish(ax, "", "", "", grid=False)
    ticks = [f"{high:.4g}\n\n{p}\n\n{low:.4g}" for p, low, high in zip(swept, lows, highs, strict=True)]
    ax.set_xticks(at, ticks)
    ax.set_yticks([0.0, 1.0], ["lowest", "highest"])
    for place in at:
        ax.axvline(place, color=MUTED, lw=0.8)
    if categories is None:
        figure.colorbar(lines, ax=ax, label=label)
    else:
        legend(figure, categories)
    return figure


def _shades(values: np.ndarray) -> tuple[np.ndarray, Any, list[str] | None]:
    """Return a number per member, the colors for them, and the categories."""
    categories = categories_of(values)
    require_few(categories)
    if categories is None:
        return values.astype(float), ordered_colors(), None
    code = np.array([categories.index(str(v)) if str(v) else np.nan for v in values], dtype=float)
    return code, ListedColormap(PALETTE[: len(categories)]), categories
