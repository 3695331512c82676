"""Intervals that variables cannot leave, against values worked out here; and that a V that falls is seen to fall."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.theory import predict
from brnn.theory.predictions import bounds as predicted
from brnn.theory.predictions.base import NotMeasured, Prediction


def bounds(network: brnn.Network, name: str) -> tuple[Any, Any]:
    (found,) = predict(network).of(f"bounds of {name}")
    return found.value


def test_a_driven_shunting_cell() -> None:
    """x' = -2 x + (3 - x) I - (1 + x) J with I <= 4, J <= 2: between -2/(2 + 2) and 12/(2 + 4)."""
    layer = brnn.Layer.shunting("F", 1, A=2.0, B=3.0, D=1.0)
    stimuli = [
        brnn.Stimulus("F", "excitatory", 4.0, brnn.Pulse(1.0, 2.0)),
        brnn.Stimulus("F", "inhibitory", 2.0, brnn.Pulse(3.0, 4.0)),
    ]
    network = brnn.Network("cell", [layer], stimuli=stimuli, duration=5.0)
    assert bounds(network, "F.x") == pytest.approx((-0.5, 2.0), rel=1e-14)
    outside = network.replace(layers=[layer.replace(initial=2.5)])
    assert bounds(outside, "F.x") == pytest.approx((-0.5, 2.5), rel=1e-14)


def test_a_field_cannot_be_more_active_than_its_signal_lets_it() -> None:
    """f = w^2/(1 + w^2) < 1, A = 1, B = 3: x <= B f/(A + f) again and again, down to the root of (25)."""
    network = models.rcf.build(n=1, signal=brnn.Sigmoid(), A=1.0, B=3.0, initial=0.5, pattern=0.0)
    low, high = bounds(network, "rcf.x")
    x = (3.0 + np.sqrt(9.0 - 8.0)) / 4.0  # x (3 - x) = 1 + x^2
    assert low == 0.0
    assert x <= high < x + 1e-3


def test_gates_and_weights() -> None:
    """f <= 2: y >= H K/(H + 2 L). An instar's weights stay between their start and the signals that they track."""
    layers = [brnn.Layer.additive("S", 2, A=1.0), brnn.Layer.additive("T", 1, A=1.0)]
    gate = brnn.HabituativeGate(H=0.5, K=2.0, L=0.25)
    links = [
        brnn.Projection("S", "T", "excitatory", brnn.Linear(), brnn.AllToAll(), gate=gate, name="gated"),
        brnn.Projection(
            "S", "T", "excitatory", topology=brnn.AllToAll(), learning=brnn.Instar(initial=3.0), name="instar"
        ),
    ]
    stimuli = [brnn.Stimulus("S", "excitatory", [1.0, 2.0])]
    network = brnn.Network("both", layers, links, stimuli, duration=30.0)
    assert bounds(network, "gated.y") == pytest.approx((1.0, 2.0), rel=1e-14)
    assert bounds(network, "instar.z") == (0.0, 3.0)
    assert bounds(network, "T.x")[1] == pytest.approx(2.0 * 3.0 + 3.0 * 3.0, rel=1e-14)
    assert all(row.passed for row in brnn.simulate(network).compare())
    # Cells that never send less than 1 keep the gate below H K/(H + L).
    lit = network.replace(
        layers=[layers[0].replace(initial=1.0), layers[1]],
        projections=[links[0].replace(gate=gate.replace(initial=1.2)), links[1]],
    )
    assert bounds(lit, "gated.y") == pytest.approx((1.0, 1.0 / 0.75), rel=1e-14)
    # The first cell sends 1 all the time, by a gate that begins at 1.2; the second up to 2, by one that begins at 2.
    several = lit.replace(projections=[links[0].replace(gate=gate.replace(initial=[1.2, 2.0]))])
    assert bounds(several, "T.x")[1] == pytest.approx(1.0 * (1.0 / 0.75) + 2.0 * 2.0, rel=1e-14)


def test_negative_signals_have_no_lower_bound_at_0() -> None:
    """A linear signal of a cell that may be negative excites: nothing keeps its target above 0."""
    layers = [brnn.Layer.additive("S", 1, A=1.0, initial=0.5), brnn.Layer.shunting("T", 1, A=1.0, B=1.0)]
    links = [brnn.Projection("S", "T"), brnn.Projection("S", "S", "inhibitory", brnn.Linear(2.0), name="own")]
    network = brnn.Network("open", layers, links, [brnn.Stimulus("S", "inhibitory", 1.0)], duration=1.0)
    assert predict(network).of("bounds of T.x") == ()


