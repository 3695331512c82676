"""Figures of sweeps over one parameter: lines with bands, bars."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from brnn.errors import InputError
from brnn.plot.style import ACCENT, MUTED, PALETTE, key, new_figure, polish
from brnn.plot.sweeps.common import (
    categories_of,
    heading,
    in_numpy,
    legend,
    one_of_each,
    quantile,
    require_few,
    spaced_by_ratio,
)

__all__ = ["bars_figure", "line_figure"]

_BAND = (0.05, 0.25, 0.75, 0.95)


def line_figure(sweep: xr.Dataset, name: str, swept: list[str]) -> Figure:
    """Draw a measure over one parameter: medians and bands, or the shares of categories."""
    if len(swept) != 1:
        raise InputError(f"kind = 'line': needs one parameter; this sweep has {', '.join(swept)}")
    x, array = in_numpy(sweep[swept[0]]), sweep[name]
    figure = new_figure(8.5, 5.0, *heading(sweep, f"{name} over {swept[0]}"))
    ax = figure.subplots()
    values = np.asarray(array.values)
    categories = categories_of(values)
    places, inverse = np.unique(x, return_inverse=True)
    if categories is not None:
        shares = np.array([[np.mean(values[inverse == k] == c) for c in categories] for k in range(places.size)])
        ax.stackplot(places, shares.T, labels=categories, colors=PALETTE[: len(categories)])
        ax.margins(x=0)
        polish(ax, "", swept[0], "share of members", grid=False)
        key(ax, loc="upper center", bbox_to_anchor=(0.5, -0.14), ncols=min(3, len(categories)))
        return figure
    rows = [values[inverse == k].astype(float).ravel() for k in range(places.size)]
    low, lower, upper, high = (np.array([quantile(row, q) for row in rows]) for q in _BAND)
    if max(row.size for row in rows) > 1:
        what = "cells" if array.ndim > 1 else "members"
        ax.fill_between(places, low, high, color=ACCENT, alpha=0.15, lw=0, label=f"90% of {what}")
        ax.fill_between(places, lower, upper, color=ACCENT, alpha=0.3, lw=0, label=f"half of the {what}")
    middle = np.array([quantile(row, 0.5) for row in rows])
    ax.plot(places, middle, color=ACCENT, marker="o" if places.size <= 40 else None, ms=3.5, label="median")
    if spaced_by_ratio(places):
        if not np.isfinite(middle).any():
            ax.set_xlim(places[0], places[-1])  # a log axis finds no limits without a line
        ax.set_xscale("log")
    polish(ax, "", swept[0], str(array.attrs.get("long_name", name)))
    if max(row.size for row in rows) > 1:
        key(ax)
    return figure


def bars_figure(sweep: xr.Dataset, name: str, texts: list[str]) -> Figure:
    """Draw a bar for each value of parameters that are texts; members that share it stand on it as dots."""
    if not texts:
        raise InputError("kind = 'bars': needs a parameter whose values are texts, such as signals")
    values, label = one_of_each(sweep, name)
    members = [", ".join(row) for row in zip(*([str(v) for v in sweep[p].values] for p in texts), strict=True)]
    places = list(dict.fromkeys(members))
    which = np.array([places.index(member) for member in members])
    categories = categories_of(values)
    require_few(categories)
    figure = new_figure(8.5, 1.6 + 0.55 * max(len(places), 4), *heading(sweep, f"{name} over {', '.join(texts)}"))
    ax = figure.subplots()
    if categories is None:
        rows = [values[which == k].astype(float) for k in range(len(places))]
        ax.barh(range(len(places)), [quantile(row, 0.5) for row in rows], color=ACCENT, height=0.6)
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
        legend(figure, categories)
    polish(ax, "", label, "", grid=False)
    ax.set_yticks(range(len(places)), places)
    ax.invert_yaxis()
    return figure
