"""Liapunov functions beside (33) written out with SciPy's quadrature, and what is refused with which words."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sparse
from scipy.integrate import quad

import brnn
from brnn import (
    AllButSelf,
    AllToAll,
    Dense,
    Function,
    Layer,
    Linear,
    Logistic,
    Network,
    OneToOne,
    PassiveDecay,
    Projection,
    Saturating,
    Sigmoid,
    Stimulus,
)
from brnn.errors import InputError
from brnn.theory import liapunov
from brnn.theory.liapunov_functions.antiderivative import Antiderivative
from brnn.theory.liapunov_functions.coupling import CouplingBlock

RNG = np.random.default_rng(33)
SYMMETRIC = np.array([[0.3, 1.2, -0.7], [1.2, 0.0, 0.4], [-0.7, 0.4, -0.5]])
POSITIVE = np.abs(SYMMETRIC)
TANH = Function("tanh(w)")


def integral(b: Callable[[float], float], slope: Callable[[float], float], x: float, start: float = 0.0) -> float:
    return quad(lambda s: b(s) * slope(s), start, x, epsabs=1e-13, epsrel=1e-13, limit=400)[0]


def one_layer(layer: Any, *projections: Any, I: Any = None, J: Any = None) -> Network:
    stimuli = [
        Stimulus("F", kind, value) for kind, value in (("excitatory", I), ("inhibitory", J)) if value is not None
    ]
    return Network("test", [layer], projections, stimuli)


def inhibition(signal: brnn.Signal, topology: brnn.Topology) -> Projection:
    return Projection("F", "F", "inhibitory", signal, topology)


def excitation(signal: brnn.Signal, topology: brnn.Topology) -> Projection:
    return Projection("F", "F", "excitatory", signal, topology)


def change(network: Network, states: np.ndarray) -> np.ndarray:
    """Return dV/dt from five-point differences along the compiled right-hand side."""
    L = liapunov(network)
    fun = brnn.compile_network(network).rhs(L.since + 1.0)
    rows = []
    for u in states:
        v = fun(0.0, u)
        h = 1e-4 / max(1.0, float(np.abs(v).max()))
        V = [L.V(u + k * h * v) for k in (-2, -1, 1, 2)]
        rows.append((V[0] - 8 * V[1] + 8 * V[2] - V[3]) / (12 * h))
    return np.array(rows)


# V is (33) -----------------------------------------------------------------------------------------------------


def test_cohen_grossberg_by_quadrature() -> None:
    I = np.array([0.3, -0.2, 1.0])
    layer = brnn.CohenGrossbergLayer("F", 3, Function("1 + w**2"), Function("-2*w + sin(w)"))
    L = liapunov(one_layer(layer, inhibition(TANH, Dense(SYMMETRIC)), I=I))
    for x in RNG.normal(scale=2.0, size=(4, 3)):
        d = np.tanh(x)
        expected = 0.5 * d @ SYMMETRIC @ d
        for i in range(3):
            expected -= integral(lambda s, i=i: -2 * s + np.sin(s) + I[i], lambda s: 1 / np.cosh(s) ** 2, x[i])
        assert L.V(x) == pytest.approx(expected, abs=1e-12)


def test_lotka_volterra_in_closed_form() -> None:
    """With d = x and b = r - x, V is the quadratic form -sum r x + x (1 + c) x/2."""
    r = np.array([1.0, 0.8, 1.1])
    layer = brnn.CohenGrossbergLayer("F", 3, Function("w"), Function("-w"))
    L = liapunov(one_layer(layer, inhibition(Linear(), Dense(POSITIVE)), I=r))
    x = RNG.uniform(0, 2, size=(5, 3))
    expected = -x @ r + 0.5 * np.einsum("ti,ij,tj->t", x, np.eye(3) + POSITIVE, x)
    np.testing.assert_allclose(L.V(x), expected, atol=1e-13)
    speed = x * (r - x @ (np.eye(3) + POSITIVE))
    np.testing.assert_allclose(L.derivative(x), -(speed**2 / x).sum(axis=1), rtol=1e-12)


@pytest.mark.parametrize("D", [0.0, 0.6])
@pytest.mark.parametrize("signal", [Sigmoid(1.5, 0.4, 2.0), Saturating(2.0, 0.5), Linear(0.7), Logistic(1.0, 3.0, 0.5)])
def test_shunting_by_quadrature(D: float, signal: brnn.Signal) -> None:
    """Differences of V between states: with silent inhibition and an input the integrals from 0 are infinite."""
    A, B = np.array([0.5, 1.0, 0.2]), 2.0
    I, J = np.array([0.4, 0.0, 0.1]), np.array([0.2, 0.3, 0.0])
    own = Sigmoid(3.0, 0.5, 2.0)
    network = one_layer(
        Layer.shunting("F", 3, A=A, B=B, D=D),
        excitation(own, OneToOne(0.8)),
        inhibition(signal, Dense(POSITIVE)),
        I=I,
        J=J,
    )
    L = liapunov(network)
    low, high = RNG.uniform(0.05, 0.3, 3), RNG.uniform(0.8, 1.9, 3)
    one, two = signal(low), signal(high)
    expected = 0.5 * (two @ POSITIVE @ two - one @ POSITIVE @ one)
    for i in range(3):

        def b(s: float, i: int = i) -> float:
            return (-A[i] * s + (B - s) * (I[i] + 0.8 * own(s))) / (D + s) - J[i]

        expected -= integral(b, signal.derivative, high[i], low[i])
    assert L.V(high) - L.V(low) == pytest.approx(expected, abs=1e-11)
    states = RNG.uniform(0.05, 1.9, size=(6, 3))
    np.testing.assert_allclose(L.derivative(states), change(network, states), rtol=1e-7, atol=1e-8)


def test_bam_by_quadrature() -> None:
    """L = -sum f z g + sum z^2/2 + sum int s f'(s) ds - sum I f - sum J g."""
    I, J = np.array([0.5, -0.3]), np.array([1.0, 0.2, -0.4])
    z0 = RNG.normal(size=(3, 2))
    network = bam(TANH, TANH, z0, z0.T, I=I, J=J)
    L = liapunov(network)
    x, y, z = RNG.normal(size=2), RNG.normal(size=3), RNG.normal(size=(3, 2))
    f, g = np.tanh(x), np.tanh(y)
    slope = 2 * sum(integral(lambda s: 0.5 * s, lambda s: 1 / np.cosh(s) ** 2, v) for v in (*x, *y))
    expected = -g @ z @ f + 0.5 * (z**2).sum() + slope - I @ f - J @ g
    u = np.concatenate([x, y, z.ravel(), z.T.ravel()])
    assert L.V(u) == pytest.approx(expected, abs=1e-12)
    dx, dy, dz = -x + g @ z + I, -y + z @ f + J, -z + np.outer(g, f)
    rate = -((1 - f**2) * dx**2).sum() - ((1 - g**2) * dy**2).sum() - (dz**2).sum()
    assert L.derivative(u) == pytest.approx(rate, rel=1e-12)


