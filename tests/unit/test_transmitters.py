"""Quadratic gates, clamped cells and cells with a gain, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

import brnn
from brnn.compiler.differentiable import jacobian
from brnn.equations.network import equations_of
from brnn.equations.printing import Text
from brnn.equations.scalar import scalar_equations
from brnn.integrate.side_by_side import side_by_side

H, K, L, Q = 0.3, 1.5, 0.8, 2.5


def gated(signals: list[float], **options: object) -> brnn.Network:
    """Cells whose activities stay, as A = 0, and what gets through their gates into a fast layer."""
    gate = brnn.QuadraticGate(H, K, L, Q, **options)
    return brnn.Network(
        "gated",
        [brnn.Layer.additive("s", len(signals), A=0.0, initial=signals), brnn.Layer.additive("x", len(signals), A=0.0)],
        [brnn.Projection("s", "x", topology=brnn.OneToOne(2.0), gate=gate)],
    )


def test_a_quadratic_gate_goes_to_its_level_at_its_rate() -> None:
    f = np.array([0.0, 0.2, 1.0, 3.0])
    rate = H + L * f + Q * f**2
    level = H * K / rate
    result = brnn.simulate(gated(f.tolist(), initial=0.4), 2.0, rtol=1e-9, atol=1e-12)
    y = level + (0.4 - level) * np.exp(-2.0 * rate)
    np.testing.assert_allclose(result.final("s_x_exc.y"), y, rtol=1e-7)
    through = 2.0 * f * (level * 2.0 + (0.4 - level) * (1.0 - np.exp(-2.0 * rate)) / rate)
    np.testing.assert_allclose(result.final("x"), through, rtol=1e-7)


def test_what_gets_through_is_largest_at_the_geometric_mean() -> None:
    best = np.sqrt(H / Q)
    result = brnn.simulate(gated([0.5 * best, 0.9 * best, best, 1.1 * best, 2.0 * best]), 200.0)
    f, y = result.final("s").values, result.final("s_x_exc.y").values
    np.testing.assert_allclose((f * y).max(), K / (2.0 * np.sqrt(Q / H) + L / H), rtol=1e-8)
    assert np.argmax(f * y) == 2


def test_gates_of_connections_the_jacobian_and_members_side_by_side() -> None:
    gate = brnn.QuadraticGate(H, K, L, Q, per="connection")
    net = brnn.Network(
        "n", [brnn.Layer.additive("s", 2, A=0.7)],
        [brnn.Projection("s", "s", topology=brnn.Dense([[0.1, 0.3], [0.2, 0.4]]), gate=gate)], duration=1.0,
    )  # fmt: skip
    u = np.array([0.6, 0.9, 0.2, 0.4, 0.7, 1.1])
    W, s, y = np.array([[0.1, 0.3], [0.2, 0.4]]), u[:2], u[2:].reshape(2, 2)
    J = np.zeros((6, 6))
    J[:2, :2] = W * y - 0.7 * np.eye(2)
    for i in range(2):
        for k in range(2):
            J[i, 2 + 2 * i + k] = W[i, k] * s[k]
            J[2 + 2 * i + k, k] = -y[i, k] * (L + 2.0 * Q * s[k])
            J[2 + 2 * i + k, 2 + 2 * i + k] = -(H + L * s[k] + Q * s[k] ** 2)
    np.testing.assert_allclose(jacobian(net, 0.0, u), J, rtol=1e-13, atol=1e-15)
    members = [gated([f, 2.0 * f]).replace(duration=2.0) for f in (0.1, 0.7)]
    together = side_by_side(members, "x", [2.0], rtol=1e-9, atol=1e-12)
    for member, found in zip(members, together, strict=True):
        f = member.layers[0].initial
        rate = H + L * f + Q * f**2
        level = H * K / rate
        through = 2.0 * f * (level * 2.0 + (K - level) * (1.0 - np.exp(-2.0 * rate)) / rate)
        np.testing.assert_allclose(found[-1], through, rtol=1e-7)


def test_printed_gate_and_scalar_equations() -> None:
    net = gated([0.5])
    shown = [Text()(equation.right) for equation in equations_of(net).equations if equation.right is not None]
    assert "0.3·(1.5 - s_x_exc.y) - s_x_exc.y·(0.8·s.x + 2.5·s.x·s.x)" in shown
    assert len(scalar_equations(net, duration=1.0).unknowns) == 3
    assert brnn.Network.from_json(net.to_json()) == net


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: brnn.QuadraticGate(H, K, L, -1.0), "QuadraticGate: Q = -1"),
        (lambda: brnn.QuadraticGate(H, 0.0, L, Q), "QuadraticGate: K = 0"),
        (lambda: brnn.QuadraticGate(H, K, L, Q, initial=2.0), "QuadraticGate: initial: has the element 2; every"),
        (lambda: brnn.ClampedLayer("F", 2, A=1.0, B=1.0, initial=[0.1, -0.1]), "ClampedLayer 'F': initial"),
    ],
)
def test_bad_input(make: object, message: str) -> None:
    with pytest.raises(brnn.SpecError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


def clamped(layer: type[brnn.LayerLaw]) -> brnn.Network:
    """x' = -x + 1 for a unit of time, then -x - 2 for three, then -x + 1 for ever."""
    return brnn.Network(
        "clamped",
        [layer("x", 1, A=1.0, B=1.0, C=0.0, E=1.0, F=0.0)],
        stimuli=[brnn.Stimulus("x"), brnn.Stimulus("x", "inhibitory", 3.0, brnn.Pulse(1.0, 4.0))],
        duration=6.0,
    )


