"""Models of competition and of associative memory: defaults, what a user may give, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError, SpecError

NAMES = ["adaptation_level", "bam", "cohen_grossberg", "competitive_market", "may_leonard"]

every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    network = models.load(name).build(**arguments)
    assert isinstance(network, brnn.Network)
    return network


@every_model
def test_defaults_make_a_network_with_a_protocol(name: str) -> None:
    network = build(name)
    assert network.name == name
    assert network.duration is not None
    assert network.reference
    assert brnn.Network.from_json(network.to_json()) == network == build(name)
    result = brnn.simulate(network)
    x = result[f"{network.layers[0].name}.x"].values
    assert np.isfinite(x).all()
    assert np.ptp(x, axis=0).max() > 0.1


REFUSED = [
    ("cohen_grossberg", {"kind": "hopfeld"}, "cohen_grossberg: kind = 'hopfeld'"),
    ("cohen_grossberg", {"kind": "hopfeld"}, "did you mean 'hopfield'?"),
    ("cohen_grossberg", {"a": 2.0}, "cohen_grossberg: a = 2.0: must be a signal"),
    ("cohen_grossberg", {"c": -1.0}, "cohen_grossberg: c = -1: must be a number >= 0"),
    ("cohen_grossberg", {"c": np.eye(3), "n": 4}, "c: has shape (3, 3), must be one number or have shape (4, 4)"),
    ("cohen_grossberg", {"c": [[1.0, np.nan], [0.0, 1.0]]}, "cohen_grossberg: c: element (0, 1) is nan"),
    (
        "cohen_grossberg",
        {"c": [[1.0, 2.0, 0.0], [2.0, 0.0, 3.0], [0.0, 3.5, 0.0]]},
        "c: must be symmetric, but c[1, 2] = 3 and c[2, 1] = 3.5: the largest asymmetry, 0.5",
    ),
    ("cohen_grossberg", {"I": [1.0, 2.0], "n": 3}, "cohen_grossberg: I: has shape (2,), must have shape (3,)"),
    ("cohen_grossberg", {"seed": -1}, "cohen_grossberg: seed"),
    ("cohen_grossberg", {"n": 0}, "cohen_grossberg: n"),
    ("may_leonard", {"a": -0.1}, "may_leonard: a = -0.1: must be a number >= 0"),
    ("may_leonard", {"b": [1.0, 2.0]}, "may_leonard: b: has shape (2,), must have shape (3,)"),
    ("may_leonard", {"initial": [0.5, 0.5]}, "may_leonard: initial: has shape (2,)"),
    ("may_leonard", {"initial": [0.5, -0.5, 1.0]}, "may_leonard: initial: element 1 is -0.5"),
    ("may_leonard", {"initial": [0.5, 0.0, 1.0]}, "has an element 0, which has no logarithm (use logarithmic=False)"),
    ("may_leonard", {"logarithmic": "yes"}, "may_leonard: logarithmic = 'yes': must be true or false"),
    ("adaptation_level", {"d": None}, "adaptation_level: d = None: must be a signal"),
    ("adaptation_level", {"J": [np.inf, 1.0]}, "adaptation_level: J: element 0 is inf"),
    ("adaptation_level", {"initial": "x"}, "adaptation_level: initial"),
    ("competitive_market", {"rise": 0.0}, "competitive_market: rise = 0: must be a number > 0"),
    ("competitive_market", {"demand": -1.0}, "competitive_market: demand = -1: must be a number >= 0"),
    ("competitive_market", {"costs": [1.0, 2.0], "n": 3}, "competitive_market: costs: has shape (2,)"),
    ("competitive_market", {"initial": -1.0}, "competitive_market: initial = -1"),
    ("bam", {"kind": "other"}, "bam: kind = 'other': must be one of adaptive, continuous, discrete"),
    ("bam", {"A": [[1, 2], [0, 1]]}, "bam: A: every element must be 0 or 1"),
    ("bam", {"A": [1, 0, 1]}, "bam: A: has 1 dimensions, must have 2"),
    ("bam", {"B": [[1, 0]]}, "bam: B: has 1 patterns, must have as many as A, 2"),
    ("bam", {"cue": [1.0, 2.0]}, "bam: cue: has shape (2,), must have shape (6,)"),
    ("bam", {"I": [1.0]}, "bam: I: has shape (1,), must have shape (6,)"),
    ("bam", {"signal": brnn.Linear}, "bam: signal = Linear: must be a value"),
    ("bam", {"on": 0.0}, "bam: on = 0"),
]


@pytest.mark.parametrize(("name", "arguments", "words"), REFUSED)
def test_refused_in_one_line(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as caught:
        build(name, **arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["adaptation_level", "cohen_grossberg"])
def test_shapes(name: str) -> None:
    for n in (1, 5, (3, 4)):
        network = build(name, n=n)
        assert network.layers[0].shape == (n if isinstance(n, tuple) else (n,))
    for kind in ("lotka_volterra", "hopfield"):
        assert build("cohen_grossberg", n=(2, 3), kind=kind).layers[0].shape == (2, 3)
    assert build("cohen_grossberg", c=np.zeros((4, 4))).layers[0].shape == (4,)
    assert build("competitive_market", costs=[1.0, 2.0, 3.0]).layers[0].shape == (3,)
    assert build("competitive_market", n=9).layers[0].shape == (9,)


def test_abundances_with_and_without_logarithms() -> None:
    start = [0.5, 0.3, 0.2]
    runs = [
        brnn.simulate(models.may_leonard.build(initial=start, logarithmic=which), 30.0, rtol=1e-9, atol=1e-12)
        for which in (True, False)
    ]
    one, other = (models.may_leonard.abundances(result) for result in runs)
    np.testing.assert_allclose(one, other, atol=1e-7)
    np.testing.assert_allclose(one[0], start, rtol=1e-15)


def test_large_initial_activities_are_below_the_ceiling() -> None:
    """The exponential has a ceiling that no solution reaches, wherever it starts."""
    x = np.array([50.0, 2.0, 1.0])
    rhs = brnn.compile_network(models.may_leonard.build(initial=x)).rhs(0.0)
    c = [[1.0, 0.8, 1.3], [1.3, 1.0, 0.8], [0.8, 1.3, 1.0]]
    np.testing.assert_allclose(rhs(0.0, np.log(x)), 1.0 - np.array(c) @ x, rtol=1e-13)


def test_the_default_bam_learns_and_resonates() -> None:
    network = models.bam.build()
    result = brnn.simulate(network, 40.0)
    A, B = np.array([1, 0, 1, 0, 1, 0]), np.array([1, 1, 0, 0])
    np.testing.assert_array_equal(result.final("F1").values > 0, A == 1)
    np.testing.assert_array_equal(result.final("F2").values > 0, B == 1)
    assert np.abs(result.final("F1").values).min() > 3  # long after the inputs


def test_correlation() -> None:
    M = models.bam.correlation([[1, 0], [1, 1]], [[0, 1, 1], [1, 1, 0]])
    np.testing.assert_array_equal(M, [[0, 2, 0], [2, 0, -2]])
