"""A System: what integrators need to know of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.compiler.cache import load_module
from brnn.compiler.generate import Program, generate
from brnn.compiler.layout import Variable, layout
from brnn.spec.network import Network

__all__ = ["RightHandSide", "System", "compile_network"]


@dataclass(frozen=True)
class RightHandSide:
    """du/dt between two break points, as a Python callable for SciPy's solvers.

    Attributes
    ----------
    function : callable
        The compiled function ``rhs(t, u, du, *arguments)``; it allocates nothing.
    arguments : tuple
        Everything after `du`.
    """

    function: Callable[..., None]
    arguments: tuple[Any, ...]

    def __call__(self, t: float, u: np.ndarray) -> np.ndarray:
        """Return du/dt in a new array."""
        du = np.empty_like(u)
        self.function(t, u, du, *self.arguments)
        return du


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
        for layer, variable in zip(self.network.layers, self.variables, strict=False):
            u[variable.start : variable.stop] = np.ravel(getattr(layer, "initial", 0.0))
        return u

    def rhs(self, time: float) -> RightHandSide:
        """Return the right-hand side that holds between the two break points around `time`."""
        function = load_module(self.source).rhs
        numbers = np.array(self.program.numbers, dtype=np.float64)
        arrays: dict[str, Any] = dict(self.program.arrays)
        for (name, kind), (base, varying) in self.program.stimuli.items():
            layer = self.network.layer(name)
            total = np.zeros(layer.shape)
            places = {index: (first, pattern) for index, first, pattern in varying}
            for index, stimulus in enumerate(self.network.stimuli):
                if stimulus.target != name or stimulus.kind != kind:
                    continue
                segment = stimulus.schedule.segment(time, np.asarray(stimulus.pattern))
                total += segment.base
                if index in places:
                    first, pattern = places[index]
                    numbers[first : first + len(segment.parameters)] = segment.parameters
                    arrays[pattern] = np.ascontiguousarray(
                        np.broadcast_to(segment.varying, layer.shape), dtype=float
                    ).ravel()
            arrays[base] = total.ravel()
        bounds = np.array([0] + [variable.stop for variable in self.variables], dtype=np.int64)
        return RightHandSide(function, (bounds, numbers, *arrays.values()))


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
    return System(network, layout(network), generate(network))
