"""The past of networks with delays whose derivatives are taken: where it is smooth, how it is read, and its slopes.

Signals that travel for a time tau are those of t - tau. By the delay itself their derivative is -du/dt(t - tau), which
the equations give: that of the dense output would be less exact.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.compiler.right_hand_side import RightHandSide
from brnn.errors import IntegrationError
from brnn.sensitivities.arguments import Arguments
from brnn.spec.breaks import NEAR, propagated

__all__ = ["Late", "PastSlopes", "late_steps", "restarts"]

Rates = Callable[[float, np.ndarray], np.ndarray]


def restarts(edges: np.ndarray, delays: np.ndarray, more: np.ndarray | None = None) -> np.ndarray:
    """Return `edges`, the first of which is 0, and between them what delays make of them, in rising order.

    Those of `more` are taken like edges, and what delays make of both is theirs.
    """
    end = float(edges[-1])
    marks = np.unique(edges if more is None else np.concatenate([edges, more]))
    found = propagated(marks[1:-1], tuple(np.unique(delays).tolist()), end)
    place = np.clip(np.searchsorted(marks, found), 1, marks.size - 1)
    apart = np.minimum(np.abs(found - marks[place - 1]), np.abs(found - marks[place]))
    return np.sort(np.concatenate([marks, found[apart > 4.0 * NEAR * end]]))


@dataclass(frozen=True)
class Late:
    """A right-hand side whose delays are no part of its code, and may be parameters.

    Attributes
    ----------
    function : RightHandSide
        With its lags, those of tangents after those of the state; their own delays are not looked at.
    delays : ndarray
        For each lag of the state.
    history : callable
        The state vector at an earlier time.
    between : tuple of float
        The times between which the past is read (`brnn.integrate.delays.inside`).
    moving : ndarray, shape (lags, parameters), optional
        The derivatives of the delays by the parameters, if these depend on any.
    slopes : callable, optional
        du/dt at an earlier time; needed with `moving`.
    """

    function: RightHandSide
    delays: np.ndarray
    history: Callable[[float], np.ndarray]
    between: tuple[float, float] = (-math.inf, math.inf)
    moving: np.ndarray | None = None
    slopes: Callable[[float], np.ndarray] | None = None

    def __call__(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return du/dt in a new array."""
        self.look_back(t)
        return self.now(t, u)

    @functools.cached_property
    def now(self) -> RightHandSide:
        """It alone, which takes what stands in its arrays."""
        return replace(self.function, lags=())

    def look_back(self, t: float) -> None:
        """Set the arrays of delayed activities."""
        at, count = min(max(t, self.between[0]), self.between[1]), self.delays.size
        for k, (array, variable, _) in enumerate(self.function.lags):
            delay = float(self.delays[k % count])
            array[:] = self.history(at - delay)[variable.start : variable.stop]
            if k >= count and self.moving is not None:
                assert self.slopes is not None
                own = self.function.lags[k - count][1]
                slope = self.slopes(at - delay)[own.start : own.stop]
                array -= np.outer(slope, self.moving[k - count]).ravel()


class PastSlopes:
    """du/dt of a run at earlier times; 0 before its beginning.

    Parameters
    ----------
    arguments : Arguments
        The network and its parameters.
    here : ndarray
        All arguments.
    history : callable
        The state vector at an earlier time, perhaps with more behind it.
    """

    def __init__(self, arguments: Arguments, here: np.ndarray, history: Callable[[float], np.ndarray]) -> None:
        place, own = arguments.place, arguments.own
        self._edges, self._history, self._size = here[place.edges], history, own.size
        self._pieces = []
        for k, (start, stop) in enumerate(itertools.pairwise(self._edges.tolist())):
            function = own.system.rhs(0.5 * (start + stop))
            arguments.fill(k, function, here)
            self._pieces.append(Late(function, here[place.delays], history))

    def __call__(self, time: float) -> np.ndarray:
        """Return du/dt."""
        if time <= 0.0:
            return np.zeros(self._size)
        k = min(int(np.searchsorted(self._edges, time, side="right")), len(self._pieces)) - 1
        return self._pieces[k](time, np.ascontiguousarray(self._history(time)[: self._size]))


def late_steps(
    function: Rates, start: float, stop: float, state: np.ndarray, times: np.ndarray, saved: np.ndarray,
    keep: Callable[[float, Any], None], longest: float, solver: str, rtol: float, atol: float,
) -> tuple[np.ndarray, int, int]:  # fmt: skip
    """Integrate between two restarts; write the states at `times` into `saved`, and give each step to `keep`.

    Return the state at the end, how many steps it took, and how many evaluations.
    """
    import scipy.integrate

    name = "DOP853" if solver == "auto" else solver
    stepper = getattr(scipy.integrate, name)(function, start, state, stop, rtol=rtol, atol=atol, max_step=longest)
    done = steps = 0
    while stepper.status == "running":
        message = stepper.step()
        if stepper.status == "failed" or not np.isfinite(stepper.y).all():
            raise IntegrationError(f"{name}: {message or 'the derivatives are not finite'}", float(stepper.t))
        dense = stepper.dense_output()
        keep(float(stepper.t), dense)
        last = int(np.searchsorted(times, stepper.t, side="right"))
        if last > done:
            saved[done:last], done = dense(times[done:last]).T, last
        steps += 1
    return np.array(stepper.y), steps, int(stepper.nfev)
