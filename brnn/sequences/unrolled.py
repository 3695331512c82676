"""A network of discrete time, written out step by step in NumPy for many sequences at once, with exact derivatives.

The laws and signals are those of the network itself; the compiler is not needed. Its trainable numbers are the matrices
of its Dense projections and the patterns of its named constant stimuli (biases), by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.base.checks import array, one_of
from brnn.base.dual import partial_derivatives
from brnn.base.text import closest
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.schedules import Constant
from brnn.spec.topologies.matrix import Dense

__all__ = ["Unrolled", "UnrolledStep"]

Values = dict[str, np.ndarray]


@dataclass(frozen=True)
class UnrolledStep:
    """One step: states before and after it, shape (sequences, cells) each, and the derivatives of the laws.

    Attributes
    ----------
    old, new : dict of ndarray
        By layer.
    slopes : dict of ndarray
        By layer: derivatives of the new state by the old one and by each kind of input, in the order of its kinds.
    """

    old: Values
    new: Values
    slopes: Values


class Unrolled:
    """A network of discrete time over sequences.

    Parameters
    ----------
    network : Network
        Of discrete time, without delays.
    shown : str
        The layer that the sequences are shown to, in place of its own stimuli.

    Attributes
    ----------
    parameters : dict of ndarray
        The trainable numbers as the network has them.
    """

    def __init__(self, network: Network, shown: str = "x") -> None:
        one_of(network, "Unrolled: network", Network, "a brnn.Network")
        if network.step is None:
            raise InputError(f"Unrolled: {network.name} is in continuous time; only steps can be unrolled")
        late = [link.label for link in network.projections if link.delay]
        if late:
            raise InputError(f"Unrolled: {late[0]} has a delay, which is not unrolled")
        self.network = network
        self.shown = network.layer(shown, "Unrolled: shown").name
        self.into: dict[str, list[Projection]] = {layer.name: [] for layer in network.layers}
        self._fixed: Values = {}
        self.parameters: Values = {}
        for link in network.projections:
            self.into[link.target].append(link)
            W = link.topology.strengths(network.layer(link.source).shape, network.layer(link.target).shape)
            (self.parameters if isinstance(link.topology, Dense) else self._fixed)[str(link.name)] = W
        self.biases = [stimulus for stimulus in network.stimuli if stimulus.target != self.shown]
        for k, stimulus in enumerate(self.biases):
            if not isinstance(stimulus.schedule, Constant):
                raise InputError(f"Unrolled: {stimulus.label} changes in time; only what is shown to '{shown}' may")
            pattern = np.broadcast_to(stimulus.pattern, network.layer(stimulus.target).shape).ravel()
            named = stimulus.name is not None
            (self.parameters if named else self._fixed)[stimulus.name or f" {k}"] = pattern

    def checked(self, sequences: Any) -> np.ndarray:
        """Return sequences of shape (sequences, steps, inputs); one sequence may be (steps, inputs)."""
        rows = array(sequences, "Unrolled: sequences")
        if rows.ndim == 2:
            rows = rows[None]
        inputs = self.network.layer(self.shown).cells
        if rows.ndim != 3 or rows.shape[2] != inputs:
            raise InputError(
                f"Unrolled: sequences: have shape {rows.shape}, must be (sequences, steps, {inputs} inputs)"
            )
        return rows

    def values(self, parameters: Mapping[str, Any] | None) -> Values:
        """Return all matrices and patterns by name, those given in place of the network's own."""
        given = {} if parameters is None else dict(parameters)
        for name, value in given.items():
            own = self.parameters.get(name)
            if own is None:
                raise InputError(f"Unrolled: there is no parameter '{name}'{closest(name, list(self.parameters))}")
            if np.shape(value) != own.shape:
                raise InputError(f"Unrolled: {name}: has shape {np.shape(value)}, must have {own.shape}")
        return {**self._fixed, **self.parameters, **given}

    def start(self, count: int) -> Values:
        """Return the states before the first step."""
        return {layer.name: np.tile(layer.start("x", layer.cells), (count, 1)) for layer in self.network.layers}

    def arriving(self, layer: Any, row: np.ndarray, values: Values, old: Values, new: Values) -> list[np.ndarray]:
        """Return the inputs of a layer of each kind, shape (sequences, cells)."""
        sums = {kind: np.zeros((len(row), layer.cells), row.dtype) for kind in layer.kinds}
        if layer.name == self.shown:
            sums["excitatory"] = sums["excitatory"] + row
        for k, stimulus in enumerate(self.biases):
            if stimulus.target == layer.name:
                sums[stimulus.kind] = sums[stimulus.kind] + values[stimulus.name or f" {k}"]
        for link in self.into[layer.name]:
            sent = link.signal._compute("kernel", (new if link.immediate else old)[link.source])
            sums[link.kind] = sums[link.kind] + sent @ values[str(link.name)].T
        return list(sums.values())

    def steps(self, sequences: np.ndarray, parameters: Mapping[str, Any] | None = None) -> list[UnrolledStep]:
        """Return every step, with its derivatives."""
        values, old, found = self.values(parameters), self.start(len(sequences)), []
        for t in range(sequences.shape[1]):
            new: Values = {}
            slopes: Values = {}
            for layer in self.network.layers:
                inputs = self.arriving(layer, sequences[:, t], values, old, new)
                new[layer.name], slopes[layer.name] = partial_derivatives(
                    type(layer).law, [old[layer.name], *inputs], _numbers(layer)
                )
            found.append(UnrolledStep(old, new, slopes))
            old = new
        return found

    def states(self, sequences: Any, layer: str, parameters: Mapping[str, Any] | None = None) -> np.ndarray:
        """Return the states of a layer after each step, shape (sequences, steps, cells).

        Complex parameters give complex states: their imaginary parts are derivatives (the complex step).
        """
        rows = self.checked(sequences)
        values, old = self.values(parameters), self.start(len(rows))
        kind = np.result_type(float, *values.values())
        old, saved = {name: x.astype(kind) for name, x in old.items()}, []
        for t in range(rows.shape[1]):
            new: Values = {}
            for one in self.network.layers:
                inputs = self.arriving(one, rows[:, t].astype(kind), values, old, new)
                with np.errstate(over="ignore"):
                    new[one.name] = type(one).law(old[one.name], *inputs, *_numbers(one))
            saved.append(new[layer])
            old = new
        return np.stack(saved, axis=1)

    def trained(self, parameters: Mapping[str, Any]) -> Network:
        """Return the network with these parameters, to run, save and show as any other."""
        values = self.values(parameters)
        links = [
            link.replace(topology=Dense(values[str(link.name)])) if str(link.name) in self.parameters else link
            for link in self.network.projections
        ]
        stimuli = [
            stimulus.replace(pattern=values[str(stimulus.name)]) if stimulus.name in self.parameters else stimulus
            for stimulus in self.network.stimuli
        ]
        return self.network.replace(projections=links, stimuli=stimuli)


def _numbers(layer: Any) -> list[Any]:
    """Return the arguments of a law after the inputs."""
    return [
        np.ravel(value) if isinstance(value := getattr(layer, name), np.ndarray) else value for name in layer.parameters
    ]
