"""Cells of discrete time that take a few levels, or saturate: cycles, and functions that never rise.

- Finitely many states come again: from some step on a network of two-valued cells (1), (2) repeats itself, once its
  inputs stay as they are. With symmetric connections the cycle has one step or two (Goles and Olivos 1981), and
  ``E(n) = -x(n)'W x(n - 1) - b'(x(n) + x(n - 1))`` never rises: each x_i(n + 1) is the level that agrees best with
  its net input, so that E(n + 1) - E(n) = -sum [x_i(n + 1) - x_i(n - 1)] w_i(n) <= 0.
- A brain-state-in-a-box x(n + 1) = cut(x + M x + b) with symmetric M and no eigenvalue below -2 never raises
  ``E = -x'M x/2 - b'x``: it goes along the gradient, no further than twice what the curvature allows (Golden 1986).
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Linear
from brnn.spec.layers.binary import BinaryLayer
from brnn.spec.layers.box import BoxLayer
from brnn.spec.network import Network
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet
from brnn.theory.predictions.measuring import saved

__all__ = ["repeating_states", "saturating_cells"]

_BINARY = "two-valued cells (1), (2), which repeat themselves"
_BOX = "a brain-state-in-a-box, whose energy falls"
_CELLS = 1000
_STEPS = 20_000  # after which a cycle is no longer looked for
_REPEAT = "Caianiello (1961), J. Theor. Biol. 1, 204-235: finitely many states; McCulloch and Pitts (1943)"
_SYMMETRIC = "Goles and Olivos (1981), Discrete Appl. Math. 3, 93-105; Fogelman-Soulie, Goles and Pellegrin (1985)"
_GOLDEN = "Golden (1986), J. Math. Psychol. 30, 73-80"


def repeating_states(network: Network) -> list[Prediction] | Unmet:
    """Give the step from which on two-valued cells repeat themselves, and how many steps their cycle has."""
    found = _whole(network, BinaryLayer, _BINARY)
    if isinstance(found, Unmet):
        return found
    layer, W, since, inputs = found
    threshold = np.broadcast_to(layer.threshold, layer.shape).ravel()
    late = max(W, default=0)
    history = [np.array(np.broadcast_to(layer.initial, layer.shape), dtype=float).ravel()]

    def step(n: int) -> np.ndarray:
        net = inputs(n) - threshold + sum(weights @ history[max(n - lag, 0)] for lag, weights in W.items())
        if layer.unipolar:
            now = (net >= 0.0).astype(float)
        else:
            now = np.sign(net)
        return np.where(net == 0.0, history[n], now) if layer.keeps else now

    seen: dict[bytes, int] = {}
    for n in range(_STEPS):
        if n >= since + late:
            key = np.array(history[-late - 1 :]).tobytes()
            if key in seen:
                break
            seen[key] = n
        history.append(step(n))
    else:
        return Unmet(_BINARY, f"a cycle within {_STEPS} steps")
    start, period = seen[key], n - seen[key]
    first = start
    while first > since and (history[first - 1] == history[first - 1 + period]).all():
        first -= 1
    result = [
        Prediction(
            "steps of the cycle",
            period,
            f"{period} from step {first} on" + (": a state of rest" if period == 1 else ""),
            f"inputs that stay as they are from step {since} on, no noise",
            _REPEAT,
            details={"from": first, "states": np.array(history[first : first + period])},
            kind="count",
            _measure=partial(_cycle, layer=layer, first=first, period=period),
        )
    ]
    return result + _goles(layer, W, inputs(since) - threshold, since)


def _goles(layer: Any, W: dict[int, np.ndarray], b: np.ndarray, since: int) -> list[Prediction]:
    """Say that E never rises, if the connections among cells that receive any are symmetric and immediate."""
    if set(W) != {0} or layer.keeps:
        return []
    weights = W[0]
    inner = np.asarray(weights.any(axis=1))
    if not np.array_equal(weights[np.ix_(inner, inner)], weights[np.ix_(inner, inner)].T) or not inner.any():
        return []
    return [
        Prediction(
            "E of pairs of states",
            "falling",
            f"E(n) = -x(n)'W x(n - 1) - b'[x(n) + x(n - 1)] never rises from step {since + 1} on; cycles have 1 or 2",
            "symmetric connections of the cells that have any, without delays; inputs that stay as they are",
            _SYMMETRIC,
            kind="monotone",
            tolerance=1e-9,
            _measure=partial(_pairs, layer=layer, weights=weights, b=b, inner=inner, since=since + 1),
        )
    ]


def saturating_cells(network: Network) -> list[Prediction] | Unmet:
    """Say that the energy of a brain-state-in-a-box never rises."""
    found = _whole(network, BoxLayer, _BOX)
    if isinstance(found, Unmet):
        return found
    layer, W, since, inputs = found
    if set(W) != {0}:
        return Unmet(_BOX, "connections without delays")
    M = W[0] + np.diag(np.broadcast_to(layer.decay, layer.shape).ravel() - 1.0)
    apart = float(np.max(np.abs(M - M.T)))
    if apart > 1e-12 * max(1.0, float(np.max(np.abs(M)))):
        return Unmet(_BOX, f"symmetric feedback (its largest asymmetry is {apart:.3g})")
    lowest = float(np.min(np.linalg.eigvalsh(M)))
    if lowest < -2.0:
        return Unmet(_BOX, f"no eigenvalue of the feedback below -2 (its lowest is {lowest:.5g})")
    b = inputs(since)
    return [
        Prediction(
            "energy",
            "falling",
            f"-x'M x/2 - b'x never rises from step {since} on; eigenvalues of M from {lowest:.4g}: x comes to rest",
            "symmetric feedback, no eigenvalue below -2, inputs that stay as they are",
            _GOLDEN,
            details={"lowest eigenvalue": lowest},
            kind="monotone",
            tolerance=1e-9,
            _measure=partial(_energy, layer=layer, M=M, b=b, since=since),
        )
    ]


def _whole(network: Network, kind: type, theorem: str) -> tuple[Any, dict[int, np.ndarray], int, Any] | Unmet:
    """Return the layer, connections by delay in steps, the step from which inputs stay, and inputs(n)."""
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or type(network.layers[0]) is not kind:
        return Unmet(theorem, f"one layer of cells of discrete time ({kind.__name__})")
    if layer.cells > _CELLS:
        return Unmet(theorem, f"at most {_CELLS} cells")
    since = _since(network)
    if since is None:
        return Unmet(theorem, "inputs that stay as they are from some time on")
    W: dict[int, np.ndarray] = {0: np.zeros((layer.cells, layer.cells))}
    for link in network.projections:
        if link.signal != Linear() or link.gate is not None or link.learning is not None or link.modulation is not None:
            return Unmet(theorem, "signals that are the activities, without gates, learning and modulation")
        lag = round(link.delay / layer.step)
        sign = 1.0 if link.kind == "excitatory" else -1.0
        W[lag] = W.get(lag, 0.0) + sign * link.topology.strengths(layer.shape, layer.shape)

    def inputs(n: int) -> np.ndarray:
        total = np.zeros(layer.cells)
        for s in network.stimuli:
            total += (1.0 if s.kind == "excitatory" else -1.0) * s.at(n * layer.step, layer.shape).ravel()
        return total

    return layer, W, int(np.ceil(since / layer.step)), inputs


def _since(network: Network) -> float | None:
    """Return from when on inputs stay as they are, up to the network's duration if it has one; None if never."""
    settled = network.settled()
    if any(s.schedule.white for s in network.stimuli) or not np.isfinite(settled):
        return None
    if network.duration is None or settled < network.duration:
        return settled
    if any(s.schedule.varying for s in network.stimuli):
        return None
    return float(max(network.breaks(network.duration), default=0.0))


