"""Weights of other frameworks: ONNX's reference evaluator as a judge, and files that are not what they should be."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from brnn import models
from brnn.errors import InputError
from brnn.files.weights.keras import read_keras
from brnn.files.weights.read import read_weights
from brnn.files.weights.safetensors import read_safetensors, write_safetensors
from brnn.models.parts.runs import run
from brnn.sequences.conventions import keras, onnx, pytorch

RNG = np.random.default_rng(2026)
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
MODELS = {"RNN": models.elman, "GRU": models.gru, "LSTM": models.lstm}
N, INPUTS, STEPS = 3, 2, 6


def reference(kind: str, given: dict[str, Any], x: np.ndarray, **attributes: Any) -> np.ndarray:
    """What onnx.reference says of a node; shape (steps, cells)."""
    helper = pytest.importorskip("onnx.helper")
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    from onnx import TensorProto, numpy_helper

    names = ["X", "W", "R", "B", "", "", "", "P"] if "P" in given else ["X", "W", "R", "B"]
    node = helper.make_node(kind, names, ["Y"], hidden_size=N, **attributes)
    graph = helper.make_graph(
        [node], "g",
        [helper.make_tensor_value_info("X", TensorProto.DOUBLE, [STEPS, 1, INPUTS])],
        [helper.make_tensor_value_info("Y", TensorProto.DOUBLE, None)],
        [numpy_helper.from_array(value, name) for name, value in given.items()],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    (Y,) = evaluator(model).run(None, {"X": x[:, None, :]})
    return np.asarray(Y)[:, 0, 0]


@pytest.mark.parametrize(
    ("kind", "attributes"),
    [("RNN", {}), ("GRU", {"linear_before_reset": 0}), ("GRU", {"linear_before_reset": 1}), ("LSTM", {}),
     ("LSTM", {"P": True})],
)  # fmt: skip
def test_onnx_runs_the_node_to_the_same_states(kind: str, attributes: dict[str, Any]) -> None:
    rows = GATES[kind] * N
    given = {
        "W": RNG.normal(size=(1, rows, INPUTS)),
        "R": RNG.normal(size=(1, rows, N)),
        "B": RNG.normal(size=(1, 2 * rows)),
    }
    said = dict(attributes)
    if said.pop("P", False):
        given["P"] = RNG.normal(size=(1, 3 * N))
    x = RNG.normal(size=(STEPS, INPUTS))
    expected = reference(kind, given, x, **said)
    h = run(MODELS[kind].build(**onnx(**given, **said), pattern=x))["h.x"].values
    np.testing.assert_allclose(h[1:], expected, rtol=0.0, atol=1e-14)


def logistic(w: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-w)))


def test_pytorch_as_its_documentation_says() -> None:
    """The formulas of torch.nn.LSTM and torch.nn.GRU, gate by gate."""
    x = RNG.normal(size=(STEPS, INPUTS))
    for kind, gates in (("lstm", 4), ("gru", 3)):
        shapes = {
            "weight_ih": (gates * N, INPUTS),
            "weight_hh": (gates * N, N),
            "bias_ih": gates * N,
            "bias_hh": gates * N,
        }
        arrays = {f"net.{name}_l0": RNG.normal(size=size) for name, size in shapes.items()}
        W, U, b, c = arrays.values()
        h, memory, hs = np.zeros(N), np.zeros(N), []
        for row in x:
            given, own = np.split(W @ row + b, gates), np.split(U @ h + c, gates)
            if kind == "lstm":
                i, f, g, o = (p + q for p, q in zip(given, own, strict=True))
                memory = logistic(f) * memory + logistic(i) * np.tanh(g)
                h = logistic(o) * np.tanh(memory)
            else:
                r, z = logistic(given[0] + own[0]), logistic(given[1] + own[1])
                h = (1.0 - z) * np.tanh(given[2] + r * own[2]) + z * h
            hs.append(h)
        found = run(models.load(kind).build(**pytorch(arrays, "net."), pattern=x))["h.x"].values
        np.testing.assert_allclose(found[1:], hs, rtol=0.0, atol=1e-14)


def test_keras_is_onnx_with_other_rows_and_says_where_the_reset_is() -> None:
    x = RNG.normal(size=(STEPS, INPUTS))
    kernel, recurrent, bias = RNG.normal(size=(INPUTS, 9)), RNG.normal(size=(N, 9)), RNG.normal(size=(2, 9))
    after = onnx(kernel.T[None], recurrent.T[None], bias.reshape(1, -1), linear_before_reset=1)
    before = onnx(kernel.T[None], recurrent.T[None], np.concatenate([bias[0], np.zeros(9)])[None])
    for given, other in ((keras(kernel, recurrent, bias), after), (keras(kernel, recurrent, bias[0]), before)):
        assert given["reset"] == other["reset"]
        ours, theirs = (run(models.gru.build(**p, pattern=x))["h.x"].values for p in (given, other))
        assert np.array_equal(ours, theirs)
    with pytest.raises(InputError, match="does not say where its reset is"):
        keras(kernel, recurrent)
    with pytest.raises(InputError, match="the shape of the bias says 'after'"):
        keras(kernel, recurrent, bias, reset="before")
    four = keras(RNG.normal(size=(INPUTS, 12)), RNG.normal(size=(N, 12)), RNG.normal(size=12))
    assert four["order"] == "ifgo"


def test_coupled_gates_of_onnx_need_no_forget_gate() -> None:
    given = onnx(RNG.normal(size=(1, 12, 2)), RNG.normal(size=(1, 12, 3)), P=np.ones((1, 9)), input_forget=1)
    assert given["order"] == "iog"
    assert given["peepholes"][2].tolist() == [0.0] * 3
    models.lstm.build(**given)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pytorch({"weight_ih_l0": np.ones((8, 2))}), "there is no array 'weight_hh_l0'.*did you mean"),
        (lambda: pytorch({"weight_ih_l0": np.ones((2, 12)), "weight_hh_l0": np.ones((3, 12))}), "looks transposed"),
        (lambda: pytorch({"weight_ih_l0": np.ones((10, 2)), "weight_hh_l0": np.ones((10, 3))}), "RNN.*GRU.*LSTM"),
        (lambda: keras(np.ones((2, 9)), np.full((3, 9), np.nan)), "recurrent.*must be finite"),
        (lambda: onnx(np.ones((1, 12, 2)), np.ones((1, 12, 3)), np.ones((1, 12))), "must have 24: Wb, then Rb"),
        (lambda: onnx(np.ones((1, 12, 2)), np.ones((1, 12, 3)), direction=1), "direction = 1"),
    ],
)  # fmt: skip
def test_arrays_that_do_not_fit_are_said_in_one_line(call: Any, said: str) -> None:
    with pytest.raises((InputError, ValueError), match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


# Files ---------------------------------------------------------------------------------------------------------


def test_safetensors_come_back_to_the_last_bit(tmp_path: Path) -> None:
    arrays = {"a": RNG.normal(size=(2, 3)), "b": np.arange(4, dtype=np.float32), "n": np.array([], dtype=np.int64),
              "one": np.array(2.5), "t": np.array([True, False])}  # fmt: skip
    write_safetensors(tmp_path / "w.safetensors", arrays)
    found = read_weights(tmp_path / "w.safetensors")
    assert list(found) == list(arrays)
    for name, value in arrays.items():
        assert found[name].dtype == value.dtype
        assert np.array_equal(found[name], value)
    with pytest.raises(FileExistsError):
        write_safetensors(tmp_path / "w.safetensors", arrays)


def safetensors(path: Path, header: Any, data: bytes) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_bfloat16_is_the_upper_half_of_float32(tmp_path: Path) -> None:
    entry = {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}
    file = safetensors(tmp_path / "b.safetensors", {"__metadata__": {"format": "pt"}, "x": entry}, b"\x80\x3f\x20\xc0")
    assert read_safetensors(file)["x"].tolist() == [1.0, -2.5]


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ({"x": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}}, "does not fill its 8 bytes"),
        ({"x": {"dtype": ["F32"], "shape": [2], "data_offsets": [0, 8]}}, "is none of"),
        ({"x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "4 bytes at its end belong to no array"),
        ({"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}}, "hole at byte 0"),
        ({n: {"dtype": "F64", "shape": [1], "data_offsets": [0, 8]} for n in "xy"}, "overlap"),
        ({"x": {"dtype": "F64", "shape": [1], "data_offsets": [0, 80]}}, "must lie in the 8 bytes"),
        ({"x": {"dtype": "F64", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}, "more elements than the file"),
        ({"x": {"dtype": "F64", "shape": [-1], "data_offsets": [0, 8]}}, "whole numbers >= 0"),
        ({"x": {"dtype": "C128", "shape": [1], "data_offsets": [0, 8]}}, "dtype C128 is none of"),
        ({"x": 3}, "dtype None"),
        ([], "no JSON object"),
        (b"{", "no JSON"),
        (b'{"x": 1, "x": 2}', "stands in it twice"),
    ],
)  # fmt: skip
def test_safetensors_that_are_none_are_said_in_one_line(tmp_path: Path, header: Any, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        read_safetensors(safetensors(tmp_path / "x.safetensors", header, bytes(8)))
    assert "\n" not in str(caught.value)


def test_npz_is_read_and_pickles_are_not(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", a=np.arange(3.0))
    assert read_weights(tmp_path / "w.npz")["a"].tolist() == [0.0, 1.0, 2.0]
    np.savez(tmp_path / "o.npz", a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="no .npz of plain arrays"):
        read_weights(tmp_path / "o.npz")
    (tmp_path / "w.pt").write_bytes(pickle.dumps([1]))
    with pytest.raises(InputError, match=r"never opened.*safetensors.torch.save_file"):
        read_weights(tmp_path / "w.pt")
    for name, said in (("none.npz", "no such file"), ("w.txt", "the kind '.txt' is not known")):
        (tmp_path / "w.txt").touch()
        with pytest.raises(InputError, match=said):
            read_weights(tmp_path / name)


def test_keras_files_are_read_old_and_new(tmp_path: Path) -> None:
    kernel = RNG.normal(size=(2, 12)).astype(np.float32)
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["layers/lstm/cell/vars/0"] = kernel
        file["layers/lstm/cell/vars/1"] = np.ones((3, 12))
        file["names"] = "text is no weight"
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", buffer.getvalue())
    found = read_weights(tmp_path / "m.keras")
    assert sorted(found) == ["layers/lstm/cell/vars/0", "layers/lstm/cell/vars/1"]
    assert np.array_equal(found["layers/lstm/cell/vars/0"], kernel)
    (tmp_path / "m.h5").write_bytes(buffer.getvalue())
    assert sorted(read_weights(tmp_path / "m.h5")) == sorted(found)
    with zipfile.ZipFile(tmp_path / "e.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    with pytest.raises(InputError, match="has no single model.weights.h5"):
        read_keras(tmp_path / "e.keras")
    (tmp_path / "d.h5").write_bytes(buffer.getvalue()[:500])
    with pytest.raises(InputError, match="or damaged"):
        read_keras(tmp_path / "d.h5")


def test_what_does_not_stand_in_the_file_is_not_followed(tmp_path: Path) -> None:
    inside = {
        "soft": lambda f: f.__setitem__("a/b", h5py.SoftLink("/x")),
        "external": lambda f: f.__setitem__("a/b", h5py.ExternalLink("other.h5", "/x")),
        "storage": lambda f: f.create_dataset("a/b", (2,), "f8", external=[(str(tmp_path / "raw"), 0, 16)]),
        "virtual": lambda f: f.create_virtual_dataset("a/b", h5py.VirtualLayout((2,), "f8")),
        "nothing": lambda f: f.create_dataset("a/b", (1000, 1000), "f8", chunks=(10, 10)),
        "huge": lambda f: f.create_dataset("a/b", (10**6, 10**6), "f8", chunks=(10, 10)),
    }
    for name, make in inside.items():
        with h5py.File(tmp_path / f"{name}.h5", "w") as file:
            make(file)
        with pytest.raises(InputError, match=r"not followed|plain blocks|no numbers|more than 4,000,000,000") as caught:
            read_keras(tmp_path / f"{name}.h5")
        assert "\n" not in str(caught.value)
