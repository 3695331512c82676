"""Exact gradients of networks of discrete time: backpropagation through time, and real-time recurrent learning.

Both are the chain rule. BPTT goes backward and costs about as much as the run, whatever the number of parameters; it
keeps all steps. RTRL carries dx/dtheta forward, needs no past, and costs the number of parameters times as much. They
are the discrete adjoint and the discrete forward sensitivity of one function, and agree to rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from brnn.base.checks import array
from brnn.errors import InputError
from brnn.sequences.unrolled import Unrolled

__all__ = ["Loss", "bptt", "cross_entropy", "influence", "rtrl", "squared_error"]

Loss = Callable[[np.ndarray], tuple[float, np.ndarray]]  # of states (sequences, steps, cells): value and gradient

Gradient = dict[str, np.ndarray]


def squared_error(targets: Any, read: Any = None) -> Loss:
    """Return half the mean square of states minus targets, over the steps that are read.

    Parameters
    ----------
    targets : array, shape (sequences, steps, cells)
        What the states should be.
    read : array of bool, shape (steps,), optional
        Which steps are read: the last one only makes many-to-one. All by default.
    """
    wanted = array(targets, "squared_error: targets", ndim=3)
    mask = np.ones(wanted.shape[1], dtype=bool) if read is None else np.asarray(read, dtype=bool)
    if mask.shape != wanted.shape[1:2] or not mask.any():
        raise InputError(f"squared_error: read: must say of each of {wanted.shape[1]} steps whether it is read")
    count = wanted.shape[0] * int(mask.sum()) * wanted.shape[2]

    def loss(states: np.ndarray) -> tuple[float, np.ndarray]:
        if states.shape != wanted.shape:
            raise InputError(f"squared_error: targets: have shape {wanted.shape}, the states {states.shape}")
        off = (states - wanted) * mask[:, None]
        return float(0.5 * (off**2).sum() / count), off / count

    return loss


def cross_entropy(targets: Any, read: Any) -> Loss:
    """Return the mean of -log p of the right classes, p being the softmax of the states.

    Parameters
    ----------
    targets : array of int, shape (sequences, answers)
        The right class of each answer.
    read : array of int, shape (answers,)
        After which step each answer is read; a step may be read several times.
    """
    wanted, at = np.asarray(targets), np.asarray(read)
    if wanted.dtype.kind not in "iu" or wanted.ndim != 2 or at.shape != wanted.shape[1:]:
        raise InputError(f"cross_entropy: targets: must be classes of shape (sequences, {at.size} answers)")
    rows = np.arange(len(wanted))

    def loss(states: np.ndarray) -> tuple[float, np.ndarray]:
        if len(states) != len(wanted) or wanted.max() >= states.shape[2] or at.max() >= states.shape[1]:
            raise InputError(f"cross_entropy: targets: do not fit states of shape {states.shape}")
        by_states, value = np.zeros_like(states), 0.0
        for k, step in enumerate(at):
            logits = states[:, step] - states[:, step].max(axis=1, keepdims=True)
            p = np.exp(logits)
            p /= p.sum(axis=1, keepdims=True)
            value -= float(np.log(p[rows, wanted[:, k]]).sum())
            p[rows, wanted[:, k]] -= 1.0
            by_states[:, step] += p
        return value / wanted.size, by_states / wanted.size

    return loss


def bptt(
    unrolled: Unrolled, sequences: Any, loss: Loss, layer: str, parameters: Mapping[str, Any] | None = None
) -> tuple[float, Gradient]:
    """Return the loss of a layer's states, and its gradient by every parameter, by backpropagation through time."""
    rows = unrolled.checked(sequences)
    values, steps = unrolled.values(parameters), unrolled.steps(rows, parameters)
    value, by_states = loss(np.stack([step.new[layer] for step in steps], axis=1))
    gradient = {name: np.zeros_like(own) for name, own in unrolled.parameters.items()}
    later = {name: np.zeros_like(x) for name, x in steps[-1].new.items()}
    for t in reversed(range(len(steps))):
        step, now = steps[t], later
        now[layer] = now[layer] + by_states[:, t]
        later = {name: np.zeros_like(x) for name, x in step.old.items()}
        for cells in reversed(unrolled.network.layers):
            by_arguments = step.slopes[cells.name] * now[cells.name]
            later[cells.name] = later[cells.name] + by_arguments[0]
            by_kind = dict(zip(cells.kinds, by_arguments[1:], strict=True))
            for stimulus in unrolled.biases:
                if stimulus.target == cells.name and stimulus.name in gradient:
                    gradient[stimulus.name] += by_kind[stimulus.kind].sum(axis=0)
            for link in unrolled.into[cells.name]:
                source = (step.new if link.immediate else step.old)[link.source]
                g = by_kind[link.kind]
                if link.name in gradient:
                    gradient[link.name] += g.T @ link.signal(source)
                back = now if link.immediate else later
                back[link.source] = back[link.source] + (g @ values[str(link.name)]) * link.signal.derivative(source)
    return value, gradient