def bam(
    f: brnn.Signal, g: brnn.Signal, z: Any, back: Any, law: dict[str, Any] | None = None, I: Any = 0.0, J: Any = 0.0
) -> Network:
    """Return an adaptive BAM of 2 and 3 cells; `law` changes the law of the way back."""
    there = PassiveDecay(sampled=g, initial=z)
    here = PassiveDecay(**{"sampled": f, "initial": back, **(law or {})})
    return Network(
        "bam",
        [Layer.additive("X", 2, A=1.0), Layer.additive("Y", 3, A=1.0)],
        [
            Projection("X", "Y", "excitatory", f, AllToAll(), learning=there),
            Projection("Y", "X", "excitatory", g, AllToAll(), learning=here),
        ],
        [Stimulus("X", "excitatory", I), Stimulus("Y", "excitatory", J)],
    )


def test_learning_with_gains_rates_and_a_layer_of_its_own() -> None:
    z = RNG.normal(size=(3, 2))
    rates = {"rate": 0.7, "decay": 0.3}
    network = bam(Logistic(1.0), Sigmoid(1.0), z, z.T, rates)
    both = [p.replace(learning=p.learning.replace(**rates)) for p in network.projections]
    network = network.replace(projections=both)
    u = np.concatenate([RNG.uniform(0.1, 1.0, 5), z.ravel(), z.T.ravel()])[None]
    np.testing.assert_allclose(liapunov(network).derivative(u), change(network, u), rtol=1e-8)
    own = z[:2] + z[:2].T
    alone = one_layer(
        Layer.additive("F", 2, A=1.0),
        Projection("F", "F", "excitatory", Logistic(2.0), AllButSelf(0.5), learning=PassiveDecay(0.6, initial=own)),
    )
    u = np.concatenate([RNG.normal(size=2), own.ravel()])[None]
    np.testing.assert_allclose(liapunov(alone).derivative(u), change(alone, u), rtol=1e-8)


