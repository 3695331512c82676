"""Which associations a list leaves behind in a network that learns all of them: `brnn.theory.serial`, on a Network."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.signals import ThresholdLinear
from brnn.spec.layers.generalized import Layer
from brnn.spec.learning import PassiveDecay
from brnn.spec.network import Network
from brnn.spec.schedules.base import OnInIntervals
from brnn.spec.topologies.uniform import AllButSelf
from brnn.theory import serial
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases
from brnn.theory.predictions.measuring import saved

__all__ = ["learned_list"]

_LIST = "serial learning of all associations between items, without feedback (39)"
_SOURCE = "Grossberg (1969), Math. Biosci. 4, 255-310; integrals of exponentials, brnn.theory.serial"
_LINEAR = ThresholdLinear()


def learned_list(network: Network) -> list[Prediction] | Unmet:
    """Give all weights when learning ends, and the position at which the right association is weakest."""
    layer: Any = network.layers[0]
    links: Any = network.projections
    if len(network.layers) != 1 or type(layer) is not Layer or len(links) != 1 or network.events:
        return Unmet(_LIST, "one layer, one projection within it, and no events")
    (link,) = links
    law = link.learning
    if not isinstance(law, PassiveDecay) or not isinstance(link.topology, AllButSelf) or link.gate is not None:
        return Unmet(_LIST, "associations between all items that forget passively (39)")
    if link.topology.weight != 0.0:
        return Unmet(_LIST, f"no feedback: D = 0 (it has {float(np.max(link.topology.weight)):g})")
    sent = link.signal
    if not (isinstance(sent, ThresholdLinear) and sent.gain == 1.0 and np.isinf(sent.ceiling) and law.sampling is None):
        return Unmet(_LIST, "signals [x - threshold]+")
    if law.sampled != _LINEAR or not layer.accepts_signed_input() or np.ptp(layer.A) or np.any(layer.initial):
        return Unmet(_LIST, "additive cells that are silent at first, and weights that learn their activities")
    if np.any(law.initial) or (law.schedule is not None and not isinstance(law.schedule, OnInIntervals)):
        return Unmet(_LIST, "no associations at first, and one time of learning")
    end = network.duration if law.schedule is None else float(law.schedule.intervals[-1, 1])
    if end is None or (law.schedule is not None and not np.array_equal(law.schedule.intervals, [[0.0, end]])):
        return Unmet(_LIST, "learning from time 0 on to one end")
    shown = _shown(network, layer, end)
    if isinstance(shown, Unmet):
        return shown
    onsets, on, strength = shown
    z = serial.associations(
        onsets,
        on,
        strength,
        float(np.max(layer.A)),
        end,
        threshold=sent.threshold,
        tau=link.delay,
        M=law.rate,
        u=law.decay,
    )
    correct = serial.correct(z)
    hardest = int(np.argmin(correct)) + 1
    made = partial(Prediction, hypothesis="no feedback; items shown alike", source=_SOURCE)
    name = f"{link.name}.z"
    return [
        made(
            f"{name} when learning ends",
            z,
            f"the right association is the strongest of {_strongest(z)} of {len(z) - 1} items that have one",
            details={"until": end},
            tolerance=1e-4 * float(np.max(z, initial=1e-3)),
            _measure=partial(_weights, name=name, end=end, decay=law.decay),
        ),
        made(
            "hardest position of the list",
            hardest,
            f"{hardest} of {correct.size}: there the right association has the smallest part, {correct.min():.4g}",
            kind="count",
            _measure=lambda result: int(np.argmin(serial.correct(_weights(result, name, end, law.decay)))) + 1,
        ),
    ]


def _strongest(z: np.ndarray) -> int:
    return int(sum(z[:, j].argmax() == j + 1 for j in range(len(z) - 1)))


def _shown(network: Network, layer: Any, end: float) -> tuple[np.ndarray, float, float] | Unmet:
    """Return when each item begins in each trial, shape (items, trials), how long it is on, and its input."""
    if any(s.schedule.varying or s.schedule.white or s.kind != "excitatory" for s in network.stimuli):
        return Unmet(_LIST, "items that are on or off")
    onsets: list[list[float]] = [[] for _ in range(layer.cells)]
    lengths, levels = [], []
    before = np.zeros(layer.cells)
    for phase in constant_phases(network):
        row = phase.inputs[layer.name, "excitatory"].ravel()
        if phase.start >= end:
            break
        for k in np.flatnonzero((row > 0.0) & (before == 0.0)):
            onsets[k].append(phase.start)
        before = row
        if row.any():
            lengths.append(phase.stop - phase.start)
            levels += row[row > 0.0].tolist()
            if np.count_nonzero(row) > 1:
                return Unmet(_LIST, "items that are shown one at a time")
    counts = {len(times) for times in onsets}
    if len(counts) != 1 or counts == {0}:
        return Unmet(_LIST, "a list in which each item is shown equally often")
    if np.ptp(lengths) > 1e-9 or np.ptp(levels) > 0.0:
        return Unmet(_LIST, "items that are shown for equal times, by equal inputs")
    return np.array(onsets), float(lengths[0]), float(levels[0])


def _weights(result: Any, name: str, end: float, decay: float) -> np.ndarray:
    """Return the weights when learning has ended, by those of the next saved time, with 0 from an item to itself."""
    times, values = saved(result, name, None)
    after = np.flatnonzero(times >= end * (1.0 - 1e-12))
    if not after.size:
        raise NotMeasured(f"{name}: the run ended before learning did, at t = {end:g}")
    z = np.asarray(values[after[0]]) * np.exp(decay * (times[after[0]] - end))
    return z * (1.0 - np.eye(len(z)))
