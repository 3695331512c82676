"""Random networks: the compiled right-hand side is equation (9), JSON keeps everything, activities stay in bounds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from networks import shunting_networks
from reference import in_python, reference_rhs
from scipy.integrate import solve_ivp

import brnn
from brnn.compiler import compile_network

# Twelve structures, in which every signal, topology and schedule occurs.
compiled_once = shunting_networks(layers=2, projections=3, structures=12)


def check_equation_9(network: brnn.Network, compiled: bool) -> None:
    """Compare the generated right-hand side, before and after the first break point, with full matrices."""
    system = compile_network(network)
    reference = reference_rhs(network)
    edges = [0.0, *network.breaks(3.0), 3.0]
    for start, stop in list(pairwise(edges))[:2]:
        t = 0.5 * (start + stop)
        u = np.random.default_rng(0).uniform(-1, 5, system.size)
        expected, rhs = reference(t, u), system.rhs(t) if compiled else in_python(system, t)
        np.testing.assert_allclose(rhs(t, u), expected, rtol=1e-10, atol=1e-10 * (1 + np.abs(expected).max()))


@given(network=shunting_networks(layers=2, projections=3))
def test_generated_rhs_is_equation_9(network: brnn.Network) -> None:
    """Any structure: Python runs the text, its signals and topologies as well."""
    check_equation_9(network, compiled=False)


@given(network=compiled_once)
def test_compiled_rhs_is_equation_9(network: brnn.Network) -> None:
    check_equation_9(network, compiled=True)


@given(network=shunting_networks(layers=2, projections=2))
def test_json_round_trip(network: brnn.Network) -> None:
    again = brnn.Network.from_json(network.to_json())
    assert again == network
    arrays: dict[str, np.ndarray] = {}
    assert brnn.Network.from_dict(network.to_dict(arrays), arrays) == network


@given(network=compiled_once)
@settings(max_examples=25)
def test_activities_stay_in_their_bounds(network: brnn.Network) -> None:
    """-D <= x <= B at every saved point, to the tolerance of the run."""
    result = brnn.simulate(network, 4.0, solver="RK45", rtol=1e-6, atol=1e-9)
    for layer in network.layers:
        x = result[f"{layer.name}.x"].values
        D, B = layer.E, layer.B
        assert x.min() >= -D - 2e-9 - 2e-6 * D
        assert x.max() <= B + 2e-9 + 2e-6 * B


@given(network=compiled_once)
@settings(max_examples=10)
def test_runs_agree_with_scipy_on_the_reference(network: brnn.Network) -> None:
    """The whole path (segments, restarts, dense output) against solve_ivp on full matrices, piece by piece."""
    result = brnn.simulate(network, 3.0, times=[1.0, 2.0, 3.0], rtol=1e-7, atol=1e-10)
    reference = reference_rhs(network)
    u = np.concatenate([np.broadcast_to(layer.initial, layer.shape) for layer in network.layers])
    at = {}
    edges = np.unique(np.concatenate([[0.0, 1.0, 2.0, 3.0], network.breaks(3.0)]))
    for start, stop in pairwise(edges):
        # Inside of the piece, so that a stimulus that jumps at its ends is taken from within.
        inside = 1e-12 * (stop - start)
        if stop - start >= 1e-12:  # LSODA does not end before, and nothing can happen
            u = solve_ivp(
                lambda t, v, a=start + inside, b=stop - inside: reference(min(max(t, a), b), v),
                (start, stop), u, method="LSODA", rtol=1e-9, atol=1e-12,
            ).y[:, -1]  # fmt: skip
        at[float(stop)] = u
    measured = np.concatenate([result[f"{layer.name}.x"].values for layer in network.layers], axis=1)
    expected = np.stack([at[1.0], at[2.0], at[3.0]])
    np.testing.assert_allclose(measured, expected, rtol=1e-4, atol=1e-5)
