"""Modulatory input: GatedLayer against closed forms, and STORE (40)-(42) against its recursion."""

from __future__ import annotations

import numpy as np
import pytest

import brnn


def store(n: int, A: float, on: float = 60.0, gap: float = 60.0) -> brnn.Network:
    """STORE (41), (42), each item shown once; the total input I comes from the stimuli."""
    items = brnn.Sequence(np.arange(n), on, gap)
    return brnn.Network(
        "store",
        [brnn.GatedLayer.store("x", n), brnn.GatedLayer.store_trace("y", n)],
        [
            brnn.Projection("y", "x"),
            brnn.Projection("x", "x", "inhibitory", topology=brnn.AllToAll()),
            brnn.Projection("x", "y"),
        ],
        [
            brnn.Stimulus("x", "excitatory", A * np.eye(n), items),
            brnn.Stimulus("x", "modulatory", np.ones((n, n)), items),
            brnn.Stimulus("y", "modulatory", np.ones((n, n)), items),
        ],
        duration=n * (on + gap),
    )


@pytest.mark.parametrize("A", [0.05, 0.3, 1.5])
@pytest.mark.parametrize("solver", ["auto", "ROS34PW2"])
def test_store_recursion(A: float, solver: str) -> None:
    total, expected = 0.0, np.empty(0)
    for _ in range(5):
        total = np.sqrt(A + total)
        expected = np.append(expected / total, A / total)
    found = brnn.simulate(store(5, A), solver=solver).final("x")
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_a_shut_gate_keeps_the_state_to_the_last_bit() -> None:
    layer = brnn.GatedLayer("F", 3, A=1.0, B=2.0, initial=[0.1, 0.2, 0.3])
    network = brnn.Network("shut", [layer], [], [brnn.Stimulus("F", pattern=5.0)])
    found = brnn.simulate(network, 10.0)["F.x"]
    assert (found == np.array([0.1, 0.2, 0.3])).all()


@pytest.mark.parametrize(("rest", "gain"), [(0.0, 1.0), (0.5, 2.0), (1.0, -0.4), (1.0, -3.0)])
def test_speed_is_set_by_the_gate(rest: float, gain: float) -> None:
    # dx/dt = g (-A x + (B - C x) I - (E + F x) J), g = max(rest + gain m, 0), m from a command cell and a stimulus
    A, B, C, E, F, I, J, command, more = 0.3, 2.0, 0.7, 0.4, 0.5, 1.1, 0.6, 0.25, 0.5
    network = brnn.Network(
        "paced",
        [
            brnn.GatedLayer("F", 4, A, B, C, E, F, initial=0.2, rest=rest, gain=gain),
            brnn.Layer.additive("command", 1, A=0.0, initial=command),
        ],
        [brnn.Projection("command", "F", "modulatory", topology=brnn.AllToAll(3.0))],
        [
            brnn.Stimulus("F", pattern=I),
            brnn.Stimulus("F", "inhibitory", pattern=J),
            brnn.Stimulus("F", "modulatory", pattern=more),
        ],
    )
    g = max(rest + gain * (3.0 * command + more), 0.0)
    rate = A + C * I + F * J
    level = (B * I - E * J) / rate
    found = brnn.simulate(network, 3.0, rtol=1e-10, atol=1e-12)["F.x"]
    expected = level + (0.2 - level) * np.exp(-g * rate * found["time"].to_numpy())
    np.testing.assert_allclose(found, np.repeat(expected[:, None], 4, axis=1), atol=1e-9)


def test_a_movement_ends_at_its_target_and_the_go_signal_sets_its_time() -> None:
    # dP/dt = G (T - P): P = T (1 - exp(-G t)), the same path at another speed
    paths = []
    for go in (1.0, 4.0):
        network = brnn.Network(
            "go",
            [brnn.GatedLayer("P", 1, A=0.0, B=1.0, C=0.0, E=1.0, F=0.0)],
            [brnn.Projection("P", "P", "inhibitory")],
            [brnn.Stimulus("P", pattern=2.0), brnn.Stimulus("P", "modulatory", go)],
        )
        times = np.linspace(0.0, 8.0 / go, 50)
        paths.append(brnn.simulate(network, 8.0 / go, times=times, rtol=1e-10, atol=1e-12)["P.x"].to_numpy())
        np.testing.assert_allclose(paths[-1][:, 0], 2.0 * (1.0 - np.exp(-go * times)), atol=1e-9)
    np.testing.assert_allclose(paths[0], paths[1], atol=1e-9)


def test_json() -> None:
    network = store(3, 0.3)
    assert brnn.Network.from_json(network.to_json()) == network
    assert [p.name for p in network.projections] == ["y_x_exc", "x_x_inh", "x_y_exc"]
    assert brnn.Projection("a", "b", "modulatory").name == "a_b_mod"


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"stimuli": [brnn.Stimulus("F", "modulatory")]}, "takes excitatory and inhibitory input only"),
        ({"projections": [brnn.Projection("F", "F", "modulatory")]}, "takes excitatory and inhibitory input only"),
        ({"stimuli": [brnn.Stimulus("G", "modulatory", -1.0)]}, "negative element -1; the modulatory input"),
        ({"stimuli": [brnn.Stimulus("G", schedule=brnn.WhiteNoise())]}, "white noise cannot drive a GatedLayer"),
    ],
)
def test_bad_input(parts: dict, message: str) -> None:
    layers = [brnn.Layer.shunting("F", 2, A=1.0, B=1.0), brnn.GatedLayer("G", 2, A=1.0, B=1.0)]
    with pytest.raises(brnn.SpecError, match=message) as caught:
        brnn.Network("bad", layers, **parts)
    assert "\n" not in str(caught.value)
    with pytest.raises(brnn.SpecError, match="did you mean 'modulatory'"):
        brnn.Stimulus("G", "modulator")
