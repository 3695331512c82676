"""The comparison of what is recorded with what was repeated: the same for runs and for sweeps."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

__all__ = ["Block", "Difference", "Rerun", "difference", "outcome"]

_ROOM = 100.0  # how many tolerances of one step the error of a whole run may be


@dataclass(frozen=True)
class Rerun:
    """How far a second run is from the recorded one.

    Attributes
    ----------
    largest_difference : float
        ``max |recorded - repeated|`` over all cells and saved times, of the variable that differs most (by its
        tolerance).
    tolerance : float
        What passes for this variable.
    variable : str or None
        Its name and the cell, ``"F1.x[3]"``; None if nothing differs.
    time : float
        When it differs most; NaN if nothing differs.
    compared : int
        How many saved times were compared.
    passed : bool
        Whether each variable differs by its tolerance at most, no saved time is missing, and the same events happened
        to the same cells. (That the times of events differ shows as a difference of the variables.)
    different_event : int or None
        Number of the first event that was not the same in the second run.
    members : int or None
        Of a sweep: how many members were compared. The variable is then followed by the member and the cell, and there
        is no `time`.
    """

    largest_difference: float
    tolerance: float
    variable: str | None
    time: float
    compared: int
    passed: bool
    different_event: int | None = None
    members: int | None = None

    def __repr__(self) -> str:
        verdict = "same" if self.passed else "DIFFERENT"
        times = f"{self.compared} saved times" if self.members is None else f"{self.members:,} members"
        if self.different_event is not None:
            times += f"; event {self.different_event} is not the same"
        if self.variable is None:
            return f"{verdict}: largest difference 0 {'at' if self.members is None else 'in'} {times}"
        when = f" at t = {self.time:g}" if self.members is None else ""
        return (
            f"{verdict}: largest difference {self.largest_difference:.3g} in {self.variable}{when} "
            f"(tolerance {self.tolerance:.3g}, {times})"
        )


class Block(NamedTuple):
    """Rows of one variable, recorded and repeated, and what tells each row: its time, or its member."""

    rows: np.ndarray
    recorded: np.ndarray
    repeated: np.ndarray


@dataclass(frozen=True)
class Difference:
    """How far the rows of one variable are apart: the largest distance, its row and cell, and what would pass."""

    distance: float
    row: float
    cell: tuple[int, ...]
    allowed: float
    compared: int

    @property
    def passed(self) -> bool:
        """Whether it would pass."""
        return self.distance <= self.allowed

    @property
    def excess(self) -> float:
        """How many times the distance is what would pass."""
        return self.distance / max(self.allowed, 1e-300)


def difference(blocks: Iterable[Block], tolerance: float | None, rtol: float, atol: float) -> Difference:
    """Compare one variable, a block of rows at a time; whole numbers and texts must be the same."""
    distance, scale, compared, exact = 0.0, 0.0, 0, False
    row = math.nan
    cell: tuple[int, ...] = ()
    for block in blocks:
        compared += len(block.rows)
        if not block.recorded.size:
            continue
        exact = block.recorded.dtype.kind != "f"
        distances = _distances(block.recorded, block.repeated)
        place = np.unravel_index(int(np.argmax(distances)), distances.shape)
        if distances[place] > distance:
            distance = float(distances[place])
            row, cell = block.rows[place[0]].item(), tuple(int(i) for i in place[1:])
        if not exact:
            sizes = np.abs(block.recorded)
            scale = max(scale, float(np.max(sizes, where=np.isfinite(sizes), initial=0.0)))
    allowed = 0.0 if exact else _ROOM * (atol + rtol * scale) if tolerance is None else tolerance
    return Difference(distance, row, cell, allowed, compared)


def _distances(recorded: np.ndarray, repeated: np.ndarray) -> np.ndarray:
    """Return how far numbers are apart; texts by 1. What is in neither of the two (NaN) does not differ."""
    if "O" in (recorded.dtype.kind, repeated.dtype.kind):
        return (recorded != repeated).astype(np.float64)
    if recorded.dtype.kind == "f":  # what single precision keeps is compared with what it makes of the repeated numbers
        repeated = repeated.astype(recorded.dtype)
    same = (recorded == repeated) | ((recorded != recorded) & (repeated != repeated))
    with np.errstate(invalid="ignore"):
        distances = np.abs(recorded.astype(np.float64) - repeated.astype(np.float64))
    distances[np.isnan(distances)] = math.inf
    if recorded.dtype.kind != "f":
        distances = np.maximum(distances, 1.0)  # of whole numbers too large for a float64
    return np.where(same, 0.0, distances)


def outcome(
    differences: Mapping[str, Difference],
    tolerance: float | None,
    *,
    whole: bool = True,
    different_event: int | None = None,
    members: int | None = None,
) -> Rerun:
    """Return what the differences of all variables come to.

    Parameters
    ----------
    differences : mapping of name -> Difference
        The variables. Of a sweep (`members` is given) a row is a member, of a run it is a time.
    tolerance : float, optional
        That of the user.
    whole : bool
        Whether there was something to compare with all that is recorded.
    different_event, members : int, optional
        As in Rerun.
    """
    passed = whole and different_event is None and all(found.passed for found in differences.values())
    compared = max((found.compared for found in differences.values()), default=0) if members is None else 0
    same = Rerun(0.0, tolerance or 0.0, None, math.nan, compared, passed, different_event, members)
    name, worst = max(differences.items(), key=lambda item: item[1].excess, default=("", None))
    if worst is None or worst.distance == 0.0:
        return same
    indices = worst.cell if members is None else (int(worst.row), *worst.cell)
    return replace(
        same,
        largest_difference=worst.distance,
        tolerance=worst.allowed,
        variable=f"{name}[{', '.join(map(str, indices))}]",
        time=worst.row if members is None else math.nan,
    )
