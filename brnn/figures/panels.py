"""Panels that many figures have: activities over time, patterns, images, weights."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from brnn.figures.description import Band, Bars, Curve, Lines, Mark, Panel, Picture, Span
from brnn.figures.run import Run
from brnn.figures.view import View, mixed, settling, shares

__all__ = [
    "changes",
    "edges",
    "heat_panel",
    "image_panels",
    "layer_marks",
    "layer_panel",
    "matrix_panel",
    "pattern_marks",
    "pattern_panel",
    "predicted_levels",
    "theory_curve",
    "time_panel",
    "trace",
]

NAMED_AT_MOST = 12  # cells whose lines have a name each
_HUES_AT_MOST = 6  # of which each has a color of its own
_LINES_AT_MOST = 24  # cells with a line each; more are an image over time
_IMAGE_AT_MOST = 4000  # cells that can be seen in an image over time; of more the spread is drawn
_BARS_AT_MOST = 48
_PATTERN_AT_MOST = 400  # cells whose shares are drawn one by one
_POINTS_AT_MOST = 5000
_MARKED_AT_MOST = 30  # cells whose predicted levels are marked
_INK = 6  # the color of what theory says


def trace(run: Run, name: str, *place: int, label: str = "", color: int = 0, **look: Any) -> Curve:
    """Return one element of a variable over time, ``trace(run, "F1", 2)``."""
    return Curve(run.times(name), run.cell(name, *place), label or name.removesuffix(".x"), color=color, **look)


def time_panel(
    run: Run,
    title: str,
    marks: Iterable[Mark],
    *,
    y: str = "activity",
    spans: Sequence[Span] | None = None,
    **look: Any,
) -> Panel:
    """Return a panel over the time of the run, in which the times with input are shaded (or `spans`)."""
    marks = tuple(marks)
    over = [mark.x for mark in marks if isinstance(mark, (Curve, Lines)) and mark.x.size > 1]
    longest = max(over, key=len) if over else np.array([run.start, run.end])
    # The spacing of curves from theory says nothing about that of the run.
    look.setdefault("x_scale", "linear" if settling(longest) is None else "settling")
    if look["x_scale"] == "linear" and run.end > run.start:
        look.setdefault("x_limits", (run.start, run.end))
    look.setdefault("legend", "top")
    shaded = run.inputs if spans is None else tuple(spans)
    return Panel(title, (*shaded, *marks), run.time_label, y, **look)


def layer_marks(run: Run, name: str, labels: Sequence[str] | None = None) -> tuple[list[Mark], dict[str, Any]]:
    """Return the activities of a layer over time, and what its panel needs: lines, or an image if it is long."""
    view = run.view(name)
    if view.cells > _IMAGE_AT_MOST:
        return _spread(view), {"y": view.label}
    times, values = view.times, view.activities()
    if view.cells > _LINES_AT_MOST and times.size > 1:
        rows = np.arange(view.cells + 1) - 0.5
        return [Picture(values.T, view.label, _signs(values), None, edges(times), rows)], {"y": "cell"}
    told = "" if view.start is None else view.start[0]
    share = view.share
    if labels is None and share is not None and _tells(share):
        title = "share of the input" if told == "input" else f"share\n{told}"
        if view.cells > NAMED_AT_MOST:
            return [Lines(times, values, share, title)], {"y": view.label}
        place = np.argsort(np.argsort(share, kind="stable"), kind="stable") / max(view.cells - 1, 1)
        order = np.argsort(-share, kind="stable")
        curves: list[Mark] = [Curve(times, values[:, k], f"{k}   {share[k]:.3f}", shade=float(place[k])) for k in order]
        return curves, {
            "y": view.label,
            "legend": "beside",
            "legend_title": f"cell, {title}",
        }
    names = view.elements() if labels is None else list(labels)
    if view.cells > NAMED_AT_MOST:
        return [Lines(times, values, np.arange(view.cells), view.word)], {"y": view.label}
    few = view.cells <= _HUES_AT_MOST
    curves = [
        Curve(times, values[:, k], names[k], color=k, shade=None if few else k / (view.cells - 1))
        for k in range(view.cells)
    ]
    return curves, {"y": view.label, "legend": "top" if view.cells <= 4 else "beside"}


def _spread(view: View) -> list[Mark]:
    """Return how the activities of very many cells are spread, over time."""
    levels, times = view.summary[1], view.times
    return [
        Band(times, levels[:, 0], levels[:, 4], "smallest to largest"),
        Band(times, levels[:, 1], levels[:, 3], "middle half of the cells"),
        Curve(times, levels[:, 2], "median"),
    ]


def theory_curve(x: Any, y: Any, label: str = "theory") -> Curve:
    """Return what theory predicts over time, as a broken line."""
    return Curve(x, y, label, "predicted")


def predicted_levels(run: Run, layer: str) -> list[Curve]:
    """Return where theory says that the cells of a layer settle, at the end of each phase of the inputs."""
    marks: list[Curve] = []
    last = run.network.duration
    if run.view(layer).cells > _MARKED_AT_MOST:
        return marks
    for prediction in run.predictions.of(f"{layer}.x"):
        if prediction.during is None:
            continue
        start, stop = prediction.during
        at = run.end if stop == last else stop
        if start < run.end and at <= run.end and not run.start:
            values = np.ravel(prediction.value)
            marks.append(Curve(np.full(values.size, at), values, "theory", "predicted", color=_INK, marker="o"))
    return marks


def layer_panel(
    run: Run,
    name: str,
    title: str = "",
    *,
    labels: Sequence[str] | None = None,
    overlays: Iterable[Mark] = (),
    **look: Any,
) -> Panel:
    """Return the panel of a layer (or of gates, or weights) over time."""
    view = run.view(name)
    marks, found = layer_marks(run, name, labels)
    spans = () if any(isinstance(mark, Picture) for mark in marks) else None
    title = title or f"{view.group.replace('_', ' ')}: {view.noun}"
    return time_panel(run, title, [*marks, *overlays], spans=spans, **{**found, **look})


def heat_panel(run: Run, name: str, title: str, *, y: str = "cell", **look: Any) -> Panel:
    """Return a layer as an image over time, one row for each cell."""
    view = run.view(name)
    values = view.activities()
    label = look.pop("label", view.label)
    picture = Picture(values.T, label, _signs(values), None, edges(view.times), np.arange(view.cells + 1) - 0.5)
    return Panel(title, (picture,), run.time_label, y, legend="none", **look)


def pattern_marks(
    stored: Any,
    given: Any = None,
    predicted: Any = None,
    labels: tuple[str, str, str] = ("given", "stored", "predicted"),
) -> list[Mark]:
    """Return one pattern, what was given beside it, and what theory predicts: bars for few cells, lines for many."""
    stored = np.asarray(stored, dtype=np.float64).ravel()
    marks: list[Mark] = []
    if stored.size <= _BARS_AT_MOST:
        of = 1 if given is None else 2
        if given is not None:
            marks.append(Bars(np.ravel(given), labels[0], "given", place=(0, of)))
        # A label alone on its panel says nothing.
        told = labels[1] if given is not None or predicted is not None else ""
        marks.append(Bars(stored, told, place=(of - 1, of)))
        if predicted is not None:
            marks.append(Bars(np.ravel(predicted), labels[2], "predicted", place=(of - 1, of)))
        return marks
    cells = np.arange(stored.size)
    if given is not None:
        marks.append(Curve(cells, np.ravel(given), labels[0], "given"))
    marks.append(Curve(cells, stored, labels[1] if given is not None or predicted is not None else ""))
    if predicted is not None:
        marks.append(Curve(cells, np.ravel(predicted), labels[2], "predicted"))
    return marks


def pattern_panel(run: Run, name: str, title: str = "", *, predicted: Any = None, **look: Any) -> Panel | None:
    """Return what a layer was given beside what it holds in the end, as shares of its total; None if that says nothing.

    `predicted` are shares.
    """
    view = run.view(name)
    when, held = view.end
    if not view.adds_up or view.start is None or mixed(held) or mixed(view.start[1]) or not held.any():
        return None
    title = title or f"{view.group.replace('_', ' ')}: pattern"
    given, held = shares(view.start[1]), shares(held)
    if held.size > _PATTERN_AT_MOST:
        some = np.linspace(0, held.size - 1, min(held.size, _POINTS_AT_MOST)).astype(int)
        ends = np.array([0.0, float(max(given.max(), held.max()))])
        equal = Curve(ends, ends, "equal", "guide")
        cells = Curve(given[some], held[some], "one cell each", marker=".")
        return Panel(title, (equal, cells), f"share, {view.start[0]}", f"share {when}", **look)
    marks = pattern_marks(held, given, predicted, (view.start[0], when, "predicted"))
    return Panel(title, tuple(marks), "cell", "share of the total", **look)


def image_panels(run: Run, name: str, times: Sequence[float], titles: Sequence[str], **look: Any) -> list[Panel]:
    """Return a two-dimensional variable at chosen times, all with one scale."""
    frames = [run.at(name, time) for time in times]
    top = max(float(np.abs(frame).max()) for frame in frames) or 1.0
    signed = any(mixed(frame) for frame in frames)
    limits = (-top, top) if signed else (0.0, top)
    label = run.view(name).label
    return [
        Panel(title, (Picture(frame, label, "signed" if signed else "gray", limits),), "", "", legend="none", **look)
        for frame, title in zip(frames, titles, strict=True)
    ]


def matrix_panel(
    values: Any, title: str, *, x: str = "source", y: str = "target", label: str = "weight z", **look: Any
) -> Panel:
    """Return a matrix, rows from below, as an image."""
    values = np.asarray(values, dtype=np.float64)
    rows, columns = (np.arange(size + 1) - 0.5 for size in values.shape)
    return Panel(title, (Picture(values, label, _signs(values), None, columns, rows),), x, y, legend="none", **look)


def edges(times: np.ndarray) -> np.ndarray:
    """Return the edges of columns in whose middles these times are."""
    if times.size == 1:
        return np.array([times[0] - 0.5, times[0] + 0.5])
    return np.concatenate([times[:1], 0.5 * (times[1:] + times[:-1]), times[-1:]])


def _tells(share: np.ndarray) -> bool:
    """Tell whether cells can be told apart by what they were given: most of them something, and not all the same."""
    return bool(share.size > 1 and np.ptp(share) > 1e-9 and 2 * np.count_nonzero(share) > share.size)


def _signs(values: np.ndarray) -> Any:
    return "signed" if mixed(values) else "heat"


def changes(view: View) -> bool:
    """Tell whether anything of a variable changes during the run."""
    values = view.activities()
    return bool(np.ptp(values, axis=0).max() > 1e-9 * max(1e-300, float(np.abs(values).max())))
