"""Networks with a Liapunov function, (32)-(34) and (37)-(39): `brnn.theory.liapunov`, on a Network."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.theory.liapunov_functions.value import Liapunov, liapunov
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet

__all__ = ["falling_function"]

_FORM = "a network of the form of Cohen and Grossberg (32)"
_SOURCE = "Cohen and Grossberg (1983), IEEE Trans. SMC 13, 815-826; review, (32)-(34)"
_STATES = 2000  # of a run, at which V is looked at
_SMALL = 1e-6  # of all that V falls by; less than that runs with the tolerances by default do not show


def falling_function(network: Network) -> list[Prediction] | Unmet:
    """Say that V never rises, so that activities come to rest, or why the network is not of the form."""
    try:
        V = liapunov(network)
    except InputError as error:
        return Unmet(_FORM, str(error).partition(f"'{network.name}': ")[2] or str(error))
    if network.duration is not None and V.since >= network.duration:
        return Unmet(_FORM, f"inputs that stop to change before the run ends, at t = {network.duration:g}")
    since = f" from t = {V.since:g} on" if V.since > 0.0 else ""
    words = f"V (33) never rises{since}: dV/dt = -sum a_i d_i' [b_i - sum c_ij d_j]^2; no cycles, no chaos"
    hypothesis = "symmetric coefficients, signals that do not fall, a_i >= 0"
    return [
        Prediction(
            "Liapunov function",
            "falling",
            words,
            hypothesis,
            _SOURCE,
            details={"since": V.since},
            kind="monotone",
            tolerance=_SMALL,
            _measure=lambda result: _along(V, result),
        )
    ]


def _along(V: Liapunov, result: Any) -> np.ndarray:
    """Return V along a run, divided by all that it changes by or its own size, whichever is larger."""
    try:
        _, states = V.states(result)
        values = np.asarray(V.V(states[:: max(1, len(states) // _STATES)]))
    except (InputError, KeyError) as error:
        raise NotMeasured(str(error)) from None
    values = values[np.isfinite(values)]
    if values.size < 2:
        raise NotMeasured("Liapunov function: the run has fewer than two states from which on V falls")
    return values / max(float(np.max(np.abs(values))), np.finfo(float).tiny)