def test_sparse_weights_learn_in_pairs() -> None:
    W = sparse.csr_array(np.array([[0.0, 0.5], [0.3, 0.0], [1.0, 0.2]]))
    there = PassiveDecay(initial=np.array([0.1, 0.2, 0.3, 0.4]))  # rows of W: (0,1) (1,0) (2,0) (2,1)
    back = PassiveDecay(initial=np.array([0.2, 0.3, 0.1, 0.4]))  # rows of W.T: (0,1) (0,2) (1,0) (1,2)
    network = Network(
        "sparse",
        [Layer.additive("X", 2, A=1.0), Layer.additive("Y", 3, A=1.0)],
        [
            Projection("X", "Y", "excitatory", TANH, brnn.Sparse(W), learning=there),
            Projection("Y", "X", "excitatory", TANH, brnn.Sparse(W.T), learning=back),
        ],
    )
    u = np.concatenate([RNG.normal(size=5), there.initial, back.initial])[None]
    np.testing.assert_allclose(liapunov(network).derivative(u), change(network, u), rtol=1e-8)


def test_topologies_agree() -> None:
    """The same coefficients as a uniform, a dense and a sparse matrix, on a layer of two dimensions."""
    x = RNG.uniform(0.1, 1.5, size=(4, 6))
    values = []
    c = 0.7 * (1 - np.eye(6))
    for topology in (AllButSelf(0.7), Dense(c), brnn.Sparse(sparse.csr_array(c))):
        layer = Layer.shunting("F", (2, 3), A=1.0, B=2.0)
        network = one_layer(layer, excitation(Sigmoid(), OneToOne()), inhibition(Sigmoid(), topology))
        values.append([liapunov(network).V(x), liapunov(network).derivative(x)])
    np.testing.assert_allclose(values[1:], [values[0]] * 2, rtol=1e-13)


def test_membrane_is_a_shunting_layer() -> None:
    """The membrane equation (20) with V = 100 x - 60: 1.1 >= x >= -0.2."""
    G = POSITIVE
    own, send = Logistic(1.0, 0.1, -40.0), Logistic(0.5, 0.2, -50.0)
    membrane = brnn.MembraneLayer("F", 3, C=2.0, V_plus=50.0, V_minus=-80.0, V_p=-60.0, g_p=0.4)
    network = one_layer(membrane, excitation(own, OneToOne()), inhibition(send, Dense(G)), I=0.3, J=[0.1, 0.2, 0.0])
    V = RNG.uniform(-75.0, 40.0, size=(5, 3))
    # V is rounded to 1e-16, and `change` divides by 2e-6 of the unit of time.
    np.testing.assert_allclose(liapunov(network).derivative(V), change(network, V), rtol=1e-7, atol=1e-9)


