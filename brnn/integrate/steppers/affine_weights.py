"""The explicit method of Dormand and Prince where most unknowns are weights whose learning law is affine.

It is the same method to rounding, with a fraction of the traffic to memory: a stage costs one product of the weights
with a vector, a step one more pass (`brnn.integrate.steppers.affine_weights_steps`). Everything else, activities and
gates, is integrated as ever, its input from the weights being an argument of the right-hand side.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import RK45

from brnn.compiler.cache import load_copy
from brnn.compiler.generate import generate
from brnn.compiler.program import Given
from brnn.compiler.system import System
from brnn.ensemble.kernels.control import LARGEST, SAFETY, SMALLEST
from brnn.integrate.steppers.base import Piece
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.topologies.uniform import AllButSelf

__all__ = ["AffineWeights"]

_FILE = Path(__file__).with_name("affine_weights_steps.py")
_NODES, _ROWS, _ERROR, _P = RK45.C, [*RK45.A, RK45.B], RK45.E, RK45.P
_STAGES = 7
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
        self.decay, self.gain, self.c = np.zeros((3, _STAGES, near))
        self.w = np.zeros((_STAGES, _STAGES, near))
        self.c[0] = 1.0
        self.H, self.s = np.zeros((_STAGES, far)), np.empty(self.shape[1])
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


class AffineWeights:
    """Makes the steps of one piece of a network that `brnn.integrate.weights` says nothing against.

    Parameters
    ----------
    piece : Piece
        What is to be integrated.

    Attributes
    ----------
    status : str
        "running", "finished" or "failed".
    t, stop, h_abs, step_size : float
        Where it stands, where the piece ends, the next step, the last one.
    nfev, njev, steps : int
        What was counted.
    f : ndarray
        du/dt of activities and gates.
    """

    njev = 0

    def __init__(self, piece: Piece) -> None:
        network, variables = piece.system.network, piece.system.variables
        self._piece, self._code = piece, load_copy(_FILE)
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
        self._pool = _Threads() if max(w.y.size * w.s.size for w in self._weights) >= _THREADED else None
        self.status, self.nfev, self.steps = "running", 2, 0
        self.t, self.stop = piece.start, piece.stop
        self._u, self._new = piece.state.copy(), np.empty_like(piece.state)
        self._K = np.zeros((_STAGES, self._n))
        self.h_abs = self._first()
        self._slope(0, self.t, self._u[: self._n])
        self._before = self.t
        self.step_size = 0.0

    @property
    def y(self) -> np.ndarray:
        """The state, in an array of its own."""
        return self._u.copy()

    @property
    def f(self) -> np.ndarray:
        """du/dt of the activities and gates."""
        return self._K[0]

    @property
    def rate(self) -> float:
        """0.0: there is nothing but this method for such networks."""
        return 0.0

    def _first(self) -> float:
        """Return a first step, as `brnn.integrate.steppers.dormand_prince_steps` does."""
        piece, u = self._piece, self._u
        scale = piece.atol + piece.rtol * np.abs(u)
        slope, length = piece.fun(self.t, u), self.stop - self.t
        state, speed = float(np.max(np.abs(u) / scale)), float(np.max(np.abs(slope) / scale))
        if not speed > 0.0:
            return length
        trial = min(length, 0.01 * state / speed if state >= 1e-5 else 1e-4 * length)
        bend = float(np.max(np.abs(piece.fun(self.t + trial, u + trial * slope) - slope) / scale))
        return float(min(length, 100.0 * trial, trial * (0.01 / max(speed * trial, bend * trial)) ** 0.2))

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
        """Return c and w of a combination of the stages: `_STAGES` rows, those beyond the last being 0."""
        c, w = np.empty(weights.c.shape[1]), np.zeros(weights.w.shape[1:])
        self._code.factors(start, h, np.asarray(a), weights.decay, weights.gain, weights.c, weights.w, c, w)
        return c, w

    def step(self) -> None:
        """Make one step."""
        t, piece, n, K, u, new = self.t, self._piece, self._n, self._K, self._u, self._new
        if self.steps and self._before < t:
            self._begin()
        shortest = 10.0 * abs(np.nextafter(t, np.inf) - t)
        size = min(max(self.h_abs, shortest), piece.longest)
        rejected = False
        while True:
            if size < shortest:
                self.status = "failed"
                return
            end = min(t + size, self.stop)
            h = size = end - t
            for stage in range(1, _STAGES):
                a = np.ascontiguousarray(_ROWS[stage][:stage])
                at = end if stage == _STAGES - 1 else t + _NODES[stage] * h
                cells = u[:n] + h * (a @ K[:stage])
                for weights in self._weights:
                    weights.c[stage], weights.w[stage] = self._factors(weights, 1.0, h, a)
                if stage < _STAGES - 1:
                    self._slope(stage, at, cells)
            new[:n] = cells
            error = self._end(end, h)
            self.nfev += 6
            if error < 1.0:
                factor = LARGEST if error == 0.0 else min(LARGEST, SAFETY * error**-0.2)
                break
            size *= max(SMALLEST, SAFETY * error**-0.2) if error < np.inf else SMALLEST
            rejected = True
        self._u, self._new = new, u
        self._before, self.t, self.step_size = t, end, h
        self.steps += 1
        self.h_abs = h * (min(1.0, factor) if rejected else factor)
        if end >= self.stop:
            self.status = "finished"

    def _begin(self) -> None:
        """Let what was known at the end of the last step be the first stage of the next."""
        self._K[0] = self._K[-1]
        for weights in self._weights:
            for values in (weights.decay, weights.gain, weights.H):
                values[0] = values[-1]

    def _end(self, t: float, h: float) -> float:
        """Write the new weights and the last slope of the cells; return the largest error in units of its tolerance."""
        piece, n, last = self._piece, self._n, _STAGES - 1
        cells = self._new[:n]
        self._signals(last, t, cells)
        largest = 0.0
        for weights in self._weights:
            ec, e = self._factors(weights, 0.0, h, _ERROR)
            z, new = (u[weights.place].reshape(weights.shape) for u in (self._u, self._new))
            passes = self._code.by_target if weights.learning.end == "target" else self._code.by_source
            self._each(
                passes, weights.shape[0], z, new, weights.H, weights.c[last], weights.w[last], ec, e, piece.rtol,
                piece.atol, weights.errors,
            )  # fmt: skip
            largest = max(largest, float(np.max(weights.errors)))
        self._inputs(0, self._new)  # as at the beginning of the next step, and of a run that is resumed there
        self._rhs.into(t, cells, self._K[last])
        error = h * (_ERROR @ self._K) / (piece.atol + piece.rtol * np.maximum(np.abs(self._u[:n]), np.abs(cells)))
        largest = max(largest, float(np.max(np.abs(error))))
        return largest if largest == largest else np.inf

    def advance(self, times: np.ndarray, rows: int, most: int) -> np.ndarray:
        """Make up to `most` steps; return the states at the `times` that were passed, up to so many rows."""
        saved = np.empty((min(rows, times.size), self._u.size))
        done = made = 0
        while True:
            if self.steps:
                while done < len(saved) and times[done] <= self.t:
                    self._within(times[done], saved[done])
                    done += 1
            if self.status != "running" or made == most or (done == len(saved) < times.size and times[done] <= self.t):
                break
            self.step()
            made += 1
        if self.status == "finished" and done < times.size and times[done] <= self.t:
            self.status = "running"
        return saved[:done]

    def dense_output(self) -> Callable[[Any], np.ndarray]:
        """Return the state within the last step as a function of one time, or of several: shape (unknowns, times)."""

        def interpolated(t: Any) -> np.ndarray:
            moments = np.asarray(t, dtype=np.float64)
            out = np.empty((moments.size, self._u.size))
            for k, moment in enumerate(moments.ravel()):
                self._within(float(moment), out[k])
            return out[0] if moments.ndim == 0 else np.ascontiguousarray(out.T)

        return interpolated

    def _within(self, t: float, out: np.ndarray) -> None:
        """Write the state at a time within the last step."""
        if t == self.t:
            out[:] = self._u
            return
        n, h, s = self._n, self.step_size, (t - self._before) / self.step_size
        a = _P @ s ** np.arange(1, 5)
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


class _Threads:
    """Shares rows among the processors; whatever their number is, each row is computed in the same way."""

    def __init__(self) -> None:
        # In a thread of somebody else's (of a sweep) the processors are at work already.
        alone = threading.current_thread() is threading.main_thread()
        free = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        self._count = free if alone else 1
        self._executor = ThreadPoolExecutor(self._count - 1) if self._count > 1 else None

    def __call__(self, function: Callable[..., None], rows: int, *arguments: Any) -> None:
        """Call ``function(*arguments, first, last)`` for all rows."""
        edges = [rows * k // self._count for k in range(self._count + 1)]
        if self._executor is None:
            function(*arguments, 0, rows)
            return
        others = [self._executor.submit(function, *arguments, *edges[k : k + 2]) for k in range(1, self._count)]
        function(*arguments, *edges[:2])
        for other in others:
            other.result()
