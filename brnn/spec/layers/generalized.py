"""The generalized STM equation (9), with shunting and additive layers as special cases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from brnn.base.checks import shape as sizes
from brnn.base.checks import spread
from brnn.spec.layers.base import Bounds, LayerLaw

__all__ = ["Layer"]


@dataclass(frozen=True, eq=False, repr=False)
class _Generalized(LayerLaw):
    """The parameters of (9), their checks and what follows from them."""

    A: float | np.ndarray
    B: float | np.ndarray
    C: float | np.ndarray = 1.0
    E: float | np.ndarray = 0.0
    F: float | np.ndarray = 1.0
    initial: float | np.ndarray = 0.0

    parameters: ClassVar[tuple[str, ...]] = ("A", "B", "C", "E", "F")

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(
            A=spread(self.A, f"{at}: A", self.shape, minimum=0.0),
            B=spread(self.B, f"{at}: B", self.shape, above=0.0),
            C=spread(self.C, f"{at}: C", self.shape, minimum=0.0),
            E=spread(self.E, f"{at}: E", self.shape, minimum=0.0),
            F=spread(self.F, f"{at}: F", self.shape, minimum=0.0),
        )

    def accepts_signed_input(self) -> bool:
        """Tell whether the layer is additive: then a negative weight is just the other kind."""
        return not np.any(self.C) and not np.any(self.F)

    def bounds(self) -> Bounds | None:
        """Return (-E/F, B/C), the interval of the claim after (8); infinite where C or F is 0."""
        if not any(isinstance(value, np.ndarray) for value in (self.B, self.C, self.E, self.F)):
            one = 0.0 - self.E / self.F if self.F > 0.0 else -np.inf
            other = self.B / self.C if self.C > 0.0 else np.inf
            return None if not (self.F > 0.0 or self.C > 0.0) else (one, other)
        with np.errstate(divide="ignore", invalid="ignore"):
            lowest = np.where(np.asarray(self.F) > 0, 0.0 - np.divide(self.E, self.F), -np.inf)
            highest = np.where(np.asarray(self.C) > 0, np.divide(self.B, self.C), np.inf)
        if np.isinf(lowest).all() and np.isinf(highest).all():
            return None
        return (
            float(lowest) if lowest.ndim == 0 else lowest,
            float(highest) if highest.ndim == 0 else highest,
        )


@dataclass(frozen=True, eq=False, repr=False)
class Layer(_Generalized):
    """Cells that obey the generalized STM equation (9).

    dx_i/dt = -A x_i + (B - C x_i) [sum_k f_k(x_k) D_ki y_ki z_ki + I_i]
                     - (E + F x_i) [sum_k g_k(x_k) G_ki Y_ki Z_ki + J_i]                    (9)

    Parameters
    ----------
    name : str
        Name of the layer; its activities are the state ``"<name>.x"``.
    shape : int or tuple of int
        Number of cells along each axis.
    A : float or array, >= 0
        Passive decay rate (1/time).
    B : float or array, > 0
        Excitatory saturation: for C = 1 no activity exceeds B.
    C : float or array, >= 0
        Strength of excitatory shunting (0: additive).
    E : float or array, >= 0
        Hyperpolarization; 0 is silent (shunting) inhibition.
    F : float or array, >= 0
        Strength of inhibitory shunting (0: additive).
    initial : float or array
        Activities at time 0.

    Raises
    ------
    SpecError
        If a value has the wrong type, shape, sign or is not finite.

    Notes
    -----
    With weights, signals and inputs >= 0, C > 0 and F > 0: -E/F <= x_i(t) <= B/C if it holds at 0.
    """

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, A: Any, B: Any, C: Any, E: Any, F: Any) -> Any:
        """Return dx/dt of equation (9); `exc` and `inh` are its two square brackets."""
        return -A * x + (B - C * x) * exc - (E + F * x) * inh

    @classmethod
    def shunting(cls, name: str, shape: Any, A: Any, B: Any, D: Any = 0.0, initial: Any = 0.0) -> Self:
        """Return a shunting layer (8): C = 1, E = D, F = 1, so that -D <= x <= B."""
        spread(D, f"Layer '{name}': D", sizes(shape, f"Layer '{name}': shape"), minimum=0.0)
        return cls(name, shape, A=A, B=B, C=1.0, E=D, F=1.0, initial=initial)

    @classmethod
    def additive(cls, name: str, shape: Any, A: Any, initial: Any = 0.0) -> Self:
        """Return an additive layer (6), (7): C = F = 0 and unit factors B = E = 1."""
        return cls(name, shape, A=A, B=1.0, C=0.0, E=1.0, F=0.0, initial=initial)
