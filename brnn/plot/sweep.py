"""The figure of a sweep, chosen by its design: lines, heat maps, small multiples, regime maps, pairs, coordinates."""

from __future__ import annotations

import json
import warnings
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from brnn.base.text import closest, counted
from brnn.errors import InputError
from brnn.figures.own import figure_of_model, numbers_of_model
from brnn.files.sweep.dataset import full_name
from brnn.files.sweep.grid import unstack
from brnn.plot.style import ACCENT, MUTED, PALETTE, heat_colors, key, new_figure, ordered_colors, polish

__all__ = ["SWEEP_KINDS", "sweep_figure"]

SWEEP_KINDS = ("auto", "bars", "line", "map", "multiples", "pairs", "coordinates")

_OWN = {"seed", "status", "error", "steps", "evaluations", "member"}
_PREFERRED = ("regime", "total", "survivors", "winner", "stored_contrast", "end")
_PANELS = 12  # small multiples
_PAIRS = 5  # parameters; of more, parallel coordinates are drawn
_LINES = 2000  # members drawn as lines
_ROUNDING = 1e-12  # of the largest value
_REBUILT = 1000  # members whose networks are made again for a figure
_BAND = (0.05, 0.25, 0.75, 0.95)


def sweep_figure(sweep: xr.Dataset, kind: str = "auto", *, measure: str | None = None) -> Figure:
    """Draw a measure of a sweep over its parameters.

    Parameters
    ----------
    sweep : xarray.Dataset
        From `brnn.sweep` or `brnn.open`.
    kind : str
        - "bars": parameters that are texts, such as signals: a bar for each of their values.
        - "line": one parameter; a measure with a value for each cell is drawn as median and bands over the cells, and
          members that share a value of the parameter as a band, too.
        - "map": two parameters of a grid, as a heat map or, if the measure is a category, as a regime map.
        - "multiples": three parameters of a grid: a map for each value of the one with the fewest.
        - "pairs": parameters that were drawn, two by two, colored by the measure.
        - "coordinates": a line for each member through all of its parameters, colored by the measure.
        - "auto": what the model itself shows of each member (`brnn.figures.member_numbers`), if it does and at most one
          parameter is a number; else by the design.
    measure : str, optional
        Which one; by default "regime", or else the first of those that differ between members, beginning with what the
        figure of the model shows.

    Raises
    ------
    InputError
        If the sweep has no such measure, or its design cannot be drawn in this way.
    """
    if kind not in SWEEP_KINDS:
        raise InputError(f"kind = {kind!r}: must be one of {', '.join(SWEEP_KINDS)}{closest(kind, SWEEP_KINDS)}")
    swept = _swept(sweep)
    texts = _texts(sweep)
    if kind == "auto" and measure is None and len(swept) < 2 and (swept or texts):
        own = _own_numbers(sweep)
        if own is not None:
            return _numbers_figure(sweep, own, swept, texts)
    name = _chosen(sweep, measure)
    if kind == "bars" or (kind == "auto" and not swept and texts):
        return _bars_figure(sweep, name, texts)
    if not swept:
        raise InputError("the sweep has no parameter with numbers that differ, over which a measure could be drawn")
    grid = bool(sweep.attrs.get("axes", "null") not in ("null", "", "{}")) and sweep.sizes["member"] == int(
        np.prod([np.unique(_in_numpy(sweep[p])).size for p in swept])
    )
    if kind == "auto":
        kind = _by_design(len(swept), grid)
    if kind in ("map", "multiples") and (not grid or len(swept) != (2 if kind == "map" else 3)):
        needed = 2 if kind == "map" else 3
        raise InputError(f"kind = {kind!r}: needs a grid over {needed} parameters; this sweep has {', '.join(swept)}")
    figures = {
        "line": _line_figure,
        "map": _map_figure,
        "multiples": _multiples_figure,
        "pairs": _pairs_figure,
        "coordinates": _coordinates_figure,
    }
    return figures[kind](sweep, name, swept)


