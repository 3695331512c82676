"""The functions a_i, b_i and d_i of (32) for the cells of one layer, and the integrals of b_i d_i'."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.signals import Signal
from brnn.theory.liapunov_functions.antiderivative import Antiderivative

__all__ = ["CellFunctions", "Edge", "Term"]

_NEAREST = 1e-300  # distance from an edge at 0 at which a_i and b_i are taken instead of at the edge itself


@dataclass(frozen=True)
class Edge:
    """An activity s_i at which a_i falls to 0 and b_i may be infinite: a_i = slope_i r_i, r_i = side (x_i - s_i) >= 0.

    Attributes
    ----------
    place, slope : array, shape (cells,)
        s_i, and the slope of a_i there.
    side : {1, -1}
        Whether activities lie above or below it.
    """

    place: np.ndarray
    slope: np.ndarray
    side: int

    @functools.cached_property
    def nearest(self) -> np.ndarray:
        """The least distance, shape (cells,): what a float can tell from the edge."""
        return np.maximum(np.finfo(float).eps * np.abs(self.place), _NEAREST)

    def distance(self, x: np.ndarray) -> np.ndarray:
        """Return r, but at least the least distance: what follows then is the limit at the edge."""
        return np.maximum(self.side * (x - self.place), self.nearest)


@dataclass(frozen=True)
class Term:
    """One term of b_i(x) = sum coefficient_i factor(x) [/ r_i].

    Attributes
    ----------
    coefficient : array, shape (cells,)
        May differ from cell to cell.
    signal : Signal or None
        factor is this signal (or 1).
    times_x : bool
        factor is multiplied by x.
    over : bool
        The term is divided by the distance r_i from the edge.
    """

    coefficient: np.ndarray
    signal: Signal | None = None
    times_x: bool = False
    over: bool = False

    def at(self, x: np.ndarray, r: np.ndarray | None, edge: float | np.ndarray = np.nan, side: int = 1) -> np.ndarray:
        """Return the term without its coefficient."""
        if self.signal is None:
            value = x if self.times_x else np.ones_like(x)
            return value / r if self.over else value
        if not self.over:
            return np.asarray(self.signal(x) * x if self.times_x else self.signal(x))
        at_zero = np.asarray(edge == 0.0) & (side == 1)
        # f(x)/x has a limit at 0 that the quotient of two small numbers would lose.
        result = np.asarray(self.signal.hill(x)) if at_zero.any() else np.zeros_like(x)
        return result if at_zero.all() else np.where(at_zero, result, np.asarray(self.signal(x)) / r)


@dataclass
class CellFunctions:
    """The cells of one layer in the form (32).

    Attributes
    ----------
    name : str
        Name of the layer.
    place : slice
        Where their activities stand in the state vector.
    signal : Signal
        d.
    terms : list of Term
        b.
    amplification : array, Signal or Edge
        a: constants, a function of x, or in proportion to the distance from an edge.
    """

    name: str
    place: slice
    signal: Signal
    terms: list[Term]
    amplification: np.ndarray | Signal | Edge
    _tables: dict[tuple[int, float], Antiderivative] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.terms = [term for term in self.terms if np.any(term.coefficient)]

    @property
    def count(self) -> int:
        """Number of cells."""
        return int(self.place.stop - self.place.start)

    def a(self, x: np.ndarray) -> np.ndarray:
        """Return a_i(x_i), shape (rows, cells)."""
        if isinstance(self.amplification, Edge):
            return self.amplification.slope * self.amplification.distance(x)
        if isinstance(self.amplification, Signal):
            return np.asarray(self.amplification(x))
        return np.broadcast_to(self.amplification, x.shape)

    def inside(self, x: np.ndarray) -> np.ndarray:
        """Return the activities with those at an edge moved off it, so that what follows is the limit there."""
        if not isinstance(self.amplification, Edge):
            return x
        edge = self.amplification
        r = edge.distance(x)
        return np.where(r <= edge.nearest, edge.place + edge.side * r, x)

    def b(self, x: np.ndarray) -> np.ndarray:
        """Return b_i(x_i), shape (rows, cells); the limit (or a huge number) at an edge."""
        edge = self.amplification if isinstance(self.amplification, Edge) else None
        result = np.zeros(x.shape)
        for term in self.terms:
            if edge is None or not term.over:
                result += term.coefficient * term.at(x, None)
                continue
            result += term.coefficient * term.at(self.inside(x), edge.distance(x), edge.place, edge.side)
        return result

    def check(self, x: np.ndarray) -> str | None:
        """Say why d does not satisfy the theorem at these activities (it falls, or it jumps); None if it does."""
        slope = np.asarray(self.signal.derivative(x))
        falls = slope < -1e-12 * np.abs(slope).max()
        if falls.any():
            return f"falls at activity {x[falls][0]:g}, where its slope is {slope[falls][0]:g}"
        ends = np.array([x.min(), x.max()])  # a jump between any two states lies between these
        risen = self._slope_table(ends)
        jump = np.abs(np.asarray(self.signal(ends)) - float(self.signal(0.0)) - risen)
        if jump.max() > 1e-9 * (1.0 + np.abs(risen).max()):
            return f"jumps between activities 0 and {ends[jump.argmax()]:g}"
        return None

    def integral(self, x: np.ndarray) -> np.ndarray:
        """Return the integrals of b_i d_i' up to x_i, shape (rows, cells); they begin at 0 where that is finite."""
        result = np.zeros(x.shape)
        for k, term in enumerate(self.terms):
            if term.signal is None and not term.times_x and not term.over:
                result += term.coefficient * (np.asarray(self.signal(x)) - float(self.signal(0.0)))
                continue
            if not term.over:
                value = self._table(k, np.nan)(x)
                result += np.where(term.coefficient == 0.0, 0.0, term.coefficient * value)
                continue
            assert isinstance(self.amplification, Edge)
            edge = self.amplification
            for place in np.unique(edge.place):
                chosen = (edge.place == place) & (term.coefficient != 0.0)
                if chosen.any():
                    # An activity that is an edge other than 0 is near it, up to rounding; one that is 0 is at 0.
                    r = np.maximum(edge.side * (x[:, chosen] - place), np.finfo(float).eps * abs(place))
                    result[:, chosen] += term.coefficient[chosen] * self._table(k, float(place))(r)
        return result

    @functools.cached_property
    def _slope_table(self) -> Antiderivative:
        return Antiderivative(lambda x: np.asarray(self.signal.derivative(x)))

    def _table(self, k: int, place: float) -> Antiderivative:
        """Return the integral of term k times d', as a function of x, or of the distance from the edge at `place`."""
        key = (k, place)
        if key not in self._tables:
            term, d = self.terms[k], self.signal
            if not term.over:
                self._tables[key] = Antiderivative(lambda x: term.at(x, None) * np.asarray(d.derivative(x)))
            else:
                assert isinstance(self.amplification, Edge)
                side = self.amplification.side
                zero = max(-side * place, 0.0)  # the distance of x = 0
                self._tables[key] = Antiderivative(_over_distance(term, d, place, side), zero, edge=0.0)
        return self._tables[key]


def _over_distance(term: Term, d: Signal, place: float, side: int) -> Callable[[np.ndarray], Any]:
    """Return the integrand as a function of the distance r from the edge; dx = side dr."""

    def integrand(r: np.ndarray) -> np.ndarray:
        x = place + side * r
        return side * term.at(x, r, place, side) * np.asarray(d.derivative(x))

    return integrand
