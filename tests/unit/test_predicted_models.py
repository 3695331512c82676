"""What is predicted of lists, movements, species and lateral inhibition, against numbers from elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.theory import predict
from tests.predicted import only, theorem


def test_five_items_in_store() -> None:
    """S_j = sqrt(A + S_(j-1)); an item enters as A/S_j and each older one is divided by S_j."""
    held, S = np.zeros(5), 0.0
    for j in range(5):
        S = np.sqrt(0.3 + S)
        held[j] = 0.3
        held /= S
    network = models.store.build(n=5, A=0.3)
    found = only(network, "store.x after each item")
    np.testing.assert_allclose(found.value[-1], held, rtol=1e-6)
    np.testing.assert_allclose(held, [0.37274068, 0.20415848, 0.18797249, 0.20768353, 0.24616073], atol=1e-8)
    weakest = only(network, "position of the weakest item")
    assert (weakest.value, weakest.details["gradient"]) == (3, "bow")
    result = brnn.simulate(network)
    assert found.compare(result).passed
    assert weakest.compare(result).passed
    assert only(models.store.build(n=4, A=0.1), "position of the weakest item").details["gradient"] == "primacy"
    assert only(models.store.build(n=4, A=1.2), "position of the weakest item").details["gradient"] == "recency"


def test_what_is_no_store() -> None:
    network = models.store.build(n=3)
    (link,) = (link for link in network.projections if link.kind == "inhibitory")
    others = [p for p in network.projections if p is not link]
    weak = network.replace(projections=[*others, link.replace(topology=brnn.AllToAll(0.9))])
    assert "three projections" in theorem(weak, "STORE")
    noisy = network.replace(stimuli=[*network.stimuli, brnn.Stimulus("store", "inhibitory", 0.1)])
    assert "no other inputs" in theorem(noisy, "STORE")


def test_a_movement() -> None:
    """alpha = 30, G = 5, V primed for ever or not at all: P(0.2) = 0.61881342 and P(0.5) = 0.94261739 of the way."""
    for end, way in ((0.2, 0.61881342), (0.5, 0.94261739)):
        network = models.vite.build(alpha=30.0, go=5.0, priming=0.0, rise=0.0, duration=end)
        found = only(network, f"position.x at t = {end:g}")
        assert found.details["relative position"] == pytest.approx(way, abs=1e-8)
        assert found.compare(brnn.simulate(network)).passed
    assert "stays on" in theorem(models.vite.build(go=0.0), "a movement")
    difference, position = network.layers
    apart = network.replace(layers=[difference, position.replace(initial=[[0.5, 0.5, 0.5], [0.4, 0.5, 0.5]])])
    assert "add up to one number" in theorem(apart, "a movement")
    assert "no overshoot" in theorem(models.vite.build(alpha=30.0, go=10.0, antagonists=False), "a movement")


def test_the_voting_paradox() -> None:
    """a = 0.6, b = 1.3: 0.4^3 > 0.3^3, all at 1/2.9; a = 0.8, b = 1.3: each dwell time is 1.5 times the one before."""
    network = models.may_leonard.build(a=0.6, b=1.3)
    np.testing.assert_allclose(only(network, "abundances").value, 1.0 / 2.9, rtol=1e-12)
    assert only(network, "abundances").compare(brnn.simulate(network, 2000.0)).passed
    network = models.may_leonard.build(a=0.8, b=1.3)
    point = only(network, "coexistence")
    assert point.details["stability"] == "unstable"
    pair = point.details["eigenvalues"][:2]
    np.testing.assert_allclose(np.sort_complex(pair), [0.01612903 - 0.13968152j, 0.01612903 + 0.13968152j], atol=1e-8)
    (cycle,) = (p for p in predict(network) if p.quantity.startswith("dwell time"))
    assert cycle.value == pytest.approx(1.5**3, rel=1e-12)
    result = brnn.simulate(network, 4000.0, times=np.arange(0.0, 4000.5, 0.5), solver="DOP853")
    assert cycle.compare(result).passed
    plain = models.may_leonard.build(a=0.6, b=1.3, logarithmic=False)
    np.testing.assert_allclose(only(plain, "abundances").value, 1.0 / 2.9, rtol=1e-12)


def test_a_market() -> None:
    """Firms with unit costs 1, 2, 9, top 10, demand 1, rise 0.5: p = (0.5 * 10 + 3)/2.5 = 3.2; x = (p - m)/0.5."""
    network = models.competitive_market.build(costs=[1.0, 2.0, 9.0], top=10.0, demand=1.0, rise=0.5)
    np.testing.assert_allclose(only(network, "abundances").value, [4.4, 2.4, 0.0], rtol=1e-12, atol=1e-12)
    assert only(network, "abundances").compare(brnn.simulate(network, 100.0)).passed


def inhibiting(K: Any, light: Any, threshold: float = 2.0) -> brnn.Network:
    layer = brnn.Layer.additive("v", len(light), A=1.0)
    link = brnn.Projection("v", "v", "inhibitory", brnn.ThresholdLinear(1.0, threshold), brnn.Dense(K))
    return brnn.Network("limulus", [layer], [link], [brnn.Stimulus("v", pattern=light)], duration=40.0)


def test_two_cells_of_limulus() -> None:
    """e = (10, 8), k = 0.2, threshold 2: r = (9.08333333, 6.58333333)."""
    network = inhibiting([[0.0, 0.2], [0.2, 0.0]], [10.0, 8.0])
    found = only(network, "v.x")
    np.testing.assert_allclose(found.value, [9.08333333, 6.58333333], atol=1e-8)
    assert found.compare(brnn.simulate(network)).passed


def test_mutual_inhibition_too_strong_for_one_state() -> None:
    network = inhibiting([[0.0, 1.5], [1.5, 0.0]], [10.0, 9.0], 0.0)
    assert predict(network).of("v.x") == ()
    either = only(network, "a state of rest of v.x")
    assert not either.measurable
    assert "an eigenvalue is -1.5" in either.hypothesis


def test_order_is_kept_by_cells_that_are_alike() -> None:
    network = models.rcf.build(signal=brnn.Power(), initial=[0.2, 0.9, 0.4])
    found = only(network, "least lead of rcf.x")
    assert found.compare(brnn.simulate(network)).passed
    assert "in the same order" in theorem(
        network.replace(stimuli=[brnn.Stimulus("rcf", pattern=[0.3, 0.0, 0.0])]), "keep their order"
    )
    crossed = network.replace(stimuli=[brnn.Stimulus("rcf", pattern=[3.0, 0.0, 0.0])])
    assert not found.compare(brnn.simulate(crossed)).passed  # the measure sees a change of places


def test_a_gated_dipole_overshoots_and_rebounds() -> None:
    """H = 5, K = 1, L = 1, I = 1, J = 10: ON H^2 K J/((H + I)(H + I + J)) = 250/96, rebound H K L I J/(...) = 50/96."""
    network = models.gated_dipole.build(
        I=1.0, pattern=10.0, start=2.0, on=8.0, H=5.0, K=1.0, L=1.0, A=1e5, signal=brnn.Linear()
    ).replace(duration=14.0)
    predictions = predict(network)
    during = {p.during: p for p in predictions.of("on.x")}
    assert during[2.0, 10.0].value == pytest.approx(250.0 / 96.0, rel=1e-12)
    first = {p.during: p for p in predictions.of("first answer of on.x")}
    assert first[2.0, 10.0].value == pytest.approx(5.0 / 6.0 * 10.0, rel=1e-12)  # y(I) J
    rebound = {p.during: p for p in predictions.of("first answer of off.x")}[10.0, 14.0]
    assert rebound.value == pytest.approx(50.0 / 96.0, rel=1e-12)
    assert rebound.tolerance is not None
    assert rebound.tolerance < 0.12
    times = np.concatenate([np.linspace(0.0, 14.0, 561), 2.0 + np.array([1e-4]), 10.0 + np.array([1e-4])])
    rows = brnn.simulate(network, times=np.unique(times), rtol=1e-8).compare()
    assert all(row.passed for row in rows)
    labels = [row.label for row in rows]
    assert "first answer of off.x, t = 10 ... 14" in labels
    assert "on.x, t = 2 ... 10" in labels


def test_three_channels_rebound_together() -> None:
    """Each channel inhibits the two others: at the offset of the first channel's input these two rebound alike."""
    channels = [brnn.Layer.additive("input", 3, A=1e4, initial=1.0), brnn.Layer.additive("output", 3, A=1e4)]
    gate = brnn.HabituativeGate(H=1.0, K=1.0, L=1.0, initial=0.5)
    links = [
        brnn.Projection("input", "output", "excitatory", brnn.Linear(1.0), brnn.OneToOne(1e4), gate=gate, name="own"),
        brnn.Projection("input", "output", "inhibitory", topology=brnn.AllButSelf(5e3), gate=gate, name="others"),
    ]
    stimuli = [
        brnn.Stimulus("input", "excitatory", 1e4),
        brnn.Stimulus("input", "excitatory", [4e4, 0.0, 0.0], brnn.Pulse(1.0, 20.0)),
    ]
    network = brnn.Network("three", channels, links, stimuli, duration=25.0)
    found = {p.during: p for p in predict(network).of("first answer of output.x")}[20.0, 25.0]
    y = np.array([1.0 / 6.0, 0.5, 0.5])  # H K/(H + L f), f = 5, 1, 1
    np.testing.assert_allclose(found.value, y - 0.5 * (y.sum() - y), rtol=1e-12)
    times = np.unique(np.append(np.linspace(0.0, 25.0, 501), 20.001))
    assert found.compare(brnn.simulate(network, times=times, rtol=1e-8)).passed


def test_feedback_is_named() -> None:
    assert "no feedback (" in theorem(models.slow_inhibition.build(), "settle one after the other")
    assert "does" in theorem(models.instar.build(), "settle one after the other")


def test_a_choice_is_predicted_behind_layers_that_inputs_alone_drive() -> None:
    network = models.masking_field.build()
    assert predict(network).of("distance to a state in which one cell is active")
    fed = network.replace(
        layers=[brnn.Layer.additive("before", 1, A=1.0), *network.layers],
        projections=[brnn.Projection("before", "items", "excitatory", topology=brnn.AllToAll()), *network.projections],
    )
    assert "driven by inputs alone" in theorem(fed, "may choose")
    items = network.layer("items")
    cells = brnn.MembraneLayer("items", items.shape, V_plus=1.0, V_minus=0.0, V_p=0.0, g_p=1.0, C=1.0)
    others = [layer for layer in network.layers if layer is not items]
    assert "driven by inputs alone" in theorem(network.replace(layers=[cells, *others]), "may choose")
