"""SciPy's solvers, with an error control that no quiet part of the network can weaken.

SciPy accepts a step if the root mean square of the scaled errors of all unknowns is below 1, so that ten active cells
among 100,000 quiet ones are integrated with a hundredth of the accuracy that was asked for. Here:

- RK45, DOP853, RK23 and LSODA hold the tolerance for every single unknown (maximum norm; LSODA does by itself);
- so does ROS34PW2, which is made for stiff networks with many weights (see brnn.integrate.methods.rosenbrock);
- Radau and BDF hold it for the root mean square within each block of the state (each layer, gate, weight set):
  weighting the tolerances of block b by sqrt(n_b / n) makes SciPy's norm the root of the sum of the blocks' mean
  squares, which is below 1 only if every block's is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import BDF, DOP853, LSODA, RK23, RK45, OdeSolver, Radau

from brnn.base.text import closest
from brnn.compiler import System
from brnn.compiler.system import Clock
from brnn.errors import InputError
from brnn.integrate.delays import EXPLICIT
from brnn.integrate.methods import stochastic
from brnn.spec.network import Network

__all__ = ["METHODS", "choose", "make", "matrix_bytes", "stiff_method"]

_LSODA_STIFF = 2_000  # unknowns up to which that is a dense Jacobian of all of them
_STIFF_CELLS = 2_000  # cells up to which it is one of the cells alone
_FUSE_FROM = 16_384  # unknowns; below, everything is in the cache anyway
LSODA_AT_MOST = 256  # unknowns; LSODA's Jacobian is dense and its history costs O(n^2) to read

COMPILED = "compiled"  # the ensemble's own integrator, for small networks
METHODS = ("RK45", "DOP853", "RK23", "LSODA", "Radau", "BDF", "ROS34PW2")
_DENSE_JACOBIAN = {"LSODA", "Radau", "BDF"}


class _MaximumNorm:
    """Replaces the root mean square by the maximum in SciPy's explicit methods."""

    def _estimate_error_norm(self, K: np.ndarray, h: float, scale: np.ndarray) -> float:
        return float((np.abs(self._estimate_error(K, h)) / scale).max())  # type: ignore[attr-defined]


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


def choose(solver: str, network: Network, size: int, until: str, step: float | None) -> tuple[str, str]:
    """Return the method for a name, and why.

    Parameters
    ----------
    solver : str
        "auto" or the name of a method (any case).
    network : Network
        What it must be able to do: delays, white noise, discrete time.
    size : int
        Number of unknowns.
    until : str
        "duration" or "steady".
    step : float or None
        The step asked for.

    Raises
    ------
    InputError
        If there is no such solver, or it cannot do this.
    """
    delayed = any(projection.delay > 0 for projection in network.projections)
    if network.noisy and delayed:
        raise InputError("white noise and delays cannot be in one network: no solver can do both")
    if network.noisy and until == "steady":
        raise InputError("until = 'steady': a network with white noise never comes to rest")
    if step is not None and not network.noisy:
        raise InputError("step: only the solvers for white noise take a step; the others choose it by rtol and atol")
    allowed: tuple[str, ...] = METHODS
    best, why = ("LSODA", f"{size} unknowns, LSODA switches to a stiff method when it needs one")
    if network.step is not None:
        allowed, best, why = ("map",), "map", f"discrete time with step {network.step:g}"
    elif network.noisy:
        allowed, best, why = stochastic.METHODS, "SRIW1", "white noise, strong order 1.5"
    elif delayed:
        allowed, best, why = EXPLICIT, "RK45", "delays need an explicit method"
    elif size > LSODA_AT_MOST:
        best, why = "RK45", f"{size} unknowns, an explicit method costs O(n) a step"
    if isinstance(solver, str) and solver.lower() == "auto":
        return best, f"auto: {why}"
    if allowed is METHODS:
        allowed = (*METHODS, COMPILED)
    for name in allowed:
        if isinstance(solver, str) and name.lower() == solver.lower():
            if name == COMPILED:
                _check_compiled(network)
            return name, "asked for"
    every = (*METHODS, COMPILED, *stochastic.METHODS)
    known = isinstance(solver, str) and solver.lower() in {name.lower() for name in every}
    hint = f" ({why})" if known else closest(str(solver), allowed)
    raise InputError(f"solver = {solver!r}: must be one of auto, {', '.join(allowed)}{hint}")


def _check_compiled(network: Network) -> None:
    """Raise InputError if the compiled integrator cannot run this network."""
    from brnn.ensemble.arrays import unfit

    why = unfit(network)
    if why is not None:
        raise InputError(f"solver = 'compiled': the compiled integrator cannot run this network: {why}")


def stiff_method(system: System) -> str | None:
    """Return the method for a network that turned out to be stiff; None if it is too large for any."""
    if system.size <= _LSODA_STIFF:
        return "LSODA"
    return "ROS34PW2" if sum(layer.cells for layer in system.network.layers) <= _STIFF_CELLS else None


def matrix_bytes(method: str, size: int, cells: int) -> int:
    """Return the bytes of the dense matrices that an implicit method makes."""
    if method == "ROS34PW2":
        return 6 * 8 * cells * cells
    return 3 * 8 * size * size if method in _DENSE_JACOBIAN else 0


def make(
    method: str,
    fun: Callable[[float, np.ndarray], np.ndarray],
    start: float,
    state: np.ndarray,
    stop: float,
    rtol: float,
    atol: float,
    system: System,
    longest: float = np.inf,
    clock: Clock | None = None,
) -> Any:
    """Return a solver that stands at `start` and goes to `stop`, in steps of at most `longest`."""
    if method == "ROS34PW2":
        from brnn.integrate.methods.rosenbrock import ROS34PW2

        return ROS34PW2(fun, start, state, stop, system=system, rtol=rtol, atol=atol, clock=clock)
    variables = system.variables
    kind = _CLASSES[method]
    if method in EXPLICIT and state.size >= _FUSE_FROM:
        from brnn.integrate.methods.fused import FUSED

        kind = FUSED[method]
    options: dict[str, Any] = {"rtol": rtol, "atol": atol, "max_step": longest}
    if method not in ("Radau", "BDF") or len(variables) == 1:
        return kind(fun, start, state, stop, **options)
    weights = np.empty(state.size)
    for variable in variables:
        weights[variable.start : variable.stop] = np.sqrt(variable.size / state.size)
    solver: Any = kind(fun, start, state, stop, **{**options, "atol": atol * weights})
    solver.rtol = rtol * weights  # only steps use it; the constructor wants one number
    return solver
