"""Sums of activities that nothing changes: what one integrator gains another loses.

Cells without decay and shunting obey dx/dt = B exc - E inh. If exc and inh come by matrices W_k from signals s_k, then
dx/dt = sum_k M_k s_k + inputs, and every w with w'M_k = 0 for all k keeps w'x, whatever the signals do: integrators
that are driven in opposite pairs, like the tonic cells that hold the eye, have a constant sum.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.spec.events.set_state import SetState
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory.predictions.base import Prediction, Unmet
from brnn.theory.predictions.measuring import saved

__all__ = ["constant_sums"]

_SUMS = "sums of integrators that stay constant"
_SOURCE = "a linear equation; derived in brnn.theory.predictions.sums"
_CELLS = 500


def constant_sums(network: Network) -> list[Prediction] | Unmet:
    """Give the weighted sums of cells without decay that no signal and no input changes."""
    found = []
    for layer in network.layers:
        if type(layer) is Layer and layer.cells <= _CELLS:
            sums = _kept(network, layer)
            if sums is not None and len(sums):
                found.append(_said(layer, sums))
    return found or Unmet(_SUMS, "cells without decay and shunting, driven in pairs by signals that do not learn")


def _kept(network: Network, layer: Any) -> np.ndarray | None:
    """Return the rows w with w'x constant; None if they cannot be told."""
    zero = (layer.A, layer.C, layer.F)
    links = [link for link in network.projections if link.target == layer.name]
    if any(np.any(part) for part in zero) or not links or any(link.learning is not None for link in links):
        return None
    if any(link.modulation is not None and link.modulation.at != "source" for link in links):
        return None
    set_by = [a for event in network.events for a in event.actions]
    if any(not isinstance(a, SetState) or a.state == f"{layer.name}.x" for a in set_by):
        return None
    if any(link.gate is not None and link.gate.per != "source" for link in links):
        return None
    signs = {"excitatory": layer.B, "inhibitory": -np.asarray(layer.E)}
    factor = {kind: np.broadcast_to(sign, layer.shape).ravel()[:, None] for kind, sign in signs.items()}
    groups: dict[Any, np.ndarray] = {}
    for link in links:
        alike = link.gate is None and link.modulation is None
        key = (link.source, repr(link.signal), link.delay) if alike else link.name
        W = factor[link.kind] * link.topology.strengths(network.layer(link.source).shape, layer.shape)
        groups[key] = groups.get(key, 0.0) + W
    columns = list(groups.values())
    for stimulus in network.stimuli:
        if stimulus.target != layer.name:
            continue
        if np.shape(stimulus.pattern) not in ((), layer.shape) or stimulus.schedule.per_cell:
            return None
        columns.append(factor[stimulus.kind] * np.broadcast_to(stimulus.pattern, layer.shape).ravel()[:, None])
    return _null_rows(np.concatenate(columns, axis=1))


def _null_rows(M: np.ndarray) -> np.ndarray:
    """Return independent rows w with w'M = 0, in echelon form: one coefficient 1 that the other rows do not have."""
    values: np.ndarray
    left, values, _ = np.linalg.svd(M)
    rank = int(np.sum(values > 1e-12 * max(float(values[0]), 1e-300))) if values.size else 0
    rows = left[:, rank:].T.copy()
    for k in range(len(rows)):
        column = int(np.argmax(np.abs(rows[k]) > 0.5 * np.abs(rows[k]).max()))
        rows[k] /= rows[k, column]
        others = np.arange(len(rows)) != k
        rows[others] -= rows[others, column, None] * rows[k]
    rows[np.abs(rows) < 1e-12] = 0.0
    return np.asarray(rows)


def _said(layer: Any, rows: np.ndarray) -> Prediction:
    x = np.array(np.broadcast_to(layer.initial, layer.shape), dtype=float).ravel()
    value = rows @ x
    shown = [_sum(row, total) for row, total in zip(rows[:4], value, strict=False)] + (["..."] if len(rows) > 4 else [])
    scale = max(1.0, float(np.abs(rows).sum(axis=1).max()))
    return Prediction(
        f"constant sums of {layer.name}.x",
        value,
        "\n".join(shown),
        "cells without decay, whose signals and inputs cancel in these sums",
        _SOURCE,
        details={"rows": rows},
        tolerance=1e-6 * scale,
        _measure=partial(_farthest, name=f"{layer.name}.x", rows=rows, value=value),
    )


def _sum(row: np.ndarray, total: float) -> str:
    terms = [f"{w:+.4g} x_{k + 1}" for k, w in enumerate(row) if w][:8]
    return f"{' '.join(terms)} = {total:.8g} at all times"


def _farthest(result: Any, name: str, rows: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Return the sums at the time at which they are farthest from their values."""
    _, values = saved(result, name, None)
    sums = values.reshape(len(values), -1) @ rows.T
    return np.asarray(sums[int(np.argmax(np.abs(sums - value).max(axis=1)))])
