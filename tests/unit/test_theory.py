"""Theory of feedforward networks, membranes, additive networks and fields, beside what is not theory.

The reference is SciPy on equations that are written out here, and numbers that were computed independently.
"""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from brnn.errors import InputError
from brnn.theory import additive, feedforward, fields, habituation, membrane, spectral_timing


def ode(rhs, x0, t, method="DOP853"):
    """Integrate with SciPy and return the states at the times t (or the last one)."""
    t = np.atleast_1d(t)
    run = solve_ivp(rhs, (0.0, float(t[-1])), np.asarray(x0, float), method, t_eval=t, rtol=1e-11, atol=1e-13)
    assert run.success
    return run.y.T


# Feedforward -------------------------------------------------------------------------------------------------

INPUTS = np.array([1.0, 2.0, 3.0, 4.0])


def test_feedforward_numbers():
    x = feedforward.trajectory(INPUTS, 1.0, 1.0, [0.1, 1e3])
    assert x[0] == pytest.approx([0.06064808, 0.12129617, 0.18194425, 0.24259233], abs=5e-9)
    assert x[1] == pytest.approx(INPUTS / 11, abs=1e-15)
    assert feedforward.shift(1.0, 1.0, 10.0) == pytest.approx(1.70474809, abs=5e-9)


@pytest.mark.parametrize("D", [0.0, 0.4])
def test_feedforward_against_integration(D):
    a, b, x0, t = 0.7, 1.3, np.array([0.5, -0.1, 0.0, 1.0]), np.linspace(0, 1, 5)

    def rhs(time, x):
        return [
            -a * x[i] + (b - x[i]) * INPUTS[i] - (D + x[i]) * sum(INPUTS[k] for k in range(4) if k != i)
            for i in range(4)
        ]

    assert feedforward.trajectory(INPUTS, a, b, t, x0, D) == pytest.approx(ode(rhs, x0, t), abs=1e-9)
    assert rhs(0, feedforward.equilibrium(INPUTS, a, b, D)) == pytest.approx(np.zeros(4), abs=1e-12)
    total = feedforward.total_activity(10.0, a, b, D, n=4)
    assert total == pytest.approx(feedforward.equilibrium(INPUTS, a, b, D).sum())


def test_uniform_patterns_are_suppressed_at_the_adaptation_level():
    n, b = 5, 2.0
    D = b / (n - 1)  # D/(B + D) = 1/n
    assert feedforward.adaptation_level(b, D) == pytest.approx(1 / n)
    for intensity in (0.1, 10.0, 1e6):
        assert feedforward.equilibrium(np.full(n, intensity), 1.0, b, D) == pytest.approx(np.zeros(n), abs=1e-12)


def test_shift_property_and_weber_law():
    K = np.linspace(-30, 30, 13)
    moved = feedforward.weber(K + feedforward.shift(0.5, 1.0, 50.0), 50.0, 0.5, 2.0)
    assert moved == pytest.approx(feedforward.weber(K, 1.0, 0.5, 2.0), rel=1e-12)
    assert feedforward.weber(math.log(3.0), 7.0, 1.0, 2.0) == pytest.approx(2 * 3 / (1 + 3 + 7))
    assert feedforward.weber(1000.0, 1.0, 1.0, 2.0) == 2.0
    assert feedforward.weber(-1000.0, 1.0, 1.0, 2.0) == 0.0


def test_without_off_surround_every_cell_saturates():
    assert feedforward.unopposed(1e9 * INPUTS, 1.0, 2.0) == pytest.approx(np.full(4, 2.0), abs=1e-8)


def test_single_shunting_cell():
    assert feedforward.shunt(1.0, 0.0, 1.0, 1.0) == 0.5  # a course default, with rate 2
    assert feedforward.shunt_trajectory(1.0, 0.0, 1.0, 1.0, [0.3])[0] == pytest.approx(0.5 * (1 - math.exp(-0.6)))
    E, J = np.array([1.0, 5.0]), np.array([2.0, 0.1])
    got = feedforward.shunt_trajectory(E, J, 0.5, 1.5, [0.0, 0.4], [-0.2, 1.0], 0.3)
    want = ode(lambda t, x: -0.5 * x + (1.5 - x) * E - (0.3 + x) * J, [-0.2, 1.0], [0.0, 0.4])
    assert got == pytest.approx(want, abs=1e-9)


# Membrane and additive ---------------------------------------------------------------------------------------


