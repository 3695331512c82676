"""Which figure a run gets: the model's own, or the one that is right for its kind of network."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.figures.description import Curve, FigureDescription, Mark, Panel, Picture, Raster
from brnn.figures.own import ModelFigure, figure_of_model
from brnn.figures.panels import changes, layer_panel, matrix_panel, pattern_panel, predicted_levels, time_panel
from brnn.figures.phase_plane import phase_panel
from brnn.figures.run import Run
from brnn.figures.view import View, mixed
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.topologies.uniform import OneToOne

__all__ = ["describe", "usual_figure"]

_PANELS_AT_MOST = 12
_FIELD = 4  # cells along each axis of what is drawn as an image
_TRACES = 6  # lines of several variables in one panel
_IN_A_ROW = 4  # images
_LOOKED_AT = 60  # saved times at which a field is looked at
_STILL = 1e-3  # part of a field, below which a change is none that can be seen
_GONE = 1e-3  # part of a layer's largest activity


def describe(result: Any, own: ModelFigure | None = None) -> FigureDescription:
    """Return what the figure of a run shows.

    Parameters
    ----------
    result : Result
        From `brnn.simulate` or `brnn.open`.
    own : ModelFigure, optional
        The figure of the user's own model, ``my_model.FIGURE``. A published model is found by the name of the network,
        and any other network gets the figure that is usual for its kind.

    Raises
    ------
    InputError
        If nothing was recorded.
    """
    return described(Run(result), own)


def described(run: Run, own: ModelFigure | None = None) -> FigureDescription:
    """Return what `describe` does, of a run that is read already."""
    if not run.saved:
        raise InputError("there is nothing to draw: no state was recorded")
    found = _published(run) if own is None else own.of(run)
    return usual_figure(run) if found is None else found


def _published(run: Run) -> FigureDescription | None:
    """Return the figure of the published model of this name; None if it does not fit the run.

    A network may have the name of a model and be something else: a variant, or the user's own.
    """
    own = figure_of_model(run.network.name)
    try:
        return None if own is None else own.of(run)
    except (LookupError, AttributeError, TypeError, ValueError, ArithmeticError, StopIteration):
        return None


def usual_figure(run: Run) -> FigureDescription:
    """Return the figure that is right for a kind of network.

    - Layers of one cell share a panel, and so do gates.
    - Of several cells there are lines, of many an image over time; of binary cells a raster.
    - Fields of two dimensions are images: what was given, when the input ends, at the end.
    - Totals and stored patterns are drawn where cells compete, because only there they say something.
    - Weights are lines while they are few, else a matrix.
    - Networks of two variables get a phase plane.
    """
    views = [run.view(name) for name in run.saved]
    fields = [view for view in views if view.layer is not None and is_field(view)]
    if fields:
        return _images(run, fields)
    panels = _of_layers(run, [view for view in views if view.layer is not None])
    panels += _of_gates(run, [view for view in views if view.name.endswith(".y")])
    panels += _of_weights(run, [view for view in views if view.name.endswith(".z")])
    if is_plane(run, views):
        panels.append(_plane(run, views))
    panels = panels[:_PANELS_AT_MOST]
    rows = [panels[k : k + 2] for k in range(0, len(panels), 2)] if len(panels) != 3 else [panels[:1], panels[1:]]
    return FigureDescription(run.network.name.replace("_", " "), run.below, tuple(map(tuple, rows)))


def is_plane(run: Run, views: list[View]) -> bool:
    """Tell whether a run moves in the plane of two variables, with nullclines that stand still in the end."""
    network = run.network
    moving = any(stimulus.schedule.varying or stimulus.schedule.white for stimulus in network.stimuli)
    two = sum(network.states.values()) == 2 == sum(view.cells for view in views)
    coupled = network.projections and not any(projection.delay for projection in network.projections)
    return two and bool(coupled) and not moving and not network.events and network.step is None


def is_field(view: View) -> bool:
    """Tell whether a variable is drawn as an image: it has two dimensions and is not too small."""
    return len(view.shape) == 2 and min(view.shape) >= _FIELD


def _of_layers(run: Run, views: list[View]) -> list[Panel]:
    panels = []
    by_unit: dict[str, list[View]] = {}
    for view in views:
        if view.cells == 1 and not isinstance(view.layer, BinaryLayer):
            by_unit.setdefault(view.label, []).append(view)
    for label, single in by_unit.items():
        for k in range(0, len(single), _TRACES):
            panels.append(_together(run, single[k : k + _TRACES], "Activities", label))
    many = [view for view in views if view.cells > 1 or isinstance(view.layer, BinaryLayer)]
    alone = len(many) == 1
    for view in many:
        if isinstance(view.layer, BinaryLayer):
            panels.append(_raster(run, view))
            continue
        title = "Activities" if alone and view.units == "1" else ""
        panels.append(layer_panel(run, view.name, title, overlays=predicted_levels(run, view.group)))
        if competes(run, view) and (pattern := pattern_panel(run, view.name, "Pattern" if alone else "")) is not None:
            panels.append(pattern)
    adding = [view for view in many if competes(run, view)]
    if adding:
        totals: list[Mark] = [
            Curve(view.times, view.summary[0], view.group if len(adding) > 1 else "", color=k)
            for k, view in enumerate(adding[:_TRACES])
        ]
        panels.append(time_panel(run, "Total activity", totals, y="total activity"))
    return panels


def _together(run: Run, views: list[View], title: str, y: str) -> Panel:
    """Return several variables of few elements in one panel."""
    marks: list[Mark] = []
    for view in views:
        names = [""] if view.cells == 1 else [f" {k}" for k in range(view.cells)]
        for k, name in enumerate(names):
            label = f"{view.group.replace('_', ' ')}{name}"
            marks.append(Curve(view.times, view.activities()[:, k], label, color=len(marks)))
    return time_panel(run, title, marks, y=y)


def competes(run: Run, view: View) -> bool:
    """Tell whether cells inhibit others in a layer, so that its total and shares of it say something."""
    inhibited = any(
        link.target == view.group and link.kind == "inhibitory" and not isinstance(link.topology, OneToOne)
        for link in run.network.projections
    )
    return inhibited and view.adds_up and view.cells > 1 and not mixed(view.summary[1][:, 0])


def _raster(run: Run, view: View) -> Panel:
    when, which = np.nonzero(view.activities() > 0)
    title = f"{view.group.replace('_', ' ')}: when cells are active"
    ticks = tuple((float(k), str(k)) for k in range(view.cells)) if view.cells <= 16 else None
    marks = (Raster(view.times[when], which),)
    return time_panel(run, title, marks, y="cell", y_limits=(-0.7, view.cells - 0.3), y_ticks=ticks, legend="none")


def _of_gates(run: Run, views: list[View]) -> list[Panel]:
    few = [view for view in views if view.cells <= 3]
    panels = [layer_panel(run, view.name) for view in views if view.cells > 3]
    together: list[View] = []
    for view in [*few, None]:
        if view is None or sum(part.cells for part in together) + view.cells > _TRACES:
            panels += [_together(run, together, "Gates", "gate y")] if together else []
            together = []
        together += [] if view is None else [view]
    return panels


def _of_weights(run: Run, views: list[View]) -> list[Panel]:
    panels = []
    for view in views:
        name = view.group.replace("_", " ")
        if view.cells <= 12 or 1 in view.shape:
            panels.append(layer_panel(run, view.name))
            continue
        first = view.frame(0)
        if changes(view) and float(np.ptp(first)) > 0:
            panels.append(matrix_panel(first, f"{name}: weights at the beginning"))
        panels.append(matrix_panel(view.frame(view.all_times.size - 1), f"{name}: weights at the end"))
    return panels


def _plane(run: Run, views: list[View]) -> Panel:
    places = [(view.name, k) for view in views for k in range(view.cells)]
    names = [f"{name.removesuffix('.x')}" + (f" {k}" if len(views) == 1 else "") for name, k in places]
    return phase_panel(run, places[0], places[1], (names[0], names[1]))


def _images(run: Run, views: list[View]) -> FigureDescription:
    rows = [_frames(view, f"{view.group}: " if len(views) > 1 else "") for view in views[:_PANELS_AT_MOST]]
    rows = [row for row in rows if row]
    if sum(map(len, rows)) <= _IN_A_ROW:
        rows = [[panel for row in rows for panel in row]]
    height, width = views[0].shape
    each = float(np.clip(1.15 * height / width, 0.55, 1.6))
    panels = tuple(tuple(panel.replace(width=0.8) for panel in row) for row in rows)
    return FigureDescription(run.network.name.replace("_", " "), run.below, panels, tuple(each for _ in rows))


def _frames(view: View, prefix: str) -> list[Panel]:
    """Return what the layer was given, what it held when the input ended or half way, and what in the end."""
    first, last = float(view.all_times[0]), float(view.all_times[-1])
    frames: list[tuple[str, np.ndarray]] = []
    panels = []
    if view.start is not None and view.start[0] == "input":
        given = view.start[1]
        panels.append(_image(f"{prefix}input", given, "input", _scale(given, 0.0)))
    elif view.frame(0).any() or last == first:
        frames.append((f"t = {first:.4g}", view.frame(0)))
    off = view.network.settled()
    if view.network.stimuli and 0.0 < off < last:
        time, values = view.frame_at(off)
        if first < time < last:
            frames.append((f"t = {time:.4g}, input ends", values))
    elif (half := _half_way(view)) is not None:
        frames.append((f"t = {half[0]:.4g}", half[1]))
    if last > first:
        end = view.frame(view.all_times.size - 1)
        if not frames or float(np.abs(end - frames[-1][1]).max()) > _STILL * float(np.abs(end).max()):
            frames.append((f"t = {last:.4g}", end))
    largest = max(float(np.abs(values).max()) for _, values in frames)
    for title, values in frames:
        scale: tuple[tuple[float, float] | None, Any] = _scale(values, largest) if view.adds_up else (None, "gray")
        panels.append(_image(f"{prefix}{title}", values, view.label, scale))
    return panels


def _half_way(view: View) -> tuple[float, np.ndarray] | None:
    """Return when a field has done half of what changes in it, and its values then; None if that is at an end."""
    rows = np.unique(np.linspace(0, view.all_times.size - 1, _LOOKED_AT).round().astype(int))
    start, end = view.frame(int(rows[0])), view.frame(int(rows[-1]))
    whole = float(np.linalg.norm(end - start))
    if whole <= _STILL * float(np.linalg.norm(end)):
        return None
    for row in rows[1:-1].tolist():
        frame = view.frame(row)
        if float(np.linalg.norm(frame - start)) > 0.5 * whole:
            return (float(view.all_times[row]), frame) if float(np.linalg.norm(end - frame)) > 0.1 * whole else None
    return None


def _image(title: str, values: np.ndarray, label: str, scale: tuple[tuple[float, float] | None, Any]) -> Panel:
    limits, colors = scale
    return Panel(title, (Picture(values, label, colors, limits),), "", "", legend="none")


def _scale(values: np.ndarray, largest: float) -> tuple[tuple[float, float], Any]:
    """Return the limits and colors of an image: gray from 0 on, or two colors around 0 if it has both signs.

    Each image has a scale of its own, because what is stored may be far smaller than the response to the input; but
    what has fallen below a thousandth of the layer's `largest` activity is gone, and is not blown up.
    """
    top = float(np.abs(values).max())
    top = largest if top < _GONE * largest else top
    return ((-top, top), "signed") if mixed(values) and top > largest * _GONE else ((0.0, top), "gray")
