"""The first step of the explicit methods, from sizes that an evaluation and a trial step of Euler's tell."""

from __future__ import annotations

__all__ = ["first_step", "first_trial"]


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
