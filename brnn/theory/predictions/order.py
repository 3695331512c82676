"""Cells that are alike keep their order: for any network whose cells differ in nothing but their inputs and starts.

Where two cells of such a layer met, their rates would be equal, but for their inputs; so the one that is ahead, and
gets no less excitation and no more inhibition, stays ahead. Grossberg (1973) has it for recurrent competitive fields.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.layers.box import BoxLayer
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases
from brnn.theory.predictions.measuring import saved

__all__ = ["kept_order"]

_ORDER = "cells that are alike and keep their order"
_SOURCE = "Grossberg (1973), Stud. Appl. Math. 52, 213-257; by uniqueness of solutions"
_NEAR = 1e-6  # of the largest activity: nearer cells may seem to have changed places


def kept_order(network: Network) -> list[Prediction] | Unmet:
    """Say that the order of the activities never changes."""
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or isinstance(layer, (BinaryLayer, BoxLayer)) or layer.cells < 2:
        return Unmet(_ORDER, "one layer of two cells or more, in continuous time")
    if network.noisy or network.events:
        return Unmet(_ORDER, "no noise and no events")
    if any(np.ndim(getattr(layer, name)) for name in layer.parameters):
        return Unmet(_ORDER, "cells with equal parameters")
    for link in network.projections:
        if not link.plain:
            return Unmet(_ORDER, "projections without gates, learning and delays")
        if not isinstance(link.topology, (AllButSelf, AllToAll, OneToOne)) or np.ndim(link.topology.weight):
            return Unmet(_ORDER, "cells that send to all others alike (OneToOne, AllToAll, AllButSelf)")
    if any(stimulus.schedule.varying for stimulus in network.stimuli):
        return Unmet(_ORDER, "inputs that do not change all the time")
    x = np.broadcast_to(layer.initial, layer.shape).ravel()
    if layer.modulated and any(np.ptp(p.inputs[layer.name, "modulatory"]) > 0.0 for p in constant_phases(network)):
        return Unmet(_ORDER, "one modulatory input for all cells")
    inputs = _inputs(network, layer)
    if not (np.ptp(x) > 0.0 or inputs):
        return Unmet(_ORDER, "cells that differ in their starts or their inputs")
    # Cells that begin equal are ordered by their inputs.
    keys = np.lexsort((*inputs, x))
    rows = np.stack([x, *inputs])[:, keys]
    wrong = float(np.min(np.diff(rows, axis=1)))
    if wrong < 0.0:
        return Unmet(_ORDER, f"inputs in the same order as the activities at time 0 (one falls by {-wrong:.4g})")
    if not isinstance(layer, (Layer, GatedLayer)) and len(rows) > 1:
        return Unmet(_ORDER, "cells (9), or no inputs")
    words = "the order of the activities never changes; cells that begin equal, with equal inputs, stay equal"
    return [
        Prediction(
            f"least lead of {layer.name}.x",
            (0.0, np.inf),
            words,
            "cells that are alike, inputs in the order of the activities at time 0, up to the end of the protocol",
            _SOURCE,
            kind="within",
            tolerance=_NEAR * max(1.0, float(np.max(np.abs(x)))),
            _measure=lambda result: _least_lead(result, f"{layer.name}.x", keys, network.duration),
        )
    ]


def _inputs(network: Network, layer: Any) -> list[np.ndarray]:
    """Return the inputs of all phases, signed so that more is ahead."""
    rows: list[np.ndarray] = []
    for phase in constant_phases(network):
        for kind, sign in (("excitatory", 1.0), ("inhibitory", -1.0)):
            row = sign * phase.inputs[layer.name, kind].ravel()
            if np.ptp(row) > 0.0:
                rows.append(row)
    return rows


def _least_lead(result: Any, name: str, order: np.ndarray, duration: float | None) -> float:
    times, values = saved(result, name, None if duration is None else (0.0, duration))
    return float(np.min(np.diff(values.reshape(times.size, -1)[:, order], axis=1)))
