"""What large architectures are made of, in every registered solver and in the ensemble, beside equations by hand.

The judge is SciPy's DOP853 with right-hand sides that are written out here. A solver runs a network or refuses it in
one line; which ones refuse is part of the test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.ndimage import convolve

import brnn
from brnn.ensemble.arrays import unfit
from brnn.integrate.methods import every_method
from brnn.integrate.side_by_side import side_by_side
from brnn.spec.layers.spiking import SpikingLayer
from brnn.spec.layers.transmitter import TransmittedLayer, TransmitterLayer
from tests.parts import eye

OTHERS = {"SRIW1", "EulerMaruyama", "map"}  # for white noise and discrete time
SOLVERS = [method.name for method in every_method()]
A0, M0 = np.array([0.3, 0.5, 0.2]), np.array([1.0, 2.0, 0.5])
INPUT = np.array([0.5, 0.2, 0.1])


def cells(drive: float = 1.0) -> brnn.Network:
    """Factors at projections, quadratic gates, two states a cell, clamped cells, a norm."""
    layers = [
        brnn.Layer.additive("a", 3, A=0.8, initial=A0),
        brnn.Layer.additive("m", 3, A=0.9, initial=M0),
        brnn.Layer.additive("gated", 3, A=1.0),
        brnn.Layer.additive("quadratic", 3, A=0.7),
        TransmittedLayer("two", 3, A=0.5, B=1.0, C=1.0, E=0.0, F=1.0),
        TransmitterLayer("store", 3, H=0.6, K=1.2, L=0.5, Q=0.25, initial=1.2, inputs_of="two"),
        brnn.ClampedLayer("clamped", 3, A=1.0, B=1.0, C=0.0, E=1.0, F=0.0, initial=0.2),
        brnn.NormLayer("norm", 1, tau=0.3),
    ]
    gate = brnn.QuadraticGate(0.3, 1.5, 0.8, 2.5, initial=0.4)
    links = [
        brnn.Projection("a", "gated", modulation=brnn.Modulation("m", gain=1.5, base=0.5)),
        brnn.Projection("a", "quadratic", topology=brnn.OneToOne(2.0), gate=gate, name="gate"),
        brnn.Projection("a", "two", topology=brnn.AllToAll(0.5)),
        brnn.Projection("store", "two", "modulatory", topology=brnn.OneToOne()),
        brnn.Projection("m", "clamped", "inhibitory", topology=brnn.OneToOne()),
        brnn.Projection("a", "norm", signal=brnn.Power(1.0, 2.0), topology=brnn.AllToAll()),
    ]
    stimuli = [brnn.Stimulus("a", pattern=drive * INPUT), brnn.Stimulus("clamped", pattern=0.7)]
    return brnn.Network("cells", layers, links, stimuli, duration=4.0)


def cells_by_hand(drive: float = 1.0) -> dict[str, np.ndarray]:
    def slopes(t: float, u: np.ndarray) -> np.ndarray:
        a, m, x, q, v, s, c = u[:21].reshape(7, 3)
        n, y = u[21], u[22:]
        all_a = 0.5 * a.sum()
        pushed = -c + 0.7 - m
        return np.concatenate([
            -0.8 * a + drive * INPUT,
            -0.9 * m,
            -x + a * (0.5 + 1.5 * m),
            -0.7 * q + 2.0 * a * y,
            -0.5 * v + (1.0 - v) * all_a * s,
            0.6 * (1.2 - s) - s * (0.5 * all_a + 0.25 * all_a**2),
            np.where((c <= 0.0) & (pushed < 0.0), 0.0, pushed),
            [(math.sqrt((a**2).sum()) - n) / 0.3],
            0.3 * (1.5 - y) - y * (0.8 * a + 2.5 * a**2),
        ])  # fmt: skip

    start = np.concatenate([A0, M0, np.zeros(9), np.full(3, 1.2), np.full(3, 0.2), [0.0], np.full(3, 0.4)])
    end = solve_ivp(slopes, (0.0, 4.0), start, method="DOP853", rtol=1e-9, atol=1e-11, max_step=2e-2).y[:, -1]
    names = ("a", "m", "gated", "quadratic", "two", "store", "clamped")
    return dict(zip(names, end[:21].reshape(7, 3), strict=True)) | {"norm": end[21:22], "gate.y": end[22:]}


RNG = np.random.default_rng(15)
TAPS, MIX = RNG.random((3, 3)), RNG.random((2, 2))
FIRST, LIGHT = RNG.random((2, 4, 6)), RNG.random((4, 6))
ACROSS = {offset: np.zeros((4, 6)) for offset in ((1, 0), (-1, 0), (0, 1), (0, -1))}
for _i, _j in np.ndindex(4, 6):  # what lets through between each cell and the one above, and the one to the left
    if _i:
        ACROSS[1, 0][_i, _j] = ACROSS[-1, 0][_i - 1, _j] = RNG.integers(2)
    if _j:
        ACROSS[0, 1][_i, _j] = ACROSS[0, -1][_i, _j - 1] = RNG.integers(2)


def stacks(drive: float = 1.0) -> brnn.Network:
    """Stacks of maps, and a surface that fills in between boundaries."""
    layers = [
        brnn.Layer.shunting("fine", (2, 4, 6), A=1.0, B=1.0, D=0.3, initial=FIRST),
        brnn.Layer.additive("coarse", (2, 2, 3), A=1.0),
        brnn.Layer.additive("surface", (4, 6), A=0.0, initial=LIGHT),
    ]
    links = [
        brnn.Projection("fine", "fine", "inhibitory", topology=brnn.ChannelKernels(TAPS, [1, 0]), name="other"),
        brnn.Projection("fine", "fine", "excitatory", brnn.Linear(0.2), brnn.AcrossChannels(MIX), name="across"),
        brnn.Projection("fine", "coarse", "excitatory", brnn.Power(drive, 2.0), brnn.BlockSums(2)),
    ]
    for k, (offset, open_) in enumerate(ACROSS.items()):
        layers.append(brnn.Layer.additive(f"P{k}", (4, 6), A=0.0, initial=open_))
        by = brnn.Modulation(f"P{k}")
        links += [
            brnn.Projection("surface", "surface", topology=brnn.Shift(offset), modulation=by, name=f"in{k}"),
            brnn.Projection(
                "surface", "surface", "inhibitory", topology=brnn.OneToOne(), modulation=by, name=f"out{k}"
            ),
        ]
    return brnn.Network("stacks", layers, links, duration=1.5)


def stacks_by_hand(drive: float = 1.0) -> dict[str, np.ndarray]:
    def slopes(t: float, u: np.ndarray) -> np.ndarray:
        x, y, S = u[:48].reshape(2, 4, 6), u[48:60].reshape(2, 2, 3), u[60:].reshape(4, 6)
        inh = np.stack([convolve(x[1], TAPS, mode="constant"), convolve(x[0], TAPS, mode="constant")])
        exc = 0.2 * np.einsum("ck,kij->cij", MIX, x)
        flow = np.zeros((4, 6))
        for (down, right), open_ in ACROSS.items():
            for i, j in np.ndindex(4, 6):
                if open_[i, j]:
                    flow[i, j] += S[i - down, j - right] - S[i, j]
        blocks = drive * (np.maximum(x, 0.0) ** 2).reshape(2, 2, 2, 3, 2).sum(axis=(2, 4))
        return np.concatenate([(-x + (1.0 - x) * exc - (0.3 + x) * inh).ravel(), (-y + blocks).ravel(), flow.ravel()])

    start = np.concatenate([FIRST.ravel(), np.zeros(12), LIGHT.ravel()])
    end = solve_ivp(slopes, (0.0, 1.5), start, method="DOP853", rtol=1e-9, atol=1e-11).y[:, -1]
    return {"fine": end[:48].reshape(2, 4, 6), "coarse": end[48:60].reshape(2, 2, 3), "surface": end[60:].reshape(4, 6)}


WALK = brnn.Trajectory(np.array([1.0, 2.0, 4.0]), np.array([0.0, 3.0, 3.0]), np.array([0.0, 4.0, -4.0]))
DIRECTIONS, OFFSETS, SIZES = (0.3, -1.0, 0.3), (0.0, 4.0, 5.0), np.array([1.0, 2.0, 3.0])


def path() -> brnn.Network:
    """Inputs along a trajectory, of which the second trial is turned by a quarter."""
    tuning = brnn.StripeTuning(np.array(DIRECTIONS), np.array(OFFSETS), 10.0, 2.0)
    course = brnn.AlongTrajectory(WALK, tuning, np.array([0.0, math.pi / 2]))
    stripes = brnn.Stimulus("cells", "excitatory", SIZES, course)
    return brnn.Network("path", [brnn.Layer.additive("cells", 3, A=0.5)], stimuli=[stripes], duration=6.0)


def path_by_hand() -> dict[str, np.ndarray]:
    def slopes(t: float, u: np.ndarray) -> np.ndarray:
        x, y = (float(np.interp(1.0 + t % 3.0, WALK.t, place)) for place in (WALK.x, WALK.y))
        x, y = (x, y) if t < 3.0 else (-y, x)
        across = [x * math.cos(d) + y * math.sin(d) - o for d, o in zip(DIRECTIONS, OFFSETS, strict=True)]
        nearest = np.array([min(abs(p - 10.0 * k) for k in range(-4, 5)) for p in across])
        return -0.5 * u + SIZES * np.exp(-(nearest**2) / 8.0)

    u = np.zeros(3)
    for k in range(2):
        u = solve_ivp(slopes, (3.0 * k, 3.0 * k + 3.0 - 1e-12), u, method="DOP853", rtol=1e-9, atol=1e-11,
                      max_step=3e-2).y[:, -1]  # fmt: skip
    return {"cells": u}


def maps() -> brnn.Network:
    """Switchable connections that events of a network's own rewrite."""
    return eye()


