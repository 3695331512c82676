"""The figure that the self-organizing avalanches share: who fires, the links that were learned, and the replays."""

from __future__ import annotations

import numpy as np

from brnn.figures import FigureDescription, Mark, Panel, Picture, Raster, Run, Span, matrix_panel
from brnn.models.parts.list_learning import DECIDED

__all__ = ["avalanche_figure"]

_FRAMES = 8


def avalanche_figure(run: Run, title: str, inputs: str) -> FigureDescription | None:
    """Return the figure of lists that are learned and replayed; `inputs` says what the categories code."""
    protocol, pixels = run.network.protocol, run.view("screen").cells
    side = round(pixels**0.5)
    if protocol is None or side * side != pixels or "replay" not in protocol.names:
        return None
    begin, end = (float(edge) for edge in protocol.intervals("replay")[0])
    if run.end < end:
        return None
    times = run.times("category")
    when, which = np.nonzero(run.values("category") > 0.4)
    fired: list[Mark] = [Span(begin, end, "replay: only the first item is shown"), Raster(times[when], which, "fires")]
    categories = run.view("category").cells
    ticks = tuple((float(k), str(k)) for k in range(categories)) if categories <= 12 else None
    first = Panel(
        "Category cells: who fires",
        fired,
        run.time_label,
        "category",
        x_limits=(run.start, run.end),
        y_limits=(-0.7, 1.3 * categories),
        y_ticks=ticks,
        legend="top",
        width=2.0,
    )
    slots = np.arange(begin, end) + DECIDED
    frames = [(slot, run.at("screen", slot)) for slot in slots]
    top = max(float(frame.max()) for _, frame in frames)
    lit = [(slot, frame) for slot, frame in frames if frame.max() > 0.2 * top][:_FRAMES]
    images = [
        Panel(
            f"t = {slot:.4g}",
            (Picture(frame.reshape(side, side), "", "gray", (0.0, top)),),
            "",
            "",
            width=2.0 / max(len(lit), 1),
            legend="none",
        )
        for slot, frame in lit
    ]
    matrices = (
        matrix_panel(run.last("filter.z"), "Instars: what each category codes", x=inputs, y="category"),
        matrix_panel(run.last("links.z"), "Serial links: who follows whom", x="before", y="next"),
    )
    return FigureDescription(title, run.below, ((first,), images, matrices), (0.9, 0.75, 1.0))
