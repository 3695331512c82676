"""du/dt of a network between two break points of its inputs."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy, load_module
from brnn.compiler.module_text import argument_table
from brnn.compiler.rooms import room_apart
from brnn.spec.variable import Variable

__all__ = ["RightHandSide"]

_CALLS = Path(__file__).with_name("calls.py")


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

    @property
    def rated_address(self) -> int:
        """Address of the compiled function that writes both, for as long as this object lives."""
        return int(self._with_rates.address)

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
