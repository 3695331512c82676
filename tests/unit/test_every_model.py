"""What holds for every model, those that are added later included: nothing here names one."""

from __future__ import annotations

import inspect
import re
from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.spec.dotted.texts import parameters_of

every_model = pytest.mark.parametrize("name", models.names())
PARAMETERS = [(name, parameter) for name in models.names() for parameter in parameters_of(models.load(name).build)]

# No parameter of any model can be one of these, whatever its kind.
IMPOSSIBLE: tuple[Any, ...] = (float("nan"), object(), np.array([["x"]]))


@every_model
def test_defaults_make_a_network_with_a_name_a_source_and_a_duration(name: str) -> None:
    network = models.load(name).build()
    assert isinstance(network, brnn.Network)
    assert network.name == name
    assert re.search(r"\(\d{4}\b", network.reference), "the reference names no year"
    assert network.duration is not None
    assert 0.0 < network.duration < np.inf


@every_model
def test_building_twice_gives_the_same_network(name: str) -> None:
    assert models.load(name).build() == models.load(name).build()


@every_model
def test_json_gives_the_network_back(name: str) -> None:
    network = models.load(name).build()
    again = brnn.Network.from_json(network.to_json())
    assert again == network
    assert again.to_json() == network.to_json()
    assert again.replace(name="other") != network


@every_model
def test_the_docstring_describes_every_parameter_in_order(name: str) -> None:
    function = models.load(name).build
    docstring = inspect.getdoc(function)
    assert docstring is not None
    entries = re.findall(r"^(\w+) : .+\n    \S", docstring.partition("Parameters\n")[2], re.MULTILINE)
    assert entries == list(inspect.signature(function).parameters)
    for section in ("Returns\n-------\n", "Raises\n------\n"):
        assert section in docstring


@every_model
def test_every_parameter_has_a_default(name: str) -> None:
    assert all(p.default is not p.empty for p in inspect.signature(models.load(name).build).parameters.values())


@every_model
def test_the_module_gives_equations_source_and_what_is_known(name: str) -> None:
    module = models.load(name)
    docstring = module.__doc__
    assert docstring is not None
    equation = r"d[a-zA-Z]\w*/dt = " if module.build().step is None else r"\w\S*(\(t \+ \S+\)| <- | = )"
    assert re.search(rf"^    .*{equation}", docstring, re.MULTILINE), "there is no equation"
    assert re.search(r"\nSource: .*\(\d{4}", docstring), "the source has no year"
    assert "\nWhat is known" in docstring


@every_model
def test_there_are_claims_each_with_a_title_and_a_source(name: str) -> None:
    claims = models.load(name).CLAIMS
    assert claims
    titles = [claim.title for claim in claims]
    assert len(set(titles)) == len(titles)
    assert all(claim.title and claim.source for claim in claims)


@pytest.mark.parametrize(("name", "parameter"), PARAMETERS)
def test_impossible_values_are_refused_in_one_line_that_names_the_parameter(name: str, parameter: str) -> None:
    for value in IMPOSSIBLE:
        with pytest.raises((SpecError, InputError)) as caught:
            models.load(name).build(**{parameter: value})
        text = str(caught.value)
        assert "\n" not in text
        assert re.search(rf"\b{parameter}\b", text), text


@every_model
def test_an_unknown_parameter_is_refused_with_a_near_one(name: str) -> None:
    known = list(inspect.signature(models.load(name).build).parameters)
    longest = max(known, key=len)
    wrong = longest + "x"
    assert wrong not in known
    with pytest.raises(InputError) as caught:
        brnn.sweep(name, brnn.Grid(**{wrong: [1.0]}), progress=False)
    text = str(caught.value)
    assert "\n" not in text
    assert f"has no parameter '{wrong}'" in text
    assert f"did you mean '{longest}'" in text
