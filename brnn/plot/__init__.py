"""Figures of results and of theory, drawn without a display and without matplotlib's global state.

    figure = brnn.plot.run_figure(result)
    brnn.plot.save(figure, "run.png")

`run_figure` draws a whole run; the ``draw_`` functions put one panel each onto axes of the user's own.
"""

from brnn.figures.view import shares
from brnn.plot.animation import ANIMATED, animate
from brnn.plot.diagram import diagram_figure, draw_diagram
from brnn.plot.draw import draw_figure, draw_panel
from brnn.plot.files import SUFFIXES, save
from brnn.plot.fit import fit_figure
from brnn.plot.image import draw_image
from brnn.plot.lines import draw_activities, draw_heat, draw_spread, draw_total, mark_intervals
from brnn.plot.pattern import draw_levels, draw_pattern, draw_scatter
from brnn.plot.phase_plane import draw_phase_plane
from brnn.plot.run import KINDS, run_figure
from brnn.plot.signal import draw_hill, draw_signal
from brnn.plot.style import PALETTE, key, new_figure, ordered_colors, polish, ranked, without_scales
from brnn.plot.sweep import SWEEP_KINDS, sweep_figure
from brnn.plot.theory import draw_hill_and_decay, draw_jump_graph, draw_landscape, theory_figure

__all__ = [
    "ANIMATED",
    "KINDS",
    "PALETTE",
    "SUFFIXES",
    "SWEEP_KINDS",
    "animate",
    "diagram_figure",
    "draw_activities",
    "draw_diagram",
    "draw_figure",
    "draw_heat",
    "draw_hill",
    "draw_hill_and_decay",
    "draw_image",
    "draw_jump_graph",
    "draw_landscape",
    "draw_levels",
    "draw_panel",
    "draw_pattern",
    "draw_phase_plane",
    "draw_scatter",
    "draw_signal",
    "draw_spread",
    "draw_total",
    "fit_figure",
    "key",
    "mark_intervals",
    "new_figure",
    "ordered_colors",
    "polish",
    "ranked",
    "run_figure",
    "save",
    "shares",
    "sweep_figure",
    "theory_figure",
    "without_scales",
]
