"""The explicit method of Dormand and Prince where most unknowns are weights whose learning law is affine.

It is the same method to rounding, with a fraction of the traffic to memory: a stage costs one product of the weights
with a vector, a step one more pass (`brnn.integrate.steppers.affine_weights_steps`). Everything else, activities and
gates, is integrated as ever, its input from the weights being an argument of the right-hand side.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.compiler.generate import generate
from brnn.compiler.program import Given
from brnn.compiler.system import System
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.explicit_steps import ERROR, INSIDE, NODES, ROWS, STAGES, TINY, ExplicitSteps
from brnn.integrate.steppers.threads import Threads
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllButSelf

__all__ = ["AffineWeights"]

_FILE = Path(__file__).with_name("affine_weights_steps.py")
_THREADED = 300_000  # weights of a projection from which threads share its rows


class _Weights:
    """The weights of one projection: where they lie, and what is known of the stages of a step."""

    def __init__(self, projection: Projection, network: Network, place: slice, given: Given) -> None:
        learning = projection.learning
        assert learning is not None
        self.learning, self.place, self.given = learning, place, given
        self.weight = float(projection.topology.weight)  # type: ignore[attr-defined]
        self.butself = isinstance(projection.topology, AllButSelf)
        self.shape = network.layer(projection.target).cells, network.layer(projection.source).cells
        near, far = self.shape if learning.end == "target" else self.shape[::-1]
        self.decay, self.gain, self.c = np.zeros((3, STAGES, near))
        self.w = np.zeros((STAGES, STAGES, near))
        self.c[0] = 1.0
        self.H, self.s = np.zeros((STAGES, far)), np.empty(self.shape[1])
        self.y, self.errors = np.empty((2, self.shape[0]))

    def reads(self, stage: int, arrays: dict[str, np.ndarray]) -> None:
        """Take over the signals of a stage."""
        self.s[:] = arrays[self.given.sent]
        signals = [arrays[name] for name in self.given.reads]
        rate = float(arrays[self.given.rate][0])
        parts = type(self.learning).parts(*signals, rate, *self.learning.others)
        self.decay[stage], self.gain[stage], self.H[stage] = parts

    def total(self, stage: int, diagonal: np.ndarray | None) -> np.ndarray:
        """Return what the target cells get in a stage, `y` being the product with the weights of its beginning."""
        c, w, H, s = self.c[stage], self.w[stage, :stage], self.H[:stage], self.s
        if self.learning.end == "target":
            total = c * self.y + (H @ s) @ w
        else:
            total = self.y + (w @ s) @ H
        if diagonal is not None:
            total -= (c * diagonal + (w * H).sum(axis=0)) * s
        return np.asarray(self.weight * total)

    def vector(self, stage: int) -> np.ndarray:
        """Return what the weights of the beginning of the step are multiplied with in a stage."""
        return self.s if self.learning.end == "target" else self.c[stage] * self.s


class AffineWeights(ExplicitSteps):
    """Makes the steps of one piece of a network that `brnn.integrate.weights` says nothing against."""

    def __init__(self, piece: Piece) -> None:
        super().__init__(piece)
        network, variables = piece.system.network, piece.system.variables
        self._code = load_copy(_FILE)
        learning = {str(projection.name): projection for projection in network.projections if projection.learning}
        cells = tuple(variable for variable in variables if variable.quantity != "z")
        system = System(network, cells, generate(network, cells, given=learning))
        self._n = system.size
        self._rhs = system.rhs(0.5 * (piece.start + piece.stop), clock=piece.clock)
        self._arrays = dict(zip(system.program.arrays, self._rhs.arguments[2:], strict=True))
        self._weights = [
            _Weights(learning[v.group], network, slice(v.start, v.stop), system.program.given[v.group])
            for v in variables
            if v.quantity == "z"
        ]
        self._pool = Threads() if max(w.y.size * w.s.size for w in self._weights) >= _THREADED else None
        self._K = np.zeros((STAGES, self._n))
        self._slope(0, self.t, self._u[: self._n])

    @property
    def f(self) -> np.ndarray:
        """du/dt of the activities and gates."""
        return self._K[0]

    def _each(self, function: Callable[..., None], rows: int, *arguments: Any) -> None:
        """Call a pass over all rows, in threads if there are many weights."""
        if self._pool is None:
            function(*arguments, 0, rows)
        else:
            self._pool(function, rows, *arguments)

    def _slope(self, stage: int, t: float, cells: np.ndarray) -> None:
        """Write du/dt of the cells in a stage: what they signal, what the weights make of it, then du/dt."""
        self._signals(stage, t, cells)
        self._inputs(stage, self._u)
        self._rhs.into(t, cells, self._K[stage])

    def _inputs(self, stage: int, u: np.ndarray) -> None:
        """Write the inputs that the weights of a stage make of its signals; its step began with the weights in `u`."""
        for weights in self._weights:
            z = u[weights.place].reshape(weights.shape)
            self._each(self._code.products, weights.shape[0], z, weights.vector(stage), weights.y)
            diagonal = z.diagonal() if weights.butself else None
            self._arrays[weights.given.total][:] = weights.total(stage, diagonal)

    def _signals(self, stage: int, t: float, cells: np.ndarray) -> None:
        """Take over the signals of a stage, and what follows for its weights."""
        self._rhs.into(t, cells, self._K[stage])
        for weights in self._weights:
            weights.reads(stage, self._arrays)

    def _factors(self, weights: _Weights, start: float, h: float, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return c and w of a combination of the stages: `STAGES` rows, those beyond the last being 0."""
        c, w = np.empty(weights.c.shape[1]), np.zeros(weights.w.shape[1:])
        self._code.factors(start, h, np.asarray(a), weights.decay, weights.gain, weights.c, weights.w, c, w)
        return c, w

    def _attempt(self, t: float, end: float, h: float) -> tuple[float, float]:
        """Write the new state; return its error in units of the tolerance, and about the fastest rate."""
        n, K = self._n, self._K
        cells = self._u[:n]
        for stage in range(1, STAGES):
            a = np.ascontiguousarray(ROWS[stage][:stage])
            before, cells = cells, self._u[:n] + h * (a @ K[:stage])
            for weights in self._weights:
                weights.c[stage], weights.w[stage] = self._factors(weights, 1.0, h, a)
            if stage < STAGES - 1:
                self._slope(stage, t + NODES[stage] * h, cells)
        self._new[:n] = cells
        error, turned = self._end(end, h)
        rates = [float(np.max(weights.decay)) for weights in self._weights]  # the weights' own are known
        return error, max(turned / max(float(np.max(np.abs(cells - before))), TINY), *rates)

    def _begin(self) -> None:
        """Let what was known at the end of the last step be the first stage of the next."""
        self._K[0] = self._K[-1]
        for weights in self._weights:
            for values in (weights.decay, weights.gain, weights.H):
                values[0] = values[-1]

    def _end(self, t: float, h: float) -> tuple[float, float]:
        """Write the new weights and the last slope of the cells; return the error in units of the tolerance.

        Also return by how much the slope of the cells differs at most from that of the stage before, whose time and
        inputs from the weights are the same.
        """
        piece, n, last = self._piece, self._n, STAGES - 1
        cells = self._new[:n]
        self._signals(last, t, cells)
        turned = float(np.max(np.abs(self._K[last] - self._K[last - 1])))
        parts = []
        mean = piece.norm == "rms"
        for weights in self._weights:
            ec, e = self._factors(weights, 0.0, h, ERROR)
            z, new = (u[weights.place].reshape(weights.shape) for u in (self._u, self._new))
            passes = self._code.by_target if weights.learning.end == "target" else self._code.by_source
            self._each(
                passes, weights.shape[0], z, new, weights.H, weights.c[last], weights.w[last], ec, e, piece.rtol,
                piece.atol, mean, weights.errors,
            )  # fmt: skip
            parts.append(weights.errors)
        self._inputs(0, self._new)  # as at the beginning of the next step, and of a run that is resumed there
        self._rhs.into(t, cells, self._K[last])
        error = h * (ERROR @ self._K) / (piece.atol + piece.rtol * np.maximum(np.abs(self._u[:n]), np.abs(cells)))
        return self._norm([*parts, error * error if mean else np.abs(error)]), turned

    def _within(self, t: float, out: np.ndarray) -> None:
        """Write the state at a time within the last step."""
        if t == self.t:
            out[:] = self._u
            return
        n, h, s = self._n, self.step_size, (t - self._before) / self.step_size
        a = INSIDE @ s ** np.arange(1, 5)
        out[:n] = self._new[:n] + h * (a @ self._K)
        for weights in self._weights:
            c, w = self._factors(weights, 1.0, h, a)
            z, part = (u[weights.place].reshape(weights.shape) for u in (self._new, out))
            if weights.learning.end == "target":
                np.multiply(c[:, None], z, out=part)
                part += w.T @ weights.H
            else:
                np.multiply(c, z, out=part)
                part += weights.H.T @ w
