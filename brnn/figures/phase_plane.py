"""Phase planes of networks of two variables: the way of a run, and the nullclines that it crosses."""

from __future__ import annotations

import numpy as np
from contourpy import contour_generator

from brnn.compiler import compile_network
from brnn.figures.description import Curve, Mark, Panel
from brnn.figures.run import Run

__all__ = ["nullclines", "phase_panel"]

_POINTS = 121  # along each axis of the plane
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
    run: Run, x: tuple[str, int], y: tuple[str, int], names: tuple[str, str], title: str = "Phase plane"
) -> Panel:
    """Return the run in the plane of its two variables, ``("E", 0)`` and ``("I", 0)``, with both nullclines.

    The nullclines are those of the inputs at the end of the run.
    """
    (a, i), (b, j) = x, y
    way = np.column_stack([run.values(a)[:, i], run.values(b)[:, j]])
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
    return Panel(title, tuple(marks), names[0], names[1], x_limits=across, y_limits=along)
