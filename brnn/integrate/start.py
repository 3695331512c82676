"""Where a run begins that goes on from another one: the state, what happened before, random numbers, what travels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.checks import number
from brnn.base.text import closest
from brnn.compiler.layout import layout
from brnn.errors import InputError
from brnn.files.run.reader import open_result
from brnn.integrate.delays import points_of
from brnn.result.checkpoint import Checkpoint
from brnn.result.events import EventTable
from brnn.result.recorded import Recorded
from brnn.result.result import Result
from brnn.result.start import Past, Start, fingerprint, joined
from brnn.spec.breaks import segments
from brnn.spec.network import Network
from brnn.spec.variable import Variable

__all__ = ["Origin", "branch"]

_NEAR = 1e-9  # of a time: what is given as nearly a saved time is meant to be it
_POINTS = 4  # of a cubic polynomial
_ROOM = 100.0  # tolerances by which a past made of saved states may be off
_MANY = 7  # states from which on a spline is compared with that of every other one


class Origin:
    """A run from which another goes on, at one of its saved times.

    Parameters
    ----------
    result : Result
        The run.
    at : float or None
        The time; the last saved one by default.
    network : Network
        What is to go on.
    """

    def __init__(self, result: Result, at: float | None, network: Network) -> None:
        self.result = result
        self.network = network
        self.variables = layout(network, bounded=False)
        self.delays = sorted({link.delay for link in network.projections if link.delay > 0.0})
        self.before = Start.from_options(result.options["start"]) if "start" in result.options else None
        _check_variables(result, self.variables)
        self.time, self._rows = self._found(at)
        if not network.spiking:
            _check_events(result, self.before, network)
        step = network.step
        if step is not None and abs(self.time / step - round(self.time / step)) > 1e-6:
            raise InputError(f"at = {self.time:g}: must be a multiple of the network's step {step:g}")

    def start(self, generator: Callable[[Origin], str] | None) -> Start:
        """Return all of it.

        Parameters
        ----------
        generator : callable or None
            Tells where the generator of white noise stood; None if the run is to have random numbers of its own.
        """
        result, before = self.result, self.before
        state = np.concatenate([np.ravel(self._row(v.name)) for v in self.variables]).astype(np.float64)
        own = result.event_table
        if own is not None:
            count = int(np.searchsorted(own.columns["time"], self.time, side="right"))
            own = EventTable(own.names, {name: column[:count] for name, column in own.columns.items()})
        events = joined(None if before is None else before.events, own)
        random: dict[str, str] = {}
        if self.network.spiking:
            own, random = None, self._fired()  # spikes that arrived are part of the state
        drawn = 0 if events is None else len(events)
        if generator is not None:
            if self.network.noisy:
                random["noise"] = generator(self)
            if before is not None and before.events is not None:
                drawn = len(before.events)
            else:
                drawn = 0
        past = self._past() if self.delays else None
        source = {"hash": fingerprint(str(result.attributes.get("network", "")), self.time, state)}
        if result.path is not None:
            source |= {"file": result.path.name, "created": str(result.attributes.get("created", ""))}
        return Start(self.time, state, events, drawn, random, past, source)

    @property
    def kept(self) -> Checkpoint | None:
        """What the run kept at its end, if that is this time."""
        kept = self.result.checkpoint()
        return kept if kept is not None and kept.time == self.time else None

    def _fired(self) -> dict[str, str]:
        """Return the number of the next step, and which cells fired in the last one: their spikes are on their way."""
        if self.time == 0.0:
            return {}
        kept = self.kept
        if kept is None or "spikes" not in kept.facts:
            raise InputError(
                f"at = {self.time:g}: which cells have just fired is known only at the end of a run; go on from there"
            )
        return {"spikes": str(kept.facts["spikes"])}

    def _found(self, at: float | None) -> tuple[float, dict[str, int]]:
        """Return the saved time that is meant, and its row in each variable."""
        result = self.result
        reached = result.reached
        if np.isnan(reached):
            raise InputError("start: the run holds no saved state")
        time = reached if at is None else number(at, "at")
        rows = {}
        for entry in result.recorded:
            near = int(np.argmin(np.abs(entry.times - time))) if len(entry.times) else 0
            if not len(entry.times) or abs(entry.times[near] - time) > _NEAR * max(abs(time), 1e-300):
                raise InputError(f"at = {time:g}: {_not_saved(entry, time)}")
            rows[entry.column.name] = near
        return float(entry.times[near]), rows

    def _row(self, name: str) -> np.ndarray:
        entry = next(entry for entry in self.result.recorded if entry.column.name == name)
        return np.asarray(entry.data[self._rows[name]])

    def _past(self) -> Past | None:
        """Return what travels: as the run kept it at its end, or made of the saved states."""
        kept = self.kept
        if kept is not None and "past_edges" in kept.arrays:
            return Past(np.array(kept.arrays["past_edges"]), np.array(kept.arrays["past_values"]))
        if self.network.step is not None:
            return self._steps(self.network.step)
        table = self.result.event_table
        if table is not None and any(self.network.events[int(k)].actions for k in table.columns["which"]):
            raise InputError(
                f"at = {self.time:g}: signals travel for up to {self.delays[-1]:g}, and the saved states do not hold "
                "where events made them jump; go on from the end of the run"
            )
        begin = 0.0 if self.before is None else self.before.time
        first = max(self.time - self.delays[-1], 0.0)
        edges: list[float] = []
        values: list[np.ndarray] = []
        points = _POINTS
        if first < begin:
            past = None if self.before is None else self.before.past
            if past is None:
                raise InputError(
                    f"at = {self.time:g}: signals travel for up to {self.delays[-1]:g}, and the run holds "
                    f"nothing from before t = {begin:g}"
                )
            later = past.edges[1:] > first
            edges, values, points = past.edges[:-1][later].tolist(), list(past.values[later]), past.values.shape[1]
        if self.time > max(first, begin):
            more, made = self._interpolated(max(first, begin), points)
            edges, values = edges + more, values + made
        else:
            edges.append(self.time)
        if not values:  # at the beginning
            here = self._flat([next(iter(self._rows.values()))])
            return Past(np.array([self.time - 1.0, self.time]), np.repeat(here[None], points, axis=1))
        return Past(np.array(edges), np.array(values))

    def _steps(self, step: float) -> Past:
        """Return the states of the last steps of discrete time, as many as signals are on their way."""
        count = round(self.delays[-1] / step)
        entries = self.result.recorded
        now = round(self.time / step)
        wanted = range(max(now - count, 0), now + 1)
        rows = {round(float(time) / step): k for k, time in enumerate(entries[0].times)}
        missing = [k for k in wanted if k not in rows]
        if missing:
            raise InputError(
                f"at = {self.time:g}: signals travel for up to {count} steps, and the state at t = "
                f"{missing[0] * step:g} is not saved; save every step before, or go on from the end of the run"
            )
        return Past(np.array(wanted) * step, self._flat([rows[k] for k in wanted])[:, None, :])

    def _flat(self, rows: Any) -> np.ndarray:
        """Return the state vectors in these rows, shape (rows, size)."""
        data = {entry.column.name: entry.data for entry in self.result.recorded}
        blocks = [[np.ravel(data[v.name][int(row)]) for row in rows] for v in self.variables]
        return np.concatenate([np.array(block, dtype=np.float64).reshape(len(rows), -1) for block in blocks], axis=1)

    def _interpolated(self, first: float, points: int) -> tuple[list[float], list[np.ndarray]]:
        """Return times and polynomials between them that go through the saved states from `first` on."""
        times = self.result.recorded[0].times
        network, delays, options = self.result.network, tuple(self.delays), self.result.options
        for entry in self.result.recorded:
            if not np.array_equal(entry.times, times):
                raise InputError(
                    f"at = {self.time:g}: '{entry.column.name}' is saved less often than signals that travel need"
                )
        low = max(int(np.searchsorted(times, first, side="right")) - 1, 0)
        rows = np.arange(low, int(np.searchsorted(times, self.time, side="right")))
        states, here = self._flat(rows), times[rows]
        jumps = [stop for _, stop in segments(network, self.time, delays) if first < stop < self.time]
        rtol, atol = float(options.get("rtol", 1e-6)), float(options.get("atol", 1e-9))
        tolerance = _ROOM * (atol + rtol * np.abs(states).max(axis=0))
        edges, values = [first], []
        for start, stop in zip([first, *jumps], [*jumps, self.time], strict=True):
            inside = (here >= start - _NEAR * stop) & (here <= stop * (1.0 + _NEAR))
            curve, off = _curve(here[inside], states[inside])
            if curve is None or (off > tolerance).any():
                wrong = "" if curve is None else f": a curve through them is off by about {float(np.max(off)):.2g}"
                raise InputError(
                    f"at = {self.time:g}: signals travel for up to {delays[-1]:g}, and the {int(inside.sum())} states "
                    f"saved from t = {start:g} to {stop:g} do not hold them densely enough{wrong}; save more of them "
                    f"(times=, --times), or go on from the end of the run"
                )
            marks = np.unique(np.concatenate([[start], here[inside & (here > start) & (here < stop)], [stop]]))
            for a, b in pairwise(marks.tolist()):
                edges.append(b)
                values.append(curve(a + (b - a) * points_of(points)))
        return edges, values


def _curve(times: np.ndarray, states: np.ndarray) -> tuple[Callable[[np.ndarray], np.ndarray] | None, np.ndarray]:
    """Return a smooth curve through states, and about how far it is off in each unknown; None if there are too few."""
    from scipy.interpolate import BarycentricInterpolator, CubicSpline

    count = len(times)
    if count > 1 and (states == states[:1]).all():
        return (lambda at: np.repeat(states[:1], len(at), axis=0)), np.zeros(states.shape[1])
    if count < 3:
        return None, np.zeros(states.shape[1])
    if count < _MANY:
        middle = count // 2
        rest = np.arange(count) != middle
        fewer = BarycentricInterpolator(times[rest], states[rest])
        return BarycentricInterpolator(times, states), np.abs(fewer(times[middle]) - states[middle])
    curve = CubicSpline(times, states)
    rest = np.arange(count) % 2 == 0
    rest[-1] = True
    return curve, np.abs(CubicSpline(times[rest], states[rest])(times[~rest]) - states[~rest]).max(axis=0) / 15.0


def branch(given: Any, at: Any, network: Network) -> Origin | Start:
    """Return what `start=` stands for: a Start as it is; a Result, or the file of one, at the time `at`."""
    if isinstance(given, Start):
        return given
    if isinstance(given, (str, Path)):
        given = open_result(given)
    if not isinstance(given, Result):
        raise InputError(f"start = {type(given).__name__}: must be a brnn.Result or the file of one")
    return Origin(given, at, network)


def _check_variables(result: Result, variables: Sequence[Variable]) -> None:
    """Refuse a run of which the network's states are not those of this one."""
    have = {entry.column.name: entry.column.shape for entry in result.recorded}
    for variable in variables:
        if variable.name not in have:
            raise InputError(
                f"start: the run holds no '{variable.name}', which the network has (it holds {', '.join(have)})"
                f"{closest(variable.name, list(have))}"
            )
        if have[variable.name] != variable.shape:
            raise InputError(
                f"start: '{variable.name}' has shape {have[variable.name]} in the run and {variable.shape} in the "
                "network"
            )
    known = {variable.name for variable in variables}
    for name in have:
        if name not in known:
            raise InputError(f"start: the run holds '{name}', which the network does not have")


def _check_events(result: Result, before: Start | None, network: Network) -> None:
    """Refuse a run with events that are not those of the network."""
    tables = [table for table in (result.event_table, None if before is None else before.events) if table is not None]
    names = tuple(event.name for event in network.events)
    for table in tables:
        if len(table) and table.names != names:
            raise InputError(
                f"start: the run has the events {', '.join(table.names)}, the network has {', '.join(names) or 'none'}"
            )


def _not_saved(entry: Recorded, time: float) -> str:
    times = entry.times
    if not len(times):
        return f"the run holds no '{entry.column.name}'"
    near = [
        times[k]
        for k in (int(np.searchsorted(times, time)) - 1, int(np.searchsorted(times, time)))
        if 0 <= k < len(times)
    ]
    return (
        f"'{entry.column.name}' is not saved at this time; it is from t = {times[0]:g} to {times[-1]:g}, near by at "
        f"{' and '.join(f'{other:.10g}' for other in near)}"
    )
