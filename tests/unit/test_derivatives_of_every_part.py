"""Trajectory derivatives of every law, signal, gate and learning law that brnn has, and of inputs that vary in time.

The parts that tests/unit/test_trajectory_derivatives.py and test_derivatives_through_events.py do not have stand in one
network here, beside complex steps through its equations, written out by hand and integrated by SciPy.
"""

import itertools
from pathlib import Path

import numpy as np
import pytest
from derivatives import STEP, by_complex_steps, read_both_ways, through_pieces
from uncompiled import run_uncompiled

import brnn
from brnn.signals import Signal
from brnn.spec.gates import Gate
from brnn.spec.layers.base import LayerLaw
from brnn.spec.learning import Learning
from brnn.spec.schedules import Schedule

TIMES = np.array([0.0, 0.6, 1.0, 1.7, 2.5, 3.0])
POINT = {
    "g.A": 0.5, "g.B": 1.4, "g.C": 0.9, "g.E": 0.2, "g.F": 0.8, "g.rest": 0.6, "g.gain": 0.7, "g.initial.1": 0.3,
    "c.a.k": 0.4, "c.b.m": 0.9, "n.tau": 1.3, "n.tau_pool": 0.8, "n.b": 1.1, "n.floor": 0.5, "n.initial": 0.2,
    "w.a": 1.7, "w.theta.0": 0.4, "w.tau": 0.9, "w.k": 0.95, "w.r": 0.8, "cg.signal.half": 0.3, "gc.signal.gain": 0.7,
    "gw.signal.threshold": 0.1, "gw.signal.gain": 1.2, "wn.signal.q": 0.6, "wp.signal.h": 0.5, "pn.signal.gain": 0.8,
    "wave.schedule.frequency": 0.35, "wave.schedule.amplitude": 0.4, "wave.schedule.phase": 0.3,
    "wave.schedule.mean": 0.9, "wave.pattern.0": 0.5, "rise.schedule.first": 0.2, "rise.schedule.final": 0.9,
    "rise.schedule.start": 0.5, "rise.schedule.stop": 2.2, "given.schedule.values.1": 0.7,
}  # fmt: skip


def network():
    """Gated, Cohen-Grossberg, normalizing and Wilson-Cowan cells in a ring, with a pool of the normalizing ones."""
    layers = [
        brnn.GatedLayer("g", 2, 0.5, 1.4, 0.9, 0.2, 0.8, initial=[0.4, 0.3], rest=0.6, gain=0.7),
        brnn.CohenGrossbergLayer("c", 2, brnn.Expression("k + w", k=0.4), brnn.Function("m - w - w**3", m=0.9), 0.35),
        brnn.NormalizingLayer("n", 2, 1.3, 0.8, 1.1, 0.5, 0.2),
        brnn.WilsonCowanLayer("w", 2, 1.7, [0.4, 0.6], 0.9, 0.95, 0.8, 0.15),
        brnn.Layer.additive("p", 1, 1.0, 0.8),
    ]
    both = brnn.AllToAll()
    links = [
        brnn.Projection("c", "g", "excitatory", brnn.Saturating(half=0.3), both, name="cg"),
        brnn.Projection("g", "c", "inhibitory", brnn.Linear(gain=0.7), both, name="gc"),
        brnn.Projection("g", "w", "excitatory", brnn.ThresholdLinear(threshold=0.1, gain=1.2), both, name="gw"),
        brnn.Projection("w", "n", "excitatory", brnn.Expression("w**2/(q + w)", q=0.6), brnn.OneToOne(), name="wn"),
        brnn.Projection("w", "p", "excitatory", brnn.Function("tanh(h*w)", h=0.5), both, name="wp"),
        brnn.Projection("p", "n", "inhibitory", brnn.Linear(gain=0.8), both, name="pn"),
    ]
    stimuli = [
        brnn.Stimulus("g", "modulatory", [0.5, 0.3], brnn.Sine(0.35, 0.4, 0.9, 0.3), name="wave"),
        brnn.Stimulus("g", "inhibitory", 0.4, brnn.Ramp(0.5, 2.2, 0.2, 0.9), name="rise"),
        brnn.Stimulus("p", "excitatory", 0.6, brnn.Constant()),
        brnn.Stimulus("n", "modulatory", 0.3, brnn.Samples([0.0, 2.0, 3.0], [0.2, 0.7, 0.1]), name="given"),
    ]
    return brnn.Network("parts", layers, links, stimuli, duration=3.0)