def test_a_clamped_cell_rests_at_0_and_rises_at_once() -> None:
    times = np.linspace(0.0, 6.0, 61)
    x = brnn.simulate(clamped(brnn.ClampedLayer), times=times, rtol=1e-8, atol=1e-10)["x.x"].values[:, 0]
    top = 1.0 - np.exp(-1.0)
    falling = (top + 2.0) * np.exp(-(times - 1.0)) - 2.0
    wanted = np.where(times <= 1.0, 1.0 - np.exp(-times), np.maximum(falling, 0.0))
    wanted = np.where(times >= 4.0, 1.0 - np.exp(-(times - 4.0)), wanted)
    np.testing.assert_allclose(x, wanted, atol=1e-6)
    assert x.min() >= -1e-9
    free = brnn.simulate(clamped(brnn.Layer), times=times)["x.x"].values[:, 0]
    assert free.min() < -1.0  # what a signal with a threshold would hide, and the clamp does not


def test_clamped_cells_side_by_side_in_equations_and_in_json() -> None:
    net = clamped(brnn.ClampedLayer)
    found = side_by_side([net, net.with_({"x.A": 2.0})], "x", [6.0], rtol=1e-8, atol=1e-10)[:, -1, 0]
    np.testing.assert_allclose(found, [1.0 - np.exp(-2.0), 0.5 * (1.0 - np.exp(-4.0))], rtol=1e-5)
    assert brnn.Network.from_json(net.to_json()) == net
    (equation,) = equations_of(net).equations
    assert equation.right is not None
    assert "x.x" not in Text()(equation.right)  # one layer: its own name goes without saying
    for x, inh, wanted in ((0.5, 0.0, -1.0), (0.0, 3.0, 0.0), (0.0, 0.0, -1.0)):
        pushed = brnn.Network(
            "n", [net.layers[0].replace(initial=x)], stimuli=[*net.stimuli[:1], brnn.Stimulus("x", "inhibitory", inh)]
        )
        np.testing.assert_allclose(jacobian(pushed, 0.5, np.array([x])), [[wanted]])


def test_a_gain_multiplies_all_excitation() -> None:
    # x' = -A x + (B - x) I (1 + m) - (D + x) J, with m = 0.4 * 0.5 + 0.3
    A, B, D, I, J = 0.4, 2.0, 0.3, 1.2, 0.5
    net = brnn.Network(
        "gain",
        [
            brnn.ModulatedLayer("x", 2, A=A, B=B, D=D, initial=[0.0, 0.2]),
            brnn.Layer.additive("m", 2, A=0.0, initial=[0.5, 0.5]),
        ],
        [brnn.Projection("m", "x", "modulatory", topology=brnn.OneToOne(0.4))],
        [
            brnn.Stimulus("x", pattern=[I, 0.0]),
            brnn.Stimulus("x", "inhibitory", J),
            brnn.Stimulus("x", "modulatory", 0.3),
        ],
    )
    result = brnn.simulate(net, 1.3, rtol=1e-10, atol=1e-12)
    exc = np.array([1.5 * I, 0.0])
    rate = A + exc + J
    level = (B * exc - D * J) / rate
    wanted = level + (np.array([0.0, 0.2]) - level) * np.exp(-1.3 * rate)
    np.testing.assert_allclose(result.final("x"), wanted, rtol=1e-8)
    right = {Text()(e.state): Text()(e.right) for e in equations_of(net).equations if e.right is not None}["x.x[i]"]
    assert "x.I[i]·max(1 + x.M[i] + 0.4·m.x[i], 0)" in right
    J_x = jacobian(net, 0.0, np.array([0.3, 0.4, 0.5, 0.5]))
    np.testing.assert_allclose(J_x[0], [-(A + 1.5 * I + J), 0.0, 0.4 * (B - 0.3) * I, 0.0], rtol=1e-13)
