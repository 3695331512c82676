"""What is known of additive networks with linear signals (6), (7): `brnn.theory.additive`, on a Network.

Signals may arrive late: `brnn.theory.delays`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.base.words import pattern_in_words
from brnn.signals import Linear
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory import additive, delays
from brnn.theory.predictions.base import Prediction, Unmet, constant_phases, unmet_by_inputs
from brnn.theory.predictions.measuring import at_rest

__all__ = ["linear_network"]

_LINEAR = "an additive network with linear signals (6)(7)"
_CELLS_AT_MOST = 1000  # whose matrix is made
_LATE_AT_MOST = 60  # whose growth rates with delays are looked for
_SAMPLES = np.concatenate([-np.geomspace(1e-6, 1e6, 97), [0.0], np.geomspace(1e-6, 1e6, 97)])
_NEUTRAL = 1e-13  # of the largest coefficient
_SOURCE = "review, (6), (7); a linear equation with constant coefficients"


def _matrices(network: Network) -> tuple[Any, dict[float, np.ndarray]] | Unmet:
    """Return A, and W by its delay, of one additive layer with linear signals, or the condition that it does not meet.

    W of the delay 0 is always there.
    """
    hypothesis = unmet_by_inputs(network)
    if hypothesis is not None:
        return Unmet(_LINEAR, hypothesis)
    layer: Any = network.layers[0]
    if len(network.layers) != 1 or not isinstance(layer, Layer) or not layer.accepts_signed_input():
        return Unmet(_LINEAR, "one additive layer (C = F = 0)")
    if np.any(layer.B != 1.0) or np.any(layer.E != 1.0):
        return Unmet(_LINEAR, "inputs and signals with the factors B = E = 1")
    if layer.cells > _CELLS_AT_MOST:
        return Unmet(_LINEAR, f"at most {_CELLS_AT_MOST} cells")
    if not network.projections:
        return Unmet(_LINEAR, "projections")
    W = {0.0: np.zeros((layer.cells, layer.cells))}
    for link in network.projections:
        gain = _gain(link.signal)
        if gain is None:
            return Unmet(_LINEAR, "linear signals")
        if link.gate is not None or link.learning is not None or link.modulation is not None:
            return Unmet(_LINEAR, "projections without gates, learning and modulation")
        if link.delay and layer.cells > _LATE_AT_MOST:
            return Unmet(_LINEAR, f"at most {_LATE_AT_MOST} cells, if signals are delayed")
        sign = 1.0 if link.kind == "excitatory" else -1.0
        strengths = sign * gain * link.topology.strengths(layer.shape, layer.shape)
        W[link.delay] = W.get(link.delay, 0.0) + strengths
    return np.ravel(layer.A) if np.ndim(layer.A) else layer.A, W


def _gain(signal: Any) -> float | None:
    """Return the gain of a linear signal, however it is written (``Function("0.5*w")``); None if it is not linear."""
    if isinstance(signal, Linear):
        return signal.gain
    with np.errstate(all="ignore"):
        gain = float(signal(1.0))
        values = np.asarray(signal(_SAMPLES), dtype=np.float64)
    return gain if np.allclose(values, gain * _SAMPLES, rtol=1e-12, atol=0.0) else None


def linear_network(network: Network) -> list[Prediction] | Unmet:
    """Say whether a linear network settles, and where with each of its inputs."""
    found = _matrices(network)
    if isinstance(found, Unmet):
        return found
    A, parts = found
    layer = network.layers[0]
    W = sum(parts.values(), np.zeros((layer.cells, layer.cells)))
    late = {delay: part for delay, part in parts.items() if delay > 0.0}
    words = f"additive with linear signals (6)(7): {layer.cells} cells, dx/dt = M x + I, M = W - diag(A)"
    whose = "the eigenvalues of M"
    details: dict[str, Any] = {}
    if late:
        shown = ", ".join(f"{delay:g}" for delay in sorted(late))
        words = words.replace("dx/dt = M x + I, M = W - diag(A)", f"signals of which some arrive after {shown}")
        whose = "the roots of the characteristic equation"
        rate = delays.growth_rate(additive.matrix(A, parts[0.0]), late)
        details = _critical(A, parts[0.0], late)
    else:
        rate = additive.growth_rate(A, W)
    if abs(rate) <= _NEUTRAL * max(float(np.max(np.abs(A))), float(np.max(np.abs(W)))):
        rate = 0.0  # of a singular matrix only rounding is left
    fate = "it settles" if rate < 0 else "it does not settle"
    fate += "".join(f"; {text}" for text in details.pop("words", ()))
    result = [
        Prediction("network", _LINEAR, words, _LINEAR, _SOURCE, details={"M": additive.matrix(A, W)}),
        Prediction(
            "stability",
            rate,
            f"largest real part of {whose}: {rate:.8g}; {fate}",
            _LINEAR,
            delays.SOURCE if late else _SOURCE,
            details={"settles": rate < 0, **details},
        ),
    ]
    for phase in constant_phases(network) if rate < 0 else ():
        inputs = phase.inputs[layer.name, "excitatory"] - phase.inputs[layer.name, "inhibitory"]
        x = additive.equilibrium(A, W, inputs.ravel()).reshape(layer.shape)
        words = f"{phase}: total input {inputs.sum():.5g}, sum of x {x.sum():.8g}\n{pattern_in_words(x)}"
        result.append(
            Prediction(
                f"{layer.name}.x",
                x,
                words,
                "the inputs stay as they are",
                _SOURCE,
                during=(phase.start, phase.stop),
                details={"inputs": inputs, "rate": -rate},
                _measure=partial(at_rest, name=f"{layer.name}.x", during=(phase.start, phase.stop), rate=-rate),
            )
        )
    return result


def _critical(A: Any, now: np.ndarray, late: dict[float, np.ndarray]) -> dict[str, Any]:
    """Return the delay from which on the network does not settle, where it has a closed form."""
    if len(late) != 1 or now.any() or np.ptp(A) > 0.0:
        return {}
    (W,) = late.values()
    point = delays.hopf(float(np.ravel(A)[0]), W)
    if point is None:
        return {"words": ["no delay changes that"]}
    words = f"a Hopf point at the delay {point.delay:.8g}, with the period {point.period:.8g}"
    return {"words": [words], "Hopf point": point}
