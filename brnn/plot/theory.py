"""The figure of `brnn theory`: hill function, phase plane, landscape of V, jump graph, as far as a network has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from textwrap import wrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from brnn.compiler import compile_network
from brnn.compiler.linear_rates import linear_rates
from brnn.dynamics.equilibria import search_box
from brnn.dynamics.jump_graph import JumpGraph, jump_graph
from brnn.errors import InputError
from brnn.plot.phase_plane import draw_phase_plane
from brnn.plot.signal import draw_hill
from brnn.plot.style import ACCENT, INK, MUTED, SECOND, key, new_figure, polish
from brnn.signals import Signal
from brnn.spec.network import Network
from brnn.theory.liapunov_functions.value import liapunov
from brnn.theory.predictions.competitive_field import CompetitiveField

__all__ = ["draw_hill_and_decay", "draw_jump_graph", "draw_landscape", "theory_figure"]

_POINTS = 81
_FIRST = 6  # unknowns of each variable that are looked at
_COUPLED = 400  # unknowns of a network in which those are looked for that move one another
_NODES = 24  # of a jump graph that can be read
_LINE = 44  # characters below it


def theory_figure(network: Network) -> Figure:
    """Draw what theory knows of a network.

    The hill function with A/(B - x) of a field, the phase plane of its first two unknowns, V over them where the
    network is of the form (32), and the jump graph of a competitive system.

    Raises
    ------
    InputError
        If none of these can be drawn: the network has fewer than two unknowns, or delays or discrete time.
    """
    panels: list[tuple[str, Callable[[Axes], object]]] = []
    field = CompetitiveField.of(network)
    if isinstance(field, CompetitiveField):
        panels.append(("hill", lambda ax: draw_hill_and_decay(ax, field.signal, field.A, field.B)))
    names = _two_that_meet(network)
    if names is not None:
        x, y = names
        limits: list[tuple[float, float]] = []

        def plane(ax: Axes) -> None:
            draw_phase_plane(ax, network, x, y)
            ax.set_title("Phase plane, the others as at first", loc="left", fontsize=10, color=INK)
            limits.extend((ax.get_xlim(), ax.get_ylim()))

        panels.append(("phase plane", plane))
        try:
            liapunov(network)
        except InputError:
            pass
        else:
            panels.append(("landscape", lambda ax: draw_landscape(ax, network, x, y, limits=(limits[0], limits[1]))))
    try:
        graph = jump_graph(network)
    except InputError:
        graph = None
    if graph is not None and graph.jumps and graph.cells <= _NODES:
        panels.append(("jumps", lambda ax: draw_jump_graph(ax, graph)))
    if not panels:
        raise InputError(
            f"{network.name}: there is nothing to draw: it needs two unknowns in continuous time, and no delays"
        )
    figure = new_figure(4.6 * len(panels), 4.8, f"{network.name}: theory")
    axes = np.ravel(figure.subplots(1, len(panels)))
    for ax, (_, draw) in zip(axes, panels, strict=True):
        draw(ax)
    return figure


def _two_that_meet(network: Network) -> tuple[str, str] | None:
    """Return the names of the first two unknowns each of which moves the other, or one the other, or of the first two.

    None if nothing may be drawn, or no unknown moves once inputs have stopped to change.
    """
    if network.step is not None or any(link.delay > 0 for link in network.projections):
        return None
    if not math.isfinite(network.settled()) or network.noisy:
        return None
    names = [
        name if size == 1 else f"{name}.{k}" for name, size in network.states.items() for k in range(min(size, _FIRST))
    ]
    if len(names) < 2 or network.events:
        return (names[0], names[1]) if len(names) > 1 else None
    system = compile_network(network)
    when = network.settled() + 1.0
    u = np.random.default_rng(0).uniform(0.1, 1.0, system.size)
    fun = linear_rates(network, when)
    moving = fun(when, u) != 0.0
    names = [name for name in names if moving[_place(system, name)]]
    if len(names) < 2:
        return None
    if system.size > _COUPLED:
        return names[0], names[1]
    J = fun.jacobian(when, u) != 0.0
    places = [_place(system, name) for name in names]
    pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))]
    moved = [int(J[places[a], places[b]]) + int(J[places[b], places[a]]) for a, b in pairs]
    a, b = pairs[int(np.argmax(moved))]
    return names[a], names[b]


def draw_hill_and_decay(ax: Axes, signal: Signal, A: float, B: float) -> Axes:
    """Draw h(x) and A/(B - x): where they cross, one cell alone rests (25)."""
    draw_hill(ax, signal, B, title="Levels of one cell (25)")
    x = np.linspace(0.0, B, 601)[:-1]
    top = ax.get_ylim()[1]
    ax.lines[0].set_label("h(x) = f(x)/x")
    ax.plot(x, A / (B - x), color=SECOND, lw=1.8, label="A/(B - x)")
    ax.set_ylim(0.0, max(top, 1.5 * A / B))
    polish(ax, "Levels of one cell (25)", "activity x", "", ticks=4)
    key(ax)
    return ax


def draw_landscape(
    ax: Axes,
    network: Network,
    x: str,
    y: str,
    *,
    limits: tuple[tuple[float, float], tuple[float, float]] | None = None,
    state: Any = None,
) -> Axes:
    """Draw the Liapunov function (33) over two activities, the others held, as contour lines.

    Raises
    ------
    InputError
        If the network is not of the form (32), or an unknown is none.
    """
    V = liapunov(network)
    system = compile_network(network)
    _, box = search_box(network, system)
    here = system.initial_state() if state is None else np.array(state, dtype=np.float64).ravel()
    places = [_place(system, name) for name in (x, y)]
    sides = limits or tuple((float(box[0][k]), float(box[1][k])) for k in places)
    edges = [(low + 1e-3 * (high - low), high - 1e-3 * (high - low)) for low, high in sides]
    across, up = (np.linspace(low, high, _POINTS) for low, high in edges)
    states = np.tile(here, (_POINTS * _POINTS, 1))
    states[:, places[0]], states[:, places[1]] = (g.ravel() for g in np.meshgrid(across, up))
    values = np.asarray(V.V(states)).reshape(_POINTS, _POINTS)
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError("draw_landscape: V is infinite in all of the plane")
    levels = np.unique(np.quantile(values[finite], np.linspace(0.0, 1.0, 21)))
    if levels.size > 1:
        drawn = ax.contour(across, up, np.where(finite, values, np.nan), levels=levels, cmap="viridis", linewidths=1.0)
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="V")
    ax.plot(here[places[0]], here[places[1]], "o", color=MUTED, ms=4)
    return polish(ax, "Liapunov function (33)", x, y, grid=False)


def _place(system: Any, name: str) -> int:
    for variable in system.variables:
        for k in range(variable.size):
            if name in (f"{variable.name}.{k}", variable.name if variable.size == 1 else ""):
                return int(variable.start + k)
    raise InputError(f"draw_landscape: '{name}' is no unknown of the network")


def draw_jump_graph(ax: Axes, graph: JumpGraph) -> Axes:
    """Draw which cell takes over from which, on a circle; a circle of one-way jumps stands out."""
    angles = np.pi / 2 - 2.0 * np.pi * np.arange(graph.cells) / graph.cells
    points = np.column_stack([np.cos(angles), np.sin(angles)])
    ring = set(zip(graph.circle, graph.circle[1:], strict=False))
    for i, j in sorted(graph.edges):
        color = SECOND if (i, j) in ring else MUTED
        style = {
            "arrowstyle": "-|>",
            "color": color,
            "lw": 1.6 if (i, j) in ring else 1.0,
            "shrinkA": 14,
            "shrinkB": 14,
        }
        ax.annotate("", points[j], points[i], arrowprops={**style, "connectionstyle": "arc3,rad=0.12"})
    ax.scatter(points[:, 0], points[:, 1], s=420, color="white", edgecolor=ACCENT, linewidth=1.6, zorder=3)
    for k, (a, b) in enumerate(points):
        ax.text(a, b, str(k), ha="center", va="center", fontsize=9, color=INK, zorder=4)
    polish(ax, "Jumps of the winner", "\n".join(wrap(graph.certainty, _LINE)), "", grid=False)
    ax.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), xticks=[], yticks=[], aspect="equal")
    for spine in ax.spines.values():
        spine.set_visible(False)
    return ax