def test_cooperation_is_of_the_form_too() -> None:
    layer = Layer.shunting("F", 3, A=0.5, B=2.0, D=0.3)
    network = one_layer(
        layer, excitation(Sigmoid(), Dense(POSITIVE)), inhibition(Saturating(), OneToOne(0.4)), I=0.1, J=0.2
    )
    x = RNG.uniform(0.05, 1.9, size=(5, 3))
    np.testing.assert_allclose(liapunov(network).derivative(x), change(network, x), rtol=1e-8)


def test_excitation_and_inhibition_that_are_symmetric_with_their_factors() -> None:
    """B_i w_ij is symmetric, w_ij is not: a_i is 1 here, not B_i, by which only excitation could be divided."""
    B = np.array([2.0, 3.0, 1.0])
    layer = Layer("F", (3,), A=1.0, B=B, C=0.0, E=1.0, F=0.0)
    weights = (POSITIVE + POSITIVE.T) / B[:, None]
    network = one_layer(layer, excitation(TANH, Dense(weights)), inhibition(TANH, AllButSelf(0.3)), I=0.2)
    x = RNG.uniform(-1.0, 1.0, size=(5, 3))
    np.testing.assert_allclose(liapunov(network).derivative(x), change(network, x), rtol=1e-8)


def test_layers_may_differ_by_a_factor() -> None:
    """Weights over the number of sending cells are symmetric only after one layer's equations are scaled."""
    M = RNG.normal(size=(3, 2))
    network = Network(
        "scaled",
        [Layer.additive("X", 2, A=1.0), Layer.additive("Y", 3, A=0.7)],
        [
            Projection("X", "Y", "excitatory", TANH, Dense(M / 2)),
            Projection("Y", "X", "excitatory", Logistic(2.0), Dense(M.T / 3)),
        ],
    )
    L = liapunov(network)
    assert L.scales == {"X": 1.0, "Y": pytest.approx(2 / 3)}
    u = RNG.normal(size=(5, 5))
    np.testing.assert_allclose(L.derivative(u), change(network, u), rtol=1e-8)


def test_one_signal_may_serve_several_topologies() -> None:
    """The same signal in a uniform and a dense topology, and in a uniform one beside learned weights."""
    d = Sigmoid()
    layer = Layer.shunting("F", 3, A=1.0, B=2.0)
    network = one_layer(layer, excitation(d, OneToOne()), inhibition(d, Dense(POSITIVE)), inhibition_again(d))
    x = RNG.uniform(0.1, 1.9, size=(4, 3))
    np.testing.assert_allclose(liapunov(network).derivative(x), change(network, x), rtol=1e-8)
    z = RNG.normal(size=(3, 2))
    both = bam(TANH, TANH, z, z.T)
    local = [Projection(name, name, "inhibitory", TANH, AllButSelf(0.3)) for name in "XY"]
    both = both.replace(projections=[*both.projections, *local])
    u = np.concatenate([RNG.normal(size=5), z.ravel(), z.T.ravel()])[None]
    np.testing.assert_allclose(liapunov(both).derivative(u), change(both, u), rtol=1e-8)


def inhibition_again(signal: brnn.Signal) -> Projection:
    return Projection("F", "F", "inhibitory", signal, AllToAll(0.2), name="again")


