"""Maps that are moved beside each other, by index and at events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import brnn
from brnn.compiler import compile_network
from brnn.compiler.differentiable import jacobian
from tests.parts import eye

MAPS = [(0, False, ()), (2, False, ()), (-3, False, (4,)), (2, True, ()), (-2, True, (1, 4)), (9, False, ())]


@pytest.mark.parametrize(("offset", "others", "without"), MAPS)
def test_a_shift_is_its_matrix(offset: int, others: bool, without: tuple[int, ...]) -> None:
    """By the definition, cell by cell; the kernel, and the loops of its exact derivatives."""
    n = 6
    W = np.zeros((2 * n, n))
    arrives = [k for k in range(n) if 0 <= k + offset < n and k not in without and k + offset not in without]
    for i in range(2 * n):
        for k in arrives:
            if i % n not in without:
                W[i, k] = 1.5 * ((k + offset != i % n) if others else (k + offset == i % n))
    topology = brnn.IndexShift(offset, 1.5, others, without)
    np.testing.assert_array_equal(topology.strengths((n,), (2, n)), W)
    net = brnn.Network(
        "n", [brnn.Layer.additive("s", n, A=0.0), brnn.Layer.additive("x", (2, n), A=0.0)],
        [brnn.Projection("s", "x", topology=topology)],
    )  # fmt: skip
    u = np.arange(1.0, 3 * n + 1.0)
    np.testing.assert_allclose(compile_network(net).f(0.0, u)[n:], W @ u[:n], rtol=1e-15)
    np.testing.assert_allclose(jacobian(net, 0.0, u)[n:, :n], W, rtol=1e-15)
    assert brnn.Network.from_json(net.to_json()) == net


# The light at place 2 fills its cell at t = 1. From there the light at place 4 is at cell 5, which it fills in 1/0.9;
# that at place 6 would be at cell 7, which there is not.
MOVED = 1.0 + 1.0 / 0.9


def test_an_eye_looks_where_its_cells_say() -> None:
    result = brnn.simulate(eye(), rtol=1e-9, atol=1e-11)
    assert result.events["name"].values.tolist() == ["move", "saccade", "move", "saccade"]
    assert result.events["cell"].values.tolist() == [2, 2, 5, 4]
    np.testing.assert_allclose(result.events["time"], [1.0, 1.0, MOVED, MOVED], rtol=1e-7)
    np.testing.assert_array_equal(result.final("gaze"), np.eye(7)[4])
    fourth = 0.45 + 0.5 / 0.9 + 0.45 * (2.5 - MOVED) ** 2
    sixth = 0.25 + 0.25 * (2.5 - MOVED) ** 2  # seen from the centre, and again from place 4, at cell 5
    np.testing.assert_allclose(result.final("memory"), [0.0, 0.0, 0.5, 0.0, fourth, 0.0, sixth], rtol=1e-6)


def test_a_run_that_goes_on_and_a_network_read_from_json_are_the_same() -> None:
    net = brnn.Network.from_json(eye().to_json())
    assert net == eye()
    whole = brnn.simulate(net, rtol=1e-9, atol=1e-11)
    first = brnn.simulate(net, 1.5, rtol=1e-9, atol=1e-11)
    rest = brnn.simulate(net, 1.0, start=first, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(rest.final("memory"), whole.final("memory"), rtol=1e-6)
    np.testing.assert_array_equal(rest.final("gaze"), whole.final("gaze"))


def test_its_file_runs_again_to_the_same_bits(tmp_path: Path) -> None:
    brnn.simulate(eye(), record=tmp_path / "run.h5", rtol=1e-9, atol=1e-11).close()
    again = brnn.rerun(tmp_path / "run.h5")
    assert again.passed
    assert again.largest_difference == 0.0


def test_a_glance_at_where_it_looks_moves_nothing() -> None:
    net = eye().with_({"light.initial": [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]})
    result = brnn.simulate(net)
    assert result.events["name"].values.tolist() == ["move", "move"]
    np.testing.assert_array_equal(result.final("gaze"), np.eye(7)[3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.replace(centre=9), "centre = 9: 'gaze.x' has 7 cells"),
        (lambda a: a.replace(inward=["placed"]), "'placed': no such projection"),
        (lambda a: a.replace(gaze="seen"), "'seen.x' must begin with 1 at 3"),
        (lambda a: a.replace(centre=2), "'gaze.x' must begin with 1 at 2"),
        (lambda a: a.replace(outward=[], inward=[]), "names at least one projection"),
    ],
)
def test_bad_input(change: object, message: str) -> None:
    net = eye()
    with pytest.raises(brnn.SpecError, match=message) as caught:
        net.replace(events=[brnn.Event("e", brnn.Crossing("seen", 1.0), change(net.events[0].actions[0]))])
    assert "\n" not in str(caught.value)
    with pytest.raises(brnn.SpecError, match="say that the gaze is at 2, 3; they must say one place of 0 to 6"):
        net.replace(projections=[net.projections[0].replace(topology=brnn.IndexShift(1)), net.projections[1]])
    with pytest.raises(brnn.SpecError, match="IndexShift joins maps of as many cells"):
        net.replace(layers=[brnn.Layer.additive("seen", 6, A=0.0), *net.layers[1:]])
