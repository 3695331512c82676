"""Figures of sweeps over two and three parameters of a grid: heat maps, regime maps, small multiples."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from brnn.errors import InputError
from brnn.files.sweep.grid import unstack
from brnn.plot.style import PALETTE, heat_colors, new_figure, polish
from brnn.plot.sweeps.common import (
    categories_of,
    heading,
    in_numpy,
    legend,
    limits_of,
    one_of_each,
    require_few,
    spaced_by_ratio,
)

__all__ = ["map_figure", "multiples_figure"]

_PANELS = 12  # small multiples


def map_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw a heat map over two parameters, or a regime map if the measure is a category."""
    (x, y), values, label = _table(sweep, name, swept)
    categories = categories_of(values)
    require_few(categories)
    figure = new_figure(9.0, 6.0, *heading(sweep, f"{name} over {swept[0]} and {swept[1]}"))
    ax = figure.subplots()
    image = _map(ax, x, y, values, categories, limits_of(values))
    polish(ax, "", swept[0], swept[1], grid=False)
    if categories is None:
        figure.colorbar(image, ax=ax, label=label)
    else:
        legend(figure, categories)
    return figure


def multiples_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw a map for each value of the one of three parameters with the fewest."""
    sizes = {p: np.unique(in_numpy(sweep[p])).size for p in swept}
    panel = min(swept, key=lambda p: sizes[p])
    if sizes[panel] > _PANELS:
        raise InputError(f"kind = 'multiples': {panel} has {sizes[panel]} values, at most {_PANELS} maps are drawn")
    rest = [p for p in swept if p != panel]
    (places, x, y), values, label = _table(sweep, name, [panel, *rest])
    categories = categories_of(values)
    require_few(categories)
    columns = min(4, places.size)
    rows = -(-places.size // columns)
    figure = new_figure(3.0 * columns + 1.5, 3.0 * rows + 1.2, *heading(sweep, f"{name} over {', '.join(swept)}"))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    limits = limits_of(values)
    image: Any = None
    for k, ax in enumerate(panels):
        if k >= places.size:
            ax.set_visible(False)
            continue
        image = _map(ax, x, y, values[k], categories, limits)
        polish(ax, f"{panel} = {places[k]:.4g}", rest[0], rest[1] if k % columns == 0 else "", grid=False, ticks=4)
    if categories is None:
        figure.colorbar(image, ax=list(panels), label=label)
    else:
        legend(figure, categories)
    return figure


def _table(sweep: xr.Dataset, name: str, swept: list[str]) -> tuple[list[np.ndarray], np.ndarray, str]:
    """Return the axes of a grid and the measure over them; axes of one value are left out."""
    values, label = one_of_each(sweep, name)
    data = xr.Dataset({name: ("member", values)}, {p: sweep[p] for p in sweep.coords if sweep[p].dims == ("member",)})
    data = data.assign_attrs(sweep.attrs)
    spread = unstack(data.load())[name].squeeze(drop=True).transpose(*swept)
    return [np.asarray(spread[p].values) for p in swept], np.asarray(spread.values), label


def _map(
    ax: Axes,
    x: np.ndarray,
    y: np.ndarray,
    values: np.ndarray,
    categories: list[str] | None,
    limits: tuple[float, float],
) -> Any:
    """Draw one map; return the image."""
    edges = []
    for axis, places in (("x", x), ("y", y)):
        ratio = spaced_by_ratio(places)
        edges.append(_edges(places, ratio))
        if ratio:
            getattr(ax, f"set_{axis}scale")("log")
    if categories is None:
        low, high = limits
        return ax.pcolormesh(*edges, values.T, cmap=heat_colors(), vmin=low, vmax=high, rasterized=True)
    code = np.array([[categories.index(str(v)) if str(v) else -1 for v in row] for row in values], dtype=float)
    colors = ListedColormap(PALETTE[: len(categories)])
    norm = BoundaryNorm(np.arange(-0.5, len(categories)), colors.N)
    image = np.ma.masked_less(code.T, 0)
    return ax.pcolormesh(*edges, image, cmap=colors, norm=norm, rasterized=True)


def _edges(places: np.ndarray, ratio: bool) -> np.ndarray:
    """Return where the fields of a map end: midway between values; in ratios, at their geometric means."""
    if ratio:
        numbers = np.finfo(float)
        return np.exp(np.clip(_edges(np.log(places), False), np.log(numbers.tiny), np.log(numbers.max)))
    if places.size == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    middle = (places[1:] + places[:-1]) / 2.0
    first, last = 2.0 * places[0] - middle[0], 2.0 * places[-1] - middle[-1]
    return np.concatenate([[first], middle, [last]])
