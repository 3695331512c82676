"""What the avalanche and its simulation share: when the command, the start signals and the frames come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from brnn.theory.avalanche import AvalancheChain

__all__ = ["ChainRun", "chain_runs"]

_LEAD, _PAUSE = 10.0, 12.0  # before the start signal, and between two runs of the chain, in units of the cells' 1/A
_START = 1.25  # of a step: how long the start signal lasts


@dataclass(frozen=True)
class ChainRun:
    """One run of the chain, as theory predicts it.

    Attributes
    ----------
    command : float
        Strength of the command.
    on, off : float
        While the command is on.
    go, start : float
        When the start signal begins and ends.
    fired, silent : ndarray, shape (cells,)
        When each cell fires and falls silent if the command stays on.
    end : float
        When the act is over if the command stays on: a step after the last firing.
    """

    command: float
    on: float
    off: float
    go: float
    start: float
    fired: np.ndarray
    silent: np.ndarray
    end: float

    @property
    def changes(self) -> np.ndarray:
        """When a new frame begins, and when the last one ends."""
        return np.append(self.fired, self.end)


def chain_runs(chain: AvalancheChain, cells: int, commands: Sequence[float], stops: Sequence[float]) -> list[ChainRun]:
    """Return runs of the chain, one after the other with silence between them.

    Parameters
    ----------
    chain : AvalancheChain
        The chain.
    cells : int
        Its length.
    commands : sequence of float
        Strength of the command in each run.
    stops : sequence of float
        Part of each run, from the first firing on, after which the command goes off; 1 for all of it.

    Raises
    ------
    InputError
        If a command is so strong that the cells cannot keep apart.
    """
    on, found = 0.0, []
    for command, part in zip(commands, stops, strict=True):
        step, lead = float(chain.step(command)), _LEAD / chain.A
        fired = chain.firing(command, lead, cells)
        silent = chain.silence(command, fired, lead + _START * step)
        end = float(fired[-1]) + step
        off = float(fired[0] + part * (end - fired[0]))
        go, start = on + lead, on + lead + _START * step
        found.append(ChainRun(command, on, on + off, go, start, on + fired, on + silent, on + end))
        on += off + _PAUSE / chain.A
    return found