def test_edges() -> None:
    """Silent inhibition and an input: at activity 0 V and its fall are infinite where the signal has a slope there."""
    layer = Layer.shunting("F", 2, A=1.0, B=2.0)
    L = liapunov(one_layer(layer, inhibition(Linear(), AllButSelf()), I=0.5))
    assert L.V([0.0, 1.0]) == np.inf
    assert L.derivative([0.0, 1.0]) == -np.inf
    assert np.isfinite(L.V([1e-250, 1.0]))
    assert L.V([1e-250, 1.0]) > L.V([1e-100, 1.0]) > L.V([0.5, 1.0])
    quiet = liapunov(one_layer(layer, inhibition(Linear(), AllButSelf())))
    assert quiet.V([0.0, 0.0]) == 0.0
    flat = liapunov(one_layer(layer, inhibition(Sigmoid(), AllButSelf()), I=0.5))
    assert flat.V([0.0, 0.0]) == 0.0
    assert flat.derivative([0.0, 0.0]) == pytest.approx(-2 * 2.0, rel=1e-12)  # d' (B I)^2/x for each cell, d' = 2 x


# Runs ----------------------------------------------------------------------------------------------------------


def test_of_a_run_begins_when_the_stimuli_are_constant() -> None:
    network = brnn.models.rcf.build()
    L = liapunov(network)
    assert L.since == 1.0
    result = brnn.simulate(network, 10.0, times=np.linspace(0, 10, 41))
    V = L.of(result)
    assert V.dims == ("time",)
    np.testing.assert_array_equal(V["time"], np.linspace(1, 10, 37))
    assert (np.diff(V) <= 1e-9).all()
    with pytest.raises(InputError, match="no time >= 1"):
        L.of(brnn.simulate(network, 0.5))


def test_of_a_run_with_a_coarser_axis_of_weights() -> None:
    z = RNG.normal(size=(3, 2))
    network = bam(TANH, TANH, z, z.T, I=1.0)
    record = brnn.Record(ltm_every=1.0)
    result = brnn.simulate(network, 4.0, times=np.linspace(0, 4, 41), record=record)
    V = liapunov(network).of(result)
    assert len(result.times) == 41
    np.testing.assert_allclose(V["time"], [0, 1, 2, 3, 4])
    assert (np.diff(V) < 0).all()


def test_shapes() -> None:
    L = liapunov(brnn.models.cohen_grossberg.build(4))
    u = RNG.normal(size=(2, 5, 4))
    assert L.V(u).shape == (2, 5)
    assert L.V(u[0, 0]) == pytest.approx(L.V(u)[0, 0], rel=1e-12)
    assert L.V(np.empty((0, 4))).shape == (0,)
    assert isinstance(L.V(u[0, 0]), float)
    for wrong in (np.ones(3), 1.0, np.ones((4, 5))):
        with pytest.raises(InputError, match=r"must be \(\.\.\., 4\)"):
            L.V(wrong)
    with pytest.raises(InputError, match="must be finite"):
        L.derivative([0.0, np.nan, 0.0, 0.0])


def test_no_state_has_no_value() -> None:
    assert liapunov(one_layer(ADDITIVE, inhibition(TANH, AllButSelf()))).V(np.empty((0, 3))).shape == (0,)


@pytest.mark.parametrize(("targets", "sources"), [(1, 1), (1, 2), (2, 1), (1, 3), (2, 2), (3, 2), (4, 3)])
def test_where_two_matrices_differ_most(targets: int, sources: int) -> None:
    for uniform, diagonal in ((0.5, 0.5), (1.0, 0.25), (0.25, 1.0)):
        this = CouplingBlock(targets, sources, uniform=1.0)
        other = CouplingBlock(sources, targets, uniform=uniform, diagonal=diagonal)
        i, j, one, two = this.asymmetry(other)
        difference = np.abs(np.ones((targets, sources)) - (uniform + diagonal * np.eye(sources, targets)).T)
        assert 0 <= i < targets
        assert 0 <= j < sources
        assert (one, two) == (1.0, uniform + diagonal * (i == j))
        assert abs(one - two) == difference.max()


