"""What of a network does nothing in a run, which is more often a slip than meant."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from brnn.base.words import number_in_words
from brnn.spec.events.protocol import PhaseStimulus
from brnn.spec.events.set_state import SetState
from brnn.spec.events.stimulus_actions import SwitchStimulus
from brnn.spec.events.triggers import AtTimes, Event
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.schedules import Pulse, Schedule
from brnn.spec.schedules.base import OnInIntervals
from brnn.spec.stimulus import Stimulus
from brnn.spec.variable import Variable

__all__ = ["what_stays_silent"]

_LOOKED_AT = 1000  # pieces of a schedule
_WITHIN = (0.041, 0.273, 0.519, 0.767, 0.983)  # of a piece


def what_stays_silent(network: Network, state: np.ndarray, variables: Sequence[Variable], duration: float) -> list[str]:
    """Return a line for each input that is never on, each event that never happens, and one if nothing drives it all.

    Inputs and events that end after the run are no slip, and neither are events that only switch something off then.

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
    lines += [
        f"{event.label} never happens in this run, which goes from 0 to {number_in_words(duration)}: {event.when.words}"
        for event in network.events
        if isinstance(event.when, AtTimes) and np.min(event.when.at) > duration and not _only_ends(event)
    ]
    driven = any(_not_zero(s.pattern) for s in network.stimuli if not any(s is other for other in never))
    active = driven or any(np.any(state[v.start : v.stop]) for v in variables if v.role == "stm")
    if not active and not network.events and _silent_at_zero(network):
        lines.append(
            f"{network.name} has no input in this run and no activity at time 0, so that it stays at 0: give it "
            "an input, or initial activities"
        )
    return lines


def _never_on(stimulus: Stimulus, duration: float) -> bool:
    if isinstance(stimulus, PhaseStimulus) or not stimulus.on:
        return False
    schedule = stimulus.schedule
    intervals = _intervals(schedule)
    if intervals is not None:
        return not np.any((intervals[:, 0] < duration) & (intervals[:, 1] > 0.0))
    if schedule.white or schedule.per_cell:
        return False
    edges = np.array([0.0, *schedule.breaks(duration), duration])
    if edges.size > _LOOKED_AT:
        return False
    pattern = np.ones_like(stimulus.pattern)
    return not any(_is_on(schedule, pattern, *ends) for ends in pairwise(edges.tolist()))


def _is_on(schedule: Schedule, pattern: np.ndarray, begin: float, end: float) -> bool:
    segment = schedule.segment(0.5 * (begin + end), pattern)
    looked_at = begin + (end - begin) * np.array(_WITHIN)
    return bool(
        _not_zero(segment.base)
        or (np.any(segment.varying) and any(np.any(schedule.factor(time, segment)) for time in looked_at.tolist()))
    )


def _not_zero(pattern: float | np.ndarray) -> bool:
    """Tell whether an element is not 0: of most patterns the first one is not."""
    values = np.asarray(pattern)
    return bool(values.size and (values.flat[0] or np.any(values)))


def _only_ends(event: Event) -> bool:
    """Tell whether an event does nothing but set states to 0 and switch stimuli off."""
    return bool(event.actions) and all(
        (isinstance(action, SetState) and not np.any(action.value) and action.scale == 0.0)
        or (isinstance(action, SwitchStimulus) and not action.on)
        for action in event.actions
    )


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