def maps_by_hand() -> dict[str, np.ndarray]:
    """Light falls on the retina at its place less the gaze; the fullest cell draws the gaze there."""
    light, seen, memory = np.array([0.0, 0.0, 1.0, 0.0, 0.9, 0.0, 0.5]), np.zeros(7), np.zeros(7)
    gaze, now = 3, 0.0
    while now < 2.5:
        places = {c: c + gaze - 3 for c in range(7) if 0 <= c + gaze - 3 < 7}
        rate = np.array([light[places[c]] if c in places else 0.0 for c in range(7)])
        with np.errstate(divide="ignore"):
            wait = np.where(rate > 0.0, (1.0 - seen) / rate, np.inf)
        step = min(float(wait.min()), 2.5 - now)

        def slopes(t: float, u: np.ndarray, rate: Any = rate, places: Any = places) -> np.ndarray:
            grows = np.zeros(7)
            for c, place in places.items():
                grows[place] = u[c]
            return np.concatenate([rate, grows])

        end = solve_ivp(slopes, (0.0, step), np.concatenate([seen, memory]), rtol=1e-10, atol=1e-12).y[:, -1]
        seen, memory, now = end[:7], end[7:], now + step
        if now < 2.5:
            gaze = places[int(np.argmin(wait))]
            seen = np.zeros(7)
            light[2] = 0.0
    return {"memory": memory, "gaze": np.eye(7)[gaze]}


