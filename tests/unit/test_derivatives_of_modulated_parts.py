"""Trajectory derivatives of what multiplies signals: gains, transmitters, competition for sites; and of all topologies.

One network has these parts, beside complex steps through its equations, written out by hand.
"""

import numpy as np
import pytest
from derivatives import by_complex_steps, read_both_ways, through_pieces
from scipy.linalg import expm
from scipy.sparse import csr_array
from uncompiled import run_uncompiled

import brnn
from brnn.compiler import compile_network
from brnn.spec.topologies.base import Topology

TIMES = np.array([0.0, 0.6, 1.3, 2.2, 3.0])
POINT = {
    "c.A": 1.1, "c.B": 1.5, "m.A": 0.9, "m.B": 1.3, "m.D": 0.2, "d.A": 0.8, "d.B": 1.2, "d.D": 0.3, "d.gain": 0.7,
    "d.recurrent.half": 0.5, "h.C": 0.9, "h.initial.0": 0.2, "t.H": 0.3, "t.K": 1.1, "t.L": 0.4, "t.Q": 0.6,
    "cm.gate.H": 0.2, "cm.gate.K": 1.2, "cm.gate.L": 0.5, "cm.gate.Q": 0.8, "mh.learning.rate": 0.6,
    "mh.learning.total": 1.3, "mh.learning.initial": 0.2, "dh.learning.rate": 0.7, "md.modulation.base": 0.3,
    "md.modulation.gain": 0.8, "md.modulation.signal.half": 0.5, "dm.signal.gain": 0.6, "hc.signal.gain": 0.4,
    "seen.pattern.0": 0.7, "seen.schedule.off": 1.9, "taught.learning.rate": 0.5, "taught.learning.recovery": 0.3,
    "taught.learning.potentiation": 0.6, "taught.learning.forgetting": 0.2, "taught.learning.depression": 0.9,
    "taught.learning.initial": 0.4,
}  # fmt: skip


def network():
    """Two cells of each kind; the second one of the clamped layer is held at 0 by inhibition."""
    two, one = brnn.AllToAll(), brnn.OneToOne()
    layers = [
        brnn.ClampedLayer("c", 2, 1.1, 1.5, E=0.1, initial=[0.4, 0.0]),
        brnn.ModulatedLayer("m", 2, 0.9, 1.3, 0.2, initial=0.3),
        brnn.ModulatedLayer("d", 2, 0.8, 1.2, 0.3, 0.7, brnn.Saturating(half=0.5), initial=0.25),
        brnn.TransmittedLayer("h", 2, 1.0, 1.4, C=0.9, initial=[0.2, 0.3]),
        brnn.TransmitterLayer("t", 2, 0.3, 1.1, 0.4, 0.6, initial=0.9, inputs_of="h"),
    ]
    gate, factor = brnn.QuadraticGate(0.2, 1.2, 0.5, 0.8), brnn.Modulation("c", brnn.Saturating(half=0.5), 0.3, 0.8)
    sites, share = brnn.LimitedSites(rate=0.6, total=1.3, initial=0.2), brnn.CompetitiveInstar(rate=0.7, initial=0.3)
    taught = brnn.Taught(
        0.5, initial=0.4, recovery=0.3, potentiation=0.6, forgetting=0.2, depression=0.9, target_trace="h"
    )
    links = [
        brnn.Projection("c", "m", "excitatory", brnn.Linear(), one, gate, name="cm"),
        brnn.Projection("m", "h", "excitatory", brnn.Linear(), two, learning=sites, name="mh"),
        brnn.Projection("d", "h", "excitatory", brnn.Linear(), two, learning=share, name="dh"),
        brnn.Projection("t", "h", "modulatory", brnn.Linear(), one, name="th"),
        brnn.Projection("m", "d", "excitatory", brnn.Linear(), one, name="md", modulation=factor),
        brnn.Projection("d", "m", "modulatory", brnn.Linear(gain=0.6), two, name="dm"),
        brnn.Projection("h", "d", "modulatory", brnn.Linear(), one, name="hd"),
        brnn.Projection("h", "c", "inhibitory", brnn.Linear(gain=0.4), two, name="hc"),
        brnn.Projection("d", "m", "excitatory", brnn.Linear(), one, learning=taught, name="taught"),
    ]
    stimuli = [
        brnn.Stimulus("c", "excitatory", [0.7, 0.0], brnn.Pulse(0.0, 1.9), name="seen"),
        brnn.Stimulus("d", "inhibitory", 0.15, brnn.Constant()),
    ]
    return brnn.Network("modulated", layers, links, stimuli, duration=3.0)


