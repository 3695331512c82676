"""A network as a program: generated functions, which say its structure, and the values of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from brnn.base.codetext import Code, code_of
from brnn.base.tracer import Varying
from brnn.compiler.statements import (
    ZERO,
    Array,
    Assign,
    Call,
    CodeExpression,
    Index,
    Local,
    Loop,
    Number,
    Statement,
    Time,
)  # fmt: skip
from brnn.errors import SpecError
from brnn.signals import Signal
from brnn.spec.layers import LayerLaw
from brnn.spec.schedules import Schedule

__all__ = ["CALLED", "Course", "Equations", "Given", "Program", "Reading", "SentSignals"]

CALLED = "compiled_once(**options)"  # the decorator of generated functions that only other generated functions call

_I, _S = Index("i"), Local("s")


@dataclass(frozen=True)
class Course:
    """Where the arguments of one schedule's time course stand; each segment fills them in.

    Attributes
    ----------
    schedule : int
        Index into ``network.schedules``.
    first : int
        Place in `p` of the first parameter of the schedule's kernel (varying schedules).
    parameters : int
        How many parameters the kernel has.
    pattern : str or None
        Array argument that takes the varying part of a stimulus.
    base, varying : int or None
        Places in `p` of the constant and the varying part of a factor that is one number.
    """

    schedule: int
    first: int = 0
    pattern: str | None = None
    parameters: int = 0
    base: int | None = None
    varying: int | None = None


@dataclass(frozen=True)
class Equations:
    """The generated functions of a network: its structure without its numbers.

    Attributes
    ----------
    source : str
        Text of the module for one network. Equal texts have equal functions and statements.
    blocks : tuple of str
        Names of the blocks of the state.
    arrays : tuple of Array
        The array arguments.
    functions : tuple of Code
        The laws, signals and topologies that the statements call, and their helpers.
    statements : tuple of Statement
        The body of the right-hand side.
    """

    source: str
    blocks: tuple[str, ...]
    arrays: tuple[Array, ...]
    functions: tuple[Code, ...] = field(compare=False)
    statements: tuple[Statement, ...] = field(compare=False)

    def names(self, kind: str) -> tuple[str, ...]:
        """Return the names of the array arguments of one kind."""
        return tuple(array.name for array in self.arrays if array.kind == kind)


@dataclass(frozen=True)
class Given:
    """The array arguments of a projection whose weights are kept elsewhere.

    Attributes
    ----------
    sent : str
        The signals that it sends, which the function writes.
    decay, gain, driver : str
        The parts of its learning law at that time, which the function writes: of the cells at the end whose rate it
        is, and of those at the other one.
    total : str
        Its input to each target cell, which the function reads.
    """

    sent: str
    decay: str
    gain: str
    driver: str
    total: str


@dataclass(frozen=True)
class Reading:
    """Where a program evaluates a signal of the cells of a layer.

    Attributes
    ----------
    call : Call
        The call, whose first argument is the activity.
    layer : str
        Whose cells they are.
    cells : int
        How many.
    signal : Signal
        The signal.
    lag : float
        How late it is read; negative for a next state of discrete time.
    """

    call: Call
    layer: str
    cells: int
    signal: Signal
    lag: float = 0.0


@dataclass(eq=False)
class SentSignals:
    """The signals that one layer sends, computed once for all projections that read them, or gated by one of them.

    Attributes
    ----------
    name : str
        Their name in the program.
    cells : int
        How many there are.
    needs_array, needs_total : bool
        Whether each of them is read, and whether their sum is.
    """

    name: str
    cells: int
    needs_array: bool = False
    needs_total: bool = False

    @property
    def array(self) -> Array:
        """The signals of all cells."""
        return Array(self.name, "work")

    @property
    def total(self) -> Local:
        """Their sum."""
        return Local(f"sum_{self.name}")

    def computed(self, cells: Array, *body: Assign, signal: CodeExpression) -> list[Statement]:
        """Return the statements that compute `signal`, after those of `body`, for each of `cells`."""
        inside: list[Statement] = [*body, Assign(_S, signal)]
        if self.needs_array:
            inside.append(Assign(self.array[_I], _S))
        if self.needs_total:
            inside.append(Assign(self.total, _S, "+="))
        loop = Loop(_I, cells.size, tuple(inside))
        return [Assign(self.total, ZERO), loop] if self.needs_total else [loop]


@dataclass(eq=False)
class Program:
    """Equations and the values of their arguments, as they are collected.

    Attributes
    ----------
    blocks : tuple of str
        Names of the blocks of the state.
    explicit : bool
        Whether matrices are applied by loops among the statements, not by functions of arrays.
    apart : bool
        Whether convolutions by FFT share no transforms.
    joins : bool
        Whether projections of one layer whose topologies end with the same part share that.
    source : str
        Text of the module for one network.
    bands : int
        Into how many a step is divided (`brnn.compiler.bands`); 0: not at all.
    tasks : ndarray
        The order in which they are done: rows of phase, band, and the first and the last but one of the bands that
        must be over in the phase before.
    room : int
        Numbers that a band needs room for.
    numbers : list of float or Varying
        Values of `p`; those of schedules are filled in by each segment.
    arrays : dict
        Values of the array arguments by name; None for those that each segment fills in.
    inputs : dict
        For each (layer, kind) that has stimuli: the name of the array of their constant parts.
    courses : list of Course
        What each segment fills in.
    lags : dict
        For each (layer, delay): the array that takes the layer's activities that long ago.
    places : list of Number
        The numbers as statements have them.
    names : dict of str to Array
        The arrays as statements have them.
    statements, diffusion : list of Statement
        The bodies of the right-hand side and of the function of the strength of white noise (empty without any).
    renewed : list of Statement
        The body of the function of slopes that jump with inputs (`brnn.compiler.sequence`).
    functions : dict of str to Code
        The functions that they call.
    imports : dict
        Lines of the module that these need.
    exponents : set of int
        Places in `p` of the numbers that are passed on as exponents of the helper `power`.
    given : dict
        By its name, each projection whose weights are kept elsewhere.
    signals, parts : list of Statement
        If there are such projections, the bodies of two functions of their own: of signals and gates, and of the parts
        of learning laws; `statements` are then what follows from these, and from the inputs that weights make of them.
    kept : tuple of str
        The numbers that go from the first of these functions to the others, in an array of this name.
    readings : list of Reading
        Where signals are evaluated.
    shapes : dict
        Shapes of room for work that is not that of a layer.
    transforms : dict
        The arrays of each transform of signals that several projections share, by what they are.
    """

    blocks: tuple[str, ...]
    explicit: bool = False
    apart: bool = False
    joins: bool = False
    source: str = ""
    bands: int = 0
    tasks: np.ndarray = field(default_factory=lambda: np.empty((0, 4), dtype=np.int64))
    room: int = 0
    numbers: list[float | Varying] = field(default_factory=list)
    arrays: dict[str, np.ndarray | None] = field(default_factory=dict)
    inputs: dict[tuple[str, str], str] = field(default_factory=dict)
    courses: list[Course] = field(default_factory=list)
    lags: dict[tuple[str, float], Array] = field(default_factory=dict)
    places: list[Number] = field(default_factory=list)
    names: dict[str, Array] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    diffusion: list[Statement] = field(default_factory=list)
    renewed: list[Statement] = field(default_factory=list)
    functions: dict[str, Code] = field(default_factory=dict)
    imports: dict[str, None] = field(default_factory=dict)
    exponents: set[int] = field(default_factory=set)
    given: dict[str, Given] = field(default_factory=dict)
    signals: list[Statement] = field(default_factory=list)
    parts: list[Statement] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    readings: list[Reading] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    transforms: dict[tuple[Any, ...], dict[str, Any]] = field(default_factory=dict)

    @property
    def equations(self) -> Equations:
        """The structure of the network, without its numbers."""
        arrays, functions = tuple(self.names.values()), tuple(self.functions.values())
        return Equations(self.source, self.blocks, arrays, functions, tuple(self.statements))

    def add(self, *statements: Statement) -> None:
        """Add statements to the right-hand side."""
        self.statements += statements

    def number(self, name: str, value: float | Varying) -> Number:
        """Add a number of the network."""
        self.places.append(Number(name, len(self.numbers)))
        self.numbers.append(value if isinstance(value, Varying) else float(value))
        return self.places[-1]

    def array(self, name: str, value: np.ndarray | None, *, work: bool = False) -> Array:
        """Add an array of values or of whole numbers, or one for work."""
        whole = value is not None and value.dtype.kind == "i"
        # Generated functions read arrays in C order.
        self.arrays[name] = value if value is None or value.flags.c_contiguous else np.ascontiguousarray(value)
        self.names[name] = Array(name, "work" if work else "whole" if whole else "values")
        return self.names[name]

    def work(self, name: str, size: int) -> Array:
        """Add an array that the function writes before it reads it."""
        self.array(name, np.empty(0), work=True)
        self.arrays[name] = np.broadcast_to(np.empty(1), (size,))  # each right-hand side has room of its own for it
        return self.names[name]

    def named(self, names: Sequence[str], values: Iterable[float | np.ndarray], owner: str) -> list[Number | Array]:
        """Add values under the given names, followed by the name of what they belong to."""
        added: list[Number | Array] = []
        for name, value in zip(names, values, strict=True):
            full = f"{name}_{owner}"
            added.append(self.array(full, value) if isinstance(value, np.ndarray) else self.number(full, value))
        return added

    def arguments(
        self, code: Code, skip: int, values: Iterable[float | np.ndarray], owner: str
    ) -> list[Number | Array]:
        """Add the values of a function's arguments after the first `skip`."""
        return self.named(code.arguments[skip:], values, owner)

    def lag(self, layer: LayerLaw, delay: float) -> Array:
        """Return the array of a layer's activities `delay` ago, which is filled in before each call."""
        if (layer.name, delay) not in self.lags:
            self.lags[layer.name, delay] = self.array(f"lag{len(self.lags)}_{layer.name}", np.empty(layer.cells))
        return self.lags[layer.name, delay]

    def course(self, name: str, schedule: Schedule) -> tuple[Local, int]:
        """Add ``name = kernel(t, ...)`` for a varying schedule; return it, and the place of its first parameter."""
        kernel = self.kernel(f"schedule_{type(schedule).__name__.lower()}", type(schedule).kernel)
        first, result = len(self.numbers), Local(name)
        parameters = [self.number(f"{key}_{name}", 0.0) for key in kernel.arguments[1:]]
        self.add(Assign(result, self.call(kernel, Time("t"), *parameters)))
        return result, first

    def function(self, code: Code) -> Code:
        """Add a function; the same name with another text gets a number."""
        for helper in code.helpers:
            if self.functions.setdefault(helper.name, helper).source != helper.source:
                raise SpecError(
                    f"two different helper functions are called '{helper.name}'; give one of them another name"
                )
        name, k = code.name, 2
        while self.functions.get(code.name, code).source != code.source:
            code, k = replace(code, name=f"{name}_{k}"), k + 1
        return self.functions.setdefault(code.name, code)

    def kernel(self, name: str, function: Callable[..., Any]) -> Code:
        """Add a function given as a Python function."""
        try:
            return self.function(code_of(function, name))
        except OSError:
            raise SpecError(f"the text of {function.__qualname__} cannot be read; define it in a file") from None

    def call(self, code: Code, *arguments: CodeExpression) -> Call:
        """Return a call, noting which numbers are exponents in it."""
        for name, argument in zip(code.arguments, arguments, strict=False):  # the last may have defaults
            if name in code.exponents and isinstance(argument, Number):
                self.exponents.add(argument.place)
        return Call(code.name, arguments)
