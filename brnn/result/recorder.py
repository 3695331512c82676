"""What an integrator needs of a recorder."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from brnn.result.checkpoint import Checkpoint
    from brnn.result.events import Happened, Spikes
    from brnn.result.result import Result

__all__ = ["Recorder"]


class Recorder(Protocol):
    """Takes the states of one run as they become known."""

    def write(self, times: np.ndarray, states: np.ndarray) -> None:
        """Record `states` (k, size) at rising `times` (k,), later than all before."""

    def room(self, count: int) -> np.ndarray | None:
        """Return memory (count, size) for the states of the next `write`, if they are kept just as they are.

        States that lie there already are not copied.
        """

    def happened(self, row: Happened | Spikes) -> None:
        """Record an event, or many spikes; in the order of time, and before the states that are later."""

    def keep(self, stand: Callable[[], Checkpoint | None] | None = None) -> None:
        """Make safe what was recorded, if that is due; called now and then between writes.

        `stand` tells where the run stands when all that was written before it is safe; None at a bad moment.
        """

    def finish(self, status: str, solver: Mapping[str, Any], kept: Checkpoint | None = None) -> Result:
        """End the record ("complete", "steady", "failed" or "interrupted") and return what it holds, `kept` with it."""