def _states(result: Any, layer: Any, since: int, rows: int = 3) -> np.ndarray:
    """Return the states of all steps from one on, shape (steps, cells)."""
    times, values = saved(result, f"{layer.name}.x", None)
    steps = np.round(times / layer.step).astype(int)
    if (np.diff(steps) != 1).any():
        raise NotMeasured(f"{layer.name}.x: the run did not save every step")
    chosen = values[steps >= since]
    if len(chosen) < rows:
        raise NotMeasured(f"{layer.name}.x: the run ended before step {since + rows - 1}")
    return np.asarray(chosen.reshape(len(chosen), -1))


def _cycle(result: Any, layer: Any, first: int, period: int) -> int:
    states = _states(result, layer, first, 2 * period)
    for p in range(1, len(states)):
        if (states[p:] == states[:-p]).all():
            return p
    return len(states)


def _pairs(result: Any, layer: Any, weights: np.ndarray, b: np.ndarray, inner: np.ndarray, since: int) -> np.ndarray:
    states = _states(result, layer, since)
    # Cells that receive nothing are inputs of the others: they stay as they are.
    drive = b[inner] + weights[np.ix_(inner, ~inner)] @ states[-1, ~inner]
    x = states[:, inner]
    own = weights[np.ix_(inner, inner)]
    return np.asarray(-np.einsum("ni,ij,nj->n", x[1:], own, x[:-1]) - (x[1:] + x[:-1]) @ drive)


def _energy(result: Any, layer: Any, M: np.ndarray, b: np.ndarray, since: int) -> np.ndarray:
    times, values = saved(result, f"{layer.name}.x", None)
    x = values.reshape(len(values), -1)[times >= since * layer.step]
    if len(x) < 2:
        raise NotMeasured(f"{layer.name}.x: the run ended before step {since + 1}")
    E = -0.5 * np.einsum("ni,ij,nj->n", x, M, x) - x @ b
    return np.asarray(E / max(float(np.max(np.abs(E))), np.finfo(float).tiny))
