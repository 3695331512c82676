"""The error of a measured quenching threshold: both ends of its bracket run and judged, with a margin for their errors.

Each end is integrated twice, the second time a hundred times less accurately. The two states differ by what the second
run is wrong; ten times that is the margin: a thousand times the error of the first run, if errors follow tolerances. An
end is judged where `quenches` or `ignites` holds of every state within the margin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from brnn.base.odes import solved
from brnn.signals.enclosed import enclosable, enclosed
from brnn.theory.certain import nondecreasing
from brnn.theory.liapunov_functions.signal import SignalFunction
from brnn.theory.quenching import Bracket, quenches
from brnn.theory.survivors import velocity

__all__ = ["judged"]

_RTOL = (1e-12, 1e-10)
_MARGIN = 10.0  # times the difference of the two runs
_LEAST = 1e-300  # activities below it are 0
_LONGEST = 200.0  # decay times
_WIDEST = 1e-3  # of the threshold


def judged(
    bracket: Bracket, pattern: Any, A: float, B: float, signal: SignalFunction, *, inhibition: float = 1.0
) -> Bracket | None:
    """Return the narrowest bracket around a measured one at both ends of which the field was run and judged.

    Parameters
    ----------
    bracket : Bracket
        From `brnn.theory.quenching.noise_threshold`: factors of the pattern.
    pattern : array
        Relative initial activities.
    A, B, signal, inhibition
        The field.

    Returns
    -------
    Bracket or None
        At its lower end everything is quenched, at its upper end something stays. None if an end within a thousandth
        of the threshold cannot be judged, or nothing certain is known of the signal.
    """
    if not (enclosable(signal) and nondecreasing(signal, B)):
        return None
    pattern = np.asarray(pattern, dtype=np.float64).ravel()
    width = max(bracket.upper - bracket.lower, 4.0 * float(np.spacing(bracket.upper)))
    ends = []
    for start, step, stays in ((bracket.lower, -width, False), (bracket.upper, width, True)):
        end, moved = start, 0.0
        while _stays(end * pattern, A, B, signal, inhibition) is not stays:
            moved = 2.0 * moved + step
            end = start + moved
            if abs(moved) > _WIDEST * bracket.upper:
                return None
        ends.append(end)
    return Bracket(*ends)


def _stays(x: np.ndarray, A: float, B: float, signal: SignalFunction, inhibition: float) -> bool | None:
    """Say whether something stays of a state, or nothing; None if it is neither for certain in a long time."""
    x = x[x > 0.0]
    states, elapsed, span = [x, x], 0.0, 0.5 / A
    while elapsed < _LONGEST / A:
        margin = _MARGIN * np.abs(states[0] - states[1]) + 4.0 * np.spacing(states[0])
        low, high = np.maximum(states[0] - margin, _LEAST), states[0] + margin
        if quenches(high, A, B, signal, inhibition):
            return False
        if _ignites(low, high, A, B, signal, inhibition):
            return True
        states = [
            np.maximum(
                solved(
                    lambda t, y: velocity(y, A, B, signal, inhibition), (0.0, span), u, rtol=rtol, atol=0.01 * rtol * B
                ).y[:, -1],
                0.0,
            )
            for u, rtol in zip(states, _RTOL, strict=True)
        ]
        elapsed += span
    return None


def _ignites(low: np.ndarray, high: np.ndarray, A: float, B: float, signal: SignalFunction, inhibition: float) -> bool:
    """Say whether `brnn.theory.quenching.ignites` holds of all states between two."""
    hill = enclosed(signal, "quotient", low, high)[0]
    left = np.minimum(B - (1.0 - inhibition) * low, B - (1.0 - inhibition) * high)
    against = A + inhibition * float(np.sum(enclosed(signal, "kernel", low, high)[1]))
    return bool(np.max(left * hill) > against * (1.0 + 1e-14))