def rates(u, p, seen):
    """The equations; `seen` says whether the input is there."""
    c, m, d, h, t, y = u[:12].reshape(6, 2)
    Z, V, W = u[12:16].reshape(2, 2), u[16:20].reshape(2, 2), u[20:]
    received = seen * np.array([p["seen.pattern.0"], 0.0])
    inhibited = p["hc.signal.gain"] * h.sum()
    moved = -p["c.A"] * c + (p["c.B"] - c) * received - (0.1 + c) * inhibited
    held = (c.real <= 0.0) & (moved.real < 0.0)
    excited, amplified = y * c + W * d, p["dm.signal.gain"] * d.sum()
    factor = p["md.modulation.base"] + p["md.modulation.gain"] * c / (p["md.modulation.signal.half"] + c)
    own = d / (p["d.recurrent.half"] + d)
    into = Z @ m + V @ d
    up = p["taught.learning.recovery"] + p["taught.learning.potentiation"] * h
    down = p["taught.learning.forgetting"] + p["taught.learning.depression"] * h
    taken = Z.sum(axis=1, keepdims=True)
    return np.concatenate([
        np.where(held, 0.0, moved),
        -p["m.A"] * m + (p["m.B"] - m) * excited * (1.0 + amplified),
        -p["d.A"] * d + (p["d.B"] - d) * (m * factor * (1.0 + p["d.gain"] * h) + own) - (p["d.D"] + d) * 0.15,
        -h + (1.4 - p["h.C"] * h) * into * t,
        p["t.H"] * (p["t.K"] - t) - t * (p["t.L"] * into + p["t.Q"] * into**2),
        p["cm.gate.H"] * (p["cm.gate.K"] - y) - y * (p["cm.gate.L"] * c + p["cm.gate.Q"] * c**2),
        (p["mh.learning.rate"] * h[:, None] * (m * (p["mh.learning.total"] - taken) - Z * (m.sum() - m))).ravel(),
        (p["dh.learning.rate"] * h[:, None] * (d - V * d.sum())).ravel(),
        p["taught.learning.rate"] * d * ((1.0 - W) * up - W * down),
    ])  # fmt: skip


def by_hand(p):
    """Return the states at TIMES, of parameters that may be complex."""
    first = [0.4, 0.0, 0.3, 0.3, 0.25, 0.25, p["h.initial.0"], 0.3, 0.9, 0.9, *[p["cm.gate.K"]] * 2]
    start = np.array(
        [*first, *[p["mh.learning.initial"]] * 4, *[0.3] * 4, *[p["taught.learning.initial"]] * 2], dtype=complex
    )
    edges = [0.0, p["seen.schedule.off"], 3.0]
    return through_pieces(lambda t, u, piece: rates(u, p, piece == 0), edges, start, TIMES)


