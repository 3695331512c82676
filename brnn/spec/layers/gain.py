"""Cells whose excitation is amplified by a port of its own: gain fields, attention, top-down modulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from brnn.spec.layers.generalized import _Generalized

__all__ = ["GainLayer"]


@dataclass(frozen=True, eq=False, repr=False)
class GainLayer(_Generalized):
    """Cells that obey the generalized STM equation (9), with excitation times 1 + their modulatory input.

    dx_i/dt = -A x_i + (B - C x_i) exc_i (1 + mod_i) - (E + F x_i) inh_i

    exc, inh and mod are the sums of everything that arrives with ``kind="excitatory"``, ``"inhibitory"`` and
    ``"modulatory"``. Modulation alone moves nothing: it amplifies what is excited. A `Modulation` does so for the
    signals of one projection, by one cell; here any projections and stimuli add up to the factor of all excitation.

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

    Raises
    ------
    SpecError
        If a value has the wrong type, shape, sign or is not finite.

    Notes
    -----
    The bounds are those of Layer.
    """

    modulated: ClassVar[bool] = True

    @staticmethod
    def law(x: Any, exc: Any, inh: Any, mod: Any, A: Any, B: Any, C: Any, E: Any, F: Any) -> Any:
        """Return dx/dt; `exc` and `inh` are the two square brackets of (9)."""
        return -A * x + (B - C * x) * exc * (1.0 + mod) - (E + F * x) * inh
