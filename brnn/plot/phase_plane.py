"""Phase planes: two unknowns of a network, where each of them stands still, and where states move."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from brnn.base.text import closest, count_in
from brnn.compiler import System, compile_network
from brnn.errors import InputError
from brnn.figures.phase_plane import slopes_in_plane
from brnn.plot.style import INK, MUTED, PALETTE, SECOND, polish
from brnn.spec.network import Network

__all__ = ["draw_phase_plane"]

_POINTS = 161  # of the grid on which nullclines are found, along each axis
_ARROWS = 21  # of every how many points the flow is drawn by


def draw_phase_plane(
    ax: Axes,
    network: Network,
    x: str,
    y: str,
    *,
    state: Any = None,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    time: float | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the nullclines and the flow of two unknowns, all others being held where they are.

    Parameters
    ----------
    ax : Axes
        Where it is drawn.
    network : Network
        Continuous time, without delays.
    x, y : str
        The unknowns along the two axes: ``"cells.x"``, of several cells with the number of one, ``"rcf.x.3"``.
    state : array, optional
        The state vector that gives the other unknowns their values; by default the initial one.
    limits : ((float, float), (float, float)), optional
        What is shown of x and of y; by default the bounds of the activities, or what lies about the state.
    time : float, optional
        When inputs are taken; by default after their last change.
    legend : bool
        Whether the two nullclines are named.

    Returns
    -------
    Axes

    Raises
    ------
    InputError
        If there is no such unknown, or the network has delays or discrete time.
    """
    if network.step is not None or any(link.delay > 0 for link in network.projections):
        raise InputError("draw_phase_plane: the network must have continuous time and no delays")
    system = compile_network(network)
    first, second = _unknown(system, x), _unknown(system, y)
    if first == second:
        raise InputError(f"draw_phase_plane: y = '{y}': must be another unknown than x")
    here = system.initial_state() if state is None else np.array(state, dtype=np.float64).ravel()
    if here.size != system.size:
        raise InputError(f"draw_phase_plane: state has {here.size} elements, must have {system.size}")
    when = network.settled() + 1.0 if time is None else float(time)
    if not math.isfinite(when):
        raise InputError("draw_phase_plane: a stimulus never stops to change; say at which time= it is taken")
    sides = limits or (_limits(system, first, here), _limits(system, second, here))
    across, up = (np.linspace(low, high, _POINTS) for low, high in sides)
    slopes = slopes_in_plane(system, here, (first, second), across, up, when)
    step = max(1, (_POINTS - 1) // (_ARROWS - 1))
    part = slopes[:, ::step, ::step]
    if part.any():
        ax.streamplot(across[::step], up[::step], part[0], part[1], color="#c4c4c4", linewidth=0.7, arrowsize=0.8)
    handles = []
    for rates, color, name in ((slopes[0], PALETTE[0], x), (slopes[1], SECOND, y)):
        if rates.min() < 0.0 < rates.max():
            ax.contour(across, up, rates, levels=[0.0], colors=[color], linewidths=1.7, zorder=3)
            handles.append(Line2D([], [], color=color, lw=1.7, label=f"d {name}/dt = 0"))
    ax.plot(here[first], here[second], "o", color=MUTED, ms=4, zorder=4)
    ax.set_xlim(*sides[0])
    ax.set_ylim(*sides[1])
    polish(ax, "", x, y, grid=False)
    if legend and handles:
        ax.legend(handles=handles, fontsize=8.5, frameon=False, labelcolor=INK, loc="best")
    return ax


def _unknown(system: System, name: str) -> int:
    """Return the place of one unknown in the state vector."""
    for variable in system.variables:
        if name == variable.name and variable.size == 1:
            return variable.start
        if name == variable.name:
            raise InputError(
                f"draw_phase_plane: '{name}' has {variable.size} elements: name one of them, '{name}.0' ... "
                f"'{name}.{variable.size - 1}'"
            )
        base, _, number = name.rpartition(".")
        place = count_in(number)
        if base == variable.name and place is not None:
            if place >= variable.size:
                raise InputError(f"draw_phase_plane: '{name}': the last element is '{base}.{variable.size - 1}'")
            return variable.start + place
    names = [variable.name for variable in system.variables]
    raise InputError(f"draw_phase_plane: '{name}' is not a state (there is {', '.join(names)}){closest(name, names)}")


def _limits(system: System, place: int, state: np.ndarray) -> tuple[float, float]:
    """Return what is shown of one unknown: its bounds, or about as much as the state's own size on both sides."""
    variable = next(v for v in system.variables if v.start <= place < v.stop)
    ends = []
    for bound in (variable.lowest, variable.highest):
        value = np.nan if bound is None else np.ravel(np.broadcast_to(bound, variable.shape))[place - variable.start]
        ends.append(float(value))
    size = max(1.0, 2.0 * float(np.max(np.abs(state))))
    low = ends[0] if np.isfinite(ends[0]) else (0.0 if state[place] > 0.0 else -size)
    high = ends[1] if np.isfinite(ends[1]) else size
    edge = 0.03 * (high - low)
    return low - edge, high + edge
