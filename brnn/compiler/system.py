"""A System: what integrators need to know of a network."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn.base.named import says_what_is_meant
from brnn.compiler.blocks import InBlocks, halves, in_blocks, rated_text
from brnn.compiler.cache import text_hash
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.module_text import (
    changed_table,
    text_of,
    text_of_arrays,
    text_with_rates,
    text_with_steps,
)
from brnn.compiler.onward import text_of_onward
from brnn.compiler.passes import WRITTEN, text_of_passes
from brnn.compiler.program import Program
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.rooms import apart, room_apart
from brnn.compiler.sequence import in_sequence
from brnn.compiler.sides import Side, sides_of, with_sides
from brnn.compiler.whole_arrays import text_of_whole_arrays
from brnn.errors import InputError
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.variable import Variable

__all__ = ["Clock", "System", "compile_network", "equations_hash"]

_recent: deque[tuple[Network, System]] = deque(maxlen=8)  # the last networks of moderate size:
_MODERATE = 2**18  # numbers in their arrays
_TEXTS = 64  # of `System.passes` and `System.onward`, the last ones:
_texts: dict[tuple[Any, ...], str | None] = {}


@dataclass
class Clock:
    """Where the schedules of a run stand, which events change.

    Attributes
    ----------
    shift : float
        Time of the schedules minus time of the run: what is left out of phases that ended early.
    on : dict
        For each stimulus that was switched or started, whether it is on.
    begun : dict
        For each stimulus that was started, at what time of the run.
    """

    shift: float = 0.0
    on: dict[int, bool] = field(default_factory=dict)
    begun: dict[int, float] = field(default_factory=dict)

    def reads(self, schedule: int, time: float) -> float | None:
        """Return the time of a schedule (an index into ``network.schedules``), or None if its stimulus is off."""
        if not self.on.get(schedule, True):
            return None
        return time - self.begun[schedule] if schedule in self.begun else time + self.shift


@dataclass(frozen=True)
class System:
    """A compiled network.

    Attributes
    ----------
    network : Network
        What was compiled.
    variables : tuple of Variable
        The blocks of the state vector.
    program : Program
        The generated text and its arguments.
    """

    network: Network
    variables: tuple[Variable, ...]
    program: Program

    @property
    def size(self) -> int:
        """Length of the state vector."""
        return self.variables[-1].stop

    @property
    def source(self) -> str:
        """Text of the generated module."""
        return self.program.source

    @property
    def time_units(self) -> str:
        """Unit of time."""
        return self.network.time_units

    def variable(self, name: str) -> Variable | None:
        """Return the variable of this name, or None."""
        return next((variable for variable in self.variables if variable.name == name), None)

    def initial_state(self) -> np.ndarray:
        """Return the state vector at time 0 as the network gives it."""
        u = np.empty(self.size)
        parts: dict[str, LayerLaw | Projection] = {layer.name: layer for layer in self.network.layers}
        parts |= {str(projection.name): projection for projection in self.network.projections}
        for variable in self.variables:
            part = parts[variable.group]
            u[variable.start : variable.stop] = part.start(variable.quantity, variable.size)
        return u

    @property
    def delays(self) -> tuple[float, ...]:
        """The distinct delays, in rising order."""
        return tuple(sorted({delay for _, delay in self.program.lags}))

    def clock(self) -> Clock:
        """Return where the schedules stand in the beginning."""
        return Clock(on={k: False for k, stimulus in enumerate(self.network.stimuli) if not stimulus.on})

    def values(self, time: float, clock: Clock | None = None) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return the numbers `p` and the arrays that hold between the two break points around `time`."""
        clock = clock or self.clock()
        numbers = np.array(self.program.numbers, dtype=np.float64)
        arrays: dict[str, Any] = dict(self.program.arrays)
        network = self.network
        for (name, kind), base in self.program.inputs.items():
            shape, parts = network.layer(name).shape, list[Any]()
            for k, stimulus in enumerate(network.stimuli):
                if stimulus.target != name or stimulus.kind != kind:
                    continue
                now = clock.reads(k, time)
                if now is None:
                    continue
                if self.program.explicit and stimulus.schedule.per_cell:
                    parts.append(stimulus.at(now, shape))
                else:
                    parts.append(stimulus.schedule.segment(now, np.asarray(stimulus.pattern)).base)
            arrays[base] = _total(parts, shape).ravel()
        for course in self.program.courses:
            schedule = network.schedules[course.schedule]
            pattern = np.ones(()) if course.pattern is None else network.stimuli[course.schedule].pattern
            now = clock.reads(course.schedule, time)
            segment = schedule.segment(time + clock.shift if now is None else now, np.asarray(pattern))
            numbers[course.first : course.first + len(segment.parameters)] = segment.parameters
            if course.pattern is not None:
                shape = network.layer(network.stimuli[course.schedule].target).shape
                varying = segment.varying if now is not None else 0.0
                arrays[course.pattern] = np.array(np.broadcast_to(varying, shape), dtype=np.float64).ravel()
            if course.base is not None:
                numbers[course.base] = float(segment.base)
            if course.varying is not None:
                numbers[course.varying] = float(segment.varying)
        return numbers, arrays

    def f(self, t: float, x: Any) -> np.ndarray:
        """Return dx/dt (in discrete time the next state) at time t, for the state vector x.

        For many calls, take ``rhs(t)`` once: it holds between two break points of the stimuli. A network with delays
        is taken to have had the state x for ever.
        """
        state = self._state(x)
        return self.rhs(t, lambda _: state)(t, state)

    def jacobian(self, t: float, x: Any) -> np.ndarray:
        """Return the Jacobian of `f` at time t and state x, shape (size, size), exact but for rounding.

        Gates and weights are included. Where a law or signal has a corner it is the derivative towards larger values,
        as the rates of signals have one at 0; a jump counts as flat. A network with delays is taken to have had the
        state x for ever, so that a change of x is one of the past, too. Of a law whose text has no known derivative
        these are differences of order 2.
        """
        from brnn.compiler.linear_rates import linear_rates

        return linear_rates(self.network, t).jacobian(t, self._state(x))

    def _state(self, x: Any) -> np.ndarray:
        try:
            state = np.array(x, dtype=np.float64).ravel()
        except (TypeError, ValueError):
            raise InputError(f"x: must be the state vector, an array of {self.size} numbers") from None
        if state.size != self.size:
            names = ", ".join(f"{variable.name} ({variable.size})" for variable in self.variables)
            raise InputError(f"x: has {state.size} elements, the state vector has {self.size}: {names}")
        return state

    def rhs(
        self,
        time: float,
        history: Callable[[float], np.ndarray] | None = None,
        clock: Clock | None = None,
        room: RightHandSide | None = None,
    ) -> RightHandSide:
        """Return the right-hand side that holds between the two break points around `time`.

        Parameters
        ----------
        time : float
            A time inside of the segment.
        history : callable, optional
            The state vector at an earlier time; needed if the network has delays.
        clock : Clock, optional
            Where the schedules stand; by default where they do before any event.
        room : RightHandSide, optional
            One of this system that nobody calls any more, and whose room for work is used again.
        """
        numbers, values = self.values(time, clock)
        program = self.program
        written = self._written
        # What is written belongs to this function alone: others of the same network may run at the same time.
        former = {} if room is None else dict(zip(values, room.arguments[2:], strict=True))
        arrays = {
            name: former[name]
            if name in former and (name in written or array is program.arrays[name])
            else room_apart(array.size, array.dtype).reshape(array.shape)
            if name in written
            else apart(array)
            if array.flags.writeable
            else array
            for name, array in values.items()
        }
        bounds = np.array([0] + [variable.stop for variable in self.variables], dtype=np.int64)
        lags = tuple(
            (arrays[array.name], next(v for v in self.variables if v.name == f"{layer}.x"), delay)
            for (layer, delay), array in self.program.lags.items()
        )
        shift = 0.0 if clock is None else clock.shift
        arguments = (bounds, numbers, *arrays.values())
        made = RightHandSide(
            self.source, arguments, self.size, history, lags, shift, lambda: self._rates, lambda: self._steps
        )
        if room is not None:
            vars(made)["table"] = changed_table(room.table, room.arguments, arguments)
        return made

    @functools.cached_property
    def _written(self) -> frozenset[str]:
        """The names of the arrays that the functions write."""
        work = {name for name, array in self.program.names.items() if array.kind == "work"}
        return frozenset(work | {array.name for array in self.program.lags.values()})

    @functools.cached_property
    def jumps(self) -> tuple[Side, ...]:
        """The signals that jump where their cells reach some activity; there are none in discrete time."""
        return () if self.network.step is not None else sides_of(self.program)

    @functools.cached_property
    def on_sides(self) -> tuple[System, tuple[Side, ...]]:
        """The same with the program in which signals do not jump, and the arrays that say on which side they are."""
        program, sides = with_sides(self.program)
        program.source = text_of(program)
        return replace(self, program=program), sides

    @functools.cached_property
    def in_sequence(self) -> System:
        """The same with the program of a step in which layers move one after the other (`brnn.compiler.sequence`)."""
        return replace(self, program=in_sequence(self.network, self.variables))

    @functools.cached_property
    def beside_weights(self) -> System:
        """The activities and gates alone, with weights that are kept elsewhere (`Program.given`)."""
        cells = tuple(variable for variable in self.variables if variable.quantity != "z")
        learning = {str(projection.name) for projection in self.network.projections if projection.learning}
        return replace(self, variables=cells, program=generate(self.network, cells, given=learning))

    @functools.cached_property
    def in_blocks(self) -> InBlocks | None:
        """The module that computes du/dt block by block; None if that cannot be."""
        return in_blocks(self.program, [variable.size for variable in self.variables])

    @functools.cached_property
    def rates_in_blocks(self) -> str:
        """Text of the module that computes rates, too, where there is `in_blocks`."""
        return rated_text(self.program)

    def passes(self, numbers: np.ndarray) -> str | None:
        """Return the text of the module whose function does a whole pass over a block, None if there is none.

        `numbers` are the values of ``p``, of which the exponents matter.
        """
        return self._of_exponents(text_of_passes, numbers)

    def onward(self, numbers: np.ndarray) -> str | None:
        """Return the text of the module whose function goes from stage to stage, None if there is none; as `passes`."""
        return self._of_exponents(text_of_onward, numbers)

    def _of_exponents(self, text: Callable[..., str | None], numbers: np.ndarray) -> str | None:
        exponents = (float(numbers[place]) for place in sorted(self.program.exponents))
        written = tuple(exponent if exponent in WRITTEN else 0.0 for exponent in exponents)
        sizes = {name: v.stop - v.start for name, v in zip(self.program.blocks, self.variables, strict=True)}
        key = text, self.source, *sizes.values(), *written
        with contextlib.suppress(KeyError):  # another thread may have thrown it away
            return _texts[key]
        found = halves(self.program)
        _texts[key] = made = None if found is None else text(self.program, found, sizes, numbers)
        for oldest in list(_texts)[:-_TEXTS]:
            _texts.pop(oldest, None)
        return made

    @functools.cached_property
    def _rates(self) -> str:
        """Text of the module whose function writes the rates of the unknowns, too."""
        return text_with_rates(self.program)

    @functools.cached_property
    def _steps(self) -> str:
        """Text of the module whose function lets weights make a step."""
        return text_with_steps(self.program)

    @functools.cached_property
    def whole_arrays(self) -> str | None:
        """Text of a module whose function needs no compiling, see brnn.compiler.whole_arrays; None if there is none."""
        return text_of_whole_arrays(self.program)


