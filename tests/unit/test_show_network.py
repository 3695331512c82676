"""What `brnn show` and `brnn info` say of a network: all that its JSON holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import brnn
from brnn import models
from brnn.base.plain import plain_spec
from brnn.base.words import exact_in_words, number_in_words
from brnn.cli.app import app
from brnn.cli.network import network_in_words
from tests.parts import delayed, every_part


def said_of(network: Any) -> str:
    """Return what is said of a network, or of its JSON data."""
    plain = plain_spec(network)
    return f"{plain.get('name')}\n{network_in_words(plain)}"


def changes(data: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield each number, text and truth value of JSON data with another value for it; of arrays the first element."""
    if isinstance(data, dict):
        for key, item in data.items():
            if data.get("type") in ("array", "csr") and key in ("dtype", "shape", "indices", "indptr"):
                continue
            yield from changes(item, (*place, key))
    elif isinstance(data, list):
        array = place[-1:] == ("values",)
        for k, item in enumerate(data[:1] if array else data):
            yield from changes(item, (*place, k))
    elif isinstance(data, bool):
        yield place, not data
    elif isinstance(data, int):
        yield place, data + 1
    elif isinstance(data, float):
        yield place, data * (1.0 + 1e-9) if data else 1e-9
    elif isinstance(data, str) and place[-1] not in ("type", "packed"):
        yield place, {"inf": "7.0", "source": "connection"}.get(data, f"{data}x")


@contextlib.contextmanager
def changed(data: Any, place: tuple[Any, ...], value: Any) -> Iterator[None]:
    """Change the data for a moment."""
    inner = data
    for key in place[:-1]:
        inner = inner[key]
    before, inner[place[-1]] = inner[place[-1]], value
    try:
        yield
    finally:
        inner[place[-1]] = before


NETWORKS = {
    **{name: lambda name=name: models.load(name).build() for name in models.names()},
    "every part": every_part,
    "delayed": delayed,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_whatever_is_changed_in_the_json_changes_what_is_said(name: str) -> None:
    network = NETWORKS[name]()
    data = network.to_dict()
    before = said_of(data)
    assert before == said_of(network)
    places = list(changes(data))
    assert len(places) > 10
    for place, value in places:
        with changed(data, place, value):
            assert said_of(data) != before, f"{'.'.join(map(str, place))} = {value!r}"
    for k, part in enumerate(data["projections"]):  # a gate or a learning law that is not there
        for field in ("gate", "learning"):
            if part[field] is not None:
                with changed(data, ("projections", k, field), None):
                    assert said_of(data) != before


def test_the_whole_of_a_large_array_is_in_its_hash() -> None:
    layer = brnn.Layer.additive("F", 100, A=np.ones(100))
    network = brnn.Network("n", [layer])
    other = np.ones(100)
    other[[3, 4]] = [0.999, 1.0]
    swapped = other.copy()
    swapped[[3, 4]] = swapped[[4, 3]]
    texts = {said_of(brnn.Network("n", [layer.replace(A=A)])) for A in (np.ones(100), other, swapped)}
    assert len(texts) == 3
    assert "A = [100 elements, all 1, #" in said_of(network)


def test_numbers_have_the_digits_that_they_need() -> None:
    assert [number_in_words(x) for x in (1.0, 0.25, 1e-9, 1 / 3, 123456789.0)] == [
        "1", "0.25", "1e-09", "0.3333333333333333", "123456789.0",
    ]  # fmt: skip
    assert [number_in_words(x) for x in (1.0 - 0.8, 2.0 - 0.7 - 0.1, -0.1 * 3, 1e-3 / 7, 0.1 + 1e-13)] == [
        "0.2", "1.2", "-0.3", "0.00014285714285714287", "0.1000000000001",
    ]  # fmt: skip
    assert exact_in_words(np.array([[0.5, 1.0], [2.0, -0.0]])) == "[0.5 1; 2 0]"
    assert exact_in_words(np.array([1 / 3])).startswith("[0.33333, #")


def test_gates_laws_and_delays_are_shown(tmp_path: Path) -> None:
    run = CliRunner().invoke
    dipole = run(app, ["show", "gated_dipole"]).output
    assert "gate (MTM)" in dipole
    assert "HabituativeGate(H=0.05, K=1, L=0.01" in dipole
    assert "Outstar(rate=1, sampling=f," in " ".join(run(app, ["show", "outstar"]).output.split())
    kernels = " ".join(run(app, ["show", "distance_dependent"]).output.split())
    assert "GaussianKernel(weight=1, width=1" in kernels
    assert "GaussianKernel(weight=1, width=4" in kernels
    brnn.simulate(delayed(), 1.0, record=tmp_path / "run.h5").close()
    assert "  delay     0.5\n" in run(app, ["info", str(tmp_path / "run.h5")]).output
