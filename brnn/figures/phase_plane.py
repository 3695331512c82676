"""Phase planes of networks of two variables: the way of a run, and the nullclines that it crosses."""

from __future__ import annotations

from typing import Any

import numpy as np
from contourpy import contour_generator

from brnn.compiler import System, compile_network
from brnn.figures.description import Curve, Mark, Panel
from brnn.figures.run import Run

__all__ = ["phase_panel", "slopes_in_plane"]

_POINTS = 121  # along each axis of the plane
_FINER = 5  # points of the way for each saved state
_SMOOTH_AT_MOST = 400  # saved states
_ROOM = 0.12  # around the run, as part of what it covers


def slopes_in_plane(
    system: System, state: np.ndarray, places: tuple[int, int], across: np.ndarray, up: np.ndarray, time: float
) -> np.ndarray:
    """Return du/dt of two unknowns on a grid of their values, shape (2, up, across), the others staying as in `state`.

    Parameters
    ----------
    system : System
        The compiled network.
    state : array
        The state vector.
    places : (int, int)
        Where the two unknowns stand in it.
    across, up : array
        Values of the first and of the second.
    time : float
        When inputs are taken.
    """
    into = system.rhs(time).into
    moved, rate = np.array(state, dtype=np.float64), np.empty(system.size)
    slopes = np.empty((2, up.size, across.size))
    for row, second in enumerate(up):
        for column, first in enumerate(across):
            moved[places[0]], moved[places[1]] = first, second
            into(time, moved, rate)
            slopes[:, row, column] = rate[places[0]], rate[places[1]]
    # Rates that rounding alone leaves, where an unknown stands still everywhere, are no nullcline.
    slopes[np.abs(slopes) < 1e-14 * max(1.0, float(np.max(np.abs(slopes))))] = 0.0
    return slopes


def _zeros(across: np.ndarray, up: np.ndarray, rates: np.ndarray) -> np.ndarray:
    """Return where rates on a grid are 0, shape (points, 2); NaN separates the pieces of a curve."""
    gap = np.full((1, 2), np.nan)
    if not rates.min() < 0.0 < rates.max():
        return gap
    return np.concatenate([part for piece in contour_generator(across, up, rates).lines(0.0) for part in (piece, gap)])


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
    limits = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    across, up = (np.linspace(*ends, _POINTS) for ends in limits)
    system = compile_network(run.network)
    starts = {variable.name: variable.start for variable in system.variables}
    places = (starts[run.view(a).name] + i, starts[run.view(b).name] + j)
    middle = run.end - 1e-9 * max(1.0, run.end - run.start)
    slopes = slopes_in_plane(system, system.initial_state(), places, across, up, middle)
    marks: list[Mark] = []
    for k, name in enumerate(names):
        curve = _zeros(across, up, slopes[k])
        marks.append(Curve(curve[:, 0], curve[:, 1], f"{name} at rest", "simulated", color=k + 1))
    marks += [
        Curve(way[:, 0], way[:, 1], "the run"),
        Curve(way[:1, 0], way[:1, 1], "beginning", color=6, marker="s"),
        Curve(way[-1:, 0], way[-1:, 1], "end", color=6, marker="o"),
    ]
    # The way and its nullclines go wherever they like: the key gets room over them.
    return Panel(title, tuple(marks), names[0], names[1], x_limits=limits[0], legend="top", **look)


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
