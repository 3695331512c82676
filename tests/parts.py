"""Networks of what no published model has in it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sparse

import brnn


def every_part() -> brnn.Network:
    """Return a network of the parts that no published model has."""
    field = brnn.Layer.shunting("F", (3, 4), A=np.arange(12.0).reshape(3, 4), B=2.0, D=0.5, initial=0.25)
    out = brnn.Layer.additive("out", 5, A=1.0)
    links = [
        brnn.Projection("F", "F", topology=brnn.DifferenceOfGaussians(), name="dog"),
        brnn.Projection("F", "F", topology=brnn.Kernel(np.arange(9.0).reshape(3, 3)), name="kernel"),
        brnn.Projection("F", "F", topology=brnn.Shift((1, 2), 0.5, "periodic"), name="shift"),
        brnn.Projection(
            "F",
            "out",
            "inhibitory",
            brnn.Expression("c*w**2", c=2.0),
            brnn.Sparse(sparse.csr_array(np.eye(5, 12) * 0.1)),
            learning=brnn.PassiveDecay(decay=0.3, initial=np.arange(5.0)),
            name="sparse",
        ),
        brnn.Projection(
            "F",
            "out",
            topology=brnn.Dense(np.ones((5, 12))),
            gate=brnn.HabituativeGate(1, 2, 3, "connection", np.full((5, 12), 0.1)),
            learning=brnn.DoublyGated(gating=brnn.Step()),
            name="dense",
        ),
    ]
    stimuli = [
        brnn.Stimulus("F", "excitatory", 0.1, brnn.Sine(2.0)),
        brnn.Stimulus("F", "excitatory", np.ones((3, 4)), brnn.Samples([0.0, 1.0], [0.5, 0.75]), "lamp", on=False),
        brnn.Stimulus("out", "excitatory", np.arange(10.0).reshape(2, 5), brnn.Sequence(np.array([0, 1]), 1.0, 0.5)),
        brnn.Stimulus("out", "inhibitory", 0.1, brnn.Noise(3)),
        brnn.Stimulus("out", "inhibitory", 0.1, brnn.Ramp(0.0, 1.0)),
    ]
    then = [brnn.SetState("out", np.arange(5.0), [0, 1]), brnn.SwitchStimulus("lamp", True), brnn.SampleWinner("out")]
    events = [
        brnn.Event("up", brnn.Crossing("out", 0.5), then, True, 0.25, brnn.Pulse(1.0, 2.0)),
        brnn.Event("now", brnn.AtTimes([0.5, 0.75]), brnn.StopRun()),
    ]
    return brnn.Network("all", [field, out], links, stimuli, events=events, duration=3.0, time_units="s", reference="R")


def delayed() -> brnn.Network:
    """Return a network whose signals are late."""
    link = brnn.Projection("F", "F", delay=0.5, topology=brnn.Chain())
    return brnn.Network("late", [brnn.Layer.additive("F", 3, A=1.0)], [link])


def eye(light: Sequence[float] = (0.0, 0.0, 1.0, 0.0, 0.9, 0.0, 0.5), duration: float = 2.5) -> brnn.Network:
    """Cells of the eye charge until one crosses; then the eye looks there, and they are emptied."""
    n, centre = 7, 3
    move = brnn.MoveMaps("gaze", centre, outward=["places"], inward=["retina"])
    return brnn.Network(
        "eye",
        [
            brnn.Layer.additive("seen", n, A=0.0),
            brnn.Layer.additive("light", n, A=0.0, initial=light),
            brnn.Layer.additive("memory", n, A=0.0),
            brnn.Layer.additive("gaze", n, A=0.0, initial=np.eye(n)[centre]),
        ],
        [
            brnn.Projection("light", "seen", topology=brnn.IndexShift(), name="retina"),
            brnn.Projection("seen", "memory", topology=brnn.IndexShift(), name="places"),
        ],
        events=[
            brnn.Event(
                "move",
                brnn.Crossing("seen", 1.0, per="maximum"),
                [move, brnn.SetState("seen", 0.0, "all"), brnn.SetState("light", 0.0, [2])],
            ),
            brnn.Event("saccade", brnn.Crossing("gaze", 0.5)),
        ],
        duration=duration,
    )
