"""Read arrays of weights from a file, whichever of the known formats it has."""

from __future__ import annotations

import os
import zipfile
import zlib
from pathlib import Path

import numpy as np

from brnn.base.memory import refuse_above
from brnn.base.named import says_what_is_meant
from brnn.base.text import shortened
from brnn.errors import InputError
from brnn.files.weights.keras import read_keras
from brnn.files.weights.onnx import read_onnx
from brnn.files.weights.safetensors import read_safetensors

__all__ = ["read_weights"]

_PICKLES = (".pt", ".pth", ".ckpt", ".bin", ".pkl", ".pickle")
_KNOWN = ".safetensors, .npz, .keras, .h5, .onnx"


@says_what_is_meant
def read_weights(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a file of weights by name: .safetensors, .npz, .keras, .h5 or .onnx.

    Those of an ONNX model are the weights of its nodes, as ``LSTM_0/W``; `brnn.files.weights.onnx.read_onnx` says also
    how each node is meant.

    `brnn.sequences.conventions` makes of them what the models take.

    Raises
    ------
    InputError
        If there is no such file, it is of another kind, or damaged. A pickle (.pt) could run anything, and is never
        opened: the message says how to convert it.
    """
    file = Path(path)
    kind = file.suffix.lower()
    if kind in _PICKLES:
        raise InputError(
            f"{file}: is a pickle, which is never opened; convert it where it was made: "
            f'safetensors.torch.save_file(model.state_dict(), "{file.stem}.safetensors")'
        )
    if not file.is_file():
        raise InputError(f"{file}: there is no such file")
    if kind == ".safetensors":
        return read_safetensors(file)
    if kind == ".npz":
        return _read_npz(file)
    if kind in (".keras", ".h5", ".hdf5"):
        return read_keras(file)
    if kind == ".onnx":
        return {
            f"{node}/{name}": value
            for node, given in read_onnx(file).items()
            for name, value in given.items()
            if isinstance(value, np.ndarray)
        }
    raise InputError(f"{file}: the kind '{kind}' is not known; weights are read from {_KNOWN}")


def _read_npz(file: Path) -> dict[str, np.ndarray]:
    try:
        with zipfile.ZipFile(file) as archive:
            refuse_above(2 * sum(entry.file_size for entry in archive.infolist()), f"{file}: its arrays")
        with np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except InputError:
        raise
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise InputError(f"{file}: is no .npz of plain arrays ({shortened(str(error))})") from None
