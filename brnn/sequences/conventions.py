"""The conventions of frameworks: from their arrays to the parameters of `elman`, `lstm` and `gru`.

| | PyTorch | Keras | ONNX |
| --- | --- | --- | --- |
| LSTM | rows i f g o | columns i f c o | rows i o f c |
| GRU | rows r z n | columns z r h | rows z r h |
| biases | two, added | one; two rows for a GRU with the reset after | two in one, added |
| reset of a GRU | after | after, or before (reset_after=False) | before, or after (linear_before_reset=1) |
| peepholes | none | none | i o f |

Each function returns the arguments of the model's `build`: ``brnn.models.lstm.build(**pytorch(arrays), pattern=x)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from brnn.base.checks import array, choice, whole
from brnn.base.text import closest, shortened
from brnn.errors import InputError

__all__ = ["keras", "onnx", "pytorch"]

_KINDS = {1: "elman", 3: "gru", 4: "lstm"}  # by the number of gates


def pytorch(arrays: Mapping[str, Any], prefix: str = "", layer: int = 0, reverse: bool = False) -> dict[str, Any]:
    """Return the arguments for one layer of torch.nn.LSTM, GRU or RNN.

    Parameters
    ----------
    arrays : mapping
        The state_dict: arrays by name.
    prefix : str
        What stands before ``weight_ih_l0``, as "encoder.rnn.".
    layer : int, >= 0
        Which layer of a stack.
    reverse : bool
        The backward one of a bidirectional layer.

    Returns
    -------
    dict
        W, U, b, and order (and reset and d) where there are gates. Whether an RNN has tanh or relu does not stand in
        its arrays: say `activation`.

    Raises
    ------
    InputError
        If an array is missing, or shapes do not fit (a layer of Keras, with transposed arrays, is named as such).
    """
    end = f"l{whole(layer, 'pytorch: layer', minimum=0)}{'_reverse' if reverse else ''}"
    W, U = (_taken(arrays, f"{prefix}weight_{part}_{end}") for part in ("ih", "hh"))
    if f"{prefix}weight_hr_{end}" in arrays:
        raise InputError(f"pytorch: {prefix}weight_hr_{end}: projected LSTMs (proj_size) are not known")
    gates, n = _gates(W, U, f"pytorch: {prefix}weight_hh_{end}")
    zero = np.zeros(len(U))
    b, c = (
        _taken(arrays, f"{prefix}bias_{part}_{end}", (len(U),)) if f"{prefix}bias_ih_{end}" in arrays else zero
        for part in ("ih", "hh")
    )
    if gates == 3:
        return _gru(W, U, b, c, n, "rzn", "after")
    return {"W": W, "U": U, "b": b + c, **({"order": "ifgo"} if gates == 4 else {})}


def keras(kernel: Any, recurrent: Any, bias: Any = None, reset: str | None = None) -> dict[str, Any]:
    """Return the arguments for a layer LSTM, GRU or SimpleRNN of Keras.

    Parameters
    ----------
    kernel, recurrent : array
        Its arrays 0 and 1 (columns by gate). A .keras file calls a layer by its kind and number in the model, as
        ``layers/gru_1`` for the second GRU, and not by the name that it was given (Keras 3.15).
    bias : array, optional
        Its array 2. That of a GRU has two rows if reset_after=True.
    reset : {"after", "before"}, optional
        Of a GRU, needed only without a bias: reset_after=True or False.
    """
    W, U = (array(part, f"keras: {name}", ndim=2).T for name, part in (("kernel", kernel), ("recurrent", recurrent)))
    gates, n = _gates(W, U, "keras: recurrent (transposed)")
    b = np.zeros(len(U)) if bias is None else array(bias, "keras: bias")
    two = b.ndim == 2
    if b.shape != ((2, len(U)) if two else (len(U),)) or (two and gates != 3):
        raise InputError(f"keras: bias: has shape {b.shape}, which does not fit {len(U)} columns of {gates} gates")
    if gates != 3:
        return {"W": W, "U": U, "b": b, **({"order": "ifgo"} if gates == 4 else {})}
    if bias is None and reset is None:
        raise InputError("keras: reset: a GRU without bias does not say where its reset is; give 'after' or 'before'")
    place = ("after" if two else "before") if bias is not None else choice(reset, "keras: reset", ("after", "before"))
    if reset is not None and place != reset:
        raise InputError(f"keras: reset = '{reset}': the shape of the bias says '{place}'")
    return _gru(W, U, b[0] if two else b, b[1] if two else np.zeros(len(U)), n, "zrn", place)


def onnx(
    W: Any,
    R: Any,
    B: Any = None,
    P: Any = None,
    *,
    linear_before_reset: int = 0,
    input_forget: int = 0,
    direction: int = 0,
    activation: str | None = None,
) -> dict[str, Any]:
    """Return the arguments for a node LSTM, GRU or RNN of ONNX.

    Parameters
    ----------
    W, R, B, P : array
        The inputs of the node of these names, with the axis of directions first.
    linear_before_reset, input_forget : int
        Attributes of a GRU and of an LSTM.
    direction : int
        Which direction: 0 the first, 1 the backward one of a bidirectional node.
    activation : {"tanh", "relu", "sigmoid"}, optional
        That of an RNN; tanh by default.
    """
    given = {"W": (W, 3), "R": (R, 3), "B": (B, 2), "P": (P, 2)}
    part = {}
    for name, (value, axes) in given.items():
        if value is not None:
            whole_of = array(value, f"onnx: {name}", ndim=axes)
            if not 0 <= direction < len(whole_of):
                raise InputError(f"onnx: direction = {direction}: {name} has {len(whole_of)}")
            part[name] = whole_of[direction]
    gates, n = _gates(part["W"], part["R"], "onnx: R")
    size = gates * n
    b = part.get("B", np.zeros(2 * size))
    if b.shape != (2 * size,):
        raise InputError(f"onnx: B: has {b.size} numbers for a direction, must have {2 * size}: Wb, then Rb")
    if gates == 3:
        place = "after" if linear_before_reset else "before"
        return _gru(part["W"], part["R"], b[:size], b[size:], n, "zrn", place)
    result = {"W": part["W"], "U": part["R"], "b": b[:size] + b[size:]}
    if gates == 1:
        return result if activation is None else {**result, "activation": activation}
    if "P" in part:
        if part["P"].shape != (3 * n,):
            raise InputError(f"onnx: P: has {part['P'].size} numbers for a direction, must have {3 * n}: i, o, f")
        result["peepholes"] = part["P"].reshape(3, n).copy()
    if not input_forget:
        return {**result, "order": "iofg"}
    kept = np.r_[0 : 2 * n, 3 * n : 4 * n]  # the forget gate is 1 - i: its own weights are not read
    if "peepholes" in result:
        result["peepholes"][2] = 0.0
    rows = {key: result[key][kept] for key in ("W", "U", "b")}
    return {**result, **rows, "order": "iog", "forget": "coupled"}


def _gru(W: Any, U: Any, b: Any, c: Any, n: int, order: str, reset: str) -> dict[str, Any]:
    """Return the arguments of `gru`; the recurrent bias of n stays apart if the reset multiplies it."""
    total, at = b + c, order.index("n") * n
    if reset == "before":
        return {"W": W, "U": U, "b": total, "order": order, "reset": reset}
    total[at : at + n] = b[at : at + n]
    return {"W": W, "U": U, "b": total, "d": c[at : at + n].copy(), "order": order, "reset": reset}


def _taken(arrays: Mapping[str, Any], name: str, shape: tuple[int, ...] | None = None) -> np.ndarray:
    if name not in arrays:
        known = list(arrays)
        listed = shortened(", ".join(known))
        raise InputError(f"pytorch: there is no array '{name}' (there are {listed}){closest(name, known)}")
    return array(arrays[name], f"pytorch: {name}", ndim=None if shape else 2, shape=shape)


def _gates(W: np.ndarray, U: np.ndarray, where: str) -> tuple[int, int]:
    """Return how many gates and cells there are."""
    n = U.shape[1]
    gates = len(U) // n
    if gates * n != len(U) or gates not in _KINDS or len(W) != len(U):
        hint = "; it looks transposed (columns by gate are Keras's)" if len(U) < n else ""
        raise InputError(
            f"{where}: has shape {U.shape}, input weights {W.shape}: must have 1 (RNN), 3 (GRU) or 4 (LSTM) times as "
            f"many rows as columns, and both as many rows{hint}"
        )
    return gates, n
