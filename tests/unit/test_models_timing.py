"""Spectral timing: what `build` makes and refuses, and its theory beside SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

import brnn
from brnn import models
from brnn.errors import SpecError
from brnn.theory import spectral_timing as theory

NUMBERS = (1.0, 0.8, 8.0, 1e-4, 0.125)


def build(**arguments: Any) -> brnn.Network:
    return models.load("spectral_timing").build(**arguments)


def test_defaults_make_a_network_that_round_trips() -> None:
    network = build()
    assert [(layer.name, layer.cells) for layer in network.layers] == [("spectrum", 80), ("gated", 80), ("response", 1)]
    assert network.protocol is not None
    assert network.protocol.names == ("before", "us", "after", "test")
    assert network.duration == pytest.approx(4 * 2000.0)
    assert brnn.Network.from_json(network.to_json()) == network


def test_every_trial_begins_with_rested_gates() -> None:
    result = brnn.simulate(build(n=5, isi=50.0, cs=200.0, trials=2), times=[0.0, 199.0, 200.0, 400.0])
    y = np.asarray(result["gate.y"])
    assert y[1].max() < 1.0
    assert (y[[0, 2, 3]] == 1.0).all()
    assert (np.asarray(result["spectrum.x"])[[0, 2, 3]] == 0.0).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "spectral_timing: n"),
        ({"n": (2, 3)}, "must have one dimension"),
        ({"rates": [0.1, 0.0]}, "every element must be > 0"),
        ({"isi": 0}, "spectral_timing: isi = 0"),
        ({"us": -1}, "spectral_timing: us = -1"),
        ({"cs": 200.0}, "must be more than isi + us = 220"),
        ({"trials": 0}, "spectral_timing: trials"),
        ({"I": 0}, "spectral_timing: I = 0"),
        ({"half": 0}, "spectral_timing: half = 0"),
        ({"exponent": 0.5}, "spectral_timing: exponent"),
        ({"C": 0}, "spectral_timing: C = 0"),
        ({"D": -1}, "spectral_timing: D = -1"),
        ({"M": -1}, "spectral_timing: M = -1"),
        ({"relay": 0}, "spectral_timing: relay = 0"),
    ],
)
def test_bad_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as error:
        build(**arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_gated_signal_by_quadrature() -> None:
    I, half, n, C, D = NUMBERS
    r, t = 0.02, 90.0

    def f(s: float) -> float:
        x = 0.5 * (1.0 - np.exp(-2.0 * r * s)) * 2.0 * I / (1.0 + I)
        return float(x**n / (half**n + x**n))

    def depleted(a: float, b: float) -> float:
        return C * (b - a) + D * quad(f, a, b, epsabs=1e-12)[0]

    y = np.exp(-depleted(0.0, t)) + C * quad(lambda s: np.exp(-depleted(s, t)), 0.0, t)[0]
    assert theory.gated([t], [r], *NUMBERS)[0, 0] == pytest.approx(f(t) * y, rel=1e-7)


def test_learning_and_response_against_one_integration() -> None:
    rates, M, relay = np.array([0.1, 0.03, 0.01]), 0.5, 2.0

    def velocity(t: float, u: np.ndarray, N: float) -> np.ndarray:
        x, y, g, z, R = u[:3], u[3:6], u[6:9], u[9:12], u[12]
        f = x**8 / (0.8**8 + x**8)
        parts = (rates * (1.0 - 2.0 * x), 1e-4 * (1.0 - y) - 0.125 * f * y, relay * (f * y - g), M * g * (N - z))
        return np.concatenate([*parts, [relay * ((g * z).mean() - R)]])

    rested, z = np.concatenate([np.zeros(3), np.ones(3), np.zeros(3)]), np.zeros(3)
    for _ in range(2):
        u = np.concatenate([rested, z, [0.0]])
        for start, stop, N in ((0.0, 60.0, 0.0), (60.0, 90.0, 1.0), (90.0, 400.0, 0.0)):
            u = solve_ivp(velocity, (start, stop), u, "LSODA", args=(N,), rtol=1e-10, atol=1e-13).y[:, -1]
        z = u[9:12]
    assert theory.learned(60.0, 90.0, 400.0, 2, M, relay, rates, *NUMBERS) == pytest.approx(z, rel=1e-6)
    t = np.linspace(0.0, 300.0, 61)
    start = np.concatenate([rested, z, [0.0]])
    R = solve_ivp(velocity, (0.0, 300.0), start, "LSODA", t_eval=t, args=(0.0,), rtol=1e-10, atol=1e-14).y[12]
    assert theory.response(t, z, M, relay, rates, *NUMBERS) == pytest.approx(R, abs=1e-6 * R.max())


def test_bell_of_a_gaussian() -> None:
    t = np.linspace(0.0, 100.0, 501)
    found = theory.bell(t, 3.0 * np.exp(-0.5 * ((t - 40.03) / 8.0) ** 2))
    assert tuple(found) == pytest.approx((40.03, 3.0, 8.0 * np.sqrt(8.0 * np.log(2.0))), abs=1e-4)
    with pytest.raises(ArithmeticError, match="half its height"):
        theory.bell(t, t)


def test_bell_of_a_parabola_with_its_top_between_the_last_two_times() -> None:
    """A cubic spline is exact for 1 - (t - 3.2)^2, which is 1/2 at 3.2 -+ sqrt(1/2)."""
    t = np.arange(5.0)
    assert tuple(theory.bell(t, 1.0 - (t - 3.2) ** 2)) == pytest.approx((3.2, 1.0, np.sqrt(2.0)), rel=1e-12)


def test_fast_gates() -> None:
    r, D = 1e-4, 1e6  # x is then 0.1 at the top
    top = float(theory.fast_gate_top(r, 1.0, 0.8, 8.0, D))
    s = np.linspace(0.01, 3.0, 3001)
    g = s**8 * np.exp(-8.0 / 9.0 * s**9)
    assert theory.fast_gate_width(8.0) == pytest.approx(theory.bell(s, g).width, abs=1e-5)
    t = np.linspace(0.0, 2.5 * top, 2001)
    found = theory.bell(t, theory.gated(t, [r], 1.0, 0.8, 8.0, 1e-9, D)[:, 0])
    assert found.time == pytest.approx(top, rel=0.4)
