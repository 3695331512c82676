"""All numbers of a network in one vector, laid out so that a page can find them in it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from brnn.base.tape import Tape, Traced
from brnn.base.tracer import Diverges
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.program import Program
from brnn.compiler.system import System
from brnn.errors import BrnnError, InputError
from brnn.spec.breaks import segments
from brnn.spec.durations import natural_duration
from brnn.spec.network import Network
from brnn.spec.schedules import Schedule
from brnn.spec.variable import Variable

__all__ = ["NetworkNumbers", "Slots", "numbers_of", "traced_numbers", "tried"]


@dataclass(frozen=True)
class Slots:
    """Where the numbers stand in the vector: a name and a range for each group, in order.

    Attributes
    ----------
    first : dict of str to (int, int)
        Start and length: "duration", "initial", "starts" (of the pieces between break points), "p" (the numbers of the
        generated code), "array NAME", and "window EVENT" (pairs of times between which an event can be).
    moving : tuple of dict
        For each piece: "p" is the place of those numbers of `places` that it has of its own, arrays by their names.
    places : tuple of int
        Which numbers of `p` differ from piece to piece.
    """

    first: dict[str, tuple[int, int]]
    moving: tuple[dict[str, tuple[int, int]], ...]
    places: tuple[int, ...]


@dataclass(frozen=True)
class NetworkNumbers:
    """A network's numbers, and its structure.

    Attributes
    ----------
    vector : ndarray
        All numbers.
    slots : Slots
        What stands where.
    program : Program
        The equations in their explicit form.
    variables : tuple of Variable
        Where the states stand.
    whole : dict of str to ndarray
        Arrays of whole numbers, who is connected with whom.
    network : Network
        The network.
    """

    vector: np.ndarray
    slots: Slots
    program: Program
    variables: tuple[Variable, ...]
    whole: dict[str, np.ndarray]
    network: Network

    def alike(self, other: NetworkNumbers) -> bool:
        """Tell whether another network differs from this one in nothing but these numbers."""
        return (
            self.program.source == other.program.source
            and self.slots == other.slots
            and self.network.step == other.network.step
            and self.delays == other.delays
            and all(np.array_equal(array, other.whole[name]) for name, array in self.whole.items())
        )

    @property
    def delays(self) -> list[tuple[str, str, float]]:
        """For each delayed layer: the array that takes its activities, the layer, and the delay."""
        return [(array.name, layer, delay) for (layer, delay), array in self.program.lags.items()]


def numbers_of(network: Network, longest: float = 1.0) -> NetworkNumbers:
    """Return the numbers of a network, for runs of up to `longest` times its natural duration."""
    if network.spiking:
        raise InputError(f"{network.name}: its cells fire, which a page cannot run")
    if any(schedule.per_cell for schedule in network.schedules):
        raise InputError(f"{network.name}: an input along a trajectory is evaluated in compiled code, not in a page")
    variables = layout(network)
    program = generate(network, variables, explicit=True)
    system = System(network, variables, program)
    duration = natural_duration(network)
    pieces = segments(network, duration * longest, system.delays if network.step is None else ())
    lagging = {array.name for array in program.lags.values()}
    given = {array.name: array for array in program.names.values() if array.kind != "work"}
    fixed = {
        name: program.arrays[name]
        for name, array in given.items()
        if array.kind == "values" and program.arrays[name] is not None and name not in lagging
    }
    whole = {name: np.asarray(program.arrays[name]) for name, array in given.items() if array.kind == "whole"}
    own = [name for name, array in given.items() if array.kind == "values" and program.arrays[name] is None]
    places: list[int] = []
    for course in program.courses:
        places += range(course.first, course.first + course.parameters)
        places += [place for place in (course.base, course.varying) if place is not None]
    parts: list[np.ndarray] = []
    size = 0

    def put(values: Any) -> tuple[int, int]:
        nonlocal size
        array = np.ravel(np.asarray(values, dtype=np.float64))
        parts.append(array)
        size += array.size
        return size - array.size, array.size

    numbers = [float(number) if type(number) is not Traced else np.nan for number in program.numbers]
    first = {
        "duration": put([duration]), "initial": put(system.initial_state()), "starts": put([a for a, _ in pieces]),
        "p": put(numbers),
    }  # fmt: skip
    first |= {f"array {name}": put(array) for name, array in fixed.items()}
    for event in network.events:
        if event.schedule is not None:
            first[f"window {event.name}"] = put(_windows(event.schedule, duration * longest))
    moving: list[dict[str, tuple[int, int]]] = []
    last: dict[str, np.ndarray] = {}
    numbers_system = System(network, variables, _untraced(program))
    for start, stop in pieces:
        p, arrays = numbers_system.values(0.5 * (start + stop))
        now = {name: np.ravel(arrays[name]) for name in own} | ({"p": p[places]} if places else {})
        moving.append(
            {
                name: moving[-1][name] if name in last and np.array_equal(last[name], values) else put(values)
                for name, values in now.items()
            }
        )
        last = now
    slots = Slots(first, tuple(moving), tuple(places))
    return NetworkNumbers(np.concatenate(parts), slots, program, variables, whole, network)


def _windows(schedule: Schedule, end: float) -> list[tuple[float, float]]:
    """Return the intervals during which a schedule is on."""
    edges = [0.0, *schedule.breaks(end).tolist(), end]
    pieces = [(a, b) for a, b in itertools.pairwise(edges) if b > a]
    return [(a, b) for a, b in pieces if float(schedule.segment(0.5 * (a + b), np.ones(())).base) != 0.0]


def _untraced(program: Program) -> Program:
    """Return the program with no traced number in it, for what asks for numbers."""
    numbers = [0.0 if type(number) is Traced else number for number in program.numbers]
    return replace(program, numbers=numbers)


def tried(
    make: Callable[[Mapping[str, Any]], Network], values: Mapping[str, Any], longest: float
) -> NetworkNumbers | None:
    """Return the numbers of the network of some values; None if there is no such network."""
    try:
        return numbers_of(make(values), longest)
    except (BrnnError, ArithmeticError, ValueError):
        return None


def traced_numbers(
    make: Callable[[Mapping[str, Any]], Network],
    values: Mapping[str, float],
    names: Sequence[str],
    base: NetworkNumbers,
    longest: float,
) -> tuple[Tape, dict[int, int]] | None:
    """Return how numbers of the generated code come of parameters, exactly; None if it cannot be followed.

    Returns
    -------
    tape : Tape
        Its inputs are the parameters in `names`.
    dict of int to int
        The place on the tape of each number of `p` that comes of them.
    """
    tape = Tape([values[name] for name in names])
    try:
        found = numbers_of(make({**values, **dict(zip(names, tape.inputs, strict=True))}), longest)
    except (Exception, Diverges):  # what is wrong is told when the network is built with plain numbers
        return None
    traced = {k: number.place for k, number in enumerate(found.program.numbers) if type(number) is Traced}
    first, _ = base.slots.first["p"]
    same = np.array(base.vector, copy=True)
    for k in traced:
        same[first + k] = np.nan
    if not (found.alike(base) and np.array_equal(found.vector, same, equal_nan=True)):
        return None
    return tape, traced
