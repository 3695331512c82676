"""When a state is at rest: the arithmetic of the rule in `brnn.integrate.steady`.

It knows no unit: every rate is compared with other rates of the same network, and every unknown with its own size.

The functions are written so that they can be compiled into the kernels, too: none calls another, and choices
between two values are factors and no part of an array is assigned to, as Numba takes seconds to compile that and
``np.where``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "CENTRAL",
    "FAR",
    "LATER",
    "NEAR",
    "NEUTRAL",
    "WAIT",
    "beyond",
    "derivative",
    "difference_steps",
    "distance_left",
    "grows",
    "leeway",
    "second_point",
    "seems_far",
    "sizes",
    "worth_a_look",
]

NEUTRAL = 1e-7  # of the fastest rate; a growth rate below it cannot be told from 0 by finite differences
NEAR = 2.0  # tolerances; from where on it is worth to look at the Jacobian
WAIT = 1.05  # the next look comes when so many times the time of the last has passed
LATER = 2.0  # the same for states that seem to be farther than NEAR, but not than FAR
FAR = 0.01  # of an unknown; farther from an equilibrium no state is at rest
CENTRAL = 6e-6  # of an unknown: cube root of the rounding error, the best step of a central difference
_ASIDE = 1e-4  # of the size below which an unknown counts as small
_SINGULAR = 1e-7  # a singular value below it, rows and columns having size 1, cannot be told from 0


def sizes(u: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return a size for each unknown: its own, but not less than what is small in this state.

    At atol/rtol the absolute tolerance takes the place of the relative one: there activities begin to count as small.
    Where all are much smaller than that, and atol is thus not for this network, their own size decides.
    """
    largest = np.max(np.abs(u))
    return np.maximum(np.abs(u), min(atol / rtol, 0.1 * max(largest, 1e4 * atol)))


def difference_steps(u: np.ndarray, rtol: float, atol: float) -> np.ndarray:
    """Return the step of a difference for each unknown, away from zero, where the rates of signals have a kink.

    A step longer than the unknown itself must not be made to both sides.
    """
    largest = np.max(np.abs(u))
    small = min(atol / rtol, 0.1 * max(largest, 1e4 * atol))
    steps = np.maximum(CENTRAL * np.abs(u), _ASIDE * small)
    return steps * (1.0 - 2.0 * (u < 0.0))


def second_point(u: float, step: float) -> float:
    """Return where a difference whose first point is u + step has its second: on the other side, or on the same."""
    return u - step if abs(u) > abs(step) else u + 2.0 * step


def derivative(u: float, step: float, second: float, here: Any, once: Any, twice: Any) -> Any:
    """Return the derivative of rates that are `here` at u, `once` at u + step and `twice` at the second point."""
    if abs(u) > abs(step):
        return (once - twice) / (u + step - second)
    return (4.0 * once - twice - 3.0 * here) / (second - u)


def grows(values: np.ndarray) -> bool:
    """Tell by the eigenvalues of the Jacobian whether some small disturbance grows."""
    return np.max(values.real) > NEUTRAL * np.max(np.abs(values))


def leeway(values: np.ndarray, rtol: float) -> float:
    """Return how many tolerances from an equilibrium with these stable eigenvalues a state at rest may be.

    It is 1 but for weakly damped oscillations: the errors of steps, a tolerance in about the time 1/|value|, add up for
    as long as the damping takes, 1/|Re value|, so that no integration with these tolerances comes nearer.
    """
    fastest = np.max(np.abs(values))
    most = 1.0
    for value in values:
        if -value.real > NEUTRAL * fastest:
            most = max(most, np.abs(value) / -value.real)
    return min(most, max(1.0, FAR / rtol))


def seems_far(speed: float, moved: float, turned: float) -> float:
    """Return how far, in tolerances, the equilibrium seems to be by the last step alone.

    The arguments are the largest |du/dt| after it, and the largest changes of the unknowns and of du/dt, in tolerances.
    """
    if speed * moved == 0.0:
        return 0.0
    return speed * moved / turned if turned > 0.0 else np.inf


def worth_a_look(far: float, time: float, looked: float, rtol: float) -> bool:
    """Tell whether a state that seems so far from an equilibrium is to be looked at; the last look was at `looked`."""
    return far <= FAR / rtol and time >= (WAIT if far <= NEAR else LATER) * looked


def beyond(u: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Return the state after a step; what the step would take through zero ends there, on its own side."""
    after = u + step
    return after * (after * u >= 0.0) + 0.0  # no -0.0


def distance_left(
    J: np.ndarray, f: np.ndarray, size: np.ndarray, tolerance: np.ndarray, time: float
) -> tuple[float, np.ndarray]:
    """Return how far the equilibrium is to which Newton's method goes, in tolerances, and the step to it.

    Rows are divided by their largest element and columns by the sizes of the unknowns, so that slow unknowns beside
    fast ones, and small beside large, count alike. In directions in which J is singular (a continuum of equilibria)
    there is no distance; there the state must not drift by more than its tolerance in as long as the run took.
    """
    n = f.size
    rows = np.empty(n)
    for i in range(n):
        row = np.max(np.abs(J[i] * size))
        rows[i] = row if row > 0.0 else 1.0
    U, values, Vt = np.linalg.svd(J * size / rows[:, np.newaxis])
    part = U.T @ (-f / rows)
    for k in range(n):
        part[k] = part[k] / values[k] if values[k] > _SINGULAR * values[0] else 0.0
    step = size * (Vt.T @ part)
    distance = np.max(np.abs(step) / tolerance)
    if values[n - 1] <= _SINGULAR * values[0]:
        distance = max(distance, time * np.max(np.abs(f + J @ step) / tolerance))
    return distance, step
