"""Rest does not depend on units: with all rates times c, or all activities times s, verdict and equilibrium stay."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import brnn

WINNER = (3.0 + math.sqrt(5.0)) / 2.0  # of f = w^2, A = 1, B = 3
POWERS = st.floats(-9.0, 9.0).map(lambda power: 10.0**power)


def competition(c: float, s: float, initial: object) -> brnn.Network:
    signal = brnn.Expression("g*w**2", g=c / s**2)
    return brnn.Network(
        "competition",
        [brnn.Layer.shunting("F", 3, A=c, B=3.0 * s, initial=s * np.asarray(initial, dtype=float))],
        [
            brnn.Projection("F", "F", "excitatory", signal),
            brnn.Projection("F", "F", "inhibitory", signal, brnn.AllButSelf()),
        ],
    )


@given(c=POWERS, s=POWERS)
@settings(max_examples=15)
@example(c=1e-9, s=1e9)
@example(c=1e9, s=1e-9)
@pytest.mark.parametrize("solver", ["auto", "RK45", "compiled"])
def test_runs_rest_where_they_would_with_other_units(solver: str, c: float, s: float) -> None:
    options = {"until": "steady", "solver": solver, "atol": 1e-9 * s}
    result = brnn.simulate(competition(c, s, [0.2, 0.5, 0.3]), 100.0 / c, **options)
    assert result.status == "steady"
    np.testing.assert_allclose(result.final("F").values / s, [0.0, WINNER, 0.0], atol=1e-5)
    assert 3.0 < c * float(result.times[-1]) < 10.0
    result = brnn.simulate(competition(c, s, [0.2, 0.2, 0.1]), 100.0 / c, **options)  # below E1: quenched
    assert result.status == "steady"
    np.testing.assert_allclose(result.final("F").values / s, 0.0, atol=1e-5)
    saddle = brnn.simulate(competition(c, s, [1.0, 1.0, 0.0]), 10.0 / c, **options)  # both hold, until one grows
    assert saddle.status == "complete"


@given(c=POWERS, s=POWERS)
@settings(max_examples=15)
@example(c=1e-9, s=1e9)
@example(c=1e9, s=1e-9)
def test_equilibria_and_their_stability_are_the_same(c: float, s: float) -> None:
    rest = brnn.steady_state(competition(c, s, [0.2, 0.5, 0.3]), duration=100.0 / c, atol=1e-9 * s)
    np.testing.assert_allclose(rest["F.x"] / s, [0.0, WINNER, 0.0], atol=1e-12)
    # u (B - 2 u) for the winner; -A - u^2, twice, for the silent cells
    expected = [WINNER * (3.0 - 2.0 * WINNER), -1.0 - WINNER**2, -1.0 - WINNER**2]
    np.testing.assert_allclose(np.sort(rest.eigenvalues.real)[::-1] / c, expected, rtol=1e-6)
    assert rest.stable
    assert rest.accurate


@given(s=POWERS, step=POWERS)
@settings(max_examples=15)
def test_maps_rest_where_they_would_with_other_units(s: float, step: float) -> None:
    """x(t + 1) = x/2 + s rests at 2 s; brain state in a box leaves 0, where all is equal, for a corner."""
    network = brnn.Network(
        "map",
        [brnn.BoxLayer("x", 2, decay=0.5, lowest=-9.0 * s, highest=9.0 * s, initial=[0.0, s], step=step)],
        [],
        [brnn.Stimulus("x", "excitatory", s)],
    )
    result = brnn.simulate(network, 200.0 * step, until="steady", atol=1e-9 * s)
    assert result.status == "steady"
    np.testing.assert_allclose(result.final("x").values / s, 2.0, rtol=1e-12)
    box = brnn.Network(
        "box",
        [brnn.BoxLayer("x", 2, lowest=-s, highest=s, step=step)],
        [brnn.Projection("x", "x", "excitatory", brnn.Linear(), brnn.Dense([[0.3, 0.1], [0.1, 0.3]]))],
    )
    assert brnn.simulate(box, 50.0 * step, until="steady", atol=1e-9 * s).status == "complete"
    corner = brnn.simulate(box, 50.0 * step, until="steady", atol=1e-9 * s, initial=[0.1 * s, 0.02 * s])
    assert (corner.status, (corner.final("x").values / s).tolist()) == ("steady", [1.0, 1.0])
