"""The seed of each member, for white noise and chance events."""

from __future__ import annotations

import numpy as np

__all__ = ["member_seeds"]


def member_seeds(root: int, members: np.ndarray) -> np.ndarray:
    """Return the seed of each member: a hash (splitmix64) of the root and its number, the same wherever it runs.

    It has 53 bits, so that it is the same number in whatever it is read with.
    """
    base = np.random.SeedSequence(root).generate_state(1, np.uint64)[0]
    with np.errstate(over="ignore"):
        z = base + (members.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray((z ^ (z >> np.uint64(31))) >> np.uint64(11))
