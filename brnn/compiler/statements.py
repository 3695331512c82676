"""Collect the text of a generated module: its lines, functions, imports and arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from brnn.base.codetext import function_text, helper_texts
from brnn.base.tracer import Varying
from brnn.errors import SpecError
from brnn.spec.layers import LayerLaw
from brnn.spec.schedules import Schedule

__all__ = ["Course", "Program", "Sent", "Text", "argument_names"]


@dataclass(frozen=True)
class Course:
    """Where the arguments of one schedule stand; each segment fills them in.

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


@dataclass
class Program:
    """Generated text, and the values of its arguments.

    Attributes
    ----------
    source : str
        Text of the module.
    numbers : list of float or Varying
        Values of `p`; those of schedules are filled in by each segment.
    arrays : dict
        Values of the array arguments by name; None for those that each segment fills in.
    inputs : dict
        For each (layer, kind) that has stimuli: the name of the array of their constant parts.
    courses : list of Course
        What each segment fills in.
    lags : dict
        For each (layer, delay): the name of the array that takes the layer's activities that long ago.
    work : set of str
        Names of the arrays that the function only writes and then reads.
    """

    source: str = ""
    numbers: list[float | Varying] = field(default_factory=list)
    arrays: dict[str, np.ndarray | None] = field(default_factory=dict)
    inputs: dict[tuple[str, str], str] = field(default_factory=dict)
    courses: list[Course] = field(default_factory=list)
    lags: dict[tuple[str, float], str] = field(default_factory=dict)
    work: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Sent:
    """An array of signals: those of one layer, shared by all that read them, or gated by one projection."""

    name: str
    cells: int
    needs_array: bool = False
    needs_total: bool = False


class Text:
    """Collects lines, functions and arguments.

    Parameters
    ----------
    explicit : bool
        Whether matrices are applied by loops in the text, not by kernels of arrays.
    """

    def __init__(self, explicit: bool = False) -> None:
        self.explicit = explicit
        self.program = Program()
        self.lines: list[str] = []
        self.unpack: list[str] = []
        self.diffusion: list[str] = []
        self.functions: dict[str, str] = {}
        self.imports: dict[str, None] = {}

    def line(self, text: str = "", depth: int = 1) -> None:
        self.lines.append("    " * depth + text if text else "")

    def number(self, name: str, value: float | Varying) -> str:
        self.unpack.append(f"    {name} = p[{len(self.program.numbers)}]")
        self.program.numbers.append(value if isinstance(value, Varying) else float(value))
        return name

    def array(self, name: str, value: np.ndarray | None) -> str:
        self.program.arrays[name] = value
        return name

    def work(self, name: str, size: int) -> str:
        """Add an array that the function writes before it reads it."""
        self.program.work.add(name)
        return self.array(name, np.empty(size))

    def arguments(self, function: str, skip: int, values: Iterable[float | np.ndarray], owner: str) -> list[str]:
        """Add the values of a function's arguments after the first `skip`; return the names that they get."""
        return self.arguments_named(argument_names(self.functions[function], skip), values, owner)

    def arguments_named(self, names: list[str], values: Iterable[float | np.ndarray], owner: str) -> list[str]:
        """Add values under the given names, followed by the name of what they belong to."""
        added = []
        for name, value in zip(names, values, strict=True):
            full = f"{name}_{owner}"
            added.append(self.array(full, value) if isinstance(value, np.ndarray) else self.number(full, value))
        return added

    def write_lag(self, layer: LayerLaw, delay: float) -> str:
        """Return the array of a layer's activities `delay` ago, which is filled in before each call."""
        lags = self.program.lags
        if (layer.name, delay) not in lags:
            lags[layer.name, delay] = self.array(f"lag{len(lags)}_{layer.name}", np.empty(layer.cells))
        return lags[layer.name, delay]

    def write_course(self, name: str, schedule: Schedule) -> int:
        """Write ``name = kernel(t, ...)`` for a varying schedule; return the place of its first parameter."""
        function = self.kernel(f"schedule_{type(schedule).__name__.lower()}", type(schedule).kernel)
        first = len(self.program.numbers)
        parameters = [self.number(f"{key}_{name}", 0.0) for key in argument_names(self.functions[function], 1)]
        self.line(f"{name} = {function}({', '.join(['t', *parameters])})")
        return first

    def function(self, name: str, text: str, helpers: Iterable[str] = ()) -> str:
        """Add a function; the same name with another text gets a number."""
        for helper in helpers:
            match = re.match(r"def (\w+)", helper)
            assert match is not None
            if self.functions.setdefault(match[1], helper) != helper:
                raise SpecError(
                    f"two different helper functions are called '{match[1]}'; give one of them another name"
                )
        chosen, k = name, 2
        while self.functions.get(chosen, text) != text:
            chosen, text, k = f"{name}_{k}", text.replace(f"def {chosen}(", f"def {name}_{k}(", 1), k + 1
        self.functions[chosen] = text
        return chosen

    def kernel(self, name: str, function: Callable[..., Any]) -> str:
        """Add a function given as a Python function."""
        try:
            return self.function(name, function_text(function, name), helper_texts(function))
        except OSError:
            raise SpecError(f"the text of {function.__qualname__} cannot be read; define it in a file") from None


def argument_names(function: str, skip: int) -> list[str]:
    """Return the names of a function's arguments after the first `skip`."""
    match = re.match(r"def \w+\((.*)\):", function)
    assert match is not None
    return [name.strip() for name in match[1].split(",")][skip:]
