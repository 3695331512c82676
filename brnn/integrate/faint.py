"""Activities that stay so small that the absolute tolerance, which holds their errors, says little: said in a line."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from brnn.compiler import Variable
from brnn.spec.network import Network

__all__ = ["FAINT", "largest_activity", "says_something", "warn_if_faint"]

FAINT = 1000.0  # absolute tolerances; where every activity is smaller, they say little of it
_MANY = 20  # saved times tell of activities that inputs bring and take


def says_something(network: Network, first: float, saved: int) -> bool:
    """Tell whether the saved activities, of which the largest one begins at `first`, tell how large they become."""
    return first > 0.0 or network.settled() == 0.0 or saved >= _MANY


def warn_if_faint(network: Network, largest: float, atol: float, stacklevel: int) -> None:
    """Warn if no activity was much larger than the absolute tolerance, where that is what holds the error."""
    if network.step is None and not network.noisy and not network.spiking and 0.0 < largest < FAINT * atol:
        warnings.warn(
            f"no activity of {network.name} is above {largest:.2g}, and the absolute tolerance is atol = {atol:g}: "
            f"errors may be as large as the activities; try atol = {1e-9 * largest:.0e} (atol=, --atol)",
            UserWarning,
            stacklevel=stacklevel,
        )


def largest_activity(states: np.ndarray, variables: Sequence[Variable]) -> float:
    """Return the largest absolute value of the activities in these states."""
    parts = [np.abs(states[..., v.start : v.stop]).max(initial=0.0) for v in variables if v.role == "stm"]
    return float(max(parts, default=0.0))
