"""Claims that compare a model with its equations written out by hand: the integration and the comparison.

A claim gives every parameter of `build` a value off its default and writes the equations with these numbers, as a
function of the parameters and of times. Nothing here knows a network, and nothing of the built one is read but the
states that the simulator saved. A parameter that had no influence on the course would not be tested: so each is changed
by a tenth, and the course by hand must then differ by far more than the tolerance.
"""

from __future__ import annotations

import inspect
import itertools
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import numpy as np

from brnn.base.odes import solved
from brnn.claims import Comparison
from brnn.models.parts.runs import run

__all__ = ["Numbers", "accuracy", "equations_by_hand", "integrated", "integrated_with_lag", "integrated_with_switches"]

_FAR = 100.0  # in tolerances
_accuracy: ContextVar[float] = ContextVar("accuracy", default=0.0)  # if not 0, what is enough to see an influence


def accuracy() -> float:
    """Return the tolerance that is enough where only an influence is looked for; 0 where courses are compared."""
    return _accuracy.get()


class Numbers(SimpleNamespace):
    """What a parameter that is made of numbers, such as a signal, is made of: ``Numbers(Sigmoid, gain=2.0, half=0.3)``.

    The equations by hand see the numbers, `build` gets what the maker returns for them.
    """

    def __init__(self, maker: Callable[..., Any], **numbers: float) -> None:
        super().__init__(**numbers)
        self._maker, self._numbers = maker, numbers

    def made(self) -> Any:
        """Return what `build` is given."""
        return self._maker(**self._numbers)

    def changes(self) -> list[tuple[str, Numbers]]:
        """Return the same with each of the numbers changed by a tenth."""
        return [(f".{name}", Numbers(self._maker, **{**self._numbers, name: _tenth_more(value)}))
                for name, value in self._numbers.items()]  # fmt: skip


def equations_by_hand(
    build: Callable[..., Any],
    parameters: Mapping[str, Any],
    course: Callable[[Any, np.ndarray], Mapping[str, Any]],
    times: Any,
    *,
    apart: Sequence[str] = ("n",),
    changed: Mapping[str, Any] | None = None,
    tolerance: float = 1e-7,
    **options: Any,
) -> list[Comparison]:
    """Return comparisons of a run with the course that equations by hand give, and of each parameter's influence.

    Parameters
    ----------
    build : callable
        The model's function.
    parameters : mapping
        Every parameter of `build` but those `apart`, each off its default.
    course : callable
        ``course(p, times)`` returns for each variable that is compared, such as "F1.x", its values at these times;
        the parameters are attributes of p. What it calls "duration" is compared with how long the network runs by
        itself.
    times : array
        Times that are compared; the run ends at the last one.
    apart : sequence of str
        Parameters that have no number of their own (n follows from the arrays) or that another claim is about.
    changed : mapping, optional
        With what a parameter is replaced to see its influence, where a tenth more means nothing. A mapping replaces
        several together, such as a number of cells and their weights.
    tolerance : float
        Of each value.
    **options
        For the run.
    """
    times = np.asarray(times, dtype=np.float64)
    defaults = {name: parameter.default for name, parameter in inspect.signature(build).parameters.items()}
    at_default = [name for name, value in parameters.items() if _same(value, defaults.get(name))]
    rows = [
        Comparison.order(sorted(set(defaults) - set(apart)), sorted(parameters), "parameters that are given"),
        Comparison.order(["none"], at_default or ["none"], "of them at the default"),
    ]
    given = {name: value.made() if isinstance(value, Numbers) else value for name, value in parameters.items()}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*never on in this run", UserWarning)  # it may end early
        network = build(**given)
        result = run(network, float(times[-1]), times=times, **options)
    expected = course(SimpleNamespace(**parameters), times)
    for name, value in expected.items():
        found = network.duration if name == "duration" else np.asarray(result[name]).reshape(np.shape(value))
        rows.append(Comparison(value, found, tolerance, name))
    labels, others = [], []
    for name, value in parameters.items():
        for part, other in _changes(value, (changed or {}).get(name)):
            labels.append(name + part)
            others.append(other if isinstance(other, Mapping) else {name: other})
    influence = _influence(course, parameters, others, times, _FAR * tolerance)
    without = [label for label, size in zip(labels, influence, strict=True) if not size > _FAR * tolerance]
    rows.append(Comparison.order(["none"], without or ["none"], f"of {len(labels)} numbers without influence"))
    return rows


