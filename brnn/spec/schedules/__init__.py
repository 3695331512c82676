"""Schedules: how the strength of a stimulus changes in time.

A new schedule is one new file here: it is found and registered by itself. The files that are named below are named for
type checkers only, which cannot find any.
"""

from brnn.base.publish import publish
from brnn.spec.schedules.along import *
from brnn.spec.schedules.base import Schedule as Schedule
from brnn.spec.schedules.base import Segment
from brnn.spec.schedules.courses import *
from brnn.spec.schedules.frames import *
from brnn.spec.schedules.phases import *
from brnn.spec.schedules.pulses import *
from brnn.spec.schedules.white import *

__all__ = ["Segment"]
__all__ += publish(__name__, Schedule)
