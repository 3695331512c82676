"""Serial learning: closed forms against quadrature, what the model takes, what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import brnn
from brnn.errors import InputError, SpecError
from brnn.models.serial_learning import build, cues, onsets
from brnn.theory import serial

ONSETS = np.array([[0.0, 5.0], [1.0, 6.2], [2.0, 7.0]])  # uneven, the second trial overlapping traces of the first


def test_activities_are_the_solution_of_their_equation() -> None:
    A, I, on = 0.7, 1.5, 0.4
    t = np.linspace(0.0, 9.0, 19)

    def slope(time: float, x: np.ndarray) -> np.ndarray:
        return -A * x + I * ((time >= ONSETS) & (time < ONSETS + on)).any(axis=1)

    exact = solve_ivp(slope, (0.0, 9.0), np.zeros(3), max_step=2e-3, t_eval=t).y.T
    np.testing.assert_allclose(serial.activities(t, ONSETS, on, I, A), exact, atol=3e-3)


@pytest.mark.parametrize(
    ("threshold", "tau", "u"), [(0.0, 0.0, 0.0), (0.3, 0.0, 0.0), (0.3, 0.5, 0.1), (0.6, 1.3, 0.4), (0.0, 2.0, 0.5)]
)
def test_associations_are_their_integrals(threshold: float, tau: float, u: float) -> None:
    on, I, A, end = 0.5, 2.0, 0.5, 9.0
    t = np.linspace(0.0, end, 180_001)
    x = serial.activities(t, ONSETS, on, I, A)
    f = np.maximum(serial.activities(t - tau, ONSETS, on, I, A) - threshold, 0.0)
    weight = 2.0 * np.exp(-u * (end - t))
    exact = np.trapezoid(weight[:, None, None] * x[:, :, None] * f[:, None, :], t, axis=0) * (1.0 - np.eye(3))
    found = serial.associations(ONSETS, on, I, A, end, threshold=threshold, tau=tau, M=2.0, u=u)
    np.testing.assert_allclose(found, exact, atol=2e-8)


def test_a_threshold_above_all_activity_learns_nothing() -> None:
    z = serial.associations(ONSETS, 0.5, 1.0, 1.0, 20.0, threshold=5.0)
    assert not z.any()
    np.testing.assert_array_equal(serial.correct(z), 0.0)


def test_correct_is_the_part_of_the_next_item() -> None:
    z = np.array([[9.0, 1.0, 2.0], [3.0, 9.0, 4.0], [1.0, 5.0, 9.0]])  # [to, from]
    np.testing.assert_allclose(serial.correct(z), [3.0 / 4.0, 5.0 / 6.0])


def test_lags_do_not_depend_on_where_in_the_list() -> None:
    ahead, back = serial.lags(6, 1.0, 0.5, 2.0, 0.5, threshold=0.2, tau=0.3)
    z = serial.associations(np.arange(6.0)[:, None], 0.5, 2.0, 0.5, 100.0, threshold=0.2, tau=0.3)
    for d in range(1, 6):
        np.testing.assert_allclose(np.diagonal(z, -d), ahead[d - 1], rtol=1e-9)
        np.testing.assert_allclose(np.diagonal(z, d), back[d - 1], rtol=1e-9)


@pytest.mark.parametrize("n", [3, 4, 9, 16])
@pytest.mark.parametrize("threshold", [0.0, 0.15, 0.6])
@pytest.mark.parametrize("tau", [0.0, 0.8])
def test_the_hardest_position_is_that_of_the_smallest_part(n: int, threshold: float, tau: float) -> None:
    ahead, back = serial.lags(n, 1.0, 0.5, 2.0, 0.5, threshold=threshold, tau=tau)
    z = serial.associations(np.arange(float(n))[:, None], 0.5, 2.0, 0.5, 150.0, threshold=threshold, tau=tau)
    Z = serial.correct(z)
    k = serial.hardest(ahead, back)
    # Positions that are exactly alike (no threshold and no lag: the curve is symmetric) may come in either order.
    assert Z[k - 1] == pytest.approx(Z.min(), rel=1e-9)


def test_the_last_item_leads_to_none_and_cannot_be_the_hardest() -> None:
    """Z_1 = 1/(1 + 1) and Z_2 = 1/(1 + 3): of three items the second is the hardest."""
    assert serial.hardest(np.array([1.0, 1.0]), np.array([3.0, 3.0])) == 2
    assert serial.hardest(np.array([1.0]), np.array([3.0])) == 1


def test_the_default_run_is_finite_learns_and_answers() -> None:
    network = build()
    assert network.name == "serial_learning"
    assert network.duration is not None
    asked = cues(12, onsets(12, 4)[-1, -1] + 0.5 + 0.8 + 24.0)[:, 0] + 2.0
    result = brnn.simulate(network, times=[0.0, *asked, network.duration])
    x = np.asarray(result["items.x"])[1:-1] * (1.0 - np.eye(12))
    assert np.isfinite(x).all()
    np.testing.assert_array_equal(x[:-1].argmax(axis=1), np.arange(1, 12))
    z = np.asarray(result["associations.z"])
    np.testing.assert_array_equal(z[1], z[-1])  # learning is over


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n": 1}, "serial_learning: n = 1"),
        ({"n": 10**7}, "of memory"),
        ({"trials": 0}, "serial_learning: trials = 0"),
        ({"on": 0}, "serial_learning: on = 0"),
        ({"interval": 0.4}, "items would overlap; it must be at least on = 0.5"),
        ({"pause": -1}, "serial_learning: pause = -1"),
        ({"A": 0}, "serial_learning: A = 0"),
        ({"I": 0}, "serial_learning: I = 0"),
        ({"D": -1}, "serial_learning: D = -1"),
        ({"M": float("inf")}, "serial_learning: M = inf"),
        ({"u": -0.1}, "serial_learning: u = -0.1"),
        ({"threshold": -0.1}, "serial_learning: threshold = -0.1"),
        ({"tau": "late"}, "serial_learning: tau = 'late'"),
        ({"cued": 1}, "serial_learning: cued"),
    ],
)
def test_bad_parameter(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises((SpecError, InputError)) as caught:
        build(**arguments)
    text = str(caught.value)
    assert "\n" not in text
    assert words in text
