"""Where a circuit of principal cells and a pool that shunts them comes to rest: divisive normalization (ORGaNICs)."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.spec.layers.generalized import Layer
from brnn.spec.layers.normalizing import NormalizingLayer
from brnn.spec.network import Network
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest

__all__ = ["normalization"]

_CIRCUIT = "a circuit that normalizes by a pool"
_SOURCE = "Heeger and Mackey (2019); Rawat, Heeger and Martiniani (2024)"
_SAMPLES = np.array([-2.0, -0.5, 0.0, 0.25, 3.0])


def normalization(network: Network) -> list[Prediction] | Unmet:
    """Give x, the pool's activity and the normalized responses at rest, with each of the inputs."""
    hypothesis = unmet_by_inputs(network)
    if hypothesis is not None:
        return Unmet(_CIRCUIT, hypothesis)
    cells = [layer for layer in network.layers if isinstance(layer, NormalizingLayer)]
    pools: list[Any] = [layer for layer in network.layers if isinstance(layer, Layer)]
    if len(network.layers) != 2 or not cells or not pools:
        return Unmet(_CIRCUIT, "one layer of principal cells and one of the pool")
    x, a = cells[0], pools[0]
    links = {(link.source, link.target, link.kind): link for link in network.projections}
    wanted = {(x.name, a.name, "excitatory"), (x.name, x.name, "modulatory"), (a.name, x.name, "inhibitory")}
    if set(links) != wanted or len(network.projections) != 3 or x.shape != a.shape:
        return Unmet(_CIRCUIT, "the pool's three projections: what it sees, in both layers, and what it does")
    W = {key: links[key].topology.strengths(x.shape, x.shape) for key in links}
    seen, own, back = (links[key] for key in ((x.name, a.name, "excitatory"), (x.name, x.name, "modulatory"),
                                              (a.name, x.name, "inhibitory")))  # fmt: skip
    tau = np.broadcast_to(x.tau_pool, x.shape).ravel()
    squares = all(np.array_equal(link.signal(_SAMPLES), _SAMPLES**2) for link in (seen, own))
    one = np.array_equal(W[a.name, x.name, "inhibitory"], np.eye(x.cells))
    one = one and np.array_equal(back.signal(_SAMPLES), _SAMPLES)
    pooled = W[x.name, x.name, "modulatory"]
    same = np.allclose(W[x.name, a.name, "excitatory"] * tau[:, None], pooled, rtol=1e-12, atol=0.0)
    decay = np.allclose(np.broadcast_to(a.A, a.shape).ravel() * tau, 1.0, rtol=1e-12) and a.accepts_signed_input()
    if not (squares and one and same and decay) or np.any(a.B != 1.0):
        return Unmet(_CIRCUIT, "a pool that sums up x^2 as the principal cells say")
    result = [Prediction("network", _CIRCUIT, "divisive normalization by a pool that shunts", _CIRCUIT, _SOURCE)]
    for phase in constant_phases(network):
        drive = (np.asarray(x.b) * phase.inputs[x.name, "excitatory"]).ravel()
        level = pooled @ drive**2 + phase.inputs[a.name, "excitatory"].ravel() * tau
        y = (drive / np.sqrt(level)).reshape(x.shape)
        during = (phase.start, phase.stop)
        for layer, value, words in (
            (x, drive, f"{phase}: x = b z, the normalized y = x/sqrt(a) is\n{pattern_in_words(y)}"),
            (a, level, f"{phase}: the pool is at floor + W x^2, between {level.min():.8g} and {level.max():.8g}"),
        ):
            name = f"{layer.name}.x"
            measure = partial(at_rest, name=name, during=during)
            result.append(
                Prediction(
                    name, value.reshape(x.shape), words, "the inputs stay as they are", _SOURCE, during, {"y": y},
                    _measure=measure,
                )
            )  # fmt: skip
    return result
