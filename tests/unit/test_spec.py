"""Layers, projections, stimuli and networks: what they accept, what they say when they do not, and their JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
import scipy.sparse

import brnn
from brnn.compiler.layout import guaranteed_bounds, layout


def network(**changes: object) -> brnn.Network:
    parts = {
        "name": "net",
        "layers": [brnn.Layer.shunting("F1", 3, A=1, B=2), brnn.Layer.shunting("F2", 2, A=1, B=2, D=0.5)],
        "projections": [brnn.Projection("F1", "F2", "excitatory", brnn.Sigmoid(), brnn.AllToAll())],
        "stimuli": [brnn.Stimulus("F1", "excitatory", [1, 2, 3], brnn.Pulse(0, 1))],
    }
    return brnn.Network(**{**parts, **changes})


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: brnn.Layer("F1", 0, 1, 1), "Layer 'F1': shape = 0: must be a number >= 1"),
        (lambda: brnn.Layer("F1", (3, -1), 1, 1), "must be a number >= 1"),
        (lambda: brnn.Layer("F1", 2.5, 1, 1), "must be a whole number"),
        (lambda: brnn.Layer("F1", 3, 1, 0), "Layer 'F1': B = 0: must be a number > 0"),
        (lambda: brnn.Layer("F1", 3, -1, 1), "Layer 'F1': A = -1: must be a number >= 0"),
        (lambda: brnn.Layer("F1", 3, "a", 1), "Layer 'F1': A = 'a': must be a number"),
        (lambda: brnn.Layer("F1", 3, True, 1), "must be a number"),
        (lambda: brnn.Layer("F1", 3, [1, 2], 1), "has shape (2,), must have shape (3,)"),
        (lambda: brnn.Layer("F1", 3, 1, 1, initial=[0, np.nan, 0]), "element 1 is nan"),
        (lambda: brnn.Layer("1F", 3, 1, 1), "must be a name of ASCII letters"),
        (lambda: brnn.Layer("lambda", 3, 1, 1), "must be a name"),
        (lambda: brnn.Layer("F1", 10**13, 1, 1), "would need"),
        (lambda: brnn.MembraneLayer("m", 1, C=1, V_plus=50, V_minus=-70, V_p=60, g_p=1), "V_minus <= V_p <= V_plus"),
        (lambda: brnn.Projection("F1", "F2", "excitory"), "did you mean 'excitatory'?"),
        (lambda: brnn.Projection("F1", "F2", "excitatory", "sigmoid"), "must be a signal"),
        (lambda: brnn.Projection("F1", "F2", "excitatory", brnn.Sigmoid), "not classes"),
        (lambda: brnn.Projection("F1", "F2", delay=-1), "delay = -1: must be a number >= 0"),
        (lambda: brnn.Stimulus("F1", "excitatory", [1, np.inf]), "element 1 is inf"),
        (lambda: brnn.Stimulus("F1", "excitatory", "abc"), "must be an array of numbers"),
        (lambda: brnn.Stimulus("F1", "excitatory", 1.0, "on"), "must be a schedule"),
        (lambda: network(layers=[]), "at least one layer"),
        (lambda: network(layers="F1"), "must be a list"),
        (lambda: network(duration=0), "duration = 0: must be a number > 0"),
        (lambda: network(projections=[brnn.Projection("F1", "F3")]), "target = 'F3': no such layer"),
        (lambda: network(projections=[brnn.Projection("F1", "F1"), brnn.Projection("F1", "F1")]), "'F1_F1_exc'"),
        (lambda: network(layers=[brnn.Layer("F1", 3, 1, 1), brnn.Layer("F1", 3, 1, 1)]), "are named 'F1'"),
        (lambda: network(stimuli=[brnn.Stimulus("F1", "excitatory", [1, 2])]), "has shape (2,)"),
        (lambda: network(stimuli=[brnn.Stimulus("F1", "excitatory", -1)]), "use kind='inhibitory'"),
        (lambda: network(stimuli=[brnn.Stimulus("F1", "excitatory", 1, brnn.Sine(1, 2, 1))]), "falls to -1"),
        (lambda: network(projections=[brnn.Projection("F1", "F1", topology=brnn.Dense(-np.eye(3)))]), "strength -1"),
    ],
)
def test_bad_specifications_are_refused_in_one_line(make, says) -> None:
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_additive_layers_take_both_signs() -> None:
    """x' = -x + W x - 1 rests at (1 - W) x = -1: 4 x_1 = -1, then 2 x_0 - 2 x_1 = -1."""
    network = brnn.Network(
        "signed",
        [brnn.Layer.additive("a", 2, A=1)],
        [brnn.Projection("a", "a", topology=brnn.Dense([[-1.0, 2], [0, -3]]))],
        [brnn.Stimulus("a", "excitatory", -1.0)],
    )
    np.testing.assert_allclose(brnn.simulate(network, 20.0).final("a"), [-0.75, -0.25], atol=1e-7)


