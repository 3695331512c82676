"""Explicit pairs of order 5 for so many unknowns that the memory's bandwidth is its cost.

The passes are shared by threads, and as few arrays are kept as can be: two states and six slopes.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from brnn.compiler.cache import load_copy
from brnn.integrate.steppers.base import Piece
from brnn.integrate.steppers.explicit_steps import TINY, ExplicitSteps
from brnn.integrate.steppers.pairs import pair as pairs
from brnn.integrate.steppers.pairs.dormand_prince import DORMAND_PRINCE
from brnn.integrate.steppers.pairs.pair import ERROR, FIVES, INSIDE, NEW, NODES, STAGES, Pair
from brnn.integrate.steppers.threads import Threads

__all__ = ["Large"]

_FILES = Path(__file__).with_name("large_steps.py"), Path(str(pairs.__file__))


class Large(ExplicitSteps):
    """Makes the steps of one piece of a network without delays."""

    def __init__(self, piece: Piece, pair: Pair = DORMAND_PRINCE) -> None:
        super().__init__(piece)
        self._pair = pair.numbers
        self._code, self._threads = load_copy(*_FILES), Threads()
        size = piece.state.size
        slopes = [np.empty(size) for _ in range(STAGES - 1)]
        # The second slope is read before the new state is made, and no more: the last one takes its place.
        self._K = [*slopes, slopes[1]]
        self._blocks = -(-size // self._code.BLOCK)
        self._errors, self._moved, self._turned = np.empty((3, self._blocks))
        piece.fun.into(self.t, self._u, self._K[0])

    @property
    def f(self) -> np.ndarray:
        """du/dt where the last step began, or where it stands if there was none."""
        return self._K[0]

    def _each(self, function: Callable[..., None], *arguments: Any) -> None:
        self._threads(function, self._blocks, *arguments)

    def _begin(self) -> None:
        self._K[0], self._K[1] = self._K[6], self._K[0]
        self._K[6] = self._K[1]

    def _attempt(self, t: float, end: float, h: float) -> tuple[float, float]:
        piece, new, K, pair = self._piece, self._new, self._K, self._pair
        for stage in range(1, STAGES):
            a = pair[stage]
            if stage < NEW:
                self._each(self._code.stage, self._u, *K[:5], a[:stage], h, new)
            else:
                self._each(self._code.new, self._u, K[0], *K[2:6], a, h, new, self._moved)
            piece.fun.into(t + pair[NODES, stage] * h if stage < NEW - 1 else end, new, K[stage])
        self._each(
            self._code.errors, self._u, new, K[0], *K[2:], pair[ERROR], h, piece.rtol, piece.atol, piece.norm == "rms",
            self._errors, self._turned,
        )  # fmt: skip
        return self._norm([self._errors]), float(np.max(self._turned)) / max(float(np.max(self._moved)), TINY)

    def _within(self, t: float, out: np.ndarray) -> None:
        if t == self.t:
            out[:] = self._u
            return
        s = (t - self._before) / self.step_size
        a = s ** np.arange(1, 5) @ self._pair[INSIDE:FIVES]
        self._each(self._code.within, self._new, self._u, self._K[0], *self._K[2:], a, self.step_size, out)
