"""Models with gates and oscillations: what `build` makes, what it refuses, and the theory beside brute force."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn import models
from brnn.errors import InputError, SpecError
from brnn.theory import habituation, pacemaker, slow_inhibition

NAMES = [
    "depressing_synapse",
    "gated_dipole",
    "gated_pacemaker",
    "leaky_competing_accumulator",
    "slow_inhibition",
    "wilson_cowan",
]
every_model = pytest.mark.parametrize("name", NAMES)


def build(name: str, **arguments: Any) -> brnn.Network:
    network = models.load(name).build(**arguments)
    assert isinstance(network, brnn.Network)
    return network


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("gated_dipole", {"H": 0}, "gated_dipole: H = 0: must be a number > 0"),
        ("gated_dipole", {"K": -1}, "gated_dipole: K = -1"),
        ("gated_dipole", {"L": -0.1}, "gated_dipole: L = -0.1"),
        ("gated_dipole", {"A": 0}, "gated_dipole: A = 0"),
        ("gated_dipole", {"I": -1}, "gated_dipole: I = -1"),
        ("gated_dipole", {"I": [1.0, 2.0], "pattern": [1.0, 2.0, 3.0]}, "must have shape (3,)"),
        ("gated_dipole", {"pattern": [1.0, -2.0]}, "gated_dipole: pattern: element 1 is -2"),
        ("gated_dipole", {"burst": float("nan")}, "gated_dipole: burst"),
        ("gated_dipole", {"start": -1}, "gated_dipole: start = -1"),
        ("gated_dipole", {"on": 0}, "gated_dipole: on = 0"),
        ("gated_dipole", {"burst": 1.0, "burst_on": -1}, "gated_dipole: burst_on = -1"),
        ("gated_dipole", {"signal": "sigmiod"}, "signal=sigmiod: unknown signal"),
        ("gated_dipole", {"n": 0}, "gated_dipole: n"),
        ("depressing_synapse", {"U": 0}, "depressing_synapse: U = 0"),
        ("depressing_synapse", {"U": 1.5}, "depressing_synapse: U = 1.5"),
        ("depressing_synapse", {"U": 1, "presentation": "spikes"}, "must be less than 1 with spikes"),
        ("depressing_synapse", {"tau_rec": 0}, "depressing_synapse: tau_rec = 0"),
        ("depressing_synapse", {"tau_pre": -1}, "depressing_synapse: tau_pre = -1"),
        ("depressing_synapse", {"presentation": "spike"}, "did you mean 'spikes'?"),
        ("depressing_synapse", {"rate": [10.0, -1.0]}, "depressing_synapse: rate: element 1 is -1"),
        ("depressing_synapse", {"rate_after": 5.0, "presentation": "spikes"}, "rate_after: must be 0"),
        ("depressing_synapse", {"rate": 500.0, "n": 1, "width": 0.01, "presentation": "spikes"}, "shortest interval"),
        ("depressing_synapse", {"rate": [900.0], "on": 1e6, "presentation": "spikes"}, "makes 900000000 spikes"),
        ("depressing_synapse", {"E": 0}, "depressing_synapse: E = 0"),
        ("depressing_synapse", {"on": math.inf}, "depressing_synapse: on = inf"),
        ("gated_pacemaker", {"D": 0}, "gated_pacemaker: D = 0"),
        ("gated_pacemaker", {"H": -1}, "gated_pacemaker: H = -1"),
        ("gated_pacemaker", {"s": 0}, "gated_pacemaker: s = 0"),
        ("gated_pacemaker", {"B": 0}, "gated_pacemaker: B = 0"),
        ("gated_pacemaker", {"light": -1}, "gated_pacemaker: light = -1"),
        ("gated_pacemaker", {"initial": [0.1, 2.0]}, "gated_pacemaker: initial = 2"),
        ("gated_pacemaker", {"initial": [0.1, -0.6]}, "gated_pacemaker: initial: element 1 is -0.6"),
        ("gated_pacemaker", {"initial": [0.1, 0.2, 0.3]}, "must have shape (2,)"),
        ("gated_pacemaker", {"z": [0.5, 1.5]}, "every element must be <= K = 1"),
        ("slow_inhibition", {"e": 0}, "slow_inhibition: e = 0"),
        ("slow_inhibition", {"G": -1}, "slow_inhibition: G = -1"),
        ("slow_inhibition", {"lateral": 1.5}, "slow_inhibition: lateral = 1.5"),
        ("slow_inhibition", {"center_width": -1}, "slow_inhibition: center_width = -1"),
        ("slow_inhibition", {"surround_width": -1}, "slow_inhibition: surround_width = -1"),
        ("slow_inhibition", {"n": 9, "surround_width": 2.0, "boundary": "wrap"}, "must be one of zero, periodic"),
        ("slow_inhibition", {"pattern": -0.1}, "slow_inhibition: pattern = -0.1"),
        ("wilson_cowan", {"c1": -1}, "wilson_cowan: c1 = -1"),
        ("wilson_cowan", {"a_e": 0}, "wilson_cowan: a_e = 0"),
        ("wilson_cowan", {"theta_i": "x"}, "wilson_cowan: theta_i = 'x'"),
        ("wilson_cowan", {"k": 0}, "wilson_cowan: k = 0"),
        ("wilson_cowan", {"tau": 0}, "tau = 0"),
        ("wilson_cowan", {"pattern": [1.0, float("inf")]}, "wilson_cowan: pattern: element 1 is inf"),
        ("leaky_competing_accumulator", {"k": -1}, "leaky_competing_accumulator: k = -1"),
        ("leaky_competing_accumulator", {"beta": -1}, "leaky_competing_accumulator: beta = -1"),
        ("leaky_competing_accumulator", {"sigma": -1}, "leaky_competing_accumulator: sigma = -1"),
        ("leaky_competing_accumulator", {"trials": 0}, "leaky_competing_accumulator: trials = 0"),
        ("leaky_competing_accumulator", {"trials": 2.5}, "must be a whole number"),
        ("leaky_competing_accumulator", {"n": (2, 3)}, "must be one whole number"),
        ("leaky_competing_accumulator", {"signal": brnn.Linear}, "not a class"),
        ("leaky_competing_accumulator", {"trials": 10**12}, "of memory; this machine has"),
    ],
)
def test_bad_parameter(name: str, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as caught:
        build(name, **arguments)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_dipole_rests_until_it_is_shown_something() -> None:
    network = build("gated_dipole", I=[0.5, 2.0], pattern=[3.0, 1.0], start=30.0)
    fun = brnn.compile_network(network).rhs(1.0)
    np.testing.assert_allclose(fun(1.0, brnn.compile_network(network).initial_state()), 0.0, atol=1e-14)


def test_dipole_is_a_field_of_any_shape() -> None:
    network = build("gated_dipole", pattern=np.ones((3, 4)))
    assert {layer.shape for layer in network.layers} == {(3, 4)}
    assert len(network.stimuli) == 3
    assert len(build("gated_dipole", burst=1.0).stimuli) == 5


def test_trains_of_spikes_have_the_area_1_each() -> None:
    network = build("depressing_synapse", rate=[10.0, 20.0, 10.0, 0.0], presentation="spikes", on=1.0, tau_pre=1e-3)
    assert len(network.stimuli) == 2  # one for each rate
    slow, fast = (np.asarray(stimulus.schedule.intervals) for stimulus in network.stimuli)  # type: ignore[attr-defined]
    np.testing.assert_allclose(slow[:, 0], np.arange(10) / 10.0)
    assert len(fast) == 20
    # (height of the pulse) x (its width) / tau_pre is the input of one spike.
    np.testing.assert_allclose(network.stimuli[0].at(0.0005, (4,)) * 1e-3 * 1e-3, [1.0, 0.0, 1.0, 0.0])


def test_accumulators_of_many_trials_do_not_mix() -> None:
    one = build("leaky_competing_accumulator", pattern=[1.0, 0.4, 0.7], k=0.3, beta=0.2)
    many = build("leaky_competing_accumulator", pattern=[1.0, 0.4, 0.7], k=0.3, beta=0.2, trials=4)
    assert many.layers[0].shape == (4, 3)
    W = many.projections[0].topology.strengths((4, 3), (4, 3))
    block = one.projections[0].topology.strengths((3,), (3,))
    np.testing.assert_allclose(W, np.kron(np.eye(4), block))


def test_slow_inhibition_reduces_to_one_cell_if_all_are_alike() -> None:
    state = np.array([0.3, 0.2])
    one = brnn.compile_network(build("slow_inhibition")).rhs(0.0)(0.0, state)
    for arguments in ({}, {"lateral": 1.0}, {"center_width": 1.5, "surround_width": 2.0, "boundary": "periodic"}):
        many = brnn.compile_network(build("slow_inhibition", n=30, **arguments)).rhs(0.0)(0.0, np.repeat(state, 30))
        np.testing.assert_allclose(many, np.repeat(one, 30), rtol=1e-12)


def test_wilson_cowan_without_connections_is_a_sigmoid_of_its_input() -> None:
    network = build("wilson_cowan", c1=0, c2=0, c3=0, c4=0, pattern=[1.0, 5.0], k=None, a_e=1.3, theta_e=4.0)
    largest = 1.0 - 1.0 / (1.0 + math.exp(1.3 * 4.0))
    np.testing.assert_allclose(network.layers[1].k, largest)  # type: ignore[attr-defined]


# Theory beside brute force -------------------------------------------------------------------------------------


def f(w: Any) -> Any:
    return np.asarray(w) ** 2 / (1.0 + np.asarray(w) ** 2)


def settled(signal: float, H: float, K: float, L: float, y: float = 1.0, time: float = 1e3) -> float:
    found = solve_ivp(lambda t, y: H * (K - y) - L * signal * y, (0, time), [y], "LSODA", rtol=1e-11, atol=1e-13)
    return float(found.y[0, -1])


def test_dipole_formulas_beside_gates_that_were_integrated() -> None:
    H, K, L, I, J, dI = 0.7, 1.3, 0.4, 0.9, 2.1, 1.7
    on, off = (settled(float(f(w)), H, K, L) for w in (I + J, I))
    closed = (f, H, K, L)
    assert habituation.dipole_response(I, J, *closed) == pytest.approx(f(I + J) * on - f(I) * off, rel=1e-9)
    assert habituation.dipole_onset(I, J, *closed) == pytest.approx((f(I + J) - f(I)) * off, rel=1e-9)
    assert habituation.dipole_rebound(I, J, *closed) == pytest.approx(f(I) * (off - on), rel=1e-9)
    burst = f(I + dI) * off - f(I + J + dI) * on
    assert habituation.burst_response(I, J, dI, *closed) == pytest.approx(burst, rel=1e-9)
    assert habituation.gate_trajectory([0.8], 0.6, H, K, L, 0.2)[0, 0] == pytest.approx(settled(0.6, H, K, L, 0.2, 0.8))


def test_tabled_numbers_of_the_dipole_and_of_the_synapse() -> None:
    sizes = habituation.burst_response(1.0, 10.0, np.array([4.0, 5.0, 6.0, 10.0]), lambda w: w, 5.0, 1.0, 1.0)
    np.testing.assert_allclose(sizes, [-0.52083333, 0.0, 0.52083333, 2.60416667], atol=1e-8)
    assert habituation.train_level(0.05, 0.8, 0.5) == pytest.approx(0.11425171, abs=1e-8)
    assert habituation.before_spikes(0.05, 0.8, 0.5, 200)[-1] == pytest.approx(0.11425171, abs=1e-8)
    np.testing.assert_allclose(habituation.before_spikes(1e9, 0.8, 0.5, 3), 1.0)
    # A fifth is taken, and what is missing falls to a half until the next spike: 1, 0.9, 1 - (1 - 0.72)/2.
    np.testing.assert_allclose(habituation.before_spikes(0.8 * np.log(2.0), 0.8, 0.2, 3), [1.0, 0.9, 0.86], rtol=1e-14)


def test_slow_inhibition_eigenvalues_beside_differences() -> None:
    A, B, I, G, e = 1.3, 1.1, 0.12, 7.0, 0.6
    signal = brnn.Sigmoid(7.0, 0.6, 2.0)

    def velocity(u: np.ndarray) -> np.ndarray:
        x, y = u
        return np.array([-A * x + (B - x) * (I + signal(x)) - G * x * y, e * (x - y)])

    for x in slow_inhibition.equilibria(A, B, I, G, signal):
        state = np.array([x, x])
        np.testing.assert_allclose(velocity(state), 0.0, atol=1e-13)
        h = 1e-6
        jacobian = np.array([(velocity(state + h * d) - velocity(state - h * d)) / (2 * h) for d in np.eye(2)]).T
        expected = np.sort_complex(np.linalg.eigvals(jacobian))
        found = np.sort_complex(slow_inhibition.eigenvalues(x, e, A, B, I, G, signal))
        np.testing.assert_allclose(found, expected, atol=1e-8)


def test_hopf_numbers_and_where_there_is_none() -> None:
    signal = brnn.Sigmoid(8.0, math.sqrt(0.5), 2.0)
    (x,) = slow_inhibition.equilibria(1.0, 1.0, 0.1, 8.0, signal)
    assert x == pytest.approx(0.24297068, abs=1e-8)
    np.testing.assert_allclose(slow_inhibition.hopf(x, 1.0, 1.0, 0.1, 8.0, signal), [0.81988549, 6.54550733], atol=1e-8)
    (x,) = slow_inhibition.equilibria(1.0, 1.0, 0.1, 8.0, brnn.Linear(0.1))
    with pytest.raises(InputError, match="no Hopf bifurcation"):
        slow_inhibition.hopf(x, 1.0, 1.0, 0.1, 8.0, brnn.Linear(0.1))


def test_pacemaker_limit_beside_slow_gates_that_were_integrated() -> None:
    signal = brnn.Sigmoid(3.0, math.sqrt(0.1), 2.0)
    limit, gates = pacemaker.singular_period(1.0, 1.0, 0.5, 0.3, 0.02, 0.06, signal, 0.3)
    assert 0.0 < gates[0] < gates[1] < 1.0
    s = 0.002

    def velocity(t: float, u: np.ndarray) -> np.ndarray:
        x, z = u[:2], u[2:]
        fx = 3.0 * np.maximum(x, 0.0) ** 2 / (0.1 + np.maximum(x, 0.0) ** 2)
        dx = -x + (1.0 - x) * (0.3 + fx * z) - (x + 0.5) * 0.3 * fx[::-1]
        return np.concatenate([dx, s * (0.02 * (1.0 - z) - 0.06 * fx * z)])

    def rises(t: float, u: np.ndarray) -> float:
        return float(u[0] - 0.3)

    rises.direction = 1  # type: ignore[attr-defined]
    found = solve_ivp(
        velocity, (0.0, 6 * limit / s), [0.5, 0.1, 0.9, 0.9], "LSODA", rtol=1e-9, atol=1e-11, events=rises
    )
    scaled = s * float(np.diff(found.t_events[0])[-1])
    # The excess of a passage of a fold: it was 1.344 at s = 0.01.
    assert scaled - limit == pytest.approx(1.344 * (s / 0.01) ** (2.0 / 3.0), rel=0.03)


@pytest.mark.parametrize(
    "change", [{"H": 0.0}, {"I": 0.05}, {"I": 1.0}, {"g": 0.0}, {"g": 1.0}, {"f": brnn.Linear(1.0)}], ids=str
)
def test_pacemaker_that_does_not_oscillate(change: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"A": 1.0, "B": 1.0, "C": 0.5, "I": 0.3, "D": 0.02, "H": 0.06, "g": 0.3}
    arguments["f"] = brnn.Sigmoid(3.0, math.sqrt(0.1), 2.0)
    with pytest.raises(InputError, match="not oscillate|do not take turns"):
        pacemaker.singular_period(**{**arguments, **change})
