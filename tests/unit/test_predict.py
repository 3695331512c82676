"""What `brnn.theory.predict` says of networks, against closed forms that are written out here."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.comparison import table
from brnn.theory import predict
from brnn.theory.optic_flow import moving_dots
from brnn.theory.predictions.base import Unmet
from brnn.theory.predictions.competitive_field import NO_INPUTS, competitive_field
from brnn.theory.predictions.linear import linear_network
from brnn.theory.predictions.predict import THEOREMS

A, B = 1.0, 3.0
INITIAL = [0.2, 0.9, 0.4]
FIELD = "a recurrent competitive field (21)"
LINEAR = "an additive network with linear signals (6)(7)"
DRIVEN = "a network driven by inputs alone (13), (20)"


def field(signal: Any = None, initial: Any = INITIAL, **options: Any) -> brnn.Network:
    return models.rcf.build(signal=signal or brnn.Power(), initial=initial, A=A, B=B, **options)


def only(network: brnn.Network, quantity: str) -> Any:
    (prediction,) = predict(network).of(quantity)
    return prediction


def test_a_faster_than_linear_field_stores_the_largest() -> None:
    """The levels are the roots of w (B - w) = A, and the upper one is what the winner holds."""
    low, high = (B - np.sqrt(B * B - 4 * A)) / 2, (B + np.sqrt(B * B - 4 * A)) / 2
    network = field()
    assert only(network, "signal").value == "faster-than-linear"
    levels = only(network, "total of one cell")
    assert [level.level for level in levels.value] == pytest.approx([low, high], rel=1e-12)
    assert [level.stable for level in levels.value] == [False, True]
    assert levels.details["0 is stable"]
    assert only(network, "stored at most").value == 1
    np.testing.assert_allclose(only(network, "stored").value, [0, high, 0], rtol=1e-12)


@pytest.mark.parametrize("gain", [1.0, 2.5])
def test_a_linear_field_stores_every_pattern(gain: float) -> None:
    network = field(brnn.Linear(gain))
    kept = np.array(INITIAL) / np.sum(INITIAL) * (B - A / gain)
    np.testing.assert_allclose(only(network, "stored").value, kept, rtol=1e-12)
    assert not only(network, "total of one cell").details["0 is stable"]
    assert {predictions.details["stability"] for predictions in predict(network).of("2 equal survivors")} == {"neutral"}
    assert only(network, "quenching").value is None  # noise is amplified like the signal


def test_equal_survivors_of_a_sigmoid_field() -> None:
    """f = w^2/(F + w^2): (A + k) u^2 - B u + A F = 0, and k < B/sqrt(F) - 2 A."""
    F = 0.25
    network = field(brnn.Sigmoid(half=np.sqrt(F)), [0.4] * 10, n=10)
    assert only(network, "stored at most").value == 3 < B / np.sqrt(F) - 2 * A
    for k in (2, 3):
        held = only(network, f"{k} equal survivors")
        assert held.value == pytest.approx((B + np.sqrt(B * B - 4 * (A + k) * A * F)) / (2 * (A + k)), rel=1e-12)
        assert held.details["survivors"] == k
        assert held.details["stability"] == "stable"
    assert predict(network).of("4 equal survivors") == ()


def test_the_size_at_which_a_pattern_is_quenched() -> None:
    """One cell with f = w^2 is quenched below the lower root of w (B - w) = A."""
    found = only(field(initial=[1.0], n=1), "quenching")
    assert found.value == pytest.approx((B - np.sqrt(B * B - 4 * A)) / 2, abs=1e-8)
    assert found.details["bracket"].lower < found.value < found.details["bracket"].upper


def test_weaker_inhibition_is_seen_in_the_levels() -> None:
    """With inhibition v, k survivors solve (B - m u) u = A, m = 1 + v (k - 1), for f = w^2."""
    predictions = predict(field(inhibition=0.0))
    m, v = 1.0, 0.0
    level = predictions.of("2 equal survivors")[0].value
    assert level == pytest.approx((B + np.sqrt(B * B - 4 * m * A)) / (2 * m), rel=1e-12)
    assert predictions.of("network")[0].value.v == v
    assert predictions.of("stored") == ()
    needs = Unmet("a competitive field whose stored state is known", "recurrent inhibition v = 1, as in (21)")
    assert needs in predictions.unmet


def test_noise_grows_in_a_slower_than_linear_field() -> None:
    """Near 0, du/dt = (B h(0) - A) u, here (3/0.25 - 1) u."""
    field = models.load("rcf").build(signal=brnn.Saturating(1.0, 0.25))
    assert [p.details["0 is stable"] for p in predict(field) if "0 is stable" in p.details] == [False]


def test_a_field_with_inputs_has_levels_but_no_stored_state() -> None:
    predictions = predict(models.rcf.build())
    assert predictions.of("stored") == ()
    assert [unmet.hypothesis for unmet in predictions.unmet if "stored" in unmet.theorem] == [NO_INPUTS]
    assert len(predictions.of("total of one cell")) == 1


def test_linear_networks() -> None:
    """Two cells, dx_1 = -2 x_1 + x_2 + 3, dx_2 = -2 x_2 - x_1/2: x = (4/3, -1/3); eigenvalues -2 +- i/sqrt(2)."""
    layer = brnn.Layer("F", 2, A=2.0, B=1.0, C=0.0, E=1.0, F=0.0)
    links = [
        brnn.Projection("F", "F", "excitatory", brnn.Linear(), brnn.Dense([[0, 1], [0, 0]])),
        brnn.Projection("F", "F", "inhibitory", brnn.Linear(2.0), brnn.Dense([[0, 0], [0.25, 0]])),
    ]
    network = brnn.Network("linear", [layer], links, [brnn.Stimulus("F", pattern=[3.0, 0.0])], duration=5.0)
    assert only(network, "stability").value == pytest.approx(-2.0, rel=1e-12)
    settled = only(network, "F.x")
    np.testing.assert_allclose(settled.value, [4 / 3, -1 / 3], rtol=1e-12)
    assert settled.during == (0.0, 5.0)
    unstable = network.replace(layers=[layer.replace(A=0.0)])
    assert only(unstable, "stability").value == pytest.approx(0.0, abs=1e-12)
    assert predict(unstable).of("F.x") == ()


def test_a_singular_matrix_settles_nowhere() -> None:
    """M = [[-0.3, -0.3], [-0.3, -0.3]]: 0 and -0.6; rounding made 0 negative, and `predict` ended in an error."""
    network = models.leaky_competing_accumulator.build(k=0.3, beta=0.3, signal=brnn.Linear())
    assert only(network, "stability").value == 0.0
    assert predict(network).of("lca.x") == ()


def test_cells_that_are_driven_by_inputs() -> None:
    """x_i = [B I_i - E (I - I_i)]/(A + I) of (13), at the rate A + I, in each interval of constant inputs."""
    pattern = np.array([1.0, 2.0, 3.0, 4.0])
    network = brnn.Network(
        "driven",
        [brnn.Layer("F", 4, A=0.5, B=2.0, E=0.25)],
        stimuli=[
            brnn.Stimulus("F", "excitatory", pattern, brnn.Pulse(1.0, 3.0)),
            brnn.Stimulus("F", "inhibitory", pattern.sum() - pattern, brnn.Pulse(1.0, 3.0)),
        ],
        duration=4.0,
    )
    found = predict(network).of("F.x")
    assert all(row.passed for row in brnn.simulate(network).compare())
    assert [prediction.during for prediction in found] == [(0.0, 1.0), (1.0, 3.0), (3.0, 4.0)]
    for prediction, total in zip(found, [0.0, 10.0, 0.0], strict=True):
        inputs = pattern / 10 * total
        expected = (2.0 * inputs - 0.25 * (total - inputs)) / (0.5 + total)
        np.testing.assert_allclose(prediction.value, expected, rtol=1e-12)
        np.testing.assert_allclose(prediction.details["rate"], 0.5 + total, rtol=1e-12)


def test_membrane_cells() -> None:
    """The potential is the mean of the saturation potentials, weighted by the conductances."""
    layer = brnn.MembraneLayer("V", 2, V_plus=50.0, V_minus=-80.0, V_p=-70.0, g_p=2.0, C=4.0)
    stimuli = [brnn.Stimulus("V", "excitatory", [1.0, 3.0]), brnn.Stimulus("V", "inhibitory", [2.0, 0.0])]
    found = only(brnn.Network("membranes", [layer], stimuli=stimuli, duration=1.0), "V.x")
    np.testing.assert_allclose(found.value, [(50 - 160 - 140) / 5, (150 - 140) / 5], rtol=1e-12)
    np.testing.assert_allclose(found.details["rate"], [5 / 4, 5 / 4], rtol=1e-12)


def test_cells_without_decay_have_no_equilibrium() -> None:
    found = only(brnn.Network("idle", [brnn.Layer("F", 2, A=0.0, B=1.0)], duration=1.0), "F.x")
    assert found.value is None


def changed(network: brnn.Network, kind: str, **changes: Any) -> brnn.Network:
    """The network with one of its projections changed."""
    return network.replace(
        projections=[link.replace(**changes) if link.kind == kind else link for link in network.projections]
    )


NOISE = brnn.Stimulus("rcf", "excitatory", 0.1, brnn.WhiteNoise())
EVENT = brnn.Event("stop", brnn.AtTimes([1.0]), brnn.StopRun())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda net: net.replace(stimuli=[NOISE]), "inputs that do not change all the time"),
        (
            lambda net: net.replace(stimuli=[brnn.Stimulus("rcf", "excitatory", 1.0, brnn.Sine(1.0))]),
            "inputs that do not change",
        ),
        (lambda net: net.replace(events=[EVENT]), "no events"),
        (
            lambda net: net.replace(layers=[*net.layers, brnn.Layer("F2", 1, 1.0, 1.0)]),
            "one layer of cells that obey (9)",
        ),
        (lambda net: net.replace(layers=[net.layers[0].replace(A=[1.0, 2.0, 1.0])]), "one decay rate A > 0"),
        (lambda net: net.replace(layers=[net.layers[0].replace(B=[1.0, 2.0, 1.0])]), "one decay rate A > 0"),
        (lambda net: net.replace(layers=[net.layers[0].replace(E=0.5)]), "shunting cells between 0 and B"),
        (lambda net: net.replace(projections=net.projections[:1]), "one excitatory and one inhibitory projection"),
        (lambda net: changed(net, "inhibitory", signal=brnn.Linear()), "one signal for excitation and inhibition"),
        (lambda net: changed(net, "excitatory", delay=0.5), "projections without gates, learning and delays"),
        (lambda net: changed(net, "excitatory", gate=brnn.HabituativeGate(1.0, 1.0, 1.0)), "projections without gates"),
        (lambda net: changed(net, "inhibitory", topology=brnn.AllToAll()), "cells that excite themselves"),
        (lambda net: changed(net, "excitatory", topology=brnn.OneToOne(2.0)), "cells that excite themselves"),
    ],
)
def test_every_condition_of_a_field_is_looked_at(change: Any, words: str) -> None:
    predictions = predict(change(field()))
    assert next(unmet.hypothesis for unmet in predictions.unmet if unmet.theorem == FIELD).startswith(words)
    assert predictions.of("network") == ()
    # A field beside another layer is a part of its own, of which the theorem holds.
    assert all("nothing comes from the rest" in p.hypothesis for p in predictions.of("stored"))
    assert "\n" not in predictions.why_not


def test_why_other_networks_are_not_linear_or_driven() -> None:
    unmet = {unmet.theorem: unmet.hypothesis for unmet in predict(models.hartline_ratliff.build()).unmet}
    assert unmet[LINEAR] == "linear signals"
    assert unmet[DRIVEN] == "no projections"


# Models of whose claims no prediction knows more than bounds, and why; what is predicted of all others, a run shows.
ALGORITHM = "its claims compare with an algorithm that stands in the model's file, in discrete time or for each slot"
NUMBERS = "no closed form: its claims compare with independent integrations or published experiments"
CONDITION = "its closed forms hold for other parameters than the defaults: see the conditions that `predict` gives"
ONLY_BOUNDS = {
    "art2": "its algorithm is the limit of fast cells; with finite eps categories may differ (claim search_in_time)",
    "context_sensitive_avalanche": "its inputs contain a STORE list, whose weights no one factor draws to a pattern",
    "grip_force": "no closed form beyond the first trial: its claims compare with a public implementation",
    "gridsmap": "bounds of a formula (w**2) are known of activities > 0 only, and those of its map may be below",
    "listelos": "no closed form: every layer gets something back; its article gives latencies of experiments and runs",
    "ltc": "its theorems (Hasani et al. 2021) are bounds: of activities and of the time constant",
    "serial_learning": CONDITION,
}
# Models of which beyond bounds only layers in front are predicted, which inputs alone drive, and why no more.
GATES = "the slopes of its gates grow with their cells, which no published bound of differences takes in"
IN_FRONT = {
    "gru": GATES,
    "lstm": GATES,
    "adaline": ALGORITHM,
    "contour_adaptation": NUMBERS,
    "linear_associator": ALGORITHM,
    "self_organizing_avalanche": ALGORITHM,
    "vistars": NUMBERS,
}


# The usual movie of vistars has twelve frames, a run of ten seconds; three show all that is predicted.
SHORTER = {"vistars": {"frames": moving_dots((6.0, 28.0), 3, (16, 40), dots=40)}}


@pytest.mark.parametrize("name", models.names())
def test_every_model(name: str) -> None:
    """Each theorem says something or why not; a prediction says all that it should, and a run of the model agrees."""
    network = models.load(name).build(**SHORTER.get(name, {}))
    predictions = predict(network)
    assert len(predictions)
    assert len(predictions.of("network")) <= 1
    assert len(predictions.outcomes) >= len(THEOREMS)
    for prediction in predictions:
        for text in (prediction.quantity, prediction.words, prediction.hypothesis, prediction.source):
            assert text
            assert isinstance(text, str)
    beyond = [p for p in predictions if not p.quantity.startswith("bounds of")]
    assert (not beyond) == (name in ONLY_BOUNDS)
    own = [p for p in beyond if "nothing comes from the rest of the network" not in p.hypothesis]
    assert bool(beyond and not own) == (name in IN_FRONT)
    rows = brnn.simulate(network).compare()
    assert all(row.passed for row in rows), table(rows)
    assert rows, "nothing that is predicted can be seen in the model's own run"


def test_what_is_predicted_is_what_the_simulator_does() -> None:
    network = models.feedforward_shunting.build(pattern=[1, 2, 3, 4], total=10)
    found = predict(network).of("F1.x")
    result = brnn.simulate(network, 4.0, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(result.final("F1"), found[0].value, rtol=1e-8)
    assert all(before.during[1] == after.during[0] for before, after in itertools.pairwise(found))  # type: ignore[index]


def test_only_networks() -> None:
    with pytest.raises(brnn.InputError, match="predict: network = str: must be a brnn.Network"):
        predict("rcf")  # type: ignore[arg-type]


@pytest.mark.parametrize("signal", [brnn.Linear(0.5), brnn.Function("0.5*w"), brnn.Function("w/c", c=2.0)])
def test_a_linear_signal_is_seen_however_it_is_written(signal: brnn.Signal) -> None:
    """dx/dt = -2 x + 0.5 x + 1 in each cell: it goes to 2/3."""
    layer = brnn.Layer.additive("F", 2, A=2.0)
    links = [brnn.Projection("F", "F", signal=signal)]
    network = brnn.Network("linear", [layer], links, [brnn.Stimulus("F")])
    np.testing.assert_allclose(only(network, "F.x").value, [2 / 3, 2 / 3], rtol=1e-12)


@pytest.mark.parametrize("signal", [brnn.Expression("0.5*w"), brnn.Function("0.5*w + 1e-9*w**2"), brnn.Sigmoid()])
def test_what_is_cut_or_bent_is_not_linear(signal: brnn.Signal) -> None:
    layer = brnn.Layer.additive("F", 2, A=2.0)
    network = brnn.Network("bent", [layer], [brnn.Projection("F", "F", signal=signal)], [brnn.Stimulus("F")])
    assert linear_network(network) == Unmet(LINEAR, "linear signals")


def test_a_field_without_decay_is_named_as_such() -> None:
    found = competitive_field(models.rcf.build(A=0.0))
    assert isinstance(found, Unmet)
    assert found.hypothesis.startswith("decay, A > 0")


def test_all_equilibria_of_a_field_are_listed() -> None:
    """w^2: k active cells hold equal u with k u^2 - B u + A = 0, both roots if B^2 > 4 k A: 1 + 2 (2^3 - 1) in all."""
    network = brnn.models.rcf.build(n=3, A=1.0, B=5.0, signal=brnn.Power(), pattern=0.0)
    found = predict(network).of("equilibria")[0]
    assert found.value == 1 + 2 * (2**3 - 1)
    assert found.words.splitlines()[0] == "15, and no others"
    first = found.details["equilibria"][0]
    assert first.levels == pytest.approx(((5.0 + 21.0**0.5) / 2.0,), rel=1e-14)
    assert first.stable
    assert first.copies == 3
    driven = brnn.Stimulus("rcf", "excitatory", 0.2)
    assert predict(network.replace(stimuli=[driven])).of("equilibria") == ()


def test_a_signal_that_silent_cells_send_has_no_survivors() -> None:
    """Beside a cell at x another at 0 does not stay there if f(0) > 0: no theorem about survivors applies."""
    predictions = predict(brnn.models.rcf.build(n=3, signal=brnn.Logistic(), pattern=0.0, initial=[0.2, 0.9, 0.4]))
    assert not [p for p in predictions if "survivors" in p.quantity or p.quantity in ("total of one cell", "quenching")]
    assert any(unmet.hypothesis == "a signal that is 0 at 0 (it is 0.5)" for unmet in predictions.unmet)


@pytest.mark.parametrize(("gain", "fate"), [(0.5, "settles"), (2.0, "does not settle")])
def test_a_linear_cell_settles_if_it_decays_faster_than_it_feeds_itself(gain: float, fate: str) -> None:
    """dx/dt = -x + g x: its rate is g - 1."""
    link = brnn.Projection("x", "x", signal=brnn.Linear(gain))
    told = only(brnn.Network("n", [brnn.Layer.additive("x", 1, A=1.0)], [link]), "stability")
    assert told.words.endswith(f": {gain - 1.0:.8g}; it {fate}")
    assert told.value == pytest.approx(gain - 1.0)


def test_layers_in_front_obey_their_own_equations() -> None:
    """Two cells with inputs (2, 1) from t = 1 on, in front of a field: x = I/A (1 - exp(-A (t - 1)))."""
    front = brnn.Layer.additive("front", 2, A=4.0)
    behind = field(initial=[0.0, 0.0, 0.0])
    network = behind.replace(
        layers=[front, *behind.layers],
        projections=[
            *behind.projections,
            brnn.Projection("front", "rcf", topology=brnn.Dense([[1, 0], [0, 1], [0, 0]])),
        ],
        stimuli=[brnn.Stimulus("front", pattern=[2.0, 1.0], schedule=brnn.Pulse(1.0, 9.0))],
        duration=1.5,
    )
    course = only(network, "distance of front.x from its course")
    np.testing.assert_allclose(course.details["ends"][-1], np.array([0.5, 0.25]) * (1 - np.exp(-2.0)), rtol=1e-12)
    np.testing.assert_allclose(predict(network).of("front.x")[1].value, [0.5, 0.25], rtol=1e-12)
    result = brnn.simulate(network)
    assert course.compare(result).passed
    other = brnn.simulate(network.replace(layers=[front.replace(A=4.1), *behind.layers]))
    assert not course.compare(other).passed
    back = network.replace(
        projections=[*network.projections, brnn.Projection("rcf", "front", topology=brnn.AllToAll())]
    )
    assert predict(back).of("distance of front.x from its course") == ()


@pytest.mark.parametrize(("signal", "by_samples"), [(brnn.Sigmoid(), False), (brnn.Expression("w**2/(1+w**2)"), True)])
def test_bounds_say_where_a_signal_is_known_by_samples_alone(signal: brnn.Signal, by_samples: bool) -> None:
    network = models.rcf.build(pattern=[0.2, 0.8], signal=signal)
    said = only(network, "bounds of rcf.x").hypothesis
    assert ("the range of Expression is that of 4,001 samples" in said) == by_samples
