"""Networks of one structure that differ in some numbers: their arguments without building each of them anew.

`brnn.base.tape` says how: the network is built and generated once with numbers that remember their way.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from brnn.base.tape import Tape, Traced
from brnn.base.tracer import Diverges, Varying
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import System, compile_network
from brnn.spec.network import Network

__all__ = ["Variant", "Variants"]

Bounds = tuple[np.ndarray, np.ndarray]


class Variant(NamedTuple):
    """What one network has of its own.

    Attributes
    ----------
    places : ndarray of int
        Places in `p`, the numbers of the generated code,
    numbers : list of float
        and what stands there.
    bounds : tuple of ndarray, or None
        The interval that each unknown cannot leave if it starts in it.
    """

    places: np.ndarray
    numbers: list[float]
    bounds: Bounds | None

    def rates(self, fun: RightHandSide) -> RightHandSide:
        """Return du/dt of this network from that of another one; they cannot run at the same time."""
        n, p, *arrays = fun.arguments
        own = p.copy()
        own[self.places] = self.numbers
        return dataclasses.replace(fun, arguments=(n, own, *arrays))


class Variants:
    """The networks that a function makes of values, which have the structure of one of them.

    Parameters
    ----------
    make : callable
        Returns the network of some values.
    values : sequence
        Those of one network.
    compiled : callable
        Makes the System of a network.

    Attributes
    ----------
    system : System
        That network, compiled.
    follows : bool
        Whether other values change nothing but numbers that could be followed through the code that makes networks:
        else (arrays, initial states, schedules, delays) `at` knows none.
    """

    def __init__(
        self,
        make: Callable[[Sequence[Any]], Network],
        values: Sequence[Any],
        compiled: Callable[[Network], System] = compile_network,
    ) -> None:
        self.system: System = compiled(make(values))
        self._bounds = _Bounds(self.system)
        self._where, self._which = np.zeros(0, np.intp), np.zeros(0, np.intp).tolist()
        self._tape: Tape | None = None
        numbers = [_as_number(value) for value in values]
        if all(number is not None for number in numbers):
            self._follow(make, Tape([float(number) for number in numbers if number is not None]))

    @property
    def follows(self) -> bool:
        """Whether `at` knows the networks of other values."""
        return self._tape is not None

    def at(self, values: Sequence[Any]) -> Variant | None:
        """Return what the network of these values has of its own; None if that takes building it."""
        numbers = [value if type(value) is float else _as_number(value) for value in values]
        if self._tape is None or None in numbers:
            return None
        found = self._tape.replay(numbers)  # type: ignore[arg-type]
        if found is None:
            return None
        return Variant(self._where, [found[k] for k in self._which], self._bounds.of(found))

    def _follow(self, make: Callable[[Sequence[Any]], Network], tape: Tape) -> None:
        """Build the network once more, with numbers that remember their way."""
        try:
            network = make(tape.inputs)
            if _is_elsewhere(network):
                return
            variables = layout(network)
            program = generate(network, variables, explicit=self.system.program.explicit)
            start = System(network, variables, program).initial_state()
        except (Exception, Diverges):  # what is wrong with a network is told when it is built itself
            return
        own = self.system.program
        same = program.source == own.source and np.array_equal(start, self.system.initial_state())
        given = [array.name for array in program.names.values() if array.kind != "work"]
        for name in given if same else ():
            one, other = program.arrays[name], own.arrays[name]
            same &= one is other if one is None or other is None else np.array_equal(one, other)
        if not same:
            return
        traced = {k: number.place for k, number in enumerate(program.numbers) if type(number) is Traced}
        self._where, self._which = np.array(list(traced), dtype=np.intp), list(traced.values())
        self._bounds = _Bounds(System(network, variables, program))
        self._tape = tape


class _Bounds:
    """The bounds of all unknowns, of which some depend on traced numbers."""

    def __init__(self, system: System) -> None:
        self._lowest, self._highest = np.full(system.size, -np.inf), np.full(system.size, np.inf)
        none = all(variable.lowest is None for variable in system.variables)
        self._own = None if none else (self._lowest, self._highest)
        self._traced: list[tuple[bool, int, int, int]] = []
        for variable in system.variables:
            if variable.lowest is None:
                continue
            sides: tuple[tuple[bool, np.ndarray, Any], ...] = (
                (False, self._lowest, variable.lowest), (True, self._highest, variable.highest)
            )  # fmt: skip
            for upper, array, value in sides:
                if type(value) is Traced:
                    self._traced.append((upper, variable.start, variable.stop, value.place))
                else:
                    array[variable.start : variable.stop] = np.ravel(value)

    def of(self, found: Sequence[float]) -> Bounds | None:
        """Return them for what the traced numbers are."""
        if not self._traced:
            return self._own
        both = self._lowest.copy(), self._highest.copy()
        for upper, start, stop, place in self._traced:
            both[upper][start:stop] = found[place]
        return both


def _as_number(value: Any) -> float | None:
    """Return a value that is one number; None for all others."""
    if type(value) in (float, int) or isinstance(value, (np.floating, np.integer)):
        return float(value)
    return None


def _is_elsewhere(network: Network) -> bool:
    """Tell whether a number that varies stands where other things than equations are made of it."""
    late: list[Any] = [network.stimuli, network.events, network.protocol, network.duration]
    late += [link.delay for link in network.projections]
    late += [link.learning.schedule for link in network.projections if link.learning is not None]
    return any(_holds_one(part) for part in late)


def _holds_one(value: Any) -> bool:
    if isinstance(value, Varying):
        return True
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(_holds_one(getattr(value, field.name)) for field in dataclasses.fields(value))
    return isinstance(value, (tuple, list)) and any(_holds_one(part) for part in value)
