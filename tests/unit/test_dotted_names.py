"""Dotted names where no sweep is: `Network.with_`, the `build` of models, ``--set``."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.cli.model import Model, find_model
from brnn.errors import InputError
from brnn.models import rcf
from brnn.signals import Linear, Saturating, Sigmoid
from brnn.spec.dotted.texts import parameters_of

NETWORK = rcf.build(n=4, initial=[0.1, 0.2, 0.3, 0.4])


def test_a_network_with_other_values() -> None:
    layer, (exc, inh) = NETWORK.layers[0], NETWORK.projections
    found = NETWORK.with_({"rcf.A": 0.5, "rcf.initial.3": 0.7, "rcf_rcf_exc.signal.half": "0.2"}, duration=12)
    expected = NETWORK.replace(
        layers=[layer.replace(A=0.5, initial=[0.1, 0.2, 0.3, 0.7])],
        projections=[exc.replace(signal=Sigmoid(gain=1.0, half=0.2, exponent=2.0)), inh],
        duration=12.0,
    )
    assert found == expected
    assert NETWORK.layers[0].A == 1.0
    assert NETWORK.with_() == NETWORK
    row = brnn.Grid(**{"rcf.A": [0.5, 0.7]}).member(1)
    assert NETWORK.with_(**row).layers[0].A == 0.7
    assert NETWORK.with_(row) == brnn.build(NETWORK, row)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rfc.A": 1.0}, "rfc.A: the network rcf has no 'rfc' (it has rcf, rcf_rcf_inh, rcf_rcf_exc, duration); did "),
        ({"rcf.a": 1.0}, "rcf.a: Layer has no field 'a'"),
        ({"A": 1.0}, "A: the network rcf has no 'A'"),
        ({"rcf.A": -1.0}, "Layer 'rcf': A = -1: must be"),
        ({"rcf": 1.0}, "rcf: cannot be set as a whole; name a part of it"),
        ({"rcf.initial.4": 1.0}, "rcf.initial.4: there is no such element"),
        ({"rcf.initial.\u00b2": 1.0}, "rcf.initial is no signal or other specification, it has no field '\u00b2'"),
        ({f"rcf.initial.{'9' * 5000}": 1.0}, "it has no field '999"),
    ],
)
def test_changes_that_are_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises((InputError, brnn.SpecError)) as caught:
        NETWORK.with_(changes)
    assert words in str(caught.value)


@pytest.mark.parametrize("name", models.names())
def test_the_build_of_every_model_takes_a_row(name: str) -> None:
    build = models.load(name).build
    signals = [key for key, known in parameters_of(build).items() if isinstance(known.default, brnn.Signal)]
    numbers = [
        f"{key}.{field}" for key in signals for field in inspect.signature(type(build_default(build, key))).parameters
    ]
    for dotted in numbers[:1]:
        key, field = dotted.split(".")
        default = build_default(build, key)
        value = getattr(default, field, None)
        if isinstance(value, float):
            assert build(**{dotted: 0.9 * value}) == build(**{key: default.replace(**{field: 0.9 * value})})
    with pytest.raises(InputError, match=rf"x\.y: {name}\.build has no parameter 'x' \(it has"):
        build(**{"x.y": 1.0})


def build_default(build: Any, key: str) -> Any:
    return inspect.signature(build).parameters[key].default


def test_a_row_of_a_design_is_what_the_build_of_a_model_takes() -> None:
    design = brnn.Grid(A=[0.5, 1.0], signal=["sigmoid", "saturating"], **{"signal.half": [0.2], "initial.1": [0.3]})
    row = design.member(3) | {"initial": np.full(4, 0.1)}
    expected = rcf.build(A=1.0, signal=Saturating(half=0.2), initial=[0.1, 0.3, 0.1, 0.1])
    assert rcf.build(**row) == expected
    assert rcf.build(4, **{"signal.half": 0.2}) == rcf.build(n=4, signal=Sigmoid(half=0.2))
    assert rcf.build(signal="linear") == rcf.build(signal=Linear())
    with pytest.raises(InputError, match="signal=sigmiod: unknown signal 'sigmiod'; did you mean 'sigmoid'"):
        rcf.build(signal="sigmiod")
    with pytest.raises(TypeError, match="unexpected keyword argument 'half'"):
        rcf.build(half=1.0)  # type: ignore[call-arg]


def test_set_changes_a_saved_network() -> None:
    saved = Model("rcf.json", saved=NETWORK)
    assert saved.build(["rcf.A=0.5", "rcf.initial.3 = 0.7"]) == NETWORK.with_({"rcf.A": 0.5, "rcf.initial.3": 0.7})
    assert saved.build(["rcf_rcf_exc.signal=saturating"]).projections[0].signal == Saturating()
    for text, words in (
        ("A=0.5", "--set A=0.5: the network rcf has no 'A' (it has rcf, "),
        ("rcf.A=x", "--set rcf.A=x: rcf.A must be a number"),
        ("rcf.A", "--set rcf.A: must be KEY=VALUE"),
    ):
        with pytest.raises(InputError) as caught:
            saved.build([text])
        assert str(caught.value).startswith(words)
    with pytest.raises(InputError, match="--set rcf.A=2: rcf.A is set twice"):
        saved.build(["rcf.A=1", "rcf.A=2"])


def test_set_changes_an_element() -> None:
    found = find_model("rcf").build(["initial=0.1,0.2,0.3", "initial.2=0.5"])
    assert found == rcf.build(initial=[0.1, 0.2, 0.5])
    for text, words in (
        ("initial.1=0.5", "--set initial.1: initial is not set; give 'initial' or each of its elements"),
        ("A.0=0.5", "--set A.0: A is one number, which has no elements"),
        ("initial.0=x", "--set initial.0=x: initial.0 must be a number"),
    ):
        with pytest.raises(InputError) as caught:
            find_model("rcf").build([text])
        assert str(caught.value).startswith(words)