def _by_design(parameters: int, grid: bool) -> str:
    if parameters == 1:
        return "line"
    if grid and parameters in (2, 3):
        return "map" if parameters == 2 else "multiples"
    return "pairs" if parameters <= _PAIRS else "coordinates"


def _chosen(sweep: xr.Dataset, measure: str | None) -> str:
    names = [str(n) for n in sweep.data_vars if n not in _OWN and sweep[n].dims[:1] == ("member",)]
    if measure is not None:
        measure = full_name(sweep, measure)
        if measure not in names:
            known = [*names, *(name.rpartition(".")[2] for name in names)]
            raise InputError(f"measure = '{measure}': the sweep has {', '.join(names)}{closest(measure, known)}")
        return measure
    if not names:
        raise InputError("the sweep has no measure that could be drawn")
    own = figure_of_model(_model_of(sweep))
    shown = () if own is None else own.needs

    def rank(name: str) -> tuple[int, int, int]:
        kind = name.rpartition(".")[2]
        first = _PREFERRED.index(kind) if kind in _PREFERRED else len(_PREFERRED)
        return first, shown.index(name) if name in shown else len(shown), sweep[name].ndim

    names.sort(key=rank)
    if rank(names[0])[0] < len(_PREFERRED):
        return names[0]
    return next((name for name in names if _differs(sweep[name].values)), names[0])


def _differs(values: np.ndarray) -> bool:
    """Tell whether members differ in more than rounding."""
    if values.dtype.kind not in "fiu" or len(values) == 0:
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all-NaN
        spread = np.nanmax(values, axis=0) - np.nanmin(values, axis=0)
        return bool((spread > _ROUNDING * np.nanmax(np.abs(values))).any())


def _swept(sweep: xr.Dataset) -> list[str]:
    """Return the parameters whose values are numbers that differ."""
    return [
        str(name)
        for name, coordinate in sweep.coords.items()
        if name not in _OWN
        and coordinate.dims == ("member",)
        and coordinate.dtype.kind in "fiu"
        and np.unique(coordinate.values).size > 1
    ]


def _texts(sweep: xr.Dataset) -> list[str]:
    """Return the parameters whose values are texts that differ."""
    return [
        str(name)
        for name, coordinate in sweep.coords.items()
        if name not in _OWN
        and coordinate.dims == ("member",)
        and coordinate.dtype.kind in "OUST"
        and len({str(value) for value in coordinate.values}) > 1
    ]


def _in_numpy(array: xr.DataArray) -> np.ndarray:
    return np.asarray(array.values)


def _categories(values: np.ndarray) -> list[str] | None:
    """Return the names of categories, or None if the values are numbers."""
    if values.dtype.kind not in "OUS":
        return None
    return sorted({str(value) for value in values.ravel() if str(value)})


def _scalar(sweep: xr.Dataset, name: str) -> tuple[np.ndarray, str]:
    """Return one value per member, and what it is: a measure of cells becomes its sum."""
    array = sweep[name]
    values = np.asarray(array.values)
    label = str(array.attrs.get("long_name", name))
    if array.ndim > 1:
        return values.reshape(len(values), -1).sum(axis=1), f"sum over {name}"
    return values, f"{name}: {label}" if label != name else name


def _heading(sweep: xr.Dataset, text: str) -> tuple[str, str]:
    counts = ", ".join(
        f"{int(sweep.attrs[word])} {word}"
        for word in ("complete", "steady", "failed", "missing")
        if int(sweep.attrs.get(word, 0))
    )
    return text, counted(sweep.sizes["member"], "member") + (f": {counts}" if counts else "")


# One parameter ---------------------------------------------------------------------------------------------------


