"""Solutions of ordinary differential equations by SciPy, for theory: believed only if they are numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.errors import IntegrationError

__all__ = ["solved"]


def solved(
    velocity: Callable[..., Any], span: tuple[float, float], start: Any, method: str = "LSODA", **options: Any
) -> Any:
    """Return what SciPy's ``solve_ivp`` returns, for ``du/dt = velocity(t, u)`` from ``u(span[0]) = start``.

    LSODA of SciPy 1.17 and later calls it a success when the solution is not a number; here it is none.

    Raises
    ------
    IntegrationError
        If the equations could not be integrated to the end of the span (or to a terminal event).
    """
    from scipy.integrate import solve_ivp

    found = solve_ivp(velocity, span, np.asarray(start, dtype=np.float64), method, **options)
    if found.success and np.isfinite(found.y).all():
        return found
    last = float(found.t[-1]) if len(found.t) else float(span[0])
    why = found.message if not found.success else "the solution is not a number"
    raise IntegrationError(f"the equations could not be integrated from {span[0]:g} to {span[1]:g}: {why}", last)
