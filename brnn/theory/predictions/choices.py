"""States of a shunting field in which one cell alone sends signals, as masking fields choose: for any strengths.

The one cell is at a root of its own equation. It holds each other cell where dx/dt = 0 says, at 0 or below, where
signals are 0: `brnn.theory.masking_field.choice`, of which this is the case of any excitation and inhibition.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.signals import Sigmoid, Signal, ThresholdLinear
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest

__all__ = ["choice_states"]

_CHOICE = "a shunting field that may choose: one cell sends signals, and holds all others below 0"
_SOURCE = "Cohen and Grossberg (1987), Applied Optics 26, 1866-1891; roots of one equation for each cell"
_LEVELS = 401  # of each cell, between which roots are looked for
_MOST = 200  # cells


def choice_states(network: Network) -> list[Prediction] | Unmet:
    """Give all states of rest in which one cell alone is active."""
    from scipy.optimize import brentq

    reason = unmet_by_inputs(network)
    if reason is not None:
        return Unmet(_CHOICE, reason)
    fields = {p.target for p in network.projections if p.source == p.target}
    field: Any = network.layer(next(iter(fields))) if len(fields) == 1 else None
    if type(field) is not Layer or field.cells > _MOST or not 1 < field.cells:
        return Unmet(_CHOICE, f"one recurrent layer (9), of 2 to {_MOST} cells")
    A, B, C, E, F = (
        np.array(np.broadcast_to(v, field.shape), dtype=float).ravel()
        for v in (field.A, field.B, field.C, field.E, field.F)
    )
    if not ((E > 0.0).any() and (C > 0.0).all()):
        return Unmet(_CHOICE, "cells below B/C (C > 0), and inhibition that takes cells below 0 (E > 0)")
    own = [p for p in network.projections if p.source == field.name]
    if any(not p.plain or p.target != field.name or not _silent_below_0(p.signal) for p in own):
        return Unmet(_CHOICE, "signals that are 0 up to 0, plain projections, and nothing behind the field")
    last = list(constant_phases(network))[-1]
    arriving = {kind: last.inputs[field.name, kind].ravel().copy() for kind in ("excitatory", "inhibitory")}
    for link in (p for p in network.projections if p.source != field.name):
        source: Any = network.layer(link.source)
        feeding = any(p.target == source.name for p in network.projections)
        if type(source) is not Layer or feeding or not link.plain or link.target != field.name:
            return Unmet(_CHOICE, "layers before the field that are driven by inputs alone")
        exc, inh = (last.inputs[source.name, kind] for kind in ("excitatory", "inhibitory"))
        x = (source.B * exc - source.E * inh) / (source.A + source.C * exc + source.F * inh)
        arriving[link.kind] += link.topology.strengths(source.shape, field.shape) @ np.asarray(link.signal(np.ravel(x)))
    W = [(p.kind, p.signal, p.topology.strengths(field.shape, field.shape)) for p in own]

    def rates(w: int, level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what comes in and the decay of each cell while the cell w alone is active, at a level."""
        total = {kind: value.copy() for kind, value in arriving.items()}
        for kind, signal, strengths in W:
            total[kind] += strengths[:, w] * float(signal(level))
        exc, inh = total["excitatory"], total["inhibitory"]
        return B * exc - E * inh, A + C * exc + F * inh

    def own_rate(level: float, w: int) -> float:
        current, decay = rates(w, level)
        return float(current[w] - decay[w] * level)

    states: dict[int, list[np.ndarray]] = {}
    for w in range(field.cells):
        levels = np.linspace(0.0, float(B[w] / C[w]), _LEVELS)[1:]
        values = [own_rate(level, w) for level in levels]
        for k in range(len(levels) - 1):
            if not values[k] > 0.0 >= values[k + 1]:
                continue  # a root at which the rate falls: others are not stable
            level = float(brentq(own_rate, levels[k], levels[k + 1], args=(w,), xtol=1e-15, rtol=1e-14))
            current, decay = rates(w, level)
            x = current / decay
            x[w] = level
            if (np.delete(x, w) <= 0.0).all():
                states.setdefault(w, []).append(x)
    if not states:
        return Unmet(_CHOICE, f"a state with one active cell (none found among {_LEVELS - 1} levels of each)")
    name = f"{field.name}.x"
    listed = "; ".join(f"cell {w} at {x[w]:.6g}" for w, held in states.items() for x in held)
    during = (last.start, np.inf)

    def measure(result: Any) -> float:
        x = at_rest(result, name, during).ravel()
        active = np.flatnonzero(x > 0.0)
        if active.size != 1:
            raise NotMeasured(f"{name}: {active.size} cells are active, not one")
        return float(min((np.abs(state - x).max() for state in states.get(int(active[0]), [])), default=np.inf))

    return [
        Prediction(
            "distance to a state in which one cell is active",
            0.0,
            f"if one cell is active at rest: {listed}",
            "the last inputs stay on, all before the field has settled, one cell above 0 in the end",
            _SOURCE,
            (last.start, last.stop),
            {"states": states},
            tolerance=1e-5,
            _measure=measure,
        )
    ]


def _silent_below_0(signal: Signal) -> bool:
    return isinstance(signal, Sigmoid) or (isinstance(signal, ThresholdLinear) and signal.threshold >= 0.0)
