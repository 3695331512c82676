"""Cells that run only as fast as a nonspecific signal lets them: STORE (41), (42), GO signals, command cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from brnn.base.checks import number
from brnn.spec.layers.generalized import _Generalized

__all__ = ["GatedLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class GatedLayer(_Generalized):
    """Cells that obey the generalized STM equation (9) at a speed that their modulatory input sets.

    dx_i/dt = [rest + gain mod_i]+ ( -A x_i + (B - C x_i) exc_i - (E + F x_i) inh_i )

    exc, inh and mod are the sums of everything that arrives with ``kind="excitatory"``, ``"inhibitory"`` and
    ``"modulatory"``. With gain = 1 the modulatory input opens the gate (the total input I of (41), a GO signal, a
    command); with rest = 1 and gain = -1 it shuts it (1 - I of (42)). A shut gate keeps the state to the last bit.

    Parameters
    ----------
    name : str
        Name of the layer; its activities are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    A, B, C, E, F : float or array
        As for Layer.
    initial : float or array
        Activities at time 0.
    rest : float
        How open the gate is without modulatory input.
    gain : float
        How much a unit of modulatory input opens it (negative: shuts it). The gate is never less than shut.

    Raises
    ------
    SpecError
        If a value has the wrong type, shape, sign or is not finite.

    Notes
    -----
    The bounds are those of Layer, whatever the modulatory input is. (42) has the factor 1 - I, which would be negative
    for I > 1; the gate is then shut.
    """

    rest: float = 0.0
    gain: float = 1.0

    parameters: ClassVar[tuple[str, ...]] = (*_Generalized.parameters, "rest", "gain")
    modulated: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self._set(rest=number(self.rest, f"{self.label}: rest"), gain=number(self.gain, f"{self.label}: gain"))

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, A: Any, B: Any, C: Any, E: Any, F: Any, rest: Any, gain: Any) -> Any:
        """Return dx/dt; `exc` and `inh` are the two square brackets of (9)."""
        return np.maximum(rest + gain * mod, 0.0) * (-A * x + (B - C * x) * exc - (E + F * x) * inh)

    @classmethod
    def store(cls, name: str, shape: Any, initial: Any = 0.0) -> Self:
        """Return the first layer of STORE (41): dx_i/dt = (exc_i - x_i inh_i) mod_i.

        exc_i is A I_i + y_i, inh_i is x = sum_k x_k (a projection AllToAll from itself) and mod_i is I = sum_k I_k.
        """
        return cls(name, shape, A=0.0, B=1.0, C=0.0, E=0.0, F=1.0, initial=initial)

    @classmethod
    def store_trace(cls, name: str, shape: Any, initial: Any = 0.0) -> Self:
        """Return the second layer of STORE (42): dy_i/dt = (exc_i - y_i) [1 - mod_i]+.

        exc_i is x_i and mod_i is I = sum_k I_k.
        """
        return cls(name, shape, A=1.0, B=1.0, C=0.0, E=0.0, F=1.0, initial=initial, rest=1.0, gain=-1.0)
