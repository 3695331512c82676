"""Phase planes: the nullclines that are drawn are those of the equations, written out here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.contour import ContourSet

import brnn
from brnn import models


def nullclines(network: brnn.Network, x: str, y: str, **options: Any) -> list[np.ndarray]:
    """The points of each contour that is drawn."""
    figure = brnn.plot.new_figure(4.0, 4.0)
    ax = brnn.plot.draw_phase_plane(figure.subplots(), network, x, y, **options)
    assert any(isinstance(part, LineCollection) for part in ax.collections)  # the flow
    found = [part for part in ax.collections if isinstance(part, ContourSet)]
    return [np.concatenate([path.vertices for path in part.get_paths()]) for part in found]


def test_nullclines_of_slow_inhibition() -> None:
    """dx/dt = -A x + (B - x)[I + f(x)] - G x y and dy/dt = e (x - y) for one cell."""
    network = models.slow_inhibition.build()
    still_x, still_y = nullclines(network, "cells.x", "interneurons.x", limits=((0.01, 0.9), (0.0, 1.0)))
    x = still_x[:, 0]
    y = ((1.0 - x) * (0.1 + 8.0 * x**2 / (0.5 + x**2)) / x - 1.0) / 8.0
    np.testing.assert_allclose(still_x[:, 1], y, atol=2e-3)
    np.testing.assert_allclose(still_y[:, 0], still_y[:, 1], atol=1e-12)


def test_the_other_cells_keep_their_values() -> None:
    """f = w^2: dx_0/dt = x_0 [-A + (B - x_0) x_0 - x_1^2 - x_2^2] with x_2 held."""
    network = models.rcf.build(signal=brnn.Power(), initial=[0.2, 0.9, 0.4], A=1.0, B=3.0)
    points, _ = nullclines(network, "rcf.x.0", "rcf.x.1", limits=((0.05, 2.9), (0.05, 2.9)))
    np.testing.assert_allclose(-1.0 + (3.0 - points[:, 0]) * points[:, 0] - points[:, 1] ** 2, 0.16, atol=3e-3)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        ("rcf.y", "is not a state"),
        ("rcf.x", "name one of them, 'rcf.x.0' ... 'rcf.x.2'"),
        ("rcf.x.3", "the last element is 'rcf.x.2'"),
        ("rcf.x.1", "must be another unknown"),
    ],
)
def test_names_that_are_wrong(x: str, words: str) -> None:
    network = models.rcf.build(initial=[0.2, 0.9, 0.4])
    with pytest.raises(brnn.InputError, match=words):
        brnn.plot.draw_phase_plane(brnn.plot.new_figure(3.0, 3.0).subplots(), network, x, "rcf.x.1")


def test_networks_without_a_flow() -> None:
    with pytest.raises(brnn.InputError, match="continuous time and no delays"):
        brnn.plot.draw_phase_plane(
            brnn.plot.new_figure(3.0, 3.0).subplots(), models.caianiello.build(), "cells.x.0", "cells.x.1"
        )