def rtrl(
    unrolled: Unrolled, sequences: Any, loss: Loss, layer: str, parameters: Mapping[str, Any] | None = None
) -> tuple[float, Gradient]:
    """Return the same as `bptt` by real-time recurrent learning: derivatives of all states are carried forward."""
    rows = unrolled.checked(sequences)
    places, size = {}, 0
    for name, own in unrolled.parameters.items():
        places[name] = slice(size, size + own.size)
        size += own.size
    steps = unrolled.steps(rows, parameters)
    value, by_states = loss(np.stack([step.new[layer] for step in steps], axis=1))
    carried = {cells.name: np.zeros((len(rows), cells.cells, size)) for cells in unrolled.network.layers}
    total = np.zeros(size)
    for t, tangents in enumerate(_carried(unrolled, steps, carried, unrolled.values(parameters), places)):
        total += np.einsum("bi,bip->p", by_states[:, t], tangents[layer])
    return value, {name: total[places[name]].reshape(own.shape) for name, own in unrolled.parameters.items()}


def _carried(unrolled: Unrolled, steps: Any, old: Any, values: Any, places: Mapping[str, slice]) -> Any:
    """Yield the derivatives of the states after each step, shape (sequences, cells, what by)."""
    for step in steps:
        new: dict[str, np.ndarray] = {}
        for cells in unrolled.network.layers:
            slopes = dict(zip(("x", *cells.kinds), step.slopes[cells.name], strict=True))
            found = slopes["x"][:, :, None] * old[cells.name]
            every = np.arange(cells.cells)
            for stimulus in unrolled.biases:
                if stimulus.target == cells.name and stimulus.name in places:
                    first = places[str(stimulus.name)].start
                    found[:, every, first + every] += slopes[stimulus.kind]
            for link in unrolled.into[cells.name]:
                source = (step.new if link.immediate else step.old)[link.source]
                tangent = (new if link.immediate else old)[link.source]
                moved = values[str(link.name)] @ (link.signal.derivative(source)[:, :, None] * tangent)
                found += slopes[link.kind][:, :, None] * moved
                if link.name in places:
                    sent, columns = link.signal(source), source.shape[1]
                    at = places[str(link.name)].start + every[:, None] * columns + np.arange(columns)
                    found[:, every[:, None], at] += slopes[link.kind][:, :, None] * sent[:, None, :]
            new[cells.name] = found
        yield new
        old = new


def influence(unrolled: Unrolled, sequence: Any, layers: tuple[str, ...] = ("h",)) -> np.ndarray:
    """Return the singular values of d state(t)/d state(0) for t = 1, 2, ..., shape (steps, cells): what is remembered.

    The product of the Jacobians of t steps along one sequence: values that fall with t are gradients that vanish, those
    that rise are gradients that explode. For an Elman network the largest is at most (max abs(phi') · norm(U))^t.

    Parameters
    ----------
    unrolled : Unrolled
        The network.
    sequence : array, shape (steps, inputs)
        What is shown.
    layers : tuple of str
        Whose states are meant: ("c", "h") for an LSTM.
    """
    rows = unrolled.checked(sequence)
    if len(rows) != 1:
        raise InputError(f"influence: sequence: {len(rows)} sequences are given, must be one")
    sizes = [unrolled.network.layer(name, "influence: layers").cells for name in layers]
    count, first, start = sum(sizes), 0, {}
    for cells in unrolled.network.layers:
        start[cells.name] = np.zeros((1, cells.cells, count))
    for name, size in zip(layers, sizes, strict=True):
        start[name][0, np.arange(size), first + np.arange(size)] = 1.0
        first += size
    found = []
    for tangents in _carried(unrolled, unrolled.steps(rows), start, unrolled.values(None), {}):
        found.append(np.linalg.svd(np.concatenate([tangents[name][0] for name in layers]), compute_uv=False))
    return np.array(found)
