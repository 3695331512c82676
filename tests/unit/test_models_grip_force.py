"""Grip force: what it refuses, what its trials keep and what they begin anew, and learning that a teacher turns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn.errors import SpecError
from brnn.figures import Curve, Level, describe
from brnn.models import grip_force
from brnn.theory.predictions.predict import predict


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"climbing": "slips"}, "climbing = 'slips': must be one of slip, constant, constant_while_rising"),
        ({"lead": 1.0}, "lead = 1: must be less than go = 1"),
        ({"context": 0.3}, "context = 0.3: must be less than lead = 0.3"),
        ({"trial": 1.05}, "trial = 1.05: must be more than go + lag = 1.05"),
        ({"rates": [1.0, 0.0]}, "rates: has the element 0; every element must be > 0"),
        ({"relay": 1e9}, "relay = 1e+09: must be a number > 0 and <= 100000"),
        ({"n": (2, 2)}, "n = (2, 2): must have one dimension"),
    ],
)
def test_what_is_refused(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as caught:
        grip_force.build(**arguments)
    assert str(caught.value).startswith(f"grip_force: {words}")


def test_a_trial_begins_with_resting_cells_and_the_weights_of_the_one_before() -> None:
    """Just before and after the second trial begins; slips and onsets of both, of times far apart."""
    network = grip_force.build(rates=[4.5], trials=2)
    ends = [2.9999, 3.0]
    result = brnn.simulate(network, times=[0.0, *ends, 6.0], rtol=1e-4, atol=1e-7)
    anew = {layer.name: layer.start("x", layer.cells) for layer in network.layers if layer.name != "slipped"}
    for name, start in anew.items():
        np.testing.assert_array_equal(result[f"{name}.x"].sel(time=3.0), start, err_msg=name)
    for name in ("slipped.x", "parallel.z", "collateral.z"):
        before, after = (np.asarray(result[name].sel(time=time)) for time in ends)
        np.testing.assert_allclose(after, before, atol=1e-4, err_msg=name)
        assert np.abs(after - np.asarray(result[name][0])).max() > 0.01
    np.testing.assert_allclose(grip_force.slips(result), [3.1244538, 3.1244538], atol=1e-5)
    np.testing.assert_allclose(grip_force.onsets(result), [0.0623265, 0.0623265], atol=1e-5)


def test_no_onset_where_grip_does_not_begin() -> None:
    """A load of 0.05 is held before S passes 0.1."""
    result = brnn.simulate(grip_force.build(n=1, trials=1, load=0.05), times=[0.0, 3.0], rtol=1e-4, atol=1e-7)
    assert np.isnan(grip_force.onsets(result)).all()


@pytest.mark.parametrize(
    ("options", "title", "reactive"),
    [
        ({"lag": 0.2}, "Grip follows the slip", False),
        ({"load": 0.05}, "Grip stays below 0.1", True),
    ],
)
def test_its_figure_keeps_trials_apart_and_draws_what_holds(options: Any, title: str, reactive: bool) -> None:
    """Late grip passes the load, so that load/(40 gain) is not its slip; no curve goes on into the next trial."""
    network = grip_force.build(n=1, trials=2, **options)
    result = brnn.simulate(network, times=np.linspace(0.0, 6.0, 121), rtol=1e-4, atol=1e-7)
    found = describe(result)
    assert found.title == title
    panels = {panel.title: panel for panel in found.panels}
    force = panels["Grip force, trial after trial"]
    assert max(mark.x[-1] for mark in force.marks if isinstance(mark, Curve)) < 2.0
    assert force.x_limits is not None
    assert force.x_limits[1] <= 2.0
    known = [mark.label for mark in panels["How much the object slips"].marks if isinstance(mark, Level)]
    assert known == ["reactive: load/(40 gain)"] * reactive


def taught(**options: Any) -> brnn.Network:
    """Two sources at 0.5 and 2, two targets, and a teacher of each of these at 0.3 and 0.7."""
    layers = [
        brnn.Layer.additive("source", 2, A=0.0, initial=[0.5, 2.0]),
        brnn.Layer.additive("target", 2, A=1.0),
        brnn.Layer.additive("teacher", 2, A=0.0, initial=[0.3, 0.7]),
    ]
    law = brnn.Taught(rate=0.8, initial=0.4, **options)
    return brnn.Network("taught", layers, [brnn.Projection("source", "target", topology=brnn.AllToAll(), learning=law)])


def test_taught_weights_go_where_the_teacher_says_at_the_rate_of_the_source() -> None:
    """z = up/(up + down) + (z(0) - up/(up + down)) exp(-M f (up + down) t), of each connection."""
    network = taught(recovery=0.5, potentiation=2.0, forgetting=0.3, depression=3.0, target_trace="teacher")
    z = np.asarray(brnn.simulate(network, 1.5, rtol=1e-10, atol=1e-12)["source_target_exc.z"][-1])
    h, f = np.array([[0.3], [0.7]]), np.array([[0.5, 2.0]])
    up, down = 0.5 + 2.0 * h, 0.3 + 3.0 * h
    end = up / (up + down)
    np.testing.assert_allclose(z, end + (0.4 - end) * np.exp(-0.8 * f * (up + down) * 1.5), rtol=1e-8)
    assert brnn.Network.from_json(network.to_json()) == network
    bounds = predict(network).of("bounds of source_target_exc.z")[0]
    assert np.ravel(bounds.value).tolist() == [0.0, 1.0]


def test_a_teacher_has_a_cell_for_each_target() -> None:
    with pytest.raises(SpecError, match="target_trace = 'one': must have 2 cells"):
        network = taught(recovery=1.0, target_trace="teacher")
        layers = [*network.layers, brnn.Layer.additive("one", 1, A=1.0)]
        link = network.projections[0]
        network.replace(layers=layers, projections=[link.replace(learning=brnn.Taught(target_trace="one"))])
    with pytest.raises(SpecError, match="Taught: depression = -1: must be a number >= 0"):
        brnn.Taught(depression=-1.0)
