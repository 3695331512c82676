"""Draw a signal function and its hill function."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from brnn.plot.style import ACCENT, polish
from brnn.signals import Signal

__all__ = ["draw_hill", "draw_signal"]

_POINTS = 601


def draw_signal(ax: Axes, signal: Signal, w_max: float, *, color: str = ACCENT, title: str = "Signal") -> None:
    """Draw f(w) on 0 <= w <= w_max."""
    w = np.linspace(0.0, w_max, _POINTS)
    ax.plot(w, signal(w), color=color, linewidth=2.0)
    ax.set_xlim(0.0, w_max)
    ax.set_ylim(bottom=0.0)
    polish(ax, title, "activity w", "signal f(w)", ticks=4)


def draw_hill(ax: Axes, signal: Signal, w_max: float, *, color: str = ACCENT, title: str = "Hill function") -> None:
    """Draw h(w) = f(w)/w on 0 < w <= w_max; where it is flat, ratios of activities are kept."""
    w = np.linspace(0.0, w_max, _POINTS)[1:]
    h = np.asarray(signal.hill(w))
    ax.plot(w, h, color=color, linewidth=2.0)
    ax.set_xlim(0.0, w_max)
    ax.set_ylim(0.0, 1.12 * float(h[np.isfinite(h)].max(initial=1e-12)))
    polish(ax, title, "activity w", "f(w)/w", ticks=4)
