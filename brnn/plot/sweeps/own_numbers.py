"""Figures of what a model itself shows of each member of a sweep."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from brnn.figures.own import numbers_of_model
from brnn.plot.style import ACCENT, PALETTE, key, new_figure, polish
from brnn.plot.sweeps.common import (
    heading,
    in_numpy,
    model_of,
    quantile,
    spaced_by_ratio,
)

__all__ = ["numbers_figure", "own_numbers"]

_REBUILT = 1000  # members whose networks are made again for a figure


def own_numbers(sweep: xr.Dataset) -> dict[str, np.ndarray] | None:
    """Return the numbers that the model shows of each member, nan of those that failed; None if it shows none."""
    own = numbers_of_model(model_of(sweep))
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


def numbers_figure(sweep: xr.Dataset, own: dict[str, np.ndarray], swept: list[str], texts: list[str]) -> Figure:
    """Draw a panel for each number: lines over the parameter, one for each value of those that are texts, or bars."""
    rows = zip(*([str(v) for v in sweep[p].values] for p in texts), strict=True)
    kinds = [", ".join(row) for row in rows] if texts else [""] * sweep.sizes["member"]
    known = list(dict.fromkeys(kinds))
    over = " and ".join([*swept, *texts])
    figure = new_figure(5.2 * len(own), 4.6, *heading(sweep, f"{model_of(sweep)} over {over}"))
    panels = figure.subplots(1, len(own), squeeze=False).ravel()
    for ax, (name, values) in zip(panels, own.items(), strict=True):
        for k, kind in enumerate(known):
            mine = np.array([other == kind for other in kinds])
            if not swept:
                ax.barh(k, quantile(values[mine], 0.5), color=ACCENT, height=0.6)
                continue
            x = in_numpy(sweep[swept[0]])[mine]
            places = np.unique(x)
            middle = [quantile(values[mine][x == place], 0.5) for place in places]
            # Lines that lie on each other are told apart by their marks.
            look = {"color": PALETTE[k % len(PALETTE)], "marker": "os^vDx"[k % 6], "fillstyle": "none", "ms": 9 - k % 4}
            ax.plot(places, middle, label=kind or None, **look)
            if spaced_by_ratio(places):
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
