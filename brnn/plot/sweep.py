"""The figure of a sweep, chosen by its design."""

from __future__ import annotations

import warnings

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.figures.own import figure_of_model
from brnn.files.sweep.dataset import full_name
from brnn.plot.sweeps.common import (
    NOT_SWEPT,
    in_numpy,
    model_of,
    swept_parameters,
    texts_of,
)
from brnn.plot.sweeps.drawn import coordinates_figure, pairs_figure
from brnn.plot.sweeps.grid import map_figure, multiples_figure
from brnn.plot.sweeps.one_parameter import bars_figure, line_figure
from brnn.plot.sweeps.own_numbers import numbers_figure, own_numbers

__all__ = ["SWEEP_KINDS", "sweep_figure"]

SWEEP_KINDS = ("auto", "bars", "line", "map", "multiples", "pairs", "coordinates")

_PREFERRED = ("regime", "total", "survivors", "winner", "stored_contrast", "end")
_PAIRS = 5  # parameters; of more, parallel coordinates are drawn
_ROUNDING = 1e-12  # of the largest value


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
    swept = swept_parameters(sweep)
    texts = texts_of(sweep)
    if kind == "auto" and measure is None and len(swept) < 2 and (swept or texts):
        own = own_numbers(sweep)
        if own is not None:
            return numbers_figure(sweep, own, swept, texts)
    name = _chosen(sweep, measure)
    if kind == "bars" or (kind == "auto" and not swept and texts):
        return bars_figure(sweep, name, texts)
    if not swept:
        raise InputError("the sweep has no parameter with numbers that differ, over which a measure could be drawn")
    grid = bool(sweep.attrs.get("axes", "null") not in ("null", "", "{}")) and sweep.sizes["member"] == int(
        np.prod([np.unique(in_numpy(sweep[p])).size for p in swept])
    )
    if kind == "auto":
        kind = _by_design(len(swept), grid)
    if kind in ("map", "multiples") and (not grid or len(swept) != (2 if kind == "map" else 3)):
        needed = 2 if kind == "map" else 3
        raise InputError(f"kind = {kind!r}: needs a grid over {needed} parameters; this sweep has {', '.join(swept)}")
    figures = {
        "line": line_figure,
        "map": map_figure,
        "multiples": multiples_figure,
        "pairs": pairs_figure,
        "coordinates": coordinates_figure,
    }
    return figures[kind](sweep, name, swept)


def _by_design(parameters: int, grid: bool) -> str:
    if parameters == 1:
        return "line"
    if grid and parameters in (2, 3):
        return "map" if parameters == 2 else "multiples"
    return "pairs" if parameters <= _PAIRS else "coordinates"


def _chosen(sweep: xr.Dataset, measure: str | None) -> str:
    names = [str(n) for n in sweep.data_vars if n not in NOT_SWEPT and sweep[n].dims[:1] == ("member",)]
    if measure is not None:
        measure = full_name(sweep, measure)
        if measure not in names:
            known = [*names, *(name.rpartition(".")[2] for name in names)]
            raise InputError(f"measure = '{measure}': the sweep has {', '.join(names)}{closest(measure, known)}")
        return measure
    if not names:
        raise InputError("the sweep has no measure that could be drawn")
    own = figure_of_model(model_of(sweep))
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
