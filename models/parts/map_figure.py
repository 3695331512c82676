"""Panels of figures that show what cells do at each place of an arena."""

from __future__ import annotations

import numpy as np

from brnn.figures import Curve, Panel, Picture
from brnn.spec.tunings import Tuning

__all__ = ["input_maps", "map_panel", "path_panel"]

_BINS = 40  # along each axis


def input_maps(tuning: Tuning, weights: np.ndarray, limits: np.ndarray) -> np.ndarray:
    """Return what cells with these weights get at each place from cells so tuned, (cells, 40, 40), first axis x."""
    x, y = (low + (np.arange(_BINS) + 0.5) / _BINS * (high - low) for low, high in np.reshape(limits, (2, 2)))
    given = np.array([[tuning.at(a, b) for b in y] for a in x])
    return np.moveaxis(given @ weights.T, -1, 0)


def map_panel(values: np.ndarray, title: str) -> Panel:
    """Return a map, first axis x, as a picture of the arena seen from above; where nothing is known it is dark."""
    marks = (Picture(np.nan_to_num(values).T[::-1], "", "heat"),)
    return Panel(title, marks, "", "", legend="none", x_ticks=(), y_ticks=(), square=True)


def path_panel(path: np.ndarray, fired: np.ndarray, limits: np.ndarray, title: str) -> Panel:
    """Return the way of an animal, shape (2, times), and where a cell fired, shape (2, spikes)."""
    marks = (Curve(path[0], path[1], role="guide"), Curve(fired[0], fired[1], "spikes", color=1, marker="."))
    (left, right), (low, high) = np.reshape(limits, (2, 2)).tolist()
    look = {"x_limits": (left, right), "y_limits": (low, high), "x_ticks": (), "y_ticks": ()}
    return Panel(title, marks, "", "", legend="none", square=True, **look)  # type: ignore[arg-type]