def test_noise_and_sines_bound_nothing_from_above() -> None:
    layer = brnn.Layer.additive("F", 1, A=1.0)
    sine = brnn.Network("sine", [layer], stimuli=[brnn.Stimulus("F", schedule=brnn.Sine(1.0))], duration=1.0)
    assert bounds(sine, "F.x") == (0.0, np.inf)
    noise = sine.replace(stimuli=[brnn.Stimulus("F", schedule=brnn.WhiteNoise())])
    assert predict(noise).of("bounds of F.x") == ()


@pytest.mark.parametrize(
    ("name", "settings", "words"),
    [
        ("cohen_grossberg", {}, None),
        ("gated_dipole", {}, "has a gate"),
        ("serial_learning", {}, "has a delay"),
        ("vite", {}, "obeys another law than (32)"),
    ],
)
def test_whether_V_falls(name: str, settings: dict[str, Any], words: str | None) -> None:
    predictions = predict(models.load(name).build(**settings))
    found = predictions.of("Liapunov function")
    if words is None:
        assert len(found) == 1
        return
    (why,) = (unmet.hypothesis for unmet in predictions.unmet if "(32)" in unmet.theorem)
    assert words in why
    assert all("nothing comes from the rest" in p.hypothesis for p in found)  # of a part in front


def test_how_far_a_matrix_is_from_symmetric() -> None:
    W = np.array([[0.0, 1.0, 0.5], [1.03, 0.0, 0.2], [0.5, 0.2, 0.0]])
    layer = brnn.Layer.additive("F", 3, A=1.0)
    link = brnn.Projection("F", "F", "excitatory", brnn.Function("tanh(w)"), brnn.Dense(W))
    network = brnn.Network("nearly", [layer], [link], duration=1.0)
    (why,) = (unmet.hypothesis for unmet in predict(network).unmet if "(32)" in unmet.theorem)
    assert "the largest asymmetry, 0.03" in why
    assert "F[0], F[1]" in why or "F[1], F[0]" in why


def test_a_wrong_prediction_is_seen() -> None:
    """What is predicted and what is measured are two things: a false bound, a V that rises."""
    network = models.rcf.build(initial=[0.2, 0.9, 0.4])
    result = brnn.simulate(network, until="steady")
    (right,) = predict(network).of("bounds of rcf.x")
    assert right.compare(result).passed
    wrong = Prediction(right.quantity, (0.5, 0.6), "", "-", "-", kind="within", _measure=right.measure)
    assert not wrong.compare(result).passed
    (falling,) = predict(network).of("Liapunov function")
    assert falling.compare(result).passed
    backwards = Prediction("V", "rising", "", "-", "-", kind="monotone", tolerance=1e-6, _measure=falling.measure)
    assert not backwards.compare(result).passed
    assert not Prediction("level", 1.0, "", "-", "-").measurable
    with pytest.raises(NotMeasured, match="a run does not show it"):
        Prediction("level", 1.0, "", "-", "-").compare(result)


def test_states_count_only_at_rest() -> None:
    """The winner's level is compared with a run that came to rest, and left out of one that did not."""
    network = models.rcf.build(signal=brnn.Power(), initial=[0.2, 0.9, 0.4], A=1.0, B=3.0)
    labels = [row.label for row in brnn.simulate(network, 40.0).compare()]
    assert "stored" in labels
    assert "stored" not in [row.label for row in brnn.simulate(network, 2.0).compare()]


def test_of_many_connections_signs_alone_bound_activities_and_gates(monkeypatch: pytest.MonkeyPatch) -> None:
    """-D <= x <= B where all that arrives is a rate; a cell that gets a negative signal has no bounds."""
    monkeypatch.setattr(predicted, "_ELEMENTS", 0)
    layers = [
        brnn.Layer.shunting("F", 2, A=1.0, B=2.0, D=0.5),
        brnn.Layer.shunting("G", 2, A=1.0, B=1.0),
        brnn.Layer.shunting("H", 2, A=1.0, B=1.0, initial=1.5),
    ]
    gate = brnn.HabituativeGate(1.0, 3.0, 1.0)
    links = [
        brnn.Projection("F", "G", "excitatory", brnn.Linear(), name="signed"),
        brnn.Projection("F", "H", "excitatory", brnn.ThresholdLinear(), gate=gate, name="gated"),
    ]
    network = brnn.Network("signs", layers, links, [brnn.Stimulus("F", "excitatory", 0.5)])
    found = predicted.variable_ranges(network)
    assert {name: (part.low[0], part.high[0]) for name, part in found.items()} == {
        "F.x": (-0.5, 2.0),
        "H.x": (0.0, 1.5),
        "gated.y": (0.0, 3.0),
    }
