"""The models that learn: their defaults, what they take, what they refuse and with which words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.models.parts.presentations import Presentations, order_of, pattern_rows, unit_rows
from brnn.models.parts.supervised import step_factor

NAMES = [
    "adaline",
    "competitive_learning",
    "instar",
    "instar_outstar_map",
    "linear_associator",
    "outstar",
    "spatial_pattern_learning",
]

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


@every_model
def test_the_default_run_is_finite_and_learns(name: str) -> None:
    network = build(name)
    assert network.name == name
    assert network.duration is not None
    result = brnn.simulate(network)
    for projection in network.projections:
        if projection.learning is not None:
            z = np.asarray(result[f"{projection.name}.z"])
            assert np.isfinite(z).all()
            assert np.abs(z[-1] - z[0]).max() > 0.05
    for layer in network.layers:
        assert np.isfinite(np.asarray(result[f"{layer.name}.x"])).all()


@every_model
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[0.5, float("nan")], [0.1, 0.2]], "element (0, 1) is nan"),
        ("abc", "must be"),
        ([], "empty"),
        ([[1.0, 2.0], [3.0]], "must be an array of numbers"),
    ],
)
def test_bad_patterns(name: str, value: Any, words: str) -> None:
    text = refusal(name, pattern=value)
    assert text.startswith(f"{name}: pattern")
    assert words in text


@every_model
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-1.0, "-1: must be a number >= 0"),
        (float("nan"), "nan: must be finite >= 0"),
        ("fast", "'fast': must be a number >= 0"),
    ],
)
def test_bad_learning_rate(name: str, value: Any, words: str) -> None:
    assert refusal(name, M=value) == f"{name}: M = {words}"


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("outstar", {"A": 0}, "outstar: A = 0: must be a number > 0"),
        ("outstar", {"D": -1}, "outstar: D = -1: must be a number >= 0"),
        ("outstar", {"n": 0}, "outstar: n"),
        ("outstar", {"n": 10**12}, "TB of memory"),
        ("outstar", {"pattern": [-1.0, 2.0]}, "element 0 is -1"),
        ("outstar", {"pattern": [0.0, 0.0]}, "is 0 everywhere"),
        ("outstar", {"cue": -1}, "outstar: cue"),
        ("outstar", {"cue": [[1.0]]}, "one for each source cell"),
        ("outstar", {"recall": []}, "outstar: recall: the array is empty"),
        ("outstar", {"recall": [[1.0]]}, "must be a list of factors"),
        ("outstar", {"on": 0}, "outstar: on = 0"),
        ("outstar", {"window": -1}, "outstar: window = -1"),
        ("outstar", {"law": "hebb"}, "must be one of outstar, doubly_gated, passive_decay"),
        ("outstar", {"signal": "x"}, "signal=x: unknown signal 'x'"),
        ("outstar", {"weights": [1.0, 2.0]}, "must have 10 elements"),
        ("instar", {"taught": [2]}, "instar: taught: 2 is not the index of a pattern (there are 2, from 0 on)"),
        ("instar", {"taught": [0.5]}, "0.5 is not the index"),
        ("instar", {"cycles": 0}, "instar: cycles = 0"),
        ("instar", {"cycles": 1.5}, "must be a whole number"),
        ("instar", {"total": 0}, "instar: total = 0"),
        ("instar", {"teacher": -1}, "instar: teacher = -1"),
        ("instar", {"each": 0}, "instar: each = 0"),
        ("instar", {"law": "oja"}, "must be one of instar, self_normalizing"),
        ("instar", {"pattern": [[1.0, 2.0], [0.0, 0.0]]}, "row 1 is 0 everywhere"),
        ("instar", {"weights": np.ones(3)}, "must have 10 elements"),
        ("spatial_pattern_learning", {"sources": 0}, "spatial_pattern_learning: sources = 0"),
        ("spatial_pattern_learning", {"recurrent": 1}, "must be true or false"),
        ("spatial_pattern_learning", {"strengths": [1.0, 0.0, 1.0, 1.0]}, "each must be > 0"),
        ("spatial_pattern_learning", {"strengths": [1.0]}, "must have shape (4,)"),
        ("spatial_pattern_learning", {"delay": -1}, "delay = -1"),
        ("spatial_pattern_learning", {"seed": -1}, "seed = -1"),
        ("spatial_pattern_learning", {"cycles": 0}, "cycles = 0"),
        ("spatial_pattern_learning", {"pattern": [0.0, 0.0]}, "is 0 everywhere"),
        ("competitive_learning", {"m": 0}, "competitive_learning: m = 0"),
        ("competitive_learning", {"m": 10**13}, "TB of memory"),
        ("competitive_learning", {"order": [0, 18]}, "18 is not the index of a pattern (there are 18, from 0 on)"),
        ("competitive_learning", {"order": [-1]}, "-1 is not the index"),
        ("competitive_learning", {"winner": "best"}, "must be one of rcf, fast"),
        ("competitive_learning", {"speed": 0}, "competitive_learning: speed = 0"),
        ("competitive_learning", {"weights": np.ones((2, 2))}, "must have shape (3, 2)"),
        ("competitive_learning", {"pattern": [[0.0, 0.0]]}, "pattern 0 is 0 everywhere"),
        ("competitive_learning", {"pattern": [[-1.0, 0.0]]}, "must be >= 0"),
        ("competitive_learning", {"pattern": np.ones((2, 2, 2))}, "must be (patterns, cells)"),
        ("competitive_learning", {"window": 3}, "a schedule"),
        ("instar_outstar_map", {"outputs": np.ones((3, 1))}, "there are 3 outputs for 24 inputs"),
        ("instar_outstar_map", {"m": 25}, "is more than the 24 inputs; give weights to start from"),
        ("instar_outstar_map", {"tests": np.ones((2, 3))}, "has patterns of 3 cells, must have 2"),
        ("linear_associator", {"values": np.ones((3, 1))}, "there are 3 values for 4 keys"),
        ("linear_associator", {"rule": "hebb"}, "must be one of correlation, error"),
        ("linear_associator", {"tests": np.ones((2, 3))}, "has patterns of 3 cells, must have 8"),
        ("linear_associator", {"cycles": 0}, "linear_associator: cycles = 0"),
        ("adaline", {"pattern": np.ones((3, 2))}, "adaline: targets: are needed"),
        ("adaline", {"targets": [1.0]}, "must have shape (4,)"),
        ("adaline", {"bias": 1}, "must be true or false"),
        ("adaline", {"weights": [1.0, 2.0]}, "must have 3 elements"),
        ("adaline", {"speed": -1}, "adaline: speed = -1"),
    ],
)
def test_bad_parameter(name: str, arguments: dict[str, Any], words: str) -> None:
    assert words in refusal(name, **arguments)


def test_presentations() -> None:
    shown = Presentations(np.array([2, 0, 1]), 2.0, start=1.0)
    assert (shown.count, shown.stop) == (3, 7.0)
    np.testing.assert_allclose(shown.onsets(), [1.0, 3.0, 5.0])
    np.testing.assert_allclose(shown.at(0.25), [1.5, 3.5, 5.5])
    np.testing.assert_allclose(shown.during(0.5, 1.0).intervals, [[2, 3], [4, 5], [6, 7]])
    after = shown.then(np.array([1]))
    np.testing.assert_allclose(after.shown(0.25).intervals, [[7.0, 8.5]])
    patterns = np.array([[1.0], [10.0], [100.0]])
    stimulus = brnn.Stimulus("x", pattern=patterns, schedule=shown.shown())
    assert [stimulus.at(time, (1,))[0] for time in (0.5, 1.5, 4.0, 6.9, 7.1)] == [0.0, 100.0, 1.0, 10.0, 0.0]


def test_patterns_are_rows() -> None:
    assert pattern_rows([1.0, 2.0], "p").shape == (1, 2)
    np.testing.assert_allclose(unit_rows(np.array([[3.0, 4.0]]), "p"), [[0.6, 0.8]])
    np.testing.assert_array_equal(order_of([1, 0], "o", 2), [1, 0])


def test_the_part_of_an_error_that_a_presentation_takes_away() -> None:
    """For cells that follow at once it is 1 - exp(-M |x|^2 T), T = 1/2; slower cells oscillate around it."""
    x = np.array([[1.0, 2.0], [0.1, 0.0]])
    np.testing.assert_allclose(step_factor(0.3, 1e5, x), 1.0 - np.exp(-0.15 * np.array([5.0, 0.01])), rtol=1e-4)
    assert step_factor(0.3, 60.0, x)[0] > 1.0 - np.exp(-0.75)


@pytest.mark.parametrize("winner", ["rcf", "fast"])
def test_every_category_gets_its_pattern_and_the_largest_wins(winner: str) -> None:
    network = build(
        "competitive_learning", m=3, winner=winner, pattern=np.eye(3), weights=np.eye(3)[[2, 0, 1]], cycles=1
    )
    result = brnn.simulate(network, times=[0.8, 1.8, 2.8])
    shown = network.stimuli[0].schedule.items
    np.testing.assert_array_equal(np.asarray(result["category.x"]).argmax(axis=1), np.array([1, 2, 0])[shown])


def test_correlations_are_those_of_what_was_taught_whatever_else_is_recalled() -> None:
    """The copy of the weights cancels recall during training: the same key with two values adds both products."""
    x, y = np.array([[1.0, 2.0], [1.0, 2.0]]), np.array([[1.0], [-3.0]])
    result = brnn.simulate(build("linear_associator", pattern=x, values=y, rule="correlation"), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(result.final("memory.z"), y.T @ x, atol=1e-8)
    np.testing.assert_allclose(result.final("output"), [-10.0], atol=1e-7)
