"""Cells of ONNX models: nodes RNN, LSTM and GRU with the weights that stand in the file itself."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.text import shortened
from brnn.errors import InputError

__all__ = ["read_onnx"]

_INPUTS = ("X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P")  # of an LSTM; the others have fewer
_ACTIVATIONS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_OF_RNN = {"Tanh": "tanh", "Relu": "relu", "Sigmoid": "sigmoid"}
_DIRECTIONS = {"forward": 1, "reverse": 1, "bidirectional": 2}
_HARMLESS = {"direction", "hidden_size", "layout", "linear_before_reset", "input_forget", "activations"}


def read_onnx(path: str | os.PathLike[str]) -> dict[str, dict[str, Any]]:
    """Return the arguments of `brnn.sequences.conventions.onnx` for each RNN, LSTM and GRU of a model, by node.

    A node without a name is called after its kind and number, as ``LSTM_0``. A node that runs backward only has its
    weights as direction 0: it is to be shown its sequence from the end.

    Raises
    ------
    InputError
        If the package onnx is not there, the file is damaged, weights stand in another file or are computed in the
        graph, or a node clips or has activation functions that the cells here do not have.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError:
        raise InputError(f"{path}: reading it needs the package onnx: pip install 'brnn[onnx]'") from None
    where = str(path)
    refuse_above(4 * os.path.getsize(path), where)
    try:
        graph = onnx.load(path, format="protobuf", load_external_data=False).graph
    except (DecodeError, ValueError) as error:
        raise InputError(f"{where}: is no ONNX model, or damaged ({shortened(str(error))})") from None
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute and node.attribute[0].name == "value":
            tensors[node.output[0]] = node.attribute[0].t
    found: dict[str, dict[str, Any]] = {}
    for number, node in enumerate(n for n in graph.node if n.op_type in _ACTIVATIONS and n.domain in ("", "ai.onnx")):
        name = node.name or f"{node.op_type}_{number}"
        if name in found:
            raise InputError(f"{where}: two nodes are called '{shortened(name)}'")
        found[name] = _node(node, tensors, f"{where}: {shortened(name)}")
    if not found:
        kinds = sorted({node.op_type for node in graph.node})
        raise InputError(f"{where}: has no node RNN, LSTM or GRU (it has {shortened(', '.join(kinds)) or 'none'})")
    return found


def _node(node: Any, tensors: dict[str, Any], where: str) -> dict[str, Any]:
    """Return the arguments of one node."""
    import onnx

    said = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}
    kind = node.op_type
    unknown = sorted(set(said) - _HARMLESS)
    if unknown:
        raise InputError(f"{where}: has the attribute {unknown[0]}, which no cell here has")
    direction = said.get("direction", b"forward").decode()
    if direction not in _DIRECTIONS:
        raise InputError(f"{where}: direction = {shortened(direction)}: must be one of {', '.join(_DIRECTIONS)}")
    given: dict[str, Any] = {}
    functions = [name.decode() for name in said.get("activations", ())] or _ACTIVATIONS[kind] * _DIRECTIONS[direction]
    if kind == "RNN" and set(functions) <= set(_OF_RNN) and len(set(functions)) == 1:
        given["activation"] = _OF_RNN[functions[0]]
    elif functions != _ACTIVATIONS[kind] * _DIRECTIONS[direction]:
        raise InputError(f"{where}: activations {', '.join(functions)}: no cell here has them")
    for option in ("linear_before_reset", "input_forget"):
        if said.get(option):
            given[option] = int(said[option])
    for place, name in zip(_INPUTS, node.input, strict=False):
        if not name or place == "X":
            continue
        if place in ("W", "R", "B", "P"):
            if name not in tensors:
                raise InputError(f"{where}: {place} is computed in the graph; export the model with constants folded")
            given[place] = _array(tensors[name], f"{where}: {place}")
    return given


def _array(tensor: Any, where: str) -> np.ndarray:
    """Return the numbers of a tensor that holds them itself."""
    from onnx import TensorProto, numpy_helper

    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise InputError(f"{where}: stands in another file, which is not followed; save the model as one file")
    try:
        found = numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError, OverflowError, MemoryError) as error:
        raise InputError(f"{where}: is damaged ({shortened(str(error))})") from None
    if found.dtype.kind not in "fiu":
        raise InputError(f"{where}: has elements of {found.dtype}, must have numbers")
    return np.asarray(found, dtype=np.float64)
