"""Small networks which together hold every part of a network that can be written down as data."""

from __future__ import annotations

import numpy as np

import brnn
from tests.parts import eye

MODELS = ("rcf", "additive", "store", "outstar", "gated_dipole", "bam", "instar", "vite", "art1", "fuzzy_art")


def networks() -> list[brnn.Network]:
    """Return the models, the latest at a small size, and parts that none of them has."""
    models = [brnn.models.load(name).build() for name in MODELS]
    return [*models, *latest(), quick_eye(), of_rare_parts()]


def latest() -> list[brnn.Network]:
    """Return models with maps, events, movies, paths and spikes."""
    t = 0.02 * np.arange(50)
    path = brnn.Trajectory(t, 20.0 * np.sin(t), 10.0 * t, arena=(-30.0, 30.0, -30.0, 30.0))
    movie = np.random.default_rng(1).integers(0, 255, (3, 12, 16), dtype=np.uint8)
    return [
        brnn.models.load("listelos").build(),
        brnn.models.load("saccade_generator").build(),
        brnn.models.load("art2").build(each=8.0),
        brnn.models.load("gridsmap").build(trajectory=path, cells=2, directions=3, phases=2),
        brnn.models.load("grid_cells").build(trajectory=path, cells=4, directions=3, phases=2, place_cells=2),
        brnn.models.load("vistars").build(frames=movie, scales=1),
    ]


def quick_eye() -> brnn.Network:
    """Return a map of the eye beside one of the head, which an event moves, in bright light."""
    return eye([0.0, 0.0, 10.0, 0.0, 9.0, 0.0, 5.0], 0.5)


def of_rare_parts() -> brnn.Network:
    """Return a network of the parts that no model has."""
    layers = [
        brnn.Layer.shunting("a", (3, 4), A=1.0, B=2.0),
        brnn.Layer.shunting("b", (3, 4), A=1.0, B=2.0),
        brnn.ModulatedLayer("c", (3, 4), A=1.0, B=1.0),
        brnn.ClampedLayer("d", (3, 4), A=1.0, B=1.0, E=0.5),
    ]
    projections = [
        brnn.Projection(
            "a",
            "b",
            "excitatory",
            brnn.Sigmoid(),
            brnn.AllToAll(),
            name="learned",
            learning=brnn.DoublyGated(rate=1.0, initial=0.5),
            gate=brnn.QuadraticGate(0.5, 1.0, 2.0, 3.0),
            modulation=brnn.Modulation("c", brnn.Saturating(), base=1.0),
        ),
        brnn.Projection(
            "b",
            "a",
            "inhibitory",
            brnn.Power(1.0, 2.0),
            brnn.DifferenceOfGaussians(1.0, 1.0, 0.5, 2.0),
            name="surround",
            delay=0.1,
        ),
        brnn.Projection("a", "c", "modulatory", topology=brnn.OneToOne()),
        brnn.Projection("a", "d", "excitatory", topology=brnn.GaussianKernel(1.0, 1.0)),
    ]
    t = np.linspace(0.0, 1.0, 20)
    path = brnn.Trajectory(t, 10.0 * t, 5.0 - 10.0 * t, arena=(0.0, 10.0, -5.0, 5.0))
    places = brnn.PlaceTuning(np.linspace(0.0, 10.0, 12).reshape(3, 4), 0.0, 3.0)
    stimuli = [
        brnn.Stimulus("a", "excitatory", np.linspace(0.0, 1.0, 12).reshape(3, 4), brnn.Sine(2.0), name="waves"),
        brnn.Stimulus("b", "excitatory", 0.5, brnn.Ramp(0.0, 0.2), name="slope"),
        brnn.Stimulus("c", "excitatory", 0.2, brnn.Noise(seed=3, interval=0.1), name="noise"),
        brnn.Stimulus("d", "excitatory", np.ones(12).reshape(3, 4), brnn.Pulse(0.1, 0.3), name="pulse"),
        brnn.Stimulus("b", "inhibitory", 1.0, brnn.AlongTrajectory(path, places), name="place"),
    ]
    events = [
        brnn.Event("draw", brnn.AtTimes([0.2]), [brnn.SampleWinner("a")]),
        brnn.Event("change", brnn.AtTimes([0.25]), [brnn.SetParameter("b.A", 2.0)]),
        brnn.Event("switch", brnn.Crossing("b.x", 0.05), [brnn.SwitchStimulus("slope", False)]),
        brnn.Event("start", brnn.AtTimes([0.3]), [brnn.StartStimulus("pulse")]),
        brnn.Event("stop", brnn.Crossing("d.x", 5.0), [brnn.StopRun()]),
    ]
    return brnn.Network("rare", layers, projections, stimuli, events=events, duration=0.5)
