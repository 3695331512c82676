"""Schedules: how the strength of a stimulus changes in time."""

from brnn.spec.schedules.base import Schedule, Segment
from brnn.spec.schedules.courses import Noise, Ramp, Samples, Sine
from brnn.spec.schedules.phases import InPhase, Presented
from brnn.spec.schedules.pulses import Constant, Pulse, Pulses, Sequence
from brnn.spec.schedules.white import WhiteNoise

__all__ = [
    "Constant",
    "InPhase",
    "Noise",
    "Presented",
    "Pulse",
    "Pulses",
    "Ramp",
    "Samples",
    "Schedule",
    "Segment",
    "Sequence",
    "Sine",
    "WhiteNoise",
]