def test_trajectories(monkeypatch):
    run_uncompiled(monkeypatch)
    states, wanted = by_complex_steps(by_hand, POINT)
    assert (states[:, 1] == 0.0).all()
    found = brnn.sensitivity(network(), list(POINT), times=TIMES, rtol=1e-9, atol=1e-11, solver="DOP853")
    names = ["c.x", "m.x", "d.x", "h.x", "t.x", "cm.y", "mh.z", "dh.z", "taught.z"]
    own = np.concatenate([found.states[name].values.reshape(TIMES.size, -1) for name in names], axis=1)
    slopes = np.concatenate([found[name].values.reshape(len(POINT), TIMES.size, -1) for name in names], axis=2)
    np.testing.assert_allclose(own, states, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(np.moveaxis(slopes, 0, 2), wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("time", [1.0, 2.5])
def test_what_is_read_backward(time, monkeypatch):
    run_uncompiled(monkeypatch)
    u, slopes, backward, forward = read_both_ways(network(), list(POINT), time)
    np.testing.assert_allclose(slopes, rates(u, POINT, time < 1.9), rtol=1e-13)
    assert backward == pytest.approx(forward, rel=1e-12)


RNG = np.random.default_rng(0)
M, KERNELS = 0.3 * RNG.normal(size=(4, 4)), 0.3 * RNG.normal(size=(2, 3, 3))
TOPOLOGIES = {
    "OneToOne": (4, brnn.OneToOne(weight=0.4)), "AllToAll": (4, brnn.AllToAll(weight=0.2)),
    "AllButSelf": (4, brnn.AllButSelf(weight=0.2)), "Dense": (4, brnn.Dense(M)),
    "Sparse": (4, brnn.Sparse(csr_array(np.where(np.abs(M) > 0.2, M, 0.0)))), "Chain": (4, brnn.Chain(1, 0.7)),
    "Shift": (4, brnn.Shift(2, 0.7, "periodic")), "IndexShift": (4, brnn.IndexShift(1, 0.5)),
    "Kernel": ((3, 4), brnn.Kernel(KERNELS[0], "reflect")), "GaussianKernel": ((3, 4), brnn.GaussianKernel(0.3)),
    "DifferenceOfGaussians": ((3, 4), brnn.DifferenceOfGaussians(0.4, 1.0, 0.2, 2.0, "periodic")),
    "ChannelKernels": ((2, 3, 4), brnn.ChannelKernels(KERNELS, [1, 0], "nearest")),
    "AcrossChannels": ((2, 3, 4), brnn.AcrossChannels(M[:2, :2])),
    "BlockSums": ((2, 4, 4), brnn.BlockSums(1, 0.4)),
    "Successive": ((2, 3, 4), brnn.Successive([brnn.ChannelKernels(KERNELS), brnn.AcrossChannels(M[:2, :2])],
                                              [(2, 3, 4)])),
}  # fmt: skip


@pytest.mark.parametrize("name", TOPOLOGIES)
def test_topologies(name, monkeypatch):
    """x' = -x + g W x, W being what each cell's signal is to du/dt: x = expm(t (g W - 1)) x0, dx/dg = t W x."""
    run_uncompiled(monkeypatch)
    shape, topology = TOPOLOGIES[name]
    layer = brnn.Layer.additive("a", shape, A=1.0, initial=np.random.default_rng(1).uniform(0.2, 0.8, shape))
    network = brnn.Network(
        "n", [layer], [brnn.Projection("a", "a", "excitatory", brnn.Linear(0.8), topology, name="w")]
    )
    system = compile_network(network)
    W = (np.column_stack([system.f(0.0, row) for row in np.eye(system.size)]) + np.eye(system.size)) / 0.8
    x = expm(1.5 * (0.8 * W - np.eye(system.size))) @ np.ravel(layer.initial)
    options = {"times": [1.5], "rtol": 1e-9, "atol": 1e-11, "solver": "DOP853"}
    found = brnn.sensitivity(network, ["w.signal.gain"], duration=1.5, **options)
    np.testing.assert_allclose(found["a.x"].values.ravel(), 1.5 * W @ x, rtol=1e-6, atol=1e-9)
    _, slopes, backward, forward = read_both_ways(network, ["w.signal.gain", "a.A"], 0.5)
    assert backward == pytest.approx(forward, rel=1e-12)
    assert slopes.size == system.size


def test_no_topology_is_forgotten():
    def kinds(kind):
        for one in kind.__subclasses__():
            yield one
            yield from kinds(one)

    own = {one.__name__ for one in kinds(Topology) if one.__module__.startswith("brnn.") and one.__name__[0] != "_"}
    assert own - {"Convolution"} == set(TOPOLOGIES)  # a base that says nothing of its kernel