def test_membrane_is_the_shunting_equation_in_other_units():
    cell = membrane.Membrane(V_plus=55.0, V_minus=-75.0, V_passive=-65.0, g_passive=0.1, capacitance=2.0, scale=10.0)
    g_plus, g_minus, t = np.array([0.05, 0.4]), np.array([0.0, 0.3]), np.array([0.0, 3.0, 300.0])

    def rhs(time, V):
        return ((55.0 - V) * g_plus + (-75.0 - V) * g_minus + (-65.0 - V) * 0.1) / 2.0

    V = membrane.trajectory(cell, g_plus, g_minus, t, -70.0)
    assert V == pytest.approx(ode(rhs, [-70.0, -70.0], t), abs=1e-7)
    assert V[-1] == pytest.approx(membrane.equilibrium(cell, g_plus, g_minus), abs=1e-7)
    x = feedforward.shunt_trajectory(
        cell.input(g_plus), cell.input(g_minus), cell.A, cell.B, t, cell.activity(-70.0), cell.D
    )
    assert cell.potential(x) == pytest.approx(V, abs=1e-12)
    assert (cell.activity(55.0), cell.activity(-75.0)) == (cell.B, -cell.D)
    back = membrane.Membrane.from_shunting(cell.A, cell.B, cell.D, V_passive=-65.0, capacitance=2.0, scale=10.0)
    assert back == cell
    assert cell.conductance(cell.input(0.3)) == pytest.approx(0.3)


def test_additive_network():
    rng = np.random.default_rng(5)
    W, a, inputs, x0 = (
        rng.normal(0, 0.4, (4, 4)),
        np.array([1.0, 2.0, 1.5, 3.0]),
        rng.normal(size=4),
        rng.normal(size=4),
    )
    t = np.array([0.0, 0.3, 2.0])

    def rhs(time, x):
        return [-a[i] * x[i] + sum(W[i, j] * x[j] for j in range(4)) + inputs[i] for i in range(4)]

    assert additive.trajectory(a, W, inputs, t, x0) == pytest.approx(ode(rhs, x0, t), abs=1e-9)
    assert rhs(0, additive.equilibrium(a, W, inputs)) == pytest.approx(np.zeros(4), abs=1e-12)
    assert additive.growth_rate(a, W) < 0
    assert additive.trajectory(a, W, inputs, 1e3) == pytest.approx(additive.equilibrium(a, W, inputs))


def test_additive_network_that_integrates():
    # A = 1 and W = 1 for one cell: dx/dt = I, which has no equilibrium.
    assert additive.trajectory(1.0, [[1.0]], 0.5, [0.0, 4.0], 1.0).ravel() == pytest.approx([1.0, 3.0])
    assert additive.growth_rate(1.0, [[1.0]]) == 0
    with pytest.raises(InputError, match="singular"):
        additive.equilibrium(1.0, [[1.0]], 0.5)
    with pytest.raises(InputError, match="square"):
        additive.matrix(1.0, [1.0, 2.0])
    with pytest.raises(InputError, match="A has shape"):
        additive.matrix([1.0, 2.0, 3.0], np.eye(2))


# Fields ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("boundary", ["zero", "constant", "periodic", "wrap", "nearest", "reflect"])
def test_convolution_against_the_sum_written_out(boundary):
    rng = np.random.default_rng(1)
    pattern, kernel = rng.random(7), rng.random(5)  # not symmetric: the direction matters
    n = len(pattern)
    want = np.zeros(n)
    for i in range(n):
        for d in range(-2, 3):  # C[i - k] with k = i - d
            k = i - d
            if boundary in ("periodic", "wrap"):
                value = pattern[k % n]
            elif boundary == "nearest":
                value = pattern[min(max(k, 0), n - 1)]
            elif boundary == "reflect":
                value = pattern[-1 - k if k < 0 else (2 * n - 1 - k if k >= n else k)]
            else:
                value = pattern[k] if 0 <= k < n else 0.0
            want[i] += kernel[d + 2] * value
    assert fields.convolve(pattern, kernel, boundary) == pytest.approx(want, abs=1e-14)


