"""The pair of Tsitouras, which needs fewer steps than that of Dormand and Prince for the same tolerance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from brnn.integrate.methods.base import has_delays
from brnn.integrate.methods.explicit import CompiledPair
from brnn.integrate.steppers.pairs.tsitouras import TSITOURAS

if TYPE_CHECKING:
    from brnn.spec.network import Network

__all__ = ["Tsit5"]


class Tsit5(CompiledPair):
    """The pair of Tsitouras in compiled code."""

    name = "Tsit5"
    description = "explicit, order 5 (Tsitouras), in compiled code: fewer steps than RK45"
    pair = TSITOURAS

    def refuses(self, network: Network, until: str, step: float | None) -> str | None:
        """Refuse delays, too."""
        refusal = super().refuses(network, until, step)
        return "delays are for SciPy's methods" if refusal is None and has_delays(network) else refusal
