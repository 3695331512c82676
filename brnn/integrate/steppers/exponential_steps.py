"""Steps of the exponential method of Krogstad, of any network, compiled as they stand.

With L the diagonal of rates (brnn.compiler.rates) where a step begins, and D(s) = F(s) - F(u) - L (s - u) what they
leave of the change of du/dt, the solution is u + h phi_1(h L) F(u) + an integral over D, which the method approximates
from its stages. Written in differences, so that what does not change keeps its last bit.

Each function goes over some unknowns, and takes several in one instruction: the exponential function is written out,
and where a series takes its place both are computed and one is chosen. `brnn.integrate.steppers.exponential_passes`
calls them.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from brnn.compiler.numba_internals import NoAlias, bits_of, number_of

__all__ = ["begin", "change", "end", "interpolate", "largest_error", "middle", "third"]


BEND = 0.01  # part of the third divided difference of D that counts as an error
_THIRD = np.array([1 / math.factorial(k) for k in range(15, 2, -1)])  # series of phi_3 and phi_4 at 0
_FOURTH = np.array([1 / math.factorial(k) for k in range(16, 3, -1)])


_POWERS = np.array([1 / math.factorial(k) for k in range(13, -1, -1)])  # series of exp at 0
_LOG2E, _LN2_HIGH, _LN2_LOW = 1.4426950408889634, 6.93147180369123816490e-01, 1.90821492927058770002e-10
_ROUND = 6755399441055744.0  # 1.5 * 2^52: what is added to it is rounded to a whole number, in its last bits
_LEAST = -700.0  # exp is 1e-304 there

_INLINE = {
    "nogil": True,
    "error_model": "numpy",
    "fastmath": {"contract"},
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
    "forceinline": True,
}
_PASS = {**_INLINE, "pipeline_class": NoAlias}


@njit(**_INLINE)
def _exp(w: float) -> float:
    """Return exp(w) for w <= 0, to the last digit or two."""
    w = min(max(w, _LEAST), 1.0)
    whole = w * _LOG2E + _ROUND
    power = bits_of(whole)
    whole -= _ROUND
    rest = (w - whole * _LN2_HIGH) - whole * _LN2_LOW
    result = _POWERS[0]
    for k in range(1, 14):
        result = result * rest + _POWERS[k]
    return result * number_of((power + 1023) << 52)


@njit(**_INLINE)
def _phi(w: float) -> tuple[float, float, float]:
    """Return phi_1, phi_2 and phi_3 at w <= 0: (exp(w) - 1)/w, and (phi_k - 1/k!)/w in turn."""
    third = _THIRD[0]
    for k in range(1, 13):
        third = third * w + _THIRD[k]
    second = 0.5 + w * third
    first = 1.0 + w * second
    small = w > -0.7  # where the quotients lose digits
    inverse = 1.0 / min(w, -0.7)
    one = (_exp(w) - 1.0) * inverse
    two = (one - 1.0) * inverse
    three = (two - 0.5) * inverse
    return first if small else one, second if small else two, third if small else three


@njit(**_INLINE)
def _whole(z: float, first: float, second: float, third: float) -> tuple[float, float, float]:
    """Return phi_1, phi_2 and phi_3 at z from those at z/2."""
    return (
        first * (1.0 + 0.25 * z * first),
        0.25 * (first * first + 2.0 * second),
        0.125 * (first * second + second + 2.0 * third),
    )


@njit(**_PASS)
def begin(
    h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, phi1: np.ndarray, phi2: np.ndarray, phi3: np.ndarray,
    stage: np.ndarray,
) -> None:  # fmt: skip
    """Write phi_1 to phi_3 of h L/2, and the second stage, at h/2, into `stage`."""
    for i in range(u.size):
        first, second, third = _phi(0.5 * h * L[i])
        phi1[i], phi2[i], phi3[i] = first, second, third
        stage[i] = u[i] + 0.5 * h * first * f[i]


@njit(**_PASS)
def middle(
    h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, phi1: np.ndarray, phi2: np.ndarray, k: np.ndarray,
    stage: np.ndarray, D2: np.ndarray,
) -> None:  # fmt: skip
    """Write the third stage, at h/2, into `stage`, whose slope before is `k`, and D of that into `D2`."""
    for i in range(u.size):
        D = k[i] - f[i] - L[i] * (stage[i] - u[i])
        D2[i] = D
        stage[i] = u[i] + h * (0.5 * phi1[i] * f[i] + phi2[i] * D)


@njit(**_PASS)
def third(
    h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, phi1: np.ndarray, phi2: np.ndarray, phi3: np.ndarray,
    k: np.ndarray, stage: np.ndarray, D3: np.ndarray,
) -> None:  # fmt: skip
    """Write the fourth stage, at h, into `stage`, whose slope before is `k`, and D of that into `D3`."""
    for i in range(u.size):
        D = k[i] - f[i] - L[i] * (stage[i] - u[i])
        D3[i] = D
        one, two, _ = _whole(h * L[i], phi1[i], phi2[i], phi3[i])
        stage[i] = u[i] + h * (one * f[i] + 2.0 * two * D)


@njit(**_PASS)
def end(
    h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, phi1: np.ndarray, phi2: np.ndarray, phi3: np.ndarray,
    k: np.ndarray, stage: np.ndarray, D2: np.ndarray, D3: np.ndarray, D4: np.ndarray, new: np.ndarray,
) -> None:  # fmt: skip
    """Write the state at the end of the step into `new`, and D of the fourth stage, whose slope is `k`, into `D4`."""
    for i in range(u.size):
        D = k[i] - f[i] - L[i] * (stage[i] - u[i])
        D4[i] = D
        one, two, three = _whole(h * L[i], phi1[i], phi2[i], phi3[i])
        new[i] = u[i] + h * (one * f[i] + (2.0 * two - 4.0 * three) * (D2[i] + D3[i]) + (4.0 * three - two) * D)


@njit(**_PASS)
def largest_error(
    h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, phi1: np.ndarray, phi2: np.ndarray, phi3: np.ndarray,
    before: np.ndarray, D3: np.ndarray, D4: np.ndarray, new: np.ndarray, slope: np.ndarray, weights: np.ndarray,
    rtol: float, atol: float,
) -> float:  # fmt: skip
    """Return the largest estimated error of an unknown in units of its tolerance; infinity if one is not a number.

    It has two parts: the difference from the method of order 3 that takes D of the new state, whose du/dt is `slope`,
    for that of the fourth stage; and how far D is from the parabola that the method integrates, by its third divided
    difference, for which `before` is D at one more time, mostly where the last step began. The first alone is blind
    where the stages agree and D bends: a cell without an input of its own sees only its bright neighbours, which are
    nearly exact in every stage.
    """
    largest = np.int64(0)  # as in `pair_steps`: numbers that are not negative are in the order of their bits
    for i in range(u.size):
        D = slope[i] - f[i] - L[i] * (new[i] - u[i])
        one, two, three = _whole(h * L[i], phi1[i], phi2[i], phi3[i])
        cube = weights[0] * before[i] + weights[1] * D3[i] + weights[2] * D
        error = h * (abs((4.0 * three - two) * (D4[i] - D)) + BEND * one * abs(cube))
        largest = max(largest, bits_of(abs(error / (atol + rtol * max(abs(u[i]), abs(new[i]))))))
    result = number_of(largest)
    return result if result == result else np.inf


@njit(**_PASS)
def change(u: np.ndarray, f: np.ndarray, L: np.ndarray, other: np.ndarray, slope: np.ndarray, D: np.ndarray) -> None:
    """Write D of the state `other`, where du/dt is `slope`."""
    for i in range(u.size):
        D[i] = slope[i] - f[i] - L[i] * (other[i] - u[i])


@njit(**_INLINE)
def _integral(s: float, z: float, f: float, rise: float, bend: float, cube: float) -> float:
    """Return the integral over r from 0 to s of exp((s - r) z) (f + rise r + bend r^2 + cube r^3)."""
    first, second, third = _phi(s * z)
    fourth = _FOURTH[0]
    for k in range(1, 13):
        fourth = fourth * (s * z) + _FOURTH[k]
    fourth = fourth if s * z > -0.7 else (third - 1 / 6) / min(s * z, -0.7)
    return s * (first * f + s * (second * rise + 2.0 * s * (third * bend + 3.0 * s * fourth * cube)))


@njit(**_PASS)
def interpolate(
    s: float, h: float, u: np.ndarray, f: np.ndarray, L: np.ndarray, before: np.ndarray, D3: np.ndarray,
    new: np.ndarray, slope: np.ndarray, weights: np.ndarray, out: np.ndarray,
) -> None:  # fmt: skip
    """Write the state after the part s of a step from `u` to `new`, where du/dt is `slope`.

    D is the cubic through its values at one more time (`before`), here, in the third stage and at the end; what then
    misses `new` is far below the tolerance, and is spread over the step.
    """
    for i in range(u.size):
        D = slope[i] - f[i] - L[i] * (new[i] - u[i])
        cube = weights[0] * before[i] + weights[1] * D3[i] + weights[2] * D
        rise, bend = 4.0 * D3[i] - D + 0.5 * cube, 2.0 * D - 4.0 * D3[i] - 1.5 * cube
        whole = _integral(1.0, h * L[i], f[i], rise, bend, cube)
        part = _integral(s, h * L[i], f[i], rise, bend, cube)
        out[i] = u[i] + h * part + s * s * s * (new[i] - u[i] - h * whole)
