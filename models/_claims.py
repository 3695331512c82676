"""What the claims of the models share: runs that are accurate enough to be compared with exact numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.spec.network import Network

if TYPE_CHECKING:
    from brnn.record.result import Result

__all__ = ["final", "run", "slope"]


def run(network: Network, duration: float | None = None, **options: Any) -> Result:
    """Return ``simulate(network, duration, rtol=1e-9, atol=1e-12, **options)``.

    Claims set their tolerances by these: the error of a state of size 1 that is approached stays below about 1e-8.
    """
    from brnn.integrate import simulate  # it imports SciPy's solvers, which a list of models does not need

    return simulate(network, duration, **{"rtol": 1e-9, "atol": 1e-12, **options})


def final(network: Network, **options: Any) -> np.ndarray:
    """Return the activities of the last layer at rest."""
    return np.asarray(run(network, until="steady", **options).final(network.layers[-1].name))


def slope(network: Network, states: np.ndarray, time: float = 0.0) -> np.ndarray:
    """Return the simulator's own du/dt at each of `states`, shape (states, unknowns)."""
    from brnn.compiler import compile_network

    fun = compile_network(network).rhs(time)
    return np.array([fun(time, state) for state in states])
