"""Activities that never reach 0, and fall below what the absolute tolerance holds: said in a line.

Where dx/dt = a(x) (...) with a(0) = 0, as for species that compete, no activity changes its sign, however small it
becomes. A solver does not know that: what is below atol it may take for anything of that size, also below 0, and what
grows again from there comes back at a time that its errors chose.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brnn.compiler import Variable
from brnn.spec.layers.cohen_grossberg import CohenGrossbergLayer
from brnn.spec.network import Network

__all__ = ["Sunk", "keep_their_sign", "sunk_of"]

_AGAIN = 1e3  # what was below atol has grown again, or is below 0 for certain, where it is so many times atol


@dataclass
class Sunk:
    """The activities of one layer that began above 0, and what the saved states tell of them."""

    variable: Variable
    atol: float
    below: np.ndarray  # which were below atol at a saved time
    since: np.ndarray  # the first one
    least: tuple[float, float, int] = (0.0, 0.0, 0)  # the value below 0 that is largest in size, its time and cell
    again: tuple[float, int] | None = None  # since when the first that grew again was below atol, and its cell

    def see(self, times: np.ndarray, states: np.ndarray) -> None:
        """Look at more of the saved states."""
        found = states[:, self.variable.start : self.variable.stop]
        least = found.min()
        if least < self.least[0]:
            row, place = divmod(int(found.argmin()), found.shape[1])
            self.least = float(found[row, place]), float(times[row]), place
        if self.again is not None or (least >= self.atol and not self.below.any()):
            return
        for time, values in zip(times, found, strict=True):
            again = np.flatnonzero(self.below & (values > _AGAIN * self.atol))
            if again.size:
                cell = int(again[np.argmin(self.since[again])])
                self.again = float(self.since[cell]), cell
                return
            new = (values < self.atol) & ~self.below
            self.since[new], self.below[new] = time, True

    def warn(self, network: str, stacklevel: int) -> None:
        """Warn if an activity was below 0, or grew again from below atol."""
        least, time, cell = self.least
        if least < -_AGAIN * self.atol:
            what = f"was {least:.3g} at t = {time:.6g}, though no activity of {network} can change its sign"
        elif self.again is not None:
            time, cell = self.again
            what = f"was below the absolute tolerance, atol = {self.atol:g}, at t = {time:.6g} and grew again"
        else:
            return
        place = ",".join(str(k) for k in np.unravel_index(cell, self.variable.shape))
        warnings.warn(
            f"{self.variable.name}[{place}] {what}: when such activities grow, the errors of the solver decide; try "
            "atol = 1e-300 with solver = 'RK45' (--atol, --solver), or the logarithms as unknowns",
            UserWarning,
            stacklevel=stacklevel,
        )


def keep_their_sign(network: Network) -> list[str]:
    """Return the names of the layers whose activities cannot change their sign."""
    zero = np.zeros(1)
    return [one.name for one in network.layers if isinstance(one, CohenGrossbergLayer) and not np.any(one.a(zero))]


def sunk_of(network: Network, variables: Sequence[Variable], state: np.ndarray, atol: float) -> list[Sunk]:
    """Return what looks at the layers whose activities, all above 0 or at 0 at the beginning, cannot change sign."""
    if network.noisy or network.events or network.step is not None:
        return []
    found = []
    names = keep_their_sign(network)
    for variable in variables:
        if variable.role != "stm" or variable.group not in names:
            continue
        begin = state[variable.start : variable.stop]
        if (begin >= 0.0).all() and begin.any():
            # What begins at 0 stays there.
            found.append(Sunk(variable, atol, np.zeros(begin.size, dtype=bool), np.full(begin.size, np.inf)))
    return found
