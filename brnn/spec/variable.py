"""What is known of one state of a network: its name, its place in the state vector, its shape, what it means."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

__all__ = ["Role", "Variable"]

Role = Literal["stm", "mtm", "ltm"]


@dataclass(frozen=True)
class Variable:
    """One block of the state vector.

    Attributes
    ----------
    name : str
        ``"<layer>.x"``, ``"<projection>.y"`` or ``"<projection>.z"``.
    group, quantity : str
        The two parts of the name; the group is the HDF5 group.
    start, stop : int
        The block is ``u[start:stop]``.
    shape : tuple of int
        Shape of the block.
    dims : tuple of str
        Names of its axes.
    role : {"stm", "mtm", "ltm"}
        Activity, gate or weight.
    long_name, units : str
        Attributes of the recorded array.
    lowest, highest : float or array or None
        Bounds that theory guarantees for this network, or None.
    """

    name: str
    group: str
    quantity: str
    start: int
    stop: int
    shape: tuple[int, ...]
    dims: tuple[str, ...]
    role: Role
    long_name: str
    units: str = "1"
    lowest: float | np.ndarray | None = None
    highest: float | np.ndarray | None = None

    @property
    def size(self) -> int:
        """Number of elements."""
        return math.prod(self.shape)
