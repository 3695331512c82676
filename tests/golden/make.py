"""Make the golden vectors of PyTorch and Keras: weights as they write them, and what they compute with them.

Run once, by hand, in an environment of its own (the tests need neither package):

    pip install torch keras safetensors h5py
    python tests/golden/make.py

All is set to double precision; the versions stand in the files. Keras computes SimpleRNN, and a GRU with its reset
before, in single precision all the same (3.15.1).
"""

from __future__ import annotations

import json
import os
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np
import safetensors.torch
import torch

HERE = Path(__file__).parent
STEPS, INPUTS, CELLS = 6, 2, 3


def pytorch() -> None:
    """Two layers in both directions of each kind: pytorch.safetensors holds weights, the input and the outputs."""
    torch.manual_seed(2026)
    x = torch.randn(STEPS, INPUTS, dtype=torch.float64)
    kept = {"x": x}
    for name, kind, options in (
        ("tanh", torch.nn.RNN, {"nonlinearity": "tanh"}),
        ("relu", torch.nn.RNN, {"nonlinearity": "relu"}),
        ("lstm", torch.nn.LSTM, {}),
        ("gru", torch.nn.GRU, {}),
    ):
        cell = kind(INPUTS, CELLS, num_layers=2, bidirectional=True, dtype=torch.float64, **options)
        kept |= {f"{name}.{key}": value for key, value in cell.state_dict().items()}
        kept[f"{name}.output"] = cell(x)[0].detach().contiguous()
    safetensors.torch.save_file(kept, HERE / "pytorch.safetensors", metadata={"torch": torch.__version__})


def of_keras() -> None:
    """Each kind of layer: one model in a .keras file, one in the older .h5, and what each layer gives out."""
    keras.utils.set_random_seed(2026)
    keras.config.set_floatx("float64")
    x = np.random.default_rng(2026).normal(size=(1, STEPS, INPUTS))
    shown = keras.Input((STEPS, INPUTS))
    layers = {
        "simple": keras.layers.SimpleRNN(CELLS, return_sequences=True, name="simple"),
        "lstm": keras.layers.LSTM(CELLS, return_sequences=True, name="lstm"),
        "gru_after": keras.layers.GRU(CELLS, return_sequences=True, name="gru_after"),
        "gru_before": keras.layers.GRU(CELLS, reset_after=False, return_sequences=True, name="gru_before"),
    }
    outputs = {name: layer(shown) for name, layer in layers.items()}
    model = keras.Model(shown, list(outputs.values()))
    for layer in layers.values():  # biases that are not 0
        layer.set_weights([w + 0.1 * np.random.default_rng(w.size).normal(size=w.shape) for w in layer.get_weights()])
    model.save(HERE / "keras.keras")
    model.save(HERE / "keras.h5")
    found = {name: np.asarray(y)[0] for name, y in zip(outputs, model.predict(x, verbose=0), strict=True)}
    versions = {"keras": keras.__version__, "backend": f"torch {torch.__version__}"}
    np.savez_compressed(HERE / "keras.npz", x=x[0], versions=json.dumps(versions), **found)


if __name__ == "__main__":
    pytorch()
    of_keras()
