"""How long steps are: the first one, and what errors and rates make of the next.

Functions of numbers alone, which steps in NumPy call as they are and compiled ones compile.
"""

from __future__ import annotations

from brnn.ensemble.kernels.control import LARGEST, SAFETY, SMALLEST

__all__ = ["FIFTH", "after_step", "first_step", "first_trial", "following", "growth", "kept_stable", "shrinkage"]

FIFTH = -0.2  # the exponent of errors of order 5
# A disturbance that decays at the rate r is multiplied by about 0.4 in a step of _STABLE / r, and grows from 3.3 / r
# on. Where nothing but that limits the steps, a method that only looks at its errors lets it grow until these are of
# the size of the tolerance, again and again: what ought to come to rest would dither. The fastest rate that was seen is
# forgotten by the factor _FORGET a step.
_STABLE, _FORGET = 2.8, 0.9
# The length that the error of a step would have allowed grows while a network comes to rest. Where it has grown twice,
# the next step is as much longer as it grew the less, at most by this factor, which keeps an error below 1 that did not
# go on becoming smaller: (0.9 * 1.1)^5 = 0.95.
_LONGER = 1.1


def growth(error: float, exponent: float, rejected: bool) -> float:
    """Return the factor of the next step after one that was accepted, perhaps after others that were `rejected`."""
    factor = LARGEST if error == 0.0 else min(LARGEST, SAFETY * error**exponent)
    return min(1.0, factor) if rejected else factor


def following(
    h: float, error: float, exponent: float, rejected: bool, allowed: float, trend: float
) -> tuple[float, float, float]:
    """Return the length of the step after one of length `h`, the length that its error allowed, and how that grew.

    `allowed` and `trend` are what it returned for the step before, 0 where there was none.
    """
    if error == 0.0:
        return (h if rejected else h * LARGEST), 0.0, 0.0
    now = h * error**exponent
    if rejected:
        return min(h, SAFETY * now), now, 0.0
    grown = now / allowed if allowed > 0.0 else 0.0
    return min(h * LARGEST, SAFETY * now * min(max(1.0, min(grown, trend)), _LONGER)), now, grown


def shrinkage(error: float, exponent: float) -> float:
    """Return the factor of a step that is tried again; `error` may be infinity or nan."""
    return max(SMALLEST, SAFETY * error**exponent) if error < float("inf") else SMALLEST


def kept_stable(length: float, rate: float, fastest: float) -> tuple[float, float]:
    """Return the length of a step, cut where a disturbance would not decay, and the fastest rate not forgotten.

    `rate` is that of the last step, `fastest` what was not forgotten before.
    """
    fastest = max(rate, _FORGET * fastest)
    return (_STABLE / fastest if length * fastest > _STABLE else length), fastest


def after_step(
    h: float, error: float, rejected: bool, rate: float, remembered: tuple[float, float, float]
) -> tuple[float, tuple[float, float, float]]:
    """Return the length of the step after one of order 5, and what is remembered: `fastest`, `allowed` and `trend`.

    Steps in NumPy call it; compiled ones call its two halves, which they compile.
    """
    fastest, allowed, trend = remembered
    length, allowed, trend = following(h, error, FIFTH, rejected, allowed, trend)
    length, fastest = kept_stable(length, rate, fastest)
    return length, (fastest, allowed, trend)


def first_trial(length: float, state: float, speed: float) -> float:
    """Return the length of the trial step.

    Parameters
    ----------
    length : float
        From here to the end.
    state, speed : float
        The largest of |u| and of |du/dt| in units of the tolerances; the second is above 0.
    """
    return min(length, 0.01 * state / speed if state >= 1e-5 else 1e-4 * length)


def first_step(length: float, trial: float, speed: float, bend: float) -> float:
    """Return a first step after Hairer, Nørsett and Wanner (1993), section II.4, in the network's own unit of time.

    Theirs takes h^5 max(|u'|, |u''|) = 0.01, in which each derivative is as large as the one before in whatever unit
    the time has. Here the unit is the time in which du/dt changes by itself, T = |u'|/|u''|: where a run begins at
    rest, nothing else tells of it.

    Parameters
    ----------
    length, trial, speed : float
        As for `first_trial`, and what it returned.
    bend : float
        The largest change of du/dt in the trial step, in units of the tolerances.
    """
    longest = min(length, 100.0 * trial)
    if not bend > 1e-12 * speed:  # no more than rounding
        return longest
    own = trial * (speed / bend)
    return min(longest, own * (0.01 / (speed * own)) ** 0.2)