def _influence(
    course: Callable[[Any, np.ndarray], Mapping[str, Any]],
    parameters: Mapping[str, Any],
    changed: Sequence[Mapping[str, Any]],
    times: np.ndarray,
    enough: float,
) -> list[float]:
    """Return by how much the course differs with each of the changes; that of the first times, if it is enough."""
    token = _accuracy.set(1e-2 * enough)
    try:
        found = [0.0] * len(changed)
        for count in sorted({max(len(times) // 3, 2), len(times)}):
            expected = course(SimpleNamespace(**parameters), times[:count])
            for k, change in enumerate(changed):
                if found[k] <= enough:
                    other = course(SimpleNamespace(**{**parameters, **change}), times[:count])
                    found[k] = max(_apart(other[key], expected[key]) for key in expected)
        return found
    finally:
        _accuracy.reset(token)


def integrated(
    velocity: Callable[..., Any],
    start: Any,
    times: np.ndarray,
    breaks: Sequence[float] = (),
    method: str = "DOP853",
    rough: str = "LSODA",
    rtol: float = 1e-10,
) -> np.ndarray:
    """Return the solution of ``du/dt = velocity(t, u, when)`` by SciPy, shape (times, unknowns).

    The integration begins anew at the `breaks`, where inputs jump; `when` is a time inside of the piece between two of
    them, by which the equations tell what is on. `rough` is the method where only an influence is looked for, `rtol`
    the tolerance where courses are compared.
    """
    u = np.asarray(start, dtype=np.float64).ravel()
    rows = np.empty((len(times), u.size))
    edges = np.unique([times[0], *(b for b in breaks if times[0] < b < times[-1]), times[-1]])
    for first, last in itertools.pairwise(edges):
        inside = (times >= first) & (times <= last)
        wanted = np.union1d(times[inside], [last])
        allowed = _accuracy.get() or rtol
        found = solved(
            velocity,
            (first, last),
            u,
            rough if _accuracy.get() else method,
            t_eval=wanted,
            rtol=allowed,
            atol=1e-2 * allowed,
            args=(0.5 * (first + last),),
        )
        rows[inside], u = found.y.T[np.searchsorted(wanted, times[inside])], found.y[:, -1]
    return rows


def integrated_with_lag(
    velocity: Callable[..., Any], start: Any, times: np.ndarray, lag: float, breaks: Sequence[float] = ()
) -> np.ndarray:
    """Return the solution of ``du/dt = velocity(t, u, when, late)``, where `late` is u at the time t - lag.

    Before time 0 it was as at the beginning. The method of steps: within a lag everything that is late is known, from
    the dense output of the pieces before. What jumps at a break makes kinks one and two lags later.
    """
    u = first = np.asarray(start, dtype=np.float64).ravel()
    end = float(times[-1])
    kinks = [b + k * lag for b in (0.0, *breaks) for k in range(4)]
    edges = np.unique(np.round([*np.arange(0.0, end, lag), *(k for k in kinks if 0.0 < k < end), end], 12))
    edges[-1] = end
    rows = np.empty((len(times), u.size))
    past: list[Any] = []

    def at(t: float) -> np.ndarray:
        if t <= 0.0 or not past:
            return first
        k = min(int(np.searchsorted(edges, t, side="left")) - 1, len(past) - 1)
        return np.asarray(past[k](t))

    for begin, stop in itertools.pairwise(edges):
        middle, rtol = 0.5 * (begin + stop), _accuracy.get() or 1e-10
        found = solved(
            lambda t, v, when=middle: velocity(t, v, when, at(t - lag)),
            (begin, stop),
            u,
            "DOP853",
            rtol=rtol,
            atol=1e-2 * rtol,
            dense_output=True,
        )
        inside = (times >= begin) & (times <= stop)
        if inside.any():
            rows[inside] = found.sol(times[inside]).T
        u = found.y[:, -1]
        past.append(found.sol)
    return rows


def integrated_with_switches(
    velocity: Callable[..., Any],
    start: Any,
    times: np.ndarray,
    switches: Callable[[np.ndarray], np.ndarray],
    breaks: Sequence[float] = (),
) -> tuple[np.ndarray, list[tuple[float, int]]]:
    """Return the solution of ``du/dt = velocity(t, u, when, on, since)``, and when each switch came on, in their order.

    Switch k is on while ``switches(u)[k]`` is positive. The integration begins anew where one goes on or off, so that
    there are no jumps within a step; `since` are those that came on so far, as they are returned.
    """
    u, t, end = np.asarray(start, dtype=np.float64).ravel(), float(times[0]), float(times[-1])
    rows, on = np.empty((len(times), u.size)), switches(u) > 0.0
    since: list[tuple[float, int]] = []
    edges = np.unique([*(b for b in breaks if t < b < end), end])

    def event(k: int) -> Callable[..., float]:
        def crossing(_: float, v: np.ndarray, *__: Any) -> float:
            return float(switches(v)[k])

        crossing.terminal, crossing.direction = True, -1.0 if on[k] else 1.0  # type: ignore[attr-defined]
        return crossing

    while t < end:
        stop = float(edges[np.searchsorted(edges, t, side="right")])
        rtol, when = _accuracy.get() or 1e-10, 0.5 * (t + stop)
        found = solved(
            velocity, (t, stop), u, "DOP853", rtol=rtol, atol=1e-2 * rtol, dense_output=True,
            events=[event(k) for k in range(on.size)], args=(when, on.copy(), tuple(since)),
        )  # fmt: skip
        inside = (times >= t) & (times <= found.t[-1])
        if inside.any():
            rows[inside] = found.sol(times[inside]).T
        u, t = found.y[:, -1], float(found.t[-1])
        for k in np.flatnonzero([len(crossed) for crossed in found.t_events]):
            on[k] = not on[k]
            since += [(t, int(k))] if on[k] else []
    return rows, since


def _changes(value: Any, replaced: Any) -> list[tuple[str, Any]]:
    if replaced is not None:
        return [("", replaced)]
    if isinstance(value, Numbers):
        return list(value.changes())
    if isinstance(value, (bool, np.bool_)):
        return [("", not value)]
    return [("", _tenth_more(value))]


def _apart(found: Any, expected: Any) -> float:
    """Return the largest difference; one of shape is infinite."""
    if np.shape(found) != np.shape(expected):
        return np.inf
    return float(np.abs(np.asarray(found) - expected).max())


def _tenth_more(value: Any) -> Any:
    """Return a value that is larger by a tenth; a whole number by 1; an array by different parts, all about a tenth."""
    if isinstance(value, int):
        return value + 1
    if np.ndim(value) == 0:
        return 1.1 * value
    given = np.asarray(value, dtype=np.float64)
    return given * np.linspace(1.07, 1.13, given.size).reshape(given.shape)


def _same(value: Any, default: Any) -> bool:
    if isinstance(value, Numbers):
        return bool(value.made() == default)
    if value is None or default is None or isinstance(value, str) or isinstance(default, str):
        return value is default or (isinstance(value, str) and value == default)
    try:
        return bool(np.shape(value) == np.shape(default) and np.array_equal(value, default))
    except TypeError:
        return False
