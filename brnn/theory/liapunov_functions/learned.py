"""Weights that learn by passive decay (39), in pairs of projections that are each other's transpose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brnn.errors import InputError
from brnn.spec.learning import PassiveDecay
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies import Topology
from brnn.spec.topologies.matrix import Sparse
from brnn.theory.liapunov_functions.form import CohenGrossbergForm, NotOfTheForm

__all__ = ["LearnedWeights", "pair_up"]

_EQUAL = 1e-12
_DRIFT = 1e-5  # by how much the two weights of a connection may differ in a recorded run, relative to the largest


@dataclass(eq=False)
class LearnedWeights:
    """The weights z of one projection, one for each connection k from cell source_k to cell target_k.

    Attributes
    ----------
    projection : Projection
        Whose weights they are.
    rows, columns : array of int
        Target and source cell of each connection.
    strengths : array
        What multiplies z_k d(source) in the input of the target.
    rate, decay : float
        M and k of (39), for the signals d of both layers.
    place : slice
        Where z stands in the state vector.
    partner : LearnedWeights
        The projection in the other direction; itself within a layer.
    mate : array of int
        For each connection, the one of the partner in the other direction.
    """

    projection: Projection
    rows: np.ndarray
    columns: np.ndarray
    strengths: np.ndarray
    rate: float
    decay: float
    place: slice
    partner: LearnedWeights = None  # type: ignore[assignment]
    mate: np.ndarray = None  # type: ignore[assignment]

    def value(self, u: np.ndarray, signals: dict[str, np.ndarray]) -> np.ndarray:
        """Return the terms of V: -(1/2) sum c z d d + (k/4M) sum c z^2."""
        z = u[:, self.place]
        return np.asarray((z * (0.25 * self.decay / self.rate * z - 0.5 * self._product(signals))) @ self.strengths)

    def derivative(self, u: np.ndarray, signals: dict[str, np.ndarray]) -> np.ndarray:
        """Return the terms of dV/dt: -(1/2M) sum c (dz/dt)^2."""
        speed = self.rate * self._product(signals) - self.decay * u[:, self.place]
        return np.asarray(-0.5 / self.rate * (speed**2 @ self.strengths))

    def add_input(self, u: np.ndarray, signals: dict[str, np.ndarray], net: np.ndarray) -> None:
        """Add sum_k c_k z_k d(source_k) to the input of each target cell."""
        sent = self.strengths * u[:, self.place] * signals[self.projection.source][:, self.columns]
        for row, values in zip(net, sent, strict=True):
            row += np.bincount(self.rows, values, minlength=row.size)

    def _product(self, signals: dict[str, np.ndarray]) -> np.ndarray:
        return signals[self.projection.target][:, self.rows] * signals[self.projection.source][:, self.columns]

    def check(self, u: np.ndarray) -> None:
        """Raise InputError if z is not the transpose of the partner's z."""
        z, back = u[:, self.place], u[:, self.partner.place][:, self.mate]
        difference = np.abs(z - back)
        if difference.size and difference.max() > _DRIFT * (1.0 + np.abs(z).max()):
            row, k = np.unravel_index(int(difference.argmax()), difference.shape)
            raise InputError(f"liapunov: {self._unequal(int(k), z[row, k], back[row, k])}")

    def _unequal(self, k: int, one: float, other: float) -> str:
        here, there = self.projection.name, self.partner.projection.name
        j, i = self.rows[k], self.columns[k]
        return (
            f"its weights are not symmetric: {here}.z[{j}, {i}] = {one:.6g}, but {there}.z[{i}, {j}] = {other:.6g}: "
            f"the largest asymmetry, {abs(one - other):.6g}"
        )

    def require_symmetry(self, scales: dict[str, float]) -> None:
        """Raise NotOfTheForm unless both directions have the same strengths, rates and initial weights."""
        one, other = self.projection, self.partner.projection
        for name in ("rate", "decay"):
            here, there = getattr(self, name), getattr(self.partner, name)
            if abs(here - there) > _EQUAL * abs(here):
                raise NotOfTheForm(
                    f"its weights are not symmetric: {one.label} learns with {name} {here:.6g}, "
                    f"{other.label} with {there:.6g}"
                )
        back = self.partner.strengths[self.mate]
        difference = np.abs(scales[one.target] * self.strengths - scales[other.target] * back)
        if difference.size and difference.max() > _EQUAL * scales[one.target] * np.abs(self.strengths).max():
            k = int(np.abs(self.strengths - back).argmax())
            raise NotOfTheForm(
                f"its coefficients are not symmetric: strength {self.strengths[k]:.6g} from {one.source}"
                f"[{self.columns[k]}] to {one.target}[{self.rows[k]}], but {back[k]:.6g} back: the largest asymmetry, "
                f"{abs(self.strengths[k] - back[k]):.6g}"
            )
        z, z_back = one.start("z", self.rows.size), other.start("z", back.size)[self.mate]
        if (np.abs(z - z_back) > _EQUAL * np.abs(z).max(initial=1.0)).any():
            k = int(np.abs(z - z_back).argmax())
            raise NotOfTheForm(self._unequal(k, z[k], z_back[k]))


def pair_up(network: Network, gathered: CohenGrossbergForm) -> list[LearnedWeights]:
    """Return the learned projections of a network, each with its partner, or raise NotOfTheForm."""
    start = sum(layer.cells for layer in network.layers)
    every = []
    found: dict[tuple[str, str], LearnedWeights] = {}
    chosen = {str(projection.name): (block, rate) for projection, block, rate in gathered.learned}
    for projection in network.projections:  # in the order of the state vector
        law = projection.learning
        if law is None:
            continue
        assert isinstance(law, PassiveDecay)
        if str(projection.name) not in chosen:
            raise NotOfTheForm(f"{projection.label} learns, but its strengths or signals are all 0; leave it out")
        block, rate = chosen[str(projection.name)]
        rows, columns = _connections(projection.topology, block.targets, block.sources)
        strengths = block.elements(rows, columns)
        part = LearnedWeights(projection, rows, columns, strengths, rate, law.decay, slice(start, start + rows.size))
        start = part.place.stop
        key = (projection.source, projection.target)
        if key in found:
            raise NotOfTheForm(f"{projection.label} is the second of its layers that learns; V is known for one")
        found[key] = part
        every.append(part)
    for part in every:
        part.partner = found[part.projection.target, part.projection.source]
        part.mate = _mates(part, part.partner)
    return every


def _connections(topology: Topology, targets: int, sources: int) -> tuple[np.ndarray, np.ndarray]:
    """Return target and source cell of each weight, in the order in which they stand in the state vector."""
    if topology.storage == "single":
        return np.arange(targets), np.arange(targets)
    if isinstance(topology, Sparse):
        return np.repeat(np.arange(targets), np.diff(topology.csr.indptr)), np.array(topology.csr.indices)
    rows, columns = np.indices((targets, sources))
    return rows.ravel(), columns.ravel()


def _mates(part: LearnedWeights, partner: LearnedWeights) -> np.ndarray:
    """Return the place of each connection's opposite among the partner's connections."""
    one = np.lexsort((part.columns, part.rows))
    other = np.lexsort((partner.rows, partner.columns))
    same = one.size == other.size and (
        np.array_equal(part.rows[one], partner.columns[other])
        and np.array_equal(part.columns[one], partner.rows[other])
    )
    if not same:
        raise NotOfTheForm(
            f"{part.projection.label} and {partner.projection.label} do not join the same cells in both directions"
        )
    mate = np.empty(one.size, dtype=np.int64)
    mate[one] = other
    return mate
