"""What is certain of the jumps of a competitive system: bounds of its law over whole intervals, no samples.

Where one cell alone has the activity x, its growth rate is dx/dt = a(x) M(x): of cells (9) between 0 and B

    M(x) = -A + (B - C x) sum_s w_s f_s(x)/x - F (J + sum_s v_s f_s(x)),

over the signals that it sends itself, of cells (32) M(x) = b(x) + I - J -+ sum_s w_s f_s(x). Bounds of signals and of
their hill functions (`brnn.signals.enclosed`) are bounds of M, for the literature's signals and for the formulas of
users. Where M is not 0 between the levels that were found, there are no others.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from brnn.signals.enclosed import enclosable, enclosed
from brnn.signals.formula.bounds import Bounds
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.layers.generalized import Layer
from brnn.spec.network import Network
from brnn.theory.certain import holds_between, nondecreasing

__all__ = ["CertainGrowth"]

_LEAST = 1e-300  # activities below it are 0
_NEAR = 1e-9  # of the largest activity: how near to a level another one may be that is not told from it


class CertainGrowth:
    """The growth rates M of a network of one layer, each cell alone, as bounds over intervals of its activity.

    Parameters
    ----------
    network : Network
        One layer, whose cells stay 0 where they are 0.
    when : float
        At which time inputs are taken.
    top : float
        The largest activity.
    """

    def __init__(self, network: Network, when: float, top: float) -> None:
        layer: Any = network.layers[0]
        self.layer, self.top, self.links = layer, top, network.projections
        self.strengths = [link.topology.strengths(layer.shape, layer.shape) for link in self.links]
        self.inputs = {kind: np.zeros(layer.cells) for kind in layer.kinds}
        for stimulus in network.stimuli:
            self.inputs[stimulus.kind] += np.asarray(stimulus.at(when, layer.shape)).ravel()
        self._rises = [nondecreasing(link.signal, top) is True for link in self.links]

    @property
    def known(self) -> bool:
        """Whether bounds of the law are known."""
        layer = self.layer
        if not all(link.plain and enclosable(link.signal) and link.signal(0.0) == 0.0 for link in self.links):
            return False
        if type(layer) is CohenGrossbergLayer:
            return (
                enclosable(layer.a)
                and enclosable(layer.b)
                and holds_between(lambda low, high: enclosed(layer.a, "kernel", low, high)[0] > 0.0, self.top)
            )
        return type(layer) is Layer and not np.any(layer.E) and not np.any(self.inputs["excitatory"])

    def competitive(self) -> bool:
        """Say whether no activity raises the rate of another one, for certain."""
        if not self.known or (type(self.layer) is Layer and np.any(np.asarray(self.layer.F) < 0.0)):
            return False
        for link, W, rises in zip(self.links, self.strengths, self._rises, strict=True):
            others = W[~np.eye(len(W), dtype=bool)]
            if not others.any():
                continue
            if link.kind != "inhibitory" or not rises or (others < 0.0).any():
                return False
        return True

    def growth(self, i: int, low: Any, high: Any, beside: tuple[int, float, float] | None = None) -> Bounds:
        """Return the bounds of M_i where cell i has an activity within intervals.

        Parameters
        ----------
        i : int
            The cell.
        low, high : array
            Ends of the intervals, > 0.
        beside : (int, float, float), optional
            Another cell that is active, and the ends of the interval in which its activity lies; the rest is silent.
        """
        layer = self.layer
        low, high = np.asarray(low, dtype=np.float64), np.asarray(high, dtype=np.float64)
        shunted = type(layer) is Layer
        total = {kind: Bounds.of(np.zeros(low.shape) + value[i]) for kind, value in self.inputs.items()}
        for link, W in zip(self.links, self.strengths, strict=True):
            if W[i, i] != 0.0:
                part = "quotient" if shunted and link.kind == "excitatory" else "kernel"
                total[link.kind] += Bounds.of(np.float64(W[i, i])) * Bounds(*enclosed(link.signal, part, low, high))
            if beside is not None and W[i, beside[0]] != 0.0:
                sent = Bounds(*enclosed(link.signal, "kernel", np.array(beside[1]), np.array(beside[2])))
                total[link.kind] += Bounds.of(np.float64(W[i, beside[0]])) * sent
        if not shunted:
            return Bounds(*enclosed(layer.b, "kernel", low, high)) + total["excitatory"] - total["inhibitory"]
        A, B, C, F = (
            Bounds.of(np.broadcast_to(v, layer.shape).ravel()[i]) for v in (layer.A, layer.B, layer.C, layer.F)
        )
        return (B - C * Bounds(low, high)) * total["excitatory"] - F * total["inhibitory"] - A

    def all_levels(self, i: int, zeros: list[float]) -> bool:
        """Say whether M_i is 0 nowhere but within 1e-9 of the largest activity around these places, for certain."""
        near = _NEAR * self.top
        edges = [0.0, *(side for zero in sorted(zeros) for side in (zero - near, zero + near)), self.top]
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            if end <= max(begin, _LEAST):
                continue
            if not holds_between(partial(self._not_zero_from, i, begin), end):
                return False
        return True

    def _not_zero_from(self, i: int, begin: float, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        low = np.maximum(low, begin)
        found = self.growth(i, low, np.maximum(low, high))
        return np.asarray((high <= begin) | (found.low > 0.0) | (found.high < 0.0))

    def takes_over(self, i: int, j: int, level: float) -> bool | None:
        """Say whether cell j grows from 0 where i rests within 1e-9 of a level; None if bounds do not tell."""
        near = _NEAR * self.top
        beside = (i, max(level - near, _LEAST), level + near)
        found = self.growth(j, np.array(_LEAST), np.array(near), beside)
        return True if found.low > 0.0 else False if found.high < 0.0 else None