def test_matrices_add() -> None:
    one, two, three = np.arange(6.0).reshape(2, 3), np.ones((2, 3)), np.eye(2, 3)
    total = CouplingBlock(2, 3, dense=one) + CouplingBlock(2, 3, uniform=0.5, dense=two)
    np.testing.assert_array_equal((total + CouplingBlock(2, 3, dense=three)).full(), one + two + three + 0.5)


def test_rows_of_every_kind_of_matrix_are_scaled() -> None:
    """diag(k) C, for C made of all sums of one number, a diagonal, a dense and a sparse matrix."""
    numbers, factors = np.arange(1.0, 10.0).reshape(3, 3), 0.5 + np.arange(3.0)
    kinds = (
        CouplingBlock(3, 3, uniform=2.0),
        CouplingBlock(3, 3, diagonal=3.0),
        CouplingBlock(3, 3, dense=numbers),
        CouplingBlock(3, 3, csr=sparse.csr_array(numbers * (numbers % 2))),
    )
    for count in range(1, 5):
        for chosen in itertools.combinations(kinds, count):
            block = functools.reduce(CouplingBlock.__add__, chosen)
            full = np.sum([one.full() for one in chosen], axis=0)
            np.testing.assert_array_equal(block.full(), full)
            np.testing.assert_array_equal(block.scaled(factors).full(), factors[:, None] * full)
            np.testing.assert_array_equal(block.scaled(0.5).full(), 0.5 * full)


def test_large_fields_cost_little_memory() -> None:
    """A field of 20,000 cells has 3.2 GB of coefficients, of which none are made."""
    network = brnn.models.rcf.build(n=20_000, initial=0.1, J=0.2)
    x = RNG.uniform(0.1, 2.0, size=(3, 20_000))
    assert (liapunov(network).derivative(x) < 0).all()


# Refusals ------------------------------------------------------------------------------------------------------

ADDITIVE = Layer.additive("F", 3, A=1.0)
ASYMMETRIC = SYMMETRIC + np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, -0.25, 0.0]])
GATE = brnn.HabituativeGate(H=1.0, K=1.0, L=1.0)


def two_layers(*projections: Projection) -> Network:
    return Network("test", [Layer.additive("X", 2, A=1.0), Layer.additive("Y", 2, A=1.0)], projections)