def rates(t, u, p, piece):
    """The equations; `piece` counts from 0 between the kinks of the inputs, at 0.5, 2 and 2.2."""
    g, c, n, w, pool = u[:2], u[2:4], u[4:6], u[6:8], u[8:]
    wave = p["wave.schedule.mean"] + p["wave.schedule.amplitude"] * np.sin(
        2.0 * np.pi * p["wave.schedule.frequency"] * t + p["wave.schedule.phase"]
    )
    first, final = p["rise.schedule.first"], p["rise.schedule.final"]
    start, stop = p["rise.schedule.start"], p["rise.schedule.stop"]
    rise = first if piece == 0 else final if piece == 3 else first + (final - first) * (t - start) / (stop - start)
    middle = p["given.schedule.values.1"]
    given = 0.2 + (middle - 0.2) * t / 2.0 if piece < 2 else middle + (0.1 - middle) * (t - 2.0)
    sent = {
        "cg": (c / (p["cg.signal.half"] + c)).sum(), "gc": p["gc.signal.gain"] * g.sum(),
        "gw": p["gw.signal.gain"] * (g - p["gw.signal.threshold"]).sum(), "wn": w**2 / (p["wn.signal.q"] + w),
        "wp": np.tanh(p["wp.signal.h"] * w).sum(), "pn": p["pn.signal.gain"] * pool[0],
    }  # fmt: skip
    open_ = p["g.rest"] + p["g.gain"] * np.array([p["wave.pattern.0"], 0.3]) * wave
    theta = np.array([p["w.theta.0"], 0.6])
    S = 1.0 / (1.0 + np.exp(-p["w.a"] * (sent["gw"] - theta))) - 1.0 / (1.0 + np.exp(p["w.a"] * theta))
    a, drive = sent["pn"], p["n.b"] * sent["wn"]
    grown = n * (p["n.floor"] + 0.3 * given - a) / (2.0 * a * p["n.tau_pool"])
    return np.concatenate([
        open_ * (-p["g.A"] * g + (p["g.B"] - p["g.C"] * g) * sent["cg"] - (p["g.E"] + p["g.F"] * g) * 0.4 * rise),
        (p["c.a.k"] + c) * (p["c.b.m"] - c - c**3 - sent["gc"]),
        np.sqrt(a) * (drive - n) / p["n.tau"] + grown,
        (-w + (p["w.k"] - p["w.r"] * w) * S) / p["w.tau"],
        -pool + 0.6 + sent["wp"],
    ])  # fmt: skip


def by_hand(p):
    """Return the states at TIMES, of parameters that may be complex: in units of each piece, whose ends may be."""
    u = np.array([0.4, p["g.initial.1"], 0.35, 0.35, p["n.initial"], p["n.initial"], 0.15, 0.15, 0.8], dtype=complex)
    edges = [0.0, p["rise.schedule.start"], 2.0, p["rise.schedule.stop"], 3.0]
    return through_pieces(lambda t, u, piece: rates(t, u, p, piece), edges, u, TIMES)


