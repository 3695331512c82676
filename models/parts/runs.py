"""What the claims of the models share: runs that are accurate enough to be compared with exact numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.claims import Comparison
from brnn.spec.network import Network

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["final", "frequencies", "run", "slope", "stays_within"]


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


def stays_within(network: Network, lower: float, upper: float, label: str, **options: Any) -> list[Comparison]:
    """Return comparisons that say whether the last layer's activities stay between two bounds.

    Saved activities are projected onto bounds that are a theorem, so that they alone would prove little. Compared are
    also how far the solver itself had left the bounds, and the theorem's reason: on a bound, the simulator's own
    derivative points inward, whatever the other cells do.
    """
    from brnn.compiler import compile_network

    result = run(network, **options)
    layer = network.layers[-1]
    rng = np.random.default_rng(8)
    states = rng.uniform(lower, upper, size=(40, layer.cells))
    side = rng.integers(-1, 2, size=states.shape)  # on the lower bound, inside, on the upper bound
    states = np.where(side < 0, lower, np.where(side > 0, upper, states))
    u = np.tile(compile_network(network).initial_state(), (len(states), 1))
    u[:, -layer.cells :] = states
    inward = -side * slope(network, u)[:, -layer.cells :]
    return [
        Comparison.within(lower, result[f"{layer.name}.x"], upper, label=f"{label}: all saved activities"),
        Comparison.at_most(1e-6, result.solver.details["largest_projection"], label=f"{label}: left by the solver"),
        Comparison.at_least(0.0, inward[side != 0], 1e-6, f"{label}: velocity inward on the bounds"),
    ]


def frequencies(probabilities: np.ndarray, counts: np.ndarray, trials: int, label: str) -> list[Comparison]:
    """Return comparisons of how often things happened in independent trials with their predicted probabilities.

    The first row compares frequencies, with a tolerance of 4.5 standard errors of the least certain one; the second
    bounds the largest deviation in standard errors, where at least five successes and five failures are expected.
    """
    p, found = np.asarray(probabilities, dtype=np.float64), np.asarray(counts) / trials
    error = np.sqrt(p * (1.0 - p) / trials)
    rows = [Comparison(p, found, 4.5 * float(error.max()), f"{label}: frequencies in {trials} trials")]
    many = trials * np.minimum(p, 1.0 - p) >= 5
    if many.any():
        z = np.abs(found - p)[many] / error[many]
        rows.append(Comparison.at_most(4.5, z, label=f"{label}: standard errors off"))
    return rows
