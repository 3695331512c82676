"""Phase planes of networks of two variables: the way of a run, and the nullclines that it crosses."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator

from brnn.compiler import compile_network
from brnn.figures.description import Curve, Mark, Panel
from brnn.figures.run import Run

__all__ = ["nullclines", "phase_panel"]

_POINTS = 121  # along each axis of the plane
_FINER = 5  # points of the way for each saved state
_SMOOTH_AT_MOST = 400  # saved states
_ROOM = 0.12  # around the run, as part of what it covers


def nullclines(
    run: Run, x_limits: tuple[float, float], y_limits: tuple[float, float], time: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return where the first and where the second variable of a network of two rests, shape (points, 2) each.

    Pieces of a curve are separated by NaN. The inputs are those at `time`.
    """
    system = compile_network(run.network)
    rates = system.rhs(time)
    first, second = np.linspace(*x_limits, _POINTS), np.linspace(*y_limits, _POINTS)
    slopes = np.array([[rates(time, np.array([a, b])).copy() for a in first] for b in second])
    curves = []
    for k in range(2):
        pieces = contour_generator(first, second, slopes[:, :, k]).lines(0.0)
        gap = np.full((1, 2), np.nan)
        curves.append(np.concatenate([part for piece in pieces for part in (piece, gap)] or [gap]))
    return curves[0], curves[1]


def phase_panel(
    run: Run, x: tuple[str, int], y: tuple[str, int], names: tuple[str, str], title: str = "Phase plane", **look: Any
) -> Panel:
    """Return the run in the plane of its two variables, ``("E", 0)`` and ``("I", 0)``, with both nullclines.

    The nullclines are those of the inputs at the end of the run.
    """
    (a, i), (b, j) = x, y
    way = _smooth(run, np.column_stack([run.values(a)[:, i], run.values(b)[:, j]]), run.times(a))
    low, high = way.min(axis=0), way.max(axis=0)
    room = _ROOM * np.where(high > low, high - low, 1.0)
    low, high = low - room, high + room
    across, along = (float(low[0]), float(high[0])), (float(low[1]), float(high[1]))
    order = list(run.network.states)
    swapped = order.index(run.view(a).name) > order.index(run.view(b).name) or (a == b and i > j)
    middle = run.end - 1e-9 * max(1.0, run.end - run.start)
    found = nullclines(run, along, across, middle) if swapped else nullclines(run, across, along, middle)
    marks: list[Mark] = []
    for k, name in enumerate(names):
        curve = found[1 - k][:, ::-1] if swapped else found[k]
        marks.append(Curve(curve[:, 0], curve[:, 1], f"{name} at rest", "simulated", color=k + 1))
    marks += [
        Curve(way[:, 0], way[:, 1], "the run"),
        Curve(way[:1, 0], way[:1, 1], "beginning", color=6, marker="s"),
        Curve(way[-1:, 0], way[-1:, 1], "end", color=6, marker="o"),
    ]
    return Panel(title, tuple(marks), names[0], names[1], x_limits=across, y_limits=along, **look)


def _smooth(run: Run, way: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Return more points of a way, on the cubics through the saved states with differences for slopes.

    Where inputs jump the way has a kink, and stays as it is.
    """
    if times.size < 5 or times.size > _SMOOTH_AT_MOST or run.network.breaks(run.end).size:
        return way
    slopes = np.gradient(way, times, axis=0, edge_order=2)
    s = np.linspace(0.0, 1.0, _FINER, endpoint=False)[:, None, None]
    step = np.diff(times)[None, :, None]
    fine = (
        (1.0 + 2.0 * s) * (1.0 - s) ** 2 * way[None, :-1]
        + s * (1.0 - s) ** 2 * step * slopes[None, :-1]
        + s**2 * (3.0 - 2.0 * s) * way[None, 1:]
        + s**2 * (s - 1.0) * step * slopes[None, 1:]
    )
    return np.concatenate([np.swapaxes(fine, 0, 1).reshape(-1, 2), way[-1:]])
