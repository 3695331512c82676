"""Shunting cells whose input from below is modulated by what arrives from above, as in ART and LAMINART."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from brnn.base.checks import number, one_of, spread
from brnn.signals import Linear, Signal
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["ModulatedLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class ModulatedLayer(LayerLaw):
    """Shunting cells whose excitatory input is enhanced by a modulatory one, which alone does nothing.

    dx_i/dt = -A x_i + (B - x_i) (exc_i [1 + gain mod_i]+ + f(x_i)) - (D + x_i) inh_i

    exc, inh and mod are the sums of everything that arrives with ``kind="excitatory"``, ``"inhibitory"`` and
    ``"modulatory"``; f is what a cell sends to itself, which is not enhanced.

    Parameters
    ----------
    name : str
        Name of the layer; its activities are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    A : float or array, >= 0
        Passive decay rate (1/time).
    B : float or array, > 0
        Excitatory saturation: no activity exceeds B.
    D : float or array, >= 0
        Hyperpolarization: no activity falls below -D.
    gain : float
        How much a unit of modulatory input enhances (negative: weakens, at most to 0) the excitatory one.
    recurrent : Signal
        f: what a cell sends to itself; nothing by default.
    initial : float or array
        Activities at time 0.

    Raises
    ------
    SpecError
        If a value has the wrong type, shape, sign or is not finite.

    Notes
    -----
    With weights, signals and inputs >= 0: -D <= x_i(t) <= B if it holds at 0.
    """

    A: float | np.ndarray
    B: float | np.ndarray
    D: float | np.ndarray = 0.0
    gain: float = 1.0
    recurrent: Signal = Linear(0.0)  # noqa: RUF009  (frozen)
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("A", "B", "D", "gain")
    modulated: ClassVar[bool] = True

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(
            A=spread(self.A, f"{at}: A", self.shape, minimum=0.0),
            B=spread(self.B, f"{at}: B", self.shape, above=0.0),
            D=spread(self.D, f"{at}: D", self.shape, minimum=0.0),
            gain=number(self.gain, f"{at}: gain"),
        )
        one_of(self.recurrent, f"{at}: recurrent", Signal, "a signal of brnn.signals, e.g. Sigmoid()")

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, A: Any, B: Any, D: Any, gain: Any, recurrent: Any) -> Any:
        """Return dx/dt; `recurrent` is f(x)."""
        return -A * x + (B - x) * (exc * np.maximum(1.0 + gain * mod, 0.0) + recurrent) - (D + x) * inh

    def inner(self) -> dict[str, Signal]:
        """Return f."""
        return {"recurrent": self.recurrent}

    def bounds(self) -> Bounds | None:
        """Return (-D, B), if what a cell sends to itself is never negative."""
        low = 0.0 - self.D
        return (low, self.B) if self.recurrent.nonnegative or not np.any(self.D) else None
