"""Claims about Liapunov functions that several models make: V never rises, and dV/dt is (34)."""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.claims import Comparison
from brnn.models.parts.runs import run, slope
from brnn.spec.network import Network
from brnn.theory.liapunov_functions.value import Liapunov, liapunov

__all__ = ["change_of_value", "falls_along_runs"]

_STEP = 1e-4  # time over which V is differentiated


def change_of_value(function: Liapunov, states: np.ndarray) -> np.ndarray:
    """Return dV/dt at each of `states`, shape (states,), from differences of V along the simulator's own du/dt.

    The five-point rule; its error is about 1e-11 of V.
    """
    velocity = slope(function.network, states, function.since + 1.0)
    h = _STEP / np.maximum(1.0, np.abs(velocity).max(axis=1))
    V = [function.V(states + k * h[:, None] * velocity) for k in (-2.0, -1.0, 1.0, 2.0)]
    return np.asarray((V[0] - 8.0 * V[1] + 8.0 * V[2] - V[3]) / (12.0 * h))


def falls_along_runs(
    network: Network, initials: Any, label: str, duration: float, tolerance: float = 1e-8, **options: Any
) -> list[Comparison]:
    """Return two comparisons: V never rises along runs from each of `initials`, and dV/dt at their states is (34).

    Tolerances are relative to the range of V and to the largest dV/dt.
    """
    function = liapunov(network)
    times = np.linspace(0.0, 1.0, 401) ** 2 * duration  # dense where V falls fast
    rises, predicted, measured = [], [], []
    for initial in initials:
        result = run(network, function.since + duration, initial=initial, times=function.since + times, **options)
        states = function.states(result)[1]
        V = function.V(states)
        rises.append(np.diff(V) / np.ptp(V))
        chosen = states[5::40]
        predicted.append(function.derivative(chosen))
        measured.append(change_of_value(function, chosen))
    changes = np.concatenate(rises)
    return [
        Comparison.at_most(0.0, changes, tolerance, f"{label}: changes of V between saved times"),
        Comparison(np.concatenate(predicted), np.concatenate(measured), 1e-7, f"{label}: dV/dt by (34)", relative=True),
    ]
