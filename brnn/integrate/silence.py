"""What of a network does nothing in a run, which is more often a slip than meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from brnn.base.words import number_in_words
from brnn.spec.events.protocol import PhaseStimulus
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.schedules import Pulse, Schedule
from brnn.spec.schedules.base import OnInIntervals
from brnn.spec.stimulus import Stimulus
from brnn.spec.variable import Variable

__all__ = ["what_stays_silent"]


def what_stays_silent(network: Network, state: np.ndarray, variables: Sequence[Variable], duration: float) -> list[str]:
    """Return a line for each input that is never on, and one if nothing drives the network at all.

    Parameters
    ----------
    network : Network
        The network.
    state : ndarray
        The state vector at time 0.
    variables : sequence of Variable
        Its blocks.
    duration : float
        How long the run may take.
    """
    never = [stimulus for stimulus in network.stimuli if _never_on(stimulus, duration)]
    lines = [
        f"{stimulus.label} is never on in this run, which goes from 0 to {number_in_words(duration)}: its schedule is "
        f"{stimulus.schedule!r}"
        for stimulus in never
    ]
    driving = [s for s in network.stimuli if not any(s is other for other in never) and np.any(s.pattern)]
    active = any(np.any(state[v.start : v.stop]) for v in variables if v.role == "stm")
    if not driving and not active and not network.events and _silent_at_zero(network):
        lines.append(
            f"{network.name} has no input in this run and no activity at time 0, so that it stays at 0: give it a "
            "Stimulus, or its layers initial="
        )
    return lines


def _never_on(stimulus: Stimulus, duration: float) -> bool:
    if isinstance(stimulus, PhaseStimulus) or not stimulus.on:
        return False
    intervals = _intervals(stimulus.schedule)
    return intervals is not None and not np.any((intervals[:, 0] < duration) & (intervals[:, 1] > 0.0))


def _intervals(schedule: Schedule) -> np.ndarray | None:
    """Return when a schedule is on, if it is on and off."""
    if isinstance(schedule, Pulse):
        return np.array([[schedule.on, schedule.off]])
    return np.asarray(schedule.intervals) if isinstance(schedule, OnInIntervals) else None


def _silent_at_zero(network: Network) -> bool:
    """Tell whether 0 is an equilibrium without inputs: cells of equation (9), and signals with f(0) = 0."""
    return all(type(layer) in (Layer, GatedLayer) for layer in network.layers) and not any(
        link.signal(0.0) for link in network.projections
    )
