"""Gates and learning laws: the compiled right-hand side against the equations written with full matrices."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse
from reference import in_python

import brnn
from brnn.compiler import compile_network

f = brnn.Sigmoid(gain=2.0, half=0.5)
h = brnn.Linear(0.7)
g = brnn.Saturating(1.5, 0.4)
N, M = 4, 3
LAWS = {
    "Outstar": (brnn.Outstar(0.3, sampling=g, sampled=h), lambda z, s, t: 0.3 * g(s)[None, :] * (h(t)[:, None] - z)),
    "Instar": (brnn.Instar(0.3, sampling=g, sampled=h), lambda z, s, t: 0.3 * g(t)[:, None] * (h(s)[None, :] - z)),
    "PassiveDecay": (brnn.PassiveDecay(0.3, decay=0.2), lambda z, s, t: 0.3 * np.outer(f(t), f(s)) - 0.2 * z),
    "DoublyGated": (
        brnn.DoublyGated(0.3, sampling=g, sampled=h),
        lambda z, s, t: 0.3 * np.outer(f(t), g(s)) * (h(t)[:, None] - z),
    ),
    "SelfNormalizing": (
        brnn.SelfNormalizing(0.3, sampling=g, sampled=h),
        lambda z, s, t: 0.3 * g(t)[:, None] * ((1 - z) * h(s)[None, :] - z * (h(s).sum() - h(s))[None, :]),
    ),
}


def matrix_of(kind: str, rng: np.random.Generator) -> tuple[brnn.Topology, np.ndarray, int]:
    """Return a topology, its matrix W, and how many target cells it has."""
    if kind == "AllToAll":
        return brnn.AllToAll(0.8), np.full((M, N), 0.8), M
    if kind == "Dense":
        W = rng.random((M, N))
        return brnn.Dense(W), W, M
    if kind == "Sparse":
        W = rng.random((M, N)) * (rng.random((M, N)) < 0.6)
        return brnn.Sparse(scipy.sparse.csr_array(W)), W, M
    if kind == "AllButSelf":
        return brnn.AllButSelf(0.8), 0.8 * (1 - np.eye(N)), N
    return brnn.OneToOne(0.8), 0.8 * np.eye(N), N


def entries(kind: str, W: np.ndarray) -> np.ndarray:
    """Return which elements of W are states, as a mask."""
    if kind == "Sparse":
        return W != 0
    return np.eye(N, dtype=bool) if kind == "OneToOne" else np.ones_like(W, dtype=bool)


TOPOLOGIES = ["Dense", "Sparse", "AllToAll", "AllButSelf", "OneToOne"]
COMBINATIONS = [
    *[(law, "Dense", "none") for law in LAWS],
    *[("SelfNormalizing", topology, "source") for topology in TOPOLOGIES],
    *[("none", topology, "connection") for topology in TOPOLOGIES],
    *[("Outstar", topology, "connection") for topology in ("Dense", "Sparse")],
    ("none", "Dense", "source"),
    ("none", "AllButSelf", "source"),
]


# Each law, topology and kind of gate is compiled once; of all other combinations Python runs the generated text.
COMPILED = [
    ("Outstar", "Dense", "connection"),
    ("Instar", "Sparse", "source"),
    ("PassiveDecay", "OneToOne", "none"),
    ("SelfNormalizing", "AllButSelf", "connection"),
    ("DoublyGated", "AllToAll", "source"),
]


@pytest.mark.parametrize(
    ("law", "topology", "gated", "compiled"),
    [(*names, False) for names in COMBINATIONS] + [(*names, True) for names in COMPILED],
)
def test_rhs_with_gates_and_weights(law: str, topology: str, gated: str, compiled: bool) -> None:
    rng = np.random.default_rng(7)
    top, W, targets = matrix_of(topology, rng)
    mask = entries(topology, W)
    learning, learn = LAWS.get(law, (None, None))
    gate = None if gated == "none" else brnn.HabituativeGate(H=0.5, K=2.0, L=1.5, per=gated)
    network = brnn.Network(
        "plastic",
        [brnn.Layer.shunting("a", N, A=1.0, B=2.0), brnn.Layer.additive("b", targets, A=0.5)],
        [brnn.Projection("a", "b", "inhibitory", f, top, gate=gate, learning=learning)],
    )
    system = compile_network(network)
    u = rng.uniform(0.1, 1.0, system.size)
    s, t = u[:N], u[N : N + targets]
    place = N + targets
    y = np.ones(N)
    Y = np.zeros((targets, N))
    if gated == "source":
        y = u[place : place + N]
        place += N
    if gated == "connection":
        Y[mask] = u[place : place + mask.sum()]
        place += mask.sum()
    Z = np.ones((targets, N))
    if learning is not None:
        Z[mask] = u[place:]
    weights = W * Z * (Y if gated == "connection" else y[None, :])
    expected = [-1.0 * s, -0.5 * t - weights @ f(s)]
    if gated == "source":
        expected.append(0.5 * (2.0 - y) - 1.5 * f(s) * y)
    if gated == "connection":
        expected.append((0.5 * (2.0 - Y) - 1.5 * f(s)[None, :] * Y)[mask])
    if learning is not None:
        expected.append(learn(Z, s, t)[mask])
    rhs = system.rhs(0.0) if compiled else in_python(system, 0.0)
    np.testing.assert_allclose(rhs(0.0, u), np.concatenate(expected), rtol=1e-12, atol=1e-14)


def test_learning_windows_multiply_the_rate() -> None:
    schedules = {
        "Pulse": brnn.Pulse(1.0, 2.0),
        "Ramp": brnn.Ramp(0.0, 2.0),
        "Samples": brnn.Samples([0, 2], [1.0, 3.0]),
    }
    for schedule, factor in ((schedules["Pulse"], 1.0), (schedules["Ramp"], 0.75), (schedules["Samples"], 2.5)):
        network = brnn.Network(
            "windows",
            [brnn.Layer.additive("a", 2, A=1.0)],
            [
                brnn.Projection(
                    "a", "a", "excitatory", h, brnn.AllToAll(), learning=brnn.Outstar(2.0, schedule=schedule)
                )
            ],
        )
        system = compile_network(network)
        u = np.array([0.3, 0.6, 0.1, 0.2, 0.3, 0.4])
        s, z = u[:2], u[2:].reshape(2, 2)
        expected = 2.0 * factor * (0.7 * s)[None, :] * (s[:, None] - z)
        np.testing.assert_allclose(system.rhs(1.5)(1.5, u)[2:], expected.ravel(), rtol=1e-13)
    assert network.breaks(5.0).tolist() == [2.0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: brnn.HabituativeGate(-1, 1, 1), "HabituativeGate: H = -1: must be a number > 0"),
        (lambda: brnn.HabituativeGate(1, 1, -1), "HabituativeGate: L = -1: must be a number >= 0"),
        (lambda: brnn.HabituativeGate(1, 1, 1, per="cell"), "must be one of source, connection"),
        (lambda: brnn.HabituativeGate(1, 1, 1, initial=2), "must be <= K"),
        (lambda: brnn.Outstar(-0.1), "Outstar: rate = -0.1: must be a number >= 0"),
        (lambda: brnn.Instar(1, sampled="x"), "Instar: sampled = 'x'"),
        (lambda: brnn.Instar(1, schedule=brnn.Sine(1, 2, 1)), "a rate must be >= 0"),
        (lambda: brnn.Outstar(1, initial=[np.nan]), "must be finite"),
    ],
)
def test_bad_gates_and_laws_are_refused_in_one_line(make, says) -> None:
    with pytest.raises(brnn.SpecError) as caught:
        make()
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_law_needs_single_connections() -> None:
    layer = brnn.Layer.shunting("a", 5, 1, 1)
    for part in ({"learning": brnn.Outstar(1)}, {"gate": brnn.HabituativeGate(1, 1, 1, per="connection")}):
        with pytest.raises(brnn.SpecError, match="GaussianKernel"):
            brnn.Network("n", [layer], [brnn.Projection("a", "a", "excitatory", f, brnn.GaussianKernel(), **part)])
    with pytest.raises(brnn.SpecError, match="must have 25 elements"):
        brnn.Network(
            "n",
            [layer],
            [brnn.Projection("a", "a", topology=brnn.AllToAll(), learning=brnn.Outstar(1, initial=np.ones(3)))],
        )