def _line_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    if len(swept) != 1:
        raise InputError(f"kind = 'line': needs one parameter; this sweep has {', '.join(swept)}")
    x, array = _in_numpy(sweep[swept[0]]), sweep[name]
    figure = new_figure(8.5, 5.0, *_heading(sweep, f"{name} over {swept[0]}"))
    ax = figure.subplots()
    values = np.asarray(array.values)
    categories = _categories(values)
    places, inverse = np.unique(x, return_inverse=True)
    if categories is not None:
        shares = np.array([[np.mean(values[inverse == k] == c) for c in categories] for k in range(places.size)])
        ax.stackplot(places, shares.T, labels=categories, colors=PALETTE[: len(categories)])
        ax.margins(x=0)
        polish(ax, "", swept[0], "share of members", grid=False)
        key(ax, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=min(3, len(categories)))
        return figure
    rows = [values[inverse == k].astype(float).ravel() for k in range(places.size)]
    low, lower, upper, high = (np.array([_quantile(row, q) for row in rows]) for q in _BAND)
    if max(row.size for row in rows) > 1:
        what = "cells" if array.ndim > 1 else "members"
        ax.fill_between(places, low, high, color=ACCENT, alpha=0.15, lw=0, label=f"90% of {what}")
        ax.fill_between(places, lower, upper, color=ACCENT, alpha=0.3, lw=0, label=f"half of the {what}")
    middle = np.array([_quantile(row, 0.5) for row in rows])
    ax.plot(places, middle, color=ACCENT, marker="o" if places.size <= 40 else None, ms=3.5, label="median")
    if _spaced_by_ratio(places):
        if not np.isfinite(middle).any():
            ax.set_xlim(places[0], places[-1])  # a log axis finds no limits without a line
        ax.set_xscale("log")
    polish(ax, "", swept[0], str(array.attrs.get("long_name", name)))
    if max(row.size for row in rows) > 1:
        key(ax)
    return figure


def _bars_figure(sweep: xr.Dataset, name: str, texts: list[str]) -> Figure:
    """Draw a bar for each value of parameters that are texts; members that share it stand on it as dots."""
    if not texts:
        raise InputError("kind = 'bars': needs a parameter whose values are texts, such as signals")
    values, label = _scalar(sweep, name)
    members = [", ".join(row) for row in zip(*([str(v) for v in sweep[p].values] for p in texts), strict=True)]
    places = list(dict.fromkeys(members))
    which = np.array([places.index(member) for member in members])
    categories = _categories(values)
    _few(categories)
    figure = new_figure(8.5, 1.6 + 0.55 * max(len(places), 4), *_heading(sweep, f"{name} over {', '.join(texts)}"))
    ax = figure.subplots()
    if categories is None:
        rows = [values[which == k].astype(float) for k in range(len(places))]
        ax.barh(range(len(places)), [_quantile(row, 0.5) for row in rows], color=ACCENT, height=0.6)
        if max(row.size for row in rows) > 1:
            ax.scatter(values.astype(float), which, color=MUTED, s=12, zorder=3)
            label += " (bars: medians)"
    else:
        left = np.zeros(len(places))
        for category, color in zip(categories, PALETTE, strict=False):
            share = np.array([np.mean(values[which == k] == category) for k in range(len(places))])
            ax.barh(range(len(places)), share, left=left, color=color, height=0.6)
            left += share
        label = "share of members"
        _legend(figure, categories)
    polish(ax, "", label, "", grid=False)
    ax.set_yticks(range(len(places)), places)
    ax.invert_yaxis()
    return figure


def _quantile(row: np.ndarray, q: float) -> float:
    known = row[np.isfinite(row)]
    return float(np.quantile(known, q)) if known.size else np.nan


def _spaced_by_ratio(values: np.ndarray) -> bool:
    """Tell whether an axis is spaced in equal ratios rather than in equal steps."""
    if values.size < 3 or values.min() <= 0.0:
        return False
    logs = np.log(values)
    return float(np.ptp(np.diff(logs))) < 1e-6 * float(logs[-1] - logs[0])


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


# What a model shows of each member -----------------------------------------------------------------------------------


def _model_of(sweep: xr.Dataset) -> str:
    return str(json.loads(sweep.attrs.get("build", "{}")).get("model", ""))


