"""How long networks run that nobody gives a duration."""

from __future__ import annotations

from brnn.spec.network import Network

__all__ = ["STEADY_DURATIONS", "natural_duration"]

_DURATION = 20.0  # of a network that names none, in units of time
STEADY_DURATIONS = 1024.0  # how many natural durations a network may take to come to rest


def natural_duration(network: Network) -> float:
    """Return the duration of a network, or the default of those that name none."""
    return network.duration if network.duration is not None else _DURATION