class Part(NamedTuple):
    """A network, the same by hand, solvers that refuse it besides `OTHERS`, and why it is none for the ensemble."""

    build: Callable[..., brnn.Network]
    by_hand: Callable[..., Mapping[str, np.ndarray]]
    refused: set[str]
    alone: str | None


PARTS = {
    "F1 F2 F3 F5 F11": Part(cells, cells_by_hand, set(), None),
    "F8 F9": Part(stacks, stacks_by_hand, {"interpreted", "ROS34PW2-totals"}, None),
    "F7": Part(path, path_by_hand, {"compiled", "interpreted", "ROS34PW2-totals"}, "it has inputs along a trajectory"),
    "F4": Part(
        maps, maps_by_hand, {"compiled", "interpreted", "Euler", "GaussSeidel", "ROS34PW2-totals"}, "it has events"
    ),
}
known = cache(lambda name, *arguments: PARTS[name].by_hand(*arguments))


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("name", PARTS)
def test_in_every_solver(name: str, solver: str) -> None:
    part = PARTS[name]
    network = brnn.Network.from_json(part.build().to_json())
    steps = {"Euler": 1e-3, "GaussSeidel": 5e-3}
    # Where a trajectory turns no step ends: with RK45 and Tsit5 that costs 19 to 29 tolerances in the middle of 31
    # values from 1e-8 to 1e-6, and up to 111.
    rtol = 1e-8 if name == "F7" else 1e-7
    accuracy: dict[str, Any] = {"step": steps[solver]} if solver in steps else {"rtol": rtol, "atol": rtol / 100.0}
    if solver in part.refused | OTHERS:
        with pytest.raises(brnn.InputError, match=f"^solver = {solver!r}: ") as error:
            brnn.simulate(network, solver=solver, **accuracy)
        assert "\n" not in str(error.value)
        return
    result = brnn.simulate(network, times=[0.0, network.duration], solver=solver, **accuracy)
    for layer, wanted in known(name).items():
        error_allowed = {"Euler": 3e-3, "GaussSeidel": 1e-3}.get(solver, 2e-6)  # where a cell leaves its clamp
        np.testing.assert_allclose(result.final(layer), wanted, atol=error_allowed, rtol=error_allowed, err_msg=layer)


@pytest.mark.parametrize("name", PARTS)
def test_in_the_ensemble(name: str) -> None:
    part = PARTS[name]
    assert unfit(part.build()) == part.alone
    if part.alone is not None:
        return
    drives = (1.0, 0.4)
    members = [part.build(drive) for drive in drives]
    for layer in known(name):
        if "." in layer:
            continue  # a gate: what it lets through is compared
        found = side_by_side(members, layer, [members[0].duration], rtol=1e-7, atol=1e-9)
        for drive, values in zip(drives, found, strict=True):
            np.testing.assert_allclose(values[-1], known(name, drive)[layer], atol=2e-6, rtol=2e-6, err_msg=layer)


@pytest.mark.parametrize("solver", [name for name in SOLVERS if name not in {"auto", "Euler", *OTHERS}])
def test_cells_that_fire_need_equal_steps(solver: str) -> None:
    network = brnn.Network("fire", [SpikingLayer("cell", 1, step=1e-3)])
    with pytest.raises(brnn.InputError, match="must be one of auto, Euler \\(cells that fire need equal steps\\)"):
        brnn.simulate(network, 1.0, solver=solver)