def _total(parts: Sequence[Any], shape: tuple[int, ...]) -> np.ndarray:
    """Return the sum of inputs to a layer in an array of its own; that of a single one which nobody else has is it."""
    if len(parts) == 1 and isinstance(parts[0], np.ndarray) and parts[0].shape == shape:
        (only,) = parts
        if only.dtype == np.float64 and only.flags.owndata and only.flags.writeable and only.flags.c_contiguous:
            return only
    total = np.zeros(shape)
    for part in parts:
        total += part
    return total


@says_what_is_meant
def compile_network(network: Network) -> System:
    """Return the System of a network.

    Parameters
    ----------
    network : Network
        Any network.

    Returns
    -------
    System
        Its generated code is written to the cache folder and compiled when it is first called.
    """
    for known, system in list(_recent):
        if known is network:
            return system
    variables = layout(network)
    system = System(network, variables, generate(network, variables))
    arrays = [array for array in system.program.arrays.values() if array is not None and any(array.strides)]
    if sum(array.size for array in arrays) <= _MODERATE:  # room for work has neither memory yet nor strides
        _recent.append((network, system))
    return system


def equations_hash(network: Network, *, explicit: bool = False) -> str:
    """Return a hash of the equations of a network: the same for networks that differ in nothing but numbers.

    It is that of the generated text as functions of arrays (`brnn.compiler.generate.generate` explains `explicit`),
    which stays as it was when convolutions shared no transforms.
    """
    return text_hash(text_of_arrays(generate(network, layout(network), explicit=explicit, apart=True)))
