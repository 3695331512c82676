"""Why a run could not go on, in words, and what may help."""

from __future__ import annotations

import numpy as np

__all__ = ["why_not_further"]

_ABSURD = 1e-25  # of what changes in a run; finer than that numbers are not, even where they begin at 0


def why_not_further(
    value: float, speed: float, scale: float, atol: float, duration: float, needed: float | None = None
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
    """
    if not np.isfinite(speed):
        return "du/dt is not a number there: a signal, a law or an input has no value, or no finite one, at this state"
    if needed is not None:
        return (
            f"the rest of the run would take {needed:.1g} steps at its pace: du/dt jumps there, or is too stiff "
            "for this solver; solver='Radau', larger rtol and atol, or a shorter duration may help"
        )
    if scale <= 2.0 * atol and scale < _ABSURD * max(abs(value), speed * duration):
        return (
            f"its tolerance there, {scale:.3g}, is finer than numbers are beside the {speed * duration:.3g} by which "
            "it changes in a run; a larger atol (or rtol) may help"
        )
    return (
        "the solution grows without bound, jumps, or is too stiff for this solver; for a stiff one solver='Radau' or "
        "larger rtol and atol may help"
    )