def test_two_dimensional_field_against_integration():
    rng = np.random.default_rng(2)
    pattern = rng.random((4, 5))
    center, surround = fields.gaussian(0.8, 2, 2.0, 2), fields.gaussian(2.0, 3, 0.2, 2)
    rows, columns = np.indices(pattern.shape)
    flat = np.column_stack([rows.ravel(), columns.ravel()])
    squares = ((flat[:, None, :] - flat[None, :, :]) ** 2).sum(-1)
    near = np.abs(flat[:, None, :] - flat[None, :, :]).max(-1)
    excite = (np.where(near <= 2, 2.0 * np.exp(-squares / (2 * 0.8**2)), 0.0) @ pattern.ravel()).reshape(4, 5)
    inhibit = (np.where(near <= 3, 0.2 * np.exp(-squares / (2 * 2.0**2)), 0.0) @ pattern.ravel()).reshape(4, 5)

    def rhs(time, x):
        x = x.reshape(4, 5)
        return (-0.5 * x + (1.2 - x) * excite - (0.4 + x) * inhibit).ravel()

    want = ode(rhs, np.zeros(20), [0.2, 60.0])
    got = fields.trajectory(pattern, center, surround, 0.5, 1.2, 0.4, [0.2, 60.0])
    assert got.reshape(2, -1) == pytest.approx(want, abs=1e-9)
    assert fields.equilibrium(pattern, center, surround, 0.5, 1.2, 0.4) == pytest.approx(got[1], abs=1e-9)


def test_uniform_fields_and_brightness_constancy():
    center, surround = fields.gaussian(1.0, 3, 1.0, unit_sum=True), fields.gaussian(4.0, 9, 1.0, unit_sum=True)
    assert center.sum() == pytest.approx(1.0)
    flat = fields.equilibrium(np.full(60, 7.0), center, surround, 1.0, 1.0, 0.5)
    assert flat[30] == pytest.approx(fields.uniform(7.0, center, surround, 1.0, 1.0, 0.5), abs=1e-14)
    assert flat[30] == pytest.approx((1.0 * 7 - 0.5 * 7) / (1 + 14))
    balanced = fields.equilibrium(np.repeat([2.0, 9.0], 40), center, surround, 1.0, 1.0, 1.0, "nearest")
    assert balanced[[5, 75]] == pytest.approx([0.0, 0.0], abs=1e-14)
    assert balanced[40] > 0.05 > -0.05 > balanced[39]  # only the edge is left
    scene = np.random.default_rng(0).random(30)
    limit = fields.saturated(scene, center, surround, 1.0, 0.5)
    assert fields.equilibrium(1e9 * scene, center, surround, 1.0, 1.0, 0.5) == pytest.approx(limit, abs=1e-7)
    assert fields.saturated(np.zeros(30), center, surround, 1.0, 0.5) == pytest.approx(np.zeros(30))


def test_fields_refuse_what_they_cannot_convolve():
    with pytest.raises(InputError, match="odd"):
        fields.convolve(np.ones(5), np.ones(2))
    with pytest.raises(InputError, match="dimensions"):
        fields.convolve(np.ones(5), np.ones((3, 3)))
    with pytest.raises(InputError, match="boundary"):
        fields.convolve(np.ones(5), np.ones(3), "edge")


def test_theory_imports_nothing_of_the_simulator():
    code = (
        "import sys, brnn; before = set(sys.modules); import brnn.theory; new = set(sys.modules) - before; "
        "ours = ('brnn.theory', 'brnn.errors'); "
        "print([m for m in new if m.startswith(('brnn.', 'scipy', 'numba')) and not m.startswith(ours)])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_a_gate_rests_where_recovery_and_depletion_are_equal() -> None:
    """dy/dt = H (K - y) - L f y is 0 there."""
    f = np.array([0.0, 0.5, 4.0])
    level = habituation.gate_level(f, H=0.2, K=3.0, L=0.7)
    np.testing.assert_allclose(0.2 * (3.0 - level) - 0.7 * f * level, 0.0, atol=1e-15)
    assert level[0] == pytest.approx(3.0, rel=1e-15)


def test_the_activation_of_each_site_has_its_own_rate() -> None:
    """dx_i/dt = r_i (-x_i + (1 - x_i) I) from 0, integrated by SciPy."""
    rates, times = np.array([0.3, 1.0, 2.5]), np.linspace(0.0, 3.0, 7)
    solved = solve_ivp(
        lambda t, x: rates * (-x + (1.0 - x) * 0.8), (0.0, 3.0), np.zeros(3), t_eval=times, rtol=1e-11, atol=1e-13
    )
    found = spectral_timing.activation(times, rates, I=0.8)
    np.testing.assert_allclose(found.reshape(solved.y.T.shape), solved.y.T, rtol=1e-9, atol=1e-12)


def test_the_bell_of_a_response_is_its_top_and_its_width() -> None:
    """A Gaussian curve: half its height is reached at sqrt(2 log 2) standard deviations."""
    t = np.linspace(0.0, 10.0, 4001)
    found = spectral_timing.bell(t, 1.5 * np.exp(-((t - 4.0) ** 2) / (2.0 * 0.8**2)))
    np.testing.assert_allclose(found, (4.0, 1.5, 2.0 * 0.8 * math.sqrt(2.0 * math.log(2.0))), rtol=1e-3)
