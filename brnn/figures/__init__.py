"""What figures show: panels as data, the right ones for each kind of network, and the figures of the models' own.

    description = brnn.figures.describe(result)

Nothing here draws: `brnn.plot.draw_figure(description)` does.
"""

from brnn.figures.describe import describe
from brnn.figures.description import FigureDescription, Panel
from brnn.figures.own import ModelFigure, figure

__all__ = ["FigureDescription", "ModelFigure", "Panel", "describe", "figure"]
