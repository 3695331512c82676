"""A System: what integrators need to know of a network."""

from __future__ import annotations

import contextlib
import functools
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from brnn.base.named import says_what_is_meant
from brnn.compiler.blocks import InBlocks, halves, in_blocks
from brnn.compiler.cache import load_copy, load_module, text_hash
from brnn.compiler.generate import generate
from brnn.compiler.layout import layout
from brnn.compiler.module_text import (
    argument_table,
    changed_table,
    text_of,
    text_of_arrays,
    text_with_rates,
    text_with_steps,
)
from brnn.compiler.onward import text_of_onward
from brnn.compiler.passes import WRITTEN, text_of_passes
from brnn.compiler.program import Program
from brnn.compiler.sequence import in_sequence
from brnn.compiler.sides import Side, sides_of, with_sides
from brnn.compiler.whole_arrays import text_of_whole_arrays
from brnn.errors import InputError
from brnn.spec.layers import LayerLaw
from brnn.spec.network import Network
from brnn.spec.projection import Projection
from brnn.spec.variable import Variable

__all__ = ["Clock", "RightHandSide", "System", "compile_network", "equations_hash", "room_apart"]


_GAP = 64  # elements; more than a vector register, several times unrolled, takes at once
_CALLS = Path(__file__).with_name("calls.py")
_SMALL = 512  # elements; larger arrays lie far enough apart by themselves


def _apart(array: np.ndarray) -> np.ndarray:
    """Return a copy of a small array that no other array lies near to (a large one is returned as it is).

    Compiled loops ask whether the arrays that they read and write are nearer than one vectorised pass, and if so take
    another path, which adds in another order. With a gap around everything that is written they never do, so that
    results do not depend on where memory happened to be free.
    """
    if array.size > _SMALL:
        return array
    result = room_apart(array.size, array.dtype).reshape(array.shape)
    result[...] = array
    return result


def room_apart(size: int, dtype: Any = np.float64) -> np.ndarray:
    """Return a new array of so many numbers, not set to anything, that no other array lies near to."""
    if size > _SMALL:
        return np.empty(size, dtype)
    return np.empty(size + 2 * _GAP, dtype)[_GAP : _GAP + size]


_recent: deque[tuple[Network, System]] = deque(maxlen=8)  # the last networks of moderate size
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
class RightHandSide:
    """du/dt between two break points, as a Python callable for SciPy's solvers.

    Attributes
    ----------
    source : str
        Text of the generated module (brnn.compiler.module_text); it is compiled when its address is first asked for.
    arguments : tuple of ndarray
        What its functions read besides time and state, and where they work.
    size : int
        Length of the state.
    history : callable or None
        The state vector at an earlier time (networks with delays).
    lags : tuple
        For each delayed layer: its array among the arguments, its Variable, and the delay.
    shift : float
        Time of the schedules minus time of the run.
    between : tuple of float
        The times between which the past is read.
    rates : callable or None
        Returns the text of the module whose function writes the rates of the unknowns, too.
    steps : callable or None
        Returns that of the module whose function lets weights make a step
        (`brnn.compiler.module_text.text_with_steps`).
    """

    source: str
    arguments: tuple[np.ndarray, ...]
    size: int
    history: Callable[[float], np.ndarray] | None = None
    lags: tuple[tuple[np.ndarray, Variable, float], ...] = ()
    shift: float = 0.0
    rates: Callable[[], str] | None = None
    steps: Callable[[], str] | None = None
    between: tuple[float, float] = (-math.inf, math.inf)

    @functools.cached_property
    def address(self) -> int:
        """Address of the compiled function, for as long as this object lives."""
        return int(self._function.address)

    @functools.cached_property
    def _function(self) -> Any:
        """The compiled function, which is held here while its address is used."""
        return load_module(self.source).rhs

    @functools.cached_property
    def table(self) -> np.ndarray:
        """Where the arguments lie (brnn.compiler.module_text.argument_table)."""
        return argument_table(self.size, self.arguments)

    def __call__(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return du/dt in a new array."""
        du = room_apart(u.size)
        self.into(t, u, du)
        return du

    def into(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        """Write du/dt into `du`."""
        if self.lags:
            assert self.history is not None
            time, late = min(max(t, self.between[0]), self.between[1]), math.nan
            for array, variable, delay in self.lags:
                if delay != late:
                    late, past = delay, self.history(time - delay)
                array[:] = past[variable.start : variable.stop]
        self._call(self.address, t, u, du)

    def at_once(self, t: float, u: np.ndarray, du: np.ndarray) -> None:
        """Write du/dt into `du`; delayed activities are what stands in their arrays."""
        self._call(self.address, t, u, du)

    def with_rates(self, t: float, u: np.ndarray, both: np.ndarray) -> None:
        """Write du/dt into the first half of `both`, the rates of the unknowns into the second (without delays)."""
        self._call(self._with_rates.address, t, u, both)

    @functools.cached_property
    def _with_rates(self) -> Any:
        """The compiled function that writes both."""
        assert self.rates is not None
        return load_module(self.rates()).rhs

    @functools.cached_property
    def stepping(self) -> Any:
        """The compiled function that lets weights make a step; its ``address`` is what a loop of steps calls."""
        assert self.steps is not None
        return load_module(self.steps()).rhs

    @functools.cached_property
    def before(self) -> tuple[Any, Any]:
        """The two compiled functions that are called before, where weights are kept elsewhere (`Program.given`)."""
        module = load_module(self.source)
        return module.signals, module.parts

    def renew(self, t: float, u: np.ndarray, slopes: np.ndarray) -> None:
        """Write the slopes that jump where inputs do (of the program in sequence)."""
        self._call(self._renewing.address, t, u, slopes)

    @functools.cached_property
    def _renewing(self) -> Any:
        """The compiled function that does."""
        return load_module(self.source).renew

    @functools.cached_property
    def in_bands(self) -> Any:
        """The compiled function of a step in bands (of a program in sequence that is divided)."""
        return load_module(self.source).bands

    def diffusion(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return the strength b(t, u) of the white noise of each unknown (0 without any)."""
        b = room_apart(u.size)
        b[:] = 0.0
        if self._noise is not None:
            self._call(self._noise.address, t, u, b)
        return b

    @functools.cached_property
    def _noise(self) -> Any:
        """The compiled strength of white noise, None if there is none."""
        return getattr(load_module(self.source), "diffusion", None)

    def _call(self, address: int, t: float, u: np.ndarray, out: np.ndarray) -> None:
        _call_at()(address, float(t + self.shift), np.ascontiguousarray(u, np.float64), out, self.table)


@functools.cache
def _call_at() -> Callable[..., None]:
    """Return what calls a compiled function at its address."""
    function: Callable[..., None] = load_copy(_CALLS).call_at
    return function


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
            else _apart(array)
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
    if sum(array.size for array in arrays) <= _SMALL * _SMALL:  # room for work has neither memory yet nor strides
        _recent.append((network, system))
    return system


def equations_hash(network: Network, *, explicit: bool = False) -> str:
    """Return a hash of the equations of a network: the same for networks that differ in nothing but numbers.

    It is that of the generated text as functions of arrays (`brnn.compiler.generate.generate` explains `explicit`),
    which stays as it was when convolutions shared no transforms.
    """
    return text_hash(text_of_arrays(generate(network, layout(network), explicit=explicit, apart=True)))
