"""Where cells settle that are driven by inputs alone, (13) and (20): `brnn.theory.feedforward`, `membrane`."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.membrane import MembraneLayer
from brnn.spec.network import Network
from brnn.theory import membrane
from brnn.theory.predictions.base import InputPhase, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import approached

__all__ = ["driven_cells"]

_DRIVEN = "a network driven by inputs alone (13), (20)"
_CONSTANT = "the inputs stay as they are"
_SOURCE = "review, (13), (20); each cell obeys a linear equation"


def driven_cells(network: Network) -> list[Prediction] | Unmet:
    """Give the equilibrium of each layer of shunting, additive or membrane cells, with each of its inputs."""
    hypothesis = unmet_by_inputs(network)
    if hypothesis is not None:
        return Unmet(_DRIVEN, hypothesis)
    if network.projections:
        return Unmet(_DRIVEN, "no projections")
    if not all(isinstance(layer, (Layer, MembraneLayer)) for layer in network.layers):
        return Unmet(_DRIVEN, "layers of cells that obey (9) or (20)")
    words = "driven by inputs alone; while these stay constant each cell settles by itself"
    result = [Prediction("network", _DRIVEN, words, _DRIVEN, _SOURCE)]
    for phase in constant_phases(network):
        result += [_settled(layer, phase) for layer in network.layers if isinstance(layer, (Layer, MembraneLayer))]
    return result


def _settled(layer: Layer | MembraneLayer, phase: InputPhase) -> Prediction:
    exc, inh = phase.inputs[layer.name, "excitatory"], phase.inputs[layer.name, "inhibitory"]
    if isinstance(layer, Layer):
        rate = layer.A + layer.C * exc + layer.F * inh
        current = layer.B * exc - layer.E * inh
    else:
        constants: Any = (layer.V_plus, layer.V_minus, layer.V_p, layer.g_p, layer.C)  # numbers, or one for each cell
        cell = membrane.Membrane(*constants)
        rate = (exc + inh + layer.g_p) / layer.C
        current = membrane.equilibrium(cell, exc, inh) * rate
    name, during = f"{layer.name}.x", (phase.start, phase.stop)
    if not np.all(rate > 0):
        return Prediction(name, None, f"{phase}: no equilibrium, nothing decays", _CONSTANT, _SOURCE, during)
    x = np.broadcast_to(current / rate, layer.shape)
    words = (
        f"{phase}: total input {exc.sum():.5g}, sum of x {x.sum():.8g}, approached at rate {np.min(rate):.5g}\n"
        f"{pattern_in_words(x)}"
    )
    rates = np.broadcast_to(rate, layer.shape)
    return Prediction(
        name,
        x,
        words,
        _CONSTANT,
        _SOURCE,
        during,
        {"rate": rates},
        _measure=lambda result: approached(result, name, during, rates),
    )