def test_specs_are_frozen_and_replaceable() -> None:
    layer = brnn.Layer.shunting("F1", 3, A=1, B=2)
    with pytest.raises(AttributeError):
        layer.A = 2
    assert layer.replace(A=5).A == 5
    with pytest.raises(brnn.SpecError, match="did you mean 'shape'"):
        layer.replace(shap=2)
    with pytest.raises(ValueError, match="read-only"):
        brnn.Layer("F1", 2, [1, 2], 1).A[0] = 7


def test_json_keeps_every_bit() -> None:
    rng = np.random.default_rng(0)
    places = np.divmod(rng.permutation(10_000)[:1000], 100)
    big = brnn.Network(
        "big",
        [brnn.Layer.shunting("F1", (10, 10), A=rng.random((10, 10)), B=1 + rng.random((10, 10)), initial=0.1)],
        [
            brnn.Projection("F1", "F1", "excitatory", brnn.ThresholdLinear(), brnn.Dense(rng.random((100, 100)))),
            brnn.Projection(
                "F1",
                "F1",
                "inhibitory",
                brnn.Expression("c*w**2/(d + w**2)", c=1, d=0.25),
                brnn.Sparse(scipy.sparse.coo_array((rng.random(1000), places), shape=(100, 100))),
                gate=brnn.HabituativeGate(1, 1, 1),
                learning=brnn.Outstar(0.1, initial=rng.random(1000)),
            ),
        ],
        [brnn.Stimulus("F1", "excitatory", rng.random((10, 10)), brnn.Pulse(0, np.inf))],
        duration=3,
    )
    again = brnn.Network.from_json(big.to_json())
    assert again == big
    assert hash(again) == hash(big)
    np.testing.assert_array_equal(again.projections[0].topology.matrix, big.projections[0].topology.matrix)
    arrays: dict[str, np.ndarray] = {}
    small = json.dumps(big.to_dict(arrays))
    assert len(small) < 5000
    assert brnn.Network.from_dict(json.loads(small), arrays) == big
    assert big != big.replace(duration=4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"type": "os.system"}',
        '{"type": "Network"}',
        '{"type": "Network", "name": "a", "layers": [{"type": "Sigmoid"}]}',
        '{"type": "Network", "name": "a", "layers": [], "extra": 1}',
        '{"type": "Dense", "matrix": {"type": "array", "dtype": "<f8", "shape": [99999999999999], "packed": "eA=="}}',
        '{"type": "Dense", "matrix": {"type": "array", "dtype": "O", "shape": [1, 1], "values": [1]}}',
        '{"type": "Dense", "matrix": {"type": "array", "dtype": "<f8", "shape": [2, 2], "packed": "eJwDAAAAAAE="}}',
        '{"type": "Layer", "name": "a", "shape": 3, "A": {"type": "array", "name": "gone"}, "B": 1}',
        "[" * 100_000,
        '{"type": "Network", "name": "x", "layers": ' + "[" * 700 + "]" * 700 + "}",
        '{"type": "Layer", "name": "a", "shape": 3, "A": ' + '{"type": "Power", "gain": ' * 700 + "1" + "}" * 701,
    ],
)
def test_hostile_json_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(brnn.SpecError) as caught:
        brnn.Network.from_json(text)
    assert "\n" not in str(caught.value)


def test_layout_names_and_bounds() -> None:
    names = [(v.name, v.start, v.stop, v.dims) for v in layout(network())]
    assert names == [("F1.x", 0, 3, ("F1",)), ("F2.x", 3, 5, ("F2",))]
    two = brnn.Network("n", [brnn.Layer.shunting("F1", (2, 3), 1, 2)])
    assert layout(two)[0].dims == ("F1_row", "F1_column")
    assert guaranteed_bounds(network()) == {"F1": (0.0, 2.0), "F2": (-0.5, 2.0)}
    # A linear signal of a layer that can be negative is no rate: then there is no theorem.
    unbounded = network(projections=[brnn.Projection("F2", "F1", "excitatory", brnn.Linear(), brnn.AllToAll())])
    assert guaranteed_bounds(unbounded) == {"F2": (-0.5, 2.0)}


def test_names_are_no_longer_than_names_of_files() -> None:
    """Tables are called after a projection and its state: "<source>_<target>_exc.z.csv" has 255 letters at most."""
    long = brnn.Layer.additive("n" * 100, 2, A=1.0)
    network = brnn.Network("n", [long], [brnn.Projection(long.name, long.name)])
    assert len(f"{network.projections[0].name}.z.csv.{2**22}.tmp") <= 255
    with pytest.raises(brnn.SpecError, match=r"has 300 letters; a name has 100 at most"):
        brnn.Layer.additive("n" * 300, 2, A=1.0)


@pytest.mark.parametrize("field", ["reference", "time_units"])
def test_half_characters_are_no_text(field: str) -> None:
    layers = [brnn.Layer.additive("F", 2, A=1.0)]
    brnn.Network("n", layers, **{field: "\u00b5s \U0001f9e0"})
    with pytest.raises(brnn.SpecError, match=f"{field} = .* half a character"):
        brnn.Network("n", layers, **{field: "\ud800"})


def test_a_number_that_python_does_not_write() -> None:
    with pytest.raises(brnn.SpecError, match="shape"):
        brnn.Layer.additive("F", 10**5000, A=1.0)
