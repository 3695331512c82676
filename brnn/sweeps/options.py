"""How the members of a sweep are run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from brnn.ensemble.arrays import unfit
from brnn.spec.durations import STEADY_DURATIONS, natural_duration
from brnn.spec.network import Network

__all__ = ["MemberOptions"]


@dataclass(frozen=True)
class MemberOptions:
    """How the members are run: the arguments of `simulate` that a sweep takes.

    Attributes
    ----------
    duration : float or None
        How long; each network's own if None.
    times : tuple of float
        Times to save.
    rtol, atol : float
        Tolerances.
    until : str
        "duration" or "steady".
    solver : str
        "auto": the compiled ensemble for networks that fit; else a solver of `simulate`, one by one.
    references : bool
        Whether the patterns that layers were given are needed.
    """

    duration: float | None = None
    times: tuple[float, ...] = ()
    rtol: float = 1e-6
    atol: float = 1e-9
    until: str = "duration"
    solver: str = "auto"
    references: bool = False

    def length(self, network: Network) -> float:
        """Return how long a network runs, at most."""
        if self.duration is not None:
            return self.duration
        return natural_duration(network) * (STEADY_DURATIONS if self.until == "steady" else 1.0)

    def saved(self, network: Network) -> np.ndarray:
        """Return the times at which a network that runs by itself is saved: those of the sweep, and the end."""
        saved = np.array(self.times)
        length = self.length(network)
        if network.step is not None:
            length = max(1, round(length / network.step)) * network.step
        return saved if saved.size and saved[-1] >= length else np.append(saved, length)

    def alone(self, network: Network, seed: int | None) -> dict[str, Any]:
        """Return the arguments of `simulate` with which a network runs by itself as it does in the sweep."""
        side_by_side = self.solver == "auto" and unfit(network) is None
        return {
            "duration": self.duration,
            "times": self.saved(network) if network.noisy else None,  # of the noise they end steps
            "solver": "compiled" if side_by_side else self.solver,
            "rtol": self.rtol,
            "atol": self.atol,
            "until": self.until,
            "seed": seed,
        }
