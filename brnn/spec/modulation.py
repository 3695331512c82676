"""Modulation: the signals of a projection are multiplied by a factor that a third layer sets, without a lag."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from brnn.base.checks import choice, identifier, number, one_of
from brnn.base.data import Spec
from brnn.errors import SpecError
from brnn.signals import Linear, Signal

if TYPE_CHECKING:
    from brnn.spec.layers import LayerLaw

__all__ = ["Modulation"]


@dataclass(frozen=True, eq=False, repr=False)
class Modulation(Spec):
    """A factor ``base + gain h(m)`` of what a projection sends, m being the activity of a third layer.

    Cell i receives ``sum_k f(x_k) W_ik (base + gain h(m_i))``, or with ``at="source"``
    ``sum_k f(x_k) W_ik (base + gain h(m_k))``. So an attentional gain is ``base=1``, and a layer that opens a gate
    ``base=0``. Gates (MTM) and learning laws (LTM) of the projection do not see the factor.

    Parameters
    ----------
    layer : str
        The layer that modulates; it may be the source or the target itself.
    signal : Signal
        h: what a cell of it with activity m contributes.
    base : float
        The factor without any signal.
    gain : float
        Change of the factor for each unit of signal.
    at : {"target", "source", "total"}
        Which m sets the factor of a connection: that of the cell with the index of the target cell, or of the source
        cell, in a layer of as many cells; or the total, one factor for all from the sum of h(m) over the layer, which
        for a layer of one cell is its signal.

    Notes
    -----
    If the projection has a delay, a factor at the source cell is as old as the signals when these arrive; the other
    factors are those of the present.
    """

    layer: str
    signal: Signal = Linear()  # noqa: RUF009  (frozen)
    base: float = 0.0
    gain: float = 1.0
    at: str = "target"

    def __post_init__(self) -> None:
        at = f"Modulation by '{identifier(self.layer, 'Modulation: layer')}'"
        one_of(self.signal, f"{at}: signal", Signal, "a signal of brnn.signals, e.g. Sigmoid()")
        self._set(
            base=number(self.base, f"{at}: base"),
            gain=number(self.gain, f"{at}: gain"),
            at=choice(self.at, f"{at}: at", ("target", "source", "total")),
        )

    def check(self, source: LayerLaw, target: LayerLaw, find: Callable[[str, str], LayerLaw], where: str) -> None:
        """Raise SpecError if the layer does not exist or has another number of cells."""
        layer = find(self.layer, f"{where}: modulation: layer")
        if self.at == "total":
            return
        end = source if self.at == "source" else target
        if layer.cells != end.cells:
            raise SpecError(
                f"{where}: modulation: at = '{self.at}': '{self.layer}' has {layer.cells} cells, '{end.name}' has "
                f"{end.cells} (at='total' makes one factor for all)"
            )

    def factor(self, signals: Any) -> Any:
        """Return the factors for signals h(m) of all cells of the layer."""
        return self.base + self.gain * (np.sum(signals) if self.at == "total" else signals)

    def nonnegative(self, lowest: Any) -> bool:
        """Tell whether no factor is negative, where no m is below `lowest` (None if that is not known)."""
        positive = self.signal.nonnegative or (lowest is not None and bool(np.all(np.asarray(lowest) >= 0.0)))
        return self.base >= 0.0 and self.gain >= 0.0 and positive
