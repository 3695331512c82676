"""Where a movement of VITE is at a constant GO signal: `brnn.theory.vite`, on a Network."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.signals import Linear, ThresholdLinear
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import OneToOne
from brnn.theory import vite
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import saved

__all__ = ["movement"]

_VITE = "a movement, V' = alpha (-V + T - P), P' = G [V]+"
_SOURCE = "Bullock and Grossberg (1988), Psychol. Rev. 95, 49-90; the solution of the linear equation"


def movement(network: Network) -> list[Prediction] | Unmet:
    """Give the position of each muscle at the end of each interval of a constant GO signal, and at rest."""
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_VITE, reason)
    parts = _parts(network)
    if isinstance(parts, Unmet):
        return parts
    difference, position, opposed = parts
    alpha = float(difference.A)
    V0 = np.broadcast_to(difference.initial, difference.shape)
    P0 = np.broadcast_to(position.initial, position.shape)
    phases = list(constant_phases(network))
    targets = phases[0].inputs[difference.name, "excitatory"] / alpha
    G = [float(np.max(phase.inputs[position.name, "modulatory"])) for phase in phases]
    still = [g == 0.0 for g in G]
    if (
        sum(not s for s in still) != 1
        or any(still[still.index(False) :])
        or any(np.ptp(p.inputs[position.name, "modulatory"]) for p in phases)
    ):
        return Unmet(_VITE, "one GO signal, which stays on and is the same for all muscles")
    if any((phase.inputs[difference.name, "excitatory"] != alpha * targets).any() for phase in phases):
        return Unmet(_VITE, "one target")
    begin = phases[still.index(False)].start
    go, end = G[-1], phases[-1].stop
    distance = targets - P0
    moves = distance != 0.0
    primed = 1.0 - np.exp(-alpha * begin)
    v0 = np.where(moves, (V0 * np.exp(-alpha * begin) + distance * primed) / np.where(moves, distance, 1.0), 0.0)
    if not opposed and (alpha < 4.0 * go or (distance < 0.0).any()):
        return Unmet(_VITE, "no overshoot (alpha >= 4 G) and only forward movements, or pairs of opponent muscles")
    if (V0 != 0.0).any() and np.ptp(v0[moves]) > 1e-12:
        return Unmet(_VITE, "differences that are 0 at first")
    start = float(v0[moves][0]) if moves.any() else 0.0
    q = float(vite.position(np.array([end - begin]), alpha, go, start)[0][0])
    where = P0 + distance * q
    words = f"{q:.6g} of the way at t = {end:g}, whatever the distance, and the target in the end\n"
    return [
        Prediction(
            f"{position.name}.x at t = {end:g}",
            where,
            words + pattern_in_words(where),
            "a constant GO signal",
            _SOURCE,
            details={"relative position": q, "target": targets},
            _measure=lambda result: _at(result, f"{position.name}.x", end),
        )
    ]


def _parts(network: Network) -> tuple[Layer, GatedLayer, bool] | Unmet:
    layers: Any = sorted(network.layers, key=lambda layer: isinstance(layer, GatedLayer))
    if len(layers) != 2 or type(layers[0]) is not Layer or not isinstance(layers[1], GatedLayer):
        return Unmet(_VITE, "a layer of differences and one of positions that a GO signal opens")
    difference, position = layers
    if not (difference.accepts_signed_input() and np.ndim(difference.A) == 0 and difference.A > 0.0):
        return Unmet(_VITE, "additive differences with one rate alpha")
    numbers = (position.A, position.B, position.C, position.E, position.F, position.rest, position.gain)
    if not all(np.all(np.asarray(a) == b) for a, b in zip(numbers, (0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0), strict=True)):
        return Unmet(_VITE, "positions that add up what arrives while the GO signal is on")
    opposed = False
    for link in network.projections:
        W = link.topology.strengths(network.layer(link.source).shape, network.layer(link.target).shape)
        ends = link.source, link.target, link.kind
        if not link.plain:
            return Unmet(_VITE, "projections without gates, learning and delays")
        rectified = isinstance(link.signal, ThresholdLinear) and link.signal == ThresholdLinear(1.0, 0.0)
        if ends == (position.name, difference.name, "inhibitory") and link.signal == Linear():
            good = isinstance(link.topology, OneToOne) and link.topology.weight == difference.A
        elif ends == (difference.name, position.name, "excitatory") and rectified:
            good = isinstance(link.topology, OneToOne) and link.topology.weight == 1.0
        elif ends == (difference.name, position.name, "inhibitory") and rectified:
            n = difference.shape[-1]
            good = opposed = difference.shape[0] == 2 and np.array_equal(W, np.kron(np.eye(2)[::-1], np.eye(n)))
        else:
            good = False
        if not good:
            return Unmet(_VITE, f"the projections of these equations and no others ({link.label})")
    if opposed:
        x = np.broadcast_to(position.initial, position.shape)
        if not np.allclose(x[0] + x[1], x[0, 0] + x[1, 0], rtol=1e-12):
            return Unmet(_VITE, "opponent muscles whose lengths add up to one number")
    return difference, position, opposed


def _at(result: Any, name: str, time: float) -> np.ndarray:
    times, values = saved(result, name, None)
    k = int(np.argmin(np.abs(times - time)))
    if abs(times[k] - time) > 1e-12 * max(1.0, abs(time)):
        raise NotMeasured(f"{name}: t = {time:g} is no saved time")
    return np.asarray(values[k])
