"""Methods beside equations that are written here, not generated: the exponential method, and weights by factors.

Each network is two layers a (5 cells) and b (3 cells); SciPy integrates the same equations at far smaller tolerances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
from numba import njit
from scipy.integrate import solve_ivp

import brnn
from brnn.integrate import weights

Parts = dict[str, np.ndarray]
Slope = Callable[[float, Parts], Parts]

RNG = np.random.default_rng(5)
I, J = RNG.uniform(0.2, 1.0, 5), RNG.uniform(0.0, 0.5, 3)
X, Y = RNG.uniform(0.1, 0.9, 5), RNG.uniform(0.1, 0.9, 3)
UP, DOWN, AMONG = RNG.uniform(0.0, 1.0, (3, 5)), RNG.uniform(0.0, 1.0, (5, 3)), RNG.uniform(0.0, 1.0, (5, 5))
SIGNAL = brnn.Sigmoid(1.5, 0.5, 2)
LAYERS = [brnn.Layer.shunting("a", 5, 1.0, 2.0, D=0.3, initial=X), brnn.Layer.shunting("b", 3, 0.7, 1.0, initial=Y)]
INPUTS = [
    brnn.Stimulus("a", "excitatory", I),
    brnn.Stimulus("b", "excitatory", J, brnn.Sine(1.0, amplitude=0.5, mean=0.5)),
]
TIMES = np.array([0.02, 0.3, 0.9, 2.0, 4.0])


def f(x: np.ndarray) -> np.ndarray:
    w = np.maximum(x, 0.0) ** 2
    return 1.5 * w / (0.25 + w)


def swing(t: float) -> float:
    """Return the factor of the input of b: mean 0.5, amplitude 0.5, frequency 1."""
    return 0.5 + 0.5 * np.sin(2.0 * np.pi * t)


def link(source: str, target: str, kind: str, topology: Any, **more: Any) -> brnn.Projection:
    return brnn.Projection(source, target, kind, SIGNAL, topology, **more)


def instar() -> tuple[brnn.Network, Slope]:
    """Return signals that are gated by transmitter and weighed by learned weights: b samples what a does."""
    up = link(
        "a", "b", "excitatory", brnn.AllToAll(0.4), name="up", gate=brnn.HabituativeGate(0.2, 1.0, 1.5),
        learning=brnn.Instar(0.8, initial=UP),
    )  # fmt: skip
    network = brnn.Network("instar", LAYERS, [up, link("b", "a", "inhibitory", brnn.AllToAll(0.5))], INPUTS)

    def slope(t: float, u: Parts) -> Parts:
        a, b, y, z = u["a.x"], u["b.x"], u["up.y"], u["up.z"]
        return {
            "a.x": -a + (2.0 - a) * I - (0.3 + a) * 0.5 * f(b).sum(),
            "b.x": -0.7 * b + (1.0 - b) * (swing(t) * J + 0.4 * z @ (f(a) * y)),
            "up.y": 0.2 * (1.0 - y) - 1.5 * f(a) * y,
            "up.z": 0.8 * f(b)[:, None] * (a[None, :] - z),
        }

    return network, slope


def outstar() -> tuple[brnn.Network, Slope]:
    """Return weights that go down, sampled by their source, and inhibition that learns by correlation and decays."""
    projections = [
        link("b", "a", "excitatory", brnn.AllToAll(0.3), name="down", learning=brnn.Outstar(0.6, initial=DOWN)),
        link(
            "a", "a", "inhibitory", brnn.AllButSelf(0.2), name="among",
            learning=brnn.PassiveDecay(0.5, decay=0.3, initial=AMONG),
        ),
        link("a", "b", "excitatory", brnn.AllToAll(0.2)),
    ]  # fmt: skip

    def slope(t: float, u: Parts) -> Parts:
        a, b, z, w = u["a.x"], u["b.x"], u["down.z"], u["among.z"]
        inhibition = 0.2 * (w @ f(a) - w.diagonal() * f(a))
        return {
            "a.x": -a + (2.0 - a) * (I + 0.3 * z @ f(b)) - (0.3 + a) * inhibition,
            "b.x": -0.7 * b + (1.0 - b) * (swing(t) * J + 0.2 * f(a).sum()),
            "down.z": 0.6 * f(b)[None, :] * (a[:, None] - z),
            "among.z": 0.5 * f(a)[None, :] * f(a)[:, None] - 0.3 * w,
        }

    return brnn.Network("outstar", LAYERS, projections, INPUTS), slope


def rivals() -> tuple[brnn.Network, Slope]:
    """Return weights among the cells of one layer, each of which samples what the others do."""
    among = link("a", "a", "inhibitory", brnn.AllButSelf(0.4), name="among", learning=brnn.Instar(0.9, initial=AMONG))
    projections = [among, link("a", "a", "excitatory", brnn.OneToOne()), link("a", "b", "inhibitory", brnn.AllToAll())]

    def slope(t: float, u: Parts) -> Parts:
        a, b, w = u["a.x"], u["b.x"], u["among.z"]
        inhibition = 0.4 * (w @ f(a) - w.diagonal() * f(a))
        return {
            "a.x": -a + (2.0 - a) * (I + f(a)) - (0.3 + a) * inhibition,
            "b.x": -0.7 * b + (1.0 - b) * swing(t) * J - b * f(a).sum(),
            "among.z": 0.9 * f(a)[:, None] * (a[None, :] - w),
        }

    return brnn.Network("rivals", LAYERS, projections, INPUTS), slope


def bright() -> tuple[brnn.Network, Slope]:
    """Return a field with inputs of very different size and gates: each cell has a rate of its own."""
    pattern = np.array([0.3, 3.0, 30.0, 300.0, 0.0])
    gated = link("a", "b", "excitatory", brnn.Dense(UP), name="gated", gate=brnn.HabituativeGate(0.5, 1.0, 20.0))
    network = brnn.Network(
        "bright", LAYERS, [gated, link("a", "a", "inhibitory", brnn.Dense(AMONG))],
        [brnn.Stimulus("a", "excitatory", pattern), INPUTS[1]],
    )  # fmt: skip

    def slope(t: float, u: Parts) -> Parts:
        a, b, y = u["a.x"], u["b.x"], u["gated.y"]
        return {
            "a.x": -a + (2.0 - a) * pattern - (0.3 + a) * (AMONG @ f(a)),
            "b.x": -0.7 * b + (1.0 - b) * (swing(t) * J + UP @ (f(a) * y)),
            "gated.y": 0.5 * (1.0 - y) - 20.0 * f(a) * y,
        }

    return network, slope


def worst(network: brnn.Network, slope: Slope, solver: str, rtol: float) -> float:
    """Return the largest error of an unknown in units of its tolerance, from its largest size."""
    result = brnn.simulate(network, TIMES[-1], times=TIMES, solver=solver, rtol=rtol)
    start = {name: np.asarray(result[name].values[0]) for name in result}
    shapes = {name: part.shape for name, part in start.items()}
    given = {"a.x": X, "b.x": Y, "up.z": UP, "down.z": DOWN, "among.z": AMONG}
    begin = np.concatenate([np.ravel(given.get(name, np.ones(shape))) for name, shape in shapes.items()])

    def parts(u: np.ndarray) -> Parts:
        found, at = {}, 0
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            found[name], at = u[at : at + size].reshape(shape), at + size
        return found

    def flat(t: float, u: np.ndarray) -> np.ndarray:
        there = slope(t, parts(u))
        return np.concatenate([np.ravel(there[name]) for name in shapes])

    exact = solve_ivp(flat, (0.0, TIMES[-1]), begin, "LSODA", t_eval=TIMES, rtol=1e-11, atol=1e-13).y.T
    found = np.concatenate([result[name].values.reshape(TIMES.size, -1) for name in shapes], axis=1)
    for name, part in parts(np.arange(exact.shape[1])).items():
        if name == "among.z":  # what a cell would send to itself is not used, and may be anything
            kept = np.ravel(part.diagonal()).astype(int)
            found[:, kept] = exact[:, kept]
    return float(np.max(np.abs(found - exact) / (1e-9 + rtol * np.abs(exact).max(axis=0))))


@pytest.mark.parametrize("rtol", [1e-4, 1e-7])
@pytest.mark.parametrize("make", [instar, outstar, rivals])
def test_weights_by_factors(make: Callable[[], tuple[brnn.Network, Slope]], rtol: float, monkeypatch: Any) -> None:
    monkeypatch.setattr(weights, "_LEAST", 0)
    network, slope = make()
    assert weights.by_factors(network)[0]
    assert worst(network, slope, "RK45", rtol) <= 10.0


@pytest.mark.parametrize("rtol", [1e-4, 1e-7])
@pytest.mark.parametrize("make", [bright, instar, outstar])
def test_the_exponential_method(make: Callable[[], tuple[brnn.Network, Slope]], rtol: float) -> None:
    assert worst(*make(), "ETD4", rtol) <= 10.0


@pytest.mark.parametrize("w", [-1e-9, -0.3, -0.69, -0.71, -1.3, -5.0, -40.0, -1e4])
def test_the_functions_of_the_exponential_method(w: float) -> None:
    """phi_1 = (e^w - 1)/w, phi_k+1 = (phi_k - 1/k!)/w, here with 60 digits; those of 2 w follow from those of w."""
    from brnn.integrate.steppers.exponential_steps import _phi, _whole

    @njit  # these functions are there for compiled code alone
    def found_at(w: float) -> tuple[tuple[float, float, float], tuple[float, float, float]]:
        at_half = _phi(w)
        return at_half, _whole(2.0 * w, *at_half)

    at_half, whole = found_at(w)
    with mpmath.workdps(60):

        def exact(z: float) -> list[float]:
            found = [mpmath.expm1(mpmath.mpf(z)) / z]
            for k in (1, 2):
                found.append((found[-1] - 1 / mpmath.factorial(k)) / z)
            return [float(value) for value in found]

        np.testing.assert_allclose(at_half, exact(w), rtol=1e-14)
        np.testing.assert_allclose(whole, exact(2.0 * w), rtol=1e-13)
