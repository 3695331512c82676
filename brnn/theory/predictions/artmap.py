"""What is known of an ARTMAP network before it is trained: counts, numbers of nodes, and how far weights can go."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.spec.events.artmap_pass import ArtmapPass
from brnn.spec.events.triggers import PhaseBegins
from brnn.spec.network import Network
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet

if TYPE_CHECKING:
    from brnn.result.result import Result

__all__ = ["learned_map"]

_MAP = "an ARTMAP network (`ArtmapPass`)"
_SOURCE = "Carpenter (1997), Neural Netw. 10, 1473-1494; derived from its equations"


def learned_map(network: Network) -> list[Prediction] | Unmet:
    """Give the sum of the instance counts, the number of nodes, and the largest thresholds."""
    passes = [(event.when, a) for event in network.events for a in event.actions if isinstance(a, ArtmapPass)]
    training = [(when, a) for when, a in passes if a.begins == "train" and isinstance(when, PhaseBegins)]
    if len(training) != 1:
        return Unmet(_MAP, "one event that trains it when a phase begins")
    when, rule = training[0]
    weights = [network.layer(getattr(rule, name)) for name in ("instar", "outstar", "count", "labels")]
    if any(layer.start("x", layer.cells).any() for layer in weights):
        return Unmet(_MAP, "weights that begin at 0")
    times = when.times(network)
    A, K = _shown(network, rule.input, times), _shown(network, rule.target, times)
    classes = np.unique(K.argmax(axis=1)).size
    nodes, count = network.layer(rule.count).cells, len(times)
    enough = "as many nodes as patterns" if nodes >= count else "nodes that may all be used before the end"
    until = float(times[-1])
    low, most = min(nodes, classes), min(nodes, count)
    reach = 1.0 - A.min(axis=0)
    return [
        Prediction(
            "patterns learned",
            float(count) if nodes >= count else (0.0, float(count)),
            f"the instance counts add up to {'' if nodes >= count else 'at most '}{count}",
            f"sum_j y_j = 1 in each pattern that is learned; {enough}",
            _SOURCE,
            kind="near" if nodes >= count else "within",
            _measure=partial(_total, name=f"{rule.count}.x", until=until),
        ),
        Prediction(
            "nodes",
            (float(low), float(most)),
            f"{low} to {most}: one for each class at least, one for each pattern at most",
            "weights that begin at 0",
            _SOURCE,
            kind="within",
            _measure=partial(_nodes, name=f"{rule.labels}.x", until=until),
        ),
        Prediction(
            f"largest {rule.instar}.x",
            (0.0, np.broadcast_to(reach, (nodes, reach.size))),
            "tau_ij <= 1 - min A_i over the patterns that are learned: categories stay within them",
            "weights that begin at 0; beta <= 1",
            _SOURCE,
            kind="within",
            _measure=partial(_last, name=f"{rule.instar}.x", until=until),
        ),
    ]


def _shown(network: Network, layer: str, times: np.ndarray) -> np.ndarray:
    """Return what a layer is shown at these times, one row for each."""
    shape = network.layer(layer).shape
    own = [s for s in network.stimuli if s.target == layer and s.kind == "excitatory"]
    return np.array([sum((s.at(float(t), shape) for s in own), np.zeros(shape)) for t in times])


def _last(result: Result, name: str, until: float) -> np.ndarray:
    last: Any = result[name]
    if float(last["time"].values[-1]) < until:
        raise NotMeasured(f"{name}: the run ended before the last pattern was learned, at t = {until:g}")
    return np.asarray(last.values[-1], dtype=np.float64)


def _total(result: Result, name: str, until: float) -> float:
    return float(_last(result, name, until).sum())


def _nodes(result: Result, name: str, until: float) -> float:
    return float(_last(result, name, until).any(axis=1).sum())
