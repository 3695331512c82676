"""How the members of a sweep are run."""

from __future__ import annotations

from dataclasses import dataclass

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
