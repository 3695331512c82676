"""Steps in bands of rows (`brnn.compiler.bands`), shared by threads: the same bits for any number of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.compiler.right_hand_side import RightHandSide
from brnn.compiler.system import System
from brnn.integrate.steppers.threads import give_way, helped, place, processors

__all__ = ["BandSteps"]

_FILE = Path(__file__).with_name("band_steps.py")


class BandSteps:
    """Makes the steps of a run.

    Parameters
    ----------
    system : System
        Whose program is divided into bands.
    u : ndarray
        The state, which steps change.
    work : ndarray
        Slopes, then rates, then the length of the step.
    """

    def __init__(self, system: System, u: np.ndarray, work: np.ndarray) -> None:
        self._code = code = load_copy(_FILE)
        self._tasks, self._length = system.program.tasks, work[-1:]
        self._over = np.zeros(code.LINE * len(self._tasks), dtype=np.int64)
        self._helpers = min(processors(), system.program.bands) - 1 if give_way() else 0
        self._rooms = [np.empty(system.program.room + 1) for _ in range(self._helpers + 1)]
        self._whole = np.zeros(code.WHOLE, dtype=np.int64)
        self._whole[[code.BANDS, code.U, code.SLOPES]] = system.program.bands, place(u), place(work)

    def make(self, rhs: RightHandSide, times: np.ndarray, steps: np.ndarray) -> None:
        """Make steps of some lengths, which end at some times."""
        code, whole, yielding = self._code, self._whole, give_way()
        whole[[code.FUNCTION, code.TABLE]] = rhs.in_bands.address, place(rhs.table)
        whole[code.TICKET] = len(self._tasks)  # no task yet
        shared: tuple[Any, ...] = whole, self._tasks, self._over
        often = whole[code.LATE] > code.TOO_OFTEN + code.OFTEN * whole[code.SERIES]
        more = [] if often else [(*shared, room, yielding) for room in self._rooms[1:]]
        with helped(whole, code.CLOSED, code.help_out, more):
            code.advance(*shared, self._rooms[0], times + rhs.shift, steps, self._length, self._helpers, yielding)
