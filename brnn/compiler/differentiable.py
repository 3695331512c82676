"""A network whose right-hand side has exact derivatives: by its state, and by the arguments of its code."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np

from brnn.compiler.backward import BackwardText, backward_text
from brnn.compiler.forward import TangentText, tangent_text
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import room_apart
from brnn.compiler.system import Clock, System
from brnn.errors import InputError
from brnn.spec.network import Network
from brnn.spec.variable import Variable

__all__ = ["Differentiable", "jacobian"]

_AT_ONCE = 64  # tangents


class Differentiable:
    """A network in explicit form, of which tangents and adjoints can be taken.

    Parameters
    ----------
    network : Network
        Any network; with delays it has tangents alone, to which those of the past belong.

    Attributes
    ----------
    system : System
        It in explicit form: loops over cells alone.
    late : tuple of str
        The arrays of delayed activities.
    """

    def __init__(self, network: Network) -> None:
        if network.spiking:
            raise InputError(f"{network.name}: has cells that fire, through whose spikes derivatives are not taken")
        if any(schedule.per_cell for schedule in network.schedules):
            raise InputError(f"{network.name}: has inputs along a trajectory, through which derivatives are not taken")
        variables = layout(network)
        self.system = System(network, variables, generate(network, variables, explicit=True, by_object=True))
        self.late = tuple(array.name for array in self.system.program.lags.values())
        self._backward: dict[tuple[frozenset[int], frozenset[str]], BackwardText] = {}
        self._tangents: dict[tuple[frozenset[int], frozenset[str]], TangentText] = {}

    @property
    def size(self) -> int:
        """Length of the state."""
        return self.system.size

    def tangents(self, numbers: Collection[int] = (), arrays: Collection[str] = ()) -> TangentText:
        """Return the right-hand side with tangents of these arguments, and of delayed activities."""
        key = frozenset(numbers), frozenset((*arrays, *self.late))
        if key not in self._tangents:
            self._tangents[key] = tangent_text(self.system.program, *key)
        return self._tangents[key]

    def backward(self, numbers: Collection[int] = (), arrays: Collection[str] = ()) -> BackwardText:
        """Return the right-hand side that is read backward, to these arguments."""
        key = frozenset(numbers), frozenset(arrays)
        if key not in self._backward:
            self._backward[key] = backward_text(self.system.program, *key)
        return self._backward[key]

    def read_backward(self, text: BackwardText, time: float, clock: Clock | None = None) -> RightHandSide:
        """Return what holds between the two break points around `time`.

        Its state is u and the weights q of the slopes; it writes f, q f_u, q f_p for each of ``text.numbers``, and
        q f_a for each array of ``text.arrays``, in all ``size`` numbers.
        """
        plain = self.system.rhs(time, clock=clock)
        _, _, *given = plain.arguments
        sizes = {name: array.size for name, array in zip(self.system.program.arrays, given, strict=True)}
        blocks = [variable.size for variable in self.system.variables]
        own = {**sizes, **dict(zip(self.system.program.blocks, blocks, strict=True))}
        work = [_zeros(own[name]) for name in text.work.values()]
        edges = np.cumsum([0, *blocks, *blocks, len(text.numbers), *(sizes[name] for name in text.arrays)])
        arguments = (edges.astype(np.int64), plain.arguments[1], *given, *work)
        return replace(plain, source=text.source, arguments=arguments, size=int(edges[-1]), rates=None)

    def parts(self, text: BackwardText, function: RightHandSide) -> dict[str, slice]:
        """Return where what is read backward has its derivatives by each array, counted from behind f and q f_u."""
        sizes = {name: array.size for name, array in zip(self.system.program.arrays, function.arguments[2:])}  # noqa: B905
        edges = np.cumsum([len(text.numbers), *(sizes[name] for name in text.arrays)]).tolist()
        return {name: slice(*ends) for name, ends in zip(text.arrays, itertools.pairwise(edges), strict=True)}

    def with_tangents(
        self, text: TangentText, time: float, directions: int, clock: Clock | None = None
    ) -> tuple[RightHandSide, dict[str, np.ndarray]]:
        """Return what is to be integrated between the two break points around `time`, and the tangents of arguments.

        Its state is u, and then for each unknown its tangents, one after the other. The tangents of arguments are
        arrays of zeros of shape (numbers, directions), to be filled: "p" has a row for each of ``text.numbers``.
        """
        return tangent_rates(self.system, self.system.rhs(time, clock=clock), text, directions)


def tangent_rates(
    system: System, plain: RightHandSide, text: TangentText, directions: int
) -> tuple[RightHandSide, dict[str, np.ndarray]]:
    """Return the right-hand side with tangents of one without, and the tangents of its arguments (`Differentiable`)."""
    _, _, *given = plain.arguments
    by_name = dict(zip(system.program.arrays, given, strict=True))
    seeds = {"p": _zeros(len(text.numbers) * directions)}
    seeds |= {name: _zeros(by_name[name].size * directions) for name in text.arrays}
    sizes = [1 if name is None else by_name[name].size for name in text.work.values()]
    work = [_zeros(size * directions) for size in sizes]
    edges = np.array([variable.stop for variable in system.variables], dtype=np.int64)
    bounds = np.concatenate([[0], edges, system.size + directions * edges])
    late = [(seeds[name], variable, delay) for name, variable, delay in _lags(system, plain) if name in seeds]
    of_tangents = tuple(
        (array, replace(variable, start=first, stop=first + directions * variable.size), delay)
        for array, variable, delay in late
        for first in [system.size + directions * variable.start]
    )
    arguments = (bounds, plain.arguments[1], *given, *seeds.values(), *work)
    whole = system.size * (1 + directions)
    function = replace(
        plain, source=text.source, arguments=arguments, size=whole, lags=plain.lags + of_tangents, rates=None
    )
    return function, {
        name: array.reshape(array.size // max(1, directions), directions) for name, array in seeds.items()
    }


def _lags(system: System, plain: RightHandSide) -> Iterator[tuple[str, Variable, float]]:
    """Yield the name of each array of delayed activities, of which variable, and how late."""
    for array, (_, variable, delay) in zip(system.program.lags.values(), plain.lags, strict=True):
        yield array.name, variable, delay


def _zeros(size: int) -> np.ndarray:
    array = room_apart(size)
    array[:] = 0.0
    return array


@functools.lru_cache(maxsize=8)
def _differentiable(network: Network) -> Differentiable:
    return Differentiable(network)


def jacobian(network: Network, time: float, state: np.ndarray, clock: Clock | None = None) -> np.ndarray:
    """Return the exact Jacobian of a network without delays, shape (unknowns, unknowns).

    At a corner of a signal it is that from the right. Of a jump there is none, which raises SpecError.
    """
    late = next((link.label for link in network.projections if link.delay > 0), None)
    if late is not None:
        raise InputError(f"{late} has a delay, through which derivatives are not taken")
    own = _differentiable(network)
    text, size = own.tangents(), own.size
    result = np.empty((size, size))
    for first in range(0, size, _AT_ONCE):
        count = min(_AT_ONCE, size - first)
        function, _ = own.with_tangents(text, time, count, clock)
        seeds = np.zeros((size, count))
        seeds[first + np.arange(count), np.arange(count)] = 1.0
        moved = function(time, np.concatenate([state, seeds.ravel()]))
        result[:, first : first + count] = moved[size:].reshape(size, count)
    return result
