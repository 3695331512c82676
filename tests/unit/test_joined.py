"""Networks of discrete time that are joined, beside runs one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import brnn
from brnn import models
from brnn.errors import InputError
from brnn.models.parts.runs import run
from brnn.sequences.conventions import onnx
from brnn.sequences.joined import bidirectional, both_ways, continued, fed_back, stacked
from brnn.sequences.unrolled import Unrolled

RNG = np.random.default_rng(1991)
X = RNG.normal(size=(7, 2))


def states(network: brnn.Network, layer: str = "h") -> np.ndarray:
    return np.asarray(run(network)[f"{layer}.x"].values[1:])


def test_a_stack_is_one_network_after_the_other() -> None:
    first = models.lstm.build(n=3, pattern=X, initial=0.2, memory=-0.3)
    second = models.gru.build(n=4, pattern=np.zeros((7, 3)), V=RNG.normal(size=(2, 4)), initial=0.1)
    third = models.elman.build(n=2, pattern=np.zeros((7, 2)))
    whole = stacked(first, second, third)
    assert [layer.name for layer in whole.layers] == ["x", "c1", "h1", "q2", "h2", "y2", "h3"]
    W = {p.name: p.topology.matrix for p in second.projections if hasattr(p.topology, "matrix")}
    again = models.gru.build(
        W=np.concatenate([W[f"W_{g}"] for g in "rzn"]), U=np.concatenate([W[f"U_{g}"] for g in "rzn"]), V=W["V"],
        pattern=states(first), initial=0.1,
    )  # fmt: skip
    last = models.elman.build(n=2, pattern=states(again, "y"))
    np.testing.assert_allclose(states(whole, "h2"), states(again), rtol=0.0, atol=1e-15)
    np.testing.assert_allclose(states(whole, "h3"), states(last), rtol=0.0, atol=1e-15)
    np.testing.assert_allclose(Unrolled(whole).states(X, "h3")[0], states(last), rtol=0.0, atol=1e-14)
    assert brnn.Network.from_json(whole.to_json()) == whole


def test_both_directions_as_onnx_has_them() -> None:
    given: dict[str, Any] = {
        "W": RNG.normal(size=(2, 12, 2)), "R": RNG.normal(size=(2, 12, 3)), "B": RNG.normal(size=(2, 24)),
        "P": RNG.normal(size=(2, 9)),
    }  # fmt: skip
    ahead, back = (models.lstm.build(**onnx(**given, direction=k), pattern=X) for k in (0, 1))
    found = both_ways(run(bidirectional(ahead, back)))
    turned = models.lstm.build(**onnx(**given, direction=1), pattern=X[::-1])
    assert np.array_equal(found[:, :3], states(ahead))
    assert np.array_equal(found[:, 3:], states(turned)[::-1])
    helper = pytest.importorskip("onnx.helper")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    from onnx import TensorProto, numpy_helper

    node = helper.make_node(
        "LSTM", ["X", "W", "R", "B", "", "", "", "P"], ["Y"], hidden_size=3, direction="bidirectional"
    )
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node], "g", [value("X", TensorProto.DOUBLE, [7, 1, 2])], [value("Y", TensorProto.DOUBLE, None)],
        [numpy_helper.from_array(part, name) for name, part in given.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    (Y,) = evaluator(model).run(None, {"X": X[:, None, :]})
    np.testing.assert_allclose(found, np.asarray(Y)[:, :, 0].reshape(7, 6), rtol=0.0, atol=1e-14)


def test_a_decoder_goes_on_where_its_encoder_ended() -> None:
    whole = states(models.lstm.build(n=3, pattern=X))
    encoder = run(models.lstm.build(n=3, pattern=X[:4]))
    decoder = continued(models.lstm.build(n=3, pattern=X[4:]), encoder)
    np.testing.assert_allclose(states(decoder), whole[4:], rtol=0.0, atol=1e-15)


def test_output_that_is_fed_back_goes_on_by_itself() -> None:
    """One to many: a linear network repeats its matrix, y(t) = (V W)^t applied to what was shown first."""
    W, V = RNG.normal(size=(4, 2)), 0.5 * RNG.normal(size=(2, 4))
    first = np.zeros((6, 2))
    first[0] = (1.0, -0.5)
    network = models.elman.build(W=W, U=np.zeros((4, 4)), V=V, activation="linear", pattern=first)
    expected = [np.linalg.matrix_power(V @ W, t) @ first[0] for t in range(1, 7)]
    np.testing.assert_allclose(states(fed_back(network), "y"), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: stacked(), "needs a network"),
        (lambda: stacked(models.rcf.build()), "network 1: rcf has no layers 'x' and 'h'"),
        (lambda: stacked(models.gru.build(n=3), models.gru.build(n=3)), "network 2 has 2 inputs.*gives 3"),
        (lambda: fed_back(models.gru.build()), "must have a layer 'y' of as many cells as inputs, 2"),
        (lambda: bidirectional(models.gru.build(), models.gru.build(pattern=np.zeros((3, 5)))), "as many inputs"),
        (lambda: continued(models.gru.build(n=2), run(models.gru.build(n=3))), "has shape .2,., in the run .3,."),
    ],
)  # fmt: skip
def test_what_cannot_be_joined_is_said_in_one_line(call: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
