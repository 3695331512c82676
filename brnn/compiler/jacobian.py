"""The Jacobian of a network in blocks, for methods that need only an approximate one.

A network with weights has few activities x and many gates y and weights z. The fast part of its dynamics is dx/dt as
a function of x; gates and weights relax each by itself. So the Jacobian is taken as

    [ J_xx    0      0   ]
    [  0    diag_y   0   ]
    [  0      0    diag_z]

with J_xx and the diagonals exact: n_x^2 + n_y + n_z numbers, never (n_x + n_y + n_z)^2. It is made in NumPy from the
same laws and signals from which the right-hand side is generated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.system import Clock, System
from brnn.spec.layers import LayerLaw
from brnn.spec.projection import Projection

__all__ = ["BlockJacobian"]

_STEP = np.cbrt(np.finfo(float).eps)


def _slope(law: Callable[[Any], Any], at: np.ndarray) -> np.ndarray:
    """Return the derivative of a function of one variable, element by element, by central differences."""
    h = _STEP * np.maximum(1.0, np.abs(at))
    return np.asarray((law(at + h) - law(at - h)) / (2.0 * h))


def _partial(law: Callable[..., Any], at: list[np.ndarray], k: int) -> np.ndarray:
    """Return the derivative of a law by its argument number k."""
    return _slope(lambda v: law(*at[:k], v, *at[k + 1 :]), at[k])


@dataclass(frozen=True)
class _Place:
    """Where a projection's parts lie, and its constant strengths."""

    projection: Projection
    source: LayerLaw
    target: LayerLaw
    rows: slice
    columns: slice
    strengths: np.ndarray


