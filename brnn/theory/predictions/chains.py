"""When the cells of an avalanche's chain fire: `brnn.theory.avalanche`, on a Network."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from brnn.errors import InputError
from brnn.signals import Linear, Step
from brnn.spec.events.triggers import Crossing
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.spec.topologies.distance import Chain, Shift
from brnn.spec.topologies.uniform import AllToAll, OneToOne
from brnn.theory.avalanche import AvalancheChain
from brnn.theory.predictions.base import InputPhase, NotMeasured, Prediction, Unmet, constant_phases

__all__ = ["firing_chain"]

_CHAIN = "a chain of cells that fire one after the other, paced by a command (avalanche)"
_SOURCE = "Grossberg (1969), J. Math. Mech. 19, 53-91; solved in brnn.theory.avalanche"
_QUIET = 10.0  # times 1/A: what is left of earlier activity after such a silence does not count
_TOLERANCE = 5e-4  # of a step: times of firing add up the errors of a run


def firing_chain(network: Network) -> list[Prediction] | Unmet:
    """Give when each cell of a chain fires, each time the chain is started."""
    found = _chain(network)
    if isinstance(found, Unmet):
        return found
    layer, command, chain = found
    if any(event.actions for event in network.events):
        return Unmet(_CHAIN, "events that only record")
    touching = [s for s in network.stimuli if s.target in (layer.name, command)]
    if any(s.schedule.varying or s.schedule.white for s in touching):
        return Unmet(_CHAIN, "a command and start signals that are on or off")
    phases = list(constant_phases(network))
    fired: list[np.ndarray] = []
    paces = []
    since, last = 0.0, -math.inf
    earlier = 0.0
    on_before = False
    for phase in phases:
        level = float(phase.inputs[command, "excitatory"].max()) / chain.rate
        if level != earlier:
            since, earlier = phase.start, level
        started = phase.inputs[layer.name, "excitatory"].ravel()
        on_before, goes_on = bool(started.any()), on_before
        if not on_before or goes_on:
            continue
        if not math.isclose(started[0], chain.P) or started[1:].any() or not level:
            return Unmet(_CHAIN, "start signals of the strength P to the first cell, while the command is on")
        if phase.start - since < _QUIET / chain.A or since - last < _QUIET / chain.A:
            return Unmet(_CHAIN, f"silence of {_QUIET / chain.A:g} before the command, and before each start signal")
        if not chain.commands[0] < level < chain.commands[1]:
            low, high = chain.commands
            return Unmet(_CHAIN, f"commands between {low:g}, from which cells fire, and {high:g} (one is {level:g})")
        ends = phase.stop, _off(phases, command, phase.start)
        run = _run(chain, layer.cells, level, since, phase.start, ends)
        if isinstance(run, Unmet):
            return run
        fired.append(run)
        paces.append((level, float(chain.step(level))))
        last = ends[1]
    if not fired:
        return Unmet(_CHAIN, "start signals")
    times = np.concatenate(fired)
    cells = [k for run in fired for k in range(run.size)]
    lines = [f"a cell each {step:.6g} with the command {level:g}" for level, step in dict.fromkeys(paces)]
    event = next((e.name for e in network.events if _records(e, layer.name, chain.threshold)), None)
    made = partial(Prediction, hypothesis="silence before each start, P < A threshold < P + c", source=_SOURCE)
    return [
        made(
            f"times at which cells of {layer.name} fire",
            times,
            "\n".join(lines),
            details={"steps": dict(paces)},
            tolerance=_TOLERANCE * min(step for _, step in paces),
            _measure=partial(_recorded, event=event, what="time", count=times.size),
        ),
        made(
            f"order in which cells of {layer.name} fire",
            cells,
            f"one after the other, {len(fired)} times",
            kind="order",
            _measure=partial(_recorded, event=event, what="cell", count=times.size),
        ),
    ]


def _chain(network: Network) -> tuple[Any, str, AvalancheChain] | Unmet:
    layer: Any
    for layer in network.layers:
        own = [p for p in network.projections if (p.source, p.target) == (layer.name, layer.name)]
        if len(own) == 3 and {type(p.topology) for p in own} == {Chain, OneToOne, Shift}:
            break
    else:
        return Unmet(_CHAIN, "cells that excite the next and themselves, and inhibit the one before")
    parts: dict[type, Any] = {type(p.topology): p for p in own}
    following, itself, previous = (parts[kind] for kind in (Chain, OneToOne, Shift))
    signal = following.signal
    others: list[Any] = [p for p in network.projections if p.target == layer.name and p.source != layer.name]
    if len(others) != 1 or not isinstance(others[0].topology, AllToAll) or others[0].signal != Linear():
        return Unmet(_CHAIN, "one command for all cells alike")
    command: Any = network.layer(others[0].source)
    numbers = all(np.ndim(getattr(layer, name)) == 0 for name in layer.parameters)
    good = (
        type(layer) is Layer
        and numbers
        and (layer.B, layer.C, layer.E, layer.F) == (1.0, 0.0, 0.0, 1.0)
        and isinstance(signal, Step)
        and signal.gain == 1.0
        and all(p.plain and p.signal == signal for p in own)
        and [following.kind, itself.kind, previous.kind] == ["excitatory", "excitatory", "inhibitory"]
        and following.topology.weight == itself.topology.weight
        and previous.topology == Shift(-1, previous.topology.weight)
        and isinstance(command, Layer)
        and command.cells == 1
        and command.accepts_signed_input()
        and others[0].plain
        and others[0].topology.weight == 1.0
        and not np.any(layer.initial)
        and not np.any(command.initial)
        and not any(p.target == command.name for p in network.projections)
    )
    if not good:
        return Unmet(_CHAIN, "dx/dt = -A x + P (what fires before and itself) + c - J x (the next), silent at first")
    numbers_of = (layer.A, following.topology.weight, previous.topology.weight, signal.threshold, command.A)
    chain = AvalancheChain(*(float(np.ravel(value)[0]) for value in numbers_of))
    if not chain.rate > chain.A or not chain.P < chain.commands[1]:
        return Unmet(_CHAIN, "a command cell faster than the chain, and cells that do not keep themselves on alone")
    return layer, command.name, chain


def _off(phases: list[InputPhase], command: str, time: float) -> float:
    """Return when the command that is on at a time goes off or changes."""
    level = next(p.inputs[command, "excitatory"].max() for p in phases if p.start <= time < p.stop)
    return next(
        (p.start for p in phases if p.start > time and p.inputs[command, "excitatory"].max() != level), math.inf
    )


def _run(
    chain: AvalancheChain, cells: int, level: float, on: float, go: float, ends: tuple[float, float]
) -> np.ndarray | Unmet:
    """Return when cells fire after one start: all of them, or those before the command goes off.

    `ends` is when the start signal and the command end.
    """
    start, off = ends
    fired = on + chain.firing(level, go - on, cells)
    if start < fired[0] or (cells > 1 and start > fired[1]):
        return Unmet(_CHAIN, "start signals that end while the first cell fires alone")
    try:
        silent = chain.silence(level, fired - on, start - on) + on
        if off < fired[-1]:
            count, _ = chain.stopped(level, fired - on, silent - on, start - on, off - on)
            fired = fired[:count]
    except InputError as error:
        return Unmet(_CHAIN, f"an outcome that does not hang by a thread ({error})")
    return fired


def _recorded(result: Any, event: str | None, what: str, count: int) -> Any:
    if event is None:
        raise NotMeasured("no event records when cells fire")
    events = result.events
    chosen = np.asarray(events["name"]) == event
    values = np.asarray(events[what])[chosen]
    if what == "cell":
        return [int(value) for value in values]
    if values.size != count:
        raise NotMeasured(f"{values.size} cells fired, not {count}: the run ended before, or more than the chain did")
    return values


def _records(event: Any, layer: str, threshold: float) -> bool:
    when = event.when
    return (
        isinstance(when, Crossing)
        and (when.state, when.direction, when.per) == (f"{layer}.x", "rising", "cell")
        and when.threshold == threshold
    )
