"""What figures of sweeps have in common: what is drawn over what, headings, keys."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from brnn.base.text import counted
from brnn.errors import InputError
from brnn.plot.style import PALETTE

__all__ = [
    "NOT_SWEPT",
    "categories_of",
    "heading",
    "in_numpy",
    "legend",
    "limits_of",
    "model_of",
    "one_of_each",
    "quantile",
    "require_few",
    "spaced_by_ratio",
    "swept_parameters",
    "texts_of",
]

NOT_SWEPT = {"seed", "status", "error", "steps", "evaluations", "member"}


def swept_parameters(sweep: xr.Dataset) -> list[str]:
    """Return the parameters whose values are numbers that differ."""
    return [
        str(name)
        for name, coordinate in sweep.coords.items()
        if name not in NOT_SWEPT
        and coordinate.dims == ("member",)
        and coordinate.dtype.kind in "fiu"
        and np.unique(coordinate.values).size > 1
    ]


def texts_of(sweep: xr.Dataset) -> list[str]:
    """Return the parameters whose values are texts that differ."""
    return [
        str(name)
        for name, coordinate in sweep.coords.items()
        if name not in NOT_SWEPT
        and coordinate.dims == ("member",)
        and coordinate.dtype.kind in "OUST"
        and len({str(value) for value in coordinate.values}) > 1
    ]


def model_of(sweep: xr.Dataset) -> str:
    """Return the name of the model whose members they are; empty if it is no model."""
    return str(json.loads(sweep.attrs.get("build", "{}")).get("model", ""))


def in_numpy(array: xr.DataArray) -> np.ndarray:
    """Return the values of an array."""
    return np.asarray(array.values)


def categories_of(values: np.ndarray) -> list[str] | None:
    """Return the names of categories, or None if the values are numbers."""
    if values.dtype.kind not in "OUS":
        return None
    return sorted({str(value) for value in values.ravel() if str(value)})


def require_few(categories: list[str] | None) -> None:
    """Raise InputError if there are more categories than colors."""
    if categories is not None and len(categories) > len(PALETTE):
        raise InputError(f"the measure has {len(categories)} categories; at most {len(PALETTE)} can be told apart")


def one_of_each(sweep: xr.Dataset, name: str) -> tuple[np.ndarray, str]:
    """Return one value per member, and what it is: a measure of cells becomes its sum."""
    array = sweep[name]
    values = np.asarray(array.values)
    label = str(array.attrs.get("long_name", name))
    if array.ndim > 1:
        return values.reshape(len(values), -1).sum(axis=1), f"sum over {name}"
    return values, f"{name}: {label}" if label != name else name


def heading(sweep: xr.Dataset, text: str) -> tuple[str, str]:
    """Return a heading, and below it how many members there are, and how they ended."""
    counts = ", ".join(
        f"{int(sweep.attrs[word])} {word}"
        for word in ("complete", "steady", "failed", "missing")
        if int(sweep.attrs.get(word, 0))
    )
    return text, counted(sweep.sizes["member"], "member") + (f": {counts}" if counts else "")


def quantile(row: np.ndarray, q: float) -> float:
    """Return a quantile of the values that are known, nan if none is."""
    known = row[np.isfinite(row)]
    return float(np.quantile(known, q)) if known.size else np.nan


def limits_of(values: np.ndarray) -> tuple[float, float]:
    """Return the least and the largest of the values that are known."""
    known = values[np.isfinite(values)] if values.dtype.kind in "fiu" else np.zeros(0)
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def spaced_by_ratio(values: np.ndarray) -> bool:
    """Tell whether an axis is spaced in equal ratios rather than in equal steps."""
    if values.size < 3 or values.min() <= 0.0:
        return False
    logs = np.log(values)
    return float(np.ptp(np.diff(logs))) < 1e-6 * float(logs[-1] - logs[0])


def legend(figure: Figure, categories: list[str]) -> None:
    """Draw the key of categories below a figure."""
    handles = [Patch(color=color, label=name) for color, name in zip(PALETTE, categories, strict=False)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False, fontsize=9)
