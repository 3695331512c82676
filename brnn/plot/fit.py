"""The figure of a fit: what was recorded, what the fitted network says, and what is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.figure import Figure

from brnn.plot.style import INK, MUTED, PALETTE, new_figure, polish

if TYPE_CHECKING:
    from brnn.fitting.estimates import Fit

__all__ = ["fit_figure"]

_COLUMNS = 8  # drawn in one panel
_RECORDINGS = 4


def fit_figure(fit: Fit) -> Figure:
    """Draw a fit: points are the recorded values, lines the fitted network; below stands what is left over.

    Of more than eight columns or four recordings the first are drawn.

    Parameters
    ----------
    fit : Fit
        From `brnn.fit`.
    """
    shown = fit.recordings[:_RECORDINGS]
    words = ", ".join(f"{name} = {value:.4g}" for name, value in list(fit.settings.items())[:5])
    figure = new_figure(4.2 + 3.8 * len(shown), 6.0, f"{fit.network.name}: fit to recordings", words)
    axes = figure.subplots(2, len(shown), sharex="col", height_ratios=(3, 1), squeeze=False)
    for k, (recording, predicted) in enumerate(zip(shown, fit.predicted(), strict=False)):
        above, below = axes[0][k], axes[1][k]
        for j, label in enumerate(recording.labels[:_COLUMNS]):
            color = PALETTE[j % len(PALETTE)]
            above.plot(recording.times, recording.values[:, j], ".", color=color, markersize=4, alpha=0.6)
            above.plot(recording.times, predicted[:, j], color=color, label=label)
            below.plot(recording.times, recording.values[:, j] - predicted[:, j], ".", color=color, markersize=3)
        below.axhline(0.0, color=MUTED, linewidth=0.8)
        below.set_xlabel("time")
        above.legend(fontsize=8, frameon=False, labelcolor=INK)
        for ax in (above, below):
            polish(ax)
    axes[0][0].set_ylabel("recorded and fitted")
    axes[1][0].set_ylabel("left over")
    return figure
