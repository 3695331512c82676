"""Go through time in equal steps of Euler's method: the way of networks whose cells fire.

A step of length h, from time t:

1. the spikes of the step before arrive at their traces (`brnn.TraceLayer`);
2. du/dt is evaluated, at t, and u moves by h du/dt;
3. cells whose voltage has reached its threshold fire and are reset; cells that fire at random draw whether they do.

What cell c draws in step n is number n cells + c of the sequence SplitMix64 (Steele, Lea and Flood 2014) of the run's
seed, computed from that number alone: it depends neither on other cells, nor on threads, nor on what is saved.
The end of a run keeps n and which cells have just fired: a run that goes on from there is the same to the last bit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.errors import InputError
from brnn.integrate.driver import Driver, RunTask
from brnn.integrate.methods.base import Method, has_delays
from brnn.integrate.methods.given_steps import GivenSteps
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import Spikes
from brnn.spec.layers.spiking import RandomSpikesLayer, SpikingLayer, TraceLayer

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["Euler"]

_FILE = Path(__file__).parent.parent / "steppers" / "spike_steps.py"
_ROOM = 2**16  # spikes that one call may return
_NUMBERS = 2e8  # unknowns times steps in one call: about a tenth of a second


class Euler(Method):
    """Steps of one length, no error control."""

    name = "Euler"
    description = "explicit, order 1, with equal steps; cells that fire need it"
    purpose = "in equal steps"
    order = 55
    copies = 4
    takes_step = True
    takes_spikes = True

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse what equal steps do not have."""
        refusal = super().refuses(network, until, step)
        if refusal is not None:
            return refusal
        if has_delays(network):
            return "equal steps know no delays"
        if network.events:
            return "equal steps know no events"
        if until == "steady":
            return "equal steps look for no rest"
        return "needs a step" if step is None and not network.spiking else None

    def drive(self, task: RunTask) -> Driver:
        """Return what goes through time in equal steps."""
        return _EqualSteps(task, self)


class _EqualSteps(GivenSteps):
    """A run in equal steps."""

    def begin(self, state: np.ndarray) -> np.ndarray:
        """Lay out the run."""
        task, network = self.task, self.task.system.network
        own = [float(layer.step) for layer in network.layers if layer.spiking]
        self.step = float(min(own)) if task.step is None else task.step
        state = super().begin(state)
        self._code = load_copy(_FILE)
        self._cells = _Cells(task)
        self._number = 0  # of the step
        self._rhs: RightHandSide | None = None
        if task.start is not None and "spikes" in task.start.random:
            self._number = self._cells.take_up(task.start.random["spikes"])
        return state

    def kept(self) -> Checkpoint | None:
        """Return the number of the next step, and the spikes that are on their way to traces."""
        if not self.task.system.network.spiking:
            return None
        return Checkpoint(self.task.duration, {"spikes": self._cells.on_their_way(self._number)})

    def _room(self, state: np.ndarray) -> np.ndarray:
        u, self._slopes = room_apart(state.size), room_apart(state.size + 1)
        u[:] = state
        return u

    def _enter(self, time: float, stop: float, u: np.ndarray) -> None:
        self._rhs = self.task.system.rhs(0.5 * (time + stop), clock=self.timetable.clock, room=self._rhs)

    def _go(self, before: float, after: float, u: np.ndarray) -> None:
        """Make the steps between two times, and record the spikes."""
        rhs = self._rhs
        assert rhs is not None
        count = max(1, int(np.ceil((after - before) / self.step * (1.0 - 1e-9))))
        h, cells, at_once = (after - before) / count, self._cells, max(1, int(_NUMBERS / u.size))
        done = 0
        while done < count:
            made, spikes = self._code.steps(
                rhs.stepping.address, rhs.table, before, rhs.shift, h, done, min(count, done + at_once), self._number,
                u, self._slopes, cells.moving, cells.firing, cells.levels, cells.traces, cells.jumps, cells.pending,
                cells.key, cells.times, cells.whose,
            )  # fmt: skip
            if spikes:
                self.task.recorder.happened(cells.found(spikes))
            self._number += made - done
            self.steps += made - done
            self.evaluations += made - done
            self.progressed((made - done) * h)
            done = made


class _Cells:
    """The cells that fire and the traces of their spikes, as tables for compiled code."""

    def __init__(self, task: RunTask) -> None:
        network, variables = task.system.network, {v.name: v for v in task.system.variables}
        places, firing, levels, which = {}, [], [], []
        names = network.event_names
        count = 0
        for layer in network.layers:
            if not layer.spiking:
                continue
            places[layer.name] = count
            start = variables[f"{layer.name}.x"].start
            kind = (2 if layer.process == "poisson" else 1) if isinstance(layer, RandomSpikesLayer) else 0
            kept = int(layer.name in names)
            firing.append((start, layer.cells, count, kind, kept))
            ends = (layer.threshold, layer.reset) if isinstance(layer, SpikingLayer) else (0.0, 0.0)
            levels.append(np.stack([np.broadcast_to(np.ravel(end), layer.cells) for end in ends]))
            which.append(np.full(layer.cells, names.index(layer.name) if kept else -1))
            count += layer.cells
        traces, jumps = [], []
        for layer in network.layers:
            if isinstance(layer, TraceLayer):
                start = variables[f"{layer.name}.x"].start
                for name in layer.sources:
                    size = network.layer(name).cells
                    traces.append((start, size, places[name], int(layer.saturating)))
                    jumps.append(layer.jump)
                    start += size
        self.moving = next((v.start for v in task.system.variables if v.quantity == "z"), task.system.size)
        self.firing = np.array(firing, dtype=np.int64).reshape(-1, 5)
        self.levels = np.concatenate([np.zeros((2, 0)), *levels], axis=1)
        self.traces, self.jumps = np.array(traces, dtype=np.int64).reshape(-1, 4), np.array(jumps, dtype=np.float64)
        self.pending = np.zeros(count, dtype=np.int64)
        seed = 0 if task.seed is None else task.seed
        self.key = np.random.SeedSequence(seed).generate_state(1, np.uint64)
        self.times, self.whose = np.empty(_ROOM + count), np.empty(_ROOM + count, dtype=np.int64)
        self._which = np.concatenate([np.zeros(0, dtype=np.int64), *which])
        self._first = np.concatenate([np.zeros(0, dtype=np.int64), *(np.full(row[1], row[2]) for row in firing)])

    def on_their_way(self, step: int) -> str:
        """Return the number of the next step and what fired in the last one, as JSON."""
        fired = np.flatnonzero(self.pending)
        return json.dumps({"step": step, "cells": fired.tolist(), "spikes": self.pending[fired].tolist()})

    def take_up(self, text: str) -> int:
        """Let the spikes arrive that `on_their_way` told of; return the number of the next step."""
        try:
            told = json.loads(text)
            cells, spikes = (np.array(told[name], dtype=np.int64).reshape(-1) for name in ("cells", "spikes"))
            if cells.size and not 0 <= cells.min() <= cells.max() < self.pending.size:
                raise ValueError("no such cell")
            self.pending[cells] = spikes
            return int(told["step"])
        except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InputError(
                f"start: the spikes of the run from which this one goes on are damaged ({error})"
            ) from None

    def found(self, count: int) -> Spikes:
        """Return the spikes that the last call has left."""
        whose = self.whose[:count]
        return Spikes(self.times[:count].copy(), self._which[whose], whose - self._first[whose])
