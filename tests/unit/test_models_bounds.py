"""What models take if nothing is given, and refuse: outside of the documented range, beyond the memory there is."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brnn import models
from brnn.base import memory
from brnn.errors import InputError, SpecError

_RANGE = re.compile(r"^(\w+) : (float|int)(?: or [^,\n]+)?, (>=|>|in) (\S.*)$", re.MULTILINE)
NOT_BY_ITSELF = {("item_and_order_readout", "threshold")}  # 0 is taken if there is noise


def _documented(name: str) -> list[tuple[str, str, str, str]]:
    """Return parameter, type, relation and bound of each number whose range the docstring gives."""
    parameters = (inspect.getdoc(models.load(name).build) or "").partition("Parameters\n")[2].partition("Returns\n")[0]
    return _RANGE.findall(parameters)


def _outside(kind: str, relation: str, bound: str) -> list[float]:
    """Return values just outside of a range."""
    if relation == "in":
        low, high = (float(edge) for edge in re.findall(r"-?[\d.]+", bound)[:2])
        found = [low - 0.125, high + 0.125]
        return found + [low] * bound.startswith("(") + [high] * bound.rstrip(" (1)").endswith(")")
    edge = float(bound.split()[0].rstrip(","))
    if kind == "int":
        return [int(edge) - 1]
    return [edge - 0.125, *([edge] if relation == ">" else [])]


@pytest.mark.parametrize("name", models.names())
def test_numbers_outside_of_the_documented_range_are_refused(name: str) -> None:
    for parameter, kind, relation, bound in _documented(name):
        for value in _outside(kind, relation, bound):
            with pytest.raises((SpecError, InputError)) as caught:
                models.load(name).build(**{parameter: value})
            assert re.search(rf"\b{parameter}\b", str(caught.value)), f"{parameter} = {value}: {caught.value}"


@pytest.mark.parametrize("name", models.names())
def test_numbers_at_the_edge_of_the_documented_range_are_taken(name: str) -> None:
    for parameter, kind, relation, bound in _documented(name):
        if relation == ">=" and (name, parameter) not in NOT_BY_ITSELF:
            edge = float(bound.split()[0].rstrip(","))
            found = ""
            try:
                models.load(name).build(**{parameter: int(edge) if kind == "int" else edge})
            except SpecError as error:  # another parameter may not allow it, such as an array of another size
                found = str(error)
            assert "must be a number" not in found


# Bytes that a network needs, from what the model's file says of it: 16 numbers for each weight, and so on.
SIZES: list[tuple[str, dict[str, Any], int]] = [
    ("adaline", {"pattern": np.eye(5), "targets": np.ones(5)}, 8 * 16 * 6),
    ("art1", {"pattern": np.eye(2, 3), "m": 4, "cycles": 3}, 8 * 16 * (2 * 4 * 3 + 18)),
    ("art1_fast", {"pattern": np.eye(2, 3), "m": 4}, 8 * 16 * (2 * 4 * 3 + 6)),
    ("art2", {"pattern": np.eye(2, 3), "m": 4}, 8 * 16 * (2 * 4 * 3 + 6)),
    ("avalanche", {"frames": np.eye(3, 5)}, 8 * 16 * 15),
    ("brain_state_in_a_box", {"patterns": np.ones((2, 30))}, 16 * 900),
    ("caianiello", {"n": 5, "refractory": 3}, 8 * 3 * 25),
    ("competitive_learning", {"pattern": np.eye(5), "m": 4}, 8 * 16 * 20),
    ("context_sensitive_avalanche", {"items": np.eye(3, 7), "lists": [[0, 1, 2]], "m": 6}, 8 * 16 * 6 * (3 + 7 + 6)),
    ("distributed_artmap", {"pattern": np.eye(2, 3), "classes": [0, 1], "m": 4}, 8 * 16 * (4 * 4 * 3 + 4 * 2 + 4 * 8)),
    ("fuzzy_art", {"pattern": np.eye(2, 3), "m": 4, "cycles": 3}, 8 * 16 * (4 * 4 * 3 + 36)),
    ("instar_outstar_map", {"pattern": np.eye(5), "outputs": np.ones((5, 2)), "m": 4}, 8 * 16 * 4 * 7),
    ("item_and_order_readout", {"n": 3, "lists": 50}, 8 * 150 * 69),
    ("linear_associator", {"pattern": np.eye(3, 5), "values": np.ones((3, 2))}, 8 * 16 * 20),
    ("rcf", {"n": (4, 3)}, 8 * 20 * 12),
    ("rosenblatt", {"n": 5}, 16 * 25),
    ("self_organizing_avalanche", {"items": np.eye(3, 7), "lists": [[0, 1, 2]], "m": 6}, 8 * 16 * 6 * (14 + 6)),
    ("serial_learning", {"n": 4}, 8 * 16 * 16),
    ("spatial_pattern_learning", {"n": 5, "sources": 3}, 8 * 16 * 15),
    ("store", {"n": 4}, 8 * 20 * 16),
    ("store_rank", {"items": "ABA", "ranks": 9}, 8 * 4 * 18**2),
]


@pytest.mark.parametrize(("name", "arguments", "size"), SIZES, ids=[row[0] for row in SIZES])
def test_what_does_not_fit_into_memory_is_refused(
    name: str, arguments: dict[str, Any], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "_ALWAYS", 0.0)
    monkeypatch.setattr(memory, "available_memory", lambda: size)
    models.load(name).build(**arguments)
    monkeypatch.setattr(memory, "available_memory", lambda: size - 1)
    with pytest.raises(InputError, match="of memory; this machine has"):
        models.load(name).build(**arguments)


def test_the_default_run_of_a_net_with_memory_is_long_enough_for_its_waves() -> None:
    assert models.load("caianiello").build(n=7, tau=0.5).duration == 12.0
    assert models.load("caianiello").build(n=20, tau=0.5).duration == 30.0


def test_the_default_of_every_parameter_is_as_published() -> None:
    # A default is a part of the interface: to change one is to change this file, and to say it in the changelog.
    published = json.loads((Path(__file__).parent.parent / "data" / "model_defaults.json").read_text())
    found = {
        name: {key: repr(p.default) for key, p in inspect.signature(models.load(name).build).parameters.items()}
        for name in models.names()
    }
    assert list(found) == list(published)
    for name in found:
        assert found[name] == published[name], name


def test_a_dipole_that_is_shown_something_for_ever_runs_for_a_hundred_units_more() -> None:
    build = models.load("gated_dipole").build
    assert build(start=3.0, on=np.inf).duration == 103.0
    assert build(start=3.0, on=8.0).duration == 3.0 + 2.5 * 8.0


def test_a_box_with_feedback_of_its_own_begins_between_its_corners() -> None:
    network = models.load("brain_state_in_a_box").build(W=np.eye(3))
    assert network.layers[0].initial.tolist() == [0.1, -0.1, 0.1]