def test_trajectories(monkeypatch):
    run_uncompiled(monkeypatch)
    expected, wanted = by_complex_steps(by_hand, POINT)
    options = {"times": TIMES, "rtol": 1e-9, "atol": 1e-11, "solver": "DOP853"}
    found = brnn.sensitivity(network(), list(POINT), **options)
    states = np.concatenate([found.states[f"{name}.x"].values for name in "gcnwp"], axis=1)
    slopes = np.concatenate([found[f"{name}.x"].values for name in "gcnwp"], axis=2)
    np.testing.assert_allclose(states, expected, rtol=1e-8)
    np.testing.assert_allclose(np.moveaxis(slopes, 0, 2), wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("time", [0.3, 1.2, 2.1, 2.7])
def test_what_is_read_backward(time, monkeypatch):
    run_uncompiled(monkeypatch)
    u, slopes, backward, forward = read_both_ways(network(), list(POINT), time)
    np.testing.assert_allclose(slopes, rates(time, u, POINT, int(np.searchsorted([0.5, 2.0, 2.2], time))), rtol=1e-13)
    assert backward == pytest.approx(forward, rel=1e-12)


def test_a_box(monkeypatch):
    run_uncompiled(monkeypatch)
    # x(t + 1) = min(max(d x + m W x, -1), 1): the first cell is at its side from the second step on
    W = np.array([[0.3, 0.5], [0.2, -0.4]])
    link = brnn.Projection("a", "a", "excitatory", brnn.Function("m*w", m=0.8), brnn.Dense(W), name="W")
    network = brnn.Network("box", [brnn.BoxLayer("a", 2, decay=0.9, initial=[0.8, 0.3])], [link])

    def steps(d, m, w, x0):
        x, rows = np.array([x0, 0.3]), []
        for _ in range(4):
            rows.append(x)
            x = d * x + m * np.array([[0.3, w], [0.2, -0.4]]) @ x
            x = np.where(np.abs(x.real) > 1.0, np.sign(x.real), x)
        return np.array(rows)

    point = {"a.decay": 0.9, "W.signal.m": 0.8, "W.topology.matrix.1": 0.5, "a.initial.0": 0.8}
    at = np.array(list(point.values()), dtype=complex)
    wanted = np.stack([steps(*(at + 1j * STEP * row)).imag / STEP for row in np.eye(4)])
    assert (wanted[:, 2:, 0] == 0.0).all()
    found = brnn.sensitivity(network, list(point), lambda s: s["a.x"].sum(), duration=3.0, mode="forward")
    np.testing.assert_allclose(found["a.x"], wanted, rtol=1e-13)
    backward = brnn.sensitivity(network, list(point), lambda s: s["a.x"].sum(), duration=3.0, mode="adjoint")
    np.testing.assert_allclose(backward.gradient, wanted.sum(axis=(1, 2)), rtol=1e-13)


def test_a_length(monkeypatch):
    """x(t) = L + (x(0) - L) exp(-t/tau), L = sqrt(I), and what follows from it."""
    run_uncompiled(monkeypatch)
    I, tau, first = 1.7, 0.6, 0.3
    given = brnn.Stimulus("a", "excitatory", I, name="given")
    network = brnn.Network("length", [brnn.NormLayer("a", 1, tau=tau, initial=first)], stimuli=[given])
    names = ["given.pattern.0", "a.tau", "a.initial.0"]
    found = brnn.sensitivity(network, names, times=TIMES, duration=3.0, solver="DOP853", rtol=1e-9, atol=1e-11)
    L, E = np.sqrt(I), np.exp(-TIMES / tau)
    wanted = np.stack([(1.0 - E) / (2.0 * L), (first - L) * E * TIMES / tau**2, E])
    np.testing.assert_allclose(found.states["a.x"].values[:, 0], L + (first - L) * E, rtol=1e-8)
    np.testing.assert_allclose(found["a.x"].values[..., 0], wanted, rtol=1e-6, atol=1e-8)


def _kinds(kind):
    for one in kind.__subclasses__():
        yield one
        yield from _kinds(one)


@pytest.mark.parametrize("base", [LayerLaw, Signal, Gate, Learning])
def test_no_part_is_forgotten(base):
    files = [
        *Path(__file__).parent.glob("test_derivatives_*.py"),
        Path(__file__).with_name("test_trajectory_derivatives.py"),
    ]
    text = "".join(path.read_text() for path in files)
    cells = {"MemoryCellLayer": "lstm", "GatedUnitLayer": "lstm", "UpdateGateLayer": "gru"}
    jumps = {"Step", "BinaryLayer", "SpikingLayer", "RandomSpikesLayer", "TraceLayer"}  # no derivative

    own = {one.__name__ for one in _kinds(base) if one.__module__.startswith("brnn.") and one.__name__[0] != "_"}
    missing = {name for name in own - jumps if f"brnn.{cells.get(name, name)}(" not in text}
    missing -= {name for name in missing if name in cells and f'"{cells[name]}": (brnn.models' in text}
    assert not missing


TABLE = np.array([[0.3, 0.9], [1.2, 0.1], [0.5, 0.8], [0.4, 0.2]])
SCHEDULES = {
    "Constant": brnn.Constant(), "Pulse": brnn.Pulse(0.4, 1.7), "Pulses": brnn.Pulses([[0.2, 0.9], [1.3, 2.1]]),
    "Sequence": brnn.Sequence(TABLE, 0.4, 0.2), "Presented": brnn.Presented([[0.1, 0.7], [1.2, 2.0]], [1, 0]),
    "Noise": brnn.Noise(3, interval=0.4), "InPhase": brnn.InPhase("one"),
    "Frames": brnn.Frames((100.0 * TABLE).astype(np.uint8).reshape(4, 1, 2), 0.6),
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEDULES)
def test_inputs_in_steps(name, monkeypatch):
    """x' = -A x + s between two times is s/A + (x - s/A) exp(-A t)."""
    run_uncompiled(monkeypatch)
    shape = (1, 2) if name == "Frames" else 2
    stimulus = brnn.Stimulus("a", "excitatory", TABLE if name == "Presented" else 1.0, SCHEDULES[name], name="s")
    layer = brnn.Layer.additive("a", shape, A=0.7, initial=0.4)
    protocol = brnn.Protocol([brnn.Phase("one", 1.1), brnn.Phase("two", 1.4)])
    network = brnn.Network("n", [layer], [], [stimulus], protocol=protocol if name == "InPhase" else None)
    edges = np.concatenate([[0.0], network.breaks(2.5), [2.5]])

    def formula(p):
        x = np.full(2, p["a.initial"], dtype=complex)
        for start, stop in itertools.pairwise(edges):
            rest = network.stimuli[0].at(0.5 * (start + stop), layer.shape).ravel() / p["a.A"]
            x = rest + (x - rest) * np.exp(-p["a.A"] * (stop - start))
        return x

    x, wanted = by_complex_steps(formula, {"a.A": 0.7, "a.initial": 0.4})
    options = {"times": [2.5], "rtol": 1e-10, "atol": 1e-12, "solver": "DOP853"}
    found = brnn.sensitivity(network, {"a.A": 0.7, "a.initial": 0.4}, duration=2.5, **options)
    np.testing.assert_allclose(found.states["a.x"].values.ravel(), x, rtol=1e-8)
    np.testing.assert_allclose(found["a.x"].values.reshape(2, 2).T, wanted, rtol=1e-6)


def test_no_schedule_is_forgotten():
    own = {one.__name__ for one in _kinds(Schedule) if one.__module__.startswith("brnn.") and one.__name__[0] != "_"}
    smooth = {"Ramp", "Sine", "Samples"}  # in the network above
    assert own - smooth - {"OnInIntervals", "WhiteNoise", "AlongTrajectory"} == set(SCHEDULES)  # a base; refused


def test_inputs_along_a_trajectory_are_refused():
    path = brnn.Trajectory([0.0, 1.0, 2.0], [0.0, 0.5, 1.0], [0.0, 0.2, 0.1])
    along = brnn.AlongTrajectory(path, brnn.PlaceTuning(0.5, 0.1, 0.3))
    network = brnn.Network("n", [brnn.Layer.additive("a", 1, A=1.0)], [], [brnn.Stimulus("a", schedule=along)])
    with pytest.raises(brnn.InputError, match="has inputs along a trajectory, through which derivatives are not taken"):
        brnn.sensitivity(network, ["a.A"], duration=1.0)
