"""Cells that inhibit each other by what exceeds a threshold, (4) and (5): `brnn.theory.lateral_inhibition`."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.errors import InputError
from brnn.signals import ThresholdLinear
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory.lateral_inhibition import static
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest

__all__ = ["lateral_inhibition"]

_LATERAL = "lateral inhibition above a threshold (4)"
_SOURCE = "Hartline and Ratliff (1957); review, (4), (5)"
_AT_MOST = 1000
_PHASES = 20


def lateral_inhibition(network: Network) -> list[Prediction] | Unmet:
    """Give the responses at rest, v_i + sum_j K_ij [v_j - r_ij]+ = e_i, where they are the only ones."""
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_LATERAL, reason)
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or not isinstance(layer, Layer) or not layer.accepts_signed_input():
        return Unmet(_LATERAL, "one additive layer (C = F = 0)")
    if not (np.min(layer.A) > 0.0 and layer.cells <= _AT_MOST and network.projections):
        return Unmet(_LATERAL, f"cells that decay and inhibit each other, at most {_AT_MOST}")
    A, B, E = (np.broadcast_to(part, layer.shape).ravel() for part in (layer.A, layer.B, layer.E))
    K, levels = np.zeros((layer.cells,) * 2), np.zeros((layer.cells,) * 2)
    for link in network.projections:
        signal = link.signal
        if link.kind != "inhibitory" or not (isinstance(signal, ThresholdLinear) and np.isinf(signal.ceiling)):
            return Unmet(_LATERAL, "inhibition by signals that are 0 up to a threshold and then a straight line")
        if not link.plain:
            return Unmet(_LATERAL, "projections without gates, learning and delays")
        W = signal.gain * E[:, None] * link.topology.strengths(layer.shape, layer.shape) / A[:, None]
        if (W < 0.0).any() or ((W != 0.0) & (K != 0.0) & (levels != signal.threshold)).any():
            return Unmet(_LATERAL, "strengths that are not negative, and one threshold for each pair of cells")
        levels = np.where(W != 0.0, signal.threshold, levels)
        K = K + W
    certified, why = _unique(K)
    rate = float(np.min(A))
    found = []
    for phase in list(constant_phases(network))[:_PHASES]:
        e = (
            B * phase.inputs[layer.name, "excitatory"].ravel() - E * phase.inputs[layer.name, "inhibitory"].ravel()
        ) / A
        try:
            v = static(e, K, levels).reshape(layer.shape)
        except InputError as error:
            return Unmet(_LATERAL, str(error))
        name, during = f"{layer.name}.x", (phase.start, phase.stop)
        found.append(
            Prediction(
                name if certified else f"a state of rest of {name}",
                v,
                f"{phase}: sum {v.sum():.8g}{'' if certified else ', one that may not be the only one'}\n"
                f"{pattern_in_words(v)}",
                why,
                _SOURCE,
                during,
                _measure=partial(at_rest, name=name, during=during, rate=rate) if certified else None,
            )
        )
    return found


def _unique(K: np.ndarray) -> tuple[bool, str]:
    """Tell whether one state attracts all others, and by which condition, or by how much it is not met."""
    norm = float(np.linalg.norm(K, 2))
    if norm < 1.0:
        return True, f"inhibition less than decay: norm of K {norm:.4g} < 1, so that one state attracts all others"
    if np.allclose(K, K.T, rtol=1e-12, atol=0.0):
        least = float(np.linalg.eigvalsh(K)[0])
        if least > -1.0:
            return True, f"symmetric K with eigenvalues above -1 (least {least:.4g}), so that one state attracts all"
        return False, f"(4); of K an eigenvalue is {least:.4g}, not above -1: there may be several states"
    return False, f"(4); K is not symmetric and its norm {norm:.4g} not below 1: there may be several states"
