"""Projections whose signals arrive within the same step of discrete time, and the layers of artificial networks."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn.errors import SpecError
from brnn.spec.layers.gated_unit import GatedUnitLayer
from brnn.spec.layers.memory_cell import MemoryCellLayer
from brnn.spec.layers.unit import UnitLayer
from brnn.spec.layers.update_gate import UpdateGateLayer
from brnn.spec.projection import ImmediateProjection


def chain(link: type[brnn.Projection]) -> brnn.Network:
    """A pulse goes through three layers, by a sum, a matrix and a shift."""
    layers = [UnitLayer(name, 3, "linear") for name in "abc"]
    links = [
        link("a", "b", topology=brnn.AllButSelf(0.5)),
        link("b", "c", topology=brnn.Dense(np.diag([1.0, 2.0, 3.0]))),
        link("a", "c", topology=brnn.OneToOne(10.0)),
    ]
    shown = brnn.Stimulus("a", "excitatory", [1.0, 2.0, 4.0], brnn.Pulse(0.0, 1.0))
    return brnn.Network("chain", layers, links, [shown], duration=4.0)


def test_signals_arrive_within_the_step_or_a_step_later_each() -> None:
    at_once = brnn.simulate(chain(ImmediateProjection))
    b = 0.5 * np.array([6.0, 5.0, 3.0])
    c = b * [1.0, 2.0, 3.0] + [10.0, 20.0, 40.0]
    assert at_once["b.x"].values.tolist() == [[0.0] * 3, b.tolist(), *[[0.0] * 3] * 3]
    assert at_once["c.x"].values.tolist() == [[0.0] * 3, c.tolist(), *[[0.0] * 3] * 3]
    late = brnn.simulate(chain(brnn.Projection))["c.x"].values
    assert late[2].tolist() == [10.0, 20.0, 40.0]
    assert late[3].tolist() == (b * [1.0, 2.0, 3.0]).tolist()


def test_json_gives_it_back_and_other_networks_do_not_mention_it() -> None:
    network = chain(ImmediateProjection)
    assert brnn.Network.from_json(network.to_json()) == network != chain(brnn.Projection)
    assert "mmediate" not in chain(brnn.Projection).to_json()


def test_what_cannot_arrive_at_once_is_refused() -> None:
    one, two = UnitLayer("one", 2), UnitLayer("two", 2)
    backward = ImmediateProjection("two", "one")
    with pytest.raises(SpecError, match="two must stand before one in `layers`"):
        brnn.Network("n", [one, two], [backward])
    with pytest.raises(SpecError, match="one must stand before one"):
        brnn.Network("n", [one, two], [ImmediateProjection("one", "one")])
    with pytest.raises(SpecError, match="need layers of discrete time"):
        brnn.Network("n", [brnn.Layer.additive(name, 2, A=1.0) for name in ("two", "one")], [backward])
    with pytest.raises(SpecError, match="delay = 1: signals that arrive within the same step have none"):
        ImmediateProjection("one", "two", delay=1.0)


@pytest.mark.parametrize(
    ("layer", "field", "value"),
    [(UnitLayer, "activation", "softmax"), (GatedUnitLayer, "activation", 1), (UpdateGateLayer, "gate", "hold"),
     (MemoryCellLayer, "forget", "always"), (UnitLayer, "step", 0.0)],
)  # fmt: skip
def test_values_that_do_not_exist_are_refused(layer: type, field: str, value: object) -> None:
    with pytest.raises(SpecError, match=field):
        layer("F", 2, **{field: value})


@pytest.mark.parametrize(("name", "wrong", "said"), [
    ("lstm", {"W": np.zeros((8, 3)), "pattern": np.zeros((4, 2))}, "W: has shape .8, 3., must have .4 x 2 rows, 2 col"),
    ("lstm", {"n": 3, "U": np.zeros((3, 12))}, "it looks transposed"),
    ("lstm", {"order": "ifco"}, "must have each of the gates i, f, g, o once"),
    ("lstm", {"forget": "coupled", "order": "igfo"}, "must have each of the gates i, g, o once"),
    ("lstm", {"n": 2, "forget": "none", "peepholes": np.ones((3, 2))}, "there is no forget gate"),
    ("gru", {"reset": "before", "d": 0.5}, "d: must be 0 with reset='before'"),
    ("elman", {"c": 1.0}, "there is nothing that is read out"),
    ("elman", {"n": 4, "V": np.ones((2, 3))}, "V: has shape .2, 3., must have 4 columns"),
    ("elman", {"n": 4, "U": np.ones((2, 3))}, r"U: has shape .2, 3., must have \(4 rows, 4 columns\) for all cells"),
    ("mingru", {"pattern": np.zeros((2, 2, 2))}, "pattern: has 3 dimensions"),
])  # fmt: skip
def test_weights_that_do_not_fit_are_said_in_one_line(name: str, wrong: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=said):
        brnn.models.load(name).build(**wrong)
