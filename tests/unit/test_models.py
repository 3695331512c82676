"""The models: defaults, what a user may give, what is refused and with which words."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import BrnnError, InputError, SpecError
from brnn.models.parts.cells import bias_of
from brnn.models.parts.contour_conditions import condition
from brnn.models.parts.patterns import PATTERN_A, default_pattern

NAMES = ["additive", "distance_dependent", "feedforward_shunting", "membrane", "rcf"]
NONNEGATIVE = [name for name in NAMES if name != "additive"]

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    network = models.load(name).build(**arguments)
    assert isinstance(network, brnn.Network)
    return network


def refusal(name: str, **arguments: Any) -> str:
    """Return the one line with which these arguments are refused."""
    with pytest.raises((SpecError, InputError)) as caught:
        build(name, **arguments)
    text = str(caught.value)
    assert text
    assert "\n" not in text
    return text


def test_models_are_listed() -> None:
    assert set(NAMES) <= set(models.names())
    assert not any(name.startswith("_") for name in models.names())


@every_model
def test_defaults_make_a_network_with_a_protocol(name: str) -> None:
    network = build(name)
    assert network.name == name
    assert network.duration is not None
    assert network.stimuli
    assert "Grossberg" in network.reference
    assert build(name) == network


@every_model
def test_the_default_run_is_finite_and_does_something(name: str) -> None:
    network = build(name)
    layer = network.layers[-1]
    x = np.asarray(brnn.simulate(network)[f"{layer.name}.x"])
    assert np.isfinite(x).all()
    assert np.ptp(x, axis=0).max() > 0.1
    limits = layer.bounds()
    if limits is not None:
        assert x.min() >= limits[0] - 1e-6
        assert x.max() <= limits[1] + 1e-6


def test_the_default_field_stores_two_cells() -> None:
    """Sigmoid with half 0.5, A = 1, B = 3: two survivors hold the upper root of 3 u^2 - 3 u + 0.25 = 0."""
    stored = np.asarray(brnn.simulate(build("rcf")).final("rcf"))
    np.testing.assert_allclose(stored, np.where(np.isin(np.arange(10), (2, 7)), (3 + 6**0.5) / 6, 0.0), atol=1e-5)


@every_model
@pytest.mark.parametrize("n", [1, 2, 7, (3, 4)])
def test_any_shape(name: str, n: Any) -> None:
    shape = n if isinstance(n, tuple) else (n,)
    assert build(name, n=n).layers[-1].shape == shape


@every_model
@pytest.mark.parametrize("shape", [(3,), (2, 5)])
def test_field_has_the_shape_of_the_pattern(name: str, shape: tuple[int, ...]) -> None:
    pattern = 1.0 + np.arange(float(np.prod(shape))).reshape(shape)
    assert build(name, pattern=pattern).layers[-1].shape == shape
    assert build(name, pattern=pattern.tolist()).layers[-1].shape == shape
    assert build(name, pattern=pattern, n=shape).layers[-1].shape == shape


@every_model
def test_one_number_is_a_uniform_pattern(name: str) -> None:
    network = build(name, n=4, pattern=0.5)
    assert network.layers[-1].shape == (4,)


@every_model
@pytest.mark.parametrize("n", [0, -1, 2.5, "ten", True, (), (3, 0), (3, "x"), float("nan"), 10**400])
def test_bad_size(name: str, n: Any) -> None:
    assert refusal(name, n=n).startswith(f"{name}: n")


@every_model
@pytest.mark.parametrize("n", [10**12, (10**7, 10**7)])
def test_huge_size_says_how_much_memory(name: str, n: Any) -> None:
    assert re.search(r"needs about [\d.e+]+ TB of memory; this machine has", refusal(name, n=n))


@every_model
@pytest.mark.parametrize("key", ["pattern", "initial"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([1.0, float("nan"), 2.0], "element 1 is nan"),
        ([1.0, float("inf")], "element 1 is inf"),
        (float("nan"), "must be finite"),
        ("abc", "must be"),
        ([], "empty"),
        ([[1.0, 2.0], [3.0]], "must be an array of numbers"),
        (1.0 + 2.0j, "must be"),
        (np.array(["a"]), "must be an array of numbers"),
    ],
)
def test_bad_pattern(name: str, key: str, value: Any, words: str) -> None:
    text = refusal(name, **{key: value})
    assert text.startswith(f"{name}: {key}")
    assert words in text


@every_model
@pytest.mark.parametrize("key", ["pattern", "initial"])
def test_pattern_of_another_shape(name: str, key: str) -> None:
    assert "has shape (3,), must have shape (5,)" in refusal(name, **{key: [1.0, 2.0, 3.0], "n": 5})


@every_model
def test_pattern_and_initial_of_different_shapes(name: str) -> None:
    assert "must have shape (3,)" in refusal(name, pattern=[1.0, 2.0, 3.0], initial=[0.0, 0.0])


@pytest.mark.parametrize("name", NONNEGATIVE)
def test_negative_pattern(name: str) -> None:
    assert f"{name}: pattern: element 0 is -1" in refusal(name, pattern=[-1.0, 2.0])


@every_model
@pytest.mark.parametrize("signal", ["sigmiod", None, 3, np.tanh, brnn.Sigmoid])
def test_unknown_signal(name: str, signal: Any) -> None:
    said = f"signal={signal}: unknown signal" if isinstance(signal, str) else f"{name}: signal = "
    assert refusal(name, signal=signal).startswith(said)


@every_model
@pytest.mark.parametrize("on", [0.0, -1.0, "x", float("nan")])
def test_bad_time(name: str, on: Any) -> None:
    assert refusal(name, on=on).startswith(f"{name}: on = ")


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("rcf", {"A": -1}, "A = -1: must be a number >= 0"),
        ("rcf", {"A": "x"}, "A = 'x'"),
        ("rcf", {"B": 0}, "B = 0: must be a number > 0"),
        ("rcf", {"B": float("inf")}, "B = inf"),
        ("rcf", {"initial": -0.1}, "rcf: initial = -0.1: must be a number >= 0"),
        ("rcf", {"J": [0.0, -2.0]}, "rcf: J: element 1 is -2"),
        ("rcf", {"inhibition": -0.1}, "rcf: inhibition = -0.1"),
        ("feedforward_shunting", {"B": -2}, "B = -2: must be a number > 0"),
        ("feedforward_shunting", {"D": -1}, "must be a number >= 0"),
        ("feedforward_shunting", {"surround": -1}, "feedforward_shunting: surround = -1"),
        ("feedforward_shunting", {"total": -1}, "feedforward_shunting: total = -1"),
        ("feedforward_shunting", {"total": []}, "feedforward_shunting: total: the array is empty"),
        ("feedforward_shunting", {"total": [[1.0]]}, "feedforward_shunting: total: has 2 dimensions"),
        ("feedforward_shunting", {"pattern": 0.0}, "cannot be scaled to a total"),
        ("additive", {"A": -1}, "A = -1"),
        ("additive", {"B": -1}, "additive: B = -1: must be a number >= 0"),
        ("additive", {"C": "q"}, "additive: C = 'q'"),
        ("additive", {"B": np.eye(2), "n": 3}, "additive: B: has shape (2, 2)"),
        ("additive", {"C": [[0.0, float("nan")], [0.0, 0.0]]}, "additive: C: element (0, 1) is nan"),
        ("additive", {"inhibitory_signal": "x"}, "inhibitory_signal=x: unknown signal 'x'"),
        ("membrane", {"C": 0}, "C = 0: must be a number > 0"),
        ("membrane", {"g_p": -1}, "g_p = -1"),
        ("membrane", {"V_p": -80}, "V_minus <= V_p <= V_plus"),
        ("distance_dependent", {"B": 0}, "B = 0: must be a number > 0"),
        ("distance_dependent", {"n": (2, 2, 2)}, "must have 1 or 2 dimensions"),
        ("distance_dependent", {"recurrent": 1}, "must be true or false"),
        ("distance_dependent", {"boundary": "wrap"}, "must be one of zero, periodic, reflect, nearest"),
        ("distance_dependent", {"center_width": 0}, "distance_dependent: center_width = 0"),
        ("distance_dependent", {"surround": -1}, "distance_dependent: surround = -1"),
        ("distance_dependent", {"receptor_rate": 0}, "distance_dependent: receptor_rate = 0"),
        ("distance_dependent", {"feedback": 3}, "distance_dependent: feedback = 3"),
    ],
)
def test_bad_parameter(name: str, arguments: dict[str, Any], words: str) -> None:
    assert words in refusal(name, **arguments)


def test_unknown_model() -> None:
    with pytest.raises(BrnnError, match="did you mean 'rcf'"):
        models.load("rcff")


def test_default_pattern() -> None:
    assert default_pattern((10,)) is PATTERN_A
    for shape in ((1,), (33,), (12, 9), (3, 4, 5)):
        pattern = default_pattern(shape)
        assert pattern.shape == shape
        assert (pattern > 0).all()
        assert np.array_equal(pattern, default_pattern(shape))
    # Two bumps, the first higher: one maximum in each half of a fine row.
    row = default_pattern((400,))
    peaks = 1 + np.flatnonzero((row[1:-1] > row[:-2]) & (row[1:-1] > row[2:]))
    assert len(peaks) == 2
    np.testing.assert_allclose((peaks + 0.5) / 400, [0.25, 0.7], atol=0.005)
    assert row[peaks[0]] > row[peaks[1]]


def test_rcf_starts_from_initial_without_input_or_sees_a_pattern_from_rest() -> None:
    assert build("rcf", initial=[0.2, 0.8]).stimuli == ()
    shown = build("rcf", pattern=[0.2, 0.8], J=0.1, on=2.0)
    assert [stimulus.kind for stimulus in shown.stimuli] == ["excitatory", "inhibitory"]
    assert shown.stimuli[0].schedule == brnn.Pulse(0.0, 2.0)
    assert shown.layers[0].initial == 0.0  # type: ignore[attr-defined]
    for_ever = build("rcf", pattern=[0.2, 0.8], on=float("inf"))
    assert for_ever.stimuli[0].schedule == brnn.Constant()


def test_feedforward_inputs_are_scaled_and_reach_the_surround() -> None:
    network = build("feedforward_shunting", pattern=[1.0, 3.0], total=8.0, surround=0.5)
    excitatory, inhibitory = network.stimuli
    np.testing.assert_allclose(excitatory.pattern, [2.0, 6.0])
    np.testing.assert_allclose(inhibitory.pattern, [3.0, 1.0])
    raised = build("feedforward_shunting", pattern=[1.0, 3.0], total=None, signal=brnn.Power(gain=1.0, exponent=2.0))
    np.testing.assert_allclose(raised.stimuli[0].pattern, [1.0, 9.0])
    shown = build("feedforward_shunting", pattern=[1.0, 3.0], total=[4.0, 40.0], on=5.0)
    assert shown.duration == 10.0
    np.testing.assert_allclose(shown.stimuli[0].at(2.0, (2,)), [1.0, 3.0])
    np.testing.assert_allclose(shown.stimuli[1].at(7.0, (2,)), [30.0, 10.0])


def test_additive_numbers_and_matrices() -> None:
    assert build("additive", B=np.eye(3), C=0.2).layers[0].shape == (3,)
    matrix = np.array([[0.0, -1.0], [2.0, 0.0]])
    projections = build("additive", B=matrix, C=matrix.T).projections
    np.testing.assert_array_equal(projections[0].topology.strengths((2,), (2,)), matrix)
    np.testing.assert_array_equal(projections[1].topology.strengths((2,), (2,)), matrix.T)
    uniform = build("additive", n=3, B=0.5, C=0.1).projections
    np.testing.assert_allclose(uniform[0].topology.strengths((3,), (3,)), 0.5 * np.eye(3))
    np.testing.assert_allclose(uniform[1].topology.strengths((3,), (3,)), 0.1 * (1.0 - np.eye(3)))


def test_membrane_has_units() -> None:
    network = build("membrane")
    assert network.time_units == "s"
    assert network.layers[0].units == "mV"


def test_distance_dependent_is_feedforward_or_recurrent() -> None:
    assert [layer.name for layer in build("distance_dependent").layers] == ["receptors", "F1"]
    recurrent = build("distance_dependent", recurrent=True)
    assert [layer.name for layer in recurrent.layers] == ["F1"]
    assert all(isinstance(projection.signal, brnn.Sigmoid) for projection in recurrent.projections)


def test_the_default_stimulus_is_a_bar_of_10_on_a_ground_of_2() -> None:
    receptors = build("distance_dependent", n=9, receptor_rate=0.5)
    np.testing.assert_array_equal(receptors.layers[0].initial, [2, 2, 2, 10, 10, 10, 2, 2, 2])
    square = build("distance_dependent", n=(3, 4), recurrent=True, signal=brnn.Linear())
    np.testing.assert_array_equal(square.stimuli[0].pattern, [[2, 2, 2, 2], [2, 10, 10, 2], [2, 2, 2, 2]])


def test_the_default_ctrnn_is_the_oscillator_of_beer() -> None:
    """Beer (1995): W = (4.5, 1; -1, 4.5) and theta = (-2.75, -1.75), which here is in the state and in the input."""
    network = build("ctrnn")
    (cells,), (link,), (drive,) = network.layers, network.projections, network.stimuli
    assert cells.shape == (2,)
    np.testing.assert_array_equal(link.topology.strengths((2,), (2,)), [[4.5, 1.0], [-1.0, 4.5]])
    np.testing.assert_array_equal(drive.pattern, [-2.75, -1.75])
    np.testing.assert_array_equal(cells.initial, [0.5 - 2.75, -1.75])


@pytest.mark.parametrize(("name", "sizes"), [("pyramids", (26, 10)), ("size_match", (20, 8))])
def test_what_flickers_is_the_outline_of_concentric_squares(name: str, sizes: tuple[int, int]) -> None:
    """The outermost pixels of a square of side s in a picture of 32 x 32: those at the distance (s - 1)/2."""
    flickers = np.hsplit(condition(name)[1], 2)
    far = np.abs(np.arange(32) - 15.5)
    distance = np.maximum(far[:, None], far)
    for flicker, size in zip(flickers, sizes, strict=True):
        np.testing.assert_array_equal(flicker, distance == (size - 1) / 2.0)


def test_the_border_of_two_halves_flickers_on_the_left_alone() -> None:
    left, right = np.hsplit(condition("bipartite")[1], 2)
    assert not right.any()
    rows, columns = np.nonzero(left)
    assert set(columns.tolist()) == {15, 16}
    assert set(rows.tolist()) == set(range(9, 23))


def test_biases_are_found_by_name() -> None:
    network = build("lstm", n=1, b=[0.1, 0.2, 0.3, 0.4])
    assert [float(bias_of(network, f"b_{letter}")[0]) for letter in "ifgo"] == [0.1, 0.2, 0.3, 0.4]
