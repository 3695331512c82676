"""Random symmetric networks: V never rises along a run, dV/dt is (34), and a broken symmetry is found."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from networks import floats

import brnn
from brnn import (
    CohenGrossbergLayer,
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
from brnn.theory import liapunov


def rates() -> st.SearchStrategy[brnn.Signal]:
    """Signals that never fall and are not negative."""
    return st.one_of(
        st.builds(Saturating, gain=floats(0.1, 2), half=floats(0.1, 2)),
        st.builds(Sigmoid, gain=floats(0.1, 2), half=floats(0.1, 2), exponent=floats(1, 4)),
        st.builds(Logistic, gain=floats(0.1, 2), slope=floats(0.2, 5), midpoint=floats(-1, 2)),
    )


def matrices(n: int, low: float, high: float) -> st.SearchStrategy[np.ndarray]:
    """Symmetric matrices."""
    return arrays(float, (n, n), elements=floats(low, high)).map(lambda W: 0.5 * (W + W.T))


@st.composite
def general(draw: st.DrawFn) -> tuple[Network, float, float]:
    """(32) with smooth a, b, d of activities of both signs."""
    n = draw(st.integers(1, 5))
    a = Function("k + w**2", k=draw(floats(0.1, 2)))
    b = Function("-p*w + q*sin(w)", p=draw(floats(0.5, 3)), q=draw(floats(-2, 2)))
    d = Function("tanh(g*w)", g=draw(floats(0.3, 3)))
    layer = CohenGrossbergLayer("F", n, a, b)
    I = Stimulus("F", "excitatory", draw(arrays(float, n, elements=floats(-2, 2))))
    return (
        Network("general", [layer], [Projection("F", "F", "inhibitory", d, Dense(draw(matrices(n, -2, 2))))], [I]),
        -2,
        2,
    )


@st.composite
def shunting(draw: st.DrawFn) -> tuple[Network, float, float]:
    """Own excitation, symmetric inhibition, inputs of both kinds, and any D >= 0."""
    n = draw(st.integers(1, 5))
    B, D = draw(floats(0.5, 3)), draw(st.one_of(st.just(0.0), floats(0.1, 2)))
    layer = Layer.shunting("F", n, A=draw(arrays(float, n, elements=floats(0, 2))), B=B, D=D)
    # Linear keeps the sign of hyperpolarized activities; own excitation by it would drive them out of their interval.
    signals = st.one_of(rates(), st.builds(Linear, gain=floats(0.1, 2)))
    links = [
        Projection("F", "F", "excitatory", draw(rates()), OneToOne(draw(floats(0, 3)))),
        Projection("F", "F", "inhibitory", draw(signals), Dense(draw(matrices(n, 0, 2)))),
    ]
    inputs = [
        Stimulus("F", kind, draw(arrays(float, n, elements=st.one_of(st.just(0.0), floats(0, 2)))))
        for kind in ("excitatory", "inhibitory")
    ]
    return Network("shunting", [layer], links, inputs), 0.02 * B, 0.98 * B


@st.composite
def layers(draw: st.DrawFn) -> tuple[Network, float, float]:
    """Two additive layers that are joined both ways, and each with itself."""
    sizes = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    d = [Logistic(draw(floats(0.1, 2)), draw(floats(0.2, 4)), draw(floats(-1, 1))) for _ in range(2)]
    W = draw(arrays(float, (sizes[1], sizes[0]), elements=floats(-2, 2)))
    return (
        Network(
            "layers",
            [Layer.additive(name, n, A=draw(floats(0.2, 2))) for name, n in zip("XY", sizes, strict=True)],
            [
                Projection("X", "Y", "excitatory", d[0], Dense(W)),
                Projection("Y", "X", "excitatory", d[1], Dense(W.T)),
                Projection("X", "X", "inhibitory", d[0], Dense(draw(matrices(sizes[0], -2, 2)))),
                Projection("Y", "Y", "excitatory", d[1], Dense(draw(matrices(sizes[1], -2, 2)))),
            ],
            [Stimulus("X", "excitatory", draw(floats(-2, 2)))],
        ),
        -2,
        2,
    )


@st.composite
def adaptive(draw: st.DrawFn) -> tuple[Network, float, float]:
    """BAM (37)-(39) with any strengths, rates and initial weights."""
    n, m = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    f = [Function("tanh(g*w)", g=draw(floats(0.3, 3))) for _ in range(2)]
    W = Dense(draw(arrays(float, (m, n), elements=floats(0, 2).filter(lambda w: w > 0.01))))
    z = draw(arrays(float, (m, n), elements=floats(-1, 1)))
    law = {"rate": draw(floats(0.1, 2)), "decay": draw(floats(0, 2))}
    there = PassiveDecay(sampled=f[1], initial=z, **law)
    back = PassiveDecay(sampled=f[0], initial=z.T, **law)
    return (
        Network(
            "adaptive",
            [Layer.additive("X", n, A=draw(floats(0.2, 2))), Layer.additive("Y", m, A=draw(floats(0.2, 2)))],
            [
                Projection("X", "Y", "excitatory", f[0], W, learning=there),
                Projection("Y", "X", "excitatory", f[1], Dense(W.matrix.T), learning=back),
            ],
            [Stimulus("X", "excitatory", draw(floats(-1, 1))), Stimulus("Y", "excitatory", draw(floats(-1, 1)))],
        ),
        -2,
        2,
    )


KINDS = {"general": general(), "shunting": shunting(), "layers": layers(), "adaptive": adaptive()}
every_kind = pytest.mark.parametrize("kind", KINDS)


def random_state(network: Network, low: float, high: float, seed: int) -> np.ndarray:
    """Return activities between two bounds, and the initial weights."""
    u = brnn.compile_network(network).initial_state()
    cells = sum(layer.cells for layer in network.layers)
    u[:cells] = np.random.default_rng(seed).uniform(low, high, cells)
    return u


@every_kind
@given(data=st.data(), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_value_never_rises(kind: str, data: st.DataObject, seed: int) -> None:
    network, low, high = data.draw(KINDS[kind])
    u = random_state(network, low, high, seed)
    place, initial = 0, {}
    for layer in network.layers:
        initial[layer.name] = u[place : place + layer.cells]
        place += layer.cells
    result = brnn.simulate(network, 5.0, initial=initial, rtol=1e-8, atol=1e-11)
    V = liapunov(network).of(result).values
    assert np.isfinite(V).all()
    assert np.diff(V).max() <= 1e-6 * (1.0 + np.abs(V).max())


@every_kind
@given(data=st.data(), seed=st.integers(0, 1000))
@settings(max_examples=15)
def test_change_is_34(kind: str, data: st.DataObject, seed: int) -> None:
    """From five-point differences of V along the compiled right-hand side."""
    network, low, high = data.draw(KINDS[kind])
    u = random_state(network, low, high, seed)
    L = liapunov(network)
    velocity = brnn.compile_network(network).rhs(1.0)(1.0, u)
    # Not beyond the edges of shunting layers, nor across the kink that a rate signal has at 0.
    h = 1e-3 * min(1.0, 0.01 / max(float(np.abs(velocity).max()), 1e-9))
    V = L.V(u + np.array([-2.0, -1.0, 1.0, 2.0])[:, None] * h * velocity)
    found = (V[0] - 8 * V[1] + 8 * V[2] - V[3]) / (12 * h)
    expected = L.derivative(u)
    assert expected <= 0
    scale = 1e-12 * (1.0 + np.abs(V).max()) / h
    assert found == pytest.approx(expected, rel=1e-6, abs=scale)


@given(network=general(), data=st.data())
@settings(max_examples=25)
def test_broken_symmetry_is_named(network: tuple[Network, float, float], data: st.DataObject) -> None:
    """One changed element is found, with both values and their difference."""
    given_ = network[0]
    (link,) = given_.projections
    c = np.array(link.topology.matrix)
    n = len(c)
    if n == 1:
        return
    i = data.draw(st.integers(0, n - 1))
    j = data.draw(st.integers(0, n - 1).filter(lambda k: k != i))
    c[i, j] += data.draw(floats(0.01, 5))
    broken = given_.replace(projections=[link.replace(topology=Dense(c))])
    with pytest.raises(brnn.InputError) as caught:
        liapunov(broken)
    text = str(caught.value)
    assert f"F[{i}]" in text
    assert f"F[{j}]" in text
    assert f"the largest asymmetry, {abs(c[i, j] - c[j, i]):.6g}" in text
