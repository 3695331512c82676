"""The figure that the models of adaptive resonance share: who was chosen when, and what was learned."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brnn.figures import Curve, Mark, Panel, Raster, Run, Span
from brnn.models.parts.resonance import PERIOD, SEARCH

__all__ = ["chosen_panel", "presented_patterns"]


def presented_patterns(run: Run) -> np.ndarray:
    """Return what was presented in each presentation that began, shape (presentations, cells)."""
    begun = np.arange(0.0, max(run.end, 1e-9), PERIOD)
    rate = float(np.max(run.part("input").A))
    return np.array([run.inputs_to("input", time=float(begin) + 0.5 * SEARCH).ravel() / rate for begin in begun])


def chosen_panel(run: Run, predicted: Sequence[int]) -> Panel:
    """Return which category was active when, and which one the algorithm chooses for each presentation."""
    categories = run.view("F2").cells
    when, which = np.nonzero(run.values("F2") > 0.5)
    marks: list[Mark] = [
        Span(PERIOD * k, PERIOD * k + 1.0, "presentation") for k in range(len(predicted)) if PERIOD * k + 1.0 <= run.end
    ]
    marks.append(Raster(run.times("F2")[when], which, "active category"))
    known = [(PERIOD * k + 1.0, j) for k, j in enumerate(predicted) if j >= 0 and PERIOD * k + 1.0 <= run.end]
    if known:
        x, y = np.array(known).T
        marks.append(Curve(x, y, "the algorithm's choice", "predicted", 1, marker="o"))
    ticks = tuple((float(k), str(k)) for k in range(categories))
    return Panel(
        "Who answers each pattern",
        marks,
        run.time_label,
        "category",
        width=1.8,
        x_limits=(run.start, run.end),
        y_limits=(-0.7, categories - 0.3 + 0.28 * categories),
        y_ticks=ticks,
        legend="top",
    )
