"""Where a field (21) comes to rest whose cells may differ and whose inputs stay on: `brnn.theory.regime`."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.errors import InputError
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.uniform import AllButSelf, OneToOne
from brnn.theory.predictions.base import InputPhase, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest
from brnn.theory.regime import FieldRegime, adaptation_level_state, field_regime

__all__ = ["settled_field"]

_FIELD = "a competitive field that comes to rest (28)-(31)"
_AT_MOST = 200


def settled_field(network: Network) -> list[Prediction] | Unmet:
    """Give the state of rest after the last change of the inputs, or the states of which it is one."""
    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_FIELD, reason)
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or type(layer) is not Layer or layer.cells > _AT_MOST:
        return Unmet(_FIELD, f"one layer of at most {_AT_MOST} cells that obey (9)")
    if not (np.all(layer.C == 1.0) and np.all(layer.F == 1.0) and not np.any(layer.E) and np.min(layer.A) > 0.0):
        return Unmet(_FIELD, "shunting cells between 0 and B (C = F = 1, E = 0) that decay")
    kinds = {link.kind: link for link in network.projections}
    if len(network.projections) != 2 or set(kinds) != {"excitatory", "inhibitory"}:
        return Unmet(_FIELD, "one excitatory and one inhibitory projection")
    center, others = kinds["excitatory"], kinds["inhibitory"]
    if not (center.plain and others.plain):
        return Unmet(_FIELD, "projections without gates, learning and delays")
    on, off = center.topology, others.topology
    if not (center.signal == others.signal and isinstance(on, OneToOne) and isinstance(off, AllButSelf)):
        return Unmet(_FIELD, "cells that excite themselves and inhibit all others, by one signal")
    if not (np.all(on.weight == 1.0) and off.weight == 1.0):
        weight = float(np.ravel(off.weight)[0])
        return Unmet(_FIELD, f"strengths of 1, as in (21) (the inhibition has {weight:g}: {weight - 1.0:+.3g})")
    phases = list(constant_phases(network))
    regime = _regime(layer, center.signal, phases)
    if isinstance(regime, Unmet):
        return regime
    during = phases[-1].start, phases[-1].stop
    name = f"{layer.name}.x"
    if regime.final is not None:
        x = regime.final.reshape(layer.shape)
        slow = regime.marginal
        return [
            Prediction(
                "state of rest",
                x,
                f"{regime.words}\n{pattern_in_words(x)}",
                "the last inputs stay on",
                regime.source,
                during,
                {"kind": regime.kind, "rate": regime.rate},
                tolerance=1e-4 * max(1e-3, float(np.max(x, initial=0.0))),
                _measure=None if slow else lambda result: at_rest(result, name, (during[0], np.inf), moved=1e-5),
            )
        ]
    if not regime.states:
        return [Prediction("state of rest", None, regime.words, _FIELD, regime.source, during)]
    listed = "; ".join(pattern_in_words(state) for state in regime.states[:6])
    return [
        Prediction(
            "distance to what can be stored",
            0.0,
            f"one of {len(regime.states)} states: {listed}",
            "no inputs after the last change, cells that are alike, order as at first",
            regime.source,
            during,
            {"states": regime.states},
            tolerance=1e-4,
            _measure=lambda result: regime.distance(at_rest(result, name, (during[0], np.inf), moved=1e-7)),
        )
    ]


def _regime(layer: Layer, signal: Any, phases: list[InputPhase]) -> FieldRegime | Unmet:
    """Return what becomes of the field after the last change; before that only its order is known."""
    last = phases[-1]
    I, J = (last.inputs[layer.name, kind].ravel() for kind in ("excitatory", "inhibitory"))
    start = np.broadcast_to(layer.initial, layer.shape).ravel()
    earlier = sum((phase.inputs[layer.name, "excitatory"].ravel() for phase in phases[:-1]), np.zeros(layer.cells))
    try:
        if len(phases) == 1:
            return field_regime(layer.A, layer.B, signal, start, I, J)
        # The state at the last change is not known, but it does not matter where one state attracts all.
        A, B = (np.array(np.broadcast_to(v, layer.shape), dtype=float).ravel() for v in (layer.A, layer.B))
        active = (start > 0.0) | (I > 0.0) | (earlier > 0.0)
        found = adaptation_level_state(A, B, signal, I, J, active)
        if isinstance(found, str):
            return Unmet(_FIELD, f"inputs that do not change, or one state that attracts all: {found}")
        return field_regime(A, B, signal, np.where(active, 0.5 * B, 0.0), I, J)
    except InputError as error:
        return Unmet(_FIELD, str(error))
