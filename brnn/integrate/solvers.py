"""SciPy's solvers, with an error control that no quiet part of the network can weaken.

SciPy accepts a step if the root mean square of the scaled errors of all unknowns is below 1, so that ten active cells
among 100,000 quiet ones are integrated with a hundredth of the accuracy that was asked for. Here:

- RK45, DOP853, RK23 and LSODA hold the tolerance for every single unknown (maximum norm; LSODA does by itself);
- Radau and BDF hold it for the root mean square within each block of the state (each layer, gate, weight set):
  weighting the tolerances of block b by sqrt(n_b / n) makes SciPy's norm the root of the sum of the blocks' mean
  squares, which is below 1 only if every block's is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, OdeSolver, Radau

from brnn.compiler import Variable
from brnn.errors import InputError
from brnn.integrate.delays import EXPLICIT
from brnn.spec.validate import closest

__all__ = ["METHODS", "choose", "make"]

LSODA_AT_MOST = 256  # unknowns; LSODA's Jacobian is dense and its history costs O(n^2) to read

METHODS = ("RK45", "DOP853", "RK23", "LSODA", "Radau", "BDF")
_DENSE_JACOBIAN = {"LSODA", "Radau", "BDF"}


class _MaximumNorm:
    """Replaces the root mean square by the maximum in SciPy's explicit methods."""

    def _estimate_error_norm(self, K: np.ndarray, h: float, scale: np.ndarray) -> float:
        return float(np.max(np.abs(self._estimate_error(K, h)) / scale))  # type: ignore[attr-defined]


class MaxRK45(_MaximumNorm, RK45):
    """RK45 whose error is controlled for each unknown."""


class MaxRK23(_MaximumNorm, RK23):
    """RK23 whose error is controlled for each unknown."""


class MaxDOP853(_MaximumNorm, DOP853):
    """DOP853 whose error is controlled for each unknown."""


_CLASSES: dict[str, type[OdeSolver]] = {
    "RK45": MaxRK45,
    "RK23": MaxRK23,
    "DOP853": MaxDOP853,
    "LSODA": LSODA,
    "Radau": Radau,
    "BDF": BDF,
}


def choose(solver: str, size: int, delayed: bool = False) -> tuple[str, str]:
    """Return the method for a name, and why.

    Parameters
    ----------
    solver : str
        "auto" or one of METHODS (any case).
    size : int
        Number of unknowns.
    delayed : bool
        Whether the network has delays, which only explicit methods can take.

    Raises
    ------
    InputError
        If there is no such solver, or it cannot do this.
    """
    if not isinstance(solver, str):
        raise InputError(f"solver = {solver!r}: must be one of auto, {', '.join(METHODS)}")
    if solver.lower() == "auto" and delayed:
        return "RK45", "auto: the network has delays, which need an explicit method"
    if solver.lower() == "auto":
        if size <= LSODA_AT_MOST:
            return "LSODA", f"auto: {size} unknowns, LSODA switches to a stiff method when it needs one"
        return "RK45", f"auto: {size} unknowns, an explicit method costs O(n) a step"
    for name in METHODS:
        if name.lower() == solver.lower():
            if delayed and name not in EXPLICIT:
                raise InputError(f"solver = {solver!r}: cannot do delays; must be one of auto, {', '.join(EXPLICIT)}")
            return name, "asked for"
    raise InputError(f"solver = {solver!r}: must be one of auto, {', '.join(METHODS)}{closest(solver, METHODS)}")


def matrix_bytes(method: str, size: int) -> int:
    """Return the bytes of the dense matrices that an implicit method makes."""
    return 3 * 8 * size * size if method in _DENSE_JACOBIAN else 0


def make(
    method: str,
    fun: Callable[[float, np.ndarray], np.ndarray],
    start: float,
    state: np.ndarray,
    stop: float,
    rtol: float,
    atol: np.ndarray | float,
    variables: tuple[Variable, ...],
    longest: float = np.inf,
) -> Any:
    """Return a solver that stands at `start` and goes to `stop`, in steps of at most `longest`."""
    kind = _CLASSES[method]
    options: dict[str, Any] = {"rtol": rtol, "atol": atol, "max_step": longest}
    if method not in ("Radau", "BDF") or len(variables) == 1:
        return kind(fun, start, state, stop, **options)
    weights = np.empty(state.size)
    for variable in variables:
        weights[variable.start : variable.stop] = np.sqrt(variable.size / state.size)
    solver: Any = kind(fun, start, state, stop, **{**options, "atol": atol * weights})
    solver.rtol = rtol * weights  # only steps use it; the constructor wants one number
    return solver
