"""What the layers of members were given, with which measures compare what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from brnn.base.tracer import Varying
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network

__all__ = ["NO_PATTERNS", "GivenPatterns", "given_patterns"]


@dataclass(frozen=True)
class GivenPatterns:
    """What layers of members were given, as measures compare with it.

    Attributes
    ----------
    patterns : dict of ndarray, shape (members, cells)
        For each layer its initial activities or, if these are all 0, its first excitatory input.
    ceilings : dict of ndarray, shape (members,)
        For each layer the largest activity that is possible; infinite where there is no such bound.
    """

    patterns: Mapping[str, np.ndarray]
    ceilings: Mapping[str, np.ndarray]

    def part(self, start: int, stop: int) -> GivenPatterns:
        """Return that of the members `start` .. `stop` - 1."""
        own = slice(start, stop)
        patterns = {name: values[own] for name, values in self.patterns.items()}
        return GivenPatterns(patterns, {name: values[own] for name, values in self.ceilings.items()})

    @classmethod
    def together(cls, parts: Sequence[GivenPatterns]) -> GivenPatterns:
        """Return that of all members from those of each."""
        if not parts:
            return cls({}, {})
        return cls(
            {name: np.concatenate([part.patterns[name] for part in parts]) for name in parts[0].patterns},
            {name: np.concatenate([part.ceilings[name] for part in parts]) for name in parts[0].ceilings},
        )


NO_PATTERNS = GivenPatterns({}, {})


def given_patterns(network: Network, members: int = 1) -> GivenPatterns:
    """Return what the layers of so many members were given; `network` may have Varying numbers."""
    patterns, ceilings = {}, {}
    for layer in network.layers:
        pattern = np.asarray(layer.start("x", layer.cells), dtype=np.float64).reshape(layer.cells)
        if not pattern.any():
            pattern = _first_input(network, layer.name, pattern)
        patterns[layer.name] = np.broadcast_to(pattern, (members, pattern.size))
        ceilings[layer.name] = np.broadcast_to(_ceiling(layer), (members,))
    return GivenPatterns(patterns, ceilings)


def _first_input(network: Network, name: str, nothing: np.ndarray) -> np.ndarray:
    """Return the first input of a layer that is not 0, or nothing if there is none."""
    own = [s for s in network.stimuli if s.target == name and s.kind == "excitatory" and not s.schedule.white]
    if own:
        duration = natural_duration(network)
        for start, stop in pairwise([0.0, *network.breaks(duration), duration]):
            inputs = sum(stimulus.at(0.5 * (start + stop), network.layer(name).shape) for stimulus in own)
            if np.any(inputs):
                return np.ravel(inputs)
    return nothing


def _ceiling(layer: Any) -> Any:
    """Return the upper bound of a layer's activities, or an array with that of each member."""
    B, C = getattr(layer, "B", None), getattr(layer, "C", None)
    if B is None or C is None:
        bounds = layer.bounds()
        return np.inf if bounds is None else np.max(bounds[1])
    if isinstance(B, np.ndarray) or isinstance(C, np.ndarray):
        with np.errstate(divide="ignore"):
            return np.max(B / C)
    bound = B / C if C > 0.0 else np.inf
    return bound.values if type(bound) is Varying else bound
