"""Additive cells that send steps: the whole course, as exponentials between the times at which cells cross thresholds.

Between two such times no signal changes, so that dx/dt = c - A x with constant c, and x goes to e = c/A; a cell crosses
a threshold theta after ``log[(e - x)/(e - theta)]/A``. So the course of such a network (Rosenblatt's
cells in continuous time; Glass and Pasternack 1978) is known without integrating anything.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Step
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import saved

__all__ = ["switching_cells"]

_SWITCHING = "additive cells that send steps"
_SOURCE = "Glass and Pasternack (1978), J. Math. Biol. 6, 207-223; exponentials between crossings"
_CELLS = 300
_CROSSINGS = 5000
_RTOL = 1e-8  # of runs that are compared; with 1e-6 a jump of a signal may be overlooked within a step
_COURSE = 1e-3  # of the largest activity: what runs that find a crossing late may be away


def switching_cells(network: Network) -> list[Prediction] | Unmet:
    """Give the course of a layer of additive cells whose signals are steps."""
    reason = unmet_by_inputs(network) or _unmet(network)
    if reason is not None:
        return Unmet(_SWITCHING, reason)
    layer: Any = network.layers[0]
    pieces = _pieces(network, layer)
    if isinstance(pieces, Unmet):
        return pieces
    crossings = len(pieces) - sum(1 for _ in constant_phases(network))
    last = _at(pieces, float(network.duration or 1.0))
    return [
        Prediction(
            f"distance of {layer.name}.x from its course",
            0.0,
            f"{crossings} crossings of thresholds; at the end between {last.min():.8g} and {last.max():.8g}",
            "additive cells, steps, no delays; every crossing goes through",
            _SOURCE,
            details={"times": np.array([start for start, *_ in pieces]), "end": last},
            tolerance=_COURSE * max(1e-3, max(float(np.abs(x).max()) for _, x, _, _ in pieces)),
            _measure=partial(_away, name=f"{layer.name}.x", pieces=pieces, stop=float(network.duration or 1.0)),
        )
    ]


def _unmet(network: Network) -> str | None:
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or type(layer) is not Layer or np.any(layer.C) or np.any(layer.F):
        return "one additive layer (C = F = 0)"
    if layer.cells > _CELLS or not np.all(np.asarray(layer.A) > 0.0):
        return f"at most {_CELLS} cells that decay"
    if not network.projections or not all(type(link.signal) is Step for link in network.projections):
        return "signals that are steps"
    if not all(link.plain and link.delay == 0.0 for link in network.projections):
        return "projections without gates, learning, modulation and delays"
    return None


Pieces = list[tuple[float, np.ndarray, np.ndarray, np.ndarray]]  # from when on, the state then, where it goes, A


def _pieces(network: Network, layer: Any) -> Pieces | Unmet:
    A, B, E = (np.array(np.broadcast_to(p, layer.shape), dtype=float).ravel() for p in (layer.A, layer.B, layer.E))
    links: list[tuple[Any, np.ndarray]] = []
    own: tuple[Any, ...] = tuple(network.projections)
    for link in own:
        W = link.topology.strengths(layer.shape, layer.shape)
        links.append((link.signal, (B if link.kind == "excitatory" else -E)[:, None] * W * link.signal.gain))
    thresholds = sorted({float(signal.threshold) for signal, _ in links})
    x = np.array(np.broadcast_to(layer.initial, layer.shape), dtype=float).ravel()
    pieces: Pieces = []
    for phase in constant_phases(network):
        exc, inh = (phase.inputs[layer.name, kind].ravel() for kind in ("excitatory", "inhibitory"))
        on = {theta: np.asarray(Step(threshold=theta)(x)) > 0.0 for theta in thresholds}
        t = phase.start
        while True:
            if len(pieces) > _CROSSINGS:
                return Unmet(_SWITCHING, f"at most {_CROSSINGS} crossings of thresholds")
            total = B * exc - E * inh + sum(M @ on[float(signal.threshold)] for signal, M in links)
            e = total / A
            pieces.append((t, x, e, A))
            wait, cell, theta = np.inf, -1, 0.0
            for level in thresholds:
                leaves = np.where(on[level], e < level, e > level)
                with np.errstate(divide="ignore", invalid="ignore"):
                    times = np.where(leaves, np.log((e - x) / (e - level)) / A, np.inf)
                times = np.where(leaves & ~(times > 0.0), 0.0, times)
                k = int(np.argmin(times))
                if times[k] < wait:
                    wait, cell, theta = float(times[k]), k, level
            if t + wait >= phase.stop:
                x = e + (x - e) * np.exp(-A * (phase.stop - t))
                break
            if wait == 0.0 and len(pieces) > 1 and pieces[-2][0] == t:
                return Unmet(
                    _SWITCHING, f"crossings that go through (cell {cell} stays at {theta:g} from t = {t:g} on)"
                )
            x = e + (x - e) * np.exp(-A * wait)
            x[cell] = theta
            t += wait
            on[theta][cell] = not on[theta][cell]
    return pieces


def _at(pieces: Pieces, time: float) -> np.ndarray:
    start, x, e, A = next(piece for piece in reversed(pieces) if piece[0] <= time)
    return np.asarray(e + (x - e) * np.exp(-A * (time - start)))


def _away(result: Any, name: str, pieces: Pieces, stop: float) -> float:
    """Return the largest distance of a run from the course, at the times that it saved."""
    rtol = result.solver.details.get("rtol", np.inf)
    if rtol > _RTOL:
        raise NotMeasured(
            f"{name}: a step over a crossing is off by more than it knows with rtol = {rtol:g} > {_RTOL:g}"
        )
    times, values = saved(result, name, (0.0, stop))
    known = np.array([_at(pieces, time) for time in times])
    return float(np.abs(values.reshape(known.shape) - known).max())