def _own_numbers(sweep: xr.Dataset) -> dict[str, np.ndarray] | None:
    """Return the numbers that the model shows of each member, nan of those that failed; None if it shows none."""
    own = numbers_of_model(_model_of(sweep))
    if own is None or set(own.needs) - set(map(str, sweep.data_vars)) or sweep.sizes["member"] > _REBUILT:
        return None
    from brnn.reproduce import member

    found: list[dict[str, float]] = []
    for k in range(sweep.sizes["member"]):
        final = {name: np.asarray(sweep[name].values[k]) for name in own.needs}
        whole = all(np.isfinite(values).all() for values in final.values())
        found.append(own.function(member(sweep, int(sweep["member"].values[k])).network, final) if whole else {})
    names = list(dict.fromkeys(name for one in found for name in one))
    return {name: np.array([one.get(name, np.nan) for one in found]) for name in names} or None


def _numbers_figure(sweep: xr.Dataset, own: dict[str, np.ndarray], swept: list[str], texts: list[str]) -> Figure:
    """Draw a panel for each number: lines over the parameter, one for each value of those that are texts, or bars."""
    rows = zip(*([str(v) for v in sweep[p].values] for p in texts), strict=True)
    kinds = [", ".join(row) for row in rows] if texts else [""] * sweep.sizes["member"]
    known = list(dict.fromkeys(kinds))
    over = " and ".join([*swept, *texts])
    figure = new_figure(5.2 * len(own), 4.6, *_heading(sweep, f"{_model_of(sweep)} over {over}"))
    panels = figure.subplots(1, len(own), squeeze=False).ravel()
    for ax, (name, values) in zip(panels, own.items(), strict=True):
        for k, kind in enumerate(known):
            mine = np.array([other == kind for other in kinds])
            if not swept:
                ax.barh(k, _quantile(values[mine], 0.5), color=ACCENT, height=0.6)
                continue
            x = _in_numpy(sweep[swept[0]])[mine]
            places = np.unique(x)
            middle = [_quantile(values[mine][x == place], 0.5) for place in places]
            # Lines that lie on each other are told apart by their marks.
            look = {"color": PALETTE[k % len(PALETTE)], "marker": "os^vDx"[k % 6], "fillstyle": "none", "ms": 9 - k % 4}
            ax.plot(places, middle, label=kind or None, **look)
            if _spaced_by_ratio(places):
                ax.set_xscale("log")
        limits = 0.0, 105.0 if name.endswith("(%)") else None
        ax.set_ylim(*limits) if swept else ax.set_xlim(*limits)
        polish(ax, name, swept[0] if swept else "", "")
        if not swept:
            ax.set_yticks(range(len(known)), known)
            ax.invert_yaxis()
    if swept and texts:
        key(panels[0])
    return figure


# Two and three parameters of a grid --------------------------------------------------------------------------------


def _table(sweep: xr.Dataset, name: str, swept: list[str]) -> tuple[list[np.ndarray], np.ndarray, str]:
    """Return the axes of a grid and the measure over them; axes of one value are left out."""
    values, label = _scalar(sweep, name)
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
        ratio = _spaced_by_ratio(places)
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


def _limits(values: np.ndarray) -> tuple[float, float]:
    known = values[np.isfinite(values)] if values.dtype.kind in "fiu" else np.zeros(0)
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def _legend(figure: Figure, categories: list[str]) -> None:
    handles = [Patch(color=color, label=name) for color, name in zip(PALETTE, categories, strict=False)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)


def _map_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    (x, y), values, label = _table(sweep, name, swept)
    categories = _categories(values)
    _few(categories)
    figure = new_figure(9.0, 6.0, *_heading(sweep, f"{name} over {swept[0]} and {swept[1]}"))
    ax = figure.subplots()
    image = _map(ax, x, y, values, categories, _limits(values))
    polish(ax, "", swept[0], swept[1], grid=False)
    if categories is None:
        figure.colorbar(image, ax=ax, label=label)
    else:
        _legend(figure, categories)
    return figure


