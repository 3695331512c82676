"""Draw the activities of a two-dimensional layer as an image."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from brnn.plot.style import framed, polish

__all__ = ["draw_image"]


def draw_image(
    ax: Axes,
    values: Any,
    title: str = "",
    *,
    limits: tuple[float, float] | None = None,
    bar: str | None = None,
    colors: str = "gray",
    note: str = "",
) -> Any:
    """Draw a two-dimensional array, row 0 at the top, and return the image artist.

    Parameters
    ----------
    limits : (float, float), optional
        Values drawn black and white; by default the array's own smallest and largest.
    bar : str, optional
        Draw a color bar with this label.
    note : str
        A line below the image.
    """
    values = np.asarray(values, dtype=np.float64)
    low, high = limits if limits is not None else (float(values.min()), float(values.max()))
    if high <= low:
        high = low + 1.0
    image = ax.imshow(values, cmap=colors, vmin=low, vmax=high, interpolation="nearest", aspect="equal")
    polish(ax, title, note, grid=False)
    framed(ax)
    if bar is not None and ax.figure is not None:
        colorbar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.02, aspect=18)
        colorbar.set_label(bar, fontsize=8.5)
        colorbar.ax.tick_params(labelsize=8.0, length=2.5)
        colorbar.outline.set_linewidth(0.5)
    return image
