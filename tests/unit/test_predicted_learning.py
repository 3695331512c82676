"""What is predicted of networks that learn, against numbers from elsewhere, and which condition others miss."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.theory import predict
from brnn.theory.predictions.base import Prediction


def only(network: brnn.Network, quantity: str) -> Prediction:
    (found,) = predict(network).of(quantity)
    return found


def theorem(network: brnn.Network, words: str) -> str:
    """The condition that a theorem misses."""
    (why,) = (unmet.hypothesis for unmet in predict(network).unmet if words in unmet.theorem)
    return why


def test_art1_by_hand() -> None:
    """110 and 111, L = 1.2: the second has T = 1.09 before 1.01 of a fresh one, |I & V|/|I| = 2/3: reset with 0.9."""
    two = [[1, 1, 0], [1, 1, 1]]
    coarse, fine = (models.art1.build(two, rho, 2, 1, L=1.2) for rho in (0.5, 0.9))
    assert only(coarse, "category of each presentation").value == [0, 0]
    np.testing.assert_array_equal(only(coarse, "templates").value, [[1, 1, 0], [1, 1, 1]])
    assert only(fine, "category of each presentation").value == [0, 1]
    assert only(fine, "resets before it").value == [0, 1]
    result = brnn.simulate(fine, rtol=1e-6)
    rows = [
        only(fine, name).compare(result) for name in ("category of each presentation", "resets before it", "templates")
    ]
    assert all(row.passed for row in rows)
    assert not only(coarse, "category of each presentation").compare(result).passed  # the measure tells them apart


def test_art1_that_learns_slowly_or_breaks_its_rule() -> None:
    assert "a presentation leaves 0.22" in theorem(models.art1.build(M=5.0), "adaptive resonance")
    network = models.art1.build()
    links = [p.replace(topology=brnn.AllToAll(0.4)) if p.name == "down" else p for p in network.projections]
    assert "(D1 = 0.4, B1 = 1.5)" in theorem(network.replace(projections=links), "adaptive resonance")
    assert "the search has 0.7" in theorem(models.art1.build(speed=20.0), "adaptive resonance")


def test_fuzzy_art_by_hand() -> None:
    """Boxes of (0.1, 0.2), (0.2, 0.1) and of (0.8, 0.9): minima, and one minus maxima."""
    network = models.fuzzy_art.build([[0.1, 0.2], [0.2, 0.1], [0.8, 0.9]], 0.75, 3, 1)
    assert only(network, "category of each presentation").value == [0, 0, 1]
    boxes = [[0.1, 0.1, 0.8, 0.8], [0.8, 0.9, 0.2, 0.1], [1.0, 1.0, 1.0, 1.0]]
    np.testing.assert_allclose(only(network, "templates").value, boxes, atol=1e-12)


def test_a_chain_fires() -> None:
    """A = 2, P = 1.4, threshold 1, c = 1.2: one cell after the other each ln(1.4/0.6)/2, after c/A is there."""
    network = models.avalanche.build(np.eye(3)[:, None, :], replays=[1.2, 0.8], weights=np.zeros((3, 3)))
    found = only(network, "times at which cells of chain fire")
    np.testing.assert_allclose(np.diff(found.value)[[0, 1, 3, 4]], [0.42364893] * 2 + [0.97295507] * 2, atol=1e-4)
    assert found.value[0] == pytest.approx(5.0 + 0.42364893, abs=1e-4)
    result = brnn.simulate(network, rtol=1e-8)
    assert found.compare(result).passed
    assert only(network, "order in which cells of chain fire").compare(result).passed
    stopped = models.avalanche.build(np.eye(4)[:, None, :], replays=[1.2], stops=[0.4], weights=np.zeros((4, 4)))
    assert only(stopped, "order in which cells of chain fire").value == [0, 1]
    weak = [s.replace(pattern=0.3 * s.pattern) if s.target == "command" else s for s in network.stimuli]
    assert "between 0.6" in theorem(network.replace(stimuli=weak), "a chain")
