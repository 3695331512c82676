"""What the claims of the models share to predict without the simulator: SciPy on equations that are written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from brnn.base.odes import solved

__all__ = ["scipy_solution"]


def scipy_solution(
    velocity: Callable[..., Any], times: np.ndarray, start: Any, *, args: tuple[Any, ...] = (), method: str = "DOP853"
) -> np.ndarray:
    """Return the solution of ``du/dt = velocity(t, u, *args)``, ``u(times[0]) = start``, by SciPy.

    Returns
    -------
    ndarray, shape (times, unknowns)
        Exact to about nine digits of the largest value (tolerances 1e-11 and 1e-13).
    """
    span = (float(times[0]), float(times[-1]))
    found = solved(velocity, span, start, method, t_eval=times, rtol=1e-11, atol=1e-13, args=args)
    return np.asarray(found.y.T)
