"""The networks that memory_tasks.py compares: each makes states of sequences, and says what that costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from _common import simulate

import brnn
from brnn import models
from brnn.integrate.side_by_side import side_by_side
from brnn.models.parts.store import STORE, TRACE
from brnn.sequences.gradients import Loss, bptt, cross_entropy, squared_error
from brnn.sequences.initial import chrono, glorot
from brnn.sequences.tasks import Task
from brnn.sequences.training import adam
from brnn.sequences.unrolled import Unrolled

__all__ = ["CELLS", "CONTINUOUS", "DISCRETE", "Memory", "continuous", "discrete", "trained"]

CELLS = 24
A_STORE, ON, GAP = 0.02, 24.0, 6.0  # STORE's input, so that long lists have primacy, and how long it is on and off


@dataclass(frozen=True)
class Memory:
    """A network that remembers.

    Attributes
    ----------
    states : callable
        From sequences, shape (sequences, steps, inputs), to states after each step, shape (sequences, steps, cells).
    parameters : int
        Numbers of the network that were drawn or trained, without the weights by which it is read.
    network : Network
        The network, shown nothing.
    evaluations : callable
        How often one sequence, shape (steps, inputs), asks for the right-hand side of the equations.
    """

    states: Callable[[np.ndarray], np.ndarray]
    parameters: int
    network: Any
    evaluations: Callable[[np.ndarray], int]


def _rcf() -> tuple[brnn.Network, str, str]:
    """Return a recurrent competitive field with linear signals, which keeps ratios."""
    return models.rcf.build(CELLS, signal=brnn.Linear(), A=1.0, B=3.0, pattern=0.0, initial=1e-3), "rcf", "rcf"


def _additive() -> tuple[brnn.Network, str, str]:
    """Return a leaky additive network: decay 0.3 against self-excitation 0.2."""
    return models.additive.build(CELLS, A=0.3, B=0.2, C=0.0, pattern=0.0, on=np.inf), "F1", "F1"


def _ltc(rng: np.random.Generator) -> tuple[brnn.Network, str, str]:
    W = rng.uniform(-1.0, 1.0, (CELLS, CELLS)) / np.sqrt(CELLS)
    return models.ltc.build(CELLS, tau=4.0, W=W, pattern=0.0), "F1", "F1"


def _organics() -> tuple[brnn.Network, str, str]:
    return models.organics.build(CELLS, tau_y=4.0, tau_a=2.0, pattern=0.0, sigma=0.3), "x", "x"


def _store() -> tuple[brnn.Network, str, str]:
    return models.store.build(CELLS, A_STORE, duration=ON, gap=GAP), STORE, TRACE


CONTINUOUS = ("RCF", "STORE", "additive", "LTC", "ORGaNICs", "LMU")
DISCRETE = {"Elman": models.elman, "LSTM": models.lstm, "GRU": models.gru}


def continuous(name: str, task: Task, seed: int) -> Memory:
    """Return a network of continuous time; each step lasts one unit, and inputs reach the cells by random weights."""
    rng = np.random.default_rng(seed)
    inputs = task.shown.shape[2]
    if name == "LMU":
        return _legendre(task, rng)
    kinds: dict[str, Callable[[], tuple[brnn.Network, str, str]]] = {
        "RCF": _rcf, "STORE": _store, "additive": _additive, "LTC": lambda: _ltc(rng), "ORGaNICs": _organics,
    }  # fmt: skip
    network, into, read = kinds[name]()
    W = rng.uniform(0.0, 1.0, (CELLS, inputs)) * (rng.uniform(size=(CELLS, inputs)) < max(0.25, 1.0 / inputs))
    gated = name == "STORE"
    strength = A_STORE if gated else 1.0

    def shown(sequence: np.ndarray) -> brnn.Network:
        items = strength * sequence @ W.T
        length, gap = (ON, GAP) if gated else (1.0, 0.0)
        stimuli = [brnn.Stimulus(into, "excitatory", 1.0, brnn.Sequence(items, length, gap))]
        if gated:  # I is 1 while an item is shown; in silent steps nothing happens
            on = np.flatnonzero(sequence.any(axis=1))
            stimuli += [
                brnn.Stimulus(
                    layer, "modulatory", 1.0, brnn.Pulses(np.stack([on * (ON + GAP), on * (ON + GAP) + ON], axis=1))
                )
                for layer in (STORE, TRACE)
            ]
        else:
            stimuli += [s for s in network.stimuli if (s.target, s.kind) != (into, "excitatory")]
        return network.replace(stimuli=stimuli, duration=(length + gap) * len(sequence))

    drawn = int(np.count_nonzero(W)) + (CELLS**2 if name == "LTC" else 0)
    step = ON + GAP if gated else 1.0
    return Memory(
        lambda sequences: _run([shown(x) for x in sequences], read, step),
        drawn,
        network,
        lambda x: _evaluations(shown(x)),
    )


def _legendre(task: Task, rng: np.random.Generator) -> Memory:
    """Return Legendre memories of each input (of at most eight mixtures of them), window as long as the sequence."""
    inputs = task.shown.shape[2]
    channels = min(inputs, 8)
    mix = np.eye(inputs) if inputs == channels else rng.uniform(0.0, 1.0, (channels, inputs)) / inputs
    order = CELLS // channels
    unit = models.lmu.build(order, theta=float(task.steps))
    A, B = unit.projections[0].topology.matrix, np.ravel(unit.stimuli[0].pattern)
    link = unit.projections[0].replace(topology=brnn.Dense(np.kron(np.eye(channels), A)))
    layer = unit.layers[0].replace(shape=(channels * order,), initial=0.0)
    network = unit.replace(layers=[layer], projections=[link], stimuli=[])

    def shown(sequence: np.ndarray) -> brnn.Network:
        items = np.kron(sequence @ mix.T, B)
        stimulus = brnn.Stimulus("m", "excitatory", 1.0, brnn.Sequence(items, 1.0))
        return network.replace(stimuli=[stimulus], duration=float(len(sequence)))

    drawn = 0 if inputs == channels else mix.size
    return Memory(
        lambda sequences: _run([shown(x) for x in sequences], "m"), drawn, network, lambda x: _evaluations(shown(x))
    )


def _run(networks: list[brnn.Network], layer: str, step: float = 1.0) -> np.ndarray:
    steps = round((networks[0].duration or 0.0) / step)
    return side_by_side(networks, layer, step * np.arange(1.0, steps + 1.0))


def _evaluations(network: brnn.Network) -> int:
    """Return those of the method that runs networks side by side, which has tolerances of its own for each."""
    return simulate(network, solver="compiled", rtol=1e-6, atol=1e-9).solver.evaluations


def discrete(name: str, task: Task, seed: int) -> Memory:
    """Return a cell of machine learning with its first weights: Glorot and orthogonal, gates as long as the task."""
    inputs, gates = task.shown.shape[2], {"Elman": 1, "LSTM": 4, "GRU": 3}[name]
    W = np.concatenate([glorot(CELLS, inputs, 100 * seed + k) for k in range(gates)])
    U = np.concatenate([brnn.sequences.orthogonal(CELLS, CELLS, 100 * seed + 10 + k) for k in range(gates)])
    b = np.zeros((gates, CELLS))
    forget, into = chrono(CELLS, max(3.0, float(task.steps)), seed)
    if name == "LSTM":
        b[0], b[1] = into, forget  # i f g o
    elif name == "GRU":
        b[1] = forget  # r z n: the update gate keeps
    V = glorot(task.outputs, CELLS, 100 * seed + 20)
    network = DISCRETE[name].build(W=W, U=U, b=b.ravel(), V=V, pattern=np.zeros((1, inputs)))
    unrolled = Unrolled(network)
    own = sum(part.size for key, part in unrolled.parameters.items() if key not in _READ)
    return Memory(lambda sequences: unrolled.states(sequences, "h"), own, network, len)


_READ = ("V", "c", "c_y", "b_y")


def trained(memory: Memory, task: Task, steps: int, seed: int, batch: int = 40) -> Memory:
    """Return a cell whose weights, those of its output too, were trained on the task by backpropagation through time.

    Adam, with gradients of at most 1, sees sequences of the task that are drawn anew each time.
    """
    rng, unrolled = np.random.default_rng(seed), Unrolled(memory.network)
    names = list(unrolled.parameters)
    edges = np.cumsum([unrolled.parameters[name].size for name in names])[:-1]

    def parts(x: np.ndarray) -> dict[str, np.ndarray]:
        pieces = zip(names, np.split(x, edges), strict=True)
        return {name: piece.reshape(unrolled.parameters[name].shape) for name, piece in pieces}

    def function(x: np.ndarray) -> tuple[float, np.ndarray]:
        drawn = rng.integers(0, len(task.shown), batch)
        value, gradient = bptt(unrolled, task.shown[drawn], _loss(task, drawn), "y", parts(x))
        return value, np.concatenate([gradient[name].ravel() for name in names])

    start = np.concatenate([unrolled.parameters[name].ravel() for name in names])
    x, _ = adam(function, start, steps, rate=0.005, clip=1.0)
    after = Unrolled(unrolled.trained(parts(x)))
    return Memory(lambda sequences: after.states(sequences, "h"), memory.parameters, after.network, len)


def _loss(task: Task, rows: np.ndarray) -> Loss:
    if task.classes:
        return cross_entropy(task.targets[rows], task.read)
    wanted = np.zeros((len(rows), task.steps, task.outputs))
    wanted[:, task.read] = task.targets[rows]
    return squared_error(wanted, np.isin(np.arange(task.steps), task.read))