REFUSED = {
    "asymmetric": (
        one_layer(ADDITIVE, inhibition(TANH, Dense(ASYMMETRIC))),
        "not symmetric: c[F[1], F[2]] = 0.4, but c[F[2], F[1]] = 0.15: the largest asymmetry, 0.25",
    ),
    "asymmetric and sparse": (
        one_layer(ADDITIVE, inhibition(TANH, brnn.Sparse(sparse.csr_array(ASYMMETRIC)))),
        "c[F[1], F[2]] = 0.4, but c[F[2], F[1]] = 0.15: the largest asymmetry, 0.25",
    ),
    "one way": (
        two_layers(Projection("X", "Y", "excitatory", TANH, AllToAll(0.5))),
        "c[Y[0], X[0]] = -0.5, but c[X[0], Y[0]] = 0: the largest asymmetry, 0.5",
    ),
    "slow inhibition": (
        two_layers(
            Projection("X", "Y", "excitatory", Linear(), OneToOne(2.0)),
            Projection("Y", "X", "inhibitory", Linear(), OneToOne(2.0)),
        ),
        "the largest asymmetry, 4",
    ),
    "may_leonard": (brnn.models.may_leonard.build(), "the largest asymmetry, 0.5"),
    "two signals": (
        one_layer(ADDITIVE, inhibition(TANH, AllButSelf()), excitation(Logistic(), AllToAll())),
        "layer 'F' sends two signals to other cells",
    ),
    "both kinds": (
        one_layer(
            Layer.shunting("F", 3, A=1, B=1), inhibition(Sigmoid(), AllButSelf()), excitation(Sigmoid(), AllToAll())
        ),
        "Layer 'F' is excited and inhibited by other cells, and shunting",
    ),
    "step": (one_layer(ADDITIVE, inhibition(brnn.Step(), AllButSelf())), "sends a Step, which jumps"),
    "delay": (
        one_layer(ADDITIVE, Projection("F", "F", "inhibitory", TANH, AllButSelf(), delay=1.0)),
        "Projection 'F_F_inh' has a delay",
    ),
    "gate": (
        one_layer(ADDITIVE, Projection("F", "F", "inhibitory", TANH, AllButSelf(), gate=GATE)),
        "Projection 'F_F_inh' has a gate",
    ),
    "outstar": (
        one_layer(ADDITIVE, Projection("F", "F", "excitatory", TANH, AllButSelf(), learning=brnn.Outstar())),
        "learns by Outstar; V is known for PassiveDecay (39)",
    ),
    "inhibitory learning": (
        one_layer(ADDITIVE, Projection("F", "F", "inhibitory", TANH, AllButSelf(), learning=PassiveDecay())),
        "is inhibitory",
    ),
    "learning by a modulatory projection": (
        one_layer(
            brnn.GatedLayer("F", 3, A=1.0, B=1.0),
            Projection("F", "F", "modulatory", TANH, AllButSelf(), learning=PassiveDecay()),
        ),
        "GatedLayer 'F' obeys another law than (32)",
    ),
    "rate in time": (
        bam(TANH, TANH, 0.1, 0.1, {"schedule": brnn.Pulse(0.0, 1.0)}),
        "Projection 'Y_X_exc' learns by PassiveDecay with a schedule of its rate",
    ),
    "rate 0": (bam(TANH, TANH, 0.1, 0.1, {"rate": 0.0}), "with rate 0"),
    "other rate": (bam(TANH, TANH, 0.1, 0.1, {"rate": 0.5}), "learns with rate 1, Projection 'Y_X_exc' with 0.5"),
    "other decay": (bam(TANH, TANH, 0.1, 0.1, {"decay": 0.5}), "with decay 1, Projection 'Y_X_exc' with 0.5"),
    "other signal": (
        bam(TANH, TANH, 0.1, 0.1, {"sampled": Logistic()}),
        "Projection 'Y_X_exc': learning reads Logistic(gain=1.0, slope=1.0, midpoint=0.0) at layer 'X', which sends",
    ),
    "weights": (
        bam(TANH, TANH, np.arange(6.0).reshape(3, 2), np.arange(6.0).reshape(3, 2).T + np.eye(2, 3)),
        "weights are not symmetric: X_Y_exc.z[0, 0] = 0, but Y_X_exc.z[0, 0] = 1: the largest asymmetry, 1",
    ),
    "no partner": (
        two_layers(Projection("X", "Y", "excitatory", TANH, AllToAll(), learning=PassiveDecay())),
        "no projection back from 'Y' to 'X' does",
    ),
    "wilson_cowan": (
        Network("test", [brnn.WilsonCowanLayer("F", 2, a=1.0, theta=0.0)]),
        "WilsonCowanLayer 'F' obeys another law than (32)",
    ),
    "discrete": (Network("test", [brnn.BinaryLayer("F", 2)]), "BinaryLayer 'F' has discrete time"),
    "noise": (
        Network("test", [ADDITIVE], stimuli=[Stimulus("F", "excitatory", 1.0, brnn.WhiteNoise())]),
        "white noise",
    ),
    "sine": (
        Network("test", [ADDITIVE], stimuli=[Stimulus("F", "excitatory", 1.0, brnn.Sine(1.0))]),
        "Stimulus of 'F' (Sine) never stops to change",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(name: str) -> None:
    network, words = REFUSED[name]
    with pytest.raises(InputError) as caught:
        liapunov(network)
    text = str(caught.value)
    assert text.startswith(f"liapunov: network '{network.name}': ")
    assert words in text
    assert "\n" not in text


def test_signals_that_fall_or_jump_are_refused_where_they_do() -> None:
    falling = liapunov(one_layer(ADDITIVE, inhibition(Function("sin(w)"), AllButSelf())))
    assert np.isfinite(falling.V([1.0, -1.0, 1.5]))
    with pytest.raises(InputError, match=r"of layer 'F' falls at activity 3, where its slope is -0\.98"):
        falling.V([1.0, -1.0, 3.0])
    jumping = liapunov(one_layer(ADDITIVE, inhibition(Function("where(w < 0.5, w, w + 1)"), AllButSelf())))
    assert np.isfinite(jumping.V([-1.0, 0.2, 0.4]))
    with pytest.raises(InputError, match="jumps between activities 0 and 0.8"):
        jumping.V([-1.0, 0.2, 0.8])


def test_weights_that_drift_apart_are_refused() -> None:
    L = liapunov(bam(TANH, TANH, 0.1, 0.1))
    u = np.full(17, 0.1)
    u[6] = 0.3  # X_Y_exc.z[0, 1]
    with pytest.raises(InputError, match=r"X_Y_exc\.z\[0, 1\] = 0\.3, but Y_X_exc\.z\[1, 0\] = 0\.1"):
        L.V(u)


def test_not_a_network() -> None:
    with pytest.raises(InputError, match=r"network = dict: must be a brnn\.Network"):
        liapunov({})  # type: ignore[arg-type]


# Integrals -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "exact", "v"),
    [
        (np.cos, np.sin, np.linspace(-30, 40, 1001)),
        (lambda s: (s > 0.3) * s, lambda v: np.where(v > 0.3, 0.5 * (v * v - 0.09), 0.0), np.linspace(-1, 3, 1001)),
        (lambda s: 1 / (1 + 1e6 * s * s), lambda v: np.arctan(1e3 * v) / 1e3, np.linspace(-1, 1, 1001)),
        (np.exp, np.expm1, np.linspace(-20, 5, 1001)),
    ],
)
def test_antiderivative(function: Any, exact: Any, v: np.ndarray) -> None:
    F = Antiderivative(function)
    assert F(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(F(v[400:600]), exact(v[400:600]), atol=1e-12 * np.abs(exact(v)).max())
    np.testing.assert_allclose(F(v), exact(v), atol=1e-12 * np.abs(exact(v)).max())  # the range has grown


def test_antiderivative_of_a_jump_where_numbers_are_coarse() -> None:
    """Panels end where the distance of neighboring numbers, 1e-10 here, ends them."""
    F = Antiderivative(lambda s: (s > 1e6 + 0.3) * 1.0, reference=1e6)
    v = np.linspace(1e6 - 1.0, 1e6 + 2.0, 301)
    np.testing.assert_allclose(F(v), np.maximum(v - (1e6 + 0.3), 0.0), atol=1e-9)


def test_antiderivative_at_an_edge() -> None:
    v = np.geomspace(1e-200, 5.0, 101)
    root = Antiderivative(lambda s: s**-0.5, edge=0.0)
    np.testing.assert_allclose(root(np.append(0.0, v)), 2 * np.append(0.0, v) ** 0.5, atol=1e-12)
    logarithm = Antiderivative(lambda s: 1 / s, edge=0.0)
    np.testing.assert_allclose(logarithm(v), np.log(v), rtol=1e-12, atol=1e-12)
    assert logarithm(np.array([0.0, 1.0])).tolist() == [-np.inf, pytest.approx(0.0, abs=1e-14)]


def test_antiderivative_of_what_has_none() -> None:
    with pytest.raises(InputError, match="not finite near"):
        Antiderivative(lambda s: np.where(s > 0.5, np.nan, 1.0))(np.array([1.0]))
    with pytest.raises(InputError, match="not smooth"):
        Antiderivative(lambda s: np.random.default_rng(0).normal(size=s.shape))(np.array([1.0]))
