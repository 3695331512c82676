"""Transmitter that is used up by what a cell receives: a habituative gate at the target, and the cells behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from brnn.base.checks import identifier, spread
from brnn.spec.layers.base import Bounds, LayerLaw
from brnn.spec.layers.generalized import _Generalized

__all__ = ["TransmittedLayer", "TransmitterLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class TransmitterLayer(LayerLaw):
    """Transmitter that accumulates to K and is used up by the excitatory input of its cell, and by its square.

    dx/dt = H (K - x) - x (L exc + Q exc^2)

    With `inputs_of` its cells receive all that those of another layer do, besides what projections bring to them: they
    are a second state of these cells, of which the other one is the activity. Shapes must be equal.

    Parameters
    ----------
    name : str
        Name of the layer.
    shape : int or tuple of int
        Number of cells along each axis.
    H : float or array, >= 0
        Rate of accumulation (1/time).
    K : float or array, >= 0
        Level of the rested transmitter.
    L, Q : float or array, >= 0
        Rates of depletion per unit of input, and of its square.
    initial : float or array
        Transmitter at time 0.
    inputs_of : str, optional
        Name of the layer whose inputs it receives, too.
    """

    H: float | Any
    K: float | Any
    L: float | Any = 0.0
    Q: float | Any = 0.0
    initial: float | Any = 0.0
    inputs_of: str | None = None

    parameters: ClassVar[tuple[str, ...]] = ("H", "K", "L", "Q")

    def __post_init__(self) -> None:
        self._check_common(self.initial)
        at = self.label
        self._set(**{
            name: spread(getattr(self, name), f"{at}: {name}", self.shape, minimum=0.0) for name in self.parameters
        })  # fmt: skip
        if self.inputs_of is not None:
            identifier(self.inputs_of, f"{at}: inputs_of")

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, H: Any, K: Any, L: Any, Q: Any) -> Any:
        """Return dx/dt."""
        return H * (K - x) - x * (L * exc + Q * exc * exc)

    def bounds(self) -> Bounds | None:
        """Return (0, K)."""
        return 0.0, self.K


@dataclass(frozen=True, eq=False, repr=False)
class TransmittedLayer(_Generalized):
    """Cells (9) whose whole excitatory input passes through a gate, which is their modulatory input.

    dx/dt = -A x + (B - C x) exc mod - (E + F x) inh

    The gate is at the cell that receives, behind all that arrives there; `HabituativeGate` is at the one that sends.

    Parameters
    ----------
    name, shape, A, B, C, E, F, initial
        As for Layer.
    """

    modulated: ClassVar[bool] = True

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, A: Any, B: Any, C: Any, E: Any, F: Any) -> Any:
        """Return dx/dt; `exc` and `inh` are the two square brackets of (9), `mod` the gate."""
        return -A * x + (B - C * x) * exc * mod - (E + F * x) * inh
