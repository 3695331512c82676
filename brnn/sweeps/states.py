"""The states of members that have run, and the result of one of them as a user's own measures see it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from brnn.base.text import closest
from brnn.ensemble.status import STATUS_NAMES
from brnn.errors import InputError
from brnn.spec.variable import Variable
from brnn.sweeps.building.given import GivenPatterns

__all__ = ["MemberResult", "MemberStates"]


@dataclass(frozen=True)
class MemberStates:
    """What came of members whose states have the same shapes: their states, and how they ended.

    Attributes
    ----------
    variables : tuple of Variable
        The blocks of the state.
    final, initial : ndarray, shape (members, size)
        Last and first states.
    reached : ndarray, shape (members,)
        Time of the last state.
    status : ndarray, shape (members,)
        1 complete, 2 steady, 3 failed.
    times : ndarray, shape (times,)
        The saved times.
    trajectory : ndarray, shape (members, times, size)
        The states there.
    given : GivenPatterns
        What the layers were given, if a measure asks for it.
    """

    variables: tuple[Variable, ...]
    final: np.ndarray
    initial: np.ndarray
    reached: np.ndarray
    status: np.ndarray
    times: np.ndarray
    trajectory: np.ndarray
    given: GivenPatterns

    @property
    def layers(self) -> list[Variable]:
        """The blocks that are activities."""
        return [variable for variable in self.variables if variable.role == "stm"]

    def block(self, variable: Variable, states: np.ndarray) -> np.ndarray:
        """Return the part of states that is one block."""
        return states[..., variable.start : variable.stop]


@dataclass(frozen=True)
class MemberResult:
    """The result of one member, as the user's own measures see it.

    ``result["F1.x"]`` is the trajectory at the sweep's `times`, shape (times, ...); without `times` the last state
    alone, shape (1, ...).
    """

    states: MemberStates
    index: int

    @property
    def status(self) -> str:
        """How it ended: "complete", "steady" or "failed"."""
        return STATUS_NAMES[int(self.states.status[self.index])]

    @property
    def times(self) -> np.ndarray:
        """The saved times."""
        return self.states.times if self.states.times.size else self.states.reached[self.index : self.index + 1]

    def __getitem__(self, name: str) -> np.ndarray:
        variable = self._variable(name)
        if self.states.times.size:
            values = self.states.block(variable, self.states.trajectory[self.index])
            return values.reshape(-1, *variable.shape)
        return self.final(name)[None]

    def final(self, name: str) -> np.ndarray:
        """Return the last state of a layer (``"F1"``) or variable (``"F1.x"``)."""
        variable = self._variable(name)
        return self.states.block(variable, self.states.final[self.index]).reshape(variable.shape)

    def initial(self, name: str) -> np.ndarray:
        """Return the state at time 0."""
        variable = self._variable(name)
        return self.states.block(variable, self.states.initial[self.index]).reshape(variable.shape)

    def total(self, layer: str) -> float:
        """Return the sum of a layer's last activities."""
        return float(self.final(layer).sum())

    def relative(self, layer: str) -> np.ndarray:
        """Return a layer's last activities divided by their sum."""
        values = self.final(layer)
        total = values.sum()
        return values / total if total > 0.0 else np.full(values.shape, np.nan)

    def _variable(self, name: str) -> Variable:
        wanted = name if "." in name else f"{name}.x"
        for variable in self.states.variables:
            if variable.name == wanted:
                return variable
        names = [variable.name for variable in self.states.variables]
        raise InputError(f"there is no '{name}' (there is {', '.join(names)}){closest(wanted, names)}")
