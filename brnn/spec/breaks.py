"""In which pieces a network is integrated: between the times at which its inputs, or what delays make of them, jump."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from brnn.spec.network import Network

__all__ = ["NEAR", "propagated", "segments", "sums_of"]

_ORDER = 5  # of the methods that integrate delays: a jump that is smoother than this needs no restart
_MOST = 20_000
NEAR = 1e-12  # of the duration: so near to each other, break points are one


def propagated(breaks: np.ndarray, delays: tuple[float, ...], duration: float) -> np.ndarray:
    """Return the break points with those that the delays make of them, in (0, duration).

    Sums of up to five delays are taken; fewer if there would be more than 20,000 times.
    """
    origins = np.concatenate([[0.0], breaks])
    found = np.unique(np.add.outer(origins, sums_of(delays, _MOST // origins.size)))
    found = found[(found > 0) & (found < duration)]
    close = np.diff(found, prepend=-np.inf) < NEAR * duration
    return found[~close]


def sums_of(delays: tuple[float, ...], most: int) -> np.ndarray:
    """Return the sums of up to five delays, 0 among them; of fewer if there would be more than `most`."""
    sums = np.zeros(1)
    for _ in range(_ORDER):
        more = np.unique(np.add.outer(sums, np.array((0.0, *delays))))
        more = more[np.diff(more, prepend=-np.inf) > NEAR * more]
        if more.size > most:
            break
        sums = more
    return sums


def segments(network: Network, duration: float, delays: tuple[float, ...] = ()) -> list[tuple[float, float]]:
    """Return the pieces [start, stop] between the break points of all schedules, and those that delays make of them."""
    breaks = network.breaks(duration)
    if delays:
        breaks = propagated(breaks, delays, duration)
    edges = np.concatenate([[0.0], breaks, [duration]])
    return [(float(start), float(stop)) for start, stop in pairwise(edges)]
