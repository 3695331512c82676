"""The same network again and again, each time with noise of its own."""

from __future__ import annotations

import dataclasses

import numpy as np

from brnn.errors import SpecError
from brnn.sweeps.columns import Column
from brnn.sweeps.designs.base import Design, check_name, exact_whole

__all__ = ["Repeats"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Repeats(Design):
    """Repeated runs of networks with white noise or events of chance: each is a member with a seed of its own.

    The seeds come from the sweep's `seed` and the number of the member, and stand in its file. ``Grid(A=[0.5, 1.0]) *
    Repeats(100)`` runs each network of the grid a hundred times.

    Parameters
    ----------
    n : int, >= 1
        How many times.
    name : str
        What counts them, from 0: a coordinate of the sweep, no parameter of the network.

    Raises
    ------
    SpecError
        If n is no such number, or the name is none.

    Examples
    --------
    >>> (Grid(A=[0.5, 1.0]) * Repeats(100)).size
    200
    """

    n: int
    name: str = "repeat"

    def __post_init__(self) -> None:
        self._set(n=exact_whole(self.n, "Repeats: n", 1))
        check_name(self.name, "Repeats")
        if "." in self.name:
            raise SpecError(f"Repeats: name = {self.name!r}: must be without dots")

    @property
    def names(self) -> tuple[str, ...]:
        """What counts the repeats."""
        return (self.name,)

    @property
    def counted(self) -> tuple[str, ...]:
        """The same: networks do not take it."""
        return (self.name,)

    @property
    def size(self) -> int:
        """How many they are."""
        return self.n

    @property
    def axes(self) -> dict[str, Column]:
        """Their numbers."""
        return {self.name: np.arange(self.n)}

    def _columns(self, members: np.ndarray) -> dict[str, Column]:
        return {self.name: members}

    def __repr__(self) -> str:
        return f"Repeats({self.n})" if self.name == "repeat" else f"Repeats({self.n}, {self.name!r})"
