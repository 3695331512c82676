"""The figure of a bifurcation diagram: equilibria and cycles along a parameter, or a point along two."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from brnn.base.text import closest
from brnn.errors import InputError
from brnn.plot.style import ACCENT, INK, MUTED, PALETTE, new_figure, polish

__all__ = ["diagram_figure", "draw_diagram"]

_MARKS = {  # of special points: marker, face, name in the key
    "fold": ("s", PALETTE[1], "fold"),
    "branch point": ("D", PALETTE[4], "branch point"),
    "Hopf point": ("o", PALETTE[2], "Hopf point"),
    "period doubling": ("^", PALETTE[3], "period doubling"),
    "torus": ("v", PALETTE[3], "torus"),
    "period grows without bound": ("x", INK, "period grows without bound"),
    "cusp": ("*", PALETTE[1], "cusp"),
    "Bogdanov-Takens point": ("P", PALETTE[3], "Bogdanov-Takens point"),
}
_CYCLES = PALETTE[2]
_CELLS = 12  # drawn one by one; of more, the largest and the smallest


def diagram_figure(diagram: xr.Dataset, *, variable: str | None = None) -> Figure:
    """Draw a bifurcation diagram.

    Stable states are solid lines, unstable ones dashed; cycles are drawn by the largest and smallest value that they
    reach. Below, where there are cycles, stand their periods.

    Parameters
    ----------
    diagram : xarray.Dataset
        From `brnn.bifurcation_diagram` or `brnn.bifurcation_curve`.
    variable : str, optional
        Which state is drawn, for instance ``"rcf.x"``; by default the first.

    Raises
    ------
    InputError
        If there is no such state.
    """
    title = str(diagram.attrs.get("network", ""))
    if "branch" not in diagram:
        figure = new_figure(7.0, 5.0, f"{title}: {diagram.attrs.get('kind', '')}s")
        _draw_curve(figure.subplots(), diagram)
        return figure
    cycles = bool(np.any(diagram.kind.values == "cycle"))
    name = str(diagram.attrs["along"])
    words = "Solid: stable. Dashed: unstable."
    if cycles:
        words += " Cycles: the largest and the smallest value of each; below, their periods."
    if "not_followed" in diagram.attrs:
        words += " Cycles with delays are not followed."
    figure = new_figure(8.0, 6.6 if cycles else 5.0, f"{title} along {name}", words)
    axes = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1)) if cycles else [figure.subplots()]
    draw_diagram(axes[0], diagram, variable=variable)
    if cycles:
        axes[0].set_xlabel("")
        _draw_periods(axes[1], diagram, name)
    return figure


def draw_diagram(ax: Axes, diagram: xr.Dataset, *, variable: str | None = None) -> Axes:
    """Draw the branches of a diagram onto axes; the arguments are those of `diagram_figure`."""
    along = str(diagram.attrs["along"])
    states = [str(n) for n in diagram.data_vars if f"{n}_min" in diagram]
    if variable is None:
        variable = states[0]
    if variable not in states:
        raise InputError(
            f"variable: '{variable}' is not a state (there is {', '.join(states)}){closest(variable, states)}"
        )
    p = diagram[along].values
    low, high = (diagram[f"{variable}{end}"].values.reshape(p.size, -1) for end in ("_min", "_max"))
    low, high = _distinct(low, high)
    used = set()
    for number in np.unique(diagram.branch.values):
        at = np.flatnonzero(diagram.branch.values == number)
        cycle = diagram.kind.values[at[0]] == "cycle"
        color = _CYCLES if cycle else ACCENT
        for stable, part in _runs(diagram.stable.values[at]):
            rows = at[part]
            style: dict[str, Any] = {"color": color, "lw": 1.6 if stable else 1.1, "ls": "-" if stable else (0, (3, 2))}
            used.add((cycle, stable))
            for values in (low, high) if cycle else (low,):
                ax.plot(p[rows], values[rows], zorder=2, **style)
    handles: list[Any] = [
        Line2D([], [], color=_CYCLES if cycle else ACCENT, lw=1.6 if stable else 1.1, ls="-" if stable else (0, (3, 2)),
               label=f"{'stable' if stable else 'unstable'} {'cycle' if cycle else 'equilibrium'}")
        for cycle, stable in sorted(used, key=lambda pair: (pair[0], not pair[1]))
    ]  # fmt: skip
    for special, (marker, face, label) in _MARKS.items():
        rows = np.flatnonzero(diagram.special.values == special)
        if rows.size:
            x = np.repeat(p[rows], high.shape[1])
            style = {"marker": marker, "ls": "", "mfc": face, "mec": INK, "ms": 6, "mew": 0.7}
            ax.plot(x, high[rows].ravel(), zorder=4, **style)
            handles.append(Line2D([], [], label=label, **style))
    polish(ax, "", along, variable)
    ax.legend(handles=handles, fontsize=8.5, frameon=False, labelcolor=INK, loc="best")
    return ax


def _distinct(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns that are drawn: those of equal cells once, of very many the largest and the smallest."""
    both = np.concatenate([low, high])
    scale = float(np.max(np.abs(both), initial=0.0)) or 1.0
    _, first = np.unique(np.round(both / (1e-6 * scale)), axis=1, return_index=True)
    first = np.sort(first)
    if first.size <= _CELLS:
        return low[:, first], high[:, first]
    return (
        np.column_stack([low.min(axis=1), low.max(axis=1)]),
        np.column_stack([high.min(axis=1), high.max(axis=1)]),
    )


def _runs(stable: np.ndarray) -> list[tuple[bool, np.ndarray]]:
    """Return the stretches of equal stability, each with the point at which the next begins."""
    changes = np.flatnonzero(np.diff(stable)) + 1
    edges = [0, *changes, stable.size]
    return [
        (bool(stable[a]), np.arange(a - (a > 0), b)) for a, b in itertools.pairwise(edges) if b > a
    ]  # a special point belongs to both


def _draw_periods(ax: Axes, diagram: xr.Dataset, name: str) -> None:
    for number in np.unique(diagram.branch.values[diagram.kind.values == "cycle"]):
        at = np.flatnonzero(diagram.branch.values == number)
        for stable, part in _runs(diagram.stable.values[at]):
            rows = at[part]
            ax.plot(diagram[name].values[rows], diagram.period.values[rows], color=_CYCLES, lw=1.4,
                    ls="-" if stable else (0, (3, 2)))  # fmt: skip
    polish(ax, "", name, "period", ticks=4)


def _draw_curve(ax: Axes, curve: xr.Dataset) -> None:
    p, q = str(curve.attrs["along"]).split()
    ax.plot(curve[p].values, curve[q].values, color=ACCENT, lw=1.6)
    handles = []
    for special, (marker, face, label) in _MARKS.items():
        rows = np.flatnonzero(curve.special.values == special)
        if rows.size:
            style: dict[str, Any] = {"marker": marker, "ls": "", "mfc": face, "mec": INK, "ms": 7, "mew": 0.7}
            ax.plot(curve[p].values[rows], curve[q].values[rows], **style)
            handles.append(Line2D([], [], label=label, **style))
    polish(ax, "", p, q)
    if handles:
        ax.legend(handles=handles, fontsize=8.5, frameon=False, labelcolor=MUTED)
