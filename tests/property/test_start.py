"""Random networks, run in two parts: the second goes on from the first, and the two are the undivided run."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import floats, shunting_networks

import brnn

LENGTH = 4.0


def check(network: brnn.Network, split: float, after: float, **options: Any) -> None:
    """Compare a run divided at `split`, whose first part ends there or `after` it, with the undivided one."""
    times = [split, 0.5 * (split + LENGTH), LENGTH]
    whole = brnn.simulate(network, LENGTH, times=times, **options)
    first = brnn.simulate(network, min(split + after, LENGTH), times=[split], **options)
    second = brnn.simulate(network, LENGTH - split, start=first, at=split, times=times, **{**options, "seed": None})
    for name in whole:
        largest = float(np.abs(whole[name].values).max())
        np.testing.assert_allclose(second[name].values, whole[name].values, atol=1e-6 + 1e-5 * largest, rtol=0.0)


@given(network=shunting_networks(layers=2, projections=2, structures=6), split=floats(0.1, 3.9))
@settings(max_examples=20, deadline=None)
def test_layers_and_schedules(network: brnn.Network, split: float) -> None:
    check(network, split, 0.0, rtol=1e-8, atol=1e-10)


@st.composite
def delayed(draw: st.DrawFn) -> brnn.Network:
    """Two layers, a gate and weights, signals that travel, an input that comes and goes."""
    link = brnn.Projection(
        "a", "b", signal=brnn.Saturating(draw(floats(0.5, 2)), 0.5), topology=brnn.AllToAll(draw(floats(0.1, 1))),
        gate=brnn.HabituativeGate(draw(floats(0.1, 1)), 1.0, draw(floats(0.1, 1))),
        learning=brnn.Outstar(draw(floats(0.1, 1))), delay=draw(floats(0.2, 1.5)), name="p",
    )  # fmt: skip
    back = brnn.Projection("b", "a", "inhibitory", brnn.Linear(draw(floats(0, 1))), brnn.AllToAll(), delay=0.7)
    on = draw(floats(0, 3))
    layers = [brnn.Layer.shunting("a", 2, A=1.0, B=2.0, initial=0.5), brnn.Layer.shunting("b", 2, A=0.5, B=2.0)]
    drive = brnn.Stimulus("a", pattern=[1.0, draw(floats(0, 3))], schedule=brnn.Pulse(on, on + draw(floats(0.1, 2))))
    return brnn.Network("delayed", layers, [link, back], [drive])


@given(network=delayed(), split=floats(0.1, 3.9))
@settings(max_examples=15, deadline=None)
def test_delays_gates_and_weights(network: brnn.Network, split: float) -> None:
    check(network, split, 0.0, solver="RK45", rtol=1e-8, atol=1e-10)


@given(
    drive=st.lists(floats(0.5, 4), min_size=3, max_size=3), strength=floats(0, 0.5), seed=st.integers(0, 2**32),
    split=floats(0.1, 3.9), after=floats(0, 1),
)  # fmt: skip
@settings(max_examples=15, deadline=None)
def test_events_and_random_numbers(drive: list[float], strength: float, seed: int, split: float, after: float) -> None:
    events = [
        brnn.Event("spike", brnn.Crossing("x", 0.7), brnn.SetState("x")),
        brnn.Event("draw", brnn.AtTimes([0.4, 1.7, 3.1]), brnn.SampleWinner("x", brnn.Linear(), 0.4, None)),
    ]
    layer = brnn.Layer.additive("x", 3, A=1.0)
    inputs = [brnn.Stimulus("x", pattern=drive)]
    check(
        brnn.Network("spiking", [layer], stimuli=inputs, events=events),
        split, after, seed=seed, solver="DOP853", rtol=1e-10, atol=1e-12,
    )  # fmt: skip
    noise = brnn.Stimulus("x", pattern=strength, schedule=brnn.WhiteNoise())
    check(brnn.Network("noisy", [layer], stimuli=[*inputs, noise]), split, after, seed=seed, step=0.01)
