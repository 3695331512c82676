"""What PyTorch 2.14 and Keras computed once, with weights that they wrote (tests/golden/make.py), and ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from brnn import models
from brnn.errors import InputError
from brnn.files.weights.onnx import read_onnx
from brnn.files.weights.read import read_weights
from brnn.models.parts.runs import run
from brnn.sequences.conventions import keras, onnx, pytorch

GOLDEN = Path(__file__).parents[1] / "golden"
MODELS: dict[str, Any] = {"lstm": models.lstm, "gru": models.gru}


def states(model: Any, arguments: dict[str, Any], x: np.ndarray) -> np.ndarray:
    return np.asarray(run(model.build(**arguments, pattern=x))["h.x"].values[1:])


@pytest.mark.parametrize("kind", ["tanh", "relu", "lstm", "gru"])
def test_two_layers_of_pytorch_in_both_directions(kind: str) -> None:
    arrays = read_weights(GOLDEN / "pytorch.safetensors")
    own = {"activation": kind} if kind in ("tanh", "relu") else {}
    x = arrays["x"]
    for layer in (0, 1):
        ahead, back = (
            states(MODELS.get(kind, models.elman), {**pytorch(arrays, f"{kind}.", layer, reverse), **own}, shown)
            for reverse, shown in ((False, x), (True, x[::-1]))
        )
        x = np.concatenate([ahead, back[::-1]], axis=1)
    np.testing.assert_allclose(x, arrays[f"{kind}.output"], rtol=0.0, atol=1e-14)


# Keras: what the layer is called in .keras (kind and number) and in .h5 (its own name).
LAYERS = {
    "simple": ("simple_rnn", "simple/simple/simple_rnn_cell", models.elman),
    "lstm": ("lstm", "lstm/lstm/lstm_cell", models.lstm),
    "gru_after": ("gru", "gru_after/gru_after/gru_cell", models.gru),
    "gru_before": ("gru_1", "gru_before/gru_before/gru_cell", models.gru),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_keras_from_both_of_its_files(name: str) -> None:
    new, old, model = LAYERS[name]
    computed = read_weights(GOLDEN / "keras.npz")
    arrays, older = read_weights(GOLDEN / "keras.keras"), read_weights(GOLDEN / "keras.h5")
    three = [arrays[f"layers/{new}/cell/vars/{k}"] for k in range(3)]
    for part, value in zip(("kernel", "recurrent_kernel", "bias"), three, strict=True):
        assert np.array_equal(older[f"model_weights/{old}/{part}"], value)
    found = states(model, keras(*three), computed["x"])
    # Two of the four Keras computes in single precision, whatever it is told (3.15.1).
    single = name in ("simple", "gru_before")
    np.testing.assert_allclose(found, computed[name], rtol=0.0, atol=2e-7 if single else 1e-14)


N, INPUTS, STEPS = 3, 2, 5
RNG = np.random.default_rng(14)


def onnx_file(
    path: Path, kind: str, gates: int, change: Any = None, **attributes: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Write a model of one node, in both directions if it says so; return an input and what onnx makes of it."""
    library = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    ways = 2 if attributes.get("direction") == "bidirectional" else 1
    shapes = {"W": (ways, gates * N, INPUTS), "R": (ways, gates * N, N), "B": (ways, 2 * gates * N)}
    tensors = [library.numpy_helper.from_array(RNG.normal(size=shape), f"the_{name}") for name, shape in shapes.items()]
    h = library.helper
    node = h.make_node(kind, ["X", "the_W", "the_R", "the_B"], ["Y"], hidden_size=N, **attributes)
    graph = h.make_graph(
        [node], "g", [h.make_tensor_value_info("X", library.TensorProto.DOUBLE, [STEPS, 1, INPUTS])],
        [h.make_tensor_value_info("Y", library.TensorProto.DOUBLE, None)], tensors,
    )  # fmt: skip
    model = h.make_model(graph, opset_imports=[h.make_opsetid("", 22)], ir_version=10)
    x = RNG.normal(size=(STEPS, INPUTS))
    if change is not None:
        change(model.graph)
        path.write_bytes(model.SerializeToString())
        return x, x
    library.save(model, path)
    return x, np.asarray(ReferenceEvaluator(model).run(None, {"X": x[:, None, :]})[0])[:, :, 0]


@pytest.mark.parametrize(
    ("kind", "gates", "attributes"),
    [
        ("LSTM", 4, {"direction": "bidirectional"}),
        ("GRU", 3, {"linear_before_reset": 1}),
        ("GRU", 3, {}),
        ("RNN", 1, {}),
    ],
)
def test_cells_of_an_onnx_file(tmp_path: Path, kind: str, gates: int, attributes: dict[str, Any]) -> None:
    x, expected = onnx_file(tmp_path / "m.onnx", kind, gates, **attributes)
    (name, given), *others = read_onnx(tmp_path / "m.onnx").items()
    assert (name, others) == (f"{kind}_0", [])
    model = MODELS.get(kind.lower(), models.elman)
    np.testing.assert_allclose(states(model, onnx(**given), x), expected[:, 0], rtol=0.0, atol=1e-14)
    if "direction" in attributes:
        back = states(model, onnx(**given, direction=1), x[::-1])[::-1]
        np.testing.assert_allclose(back, expected[:, 1], rtol=0.0, atol=1e-14)
    assert np.array_equal(read_weights(tmp_path / "m.onnx")[f"{kind}_0/W"], given["W"])


def test_an_rnn_of_onnx_says_its_activation(tmp_path: Path) -> None:
    """By its formula: onnx's own evaluator has tanh alone (1.22)."""
    x, _ = onnx_file(tmp_path / "m.onnx", "RNN", 1, lambda graph: None, activations=["Relu"])
    given = read_onnx(tmp_path / "m.onnx")["RNN_0"]
    h, expected = np.zeros(N), []
    for row in x:
        h = np.maximum(given["W"][0] @ row + given["R"][0] @ h + given["B"][0].reshape(2, N).sum(axis=0), 0.0)
        expected.append(h)
    np.testing.assert_allclose(states(models.elman, onnx(**given), x), expected, rtol=0.0, atol=1e-14)


def _elsewhere(graph: Any) -> None:
    tensor = graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = 1
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "other.bin"


@pytest.mark.parametrize(
    ("change", "attributes", "said"),
    [
        (_elsewhere, {}, "LSTM_0: W: stands in another file, which is not followed"),
        (lambda graph: graph.initializer.pop(1), {}, "R is computed in the graph"),
        (lambda graph: graph.node.pop(), {}, "has no node RNN, LSTM or GRU"),
        (lambda graph: setattr(graph.initializer[0], "raw_data", b"12345678"), {}, "LSTM_0: W: is damaged"),
        (lambda graph: None, {"clip": 3.0}, "has the attribute clip, which no cell here has"),
        (lambda graph: None, {"activations": ["Sigmoid", "Relu", "Tanh"]}, "no cell here has them"),
    ],
)
def test_onnx_files_that_are_not_read_say_why(
    tmp_path: Path, change: Any, attributes: dict[str, Any], said: str
) -> None:
    onnx_file(tmp_path / "m.onnx", "LSTM", 4, change, **attributes)
    with pytest.raises(InputError, match=said) as caught:
        read_weights(tmp_path / "m.onnx")
    assert "\n" not in str(caught.value)


def test_what_is_no_onnx_file_is_said(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "w.onnx").write_bytes(b"no model" * 9)
    with pytest.raises(InputError, match="is no ONNX model, or damaged"):
        read_weights(tmp_path / "w.onnx")
