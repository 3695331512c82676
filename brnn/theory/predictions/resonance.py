"""What adaptive resonance does with a list: categories, resets and templates, by `brnn.theory.art`, on a Network."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from brnn.signals import Signal, ThresholdLinear
from brnn.spec.events.triggers import Crossing
from brnn.spec.layers.gated import GatedLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.learning import Outstar, SelfNormalizing
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules.base import OnInIntervals
from brnn.spec.topologies.uniform import AllButSelf, AllToAll, OneToOne
from brnn.theory import art
from brnn.theory.predictions.base import NotMeasured, Prediction, Unmet, constant_phases
from brnn.theory.predictions.measuring import saved

__all__ = ["resonance"]

_ART = "adaptive resonance with fast learning (ART 1, fuzzy ART)"
_SOURCES = {
    "ART 1": "Carpenter and Grossberg (1987), Comput. Vision Graph. Image Process. 37, 54-115: the algorithm",
    "fuzzy ART": "Carpenter, Grossberg and Rosen (1991), Neural Netw. 4, 759-771: the algorithm",
}
_UNLEARNED = 1e-5  # of a difference between weights and pattern: more is no fast learning
_EACH = 8.0  # times 1/s: what each trial of a category takes in the search
_SEARCHED = 0.7  # of a presentation
_DECIDED = 1e-5  # choices and matches that are nearer to each other may be decided either way


@dataclass(frozen=True, eq=False)
class _Shown:
    """The patterns that a layer receives: rows, and when each begins and ends."""

    rows: np.ndarray
    intervals: np.ndarray


@dataclass(frozen=True, eq=False)
class _Resonance:
    """What theory needs of a network of adaptive resonance."""

    kind: str
    field: str  # the layer of the categories
    memory: str  # the variable of the templates
    sampling: Signal
    shown: _Shown
    rho: float
    learns: bool
    learned: art.LearnedCategories
    categories: int

    def templates(self, values: np.ndarray) -> np.ndarray:
        """Return templates from the values of their variable, shape (categories, cells)."""
        cells = self.shown.rows.shape[1]
        return values.reshape(cells, self.categories).T if self.kind == "ART 1" else values.reshape(-1, cells)


def resonance(network: Network) -> list[Prediction] | Unmet:
    """Give the category and the resets of each presentation, and the templates at the end."""
    found = _art1(network) if any(_learns(p, SelfNormalizing) for p in network.projections) else _fuzzy(network)
    if isinstance(found, Unmet):
        return found
    learned, margin = found.learned, found.learned.closest
    if margin < _DECIDED:
        return Unmet(_ART, f"choices and matches that are told apart (two are {margin:.2g} from each other)")
    labels = learned.labels.ravel()
    close = f"; the closest call is decided by {margin:.3g}" if math.isfinite(margin) else ""
    hypothesis = "learning that ends within a presentation" if found.learns else "weights that have been learned"
    hypothesis += ", a field that chooses the largest T_j" + close
    source = _SOURCES[found.kind]
    made = partial(Prediction, hypothesis=hypothesis, source=source, details={"vigilance": found.rho})
    used = len(np.unique(labels[labels >= 0]))
    shown = " ".join(str(label) if label >= 0 else "none" for label in labels[:40]) + (
        " ..." if labels.size > 40 else ""
    )
    resets = learned.resets.ravel()
    predictions = [
        made(
            "category of each presentation",
            labels.tolist(),
            f"{shown}: {used} {'category' if used == 1 else 'categories'} at vigilance {found.rho:g}",
            kind="order",
            _measure=partial(_labels, found=found),
        ),
        made(
            "resets before it",
            resets.tolist(),
            f"{resets.sum()} in {resets.size} presentations" + (": direct access" if not resets.any() else ""),
            kind="order",
            _measure=partial(_resets, found=found, network=network),
        ),
    ]
    if found.learns:
        templates = learned.memories(found.categories)
        predictions.append(
            made(
                "templates",
                templates,
                f"{learned.categories} of {found.categories} learned; weights of the others stay as they are",
                tolerance=2.0 * _UNLEARNED,
                _measure=partial(_learned, found=found),
            )
        )
    return predictions


def _learns(link: Projection, law: type) -> bool:
    return isinstance(link.learning, law)


def _art1(network: Network) -> _Resonance | Unmet:
    """Read ART 1 off a network: the filter from F1 to F2, the templates back, the orienting cell."""
    ups = [p for p in network.projections if _learns(p, SelfNormalizing)]
    if len(ups) != 1:
        return Unmet(_ART, "one filter that learns")
    (up,) = ups
    downs = [p for p in network.projections if _learns(p, Outstar) and (p.source, p.target) == (up.target, up.source)]
    if len(downs) != 1:
        return Unmet(_ART, "one projection of templates, from F2 to F1")
    down: Any = downs[0]
    law, back = up.learning, down.learning
    f1: Any = network.layer(up.source)
    assert isinstance(law, SelfNormalizing)
    assert back is not None
    s = _searching(network, up.target, law.sampling or up.signal)
    if isinstance(s, Unmet):
        return s
    arriving: list[Any] = [p for p in network.projections if p.target == f1.name and p.plain]
    inputs = [p for p in arriving if p.kind == "excitatory" and isinstance(p.topology, OneToOne)]
    gains = [p for p in arriving if p.kind == "inhibitory" and p.source == up.target]
    if (
        len(inputs) != 1
        or len(gains) != 1
        or type(f1) is not Layer
        or any(np.ndim(getattr(f1, n)) for n in f1.parameters)
    ):
        return Unmet(_ART, "cells F1 that get the input, templates, and one inhibition from F2")
    excited, held = float(down.topology.weight), float(gains[0].topology.weight) * float(f1.E) / float(f1.B)
    if not max(1.0, excited) < held < 1.0 + excited:
        return Unmet(_ART, f"the 2/3 rule, max(1, D1) < B1 < 1 + D1 (D1 = {excited:g}, B1 = {held:g})")
    shown = _shown(network, inputs[0].source)
    if isinstance(shown, Unmet):
        return shown
    rho = _vigilance(network, f1.name, inputs[0].source)
    slow = _slow(network, law.rate, law.schedule, shown, s, network.layer(up.target).cells)
    if rho is None or slow is not None:
        return slow or Unmet(_ART, "one orienting cell, which compares input and match")
    cells, count = f1.cells, network.layer(up.target).cells
    V = np.broadcast_to(np.asarray(back.initial), (cells, count)).T
    z = np.broadcast_to(np.asarray(law.initial), (count, cells))
    empty = V.all(axis=1) & (np.ptp(z, axis=1) == 0.0) & ~np.isclose(z[:, 0], law.L / (law.L - 1.0 + cells))
    known = int(np.argmax(empty)) if empty.any() else count
    if not empty[known:].all():
        return Unmet(_ART, "categories that have learned before those that have not")
    fresh = 1.0 if known == count else float(z[-1, 0]) * (law.L - 1.0 + cells) / law.L
    if not np.allclose(z[:known], art.bottom_up(V[:known], law.L), rtol=1e-9) or not fresh <= 1.0:
        return Unmet(_ART, "a filter L V/(L - 1 + |V|) of the templates, and weights of fresh categories below it")
    if not np.isin(shown.rows, (0.0, 1.0)).all() or not shown.rows.any(axis=1).all():
        return Unmet(_ART, "binary patterns, none of them empty")
    learned = art.art1(shown.rows, rho, L=law.L, categories=count, fresh=fresh, known=V[:known], learn=law.rate > 0.0)
    return _Resonance(
        "ART 1", up.target, f"{down.name}.z", law.sampling or up.signal, shown, rho, law.rate > 0.0, learned, count
    )


def _fuzzy(network: Network) -> _Resonance | Unmet:
    """Read fuzzy ART off a network: memories that a gate opens, overlap, choice, orienting cells."""
    memories: list[Any] = [
        m for m in network.layers if isinstance(m, GatedLayer) and m.gain > 0.0 and m.rest == -m.gain
    ]
    if len(memories) != 1 or len(memories[0].shape) != 2 or np.any(memories[0].initial != 1.0):
        return Unmet(_ART, "a filter that learns (ART 1), or memories that fall from 1 (fuzzy ART)")
    (memory,) = memories
    count = memory.shape[0]
    opens = [p for p in network.projections if (p.target, p.kind) == (memory.name, "modulatory")]
    choices: list[Any] = [
        network.layer(p.target) for p in network.projections if (p.source, p.kind) == (memory.name, "inhibitory")
    ]
    if len(opens) != 1 or len(choices) != 1 or not isinstance(choices[0], Layer) or choices[0].B != choices[0].F:
        return Unmet(_ART, "memories that F2 opens, and cells T = o/(alpha + |w|) that choose")
    s = _searching(network, opens[0].source, opens[0].signal)
    if isinstance(s, Unmet):
        return s
    lower = [p for p in network.projections if p.source == memory.name and p.kind == "excitatory"]
    inputs = [p for p in network.projections if lower and (p.target, p.kind) == (lower[0].target, "inhibitory")]
    overlap = [p.source for p in network.projections if (p.target, p.kind) == (choices[0].name, "excitatory")]
    if len(inputs) != 1 or len(overlap) != 1:
        return Unmet(_ART, "differences between memories and one input, and their overlap")
    shown = _shown(network, inputs[0].source)
    if isinstance(shown, Unmet):
        return shown
    rho = _vigilance(network, overlap[0], inputs[0].source)
    windows = [t.schedule for t in network.stimuli if (t.target, t.kind) == (memory.name, "modulatory")]
    slow = _slow(network, float(memory.gain), windows[0] if windows else None, shown, s, count)
    if rho is None or slow is not None:
        return slow or Unmet(_ART, "one orienting cell for each category, which compares input and overlap")
    if (shown.rows < 0.0).any() or (shown.rows > 1.0).any() or not shown.rows.any(axis=1).all():
        return Unmet(_ART, "patterns in [0, 1], none of them empty")
    alpha = float(choices[0].A) / float(choices[0].B)
    learned = art.fuzzy_art(shown.rows, rho, alpha=alpha, categories=count, fresh=1.0)
    return _Resonance(
        "fuzzy ART", opens[0].source, f"{memory.name}.x", opens[0].signal, shown, rho, True, learned, count
    )


def _searching(network: Network, field: str, chosen: Signal) -> float | Unmet:
    """Return the speed s of a field (21) that chooses, whose choices are reset; see `models.parts.resonance`."""
    layer: Any = network.layer(field)
    links = [p for p in network.projections if p.plain]
    own = [p for p in links if (p.source, p.target) == (field, field)]
    excited = [p for p in own if p.kind == "excitatory" and isinstance(p.topology, OneToOne)]
    others = [p for p in own if p.kind == "inhibitory" and isinstance(p.topology, AllButSelf)]
    if not (len(own) == 2 and excited and others and type(layer) is Layer and excited[0].signal == others[0].signal):
        return Unmet(_ART, "categories that compete: each excites itself and inhibits all others by one signal")
    if not isinstance(chosen, ThresholdLinear) or not math.isclose(chosen.gain * chosen.ceiling, 1.0):
        return Unmet(_ART, "a signal that is 1 for the chosen category and 0 for the others")
    spent = {p.target for p in network.projections if p.source == field and p.gate is not None}
    held = {p.source for p in links if p.target == field and p.kind == "inhibitory" and p.source != field}
    if not spent & held or len(held) != 2:
        return Unmet(_ART, "arousal that resets F2, and gates that keep out what was reset")
    if any(action for event in network.events for action in event.actions):
        return Unmet(_ART, "events that only record")
    return float(np.min(layer.A))


def _vigilance(network: Network, matching: str, given: str) -> float | None:
    """Return rho, the ratio of what excites the orienting cells to what inhibits them."""
    less: dict[str, Any] = {
        p.target: p for p in network.projections if (p.source, p.kind) == (matching, "inhibitory") and p.plain
    }
    more: dict[str, Any] = {
        p.target: p for p in network.projections if (p.source, p.kind) == (given, "excitatory") and p.plain
    }
    both = [name for name in less if name in more and isinstance(more[name].topology, AllToAll)]
    if len(both) != 1:
        return None
    rho = float(more[both[0]].topology.weight) / float(np.max(less[both[0]].topology.weight))
    return rho if 0.0 <= rho <= 1.0 else None


def _shown(network: Network, layer: str) -> _Shown | Unmet:
    """Return the patterns that a layer receives one after the other."""
    if any(t.schedule.varying or t.schedule.white for t in network.stimuli) or network.protocol is None:
        return Unmet(_ART, "a protocol that shows patterns one after the other")
    rate = float(np.max(getattr(network.layer(layer), "A", 0.0)))
    rows: list[np.ndarray] = []
    intervals: list[tuple[float, float]] = []
    for phase in constant_phases(network):
        row = phase.inputs[layer, "excitatory"].ravel() / rate
        if not row.any():
            continue
        if intervals and intervals[-1][1] == phase.start and (rows[-1] == row).all():
            intervals[-1] = intervals[-1][0], phase.stop
        else:
            rows.append(row)
            intervals.append((phase.start, phase.stop))
    if not rows:
        return Unmet(_ART, "patterns that are shown")
    if any(a[1] >= b[0] for a, b in itertools.pairwise(intervals)):
        return Unmet(_ART, "rests between patterns, in which gates recover")
    return _Shown(np.round(rows, 12), np.array(intervals))


def _slow(network: Network, rate: float, schedule: Any, shown: _Shown, s: float, count: int) -> Unmet | None:
    """Return the condition that times do not meet: of the search, and of learning after it."""
    if rate == 0.0:
        shortest = float(np.min(np.diff(shown.intervals)))
    else:
        if not isinstance(schedule, OnInIntervals) or len(schedule.intervals) < len(shown.rows):
            return Unmet(_ART, "learning in a part of each presentation, after the search")
        windows = schedule.intervals[: len(shown.rows)]
        if (windows[:, 0] <= shown.intervals[:, 0]).any() or (windows[:, 1] > shown.intervals[:, 1] + 1e-9).any():
            return Unmet(_ART, "learning in a part of each presentation, after the search")
        shortest = float(np.min(windows[:, 0] - shown.intervals[:, 0]))
        left = math.exp(-rate * float(np.min(np.diff(windows))))
        if left > _UNLEARNED:
            return Unmet(
                _ART, f"fast learning (a presentation leaves {left:.2g} of a difference; {_UNLEARNED:g} may be)"
            )
    needed = _EACH * (count + 1) / s
    if needed > shortest:
        return Unmet(_ART, f"time to try all categories (about {needed:.3g}; the search has {shortest:.3g})")
    return None


def _learned(result: Any, found: _Resonance) -> np.ndarray:
    """Return the templates after the last presentation, from when on they stay as they are."""
    times, values = saved(result, found.memory, None)
    end = float(found.shown.intervals[-1, 1])
    if times[-1] < end * (1.0 - 1e-12):
        raise NotMeasured(f"{found.memory}: the run ended before the last presentation did, at t = {end:g}")
    return found.templates(values[-1])


def _resonating(result: Any, name: str, interval: np.ndarray) -> np.ndarray:
    """Return the last values of a variable while a pattern is shown, after the search."""
    array: Any = result[name]
    times = np.asarray(array["time"].values, dtype=np.float64)
    late = interval[0] + _SEARCHED * (interval[1] - interval[0])
    inside = np.flatnonzero((times >= late) & (times <= interval[1] * (1.0 + 1e-12)))
    if not inside.size:
        raise NotMeasured(
            f"{name}: no saved time at the end of the presentation t = {interval[0]:g} ... {interval[1]:g}"
        )
    return np.asarray(array.values[inside[-1]]).ravel()


def _labels(result: Any, found: _Resonance) -> list[int]:
    """Return which category sends its full signal at the end of each presentation; -1 if none does."""
    rows = np.array([_resonating(result, f"{found.field}.x", interval) for interval in found.shown.intervals])
    sent = np.asarray(found.sampling(rows))
    return [int(row.argmax()) if row.max() > 0.99 else -1 for row in sent]


def _resets(result: Any, found: _Resonance, network: Network) -> list[int]:
    """Return how many categories became active in each presentation before the last of them."""
    names = [
        event.name
        for event in network.events
        if isinstance(event.when, Crossing)
        and event.when.state == f"{found.field}.x"
        and event.when.direction == "rising"
    ]
    if not names:
        raise NotMeasured("no event records when categories become active")
    saved(result, f"{found.field}.x", None)
    events = result.events
    when = np.asarray(events["time"])[np.isin(np.asarray(events["name"]), names)]
    counts = [int(((when >= on) & (when <= off)).sum()) for on, off in found.shown.intervals]
    labels = _labels(result, found)
    return [count - (label >= 0) for count, label in zip(counts, labels, strict=True)]