class BlockJacobian:
    """J_xx and the diagonals of gates and weights of a network without delays.

    Parameters
    ----------
    system : System
        A compiled network.
    clock : Clock, optional
        Where the schedules stand; by default where they do before any event.
    """

    def __init__(self, system: System, clock: Clock | None = None) -> None:
        network = system.network
        self._clock = clock or system.clock()
        self._system = system
        self._slices = {v.name: slice(v.start, v.stop) for v in system.variables}
        self.cells = sum(layer.cells for layer in network.layers)
        self._places = []
        for projection in network.projections:
            source, target = network.layer(projection.source), network.layer(projection.target)
            rows, columns = self._slices[f"{target.name}.x"], self._slices[f"{source.name}.x"]
            strengths = projection.topology.strengths(source.shape, target.shape)
            self._places.append(_Place(projection, source, target, rows, columns, strengths))

    def __call__(self, time: float, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return J_xx, shape (cells, cells), and the diagonal of all other unknowns, in their order in `u`."""
        network = self._system.network
        x = u[: self.cells]
        inputs = {(layer.name, kind): np.zeros(layer.cells) for layer in network.layers for kind in layer.kinds}
        for k, stimulus in enumerate(network.stimuli):
            layer = network.layer(stimulus.target)
            now = self._clock.reads(k, time)
            if now is not None:
                inputs[layer.name, stimulus.kind] += stimulus.at(now, layer.shape).ravel()
        plain = [self._effective(place, u) for place in self._places]
        effective = [self._modulated(place, weights, x) for place, weights in zip(self._places, plain, strict=True)]
        for place, weights in zip(self._places, effective, strict=True):
            signals = place.projection.signal(x[place.columns])
            inputs[place.target.name, place.projection.kind] += weights @ signals
        J = np.zeros((self.cells, self.cells))
        sensitivity = {}
        for layer in network.layers:
            rows = self._slices[f"{layer.name}.x"]
            given = (sum(inputs.get((name, kind), 0.0) for name in layer.receives) for kind in layer.kinds)
            at = [x[rows], *(np.asarray(total) for total in given)]
            law = _law(layer)
            own = np.arange(rows.start, rows.stop)
            J[own, own] = _partial(law, at, 0)
            for k, kind in enumerate(layer.kinds, start=1):
                sensitivity[layer.name, kind] = _partial(law, at, k)
        for place, weights in zip(self._places, effective, strict=True):
            rise = place.projection.signal.derivative(x[place.columns])
            for rows, gain in self._gains(place, sensitivity):
                J[rows, place.columns] += gain[:, None] * weights * rise[None, :]
        for place, weights in zip(self._places, plain, strict=True):
            modulation = place.projection.modulation
            if modulation is None:
                continue
            columns = self._slices[f"{modulation.layer}.x"]
            sent = weights * place.projection.signal(x[place.columns])[None, :]
            rise = modulation.gain * modulation.signal.derivative(x[columns])
            for rows, gain in self._gains(place, sensitivity):
                if modulation.at == "source":
                    J[rows, columns] += gain[:, None] * sent * rise[None, :]
                elif modulation.at == "target":
                    own = np.arange(place.target.cells)
                    J[rows, columns][own, own] += gain * sent.sum(axis=1) * rise
                else:
                    J[rows, columns] += (gain * sent.sum(axis=1))[:, None] * rise[None, :]
        return J, self._rest(time, u)

    def _gains(
        self, place: _Place, sensitivity: Mapping[tuple[str, str], np.ndarray]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield, for each layer that receives what a projection brings, its rows and how it depends on that."""
        for layer in self._system.network.layers:
            if place.target.name in layer.receives and place.projection.kind in layer.kinds:
                yield self._slices[f"{layer.name}.x"], sensitivity[layer.name, place.projection.kind]

    def _effective(self, place: _Place, u: np.ndarray) -> np.ndarray:
        """Return the strengths times gates and weights, as a matrix."""
        projection = place.projection
        result = place.strengths
        gate = projection.gate
        if gate is not None and gate.per == "source":
            result = result * u[self._slices[f"{projection.name}.y"]][None, :]
        elif gate is not None:
            result = result * self._matrix(place, u[self._slices[f"{projection.name}.y"]])
        if projection.learning is not None:
            result = result * self._matrix(place, u[self._slices[f"{projection.name}.z"]])
        return result

    def _modulated(self, place: _Place, weights: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the strengths times the factors of the modulation."""
        modulation = place.projection.modulation
        if modulation is None:
            return weights
        factor = np.asarray(modulation.factor(modulation.signal(x[self._slices[f"{modulation.layer}.x"]])))
        return weights * (factor[:, None] if modulation.at == "target" else factor)

    def _matrix(self, place: _Place, values: np.ndarray) -> np.ndarray:
        """Return one value per connection as a matrix [target, source]."""
        rows, columns = self._ends(place)
        if rows is None:
            return values.reshape(place.target.cells, place.source.cells)
        matrix = np.zeros((place.target.cells, place.source.cells))
        matrix[rows, columns] = values
        return matrix

    def _ends(self, place: _Place) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return target and source cell of each connection; None for a full matrix."""
        topology = place.projection.topology
        if topology.storage == "dense":
            return None, None
        if topology.storage == "single":
            every = np.arange(place.target.cells)
            return every, every
        _, indices, indptr = topology.arguments(place.source.shape, place.target.shape)
        return np.repeat(np.arange(place.target.cells), np.diff(indptr)), np.asarray(indices)

    def _rest(self, time: float, u: np.ndarray) -> np.ndarray:
        """Return the diagonal of gates and weights."""
        parts = [np.zeros(0)]
        for quantity in ("y", "z"):
            for place in self._places:
                name = f"{place.projection.name}.{quantity}"
                if name in self._slices:
                    own = u[self._slices[name]]
                    parts.append(self._gate(place, u, own) if quantity == "y" else self._weights(place, time, u, own))
        return np.concatenate(parts)

    def _gate(self, place: _Place, u: np.ndarray, y: np.ndarray) -> np.ndarray:
        gate = place.projection.gate
        assert gate is not None
        f = place.projection.signal(u[place.columns])
        if gate.per == "connection":
            f = self._spread(place, f, "source")
        law = type(gate).law
        return _slope(lambda v: law(v, f, *gate.arguments), y)

    def _weights(self, place: _Place, time: float, u: np.ndarray, z: np.ndarray) -> np.ndarray:
        learning = place.projection.learning
        assert learning is not None
        reads = []
        for signal, where in learning.reads(place.projection.signal):
            name = learning.layer_at(where, place.source.name, place.target.name)
            values = signal(u[self._slices[f"{name}.x"]])
            reads.append(values.sum() if where == "source total" else self._spread(place, values, where))
        if learning.sums_weights:
            totals = self._matrix(place, z).sum(axis=1)
            reads.append(self._spread(place, totals, "target"))
        rate = learning.rate
        if learning.schedule is not None:
            time += self._clock.shift
            segment = learning.schedule.segment(time, np.ones(()))
            rate *= float(segment.base)
            if learning.schedule.varying:
                course = type(learning.schedule).kernel(time, *segment.parameters)
                rate += learning.rate * float(course * segment.varying)
        law = type(learning).law
        return _slope(lambda v: law(v, *reads, rate, *learning.others), z)

    def _spread(self, place: _Place, values: np.ndarray, where: str) -> np.ndarray:
        """Return a cell's value for each of its connections, flat."""
        rows, columns = self._ends(place)
        if rows is None:
            shape = (place.target.cells, place.source.cells)
            return np.broadcast_to(values[:, None] if where == "target" else values[None, :], shape).ravel()
        return values[rows if where == "target" else columns]


def _law(layer: LayerLaw) -> Callable[..., Any]:
    """Return the law of a layer as a function of x and its inputs, with its parameters and inner signals."""
    parameters = [np.ravel(getattr(layer, name)) for name in layer.parameters]
    inner = list(layer.inner().values())

    def law(x: Any, *inputs: Any) -> Any:
        return type(layer).law(x, *inputs, *parameters, *(signal(x) for signal in inner))

    return law
