"""Random networks in the compiled ensemble agree with SciPy at the same tolerances."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from networks import shunting_networks
from reference import reference_rhs
from scipy.integrate import solve_ivp

import brnn
from brnn.ensemble.arrays import pack
from brnn.ensemble.run import Ensemble, run_ensemble

RTOL, ATOL, END = 1e-6, 1e-9, 3.0


def growth(rhs: object, states: np.ndarray, t: float) -> float:
    """Return how much the length of an error made anywhere may have grown: exp of the integral of the largest rate."""
    rates = []
    for u in states:
        J = np.stack(
            [(rhs(t, u + d) - rhs(t, u - d)) / 2e-6 for d in 1e-6 * np.eye(u.size)],  # type: ignore[operator]
            axis=1,
        )
        rates.append(max(0.0, float(np.linalg.eigvalsh(0.5 * (J + J.T)).max())))
    return float(np.exp(min(np.mean(rates) * END, 20.0)))


def cornered(network: brnn.Network) -> bool:
    """Tell whether a signal's slope jumps, at a threshold or where it is cut at 0.

    A step across a corner may err by more than its estimate says, whoever makes it: near such a corner the errors of
    SciPy's RK45 and of the ensemble spread alike, up to some 20 tolerances.
    """
    signals = [projection.signal for projection in network.projections]
    return any(
        isinstance(signal, brnn.ThresholdLinear | brnn.Saturating)
        or (isinstance(signal, brnn.Power | brnn.Sigmoid) and signal.exponent < 2.0)
        for signal in signals
    )


@given(network=shunting_networks(layers=2, projections=2, structures=8))
@settings(max_examples=20)
def test_errors_are_within_ten_tolerances(network: brnn.Network) -> None:
    """At the end of a run; times what errors grow where the network itself makes small differences grow.

    Where signals have corners they are within thirty. An error of one cell moves others, whose own tolerance may be
    smaller: lengths are compared, not cell by cell. An error that was within the tolerance of a large activity need
    not decay as fast as the activity does: the tolerance is that of the largest activity of each cell in the run.
    """
    result = run_ensemble(Ensemble.of([pack(network, END)]), rtol=RTOL, atol=ATOL)
    reference = reference_rhs(network)
    u = np.concatenate([np.broadcast_to(layer.initial, layer.shape) for layer in network.layers]).astype(float)
    states, largest = [], np.abs(u)
    for start, stop in pairwise([0.0, *network.breaks(END), END]):
        if stop - start < 1e-12:  # LSODA does not end there, and nothing can happen
            continue
        inside = 1e-12 * (stop - start)
        solution = solve_ivp(
            lambda t, v, a=start + inside, b=stop - inside: reference(min(max(t, a), b), v),
            (start, stop), u, "LSODA", rtol=1e-11, atol=1e-13,
        )  # fmt: skip
        u = solution.y[:, -1]
        states.append(u)
        largest = np.maximum(largest, np.abs(solution.y).max(axis=1))
    assert result.status[0] == 1
    tolerance = (
        (30.0 if cornered(network) else 10.0) * (ATOL + RTOL * largest) * growth(reference, np.array(states[:10]), END)
    )
    assert np.linalg.norm(result.final[0] - u) <= np.linalg.norm(tolerance + 1e-10)
