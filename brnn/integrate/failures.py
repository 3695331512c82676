"""Why a run could not go on, in words, and what may help."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["why_no_sliding", "why_not_further", "without_a_value"]

_AHEAD = 1e-3  # of a state: how far on it is looked for a rate that is no number
_ABSURD = 1e-25  # of what changes in a run; finer than that numbers are not, even where they begin at 0


def why_not_further(
    value: float,
    speed: float,
    scale: float,
    atol: float,
    duration: float,
    needed: float | None = None,
    implicit: str = "Radau",
) -> str:
    """Return why no step could be made from a state with finite activities, and what may help.

    Parameters
    ----------
    value, speed, scale : float
        The unknown that changes fastest: where it is, abs(du/dt), and its tolerance.
    atol : float
        The absolute part of that.
    duration : float
        Length of the run.
    needed : float or None
        How many steps the rest of the run would take, if that is why it was given up.
    implicit : str
        A method that may take over if the network is stiff; empty if there is none.
    """
    other = [f"solver='{implicit}'"] if implicit else []
    if not np.isfinite(speed):
        return "du/dt is not a number there: a signal, a law or an input has no value, or no finite one, at this state"
    if needed is not None:
        return (
            f"the rest of the run would take {needed:.1g} steps at its pace: du/dt jumps there, or is too stiff "
            f"for this solver; {', '.join([*other, 'larger rtol and atol'])}, or a shorter duration may help"
        )
    if scale <= 2.0 * atol and scale < _ABSURD * max(abs(value), speed * duration):
        return (
            f"its tolerance there, {scale:.3g}, is finer than numbers are beside the {speed * duration:.3g} by which "
            "it changes in a run; a larger atol (or rtol) may help"
        )
    return (
        "the solution grows without bound, jumps, or is too stiff for this solver; for a stiff one "
        f"{' or '.join([*other, 'larger rtol and atol'])} may help"
    )


def why_no_sliding(slides: str, needed: float, compiled: bool) -> str:
    """Return why a run was given up in which a cell slides along a jump, as `slides` says; `needed` steps were left."""
    cheap = "" if compiled else "solver='auto', whose steps are cheap there, "
    return (
        f"the rest of the run would take {needed:.1g} steps at its pace: du/dt jumps, and {slides}; {cheap}larger rtol "
        "and atol, or a steep Sigmoid or Logistic in the place of the jump, with solver='Radau', may help"
    )


def without_a_value(
    fun: Callable[[float, np.ndarray], np.ndarray],
    time: float,
    state: np.ndarray,
    slope: np.ndarray,
    step: float = 0.0,
) -> str | None:
    """Return why a run that came close to a state at which du/dt has no value goes no further; None if it has one.

    It is looked for a thousandth of the state ahead, and where a vain step of length `step` leads, a doubling at most.
    """
    if not np.isfinite(slope).all():
        return None
    with np.errstate(all="ignore"):
        size = np.abs(state)
        ways = (_AHEAD * size * np.sign(slope), np.clip(step * slope, -size, size))
        if all(np.isfinite(fun(time, state + way)).all() for way in ways):
            return None
    return "a little further du/dt is not a number: a signal, a law or an input has no value, or no finite one, there"