def _multiples_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    sizes = {p: np.unique(_in_numpy(sweep[p])).size for p in swept}
    panel = min(swept, key=lambda p: sizes[p])
    if sizes[panel] > _PANELS:
        raise InputError(f"kind = 'multiples': {panel} has {sizes[panel]} values, at most {_PANELS} maps are drawn")
    rest = [p for p in swept if p != panel]
    (places, x, y), values, label = _table(sweep, name, [panel, *rest])
    categories = _categories(values)
    _few(categories)
    columns = min(4, places.size)
    rows = -(-places.size // columns)
    figure = new_figure(3.0 * columns + 1.5, 3.0 * rows + 1.2, *_heading(sweep, f"{name} over {', '.join(swept)}"))
    panels = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    limits = _limits(values)
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
        _legend(figure, categories)
    return figure


def _few(categories: list[str] | None) -> None:
    if categories is not None and len(categories) > len(PALETTE):
        raise InputError(f"the measure has {len(categories)} categories; at most {len(PALETTE)} can be told apart")


# Parameters that were drawn ----------------------------------------------------------------------------------------


def _shades(values: np.ndarray) -> tuple[np.ndarray, Any, list[str] | None]:
    """Return a number per member, the colors for them, and the categories."""
    categories = _categories(values)
    _few(categories)
    if categories is None:
        return values.astype(float), ordered_colors(), None
    code = np.array([categories.index(str(v)) if str(v) else np.nan for v in values], dtype=float)
    return code, ListedColormap(PALETTE[: len(categories)]), categories


def _pairs_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw a triangle of scatter plots; the values of the measure along each parameter on the diagonal."""
    values, label = _scalar(sweep, name)
    shade, colors, categories = _shades(values)
    count = len(swept)
    figure = new_figure(
        max(7.0, 2.6 * count + 1.5), max(5.5, 2.3 * count + 1.0), *_heading(sweep, f"{name}, pair by pair")
    )
    panels = figure.subplots(count, count, sharex="col", squeeze=False)
    limits = (-0.5, len(categories) - 0.5) if categories is not None else _limits(shade)
    image = None
    size = max(2.0, 40.0 / np.sqrt(len(shade)) * 3.0)
    for i, j in combinations(range(count), 2):
        panels[i, j].set_visible(False)
        ax = panels[j, i]
        x, y = _in_numpy(sweep[swept[i]]), _in_numpy(sweep[swept[j]])
        image = ax.scatter(
            x, y, c=shade, s=size, cmap=colors, vmin=limits[0], vmax=limits[1], lw=0, alpha=0.8, rasterized=True
        )
        polish(ax, "", swept[i] if j == count - 1 else "", swept[j] if i == 0 else "", ticks=4)
    for k, parameter in enumerate(swept):
        ax = panels[k, k]
        ax.scatter(_in_numpy(sweep[parameter]), shade, s=size, color=MUTED, lw=0, alpha=0.5, rasterized=True)
        polish(ax, "", parameter if k == count - 1 else "", name, ticks=4)
        if categories is not None:
            ax.set_yticks(range(len(categories)), categories, fontsize=7)
    if categories is None and image is not None:
        figure.colorbar(image, ax=list(panels.ravel()), label=label, shrink=0.6)
    elif categories is not None:
        _legend(figure, categories)
    return figure


def _coordinates_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw each member as a line through its parameters, each scaled to its range."""
    values, label = _scalar(sweep, name)
    shade, colors, categories = _shades(values)
    chosen = np.unique(np.linspace(0, len(shade) - 1, _LINES).astype(int))
    lows = np.array([_in_numpy(sweep[p]).min() for p in swept])
    highs = np.array([_in_numpy(sweep[p]).max() for p in swept])
    table = np.stack([_in_numpy(sweep[p])[chosen] for p in swept], axis=1)
    scaled = (table - lows) / (highs - lows)
    order = np.argsort(shade[chosen])
    figure = new_figure(max(9.0, 1.5 * len(swept)), 5.6, *_heading(sweep, f"{name}, member by member"))
    ax = figure.subplots()
    at = np.arange(len(swept), dtype=float)
    segments = [np.column_stack([at, row]) for row in scaled[order]]
    lines = LineCollection(segments, cmap=colors, array=shade[chosen][order], lw=0.7, alpha=0.6, rasterized=True)
    limits = (-0.5, len(categories) - 0.5) if categories is not None else _limits(shade)
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
        _legend(figure, categories)
    return figure
