"""VITE: what `build` makes and refuses, and its theory beside SciPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import brnn
from brnn import models
from brnn.errors import SpecError
from brnn.theory import vite as theory


def build(**arguments: Any) -> brnn.Network:
    return models.load("vite").build(**arguments)


def test_defaults_make_a_network_that_round_trips() -> None:
    network = build()
    assert [(layer.name, layer.shape) for layer in network.layers] == [("difference", (2, 3)), ("position", (2, 3))]
    assert network.time_units == "s"
    assert network.reference
    assert brnn.Network.from_json(network.to_json()) == network


def test_antagonists_are_complementary_and_can_be_left_out() -> None:
    network = build(target=[0.9, 0.1], start=0.4)
    assert network.layers[1].initial == pytest.approx(np.array([[0.4, 0.4], [0.6, 0.6]]))
    assert build(n=4, antagonists=False).layers[0].shape == (1, 4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 0}, "vite: n"),
        ({"n": (2, 2)}, "must have one dimension"),
        ({"target": [0.5, 1.5]}, "target: has the element 1.5"),
        ({"target": [0.5, -0.5]}, "vite: target"),
        ({"start": 2.0}, "start: has the element 2"),
        ({"target": [0.5, 0.6], "start": [0.1, 0.2, 0.3]}, "must have shape (2,)"),
        ({"alpha": 0}, "vite: alpha = 0"),
        ({"go": -1}, "vite: go = -1"),
        ({"rise": -1}, "vite: rise = -1"),
        ({"priming": float("nan")}, "vite: priming"),
        ({"duration": 0}, "vite: duration = 0"),
        ({"antagonists": 1}, "vite: antagonists = 1: must be true or false"),
    ],
)
def test_bad_input_is_one_line(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(SpecError) as error:
        build(**arguments)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("alpha", "G"), [(30.0, 5.0), (20.0, 5.0), (8.0, 10.0), (400.0, 1.0)])
@pytest.mark.parametrize("v0", [0.0, 1.0])
def test_constant_go_is_a_matrix_exponential(alpha: float, G: float, v0: float) -> None:
    matrix = np.array([[-alpha, alpha], [-G, 0.0]])  # of (v, e)
    for t in (0.01, 0.1, 0.7):
        v, e = expm(matrix * t) @ [v0, 1.0]
        q, speed = theory.position(t, alpha, G, v0)
        assert (float(q), float(speed)) == pytest.approx((1.0 - e, G * v), abs=1e-10)


def test_numbers() -> None:
    assert theory.position([0.2, 0.5], 30.0, 5.0)[0] == pytest.approx([0.61881342, 0.94261739], abs=5e-9)
    assert theory.time_to(0.95, 30.0, 5.0) == pytest.approx(0.52172528, abs=5e-9)
    assert theory.peak_speed_time(30.0, 5.0) == pytest.approx(0.07603460, abs=5e-9)
    assert theory.peak_speed_time(20.0, 5.0) == pytest.approx(0.1)


@pytest.mark.parametrize(("alpha", "G"), [(8.0, 10.0), (15.0, 5.0)])
def test_oscillating_movements(alpha: float, G: float) -> None:
    t = np.linspace(0.0, 5.0, 200_001)
    q, speed = theory.position(t, alpha, G)
    assert theory.overshoot(alpha, G) == pytest.approx(q.max() - 1.0, abs=1e-8)
    assert theory.peak_speed_time(alpha, G) == pytest.approx(t[speed.argmax()], abs=3e-5)
    assert theory.overshoot(4.0 * G, G) == 0.0


@pytest.mark.parametrize(("alpha", "slope"), [(30.0, 20.0), (5.0, 50.0), (100.0, 3.0)])
@pytest.mark.parametrize("v0", [0.0, 1.0])
def test_growing_go_against_integration(alpha: float, slope: float, v0: float) -> None:
    t = np.linspace(0.0, 1.5, 31)

    def velocity(time: float, u: np.ndarray) -> list[float]:
        return [alpha * (u[1] - u[0]), -slope * time * u[0]]

    found = solve_ivp(velocity, (0.0, 1.5), [v0, 1.0], "DOP853", t_eval=t, rtol=1e-11, atol=1e-13).y
    q, speed = theory.ramp_movement(t, alpha, slope, v0)
    assert q == pytest.approx(1.0 - found[1], abs=1e-9)
    assert speed == pytest.approx(slope * t * found[0], abs=1e-8)


def test_the_limit_of_an_instant_difference() -> None:
    t = np.linspace(0.0, 1.0, 11)
    exact, limit = theory.ramp_movement(t, 250.0, 20.0)[1], theory.instant_speed(t, 20.0)
    assert exact == pytest.approx(limit, abs=0.02 * limit.max())
    with pytest.raises(ArithmeticError, match="overflow"):
        theory.ramp_movement(t, 3000.0, 10.0)
